//! Loaded data in a database, as the engine's port: what is loaded from now on goes there, and what lies in a file of its
//! own from before is read and wiped where it lies.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    described,
    files::Wiper,
    owed::{self, Owed},
    site::faults,
    sources::Remote,
    store::VaultFiles,
};
use crate::{
    adapters::{
        courier::Courier,
        postgres::{
            self, Asked, DatabaseError, Dial, Dropped, Examined, Loaded, Loader, Lying, Place,
        },
        root_key::credential_file,
    },
    config::{self, Agent, Config},
    doctor::{Finding, Severity},
    domain::{
        certificate::Assurance,
        database::{Database, PasswordSource, Profile},
        digest::Digest,
        entry::WipeFacts,
        ids::CopyId,
        secret::Secret,
        wipe::{Ground, Limit, WipeReport},
    },
    engine::ports::{
        CopySize, Flow, PortError, READING_OVER, Result, SealedVault, VaultBuild, VaultColumn,
        VaultRead, Vaults,
    },
    error::{Error, Exit},
};

/// The place that an agent's configuration names, as it is reached from this process.
pub(super) fn place(agent: &Agent, database: &Database, courier: Option<Arc<Courier>>) -> Place {
    let dial: Arc<Dial> = match courier {
        Some(courier) => Arc::new(move |host, port| courier.dial(host, port)),
        None => Arc::new(postgres::dial),
    };
    Place {
        database: database.clone(),
        password: agent.vault.password.clone(),
        dial,
        site: agent.site.clone(),
    }
}

/// Folders that the files of a connection lie in, which the agent reads.
pub(super) fn folders(config: &Config) -> Vec<PathBuf> {
    let vault = &config.agent.vault;
    let roots = vault.database.as_ref().and_then(Database::roots).map(Path::to_owned);
    let above = |path: PathBuf| path.parent().map(Path::to_owned);
    let password = match &vault.password {
        Some(PasswordSource::File(path)) => above(path.clone()),
        Some(PasswordSource::Credential(name)) => credential_file(name),
        None => None,
    };
    roots.and_then(above).into_iter().chain(password).collect()
}

/// Vaults in files of their own.
pub(super) fn in_files(agent: &Agent) -> VaultFiles {
    let wiper = Wiper::new(&agent.state, agent.device_helper.as_deref());
    VaultFiles { dir: agent.state.join("vault"), wiper }
}

/// The vaults that a configuration names.
pub(super) fn vaults(agent: &Agent, remote: Option<&Remote>) -> Arc<dyn Vaults> {
    let files = in_files(agent);
    match &agent.vault.database {
        None => Arc::new(files),
        Some(database) => {
            let place = place(agent, database, remote.map(Remote::courier));
            Arc::new(Databases::new(files, place))
        }
    }
}

/// What a database administrator runs for the database that a configuration names.
///
/// # Errors
/// The configuration has a fault, or names no database.
pub fn install_script(path: &Path, profile: Profile) -> crate::service::Result<String> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    let database = named(&config)?;
    let agent = &config.agent;
    Ok(format!(
        "-- Loaded data of the site '{}', for {}.\n-- To be run once, as a superuser, in the database '{}'.\n\
         BEGIN;\n{}COMMIT;\n",
        agent.site,
        database.user,
        database.name,
        postgres::script(database, &agent.site, profile, 0)
    ))
}

/// Runs what is missing of it, as the role of the URL `admin`; says which files that was.
///
/// # Errors
/// As [`install_script`], or the database refused; nothing was changed.
pub fn install(
    path: &Path,
    profile: Profile,
    admin: &str,
    password: Option<&str>,
) -> crate::service::Result<Vec<&'static str>> {
    let config = config::load(path).map_err(|list| faults(&list))?;
    let database = named(&config)?;
    let own = Database::parse(admin).map_err(|fault| {
        Error::usage(format!("'--admin' is no URL of a database: {fault}")).hint(fault.hint())
    })?;
    if own.name != database.name {
        let what = format!("'--admin' is another database than '{}' of agent.yaml", database.name);
        return Err(Error::usage(what));
    }
    let password = match password.map(PasswordSource::parse) {
        Some(None) => {
            return Err(Error::usage("'--admin-password' takes 'file:PATH' or 'credential:NAME'"));
        }
        other => other.flatten(),
    };
    let site = config.agent.site.clone();
    let place = Place { database: own, password, dial: Arc::new(postgres::dial), site };
    let failed = |error: DatabaseError| {
        let exit = if error.passes() { Exit::Unavailable } else { Exit::Failed };
        Error::new(exit, described(&error)).hint("nothing was changed: docs/postgresql.md")
    };
    let session = place.connect().map_err(failed)?;
    postgres::apply(&session, database, &place.site, profile).map_err(failed)
}

