//! Decisions on paper: a slip is printed, decided on with a seal, typed by one person and confirmed by another.
//!
//! Who is named as the approver must be an account that could have signed the same decision: another one than asked, with
//! the office that the policy names. What may be decided so, the policy says (`decisions.paper`); where it says nothing,
//! nothing. What counts is shown everywhere as recorded from a signed document, never as a signature.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{
    Actor, Reply, Result, Service, administration::second_person, inventory::may_be_made,
    kept_papers::fit_to_keep, not_permitted, separation::same_office, stated,
};
use crate::{
    domain::{
        accounts::Act,
        digest::Digest,
        entry::{Body, DecisionConfirmed, DecisionEntered},
        ids::DocumentId,
        lifecycle::{CopyState, GrantEvent, GrantState, OrderState},
        on_paper::{PaperFor, Ruling, SlipCode, Subject},
        papers::PaperKind,
        policy::Policy,
        time::Timestamp,
        view::{Decided, Mark, Proposal},
    },
    engine::standing::policies_of,
    error::{Error, Exit},
};

/// What a document says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    /// What is decided on.
    pub subject: Subject,
    /// What was decided.
    pub ruling: Ruling,
    /// Who decided: an account.
    pub approver: String,
    /// Number of the document.
    pub doc_no: String,
    /// Its day.
    pub on: Timestamp,
    /// The code on the slip.
    pub code: String,
    /// Base64 of the scan.
    pub scan: String,
    /// Why it was denied.
    pub reason: Option<String>,
}

/// An act about a decision on paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub enum DecisionAct {
    /// `destroy approve --paper`, `destroy deny --paper`, and the same of a grant and a copy.
    Enter {
        /// What was typed.
        typed: Box<Typed>,
    },
    /// `grant confirm`, `copy confirm`; of an order it is `destroy confirm`.
    Confirm {
        /// What is decided on.
        subject: Subject,
    },
}

impl DecisionAct {
    /// The words of the command line.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Enter { typed } => match (typed.subject.kind(), typed.ruling) {
                (PaperFor::Destroy, Ruling::Approved) => "destroy approve --paper",
                (PaperFor::Destroy, Ruling::Denied) => "destroy deny --paper",
                (PaperFor::Grant, Ruling::Approved) => "grant approve --paper",
                (PaperFor::Grant, Ruling::Denied) => "grant deny --paper",
                (PaperFor::Copy, Ruling::Approved) => "copy approve --paper",
                (PaperFor::Copy, Ruling::Denied) => "copy deny --paper",
            },
            Self::Confirm { subject } => confirm_word(*subject),
        }
    }

    /// Whether it decides on something, and so is signed in any case.
    #[must_use]
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Confirm { .. })
    }

    /// Which act it is, for the roles.
    #[must_use]
    pub const fn act(&self) -> Act {
        match self {
            Self::Enter { .. } => Act::EnterDecision,
            Self::Confirm { .. } => Act::ConfirmDecision,
        }
    }

    /// What it is about.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        match self {
            Self::Enter { typed } => typed.subject,
            Self::Confirm { subject } => *subject,
        }
    }

    /// What the person typed in words.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Enter { typed } => &typed.doc_no,
            Self::Confirm { .. } => "",
        }
    }
}

const fn confirm_word(subject: Subject) -> &'static str {
    match subject.kind() {
        PaperFor::Destroy => "destroy confirm",
        PaperFor::Grant => "grant confirm",
        PaperFor::Copy => "copy confirm",
    }
}

/// The act that a signature would be, and its words.
const fn signed_act(subject: Subject, ruling: Ruling) -> (Act, &'static str) {
    match (subject.kind(), ruling) {
        (PaperFor::Destroy, Ruling::Approved) => (Act::DecideDestruction, "destroy approve"),
        (PaperFor::Destroy, Ruling::Denied) => (Act::DecideDestruction, "destroy deny"),
        (PaperFor::Grant, Ruling::Approved) => (Act::DecideUse, "grant approve"),
        (PaperFor::Grant, Ruling::Denied) => (Act::DecideUse, "grant deny"),
        (PaperFor::Copy, Ruling::Approved) => (Act::DecideCopy, "copy approve"),
        (PaperFor::Copy, Ruling::Denied) => (Act::DecideCopy, "copy deny"),
    }
}

