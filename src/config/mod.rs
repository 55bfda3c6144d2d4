//! The files that people write, parsed into domain types; every fault of every file at once.
//!
//! Nothing is half believed: with one fault anywhere there is no configuration. What is in force is not decided
//! here but in [`inforce`]: files say what somebody wants, the register says what two people agreed to.

pub mod agent;
mod anchoring;
pub mod backups;
mod calendars;
pub mod check;
mod cross;
pub(crate) mod expected;
mod forms;
pub mod inforce;
mod layouts;
mod links;
pub mod node;
mod notices;
mod paths;
mod permissions;
mod policies;
mod profiles;
mod reader;
pub mod recipients;
mod shared;
mod source_files;
pub(crate) mod sources;
pub mod templates;
#[cfg(test)]
mod tests;
pub mod vault;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

pub use agent::Agent;
use node::{Fault, FaultKind, Faults, Node, Place};
use reader::Reader;

use crate::{
    adapters::files::{self, FileError},
    domain::{
        calendar::WorkingDays, forms::RegisterForm, handover::Recipient, layout::Layout, limits,
        link::Link, policy::Policy, source::Endpoint,
    },
};

/// Everything that the files say.
#[derive(Clone, Debug)]
pub struct Config {
    /// `agent.yaml`.
    pub agent: Agent,
    /// Links by name.
    pub links: BTreeMap<String, Link>,
    /// Layouts by name.
    pub layouts: BTreeMap<String, Layout>,
    /// Policies by name.
    pub policies: BTreeMap<String, Policy>,
    /// Recipients by name.
    pub recipients: BTreeMap<String, Recipient>,
    /// Working days, as far as calendars are there.
    pub working: WorkingDays,
    /// What the printed register looks like: by policy, and one for all.
    pub forms: BTreeMap<String, RegisterForm>,
    /// The bytes of every file that was read but `agent.yaml`, by a name below the configuration.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Config {
    /// The servers that are spoken to, by the names of the links and recipients that they are of.
    pub fn servers(&self) -> impl Iterator<Item = (&str, &Endpoint)> {
        let sources = self.links.values().filter_map(|link| {
            link.source.as_deref().map(|source| (link.name.as_str(), &source.server))
        });
        let pushes = self.recipients.values().filter_map(|recipient| {
            recipient.push.as_deref().map(|to| (recipient.name.as_str(), &to.server))
        });
        sources.chain(pushes)
    }
}

/// Where the parts of a configuration lie.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Links.
    pub links: PathBuf,
    /// Layouts.
    pub layouts: PathBuf,
    /// Policies.
    pub policies: PathBuf,
    /// Recipients, where there are any.
    pub recipients: Option<PathBuf>,
    /// Whether two people agreed to what lies there: its clauses are then not looked up again.
    pub agreed: bool,
}

impl Folders {
    fn share(&self) -> bool {
        self.links == self.layouts || self.links == self.policies || self.layouts == self.policies
    }
}

/// Loads everything: what `path` (`agent.yaml`) says and what lies in the folders that it names.
///
/// # Errors
/// All faults of all files, in the order of the files and their lines. Only where `agent.yaml` itself cannot be read
/// are the other files not looked at.
pub fn load(path: &Path) -> Result<Config, Vec<Fault>> {
    let mut faults = Vec::new();
    let Some(agent) = load_agent(path, &mut faults) else { return Err(sorted(faults)) };
    let folders = Folders {
        links: agent.links.clone(),
        layouts: agent.layouts.clone(),
        policies: agent.policies.clone(),
        recipients: recipients::folder(&agent),
        agreed: false,
    };
    let own = permissions::owner(&agent);
    permissions::check(&agent, own, &mut faults);
    if folders.share() {
        return Err(sorted(faults)); // each file would be judged as what it is not
    }
    let (mut config, drafts) = read_parts(agent, &folders, &mut faults);
    config.files.insert(inforce::AGREED.to_owned(), config.agent.agreed().into_bytes());
    permissions::check_links(&drafts, own, &mut faults);
    if faults.is_empty() { Ok(config) } else { Err(sorted(faults)) }
}

