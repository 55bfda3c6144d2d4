//! Orders, holds and people that meet at one moment, with the agent that stays: each meeting has one outcome, and
//! docs/operations.md states it. An overwrite is made to wait half done, so that the moment is the same each time.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use batchward::{
    domain::{
        entry::{HoldScope, Signed},
        secret::Secret,
        signed::{Asked, SignedText},
        sshsig::SigningKey,
        time::Timestamp,
    },
    error::Exit,
    protocol::{CommandRequest, Remote, SignedBy},
    service::{Command as Act, Draft, Query, query::DraftFacts},
};
use rustix::process::Signal;
use serde_json::Value;

use super::{agent::laid_out_for, *};

const HOLD: [&str; 8] =
    ["hold", "place", "--all", "--authority", "地檢署", "--doc-no", "115-1", "--review"];

/// A site with a batch of five copies that is due, and an order over it that waits for its approval.
struct Case<'p> {
    site: Site<'p>,
    batch: String,
    order: String,
}

impl<'p> Case<'p> {
    fn new(people: &'p People, edit: impl Fn(&Site<'p>)) -> Self {
        let (site, provider) = laid_out_for(people, "資訊科", edit);
        provider.release(&provider.pack_in(0, 20, 3));
        site.once();
        let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
        site.run_as("henry", &["use", "no-need", &batch]).ok();
        let words = ["destroy", "request", &batch, "--reason", "no need"];
        let order = site.run_as("alice", &words).ok().id('o');
        Self { site, batch, order }
    }

    fn gate(&self, n: u32) -> PathBuf {
        self.site.temporary().join(format!("wait-{n}"))
    }

    /// The agent, whose `n`-th overwrite from now on will wait half done.
    fn agent(&self, n: u32) -> Agent<'_, 'p> {
        let path = self.site.temporary().join("wait");
        fs::write(&path, b"").unwrap();
        fs::write(self.gate(n), b"").unwrap();
        let hang = self.hang();
        let flags = ["--test-wait", path.to_str().unwrap(), "--test-hang", hang.to_str().unwrap()];
        Agent::start_with(&self.site, &flags, None)
    }

    fn hang(&self) -> PathBuf {
        self.site.temporary().join("hang")
    }

    fn go_on(&self, n: u32) {
        fs::remove_file(self.gate(n)).unwrap();
    }

    /// Sue approves, and the `n`-th copy is half overwritten.
    fn approved(&self, n: u32) -> Agent<'_, 'p> {
        let mut agent = self.agent(n);
        agent.run_as("sue", &["destroy", "approve", &self.order]).ok();
        agent.until("half done", |agent| {
            agent.log().contains(&format!("test: overwrite {n} waits"))
        });
        agent
    }

    /// The order comes to its end.
    #[track_caller]
    fn ends(&self, agent: &mut Agent<'_, '_>, state: &str) -> Value {
        agent.until(state, |agent| self.row(agent)["state"] == state);
        self.row(agent)
    }

    fn row(&self, agent: &Agent<'_, '_>) -> Value {
        let rows = agent.run(&["destroy", "list", "--json"]).ok().json();
        rows.as_array()
            .unwrap()
            .iter()
            .find(|row| row["id"] == self.order.as_str())
            .unwrap()
            .clone()
    }

    /// States of the copies, by kind: vault, files, record.
    fn states(&self, agent: &Agent<'_, '_>) -> Vec<String> {
        let page = agent.run(&["batch", "show", &self.batch, "--json"]).ok().json();
        let mut copies = page["copies"].as_array().unwrap().clone();
        let rank = |copy: &Value| match copy["kind"].as_str().unwrap() {
            "vault" => 0,
            "transfer" => 1,
            _ => 2,
        };
        copies.sort_by_key(|copy| (rank(copy), copy["id"].as_str().unwrap().to_owned()));
        copies.iter().map(|copy| copy["state"].as_str().unwrap().to_owned()).collect()
    }

    /// So many copies are destroyed and certified once, the rest is kept, and nobody's register is in doubt.
    #[track_caller]
    fn spared(&self, agent: &mut Agent<'_, '_>, gone: usize, code: &str) {
        let row = self.ends(agent, "certified");
        assert_eq!((row["wiped"].as_u64(), &row["voided"]), (Some(gone as u64), &code.into()));
        let states = self.states(agent);
        let (destroyed, kept) = states.split_at(gone);
        assert!(destroyed.iter().all(|state| state == "destroyed"), "{states:?}");
        assert!(kept.iter().all(|state| state == "kept"), "{states:?}");
        let shown = agent.run(&["certificate", "show", &self.order]).ok().json();
        assert_eq!(shown["certificate"]["copies"].as_array().unwrap().len(), gone);
        assert_eq!(shown["certificate"]["stopped"]["code"], code);
        assert_eq!(wipes(&entries(agent)).len(), gone);
    }
}

