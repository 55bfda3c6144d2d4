//! A link that is cut again and again: the delivery arrives whole, once, and little of it is sent twice.
//!
//! Cut at 20 places, and at 200; each prints its figures.

use std::fs;

use super::{
    proxy::{Proxy, places},
    scene::Ground,
    support::{People, provider::Provider},
};

const BYTES: usize = 64 << 20;
/// Of the size of the delivery, at most so much comes over the link.
const SENT_MAX: f64 = 1.3;

/// A delivery of this many files over a link that is cut at this many places.
fn cut(seed: u64, files: u64, cuts: usize) {
    let people = People::new();
    let ground = Ground::on_disk(&people);
    let server = ground.openssh();
    let proxy = Proxy::cut(server.port, places(seed, cuts, BYTES as u64));
    ground.found(proxy.port, ground.remote.to_str().unwrap());
    let number = Provider::number(1);
    let name = ground.offer(&ground.provider.pack_noise(
        1,
        BYTES / usize::try_from(files).unwrap(),
        files,
    ));
    // What is noise can be verified and not loaded.
    fs::remove_file(ground.site.dir.join(format!("keys/small/{number}.key"))).unwrap();
    let turns = ground.until_released(&name, cuts + 20);
    let sent = proxy.down() as f64 / BYTES as f64;
    println!(
        "seed {seed}: {} cuts, {} connections, {turns} turns, {sent:.3} of the size came over",
        proxy.cuts(),
        proxy.connections()
    );
    assert_eq!(proxy.cuts(), cuts as u64);
    let rows = ground.rows(&number);
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert!(sent < SENT_MAX, "{sent:.3} of the size came over");
    ground.assert_inbox_empty();
    ground.site.verify();
}

#[test]
fn one_large_file_arrives_whole_once_and_mostly_not_twice() {
    cut(1, 1, 20);
}

#[test]
fn several_files_arrive_whole_once_and_mostly_not_twice() {
    cut(2, 8, 20);
}

#[test]
fn one_large_file_arrives_over_a_link_that_is_cut_200_times() {
    cut(3, 1, 200);
}
