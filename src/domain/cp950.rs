//! Code page 950 with its user-defined cells (造字).
//!
//! The assigned cells come from a table made once from a public codec (`tools/cp950-table.py`); the 6,217
//! user-defined ones go by Microsoft's formula into the private use area, so that two names that differ in one of
//! them stay different (REGULATIONS 2d). A WHATWG Big5 decoder would silently turn most of these cells into other
//! characters. A half character or an unassigned cell becomes one U+FFFD and is counted, never more.

use super::layout::Eudc;

/// Big-endian code points of the cells A140 to F9FE, 157 to a lead byte; 0 is unassigned.
static TABLE: &[u8; 89 * 157 * 2] = include_bytes!("cp950.bin");

/// What was replaced while decoding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Characters that became U+FFFD.
    pub replaced: u64,
    /// Those of them that were a half character: a lead byte without its trail.
    pub half: u64,
}

/// Whether a byte can be the second of a cell.
#[must_use]
pub const fn is_trail(byte: u8) -> bool {
    matches!(byte, 0x40..=0x7E | 0xA1..=0xFE | 0xFF)
}

/// Place of a trail byte in its row of 157.
const fn column(trail: u8) -> Option<u32> {
    match trail {
        0x40..=0x7E => Some(trail as u32 - 0x40),
        0xA1..=0xFE => Some(trail as u32 - 0x62),
        _ => None,
    }
}

/// The private use character of a user-defined cell (REGULATIONS 2d).
#[must_use]
pub fn private_use(lead: u8, trail: u8) -> Option<char> {
    let column = column(trail)?;
    let row = |first: u8| 157 * u32::from(lead - first) + column;
    let code = match lead {
        0x81..=0x8D => 0xEEB8 + row(0x81),
        0x8E..=0xA0 => 0xE311 + row(0x8E),
        0xC6 if trail >= 0xA1 => 0xF672 + row(0xC6),
        0xC7..=0xC8 => 0xF672 + row(0xC6),
        0xFA..=0xFE => 0xE000 + row(0xFA),
        _ => return None,
    };
    char::from_u32(code)
}

fn assigned(lead: u8, trail: u8) -> Option<char> {
    let row = u32::from(lead.checked_sub(0xA1)?);
    let at = usize::try_from((row * 157 + column(trail)?) * 2).ok()?;
    match (TABLE.get(at), TABLE.get(at + 1)) {
        (Some(0), Some(0)) => None,
        (Some(high), Some(low)) => char::from_u32(u32::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

fn cell(lead: u8, trail: u8, eudc: Eudc) -> Option<char> {
    match private_use(lead, trail) {
        Some(own) => (eudc == Eudc::MsPua).then_some(own),
        None => assigned(lead, trail),
    }
}

/// Decodes a field's bytes into `text`, which is not cleared.
pub fn decode_into(bytes: &[u8], eudc: Eudc, text: &mut String, tally: &mut Tally) {
    let mut rest = bytes;
    while let Some((&first, after)) = rest.split_first() {
        if first < 0x80 {
            let length = rest.iter().position(|b| *b >= 0x80).unwrap_or(rest.len());
            let (run, tail) = rest.split_at(length);
            text.push_str(std::str::from_utf8(run).unwrap_or_default());
            rest = tail;
            continue;
        }
        match after.split_first() {
            Some((&trail, tail)) if is_trail(trail) => {
                let decoded = cell(first, trail, eudc);
                tally.replaced += u64::from(decoded.is_none());
                text.push(decoded.unwrap_or(char::REPLACEMENT_CHARACTER));
                rest = tail;
            }
            // What follows is the beginning of something else.
            _ => {
                half(text, tally);
                rest = after;
            }
        }
    }
}

fn half(text: &mut String, tally: &mut Tally) {
    tally.replaced += 1;
    tally.half += 1;
    text.push(char::REPLACEMENT_CHARACTER);
}

/// Decodes a field's bytes.
#[must_use]
pub fn decode(bytes: &[u8], eudc: Eudc, tally: &mut Tally) -> String {
    let mut text = String::with_capacity(bytes.len());
    decode_into(bytes, eudc, &mut text, tally);
    text
}

/// Encodes a text, for making synthetic data; nothing where a character has no cell.
#[must_use]
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            bytes.push(u8::try_from(u32::from(c)).ok()?);
        } else {
            bytes.extend_from_slice(&cell_of(c)?);
        }
    }
    Some(bytes)
}

