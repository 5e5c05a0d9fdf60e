//! The door: run the library's command line and turn its answer into an exit status.

fn main() -> std::process::ExitCode {
    certkit::cli::run(std::env::args_os())
}
