//! What a certificate says in plain words, in both languages: it is read by offices that have no program to ask, so the
//! words are part of what is signed.

use serde::{Deserialize, Serialize};

use super::Assurance;
use crate::domain::{
    ids::{BatchId, CopyId},
    inventory::Sanitization,
    wipe::{Limit, WipeReport},
};

/// A sentence in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InBoth {
    /// English.
    pub en: String,
    /// Chinese, as Taiwan's offices write it.
    pub zh: String,
}

impl InBoth {
    fn of(en: &str, zh: &str) -> Self {
        Self { en: en.to_owned(), zh: zh.to_owned() }
    }

    /// The end of a copy that people keep.
    #[must_use]
    pub fn attested() -> Self {
        Self::of(
            "destroyed by people and vouched for by a second one; no program has checked it",
            "由人員銷毀並經第二人會同確認；未經程式驗證",
        )
    }

    /// What no certificate covers.
    #[must_use]
    pub fn beyond() -> Vec<Self> {
        vec![
            Self::of(
                "what the provider keeps of the data itself, and the keys and copies that the sender of a delivery still holds",
                "提供機關自行保存之資料，以及寄送者仍持有之金鑰及複本",
            ),
            Self::of(
                "what was shown on a screen or went into a pipe under a grant: the access log names each time",
                "依核准之權限顯示於螢幕或經管線輸出之內容：存取日誌逐次載明",
            ),
            Self::of("copies that nobody made known to the register", "未經登記於登記簿之複本"),
        ]
    }
}

impl InBoth {
    /// A load that came to nothing, whose rows a database may have had in plain all the same.
    #[must_use]
    pub fn unmade(batch: BatchId, copy: CopyId, document: &str) -> Self {
        let limits = [Limit::DatabasePlain, Limit::DatabaseLog, Limit::DatabaseBackups];
        let en: Vec<&str> = limits.into_iter().map(Limit::meaning).collect();
        let zh: Vec<&str> = limits.into_iter().map(limit_zh).collect();
        Self {
            en: format!(
                "what a load of '{batch}' that came to nothing ('{copy}') may have left in a database, by '{document}': \
                 it was taken back or never committed, and nothing was overwritten; archives of the log and replicas were \
                 not looked at; {}",
                en.join("; ")
            ),
            zh: format!(
                "批次「{batch}」未完成之匯入（「{copy}」）依「{document}」可能留存於資料庫者：\
                 該匯入已撤回或未提交，惟未經覆寫；未查核日誌封存及複寫；{}",
                zh.join("；")
            ),
        }
    }
}

impl Assurance {
    /// The level in words, in both languages.
    #[must_use]
    pub fn in_words(self) -> InBoth {
        InBoth::of(self.meaning(), self.meaning_zh())
    }

    /// The level in words, in Chinese.
    #[must_use]
    pub const fn meaning_zh(self) -> &'static str {
        match self {
            Self::L0 => "僅刪除",
            Self::L1 => "已覆寫，無法證明為原儲存位置",
            Self::L2 => "已於原儲存位置覆寫並回讀",
            Self::L3 => "媒體上僅有密文，金鑰已銷毀",
            Self::L4 => "媒體上僅有密文，金鑰已銷毀，並已覆寫及回收",
        }
    }

    /// The category of NIST SP 800-88 that it comes to: clear for an overwrite, purge for the end of a key (2.6,
    /// cryptographic erase); nothing for a deletion.
    #[must_use]
    pub const fn sanitization(self) -> Option<Sanitization> {
        match self {
            Self::L0 => None,
            Self::L1 | Self::L2 => Some(Sanitization::Clear),
            Self::L3 | Self::L4 => Some(Sanitization::Purge),
        }
    }
}

/// Why a level is not higher.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// The code.
    pub limit: Limit,
    /// In words.
    #[serde(flatten)]
    pub words: InBoth,
}

/// Why the level that a report comes to is not higher, in the report's order.
#[must_use]
pub fn why(report: &WipeReport) -> Vec<Why> {
    let words = |limit: Limit| InBoth::of(limit.meaning(), limit_zh(limit));
    report.limits.iter().map(|limit| Why { limit: *limit, words: words(*limit) }).collect()
}

/// A limit in Chinese.
#[must_use]
pub const fn limit_zh(limit: Limit) -> &'static str {
    match limit {
        Limit::NotOverwritten => "未經覆寫，僅移除檔名",
        Limit::Shared => "其他檔案或快照共用相同儲存區段",
        Limit::Snapshot => "檔案系統有快照，快照內之內容仍在",
        Limit::Grew => "覆寫期間檔案增大",
        Limit::WrittenByOthers => "由他人寫入，可能留有本程式不知之複本",
        Limit::OpenElsewhere => "其他程序開啟中",
        Limit::OpenUnknown => "無法得知是否有其他程序開啟",
        Limit::DataJournal => "內容經由檔案系統日誌寫入",
        Limit::Moved => "覆寫落於其他位置（寫入時複製）",
        Limit::Inline => "內容存於檔案系統之中繼資料內",
        Limit::Encoded => "儲存區段經壓縮或其他編碼",
        Limit::PlaceUnknown => "檔案系統未能可靠告知內容所在位置",
        Limit::NotReadBack => "無法越過記憶體自裝置回讀",
        Limit::Swap => "記憶體內容可能曾寫入未加密之置換區",
        Limit::NoKeyDestroyed => "未銷毀唯一可開啟之金鑰",
        Limit::SenderHoldsKey => "寄送者可能持有可開啟之金鑰",
        Limit::KeyStore => "金鑰庫本身未達 L2",
        Limit::RootKeyFile => "根金鑰為可複製之檔案",
        Limit::BackupsUnstated => "未聲明有無含金鑰之備份",
        Limit::Backups => "備份含有金鑰庫",
        Limit::OldKeyKept => "先前之主金鑰尚未銷毀，因有儲存格無法讀取",
        Limit::NotTrimmed => "儲存區段未回收（trim）",
        Limit::DatabasePlain => "依機關簽署之例外，以明文存於資料庫",
        Limit::DatabaseLog => "資料庫之預寫日誌（WAL）亦曾保有",
        Limit::DatabaseArchive => "資料庫將預寫日誌（WAL）封存",
        Limit::DatabaseReplicas => "資料庫之複本或追隨者亦曾保有",
        Limit::DatabaseBackups => "資料庫備份保有之內容不詳",
        Limit::DatabaseFiles => "未能查見資料庫檔案已不存在",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_own_words_in_both_languages() {
        for limit in Limit::ALL {
            let same = |other: &&Limit| limit_zh(**other) == limit_zh(limit);
            assert_eq!(Limit::ALL.iter().filter(same).count(), 1, "{limit:?}");
            assert!(!limit_zh(limit).is_ascii());
        }
    }

    #[test]
    fn a_deletion_is_no_sanitization_and_an_overwrite_is_no_purge() {
        use Assurance::{L0, L1, L2, L3, L4};
        let all = [L0, L1, L2, L3, L4].map(Assurance::sanitization);
        let (clear, purge) = (Some(Sanitization::Clear), Some(Sanitization::Purge));
        assert_eq!(all, [None, clear, clear, purge, purge]);
    }
}
