//! The command line: translates to commands and queries, shows replies. It decides nothing.

mod access;
mod acts;
mod amending;
mod args;
mod audit;
mod audit_pack;
mod audits;
mod bars;
mod batch;
mod client;
mod dates;
mod doctor;
mod duties;
mod evidence;
mod expected;
mod forms;
mod gate;
mod handover;
mod identity;
mod incidents;
mod inventory;
mod letters;
mod links;
mod lists;
mod locale;
mod media;
mod notices;
mod notified;
mod on_paper;
mod pack;
mod pages;
mod papers;
mod people;
mod policies;
mod print;
mod reasons;
mod receipt;
mod register;
mod row_files;
mod rows;
mod shapes;
mod sources;
pub mod speech;
mod status;
mod table;
#[cfg(test)]
mod tests;
mod today;
mod usage;
mod uses;
mod vault;
mod verify;
mod witness;
mod words;

use std::{ffi::OsString, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, error::ErrorKind};

use crate::{error::Exit, service::Result};

/// Runs one command line.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    speech::choose(locale::language(&arguments));
    let parsed = speech::spoken(args::Cli::command())
        .try_get_matches_from(arguments)
        .and_then(|matches| Ok((args::Cli::from_arg_matches(&matches)?, matches)));
    let (cli, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version go to standard output with 0, help that nobody asked for to standard error.
            return match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    print::parser(&error);
                    ExitCode::SUCCESS
                }
                ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                    print::parser(&error);
                    ExitCode::from(Exit::Usage as u8)
                }
                _ => {
                    print::error(&usage::error(&error));
                    ExitCode::from(Exit::Usage as u8)
                }
            };
        }
    };
    let mut words = args::Cli::command();
    words.build();
    match gate::look_through(&words, &matches).and_then(|()| run(&cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::error(&error);
            ExitCode::from(error.exit as u8)
        }
    }
}

/// Runs a command line within this process, for the demo: on a thread of its own, because the agent confines the
/// thread that it runs on for good, and the people of the demo have more to do.
///
/// # Errors
/// What the command said.
pub(crate) fn run_line(line: &[String]) -> Result<()> {
    let cli = args::Cli::try_parse_from(line).map_err(|error| usage::error(&error))?;
    std::thread::scope(|scope| scope.spawn(|| words::run(&cli)).join())
        .unwrap_or_else(|_| Err(crate::error::Error::new(Exit::Failed, "the command broke off")))
}

/// Whether this is a command line, program name first; asking for help is one. Nothing is run: documents are held to
/// the definition by it.
///
/// # Errors
/// What the parser says.
pub fn parses(line: &[String]) -> std::result::Result<(), String> {
    match args::Cli::try_parse_from(line) {
        Err(error) if error.use_stderr() => Err(error.to_string()),
        _ => Ok(()),
    }
}

fn run(cli: &args::Cli) -> Result<()> {
    crate::wiring::harden();
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
        adapters::fault::{Moment, arm, arm_named, hold_back},
        error::Error,
    };
    if let Some(path) = &cli.test_wait {
        hold_back(path.clone());
    }
    let Some(spec) = &cli.test_crash else { return Ok(()) };
    let parsed = spec.split_once(':').and_then(|(write, moment)| {
        let moment = match moment {
            "before" => Moment::Before,
            "middle" => Moment::Middle,
            "after" => Moment::After,
            _ => return None,
        };
        Some((write, moment))
    });
    let (write, moment) =
        parsed.ok_or_else(|| Error::usage("--test-crash takes N|NAME:before|middle|after"))?;
    match write.parse() {
        Ok(number) => arm(number, moment),
        Err(_) => arm_named(write, moment),
    }
    Ok(())
}

#[cfg(feature = "test-hooks")]
fn count(cli: &args::Cli) -> Result<()> {
    let Some(path) = &cli.test_count_writes else { return Ok(()) };
    let text = crate::adapters::fault::count().to_string();
    crate::demo::put(path, text.as_bytes(), 0o600)
}
