//! Archives of real tools, good and bad: what opens, opens to the same bytes; nothing of anything bad comes out whole.
//!
//! The archives are made here by 7z and changed byte by byte; people and passphrases are synthetic. How a link with
//! such a container goes from drop to load is told in tests/containers.rs.
#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "tests")]

use std::{
    fs,
    io::{Cursor, Read},
    num::NonZeroU32,
    path::Path,
    process::{Command, Stdio},
};

use aws_lc_rs::pbkdf2;
use batchward::{
    adapters::archive::{self, ArchiveError},
    domain::{link::Container, secret::Secret},
    engine::ports::{OpenFault, Rounds},
};
use tempfile::TempDir;

const RIGHT: &str = "Synthetic-2026-passphrase";
const WRONG: &str = "synthetic-2026-passphrase";

/// What a 7z command line makes of files; their names are its arguments' end.
fn make(kind: Container, arguments: &[&str], files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let dir = TempDir::new().unwrap();
    for (name, bytes) in files {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
    pack(dir.path(), kind, arguments, &names)
}

fn pack(dir: &Path, kind: Container, arguments: &[&str], names: &[&str]) -> Vec<u8> {
    let (name, form) = match kind {
        Container::ZipAes => ("made.zip", "-tzip"),
        _ => ("made.7z", "-t7z"),
    };
    let made = Command::new("7z")
        .args(["a", form, "-bd", "-y"])
        .args(arguments)
        .arg(name)
        .args(names)
        .current_dir(dir)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .status()
        .unwrap();
    assert!(made.success(), "{arguments:?}");
    fs::read(dir.join(name)).unwrap()
}

fn under(passphrase: &str) -> String {
    format!("-p{passphrase}")
}

/// Lines of fixed width about nobody, which pack as such files do.
fn lines(count: usize) -> Vec<u8> {
    let line = |n: usize| format!("{:<10}{:<40}{:07}\r\n", n * 7_919 % 1_000_003, "王小明", n);
    (0..count).flat_map(|n| line(n).into_bytes()).collect()
}

/// Bytes that do not pack.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}

type Files = Vec<Vec<u8>>;

/// Everything that an archive holds, or why not.
fn read(bytes: &[u8], kind: Container, passphrase: &str) -> Result<Files, OpenFault> {
    let file = Box::new(Cursor::new(bytes.to_vec()));
    let of = |error: ArchiveError| match error {
        ArchiveError::Fault(fault) => fault,
        ArchiveError::Io(error) => panic!("{error}"),
    };
    let fault =
        |error: std::io::Error| archive::fault_of(&error).unwrap_or_else(|| panic!("{error}"));
    let mut plain =
        archive::open(file, kind, &Secret::new(passphrase.as_bytes().to_vec())).map_err(of)?;
    let mut files = Vec::new();
    loop {
        let mut bytes = Vec::new();
        plain.read_to_end(&mut bytes).map_err(fault)?;
        files.push(bytes);
        if !plain.next_file().map_err(fault)? {
            return Ok(files);
        }
    }
}

/// The forms that offices' tools write.
fn corpus() -> Vec<(Container, Vec<&'static str>)> {
    let zip = Container::ZipAes;
    let seven = Container::SevenZ;
    vec![
        (zip, vec!["-mem=AES256"]),
        (zip, vec!["-mem=AES192"]),
        (zip, vec!["-mem=AES128"]),
        (zip, vec!["-mem=AES256", "-mm=Copy"]),
        (zip, vec!["-mem=AES256", "-mx=9"]),
        (seven, vec![]),
        (seven, vec!["-mhe=on"]),
        (seven, vec!["-ms=off"]),
        (seven, vec!["-m0=LZMA"]),
        (seven, vec!["-m0=Copy"]),
        (seven, vec!["-m0=Deflate", "-mhe=on"]),
        (seven, vec!["-mx=9"]),
    ]
}

fn sealed(kind: Container, arguments: &[&str], files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let passphrase = under(RIGHT);
    let mut all = arguments.to_vec();
    all.push(&passphrase);
    make(kind, &all, files)
}

#[test]
fn each_form_of_a_real_tool_opens_to_the_same_bytes_in_its_own_order() {
    let files = [("a.dat", lines(9_000)), ("b.dat", noise(200_000)), ("c.dat", lines(3))];
    let mut wanted: Vec<Vec<u8>> = files.iter().map(|(_, bytes)| bytes.clone()).collect();
    wanted.sort();
    for (kind, arguments) in corpus() {
        let bytes = sealed(kind, &arguments, &files);
        let mut found = read(&bytes, kind, RIGHT).unwrap_or_else(|f| panic!("{arguments:?} {f:?}"));
        found.sort();
        assert!(found == wanted, "{arguments:?}");
    }
}

#[test]
fn both_versions_of_winzip_aes_open_and_the_first_has_its_sum_checked() {
    let bytes = sealed(Container::ZipAes, &["-mem=AES256"], &[("a.dat", lines(900))]);
    let places: Vec<usize> = find(&bytes, b"\x01\x99\x07\x00");
    assert_eq!(places.len(), 2, "in the file's own head and in the directory");
    for version in [1, 2] {
        let mut bytes = bytes.clone();
        for at in &places {
            bytes[at + 4] = version;
        }
        let central = find(&bytes, b"PK\x01\x02")[0];
        let sum = crc32fast::hash(&lines(900)).to_le_bytes();
        bytes[central + 16..central + 20].copy_from_slice(&sum);
        assert_eq!(read(&bytes, Container::ZipAes, RIGHT).unwrap(), [lines(900)]);
        bytes[central + 16] ^= 1;
        let odd = read(&bytes, Container::ZipAes, RIGHT);
        assert_eq!(odd.is_ok(), version == 2, "AE-2 has no sum");
    }
}

#[test]
fn a_wrong_passphrase_opens_nothing_and_is_told_as_one() {
    for (kind, arguments) in corpus() {
        let bytes = sealed(kind, &arguments, &[("a.dat", lines(2_000)), ("b.dat", noise(70_000))]);
        for wrong in [WRONG, "", " ", "Synthetic-2026-passphrase ", "密碼一二三"] {
            let found = read(&bytes, kind, wrong);
            assert_eq!(found, Err(OpenFault::WrongKey), "{arguments:?} '{wrong}'");
        }
    }
}

#[test]
fn a_wrong_passphrase_that_passes_the_two_bytes_of_zip_still_gives_nothing_whole() {
    for arguments in [vec!["-mem=AES256"], vec!["-mem=AES256", "-mm=Copy"]] {
        let mut bytes = sealed(Container::ZipAes, &arguments, &[("a.dat", lines(2_000))]);
        let name = u16::from_le_bytes([bytes[26], bytes[27]]);
        let extra = u16::from_le_bytes([bytes[28], bytes[29]]);
        let salt = 30 + usize::from(name) + usize::from(extra);
        let mut made = [0; 66];
        let rounds = NonZeroU32::new(1_000).unwrap();
        let chosen = bytes[salt..salt + 16].to_vec();
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA1, rounds, &chosen, WRONG.as_bytes(), &mut made);
        bytes[salt + 16..salt + 18].copy_from_slice(&made[64..]);
        // It passes for the wrong one now, and is told as damage: the format cannot tell these apart.
        assert_eq!(read(&bytes, Container::ZipAes, WRONG), Err(OpenFault::Damaged));
        assert_eq!(read(&bytes, Container::ZipAes, RIGHT), Err(OpenFault::WrongKey));
    }
}