fn named(config: &Config) -> crate::service::Result<&Database> {
    config.agent.vault.database.as_ref().ok_or_else(|| {
        Error::new(Exit::Config, "'vault' of agent.yaml is 'embedded'")
            .hint("name the database there first: 'vault: postgres://ROLE@HOST/DATABASE?sslrootcert=FILE'")
    })
}

/// What `check` finds of the database: whether it can be used, and who else can get at what lies there.
pub(super) fn findings(config: &Config) -> Vec<Finding> {
    let mut found = owed::findings(&config.agent.state.join("vault"));
    let Some(database) = &config.agent.vault.database else { return found };
    if let Some(document) = &config.agent.vault.plain {
        let what = format!("loaded data lie in plain in the database, by '{document}'");
        let why = "of their destruction nothing more than a deletion can be proven";
        let fix =
            "without 'vault_plain' what is loaded from then on lies under the key of its batch";
        found.push(Finding::new(Severity::Remark, "vault-plain", what, why).fix(fix));
    }
    let place = place(&config.agent, database, None);
    let examined = place.open().and_then(|session| session.examine());
    match examined {
        Ok(examined) => found.extend(rights(&examined)),
        Err(error) => {
            let why = "nothing can be loaded, read or destroyed there";
            let fix = match error {
                DatabaseError::Setup { .. } => {
                    "'batchward vault install --profile agent-only' prints what is to be run there"
                }
                _ => "docs/postgresql.md says what the database needs",
            };
            let what = described(&error);
            found.push(Finding::new(Severity::Warning, "database", what, why).fix(fix));
        }
    }
    found
}

fn rights(examined: &Examined) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |severity, code, what: String, why, fix: &str| {
        found.push(Finding::new(severity, code, what, why).fix(fix));
    };
    if !examined.others.is_empty() {
        let what = format!("others have rights on loaded data: {}", examined.others.join(", "));
        let why = "they read it without a grant, and nothing is logged";
        let fix = "take the rights away (REVOKE), and find out who gave them";
        add(Severity::Warning, "database-rights", what, why, fix);
    }
    if !examined.mighty.is_empty() {
        let what = format!("no right holds these roles back: {}", examined.mighty.join(", "));
        let why = "they can read everything in the database";
        let fix = "as few as can be, each of one person, and the server's log kept elsewhere";
        add(Severity::Remark, "database-mighty", what, why, fix);
    }
    if examined.logs_values {
        let what = "the server's log may hold values that people look up".to_owned();
        let why = "the log is not destroyed with the data";
        add(Severity::Warning, "database-log", what, why, "'log_parameter_max_length = 0'");
    }
    if examined.archived || examined.replicas > 0 {
        let what = "the database has replicas, or archives its log".to_owned();
        let why = "what is destroyed here stays there, and certificates say so";
        let fix = "keep them no longer than the data may be used";
        add(Severity::Remark, "database-copies", what, why, fix);
    }
    found
}

/// The vaults of a site that has a database.
struct Databases {
    files: VaultFiles,
    place: Place,
    owed: Owed,
}

fn port_error(error: &DatabaseError) -> PortError {
    let message = described(error);
    match error {
        DatabaseError::Full { .. } => PortError::Later { code: "database-full", message },
        DatabaseError::Over => PortError::Stuck { code: READING_OVER, message },
        // Whoever mends it need not tell every batch that it is mended.
        DatabaseError::Own { .. } | DatabaseError::Denied { .. } | DatabaseError::Setup { .. } => {
            PortError::Later { code: "database-setup", message }
        }
        DatabaseError::Value { .. } => PortError::Stuck { code: "database-value", message },
        DatabaseError::Differs { .. } => PortError::Stuck { code: "database-differs", message },
        _ if error.passes() => PortError::Later { code: "database", message },
        _ => PortError::Stuck { code: "database-refused", message },
    }
}

impl Databases {
    fn new(files: VaultFiles, place: Place) -> Self {
        let owed = Owed::new(&files.dir, &place.database);
        Self { files, place, owed }
    }

    /// Takes away what is owed here. What still cannot be stays owed.
    fn pay(&self) {
        for copy in self.owed.here() {
            if self.place.abandon(copy).is_ok() {
                // A note that stays is settled once more, and finds it done.
                let _ = self.owed.paid(copy);
            }
        }
    }
}

