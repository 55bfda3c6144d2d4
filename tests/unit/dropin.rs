//! The drop-in that `init` makes: systemd reads from it exactly the folders that the configuration names, whatever
//! stands in their names, and `check` tells when they no longer agree.

use std::{fs, path::Path};

use super::{
    manager::{SERVICES, Units},
    score,
    support::{People, Site},
};

const DROP_IN: &str = "batchward.service.d/paths.conf";

/// Moves the samples' inboxes and keyboxes to `names` below the site.
fn rename_folders(site: &Site<'_>, names: [&str; 2]) {
    let path = site.dir.join("links/moca-full.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| match line.split(':').next() {
        Some("inbox") => format!("inbox: {}", serde_json::json!(format!("../{}", names[0]))),
        Some("keybox") => format!("keybox: {}", serde_json::json!(format!("../{}", names[1]))),
        _ => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n") + "\n";
    fs::write(&path, text).unwrap();
    for name in names {
        let folder = site.dir.join(name);
        fs::create_dir_all(&folder).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs::set_permissions(&folder, mode).unwrap();
    }
}

/// The paths that systemd reads, without the mark of those that may be missing.
fn paths(shown: &[&str], top: &Path) -> Vec<String> {
    // The manager shows a list with spaces between: a name with a space is told by what each begins with.
    let all = format!(" {}", shown.join(" "));
    let mut paths: Vec<String> = all
        .split(&format!(" -{}", top.display()))
        .skip(1)
        .map(|rest| rest.trim_start_matches('/').to_owned())
        .collect();
    paths.sort();
    paths
}

#[test]
fn systemd_reads_every_folder_whatever_its_name() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let names = ["drop/100% of \"戶政\" 'x'", "keys/a b\\n %h $HOME ;#"];
    rename_folders(&site, names);
    site.init();
    let units = Units::shipped();
    let text = fs::read_to_string(site.dir.join(DROP_IN)).unwrap();
    for name in SERVICES {
        units.add(name, &text);
        let reading = units.read(name);
        assert!(reading.has_drop_in(Path::new(DROP_IN)), "{name}");
        let found = paths(&reading.all("ReadWritePaths"), &site.dir);
        let mut wanted = ["drop/nantou-verify", "keys/nantou-verify", names[0], names[1], "state"];
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{name}");
        // The sites of tests lie in a temporary folder, which a service sees empty: it is bound into it.
        let bound = reading.all("BindPaths").join(" ");
        for path in wanted.iter().map(|path| site.dir.join(path)) {
            assert!(
                bound.contains(&format!("-{}", path.display())),
                "{} in {bound}",
                path.display()
            );
        }
        assert!(
            score::exposure(&units, name) <= score::EXPOSURE_TENTHS_MAX,
            "{name} with its drop-in"
        );
        let said = score::verify(&units, name);
        assert!(said.is_empty(), "{name}: {said}");
    }
}

#[test]
fn a_drop_in_is_made_again_when_the_folders_change_and_check_tells_before() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    site.init();
    assert!(site.run(&["check"]).ok().text().contains("\nno fault found"));
    let before = fs::read_to_string(site.dir.join(DROP_IN)).unwrap();
    rename_folders(&site, ["drop/elsewhere", "keys/elsewhere"]);
    // No service was set up from it here: it is told, and keeps nothing from starting.
    let told = site.run(&["check"]).ok();
    assert!(told.text().contains(DROP_IN) && told.text().contains("batchward init"), "{told:?}");
    let words = site.init_words();
    let made = site.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).ok();
    assert!(made.text().contains("made 'batchward.service.d/paths.conf' again"), "{made:?}");
    let after = fs::read_to_string(site.dir.join(DROP_IN)).unwrap();
    assert!(!before.contains("elsewhere") && after.contains("/drop/elsewhere\"\n"), "{after}");
    assert!(site.run(&["check"]).ok().text().contains("\nno fault found"));
}

#[test]
fn a_drop_in_is_made_again_also_while_an_agent_has_the_state() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    site.init();
    let lock = batchward::adapters::lock::Lock::acquire(&site.dir.join("state")).unwrap();
    let words = site.init_words();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    site.run(&words).exits(69);
    rename_folders(&site, ["drop/elsewhere", "keys/elsewhere"]);
    let made = site.run(&words).ok();
    assert!(made.text().contains("paths.conf' again"), "{made:?}");
    assert!(made.text().contains("the state was not looked at"), "{made:?}");
    drop(lock);
    assert_eq!(site.run(&words).ok().text().lines().count(), 2);
}

#[test]
fn a_path_with_a_line_feed_never_reaches_a_unit_file() {
    let people = People::new();
    let site = Site::laid_out(&people, &[]);
    let path = site.dir.join("links/moca-full.yaml");
    let text = fs::read_to_string(&path).unwrap();
    let evil = "inbox: \"../drop\\n[Service]\\nExecStartPre=/bin/false\"";
    let inbox = text.lines().find(|line| line.starts_with("inbox:")).unwrap();
    fs::write(&path, text.replace(inbox, evil)).unwrap();
    let words = site.init_words();
    let refused = site.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).exits(78);
    assert!(refused.stderr.contains("'inbox'"), "{refused:?}");
    assert!(!site.dir.join(DROP_IN).exists());
}
