//! `agent.yaml`: where everything lies, and how often the agent looks.
//!
//! What is read is an [`Agent`] also where faults were found, so that the other files can be judged in the same run;
//! who loads refuses it then. Whether folders are there, and who can write them, is judged in
//! `permissions.rs`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    anchoring,
    backups::{self, Backups},
    node::Faults,
    notices,
    paths::{Spot, lexical},
    reader::{Form, Placed, Reader, form},
    shared,
    vault::{self, Vault},
};
use crate::{
    adapters::root_key::{RootKeyError, RootKeySource},
    domain::{anchoring::Anchoring, limits, notice::Wanted, time::Period},
};

/// `agent.yaml`, parsed; paths are absolute.
#[derive(Clone, Debug)]
pub struct Agent {
    /// The file itself.
    pub file: PathBuf,
    /// Name of the site.
    pub site: String,
    /// The agency, as it stands on paper.
    pub agency: Option<String>,
    /// State folder.
    pub state: PathBuf,
    /// Links.
    pub links: PathBuf,
    /// Layouts.
    pub layouts: PathBuf,
    /// Policies.
    pub policies: PathBuf,
    /// How often inboxes are scanned whole.
    pub scan_every: Period,
    /// When an incomplete delivery becomes an alarm.
    pub incomplete_after: Period,
    /// When it is claimed and quarantined.
    pub abandon_after: Option<Period>,
    /// Difference of wall and boot clock that is believed.
    pub clock_jump_max: Period,
    /// Time without an entry after which the clock is doubted at a start.
    pub start_gap_max: Period,
    /// Time zone.
    pub timezone: chrono_tz::Tz,
    /// Where the root key is.
    pub root_key: RootKeySource,
    /// Control socket.
    pub socket: PathBuf,
    /// Socket at which services ask, where there is one.
    pub api: Option<PathBuf>,
    /// Threads for long steps; nothing for one a core.
    pub workers: Option<usize>,
    /// How much is logged.
    pub log: LogLevel,
    /// Where metrics are put for a collector that reads files, where that is wanted.
    pub metrics_file: Option<PathBuf>,
    /// Socket of the device helper, where there is one.
    pub device_helper: Option<PathBuf>,
    /// What is stated about backups of the state.
    pub backups: Backups,
    /// Who vouches for the register, and how often.
    pub anchoring: Option<Anchoring>,
    /// System users of this machine that several people sign as, with the reason of each.
    pub shared_users: BTreeMap<u32, String>,
    /// Whether a reason must begin with a code.
    pub reasons_by_code: bool,
    /// Where loaded data lie.
    pub vault: Vault,
    /// Who is told by mail and webhook, where anybody is.
    pub notices: Option<Wanted>,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What a person has to act on.
    Error,
    /// And what may come to that.
    Warn,
    /// And each notable event, once.
    #[default]
    Info,
    /// And the agent's own coming and going.
    Debug,
}

impl LogLevel {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "error" => Self::Error,
            "warn" => Self::Warn,
            "info" => Self::Info,
            "debug" => Self::Debug,
            _ => return None,
        })
    }
}

/// The control socket where none is named.
pub(super) const SOCKET: &str = "/run/batchward/control.sock";

/// The device helper's socket, as its unit makes it.
const DEVICE_SOCKET: &str = "/run/batchward-device/device.sock";

/// `reasons: codes`: a reason without a code is refused.
const CODES: &str = "codes";

/// Names of sites, links, layouts and policies.
pub(super) const NAME: Form<'_> =
    form("at most 48 of a-z, 0-9, '-', '_' and '.', a letter or digit first", "taoyuan-dwcd");

/// Whether a text can be the name of a site, link, layout or policy: it becomes part of file and slot names.
/// A name of a site or of a file's subject: what [`NAME`] describes.
pub(crate) fn is_name(text: &str) -> bool {
    let good =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
    (1..=48).contains(&text.len())
        && text.bytes().all(good)
        && text.as_bytes()[0].is_ascii_alphanumeric()
}

