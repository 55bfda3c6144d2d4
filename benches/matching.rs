//! `match` of a long list beside the raw join of the same list with the same people: `cargo bench --bench matching`.
//!
//! Ours is what the agent does once the asking is recorded: the vault is opened under its key, the list is looked up, and
//! every row is taken, in the order of the list. The peer of the embedded vault is plain SQLite (an index on the number,
//! the list in a temporary table, a join); that of PostgreSQL is `psql` with the same over its socket, from a plain table
//! with a primary key, its rows to a file. Neither peer decrypts anything, and none has a rule of a current view.
//!
//! The sides take turns; medians are compared. People are synthetic: their numbers have the form of ID numbers and no
//! check digits. One in five of the list is nobody.
//!
//! `--people N` (5000000), `--list N` (100000), `--runs N` (3), `--only embedded|postgres`.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::too_many_lines,
    reason = "a measuring program: whatever does not work ends it; it shares the server with the tests"
)]

#[path = "../tests/support/postgres.rs"]
mod postgres;

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use batchward::{
    adapters::{
        postgres::{Asked, Loader, Lying, Place, dial, script},
        vault::{Column, Vault, VaultBuilder, Window},
        vault_view::Sets,
    },
    domain::{
        database::{Database, PasswordSource, Profile},
        ids::CopyId,
        secret::Secret,
    },
};
use postgres::{PASSWORD, Server};

const SITE: &str = "taoyuan-dwcd";
const COLUMNS: [&str; 4] = ["national_id", "name", "birth_date", "village"];
const HOUR: Duration = Duration::from_secs(3600);

struct Options {
    people: u64,
    list: u64,
    runs: usize,
    only: Option<String>,
}

fn options() -> Options {
    let mut options = Options { people: 5_000_000, list: 100_000, runs: 3, only: None };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().expect("a value after the option");
        match word.as_str() {
            "--people" => options.people = value().parse().unwrap(),
            "--list" => options.list = value().parse().unwrap(),
            "--runs" => options.runs = value().parse().unwrap(),
            "--only" => options.only = Some(value()),
            "--bench" => {}
            other => panic!("what is '{other}'?"),
        }
    }
    options
}

/// A folder in memory where there is room, as the tests have it.
fn memory() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn done(command: &mut Command) -> Vec<u8> {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A number that nobody else has: a prime modulus keeps them apart, and out of order.
fn id(n: u64) -> String {
    let letter = char::from(b'A' + u8::try_from(n % 26).unwrap());
    format!("{letter}{:09}", n * 999_983 % 999_999_937)
}

fn person(n: u64) -> [String; 4] {
    let surname = ["陳", "林", "黃", "張", "李", "王", "吳", "劉"][(n % 8) as usize];
    let given = ["怡君", "志明", "淑芬", "俊傑", "美玲"][(n / 8 % 5) as usize];
    let birth = format!("{:03}{:02}{:02}", 20 + n % 95, 1 + n % 12, 1 + n % 28);
    [id(n), format!("{surname}{given}"), birth, format!("文昌里{}", n % 400)]
}

/// Every so-manieth person, one in five nobody, in an order of its own.
fn list(options: &Options) -> Vec<String> {
    let step = (options.people / options.list).max(1);
    let mut list: Vec<String> = (0..options.list)
        .map(
            |n| if n % 5 == 4 { format!("Z9{:08}X", n) } else { id(1 + n * step % options.people) },
        )
        .collect();
    list.sort_unstable_by_key(|value| value.bytes().rev().collect::<Vec<_>>());
    list
}

fn key() -> Secret {
    Secret::new(vec![7; 32])
}

fn columns() -> Vec<String> {
    COLUMNS.map(str::to_owned).to_vec()
}

fn sets(list: &[String]) -> Vec<Vec<(String, String)>> {
    list.iter().map(|value| vec![("national_id".to_owned(), value.clone())]).collect()
}

/// Rows and bytes, so that both sides have really told them.
#[derive(Default, PartialEq, Eq, Debug)]
struct Told {
    rows: u64,
    bytes: u64,
}

impl Told {
    fn row<'v>(&mut self, values: impl Iterator<Item = &'v str>) {
        self.rows += 1;
        self.bytes += values.map(|value| value.len() as u64).sum::<u64>();
    }
}

