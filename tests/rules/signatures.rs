//! A signature counts once, for one act, on one object, at one site, in its time, by the account's key. The signed
//! texts are handed to the service the way a socket would hand them over; `ssh-keygen` makes and verifies them.

use std::{collections::BTreeMap, io::Write};

use batchward::{
    domain::{
        digest::Digest,
        entry::{HoldScope, Signed},
        signed::{COMMAND_NAMESPACE as COMMAND, DECISION_NAMESPACE as DECISION, SignedText},
        time::Timestamp,
    },
    error::Exit,
    service::{
        Caller, Command as Act, Draft, Service,
        reading::{Reading, Rows, Wanted},
    },
    wiring::{self, Hooks},
};

use super::*;

/// The service of a site, at the site's next minute.
fn open(site: &Site<'_>) -> Service {
    let clock = Timestamp::parse(&site.time());
    site.wait_minutes(1);
    wiring::open(&site.dir.join("agent.yaml"), &Hooks { clock }, false).unwrap()
}

/// The text that a draft asks to be signed, now.
fn text_of(draft: &Draft, service: &Service) -> SignedText {
    let now = service.engine.ports.clock.now();
    SignedText {
        at: now,
        batchward: 1,
        command: draft.command.clone(),
        expires: now.plus_seconds(300),
        nonce: Digest::of(now.to_string().as_bytes()).to_string()[..32].to_owned(),
        object: draft.object.clone(),
        object_digest: Some(draft.object_digest),
        origin: draft.origin.clone(),
        text: draft.text.clone(),
    }
}

/// Signs a text with stock `ssh-keygen`.
fn signed_by(site: &Site<'_>, key: &str, namespace: &str, text: &str) -> Signed {
    let path = site.temporary().join("text");
    let _ = std::fs::remove_file(path.with_extension("sig"));
    std::fs::write(&path, text).unwrap();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-Y", "sign", "-n", namespace, "-f"]).arg(site.people.key(key)).arg(&path);
    done(&mut keygen);
    let signature = std::fs::read_to_string(site.temporary().join("text.sig")).unwrap();
    std::fs::remove_file(site.temporary().join("text.sig")).unwrap();
    Signed { text: text.to_owned(), signature, key: String::new() }
}

fn signer(name: &str, signed: &Signed) -> Caller {
    Caller::Signer { name: name.to_owned(), signed: signed.clone(), uid: None }
}

/// The act is refused.
#[track_caller]
fn counts_for_nothing(service: &mut Service, name: &str, signed: &Signed, act: Act, why: &str) {
    let error = service.handle(&signer(name, signed), act).expect_err(why);
    assert_eq!(error.exit, Exit::Refused, "{why}: {error}");
}

/// The signed record of the last entry of a type.
fn recorded(site: &Site<'_>, kind: &str) -> Signed {
    let entries = of_type(site, kind);
    serde_json::from_value(entries.last().unwrap()["body"]["signed"].clone()).unwrap()
}

fn approve(grant: &str) -> Act {
    Act::GrantApprove { grant: grant.parse().unwrap() }
}

