//! `links/*.yaml`, and the signer lists that they name.
//!
//! A link that lacks one field is still judged in all the others: beside the [`Link`], which is whole or nothing,
//! goes a [`Draft`] of what was read, and [`super::cross`] compares drafts with each other and with what they name.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    agent::{Agent, NAME, plain},
    layouts::named,
    node::{Fault, FaultKind, Faults, Node, Place},
    paths::lexical,
    permissions,
    policies::{self, RulesDraft},
    reader::{Form, Placed, Reader, form, shown},
};
use crate::domain::{
    calendar,
    control::Profile,
    expected::Expectation,
    limits,
    link::{Container, KeyMode, Link, LinkStatus},
    national_id,
    signers::AllowedSigners,
    source::Source,
    time::Period,
};

/// What was read of a link, as far as it could be.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) file: PathBuf,
    pub(super) inbox: Option<Placed<PathBuf>>,
    pub(super) keybox: Option<Placed<PathBuf>>,
    pub(super) receipts: Option<Placed<PathBuf>>,
    pub(super) policy: Option<Placed<String>>,
    pub(super) layout: Option<Placed<String>>,
    pub(super) items: Vec<Placed<String>>,
    pub(super) container: Option<Placed<Container>>,
    pub(super) key: Option<Placed<KeyMode>>,
    /// What the link has over its policy.
    pub(super) overrides: RulesDraft,
}

const TEXT: Form<'_> = form("a text of one line, at most 500 characters", "戶籍資料全量檔");
const UNITS: Form<'_> = form("a list of business units, at least one", "[幼兒托育科]");
const ITEMS: Form<'_> =
    form("a list of fields of the layout, at least one", "[national_id, name, birth_date]");
const UNTIL: Form<'_> = form("a date or a time with its offset", "2027-12-31");
const USE: Form<'_> = form("a period of days, weeks, months or years, not zero", "P1Y");
const STATUS: Form<'_> = form("active, suspended or terminated", "active");
const KEY: Form<'_> = form("separate, standing or standing-passphrase", "separate");
const CONTAINER: Form<'_> = form("age, zip-aes, 7z or plain-by-hand", "age");
const AFTER: Form<'_> = form("a span of 's', 'm', 'h' or 'd', not zero", "30d");
const COUNT: Form<'_> = form("a number of records", "0");
const KINSHIP: Form<'_> = form("true or false", "true");
const SIGNERS: Form<'_> = form("the name of a file beside this one", "moca.allowed_signers");

/// Where one link is read from.
pub(super) struct From<'a> {
    /// The file's name without `.yaml`.
    pub(super) name: &'a str,
    /// The folder of the file.
    pub(super) dir: &'a Path,
    /// Whose time zone and folders count.
    pub(super) agent: &'a Agent,
}

/// Parses one link; its name must be the file's. Signer lists that it names go to `files`.
pub(super) fn parse(
    from: &From<'_>,
    node: &Node,
    files: &mut BTreeMap<String, Vec<u8>>,
    faults: &Faults,
) -> Option<(Draft, Option<Link>)> {
    let mut reader = Reader::new(node, faults)?;
    named(&mut reader, "link", from.name);
    let title = words(&mut reader, "title", TEXT);
    let provider = words(&mut reader, "provider", form(TEXT.expected, "桃園市政府民政局"));
    let signers = signers(&mut reader, from, files);
    let draft = Draft {
        file: from.dir.join(format!("{}.yaml", from.name)),
        inbox: folder(&mut reader, from.agent, "inbox", "../drop/moca-full"),
        keybox: folder(&mut reader, from.agent, "keybox", "../keys/moca-full"),
        receipts: maybe_folder(&mut reader, from.agent, "receipts", "../receipts/moca-full"),
        policy: reader.text("policy", NAME),
        layout: reader.text("layout", form(NAME.expected, "hr-person-01")),
        items: distinct(&mut reader, "items", ITEMS).unwrap_or_default(),
        container: reader.maybe("container", CONTAINER, Container::parse),
        key: reader.maybe("key", KEY, KeyMode::parse),
        overrides: overrides(&mut reader),
    };
    let table_no = words(&mut reader, "table_no", form(TEXT.expected, "HR-PERSON-01"));
    let purpose = words(&mut reader, "purpose", form(TEXT.expected, "育兒津貼資格審查"));
    let basis = words(&mut reader, "basis_doc_no", form(TEXT.expected, "府民戶字第1150001234號"));
    let approved_until =
        reader.parsed("approved_until", UNTIL, |t| calendar::parse_end(t, from.agent.timezone));
    let use_period = reader.maybe("use_period", USE, use_period);
    let units = distinct(&mut reader, "units", UNITS);
    let status = reader.parsed("status", STATUS, status);
    let max_rejected = reader.maybe("max_rejected", COUNT, number);
    let kinship = reader.maybe("kinship", KINSHIP, |text| text.parse().ok());
    let comes = Comes::parse(&mut reader, from.agent);
    reader.finish();
    let link = whole(&draft, |inbox, keybox, policy, layout| {
        let Comes { source, expect, abandon_after, profile } = comes?;
        Some(Link {
            source,
            expect,
            profile,
            abandon_after,
            name: from.name.to_owned(),
            title: title?,
            provider: provider?,
            signers: signers?,
            inbox,
            keybox,
            policy,
            layout,
            table_no: table_no?,
            items: values(&draft.items),
            purpose: purpose?,
            basis_doc_no: basis?,
            approved_until: approved_until?.value,
            use_period: use_period.map(|period| period.value),
            units: values(&units?),
            status: status?.value,
            container: draft.container.as_ref().map_or(Container::Age, |placed| placed.value),
            key: draft.key.as_ref().map_or(KeyMode::Separate, |key| key.value),
            max_rejected: max_rejected.map_or(0, |count| count.value),
            kinship: kinship.is_some_and(|kinship| kinship.value),
            receipts: draft.receipts.as_ref().map(|folder| folder.value.clone()),
            overrides: draft.overrides.rules(),
        })
    });
    Some((draft, link))
}

