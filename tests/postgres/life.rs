//! The life of a batch whose rows lie in a database: the same commands, the same answers, and what differs is told.

use std::{cell::Cell, fs, os::unix::fs::PermissionsExt};

use crate::{
    UNIT,
    agent::Agent,
    support::{
        People, Ran, Site,
        postgres::{PASSWORD, Server},
        search::Values,
    },
};

const CASES: &[&str] = &["full-1000", "delta-1"];
const DOCUMENT: &str = "府資安字第1150001234號";

thread_local! {
    static NAMES: Cell<u32> = const { Cell::new(0) };
}

/// A site of the samples whose loaded data go to a new database of this server.
pub(crate) struct World<'p> {
    pub(crate) site: Site<'p>,
    pub(crate) database: String,
}

impl<'p> World<'p> {
    fn new(people: &'p People, server: &Server, plain: bool) -> Self {
        let n = NAMES.with(|names| names.replace(names.get() + 1));
        let database = format!("site_{n}");
        let site = Site::in_memory(people);
        let file = site.dir.join("vault.password");
        fs::write(&file, PASSWORD).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        let roots = site.dir.join("database-ca.pem");
        fs::copy(server.roots(), &roots).unwrap();
        let url =
            server.url(&database).replace(server.roots().to_str().unwrap(), "database-ca.pem");
        let document = if plain { format!("vault_plain: {DOCUMENT}\n") } else { String::new() };
        edit(&site, "vault: embedded\n", "socket: run/control.sock\n");
        let text = fs::read_to_string(site.dir.join("agent.yaml")).unwrap();
        fs::write(
            site.dir.join("agent.yaml"),
            format!("{text}\nvault: {url}\nvault_password: file:vault.password\n{document}"),
        )
        .unwrap();
        site.init();
        site.accounts(UNIT);
        Self { site, database }
    }

    /// As [`Self::new`], with the database set up.
    pub(crate) fn set_up(people: &'p People, server: &Server, plain: bool) -> Self {
        let world = Self::new(people, server, plain);
        let script = world.site.run(&["vault", "install", "--profile", "agent-only"]).ok();
        server.database(&world.database, script.text());
        world
    }

    pub(crate) fn count(&self, server: &Server, sql: &str) -> i64 {
        server.sql(&self.database, sql).parse().unwrap()
    }
}

