//! What waits for whom: every act that the register says is missing, with the office that may do it and the command
//! that does it.
//!
//! Offices come from the same table that permits acts, so that nobody is sent to a command that refuses them; where
//! the second person must be another one, the first is named. Nothing is decided here.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Given, handovers, held, intake, on_paper, people};
use crate::service::access_keys::due_months;
use crate::{
    domain::{
        accounts::{Act, Role},
        entry::Failure,
        ids::BatchId,
        lifecycle::{BatchState, CopyState, GrantState, OrderState},
        limits,
        person::Person,
        reason::Reason,
        time::Timestamp,
        view::{Batch, Trouble},
    },
    engine::standing::{missing_papers, policies_of},
};

macro_rules! tasks {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $what:literal;)*) => {
        /// What is missing.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum TaskCode { $($(#[$doc])* $name,)* }

        impl TaskCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as it is written.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What it is, in a sentence.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$name => $what,)* }
            }
        }
    };
}

tasks! {
    /// The time is to be confirmed.
    ConfirmClock = "confirm-clock", "the clock is to be confirmed";
    /// A quarantined batch is to be decided on.
    DecideQuarantine = "decide-quarantine", "a quarantined batch is to be released or rejected";
    /// A key is to be entered.
    EnterKey = "enter-key", "the key of a batch has not come";
    /// An announcement waits for a second person.
    ConfirmAnnouncement = "confirm-announcement", "a letter that announces a delivery waits for a second person";
    /// A change file is missing.
    AskForChangeFile = "ask-for-change-file", "a change file is missing: the provider is to be asked for it";
    /// A step is to be tried again.
    RetryStep = "retry-step", "a stuck step is to be tried again, once its cause is mended";
    /// A destruction is to be requested.
    RequestDestruction = "request-destruction", "the destruction of what is due is to be requested";
    /// An order is to be decided on.
    DecideOrder = "decide-order", "a destruction order is to be approved or denied";
    /// A decision on paper is to be confirmed.
    ConfirmDecision = "confirm-decision", "a decision entered from paper waits for a second person who has seen the document";
    /// The end of keys of the access log is to be requested.
    RequestAccessDestruction = "request-access-destruction", "the access log of some months need not be kept any longer: the destruction of their keys is to be requested";
    /// An order over keys of the access log is to be decided on.
    DecideAccessOrder = "decide-access-order", "an order over keys of the access log is to be approved or denied";
    /// Closing papers are missing.
    ClosingPapers = "closing-papers", "the closing papers of a destroyed batch are missing";
    /// Closing papers wait for a second person.
    ConfirmPapers = "confirm-papers", "closing papers wait for a supervisor";
    /// A standing approval is to be confirmed.
    ConfirmStanding = "confirm-standing", "a standing approval waits for a supervisor";
    /// A standing approval ends soon.
    RenewStanding = "renew-standing", "a standing approval ends soon";
    /// A copy out of reach is to be brought back.
    BringBackCopy = "bring-back-copy", "a copy that nobody could reach is to be brought back and destroyed";
    /// A copy is to be decided on.
    DecideCopy = "decide-copy", "somebody asks to make a copy: the office's approval is to be entered, or the copy denied";
    /// A copy is to be made known.
    DeclareCopy = "declare-copy", "a copy may be made: that it is there, or is not made, is to be entered";
    /// The destruction of a copy that people keep is to be requested.
    RequestCopyDestruction = "request-copy-destruction", "the destruction of a copy that somebody keeps is to be requested";
    /// A copy that people keep is to be destroyed.
    DestroyCopy = "destroy-copy", "a copy that somebody keeps is to be destroyed, and its end recorded";
    /// A witness is to vouch for the end of a copy.
    ConfirmEnd = "confirm-end", "the end of a copy waits for the word of a second person who was there";
    /// A hand-over is to be decided on.
    DecideHandover = "decide-handover", "somebody asks to hand data on: it is to be approved or denied";
    /// A package is to be made.
    MakeHandover = "make-handover", "data may be handed on: the package is to be made, or the approval taken back";
    /// The receipt of a package is to be recorded.
    ConfirmHandover = "confirm-handover", "a package is on its way: that its recipient has it is to be recorded";
    /// A grant is to be decided on.
    DecideGrant = "decide-grant", "an application for access is to be approved or denied";
    /// A use is to be reported as completed.
    CompleteUse = "complete-use", "a use whose grant has ended is to be reported as completed";
    /// A batch is to be provided.
    ProvideBatch = "provide-batch", "a batch waits for the next seal on its form before anybody reads it";
    /// A batch is to be confirmed.
    ConfirmBatch = "confirm-batch", "a custodian is to confirm that a batch is whole";
    /// Counts are to be compared.
    CompareBatch = "compare-batch", "what was applied for is to be compared with what came";
    /// Counts that do not match are to be decided on.
    DecideMismatch = "decide-mismatch", "the counts of a batch did not match: they are to be compared again, or accepted";
    /// What was said of a use is to be taken back.
    ConfirmWithdrawal = "confirm-withdrawal", "a mistaken statement on which an order rests waits for a second person to take it back";
    /// No need to keep is to be stated.
    StateNoNeed = "state-no-need", "every use is completed: whether there is need to keep the batch is to be stated";
    /// A hold is to be looked at again.
    ReviewHold = "review-hold", "a hold is to be reviewed";
    /// An account is to be confirmed.
    ConfirmAccount = "confirm-account", "an account waits for a second person";
    /// An appointment is to be confirmed.
    ConfirmAppointment = "confirm-appointment", "an appointment waits for a second person";
    /// Custody is to be taken over.
    TakeCustody = "take-custody", "custody of a link is to be taken over";
    /// A review of the accounts is to be confirmed.
    ConfirmReview = "confirm-review", "a review of the accounts waits for a second person";
    /// A system user with several people's keys is to be looked into.
    AcknowledgeSharedUser = "acknowledge-shared-user", "one system user signs with the keys of several people: why is to be found out and acknowledged";
    /// And a second person is to confirm it.
    ConfirmSharedUser = "confirm-shared-user", "that one system user signs with several people's keys waits for a second person's acknowledgement";
    /// The configuration is to be proposed.
    ProposeConfiguration = "propose-configuration", "changed files are to be proposed";
    /// The configuration is to be confirmed.
    ConfirmConfiguration = "confirm-configuration", "a proposed configuration waits for a second person";
    /// A standing passphrase is to be confirmed.
    ConfirmPassphrase = "confirm-passphrase", "the standing passphrase of a link waits for a second person";
    /// A baseline is to be confirmed.
    ConfirmBaseline = "confirm-baseline", "the baseline of a link waits for a second person";
}