#[test]
fn only_the_right_signature_approves_and_only_once() {
    let people = People::new();
    let site = with_mallory(&people, &[]);
    let grant = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    let other = apply(&site, "henry", "2027-06-30", &[]).ok().id('g');
    let mut service = open(&site);
    let draft = service.draft(&approve(&grant)).unwrap();
    let text = || text_of(&draft, &service);
    let right = text();
    let wrong = [
        ("another command", SignedText { command: "grant deny".into(), ..text() }),
        ("another object", SignedText { object: other.clone(), ..text() }),
        ("another site", SignedText { origin: "batchward/nantou".into(), ..text() }),
        ("another version", SignedText { object_digest: Some(Digest::of(b"x")), ..text() }),
        ("no version", SignedText { object_digest: None, ..text() }),
        ("other words", SignedText { text: "and all others".into(), ..text() }),
        (
            "expired",
            SignedText {
                at: right.at.plus_seconds(-600),
                expires: right.at.plus_seconds(-300),
                ..text()
            },
        ),
        (
            "of tomorrow",
            SignedText {
                at: right.at.plus_seconds(86_400),
                expires: right.at.plus_seconds(86_700),
                ..text()
            },
        ),
        ("without end", SignedText { expires: right.at.plus_seconds(400 * 86_400), ..text() }),
    ];
    for (why, text) in wrong {
        let signed = signed_by(&site, "sue", DECISION, &text.canonical());
        counts_for_nothing(&mut service, "sue", &signed, approve(&grant), why);
    }
    let text = right.canonical();
    let good = signed_by(&site, "sue", DECISION, &text);
    let spaced = signed_by(&site, "sue", DECISION, &format!("{text}\n"));
    let twisted = Signed { text: text.replace(&grant, &other), ..good.clone() };
    let command = signed_by(&site, "sue", COMMAND, &text);
    let manifest = signed_by(&site, "sue", "batchward-manifest", &text);
    let henrys = signed_by(&site, "henry", DECISION, &text);
    let empty = Signed { signature: String::new(), ..good.clone() };
    for (why, signed) in [
        ("not canonical", &spaced),
        ("another text", &twisted),
        ("for commands", &command),
        ("for manifests", &manifest),
        ("another's key", &henrys),
        ("none at all", &empty),
    ] {
        counts_for_nothing(&mut service, "sue", signed, approve(&grant), why);
    }
    counts_for_nothing(&mut service, "mallory", &good, approve(&grant), "sue's, as mallory");
    counts_for_nothing(&mut service, "sue", &good, approve(&other), "shown for another grant");
    let unsigned = service.handle(&Caller::User { uid: current() }, approve(&grant));
    assert_eq!(unsigned.unwrap_err().exit, Exit::Refused);
    service.handle(&signer("sue", &good), approve(&grant)).unwrap();
    counts_for_nothing(&mut service, "sue", &good, approve(&grant), "a second time");
    drop(service);
    let states: Vec<Value> =
        site.run(&["grant", "list", "--json"]).ok().json().as_array().unwrap().clone();
    assert_eq!((&states[0]["state"], &states[1]["state"]), (&"open".into(), &"applied".into()));
}

fn current() -> u32 {
    String::from_utf8(done(Command::new("id").arg("-u"))).unwrap().trim().parse().unwrap()
}

#[test]
fn an_old_approval_or_lift_from_the_register_counts_for_nothing() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let first = site.grant(LINK);
    let approval = recorded(&site, "grant-approved");
    let second = apply(&site, "mallory", "2027-06-30", &[]).ok().id('g');
    let place = ["hold", "place", "--all", "--authority", "地檢署", "--doc-no", "115-1"];
    let place = [place.as_slice(), &["--review", "2027-01-31"]].concat();
    let one = site.run_as("audrey", &place).ok().id('h');
    site.run_as("sue", &["hold", "lift", &one]).ok();
    let lift = recorded(&site, "hold-lifted");
    let two = site.run_as("mallory", &place).ok().id('h');
    let placed = recorded(&site, "hold-placed");
    let mut service = open(&site);
    for grant in [&first, &second] {
        counts_for_nothing(&mut service, "sue", &approval, approve(grant), grant);
    }
    for hold in [&one, &two] {
        let act = Act::HoldLift { hold: hold.parse().unwrap() };
        counts_for_nothing(&mut service, "sue", &lift, act, hold);
    }
    let act = Act::HoldLift { hold: two.parse().unwrap() };
    counts_for_nothing(&mut service, "audrey", &placed, act, "a placing is no lifting");
    let again = Act::HoldPlace {
        scope: HoldScope::All,
        authority: "地檢署".to_owned(),
        doc_no: "115-1".to_owned(),
        review: batchward::domain::calendar::parse_end("2027-01-31", service.engine.rules.zone)
            .unwrap(),
    };
    counts_for_nothing(&mut service, "mallory", &placed, again, "placed a second time");
}

#[test]
fn an_approval_that_was_refused_does_not_wait_for_its_hour() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let batch = no_need(&site, SMALL);
    let words = ["destroy", "request", &batch, "--reason", "no need"];
    let order = site.run_as("alice", &words).ok().id('o');
    let act = || Act::DestroyApprove { order: order.parse().unwrap() };
    let place = ["hold", "place", &batch, "--authority", "地檢署", "--doc-no", "115-1"];
    let place = [place.as_slice(), &["--review", "2027-01-31"]].concat();
    let hold = site.run_as("audrey", &place).ok().id('h');
    let mut service = open(&site);
    let text = text_of(&service.draft(&act()).unwrap(), &service).canonical();
    let signed = signed_by(&site, "sue", DECISION, &text);
    counts_for_nothing(&mut service, "sue", &signed, act(), "held");
    drop(service);
    // Somebody kept it and plays it as soon as the hold is lifted, within its time.
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    let mut service = open(&site);
    counts_for_nothing(&mut service, "sue", &signed, act(), "spent when it was refused");
    drop(service);
    assert_eq!(stands(&site, SMALL).0, "due");
}