impl Service {
    pub(super) fn decide_on_paper(&mut self, actor: &Actor, act: DecisionAct) -> Result<Reply> {
        match act {
            DecisionAct::Enter { typed } => self.decision_enter(actor, *typed),
            DecisionAct::Confirm { subject } => self.decision_confirm(actor, subject),
        }
    }

    /// Who asked for what is decided on, and the entry that asks for it.
    pub(super) fn asked_in(&self, subject: Subject) -> Result<(String, Mark)> {
        Ok(match subject {
            Subject::Order(id) => {
                let order = self.order(id)?;
                (order.by.clone(), order.requested)
            }
            Subject::Grant(id) => {
                let grant = self.grant(id)?;
                (grant.by.clone(), grant.applied)
            }
            Subject::Copy(id) => {
                let (_, held) = self.held(id)?;
                (held.by.clone(), held.mark)
            }
        })
    }

    /// The code of a slip that is printed now.
    pub(super) fn slip_code(&self, subject: Subject) -> Result<(SlipCode, Digest)> {
        let (_, mark) = self.asked_in(subject)?;
        let digest = self.engine.view.as_amended(mark);
        Ok((SlipCode::of(subject, digest), digest))
    }

    /// The policies that what is decided on is under.
    pub(super) fn policies_under(&self, subject: Subject) -> Result<Vec<&Policy>> {
        let (view, rules) = (&self.engine.view, &self.engine.rules);
        Ok(match subject {
            Subject::Order(id) => policies_of(view, rules, &*self.order(id)?).collect(),
            Subject::Grant(id) => {
                let link = self.link(&self.grant(id)?.terms.link)?;
                rules.policy_of(link).into_iter().collect()
            }
            Subject::Copy(id) => {
                let row = self.row(self.held(id)?.0.batch)?;
                rules.policy_for(&row.link, &row.facts.policy).into_iter().collect()
            }
        })
    }

    /// Whether every policy that it is under lets this be decided on paper.
    pub(super) fn paper_is_enough(&self, subject: Subject) -> Result<()> {
        let policies = self.policies_under(subject)?;
        let enough = |policy: &&Policy| {
            let rule = policy.further.on_paper.as_ref();
            rule.is_some_and(|rule| rule.value.contains(&subject.kind()))
        };
        let strict = policies.iter().find(|policy| !enough(policy));
        if strict.is_none() && !policies.is_empty() {
            return Ok(());
        }
        let name = strict.map_or("", |policy| policy.name.as_str());
        let (_, word) = signed_act(subject, Ruling::Approved);
        Err(Error::refused(format!("paper is not enough for this under the policy '{name}'"))
            .hint(format!("who decides signs with their own key: 'batchward {word} {subject}'")))
    }

    /// The named approver, where they could sign the same decision now.
    fn approver(&self, subject: Subject, ruling: Ruling, name: &str) -> Result<Actor> {
        let facts = self.engine.view.account(name).cloned().ok_or_else(|| {
            Error::usage(format!("there is no active account '{name}'"))
                .hint("who decides on paper has an account too: 'batchward account add'")
        })?;
        self.is_there(name)?;
        let approver = Actor { facts, signed: None, deputy: None };
        let (act, word) = signed_act(subject, ruling);
        if !act.allowed_to(&approver.facts.roles) {
            return Err(not_permitted(&approver, word, act));
        }
        self.other_office(subject, name)?;
        match (subject, ruling) {
            (Subject::Order(id), Ruling::Approved) => self.approvable(&approver, id)?,
            (Subject::Order(id), Ruling::Denied) => self.deniable(&approver, id)?,
            (Subject::Grant(id), Ruling::Approved) => self.grantable(&approver, id)?,
            (Subject::Grant(id), Ruling::Denied) => {
                self.decidable(&approver, id, GrantEvent::Denied, false)?;
            }
            (Subject::Copy(id), Ruling::Approved) => self.copyable(&approver, id)?,
            (Subject::Copy(id), Ruling::Denied) => self.wished(&approver, id)?,
        }
        Ok(approver)
    }