/// An act that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Task {
    /// What is missing.
    pub code: TaskCode,
    /// The roles that may do it; one of them is enough.
    pub roles: Vec<Role>,
    /// The one account that may do it, where only one may.
    pub account: Option<String>,
    /// The account that may not, because it did the first half.
    pub except: Option<String>,
    /// Id or name of what it is about.
    pub object: String,
    /// The provider's number, of a batch.
    pub number: Option<String>,
    /// The link, where it is one's.
    pub link: Option<String>,
    /// Why a batch was not taken, where it is that.
    pub reason: Option<Reason>,
    /// Since when it waits, where that is known.
    pub since: Option<Timestamp>,
    /// The commands that do it; one of them is enough.
    pub commands: Vec<String>,
    /// Whose it is by name: of the one account, or of those who hold a post with one of its roles, for its link or for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub people: Vec<Person>,
}

impl Task {
    pub(super) fn of(code: TaskCode, act: Act, object: &impl ToString) -> Self {
        Self {
            code,
            roles: act.roles().to_vec(),
            account: None,
            except: None,
            object: object.to_string(),
            number: None,
            link: None,
            reason: None,
            since: None,
            commands: Vec::new(),
            people: Vec::new(),
        }
    }

    pub(super) fn batch(code: TaskCode, act: Act, id: BatchId, row: &Batch) -> Self {
        let since = row.times.get(row.state.word()).copied();
        let (number, link) = (row.number.clone(), Some(row.link.clone()));
        Self { number, link, since, ..Self::of(code, act, &id) }
    }

    /// Whether an account did the first half, so that it may not do this one.
    pub(super) fn is_not_for(&self, name: &str) -> bool {
        self.except.as_ref().is_some_and(|except| except.split(", ").any(|one| one == name))
    }

    pub(super) fn by(mut self, commands: &[String]) -> Self {
        self.commands = commands.iter().map(|words| format!("batchward {words}")).collect();
        self
    }
}

