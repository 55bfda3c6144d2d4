//! `link list` and `link show`: how links stand, by file and register.

use serde::{Deserialize, Serialize};

use super::super::{Result, Service, no_link};
use crate::domain::{
    application::{ApplicationState, LinkBound, LinkScope, Office, narrowed},
    ids::{ApplicationId, AppointmentId},
    link::{Link, LinkStatus},
    people::Post,
    person::{self, Person, Persona, StandsFor},
    time::Timestamp,
    view::{Application, Reviewed},
};

/// A signature under an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SignatureLine {
    /// The office.
    pub office: Office,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Number of its document.
    pub doc_no: Option<String>,
}

/// An application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct ApplicationLine {
    /// Id.
    pub id: ApplicationId,
    /// Where it stands.
    pub state: ApplicationState,
    /// Who applied.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What for.
    pub scope: LinkScope,
    /// Why the data are needed.
    pub necessity: String,
    /// The offices that have to sign.
    pub route: Vec<Office>,
    /// The clause that asks for them.
    pub clause: String,
    /// The offices whose signature is missing.
    pub missing: Vec<Office>,
    /// Who signed.
    pub signatures: Vec<SignatureLine>,
    /// Number of the agency's own electronic form.
    pub external_form: Option<String>,
    /// Findings that were corrected.
    pub refers: Vec<String>,
    /// When it was decided on.
    pub decided: Option<Timestamp>,
    /// Why it was refused.
    pub reason: Option<String>,
}

/// Who stopped a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StopLine {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
    /// Number of the letter.
    pub doc_no: Option<String>,
    /// Whether that it is taken up again waits for a second person.
    pub resuming: bool,
}

/// A link, as it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkPage {
    /// Name.
    pub link: String,
    /// Title.
    pub title: String,
    /// 提供機關.
    pub provider: String,
    /// The policy.
    pub policy: String,
    /// Whether its file is in force; where not, it waits for a second person.
    pub in_force: bool,
    /// `active`, `suspended` or `terminated`, by the stricter of file and register.
    pub status: String,
    /// What of the register bounds it.
    pub bounds: Vec<LinkBound>,
    /// The columns that count.
    pub items: Vec<String>,
    /// The units that count.
    pub units: Vec<String>,
    /// The purpose that counts.
    pub purpose: String,
    /// Columns and units of its file that were not applied for.
    pub beyond: Vec<String>,
    /// Until when it holds.
    pub approved_until: Timestamp,
    /// Since when it was in force without an application, where it was found so.
    pub as_found: Option<Timestamp>,
    /// The application that it rests on.
    pub application: Option<ApplicationId>,
    /// When it was tested.
    pub tested: Option<Timestamp>,
    /// Who stopped it.
    pub stopped: Option<StopLine>,
    /// Its reviews, oldest first.
    pub reviews: Vec<Reviewed>,
    /// Its applications, oldest first.
    pub applications: Vec<ApplicationLine>,
    /// Its people: 業務單位承辦人, 資訊室承辦人 and 業務單位主管, with their deputies.
    pub staff: Vec<StaffLine>,
}

/// Somebody who holds a post of a link now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct StaffLine {
    /// The post.
    pub post: Post,
    /// The account.
    pub name: String,
    /// Name, title and unit; with 代 behind a deputy's name.
    pub person: String,
    /// 姓名.
    pub display: Option<String>,
    /// 職稱.
    pub title: Option<String>,
    /// 單位.
    pub unit: Option<String>,
    /// For whom, where it is a deputy.
    pub stands_for: Option<StandsFor>,
    /// The appointment.
    pub appointment: AppointmentId,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment, where one is known.
    pub until: Option<Timestamp>,
    /// Number of the document that appoints.
    pub doc_no: String,
}

impl StaffLine {
    /// The name, with 代 behind a deputy's; the account where it has none.
    #[must_use]
    pub fn shown(&self) -> String {
        person::named(self.display.as_deref(), &self.name, self.stands_for.is_some())
    }
}

