//! `recipients/*.yaml`, beside the links: where data may be handed on to. Who is on no list gets nothing.
//!
//! A package and the key that opens it go two ways: the folders that they are left in are apart, and apart from every
//! folder that a provider writes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    agent::{Agent, NAME, plain},
    layouts::named,
    links,
    node::{Fault, FaultKind, Faults, Node},
    paths::{Spot, lexical},
    reader::{Form, Placed, Reader, form},
};
use crate::{
    adapters::age_files,
    domain::{
        calendar,
        checkpoint::VerifierKey,
        handover::{HOME, Premises, Recipient, RecipientKind, Sealing},
        time::Period,
    },
};

/// The folder, beside that of the links.
pub const FOLDER: &str = "recipients";

const TITLE: Form<'_> = form("a text of one line, at most 500 characters", "中壢區衛生所");
const KIND: Form<'_> = form("health-centre, vendor or agency", "health-centre");
const COUNTRY: Form<'_> = form("the two letters of a country (ISO 3166)", "TW");
const PREMISES: Form<'_> = form("own, agency or vendor", "own");
const KEY: Form<'_> =
    form("separate, or the recipient's own age key", "separate   (or age1…, 62 characters)");
const CHANNELS: Form<'_> = form("a list of channels, at least one", "[courier, registered-letter]");
const WITHIN: Form<'_> = form("a period of days, weeks, months or years", "P10D");
const UNTIL: Form<'_> = form("a date or a time with its offset", "2027-12-31");

/// What was read of a recipient, and where its folders stand in the file.
pub(super) struct Draft {
    file: PathBuf,
    outbox: Option<Placed<PathBuf>>,
    keys: Option<Placed<PathBuf>>,
}

/// Where the files lie; none where there are none, or another kind of file lies there.
#[must_use]
pub fn folder(agent: &Agent) -> Option<PathBuf> {
    let folder = agent.links.parent()?.join(FOLDER);
    let taken = [&agent.links, &agent.layouts, &agent.policies].contains(&&folder);
    (folder.is_dir() && !taken).then_some(folder)
}

/// Parses one recipient; its name must be the file's.
pub(super) fn parse(
    name: &str,
    (dir, agent): (&Path, &Agent),
    node: &Node,
    faults: &Faults,
) -> Option<(Draft, Option<Recipient>)> {
    let mut reader = Reader::new(node, faults)?;
    named(&mut reader, "recipient", name);
    let title = links::words(&mut reader, "title", TITLE);
    let kind = reader.parsed("kind", KIND, RecipientKind::parse);
    let premises = reader.parsed("premises", PREMISES, Premises::parse);
    let country = reader.maybe("country", COUNTRY, |text| {
        let letters = text.len() == 2 && text.bytes().all(|letter| letter.is_ascii_uppercase());
        letters.then(|| text.to_owned())
    });
    let link = reader.text("link", form(NAME.expected, "from-taoyuan"));
    let place = |text: Placed<String>| Placed {
        value: lexical(&agent.links.join(text.value)),
        at: text.at,
    };
    let folder = form("the path of a folder", "../handover/zhongli-hc");
    let outbox = reader.parsed("outbox", folder, plain).map(place);
    let key = reader.parsed("key", KEY, |text| match text {
        "separate" => Some(None),
        _ => age_files::is_recipient(text).then(|| Some(text.to_owned())),
    });
    let separate = key.as_ref().is_some_and(|key| key.value.is_none());
    let folder = form("the path of a folder", "../handover-keys/zhongli-hc");
    let keys = if separate {
        reader.parsed("keys", folder, plain)
    } else {
        reader.maybe("keys", folder, plain)
    };
    let keys = keys.map(place);
    let channels = links::distinct(&mut reader, "channels", CHANNELS);
    let within = reader.maybe("destroy_within", WITHIN, |text| {
        Period::parse(text).filter(|period| period.seconds == 0)
    });
    let vkey = form("the verifier key that 'init' printed there", "batchward/their-site+…");
    let vkey = reader
        .maybe("vkey", vkey, |text| VerifierKey::parse(text).is_ok().then(|| text.to_owned()));
    let ways: Vec<String> = channels.iter().flatten().map(|one| one.value.clone()).collect();
    let push = super::sources::destination(&mut reader, &agent.links, &ways);
    let until = reader.parsed("until", UNTIL, |t| calendar::parse_end(t, agent.timezone));
    reader.finish();
    let file = dir.join(format!("{name}.yaml"));
    let draft = Draft { file, outbox: outbox.clone(), keys: keys.clone() };
    let whole = || {
        let sealing = match key?.value {
            Some(recipient) => Sealing::Recipient(recipient),
            None => Sealing::Separate(keys?.value),
        };
        Some(Recipient {
            name: name.to_owned(),
            title: title?,
            kind: kind?.value,
            premises: premises?.value,
            country: country.map_or_else(|| HOME.to_owned(), |country| country.value),
            link: link?.value,
            outbox: outbox?.value,
            sealing,
            channels: channels?.into_iter().map(|one| one.value).collect(),
            destroy_within: within.map(|within| within.value),
            vkey: vkey.map(|vkey| vkey.value),
            push,
            until: until?.value,
        })
    };
    Some((draft, whole()))
}

