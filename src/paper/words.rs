//! The words of forms (GLOSSARY.md): states, reasons, levels of assurance, seals and days.

use chrono_tz::Tz;

use crate::{
    domain::{
        accounts::Role,
        calendar,
        certificate::{self, Assurance},
        grounds,
        inventory::{HeldKind, Medium, Method},
        judge::{AnnouncedBy, FileFinding},
        lifecycle::{BatchState, CopyState, OrderState},
        notified::EarlyState,
        people::Post,
        person::{self, StandsFor},
        reason::Reason,
        time::Timestamp,
    },
    service::forms::{RegisterRow, RowState, Seal, Source, StaffLine, TaskCode},
};

/// Characters of a key's fingerprint that stand under a seal.
const FINGERPRINT_CHARS: usize = 8;

pub(super) const fn state(state: BatchState) -> &'static str {
    match state {
        BatchState::Received => "已收檔",
        BatchState::Verified => "已檢核待匯入",
        BatchState::Loaded => "已匯入",
        BatchState::Due => "待簽報銷毀",
        BatchState::Condemned => "已核定銷毀",
        BatchState::Destroyed => "已銷毀",
        BatchState::Closed => "結案",
        BatchState::Quarantined => "隔離",
    }
}

/// Where a row stands, and why.
pub(super) fn row_state(row: &RegisterRow) -> String {
    let state = match row.state {
        RowState::Batch(batch) => state(batch),
        RowState::Early(early) => early_state(early),
    };
    match row.reason {
        Some(why) => format!("{state}（{}）", reason(why)),
        None => state.to_owned(),
    }
}

const fn early_state(state: EarlyState) -> &'static str {
    match state {
        EarlyState::Told => "已獲通知，尚未收檔",
        EarlyState::Announced => "公文已登錄，待第二人核對",
        EarlyState::Confirmed => "公文已核對，尚未收檔",
        EarlyState::Withdrawn => "已撤回，未收檔",
        EarlyState::Seen => "檔案已到，尚未收檔",
        EarlyState::Gone => "檔案於收檔前移除",
        EarlyState::Joined => "與他列為同一批資料",
    }
}

/// Why somebody did it, with the label of its code.
pub(super) fn cause(stored: &str) -> String {
    grounds::chinese(stored).into_owned()
}

/// How a file is found beside what was announced of it.
pub(super) const fn finding(found: FileFinding) -> &'static str {
    match found {
        FileFinding::AsAnnounced => "相符",
        FileFinding::Missing => "未到",
        FileFinding::NotListed => "未列於清單",
        FileFinding::SizeDiffers => "大小不符",
        FileFinding::DigestDiffers => "雜湊值不符",
        FileFinding::NotCompared => "未予核對",
    }
}

/// By what a delivery was announced.
pub(super) const fn announced_by(by: AnnouncedBy) -> &'static str {
    match by {
        AnnouncedBy::Manifest => "貴機關清單（manifest）",
        AnnouncedBy::ControlFile => "貴機關控制檔",
        AnnouncedBy::Letter => "貴機關來函",
    }
}

/// The batch of a row in one line: its number, and ours.
pub(super) fn batch(row: &RegisterRow) -> String {
    let number = row.number.as_deref().unwrap_or("無編號");
    row.batch.map_or_else(|| number.to_owned(), |batch| format!("{number}（{batch}）"))
}

/// The number of a row's batch, and ours.
pub(super) fn numbers(row: &RegisterRow) -> String {
    let number = row.number.as_deref().unwrap_or("（無編號）");
    row.batch.map_or_else(|| number.to_owned(), |batch| format!("{number}\n{batch}"))
}

pub(super) const fn copy_state(state: CopyState) -> &'static str {
    match state {
        CopyState::Requested => "申請中",
        CopyState::Planned => "建立中",
        CopyState::Kept => "保存中",
        CopyState::Condemned => "已核定銷毀",
        CopyState::Unreadable => "留存惟已無法讀取",
        CopyState::Destroyed => "已銷毀",
    }
}

pub(super) const fn order(state: OrderState) -> &'static str {
    match state {
        OrderState::Requested => "已簽報",
        OrderState::Approved => "已核定",
        OrderState::Denied => "不同意",
        OrderState::Voided => "失效",
        OrderState::Stopped => "中止，部分已銷毀",
        OrderState::Executed => "已執行",
        OrderState::Certified => "已發證明",
    }
}