#[test]
fn a_cut_at_every_four_kilobytes_is_damage_and_never_a_whole_archive() {
    for (kind, arguments) in corpus() {
        let bytes = sealed(kind, &arguments, &[("a.dat", lines(4_000)), ("b.dat", noise(60_000))]);
        let cuts = (0..bytes.len()).step_by(4 << 10);
        for cut in cuts.chain(bytes.len().saturating_sub(40)..bytes.len()) {
            let found = read(&bytes[..cut], kind, RIGHT);
            let wanted = if cut == 0 { OpenFault::Foreign } else { OpenFault::Damaged };
            assert_eq!(found, Err(wanted), "{arguments:?} cut at {cut}");
        }
    }
}

#[test]
fn a_changed_byte_never_gives_other_bytes() {
    let files = [("a.dat", lines(1_500)), ("b.dat", noise(9_000))];
    for (kind, arguments) in corpus() {
        let bytes = sealed(kind, &arguments, &files);
        let whole = read(&bytes, kind, RIGHT).unwrap();
        let (mut harmless, mut damaged) = (0, 0);
        // Each try of a 7z archive makes its key anew.
        let step = if kind == Container::SevenZ { 9 } else { 1 };
        let near_ends = (0..120).chain(bytes.len() - 400..bytes.len()).step_by(step);
        for at in near_ends.chain((120..bytes.len() - 400).step_by(397 * step)) {
            let mut odd = bytes.clone();
            odd[at] ^= 0x10;
            match read(&odd, kind, RIGHT) {
                Ok(found) => {
                    // A time, a letter of a name, or a version that decides nothing.
                    assert!(found == whole, "{arguments:?} byte {at}");
                    harmless += 1;
                }
                Err(OpenFault::Damaged) => damaged += 1,
                Err(_) => {}
            }
        }
        assert!(harmless < 300, "{arguments:?}: {harmless} changed bytes made no difference");
        assert!(damaged > 3, "{arguments:?}: {damaged} changed bytes were told as damage");
    }
}

