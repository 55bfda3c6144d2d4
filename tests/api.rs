//! The socket for services: is there such a person, yes or no. The people are synthetic.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "daemon/agent.rs"]
#[allow(dead_code, reason = "the tests of the agent use the rest")]
mod agent;
#[path = "api/service.rs"]
mod service;
mod support;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use agent::{Agent, laid_out_for, replaced};
use rustix::process::Signal;
use serde_json::{Value, json};
use service::Service;
use support::{
    People, Ran, Site,
    provider::{Provider, national_id},
};

const UNIT: &str = "資訊科";
const PEOPLE: u64 = 300;

/// A site with one batch, a service that runs as this test, and the agent.
fn laid_out(people: &People) -> (Site<'_>, Provider) {
    let (site, provider) = laid_out_for(people, UNIT, |site| {
        replaced(&site.dir.join("agent.yaml"), "socket: run/", "api: run/api.sock\nsocket: run/");
    });
    let add = ["account", "add", "gate", "--role", "service", "--unit", UNIT, "--unix-user"];
    site.run_as("ada", &[add.as_slice(), &[&support::myself()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "gate"]).ok();
    provider.deliver(0..1, PEOPLE);
    site.once();
    site.once();
    assert_eq!(site.batches()[0]["state"], "loaded");
    (site, provider)
}

const APPLY: [&str; 11] = [
    "grant",
    "apply",
    "--link",
    "small",
    "--until",
    "2027-06-30",
    "--purpose",
    "身分驗證",
    "--basis",
    "府社婦字第1150009999號",
    "--for",
];

fn applied(agent: &Agent<'_, '_>, rate: &str, budget: &str) -> Ran {
    let more = ["gate", "--rate", rate, "--budget", budget];
    agent.run_as("henry", &[APPLY.as_slice(), &more].concat())
}

fn granted(agent: &Agent<'_, '_>, rate: &str, budget: &str) -> String {
    let grant = applied(agent, rate, budget).ok().id('g');
    agent.run_as("sue", &["grant", "approve", &grant]).ok();
    grant
}

fn person(n: u64) -> Value {
    json!({"national_id": national_id(n), "name": format!("王小明{n}"), "birth_date": "0800101"})
}

fn question(grant: &str, person: &Value) -> Value {
    json!({"grant": grant, "case_no": "115-0042", "reason": "身分驗證", "person": person})
}

/// Lines of the access log of questions, oldest first.
fn logged(agent: &Agent<'_, '_>) -> Vec<Value> {
    let ran = agent.run_as("audrey", &["access", "show", "--json"]).ok().json();
    let lines = ran.as_array().unwrap().iter();
    lines.filter(|line| line["operation"] == "verify").cloned().collect()
}

#[test]
fn a_service_learns_yes_or_no_and_each_question_is_in_the_access_log_before() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let grant = granted(&agent, "600", "100000");
    let service = Service::of(&site);
    let asked = |person: &Value| question(&grant, person);
    service.is_told(&asked(&person(7)), true);
    for (field, value) in [
        ("national_id", national_id(8)),
        ("name", "王小明8".to_owned()),
        ("birth_date", "0800102".to_owned()),
    ] {
        let mut other = person(7);
        other[field] = json!(value);
        service.is_told(&asked(&other), false);
    }
    // As people type it: at full width, in small letters, in either calendar.
    for (field, value) in [
        ("national_id", national_id(7).to_lowercase()),
        ("national_id", format!(" {}", national_id(7))),
        ("birth_date", "080/1/1".to_owned()),
        ("birth_date", "1991-01-01".to_owned()),
        ("birth_date", "０８００１０１".to_owned()),
    ] {
        let mut typed = person(7);
        typed[field] = json!(value);
        service.is_told(&asked(&typed), true);
    }
    // A stock client, which keeps its connection.
    let script = "import http.client,json,os,socket,sys\n\
        class Local(http.client.HTTPConnection):\n\
        \x20def connect(self):\n\
        \x20 self.sock=socket.socket(socket.AF_UNIX); self.sock.connect(sys.argv[1])\n\
        c=Local('localhost')\n\
        for _ in range(3):\n\
        \x20c.request('POST','/v1/verifications',os.fsencode(sys.argv[2]),{'Content-Type':'application/json; charset=utf-8'})\n\
        \x20r=c.getresponse(); assert r.status==200,r.read(); print(json.load(r)['resident'])\n\
        c.request('GET','/v1/openapi.json'); r=c.getresponse(); assert json.load(r)['openapi']=='3.1.0'\n";
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", script]).arg(&service.path).arg(asked(&person(9)).to_string());
    assert_eq!(support::done(&mut python), b"True\nTrue\nTrue\n");
    let lines = logged(&agent);
    let asked: Vec<&Value> = lines.iter().filter(|line| line["subject"].is_object()).collect();
    assert_eq!(asked.len(), 12, "{lines:#?}");
    assert!(asked.iter().all(|line| line["account"] == "gate" && line["case_no"] == "115-0042"));
    let rows: u64 = lines.iter().filter_map(|line| line["rows"].as_u64()).sum();
    assert_eq!(rows, 9, "as many yes: {lines:#?}");
    // Nobody of whom it was asked is in the register or in what the agent said.
    let told =
        fs::read_to_string(site.dir.join("state/register/checkpoint")).unwrap() + &agent.log();
    assert!(!told.contains(&national_id(7)) && !told.contains("王小明7"));
    agent.stop();
    site.verify();
}

