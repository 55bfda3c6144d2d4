//! Judgements over machines that no test could be run on.
#![allow(clippy::panic, reason = "tests")]

use super::{
    facts::{Backups, Clock, Cores, Filesystem, Kernel, Memory, Place, Role, Socket, Swap},
    *,
};
use crate::domain::{certificate::Assurance, time::Timestamp};

fn on(kind: &str) -> Filesystem {
    Filesystem { kind: kind.to_owned(), source: "/dev/sda1".to_owned(), ..Filesystem::default() }
}

fn state(filesystem: Filesystem) -> Place {
    let room = Some((1 << 40, None));
    Place { path: "/srv/state".into(), filesystem: Some(filesystem), room, ..Place::default() }
}

/// A machine without a finding but what it lies on, and that no agent runs.
fn sound() -> Facts {
    let now = Timestamp::from_millis(1_795_226_400_000);
    Facts {
        places: vec![state(on("ext4"))],
        memory: Memory { may_lock: true, limit: None, secret: true },
        cores: Cores { forbidden: true, pattern: "core".to_owned() },
        clock: Clock {
            now: Some(now),
            synchronised: Some(true),
            last_entry: Some(now),
            gap_max_seconds: 30 * 86_400,
            zone: Some("Asia/Taipei".to_owned()),
            site_zone: "Asia/Taipei".to_owned(),
        },
        kernel: Kernel { openat2: true, landlock: 6 },
        fonts: vec!["/usr/share/fonts/kaiu.ttf".into()],
        backups: Backups { stated: Some(Vec::new()), tools: Vec::new() },
        socket: Socket { group: true, ..Socket::default() },
        ..Facts::default()
    }
}

#[test]
fn each_filesystem_allows_what_it_can_prove_and_no_more() {
    let journal = Filesystem { journals_data: true, ..on("ext4") };
    let snapshot = Filesystem { snapshots: vec!["one".to_owned()], ..on("ext4") };
    let rows = [
        (on("ext4"), Assurance::L2),
        (on("ext3"), Assurance::L2),
        (journal, Assurance::L1),
        (snapshot, Assurance::L0),
        (on("xfs"), Assurance::L2),
        (on("tmpfs"), Assurance::L2),
        (on("btrfs"), Assurance::L1),
        (on("zfs"), Assurance::L1),
        (on("f2fs"), Assurance::L1),
        (on("overlay"), Assurance::L1),
        (on("nfs4"), Assurance::L1),
        (on("cifs"), Assurance::L1),
        (on("fuse.sshfs"), Assurance::L1),
        (on("9p"), Assurance::L1),
        (on("vfat"), Assurance::L1),
        (on("something new"), Assurance::L1),
    ];
    for (filesystem, level) in rows {
        assert_eq!(allows(&filesystem).0, level, "{filesystem:?}");
    }
}

#[test]
fn a_sound_machine_has_remarks_only() {
    let found = judge(&sound());
    assert!(found.iter().all(|f| f.severity == Severity::Remark), "{found:#?}");
    let codes: Vec<&str> = found.iter().map(|f| f.code).collect();
    assert_eq!(codes, ["assurance", "agent"]);
    assert!(found[0].what.ends_with("reaches L3 at most"), "{}", found[0].what);
}

#[test]
fn destroyed_keys_count_for_as_much_as_their_copies_allow() {
    let mut facts = sound();
    facts.root_key_in_file = true;
    assert!(judge(&facts)[0].what.ends_with("reaches L2 at most"));
    facts = sound();
    facts.backups.stated = None;
    let found = judge(&facts);
    assert!(found.iter().any(|f| f.code == "backups-unstated" && f.severity == Severity::Warning));
    assert!(found.iter().any(|f| f.what.ends_with("reaches L2 at most")), "{found:#?}");
}

