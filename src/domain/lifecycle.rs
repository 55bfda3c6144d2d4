//! The life of batches, copies, grants, hand-overs and orders, as tables: the only place that moves a state.
//!
//! One row a line: from this state, on this event, to that state, and what work that starts. A pair that is in no
//! row is refused. Tests, `docs/lifecycle.md` and every screen are made from these rows. What a batch *is* (its
//! facts) lives in the register; a state is only the key of these tables.

use super::words::words;

words! {
    /// Where a batch stands (DESIGN 4).
    BatchState {
        /// Copied whole into files of our own.
        Received = "received",
        /// Everything that can be judged without its key has passed.
        Verified = "verified",
        /// Committed to the vault; the counts add up.
        Loaded = "loaded",
        /// Destruction must be requested.
        Due = "due",
        /// An approved destruction order stands.
        Condemned = "condemned",
        /// Every copy is proven gone and the certificate is issued.
        Destroyed = "destroyed",
        /// Nothing is left to do.
        Closed = "closed",
        /// A check failed; a person decides.
        Quarantined = "quarantined",
    }
    /// What happens to a batch.
    BatchEvent {
        /// Every check before the key has passed.
        Accepted = "accepted",
        /// A check failed.
        Refused = "refused",
        /// The vault is committed.
        Loaded = "loaded",
        /// Every unit has completed its use and no need to keep was stated.
        UseEnded = "use-ended",
        /// That was a mistake, and is taken back before its destruction was approved.
        UseResumed = "use-resumed",
        /// A person orders the batch judged again.
        Released = "released",
        /// A person turns the batch down.
        Rejected = "rejected",
        /// A destruction order over every copy was approved.
        OrderApproved = "order-approved",
        /// The order was voided before its end, or leaves a copy out that nobody can reach.
        OrderVoided = "order-voided",
        /// The certificate over every copy is issued.
        Certified = "certified",
        /// No closing paper is missing.
        Completed = "completed",
    }
    /// Work that a batch's state starts.
    BatchStep {
        /// Judge what was claimed.
        Verify = "verify",
        /// Decrypt, decode and load as one stream, once a key is there.
        Load = "load",
        /// Wipe the copies of the order, then certify.
        Wipe = "wipe",
        /// See whether papers are missing.
        Close = "close",
    }
    /// Where a copy stands (invariant 4: known before it exists).
    CopyState {
        /// Somebody asks to make it.
        Requested = "requested",
        /// An intent to make it is recorded; it may exist in part.
        Planned = "planned",
        /// It exists.
        Kept = "kept",
        /// An approved order covers it.
        Condemned = "condemned",
        /// It is there, and nobody can read it any more: its wipe had begun when its order was stopped.
        Unreadable = "unreadable",
        /// Proven gone, or never made.
        Destroyed = "destroyed",
    }
    /// What happens to a copy.
    CopyEvent {
        /// The office that the policy names agreed to its making.
        Approved = "approved",
        /// Its making is finished.
        Made = "made",
        /// Its making was refused, or given up and what there was of it removed.
        Abandoned = "abandoned",
        /// An order over it was approved.
        Condemned = "condemned",
        /// That order was voided before this copy's turn, or nobody could reach it.
        Spared = "spared",
        /// That order was voided after the wipe had destroyed its key or begun to overwrite it.
        Cut = "cut",
        /// It was wiped.
        Wiped = "wiped",
    }
    /// Where a grant stands.
    GrantState {
        /// Applied for.
        Applied = "applied",
        /// Approved, until its end.
        Open = "open",
        /// Turned down.
        Denied = "denied",
        /// Taken back.
        Revoked = "revoked",
        /// 使用完竣.
        Completed = "completed",
        /// Its end has passed.
        Expired = "expired",
    }
    /// What happens to a grant.
    GrantEvent {
        /// The second person agreed.
        Approved = "approved",
        /// The second person refused.
        Denied = "denied",
        /// Somebody took it back.
        Revoked = "revoked",
        /// Its holder has finished.
        Completed = "completed",
        /// That was a mistake: its holder goes on.
        Reopened = "reopened",
        /// That was a mistake: it is to be completed still, and was taken back before.
        Restored = "restored",
        /// Its end has passed.
        Expired = "expired",
    }
    /// Where a hand-over stands.
    HandoverState {
        /// Asked for.
        Requested = "requested",
        /// Agreed to: its package can be made.
        Approved = "approved",
        /// Turned down, or not made after all.
        Denied = "denied",
        /// Its package is made, and on its way.
        Made = "made",
        /// The recipient confirmed that it has it.
        Received = "received",
        /// The recipient's copy is gone, by the word of two people.
        Closed = "closed",
    }
    /// What happens to a hand-over.
    HandoverEvent {
        /// The second person agreed.
        Approved = "approved",
        /// The second person refused, or took it back before the package was made.
        Denied = "denied",
        /// The package lies in its recipient's outbox.
        Made = "made",
        /// The recipient confirmed that it has it.
        Received = "received",
        /// The last copy of it is gone.
        Ended = "ended",
    }
    /// Where a destruction order stands.
    OrderState {
        /// Requested (簽報).
        Requested = "requested",
        /// Approved (核定).
        Approved = "approved",
        /// Turned down.
        Denied = "denied",
        /// Void: a hold, an expiry, or a change of what it covers. Nothing was wiped under it.
        Voided = "voided",
        /// Voided after copies were wiped under it: they get their certificate, the others stay.
        Stopped = "stopped",
        /// Every copy wiped, or left out as an exception.
        Executed = "executed",
        /// Certificate issued.
        Certified = "certified",
    }
    /// What happens to an order.
    OrderEvent {
        /// The second person agreed.
        Approved = "approved",
        /// The second person refused.
        Denied = "denied",
        /// A hold, an expiry, a change, or a person.
        Voided = "voided",
        /// The same, after copies were wiped.
        Stopped = "stopped",
        /// Its last copy was wiped.
        Executed = "executed",
        /// The certificate is issued.
        Certified = "certified",
    }
}

