//! Notices as the engine's port: kept below the state until they are sent, and sent by the courier on a thread of their own.
//!
//! `state/notices/plan.json` is what is known since the last planning, with the notices that it made until each lies in a
//! file of its own; a planning counts once that is there, and a stop anywhere after it is finished by the next look. A
//! notice that is sent is removed: what is sent twice is what a server took just before the agent stopped, under the same
//! Message-ID.

mod queue;
mod testing;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use serde::{Deserialize, Serialize};

use self::queue::{Kept, Stem};
pub use self::testing::{NoticeTest, test_notice};
use super::sources::Remote;
use crate::{
    adapters::{
        courier::Untold,
        files::{self, FileError},
        root_key::credential_file,
    },
    config::{Agent, Config},
    domain::{
        database::PasswordSource,
        limits,
        notice::{Channel, Notice, NoticeCode, Turn, Unsent, Wanted},
        time::Timestamp,
    },
    engine::{
        notices::Notices,
        ports::{Clock, Result},
    },
};

/// Below the state.
const NOTICES: &str = "notices";
const PLAN: &str = "plan.json";
const TROUBLE: &str = "trouble.json";

/// Folders that files of notices lie in, which the agent reads.
pub(super) fn folders(config: &Config) -> Vec<PathBuf> {
    let Some(wanted) = &config.agent.notices else { return Vec::new() };
    let above = |path: &Path| path.parent().map(Path::to_owned);
    let secrets = wanted.secrets().filter_map(|secret| match secret {
        PasswordSource::File(path) => above(path),
        PasswordSource::Credential(name) => credential_file(name),
    });
    secrets.chain(wanted.roots().filter_map(above)).collect()
}

/// What is known since the last planning.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Plan {
    turn: Turn,
    /// What of it does not lie in files of its own yet, by the names of those.
    notices: Vec<(String, Kept)>,
}

/// The port.
struct Letters {
    folder: PathBuf,
    site: String,
    clock: Arc<dyn Clock>,
    remote: Option<Remote>,
    wanted: Mutex<Option<Arc<Wanted>>>,
    shared: Arc<Mutex<Shared>>,
}

/// What threads and engine share.
#[derive(Default)]
struct Shared {
    sending: bool,
    /// How often each notice was refused, and when it is tried again.
    tries: BTreeMap<String, (u32, Timestamp)>,
    /// How often each channel failed, and when it is tried again.
    lines: BTreeMap<Channel, (u32, Timestamp)>,
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The port of an agent; nothing is sent by a process that reaches no server.
pub(super) fn letters(
    agent: &Agent,
    clock: Arc<dyn Clock>,
    remote: Option<Remote>,
) -> Arc<dyn Notices> {
    Arc::new(Letters {
        folder: agent.state.join(NOTICES),
        site: agent.site.clone(),
        clock,
        remote,
        wanted: Mutex::default(),
        shared: Arc::default(),
    })
}

impl Letters {
    fn plan(&self) -> Result<Option<Plan>> {
        match files::read(&self.folder.join(PLAN), limits::NOTICE_PLAN_BYTES_MAX as u64) {
            // One that cannot be understood is begun anew: what stands is told again.
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(super::file(&error)),
        }
    }

    fn write(&self, plan: &Plan) -> Result<()> {
        let text = serde_json::to_vec(plan).unwrap_or_default();
        files::replace(&self.folder.join(PLAN), &text, "notice plan").map_err(|e| super::file(&e))
    }

    /// Removes what waits and is not to be sent any more. What cannot be removed is tried again the next time.
    fn give_up(&self, lapses: &dyn Fn(&Stem) -> bool) {
        for stem in queue::waiting(&self.folder).iter().filter(|stem| lapses(stem)) {
            let _ = remove(&self.folder.join(stem.name()));
        }
    }

