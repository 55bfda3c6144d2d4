//! The engine of an agent that stays, turn by turn: over real stores, with a clock and threads of the test.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};

use super::*;
use crate::{
    domain::{
        digest::Digest,
        entry::{AGENT, Body},
        view::KeyState,
    },
    engine::{
        Hint, Turn,
        jobs::{Done, Job},
        slots,
    },
    wiring,
};

/// 2026-11-21 01:00 UTC.
const MORNING: i64 = 1_795_222_800_000;
const LINKS: [&str; 2] = ["busy", "quiet"];

/// A clock whose wall can be set; each look at it takes a millisecond.
struct Clocks {
    wall: AtomicI64,
    boot: AtomicI64,
}

impl Clock for Clocks {
    fn now(&self) -> Timestamp {
        self.boot.fetch_add(1, Ordering::SeqCst);
        Timestamp::from_millis(self.wall.fetch_add(1, Ordering::SeqCst))
    }

    fn boot_millis(&self) -> i64 {
        self.boot.load(Ordering::SeqCst)
    }

    fn wait_millis(&self, millis: i64) {
        self.wall.fetch_add(millis, Ordering::SeqCst);
        self.boot.fetch_add(millis, Ordering::SeqCst);
    }
}

/// One thread, which the test may keep busy.
struct OneHand(Arc<AtomicBool>);

impl Hands for OneHand {
    fn is_free(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn start(&mut self, job: Job) -> Option<Done> {
        Some(job.run())
    }
}

struct World {
    dir: tempfile::TempDir,
    service: Service,
    clock: Arc<Clocks>,
    free: Arc<AtomicBool>,
}

impl World {
    /// A site with two links, whose agent has just started.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("agent.yaml");
        wiring::init(dir.path(), "here", &[], &Hooks::default()).unwrap();
        fs::remove_dir_all(dir.path().join("state")).unwrap();
        fs::remove_file(dir.path().join("root.key")).unwrap();
        let links = dir.path().join("links");
        let text = fs::read_to_string(links.join("example.yaml")).unwrap();
        for link in LINKS {
            let text = text.replace("example", link);
            fs::write(links.join(format!("{link}.yaml")), text).unwrap();
            fs::write(links.join(format!("{link}.allowed_signers")), "").unwrap();
        }
        fs::remove_file(links.join("example.yaml")).unwrap();
        wiring::init(dir.path(), "here", &[], &Hooks::default()).unwrap();
        let wall = SystemClock.now().millis().max(MORNING);
        let clock = Arc::new(Clocks { wall: wall.into(), boot: 1_000_000.into() });
        let free = Arc::new(AtomicBool::new(true));
        let hands = Box::new(OneHand(Arc::clone(&free)));
        let stays: (Box<dyn Hands>, Observer) = (hands, Box::new(|_, _| true));
        let mut service = open_as(&path, Arc::clone(&clock) as _, true, Some(stays), None).unwrap();
        service.hint(&Hint::All);
        while service.turn().unwrap() == Turn::Busy {}
        Self { dir, service, clock, free }
    }

    fn inbox(&self, link: &str) -> PathBuf {
        self.dir.path().join("drop").join(link)
    }

    fn keybox(&self, link: &str) -> PathBuf {
        self.dir.path().join("keys").join(link)
    }

    /// A folder in an inbox that is no delivery yet.
    fn begin(&self, link: &str, name: &str) {
        fs::create_dir(self.inbox(link).join(name)).unwrap();
    }

    fn seen(&self, link: &str) -> usize {
        self.service.engine.view.deliveries.values().filter(|seen| seen.link == link).count()
    }

    /// Takes turns until nothing is left to do; how many entries the longest of them made.
    fn settle(&mut self) -> u64 {
        let mut most = 0;
        for _ in 0..10_000 {
            let before = self.service.size();
            if self.service.turn().unwrap() == Turn::Idle {
                return most;
            }
            most = most.max(self.service.size() - before);
        }
        panic!("it never rests");
    }

    fn hinted(&mut self, link: &str) {
        self.service.hint(&Hint::Link(link.to_owned()));
    }
}

