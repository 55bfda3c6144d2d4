//! The command line: translates to commands and queries, shows replies. It decides nothing.

mod acts;
mod args;
mod client;
mod doctor;
mod identity;
mod lists;
mod print;
mod rows;
mod status;
mod verify;
mod words;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;

use crate::{error::Exit, service::Result};

/// Runs one command line.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match args::Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output with 0; anything else is wrong usage.
            let wrong = error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if wrong { Exit::Usage as u8 } else { 0 });
        }
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::error(&error);
            ExitCode::from(error.exit as u8)
        }
    }
}

/// Runs a command line within this process, for the demo.
///
/// # Errors
/// What the command said.
pub(crate) fn run_line(line: &[String]) -> Result<()> {
    let cli = args::Cli::try_parse_from(line)
        .map_err(|error| crate::error::Error::usage(error.to_string()))?;
    words::run(&cli)
}

fn run(cli: &args::Cli) -> Result<()> {
    arm(cli)?;
    let done = words::run(cli);
    count(cli)?;
    done
}

#[cfg(not(feature = "test-hooks"))]
#[expect(clippy::unnecessary_wraps, reason = "the test build's twin can fail")]
const fn arm(_cli: &args::Cli) -> Result<()> {
    Ok(())
}

#[cfg(not(feature = "test-hooks"))]
#[expect(clippy::unnecessary_wraps, reason = "the test build's twin can fail")]
const fn count(_cli: &args::Cli) -> Result<()> {
    Ok(())
}

#[cfg(feature = "test-hooks")]
fn arm(cli: &args::Cli) -> Result<()> {
    use crate::{
        adapters::fault::{Moment, arm},
        error::Error,
    };
    let Some(spec) = &cli.test_crash else { return Ok(()) };
    let parsed = spec.split_once(':').and_then(|(n, moment)| {
        let moment = match moment {
            "before" => Moment::Before,
            "middle" => Moment::Middle,
            "after" => Moment::After,
            _ => return None,
        };
        Some((n.parse().ok()?, moment))
    });
    let (write, moment) =
        parsed.ok_or_else(|| Error::usage("--test-crash takes N:before|middle|after"))?;
    arm(write, moment);
    Ok(())
}

#[cfg(feature = "test-hooks")]
fn count(cli: &args::Cli) -> Result<()> {
    let Some(path) = &cli.test_count_writes else { return Ok(()) };
    let text = crate::adapters::fault::count().to_string();
    crate::demo::put(path, text.as_bytes(), 0o600)
}