/// What is wrong with a sound machine, and the finding that it makes.
type Row = (fn(&mut Facts), &'static str, Severity);

const ROWS: &[Row] = &[
    (|f| f.places = vec![state(on("btrfs"))], "assurance", Severity::Warning),
    (|f| f.places[0].filesystem = None, "filesystem-unknown", Severity::Warning),
    (|f| f.places = vec![state(on("tmpfs"))], "state-in-memory", Severity::Warning),
    (|f| f.places = vec![state(on("nfs4"))], "state-remote", Severity::Warning),
    (|f| f.places = vec![state(on("overlay"))], "state-in-layers", Severity::Warning),
    (
        |f| {
            let role = Role::Inbox("moca".to_owned());
            f.places.push(Place { role, ..state(on("cifs")) });
        },
        "inbox-remote",
        Severity::Remark,
    ),
    (
        |f| {
            let role = Role::Inbox("moca".to_owned());
            f.places.push(Place { role, ..state(on("xfs")) });
        },
        "inbox-assurance",
        Severity::Remark,
    ),
    (
        |f| {
            let snapshots = vec!["/srv/.snapshots/1".to_owned()];
            f.places = vec![state(Filesystem { snapshots, ..on("btrfs") })];
        },
        "snapshots",
        Severity::Warning,
    ),
    (|f| f.places[0].room = Some((1 << 20, None)), "disk-low", Severity::Warning),
    (|f| f.places[0].room = Some((1 << 40, Some(5))), "inodes-low", Severity::Warning),
    (
        |f| f.places = vec![state(Filesystem { encrypted: Some(false), ..on("ext4") })],
        "disk-plain",
        Severity::Remark,
    ),
    (
        |f| f.places = vec![state(Filesystem { rotational: Some(false), ..on("ext4") })],
        "disk-flash",
        Severity::Remark,
    ),
    (|f| f.swaps.push(Swap::default()), "swap-plain", Severity::Remark),
    (
        |f| {
            f.swaps.push(Swap::default());
            f.memory.may_lock = false;
        },
        "swap-plain",
        Severity::Warning,
    ),
    (|f| f.memory.may_lock = false, "memory-lock", Severity::Remark),
    (|f| f.memory.secret = false, "memory-secret", Severity::Remark),
    (|f| f.cores.forbidden = false, "core-dumps", Severity::Warning),
    (|f| f.cores.pattern = "|/usr/lib/collect".to_owned(), "core-pattern", Severity::Remark),
    (|f| f.clock.synchronised = Some(false), "clock-free", Severity::Warning),
    (|f| f.clock.synchronised = None, "clock-unknown", Severity::Remark),
    (|f| f.clock.now = Some(Timestamp::from_millis(0)), "clock-behind", Severity::Warning),
    (|f| f.clock.last_entry = Some(Timestamp::from_millis(0)), "clock-gap", Severity::Warning),
    (|f| f.clock.zone = Some("UTC".to_owned()), "time-zone", Severity::Remark),
    (|f| f.clock.zone = None, "time-zone", Severity::Remark),
    (|f| f.kernel.openat2 = false, "openat2", Severity::Warning),
    (|f| f.kernel.landlock = 0, "landlock", Severity::Remark),
    (|f| f.fonts.clear(), "fonts", Severity::Remark),
    (|f| f.backups.stated = None, "backups-unstated", Severity::Warning),
    (
        |f| f.backups.stated = Some(vec![["a", "b", "30 days"].map(str::to_owned)]),
        "backup",
        Severity::Remark,
    ),
    (
        |f| f.backups.tools.push(("borgmatic".to_owned(), "/etc/borgmatic".into())),
        "backup-tool",
        Severity::Warning,
    ),
    (|f| f.socket.group = false, "socket-group", Severity::Remark),
    (|f| f.device_helper = Some(("/run/x".into(), false)), "device-helper", Severity::Warning),
    (|f| f.socket.folder_mode = Some(0o777), "socket-folder", Severity::Warning),
    (|f| f.access_lists.push("/srv/state".into()), "access-list", Severity::Warning),
];

#[test]
fn each_weakness_is_found_with_why_it_matters_and_what_mends_it() {
    for (n, (weaken, code, severity)) in ROWS.iter().enumerate() {
        let mut facts = sound();
        weaken(&mut facts);
        let found = judge(&facts);
        let of_it = found.iter().find(|f| f.code == *code && f.severity == *severity);
        let Some(finding) = of_it else { panic!("row {n}, '{code}': {found:#?}") };
        assert!(
            !finding.why.is_empty() && finding.fix.is_some() || code.ends_with("assurance"),
            "{code}"
        );
        let severities: Vec<Severity> = found.iter().map(|f| f.severity).collect();
        assert!(severities.is_sorted(), "the worst comes first: {severities:?}");
    }
}

#[test]
fn swap_that_is_encrypted_or_in_memory_is_no_finding() {
    for swap in
        [Swap { encrypted: true, ..Swap::default() }, Swap { in_memory: true, ..Swap::default() }]
    {
        let mut facts = sound();
        facts.swaps.push(swap);
        assert!(judge(&facts).iter().all(|f| f.code != "swap-plain"));
    }
}

#[test]
fn sentences_are_lower_case_and_end_without_a_full_stop() {
    for (weaken, ..) in ROWS {
        let mut facts = sound();
        weaken(&mut facts);
        for finding in judge(&facts) {
            for text in [finding.what.as_str(), finding.why] {
                assert!(!text.ends_with('.'), "{text}");
                assert!(!text.starts_with(char::is_uppercase), "{text}");
            }
        }
    }
}
