//! What a database administrator puts into the database, as versioned SQL files that are part of the program.
//!
//! The script is made of the files alone, so that it can be read before it is run, by `psql` or by `--apply`. It is one
//! transaction. Each migration is recorded with the digest of its file; a database whose digests are others is not used.

use super::{DatabaseError, Result, Session, quoted};
use crate::domain::{
    database::{Database, Profile},
    digest::Digest,
    limits::DATABASE_STATEMENT_SECONDS,
};

/// One step of the schema.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// From 1.
    pub version: i32,
    /// Its file.
    pub name: &'static str,
    sql: &'static str,
}

/// All of them, in order. They only ever get more.
const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "0001-vaults.sql", sql: include_str!("sql/0001-vaults.sql") },
    Migration { version: 2, name: "0002-sealed.sql", sql: include_str!("sql/0002-sealed.sql") },
    Migration { version: 3, name: "0003-marked.sql", sql: include_str!("sql/0003-marked.sql") },
];

/// Roles, schema and the record of migrations: what every migration finds.
const GROUND: &str = "\
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'batchward_owner') THEN
        CREATE ROLE batchward_owner NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {agent_text}) THEN
        CREATE ROLE {agent} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
END $$;
CREATE SCHEMA batchward AUTHORIZATION batchward_owner;
SET LOCAL ROLE batchward_owner;
CREATE TABLE batchward.migration (
    version integer PRIMARY KEY,
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    applied_by name NOT NULL DEFAULT session_user
);
RESET ROLE;
";

impl Migration {
    /// SHA-256 of its file.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.sql.as_bytes())
    }
}

/// All migrations, in order.
#[must_use]
pub const fn migrations() -> &'static [Migration] {
    MIGRATIONS
}

/// The script for a database that has the first `done` migrations, without its transaction.
#[must_use]
pub fn script(database: &Database, site: &str, profile: Profile, done: usize) -> String {
    let mut sql = String::new();
    if done == 0 {
        sql.push_str(GROUND);
    }
    for migration in MIGRATIONS.iter().skip(done) {
        let Migration { version, name, .. } = migration;
        sql.push_str(&format!("\n-- {name}\n{}", migration.sql));
        sql.push_str(&format!(
            "INSERT INTO batchward.migration (version, name, digest) VALUES ({version}, '{name}', '{}');\n",
            migration.digest()
        ));
    }
    // The longer name first: it begins with the shorter one.
    [
        ("{agent_text}", literal(&database.user)),
        ("{agent}", quoted(&database.user)),
        ("{database}", quoted(&database.name)),
        ("{site}", literal(site)),
        ("{profile}", literal(profile.word())),
    ]
    .into_iter()
    .fold(sql, |sql, (mark, value)| sql.replace(mark, &value))
}

/// The migrations that a database has, as version and digest; nothing where it has no schema of ours.
///
/// # Errors
/// It cannot be asked.
pub fn applied(session: &Session) -> Result<Vec<(i32, String)>> {
    let there = session.wait(
        "look for the schema",
        session.client.query_one("SELECT to_regclass('batchward.migration') IS NOT NULL", &[]),
    )?;
    if !there.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let rows = session.wait(
        "read the migrations",
        session
            .client
            .query("SELECT version, digest FROM batchward.migration ORDER BY version", &[]),
    )?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Applies what is missing, as one transaction; says which files that were.
///
/// # Errors
/// Nothing was changed.
pub fn apply(
    session: &Session,
    database: &Database,
    site: &str,
    profile: Profile,
) -> Result<Vec<&'static str>> {
    let done = known(&applied(session)?)?;
    let missing: Vec<&str> = MIGRATIONS.iter().skip(done).map(|one| one.name).collect();
    if !missing.is_empty() {
        let sql = format!("BEGIN;\n{}COMMIT;", script(database, site, profile, done));
        session.run_long("install the schema", DATABASE_STATEMENT_SECONDS, &sql)?;
    }
    Ok(missing)
}

/// How many of our migrations a database has; each must be ours, byte for byte.
pub(super) fn known(applied: &[(i32, String)]) -> Result<usize> {
    for (n, (version, digest)) in applied.iter().enumerate() {
        match MIGRATIONS.get(n) {
            None => {
                let what =
                    format!("it has migration {version}, of a newer version of this program");
                return Err(DatabaseError::Setup { what });
            }
            Some(ours) if ours.version != *version || ours.digest().to_string() != *digest => {
                let what = format!("migration {version} is not '{}' of this program", ours.name);
                return Err(DatabaseError::Differs { what });
            }
            Some(_) => {}
        }
    }
    Ok(applied.len())
}

/// A text as a literal; `standard_conforming_strings` holds.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
