//! Filesystems in files: made, mounted in a mount namespace of the test's own, unmounted, and then searched raw.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::fs::SeekFrom;

use super::support::done;

/// Records of one file.
pub(crate) const RECORDS: usize = 20_000;
const MARK: &[u8] = b"BWMARK";

/// Runs this test once more in a mount namespace of its own, where nothing that it mounts is seen outside or outlives it.
/// `true` in there.
pub(crate) fn inside(test: &str) -> bool {
    if std::env::var_os("BATCHWARD_OWN_MOUNTS").is_some() {
        return true;
    }
    let said = done(
        Command::new("unshare")
            .args(["--mount", "--propagation", "private", "--"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env("BATCHWARD_OWN_MOUNTS", "1"),
    );
    println!("{}", String::from_utf8_lossy(&said));
    false
}

/// A filesystem in a file.
pub(crate) struct Image {
    dir: tempfile::TempDir,
    options: &'static str,
}

impl Image {
    /// Made by `make`, a command that takes the file, and mounted.
    pub(crate) fn of(make: &[&str], options: &'static str, mib: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let image = Self { dir, options };
        File::create(image.file()).unwrap().set_len(mib << 20).unwrap();
        done(Command::new(make[0]).args(&make[1..]).arg(image.file()));
        fs::create_dir(image.path()).unwrap();
        image.mount();
        image
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.dir.path().join("image")
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("mounted")
    }

    fn mount(&self) {
        done(Command::new("mount").args(["-o", self.options]).arg(self.file()).arg(self.path()));
    }

    /// Unmounts it and gives the bytes of its file that are not holes.
    pub(crate) fn raw(&self) -> Vec<u8> {
        done(Command::new("umount").arg(self.path()));
        let file = File::open(self.file()).unwrap();
        let len = file.metadata().unwrap().len();
        let (mut raw, mut at) = (Vec::new(), 0);
        while let Ok(start) = rustix::fs::seek(&file, SeekFrom::Data(at)) {
            let end = rustix::fs::seek(&file, SeekFrom::Hole(start)).unwrap_or(len);
            let begin = raw.len();
            raw.resize(begin + usize::try_from(end - start).unwrap(), 0);
            file.read_exact_at(&mut raw[begin..], start).unwrap();
            at = end;
        }
        raw
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).output();
    }
}

/// A file of marked records. They say that they are synthetic, and no two are alike, so that each is counted once.
pub(crate) fn records() -> Vec<u8> {
    let mut bytes = Vec::new();
    for number in 0..RECORDS {
        bytes.extend(MARK);
        bytes.extend(
            format!(
                "{number:05}:synthetic record of nobody, to be searched for:{:>4}\n",
                number % 977
            )
            .bytes(),
        );
    }
    bytes
}

/// How many of the records stand in these bytes.
pub(crate) fn count(raw: &[u8]) -> usize {
    let mut found = BTreeSet::new();
    // By the first byte of each, by a search that the standard library has in machine code.
    let mut rest = raw;
    while let Some(at) = rest.iter().position(|byte| *byte == MARK[0]) {
        rest = &rest[at..];
        if rest.starts_with(MARK)
            && let Some(number) = rest.get(MARK.len()..MARK.len() + 5)
            && number.iter().all(u8::is_ascii_digit)
        {
            found.insert(number.to_vec());
        }
        rest = &rest[1..];
    }
    found.len()
}

/// Writes the records to a file, synced.
pub(crate) fn put(path: &Path) {
    fs::write(path, records()).unwrap();
    File::open(path).unwrap().sync_all().unwrap();
}
