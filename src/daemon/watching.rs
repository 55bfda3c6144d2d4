//! Watches inboxes, the delivery folders in them, and keyboxes. What it notices are hints; the full scan is the truth.
//!
//! It reads no delivery: it looks at kinds of events, names, and whether a folder is the one that it watches. Events
//! that were lost make everything be scanned. A watched folder that vanishes, or another filesystem in its place, is
//! found by looking each second, and watched again. Where a filesystem tells of no events, its folders are left to
//! the scan.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    time::Duration,
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind, RenameMode},
};

use tokio::sync::watch;

use super::{hints::Hints, writer::Message};
use crate::{domain::limits, service::resident::Arrivals, wiring::Confined};

/// What this thread is told.
pub(super) enum Told {
    /// Where something may arrive, from now on.
    Arrivals(Vec<Arrivals>),
    /// Something happened in a watched folder.
    Event(notify::Result<Event>),
}

/// Names that our own wipes give to what they remove.
const WIPED: &str = ".wiped-";
/// How often it looks whether its folders are still there.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Filesystems that do not tell of what others do to them (`statfs`, f_type).
const WITHOUT_EVENTS: &[u64] = &[
    0x6969,      // NFS
    0x517B,      // SMB
    0xFF53_4D42, // CIFS
    0xFE53_4D42, // SMB 2
    0x6573_5546, // FUSE
    0x0102_1997, // 9P
    0x00C3_6400, // Ceph
    0x0BD0_0BD0, // Lustre
    0x786F_4256, // VirtualBox shared folders
    0x5346_414F, // AFS
    0x7375_7245, // Coda
];

/// A folder that is watched.
struct Root {
    link: String,
    path: PathBuf,
    /// Whether delivery folders lie in it.
    inbox: bool,
    watch: Watch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watch {
    /// By events; the folder is this one.
    Events(u64, u64),
    /// It is not there.
    Missing,
    /// By the scan only.
    Scan,
}

/// The thread.
pub(super) struct Watching {
    watcher: Option<RecommendedWatcher>,
    roots: Vec<Root>,
    /// Watched delivery folders and their links.
    folders: BTreeMap<PathBuf, String>,
    /// Links with something to tell, and when the last hint about each went out.
    told: BTreeMap<String, (Duration, bool)>,
    hints: Arc<Hints>,
    engine: Sender<Message>,
    clock: Box<dyn Fn() -> Duration + Send>,
    confined: Confined,
    far: watch::Sender<bool>,
    /// The test build does without events.
    without: bool,
}

/// What a thread that watches is made from.
pub(super) struct From {
    /// The way back to [`Watching::stay`].
    pub(super) events: Sender<Told>,
    pub(super) hints: Arc<Hints>,
    pub(super) engine: Sender<Message>,
    /// Time since some start.
    pub(super) clock: Box<dyn Fn() -> Duration + Send>,
    /// What the process can reach.
    pub(super) confined: Confined,
    /// Told when a folder is there and out of reach.
    pub(super) far: watch::Sender<bool>,
}

impl Watching {
    /// A thread that watches nothing yet.
    pub(super) fn new(from: From, without: bool) -> Self {
        let From { events, hints, engine, clock, confined, far } = from;
        let handler = move |event| {
            let _ = events.send(Told::Event(event));
        };
        let watcher = notify::recommended_watcher(handler);
        if let Err(error) = &watcher {
            let why = kind_of(error);
            tracing::warn!(why, "no events of the filesystem: inboxes are scanned only");
        }
        Self {
            watcher: watcher.ok(),
            roots: Vec::new(),
            folders: BTreeMap::new(),
            told: BTreeMap::new(),
            hints,
            engine,
            clock,
            confined,
            far,
            without,
        }
    }