#[test]
fn a_budget_is_never_asked_twice_and_a_rate_is_waited_out() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let service = Service::of(&site);
    let brief = granted(&agent, "600", "3");
    for n in 0..3 {
        service.is_told(&question(&brief, &person(n)), true);
    }
    service.is_refused(&question(&brief, &person(3)), 403, "the budget of");
    let rated = granted(&agent, "2", "10");
    for n in 0..2 {
        service.is_told(&question(&rated, &person(n)), true);
    }
    for _ in 0..3 {
        let answer = service.asks(&question(&rated, &person(3)));
        assert_eq!(answer.status, 429, "{answer:?}");
        let wait = answer.head.split("retry-after: ").nth(1).unwrap();
        let wait: u64 = wait.split("\r\n").next().unwrap().parse().unwrap();
        assert!((1..=60).contains(&wait), "{wait}");
    }
    // Told once a minute and not each time.
    let entries = agent.run(&["register", "show", "--json"]).ok().json();
    let told = entries.as_array().unwrap().iter();
    let often = |entry: &&Value| entry.to_string().contains("more than 2 questions a minute");
    assert_eq!(told.filter(often).count(), 1);
    // What a kill leaves of what was taken out is lost, and nothing is given twice.
    let budget = granted(&agent, "600", "1000");
    for n in 0..7 {
        service.is_told(&question(&budget, &person(n)), true);
    }
    let drawn = |agent: &Agent<'_, '_>| {
        let grants = agent.run(&["grant", "list", "--json"]).ok().json();
        let of = |id: &str| {
            grants.as_array().unwrap().iter().find(|row| row["id"] == *id).unwrap()["drawn"].clone()
        };
        (of(&brief), of(&rated), of(&budget))
    };
    assert_eq!(drawn(&agent), (json!(3), json!(2), json!(10)));
    agent.signal(Signal::KILL);
    drop(agent);
    let agent = Agent::start(&site);
    service.is_refused(&question(&brief, &person(3)), 403, "the budget of");
    service.is_told(&question(&budget, &person(7)), true);
    assert_eq!(drawn(&agent), (json!(3), json!(2), json!(15)));
    let refused: Vec<Value> =
        logged(&agent).into_iter().filter(|line| line["refused"].is_string()).collect();
    assert_eq!(refused.len(), 2, "the two of the used up budget: {refused:#?}");
    agent.stop();
    site.verify();
}

fn words<'w>(more: &[&'w str]) -> Vec<&'w str> {
    [&APPLY[..10], more].concat()
}

#[test]
fn who_may_ask_for_whom_and_how_much_is_said_in_the_grant() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let service = Service::of(&site);
    // Who may have such a grant, and on what terms.
    for (more, code) in [
        (&["--for", "gate", "--rate", "0", "--budget", "1"][..], 64),
        (&["--for", "gate", "--rate", "6001", "--budget", "1"], 64),
        (&["--for", "gate", "--rate", "1", "--budget", "0"], 64),
        (&["--for", "sue", "--rate", "1", "--budget", "1"], 64),
        (&["--for", "nobody", "--rate", "1", "--budget", "1"], 64),
        (&["--for", "gate", "--rate", "1"], 64),
        (&["--rate", "1", "--budget", "1"], 64),
    ] {
        agent.run_as("henry", &words(more)).exits(code);
    }
    let own = agent.run_as("henry", &words(&[])).ok().id('g');
    agent.run_as("sue", &["grant", "approve", &own]).ok();
    let waits = applied(&agent, "60", "60").ok().id('g');
    let key = people.public("henry");
    for more in [
        &["--role", "service,handler", "--unix-user", "nobody"][..],
        &["--role", "service", "--sign-key", key.to_str().unwrap()],
        &["--role", "service"],
    ] {
        agent.run_as("ada", &[&["account", "add", "other"], more].concat()).exits(64);
    }
    let everybody = person(1);
    service.is_refused(&question(&own, &everybody), 403, "is not your grant");
    service.is_refused(&question(&waits, &everybody), 403, "is applied");
    service.is_refused(&question("g-00000099", &everybody), 403, "is not your grant");
    agent.stop();
    site.verify();
}

