//! 南投縣驗證機制平臺使用戶籍資料管理規定: wiped at once under a standing approval, logs of five years, nothing leaves.

use super::*;

#[test]
fn nantou_verification_wipes_at_once_and_keeps_its_logs_five_years() {
    let people = People::new();
    let site = under(&people, "nantou-verification");
    let add = ["standing", "add", "--policy", "nantou-verification", "--doc-no", DOC, "--until"];
    let add = [add.as_slice(), &["2027-12-31"]].concat();
    let standing = site.run_as("alice", &add).ok().id('s');
    // Who proposes it does not confirm it.
    site.run_as("alice", &["standing", "confirm", &standing]).exits(77);
    site.run_as("sue", &["standing", "confirm", &standing]).ok();
    let batch = loaded(&site);
    // NT-4.4: the raw file is gone with the import, and the order names the approval.
    let files = copies(&site, &batch, "transfer");
    assert!(!files.is_empty() && files.iter().all(|state| state == "destroyed"), "{files:?}");
    assert_eq!(copies(&site, &batch, "vault"), ["kept"]);
    let shown = site.run(&["certificate", "show", "o-00000001"]).ok();
    assert!(shown.text().contains(DOC), "{}", shown.text());
    // NT-4.1.3, NT-4.1.1: no copy, and nothing leaves on media, whoever asks.
    let copy = ["copy", "request", &batch, "--kind", "media", "--medium", "flash", "--reason", "x"];
    refused(&site, "henry", &copy, "NT-4.1.3");
    let paper =
        ["copy", "request", &batch, "--kind", "paper", "--medium", "paper", "--reason", "x"];
    refused(&site, "henry", &paper, "NT-4.1.3");
    // NT-3.10: nothing is handed on.
    recipient(&site, "dingyue", "vendor", "agency");
    refused(&site, "henry", &request(&batch, "dingyue", APART), "NT-3.10");
    // NT-4.2.1: case number and reason; NT-4.2.5: what is asked is logged, for five years.
    let grant = site.grant(LINK);
    let bare = ["query", "--grant", &grant, "--case", "", "--reason", "", "--format", "json"];
    assert_ne!(site.run_as("henry", &bare).status, Some(0));
    site.query(&grant, &["--format", "json"]).ok();
    let month = ["access", "destroy", "--link", LINK, "--reason", "保存期滿"];
    later(&site, 365 * 3 + 60);
    let months = [month.as_slice(), &["--month", "2026-11"]].concat();
    refused(&site, "alice", &months, "NT-4.1.5");
    later(&site, 365 * 2);
    site.run_as("alice", &month).ok();
    site.verify();
}
