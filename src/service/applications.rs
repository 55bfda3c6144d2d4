//! Applications of links, their tests and reviews, and how a link is stopped and taken up again (TPH-4, 5.1, 5.2; TPE-5, 7;
//! NT-3.3, 5.5, 5.6; TY-4.4).
//!
//! What stops a link is in force at once; what opens one needs the offices of its policy, each by another person, or a second
//! person. The files of links stay as they are: [`crate::domain::application::narrowed`] says how far they count.

mod act;
mod pages;

pub use act::LinkAct;
pub use pages::{ApplicationLine, LinkPage, SignatureLine, StaffLine};

use super::{Actor, Reply, Result, Service, administration::second_person, no_link, stated};
use crate::{
    domain::{
        application::{self, LinkScope, Office},
        digest::Digest,
        entry::{
            Body, LinkApplied, LinkCountersigned, LinkRefused, LinkResumeProposed, LinkResumed,
            LinkReviewed, LinkStopped, LinkTested,
        },
        ids::{ApplicationId, FindingId},
        view::{Application, LinkHistory},
    },
    error::Error,
};

/// What an application says beside the link's file.
struct Asked {
    purpose: Option<String>,
    basis: Option<String>,
    necessity: String,
    external_form: Option<String>,
    refers: Vec<String>,
}

impl Service {
    pub(super) fn link_do(&mut self, actor: &Actor, act: LinkAct) -> Result<Reply> {
        match act {
            LinkAct::Apply { link, purpose, basis, necessity, external_form, refers } => {
                let asked = Asked { purpose, basis, necessity, external_form, refers };
                self.link_apply(actor, &link, asked)
            }
            LinkAct::Countersign { link, office, doc_no } => {
                self.link_countersign(actor, &link, office, doc_no)
            }
            LinkAct::Refuse { link, reason } => self.link_refuse(actor, &link, reason),
            LinkAct::Tested { link, doc_no, evidence } => {
                self.link_tested(actor, &link, doc_no, evidence)
            }
            LinkAct::Review { link, result, doc_no } => {
                stated("the document number", &doc_no)?;
                self.written(&link)?;
                let signed = actor.signed.clone();
                let body = LinkReviewed { link: link.clone(), result, doc_no, signed };
                self.record(actor, Body::LinkReviewed(body))?;
                let reply = Reply::new(&link, format!("the review of '{link}' is entered"));
                Ok(match result {
                    application::ReviewResult::Needed => reply,
                    application::ReviewResult::NoNeed => reply.next(format!(
                        "'batchward link terminate {link} --reason T --doc-no N' when the provider was asked to end it"
                    )),
                })
            }
            LinkAct::Suspend { link, reason } => self.link_stop(actor, &link, reason, None),
            LinkAct::Terminate { link, reason, doc_no } => {
                stated("the document number", &doc_no)?;
                self.link_stop(actor, &link, reason, Some(doc_no))
            }
            LinkAct::Resume { link, reason } => self.link_resume(actor, &link, reason),
            LinkAct::ResumeConfirm { link } => self.link_resume_confirm(actor, &link),
        }
    }

    /// Links that the configuration found adds, or puts under another policy, and whose policy asks for an application.
    pub(super) fn to_apply_for(&self) -> Vec<String> {
        let now = &self.engine.rules.written;
        let new =
            self.found.rules.applied_for().filter(|link| {
                now.get(&link.name).is_none_or(|before| before.policy != link.policy)
            });
        new.map(|link| link.name.clone()).collect()
    }

    /// A link of the configuration in force.
    fn written(&self, link: &str) -> Result<()> {
        if self.engine.rules.written.contains_key(link) { Ok(()) } else { Err(no_link(link)) }
    }

    fn history(&self, link: &str) -> LinkHistory {
        self.engine.view.history(link).cloned().unwrap_or_default()
    }

