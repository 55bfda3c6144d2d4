//! The program: everything is in the library.

fn main() -> std::process::ExitCode {
    batchward::cli::main(std::env::args_os())
}
