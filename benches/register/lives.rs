//! Lives of synthetic batches, as the entries that a register holds of them.

use batchward::domain::{digest::Digest, time::Timestamp};
use serde_json::{Value, json};

use crate::provider::{LINK, Provider};

/// Nonces are 32 hex digits; an armored signature is about as long.
const SIGNATURE: usize = 296;

/// One life after the other.
pub(crate) struct Lives {
    /// The place of the next entry.
    seq: u64,
    /// The time of every entry: that of the site's first one. Times may stand still, and never go back or ahead.
    at: Timestamp,
    /// Batches so far.
    batches: u64,
    /// From this batch on they stay loaded.
    loaded_from: u64,
}

impl Lives {
    /// Lives whose first entry stands at `seq`.
    pub(crate) fn new(seq: u64, at: Timestamp) -> Self {
        Self { seq, at, batches: 0, loaded_from: u64::MAX }
    }

    /// From this batch on they stay loaded.
    pub(crate) fn loaded_from(self, batch: u64) -> Self {
        Self { loaded_from: batch, ..self }
    }
}

impl Iterator for Lives {
    type Item = Vec<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        let (n, at) = (self.batches + 1, self.at);
        let mut life = Life { n, at, seq: self.seq, entries: Vec::new() };
        life.load();
        if self.batches < self.loaded_from {
            life.end();
        }
        self.batches += 1;
        self.seq = life.seq;
        Some(life.entries)
    }
}

struct Life {
    n: u64,
    at: Timestamp,
    seq: u64,
    entries: Vec<Vec<u8>>,
}

impl Life {
    fn put(&mut self, by: &str, body: Value) -> u64 {
        let at = self.at;
        let entry = json!({ "v": 1, "at": at, "by": by, "body": body });
        self.entries.push(serde_json::to_vec(&entry).unwrap());
        self.seq += 1;
        self.seq - 1
    }

    fn step(&mut self, by: &str, plan: Value, outcome: Value) {
        let intent = self.put(by, json!({ "type": "intent", "plan": plan }));
        self.put("agent", json!({ "type": "outcome", "intent": intent, "outcome": outcome }));
    }

    fn id(&self, letter: char) -> String {
        format!("{letter}-{:08}", self.n)
    }

    /// Three copies: record, file, vault.
    fn copy(&self, nth: u64) -> String {
        format!("c-{:08}", self.n * 3 - 2 + nth)
    }

    fn digest(&self, of: &str) -> Digest {
        Digest::of(format!("{of} {}", self.n).as_bytes())
    }

