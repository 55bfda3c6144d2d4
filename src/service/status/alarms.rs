//! Alarms: the closed list of what must not go on unseen, each with what to do about it.
//!
//! An alarm is a state of affairs, judged anew each time from the register, the inboxes and the machine; nobody
//! switches it off but by mending its cause. Of one kind and one link there is one alarm, with a count, so that a
//! thousand late deliveries are one line.
//!
//! It is over 500 lines because the alarms are one closed list.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Given, expected, held, notices, people, sources};
use crate::{
    domain::{
        entry::{Failure, HeldFacts},
        lifecycle::BatchState,
        limits,
        notified::NotifiedState,
        reason::Reason,
        time::Timestamp,
        view::{Batch, KeyState, Standing, Trouble},
    },
    engine::{
        DISK_FULL,
        health::{Folder, Room, RootKey},
        standing::{missing_papers, papers_due},
        steps::is_untold,
    },
};

/// The code of originals that could not be removed from an inbox.
const INBOX_LEFT: &str = "inbox-left";

macro_rules! alarms {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $level:ident, $what:literal, $remedy:literal;)*) => {
        /// What is wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum AlarmCode { $($(#[$doc])* $name,)* }

        impl AlarmCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is written.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// How loud it is.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$name => Level::$level,)* }
            }

            /// What it is, in a sentence.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }
        }
    };
}