/// How deliveries come to a link.
struct Comes {
    source: Option<Box<Source>>,
    expect: Vec<Expectation>,
    abandon_after: Option<Period>,
    profile: Box<Profile>,
}

impl Comes {
    fn parse(reader: &mut Reader, agent: &Agent) -> Option<Self> {
        let sourced = reader.has("source");
        let source = super::sources::parse(reader, &agent.links);
        let expect = super::expected::parse(reader);
        let abandon_after = reader.maybe("abandon_after", AFTER, abandoned);
        let profile = super::profiles::parse(reader, agent.timezone, sourced);
        // A source with a fault is no link without one.
        let source = match source {
            None if sourced => return None,
            source => source,
        };
        Some(Self {
            source,
            expect: expect?,
            abandon_after: abandon_after.map(|span| span.value),
            profile: Box::new(profile?),
        })
    }
}

/// What the link has over its policy: the groups of a policy, each rule with its clause.
fn overrides(reader: &mut Reader) -> RulesDraft {
    let Some(node) = reader.node("override") else { return RulesDraft::default() };
    let Some(mut inner) = reader.inner("override", &node) else { return RulesDraft::default() };
    let rules = policies::rules(&mut inner);
    inner.finish();
    rules
}

fn whole(
    draft: &Draft,
    link: impl FnOnce(PathBuf, PathBuf, String, String) -> Option<Link>,
) -> Option<Link> {
    link(
        draft.inbox.as_ref()?.value.clone(),
        draft.keybox.as_ref()?.value.clone(),
        draft.policy.as_ref()?.value.clone(),
        draft.layout.as_ref()?.value.clone(),
    )
}

fn values(list: &[Placed<String>]) -> Vec<String> {
    list.iter().map(|one| one.value.clone()).collect()
}

/// A path, relative to the agent's own folder of links, also where this file is the snapshot in force.
fn folder(
    reader: &mut Reader,
    agent: &Agent,
    name: &'static str,
    example: &'static str,
) -> Option<Placed<PathBuf>> {
    let text = reader.parsed(name, form("the path of a folder", example), plain)?;
    Some(Placed { value: lexical(&agent.links.join(text.value)), at: text.at })
}

/// The same where it may be left out.
fn maybe_folder(
    reader: &mut Reader,
    agent: &Agent,
    name: &'static str,
    example: &'static str,
) -> Option<Placed<PathBuf>> {
    let text = reader.maybe(name, form("the path of a folder", example), plain)?;
    Some(Placed { value: lexical(&agent.links.join(text.value)), at: text.at })
}

/// A text that the register will keep.
pub(super) fn words(reader: &mut Reader, name: &'static str, form: Form<'_>) -> Option<String> {
    let text = reader.text(name, form)?;
    kept(reader.faults(), name, &text).then_some(text.value)
}