fn sorted(mut faults: Vec<Fault>) -> Vec<Fault> {
    faults.sort();
    faults.dedup();
    faults
}

/// What `agent.yaml` says of where the agent is, as far as it can be read: for whoever only wants to talk to the agent,
/// whatever else is wrong with the file.
#[must_use]
pub fn places(path: &Path) -> Places {
    match load_agent(path, &mut Vec::new()) {
        Some(agent) => Places {
            socket: agent.socket,
            state: Some(agent.state),
            site: Some(agent.site).filter(|site| !site.is_empty()),
        },
        None => Places { socket: PathBuf::from(agent::SOCKET), state: None, site: None },
    }
}

/// What [`places`] could read.
#[derive(Clone, Debug)]
pub struct Places {
    /// The control socket.
    pub socket: PathBuf,
    /// The state folder.
    pub state: Option<PathBuf>,
    /// The site's name.
    pub site: Option<String>,
}

fn load_agent(path: &Path, faults: &mut Vec<Fault>) -> Option<Agent> {
    let bytes = read_bytes(path, faults)?;
    let found = Faults::of(path.to_owned());
    let file = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let reader = node_of(&bytes, &found).and_then(|node| Reader::new(&node, &found));
    let agent = reader.map(|reader| agent::parse(reader, &file));
    faults.extend(found.take());
    permissions::file(
        path,
        agent.as_ref().map_or_else(permissions::here, permissions::owner),
        faults,
    );
    agent
}

/// Loads links, layouts and policies from folders that may be elsewhere than where `agent` says (the snapshot in
/// force). Relative paths in links still mean the agent's own folders. Where `faults` grew, what is returned is not
/// whole and must not be used.
pub fn load_parts(agent: Agent, folders: &Folders, faults: &mut Vec<Fault>) -> Config {
    read_parts(agent, folders, faults).0
}

type Drafts = BTreeMap<String, links::Draft>;

fn read_parts(agent: Agent, folders: &Folders, faults: &mut Vec<Fault>) -> (Config, Drafts) {
    let mut files = BTreeMap::new();
    let own = permissions::owner(&agent);
    let layouts =
        read_folder((&folders.layouts, "layouts"), own, &mut files, faults, layouts::parse);
    let read = |name: &str, node: &Node, found: &Faults| {
        policies::parse(name, folders.policies.join(format!("{name}.yaml")), node, found)
    };
    let policies = read_folder((&folders.policies, "policies"), own, &mut files, faults, read);
    let policy_names = policies.names;
    let policies = policies::settle(&policies.parsed, &policy_names, folders.agreed, faults);
    let working = calendars::read(&folders.policies, own, &mut files, faults);
    let forms = forms::read((&folders.policies, &policy_names), own, &mut files, faults);
    let mut signers = BTreeMap::new();
    let read =
        read_folder((&folders.links, "links"), own, &mut files, faults, |name, node, found| {
            let from = links::From { name, dir: &folders.links, agent: &agent };
            links::parse(&from, node, &mut signers, found)
        });
    files.extend(signers);
    let mut drafts = Drafts::new();
    let mut links = BTreeMap::new();
    for (name, (draft, link)) in read.parsed {
        links.extend(link.map(|link| (name.clone(), link)));
        drafts.insert(name, draft);
    }
    let known = cross::Known {
        layouts: &layouts.parsed,
        layout_names: &layouts.names,
        policies: &policies,
        policy_names: &policy_names,
        agent: &agent,
        agreed: folders.agreed,
    };
    cross::judge(&drafts, &known, faults);
    let recipients = read_recipients(folders, (own, &agent), &drafts, &mut files, faults);
    let layouts = layouts.parsed;
    let config = Config { agent, links, layouts, policies, recipients, working, forms, files };
    (config, drafts)
}

