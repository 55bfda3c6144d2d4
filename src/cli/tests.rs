//! The schemas of `--json` in `docs/json` are what the types give.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use schemars::{JsonSchema, generate::SchemaSettings};

use super::shapes;
use crate::{
    domain::{entry::ConfigChange, time::Timestamp},
    service::{
        Reply,
        access_keys::AccessKeyLine,
        applications::LinkPage,
        auditing::{AuditPage, assessment::Assessment},
        copies::InventoryLine,
        duties::DutyPage,
        expected::ExpectedPage,
        forms::{BatchHistory, DestructionRecord, DutyList, OwedList, Sheet, Slip},
        handovers::HandoverLine,
        incidents::IncidentLine,
        inspecting::AccessLine,
        kept_papers::PaperLine,
        notifying::NoticeRow,
        people::{PeoplePage, ReviewPage, Roster},
        plan::PlanLine,
        query::{CheckpointText, WitnessLine},
        receipts::ReceiptText,
        sampling::{FindingLine, SampleLine},
        show::{AccountLine, BatchPage, BatchRow, GrantLine, HoldLine, OrderLine, StandingLine},
        status::{StatusPage, TodayPage},
    },
    verify, wiring,
};

/// An entry of the register, as `register show` gives it. What is in `body`, only ever grows: src/domain/entry.rs.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "its schema is what counts")]
struct RegisterRow {
    /// Place in the register, from 0.
    seq: u64,
    /// Version of this form.
    v: u32,
    /// When.
    at: Timestamp,
    /// Account, or `agent`.
    by: String,
    /// The appointment by which a deputy did it for somebody else.
    #[schemars(skip_serializing_if = "Option::is_none")]
    deputy: Option<String>,
    /// Number of the system user who asked, in the first entry of the account from there.
    #[schemars(skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    /// What happened: `type`, and what belongs to it.
    body: BTreeMap<String, serde_json::Value>,
}

fn schema<T: JsonSchema>() -> String {
    let schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
}

/// Each word that answers in JSON, with the schema of its answer.
fn schemas() -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("access-export", schema::<shapes::Exported>()),
        ("access-keys", schema::<Vec<AccessKeyLine>>()),
        ("access-show", schema::<Vec<AccessLine>>()),
        ("account-list", schema::<Vec<AccountLine>>()),
        ("audit-document-list", schema::<Vec<PaperLine>>()),
        ("audit-document-show", schema::<PaperLine>()),
        ("account-review", schema::<ReviewPage>()),
        ("account-roster", schema::<Roster>()),
        ("appointment-list", schema::<PeoplePage>()),
        ("audit-finding-list", schema::<Vec<FindingLine>>()),
        ("audit-sample-list", schema::<Vec<SampleLine>>()),
        ("audit-verify", schema::<verify::sample::SampleReport>()),
        ("audit-self-assessment", schema::<Assessment>()),
        ("audit-pack-verify", schema::<verify::pack::PackReport>()),
        ("audit-list", schema::<AuditPage>()),
        ("batch-history", schema::<BatchHistory>()),
        ("batch-list", schema::<Vec<BatchRow>>()),
        ("batch-notices", schema::<Vec<NoticeRow>>()),
        ("batch-show", schema::<BatchPage>()),
        ("certificate-verify", schema::<shapes::CertificateVerified>()),
        ("check", schema::<wiring::Examined>()),
        ("config-show", schema::<Vec<ConfigChange>>()),
        ("copy-list", schema::<Vec<InventoryLine>>()),
        ("media-methods", schema::<Vec<super::inventory::MethodLine>>()),
        ("destroy-list", schema::<Vec<OrderLine>>()),
        ("destroy-plan", schema::<Vec<PlanLine>>()),
        ("destroy-record", schema::<DestructionRecord>()),
        ("destroy-slip", schema::<Slip>()),
        ("duties-list", schema::<DutyList>()),
        ("duties-report", schema::<OwedList>()),
        ("evidence-verify", schema::<verify::evidence::EvidenceReport>()),
        ("grant-list", schema::<Vec<GrantLine>>()),
        ("handover-list", schema::<Vec<HandoverLine>>()),
        ("handover-show", schema::<HandoverLine>()),
        ("hold-list", schema::<Vec<HoldLine>>()),
        ("incident-list", schema::<Vec<IncidentLine>>()),
        ("pack", schema::<wiring::Packed>()),
        ("link-expected", schema::<Vec<ExpectedPage>>()),
        ("link-list", schema::<Vec<LinkPage>>()),
        ("link-show", schema::<LinkPage>()),
        ("duties", schema::<DutyPage>()),
        ("link-test", schema::<wiring::SourceTest>()),
        ("notices-test", schema::<wiring::NoticeTest>()),
        ("policy-check", schema::<shapes::PolicyChecked>()),
        ("policy-diff", schema::<Vec<wiring::DiffLine>>()),
        ("policy-explain", schema::<wiring::PolicyPage>()),
        ("policy-list", schema::<Vec<wiring::PolicyLine>>()),
        ("reasons", schema::<Vec<shapes::ReasonCode>>()),
        ("receipt-show", schema::<ReceiptText>()),
        ("receipt-verify", schema::<super::receipt::ReceiptVerified>()),
        ("register-export", schema::<Sheet>()),
        ("register-checkpoint", schema::<CheckpointText>()),
        ("register-prove", schema::<shapes::ProofMade>()),
        ("register-show", schema::<Vec<RegisterRow>>()),
        ("register-verify", schema::<verify::Report>()),
        ("reply", schema::<Reply>()),
        ("run-once", schema::<shapes::RanOnce>()),
        ("standing-list", schema::<Vec<StandingLine>>()),
        ("witness-list", schema::<Vec<WitnessLine>>()),
        ("status", schema::<StatusPage>()),
        ("today", schema::<TodayPage>()),
    ])
}

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/json")
}

/// `BATCHWARD_BLESS=1` writes the schemas anew.
#[test]
fn the_schemas_are_what_the_types_give() {
    let bless = std::env::var_os("BATCHWARD_BLESS").is_some();
    let mut stale = Vec::new();
    for (word, schema) in schemas() {
        let path = dir().join(format!("{word}.json"));
        if bless {
            fs::write(&path, &schema).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != schema {
            stale.push(word);
        }
    }
    let known = fs::read_dir(dir()).unwrap().count();
    assert_eq!(known, schemas().len(), "docs/json holds nothing else");
    assert!(
        stale.is_empty(),
        "stale in docs/json: {stale:?}; 'BATCHWARD_BLESS=1 cargo test --lib the_schemas' writes them anew"
    );
}
