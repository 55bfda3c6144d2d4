//! The list of duties as a form (應辦事項清冊, 逾期未辦事項清冊): no regulation names one; NTP-12 asks who did not do what.

use chrono_tz::Tz;

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::{
    domain::{
        duty::{Duty, DutyCode, DutyState},
        papers::PaperKind,
        people::NeededPost,
        person::Person,
    },
    service::forms::{DutyLine, OwedList, Which},
};

const COLUMNS: [Column; 8] = [
    Column::short("序號", 4),
    Column::text("應辦事項", 18),
    Column::text("標的", 17),
    Column::text("依據", 12),
    Column::text("應辦人員", 14),
    Column::short("起算日", 9),
    Column::short("期限", 9),
    Column::text("辦理情形", 17),
];

/// The list as a form.
#[must_use]
pub fn form(list: &OwedList) -> Form {
    let zone = words::zone(&list.source);
    let rows = list.page.duties.iter().enumerate();
    let rows: Vec<Vec<String>> = rows.map(|(n, line)| cells(n + 1, line, zone)).collect();
    let late = list.page.overdue;
    let title = match list.wanted.which {
        Which::Overdue => "逾期未辦事項清冊",
        _ => "應辦事項清冊",
    };
    Form {
        agency: list.source.agency.clone(),
        title: title.to_owned(),
        heads: vec![
            ("基準日".to_owned(), words::day(Some(list.page.on), zone)),
            ("事項數".to_owned(), words::number(rows.len() as u64)),
            ("其中逾期".to_owned(), words::number(late)),
            ("製表時間".to_owned(), words::time(Some(list.source.made_at), zone)),
        ],
        cover: None,
        tables: vec![Table { name: title.to_owned(), columns: COLUMNS.to_vec(), rows }],
        seats: ["製表人", "單位主管"].map(Seat::blank).into(),
        notes: vec!["本表由登記簿及現行規範推得，非規定所附表式。".to_owned()],
        proof: words::proof(&list.source),
        foot: words::foot(&list.source),
        made_at: list.source.made_at.to_string(),
        one_page: false,
    }
}

/// Whose it is by name, title first; nothing where that is not known.
pub(super) fn people(people: &[Person]) -> Option<String> {
    let named = people.iter().map(|one| words::titled(one.was.title.as_deref(), &one.to_string()));
    Some(named.collect::<Vec<_>>().join("\n")).filter(|names| !names.is_empty())
}

/// What a duty is about: its link and its object, a post in words.
pub(super) fn about(duty: &Duty) -> String {
    let (word, nth) = duty.object.split_once(' ').unwrap_or((&duty.object, ""));
    let own = duty.account.as_deref() == Some(word) && !nth.is_empty();
    let named = match duty.code {
        DutyCode::FillPost | DutyCode::NameDeputy => {
            NeededPost::parse(word).map(|post| words::post(post.post().0))
        }
        DutyCode::AttachPaper => PaperKind::parse(word).map(paper),
        _ => None,
    };
    let object = match named {
        Some(named) => format!("{named} {nth}").trim_end().to_owned(),
        // Whose it is stands beside it, by name.
        None if own => nth.to_owned(),
        None => duty.object.clone(),
    };
    match &duty.link {
        Some(link) if *link != duty.object => format!("{link}\n{object}"),
        _ => object,
    }
}

/// A kind of paper, in the words of the catalogue.
const fn paper(kind: PaperKind) -> &'static str {
    match kind {
        PaperKind::AgencyRules => "機關作業規定",
        PaperKind::AccountProcedure => "帳號異動作業程序",
        PaperKind::AuditProcedure => "稽核程序",
        PaperKind::AuditPlan => "稽核計畫",
        PaperKind::BackupPlan => "備份計畫",
        PaperKind::TransferProcedure => "資料傳送作業程序",
        PaperKind::Decision => "紙本核定文件",
        PaperKind::Other => "其他文件",
    }
}