/// Judges the folders of all recipients together, and beside those of the links.
pub(super) fn judge(
    drafts: &BTreeMap<String, Draft>,
    channels: &[(String, PathBuf)],
    agent: &Agent,
    faults: &mut Vec<Fault>,
) {
    let others: Vec<(String, Spot)> = channels
        .iter()
        .map(|(what, path)| (what.clone(), Spot::of(path)))
        .chain([("the state folder".to_owned(), Spot::of(&agent.state))])
        .collect();
    let boxes: Vec<(&String, Spot)> = drafts
        .iter()
        .filter_map(|(name, draft)| Some((name, Spot::of(&draft.outbox.as_ref()?.value))))
        .collect();
    for (name, draft) in drafts {
        for (what, placed) in [("outbox", &draft.outbox), ("keys", &draft.keys)] {
            let Some(placed) = placed else { continue };
            let spot = Spot::of(&placed.value);
            let mut add = |text: String, hint: String, kind| {
                faults.push(Fault {
                    file: draft.file.clone(),
                    line: placed.at.line,
                    column: placed.at.column,
                    what: text,
                    hint: Some(hint),
                    kind,
                });
            };
            if let Some((other, _)) = others.iter().find(|(_, other)| spot.overlaps(other)) {
                let text = format!("'{what}' lies inside, above or at {other}");
                add(text, format!("give '{what}' a folder of its own"), FaultKind::Wrong);
                continue;
            }
            let beside = |(other, its): &&(&String, Spot)| {
                spot.overlaps(its) && (what == "keys" || *other != name)
            };
            match boxes.iter().find(beside) {
                Some((other, _)) if what == "keys" => {
                    let text = format!(
                        "'keys' lies inside, above or at the outbox of '{other}': the key would lie beside the data (TPH-5.6, TY-4.2.4)"
                    );
                    add(text, "give 'keys' a folder of its own".to_owned(), FaultKind::Wrong);
                }
                Some((other, _)) => {
                    let text = format!("'outbox' lies inside, above or at that of '{other}'");
                    let hint = "each recipient has its own outbox".to_owned();
                    add(text, hint, FaultKind::Wrong);
                }
                None if !placed.value.is_dir() => {
                    let shown = placed.value.display();
                    let fault = Fault {
                        kind: FaultKind::NoFolder,
                        ..super::whole(
                            &placed.value,
                            format!("the folder that '{name}' names for '{what}' is not there"),
                            Some(&format!("mkdir -p '{shown}'")),
                        )
                    };
                    faults.push(fault);
                }
                None => {}
            }
        }
    }
}
