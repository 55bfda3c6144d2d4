//! The certificate of destruction (銷毀紀錄證明) as a form. The signed file is what proves; this is it on paper.

use chrono_tz::Tz;

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::domain::{
    calendar,
    certificate::{Assurance, AttestedCopy, Certificate, CertifiedCopy},
    digest::Digest,
    entry::AGENT,
    step::BackupFacts,
};

const ATTESTED: [Column; 8] = [
    Column::short("複本", 9),
    Column::short("批次", 9),
    Column::text("種類及媒體", 14),
    Column::text("序號及型號", 16),
    Column::text("方法、工具及結果", 18),
    Column::text("地點", 12),
    Column::text("執行人及會同（監毀）人", 18),
    Column::short("時間及登記序號", 10),
];

const COPIES: [Column; 9] = [
    Column::short("複本", 9),
    Column::short("批次", 9),
    Column::short("種類", 7),
    Column::short("媒體", 6),
    Column::short("位元組數", 9),
    Column::text("SHA-256", 18),
    Column::text("方法及驗證", 22),
    Column::text("確認", 14),
    Column::short("時間及登記序號", 10),
];

/// The form of a certificate whose signed file has the digest `file`. What it says must have been verified before.
#[must_use]
pub fn form(certificate: &Certificate, file: Digest, zone: Tz) -> Form {
    let pair = |label: &str, value: String| (label.to_owned(), value);
    let batches: Vec<String> = certificate.batches.iter().map(ToString::to_string).collect();
    let rows = certificate.copies.iter().map(|copy| {
        vec![
            copy.copy.to_string(),
            copy.batch.to_string(),
            words::copy_kind(&copy.kind).to_owned(),
            medium(copy),
            words::number(copy.bytes),
            copy.sha256.map(|digest| digest.to_string()).unwrap_or_default(),
            format!("{}\n{}", copy.method, copy.verification),
            stated(copy),
            format!("{}\n#{}", calendar::roc_time(copy.at, zone), copy.proof.seq),
        ]
    });
    let lowest = certificate.copies.iter().map(|copy| copy.assurance).min();
    let signed = |name: &str, at| format!("{name}\n{}", calendar::roc_time(at, zone));
    let seat = |office: &'static str, signed| Seat { signed: Some(signed), ..Seat::blank(office) };
    Form {
        agency: certificate.place.clone(),
        title: "銷毀紀錄證明".to_owned(),
        heads: vec![
            pair("銷毀案號", certificate.order.to_string()),
            pair("批次", batches.join("、")),
            pair("事由", words::cause(&certificate.reason)),
            pair("工具", certificate.tool.clone()),
            pair("重試次數", words::number(certificate.retries)),
            pair("含本系統資料之備份", backups(certificate)),
            pair("簽發時間", calendar::roc_time(certificate.at, zone)),
            pair(
                "確認",
                lowest.map(|level: Assurance| words::recovery(level)).unwrap_or("").to_owned(),
            ),
        ],
        cover: None,
        tables: tables(certificate, rows.collect(), zone),
        seats: vec![
            seat(
                "簽報人",
                signed(&who(certificate, &certificate.requested_by), certificate.requested_at),
            ),
            seat("核定人", approved(certificate, zone)),
            seat("執行人", performers(certificate, zone)),
        ],
        notes: notes(certificate),
        proof: proof(certificate, file),
        foot: format!("batchward/{}　{}　SHA-256 {file}", certificate.site, certificate.order),
        made_at: certificate.at.to_string(),
        one_page: false,
    }
}

/// Who approved: by a signature, or on paper.
fn approved(certificate: &Certificate, zone: Tz) -> String {
    let signed = |name: &str, at| format!("{name}\n{}", calendar::roc_time(at, zone));
    if certificate.on_paper.is_empty() {
        return signed(&who(certificate, &certificate.approved_by), certificate.approved_at);
    }
    let further = certificate.further_approvals.iter().map(|one| (&one.by, one.at));
    let last = (&certificate.approved_by, certificate.approved_at);
    let one = |(by, at): (&String, _)| {
        let paper = certificate.on_paper.iter().find(|paper| paper.by == *by);
        paper.map_or_else(
            || signed(&who(certificate, by), at),
            |paper| {
                let day = calendar::roc_day(paper.on, zone);
                let [one, two] =
                    [&paper.entered_by, &paper.confirmed_by].map(|by| who(certificate, by));
                format!(
                    "{}\n依紙本核定 {} {day}\n登錄 {one}、確認 {two}",
                    who(certificate, by),
                    paper.doc_no
                )
            },
        )
    };
    further.chain([last]).map(one).collect::<Vec<_>>().join("\n")
}

/// The filesystem that it lay on, and the disk below, where the system told it.
fn medium(copy: &CertifiedCopy) -> String {
    let ground = copy.report.as_ref().map(|report| &report.ground);
    let disk = ground.map(|ground| [ground.model.clone(), ground.serial.clone()]);
    let parts = [Some(copy.medium.clone())].into_iter().chain(disk.into_iter().flatten());
    parts.flatten().collect::<Vec<_>>().join("\n")
}

