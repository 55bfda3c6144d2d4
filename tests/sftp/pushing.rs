//! Packages that are put to the server of their recipient: whole, once, and no longer in the outbox; and stops at each
//! request on the way.

use std::{fs, os::unix::fs::PermissionsExt, sync::Mutex, time::Duration};

use serde_json::Value;

use super::{
    UNIT,
    kills::{VICTIMS, Victim, all},
    proxy::{Proxy, places},
    scene::{Ground, kill},
    servers::{AsyncSsh, user},
    support::{People, provider::Provider},
};

const DOC: &str = "府民戶字第1150001234號";
const WITHIN: Duration = Duration::from_secs(120);
/// What a package is, in the order of names.
const FILES: [&str; 3] = ["data.csv.age", "manifest.yaml", "manifest.yaml.sig"];

/// A site with a loaded batch and a recipient whose packages go to a server.
struct Play<'p> {
    ground: Ground<'p>,
    batch: String,
}

impl<'p> Play<'p> {
    /// With a batch of so many people; the server listens on this port, and `below` is its name of what it serves.
    fn on(ground: Ground<'p>, records: u64, port: u16, below: &str) -> Self {
        let dir = &ground.site.dir;
        fs::create_dir_all(ground.remote.join("incoming")).unwrap();
        let link = fs::read_to_string(dir.join("links/small.yaml")).unwrap();
        let link = link.replace("policy: nantou-verification", "policy: taoyuan-dwcd");
        fs::write(dir.join("links/small.yaml"), link).unwrap();
        for folder in ["ssh", "recipients", "handed/center", "handed-keys/center"] {
            fs::create_dir_all(dir.join(folder)).unwrap();
        }
        fs::set_permissions(dir.join("ssh"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::copy(ground.keys.file("user"), dir.join("ssh/center")).unwrap();
        fs::set_permissions(dir.join("ssh/center"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(dir.join("ssh/known_hosts"), ground.keys.known("host", port)).unwrap();
        let recipient = format!(
            "recipient: center\ntitle: 合成受領單位\nkind: agency\npremises: own\nlink: from-taoyuan\n\
             outbox: ../handed/center\nkey: separate\nkeys: ../handed-keys/center\n\
             channels: [sftp, registered-letter]\nuntil: 2027-06-30\n\
             push:\n  sftp:\n    host: 127.0.0.1\n    port: {port}\n    user: {}\n    identity: ../ssh/center\n    \
             known_hosts: ../ssh/known_hosts\n    path: {below}/incoming\n",
            user()
        );
        fs::write(dir.join("recipients/center.yaml"), recipient).unwrap();
        ground.site.init();
        ground.site.accounts(UNIT);
        ground.provider.release(&ground.provider.pack(1, records));
        ground.once().ok();
        let row = ground.site.row_numbered(&Provider::number(1));
        assert_eq!(ground.site.show(&row)["state"], "loaded", "{}", ground.account());
        Self { ground, batch: row }
    }

    /// Asked for, approved, made: the package lies in the outbox.
    fn made(&self) -> String {
        self.made_by(["sftp", "registered-letter"])
    }

    /// The same, by these channels for data and key.
    fn made_by(&self, [data, key]: [&str; 2]) -> String {
        let site = &self.ground.site;
        let words = ["handover", "request", &self.batch, "--to", "center", "--purpose", "寄發通知"];
        let basis = ["--basis", "府社婦字第1150009999號", "--until", "2027-03-31"];
        let channels = ["--channel", data, "--key-channel", key];
        let id = site.run_as("henry", &[words.as_slice(), &basis, &channels].concat()).ok().id('l');
        site.run_as("sue", &["handover", "approve", &id, "--doc-no", DOC]).ok();
        site.run_as("alice", &["handover", "make", &id]).ok();
        assert_eq!(self.outbox(), [id.as_str()]);
        id
    }

    fn show(&self, id: &str) -> Value {
        self.ground.site.run(&["handover", "show", id, "--json"]).ok().json()
    }

    fn outbox(&self) -> Vec<String> {
        names(&self.ground.site.dir.join("handed/center"))
    }

    fn incoming(&self) -> Vec<String> {
        names(&self.ground.remote.join("incoming"))
    }

    /// The package lies at the server, and is what the register says; nothing of it lies anywhere else.
    #[track_caller]
    fn assert_put(&self, id: &str) {
        let page = self.show(id);
        assert!(page["pushed"].is_string(), "{page}");
        assert_eq!(self.incoming(), [id]);
        let there = self.ground.remote.join("incoming").join(id);
        assert_eq!(names(&there), FILES);
        let sum = |name: &str| {
            batchward::domain::digest::Digest::of(&fs::read(there.join(name)).unwrap()).to_string()
        };
        assert_eq!(page["package"]["sha256"], sum("data.csv.age").as_str());
        assert_eq!(page["package"]["manifest"], sum("manifest.yaml").as_str());
        assert_eq!(self.outbox(), [""; 0]);
        // The key goes another way.
        assert_eq!(names(&self.ground.site.dir.join("handed-keys/center")), [format!("{id}.key")]);
        self.ground.site.verify();
    }

    /// Turns until it is there, at most so many.
    #[track_caller]
    fn until_put(&self, id: &str, most: usize) {
        for _ in 0..most {
            self.ground.once();
            if self.show(id)["pushed"].is_string() {
                return self.assert_put(id);
            }
        }
        panic!("not put after {most} turns: {}\n{}", self.show(id), self.ground.account());
    }
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_package_is_put_whole_once_and_leaves_the_outbox() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.openssh();
    let below = ground.remote.to_str().unwrap().to_owned();
    let play = Play::on(ground, 20, server.port, &below);
    let id = play.made();
    play.ground.once().ok();
    play.assert_put(&id);
    play.ground.once().ok();
    play.assert_put(&id);
    let put = play.ground.site.run(&["register", "show", "--json"]).ok().json();
    let steps = put.as_array().unwrap().iter();
    let pushes = steps.filter(|entry| entry["body"]["plan"]["step"] == "push-package").count();
    assert_eq!(pushes, 1);
}

#[test]
fn nothing_is_put_to_a_server_whose_key_is_not_known() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let play = Play::on(ground, 3, server.port, "");
    let known = play.ground.site.dir.join("ssh/known_hosts");
    let right = fs::read(&known).unwrap();
    fs::write(&known, play.ground.keys.known("other-host", server.port)).unwrap();
    let id = play.made();
    play.ground.once();
    assert_eq!(play.show(&id)["push_trouble"], "host-key-changed");
    assert_eq!((play.outbox(), play.incoming()), (vec![id.clone()], Vec::new()));
    let alarms = play.ground.alarms();
    let told =
        alarms.iter().any(|alarm| alarm["code"] == "source-host-key" && alarm["about"] == "center");
    assert!(told, "{alarms:?}");
    let ran = play.ground.site.run(&["handover", "test", "center", "--json"]).exits(1);
    assert_eq!(ran.json()["trouble"], "host-key-changed");
    fs::write(&known, right).unwrap();
    let ran = play.ground.site.run(&["handover", "test", "center"]).ok();
    assert!(ran.text().contains("logged in; 0 things in the remote folder"), "{}", ran.text());
    play.until_put(&id, 2);
}

#[test]
fn what_has_the_name_of_a_package_is_left_alone_and_becomes_an_alarm() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let play = Play::on(ground, 3, server.port, "");
    let id = play.made();
    let there = play.ground.remote.join("incoming").join(&id);
    fs::create_dir(&there).unwrap();
    fs::write(there.join("other"), "synthetic").unwrap();
    play.ground.once();
    assert_eq!(play.show(&id)["push_trouble"], "taken");
    assert_eq!(fs::read_to_string(there.join("other")).unwrap(), "synthetic");
    play.ground.site.wait_minutes(25 * 60);
    play.ground.once();
    let alarms = play.ground.alarms();
    assert!(alarms.iter().any(|alarm| alarm["code"] == "source-owed"), "{alarms:?}");
    fs::remove_dir_all(&there).unwrap();
    play.until_put(&id, 2);
}

#[test]
fn a_package_that_was_changed_in_the_outbox_is_not_put() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let play = Play::on(ground, 3, server.port, "");
    let id = play.made();
    let data = play.ground.site.dir.join("handed/center").join(&id).join("data.csv.age");
    let whole = fs::read(&data).unwrap();
    let mut other = whole.clone();
    other[40] ^= 1;
    fs::write(&data, other).unwrap();
    play.ground.once();
    assert_eq!(play.show(&id)["push_trouble"], "own-files");
    assert_eq!(play.incoming(), [""; 0]);
    fs::write(&data, whole).unwrap();
    play.until_put(&id, 2);
}

#[test]
fn over_a_link_that_is_cut_a_package_arrives_whole() {
    let people = People::new();
    let ground = Ground::on_disk(&people);
    let server = ground.openssh();
    let below = ground.remote.to_str().unwrap().to_owned();
    // 60,000 people are about two MiB, which come back once.
    let proxy = Proxy::cut(server.port, places(5, 20, 2 << 20));
    let play = Play::on(ground, 60_000, proxy.port, &below);
    let id = play.made();
    play.until_put(&id, 12);
    assert!(proxy.cuts() >= 15, "only {} cuts", proxy.cuts());
    println!("{} cuts, {} connections", proxy.cuts(), proxy.connections());
}

/// Dies at one request of putting; before that the server loses this file. False when it came to its end before.
fn die(people: &People, stop: &str, victim: Victim, lost: Option<&str>) -> bool {
    let ground = Ground::new(people);
    let mut server = ground.asyncssh(&["--stop", stop]);
    let play = Play::on(ground, 3, server.port, "");
    let id = play.made();
    let mut running = play.ground.start(&[]);
    let held = {
        let running = Mutex::new(&mut running);
        server.holds(|| running.lock().unwrap().ended())
    };
    if held {
        if let Some(name) = lost {
            let part = play.ground.remote.join(format!("incoming/.batchward-{id}.part"));
            let _ = fs::remove_file(part.join(name));
        }
        victim.of(&running).into_iter().for_each(kill);
    }
    server.go();
    running.end(WITHIN);
    play.until_put(&id, 4);
    held
}

/// Requests of putting a package undisturbed.
fn requests(people: &People) -> usize {
    let ground = Ground::new(people);
    let server: AsyncSsh = ground.asyncssh(&[]);
    let play = Play::on(ground, 3, server.port, "");
    let id = play.made();
    play.ground.once().ok();
    play.assert_put(&id);
    let count = server.requests().len();
    assert!(count >= 12, "three files, each looked at, put and read back, are more than {count}");
    count
}

#[test]
fn a_server_that_loses_what_it_had_gets_it_again() {
    let people = People::new();
    // The process of the connection dies, and the agent goes on with another one.
    let plays: Vec<usize> = (4..=requests(&people)).collect();
    let play =
        |n: &usize| die(&people, &format!("{n}:before"), Victim::Connection, Some("data.csv.age"));
    let held = all(&plays, play);
    assert!(held * 10 >= plays.len() * 8, "only {held} of {} came to their request", plays.len());
}

#[test]
fn a_death_at_any_request_of_putting_loses_nothing_and_doubles_nothing() {
    let people = People::new();
    let requests = requests(&people);
    // Every second request is carried out, and its answer never comes.
    let plays: Vec<_> = (1..=requests)
        .map(|n| {
            let moment = if n % 2 == 0 { "before" } else { "after" };
            (format!("{n}:{moment}"), VICTIMS[n / 2 % VICTIMS.len()])
        })
        .collect();
    let held = all(&plays, |(stop, victim)| die(&people, stop, *victim, None));
    println!("{held} deaths at {} chosen requests", plays.len());
    assert!(held * 10 >= plays.len() * 8, "only {held} of {} came to their request", plays.len());
}

#[test]
fn what_the_recipient_took_before_it_was_recorded_is_not_put_again() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let play = Play::on(ground, 3, server.port, "");
    let id = play.made();
    // The recipient's own agent has it before ours knows that it was renamed.
    let note = play.ground.site.dir.join(format!("state/packages/{id}.sent"));
    fs::write(&note, "").unwrap();
    play.ground.once();
    assert_eq!(play.show(&id)["push_trouble"], "taken-away");
    assert_eq!((play.outbox(), play.incoming()), (vec![id.clone()], Vec::new()));
    let alarms = play.ground.alarms();
    assert!(alarms.iter().any(|alarm| alarm["code"] == "source-owed"), "{alarms:?}");
    let confirm = ["handover", "confirm", &id, "--doc-no", "中衛字第1150000077號"];
    play.ground.site.run_as("alice", &confirm).ok();
    play.ground.once().ok();
    assert_eq!((play.outbox(), note.exists()), (Vec::new(), false));
    let alarms = play.ground.alarms();
    assert!(!alarms.iter().any(|alarm| alarm["code"] == "source-owed"), "{alarms:?}");
}

