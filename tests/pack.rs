//! The provider's side: what `pack` makes, an intake takes unchanged; and what no intake would take, it refuses.
//!
//! The records are the samples' synthetic ones, the keys throw-away keys.
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
    io::{BufWriter, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::json;
use support::{People, Ran, Site, samples};

const UNIT: &str = "幼兒托育科";

/// A provider at the site of a receiver: their folders are apart but for drop and keybox.
struct Provider<'s> {
    site: &'s Site<'s>,
    signer: PathBuf,
}

impl<'s> Provider<'s> {
    fn new(site: &'s Site<'s>, signer: &str) -> Self {
        let key = site.people.key(&format!("keys/signers/{signer}"));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        Self { site, signer: key }
    }

    /// The plain bytes of a sample.
    fn plain(&self, case: &str, file: &str, key: &str) -> PathBuf {
        let sealed = samples().join("deliveries").join(case).join("delivery").join(file);
        let folder = self.site.dir.with_file_name("provider");
        fs::create_dir_all(&folder).unwrap();
        let plain = folder.join(file.trim_end_matches(".age"));
        let mut age = Command::new("age");
        age.args(["-d", "-i"]).arg(self.site.people.batch_key(key)).arg("-o").arg(&plain);
        support::done(age.arg(sealed));
        plain
    }

    fn written(&self, name: &str, text: &[u8]) -> PathBuf {
        let folder = self.site.dir.with_file_name("provider");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        folder.join(name)
    }

    fn pack(&self, from: &Path, link: &str, number: &str, more: &[&str]) -> Ran {
        self.pack_with(from, link, number, more, b"")
    }

    fn pack_with(&self, from: &Path, link: &str, number: &str, more: &[&str], input: &[u8]) -> Ran {
        let (layout, table, basis, purpose) = match link {
            "moca-full" => {
                ("hr-person-01", "HR-PERSON-01", "府民戶字第1150001234號", "育兒津貼資格審查")
            }
            _ => ("nt-verify-04", "NT-VERIFY-04", "府民戶字第1150004321號", "驗證機制平臺身分驗證"),
        };
        let layout = self.site.dir.join(format!("layouts/{layout}.yaml"));
        let into = self.site.dir.join("drop").join(link);
        let mut words = vec!["pack", from.to_str().unwrap(), "--link", link, "--number", number];
        words.extend(["--layout", layout.to_str().unwrap(), "--table-no", table]);
        words.extend(["--basis", basis, "--purpose", purpose, "-o", into.to_str().unwrap()]);
        words.extend(["--sign-with", self.signer.to_str().unwrap()]);
        if !more.contains(&"--kind") {
            words.extend(["--kind", "full"]);
        }
        words.extend(more);
        self.site.run_with(&words, &[], input)
    }

    fn keybox(&self, link: &str, file: &str) -> String {
        self.site.dir.join("keys").join(link).join(file).to_str().unwrap().to_owned()
    }

