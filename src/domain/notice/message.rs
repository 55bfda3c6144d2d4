//! A mail as its bytes (RFC 5322, 2045, 2047): one part of plain text, nothing but ASCII on the line.

use data_encoding::BASE64;

use crate::domain::time::Timestamp;

/// Bytes of text in one encoded word: 60 of Base64 and the marks around it stay below the 75 of RFC 2047, 2.
const WORD_BYTES: usize = 42;
/// Characters of Base64 on a line (RFC 2045, 6.8).
const LINE_CHARS: usize = 76;

/// What a mail says and whom it is for. Addresses are such by [`super::is_address`].
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// Its identity, the same each time that it is tried: `left@right`.
    pub id: &'a str,
    /// When it was made.
    pub at: Timestamp,
    /// Who it is from.
    pub from: &'a str,
    /// Who it is to.
    pub to: &'a str,
    /// Its subject.
    pub subject: &'a str,
    /// Its text, lines ended by `\n`.
    pub text: &'a str,
}

/// Its bytes.
#[must_use]
pub fn bytes(letter: &Letter<'_>) -> Vec<u8> {
    let Letter { id, at, from, to, subject, text } = letter;
    // So that no absent person's mailbox answers it (RFC 3834, 5).
    let head = format!(
        "From: Batchward <{from}>\r\nTo: <{to}>\r\nSubject: {}\r\nDate: {}\r\nMessage-ID: <{id}>\r\n\
         Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
        words(subject),
        at.mail_date(),
    );
    let lines = text.replace('\n', "\r\n");
    let mut whole = head;
    for line in BASE64.encode(lines.as_bytes()).as_bytes().chunks(LINE_CHARS) {
        whole.extend(line.iter().map(|b| char::from(*b)));
        whole.push_str("\r\n");
    }
    whole.into_bytes()
}

/// A text as encoded words, folded; what is plain ASCII and short stays as it is.
fn words(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_graphic() || b == b' ';
    if text.len() <= 60 && text.bytes().all(plain) && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.chars().filter(|c| !c.is_control()) {
        if word.len() + letter.len_utf8() > WORD_BYTES {
            words.push(std::mem::take(&mut word));
        }
        word.push(letter);
    }
    words.push(word);
    let encoded =
        words.iter().map(|word| format!("=?UTF-8?B?{}?=", BASE64.encode(word.as_bytes())));
    encoded.collect::<Vec<_>>().join("\r\n ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn letter<'a>(subject: &'a str, text: &'a str) -> Letter<'a> {
        let at = Timestamp::parse("2026-11-22T08:00:00+08:00").unwrap();
        Letter { id: "1@x", at, from: "b@agency.example", to: "a@agency.example", subject, text }
    }

    #[test]
    fn a_mail_is_ascii_in_short_lines_whatever_it_says() {
        let long = "每月抽樣".repeat(40);
        let bytes = bytes(&letter(&long, &format!("{long}\n.\n\n{long}")));
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.is_ascii());
        assert!(text.ends_with("\r\n"));
        assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
        for line in text.split("\r\n") {
            assert!(line.len() <= 78, "{line}");
            assert!(!line.starts_with('.'));
        }
        let body = text.split_once("\r\n\r\n").unwrap().1.replace("\r\n", "");
        let said = String::from_utf8(BASE64.decode(body.as_bytes()).unwrap()).unwrap();
        assert_eq!(said, format!("{long}\r\n.\r\n\r\n{long}"));
    }

    #[test]
    fn a_subject_cannot_begin_another_line() {
        let text = String::from_utf8(bytes(&letter("a\r\nBcc: x@y", "-"))).unwrap();
        assert!(!text.contains("Bcc"));
        assert!(text.contains("\r\nDate: Sun, 22 Nov 2026 00:00:00 +0000\r\n"), "{text}");
        assert!(text.contains("\r\nMessage-ID: <1@x>\r\n"));
        assert!(text.contains("\r\nAuto-Submitted: auto-generated\r\n"));
    }
}