    /// Watches until nobody tells it anything any more.
    pub(super) fn stay(mut self, told: &Receiver<Told>) {
        let mut look = (self.clock)() + LOOK_EVERY;
        loop {
            let now = (self.clock)();
            let wait = look.min(self.next_hint().unwrap_or(look)).saturating_sub(now);
            match told.recv_timeout(wait) {
                Ok(Told::Arrivals(arrivals)) => self.arrivals(arrivals),
                Ok(Told::Event(event)) => self.event(event),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tell_due();
            if (self.clock)() >= look {
                self.look();
                look = (self.clock)() + LOOK_EVERY;
            }
        }
    }

    fn arrivals(&mut self, arrivals: Vec<Arrivals>) {
        let before = std::mem::take(&mut self.roots);
        let mut wanted = Vec::new();
        for Arrivals { link, inbox, keybox } in arrivals {
            wanted.push((link.clone(), inbox, true));
            wanted.push((link, keybox, false));
        }
        for root in &before {
            if !wanted.iter().any(|(link, path, _)| (link, path) == (&root.link, &root.path)) {
                self.forget(&root.path);
            }
        }
        for (link, path, inbox) in wanted {
            let known = before.iter().find(|root| (&root.link, &root.path) == (&link, &path));
            let watch = known.map_or(Watch::Missing, |root| root.watch);
            self.roots.push(Root { link, path, inbox, watch });
            if known.is_none() {
                self.begin(self.roots.len() - 1, false);
            }
        }
    }

    /// Begins to watch a folder, and has its link looked at: what came before the watch is told by no event. `anew`
    /// where the folder, or what is mounted there, is another one than before.
    fn begin(&mut self, n: usize, anew: bool) {
        let Some(root) = self.roots.get(n) else { return };
        let (path, link, inbox) = (root.path.clone(), root.link.clone(), root.inbox);
        let watch = self.watch(&path, &link);
        if watch == Watch::Missing {
            tracing::warn!(link, "a watched folder is gone");
        } else if !self.confined.reaches(&path, anew) {
            tracing::error!(
                link,
                "a folder that came since the start is out of reach until the agent starts again"
            );
            let _ = self.far.send(true);
        }
        if let Some(root) = self.roots.get_mut(n) {
            root.watch = watch;
        }
        if inbox && matches!(watch, Watch::Events(..)) {
            for entry in fs::read_dir(&path).into_iter().flatten().flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    self.folder(&entry.path(), &link);
                }
            }
        }
        self.hint(&link);
    }

