//! The history of a batch as a form (批次履歷表): everything that the register says of it, in order.

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::{
    domain::{calendar, entry::AGENT, people::Post},
    service::forms::{BatchHistory, StaffLine},
};

const COLUMNS: [Column; 4] = [
    Column::short("登記序號", 7),
    Column::short("時間", 12),
    Column::text("經辦", 26),
    Column::text("事項", 55),
];

/// The form, with who holds the posts of its link. What happened stands in it as it was handed over: in Chinese, on paper.
#[must_use]
pub fn form(history: &BatchHistory, staff: &[StaffLine]) -> Option<Form> {
    let (zone, row) = (words::zone(&history.source), history.rows.first()?);
    let pair = |label: &str, value: String| (label.to_owned(), value);
    let serials: Vec<String> = history
        .rows
        .iter()
        .map(|row| match &row.unit {
            Some(unit) => format!("{}（{unit}）", row.serial),
            None => row.serial.to_string(),
        })
        .collect();
    let state = words::row_state(row);
    let events = history.events.iter().map(|line| {
        let by = match &line.person {
            Some(seal) => words::person_in_line(seal),
            None if line.by == AGENT => "代理程式".to_owned(),
            None => line.by.clone(),
        };
        let at = calendar::roc_time(line.at, zone);
        vec![line.entry.to_string(), at, by, line.what.clone()]
    });
    Some(Form {
        agency: history.source.agency.clone(),
        title: "批次履歷表".to_owned(),
        heads: vec![
            pair("批次", words::batch(row)),
            pair("登記簿序號", serials.join("、")),
            pair("資料表號", format!("{} {}", row.table_no, row.title)),
            pair("提供機關", row.provider.clone()),
            pair("資料筆數", row.counts.parsed.map(words::number).unwrap_or_default()),
            pair("狀態", state),
            pair("銷毀期限", words::day(row.deadline, zone)),
            pair("製表時間", calendar::roc_time(history.source.made_at, zone)),
        ],
        cover: None,
        tables: vec![Table {
            name: "批次履歷".to_owned(),
            columns: COLUMNS.to_vec(),
            rows: events.collect(),
        }],
        seats: vec![
            Seat::blank("製表人"),
            Seat::of("單位主管", words::holders(staff, Post::Supervisor)),
        ],
        notes: vec!["本表由登記簿推得，非規定所附表式；全文見登記簿各該序號。".to_owned()],
        // One page: where it comes from stands at its foot.
        proof: Vec::new(),
        foot: words::foot(&history.source),
        made_at: history.source.made_at.to_string(),
        one_page: true,
    })
}
