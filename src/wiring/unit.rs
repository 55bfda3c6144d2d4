//! The drop-in for the service units: what the service may write besides the folders that the units themselves name.
//!
//! It is a function of the configuration alone. The copy beside `agent.yaml` is made by `init`; the one that counts
//! lies under `/etc/systemd/system` and is put there by a person, because whoever writes there rules the machine.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use super::{files::folder, places::Places, refusal};
use crate::{
    adapters::files,
    config::Config,
    doctor::{Finding, Severity},
    domain::database::Database,
    service::Result,
};

/// Below the folder of `agent.yaml`.
const NAME: &str = "batchward.service.d/paths.conf";
/// Where the service manager reads drop-ins that people install.
const SYSTEM: &str = "/etc/systemd/system";
const INSTALLED: [&str; 2] = [NAME, "batchward-once.service.d/paths.conf"];
/// Made by the unit itself (`RuntimeDirectory=`).
const RUNTIME: &str = "/run/batchward";
/// Empty for the service (`ProtectHome=`, `PrivateTmp=`): what lies below is bound into it.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// Makes the drop-in, or makes it again where the links have changed since.
pub(super) fn make(config: &Config, made: &mut Vec<String>) -> Result<()> {
    let path = beside(config);
    let text = text(config);
    match fs::read(&path) {
        Ok(found) if found == text.as_bytes() => return Ok(()),
        Ok(_) => {
            files::replace(&path, text.as_bytes(), "example").map_err(|e| refusal::file(&e))?;
            made.push(format!("made '{NAME}' again, since the folders have changed: {INSTALL}"));
            return Ok(());
        }
        Err(_) => {}
    }
    if let Some(parent) = path.parent() {
        folder(parent).map_err(|e| refusal::file(&e))?;
    }
    files::create_new(&path, text.as_bytes(), "example").map_err(|e| refusal::file(&e))?;
    made.push(format!("made '{NAME}'"));
    Ok(())
}

/// What a link with a server needs. Addresses are the administrator's to narrow: a name may have another one tomorrow.
const NETWORK: &str = "# Links with a 'source:' are fetched from servers, by the agent's courier: docs/sftp.md. It also reaches a database\n\
     # elsewhere: docs/postgresql.md, and servers for notices: docs/notices.md. Narrow this where their addresses are known: 'IPAddressDeny=any' and 'IPAddressAllow=' of them and of the name server.\n\
     PrivateNetwork=no\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\nIPAddressDeny=\n";

const INSTALL: &str = "copy it to /etc/systemd/system as docs/service.md says, then 'systemctl daemon-reload' and \
                       'systemctl restart batchward'";

/// Drop-ins that no longer fit the configuration, each with its fix.
pub(super) fn stale(config: &Config) -> Vec<Finding> {
    stale_below(config, Path::new(SYSTEM))
}

fn stale_below(config: &Config, system: &Path) -> Vec<Finding> {
    let (text, head) = (text(config), head(config));
    let other = |path: &Path| fs::read_to_string(path).ok().filter(|found| *found != text);
    let mut stale = Vec::new();
    // One that was made for another site is that site's.
    let ours = |path: &Path| fs::read_to_string(path).is_ok_and(|found| found.starts_with(&head));
    let installed = INSTALLED.map(|name| system.join(name));
    let beside = beside(config);
    if other(&beside).is_some() {
        let dir = beside.parent().and_then(Path::parent).unwrap_or(Path::new("."));
        let what = format!("'{}' names other folders than the configuration", beside.display());
        let fix = format!(
            "'batchward init {} --site {}' makes it anew, and leaves everything else as it is",
            dir.display(),
            config.agent.site
        );
        // Where no service was set up from it, nothing runs by it.
        let found = if installed.iter().any(|path| ours(path)) {
            finding(what)
        } else {
            let why = "a service that is set up from it could not work in every folder";
            Finding::new(Severity::Remark, "unit-stale", what, why)
        };
        stale.push(found.fix(fix));
    }
    for path in installed {
        if ours(&path) && other(&path).is_some() {
            let what = format!(
                "'{}' does not let the service reach every folder that the configuration names",
                path.display()
            );
            stale.push(finding(what).fix(INSTALL));
        }
    }
    stale
}