/// Reads the fields of `file`, an absolute path.
pub(super) fn parse(mut reader: Reader, file: &Path) -> Agent {
    let base = file.parent().unwrap_or(file);
    let site = reader.parsed("site", NAME, |t| is_name(t).then(|| t.to_owned()));
    let words = form("the name of the agency, at most 80 characters", "桃園市政府婦幼發展局");
    let agency = reader.maybe("agency", words, |t| {
        (1..=80).contains(&t.trim().chars().count()).then(|| t.trim().to_owned())
    });
    let state = path(&mut reader, base, "state", "state");
    let links = path(&mut reader, base, "links", "links");
    let layouts = path(&mut reader, base, "layouts", "layouts");
    let policies = path(&mut reader, base, "policies", "policies");
    only(&mut reader, "store", form("'sqlite': PostgreSQL comes with a later version", "sqlite"));
    let vault = vault::read(&mut reader, base);
    let spans = Spans::read(&mut reader);
    let zone = form("a name of the IANA time zones", "Asia/Taipei");
    let timezone = reader.maybe("timezone", zone, |t| t.parse().ok());
    let root_key = root_key(&mut reader, base);
    let socket = path(&mut reader, base, "socket", SOCKET);
    let api = api(&mut reader, base);
    let threads = form("a number from 1 to 64", "4");
    let workers = reader.maybe("workers", threads, |t| {
        t.parse().ok().filter(|n| (1..=limits::WORKERS_MAX).contains(n))
    });
    let levels = form("'error', 'warn', 'info' or 'debug'", "info");
    let log = reader.maybe("log", levels, LogLevel::parse);
    let metrics_file = metrics_file(&mut reader, base, &state);
    let helper = form("the path of its socket", DEVICE_SOCKET);
    let device_helper = reader.maybe("device_helper", helper, plain);
    let device_helper = device_helper.map(|path| lexical(&base.join(path.value)));
    let backups = backups::read(&mut reader);
    let anchoring = anchoring::read(&mut reader);
    let shared_users = shared::read(&mut reader);
    let reasons_by_code = reasons_by_code(&mut reader);
    let notices = notices::read(&mut reader, base);
    if let RootKeySource::File(file) = &root_key.value
        && Spot::of(file).within(&Spot::of(&state.value))
    {
        let hint =
            "a copy of the state would bring its own key: put it beside agent.yaml or elsewhere";
        reader.faults().add(root_key.at, "the root key lies within the state folder", Some(hint));
    }
    apart(reader.faults(), base, &state, [&links, &layouts, &policies]);
    reader.finish();
    Agent {
        file: file.to_owned(),
        site: site.map_or_else(String::new, |site| site.value),
        agency: agency.map(|agency| agency.value),
        state: state.value,
        links: links.value,
        layouts: layouts.value,
        policies: policies.value,
        scan_every: spans.scan_every,
        incomplete_after: spans.incomplete_after,
        abandon_after: spans.abandon_after,
        clock_jump_max: spans.clock_jump_max,
        start_gap_max: spans.start_gap_max,
        timezone: timezone.map_or(chrono_tz::Asia::Taipei, |zone| zone.value),
        root_key: root_key.value,
        socket: socket.value,
        api,
        workers: workers.map(|workers| workers.value),
        log: log.map_or(LogLevel::Info, |log| log.value),
        metrics_file,
        device_helper,
        backups,
        anchoring,
        shared_users,
        reasons_by_code,
        vault,
        notices,
    }
}

/// Whether a reason must begin with a code.
fn reasons_by_code(reader: &mut Reader) -> bool {
    const FORM: Form<'_> = form(
        "'notes' (the default: a reason without a code is recorded as 'other') or 'codes'",
        CODES,
    );
    let said = reader.maybe("reasons", FORM, |t| match t {
        CODES => Some(true),
        "notes" => Some(false),
        _ => None,
    });
    said.is_some_and(|codes| codes.value)
}