fn timed(run: impl FnOnce() -> Told) -> (f64, Told) {
    let begun = Instant::now();
    let told = run();
    (begun.elapsed().as_secs_f64(), told)
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Both sides in turns.
fn compare(
    name: &str,
    options: &Options,
    ours: &mut dyn FnMut() -> Told,
    peer: &mut dyn FnMut() -> Told,
) {
    let (mut of_ours, mut of_peer) = (Vec::new(), Vec::new());
    for run in 0..options.runs {
        let (mut mine, mut theirs) = (None, None);
        for turn in 0..2 {
            if (run + turn) % 2 == 0 {
                mine = Some(timed(&mut *ours));
            } else {
                theirs = Some(timed(&mut *peer));
            }
        }
        let ((took, told), (took_peer, told_peer)) = (mine.unwrap(), theirs.unwrap());
        assert_eq!(told, told_peer, "both sides tell the same");
        println!(
            "{name}: run {}: ours {took:.2} s, peer {took_peer:.2} s, {} rows",
            run + 1,
            told.rows
        );
        of_ours.push(took);
        of_peer.push(took_peer);
    }
    let (ours, peer) = (median(&mut of_ours), median(&mut of_peer));
    println!(
        "{name}: {} of {} people: ours {ours:.2} s, raw join {peer:.2} s, ratio {:.2}",
        options.list,
        options.people,
        ours / peer
    );
}

fn embedded(options: &Options, list: &[String]) {
    let dir = tempfile::tempdir().unwrap();
    let copy = CopyId::new(1);
    let column = |name: &&str| Column { name: (*name).to_owned(), key: *name == "national_id" };
    let begun = Instant::now();
    let described: Vec<Column> = COLUMNS.iter().map(column).collect();
    let mut builder = VaultBuilder::create(dir.path(), copy, &key(), &described).unwrap();
    for n in 1..=options.people {
        builder.insert(n, false, &person(n)).unwrap();
    }
    builder.seal(&key()).unwrap().place().unwrap();
    println!("embedded: loaded in {:.1} s", begun.elapsed().as_secs_f64());
    let plain = dir.path().join("plain.db");
    let mut raw = rusqlite::Connection::open(&plain).unwrap();
    raw.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE person \
         (number INTEGER PRIMARY KEY, national_id TEXT, name TEXT, birth_date TEXT, village TEXT);",
    )
    .unwrap();
    let filling = raw.transaction().unwrap();
    {
        let mut insert = filling.prepare("INSERT INTO person VALUES (?, ?, ?, ?, ?)").unwrap();
        for n in 1..=options.people {
            let [id, name, birth, village] = person(n);
            insert.execute((n.cast_signed(), id, name, birth, village)).unwrap();
        }
    }
    filling.commit().unwrap();
    raw.execute_batch("CREATE INDEX by_id ON person (national_id)").unwrap();
    drop(raw);
    let (wanted, asked) = (columns(), sets(list));
    let mut ours = || {
        let vaults = [Vault::open(dir.path(), copy, &key(), Window::of(HOUR)).unwrap()];
        let key = Some("national_id");
        let sets = Sets { vaults: &vaults, key, columns: &wanted, sets: &asked, single: false };
        let mut told = Told::default();
        sets.read(&mut |row| {
            told.row(row.iter().map(String::as_str));
            true
        })
        .unwrap();
        told
    };
    let mut peer = || {
        let mut raw = rusqlite::Connection::open(&plain).unwrap();
        raw.execute_batch("PRAGMA temp_store = MEMORY; CREATE TEMP TABLE list (place INTEGER PRIMARY KEY, id TEXT)")
            .unwrap();
        let filling = raw.transaction().unwrap();
        for (place, value) in list.iter().enumerate() {
            let mut insert = filling.prepare_cached("INSERT INTO list VALUES (?, ?)").unwrap();
            insert.execute((place.cast_signed(), value)).unwrap();
        }
        filling.commit().unwrap();
        let mut join = raw
            .prepare(
                "SELECT p.national_id, p.name, p.birth_date, p.village FROM list l \
                 CROSS JOIN person p ON p.national_id = l.id ORDER BY l.place",
            )
            .unwrap();
        let (mut rows, mut told) = (join.query([]).unwrap(), Told::default());
        while let Some(row) = rows.next().unwrap() {
            told.row((0..4).map(|n| row.get_ref(n).unwrap().as_str().unwrap()));
        }
        told
    };
    compare("embedded", options, &mut ours, &mut peer);
}