    /// Puts what a planning made into files of its own, and says in the plan that it did.
    fn lay(&self, plan: Plan) -> Result<Turn> {
        if plan.notices.is_empty() {
            return Ok(plan.turn);
        }
        for (name, kept) in &plan.notices {
            let text = serde_json::to_vec(kept).unwrap_or_default();
            let path = self.folder.join(name);
            files::create_idempotent(&path, &text, "notice").map_err(|e| super::file(&e))?;
            if let Some(stem) = Stem::parse(name) {
                for older in queue::replaced(&self.folder, &stem) {
                    remove(&self.folder.join(older)).map_err(|e| super::file(&e))?;
                }
            }
        }
        let plan = Plan { turn: plan.turn, notices: Vec::new() };
        self.write(&plan)?;
        Ok(plan.turn)
    }
}

fn bytes_of(what: &impl Serialize) -> usize {
    serde_json::to_vec(what).map_or(usize::MAX, |bytes| bytes.len())
}

/// Removes a notice; one that is gone is removed.
fn remove(path: &Path) -> std::result::Result<(), FileError> {
    match files::remove(path, "notice end") {
        Err(error) if error.is_missing() => Ok(()),
        other => other,
    }
}

impl Notices for Letters {
    fn want(&self, wanted: Option<Wanted>) {
        if wanted.is_none() {
            self.give_up(&|_| true);
        }
        *lock(&self.wanted) = wanted.map(Arc::new);
    }

    fn wanted(&self) -> Option<Arc<Wanted>> {
        self.remote.as_ref()?;
        lock(&self.wanted).clone()
    }

    fn turn(&self) -> Result<Option<Turn>> {
        self.plan()?.map(|plan| self.lay(plan)).transpose()
    }

    fn keep(&self, turn: &Turn, notices: &[Notice]) -> Result<()> {
        let Some(wanted) = lock(&self.wanted).clone() else { return Ok(()) };
        if !self.folder.is_dir() {
            files::create_dir(&self.folder).map_err(|e| super::file(&e))?;
        }
        let waits = queue::waiting(&self.folder);
        let room = limits::NOTICES_UNSENT_MAX.saturating_sub(waits.len());
        let mut plan = Plan { turn: turn.clone(), notices: Vec::new() };
        // What is read again is bounded: what is beyond is told by the next digest, as what is beyond the number of files.
        let mut left = limits::NOTICE_PLAN_BYTES_MAX.saturating_sub(bytes_of(&plan));
        for (n, notice) in notices.iter().take(room).enumerate() {
            let stem = Stem::of(notice, turn.number, n, &waits);
            let one = (stem.name(), Kept::of(notice, &stem, &self.site, &wanted));
            let Some(rest) = left.checked_sub(bytes_of(&one).saturating_add(1)) else { break };
            left = rest;
            plan.notices.push(one);
        }
        self.write(&plan)?;
        self.lay(plan).map(drop)
    }

    fn send(&self) {
        let (Some(remote), Some(wanted)) = (&self.remote, self.wanted()) else { return };
        // What is laid from here on is for the next call: its planning may not be finished yet.
        let lapsed = self.clock.now().plus_seconds(-limits::NOTICE_KEPT_SECONDS);
        self.give_up(&|stem| stem.is_alarm() && stem.since < lapsed);
        let waits = queue::waiting(&self.folder);
        let mut shared = lock(&self.shared);
        if waits.is_empty() || shared.sending {
            return;
        }
        shared.sending = true;
        drop(shared);
        let sending = Sending {
            folder: self.folder.clone(),
            wanted,
            waits,
            remote: remote.clone(),
            clock: Arc::clone(&self.clock),
            shared: Arc::clone(&self.shared),
        };
        if !remote.stays() {
            sending.run();
            return;
        }
        let started =
            thread::Builder::new().name("telling".to_owned()).spawn(move || sending.run());
        if started.is_err() {
            lock(&self.shared).sending = false;
        }
    }

