//! The provider's part of the demo: a link, a delivery, a key that goes another way.

use std::{fs, path::Path};

use super::{new_key, people, put};
use crate::{
    adapters::{age_files, clock::SystemClock},
    domain::{
        digest::{Digest, Hasher},
        manifest::MANIFEST_NAMESPACE,
        secret::Secret,
        sshsig::SigningKey,
    },
    error::{Error, Exit},
    service::Result,
};

const LINK: &str = "link: demo
title: 戶籍資料全量檔
provider: 桃園市政府民政局
signers: demo.allowed_signers
inbox: ../drop/demo
keybox: ../keys/demo
policy: taoyuan-dwcd
layout: hr-person-01
table_no: HR-PERSON-01
items: [national_id, name, birth_date, village_name]
purpose: 育兒津貼資格審查
basis_doc_no: 府民戶字第1150001234號
approved_until: 2028-12-31
units: [幼兒托育科]
status: active
";

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Exit::Failed, error.to_string())
}

/// What stands before the first delivery: the arrangement, and the provider's signing key in it.
pub(super) fn arrange(dir: &Path) -> Result<()> {
    let key = new_key()?;
    put(&dir.join("provider/key"), key.to_file().map_err(failed)?.expose(), 0o600)?;
    let signers =
        format!("provider@demo namespaces=\"{MANIFEST_NAMESPACE}\" {}\n", key.public().text());
    put(&dir.join("links/demo.allowed_signers"), signers.as_bytes(), 0o644)?;
    put(&dir.join("links/demo.yaml"), LINK.as_bytes(), 0o644)
}

/// Drops a delivery of synthetic people; `tampered` flips one bit of the file after it was signed. Returns an ID
/// number that is in it.
pub(super) fn deliver(dir: &Path, number: &str, records: u64, tampered: bool) -> Result<String> {
    let identity = age_files::new_identity();
    let recipient = age_files::recipient_of(&identity).map_err(failed)?;
    let staging = dir.join("provider").join(number);
    fs::create_dir_all(&staging).map_err(failed)?;
    let mut plain = Hashing { file: None, hasher: Hasher::new(), first: Vec::new() };
    let writer = age_files::SpoolWriter::create(&staging, "residents.dat.age", &recipient)
        .map_err(failed)?;
    plain.file = Some(writer);
    people::residents(u64::from(number.bytes().last().unwrap_or(0)), records, &mut plain)
        .map_err(failed)?;
    let Hashing { file, hasher, first } = plain;
    if let Some(file) = file {
        file.finish().map_err(failed)?;
    }
    let path = staging.join("residents.dat.age");
    let mut bytes = fs::read(&path).map_err(failed)?;
    let manifest = format!(
        "batchward: 1\nbatch: {number}\nlink: demo\ntable_no: HR-PERSON-01\nkind: full\nsequence: 1\nnotified_at: {}\n\
         basis_doc_no: 府民戶字第1150001234號\npurpose: 育兒津貼資格審查\nrecords: {records}\nfiles:\n  \
         - name: residents.dat.age\n    bytes: {}\n    sha256: {}\n    records: {records}\n    plaintext_sha256: {}\n",
        SystemClock.now(),
        bytes.len(),
        Digest::of(&bytes),
        hasher.finish(),
    );
    if tampered && let Some(last) = bytes.last_mut() {
        *last ^= 1;
        put(&path, &bytes, 0o600)?;
    }
    let key = Secret::new(fs::read(dir.join("provider/key")).map_err(failed)?);
    let signature = SigningKey::parse(&key, None)
        .and_then(|key| key.sign(MANIFEST_NAMESPACE, manifest.as_bytes()))
        .map_err(failed)?;
    put(&staging.join("manifest.yaml"), manifest.as_bytes(), 0o600)?;
    put(&staging.join("manifest.yaml.sig"), signature.as_bytes(), 0o600)?;
    put(&dir.join("letters").join(format!("{number}.key")), identity.expose(), 0o600)?;
    fs::rename(&staging, dir.join("drop/demo").join(number.to_lowercase())).map_err(failed)?;
    Ok(String::from_utf8_lossy(first.get(2..12).unwrap_or_default()).into_owned())
}

/// Hashes the plain bytes on their way into the age file; they are never written anywhere else.
struct Hashing {
    file: Option<age_files::SpoolWriter>,
    hasher: Hasher,
    first: Vec<u8>,
}

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.hasher.update(bytes);
        if self.first.is_empty() {
            self.first = bytes.to_vec();
        }
        if let Some(file) = &mut self.file {
            file.write(bytes).map_err(std::io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