pub(super) const fn role(role: Role) -> &'static str {
    match role {
        Role::Custodian => "專責人員",
        Role::Handler => "業務單位承辦人",
        Role::Supervisor => "單位主管",
        Role::Auditor => "稽核人",
        Role::Admin => "機關管理人",
        Role::Vendor => "委辦機構",
        Role::Service => "介接系統",
    }
}

/// What waits.
pub(super) const fn duty(code: TaskCode) -> &'static str {
    match code {
        TaskCode::ConfirmClock => "確認時間",
        TaskCode::DecideQuarantine => "隔離批次之解除或退件",
        TaskCode::EnterKey => "登錄批次密碼",
        TaskCode::ConfirmAnnouncement => "函告資料待第二人核對",
        TaskCode::AskForChangeFile => "洽提供機關補送異動檔",
        TaskCode::RetryStep => "排除障礙後重試",
        TaskCode::RequestDestruction => "簽報銷毀",
        TaskCode::DecideOrder => "核定或不同意銷毀案",
        TaskCode::ConfirmDecision => "確認紙本核定之登錄",
        TaskCode::RequestAccessDestruction => "簽報銷毀存取日誌金鑰",
        TaskCode::DecideAccessOrder => "核定或不同意存取日誌金鑰銷毀案",
        TaskCode::ClosingPapers => "補登結案文件",
        TaskCode::ConfirmPapers => "確認結案文件",
        TaskCode::ConfirmStanding => "確認通案核定",
        TaskCode::RenewStanding => "通案核定將屆期，辦理續核",
        TaskCode::BringBackCopy => "取回無法取得之複本並簽報銷毀",
        TaskCode::DecideCopy => "複製申請待核准",
        TaskCode::DeclareCopy => "複本待登錄或撤回",
        TaskCode::RequestCopyDestruction => "人員保管之複本待簽報銷毀",
        TaskCode::DestroyCopy => "人員保管之複本待銷毀及登錄",
        TaskCode::ConfirmEnd => "銷毀待會同（監毀）人確認",
        TaskCode::DecideHandover => "提供資料申請待核准",
        TaskCode::MakeHandover => "已核准提供之資料待製作",
        TaskCode::ConfirmHandover => "登錄受領單位收訖",
        TaskCode::DecideGrant => "核准或不同意使用申請",
        TaskCode::CompleteUse => "回報使用完竣",
        TaskCode::ProvideBatch => "登記表待核章提供",
        TaskCode::ConfirmBatch => "確認批次資料完整",
        TaskCode::CompareBatch => "比對申請筆數",
        TaskCode::DecideMismatch => "比對不符待處理",
        TaskCode::ConfirmWithdrawal => "確認撤回使用完竣等聲明",
        TaskCode::StateNoNeed => "確認有無保存必要",
        TaskCode::ReviewHold => "檢視暫緩銷毀",
        TaskCode::ConfirmAccount => "確認帳號",
        TaskCode::ConfirmAppointment => "確認派任",
        TaskCode::TakeCustody => "接管保管權責",
        TaskCode::ConfirmReview => "確認帳號清查",
        TaskCode::AcknowledgeSharedUser => "查明一系統使用者以數人金鑰簽署",
        TaskCode::ConfirmSharedUser => "確認一系統使用者以數人金鑰簽署之查明",
        TaskCode::ProposeConfiguration => "提出設定變更",
        TaskCode::ConfirmConfiguration => "確認設定變更",
        TaskCode::ConfirmPassphrase => "確認長期共用密碼",
        TaskCode::ConfirmBaseline => "確認異動檔起始序號",
    }
}

/// How a key came.
pub(super) fn channel(code: &str) -> String {
    if code == "keybox" { "密碼收件匣".to_owned() } else { code.to_owned() }
}

pub(super) fn copy_kind(kind: &str) -> &str {
    match kind {
        "transfer" => "交付檔",
        "vault" => "匯入資料",
        "case" => "案卷紀錄",
        other => HeldKind::parse(other).map_or(other, |kind| held_kind(kind)),
    }
}

const fn held_kind(kind: HeldKind) -> &'static str {
    match kind {
        HeldKind::Media => "可攜式媒體",
        HeldKind::Paper => "紙本",
        HeldKind::Export => "匯出檔",
        HeldKind::HandOver => "轉交資料",
        HeldKind::Backup => "備份",
        HeldKind::Carrier => "交付媒體",
        HeldKind::KeyCarrier => "金鑰載體",
    }
}