/// The cell of a character, by search: encoding is for fixtures only and need not be fast.
fn cell_of(c: char) -> Option<[u8; 2]> {
    (0x81..=0xFE_u8)
        .flat_map(|lead| (0x40..=0xFE_u8).map(move |trail| [lead, trail]))
        .filter(|[_, trail]| column(*trail).is_some())
        .find(|[lead, trail]| cell(*lead, *trail, Eudc::MsPua) == Some(c))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn one(bytes: &[u8], eudc: Eudc) -> (String, Tally) {
        let mut tally = Tally::default();
        (decode(bytes, eudc, &mut tally), tally)
    }

    #[test]
    fn user_defined_cells_follow_the_formula() {
        for (cell, code) in [
            (0x8140_u16, 0xEEB8_u32),
            (0x8742, 0xF268),
            (0x8DFE, 0xF6B0),
            (0x8E40, 0xE311),
            (0xA0FE, 0xEEB7),
            (0xC6A1, 0xF6B1),
            (0xC8FE, 0xF848),
            (0xFA40, 0xE000),
            (0xFEFE, 0xE310),
        ] {
            let (text, tally) = one(&cell.to_be_bytes(), Eudc::MsPua);
            assert_eq!(text.chars().next().map(u32::from), Some(code), "{cell:04X}");
            assert_eq!(tally, Tally::default());
            let (text, tally) = one(&cell.to_be_bytes(), Eudc::Refuse);
            assert_eq!((text.as_str(), tally.replaced), ("\u{FFFD}", 1));
        }
    }

    #[test]
    fn there_are_6217_user_defined_cells_and_no_two_are_the_same() {
        let cells: std::collections::BTreeSet<char> = (0x81..=0xFE)
            .flat_map(|l| (0x40..=0xFE).filter_map(move |t| private_use(l, t)))
            .collect();
        assert_eq!(cells.len(), 6217);
    }

    const CODEC_SHA256: &str = "a4a05c6a2e2b378c4b519cccc5b91399d939643bc9fa17fb83ff440b931e2742";

    /// The digest and the count come from another reading of the same bytes: Python's codec for the assigned cells,
    /// the four ranges in Microsoft's order for the user-defined ones.
    #[test]
    fn every_pair_of_bytes_decodes_as_in_the_public_codec() {
        let mut tally = Tally::default();
        let mut all = String::new();
        for lead in 0x80..=0xFF {
            for trail in 0..=0xFF {
                decode_into(&[lead, trail, b'A'], Eudc::MsPua, &mut all, &mut tally);
                all.push('\n');
            }
        }
        let digest = crate::domain::digest::Digest::of(all.as_bytes()).to_string();
        assert_eq!((digest.as_str(), tally.replaced), (CODEC_SHA256, 13_176));
    }

    #[test]
    fn refused_cells_are_replaced_and_assigned_ones_stay() {
        let (text, tally) = one(&[0xA4, 0x40, 0xC6, 0xA1, 0xC9, 0x40, 0xF9, 0xFE], Eudc::Refuse);
        assert_eq!((text.as_str(), tally), ("一\u{FFFD}乂▓", Tally { replaced: 1, half: 0 }));
    }

    #[test]
    fn trail_bytes_that_look_like_ascii_are_no_ascii() {
        let (text, _) =
            one(&[0xB3, 0x5C, 0xA5, 0x5C, 0xBB, 0x5C, 0xA8, 0x7C, 0xC2, 0x5C], Eudc::MsPua);
        assert_eq!(text, "許功蓋育擺");
    }

    #[test]
    fn a_half_character_becomes_one_replacement_and_takes_nothing_with_it() {
        assert_eq!(
            one(&[b'A', 0xB3], Eudc::MsPua),
            ("A\u{FFFD}".to_owned(), Tally { replaced: 1, half: 1 })
        );
        assert_eq!(one(&[0xB3, b'1', b'2'], Eudc::MsPua).0, "\u{FFFD}12");
        // 90 is no trail, and so the lead of the next cell.
        assert_eq!(one(&[0xB3, 0x90, 0xB3, 0x5C], Eudc::MsPua).0, "\u{FFFD}\u{E49C}\\");
    }

    #[test]
    fn the_missing_mark_is_a_character() {
        assert_eq!(one(&[0xA1, 0xBD], Eudc::MsPua).0, "■");
    }

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        let text = "A許功蓋■\u{F268}堂1";
        assert_eq!(one(&encode(text).unwrap(), Eudc::MsPua).0, text);
        assert_eq!(encode("鱻"), None);
    }
}
