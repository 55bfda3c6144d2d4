//! Code that we did not write agrees with ours: Go's `sumdb/note` and `sumdb/tlog` (Debian's golang-golang-x-mod-dev)
//! verify a register, its proofs and its growth, and `ssh-keygen` its checkpoints; one flipped byte, and they do not.
//!
//! The deliveries are the samples' synthetic ones; the keys are throw-away keys.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use support::{People, Site, done, root};

const UNIT: &str = "幼兒托育科";

/// The Go program, built once.
fn reader() -> &'static Path {
    static BUILT: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = BUILT.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reader");
        let mut go = Command::new("go");
        // Debian's packages are laid out for a GOPATH; nothing is fetched.
        go.env("GO111MODULE", "off").env("GOPATH", "/usr/share/gocode").env("GOFLAGS", "");
        go.env("GOCACHE", dir.path().join("cache")).env("HOME", dir.path());
        go.args(["build", "-o"]).arg(&path).arg(root().join("tests/interop/main.go"));
        done(&mut go);
        (dir, path)
    });
    path
}

fn go(words: &[&str]) -> Result<String, String> {
    let output = Command::new(reader()).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn lived(people: &People) -> Site<'_> {
    let site = Site::founded(people, &["small-20", "checksum-mismatch"], UNIT);
    site.once();
    site
}

fn vkey(site: &Site<'_>) -> String {
    fs::read_to_string(site.dir.join("state/register/vkey")).unwrap().trim().to_owned()
}

#[test]
fn gos_packages_verify_a_register_and_refuse_every_flipped_file() {
    let people = People::new();
    let site = lived(&people);
    let (dir, key) = (site.dir.join("state/register"), vkey(&site));
    let size = site.verify()["size"].as_u64().unwrap();
    assert!(size > 20);
    let words = ["register", dir.to_str().unwrap(), &key];
    let said = go(&words).unwrap();
    assert_eq!(said, format!("{size} entries, {size} inclusions, {size} consistencies\n"));
    // The files that the checkpoint stands on; those of earlier sizes are other readers' affair.
    for name in [
        "checkpoint".to_owned(),
        format!("tile/0/000.p/{size}"),
        format!("tile/entries/000.p/{size}"),
    ] {
        let path = dir.join(&name);
        let good = fs::read(&path).unwrap();
        for at in [0, good.len() / 3, good.len() / 2, good.len() - 2] {
            let mut bent = good.clone();
            bent[at] ^= 1;
            fs::write(&path, bent).unwrap();
            assert!(go(&words).is_err(), "{name} at {at}");
        }
        fs::write(&path, good).unwrap();
    }
    assert!(go(&words).is_ok());
    assert!(go(&["register", dir.to_str().unwrap(), "x+00000000+AAAA"]).is_err());
}

#[test]
fn gos_packages_verify_proof_files_and_refuse_bent_ones() {
    let people = People::new();
    let site = lived(&people);
    let (key, tmp) = (vkey(&site), site.temporary());
    let file = |name: &str| tmp.join(name).to_str().unwrap().to_owned();
    let (early, proof, growth) = (file("early"), file("e.tlog-proof"), file("growth"));
    site.run(&["register", "checkpoint", "--size", "7", "-o", &early]).ok();
    let size = site.verify()["size"].as_u64().unwrap();
    for entry in [0, 1, size / 2, size - 1] {
        site.run(&["register", "prove", &entry.to_string(), "-o", &proof]).ok();
        assert_eq!(go(&["proof", &proof, &key]), Ok(format!("entry {entry} of {size}\n")));
        site.run(&["register", "verify", "--proof", &proof, "--key", &key]).ok();
    }
    site.run(&["register", "consistency", "--since", "7", "-o", &growth]).ok();
    assert_eq!(go(&["growth", &growth, &early, &key]), Ok(format!("7 entries grew to {size}\n")));
    let ours = ["register", "verify", "--against", &early, "--key", &key, "--proof", &growth];
    site.run(&ours).ok();
    for (path, words, ours) in [
        (
            &proof,
            vec!["proof", &proof, &key],
            vec!["register", "verify", "--key", &key, "--proof", &proof],
        ),
        (&growth, vec!["growth", &growth, &early, &key], ours.to_vec()),
    ] {
        let good = fs::read_to_string(path).unwrap();
        let first = good.lines().position(|line| line.len() == 44).unwrap();
        // The entry or the size, each kind of hash, the size and the root that were signed, and the signature.
        for (n, line) in good.lines().enumerate().skip(first.saturating_sub(2)) {
            let Some(at) = line.find(|c: char| c.is_ascii_alphanumeric()) else { continue };
            let at = if line.starts_with("index")
                || line.starts_with("old")
                || line.starts_with("extra")
            {
                line.find(' ').unwrap() + 1
            } else {
                at
            };
            let other = if line[at..].starts_with('1') { "2" } else { "1" };
            let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
            lines[n].replace_range(at..=at, other);
            fs::write(path, lines.join("\n") + "\n").unwrap();
            assert!(go(&words).is_err(), "line {n} of {path}: {line}");
            site.run(&ours).exits(65);
        }
        fs::write(path, good).unwrap();
    }
    // An entry that the register does not have is no proof's.
    site.run(&["register", "prove", &size.to_string()]).exits(64);
}

