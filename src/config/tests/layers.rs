//! Layers of policies, what links have over them, and what is told of a policy with every kind of fault.

use super::*;
use crate::config::{Agent, check_policies, inforce, policies};
use crate::domain::policy::{
    layers::OWN,
    parameters::{PARAMETERS, groups},
    value::{Kind, Stricter},
};

/// A folder with these policies.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(format!("{name}.yaml")), text).unwrap();
    }
    dir
}

fn told(dir: &Path, file: &str) -> String {
    let list = check_policies(&if file.is_empty() { dir.to_owned() } else { dir.join(file) });
    let lines: Vec<String> = list.iter().map(ToString::to_string).collect();
    lines.join("\n").replace(&format!("{}/", dir.display()), "")
}

fn shipped(name: &str) -> &'static str {
    templates::POLICIES.iter().find(|(one, _)| *one == name).unwrap().1
}

#[test]
fn a_policy_with_every_kind_of_fault_gives_one_report() {
    let faulty = "policy: faulty
title: 錯誤百出
extends: taoyuan-dwcd
second_person: { value: false, clause: own }
vendor:
  retention: { value: P2M, clause: TY-3.1.3a }
destroy:
  approvers: { value: 0, clause: own }
  requester_approves: { value: true, clause: own }
  papers_within: { value: 10 working days, clause: own }
access_log:
  retention: { value: P1Y, clause: TY-4.2.9 }
personnel:
  before: { value: 10 working days, clause: NTP-7.3 }
  after: { value: soon, clause: TYA2-1.2 }
calendar:
  years: { value: [\"2026\", \"2028\"], clause: own }
handover:
  key_apart: { value: false, clause: own }
copy:
  approval: { value: none, clause: own, exception: { doc_no: 府婦字第1150000001號 } }
egress:
  abroad: { value: document, clause: own, exception: { doc_no: 府婦字第1150000001號, until: 2027-06-31 } }
";
    let round = |name: &str, over: &str| {
        shipped("taipei-data-platform")
            .replace("policy: taipei-data-platform", &format!("policy: {name}"))
            .replace("extends: common", &format!("extends: {over}"))
    };
    let (one, two) = (round("round-1", "round-2"), round("round-2", "round-1"));
    let alone = shipped("new-taipei-cloud-documents")
        .replace("policy: new-taipei-cloud-documents", "policy: alone")
        .replace("extends: common", "extends: nobody");
    let bare = shipped("common").replace("policy: common", "policy: bare");
    let bare = bare.lines().filter(|line| !line.contains("years:")).collect::<Vec<_>>().join("\n");
    let bare = format!("{bare}\npersonnel_:\n");
    let dir = folder(&[
        ("common", shipped("common")),
        ("taoyuan-dwcd", shipped("taoyuan-dwcd")),
        ("faulty", faulty),
        ("round-1", &one),
        ("round-2", &two),
        ("alone", &alone),
        ("bare", &bare),
    ]);
    let report = told(dir.path(), "");
    let wanted = include_str!("broken/every-policy-fault.report");
    assert_eq!(report.trim_end(), wanted.trim_end(), "it is told as:\n{report}");
    // One file alone is told with its own faults, its layers read beside it.
    let of_one: Vec<&str> = report.lines().filter(|line| line.starts_with("faulty")).collect();
    let alone = told(dir.path(), "faulty.yaml");
    let alone: Vec<&str> = alone.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(alone, of_one);
}

#[test]
fn working_days_without_any_year_of_a_calendar_are_a_fault() {
    let bare = shipped("common").lines().filter(|line| !line.contains("years:"));
    let bare = bare.collect::<Vec<_>>().join("\n").replace("policy: common", "policy: bare");
    let bare = bare.replace("  after: { value: P5D", "  after: { value: 5 working days");
    let dir = folder(&[("bare", &bare)]);
    let report = told(dir.path(), "bare.yaml");
    assert!(report.contains("counts in working days, and no year has a calendar"), "{report}");
    assert_eq!(report.lines().count(), 2, "{report}");
}

#[test]
fn the_policies_of_the_release_before_are_read_as_they_are() {
    let (taoyuan, nantou) = (
        include_str!("earlier/taoyuan-dwcd.yaml"),
        include_str!("earlier/nantou-verification.yaml"),
    );
    let site = Site::new();
    for (name, _) in templates::POLICIES {
        fs::remove_file(site.path(&format!("policies/{name}.yaml"))).unwrap();
    }
    site.write("policies/taoyuan-dwcd.yaml", taoyuan);
    site.write("policies/nantou-verification.yaml", nantou);
    let config = site.load().unwrap();
    let policy = &config.policies["taoyuan-dwcd"];
    assert_eq!(policy.access_log.value.words(), "36 months");
    assert_eq!(policy.handover.as_ref().unwrap().retention.value.words(), "1 months");
    assert_eq!(policy.stack.layers.len(), 1);
    assert_eq!(policy.further.exclusive, None);
    let mut rules = crate::wiring::rules_for_tests(&config);
    let before = rules.policies_digest;
    assert_eq!(before, rules.policies_base, "what orders were approved under stays as it was");
    rules.turn_to(crate::domain::time::Timestamp::from_millis(1_795_226_400_000));
    assert_eq!(rules.policies_digest, before);
}

/// The template's link with this after its policy.
fn with_override(site: &Site, text: &str) {
    let link =
        templates::LINK.replace("policy: taoyuan-dwcd", &format!("policy: taoyuan-dwcd\n{text}"));
    site.write("links/example.yaml", link);
}

#[test]
fn what_a_link_has_over_its_policy_may_only_be_stricter() {
    let site = Site::new();
    with_override(&site, "override:\n  vendor:\n    retention: { value: 十日, clause: own }");
    let config = site.load().unwrap();
    let mut rules = crate::wiring::rules_for_tests(&config);
    assert_ne!(rules.policies_digest, rules.policies_base);
    let link = rules.links["example"].clone();
    let vendor = rules.policy_of(&link).unwrap().further.vendor_retention.clone().unwrap();
    assert_eq!((vendor.value.words(), vendor.clause.as_str()), ("10 days".to_owned(), OWN));
    // Others under the policy have what it says.
    assert_eq!(
        rules
            .policy_for("other", "taoyuan-dwcd")
            .unwrap()
            .further
            .vendor_retention
            .clone()
            .unwrap()
            .clause,
        "TY-3.1.3a"
    );
    rules.settle(None);
    assert!(rules.overridden.contains_key("example"));

    with_override(&site, "override:\n  vendor:\n    retention: { value: P2M, clause: own }");
    let faults = site.faults();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(
        faults[0].contains("weaker than '1 months' by TY-3.1.3a in 'taoyuan-dwcd'"),
        "{faults:#?}"
    );

    // What the override loosens the link itself may use, and only then.
    with_override(&site, "override:\n  key:\n    standing: { value: true, clause: own }");
    assert_eq!(site.faults().len(), 1);
}

#[test]
fn an_exception_of_a_link_ends_by_itself_and_voids_what_was_approved_under_it() {
    let site = Site::new();
    with_override(
        &site,
        "override:\n  vendor:\n    retention:\n      value: P3M\n      clause: TY-3.1.3a\n      exception: { doc_no: 府婦字第1150000001號, until: 116/03/31 }",
    );
    let mut rules = crate::wiring::rules_for_tests(&site.load().unwrap());
    let strict = rules.policies_digest;
    let at = |text: &str| crate::domain::time::Timestamp::parse(text).unwrap();
    let held = |rules: &crate::engine::rules::Rules| {
        let policy = rules.policy_for("example", "taoyuan-dwcd").unwrap();
        policy.further.vendor_retention.as_ref().unwrap().value.words()
    };
    // Before anybody said what day it is, no exception counts.
    assert_eq!(held(&rules), "1 months");
    rules.turn_to(at("2027-03-31T23:59:59+08:00"));
    assert_eq!(held(&rules), "3 months");
    assert_ne!(rules.policies_digest, strict);
    rules.turn_to(at("2027-04-01T00:00:00+08:00"));
    assert_eq!((held(&rules), rules.policies_digest), ("1 months".to_owned(), strict));
}

#[test]
fn an_override_waits_for_a_second_person_and_is_kept_as_it_is() {
    let site = Site::new();
    let before = site.load().unwrap();
    with_override(
        &site,
        "override:\n  vendor:\n    retention: { value: P3M, clause: TY-3.1.3a, exception: { doc_no: 府婦字第1150000001號, until: 2027-03-31 } }\n  destroy:\n    papers: { value: [letter, evidence], clause: own }",
    );
    let after = site.load().unwrap();
    let compared = inforce::compare(&before, &after);
    let codes: Vec<&str> = compared.pending.iter().map(|change| change.code.as_str()).collect();
    assert_eq!(codes, ["override"]);
    // What is kept because something else tightened has it too.
    let text = fs::read_to_string(site.path("links/example.yaml")).unwrap();
    site.write(
        "links/example.yaml",
        text.replace("max_rejected: 0", "max_rejected: 0\nuse_period: P1D"),
    );
    let tighter = site.load().unwrap();
    let compared = inforce::compare(&after, &tighter);
    assert_eq!(compared.effective.links["example"].overrides, after.links["example"].overrides);
    let state = tempfile::tempdir().unwrap();
    let digest = inforce::keep(state.path(), &compared.effective.files).unwrap();
    let agent = Agent { state: state.path().to_owned(), ..after.agent };
    let kept = inforce::kept(&agent, digest).unwrap();
    assert_eq!(kept.links["example"].overrides, after.links["example"].overrides);
}

#[test]
fn a_clause_that_is_in_no_list_any_more_does_not_undo_what_two_people_agreed_to() {
    let site = Site::new();
    site.edit("policies/taoyuan-dwcd.yaml", "clause: TY-4.2.5", "clause: TY-9.9");
    assert_eq!(site.faults().len(), 1);
    site.edit("policies/taoyuan-dwcd.yaml", "clause: TY-9.9", "clause: TY-4.2.5");
    let config = site.load().unwrap();
    let state = tempfile::tempdir().unwrap();
    let mut files = config.files.clone();
    let name = "policies/taoyuan-dwcd.yaml";
    let text = String::from_utf8(files[name].clone()).unwrap();
    files.insert(name.to_owned(), text.replace("clause: TY-4.2.5", "clause: TY-9.9").into_bytes());
    let digest = inforce::keep(state.path(), &files).unwrap();
    let agent = Agent { state: state.path().to_owned(), ..config.agent };
    let kept = inforce::kept(&agent, digest).unwrap();
    assert_eq!(kept.policies["taoyuan-dwcd"].access_log.clause, "TY-9.9");
}

#[test]
fn a_regulation_that_is_none_of_the_five_brings_its_clauses_along() {
    let text = "policy: other-city\ntitle: 其他縣市規定\nextends: common\nclauses:\n  KH-3.1: 應於七日內銷毀\n\
                vendor:\n  retention: { value: 七日, clause: KH-3.1 }\n";
    let dir = folder(&[("common", shipped("common")), ("other-city", text)]);
    assert_eq!(told(dir.path(), "other-city.yaml"), "");
    let without = text.replace("clauses:\n  KH-3.1: 應於七日內銷毀\n", "");
    fs::write(dir.path().join("other-city.yaml"), without).unwrap();
    assert!(told(dir.path(), "other-city.yaml").contains("'KH-3.1' is in no list of clauses"));
}

#[test]
fn no_policy_has_a_word_by_which_the_invariants_could_be_weakened() {
    // Nobody decides alone, every step is in the register, all or nothing, a hold beats an approval.
    for (group, name, value) in [
        ("destroy", "requester_approves", "true"),
        ("destroy", "self_approval", "true"),
        ("destroy", "approvers", "0"),
        ("destroy", "ignore_holds", "true"),
        ("grant", "self_approval", "true"),
        ("account", "self_registration", "true"),
        ("account", "second_person", "false"),
        ("register", "enabled", "false"),
        ("register", "retention", "P0D"),
        ("access_log", "retention", "P0D"),
        ("handover", "key_apart", "false"),
        ("handover", "vendor_export", "true"),
        ("load", "partial", "true"),
        ("plaintext", "allowed", "true"),
    ] {
        let text = format!(
            "policy: weak\ntitle: 弱化\nextends: common\n{group}:\n  {name}: {{ value: {value}, clause: own }}\n"
        );
        let dir = folder(&[("common", shipped("common")), ("weak", &text)]);
        assert_ne!(told(dir.path(), "weak.yaml"), "", "{group}.{name}: {value}");
    }
}

#[test]
fn the_five_regulations_and_the_common_rules_pass_their_own_check() {
    let dir = folder(&templates::POLICIES);
    assert_eq!(told(dir.path(), ""), "");
    for (name, text) in templates::POLICIES {
        assert!(text.starts_with("# yaml-language-server: $schema=policy.schema.json\n"), "{name}");
    }
}

/// What a value looks like to an editor.
fn value(kind: Kind) -> serde_json::Value {
    use serde_json::json;
    match kind {
        Kind::Length { .. } => {
            let (what, example) = policies::expected(kind);
            json!({ "type": "string", "description": what, "examples": [example] })
        }
        Kind::Word(words) => json!({ "enum": words }),
        Kind::Words(words) => {
            json!({ "type": "array", "uniqueItems": true, "items": { "enum": words } })
        }
        Kind::Years => {
            json!({ "type": "array", "items": { "type": ["string", "integer"] } })
        }
        Kind::Number(least, u64::MAX) => json!({ "type": "integer", "minimum": least }),
        Kind::Number(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Yes => json!({ "type": "boolean" }),
        Kind::Always(only) => json!({ "const": only }),
    }
}

/// `policies/policy.schema.json`, for editors: of the table and of nothing else.
fn schema() -> serde_json::Value {
    use serde_json::json;
    let mut properties = serde_json::Map::new();
    for (name, what) in [
        ("policy", "the file's own name"),
        ("title", "the regulation's title"),
        ("register_title", "the title of its register"),
        ("extends", "the policy beneath this one, in the same folder"),
    ] {
        properties.insert(name.to_owned(), json!({ "type": "string", "description": what }));
    }
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    properties.insert("clauses".to_owned(), texts);
    for group in groups() {
        let mut rules = serde_json::Map::new();
        for one in PARAMETERS.iter().filter(|one| one.group() == group) {
            let done = crate::domain::policy::clauses::done_for(one.key).unwrap();
            let stricter = match one.stricter {
                Stricter::Same => "another value needs an exception".to_owned(),
                other => format!("stricter: {}", other.word()),
            };
            let rule = json!({
                "type": "object",
                "description": format!("{} ({}; {stricter})", done.english, done.does),
                "required": ["value", "clause"],
                "additionalProperties": false,
                "properties": {
                    "value": value(one.kind),
                    "clause": { "type": "string", "examples": ["own", "TY-4.3.2"] },
                    "exception": {
                        "type": "object",
                        "required": ["doc_no", "until"],
                        "additionalProperties": false,
                        "properties": { "doc_no": { "type": "string" }, "until": { "type": "string" } }
                    }
                }
            });
            rules.insert(one.name().to_owned(), rule);
        }
        let group_of =
            json!({ "type": "object", "additionalProperties": false, "properties": rules });
        properties.insert(group.to_owned(), group_of);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A policy of Batchward",
        "type": "object",
        "required": ["policy", "title"],
        "additionalProperties": false,
        "properties": properties
    })
}

#[test]
fn the_schema_for_editors_is_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/policy.schema.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&schema()).unwrap());
    if std::env::var_os("BATCHWARD_BLESS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(there == text, "stale: 'BATCHWARD_BLESS=1 cargo test --lib the_schema' writes it anew");
}