impl Service {
    /// Every link, or one.
    ///
    /// # Errors
    /// There is none of this name.
    pub(in crate::service) fn link_pages(&self, link: Option<&str>) -> Result<Vec<LinkPage>> {
        let rules = &self.engine.rules;
        let found = self.found.rules.links.values();
        let added = found.filter(|link| !rules.written.contains_key(&link.name));
        let all = rules.written.values().map(|link| (link, true));
        let all = all.chain(added.map(|link| (link, false)));
        let wanted = all.filter(|(one, _)| link.is_none_or(|name| name == one.name));
        let pages: Vec<LinkPage> = wanted.map(|(one, force)| self.link_page(one, force)).collect();
        match link {
            Some(name) if pages.is_empty() => Err(no_link(name)),
            _ => Ok(pages),
        }
    }

    fn link_page(&self, file: &Link, in_force: bool) -> LinkPage {
        let rules = if in_force { &self.engine.rules } else { &self.found.rules };
        let view = &self.engine.view;
        let history = view.history(&file.name);
        let given = (view.link_since(&file.name), rules.zone);
        let (link, bounds) = narrowed(file, rules.policy_of(file), history, given);
        let beyond = file.items.iter().filter(|item| !link.items.contains(item));
        let beyond = beyond.chain(file.units.iter().filter(|unit| !link.units.contains(unit)));
        let beyond = beyond.cloned().collect();
        let applications = view.applications.iter();
        let applications = applications.filter(|(_, row)| row.what.link == file.name);
        let history = history.cloned().unwrap_or_default();
        let resuming = history.resume.is_some();
        LinkPage {
            link: file.name.clone(),
            title: file.title.clone(),
            provider: file.provider.clone(),
            policy: file.policy.clone(),
            in_force,
            status: match link.status {
                LinkStatus::Active => "active",
                LinkStatus::Suspended => "suspended",
                LinkStatus::Terminated => "terminated",
            }
            .to_owned(),
            bounds,
            items: link.items,
            units: link.units,
            purpose: link.purpose,
            beyond,
            approved_until: link.approved_until,
            as_found: history.as_found.as_ref().map(|found| found.at),
            application: history.approved.as_ref().and_then(|allowed| allowed.application),
            tested: history.tested,
            stopped: history.stopped.map(|stop| StopLine {
                by: stop.by,
                at: stop.mark.at,
                reason: stop.reason,
                doc_no: stop.doc_no,
                resuming,
            }),
            reviews: history.reviews,
            applications: applications.map(|(id, row)| line(*id, row)).collect(),
            staff: self.staff_of(&file.name),
        }
    }

    /// Who holds the posts of a link now: by an appointment for it, or for every link.
    fn staff_of(&self, link: &str) -> Vec<StaffLine> {
        const POSTS: [Post; 3] = [Post::Handler, Post::Custodian, Post::Supervisor];
        let held = self.engine.view.holders(Some(link), self.now());
        let held = held.filter(|(_, row, _)| POSTS.contains(&row.terms.post));
        let mut staff: Vec<StaffLine> = held
            .map(|(id, row, person)| {
                let in_full = person.in_full();
                let Person { was: Persona { display, title, unit }, deputy, .. } = person;
                StaffLine {
                    post: row.terms.post,
                    name: row.terms.name.clone(),
                    person: in_full,
                    display,
                    title,
                    unit,
                    stands_for: deputy,
                    appointment: id,
                    from: row.begins().unwrap_or(row.terms.from),
                    until: row.ends(),
                    doc_no: row.terms.doc_no.clone(),
                }
            })
            .collect();
        staff.sort_by_key(|line| POSTS.iter().position(|post| *post == line.post));
        staff
    }
}

fn line(id: ApplicationId, row: &Application) -> ApplicationLine {
    let what = &row.what;
    let signatures = row.signatures.iter().map(|(office, by, at, doc_no)| SignatureLine {
        office: *office,
        by: by.clone(),
        at: *at,
        doc_no: doc_no.clone(),
    });
    ApplicationLine {
        id,
        state: row.state,
        by: row.by.clone(),
        at: row.mark.at,
        scope: what.scope.clone(),
        necessity: what.necessity.clone(),
        route: what.route.clone(),
        clause: what.clause.clone(),
        missing: row.missing(),
        signatures: signatures.collect(),
        external_form: what.external_form.clone(),
        refers: what.refers.clone(),
        decided: row.decided.as_ref().map(|(at, _)| *at),
        reason: row.decided.as_ref().and_then(|(_, reason)| reason.clone()),
    }
}
