//! `kill -9` at each request between the listing and the release, and a stop at each write: no file is lost, none is
//! loaded twice, and the remote side is released once.
//!
//! The server holds a chosen request, carried out or not; then the agent is killed, or the process that talks to the
//! server, or both, and the answer comes late or never. Here each request is met once, by one kind of death in turn, and
//! every fourth write by one kind of stop; the ignored tests meet each with all of them. What follows the fetching is
//! stopped at every write in `crash`.

use std::{
    fs,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use super::{
    scene::{Ground, Running, kill},
    support::{People, provider::Provider},
};

const WITHIN: Duration = Duration::from_secs(120);

#[derive(Clone, Copy, Debug)]
pub(crate) enum Victim {
    Agent,
    /// All that the agent started.
    Courier,
    /// The youngest of those: the one that holds the connection, where that is a process of its own.
    Connection,
    Both,
}

pub(crate) const VICTIMS: [Victim; 4] =
    [Victim::Agent, Victim::Courier, Victim::Connection, Victim::Both];

impl Victim {
    /// Its processes.
    pub(crate) fn of(self, running: &Running) -> Vec<u32> {
        let (agent, mut children) = (running.child.id(), running.children());
        match self {
            Self::Agent => vec![agent],
            Self::Courier => children,
            Self::Connection => children.split_off(children.len() - 1),
            Self::Both => [vec![agent], children].concat(),
        }
    }
}

/// A site with one delivery on its server, which does as these words say.
struct Play<'p> {
    ground: Ground<'p>,
    server: super::servers::AsyncSsh,
    name: String,
}

impl<'p> Play<'p> {
    fn new(people: &'p People, words: &[&str]) -> Self {
        let ground = Ground::new(people);
        let server = ground.asyncssh(words);
        ground.found(server.port, "");
        let name = ground.offer(&ground.provider.pack_in(1, 2, 2));
        Self { ground, server, name }
    }

    /// Whatever happened: after some further turns all is as it would have been.
    fn comes_right(&self) {
        let number = Provider::number(1);
        self.ground.until_released(&self.name, 6);
        self.ground.assert_loaded_once(&number);
        self.ground.once();
        self.ground.assert_loaded_once(&number);
        assert_eq!(self.server.moved(&self.name), 1, "{:?}", self.server.requests());
        let mut files: Vec<_> = fs::read_dir(self.ground.done(&self.name))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let whole = ["manifest.yaml", "manifest.yaml.sig", "people-0.csv.age", "people-1.csv.age"];
        assert_eq!(files, whole);
        self.ground.assert_inbox_empty();
        self.ground.site.verify();
    }
}

/// Requests of an undisturbed turn.
fn requests(people: &People) -> usize {
    let play = Play::new(people, &[]);
    play.ground.until_released(&play.name, 4);
    let count = play.server.requests().len();
    play.comes_right();
    assert!(count >= 8, "a listing, four files and a release are more than {count} requests");
    count
}

/// Dies at one request. False when the run came to its end before.
fn die(people: &People, stop: &str, victim: Victim) -> bool {
    let mut play = Play::new(people, &["--stop", stop]);
    let mut running = play.ground.start(&[]);
    let held = {
        let running = Mutex::new(&mut running);
        play.server.holds(|| running.lock().unwrap().ended())
    };
    let children = running.children();
    if held {
        assert!(!children.is_empty(), "nobody but the agent talks to the server");
        victim.of(&running).into_iter().for_each(kill);
    }
    play.server.go();
    running.end(WITHIN);
    for pid in &children {
        gone(*pid);
    }
    play.comes_right();
    held
}

/// A process that lost its agent ends by itself.
#[track_caller]
fn gone(pid: u32) {
    for _ in 0..1000 {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // A zombie has ended; who takes its status is not ours to say.
        if text.is_empty() || text.rsplit_once(')').unwrap().1.starts_with(" Z") {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("process {pid} has outlived its agent");
}

/// Plays each of these on as many threads as there are processors; how many were held.
pub(crate) fn all<T: Sync + std::fmt::Debug>(
    plays: &[T],
    play: impl Fn(&T) -> bool + Sync,
) -> usize {
    let (next, held) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(|| {
                while let Some(one) = plays.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let played =
                        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(one)));
                    match played {
                        Ok(was) => _ = held.fetch_add(usize::from(was), Ordering::SeqCst),
                        Err(_) => failures.lock().unwrap().push(format!("{one:?}")),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} of {} fail: {failures:?}", failures.len(), plays.len());
    held.into_inner()
}

/// Deaths at all requests; every kind at each, or one kind in turn.
fn deaths(every: bool) {
    let people = People::new();
    let mut plays = Vec::new();
    for request in 1..=requests(&people) {
        for (turn, moment) in [(0, "before"), (2, "after")] {
            let stop = format!("{request}:{moment}");
            let one = VICTIMS[(request + turn) % VICTIMS.len()];
            let victims = if every { VICTIMS.to_vec() } else { vec![one] };
            plays.extend(victims.into_iter().map(|victim| (stop.clone(), victim)));
        }
    }
    let held = all(&plays, |(stop, victim)| die(&people, stop, *victim));
    println!("{held} deaths at {} chosen requests", plays.len());
    assert!(held * 10 >= plays.len() * 8, "only {held} of {} came to their request", plays.len());
}

#[test]
fn a_death_at_any_request_loses_nothing_and_doubles_nothing() {
    deaths(false);
}

#[test]
#[ignore = "takes minutes: each request with each kind of death"]
fn every_death_at_any_request_loses_nothing_and_doubles_nothing() {
    deaths(true);
}

/// Stops at the agent's writes; at every moment of each, or at one moment in turn.
fn stops(every: bool) {
    const MOMENTS: [&str; 3] = ["before", "middle", "after"];
    let people = People::new();
    let play = Play::new(&people, &[]);
    let count = play.ground.site.dir.join("state/count");
    let mut running = play.ground.start(&["--test-count-writes", count.to_str().unwrap()]);
    assert_eq!(running.end(WITHIN), Some(0), "{}", running.log());
    let writes: usize = fs::read_to_string(&count).unwrap().trim().parse().unwrap();
    let mut plays = Vec::new();
    for write in 1..=writes {
        let moments = match every {
            true => MOMENTS.to_vec(),
            false if write % 4 == 1 => vec![MOMENTS[write / 4 % MOMENTS.len()]],
            false => Vec::new(),
        };
        plays.extend(moments.into_iter().map(|moment| format!("{write}:{moment}")));
    }
    let stopped = all(&plays, |stop| {
        let play = Play::new(&people, &[]);
        let mut running = play.ground.start(&["--test-crash", stop]);
        let code = running.end(WITHIN);
        play.comes_right();
        code.is_none()
    });
    println!("{stopped} stops at {} chosen writes", plays.len());
    assert!(stopped * 10 >= plays.len() * 9, "only {stopped} of {} stopped", plays.len());
}

#[test]
fn a_stop_at_a_write_of_fetching_loses_nothing_and_doubles_nothing() {
    stops(false);
}

#[test]
#[ignore = "takes minutes: each write at each of its moments"]
fn a_stop_at_every_moment_of_fetching_loses_nothing_and_doubles_nothing() {
    stops(true);
}
