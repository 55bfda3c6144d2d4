//! The configuration in force, beside the one that was found (DESIGN 5, second person).
//!
//! What tightens is in force at once and stays so: putting the file back is then itself a loosening. Everything
//! else waits until a second person has signed. The configuration in force is kept as files under
//! `state/config/<digest>/`; which digest counts, the register says.
//!
//! It is over 500 lines because what tightens and what waits is read side by side.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use super::{Agent, Config, Folders, calendars, forms, load_parts, node::Fault, vault::Vault};
use crate::{
    adapters::files::{self, FileError},
    domain::{
        digest::Digest,
        entry::{self, ConfigChange},
        handover::Recipient,
        link::{Container, KeyMode, Link, LinkStatus},
        policy::layers,
        signers::AllowedSigners,
        time::Period,
    },
};

/// Where a kept configuration has the fields of `agent.yaml` that were agreed to.
pub const AGREED: &str = "policies/agent.agreed";

/// The file that holds them, as changes name it.
const AGENT: &str = "agent.yaml";

/// Files of a configuration, by name below it.
pub type FileSet = BTreeMap<String, Vec<u8>>;

/// The digest of a set of files.
#[must_use]
pub fn digest_of(files: &FileSet) -> Digest {
    let digests: BTreeMap<&String, Digest> =
        files.iter().map(|(name, bytes)| (name, Digest::of(bytes))).collect();
    // A map of strings is always JSON.
    Digest::of(&entry::canonical(&digests).unwrap_or_default())
}

/// Keeps a set of files; the same set again is done.
///
/// # Errors
/// A file cannot be written.
pub fn keep(state: &Path, set: &FileSet) -> Result<Digest, FileError> {
    let digest = digest_of(set);
    let dir = folder(state, digest);
    for path in [
        state.join("config"),
        dir.clone(),
        dir.join("links"),
        dir.join("layouts"),
        dir.join("policies"),
    ]
    .into_iter()
    .chain(set.keys().any(|name| name.starts_with("recipients/")).then(|| dir.join("recipients")))
    .chain(
        set.keys()
            .any(|name| name.starts_with(calendars::FILES))
            .then(|| dir.join(calendars::FILES)),
    )
    .chain(set.keys().any(|name| name.starts_with(forms::FILES)).then(|| dir.join(forms::FILES)))
    {
        if !path.is_dir() {
            files::create_dir(&path)?;
        }
    }
    for (name, bytes) in set {
        files::create_idempotent(&dir.join(name), bytes, "config")?;
    }
    Ok(digest)
}

fn folder(state: &Path, digest: Digest) -> PathBuf {
    state.join("config").join(digest.to_string())
}

/// Loads the configuration that was kept under `digest`.
///
/// # Errors
/// It is not there, or not what the digest says.
pub fn kept(agent: &Agent, digest: Digest) -> Result<Config, Vec<Fault>> {
    let dir = folder(&agent.state, digest);
    let folders = Folders {
        links: dir.join("links"),
        layouts: dir.join("layouts"),
        policies: dir.join("policies"),
        recipients: Some(dir.join("recipients")).filter(|dir| dir.is_dir()),
        agreed: true,
    };
    let mut faults = Vec::new();
    let agreed =
        files::read(&dir.join(AGREED), crate::domain::limits::CONFIG_BYTES_MAX).unwrap_or_default();
    let agent = agent.under(&String::from_utf8_lossy(&agreed));
    let mut config = load_parts(agent, &folders, &mut faults);
    config.files.insert(AGREED.to_owned(), agreed);
    if faults.is_empty() && digest_of(&set_of(&dir)) != digest {
        let hint = "restore the state folder from where it was copied from";
        faults.push(super::whole(
            &dir,
            "is not the configuration that was agreed to".to_owned(),
            Some(hint),
        ));
    }
    if faults.is_empty() { Ok(config) } else { Err(faults) }
}

/// Every file of a kept set: also a signer list that no link names any more belongs to what was agreed to.
fn set_of(dir: &Path) -> FileSet {
    let mut set = FileSet::new();
    for kind in
        ["links", "layouts", "policies", "recipients", "policies/calendars", "policies/forms"]
    {
        for entry in std::fs::read_dir(dir.join(kind)).into_iter().flatten().flatten() {
            if let Ok(bytes) = files::read(&entry.path(), crate::domain::limits::CONFIG_BYTES_MAX) {
                set.insert(format!("{kind}/{}", entry.file_name().to_string_lossy()), bytes);
            }
        }
    }
    set
}

