//! The door: run the library's command line and turn its answer into an exit status.

/// A batch makes in one thread what another gives back, and of that the C library's allocator makes a queue.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    certkit::cli::run(std::env::args_os())
}
