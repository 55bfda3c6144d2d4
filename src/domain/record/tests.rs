//! Both shapes of file, whole and in every chunking. All values are synthetic.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use super::*;
use crate::domain::layout::{Eudc, Header, Terminator};

const HALF: u8 = 0xB3;

fn field(name: &str, bytes: usize, kind: FieldKind) -> Field {
    let title = format!("{name}欄");
    Field {
        name: name.to_owned(),
        title,
        aliases: Vec::new(),
        bytes,
        kind,
        key: false,
        required: false,
    }
}

fn codes() -> FieldKind {
    FieldKind::Change(ChangeCodes {
        add: vec!["1".to_owned()],
        change: vec!["2".to_owned(), "9".to_owned()],
        remove: vec!["3".to_owned()],
    })
}

fn layout(format: Format, encoding: Encoding) -> Layout {
    Layout {
        name: "small".to_owned(),
        format,
        encoding,
        terminator: Terminator::CrLf,
        before_roc: '-',
        fields: vec![
            field("act", 1, codes()),
            field("number", 10, FieldKind::NationalId),
            field("name", 6, FieldKind::Text),
            field("secret", 2, FieldKind::Code),
            field("born", 7, FieldKind::RocDate),
        ],
    }
}

fn fixed() -> Layout {
    layout(Format::FixedWidth { record_bytes: 26 }, Encoding::Cp950(Eudc::MsPua))
}

fn csv() -> Layout {
    let format = Format::Delimited { delimiter: b',', quote: b'"', header: Header::Names };
    layout(format, Encoding::Utf8)
}

/// What became of files: a line for each record, then how it ended, and what was odd.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    records: Vec<String>,
    end: Result<(), (FaultKind, u64)>,
    findings: serde_json::Value,
}

fn play(layout: &Layout, kind: Kind, files: &[&[u8]], chunk: usize) -> Seen {
    let items = ["born", "number", "name"].map(str::to_owned);
    let mut decoder = Decoder::new(layout, &items, kind).unwrap();
    let mut records = Vec::new();
    let mut sink = |record: Record<'_>| -> Result<(), ()> {
        let change = record.change.map_or(String::new(), |change| format!("{change:?} "));
        let rejected = if record.rejected { " rejected" } else { "" };
        let values = record.values.join("|");
        records.push(format!("{} {change}{values}{rejected}", record.number));
        Ok(())
    };
    let mut end = Ok(());
    for file in files {
        for bytes in file.chunks(chunk) {
            end = end.and_then(|()| decoder.push(bytes, &mut sink));
        }
        end = end.and_then(|()| decoder.end_of_file(&mut sink));
    }
    let end = end.map_err(|stop| match stop {
        Stop::Layout(fault) | Stop::Unapproved(fault) => (fault.kind, fault.record),
        Stop::Sink(()) => panic!("the sink never refuses"),
    });
    Seen { records, end, findings: serde_json::to_value(decoder.findings()).unwrap() }
}

/// Plays files whole and in chunks of every size; nothing may depend on where a chunk ends.
fn see(layout: &Layout, kind: Kind, files: &[&[u8]]) -> Seen {
    let whole = play(layout, kind, files, usize::MAX);
    for chunk in 1..=files.iter().map(|f| f.len()).max().unwrap_or(1).max(1) {
        assert_eq!(play(layout, kind, files, chunk), whole, "in chunks of {chunk}");
    }
    whole
}

fn records(seen: &Seen) -> Vec<&str> {
    assert_eq!(seen.end, Ok(()));
    seen.records.iter().map(String::as_str).collect()
}

/// A record of 26 bytes: nobody's number, with a check digit that is wrong on purpose.
fn row(act: char, name: &[u8]) -> Vec<u8> {
    let mut row = format!("{act}A123456780").into_bytes();
    row.extend_from_slice(name);
    row.resize(17, b' ');
    row.extend_from_slice(b"xx0580315");
    row
}

#[test]
fn items_come_in_the_links_order_and_other_fields_do_not_come() {
    let file =
        [row('1', &[0xB3, 0x5C]), b"\r\n".to_vec(), row('3', b"B"), b"\r\n".to_vec()].concat();
    let seen = see(&fixed(), Kind::Full, &[&file]);
    assert_eq!(records(&seen), ["1 0580315|A123456780|許", "2 0580315|A123456780|B"]);
    assert_eq!(
        seen.findings,
        serde_json::json!({
            "born": { "unknown": 0, "impossible": 0, "before_roc": 0 },
            "number": { "checksum_failed": 2, "new_arc": 0, "old_arc": 0 },
            "name": { "private_use": 0, "missing_mark": 0, "replaced": 0 },
        })
    );
}

