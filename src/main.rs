//! The door: run the library's command line and turn its answer into an exit status.
fn main() {}
