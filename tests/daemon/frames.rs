//! The socket's protocol, byte by byte: what is too long, half, slow or no message at all.

use std::{
    fs,
    io::{Read, Write},
    os::unix::net::UnixStream,
    time::Duration,
};

use serde_json::{Value, json};

use super::*;

struct Wire(UnixStream);

impl Wire {
    fn connect(site: &Site<'_>) -> Self {
        let stream = UnixStream::connect(site.dir.join("run/control.sock")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut wire = Self(stream);
        let hello = wire.read().expect("a hello");
        assert_eq!(hello["batchward"], 1);
        assert_eq!(hello["challenge"].as_str().unwrap().len(), 32);
        wire
    }

    fn read(&mut self) -> Option<Value> {
        let mut head = [0; 4];
        self.0.read_exact(&mut head).ok()?;
        let mut body = vec![0; u32::from_be_bytes(head) as usize];
        self.0.read_exact(&mut body).ok()?;
        if body.ends_with(b"  ") {
            // Filled up: it holds no JSON.
            assert!(serde_json::from_slice::<Value>(&body).is_err());
            return Some(Value::String(String::from_utf8(body).unwrap().trim_end().to_owned()));
        }
        Some(serde_json::from_slice(&body).unwrap())
    }

    fn send(&mut self, body: &[u8]) {
        let length = u32::try_from(body.len()).unwrap();
        self.0.write_all(&length.to_be_bytes()).unwrap();
        self.0.write_all(body).unwrap();
    }

    fn ask(&mut self, request: &Value) -> Value {
        self.send(request.to_string().as_bytes());
        self.read().expect("an answer")
    }

    /// Nothing more comes.
    fn is_over(&mut self) -> bool {
        self.read().is_none()
    }
}

#[test]
fn what_is_no_message_is_refused_and_the_next_request_is_answered() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let mut wire = Wire::connect(&site);
    for body in ["{}", "[", "null", "{\"run\":{\"program\":\"sh\"}}", "\u{0}"] {
        wire.send(body.as_bytes());
        let answer = wire.read().unwrap();
        assert_eq!(answer["error"]["exit"], 65, "{body}: {answer}");
        assert!(!answer.to_string().contains("program"), "what came is not repeated: {answer}");
    }
    let answer = wire.ask(&json!({"query": {"query": "site"}}));
    assert_eq!(answer["answer"]["value"]["origin"], "batchward/taoyuan-dwcd");
    let command = json!({"command": {"command": {"command": "clock-confirm"}, "secret": "AAAA"}});
    assert_eq!(wire.ask(&command)["error"]["exit"], 64, "a key beside a command that takes none");
    let submit = json!({"command": {"command": {"command": "key-submit", "batch": "b-00000001",
        "form": "identity", "channel": "letter"}}});
    assert_eq!(wire.ask(&submit)["error"]["exit"], 64, "no key beside the command that takes one");
    agent.stop();
}

#[test]
fn what_is_too_long_is_refused_before_it_is_received() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    for head in [[0xFF; 4], [0, 0x40, 0, 1], [0; 4]] {
        let mut wire = Wire::connect(&site);
        wire.0.write_all(&head).unwrap();
        let answer = wire.read().unwrap();
        assert_eq!(answer["error"]["exit"], 65, "{head:?}: {answer}");
        assert!(wire.is_over(), "what follows cannot be told from a request");
    }
    agent.run(&["status"]).ok();
    agent.stop();
}

#[test]
fn half_a_request_and_silence_keep_nobody_else_waiting() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let mut half = Wire::connect(&site);
    half.0.write_all(&[0, 0, 1, 0, b'{']).unwrap();
    let mut slow = Wire::connect(&site);
    slow.0.write_all(&[0, 0]).unwrap();
    agent.run(&["status"]).ok();
    let begun = std::time::Instant::now();
    assert!(half.is_over() && slow.is_over(), "silence ends a connection");
    assert!(begun.elapsed() < Duration::from_secs(45));
    agent.stop();
}

