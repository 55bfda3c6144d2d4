//! Orders in trouble: each race between a hold, a person and a wipe has one stated outcome; two approvers, time to
//! think again, a copy out of reach, a standing approval, closing papers.

use std::process::Command;

use crate::support::provider::Provider;

use super::*;

const NANTOU: &str = "ntvp-1151102-0004";

/// Ada proposes what was edited, ben confirms.
fn put_in_force(site: &Site<'_>) {
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ben", &["config", "confirm"]).ok();
}

/// A site whose policy for [`LINK`] says this, with a batch of two files that is due, and its id.
fn due<'p>(people: &'p People, rules: &[(&str, &str)]) -> (Site<'p>, String) {
    let site = Site::in_memory(people);
    site.init();
    site.accounts(UNIT);
    site.install(&[], &["two-files"]);
    for (from, to) in rules {
        edit(&site, "policies/taoyuan-dwcd.yaml", from, to);
    }
    if !rules.is_empty() {
        put_in_force(&site);
    }
    site.once();
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    (site, batch)
}

#[track_caller]
fn request(site: &Site<'_>, batch: &str) -> String {
    let words = ["destroy", "request", batch, "--reason", "no need"];
    site.run_as("alice", &words).ok().id('o')
}

#[track_caller]
fn hold(site: &Site<'_>, scope: &[&str]) -> String {
    let words = ["--authority", "地檢署", "--doc-no", "115-1", "--review", "2027-01-31"];
    site.run_as("audrey", &[&["hold", "place"], scope, &words].concat()).ok().id('h')
}

#[track_caller]
fn order(site: &Site<'_>, id: &str) -> Value {
    let rows = site.run(&["destroy", "list", "--json"]).ok().json();
    rows.as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone()
}

/// Kind and state of each copy.
fn copies(site: &Site<'_>, batch: &str) -> Vec<(String, String)> {
    let page = site.show(batch);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let copies = page["copies"].as_array().unwrap();
    copies.iter().map(|copy| (text(&copy["kind"]), text(&copy["state"]))).collect()
}

#[track_caller]
fn certificate(site: &Site<'_>, order: &str) -> Value {
    let shown = site.run(&["certificate", "show", order]).ok();
    let file = site.temporary().join(format!("{order}.json"));
    std::fs::write(&file, &shown.stdout).unwrap();
    site.run(&["certificate", "verify", file.to_str().unwrap()]).ok();
    shown.json()["certificate"].clone()
}

/// The site as it is when a wipe has got this far: sue has approved, and the process died at a write after which
/// `reached` holds. Every write is tried on a copy of its own; those that qualify come back.
fn stopped_at<'p>(site: &Site<'p>, order: &str, reached: impl Fn(&Value) -> bool) -> Vec<Site<'p>> {
    let mut found = Vec::new();
    for n in 1..200 {
        let dir = site.temporary().join(format!("stop-{n}"));
        std::fs::create_dir_all(&dir).unwrap();
        done(Command::new("cp").arg("-a").arg(&site.dir).arg(dir.join("site")));
        let copy = Site::at(site.people, dir.join("site"), site.minute());
        let key = site.people.key("sue");
        let crash = format!("{n}:after");
        let global = ["--as", "sue", "--sign-with", key.to_str().unwrap(), "--test-crash", &crash];
        if copy.run_with(&["destroy", "approve", order], &global, b"").status.is_some() {
            return found;
        }
        if reached(&destruction::last(&copy)["body"]) {
            found.push(copy);
        }
    }
    panic!("the approval comes to no end");
}