/// Reads the recipients, and judges their folders beside those of the links.
fn read_recipients(
    folders: &Folders,
    (own, agent): (u32, &Agent),
    links: &Drafts,
    files: &mut BTreeMap<String, Vec<u8>>,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, Recipient> {
    let Some(dir) = &folders.recipients else { return BTreeMap::new() };
    let read = read_folder((dir, recipients::FOLDER), own, files, faults, |name, node, found| {
        recipients::parse(name, (dir, agent), node, found)
    });
    let (mut drafts, mut whole) = (BTreeMap::new(), BTreeMap::new());
    for (name, (draft, recipient)) in read.parsed {
        whole.extend(recipient.map(|recipient| (name.clone(), recipient)));
        drafts.insert(name, draft);
    }
    let channels: Vec<(String, PathBuf)> = links
        .iter()
        .flat_map(|(name, draft)| {
            let of = |what: &str, placed: &Option<reader::Placed<PathBuf>>| {
                placed.as_ref().map(|one| (format!("the {what} of '{name}'"), one.value.clone()))
            };
            [of("inbox", &draft.inbox), of("keybox", &draft.keybox)].into_iter().flatten()
        })
        .collect();
    recipients::judge(&drafts, &channels, agent, faults);
    whole
}

/// What was read of a folder: every file's name, and what could be parsed.
struct Folder<T> {
    names: BTreeSet<String>,
    parsed: BTreeMap<String, T>,
}

/// Reads the `*.yaml` of one folder.
fn read_folder<T>(
    (dir, kind): (&Path, &str),
    own: u32,
    files: &mut BTreeMap<String, Vec<u8>>,
    faults: &mut Vec<Fault>,
    mut parse: impl FnMut(&str, &Node, &Faults) -> Option<T>,
) -> Folder<T> {
    let mut folder = Folder { names: BTreeSet::new(), parsed: BTreeMap::new() };
    for path in yaml_files(dir, faults) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let found = Faults::of(path.clone());
        if let Some(bytes) = read_file(&path, own, faults) {
            let value = node_of(&bytes, &found).and_then(|node| parse(&name, &node, &found));
            folder.parsed.extend(value.map(|value| (name.clone(), value)));
            files.insert(format!("{kind}/{name}.yaml"), bytes);
        }
        folder.names.insert(name);
        faults.extend(found.take());
    }
    folder
}

/// The `*.yaml` of a folder, in the order of their names.
fn yaml_files(dir: &Path, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    let listed: Result<Vec<PathBuf>, _> = fs::read_dir(dir)
        .and_then(|listed| listed.map(|entry| entry.map(|entry| entry.path())).collect());
    match listed {
        Ok(mut paths) => {
            paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
            paths.sort();
            paths
        }
        Err(error) => {
            let shown = dir.display();
            let hint = match error.kind() {
                std::io::ErrorKind::NotFound => format!("mkdir '{shown}'"),
                _ => format!("the agent's user must be able to list it: chmod u+rx '{shown}'"),
            };
            faults.push(whole(dir, format!("the folder cannot be read: {error}"), Some(&hint)));
            Vec::new()
        }
    }
}

fn node_of(bytes: &[u8], faults: &Faults) -> Option<Node> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Node::parse(text, faults),
        Err(_) => {
            let hint = "save it as UTF-8 (in a Windows editor: 'UTF-8', not 'ANSI' or 'Big5')";
            faults.add(broken_at(bytes), "the file is not UTF-8", Some(hint));
            None
        }
    }
}

/// The place of the first byte that is not UTF-8.
fn broken_at(bytes: &[u8]) -> Place {
    let good = std::str::from_utf8(bytes).map_or_else(|e| e.valid_up_to(), str::len);
    let before = String::from_utf8_lossy(bytes.get(..good).unwrap_or_default());
    let last = before.rsplit('\n').next().unwrap_or_default();
    Place { line: before.matches('\n').count() + 1, column: last.chars().count() + 1 }
}

