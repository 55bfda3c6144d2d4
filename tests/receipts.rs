//! Receipts: after each verdict the provider can be told what arrived and what came of it, and verifies it with stock
//! tools.
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
    process::Command,
};

use serde_json::Value;
use support::{People, Site};

const UNIT: &str = "幼兒托育科";

/// A site whose link has a folder of receipts.
fn site<'p>(people: &'p People, cases: &[&str]) -> (Site<'p>, PathBuf) {
    let site = Site::laid_out(people, cases);
    let folder = site.dir.join("receipts/moca-full");
    fs::create_dir_all(&folder).unwrap();
    let link = site.dir.join("links/moca-full.yaml");
    let text = fs::read_to_string(&link).unwrap() + "receipts: ../receipts/moca-full\n";
    fs::write(link, text).unwrap();
    site.init();
    site.accounts(UNIT);
    (site, folder)
}

fn receipt(folder: &Path, id: &str) -> Value {
    serde_json::from_slice(&fs::read(folder.join(format!("{id}.json"))).unwrap()).unwrap()
}

/// What `ssh-keygen -Y verify` says of a receipt, under the receiver's published signer.
fn stock(site: &Site<'_>, file: &Path) -> bool {
    let signers = site.temporary().join("receivers");
    let vkey = fs::read_to_string(site.dir.join("state/register/vkey")).unwrap();
    let listed = fs::read_to_string(site.dir.join("state/register/allowed_signers"));
    fs::write(&signers, listed.unwrap()).unwrap();
    let origin = vkey.trim().split('+').next().unwrap();
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-Y", "verify", "-n", "batchward-receipt", "-I", origin, "-f"]).arg(signers);
    keygen.arg("-s").arg(format!("{}.sig", file.display()));
    keygen.stdin(fs::File::open(file).unwrap());
    keygen.output().unwrap().status.success()
}

#[test]
fn each_verdict_has_a_receipt_and_a_later_one_takes_its_place() {
    let people = People::new();
    let (site, folder) = site(&people, &["checksum-mismatch"]);
    site.install(&["--no-keys"], &["full-1000"]);
    site.once();
    let id = site.row_numbered("MOCA-1151102-0001");
    let first = receipt(&folder, &id);
    assert_eq!(
        (&first["verdict"], &first["counts"]["declared"]),
        (&"verified".into(), &1000.into())
    );
    site.install(&["--keys-only"], &["full-1000"]);
    site.once();
    let then = receipt(&folder, &id);
    assert_eq!((&then["verdict"], &then["reason"]), (&"loaded".into(), &Value::Null));
    assert_eq!(then["counts"]["committed"], 1000);
    assert_eq!(then["number"], "MOCA-1151102-0001");
    let page = site.show(&id);
    assert_eq!(then["files"][0]["sha256"], page["files"][0]["sha256"]);
    let bad = site.batches().into_iter().find(|row| row["reason"] == "checksum-mismatch").unwrap();
    let bad = bad["id"].as_str().unwrap().to_owned();
    let refused = receipt(&folder, &bad);
    assert_eq!(refused["verdict"], "quarantined");
    assert!(
        refused["in_words"]["zh"].as_str().unwrap().contains("SHA-256 與所載不符"),
        "{refused:#}"
    );
    site.run_as("alice", &["batch", "reject", &bad, "--reason", "請更正後重送"]).ok();
    let rejected = receipt(&folder, &bad);
    assert_eq!(
        (&rejected["verdict"], &rejected["reason"]),
        (&"rejected".into(), &"checksum-mismatch".into())
    );
    for id in [&id, &bad] {
        let left = folder.join(format!("{id}.json"));
        assert!(stock(&site, &left), "{id}");
        let kept = site.dir.join(format!("state/receipts/{id}.json"));
        assert_eq!(fs::read(&kept).unwrap(), fs::read(&left).unwrap());
        let shown = site.run(&["receipt", "show", id, "--json"]).ok().json();
        assert_eq!(shown["receipt"].as_str().unwrap().as_bytes(), fs::read(left).unwrap());
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4, "and nothing else lies there");
    // Nothing that came with the delivery but numbers, sizes and digests is in it.
    let text = then.to_string();
    assert!(!text.contains("residents") && !text.contains("moca-1151102"), "{text}");
    site.verify();
}

