//! Posts that people are appointed to, how they leave them, and what a review says of an account.

use super::{accounts::Role, words::words};

words! {
    /// A post.
    Post {
        /// 專責人員.
        Custodian = "custodian",
        /// 承辦人.
        Handler = "handler",
        /// 單位主管.
        Supervisor = "supervisor",
        /// 機關管理人.
        Manager = "manager",
        /// 機關稽核人.
        Auditor = "auditor",
        /// Who is in charge of accounts (帳號管理專人).
        AccountManager = "account-manager",
    }
    /// Why somebody leaves a post.
    Leaving {
        /// 職務調整.
        Transferred = "transferred",
        /// 離職.
        Resigned = "resigned",
        /// 退休.
        Retired = "retired",
        /// Another one takes the post; the person stays.
        Replaced = "replaced",
    }
    /// What is wrong with an account (TY-3.2b), and why its rights end.
    AccountFault {
        /// One person has two.
        Duplicate = "duplicate",
        /// Nobody uses it.
        Idle = "idle",
        /// 職務調整.
        Transferred = "transferred",
        /// 離職.
        Resigned = "resigned",
        /// 退休.
        Retired = "retired",
        /// It is no longer needed.
        NoNeed = "no-need",
    }
    /// What a review comes to for an account.
    AccountVerdict {
        /// It stays.
        Keep = "keep",
        /// It rests until two people take it up again.
        Suspend = "suspend",
        /// It ends.
        Revoke = "revoke",
    }
    /// What a policy asks to be filled before it is content.
    NeededPost {
        /// 專責人員, of each link.
        Custodian = "custodian",
        /// 承辦人, of each link.
        Handler = "handler",
        /// 單位主管.
        Supervisor = "supervisor",
        /// 機關管理人.
        Manager = "manager",
        /// 機關管理人之職務代理人.
        ManagerDeputy = "manager-deputy",
        /// 機關稽核人.
        Auditor = "auditor",
        /// 帳號管理專人.
        AccountManager = "account-manager",
    }
    /// What happens to an idle account by itself.
    IdleAct {
        /// The next review shows it.
        Review = "review",
        /// It is suspended.
        Suspend = "suspend",
    }
}

impl Post {
    /// The role that an account needs for it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Custodian => Role::Custodian,
            Self::Handler => Role::Handler,
            Self::Supervisor => Role::Supervisor,
            Self::Manager | Self::AccountManager => Role::Admin,
            Self::Auditor => Role::Auditor,
        }
    }
}

impl Leaving {
    /// Whether the person leaves altogether, so that the account ends with the post (TY-3.2b, NTP-7.3).
    #[must_use]
    pub const fn fault(self) -> Option<AccountFault> {
        match self {
            Self::Transferred => Some(AccountFault::Transferred),
            Self::Resigned => Some(AccountFault::Resigned),
            Self::Retired => Some(AccountFault::Retired),
            Self::Replaced => None,
        }
    }
}

impl NeededPost {
    /// The post, and whether it is its deputy that is asked for.
    #[must_use]
    pub const fn post(self) -> (Post, bool) {
        match self {
            Self::Custodian => (Post::Custodian, false),
            Self::Handler => (Post::Handler, false),
            Self::Supervisor => (Post::Supervisor, false),
            Self::Manager => (Post::Manager, false),
            Self::ManagerDeputy => (Post::Manager, true),
            Self::Auditor => (Post::Auditor, false),
            Self::AccountManager => (Post::AccountManager, false),
        }
    }

    /// Whether each link has its own.
    #[must_use]
    pub const fn of_link(self) -> bool {
        matches!(self, Self::Custodian | Self::Handler)
    }
}
