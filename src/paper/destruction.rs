//! The destruction record of one batch (銷毀紀錄) as a form.

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::{
    domain::{calendar, lifecycle::OrderState, people::Post},
    service::forms::{DestructionRecord, StaffLine},
};

const ORDERS: [Column; 7] = [
    Column::short("銷毀案號", 10),
    Column::short("狀態", 8),
    Column::text("事由", 22),
    Column::text("簽報人及日期", 16),
    Column::text("核定人及日期", 16),
    Column::short("案內複本數", 7),
    Column::text("銷毀紀錄證明", 21),
];

const COPIES: [Column; 8] = [
    Column::short("複本", 10),
    Column::short("種類", 8),
    Column::short("位元組數", 10),
    Column::text("SHA-256", 22),
    Column::short("儲存媒體", 8),
    Column::text("銷毀方法及驗證", 20),
    Column::short("銷毀時間", 11),
    Column::short("登記序號", 7),
];

/// The form of a record, with who holds the posts of its link.
#[must_use]
pub fn form(record: &DestructionRecord, staff: &[StaffLine]) -> Form {
    let (zone, row) = (words::zone(&record.source), &record.row);
    let pair = |label: &str, value: String| (label.to_owned(), value);
    let approved = record.orders.iter().rev().find(|order| order.approved.is_some());
    let seal = |of: Option<&crate::service::forms::Seal>| of.map(|one| words::seal(one, zone));
    let lowest = record.copies.iter().filter_map(|copy| copy.assurance).min();
    let heads = vec![
        pair("批次", words::batch(row)),
        pair("資料表號", format!("{} {}", row.table_no, row.title)),
        pair("提供機關", row.provider.clone()),
        pair("資料筆數", row.counts.parsed.map(words::number).unwrap_or_default()),
        pair("狀態", words::row_state(row)),
        pair("銷毀期限", words::day(row.deadline, zone)),
        pair("銷毀日期", words::day(row.destroyed_at, zone)),
        pair(
            "無法復原確認",
            lowest
                .filter(|_| row.destroyed_at.is_some())
                .map(words::recovery)
                .unwrap_or("")
                .to_owned(),
        ),
        pair("製表時間", calendar::roc_time(record.source.made_at, zone)),
    ];
    let seat = |office: &'static str, signed| Seat { signed, ..Seat::blank(office) };
    let supervisors = words::holders(staff, Post::Supervisor);
    Form {
        agency: record.source.agency.clone(),
        title: "戶役政資料銷毀紀錄".to_owned(),
        heads,
        cover: None,
        tables: vec![orders(record), copies(record)],
        seats: vec![
            seat("簽報人", seal(approved.and_then(|order| order.requested.as_ref()))),
            Seat {
                held_by: supervisors,
                ..seat("單位主管核定", seal(approved.and_then(|order| order.approved.as_ref())))
            },
            seat("執行人", row.destroyed_at.map(|at| format!("代理程式（batchward）\n{}", calendar::roc_time(at, zone)))),
            seat("會同（監毀）人", witnesses(record)),
            seat("函報文號", None),
        ],
        notes: vec![
            "「確認無法復原」僅用於媒體上始終只有密文且金鑰已銷毀者（L3、L4）；其餘等級如實記載，不作推定。".to_owned(),
        ],
        proof: words::proof(&record.source),
        foot: words::foot(&record.source),
        made_at: record.source.made_at.to_string(),
        one_page: false,
    }
}

/// Who vouched for what people destroyed; blank for ink where nobody had to.
fn witnesses(record: &DestructionRecord) -> Option<String> {
    let ends = record.copies.iter().filter_map(|copy| copy.by_people.as_ref());
    let mut names: Vec<&str> = ends.map(|end| end.witness.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    (!names.is_empty()).then(|| names.join("\n"))
}

fn orders(record: &DestructionRecord) -> Table {
    let zone = words::zone(&record.source);
    let rows = record.orders.iter().map(|order| {
        let seal =
            |of: &Option<_>| of.as_ref().map(|one| words::seal(one, zone)).unwrap_or_default();
        vec![
            order.order.to_string(),
            words::order(order.state).to_owned(),
            words::cause(&order.reason),
            seal(&order.requested),
            seal(&order.approved),
            words::number(order.copies),
            match (&order.certificate, order.state) {
                (Some(digest), _) => format!("SHA-256 {digest}"),
                (None, OrderState::Requested) => {
                    format!("{}前未核定即失效", calendar::roc_day(order.expires, zone))
                }
                (None, _) => String::new(),
            },
        ]
    });
    Table { name: "簽報及核定".to_owned(), columns: ORDERS.to_vec(), rows: rows.collect() }
}

fn copies(record: &DestructionRecord) -> Table {
    let zone = words::zone(&record.source);
    let rows = record.copies.iter().map(|copy| {
        let method = match (&copy.by_people, copy.assurance) {
            (Some(end), _) => {
                let (method, place) = (words::method(end.method), &end.place);
                format!("{method}（{place}）\n執行 {}、會同 {}", end.performer, end.witness)
            }
            (None, Some(level)) => words::assurance(level),
            (None, None) => words::copy_state(copy.state).to_owned(),
        };
        let medium = match &copy.by_people {
            Some(end) => {
                let serial = end.serial.as_deref().unwrap_or_default();
                format!("{}\n{serial}", words::medium(end.medium)).trim_end().to_owned()
            }
            None => copy.medium.clone().unwrap_or_default(),
        };
        vec![
            copy.copy.to_string(),
            words::copy_kind(&copy.kind).to_owned(),
            words::number(copy.bytes),
            copy.sha256.map(|digest| digest.to_string()).unwrap_or_default(),
            medium,
            method,
            words::time(copy.wiped_at, zone),
            copy.entry.map(|entry| entry.to_string()).unwrap_or_default(),
        ]
    });
    Table { name: "各複本之銷毀".to_owned(), columns: COPIES.to_vec(), rows: rows.collect() }
}