pub(super) const fn medium(medium: Medium) -> &'static str {
    match medium {
        Medium::Paper => "紙張",
        Medium::MagneticDisk => "磁碟",
        Medium::MagneticTape => "磁帶",
        Medium::Flash => "快閃記憶體",
        Medium::Optical => "光碟",
        Medium::File => "檔案",
    }
}

/// Words of the archives rule (機關檔案保存年限及銷毀辦法 §13).
pub(super) const fn method(method: Method) -> &'static str {
    match method {
        Method::Shredded => "碎紙或絞碎",
        Method::Pulped => "化為紙漿",
        Method::Incinerated => "焚化",
        Method::Crushed => "擊碎",
        Method::Powdered => "化為碎粒或粉末",
        Method::Degaussed => "消磁",
        Method::Erased => "消除電子檔或重新格式化",
    }
}

pub(super) const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Incomplete => "交付不完整",
        Reason::Unsigned => "未簽章",
        Reason::AwaitingKey => "等候密碼",
        Reason::BadSignature => "簽章不符",
        Reason::UnknownSigner => "簽章者未核准",
        Reason::ManifestInvalid => "通知單格式不符",
        Reason::UnsafeName => "檔名不安全",
        Reason::UnsafeFile => "檔案種類不安全",
        Reason::UnlistedFile => "有未列明之檔案",
        Reason::KeyWithData => "密碼與資料同送",
        Reason::SizeMismatch => "檔案大小不符",
        Reason::ChecksumMismatch => "檔案雜湊值不符",
        Reason::WrongLink => "連結作業不符",
        Reason::WrongTable => "資料表號不符",
        Reason::LinkInactive => "連結作業未啟用",
        Reason::UseExpired => "核准使用期限已過",
        Reason::PolicyRefused => "規定不許",
        Reason::DuplicateBatch => "批次編號重複",
        Reason::DuplicateContent => "內容重複",
        Reason::SequenceGap => "異動檔序號不連續",
        Reason::LimitExceeded => "超過上限",
        Reason::NotAge => "非約定之加密格式",
        Reason::WrongContainer => "非約定之壓縮加密格式",
        Reason::NotByHand => "未加密且非當面交付",
        Reason::WrongKey => "密碼不符",
        Reason::DecryptFailed => "解密失敗",
        Reason::PlaintextMismatch => "解密後內容不符",
        Reason::LayoutError => "檔案格式不符",
        Reason::UnapprovedColumn => "有未核准之欄位",
        Reason::CountMismatch => "筆數不符",
    }
}

pub(super) fn strength(code: &str) -> &str {
    match code {
        "signed" => "電子簽章",
        "signed-standing-key" => "電子簽章（常設金鑰加密）",
        "signed-standing-passphrase" => "電子簽章（長期共用密碼）",
        "by-letter" => "公文通知",
        "by-hand" => "親自遞交",
        other => other,
    }
}

/// What a level says, and never more: "cannot be recovered" stands for L3 and L4 alone (DESIGN 9).
pub(super) fn assurance(level: Assurance) -> String {
    format!("{level} {}", level.meaning_zh())
}

/// 無法復原確認.
pub(super) const fn recovery(level: Assurance) -> &'static str {
    if level.is_unrecoverable() { "確認無法復原" } else { "未排除復原可能" }
}

/// Somebody in full: unit, title and name, and for whom he acted.
pub(super) fn person(seal: &Seal) -> String {
    let mut lines: Vec<String> = seal.unit.iter().cloned().collect();
    lines.push(name(seal));
    lines.extend(seal.deputy.as_ref().map(stands_for));
    lines.join("\n")
}

/// The same in one line.
pub(super) fn person_in_line(seal: &Seal) -> String {
    person(seal).replace('\n', "　")
}

/// Title and name of who holds a post now, deputies among them; nobody where nobody is appointed.
pub(super) fn holders(staff: &[StaffLine], post: Post) -> Vec<String> {
    let held = staff.iter().filter(|line| line.post == post);
    held.map(|line| titled(line.title.as_deref(), &line.shown())).collect()
}

/// Title and name.
pub(super) fn titled(title: Option<&str>, name: &str) -> String {
    title.map_or_else(|| name.to_owned(), |title| format!("{title} {name}"))
}

