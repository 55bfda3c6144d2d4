//! Who is told what: a pure function of what stands, of what was told, and of the time.
//!
//! An alarm is told when it begins to stand, at most once a day; what stands on is in each digest. A digest holds what its
//! reader may do, and an unannounced audit only where its reader may know of it. Whoever has no account any more is told
//! nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use crate::{
    domain::{
        accounts::Role,
        calendar::WorkingDays,
        entry::AccountFacts,
        expected::{Every, Expectation, Rhythm, WhenOff},
        limits,
        notice::{Digest, Item, Notice, NoticeKind, Reader, Told, Turn, Wanted, leaves},
        time::{Period, Timestamp},
    },
    service::status::{Alarm, AlarmCode, Level},
};

/// Something owed, and who is not to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    /// What is told.
    pub item: Item,
    /// Accounts that may not do it.
    pub except: Vec<String>,
    /// Whether those whom it concerns must not know of it beforehand.
    pub unannounced: bool,
}

/// What stands.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// When.
    pub now: Timestamp,
    /// The site's zone.
    pub zone: Tz,
    /// The site.
    pub site: &'a str,
    /// Accounts that may act.
    pub accounts: &'a [&'a AccountFacts],
    /// Alarms.
    pub alarms: &'a [Alarm],
    /// What is owed; only looked at where a digest is made.
    pub items: &'a [Owed],
}

/// The time of the digest that is to be made now; of several that were missed, the last.
#[must_use]
pub fn slot(
    wanted: &Wanted,
    before: Option<&Turn>,
    now: Timestamp,
    (zone, working): (Tz, &WorkingDays),
) -> Option<Timestamp> {
    let since = before?.slot?;
    let rule = |every| Expectation {
        every,
        when_off: WhenOff::Stays,
        kind: None,
        from: None,
        early: Period::ZERO,
        late_after: Period::ZERO,
        missing_after: Period::ZERO,
    };
    // What lies further back has been missed anyway.
    let since = since.max(now.plus_seconds(-limits::EXPECT_AHEAD_SECONDS_MAX));
    let times = rule(wanted.digest).times(since, now, zone, working);
    if times.missing.is_none() {
        return times.at.last().copied();
    }
    // A year whose calendar is missing: told on a day off rather than not at all.
    let daily = Every { rhythm: Rhythm::Day, minutes: wanted.digest.minutes };
    rule(daily).times(since, now, zone, working).at.last().copied()
}

/// What is to be told now, and what is known after it.
#[must_use]
pub fn plan(
    wanted: &Wanted,
    before: Option<&Turn>,
    slot: Option<Timestamp>,
    seen: &Seen<'_>,
) -> (Turn, Vec<Notice>) {
    let mut turn = before.cloned().unwrap_or_default();
    let today = seen.now.date_in(seen.zone);
    turn.told.retain(|_, day| *day >= today);
    let key =
        |alarm: &Alarm| (alarm.code.word().to_owned(), alarm.about.clone().unwrap_or_default());
    let loud = seen.alarms.iter().filter(|alarm| alarm.level == Level::Alarm);
    let stands: BTreeMap<(String, String), &Alarm> =
        loud.map(|alarm| (key(alarm), alarm)).collect();
    let begun: Vec<&Alarm> = stands
        .iter()
        .filter(|(key, _)| !turn.standing.contains(key) && !turn.told.contains_key(key))
        .map(|(_, alarm)| *alarm)
        .collect();
    let mut notices = Vec::new();
    for reader in readers(wanted) {
        let Some(roles) = roles(&reader, seen.accounts) else { continue };
        let concerned = Concerned { reader: &reader, roles: &roles, to: &wanted.to };
        if wanted.alarms {
            let alarms = concerned.alarms(begun.iter().copied());
            if !alarms.is_empty() {
                let digest = digest(NoticeKind::Alarm, seen, (Vec::new(), 0), alarms);
                notices.push(Notice { to: reader.clone(), digest });
            }
        }
        if slot.is_some() {
            let (items, total) = concerned.items(seen.items);
            let alarms = concerned.alarms(seen.alarms.iter());
            if total > 0 || !alarms.is_empty() {
                let digest = digest(NoticeKind::Digest, seen, (items, total), alarms);
                notices.push(Notice { to: reader.clone(), digest });
            }
        }
    }
    for alarm in begun {
        turn.told.insert(key(alarm), today);
    }
    turn.standing = stands.into_keys().collect::<BTreeSet<_>>();
    // Before there was a turn, what lies behind is nobody's to be told.
    turn.slot = slot.or(turn.slot).or(Some(seen.now));
    if !notices.is_empty() {
        turn.number += 1;
    }
    (turn, notices)
}

fn readers(wanted: &Wanted) -> impl Iterator<Item = Reader> + '_ {
    let people = wanted.to.keys().filter(|_| wanted.mail.is_some()).map(|name| Reader::of(name));
    people.chain(wanted.webhook.iter().map(|_| Reader::Hook))
}

