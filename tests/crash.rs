//! A stop at every durable write, before it, in its middle and after it, leads to the same register and the same
//! world.
//!
//! A whole life is played once. Before each act the site is set aside; then, for every write of that act and every
//! moment of a write, the act runs on a copy of that site and the real process dies there. The site is started
//! again (`run --once`), the act is repeated if the register does not have its effect, and what comes out must equal
//! the undisturbed life: the register in its normal form, the files, the slots of the key store, the rows. And what the
//! process had signed when it died must be true of the register that goes on: nothing is ever signed over two histories.
//!
//! It is over 500 lines because every act of the life stands in one table, with what it is compared by.
//!
//! Cosignatures and timestamps are stopped in `witness.rs` and `timestamps.rs`, which have the others that they need.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "crash/full_tile.rs"]
mod full_tile;
#[path = "crash/row_files.rs"]
mod row_files;
mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::Value;
use support::{
    People, Ran, Site,
    picture::{Picture, difference, entries},
};

/// SIGABRT: how the test build stops at a chosen write.
const ABORTED: i32 = 6;
const MOMENTS: &[&str] = &["before", "middle", "after"];
const LINK: &str = "moca-full";

/// How one sees in the register that an act has had its effect.
#[derive(Clone, Copy)]
enum Effect {
    /// The act is `init`: it is repeated in any case, and must then find its site.
    Site,
    /// The act is a start: the start that follows a stop is its repetition.
    Start,
    /// The act reads: who saw no end of it asks again, and is logged again.
    Reading,
    /// One more entry of this type, or with an outcome of this name.
    Entry(&'static str),
}

struct Act {
    name: &'static str,
    /// Who signs; nobody for the agent's own work.
    who: &'static str,
    words: &'static [&'static str],
    /// What happens in the world before, undisturbed.
    prepare: fn(&Site<'_>),
    effect: Effect,
}

const fn act(
    name: &'static str,
    who: &'static str,
    words: &'static [&'static str],
    effect: Effect,
) -> Act {
    Act { name, who, words, prepare: |_| {}, effect }
}

/// The life. `{name.pub}` and `{name.key}` stand for key files.
const LIFE: &[Act] = &[
    act("init", "", &["init"], Effect::Site),
    act(
        "account add",
        "ada",
        &["account", "add", "alice", "--role", "custodian", "--sign-key", "{alice.pub}"],
        Effect::Entry("account-proposed"),
    ),
    act(
        "account confirm",
        "ben",
        &["account", "confirm", "alice"],
        Effect::Entry("account-confirmed"),
    ),
    Act {
        name: "claim",
        who: "",
        words: &["run", "--once"],
        prepare: |site| {
            site.accounts("幼兒托育科");
            site.install(&["--no-keys"], &["small-20"]);
        },
        effect: Effect::Start,
    },
    Act {
        name: "load",
        who: "",
        words: &["run", "--once"],
        prepare: |site| site.install(&["--keys-only"], &["small-20"]),
        effect: Effect::Start,
    },
    act(
        "grant apply",
        "henry",
        &[
            "grant",
            "apply",
            "--link",
            LINK,
            "--until",
            "2027-06-30",
            "--purpose",
            "資格審查",
            "--basis",
            "府社婦字第1150009999號",
        ],
        Effect::Entry("grant-applied"),
    ),
    act(
        "grant approve",
        "sue",
        &["grant", "approve", "g-00000001"],
        Effect::Entry("grant-approved"),
    ),
    act(
        "query",
        "henry",
        &["query", "--grant", "g-00000001", "--case", "115-001", "--reason", "資格審查"],
        Effect::Reading,
    ),
    act(
        "use complete",
        "henry",
        &["use", "complete", "g-00000001"],
        Effect::Entry("use-completed"),
    ),
    act("use no-need", "henry", &["use", "no-need", "b-00000001"], Effect::Entry("no-need")),
    act(
        "destroy request",
        "alice",
        &["destroy", "request", "b-00000001", "--reason", "使用完竣"],
        Effect::Entry("order-requested"),
    ),
    act(
        "destroy approve",
        "sue",
        &["destroy", "approve", "o-00000001"],
        Effect::Entry("order-approved"),
    ),
    Act {
        name: "key submit",
        who: "alice",
        words: &[
            "key",
            "submit",
            "b-00000002",
            "--file",
            "{MOCA-1151102-0005.key}",
            "--channel",
            "電話",
        ],
        prepare: |site| {
            site.install(&["--no-keys"], &["json-manifest"]);
            site.once();
        },
        effect: Effect::Entry("key-taken"),
    },
    Act {
        name: "access destroy",
        who: "alice",
        words: &["access", "destroy", "--link", LINK, "--reason", "保存期滿"],
        // Three years after the end of the month, and somebody confirms that so much time has passed.
        prepare: |site| {
            site.wait_minutes(60 * 24 * (365 * 3 + 45));
            site.once();
            site.run_as("alice", &["clock", "confirm"]).ok();
            site.once();
        },
        effect: Effect::Entry("access-order-requested"),
    },
    act(
        "access destroy-approve",
        "sue",
        &["access", "destroy-approve", "a-00000001"],
        Effect::Entry("access-order-approved"),
    ),
];

