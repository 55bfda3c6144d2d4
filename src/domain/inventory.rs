//! Copies that people keep, and how such things end: kinds, media, and the methods that the archives rule names
//! (機關檔案保存年限及銷毀辦法 §13), each with the media on which it does something.
//!
//! The agent proves nothing about them. What it can do is to know each before it exists, to refuse a method that does
//! nothing to the medium, and to have a second person vouch for the end.

use super::words::words;

words! {
    /// What a copy is that people keep.
    HeldKind {
        /// Portable media that somebody wrote it to (可攜式儲存媒體).
        Media = "media",
        /// A printout (紙本).
        Paper = "paper",
        /// A file that somebody took out of the store.
        Export = "export",
        /// A package that was handed on.
        HandOver = "hand-over",
        /// A backup or snapshot that holds it.
        Backup = "backup",
        /// The medium that the delivery came on.
        Carrier = "carrier",
        /// What brought its key: the password letter, the mail, the note of a telephone call.
        KeyCarrier = "key-carrier",
    }
    /// What a copy lies on.
    Medium {
        /// Paper.
        Paper = "paper",
        /// A magnetic disk.
        MagneticDisk = "magnetic-disk",
        /// A magnetic tape.
        MagneticTape = "magnetic-tape",
        /// A stick, a card, a solid-state disk.
        Flash = "flash",
        /// A compact disc, a DVD.
        Optical = "optical",
        /// A file or message in a system that stays in use: a mailbox, a backup server, somebody's computer.
        File = "file",
    }
    /// How such a copy ends.
    Method {
        /// Cut up (碎紙、絞碎).
        Shredded = "shredded",
        /// Made into pulp (化為紙漿).
        Pulped = "pulped",
        /// Burnt (焚化).
        Incinerated = "incinerated",
        /// Crushed (擊碎).
        Crushed = "crushed",
        /// Ground to powder (化為碎粒或粉末).
        Powdered = "powdered",
        /// Degaussed (消磁).
        Degaussed = "degaussed",
        /// Files deleted or overwritten, or the medium formatted anew (消除電子檔或重新格式化); the medium stays in use.
        Erased = "erased",
    }
    /// What that comes to (NIST SP 800-88 rev. 1, 2.5).
    Sanitization {
        /// Not to be read again by the ordinary means of the system.
        Clear = "clear",
        /// Not to be read again in a laboratory.
        Purge = "purge",
        /// The medium is no more.
        Destroy = "destroy",
    }
}

impl HeldKind {
    /// Whether a person makes it of governed data: the policy's `copy.approval` says who must agree to that.
    #[must_use]
    pub const fn is_made(self) -> bool {
        matches!(self, Self::Media | Self::Paper | Self::Export | Self::HandOver)
    }

    /// Whether its end is one of media or paper, of which further offices get a copy of the papers (TPH-5.7).
    #[must_use]
    pub const fn is_media(self) -> bool {
        matches!(self, Self::Media | Self::Paper | Self::Carrier)
    }

    /// The media that it can lie on.
    #[must_use]
    pub const fn media(self) -> &'static [Medium] {
        use Medium::{File, Flash, MagneticDisk, MagneticTape, Optical, Paper};
        match self {
            Self::Media | Self::Carrier => &[MagneticDisk, MagneticTape, Flash, Optical],
            Self::Paper => &[Paper],
            Self::Export => &[File],
            Self::HandOver | Self::Backup => &[File, MagneticDisk, MagneticTape, Flash, Optical],
            Self::KeyCarrier => &[Paper, File, Flash, Optical],
        }
    }
}