#[test]
fn gos_notes_verify_a_cosignature_and_refuse_a_bent_one() {
    let people = People::new();
    let site = lived(&people);
    let tmp = site.temporary();
    let file = |name: &str| tmp.join(name).to_str().unwrap().to_owned();
    let (dir, request, out) = (file("witness"), file("request"), file("cosigned"));
    site.run(&["witness", "new", &dir, "--name", "w"]).ok();
    let key = fs::read_to_string(tmp.join("witness/vkey")).unwrap();
    site.run_as("ada", &["witness", "add", "w", "--key", key.trim()]).ok();
    site.run(&["witness", "request", "w", "-o", &request]).ok();
    let log = vkey(&site);
    site.run(&["witness", "cosign", &request, "--dir", &dir, "-o", &out, "--log", &log]).ok();
    assert_eq!(go(&["cosigned", &out, &key]), Ok("1 cosignatures\n".to_owned()));
    let good = fs::read_to_string(&out).unwrap();
    for (n, line) in good.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        if line.starts_with("\u{2014} batchward/") {
            continue;
        }
        let mut lines: Vec<String> = good.lines().map(str::to_owned).collect();
        lines[n] = line.replacen(|c: char| c.is_ascii_digit(), "x", 1);
        fs::write(&out, lines.join("\n") + "\n").unwrap();
        assert!(lines[n] == line || go(&["cosigned", &out, &key]).is_err(), "{line}");
    }
}

/// `ssh-keygen -Y verify` with the list of signers that stands beside the checkpoint.
fn keygen(dir: &Path, sig: &Path, text: &str) -> bool {
    use std::io::Write;
    let mut verify = Command::new("ssh-keygen");
    verify.args([
        "-Y",
        "verify",
        "-I",
        "batchward/taoyuan-dwcd",
        "-n",
        "batchward-checkpoint",
        "-f",
    ]);
    verify.arg(dir.join("allowed_signers")).arg("-s").arg(sig);
    verify.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = verify.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

#[test]
fn ssh_keygen_verifies_the_checkpoint_and_every_earlier_one() {
    let people = People::new();
    let site = lived(&people);
    let dir = site.dir.join("state/register");
    let body = |note: &str| note.split_inclusive('\n').take(3).collect::<String>();
    let note = fs::read_to_string(dir.join("checkpoint")).unwrap();
    assert!(keygen(&dir, &dir.join("checkpoint.sig"), &body(&note)));
    assert!(!keygen(&dir, &dir.join("checkpoint.sig"), &note));
    assert!(!keygen(&dir, &dir.join("checkpoint.sig"), &body(&note).replace("taoyuan", "taoyuen")));
    let size = site.verify()["size"].as_u64().unwrap();
    let kept = site.temporary().join("kept");
    for size in 1..=size {
        let words = ["register", "checkpoint", "--size", &size.to_string(), "-o"];
        site.run(&[words.as_slice(), &[kept.to_str().unwrap()]].concat()).ok();
        let note = fs::read_to_string(&kept).unwrap();
        assert_eq!(note.lines().nth(1).unwrap(), size.to_string());
        assert!(keygen(&dir, &site.temporary().join("kept.sig"), &body(&note)), "{size}");
        if size % 9 == 0 {
            site.run(&["register", "verify", "--against", kept.to_str().unwrap()]).ok();
        }
    }
    site.run(&["register", "checkpoint", "--size", "0"]).exits(64);
    site.run(&["register", "checkpoint", "--size", "100000"]).exits(64);
}