alarms! {
    /// The clock is in doubt.
    ClockDoubted = "clock-doubted", Alarm,
        "the clock is in doubt: nothing irreversible runs",
        "compare the clock with another one, then 'batchward clock confirm'";
    /// A slot of the key store cannot be read.
    SlotDamaged = "slot-damaged", Alarm,
        "a slot of the key store is damaged",
        "stop the agent and copy the state folder away; docs/keystore.md says what a damaged slot means";
    /// The published files are not what the journal holds.
    PublishedBehind = "published-behind", Alarm,
        "the published files of the register are behind the journal",
        "see that the state's disk can be written; the next start publishes what is missing";
    /// Cosignatures that do not come.
    AnchoringOverdue = "anchoring-overdue", Alarm,
        "too few witnesses have vouched for the register lately",
        "'batchward witness request NAME' makes what a witness cosigns, 'batchward witness take' takes it in";
    /// Two people's keys in one hand.
    SharedUser = "shared-user", Alarm,
        "one system user signs with the keys of several people",
        "find out who has whose key; two other people run 'batchward account acknowledge NUMBER'; a shared terminal is named in agent.yaml";
    /// Little room.
    DiskLow = "disk-low", Alarm,
        "a disk is almost full",
        "free space or inodes on that filesystem";
    /// An inbox cannot be read.
    InboxUnreadable = "inbox-unreadable", Alarm,
        "an inbox or keybox cannot be read",
        "mount it, or give the agent's user access; 'batchward check' says which";
    /// A key in the data channel.
    KeyInInbox = "key-in-inbox", Alarm,
        "something that looks like a key lies in an inbox",
        "take it out, and have the provider send another key by the key channel";
    /// A due destruction that did not happen in time.
    DestructionOverdue = "destruction-overdue", Alarm,
        "the deadline of a destruction has passed",
        "'batchward destroy list' shows how far it is; request or approve it";
    /// Closing papers that did not come in time.
    PapersOverdue = "papers-overdue", Alarm,
        "the closing papers of a destruction are overdue",
        "'batchward destroy close' enters them, a supervisor confirms them";
    /// A copy that nobody has brought back.
    CopyOutOfReach = "copy-out-of-reach", Alarm,
        "a copy that was to be brought back for its destruction has not come",
        "have it brought, then request its destruction; or state another date by 'batchward destroy except'";
    /// A copy that nobody approved.
    CopyUnapproved = "copy-unapproved", Alarm,
        "a copy was made that nobody approved, although the policy wants it",
        "'batchward copy list' shows it; request its destruction, and tell the supervisor";
    /// A copy that was to be gone by now.
    CopyOverdue = "copy-overdue", Alarm,
        "a copy that somebody keeps was to be destroyed by now",
        "'batchward copy list' shows it; request its destruction by 'batchward destroy request ID --copy COPY'";
    /// A copy whose batch is destroyed.
    CopyLeftBehind = "copy-left-behind", Alarm,
        "a copy is still there although its batch is destroyed",
        "request its destruction by 'batchward destroy request ID --copy COPY'";
    /// A standing approval that has ended.
    StandingExpired = "standing-expired", Alarm,
        "a standing approval has ended by its date",
        "propose another one by 'batchward standing add', or request each destruction";
    /// A step that cannot go on.
    StepStuck = "step-stuck", Alarm,
        "a step is stuck",
        "mend what 'batchward batch show' names, then 'batchward batch retry'";
    /// A step that was tried too often.
    RetriesExhausted = "retries-exhausted", Alarm,
        "a step failed too often to be tried again by itself",
        "mend what 'batchward batch show' names, then 'batchward batch retry'";
    /// A receipt that its provider does not get.
    ReceiptNotLeft = "receipt-not-left", Warning,
        "a receipt cannot be made, or left in the link's folder",
        "mend the folder that 'receipts' of the link names, then 'batchward batch retry'";
    /// Originals that stay in an inbox.
    InboxLeft = "inbox-left", Alarm,
        "originals of a claimed batch, or what an import left, cannot be removed from the inbox",
        "give the agent's user the right to remove what lies in the inbox";
    /// A change file that waits for the one before it.
    SequenceGap = "sequence-gap", Alarm,
        "a change file waits for one before it that has not come",
        "ask the provider for the missing one";
    /// An expected delivery that is missing.
    DeliveryMissing = "delivery-missing", Alarm,
        "an expected delivery is missing",
        "ask the provider for it; 'batchward link expected' shows which; the alarm ends when it comes, or the next one of its rule does";
    /// An expected delivery that is late.
    DeliveryLate = "delivery-late", Alarm,
        "an expected delivery is late",
        "ask the provider for it; 'batchward link expected' shows which";
    /// A year of working days that nobody knows.
    CalendarMissing = "calendar-missing", Alarm,
        "a calendar of working days is missing: what is expected by it is not known",
        "put the government's file into 'policies/calendars', then 'batchward config propose' and, by a second person, 'batchward config confirm'";
    /// The last admin has left, and his rights stand.
    RightsStand = "rights-stand", Alarm,
        "the last admin has left, and the rights stand: nobody else could give any",
        "make another admin by two people: 'batchward account add', then 'batchward account confirm'; the rights end by themselves then";
    /// Deliveries that are not complete.
    DeliveryIncomplete = "delivery-incomplete", Alarm,
        "a delivery is not complete",
        "ask the provider for what is missing, or to take it back";
    /// A delivery that was announced and does not come.
    AnnouncedMissing = "announced-missing", Alarm,
        "a delivery that a letter announced has not come",
        "ask the provider for it; 'batchward batch notices' shows the letter; 'batchward batch announce-withdraw' takes a mistaken one back";
    /// Things in an inbox that are no delivery.
    StrayInInbox = "stray-in-inbox", Alarm,
        "something that is no delivery lies in an inbox",
        "have it taken out; a delivery is a folder directly in the inbox";
    /// A key that nothing came for.
    KeyWithoutBatch = "key-without-batch", Alarm,
        "a key came for a batch that has not come",
        "ask the provider for the delivery, or whether the number of the key is right";
    /// A server with another key.
    SourceHostKey = "source-host-key", Alarm,
        "a server shows a host key that is not known: nothing is fetched from it",
        "ask its provider by telephone for the fingerprint, compare it with what 'batchward status' shows, then put the key into 'known_hosts': docs/sftp.md";
    /// A server that does not answer.
    SourceSilent = "source-silent", Alarm,
        "a server does not answer",
        "see whether the line is up and the service's unit lets the agent out, or ask the provider";
    /// A server that cannot be fetched from.
    SourceFailed = "source-failed", Alarm,
        "nothing can be fetched from a server",
        "'batchward status' names the code; docs/sftp.md says what to do about each";
    /// Things at a server that are no deliveries.
    SourceJunk = "source-junk", Alarm,
        "something at a server is refused, or cannot be got",
        "ask the provider to take it away; a delivery is a folder of plain files with plain names";
    /// Deliveries at a server that are not complete.
    SourceIncomplete = "source-incomplete", Alarm,
        "a delivery at a server is not complete",
        "ask the provider for what is missing, or to take it back";
    /// What could not be done at a server.
    SourceOwed = "source-owed", Alarm,
        "a delivery could not be released at its server, or a receipt not be put there",
        "see that the account may rename and remove there; or do it by hand, then 'batchward link settle'";
    /// Notices that nobody gets.
    NoticeUnsent = "notice-unsent", Alarm,
        "notices could not be sent for a day",
        "'batchward notices test NAME' says why; docs/notices.md says what to do about each code";
    /// A hold that nobody looked at again.
    HoldReviewPast = "hold-review-past", Alarm,
        "the review date of a hold has passed",
        "lift the hold, or place it again with another review date";
    /// The root key is a file.
    RootKeyInFile = "root-key-in-file", Warning,
        "the root key is a file: whoever copies it undoes a destruction of keys",
        "'root_key: credential:NAME' in agent.yaml keeps it from the disk";
}