impl Vaults for Databases {
    fn build(
        &self,
        copy: CopyId,
        key: &Secret,
        columns: &[VaultColumn],
        plain: bool,
    ) -> Result<Box<dyn VaultBuild>> {
        self.pay();
        let items: Vec<_> = columns.iter().map(|c| (c.name.clone(), c.key)).collect();
        let loader =
            Loader::begin(&self.place, copy, key, &items, plain).map_err(|e| port_error(&e))?;
        Ok(Box::new(Building(loader)))
    }

    fn abandon(&self, copy: CopyId) -> Result<()> {
        self.files.abandon(copy)?;
        // The note first: a stop before the database has answered leaves it, and the next start asks again.
        self.owed.note(copy).map_err(|e| super::file(&e))?;
        match self.place.abandon(copy) {
            Ok(()) => self.owed.paid(copy).map_err(|e| super::file(&e)),
            // Nothing of it is known to be there but by who could not be asked. It is taken away as soon as that answers;
            // the batch itself need not wait for it.
            Err(_) => Ok(()),
        }
    }

    fn wipe(&self, copy: CopyId) -> Result<WipeFacts> {
        self.pay();
        if self.files.has(copy) {
            return self.files.wipe(copy);
        }
        match self.place.drop_table(copy).map_err(|e| port_error(&e))? {
            Some(dropped) => Ok(facts(&dropped)),
            None => self.files.wipe(copy),
        }
    }

    fn read(&self, read: &VaultRead<'_>, each: &mut dyn FnMut(&[String]) -> Flow) -> Result<()> {
        let in_files = read.vaults.iter().filter(|vault| self.files.has(vault.copy)).count();
        if in_files > 0 && in_files == read.vaults.len() {
            return self.files.read(read, each);
        }
        if in_files > 0 {
            let message = "the current view lies in two places: files of before and the database";
            return Err(PortError::Stuck { code: "vault-mixed", message: message.to_owned() });
        }
        let vaults: Vec<Lying<'_>> =
            read.vaults.iter().map(|vault| Lying { copy: vault.copy, key: &vault.key }).collect();
        let asked = Asked {
            vaults: &vaults,
            key: read.key,
            columns: read.columns,
            sets: read.sets,
            single: read.single,
            remaining: read.remaining,
        };
        if vaults.is_empty() {
            return Ok(());
        }
        asked.read(&self.place, &mut |row| each(row) == Flow::On).map_err(|e| port_error(&e))
    }

    fn may_be_plain(&self) -> bool {
        true
    }

    fn place(&self) -> Option<String> {
        Some(self.place.database.identity())
    }

    fn settle(&self) -> Vec<CopyId> {
        if !self.owed.is_time() {
            return Vec::new();
        }
        self.pay();
        self.owed.all().into_iter().map(|(copy, _)| copy).collect()
    }
}

struct Building(Loader);

impl VaultBuild for Building {
    fn insert(&mut self, number: u64, removed: bool, values: &[String]) -> Result<()> {
        self.0.insert(number, removed, values).map_err(|e| port_error(&e))
    }

    fn seal(self: Box<Self>) -> Result<Box<dyn SealedVault>> {
        Ok(Box::new(Sealed(self.0.seal().map_err(|e| port_error(&e))?)))
    }
}

struct Sealed(Loaded);

impl SealedVault for Sealed {
    fn rows(&self) -> (u64, CopySize) {
        (self.0.rows, CopySize { bytes: self.0.bytes, sha256: Digest::of(&[]) })
    }

    fn place(self: Box<Self>) -> Result<()> {
        self.0.commit().map_err(|e| port_error(&e))
    }
}

/// What a drop comes to: a deletion, and why it is no more.
fn facts(dropped: &Dropped) -> WipeFacts {
    let kind = format!("postgresql {}", dropped.version.split(' ').next().unwrap_or_default());
    let mut report = WipeReport::new(Ground { kind: kind.clone(), ..Ground::default() });
    let limits: &[Limit] =
        if dropped.sealed { &Limit::OF_SEALED_IN_DATABASE } else { &Limit::OF_DATABASE };
    for limit in limits {
        report.limit(*limit);
    }
    for (limit, met) in [
        (Limit::DatabaseArchive, dropped.archived),
        (Limit::DatabaseReplicas, dropped.replicas > 0),
        (Limit::DatabaseFiles, dropped.gone != Some(true)),
    ] {
        if met {
            report.limit(limit);
        }
    }
    let mut notes = std::collections::BTreeMap::new();
    if dropped.ended > 0 {
        notes.insert("readers cut off".to_owned(), dropped.ended);
    }
    let assurance: Assurance = report.assurance();
    WipeFacts {
        files: 1,
        bytes: dropped.bytes,
        assurance,
        filesystem: kind,
        notes,
        report: Some(Box::new(report)),
    }
}
