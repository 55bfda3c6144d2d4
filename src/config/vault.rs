//! Where loaded data lie: `vault`, `vault_password` and `vault_plain` of agent.yaml.
//!
//! In a database they lie in plain. `vault_plain` names the document by which the site accepts that; like the place itself
//! it is among what two people agree to, and taking it away is in force at once.

use std::path::Path;

use super::{
    paths::lexical,
    reader::{Form, Reader, form},
};
use crate::domain::database::{Database, PasswordSource, Server};

const PLACE: Form<'_> = form(
    "'embedded' or the URL of a database",
    "postgres://batchward_agent@/batchward?host=/run/postgresql",
);
const PASSWORD: Form<'_> =
    form("'file:PATH' or 'credential:NAME'", "credential:batchward.vault-password");
const PLAIN: Form<'_> =
    form("the number of a document, at most 80 characters", "府資安字第1150001234號");

/// Where loaded data lie; by default, in files of their own under the state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vault {
    /// The database, where it is one.
    pub database: Option<Database>,
    /// The password of its role.
    pub password: Option<PasswordSource>,
    /// The document by which the site accepts that data lie there in plain.
    pub plain: Option<String>,
}

/// Reads the fields, paths below `base`.
pub(super) fn read(reader: &mut Reader, base: &Path) -> Vault {
    let place = reader.maybe("vault", PLACE, |t| Some(t.to_owned()));
    let password = reader.maybe("vault_password", PASSWORD, |t| Some(t.to_owned()));
    let plain = reader.maybe("vault_plain", PLAIN, |t| {
        let plain = !t.trim().is_empty() && !t.contains(char::is_control);
        (plain && t.chars().count() <= 80).then(|| t.trim().to_owned())
    });
    let place = place.filter(|place| place.value != "embedded");
    let Some(place) = place else {
        for (name, at) in [
            ("vault_password", password.map(|one| one.at)),
            ("vault_plain", plain.map(|one| one.at)),
        ] {
            if let Some(at) = at {
                let what = format!("'{name}' says nothing about the embedded vault");
                reader.faults().add(at, what, Some("leave it out, or name a database in 'vault'"));
            }
        }
        return Vault::default();
    };
    // What stands there is not repeated: somebody may have put a password.
    let database = Database::parse(&place.value);
    if let Err(fault) = &database {
        let what = format!("'vault' is neither 'embedded' nor the URL of a database: {fault}");
        reader.faults().add(place.at, what, Some(fault.hint()));
    }
    let password = password.and_then(|text| {
        let source = PasswordSource::parse(&text.value);
        if source.is_none() {
            reader.wrong(text.at, "vault_password", "has no known form", PASSWORD);
        }
        source.map(|source| source.beneath(|path| lexical(&base.join(path))))
    });
    let beneath = |mut database: Database| {
        if let Server::Network { roots, .. } = &mut database.server {
            *roots = lexical(&base.join(&*roots));
        }
        database
    };
    Vault { database: database.ok().map(beneath), password, plain: plain.map(|one| one.value) }
}

/// The lines of it among what was agreed to; none for the embedded vault, as before there was another.
pub(super) fn agreed(vault: &Vault) -> String {
    let database = vault.database.as_ref().map(|database| format!("vault={database}\n"));
    let plain = vault.plain.as_ref().map(|plain| format!("vault_plain={plain}\n"));
    database.unwrap_or_default() + &plain.unwrap_or_default()
}

/// The vault that was agreed to, with the password as it is found.
pub(super) fn under(found: &Vault, database: Option<&str>, plain: Option<&str>) -> Vault {
    Vault {
        database: database.and_then(|url| Database::parse(url).ok()),
        password: found.password.clone(),
        plain: plain.map(str::to_owned),
    }
}