/// The first stop after each copy.
fn each_copy(mut stops: Vec<Site<'_>>) -> Vec<Site<'_>> {
    stops.dedup_by_key(|site| destruction::last(site)["body"]["intent"].clone());
    stops
}

/// After the hold is lifted, a new order takes what is left, and both certificates together name every copy once.
#[track_caller]
fn the_rest_goes_by_a_new_order(site: &Site<'_>, batch: &str, hold: &str, first: Option<&str>) {
    site.run_as("sue", &["hold", "lift", hold]).ok();
    let rest = request(site, batch);
    site.run_as("sue", &["destroy", "approve", &rest]).ok();
    assert_eq!(site.show(batch)["state"], "closed");
    let mut named = Vec::new();
    for order in first.into_iter().chain([rest.as_str()]) {
        let page = certificate(site, order);
        let copies = page["copies"].as_array().unwrap();
        named.extend(copies.iter().map(|copy| copy["copy"].as_str().unwrap().to_owned()));
    }
    named.sort();
    let before = named.len();
    named.dedup();
    assert_eq!((named.len(), before), (4, 4), "each copy is certified once: {named:?}");
    site.verify();
}

#[test]
fn a_hold_between_two_copies_stops_the_order_and_what_is_gone_is_certified() {
    let people = People::new();
    let (site, batch) = due(&people, &[]);
    let id = request(&site, &batch);
    let wiped = |body: &Value| body["outcome"]["result"] == "copy-wiped";
    let stops = each_copy(stopped_at(&site, &id, wiped));
    assert_eq!(stops.len(), 4, "the moment after each of the four copies");
    for (gone, site) in stops.iter().enumerate().map(|(n, site)| (n + 1, site)).take(3) {
        let hold = hold(site, &[&batch]);
        site.once();
        let order = order(site, &id);
        assert_eq!(
            (order["wiped"].as_u64(), &order["voided"]),
            (Some(gone as u64), &"hold".into())
        );
        assert_eq!(order["state"], "certified", "what was wiped has its certificate");
        let page = certificate(site, &id);
        assert_eq!(page["copies"].as_array().unwrap().len(), gone);
        assert_eq!(page["stopped"]["code"], "hold");
        assert_eq!(page["stopped"]["left"].as_array().unwrap().len(), 4 - gone);
        assert_eq!(site.show(&batch)["state"], "due");
        let kept = copies(site, &batch).iter().filter(|(_, state)| state == "kept").count();
        assert_eq!(kept, 4 - gone);
        the_rest_goes_by_a_new_order(site, &batch, &hold, Some(&id));
    }
}

#[test]
fn a_hold_while_a_copy_is_overwritten_never_calls_it_destroyed_and_says_whether_it_can_be_read() {
    let people = People::new();
    let (site, batch) = due(&people, &[]);
    let id = request(&site, &batch);
    let wiping = |body: &Value| body["plan"]["step"] == "wipe-copy";
    let (mut readable, mut unreadable) = (0, 0);
    for site in stopped_at(&site, &id, wiping) {
        let hold = hold(&site, &["--link", LINK]);
        site.once();
        let voided = of_type(&site, "order-voided").pop().unwrap();
        let cut = voided["body"]["unreadable"].as_array().map_or(0, Vec::len);
        let states = copies(&site, &batch);
        let said = states.iter().filter(|(_, state)| state == "unreadable").count();
        assert_eq!(said, cut, "{states:?}");
        let wiped = of_type(&site, "outcome");
        let wiped = wiped.iter().filter(|row| row["body"]["outcome"]["result"] == "copy-wiped");
        let wiped = wiped.count();
        let destroyed = states.iter().filter(|(_, state)| state == "destroyed").count();
        assert_eq!(destroyed, wiped, "nothing is destroyed that no outcome says: {states:?}");
        if cut > 0 {
            unreadable += 1;
        } else {
            readable += 1;
        }
        // A sample of both: the rest goes by another order in each of them.
        if cut + readable < 3 {
            let first = (wiped > 0).then_some(id.as_str());
            the_rest_goes_by_a_new_order(&site, &batch, &hold, first);
        }
    }
    assert!(readable >= 4 && unreadable >= 4, "{readable} kept whole, {unreadable} cut short");
}

#[test]
fn an_approver_disabled_and_a_policy_changed_between_two_copies_stop_the_order() {
    let people = People::new();
    let (site, batch) = due(&people, &[]);
    let id = request(&site, &batch);
    edit(&site, "policies/taoyuan-dwcd.yaml", "value: 10000", "value: 9999");
    site.run_as("ada", &["config", "propose"]).ok();
    let wiped = |body: &Value| body["outcome"]["result"] == "copy-wiped";
    let stops = each_copy(stopped_at(&site, &id, wiped));
    stops[0].run_as("ada", &["account", "disable", "sue"]).ok();
    stops[1].run_as("ben", &["config", "confirm"]).ok();
    for (n, code) in [(0, "approver-disabled"), (1, "policy-changed")] {
        stops[n].once();
        let page = certificate(&stops[n], &id);
        assert_eq!(page["stopped"]["code"], code);
        assert_eq!(page["copies"].as_array().unwrap().len(), n + 1);
        assert_eq!(stops[n].show(&batch)["state"], "due");
    }
}

#[test]
fn two_approvers_are_two_people_and_neither_is_the_requester() {
    let people = People::new();
    let rules = [
        ("approvers: { value: 1,", "approvers: { value: 2,"),
        ("requesters: { value: [custodian, handler],", "requesters: { value: [custodian],"),
        (
            "approver_roles: { value: [supervisor],",
            "approver_roles: { value: [supervisor, auditor],",
        ),
    ];
    let (site, batch) = due(&people, &rules);
    refused(&site, "henry", &["destroy", "request", &batch, "--reason", "no need"]);
    let id = request(&site, &batch);
    refused(&site, "alice", &["destroy", "approve", &id]);
    site.run_as("sue", &["destroy", "approve", &id]).ok();
    assert_eq!(order(&site, &id)["state"], "requested");
    assert_eq!(site.show(&batch)["state"], "due");
    refused(&site, "sue", &["destroy", "approve", &id]);
    site.run_as("audrey", &["destroy", "approve", &id]).ok();
    let page = certificate(&site, &id);
    assert_eq!(page["approved_by"], "audrey");
    assert_eq!(page["further_approvals"][0]["by"], "sue");
}

#[test]
fn nothing_is_wiped_in_the_time_to_think_again_and_a_cancelled_order_wipes_nothing() {
    let people = People::new();
    let (site, batch) = due(&people, &[("cooling_off: { value: P0D", "cooling_off: { value: P1D")]);
    for cancelled in [true, false] {
        let id = request(&site, &batch);
        refused(&site, "henry", &["destroy", "cancel", &id, "--reason", "not mine"]);
        let said = site.run_as("sue", &["destroy", "approve", &id]).ok();
        assert!(said.text().contains("nothing is wiped before"), "{}", said.text());
        site.wait_minutes(23 * 60);
        site.once();
        assert_eq!(order(&site, &id)["wiped"], 0);
        if cancelled {
            site.run_as("sue", &["destroy", "cancel", &id, "--reason", "a court asks"]).ok();
            site.wait_minutes(2 * 60);
            site.once();
            assert_eq!(order(&site, &id)["state"], "voided");
            assert_eq!(site.show(&batch)["state"], "due");
        } else {
            site.wait_minutes(2 * 60);
            site.once();
            assert_eq!(order(&site, &id)["state"], "certified");
        }
    }
}

#[test]
fn a_copy_out_of_reach_is_left_out_and_the_batch_stays_open_until_it_is_gone() {
    let people = People::new();
    let (site, batch) = due(&people, &[("cooling_off: { value: P0D", "cooling_off: { value: P1D")]);
    site.walt_and_dora(UNIT);
    let ask = ["destroy", "request", &batch, "--reason", "使用完竣"];
    let id = site.run_as("walt", &ask).ok().id('o');
    site.run_as("sue", &["destroy", "approve", &id]).ok();
    let page = site.show(&batch);
    let of_kind = |kind: &str| {
        let mut copies = page["copies"].as_array().unwrap().iter();
        copies.find(|copy| copy["kind"] == kind).unwrap()["id"].as_str().unwrap().to_owned()
    };
    let (file, record) = (of_kind("transfer"), of_kind("case"));
    let except = |name: &str, copy: &str| {
        let words = ["destroy", "except", &id, copy, "--owner", "alice", "--until", "2026-11-30"];
        site.run_as(name, &[words.as_slice(), &["--reason", "disk away"]].concat())
    };
    except("alice", &file).exits(77);
    let except_file =
        ["destroy", "except", &id, &file, "--owner", "alice", "--until", "2026-11-30"];
    site.neither_walt_nor_dora(&[&except_file[..], &["--reason", "disk away"]].concat());
    except("sue", &record).exits(64);
    except("sue", &file).ok();
    site.wait_minutes(25 * 60);
    site.once();
    assert_eq!(order(&site, &id)["state"], "certified");
    assert_eq!(certificate(&site, &id)["left_out"][0]["copy"], file.as_str());
    assert_eq!(site.show(&batch)["state"], "due", "the batch is not destroyed while it is there");
    let task = |site: &Site<'_>, part: &str, code: &str| {
        let page = site.run(&["status", "--json"]).json();
        let rows = if part == "tasks" { &page["tasks"]["rows"] } else { &page["alarms"] };
        rows.as_array().unwrap().iter().any(|row| row["code"] == code)
    };
    assert!(task(&site, "tasks", "bring-back-copy") && !task(&site, "alarms", "copy-out-of-reach"));
    site.wait_minutes(10 * 24 * 60);
    assert!(task(&site, "alarms", "copy-out-of-reach"));
    let rest = request(&site, &batch);
    assert_eq!(order(&site, &rest)["copies"], 2, "the file, and the record that names it");
    site.run_as("sue", &["destroy", "approve", &rest]).ok();
    site.wait_minutes(25 * 60);
    site.once();
    assert_eq!(site.show(&batch)["state"], "closed");
    assert!(!task(&site, "alarms", "copy-out-of-reach"));
}