/// The socket for services, in a folder where those have business who have none at the control socket.
fn api(reader: &mut Reader, base: &Path) -> Option<PathBuf> {
    let form = form("the path of a socket", "/run/batchward-api/api.sock");
    reader.maybe("api", form, plain).map(|path| lexical(&base.join(path.value)))
}

/// A file outside of the state folder that everybody may read. Beside inboxes and keyboxes `cross.rs` judges it.
fn metrics_file(reader: &mut Reader, base: &Path, state: &Placed<PathBuf>) -> Option<PathBuf> {
    const EXAMPLE: &str = "/var/lib/prometheus/node-exporter/batchward.prom";
    let form = form("the path of a file ending in '.prom'", EXAMPLE);
    let text = reader.maybe("metrics_file", form, |t| {
        t.strip_suffix(".prom").is_some_and(|name| !name.is_empty()).then(|| plain(t))?
    })?;
    let file = lexical(&base.join(text.value));
    if Spot::of(&file).within(&Spot::of(&state.value)) {
        let hint = "everybody may read the one, only the agent the other: put it elsewhere";
        reader.faults().add(text.at, "the metrics file lies within the state folder", Some(hint));
    }
    Some(file)
}

struct Spans {
    scan_every: Period,
    incomplete_after: Period,
    abandon_after: Option<Period>,
    clock_jump_max: Period,
    start_gap_max: Period,
}

impl Spans {
    fn read(reader: &mut Reader) -> Self {
        let mut read = |name, example| {
            let form = form("a span of 's', 'm', 'h' or 'd', not zero", example);
            let parse = |t: &str| Period::parse(t).filter(|p| *p != Period::ZERO);
            reader.maybe(name, form, parse).map(|span| span.value)
        };
        let seconds = |seconds| Period { seconds, ..Period::ZERO };
        Self {
            scan_every: read("scan_every", "30s").unwrap_or(seconds(30)),
            incomplete_after: read("incomplete_after", "4h").unwrap_or(seconds(4 * 3600)),
            abandon_after: read("abandon_after", "30d"),
            clock_jump_max: read("clock_jump_max", "1h").unwrap_or(seconds(3600)),
            start_gap_max: read("start_gap_max", "30d")
                .unwrap_or(Period { days: 30, ..Period::ZERO }),
        }
    }
}

fn path(
    reader: &mut Reader,
    base: &Path,
    name: &'static str,
    default: &'static str,
) -> Placed<PathBuf> {
    let text = reader.maybe(name, form("a path", default), plain);
    let (text, at) = text.map_or((default.to_owned(), reader.place()), |t| (t.value, t.at));
    Placed { value: lexical(&base.join(text)), at }
}

/// A path without control characters: paths are written into a unit file, a line each.
pub(super) fn plain(text: &str) -> Option<String> {
    (!text.contains(char::is_control)).then(|| text.to_owned())
}

/// A field with one good value. What stands there is not repeated: a URL may hold a password.
fn only(reader: &mut Reader, name: &'static str, form: Form<'_>) {
    if let Some(text) = reader.maybe(name, form, |t| Some(t.to_owned()))
        && text.value != form.example
    {
        reader.wrong(text.at, name, "is something else", form);
    }
}

/// Where the root key is. What stands there is not repeated: somebody may have put the key itself.
fn root_key(reader: &mut Reader, base: &Path) -> Placed<RootKeySource> {
    const DEFAULT: &str = "root.key";
    let form = form("'file:PATH', 'credential:NAME' or 'passphrase'", "file:root.key");
    let text = reader.maybe("root_key", form, |t| Some(t.to_owned()));
    let at = text.as_ref().map_or(reader.place(), |text| text.at);
    let fallback = RootKeySource::File(DEFAULT.into());
    let Some(text) = text else { return Placed { value: fallback.beneath(base), at } };
    let source = match text.value.parse() {
        Ok(source) => source,
        Err(RootKeyError::Tpm) => {
            let hint = "'systemd-creds encrypt --with-key=tpm2' seals the root key, and 'root_key: credential:NAME' \
                        reads it: docs/service.md";
            reader.faults().add(at, "the TPM is systemd's: it opens a credential", Some(hint));
            fallback
        }
        Err(_) => {
            reader.wrong(at, "root_key", "has no known form", form);
            fallback
        }
    };
    Placed { value: source.beneath(base), at }
}

