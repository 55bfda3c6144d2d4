//! 附件一 as a form: the main sheet with the ten columns of TPH-5.5 in their order, and two annexes keyed by its serial
//! number with ours (REGULATIONS 2f; one page cannot hold them all).

use chrono_tz::Tz;

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::{
    domain::{calendar, entry::PaperFacts, lifecycle::CopyState},
    service::forms::{EndByPeople, RegisterRow, Sheet},
};

/// Where the policies of the rows give no common title.
const TITLE: &str = "戶役政資料傳輸與刪除紀錄表";

/// Serial number, the ten columns of TPH-5.5 in its order, remarks.
pub const MAIN: [Column; 12] = [
    Column::short("序號", 4),
    Column::short("提供機關通知時間", 8),
    Column::short("資料筆數", 6),
    Column::text("使用目的", 10),
    Column::text("依據公文文號", 11),
    Column::text("業務單位承辦人", 11),
    Column::text("業務單位承辦人取得資料方式", 10),
    Column::text("資訊室承辦人", 11),
    Column::text("比對狀況", 11),
    Column::text("業務單位主管", 11),
    Column::short("銷毀日期", 7),
    Column::text("備註", 13),
];

const USE: [Column; 11] = [
    Column::short("序號", 4),
    Column::text("批次編號", 12),
    Column::text("資料表號", 10),
    Column::text("提供機關", 10),
    Column::text("交付名稱", 12),
    Column::short("申請筆數", 6),
    Column::text("收檔時間", 8),
    Column::text("匯入時間", 8),
    Column::text("核准使用期限", 8),
    Column::text("複製核准文號", 10),
    Column::text("密碼送達方式", 8),
];

const END: [Column; 12] = [
    Column::short("序號", 4),
    Column::text("簽報人及日期", 10),
    Column::text("核定人及日期", 10),
    Column::short("銷毀案號", 8),
    Column::short("銷毀期限", 7),
    Column::text("銷毀方法", 15),
    Column::text("銷毀地點／媒體序號", 8),
    Column::text("執行人", 8),
    Column::text("會同（監毀）人", 8),
    Column::text("無法復原確認", 9),
    Column::text("函報文號", 8),
    Column::text("佐證附件", 9),
];

/// The form of a sheet.
#[must_use]
pub fn form(sheet: &Sheet) -> Form {
    let zone = words::zone(&sheet.source);
    let rows = || (1..).zip(&sheet.rows);
    let table = |name: &str, columns: &[Column], rows: Vec<Vec<String>>| Table {
        name: name.to_owned(),
        columns: columns.to_vec(),
        rows,
    };
    Form {
        agency: sheet.source.agency.clone(),
        title: sheet.title.clone().unwrap_or_else(|| TITLE.to_owned()),
        heads: heads(sheet, zone),
        tables: vec![
            table("登記表", &MAIN, rows().map(|(n, row)| main(n, row, zone)).collect()),
            table("附表一　收檔及使用", &USE, rows().map(|(n, row)| usage(n, row, zone)).collect()),
            table(
                "附表二　銷毀",
                &END,
                rows().map(|(n, row)| end(n, row, zone, &sheet.source.origin)).collect(),
            ),
        ],
        seats: ["製表人", "業務單位承辦人", "資訊室承辦人", "業務單位主管"]
            .map(|office| Seat { office, signed: None })
            .into(),
        notes: notes(sheet),
        proof: words::proof(&sheet.source),
        foot: words::foot(&sheet.source),
        made_at: sheet.source.made_at.to_string(),
    }
}

fn heads(sheet: &Sheet, zone: Tz) -> Vec<(String, String)> {
    let filter = &sheet.filter;
    let day = |at| calendar::roc_full(at, zone);
    let period = match (filter.from, filter.to) {
        (None, None) => {
            let first = sheet.rows.iter().map(|row| row.received_at).min();
            let first = first.unwrap_or(sheet.source.made_at);
            format!("{}至{}（全部）", day(first), day(sheet.source.made_at))
        }
        (Some(from), None) => format!("{}至{}", day(from), day(sheet.source.made_at)),
        (None, Some(to)) => format!("至{}止", day(to)),
        (Some(from), Some(to)) => format!("{}至{}", day(from), day(to)),
    };
    let mut heads = vec![("期間".to_owned(), period)];
    if let Some(link) = &filter.link {
        heads.push(("連結作業".to_owned(), link.clone()));
    }
    if let Some(batch) = filter.batch {
        heads.push(("批次".to_owned(), batch.to_string()));
    }
    heads.push(("批次數".to_owned(), words::number(sheet.rows.len() as u64)));
    heads.push(("製表時間".to_owned(), calendar::roc_time(sheet.source.made_at, zone)));
    heads
}