    fn watch(&mut self, path: &Path, link: &str) -> Watch {
        let Ok(about) = fs::metadata(path) else { return Watch::Missing };
        let filesystem = rustix::fs::statfs(path).map(|about| u64::try_from(about.f_type));
        let told = !matches!(filesystem, Ok(Ok(magic)) if WITHOUT_EVENTS.contains(&magic));
        let Some(watcher) = self.watcher.as_mut().filter(|_| told && !self.without) else {
            tracing::info!(link, "this filesystem tells of no events: the folder is scanned only");
            return Watch::Scan;
        };
        match watcher.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => Watch::Events(about.dev(), about.ino()),
            Err(error) => {
                let why = kind_of(&error);
                tracing::warn!(link, why, "the folder cannot be watched: it is scanned only");
                Watch::Scan
            }
        }
    }

    /// Watches a delivery folder: its files are renamed within it.
    fn folder(&mut self, path: &Path, link: &str) {
        let is_new = !self.folders.contains_key(path);
        let is_folder = fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
        if !is_new || !is_folder || self.folders.len() >= limits::WATCHED_FOLDERS_MAX {
            return;
        }
        let Some(watcher) = &mut self.watcher else { return };
        // One that vanished meanwhile, or is one too many, is left to the scan.
        if watcher.watch(path, RecursiveMode::NonRecursive).is_ok() {
            self.folders.insert(path.to_owned(), link.to_owned());
        }
    }

    fn forget(&mut self, path: &Path) {
        let Some(watcher) = &mut self.watcher else { return };
        let _ = watcher.unwatch(path);
        let within: Vec<PathBuf> =
            self.folders.keys().filter(|folder| folder.parent() == Some(path)).cloned().collect();
        for folder in within {
            let _ = watcher.unwatch(&folder);
            self.folders.remove(&folder);
        }
    }

    fn forget_folder(&mut self, path: &Path) {
        if self.folders.remove(path).is_some()
            && let Some(watcher) = &mut self.watcher
        {
            let _ = watcher.unwatch(path);
        }
    }

    fn event(&mut self, event: notify::Result<Event>) {
        let event = match event {
            Ok(event) if !event.need_rescan() => event,
            _ => {
                tracing::warn!("events of the filesystem were lost: everything is scanned");
                for n in 0..self.roots.len() {
                    self.begin(n, false);
                }
                return self.wake(Hints::all);
            }
        };
        let (came, went) = (came(event.kind), went(event.kind));
        if !came && !went {
            return;
        }
        for path in &event.paths {
            self.changed(path, came);
        }
    }

    fn changed(&mut self, path: &Path, came: bool) {
        let wiped = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes().starts_with(WIPED.as_bytes()));
        if wiped {
            return;
        }
        if let Some(root) = self.roots.iter_mut().find(|root| root.path == path) {
            if !came {
                // Its watch went with it: another folder in its place may even have the same number.
                let link = root.link.as_str();
                tracing::warn!(link, "a watched folder is gone");
                root.watch = Watch::Missing;
                let path = root.path.clone();
                self.forget(&path);
            }
            return self.look();
        }
        let Some(folder) = path.parent() else { return };
        if let Some(link) = self.folders.get(folder).cloned() {
            if came {
                self.hint(&link);
            }
            return;
        }
        let within = self.roots.iter().find(|root| root.path == folder);
        let Some((link, inbox)) = within.map(|root| (root.link.clone(), root.inbox)) else {
            return;
        };
        if !came {
            return self.forget_folder(path);
        }
        if inbox {
            // One of the same name that was renamed away has left its watch behind.
            self.forget_folder(path);
            self.folder(path, &link);
        }
        self.hint(&link);
    }

    /// Looks whether each folder is still the one that is watched.
    fn look(&mut self) {
        for n in 0..self.roots.len() {
            let Some(root) = self.roots.get(n) else { return };
            let found = fs::metadata(&root.path).map(|about| (about.dev(), about.ino()));
            let link = root.link.as_str();
            match (root.watch, found) {
                (Watch::Scan, _) | (Watch::Missing, Err(_)) => {}
                (Watch::Events(dev, ino), Ok(found)) if found == (dev, ino) => {}
                (Watch::Events(..), Err(_)) => {
                    tracing::warn!(link, "a watched folder is gone");
                    let path = root.path.clone();
                    self.forget(&path);
                    if let Some(root) = self.roots.get_mut(n) {
                        root.watch = Watch::Missing;
                    }
                }
                (Watch::Events(..) | Watch::Missing, Ok(_)) => {
                    tracing::info!(link, "a folder is watched again");
                    let path = root.path.clone();
                    self.forget(&path);
                    self.begin(n, true);
                }
            }
        }
    }

    /// A hint about a link, or a mark that one is due: not more than one in [`limits::HINT_MS_MIN`].
    fn hint(&mut self, link: &str) {
        let now = (self.clock)();
        let pause = Duration::from_millis(limits::HINT_MS_MIN);
        match self.told.get_mut(link) {
            Some((last, due)) if now < *last + pause => *due = true,
            _ => {
                self.told.insert(link.to_owned(), (now, false));
                self.wake(|hints| hints.link(link));
            }
        }
    }

    fn next_hint(&self) -> Option<Duration> {
        let pause = Duration::from_millis(limits::HINT_MS_MIN);
        self.told.values().filter(|(_, due)| *due).map(|(last, _)| *last + pause).min()
    }

    fn tell_due(&mut self) {
        let now = (self.clock)();
        let pause = Duration::from_millis(limits::HINT_MS_MIN);
        let due: Vec<String> = self
            .told
            .iter()
            .filter(|(_, (last, due))| *due && now >= *last + pause)
            .map(|(link, _)| link.clone())
            .collect();
        for link in due {
            self.hint(&link);
        }
    }

    fn wake(&self, hint: impl FnOnce(&Hints) -> bool) {
        if hint(&self.hints) {
            let _ = self.engine.send(Message::Hinted);
        }
    }
}

/// Whether something may be complete now. Bytes that are written are not: what ends the writing is.
const fn came(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::Create(_)
            | EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(
                ModifyKind::Metadata(_)
                    | ModifyKind::Name(RenameMode::To | RenameMode::Both | RenameMode::Any)
            )
    )
}

const fn went(kind: EventKind) -> bool {
    matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(RenameMode::From)))
}

/// What is wrong with a watch, without the path.
const fn kind_of(error: &notify::Error) -> &'static str {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => "too many watches: raise fs.inotify.max_user_watches",
        notify::ErrorKind::PathNotFound => "the folder is gone",
        notify::ErrorKind::WatchNotFound => "the watch is gone",
        notify::ErrorKind::InvalidConfig(_) | notify::ErrorKind::Generic(_) => "the watcher failed",
        notify::ErrorKind::Io(_) => "the system refused it",
    }
}
