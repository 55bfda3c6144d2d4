//! The volume of a year: its cover, what was open when it began, and the sheet that closes it with its totals and with what
//! goes over into the next year.

use crate::{
    domain::{calendar, lifecycle::BatchState, serial},
    paper::{
        form::{Column, Cover, Table},
        words,
    },
    service::forms::{RegisterRow, RowState, Sheet},
};

const OPEN: [Column; 6] = [
    Column::short("序號", 8),
    Column::text("批次編號", 16),
    Column::text("使用單位", 14),
    Column::text("連結作業", 14),
    Column::text("狀態", 18),
    Column::short("銷毀期限", 10),
];

const TOTALS: [Column; 4] = [
    Column::text("項目", 30),
    Column::short("數量", 20),
    Column::text("項目", 30),
    Column::short("數量", 20),
];

/// The cover.
pub(super) fn cover(sheet: &Sheet, year: u16, own: &[&RegisterRow]) -> Cover {
    let zone = words::zone(&sheet.source);
    let span = match (own.first(), own.last()) {
        (Some(first), Some(last)) => format!("{}至{}", first.serial, last.serial),
        _ => "本年度無登記".to_owned(),
    };
    let lines = [
        ("起訖序號", span),
        ("本年度登記", format!("{} 列", words::number(own.len() as u64))),
        ("上年度未結移入", format!("{} 列", words::number(before(sheet, year).count() as u64))),
        ("未結移入下年度", format!("{} 列", words::number(after(sheet, year).count() as u64))),
        ("製表日期", calendar::roc_full(sheet.source.made_at, zone)),
    ];
    Cover {
        volume: format!("中華民國{year}年度"),
        lines: lines.map(|(label, value)| (label.to_owned(), value)).into(),
    }
}

/// What was open when the year began.
pub(super) fn carried_in(sheet: &Sheet, year: u16) -> Option<Table> {
    let rows: Vec<_> = before(sheet, year).map(|row| open(sheet, row)).collect();
    (!rows.is_empty()).then(|| Table {
        name: "上年度未結移入".to_owned(),
        columns: OPEN.to_vec(),
        rows,
    })
}

/// The closing sheet, and what goes over into the next year.
pub(super) fn closing(sheet: &Sheet, year: u16, own: &[&RegisterRow]) -> Vec<Table> {
    let count = |n: usize| words::number(n as u64);
    let of = |is: &dyn Fn(&RegisterRow) -> bool| count(own.iter().filter(|row| is(row)).count());
    // A batch that several units use has a row for each of them; its records came once.
    let mut seen = std::collections::BTreeSet::new();
    let once: Vec<_> =
        own.iter().filter(|row| row.batch.is_some_and(|batch| seen.insert(batch))).collect();
    let records: u64 = once.iter().filter_map(|row| row.counts.parsed).sum();
    let loaded: u64 = once.iter().filter_map(|row| row.counts.committed).sum();
    let last = serial::bounds(year).map(|(_, last)| last);
    let closed = |row: &RegisterRow| row.closed_at.is_some_and(|at| last.is_none_or(|l| at <= l));
    let rows = [
        ("上年度未結移入列數", count(before(sheet, year).count())),
        ("本年度登記列數", count(own.len())),
        ("本年度批次數", count(once.len())),
        ("實收資料筆數", words::number(records)),
        ("匯入資料筆數", words::number(loaded)),
        ("隔離中列數", of(&|row| row.state == RowState::Batch(BatchState::Quarantined))),
        ("本年度登記而已結案列數", of(&closed)),
        ("未結移入下年度列數", count(after(sheet, year).count())),
    ];
    let mut tables = vec![Table {
        name: format!("中華民國{year}年度結算表"),
        columns: TOTALS.to_vec(),
        rows: rows.chunks(2).map(beside).collect(),
    }];
    let open: Vec<_> = after(sheet, year).map(|row| open(sheet, row)).collect();
    if !open.is_empty() {
        let (name, columns) = ("未結移入下年度".to_owned(), OPEN.to_vec());
        tables.insert(0, Table { name, columns, rows: open });
    }
    tables
}

/// Totals side by side.
fn beside(totals: &[(&str, String)]) -> Vec<String> {
    totals.iter().flat_map(|(what, n)| [(*what).to_owned(), n.clone()]).collect()
}

/// Whether the year is over.
pub(super) fn note(sheet: &Sheet, year: u16) -> Option<String> {
    let over = serial::bounds(year).is_some_and(|(_, last)| sheet.source.made_at > last);
    (!over).then(|| "本年度尚未終了，本冊為截至製表時間之暫結。".to_owned())
}

/// Rows of earlier years that were open when this one began: the agent sends no others.
fn before(sheet: &Sheet, year: u16) -> impl Iterator<Item = &RegisterRow> {
    sheet.rows.iter().filter(move |row| row.serial.year < year)
}

/// Rows that were open when the year ended.
fn after(sheet: &Sheet, year: u16) -> impl Iterator<Item = &RegisterRow> {
    let last = serial::bounds(year).map(|(_, last)| last);
    let open =
        move |row: &&RegisterRow| row.closed_at.is_none_or(|at| last.is_some_and(|last| at > last));
    sheet.rows.iter().filter(open)
}

fn open(sheet: &Sheet, row: &RegisterRow) -> Vec<String> {
    let zone = words::zone(&sheet.source);
    let state = match row.closed_at {
        Some(at) => format!("{}結案", calendar::roc_day(at, zone)),
        None => words::row_state(row),
    };
    vec![
        row.serial.to_string(),
        words::numbers(row),
        row.unit.clone().unwrap_or_default(),
        format!("{}\n{}", row.link, row.title),
        state,
        words::day(row.deadline, zone),
    ]
}