/// The roles by which somebody is told; nothing for an account that is none.
fn roles(reader: &Reader, accounts: &[&AccountFacts]) -> Option<Vec<Role>> {
    match reader {
        Reader::Account(name) => {
            accounts.iter().find(|facts| facts.name == *name).map(|facts| facts.roles.clone())
        }
        Reader::Role(role) => Some(vec![*role]),
        Reader::Hook => Some(Role::ALL.to_vec()),
    }
}

fn digest(
    kind: NoticeKind,
    seen: &Seen<'_>,
    (items, items_total): (Vec<Item>, u64),
    alarms: Vec<Told>,
) -> Digest {
    Digest {
        site: seen.site.to_owned(),
        timezone: seen.zone.name().to_owned(),
        at: seen.now,
        kind,
        items,
        items_total,
        alarms,
    }
}

struct Concerned<'a> {
    reader: &'a Reader,
    roles: &'a [Role],
    /// Who has an address.
    to: &'a BTreeMap<String, String>,
}

impl Concerned<'_> {
    /// What of it its reader may do, the most urgent first, and how much that is.
    fn items(&self, all: &[Owed]) -> (Vec<Item>, u64) {
        let mut mine: Vec<&Owed> = all.iter().filter(|owed| self.is_for(owed)).collect();
        mine.sort_by_key(|owed| {
            let item = &owed.item;
            (item.due.is_none(), item.due, item.since, &item.code, &item.object)
        });
        let total = mine.len() as u64;
        let items = mine.into_iter().take(limits::NOTICE_ROWS_MAX);
        (items.map(|owed| plain(&owed.item)).collect(), total)
    }

    fn is_for(&self, owed: &Owed) -> bool {
        let may_know = match self.reader {
            // Who reads a webhook's messages is not known.
            Reader::Hook => false,
            _ => self.roles.iter().any(|role| matches!(role, Role::Auditor | Role::Supervisor)),
        };
        if owed.unannounced && !may_know {
            return false;
        }
        let named = match (self.reader, &owed.item.account) {
            (Reader::Account(name), Some(account)) => return name == account,
            // A role's mailbox is not that person, and better than nobody.
            (Reader::Role(_), Some(account)) => !self.to.contains_key(account),
            (Reader::Account(name), None) => !owed.except.contains(name),
            (Reader::Role(_) | Reader::Hook, _) => true,
        };
        named && self.roles.iter().any(|role| owed.item.roles.contains(role))
    }

    fn alarms<'b>(&self, all: impl Iterator<Item = &'b Alarm>) -> Vec<Told> {
        let mine =
            all.filter(|alarm| concerned(alarm.code).iter().any(|role| self.roles.contains(role)));
        mine.take(limits::NOTICE_ROWS_MAX)
            .map(|alarm| Told {
                code: alarm.code.word().to_owned(),
                what: alarm.what.clone(),
                about: alarm.about.as_deref().and_then(leaves),
                count: alarm.count,
                since: alarm.since,
            })
            .collect()
    }
}

/// Only what may leave the site.
fn plain(item: &Item) -> Item {
    let short = |text: &Option<String>| text.as_deref().and_then(leaves);
    Item {
        link: short(&item.link),
        object: short(&item.object),
        clause: item.clause.clone(),
        command: short(&item.command),
        ..item.clone()
    }
}

/// The roles that an alarm is for: of the machine also whoever runs it, of a duty also whoever answers for it.
const fn concerned(code: AlarmCode) -> &'static [Role] {
    match code {
        AlarmCode::ClockDoubted
        | AlarmCode::SlotDamaged
        | AlarmCode::PublishedBehind
        | AlarmCode::DiskLow
        | AlarmCode::InboxUnreadable
        | AlarmCode::InboxLeft
        | AlarmCode::CalendarMissing
        | AlarmCode::SourceHostKey
        | AlarmCode::SourceSilent
        | AlarmCode::SourceFailed
        | AlarmCode::NoticeUnsent
        | AlarmCode::RootKeyInFile => &[Role::Custodian, Role::Admin],
        AlarmCode::DestructionOverdue
        | AlarmCode::PapersOverdue
        | AlarmCode::CopyOutOfReach
        | AlarmCode::CopyUnapproved
        | AlarmCode::CopyOverdue
        | AlarmCode::CopyLeftBehind
        | AlarmCode::StandingExpired => &[Role::Custodian, Role::Supervisor],
        AlarmCode::SharedUser => &[Role::Supervisor, Role::Auditor, Role::Admin],
        AlarmCode::HoldReviewPast => &[Role::Custodian, Role::Supervisor, Role::Auditor],
        AlarmCode::AnchoringOverdue => {
            &[Role::Custodian, Role::Supervisor, Role::Auditor, Role::Admin]
        }
        _ => &[Role::Custodian],
    }
}

#[cfg(test)]
mod tests;
