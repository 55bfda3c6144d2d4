//! 核對表: what differs between accounts and a list of staff, or between queries and a list of cases.

use super::{
    form::{Column, Form, Seat, Table},
    use_report::period,
    words,
};
use crate::{
    domain::{audits::ReportKind, calendar},
    service::forms::Reconciliation,
};

const COLUMNS: [Column; 5] = [
    Column::short("序號", 6),
    Column::text("差異", 30),
    Column::text("帳號或案號", 26),
    Column::text("說明", 22),
    Column::text("查核結果", 16),
];

/// The form of a reconciliation.
#[must_use]
pub fn form(found: &Reconciliation) -> Form {
    let zone = words::zone(&found.source);
    let title = match found.kind {
        ReportKind::Staff => "帳號與人員清冊核對表",
        _ => "查詢紀錄與案件清冊核對表",
    };
    let rows = (1_u64..).zip(&found.rows).map(|(n, row)| {
        let (code, name, detail) = (said(&row.code), row.name.clone(), row.detail.clone());
        vec![n.to_string(), code.to_owned(), name, detail, String::new()]
    });
    let mut heads = vec![("期間".to_owned(), period(&found.period))];
    heads.extend(
        found.counts.iter().map(|(code, count)| (said(code).to_owned(), words::number(*count))),
    );
    heads.push(("製表時間".to_owned(), calendar::roc_time(found.source.made_at, zone)));
    Form {
        agency: found.source.agency.clone(),
        title: title.to_owned(),
        heads,
        cover: None,
        tables: vec![Table {
            name: title.to_owned(),
            columns: COLUMNS.to_vec(),
            rows: rows.collect(),
        }],
        seats: ["製表（稽核人）", "核閱"].map(Seat::blank).into(),
        notes: vec![
            "本表載有案號，由稽核人自行保管及銷毀；其雜湊值及各類筆數登錄於登記簿。".to_owned(),
        ],
        proof: words::proof(&found.source),
        foot: words::foot(&found.source),
        made_at: found.source.made_at.to_string(),
        one_page: false,
    }
}

fn said(code: &str) -> &str {
    match code {
        "accounts" => "現行帳號數",
        "staff" => "清冊人數",
        "queries" => "查詢次數",
        "cases" => "清冊案件數",
        "account-without-staff" => "帳號不在人員清冊",
        "left-but-active" => "已離職或異動而帳號仍有效",
        "other-unit" => "單位不符",
        "query-without-case" => "查詢案號不在案件清冊",
        "outside-the-case" => "查詢不在案件辦理期間",
        "case-without-query" => "案件無查詢紀錄",
        "unreadable" => "金鑰已銷毀而無法核對之日誌筆數",
        other => other,
    }
}
