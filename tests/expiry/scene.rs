//! Where the table is played: a site with one batch of many synthetic people on a store, an agent, and a grant that ends.

use std::{
    cell::RefCell,
    fs,
    io::{Read, Write},
    os::unix::{fs::PermissionsExt, net::UnixStream},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    UNIT,
    agent::{Agent, laid_out_for, replaced},
    support::{
        self, People, Ran, Site,
        postgres::{PASSWORD, Server},
    },
};

/// More people than everything on the way to a reader holds.
const PEOPLE: u64 = 20_000;
const DOCUMENT: &str = "府資安字第1150001234號";

/// What comes of a way once the grant is over.
pub(crate) type After<'s> = Box<dyn FnOnce() -> &'static str + 's>;

/// Where rows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Embedded,
    Sealed,
    Plain,
}

impl Store {
    pub(crate) const ALL: [Self; 3] = [Self::Embedded, Self::Sealed, Self::Plain];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded vault",
            Self::Sealed => "PostgreSQL, sealed",
            Self::Plain => "PostgreSQL, in plain",
        }
    }
}

/// A site whose one batch is loaded.
pub(crate) struct World<'p> {
    pub(crate) site: Site<'p>,
    pub(crate) store: Store,
    pub(crate) server: Option<Server>,
    /// ID numbers of the people.
    pub(crate) ids: Vec<String>,
}

impl<'p> World<'p> {
    pub(crate) fn new(people: &'p People, store: Store) -> Self {
        let server = (store != Store::Embedded).then(|| Server::start(""));
        let (site, provider) = laid_out_for(people, UNIT, |site| {
            let link = site.dir.join("links/small.yaml");
            replaced(&link, "policy: nantou-verification", "policy: taoyuan-dwcd");
            let policy = site.dir.join("policies/taoyuan-dwcd.yaml");
            replaced(&policy, "row_cap: { value: 10000,", "row_cap: { value: 1000000,");
            if let Some(server) = &server {
                named(site, server, store == Store::Plain);
            }
        });
        if let Some(server) = &server {
            let script = site.run(&["vault", "install", "--profile", "agent-only"]).ok();
            server.database("b", script.text());
        }
        let user = support::myself();
        let add = ["account", "add", "hans", "--role", "handler", "--unit", UNIT, "--unix-user"];
        site.run_as("ada", &[add.as_slice(), &[&user]].concat()).ok();
        site.run_as("ben", &["account", "confirm", "hans"]).ok();
        provider.deliver(0..1, PEOPLE);
        site.once();
        site.once();
        assert_eq!(site.batches()[0]["state"], "loaded");
        let mut world = Self { site, store, server, ids: Vec::new() };
        let grant = world.granted(&world.site.time(), "2027-06-30");
        let all = world.read_slowly(&grant);
        let id = |row: &Value| row["national_id"].as_str().unwrap().to_owned();
        world.ids = all.as_array().unwrap().iter().map(id).collect();
        assert_eq!(world.ids.len() as u64, PEOPLE);
        world.site.wait_minutes(5);
        world
    }

