//! Archives as streams, beside `7z x -so` over the same files in the same run. See docs/benchmarks.md.
//!
//! Both read what lies in the page cache and give what they read to nobody.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a measuring program: whatever does not work ends it"
)]

use std::{
    fs::{self, File},
    io::Read,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use batchward::{
    adapters::archive,
    domain::{link::Container, secret::Secret},
};

const PASSPHRASE: &str = "Synthetic-2026-passphrase";
const RECORDS: usize = 200_000;
const RUNS: usize = 5;

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let plain = lines();
    fs::write(dir.path().join("people.dat"), &plain).unwrap();
    println!("{} records, {} MiB, median of {RUNS}\n", RECORDS, plain.len() >> 20);
    println!("| | packed MiB | ours MiB/s | 7z x -so MiB/s | ratio |\n|---|---|---|---|---|");
    let forms: [(&str, Container, &[&str]); 4] = [
        ("ZIP, AES-256, stored", Container::ZipAes, &["-tzip", "-mem=AES256", "-mm=Copy"]),
        ("ZIP, AES-256, deflated", Container::ZipAes, &["-tzip", "-mem=AES256"]),
        ("7z, stored", Container::SevenZ, &["-t7z", "-m0=Copy"]),
        ("7z, LZMA2", Container::SevenZ, &["-t7z"]),
    ];
    for (name, container, arguments) in forms {
        let path = dir.path().join("made.bin");
        let _ = fs::remove_file(&path);
        let mut command = Command::new("7z");
        command.args(["a", "-bd", "-y"]).args(arguments).arg(format!("-p{PASSPHRASE}"));
        command.args(["made.bin", "people.dat"]).current_dir(dir.path()).stdout(Stdio::null());
        assert!(command.status().unwrap().success());
        let ours = median(|| read(&path, container, plain.len()));
        let theirs = median(|| peer(&path, plain.len()));
        let rate = |seconds: f64| plain.len() as f64 / f64::from(1 << 20) / seconds;
        println!(
            "| {name} | {} | {:.0} | {:.0} | {:.2} |",
            fs::metadata(&path).unwrap().len() >> 20,
            rate(ours),
            rate(theirs),
            theirs / ours
        );
    }
}

/// Records of fixed width about nobody, half of each filled up as such records are.
fn lines() -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut plain = Vec::new();
    for n in 0..RECORDS {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let line =
            format!("{state:010}{:<60}{n:07}{:<346}\r\n", format!("王小明{}", state >> 9), "");
        plain.extend_from_slice(line.as_bytes());
    }
    plain
}

fn median(mut run: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[RUNS / 2]
}

fn read(path: &Path, container: Container, wanted: usize) {
    let passphrase = Secret::new(PASSPHRASE.as_bytes().to_vec());
    let file = Box::new(File::open(path).unwrap());
    let mut plain = archive::open(file, container, &passphrase).unwrap();
    drain(&mut *plain, wanted);
}

fn peer(path: &Path, wanted: usize) {
    let mut child = Command::new("7z")
        .args(["x", "-so", "-bd", &format!("-p{PASSPHRASE}")])
        .arg(path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drain(&mut child.stdout.take().unwrap(), wanted);
    assert!(child.wait().unwrap().success());
}

fn drain(from: &mut dyn Read, wanted: usize) {
    let (mut buffer, mut total) = (vec![0; 64 << 10], 0);
    loop {
        match from.read(&mut buffer).unwrap() {
            0 => break,
            count => total += count,
        }
    }
    assert_eq!(total, wanted);
}