/// Every act that is missing, by kind and then as old as it is.
pub(super) fn of(given: &Given<'_>) -> Vec<Task> {
    let mut tasks = batches(given);
    tasks.extend(on_paper::announced(given));
    tasks.extend(decisions(given));
    tasks.extend(administration(given));
    for task in &mut tasks {
        let (account, link) = (task.account.as_deref(), task.link.as_deref());
        let mut people = given.view.whose(account, &task.roles, link, given.now);
        people.retain(|person| !task.is_not_for(&person.account));
        task.people = people;
    }
    tasks.sort_by(|a, b| (a.code, a.since, &a.object).cmp(&(b.code, b.since, &b.object)));
    tasks
}

fn batches(given: &Given<'_>) -> Vec<Task> {
    let mut tasks = Vec::new();
    let mut gaps = BTreeSet::new();
    let ordered = ordered(given);
    let completions = given.view.completions();
    for (id, row) in given.view.open_batches() {
        let (id, row) = (&id, &*row);
        if row.trouble.as_ref().is_some_and(needs_a_person) {
            let words = [format!("batch retry {id}"), format!("batch show {id}")];
            tasks.push(Task::batch(TaskCode::RetryStep, Act::Keep, *id, row).by(&words));
            continue;
        }
        let task = match row.state {
            BatchState::Quarantined => {
                let decide = |word: &str| format!("batch {word} {id} --reason TEXT");
                let words = [decide("release"), decide("reject")];
                let task = Task::batch(TaskCode::DecideQuarantine, Act::Keep, *id, row).by(&words);
                Some(Task { reason: row.reason, ..task })
            }
            BatchState::Verified => waiting(given, *id, row, &mut gaps),
            BatchState::Due => request(given, *id, row, &ordered),
            BatchState::Loaded if files_are_due(given, *id, row) => {
                request(given, *id, row, &ordered)
            }
            BatchState::Loaded => {
                tasks.extend(intake::needs(given, (*id, row), &completions));
                None
            }
            BatchState::Destroyed => papers(given, *id, row),
            BatchState::Received | BatchState::Condemned | BatchState::Closed => None,
        };
        tasks.extend(task);
    }
    tasks
}

/// Whether a step will not be tried again by itself.
fn needs_a_person(trouble: &Trouble) -> bool {
    trouble.failure == Failure::Stuck
        || (trouble.times >= limits::RETRIES_MAX && trouble.code != crate::engine::DISK_FULL)
}

fn waiting(
    given: &Given<'_>,
    id: BatchId,
    row: &Batch,
    gaps: &mut BTreeSet<String>,
) -> Option<Task> {
    match (given.reason)(row)? {
        Reason::SequenceGap => {
            // One missing file holds up all that follow it.
            gaps.insert(row.link.clone()).then(|| {
                let missing = given.view.next_sequence(&row.link);
                let object = format!("{} {missing}", row.link);
                let task = Task::batch(TaskCode::AskForChangeFile, Act::Keep, id, row);
                Task { object, number: None, ..task }
            })
        }
        Reason::AwaitingKey | Reason::WrongKey => {
            let words = [
                format!("key submit {id} --file FILE --channel TEXT"),
                format!("key submit {id} --passphrase-stdin --channel TEXT"),
            ];
            Some(Task::batch(TaskCode::EnterKey, Act::Keep, id, row).by(&words))
        }
        _ => None,
    }
}

fn request(
    given: &Given<'_>,
    id: BatchId,
    row: &Batch,
    ordered: &BTreeSet<BatchId>,
) -> Option<Task> {
    let free = !ordered.contains(&id) && given.view.hold_on(id).is_none();
    free.then(|| {
        let words = [format!("destroy request {id} --reason TEXT")];
        Task::batch(TaskCode::RequestDestruction, Act::RequestDestruction, id, row).by(&words)
    })
}

/// Whether a loaded batch's transfer files are due and still there.
pub(super) fn files_are_due(given: &Given<'_>, id: BatchId, row: &Batch) -> bool {
    let there = |state| matches!(state, CopyState::Kept | CopyState::Condemned);
    matches!(row.due, Some((_, false)))
        && given
            .view
            .copies_of(id)
            .any(|(_, copy)| row.due_covers(false, copy.kind) && there(copy.state))
}

/// Batches that an order covers which is not over.
pub(super) fn ordered(given: &Given<'_>) -> BTreeSet<BatchId> {
    let orders = given.view.orders.loose().filter(|(_, o)| is_open(o.state));
    orders.flat_map(|(_, o)| o.copies.iter().map(|c| c.batch).collect::<Vec<_>>()).collect()
}

