//! The certificate of destruction (銷毀紀錄證明) as a form. The signed file is what proves; this is it on paper.

use chrono_tz::Tz;

use super::{
    form::{Column, Form, Seat, Table},
    words,
};
use crate::domain::{
    calendar,
    certificate::{Assurance, Certificate},
    digest::Digest,
};

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
            copy.medium.clone(),
            words::number(copy.bytes),
            copy.sha256.map(|digest| digest.to_string()).unwrap_or_default(),
            format!("{}\n{}", copy.method, copy.verification),
            format!("{}\n{}", words::assurance(copy.assurance), words::recovery(copy.assurance)),
            format!("{}\n#{}", calendar::roc_time(copy.at, zone), copy.proof.seq),
        ]
    });
    let lowest = certificate.copies.iter().map(|copy| copy.assurance).min();
    let signed = |name: &str, at| format!("{name}\n{}", calendar::roc_time(at, zone));
    let seat = |office, signed| Seat { office, signed: Some(signed) };
    Form {
        agency: certificate.place.clone(),
        title: "銷毀紀錄證明".to_owned(),
        heads: vec![
            pair("銷毀案號", certificate.order.to_string()),
            pair("批次", batches.join("、")),
            pair("事由", certificate.reason.clone()),
            pair("工具", certificate.tool.clone()),
            pair("重試次數", words::number(certificate.retries)),
            pair("簽發時間", calendar::roc_time(certificate.at, zone)),
            pair("確認", lowest.map(|level: Assurance| words::recovery(level)).unwrap_or("").to_owned()),
        ],
        tables: vec![Table {
            name: "銷毀之複本".to_owned(),
            columns: COPIES.to_vec(),
            rows: rows.collect(),
        }],
        seats: vec![
            seat("簽報人", signed(&certificate.requested_by, certificate.requested_at)),
            seat("核定人", signed(&certificate.approved_by, certificate.approved_at)),
            seat("執行人", signed(&certificate.executed_by, certificate.at)),
        ],
        notes: vec![
            "本頁為經簽署證明檔之紙本；證明力在該檔及登記簿之納入證明，以 batchward certificate verify 驗證。".to_owned(),
        ],
        proof: proof(certificate, file),
        foot: format!("batchward/{}　{}　SHA-256 {file}", certificate.site, certificate.order),
        made_at: certificate.at.to_string(),
    }
}

fn proof(certificate: &Certificate, file: Digest) -> Vec<String> {
    let mut lines = vec![format!("證明檔 SHA-256：{file}"), "其納入證明所依之查核點：".to_owned()];
    lines.extend(certificate.checkpoint.lines().map(str::to_owned));
    lines.push(format!("驗證：batchward certificate verify FILE --key '{}'", certificate.vkey));
    lines
}