fn finding(what: String) -> Finding {
    let why = "the service works in no other folder than its drop-in names";
    Finding::new(Severity::Fault, "unit-stale", what, why)
}

fn beside(config: &Config) -> PathBuf {
    config.agent.file.parent().unwrap_or(Path::new(".")).join(NAME)
}

fn head(config: &Config) -> String {
    format!("# Made by 'batchward init' for {}\n", quoted(&config.agent.file))
}

/// The drop-in of a configuration.
fn text(config: &Config) -> String {
    let mut text = head(config);
    text.push_str(
        "# To be copied, not linked, into /etc/systemd/system: docs/service.md. 'batchward check' tells when it is\n\
         # stale. A folder that is missing does not stop the service: its link is reported.\n[Service]\n",
    );
    let remote = config.agent.vault.database.as_ref().and_then(Database::network_port);
    let told = config.agent.notices.is_some();
    if config.servers().next().is_some() || remote.is_some() || told {
        text.push_str(NETWORK);
    }
    let places = Places::of(config);
    let below = |path: &Path, tops: &[&str]| tops.iter().any(|top| path.starts_with(top));
    let homes = places.written().chain(&places.read).any(|path| below(path, &HOMES));
    if homes {
        text.push_str(
            "# The service sees homes empty, but for the folders that are bound into them.\n",
        );
        text.push_str("ProtectHome=tmpfs\n");
    }
    for path in places.read.iter().filter(|path| below(path, &HOMES) || below(path, &TEMPORARY)) {
        let _ = writeln!(text, "BindReadOnlyPaths={}", quoted(&optional(path)));
    }
    for path in places.written().filter(|path| !path.starts_with(RUNTIME)) {
        if below(path, &HOMES) || below(path, &TEMPORARY) {
            let _ = writeln!(text, "BindPaths={}", quoted(&optional(path)));
        }
        let _ = writeln!(text, "ReadWritePaths={}", quoted(&optional(path)));
        // What is made writable of its own is left out where the unit takes execution from the tree.
        let _ = writeln!(text, "NoExecPaths={}", quoted(&optional(path)));
    }
    text
}

/// `-`: systemd.exec(5) goes on where the path is not there.
fn optional(path: &Path) -> PathBuf {
    let mut text = std::ffi::OsString::from("-");
    text.push(path);
    text.into()
}

/// A path as systemd.syntax(7) quotes it; `%` begins a specifier.
fn quoted(path: &Path) -> String {
    let mut text = String::from("\"");
    for letter in path.to_string_lossy().chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            '%' => text.push_str("%%"),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

    use super::*;
    use crate::{config, wiring};

    #[test]
    fn a_stale_drop_in_is_a_fault_where_a_service_was_set_up_from_it_and_a_remark_elsewhere() {
        let (dir, system) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let path = dir.path().join("agent.yaml");
        wiring::init(dir.path(), "here", &[], &wiring::Hooks::default()).unwrap();
        let found = || {
            let config = config::load(&path).unwrap();
            let found = stale_below(&config, system.path());
            found.iter().map(|one| one.severity).collect::<Vec<_>>()
        };
        assert!(found().is_empty());
        let installed = system.path().join(NAME);
        fs::create_dir_all(installed.parent().unwrap()).unwrap();
        fs::copy(dir.path().join(NAME), &installed).unwrap();
        assert!(found().is_empty());
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}socket: elsewhere/control.sock\n")).unwrap();
        assert_eq!(found(), [Severity::Fault, Severity::Fault]);
        fs::remove_file(installed).unwrap();
        assert_eq!(found(), [Severity::Remark]);
    }
}