#[test]
fn under_a_standing_approval_files_go_when_they_are_loaded_and_each_wipe_names_it() {
    let people = People::new();
    let site = Site::founded(&people, &["csv-500"], "資訊科");
    let words = ["standing", "add", "--policy", "nantou-verification", "--doc-no"];
    let add = [words.as_slice(), &["府民戶字第1130001234號", "--until", "2026-12-31"]].concat();
    // The other policy wants each order approved.
    let other = ["standing", "add", "--policy", "taoyuan-dwcd", "--doc-no", "1"];
    refused(&site, "alice", &[other.as_slice(), &["--until", "2026-12-31"]].concat());
    let standing = site.run_as("alice", &add).ok().id('s');
    refused(&site, "alice", &["standing", "confirm", &standing]);
    site.run_as("sue", &["standing", "confirm", &standing]).ok();
    site.once();
    let row = site.row(NANTOU);
    assert_eq!(row["state"], "loaded");
    let batch = row["id"].as_str().unwrap();
    let files: Vec<_> =
        copies(&site, batch).into_iter().filter(|(kind, _)| kind == "transfer").collect();
    assert!(!files.is_empty() && files.iter().all(|(_, state)| state == "destroyed"), "{files:?}");
    let intents = of_type(&site, "intent");
    let wipes: Vec<_> =
        intents.iter().filter(|row| row["body"]["plan"]["step"] == "wipe-copy").collect();
    assert_eq!(wipes.len(), files.len());
    assert!(wipes.iter().all(|row| row["body"]["plan"]["standing"] == standing.as_str()));
    let page = certificate(&site, "o-00000001");
    assert_eq!(page["standing"]["doc_no"], "府民戶字第1130001234號");
    assert_eq!(page["approved_by"], "sue");
    // It ends soon, and is told of.
    let status = site.run(&["status", "--json"]).json();
    let tasks = status["tasks"]["rows"].as_array().unwrap();
    let renew = |rows: &[Value]| rows.iter().any(|row| row["code"] == "renew-standing");
    assert!(!renew(tasks), "more than thirty days are left");
    site.wait_minutes(11 * 24 * 60);
    let status = site.run(&["status", "--json"]).json();
    assert!(renew(status["tasks"]["rows"].as_array().unwrap()));
    site.run_as("alice", &["standing", "end", &standing]).ok();
    let listed = site.run(&["standing", "list", "--json"]).ok().json();
    assert_eq!(listed[0]["state"], "ended");
}