#[test]
fn what_is_no_question_of_its_grant_is_refused_and_so_is_what_is_no_http() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let service = Service::of(&site);
    let everybody = person(1);
    let narrow = words(&["--for", "gate", "--rate", "60", "--budget", "60", "--fields"]);
    let narrow = agent.run_as("henry", &[narrow.as_slice(), &["national_id,name"]].concat());
    let narrow = narrow.ok().id('g');
    agent.run_as("sue", &["grant", "approve", &narrow]).ok();
    service.is_refused(&question(&narrow, &everybody), 403, "'birth_date' is not granted");
    let grant = granted(&agent, "600", "600");
    service.is_refused(
        &question(&grant, &json!({"national_id": national_id(1)})),
        422,
        "at least one field more",
    );
    service.is_refused(
        &question(&grant, &json!({"name": "王小明1", "birth_date": "0800101"})),
        422,
        "at least one field more",
    );
    for (field, value) in [("birth_date", "yesterday"), ("birth_date", ""), ("name", "　 ")] {
        let mut odd = person(1);
        odd[field] = json!(value);
        service.is_refused(&question(&grant, &odd), 422, "is none of that field");
    }
    let mut odd = person(1);
    odd["shoe_size"] = json!("42");
    service.is_refused(&question(&grant, &odd), 403, "'shoe_size' is not granted");
    let mut blank = question(&grant, &everybody);
    blank["case_no"] = json!(" ");
    service.is_refused(&blank, 422, "the case number");
    let mut long = question(&grant, &everybody);
    long["person"]["name"] = json!("長".repeat(3_000));
    service.is_refused(&long, 422, "a value to look for");
    long["person"]["name"] = json!("長".repeat(9_000));
    service.is_refused(&long, 413, "too long");
    let mut more = question(&grant, &everybody);
    more["limit"] = json!(1);
    service.is_refused(&more, 400, "this is no question");
    // HTTP of the wrong kind.
    let post = "POST /v1/verifications HTTP/1.1";
    assert_eq!(service.request(post, b"{}").status, 415);
    assert_eq!(service.request("GET /v1/verifications HTTP/1.1", b"").status, 405);
    assert_eq!(service.request("POST /v1/openapi.json HTTP/1.1", b"").status, 405);
    assert_eq!(service.request("GET /v1/residents HTTP/1.1", b"").status, 404);
    let description = service.request("GET /v1/openapi.json HTTP/1.1", b"");
    let page = fs::read(support::root().join("docs/openapi.json")).unwrap();
    assert_eq!(description.body, serde_json::from_slice::<Value>(&page).unwrap());
    for noise in [
        &b"\x00\x00\x00\x10{\"identify\":1}\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/verifications HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nContent-Length: 10\r\n\r\n",
        &[b'a'; 100_000],
    ] {
        let back = service.says(noise);
        assert!(back.is_empty() || back.starts_with(b"HTTP/1.1 4"), "{back:?}");
    }
    // After its end.
    agent.run_as("sue", &["grant", "revoke", &grant]).ok();
    service.is_refused(&question(&grant, &everybody), 403, "is revoked");
    agent.stop();
    site.verify();
}

#[test]
fn a_no_is_said_only_where_all_was_looked_through_and_somebody_answers_for_it() {
    let people = People::new();
    people.new_key("hugo");
    let (site, _) = laid_out(&people);
    let key = people.public("hugo");
    let add = ["account", "add", "hugo", "--role", "handler", "--unit", UNIT, "--sign-key"];
    site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "hugo"]).ok();
    let agent = Agent::start(&site);
    let service = Service::of(&site);
    // Nothing of it is loaded.
    let other = [&["grant", "apply", "--link", "nantou-verify"][..], &APPLY[4..]].concat();
    let other = [other.as_slice(), &["gate", "--rate", "60", "--budget", "60"]].concat();
    let empty = agent.run_as("henry", &other).ok().id('g');
    agent.run_as("sue", &["grant", "approve", &empty]).ok();
    service.is_refused(&question(&empty, &person(1)), 403, "can be looked through");
    // Who applied for it has left.
    let apply = [APPLY.as_slice(), &["gate", "--rate", "60", "--budget", "60"]].concat();
    let grant = agent.run_as("hugo", &apply).ok().id('g');
    agent.run_as("sue", &["grant", "approve", &grant]).ok();
    service.is_told(&question(&grant, &person(1)), true);
    agent.run_as("ada", &["account", "disable", "hugo"]).ok();
    service.is_refused(&question(&grant, &person(1)), 403, "nobody answers for 'gate'");
    agent.run_as("henry", &["use", "complete", &grant]).ok();
    // A post would lend it a person's role.
    let post = ["appointment", "add", "gate", "--post", "supervisor", "--from", "2026-11-01"];
    let post = [post.as_slice(), &["--doc-no", "府社人字第1150001234號"]].concat();
    let said = agent.run_as("ada", &post).stderr;
    assert!(said.contains("holds no post"), "{said}");
    // An account that becomes a person's reads no row by what a service was granted.
    let grant = granted(&agent, "60", "60");
    let myself = support::myself();
    let again = ["account", "add", "gate", "--role", "handler", "--unit", UNIT, "--unix-user"];
    agent.run_as("ada", &[again.as_slice(), &[&myself]].concat()).ok();
    agent.run_as("ben", &["account", "confirm", "gate"]).ok();
    let query = ["query", "--grant", &grant, "--case", "115-1", "--reason", "身分驗證"];
    let ran = agent.run(&[query.as_slice(), &["--format", "csv"]].concat()).exits(77);
    assert!(ran.stderr.contains("for yes or no"), "{}", ran.stderr);
    service.is_refused(&question(&grant, &person(1)), 403, "is not the account of a service");
    agent.stop();
    site.verify();
}

