//! Two people's keys in one hand: one system user that signs for several accounts is told, and who may say that it is known.

use super::*;
use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, process::Command};

use serde_json::Value;

/// Synthetic system users of the machine; nobody has them.
const DESK: &str = "65533";
const OTHERS: [&str; 5] = ["65529", "65530", "65531", "65532", "65528"];

/// What an account signs at a system user's keyboard, through the socket.
fn signed(agent: &Agent<'_, '_>, uid: &str, name: &str, words: &[&str]) -> (Option<i32>, String) {
    let site = agent.site;
    let key = site.dir.parent().unwrap().join(format!("{name}-{uid}"));
    if !key.exists() {
        fs::copy(site.people.key(name), &key).unwrap();
        assert!(
            Command::new("chown").arg(format!("{uid}:{uid}")).arg(&key).status().unwrap().success()
        );
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", uid, "--regid", uid, "--clear-groups"]);
    command.arg(env!("CARGO_BIN_EXE_batchward")).arg("--config").arg(site.dir.join("agent.yaml"));
    command.args(["--test-clock", &agent.time(), "--as", name, "--sign-with"]).arg(key);
    let output = command.args(words).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&said).into_owned())
}

/// The alarm about a system user, and the task that waits.
fn told(status: &Value) -> (Option<String>, Option<String>) {
    let alarms = status["alarms"].as_array().unwrap();
    let alarm = alarms.iter().find(|one| one["code"] == "shared-user");
    let text = status.to_string();
    let task = ["acknowledge-shared-user", "confirm-shared-user"];
    let task = task.into_iter().find(|code| text.contains(*code)).map(str::to_owned);
    (alarm.map(|one| one["first"].as_str().unwrap().to_owned()), task)
}

#[test]
fn one_system_user_with_two_peoples_keys_is_an_alarm_until_two_others_know() {
    assert!(rustix::process::geteuid().is_root(), "only root can be another user");
    let people = People::new();
    let (site, _) = laid_out(&people);
    for (name, role) in [("walt", "supervisor"), ("carl", "custodian")] {
        people.new_key(name);
        let key = people.public(name);
        let add = ["account", "add", name, "--role", role, "--sign-key", key.to_str().unwrap()];
        site.run_as("ada", &add).ok();
        site.run_as("ben", &["account", "confirm", name]).ok();
    }
    let agent = Agent::start(&site);
    let (run, above) = (site.dir.join("run"), site.dir.parent().unwrap());
    for path in [above, &site.dir, &run] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::set_permissions(run.join("control.sock"), fs::Permissions::from_mode(0o666)).unwrap();
    let status = || agent.run(&["status", "--json"]).json();
    let hold = ["hold", "place", "--all", "--authority", "地檢署", "--doc-no", "115-1", "--review"];
    let hold = [hold.as_slice(), &["2027-01-31"]].concat();
    for _ in 0..2 {
        let (code, said) = signed(&agent, DESK, "sue", &hold);
        assert_eq!(code, Some(0), "{said}");
    }
    assert_eq!(told(&status()), (None, None), "one person, twice");
    let (code, said) = signed(&agent, DESK, "audrey", &hold);
    assert_eq!(code, Some(0), "{said}");
    let alarm = Some(format!("uid-{DESK}"));
    assert_eq!(told(&status()), (alarm.clone(), Some("acknowledge-shared-user".to_owned())));
    // Neither of the two, from wherever; and nobody who is neither, from there.
    let known = ["account", "acknowledge", DESK, "--reason", "同一終端機"];
    let confirm = ["account", "acknowledge", DESK, "--confirm"];
    for (uid, name) in [(OTHERS[0], "sue"), (OTHERS[1], "audrey")] {
        let (code, said) = signed(&agent, uid, name, &known);
        assert_eq!(code, Some(77), "{said}");
        assert!(said.contains("who never signed as the system user 65533"), "{said}");
    }
    assert_eq!(signed(&agent, OTHERS[2], "alice", &confirm).0, Some(64), "nothing waits");
    let (code, said) = signed(&agent, OTHERS[2], "alice", &known);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("audrey, sue"), "{said}");
    assert_eq!(told(&status()), (alarm.clone(), Some("confirm-shared-user".to_owned())));
    assert_eq!(signed(&agent, OTHERS[0], "sue", &confirm).0, Some(77), "her own key it is");
    let (code, said) = signed(&agent, OTHERS[3], "walt", &confirm);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(told(&status()), (None, None));
    assert_eq!(signed(&agent, OTHERS[3], "walt", &confirm).0, Some(64), "it is known");
    // A third person's key is told again.
    let (code, said) = signed(&agent, DESK, "alice", &["clock", "confirm"]);
    assert_eq!(code, Some(64), "{said}");
    assert_eq!(told(&status()).0, alarm, "an act that came to nothing was signed all the same");
    // Each pair stands in the register once.
    let rows = agent.run(&["register", "show", "--json"]).ok().json();
    let rows = rows.as_array().unwrap().iter().filter(|row| !row["uid"].is_null());
    let pairs: Vec<(String, String)> =
        rows.map(|row| (row["uid"].to_string(), row["by"].to_string())).collect();
    assert_eq!(pairs.iter().collect::<BTreeSet<_>>().len(), pairs.len(), "{pairs:?}");
    assert_eq!(pairs.iter().filter(|(uid, _)| uid == DESK).count(), 3, "{pairs:?}");
    // Nobody whose own system user is another's as well says so; nor does the second of them from where the first did.
    let (code, said) = signed(&agent, OTHERS[3], "carl", &known);
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("sign as your system user as well"), "{said}");
    assert_eq!(signed(&agent, OTHERS[4], "carl", &known).0, Some(0));
    let (code, said) = signed(&agent, OTHERS[4], "walt", &confirm);
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("sign as your system user as well"), "{said}");
    agent.stop();
    site.verify();
}