#[test]
fn a_provider_verifies_offline_and_every_change_shows() {
    let people = People::new();
    let (site, folder) = site(&people, &["small-20"]);
    site.once();
    let id = site.row_numbered("MOCA-1151102-0006");
    let file = folder.join(format!("{id}.json"));
    let vkey = fs::read_to_string(site.dir.join("state/register/vkey")).unwrap();
    let signers = site.dir.join("state/register/allowed_signers");
    let verify = |more: &[&str]| {
        let words = [&["receipt", "verify", file.to_str().unwrap()], more].concat();
        // No agent and no site: the provider's machine has neither.
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.args(["--config", "/nonexistent"]).args(&words).output().unwrap()
    };
    let with_key = verify(&["--key", vkey.trim(), "--json"]);
    let report: Value = serde_json::from_slice(&with_key.stdout).unwrap();
    assert_eq!((&report["ok"], &report["key_source"]), (&true.into(), &"key".into()));
    let with_list = verify(&["--signers", signers.to_str().unwrap()]);
    assert!(with_list.status.success(), "{}", String::from_utf8_lossy(&with_list.stderr));
    let own = verify(&[]);
    assert!(String::from_utf8_lossy(&own.stderr).contains("the receipt's own key was trusted"));
    let other = Site::founded(&people, &[], UNIT);
    let foreign = fs::read_to_string(other.dir.join("state/register/vkey")).unwrap();
    assert_eq!(verify(&["--key", foreign.trim()]).status.code(), Some(65));
    let strangers = other.dir.join("state/register/allowed_signers");
    assert_eq!(verify(&["--signers", strangers.to_str().unwrap()]).status.code(), Some(65));
    let good = fs::read(&file).unwrap();
    for at in (0..good.len()).step_by(97) {
        let mut bent = good.clone();
        bent[at] ^= 1;
        fs::write(&file, bent).unwrap();
        assert_eq!(verify(&["--key", vkey.trim()]).status.code(), Some(65), "byte {at}");
    }
    fs::write(&file, good).unwrap();
    assert!(verify(&["--key", vkey.trim()]).status.success());
    fs::remove_file(folder.join(format!("{id}.json.sig"))).unwrap();
    assert_eq!(verify(&[]).status.code(), Some(69));
}

#[test]
fn a_folder_that_is_away_holds_nothing_up_and_gets_its_receipt_when_it_is_back() {
    let people = People::new();
    let (site, folder) = site(&people, &["small-20"]);
    let away = folder.with_file_name("away");
    fs::rename(&folder, &away).unwrap();
    site.once();
    let id = site.row_numbered("MOCA-1151102-0006");
    assert_eq!(site.show(&id)["state"], "loaded");
    site.run(&["receipt", "show", &id]).ok();
    site.once();
    site.once();
    let page = site.run(&["status", "--json"]).json();
    let alarm = page["alarms"].as_array().unwrap().iter().find(|a| a["code"] == "receipt-not-left");
    assert_eq!(alarm.unwrap_or(&Value::Null)["about"], "moca-full", "{page:#}");
    fs::rename(&away, &folder).unwrap();
    site.once();
    assert_eq!(receipt(&folder, &id)["verdict"], "loaded");
    let page = site.run(&["status", "--json"]).json();
    let codes: Vec<&Value> =
        page["alarms"].as_array().unwrap().iter().map(|a| &a["code"]).collect();
    assert!(!codes.contains(&&"receipt-not-left".into()), "{codes:?}");
    site.verify();
}

#[test]
fn a_stop_at_any_write_leaves_one_receipt_of_the_last_verdict() {
    let people = People::new();
    let (site, folder) = site(&people, &["small-20"]);
    let count = site.dir.join("state/count");
    // A twin of the site says how many writes there are.
    let copy = |from: &Path, to: &Path| {
        let mut cp = Command::new("cp");
        support::done(cp.arg("-a").arg(from).arg(to));
    };
    let kept = site.dir.with_file_name("kept");
    copy(&site.dir, &kept);
    site.run(&["run", "--once", "--test-count-writes", count.to_str().unwrap()]).ok();
    let writes: u64 = fs::read_to_string(&count).unwrap().parse().unwrap();
    let id = site.row_numbered("MOCA-1151102-0006");
    // The receipt is what is written last: from there on each write, and a few before it.
    for write in writes.saturating_sub(14)..=writes {
        for moment in ["before", "middle", "after"] {
            fs::remove_dir_all(&site.dir).unwrap();
            copy(&kept, &site.dir);
            let at = format!("{write}:{moment}");
            site.run(&["run", "--once", "--test-crash", &at]);
            site.once();
            let told = receipt(&folder, &id);
            assert_eq!(told["verdict"], "loaded", "{at}");
            assert!(stock(&site, &folder.join(format!("{id}.json"))), "{at}");
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "{at}");
            let again = fs::read(folder.join(format!("{id}.json"))).unwrap();
            site.once();
            assert_eq!(fs::read(folder.join(format!("{id}.json"))).unwrap(), again, "{at}");
            site.verify();
        }
    }
}

#[test]
fn a_folder_of_receipts_is_apart_from_every_folder_that_is_emptied() {
    let people = People::new();
    for (folder, says) in [
        ("../drop/moca-full/receipts", "inbox of 'moca-full'"),
        ("../drop/nantou-verify", "inbox of 'nantou-verify'"),
        ("../keys/moca-full", "keybox of 'moca-full'"),
        ("../state/receipts", "the state folder"),
        ("..", "lies within the folder of receipts"),
    ] {
        let site = Site::laid_out(&people, &[]);
        let link = site.dir.join("links/moca-full.yaml");
        let text = fs::read_to_string(&link).unwrap();
        fs::write(link, format!("{text}receipts: {folder}\n")).unwrap();
        let ran = site.run(&["check"]).exits(78);
        assert!(format!("{}{}", ran.text(), ran.stderr).contains(says), "{folder}: {}", ran.text());
    }
}