#[test]
fn the_change_field_counts_in_a_delta_only() {
    let file = ['1', '2', '3', '9'].map(|act| [row(act, b"B"), b"\r\n".to_vec()].concat()).concat();
    let seen = see(&fixed(), Kind::Delta, &[&file]);
    let acts: Vec<_> = records(&seen).iter().map(|r| r.split(' ').nth(1).unwrap()).collect();
    assert_eq!(acts, ["Add", "Change", "Remove", "Change"]);
    let unknown = [row('1', b"B"), b"\r\n".to_vec(), row('7', b"B"), b"\r\n".to_vec()].concat();
    assert_eq!(see(&fixed(), Kind::Delta, &[&unknown]).end, Err((FaultKind::ChangeCode, 2)));
    assert_eq!(see(&fixed(), Kind::Full, &[&unknown]).records.len(), 2);
}

#[test]
fn numbers_run_over_all_files() {
    let file = [row('1', b"B"), b"\r\n".to_vec()].concat();
    let seen = see(&fixed(), Kind::Full, &[&file, b"", &file]);
    assert_eq!(records(&seen), ["1 0580315|A123456780|B", "2 0580315|A123456780|B"]);
    let header = "number,name,born,act,secret\r\n";
    let one = format!("{header}A123456780,B,0580315,1,x\r\n");
    let two = format!("{header}A123456780,C,0580315,1,x\r\n");
    let seen = see(&csv(), Kind::Full, &[one.as_bytes(), two.as_bytes()]);
    assert_eq!(records(&seen), ["1 0580315|A123456780|B", "2 0580315|A123456780|C"]);
}

#[test]
fn only_trailing_spaces_of_a_fixed_width_are_trimmed() {
    for (bytes, name) in [
        (b" B    ".as_slice(), " B"),
        (&[0xA1, 0x40, b'B', 0xA1, 0x40, b' '], "\u{3000}B"),
        (&[b'B', b' ', 0xA1, 0x40, 0xA1, 0x40], "B"),
        (b"B\t    ", "B\t"),
    ] {
        let file = [row('1', bytes), b"\r\n".to_vec()].concat();
        let seen = see(&fixed(), Kind::Full, &[&file]);
        assert_eq!(records(&seen), [format!("1 0580315|A123456780|{name}")]);
    }
}

#[test]
fn half_a_character_stays_in_its_field_and_its_record_is_counted_once() {
    let name = [HALF, b'1', b'2', b' ', b' ', HALF];
    let file = [row('1', &name), b"\r\n".to_vec(), row('1', b"B"), b"\r\n".to_vec()].concat();
    let seen = see(&fixed(), Kind::Full, &[&file]);
    assert_eq!(
        records(&seen),
        ["1 0580315|A123456780|\u{FFFD}12  \u{FFFD}", "2 0580315|A123456780|B"]
    );
    assert_eq!(seen.findings["name"]["replaced"], 2);
    assert_eq!(seen.findings["half_character"], 1);
}

#[test]
fn what_a_fixed_width_file_may_lack_at_its_end() {
    let (one, two) = (row('1', b"B"), row('1', b"C"));
    let [odd_end, odd_mark] = ["missing_last_terminator", "end_mark"];
    for (terminator, bytes, tail, end, odd) in [
        (Terminator::CrLf, "\r\n", "\r\n", true, vec![]),
        (Terminator::CrLf, "\r\n", "", true, vec![odd_end]),
        (Terminator::CrLf, "\r\n", "\r\n\x1A", true, vec![odd_mark]),
        (Terminator::CrLf, "\r\n", "\x1A", true, vec![odd_end, odd_mark]),
        (Terminator::CrLf, "\r\n", "\r", false, vec![]),
        (Terminator::CrLf, "\r\n", "\n", false, vec![]),
        (Terminator::CrLf, "\r\n", "\r\n\r\n", false, vec![]),
        (Terminator::CrLf, "\r\n", "\r\n\x1A\x1A", false, vec![]),
        (Terminator::CrLf, "\r\n", "\r\n ", false, vec![]),
        (Terminator::CrLf, "\n", "\n", false, vec![]),
        (Terminator::Lf, "\n", "\n", true, vec![]),
        (Terminator::Lf, "\n", "", true, vec![odd_end]),
        (Terminator::Lf, "\n", "\x1A", true, vec![odd_end, odd_mark]),
        (Terminator::Lf, "\n", "\n\x1A", true, vec![odd_mark]),
        (Terminator::Lf, "\r\n", "\r\n", false, vec![]),
        (Terminator::None, "", "", true, vec![]),
        (Terminator::None, "", "\x1A", true, vec![odd_mark]),
        (Terminator::None, "", "\r\n", false, vec![]),
    ] {
        let layout = Layout { terminator, ..fixed() };
        let file = [&one, bytes.as_bytes(), &two, tail.as_bytes()].concat();
        let seen = see(&layout, Kind::Full, &[&file]);
        assert_eq!(seen.end.is_ok(), end, "{bytes:?} {tail:?}: {seen:?}");
        if end {
            assert_eq!(seen.records.len(), 2);
            for kind in [odd_end, odd_mark] {
                let counted = seen.findings.get(kind).is_some_and(|n| n == 1);
                assert_eq!(counted, odd.contains(&kind), "{kind} of {bytes:?} {tail:?}");
            }
        }
    }
}

