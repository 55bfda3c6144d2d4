//! The annex of what was amended: the old value struck through, the new one, who, when and why.

use chrono_tz::Tz;

use crate::{
    domain::amending::AmendField,
    paper::{
        form::{Column, STRUCK, Table},
        words,
    },
    service::forms::{AmendedFact, RegisterRow},
};

const COLUMNS: [Column; 8] = [
    Column::short("序號", 6),
    Column::short("登記序號", 7),
    Column::text("更正項目", 12),
    Column::text("原登記", 21),
    Column::text("更正為", 21),
    Column::text("更正人及確認人", 12),
    Column::short("更正日期", 8),
    Column::text("更正事由", 17),
];

/// The annex; nothing where nothing was amended.
pub(super) fn table(rows: &[&RegisterRow], zone: Tz) -> Option<Table> {
    let mut told: Vec<u64> = Vec::new();
    let mut lines = Vec::new();
    for row in rows {
        // A batch has a row for each unit: each amendment stands once, at the first of them.
        for one in &row.amendments {
            if !told.contains(&one.amendment) {
                told.push(one.amendment);
                lines.push(line(row, one, zone));
            }
        }
    }
    let name = "附表　更正".to_owned();
    (!lines.is_empty()).then(|| Table { name, columns: COLUMNS.to_vec(), rows: lines })
}

fn line(row: &RegisterRow, one: &AmendedFact, zone: Tz) -> Vec<String> {
    // What people typed never passes for a former value.
    let typed = |text: &str| text.replace(STRUCK, "");
    let value = |text: &str| match one.field {
        AmendField::Reason | AmendField::Note => typed(&words::cause(text)),
        _ => typed(text),
    };
    vec![
        row.serial.to_string(),
        format!("{}\n（更正 {}）", one.entry, one.amendment),
        format!("{}\n{}", field(one.field), one.object),
        format!("{STRUCK}{}", value(&one.from)),
        value(&one.to),
        format!("{}\n{}", one.by, one.confirmed_by),
        words::day(Some(one.at), zone),
        typed(&words::cause(&one.reason)),
    ]
}

const fn field(field: AmendField) -> &'static str {
    match field {
        AmendField::Purpose => "使用目的",
        AmendField::Basis => "依據公文文號",
        AmendField::DocNo => "公文文號",
        AmendField::Authority => "要求機關",
        AmendField::Reason => "事由",
        AmendField::Channel => "密碼送達方式",
        AmendField::Letter => "函報文號",
        AmendField::Note => "比對說明",
        AmendField::Subject => "訓練內容",
        AmendField::CcIt => "副知資訊單位文號",
        AmendField::CcEthics => "副知政風單位文號",
    }
}
