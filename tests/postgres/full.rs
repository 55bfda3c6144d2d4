//! A database without room: a tablespace in a small memory, which needs root, as the gate has it.

use std::{fs, process::Command};

use batchward::adapters::postgres::{DatabaseError, Loader};

use super::tables::{World, copy, items, key, load};
use crate::support::done;

/// A filesystem in memory that is taken down with the test.
struct Small(tempfile::TempDir);

impl Small {
    fn new(owner: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = format!("size=12m,uid={owner},gid={owner},mode=0700");
        let mut mount = Command::new("mount");
        done(mount.args(["-t", "tmpfs", "-o", &options, "synthetic"]).arg(dir.path()));
        Self(dir)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_database_without_room_takes_nothing_says_so_and_goes_on_when_there_is_some() {
    const SERVER: u32 = 65_534;
    assert!(rustix::process::geteuid().is_root(), "a filesystem is mounted: this needs root");
    let world = World::new("");
    let small = Small::new(SERVER);
    fs::create_dir(small.0.path().join("space")).unwrap();
    std::os::unix::fs::chown(small.0.path().join("space"), Some(SERVER), Some(SERVER)).unwrap();
    let folder = small.0.path().join("space");
    world.server.sql("b", &format!("CREATE TABLESPACE small LOCATION '{}'", folder.display()));
    world.server.sql("b", "GRANT CREATE ON TABLESPACE small TO batchward_agent");
    world.server.sql("b", "ALTER ROLE batchward_agent SET default_tablespace = small");
    let place = world.place();
    let full = || -> Result<(), DatabaseError> {
        let mut loader = Loader::begin(&place, copy(1), &key(), &items(), true)?;
        for n in 0..200_000 {
            loader.insert(n, false, &[format!("A{n:09}"), "王".repeat(20)])?;
        }
        loader.seal()?.commit()
    };
    let refused = full();
    assert!(matches!(refused, Err(DatabaseError::Full { .. })), "{refused:?}");
    assert_eq!(world.count("SELECT count(*) FROM batchward.vault"), 0);
    // What the failed one took is given back, and what fits is taken.
    load(&place, copy(2), super::tables::FIRST).unwrap();
    world.server.sql("b", "ALTER ROLE batchward_agent SET default_tablespace = pg_default");
    full().unwrap();
    assert_eq!(world.count("SELECT count(*) FROM batchward.vault_c_00000001"), 200_000);
}