fn notes(sheet: &Sheet) -> Vec<String> {
    let mut notes = vec![
        "姓名、時間及金鑰指紋取自登記簿內經簽署之紀錄；空白處供核章。登記簿內更正以新登記為之，不塗改原登記。".to_owned(),
    ];
    if sheet.rows.iter().any(|row| row.delivery.is_none()) {
        notes.push("交付名稱隨批次銷毀後不再留存，以「已銷毀」註明。".to_owned());
    }
    notes
}

fn main(serial: u64, row: &RegisterRow, zone: Tz) -> Vec<String> {
    vec![
        serial.to_string(),
        words::time(row.notified_at, zone),
        records(row),
        row.purpose.clone(),
        row.basis_doc_no.clone(),
        words::seals(&row.handlers, zone),
        acquisition(row),
        words::seals(&row.it_handlers, zone),
        comparison(row),
        words::seals(&row.supervisors, zone),
        words::day(row.destroyed_at, zone),
        remarks(row),
    ]
}

/// What was received; what was stated, while it has not been counted.
fn records(row: &RegisterRow) -> String {
    match (row.counts.parsed, row.counts.declared) {
        (Some(parsed), _) => words::number(parsed),
        (None, Some(declared)) => format!("{}\n（通知）", words::number(declared)),
        (None, None) => String::new(),
    }
}

fn acquisition(row: &RegisterRow) -> String {
    let way = match row.strength.as_deref() {
        None => return String::new(),
        Some("by-hand") => "磁性媒體交換",
        Some(_) => "檔案傳輸",
    };
    let sure = row.strength.as_deref().map(words::strength).unwrap_or_default();
    format!("{way}\n{sure}；匯入後於系統內依核准使用案查詢")
}

fn comparison(row: &RegisterRow) -> String {
    let part = |name: &str, n: Option<u64>| n.map(|n| format!("{name}{}", words::number(n)));
    let counts = [
        part("通知", row.counts.declared),
        part("實收", row.counts.parsed),
        part("匯入", row.counts.committed),
        part("剔退", row.counts.rejected.filter(|n| *n > 0)),
    ];
    let counts = counts.into_iter().flatten().collect::<Vec<_>>().join("、");
    match (row.loaded_at, row.reason) {
        (Some(_), _) => format!("相符\n{counts}"),
        (None, Some(reason)) => {
            let counts = if counts.is_empty() { counts } else { format!("\n{counts}") };
            format!("{}{counts}", words::reason(reason))
        }
        (None, None) => counts,
    }
}

fn remarks(row: &RegisterRow) -> String {
    let mut remarks = vec![match row.reason {
        Some(reason) => format!("{}（{}）", words::state(row.state), words::reason(reason)),
        None => words::state(row.state).to_owned(),
    }];
    if let Some(hold) = row.hold {
        remarks.push(format!("暫緩銷毀 {hold}"));
    }
    if row.purpose_differs {
        remarks.push("提供機關所載使用目的與核准不同".to_owned());
    }
    if row.basis_differs {
        remarks.push("提供機關所載文號與核准不同".to_owned());
    }
    let gone = |copy: &&crate::service::forms::CopyEnd| copy.state == CopyState::Destroyed;
    let transfer = || row.copies.iter().filter(|copy| copy.kind == "transfer");
    if row.destroyed_at.is_none() && transfer().next().is_some() && transfer().all(|c| gone(&c)) {
        remarks.push("交付檔已先銷毀".to_owned());
    }
    remarks.join("\n")
}