#[test]
fn bombs_are_refused_by_what_they_state_and_by_what_they_are() {
    let zeros = [("zeros.dat", vec![0; 64 << 20])];
    for (kind, arguments) in [
        (Container::ZipAes, vec!["-mem=AES256"]),
        (Container::SevenZ, vec![]),
        (Container::SevenZ, vec!["-mhe=on"]),
        (Container::SevenZ, vec!["-m0=LZMA"]),
    ] {
        let bytes = sealed(kind, &arguments, &zeros);
        assert!(zeros[0].1.len() / bytes.len() > 800, "a ratio of {}", bytes.len());
        assert_eq!(read(&bytes, kind, RIGHT), Err(OpenFault::Limit), "{arguments:?}");
    }
    // One that states a small length is read to that length and no further.
    let mut bytes = sealed(Container::ZipAes, &["-mem=AES256"], &zeros);
    let central = find(&bytes, b"PK\x01\x02")[0];
    bytes[central + 24..central + 28].copy_from_slice(&(1_u32 << 20).to_le_bytes());
    assert_eq!(read(&bytes, Container::ZipAes, RIGHT), Err(OpenFault::Damaged));
}

#[test]
fn what_a_container_may_not_hold_is_refused() {
    let zip = Container::ZipAes;
    let seven = Container::SevenZ;
    let inner = sealed(zip, &["-mem=AES256"], &[("a.dat", lines(50))]);
    let deep = sealed(seven, &[], &[("a.dat", lines(50))]);
    for (kind, arguments) in corpus() {
        for nested in [&inner, &deep] {
            let bytes = sealed(kind, &arguments, &[("inner.dat", nested.clone())]);
            assert_eq!(read(&bytes, kind, RIGHT), Err(OpenFault::Foreign), "{arguments:?}");
        }
    }
    // The old encryption, and none.
    for arguments in [vec!["-mem=ZipCrypto", "-pSynthetic-2026-passphrase"], vec![]] {
        let bytes = make(zip, &arguments, &[("a.dat", lines(50))]);
        assert_eq!(read(&bytes, zip, RIGHT), Err(OpenFault::Foreign), "{arguments:?}");
    }
    let bytes = make(seven, &[], &[("a.dat", lines(50))]);
    assert_eq!(read(&bytes, seven, RIGHT), Err(OpenFault::Foreign));
    // Methods that we have no decompressor for, and a filter.
    for method in ["-m0=BZip2", "-m0=PPMd", "-m0=Delta:4 -m1=LZMA2"] {
        let arguments: Vec<&str> = method.split(' ').collect();
        let bytes = sealed(seven, &arguments, &[("a.dat", lines(900))]);
        assert_eq!(read(&bytes, seven, RIGHT), Err(OpenFault::Foreign), "{method}");
    }
    // One kind for the other, and what is neither.
    assert_eq!(read(&inner, seven, RIGHT), Err(OpenFault::Foreign));
    assert_eq!(read(&deep, zip, RIGHT), Err(OpenFault::Foreign));
    assert_eq!(read(b"", zip, RIGHT), Err(OpenFault::Foreign));
    assert_eq!(read(&noise(5_000), seven, RIGHT), Err(OpenFault::Foreign));
}

