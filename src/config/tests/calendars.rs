//! Calendars of working days beside the policies.

use super::{super::inforce, Site, templates};

fn site() -> Site {
    let site = Site::new();
    std::fs::create_dir(site.path("policies/calendars")).unwrap();
    site.mode("policies/calendars", 0o700);
    site
}

#[test]
fn every_calendar_that_is_shipped_loads() {
    let site = site();
    for (year, text) in templates::CALENDARS {
        site.write(&format!("policies/calendars/{year}.csv"), text);
    }
    site.write("policies/calendars/README.md", templates::CALENDARS_README);
    let config = site.load().unwrap();
    for year in [2019, 2020, 2022, 2023, 2024, 2025, 2026, 2027] {
        assert!(config.working.knows(year), "{year}");
    }
    assert!(!config.working.knows(2021) && !config.working.knows(2028));
}

#[test]
fn a_fault_of_a_calendar_has_its_file_line_and_column() {
    let site = site();
    let (_, good) = templates::CALENDARS[6];
    site.write("policies/calendars/115.csv", good.replacen("20260305,四", "20260305,五", 1));
    site.write("policies/calendars/2026.csv", good);
    site.write("policies/calendars/big5.csv", b"\xA6\xE8\xA4\xB8");
    let faults = site.faults();
    let line = "a line is 'yyyymmdd,weekday,0 or 2,remark', such as '20260101,四,2,開國紀念日'; download the file again \
                from data.gov.tw/dataset/14718";
    assert_eq!(
        faults,
        [
            format!("policies/calendars/115.csv:65:10: 2026-03-05 is a '四'\n    hint: {line}"),
            "policies/calendars/big5.csv:1:1: the file is not UTF-8\n    hint: save it as UTF-8 (in a Windows editor: \
             'UTF-8', not 'ANSI' or 'Big5')"
                .to_owned(),
        ]
    );
    site.write("policies/calendars/115.csv", good);
    std::fs::remove_file(site.path("policies/calendars/big5.csv")).unwrap();
    assert_eq!(
        site.faults(),
        [
            "policies/calendars/2026.csv: the year 2026 stands in '115.csv' already\n    hint: keep one of them"
        ]
    );
}

#[test]
fn a_calendar_waits_for_a_second_person_and_is_kept_with_what_was_agreed_to() {
    let site = site();
    let before = site.load().unwrap();
    let (_, text) = templates::CALENDARS[6];
    site.write("policies/calendars/115.csv", text);
    let found = site.load().unwrap();
    let compared = inforce::compare(&before, &found);
    assert!(compared.tightened.is_empty());
    assert!(!compared.effective.working.knows(2026), "not before it is confirmed");
    let pending: Vec<_> =
        compared.pending.iter().map(|c| (c.file.as_str(), c.code.as_str())).collect();
    assert_eq!(pending, [("policies/calendars/115.csv", "calendar-added")]);
    let digest = inforce::keep(&found.agent.state, &found.files).unwrap();
    let kept = inforce::kept(&found.agent, digest).unwrap();
    assert_eq!(kept.working, found.working);
    assert!(inforce::compare(&kept, &found).pending.is_empty());
    site.write("policies/calendars/115.csv", text.replacen("20260102,五,0", "20260102,五,2", 1));
    let codes = |to: &super::super::Config| -> Vec<String> {
        inforce::compare(&kept, to).pending.into_iter().map(|change| change.code).collect()
    };
    assert_eq!(codes(&site.load().unwrap()), ["calendar-changed"]);
    assert_eq!(codes(&before), ["calendar-removed"]);
}
