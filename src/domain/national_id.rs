//! ID numbers: 國民身分證統一編號 and the two 統一證號 of foreigners (REGULATIONS 2c).
//!
//! A failed check is counted and reported; it never keeps a person out.

/// What an ID number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberKind {
    /// A letter, 1 or 2, and eight digits.
    National,
    /// A letter, 8 or 9, and eight digits: since 2021.
    NewArc,
    /// Two letters and eight digits: before 2021.
    OldArc,
}

/// The two digits that a letter stands for.
const fn value(letter: u8) -> Option<u32> {
    Some(match letter {
        b'A'..=b'H' => 10 + (letter - b'A') as u32,
        b'I' => 34,
        b'J'..=b'N' => 18 + (letter - b'J') as u32,
        b'O' => 35,
        b'P'..=b'V' => 23 + (letter - b'P') as u32,
        b'W' => 32,
        b'X' => 30,
        b'Y' => 31,
        b'Z' => 33,
        _ => return None,
    })
}

/// The kind of a number by its shape, whatever its check digit.
#[must_use]
pub fn shape(number: &str) -> Option<NumberKind> {
    let [first, second, rest @ ..] = number.as_bytes() else { return None };
    if rest.len() != 8 || !rest.iter().all(u8::is_ascii_digit) || value(*first).is_none() {
        return None;
    }
    match second {
        b'1' | b'2' => Some(NumberKind::National),
        b'8' | b'9' => Some(NumberKind::NewArc),
        b'A'..=b'D' => Some(NumberKind::OldArc),
        _ => None,
    }
}

/// The kind of a number whose check digit is right.
#[must_use]
pub fn judge(number: &str) -> Option<NumberKind> {
    let kind = shape(number)?;
    let bytes = number.as_bytes();
    let letter = value(*bytes.first()?)?;
    let mut sum = letter / 10 + letter % 10 * 9;
    for (n, byte) in bytes.iter().enumerate().skip(1) {
        let digit = if byte.is_ascii_digit() { u32::from(byte - b'0') } else { value(*byte)? % 10 };
        let weight = if n == 9 { 1 } else { 9 - u32::try_from(n).ok()? };
        sum += digit * weight;
    }
    (sum % 10 == 0).then_some(kind)
}

/// Whether a text holds anything in the shape of an ID number, full-width and lower case included, also with
/// spaces or dashes between its characters: such a text never enters the register.
#[must_use]
pub fn found_in(text: &str) -> bool {
    // Of SHA-256 digests, one in some thousands begins like a number.
    if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
        return false;
    }
    // Each character, and whether something that is left out stood before it.
    let mut narrow: Vec<(char, bool)> = Vec::new();
    let mut gap = false;
    for c in text.chars() {
        // Hyphens and dashes of every width.
        let dash = matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{FF0D}');
        if dash || c.is_whitespace() {
            gap = true;
            continue;
        }
        let c = match u32::from(c) {
            wide @ 0xFF01..=0xFF5E => char::from_u32(wide - 0xFEE0).unwrap_or(c),
            _ => c,
        };
        narrow.push((c.to_ascii_uppercase(), std::mem::take(&mut gap)));
    }
    narrow.windows(10).enumerate().any(|(n, window)| {
        let number: String = window.iter().map(|(c, _)| c).collect();
        // A number goes on where a letter or digit joins it; the word before it, or the count after it, does not.
        let joined_before = n > 0
            && !window[0].1
            && narrow.get(n - 1).is_some_and(|(c, _)| c.is_ascii_alphanumeric());
        let joined_after = narrow.get(n + 10).is_some_and(|(c, gap)| !gap && c.is_ascii_digit());
        shape(&number).is_some() && !joined_before && !joined_after
    })
}

/// A text for an error message: what has the shape of an ID number is not repeated.
#[must_use]
pub fn masked(text: &str) -> String {
    if found_in(text) { "(hidden)".to_owned() } else { text.chars().take(80).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_no_number_whatever_it_begins_with() {
        let digest = format!("a123456789{}", "c".repeat(54));
        assert!(!found_in(&digest));
        assert!(found_in(&digest[..63]) && found_in(&digest.to_uppercase()));
    }

    #[test]
    fn a_number_after_a_word_or_before_a_count_is_found() {
        for text in [
            "for A123456789",
            "because of A123456789",
            "x A123456789 y",
            "A123456789 3 times",
            "see\tA123456789",
            "see A 123 456 789",
            "of ａ１２３４５６７８９",
        ] {
            assert!(found_in(text), "{text}");
        }
        for text in ["XA123456789", "A1234567890", "order o-00000001", "府民戶字第1150001234號"]
        {
            assert!(!found_in(text), "{text}");
        }
    }

    #[test]
    fn the_vectors_of_the_check_digit() {
        let valid = "A123456789 F131104093 A100000001 F222222222 H100000008 M298765437 O123456782 I123456781 \
                     W123456789 Z123456780 A200000003 A160000009 A270000004";
        for number in valid.split_whitespace() {
            assert_eq!(judge(number), Some(NumberKind::National), "{number}");
        }
        for number in "A800000014 F870000001 H980000008 M990000004 I800000007".split_whitespace() {
            assert_eq!(judge(number), Some(NumberKind::NewArc), "{number}");
        }
        for number in
            "AA00000009 AB23456789 AC01234567 FA12345689 FC12345674 HD98765436".split_whitespace()
        {
            assert_eq!(judge(number), Some(NumberKind::OldArc), "{number}");
        }
        let invalid =
            "A123456780 B142536470 Z299999999 A900000003 DD12345678 A323456789 a123456789 Ａ１２３";
        for number in invalid.split_whitespace() {
            assert_eq!(judge(number), None, "{number}");
        }
    }

    #[test]
    fn an_id_number_in_a_text_is_found() {
        for text in [
            "案件 A123456780 查核",
            "a123456789",
            "Ａ１２３４５６７８９",
            "A 123 456 789",
            "x: AB23456780.",
        ] {
            assert!(found_in(text), "{text}");
        }
        for text in ["府民戶字第1150001234號", "MOCA-1151121-0007", "115-001", "HR-PERSON-01"]
        {
            assert!(!found_in(text), "{text}");
        }
    }
}
