//! A slip (核定單): what is decided on paper, with boxes for opinion, seal and date, and the code that is typed with it.

use chrono_tz::Tz;

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::{
    domain::{calendar, on_paper::PaperFor, people::Post},
    service::forms::{Slip, StaffLine},
};

const COPIES: [Column; 7] = [
    Column::short("項次", 4),
    Column::text("批次編號", 16),
    Column::text("資料表號", 12),
    Column::short("複本", 10),
    Column::short("種類", 9),
    Column::short("位元組數", 10),
    Column::text("SHA-256", 30),
];

const TERMS: [Column; 4] = [
    Column::short("項目", 14),
    Column::text("內容", 36),
    Column::short("項目", 14),
    Column::text("內容", 36),
];

/// The form of a slip, with who holds the posts of what it is about.
#[must_use]
pub fn form(slip: &Slip, staff: &[StaffLine]) -> Form {
    let zone = words::zone(&slip.source);
    let kind = slip.subject.kind();
    let title = match kind {
        PaperFor::Destroy => "戶役政資料銷毀核定單",
        PaperFor::Grant => "戶役政資料使用核定單",
        PaperFor::Copy => "戶役政資料複製核定單",
    };
    let asker = match kind {
        PaperFor::Destroy => "簽報人",
        PaperFor::Grant | PaperFor::Copy => "申請人",
    };
    let table = match kind {
        PaperFor::Grant => terms(slip, zone),
        PaperFor::Destroy | PaperFor::Copy => copies(slip),
    };
    let mut seats = vec![Seat::signed(asker, words::seal(&slip.requested, zone))];
    for office in ["會辦單位意見", "核定意見"] {
        seats.push(Seat::blank(office));
    }
    // Each of those who must approve has a box of their own.
    for _ in 0..slip.approvers.max(1) {
        let held_by = words::holders(staff, Post::Supervisor);
        seats.push(Seat::of("單位主管核定（職章及日期）", held_by));
    }
    seats.push(Seat::blank("公文文號"));
    Form {
        agency: slip.source.agency.clone(),
        title: title.to_owned(),
        heads: heads(slip, zone),
        cover: None,
        tables: vec![table],
        seats,
        notes: notes(slip),
        proof: words::proof(&slip.source),
        foot: format!("核對碼 {}　{}", slip.code, words::foot(&slip.source)),
        made_at: slip.source.made_at.to_string(),
        one_page: false,
    }
}

fn heads(slip: &Slip, zone: Tz) -> Vec<(String, String)> {
    let pair = |label: &str, value: String| (label.to_owned(), value);
    let mut heads = vec![
        pair("案號", slip.subject.to_string()),
        pair("核對碼", slip.code.clone()),
        pair("申請日期", calendar::roc_full(slip.requested.at, zone)),
        pair("依據規定", slip.regulations.join("、")),
    ];
    match slip.subject.kind() {
        PaperFor::Grant => {}
        kind => {
            heads.push(pair("事由", words::cause(&slip.reason)));
            if kind == PaperFor::Destroy {
                heads.push(pair("案內複本數", words::number(slip.copies.len() as u64)));
                heads.push(pair("位元組合計", words::number(slip.bytes)));
            }
            if let Some(until) = slip.until {
                heads.push(pair("預定銷毀日期", calendar::roc_full(until, zone)));
            }
        }
    }
    if let Some(expires) = slip.expires {
        heads.push(pair("核定期限", format!("{}前未核定即失效", calendar::roc_day(expires, zone))));
    }
    heads.push(pair("製表時間", calendar::roc_time(slip.source.made_at, zone)));
    heads
}

fn copies(slip: &Slip) -> Table {
    let rows = (1..).zip(&slip.copies).map(|(n, copy): (u64, _)| {
        let number = copy.number.as_deref().unwrap_or("（無編號）");
        vec![
            n.to_string(),
            format!("{number}\n{}", copy.batch),
            copy.table_no.clone(),
            copy.copy.to_string(),
            words::copy_kind(&copy.kind).to_owned(),
            // One that is only asked for has none yet.
            if copy.bytes > 0 { words::number(copy.bytes) } else { String::new() },
            copy.sha256.map(|digest| digest.to_string()).unwrap_or_default(),
        ]
    });
    Table { name: "核定標的".to_owned(), columns: COPIES.to_vec(), rows: rows.collect() }
}

fn terms(slip: &Slip, zone: Tz) -> Table {
    let rows = [
        ("連結作業", slip.link.clone().unwrap_or_default()),
        ("使用單位", slip.unit.clone().unwrap_or_else(|| "申請人本人".to_owned())),
        ("使用目的", slip.reason.clone()),
        ("依據公文文號", slip.basis.clone().unwrap_or_default()),
        ("使用欄位", slip.fields.join("、")),
        ("使用期限", slip.until.map(|at| calendar::roc_full(at, zone)).unwrap_or_default()),
    ];
    let beside = |terms: &[(&str, String)]| {
        terms.iter().flat_map(|(what, how)| [(*what).to_owned(), how.clone()]).collect()
    };
    let rows = rows.chunks(2).map(beside).collect();
    Table { name: "核定標的".to_owned(), columns: TERMS.to_vec(), rows }
}

fn notes(slip: &Slip) -> Vec<String> {
    vec![
        format!(
            "核對碼由核定標的之登記內容（SHA-256 {}）產生：內容一經變更，本單核對碼即不相符，應重新列印送核。核對碼非密碼，亦不代替職章。",
            slip.object_digest
        ),
        "核定後由一人登錄文號、核定人、日期、核對碼及掃描檔，另一人核對原件後確認，始生效力；簽報（申請）人不得核定，亦不得確認。".to_owned(),
        "本單為本系統格式，非規定所附表式；不含個人資料。".to_owned(),
    ]
}