/// What is to be in force, and what differs from it.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The configuration with all that tightens.
    pub effective: Config,
    /// What tightened just now.
    pub tightened: Vec<ConfigChange>,
    /// What waits for a second person.
    pub pending: Vec<ConfigChange>,
}

/// Compares what was found with what is in force.
#[must_use]
pub fn compare(in_force: &Config, found: &Config) -> Comparison {
    let mut effective = in_force.clone();
    let (mut tightened, mut pending) = (Vec::new(), Vec::new());
    let change = |name: &str, code: &str, tightens| ConfigChange {
        file: format!("links/{name}.yaml"),
        code: code.to_owned(),
        tightens,
    };
    for (name, base) in &in_force.links {
        let mut link = base.clone();
        match found.links.get(name) {
            None => {
                link.status = suspended(link.status);
                if link.status != base.status {
                    tightened.push(change(name, "link-removed", true));
                }
            }
            Some(wanted) => {
                let codes = tighten(&mut link, wanted);
                tightened.extend(codes.into_iter().map(|code| change(name, code, true)));
                pending.extend(
                    differences(&link, wanted).into_iter().map(|code| change(name, code, false)),
                );
            }
        }
        if link != *base {
            let (yaml, signers) = render(&link);
            effective.files.insert(format!("links/{name}.yaml"), yaml.into_bytes());
            effective
                .files
                .insert(format!("links/{name}.in_force.allowed_signers"), signers.into_bytes());
            effective.links.insert(name.clone(), link);
        }
    }
    for name in found.links.keys().filter(|name| !in_force.links.contains_key(*name)) {
        pending.push(change(name, "link-added", false));
    }
    recipients(in_force, found, &mut effective, &mut tightened, &mut pending);
    others(in_force, found, &mut pending);
    if in_force.agent.anchoring.is_none() && found.agent.anchoring.is_some() {
        effective.agent.anchoring.clone_from(&found.agent.anchoring);
        tightened.push(of_agent("anchoring-added", true));
    } else if in_force.agent.anchoring != found.agent.anchoring {
        pending.push(of_agent("anchoring", false));
    }
    vault(in_force, found, &mut effective, &mut tightened, &mut pending);
    if in_force.agent.notices != found.agent.notices {
        pending.push(of_agent("notices", false));
    }
    shared_users(in_force, found, &mut effective, &mut tightened, &mut pending);
    reasons(in_force, found, &mut effective, &mut tightened, &mut pending);
    if tightened.iter().any(|change| change.file == AGENT) {
        effective.files.insert(AGREED.to_owned(), effective.agent.agreed().into_bytes());
    }
    let times = |agent: &Agent| {
        Agent {
            anchoring: None,
            vault: Vault::default(),
            notices: None,
            shared_users: BTreeMap::new(),
            reasons_by_code: false,
            ..agent.clone()
        }
        .agreed()
    };
    if times(&in_force.agent) != times(&found.agent) {
        pending.push(of_agent("times", false));
    }
    Comparison { effective, tightened, pending }
}

/// That a reason must have a code holds at once; that it need not waits for a second person.
fn reasons(
    in_force: &Config,
    found: &Config,
    effective: &mut Config,
    tightened: &mut Vec<ConfigChange>,
    pending: &mut Vec<ConfigChange>,
) {
    match (in_force.agent.reasons_by_code, found.agent.reasons_by_code) {
        (false, true) => {
            effective.agent.reasons_by_code = true;
            tightened.push(of_agent("reasons", true));
        }
        (true, false) => pending.push(of_agent("reasons", false)),
        _ => {}
    }
}

/// A system user that several people sign as waits for a second person; one that is no longer named is watched again at once.
fn shared_users(
    in_force: &Config,
    found: &Config,
    effective: &mut Config,
    tightened: &mut Vec<ConfigChange>,
    pending: &mut Vec<ConfigChange>,
) {
    let (now, wanted) = (&in_force.agent.shared_users, &found.agent.shared_users);
    if wanted.iter().any(|(uid, reason)| now.get(uid) != Some(reason)) {
        pending.push(of_agent("shared-users", false));
    }
    if now.keys().any(|uid| !wanted.contains_key(uid)) {
        effective.agent.shared_users.retain(|uid, _| wanted.contains_key(uid));
        tightened.push(of_agent("shared-users", true));
    }
}

