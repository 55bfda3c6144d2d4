//! A fresh site with two links: one of fixed-width files, one of delimited ones, both storing the same four columns.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    delivery::{Form, Packed, Provider},
    measure::output,
};

const AGENT: &str = "site: bench\nstate: state\nlinks: links\nlayouts: layouts\npolicies: policies\n\
                     store: sqlite\nvault: embedded\nscan_every: 30s\nincomplete_after: 4h\n\
                     timezone: Asia/Taipei\nroot_key: file:root.key\n";

const DELIMITED: &str = "layout: people-04
format: delimited
delimiter: \",\"
quote: '\"'
header: names
encoding: utf-8
terminator: crlf
fields:
  - { name: national_id, title: 統一編號, type: national-id, key: true }
  - { name: name, title: 姓名, type: text }
  - { name: birth_date, title: 出生日期, type: roc-date }
  - { name: village_name, title: 村里名稱, type: text }
";

/// A site.
pub(crate) struct Site {
    dir: PathBuf,
    key: PathBuf,
}

fn link(form: Form) -> String {
    let (name, layout) = match form {
        Form::Fixed => (form.link(), "hr-person-01"),
        Form::Delimited => (form.link(), "people-04"),
    };
    format!(
        "link: {name}\ntitle: 戶籍資料全量檔\nprovider: 桃園市政府民政局\nsigners: bench.allowed_signers\n\
         inbox: ../drop/{name}\nkeybox: ../keys/{name}\npolicy: taoyuan-dwcd\nlayout: {layout}\n\
         table_no: HR-PERSON-01\nitems: [national_id, name, birth_date, village_name]\n\
         purpose: 育兒津貼資格審查\nbasis_doc_no: 府民戶字第1150001234號\napproved_until: 2099-12-31\n\
         units: [幼兒托育科]\nstatus: active\n"
    )
}

impl Site {
    pub(crate) fn new(work: &Path, provider: &Provider) -> Self {
        let dir = work.join("site");
        for folder in ["links", "layouts", "policies"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        for policy in fs::read_dir(package.join("policies")).unwrap() {
            let policy = policy.unwrap();
            fs::copy(policy.path(), dir.join("policies").join(policy.file_name())).unwrap();
        }
        let shipped = package.join("src/config/templates/hr-person-01.yaml");
        fs::copy(shipped, dir.join("layouts/hr-person-01.yaml")).unwrap();
        fs::write(dir.join("layouts/people-04.yaml"), DELIMITED).unwrap();
        fs::write(dir.join("links/bench.allowed_signers"), provider.signer()).unwrap();
        for form in [Form::Fixed, Form::Delimited] {
            fs::write(dir.join(format!("links/{}.yaml", form.link())), link(form)).unwrap();
            fs::create_dir_all(dir.join("drop").join(form.link())).unwrap();
            let keybox = dir.join("keys").join(form.link());
            fs::create_dir_all(&keybox).unwrap();
            fs::set_permissions(keybox, fs::Permissions::from_mode(0o700)).unwrap();
        }
        fs::write(dir.join("agent.yaml"), AGENT).unwrap();
        let site = Self { dir, key: provider.identity() };
        let mut init = site.command(&["init"]);
        output(init.arg(&site.dir).args(["--site", "bench"]));
        site
    }

    /// Its `agent.yaml`.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.join("agent.yaml")
    }

    /// The agent under test.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_batchward"));
        command.arg("--config").arg(self.config()).args(words);
        command
    }

    /// Puts a delivery and its key where they belong, complete.
    pub(crate) fn drop_delivery(&self, packed: &Packed) {
        let name = packed.form.link();
        let staged = self.dir.join("staged");
        fs::create_dir(&staged).unwrap();
        for file in ["people.age", "manifest.yaml", "manifest.yaml.sig"] {
            fs::copy(packed.dir.join(file), staged.join(file)).unwrap();
        }
        let key = self.dir.join("keys").join(name).join("BENCH-1.key");
        fs::copy(&self.key, &key).unwrap();
        fs::set_permissions(key, fs::Permissions::from_mode(0o600)).unwrap();
        fs::rename(staged, self.dir.join("drop").join(name).join("bench-1")).unwrap();
    }

    /// The one batch is loaded, whole.
    pub(crate) fn assert_loaded(&self, records: u64) {
        let rows = output(&mut self.command(&["batch", "list", "--json"]));
        let rows: serde_json::Value = serde_json::from_str(&rows).unwrap();
        assert_eq!(rows[0]["state"], "loaded", "{rows:#}");
        let id = rows[0]["id"].as_str().unwrap();
        let shown = output(&mut self.command(&["batch", "show", id, "--json"]));
        let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(shown["counts"]["committed"], records, "{shown:#}");
    }

    /// Room for the next.
    pub(crate) fn remove(self) {
        fs::remove_dir_all(self.dir).unwrap();
    }
}