/// What the description says may come back is what comes back.
#[test]
fn each_status_of_the_description_is_one_that_the_program_knows() {
    let page = fs::read(support::root().join("docs/openapi.json")).unwrap();
    let page: Value = serde_json::from_slice(&page).unwrap();
    let of = &page["paths"]["/v1/verifications"]["post"]["responses"];
    let said: BTreeSet<&str> = of.as_object().unwrap().keys().map(String::as_str).collect();
    let known = ["200", "400", "403", "408", "413", "415", "422", "429", "500", "503"];
    assert_eq!(said, BTreeSet::from(known));
}

#[test]
fn another_user_of_the_machine_is_not_the_service() {
    assert!(rustix::process::geteuid().is_root(), "only root can be another user");
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let grant = granted(&agent, "600", "600");
    let (run, above) = (site.dir.join("run"), site.dir.parent().unwrap());
    for path in [above, &site.dir, &run] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let as_other = |socket: &Path, uid: &str| {
        let script = "import socket,sys\n\
            s=socket.socket(socket.AF_UNIX)\n\
            try: s.connect(sys.argv[1])\n\
            except PermissionError: print('closed'); sys.exit()\n\
            b=sys.argv[2].encode()\n\
            s.sendall(b'POST /v1/verifications HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n'\n\
            \x20 b'Content-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n' % len(b) + b)\n\
            d=b''\n\
            while True:\n\
            \x20r=s.recv(65536)\n\
            \x20if not r: break\n\
            \x20d+=r\n\
            print(d.split(b' ')[1].decode(), d.split(b'\\r\\n\\r\\n')[1].decode())\n";
        let mut command = Command::new("setpriv");
        command.args(["--reuid", uid, "--regid", uid, "--clear-groups", "/usr/bin/python3", "-c"]);
        command.arg(script).arg(socket).arg(question(&grant, &person(1)).to_string());
        String::from_utf8(support::done(&mut command)).unwrap()
    };
    let socket = run.join("api.sock");
    assert_eq!(as_other(&socket, "65531"), "closed\n", "its mode lets nobody else in");
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).unwrap();
    let said = as_other(&socket, "65531");
    assert!(said.starts_with("403 ") && said.contains("has no account here"), "{said}");
    // Nor is another service, which looks nothing up at the socket for people either.
    agent
        .run_as("ada", &["account", "add", "other", "--role", "service", "--unix-user", "nobody"])
        .ok();
    agent.run_as("ben", &["account", "confirm", "other"]).ok();
    let said = as_other(&socket, "65534");
    assert!(said.starts_with("403 ") && said.contains("is not your grant"), "{said}");
    fs::set_permissions(run.join("control.sock"), fs::Permissions::from_mode(0o666)).unwrap();
    for words in [&["batch", "list"][..], &["register", "show"], &["grant", "revoke", &grant]] {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
        command.arg(env!("CARGO_BIN_EXE_batchward")).arg("--config");
        command.arg(site.dir.join("agent.yaml")).args(["--test-clock", &agent.time()]).args(words);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(77), "{words:?}: {said}");
        assert!(output.stdout.is_empty());
    }
    agent.stop();
}

/// Printed for docs/api.md; the bound is far from what is measured, and no figure.
#[test]
fn a_question_is_answered_in_time() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let grant = granted(&agent, "6000", "100000");
    let service = Service::of(&site);
    let mut times: Vec<Duration> = (0..50)
        .map(|n| {
            let begun = Instant::now();
            service.is_told(&question(&grant, &person(n)), true);
            begun.elapsed()
        })
        .collect();
    times.sort();
    println!("median of 50: {:?}, slowest: {:?}", times[25], times[49]);
    assert!(times[25] < Duration::from_secs(2), "{times:?}");
    agent.stop();
}