fn edit(site: &Site<'_>, from: &str, to: &str) {
    let path = site.dir.join("agent.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(path, text.replace(from, to)).unwrap();
}

fn load(site: &Site<'_>) {
    site.install(&[], CASES);
    site.once();
    site.once();
    for delivery in ["moca-1151102-0001", "moca-1151102-0007"] {
        assert_eq!(site.row(delivery)["state"], "loaded", "{delivery}");
    }
}

/// What people see of the loaded data: everything, one person, one batch, a list.
fn seen(site: &Site<'_>, grant: &str) -> Vec<Vec<u8>> {
    let all = site.query(grant, &["--format", "csv"]).ok().stdout;
    let text = String::from_utf8(all.clone()).unwrap();
    let ids: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let mut shown = vec![all];
    let batch = site.row("moca-1151102-0007")["id"].as_str().unwrap().to_owned();
    shown.push(site.query(grant, &["--format", "json", "--batch", &batch]).ok().stdout);
    let one = ["query", "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
    let by_id = ["--where", "national_id=-", "--format", "csv"];
    let words = [one.as_slice(), &by_id].concat();
    shown.push(site.run_as_with("henry", &words, ids[7].as_bytes()).ok().stdout);
    let list = ["match", "--grant", grant, "--case", "115-001", "--reason", "資格審查"];
    let on = ["--input", "-", "--on", "national_id", "--format", "csv"];
    let input = format!("{}\nA199999999\n{}\n{}\n", ids[3], ids[900], ids[3]);
    let words = [list.as_slice(), &on].concat();
    shown.push(site.run_as_with("henry", &words, input.as_bytes()).ok().stdout);
    shown
}

#[test]
fn people_get_the_same_answers_from_both_stores() {
    let people = People::new();
    let server = Server::start("");
    let embedded = Site::founded(&people, &[], UNIT);
    load(&embedded);
    let other = embedded.grant("moca-full");
    let expected = seen(&embedded, &other);
    assert!(expected[0].len() > 10_000 && expected[2].len() > 20 && expected[3].len() > 40);
    for plain in [true, false] {
        let world = World::set_up(&people, &server, plain);
        load(&world.site);
        let one = world.site.grant("moca-full");
        assert!(seen(&world.site, &one) == expected, "plain: {plain}");
        assert_eq!(world.count(&server, "SELECT count(*) FROM batchward.vault"), 2);
        assert_eq!(fs::read_dir(world.site.dir.join("state/vault")).unwrap().count(), 0);
        world.site.verify();
    }
}

#[test]
fn without_a_document_the_server_never_holds_a_value() {
    let people = People::new();
    let server = Server::start("log_statement = all\nlog_parameter_max_length = -1");
    let values = Values::of(&people, CASES);
    let world = World::set_up(&people, &server, false);
    load(&world.site);
    let grant = world.site.grant("moca-full");
    seen(&world.site, &grant);
    server.sql(&world.database, "CHECKPOINT");
    // Tables, write-ahead log, temporary files; and what the server logged of what was asked.
    assert_eq!(values.search_below(&server.folder()), [], "in the folder of the server");
    assert_eq!(values.search("log", server.log().as_bytes()), [], "in the log of the server");
    // The search finds what is there: a site that accepted it.
    let world = World::set_up(&people, &server, true);
    load(&world.site);
    server.sql(&world.database, "CHECKPOINT");
    assert!(!values.search_below(&server.folder()).is_empty());
}

#[test]
fn rows_lie_in_plain_only_while_a_document_in_force_accepts_it() {
    let people = People::new();
    let server = Server::start("");
    let world = World::set_up(&people, &server, false);
    let site = &world.site;
    site.install(&[], &["small-20"]);
    site.once();
    let sealed = "SELECT count(*) FROM batchward.vault WHERE dropped IS NULL AND salt IS NOT NULL";
    let plain = "SELECT count(*) FROM batchward.vault WHERE dropped IS NULL AND salt IS NULL";
    let lie = || (world.count(&server, sealed), world.count(&server, plain));
    assert_eq!(lie(), (1, 0));
    assert!(!site.run(&["check"]).ok().text().contains("in plain"));
    let text = fs::read_to_string(site.dir.join("agent.yaml")).unwrap();
    fs::write(site.dir.join("agent.yaml"), format!("{text}vault_plain: {DOCUMENT}\n")).unwrap();
    site.install(&[], &["full-1000"]);
    site.once();
    assert_eq!(lie(), (2, 0), "one person alone");
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    site.install(&[], &["delta-1"]);
    site.once();
    assert_eq!(lie(), (2, 1));
    // One view over both: the change file in plain over the full file under its key.
    let grant = site.grant("moca-full");
    let mixed = site.query(&grant, &["--format", "csv"]).ok().stdout;
    let embedded = Site::founded(&people, &[], UNIT);
    embedded.install(&[], &["small-20"]);
    embedded.once();
    load(&embedded);
    let other = embedded.grant("moca-full");
    assert!(mixed == embedded.query(&other, &["--format", "csv"]).ok().stdout);
    // Taking it back is in force at once.
    edit(site, &format!("vault_plain: {DOCUMENT}\n"), "");
    site.install(&[], &["delta-2"]);
    site.once();
    assert_eq!(lie(), (3, 1));
    site.verify();
}

/// The words of a destruction from request to certificate; gives the order.
fn destroy(site: &Site<'_>, batch: &str, grant: &str) -> (String, Ran) {
    site.run_as("henry", &["use", "complete", grant]).ok();
    site.run_as("henry", &["use", "no-need", batch]).ok();
    site.wait_minutes(60 * 24);
    site.once();
    let order =
        site.run_as("alice", &["destroy", "request", batch, "--reason", "使用完竣"]).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    let ran = site.once();
    (order, ran)
}

#[test]
fn what_is_destroyed_is_gone_from_the_database_and_its_certificate_says_no_more_than_that() {
    let people = People::new();
    let server = Server::start("");
    let world = World::set_up(&people, &server, true);
    let site = &world.site;
    site.install(&[], &["full-1000"]);
    site.once();
    let grant = site.grant("moca-full");
    let batch = site.row("moca-1151102-0001")["id"].as_str().unwrap().to_owned();
    let tables = "SELECT count(*) FROM pg_class WHERE relname LIKE 'vault_c%'";
    assert!(world.count(&server, tables) > 0);
    let (order, ran) = destroy(site, &batch, &grant);
    assert_eq!(site.show(&batch)["state"], "closed", "{}", ran.stderr);
    assert_eq!(world.count(&server, tables), 0);
    assert_eq!(
        world.count(&server, "SELECT count(*) FROM batchward.vault WHERE dropped IS NULL"),
        0
    );
    let shown = site.run(&["certificate", "show", &order]).ok();
    let file = site.dir.join("certificate.json");
    fs::write(&file, &shown.stdout).unwrap();
    let certificate: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let copies = certificate["certificate"]["copies"].as_array().unwrap();
    let vault = copies.iter().find(|copy| copy["kind"] == "vault").unwrap();
    assert_eq!(vault["assurance"], "L0");
    assert!(vault["medium"].as_str().unwrap().starts_with("postgresql 15"));
    assert_eq!(vault["notes"][format!("plain by exception {DOCUMENT}")], 1);
    assert_eq!(vault["verification"], "name and files absent from the database");
    let limits = &vault["report"]["limits"];
    for limit in ["database-plain", "database-log", "database-backups", "not-overwritten"] {
        assert!(limits.as_array().unwrap().contains(&limit.into()), "{limit} of {limits}");
    }
    site.run(&["certificate", "verify", file.to_str().unwrap()]).ok();
    site.verify();
}

#[test]
fn what_lay_under_its_key_ends_with_the_key_and_the_certificate_says_that() {
    let people = People::new();
    let server = Server::start("");
    let world = World::set_up(&people, &server, false);
    let site = &world.site;
    site.install(&[], &["full-1000"]);
    site.once();
    let grant = site.grant("moca-full");
    let batch = site.row("moca-1151102-0001")["id"].as_str().unwrap().to_owned();
    let foreseen = site.show(&batch)["copies"].clone();
    let (order, ran) = destroy(site, &batch, &grant);
    assert_eq!(site.show(&batch)["state"], "closed", "{} {foreseen}", ran.stderr);
    let shown = site.run(&["certificate", "show", &order]).ok();
    let certificate: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let copies = certificate["certificate"]["copies"].as_array().unwrap();
    let vault = copies.iter().find(|copy| copy["kind"] == "vault").unwrap();
    assert_eq!(vault["verification"], "name and files absent from the database");
    assert_eq!(vault["method"], "readers cut off, partition detached, table dropped");
    let limits: Vec<&str> =
        vault["report"]["limits"].as_array().unwrap().iter().filter_map(|l| l.as_str()).collect();
    assert!(!limits.contains(&"database-plain"), "{limits:?}");
    assert!(!limits.contains(&"no-key-destroyed"), "{limits:?}");
    for limit in ["database-log", "database-backups", "not-overwritten"] {
        assert!(limits.contains(&limit), "{limit} of {limits:?}");
    }
    assert!(!vault["notes"].to_string().contains("plain by exception"));
    // No higher than the key store itself lets be said, and the same as of a vault in a file.
    let key = limits.iter().any(|l| ["key-store", "root-key-file", "backups-unstated"].contains(l));
    assert_eq!(vault["assurance"], if key { "L0" } else { "L3" }, "{limits:?}");
    site.verify();
}

#[test]
fn a_database_that_is_away_keeps_what_needs_it_and_the_rest_goes_on() {
    let people = People::new();
    let mut server = Server::start("");
    let world = World::set_up(&people, &server, true);
    let site = &world.site;
    site.install(&[], &["full-1000"]);
    server.down();
    site.once();
    assert_eq!(site.row("moca-1151102-0001")["state"], "verified");
    let found = site.run(&["check"]).ok();
    assert!(found.text().contains("cannot be reached"), "{}", found.text());
    server.up();
    site.once();
    assert_eq!(site.row("moca-1151102-0001")["state"], "loaded");
    let grant = site.grant("moca-full");
    server.down();
    let refused = site.query(&grant, &["--format", "csv"]).exits(75);
    assert!(refused.stderr.contains("the database cannot be reached"), "{}", refused.stderr);
    assert!(refused.stdout.is_empty() || refused.text().lines().count() == 1);
    server.up();
    assert_eq!(site.query(&grant, &["--format", "csv"]).ok().text().lines().count(), 1001);
    site.verify();
}

#[test]
fn an_administrator_is_told_what_is_missing_and_can_have_it_applied() {
    let people = People::new();
    let server = Server::start("");
    let world = World::new(&people, &server, true);
    let site = &world.site;
    let name = &world.database;
    server.sql("postgres", &format!("CREATE DATABASE {name}"));
    server.sql("postgres", &format!("CREATE ROLE batchward_agent LOGIN PASSWORD '{PASSWORD}'"));
    let found = site.run(&["check"]).ok();
    assert!(found.text().contains("it has 0 of 3 migrations"), "{}", found.text());
    let admin = server.socket_url(name).replace("batchward_agent@", "postgres@");
    let apply = ["vault", "install", "--profile", "agent-only", "--apply", "--admin", &admin];
    assert!(site.run(&apply).ok().text().contains("applied '0001-vaults.sql'"));
    assert!(site.run(&apply).ok().text().contains("has everything already"));
    let found = site.run(&["check"]).ok();
    assert!(!found.text().contains("migrations"), "{}", found.text());
    assert!(found.text().contains(DOCUMENT), "{}", found.text());
    server.sql(name, "CREATE ROLE odd LOGIN; GRANT SELECT ON batchward.vault TO odd");
    let found = site.run(&["check"]).ok();
    assert!(found.text().contains("others have rights on loaded data: odd"), "{}", found.text());
}

#[test]
fn an_agent_that_stays_goes_on_beside_a_server_that_comes_and_goes() {
    let people = People::new();
    let mut server = Server::start("");
    let world = World::set_up(&people, &server, true);
    let site = &world.site;
    edit(site, "scan_every: 30s", "scan_every: 1s");
    {
        let mut agent = Agent::start(site);
        site.install(&[], &["small-20"]);
        agent.until("loaded", |agent| agent.has_loaded(1));
        server.down();
        site.install(&[], &["full-1000"]);
        agent.until("tried in vain", |agent| agent.log().contains("code=\"database\""));
        agent.run(&["status"]);
        server.up();
        agent.until("loaded by itself", |agent| agent.has_loaded(2));
        let mut words = vec!["grant", "apply", "--link", "moca-full", "--until", "2027-06-30"];
        words.extend(["--purpose", "資格審查", "--basis", "府社婦字第1150009999號"]);
        let grant = agent.run_as("henry", &words).ok().id('g');
        agent.run_as("sue", &["grant", "approve", &grant]).ok();
        let read = ["query", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
        let rows = agent.run_as("henry", &read).ok();
        assert!(rows.text().lines().count() > 20, "{}", rows.text());
        // Killed, not ended: what it had committed is there, and nothing of it twice.
        agent.signal(rustix::process::Signal::KILL);
        let _ = agent.child.wait();
    }
    site.once();
    let loads = "SELECT count(*) FROM batchward.vault WHERE dropped IS NULL";
    assert_eq!(world.count(&server, loads), 2);
    site.verify();
}

#[test]
fn a_load_that_came_to_nothing_is_told_by_the_certificate_of_its_batch() {
    let people = People::new();
    let mut server = Server::start("");
    let world = World::set_up(&people, &server, true);
    let site = &world.site;
    site.install(&[], &["full-1000"]);
    server.down();
    site.once();
    server.up();
    site.once();
    let grant = site.grant("moca-full");
    let batch = site.row("moca-1151102-0001")["id"].as_str().unwrap().to_owned();
    let (order, ran) = destroy(site, &batch, &grant);
    assert_eq!(site.show(&batch)["state"], "closed", "{}", ran.stderr);
    let shown = site.run(&["certificate", "show", &order]).ok();
    let certificate: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let beyond = certificate["certificate"]["beyond"].to_string();
    assert!(beyond.contains("that came to nothing") && beyond.contains(DOCUMENT), "{beyond}");
    site.verify();
}

#[test]
fn a_database_is_not_left_while_loaded_data_lie_in_it() {
    let people = People::new();
    let server = Server::start("");
    let world = World::set_up(&people, &server, false);
    let site = &world.site;
    site.install(&[], &["full-1000"]);
    site.once();
    assert_eq!(site.row("moca-1151102-0001")["state"], "loaded");
    edit(site, &format!("/{}?", world.database), "/elsewhere?");
    let refused = site.run_as("ada", &["config", "propose"]).exits(77);
    assert!(refused.stderr.contains("names another place"), "{}", refused.stderr);
    site.once();
    let grant = site.grant("moca-full");
    let rows = site.query(&grant, &["--format", "csv"]).ok();
    assert_eq!(rows.text().lines().count(), 1001, "it is read where it lies");
}