fn entries(agent: &Agent<'_, '_>) -> Vec<Value> {
    agent.run(&["register", "show", "--json"]).ok().json().as_array().unwrap().clone()
}

/// The places of the recorded wipes in the register.
fn wipes(entries: &[Value]) -> Vec<usize> {
    let wiped = |row: &Value| row["body"]["outcome"]["result"] == "copy-wiped";
    (0..entries.len()).filter(|n| wiped(&entries[*n])).collect()
}

#[track_caller]
fn place_of(entries: &[Value], kind: &str) -> usize {
    let found: Vec<usize> =
        (0..entries.len()).filter(|n| entries[*n]["body"]["type"] == kind).collect();
    assert_eq!(found.len(), 1, "'{kind}' is there once");
    found[0]
}

fn hold(agent: &Agent<'_, '_>) -> Ran {
    agent.run_as("audrey", &[HOLD.as_slice(), &["2027-01-31"]].concat()).ok()
}

/// Whoever speaks to the socket without the command line.
fn connect(site: &Site<'_>) -> Remote {
    Remote::connect(&site.dir.join("run/control.sock"), None).unwrap().expect("an agent answers")
}

/// A command as its signer would send it.
fn signed(remote: &mut Remote, people: &People, name: &str, act: Act, at: &str) -> CommandRequest {
    let query = Query::Draft { command: act };
    let facts: DraftFacts = remote.ask(&query).unwrap().try_into().unwrap();
    let Query::Draft { command } = query else { unreachable!() };
    let draft = Draft::of_command(&command, facts);
    let key = Secret::new(fs::read(people.key(name)).unwrap());
    let key = SigningKey::parse(&key, None).unwrap();
    let asked = Asked {
        origin: &draft.origin,
        command: &draft.command,
        object: &draft.object,
        object_digest: Some(draft.object_digest),
    };
    let now = Timestamp::parse(at).unwrap();
    let text = SignedText::new(&asked, &draft.text, [7; 16], now, now.plus_seconds(300)).unwrap();
    let text = text.canonical();
    let signature = key.sign(draft.namespace, text.as_bytes()).unwrap();
    let signed = Signed { text, signature, key: key.public().fingerprint() };
    CommandRequest { command, secret: None, by: Some(SignedBy { name: name.to_owned(), signed }) }
}

#[test]
fn a_hold_before_the_approval_refuses_it_and_nothing_is_wiped() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    let mut agent = case.agent(1);
    hold(&agent);
    let ran = agent.run_as("sue", &["destroy", "approve", &case.order]).exits(77);
    assert!(ran.stderr.contains("the hold 'h-00000001' forbids"), "{}", ran.stderr);
    agent.run_as("sue", &["hold", "lift", "h-00000001"]).ok();
    // The order waited; it is approved like any other once nothing forbids it.
    case.go_on(1);
    agent.run_as("sue", &["destroy", "approve", &case.order]).ok();
    assert_eq!(case.ends(&mut agent, "certified")["wiped"], 5);
    agent.stop();
    case.site.verify();
}

