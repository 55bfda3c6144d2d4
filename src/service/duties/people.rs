//! What is owed of people: posts that are to be filled, changes to tell of, custody to hand over, applications for accounts,
//! reviews, training and agreements.
//!
//! It is over 500 lines because what is owed of people is read in one place.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};

use crate::{
    domain::{
        accounts::{Act, Role},
        calendar::legal,
        duty::{Duty, DutyCode},
        link::{Link, LinkStatus},
        people::{NeededPost, Post},
        policy::{Policy, length::Length, periods::notice_by},
        time::Timestamp,
        view::{Account, Change, View},
    },
    engine::rules::Rules,
    service::people::asked_posts,
};

/// The policies in force with the links under each, and since when the first of them is.
struct Site<'a> {
    view: &'a View,
    rules: &'a Rules,
    now: Timestamp,
    until: Timestamp,
    policies: Vec<Under<'a>>,
}

struct Under<'a> {
    policy: &'a Policy,
    since: Timestamp,
    links: Vec<(&'a Link, Timestamp)>,
}

/// Every duty of this part.
pub(in crate::service) fn duties(
    view: &View,
    rules: &Rules,
    now: Timestamp,
    until: Timestamp,
    into: &mut Vec<Duty>,
) {
    let site = Site { view, rules, now, until, policies: policies(view, rules) };
    for under in &site.policies {
        site.posts(under, into);
        site.changes(under, into);
        site.switches(under, into);
        site.applications(under, into);
        site.reviews(under, into);
        site.training(under, into);
        site.agreements(under, into);
    }
}

/// A link that rests owes what it owed: one person suspends it.
fn policies<'a>(view: &View, rules: &'a Rules) -> Vec<Under<'a>> {
    let mut found: BTreeMap<&str, Under<'a>> = BTreeMap::new();
    for link in rules.links.values().filter(|link| link.status != LinkStatus::Terminated) {
        let (Some(policy), Some(since)) =
            (rules.policy_of(link), view.link_under_since(&link.name))
        else {
            continue;
        };
        let under = found.entry(policy.name.as_str()).or_insert_with(|| Under {
            policy,
            since,
            links: Vec::new(),
        });
        // What a link has over its policy is the stricter one, and one act fulfils both.
        if rules.overridden.contains_key(&link.name) {
            under.policy = policy;
        }
        under.since = under.since.min(since);
        under.links.push((link, since));
    }
    found.into_values().collect()
}