/// Where loaded data lie, and that they may lie there in plain, waits for a second person; that they no longer may does
/// not.
fn vault(
    in_force: &Config,
    found: &Config,
    effective: &mut Config,
    tightened: &mut Vec<ConfigChange>,
    pending: &mut Vec<ConfigChange>,
) {
    let (now, wanted) = (&in_force.agent.vault, &found.agent.vault);
    if now.database != wanted.database {
        pending.push(of_agent("vault", false));
    }
    match (&now.plain, &wanted.plain) {
        (Some(_), None) => {
            effective.agent.vault.plain = None;
            tightened.push(of_agent("vault-plain-removed", true));
        }
        (now, wanted) if now != wanted => pending.push(of_agent("vault-plain", false)),
        _ => {}
    }
}

/// Whoever is taken off the list gets nothing from now on, and an earlier end counts at once; everything else waits.
fn recipients(
    in_force: &Config,
    found: &Config,
    effective: &mut Config,
    tightened: &mut Vec<ConfigChange>,
    pending: &mut Vec<ConfigChange>,
) {
    let file = |name: &str| format!("recipients/{name}.yaml");
    let change = |name: &str, code: &str, tightens| ConfigChange {
        file: file(name),
        code: code.to_owned(),
        tightens,
    };
    for (name, base) in &in_force.recipients {
        match found.recipients.get(name) {
            None => {
                effective.recipients.remove(name);
                effective.files.remove(&file(name));
                tightened.push(change(name, "recipient-removed", true));
            }
            Some(wanted) if wanted == base => {}
            Some(wanted) => {
                let sooner = wanted.until < base.until;
                let same = Recipient { until: base.until, ..wanted.clone() } == *base;
                if let Some(bytes) = found.files.get(&file(name)).filter(|_| sooner && same) {
                    effective.recipients.insert(name.clone(), wanted.clone());
                    effective.files.insert(file(name), bytes.clone());
                    tightened.push(change(name, "recipient-until-earlier", true));
                } else {
                    pending.push(change(name, "recipient-changed", false));
                }
            }
        }
    }
    for name in found.recipients.keys().filter(|name| !in_force.recipients.contains_key(*name)) {
        pending.push(change(name, "recipient-added", false));
    }
}

fn of_agent(code: &str, tightens: bool) -> ConfigChange {
    ConfigChange { file: AGENT.to_owned(), code: code.to_owned(), tightens }
}

/// Layouts and policies decide how bytes are read and what the law asks: any change waits.
fn others(in_force: &Config, found: &Config, pending: &mut Vec<ConfigChange>) {
    let mut add = |kind: &str, name: &String, code: &str| {
        let file = format!("{kind}/{name}.yaml");
        pending.push(ConfigChange { file, code: code.to_owned(), tightens: false });
    };
    for (name, layout) in &found.layouts {
        if in_force.layouts.get(name) != Some(layout) {
            let known = in_force.layouts.contains_key(name);
            add("layouts", name, if known { "layout-changed" } else { "layout-added" });
        }
    }
    for name in in_force.layouts.keys().filter(|name| !found.layouts.contains_key(*name)) {
        add("layouts", name, "layout-removed");
    }
    for name in in_force.policies.keys().filter(|name| !found.policies.contains_key(*name)) {
        add("policies", name, "policy-removed");
    }
    for name in in_force.links.keys().filter(|name| !found.links.contains_key(*name)) {
        add("links", name, "link-removed");
    }
    for (name, policy) in &found.policies {
        if in_force.policies.get(name) != Some(policy) {
            let known = in_force.policies.contains_key(name);
            add("policies", name, if known { "policy-changed" } else { "policy-added" });
        }
    }
    beside(in_force, found, (calendars::FILES, "calendar"), pending);
    beside(in_force, found, (forms::FILES, "form"), pending);
}

/// Calendars decide by when something is to be done, forms what paper says: any change waits.
fn beside(
    in_force: &Config,
    found: &Config,
    (below, kind): (&str, &str),
    pending: &mut Vec<ConfigChange>,
) {
    let of = |config: &Config| -> FileSet {
        let files = config.files.iter().filter(|(name, _)| name.starts_with(below));
        files.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
    };
    let (base, wanted) = (of(in_force), of(found));
    let mut add = |name: &String, what: &str| {
        let code = format!("{kind}-{what}");
        pending.push(ConfigChange { file: name.clone(), code, tightens: false });
    };
    for (name, bytes) in &wanted {
        match base.get(name) {
            None => add(name, "added"),
            Some(same) if same == bytes => {}
            Some(_) => add(name, "changed"),
        }
    }
    for name in base.keys().filter(|name| !wanted.contains_key(*name)) {
        add(name, "removed");
    }
}