    fn unsent(&self) -> Vec<Unsent> {
        if lock(&self.wanted).is_none() {
            return Vec::new();
        }
        let mut rows: BTreeMap<Channel, Unsent> = BTreeMap::new();
        for stem in queue::waiting(&self.folder) {
            let (channel, since) = (stem.channel, stem.since);
            let row =
                rows.entry(channel).or_insert(Unsent { channel, count: 0, since, code: None });
            row.count += 1;
            row.since = row.since.min(since);
        }
        if !rows.is_empty() {
            let troubles = troubles(&self.folder);
            for (channel, row) in &mut rows {
                row.code = troubles.get(channel).copied();
            }
        }
        rows.into_values().collect()
    }
}

/// What kept each channel's notices from being sent last. It is a hint for people: without it, the code is not told.
fn troubles(folder: &Path) -> BTreeMap<Channel, NoticeCode> {
    let bytes = files::read(&folder.join(TROUBLE), limits::CONFIG_BYTES_MAX);
    bytes.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// One round of sending, on whatever thread.
struct Sending {
    folder: PathBuf,
    wanted: Arc<Wanted>,
    waits: Vec<Stem>,
    remote: Remote,
    clock: Arc<dyn Clock>,
    shared: Arc<Mutex<Shared>>,
}

impl Sending {
    fn run(&self) {
        let mut troubles = troubles(&self.folder);
        let before = troubles.clone();
        for stem in &self.waits {
            if !self.is_to_be_tried(stem) {
                continue;
            }
            match self.one(stem) {
                Ok(()) => {
                    let mut shared = lock(&self.shared);
                    shared.lines.remove(&stem.channel);
                    shared.tries.remove(&stem.name());
                    troubles.remove(&stem.channel);
                }
                Err(untold) => {
                    troubles.insert(stem.channel, untold.code);
                    self.put_off(stem, &untold);
                }
            }
        }
        if troubles != before
            && let Ok(text) = serde_json::to_vec(&troubles)
        {
            let _ = files::replace(&self.folder.join(TROUBLE), &text, "notice trouble");
        }
        let names: Vec<String> = queue::waiting(&self.folder).iter().map(Stem::name).collect();
        let mut shared = lock(&self.shared);
        shared.tries.retain(|name, _| names.contains(name));
        shared.sending = false;
    }

    fn is_to_be_tried(&self, stem: &Stem) -> bool {
        let (now, shared) = (self.clock.now(), lock(&self.shared));
        let open = |found: Option<&(u32, Timestamp)>| found.is_none_or(|(_, next)| *next <= now);
        open(shared.lines.get(&stem.channel)) && open(shared.tries.get(&stem.name()))
    }

    fn put_off(&self, stem: &Stem, untold: &Untold) {
        let (now, mut shared) = (self.clock.now(), lock(&self.shared));
        let row = if untold.code.is_of_one() {
            shared.tries.entry(stem.name()).or_insert((0, now))
        } else {
            shared.lines.entry(stem.channel).or_insert((0, now))
        };
        let times = row.0.saturating_add(1);
        let seconds = if untold.code.passes() {
            (8_i64 << times.min(12)).min(limits::RETRY_SECONDS_MAX)
        } else {
            limits::NOTICE_STUCK_SECONDS
        };
        *row = (times, now.plus_seconds(seconds));
    }

    /// Sends one, and removes it.
    fn one(&self, stem: &Stem) -> std::result::Result<(), Untold> {
        let path = self.folder.join(stem.name());
        let own = |detail: String| Untold { code: NoticeCode::OwnFiles, detail };
        let kept: Kept = match files::read(&path, limits::NOTICE_BYTES_MAX) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| own(error.to_string()))?,
            // A later digest has taken its place.
            Err(error) if error.is_missing() => return Ok(()),
            Err(error) => return Err(own(error.to_string())),
        };
        if let Some(sent) = kept.send(&self.wanted, &self.remote.courier()) {
            sent?;
        }
        // A stop before this line has it sent again, under the same Message-ID.
        remove(&path).map_err(|error| own(error.to_string()))
    }
}