/// A life of its own: data are handed on. Nothing of a package that is half made is left, and it is made once.
const HANDED: &[Act] = &[
    act("init", "", &["init"], Effect::Site),
    Act {
        name: "handover make",
        who: "alice",
        words: &["handover", "make", "l-00000001"],
        prepare: |site| {
            site.accounts("幼兒托育科");
            site.install(&[], &["small-20"]);
            site.once();
            for folder in ["recipients", "handed", "handed-keys"] {
                fs::create_dir(site.dir.join(folder)).unwrap();
            }
            let text = "recipient: office\ntitle: 合成受領單位\nkind: agency\npremises: own\nlink: from-us\n\
                outbox: ../handed\nkey: separate\nkeys: ../handed-keys\nchannels: [courier, letter]\n\
                until: 2027-06-30\n";
            fs::write(site.dir.join("recipients/office.yaml"), text).unwrap();
            site.run_as("ada", &["config", "propose"]).ok();
            site.run_as("ben", &["config", "confirm"]).ok();
            let words =
                ["handover", "request", "b-00000001", "--to", "office", "--purpose", "通知"];
            let more = ["--basis", "府社婦字第1150009999號", "--until", "2027-03-31"];
            let ways = ["--channel", "courier", "--key-channel", "letter"];
            site.run_as("henry", &[words.as_slice(), &more, &ways].concat()).ok();
            let approve =
                ["handover", "approve", "l-00000001", "--doc-no", "府民戶字第1150001234號"];
            site.run_as("sue", &approve).ok();
        },
        effect: Effect::Entry("package-made"),
    },
];

/// A life of its own: what an order rests on is taken back. The order is void and the batch in use again, or neither.
const WITHDRAWN: &[Act] = &[
    act("init", "", &["init"], Effect::Site),
    Act {
        name: "use confirm",
        who: "sue",
        words: &["use", "confirm", "b-00000001", "--unit", "幼兒托育科"],
        prepare: |site| {
            site.accounts("幼兒托育科");
            site.install(&[], &["small-20"]);
            site.once();
            site.run_as("henry", &["use", "no-need", "b-00000001"]).ok();
            let ask = ["destroy", "request", "b-00000001", "--reason", "使用完竣"];
            site.run_as("alice", &ask).ok();
            let back = ["use", "withdraw", "b-00000001", "--reason", "申復中仍需保存"];
            site.run_as("henry", &back).ok();
        },
        effect: Effect::Entry("withdrawal-confirmed"),
    },
];

/// The acts after which years have passed: links and periods of use have ended then.
const YEARS_LATER: &[&str] = &["access destroy", "access destroy-approve"];

impl Act {
    fn run(&self, site: &Site<'_>, more: &[&str]) -> Ran {
        let fill =
            |word: &&str| match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
                Some(file) if file.ends_with(".pub") => {
                    site.people.key(file).to_str().unwrap().to_owned()
                }
                Some(file) => site.people.batch_key(file).to_str().unwrap().to_owned(),
                None => (*word).to_owned(),
            };
        let mut words: Vec<String> = self.words.iter().map(fill).collect();
        if matches!(self.effect, Effect::Site) {
            words = site.init_words();
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let key = site.people.key(self.who);
        let mut global = more.to_vec();
        if !self.who.is_empty() {
            global.extend(["--as", self.who, "--sign-with", key.to_str().unwrap()]);
        }
        site.run_with(&words, &global, b"")
    }

    /// How often the register says that this act was done.
    fn effects(&self, register: &[Value]) -> usize {
        let Effect::Entry(word) = self.effect else { return 0 };
        let says = |entry: &&Value| {
            entry["body"]["type"] == word || entry["body"]["outcome"]["result"] == word
        };
        register.iter().filter(says).count()
    }
}

/// A site set aside: its folder and its minute.
struct Aside {
    dir: PathBuf,
    minute: i64,
}

impl Aside {
    fn copy<'p>(&self, people: &'p People, to: &Path) -> Site<'p> {
        fs::create_dir_all(to).unwrap();
        copy(&self.dir, &to.join("site"));
        Site::at(people, to.join("site"), self.minute)
    }
}