/// A method and what it does to each medium: one row a line; a pair in no row does nothing, or nothing that is known.
const DOES: &[(Method, Medium, Sanitization)] = &[
    (Method::Shredded, Medium::Paper, Sanitization::Destroy),
    (Method::Shredded, Medium::MagneticTape, Sanitization::Destroy),
    (Method::Shredded, Medium::MagneticDisk, Sanitization::Destroy),
    (Method::Shredded, Medium::Flash, Sanitization::Destroy),
    (Method::Shredded, Medium::Optical, Sanitization::Destroy),
    (Method::Pulped, Medium::Paper, Sanitization::Destroy),
    (Method::Incinerated, Medium::Paper, Sanitization::Destroy),
    (Method::Incinerated, Medium::MagneticTape, Sanitization::Destroy),
    (Method::Incinerated, Medium::MagneticDisk, Sanitization::Destroy),
    (Method::Incinerated, Medium::Flash, Sanitization::Destroy),
    (Method::Incinerated, Medium::Optical, Sanitization::Destroy),
    (Method::Crushed, Medium::MagneticDisk, Sanitization::Destroy),
    (Method::Crushed, Medium::Optical, Sanitization::Destroy),
    (Method::Powdered, Medium::Paper, Sanitization::Destroy),
    (Method::Powdered, Medium::MagneticDisk, Sanitization::Destroy),
    (Method::Powdered, Medium::Flash, Sanitization::Destroy),
    (Method::Powdered, Medium::Optical, Sanitization::Destroy),
    (Method::Degaussed, Medium::MagneticDisk, Sanitization::Purge),
    (Method::Degaussed, Medium::MagneticTape, Sanitization::Purge),
    (Method::Erased, Medium::MagneticDisk, Sanitization::Clear),
    (Method::Erased, Medium::MagneticTape, Sanitization::Clear),
    (Method::Erased, Medium::Flash, Sanitization::Clear),
    (Method::Erased, Medium::File, Sanitization::Clear),
];

/// What a method does to a medium; nothing where it does not take what is on it away.
#[must_use]
pub fn does(method: Method, medium: Medium) -> Option<Sanitization> {
    DOES.iter().find(|row| row.0 == method && row.1 == medium).map(|row| row.2)
}

/// The methods that end what is on a medium, the most thorough first.
#[must_use]
pub fn methods_for(medium: Medium) -> Vec<(Method, Sanitization)> {
    let mut rows: Vec<_> =
        DOES.iter().filter(|row| row.1 == medium).map(|row| (row.0, row.2)).collect();
    rows.sort_by_key(|(method, does)| (std::cmp::Reverse(*does), *method));
    rows
}

/// Whether the medium stays in use after this, which for portable media is an exception that a document allows.
#[must_use]
pub fn is_reuse(method: Method, medium: Medium) -> bool {
    method == Method::Erased && medium != Medium::File
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degaussing_does_nothing_to_flash_optical_discs_and_paper() {
        for medium in [Medium::Flash, Medium::Optical, Medium::Paper, Medium::File] {
            assert_eq!(does(Method::Degaussed, medium), None, "{medium:?}");
        }
        assert_eq!(does(Method::Degaussed, Medium::MagneticTape), Some(Sanitization::Purge));
    }

    #[test]
    fn no_pair_stands_twice_and_every_medium_has_an_end() {
        for (n, row) in DOES.iter().enumerate() {
            assert!(!DOES[..n].iter().any(|one| (one.0, one.1) == (row.0, row.1)), "{row:?}");
        }
        for &medium in Medium::ALL {
            let best = methods_for(medium).first().map(|row| row.1);
            let wanted =
                if medium == Medium::File { Sanitization::Clear } else { Sanitization::Destroy };
            assert_eq!(best, Some(wanted), "{medium:?}");
        }
        for &method in Method::ALL {
            assert!(DOES.iter().any(|row| row.0 == method), "{method:?}");
        }
    }

    #[test]
    fn every_kind_can_lie_somewhere_and_every_word_is_read_back() {
        for &kind in HeldKind::ALL {
            assert!(!kind.media().is_empty());
            assert_eq!(HeldKind::parse(kind.word()), Some(kind));
        }
        for &medium in Medium::ALL {
            assert!(HeldKind::ALL.iter().any(|kind| kind.media().contains(&medium)));
            assert_eq!(Medium::parse(medium.word()), Some(medium));
        }
        assert_eq!(Method::parse("burnt"), None);
    }

    #[test]
    fn a_medium_that_stays_in_use_is_an_exception() {
        assert!(is_reuse(Method::Erased, Medium::Flash));
        assert!(!is_reuse(Method::Erased, Medium::File));
        assert!(!is_reuse(Method::Shredded, Medium::Flash));
    }
}
