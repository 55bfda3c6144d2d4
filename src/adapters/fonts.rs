//! Fonts with Traditional Chinese characters, of those that are installed, the best for a form first.

use std::path::PathBuf;

use super::{files, machine::Machine};

/// How names of font files begin, in lower case: the regular script that forms of the administration have first, the
/// widest sets of characters before others.
const ORDER: [&str; 16] = [
    "tw-kai-9",
    "tw-kai",
    "twkai",
    "kaiu",
    "edukai",
    "ukai",
    "notoserifcjk-regular",
    "notoseriftc-regular",
    "notosanscjk-regular",
    "notosanstc-regular",
    "tw-sung",
    "twsung",
    "mingliu",
    "uming",
    "msjh",
    "droidsansfallbackfull",
];
/// Parts of names of faces that are not for running text.
const OTHER: [&str; 6] = ["-bold", "-black", "-light", "-medium", "-thin", "mono"];
/// Bytes of one font file: the largest collections have a hundred megabytes.
const FONT_BYTES_MAX: u64 = 256 << 20;

/// The files, the best first.
#[must_use]
pub fn found(machine: &Machine) -> Vec<PathBuf> {
    let name = |path: &PathBuf| {
        path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
    };
    let rank = |path: &PathBuf| {
        let name = name(path);
        let other = OTHER.iter().any(|part| name.contains(part));
        let place = ORDER.iter().position(|start| name.starts_with(start));
        (other, place.unwrap_or(ORDER.len()), name)
    };
    let mut files = machine.fonts();
    files.sort_by_cached_key(rank);
    files
}

/// Their bytes, one file after the other and each only when it is asked for; what cannot be read is passed over.
pub fn bytes(files: Vec<PathBuf>) -> impl Iterator<Item = Vec<u8>> {
    files.into_iter().filter_map(|path| files::read(&path, FONT_BYTES_MAX).ok())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::fs;

    use super::*;

    #[test]
    fn the_regular_script_comes_first_and_bold_faces_last() {
        let dir = tempfile::tempdir().unwrap();
        let fonts = dir.path().join("usr/share/fonts/any");
        fs::create_dir_all(&fonts).unwrap();
        for name in [
            "NotoSansCJK-Bold.ttc",
            "NotoSansCJK-Regular.ttc",
            "TW-Kai-Ext-B-98_1.ttf",
            "TW-Kai-98_1.ttf",
            "uming.ttc",
        ] {
            fs::write(fonts.join(name), name).unwrap();
        }
        let files = found(&Machine::below(dir.path()));
        let texts: Vec<_> = bytes(files).map(|bytes| String::from_utf8(bytes).unwrap()).collect();
        let expected = [
            "TW-Kai-98_1.ttf",
            "TW-Kai-Ext-B-98_1.ttf",
            "NotoSansCJK-Regular.ttc",
            "uming.ttc",
            "NotoSansCJK-Bold.ttc",
        ];
        assert_eq!(texts, expected);
    }
}