/// What is stated of a copy, and why it is not more.
fn stated(copy: &CertifiedCopy) -> String {
    let sanitization = copy.sanitization.map(|does| format!("（{does}）")).unwrap_or_default();
    let level = words::assurance(copy.assurance);
    let mut lines =
        vec![format!("{level}{sanitization}"), words::recovery(copy.assurance).to_owned()];
    lines.extend(copy.why.iter().map(|why| format!("・{}", why.words.zh)));
    lines.join("\n")
}

fn tables(certificate: &Certificate, wiped: Vec<Vec<String>>, zone: Tz) -> Vec<Table> {
    let table = |name: &str, columns: &[Column], rows| Table {
        name: name.to_owned(),
        columns: columns.to_vec(),
        rows,
    };
    let mut tables = vec![table("程式銷毀之複本", &COPIES, wiped)];
    if !certificate.attested.is_empty() {
        let rows = certificate.attested.iter().map(|copy| attested(copy, zone)).collect();
        tables.push(table("人員銷毀之複本（媒體及紙本）", &ATTESTED, rows));
    }
    tables
}

fn attested(copy: &AttestedCopy, zone: Tz) -> Vec<String> {
    let (facts, end) = (&copy.facts, &copy.end);
    let lines = |parts: &[Option<String>]| {
        parts.iter().flatten().map(String::as_str).collect::<Vec<_>>().join("\n")
    };
    let evidence: Vec<String> =
        end.evidence.iter().map(|digest| format!("附件 SHA-256 {digest}")).collect();
    let evidence = Some(evidence.join("\n")).filter(|text| !text.is_empty());
    let reuse = end.reuse_doc_no.as_ref().map(|doc_no| format!("准予再用：{doc_no}"));
    vec![
        copy.copy.to_string(),
        copy.batch.to_string(),
        format!("{}\n{}", words::copy_kind(facts.kind.word()), words::medium(facts.medium)),
        lines(&[facts.serial.clone(), facts.model.clone(), facts.property_no.clone()]),
        lines(&[
            Some(format!("{}（{}）", words::method(end.method), copy.sanitization)),
            end.tool.clone(),
            reuse,
            Some(copy.in_words.zh.clone()),
            evidence,
        ]),
        end.place.clone(),
        format!("{}\n{}", end.performer, copy.witness),
        format!("{}\n#{}", calendar::roc_time(end.at, zone), copy.record.seq),
    ]
}

/// A person as he was then, and for whom he stood in.
fn who(certificate: &Certificate, account: &str) -> String {
    let person = certificate.people.iter().find(|person| person.account == account);
    person.map_or_else(|| account.to_owned(), words::certified)
}

/// The agent where it wiped something, and whoever destroyed what people kept.
fn performers(certificate: &Certificate, zone: Tz) -> String {
    let agent = (!certificate.copies.is_empty()).then(|| match certificate.executed_by.as_str() {
        AGENT => "代理程式（batchward）".to_owned(),
        by => who(certificate, by),
    });
    let mut names: Vec<String> = agent.into_iter().collect();
    for copy in &certificate.attested {
        let performer = who(certificate, &copy.end.performer);
        if !names.contains(&performer) {
            names.push(performer);
        }
    }
    format!("{}\n{}", names.join("、"), calendar::roc_time(certificate.at, zone))
}

/// Backups as they are stated.
fn backups(certificate: &Certificate) -> String {
    match certificate.backups.as_deref() {
        None => "未聲明".to_owned(),
        Some([]) => "聲明無".to_owned(),
        Some(named) => {
            let one = |backup: &BackupFacts| {
                format!("{}（{}，保存 {}）", backup.name, backup.place, backup.keeps)
            };
            named.iter().map(one).collect::<Vec<_>>().join("、")
        }
    }
}

fn notes(certificate: &Certificate) -> Vec<String> {
    let mut notes = vec![
        "本頁為經簽署證明檔之紙本；證明力在該檔及登記簿之納入證明，以 batchward certificate verify 驗證。".to_owned(),
        "括號內為 NIST SP 800-88 之類別：clear 清除、purge 徹底清除、destroy 銷毀。".to_owned(),
    ];
    notes.extend(certificate.beyond.iter().map(|beyond| format!("本證明不涵蓋：{}。", beyond.zh)));
    notes
}

fn proof(certificate: &Certificate, file: Digest) -> Vec<String> {
    let mut lines = vec![format!("證明檔 SHA-256：{file}"), "其納入證明所依之查核點：".to_owned()];
    lines.extend(certificate.checkpoint.lines().map(str::to_owned));
    lines.push(format!("驗證：batchward certificate verify FILE --key '{}'", certificate.vkey));
    lines
}