#[test]
fn a_record_of_another_length_stops_the_file_where_it_stands() {
    let good = [row('1', b"B"), b"\r\n".to_vec()].concat();
    let short = [&row('1', b"B")[..25], b"\r\n"].concat();
    let long = [&row('1', b"B")[..], b" \r\n"].concat();
    // Two short lines that together have the length of one record.
    let twins = [&row('1', b"B")[..10], b"\r\n", &row('1', b"B")[..14], b"\r\n"].concat();
    for bad in [short, long, twins] {
        let seen = see(&fixed(), Kind::Full, &[&[&good[..], &bad, &good, &good].concat()]);
        assert_eq!(seen.end, Err((FaultKind::Record, 2)));
        assert_eq!(seen.records.len(), 1);
    }
}

#[test]
fn utf8_of_a_fixed_width_may_be_cut_and_must_be_utf8() {
    let layout = Layout { encoding: Encoding::Utf8, ..fixed() };
    let whole = "許功".as_bytes();
    for (name, text) in [
        (whole.to_vec(), Ok("許功")),
        ([b"12", &whole[..4]].concat(), Ok("12許\u{FFFD}")),
        ([b"1234", &whole[..2]].concat(), Ok("1234\u{FFFD}")),
        ([&whole[1..3], b"1234"].concat(), Ok("\u{FFFD}1234")),
        (vec![b'1', 0xB3, 0x5C], Err(())),
        (vec![b'1', 0xFF], Err(())),
        (vec![HALF, 0x5C, 0xA5, 0x5C], Err(())),
    ] {
        let file = [row('1', &name), b"\r\n".to_vec()].concat();
        let seen = see(&layout, Kind::Full, &[&file]);
        match text {
            Ok(text) => {
                assert_eq!(records(&seen), [format!("1 0580315|A123456780|{text}")]);
                let halves = text.matches('\u{FFFD}').count() as u64;
                assert_eq!(seen.findings["name"]["replaced"], halves);
                assert_eq!(seen.findings.get("half_character").is_some(), halves > 0);
            }
            Err(()) => assert_eq!(seen.end, Err((FaultKind::Encoding, 1)), "{name:X?}"),
        }
    }
}

#[test]
fn a_record_without_a_required_field_is_rejected_and_counted() {
    let mut layout = fixed();
    layout.fields[3].required = true; // not an item: required all the same
    let mut blank = row('1', b"B");
    blank[17..19].copy_from_slice(&[0xA1, 0x40]);
    let file = [row('1', b"A"), b"\r\n".to_vec(), blank, b"\r\n".to_vec(), row('1', b"C")].concat();
    let seen = see(&layout, Kind::Full, &[&file]);
    let rejected: Vec<_> = seen.records.iter().map(|r| r.ends_with("rejected")).collect();
    assert_eq!(rejected, [false, true, false]);
}

const HEADER: &str = "number,name,born,act,secret\r\n";

