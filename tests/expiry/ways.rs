//! The ways: each is begun while the grant is open, and gives its verdict when it is over.

use std::{fs, process::Command, process::Stdio, thread, time::Duration};

use batchward::{
    adapters::vault::{Column, Vault, VaultBuilder, VaultError, Window},
    domain::{ids::CopyId, secret::Secret},
};
use serde_json::{Value, json};

use crate::{
    CUT, ENDED, REFUSED,
    scene::{After, Scene, Store, Wire, later},
    support::Ran,
};

/// Nothing but heads came out.
#[track_caller]
fn refused(ran: Ran) -> &'static str {
    let ran = ran.exits(77);
    assert!(ran.stdout.is_empty(), "{}", ran.text());
    REFUSED
}

fn everything() -> Value {
    json!({"where": {}})
}

/// The reading was cut: nothing left the agent after the end but the reason.
#[track_caller]
fn cut(wire: &mut Wire, held: u64) -> &'static str {
    let came = wire.drained();
    let end = came.end.expect("an error ends it");
    assert_eq!(end["error"]["exit"], 77, "{end}");
    assert!(end["error"]["what"].as_str().unwrap().contains("ended while it was read"), "{end}");
    assert!(came.bytes <= held, "{held} bytes had left the agent, {} came", came.bytes);
    CUT
}

pub(crate) fn new_question<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let world = scene.world;
    let one = ["--where", "national_id=-", "--format", "csv"];
    let words = ["query", "--grant", &scene.grant, "--case", "115-001", "--reason", "資格審查"];
    let words = [words.as_slice(), &one].concat();
    let ask = |time: &str| world.site.run_at(time, &words, &[], world.ids[7].as_bytes());
    let before = ask(&scene.agent().time()).ok();
    assert!(before.text().contains(&world.ids[7]));
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Box::new(move || {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let id = world.ids[7].as_bytes();
        refused(world.site.run_at(&scene.agent().time(), &words, &[], id))
    })
}

pub(crate) fn same_connection<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let mut wire = Wire::connect(&scene.world.site);
    let asked = scene.reading(&json!({"where": {"national_id": scene.world.ids[7]}}));
    assert!(wire.ask(&asked)["fields"].is_array());
    // Again and again: the agent ends a connection that is silent for long.
    let asking = thread::spawn(move || {
        for _ in 0..60 {
            let rows = wire.frame().unwrap();
            if rows["error"].is_object() {
                // It ended between the question and its answer.
                return rows;
            }
            assert_eq!(rows["rows"].as_array().unwrap().len(), 1);
            assert_eq!(wire.frame().unwrap()["end"]["rows"], 1);
            thread::sleep(Duration::from_secs(2));
            let answer = wire.ask(&asked);
            if !answer["fields"].is_array() {
                return answer;
            }
        }
        panic!("it is answered without end");
    });
    Box::new(move || {
        let answer = asking.join().unwrap();
        assert_eq!(answer["error"]["exit"], 77, "{answer}");
        REFUSED
    })
}

pub(crate) fn slow_reader<'s>(scene: &'s Scene<'s>) -> After<'s> {
    stalled(scene, &everything(), 0)
}

pub(crate) fn fetched_cursor<'s>(scene: &'s Scene<'s>) -> After<'s> {
    stalled(scene, &everything(), 2)
}

pub(crate) fn slow_match<'s>(scene: &'s Scene<'s>) -> After<'s> {
    stalled(scene, &json!({"list": {"on": "national_id", "values": scene.world.ids}}), 0)
}

/// Asks for rows, takes some, and waits with the rest.
fn stalled<'s>(scene: &'s Scene<'s>, wanted: &Value, taken: usize) -> After<'s> {
    let mut wire = scene.stalls(wanted);
    for _ in 0..taken {
        assert!(wire.frame().unwrap()["rows"].is_array());
    }
    thread::sleep(Duration::from_millis(600));
    let held = wire.held();
    Box::new(move || {
        // While still nothing is taken.
        scene.closes();
        cut(&mut wire, held)
    })
}