    fn link_apply(&mut self, actor: &Actor, name: &str, asked: Asked) -> Result<Reply> {
        stated("the necessity", &asked.necessity)?;
        for text in asked.external_form.iter().chain(&asked.refers) {
            stated("a number", text)?;
        }
        for text in &asked.refers {
            self.is_corrected(text)?;
        }
        self.look_again()?;
        let link = self.found.rules.links.get(name).ok_or_else(|| no_link(name))?;
        let said = [
            ("purpose", &asked.purpose, &link.purpose),
            ("basis_doc_no", &asked.basis, &link.basis_doc_no),
        ];
        let other = |typed: &Option<String>, file: &String| {
            typed.as_ref().is_some_and(|typed| typed != file)
        };
        if let Some((field, _, file)) = said.iter().find(|(_, typed, file)| other(typed, file)) {
            return Err(Error::usage(format!("the link's file has another '{field}': '{file}'"))
                .hint("what is applied for is what the file says: change one of the two"));
        }
        let over = self.history(name).stopped.is_some_and(|stop| stop.terminated);
        if over && asked.refers.is_empty() {
            return Err(Error::refused(format!(
                "'{name}' was terminated: an application names the findings that were corrected (NT-5.6)"
            ))
            .hint("--refers FINDING, once for each"));
        }
        let policy = self.found.rules.policy_of(link);
        let in_force = self.engine.rules.policy_for(name, &link.policy);
        let route = application::route(policy, in_force);
        let asks = in_force.filter(|policy| policy.further.links.route.is_some());
        let clause = asks.or(policy).map_or("own", |one| one.further.route_clause()).to_owned();
        let scope = LinkScope::of(link, self.found.digest);
        let covered = |scope: &LinkScope| scope.covers(link) && !over;
        let allowed = self.history(name).approved;
        let renewed = allowed.as_ref().is_some_and(|allowed| {
            let valid_for = policy.and_then(|policy| policy.further.links.valid_for.as_ref());
            let ends = valid_for.map(|rule| rule.value.after(allowed.at, self.found.rules.zone));
            ends.is_some_and(|end| end < link.approved_until)
        });
        if allowed.is_some_and(|allowed| covered(&allowed.scope)) && !renewed {
            return Err(Error::usage(format!("'{name}' is approved as its file says")));
        }
        let application = self.engine.view.next_application();
        let offices: Vec<&str> = route.iter().map(|office| office.word()).collect();
        let offices = offices.join(", ");
        let body = LinkApplied {
            application,
            link: name.to_owned(),
            scope,
            necessity: asked.necessity,
            route,
            clause,
            external_form: asked.external_form,
            refers: asked.refers,
            signed: actor.signed.clone(),
        };
        self.record(actor, Body::LinkApplied(body))?;
        let message = format!("the application of '{name}' waits for: {offices}");
        Ok(Reply::new(&application, message)
            .next(format!("each of them runs 'batchward link countersign {name} --office OFFICE'")))
    }

    /// A finding of this register is closed before it is referred to; another number is that of a document.
    fn is_corrected(&self, text: &str) -> Result<()> {
        let Ok(id) = text.parse::<FindingId>() else { return Ok(()) };
        match self.engine.view.samples.findings.get(&id) {
            None => Err(Error::usage(format!("there is no finding '{id}'"))
                .hint("'batchward audit finding list' shows the findings")),
            Some(row) if row.closed.is_none() => Err(Error::refused(format!(
                "the finding '{id}' is not closed (NT-5.6)"
            ))
            .hint("it is corrected, and closed by a second person, before it is referred to")),
            Some(_) => Ok(()),
        }
    }

    fn waiting(&self, link: &str) -> Result<(ApplicationId, &Application)> {
        self.engine.view.waiting_application(link).ok_or_else(|| {
            Error::usage(format!("no application of '{link}' waits for a signature"))
                .hint("'batchward link show' tells how a link stands")
        })
    }

    fn link_countersign(
        &mut self,
        actor: &Actor,
        link: &str,
        office: Office,
        doc_no: Option<String>,
    ) -> Result<Reply> {
        let (application, row) = self.waiting(link)?;
        let clause = &row.what.clause;
        let name = actor.name();
        if row.by == name {
            return Err(second_person("decide on this application"));
        }
        if row.signatures.iter().any(|(_, by, ..)| by == name) {
            return Err(Error::refused(format!("'{name}' has signed this application already"))
                .hint("each office signs by another person"));
        }
        if !office.roles().iter().any(|role| actor.facts.roles.contains(role)) {
            let roles: Vec<&str> = office.roles().iter().map(|role| role.word()).collect();
            return Err(Error::refused(format!("'{name}' does not sign for '{office}'"))
                .hint(format!("this needs one of the roles: {}", roles.join(", "))));
        }
        let missing = row.missing();
        if !missing.iter().any(|asked| office.stands_for(*asked)) {
            let missing: Vec<&str> = missing.iter().map(|office| office.word()).collect();
            return Err(Error::refused(format!(
                "no signature of '{office}' is missing ({clause})"
            ))
            .hint(format!("missing: {}", missing.join(", "))));
        }
        if office == Office::Head && missing.iter().any(|one| *one != Office::Head) {
            return Err(Error::refused(format!("the head signs after the offices ({clause})"))
                .hint("'batchward link show' tells which signatures are missing"));
        }
        // The owner is outside: its letter is what the account enters.
        if office == Office::Owner && doc_no.is_none() {
            return Err(Error::usage("the number of the owner's letter is missing")
                .hint("--doc-no N names it"));
        }
        doc_no.as_deref().map_or(Ok(()), |text| stated("the document number", text))?;
        let signed = actor.decision()?;
        let body = LinkCountersigned { application, office, doc_no, signed };
        self.record(actor, Body::LinkCountersigned(body))?;
        Ok(match self.waiting(link) {
            Ok((_, row)) => {
                let missing: Vec<&str> = row.missing().iter().map(|one| one.word()).collect();
                Reply::new(&application, format!("still missing: {}", missing.join(", ")))
            }
            Err(_) => Reply::new(&application, format!("the application of '{link}' is approved"))
                .next(self.after_approval(link)),
        })
    }