fn cells(n: usize, line: &DutyLine, zone: Tz) -> Vec<String> {
    let duty = &line.duty;
    let clause = if duty.clause == "own" { "本系統規則" } else { &duty.clause };
    let policy = duty.policy.as_deref().map(|name| format!("\n{name}")).unwrap_or_default();
    let roles = || duty.roles.iter().map(|role| words::role(*role)).collect::<Vec<_>>().join("、");
    let stands = match line.state {
        DutyState::Open => format!("未屆期，尚餘 {} 日", line.days),
        DutyState::Overdue => format!("逾期 {} 日未辦", -line.days),
        DutyState::Done => format!("已辦，{}", words::day(duty.done, zone)),
        DutyState::DoneLate => format!("逾期辦理，{}", words::day(duty.done, zone)),
    };
    vec![
        n.to_string(),
        what(duty.code).to_owned(),
        about(duty),
        format!("{clause}{policy}"),
        people(&line.people).unwrap_or_else(|| duty.account.clone().unwrap_or_else(roles)),
        words::day(Some(duty.start), zone),
        words::day(Some(duty.due), zone),
        stands,
    ]
}

/// What is owed, in the words of the catalogue.
pub(super) const fn what(code: DutyCode) -> &'static str {
    match code {
        DutyCode::FillPost => "有職務待派任",
        DutyCode::NameDeputy => "代理人待指定",
        DutyCode::TellOfChange => "職務異動待通報",
        DutyCode::SwitchCustodian => "專責人員權限待交接",
        DutyCode::AnswerAccount => "帳號申請待辦理",
        DutyCode::ReviewAccounts => "帳號待清查",
        DutyCode::Train => "教育訓練時數不足",
        DutyCode::SignAgreement => "保密協定待簽訂或續約",
        DutyCode::DrawSample => "存取紀錄待抽查",
        DutyCode::ReviewSample => "抽查樣本待查核",
        DutyCode::CorrectFinding => "缺失待改善",
        DutyCode::ProposeTermination => "缺失逾期未改善，應提報終止連結",
        DutyCode::ReportIncident => "事件待通報",
        DutyCode::EndIncident => "事件待結案",
        DutyCode::DecideApplication => "連結申請待審核",
        DutyCode::TestLink => "連結待測試",
        DutyCode::ReviewLink => "連結待檢視",
        DutyCode::RenewLink => "連結核准期限將屆",
        DutyCode::AttachPaper => "文件待附卷",
        DutyCode::ReviewBackup => "備份內容待檢視",
        DutyCode::AuditInternal => "內部稽核待辦理",
        DutyCode::AuditExternal => "外部稽核待辦理",
        DutyCode::AuditVendor => "廠商稽核待辦理",
        DutyCode::AuditFiles => "調卷稽核待辦理",
        DutyCode::AuditUnannounced => "無預警稽核待辦理",
        DutyCode::AnswerRequest => "佐證資料待提出",
        DutyCode::ReportUse => "使用報表待製作",
        DutyCode::SignReport => "報表待核閱",
        DutyCode::Reconcile => "查詢與案件待核對",
        DutyCode::ProvideBatch => "批次待核章提供",
        DutyCode::ConfirmBatch => "批次待確認完整",
        DutyCode::CompareBatch => "申請筆數待比對",
        DutyCode::StateNeed => "有無保存必要待確認",
        DutyCode::Destroy => "到期資料待銷毀",
        DutyCode::ClosePapers => "結案文件待登錄",
        DutyCode::DestroyCopy => "保管之複本待銷毀",
        DutyCode::RenewStanding => "常設核准將屆期",
        DutyCode::EndGrant => "核准使用期限將屆",
        DutyCode::ReviewHold => "暫緩銷毀案待檢討",
        DutyCode::Anchor => "登記簿待送見證",
        DutyCode::EndException => "規範例外將屆期",
        DutyCode::EndAccessLog => "存取紀錄月份已逾保存期限",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_what_the_screen_says() {
        let catalogue = include_str!("../../locale/zh-TW.po");
        for code in DutyCode::ALL {
            let pair = format!("msgid \"{}\"\nmsgstr \"{}\"\n", code.what(), what(*code));
            assert!(catalogue.contains(&pair), "{pair}");
        }
    }
}
