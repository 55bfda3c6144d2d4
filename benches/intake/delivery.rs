//! Deliveries of synthetic people, packed with stock tools as a provider packs them: `age`, `ssh-keygen`, a manifest.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use batchward::{
    demo::people,
    domain::{
        cp950::{self, Tally},
        digest::Hasher,
        layout::Eudc,
    },
};

use super::measure::output;

/// Every run packs the same people.
const SEED: u64 = 20_261_121;
const RECORD: usize = 427;

/// The shape of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Records of 425 bytes of CP950 and CR LF, layout `hr-person-01`.
    Fixed,
    /// The same people in UTF-8 with the four columns that are stored.
    Delimited,
}

impl Form {
    /// Its link.
    pub(crate) const fn link(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::Delimited => "delimited",
        }
    }
}

/// Who delivers: a signing key, and the key of the batches.
pub(crate) struct Provider {
    dir: PathBuf,
    recipient: String,
}

/// A packed delivery.
pub(crate) struct Packed {
    pub(crate) form: Form,
    pub(crate) records: u64,
    pub(crate) dir: PathBuf,
    plain: u64,
}

impl Packed {
    /// The age file.
    pub(crate) fn file(&self) -> PathBuf {
        self.dir.join("people.age")
    }

    /// Bytes before encryption.
    pub(crate) const fn bytes(&self) -> u64 {
        self.plain
    }

    /// Room for the next.
    pub(crate) fn remove(&self) {
        fs::remove_dir_all(&self.dir).unwrap();
    }
}

impl Provider {
    pub(crate) fn new(dir: &Path) -> Self {
        fs::create_dir_all(dir).unwrap();
        let key = dir.join("sign");
        let mut keygen = Command::new("ssh-keygen");
        output(keygen.args(["-q", "-t", "ed25519", "-N", "", "-C", "provider", "-f"]).arg(key));
        output(Command::new("age-keygen").arg("-o").arg(dir.join("batch.key")));
        let mut public = Command::new("age-keygen");
        let recipient = output(public.arg("-y").arg(dir.join("batch.key"))).trim().to_owned();
        Self { dir: dir.to_owned(), recipient }
    }

    /// The key that opens the batches.
    pub(crate) fn identity(&self) -> PathBuf {
        self.dir.join("batch.key")
    }

    /// The line of an allowed signers file.
    pub(crate) fn signer(&self) -> String {
        let public = fs::read_to_string(self.dir.join("sign.pub")).unwrap();
        format!("provider namespaces=\"batchward-manifest\" {public}")
    }

    /// Makes people, encrypts them on the way to the disk, and announces the file.
    pub(crate) fn pack(&self, work: &Path, form: Form, records: u64) -> Packed {
        let dir = work.join(format!("{}-{records}", form.link()));
        fs::create_dir_all(&dir).unwrap();
        let file = dir.join("people.age");
        let mut age = Command::new("age");
        let mut age = age
            .args(["-r", &self.recipient, "-o"])
            .arg(&file)
            .stdin(Stdio::piped())
            .spawn()
            .expect("age is there");
        let plain = write_people(&mut age, form, records);
        assert!(age.wait().unwrap().success(), "age encrypts");
        let packed = Packed { form, records, dir, plain };
        self.announce(&packed);
        packed
    }

    fn announce(&self, packed: &Packed) {
        let file = packed.file();
        let bytes = fs::metadata(&file).unwrap().len();
        let sha256 = digest(&file);
        let records = packed.records;
        let link = packed.form.link();
        let manifest = format!(
            "batchward: 1\nbatch: BENCH-1\nlink: {link}\ntable_no: HR-PERSON-01\nkind: full\nsequence: 1\n\
             notified_at: 2026-11-21T09:00:00+08:00\nbasis_doc_no: 府民戶字第1150001234號\n\
             purpose: 育兒津貼資格審查\nrecords: {records}\nfiles:\n  - name: people.age\n    bytes: {bytes}\n    \
             sha256: {sha256}\n    records: {records}\n",
        );
        let path = packed.dir.join("manifest.yaml");
        fs::write(&path, manifest).unwrap();
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-Y", "sign", "-n", "batchward-manifest", "-f"]);
        output(sign.arg(self.dir.join("sign")).arg(&path).stderr(Stdio::null()));
    }
}

fn digest(file: &Path) -> String {
    let mut hasher = Hasher::new();
    let mut file = fs::File::open(file).unwrap();
    let mut chunk = vec![0; 1 << 20];
    loop {
        let count = io::Read::read(&mut file, &mut chunk).unwrap();
        if count == 0 {
            return hasher.finish().to_string();
        }
        hasher.update(&chunk[..count]);
    }
}

/// Streams the people into age; returns the bytes that they have.
fn write_people(age: &mut Child, form: Form, records: u64) -> u64 {
    let input = BufWriter::with_capacity(1 << 20, age.stdin.take().unwrap());
    let mut sink = Counting { input, bytes: 0, form, text: String::new() };
    if form == Form::Delimited {
        sink.put(b"national_id,name,birth_date,village_name\r\n").unwrap();
    }
    people::residents(SEED, records, &mut sink).unwrap();
    sink.input.flush().unwrap();
    sink.bytes
}

/// Takes records of the fixed form one by one, and writes them in the form that is wanted.
struct Counting<W: Write> {
    input: W,
    bytes: u64,
    form: Form,
    text: String,
}

impl<W: Write> Counting<W> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        self.input.write_all(bytes)
    }
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        assert_eq!(record.len(), RECORD, "people come one at a time");
        if self.form == Form::Fixed {
            self.put(record)?;
            return Ok(record.len());
        }
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        // National id, name, birth date, village: where `hr-person-01` has them.
        for (n, range) in [2..12, 12..62, 62..69, 119..139].into_iter().enumerate() {
            if n > 0 {
                text.push(',');
            }
            cp950::decode_into(&record[range], Eudc::MsPua, &mut text, &mut Tally::default());
            text.truncate(text.trim_end_matches([' ', '\u{3000}']).len());
        }
        text.push_str("\r\n");
        self.put(text.as_bytes())?;
        self.text = text;
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.input.flush()
    }
}
