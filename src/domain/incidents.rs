//! Incidents: what happened to governed data, told without saying to whose.

use super::words::words;

words! {
    /// What happened.
    IncidentKind {
        /// Data, a medium or a key were lost.
        Loss = "loss",
        /// They came to somebody who must not have them.
        Disclosure = "disclosure",
        /// Somebody with access used them for something else.
        Misuse = "misuse",
        /// Somebody came in from outside.
        Intrusion = "intrusion",
        /// They were changed.
        Alteration = "alteration",
        /// They cannot be used.
        Outage = "outage",
    }
    /// Where an incident stands.
    IncidentState {
        /// It is known.
        Reported = "reported",
        /// It was looked into.
        Investigated = "investigated",
        /// It was remedied.
        Remedied = "remedied",
        /// A second person closed it.
        Closed = "closed",
    }
}
