//! Why people do things: a closed list of codes for each act, so that a register that is kept for ever needs no free text.
//!
//! What is stored is one string, `CODE` or `CODE: NOTE`. Whoever types a code, its English phrase or its Chinese label
//! gets the code; any other text is never lost, it becomes the note of `other`. Reading back is lenient: what stands in
//! older entries without a code is shown as it is. Which text of which command is a reason, the service knows.
//!
//! It is over 500 lines because the codes are one closed list.

use std::borrow::Cow;

/// A code, and what it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ground {
    /// As it is typed and stored.
    pub code: &'static str,
    /// In English.
    pub english: &'static str,
    /// In Chinese, as forms and letters have it.
    pub chinese: &'static str,
}

/// An act of which a person says why, and the codes for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Because {
    /// The words of the command line; `copy-to` for rows that `query` and `match` write to a file.
    pub act: &'static str,
    /// The codes, the most usual first.
    pub codes: &'static [Ground],
}

/// Why a text is no reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsaid {
    /// `other` says nothing by itself.
    NoNote,
    /// It has no code, and codes were asked for.
    NoCode,
}

/// What the list has no code for.
pub const OTHER: Ground = ground("other", "other", "其他");

const fn ground(code: &'static str, english: &'static str, chinese: &'static str) -> Ground {
    Ground { code, english, chinese }
}

// What several acts have in common. No code but `other` is a single word: a text of one word is not taken for one.
const APPEAL: Ground = ground("appeal-pending", "appeal pending", "申復或訴願中");
const AUDIT: Ground = ground("under-audit", "audit or inquiry going on", "稽核或調查中");
const BY_ORDER: Ground = ground("by-order", "by order of the data owner", "依權責機關通知");
const COMPLETED: Ground = ground("use-completed", "use completed", "使用完竣");
const COURT: Ground = ground("for-hearing", "hearing", "開庭");
const DAMAGED: Ground = ground("media-damaged", "media damaged", "媒體損壞");
const DOC_NO: Ground = ground("wrong-doc-no", "wrong document number", "文號誤植");
const HOLD: Ground = ground("legal-hold", "legal hold", "依法暫緩銷毀");
const LINK_ENDED: Ground = ground("link-ended", "the link has ended", "連結終止");
const LITIGATION: Ground = ground("in-litigation", "litigation going on", "訴訟中");
const NEEDED: Ground = ground("still-needed", "still needed", "仍有使用需求");
const NO_BASIS: Ground = ground("no-basis", "no legal basis", "無法令依據");
const NO_DEMAND: Ground = ground("no-demand", "no longer required", "已無需求");
const NO_NEED: Ground = ground("no-need", "no need to keep", "無保存必要");
const NOT_NEEDED: Ground = ground("not-necessary", "not necessary", "無必要");
const PAPERS: Ground = ground("papers-missing", "papers missing", "應附文件不全");
const PERIOD: Ground = ground("wrong-period", "wrong period", "資料期間不符");
const POSTPONED: Ground = ground("decided-later", "to be decided later", "容後再議");
const REMEDIED: Ground = ground("defects-remedied", "remedied", "已改善");
const RETENTION: Ground = ground("retention-ended", "retention is over", "保存期滿");
const TWICE: Ground = ground("entered-twice", "entered twice", "重複登錄");
const TYPING: Ground = ground("typing-error", "typed wrongly", "誤植");
const UNSAFE: Ground =
    ground("medium-unsafe", "the medium is not protected enough", "媒體保護不足");
const WRONG_BATCH: Ground = ground("wrong-batch", "another batch was meant", "批次有誤");

/// Why a copy is made, as a file or otherwise.
const COPIES: &[Ground] = &[
    ground("eligibility-check", "eligibility check", "資格審查"),
    COURT,
    ground("for-audit", "for an audit", "供稽核或查核"),
    ground("case-file", "filed with the case", "附卷歸檔"),
    ground("no-network", "no network there", "現場無網路可查詢"),
    ground("for-statistics", "statistics", "統計分析"),
    OTHER,
];

