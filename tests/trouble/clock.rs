//! The clock: small steps back are waited out, larger ones refuse to write, and what only reads goes on.

use super::*;

/// Milliseconds of the last entry's time.
fn last(site: &Site<'_>) -> chrono::DateTime<chrono::FixedOffset> {
    let rows = site.run(&["register", "show", "--json"]).ok().json();
    let at = rows.as_array().unwrap().last().unwrap()["at"].as_str().unwrap().to_owned();
    chrono::DateTime::parse_from_rfc3339(&at).unwrap()
}

#[test]
fn a_step_back_of_under_two_seconds_is_waited_out_and_a_larger_one_refused() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    for (behind, works) in [(1_900, true), (1, true), (2_100, false), (86_400_000, false)] {
        let before = last(&site);
        let size = site.verify()["size"].as_u64().unwrap();
        let clock = (before - chrono::Duration::milliseconds(behind)).to_rfc3339();
        let ran = site.run_at(&clock, &["run", "--once"], &[], b"");
        if works {
            ran.ok();
            assert!(last(&site) >= before, "{behind} ms: entry times never go back");
            assert!(site.verify()["size"].as_u64().unwrap() > size);
        } else {
            let ran = ran.exits(75);
            for part in ["behind the last entry of the register", "hint:", "nothing was written"] {
                assert!(ran.stderr.contains(part), "{behind} ms: {}", ran.stderr);
            }
            assert_eq!(site.verify()["size"], size);
            let signed = site.people.key("sue");
            let signed = ["--as", "sue", "--sign-with", signed.to_str().unwrap()];
            let hold = ["hold", "place", "--all", "--authority", "地檢署", "--doc-no", "115-1"];
            let hold = [hold.as_slice(), &["--review", "2027-01-31"]].concat();
            site.run_at(&clock, &hold, &signed, b"").exits(75);
            assert_eq!(site.verify()["size"], size);
            // Looking changes nothing, so it goes on.
            site.run_at(&clock, &["batch", "list", "--json"], &[], b"").ok();
        }
    }
}

#[test]
fn time_that_is_in_doubt_is_confirmed_by_a_custodian_and_by_nobody_else() {
    let people = People::new();
    let site = Site::founded(&people, &["small-20"], UNIT);
    site.once();
    let id = site.row(DELIVERY)["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &id]).ok();
    let order = site.run_as("alice", &["destroy", "request", &id, "--reason", "用畢"]).ok().id('o');
    // The request stands for a month; the month that is believed at a start is cut to a week.
    let path = site.dir.join("agent.yaml");
    let agent = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{agent}start_gap_max: 7d\n")).unwrap();
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
    site.wait_minutes(8 * DAY);
    let files = || ["state/spool", "state/vault", "state/cases"].map(|below| site.files(below));
    let before = files();
    site.run_as("sue", &["destroy", "approve", &order]).ok();
    for _ in 0..3 {
        let ran = site.once();
        assert!(ran.stderr.contains("'batchward clock confirm'"), "{}", ran.stderr);
    }
    assert_eq!(files(), before, "an approved order stays unwiped");
    for name in ["henry", "sue", "audrey", "ada"] {
        site.run_as(name, &["clock", "confirm"]).exits(77);
    }
    site.run(&["clock", "confirm"]).exits(77);
    assert_eq!(files(), before);
    site.run_as("alice", &["clock", "confirm"]).ok();
    site.once();
    assert!(files().iter().all(Vec::is_empty), "{:?}", files());
    // Confirmed once, it is believed: the next start doubts nothing.
    assert!(!site.once().stderr.contains("clock"));
    site.verify();
}
