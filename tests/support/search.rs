//! The search for plaintext: every value of six bytes or more that a delivery holds, in the bytes it came in and in
//! UTF-8, looked for in every file below some folders and in what commands printed.
//!
//! It decrypts the samples itself, with the `age` library and the samples' keys, and cuts records by the widths of
//! the sample layout; it asks the program under test for nothing but the meaning of CP950 bytes.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    io::Read,
    path::Path,
};

use super::{People, samples};

/// Shorter values stand everywhere by chance.
const VALUE_BYTES_MIN: usize = 6;
/// Runs of hexadecimal digits at least this long are digests, not values.
const DIGEST_DIGITS_MIN: usize = 32;
/// A fixed-width record of the samples: 425 bytes and CRLF.
const RECORD_BYTES: usize = 427;
/// Widths of its fields, in order.
const WIDTHS: [usize; 25] =
    [2, 10, 50, 7, 1, 8, 10, 20, 8, 3, 20, 3, 100, 50, 50, 50, 10, 1, 2, 1, 1, 2, 7, 2, 7];

/// What stands within the dates of the government's calendars, which every site has: the end of 20200120 is a day of ROC 20.
fn parts_of_dates() -> BTreeSet<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/calendars");
    let mut parts = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read(entry.unwrap().path()).unwrap();
        for date in text.split(|byte| !byte.is_ascii_digit()).filter(|date| date.len() == 8) {
            for length in VALUE_BYTES_MIN..=date.len() {
                parts.extend(date.windows(length).map(<[u8]>::to_vec));
            }
        }
    }
    parts
}

/// Values that must not be found anywhere.
#[derive(Default)]
pub(crate) struct Values {
    /// By their first six bytes.
    by_start: HashMap<[u8; VALUE_BYTES_MIN], Vec<Vec<u8>>>,
    count: usize,
}

/// A value that was found: where, at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) place: String,
    pub(crate) at: usize,
    /// All of it is synthetic, and so may be shown.
    pub(crate) value: String,
}

impl Values {
    /// All values of these deliveries.
    pub(crate) fn of(people: &People, cases: &[&str]) -> Self {
        let mut values = Self::default();
        let mut all = BTreeSet::new();
        let mut said = Vec::new();
        for case in cases {
            for file in files_of(case) {
                cut(&opened(people, &file), &mut all);
            }
            let folder = samples().join("deliveries").join(case).join("delivery");
            said.extend(fs::read(folder.join("manifest.yaml")).unwrap());
        }
        for entry in walkdir::WalkDir::new(samples().join("config")) {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                said.extend(fs::read(entry.path()).unwrap());
            }
        }
        // What a manifest or a layout says is no secret: a batch number may hold the digits of a date, and the
        // title of a field the word that another field holds.
        let is_said = |value: &[u8]| said.windows(value.len()).any(|window| window == value);
        let dates = parts_of_dates();
        for value in all {
            if value.len() >= VALUE_BYTES_MIN && !is_said(&value) && !dates.contains(&value) {
                values.add(value);
            }
        }
        assert!(values.count > 20, "only {} values: were the samples read", values.count);
        values
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Every one of them.
    pub(crate) fn each(&self) -> impl Iterator<Item = &[u8]> {
        self.by_start.values().flatten().map(Vec::as_slice)
    }

    /// Further values, such as names of files.
    pub(crate) fn with(mut self, more: impl IntoIterator<Item = Vec<u8>>) -> Self {
        for value in more {
            self.add(value);
        }
        self
    }

    fn add(&mut self, value: Vec<u8>) {
        let Some(start) = value.first_chunk::<VALUE_BYTES_MIN>() else { return };
        // One character over and over is a filler: it tells nothing, and stands in any number.
        if value.iter().all(|byte| *byte == value[0]) {
            return;
        }
        let same = self.by_start.entry(*start).or_default();
        if !same.contains(&value) {
            same.push(value);
            self.count += 1;
        }
    }

    /// Looks through some bytes.
    pub(crate) fn search(&self, place: &str, bytes: &[u8]) -> Vec<Found> {
        let mut found = Vec::new();
        for (at, window) in bytes.windows(VALUE_BYTES_MIN).enumerate() {
            let Some(same) = self.by_start.get(window) else { continue };
            for value in same {
                if bytes[at..].starts_with(value) && !within_digest(bytes, at, value) {
                    let value = String::from_utf8_lossy(value).into_owned();
                    found.push(Found { place: place.to_owned(), at, value });
                }
            }
        }
        found
    }