/// Every act of which a person says why.
pub const ACTS: &[Because] = &[
    because(
        "batch release",
        &[
            ground("cause-removed", "the cause is removed", "原因已排除"),
            ground(
                "signer-changed",
                "the provider changed its signing key",
                "提供機關更換簽署金鑰",
            ),
            ground("letter-came", "the letter came", "已收到公文"),
            ground("setup-corrected", "the configuration was corrected", "設定已更正"),
            ground("link-restored", "the link is in force again", "連結恢復"),
            OTHER,
        ],
    ),
    because(
        "batch reject",
        &[
            ground("digest-differs", "digest differs", "雜湊值不符"),
            ground("count-differs", "number of records differs", "筆數不符"),
            ground("file-damaged", "file damaged", "檔案毀損"),
            ground("wrong-format", "wrong format", "格式不符"),
            ground("not-applied-for", "not applied for", "非本機關申請之資料"),
            PERIOD,
            ground("key-missing", "no right key to be had", "無法取得正確密碼"),
            ground("send-again", "the provider sends it again", "請提供機關更正後重送"),
            ground("taken-back", "taken back by the provider", "提供機關撤回"),
            OTHER,
        ],
    ),
    because(
        "batch accept",
        &[
            ground("provider-explained", "explained by the provider", "提供機關說明"),
            ground("none-found", "the provider has nothing of them", "提供機關查無資料"),
            ground("counted-otherwise", "counted otherwise", "計數方式不同"),
            ground("sent-separately", "the rest comes separately", "其餘資料另送"),
            OTHER,
        ],
    ),
    because(
        "batch compare",
        &[
            ground("too-few", "fewer than applied for", "筆數短少"),
            ground("too-many", "more than applied for", "筆數溢多"),
            ground("person-missing", "persons applied for are missing", "申請對象缺漏"),
            ground("person-unasked", "persons not applied for", "含未申請之對象"),
            ground("field-missing", "fields are missing", "資料欄位缺漏"),
            PERIOD,
            OTHER,
        ],
    ),
    because(
        "batch announce-withdraw",
        &[
            TYPING,
            DOC_NO,
            TWICE,
            ground("provider-cancelled", "cancelled by the provider", "提供機關取消"),
            ground("delivered-otherwise", "delivered in another way", "改以其他方式送達"),
            OTHER,
        ],
    ),
    because(
        "link settle",
        &[
            ground("removed-there", "removed by the provider", "提供機關已移除"),
            ground("taken-by-hand", "fetched by a person", "已由人員取回"),
            ground("left-there", "it stays there, as agreed", "經同意留存於提供機關"),
            ground("sent-in-error", "it was no delivery", "誤送"),
            OTHER,
        ],
    ),
    because(
        "link refuse",
        &[
            NO_BASIS,
            NOT_NEEDED,
            ground("beyond-purpose", "beyond the purpose", "逾越使用目的"),
            PAPERS,
            ground("weak-safeguards", "safeguards insufficient", "安全措施不足"),
            OTHER,
        ],
    ),
    because(
        "link suspend",
        &[
            ground("to-be-remedied", "to be remedied by a day", "限期改善"),
            ground("audit-findings", "an audit found defects", "稽核發現缺失"),
            ground("irregular-use", "irregular use", "異常使用"),
            ground("data-incident", "an incident", "個資或資安事件"),
            ground("not-used", "not used for six months", "逾六個月未使用"),
            BY_ORDER,
            OTHER,
        ],
    ),
    because(
        "link terminate",
        &[
            NO_DEMAND,
            ground("not-remedied", "not remedied in time", "屆期未改善"),
            ground("serious-breach", "serious, and beyond remedy", "情節嚴重無法改善"),
            ground("data-incident", "an incident", "個資或資安事件"),
            NO_BASIS,
            BY_ORDER,
            OTHER,
        ],
    ),
    because(
        "link resume",
        &[
            REMEDIED,
            ground("incident-closed", "the incident is closed", "事件已處理完畢"),
            ground("use-resumed", "used again", "恢復使用"),
            BY_ORDER,
            OTHER,
        ],
    ),
    because(
        "key end",
        &[
            ground("provider-changed", "the provider changed it", "提供機關更換密碼"),
            ground("key-exposed", "it may be known to others", "密碼有外洩之虞"),
            ground("staff-changed", "people who know it have changed", "知悉人員異動"),
            TYPING,
            LINK_ENDED,
            OTHER,
        ],
    ),
    because(
        "witness acknowledge",
        &[
            ground("office-closed", "the office is closed", "機關放假"),
            ground("network-down", "the network is down", "網路中斷"),
            ground("witness-replaced", "the witness is being replaced", "見證者更換中"),
            ground("fault-reported", "reported, and being mended", "已通報查修中"),
            OTHER,
        ],
    ),
    because(
        "grant deny",
        &[
            NO_BASIS,
            ground("purpose-unclear", "the purpose is unclear", "使用目的不明"),
            ground("beyond-need", "beyond what is needed", "逾越必要範圍"),
            ground("not-in-charge", "not the applicant's business", "非其業務職掌"),
            PERIOD,
            PAPERS,
            OTHER,
        ],
    ),
    because("copy request", COPIES),
    because("copy-to", COPIES),
    because(
        "copy deny",
        &[
            ground("query-suffices", "looking it up is enough", "以查詢即可"),
            NOT_NEEDED,
            NO_BASIS,
            UNSAFE,
            PAPERS,
            OTHER,
        ],
    ),
    because(
        "copy withdraw",
        &[
            ground("not-made", "it was not made", "未製作"),
            NO_DEMAND,
            ground("asked-in-error", "asked for in error", "誤為申請"),
            ground("done-otherwise", "done in another way", "改以其他方式辦理"),
            OTHER,
        ],
    ),
    because(
        "destroy request",
        &[
            ground(
                "completed-no-need",
                "use completed and no need to keep",
                "使用完竣且無保存必要",
            ),
            COMPLETED,
            NO_NEED,
            RETENTION,
            ground("use-period-ended", "the period of use is over", "使用期間屆滿"),
            LINK_ENDED,
            ground("batch-rejected", "turned down", "退件"),
            ground("printed-and-filed", "printed and filed", "已列印附卷"),
            DAMAGED,
            OTHER,
        ],
    ),
    because(
        "destroy deny",
        &[
            NEEDED,
            APPEAL,
            LITIGATION,
            HOLD,
            AUDIT,
            ground("too-early", "before its shortest time of keeping", "未達最低保存期限"),
            WRONG_BATCH,
            PAPERS,
            POSTPONED,
            OTHER,
        ],
    ),
    because(
        "destroy cancel",
        &[
            NEEDED,
            APPEAL,
            LITIGATION,
            HOLD,
            AUDIT,
            WRONG_BATCH,
            ground("copy-missing", "a copy is missing on the list", "複本未列全"),
            OTHER,
        ],
    ),
    because(
        "destroy except",
        &[
            ground("with-court", "it is with the court", "於法院或檢察機關"),
            ground("lent-out", "lent, and not back yet", "外借未還"),
            ground("holder-away", "whoever keeps it is away", "保管人不在"),
            ground("place-closed", "the place cannot be entered", "存放處所無法進入"),
            DAMAGED,
            OTHER,
        ],
    ),
    because("access destroy", &[RETENTION, LINK_ENDED, BY_ORDER, OTHER]),
    because(
        "access destroy-deny",
        &[
            AUDIT,
            LITIGATION,
            HOLD,
            ground("retention-running", "retention is not over", "保存期限未屆"),
            ground("wrong-months", "the wrong months", "月份有誤"),
            POSTPONED,
            OTHER,
        ],
    ),
    because(
        "use keep",
        &[
            APPEAL,
            LITIGATION,
            ground("case-open", "the case is open", "案件尚未結案"),
            AUDIT,
            ground("kept-by-law", "the law asks for it", "依法令應保存"),
            OTHER,
        ],
    ),
    because(
        "use withdraw",
        &[
            WRONG_BATCH,
            ground("wrong-grant", "another grant was meant", "使用申請有誤"),
            ground("wrong-unit", "another unit was meant", "單位有誤"),
            NEEDED,
            OTHER,
        ],
    ),
    because(
        "handover deny",
        &[
            NO_BASIS,
            ground("no-consent", "the provider has not agreed", "未經提供機關同意"),
            ground("wrong-recipient", "not for this recipient", "受領單位不符"),
            NOT_NEEDED,
            UNSAFE,
            POSTPONED,
            OTHER,
        ],
    ),
    because(
        "register amend",
        &[
            TYPING,
            DOC_NO,
            ground("left-incomplete", "it was incomplete", "記載不完整"),
            ground("document-replaced", "another document replaced it", "公文已更換"),
            OTHER,
        ],
    ),
    because(
        "account acknowledge",
        &[
            ground("shared-terminal", "one terminal, several people", "共用終端機"),
            ground("work-handed-over", "work was handed over there", "職務交接"),
            ground("deputy-acts", "a deputy acts", "職務代理"),
            ground("training-or-test", "training or a test", "教育訓練或測試"),
            OTHER,
        ],
    ),
    because(
        "audit finding return",
        &[
            ground("not-corrected", "not corrected", "改善未完成"),
            ground("no-evidence", "nothing shows it", "佐證資料不足"),
            ground("found-again", "found again", "缺失再犯"),
            PAPERS,
            OTHER,
        ],
    ),
    // These are a closed list already: the command takes no note.
    because(
        LEAVING,
        &[
            ground("transferred", "transferred", "職務調整"),
            ground("resigned", "resigned", "離職"),
            ground("retired", "retired", "退休"),
            ground("replaced", "replaced", "業務移交"),
        ],
    ),
];