pub(crate) fn revoked<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let grant = {
        let agent = scene.agent();
        let apply = ["grant", "apply", "--link", "small", "--until", "2027-06-30", "--unit"];
        let more = [crate::UNIT, "--purpose", "資格審查", "--basis", "府社婦字第1150009999號"];
        let grant = agent.run(&[apply.as_slice(), &more].concat()).ok().id('g');
        agent.run_as("sue", &["grant", "approve", &grant]).ok();
        grant
    };
    let mut wire = Wire::connect(&scene.world.site);
    let mut asked = scene.reading(&everything());
    asked["read"]["reading"]["grant"] = json!(grant);
    asked["read"]["reading"]["case_no"] = json!("115-077");
    assert!(wire.ask(&asked)["fields"].is_array());
    thread::sleep(Duration::from_millis(1500));
    let held = wire.held();
    scene.agent().run_as("sue", &["grant", "revoke", &grant]).ok();
    Box::new(move || {
        let verdict = cut(&mut wire, held);
        // The log has the rows that left the agent, and none of those that were read and waited.
        let log = ["access", "show", "--case", "115-077", "--json"];
        let log = scene.agent().run_as("audrey", &log).ok().json();
        let served = log.as_array().unwrap().iter().find(|line| !line["rows"].is_null()).unwrap();
        assert_eq!((&served["ended"], &served["rows"]), (&json!("revoked"), &json!(wire.rows)));
        assert!(wire.rows > 0 && wire.rows < scene.world.ids.len() as u64, "{}", wire.rows);
        verdict
    })
}

pub(crate) fn slow_output<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let world = scene.world;
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("--config").arg(world.site.dir.join("agent.yaml"));
    command.args(["--test-clock", &scene.agent().time(), "query", "--grant", &scene.grant]);
    command.args(["--case", "115-001", "--reason", "資格審查", "--format", "json"]);
    command.env_clear().env("LANG", "C.UTF-8").stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    Box::new(move || {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(77), "{said}");
        assert!(said.contains("ended while it was read"), "{said}");
        half(&output.stdout, world.ids.len())
    })
}

/// Some rows, not all of them, and no whole document that could be taken for the answer.
#[track_caller]
fn half(json: &[u8], all: usize) -> &'static str {
    assert!(serde_json::from_slice::<Value>(json).is_err(), "a part looks like the whole");
    let rows = String::from_utf8_lossy(json).matches("\"national_id\"").count();
    assert!(rows < all, "all {rows} rows came");
    CUT
}

pub(crate) fn orphaned<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let mut wire = scene.stalls(&everything());
    let held = wire.held();
    Box::new(move || {
        if scene.world.store != Store::Embedded {
            scene.closes();
        }
        let came = wire.drained();
        assert!(came.end.is_none() && came.bytes <= held);
        ENDED
    })
}

/// Minutes of work for whoever reads, and an end long before.
pub(crate) fn long_statement<'s>(scene: &'s Scene<'s>) -> After<'s> {
    if scene.world.store == Store::Embedded {
        return Box::new(|| {
            interrupted();
            CUT
        });
    }
    // By a rule of the database's administrator the look at a row takes a second, and none passes: no row asks the clock.
    let tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE 'vault_c%'";
    let (world, table) = (scene.world, format!("batchward.{}", scene.world.sql(tables)));
    world.sql(&format!(
        "CREATE POLICY slow ON {table} USING (pg_sleep(1)::text = 'never'); \
         ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
    ));
    let mut wire = Wire::connect(&world.site);
    assert!(wire.ask(&scene.reading(&everything()))["fields"].is_array());
    Box::new(move || {
        let verdict = cut(&mut wire, 0);
        scene.closes();
        world.sql(&format!(
            "ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY; \
             DROP POLICY slow ON {table}"
        ));
        verdict
    })
}

/// A scan of a vault whose window is shorter than it.
fn interrupted() {
    let dir = tempfile::tempdir().unwrap();
    let (copy, key) = (CopyId::new(1), Secret::new(vec![7; 32]));
    let column = |name: &str| Column { name: name.to_owned(), key: false };
    let columns = ["name", "village"].map(column);
    let mut builder = VaultBuilder::create(dir.path(), copy, &key, &columns).unwrap();
    for number in 1..=1_000_000 {
        builder.insert(number, false, &["王小明".to_owned(), "文昌里".to_owned()]).unwrap();
    }
    builder.seal(&key).unwrap().place().unwrap();
    let nobody = [("name".to_owned(), "無此人".to_owned())];
    let read = |window| {
        let vault = Vault::open(dir.path(), copy, &key, window).unwrap();
        vault.rows(&["name".to_owned()], &nobody, &mut |_, _, _| panic!("a row"))
    };
    let begun = std::time::Instant::now();
    read(Window::OWN).unwrap();
    let whole = begun.elapsed();
    let brief = read(Window::of(whole / 4));
    assert!(matches!(brief, Err(VaultError::Over { .. })), "{brief:?}");
}

