//! Control files of every kind, and what a hostile sender makes of them. Synthetic.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::domain::cp950;

const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn profile(form: ManifestForm) -> Profile {
    Profile { form, ..Profile::default() }
}

fn ctl(bytes: &[u8]) -> Result<Option<Stated>, ControlFault> {
    let documents = [(b"HRP-0007.CTL".to_vec(), Document::Bytes(bytes.to_vec()))];
    read(&profile(ManifestForm::Ctl), &documents)
}

fn good() -> String {
    format!(
        "表號=HR-PERSON-01\n檔名=HRP-0007.dat.age\n產製日期時間=1151121090000\n筆數=1000\n位元組數=427296\nSHA-256={HEX}\n序號=0007\n加密方式=age\n"
    )
}

#[test]
fn a_control_file_is_read_in_both_encodings_and_with_both_line_ends() {
    let utf8 = ctl(good().as_bytes()).unwrap().unwrap();
    assert_eq!(utf8.table_no.as_deref(), Some("HR-PERSON-01"));
    assert_eq!(utf8.number.as_deref(), Some("HRP-0007"));
    assert_eq!((utf8.sequence, utf8.records), (Some(7), Some(1000)));
    let at = Timestamp::parse("2026-11-21T09:00:00+08:00").unwrap();
    assert_eq!(utf8.made_at, Some(at));
    let file = &utf8.files[0];
    assert_eq!((file.name.as_str(), file.bytes), ("HRP-0007.dat.age", Some(427_296)));
    let same = |bytes: &[u8]| {
        let read = ctl(bytes).unwrap().unwrap();
        assert_eq!(Stated { signed: None, ..read }, Stated { signed: None, ..utf8.clone() });
    };
    same(&cp950::encode(&good()).unwrap());
    same(&cp950::encode(&good().replace('\n', "\r\n")).unwrap());
    same(format!("\u{FEFF}{}\x1A", good().replace('\n', "\r\n")).as_bytes());
    same(good().replace('=', "：").as_bytes());
    same(format!("# 註\n\n; x\n{}其他欄位=不理\n", good().replace('=', " : ")).as_bytes());
}

#[test]
fn of_a_control_file_that_is_none_the_fault_is_told() {
    use ControlFault::{Doubled, Encoding, Line, Missing, OutOfRange, UnsafeName};
    for (from, to, fault) in [
        ("筆數=1000", "筆數=-1", OutOfRange("records")),
        ("筆數=1000", "筆數=99999999999999999999999", OutOfRange("records")),
        ("筆數=1000", "筆數=18446744073709551616", OutOfRange("records")),
        ("筆數=1000", "筆數=１０００", OutOfRange("records")),
        ("筆數=1000\n", "", Missing("records")),
        ("筆數=1000", "筆數=1000\n筆數=1000", Doubled("records")),
        ("位元組數=427296\n", "", Missing("bytes")),
        ("SHA-256=00", "SHA-256=0", OutOfRange("sha256")),
        ("檔名=HRP-0007.dat.age\n", "", Missing("file")),
        ("檔名=", "檔名=../", UnsafeName),
        ("檔名=", "檔名=C:\\", UnsafeName),
        ("檔名=HRP-0007.dat.age", "檔名=..", UnsafeName),
        ("檔名=HRP-0007.dat.age", "檔名=", UnsafeName),
        ("檔名=HRP-0007.dat.age", "檔名=manifest.yaml", UnsafeName),
        ("檔名=HRP", "檔名=a\u{202E}", UnsafeName),
        ("序號=0007", "序號=7a", OutOfRange("sequence")),
        ("表號=HR-PERSON-01", "表號", Line),
        ("表號=HR", "=HR", Line),
        ("表號=HR", "表號=\0HR", Encoding),
        ("產製日期時間=1151121090000", "產製日期時間=1159921090000", OutOfRange("made_at")),
        ("序號=0007", "批號=A123456789", OutOfRange("number")),
        ("序號=0007", "檔案類別=半", OutOfRange("kind")),
    ] {
        assert_eq!(ctl(good().replace(from, to).as_bytes()), Err(fault), "{to}");
    }
    let mut half = cp950::encode(&good()).unwrap();
    half.push(0xA4);
    assert_eq!(ctl(&half), Err(Encoding));
    assert_eq!(ctl(b"\xFF\xFEh\0i\0"), Err(Encoding));
}

