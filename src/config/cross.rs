//! What one file alone cannot tell: whether a link's layout and policy are there and go with it, and whether the
//! channels of all links are apart.
//!
//! Keys and data come by two channels (DESIGN 5), and nothing beneath a folder that a provider can write is ever
//! taken as configuration or as the agent's own (DESIGN 11). Paths are compared by where they lead.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    agent::Agent,
    links::Draft,
    node::{Fault, FaultKind},
    paths::Spot,
    policies,
    reader::{Placed, shown},
};
use crate::{
    adapters::root_key::RootKeySource,
    domain::{
        layout::{FieldKind, Layout},
        link::{Container, KeyMode},
        policy::Policy,
    },
};

/// What links refer to. A file with faults has a name and no content.
pub(super) struct Known<'a> {
    pub(super) layouts: &'a BTreeMap<String, Layout>,
    pub(super) layout_names: &'a BTreeSet<String>,
    pub(super) policies: &'a BTreeMap<String, Policy>,
    pub(super) policy_names: &'a BTreeSet<String>,
    pub(super) agent: &'a Agent,
    pub(super) agreed: bool,
}

/// Judges all links together.
pub(super) fn judge(drafts: &BTreeMap<String, Draft>, known: &Known<'_>, faults: &mut Vec<Fault>) {
    let own = Own::of(known.agent);
    let all: Vec<Channels<'_>> = drafts.iter().map(|(n, draft)| Channels::of(n, draft)).collect();
    for (n, channels) in all.iter().enumerate() {
        let mut judged = Judged { file: &channels.draft.file, faults };
        judged.names(channels.draft, known);
        judged.own(channels, &own);
        for other in &all {
            judged.keys_apart(channels, other);
            judged.receipts_apart(channels, other);
        }
        for other in all.iter().take(n) {
            judged.shared(other.name, "inbox", &channels.inbox, &other.inbox);
            judged.shared(other.name, "keybox", &channels.keybox, &other.keybox);
        }
    }
}

/// A folder that a link names, and where it leads.
type Folder<'a> = Option<(&'a Placed<PathBuf>, Spot)>;

/// The two channels of one link.
struct Channels<'a> {
    name: &'a str,
    draft: &'a Draft,
    inbox: Folder<'a>,
    keybox: Folder<'a>,
    receipts: Folder<'a>,
}

impl<'a> Channels<'a> {
    fn of(name: &'a str, draft: &'a Draft) -> Self {
        let folder = |placed: &'a Option<Placed<PathBuf>>| {
            placed.as_ref().map(|placed| (placed, Spot::of(&placed.value)))
        };
        Self {
            name,
            draft,
            inbox: folder(&draft.inbox),
            keybox: folder(&draft.keybox),
            receipts: folder(&draft.receipts),
        }
    }
}

/// The agent's own places.
struct Own {
    state: Spot,
    believed: Vec<(&'static str, Spot)>,
}

impl Own {
    fn of(agent: &Agent) -> Self {
        let mut believed = vec![
            ("agent.yaml", Spot::of(&agent.file)),
            ("the folder of links", Spot::of(&agent.links)),
            ("the folder of layouts", Spot::of(&agent.layouts)),
            ("the folder of policies", Spot::of(&agent.policies)),
            ("the control socket", Spot::of(&agent.socket)),
        ];
        if let Some(path) = &agent.api {
            believed.push(("the socket for services", Spot::of(path)));
        }
        if let RootKeySource::File(path) = &agent.root_key {
            believed.push(("the root key", Spot::of(path)));
        }
        if let Some(path) = &agent.metrics_file {
            believed.push(("the metrics file", Spot::of(path)));
        }
        Self { state: Spot::of(&agent.state), believed }
    }
}

/// One link under judgement.
struct Judged<'a> {
    file: &'a Path,
    faults: &'a mut Vec<Fault>,
}