impl CopyState {
    /// Whether there is something of it that no order covers.
    #[must_use]
    pub const fn is_there(self) -> bool {
        matches!(self, Self::Kept | Self::Unreadable)
    }
}

/// One row: from, on, to, and the work it starts.
pub type Row<S, E, W> = (S, E, S, Option<W>);

use BatchEvent as On;
use BatchState as B;

/// The life of a batch. Its birth, a finished claim, is `received` and starts `verify`.
pub const BATCH: &[Row<BatchState, BatchEvent, BatchStep>] = &[
    (B::Received, On::Accepted, B::Verified, Some(BatchStep::Load)),
    (B::Received, On::Refused, B::Quarantined, None),
    (B::Verified, On::Loaded, B::Loaded, None),
    (B::Verified, On::Refused, B::Quarantined, None),
    (B::Loaded, On::UseEnded, B::Due, None),
    (B::Quarantined, On::Released, B::Received, Some(BatchStep::Verify)),
    (B::Quarantined, On::Rejected, B::Due, None),
    (B::Due, On::UseResumed, B::Loaded, None),
    (B::Due, On::OrderApproved, B::Condemned, Some(BatchStep::Wipe)),
    (B::Condemned, On::OrderVoided, B::Due, None),
    (B::Condemned, On::Certified, B::Destroyed, Some(BatchStep::Close)),
    (B::Destroyed, On::Completed, B::Closed, None),
];

use CopyEvent as Oc;
use CopyState as C;

/// The life of a copy.
pub const COPY: &[Row<CopyState, CopyEvent, ()>] = &[
    (C::Requested, Oc::Approved, C::Planned, None),
    (C::Requested, Oc::Abandoned, C::Destroyed, None),
    (C::Planned, Oc::Made, C::Kept, None),
    (C::Planned, Oc::Abandoned, C::Destroyed, None),
    (C::Kept, Oc::Condemned, C::Condemned, None),
    (C::Condemned, Oc::Spared, C::Kept, None),
    (C::Condemned, Oc::Cut, C::Unreadable, None),
    (C::Unreadable, Oc::Condemned, C::Condemned, None),
    (C::Condemned, Oc::Wiped, C::Destroyed, None),
];

use GrantEvent as Og;
use GrantState as G;

/// The life of a grant.
pub const GRANT: &[Row<GrantState, GrantEvent, ()>] = &[
    (G::Applied, Og::Approved, G::Open, None),
    (G::Applied, Og::Denied, G::Denied, None),
    (G::Applied, Og::Revoked, G::Revoked, None),
    (G::Open, Og::Revoked, G::Revoked, None),
    (G::Open, Og::Completed, G::Completed, None),
    (G::Open, Og::Expired, G::Expired, None),
    (G::Expired, Og::Completed, G::Completed, None),
    (G::Revoked, Og::Completed, G::Completed, None),
    (G::Completed, Og::Reopened, G::Open, None),
    (G::Completed, Og::Restored, G::Revoked, None),
];

use HandoverEvent as Oh;
use HandoverState as H;

/// The life of a hand-over.
pub const HANDOVER: &[Row<HandoverState, HandoverEvent, ()>] = &[
    (H::Requested, Oh::Approved, H::Approved, None),
    (H::Requested, Oh::Denied, H::Denied, None),
    (H::Approved, Oh::Denied, H::Denied, None),
    (H::Approved, Oh::Made, H::Made, None),
    (H::Made, Oh::Received, H::Received, None),
    (H::Made, Oh::Ended, H::Closed, None),
    (H::Received, Oh::Ended, H::Closed, None),
];

use OrderEvent as Oo;
use OrderState as O;