#[test]
fn several_files_are_counted_each_and_together() {
    let two = format!(
        "表號=T\n筆數=3\n檔名=a.age\n筆數=1\n位元組數=5\nSHA-256={HEX}\n檔名=b.age\n筆數=2\n位元組數=6\nSHA-256={HEX}\n"
    );
    let stated = ctl(two.as_bytes()).unwrap().unwrap();
    assert_eq!((stated.records, stated.files.len()), (Some(3), 2));
    let wrong = two.replace("筆數=3", "筆數=4");
    assert_eq!(ctl(wrong.as_bytes()), Err(ControlFault::OutOfRange("records")));
    let huge = two.replace("筆數=1\n", "筆數=18446744073709551615\n").replace("筆數=3\n", "");
    assert_eq!(ctl(huge.as_bytes()), Err(ControlFault::OutOfRange("records")));
}

#[test]
fn a_time_is_read_as_offices_write_it() {
    for text in [
        "2026-11-21T09:00:00+08:00",
        "2026-11-21 09:00:00",
        "115/11/21 09:00",
        "1151121 090000",
        "1151121090000",
        "11511210900",
        "20261121090000",
        "202611210900",
    ] {
        let read = ctl(good().replace("1151121090000", text).as_bytes()).unwrap().unwrap();
        let at = Timestamp::parse("2026-11-21T09:00:00+08:00");
        assert_eq!(read.made_at, at, "{text}");
    }
}

#[test]
fn a_link_says_what_its_fields_are_called() {
    let mut own = profile(ManifestForm::Ctl);
    own.labels.insert(ControlField::Records, "總筆數".to_owned());
    let documents = |text: String| [(b"A.ctl".to_vec(), Document::Bytes(text.into_bytes()))];
    assert_eq!(read(&own, &documents(good())), Err(ControlFault::Missing("records")));
    let renamed = good().replace("筆數=", "總筆數=");
    assert_eq!(read(&own, &documents(renamed)).unwrap().unwrap().records, Some(1000));
}

#[test]
fn sums_are_read_as_coreutils_write_them() {
    let sums = |text: &str| {
        let documents = [(b"SHA256SUMS".to_vec(), Document::Bytes(text.as_bytes().to_vec()))];
        read(&profile(ManifestForm::Sums), &documents)
    };
    let good = format!("{HEX}  a.age\n{HEX} *戶籍 (1).age\nSHA256 (c) d.age) = {HEX}\n");
    let names: Vec<_> =
        sums(&good).unwrap().unwrap().files.into_iter().map(|file| file.name).collect();
    assert_eq!(names, ["a.age", "戶籍 (1).age", "c) d.age"]);
    for (text, fault) in [
        (format!("{HEX}  ../a"), ControlFault::UnsafeName),
        (format!("{HEX}  /etc/passwd"), ControlFault::UnsafeName),
        (format!("\\{HEX}  a\\nb"), ControlFault::UnsafeName),
        (format!("{HEX} a"), ControlFault::Line),
        (HEX.to_owned(), ControlFault::Line),
        ("x  a".to_owned(), ControlFault::OutOfRange("sha256")),
        (String::new(), ControlFault::Missing("file")),
        (format!("{HEX}  a\n").repeat(301), ControlFault::OutOfRange("file")),
    ] {
        assert_eq!(sums(&text), Err(fault), "{text:.80}");
    }
    let two = [
        (b"A.SHA256SUMS".to_vec(), Document::Bytes(good.clone().into_bytes())),
        (b"B.SHA256SUMS".to_vec(), Document::Bytes(good.into_bytes())),
    ];
    assert_eq!(read(&profile(ManifestForm::Sums), &two), Err(ControlFault::Several));
    let long = [(b"SHA256SUMS".to_vec(), Document::TooLong)];
    assert_eq!(read(&profile(ManifestForm::Sums), &long), Err(ControlFault::TooLong));
}