fn copy(from: &Path, to: &Path) {
    support::done(Command::new("cp").arg("-a").arg(from).arg(to));
}

/// The act, and the start that follows it: the undisturbed life.
fn undisturbed(act: &Act, site: &Site<'_>) -> Picture {
    act.run(site, &[]).ok();
    site.once();
    Picture::of(site)
}

/// The act stopped at one write, the site started again, the act repeated where it is needed.
fn disturbed(act: &Act, site: &Site<'_>, before: usize, stop: &str) -> Picture {
    let ran = act.run(site, &["--test-crash", stop]);
    assert_eq!(ran.signal, Some(ABORTED), "{} was not stopped at {stop}: {ran:?}", act.name);
    let signed = signed(site);
    if matches!(act.effect, Effect::Site) {
        act.run(site, &[]).ok();
    }
    site.once();
    let again = match act.effect {
        Effect::Site | Effect::Start => false,
        Effect::Reading => true,
        Effect::Entry(_) => act.effects(&entries(site)) == before,
    };
    if again {
        act.run(site, &[]).ok();
        site.once();
    }
    for kept in signed {
        site.run(&["register", "verify", "--against", kept.to_str().unwrap()]).ok();
    }
    Picture::of(site)
}

/// The checkpoints that a process had signed when it died: the published one, and the newest of its journal, as the next
/// start finds it. Beside the site, where nothing looks at them.
fn signed(site: &Site<'_>) -> Vec<PathBuf> {
    let beside = site.dir.parent().unwrap();
    let state = site.dir.join("state");
    let mut kept = Vec::new();
    let published = beside.join("published.checkpoint");
    if fs::copy(state.join("register/checkpoint"), &published).is_ok() {
        kept.push(published);
    }
    for name in ["journal.db", "journal.db-journal"] {
        let _ = fs::copy(state.join(name), beside.join(name));
    }
    let newest = "SELECT note FROM checkpoint WHERE log = 0 ORDER BY size DESC LIMIT 1";
    let note = rusqlite::Connection::open(beside.join("journal.db"))
        .and_then(|journal| journal.query_row(newest, [], |row| row.get::<_, String>(0)));
    if let Ok(note) = note {
        kept.push(beside.join("newest.checkpoint"));
        fs::write(beside.join("newest.checkpoint"), note).unwrap();
    }
    kept
}

/// An act, and the site as it is just before it.
struct Scene<'p> {
    act: &'static Act,
    people: &'p People,
    work: tempfile::TempDir,
    aside: Aside,
    /// Effects of acts of this kind that the register has already.
    before: usize,
}

impl<'p> Scene<'p> {
    fn before(people: &'p People, name: &str) -> Self {
        let work = support::memory();
        let site = Site::in_memory(people);
        let named = |act: &Act| act.name == name;
        let lives = [LIFE, HANDED, WITHDRAWN];
        let life = lives.into_iter().find(|life| life.iter().any(named)).unwrap();
        let place = life.iter().position(named).unwrap();
        for act in &life[..place] {
            (act.prepare)(&site);
            act.run(&site, &[]).ok();
            site.once();
        }
        let act = &life[place];
        (act.prepare)(&site);
        let counts = matches!(act.effect, Effect::Entry(_));
        let before = if counts { act.effects(&entries(&site)) } else { 0 };
        Self::at(act, people, work, &site, before)
    }

    /// An act at a site as it is now.
    fn at(
        act: &'static Act,
        people: &'p People,
        work: tempfile::TempDir,
        site: &Site<'_>,
        before: usize,
    ) -> Self {
        let aside = Aside { dir: work.path().join("aside/site"), minute: site.minute() };
        fs::create_dir_all(work.path().join("aside")).unwrap();
        copy(&site.dir, &aside.dir);
        Self { act, people, work, aside, before }
    }

    /// A copy of the site, in a folder of this name.
    fn play(&self, name: &str) -> Site<'p> {
        self.aside.copy(self.people, &self.work.path().join(name))
    }
}

/// Stops the act of this name everywhere.
fn stop_everywhere(name: &str) {
    let people = People::new();
    stop_scene(&Scene::before(&people, name));
}