#[test]
fn decisions_in_one_process_are_told_and_a_terminal_is_excepted_by_two_people() {
    let people = People::new();
    let site = Site::in_memory(&people);
    let file = site.dir.join("agent.yaml");
    let with = fs::read_to_string(&file).unwrap();
    let without: String =
        with.split_inclusive('\n').filter(|line| !line.starts_with("shared_users:")).collect();
    assert_ne!(with, without);
    fs::write(&file, &without).unwrap();
    site.init();
    site.accounts(UNIT);
    let uid = rustix::process::getuid().as_raw();
    let status = || told(&site.run(&["status", "--json"]).json());
    let alarm = Some(format!("uid-{uid}"));
    assert_eq!(status().0, alarm);
    // Whoever signs from there as well is no third person.
    let uid = uid.to_string();
    let known = ["account", "acknowledge", &uid, "--reason", "同一終端機"];
    let ran = site.run_as("audrey", &known).exits(77);
    assert!(ran.stderr.contains("sign from elsewhere"), "{}", ran.stderr);
    for name in ["alice", "sue"] {
        site.run_as(name, &["grant", "approve", "g-00000001"]);
        site.run_as(name, &["clock", "confirm"]);
    }
    let ran = site.run_as("audrey", &known).exits(77);
    assert!(ran.stderr.contains("there are not two such people here"), "{}", ran.stderr);
    // The configuration names it, and one person alone does not put that in force.
    fs::write(&file, &with).unwrap();
    site.once();
    assert_eq!(status().0, alarm);
    site.run_as("ada", &["config", "propose"]).ok();
    site.run_as("ada", &["config", "confirm"]).exits(77);
    assert_eq!(status().0, alarm);
    site.run_as("ben", &["config", "confirm"]).ok();
    assert_eq!(status(), (None, None));
    // Taken out again, it is watched again at once.
    fs::write(&file, &without).unwrap();
    site.once();
    assert_eq!(status().0, alarm);
    site.verify();
}
