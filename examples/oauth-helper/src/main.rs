//! The command line of the OAuth client helper.

use std::process::ExitCode;

fn main() -> ExitCode {
    oauth_helper::cli::main()
}