fn psql(server: &Server, script: &str) {
    let mut psql = Command::new("/usr/bin/psql");
    psql.env_clear().env("PATH", "/usr/bin:/bin").args(["-X", "-q", "-A", "-t", "-F", "\t"]);
    psql.args(["-v", "ON_ERROR_STOP=1"]).arg("-h").arg(server.folder());
    psql.args(["-p", &server.port.to_string(), "-U", "postgres", "-d", "b", "-f", "-"]);
    let mut child = psql.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

fn plain_table(server: &Server, options: &Options) {
    let columns = "national_id text, name text, birth_date text, village text";
    psql(server, &format!("CREATE TABLE person (number bigint, {columns});"));
    let mut copy = Command::new("/usr/bin/psql");
    copy.env_clear().args(["-X", "-q", "-h"]).arg(server.folder());
    copy.args(["-p", &server.port.to_string(), "-U", "postgres", "-d", "b"]);
    copy.args(["-c", "COPY person FROM STDIN"]).stdin(Stdio::piped());
    let mut child = copy.spawn().unwrap();
    let mut into = std::io::BufWriter::with_capacity(1 << 20, child.stdin.take().unwrap());
    for n in 1..=options.people {
        writeln!(into, "{n}\t{}", person(n).join("\t")).unwrap();
    }
    into.flush().unwrap();
    drop(into);
    assert!(child.wait().unwrap().success());
    psql(server, "ALTER TABLE person ADD PRIMARY KEY (national_id); ANALYZE person;");
}

fn in_database(options: &Options, list: &[String]) {
    let server = Server::start("shared_buffers = 512MB");
    let database = Database::parse(&server.url("b")).unwrap();
    let whole = script(&database, SITE, Profile::AgentOnly, 0);
    server.database("b", &format!("BEGIN;\n{whole}COMMIT;\n"));
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    fs::write(&password, PASSWORD).unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    let place = Place {
        database,
        password: Some(PasswordSource::File(password)),
        dial: Arc::new(dial),
        site: SITE.to_owned(),
    };
    let begun = Instant::now();
    plain_table(&server, options);
    println!("PostgreSQL, plain table: loaded in {:.1} s", begun.elapsed().as_secs_f64());
    let tsv = dir.path().join("list.tsv");
    fs::write(&tsv, list.iter().zip(0..).map(|(v, n)| format!("{n}\t{v}\n")).collect::<String>())
        .unwrap();
    let rows = dir.path().join("rows.tsv");
    let mut peer = || {
        psql(
            &server,
            &format!(
                "CREATE TEMP TABLE list (place int, id text);\n\\copy list FROM '{}'\nANALYZE list;\n\\o {}\n\
                 SELECT p.national_id, p.name, p.birth_date, p.village FROM list l \
                 JOIN person p ON p.national_id = l.id ORDER BY l.place;\n",
                tsv.display(),
                rows.display()
            ),
        );
        let mut told = Told::default();
        for line in fs::read_to_string(Path::new(&rows)).unwrap().lines() {
            told.row(line.split('\t'));
        }
        told
    };
    let (wanted, asked) = (columns(), sets(list));
    for (n, plain) in [(1, false), (2, true)] {
        let copy = CopyId::new(n);
        let items: Vec<(String, bool)> =
            COLUMNS.iter().map(|name| ((*name).to_owned(), *name == "national_id")).collect();
        let begun = Instant::now();
        let mut loader = Loader::begin(&place, copy, &key(), &items, plain).unwrap();
        for n in 1..=options.people {
            loader.insert(n, false, &person(n)).unwrap();
        }
        loader.seal().unwrap().commit().unwrap();
        let name = if plain { "PostgreSQL, in plain" } else { "PostgreSQL, sealed" };
        println!("{name}: loaded in {:.1} s", begun.elapsed().as_secs_f64());
        let secret = key();
        let vaults = [Lying { copy, key: &secret }];
        let mut ours = || {
            let asked = Asked {
                vaults: &vaults,
                key: Some("national_id"),
                columns: &wanted,
                sets: &asked,
                single: false,
                remaining: HOUR,
            };
            let mut told = Told::default();
            asked
                .read(&place, &mut |row| {
                    told.row(row.iter().map(String::as_str));
                    true
                })
                .unwrap();
            told
        };
        compare(name, options, &mut ours, &mut peer);
    }
}

fn main() {
    let options = options();
    let list = list(&options);
    let wants = |side: &str| options.only.as_deref().is_none_or(|only| only == side);
    if wants("embedded") {
        embedded(&options, &list);
    }
    if wants("postgres") {
        in_database(&options, &list);
    }
}
