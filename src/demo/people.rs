//! Synthetic residents, as fixed-width CP950 records of the layout `hr-person-01`.
//!
//! Nobody is described. No range of ID numbers is reserved for tests, so every check digit is wrong on purpose but
//! those of a few, which are paired with invented names. What is odd in real files is here too: user-defined cells,
//! rare and missing characters, trail bytes 5C and 7C, U+3000 padding, unknown, impossible and pre-1912 dates.

use std::io::{self, Write};

use crate::domain::{cp950, national_id};

/// Bytes of a record with its CR LF.
const RECORD_BYTES: usize = 427;

/// One in so many ID numbers has the right check digit.
const RIGHT_NUMBER_EVERY: u64 = 20_000;

const SURNAMES: &str = "陳 林 黃 張 李 王 吳 劉 蔡 許 鄭 潘 歐陽 鋐 龢";
const GIVEN: &str = "怡婷 志明 淑芬 俊傑 美玲 家豪 雅雯 宗翰 秀英 建宏 欣怡 功蓋 育擺 淼粧 恒裏 翀 ■雄 \u{F268}明 \
                     阿穆伊‧古拉斯";
/// Villages with their codes: each name stands for one code.
const VILLAGES: &str = "文昌里 瑞塘里 中成里 自立里 海口里 內海里 三光里 塭底里 糖\u{E000}里 瓦■里";
const STREETS: &str = "中正路 中山路 民生街 大同街 復興路 海口街";
const RELATIONSHIPS: &str = "戶長 配偶 長子 長女 次子 母 寄居";

/// A generator of numbers (SplitMix64): the same seed gives the same people.
struct Numbers(u64);

impl Numbers {
    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    const fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one<'w>(&mut self, words: &'w [Vec<u8>]) -> &'w [u8] {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words.get(at).map_or(&[], Vec::as_slice)
    }
}

/// The words in CP950, encoded once.
struct Words {
    surnames: Vec<Vec<u8>>,
    given: Vec<Vec<u8>>,
    villages: Vec<Vec<u8>>,
    streets: Vec<Vec<u8>>,
    relationships: Vec<Vec<u8>>,
    number_sign: Vec<u8>,
}

impl Words {
    fn new() -> Self {
        let encode = |word: &str| cp950::encode(word).unwrap_or_default();
        let list = |words: &str| words.split_whitespace().map(encode).collect();
        Self {
            surnames: list(SURNAMES),
            given: list(GIVEN),
            villages: list(VILLAGES),
            streets: list(STREETS),
            relationships: list(RELATIONSHIPS),
            number_sign: encode("號"),
        }
    }
}

/// Writes `count` people: records of 425 bytes and CR LF, the same for the same `seed`.
///
/// # Errors
/// The sink's.
pub fn residents(seed: u64, count: u64, sink: &mut dyn Write) -> io::Result<()> {
    let mut numbers = Numbers(seed);
    let words = Words::new();
    let mut line = Line(Vec::with_capacity(RECORD_BYTES));
    for n in 0..count {
        line.0.clear();
        person(&mut line, &mut numbers, &words, n)?;
        sink.write_all(&line.0)?;
    }
    Ok(())
}

fn person(line: &mut Line, numbers: &mut Numbers, words: &Words, n: u64) -> io::Result<()> {
    let surname = numbers.one(&words.surnames);
    let village = numbers.below(words.villages.len() as u64);
    let at = usize::try_from(village).unwrap_or(0);
    let sex = 1 + numbers.below(2);
    line.field(2, b"01");
    line.0.extend_from_slice(&number(numbers, sex, n % RIGHT_NUMBER_EVERY == 7));
    // In a few records the padding is the full-width space.
    line.name(surname, numbers.one(&words.given), n % 97 == 5);
    birth(line, numbers, n)?;
    write!(line.0, "{sex}E{:07}", numbers.below(10_000_000))?;
    let head_sex = 1 + numbers.below(2);
    line.0.extend_from_slice(&number(numbers, head_sex, false));
    line.field(20, numbers.one(&words.relationships));
    write!(line.0, "67000180{:03}", 1 + village)?;
    line.field(20, words.villages.get(at).map_or(&[], Vec::as_slice));
    write!(line.0, "{:03}", 1 + numbers.below(30))?;
    line.address(numbers, words)?;
    line.name(surname, numbers.one(&words.given), false);
    line.name(numbers.one(&words.surnames), numbers.one(&words.given), false);
    let married = numbers.below(2) == 0;
    if married {
        line.name(numbers.one(&words.surnames), numbers.one(&words.given), false);
        line.0.extend_from_slice(&number(numbers, 3 - sex, false));
    } else {
        line.field(60, b"");
    }
    let indigenous = numbers.below(40) == 0;
    write!(line.0, "{}{:02}0", 1 + u64::from(married), 10 + numbers.below(8))?;
    line.field(3, if indigenous { b"101" } else { b"0" });
    line.field(7, b"1100701");
    line.field(2, b"");
    line.field(7, b"1151101");
    line.0.extend_from_slice(b"\r\n");
    Ok(())
}

/// A record that grows field by field.
struct Line(Vec<u8>);

impl Line {
    fn field(&mut self, width: usize, text: &[u8]) {
        let end = self.0.len() + width;
        self.0.extend_from_slice(text);
        self.0.resize(end, b' ');
    }

    fn name(&mut self, surname: &[u8], given: &[u8], wide: bool) {
        let end = self.0.len() + 50;
        self.0.extend_from_slice(surname);
        self.0.extend_from_slice(given);
        while wide && self.0.len() + 2 <= end {
            self.0.extend_from_slice(&[0xA1, 0x40]);
        }
        self.0.resize(end, b' ');
    }

