//! Portable media: what arrives on one is taken over like every delivery, what is carried away on one is read back, and
//! the medium is in the inventory until it is destroyed.

use super::*;

/// A folder that plays the mounted stick.
fn stick(site: &Site<'_>) -> std::path::PathBuf {
    let path = site.dir.parent().unwrap().join("stick");
    fs::create_dir_all(&path).unwrap();
    path
}

fn way<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let medium = ["--medium", "flash", "--serial", "SN-42", "--from", "民政局第二科"];
    let kept = ["--carrier", "alice", "--place", "safe 1", "--holder", "alice"];
    [medium.as_slice(), &kept, more].concat()
}

fn copies(site: &Site<'_>, kind: &str) -> Vec<Value> {
    let rows = site.run(&["copy", "list", "--all", "--json"]).ok().json();
    rows.as_array().unwrap().iter().filter(|row| row["kind"] == kind).cloned().collect()
}

#[test]
fn a_delivery_from_a_stick_is_loaded_and_the_stick_is_a_copy_until_it_is_destroyed() {
    let people = People::new();
    let site = Site::in_memory(&people);
    site.init();
    site.accounts(UNIT);
    site.install(&[], &["small-20"]);
    let stick = stick(&site).join("delivery");
    let drop = site.dir.join("drop/moca-full");
    let delivered = fs::read_dir(&drop).unwrap().next().unwrap().unwrap().path();
    fs::rename(delivered, &stick).unwrap();
    let path = stick.to_str().unwrap();
    let words = [["media", "import", path, "--link", LINK].as_slice(), &way(&[])].concat();
    refused(&site, "sue", &words, "");
    site.run_as("alice", &words).ok();
    // The medium stays as it was, and is no copy of anything before there is a batch.
    assert!(stick.join("manifest.yaml").exists());
    site.once();
    let id = site.batches()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.show(&id)["state"], "loaded");
    let all = copies(&site, "carrier");
    let [carrier] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        (&carrier["batch"], &carrier["facts"]["serial"]),
        (&id.as_str().into(), &"SN-42".into())
    );
    assert_eq!(carrier["custody"][0]["carrier"], "alice");
    // The batch is not closed while the stick is there.
    site.run_as("henry", &["use", "no-need", &id]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "over"]).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    assert_eq!(site.show(&id)["state"], "condemned");
    let carrier = carrier["id"].as_str().unwrap();
    let end = ["--method", "shredded", "--place", "basement", "--performer", "alice"];
    site.run_as("alice", &[["media", "record", carrier].as_slice(), &end].concat()).ok();
    site.run_as("audrey", &["media", "confirm", carrier]).ok();
    site.once();
    assert_eq!(site.show(&id)["state"], "closed");
    site.verify();
}

#[test]
fn what_is_odd_on_a_stick_is_not_copied() {
    let people = People::new();
    let site = Site::in_memory(&people);
    site.init();
    site.accounts(UNIT);
    let folder = stick(&site).join("delivery");
    fs::create_dir(&folder).unwrap();
    let path = folder.to_str().unwrap();
    let words = [["media", "import", path, "--link", LINK].as_slice(), &way(&[])].concat();
    site.run_as("alice", &words).exits(65);
    fs::write(folder.join("manifest.yaml"), "synthetic").unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("people.csv.age")).unwrap();
    site.run_as("alice", &words).exits(65);
    assert!(site.files("drop/moca-full").is_empty());
}

#[test]
fn a_package_goes_onto_a_stick_that_is_a_copy_with_its_way() {
    let people = People::new();
    let (site, batch) = agency(&people);
    let id = handed(&site, &batch, &[]);
    let stick = stick(&site);
    let to = stick.to_str().unwrap();
    let words = [["media", "export", &id, "--to", to].as_slice(), &way(&[])].concat();
    let said = site.run_as("alice", &words).ok();
    assert!(said.stderr.contains("3 files"), "{}", said.stderr);
    let sent = fs::read(stick.join(&id).join("data.csv.age")).unwrap();
    let lies = fs::read(site.dir.join("handed/dingyue").join(&id).join("data.csv.age")).unwrap();
    assert_eq!(sent, lies);
    let all = copies(&site, "media");
    let [medium] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((&medium["batch"], &medium["state"]), (&batch.as_str().into(), &"kept".into()));
    assert_eq!(
        (&medium["unapproved"], &medium["custody"][0]["from"]),
        (&false.into(), &"民政局第二科".into())
    );
    // Not twice onto one stick.
    site.run_as("alice", &words).exits(69);
    // What lies in the outbox is what was made.
    fs::write(site.dir.join("handed/dingyue").join(&id).join("data.csv.age"), "other").unwrap();
    let other = stick.join("other");
    fs::create_dir(&other).unwrap();
    let to = other.to_str().unwrap();
    let words = [["media", "export", &id, "--to", to].as_slice(), &way(&[])].concat();
    site.run_as("alice", &words).exits(65);
}
