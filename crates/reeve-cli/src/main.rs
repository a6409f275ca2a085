//! `reeve`: the terminal shell. Data goes to stdout, messages to stderr; exit codes say how it ended.

mod args;
mod commands;
mod exit;
mod output;

use std::process::ExitCode;

use clap::Parser as _;

use crate::args::{Args, Command};

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // clap words usage errors itself, suggestions included.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::DONE });
        }
    };
    let running = matches!(args.command, Some(Command::Run(_)));
    match commands::run(args) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            output::complain(&error);
            ExitCode::from(if running { exit::RUN_FAILED } else { exit::of(&error) })
        }
    }
}
