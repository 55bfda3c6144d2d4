//! The language of what is shown: `--lang`, else the locale.
#![expect(
    clippy::disallowed_methods,
    reason = "the locale is read here, and decides nothing but the language"
)]

use std::ffi::OsString;

use clap::ValueEnum;

use super::speech::Language;

/// The language of a command line. It is found before the line is parsed, so that help and what is wrong with the
/// line are shown in it too.
pub(super) fn language(arguments: &[OsString]) -> Language {
    let words: Vec<_> = arguments.iter().skip(1).map_while(|word| word.to_str()).collect();
    let asked = words.iter().enumerate().find_map(|(n, word)| match word.strip_prefix("--lang") {
        Some("") => words.get(n + 1).copied(),
        Some(rest) => rest.strip_prefix('='),
        None => None,
    });
    asked.and_then(|word| Language::from_str(word, false).ok()).unwrap_or_else(|| {
        // The order of POSIX: the first that is set and not empty counts.
        let set = |name| std::env::var(name).ok().filter(|text: &String| !text.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        of_locale(locale.as_deref().unwrap_or_default())
    })
}

/// The language that is nearest to a locale.
fn of_locale(locale: &str) -> Language {
    let name = locale.replace('-', "_");
    if ["zh_TW", "zh_Hant"].iter().any(|chinese| name.starts_with(chinese)) {
        Language::Chinese
    } else {
        Language::English
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_decides_where_nothing_was_asked_for() {
        for locale in ["zh_TW", "zh_TW.UTF-8", "zh-TW", "zh_Hant_HK", "zh_Hant"] {
            assert_eq!(of_locale(locale), Language::Chinese, "{locale}");
        }
        for locale in ["", "C", "en_US.UTF-8", "zh_CN.UTF-8", "zh", "ja_JP"] {
            assert_eq!(of_locale(locale), Language::English, "{locale}");
        }
    }

    #[test]
    fn what_was_asked_for_stands_above_the_locale() {
        let asked = |line: &str| language(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(asked("batchward --lang zh-TW check"), Language::Chinese);
        assert_eq!(asked("batchward check --lang=zh-TW"), Language::Chinese);
        assert_eq!(asked("batchward check --lang en"), Language::English);
    }
}
