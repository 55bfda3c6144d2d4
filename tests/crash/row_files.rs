//! A file of rows, stopped while it is made.

use super::*;

/// `query --copy-to` is several acts in one: the copy is in the register before the first byte, and its facts after the last.
/// Whoever begins again begins another copy, so that no two worlds are the same; what holds at each stop is that no row is
/// in a file that the inventory does not have, and that the copy which is there can be made known, or taken back by two.
#[test]
fn a_stop_while_a_file_of_rows_is_made_leaves_no_file_outside_the_inventory() {
    const COPY: &str = "府民戶字第1150001234號";
    let people = People::new();
    let work = support::memory();
    let site = Site::in_memory(&people);
    site.init();
    site.accounts("幼兒托育科");
    site.install(&[], &["small-20"]);
    site.once();
    let grant = site.grant(LINK);
    let file = work.path().join("rows.csv");
    // Until it is whole.
    let part = work.path().join("rows.csv.part");
    let to = ["--copy-to", file.to_str().unwrap(), "--holder", "合成保管人", "--delete-by"];
    let query = ["query", "--grant", &grant, "--case", "115-001", "--reason", "資格審查"];
    let words = [query.as_slice(), &to, &["115/12/31"]].concat();
    // The office agrees before anything is written.
    site.run_as("henry", &words).exits(75);
    let exports = |site: &Site<'_>| {
        let rows = site.run(&["copy", "list", "--all", "--json"]).ok().json();
        let mut rows = rows.as_array().unwrap().clone();
        rows.retain(|row| row["kind"] == "export");
        rows
    };
    let copy = exports(&site)[0]["id"].as_str().unwrap().to_owned();
    site.run_as("sue", &["copy", "approve", &copy, "--doc-no", COPY]).ok();
    let words = [words.as_slice(), &["--copy", &copy]].concat();
    let aside = Aside { dir: work.path().join("aside/site"), minute: site.minute() };
    fs::create_dir_all(work.path().join("aside")).unwrap();
    super::copy(&site.dir, &aside.dir);
    let key = people.key("henry");
    let run = |site: &Site<'_>, more: &[&str]| {
        let _ = fs::remove_file(&file);
        let _ = fs::remove_file(&part);
        let by = ["--as", "henry", "--sign-with", key.to_str().unwrap()];
        site.run_with(&words, &[more, &by].concat(), b"")
    };
    let counted = aside.copy(&people, &work.path().join("counted"));
    let count = counted.dir.join("state/count");
    run(&counted, &["--test-count-writes", count.to_str().unwrap()]).ok();
    let writes: usize = fs::read_to_string(&count).unwrap().trim().parse().unwrap();
    assert!(writes > 2, "a request, a file and its facts: {writes}");
    // Every third write, at one moment of it after another: each stop takes five commands.
    let moments = MOMENTS.iter().cycle();
    for stop in (1..=writes).step_by(3).zip(moments).map(|(n, at)| format!("{n}:{at}")) {
        let dir = work.path().join(&stop);
        let site = aside.copy(&people, &dir);
        let ran = run(&site, &["--test-crash", &stop]);
        assert_eq!(ran.signal, Some(ABORTED), "not stopped at {stop}: {ran:?}");
        site.once();
        let rows = exports(&site);
        assert_eq!(rows.len(), 1, "{stop}: one copy was agreed to: {rows:?}");
        let state = rows[0]["state"].as_str().unwrap();
        assert!(matches!(state, "planned" | "kept"), "{stop}: {state}");
        // A file that somebody finds is the copy that the register has, with its holder, place and day.
        assert!(!(file.exists() && part.exists()), "{stop}: there is one file");
        let there = if part.exists() { &part } else { &file };
        if there.exists() && state == "planned" {
            let facts = ["copy", "declare", &copy, "--holder", "合成保管人", "--place"];
            let place = there.canonicalize().unwrap();
            let place = [place.to_str().unwrap(), "--delete-by", "115/12/31"];
            site.run_as("henry", &[facts.as_slice(), &place].concat()).ok();
        }
        // One that never was is taken back by another person than asked for it.
        if !there.exists() {
            let back = ["copy", "withdraw", &copy, "--reason", "未製作"];
            site.run_as("henry", &back).exits(77);
            site.run_as("alice", &back).ok();
        }
        site.verify();
        fs::remove_dir_all(&dir).unwrap();
    }
}
