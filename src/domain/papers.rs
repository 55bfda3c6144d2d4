//! Papers kept for inspection: the agency's own rules, procedures and plans (TPE-6.1, 4.2; TYA2-2.9, 6.3, 8).
//!
//! The register has digest, size and number; the file itself lies in the state under its digest. It holds no personal data:
//! a text with something in the shape of an ID number is refused.

use super::{time::Period, words::words};

words! {
    /// What a paper is.
    PaperKind {
        /// 機關作業規定 (TPE-6.1).
        AgencyRules = "agency-rules",
        /// 調整權限或廢止帳號之作業程序 (TYA2-2.9).
        AccountProcedure = "account-procedure",
        /// 稽核程序 (TYA2-6.3).
        AuditProcedure = "audit-procedure",
        /// 稽核計畫 (TYA2-8).
        AuditPlan = "audit-plan",
        /// 備份計畫 (TPE-4.2).
        BackupPlan = "backup-plan",
        /// 資料傳送作業程序.
        TransferProcedure = "transfer-procedure",
        /// A decision that was signed or sealed on paper.
        Decision = "decision",
        /// Something else.
        Other = "other",
    }
    /// What a look at what backups hold came to.
    BackupResult {
        /// It is right.
        Ok = "ok",
        /// It is not; the document says what is done.
        Faults = "faults",
    }
}

impl PaperKind {
    /// The parameter by which a policy asks for it.
    #[must_use]
    pub const fn parameter(self) -> Option<&'static str> {
        match self {
            Self::AgencyRules => Some("papers.agency_rules"),
            Self::AccountProcedure => Some("papers.account_procedure"),
            Self::AuditProcedure => Some("papers.audit_procedure"),
            Self::AuditPlan => Some("papers.audit_plan"),
            Self::BackupPlan => Some("papers.backup_plan"),
            Self::TransferProcedure | Self::Decision | Self::Other => None,
        }
    }

    /// How often a new one is owed; none where one that is valid is enough.
    #[must_use]
    pub const fn every(self) -> Option<Period> {
        match self {
            Self::AuditPlan => Some(Period { months: 12, days: 0, seconds: 0 }),
            _ => None,
        }
    }
}