    /// Who is named asked for nothing of it, nor did somebody for him or who stands in for him, nor was it approved for him: an
    /// office is one, on paper too.
    fn other_office(&self, subject: Subject, name: &str) -> Result<()> {
        let (requester, asked) = self.asked_in(subject)?;
        if requester == name {
            return Err(Error::refused(format!(
                "'{name}' asked for '{subject}' and cannot decide on it"
            ))
            .hint("nobody decides alone, on paper neither"));
        }
        let view = &self.engine.view;
        let for_him = view.stood_for_in(asked.seq) == Some(name)
            || view.stood_in_for(Decided::On(subject), name);
        let mut offices = view.deputyships(&requester, self.now());
        if for_him || offices.any(|(id, _)| view.principal(id) == Some(name)) {
            return Err(same_office(name));
        }
        Ok(())
    }

    /// Who vouches for a document is not of the office that asked for what it decides, nor of the one that typed it. Whoever
    /// stands in for somebody is of his office, also where he acts by a role of his own.
    fn of_no_party(
        &self,
        actor: &Actor,
        subject: Subject,
        typed: Option<(&str, Mark)>,
    ) -> Result<()> {
        let (view, now, me) = (&self.engine.view, self.now(), actor.name());
        let principals = |name: &str| -> Vec<&str> {
            view.deputyships(name, now).filter_map(|(id, _)| view.principal(id)).collect()
        };
        let (requester, asked) = self.asked_in(subject)?;
        for (who, mark) in [(requester.as_str(), asked)].into_iter().chain(typed) {
            let theirs = [Some(who), view.stood_for_in(mark.seq)];
            let mine = principals(me);
            if let Some(office) = theirs.into_iter().flatten().find(|of| mine.contains(of)) {
                return Err(same_office(office));
            }
            if principals(who).contains(&me) {
                return Err(same_office(me));
            }
        }
        Ok(())
    }

    /// The day of a document: not before what it decides on was asked for, and not to come.
    fn dated(&self, subject: Subject, on: Timestamp) -> Result<()> {
        let zone = self.engine.rules.zone;
        let (_, asked) = self.asked_in(subject)?;
        if on.date_in(zone) > self.now().date_in(zone) {
            return Err(Error::usage("the document is dated in the future")
                .hint("enter the day that stands beside the seal"));
        }
        if on.date_in(zone) < asked.at.date_in(zone) {
            return Err(Error::refused(format!("the document is older than '{subject}'"))
                .hint("a document decides on what was asked for before it was signed"));
        }
        Ok(())
    }

    /// A scan is the seal of one person: what decided on an order for one approver does not for another.
    fn decides_once(&self, subject: Subject, document: Option<DocumentId>) -> Result<()> {
        let Subject::Order(id) = subject else { return Ok(()) };
        let order = self.order(id)?;
        match order.on_paper.iter().find(|one| Some(one.document) == document) {
            None => Ok(()),
            Some(one) => Err(Error::refused(format!(
                "this scan is that of the decision of '{}' on '{subject}' already",
                one.approver
            ))
            .hint("each approver seals a slip of their own: print it again")),
        }
    }