#[test]
fn a_clock_that_was_set_and_confirmed_is_doubted_no_more() {
    let mut world = World::new();
    world.clock.wall.fetch_add(3 * 3_600_000, Ordering::SeqCst);
    let engine = &mut world.service.engine;
    engine.record(AGENT, Body::NonceSpent { nonce: "1".to_owned() }).unwrap();
    assert!(engine.view.time_doubted, "three hours are doubted");
    engine.record("alice", Body::TimeConfirmed { signed: None }).unwrap();
    for n in 2..5 {
        engine.record(AGENT, Body::NonceSpent { nonce: n.to_string() }).unwrap();
        assert!(!engine.view.time_doubted, "a person has confirmed it");
    }
    world.clock.wall.fetch_add(3 * 3_600_000, Ordering::SeqCst);
    world.service.engine.record(AGENT, Body::NonceSpent { nonce: "5".to_owned() }).unwrap();
    assert!(world.service.engine.view.time_doubted, "the next leap is doubted as the first");
}

#[test]
fn a_link_where_something_happens_all_the_time_keeps_no_other_waiting() {
    let mut world = World::new();
    for n in 0..3 {
        world.begin("busy", &format!("d{n}"));
    }
    world.begin("quiet", "d0");
    world.hinted("quiet");
    for _ in 0..100 {
        world.hinted("busy");
        let _ = world.service.turn().unwrap();
    }
    assert_eq!((world.seen("busy"), world.seen("quiet")), (3, 1));
}

#[test]
fn however_much_lies_in_an_inbox_each_turn_is_short() {
    let mut world = World::new();
    for n in 0..50 {
        fs::write(world.inbox("busy").join(format!("stray{n}")), b"").unwrap();
        world.begin("busy", &format!("d{n}"));
    }
    world.hinted("busy");
    assert_eq!(world.settle(), 1, "entries of one turn");
    assert_eq!(world.service.engine.view.strays.len(), 50);
    assert_eq!(world.service.engine.strays().unwrap().0.len(), 50);
    assert_eq!(world.seen("busy"), 50);
    for n in 0..50 {
        fs::remove_dir(world.inbox("busy").join(format!("d{n}"))).unwrap();
    }
    world.hinted("busy");
    assert_eq!(world.settle(), 1, "entries of one turn");
    assert_eq!(world.seen("busy"), 0);
}

#[test]
fn a_delivery_that_waits_for_a_thread_keeps_neither_keys_nor_other_links_waiting() {
    let mut world = World::new();
    // A key in the data channel is refused at once: it is claimed as soon as a thread is free.
    world.begin("busy", "d0");
    fs::write(world.inbox("busy").join("d0/identity.key"), b"AGE-SECRET-KEY-1").unwrap();
    fs::write(world.inbox("busy").join("d0/manifest.yaml"), b"x").unwrap();
    fs::write(world.inbox("busy").join("d0/manifest.yaml.sig"), b"x").unwrap();
    world.begin("quiet", "d0");
    for link in LINKS {
        fs::write(world.keybox(link).join("N-1.pass"), b"three words and more").unwrap();
        world.hinted(link);
    }
    world.free.store(false, Ordering::SeqCst);
    world.settle();
    assert!(world.service.engine.view.batches.is_empty(), "no thread is free");
    assert_eq!(world.seen("quiet"), 1);
    assert_eq!(world.service.engine.view.keys.len(), 2, "both keys are taken");
    world.hinted("busy");
    world.settle();
    world.free.store(true, Ordering::SeqCst);
    world.settle();
    assert_eq!(world.service.engine.view.batches.len(), 1, "claimed once");
    assert_eq!(world.seen("busy"), 0);
}

#[test]
fn a_key_that_cannot_be_removed_from_its_keybox_is_kept_and_not_taken_over_and_over() {
    let mut world = World::new();
    let file = world.keybox("busy").join("N-1.pass");
    fs::write(&file, b"three words and more").unwrap();
    // What the wipe would rename it to is taken: it cannot end.
    let digest = Digest::of(b"N-1.pass").to_string();
    fs::create_dir(world.keybox("busy").join(format!(".wiped-{}", &digest[..16]))).unwrap();
    for _ in 0..20 {
        world.hinted("busy");
        world.settle();
    }
    let engine = &mut world.service.engine;
    for (id, row) in engine.view.keys.iter() {
        let live = engine.ports.keys.live(&slots::key(id)).unwrap().is_some();
        assert_eq!(live, row.state == KeyState::Live, "register and key store say the same");
    }
    assert_eq!(engine.view.keys.values().filter(|key| key.state == KeyState::Live).count(), 1);
    assert!(engine.view.keys.len() < 4, "{} keys were taken", engine.view.keys.len());
    assert!(world.service.unread().contains(&"busy".to_owned()), "a person is told");
}
