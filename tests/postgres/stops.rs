//! A stop of the program at each of its writes in the database, before it, half done and after it, leads to the same rows
//! and the same register; and so does a server that stops.

use std::fs;

use super::life::World;
use crate::support::{People, Site, postgres::Server};

const MOMENTS: &[&str] = &["before", "middle", "after"];
/// SIGABRT: how the test build stops at a chosen write.
const ABORTED: i32 = 6;

fn tables(world: &World<'_>, server: &Server) -> i64 {
    world.count(
        server,
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'vault_c%'",
    )
}

fn stopped(site: &Site<'_>, write: &str, moment: &str) {
    stopped_in(site, &["run", "--once"], &[], write, moment);
}

fn stopped_in(site: &Site<'_>, words: &[&str], who: &[&str], write: &str, moment: &str) {
    let at = format!("{write}:{moment}");
    let ran = site.run_with(words, &[who, &["--test-crash", &at]].concat(), b"");
    assert_eq!(ran.signal, Some(ABORTED), "{at}: {}", ran.stderr);
}

#[test]
fn a_stop_at_any_write_of_a_load_and_of_a_drop_leaves_all_or_nothing() {
    let people = People::new();
    let server = Server::start("");
    for write in ["database-table", "database-load", "database-drop"] {
        for (n, moment) in MOMENTS.iter().enumerate() {
            // Accepted in plain, or under the key of the batch.
            let world = World::set_up(&people, &server, n % 2 == 0);
            let site = &world.site;
            site.install(&[], &["small-20"]);
            if write != "database-drop" {
                stopped(site, write, moment);
                assert!(tables(&world, &server) <= 1, "{write} {moment}");
            }
            site.once();
            assert_eq!(tables(&world, &server), 1, "{write} {moment}");
            let grant = site.grant("moca-full");
            let rows = site.query(&grant, &["--format", "csv"]).ok();
            assert_eq!(rows.text().lines().count(), 21, "{write} {moment}");
            if write == "database-drop" {
                let batch = site.batches()[0]["id"].as_str().unwrap().to_owned();
                site.run_as("henry", &["use", "complete", &grant]).ok();
                site.run_as("henry", &["use", "no-need", &batch]).ok();
                site.wait_minutes(60 * 24);
                site.once();
                let words = ["destroy", "request", &batch, "--reason", "使用完竣"];
                let order = site.run_as("alice", &words).ok().id('o');
                // Without an agent, who approves does what can be done at once.
                let key = people.key("sue");
                let who = ["--as", "sue", "--sign-with", key.to_str().unwrap()];
                stopped_in(site, &["destroy", "approve", &order], &who, write, moment);
                site.once();
                assert_eq!(site.show(&batch)["state"], "closed", "{moment}");
                assert_eq!(tables(&world, &server), 0, "{moment}");
                let shown = site.run(&["certificate", "show", &order]).ok();
                assert!(shown.text().contains("name and files absent from the database"));
            }
            site.verify();
        }
    }
}

#[test]
fn a_load_that_was_given_up_while_nobody_could_be_asked_is_taken_away_later() {
    let people = People::new();
    let mut server = Server::start("");
    let world = World::set_up(&people, &server, true);
    let site = &world.site;
    site.install(&[], &["small-20"]);
    // Committed, and not recorded: the server is away when the program starts again.
    stopped(site, "database-load", "after");
    server.down();
    site.once();
    let owed = || {
        let listed = fs::read_dir(site.dir.join("state/vault")).unwrap();
        listed
            .filter(|e| e.as_ref().unwrap().path().extension().is_some_and(|x| x == "owed"))
            .count()
    };
    assert!(owed() >= 1, "nothing is owed");
    server.up();
    assert_eq!(tables(&world, &server), 1, "it was committed");
    site.once();
    assert_eq!((owed(), tables(&world, &server)), (0, 1));
    assert_eq!(site.batches()[0]["state"], "loaded");
    let rows = "SELECT count(*) FROM batchward.vault WHERE dropped IS NULL";
    assert_eq!(world.count(&server, rows), 1, "one load, and its own row");
    site.verify();
}
