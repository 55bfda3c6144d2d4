//! The end of a grant, on every store: one table of the ways in which rows might still come, and what becomes of each.
//!
//! The table is `MATRIX`; each store plays all of it, through the real binary, and `docs/expiry.md` is made of it. A store
//! to come is a column more. The people are synthetic, the servers are started for the test.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "daemon/agent.rs"]
#[allow(dead_code, reason = "the tests of the agent use the rest")]
mod agent;
mod support;

#[path = "expiry/scene.rs"]
mod scene;
#[path = "expiry/ways.rs"]
mod ways;

use std::{fs, thread, time::Duration};

use agent::Agent;
use rustix::process::Signal;
use scene::{After, Scene, Store, World};
use support::{People, Ran, Site, provider::Provider};

/// The unit of the link that is read.
const UNIT: &str = "資訊科";

/// Nothing is read any more.
const REFUSED: &str = "refused";
/// An error takes the place of the rows that were still to come.
const CUT: &str = "cut, and says so";
/// What was read ends with the process; nothing answers.
const ENDED: &str = "ended";

/// In what state the agent is when the grant ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Runs,
    /// Runs, and nothing else is read meanwhile.
    Alone,
    Frozen,
    Killed,
    /// No agent: commands open the state themselves, one after the other.
    Without,
}

impl Stage {
    const ALL: [Self; 5] = [Self::Runs, Self::Alone, Self::Frozen, Self::Killed, Self::Without];

    const fn words(self) -> &'static str {
        match self {
            Self::Runs | Self::Alone => "the agent runs",
            Self::Frozen => "frozen with SIGSTOP over the end",
            Self::Killed => "killed with -9 before the end",
            Self::Without => "no agent runs",
        }
    }

    /// Seconds that a grant lasts, within which every way of the stage is begun.
    const fn lasts(self) -> i64 {
        match self {
            Self::Runs => 45,
            Self::Frozen => 35,
            Self::Alone | Self::Killed => 20,
            Self::Without => 0,
        }
    }
}

struct Way {
    stage: Stage,
    way: &'static str,
    /// What becomes of it, one word a store, in the order of [`Store::ALL`].
    verdicts: [&'static str; 3],
    begin: for<'s> fn(&'s Scene<'s>) -> After<'s>,
}

const fn way(
    stage: Stage,
    way: &'static str,
    verdict: &'static str,
    begin: for<'s> fn(&'s Scene<'s>) -> After<'s>,
) -> Way {
    Way { stage, way, verdicts: [verdict; 3], begin }
}

const MATRIX: &[Way] = &[
    way(Stage::Runs, "a new question", REFUSED, ways::new_question),
    way(
        Stage::Runs,
        "a look-up that the same connection made before",
        REFUSED,
        ways::same_connection,
    ),
    way(Stage::Runs, "an open cursor of which rows were taken before", CUT, ways::fetched_cursor),
    way(Stage::Runs, "all rows, and a reader that takes none", CUT, ways::slow_reader),
    way(Stage::Runs, "`match` of a long list, and a reader that takes none", CUT, ways::slow_match),
    way(Stage::Runs, "`query` whose output nobody takes", CUT, ways::slow_output),
    way(Stage::Runs, "an open cursor, and the grant is revoked", CUT, ways::revoked),
    way(Stage::Alone, "one long statement without a row", CUT, ways::long_statement),
    way(Stage::Frozen, "all rows, and a reader that takes none", CUT, ways::slow_reader),
    way(
        Stage::Frozen,
        "`match` of a long list, and a reader that takes none",
        CUT,
        ways::slow_match,
    ),
    way(Stage::Frozen, "a new question, once it goes on", REFUSED, ways::new_question),
    way(Stage::Killed, "all rows, and a reader that takes none", ENDED, ways::orphaned),
    way(Stage::Killed, "a new question", REFUSED, ways::new_question),
    way(Stage::Without, "`query`, as JSON, over the end", CUT, ways::half_an_answer),
    way(Stage::Without, "`match` over the end", CUT, ways::half_a_match),
    way(Stage::Without, "`--copy-to` over the end", CUT, ways::half_a_copy),
    way(Stage::Without, "the clock set back to before the end", REFUSED, ways::clock_set_back),
    way(Stage::Without, "the state restored from before the end", REFUSED, ways::restored),
];

/// Plays one stage and gives the verdicts of its ways.
fn play(world: &World<'_>, stage: Stage) -> Vec<&'static str> {
    let ways = || MATRIX.iter().filter(|way| way.stage == stage);
    if stage == Stage::Without {
        let scene = Scene::without(world);
        return ways().map(|way| (way.begin)(&scene)()).collect();
    }
    let agent = Agent::start(&world.site);
    let scene = Scene::of(world, agent, stage.lasts());
    let after: Vec<After<'_>> = ways().map(|way| (way.begin)(&scene)).collect();
    assert!(scene.left() > Duration::from_secs(1), "too slow: the grant ended while this began");
    match stage {
        Stage::Frozen => scene.agent().signal(Signal::STOP),
        Stage::Killed => scene.agent().signal(Signal::KILL),
        Stage::Runs | Stage::Alone | Stage::Without => {}
    }
    thread::sleep(scene.left() + Duration::from_secs(1));
    if stage == Stage::Frozen {
        scene.agent().signal(Signal::CONT);
    }
    after.into_iter().map(|verdict| verdict()).collect()
}

/// The whole table on one store.
fn plays(store: Store) {
    let people = People::new();
    let world = World::new(&people, store);
    let column = Store::ALL.iter().position(|one| *one == store).unwrap();
    for stage in Stage::ALL {
        let expected: Vec<_> = MATRIX.iter().filter(|way| way.stage == stage).collect();
        for (way, verdict) in expected.iter().zip(play(&world, stage)) {
            let words = stage.words();
            assert_eq!(verdict, way.verdicts[column], "{}, {words}: {}", store.name(), way.way);
        }
    }
}

/// Side by side: most of it is waiting for ends.
#[test]
fn after_its_end_a_grant_reads_nothing_on_any_store() {
    thread::scope(|scope| {
        for store in Store::ALL {
            scope.spawn(move || plays(store));
        }
    });
}

fn table() -> String {
    let heads: Vec<&str> = Store::ALL.iter().map(|store| store.name()).collect();
    let mut page = format!("| while | way | {} |\n|---|---|", heads.join(" | "));
    page.push_str(&"---|".repeat(heads.len()));
    page.push('\n');
    for way in MATRIX {
        let cells = way.verdicts.join(" | ");
        page.push_str(&format!("| {} | {} | {cells} |\n", way.stage.words(), way.way));
    }
    page
}

#[test]
fn the_page_says_what_the_table_says() {
    let path = support::root().join("docs/expiry.md");
    let page = fs::read_to_string(&path).unwrap();
    let begin = page.find("| while |").expect("a table");
    let length = page[begin..].find("\n\n").map_or(page.len() - begin, |end| end + 1);
    let made = format!("{}{}{}", &page[..begin], table(), &page[begin + length..]);
    if std::env::var_os("BATCHWARD_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert!(page == made, "docs/expiry.md is stale; its table must be:\n{}", table());
}
