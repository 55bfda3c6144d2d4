//! Drafts about a destruction: the request (簽報單位主管核定), and the report of it (函知, 函報備查).

use chrono_tz::Tz;

use super::{BLANK, Letter, LetterKind, day, grounds, named, or_blank, serials};
use crate::{
    domain::{ids::OrderId, lifecycle::CopyState},
    paper::words,
    service::forms::{DestructionRecord, OrderRow, PlanLine, RegisterRow, StaffLine},
};

/// What is known of a batch of an order.
#[derive(Clone, Debug)]
pub struct Covered {
    /// Its record.
    pub record: DestructionRecord,
    /// Its rows in the register.
    pub rows: Vec<RegisterRow>,
    /// What it is due for.
    pub plan: Vec<PlanLine>,
}

/// The request.
#[must_use]
pub fn request(order: OrderId, covered: &[Covered], staff: &[StaffLine]) -> Option<Letter> {
    let source = &covered.first()?.record.source;
    let zone = words::zone(source);
    let subject = format!(
        "為銷毀戶役政資料{}批（銷毀案號{order}），擬請核定，請核示。",
        words::number(covered.len() as u64)
    );
    let mut letter = Letter::of(source, LetterKind::Memorandum, (None, subject), staff);
    letter.explained =
        vec![grounds(&clauses(covered)), batches("擬銷毀之資料如下：", covered, zone)];
    let row = of_order(order, covered);
    // Who asks for it is who drafts this.
    if let (Some(seal), Some((_, drafts))) =
        (row.and_then(|row| row.requested.as_ref()), letter.seats.first_mut())
    {
        *drafts = vec![words::name(seal)];
    }
    letter.explained.push(format!(
        "銷毀事由：{}。",
        or_blank(row.map(|row| words::cause(&row.reason)).as_deref())
    ));
    letter.explained.push(copies(order, covered));
    letter.proposed = vec![
        "奉核定後，由系統依核定範圍銷毀並驗證，銷毀紀錄證明附卷備查。".to_owned(),
        "列於案內之可攜式媒體及紙本，由保管人會同監毀人員依規定方式銷毀並登錄，佐證資料附卷。"
            .to_owned(),
        "銷毀情形登載於登記簿；規定應副知或函報者，另案辦理。".to_owned(),
    ];
    Some(letter)
}

/// The report, of a vendor to the agency or of a centre to its superior, as `to` says; blank where nobody is named.
#[must_use]
pub fn report(
    order: OrderId,
    covered: &[Covered],
    to: Option<String>,
    staff: &[StaffLine],
) -> Option<Letter> {
    let source = &covered.first()?.record.source;
    let zone = words::zone(source);
    let subject = format!("檢送本機關戶役政資料銷毀情形（銷毀案號{order}）及佐證資料1份，請備查。");
    let mut letter = Letter::of(source, LetterKind::Letter, (to, subject), staff);
    letter.explained = vec![
        grounds(&clauses(covered)),
        batches("已銷毀之資料如下：", covered, zone),
        ends(order, covered, zone),
    ];
    let row = of_order(order, covered);
    let digest = row.and_then(|row| row.certificate).map(|digest| digest.to_string());
    letter.explained.push(format!(
        "銷毀紀錄證明之雜湊值（SHA-256）：{}，可以登記簿之驗證金鑰查驗。",
        or_blank(digest.as_deref())
    ));
    letter.attached = Some("銷毀紀錄證明及佐證資料".to_owned());
    Some(letter)
}

fn of_order(order: OrderId, covered: &[Covered]) -> Option<&OrderRow> {
    covered.iter().flat_map(|one| &one.record.orders).find(|row| row.order == order)
}

fn clauses(covered: &[Covered]) -> Vec<&str> {
    let mut ids: Vec<&str> =
        covered.iter().flat_map(|one| &one.plan).map(|line| line.clause.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The batches, a line each.
fn batches(head: &str, covered: &[Covered], zone: Tz) -> String {
    let mut lines = vec![head.to_owned()];
    for (n, one) in covered.iter().enumerate() {
        let row = &one.record.row;
        lines.push(format!(
            "（{}）{}，提供機關{}，實收{}筆，核准使用期限{}，銷毀期限{}。",
            n + 1,
            named(row, &serials(&one.rows)),
            or_blank(Some(&row.provider)),
            super::count(row.counts.parsed),
            day(row.use_until, zone),
            day(row.deadline, zone),
        ));
    }
    lines.join("\n")
}

/// How many copies of each kind an order covers.
fn copies(order: OrderId, covered: &[Covered]) -> String {
    let total: u64 = covered
        .iter()
        .filter_map(|one| one.record.orders.iter().find(|row| row.order == order))
        .map(|row| row.copies)
        .sum();
    let mut kinds: Vec<(&str, u64)> = Vec::new();
    for copy in covered.iter().flat_map(|one| &one.record.copies) {
        if copy.state == CopyState::Destroyed && copy.order != Some(order) {
            continue;
        }
        let kind = words::copy_kind(&copy.kind);
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, n)) => *n += 1,
            None => kinds.push((kind, 1)),
        }
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, n)| format!("{kind}{n}份")).collect();
    format!(
        "案內複本計{}份；案內批次現存之複本：{}。",
        words::number(total),
        if kinds.is_empty() { BLANK.to_owned() } else { kinds.join("、") }
    )
}

/// How it went: when, by which method, and what may be said of it.
fn ends(order: OrderId, covered: &[Covered], zone: Tz) -> String {
    let mut lines = vec!["銷毀日期、方法及驗證結果：".to_owned()];
    for (n, one) in covered.iter().enumerate() {
        let copies = one.record.copies.iter().filter(|copy| copy.order == Some(order));
        let mut said: Vec<String> = Vec::new();
        for copy in copies {
            let kind = words::copy_kind(&copy.kind);
            let how = match (&copy.by_people, copy.assurance) {
                (Some(end), _) => format!(
                    "{}（執行人{}，會同監毀人{}）",
                    words::method(end.method),
                    end.performer,
                    end.witness
                ),
                (None, Some(level)) => {
                    format!("{}，{}", words::assurance(level), words::recovery(level))
                }
                (None, None) => BLANK.to_owned(),
            };
            let line = format!("{kind}於{}銷毀，{how}", day(copy.wiped_at, zone));
            if !said.contains(&line) {
                said.push(line);
            }
        }
        let said = if said.is_empty() {
            format!("{BLANK}（尚無銷毀紀錄）")
        } else {
            said.join("；")
        };
        let number = one.record.row.number.as_deref().unwrap_or("（無編號）");
        lines.push(format!("（{}）{number}：{said}。", n + 1));
    }
    lines.join("\n")
}