/// Reads one file of configuration: regular, bounded, not writable by others.
fn read_file(path: &Path, own: u32, faults: &mut Vec<Fault>) -> Option<Vec<u8>> {
    permissions::file(path, own, faults);
    read_bytes(path, faults)
}

fn read_bytes(path: &Path, faults: &mut Vec<Fault>) -> Option<Vec<u8>> {
    match files::read(path, limits::CONFIG_BYTES_MAX) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let hint = match &error {
                error if error.is_missing() => "no such file: restore it, or run 'batchward init'",
                FileError::TooLong { .. } => "no file of configuration is this long",
                _ => "it must be a regular file, no link, that the agent's user can read",
            };
            let why = match &error {
                FileError::Io { source, .. } => source.to_string(),
                other => other.to_string(),
            };
            faults.push(whole(path, format!("the file cannot be read: {why}"), Some(hint)));
            None
        }
    }
}

fn whole(path: &Path, what: String, hint: Option<&str>) -> Fault {
    let (file, hint) = (path.to_owned(), hint.map(str::to_owned));
    Fault { file, line: 0, column: 0, what, hint, kind: FaultKind::Wrong }
}

/// One layout file, by itself: for whoever packs, and has no site.
///
/// # Errors
/// Every fault of the file.
pub fn layout(path: &Path) -> Result<Layout, Vec<Fault>> {
    let mut faults = Vec::new();
    let found = Faults::of(path.to_owned());
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let node =
        read_file(path, permissions::here(), &mut faults).and_then(|bytes| node_of(&bytes, &found));
    let layout = node.and_then(|node| layouts::parse(&name, &node, &found));
    faults.extend(found.take());
    match layout {
        Some(layout) if faults.is_empty() => Ok(layout),
        _ => Err(sorted(faults)),
    }
}

/// The policies that are shipped with the program, by name.
#[must_use]
pub fn shipped_policies() -> BTreeMap<String, Policy> {
    let found = Faults::of(PathBuf::new());
    let draft = |(name, text): &(&str, &str)| {
        let node = Node::parse(text, &found)?;
        Some(((*name).to_owned(), policies::parse(name, PathBuf::new(), &node, &found)?))
    };
    let drafts: BTreeMap<_, _> = templates::POLICIES.iter().filter_map(draft).collect();
    let names = drafts.keys().cloned().collect();
    policies::settle(&drafts, &names, false, &mut Vec::new())
}

/// What the printed register looks like where a site has nothing of its own.
#[must_use]
pub fn shipped_forms() -> BTreeMap<String, RegisterForm> {
    forms::shipped()
}

/// Every fault of one policy file, or of all files of a folder of policies. Layers that a file stands on are read beside it.
#[must_use]
pub fn check_policies(path: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let single = !path.is_dir();
    let dir = if single { path.parent().unwrap_or(Path::new("")) } else { path };
    let mut wanted = if single { vec![path.to_owned()] } else { yaml_files(path, &mut faults) };
    let (mut drafts, mut names) = (BTreeMap::new(), BTreeSet::new());
    while let Some(path) = wanted.pop() {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if !names.insert(name.clone()) {
            continue;
        }
        let found = Faults::of(path.clone());
        if let Some(bytes) = read_file(&path, permissions::here(), &mut faults)
            && let Some(node) = node_of(&bytes, &found)
            && let Some(draft) = policies::parse(&name, path, &node, &found)
        {
            let beneath = draft.beneath().map(|name| dir.join(format!("{name}.yaml")));
            wanted.extend(beneath.filter(|path| path.is_file()));
            drafts.insert(name, draft);
        }
        faults.extend(found.take());
    }
    let _ = policies::settle(&drafts, &names, false, &mut faults);
    faults.retain(|fault| !single || fault.file == path);
    sorted(faults)
}
