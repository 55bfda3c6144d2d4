//! What of the register may be amended: what people typed, by a new entry that points to the old one.
//!
//! The list is closed. Digests, counts, times of the machine, results of wipes and whatever a certificate proves are not on
//! it: they take a note. Nothing on it gives a right, or moves a clock.

use serde_json::Value;

use super::words::words;

words! {
    /// A fact that somebody typed.
    AmendField {
        /// 使用目的 of a grant.
        Purpose = "purpose",
        /// 依據公文文號 of a grant.
        Basis = "basis",
        /// Number of a document.
        DocNo = "doc-no",
        /// By whose authority a hold stands.
        Authority = "authority",
        /// Why a copy was asked for.
        Reason = "reason",
        /// How a key came.
        Channel = "channel",
        /// Number of the letter that reports a destruction.
        Letter = "letter",
        /// Number of its copy to the IT office.
        CcIt = "cc-it",
        /// Number of its copy to the ethics office.
        CcEthics = "cc-ethics",
        /// What was said about a comparison of counts.
        Note = "note",
        /// What a training was about.
        Subject = "subject",
    }
}

/// What may be amended of an entry: its kind, the fact, where that stands in the entry, and where its object's id does.
struct Amendable {
    kind: &'static str,
    field: AmendField,
    at: &'static str,
    object: &'static str,
}

const fn row(
    kind: &'static str,
    field: AmendField,
    at: &'static str,
    object: &'static str,
) -> Amendable {
    Amendable { kind, field, at, object }
}

#[rustfmt::skip]
const TABLE: &[Amendable] = &[
    row("grant-applied", AmendField::Purpose, "/terms/purpose", "/grant"),
    row("grant-applied", AmendField::Basis, "/terms/basis", "/grant"),
    row("copy-requested", AmendField::Reason, "/reason", "/copy"),
    row("copy-approved", AmendField::DocNo, "/doc_no", "/copy"),
    row("filed", AmendField::DocNo, "/doc_no", "/batch"),
    row("hold-placed", AmendField::Authority, "/authority", "/hold"),
    row("hold-placed", AmendField::DocNo, "/doc_no", "/hold"),
    row("paper-kept", AmendField::DocNo, "/doc_no", "/document"),
    row("papers-recorded", AmendField::Letter, "letter", "/order"),
    row("papers-recorded", AmendField::CcIt, "cc-it", "/order"),
    row("papers-recorded", AmendField::CcEthics, "cc-ethics", "/order"),
    row("batch-sealed", AmendField::DocNo, "/doc_no", "/batch"),
    row("batch-compared", AmendField::Note, "/note", "/batch"),
    row("notice-given", AmendField::DocNo, "/facts/doc_no", "/notice"),
    row("appointment-proposed", AmendField::DocNo, "/terms/doc_no", "/appointment"),
    row("training-recorded", AmendField::DocNo, "/doc_no", "/name"),
    row("training-recorded", AmendField::Subject, "/subject", "/name"),
    row("handover-received", AmendField::DocNo, "/doc_no", "/handover"),
    row("incident-remedied", AmendField::DocNo, "/doc_no", "/incident"),
    row("report-signed", AmendField::DocNo, "/doc_no", "/report"),
    row("intent", AmendField::Channel, "/plan/channel", "/plan/key"),
];

/// What an entry says of a fact that may be amended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stands {
    /// Kind of the entry.
    pub kind: String,
    /// Id of what it is about.
    pub object: String,
    /// What it says.
    pub value: String,
}

/// What an entry's body says of a fact; nothing where that cannot be amended.
#[must_use]
pub fn stands(body: &Value, field: AmendField) -> Option<Stands> {
    let kind = body["type"].as_str()?;
    let found = TABLE.iter().find(|row| row.kind == kind && row.field == field)?;
    let value = if found.at.starts_with('/') {
        body.pointer(found.at)?.as_str()?
    } else {
        let papers = body["papers"].as_array()?;
        papers.iter().find(|paper| paper["kind"] == found.at)?["doc_no"].as_str()?
    };
    let object = body.pointer(found.object)?.as_str()?.to_owned();
    Some(Stands { kind: kind.to_owned(), object, value: value.to_owned() })
}

/// The facts of an entry that may be amended.
#[must_use]
pub fn fields(body: &Value) -> Vec<AmendField> {
    AmendField::ALL.iter().copied().filter(|field| stands(body, *field).is_some()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_people_typed_may_be_amended() {
        let applied = json!({"type": "grant-applied", "grant": "g-260000001",
            "terms": {"purpose": "一", "basis": "二", "until": "2027-01-01T00:00:00Z", "row_cap": 9}});
        assert_eq!(fields(&applied), [AmendField::Purpose, AmendField::Basis]);
        let purpose = stands(&applied, AmendField::Purpose).map(|one| (one.object, one.value));
        assert_eq!(purpose, Some(("g-260000001".to_owned(), "一".to_owned())));
        let papers = json!({"type": "papers-recorded", "order": "o-260000001",
            "papers": [{"kind": "letter", "doc_no": "甲"}, {"kind": "evidence", "sha256": "00"}]});
        assert_eq!(fields(&papers), [AmendField::Letter]);
        // Digests, counts, times and wipes take a note.
        for body in [
            json!({"type": "outcome", "outcome": {"result": "copy-wiped"}}),
            json!({"type": "intent", "plan": {"step": "wipe-copy", "copy": "c-1"}}),
            json!({"type": "order-requested", "order": "o-1", "reason": "三", "copies": []}),
            json!({"type": "standing-proposed", "standing": "s-1", "doc_no": "丁"}),
            json!({"type": "decision-entered", "doc_no": "丁"}),
        ] {
            assert!(fields(&body).is_empty(), "{body}");
        }
    }
}