fn stop_scene(scene: &Scene<'_>) {
    let Scene { act, work, before, .. } = scene;
    let name = act.name;

    let counted = scene.play("counted");
    // Within the state: an agent that runs has confined itself to where it works.
    let count = counted.dir.join("state/count");
    act.run(&counted, &["--test-count-writes", count.to_str().unwrap()]).ok();
    let writes: usize = fs::read_to_string(&count).unwrap().trim().parse().unwrap();
    assert!(writes > 0, "'{name}' writes nothing");
    let expected = undisturbed(act, &scene.play("undisturbed"));

    let stops: Vec<String> = (1..=writes)
        .flat_map(|write| MOMENTS.iter().map(move |moment| format!("{write}:{moment}")))
        .collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, std::num::NonZero::get) {
            scope.spawn(|| {
                while let Some(stop) = stops.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let dir = work.path().join(stop);
                    let site = scene.play(stop);
                    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                        disturbed(act, &site, *before, stop)
                    }));
                    let wrong = match played {
                        Ok(picture) => difference(&expected, &picture),
                        Err(panic) => Some(message(&*panic)),
                    };
                    if let Some(wrong) = wrong {
                        failures.lock().unwrap().push(format!("{stop}: {wrong}"));
                    }
                    fs::remove_dir_all(&dir).unwrap();
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    let shown = failures.iter().take(4).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(failures.is_empty(), "'{name}': {} of {} stops:\n{shown}", failures.len(), stops.len());
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic").to_owned()
}

macro_rules! stops {
    ($($test:ident $act:literal)*) => {
        const TESTED: &[&str] = &[$($act,)*];

        mod a_stop_at_any_write_of {
            $(#[test]
            fn $test() {
                super::stop_everywhere($act);
            })*
        }
    };
}

stops! {
    making_a_site "init"
    proposing_an_account "account add"
    confirming_an_account "account confirm"
    claiming "claim"
    loading "load"
    applying_for_a_grant "grant apply"
    approving_a_grant "grant approve"
    querying "query"
    completing_use "use complete"
    stating_no_need "use no-need"
    requesting_destruction "destroy request"
    destroying "destroy approve"
    submitting_a_key "key submit"
    requesting_the_end_of_a_key_of_the_access_log "access destroy"
    destroying_a_key_of_the_access_log "access destroy-approve"
    making_a_package "handover make"
    taking_back_what_an_order_rests_on "use confirm"
}

#[test]
fn every_act_of_the_life_is_stopped() {
    let others = HANDED.iter().chain(WITHDRAWN);
    let others = others.filter(|act| LIFE.iter().all(|one| one.name != act.name));
    let life: Vec<&str> = LIFE.iter().chain(others).map(|act| act.name).collect();
    assert_eq!(TESTED, life);
}

#[test]
fn the_life_ends_with_a_closed_or_destroyed_batch_and_the_comparison_sees_every_change() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    for act in LIFE.iter().filter(|act| !YEARS_LATER.contains(&act.name)) {
        (act.prepare)(&site);
        act.run(&site, &[]).ok();
        site.once();
    }
    let state = site.show("b-00000001")["state"].clone();
    assert!(state == "closed" || state == "destroyed", "the first batch is {state}");
    assert_eq!(site.show("b-00000002")["state"], "loaded");
    let picture = Picture::of(&site);
    assert_eq!(picture.rows.values().map(Vec::len).collect::<Vec<_>>(), [20]);
    assert_eq!(difference(&picture, &Picture::of(&site)), None);
    // An outcome without its effect: the register says more than the world.
    let vault = site.dir.join("state/vault").join(&site.files("state/vault")[0]);
    let away = site.temporary().join("away");
    fs::rename(&vault, &away).unwrap();
    let found = Picture::of(&site);
    assert!(difference(&picture, &found).is_some_and(|text| text.contains("- rows of")));
    fs::rename(&away, &vault).unwrap();
    // An effect without its outcome: a file that nobody has written down.
    fs::write(site.dir.join("state/spool/stray"), b"").unwrap();
    let found = Picture::of(&site);
    assert!(difference(&picture, &found).is_some_and(|text| text.contains("+ file")));
}

/// What a program would leave that writes its outcomes down first: the register of after the act over the world of
/// before it. Each time the comparison must see it, or these tests prove nothing.
#[test]
fn an_outcome_before_its_effect_is_seen() {
    let people = People::new();
    for name in ["claim", "load", "destroy approve", "key submit", "access destroy-approve"] {
        let scene = Scene::before(&people, name);
        let after = scene.play("after");
        let expected = undisturbed(scene.act, &after);
        let site = scene.play("outcome-first");
        for part in ["state/journal.db", "state/register", "state/access"] {
            let place = site.dir.join(part);
            support::done(Command::new("rm").arg("-r").arg(&place));
            copy(&after.dir.join(part), &place);
        }
        site.wait_minutes(60);
        let seen = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            site.once();
            difference(&expected, &Picture::of(&site))
        }));
        // A start that fails, or a picture that cannot be taken, is seen as well.
        assert!(
            !matches!(seen, Ok(None)),
            "'{name}' with its outcome first looks like one without fault"
        );
    }
}
