//! Two agents, a socket that a dead one left, and a lock whose holder does not answer.

use std::{
    fs,
    os::unix::{
        fs::{FileTypeExt, PermissionsExt},
        net::UnixListener,
    },
};

use rustix::process::Signal;

use super::*;

#[test]
fn a_second_agent_of_the_same_site_does_not_start() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    for words in [["run"].as_slice(), &["run", "--once"]] {
        let ran = agent.run(words).exits(69);
        assert!(ran.stderr.contains("an agent runs, and answers at its socket"), "{}", ran.stderr);
    }
    agent.run(&["status"]).ok();
    agent.stop();
}

#[test]
fn the_socket_of_a_living_agent_is_never_replaced() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let (other, _) = laid_out(&people);
    let agent = Agent::start(&site);
    let socket = site.dir.join("run/control.sock");
    let theirs = format!("socket: {}", socket.display());
    replaced(&other.dir.join("agent.yaml"), "socket: run/control.sock", &theirs);
    let ran = other.run(&["run"]).exits(69);
    assert!(ran.stderr.contains("is the socket of another agent that runs"), "{}", ran.stderr);
    agent.run(&["status"]).ok();
    agent.stop();
    assert!(!socket.exists(), "an agent takes its socket with it");
}

#[test]
fn the_socket_of_a_dead_agent_is_replaced_and_anything_else_is_not() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let mut agent = Agent::start(&site);
    agent.signal(Signal::KILL);
    agent.exit();
    drop(agent);
    let socket = site.dir.join("run/control.sock");
    assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket(), "it is left behind");
    site.run(&["status"]).ok();
    let agent = Agent::start(&site);
    let mode = fs::metadata(&socket).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o660);
    agent.run(&["status"]).ok();
    agent.stop();
    fs::write(&socket, b"a file").unwrap();
    let ran = site.run(&["run"]).exits(69);
    assert!(ran.stderr.contains("something else than a socket"), "{}", ran.stderr);
    assert_eq!(fs::read(&socket).unwrap(), b"a file");
}

#[test]
fn a_folder_that_others_can_write_holds_no_socket() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let run = site.dir.join("run");
    fs::create_dir(&run).unwrap();
    // The group of the socket is meant to connect to it, not to put its own in its place.
    for mode in [0o777, 0o770] {
        fs::set_permissions(&run, fs::Permissions::from_mode(mode)).unwrap();
        let ran = site.run(&["run"]).exits(78);
        assert!(ran.stderr.contains("others can put a socket of their own"), "{}", ran.stderr);
        assert!(ran.stderr.contains("hint: chmod go-w"), "{}", ran.stderr);
    }
}

#[test]
fn an_agent_whose_socket_is_gone_is_told_from_one_that_does_not_run() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let agent = Agent::start(&site);
    fs::remove_file(site.dir.join("run/control.sock")).unwrap();
    let ran = agent.run(&["status"]).exits(69);
    assert!(ran.stderr.contains("does not answer at its socket"), "{}", ran.stderr);
    agent.stop();
    site.run(&["status"]).ok();
}

/// Somebody else at the socket of a site.
fn listening(site: &Site<'_>) -> UnixListener {
    let run = site.dir.join("run");
    fs::create_dir(&run).unwrap();
    fs::set_permissions(&run, fs::Permissions::from_mode(0o700)).unwrap();
    UnixListener::bind(run.join("control.sock")).unwrap()
}

#[test]
fn an_impostor_at_the_socket_gets_no_key() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    // It accepts and says nothing that the agent would say.
    let listener = listening(&site);
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let hello =
            br#"{"batchward":1,"origin":"batchward/elsewhere","challenge":"00","known":true}"#;
        let length = u32::try_from(hello.len()).unwrap();
        std::io::Write::write_all(&mut stream, &length.to_be_bytes()).unwrap();
        std::io::Write::write_all(&mut stream, hello).unwrap();
        let mut got = Vec::new();
        let _ = std::io::Read::read_to_end(&mut stream, &mut got);
        got
    });
    // Another site's agent: the owner of this state opens it directly.
    site.run(&["status"]).ok();
    assert!(server.join().unwrap().is_empty(), "another site's agent is asked nothing");
}

#[test]
fn a_command_that_asks_the_agent_leaves_no_core_file_either() {
    let people = People::new();
    let (site, _) = laid_out(&people);
    let listener = listening(&site);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_batchward"));
    command.arg("--config").arg(site.dir.join("agent.yaml")).arg("status");
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    // It waits for a hello that does not come.
    let (stream, _) = listener.accept().unwrap();
    let about = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).unwrap();
    let (status, limits) = (about("status"), about("limits"));
    drop((stream, listener));
    child.wait().unwrap();
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert!(core.split_whitespace().skip(4).take(2).all(|limit| limit == "0"), "{core}");
}