#[test]
fn delimited_files_as_rfc_4180_has_them() {
    for (rows, names) in [
        ("A,B,0580315,1,x\r\nA,C,0580315,1,x\r\n", vec!["B", "C"]),
        ("A,B,0580315,1,x\nA,C,0580315,1,x\r\n", vec!["B", "C"]),
        ("A,B,0580315,1,x\r\nA,C,0580315,1,x", vec!["B", "C"]),
        ("A,\"B\",0580315,1,\"x\"\r\n", vec!["B"]),
        ("\"A\",\"B,\r\nC\n \"\"D\"\"\",0580315,1,x\r\n", vec!["B,\r\nC\n \"D\""]),
        ("A,\"\",0580315,1,x\r\n", vec![""]),
        ("A, B \u{3000},0580315,1,x\r\n", vec![" B \u{3000}"]),
        ("A,\u{F0123}\u{FA0C},0580315,1,x\r\n\x1A", vec!["\u{F0123}\u{FA0C}"]),
        ("", vec![]),
    ] {
        for start in ["", "\u{FEFF}"] {
            let seen = see(&csv(), Kind::Full, &[format!("{start}{HEADER}{rows}").as_bytes()]);
            let found: Vec<_> =
                records(&seen).iter().map(|r| r.rsplit('|').next().unwrap()).collect();
            assert_eq!(found, names, "{rows:?}");
            assert_eq!(seen.findings.get("byte_order_mark").is_some(), !start.is_empty());
        }
    }
}

#[test]
fn delimited_files_that_are_not_of_their_shape() {
    use FaultKind::{Cells, Encoding, Header, Quoting, Record, UnknownColumn};
    let long = format!("{HEADER}A,{},0580315,1,x\r\n", "B".repeat(limits::RECORD_BYTES_MAX));
    let good = format!("{HEADER}A,B,0580315,1,x\r\n");
    for (file, fault) in [
        (format!("{good}A,B,0580315,1\r\n").as_bytes(), (Cells, 2)),
        (format!("{good}A,B,0580315,1,x,\r\n").as_bytes(), (Cells, 2)),
        (format!("{good}\r\n").as_bytes(), (Cells, 2)),
        (format!("{good}A,\"B,0580315,1,x\r\n").as_bytes(), (Quoting, 2)),
        (format!("{good}A,\"B\"C,0580315,1,x\r\n").as_bytes(), (Quoting, 2)),
        (format!("{good}A,B\"C\",0580315,1,x\r\n").as_bytes(), (Quoting, 2)),
        (format!("{good}A,B,0580315,1,x\rA,B,0580315,1,x\r\n").as_bytes(), (Record, 2)),
        (format!("{good}A,B,0580315,1,x\r").as_bytes(), (Record, 2)),
        (format!("{good}\x1A\r\n").as_bytes(), (Record, 2)),
        (&[good.as_bytes(), b"A,\xB3\x5C,0580315,1,x\r\n"].concat(), (Encoding, 2)),
        (&[good.as_bytes(), b"A,B,0580315,1,\xB3\x5C\r\n"].concat(), (Encoding, 2)),
        (b"number,name,act,secret\r\n", (Header, 1)),
        (b"number,name,name,born,act,secret\r\n", (Header, 1)),
        (b"number,name,born,act,secret,blood_type\r\n", (UnknownColumn, 1)),
        (b"number,Name,born,act,secret\r\n", (UnknownColumn, 1)),
        (b"number,name ,born,act,secret\r\n", (UnknownColumn, 1)),
        (b"\r\n", (UnknownColumn, 1)),
    ] {
        let seen = see(&csv(), Kind::Full, &[file]);
        assert_eq!(seen.end, Err(fault), "{}", String::from_utf8_lossy(file));
    }
    let seen = play(&csv(), Kind::Full, &[long.as_bytes()], 1 << 16);
    assert_eq!(seen.end, Err((FaultKind::TooLong, 1)));
    let commas = ",".repeat(limits::RECORD_BYTES_MAX + 1);
    let seen = play(&csv(), Kind::Full, &[HEADER.as_bytes(), commas.as_bytes()], 1 << 16);
    assert_eq!(seen.end, Err((FaultKind::TooLong, 1)));
}

#[test]
fn a_header_may_hold_titles_or_not_be_there() {
    let with = |header| Layout {
        format: Format::Delimited { delimiter: b';', quote: b'\'', header },
        ..csv()
    };
    let seen = see(
        &with(Header::Titles),
        Kind::Full,
        &["name欄;born欄;number欄\r\n'B;''C';0580315;A123456780\r\n".as_bytes()],
    );
    assert_eq!(records(&seen), ["1 0580315|A123456780|B;'C"]);
    let rows = b"1;A123456780;B;xx;0580315\n2;A123456780;C;xx;0580315\n";
    let seen = see(&with(Header::None), Kind::Delta, &[rows, rows]);
    let first = ["1 Add 0580315|A123456780|B", "2 Change 0580315|A123456780|C"];
    assert_eq!(records(&seen)[..2], first);
    assert_eq!(seen.records.len(), 4);
    // Without its change column a delta says nothing.
    let seen = see(&csv(), Kind::Delta, &[b"number,name,born\r\n"]);
    assert_eq!(seen.end, Err((FaultKind::Header, 1)));
}

