//! Every sentence that the program shows is in both languages.
//!
//! English is what the source says. `locale/zh-TW.po` maps it to Chinese; `locale/same.txt` lists texts that are the
//! same in both languages: commands to be typed, and what programs read. Whoever adds a sentence runs this test, and
//! fills in the entries that it prints.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

#[path = "words/source.rs"]
mod source;

use std::{collections::BTreeSet, fs, path::Path};

use batchward::{
    cli::speech,
    domain::{
        accounts::Role,
        audits::{AuditKind, AuditResult, AuditState, ReportKind, ReportState, RequestState},
        expected::slots::SlotState,
        handover::{Premises, RecipientKind},
        inventory::{HeldKind, Medium, Method, Sanitization},
        lifecycle::{BatchState, CopyState, GrantState, HandoverState, OrderState},
        notified::{NoticeChannel, NoticeStage, NotifiedState},
        policy::{
            ClockStart,
            clauses::{Does, Waits},
        },
        reason::Reason,
    },
    service::{auditing::reconciling, plan},
};
use polib::message::MessageView;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// An entry: context, English, Chinese.
struct Entry {
    context: Option<String>,
    english: String,
    chinese: String,
}

fn entries() -> Vec<Entry> {
    let file = polib::po_file::parse(&root().join("locale/zh-TW.po")).unwrap();
    let entry = |message: &dyn MessageView| Entry {
        context: message.msgctxt().map(str::to_owned),
        english: message.msgid().to_owned(),
        chinese: message.msgstr().unwrap().to_owned(),
    };
    let list: Vec<Entry> = file.messages().map(entry).collect();
    assert!(list.len() > 500, "only {} entries: is this the whole file", list.len());
    list
}

/// Texts that are the same in both languages.
fn same() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("locale/same.txt")).unwrap();
    text.lines().filter(|line| !line.starts_with("# ")).map(str::to_owned).collect()
}

fn sentences(entries: &[Entry]) -> BTreeSet<&str> {
    entries.iter().filter(|e| e.context.is_none()).map(|e| e.english.as_str()).collect()
}

#[test]
fn every_sentence_is_in_the_catalogue() {
    let entries = entries();
    let (known, same) = (sentences(&entries), same());
    let found = source::sentences(root());
    let missing: Vec<String> = found
        .iter()
        .filter(|(text, _)| !known.contains(text.as_str()) && !same.contains(*text))
        .map(|(text, at)| format!("#: {at}\nmsgid {text:?}\nmsgstr \"\"\n"))
        .collect();
    let to_do = "give them their Chinese in locale/zh-TW.po, or list what is no sentence in locale/same.txt";
    assert!(missing.is_empty(), "{to_do}:\n\n{}", missing.join("\n"));
}

#[test]
fn every_entry_is_still_said_somewhere() {
    let entries = entries();
    let found = source::sentences(root());
    let gone = |text: &str| !found.contains_key(text);
    let entry = sentences(&entries).into_iter().filter(|text| gone(text));
    let stale: Vec<&str> = entry.collect();
    assert!(
        stale.is_empty(),
        "no source says this any more; take it out of locale/zh-TW.po:\n{}",
        stale.join("\n")
    );
    let stale: Vec<String> = same().into_iter().filter(|text| gone(text)).collect();
    assert!(
        stale.is_empty(),
        "no source says this any more; take it out of locale/same.txt:\n{}",
        stale.join("\n")
    );
}