/// Whether an order is not over.
pub(super) const fn is_open(state: OrderState) -> bool {
    matches!(
        state,
        OrderState::Requested | OrderState::Approved | OrderState::Executed | OrderState::Stopped
    )
}

/// The papers of a destroyed batch: to be entered by a custodian, then confirmed by a supervisor.
fn papers(given: &Given<'_>, id: BatchId, row: &Batch) -> Option<Task> {
    let order_id = row.order?;
    let order = given.view.orders.get(&order_id)?;
    if missing_papers(given.view, given.rules, &order).is_empty() {
        return None;
    }
    if let Some(proposal) = &order.paper_proposal {
        let words = [format!("destroy confirm {order_id}")];
        let task = Task::batch(TaskCode::ConfirmPapers, Act::ConfirmPapers, id, row).by(&words);
        return Some(Task { except: Some(proposal.by.clone()), ..task });
    }
    let words = [format!("destroy close {order_id} --letter NO --evidence FILE")];
    Some(Task::batch(TaskCode::ClosingPapers, Act::Keep, id, row).by(&words))
}

fn decisions(given: &Given<'_>) -> Vec<Task> {
    let view = given.view;
    let mut tasks = Vec::new();
    for (id, order) in view.orders.loose().filter(|(_, o)| o.state == OrderState::Requested) {
        let words = [format!("destroy approve {id}"), format!("destroy deny {id} --reason TEXT")];
        let task = Task::of(TaskCode::DecideOrder, Act::DecideDestruction, &id).by(&words);
        let mut roles: Vec<Role> = policies_of(view, given.rules, &order)
            .flat_map(|policy| policy.destroy.approver_roles.value.iter().copied())
            .collect();
        roles.sort_unstable();
        roles.dedup();
        let mut except = vec![order.by.clone()];
        except.extend(order.approvals.iter().map(|(by, _)| by.clone()));
        let except = Some(except.join(", "));
        tasks.push(Task { except, roles, since: Some(order.requested.at), ..task });
    }
    for (id, order) in view.access_orders.iter().filter(|(_, o)| o.state == OrderState::Requested) {
        let words = [
            format!("access destroy-approve {id}"),
            format!("access destroy-deny {id} --reason TEXT"),
        ];
        let task = Task::of(TaskCode::DecideAccessOrder, Act::DecideAccess, id).by(&words);
        let (except, link) = (Some(order.by.clone()), Some(order.link.clone()));
        tasks.push(Task { except, link, since: Some(order.requested.at), ..task });
    }
    for (link, months) in due_months(view, given.rules, given.now) {
        let words = [format!("access destroy --link {link} --reason TEXT")];
        let code = TaskCode::RequestAccessDestruction;
        let first = months.first().and_then(|month| given.rules.access_kept_until(&link, month));
        let (since, object) = (first.map(|(end, _)| end), format!("{link} {}", months.join(",")));
        let task = Task::of(code, Act::RequestDestruction, &object).by(&words);
        tasks.push(Task { link: Some(link), since, ..task });
    }
    tasks.extend(on_paper::tasks(given));
    tasks.extend(intake::tasks(given));
    tasks.extend(held::tasks(given));
    tasks.extend(held::papers(given));
    tasks.extend(handovers::tasks(given));
    tasks.extend(standings(given));
    tasks.extend(exceptions(given));
    let held: BTreeSet<String> =
        view.batches_in(BatchState::Loaded).map(|(_, b)| b.link.clone()).collect();
    for (id, grant) in view.grants.loose() {
        let id = &id;
        let link = Some(grant.terms.link.clone());
        match grant.state {
            GrantState::Applied => {
                let words =
                    [format!("grant approve {id}"), format!("grant deny {id} --reason TEXT")];
                let task = Task::of(TaskCode::DecideGrant, Act::DecideUse, id).by(&words);
                let (except, since) = (Some(grant.by.clone()), Some(grant.applied.at));
                tasks.push(Task { except, since, link, ..task });
            }
            // What is not completed keeps the clock of its batches from starting.
            GrantState::Expired | GrantState::Revoked
                if grant.approved.is_some() && held.contains(grant.terms.link.as_str()) =>
            {
                let words = [format!("use complete {id}")];
                let task = Task::of(TaskCode::CompleteUse, Act::Use, id).by(&words);
                let (account, since) =
                    (Some(grant.answerable().to_owned()), Some(grant.terms.until));
                tasks.push(Task { account, since, link, ..task });
            }
            _ => {}
        }
    }
    for (id, hold) in view.holds.iter().filter(|(_, h)| !h.lifted && h.review < given.now) {
        let task = Task::of(TaskCode::ReviewHold, Act::Hold, id).by(&[format!("hold lift {id}")]);
        tasks.push(Task { except: Some(hold.by.clone()), since: Some(hold.review), ..task });
    }
    tasks
}