#[test]
fn a_folder_in_an_archive_is_refused() {
    for kind in [Container::ZipAes, Container::SevenZ] {
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("data")).unwrap();
        fs::write(dir.path().join("data/a.dat"), lines(50)).unwrap();
        let bytes = pack(dir.path(), kind, &[&under(RIGHT)], &["data"]);
        let found = read(&bytes, kind, RIGHT);
        assert!(matches!(found, Err(OpenFault::Name | OpenFault::Foreign)), "{found:?}");
    }
}

#[test]
fn names_are_data_and_none_leads_anywhere() {
    let bytes = sealed(Container::ZipAes, &["-mem=AES256"], &[("abcdefghij", lines(50))]);
    let places = find(&bytes, b"abcdefghij");
    assert_eq!(places.len(), 2);
    let named = |name: &[u8]| {
        let mut bytes = bytes.clone();
        for at in &places {
            bytes[*at..at + 10].copy_from_slice(name);
        }
        read(&bytes, Container::ZipAes, RIGHT)
    };
    for bad in [
        b"../../abcd",
        b"/etc/abcde",
        b"C:\\abcdefg",
        b"..\\..\\abcd",
        b"ab/cdefghi",
        b"a\0bcdefghi",
    ] {
        assert_eq!(named(bad), Err(OpenFault::Name), "{bad:?}");
    }
    // 許可成功表 as Windows writes it: three of its second bytes are a backslash.
    let windows = batchward::domain::cp950::encode("許可成功表").unwrap();
    assert!(windows.iter().filter(|byte| **byte == b'\\').count() > 1);
    assert_eq!(named(&windows), Ok(vec![lines(50)]));
    // The directory and the file's own head must name the same file.
    let mut two = bytes;
    two[places[0]] = b'x';
    assert_eq!(read(&two, Container::ZipAes, RIGHT), Err(OpenFault::Damaged));
}

#[test]
fn names_of_a_7z_archive_lead_nowhere_either() {
    // 7z writes no such names itself: one of the same length is changed in a header that is neither packed nor encrypted.
    let bytes = sealed(Container::SevenZ, &["-mhc=off"], &[("abcdefghij", lines(50))]);
    let wide = |name: &str| name.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let at = find(&bytes, &wide("abcdefghij"))[0];
    let named = |name: &str| {
        let mut bytes = bytes.clone();
        bytes[at..at + 20].copy_from_slice(&wide(name));
        let begins =
            32 + usize::try_from(u64::from_le_bytes(bytes[12..20].try_into().unwrap())).unwrap();
        let sum = crc32fast::hash(&bytes[begins..]).to_le_bytes();
        bytes[28..32].copy_from_slice(&sum);
        let first = crc32fast::hash(&bytes[12..32]).to_le_bytes();
        bytes[8..12].copy_from_slice(&first);
        read(&bytes, Container::SevenZ, RIGHT)
    };
    assert_eq!(named("戶籍資料一二三四五六"), Ok(vec![lines(50)]));
    for bad in ["../../abcd", "/etc/abcde", "C:\\abcdefg", "ab/cdefghi", "a\u{1}bcdefghi"] {
        assert_eq!(named(bad), Err(OpenFault::Name), "{bad:?}");
    }
}