    fn after_approval(&self, link: &str) -> String {
        use application::LinkBound;
        let rules = &self.engine.rules;
        let bounds = rules.bounds.get(link);
        if !rules.written.contains_key(link) {
            return "'batchward config propose', if its file is not in force yet".to_owned();
        }
        if bounds.is_some_and(|bounds| bounds.contains(&LinkBound::NotTested)) {
            return format!("'batchward link tested {link}' when it was tested");
        }
        format!("'batchward link show {link}' tells how it stands")
    }

    fn link_refuse(&mut self, actor: &Actor, link: &str, reason: String) -> Result<Reply> {
        stated("the reason", &reason)?;
        let (application, row) = self.waiting(link)?;
        if row.by == actor.name() {
            return Err(second_person("decide on this application"));
        }
        let signs =
            |office: &Office| office.roles().iter().any(|role| actor.facts.roles.contains(role));
        if !row.missing().iter().any(signs) {
            let name = actor.name();
            return Err(Error::refused(format!("'{name}' signs for none of the missing offices")));
        }
        let signed = actor.decision()?;
        self.record(actor, Body::LinkRefused(LinkRefused { application, reason, signed }))?;
        Ok(Reply::new(&application, format!("the application of '{link}' is refused")))
    }

    fn link_tested(
        &mut self,
        actor: &Actor,
        link: &str,
        doc_no: Option<String>,
        evidence: Vec<Digest>,
    ) -> Result<Reply> {
        if doc_no.is_none() && evidence.is_empty() {
            return Err(Error::usage("nothing says how the test went")
                .hint("--doc-no N, --evidence FILE, or both"));
        }
        doc_no.as_deref().map_or(Ok(()), |text| stated("the document number", text))?;
        if self.history(link).approved.is_none() {
            return Err(Error::refused(format!("no application of '{link}' is complete (TPH-4)"))
                .hint("a link is tested after its application"));
        }
        let signed = actor.signed.clone();
        let body = LinkTested { link: link.to_owned(), doc_no, evidence, signed };
        self.record(actor, Body::LinkTested(body))?;
        Ok(Reply::new(&link, format!("the test of '{link}' is entered")))
    }

    fn link_stop(
        &mut self,
        actor: &Actor,
        link: &str,
        reason: String,
        doc_no: Option<String>,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        self.written(link)?;
        let terminated = doc_no.is_some();
        if let Some(stop) = self.history(link).stopped
            && (stop.terminated || !terminated)
        {
            return Err(Error::usage(if stop.terminated {
                format!("'{link}' is terminated already")
            } else {
                format!("'{link}' is suspended already")
            }));
        }
        let signed = actor.signed.clone();
        let body = LinkStopped { link: link.to_owned(), terminated, reason, doc_no, signed };
        self.record(actor, Body::LinkStopped(body))?;
        Ok(if terminated {
            Reply::new(&link, format!("'{link}' is terminated: what is held of it comes due"))
                .next("'batchward status' names what is to be destroyed".to_owned())
        } else {
            Reply::new(&link, format!("'{link}' is suspended: nothing loads under it"))
        })
    }

    fn link_resume(&mut self, actor: &Actor, link: &str, reason: String) -> Result<Reply> {
        stated("the reason", &reason)?;
        match self.history(link).stopped {
            None => {
                return Err(Error::usage(format!("nobody has suspended '{link}'"))
                    .hint("'batchward link show' tells how a link stands"));
            }
            Some(stop) if stop.terminated => {
                return Err(Error::refused(format!(
                    "'{link}' was terminated: it is applied for anew (NT-5.6)"
                ))
                .hint("'batchward link apply' with --refers FINDING"));
            }
            Some(_) => {}
        }
        let signed = actor.signed.clone();
        let body = LinkResumeProposed { link: link.to_owned(), reason, signed };
        self.record(actor, Body::LinkResumeProposed(body))?;
        Ok(Reply::new(&link, format!("that '{link}' is taken up again waits for a second person"))
            .next(format!(
                "another admin or a supervisor runs 'batchward link resume {link} --confirm'"
            )))
    }

    fn link_resume_confirm(&mut self, actor: &Actor, link: &str) -> Result<Reply> {
        let Some(proposal) = self.history(link).resume else {
            return Err(Error::usage(format!("nothing about '{link}' waits for a second person")));
        };
        if proposal.by == actor.name() {
            return Err(second_person("confirm this"));
        }
        let (proposal, signed) = (proposal.mark.seq, actor.decision()?);
        let body = LinkResumed { link: link.to_owned(), proposal, signed };
        self.record(actor, Body::LinkResumed(body))?;
        Ok(Reply::new(&link, format!("'{link}' is taken up again")))
    }
}
