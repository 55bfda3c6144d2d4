//! Many deliveries and many people at once.
#![cfg(feature = "test-hooks")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests"
)]

mod support;

use support::{People, Site, provider::Provider};

#[test]
fn many_deliveries_at_once_are_each_loaded_once() {
    let people = People::new();
    let site = Site::in_memory(&people);
    let provider = Provider::arrange(&site.dir);
    site.init();
    let count: u64 = std::env::var("COUNT").map_or(300, |n| n.parse().unwrap());
    provider.deliver(0..count, 10);
    let begun = std::time::Instant::now();
    site.once();
    eprintln!("{count} in {:?}", begun.elapsed());
    let rows = site.batches();
    assert_eq!(rows.len() as u64, count);
    assert!(rows.iter().all(|row| row["state"] == "loaded"), "{:#?}", rows[0]);
    site.verify();
}
