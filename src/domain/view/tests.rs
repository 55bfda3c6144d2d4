//! Random registers: an entry has one form, and the fold of the bytes is the view that was live.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::domain::{
    accounts::Role,
    entry::{
        AccountEditConfirmed, AccountEditProposed, AccountFacts, AppointmentConfirmed,
        AppointmentProposed, AppointmentTerms, Body, ConfigChange, DeliveryCame, DeliveryMissed,
        Entry, ExpectationBegun, ExpectationEnded, ExpectedTerms, GrantTerms, ManifestFacts,
        Signed,
    },
    expected::{ExpectationEnd, WhenOff},
    ids::{AppointmentId, GrantId, HoldId},
    manifest::{Kind, Manifest},
    merkle,
    people::Post,
};

/// A signed record whose text has this nonce. What it says is not judged by the fold.
fn signed(nonce: u8) -> Signed {
    let at = Timestamp::from_millis(1_800_000_000_000);
    let text = crate::domain::signed::SignedText {
        at,
        batchward: 1,
        command: "hold lift".to_owned(),
        expires: at.plus_seconds(300),
        nonce: format!("{nonce:032x}"),
        object: "synthetic".to_owned(),
        object_digest: Some(Digest::of(&[nonce])),
        origin: "batchward/test".to_owned(),
        text: String::new(),
    };
    Signed { text: text.canonical(), signature: "synthetic".to_owned(), key: String::new() }
}

fn terms(text: &str, row_cap: u64) -> GrantTerms {
    GrantTerms {
        link: text.to_owned(),
        holder: "henry".to_owned(),
        unit: Some(text.to_owned()),
        fields: vec![text.to_owned()],
        purpose: text.to_owned(),
        basis: text.to_owned(),
        until: Timestamp::from_millis(1_900_000_000_000),
        row_cap,
        service: None,
    }
}

fn expected(text: String) -> ExpectedTerms {
    ExpectedTerms {
        every: text.clone(),
        when_off: WhenOff::Back,
        kind: Some(text),
        from: None,
        early: "P1D".to_owned(),
        late_after: "PT4H".to_owned(),
        missing_after: "P1D".to_owned(),
    }
}

/// What is expected, over few links and entries.
fn expecting() -> impl Strategy<Value = Body> {
    let link = || "[ab]";
    let due = || (0..3_i64).prop_map(Timestamp::from_millis);
    prop_oneof![
        (link(), ".{0,8}").prop_map(|(link, text)| {
            Body::ExpectationBegun(ExpectationBegun { link, terms: expected(text) })
        }),
        (0..8_u64).prop_map(|expectation| {
            let why = ExpectationEnd::Changed;
            Body::ExpectationEnded(ExpectationEnded { expectation, why })
        }),
        (link(), 0..8_u64, due()).prop_map(|(link, expectation, due)| {
            Body::DeliveryMissed(DeliveryMissed { link, expectation, due })
        }),
        (link(), 0..8_u64, due()).prop_map(|(link, expectation, due)| {
            let batch = BatchId::new(1);
            Body::DeliveryCame(DeliveryCame { link, expectation, due, batch })
        }),
    ]
}

