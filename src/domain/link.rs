//! A link (資訊連結): the standing arrangement that a delivery comes under.

use std::path::PathBuf;

use super::{
    control::Profile,
    expected::Expectation,
    policy::layers::LayerRules,
    reason::Reason,
    signers::AllowedSigners,
    source::Source,
    time::{Period, Timestamp},
    words::words,
};

words! {
    /// What deliveries come in.
    Container {
        /// An age file.
        Age = "age",
        /// A ZIP archive under WinZip AES.
        ZipAes = "zip-aes",
        /// A 7z archive under AES-256.
        #[serde(rename = "7z")]
        SevenZ = "7z",
        /// Nothing: plain files, on a medium that is handed over in person.
        PlainByHand = "plain-by-hand",
    }

    /// Where a link's keys come from.
    KeyMode {
        /// One key for each batch, by the key channel.
        Separate = "separate",
        /// The provider encrypts to the agent's own recipient.
        Standing = "standing",
        /// The provider uses one passphrase for long.
        StandingPassphrase = "standing-passphrase",
    }
}

impl Container {
    /// Whether a passphrase opens it and nothing else does.
    #[must_use]
    pub const fn is_archive(self) -> bool {
        matches!(self, Self::ZipAes | Self::SevenZ)
    }
}

/// Whether a link takes deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkStatus {
    /// Deliveries load.
    Active,
    /// Deliveries are claimed and quarantined.
    Suspended,
    /// As suspended, and what is held comes due.
    Terminated,
}

/// `links/<name>.yaml`, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Name, the file's own.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// 提供機關.
    pub provider: String,
    /// Who may sign manifests.
    pub signers: AllowedSigners,
    /// Drop directory, absolute.
    pub inbox: PathBuf,
    /// Key directory, absolute; never inside, above or equal to an inbox.
    pub keybox: PathBuf,
    /// Name of the policy.
    pub policy: String,
    /// Name of the layout.
    pub layout: String,
    /// 資料表號.
    pub table_no: String,
    /// Approved columns, in the order in which they are stored and shown.
    pub items: Vec<String>,
    /// 使用目的.
    pub purpose: String,
    /// 依據公文文號.
    pub basis_doc_no: String,
    /// 核准使用期限 of the link.
    pub approved_until: Timestamp,
    /// 核准使用期限 of each batch, from its load.
    pub use_period: Option<Period>,
    /// 業務單位: the access list.
    pub units: Vec<String>,
    /// Whether it takes deliveries.
    pub status: LinkStatus,
    /// What its deliveries come in.
    pub container: Container,
    /// Where its keys come from.
    pub key: KeyMode,
    /// Where its deliveries are fetched, where nobody drops them.
    pub source: Option<Box<Source>>,
    /// When deliveries are expected.
    pub expect: Vec<Expectation>,
    /// Records that a layout rule may reject before the batch is quarantined.
    pub max_rejected: u64,
    /// Where receipts are left for the provider, absolute.
    pub receipts: Option<PathBuf>,
    /// Whether it holds data of kinship (親等關聯), which are sampled by a rule of their own.
    pub kinship: bool,
    /// How its deliveries are, where they are not folders with a manifest of ours.
    pub profile: Box<Profile>,
    /// After which time an incomplete delivery is claimed and quarantined; the agent's own where none is said.
    pub abandon_after: Option<Period>,
    /// What it has over its policy.
    pub overrides: LayerRules,
}

impl Link {
    /// Why nothing loads under this link at `now`, where nothing does.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Option<Reason> {
        if self.status != LinkStatus::Active {
            return Some(Reason::LinkInactive);
        }
        (self.approved_until < now).then_some(Reason::UseExpired)
    }
}
