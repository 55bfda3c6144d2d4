//! A manifest as it is written: YAML, every text in double quotes as JSON has them, so that nothing in it can be read
//! as something else.

use std::fmt::Write as _;

use super::{AsOf, FileEntry, Manifest, ManifestFault};

impl Manifest {
    /// The manifest's text, which reads as this manifest: it was read again before it is returned.
    ///
    /// # Errors
    /// [`ManifestFault`]: this is no manifest that an intake takes, and why.
    pub fn to_yaml(&self) -> Result<String, ManifestFault> {
        let text = self.write();
        let same = |read: &Self| {
            let plain = |m: &Self| Self { files: Vec::new(), ..m.clone() };
            plain(read) == plain(self) && read.files == self.files
        };
        match Self::parse(text.as_bytes())? {
            read if same(&read) => Ok(text),
            // What is written in another way than it is read: a time before milliseconds, a text of blanks.
            _ => Err(ManifestFault::OutOfRange("manifest")),
        }
    }

    fn write(&self) -> String {
        let mut out = String::from("batchward: 1\n");
        let mut line = |name: &str, value: &str| {
            // Writing to a text cannot fail.
            let _ = writeln!(out, "{name}: {value}");
        };
        line("batch", &quoted(&self.batch));
        line("link", &quoted(&self.link));
        line("table_no", &quoted(&self.table_no));
        line("kind", self.kind.word());
        line("sequence", &self.sequence.to_string());
        line("notified_at", &self.notified_at.to_string());
        line("basis_doc_no", &quoted(&self.basis_doc_no));
        line("purpose", &quoted(&self.purpose));
        if let Some(applied) = self.applied {
            line("applied", &applied.to_string());
        }
        match self.as_of {
            None => {}
            Some(AsOf::Day(day)) => line("as_of", &day.to_string()),
            Some(AsOf::Moment(at)) => line("as_of", &at.to_string()),
        }
        if let Some(replaces) = &self.replaces {
            line("replaces", &quoted(replaces));
        }
        line("records", &self.records.to_string());
        out.push_str("files:\n");
        for file in &self.files {
            listed(&mut out, file);
        }
        out
    }
}

fn listed(out: &mut String, file: &FileEntry) {
    let FileEntry { name, bytes, sha256, records, plaintext_sha256 } = file;
    let name = quoted(name);
    let _ = writeln!(out, "  - name: {name}\n    bytes: {bytes}\n    sha256: {sha256}");
    let _ = writeln!(out, "    records: {records}");
    if let Some(digest) = plaintext_sha256 {
        let _ = writeln!(out, "    plaintext_sha256: {digest}");
    }
}

/// A text in double quotes. A JSON text is one of YAML as well, but for what a manifest refuses anyway.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{digest::Digest, manifest::Kind, time::Timestamp};

    fn manifest(purpose: String, name: String) -> Manifest {
        let file = FileEntry {
            name,
            bytes: 7,
            sha256: Digest::of(b"one"),
            records: 3,
            plaintext_sha256: Some(Digest::of(b"two")),
        };
        Manifest {
            batch: "MOCA-7".to_owned(),
            link: "moca-full".to_owned(),
            table_no: "HR-PERSON-01".to_owned(),
            kind: Kind::Full,
            sequence: 7,
            notified_at: Timestamp::parse("2026-11-21T09:00:00+08:00").unwrap(),
            basis_doc_no: "府民戶字第1150001234號".to_owned(),
            purpose,
            applied: Some(12),
            as_of: Some(AsOf::Day("2026-11-20".parse().unwrap())),
            replaces: Some("MOCA-6".to_owned()),
            records: 3,
            files: vec![file],
            each: true,
        }
    }

    #[test]
    fn a_manifest_reads_as_what_was_written() {
        let one = manifest("育兒津貼: \"#1\" & ~".to_owned(), "名冊 (1).age".to_owned());
        assert_eq!(Manifest::parse(one.to_yaml().unwrap().as_bytes()).unwrap(), one);
    }

    #[test]
    fn what_no_intake_takes_is_not_written() {
        let batch = Manifest { batch: "A123456789".to_owned(), ..manifest("p".into(), "f".into()) };
        assert_eq!(batch.to_yaml(), Err(ManifestFault::OutOfRange("batch")));
        let sum = Manifest { records: 4, ..manifest("p".into(), "f".into()) };
        assert_eq!(sum.to_yaml(), Err(ManifestFault::Sum));
        assert_eq!(manifest("p".into(), "../f".into()).to_yaml(), Err(ManifestFault::UnsafeName));
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_reads_as_itself(purpose in ".{1,40}", name in ".{1,20}") {
            let one = manifest(purpose, name);
            if let Ok(text) = one.to_yaml() {
                prop_assert_eq!(Manifest::parse(text.as_bytes()).unwrap(), one);
            }
        }
    }
}
