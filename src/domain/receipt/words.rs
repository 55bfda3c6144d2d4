//! What a receipt says in plain words, in both languages: its reader has no program to ask, so the words are part of
//! what is signed.

use super::Judgement;
use crate::domain::{certificate::InBoth, reason::Reason};

/// A verdict and its reason, in words.
#[must_use]
pub fn in_words(verdict: Judgement, reason: Option<Reason>) -> InBoth {
    let (en, zh) = match verdict {
        Judgement::Verified => (
            "the delivery arrived whole and its origin was found good; its records were not read yet",
            "資料已完整收受並驗證來源；尚未讀取內容",
        ),
        Judgement::Loaded => {
            ("the delivery was taken: every record is accounted for", "資料已收妥，筆數核對無誤")
        }
        Judgement::Quarantined => (
            "the delivery was not taken: it is kept encrypted until a person decides",
            "資料未予收受：加密隔離中，待人員處理",
        ),
        Judgement::Rejected => (
            "the delivery was turned down, and what arrived of it will be destroyed; the number may be used again",
            "資料退回，所收檔案將予銷毀；批號得再使用",
        ),
    };
    match reason {
        None => InBoth { en: en.to_owned(), zh: zh.to_owned() },
        Some(reason) => {
            let (why, why_zh) = why(reason);
            InBoth { en: format!("{en}: {why}"), zh: format!("{zh}：{why_zh}") }
        }
    }
}

/// A reason, as its sender can mend it.
#[must_use]
pub const fn why(reason: Reason) -> (&'static str, &'static str) {
    match reason {
        Reason::Incomplete => ("a part of it never came", "檔案始終未到齊"),
        Reason::Unsigned => ("its manifest has no signature", "清單檔沒有簽章"),
        Reason::AwaitingKey => ("its key has not come", "解密密碼未到"),
        Reason::BadSignature => {
            ("the signature is not one over this manifest", "簽章不是針對此清單檔所簽")
        }
        Reason::UnknownSigner => (
            "the signing key is not among those agreed for this link",
            "簽章金鑰不在本連結約定之列",
        ),
        Reason::ManifestInvalid => (
            "the manifest is not of the agreed form, or its sums differ",
            "清單檔格式不符，或合計不一致",
        ),
        Reason::UnsafeName => ("a listed name is not allowed", "清單列有不允許的檔名"),
        Reason::UnsafeFile => {
            ("something in it is a link or no plain file", "其中有連結檔或非一般檔案")
        }
        Reason::UnlistedFile => ("something in it is not listed", "其中有清單未列的檔案"),
        Reason::KeyWithData => (
            "a key came with the data: key and data go by separate channels",
            "密碼與資料同途送達：須分途傳送",
        ),
        Reason::SizeMismatch => ("a file is longer than stated", "檔案大小超過所載"),
        Reason::ChecksumMismatch => {
            ("a file's SHA-256 is not the stated one", "檔案 SHA-256 與所載不符")
        }
        Reason::WrongLink => ("it is addressed to another link", "所載資訊連結不符"),
        Reason::WrongTable => ("it names another table number", "所載資料表號不符"),
        Reason::LinkInactive => ("the link is suspended or terminated", "資訊連結已暫停或終止"),
        Reason::UseExpired => ("the approved period of use is over", "核准使用期限已屆"),
        Reason::PolicyRefused => ("a rule of the receiver refuses it", "不符接收機關之規定"),
        Reason::DuplicateBatch => ("its number was used before", "批號已使用過"),
        Reason::DuplicateContent => ("the same content was taken before", "相同內容先前已收受"),
        Reason::SequenceGap => ("a change file before it has not come", "前一異動檔未到"),
        Reason::LimitExceeded => ("it is over a limit of size or number", "超過大小或數量上限"),
        Reason::NotAge => ("a file is not encrypted as agreed", "檔案未依約定方式加密"),
        Reason::WrongContainer => {
            ("a file is not packed and encrypted as agreed", "檔案未依約定方式壓縮加密")
        }
        Reason::NotByHand => {
            ("a file came in plain and was not handed over in person", "檔案未加密，且非當面交付")
        }
        Reason::WrongKey => ("the keys that came do not open it", "所送解密密碼無法開啟"),
        Reason::DecryptFailed => ("a file is damaged or cut short", "檔案毀損或不完整"),
        Reason::PlaintextMismatch => {
            ("what a file holds is not what was stated", "解密後內容之雜湊值與所載不符")
        }
        Reason::LayoutError => ("the records are not of the agreed layout", "資料不符約定版面"),
        Reason::UnapprovedColumn => ("it has a column that nobody approved", "含有未經核准之欄位"),
        Reason::CountMismatch => ("the number of records is not the stated one", "筆數與所載不符"),
    }
}
