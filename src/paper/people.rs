//! The roster (使用人名冊) and the review of accounts (帳號清查) as forms. Both are a superset of what the regulations name;
//! neither has an official form.

use chrono_tz::Tz;

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::{
    domain::{
        accounts::Role,
        people::{AccountFault, AccountVerdict, Leaving},
        person::DEPUTY,
        time::Timestamp,
    },
    service::forms::{ReviewPage, Roster, RosterRow},
};

const ROSTER: [Column; 9] = [
    Column::short("序號", 4),
    Column::text("帳號", 10),
    Column::text("姓名及職稱", 14),
    Column::text("角色", 13),
    Column::text("職務及連結作業", 18),
    Column::text("申請、生效及廢止日期", 15),
    Column::short("最近使用", 9),
    Column::short("本年訓練時數", 7),
    Column::text("保密協定", 10),
];

const REVIEW: [Column; 8] = [
    Column::short("序號", 4),
    Column::text("帳號", 10),
    Column::text("姓名、職稱及單位", 20),
    Column::text("角色", 13),
    Column::short("生效日期", 9),
    Column::short("最近使用", 9),
    Column::text("清查類別", 14),
    Column::text("清查結果", 14),
];

/// The roster as a form: a section for each unit, vendors last.
#[must_use]
pub fn roster(roster: &Roster) -> Form {
    let zone = words::zone(&roster.source);
    let mut tables: Vec<Table> = Vec::new();
    let mut section = None;
    for row in &roster.rows {
        let vendor = row.roles.contains(&Role::Vendor);
        let of = (vendor, row.unit.clone());
        if section.as_ref() != Some(&of) || tables.is_empty() {
            let unit = row.unit.as_deref().unwrap_or("（未載單位）");
            let kind = if vendor { "委外廠商" } else { "單位" };
            let name = format!("{}、{kind}　{unit}", words::numeral(tables.len() + 1));
            tables.push(Table { name, columns: ROSTER.to_vec(), rows: Vec::new() });
            section = Some(of);
        }
        if let Some(table) = tables.last_mut() {
            let n = table.rows.len() + 1;
            table.rows.push(roster_cells(n, row, zone));
        }
    }
    if tables.is_empty() {
        tables
            .push(Table { name: "名冊".to_owned(), columns: ROSTER.to_vec(), rows: Vec::new() });
    }
    let active = roster.rows.iter().filter(|row| row.state == "active").count();
    Form {
        cover: None,
        agency: roster.source.agency.clone(),
        title: "使用人名冊".to_owned(),
        heads: vec![
            ("帳號總數".to_owned(), words::number(roster.rows.len() as u64)),
            ("有效帳號".to_owned(), words::number(active as u64)),
            ("製表時間".to_owned(), words::time(Some(roster.source.made_at), zone)),
        ],
        tables,
        seats: ["製表人", "帳號管理人", "單位主管"].map(seat).into(),
        notes: vec!["本表非規定所附表式；欄位含使用人名冊及帳號申請應載事項。".to_owned()],
        proof: words::proof(&roster.source),
        foot: words::foot(&roster.source),
        made_at: roster.source.made_at.to_string(),
        one_page: false,
    }
}

const fn seat(office: &'static str) -> Seat {
    Seat::blank(office)
}

fn roster_cells(n: usize, row: &RosterRow, zone: Tz) -> Vec<String> {
    let posts = row.posts.iter().map(|held| {
        let deputy = if held.deputy { DEPUTY } else { "" };
        format!("{}{deputy} {}", words::post(held.post), held.link.as_deref().unwrap_or("全部"))
    });
    let dated = |what: &str, at: Option<Timestamp>| {
        at.map(|at| format!("{what} {}", words::day(Some(at), zone)))
    };
    let mut dates: Vec<String> = dated("申請", row.applied).into_iter().collect();
    dates.extend(dated("生效", row.effective));
    if row.ended.is_some() {
        let why = row.ended_for.map(|why| format!("（{}）", fault(why))).unwrap_or_default();
        let what = if row.state == "suspended" { "暫停" } else { "廢止" };
        dates.push(format!("{what} {}{why}", words::day(row.ended, zone)));
    } else if row.leaves.is_some() {
        dates.push(format!("異動 {}", words::day(row.leaves, zone)));
    }
    let agreement = row
        .agreement
        .as_ref()
        .map(|number| format!("{number}\n至 {}", words::day(row.agreement_until, zone)));
    vec![
        n.to_string(),
        row.name.clone(),
        person(row, false),
        roles(row),
        posts.collect::<Vec<_>>().join("\n"),
        dates.join("\n"),
        words::day(row.last_act, zone),
        format!("{}.{}", row.training_minutes / 60, row.training_minutes % 60 / 6),
        agreement.unwrap_or_default(),
    ]
}