/// Bodies of many kinds over few ids, so that sequences of them often fit together.
fn body() -> impl Strategy<Value = Body> {
    let id = 1..4_u64;
    prop_oneof![
        (any::<[u8; 32]>(), ".{0,8}", any::<bool>()).prop_map(|(config, file, tightens)| {
            let changes = vec![ConfigChange { file, code: "items".to_owned(), tightens }];
            Body::ConfigTightened { config: Digest::from_bytes(config), changes }
        }),
        (0..1_000_000_i64).prop_map(|seconds| Body::TimeDoubted { seconds }),
        proptest::option::of(any::<u8>())
            .prop_map(|nonce| Body::TimeConfirmed { signed: nonce.map(signed) }),
        (id.clone(), ".{0,8}").prop_map(|(n, link)| Body::DeliverySeen {
            delivery: DeliveryId::new(n),
            link,
            name_mac: Digest::of(&n.to_be_bytes()),
            opens: None,
        }),
        id.clone().prop_map(|n| Body::DeliveryGone { delivery: DeliveryId::new(n) }),
        (id.clone(), ".{0,8}", 0..1_u64 << 53, any::<u8>()).prop_map(|(n, text, cap, nonce)| {
            Body::GrantApplied {
                grant: GrantId::new(n),
                terms: terms(&text, cap),
                signed: (nonce % 2 == 0).then(|| signed(nonce)),
            }
        }),
        (id.clone(), any::<u8>())
            .prop_map(|(n, s)| Body::GrantApproved { grant: GrantId::new(n), signed: signed(s) }),
        (id.clone(), ".{0,8}", any::<u8>()).prop_map(|(n, reason, s)| Body::GrantDenied {
            grant: GrantId::new(n),
            reason,
            signed: signed(s)
        }),
        (id.clone(), any::<u8>())
            .prop_map(|(n, s)| Body::GrantRevoked { grant: GrantId::new(n), signed: signed(s) }),
        id.clone().prop_map(|n| Body::GrantExpired { grant: GrantId::new(n) }),
        (id.clone(), any::<u8>())
            .prop_map(|(n, s)| Body::UseCompleted { grant: GrantId::new(n), signed: signed(s) }),
        (id.clone(), ".{0,8}", any::<u8>()).prop_map(|(n, text, s)| Body::HoldPlaced {
            hold: HoldId::new(n),
            scope: if n == 1 { HoldScope::All } else { HoldScope::Link(text.clone()) },
            authority: text.clone(),
            doc_no: text,
            review: Timestamp::from_millis(1_900_000_000_000),
            signed: signed(s),
        }),
        (id, any::<u8>())
            .prop_map(|(n, s)| Body::HoldLifted { hold: HoldId::new(n), signed: signed(s) }),
        "[a-z0-9]{8}".prop_map(|nonce| Body::NonceSpent { nonce }),
        expecting(),
    ]
}

fn entry() -> impl Strategy<Value = Entry> {
    let at = 1_700_000_000_000..1_800_000_000_000_i64;
    (at, ".{0,12}", body()).prop_map(|(at, by, body)| Entry {
        v: 1,
        at: Timestamp::from_millis(at),
        by,
        deputy: None,
        uid: None,
        body,
    })
}

proptest! {
    #[test]
    fn an_entry_survives_its_bytes_and_has_one_form_only(entry in entry()) {
        let bytes = entry.to_bytes().unwrap();
        let read = Entry::from_bytes(&bytes).unwrap();
        prop_assert_eq!(&read, &entry);
        prop_assert_eq!(read.to_bytes().unwrap(), bytes);
    }

    #[test]
    fn the_fold_of_the_bytes_is_the_live_view(mut entries in prop::collection::vec(entry(), 0..60)) {
        entries.sort_by_key(|entry| entry.at);
        let (mut live, mut log) = (View::default(), Vec::new());
        for entry in entries {
            // As the engine does it: what the tables refuse never reaches the register.
            let bytes = entry.to_bytes().unwrap();
            let mut next = live.clone();
            if next.apply(live.size, &entry, merkle::leaf_hash(&bytes)).is_ok() {
                live = next;
                log.push(bytes);
            }
        }
        let mut folded = View::default();
        for (seq, bytes) in (0..).zip(&log) {
            let entry = Entry::from_bytes(bytes).unwrap();
            folded.apply(seq, &entry, merkle::leaf_hash(bytes)).unwrap();
        }
        prop_assert_eq!(folded.size, log.len() as u64);
        prop_assert_eq!(format!("{folded:?}"), format!("{live:?}"));
        // And what is kept of it comes back as it was.
        let mut kept = Vec::new();
        live.keep(&mut kept).unwrap();
        let again = View::kept(&mut kept.as_slice()).unwrap();
        prop_assert_eq!(format!("{again:?}"), format!("{live:?}"));
        let mut twice = Vec::new();
        again.keep(&mut twice).unwrap();
        prop_assert!(twice == kept);
    }
}

