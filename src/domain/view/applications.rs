//! Folding applications, reviews and ends of links.

use serde::{Deserialize, Serialize};

use super::{FoldError, Mark, Proposal, View};
use crate::domain::{
    application::{ApplicationState, LinkScope, Office, ReviewResult},
    entry::{Body, Entry, LinkApplied, LinkCountersigned, LinkReviewed, LinkStopped},
    ids::ApplicationId,
    time::Timestamp,
};

/// An application.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Application {
    /// What was applied for.
    pub what: LinkApplied,
    /// Who applied.
    pub by: String,
    /// The entry.
    pub mark: Mark,
    /// Where it stands.
    pub state: ApplicationState,
    /// Who signed: for which office, which account, when, under which number.
    pub signatures: Vec<(Office, String, Timestamp, Option<String>)>,
    /// The entries of these signatures, in their order.
    pub signed_in: Vec<u64>,
    /// When it was decided on, and why it was refused.
    pub decided: Option<(Timestamp, Option<String>)>,
}

impl Application {
    /// The offices whose signature is missing, in the order of the policy.
    #[must_use]
    pub fn missing(&self) -> Vec<Office> {
        let mut left: Vec<Office> = self.signatures.iter().map(|(office, ..)| *office).collect();
        let missing = self.what.route.iter().filter(|asked| {
            // One signature stands for one office of the route.
            let found = left.iter().position(|office| office == *asked);
            let found = found.or_else(|| left.iter().position(|one| one.stands_for(**asked)));
            found.map(|place| left.remove(place)).is_none()
        });
        missing.copied().collect()
    }
}

/// How far a link was allowed to go, and since when.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Allowed {
    /// How far.
    pub scope: LinkScope,
    /// Since when.
    pub at: Timestamp,
    /// By which application; none where the link was found in force.
    pub application: Option<ApplicationId>,
}

/// A person stopped a link.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stop {
    /// The entry.
    pub mark: Mark,
    /// Whether it is over.
    pub terminated: bool,
    /// Why.
    pub reason: String,
    /// Number of the letter.
    pub doc_no: Option<String>,
    /// Who.
    pub by: String,
}

/// A review of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reviewed {
    /// When.
    pub at: Timestamp,
    /// What it came to.
    pub result: ReviewResult,
    /// Number of the document.
    pub doc_no: String,
    /// Who.
    pub by: String,
}

/// What offices and people decided about a link.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LinkHistory {
    /// How far it went when its policy began to ask for applications.
    pub as_found: Option<Allowed>,
    /// How far its last complete application goes.
    pub approved: Option<Allowed>,
    /// Whether what was found does not count: it was added, or came under another policy, since.
    pub must_apply: bool,
    /// When it was tested.
    pub tested: Option<Timestamp>,
    /// A person stopped it.
    pub stopped: Option<Stop>,
    /// That it is taken up again waits for a second person.
    pub resume: Option<Proposal<String>>,
    /// Its reviews, oldest first.
    pub reviews: Vec<Reviewed>,
}

impl LinkHistory {
    /// How far the link may go; nothing where nothing was applied for.
    #[must_use]
    pub fn scope(&self) -> Option<&LinkScope> {
        let found = self.as_found.as_ref().filter(|_| !self.must_apply);
        self.approved.as_ref().or(found).map(|allowed| &allowed.scope)
    }
}

impl View {
    /// What offices and people decided about a link.
    #[must_use]
    pub fn history(&self, link: &str) -> Option<&LinkHistory> {
        self.links.get(link).map(|ledger| &ledger.history)
    }

    /// The number that the next application gets.
    #[must_use]
    pub fn next_application(&self) -> ApplicationId {
        let last = self.applications.keys().next_back();
        ApplicationId::new(last.map_or(1, |id| id.number() + 1))
    }

    /// The application of a link that waits for signatures.
    #[must_use]
    pub fn waiting_application(&self, link: &str) -> Option<(ApplicationId, &Application)> {
        let waits =
            |row: &Application| row.what.link == link && row.state == ApplicationState::Waiting;
        self.applications.iter().rev().find(|(_, row)| waits(row)).map(|(id, row)| (*id, row))
    }

    /// These links need an application from now on, whatever was found.
    pub(super) fn must_apply(&mut self, links: &[String]) {
        for link in links {
            let history = &mut self.links.entry(link.clone()).or_default().history;
            (history.must_apply, history.as_found) = (true, None);
        }
        self.links_changed_at = self.size + 1;
    }

