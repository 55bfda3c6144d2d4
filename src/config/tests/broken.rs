//! Broken files: each case of `broken/*.txt` lists every fault that must be told, at its place, with its hint.
//!
//! A case begins with `=== name`. `--- write FILE` is followed by the whole file, `--- change FILE` by a text that is
//! there once, a line `>>>`, and what stands there instead; `--- faults` by what `load` then says, without the path
//! of the site.

use super::Site;

#[test]
fn a_broken_agent_yaml_is_told_whole() {
    check(include_str!("broken/agent.txt"));
}

#[test]
fn a_broken_link_is_told_whole() {
    check(include_str!("broken/links.txt"));
}

#[test]
fn a_broken_layout_is_told_whole() {
    check(include_str!("broken/layouts.txt"));
}

#[test]
fn a_broken_policy_is_told_whole() {
    check(include_str!("broken/policies.txt"));
}

#[test]
fn what_is_no_plain_yaml_is_told_at_its_place() {
    check(include_str!("broken/yaml.txt"));
}

#[test]
fn bytes_that_are_no_utf_8_are_told_at_their_place() {
    let site = Site::new();
    site.write("links/example.yaml", b"link: example\ntitle: \xe6\x88\xb6\xa4\xe1\n");
    let hint = "hint: save it as UTF-8 (in a Windows editor: 'UTF-8', not 'ANSI' or 'Big5')";
    let place = "links/example.yaml:2:9: the file is not UTF-8";
    assert_eq!(site.faults(), [format!("{place}\n    {hint}")]);
}

#[test]
fn a_file_over_the_limit_is_not_parsed() {
    let site = Site::new();
    let long = format!("# {}\n{}", "x".repeat(1 << 20), super::templates::LINK);
    site.write("links/example.yaml", long);
    let faults = site.faults();
    assert_eq!(faults.len(), 1, "{faults:#?}");
    assert!(faults[0].contains("longer than 1048576 bytes"), "{faults:#?}");
}

#[test]
fn nothing_that_could_be_a_secret_is_repeated() {
    let site = Site::new();
    let secrets = "site: a\nstore: postgres://u:hunter2@h/d\nvault: postgres://u:hunter2@h/d\n\
                   root_key: hunter2hunter2\n";
    site.write("agent.yaml", secrets);
    site.edit("links/example.yaml", "purpose: 使用目的", "purpose: A123456789");
    let told = site.faults().join("\n");
    assert_eq!(told.matches("\n    hint").count(), 4, "{told}");
    assert!(!told.contains("hunter2") && !told.contains("A123456789"), "{told}");
}

/// Runs every case of a transcript.
fn check(transcript: &str) {
    let mut failed = String::new();
    for case in transcript.split("=== ").skip(1) {
        let (name, rest) = case.split_once('\n').unwrap();
        let site = Site::new();
        let mut wanted = None;
        for section in rest.split("--- ").skip(1) {
            let (head, text) = section.split_once('\n').unwrap();
            match head.split_once(' ').unwrap_or((head, "")) {
                ("write", file) => site.write(file, text),
                ("change", file) => {
                    let (from, to) = text.split_once("\n>>>\n").unwrap();
                    site.edit(file, from, to.trim_end_matches('\n'));
                }
                ("faults", _) => wanted = Some(text.trim_end()),
                (other, _) => panic!("'{other}' in '{name}'"),
            }
        }
        let told = site.faults().join("\n");
        if wanted != Some(told.as_str()) {
            failed.push_str(&format!("=== {name}\n--- faults\n{told}\n"));
        }
    }
    assert!(failed.is_empty(), "these cases are told otherwise:\n{failed}");
}
