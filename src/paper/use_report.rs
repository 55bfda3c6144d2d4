//! 每月使用報表 and 系統使用情形統計表: how often each source was used, by counts alone.

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::{
    domain::{audits::ReportKind, calendar, entry::UseRow},
    service::forms::UseSheet,
};

const BY_UNIT: [Column; 9] = [
    Column::short("序號", 4),
    Column::text("使用單位", 16),
    Column::text("資料來源（連結作業）", 18),
    Column::short("查詢次數", 9),
    Column::short("其中拒絕", 9),
    Column::short("使用帳號數", 9),
    Column::short("案件數", 9),
    Column::short("顯示筆數", 10),
    Column::short("已無法開啟之紀錄", 12),
];

/// The form of a report.
#[must_use]
pub fn form(sheet: &UseSheet) -> Form {
    let zone = words::zone(&sheet.source);
    let by_unit = sheet.kind == ReportKind::Use;
    let (title, seats) = if by_unit {
        ("戶役政資料每月使用報表", ["製表（稽核人）", "機關首長或授權層級主管核閱"])
    } else {
        ("系統使用情形統計表", ["製表（稽核人）", "核閱"])
    };
    let columns: Vec<Column> =
        BY_UNIT.into_iter().filter(|column| by_unit || column.title != "使用單位").collect();
    let mut rows: Vec<Vec<String>> =
        (1_u64..).zip(&sheet.rows).map(|(n, row)| cells(&n.to_string(), row, by_unit)).collect();
    rows.push(cells("合計", &sheet.total, by_unit));
    let mut heads = vec![("期間".to_owned(), period(&sheet.period))];
    heads.extend(sheet.link.clone().map(|link| ("連結作業".to_owned(), link)));
    heads.extend(sheet.unit.clone().map(|unit| ("使用單位".to_owned(), unit)));
    heads.push(("製表時間".to_owned(), calendar::roc_time(sheet.source.made_at, zone)));
    Form {
        agency: sheet.source.agency.clone(),
        title: title.to_owned(),
        heads,
        cover: None,
        tables: vec![Table { name: title.to_owned(), columns, rows }],
        seats: seats.map(Seat::blank).into(),
        notes: vec![
            "依存取日誌統計，不含被查詢者資料；查詢次數含經拒絕者，合計欄之帳號及案件跨列重複者計一次。本表雜湊值登錄於登記簿，核閱後不得變更。".to_owned(),
        ],
        proof: words::proof(&sheet.source),
        foot: words::foot(&sheet.source),
        made_at: sheet.source.made_at.to_string(),
        one_page: false,
    }
}

fn cells(serial: &str, row: &UseRow, by_unit: bool) -> Vec<String> {
    let mut cells = vec![serial.to_owned()];
    let is_total = row.link.is_empty();
    if by_unit {
        let unit = row.unit.clone().unwrap_or_else(|| "（未載明單位）".to_owned());
        cells.push(if is_total { String::new() } else { unit });
    }
    cells.push(row.link.clone());
    let counts = [row.queries, row.refused, row.accounts, row.cases, row.rows, row.unreadable];
    cells.extend(counts.map(words::number));
    cells
}

/// A period of the calendar as it stands on paper: `115 年 11 月`.
#[must_use]
pub fn period(name: &str) -> String {
    let (year, part) = name.split_once('-').unwrap_or((name, ""));
    let Ok(year) = year.parse::<i32>() else { return name.to_owned() };
    let year = year - 1911;
    let number = part.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches('0');
    match part.as_bytes().first() {
        None => format!("{year} 年"),
        Some(b'H') => format!("{year} 年{}半年", if number == "1" { "上" } else { "下" }),
        Some(b'Q') => format!("{year} 年第 {number} 季"),
        Some(b'T') => format!("{year} 年第 {number} 期（四個月）"),
        Some(b'B') => format!("{year} 年第 {number} 期（二個月）"),
        Some(_) => format!("{year} 年 {number} 月"),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_period_stands_on_paper_in_the_roc_calendar() {
        for (name, said) in [
            ("2026-11", "115 年 11 月"),
            ("2027-01", "116 年 1 月"),
            ("2026-H2", "115 年下半年"),
            ("2026-Q4", "115 年第 4 季"),
            ("2026", "115 年"),
        ] {
            assert_eq!(super::period(name), said);
        }
    }
}