/// What ended without being completed is still owed by its holder, however long the register grows meanwhile.
#[test]
fn grants_that_wait_for_their_completion_are_not_packed_out_of_sight() {
    let mut view = View::default();
    let mut put = |body: Body| {
        let at = Timestamp::from_millis(1_800_000_000_000);
        let entry = Entry { v: 1, at, by: "henry".to_owned(), deputy: None, uid: None, body };
        let leaf = merkle::leaf_hash(&entry.to_bytes().unwrap());
        view.apply(view.size, &entry, leaf).unwrap();
    };
    for n in 1..=100_u8 {
        let grant = GrantId::new(n.into());
        put(Body::GrantApplied { grant, terms: terms("a", 1), signed: None });
        put(Body::GrantApproved { grant, signed: signed(n) });
        put(Body::GrantExpired { grant });
    }
    for size in 0..2000 {
        put(Body::AccessCheckpoint { size, root: Digest::of(b"synthetic") });
    }
    assert_eq!(view.grants.loose().count(), 100);
}

/// Appointments of walt, a supervisor, and of dora, who stands in for him for a day.
fn with_a_deputy() -> View {
    let mut view = View::default();
    let day = Timestamp::from_millis(1_800_000_000_000);
    let terms = |name: &str, until, deputy_for| AppointmentTerms {
        post: Post::Supervisor,
        link: None,
        name: name.to_owned(),
        from: day,
        until,
        doc_no: "synthetic".to_owned(),
        deputy_for,
    };
    let walt = AppointmentId::new(1);
    for (n, terms) in [
        (1_u8, terms("walt", None, None)),
        (2, terms("dora", Some(day.plus_seconds(86_400)), Some(walt))),
    ] {
        let appointment = AppointmentId::new(n.into());
        let asked = AppointmentProposed { appointment, terms, succeeds: None, signed: None };
        put(&mut view, "ada", None, 0, Body::AppointmentProposed(asked)).unwrap();
        let agreed = AppointmentConfirmed { appointment, signed: signed(n) };
        put(&mut view, "ben", None, 0, Body::AppointmentConfirmed(agreed)).unwrap();
    }
    view
}

/// Adds an entry, so many seconds after the day on which the appointments begin.
fn put(
    view: &mut View,
    by: &str,
    deputy: Option<u64>,
    seconds: i64,
    body: Body,
) -> Result<(), FoldError> {
    let at = Timestamp::from_millis(1_800_000_000_000).plus_seconds(seconds);
    let deputy = deputy.map(AppointmentId::new);
    let entry = Entry { v: 1, at, by: by.to_owned(), deputy, uid: None, body };
    let leaf = merkle::leaf_hash(&entry.to_bytes().unwrap());
    view.apply(view.size, &entry, leaf)
}

#[test]
fn the_fold_itself_refuses_a_deputy_that_is_none_or_decides_for_a_party() {
    let mut view = with_a_deputy();
    for (n, by) in [(1, "henry"), (2, "walt"), (3, "henry")] {
        let body =
            Body::GrantApplied { grant: GrantId::new(n), terms: terms("a", 1), signed: None };
        put(&mut view, by, None, 1, body).unwrap();
    }
    let approves =
        |n: u64, nonce| Body::GrantApproved { grant: GrantId::new(n), signed: signed(nonce) };
    // Another's appointment, one that is no deputy's, one that is not there, one that is over, or what walt asked for.
    for (by, deputy, after, grant) in [
        ("henry", 2, 1, 1),
        ("walt", 1, 1, 1),
        ("dora", 1, 1, 1),
        ("dora", 9, 1, 1),
        ("dora", 2, 2 * 86_400, 1),
        ("dora", 2, 1, 2),
    ] {
        let mut next = view.clone();
        let folded = put(&mut next, by, Some(deputy), after, approves(grant, 100));
        assert!(folded.is_err(), "{by} by {deputy} on {grant} after {after}");
    }
    put(&mut view, "dora", Some(2), 1, approves(1, 101)).unwrap();
    let stood = view.people.deputised.values().copied().collect::<Vec<_>>();
    assert_eq!(stood, [AppointmentId::new(2)]);
    // An appointment that nobody has confirmed is none.
    let mut view = with_a_deputy();
    view.people.appointments.get_mut(&AppointmentId::new(2)).unwrap().confirmed = None;
    let body = Body::GrantApplied { grant: GrantId::new(1), terms: terms("a", 1), signed: None };
    put(&mut view, "henry", None, 1, body).unwrap();
    assert!(put(&mut view, "dora", Some(2), 1, approves(1, 102)).is_err());
}