const fn suspended(status: LinkStatus) -> LinkStatus {
    match status {
        LinkStatus::Active => LinkStatus::Suspended,
        other => other,
    }
}

const fn strictness(status: LinkStatus) -> u8 {
    match status {
        LinkStatus::Active => 0,
        LinkStatus::Suspended => 1,
        LinkStatus::Terminated => 2,
    }
}

/// Takes over from `wanted` whatever tightens; returns the codes.
fn tighten(link: &mut Link, wanted: &Link) -> Vec<&'static str> {
    let mut codes = Vec::new();
    if strictness(wanted.status) > strictness(link.status) {
        link.status = wanted.status;
        codes.push("status");
    }
    if wanted.approved_until < link.approved_until {
        link.approved_until = wanted.approved_until;
        codes.push("approved-until-earlier");
    }
    if shorter(wanted.use_period, link.use_period) {
        link.use_period = wanted.use_period;
        codes.push("use-period-shorter");
    }
    let mut exchanged = false;
    let mut fewer = |now: &mut Vec<String>, wanted: &[String]| {
        let left: Vec<String> = now.iter().filter(|one| wanted.contains(one)).cloned().collect();
        exchanged |= left.is_empty();
        let fewer = !left.is_empty() && left.len() < now.len();
        if fewer {
            *now = left;
        }
        fewer
    };
    if fewer(&mut link.items, &wanted.items) {
        codes.push("items-removed");
    }
    if fewer(&mut link.units, &wanted.units) {
        codes.push("units-removed");
    }
    let signers = link.signers.common_with(&wanted.signers);
    if signers != link.signers {
        link.signers = signers;
        codes.push("signers-removed");
    }
    // Where nothing of a list is left, no list is both what was agreed to and what is wanted: the link rests until
    // a second person has decided.
    if exchanged && link.status == LinkStatus::Active {
        link.status = LinkStatus::Suspended;
        codes.push("status");
    }
    if wanted.max_rejected < link.max_rejected {
        link.max_rejected = wanted.max_rejected;
        codes.push("max-rejected-lower");
    }
    // A key of each batch's own is the strongest there is, where the container stays what it was.
    let lasting = link.key != KeyMode::Separate;
    if lasting && wanted.key == KeyMode::Separate && wanted.container == link.container {
        link.key = KeyMode::Separate;
        codes.push("key-separate");
    }
    // What is encrypted once more is not loaded in plain meanwhile: the link rests until a second person has agreed to
    // the new container.
    let in_plain = link.container == Container::PlainByHand && wanted.container != link.container;
    if in_plain && link.status == LinkStatus::Active {
        link.status = LinkStatus::Suspended;
        codes.push("status");
    }
    if wanted.kinship && !link.kinship {
        link.kinship = true;
        codes.push("kinship");
    }
    // What is expected beside all that was; whatever is left out or worded otherwise waits.
    if wanted.expect != link.expect && link.expect.iter().all(|rule| wanted.expect.contains(rule)) {
        link.expect.clone_from(&wanted.expect);
        codes.push("expect-added");
    }
    if !wanted.profile.unsigned && link.profile.unsigned {
        link.profile.unsigned = false;
        codes.push("control-signed");
    }
    if wanted.source.is_none() && link.source.take().is_some() {
        codes.push("source-removed");
    }
    codes
}

/// Whether a period of use is shorter by any calendar: part by part, or by the days that it can have at most against
/// those that the other has at least.
fn shorter(wanted: Option<Period>, now: Option<Period>) -> bool {
    let (Some(wanted), Some(now)) = (wanted, now) else { return wanted.is_some() };
    let at_most = u64::from(wanted.months) * 31
        + u64::from(wanted.days)
        + u64::from(wanted.seconds).div_ceil(86_400);
    let at_least = u64::from(now.months / 12) * 365
        + u64::from(now.months % 12) * 28
        + u64::from(now.days)
        + u64::from(now.seconds) / 86_400;
    let no_part_longer =
        wanted.months <= now.months && wanted.days <= now.days && wanted.seconds <= now.seconds;
    wanted != now && (no_part_longer || at_most < at_least)
}

