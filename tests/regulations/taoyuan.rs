//! 桃園市政府婦幼發展局使用戶役政資料管理規定: a supervisor approves each destruction; a vendor has a month, and its copy is
//! open until letter and evidence are there.

use super::*;

#[test]
fn taoyuan_dwcd_gives_a_vendor_one_month_and_asks_for_letter_and_evidence() {
    let people = People::new();
    let site = under(&people, "taoyuan-dwcd");
    let batch = loaded(&site);
    recipient(&site, "dingyue", "vendor", "agency");
    recipient(&site, "office", "agency", "own");
    // TY-3.1.3a: a month after the use, by the vendor's own rule.
    let id = site.run_as("henry", &request(&batch, "dingyue", APART)).ok().id('l');
    // Who asks does not approve, and an approval names the provider's document (TY-4.2.4).
    site.run_as("henry", &["handover", "approve", &id, "--doc-no", DOC]).exits(77);
    refused(&site, "sue", &["handover", "approve", &id], "TY-4.2.4");
    site.run_as("sue", &["handover", "approve", &id, "--doc-no", DOC]).ok();
    site.run_as("alice", &["handover", "make", &id]).ok();
    let page = handover(&site, &id);
    assert_eq!(page["terms"]["destroy_by"].as_str().unwrap().get(..10), Some("2027-04-30"));
    assert_eq!(page["terms"]["clause"], "TY-3.1.3a");
    let other = site.run_as("henry", &request(&batch, "office", APART)).ok().id('l');
    assert_eq!(handover(&site, &other)["terms"]["clause"], "TY-3.1.3");
    // TY-4.2.1: a vendor's account puts nothing on media.
    people.new_key("victor");
    let key = people.public("victor");
    let add = ["account", "add", "victor", "--role", "vendor,custodian", "--unit", UNIT];
    let add = [add.as_slice(), &["--sign-key", key.to_str().unwrap()]].concat();
    site.run_as("ada", &add).ok();
    site.run_as("ben", &["account", "confirm", "victor"]).ok();
    let stick = site.dir.parent().unwrap().join("stick");
    fs::create_dir_all(&stick).unwrap();
    let export = ["media", "export", &id, "--to", stick.to_str().unwrap(), "--medium", "flash"];
    let way =
        ["--serial", "SN-1", "--from", "x", "--carrier", "y", "--place", "z", "--holder", "y"];
    refused(&site, "victor", &[export.as_slice(), &way].concat(), "TY-4.2.1");
    // TY-3.1.3b: nothing ends it but letter and evidence, and two people.
    let copy = page["copies"][0].as_str().unwrap();
    let returned = ["handover", "returned", &id, "--letter", "鼎字第1150000099號"];
    refused(&site, "alice", &returned, "TY-3.1.3a");
    later(&site, 165);
    assert!(codes(&site, "alarms").iter().any(|code| code == "copy-overdue"));
    assert_eq!(handover(&site, &id)["overdue"], true);
    let order = ["destroy", "request", &batch, "--copy", copy, "--reason", "使用完竣"];
    let order = site.run_as("alice", &order).ok().id('o');
    site.run_as("alice", &["destroy", "approve", &order]).exits(77);
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    let evidence = site.temporary().join("photo.txt");
    fs::write(&evidence, "synthetic evidence").unwrap();
    let end = ["--method", "erased", "--place", "鼎悅機房", "--performer", "合成人員"];
    let with = ["--evidence", evidence.to_str().unwrap()];
    site.run_as("alice", &[returned.as_slice(), &with, &end].concat()).ok();
    site.run_as("alice", &["media", "confirm", copy]).exits(77);
    site.run_as("audrey", &["media", "confirm", copy]).ok();
    site.once();
    let page = handover(&site, &id);
    assert_eq!((&page["state"], &page["letter"]), (&"closed".into(), &"鼎字第1150000099號".into()));
    // TY-4.3.2: the batch goes by an order of its own, and the register says so.
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let order = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let order = site.run_as("henry", &order).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    site.once();
    assert_eq!(site.show(&batch)["state"], "closed");
    site.verify();
}
