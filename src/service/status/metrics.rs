//! The page as metrics: the text exposition format of Prometheus, version 0.0.4.
//!
//! Names are `batchward_*` in base units; labels are links, states, codes and folders of ours, never the name of a
//! delivery, an account or anything of a person. The form is a line of name, labels and value, so it is written
//! here: client libraries count events in a process, while this is a picture of one moment.

use std::fmt::Write;

use super::{AlarmCode, StatusPage, TaskCode};
use crate::{
    domain::{lifecycle::BatchState, time::Timestamp},
    engine::health::{Folder, RootKey},
};

/// Every value of one metric: its labels, each name and value, and the number.
type Samples = Vec<(Vec<(&'static str, String)>, f64)>;

impl StatusPage {
    /// The page in the text exposition format.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut text = Text(String::new());
        self.agent(&mut text);
        self.links_and_batches(&mut text);
        self.acts(&mut text);
        self.machine(&mut text);
        text.0
    }

    fn agent(&self, text: &mut Text) {
        let about = vec![("site", self.site.clone()), ("version", self.version.clone())];
        text.gauge("build_info", "Site and version of the program; always 1.", vec![(about, 1.0)]);
        text.one("page_timestamp_seconds", "When these metrics were made.", seconds(self.at));
        text.one("agent_running", "Whether a resident agent runs.", flag(self.agent_running));
        text.one("clock_doubted", "Whether the clock is in doubt.", flag(self.clock_doubted));
        text.one(
            "configuration_pending",
            "Changes of configuration that wait for a second person.",
            count(self.pending.len() as u64),
        );
        let by_code = AlarmCode::ALL.iter().map(|code| {
            let found = self.alarms.iter().filter(|alarm| alarm.code == *code);
            let level = if code.level() == super::Level::Alarm { "alarm" } else { "warning" };
            let labels = vec![("code", code.word().to_owned()), ("level", level.to_owned())];
            (labels, count(found.map(|alarm| alarm.count).sum()))
        });
        text.gauge("alarms", "What stands wrong, by code.", by_code.collect());
        text.one("work_running", "Long steps that run.", count(self.work.len() as u64));
        let sum = |of: fn(&super::WorkLine) -> u64| count(self.work.iter().map(of).sum());
        text.one("work_done_bytes", "Bytes that running steps have done.", sum(|work| work.done));
        text.one("work_total_bytes", "Bytes that running steps have in all.", sum(|w| w.total));
    }

    fn links_and_batches(&self, text: &mut Text) {
        let states = BatchState::ALL.iter().map(|state| state.word()).chain(["waiting"]);
        let by_state = states.map(|state| {
            let found = self.batches.get(state).copied().unwrap_or(0);
            (vec![("state", state.to_owned())], count(found))
        });
        text.gauge(
            "batches",
            "Batches by state; deliveries that are none yet are waiting.",
            by_state.collect(),
        );
        let links = |of: &dyn Fn(&super::LinkLine) -> Option<f64>| -> Samples {
            let value = |line| Some((vec![("link", line_name(line))], of(line)?));
            self.links.iter().filter_map(value).collect()
        };
        text.gauge(
            "link_active",
            "Whether a link takes deliveries.",
            links(&|line| Some(flag(line.state == "active"))),
        );
        text.gauge(
            "link_approved_until_timestamp_seconds",
            "End of a link.",
            links(&|line| Some(seconds(line.approved_until))),
        );
        text.gauge(
            "link_last_delivery_timestamp_seconds",
            "When the last delivery of a link was claimed.",
            links(&|line| line.last.as_ref().map(|last| seconds(last.at))),
        );
        text.gauge(
            "link_deliveries_waiting",
            "Deliveries in a link's inbox that are not batches yet.",
            links(&|line| Some(count(line.waiting))),
        );
        text.gauge(
            "link_batches_open",
            "Batches of a link that are not closed.",
            links(&|line| Some(count(line.open))),
        );
    }

    fn acts(&self, text: &mut Text) {
        let by_code = TaskCode::ALL.iter().map(|code| {
            let found = self.task_counts.get(code).copied().unwrap_or(0);
            (vec![("code", code.word().to_owned())], count(found))
        });
        text.gauge("tasks", "Acts that wait for a person, by code.", by_code.collect());
        text.one("destructions_due", "Destructions that are due.", count(self.due.total));
        text.one(
            "destructions_overdue",
            "Destructions whose deadline has passed.",
            count(self.overdue),
        );
        let next = self.due.rows.iter().find_map(|line| line.deadline);
        text.gauge(
            "destruction_deadline_timestamp_seconds",
            "The earliest deadline of what is due; none where nothing is.",
            next.into_iter().map(|at| (Vec::new(), seconds(at))).collect(),
        );
        text.one("orders_open", "Destruction orders that are not over.", count(self.orders.total));
        text.one("holds_standing", "Holds that stand.", count(self.holds.total));
        text.one("ending_soon", "Links, grants and uses that end soon.", count(self.ending.total));
    }

    fn machine(&self, text: &mut Text) {
        text.one("register_entries", "Entries of the register.", count(self.register.entries));
        let published = self.register.published.into_iter();
        text.gauge(
            "register_published_entries",
            "Entries under the published checkpoint; none where it cannot be read.",
            published.map(|size| (Vec::new(), count(size))).collect(),
        );
        let last = self.register.last_at.into_iter();
        text.gauge(
            "register_last_entry_timestamp_seconds",
            "Time of the last entry of the register.",
            last.map(|at| (Vec::new(), seconds(at))).collect(),
        );
        let slots = &self.health.slots;
        let slots =
            [("live", slots.live), ("destroyed", slots.destroyed), ("damaged", slots.damaged)];
        let slots = slots.map(|(state, n)| (vec![("state", state.to_owned())], count(n)));
        text.gauge("key_slots", "Slots of the key store, by state.", slots.into());
        let kinds = [RootKey::File, RootKey::Credential, RootKey::Passphrase];
        let kinds = kinds.map(|kind| {
            (vec![("kind", kind.word().to_owned())], flag(kind == self.health.root_key))
        });
        text.gauge("root_key", "Where the root key is.", kinds.into());
        let folders = |of: &dyn Fn(&crate::engine::health::Place) -> Option<f64>| -> Samples {
            let places = self.health.places.iter();
            let value = |place: &crate::engine::health::Place| {
                Some((folder_labels(&place.folder), of(place)?))
            };
            places.filter_map(value).collect()
        };
        text.gauge(
            "folder_reachable",
            "Whether the state folder, and each link's inbox, can be reached.",
            folders(&|place| Some(flag(place.room.is_some()))),
        );
        text.gauge(
            "folder_free_bytes",
            "Bytes free on the filesystem of a folder.",
            folders(&|place| Some(count(place.room?.free_bytes))),
        );
        text.gauge(
            "folder_size_bytes",
            "Bytes in all on the filesystem of a folder.",
            folders(&|place| Some(count(place.room?.bytes))),
        );
        text.gauge(
            "folder_free_inodes",
            "Inodes free on the filesystem of a folder.",
            folders(&|place| Some(count(place.room?.free_inodes?))),
        );
    }
}

/// A link may have any name, also one of ours: state and inboxes are told apart by a label of their own.
fn folder_labels(folder: &Folder) -> Vec<(&'static str, String)> {
    match folder {
        Folder::State => vec![("folder", "state".to_owned())],
        Folder::Inbox(link) => vec![("folder", "inbox".to_owned()), ("link", link.clone())],
    }
}

fn line_name(line: &super::LinkLine) -> String {
    line.link.clone()
}

/// The text as it grows.
struct Text(String);

impl Text {
    fn one(&mut self, name: &str, help: &str, value: f64) {
        self.gauge(name, help, vec![(Vec::new(), value)]);
    }

    /// One metric with all its values. Without a value it is left out whole.
    fn gauge(&mut self, name: &str, help: &str, samples: Samples) {
        if samples.is_empty() {
            return;
        }
        let name = format!("batchward_{name}");
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(label, of)| format!("{label}=\"{}\"", escaped(of))).collect();
            let labels =
                if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
            let _ = writeln!(self.0, "{name}{labels} {value}");
        }
    }
}

/// A label's value: the format knows three escapes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// A number of things. The format knows floating point only; it is exact to 2^53.
#[expect(clippy::cast_precision_loss, reason = "the format's own numbers are these")]
const fn count(number: u64) -> f64 {
    number as f64
}

fn flag(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

/// Seconds since 1970.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are far below 2^53")]
fn seconds(at: Timestamp) -> f64 {
    at.millis() as f64 / 1000.0
}
