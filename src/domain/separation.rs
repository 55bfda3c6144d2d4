//! Acts of a second person, as one closed list: whoever has a part in what they are about does not do them.
//!
//! The list says which acts these are. Who has a part in what, the service finds (`service/separation.rs`). That nobody does
//! one of them on what is his own, `tests/separation.rs` shows of each of them, or names the test that does; of those that it
//! shows itself also that nobody does one for whom he stands in. That nobody does one in place of who stood in for him is one
//! rule for all of them: `tests/offices.rs` shows it.

use super::words::words;

words! {
    /// An act that takes another person than the one who began.
    SecondAct {
        /// `account confirm`.
        Account = "account",
        /// `account review --confirm`.
        Review = "review",
        /// `appointment confirm`.
        Appointment = "appointment",
        /// `account acknowledge --confirm`.
        SharedUser = "shared-user",
        /// `config confirm`.
        Configuration = "configuration",
        /// `witness confirm`.
        Witness = "witness",
        /// `witness acknowledge --confirm`.
        Overdue = "overdue",
        /// `link confirm`.
        Baseline = "baseline",
        /// `link countersign`, `link refuse`.
        Application = "application",
        /// `link resume --confirm`.
        Resume = "resume",
        /// `key confirm`.
        Passphrase = "passphrase",
        /// `batch announce-confirm`.
        Announcement = "announcement",
        /// `batch provide`: the next seal.
        Seal = "seal",
        /// `batch accept`.
        Mismatch = "mismatch",
        /// `grant approve`, `grant deny`.
        Grant = "grant",
        /// `use confirm`.
        Withdrawal = "withdrawal",
        /// `copy approve`, `copy deny`.
        Copy = "copy",
        /// `copy withdraw` of a file whose rows may be there.
        File = "file",
        /// `media confirm`.
        End = "end",
        /// `handover approve`, `handover deny`.
        Handover = "handover",
        /// `destroy approve`, `destroy deny`.
        Order = "order",
        /// `destroy except`.
        Exception = "exception",
        /// `destroy confirm` of closing papers.
        Papers = "papers",
        /// `destroy confirm`, `grant confirm`, `copy confirm` of a decision on paper.
        Decision = "decision",
        /// `access destroy-approve`, `access destroy-deny`.
        AccessOrder = "access-order",
        /// `standing confirm`.
        Standing = "standing",
        /// `hold lift`.
        Hold = "hold",
        /// `register confirm`.
        Amendment = "amendment",
        /// `audit sign` of a report.
        Report = "report",
        /// `audit sign` of an audit.
        Audit = "audit",
        /// `audit confirm`.
        Sample = "sample",
        /// `audit finding close`, `audit finding return`.
        Finding = "finding",
        /// `incident confirm`.
        Investigation = "investigation",
        /// `incident close`.
        Incident = "incident",
    }
}
