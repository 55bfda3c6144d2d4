//! What each check of an intake costs: its work done alone, over the very bytes of the delivery, by the code that the
//! agent runs, as a share of the processor time of a whole intake. What the list does not name is the rest: reading,
//! writing, the wipe of the originals, the start of the process.

use std::{
    fs,
    io::{self, BufReader, Read},
    path::Path,
    time::Instant,
};

use batchward::{
    adapters::{
        age_files::{self, DeliveryKey, SpoolWriter, open_delivery, open_spool},
        journal::{Journal, Log},
        vault::{Column, VaultBuilder},
    },
    config,
    domain::{
        checkpoint::RegisterKey,
        digest::{Hasher, KeyedHasher},
        ids::CopyId,
        manifest::Kind,
        record::{Decoder, Record},
        secret::Secret,
        sshsig,
    },
};

use super::{
    delivery::{Packed, Provider},
    measure::own_cpu,
    site::Site,
};

/// Small things are done so often, so that the clock of the processor, of hundredths of seconds, shows them.
const OFTEN: u32 = 200;
/// Entries that an intake writes, as the register of one shows.
const ENTRIES: u32 = 13;

/// What a check costs, in seconds of processor time.
#[derive(Debug)]
pub(crate) struct Share {
    pub(crate) what: &'static str,
    pub(crate) cpu: f64,
}

/// Does the work of each check alone.
pub(crate) fn measure(work: &Path, provider: &Provider, packed: &Packed) -> Vec<Share> {
    let site = Site::new(work, provider);
    let folder = work.join("alone");
    fs::create_dir(&folder).unwrap();
    let sealed = fs::read(packed.file()).unwrap();
    let key = DeliveryKey::parse_identity(&secret(&provider.identity())).unwrap();
    let opened = || open_delivery(io::Cursor::new(&sealed), &key).unwrap();
    let mut plain = Vec::with_capacity(sealed.len());
    opened().read_to_end(&mut plain).unwrap();
    let decrypt = || {
        io::copy(&mut opened(), &mut io::sink()).unwrap();
    };
    let decoding = decode(&site, packed, &plain, None);
    let shares = vec![
        Share { what: "signature of the manifest", cpu: signature(packed) },
        Share { what: "digest of the file", cpu: cpu(|| digest(&sealed)) },
        Share { what: "sealing the copy of the claim", cpu: cpu(|| spooled(&folder, &sealed)) },
        Share { what: "opening the copy again", cpu: cpu(|| unspooled(&folder)) },
        Share { what: "decryption of the delivery", cpu: cpu(decrypt) },
        Share { what: "code over its content", cpu: cpu(|| code(&plain)) },
        Share { what: "decoding and judging records", cpu: decoding },
        Share {
            what: "loading under encryption",
            cpu: decode(&site, packed, &plain, Some(&folder)) - decoding,
        },
        Share { what: "the register's entries", cpu: register(&folder) },
    ];
    fs::remove_dir_all(folder).unwrap();
    site.remove();
    shares
}

/// Processor time of this process, all its threads, for some work.
fn cpu(work: impl FnOnce()) -> f64 {
    let before = own_cpu();
    work();
    own_cpu() - before
}

fn secret(path: &Path) -> Secret {
    Secret::new(fs::read(path).unwrap())
}

fn signature(packed: &Packed) -> f64 {
    let manifest = fs::read(packed.dir.join("manifest.yaml")).unwrap();
    let signature = fs::read(packed.dir.join("manifest.yaml.sig")).unwrap();
    let verify = || {
        sshsig::verify(&signature, &manifest, "batchward-manifest").unwrap();
    };
    cpu(|| (0..OFTEN).for_each(|_| verify())) / f64::from(OFTEN)
}

fn digest(bytes: &[u8]) {
    let mut hasher = Hasher::new();
    bytes.chunks(1 << 16).for_each(|chunk| hasher.update(chunk));
    std::hint::black_box(hasher.finish());
}

fn code(bytes: &[u8]) {
    let mut hasher = KeyedHasher::new(b"a key of this benchmark alone, 32");
    bytes.chunks(1 << 16).for_each(|chunk| hasher.update(chunk));
    std::hint::black_box(hasher.finish());
}

fn spooled(folder: &Path, bytes: &[u8]) {
    let identity = age_files::new_identity();
    let recipient = age_files::recipient_of(&identity).unwrap();
    fs::write(folder.join("identity"), identity.expose()).unwrap();
    let mut writer = SpoolWriter::create(folder, "copy", &recipient).unwrap();
    bytes.chunks(256 << 10).for_each(|chunk| writer.write(chunk).unwrap());
    writer.finish().unwrap();
}

fn unspooled(folder: &Path) {
    let mut copy = open_spool(&folder.join("copy"), &secret(&folder.join("identity"))).unwrap();
    io::copy(&mut copy, &mut io::sink()).unwrap();
}

/// Decodes every record, and loads it where there is a folder for the vault.
fn decode(site: &Site, packed: &Packed, plain: &[u8], vault: Option<&Path>) -> f64 {
    let config = config::load(&site.config()).unwrap();
    let link = &config.links[packed.form.link()];
    let layout = &config.layouts[&link.layout];
    let key = layout.key().map(|field| field.name.as_str());
    let column = |name: &String| Column { name: name.clone(), key: key == Some(name.as_str()) };
    let columns: Vec<Column> = link.items.iter().map(column).collect();
    let vault_key = Secret::new(vec![7; 32]);
    cpu(|| {
        let create =
            |folder| VaultBuilder::create(folder, CopyId::new(1), &vault_key, &columns).unwrap();
        let mut build = vault.map(create);
        let mut decoder = Decoder::new(layout, &link.items, Kind::Full).unwrap();
        let mut count = 0;
        let mut sink = |record: Record<'_>| {
            count += 1;
            match &mut build {
                Some(build) => build.insert(record.number, false, record.values),
                None => Ok(()),
            }
        };
        let mut chunks = BufReader::with_capacity(1 << 16, plain);
        loop {
            let chunk = io::BufRead::fill_buf(&mut chunks).unwrap();
            let length = chunk.len();
            if length == 0 {
                break;
            }
            assert!(decoder.push(chunk, &mut sink).is_ok(), "every record is good");
            io::BufRead::consume(&mut chunks, length);
        }
        assert!(decoder.end_of_file(&mut sink).is_ok(), "the file ends with a record");
        assert_eq!(count, packed.records);
        if let Some(build) = build {
            build.seal(&vault_key).unwrap().place().unwrap();
        }
    })
}

/// Entries as long as an intake's, each with its signed checkpoint and its own commit.
fn register(folder: &Path) -> f64 {
    let key = RegisterKey::from_secret(&Secret::new(vec![7; 32]), "batchward/bench").unwrap();
    let mut journal = Journal::create(&folder.join("journal.db"), "bench").unwrap();
    let began = Instant::now();
    let one = cpu(|| {
        for _ in 0..OFTEN {
            journal.append(&key, &[(Log::Register, vec![b' '; 600])]).unwrap();
        }
    }) / f64::from(OFTEN);
    let wall = began.elapsed().as_secs_f64() / f64::from(OFTEN);
    println!("one entry of the register, signed and synced: {:.2} ms", wall * 1000.0);
    one * f64::from(ENTRIES)
}