    fn dropped(&self, link: &str) -> Vec<String> {
        let listed = fs::read_dir(self.site.dir.join("drop").join(link)).unwrap();
        listed.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_packed_fixed_width_file_is_taken_unchanged() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let provider = Provider::new(&site, "moca");
    let plain = provider.plain("full-1000", "residents.dat.age", "MOCA-1151102-0001.key");
    let key = provider.keybox("moca-full", "MOCA-1151121-0100.key");
    let more = ["--fresh-key", &key, "--as-of", "115/11/20", "--applied", "1000", "--json"];
    let packed = provider.pack(&plain, "moca-full", "MOCA-1151121-0100", &more).ok().json();
    assert_eq!((&packed["records"], &packed["key"]), (&json!(1000), &json!(key)));
    assert_eq!(provider.dropped("moca-full"), ["MOCA-1151121-0100"]);
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    site.once();
    let page = site.show("MOCA-1151121-0100");
    assert_eq!(
        (&page["state"], &page["strength"]),
        (&json!("loaded"), &json!("signed")),
        "{page:#}"
    );
    assert_eq!(page["counts"]["committed"], 1000);
    assert_eq!(page["files"][0]["sha256"], packed["files"][0]["sha256"]);
    assert!(plain.exists(), "the provider's own file is his");
}

#[test]
fn packed_delimited_files_of_a_folder_open_with_the_passphrase_that_was_made() {
    let people = People::new();
    let site = Site::founded(&people, &[], "資訊科");
    let provider = Provider::new(&site, "nantou");
    let header = "national_id,name,birth_date,indigenous\r\n";
    let row = |n: u32| format!("A12345678{n},王小明,0800101,0\r\n");
    provider.written("b.csv", format!("{header}{}", row(9)).as_bytes());
    let one = provider.written("a.csv", format!("{header}{}{}", row(1), row(2)).as_bytes());
    let phrase = provider.keybox("nantou-verify", "NTVP-1.pass");
    let folder = one.parent().unwrap();
    let more = ["--passphrase-out", &phrase];
    let ran = provider.pack(folder, "nantou-verify", "NTVP-1", &more).ok();
    assert!(ran.text().contains("2 files, 3 records, signed by SHA256:"), "{}", ran.text());
    assert!(
        ran.text().contains(&format!("next: send '{phrase}' by another channel")),
        "{}",
        ran.text()
    );
    let text = fs::read_to_string(&phrase).unwrap();
    assert!(text.len() == 30 && !ran.text().contains(text.trim()), "{text}");
    site.once();
    let page = site.show("NTVP-1");
    assert_eq!((&page["state"], &page["counts"]["committed"]), (&json!("loaded"), &json!(3)));
    // A passphrase of people's own, and the order of sequences.
    fs::remove_file(&one).unwrap();
    let more = ["--passphrase-stdin", "--kind", "delta", "--sequence", "1"];
    let words = b"seven synthetic words here\n";
    provider.pack_with(folder, "nantou-verify", "NTVP-2", &more, words).ok();
    provider.pack_with(folder, "nantou-verify", "NTVP-3", &more, b"short\n").exits(64);
    assert!(!provider.dropped("nantou-verify").iter().any(|name| name.contains("NTVP-3")));
}

#[test]
fn what_an_intake_would_refuse_is_not_packed_and_leaves_nothing() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let provider = Provider::new(&site, "moca");
    let key = provider.keybox("moca-full", "K.key");
    let fresh = ["--fresh-key", key.as_str()];
    let refused = |from: &Path, link: &str, number: &str, more: &[&str], exit, says: &str| {
        let ran = provider.pack(from, link, number, more).exits(exit);
        assert!(ran.stderr.contains(says), "{says}: {}", ran.stderr);
        assert_eq!(provider.dropped(link), [""; 0], "{says}");
        assert!(!Path::new(&key).exists(), "{says}");
        ran
    };
    let plain = provider.plain("small-20", "residents.dat.age", "MOCA-1151102-0006.key");
    let bytes = fs::read(&plain).unwrap();
    let cut = provider.written("cut.dat", &bytes[1..]);
    refused(&cut, "moca-full", "N-1", &fresh, 65, "record 1: its length or its end");
    let column = provider.written("column.csv", b"national_id,name,phone\r\nA1,x,1\r\n");
    refused(&column, "nantou-verify", "N-1", &fresh, 65, "a column that the layout does not have");
    // An ID number is never repeated, not even in the refusal.
    let number = refused(&plain, "moca-full", "A123456789", &fresh, 64, "no number of a batch");
    assert!(!number.stderr.contains("A123456789"));
    let replaces = [&fresh[..], &["--replaces", "X-A123456789"]].concat();
    refused(&plain, "moca-full", "N-1", &replaces, 64, "no number of a batch");
    let empty = provider.written("empty.dat", b"");
    refused(&empty, "moca-full", "N-1", &fresh, 65, "a full file of no records");
    let link = plain.with_file_name("link.dat");
    std::os::unix::fs::symlink(&plain, &link).unwrap();
    refused(&link, "moca-full", "N-1", &fresh, 69, "is no regular file");
    let inside = site.dir.join("drop/moca-full/plain.dat");
    fs::copy(&plain, &inside).unwrap();
    let ran = provider.pack(&inside, "moca-full", "N-1", &fresh).exits(77);
    assert!(ran.stderr.contains("lies in the folder that is delivered"), "{}", ran.stderr);
    fs::remove_file(inside).unwrap();
    refused(&plain, "moca-full", "N-1", &["--recipient", "age1x"], 64, "expected an age recipient");
    provider.pack(&plain, "moca-full", "N-1", &[]).exits(64);
}