impl Site<'_> {
    fn day(&self, at: Timestamp) -> NaiveDate {
        at.date_in(self.rules.zone)
    }

    fn end_of(&self, day: NaiveDate) -> Timestamp {
        Timestamp::end_of_day(day, self.rules.zone)
    }

    fn by(&self, event: Timestamp, length: Length) -> Timestamp {
        notice_by(event, length, self.rules.zone, &self.rules.working)
    }

    /// A duty counts once its cause is there, or when it comes up to the time asked for.
    fn put(&self, duty: Duty, into: &mut Vec<Duty>) {
        if duty.start <= self.now || duty.due <= self.until {
            into.push(duty);
        }
    }

    /// Each time that nobody held a post that the policy asks for.
    fn posts(&self, under: &Under<'_>, into: &mut Vec<Duty>) {
        let Some(rule) = &under.policy.further.people.posts else { return };
        for needed in asked_posts(&under.policy.further.people) {
            if needed.of_link() {
                for (link, since) in &under.links {
                    self.post(under.policy, &rule.clause, needed, (Some(&link.name), *since), into);
                }
            } else {
                self.post(under.policy, &rule.clause, needed, (None, under.since), into);
            }
        }
    }

    fn post(
        &self,
        policy: &Policy,
        clause: &str,
        needed: NeededPost,
        (link, since): (Option<&String>, Timestamp),
        into: &mut Vec<Duty>,
    ) {
        let (post, deputy) = needed.post();
        let all = self.view.people.to(post, deputy, link.map(String::as_str));
        let mut held: Vec<(Timestamp, Option<Timestamp>)> =
            all.filter_map(|(_, row)| Some((row.begins()?, row.ends()))).collect();
        held.sort_unstable();
        let code = if deputy { DutyCode::NameDeputy } else { DutyCode::FillPost };
        let mut put = |start: Timestamp, done: Option<Timestamp>, nth: usize| {
            let scope = link.map_or_else(String::new, |link| format!(" --link {link}"));
            let object =
                if nth == 0 { needed.to_string() } else { format!("{needed} {}", nth + 1) };
            let command =
                format!("appointment add NAME --post {post}{scope} --from DATE --doc-no NO");
            let duty = Duty::of(code, object, start, self.end_of(self.day(start)))
                .by(clause, Some(&policy.name))
                .on(link.map(String::as_str))
                .to(Act::Appoint, command)
                .done(done);
            self.put(duty, into);
        };
        let (mut cursor, mut nth) = (Some(since), 0);
        for (from, to) in held {
            let Some(at) = cursor else { break };
            // What begins later than now has not filled it yet.
            if from > at {
                put(at, (from <= self.now).then_some(from), nth);
                nth += 1;
                if from > self.now {
                    return;
                }
            }
            cursor = to.map(|to| to.plus_seconds(1).max(at));
        }
        if let Some(at) = cursor.filter(|at| *at <= self.until) {
            put(at, None, nth);
        }
    }

    /// Changes of post that are to be told of beforehand, and afterwards.
    fn changes(&self, under: &Under<'_>, into: &mut Vec<Duty>) {
        let (policy, rule) = (under.policy, &under.policy.further.people);
        for change in self.view.people.changes.values() {
            let covered = change
                .link
                .as_ref()
                .is_none_or(|link| under.links.iter().any(|(one, _)| one.name == *link));
            if !covered || change.on < under.since || !rule.concerns(&change.roles) {
                continue;
            }
            let id = object_of(change);
            if let Some(before) = &rule.before {
                self.announced(policy, change, &before.clause, before.value, into);
            }
            let Some(after) = &rule.after else { continue };
            for office in rule.notify.iter().flat_map(|rule| &rule.value) {
                let told = change.told.iter().filter(|(one, ..)| one == office);
                let start = change.custody.map_or(change.on, |mark| mark.at.min(change.on));
                let object = format!("{id} {} {office}", self.day(change.on));
                let due = self.by(change.on, after.value);
                let command = format!("appointment told {id} --office {office} --letter NO");
                let duty = Duty::of(DutyCode::TellOfChange, object, start, due)
                    .by(&after.clause, Some(&policy.name))
                    .on(change.link.as_deref())
                    .to(Act::Appoint, command)
                    .done(told.map(|(_, _, on, mark)| (*on).min(mark.at).max(start)).min());
                self.put(duty, into);
            }
        }
    }

    /// That somebody leaves was to be applied for so many working days before: it was, when it was made known.
    fn announced(
        &self,
        policy: &Policy,
        change: &Change,
        clause: &str,
        before: Length,
        into: &mut Vec<Duty>,
    ) {
        let last = self.day(change.on);
        let day = match before {
            Length::WorkingDays(days) => {
                let back = i32::try_from(days).map_or(i32::MIN, |days| -days);
                self.rules.working.add(last, back).ok()
            }
            Length::Calendar(period) => {
                let months = chrono::Months::new(period.months);
                last.checked_sub_months(months)
                    .and_then(|day| day.checked_sub_days(chrono::Days::new(period.days.into())))
            }
        };
        let days = match before {
            Length::WorkingDays(days) => u64::from(days) * 2,
            Length::Calendar(_) => 0,
        };
        // Without a calendar of that year: earlier than any that there could be.
        let day = day.or_else(|| last.checked_sub_days(chrono::Days::new(days)));
        let due = self.end_of(day.unwrap_or(last));
        let known = change.known.1.at;
        let id = object_of(change);
        let object = format!("{id} {} beforehand", self.day(change.on));
        let duty = Duty::of(DutyCode::TellOfChange, object, known, due)
            .by(clause, Some(&policy.name))
            .on(change.link.as_deref())
            .to(Act::Look, format!("appointment end {id} --on DATE --reason REASON"))
            .named(Some(&change.name))
            .done(Some(known));
        into.push(duty);
    }

    /// Custody that is to go over when a custodian leaves (NT-3.6).
    fn switches(&self, under: &Under<'_>, into: &mut Vec<Duty>) {
        let (policy, rule) = (under.policy, &under.policy.further.people);
        let Some(switch) = &rule.custodian_switch else { return };
        let people = &self.view.people;
        for (id, row) in people.to(Post::Custodian, false, None) {
            let (Some((_, confirmed)), Some(end)) = (&row.confirmed, row.ends()) else { continue };
            let covered = under.links.iter().any(|(link, _)| row.covers(&link.name));
            if !covered || row.begins().is_none() || end < under.since {
                continue;
            }
            let of = |change: &&Change| {
                change.appointment == Some(id)
                    || (change.appointment.is_none() && change.name == row.terms.name)
            };
            let known = people.changes.values().find(of).map(|change| change.known.1.at);
            let due = self.end_of(legal::last_day(self.day(end), switch.value));
            let next = people.appointments.values().filter(|next| next.succeeds == Some(id));
            let link = row.terms.link.as_deref();
            let named = link.unwrap_or("all");
            let start = known.unwrap_or(confirmed.at);
            let duty = Duty::of(DutyCode::SwitchCustodian, id.to_string(), start, due)
                .by(&switch.clause, Some(&policy.name))
                .on(link)
                .to(Act::Keep, format!("appointment hand-over --link {named} --to NAME"))
                .done(next.filter_map(|next| Some(next.taken?.0.at)).min());
            self.put(duty, into);
        }
    }

    /// Applications for accounts, from the day after each.
    fn applications(&self, under: &Under<'_>, into: &mut Vec<Duty>) {
        let Some(sla) = &under.policy.further.people.request_sla else { return };
        for (name, ledger) in &self.view.people.ledger {
            for (nth, (asked, answered)) in ledger.requests.iter().enumerate() {
                if *asked < under.since {
                    continue;
                }
                let object = if nth == 0 { name.clone() } else { format!("{name} {}", nth + 1) };
                let due = self.by(*asked, sla.value);
                let duty = Duty::of(DutyCode::AnswerAccount, object, *asked, due)
                    .by(&sla.clause, Some(&under.policy.name))
                    .to(Act::ConfirmAdministration, format!("account confirm {name}"))
                    .done(*answered);
                into.push(duty);
            }
        }
    }

    /// Reviews of the accounts: each is owed a period after the one before.
    fn reviews(&self, under: &Under<'_>, into: &mut Vec<Duty>) {
        let rule = &under.policy.further.people;
        let Some(every) = &rule.review else { return };
        let counts = |roles: &[Role]| {
            rule.reviewers.as_ref().is_none_or(|r| r.value.iter().any(|one| roles.contains(one)))
        };
        let made = self.view.people.reviews.values().filter(|row| counts(&row.roles));
        let made = made.filter_map(|row| Some((row.mark.at, row.confirmed.as_ref()?.1.at)));
        let roles = rule.reviewers.as_ref().map_or_else(
            || Act::ReviewAccounts.roles().to_vec(),
            |reviewers| reviewers.value.clone(),
        );
        let mut start = under.since;
        let put = |start: Timestamp, done: Option<Timestamp>, into: &mut Vec<Duty>| {
            let object = self.day(start).to_string();
            let due = self.by(start, Length::Calendar(every.value));
            let duty = Duty::of(DutyCode::ReviewAccounts, object, start, due)
                .by(&every.clause, Some(&under.policy.name))
                .for_roles(&roles, "account review")
                .done(done);
            self.put(duty, into);
        };
        for (at, confirmed) in made {
            // One that was made before the policy was in force fulfils nothing of it.
            if at < start {
                continue;
            }
            put(start, Some(confirmed), into);
            start = at;
        }
        put(start, None, into);
    }

    /// Hours of training, by calendar years.
    fn training(&self, under: &Under<'_>, into: &mut Vec<Duty>) {
        let rule = &under.policy.further.people;
        let (Some(hours), Some(posts)) = (&rule.training_hours, &rule.training_posts) else {
            return;
        };
        let wanted = u32::try_from(hours.value).unwrap_or(u32::MAX).saturating_mul(60);
        if wanted == 0 {
            return;
        }
        let minutes = self.minutes();
        for (name, account) in &self.view.accounts {
            let Some(facts) = account.active() else { continue };
            if !facts.roles.iter().any(|role| posts.value.contains(role)) {
                continue;
            }
            let ledger = self.view.people.ledger.get(name);
            let begun = ledger.and_then(|row| row.effective).unwrap_or(under.since);
            let begun = begun.max(under.since);
            let last = self.day(self.until.max(self.now)).year();
            for year in self.day(begun).year()..=last {
                let ends = NaiveDate::from_ymd_opt(year, 12, 31).unwrap_or(NaiveDate::MAX);
                let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or(NaiveDate::MIN);
                let start = Timestamp::start_of_day(first, self.rules.zone).max(begun);
                let command = format!(
                    "appointment training {name} --hours H --on DATE --subject TEXT --doc-no NO"
                );
                let of = minutes.get(&(name.as_str(), year)).map(Vec::as_slice);
                let object = format!("{name} {year}");
                let duty = Duty::of(DutyCode::Train, object, start, self.end_of(ends))
                    .by(&hours.clause, Some(&under.policy.name))
                    .to(Act::Appoint, command)
                    .named(Some(name))
                    .done(reached(of.unwrap_or_default(), wanted).map(|at| at.max(start)));
                self.put(duty, into);
            }
        }
    }

    /// Minutes of training by account and year: the day of each, and how long.
    fn minutes(&self) -> BTreeMap<(&str, i32), Vec<(Timestamp, u32)>> {
        let mut found: BTreeMap<(&str, i32), Vec<(Timestamp, u32)>> = BTreeMap::new();
        for one in &self.view.people.training {
            let year = self.day(one.on).year();
            found.entry((one.name.as_str(), year)).or_default().push((one.on, one.minutes));
        }
        for list in found.values_mut() {
            list.sort_unstable();
        }
        found
    }

    /// Confidentiality agreements of vendors' accounts: the next one is owed when the one in force ends.
    fn agreements(&self, under: &Under<'_>, into: &mut Vec<Duty>) {
        let rule = under.policy.further.people.nda.as_ref().filter(|rule| rule.value);
        let Some(rule) = rule else { return };
        let active = |account: &Account| account.active().cloned();
        for (name, account) in &self.view.accounts {
            let Some(facts) = active(account) else { continue };
            if !facts.roles.contains(&Role::Vendor) {
                continue;
            }
            let ledger = self.view.people.ledger.get(name);
            let begun = ledger.and_then(|row| row.effective).unwrap_or(under.since);
            let mut of: Vec<_> =
                self.view.people.agreements_of(name, facts.unit.as_deref()).collect();
            of.sort_by_key(|one| one.from);
            let mut put = |start: Timestamp,
                           due: Timestamp,
                           done: Option<Timestamp>,
                           nth: usize| {
                let object = if nth == 0 { name.clone() } else { format!("{name} {}", nth + 1) };
                let command =
                    format!("appointment agreement {name} --doc-no NO --from DATE --until DATE");
                let duty = Duty::of(DutyCode::SignAgreement, object, start, due)
                    .by(&rule.clause, Some(&under.policy.name))
                    .to(Act::Appoint, command)
                    .done(done);
                self.put(duty, into);
            };
            // The first is owed with the account; each further one by the end of the one before.
            let mut start = begun.max(under.since);
            let mut due = self.end_of(self.day(start));
            for (nth, one) in of.iter().enumerate() {
                put(start, due, Some(one.recorded.max(one.from).max(start)), nth);
                start = one.recorded.max(start);
                due = one.until.max(start);
            }
            put(start, due, None, of.len());
        }
    }
}

/// What a change is of, as commands name it.
fn object_of(change: &Change) -> String {
    change.appointment.map_or_else(|| change.name.clone(), |id| id.to_string())
}

/// The day on which so many minutes were reached.
fn reached(list: &[(Timestamp, u32)], wanted: u32) -> Option<Timestamp> {
    let mut sum = 0_u32;
    list.iter().find_map(|(on, minutes)| {
        sum = sum.saturating_add(*minutes);
        (sum >= wanted).then_some(*on)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]
    use super::*;
    use crate::domain::entry::Body;

    #[test]
    fn minutes_are_reached_on_the_day_that_completes_them() {
        let at = |day: i64| Timestamp::from_millis(day * 86_400_000);
        let list = [(at(1), 60), (at(2), 90), (at(3), 30)];
        assert_eq!(reached(&list, 180), Some(at(3)));
        assert_eq!(reached(&list, 150), Some(at(2)));
        assert_eq!(reached(&list, 181), None);
        assert_eq!(reached(&[], 1), None);
        // A kind of entry that says nothing stays readable.
        let body: Body = serde_json::from_str(r#"{"type":"account-used"}"#).unwrap();
        assert_eq!(body, Body::AccountUsed {});
    }
}