fn bag(files: &[(&str, &str)]) -> Result<Option<Stated>, ControlFault> {
    let documents: Vec<_> = files
        .iter()
        .map(|(name, text)| (name.as_bytes().to_vec(), Document::Bytes(text.as_bytes().to_vec())))
        .collect();
    read(&profile(ManifestForm::Bag), &documents)
}

#[test]
fn a_bag_is_read_and_its_own_files_are_what_it_lists() {
    const BAGIT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
    let manifest = format!("{HEX}  data/a%25.age\n");
    let info = "Source-Organization: synthetic\n  and on\nExternal-Identifier: HRP-7\nBagging-Date: 2026-11-21\nPayload-Oxum: 5.1\nRecord-Count: 10\n";
    let own = [("bagit.txt", BAGIT), ("manifest-sha256.txt", &manifest), ("bag-info.txt", info)];
    let stated = bag(&own).unwrap().unwrap();
    assert_eq!(stated.files[0].name, "data/a%.age");
    assert_eq!((stated.oxum, stated.records), (Some((5, 1)), Some(10)));
    assert_eq!(stated.number.as_deref(), Some("HRP-7"));
    let sum = |text: &str| Digest::of(text.as_bytes());
    let tags = format!("{}  manifest-sha256.txt\n{}  bag-info.txt\n", sum(&manifest), sum(info));
    let with = |tags: &str| bag(&[own.as_slice(), &[("tagmanifest-sha256.txt", tags)]].concat());
    assert!(with(&tags).unwrap().unwrap().signed.is_some());
    assert_eq!(with(&format!("{HEX}  bag-info.txt\n")), Err(ControlFault::Tags));
    assert_eq!(with(&format!("{HEX}  other.txt\n")), Err(ControlFault::Tags));
    assert_eq!(bag(&own[..1]), Ok(None));
    let fetch = [own.as_slice(), &[("fetch.txt", "")]].concat();
    assert_eq!(bag(&fetch), Err(ControlFault::Fetch));
    for (text, fault) in [
        (format!("{HEX}  a.age\n"), ControlFault::UnsafeName),
        (format!("{HEX}  data/../a.age\n"), ControlFault::UnsafeName),
        (format!("{HEX}  data/x/a.age\n"), ControlFault::UnsafeName),
        (format!("{HEX}  data/a%0Ab\n"), ControlFault::UnsafeName),
        ("x\n".to_owned(), ControlFault::Line),
    ] {
        let own = [("bagit.txt", BAGIT), ("manifest-sha256.txt", text.as_str())];
        assert_eq!(bag(&own), Err(fault), "{text}");
    }
    let other = "BagIt-Version: 9.0\nTag-File-Character-Encoding: UTF-8\n";
    let own = [("bagit.txt", other), ("manifest-sha256.txt", manifest.as_str())];
    assert_eq!(bag(&own), Err(ControlFault::Line));
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for (form, name) in [
            (ManifestForm::Ctl, "A.CTL"),
            (ManifestForm::Sums, "SHA256SUMS"),
            (ManifestForm::Bag, "manifest-sha256.txt"),
        ] {
            let documents = [
                (name.as_bytes().to_vec(), Document::Bytes(bytes.clone())),
                (b"bagit.txt".to_vec(), Document::Bytes(
                    b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n".to_vec(),
                )),
                (b"bag-info.txt".to_vec(), Document::Bytes(bytes.clone())),
            ];
            let _ = read(&profile(form), &documents);
        }
    }

    #[test]
    fn no_cut_or_splice_of_a_control_file_makes_the_reader_panic(
        at in 0_usize..400, with in proptest::collection::vec(any::<u8>(), 0..6)
    ) {
        let mut bytes = cp950::encode(&good()).unwrap();
        let at = at.min(bytes.len());
        bytes.splice(at..at, with);
        let _ = ctl(&bytes);
        bytes.truncate(at);
        let _ = ctl(&bytes);
    }

    #[test]
    fn what_is_read_names_no_path(name in ".{0,20}") {
        if let Ok(Some(stated)) = ctl(good().replace("HRP-0007.dat.age", &name).as_bytes()) {
            for file in stated.files {
                prop_assert!(!file.name.contains(['/', '\\']) && file.name != "..");
            }
        }
    }
}