    fn decision_enter(&mut self, actor: &Actor, typed: Typed) -> Result<Reply> {
        let Typed { subject, ruling, approver, doc_no, on, code, scan, reason } = typed;
        self.paper_is_enough(subject)?;
        stated("the document number", &doc_no)?;
        match (&reason, ruling) {
            (Some(reason), _) => stated("the reason", reason)?,
            (None, Ruling::Denied) => return Err(Error::usage("the reason is missing")),
            (None, Ruling::Approved) => {}
        }
        if self.asked_in(subject)?.0 == actor.name() {
            return Err(Error::refused(format!(
                "you asked for '{subject}' and cannot enter the decision on it"
            ))
            .hint("nobody decides alone; another person enters what the document says"));
        }
        self.of_no_party(actor, subject, None)?;
        self.approver(subject, ruling, &approver)?;
        self.dated(subject, on)?;
        let (right, object_digest) = self.slip_code(subject)?;
        let told = SlipCode::parse(&code).ok_or_else(|| {
            Error::usage(format!("'{code}' is no code of a slip")).hint(
                "nine letters and digits as they stand on the slip, such as 7K3M-9QXR-C; one of them is mistyped",
            )
        })?;
        if told != right {
            return Err(Error::refused(format!("the code is not that of '{subject}'")).hint(
                "the slip is of another request, or of one that was changed since it was printed: print it again and have it decided",
            ));
        }
        let content = BASE64
            .decode(scan.as_bytes())
            .map_err(|_| Error::new(Exit::Data, "the scan is not in base64"))?;
        fit_to_keep(&content)?;
        self.decides_once(subject, self.paper_kept(Digest::of(&content), PaperKind::Decision))?;
        // A stop after this leaves a scan that decides nothing; the same command again finds it.
        let document = self.keep_scan(actor, (&doc_no, on), &content)?;
        let entered = DecisionEntered {
            subject,
            ruling,
            approver: approver.clone(),
            doc_no,
            on,
            document,
            sha256: Digest::of(&content),
            object_digest,
            code: right.to_string(),
            reason,
            signed: actor.signed.clone(),
        };
        self.record(actor, Body::DecisionEntered(entered))?;
        let word = confirm_word(subject);
        let message = format!(
            "the decision of '{approver}' on '{subject}' is entered from paper and waits for a second person"
        );
        Ok(Reply::new(&subject, message).next(format!(
            "another custodian, handler or supervisor compares it with the document and runs 'batchward {word} {subject}'"
        )))
    }

    /// What was typed of a decision and waits.
    pub(super) fn typed(&self, subject: Subject) -> Option<&Proposal<DecisionEntered>> {
        self.engine.view.typed_decision(subject)
    }

    pub(super) fn decision_confirm(&mut self, actor: &Actor, subject: Subject) -> Result<Reply> {
        let (requester, _) = self.asked_in(subject)?;
        let typed = self.typed(subject).cloned().ok_or_else(|| {
            Error::usage(format!("no decision on '{subject}' waits to be confirmed"))
        })?;
        if typed.by == actor.name() {
            return Err(second_person("confirm this decision"));
        }
        if requester == actor.name() {
            return Err(Error::refused(format!(
                "you asked for '{subject}' and cannot confirm the decision on it"
            ))
            .hint("nobody decides alone; another person compares it with the document"));
        }
        self.of_no_party(actor, subject, Some((&typed.by, typed.mark)))?;
        let Proposal { mark, what, .. } = typed;
        // All of it is asked again: somebody may have left, a hold may have come, the request may have been changed.
        self.paper_is_enough(subject)?;
        self.approver(subject, what.ruling, &what.approver)?;
        self.decides_once(subject, Some(what.document))?;
        if self.slip_code(subject)?.1 != what.object_digest {
            return Err(Error::refused(format!(
                "'{subject}' was changed since the decision was entered"
            ))
            .hint("print the slip again and have it decided"));
        }
        let not_before = match (subject, what.ruling) {
            (Subject::Order(id), Ruling::Approved) => self.cooled_by_one_more(id)?,
            _ => None,
        };
        let signed = actor.decision()?;
        let body = DecisionConfirmed { subject, proposal: mark.seq, not_before, signed };
        self.record(actor, Body::DecisionConfirmed(body))?;
        if what.ruling == Ruling::Denied {
            return Ok(Reply::new(&subject, format!("'{subject}' is denied")));
        }
        match subject {
            Subject::Order(id) => self.approved(id),
            Subject::Grant(id) => self.grant_opened(id),
            Subject::Copy(id) => Ok(may_be_made(id)),
        }
    }

    /// Whether what a slip is for still waits for a decision.
    pub(super) fn still_asked(&self, subject: Subject) -> Result<()> {
        let (waits, stands) = match subject {
            Subject::Order(id) => {
                let order = self.order(id)?;
                if order.state == OrderState::Requested {
                    return self.unchanged(id, &order);
                }
                (false, order.state.to_string())
            }
            Subject::Grant(id) => {
                let state = self.grant(id)?.state;
                (state == GrantState::Applied, state.to_string())
            }
            Subject::Copy(id) => {
                let (row, _) = self.held(id)?;
                (row.state == CopyState::Requested, row.stands().to_string())
            }
        };
        if waits {
            return Ok(());
        }
        Err(Error::usage(format!("'{subject}' is {stands}"))
            .hint("a slip is printed of what waits for a decision"))
    }
}
