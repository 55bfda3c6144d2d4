//! Servers of links on the screen: trying one, and the rows of `status`.

use std::path::Path;

use super::print;
use crate::{
    domain::time::Timestamp,
    error::{Error, Exit},
    service::{Result, status::SourceLine},
    wiring::{self, SourceTest, Tried},
};

/// `link test`, `handover test`.
///
/// # Errors
/// There is no server, or it does not let the account in: the answer says why.
pub(super) fn test(config: &Path, tried: Tried<'_>, json: bool) -> Result<()> {
    let done = wiring::test_server(config, tried)?;
    if json {
        print::json(&done)?;
    } else {
        shown(&done)?;
    }
    match done.trouble {
        None => Ok(()),
        Some(code) => Err(Error::new(
            Exit::Failed,
            match tried {
                Tried::Link(link) => {
                    format!("nothing can be fetched from the server of '{link}': {code}")
                }
                Tried::Recipient(name) => {
                    format!("nothing can be put to the server of '{name}': {code}")
                }
            },
        )
        .hint("docs/sftp.md says what to do about each code")),
    }
}

fn shown(done: &SourceTest) -> Result<()> {
    print::raw(&format!("{}  {}:{}", done.of, done.host, done.port))?;
    for known in &done.known {
        print::line(&format!("known host key: {known}"))?;
    }
    if let Some(key) = &done.shown {
        print::line(&format!("the server shows: {key}"))?;
    }
    if done.known_is_shown {
        print::line("the host key is a known one")?;
    }
    if let Some(command) = &done.compare {
        print::line("to be compared with what the provider says by telephone:")?;
        print::raw(&format!("  {command}"))?;
        print::line(&format!("the line that is put into '{}', if they agree:", done.file))?;
        print::raw(&format!("  {}", done.line.as_deref().unwrap_or("-")))?;
    }
    if let Some(things) = done.things {
        print::line(&format!("logged in; {things} things in the remote folder"))?;
    }
    Ok(())
}

/// The section of `status`.
pub(super) fn section(
    sources: &[SourceLine],
    time: &dyn Fn(Option<Timestamp>) -> String,
) -> Result<()> {
    if sources.is_empty() {
        return Ok(());
    }
    print::line("\nSERVERS")?;
    let rows: Vec<Vec<String>> = sources
        .iter()
        .map(|line| {
            vec![
                line.link.clone(),
                format!("{}:{}", line.host, line.port),
                time(line.answered),
                line.trouble.map_or_else(String::new, |code| code.to_string()),
                line.waiting.to_string(),
                line.refused.to_string(),
                line.owed.to_string(),
            ]
        })
        .collect();
    let head = ["link", "server", "last look", "trouble", "waiting", "refused", "owed"];
    print::table(&head, &rows)?;
    for line in sources {
        let Some(command) = &line.compare else { continue };
        for known in &line.known {
            print::line(&format!("known host key of '{}': {known}", line.link))?;
        }
        if let Some(key) = &line.shown {
            print::line(&format!("the server of '{}' shows: {key}", line.link))?;
        }
        print::line("to be compared with what the provider says by telephone:")?;
        print::raw(&format!("  {command}"))?;
    }
    Ok(())
}
