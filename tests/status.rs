//! `status` through the real binary: what a custodian sees, what a monitor gets, and the file of metrics.
#![cfg(feature = "test-hooks")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use serde_json::Value;
use support::{People, Site};

const UNIT: &str = "幼兒托育科";
const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// The page as JSON, with the exit code that it must have.
#[track_caller]
fn page(site: &Site<'_>, exit: i32) -> Value {
    site.run(&["status", "--json"]).exits(exit).json()
}

/// The codes of a list.
fn codes(list: &Value) -> Vec<String> {
    let rows = list.as_array().unwrap().iter();
    rows.map(|row| row["code"].as_str().unwrap().to_owned()).collect()
}

fn alarms(page: &Value) -> Vec<String> {
    let loud = page["alarms"].as_array().unwrap().iter().filter(|a| a["level"] == "alarm");
    loud.map(|alarm| alarm["code"].as_str().unwrap().to_owned()).collect()
}

/// The command of the only task of this kind.
#[track_caller]
fn command(page: &Value, code: &str) -> Vec<String> {
    let tasks = page["tasks"]["rows"].as_array().unwrap();
    let task = tasks.iter().find(|task| task["code"] == code);
    let task = task.unwrap_or_else(|| panic!("no task '{code}' in {:#}", page["tasks"]));
    let words = task["commands"][0].as_str().unwrap().replace("TEXT", "synthetic");
    words.split(' ').skip(1).map(str::to_owned).collect()
}

/// Runs the command that the page names, as this account.
#[track_caller]
fn follow(site: &Site<'_>, who: &str, code: &str) {
    let words = command(&page(site, 0), code);
    site.run_as(who, &words.iter().map(String::as_str).collect::<Vec<_>>()).ok();
}

#[test]
fn a_loaded_batch_is_the_last_delivery_of_its_link_and_nothing_is_alarming() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    let page = page(&site, 0);
    assert_eq!(alarms(&page), [""; 0]);
    let link = &page["links"][0];
    assert_eq!((&link["link"], &link["state"]), (&"moca-full".into(), &"active".into()));
    assert_eq!(link["last"]["number"], "MOCA-1151102-0006");
    assert_eq!(link["last"]["state"], "loaded");
    assert_eq!(page["batches"]["loaded"], 1);
    assert_eq!(page["register"]["entries"], page["register"]["published"]);
    let said = site.run(&["status"]).ok();
    for part in ["MOCA-1151102-0006", "no agent runs", "warning: the root key is a file"] {
        assert!(said.text().contains(part), "'{part}' is not in {}", said.text());
    }
}

#[test]
fn what_waits_names_the_command_that_does_it_and_each_command_works() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20", "signed-by-stranger"], UNIT);
    site.once();
    follow_rejected(&site);
    let apply =
        ["grant", "apply", "--link", "moca-full", "--until", "2027-06-30", "--purpose", "資格審查"];
    let words = [apply.as_slice(), &["--basis", "府社婦字第1150009999號"]].concat();
    let grant = site.run_as("henry", &words).ok().id('g');
    follow(&site, "sue", "decide-grant");
    site.run_as("henry", &["use", "complete", &grant]).ok();
    follow(&site, "henry", "state-no-need");
    let due = page(&site, 0);
    let line =
        due["due"]["rows"].as_array().unwrap().iter().find(|row| row["clause"] != Value::Null);
    assert!(line.is_some_and(|row| row["days"].as_i64() >= Some(0)), "{:#}", due["due"]);
    // Two batches are due: the rejected one and this one; each is requested as the page says.
    follow(&site, "alice", "request-destruction");
    follow(&site, "alice", "request-destruction");
    assert_eq!(page(&site, 0)["orders"]["total"], 2);
    follow(&site, "sue", "decide-order");
    follow(&site, "sue", "decide-order");
    let done = page(&site, 0);
    assert_eq!(done["due"]["total"], 0, "{:#}", done["due"]);
}

/// The quarantined batch is released, judged the same again, and then rejected.
fn follow_rejected(site: &Site<'_>) {
    follow(site, "alice", "decide-quarantine");
    let found = page(site, 0);
    let tasks = found["tasks"]["rows"].as_array().unwrap();
    let task = tasks.iter().find(|task| task["code"] == "decide-quarantine").unwrap();
    let id = task["object"].as_str().unwrap();
    site.run_as("alice", &["batch", "reject", id, "--reason", "synthetic"]).ok();
}