    /// Everybody, by a command whose output is taken only after the store was seen open: what waits for its being closed
    /// would see that it is not.
    fn read_slowly(&self, grant: &str) -> Value {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(self.site.dir.join("agent.yaml"));
        command.args(["--test-clock", &self.site.time(), "query", "--grant", grant]);
        command.args(["--case", "115-001", "--reason", "資格審查", "--format", "json"]);
        command.env_clear().env("LANG", "C.UTF-8").stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.spawn().unwrap();
        let begun = Instant::now();
        while !self.is_open() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the store is never seen open");
            thread::sleep(Duration::from_millis(50));
        }
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success());
        assert!(!self.is_open(), "the store stays open after its reader");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Whether the store is open for somebody.
    fn is_open(&self) -> bool {
        if self.store != Store::Embedded {
            let ask = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'batchward_agent'";
            return self.sql(ask) != "0";
        }
        support::vault_is_read(&self.site.dir)
    }

    /// A grant of hans until then.
    pub(crate) fn granted(&self, now: &str, until: &str) -> String {
        let site = &self.site;
        let apply = ["grant", "apply", "--link", "small", "--until", until, "--unit", UNIT];
        let more = ["--purpose", "資格審查", "--basis", "府社婦字第1150009999號"];
        let words = [apply.as_slice(), &more].concat();
        let grant = site.run_at(now, &words, &[], b"").ok().id('g');
        let key = site.people.key("sue");
        let sue = ["--as", "sue", "--sign-with", key.to_str().unwrap()];
        site.run_at(&later(now, 1), &["grant", "approve", &grant], &sue, b"").ok();
        site.wait_minutes(1);
        grant
    }

    /// `query` or `match` of hans.
    pub(crate) fn asks(&self, now: &str, grant: &str, word: &str, more: &[&str]) -> Ran {
        let words = [word, "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
        self.site.run_at(now, &[words.as_slice(), more].concat(), &[], b"")
    }

    /// What the administrator of the database is told.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.server.as_ref().unwrap().sql("b", sql)
    }
}

/// A time so many seconds after another.
pub(crate) fn later(time: &str, seconds: i64) -> String {
    let time = chrono::DateTime::parse_from_rfc3339(time).unwrap();
    (time + chrono::TimeDelta::seconds(seconds)).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

/// Names the database in `agent.yaml`.
fn named(site: &Site<'_>, server: &Server, plain: bool) {
    let file = site.dir.join("vault.password");
    fs::write(&file, PASSWORD).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::copy(server.roots(), site.dir.join("database-ca.pem")).unwrap();
    let url = server.url("b").replace(server.roots().to_str().unwrap(), "database-ca.pem");
    let document = if plain { format!("vault_plain: {DOCUMENT}\n") } else { String::new() };
    let vault = format!("vault: {url}\nvault_password: file:vault.password\n{document}");
    replaced(&site.dir.join("agent.yaml"), "vault: embedded\n", &vault);
}

/// A world with an agent whose grant is about to end, or without either.
pub(crate) struct Scene<'s> {
    pub(crate) world: &'s World<'s>,
    agent: Option<Agent<'s, 's>>,
    pub(crate) grant: String,
    end: Option<Instant>,
    /// Grants of further days, for ways without an agent.
    days: RefCell<i64>,
}

impl<'s> Scene<'s> {
    /// A grant of so many seconds.
    pub(crate) fn of(world: &'s World<'s>, agent: Agent<'s, 's>, seconds: i64) -> Self {
        let now = agent.time();
        // Whole seconds, rounded down: it ends no later than is waited for.
        let until = later(&now, seconds);
        let end = Instant::now() + Duration::from_secs(seconds.unsigned_abs());
        let apply = ["grant", "apply", "--link", "small", "--until", &until, "--unit", UNIT];
        let more = ["--purpose", "資格審查", "--basis", "府社婦字第1150009999號"];
        let grant = agent.run(&[apply.as_slice(), &more].concat()).ok().id('g');
        agent.run_as("sue", &["grant", "approve", &grant]).ok();
        let (agent, end) = (Some(agent), Some(end));
        Self { world, agent, grant, end, days: RefCell::new(0) }
    }

    pub(crate) fn without(world: &'s World<'s>) -> Self {
        Self { world, agent: None, grant: String::new(), end: None, days: RefCell::new(0) }
    }

    pub(crate) fn agent(&self) -> &Agent<'s, 's> {
        self.agent.as_ref().unwrap()
    }

    pub(crate) fn left(&self) -> Duration {
        self.end.unwrap().saturating_duration_since(Instant::now())
    }

