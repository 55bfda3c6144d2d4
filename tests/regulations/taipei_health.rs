//! 臺北市政府衛生局: ten days of a health centre after its use, data and key apart, the ten columns in the text's order.

use super::*;

const TEN: [&str; 10] = [
    "提供機關通知時間",
    "資料筆數",
    "使用目的",
    "依據公文文號",
    "業務單位承辦人",
    "業務單位承辦人取得資料方式",
    "資訊室承辦人",
    "比對狀況",
    "業務單位主管",
    "銷毀日期",
];

#[test]
fn taipei_health_gives_a_centre_ten_days_and_prints_the_ten_columns() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    let batch = loaded(&site);
    recipient(&site, "zhongli-hc", "health-centre", "own");
    recipient(&site, "dingyue", "vendor", "agency");
    // TPH-6.2, 6.3: sealed by three, and compared by the handler.
    provided(&site, &batch);
    let compare = ["batch", "compare", &batch, "--applied", "20", "--result", "match"];
    site.run_as("henry", &compare).ok();
    // TPH-6.4: to centres only; TPH-5.6: data and key apart.
    refused(&site, "henry", &request(&batch, "dingyue", APART), "TPH-6.4");
    refused(&site, "henry", &request(&batch, "zhongli-hc", ["courier", "Courier"]), "TPH-5.6");
    let id = site.run_as("henry", &request(&batch, "zhongli-hc", APART)).ok().id('l');
    site.run_as("sue", &["handover", "approve", &id]).ok();
    site.run_as("alice", &["handover", "make", &id]).ok();
    assert_eq!(site.files("handed-keys/zhongli-hc"), [format!("{id}.key")]);
    // TPH-6.5: ten days after the use, and the letter to the bureau.
    let page = handover(&site, &id);
    assert_eq!(page["terms"]["destroy_by"].as_str().unwrap().get(..10), Some("2027-04-10"));
    assert_eq!(page["terms"]["clause"], "TPH-6.5");
    later(&site, 139);
    assert_eq!(handover(&site, &id)["overdue"], false, "the tenth day is the last one");
    later(&site, 2);
    assert_eq!(handover(&site, &id)["overdue"], true);
    // TPH-5.7: what was needed is printed and filed; then the transfer files are due, not the data.
    site.run_as("henry", &["use", "filed", &batch, "--doc-no", DOC]).ok();
    let due = plan(&site, "2027-12-31");
    assert!(due.iter().any(|row| row["clock"] == "printed-and-filed"), "{due:#?}");
    // TPH-5.5b, TPH-6.3: the ten columns in order, and the comparison.
    let file = site.temporary().join("form.csv");
    let export = ["register", "export", "--format", "csv", "-o", file.to_str().unwrap()];
    site.run(&export).ok();
    let text = fs::read_to_string(&file).unwrap();
    let head = format!("序號,{},備註", TEN.join(","));
    assert!(text.replace('"', "").contains(&head), "{text}");
    assert!(text.contains("相符\n申請20、實收20、匯入20\nhenry"), "{text}");
    assert!(text.contains("戶役政資料登記表"), "{text}");
    site.verify();
}

#[test]
fn the_unit_tells_the_it_office_to_fetch_and_each_notice_has_its_time_and_its_channel() {
    let people = People::new();
    let site = under(&people, "taipei-health");
    let batch = loaded(&site);
    // TPH-6.1: in writing or by mail; what nobody wrote has no number, and a letter has one.
    let give = |who: &str, more: &[&str]| {
        let words = ["batch", "notice", &batch, "--at", "2026-11-21T09:00:00+08:00"];
        site.run_as(who, &[words.as_slice(), more].concat())
    };
    give("henry", &["--stage", "provider", "--channel", "letter"]).exits(64);
    give("sue", &["--stage", "provider", "--channel", "phone"]).exits(77);
    give("henry", &["--stage", "provider", "--channel", "letter", "--doc-no", DOC]).ok();
    give("henry", &["--stage", "to-it", "--channel", "email"]).ok();
    give("alice", &["--stage", "to-unit", "--channel", "email"]).ok();
    // The batch is there: what one person enters of the provider's notice counts with another's word alone.
    assert_ne!(site.show(&batch)["notice"]["official_at"], "2026-11-21T01:00:00.000Z");
    give("alice", &["--stage", "provider", "--channel", "letter", "--doc-no", DOC]).ok();
    let notice = site.show(&batch)["notice"].clone();
    let stages: Vec<&str> = notice["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["stage"].as_str().unwrap())
        .collect();
    assert!(["provider", "to-it", "to-unit"].iter().all(|stage| stages.contains(stage)));
    assert_eq!(notice["official_at"], "2026-11-21T01:00:00.000Z", "{notice:#}");
    assert_ne!(notice["stated_at"], notice["official_at"], "both are kept");
    site.verify();
}
