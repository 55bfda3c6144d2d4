//! Drafts to the provider of a delivery: that it is returned, and that it was received.

use super::{Letter, LetterKind, count, day, named, or_blank, serials};
use crate::{
    domain::{judge::FileFinding, plain::Plain},
    paper::words,
    service::forms::{AnnouncedFile, AnnouncedPage, RegisterRow, Sheet, StaffLine},
};

/// Files that a letter tells one by one, those that are wrong first.
const FILES_MAX: usize = 20;

/// The return of a bad delivery.
#[must_use]
pub fn returned(
    sheet: &Sheet,
    (plain, announced): (Option<&Plain>, Option<&AnnouncedPage>),
    to: Option<String>,
    staff: &[StaffLine],
) -> Option<Letter> {
    let row = sheet.rows.first()?;
    let what = "經檢核不符，無法受理，請查明後重新提供";
    let told = announced.filter(|page| page.verified).and_then(|page| page.records);
    let (mut letter, n) = of(sheet, (row, told), (to, staff), what);
    let why = row.reason.map(words::reason);
    letter.explained.extend([
        format!("檢核結果：{}。{n}，匯入0筆。", or_blank(why)),
        compared(plain, announced),
        "本批資料未匯入系統，亦未提供任何單位使用；收受之檔案以加密方式保存，將依規定銷毀並登載於登記簿。".to_owned(),
        "重新提供時，請另編批次編號，資料與解密密碼請分開寄送。".to_owned(),
    ]);
    letter.explained.retain(|point| !point.is_empty());
    Some(letter)
}

/// What was announced and what came, file by file, and what should have come; nothing where nothing is known of it.
fn compared(plain: Option<&Plain>, announced: Option<&AnnouncedPage>) -> String {
    let expected = plain.map(|plain| plain.expected.zh.as_str());
    let mut lines: Vec<String> =
        expected.map(|text| format!("應符合：{text}。")).into_iter().collect();
    let Some(announced) = announced else { return lines.join("\n") };
    let by = words::announced_by(announced.by);
    if !announced.verified {
        lines.push(format!("{by}未能驗證確為貴機關所出，所載內容不作核對依據。"));
        return lines.join("\n");
    }
    lines.push(format!("依{by}逐檔核對："));
    let odd = |file: &&AnnouncedFile| file.finding != FileFinding::AsAnnounced;
    let (wrong, right): (Vec<_>, Vec<_>) = announced.files.iter().partition(odd);
    let shown = wrong.iter().chain(&right).take(FILES_MAX);
    lines.extend(shown.map(|file| one(file)));
    let left = announced.files.len().saturating_sub(FILES_MAX);
    if left > 0 {
        lines.push(format!("其餘{left}檔，核對情形詳如本機關系統紀錄。"));
    }
    lines.join("\n")
}

fn one(file: &AnnouncedFile) -> String {
    let name = file.name.as_deref().unwrap_or("（未載檔名）");
    let mut facts = Vec::new();
    facts.extend(file.announced_bytes.map(|n| format!("通知{}位元組", words::number(n))));
    facts.extend(file.bytes.map(|n| format!("實收{}位元組", words::number(n))));
    facts.extend(file.announced_records.map(|n| format!("通知{}筆", words::number(n))));
    // What was compared is said, and nothing more.
    let told = match (file.finding, file.digest_agrees) {
        (FileFinding::AsAnnounced, Some(true)) => "雜湊值相符",
        (FileFinding::AsAnnounced, None) if file.announced_bytes.is_some() => "大小相符",
        (FileFinding::AsAnnounced, _) => "檔名相符",
        (found, _) => words::finding(found),
    };
    facts.push(told.to_owned());
    format!("・{name}：{}", facts.join("，"))
}

/// The receipt.
#[must_use]
pub fn received(sheet: &Sheet, to: Option<String>, staff: &[StaffLine]) -> Option<Letter> {
    let (row, zone) = (sheet.rows.first()?, words::zone(&sheet.source));
    let (mut letter, n) = of(sheet, (row, None), (to, staff), "業已收訖");
    let units: Vec<&str> = sheet.rows.iter().filter_map(|row| row.unit.as_deref()).collect();
    letter.explained.extend([
        format!(
            "{n}，匯入{}筆；目前狀態：{}。",
            count(row.counts.committed),
            words::row_state(row)
        ),
        format!(
            "使用目的：{}；使用單位：{}；核准使用期限：{}。",
            or_blank(Some(&row.purpose)),
            or_blank(Some(&units.join("、"))),
            day(row.use_until, zone)
        ),
    ]);
    Some(letter)
}

/// A letter about a delivery that says which it is and when it came; and how many records were told of and came.
fn of(
    sheet: &Sheet,
    (row, told): (&RegisterRow, Option<u64>),
    (to, staff): (Option<String>, &[StaffLine]),
    what: &str,
) -> (Letter, String) {
    let zone = words::zone(&sheet.source);
    let number = row.number.as_deref().unwrap_or("（無編號）");
    let subject = format!("貴機關提供之戶役政資料（批次編號{number}）{what}，請查照。");
    let to = (to_provider(row, to), subject);
    let mut letter = Letter::of(&sheet.source, LetterKind::Letter, to, staff);
    letter.explained = vec![
        format!("資料內容：{}。", named(row, &serials(&sheet.rows))),
        format!(
            "收檔時間：{}；貴機關通知時間：{}。",
            words::time(row.received_at, zone),
            day(row.notified_at, zone)
        ),
    ];
    let (told, came) = (count(row.counts.declared.or(told)), count(row.counts.parsed));
    (letter, format!("通知筆數{told}筆，實收筆數{came}筆"))
}

/// Who sent it, where nobody else is named.
fn to_provider(row: &RegisterRow, to: Option<String>) -> Option<String> {
    to.or_else(|| Some(row.provider.clone()).filter(|name| !name.is_empty()))
}
