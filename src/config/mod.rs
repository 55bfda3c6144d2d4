//! The files that people write, parsed into domain types; every fault of every file at once.
//!
//! Nothing is half believed: with one fault anywhere there is no configuration. What is in force is not decided
//! here but in [`inforce`]: files say what somebody wants, the register says what two people agreed to.

pub mod agent;
pub mod inforce;
mod layouts;
mod links;
pub mod node;
mod permissions;
mod policies;
pub mod templates;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

pub use agent::Agent;
use node::{Fault, Faults, Node, Place};

use crate::domain::{layout::Layout, limits, link::Link, policy::Policy};

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
    /// The bytes of every file that was read but `agent.yaml`, by a name below the configuration.
    pub files: BTreeMap<String, Vec<u8>>,
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
}

/// Loads everything.
///
/// # Errors
/// All faults.
pub fn load(path: &Path) -> Result<Config, Vec<Fault>> {
    let mut faults = Vec::new();
    let agent = agent::load(path, &mut faults);
    let Some(agent) = agent else { return Err(faults) };
    let folders = Folders {
        links: agent.links.clone(),
        layouts: agent.layouts.clone(),
        policies: agent.policies.clone(),
    };
    permissions::check(&agent, &mut faults);
    let config = load_parts(agent, &folders, &mut faults);
    permissions::check_links(&config.links, &mut faults);
    if faults.is_empty() {
        Ok(config)
    } else {
        faults.sort();
        faults.dedup();
        Err(faults)
    }
}

/// Loads links, layouts and policies from folders that may be elsewhere than where `agent` says (the snapshot in
/// force). Relative paths in links still mean the agent's own folders.
pub fn load_parts(agent: Agent, folders: &Folders, faults: &mut Vec<Fault>) -> Config {
    let mut files = BTreeMap::new();
    let layouts = read_folder(&folders.layouts, "layouts", &mut files, faults, layouts::parse);
    let policies = read_folder(&folders.policies, "policies", &mut files, faults, policies::parse);
    let mut signers = BTreeMap::new();
    let links = read_folder(&folders.links, "links", &mut files, faults, |name, node, found| {
        links::parse(name, node, &agent, &folders.links, &mut signers, found)
    });
    files.extend(signers);
    let places = links::Known { layouts: &layouts, policies: &policies, agent: &agent };
    links::cross(&links, &folders.links, &places, faults);
    Config { agent, links, layouts, policies, files }
}

/// Reads the `*.yaml` of one folder.
fn read_folder<T>(
    dir: &Path,
    kind: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
    faults: &mut Vec<Fault>,
    mut parse: impl FnMut(&str, &Node, &Faults) -> Option<T>,
) -> BTreeMap<String, T> {
    let mut parsed = BTreeMap::new();
    let listed = match fs::read_dir(dir) {
        Ok(listed) => listed,
        Err(error) => {
            faults.push(whole(dir, format!("the folder cannot be read: {error}"), None));
            return parsed;
        }
    };
    let mut paths: Vec<PathBuf> = listed.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths.into_iter().filter(|p| p.extension().is_some_and(|e| e == "yaml")) {
        let found = Faults::of(path.clone());
        if let Some(bytes) = read_file(&path, faults) {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(value) =
                node_of(&bytes, &found).and_then(|node| parse(&name, &node, &found))
            {
                parsed.insert(name.clone(), value);
            }
            files.insert(format!("{kind}/{name}.yaml"), bytes);
        }
        faults.extend(found.take());
    }
    parsed
}

fn node_of(bytes: &[u8], faults: &Faults) -> Option<Node> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Node::parse(text, faults),
        Err(_) => {
            faults.add(Place { line: 1, column: 1 }, "the file is not UTF-8", None);
            None
        }
    }
}

/// Reads one file of configuration: regular, bounded, not writable by others.
fn read_file(path: &Path, faults: &mut Vec<Fault>) -> Option<Vec<u8>> {
    permissions::file(path, faults);
    match crate::adapters::files::read(path, limits::CONFIG_BYTES_MAX) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            let hint = "the agent's user must be able to read it";
            faults.push(whole(path, format!("cannot be read: {error}"), Some(hint)));
            None
        }
    }
}

fn whole(path: &Path, what: String, hint: Option<&str>) -> Fault {
    Fault { file: path.to_owned(), line: 0, column: 0, what, hint: hint.map(str::to_owned) }
}

/// Every fault of one policy file.
#[must_use]
pub fn check_policy(path: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let found = Faults::of(path.to_owned());
    if let Some(bytes) = read_file(path, &mut faults) {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(node) = node_of(&bytes, &found) {
            let _ = policies::parse(&name, &node, &found);
        }
    }
    faults.extend(found.take());
    faults
}
