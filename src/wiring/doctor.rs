//! `check`: the configuration's faults, and where there are none, what the doctor says of site and machine.
//!
//! Nothing is opened that an agent holds, and nothing is written: a site can be looked at while its agent runs, and by
//! a user who may not act on it.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};
use serde::Serialize;

use super::{Hooks, site, unit};
use crate::{
    adapters::{
        device::Device,
        disk, files, lock,
        machine::{self, Machine},
        root_key::RootKeySource,
    },
    config::{self, Config, backups::Backups as Stated, check, node::Fault},
    doctor::{
        self, Finding, Severity,
        facts::{Backups, Clock, Facts, Place, Role, Socket},
    },
    domain::{
        digest::Digest,
        entry::Entry,
        limits,
        link::Link,
        merkle::{self, TILE_WIDTH},
        time::{Period, Timestamp},
    },
};

/// The group whose members may talk to the agent.
const GROUP: &str = "batchward";
/// A bundle of the longest entries.
const BUNDLE_BYTES_MAX: u64 = 256 * (limits::ENTRY_BYTES_MAX as u64 + 2);

/// What was found.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Examined {
    /// Faults, warnings and remarks, the worst first.
    pub findings: Vec<Placed>,
}

/// A finding, and where it stands in a file.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Placed {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// The file that holds it.
    pub file: Option<String>,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column, from 1.
    pub column: Option<usize>,
}

impl From<Finding> for Placed {
    fn from(finding: Finding) -> Self {
        Self { finding, file: None, line: None, column: None }
    }
}

impl From<&Fault> for Placed {
    fn from(fault: &Fault) -> Self {
        let why = "a configuration with a fault is not used";
        let finding = Finding::new(Severity::Fault, "configuration", fault.what.clone(), why);
        let place = (fault.line > 0).then_some((fault.line, fault.column));
        Self {
            finding: Finding { fix: fault.hint.clone(), ..finding },
            file: Some(fault.file.display().to_string()),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
        }
    }
}

impl Examined {
    /// How many findings are this bad.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|placed| placed.finding.severity == severity).count()
    }
}

/// Looks at a site and its machine. A configuration with faults is told alone: what it says of the site is not
/// believed, so nothing else is looked at until it is mended.
#[must_use]
pub fn examine(path: &Path, hooks: &Hooks) -> Examined {
    let config = match config::load(path) {
        Ok(config) => config,
        Err(list) => return Examined { findings: list.iter().map(Placed::from).collect() },
    };
    let mut findings = unit::stale(&config);
    findings.extend(check::remarks(&config));
    findings.extend(super::database::findings(&config));
    findings.extend(kept(&config));
    findings.extend(config::expected::findings(&config, site::clock(hooks).now()));
    findings.extend(doctor::judge(&facts(&config, hooks)));
    findings.sort_by_key(|finding| finding.severity);
    Examined { findings: findings.into_iter().map(Placed::from).collect() }
}

/// What has to be kept for a time: whoever asks for its destruction hears it otherwise only then.
fn kept(config: &Config) -> Vec<Finding> {
    let rules = super::configuration::rules(config, Digest::of(b""));
    let kept = |link: &Link| {
        let rule = rules.policy_of(link)?.further.intake.min_keep.as_ref()?;
        let what = format!(
            "loaded data of '{}' are kept for {} after their load at least ({}, 'data.min_keep')",
            link.name,
            rule.value.words(),
            rule.clause
        );
        let why = "no destruction of them is requested or approved before, and none is late; transfer files are not meant";
        (rule.value != Period::ZERO)
            .then(|| Finding::new(Severity::Remark, "kept-at-least", what, why))
    };
    config.links.values().filter_map(kept).collect()
}

fn facts(config: &Config, hooks: &Hooks) -> Facts {
    let machine = Machine::default();
    let agent = &config.agent;
    let seconds =
        |p: Period| (i64::from(p.months) * 31 + i64::from(p.days)) * 86_400 + i64::from(p.seconds);
    let stated = match &agent.backups {
        Stated::Unstated => None,
        Stated::None => Some(Vec::new()),
        Stated::Named(list) => {
            let row =
                |b: &config::backups::Backup| [b.name.clone(), b.place.clone(), b.keeps.words()];
            Some(list.iter().map(row).collect())
        }
    };
    Facts {
        places: places(config, &machine),
        swaps: machine.swaps(),
        memory: machine::memory(),
        cores: machine.cores(),
        clock: Clock {
            now: Some(site::clock(hooks).now()),
            synchronised: machine::synchronised(),
            last_entry: last_entry(&agent.state.join("register")),
            gap_max_seconds: seconds(agent.start_gap_max),
            zone: machine.zone(),
            site_zone: agent.timezone.name().to_owned(),
        },
        kernel: machine::kernel(),
        fonts: machine.fonts(),
        backups: Backups { stated, tools: machine.backup_tools() },
        socket: socket(config, &machine),
        device_helper: agent.device_helper.clone().map(|path| {
            let answers = Device::answers(&path);
            (path, answers)
        }),
        access_lists: check::guarded(config)
            .into_iter()
            .filter(|path| machine::has_access_list(path))
            .collect(),
        root_key_in_file: matches!(agent.root_key, RootKeySource::File(_)),
    }
}

fn places(config: &Config, machine: &Machine) -> Vec<Place> {
    let place = |role, path: &Path| Place {
        role,
        path: path.to_owned(),
        filesystem: machine.filesystem(path),
        room: disk::room(path).ok().map(|room| (room.free_bytes, room.free_inodes)),
    };
    let inboxes =
        config.links.values().map(|link| place(Role::Inbox(link.name.clone()), &link.inbox));
    std::iter::once(place(Role::State, &config.agent.state)).chain(inboxes).collect()
}

fn socket(config: &Config, machine: &Machine) -> Socket {
    let path = config.agent.socket.clone();
    let folder = path.parent().and_then(|folder| fs::metadata(folder).ok());
    Socket {
        folder_mode: folder.map(|facts| facts.mode()),
        group: machine.has_group(GROUP),
        there: path.exists(),
        answers: machine::answers(&path),
        held: is_held(&config.agent.state),
        path,
    }
}

/// Whether a process holds the state folder. The lock is asked for and given back at once, and never made.
fn is_held(state: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let Ok(file) = open(state.join(lock::LOCK_NAME), flags, Mode::empty()) else { return false };
    // Shared: two who only ask do not take each other for an agent.
    flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
}

/// Time of the last entry that is published, from the last bundle of entries: the journal belongs to the agent.
fn last_entry(register: &Path) -> Option<Timestamp> {
    let note = files::read(&register.join("checkpoint"), limits::CONFIG_BYTES_MAX).ok()?;
    let size: u64 = std::str::from_utf8(&note).ok()?.lines().nth(1)?.parse().ok()?;
    let last = size.checked_sub(1)?;
    let (index, width) = (last / TILE_WIDTH, last % TILE_WIDTH + 1);
    let path = register.join(merkle::bundle_path(index, width));
    let bytes = files::read(&path, BUNDLE_BYTES_MAX).ok()?;
    let (mut rest, mut entry) = (bytes.as_slice(), None);
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (one, others) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        (entry, rest) = (Some(one), others);
    }
    Some(Entry::from_bytes(entry?).ok()?.at)
}
