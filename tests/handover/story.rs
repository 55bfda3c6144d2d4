//! Two sites: an agency hands on, a vendor's own Batchward loads, uses and destroys it, and its certificate closes the
//! agency's hand-over.

use std::os::unix::fs::PermissionsExt;

use super::*;

const LAYOUT: &str = "layout: handed\nformat: delimited\ndelimiter: \",\"\nquote: '\"'\nheader: names\nencoding: utf-8\n\
    terminator: crlf\nfields:\n  - { name: national_id, title: 統一編號, type: national-id, key: true }\n\
    \x20 - { name: name, title: 姓名, type: text }\n";

/// The vendor's site: a link for what the agency hands on, signed by the agency's register key.
fn vendor<'p>(people: &'p People, signer: &str) -> Site<'p> {
    let site = Site::in_memory(people);
    fs::write(site.dir.join("layouts/handed.yaml"), LAYOUT).unwrap();
    fs::write(site.dir.join("links/taoyuan.allowed_signers"), format!("{signer}\n")).unwrap();
    let link = fs::read_to_string(site.dir.join("links/moca-full.yaml")).unwrap();
    let link = link
        .replace("link: moca-full", "link: from-taoyuan")
        .replace("moca.allowed_signers", "taoyuan.allowed_signers")
        .replace("drop/moca-full", "drop/from-taoyuan")
        .replace("keys/moca-full", "keys/from-taoyuan")
        .replace("layout: hr-person-01", "layout: handed")
        .replace("[national_id, name, birth_date, village_name]", "[national_id, name]");
    fs::write(site.dir.join("links/from-taoyuan.yaml"), link).unwrap();
    for folder in ["drop/from-taoyuan", "keys/from-taoyuan"] {
        fs::create_dir_all(site.dir.join(folder)).unwrap();
        fs::set_permissions(site.dir.join(folder), fs::Permissions::from_mode(0o700)).unwrap();
    }
    site.init();
    site.accounts(UNIT);
    site
}

/// The courier takes the package, the letter the key.
fn carry(from: &Site<'_>, to: &Site<'_>, id: &str) {
    let package = from.dir.join("handed/dingyue").join(id);
    fs::rename(package, to.dir.join("drop/from-taoyuan").join(id)).unwrap();
    let key = from.dir.join(format!("handed-keys/dingyue/{id}.key"));
    let target = to.dir.join(format!("keys/from-taoyuan/{id}.key"));
    fs::copy(&key, &target).unwrap();
    fs::set_permissions(target, fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(key).unwrap();
}

fn ordered(site: &Site<'_>, words: &[&str]) -> String {
    let words = [&["destroy", "request"], words, &["--reason", "使用完竣"]].concat();
    let order = site.run_as("alice", &words).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    order
}

#[test]
fn an_agency_hands_on_a_vendor_destroys_and_its_certificate_closes_it() {
    let people = People::new();
    let (agency, batch) = agency(&people);
    let id = handed(&agency, &batch, &["--fields", "national_id,name"]);
    let page = show(&agency, &id);
    assert_eq!(page["package"]["records"], 20);
    assert_eq!(agency.files("handed/dingyue").len(), 3);
    assert_eq!(agency.files("handed-keys/dingyue"), [format!("{id}.key")]);
    // The package is in the inventory from its making to its proven end.
    let copy = page["copies"][0].as_str().unwrap().to_owned();
    let rows = agency.run(&["copy", "list", "--json"]).ok().json();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == copy.as_str()).unwrap();
    assert_eq!((&row["kind"], &row["state"]), (&"hand-over".into(), &"kept".into()));
    assert_eq!(row["facts"]["sha256"], page["package"]["sha256"]);
    assert_eq!(row["approved_doc_no"], DOC);

    let vendor = vendor(&people, page["signer"].as_str().unwrap());
    carry(&agency, &vendor, &id);
    stands(&agency, "tasks", "confirm-handover");
    let confirm = ["handover", "confirm", &id, "--doc-no", "鼎字第1150000077號"];
    agency.run_as("alice", &confirm).ok();
    vendor.once();
    let there = vendor.row_numbered(&id);
    let loaded = vendor.show(&there);
    assert_eq!((&loaded["state"], &loaded["counts"]["committed"]), (&"loaded".into(), &20.into()));
    let grant = vendor.grant("from-taoyuan");
    let rows = vendor.query(&grant, &["--format", "json"]).ok().json();
    assert_eq!(rows.as_array().unwrap().len(), 20);

    // The agency's batch cannot be closed while the vendor has its copy.
    agency.run_as("henry", &["use", "no-need", &batch]).ok();
    let whole = ordered(&agency, &[&batch]);
    assert_eq!(agency.show(&batch)["state"], "condemned");

    vendor.run_as("henry", &["use", "complete", &grant]).ok();
    vendor.run_as("henry", &["use", "no-need", &there]).ok();
    let order = ordered(&vendor, &[&there]);
    assert_eq!(vendor.show(&there)["state"], "closed");
    let certificate = vendor.run(&["certificate", "show", &order]).ok();
    let theirs = agency.temporary().join("theirs.json");
    fs::write(&theirs, &certificate.stdout).unwrap();
    let theirs = theirs.to_str().unwrap();
    let later = vendor.minute().max(agency.minute()) + 1;
    agency.wait_minutes(later - agency.minute());

    // Its end goes by the words of a hand-over, with letter and evidence, and by two people.
    let bare = ["media", "record", &copy, "--method", "erased", "--place", "x", "--performer", "y"];
    agency.run_as("alice", &bare).exits(64);
    let letter = ["handover", "returned", &id, "--letter", "鼎字第1150000099號"];
    refused(&agency, "alice", &letter, "TY-3.1.3");
    agency.run_as("alice", &[letter.as_slice(), &["--certificate", theirs]].concat()).ok();
    let own = agency.run_as("alice", &["media", "confirm", &copy]);
    assert_eq!(own.status, Some(77), "{own:?}");
    agency.run_as("audrey", &["media", "confirm", &copy]).ok();
    agency.once();
    let page = show(&agency, &id);
    assert_eq!((&page["state"], &page["letter"]), (&"closed".into(), &"鼎字第1150000099號".into()));
    assert_eq!(page["evidence"].as_array().unwrap().len(), 1);
    assert_eq!(agency.show(&batch)["state"], "closed");
    let shown = agency.run(&["certificate", "show", &whole]).ok();
    let file = agency.temporary().join("own.json");
    fs::write(&file, &shown.stdout).unwrap();
    agency.run(&["certificate", "verify", file.to_str().unwrap()]).ok();
    agency.verify();
    vendor.verify();
}