/// Whether the register may keep a text for ever. The text itself is not repeated where it may not.
fn kept(faults: &Faults, name: &str, text: &Placed<String>) -> bool {
    if national_id::found_in(&text.value) {
        let what = format!("'{name}' holds something in the shape of an ID number");
        faults.add(
            text.at,
            what,
            Some("the register keeps this text for ever: leave the number out"),
        );
        return false;
    }
    if text.value.chars().count() > limits::TEXT_CHARS_MAX || text.value.contains(char::is_control)
    {
        let what = format!("'{name}' is '{}': expected {}", shown(&text.value), TEXT.expected);
        faults.add(
            text.at,
            what,
            Some("shorten it, and leave out line ends and control characters"),
        );
        return false;
    }
    true
}

/// A list of texts that the register may keep, at least one and none twice.
pub(super) fn distinct(
    reader: &mut Reader,
    name: &'static str,
    form: Form<'_>,
) -> Option<Vec<Placed<String>>> {
    let Placed { value: list, at } = reader.texts(name, form)?;
    if list.is_empty() {
        reader.wrong(at, name, "is empty", form);
        return None;
    }
    for (n, one) in list.iter().enumerate() {
        kept(reader.faults(), name, one);
        if list.iter().take(n).any(|other| other.value == one.value) {
            let what = format!("'{}' stands twice in '{name}'", shown(&one.value));
            reader.faults().add(one.at, what, Some("keep one of them"));
        }
    }
    Some(list)
}

/// A number in digits alone.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

/// A period of use: by the calendar, not zero, and not beyond what a calendar holds.
fn use_period(text: &str) -> Option<Period> {
    const YEARS_MAX: u32 = 100;
    Period::parse(text).filter(|p| {
        *p != Period::ZERO
            && p.seconds == 0
            && p.months <= 12 * YEARS_MAX
            && p.days <= 366 * YEARS_MAX
    })
}

/// A span that is not zero and that people still remember.
fn abandoned(text: &str) -> Option<Period> {
    const DAYS_MAX: u32 = 3660;
    Period::parse(text).filter(|p| *p != Period::ZERO && p.months == 0 && p.days <= DAYS_MAX)
}

fn status(text: &str) -> Option<LinkStatus> {
    match text {
        "active" => Some(LinkStatus::Active),
        "suspended" => Some(LinkStatus::Suspended),
        "terminated" => Some(LinkStatus::Terminated),
        _ => None,
    }
}

/// The signer list; its own faults are told at their places in it.
fn signers(
    reader: &mut Reader,
    from: &From<'_>,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Option<AllowedSigners> {
    let name = reader.text("signers", SIGNERS)?;
    let faults = reader.faults();
    let beside = Path::new(&name.value).file_name().is_some_and(|file| *file == *name.value);
    if !beside || name.value.ends_with(".yaml") {
        let what = format!("'signers' is '{}': expected {}", shown(&name.value), SIGNERS.expected);
        faults.add(name.at, what, Some("not a path, and not '.yaml': those are read as links"));
        return None;
    }
    let path = from.dir.join(&name.value);
    let mut found = Vec::new();
    let bytes = super::read_file(&path, permissions::owner(from.agent), &mut found);
    if bytes.is_none()
        && let Some(fault) = found.pop()
    {
        let what = format!("'signers' is '{}': {}", shown(&name.value), fault.what);
        // Where it is there, the fault itself says what mends it.
        let there = std::fs::symlink_metadata(&path).is_ok();
        let hint = match fault.hint.filter(|_| there) {
            Some(hint) => format!("'{}': {hint}", path.display()),
            None => format!("put the provider's list of signing keys at '{}'", path.display()),
        };
        faults.add(name.at, what, Some(&hint));
    }
    found.into_iter().for_each(|fault| faults.add_in(fault));
    let bytes = bytes?;
    let in_list = |at: Place, what: String, hint: &str| {
        let hint = Some(hint.to_owned());
        faults.add_in(Fault {
            file: path.clone(),
            line: at.line,
            column: at.column,
            what,
            hint,
            kind: FaultKind::Wrong,
        });
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        in_list(Place { line: 1, column: 1 }, "the file is not UTF-8".to_owned(), LINE);
        return None;
    };
    match AllowedSigners::parse(text, from.agent.timezone) {
        Ok(signers) => {
            files.insert(format!("links/{}", name.value), bytes);
            Some(signers)
        }
        Err(list) => {
            for fault in list {
                let at = Place { line: fault.line, column: fault.column };
                in_list(at, fault.kind.to_string(), LINE);
            }
            None
        }
    }
}

/// What a line of a signer list looks like.
const LINE: &str =
    "one line a key: provider@agency.example namespaces=\"batchward-manifest\" ssh-ed25519 AAAA...";