/// A name, where the account has one.
pub(super) fn name(seal: &Seal) -> String {
    titled(seal.title.as_deref(), &seal.name())
}

/// The same of somebody whom a certificate names.
pub(super) fn certified(one: &certificate::Person) -> String {
    let name = person::named(one.display.as_deref(), &one.account, one.deputy.is_some());
    let mut lines = vec![titled(one.title.as_deref(), &name)];
    lines.extend(one.deputy.as_ref().map(stands_for));
    lines.join("\n")
}

/// For whom a deputy signed: `代理單位主管 王科長`.
fn stands_for(one: &StandsFor) -> String {
    format!("代理{} {}", post(one.post), one.of)
}

/// A post.
pub(super) const fn post(post: Post) -> &'static str {
    match post {
        Post::Custodian => "專責人員",
        Post::Handler => "承辦人",
        Post::Supervisor => "單位主管",
        Post::Manager => "機關管理人",
        Post::Auditor => "機關稽核人",
        Post::AccountManager => "帳號管理專人",
    }
}

/// A seal: name, time, and the start of the key's fingerprint.
pub(super) fn seal(seal: &Seal, zone: Tz) -> String {
    if let Some(paper) = &seal.on_paper {
        let day = calendar::roc_day(paper.on, zone);
        let by = format!("登錄 {}、確認 {}", paper.entered_name, paper.confirmed_name);
        return [name(seal), format!("依紙本核定 {} {day}", paper.doc_no), by].join("\n");
    }
    let mut lines = vec![name(seal)];
    lines.extend(seal.deputy.as_ref().map(stands_for));
    lines.push(calendar::roc_time(seal.at, zone));
    if let Some(key) = &seal.key {
        lines.push(fingerprint(key));
    }
    lines.join("\n")
}

/// The seals of several people, one under the other.
pub(super) fn seals(seals: &[Seal], zone: Tz) -> String {
    const SHOWN_MAX: usize = 3;
    let mut cells: Vec<String> = seals.iter().take(SHOWN_MAX).map(|one| seal(one, zone)).collect();
    if seals.len() > SHOWN_MAX {
        cells.push(format!("等{}人", seals.len()));
    }
    cells.join("\n")
}

fn fingerprint(key: &str) -> String {
    let (kind, rest) = key.split_once(':').unwrap_or(("", key));
    let short: String = rest.chars().take(FINGERPRINT_CHARS).collect();
    if kind.is_empty() { short } else { format!("{kind}:{short}…") }
}

pub(super) fn day(at: Option<Timestamp>, zone: Tz) -> String {
    at.map_or_else(String::new, |at| calendar::roc_day(at, zone))
}

pub(super) fn time(at: Option<Timestamp>, zone: Tz) -> String {
    at.map_or_else(String::new, |at| calendar::roc_time(at, zone))
}

/// A number as parts of a document are counted: 一, 二, 十一.
pub(super) fn numeral(n: usize) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |n: usize| DIGITS.get(n).copied().unwrap_or_default();
    match n {
        0 => "〇".to_owned(),
        1..=9 => digit(n).to_owned(),
        10..=99 => {
            let tens = if n < 20 { "" } else { digit(n / 10) };
            format!("{tens}十{}", digit(n % 10))
        }
        _ => n.to_string(),
    }
}

/// A number with its thousands parted.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

pub(super) fn zone(source: &Source) -> Tz {
    source.zone.parse().unwrap_or(chrono_tz::Asia::Taipei)
}

/// The register that a form comes from, and how to check it.
pub(super) fn proof(source: &Source) -> Vec<String> {
    let mut lines = vec![format!(
        "本表依登記簿前 {} 筆登記產製。查核點（留存本頁即為另處保存之查核點）：",
        number(source.size)
    )];
    lines.extend(source.checkpoint.lines().map(str::to_owned));
    lines.push(format!("驗證：batchward register verify --key '{}'", source.vkey));
    lines
}

/// The same in one line.
pub(super) fn foot(source: &Source) -> String {
    let made = calendar::roc_time(source.made_at, zone(source));
    let size = number(source.size);
    format!("{}　製表 {made}　登記 {size} 筆　根雜湊 {}", source.origin, source.root)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_counted_as_in_a_document() {
        let said: Vec<String> = [1, 9, 10, 11, 20, 21, 99].into_iter().map(numeral).collect();
        assert_eq!(said, ["一", "九", "十", "十一", "二十", "二十一", "九十九"]);
    }
}