    /// Looks through every file below a folder, through names as well. Links are not followed.
    pub(crate) fn search_below(&self, folder: &Path) -> Vec<Found> {
        let mut found = Vec::new();
        let mut looked = 0;
        for entry in walkdir::WalkDir::new(folder) {
            let entry = entry.unwrap();
            let place = entry.path().to_string_lossy();
            found.extend(self.search(&format!("name of {place}"), place.as_bytes()));
            if entry.file_type().is_file() {
                looked += 1;
                found.extend(self.search(&place, &fs::read(entry.path()).unwrap()));
            }
        }
        assert!(looked > 0 || !folder.ends_with("state"), "nothing to look through in {folder:?}");
        found
    }
}

/// A number of digits may stand in a digest by chance; in a run of hexadecimal digits it is one.
fn within_digest(bytes: &[u8], at: usize, value: &[u8]) -> bool {
    let hex = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if !value.iter().all(|byte| byte.is_ascii_digit()) {
        return false;
    }
    let before = bytes[..at].iter().rev().take_while(hex).count();
    let after = bytes[at + value.len()..].iter().take_while(hex).count();
    before + value.len() + after >= DIGEST_DIGITS_MIN
}

/// The data files of a delivery.
fn files_of(case: &str) -> Vec<std::path::PathBuf> {
    let folder = samples().join("deliveries").join(case).join("delivery");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "age")).collect()
}

/// The plaintext of a delivered file; a file that is none of age's is its own.
fn opened(people: &People, file: &Path) -> Vec<u8> {
    let bytes = fs::read(file).unwrap();
    let decryptor = || age::Decryptor::new_buffered(age::armor::ArmoredReader::new(&bytes[..]));
    if decryptor().is_err() {
        return bytes;
    }
    for key in keys(people) {
        if let Ok(mut reader) = decryptor().unwrap().decrypt(std::iter::once(&*key)) {
            let mut plain = Vec::new();
            // A file that is cut short gives what stands before the cut.
            let _ = reader.read_to_end(&mut plain);
            return plain;
        }
    }
    panic!("no key of the samples opens {file:?}");
}

/// Every key of the samples that is an identity, and the passphrases.
fn keys(people: &People) -> Vec<Box<dyn age::Identity>> {
    let mut keys: Vec<Box<dyn age::Identity>> = Vec::new();
    let folder = people.batch_key("");
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        if path.extension().is_some_and(|end| end == "key") {
            let line = text.lines().find(|line| line.starts_with("AGE-SECRET-KEY-")).unwrap();
            keys.push(Box::new(line.parse::<age::x25519::Identity>().unwrap()));
        } else {
            let mut phrase =
                age::scrypt::Identity::new(text.trim_end_matches('\n').to_owned().into());
            phrase.set_max_work_factor(20);
            keys.push(Box::new(phrase));
        }
    }
    keys
}

/// Values of a file: every field of a fixed-width record, every cell of a CSV.
fn cut(plain: &[u8], all: &mut BTreeSet<Vec<u8>>) {
    if plain.starts_with(b"national_id,") {
        let text = String::from_utf8_lossy(plain);
        // Cells by themselves: quotes and line feeds within them cut them shorter, which finds more.
        let rows = text.split_once('\n').map_or("", |(_, rows)| rows);
        for cell in rows.split([',', '"', '\r', '\n']) {
            all.insert(cell.as_bytes().to_vec());
        }
        return;
    }
    for record in plain.chunks(RECORD_BYTES) {
        let mut at = 0;
        for width in WIDTHS {
            let field = &record[at.min(record.len())..(at + width).min(record.len())];
            at += width;
            let end = field.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
            all.insert(field[..end].to_vec());
            all.insert(utf8(&field[..end]));
        }
    }
}

/// CP950 bytes as UTF-8.
fn utf8(field: &[u8]) -> Vec<u8> {
    use batchward::domain::cp950;
    let mut tally = cp950::Tally::default();
    let text = cp950::decode(field, batchward::domain::layout::Eudc::MsPua, &mut tally);
    text.trim_end_matches([' ', '\u{3000}']).as_bytes().to_vec()
}