#[test]
fn a_standing_approval_that_ends_or_a_hold_keeps_the_files() {
    let people = People::new();
    for held in [true, false] {
        let site = Site::founded(&people, &["csv-500"], "資訊科");
        let words = ["standing", "add", "--policy", "nantou-verification", "--doc-no", "1"];
        let add = [words.as_slice(), &["--until", "2027-12-31"]].concat();
        let standing = site.run_as("alice", &add).ok().id('s');
        site.run_as("sue", &["standing", "confirm", &standing]).ok();
        let hold = held.then(|| hold(&site, &["--all"]));
        if !held {
            site.run_as("sue", &["standing", "end", &standing]).ok();
        }
        site.once();
        assert!(of_type(&site, "order-requested").is_empty());
        assert_eq!(site.files("state/spool").len(), 1);
        let Some(hold) = hold else { continue };
        // Once nothing forbids it, the standing approval serves again.
        site.run_as("sue", &["hold", "lift", &hold]).ok();
        site.once();
        assert!(site.files("state/spool").is_empty());
    }
}

#[test]
fn an_order_stays_open_and_becomes_overdue_until_its_papers_are_confirmed() {
    let people = People::new();
    let rules = [
        (
            "papers: { value: [], clause: TY-4.3.2 }",
            "papers: { value: [letter, evidence], clause: TY-3.1.3b }",
        ),
        ("papers_within: { value: P0D", "papers_within: { value: P10D"),
    ];
    let (site, batch) = due(&people, &rules);
    let id = request(&site, &batch);
    site.run_as("sue", &["destroy", "approve", &id]).ok();
    assert_eq!(site.show(&batch)["state"], "destroyed");
    let alarms =
        |site: &Site<'_>| site.run(&["status", "--json"]).text().contains("papers-overdue");
    assert!(!alarms(&site));
    site.wait_minutes(11 * 24 * 60);
    assert!(alarms(&site));
    let photo = site.temporary().join("photo.jpg");
    std::fs::write(&photo, b"synthetic").unwrap();
    let photo = photo.to_str().unwrap();
    let close = |more: &[&str]| site.run_as("alice", &[&["destroy", "close", &id], more].concat());
    close(&[]).exits(64);
    close(&["--letter", "府社婦字第1150000099號", "--letter-date", "115/12/01"]).ok();
    refused(&site, "alice", &["destroy", "confirm", &id]);
    site.run_as("sue", &["destroy", "confirm", &id]).ok();
    assert_eq!(order(&site, &id)["papers_missing"], serde_json::json!(["evidence"]));
    assert_eq!(site.show(&batch)["state"], "destroyed");
    close(&["--evidence", photo]).ok();
    site.run_as("sue", &["destroy", "confirm", &id]).ok();
    site.once();
    assert_eq!(site.show(&batch)["state"], "closed");
    assert!(!alarms(&site));
    let recorded = of_type(&site, "papers-recorded");
    assert_eq!(recorded[1]["body"]["papers"][0]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn the_plan_says_what_is_due_and_later_what_became_of_it() {
    let people = People::new();
    let (site, batch) = due(&people, &[]);
    let plan = |on: &str| site.run(&["destroy", "plan", "--on", on, "--json"]).ok().json();
    let line = plan("2026-12-31")[0].clone();
    assert_eq!((&line["batch"], &line["state"]), (&batch.as_str().into(), &"to-request".into()));
    assert_eq!((&line["clock"], &line["clause"]), (&"use-ended".into(), &"TY-4.3.1".into()));
    assert_eq!(plan("2026-11-01"), serde_json::json!([]));
    let hold = hold(&site, &["--all"]);
    assert_eq!(plan("2026-12-31")[0]["state"], "held");
    site.run_as("sue", &["hold", "lift", &hold]).ok();
    site.wait_minutes(3 * 24 * 60);
    assert_eq!(plan("2026-12-31")[0]["state"], "overdue");
    let id = request(&site, &batch);
    site.run_as("sue", &["destroy", "approve", &id]).ok();
    let line = plan("2026-12-31")[0].clone();
    assert_eq!((&line["state"], &line["order"]), (&"late".into(), &id.as_str().into()));
}

#[test]
fn a_rejected_batch_has_a_deadline_too() {
    let people = People::new();
    let site = with_mallory(&people, &["checksum-mismatch"]);
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    site.run_as("alice", &["batch", "reject", &batch, "--reason", "退件"]).ok();
    let plan = site.run(&["destroy", "plan", "--on", "2026-12-31", "--json"]).ok().json();
    assert_eq!((&plan[0]["clock"], &plan[0]["whole"]), (&"rejected".into(), &true.into()));
}

#[test]
fn after_a_crash_at_any_write_of_a_run_over_five_copies_each_is_wiped_once_and_accounted_for() {
    let people = People::new();
    let site = Site::in_memory(&people);
    let provider = Provider::arrange(&site.dir);
    site.init();
    site.accounts("資訊科");
    provider.release(&provider.pack_in(0, 2, 3));
    site.once();
    let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
    site.run_as("henry", &["use", "no-need", &batch]).ok();
    let id = request(&site, &batch);
    let stops = stopped_at(&site, &id, |_| true);
    assert!(stops.len() > 30, "only {} writes", stops.len());
    let mut halfway = 0;
    for stop in stops {
        let before = copies(&stop, &batch);
        assert_eq!(before.len(), 5);
        let gone = before.iter().filter(|(_, state)| state == "destroyed").count();
        let files = ["state/vault", "state/spool", "state/cases"];
        let there = files.iter().map(|folder| stop.files(folder).len()).sum::<usize>();
        assert!(there <= 5 - gone, "{gone} are called destroyed, and {there} files are there");
        halfway += usize::from((1..5).contains(&gone));
        stop.once();
        if order(&stop, &id)["state"] == "requested" {
            // The process died before the approval was recorded: it is given again.
            stop.run_as("sue", &["destroy", "approve", &id]).ok();
        }
        let wiped = of_type(&stop, "outcome");
        let wiped = wiped.iter().filter(|row| row["body"]["outcome"]["result"] == "copy-wiped");
        assert_eq!(wiped.count(), 5);
        assert_eq!(files.map(|folder| stop.files(folder).len()), [0, 0, 0]);
        let page = certificate(&stop, &id);
        assert_eq!(page["copies"].as_array().unwrap().len(), 5);
        assert_eq!(stop.show(&batch)["state"], "closed");
    }
    assert!(halfway > 10, "stops between the first and the last copy: {halfway}");
}