    fn address(&mut self, numbers: &mut Numbers, words: &Words) -> io::Result<()> {
        let end = self.0.len() + 100;
        self.0.extend_from_slice(numbers.one(&words.streets));
        write!(self.0, "{}", 1 + numbers.below(400))?;
        self.0.extend_from_slice(&words.number_sign);
        self.0.resize(end, b' ');
        Ok(())
    }
}

/// An ID number, whose check digit is wrong unless it is to be `right`.
fn number(numbers: &mut Numbers, sex: u64, right: bool) -> [u8; 10] {
    let mut number = [b'0'; 10];
    let digit = |value: u64| b'0' + u8::try_from(value % 10).unwrap_or(0);
    let mut serial = numbers.below(10_000_000);
    number[0] = b'A' + u8::try_from(numbers.below(26)).unwrap_or(0);
    number[1] = digit(sex);
    for place in number[2..9].iter_mut().rev() {
        *place = digit(serial);
        serial /= 10;
    }
    let is_right = |last: &u8| {
        let mut whole = number;
        whole[9] = *last;
        std::str::from_utf8(&whole).is_ok_and(|text| national_id::judge(text).is_some())
    };
    let check = (b'0'..=b'9').find(is_right).unwrap_or(b'0');
    number[9] = if right { check } else { digit(u64::from(check - b'0') + 1) };
    number
}

fn birth(line: &mut Line, numbers: &mut Numbers, n: u64) -> io::Result<()> {
    match n % 5_000 {
        11 => line.field(7, b"0580000"),
        12 => line.field(7, b"0900229"),
        13 => line.field(7, b"-010315"),
        14 => line.field(7, b""),
        15 => line.field(7, b"0890229"),
        _ => {
            let (year, month, day) = (numbers.below(90), numbers.below(12), numbers.below(28));
            write!(line.0, "{:03}{:02}{:02}", 20 + year, 1 + month, 1 + day)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;
    use crate::domain::{
        layout::{Encoding, Eudc, Field, FieldKind, Format, Layout, Terminator},
        manifest::Kind,
        record::{Decoder, Record},
    };

    fn bytes(seed: u64, count: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        residents(seed, count, &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn the_same_seed_gives_the_same_records_of_427_bytes() {
        let one = bytes(7, 300);
        assert_eq!(one, bytes(7, 300));
        assert_ne!(one, bytes(8, 300));
        assert_eq!(one.len(), 300 * RECORD_BYTES);
        assert!(one.chunks(RECORD_BYTES).all(|r| r.ends_with(b"\r\n")));
    }

    #[test]
    fn almost_every_check_digit_is_wrong_on_purpose() {
        let all = bytes(7, 300);
        let (mut right, mut seen) = (0, 0);
        for record in all.chunks(RECORD_BYTES) {
            // The person's own, the head's, the spouse's.
            for at in [2, 78, 392] {
                let number = std::str::from_utf8(&record[at..at + 10]).unwrap();
                if !number.trim().is_empty() {
                    assert!(national_id::shape(number).is_some(), "{number}");
                    right += usize::from(national_id::judge(number).is_some());
                    seen += 1;
                }
            }
        }
        assert_eq!(right, 1);
        assert!(seen > 600);
    }

    /// The four items of a link as they lie in the record of `hr-person-01`.
    fn layout() -> Layout {
        let field = |(name, bytes, kind): (&str, usize, FieldKind)| {
            let (name, title) = (name.to_owned(), name.to_owned());
            Field { name, title, aliases: Vec::new(), bytes, kind, key: false, required: false }
        };
        let fields = [
            ("before", 2, FieldKind::Code),
            ("national_id", 10, FieldKind::NationalId),
            ("name", 50, FieldKind::Text),
            ("birth_date", 7, FieldKind::RocDate),
            ("between", 50, FieldKind::Text),
            ("village_name", 20, FieldKind::Text),
            ("after", 286, FieldKind::Text),
        ];
        Layout {
            name: "residents".to_owned(),
            format: Format::FixedWidth { record_bytes: RECORD_BYTES - 2 },
            encoding: Encoding::Cp950(Eudc::MsPua),
            terminator: Terminator::CrLf,
            before_roc: '-',
            fields: fields.map(field).to_vec(),
        }
    }

    #[test]
    fn everything_odd_is_there_and_nothing_is_broken() {
        let layout = layout();
        let names: Vec<String> = layout.fields.iter().map(|f| f.name.clone()).collect();
        let mut decoder = Decoder::new(&layout, &names, Kind::Full).unwrap();
        let mut sink = |record: Record<'_>| -> Result<(), ()> {
            assert_eq!(record.values[0], "01");
            assert!(!record.values[2].is_empty() && !record.values[2].ends_with('\u{3000}'));
            Ok(())
        };
        decoder.push(&bytes(1, 5_000), &mut sink).unwrap();
        decoder.end_of_file(&mut sink).unwrap();
        let findings = serde_json::to_value(decoder.findings()).unwrap();
        assert_eq!(findings["national_id"]["checksum_failed"], 4_999);
        assert_eq!(
            findings["birth_date"],
            serde_json::json!({ "unknown": 1, "impossible": 1, "before_roc": 1 })
        );
        for (field, kind) in [("name", "private_use"), ("name", "missing_mark")] {
            assert!(findings[field][kind].as_u64() > Some(0), "{field} {kind}: {findings}");
        }
        for field in ["name", "village_name", "between", "after"] {
            assert_eq!(findings[field]["replaced"], 0, "{findings}");
        }
        assert!(findings.get("half_character").is_none());
    }
}