#[test]
fn a_trail_byte_is_never_a_delimiter() {
    let format = Format::Delimited { delimiter: b'|', quote: b'~', header: Header::Names };
    let layout = layout(format, Encoding::Cp950(Eudc::MsPua));
    // 育 is A8 7C, and 7C is '|'; 愧 is B7 5C... and a lead byte before a delimiter is half a character.
    let file = [
        b"number|name|born\r\n".as_slice(),
        &[b'A', b'|', 0xA8, 0x7C, b'|', b'0', b'\r', b'\n'],
        &[b'A', b'|', 0xA8, 0x7C, b'B', HALF, b'\r', b'\n'],
    ]
    .concat();
    let seen = see(&layout, Kind::Full, &[&file]);
    assert_eq!(seen.records, ["1 0|A|育"]);
    assert_eq!(seen.end, Err((FaultKind::Cells, 2)));
}

#[test]
fn findings_count_characters_in_texts_and_records_elsewhere() {
    let rows = [
        "A800000014,■\u{E000}■\u{F0123}\u{10FFFD},0580000,1,x",
        "AA00000009,\u{FFFD}里\u{FFFD},-010315,1,x",
        "Ａ１２３,B,0900229,1,\u{FFFD}",
        "a123456789,B,-010000,1,x",
        " , ,\u{3000},1,x",
        ",,,1,x",
        "A123456\u{FFFD}89,B,05803\u{FFFD},1,x",
    ];
    let file = format!("{HEADER}{}\r\n", rows.join("\r\n"));
    let seen = see(&csv(), Kind::Full, &[file.as_bytes()]);
    assert_eq!(seen.records.len(), rows.len());
    assert_eq!(
        seen.findings,
        serde_json::json!({
            "number": { "checksum_failed": 3, "new_arc": 1, "old_arc": 1, "replaced": 1 },
            "name": { "private_use": 3, "missing_mark": 2, "replaced": 2 },
            "born": { "unknown": 2, "impossible": 2, "before_roc": 1, "replaced": 1 },
        })
    );
}

#[test]
fn positions_say_where_and_not_what_and_are_bounded() {
    let one = "A123456780,B,0580000,1,x\r\n";
    let file = format!("{HEADER}{}", one.repeat(limits::FINDING_POSITIONS_MAX));
    let items = ["name", "number", "born"].map(str::to_owned);
    let mut decoder = Decoder::new(&csv(), &items, Kind::Full).unwrap();
    let mut sink = |_: Record<'_>| -> Result<(), ()> { Ok(()) };
    decoder.push(file.as_bytes(), &mut sink).unwrap();
    decoder.end_of_file(&mut sink).unwrap();
    assert_eq!(decoder.positions().len(), limits::FINDING_POSITIONS_MAX);
    let place = |field: &str, code: &str| Position {
        record: 1,
        field: field.to_owned(),
        code: code.to_owned(),
    };
    assert_eq!(
        decoder.positions()[..2],
        [place("number", "checksum_failed"), place("born", "unknown")]
    );
}

#[test]
fn items_and_layout_must_go_together() {
    let build = |layout: &Layout, items: &[&str]| {
        let items: Vec<_> = items.iter().map(|item| (*item).to_owned()).collect();
        Decoder::new(layout, &items, Kind::Full).err()
    };
    assert_eq!(build(&fixed(), &["name"]), None);
    assert_eq!(build(&fixed(), &["blood_type"]), Some(LayoutFault::Item));
    assert_eq!(build(&fixed(), &["name", "name"]), Some(LayoutFault::ItemTwice));
    let format = Format::FixedWidth { record_bytes: 27 };
    assert_eq!(build(&Layout { format, ..fixed() }, &["name"]), Some(LayoutFault::Length));
    let format = Format::FixedWidth { record_bytes: 0 };
    let empty = Layout { format, fields: Vec::new(), ..fixed() };
    assert_eq!(build(&empty, &[]), Some(LayoutFault::Length));
}
