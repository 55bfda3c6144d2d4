//! A refusal in plain words, for people who have no program to ask: what was expected, and who does what next. What is
//! wrong says the receipt itself (`domain/receipt/words.rs`), which is part of what receipts sign.
//!
//! One table in both languages, for the screen, for `--json` and for the provider's receipt. It tells of no delivery more
//! than its reason: no names, no contents.

use super::{
    certificate::InBoth,
    reason::Reason::{self, *},
    receipt::why,
};

/// Who acts first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// 提供機關, which is written to.
    Provider,
    /// 專責人員.
    Custodian,
    /// 業務單位主管.
    Supervisor,
    /// 機關管理人.
    Admin,
}

impl Actor {
    /// In both languages.
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Provider => ("provider", "提供機關"),
            Self::Custodian => ("custodian", "專責人員"),
            Self::Supervisor => ("supervisor", "單位主管"),
            Self::Admin => ("admin", "機關管理人"),
        }
    }
}

/// A refusal in plain words.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Plain {
    /// What is wrong.
    pub wrong: InBoth,
    /// What was expected.
    pub expected: InBoth,
    /// Who acts first.
    pub who: InBoth,
    /// What there is to do.
    pub next: InBoth,
}

/// The provider sends it again.
const AGAIN: (&str, &str) = (
    "the custodian rejects the batch and writes to the provider, who mends it and sends it again",
    "由專責人員退件並函請提供機關修正後重新交付",
);
/// What a reason means for people.
#[must_use]
#[allow(clippy::too_many_lines, reason = "a table: each reason beside its words")]
pub fn of(reason: Reason) -> Plain {
    use Actor::{Admin, Custodian, Provider, Supervisor};
    let (expected, who, next) = match reason {
        Incomplete => (
            ("every listed file, whole", "所列檔案全數到齊且完整"),
            Provider,
            (
                "the custodian asks the provider for what is missing; what came is rejected, and sent again whole",
                "由專責人員洽提供機關補齊；已收部分退件後全數重新交付",
            ),
        ),
        Unsigned => (
            (
                "a signature of the provider, or a letter that two people entered",
                "提供機關之簽章，或經二人登錄核對之來函",
            ),
            Provider,
            (
                "the provider signs its list, or announces it by letter; what came is rejected, and sent again",
                "由提供機關補簽章或來函通知；已收部分退件後重新交付",
            ),
        ),
        AwaitingKey => (
            ("the key of this batch, by the key channel", "本批次之解密密碼，經密碼管道送達"),
            Custodian,
            (
                "the custodian asks the provider for the key, and enters it",
                "由專責人員洽提供機關取得密碼並登錄",
            ),
        ),
        BadSignature => (
            ("a good signature over exactly the list that came", "對所收清單之有效簽章"),
            Provider,
            (
                "the custodian asks the provider by telephone whether it sent this; it signs again what it sends",
                "由專責人員以電話向提供機關查證；由其重新簽章後交付",
            ),
        ),
        UnknownSigner => (
            (
                "a signature by a key that this agency knows and that is valid today",
                "本機關已登錄且現仍有效之簽章金鑰",
            ),
            Admin,
            (
                "the custodian asks the provider which key is right; a new key is entered by two people, then the batch is released",
                "由專責人員向提供機關查證金鑰；新金鑰經二人核定列入後解除隔離",
            ),
        ),
        ManifestInvalid => (
            ("a list with the agreed fields, whose numbers add up", "欄位符合約定且筆數相符之清單"),
            Provider,
            AGAIN,
        ),
        UnsafeName => (
            ("plain file names without folders or hidden characters", "不含路徑及隱藏字元之檔名"),
            Provider,
            AGAIN,
        ),
        UnsafeFile => (
            (
                "plain files only: no links, folders or pipes",
                "僅限一般檔案，不得為連結、資料夾或管線",
            ),
            Provider,
            AGAIN,
        ),
        UnlistedFile => {
            (("the listed files and nothing else", "僅限清單所列之檔案"), Provider, AGAIN)
        }
        KeyWithData => (
            ("the key by another way than the data", "密碼與資料分開寄送"),
            Provider,
            (
                "the batch is rejected; the provider encrypts anew under another key, and sends that key separately",
                "退件；由提供機關另以新密碼加密，密碼分開寄送",
            ),
        ),
        SizeMismatch => {
            (("each file as long as the list says", "檔案大小與清單所載一致"), Provider, AGAIN)
        }
        ChecksumMismatch => (
            (
                "each file with the SHA-256 that the list or the letter states",
                "檔案雜湊值與清單或來函所載一致",
            ),
            Provider,
            (
                "the custodian compares the digests with the provider; what was damaged on the way is rejected and sent again",
                "由專責人員與提供機關比對雜湊值；傳輸毀損者退件後重新交付",
            ),
        ),
        WrongLink => (
            ("a delivery for the link of this inbox", "交付至本收檔目錄所屬資訊連結之檔案"),
            Provider,
            AGAIN,
        ),
        WrongTable => {
            (("the table number that the link names", "資訊連結所定之資料表號"), Provider, AGAIN)
        }
        LinkInactive => (
            ("a link that is active", "啟用中之資訊連結"),
            Supervisor,
            (
                "where the link is taken up again, the custodian releases the batch; else it is rejected",
                "資訊連結恢復者由專責人員解除隔離；否則退件",
            ),
        ),
        UseExpired => (
            ("an approved period of use that still runs", "尚在核准使用期限內"),
            Supervisor,
            (
                "where the period is extended by the office that approves it, the custodian releases the batch; else it is rejected",
                "經核准延長期限者由專責人員解除隔離；否則退件",
            ),
        ),
        PolicyRefused => (
            ("what the rules of the agency allow", "符合本機關適用之規定"),
            Custodian,
            (
                "the custodian sees whether a corrected batch is loaded already, and rejects this one",
                "由專責人員查明是否已匯入更正批次，並將本批次退件",
            ),
        ),
        DuplicateBatch => {
            (("a number that this link has not used", "本資訊連結未曾使用之批號"), Provider, AGAIN)
        }
        DuplicateContent => (
            ("content that was not taken before", "先前未曾收受之內容"),
            Provider,
            (
                "the custodian rejects the batch, and asks the provider whether another file was meant",
                "由專責人員退件並向提供機關查明是否誤送",
            ),
        ),
        SequenceGap => (
            ("the next change file of the sequence", "依序之下一異動檔"),
            Provider,
            (
                "the custodian asks the provider for the missing number, or which number this file has",
                "由專責人員洽提供機關補送所缺之號，或查明本檔序號",
            ),
        ),
        LimitExceeded => (
            (
                "a delivery within the limits of size, files and records",
                "大小、檔數及筆數未逾上限之交付",
            ),
            Provider,
            (
                "the batch is rejected; the provider divides it, and sends the parts",
                "退件；由提供機關分批交付",
            ),
        ),
        NotAge => (
            ("files encrypted as the link says", "依資訊連結約定方式加密之檔案"),
            Provider,
            (
                "the custodian tells the provider how files are to be encrypted; what came is rejected",
                "由專責人員告知約定之加密方式；所收檔案退件",
            ),
        ),
        WrongContainer => (
            (
                "files packed and encrypted as the link says, each by a passphrase, without folders or archives within",
                "依資訊連結約定方式壓縮並以密碼加密之檔案，其內無資料夾及壓縮檔",
            ),
            Provider,
            (
                "the custodian tells the provider how files are to be packed and encrypted; what came is rejected",
                "由專責人員告知約定之壓縮加密方式；所收檔案退件",
            ),
        ),
        NotByHand => (
            ("plain files on a medium handed over in person", "未加密檔案須以媒體當面交付"),
            Provider,
            (
                "the custodian rejects the batch; the provider encrypts, or hands the medium over in person",
                "由專責人員退件；提供機關加密後重送，或當面交付媒體",
            ),
        ),
        WrongKey => (
            ("the key that opens this batch", "可開啟本批次之解密密碼"),
            Custodian,
            (
                "the custodian asks the provider for the key again, releases the batch and enters it",
                "由專責人員再向提供機關確認密碼，解除隔離後重新登錄",
            ),
        ),
        DecryptFailed => (
            ("encrypted files that are whole to their last byte", "加密檔案完整無缺"),
            Provider,
            AGAIN,
        ),
        PlaintextMismatch => (
            ("decrypted content with the stated SHA-256", "解密後內容與所載雜湊值一致"),
            Provider,
            AGAIN,
        ),
        LayoutError => (
            ("records in the agreed layout", "符合約定版面之資料"),
            Admin,
            (
                "where the provider keeps to the agreement, the layout is mended and the batch released; else it is rejected and sent again",
                "版面設定有誤者更正後解除隔離；資料有誤者退件後重新交付",
            ),
        ),
        UnapprovedColumn => (
            (
                "the columns that were applied for and approved, and no other",
                "僅限經申請核准之欄位",
            ),
            Provider,
            AGAIN,
        ),
        CountMismatch => (
            ("as many records as were stated", "筆數與所載相符"),
            Provider,
            (
                "the custodian tells the provider both numbers; the batch is rejected, and sent again whole",
                "由專責人員將兩項筆數告知提供機關；退件後全數重新交付",
            ),
        ),
    };
    let both = |(en, zh): (&str, &str)| InBoth { en: en.to_owned(), zh: zh.to_owned() };
    Plain {
        wrong: both(why(reason)),
        expected: both(expected),
        who: both(who.words()),
        next: both(next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_told_in_both_languages() {
        for reason in Reason::ALL {
            let plain = of(*reason);
            for InBoth { en, zh } in [&plain.wrong, &plain.expected, &plain.who, &plain.next] {
                assert!(!en.is_empty() && en.is_ascii(), "{reason}: {en}");
                assert!(!en.ends_with('.') && !zh.ends_with('。'), "{reason}: {en} {zh}");
                assert!(!zh.is_ascii(), "{reason}: {zh}");
            }
        }
    }
}
