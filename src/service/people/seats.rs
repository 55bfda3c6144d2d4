//! One system user that signs with several people's keys: two other people say that they know of it.
//!
//! Neither of the two is one of those people, stands in for one, or signs as that very system user, or as one that is
//! another's as well: that would be one hand. Where a site has too few
//! people for it, it is told so; what a terminal shares for good stands in the configuration, with its reason.

use crate::{
    domain::{
        accounts::Act,
        entry::{Body, SharedUserAcknowledged, SharedUserConfirmed},
        view::Seat,
    },
    error::Error,
    service::{Actor, Reply, Result, Service, administration::second_person, stated},
};

impl Service {
    pub(super) fn seat_acknowledge(
        &mut self,
        actor: &Actor,
        uid: u32,
        reason: String,
    ) -> Result<Reply> {
        stated("the reason", &reason)?;
        let seat = self.shared_seat(uid)?;
        let accounts: Vec<String> = seat.accounts.keys().cloned().collect();
        self.is_apart(actor, uid)?;
        let (signed, named) = (actor.decision()?, accounts.join(", "));
        let body = SharedUserAcknowledged { uid, accounts, reason, signed };
        self.record(actor, Body::SharedUserAcknowledged(body))?;
        let message =
            format!("the system user {uid} signed for: {named}; it waits for a second person");
        Ok(Reply::new(&uid, message).next(format!(
            "a supervisor or auditor runs 'batchward account acknowledge {uid} --confirm'"
        )))
    }

    pub(super) fn seat_confirm(&mut self, actor: &Actor, uid: u32) -> Result<Reply> {
        let seat = self.shared_seat(uid)?;
        let waits = seat.proposal.as_ref().ok_or_else(|| {
            Error::usage(format!("nothing about the system user {uid} waits for a second person"))
        })?;
        if waits.by == actor.name() {
            return Err(second_person("confirm this acknowledgement"));
        }
        let (proposal, named) = (waits.mark.seq, waits.what.accounts.join(", "));
        self.is_apart(actor, uid)?;
        let signed = actor.decision()?;
        let body = SharedUserConfirmed { uid, proposal, signed };
        self.record(actor, Body::SharedUserConfirmed(body))?;
        Ok(Reply::new(
            &uid,
            format!("two people know that the system user {uid} signs for: {named}"),
        ))
    }

    /// A system user that signed with several people's keys, and of which nobody knows yet.
    fn shared_seat(&self, uid: u32) -> Result<Seat> {
        let seat = self.engine.view.seat(uid).filter(|seat| seat.shared().is_some());
        seat.ok_or_else(|| {
            Error::usage(format!("nothing is to be acknowledged of the system user {uid}")).hint(
                "'batchward status' tells of a system user that signs with several people's keys",
            )
        })
    }

    /// Whoever acknowledges is none of the people whose keys it has, nor acts for one, nor signs from there; and where he signs
    /// from nobody else does.
    fn is_apart(&self, actor: &Actor, uid: u32) -> Result<()> {
        let view = &self.engine.view;
        let Some(seat) = view.seat(uid) else { return Ok(()) };
        let own = |name: &str| seat.accounts.contains_key(name);
        let of = actor.deputy.and_then(|id| view.principal(id));
        let from = self.engine.seat.as_ref().map(|(_, from)| *from);
        let from_there = from == Some(uid);
        if !own(actor.name()) && !of.is_some_and(own) && !from_there {
            if !from.is_some_and(|from| view.sits_with_others(from, actor.name())) {
                return Ok(());
            }
            return Err(Error::refused("other people sign as your system user as well")
                .hint("two people acknowledge this who each sign as a system user of their own"));
        }
        let others = view.accounts.iter().filter(|(name, row)| {
            let may = row.active().is_some_and(|facts| Act::Anchor.allowed_to(&facts.roles));
            may && !own(name)
        });
        let error = Error::refused(format!(
            "two people acknowledge this who never signed as the system user {uid}, and sign from elsewhere"
        ));
        Err(match others.count() {
            0 | 1 => error.hint(
                "there are not two such people here: give somebody an account of their own, or name the terminal in 'shared_users' of agent.yaml",
            ),
            _ => error.hint("somebody else runs this command as their own system user"),
        })
    }
}
