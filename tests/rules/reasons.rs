//! Reasons: a code and a note, whatever was typed; codes alone where the site asks for them. All texts are synthetic.

use super::*;

/// The last grant that was denied: why, and what was signed.
fn denied(site: &Site<'_>) -> (String, String) {
    let entry = of_type(site, "grant-denied").pop().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&entry["body"]["reason"]), text(&entry["body"]["signed"]["text"]))
}

fn deny(site: &Site<'_>, reason: &str) -> Ran {
    let grant = apply(site, "henry", "2027-06-30", &[]).ok().id('g');
    site.run_as("sue", &["grant", "deny", &grant, "--reason", reason])
}

#[test]
fn what_people_type_is_recorded_as_a_code_and_nothing_of_it_is_lost() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    for (typed, stored) in [
        ("no-basis", "no-basis"),
        ("無法令依據：函復申請單位", "no-basis: 函復申請單位"),
        ("No legal basis", "no-basis"),
        ("尚須補件", "other: 尚須補件"),
        ("other: by telephone", "other: by telephone"),
    ] {
        deny(&site, typed).ok();
        let (reason, signed) = denied(&site);
        assert_eq!(reason, stored);
        // What somebody signed stays as it was typed.
        assert!(signed.contains(typed), "{signed}");
    }
    let said = deny(&site, "other").exits(64);
    assert!(said.stderr.contains("the reason 'other' needs a note"), "{said:?}");
    deny(&site, "no-basis: A123456789").exits(65);
    deny(&site, " ").exits(64);
    assert_eq!(of_type(&site, "grant-denied").len(), 5, "what was refused is not recorded");

    // On paper it is the label that people read; programs have the code.
    let batch = id_of(&site, SMALL);
    let ask = ["copy", "request", &batch, "--kind", "paper", "--reason", "開庭：三月三日"];
    let copy = site.run_as("henry", &ask).ok().id('c');
    let rows = site.run(&["copy", "list", &batch, "--json"]).ok().json();
    let row = rows.as_array().unwrap().iter().find(|row| row["id"] == *copy).unwrap().clone();
    assert_eq!(row["reason"], "for-hearing: 三月三日");
    let list = site.run(&["--lang", "zh-TW", "copy", "list", &batch]).ok();
    assert!(list.text().contains("開庭：三月三日"), "{}", list.text());
    let list = site.run(&["copy", "list", &batch]).ok();
    assert!(list.text().contains("for-hearing: 三月三日"), "{}", list.text());
    site.run_as("henry", &["copy", "withdraw", &copy, "--reason", "未製作"]).ok();
    // A printed form: the slip of an order.
    let batch = no_need(&site, SMALL);
    let ask = ["destroy", "request", &batch, "--reason", "保存期滿：第一批"];
    let order = site.run_as("alice", &ask).ok().id('o');
    let slip = site.run(&["destroy", "slip", &order, "--format", "html", "-o", "-"]).ok();
    assert!(slip.text().contains("保存期滿：第一批"), "{}", slip.text());
}

#[test]
fn where_codes_are_asked_for_a_text_without_one_is_refused_with_the_list() {
    let people = People::new();
    let site = with_mallory(&people, &["small-20"]);
    let file = site.dir.join("agent.yaml");
    let before = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{before}reasons: codes\n")).unwrap();
    let said = deny(&site, "尚須補件").exits(64);
    assert!(said.stderr.contains("must begin with a code"), "{said:?}");
    assert!(said.stderr.contains("no-basis, purpose-unclear"), "{said:?}");
    assert!(of_type(&site, "grant-denied").is_empty());
    deny(&site, "papers-missing: 尚須補件").ok();
    assert_eq!(denied(&site).0, "papers-missing: 尚須補件");
    // That none is needed waits for a second person.
    std::fs::write(&file, &before).unwrap();
    deny(&site, "尚須補件").exits(64);
    site.run_as("ben", &["config", "propose"]).ok();
    site.run_as("ada", &["config", "confirm"]).ok();
    deny(&site, "尚須補件").ok();
    assert_eq!(denied(&site).0, "other: 尚須補件");
}

#[test]
fn the_codes_are_told_without_a_site() {
    let run = |words: &[&str]| {
        let all = Command::new(env!("CARGO_BIN_EXE_batchward")).args(words).output().unwrap();
        (all.status.code(), String::from_utf8_lossy(&all.stdout).into_owned())
    };
    let (code, said) = run(&["--lang", "zh-TW", "reasons", "use", "keep"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("appeal-pending") && said.contains("申復或訴願中"), "{said}");
    let (_, said) = run(&["reasons", "destroy request", "--json"]);
    let rows: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(rows[0]["code"], "completed-no-need");
    assert_eq!(rows[0]["chinese"], "使用完竣且無保存必要");
    assert_eq!(run(&["reasons", "status"]).0, Some(64));
}
