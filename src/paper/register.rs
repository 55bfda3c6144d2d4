//! 附件一 as a form: the main sheet with the ten columns of TPH-5.5 in their order, and annexes keyed by its serial number
//! with ours (REGULATIONS 2f; one page cannot hold them all). Which columns stand where, a file says (`forms/`).

mod amended;
mod cells;
mod volume;

use chrono_tz::Tz;

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::{
    domain::{calendar, forms::FormSheet, people::Post},
    service::forms::{RegisterRow, Sheet, StaffLine},
};
use cells::Told;

/// The form of a sheet; with a year, the volume of that year. `staff` holds the posts of every link on it.
#[must_use]
pub fn form(sheet: &Sheet, staff: &[StaffLine]) -> Form {
    let zone = words::zone(&sheet.source);
    let own: Vec<&RegisterRow> = match sheet.filter.year {
        Some(year) => sheet.rows.iter().filter(|row| row.serial.year == year).collect(),
        None => sheet.rows.iter().collect(),
    };
    let sheets = std::iter::once(&sheet.form.main).chain(&sheet.form.annexes);
    let mut tables: Vec<Table> = sheets.map(|one| table(sheet, one, &own)).collect();
    tables.extend(amended::table(&own, zone));
    let (mut cover, mut notes) = (None, notes(sheet));
    if let Some(year) = sheet.filter.year {
        cover = Some(volume::cover(sheet, year, &own));
        tables.splice(0..0, volume::carried_in(sheet, year));
        tables.extend(volume::closing(sheet, year, &own));
        notes.extend(volume::note(sheet, year));
    }
    let seats = sheet.form.seats.iter();
    Form {
        agency: sheet.source.agency.clone(),
        title: title(sheet),
        heads: heads(sheet, zone),
        cover,
        tables,
        seats: seats.map(|office| Seat::of(office.clone(), held_by(office, staff))).collect(),
        notes,
        proof: words::proof(&sheet.source),
        foot: words::foot(&sheet.source),
        made_at: sheet.source.made_at.to_string(),
        one_page: false,
    }
}

/// Who has an office of the sign-off boxes, where the file that lays the register out calls it as the regulations do.
fn held_by(office: &str, staff: &[StaffLine]) -> Vec<String> {
    match office {
        "業務單位承辦人" => words::holders(staff, Post::Handler),
        "資訊室承辦人" => words::holders(staff, Post::Custodian),
        "業務單位主管" | "單位主管" => words::holders(staff, Post::Supervisor),
        _ => Vec::new(),
    }
}

fn title(sheet: &Sheet) -> String {
    sheet.title.clone().unwrap_or_else(|| sheet.form.title.clone())
}

/// The rows of a sheet, under the columns that its form has.
fn table(sheet: &Sheet, form: &FormSheet, rows: &[&RegisterRow]) -> Table {
    let site = sheet.source.origin.rsplit('/').next().unwrap_or(&sheet.source.origin);
    let mixed = sheet.registers().len() > 1;
    let told = Told { zone: words::zone(&sheet.source), site, mixed };
    let columns = form.columns.iter().map(|column| Column {
        title: column.heading.clone().into(),
        share: column.share,
        centred: column.centred,
    });
    let cells = |row: &RegisterRow| {
        form.columns.iter().map(|column| cells::cell(column.fact, row, &told)).collect()
    };
    Table {
        name: form.name.clone(),
        columns: columns.collect(),
        rows: rows.iter().map(|row| cells(row)).collect(),
    }
}

fn heads(sheet: &Sheet, zone: Tz) -> Vec<(String, String)> {
    let filter = &sheet.filter;
    let day = |at| calendar::roc_full(at, zone);
    let period = match (filter.from, filter.to) {
        _ if filter.year.is_some() => {
            format!("中華民國{}年度", filter.year.unwrap_or_default())
        }
        (None, None) => {
            let rows = sheet.rows.iter();
            let first = rows.filter_map(|row| row.opened_at.or(row.received_at)).min();
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
    let mut batches: Vec<_> = sheet.rows.iter().filter_map(|row| row.batch).collect();
    batches.sort_unstable();
    batches.dedup();
    heads.push(("批次數".to_owned(), words::number(batches.len() as u64)));
    heads.push(("登記列數".to_owned(), words::number(sheet.rows.len() as u64)));
    heads.push(("製表時間".to_owned(), calendar::roc_time(sheet.source.made_at, zone)));
    heads
}

fn notes(sheet: &Sheet) -> Vec<String> {
    let mut notes = Vec::new();
    if !sheet.form.official {
        notes.push(
            "規定所附表格之原格式未見於公布之條文，本表依條文所列欄位及順序編製，非主管機關所定格式。".to_owned(),
        );
    }
    notes.push(
        "姓名、時間及金鑰指紋取自登記簿內經簽署之紀錄；空白處供核章。登記簿內更正以新登記為之，不塗改原登記。".to_owned(),
    );
    if sheet.rows.iter().any(|row| row.batch.is_some() && row.delivery.is_none()) {
        notes.push("交付名稱隨批次銷毀後不再留存，以「已銷毀」註明。".to_owned());
    }
    notes
}