    fn load(&mut self) {
        let (batch, delivery, key) = (self.id('b'), self.id('d'), self.id('k'));
        let (case, file, vault) = (self.copy(0), self.copy(1), self.copy(2));
        let number = Provider::number(self.n);
        let seen = json!({
            "type": "delivery-seen", "delivery": delivery, "link": LINK, "name_mac": self.digest("name"),
        });
        self.put("agent", seen);
        let facts = json!({
            "provider": "桃園市政府民政局", "title": "身分驗證", "table_no": "NT-VERIFY-04",
            "purpose": "驗證機制平臺身分驗證", "basis_doc_no": "府民戶字第1150004321號",
            "units": ["幼兒托育科"], "policy": "nantou-verification", "layout": "nt-verify-04",
        });
        let plan = json!({
            "step": "claim", "batch": batch, "delivery": delivery, "link": LINK, "facts": facts,
            "case": case, "files": [file], "reason": null,
        });
        let files = [json!({ "copy": file, "bytes": 812, "sha256": self.digest("file") })];
        let made = json!({ "copy": case, "bytes": 900, "sha256": null });
        let claimed = json!({ "result": "claimed", "case": made, "files": files, "whole": true });
        self.step("agent", plan, claimed);
        let wiped = wiped("L2");
        self.step(
            "agent",
            json!({ "step": "clear", "batch": batch }),
            json!({ "result": "cleared", "wiped": wiped }),
        );
        let manifest = json!({
            "number": number, "kind": "full", "sequence": 1, "notified_at": "2026-11-21T01:00:00.000Z",
            "as_of": "2026-11-21T01:00:00.000Z", "basis_differs": false, "purpose_differs": false,
            "applied": null, "replaces": null, "records": 10,
        });
        let verified = json!({
            "result": "verified", "manifest": manifest, "strength": "signed",
            "signer": "provider@synthetic",
        });
        self.step("agent", json!({ "step": "verify", "batch": batch }), verified);
        let plan = json!({
            "step": "take-key", "key": key, "link": LINK, "number": number, "form": "identity",
            "channel": "keybox", "keybox": true, "wipe": false, "signed": null,
        });
        let taken = json!({ "key": key, "form": "identity", "fingerprint": self.digest("key") });
        self.step("agent", plan, json!({ "result": "key-taken", "facts": taken }));
        let plan = json!({
            "step": "load", "batch": batch, "vault": vault, "key": key,
            "use_until": "2099-12-31T15:59:59.999Z", "refuse": null,
        });
        let counts =
            json!({ "declared": 10, "parsed": 10, "accepted": 10, "rejected": 0, "committed": 10 });
        let loaded = json!({
            "counts": counts, "content": self.digest("content"),
            "findings": { "national_id": { "checksum": self.n % 3 }, "birth_date": { "partial": 0 } },
            "vault": { "copy": vault, "bytes": 40_960, "sha256": null },
            "use_until": "2099-12-31T15:59:59.999Z",
            "items": ["national_id", "name", "birth_date", "indigenous"], "units": ["幼兒托育科"],
        });
        self.step("agent", plan, json!({ "result": "loaded", "facts": loaded }));
        let dropped = json!({ "result": "key-dropped" });
        self.step("agent", json!({ "step": "drop-key", "key": key }), dropped);
    }

    fn end(&mut self) {
        let (batch, order) = (self.id('b'), self.id('o'));
        let due = |clock: &str, whole: bool| {
            json!({
                "type": "came-due", "batch": batch, "clock": clock, "whole": whole,
                "deadline": "2026-12-31T15:59:59.999Z", "clause": "NT-4.4",
            })
        };
        self.put("agent", due("import-committed", false));
        self.put("agent", due("use-period-ended", true));
        let copies: Vec<Value> = (0..3)
            .map(|nth| {
                json!({ "copy": self.copy(nth), "batch": batch, "digest": null, "bytes": 812 })
            })
            .collect();
        let requested = json!({
            "type": "order-requested", "order": order, "copies": copies, "reason": "use ended",
            "policy": self.digest("policy"), "expires": "2099-12-31T15:59:59.999Z", "signed": null,
        });
        self.put("carol", requested);
        let approved =
            json!({ "type": "order-approved", "order": order, "signed": self.signed(&order) });
        self.put("susan", approved);
        for nth in (0..3).rev() {
            let copy = self.copy(nth);
            let plan = json!({ "step": "wipe-copy", "order": order, "copy": copy });
            self.step("agent", plan, json!({ "result": "copy-wiped", "wiped": wiped("L3") }));
        }
        let at = self.at;
        let plan = json!({ "step": "certify", "order": order, "tree_size": self.seq, "at": at });
        let certified = json!({ "result": "certified", "certificate": self.digest("certificate") });
        self.step("agent", plan, certified);
        self.put("agent", json!({ "type": "batch-closed", "batch": batch }));
    }

    fn signed(&self, object: &str) -> Value {
        let at = self.at;
        let text = batchward::domain::signed::SignedText {
            at,
            batchward: 1,
            command: "destroy approve".to_owned(),
            expires: at.plus_seconds(300),
            nonce: self.digest("nonce").to_string()[..32].to_owned(),
            object: object.to_owned(),
            object_digest: Some(self.digest("object")),
            origin: "batchward/taoyuan-dwcd".to_owned(),
            text: String::new(),
        };
        json!({
            "text": text.canonical(),
            "signature": "s".repeat(SIGNATURE),
            "key": format!("SHA256:{}", "k".repeat(43)),
        })
    }
}

fn wiped(assurance: &str) -> Value {
    json!({ "files": 1, "bytes": 812, "assurance": assurance, "filesystem": "ext4", "notes": {} })
}