#[test]
fn what_is_late_or_does_not_belong_becomes_an_alarm_and_exit_1() {
    let people = People::new();
    let site = Site::founded(&people, &["missing-file", "delta-3"], UNIT);
    let inbox = site.dir.join("drop/moca-full");
    fs::write(inbox.join("notes.txt"), b"synthetic").unwrap();
    site.once();
    assert_eq!(alarms(&page(&site, 0)), [""; 0]);
    site.wait_minutes(5 * HOUR);
    let late = page(&site, 1);
    let found = alarms(&late);
    for code in ["delivery-incomplete", "stray-in-inbox", "sequence-gap"] {
        assert!(found.iter().any(|c| c == code), "'{code}' is not in {found:?}");
    }
    assert!(codes(&late["tasks"]["rows"]).iter().any(|code| code == "ask-for-change-file"));
    let said = site.run(&["status"]).exits(1);
    assert!(
        said.text().contains("alarm: a delivery is not complete (moca-full)"),
        "{}",
        said.text()
    );
    assert!(said.stderr.contains("alarms stand"), "{}", said.stderr);
    fs::write(inbox.join("day.key"), b"synthetic").unwrap();
    assert!(alarms(&page(&site, 1)).iter().any(|code| code == "key-in-inbox"));
    // Metrics leave judging to who collects them.
    site.run(&["status", "--metrics"]).ok();
}

#[test]
fn an_overdue_destruction_and_a_forgotten_hold_are_told() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    let grant = site.grant("moca-full");
    site.run_as("henry", &["use", "complete", &grant]).ok();
    let id = site.batches()[0]["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &id]).ok();
    let days = page(&site, 0)["due"]["rows"][0]["days"].as_i64().unwrap();
    let review = "2026-12-01";
    let words = ["hold", "place", &id, "--authority", "地檢署", "--doc-no", "115-1"];
    let hold =
        site.run_as("audrey", &[words.as_slice(), &["--review", review]].concat()).ok().id('h');
    // Days are walked one by one: a leap of the clock is another alarm.
    for _ in 0..days + 12 {
        site.wait_minutes(DAY - 1);
        site.once();
    }
    let held = page(&site, 1);
    assert_eq!(alarms(&held), ["hold-review-past"]);
    assert_eq!(held["due"]["rows"][0]["hold"], hold.as_str());
    assert_eq!(held["overdue"], 1);
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    assert_eq!(alarms(&page(&site, 1)), ["destruction-overdue"]);
    let text = site.run(&["status"]).exits(1);
    assert!(text.text().contains("days over"), "{}", text.text());
}

#[test]
fn a_doubted_clock_is_an_alarm_until_a_person_confirms_the_time() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    site.wait_minutes(90 * DAY);
    site.once();
    assert_eq!(alarms(&page(&site, 1)), ["clock-doubted"]);
    let words = command(&page(&site, 1), "confirm-clock");
    site.run_as("alice", &words.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    assert_eq!(alarms(&page(&site, 0)), [""; 0]);
}

/// The parser of the Prometheus project's own Python library, as Debian packs it.
const READ: &str = "
import sys
from prometheus_client.parser import text_string_to_metric_families as families
names = []
for family in families(sys.stdin.read()):
    assert family.type == 'gauge' and family.documentation, family
    assert family.name.startswith('batchward_') and family.samples, family
    seen = set()
    for sample in family.samples:
        assert sample.name == family.name, sample
        key = tuple(sorted(sample.labels.items()))
        assert key not in seen, sample
        seen.add(key)
    names.append(family.name)
assert len(names) == len(set(names)) and len(names) > 20, names
print(len(names))
";

#[track_caller]
fn parsed(text: &[u8]) {
    use std::io::Write;
    let mut python = Command::new("/usr/bin/python3");
    let mut child = python
        .args(["-c", READ])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn metrics_are_read_by_another_reader_of_their_format() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20", "signed-by-stranger", "missing-file"], UNIT);
    site.once();
    let metrics = site.run(&["status", "--metrics"]).ok();
    parsed(&metrics.stdout);
    let text = metrics.text();
    assert!(text.contains("batchward_batches{state=\"loaded\"} 1"), "{text}");
    assert!(text.contains("batchward_tasks{code=\"decide-quarantine\"} 1"), "{text}");
    for name in ["moca-1151102", "MOCA-1151102", "alice"] {
        assert!(!text.contains(name), "'{name}' is in {text}");
    }
}

