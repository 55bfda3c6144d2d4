//! The cells of 附件一: what each fact of a row says, in words.

use chrono_tz::Tz;

use crate::{
    domain::{
        certificate::Assurance, entry::PaperFacts, forms::Fact, intake::Compared,
        lifecycle::CopyState,
    },
    paper::{form::STRUCK, words},
    service::forms::{ComparedRow, EndByPeople, RegisterRow},
};

/// Where a sheet comes from, as far as its cells say it.
pub(super) struct Told<'a> {
    pub(super) zone: Tz,
    /// The site: where the agent destroys.
    pub(super) site: &'a str,
    /// Whether rows of several registers stand together, so that a serial number alone does not name one.
    pub(super) mixed: bool,
}

/// The cell of a fact.
pub(super) fn cell(fact: Fact, row: &RegisterRow, told: &Told<'_>) -> String {
    let zone = told.zone;
    let text = match fact {
        Fact::Serial => match told.mixed {
            true => format!("{}\n{}", row.serial, row.register),
            false => row.serial.to_string(),
        },
        Fact::NotifiedAt => words::time(row.notified_at, zone),
        Fact::Records => records(row),
        Fact::Purpose => row.purpose.clone(),
        Fact::BasisDocNo => row.basis_doc_no.clone(),
        Fact::UnitHandler => words::seals(&row.handlers, zone),
        Fact::Acquisition => acquisition(row),
        Fact::ItHandler => words::seals(&row.it_handlers, zone),
        Fact::Comparison => comparison(row, zone),
        Fact::UnitSupervisor => words::seals(&row.supervisors, zone),
        Fact::DestroyedAt => words::day(row.destroyed_at, zone),
        Fact::Remarks => remarks(row),
        Fact::Unit => row.unit.clone().unwrap_or_default(),
        Fact::Number => words::numbers(row),
        Fact::Table => table(row),
        Fact::Provider => row.provider.clone(),
        Fact::Delivery => match (&row.delivery, row.batch) {
            (Some(name), _) => name.clone(),
            (None, Some(_)) => "已銷毀".to_owned(),
            (None, None) => String::new(),
        },
        Fact::Applied => row.applied.map(words::number).unwrap_or_default(),
        Fact::ReceivedAt => words::time(row.received_at, zone),
        Fact::LoadedAt => words::time(row.loaded_at, zone),
        Fact::UseUntil => words::day(row.use_until, zone),
        Fact::CopyDocNo => allowed(row),
        Fact::KeyChannel => row.key_channel.as_deref().map(words::channel).unwrap_or_default(),
        fact => of_end(fact, row, told),
    };
    // What people typed never passes for a former value.
    text.replace(STRUCK, "")
}

/// The cells about the end of a batch.
fn of_end(fact: Fact, row: &RegisterRow, told: &Told<'_>) -> String {
    let zone = told.zone;
    let seal = |seal: &Option<_>| seal.as_ref().map(|one| words::seal(one, zone));
    let agent = row.copies.iter().any(|copy| copy.assurance.is_some());
    let ends = by_people(row);
    match fact {
        Fact::Requested => seal(&row.requested).unwrap_or_default(),
        Fact::Approved => seal(&row.approved).unwrap_or_default(),
        Fact::Order => row.order.map(|order| order.to_string()).unwrap_or_default(),
        Fact::Deadline => words::day(row.deadline, zone),
        Fact::Method => methods(row),
        Fact::Place => each(agent.then(|| told.site.to_owned()), &ends, |end| {
            let serial = end.serial.as_deref().unwrap_or_default();
            format!("{} {serial}", end.place).trim_end().to_owned()
        }),
        Fact::Performer => {
            let own = agent.then(|| "代理程式（batchward）".to_owned());
            each(own, &ends, |end| end.performer.clone())
        }
        Fact::Witness => each(None, &ends, |end| end.witness.clone()),
        Fact::Unrecoverable => recovery(row),
        Fact::LetterNo => letters(row, zone),
        Fact::Attachments => attachments(row, &ends),
        _ => String::new(),
    }
}

/// 無法復原確認: said once everything is gone, by the lowest level that was proved.
fn recovery(row: &RegisterRow) -> String {
    let lowest: Option<Assurance> = row.copies.iter().filter_map(|copy| copy.assurance).min();
    let done = row.destroyed_at.is_some();
    lowest.filter(|_| done).map(words::recovery).unwrap_or_default().to_owned()
}

/// 資料表號, with its title and kind.
fn table(row: &RegisterRow) -> String {
    let kind = match (row.kind.as_deref(), row.sequence) {
        (Some("full"), _) => "全檔".to_owned(),
        (Some(_), Some(sequence)) => format!("異動檔第{sequence}號"),
        _ => String::new(),
    };
    [row.table_no.as_str(), &row.title, &kind].join("\n").trim_end().to_owned()
}

/// What was received; what was stated, while it has not been counted.
fn records(row: &RegisterRow) -> String {
    match (row.counts.parsed, row.counts.declared) {
        (Some(parsed), _) => words::number(parsed),
        (None, Some(declared)) => format!("{}\n（通知）", words::number(declared)),
        (None, None) => String::new(),
    }
}

fn acquisition(row: &RegisterRow) -> String {
    let way = match row.strength.as_deref() {
        None => return String::new(),
        Some("by-hand") => "磁性媒體交換",
        Some(_) => "檔案傳輸",
    };
    let sure = row.strength.as_deref().map(words::strength).unwrap_or_default();
    format!("{way}\n{sure}；匯入後於系統內依核准使用案查詢")
}