/// The life of a destruction order.
pub const ORDER: &[Row<OrderState, OrderEvent, ()>] = &[
    (O::Requested, Oo::Approved, O::Approved, None),
    (O::Requested, Oo::Denied, O::Denied, None),
    (O::Requested, Oo::Voided, O::Voided, None),
    (O::Approved, Oo::Voided, O::Voided, None),
    (O::Approved, Oo::Stopped, O::Stopped, None),
    (O::Stopped, Oo::Certified, O::Certified, None),
    (O::Approved, Oo::Executed, O::Executed, None),
    (O::Executed, Oo::Certified, O::Certified, None),
];

/// The row for `from` and `on`, or nothing where the table refuses.
#[must_use]
pub fn next<S: Copy + PartialEq, E: Copy + PartialEq, W: Copy>(
    table: &[Row<S, E, W>],
    from: S,
    on: E,
) -> Option<(S, Option<W>)> {
    table.iter().find(|row| row.0 == from && row.1 == on).map(|row| (row.2, row.3))
}

/// The work that a batch in `state` starts: what the row that leads there says, `verify` at birth.
#[must_use]
pub fn work(state: BatchState) -> Option<BatchStep> {
    if state == BatchState::Received {
        return Some(BatchStep::Verify);
    }
    BATCH.iter().filter(|row| row.2 == state).find_map(|row| row.3)
}

/// The tables as the text of `docs/lifecycle.md`.
#[must_use]
pub fn markdown() -> String {
    let mut page = String::from(
        "# The life of batches, copies, grants, hand-overs and orders\n\nMade from the tables in \
         `src/domain/lifecycle.rs`; a test fails when this page is stale.\nA pair of state and event that is in \
         no row is refused.\n",
    );
    table(&mut page, "Batch", BATCH, BatchState::word, BatchEvent::word, BatchStep::word);
    table(&mut page, "Copy", COPY, CopyState::word, CopyEvent::word, |()| "");
    table(&mut page, "Grant", GRANT, GrantState::word, GrantEvent::word, |()| "");
    table(&mut page, "Hand-over", HANDOVER, HandoverState::word, HandoverEvent::word, |()| "");
    table(&mut page, "Order", ORDER, OrderState::word, OrderEvent::word, |()| "");
    page
}

fn table<S: Copy, E: Copy, W: Copy>(
    page: &mut String,
    title: &str,
    rows: &[Row<S, E, W>],
    state: fn(S) -> &'static str,
    event: fn(E) -> &'static str,
    step: fn(W) -> &'static str,
) {
    page.push_str("\n## ");
    page.push_str(title);
    page.push_str("\n\n| from | on | to | starts |\n|---|---|---|---|\n");
    for &(from, on, to, work) in rows {
        let cells = [state(from), event(on), state(to), work.map_or("", step)];
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fmt::Debug};

    use super::*;

    fn sound<S: Copy + Ord + Debug, E: Copy + Ord + Debug, W>(
        table: &[Row<S, E, W>],
        all: &[S],
        birth: S,
        ends: &[S],
    ) {
        let pairs: BTreeSet<_> = table.iter().map(|r| (r.0, r.1)).collect();
        assert_eq!(pairs.len(), table.len(), "a pair of state and event stands twice");
        let mut reached = BTreeSet::from([birth]);
        for _ in all {
            let next: Vec<S> =
                table.iter().filter(|r| reached.contains(&r.0)).map(|r| r.2).collect();
            reached.extend(next);
        }
        assert_eq!(reached, all.iter().copied().collect(), "every state can be reached");
        let starts: BTreeSet<S> = table.iter().map(|r| r.0).collect();
        let last: BTreeSet<S> = all.iter().copied().filter(|s| !starts.contains(s)).collect();
        assert_eq!(last, ends.iter().copied().collect(), "only these states end a life");
    }

    #[test]
    fn every_table_is_sound() {
        sound(BATCH, BatchState::ALL, B::Received, &[B::Closed]);
        sound(COPY, CopyState::ALL, C::Requested, &[C::Destroyed]);
        sound(GRANT, GrantState::ALL, G::Applied, &[G::Denied]);
        sound(HANDOVER, HandoverState::ALL, H::Requested, &[H::Denied, H::Closed]);
        sound(ORDER, OrderState::ALL, O::Requested, &[O::Denied, O::Voided, O::Certified]);
    }

    #[test]
    fn a_pair_that_is_in_no_row_is_refused() {
        for &state in BatchState::ALL {
            for &event in BatchEvent::ALL {
                let row = BATCH.iter().any(|r| r.0 == state && r.1 == event);
                assert_eq!(next(BATCH, state, event).is_some(), row, "{state} on {event}");
            }
        }
    }

    #[test]
    fn nothing_leaves_the_vault_without_an_approved_order() {
        for &(from, _, to, _) in BATCH {
            assert!(to != B::Destroyed || from == B::Condemned);
        }
        for &(from, _, to, _) in COPY {
            assert!(to != C::Destroyed || matches!(from, C::Condemned | C::Planned | C::Requested));
        }
    }
}