#[test]
fn what_was_approved_to_go_by_another_channel_is_not_put() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let play = Play::on(ground, 3, server.port, "");
    let id = play.made_by(["registered-letter", "sftp"]);
    play.ground.once().ok();
    assert_eq!((play.outbox(), play.incoming()), (vec![id.clone()], Vec::new()));
    assert!(play.show(&id)["pushed"].is_null());
}

#[test]
fn what_may_not_be_used_any_more_leaves_no_more() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let play = Play::on(ground, 3, server.port, "");
    let known = play.ground.site.dir.join("ssh/known_hosts");
    let right = fs::read(&known).unwrap();
    fs::write(&known, play.ground.keys.known("other-host", server.port)).unwrap();
    let id = play.made();
    play.ground.once();
    fs::write(&known, right).unwrap();
    // The use was approved until the end of March 2027.
    play.ground.site.wait_minutes(140 * 24 * 60);
    play.ground.once();
    assert_eq!(play.show(&id)["push_trouble"], "use-ended");
    assert_eq!(play.incoming(), [""; 0]);
}

#[test]
fn an_outbox_that_cannot_be_cleared_stops_nothing_else() {
    let people = People::new();
    let ground = Ground::new(&people);
    let server = ground.asyncssh(&[]);
    let play = Play::on(ground, 3, server.port, "");
    let id = play.made();
    let odd = play.ground.site.dir.join("handed/center").join(&id).join("odd");
    fs::create_dir(&odd).unwrap();
    play.ground.once().ok();
    assert!(play.show(&id)["pushed"].is_string());
    assert_eq!(play.outbox(), [id.as_str()]);
    fs::remove_dir(&odd).unwrap();
    play.ground.once().ok();
    assert_eq!(play.outbox(), [""; 0]);
}
