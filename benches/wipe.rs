//! The wipe beside `shred -n1 -u`, on the same disk in the same run: `cargo bench --bench wipe`.
//!
//! One large file, then many small ones. Ours is the whole primitive: preflight (links, who has it open, extents), one
//! pass of noise, the sync, the extents compared, every byte read back past the memory of the machine, rename, truncate,
//! unlink, and the sync of the folder. `shred` writes one pass, syncs, renames and unlinks, and verifies nothing. The sides
//! take turns, and go first by turns; each run makes its files anew, synced, and the medians are compared.
//!
//! Small files are wiped by the hundred: one sync of their folder for their neutral names, one sync of the filesystem for
//! all their overwrites (`syncfs`), each then looked at and read back by itself, and one more sync of the folder for their
//! unlinking. `shred` syncs each file once or more.
//!
//! `--mib N` (4096: bytes of the large file), `--files N` (100000, of 4 KiB), `--runs N` (3), `--dir DIR` (where the files lie;
//! a folder below the build's own by default).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measuring program: whatever does not work ends it"
)]

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Write,
    os::fd::AsFd,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use batchward::adapters::{
    entropy::Noise,
    files,
    wipe::{self, Expect, Outcome},
};

const MIB: usize = 1 << 20;
const SMALL: usize = 4096;

struct Options {
    mib: u64,
    files: usize,
    runs: usize,
    dir: PathBuf,
}

fn options() -> Options {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut options = Options { mib: 4096, files: 100_000, runs: 3, dir };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("'{word}' needs a value"));
        match word.as_str() {
            // Cargo says so itself.
            "--bench" => {}
            "--mib" => options.mib = value().parse().unwrap(),
            "--files" => options.files = value().parse().unwrap(),
            "--runs" => options.runs = value().parse().unwrap(),
            "--dir" => options.dir = PathBuf::from(value()),
            other => panic!("'{other}' is no option; they stand at the top of this program"),
        }
    }
    options
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Ours,
    Shred,
}

fn main() {
    let options = options();
    let dir = options.dir.join("bench-wipe");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    if options.mib > 0 {
        let large = measure(&options, || lay_large(&dir, options.mib), |side| large(&dir, side));
        let rate = |time: Duration| options.mib as f64 / time.as_secs_f64();
        show("one file", &large, "MiB/s", rate, 0.9);
    }
    if options.files > 0 {
        let small = measure(&options, || lay_small(&dir, options.files), |side| small(&dir, side));
        let rate = |time: Duration| options.files as f64 / time.as_secs_f64();
        show("small files", &small, "files/s", rate, 1.0);
        println!(
            "batches of 128 files: two syncs of the folder and one of the filesystem for each"
        );
    }
    fs::remove_dir_all(&dir).unwrap();
}

/// The times of both sides, in turns.
fn measure(options: &Options, lay: impl Fn(), wipe: impl Fn(Side)) -> [Vec<Duration>; 2] {
    let mut times = [Vec::new(), Vec::new()];
    for run in 0..options.runs {
        let mut sides = [Side::Ours, Side::Shred];
        sides.rotate_left(run % 2);
        for side in sides {
            lay();
            let began = Instant::now();
            wipe(side);
            times[usize::from(side == Side::Shred)].push(began.elapsed());
        }
    }
    times
}

fn show(
    what: &str,
    [ours, shred]: &[Vec<Duration>; 2],
    unit: &str,
    rate: impl Fn(Duration) -> f64,
    target: f64,
) {
    let seconds = |times: &[Duration]| {
        let each: Vec<_> = times.iter().map(|t| format!("{:.2}", t.as_secs_f64())).collect();
        each.join(", ")
    };
    let median = |times: &[Duration]| {
        let mut sorted = times.to_vec();
        sorted.sort();
        sorted[sorted.len() / 2]
    };
    let rates = [median(ours), median(shred)].map(rate);
    println!("{what}, batchward:     {:>10.0} {unit}  ({} s)", rates[0], seconds(ours));
    println!("{what}, shred -n1 -u:  {:>10.0} {unit}  ({} s)", rates[1], seconds(shred));
    println!("{what}, ratio:         {:>10.2}  (target {target})", rates[0] / rates[1]);
}

fn lay_large(dir: &Path, mib: u64) {
    let noise = Noise::new().unwrap();
    let mut file = File::create(dir.join("large")).unwrap();
    let mut piece = vec![0; MIB];
    for number in 0..mib {
        noise.fill(number, &mut piece).unwrap();
        file.write_all(&piece).unwrap();
    }
    file.sync_all().unwrap();
    settle(dir);
}

fn lay_small(dir: &Path, count: usize) {
    let many = dir.join("many");
    fs::create_dir(&many).unwrap();
    let bytes: Vec<u8> =
        b"synthetic record of nobody\n".iter().copied().cycle().take(SMALL).collect();
    for number in 0..count {
        fs::write(many.join(format!("f{number:06}")), &bytes).unwrap();
    }
    settle(dir);
}

/// Everything is on the disk, and nothing of the making goes on during the measuring.
fn settle(dir: &Path) {
    assert!(Command::new("sync").arg("-f").arg(dir).status().unwrap().success());
}

fn large(dir: &Path, side: Side) {
    match side {
        Side::Ours => {
            let folder = files::open_dir(dir).unwrap();
            let name = OsStr::new("large");
            let wiped = wipe::wipe_file(folder.as_fd(), name, Expect::default()).unwrap();
            assert_eq!(wiped.outcome, Outcome::Overwritten);
        }
        Side::Shred => {
            let mut shred = Command::new("shred");
            assert!(shred.args(["-n1", "-u"]).arg(dir.join("large")).status().unwrap().success());
        }
    }
    assert!(!dir.join("large").exists());
}

fn small(dir: &Path, side: Side) {
    let many = dir.join("many");
    match side {
        Side::Ours => {
            let folder = files::open_dir(dir).unwrap();
            let known = |_: std::os::fd::BorrowedFd<'_>, _: &Path, _: &rustix::fs::Stat| true;
            let report = wipe::wipe_tree(folder.as_fd(), OsStr::new("many"), &known).unwrap();
            assert_eq!((report.left, report.unknown), (0, 0));
        }
        Side::Shred => {
            let mut find = Command::new("find");
            find.arg(&many).args(["-type", "f", "-exec", "shred", "-n1", "-u", "{}", "+"]);
            assert!(find.status().unwrap().success());
            fs::remove_dir(&many).unwrap();
        }
    }
    assert!(!many.exists());
}
