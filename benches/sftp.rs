//! Fetching over SFTP beside OpenSSH's `sftp`, from the same `sshd` on loopback in the same run: `cargo bench --bench sftp`.
//!
//! Ours is the release binary, `run --once` on a fresh site, from a delivery that lies on the server to the whole of it
//! in the inbox: host key pinned, every byte hashed, every file and folder synced, one rename. What follows (the claim,
//! the copy under encryption, the wipe, the verdict, the release of the remote side) is timed apart, `whole`. One large
//! file: the peer is `sftp` with `get`, then `sha256sum`, then `sync FILE`. Many small files: the peer is `sftp -b` with
//! `get -r`, which hashes and syncs nothing. A link of 80 ms there and back, without loss: the peer is
//! `sftp -B 262144 -R 64`, then the same two.
//!
//! The sides take turns and go first by turns; medians are compared. Deliveries are synthetic, keys are thrown away.
//!
//! `--mib N` (1024: the large file; 0 leaves it out), `--files N` (10000, of 4 KiB, a hundred a delivery), `--long-mib N`
//! (256), `--runs N` (3), `--dir DIR` (where everything lies; a folder below the build's own by default).
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measuring program: whatever does not work ends it; it shares servers and links with the tests"
)]

#[path = "../tests/support/provider.rs"]
mod provider;
#[path = "../tests/sftp/proxy.rs"]
mod proxy;
#[path = "../tests/sftp/servers.rs"]
mod servers;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use provider::Provider;
use proxy::Proxy;
use servers::{Keys, OpenSsh, stock, user};

const MIB: usize = 1 << 20;
const SMALL: usize = 4096;
const FILES_A_DELIVERY: u64 = 100;
const ROUND_TRIP: Duration = Duration::from_millis(80);
/// How often the inbox is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(1);

struct Options {
    mib: usize,
    files: u64,
    long_mib: usize,
    runs: usize,
    dir: PathBuf,
}

fn options() -> Options {
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let mut options = Options { mib: 1024, files: 10_000, long_mib: 256, runs: 3, dir };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().unwrap_or_else(|| panic!("'{word}' needs a value"));
        match word.as_str() {
            // Cargo says so itself.
            "--bench" => {}
            "--mib" => options.mib = value().parse().unwrap(),
            "--files" => options.files = value().parse().unwrap(),
            "--long-mib" => options.long_mib = value().parse().unwrap(),
            "--runs" => options.runs = value().parse().unwrap(),
            "--dir" => options.dir = PathBuf::from(value()),
            other => panic!("'{other}' is no option; they stand at the top of this program"),
        }
    }
    options
}

fn main() {
    let options = options();
    let dir = options.dir.join("bench-sftp");
    let _ = fs::remove_dir_all(&dir);
    fs::create_dir_all(&dir).unwrap();
    let place = Place { keys: Keys::new(dir.join("keys")), dir };
    let server = OpenSsh::start(&place.keys);
    if options.mib > 0 {
        place.offer_noise(options.mib);
        let times =
            place.measure(options.runs, server.port, |run| place.get(run, server.port, &[]));
        show(
            "one file on loopback",
            "sftp get, sha256sum, sync",
            &times,
            options.mib as f64,
            "MiB/s",
            0.9,
        );
    }
    if options.long_mib > 0 {
        place.offer_noise(options.long_mib);
        let link = Proxy::long(server.port, ROUND_TRIP);
        let words = ["-B", "262144", "-R", "64"];
        let times = place.measure(options.runs, link.port, |run| place.get(run, link.port, &words));
        let peer = "sftp -B 262144 -R 64, sha256sum, sync";
        show("one file over 80 ms", peer, &times, options.long_mib as f64, "MiB/s", 0.8);
    }
    if options.files > 0 {
        place.offer_small(options.files);
        let times = place.measure(options.runs, server.port, |run| place.get_all(run, server.port));
        show("small files", "sftp -b", &times, options.files as f64, "files/s", 1.0);
    }
    fs::remove_dir_all(&place.dir).unwrap();
}

/// Times of one comparison.
#[derive(Default)]
struct Times {
    /// Until everything lies in the inbox.
    ours: Vec<Duration>,
    /// Until the remote side is released.
    whole: Vec<Duration>,
    peer: Vec<Duration>,
}

fn show(what: &str, peer: &str, times: &Times, amount: f64, unit: &str, target: f64) {
    let seconds = |times: &[Duration]| {
        let each: Vec<_> = times.iter().map(|t| format!("{:.2}", t.as_secs_f64())).collect();
        each.join(", ")
    };
    let rate = |times: &[Duration]| {
        let mut sorted = times.to_vec();
        sorted.sort();
        amount / sorted[sorted.len() / 2].as_secs_f64()
    };
    let (ours, theirs) = (rate(&times.ours), rate(&times.peer));
    println!("{what}, batchward: {ours:.0} {unit}  ({} s)", seconds(&times.ours));
    println!(
        "{what}, batchward to the release: {:.0} {unit}  ({} s)",
        rate(&times.whole),
        seconds(&times.whole)
    );
    println!("{what}, {peer}: {theirs:.0} {unit}  ({} s)", seconds(&times.peer));
    println!("{what}, ratio: {:.2}  (target {target})", ours / theirs);
}

/// Where everything lies.
struct Place {
    dir: PathBuf,
    keys: Keys,
}

impl Place {
    fn remote(&self) -> PathBuf {
        self.dir.join("remote")
    }

    /// Empties the server and packs anew.
    fn fresh(&self) -> Provider {
        for old in [self.remote(), self.dir.join("packing")] {
            let _ = fs::remove_dir_all(old);
        }
        for folder in ["outgoing", "done"] {
            fs::create_dir_all(self.remote().join(folder)).unwrap();
        }
        lay_out(&self.dir.join("packing"))
    }

