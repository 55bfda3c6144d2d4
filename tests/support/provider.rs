//! A provider of many small deliveries, made in this process: synthetic people, throw-away keys.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use batchward::{
    adapters::age_files,
    domain::{digest::Digest, manifest::MANIFEST_NAMESPACE, secret::Secret, sshsig::SigningKey},
};

/// The link that the deliveries come under.
pub(crate) const LINK: &str = "small";

/// Letters of ID numbers with their two digits, and weights of the eleven digits (the check digit's is 1).
const LETTERS: &str = "ABCDEFGHJKLMNPQRSTUVXYWZIO";

/// A provider with a signing key, and a link of a site that it delivers under.
pub(crate) struct Provider {
    key: SigningKey,
    site: PathBuf,
    staging: PathBuf,
}

impl Provider {
    /// Puts the link into a site that is laid out and has no state yet. The staging folder is on the drop's
    /// filesystem, so that a delivery appears by one rename.
    pub(crate) fn arrange(site: &Path) -> Self {
        let key = SigningKey::from_seed(&Secret::new(vec![7; 32])).unwrap();
        let signers = format!(
            "provider@synthetic namespaces=\"{MANIFEST_NAMESPACE}\" {}\n",
            key.public().text()
        );
        fs::write(site.join("links/small.allowed_signers"), signers).unwrap();
        let link = fs::read_to_string(site.join("links/nantou-verify.yaml")).unwrap();
        let link = link
            .replace("link: nantou-verify", "link: small")
            .replace("nantou.allowed_signers", "small.allowed_signers")
            .replace("drop/nantou-verify", "drop/small")
            .replace("keys/nantou-verify", "keys/small");
        fs::write(site.join("links/small.yaml"), link).unwrap();
        let staging = site.join("staging");
        for folder in [&staging, &site.join("drop/small"), &site.join("keys/small")] {
            fs::create_dir_all(folder).unwrap();
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).unwrap();
        }
        Self { key, site: site.to_owned(), staging }
    }

    /// The number of the `n`-th delivery.
    pub(crate) fn number(n: u64) -> String {
        format!("SMALL-{n:08}")
    }

    /// Makes the `n`-th delivery, of `records` people, in the staging folder, and its key in the keybox.
    pub(crate) fn pack(&self, n: u64, records: u64) -> PathBuf {
        self.pack_in(n, records, 1)
    }

    /// The same in this many files of `records` people each.
    pub(crate) fn pack_in(&self, n: u64, records: u64, files: u64) -> PathBuf {
        let people = |file: u64| {
            let mut plain = String::from("national_id,name,birth_date,indigenous\r\n");
            for record in 0..records {
                let person = (n * files + file) * records + record;
                plain.push_str(&format!("{},王小明{person},0800101,0\r\n", national_id(person)));
            }
            plain.into_bytes()
        };
        self.pack_of(n, records, files, people)
    }

    /// The same in this many files of so many bytes of noise each: they can be verified and never be loaded.
    #[allow(dead_code, reason = "not every program that shares this wants noise")]
    pub(crate) fn pack_noise(&self, n: u64, bytes: usize, files: u64) -> PathBuf {
        let noise = |_| {
            let mut noise = vec![0; bytes];
            getrandom::fill(&mut noise).unwrap();
            noise
        };
        self.pack_of(n, 1, files, noise)
    }

    fn pack_of(&self, n: u64, records: u64, files: u64, plain: impl Fn(u64) -> Vec<u8>) -> PathBuf {
        let number = Self::number(n);
        let identity = age_files::new_identity();
        let recipient = age_files::recipient_of(&identity).unwrap();
        let folder = self.staging.join(number.to_lowercase());
        fs::create_dir_all(&folder).unwrap();
        let mut manifest = format!(
            "batchward: 1\nbatch: {number}\nlink: {LINK}\ntable_no: NT-VERIFY-04\nkind: full\nsequence: 1\n\
             notified_at: 2026-11-21T09:00:00+08:00\nbasis_doc_no: 府民戶字第1150004321號\n\
             purpose: 驗證機制平臺身分驗證\nrecords: {}\nfiles:\n",
            records * files,
        );
        for file in 0..files {
            let sealed = age_files::seal(&recipient, &plain(file)).unwrap();
            let name = if files == 1 { "people".to_owned() } else { format!("people-{file}") };
            manifest.push_str(&format!(
                "  - name: {name}.csv.age\n    bytes: {}\n    sha256: {}\n    records: {records}\n",
                sealed.len(),
                Digest::of(&sealed),
            ));
            fs::write(folder.join(format!("{name}.csv.age")), sealed).unwrap();
        }
        let signature = self.key.sign(MANIFEST_NAMESPACE, manifest.as_bytes()).unwrap();
        fs::write(folder.join("manifest.yaml"), manifest).unwrap();
        fs::write(folder.join("manifest.yaml.sig"), signature).unwrap();
        let part = self.site.join("keys/small").join(format!(".{number}.part"));
        fs::write(&part, identity.expose()).unwrap();
        fs::set_permissions(&part, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(part, self.site.join("keys/small").join(format!("{number}.key"))).unwrap();
        folder
    }

    /// Drops a packed delivery by one rename.
    pub(crate) fn release(&self, packed: &Path) {
        let name = packed.file_name().unwrap();
        fs::rename(packed, self.site.join("drop/small").join(name)).unwrap();
    }

    /// Makes and drops the deliveries of a range.
    pub(crate) fn deliver(&self, numbers: std::ops::Range<u64>, records: u64) {
        for n in numbers {
            self.release(&self.pack(n, records));
        }
    }
}

/// A well-formed ID number of a person who does not exist.
pub(crate) fn national_id(person: u64) -> String {
    let place = usize::try_from(person / 20_000_000 % 26).unwrap();
    let letter = LETTERS.as_bytes()[place];
    let code = 10 + u64::try_from(place).unwrap();
    let digits = format!("{}{:07}", 1 + person / 10_000_000 % 2, person % 10_000_000);
    let sum = code / 10
        + code % 10 * 9
        + digits.bytes().zip((1..=8).rev()).map(|(d, w)| u64::from(d - b'0') * w).sum::<u64>();
    format!("{}{digits}{}", char::from(letter), (10 - sum % 10) % 10)
}