/// What still differs after tightening, as codes.
fn differences(link: &Link, wanted: &Link) -> Vec<&'static str> {
    let checks = [
        (link.title != wanted.title, "title"),
        (link.provider != wanted.provider, "provider"),
        (link.signers != wanted.signers, "signers"),
        (link.inbox != wanted.inbox, "inbox"),
        (link.keybox != wanted.keybox, "keybox"),
        (link.policy != wanted.policy, "policy"),
        (link.layout != wanted.layout, "layout"),
        (link.table_no != wanted.table_no, "table-no"),
        (link.items != wanted.items, "items"),
        (link.purpose != wanted.purpose, "purpose"),
        (link.basis_doc_no != wanted.basis_doc_no, "basis"),
        (link.approved_until != wanted.approved_until, "approved-until-later"),
        (link.use_period != wanted.use_period, "use-period"),
        (link.units != wanted.units, "units"),
        (link.status != wanted.status, "status"),
        (link.container != wanted.container, "container"),
        (link.key != wanted.key, "key"),
        (link.source != wanted.source, "source"),
        (link.max_rejected != wanted.max_rejected, "max-rejected"),
        (link.kinship != wanted.kinship, "kinship"),
        (link.receipts != wanted.receipts, "receipts"),
        (link.overrides != wanted.overrides, "override"),
        (link.expect != wanted.expect, "expect"),
        (link.profile != wanted.profile, "delivery"),
        (link.abandon_after != wanted.abandon_after, "abandon-after"),
    ];
    checks.into_iter().filter(|(differs, _)| *differs).map(|(_, code)| code).collect()
}

/// A link as a file, for the configuration in force; its signers beside it.
fn render(link: &Link) -> (String, String) {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let list = |texts: &[String]| serde_json::Value::from(texts.to_vec()).to_string();
    let path = |path: &Path| json(&path.to_string_lossy());
    let status = match link.status {
        LinkStatus::Active => "active",
        LinkStatus::Suspended => "suspended",
        LinkStatus::Terminated => "terminated",
    };
    let mut yaml = String::new();
    let fields = [
        ("link", json(&link.name)),
        ("title", json(&link.title)),
        ("provider", json(&link.provider)),
        ("signers", json(&format!("{}.in_force.allowed_signers", link.name))),
        ("inbox", path(&link.inbox)),
        ("keybox", path(&link.keybox)),
        ("policy", json(&link.policy)),
        ("layout", json(&link.layout)),
        ("table_no", json(&link.table_no)),
        ("items", list(&link.items)),
        ("purpose", json(&link.purpose)),
        ("basis_doc_no", json(&link.basis_doc_no)),
        ("approved_until", json(&link.approved_until.to_string())),
        ("units", list(&link.units)),
        ("status", status.to_owned()),
        ("key", link.key.word().to_owned()),
        ("max_rejected", link.max_rejected.to_string()),
    ];
    for (name, value) in fields {
        let _ = writeln!(yaml, "{name}: {value}");
    }
    if link.container != Container::Age {
        let _ = writeln!(yaml, "container: {}", link.container);
    }
    if link.kinship {
        let _ = writeln!(yaml, "kinship: true");
    }
    if let Some(source) = &link.source {
        let _ = writeln!(yaml, "source: {}", super::sources::render(source));
    }
    if let Some(Period { months, days, seconds }) = link.use_period {
        let period = if seconds > 0 { format!("{seconds}s") } else { format!("P{months}M{days}D") };
        let _ = writeln!(yaml, "use_period: {period}");
    }
    if let Some(folder) = &link.receipts {
        let _ = writeln!(yaml, "receipts: {}", path(folder));
    }
    if !link.overrides.is_empty() {
        let _ = writeln!(yaml, "override: {}", layers::render(&link.overrides));
    }
    if let Some(Period { months: _, days, seconds }) = link.abandon_after {
        let _ = writeln!(yaml, "abandon_after: {}s", u64::from(days) * 86_400 + u64::from(seconds));
    }
    yaml.push_str(&super::profiles::render(&link.profile));
    if !link.expect.is_empty() {
        let _ = writeln!(yaml, "expect: {}", super::expected::render(&link.expect));
    }
    (yaml, signers_text(&link.signers))
}

fn signers_text(signers: &AllowedSigners) -> String {
    signers.entries().iter().map(|entry| format!("{entry}\n")).collect()
}