    fn offer(&self, packed: &Path) {
        let name = packed.file_name().unwrap();
        fs::rename(packed, self.remote().join("outgoing").join(name)).unwrap();
    }

    fn offer_noise(&self, mib: usize) {
        self.offer(&self.fresh().pack_noise(1, mib * MIB, 1));
        self.settle();
    }

    fn offer_small(&self, files: u64) {
        let provider = self.fresh();
        for n in 0..files.div_ceil(FILES_A_DELIVERY) {
            let count = FILES_A_DELIVERY.min(files - n * FILES_A_DELIVERY);
            self.offer(&provider.pack_noise(n, SMALL, count));
        }
        self.settle();
    }

    fn settle(&self) {
        assert!(Command::new("sync").arg("-f").arg(&self.dir).status().unwrap().success());
    }

    /// The times of both sides, in turns.
    fn measure(&self, runs: usize, port: u16, peer: impl Fn(&Path)) -> Times {
        let mut times = Times::default();
        for run in 0..runs {
            let here = self.dir.join("here");
            let mut sides = [true, false];
            sides.rotate_left(run % 2);
            for ours in sides {
                fs::create_dir_all(&here).unwrap();
                if ours {
                    let site = self.found(&here, port);
                    let (fetched, whole) = self.fetch(&site);
                    times.ours.push(fetched);
                    times.whole.push(whole);
                } else {
                    let began = Instant::now();
                    peer(&here);
                    times.peer.push(began.elapsed());
                }
                fs::remove_dir_all(&here).unwrap();
                self.settle();
            }
        }
        times
    }

    /// A fresh site whose link fetches from this port.
    fn found(&self, here: &Path, port: u16) -> PathBuf {
        let site = here.join("site");
        let _ = lay_out(&site);
        let ssh = site.join("ssh");
        fs::create_dir_all(&ssh).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700)).unwrap();
        fs::copy(self.keys.file("user"), ssh.join("small")).unwrap();
        fs::set_permissions(ssh.join("small"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(ssh.join("known_hosts"), self.keys.known("host", port)).unwrap();
        let remote = self.remote();
        let source = format!(
            "source:\n  sftp:\n    host: 127.0.0.1\n    port: {port}\n    user: {}\n    identity: ../ssh/small\n    \
             known_hosts: ../ssh/known_hosts\n    path: {1}/outgoing\n    every: 1m\n    release: {{ move: {1}/done }}\n",
            user(),
            remote.display()
        );
        let link = site.join("links/small.yaml");
        let text = fs::read_to_string(&link).unwrap();
        fs::write(&link, text + &source).unwrap();
        let mut init = batchward(&site);
        init.arg("init").arg(&site).args(["--site", "taoyuan-dwcd"]).stdout(Stdio::null());
        assert!(init.status().unwrap().success());
        self.settle();
        site
    }

    /// One turn: until everything has come into the inbox, and until it has ended.
    fn fetch(&self, site: &Path) -> (Duration, Duration) {
        let names = |dir: &Path| -> BTreeSet<_> {
            let entries = fs::read_dir(dir).unwrap();
            entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect()
        };
        let mut awaited = names(&self.remote().join("outgoing"));
        let inbox = site.join("drop/small");
        let began = Instant::now();
        let mut agent =
            batchward(site).args(["run", "--once"]).stdout(Stdio::null()).spawn().unwrap();
        let mut fetched = None;
        let status = loop {
            for name in names(&inbox) {
                awaited.remove(&name);
            }
            if awaited.is_empty() && fetched.is_none() {
                fetched = Some(began.elapsed());
            }
            if let Some(status) = agent.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(LOOK_EVERY);
        };
        let whole = began.elapsed();
        assert!(status.success(), "{status}");
        let done = self.remote().join("done");
        assert!(names(&self.remote().join("outgoing")).is_empty(), "not everything was released");
        for name in names(&done) {
            fs::rename(done.join(&name), self.remote().join("outgoing").join(&name)).unwrap();
        }
        (fetched.expect("everything was seen in the inbox"), whole)
    }

    /// `sftp`, `sha256sum` and `sync` of the one delivery.
    fn get(&self, here: &Path, port: u16, words: &[&str]) {
        self.run_sftp(
            port,
            words,
            &format!("get -r {}/outgoing {}\n", self.remote().display(), here.display()),
        );
        let file = here.join("outgoing/small-00000001/people.csv.age");
        let sum = Command::new("sha256sum").arg(&file).output().unwrap();
        assert!(sum.status.success());
        assert!(Command::new("sync").arg(&file).status().unwrap().success());
    }

    /// `sftp -b` of everything.
    fn get_all(&self, here: &Path, port: u16) {
        self.run_sftp(
            port,
            &[],
            &format!("get -r {}/outgoing {}\n", self.remote().display(), here.display()),
        );
    }

    fn run_sftp(&self, port: u16, words: &[&str], commands: &str) {
        let output = stock(&self.keys, port, words, commands);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The samples' site with the link of small deliveries; no keys, so that nothing is loaded.
fn lay_out(site: &Path) -> Provider {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sh = Command::new("sh");
    sh.args(["-c", "umask 022; exec sh \"$0\" \"$@\""])
        .arg(package.join("tests/samples/install.sh"));
    sh.arg("--policies").arg(package.join("policies")).arg(site);
    assert!(sh.status().unwrap().success());
    Provider::arrange(site)
}

fn batchward(site: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("--config").arg(site.join("agent.yaml"));
    command
}
