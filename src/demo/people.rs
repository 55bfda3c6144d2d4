//! Synthetic residents, as fixed-width CP950 records of the layout `hr-person-01`.
//!
//! Nobody is described. No range of ID numbers is reserved for tests, so every check digit is wrong on purpose but
//! those of a few, which are paired with invented names. What is odd in real files is here too: user-defined cells,
//! missing characters, U+3000 padding, unknown and pre-1912 dates.

use std::io::{self, Write};

use crate::domain::{cp950, national_id};

const SURNAMES: [&str; 12] =
    ["陳", "林", "黃", "張", "李", "王", "吳", "劉", "蔡", "許", "鄭", "潘"];
const GIVEN: [&str; 14] = [
    "怡婷",
    "志明",
    "淑芬",
    "俊傑",
    "美玲",
    "家豪",
    "雅雯",
    "宗翰",
    "秀英",
    "建宏",
    "欣怡",
    "功蓋",
    "育擺",
    "\u{F268}明",
];
const VILLAGES: [&str; 8] =
    ["文昌里", "瑞塘里", "中成里", "自立里", "海口里", "內海里", "糖\u{E000}里", "瓦■里"];

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
}

/// The words in CP950, encoded once.
struct Words {
    surnames: Vec<Vec<u8>>,
    given: Vec<Vec<u8>>,
    villages: Vec<Vec<u8>>,
}

impl Words {
    fn new() -> Self {
        let encode =
            |words: &[&str]| words.iter().map(|w| cp950::encode(w).unwrap_or_default()).collect();
        Self { surnames: encode(&SURNAMES), given: encode(&GIVEN), villages: encode(&VILLAGES) }
    }
}

fn pick<'a>(numbers: &mut Numbers, words: &'a [Vec<u8>]) -> &'a [u8] {
    let at = usize::try_from(numbers.below(words.len() as u64)).unwrap_or(0);
    words.get(at).map_or(&[], Vec::as_slice)
}

/// Writes `count` people.
///
/// # Errors
/// The sink's.
pub fn residents(seed: u64, count: u64, sink: &mut dyn Write) -> io::Result<()> {
    let mut numbers = Numbers(seed);
    let words = Words::new();
    for n in 0..count {
        sink.write_all(&record(&mut numbers, &words, n))?;
    }
    Ok(())
}

fn record(numbers: &mut Numbers, words: &Words, n: u64) -> Vec<u8> {
    let mut record = Vec::with_capacity(427);
    record.extend_from_slice(b"01");
    record.extend_from_slice(number(numbers, n).as_bytes());
    let mut name = pick(numbers, &words.surnames).to_vec();
    name.extend_from_slice(pick(numbers, &words.given));
    // In a few records the padding is the full-width space.
    let wide: &[u8] = if n % 97 == 5 { &[0xA1, 0x40] } else { b" " };
    pad(&mut record, &name, 50, wide);
    record.extend_from_slice(birth(numbers, n).as_bytes());
    pad(&mut record, if numbers.below(2) == 0 { b"1" } else { b"2" }, 1, b" ");
    // Household, head, relationship and district: fields that no link of the demo approves.
    pad(&mut record, b"E5815657", 8 + 10 + 20 + 8 + 3, b" ");
    pad(&mut record, pick(numbers, &words.villages), 20, b" ");
    pad(&mut record, b"", 425 - 139, b" ");
    record.extend_from_slice(b"\r\n");
    record
}

fn pad(record: &mut Vec<u8>, text: &[u8], width: usize, with: &[u8]) {
    let end = record.len() + width;
    record.extend_from_slice(text);
    while record.len() + with.len() <= end {
        record.extend_from_slice(with);
    }
    record.resize(end, b' ');
}

/// An ID number whose check digit is wrong, but for one in 20,000.
fn number(numbers: &mut Numbers, n: u64) -> String {
    let letter = char::from(b'A' + u8::try_from(numbers.below(26)).unwrap_or(0));
    let body = format!("{letter}{}{:07}", 1 + numbers.below(2), numbers.below(10_000_000));
    let right = (0..10)
        .map(|digit| format!("{body}{digit}"))
        .find(|number| national_id::judge(number).is_some());
    let right = right.unwrap_or_else(|| format!("{body}0"));
    if n % 20_000 == 7 {
        return right;
    }
    let last = right.bytes().last().unwrap_or(b'0') - b'0';
    format!("{body}{}", (last + 1) % 10)
}

fn birth(numbers: &mut Numbers, n: u64) -> String {
    match n % 5_000 {
        11 => "0580000".to_owned(),
        12 => "0900229".to_owned(),
        13 => "-010315".to_owned(),
        _ => format!(
            "{:03}{:02}{:02}",
            20 + numbers.below(90),
            1 + numbers.below(12),
            1 + numbers.below(28)
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_records_of_427_bytes() {
        let (mut one, mut two) = (Vec::new(), Vec::new());
        residents(7, 300, &mut one).unwrap();
        residents(7, 300, &mut two).unwrap();
        assert_eq!(one, two);
        assert_eq!(one.len(), 300 * 427);
        assert!(one.chunks(427).all(|r| r.ends_with(b"\r\n")));
    }

    #[test]
    fn almost_every_check_digit_is_wrong_on_purpose() {
        let mut bytes = Vec::new();
        residents(7, 100, &mut bytes).unwrap();
        let right = bytes
            .chunks(427)
            .filter(|r| national_id::judge(std::str::from_utf8(&r[2..12]).unwrap()).is_some())
            .count();
        assert_eq!(right, 1);
    }
}