/// 比對狀況: what the handler compared; before that, what the agent counted.
fn comparison(row: &RegisterRow, zone: Tz) -> String {
    if let Some(compared) = &row.compared {
        return by_the_handler(compared, zone);
    }
    let part = |name: &str, n: Option<u64>| n.map(|n| format!("{name}{}", words::number(n)));
    let counts = [
        part("通知", row.counts.declared),
        part("實收", row.counts.parsed),
        part("匯入", row.counts.committed),
        part("剔退", row.counts.rejected.filter(|n| *n > 0)),
    ];
    let counts = counts.into_iter().flatten().collect::<Vec<_>>().join("、");
    match (row.loaded_at, row.reason) {
        (Some(_), _) => format!("相符\n{counts}"),
        (None, Some(reason)) => {
            let counts = if counts.is_empty() { counts } else { format!("\n{counts}") };
            format!("{}{counts}", words::reason(reason))
        }
        (None, None) => counts,
    }
}

fn by_the_handler(compared: &ComparedRow, zone: Tz) -> String {
    let part = |name: &str, n: u64| format!("{name}{}", words::number(n));
    let mut counts = vec![
        part("申請", compared.applied),
        part("實收", compared.received),
        part("匯入", compared.loaded),
    ];
    counts.extend((compared.rejected > 0).then(|| part("剔退", compared.rejected)));
    let result = match compared.result {
        Compared::Match => "相符",
        Compared::Mismatch => "不符",
    };
    let mut lines = vec![result.to_owned(), counts.join("、")];
    lines.extend(compared.note.as_ref().map(|note| format!("說明：{}", words::cause(note))));
    lines.push(words::seal(&compared.by, zone));
    if let Some(accepted) = &compared.accepted {
        let why = compared.accepted_because.as_deref().unwrap_or_default();
        lines.push(format!("同意續辦：{}", words::cause(why)));
        lines.push(words::seal(accepted, zone));
    }
    lines.join("\n")
}

fn remarks(row: &RegisterRow) -> String {
    let mut remarks = vec![words::row_state(row)];
    if let Some(said) = &row.said {
        let what = match row.batch {
            Some(_) => "退件原因",
            None => "撤回原因",
        };
        remarks.push(format!("{what}：{}", words::cause(said)));
    }
    remarks.extend(row.joined.map(|serial| format!("併入序號 {serial}")));
    if let Some(hold) = row.hold {
        remarks.push(format!("暫緩銷毀 {hold}"));
    }
    if row.purpose_differs {
        remarks.push("提供機關所載使用目的與核准不同".to_owned());
    }
    if row.basis_differs {
        remarks.push("提供機關所載文號與核准不同".to_owned());
    }
    if !row.amendments.is_empty() {
        remarks.push("有更正，見附表".to_owned());
    }
    let gone = |copy: &&crate::service::forms::CopyEnd| copy.state == CopyState::Destroyed;
    let transfer = || row.copies.iter().filter(|copy| copy.kind == "transfer");
    if row.destroyed_at.is_none() && transfer().next().is_some() && transfer().all(|c| gone(&c)) {
        remarks.push("交付檔已先銷毀".to_owned());
    }
    remarks.join("\n")
}

/// 複製核准文號.
fn allowed(row: &RegisterRow) -> String {
    let mut numbers: Vec<&str> =
        row.copies.iter().filter_map(|copy| copy.approved_doc_no.as_deref()).collect();
    numbers.dedup();
    numbers.join("\n")
}

fn by_people(row: &RegisterRow) -> Vec<&EndByPeople> {
    row.copies.iter().filter_map(|copy| copy.by_people.as_ref()).collect()
}

/// What the agent did and what people did, each thing once.
fn each(own: Option<String>, ends: &[&EndByPeople], of: impl Fn(&EndByPeople) -> String) -> String {
    let mut lines: Vec<String> = own.into_iter().collect();
    for end in ends {
        let line = of(end);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}

/// 函報文號.
fn letters(row: &RegisterRow, zone: Tz) -> String {
    let line = |paper: &PaperFacts| {
        let number = paper.doc_no.as_deref()?;
        Some(format!("{number}\n{}", words::day(Some(paper.date), zone)))
    };
    row.papers.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

/// 佐證附件.
fn attachments(row: &RegisterRow, ends: &[&EndByPeople]) -> String {
    let mut lines = Vec::new();
    if let Some(digest) = &row.certificate {
        let short: String = digest.to_string().chars().take(16).collect();
        lines.push(format!("銷毀紀錄證明\nSHA-256 {short}…"));
    }
    let files = row.papers.iter().filter(|paper| paper.sha256.is_some()).count() as u64;
    let count = files + ends.iter().map(|end| end.evidence).sum::<u64>();
    if count > 0 {
        lines.push(format!("附件 {} 件", words::number(count)));
    }
    lines.join("\n")
}

/// 銷毀方法: the lowest level of each kind of copy.
fn methods(row: &RegisterRow) -> String {
    let mut lines = Vec::new();
    for kind in ["transfer", "vault", "case"] {
        let levels = row.copies.iter().filter(|copy| copy.kind == kind);
        if let Some(level) = levels.filter_map(|copy| copy.assurance).min() {
            lines.push(format!("{}：{}", words::copy_kind(kind), words::assurance(level)));
        }
    }
    for (copy, end) in row.copies.iter().filter_map(|copy| Some((copy, copy.by_people.as_ref()?))) {
        let line = format!("{}：{}", words::copy_kind(&copy.kind), words::method(end.method));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.join("\n")
}
