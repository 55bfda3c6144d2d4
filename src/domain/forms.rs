//! What the printed register looks like: which columns, in which order, under which headings. The facts of a column come
//! from one closed list, so that a form can be laid out anew and nothing can be made up by it.

use serde::{Deserialize, Serialize};

use super::words::words;

/// The form that counts where no other is for a policy.
pub const DEFAULT: &str = "register";

words! {
    /// Where the cells of a column come from.
    Fact {
        /// 序號.
        Serial = "serial",
        /// 提供機關通知時間.
        NotifiedAt = "notified-at",
        /// 資料筆數.
        Records = "records",
        /// 使用目的.
        Purpose = "purpose",
        /// 依據公文文號.
        BasisDocNo = "basis-doc-no",
        /// 業務單位承辦人.
        UnitHandler = "unit-handler",
        /// 業務單位承辦人取得資料方式.
        Acquisition = "acquisition",
        /// 資訊室承辦人.
        ItHandler = "it-handler",
        /// 比對狀況.
        Comparison = "comparison",
        /// 業務單位主管.
        UnitSupervisor = "unit-supervisor",
        /// 銷毀日期.
        DestroyedAt = "destroyed-at",
        /// 備註.
        Remarks = "remarks",
        /// 使用單位.
        Unit = "unit",
        /// 批次編號.
        Number = "number",
        /// 資料表號.
        Table = "table",
        /// 提供機關.
        Provider = "provider",
        /// 交付名稱.
        Delivery = "delivery",
        /// 申請筆數.
        Applied = "applied",
        /// 收檔時間.
        ReceivedAt = "received-at",
        /// 匯入時間.
        LoadedAt = "loaded-at",
        /// 核准使用期限.
        UseUntil = "use-until",
        /// 複製核准文號.
        CopyDocNo = "copy-doc-no",
        /// 密碼送達方式.
        KeyChannel = "key-channel",
        /// 簽報人及日期.
        Requested = "requested",
        /// 核定人及日期.
        Approved = "approved",
        /// 銷毀案號.
        Order = "order",
        /// 銷毀期限.
        Deadline = "deadline",
        /// 銷毀方法.
        Method = "method",
        /// 銷毀地點／媒體序號.
        Place = "place",
        /// 執行人.
        Performer = "performer",
        /// 會同（監毀）人.
        Witness = "witness",
        /// 無法復原確認.
        Unrecoverable = "unrecoverable",
        /// 函報文號.
        LetterNo = "letter-no",
        /// 佐證附件.
        Attachments = "attachments",
    }
}

impl Fact {
    /// The ten columns of TPH-5.5, in its order.
    pub const TEN: [Self; 10] = [
        Self::NotifiedAt,
        Self::Records,
        Self::Purpose,
        Self::BasisDocNo,
        Self::UnitHandler,
        Self::Acquisition,
        Self::ItHandler,
        Self::Comparison,
        Self::UnitSupervisor,
        Self::DestroyedAt,
    ];
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FormColumn {
    /// Its heading.
    pub heading: String,
    /// Where its cells come from.
    pub fact: Fact,
    /// Its share of the width, beside those of the others.
    pub share: u16,
    /// Whether its cells are centred.
    pub centred: bool,
}

/// A sheet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct FormSheet {
    /// Its name.
    pub name: String,
    /// Its columns; the first is the serial number.
    pub columns: Vec<FormColumn>,
}

/// What the printed register looks like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RegisterForm {
    /// Its name: that of the policy that it is for, or [`DEFAULT`].
    pub name: String,
    /// The title, where the policies of what stands on it name none in common.
    pub title: String,
    /// Whether this is the layout that the authority has published.
    pub official: bool,
    /// The main sheet.
    pub main: FormSheet,
    /// The annexes.
    pub annexes: Vec<FormSheet>,
    /// Who signs off.
    pub seats: Vec<String>,
}

impl RegisterForm {
    /// Of the ten columns of TPH-5.5, those that the main sheet does not have.
    #[must_use]
    pub fn missing(&self) -> Vec<Fact> {
        let has = |fact: &Fact| self.main.columns.iter().any(|column| column.fact == *fact);
        Fact::TEN.into_iter().filter(|fact| !has(fact)).collect()
    }
}