#[test]
fn a_hundred_thousand_files_are_refused_before_any_is_looked_at() {
    let script = "import zipfile,sys\nz=zipfile.ZipFile(sys.argv[1],'w')\n\
                  for n in range(100000): z.writestr(f'{n}.dat', b'')\nz.close()";
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("many.zip");
    let made = Command::new("python3").args(["-c", script]).arg(&path).status().unwrap();
    assert!(made.success());
    let found = read(&fs::read(path).unwrap(), Container::ZipAes, RIGHT);
    assert_eq!(found, Err(OpenFault::Limit));
    for n in 0..1_001 {
        fs::write(dir.path().join(format!("{n}.dat")), b"x").unwrap();
    }
    let bytes = pack(dir.path(), Container::SevenZ, &[&under(RIGHT), "-mx=1"], &["*.dat"]);
    assert_eq!(read(&bytes, Container::SevenZ, RIGHT), Err(OpenFault::Limit));
}

#[test]
fn files_that_share_bytes_are_refused() {
    // The directory names one file twice: each tool would unpack it twice.
    let bytes =
        sealed(Container::ZipAes, &["-mem=AES256"], &[("a.dat", lines(50)), ("b.dat", lines(50))]);
    let mut odd = bytes;
    let central = find(&odd, b"PK\x01\x02");
    let first = odd[central[0] + 42..central[0] + 46].to_vec();
    odd[central[1] + 42..central[1] + 46].copy_from_slice(&first);
    let heads = find(&odd, b"b.dat");
    // Both say that they are the first.
    for at in heads {
        odd[at] = b'a';
    }
    assert_eq!(read(&odd, Container::ZipAes, RIGHT), Err(OpenFault::Name));
    let at = find(&odd, b"a.dat");
    odd[*at.last().unwrap()] = b'b';
    assert!(matches!(
        read(&odd, Container::ZipAes, RIGHT),
        Err(OpenFault::Damaged | OpenFault::Limit)
    ));
}

#[test]
fn rounds_and_dictionaries_are_bounded_before_any_work() {
    let bytes = sealed(Container::SevenZ, &["-mhc=off"], &[("a.dat", lines(50))]);
    let change = |at: usize, to: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = to;
        let begins =
            32 + usize::try_from(u64::from_le_bytes(bytes[12..20].try_into().unwrap())).unwrap();
        let sum = crc32fast::hash(&bytes[begins..]).to_le_bytes();
        bytes[28..32].copy_from_slice(&sum);
        let first = crc32fast::hash(&bytes[12..32]).to_le_bytes();
        bytes[8..12].copy_from_slice(&first);
        read(&bytes, Container::SevenZ, RIGHT)
    };
    // The coder's name, the length of its properties, then the rounds.
    let aes = find(&bytes, b"\x06\xF1\x07\x01")[0] + 5;
    assert_eq!(bytes[aes] & 0x3F, 19, "as 7-Zip has it");
    assert_eq!(change(aes, bytes[aes] & 0xC0 | 25), Err(OpenFault::Limit));
    assert_eq!(change(aes, bytes[aes] & 0xC0 | 62), Err(OpenFault::Limit));
    assert_eq!(change(aes, bytes[aes] & 0xC0 | 63), Err(OpenFault::Foreign));
    let lzma2 = find(&bytes, b"\x21\x21\x01")[0] + 3;
    assert_eq!(change(lzma2, 40), Err(OpenFault::Limit));
    assert_eq!(change(lzma2, 33), Err(OpenFault::Limit));
    assert!(change(lzma2, 32).unwrap() == [lines(50)], "a dictionary of 256 MiB");
}

#[test]
fn the_archives_of_one_batch_share_what_they_may_ask_for_in_rounds() {
    let bytes = sealed(Container::SevenZ, &[], &[("a.dat", lines(50))]);
    let once = Rounds::new((1 << 20) - 1);
    let opened = || {
        let secret = Secret::new(RIGHT.as_bytes().to_vec());
        archive::open_within(
            Box::new(Cursor::new(bytes.clone())),
            Container::SevenZ,
            &secret,
            &once,
        )
    };
    assert!(opened().is_ok());
    assert!(matches!(opened().err(), Some(ArchiveError::Fault(OpenFault::Limit))));
    assert!(read(&bytes, Container::SevenZ, RIGHT).is_ok(), "each batch has its own");
}

fn find(bytes: &[u8], what: &[u8]) -> Vec<usize> {
    let windows = bytes.windows(what.len()).enumerate();
    windows.filter(|(_, window)| *window == what).map(|(at, _)| at).collect()
}
