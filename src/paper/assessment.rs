//! 附件二 as a form: 連結機關應用戶役政資訊連結作業稽核自我評審表, in its own order and wording, and the plans of two years.

use super::{
    form::{Column, Form, Table},
    use_report::period,
    words,
};
use crate::{
    domain::{
        audits::{AuditKind, AuditState, Verdict},
        calendar,
    },
    service::forms::{Assessment, Item, PlanRow},
};

const TITLE: &str = "連結機關應用戶役政資訊連結作業稽核自我評審表";

/// The columns of the form.
pub const COLUMNS: [Column; 3] = [
    Column::text("稽核項目", 46),
    Column::short("自我評審", 12),
    Column::text("自我評審佐證資料", 42),
];

const PLANS: [Column; 8] = [
    Column::short("編號", 10),
    Column::short("種類", 10),
    Column::short("期間", 14),
    Column::text("受稽核對象", 18),
    Column::text("稽核人", 14),
    Column::short("日期", 10),
    Column::text("文號", 16),
    Column::short("辦理情形", 14),
];

/// The form of an assessment.
#[must_use]
pub fn form(assessment: &Assessment) -> Form {
    let source = &assessment.source;
    let zone = words::zone(source);
    let mut rows = Vec::new();
    let mut group: Option<&str> = None;
    for item in &assessment.items {
        if item.group.as_deref() != group {
            group = item.group.as_deref();
            rows.extend(group.map(|group| vec![group.to_owned(), String::new(), String::new()]));
        }
        let evidence = item.evidence.clone().unwrap_or_default();
        rows.push(vec![item.wording.clone(), boxes(item), evidence]);
    }
    let plans = assessment.plans.iter().map(|row| plan(row, zone)).collect();
    Form {
        agency: source.agency.clone(),
        title: TITLE.to_owned(),
        heads: vec![
            ("受稽核機關(單位)".to_owned(), source.agency.clone()),
            ("自評人員".to_owned(), "　　　　　　".to_owned()),
            ("自評日期".to_owned(), calendar::roc_full(assessment.on, zone)),
        ],
        cover: None,
        tables: vec![
            Table { name: "附件二".to_owned(), columns: COLUMNS.to_vec(), rows },
            Table { name: "近二年稽核計畫".to_owned(), columns: PLANS.to_vec(), rows: plans },
        ],
        seats: Vec::new(),
        notes: vec![
            "備註：執行稽核機關（單位）得衡量個別需求，調整本表欄位及內容使（規定公布之文字至此中斷）".to_owned(),
            "已勾選者為登記簿所能證明，並載明依據；未勾選者由自評人員評審。項目、文字及編號依規定原文（無第 4 項第 5 款；第 2 項第 12 款無勾選欄）。".to_owned(),
        ],
        proof: words::proof(source),
        foot: words::foot(source),
        made_at: source.made_at.to_string(),
        one_page: false,
    }
}

fn boxes(item: &Item) -> String {
    if !item.boxes {
        return String::new();
    }
    let row = |verdict: Verdict, title: &str| {
        format!("{}{title}", if item.verdict == Some(verdict) { "■" } else { "□" })
    };
    [
        row(Verdict::Conforms, "符合"),
        row(Verdict::Fails, "不符合"),
        row(Verdict::NotApplicable, "不適用"),
    ]
    .join("\n")
}

fn plan(row: &PlanRow, zone: chrono_tz::Tz) -> Vec<String> {
    let state = match row.state {
        AuditState::Planned => "已排定",
        AuditState::Recorded => "已辦理，待簽署",
        AuditState::Signed => "已辦理並簽署",
    };
    let entry = row.entry.map(|entry| format!("\n登記簿第 {entry} 筆")).unwrap_or_default();
    vec![
        row.audit.clone(),
        kind(row.kind).to_owned(),
        period(&row.period),
        row.of.clone(),
        row.by.join("、"),
        words::day(row.on, zone),
        row.doc_no.clone().unwrap_or_default(),
        format!("{state}{entry}"),
    ]
}

const fn kind(kind: AuditKind) -> &'static str {
    match kind {
        AuditKind::Internal => "內部稽核",
        AuditKind::External => "外部稽核",
        AuditKind::Vendor => "廠商稽核",
        AuditKind::Files => "調卷稽核",
        AuditKind::Unannounced => "無預警稽核",
    }
}