impl Judged<'_> {
    fn add<T>(&mut self, at: &Placed<T>, what: String, hint: &str) {
        self.faults.push(Fault {
            file: self.file.to_owned(),
            line: at.at.line,
            column: at.at.column,
            what,
            hint: Some(hint.to_owned()),
            kind: FaultKind::Wrong,
        });
    }

    fn names(&mut self, draft: &Draft, known: &Known<'_>) {
        if let Some(layout) = &draft.layout {
            if let Some(found) = known.layouts.get(&layout.value) {
                self.items(draft, found);
            } else if !known.layout_names.contains(&layout.value) {
                let what = format!("there is no layout '{}'", shown(&layout.value));
                self.add(layout, what, &there_are("layouts", known.layout_names));
            }
        }
        if let Some(policy) = &draft.policy {
            if let Some(found) = known.policies.get(&policy.value) {
                let link = draft.file.file_stem().unwrap_or_default().to_string_lossy();
                let at = (&*link, &draft.file);
                policies::judge_override(found, at, &draft.overrides, known.agreed, self.faults);
                let policy = found.over(&link, &draft.overrides.rules(), None);
                self.key(draft, &policy);
                self.container(draft, &policy);
            } else if !known.policy_names.contains(&policy.value) {
                let what = format!("there is no policy '{}'", shown(&policy.value));
                self.add(policy, what, &there_are("policies", known.policy_names));
            }
        }
    }

    fn items(&mut self, draft: &Draft, layout: &Layout) {
        for item in &draft.items {
            match layout.field(&item.value).map(|field| &field.kind) {
                None => {
                    let what = format!(
                        "the item '{}' is no field of the layout '{}'",
                        shown(&item.value),
                        layout.name
                    );
                    let names: Vec<&str> = layout.fields.iter().map(|f| f.name.as_str()).collect();
                    self.add(item, what, &format!("its fields: {}", names.join(", ")));
                }
                Some(FieldKind::Change(_)) => {
                    let what = format!("the item '{}' is control data", item.value);
                    self.add(item, what, "leave it out: it is kept whatever the items are");
                }
                Some(_) => {}
            }
        }
    }

    fn key(&mut self, draft: &Draft, policy: &Policy) {
        let Some(key) = &draft.key else { return };
        let lasting = key.value != KeyMode::Separate;
        if lasting && !policy.standing_key.value {
            let what =
                format!("'key: {}' is not allowed by the policy '{}'", key.value, policy.name);
            self.add(key, what, "'key: separate', or another policy");
        }
    }

    /// What opens the container, and whether the policy allows it.
    fn container(&mut self, draft: &Draft, policy: &Policy) {
        let container = draft.container.as_ref().map_or(Container::Age, |placed| placed.value);
        if let Some(key) = &draft.key {
            let opens = match key.value {
                KeyMode::Separate => container != Container::PlainByHand,
                KeyMode::Standing => container == Container::Age,
                KeyMode::StandingPassphrase => container.is_archive(),
            };
            if !opens {
                let what = format!("'key: {}' opens no '{container}'", key.value);
                let hint = match container {
                    Container::Age => "'key: separate', or 'key: standing'",
                    Container::ZipAes | Container::SevenZ => {
                        "'key: separate', or 'key: standing-passphrase'"
                    }
                    Container::PlainByHand => "leave 'key' out: there is nothing to open",
                };
                self.add(key, what, hint);
            }
        }
        let allowed = &policy.further.containers;
        if let Some(placed) = &draft.container
            && allowed.as_ref().is_some_and(|rule| !rule.value.contains(&container))
        {
            let what =
                format!("'container: {container}' is not allowed by the policy '{}'", policy.name);
            self.add(placed, what, "another container, or another policy");
        }
    }

    /// The link's folders beside the agent's own.
    fn own(&mut self, channels: &Channels<'_>, own: &Own) {
        let folders = [
            ("inbox", &channels.inbox),
            ("keybox", &channels.keybox),
            ("folder of receipts", &channels.receipts),
        ];
        for (name, folder) in folders {
            let Some((at, spot)) = folder else { continue };
            if spot.overlaps(&own.state) {
                let what = format!("the {name} and the state folder lie within each other");
                self.add(at, what, &format!("give the {name} a folder of its own"));
            }
            for (believed, _) in own.believed.iter().filter(|(_, place)| place.within(spot)) {
                let what = format!("{believed} lies within the {name}");
                let hint = "a provider writes there, and would write what the agent believes";
                self.add(at, what, hint);
            }
        }
    }

    /// The keybox beside an inbox, the link's own too.
    fn keys_apart(&mut self, channels: &Channels<'_>, other: &Channels<'_>) {
        if let (Some((at, keybox)), Some((_, inbox))) = (&channels.keybox, &other.inbox)
            && keybox.overlaps(inbox)
        {
            let what = format!("the keybox lies inside, above or at the inbox of '{}'", other.name);
            let hint = "key and data come by two channels: give the keybox a folder of its own";
            self.add(at, what, hint);
        }
    }

    /// The folder of receipts beside every folder that something is taken from.
    fn receipts_apart(&mut self, channels: &Channels<'_>, other: &Channels<'_>) {
        for (kind, folder) in [("inbox", &other.inbox), ("keybox", &other.keybox)] {
            if let (Some((at, receipts)), Some((_, taken))) = (&channels.receipts, folder)
                && receipts.overlaps(taken)
            {
                let what = format!(
                    "the folder of receipts lies inside, above or at the {kind} of '{}'",
                    other.name
                );
                let hint =
                    "what lies there is taken over and wiped: give receipts a folder of their own";
                self.add(at, what, hint);
            }
        }
    }

    /// The same kind of folder of two links.
    fn shared(&mut self, other: &str, kind: &str, own: &Folder<'_>, its: &Folder<'_>) {
        if let (Some((at, own)), Some((_, its))) = (own, its)
            && own.overlaps(its)
        {
            let what = format!("the {kind} lies inside, above or at that of '{other}'");
            self.add(at, what, &format!("each link has its own {kind}"));
        }
    }
}

fn there_are(kind: &str, names: &BTreeSet<String>) -> String {
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    match list.as_slice() {
        [] => format!("the folder of {kind} is empty"),
        list => format!("there are {}", list.join(", ")),
    }
}