fn person(row: &RosterRow, with_unit: bool) -> String {
    let unit = if with_unit { row.unit.as_deref() } else { None };
    let parts = [row.display.as_deref(), row.title.as_deref(), unit];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

fn roles(row: &RosterRow) -> String {
    row.roles.iter().map(|role| words::role(*role)).collect::<Vec<_>>().join("、")
}

/// The review as a form.
#[must_use]
pub fn review(page: &ReviewPage) -> Form {
    let zone = words::zone(&page.source);
    let rows = page.accounts.iter().enumerate().map(|(n, line)| {
        let row = &line.account;
        let mut faults: Vec<String> =
            line.faults.iter().map(|one| fault(*one).to_owned()).collect();
        if !line.alike.is_empty() {
            faults.push(format!("同一人：{}", line.alike.join("、")));
        }
        let verdict = line.verdict.map_or_else(
            || "□續用 □暫停 □廢止".to_owned(),
            |one| {
                let why = line.reason.map(|why| format!("（{}）", fault(why)));
                format!("{}{}", verdict(one), why.unwrap_or_default())
            },
        );
        vec![
            (n + 1).to_string(),
            row.name.clone(),
            person(row, true),
            roles(row),
            words::day(row.effective, zone),
            words::day(row.last_act, zone),
            faults.join("、"),
            verdict,
        ]
    });
    let rows = rows.collect();
    let who = |who: &Option<String>, at| match who {
        Some(who) => format!("{who} {}", words::time(at, zone)),
        None => "（尚未辦理）".to_owned(),
    };
    let clauses: Vec<&str> = page.reviewers.iter().map(|one| one.clause.as_str()).collect();
    Form {
        agency: page.source.agency.clone(),
        title: "使用者帳號清查表".to_owned(),
        heads: vec![
            ("帳號數".to_owned(), words::number(page.accounts.len() as u64)),
            ("前次清查".to_owned(), who(&page.made_by, page.made)),
            ("前次確認".to_owned(), who(&page.confirmed_by, page.confirmed)),
            ("依據".to_owned(), clauses.join("、")),
            ("製表時間".to_owned(), words::time(Some(page.source.made_at), zone)),
        ],
        cover: None,
        tables: vec![Table { name: "帳號清查".to_owned(), columns: REVIEW.to_vec(), rows }],
        seats: ["清查人", "會同確認人", "單位主管"].map(seat).into(),
        notes: vec![
            "清查類別由系統依紀錄標示；結果以登錄簿所載簽章為準。本表非規定所附表式。".to_owned(),
        ],
        proof: words::proof(&page.source),
        foot: words::foot(&page.source),
        made_at: page.source.made_at.to_string(),
        one_page: false,
    }
}

/// Why somebody leaves a post.
pub(super) const fn leaving(why: Leaving) -> &'static str {
    match why {
        Leaving::Transferred => "職務調整",
        Leaving::Resigned => "離職",
        Leaving::Retired => "退休",
        Leaving::Replaced => "業務移交",
    }
}

const fn fault(fault: AccountFault) -> &'static str {
    match fault {
        AccountFault::Duplicate => "重複",
        AccountFault::Idle => "閒置",
        AccountFault::Transferred => "職務調整",
        AccountFault::Resigned => "離職",
        AccountFault::Retired => "退休",
        AccountFault::NoNeed => "無須使用",
    }
}

const fn verdict(verdict: AccountVerdict) -> &'static str {
    match verdict {
        AccountVerdict::Keep => "續用",
        AccountVerdict::Suspend => "暫停",
        AccountVerdict::Revoke => "廢止",
    }
}
