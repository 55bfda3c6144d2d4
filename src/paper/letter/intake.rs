//! Drafts to the provider of a delivery: that it is returned, and that it was received.

use super::{Letter, LetterKind, count, day, named, or_blank, serials};
use crate::{
    paper::words,
    service::forms::{RegisterRow, Sheet},
};

/// The return of a bad delivery.
#[must_use]
pub fn returned(sheet: &Sheet, to: Option<String>) -> Option<Letter> {
    let (row, zone) = (sheet.rows.first()?, words::zone(&sheet.source));
    let subject = format!(
        "貴機關提供之戶役政資料（批次編號{}）經檢核不符，無法受理，請查明後重新提供，請查照。",
        row.number.as_deref().unwrap_or("（無編號）")
    );
    let mut letter = Letter::of(&sheet.source, LetterKind::Letter, to_provider(row, to), subject);
    let why = row.reason.map(words::reason);
    letter.explained = vec![
        format!("資料內容：{}。", named(row, &serials(&sheet.rows))),
        format!(
            "收檔時間：{}；貴機關通知時間：{}。",
            words::time(row.received_at, zone),
            day(row.notified_at, zone)
        ),
        format!(
            "檢核結果：{}。通知筆數{}筆，實收筆數{}筆，匯入0筆。",
            or_blank(why),
            count(row.counts.declared),
            count(row.counts.parsed)
        ),
        "本批資料未匯入系統，亦未提供任何單位使用；收受之檔案以加密方式保存，將依規定銷毀並登載於登記簿。".to_owned(),
        "重新提供時，請另編批次編號，資料與解密密碼請分開寄送。".to_owned(),
    ];
    Some(letter)
}

/// The receipt.
#[must_use]
pub fn received(sheet: &Sheet, to: Option<String>) -> Option<Letter> {
    let (row, zone) = (sheet.rows.first()?, words::zone(&sheet.source));
    let subject = format!(
        "貴機關提供之戶役政資料（批次編號{}）業已收訖，請查照。",
        row.number.as_deref().unwrap_or("（無編號）")
    );
    let mut letter = Letter::of(&sheet.source, LetterKind::Letter, to_provider(row, to), subject);
    let units: Vec<&str> = sheet.rows.iter().filter_map(|row| row.unit.as_deref()).collect();
    letter.explained = vec![
        format!("資料內容：{}。", named(row, &serials(&sheet.rows))),
        format!(
            "收檔時間：{}；貴機關通知時間：{}。",
            words::time(row.received_at, zone),
            day(row.notified_at, zone)
        ),
        format!(
            "通知筆數{}筆，實收筆數{}筆，匯入{}筆；目前狀態：{}。",
            count(row.counts.declared),
            count(row.counts.parsed),
            count(row.counts.committed),
            words::row_state(row)
        ),
        format!(
            "使用目的：{}；使用單位：{}；核准使用期限：{}。",
            or_blank(Some(&row.purpose)),
            or_blank(Some(&units.join("、"))),
            day(row.use_until, zone)
        ),
    ];
    Some(letter)
}

/// Who sent it, where nobody else is named.
fn to_provider(row: &RegisterRow, to: Option<String>) -> Option<String> {
    to.or_else(|| Some(row.provider.clone()).filter(|name| !name.is_empty()))
}
