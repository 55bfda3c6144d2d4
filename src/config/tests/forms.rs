//! Forms of the printed register beside the policies.

use super::{super::inforce, Site};

const SHIPPED: &str = include_str!("../../../forms/register.yaml");

fn site() -> Site {
    let site = Site::new();
    std::fs::create_dir(site.path("policies/forms")).unwrap();
    site.mode("policies/forms", 0o700);
    site
}

#[test]
fn the_form_that_is_shipped_has_the_ten_columns_in_their_order() {
    let forms = super::super::shipped_forms();
    let form = &forms["register"];
    assert!(!form.official && form.missing().is_empty());
    let facts: Vec<&str> = form.main.columns.iter().map(|column| column.fact.word()).collect();
    assert_eq!(facts[0], "serial");
    let ten: Vec<&str> = crate::domain::forms::Fact::TEN.iter().map(|fact| fact.word()).collect();
    assert_eq!(facts[1..11], ten);
    assert_eq!(facts[11..], ["remarks"]);
    assert!(form.annexes.iter().all(|sheet| sheet.columns[0].fact.word() == "serial"));
}

#[test]
fn a_fault_of_a_form_has_its_file_line_and_column() {
    let site = site();
    let text = SHIPPED.replacen("fact: records", "fact: recrods", 1).replacen(
        "share: 10",
        "share: wide",
        1,
    );
    site.write("policies/forms/register.yaml", text);
    site.write("policies/forms/nobody.yaml", SHIPPED.replacen("form: register", "form: nobody", 1));
    let faults = site.faults().join("\n");
    for part in
        ["policies/forms/register.yaml:15:", "'recrods'", "'wide'", "there is no policy 'nobody'"]
    {
        assert!(faults.contains(part), "{part} in {faults}");
    }
    std::fs::remove_file(site.path("policies/forms/nobody.yaml")).unwrap();
    let lines = SHIPPED.lines().filter(|line| !line.contains("fact: purpose,"));
    site.write("policies/forms/register.yaml", lines.collect::<Vec<_>>().join("\n"));
    let faults = site.faults().join("\n");
    assert!(faults.contains("the main sheet lacks columns: purpose"), "{faults}");
    site.write("policies/forms/register.yaml", SHIPPED.replacen("fact: serial", "fact: unit", 1));
    assert!(site.faults().join("\n").contains("does not begin with the serial number"));
}

#[test]
fn a_form_waits_for_a_second_person_and_is_no_rule() {
    let site = site();
    let before = site.load().unwrap();
    site.write("policies/forms/register.yaml", SHIPPED.replacen("備註", "附記", 1));
    let found = site.load().unwrap();
    let compared = inforce::compare(&before, &found);
    let pending: Vec<_> =
        compared.pending.iter().map(|c| (c.file.as_str(), c.code.as_str())).collect();
    assert_eq!(pending, [("policies/forms/register.yaml", "form-added")]);
    assert_eq!(compared.effective.forms, before.forms, "not before it is confirmed");
    let digest = inforce::keep(&found.agent.state, &found.files).unwrap();
    let kept = inforce::kept(&found.agent, digest).unwrap();
    assert_eq!(kept.forms, found.forms);
    assert!(inforce::compare(&kept, &found).pending.is_empty());
}
