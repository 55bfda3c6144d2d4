//! Trying a server: connect, show both fingerprints, log in, list. Nothing is fetched and nothing changed.

use std::path::Path;

use crate::{
    adapters::courier::{self, Courier},
    config,
    domain::{
        known_hosts::{self, fingerprint},
        source::SourceCode,
    },
    error::{Error, Exit},
};

/// `link test`, `handover test`.
#[derive(Clone, Debug, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SourceTest {
    /// The link or recipient whose server it is.
    pub of: String,
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Fingerprint of the host key that it showed; nothing where it did not come so far.
    pub shown: Option<String>,
    /// Fingerprints of those that it may have.
    pub known: Vec<String>,
    /// Whether it showed one of those.
    pub known_is_shown: bool,
    /// What keeps it from being fetched from.
    pub trouble: Option<SourceCode>,
    /// What shows the fingerprints, to be compared with what the provider says; where the key is not known.
    pub compare: Option<String>,
    /// The file of known hosts.
    pub file: String,
    /// The line that would make the shown key known.
    pub line: Option<String>,
    /// How many things lie in the remote folder.
    pub things: Option<u64>,
}

/// Whose server is tried.
#[derive(Clone, Copy, Debug)]
pub enum Tried<'a> {
    /// A link's `source:`.
    Link(&'a str),
    /// A recipient's `push:`.
    Recipient(&'a str),
}

/// Tries a server.
///
/// # Errors
/// There is no such link or recipient, it has no server, or nothing can be started.
pub fn test_server(path: &Path, tried: Tried<'_>) -> crate::service::Result<SourceTest> {
    let config = config::load(path).map_err(|list| super::site::faults(&list))?;
    let (of, found) = match tried {
        Tried::Link(name) => {
            let source = config.links.get(name).and_then(|link| link.source.as_deref());
            (name, source.map(|source| (&source.server, &source.path)))
        }
        Tried::Recipient(name) => {
            let to = config.recipients.get(name).and_then(|one| one.push.as_deref());
            (name, to.map(|to| (&to.server, &to.path)))
        }
    };
    let (server, folder) = found.ok_or_else(|| match tried {
        Tried::Link(link) => Error::usage(format!("there is no link '{link}' with a 'source:'"))
            .hint("docs/sftp.md says how a link gets one"),
        Tried::Recipient(name) => {
            Error::usage(format!("there is no recipient '{name}' with a 'push:'"))
                .hint("docs/handover.md says how a recipient gets one")
        }
    })?;
    let started = Courier::start(Path::new("/proc/self/exe"), std::iter::once(server), None);
    let courier = started.map_err(|error| {
        Error::new(Exit::Unavailable, format!("the courier cannot be started: {error}"))
    })?;
    let mut done = SourceTest {
        of: of.to_owned(),
        host: server.host.clone(),
        port: server.port,
        shown: None,
        known: courier::pins(server).map(|pins| pins.fingerprints()).unwrap_or_default(),
        known_is_shown: false,
        trouble: None,
        compare: None,
        file: server.known_hosts.display().to_string(),
        line: None,
        things: None,
    };
    let mut key = None;
    let listed = courier.connect_seeing(server, &mut key).and_then(|mut there| {
        let listing = there.list(folder.as_bytes())?;
        Ok(listing.things.len() as u64 + listing.odd)
    });
    done.shown = key.as_deref().map(fingerprint);
    match listed {
        Ok(things) => done.things = Some(things),
        Err(error) => {
            done.trouble = Some(error.code);
            if error.code.is_of_the_host_key() {
                done.compare = Some(server.compare());
                done.line = key
                    .as_deref()
                    .and_then(|key| known_hosts::line(&server.host, server.port, key));
            }
        }
    }
    done.known_is_shown = done.shown.as_ref().is_some_and(|shown| done.known.contains(shown))
        && !done.trouble.is_some_and(SourceCode::is_of_the_host_key);
    Ok(done)
}