/// Adds a line to agent.yaml.
fn set(site: &Site<'_>, line: &str) {
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{text}{line}\n")).unwrap();
}

#[test]
fn a_run_puts_metrics_where_a_collector_reads_them() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    let folder = site.dir.join("metrics");
    fs::create_dir(&folder).unwrap();
    set(&site, "metrics_file: metrics/batchward.prom");
    let file = folder.join("batchward.prom");
    fs::write(&file, b"old").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    site.once();
    parsed(&fs::read(&file).unwrap());
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    assert_eq!(site.files("metrics"), ["batchward.prom"], "nothing else is left there");
    // A folder that is gone stops nothing but the metrics.
    fs::remove_file(&file).unwrap();
    fs::remove_dir(&folder).unwrap();
    let ran = site.once();
    assert!(ran.stderr.contains("metrics"), "{}", ran.stderr);
}

#[test]
fn metrics_are_never_put_where_providers_write_or_keys_lie() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let path = site.dir.join("agent.yaml");
    let good = fs::read_to_string(&path).unwrap();
    let rows = [
        ("drop/moca-full/x.prom", "the metrics file lies within the inbox"),
        ("keys/moca-full/x.prom", "the metrics file lies within the keybox"),
        ("state/x.prom", "the metrics file lies within the state folder"),
        ("metrics/x.txt", "expected the path of a file ending in '.prom'"),
    ];
    for (file, fault) in rows {
        fs::write(&path, format!("{good}metrics_file: {file}\n")).unwrap();
        let ran = site.run(&["check"]).exits(78);
        assert!(ran.text().contains(fault), "{file}: {}", ran.text());
    }
}

/// One command by the real clock, as the resident agent uses it.
fn plain(site: &Site<'_>, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("--config").arg(site.dir.join("agent.yaml")).args(words);
    command.env_clear().env("PATH", "/usr/bin:/bin").env("LANG", "C.UTF-8");
    command.env("TMPDIR", site.temporary());
    command
}

/// Stopped when dropped.
struct Agent(std::process::Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The page, asked again until `wanted` holds of it.
#[track_caller]
fn until(site: &Site<'_>, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..300 {
        let output = plain(site, &["status", "--json"]).output().unwrap();
        let page: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if wanted(&page) {
            return page;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("not within half a minute: {what}");
}

#[test]
fn the_resident_agent_tells_what_it_saw_last_and_writes_metrics_again_and_again() {
    let people = People::new();
    let site = Site::laid_out(&people, &["small-20", "missing-file"]);
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap().replace("scan_every: 30s", "scan_every: 1s");
    fs::write(&path, text).unwrap();
    for folder in ["metrics", "run"] {
        fs::create_dir(site.dir.join(folder)).unwrap();
    }
    set(&site, "metrics_file: metrics/batchward.prom\nsocket: run/control.sock");
    let dir = site.dir.to_str().unwrap().to_owned();
    support::done(&mut plain(&site, &["init", &dir, "--site", "taoyuan-dwcd"]));
    let mut run = plain(&site, &["run"]);
    let agent = Agent(run.stderr(std::process::Stdio::null()).spawn().unwrap());
    // Not before it answers: a command that holds the state for a moment would turn it away.
    let socket = site.dir.join("run/control.sock");
    for _ in 0..300 {
        if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let page = until(&site, "the small delivery is loaded", |page| {
        page["agent_running"] == true && page["batches"]["loaded"] == 1
    });
    assert_eq!(page["waiting"]["rows"][0]["reason"], "incomplete");
    assert_eq!(alarms(&page), [""; 0]);
    fs::write(site.dir.join("drop/moca-full/day.key"), b"synthetic").unwrap();
    until(&site, "the key is told", |page| alarms(page) == ["key-in-inbox"]);
    fs::remove_file(site.dir.join("drop/moca-full/day.key")).unwrap();
    until(&site, "it is told no more", |page| alarms(page).is_empty());
    let metrics = site.dir.join("metrics/batchward.prom");
    let first = fs::read(&metrics).unwrap();
    parsed(&first);
    until(&site, "metrics are written again", |_| fs::read(&metrics).unwrap() != first);
    drop(agent);
    assert_eq!(
        until(&site, "no agent runs", |p| p["agent_running"] == false)["site"],
        "taoyuan-dwcd"
    );
}