#[test]
fn every_word_of_a_closed_list_is_in_the_catalogue() {
    let entries = entries();
    let known: BTreeSet<&str> = entries
        .iter()
        .filter(|e| e.context.as_deref() == Some("word") || e.context.is_none())
        .map(|e| e.english.as_str())
        .collect();
    let mut words: BTreeSet<String> = source::heads(root());
    words.extend(Reason::ALL.iter().map(|reason| reason.code().to_owned()));
    words.extend(Role::ALL.iter().map(|role| role.word().to_owned()));
    words.extend(BatchState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(CopyState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(GrantState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(HandoverState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(AuditKind::ALL.iter().map(|kind| kind.word().to_owned()));
    words.extend(AuditResult::ALL.iter().map(|result| result.word().to_owned()));
    words.extend(AuditState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(ReportKind::ALL.iter().map(|kind| kind.word().to_owned()));
    words.extend(ReportState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(reconciling::CODES.iter().map(|code| (*code).to_owned()));
    words.extend(NoticeStage::ALL.iter().map(|stage| stage.word().to_owned()));
    words.extend(NoticeChannel::ALL.iter().map(|channel| channel.word().to_owned()));
    words.extend(NotifiedState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(RequestState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(RecipientKind::ALL.iter().map(|kind| kind.word().to_owned()));
    words.extend(Premises::ALL.iter().map(|premises| premises.word().to_owned()));
    words.extend(OrderState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(SlotState::ALL.iter().map(|state| state.word().to_owned()));
    words.extend(plan::STATES.iter().map(|state| (*state).to_owned()));
    words.extend(HeldKind::ALL.iter().map(|kind| kind.word().to_owned()));
    words.extend(Medium::ALL.iter().map(|medium| medium.word().to_owned()));
    words.extend(Method::ALL.iter().map(|method| method.word().to_owned()));
    words.extend(Sanitization::ALL.iter().map(|does| does.word().to_owned()));
    // What is due on the screen, where it is no batch.
    words.insert("due now".to_owned());
    // A delivery that is no batch yet, and a batch that was handed on.
    words.extend(["waiting", "provided"].map(str::to_owned));
    // What starts a clock, moments of a batch that are no state of it, and how an asking ended.
    words.extend(ClockStart::ALL.iter().map(|clock| clock.word().to_owned()));
    words.extend(["files-superseded", "rejected"].map(str::to_owned));
    words.extend(Does::ALL.iter().map(|does| does.word().to_owned()));
    words.extend(Waits::ALL.iter().map(|waits| waits.word().to_owned()));
    words.insert("tests".to_owned());
    words.extend(["claimed", "use-until", "shown", "refused"].map(str::to_owned));
    assert!(words.len() > 60, "only {} words: are these all lists", words.len());
    let missing: Vec<String> = words
        .iter()
        .filter(|word| !known.contains(word.as_str()))
        .map(|word| format!("msgctxt \"word\"\nmsgid {word:?}\nmsgstr \"\"\n"))
        .collect();
    assert!(missing.is_empty(), "add these to locale/zh-TW.po:\n\n{}", missing.join("\n"));
}

#[test]
fn both_sides_of_an_entry_have_the_same_holes() {
    let bad: Vec<String> = entries()
        .iter()
        .filter(|entry| {
            let count = entry.english.matches("{}").count();
            !fits(&entry.chinese, count)
        })
        .map(|entry| format!("{}\n  {}", entry.english, entry.chinese))
        .collect();
    assert!(bad.is_empty(), "the holes differ:\n{}", bad.join("\n"));
}

/// Whether a text has `count` holes: all without a number, or numbered from 1 with each number once.
fn fits(text: &str, count: usize) -> bool {
    let holes: Vec<&str> =
        text.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(n, _)| n).collect();
    if holes.iter().all(|hole| hole.is_empty()) {
        return holes.len() == count;
    }
    let numbers: BTreeSet<usize> = holes.iter().filter_map(|hole| hole.parse().ok()).collect();
    holes.len() == count && numbers == (1..=count).collect()
}

#[test]
fn every_entry_is_filled_in_once_and_in_chinese() {
    let mut seen = BTreeSet::new();
    let mut bad = Vec::new();
    for entry in entries() {
        let is_wide = |c: char| ('\u{3000}'..='\u{ffef}').contains(&c);
        let letters = entry.english.replace("{}", "").chars().any(|c| c.is_ascii_lowercase());
        if entry.chinese.is_empty() {
            bad.push(format!("empty: {}", entry.english));
        } else if letters && !entry.chinese.chars().any(is_wide) && !is_code(&entry.english) {
            bad.push(format!("not Chinese: {}", entry.english));
        }
        // A sentence ends without a full stop in both languages, and no half-width mark follows a Chinese character.
        let chars: Vec<char> = entry.chinese.chars().collect();
        let half = chars
            .windows(2)
            .any(|pair| ('\u{4e00}'..='\u{9fff}').contains(&pair[0]) && ",;:?!".contains(pair[1]));
        if half {
            bad.push(format!("half-width mark: {}", entry.chinese));
        }
        if !seen.insert((entry.context, entry.english.clone())) {
            bad.push(format!("twice: {}", entry.english));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
}

/// Values that are written in files as they are: the same words, joined in Chinese.
fn is_code(text: &str) -> bool {
    text.contains(" or ") || text.contains("PATH")
}

/// Every entry as it comes to the screen, its holes filled with marks: the pair that each message has.
fn pairs() -> String {
    let mut text = String::from(
        "# Every message in both languages, its holes filled with ①, ② and so on. Made from locale/zh-TW.po through the\n\
         # translator; tests/words.rs says when it is stale, and writes it anew with BATCHWARD_BLESS=1.\n",
    );
    for entry in entries().iter().filter(|entry| entry.context.is_none()) {
        let english = filled(&entry.english);
        text.push_str(&format!("\nen: {english}\nzh: {}\n", speech::chinese(&english)));
    }
    text
}

fn filled(template: &str) -> String {
    let mut marks = ('①'..='⑳').map(String::from);
    let mut parts = template.split("{}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(&marks.next().unwrap());
        text.push_str(part);
    }
    text
}

#[test]
fn each_message_has_its_pair_on_record() {
    let path = root().join("tests/transcripts/messages.txt");
    let made = pairs();
    if std::env::var_os("BATCHWARD_BLESS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = made.lines().zip(kept.lines().chain(std::iter::repeat(""))).find(|(a, b)| a != b);
    assert!(made == kept, "'{}' is stale, first at {differs:?}", path.display());
}

#[test]
fn each_message_is_found_by_the_translator_itself() {
    let bad: Vec<String> = entries()
        .iter()
        .filter(|entry| entry.context.is_none())
        .filter(|entry| {
            let marks: Vec<char> = ('①'..='⑳').collect();
            let mut wanted = String::new();
            let mut rest = entry.chinese.as_str();
            let mut count = 0;
            while let Some((before, from)) = rest.split_once('{') {
                let (digits, after) = from.split_once('}').unwrap();
                let n = digits.parse::<usize>().map_or(count, |n| n - 1);
                count += 1;
                wanted.push_str(before);
                wanted.push(marks[n]);
                rest = after;
            }
            wanted.push_str(rest);
            speech::chinese(&filled(&entry.english)) != wanted
        })
        .map(|entry| format!("{} -> {}", entry.english, speech::chinese(&filled(&entry.english))))
        .collect();
    assert!(bad.is_empty(), "another entry takes these:\n{}", bad.join("\n"));
}
