//! What is known of a delivery before it is one: who was told of it by whom (the notice chain of TPH-6.1), and what a
//! letter announced where the provider writes no manifest.

use super::words::words;

words! {
    /// Who told whom.
    NoticeStage {
        /// The provider told this agency: the official time of notice (提供機關通知時間).
        Provider = "provider",
        /// The business unit told the IT office to fetch it.
        ToIt = "to-it",
        /// The IT office told the business unit that it is there.
        ToUnit = "to-unit",
    }
    /// How.
    NoticeChannel {
        /// By letter.
        Letter = "letter",
        /// By electronic mail.
        Email = "email",
        /// By telephone.
        Phone = "phone",
        /// In person.
        InPerson = "in-person",
    }
    /// Where a row of the printed register stands that no batch has.
    EarlyState {
        /// Somebody was told of the delivery.
        Told = "told",
        /// A letter was typed, and waits for a second person.
        Announced = "announced",
        /// Two people typed and read the letter.
        Confirmed = "confirmed",
        /// The announcement was taken back, or the notice.
        Withdrawn = "withdrawn",
        /// The delivery was seen, and is not claimed yet.
        Seen = "seen",
        /// It went away before it was claimed.
        Gone = "gone",
        /// It is about a batch that has rows of its own.
        Joined = "joined",
    }
    /// Where a row stands.
    NotifiedState {
        /// Somebody was told, and nothing is announced.
        Told = "told",
        /// A letter was typed, and waits for a second person.
        Announced = "announced",
        /// Two people typed and read the letter: files that match are a delivery.
        Confirmed = "confirmed",
        /// A batch came of it.
        Arrived = "arrived",
        /// The announcement was taken back, or the notice.
        Withdrawn = "withdrawn",
    }
}

/// Whether `name` is one that `pattern` means: `*` stands for any characters, `?` for one, everything else for itself.
/// A name with a path is never meant.
#[must_use]
pub fn is_meant(pattern: &str, name: &str) -> bool {
    if name.contains('/') {
        return false;
    }
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stood, and how far the name was then: what follows it is tried at each later place.
    let mut last: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                last = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match last {
                Some((star, at)) => {
                    last = Some((star, at + 1));
                    p = star + 1;
                    n = at + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Whether a name could be one that both patterns mean.
#[must_use]
pub fn may_both_mean(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    // Whether the rest of `one` from here and the rest of `other` from each place have a name in common; from the ends on.
    let mut below = vec![false; other.len() + 1];
    for p in (0..=one.len()).rev() {
        let mut row = vec![false; other.len() + 1];
        for q in (0..=other.len()).rev() {
            let later = |q: usize| below.get(q).copied().unwrap_or_default();
            let beside = row.get(q + 1).copied().unwrap_or_default();
            row[q] = match (one.get(p), other.get(q)) {
                (None, None) => true,
                (Some('*'), _) | (_, Some('*')) => later(q) || beside,
                (Some(a), Some(b)) => (a == b || *a == '?' || *b == '?') && later(q + 1),
                (None, Some(_)) | (Some(_), None) => false,
            };
        }
        below = row;
    }
    below.first().copied().unwrap_or_default()
}

/// Whether a text can be a pattern: one part of a path, nothing hidden, and not everything there is.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    const CHARS_MAX: usize = 200;
    !text.is_empty()
        && text.chars().count() <= CHARS_MAX
        && !text.starts_with('.')
        && !text.contains(['/', '\\'])
        && !text.contains(char::is_control)
        && text.chars().any(|c| !matches!(c, '*' | '?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_names_and_no_paths() {
        for (pattern, name, meant) in [
            ("戶籍*.zip", "戶籍資料1151121.zip", true),
            ("戶籍*.zip", "戶籍.zip", true),
            ("戶籍*.zip", "戶籍.zip.txt", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?c", "a中c", true),
            ("*.age", "x/y.age", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("**", "anything", true),
            ("exact.age", "exact.age", true),
            ("exact.age", "exact.ages", false),
            ("[a].age", "[a].age", true),
        ] {
            assert_eq!(is_meant(pattern, name), meant, "{pattern} {name}");
        }
    }

    #[test]
    fn patterns_that_mean_one_name_are_known() {
        for (one, other, both) in [
            ("*.age", "HR*.age", true),
            ("HR*.age", "HQ*.age", false),
            ("HR-1.age", "HR-?.age", true),
            ("HR-1.age", "HR-2.age", false),
            ("a*", "*b", true),
            ("a*c", "a*d", false),
            ("*x*", "abc", false),
            ("戶籍*.zip", "戶籍資料.zip", true),
            ("a", "a?", false),
            ("a*", "a", true),
        ] {
            assert_eq!(may_both_mean(one, other), both, "{one} {other}");
            assert_eq!(may_both_mean(other, one), both, "{other} {one}");
        }
    }

    #[test]
    fn many_stars_do_not_take_long() {
        assert!(!is_meant(&"*a".repeat(60), &"a".repeat(59)));
        assert!(is_meant(&"*a".repeat(60), &"ab".repeat(59).replace('b', "aa")));
    }

    #[test]
    fn a_pattern_is_one_part_and_means_something() {
        for good in ["*.age", "戶籍*.zip", "a"] {
            assert!(is_pattern(good), "{good}");
        }
        for bad in ["", "*", "*?*", "../a", "a/b", "a\\b", ".hidden", "a\nb"] {
            assert!(!is_pattern(bad), "{bad}");
        }
    }
}
