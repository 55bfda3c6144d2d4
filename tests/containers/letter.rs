//! A delivery as an office gets it: a letter with a count, a ZIP file made on Windows, and the password told by telephone; from the
//! first notice to the certificate. The letter, the people and the telephone are synthetic.

use std::{
    ffi::OsStr,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
    process::Command,
};

use super::*;

const LETTER: &str = "府民戶字第1150004321號";
const ZIP: &str = "HRP11511.zip";

/// What 7z makes of a file under the name that Windows gives it: the bytes of CP950, told by nothing.
fn zip(site: &Site<'_>, list: &[u8], into: &Path) {
    let name = batchward::domain::cp950::encode("戶籍資料許可名冊.csv").unwrap();
    let name = OsStr::from_bytes(&name);
    let dir = site.dir.join("windows");
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join(name), list).unwrap();
    let mut tool = Command::new("7z");
    tool.args(["a", "-bd", "-y", "-tzip", "-mem=AES256", &format!("-p{PASS}"), ZIP]);
    done(tool.arg(name).current_dir(&dir).env("LC_ALL", "C"));
    let bytes = fs::read(dir.join(ZIP)).unwrap();
    assert!(bytes.windows(name.len()).any(|found| found == name.as_bytes()), "the name is CP950");
    fs::rename(dir.join(ZIP), into).unwrap();
    fs::remove_dir_all(&dir).unwrap();
}

/// A second custodian, who compares what the first one typed with the letter.
fn second_custodian(site: &Site<'_>) {
    site.people.new_key("carl");
    let key = site.people.public("carl");
    let add = ["account", "add", "carl", "--role", "custodian", "--unit", "資訊室", "--sign-key"];
    site.run_as("ada", &[add.as_slice(), &[key.to_str().unwrap()]].concat()).ok();
    site.run_as("ben", &["account", "confirm", "carl"]).ok();
}

/// Nothing of these people lies in the state, in whatever file.
fn nothing_in_plain(site: &Site<'_>) {
    for path in site.files("state") {
        let bytes = fs::read(site.dir.join("state").join(&path)).unwrap();
        for word in ["王小明".as_bytes(), b"A123456789", HEAD.as_bytes(), PASS.as_bytes()] {
            assert!(!bytes.windows(word.len()).any(|found| found == word), "{path}");
        }
    }
}

#[test]
fn a_letter_a_zip_file_and_a_password_by_telephone_from_the_notice_to_the_certificate() {
    let accounts = People::new();
    let site = site(&accounts, "zip-aes", "");
    second_custodian(&site);
    // The provider writes; the handler enters that it did, and tells the IT office.
    let told = ["batch", "notice", "--link", LINK, "--stage", "provider", "--channel", "letter"];
    let told = [told.as_slice(), &["--at", "115/11/20", "--doc-no", LETTER]].concat();
    let row = site.run_as("henry", &told).ok().id('t');
    let to_it = ["batch", "notice", &row, "--stage", "to-it", "--channel", "phone", "--at"];
    site.run_as("henry", &[to_it.as_slice(), &["2026-11-20T09:00:00+08:00"]].concat()).ok();
    // The letter has a count and no digest. One types it, another compares.
    let announce = ["batch", "announce", "--link", LINK, "--doc-no", LETTER, "--notified"];
    let more = ["115/11/20", "--records", "3", "--files", "HRP*.zip", "--number", "HRP11511"];
    let typed = site.run_as("alice", &[announce.as_slice(), &more].concat()).ok();
    assert_eq!(typed.id('t'), row, "it is the row of that letter");
    site.run_as("alice", &["batch", "announce-confirm", &row]).exits(77);
    site.run_as("carl", &["batch", "announce-confirm", &row]).ok();
    // The file lies in a folder of the inbox, without a manifest of ours.
    let folder = site.dir.join("staging/hrp11511");
    fs::create_dir_all(&folder).unwrap();
    zip(&site, &people(&["王小明", "陳小美", "林大同"]), &folder.join(ZIP));
    fs::set_permissions(folder.join(ZIP), fs::Permissions::from_mode(0o644)).unwrap();
    release(&site, &folder);
    site.once();
    let (id, shown) = only(&site);
    assert_eq!((&shown["state"], &shown["strength"]), (&"verified".into(), &"by-letter".into()));
    assert!(site.files("drop/packed").is_empty(), "the original is wiped");
    // The password comes by telephone: heard wrongly first, and right then.
    let key = ["key", "submit", &id, "--channel", "telephone", "--passphrase-stdin"];
    let wrong = site.run_as_with("alice", &key, b"synthetic-2026-passphrase").exits(65);
    assert!(wrong.stderr.contains("does not open"), "{}", wrong.stderr);
    assert_eq!(only(&site).1["state"], "verified");
    site.run_as_with("alice", &key, PASS.as_bytes()).ok();
    let (_, shown) = only(&site);
    assert_eq!(shown["state"], "loaded", "{shown}");
    let counts = &shown["counts"];
    assert_eq!((&counts["declared"], &counts["committed"]), (&3.into(), &3.into()));
    assert_eq!(shown["key"]["channel"], "telephone");
    nothing_in_plain(&site);
    // What comes later and is refused is not the key that opened it.
    let opened = site.show(&id)["key"].clone();
    let again = ["key", "submit", &id, "--channel", "courier", "--passphrase-stdin"];
    assert_ne!(site.run_as_with("alice", &again, b"synthetic-2026-passphrase").status, Some(0));
    assert_eq!(site.show(&id)["key"], opened);
    // Used under a grant, and over.
    let grant = site.grant(LINK);
    let rows = site.query(&grant, &["--format", "json"]).ok().json();
    assert_eq!(rows.as_array().unwrap().len(), 3);
    assert!(rows.to_string().contains("林大同"));
    site.run_as("henry", &["use", "complete", &grant]).ok();
    site.run_as("henry", &["use", "no-need", &id]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "使用完竣"]).ok();
    let order = order.id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    assert_eq!(site.show(&id)["state"], "closed");
    // The load that the wrong passphrase ended left nothing that somebody would owe the end of.
    let owed = site.run(&["duties", "--json"]).ok().json().to_string();
    assert!(!owed.contains(&format!("destroy request {id}")), "{owed}");
    let plan =
        site.run(&["destroy", "plan", "--on", "2027-06-30", "--json"]).ok().json().to_string();
    assert!(!plan.contains("to-request"), "{plan}");
    let certificate = site.temporary().join("certificate.json");
    fs::write(&certificate, site.run(&["certificate", "show", &order]).ok().stdout).unwrap();
    site.run(&["certificate", "verify", certificate.to_str().unwrap()]).ok();
    site.query(&grant, &[]).exits(77);
    let copies = site.show(&id)["copies"].clone();
    let gone = |copy: &Value| copy["state"] == "destroyed";
    assert!(copies.as_array().unwrap().iter().all(gone), "{copies}");
    nothing_in_plain(&site);
    // The printed register has the day of the letter, its number and its count.
    let form = site.run(&["register", "export", "--format", "csv", "-o", "-"]).ok();
    assert!(form.text().contains(LETTER) && form.text().contains("115"), "{}", form.text());
    site.verify();
}
