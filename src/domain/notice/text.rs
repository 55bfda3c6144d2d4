//! What a notice says, in sentences that the catalogue knows; `say` puts each into the language of the site.

use std::fmt::Write as _;

use chrono_tz::Tz;

use super::{Digest, Item, NoticeKind};
use crate::domain::{calendar, time::Timestamp};

/// A sentence in the language of the site.
pub type Say<'a> = &'a dyn Fn(&str) -> String;

/// The subject.
#[must_use]
pub fn subject(digest: &Digest, say: Say<'_>) -> String {
    let (site, alarms) = (&digest.site, digest.alarms.len());
    say(&match digest.kind {
        NoticeKind::Digest => {
            format!("Batchward of '{site}': {} things to do, {alarms} alarms", digest.items_total)
        }
        NoticeKind::Alarm => format!("Batchward of '{site}': {alarms} new alarms"),
        NoticeKind::Test => format!("Batchward of '{site}': a test"),
    })
}

/// The text.
#[must_use]
pub fn text(digest: &Digest, say: Say<'_>) -> String {
    let zone: Tz = digest.timezone.parse().unwrap_or(chrono_tz::Asia::Taipei);
    let mut text = String::new();
    if digest.kind == NoticeKind::Test {
        line(&mut text, "", &say("this is a test: notices of this site reach you"));
    }
    if !digest.alarms.is_empty() {
        line(&mut text, "", &say("what is wrong:"));
        for alarm in &digest.alarms {
            let mut words = vec![alarm.code.clone()];
            words.extend(alarm.about.clone());
            words.extend((alarm.count > 1).then(|| format!("x {}", alarm.count)));
            line(&mut text, "- ", &words.join("  "));
            line(&mut text, "  ", &say(&alarm.what));
            if let Some(since) = alarm.since {
                line(&mut text, "  ", &say(&format!("since {}", day(since, zone))));
            }
        }
        text.push('\n');
    }
    if !digest.items.is_empty() {
        line(&mut text, "", &say("what is to be done:"));
        for item in &digest.items {
            self::item(&mut text, item, zone, say);
        }
        let more = digest.items_total.saturating_sub(digest.items.len() as u64);
        if more > 0 {
            line(&mut text, "", &say(&format!("and {more} more")));
        }
        text.push('\n');
    }
    let at = calendar::time(digest.at, zone);
    line(&mut text, "", &say(&format!("made by Batchward, {at}")));
    line(
        &mut text,
        "",
        &say("'batchward status' shows it as it is now; nobody reads answers to this"),
    );
    text
}

fn item(text: &mut String, item: &Item, zone: Tz, say: Say<'_>) {
    let mut words = vec![item.code.clone()];
    words.extend([&item.clause, &item.link, &item.object].into_iter().flatten().cloned());
    line(text, "- ", &words.join("  "));
    line(text, "  ", &say(&item.what));
    match (item.due, item.days, item.since) {
        (Some(due), Some(days), _) if days < 0 => {
            let late = days.saturating_neg();
            line(text, "  ", &say(&format!("due {}, {late} days late", calendar::end(due, zone))));
        }
        (Some(due), Some(days), _) => {
            line(text, "  ", &say(&format!("due {}, {days} days left", calendar::end(due, zone))));
        }
        (_, _, Some(since)) => line(text, "  ", &say(&format!("since {}", day(since, zone)))),
        _ => {}
    }
    if let Some(command) = &item.command {
        line(text, "  ", command);
    }
}

fn day(at: Timestamp, zone: Tz) -> String {
    calendar::date(at.date_in(zone))
}

fn line(text: &mut String, lead: &str, words: &str) {
    // A text takes what is written to it.
    let _ = writeln!(text, "{lead}{words}");
}