fn usage(serial: u64, row: &RegisterRow, zone: Tz) -> Vec<String> {
    let number = row.number.as_deref().unwrap_or("（無編號）");
    let kind = match (row.kind.as_deref(), row.sequence) {
        (Some("full"), _) => "全檔".to_owned(),
        (Some(_), Some(sequence)) => format!("異動檔第{sequence}號"),
        _ => String::new(),
    };
    vec![
        serial.to_string(),
        format!("{number}\n{}", row.batch),
        [row.table_no.as_str(), &row.title, &kind].join("\n").trim_end().to_owned(),
        row.provider.clone(),
        row.delivery.clone().unwrap_or_else(|| "已銷毀".to_owned()),
        row.applied.map(words::number).unwrap_or_default(),
        words::time(Some(row.received_at), zone),
        words::time(row.loaded_at, zone),
        words::day(row.use_until, zone),
        allowed(row),
        row.key_channel.as_deref().map(words::channel).unwrap_or_default(),
    ]
}

/// 複製核准文號.
fn allowed(row: &RegisterRow) -> String {
    let mut numbers: Vec<&str> =
        row.copies.iter().filter_map(|copy| copy.approved_doc_no.as_deref()).collect();
    numbers.dedup();
    numbers.join("\n")
}

fn end(serial: u64, row: &RegisterRow, zone: Tz, origin: &str) -> Vec<String> {
    let seal = |seal: &Option<_>| seal.as_ref().map(|one| words::seal(one, zone));
    let wiped: Vec<_> = row.copies.iter().filter(|copy| copy.assurance.is_some()).collect();
    let lowest = wiped.iter().filter_map(|copy| copy.assurance).min();
    let done = row.destroyed_at.is_some();
    let site = origin.rsplit('/').next().unwrap_or(origin);
    let (agent, ends) = (!wiped.is_empty(), by_people(row));
    vec![
        serial.to_string(),
        seal(&row.requested).unwrap_or_default(),
        seal(&row.approved).unwrap_or_default(),
        row.order.map(|order| order.to_string()).unwrap_or_default(),
        words::day(row.deadline, zone),
        methods(row),
        each(agent.then(|| site.to_owned()), &ends, |end| {
            let serial = end.serial.as_deref().unwrap_or_default();
            format!("{} {serial}", end.place).trim_end().to_owned()
        }),
        each(agent.then(|| "代理程式（batchward）".to_owned()), &ends, |end| {
            end.performer.clone()
        }),
        each(None, &ends, |end| end.witness.clone()),
        lowest.filter(|_| done).map(words::recovery).unwrap_or_default().to_owned(),
        letters(row, zone),
        attachments(row, &ends),
    ]
}

fn by_people(row: &RegisterRow) -> Vec<&EndByPeople> {
    row.copies.iter().filter_map(|copy| copy.by_people.as_ref()).collect()
}

/// What the agent did and what people did, each thing once.
fn each(own: Option<String>, ends: &[&EndByPeople], of: impl Fn(&EndByPeople) -> String) -> String {
    let mut lines: Vec<String> = own.into_iter().collect();
    for end in ends {
        let line = of(end);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// 函報文號.
fn letters(row: &RegisterRow, zone: Tz) -> String {
    let line = |paper: &PaperFacts| {
        let number = paper.doc_no.as_deref()?;
        Some(format!("{number}\n{}", words::day(Some(paper.date), zone)))
    };
    row.papers.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// 佐證附件.
fn attachments(row: &RegisterRow, ends: &[&EndByPeople]) -> String {
    let mut lines = Vec::new();
    if let Some(digest) = &row.certificate {
        let short: String = digest.to_string().chars().take(16).collect();
        lines.push(format!("銷毀紀錄證明\nSHA-256 {short}…"));
    }
    let files = row.papers.iter().filter(|paper| paper.sha256.is_some()).count() as u64;
    let count = files + ends.iter().map(|end| end.evidence).sum::<u64>();
    if count > 0 {
        lines.push(format!("附件 {} 件", words::number(count)));
    }
    lines.join("\n")
}

/// 銷毀方法: the lowest level of each kind of copy.
fn methods(row: &RegisterRow) -> String {
    let mut lines = Vec::new();
    for kind in ["transfer", "vault", "case"] {
        let levels = row.copies.iter().filter(|copy| copy.kind == kind);
        if let Some(level) = levels.filter_map(|copy| copy.assurance).min() {
            lines.push(format!("{}：{}", words::copy_kind(kind), words::assurance(level)));
        }
    }
    for (copy, end) in row.copies.iter().filter_map(|copy| Some((copy, copy.by_people.as_ref()?))) {
        let line = format!("{}：{}", words::copy_kind(&copy.kind), words::method(end.method));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}