/// The act whose codes stand alone.
pub const LEAVING: &str = "appointment end";

const fn because(act: &'static str, codes: &'static [Ground]) -> Because {
    Because { act, codes }
}

/// The codes of an act.
#[must_use]
pub fn of(act: &str) -> Option<&'static Because> {
    ACTS.iter().find(|one| one.act == act)
}

impl Because {
    /// A typed text as it is stored. What is stored comes to itself; a text that says nothing stays, and is refused where
    /// every text is that says nothing.
    ///
    /// # Errors
    /// `other` without a note; a text without a code, where `codes_only`.
    pub fn stored(&self, typed: &str, codes_only: bool) -> Result<String, Unsaid> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Ok(String::new());
        }
        let (head, note) = parted(typed);
        match self.codes.iter().find(|ground| ground.is_called(head)) {
            Some(ground) if note.is_empty() && *ground == OTHER => Err(Unsaid::NoNote),
            Some(ground) if note.is_empty() => Ok(ground.code.to_owned()),
            Some(ground) => Ok(format!("{}: {note}", ground.code)),
            None if codes_only => Err(Unsaid::NoCode),
            None => Ok(format!("{}: {typed}", OTHER.code)),
        }
    }

    /// Whether a text is stored in the form that this act's reasons have.
    #[must_use]
    pub fn is_stored(&self, text: &str) -> bool {
        text.is_empty() || self.stored(text, true).is_ok_and(|stored| stored == text)
    }
}

