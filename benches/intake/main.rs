//! Intake against its peer: `cargo bench --bench intake`.
//!
//! Ours is the release binary, `run --once` on a fresh site, from a complete delivery (manifest, signature, age file,
//! key in the keybox) to loaded. The peer is what a shell does with the same age file of delimited text:
//! `sha256sum`, `age -d` into `sqlite3 .import`, `create index`; it checks and encrypts nothing. Both read files that
//! lie in the cache, both sync as they do by themselves, and runs take turns, so that a busy machine is busy for both.
//! Every figure is measured in this run; the median of the runs is what counts.
//!
//! `--records N` (1000000), `--growth N` (4: again with N times as many; 1 leaves that out), `--repeats N` (5),
//! `--dir DIR` (where the files lie; a folder below the build's own by default). `--prepare DIR` measures nothing: it
//! leaves two sites there, each with one complete delivery, for a profiler to run the agent on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring program: whatever does not work ends it"
)]

mod delivery;
mod measure;
mod report;
mod shares;
mod site;

use std::path::{Path, PathBuf};

use delivery::{Form, Packed};
use measure::Run;

/// What to measure.
struct Options {
    records: u64,
    growth: u64,
    repeats: usize,
    dir: PathBuf,
    prepare: Option<PathBuf>,
}

/// The runs of one number of records.
pub(crate) struct Runs {
    pub(crate) records: u64,
    pub(crate) fixed: Vec<Run>,
    pub(crate) delimited: Vec<Run>,
    pub(crate) peer: Vec<Run>,
    pub(crate) fixed_bytes: u64,
    pub(crate) delimited_bytes: u64,
}

fn options() -> Options {
    let mut options = Options {
        records: 1_000_000,
        growth: 4,
        repeats: 5,
        dir: PathBuf::from(env!("CARGO_TARGET_TMPDIR")),
        prepare: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("'{word}' needs a value"));
        let number = |text: String| text.parse::<u64>().unwrap_or_else(|_| panic!("'{text}'"));
        match word.as_str() {
            // Cargo says so itself.
            "--bench" => {}
            "--records" => options.records = number(value()),
            "--growth" => options.growth = number(value()),
            "--repeats" => options.repeats = usize::try_from(number(value())).unwrap(),
            "--dir" => options.dir = PathBuf::from(value()),
            "--prepare" => options.prepare = Some(PathBuf::from(value())),
            other => panic!("'{other}' is no option; they stand at the top of this program"),
        }
    }
    options
}

fn main() {
    let options = options();
    if let Some(dir) = &options.prepare {
        return prepare(dir, options.records);
    }
    let work = tempfile::tempdir_in(&options.dir).unwrap();
    let provider = delivery::Provider::new(&work.path().join("provider"));
    report::machine();
    let base = runs(work.path(), &provider, options.records, options.repeats);
    report::table(&base);
    for (form, runs) in [(Form::Fixed, &base.fixed), (Form::Delimited, &base.delimited)] {
        let packed = provider.pack(work.path(), form, options.records);
        let shares = shares::measure(work.path(), &provider, &packed);
        report::shares(form.link(), runs, &shares);
        packed.remove();
    }
    if options.growth > 1 {
        let records = options.records * options.growth;
        let grown = runs(work.path(), &provider, records, options.repeats.min(3));
        report::table(&grown);
        report::growth(&base, &grown, options.growth);
    }
    let latency = latency(work.path(), &provider, 20);
    report::latency(&latency);
}

/// Sites on which nothing has run yet.
fn prepare(dir: &Path, records: u64) {
    let provider = delivery::Provider::new(&dir.join("provider"));
    for form in [Form::Fixed, Form::Delimited] {
        let packed = provider.pack(dir, form, records);
        let site = site::Site::new(&dir.join(form.link()), &provider);
        site.drop_delivery(&packed);
    }
}

/// Everything in turns: the other side's noise is ours as well.
fn runs(work: &Path, provider: &delivery::Provider, records: u64, repeats: usize) -> Runs {
    let fixed = provider.pack(work, Form::Fixed, records);
    let delimited = provider.pack(work, Form::Delimited, records);
    let mut runs = Runs {
        records,
        fixed: Vec::new(),
        delimited: Vec::new(),
        peer: Vec::new(),
        fixed_bytes: fixed.bytes(),
        delimited_bytes: delimited.bytes(),
    };
    for round in 0..repeats {
        runs.delimited.push(ours(work, provider, &delimited));
        runs.peer.push(peer(work, provider, &delimited));
        runs.fixed.push(ours(work, provider, &fixed));
        let last = |runs: &[Run]| runs.last().map_or(0.0, |run| run.wall);
        println!(
            "run {} of {repeats}, {records} records: fixed {:.2} s, delimited {:.2} s, peer {:.2} s",
            round + 1,
            last(&runs.fixed),
            last(&runs.delimited),
            last(&runs.peer)
        );
    }
    fixed.remove();
    delimited.remove();
    runs
}

/// One intake on a site of its own; all of it must have been loaded.
fn ours(work: &Path, provider: &delivery::Provider, packed: &Packed) -> Run {
    let site = site::Site::new(work, provider);
    site.drop_delivery(packed);
    measure::settle(work);
    let run = measure::run(&mut site.command(&["run", "--once"]));
    site.assert_loaded(packed.records);
    site.remove();
    run
}

/// The peer: digest, decryption, import and index; a shell's one line.
fn peer(work: &Path, provider: &delivery::Provider, packed: &Packed) -> Run {
    let database = work.join("peer.db");
    let _ = std::fs::remove_file(&database);
    let line = "set -eu; sha256sum \"$1\" >\"$3.sha256\" && age -d -i \"$2\" \"$1\" | \
                sqlite3 \"$3\" '.import --csv /dev/stdin t' 'create index i on t(national_id)'";
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", line, "sh"]).arg(packed.file()).arg(provider.identity()).arg(&database);
    measure::settle(work);
    let run = measure::run(&mut shell);
    let mut count = std::process::Command::new("sqlite3");
    let rows = measure::output(count.arg(&database).arg("select count(*) from t"));
    assert_eq!(rows.trim(), packed.records.to_string(), "the peer imported everything");
    std::fs::remove_file(&database).unwrap();
    run
}

/// From a complete delivery of ten records to its verdict, by `run --once`.
fn latency(work: &Path, provider: &delivery::Provider, repeats: usize) -> Vec<Run> {
    let small = provider.pack(work, Form::Fixed, 10);
    let runs = (0..repeats).map(|_| ours(work, provider, &small)).collect();
    small.remove();
    runs
}