/// State is the agent's alone; and three kinds of file need three folders, for each `*.yaml` is read as its folder's.
fn apart(faults: &Faults, base: &Path, state: &Placed<PathBuf>, folders: [&Placed<PathBuf>; 3]) {
    let within = Spot::of(&state.value);
    let spots = folders.map(|folder| Spot::of(&folder.value));
    let above = Spot::of(base).within(&within);
    if above {
        let hint = "give the state a folder of its own: 'state: state'";
        faults.add(state.at, "the state folder holds agent.yaml", Some(hint));
    }
    for (n, (folder, spot)) in folders.iter().zip(&spots).enumerate() {
        if !above && spot.within(&within) {
            let what = "this folder of configuration lies within the state folder";
            faults.add(folder.at, what, Some("people write the one, only the agent the other"));
        }
        if spots.iter().take(n).any(|other| other.within(spot) && spot.within(other)) {
            let hint = "links, layouts and policies lie in three folders";
            faults.add(folder.at, "two kinds of file share this folder", Some(hint));
        }
    }
}

impl Agent {
    /// The fields of `agent.yaml` that decide when things end and how much of the clock is believed, as the
    /// configuration in force keeps them: they wait for a second person like every other loosening.
    #[must_use]
    pub fn agreed(&self) -> String {
        let text = |p: Period| format!("{} {} {}", p.months, p.days, p.seconds);
        format!(
            "timezone={}\nincomplete_after={}\nabandon_after={}\nclock_jump_max={}\nstart_gap_max={}\n",
            self.timezone,
            text(self.incomplete_after),
            self.abandon_after.map(text).unwrap_or_default(),
            text(self.clock_jump_max),
            text(self.start_gap_max),
        ) + &self.anchoring.as_ref().map(anchoring::agreed).unwrap_or_default()
            + &vault::agreed(&self.vault)
            + &notices::agreed(self.notices.as_ref())
            + &shared::agreed(&self.shared_users)
            + if self.reasons_by_code { "reasons=codes\n" } else { "" }
    }

    /// This agent with the fields that were agreed to; a field that is not in `agreed` stays.
    #[must_use]
    pub fn under(&self, agreed: &str) -> Self {
        let value =
            |name: &str| agreed.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        let period = |name: &str, now: Period| value(name).and_then(read_period).unwrap_or(now);
        Self {
            timezone: value("timezone").and_then(|zone| zone.parse().ok()).unwrap_or(self.timezone),
            incomplete_after: period("incomplete_after", self.incomplete_after),
            abandon_after: value("abandon_after").map_or(self.abandon_after, read_period),
            clock_jump_max: period("clock_jump_max", self.clock_jump_max),
            start_gap_max: period("start_gap_max", self.start_gap_max),
            // One that was never agreed to is not in force by this: it tightens, and is put in force by being found.
            anchoring: value("anchoring").and_then(anchoring::read_agreed),
            vault: vault::under(&self.vault, value("vault"), value("vault_plain")),
            notices: value("notices").and_then(notices::read_agreed),
            shared_users: value("shared_users").map(shared::read_agreed).unwrap_or_default(),
            reasons_by_code: value("reasons") == Some(CODES),
            ..self.clone()
        }
    }
}

pub(super) fn read_period(text: &str) -> Option<Period> {
    let mut numbers = text.split(' ').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Period { months: next()?, days: next()?, seconds: next()? })
}
