//! Random registers: an entry has one form, and the fold of the bytes is the view that was live.

#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::domain::{
    entry::{
        Body, ConfigChange, DeliveryCame, DeliveryMissed, Entry, ExpectationBegun,
        ExpectationEnded, ExpectedTerms, GrantTerms, Signed,
    },
    expected::{ExpectationEnd, WhenOff},
    ids::{GrantId, HoldId},
    merkle,
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
        let entry = Entry { v: 1, at, by: "henry".to_owned(), deputy: None, body };
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
