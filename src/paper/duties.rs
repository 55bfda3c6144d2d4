//! The list that is handed over when a custodian changes (移交清冊) as a form.

use super::{
    form::{Column, Form, Seat, Table},
    owed, words,
};
use crate::{
    domain::{
        calendar,
        entry::{HoldScope, KeyForm},
    },
    service::forms::DutyList,
};

const BATCHES: [Column; 9] = [
    Column::short("序號", 4),
    Column::text("批次編號", 13),
    Column::text("連結作業", 14),
    Column::text("狀態", 14),
    Column::short("收檔時間", 9),
    Column::short("匯入筆數", 7),
    Column::short("現存複本", 6),
    Column::short("核准使用期限", 8),
    Column::short("銷毀期限", 8),
];

const KEYS: [Column; 6] = [
    Column::short("序號", 4),
    Column::short("金鑰編號", 10),
    Column::text("連結作業及批次", 20),
    Column::short("種類", 8),
    Column::text("送達方式", 14),
    Column::text("登錄人及時間", 16),
];

const CASES: [Column; 5] = [
    Column::short("序號", 4),
    Column::short("編號", 10),
    Column::text("種類及狀態", 16),
    Column::text("事由／依據", 30),
    Column::short("期限", 10),
];

const COPIES: [Column; 7] = [
    Column::short("序號", 4),
    Column::text("複本及批次", 13),
    Column::text("種類及媒體", 14),
    Column::text("序號及型號", 15),
    Column::text("存放處所及上鎖方式", 20),
    Column::text("保管人", 12),
    Column::text("狀態及期限", 16),
];

const DUTIES: [Column; 5] = [
    Column::short("序號", 4),
    Column::text("待辦事項", 26),
    Column::text("對象", 22),
    Column::text("承辦角色", 18),
    Column::short("起始時間", 10),
];

/// The form of a list.
#[must_use]
pub fn form(list: &DutyList) -> Form {
    let zone = words::zone(&list.source);
    let seat = Seat::blank;
    let mut notes = vec![
        "金鑰本身僅存於金鑰庫，不列印、不移交；移交者為保管責任。接收人之帳號及權限另依規定於異動前或當日設定。".to_owned(),
    ];
    if !list.access_keys.is_empty() {
        let months: Vec<String> =
            list.access_keys.iter().map(|key| format!("{} {}", key.link, key.month)).collect();
        notes.push(format!("存取日誌之封存金鑰：{}。", months.join("、")));
    }
    let left = list.duties_total.saturating_sub(list.duties.len() as u64);
    if left > 0 {
        notes.push(format!("待辦事項另有 {} 項，見 batchward status。", words::number(left)));
    }
    Form {
        agency: list.source.agency.clone(),
        title: "戶役政資料保管業務移交清冊".to_owned(),
        heads: vec![
            ("未結批次".to_owned(), words::number(list.batches.len() as u64)),
            ("保管中金鑰".to_owned(), words::number(list.keys.len() as u64)),
            ("人員保管之複本".to_owned(), words::number(list.copies.len() as u64)),
            ("未結案件".to_owned(), words::number((list.orders.len() + list.holds.len()) as u64)),
            ("待辦事項".to_owned(), words::number(list.duties_total)),
            ("清冊摘要".to_owned(), list.digest.to_string()),
            ("製表時間".to_owned(), calendar::roc_time(list.source.made_at, zone)),
        ],
        cover: None,
        tables: vec![batches(list), keys(list), cases(list), duties(list), copies(list)],
        seats: ["移交人", "接收人", "監交人", "單位主管"].map(seat).into(),
        notes,
        proof: words::proof(&list.source),
        foot: words::foot(&list.source),
        made_at: list.source.made_at.to_string(),
        one_page: false,
    }
}

/// Rows with their serial numbers; a table without any says so.
fn table(name: &str, columns: &[Column], rows: impl Iterator<Item = Vec<String>>) -> Table {
    let numbered = (1_u64..).zip(rows).map(|(n, row)| [vec![n.to_string()], row].concat());
    Table::listed(name, columns, numbered.collect())
}