#[test]
fn an_edit_of_before_it_had_an_entry_of_its_own_folds_as_it_did() {
    let mut view = View::default();
    let facts = |title: &str, roles: &[Role]| AccountFacts {
        name: "walt".to_owned(),
        display: None,
        title: Some(title.to_owned()),
        unit: None,
        roles: roles.to_vec(),
        key: None,
        unix: None,
    };
    let asked = |facts| Body::AccountProposed { account: facts, signed: None };
    put(&mut view, "ada", None, 0, asked(facts("股長", &[Role::Supervisor]))).unwrap();
    let agreed = |proposal, n| Body::AccountConfirmed {
        name: "walt".to_owned(),
        proposal,
        signed: signed(n),
    };
    put(&mut view, "ben", None, 0, agreed(0, 1)).unwrap();
    put(&mut view, "ada", None, 0, asked(facts("科長", &[Role::Supervisor]))).unwrap();
    put(&mut view, "ben", None, 0, agreed(2, 2)).unwrap();
    assert_eq!(view.account("walt").unwrap().title.as_deref(), Some("科長"));
    // One of today: who proposed it, whom it is about and whoever names another proposal confirm nothing.
    let (name, none) = ("walt".to_owned(), None::<String>);
    let edit = AccountEditProposed {
        name: name.clone(),
        display: none.clone(),
        title: Some("專員".to_owned()),
        unit: none,
        signed: None,
    };
    put(&mut view, "ada", None, 0, Body::AccountEditProposed(edit)).unwrap();
    let agree = |proposal, n| {
        let (name, signed) = (name.clone(), signed(n));
        Body::AccountEditConfirmed(AccountEditConfirmed { name, proposal, signed })
    };
    for (by, proposal) in [("ada", 4), ("walt", 4), ("ben", 3)] {
        assert!(put(&mut view.clone(), by, None, 0, agree(proposal, 3)).is_err(), "{by}");
    }
    let before = view.people.confirmed.clone();
    put(&mut view, "ben", None, 9, agree(4, 3)).unwrap();
    let now = view.account("walt").unwrap();
    assert_eq!(
        (now.title.as_deref(), now.roles.as_slice()),
        (Some("專員"), [Role::Supervisor].as_slice())
    );
    assert_eq!(view.people.confirmed, before, "nobody agreed to roles");
}

#[test]
fn a_verdict_is_of_the_manifest_that_it_says_and_of_no_other() {
    let at = Timestamp::from_millis(1_800_000_000_000);
    let made = Manifest {
        batch: "A-1".to_owned(),
        link: "a".to_owned(),
        table_no: "T".to_owned(),
        kind: Kind::Full,
        sequence: 0,
        notified_at: at,
        basis_doc_no: String::new(),
        purpose: String::new(),
        applied: None,
        as_of: None,
        replaces: None,
        records: 20,
        files: Vec::new(),
        each: true,
    };
    let facts = ManifestFacts {
        number: "A-1".to_owned(),
        kind: Kind::Full,
        sequence: 0,
        notified_at: at,
        as_of: at,
        basis_differs: false,
        purpose_differs: false,
        applied: None,
        replaces: None,
        records: 20,
    };
    assert!(facts.is_of(&made));
    for other in [
        Manifest { batch: "A-2".to_owned(), ..made.clone() },
        Manifest { kind: Kind::Delta, ..made.clone() },
        Manifest { sequence: 1, ..made.clone() },
        Manifest { records: 21, ..made.clone() },
        Manifest { replaces: Some("A-0".to_owned()), ..made.clone() },
    ] {
        assert!(!facts.is_of(&other), "{other:?}");
    }
}