#[test]
fn a_hold_in_the_time_to_think_again_voids_the_order_at_once() {
    let people = People::new();
    let longer = |site: &Site<'_>| {
        let policy = site.dir.join("policies/nantou-verification.yaml");
        replaced(&policy, "cooling_off: { value: P0D", "cooling_off: { value: P1D");
    };
    let case = Case::new(&people, longer);
    let mut agent = case.agent(1);
    agent.run_as("sue", &["destroy", "approve", &case.order]).ok();
    hold(&agent);
    let row = case.ends(&mut agent, "voided");
    assert_eq!((row["wiped"].as_u64(), &row["voided"]), (Some(0), &"hold".into()));
    // Lifting it brings the approval not back.
    agent.run_as("sue", &["hold", "lift", "h-00000001"]).ok();
    agent.run_as("sue", &["destroy", "approve", &case.order]).exits(64);
    assert!(case.states(&agent).iter().all(|state| state == "kept"));
    agent.stop();
}

#[test]
fn a_hold_while_a_copy_is_overwritten_lets_that_one_end_says_so_and_keeps_every_other() {
    let people = People::new();
    for n in 1..=4 {
        let case = Case::new(&people, |_| ());
        let mut agent = case.approved(n);
        let said = hold(&agent);
        let told = format!("a copy of {} was being overwritten already", case.batch);
        assert!(said.text().contains(&told), "{}", said.text());
        case.go_on(n);
        case.spared(&mut agent, n as usize, "hold");
        let entries = entries(&agent);
        let held = place_of(&entries, "hold-placed");
        let after = entries[held..].iter().filter(|row| row["body"]["plan"]["step"] == "wipe-copy");
        assert_eq!(after.count(), 0, "no wipe begins after the hold");
        // What was kept can be read: another order takes it, and every copy is certified once.
        agent.run_as("sue", &["hold", "lift", "h-00000001"]).ok();
        let words = ["destroy", "request", &case.batch, "--reason", "no need"];
        let rest = agent.run_as("alice", &words).ok().id('o');
        agent.run_as("sue", &["destroy", "approve", &rest]).ok();
        agent.until("closed", |agent| agent.batches()[0]["state"] == "closed");
        agent.stop();
        case.site.verify();
    }
}

#[test]
fn a_hold_between_two_copies_stops_before_the_next() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    let mut agent = case.approved(1);
    let mut remote = connect(&case.site);
    let place = Act::HoldPlace {
        scope: HoldScope::All,
        authority: "地檢署".to_owned(),
        doc_no: "115-1".to_owned(),
        review: Timestamp::parse("2027-01-31T00:00:00+08:00").unwrap(),
    };
    let request = signed(&mut remote, &people, "audrey", place, &agent.time());
    // The end of the first copy is told to the engine's thread, then the hold, before it comes round to the second.
    fs::write(case.hang(), b"").unwrap();
    case.go_on(1);
    std::thread::sleep(Duration::from_secs(1));
    let asked = std::thread::spawn(move || remote.act(request));
    std::thread::sleep(Duration::from_secs(1));
    fs::remove_file(case.hang()).unwrap();
    let (reply, _) = asked.join().unwrap().unwrap();
    assert!(!reply.message.contains("overwritten already"), "{}", reply.message);
    case.spared(&mut agent, 1, "hold");
    let entries = entries(&agent);
    assert!(wipes(&entries)[0] < place_of(&entries, "hold-placed"));
    agent.stop();
    case.site.verify();
}

#[test]
fn an_approver_disabled_while_a_copy_is_overwritten_stops_the_order_before_the_next() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    let mut agent = case.approved(2);
    agent.run_as("ada", &["account", "disable", "sue"]).ok();
    case.go_on(2);
    case.spared(&mut agent, 2, "approver-disabled");
    agent.stop();
}

#[test]
fn a_policy_confirmed_while_a_copy_is_overwritten_stops_the_order_before_the_next() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    let mut agent = case.approved(2);
    let policy = case.site.dir.join("policies/taoyuan-dwcd.yaml");
    replaced(&policy, "row_cap: { value: 10000", "row_cap: { value: 20000");
    agent.run_as("ada", &["config", "propose"]).ok();
    // A proposal changes nothing: what counts is what is in force.
    assert_eq!(case.row(&agent)["voided"], Value::Null);
    agent.run_as("ben", &["config", "confirm"]).ok();
    case.go_on(2);
    case.spared(&mut agent, 2, "policy-changed");
    agent.stop();
}

