//! Servers that links are fetched from: how it stands with each, and what of it is an alarm.

use super::{AlarmCode, Given, SourceLine, alarms::Found};
use crate::{
    domain::{
        entry::Failure,
        limits,
        link::Link,
        source::{Source, SourceCode},
        time::Timestamp,
    },
    engine::sources::SourceStanding,
};

/// A row for each source.
pub(super) fn lines(given: &Given<'_>) -> Vec<SourceLine> {
    let sourced = given.rules.links.values().filter_map(|link| Some((link, link.source.as_ref()?)));
    sourced.map(|(link, source)| line(given, link, source)).collect()
}

fn line(given: &Given<'_>, link: &Link, source: &Source) -> SourceLine {
    let SourceStanding { answered, trouble, waiting, refused, spoiled, .. } =
        (given.source)(&link.name);
    let owed = owed(given, link, source);
    let of_the_key = trouble.as_ref().is_some_and(|trouble| trouble.code.is_of_the_host_key());
    let remotes = given.view.remotes.open_of(&link.name);
    SourceLine {
        link: link.name.clone(),
        host: source.server.host.clone(),
        port: source.server.port,
        answered,
        since: trouble.as_ref().map(|trouble| trouble.since),
        shown: trouble.as_ref().and_then(|trouble| trouble.shown.clone()),
        known: trouble.as_ref().map(|trouble| trouble.known.clone()).unwrap_or_default(),
        compare: of_the_key.then(|| source.server.compare()),
        trouble: trouble.map(|trouble| trouble.code),
        waiting,
        refused: refused + spoiled,
        fetched: remotes.filter(|(_, row)| row.batch.is_none()).count() as u64,
        owed: owed.len() as u64,
        owed_since: owed.into_iter().min(),
    }
}

/// Since when each thing is owed to a source.
fn owed(given: &Given<'_>, link: &Link, source: &Source) -> Vec<Timestamp> {
    let view = given.view;
    let releases = view.remotes.open_of(&link.name).filter_map(|(_, row)| {
        let batch = row.batch.and_then(|id| view.batches.get(&id))?;
        let verified = batch.times.get("verified").or_else(|| batch.times.get("due"));
        row.is_owed(Some(&batch), source).then(|| verified.copied().unwrap_or(row.at))
    });
    let puts = view.remotes.unput.iter().filter(|((batch, _), _)| {
        view.batches.get(batch).is_some_and(|batch| batch.link == link.name)
    });
    releases.chain(puts.map(|(_, unput)| unput.since)).collect()
}

/// What of it must not go on unseen.
pub(super) fn alarms(given: &Given<'_>, found: &mut Found) {
    for link in given.rules.links.values() {
        let Some(source) = &link.source else { continue };
        let standing = (given.source)(&link.name);
        let about = Some(link.name.as_str());
        if let Some(trouble) = &standing.trouble {
            let long = trouble.since.plus_seconds(limits::SOURCE_SILENT_SECONDS) <= given.now;
            match trouble.code {
                SourceCode::HostKeyUnknown | SourceCode::HostKeyChanged => {
                    found.add(AlarmCode::SourceHostKey, about, Some(trouble.since), None);
                }
                SourceCode::Unreachable | SourceCode::TimedOut | SourceCode::TooSlow if !long => {}
                SourceCode::Unreachable | SourceCode::TimedOut | SourceCode::TooSlow => {
                    found.add(AlarmCode::SourceSilent, about, Some(trouble.since), None);
                }
                _ => found.add(AlarmCode::SourceFailed, about, Some(trouble.since), None),
            }
        }
        if standing.refused + standing.spoiled > 0 || standing.cut {
            found.add(AlarmCode::SourceJunk, about, standing.answered, None);
        }
        let late = |since: &Timestamp| given.is_late(*since);
        if let Some(since) = standing.waiting_since.filter(late) {
            found.add(AlarmCode::SourceIncomplete, about, Some(since), None);
        }
        let over = |since: &Timestamp| since.plus_seconds(limits::RELEASE_SECONDS_MAX) <= given.now;
        for since in owed(given, link, source).into_iter().filter(over) {
            found.add(AlarmCode::SourceOwed, about, Some(since), None);
        }
        let stuck = given.view.remotes.open_of(&link.name).filter(|(_, row)| {
            row.trouble.as_ref().is_some_and(|trouble| trouble.failure == Failure::Stuck)
        });
        for (id, row) in stuck {
            found.add(AlarmCode::SourceOwed, about, Some(row.at), Some(id.to_string()));
        }
    }
    for (id, row) in &given.view.handovers {
        let Some(trouble) = row.push_trouble.as_ref().filter(|_| row.is_on_its_way()) else {
            continue;
        };
        let code = SourceCode::parse(&trouble.code);
        let of_the_key = code.is_some_and(SourceCode::is_of_the_host_key);
        let gone = code == Some(SourceCode::TakenAway);
        let since = row.made.unwrap_or(trouble.at);
        let about = Some(row.terms.recipient.as_str());
        let over = since.plus_seconds(limits::RELEASE_SECONDS_MAX) <= given.now;
        if of_the_key {
            found.add(AlarmCode::SourceHostKey, about, Some(since), Some(id.to_string()));
        } else if over || gone || trouble.failure == Failure::Stuck {
            found.add(AlarmCode::SourceOwed, about, Some(since), Some(id.to_string()));
        }
    }
}
