//! The vectors in `tests/vectors/register` are what the program writes, byte for byte, and what `docs/register.md` shows.
//!
//! The key is that of 32 bytes 0x07, and signs nothing else. `BATCHWARD_BLESS=1` writes the vectors anew.

use std::collections::BTreeMap;

use super::*;
use batchward::{
    domain::cosignature::{Cosigner, CosignerKey},
    verify,
};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/register")
}

/// A register of three commits, and two proofs from it.
fn made() -> BTreeMap<String, Vec<u8>> {
    let state = State::new(&[1, 2, 255]);
    let mut found: BTreeMap<String, Vec<u8>> = files(&state.dir())
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(state.dir()).unwrap().to_str().unwrap().to_owned();
            (format!("register/{name}"), fs::read(path).unwrap())
        })
        .collect();
    let journal = Journal::open(&state.journal(), SITE).unwrap();
    let early = journal.note_at(Log::Register, 3, &key()).unwrap();
    found.insert("kept.checkpoint".to_owned(), early.clone().into_bytes());
    let proof = verify::inclusion(&state.dir(), 1).unwrap().to_text();
    found.insert("entry-1.tlog-proof".to_owned(), proof.into_bytes());
    let growth = verify::growth(&state.dir(), 3).unwrap().to_text();
    found.insert("growth-3".to_owned(), growth.into_bytes());
    let witness = Cosigner::from_secret(&Secret::new(vec![3; 32]), "witness.example").unwrap();
    let checkpoint = verifier(Log::Register).open(&early).unwrap();
    let cosigned = early + &witness.cosign(&checkpoint, 1_800_000_000);
    found.insert("cosigned.checkpoint".to_owned(), cosigned.into_bytes());
    found.insert("witness.vkey".to_owned(), format!("{}\n", witness.public()).into_bytes());
    found.insert("entry-1.json".to_owned(), entry(1));
    found
}

#[test]
fn the_vectors_are_what_the_program_writes() {
    let made = made();
    if std::env::var_os("BATCHWARD_BLESS").is_some() {
        for (name, bytes) in &made {
            let path = vectors().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }
    let kept: Vec<String> = files(&vectors())
        .into_iter()
        .map(|path| path.strip_prefix(vectors()).unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "README.md")
        .collect();
    assert_eq!(kept, made.keys().cloned().collect::<Vec<_>>());
    for (name, bytes) in made {
        assert_eq!(fs::read(vectors().join(&name)).unwrap(), bytes, "{name}");
    }
}

#[test]
fn the_vectors_verify() {
    let key = verifier(Log::Register);
    let report = verify_dir(&vectors().join("register"), Some(&key));
    assert!(report.ok, "{:#?}", report.problems);
    let text = |name: &str| fs::read_to_string(vectors().join(name)).unwrap();
    assert!(verify::verify_proof(&text("entry-1.tlog-proof"), &key, &[], &[]).ok);
    let kept = [("kept".to_owned(), text("kept.checkpoint"))];
    assert!(verify::verify_proof(&text("growth-3"), &key, &kept, &[]).ok);
}

#[test]
fn the_cosigned_vector_verifies() {
    let text = |name: &str| fs::read_to_string(vectors().join(name)).unwrap();
    let witness = CosignerKey::parse(&text("witness.vkey")).unwrap();
    assert_eq!(witness.find(&text("cosigned.checkpoint")).unwrap().0, 1_800_000_000);
    assert!(witness.find(&text("kept.checkpoint")).is_err());
}

/// Every block of the page that names a vector shows it as it is.
#[test]
fn the_page_shows_the_vectors_as_they_are() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/register.md");
    let page = fs::read_to_string(page).unwrap();
    let mut shown = 0;
    for part in page.split("<!-- vector: ").skip(1) {
        let (name, rest) = part.split_once(" -->").unwrap();
        let block = rest.split("```").nth(1).unwrap();
        let block = block.split_once('\n').unwrap().1;
        let bytes = fs::read(vectors().join(name)).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(block.trim_end(), text.trim_end(), "{name}");
        shown += 1;
    }
    assert!(shown >= 6, "the page shows {shown} vectors");
    let leaf = merkle::leaf_hash(&entry(1)).to_string();
    assert!(page.contains(&leaf), "the leaf of the entry shown: {leaf}");
}
