//! What the table "Where deliveries are odd" says beyond single deliveries: time that passes, keys that come early,
//! late or wrong, links that change while the site runs. Through the real binary, with the samples.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod support;

use serde_json::{Value, json};
use support::{People, Site};

const LINK: &str = "moca-full";

fn site(people: &People) -> Site<'_> {
    Site::founded(people, &[], "幼兒托育科")
}

#[track_caller]
fn stands(site: &Site<'_>, delivery: &str, state: &str, reason: Option<&str>) -> Value {
    let row = site.row(delivery);
    assert_eq!((&row["state"], &row["reason"]), (&json!(state), &json!(reason)), "{row}");
    row["id"].clone()
}

/// Changes one line of a link's file, as an editor would.
fn edit(site: &Site<'_>, field: &str, value: &str) {
    let path = site.dir.join(format!("links/{LINK}.yaml"));
    let text = std::fs::read_to_string(&path).unwrap();
    let line = |line: &str| match line.starts_with(&format!("{field}:")) {
        true => format!("{field}: {value}\n"),
        false => format!("{line}\n"),
    };
    std::fs::write(path, text.lines().map(line).collect::<String>()).unwrap();
}

#[test]
fn an_unsigned_delivery_is_claimed_after_its_time_and_others_go_on_waiting() {
    let people = People::new();
    let site = site(&people);
    site.install(&[], &["unsigned", "no-manifest", "size-short"]);
    site.once();
    site.wait_minutes(3 * 60);
    site.once();
    stands(&site, "moca-1151102-0031", "waiting", Some("unsigned"));
    site.wait_minutes(60);
    site.once();
    stands(&site, "moca-1151102-0031", "quarantined", Some("unsigned"));
    stands(&site, "moca-1151102-0030", "waiting", Some("incomplete"));
    stands(&site, "moca-1151102-0028", "waiting", Some("incomplete"));
    site.verify();
}

/// What stands in a draft, as text.
fn draft(site: &Site<'_>, id: &str) -> String {
    let words = ["batch", "letter", id, "--kind", "return", "-o", "-"];
    let odt = site.run_as("alice", &words).ok().stdout;
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(odt)).unwrap();
    let content = std::io::read_to_string(archive.by_name("content.xml").unwrap()).unwrap();
    let mut text = String::new();
    for part in content.split('<') {
        text.push_str(part.split_once('>').map_or("", |(_, text)| text));
    }
    text
}

/// What the first file of a page is beside what was announced of it.
fn first(page: &Value) -> [&Value; 3] {
    let file = &page["announced"]["files"][0];
    [&file["finding"], &file["announced_bytes"], &file["digest_agrees"]]
}

#[test]
fn a_refused_delivery_says_file_by_file_what_was_announced_and_what_came() {
    let people = People::new();
    let site = site(&people);
    let cases = ["checksum-mismatch", "size-long", "unlisted-file", "signed-by-stranger", "no-key"];
    site.install(&[], &cases);
    site.once();
    let page = |delivery: &str| site.show(site.row(delivery)["id"].as_str().unwrap());
    for (delivery, finding, word) in [
        ("moca-1151102-0020", "digest-differs", "雜湊值不符"),
        ("moca-1151102-0027", "size-differs", "大小不符"),
    ] {
        let page = page(delivery);
        let [found, announced, agrees] = first(&page);
        assert_eq!((found, agrees), (&json!(finding), &json!(false)), "{page}");
        assert!(announced.is_u64() && page["announced"]["verified"] == json!(true));
        let id = page["id"].as_str().unwrap();
        let text = draft(&site, id);
        assert!(text.contains("逐檔核對") && text.contains(word), "{text}");
        // Numbers and words go out; a digest stays here.
        let shown = site.run(&["batch", "show", id]).ok();
        for head in ["ANNOUNCED", "the letter of return is ready", "release"] {
            assert!(shown.text().contains(head), "{}", shown.text());
        }
        let chinese = site.run(&["--lang", "zh-TW", "batch", "show", id]).ok();
        assert!(chinese.text().contains(word), "{}", chinese.text());
        assert!(!chinese.text().contains("ANNOUNCED"), "{}", chinese.text());
    }
    let unlisted = page("moca-1151102-0052");
    let files = unlisted["announced"]["files"].as_array().unwrap();
    assert_eq!(files.last().unwrap()["finding"], "not-listed", "{unlisted}");
    // What a stranger signed counts for nothing, and is not repeated.
    let stranger = page("moca-1151102-0033");
    assert_eq!(stranger["announced"]["verified"], false);
    assert_eq!(first(&stranger), [&json!("not-compared"), &Value::Null, &Value::Null]);
    assert_eq!(stranger["announced"]["records"], Value::Null);
    let id = stranger["id"].as_str().unwrap();
    let shown = site.run(&["batch", "show", id]).ok();
    assert!(shown.text().contains("nobody stands behind"), "{}", shown.text());
    assert!(draft(&site, id).contains("未能驗證"));
    // What waits for its key is as it was announced, and says what is missing.
    let waits = page("moca-1151102-0013");
    assert_eq!(first(&waits)[0], "as-announced");
    assert!(waits["next"][0].as_str().unwrap().contains("key submit"), "{waits}");
    site.verify();
}

