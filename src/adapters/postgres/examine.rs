//! What a database is like: whether it can be trusted with data, and who else can get at them.

use super::{DatabaseError, Result, Session, install};

/// The oldest PostgreSQL that this was tried on.
const VERSION_MIN: i32 = 150_000;

/// How a database stands, from the point of view of the role that asks.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The server's version in words.
    pub version: String,
    version_number: i32,
    replica: bool,
    durable: bool,
    mighty: bool,
    role: String,
    applied: Vec<(i32, String)>,
    /// The site whose data are here, and the profile, where the schema is there.
    pub site: Option<(String, String)>,
}

/// Who and what else can get at what lies here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Roles beside the agent's that have rights on the schema or its tables.
    pub others: Vec<String>,
    /// Roles that no right holds back: superusers, and those that bypass row security or read everything.
    pub mighty: Vec<String>,
    /// Replicas and replication slots.
    pub replicas: i64,
    /// The write-ahead log is archived.
    pub archived: bool,
    /// Values of statements may be written to the server's log.
    pub logs_values: bool,
    /// The connection is encrypted, or does not leave the machine.
    pub sealed: bool,
}

impl Standing {
    /// Whether the site's data may go there.
    ///
    /// # Errors
    /// [`DatabaseError::Setup`] or [`DatabaseError::Differs`]: why not.
    pub fn usable(&self, site: &str) -> Result<()> {
        let setup = |what: String| Err(DatabaseError::Setup { what });
        if self.version_number < VERSION_MIN {
            return setup(format!("it is PostgreSQL {}; 15 or newer is needed", self.version));
        }
        if self.replica {
            return setup("it is a replica, which takes nothing".to_owned());
        }
        if !self.durable {
            return setup(
                "'fsync' or 'full_page_writes' is off: it can lose what it said it has".to_owned(),
            );
        }
        if self.mighty {
            return setup(format!(
                "the role '{}' is a superuser, or bypasses row security",
                self.role
            ));
        }
        let done = install::known(&self.applied)?;
        let all = install::migrations().len();
        if done < all {
            return setup(format!("it has {done} of {all} migrations"));
        }
        match &self.site {
            Some((name, _)) if name == site => Ok(()),
            Some((name, _)) => setup(format!("it is the database of the site '{name}'")),
            None => setup("it does not say whose it is".to_owned()),
        }
    }
}

impl Session {
    /// How the database stands.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn standing(&self) -> Result<Standing> {
        const ASK: &str = "SELECT current_setting('server_version'), \
            current_setting('server_version_num')::int4, pg_is_in_recovery(), \
            current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on', \
            r.rolsuper OR r.rolbypassrls, r.rolname::text \
            FROM pg_roles r WHERE r.rolname = session_user";
        let row = self.wait("look at the server", self.client.query_one(ASK, &[]))?;
        let applied = install::applied(self)?;
        let site = if applied.is_empty() {
            None
        } else {
            let ask = "SELECT name, profile FROM batchward.site";
            let found = self.wait("read whose it is", self.client.query_opt(ask, &[]))?;
            found.map(|row| (row.get(0), row.get(1)))
        };
        Ok(Standing {
            version: row.get(0),
            version_number: row.get(1),
            replica: row.get(2),
            durable: row.get(3),
            mighty: row.get(4),
            role: row.get(5),
            applied,
            site,
        })
    }

    /// Who and what else can get at what lies here.
    ///
    /// # Errors
    /// It cannot be asked.
    pub fn examine(&self) -> Result<Examined> {
        const OTHERS: &str = "WITH ours AS (SELECT oid FROM pg_roles \
              WHERE rolname = session_user OR rolname = 'batchward_owner'), \
            space AS (SELECT oid, nspacl FROM pg_namespace WHERE nspname = 'batchward'), \
            named AS ( \
              SELECT (aclexplode(c.relacl)).grantee AS who FROM pg_class c JOIN space s ON c.relnamespace = s.oid \
              UNION ALL SELECT (aclexplode(s.nspacl)).grantee FROM space s \
              UNION ALL SELECT c.relowner FROM pg_class c JOIN space s ON c.relnamespace = s.oid \
              UNION ALL SELECT m.member FROM pg_auth_members m WHERE m.roleid IN (SELECT oid FROM ours)) \
            SELECT DISTINCT coalesce(r.rolname::text, 'PUBLIC') FROM named n LEFT JOIN pg_roles r ON r.oid = n.who \
              WHERE n.who NOT IN (SELECT oid FROM ours) ORDER BY 1";
        const MIGHTY: &str = "SELECT r.rolname::text FROM pg_roles r WHERE r.rolcanlogin AND \
            (r.rolsuper OR r.rolbypassrls OR r.rolreplication OR pg_has_role(r.oid, 'pg_read_all_data', 'member') \
             OR pg_has_role(r.oid, 'pg_read_server_files', 'member')) ORDER BY 1";
        const ABOUT: &str = "SELECT (SELECT count(*) FROM pg_stat_replication) + \
            (SELECT count(*) FROM pg_replication_slots), current_setting('archive_mode') <> 'off', \
            current_setting('log_parameter_max_length') <> '0' AND (current_setting('log_statement') = 'all' \
              OR current_setting('log_min_duration_statement') <> '-1' OR current_setting('log_duration') = 'on' \
              OR current_setting('log_min_duration_sample') <> '-1'), \
            coalesce((SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()), false) OR inet_client_addr() IS NULL";
        let names = |doing, ask| -> Result<Vec<String>> {
            let rows = self.wait(doing, self.client.query(ask, &[]))?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        let about = self.wait("look at the server", self.client.query_one(ABOUT, &[]))?;
        Ok(Examined {
            others: names("look who has rights", OTHERS)?,
            mighty: names("look who needs no rights", MIGHTY)?,
            replicas: about.get(0),
            archived: about.get(1),
            logs_values: about.get(2),
            sealed: about.get(3),
        })
    }
}