/// How loud an alarm is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Somebody has to act: `status` ends with 1.
    Alarm,
    /// Somebody has to know.
    Warning,
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Alarm {
    /// What is wrong.
    pub code: AlarmCode,
    /// How loud it is.
    pub level: Level,
    /// Which link, hold or folder.
    pub about: Option<String>,
    /// How many of its kind there are.
    pub count: u64,
    /// The oldest, where it has an id or a name of ours.
    pub first: Option<String>,
    /// Since when, of the oldest, where that is known.
    pub since: Option<Timestamp>,
    /// What it is.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// The alarms that stand, the loudest kinds first.
pub(super) fn judge(given: &Given<'_>) -> Vec<Alarm> {
    let mut found = Found(BTreeMap::new());
    machine(given, &mut found);
    inboxes(given, &mut found);
    announced(given, &mut found);
    broken_off(given, &mut found);
    for (id, row) in given.view.open_batches() {
        batch(given, &id.to_string(), &row, &mut found);
    }
    // What a closed batch's provider was never told is still owed.
    for (id, row) in given.view.owing().filter(|(_, row)| row.state == BatchState::Closed) {
        receipt(&id.to_string(), &row, &mut found);
    }
    keys(given, &mut found);
    for (id, hold) in &given.view.holds {
        if !hold.lifted && hold.review < given.now {
            found.add(AlarmCode::HoldReviewPast, None, Some(hold.review), Some(id.to_string()));
        }
    }
    destruction(given, &mut found);
    held::alarms(given, &mut found);
    sources::alarms(given, &mut found);
    expected::alarms(given, &mut found);
    notices::alarms(given, &mut found);
    people::alarms(given, &mut found);
    found.0.into_values().collect()
}

/// What destruction still lacks after its date.
fn destruction(given: &Given<'_>, found: &mut Found) {
    let (view, rules) = (given.view, given.rules);
    for (id, order) in view.orders.loose() {
        let late = papers_due(view, rules, &order).filter(|due| *due < given.now);
        if late.is_some() && !missing_papers(view, rules, &order).is_empty() {
            found.add(AlarmCode::PapersOverdue, None, late, Some(id.to_string()));
        }
    }
    for (id, copy) in view.copies.loose().filter(|(_, copy)| copy.state.is_there()) {
        let until = copy.exception.as_ref().map(|(_, until)| *until);
        if until.is_some_and(|until| until < given.now) {
            found.add(AlarmCode::CopyOutOfReach, None, until, Some(id.to_string()));
        }
    }
    for (id, standing) in &view.standings {
        let over = standing.confirmed.is_some() && !standing.ended && standing.until < given.now;
        let same = |other: &Standing| {
            other.policy == standing.policy
                && other.link == standing.link
                && other.stands(given.now)
        };
        if over && !view.standings.values().any(same) {
            found.add(AlarmCode::StandingExpired, None, Some(standing.until), Some(id.to_string()));
        }
    }
}

/// Alarms by kind and by what they are about.
pub(super) struct Found(BTreeMap<(AlarmCode, Option<String>), Alarm>);

impl Found {
    pub(super) fn add(
        &mut self,
        code: AlarmCode,
        about: Option<&str>,
        since: Option<Timestamp>,
        id: Option<String>,
    ) {
        let about = about.map(str::to_owned);
        let alarm = self.0.entry((code, about.clone())).or_insert_with(|| Alarm {
            code,
            level: code.level(),
            about,
            count: 0,
            first: None,
            since: None,
            what: code.what().to_owned(),
            remedy: code.remedy().to_owned(),
        });
        let oldest = match (alarm.since, since) {
            (Some(known), Some(new)) => new < known,
            (None, _) => true,
            (Some(_), None) => false,
        };
        if alarm.count == 0 || oldest {
            alarm.since = since;
            alarm.first = id;
        }
        alarm.count += 1;
    }
}

fn machine(given: &Given<'_>, found: &mut Found) {
    let health = &given.health;
    if given.view.time_doubted {
        found.add(AlarmCode::ClockDoubted, None, None, None);
    }
    for _ in 0..health.slots.damaged {
        found.add(AlarmCode::SlotDamaged, None, None, None);
    }
    if is_behind(given) {
        found.add(AlarmCode::PublishedBehind, None, None, None);
    }
    if health.root_key == RootKey::File {
        found.add(AlarmCode::RootKeyInFile, None, None, None);
    }
    if let Some(anchoring) = &given.rules.anchoring {
        let standing = anchoring.standing(given.view, given.now, given.rules.zone);
        if standing.overdue {
            found.add(AlarmCode::AnchoringOverdue, None, Some(standing.since), None);
        }
    }
    for place in &health.places {
        match (&place.folder, &place.room) {
            (folder, Some(room)) if is_low(room) => {
                found.add(AlarmCode::DiskLow, Some(folder_name(folder)), None, None);
            }
            (Folder::Inbox(link), None) => {
                found.add(AlarmCode::InboxUnreadable, Some(link), None, None);
            }
            _ => {}
        }
    }
    for link in given.unread {
        if !found.0.contains_key(&(AlarmCode::InboxUnreadable, Some(link.clone()))) {
            found.add(AlarmCode::InboxUnreadable, Some(link), None, None);
        }
    }
}

/// Whether publishing does not keep up. It follows the journal after each turn, so that a moment's lag is none.
fn is_behind(given: &Given<'_>) -> bool {
    let (size, last) = (given.view.size, given.view.last_at);
    let Some(published) = given.health.published else { return true };
    let waited =
        last.is_some_and(|last| last.plus_seconds(limits::PUBLISH_SECONDS_MAX) < given.now);
    published > size
        || size - published > limits::PUBLISH_ENTRIES_MAX
        || (published < size && waited)
}

/// The name of a folder in alarms and metrics: `state`, or the link whose inbox it is.
fn folder_name(folder: &Folder) -> &str {
    match folder {
        Folder::State => "state",
        Folder::Inbox(link) => link,
    }
}

/// Whether a filesystem has less room than a site should have.
#[must_use]
pub fn is_low(room: &Room) -> bool {
    room.free_bytes < limits::DISK_BYTES_LOW
        || room.free_inodes.is_some_and(|free| free < limits::DISK_INODES_LOW)
}

fn inboxes(given: &Given<'_>, found: &mut Found) {
    let late = |since: Option<Timestamp>| since.is_some_and(|since| given.is_late(since));
    for row in given.waiting {
        if row.reason.is_some() && late(row.since) {
            found.add(AlarmCode::DeliveryIncomplete, Some(&row.link), row.since, None);
        }
    }
    for stray in given.strays {
        if stray.key {
            found.add(AlarmCode::KeyInInbox, Some(&stray.link), stray.since, None);
        } else if late(stray.since) {
            found.add(AlarmCode::StrayInInbox, Some(&stray.link), stray.since, None);
        }
    }
}

/// Letters by which nothing has come.
fn announced(given: &Given<'_>, found: &mut Found) {
    for (id, row) in &given.view.notices.rows {
        let letter = row.announcement.as_ref().filter(|_| row.state() == NotifiedState::Confirmed);
        let since = letter.and_then(|one| one.confirmed.as_ref()).map(|(_, at)| *at);
        if since.is_some_and(|since| given.is_late(since)) {
            found.add(AlarmCode::AnnouncedMissing, Some(&row.link), since, Some(id.to_string()));
        }
    }
}

/// What imports left that broke off, and could not be wiped.
fn broken_off(given: &Given<'_>, found: &mut Found) {
    for one in given.view.arrivals.iter().filter(|one| one.batch.is_none()) {
        let Some(trouble) = &one.trouble else { continue };
        if let Some(code) = code_of(trouble) {
            let about = if code == AlarmCode::DiskLow { "state" } else { one.link.as_str() };
            found.add(code, Some(about), Some(trouble.at), Some(medium(&one.facts)));
        }
    }
}

/// Which medium it was: its kind, and what stands on it, so that the person who brought it knows which to bring again.
fn medium(facts: &HeldFacts) -> String {
    let marks = [&facts.serial, &facts.property_no, &facts.model];
    let mark = marks.into_iter().flatten().next();
    let kind = facts.medium.word();
    mark.map_or_else(|| kind.to_owned(), |mark| format!("{kind} {mark}"))
}

fn batch(given: &Given<'_>, id: &str, row: &Batch, found: &mut Found) {
    let link = Some(row.link.as_str());
    if let Some(trouble) = &row.trouble
        && let Some(code) = code_of(trouble)
    {
        let about = if code == AlarmCode::DiskLow { Some("state") } else { link };
        found.add(code, about, Some(trouble.at), Some(id.to_owned()));
    }
    receipt(id, row, found);
    if row.state == BatchState::Verified {
        let since = row.times.get(row.state.word()).copied();
        let gap = (given.reason)(row) == Some(Reason::SequenceGap);
        if gap && since.is_some_and(|since| given.is_late(since)) {
            found.add(AlarmCode::SequenceGap, link, since, Some(id.to_owned()));
        }
    }
}

/// A receipt that goes on failing. A full disk is told as such.
fn receipt(id: &str, row: &Batch, found: &mut Found) {
    let Some(trouble) = row.receipt_trouble.as_ref().filter(|_| is_untold(row)) else { return };
    let code = match trouble.code.as_str() {
        DISK_FULL => AlarmCode::DiskLow,
        _ => AlarmCode::ReceiptNotLeft,
    };
    let about = if code == AlarmCode::DiskLow { "state" } else { row.link.as_str() };
    found.add(code, Some(about), Some(trouble.at), Some(id.to_owned()));
}

/// What a trouble amounts to; nothing while it will be tried again by itself.
fn code_of(trouble: &Trouble) -> Option<AlarmCode> {
    match (trouble.code.as_str(), trouble.failure) {
        (INBOX_LEFT, _) => Some(AlarmCode::InboxLeft),
        (DISK_FULL, _) => Some(AlarmCode::DiskLow),
        (_, Failure::Stuck) => Some(AlarmCode::StepStuck),
        (_, Failure::Later) if trouble.times >= limits::RETRIES_MAX => {
            Some(AlarmCode::RetriesExhausted)
        }
        (_, Failure::Later) => None,
    }
}

/// Live keys for which nothing came. There are few of them: a key goes as soon as its batch is loaded.
fn keys(given: &Given<'_>, found: &mut Found) {
    for (id, key) in given.view.keys.loose() {
        if key.state != KeyState::Live || !given.is_late(key.at) || given.view.is_standing(id) {
            continue;
        }
        let came = given.view.numbered(&key.link, &key.number).next().is_some();
        if !came {
            let about = Some(&*key.link);
            found.add(AlarmCode::KeyWithoutBatch, about, Some(key.at), Some(id.to_string()));
        }
    }
}

/// Overdue destructions, which the page has found already.
pub(super) fn overdue<'a>(
    due: impl Iterator<Item = &'a super::DueLine>,
    mut alarms: Vec<Alarm>,
) -> Vec<Alarm> {
    let mut found = Found(BTreeMap::new());
    for line in due.filter(|line| line.overdue && line.hold.is_none()) {
        let id = Some(line.batch.to_string());
        found.add(AlarmCode::DestructionOverdue, Some(&line.link), line.deadline, id);
    }
    alarms.extend(found.0.into_values());
    alarms.sort_by(|a, b| (a.code, &a.about).cmp(&(b.code, &b.about)));
    alarms
}
