//! The files that `init` writes for a new site: examples that pass `check` as they are.

/// `policies/`, shipped with the program.
pub const POLICIES: [(&str, &str); 6] = [
    ("common", include_str!("../../policies/common.yaml")),
    ("taoyuan-dwcd", include_str!("../../policies/taoyuan-dwcd.yaml")),
    ("nantou-verification", include_str!("../../policies/nantou-verification.yaml")),
    ("new-taipei-cloud-documents", include_str!("../../policies/new-taipei-cloud-documents.yaml")),
    ("taipei-data-platform", include_str!("../../policies/taipei-data-platform.yaml")),
    ("taipei-health", include_str!("../../policies/taipei-health.yaml")),
];

/// `policies/calendars/`, shipped with the program: the government's calendars of working days, unchanged.
pub const CALENDARS: [(&str, &str); 8] = [
    ("108", include_str!("../../policies/calendars/108.csv")),
    ("109", include_str!("../../policies/calendars/109.csv")),
    ("111", include_str!("../../policies/calendars/111.csv")),
    ("112", include_str!("../../policies/calendars/112.csv")),
    ("113", include_str!("../../policies/calendars/113.csv")),
    ("114", include_str!("../../policies/calendars/114.csv")),
    ("115", include_str!("../../policies/calendars/115.csv")),
    ("116", include_str!("../../policies/calendars/116.csv")),
];

/// What stands beside them: whose they are.
pub const CALENDARS_README: &str = include_str!("../../policies/calendars/README.md");

/// `layouts/`: synthetic profiles; a real one comes with the approval letter.
pub const LAYOUTS: [(&str, &str); 2] = [
    ("hr-person-01", include_str!("templates/hr-person-01.yaml")),
    ("nt-verify-04", include_str!("templates/nt-verify-04.yaml")),
];

/// `agent.yaml`.
#[must_use]
pub fn agent(site: &str) -> String {
    format!(
        "# The agent of this site. Paths are relative to this file's folder.
site: {site}
# agency: 桃園市政府婦幼發展局  # as it stands on printed forms
state: state                  # journal, spool, vaults, register, certificates (0700)
links: links
layouts: layouts
policies: policies
store: sqlite
vault: embedded               # or the URL of a database: docs/postgresql.md
scan_every: 30s
incomplete_after: 4h
timezone: Asia/Taipei         # dates without a time mean the end of that day here
root_key: file:root.key       # outside of state; better: credential:NAME
# What others copy of the state: 'none', or each with its place and how long it is kept. 'check' asks for it.
# backups: [{{ name: nightly, place: nas2, keeps: P30D }}]
# Who vouches for the register from outside, and how often: 'batchward witness add' makes a witness known.
# anchoring: {{ witnesses: [audit-office], at_least: 1, overdue_after: 24h, stop_intake: false }}
# System users of this machine that several people sign as (one terminal), each with its reason; any other is an alarm.
# shared_users: [{{ uid: 1001, reason: 府資字第1150001234號 }}]
# 'codes' refuses a reason that has none of the codes of 'batchward reasons'; by default it is recorded as 'other: …'.
# reasons: codes
# The socket at which systems of the agency ask whether there is such a person: docs/api.md.
# api: /run/batchward-api/api.sock
# Metrics for node_exporter's textfile collector; never in an inbox, a keybox or the state.
# metrics_file: /var/lib/prometheus/node-exporter/batchward.prom
# The device helper, where it runs (batchward-device.service): wipes are read back from the raw device.
# device_helper: /run/batchward-device/device.sock
"
    )
}

/// `links/example.yaml`.
pub const LINK: &str = "# An example. It is suspended: what arrives is claimed and quarantined, nothing loads.
# To make it real: put the provider's signing key into example.allowed_signers, set the fields as in the approval
# letter, and 'status: active'; then 'batchward config propose' and, by a second person, 'batchward config confirm'.
link: example
title: 戶籍資料全量檔
provider: 提供機關
signers: example.allowed_signers
inbox: ../drop/example
keybox: ../keys/example
policy: taoyuan-dwcd
layout: hr-person-01
table_no: HR-PERSON-01
items: [national_id, name, birth_date, village_name]
purpose: 使用目的
basis_doc_no: 依據公文文號
approved_until: 2027-12-31
units: [業務單位]
status: suspended
# When deliveries are expected (docs/expected.md): late and missing ones are told. Without it whatever comes is taken.
# expect:
#   - every: monday 09:00      # or: working day 09:00, first working day of the month 12:00, day 5 of the month 09:00
#     early: P2D
#     late_after: PT4H
#     missing_after: P3D
";

/// `links/example.allowed_signers`.
pub const SIGNERS: &str =
    "# One line for each key that may sign manifests (OpenSSH allowed_signers):
# provider@agency.example namespaces=\"batchward-manifest\" ssh-ed25519 AAAA...
";