#[test]
fn a_key_goes_nowhere_near_its_data_and_nothing_is_written_over() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let provider = Provider::new(&site, "moca");
    let plain = provider.plain("small-20", "residents.dat.age", "MOCA-1151102-0006.key");
    let drop = site.dir.join("drop/moca-full");
    fs::create_dir(drop.join("inner")).unwrap();
    for beside in
        [drop.join("k"), drop.join("inner/k"), site.dir.join("drop/k"), site.dir.join("k")]
    {
        for option in ["--fresh-key", "--passphrase-out"] {
            let more = [option, beside.to_str().unwrap()];
            let ran = provider.pack(&plain, "moca-full", "N-1", &more).exits(77);
            assert!(ran.stderr.contains("key and data go by separate channels"), "{}", ran.stderr);
            assert!(!beside.exists());
        }
    }
    assert_eq!(provider.dropped("moca-full"), ["inner"]);
    let key = provider.keybox("moca-full", "N-1.key");
    fs::write(&key, "theirs").unwrap();
    let ran = provider.pack(&plain, "moca-full", "N-1", &["--fresh-key", &key]).exits(64);
    assert!(ran.stderr.contains("exists"), "{}", ran.stderr);
    assert_eq!(fs::read(&key).unwrap(), b"theirs");
    fs::create_dir(drop.join("N-2")).unwrap();
    let other = provider.keybox("moca-full", "N-2.key");
    let ran = provider.pack(&plain, "moca-full", "N-2", &["--fresh-key", &other]).exits(64);
    assert!(ran.stderr.contains("a number is used once"), "{}", ran.stderr);
    assert!(!Path::new(&other).exists());
}

#[test]
fn a_stop_at_any_write_leaves_nothing_plain_and_no_delivery_without_its_key() {
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let provider = Provider::new(&site, "moca");
    let plain = provider.plain("small-20", "residents.dat.age", "MOCA-1151102-0006.key");
    let key = provider.keybox("moca-full", "N-1.key");
    let count = site.dir.with_file_name("count");
    let fresh = ["--fresh-key", key.as_str()];
    let counting = [&fresh[..], &["--test-count-writes", count.to_str().unwrap()]].concat();
    provider.pack(&plain, "moca-full", "N-0", &counting).ok();
    let writes: u64 = fs::read_to_string(&count).unwrap().parse().unwrap();
    assert!(writes >= 8, "{writes}");
    let drop = site.dir.join("drop/moca-full");
    let clear = || {
        fs::remove_dir_all(&drop).unwrap();
        fs::create_dir(&drop).unwrap();
        let _ = fs::remove_file(&key);
    };
    let name = fs::read(&plain).unwrap()[2..12].to_vec();
    for write in 1..=writes {
        for moment in ["before", "middle", "after"] {
            clear();
            let at = format!("{write}:{moment}");
            let stopped = [&fresh[..], &["--test-crash", &at]].concat();
            let ran = provider.pack(&plain, "moca-full", "N-1", &stopped);
            assert!(ran.signal.is_some(), "{at}: {ran:?}");
            let whole = drop.join("N-1/manifest.yaml.sig").exists();
            assert!(!whole || Path::new(&key).exists(), "{at}: a delivery without its key");
            for folder in [drop.clone(), drop.join("N-1"), drop.join(".N-1.part")] {
                let listed = fs::read_dir(&folder).into_iter().flatten().map(|e| e.unwrap().path());
                for file in listed.filter(|path| path.is_file()) {
                    let bytes = fs::read(&file).unwrap();
                    assert!(!bytes.windows(10).any(|ten| ten == name), "{at}: plain in {file:?}");
                }
            }
            // What is left is no obstacle: the key's file is named by the refusal, and can go.
            let _ = fs::remove_file(&key);
            if !drop.join("N-1").exists() {
                provider.pack(&plain, "moca-full", "N-1", &fresh).ok();
            }
        }
    }
}

#[test]
fn a_large_file_is_packed_in_little_memory() {
    static PEAK: AtomicU64 = AtomicU64::new(0);
    const RECORDS: u64 = 600_000;
    let people = People::new();
    let site = Site::founded(&people, &[], UNIT);
    let provider = Provider::new(&site, "moca");
    let small = provider.plain("small-20", "residents.dat.age", "MOCA-1151102-0006.key");
    let record = fs::read(&small).unwrap()[..427].to_vec();
    let large = small.with_file_name("large.dat");
    let mut out = BufWriter::new(fs::File::create(&large).unwrap());
    (0..RECORDS).for_each(|_| out.write_all(&record).unwrap());
    out.into_inner().unwrap().sync_all().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("pack").arg(&large).arg("--layout").arg(site.dir.join("layouts/hr-person-01.yaml"));
    command.args(["--link", "moca-full", "--number", "N-1", "--table-no", "T", "--kind", "full"]);
    command.args(["--basis", "D", "--purpose", "P", "--json", "--sign-with"]).arg(&provider.signer);
    command.arg("--fresh-key").arg(provider.keybox("moca-full", "N-1.key"));
    command.arg("-o").arg(site.dir.join("drop/moca-full")).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    while child.try_wait().unwrap().is_none() {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
        PEAK.fetch_max(peak.unwrap_or(0), Ordering::Relaxed);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let output = child.wait_with_output().unwrap();
    let packed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(packed["records"], RECORDS);
    let peak = PEAK.load(Ordering::Relaxed);
    assert!((1..64 << 10).contains(&peak), "{peak} KiB for {} bytes", RECORDS * 427);
}
