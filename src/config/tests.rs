//! The files that people write, whole and broken. All sites here are synthetic.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod broken;
mod calendars;
mod change;
mod forms;
mod layers;
mod modes;
mod notices;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use super::{load, node::Fault, templates};

/// A site as `init` lays it out, in a folder that goes with it.
struct Site {
    dir: tempfile::TempDir,
}

impl Site {
    fn new() -> Self {
        let site = Self { dir: tempfile::tempdir().unwrap() };
        for folder in ["state", "links", "layouts", "policies", "drop/example", "keys/example"] {
            fs::create_dir_all(site.path(folder)).unwrap();
            site.mode(folder, 0o700);
        }
        site.write("agent.yaml", templates::agent("site-1"));
        site.write("links/example.yaml", templates::LINK);
        site.write("links/example.allowed_signers", templates::SIGNERS);
        for (name, text) in templates::LAYOUTS {
            site.write(&format!("layouts/{name}.yaml"), text);
        }
        for (name, text) in templates::POLICIES {
            site.write(&format!("policies/{name}.yaml"), text);
        }
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
        self.mode(name, 0o600);
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Changes one place of a file, which must be there once.
    fn edit(&self, name: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path(name)).unwrap();
        assert_eq!(text.matches(from).count(), 1, "'{from}' in {name}");
        self.write(name, text.replace(from, to));
    }

    fn load(&self) -> Result<super::Config, Vec<Fault>> {
        load(&self.path("agent.yaml"))
    }

    /// The faults as they are printed, with paths below the site.
    fn faults(&self) -> Vec<String> {
        let dir = self.dir.path().display().to_string();
        let shown =
            |fault: &Fault| fault.to_string().replace(&format!("{dir}/"), "").replace(&dir, "SITE");
        self.load().err().unwrap_or_default().iter().map(shown).collect()
    }
}

#[test]
fn what_init_writes_loads() {
    let site = Site::new();
    let config = site.load().unwrap();
    assert_eq!(config.agent.site, "site-1");
    assert_eq!(config.links.keys().collect::<Vec<_>>(), ["example"]);
    assert_eq!(config.links["example"].inbox, site.path("drop/example"));
    assert_eq!(config.files.len(), 11, "all but agent.yaml: {:?}", config.files.keys());
}

#[test]
fn a_link_of_the_templates_lies_suspended() {
    let config = Site::new().load().unwrap();
    assert_eq!(config.links["example"].status, crate::domain::link::LinkStatus::Suspended);
}

#[test]
fn the_sample_site_loads() {
    let site = Site::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/config");
    site.write("agent.yaml", fs::read(samples.join("agent.yaml")).unwrap());
    fs::remove_file(site.path("links/example.yaml")).unwrap();
    for folder in ["links", "layouts"] {
        for entry in fs::read_dir(samples.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            site.write(&format!("{folder}/{name}"), fs::read(entry.path()).unwrap());
            let link = name.trim_end_matches(".yaml");
            if folder == "links" && name.ends_with(".yaml") {
                for channel in ["drop", "keys"] {
                    fs::create_dir(site.path(&format!("{channel}/{link}"))).unwrap();
                }
                site.mode(&format!("keys/{link}"), 0o700);
            }
        }
    }
    let config = site.load().unwrap();
    assert_eq!(config.links.keys().collect::<Vec<_>>(), ["moca-full", "nantou-verify"]);
    assert_eq!(config.agent.timezone, chrono_tz::Asia::Taipei);
    let key = crate::adapters::root_key::RootKeySource::File(site.path("root.key"));
    assert_eq!(config.agent.root_key, key);
    let until = config.links["moca-full"].approved_until.to_string();
    assert_eq!(until, "2027-12-31T15:59:59.999Z");
    assert_eq!(config.links["moca-full"].signers.entries().len(), 3);
}

#[test]
fn what_may_be_left_out_has_its_default() {
    let site = Site::new();
    site.write("agent.yaml", "site: small\n");
    let agent = site.load().unwrap().agent;
    assert_eq!(agent.state, site.path("state"));
    assert_eq!(agent.scan_every.seconds, 30);
    assert_eq!(agent.incomplete_after.seconds, 4 * 3600);
    assert_eq!(agent.clock_jump_max.seconds, 3600);
    assert_eq!(agent.start_gap_max.days, 30);
    assert_eq!(agent.abandon_after, None);
    assert_eq!(agent.socket, Path::new("/run/batchward/control.sock"));
}

#[test]
fn a_list_of_faults_is_in_the_order_of_files_and_lines() {
    let site = Site::new();
    site.edit("links/example.yaml", "status: suspended", "status: on\nkey: none");
    site.edit("agent.yaml", "scan_every: 30s", "scan_every: 30");
    let faults = site.load().unwrap_err();
    let places: Vec<_> = faults.iter().map(|f| (f.file.clone(), f.line)).collect();
    let mut sorted = places.clone();
    sorted.sort();
    assert_eq!(places, sorted);
    assert_eq!(places.len(), 3);
}

#[test]
fn only_yaml_files_are_read_by_themselves() {
    let site = Site::new();
    for name in ["links/README.md", "links/old.yaml.bak", "layouts/x.yml", "policies/.swp"] {
        site.write(name, "not: [yaml");
    }
    assert_eq!(site.faults(), [""; 0]);
}

#[test]
fn remarks_do_not_refuse() {
    let remarks = super::check::remarks(&Site::new().load().unwrap());
    assert_eq!(remarks.len(), 3, "{remarks:#?}");
}