    /// An entry about applications or the end of a link; `false` where it is none.
    pub(super) fn link_act(&mut self, mark: Mark, entry: &Entry) -> Result<bool, FoldError> {
        match &entry.body {
            Body::LinkAsFound(found) => {
                let at = mark.at;
                let allowed = Allowed { scope: found.scope.clone(), at, application: None };
                self.history_mut(&found.link).as_found = Some(allowed);
            }
            Body::LinkApplied(what) => self.link_applied(mark, &entry.by, what),
            Body::LinkCountersigned(signed) => self.link_countersigned(mark, &entry.by, signed)?,
            Body::LinkRefused(refused) => {
                let row = self.application(mark, refused.application)?;
                row.state = ApplicationState::Refused;
                row.decided = Some((mark.at, Some(refused.reason.clone())));
            }
            Body::LinkTested(tested) => self.history_mut(&tested.link).tested = Some(mark.at),
            Body::LinkReviewed(LinkReviewed { link, result, doc_no, .. }) => {
                let (by, doc_no) = (entry.by.clone(), doc_no.clone());
                let review = Reviewed { at: mark.at, result: *result, doc_no, by };
                self.history_mut(link).reviews.push(review);
            }
            Body::LinkStopped(stopped) => self.link_stopped(mark, &entry.by, stopped)?,
            Body::LinkResumeProposed(proposed) => {
                let (by, what) = (entry.by.clone(), proposed.reason.clone());
                let history = self.history_mut(&proposed.link);
                history.resume = Some(Proposal { mark, by, what });
            }
            Body::LinkResumed(resumed) => {
                let history = self.history_mut(&resumed.link);
                history.resume.take().ok_or(FoldError::Transition(mark.seq))?;
                match &history.stopped {
                    Some(stop) if !stop.terminated => history.stopped = None,
                    _ => return Err(FoldError::Transition(mark.seq)),
                }
            }
            _ => return Ok(false),
        }
        self.links_changed_at = mark.seq + 1;
        Ok(true)
    }

    fn history_mut(&mut self, link: &str) -> &mut LinkHistory {
        &mut self.links.entry(link.to_owned()).or_default().history
    }

    fn application(
        &mut self,
        mark: Mark,
        id: ApplicationId,
    ) -> Result<&mut Application, FoldError> {
        let row = self.applications.get_mut(&id).ok_or(FoldError::Unknown(mark.seq))?;
        match row.state {
            ApplicationState::Waiting => Ok(row),
            _ => Err(FoldError::Transition(mark.seq)),
        }
    }

    fn link_applied(&mut self, mark: Mark, by: &str, what: &LinkApplied) {
        let waiting = self.waiting_application(&what.link).map(|(id, _)| id);
        if let Some(row) = waiting.and_then(|id| self.applications.get_mut(&id)) {
            row.state = ApplicationState::Replaced;
            row.decided = Some((mark.at, None));
        }
        let row = Application {
            what: what.clone(),
            by: by.to_owned(),
            mark,
            state: ApplicationState::Waiting,
            signatures: Vec::new(),
            signed_in: Vec::new(),
            decided: None,
        };
        self.applications.insert(what.application, row);
    }

    /// Nobody signs twice, nor what is his own; the head signs last. The fold itself holds that.
    fn link_countersigned(
        &mut self,
        mark: Mark,
        by: &str,
        signed: &LinkCountersigned,
    ) -> Result<(), FoldError> {
        let row = self.application(mark, signed.application)?;
        let missing = row.missing();
        let again = row.by == by || row.signatures.iter().any(|(_, other, ..)| other == by);
        let early = signed.office == Office::Head && missing.iter().any(|one| *one != Office::Head);
        if again || early || !missing.iter().any(|asked| signed.office.stands_for(*asked)) {
            return Err(FoldError::Transition(mark.seq));
        }
        row.signatures.push((signed.office, by.to_owned(), mark.at, signed.doc_no.clone()));
        row.signed_in.push(mark.seq);
        if !row.missing().is_empty() {
            return Ok(());
        }
        row.state = ApplicationState::Approved;
        row.decided = Some((mark.at, None));
        let what = row.what.clone();
        let (at, application) = (mark.at, Some(what.application));
        let asked = row.mark.seq;
        let history = self.history_mut(&what.link);
        history.approved = Some(Allowed { scope: what.scope, at, application });
        // Applied for again after its end (NT-5.6): it is a new link, which is tested anew.
        let over = |stop: &Stop| stop.terminated && stop.mark.seq < asked;
        if history.stopped.as_ref().is_some_and(over) {
            (history.stopped, history.tested) = (None, None);
        }
        Ok(())
    }

    fn link_stopped(
        &mut self,
        mark: Mark,
        by: &str,
        stopped: &LinkStopped,
    ) -> Result<(), FoldError> {
        let history = self.history_mut(&stopped.link);
        history.resume = None;
        if history.stopped.as_ref().is_some_and(|stop| stop.terminated || !stopped.terminated) {
            return Err(FoldError::Transition(mark.seq));
        }
        history.stopped = Some(Stop {
            mark,
            terminated: stopped.terminated,
            reason: stopped.reason.clone(),
            doc_no: stopped.doc_no.clone(),
            by: by.to_owned(),
        });
        Ok(())
    }
}