impl Ground {
    fn is_called(&self, text: &str) -> bool {
        text.eq_ignore_ascii_case(self.code)
            || text.eq_ignore_ascii_case(self.english)
            || text == self.chinese
    }
}

/// What stands before and after the first colon.
fn parted(text: &str) -> (&str, &str) {
    match text.split_once([':', '：']) {
        Some((head, note)) => (head.trim(), note.trim()),
        None => (text, ""),
    }
}

/// A reason as Chinese forms and lists have it: `使用完竣：備註`. What has no code stays as it is.
#[must_use]
pub fn chinese(stored: &str) -> Cow<'_, str> {
    let (head, note) = match stored.split_once(": ") {
        Some((head, note)) => (head, Some(note)),
        None => (stored, None),
    };
    let mut known = ACTS.iter().flat_map(|one| one.codes);
    let found = known.find(|ground| ground.code == head);
    match (found, note) {
        (Some(ground), Some(note)) => Cow::Owned(format!("{}：{note}", ground.chinese)),
        // Alone it stands in no entry with a code.
        (Some(ground), None) if *ground != OTHER && ground.code.contains('-') => {
            Cow::Borrowed(ground.chinese)
        }
        _ => Cow::Borrowed(stored),
    }
}

/// What the person said besides the code: the code is not counted where a text's length is.
#[must_use]
pub fn note(stored: &str) -> &str {
    stored.strip_prefix("other: ").unwrap_or(stored)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::domain::people::Leaving;

    fn stored(act: &str, typed: &str) -> Result<String, Unsaid> {
        of(act).unwrap().stored(typed, false)
    }

    #[test]
    fn a_code_its_phrase_and_its_label_come_to_the_code() {
        for (typed, kept) in [
            ("use-completed", "use-completed"),
            ("Use completed", "use-completed"),
            ("使用完竣", "use-completed"),
            (" 使用完竣：三月份 ", "use-completed: 三月份"),
            ("use-completed:March", "use-completed: March"),
            ("no-need:", "no-need"),
            ("other: by letter", "other: by letter"),
            ("其他：依函", "other: 依函"),
            ("disks are full", "other: disks are full"),
            ("see: the letter", "other: see: the letter"),
            // A code of another act is a text here.
            ("query-suffices", "other: query-suffices"),
            ("", ""),
            ("  ", ""),
        ] {
            assert_eq!(stored("destroy request", typed).unwrap(), kept, "{typed}");
            assert_eq!(stored("destroy request", kept).unwrap(), kept, "once more: {typed}");
        }
        for typed in ["other", "other:", "其他", "其他： "] {
            assert_eq!(stored("destroy request", typed), Err(Unsaid::NoNote), "{typed}");
        }
    }

    #[test]
    fn where_codes_are_asked_for_a_text_without_one_is_told_so() {
        let list = of("use keep").unwrap();
        assert_eq!(list.stored("because", true), Err(Unsaid::NoCode));
        assert_eq!(list.stored("other: because", true).unwrap(), "other: because");
        assert_eq!(list.stored("申復或訴願中", true).unwrap(), "appeal-pending");
        assert!(list.is_stored("appeal-pending: 115-7") && !list.is_stored("申復或訴願中"));
    }

    #[test]
    fn chinese_shows_the_label_and_leaves_what_has_no_code() {
        for (stored, shown) in [
            ("use-completed: note", "使用完竣：note"),
            ("no-need", "無保存必要"),
            ("other: 依函", "其他：依函"),
            ("使用完竣", "使用完竣"),
            ("other", "other"),
            ("retired", "retired"),
            ("府社婦字第1150000101號", "府社婦字第1150000101號"),
            ("", ""),
        ] {
            assert_eq!(chinese(stored), shown);
        }
    }

    #[test]
    fn a_code_has_one_meaning_and_no_list_has_two_of_a_name() {
        let mut meanings = BTreeMap::new();
        for list in ACTS {
            let mut names = BTreeSet::new();
            for ground in list.codes {
                assert_eq!(*meanings.entry(ground.code).or_insert(*ground), *ground);
                let mut all = BTreeSet::from([ground.code, ground.english, ground.chinese]);
                all.retain(|name| !names.insert(*name));
                assert!(all.is_empty(), "{}: {all:?}", list.act);
                let plain = |b: u8| b.is_ascii_lowercase() || b == b'-';
                assert!(ground.code.bytes().all(plain), "{}", ground.code);
                // A colon would end the code.
                assert!(!ground.english.contains(':') && !ground.chinese.contains('：'));
                let one_word = !ground.code.contains('-');
                assert_eq!(one_word, *ground == OTHER || list.act == LEAVING, "{}", ground.code);
            }
            assert_eq!(list.codes.last() == Some(&OTHER), list.act != LEAVING, "{}", list.act);
            assert!((4..=10).contains(&list.codes.len()), "{}", list.act);
        }
        let acts: BTreeSet<_> = ACTS.iter().map(|list| list.act).collect();
        assert_eq!(acts.len(), ACTS.len());
    }

    #[test]
    fn why_somebody_leaves_is_the_list_that_the_command_takes() {
        let words: Vec<&str> = Leaving::ALL.iter().map(|one| one.word()).collect();
        let codes: Vec<&str> = of(LEAVING).unwrap().codes.iter().map(|one| one.code).collect();
        assert_eq!(codes, words);
    }
}