#[test]
fn a_key_that_comes_before_its_batch_is_kept_for_it() {
    let people = People::new();
    let site = site(&people);
    site.install(&["--keys-only"], &["small-20"]);
    site.once();
    assert!(site.files(&format!("keys/{LINK}")).is_empty(), "wiped as soon as it is kept");
    site.install(&["--no-keys"], &["small-20"]);
    site.once();
    stands(&site, "moca-1151102-0006", "loaded", None);
}

#[test]
fn a_key_for_a_loaded_batch_is_wiped_and_recorded() {
    let people = People::new();
    let site = site(&people);
    site.install(&[], &["small-20"]);
    site.once();
    site.install(&["--keys-only"], &["small-20"]);
    site.once();
    assert!(site.files(&format!("keys/{LINK}")).is_empty());
    let register = site.run(&["register", "show", "--json"]).ok().json();
    let wiped = |entry: &&Value| entry["body"]["outcome"]["result"] == "key-wiped";
    assert_eq!(register.as_array().unwrap().iter().filter(wiped).count(), 1);
    stands(&site, "moca-1151102-0006", "loaded", None);
}

#[test]
fn after_a_wrong_key_the_right_one_loads_the_batch() {
    let people = People::new();
    let site = site(&people);
    site.install(&[], &["wrong-key"]);
    site.once();
    let id = stands(&site, "moca-1151102-0025", "verified", Some("wrong-key"));
    let right = people.batch_key("MOCA-1151102-0025.right.key");
    let words = ["key", "submit", id.as_str().unwrap(), "--channel", "電話"];
    site.run_as_with("alice", &words, &std::fs::read(right).unwrap()).ok();
    site.once();
    stands(&site, "moca-1151102-0025", "loaded", None);
    let page = site.show(id.as_str().unwrap());
    assert_eq!((&page["key"]["channel"], &page["key"]["by"]), (&json!("電話"), &json!("alice")));
}

#[test]
fn five_wrong_keys_quarantine_the_batch() {
    let people = People::new();
    let site = site(&people);
    site.install(&[], &["wrong-key"]);
    site.once();
    for times in 2..=5 {
        stands(&site, "moca-1151102-0025", "verified", Some("wrong-key"));
        site.install(&["--keys-only"], &["wrong-key"]);
        site.once();
        assert!(site.files(&format!("keys/{LINK}")).is_empty(), "key {times} is wiped");
    }
    stands(&site, "moca-1151102-0025", "quarantined", Some("wrong-key"));
    site.verify();
}

#[test]
fn what_tightens_a_link_is_in_force_at_once_and_what_loosens_it_is_not() {
    let people = People::new();
    let site = site(&people);
    site.install(&[], &["small-20"]);
    edit(&site, "status", "suspended");
    site.once();
    let id = stands(&site, "moca-1151102-0006", "quarantined", Some("link-inactive"));
    // Back to active loosens: without a second person the link stays suspended.
    edit(&site, "status", "active");
    site.install(&[], &["json-manifest"]);
    site.once();
    stands(&site, "moca-1151102-0005", "quarantined", Some("link-inactive"));
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ada", &["config", "confirm"]).exits(77);
    site.run_as("ben", &["config", "confirm"]).ok();
    site.run_as("alice", &["batch", "release", id.as_str().unwrap(), "--reason", "連結恢復"]).ok();
    site.once();
    stands(&site, "moca-1151102-0006", "loaded", None);
    site.verify();
}

#[test]
fn a_missing_delta_is_waited_for_and_then_both_load_in_order() {
    let people = People::new();
    let site = site(&people);
    site.install(&[], &["delta-2", "delta-3"]);
    site.once();
    stands(&site, "moca-1151102-0008", "verified", Some("sequence-gap"));
    stands(&site, "moca-1151102-0009", "verified", Some("sequence-gap"));
    site.install(&[], &["delta-1"]);
    site.once();
    for delivery in ["moca-1151102-0007", "moca-1151102-0008", "moca-1151102-0009"] {
        stands(&site, delivery, "loaded", None);
    }
    let grant = site.grant(LINK);
    let rows = site.query(&grant, &["--format", "csv"]).ok();
    assert!(rows.text().lines().count() > 40, "the current view spans the three files");
}

#[test]
fn a_folder_without_a_site_is_no_new_site() {
    let people = People::new();
    let site = Site::laid_out(&people, &["small-20"]);
    for words in [["run", "--once"], ["batch", "list"], ["register", "show"]] {
        let ran = site.run(&words).exits(78);
        assert!(
            ran.stderr.starts_with("error: ") && ran.stderr.contains("hint: "),
            "{}",
            ran.stderr
        );
        assert!(ran.stderr.contains("init"), "{}", ran.stderr);
    }
    assert!(site.files("state").is_empty(), "nothing was made");
    assert_eq!(site.files(&format!("drop/{LINK}")).len(), 3, "nothing was touched");
}