#[test]
fn a_certificate_of_something_else_closes_nothing() {
    let people = People::new();
    let (agency, batch) = agency(&people);
    let id = handed(&agency, &batch, &[]);
    let other = Site::in_memory(&people);
    other.init();
    other.accounts(UNIT);
    other.install(&[], &["small-20"]);
    other.once();
    let there = other.batches()[0]["id"].as_str().unwrap().to_owned();
    other.run_as("henry", &["use", "no-need", &there]).ok();
    let order = ordered(&other, &[&there]);
    let certificate = other.run(&["certificate", "show", &order]).ok();
    let theirs = agency.temporary().join("theirs.json");
    fs::write(&theirs, &certificate.stdout).unwrap();
    let copy = show(&agency, &id)["copies"][0].as_str().unwrap().to_owned();
    agency.wait_minutes(other.minute());
    ordered(&agency, &[&batch, "--copy", &copy]);
    let letter = ["handover", "returned", &id, "--letter", "鼎字第1150000099號"];
    let with = [letter.as_slice(), &["--certificate", theirs.to_str().unwrap()]].concat();
    agency.run_as("alice", &with).exits(65);
    fs::write(&theirs, b"{}").unwrap();
    agency.run_as("alice", &with).exits(65);
    assert_eq!(show(&agency, &id)["state"], "made");
}

#[test]
fn the_recipients_clock_is_kept_and_a_hold_stops_its_end() {
    let people = People::new();
    let (agency, batch) = agency(&people);
    let id = handed(&agency, &batch, &[]);
    let page = show(&agency, &id);
    // A month after the use (TY-3.1.3).
    assert_eq!(page["terms"]["destroy_by"].as_str().unwrap().get(..10), Some("2027-04-30"));
    assert_eq!(page["terms"]["clause"], "TY-3.1.3a");
    let copy = page["copies"][0].as_str().unwrap().to_owned();
    let hold = [
        "hold",
        "place",
        &batch,
        "--authority",
        "地檢署",
        "--doc-no",
        "1",
        "--review",
        "2027-12-31",
    ];
    agency.run_as("audrey", &hold).ok();
    let order = ["destroy", "request", &batch, "--copy", &copy, "--reason", "over"];
    assert_eq!(agency.run_as("alice", &order).status, Some(77));
    agency.wait_minutes(60 * 24 * 165);
    agency.once();
    stands(&agency, "alarms", "copy-overdue");
    assert_eq!(show(&agency, &id)["overdue"], true);
}

#[test]
fn the_current_view_of_a_link_goes_as_one_package() {
    let people = People::new();
    let (agency, _) = agency(&people);
    agency.install(&[], &["delta-1"]);
    agency.once();
    let loaded = agency.batches().iter().filter(|row| row["state"] == "loaded").count();
    let asked = request("x", &["--link", LINK]);
    let asked: Vec<&str> = asked.into_iter().filter(|word| *word != "x").collect();
    let id = agency.run_as("henry", &asked).ok().id('l');
    approve(&agency, &id);
    agency.run_as("alice", &["handover", "make", &id]).ok();
    let page = show(&agency, &id);
    // It is a copy of each batch that it is made of.
    assert_eq!(page["copies"].as_array().unwrap().len(), loaded);
    assert!(page["package"]["records"].as_u64().unwrap() > 0);
}