#[test]
fn a_key_submission_counts_once() {
    let people = People::new();
    let site = with_mallory(&people, &["no-key"]);
    let batch = id_of(&site, "moca-1151102-0013");
    let act = |secret: &[u8]| Act::KeySubmit {
        batch: batch.parse().unwrap(),
        form: batchward::domain::entry::KeyForm::Identity,
        channel: "letter".to_owned(),
        secret: batchward::domain::secret::Secret::new(secret.to_vec()),
    };
    let mut service = open(&site);
    let text = text_of(&service.draft(&act(b"")).unwrap(), &service).canonical();
    let signed = signed_by(&site, "alice", COMMAND, &text);
    let wrong = std::fs::read(people.batch_key("MOCA-1151102-0001.key")).unwrap();
    assert_eq!(
        service.handle(&signer("alice", &signed), act(&wrong)).unwrap_err().exit,
        Exit::Data
    );
    counts_for_nothing(&mut service, "alice", &signed, act(&wrong), "a second time");
}

struct Counted(u64);

impl Rows for Counted {
    fn begin(&mut self, _fields: &[String]) -> std::io::Result<()> {
        Ok(())
    }

    fn row(&mut self, _values: &[String]) -> std::io::Result<()> {
        self.0 += 1;
        Ok(())
    }
}

#[test]
fn a_signed_query_counts_once_and_for_its_own_conditions() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let grant = site.grant(LINK);
    let reading = |case: &str, wanted: BTreeMap<String, String>| Reading {
        grant: grant.parse().unwrap(),
        case_no: case.to_owned(),
        reason: "資格審查".to_owned(),
        batch: None,
        wanted: Wanted::Where(wanted),
        to: "pipe".to_owned(),
        copies: Vec::new(),
    };
    let all = || reading("115-001", BTreeMap::new());
    let mut service = open(&site);
    let text = text_of(&service.draft_reading(&all()).unwrap(), &service).canonical();
    let signed = signed_by(&site, "henry", COMMAND, &text);
    let mut rows = Counted(0);
    let person = BTreeMap::from([("name".to_owned(), "王大明".to_owned())]);
    for other in [reading("115-002", BTreeMap::new()), reading("115-001", person)] {
        let error = service.read(&signer("henry", &signed), &other, &mut rows).unwrap_err();
        assert_eq!(error.exit, Exit::Refused);
    }
    let mallorys = signed_by(&site, "mallory", COMMAND, &text);
    assert!(service.read(&signer("henry", &mallorys), &all(), &mut rows).is_err());
    assert_eq!(rows.0, 0);
    service.read(&signer("henry", &signed), &all(), &mut rows).unwrap();
    assert_eq!(rows.0, 20);
    drop(service);
    let mut service = open(&site);
    let error = service.read(&signer("henry", &signed), &all(), &mut rows).unwrap_err();
    assert_eq!((error.exit, rows.0), (Exit::Refused, 20));
}

#[test]
fn what_the_register_keeps_verifies_with_stock_tools() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    site.grant(LINK);
    let signed = recorded(&site, "grant-approved");
    let key = std::fs::read_to_string(people.public("sue")).unwrap();
    let signers = site.temporary().join("signers");
    std::fs::write(&signers, format!("sue namespaces=\"{DECISION}\" {key}")).unwrap();
    let signature = site.temporary().join("signature");
    std::fs::write(&signature, &signed.signature).unwrap();
    let mut verify = Command::new("ssh-keygen");
    verify.args(["-Y", "verify", "-I", "sue", "-n", DECISION, "-f"]).arg(&signers);
    verify.arg("-s").arg(&signature).stdin(std::process::Stdio::piped());
    verify.stdout(std::process::Stdio::null());
    let mut child = verify.spawn().unwrap();
    child.stdin.take().unwrap().write_all(signed.text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}