/// Standing approvals that wait for a supervisor, and those that end within [`limits::SOON_DAYS`].
fn standings(given: &Given<'_>) -> Vec<Task> {
    let mut tasks = Vec::new();
    for (id, standing) in given.view.standings.iter().filter(|(_, s)| !s.ended) {
        if standing.confirmed.is_none() {
            let words = [format!("standing confirm {id}")];
            let task = Task::of(TaskCode::ConfirmStanding, Act::ConfirmPapers, id).by(&words);
            let since = Some(standing.proposed.at);
            tasks.push(Task { except: Some(standing.by.clone()), since, ..task });
        } else if given.is_soon(standing.until) {
            let words =
                [format!("standing add --policy {} --doc-no NO --until DATE", standing.policy)];
            let task = Task::of(TaskCode::RenewStanding, Act::Keep, id).by(&words);
            tasks.push(Task { since: Some(standing.until), ..task });
        }
    }
    tasks
}

/// Copies that an order left out because nobody could reach them.
fn exceptions(given: &Given<'_>) -> Vec<Task> {
    let copies = given.view.copies.loose().filter(|(_, copy)| copy.state.is_there());
    copies
        .filter_map(|(id, copy)| {
            let (owner, until) = copy.exception.clone()?;
            let words = [format!("destroy request {} --reason TEXT", copy.batch)];
            let act = Act::RequestDestruction;
            let task = Task::of(TaskCode::BringBackCopy, act, &id).by(&words);
            Some(Task { account: Some(owner), since: Some(until), ..task })
        })
        .collect()
}

fn administration(given: &Given<'_>) -> Vec<Task> {
    let view = given.view;
    let mut tasks = Vec::new();
    if view.time_doubted {
        let words = ["clock confirm".to_owned()];
        tasks.push(Task::of(TaskCode::ConfirmClock, Act::Keep, &"clock").by(&words));
    }
    for (name, account) in &view.accounts {
        let Some((by, mark)) = account.waits() else { continue };
        let words = [format!("account confirm {name}")];
        let task = Task::of(TaskCode::ConfirmAccount, Act::ConfirmAdministration, name).by(&words);
        let (except, since) = (Some(by.to_owned()), Some(mark.at));
        tasks.push(Task { except, since, ..task });
    }
    tasks.extend(people::of(given));
    if let Some(proposal) = &view.config_proposal {
        let (code, act) = (TaskCode::ConfirmConfiguration, Act::ConfirmAdministration);
        let task = Task::of(code, act, &"configuration").by(&["config confirm".to_owned()]);
        let (except, since) = (Some(proposal.by.clone()), Some(proposal.mark.at));
        tasks.push(Task { except, since, ..task });
    } else if !given.pending.is_empty() {
        let words = ["config show".to_owned(), "config propose".to_owned()];
        let code = TaskCode::ProposeConfiguration;
        tasks.push(Task::of(code, Act::Administer, &"configuration").by(&words));
    }
    for (link, ledger) in &view.links {
        let Some(proposal) = &ledger.passphrases.waits else { continue };
        let words = [format!("key confirm {link}")];
        let task = Task::of(TaskCode::ConfirmPassphrase, Act::ConfirmBaseline, link).by(&words);
        let (except, since) = (Some(proposal.by.clone()), Some(proposal.mark.at));
        tasks.push(Task { except, since, link: Some(link.clone()), ..task });
    }
    for (link, ledger) in &view.links {
        let Some(proposal) = &ledger.proposal else { continue };
        let words = [format!("link confirm {link}")];
        let task = Task::of(TaskCode::ConfirmBaseline, Act::ConfirmBaseline, link).by(&words);
        let (except, since) = (Some(proposal.by.clone()), Some(proposal.mark.at));
        tasks.push(Task { except, since, link: Some(link.clone()), ..task });
    }
    tasks
}