#[test]
fn a_policy_proposed_while_a_copy_is_overwritten_changes_nothing() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    let mut agent = case.approved(2);
    let policy = case.site.dir.join("policies/taoyuan-dwcd.yaml");
    replaced(&policy, "row_cap: { value: 10000", "row_cap: { value: 20000");
    agent.run_as("ada", &["config", "propose"]).ok();
    case.go_on(2);
    assert_eq!(case.ends(&mut agent, "certified")["wiped"], 5);
    agent.stop();
}

/// A second supervisor.
fn another_supervisor(case: &Case<'_>) {
    case.site.people.new_key("sam");
    let key = case.site.people.public("sam");
    let words = ["account", "add", "sam", "--role", "supervisor", "--unit", "資訊科", "--sign-key"];
    case.site.run_as("ada", &[words.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    case.site.run_as("ben", &["account", "confirm", "sam"]).ok();
}

#[test]
fn an_order_approved_twice_is_carried_out_once() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    another_supervisor(&case);
    let mut agent = case.agent(1);
    let mut remote = connect(&case.site);
    let act = || Act::DestroyApprove { order: case.order.parse().unwrap() };
    let request = signed(&mut remote, &people, "sue", act(), &agent.time());
    let copy = request.by.as_ref().unwrap().signed.clone();
    remote.act(request).unwrap();
    agent.until("half done", |agent| agent.log().contains("test: overwrite 1 waits"));
    // The same signature, sent again by whoever kept it.
    let by = Some(SignedBy { name: "sue".to_owned(), signed: copy });
    let again = remote.act(CommandRequest { command: act(), secret: None, by }).unwrap_err();
    assert_eq!(again.exit, Exit::Refused, "{again}");
    // The same person and another one, each with a signature of the moment.
    for name in ["sue", "sam"] {
        agent.run_as(name, &["destroy", "approve", &case.order]).exits(64);
    }
    case.go_on(1);
    assert_eq!(case.ends(&mut agent, "certified")["wiped"], 5);
    let entries = entries(&agent);
    place_of(&entries, "order-approved");
    assert_eq!(wipes(&entries).len(), 5);
    agent.stop();
    case.site.verify();
}

#[test]
fn of_two_approvals_at_one_moment_one_counts() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    another_supervisor(&case);
    let mut agent = case.agent(9);
    let (time, order) = (agent.time(), case.order.clone());
    let approve = |name: &str| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(case.site.dir.join("agent.yaml"));
        command.args(["--test-clock", &time, "--as", name, "--sign-with"]).arg(people.key(name));
        command.args(["destroy", "approve", &order]).output().unwrap().status.code()
    };
    let mut codes = std::thread::scope(|scope| {
        let both = ["sue", "sam"].map(|name| scope.spawn(move || approve(name)));
        both.map(|one| one.join().unwrap())
    });
    codes.sort_unstable();
    // Who signed for an order that was not approved yet signed for another entry, or comes too late.
    assert!(codes[0] == Some(0) && matches!(codes[1], Some(64 | 77)), "{codes:?}");
    assert_eq!(case.ends(&mut agent, "certified")["wiped"], 5);
    place_of(&entries(&agent), "order-approved");
    agent.stop();
    case.site.verify();
}

#[test]
fn beside_an_agent_that_wipes_no_second_agent_and_no_command_touches_the_state() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    let mut agent = case.approved(1);
    for words in [["run"].as_slice(), &["run", "--once"]] {
        let ran = agent.run(words).exits(69);
        assert!(ran.stderr.contains("an agent runs"), "{}", ran.stderr);
    }
    // A command that cannot reach the agent does not open the state beside it.
    let socket = case.site.dir.join("run/control.sock");
    let aside = socket.with_extension("aside");
    fs::rename(&socket, &aside).unwrap();
    agent.run_as("sue", &["destroy", "approve", &case.order]).exits(69);
    agent.run_as("audrey", &[HOLD.as_slice(), &["2027-01-31"]].concat()).exits(69);
    fs::rename(&aside, &socket).unwrap();
    case.go_on(1);
    assert_eq!(case.ends(&mut agent, "certified")["wiped"], 5);
    assert_eq!(wipes(&entries(&agent)).len(), 5);
    agent.stop();
    case.site.verify();
}

