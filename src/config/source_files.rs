//! What `check` says of the files that a server of ours names: who can read and write them, and whether its server is known.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use crate::{
    adapters::files,
    doctor::{Finding, Severity},
    domain::{
        known_hosts::Pins,
        limits::SSH_FILE_BYTES_MAX,
        source::{Endpoint, Login},
    },
};

const CODE: &str = "source-files";
const GROUP_AND_OTHERS: u32 = 0o077;
const WRITE_BY_OTHERS: u32 = 0o022;

/// Findings about the server of a link or a recipient, by the name of that.
pub(super) fn findings(of: &str, server: &Endpoint) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Login::Key(path) | Login::PasswordFile(path) = &server.login {
        secret(of, path, &mut found);
    }
    known(of, server, &mut found);
    found
}

/// Nobody but the agent's user may read it.
pub(super) fn secret(of: &str, path: &Path, found: &mut Vec<Finding>) {
    let shown = path.display();
    let why = "without it the agent cannot log in at the server";
    match fs::metadata(path) {
        Ok(facts) if facts.mode() & GROUP_AND_OTHERS != 0 => {
            let what = format!("others can reach the secret '{shown}' of '{of}'");
            let why = "whoever reads it is the agent, to the server";
            let fix = format!("chmod 600 '{shown}', and another key if anybody did read it");
            found.push(Finding::new(Severity::Fault, CODE, what, why).fix(fix));
        }
        Ok(_) => {}
        Err(error) => {
            let what = format!("the secret '{shown}' of '{of}' cannot be read: {error}");
            found.push(
                Finding::new(Severity::Fault, CODE, what, why)
                    .fix("docs/sftp.md and docs/notices.md say how it gets there"),
            );
        }
    }
}

/// Nobody but its owner may write it, and the server's key stands in it.
fn known(of: &str, server: &Endpoint, found: &mut Vec<Finding>) {
    let path = &server.known_hosts;
    let shown = path.display();
    if let Ok(facts) = fs::metadata(path)
        && facts.mode() & WRITE_BY_OTHERS != 0
    {
        let what = format!("others can write the known hosts '{shown}' of '{of}'");
        let why = "whoever writes it says which server is the right one";
        let fix = format!("chmod go-w '{shown}'");
        found.push(Finding::new(Severity::Fault, CODE, what, why).fix(fix));
    }
    let text = files::read(path, SSH_FILE_BYTES_MAX).unwrap_or_default();
    if Pins::of(&String::from_utf8_lossy(&text), &server.host, server.port).keys.is_empty() {
        let (host, port) = (&server.host, server.port);
        let what = format!("'{shown}' has no key of the server {host}:{port} of '{of}'");
        let why = "a server whose key is not known is not spoken to";
        found.push(
            Finding::new(Severity::Warning, CODE, what, why)
                .fix("docs/sftp.md says how a server becomes known"),
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_that_others_reach_and_an_unknown_server_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str, mode: u32, text: &str| {
            let path = dir.path().join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let server = |key: &Path, hosts: &Path| Endpoint {
            host: "a.example".to_owned(),
            port: 22,
            user: "synthetic".to_owned(),
            login: Login::Key(key.to_owned()),
            known_hosts: hosts.to_owned(),
            bytes_per_second: None,
        };
        let told = |server: &Endpoint| {
            let mut found = Vec::new();
            if let Login::Key(path) = &server.login {
                secret("l", path, &mut found);
            }
            known("l", server, &mut found);
            found.into_iter().map(|one| one.severity).collect::<Vec<_>>()
        };
        let good = at("good", 0o600, "synthetic");
        let open = at("open", 0o640, "synthetic");
        let hosts = at("hosts", 0o644, "a.example ssh-ed25519 AAAA\n");
        let other = at("other", 0o664, "b.example ssh-ed25519 AAAA\n");
        assert_eq!(told(&server(&good, &hosts)), []);
        assert_eq!(told(&server(&open, &hosts)), [Severity::Fault]);
        assert_eq!(told(&server(&good, &other)), [Severity::Fault, Severity::Warning]);
        assert_eq!(told(&server(&dir.path().join("none"), &hosts)), [Severity::Fault]);
    }
}