/// A command that reads without an agent, from five seconds before the end; each look at its clock takes a millisecond.
pub(crate) fn half_an_answer<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let (grant, time) = scene.last_seconds();
    let ran = scene.world.asks(&time, &grant, "query", &["--format", "json"]).exits(77);
    assert!(ran.stderr.contains("ended while it was read"), "{}", ran.stderr);
    let verdict = half(&ran.stdout, scene.world.ids.len());
    Box::new(move || verdict)
}

pub(crate) fn half_a_match<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let (grant, time) = scene.last_seconds();
    let list = scene.world.site.temporary().join("list.txt");
    fs::write(&list, scene.world.ids.join("\n")).unwrap();
    let more = ["--input", list.to_str().unwrap(), "--on", "national_id", "--format", "json"];
    let ran = scene.world.asks(&time, &grant, "match", &more).exits(77);
    assert!(ran.stderr.contains("ended while it was read"), "{}", ran.stderr);
    let verdict = half(&ran.stdout, scene.world.ids.len());
    Box::new(move || verdict)
}

pub(crate) fn half_a_copy<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let world = scene.world;
    let (grant, time) = scene.last_seconds();
    let file = world.site.temporary().join("found.json");
    let day = &time[..10];
    let to = ["--copy-to", file.to_str().unwrap(), "--holder", "合成保管人", "--delete-by", day];
    let noon = format!("{day}T12:00:00+08:00");
    world.asks(&noon, &grant, "query", &to).exits(75);
    let list = ["copy", "list", "--json"];
    let batch = world.site.run_at(&later(&noon, 60), &["batch", "list", "--json"], &[], b"").ok();
    let batch = batch.json()[0]["id"].as_str().unwrap().to_owned();
    let words = [&list[..2], &[batch.as_str()], &list[2..]].concat();
    let copies = world.site.run_at(&later(&noon, 120), &words, &[], b"").ok().json();
    let asked = copies.as_array().unwrap().iter().find(|row| row["state"] == "requested").unwrap();
    let copy = asked["id"].as_str().unwrap().to_owned();
    let key = world.site.people.key("sue");
    let sue = ["--as", "sue", "--sign-with", key.to_str().unwrap()];
    let approve = ["copy", "approve", &copy, "--doc-no", "府民戶字第1150001234號"];
    world.site.run_at(&later(&noon, 180), &approve, &sue, b"").ok();
    let ran = world.asks(&time, &grant, "query", &[to.as_slice(), &["--copy", &copy]].concat());
    let ran = ran.exits(77);
    assert!(ran.stderr.contains("ended while it was read"), "{}", ran.stderr);
    // What was cut never has the name of the whole.
    assert!(!file.exists());
    let verdict = half(&fs::read(file.with_file_name("found.json.part")).unwrap(), world.ids.len());
    // What is there is there: the inventory has it.
    let words = [&list[..2], &[batch.as_str()], &list[2..]].concat();
    let copies = world.site.run_at(&later(&time, 60), &words, &[], b"").ok().json();
    let row = copies.as_array().unwrap().iter().find(|row| row["id"] == copy.as_str()).unwrap();
    assert_eq!(row["state"], "kept", "{row}");
    assert!(row["facts"]["place"].as_str().unwrap().ends_with("found.json.part"), "{row}");
    Box::new(move || verdict)
}

pub(crate) fn clock_set_back<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let (grant, time) = scene.last_seconds();
    let noon = format!("{}T12:00:00+08:00", &time[..10]);
    scene.world.asks(&noon, &grant, "query", &["--format", "csv"]).ok();
    refused(scene.world.asks(&later(&time, 60), &grant, "query", &["--format", "csv"]));
    let ran = scene.world.asks(&later(&noon, 60), &grant, "query", &["--format", "csv"]).exits(75);
    assert!(ran.stdout.is_empty(), "{}", ran.text());
    assert!(ran.stderr.contains("clock"), "{}", ran.stderr);
    Box::new(|| REFUSED)
}

pub(crate) fn restored<'s>(scene: &'s Scene<'s>) -> After<'s> {
    let (grant, time) = scene.last_seconds();
    let noon = format!("{}T12:00:00+08:00", &time[..10]);
    let read = |time: &str| scene.world.asks(time, &grant, "query", &["--format", "csv"]);
    read(&noon).ok();
    let state = scene.world.site.dir.join("state");
    let kept = scene.world.site.temporary().join("kept-state");
    crate::support::done(Command::new("cp").arg("-a").args([&state, &kept]));
    refused(read(&later(&time, 60)));
    fs::remove_dir_all(&state).unwrap();
    crate::support::done(Command::new("cp").arg("-a").args([&kept, &state]));
    let verdict = refused(read(&later(&time, 120)));
    Box::new(move || verdict)
}
