//! Dependencies: where they come from, under which licences, and that each has its reason beside it.
//!
//! Sources are read from `Cargo.lock`, which covers every platform; licences from `cargo metadata`, which covers
//! the platform that the tests run on. Nothing here asks a registry for anything that the build did not need.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

use batchward::domain::digest::Digest;
use std::{collections::BTreeSet, path::Path, process::Command};

/// Licences that a binary of ours may contain. All of them allow use in a closed or a government product; none
/// asks for more than its notice.
const ALLOWED: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    // A single author's permission for one header within SQLCipher; no condition at all.
    "WTFPL",
    "Zlib",
    // SQLite's: public domain.
    "blessing",
];

/// How the lock file names Cargo's own registry, whatever address it has: SHA-256 of the source, so that another
/// registry or a git address is told apart without an address in this file.
const REGISTRY: &str = "c19b7c6f923b580ac259164a89f2577984ad5ab09ee9d583b888f934adbbe8d0";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_licence_is_on_the_list() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50, "only {} packages: is this the whole graph", packages.len());
    let mut bad = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        match package["license"].as_str() {
            Some(licence) if permitted(licence) => {}
            other => bad.push(format!("{name}: {}", other.unwrap_or("no licence stated"))),
        }
    }
    assert!(bad.is_empty(), "not on the list of licences:\n{}", bad.join("\n"));
}

#[test]
fn every_package_comes_from_the_registry_with_a_checksum() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let mut ours = 0;
    let mut bad = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line =
                package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
            Some(line.trim_matches('"').to_owned())
        };
        let name = value("name").unwrap();
        match (value("source").as_deref(), value("checksum")) {
            (Some(source), Some(_)) if Digest::of(source.as_bytes()).to_string() == REGISTRY => {}
            (None, None) if name == "batchward" => ours += 1,
            (source, _) => bad.push(format!("{name}: {}", source.unwrap_or("a folder"))),
        }
    }
    assert_eq!(ours, 1, "the lock file names this package once");
    assert!(bad.is_empty(), "not from the registry, or without a checksum:\n{}", bad.join("\n"));
}

#[test]
fn every_direct_dependency_has_its_reason_beside_it() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (mut inside, mut reasoned, mut found) = (false, false, 0);
    let mut bad = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
            reasoned = false;
        } else if line.starts_with('#') {
            reasoned = line.len() > 20;
        } else if inside
            && line.contains('=')
            && line.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            found += 1;
            if !reasoned {
                bad.push(line.to_owned());
            }
            reasoned = false;
        }
    }
    assert!(found > 10, "only {found} dependencies found: has the form of Cargo.toml changed");
    assert!(bad.is_empty(), "without a reason in the line above:\n{}", bad.join("\n"));
}

#[test]
fn a_licence_expression_is_read_as_written() {
    for good in [
        "MIT",
        "MIT/Apache-2.0",
        "GPL-2.0-only OR MIT",
        "(GPL-3.0-only OR MIT) AND ISC",
        "Apache-2.0 WITH LLVM-exception OR GPL-2.0-only",
        "ISC AND (Apache-2.0 OR ISC) AND (LGPL-2.1-only OR (MIT AND Zlib))",
    ] {
        assert!(permitted(good), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "(MIT OR ISC) AND AGPL-3.0-only",
        "(MIT",
        "MIT MIT",
    ] {
        assert!(!permitted(bad), "{bad}");
    }
}

fn metadata() -> serde_json::Value {
    let rustc = Command::new("rustc").arg("-vV").output().expect("rustc runs");
    let about = String::from_utf8(rustc.stdout).unwrap();
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host triple");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1", "--filter-platform", host])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Whether an SPDX expression can be satisfied with licences of the list alone. `/` is the old form of `OR`.
fn permitted(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let allowed: BTreeSet<&str> = ALLOWED.iter().copied().collect();
    let mut rest = words.as_slice();
    matches!(either(&mut rest, &allowed), Some(true)) && rest.is_empty()
}

fn either(rest: &mut &[&str], allowed: &BTreeSet<&str>) -> Option<bool> {
    let mut any = both(rest, allowed)?;
    while rest.first() == Some(&"OR") {
        *rest = &rest[1..];
        any |= both(rest, allowed)?;
    }
    Some(any)
}

fn both(rest: &mut &[&str], allowed: &BTreeSet<&str>) -> Option<bool> {
    let mut all = one(rest, allowed)?;
    while rest.first() == Some(&"AND") {
        *rest = &rest[1..];
        all &= one(rest, allowed)?;
    }
    Some(all)
}

fn one(rest: &mut &[&str], allowed: &BTreeSet<&str>) -> Option<bool> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    if *first == "(" {
        let inner = either(rest, allowed)?;
        let (close, after) = rest.split_first()?;
        *rest = after;
        return (*close == ")").then_some(inner);
    }
    if let ["WITH", exception, after @ ..] = *rest {
        *rest = after;
        return Some(allowed.contains(format!("{first} WITH {exception}").as_str()));
    }
    Some(allowed.contains(first))
}