    /// A grant to the end of a further day, and that day's time five seconds before its end.
    pub(crate) fn last_seconds(&self) -> (String, String) {
        let n = *self.days.borrow() + 1;
        *self.days.borrow_mut() = n;
        let day = chrono::NaiveDate::from_ymd_opt(2026, 11, 22).unwrap()
            + chrono::Days::new(n.unsigned_abs());
        let grant = self.world.granted(&format!("{day}T10:00:00+08:00"), &day.to_string());
        (grant, format!("{day}T23:59:55+08:00"))
    }

    /// Asks for rows and takes none; back when everything on the way is full.
    pub(crate) fn stalls(&self, wanted: &Value) -> Wire {
        let mut wire = Wire::connect(&self.world.site);
        let fields = wire.ask(&self.reading(wanted));
        assert!(fields["fields"].is_array(), "{fields}");
        let mut before = 0;
        loop {
            thread::sleep(Duration::from_millis(400));
            let held = wire.held();
            if held > 0 && held == before {
                return wire;
            }
            before = held;
        }
    }

    pub(crate) fn reading(&self, wanted: &Value) -> Value {
        json!({"read": {"reading": {"grant": self.grant, "case_no": "115-001",
            "reason": "資格審查", "batch": null, "wanted": wanted, "to": "pipe"}}})
    }

    /// Waits until the store is closed: no later than moments after the end.
    #[track_caller]
    pub(crate) fn closes(&self) {
        let begun = Instant::now();
        while self.world.is_open() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the store stays open");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A connection to the agent, frame by frame.
pub(crate) struct Wire {
    stream: UnixStream,
    /// Rows of which at least the beginning came.
    pub(crate) rows: u64,
}

/// What came after the end.
pub(crate) struct Came {
    /// Bytes that hold something.
    pub(crate) bytes: u64,
    /// How it ended, where a frame said so.
    pub(crate) end: Option<Value>,
}

impl Wire {
    pub(crate) fn connect(site: &Site<'_>) -> Self {
        let stream = UnixStream::connect(site.dir.join("run/control.sock")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut wire = Self { stream, rows: 0 };
        assert_eq!(wire.frame().expect("a hello")["batchward"], 1);
        wire
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head).ok()?;
        let mut body = vec![0; u32::from_be_bytes(head) as usize];
        self.stream.read_exact(&mut body).ok()?;
        Some(body)
    }

    pub(crate) fn frame(&mut self) -> Option<Value> {
        let frame: Value = self.bytes().map(|body| serde_json::from_slice(&body).unwrap())?;
        self.rows += frame["rows"].as_array().map_or(0, |rows| rows.len() as u64);
        Some(frame)
    }

    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        let body = request.to_string();
        self.stream.write_all(&u32::try_from(body.len()).unwrap().to_be_bytes()).unwrap();
        self.stream.write_all(body.as_bytes()).unwrap();
        self.frame().expect("an answer")
    }

    /// Bytes that are out of the agent's hands and were not taken.
    pub(crate) fn held(&self) -> u64 {
        rustix::io::ioctl_fionread(&self.stream).unwrap()
    }

    /// Takes everything that still comes, to the end of it.
    pub(crate) fn drained(&mut self) -> Came {
        let mut bytes = 0;
        while let Some(body) = self.bytes() {
            let blank = body.iter().rev().take_while(|byte| **byte == b' ').count();
            match serde_json::from_slice::<Value>(&body) {
                Ok(frame) if !frame["rows"].is_array() => return Came { bytes, end: Some(frame) },
                frame => {
                    bytes += 4 + (body.len() - blank) as u64;
                    let whole = frame.ok().and_then(|frame| Some(frame["rows"].as_array()?.len()));
                    // Values of the synthetic people hold no brackets: each row begins with one, and so does their list.
                    let begun =
                        || body.iter().filter(|byte| **byte == b'[').count().saturating_sub(1);
                    self.rows += whole.unwrap_or_else(begun) as u64;
                }
            }
        }
        Came { bytes, end: None }
    }
}