#[test]
fn more_connections_than_seats_are_turned_away_with_a_reason() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let seated: Vec<Wire> = (0..128).map(|_| Wire::connect(&site)).collect();
    let ran = agent.run(&["status"]).exits(75);
    assert!(ran.stderr.contains("too many connections"), "{}", ran.stderr);
    drop(seated);
    std::thread::sleep(Duration::from_millis(300));
    agent.run(&["status"]).ok();
    agent.stop();
}

#[test]
fn a_challenge_is_signed_for_one_connection_only() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let mut wire = Wire::connect(&site);
    let by = json!({"name": "sue", "signed": {"text": "{}", "signature": "x", "key": ""}});
    assert_eq!(wire.ask(&json!({"identify": by}))["error"]["exit"], 77);
    let by = json!({"name": "nobody-here", "signed": {"text": "{}", "signature": "x", "key": ""}});
    assert_eq!(wire.ask(&json!({"identify": by}))["error"]["exit"], 77);
    agent.stop();
}

#[test]
fn rows_that_wait_for_a_slow_reader_stay_here_once_the_grant_has_ended() {
    let people = People::new();
    let (site, provider) = laid_out_for(&people, UNIT, |site| {
        let policy = site.dir.join("policies/nantou-verification.yaml");
        replaced(&policy, "row_cap: { value: 10000,", "row_cap: { value: 1000000,");
    });
    let mut agent = Agent::start(&site);
    provider.deliver(0..1, 20_000);
    agent.until("loaded", |agent| agent.has_loaded(1));
    let link = fs::read_to_string(site.dir.join("links/small.yaml")).unwrap();
    let units = link.lines().find_map(|line| line.strip_prefix("units: [")).unwrap();
    let unit = units.trim_end_matches(']').split(',').next().unwrap().trim();
    let user = support::myself();
    let add = ["account", "add", "hans", "--role", "handler", "--unit", unit, "--unix-user", &user];
    agent.run_as("ada", &add).ok();
    agent.run_as("ben", &["account", "confirm", "hans"]).ok();
    let apply = ["grant", "apply", "--link", "small", "--until", "2027-06-30", "--unit", unit];
    let more = ["--purpose", "資格審查", "--basis", "府社婦字第1150009999號"];
    let grant = agent.run(&[apply.as_slice(), &more].concat()).ok().id('g');
    agent.run_as("sue", &["grant", "approve", &grant]).ok();
    let mut wire = Wire::connect(&site);
    let fields = wire.ask(&json!({"read": {"reading": {"grant": grant, "case_no": "115-001",
        "reason": "資格審查", "batch": null, "wanted": {"where": {}}, "to": "pipe"}}}));
    assert!(fields["fields"].is_array(), "{fields}");
    // Nothing is taken until everything on the way is full.
    std::thread::sleep(Duration::from_secs(2));
    let sent = rustix::io::ioctl_fionread(&wire.0).unwrap();
    assert!(support::vault_is_read(&site.dir), "it waits for its reader");
    agent.run_as("sue", &["grant", "revoke", &grant]).ok();
    // The reader still takes nothing; the vault is closed all the same, and its key is gone.
    agent.until("closed", |_| !support::vault_is_read(&site.dir));
    assert_eq!(rustix::io::ioctl_fionread(&wire.0).unwrap(), sent, "nothing more went out");
    let (mut came, mut end) = (0, Value::Null);
    while let Some(part) = wire.read() {
        if !part["rows"].is_array() && !part.is_string() {
            end = part;
            break;
        }
        came += part.as_str().map_or_else(|| part.to_string().len(), str::len) as u64;
    }
    assert_eq!(end["error"]["exit"], 77, "{end}");
    assert!(came <= sent + 1_000, "{sent} bytes were out of the agent's hands, {came} came");
    agent.stop();
}
