//! The units are sound by systemd's own judgement, and both services are restricted alike.

use std::{collections::BTreeSet, fs, process::Command};

use super::{
    manager::{DEVICE, SERVICES, Units, installed, machine},
    support::{done, root},
};

/// What is asked of the project is 1.5; what the units reach is far lower and must not be lost by the way.
pub(super) const EXPOSURE_TENTHS_MAX: u32 = 5;
/// Root, one capability and block devices to read: what the device helper cannot do without.
const DEVICE_TENTHS_MAX: u32 = 13;

/// Directives in which the two services differ by their nature.
const OWN: [&str; 10] = [
    "Type",
    "NotifyAccess",
    "ExecStart",
    "ExecReload",
    "WatchdogSec",
    "TimeoutStartSec",
    "Restart",
    "RestartSec",
    "RestartPreventExitStatus",
    "RuntimeDirectory",
];

#[track_caller]
pub(super) fn exposure(units: &Units, name: &str) -> u32 {
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--offline=true", "--no-pager"]).arg(units.path(name));
    let text = String::from_utf8(done(&mut analyze)).unwrap();
    let line = text.lines().find(|line| line.contains("Overall exposure level")).expect("a score");
    let tenths = |word: &str| word.replacen('.', "", 1).parse().ok();
    line.split_whitespace().filter_map(tenths).next_back().expect("a number")
}

#[test]
fn both_services_score_far_below_what_is_asked() {
    let units = Units::shipped();
    for name in SERVICES {
        let tenths = exposure(&units, name);
        assert!(tenths <= EXPOSURE_TENTHS_MAX, "{name}: {tenths} tenths");
    }
    // The check can fail: a unit that says nothing is judged unsafe.
    units.add("bare.service", "");
    fs::write(units.path("bare.service"), "[Service]\nExecStart=/bin/true\n").unwrap();
    assert!(exposure(&units, "bare.service") > 90);
}

#[test]
fn the_device_helper_has_one_capability_and_is_restricted_else_as_the_agent_is() {
    let units = Units::shipped();
    let tenths = exposure(&units, DEVICE);
    assert!(tenths <= DEVICE_TENTHS_MAX, "{tenths} tenths");
    let lines = |name: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(root().join("systemd").join(name)).unwrap();
        text.lines().filter(|l| l.contains('=') && !l.starts_with('#')).map(str::to_owned).collect()
    };
    let (agent, helper) = (lines("batchward.service"), lines(DEVICE));
    let differs = [
        "CapabilityBoundingSet",
        "DeviceAllow",
        "LimitNOFILE",
        "NoExecPaths",
        "PrivateDevices",
        "RestrictSUIDSGID",
        "TasksMax",
    ];
    let restricts = |line: &&String| {
        let name = line.split('=').next().unwrap();
        let kinds = [
            "Protect", "Private", "Restrict", "Lock", "Memory", "Device", "NoExec", "Exec", "Limit",
        ];
        let more = [
            "CapabilityBoundingSet",
            "AmbientCapabilities",
            "NoNewPrivileges",
            "ProcSubset",
            "IPAddressDeny",
        ];
        let kind = kinds.iter().any(|kind| name.starts_with(kind)) || more.contains(&name);
        let own = [
            "ExecStart",
            "ExecReload",
            "RestartPreventExitStatus",
            "LimitMEMLOCK",
            "MemorySwapMax",
        ];
        kind && !own.contains(&name) && !differs.contains(&name)
    };
    let missing: Vec<_> = agent.iter().filter(restricts).filter(|l| !helper.contains(*l)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    assert!(helper.contains("CapabilityBoundingSet=CAP_SYS_ADMIN"));
    assert!(helper.contains("DeviceAllow=block-* r"));
}

#[test]
fn the_units_verify_without_a_word() {
    let units = Units::shipped();
    for name in SERVICES.iter().chain(&["batchward-once.timer", DEVICE]) {
        let said = verify(&units, name);
        assert!(said.is_empty(), "{name}: {said}");
    }
    // The check can fail: a directive that systemd does not know is a word.
    units.add("batchward.service", "[Service]\nProtectSystm=strict\n");
    assert!(verify(&units, "batchward.service").contains("ProtectSystm"));
}

pub(super) fn verify(units: &Units, name: &str) -> String {
    let mut analyze = machine();
    installed(&mut analyze);
    analyze.arg("--ro-bind").arg(units.path("")).args(["/tmp/units", "systemd-analyze", "verify"]);
    let output = analyze.arg("--man=no").arg(format!("/tmp/units/{name}")).output().unwrap();
    assert!(output.status.success() || !output.stderr.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_single_run_is_restricted_as_the_resident_agent_is() {
    let directives = |name: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(root().join("systemd").join(name)).unwrap();
        let (_, service) = text.split_once("[Service]\n").expect("a service");
        service
            .lines()
            .take_while(|line| !line.starts_with('['))
            .filter(|line| line.contains('=') && !line.starts_with('#'))
            .filter(|line| !OWN.iter().any(|own| line.split('=').next().unwrap().starts_with(own)))
            .map(str::to_owned)
            .collect()
    };
    let [agent, once] = SERVICES.map(directives);
    assert!(agent.len() > 40, "{agent:#?}");
    assert_eq!(agent, once);
}

#[test]
fn what_no_restart_mends_is_not_restarted() {
    let text = fs::read_to_string(root().join("systemd/batchward.service")).unwrap();
    let line = text.lines().find_map(|l| l.strip_prefix("RestartPreventExitStatus=")).unwrap();
    let codes: BTreeSet<u8> = line.split(' ').map(|code| code.parse().unwrap()).collect();
    use batchward::error::Exit;
    let wanted = [Exit::Usage, Exit::Data, Exit::Refused, Exit::Config];
    assert_eq!(codes, wanted.into_iter().map(|exit| exit as u8).collect());
}
