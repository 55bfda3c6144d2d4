//! `policy`: explained in both languages, compared, and the table of clauses held to the code.

use std::{collections::BTreeSet, path::Path};

use batchward::{
    domain::policy::clauses::{self, Does},
    paper,
};

use super::*;

/// The page of documentation that the program writes; `BATCHWARD_BLESS=1` writes it anew.
#[test]
fn the_page_of_clauses_is_what_the_program_writes() {
    let page = support::root().join("docs/clauses.md");
    let written = paper::clauses::markdown(&batchward::wiring::resting());
    if std::env::var_os("BATCHWARD_BLESS").is_some() {
        fs::write(&page, &written).unwrap();
    }
    let there = fs::read_to_string(&page).unwrap_or_default();
    assert!(there == written, "docs/clauses.md is stale: BATCHWARD_BLESS=1 writes it anew");
    let people = People::new();
    let site = Site::bare(&people);
    fs::create_dir_all(&site.dir).unwrap();
    let said = site.run(&["policy", "matrix"]).ok();
    assert_eq!(said.text(), written);
    let ods = site.dir.join("clauses.ods");
    site.run(&["policy", "matrix", "--format", "ods", "-o", ods.to_str().unwrap()]).ok();
    assert!(fs::read(&ods).unwrap().starts_with(b"PK"));
}

/// Names of the functions of all tests.
fn functions(dir: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let tests = text.split("#[test]").skip(1).filter_map(|rest| {
                let name = rest.split_once("fn ")?.1.split_once('(')?.0;
                Some(name.trim().to_owned())
            });
            found.extend(tests);
        }
    }
}

#[test]
fn nothing_is_claimed_to_be_enforced_without_a_test_that_exists() {
    let mut known = BTreeSet::new();
    for folder in ["src", "tests"] {
        functions(&support::root().join(folder), &mut known);
    }
    assert!(known.len() > 500, "only {} tests: are these all", known.len());
    let mut wrong = Vec::new();
    for done in clauses::done() {
        let missing = done.tests.iter().filter(|test| !known.contains(**test));
        wrong.extend(missing.map(|test| format!("{}: there is no test '{test}'", done.subject)));
        let claims = matches!(done.does, Does::Enforces | Does::Evidences | Does::Reminds);
        if claims && done.tests.is_empty() {
            wrong.push(format!("{}: '{}' without a test", done.subject, done.does));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let untested = paper::clauses::untested();
    let wanted = |done: &&&clauses::Done| {
        clauses::all().iter().any(|c| c.id == done.subject && c.kind != "N")
    };
    println!(
        "clauses of kind E, V or R without a test: {}",
        untested.iter().filter(wanted).count()
    );
    for done in &untested {
        assert!(!matches!(done.does, Does::Enforces | Does::Evidences | Does::Reminds));
        println!("{}: {} ({})", done.subject, done.english, done.waits.map_or("", |w| w.word()));
    }
}

#[test]
fn a_policy_is_explained_with_clause_text_layer_and_what_is_done_in_both_languages() {
    let people = People::new();
    let site = Site::in_memory(&people);
    site.init();
    let explain = ["policy", "explain", "taoyuan-dwcd"];
    let whole = site.run(&explain).ok();
    for part in [
        "layers: common < taoyuan-dwcd",
        "vendor.retention: 1 months  (TY-3.1.3a, taoyuan-dwcd)",
        "「使用完竣且確認無保存必要，應於一個月內銷毀並登記」",
        "enforces: a vendor's copy is due by the earlier of this and what the recipient's own file says",
        "password.max_age: 3 months  (own, common)",
        "not-yet: nothing reads it yet: there are no passwords and no sessions",
    ] {
        assert!(whole.text().contains(part), "'{part}' is not in {}", whole.text());
    }
    let one =
        site.run_with(&[&explain[..], &["TY-4.3.2"]].concat(), &["--lang", "zh-TW"], b"").ok();
    for part in
        ["應簽報單位主管核定後，刪除資料檔案", "執行：非經單位主管核定不得銷毀", "destroy.approval"]
    {
        assert!(one.text().contains(part), "'{part}' is not in {}", one.text());
    }
    assert!(!one.text().contains("vendor.retention"), "{}", one.text());
    site.run(&[&explain[..], &["nothing.such"]].concat()).exits(64);
    let diff = site.run(&["policy", "diff", "taoyuan-dwcd", "nantou-verification"]).ok();
    let line = diff.text().lines().find(|line| line.starts_with("access_log.retention")).unwrap();
    assert!(
        line.contains("36 months (TY-4.2.5)") && line.ends_with("nantou-verification"),
        "{line}"
    );
    let same = site.run(&["policy", "diff", "common", "common"]).ok();
    assert!(same.text().contains("no rule differs"));
}