#[test]
fn beside_a_command_that_wipes_by_itself_everything_else_waits() {
    let people = People::new();
    let case = Case::new(&people, |_| ());
    let path = case.site.temporary().join("wait");
    fs::write(&path, b"").unwrap();
    fs::write(case.gate(1), b"").unwrap();
    let (time, site) = (case.site.time(), &case.site);
    let log = site.temporary().join("approve.log");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("--config").arg(site.dir.join("agent.yaml")).args(["--test-clock", &time]);
    command.arg("--test-wait").arg(&path).args(["--as", "sue", "--sign-with"]);
    command.arg(people.key("sue")).args(["destroy", "approve", &case.order]);
    command.stdout(std::process::Stdio::null()).stderr(fs::File::create(&log).unwrap());
    let mut approving = command.spawn().unwrap();
    let begun = Instant::now();
    while !fs::read_to_string(&log).unwrap().contains("test: overwrite 1 waits") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", fs::read_to_string(&log));
        std::thread::sleep(Duration::from_millis(20));
    }
    site.run_as("audrey", &[HOLD.as_slice(), &["2027-01-31"]].concat()).exits(69);
    site.run_as("sue", &["destroy", "approve", &case.order]).exits(69);
    site.run(&["run"]).exits(69);
    site.run(&["run", "--once"]).exits(69);
    case.go_on(1);
    assert_eq!(approving.wait().unwrap().code(), Some(0), "{:?}", fs::read_to_string(&log));
    assert_eq!(site.batches()[0]["state"], "closed");
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    assert_eq!(wipes(rows.as_array().unwrap()).len(), 5);
    site.verify();
}

/// Kills the agent in the middle of the `n`-th overwrite.
fn killed(case: &Case<'_>, n: u32) {
    let mut agent = case.approved(n);
    agent.signal(Signal::KILL);
    agent.exit();
    drop(agent);
    case.go_on(n);
}

#[test]
fn a_kill_while_a_copy_is_overwritten_wipes_each_copy_once_after_the_restart() {
    let people = People::new();
    for n in 1..=4 {
        let case = Case::new(&people, |_| ());
        killed(&case, n);
        let mut agent = Agent::start(&case.site);
        assert_eq!(case.ends(&mut agent, "certified")["wiped"], 5);
        assert_eq!(wipes(&entries(&agent)).len(), 5);
        let shown = agent.run(&["certificate", "show", &case.order]).ok().json();
        assert_eq!(shown["certificate"]["copies"].as_array().unwrap().len(), 5);
        agent.stop();
        case.site.verify();
    }
}

#[test]
fn a_hold_after_a_kill_while_a_copy_is_overwritten_says_that_it_is_unreadable_and_not_destroyed() {
    let people = People::new();
    for n in 1..=4 {
        let case = Case::new(&people, |_| ());
        killed(&case, n);
        // Whoever places it opens the state, and does not thereby finish the wipe.
        let words = [HOLD.as_slice(), &["2027-01-31"]].concat();
        case.site.run_as("audrey", &words).ok();
        let mut agent = Agent::start(&case.site);
        let end = if n == 1 { "voided" } else { "certified" };
        let row = case.ends(&mut agent, end);
        assert_eq!(
            (row["wiped"].as_u64(), &row["voided"]),
            (Some(u64::from(n) - 1), &"hold".into())
        );
        let states = case.states(&agent);
        let cut = n as usize - 1;
        assert!(states[..cut].iter().all(|state| state == "destroyed"), "{states:?}");
        assert_eq!(states[cut], "unreadable", "{states:?}");
        assert!(states[cut + 1..].iter().all(|state| state == "kept"), "{states:?}");
        agent.stop();
        case.site.verify();
    }
}
