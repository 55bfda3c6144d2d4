//! What the register has on each item of 附件二: one small function an item. A box is ticked where the register proves it
//! or the program does not let it be otherwise; everything else is stated beside it for whoever assesses.

use super::{Given, Proven};
use crate::domain::{
    accounts::Role,
    audits::{AuditKind, ReportKind, Verdict},
    duty::{DutyCode, DutyState},
    entry::AccountFacts,
    lifecycle::{BatchState, GrantState},
    link::LinkStatus,
    view::Account,
};

/// What looks an item up.
pub(super) type Prove = fn(&Given<'_>) -> Proven;

/// Batches that are named, at most.
const NAMED_MAX: usize = 10;

/// The items that the register has something on. What has nothing here is left to whoever assesses.
pub(super) const EVIDENCE: &[(&str, Prove)] = &[
    ("1.1", custodians),
    ("1.2", changes),
    ("1.3", changes),
    ("1.4", changes),
    ("1.5", roster),
    ("2.1", administrators),
    ("2.3", applied),
    ("2.4", no_passwords),
    ("2.6", own_keys),
    ("2.7", no_passwords),
    ("2.8", own_keys),
    ("2.9", disabled),
    ("2.10", own_keys),
    ("2.11", roles),
    ("2.12", reviewed),
    ("2.13", disabled),
    ("3.1", grants),
    ("3.2", link_reviews),
    ("4.1", logged),
    ("4.2", kept),
    ("4.3", guarded),
    ("4.4", samples),
    ("5.1", links),
    ("5.2", custodians),
    ("5.3", custodians),
    ("5.4", complete),
    ("5.5", destroyed),
    ("6.1", looked_through),
    ("6.2", corrected),
    ("6.5", internal),
    ("6.6", external),
    ("7.1", trained),
    ("8", plans),
];

fn active<'a>(given: &'a Given<'_>) -> impl Iterator<Item = &'a AccountFacts> {
    given.view.accounts.values().filter_map(Account::active)
}

fn with_role(given: &Given<'_>, role: Role) -> Vec<String> {
    active(given)
        .filter(|facts| facts.roles.contains(&role))
        .map(|facts| facts.display.clone().unwrap_or_else(|| facts.name.clone()))
        .collect()
}

/// Whoever has a role; that somebody was appointed is proven elsewhere.
fn holders(given: &Given<'_>, role: Role, title: &str) -> Proven {
    let names = with_role(given, role);
    if names.is_empty() {
        return Proven::default();
    }
    Proven::stated(format!("具{title}角色之帳號：{}", names.join("、")))
}

fn custodians(given: &Given<'_>) -> Proven {
    holders(given, Role::Custodian, "專責人員")
}

fn administrators(given: &Given<'_>) -> Proven {
    holders(given, Role::Admin, "機關管理人")
}

fn roster(given: &Given<'_>) -> Proven {
    let vendors = with_role(given, Role::Vendor).len();
    let all = active(given).count();
    Proven::stated(format!("登記簿載有現行帳號 {all} 個（含委辦機構或委外廠商 {vendors} 個）"))
}

fn applied(given: &Given<'_>) -> Proven {
    let off = given.view.accounts.values().filter(|account| account.disabled).count();
    let all = active(given).count();
    Proven::of(
        Verdict::Conforms,
        format!("帳號之申請、他人確認及停用均登錄日期及簽署：現行 {all} 個、停用 {off} 個"),
    )
}

fn no_passwords(_: &Given<'_>) -> Proven {
    Proven::of(Verdict::NotApplicable, "帳號以 SSH 金鑰簽章或作業系統帳號辨識，系統無密碼")
}

fn own_keys(given: &Given<'_>) -> Proven {
    let all = active(given).count();
    Proven::of(
        Verdict::Conforms,
        format!("一金鑰及一系統帳號僅屬一帳號，由系統強制；現行帳號 {all} 個"),
    )
}

fn disabled(given: &Given<'_>) -> Proven {
    let off = given.view.accounts.values().filter(|account| account.disabled).count();
    Proven::stated(format!("登記簿載有停用帳號 {off} 個及其時間；停用即時生效"))
}

fn roles(given: &Given<'_>) -> Proven {
    let of = |role: Role, title: &str| format!("{title} {}", with_role(given, role).len());
    let counts = [
        of(Role::Custodian, "專責人員"),
        of(Role::Handler, "業務單位承辦人"),
        of(Role::Supervisor, "單位主管"),
        of(Role::Auditor, "稽核人"),
        of(Role::Admin, "機關管理人"),
        of(Role::Vendor, "委辦機構"),
    ];
    Proven::of(
        Verdict::Conforms,
        format!("權限依角色設定（{}），查詢另依個別授權之欄位及期限", counts.join("、")),
    )
}

fn grants(given: &Given<'_>) -> Proven {
    let (mut all, mut denied, mut waiting) = (0, 0, 0);
    for (_, grant) in given.view.grants.iter() {
        all += 1;
        match grant.state {
            GrantState::Denied => denied += 1,
            GrantState::Applied => waiting += 1,
            _ => {}
        }
    }
    if all == 0 {
        return Proven::default();
    }
    Proven::of(
        Verdict::Conforms,
        format!(
            "使用申請 {all} 件：核准 {}、不同意 {denied}、待審 {waiting}，均由申請人以外之主管決定",
            all - denied - waiting
        ),
    )
}

fn logged(given: &Given<'_>) -> Proven {
    let months = given.view.access_keys.len();
    if months == 0 {
        return Proven::default();
    }
    Proven::of(
        Verdict::Conforms,
        format!(
            "查詢前先登錄查詢者、時間、對象、案號及事由，由系統強制；日誌按連結按月計 {months} 份"
        ),
    )
}

fn kept(given: &Given<'_>) -> Proven {
    let keys = &given.view.access_keys;
    if keys.is_empty() {
        return Proven::default();
    }
    let gone = keys.values().filter(|key| key.destroyed.is_some()).count();
    let checkpoint = given.view.access_checkpoint.map_or_else(String::new, |(_, size)| {
        format!("；最近之日誌查核點 {size} 筆，登錄於登記簿")
    });
    Proven::of(
        Verdict::Conforms,
        format!(
            "日誌按連結按月計 {} 份，保存中 {}、保存期滿經核定銷毀 {gone}{checkpoint}",
            keys.len(),
            keys.len() - gone
        ),
    )
}

fn guarded(given: &Given<'_>) -> Proven {
    if given.view.access_keys.is_empty() {
        return Proven::default();
    }
    Proven::of(
        Verdict::Conforms,
        "日誌為雜湊鏈並有簽署之查核點，限稽核人查閱且逐次留紀錄；未屆保存期限不得銷毀，期滿須二人辦理",
    )
}

fn links(given: &Given<'_>) -> Proven {
    let links = given.rules.links.values().filter(|link| link.status == LinkStatus::Active);
    let count = links.count();
    if count == 0 {
        return Proven::default();
    }
    Proven::of(
        Verdict::Conforms,
        format!("使用中之連結作業 {count} 個，均設定使用單位、核准欄位及核准期限，設定變更須二人"),
    )
}

fn complete(given: &Given<'_>) -> Proven {
    let count = |state| given.view.count_in(state);
    let all: usize = BatchState::ALL.iter().map(|state| count(*state)).sum();
    if all == 0 {
        return Proven::default();
    }
    Proven::of(
        Verdict::Conforms,
        format!(
            "收檔 {all} 批，逐批核對雜湊、筆數及異動檔序號並登錄；現隔離 {} 批",
            count(BatchState::Quarantined)
        ),
    )
}

/// What was owed of these: late ones fail the item; where some were fulfilled, and all of them in time, it conforms. Where
/// some were fulfilled late, whoever assesses says what that is.
fn owed(given: &Given<'_>, codes: &[DutyCode], title: &str) -> Proven {
    let mut done = Vec::new();
    let mut late = Vec::new();
    let mut made_up = 0;
    for duty in given.duties.iter().filter(|duty| codes.contains(&duty.code)) {
        let named = match &duty.link {
            Some(link) if *link != duty.object => format!("{link} {}", duty.object),
            _ => duty.object.clone(),
        };
        match duty.state(given.on) {
            DutyState::Overdue => late.push(format!("{named}（{}）", duty.clause)),
            DutyState::Done => done.push(named),
            DutyState::DoneLate => {
                made_up += 1;
                done.push(named);
            }
            DutyState::Open => {}
        }
    }
    let shown = |rows: &[String]| {
        let more = if rows.len() > NAMED_MAX { "等" } else { "" };
        let rows: Vec<&str> = rows.iter().take(NAMED_MAX).map(String::as_str).collect();
        format!("{}{more}", rows.join("、"))
    };
    if !late.is_empty() {
        return Proven::of(
            Verdict::Fails,
            format!("{title}逾期 {} 件：{}", late.len(), shown(&late)),
        );
    }
    if done.is_empty() {
        return Proven::default();
    }
    if made_up > 0 {
        let all = done.len();
        return Proven::stated(format!(
            "{title}已辦 {all} 件，其中逾期補辦 {made_up} 件：{}",
            shown(&done)
        ));
    }
    let text = format!("{title}已辦 {} 件，無逾期：{}", done.len(), shown(&done));
    Proven::of(Verdict::Conforms, text)
}

fn changes(given: &Given<'_>) -> Proven {
    owed(given, &[DutyCode::TellOfChange], "職務異動之通知")
}

fn reviewed(given: &Given<'_>) -> Proven {
    owed(given, &[DutyCode::ReviewAccounts], "帳號清查")
}

fn link_reviews(given: &Given<'_>) -> Proven {
    owed(given, &[DutyCode::ReviewLink], "連結作業年度檢視")
}

fn samples(given: &Given<'_>) -> Proven {
    owed(given, &[DutyCode::DrawSample, DutyCode::ReviewSample], "抽查")
}

fn corrected(given: &Given<'_>) -> Proven {
    owed(given, &[DutyCode::CorrectFinding], "缺失改善")
}

fn trained(given: &Given<'_>) -> Proven {
    owed(given, &[DutyCode::Train], "年度訓練時數")
}

/// Orders against deadlines.
fn destroyed(given: &Given<'_>) -> Proven {
    let late: Vec<String> = given
        .duties
        .iter()
        .filter(|duty| duty.code == DutyCode::Destroy && duty.state(given.on) == DutyState::Overdue)
        .map(|duty| duty.object.clone())
        .collect();
    if !late.is_empty() {
        let named = late.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join("、");
        return Proven::of(Verdict::Fails, format!("逾期未銷毀 {} 件：{named}", late.len()));
    }
    let (mut all, mut certified) = (0, 0);
    for (_, order) in given.view.orders.iter() {
        all += 1;
        certified += usize::from(order.certificate.is_some());
    }
    if all == 0 {
        return Proven::default();
    }
    let text = format!(
        "銷毀案 {all} 件，由簽報人以外之主管核定，已發銷毀紀錄證明 {certified} 件；現無逾期"
    );
    let made_up = given
        .duties
        .iter()
        .filter(|duty| duty.code == DutyCode::Destroy)
        .filter(|duty| duty.state(given.on) == DutyState::DoneLate)
        .count();
    if made_up > 0 {
        return Proven::stated(format!("{text}，其中逾期補辦 {made_up} 件"));
    }
    Proven::of(Verdict::Conforms, text)
}

fn looked_through(given: &Given<'_>) -> Proven {
    let reports = given.view.audits.reports.values();
    let signed: Vec<String> = reports
        .filter(|row| row.kind == ReportKind::Use && row.signed.is_some())
        .map(|row| format!("{}（登記簿第 {} 筆）", row.period, row.made.seq))
        .collect();
    if signed.is_empty() {
        return Proven::default();
    }
    let shown: Vec<String> = signed.iter().rev().take(NAMED_MAX).cloned().collect();
    Proven::stated(format!("經核閱之使用報表 {} 份：{}", signed.len(), shown.join("、")))
}

/// Audits of kinds: every period whose last day is past has one that two people signed.
fn audited(given: &Given<'_>, codes: &[DutyCode], kinds: &[AuditKind]) -> Proven {
    let owed = || given.duties.iter().filter(|duty| codes.contains(&duty.code));
    let late: Vec<String> = owed()
        .filter(|duty| duty.state(given.on) == DutyState::Overdue)
        .map(|duty| format!("{}（{}）", duty.object, duty.clause))
        .collect();
    if !late.is_empty() {
        return Proven::of(Verdict::Fails, format!("應辦而逾期：{}", late.join("、")));
    }
    let rows = given.view.audits.audits.iter().filter(|(_, row)| kinds.contains(&row.terms.kind));
    let done: Vec<String> = rows
        .filter(|(_, row)| row.signed.is_some())
        .filter_map(|(id, row)| {
            let record = row.record.as_ref()?;
            let facts = &record.facts;
            Some(format!(
                "{id} {} {} {}（登記簿第 {} 筆）",
                facts.terms.period, facts.terms.of, facts.doc_no, record.mark.seq
            ))
        })
        .collect();
    if done.is_empty() {
        return Proven::default();
    }
    let text = done.join("\n");
    // A box is ticked where a period was owed, and none is or was late.
    let made_up = owed().any(|duty| duty.state(given.on) == DutyState::DoneLate);
    if !made_up && owed().any(|duty| duty.done.is_some()) {
        Proven::of(Verdict::Conforms, text)
    } else {
        Proven::stated(text)
    }
}

fn internal(given: &Given<'_>) -> Proven {
    audited(given, &[DutyCode::AuditInternal], &[AuditKind::Internal])
}

fn external(given: &Given<'_>) -> Proven {
    audited(
        given,
        &[DutyCode::AuditExternal, DutyCode::AuditVendor],
        &[AuditKind::External, AuditKind::Vendor],
    )
}

fn plans(given: &Given<'_>) -> Proven {
    let count = given.view.audits.audits.len();
    if count == 0 {
        return Proven::default();
    }
    Proven::stated("近二年稽核計畫見附表")
}