fn batches(list: &DutyList) -> Table {
    let zone = words::zone(&list.source);
    let rows = list.batches.iter().map(|row| {
        let mut state = words::state(row.state).to_owned();
        if let Some(reason) = row.reason {
            state = format!("{state}（{}）", words::reason(reason));
        }
        if let Some(hold) = row.hold {
            state = format!("{state}\n暫緩銷毀 {hold}");
        }
        vec![
            format!("{}\n{}", row.number.as_deref().unwrap_or("（無編號）"), row.batch),
            format!("{}\n{}", row.link, row.title),
            state,
            words::time(row.received_at, zone),
            row.records.map(words::number).unwrap_or_default(),
            words::number(row.copies),
            words::day(row.use_until, zone),
            words::day(row.deadline, zone),
        ]
    });
    table("一、未結批次", &BATCHES, rows)
}

fn keys(list: &DutyList) -> Table {
    let zone = words::zone(&list.source);
    let rows = list.keys.iter().map(|key| {
        vec![
            key.key.to_string(),
            format!("{}\n{}", key.link, key.number),
            match key.form {
                KeyForm::Identity => "金鑰檔",
                KeyForm::Passphrase => "通行碼",
            }
            .to_owned(),
            words::channel(&key.channel),
            format!("{}\n{}", key.by, calendar::roc_time(key.at, zone)),
        ]
    });
    table("二、保管中金鑰", &KEYS, rows)
}

/// What people keep is handed over piece by piece.
fn copies(list: &DutyList) -> Table {
    let zone = words::zone(&list.source);
    let rows = list.copies.iter().map(|copy| {
        let facts = copy.facts.as_ref();
        let lines = |parts: [Option<&String>; 3]| {
            parts.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
        };
        let medium = copy.medium.map(words::medium).unwrap_or_default();
        let mut state = words::copy_state(copy.state).to_owned();
        if copy.unapproved {
            state.push_str("\n未經核准");
        }
        if let Some(date) = copy.delete_by {
            state = format!("{state}\n{}前銷毀", words::day(Some(date), zone));
        }
        vec![
            format!("{}\n{}", copy.id, copy.batch),
            format!("{}\n{medium}", words::copy_kind(&copy.kind)),
            facts.map_or_else(String::new, |facts| {
                lines([facts.serial.as_ref(), facts.model.as_ref(), facts.property_no.as_ref()])
            }),
            facts.map_or_else(String::new, |facts| {
                lines([Some(&facts.place), facts.lock.as_ref(), None])
            }),
            facts.map_or_else(String::new, |facts| facts.holder.clone()),
            state,
        ]
    });
    table("五、人員保管之複本", &COPIES, rows)
}

fn cases(list: &DutyList) -> Table {
    let zone = words::zone(&list.source);
    let orders = list.orders.iter().map(|order| {
        vec![
            order.order.to_string(),
            format!("銷毀案　{}", words::order(order.state)),
            format!("{}（簽報：{}）", words::cause(&order.reason), order.by),
            calendar::roc_day(order.expires, zone),
        ]
    });
    let holds = list.holds.iter().map(|hold| {
        let scope = match &hold.scope {
            HoldScope::Batch(batch) => batch.to_string(),
            HoldScope::Link(link) => link.clone(),
            HoldScope::All => "全部".to_owned(),
        };
        vec![
            hold.hold.to_string(),
            format!("暫緩銷毀　{scope}"),
            format!("{} {}", hold.authority, hold.doc_no),
            calendar::roc_day(hold.review, zone),
        ]
    });
    table("三、未結案件", &CASES, orders.chain(holds))
}

fn duties(list: &DutyList) -> Table {
    let zone = words::zone(&list.source);
    let rows = list.duties.iter().map(|duty| {
        let roles: Vec<&str> = duty.roles.iter().map(|role| words::role(*role)).collect();
        let object = match &duty.number {
            Some(number) => format!("{number}\n{}", duty.object),
            None => duty.object.clone(),
        };
        vec![
            words::duty(duty.code).to_owned(),
            object,
            match owed::people(&duty.people) {
                Some(people) => format!("{}\n{people}", roles.join("、")),
                None => roles.join("、"),
            },
            words::time(duty.since, zone),
        ]
    });
    table("四、待辦事項", &DUTIES, rows)
}
