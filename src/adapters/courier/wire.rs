//! What agent and courier say to each other: frames over a pair of sockets, each a head of a closed form in JSON and
//! bytes that belong to it. It is no wire form that is kept: both ends are the same program. The agent takes every answer
//! for a hostile server's.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::domain::{limits::COURIER_FRAME_BYTES_MAX, notice::NoticeCode, source::SourceCode};

/// What the courier starts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Setup {
    /// TCP ports that may be reached, beside that of name servers.
    pub(super) ports: Vec<u16>,
}

/// A question of the agent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Ask {
    /// Connect, and say which host key the server has. Kinds of keys that are known come first.
    Connect { host: String, port: u16, kinds: Vec<String>, bytes_per_second: Option<u64> },
    /// Connect to a database, hand the connection over and end: nothing is said to the server here.
    Dial { host: String, port: u16 },
    /// Log in by the private key that comes with this.
    Key { user: String },
    /// Log in by the password that comes with this.
    Password { user: String },
    /// Log in by an ssh-agent.
    Agent { user: String },
    /// What lies in the folder of this path. Paths are bytes, and come with the question.
    List {},
    /// What the thing of this path is.
    Stat {},
    /// So many bytes of a file, from here on, in pieces of at most so many.
    Read { offset: u64, bytes: u64, piece: usize },
    /// Give a thing another name, which nothing has: the first path is so long, the second follows it.
    Rename { first: usize },
    /// Remove a file.
    Remove {},
    /// Remove an empty folder.
    RemoveFolder {},
    /// Make a file, or go on with one from this offset, and take what follows as its content: frames of bytes up to this
    /// sum.
    Put { offset: u64, bytes: u64 },
    /// Make a folder.
    MakeFolder {},
    /// More of it.
    More {},
    /// Take one notice to a server and end: the secret of the account comes with this, then the certificates that vouch
    /// for the server, so long each, then what is to be said.
    Tell { errand: Errand, secret: usize, roots: usize },
}

/// What is to be said to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Errand {
    /// A mail.
    Mail { host: String, port: u16, starttls: bool, user: Option<String>, from: String, to: String },
    /// A request to a webhook.
    Post { host: String, port: u16, authority: String, path: String },
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum Answer {
    /// Connected; the server's host key comes with this.
    Connected {},
    /// It is done.
    Done {},
    /// A thing, or nothing of this name.
    Thing { thing: Option<Thing> },
    /// Things in a folder; whether there are more, and how many were left out since their names are none.
    Listed { things: Vec<Thing>, cut: bool, odd: u64 },
    /// Bytes of a file come with this.
    Bytes {},
    /// No more bytes: all that were asked for, or the file ended.
    End {},
    /// It failed.
    Failed { code: SourceCode, detail: String },
    /// A notice was not taken.
    Untold { code: NoticeCode, detail: String },
}

/// What a thing on a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThingKind {
    /// A plain file.
    File,
    /// A folder.
    Folder,
    /// Anything else.
    Other,
}

/// A thing on a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Thing {
    /// Its name, as the server says it.
    #[serde(with = "hex")]
    pub name: Vec<u8>,
    /// What it is.
    pub kind: ThingKind,
    /// Its size.
    pub bytes: u64,
    /// When it was changed, in seconds by the server's clock.
    pub changed: u64,
}

mod hex {
    use data_encoding::HEXLOWER;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&HEXLOWER.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        HEXLOWER.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}

/// Sends a frame.
pub(super) fn send(to: &mut impl Write, head: &impl Serialize, body: &[u8]) -> io::Result<()> {
    let head = serde_json::to_vec(head)?;
    let (Ok(short), Ok(long)) = (u32::try_from(head.len()), u32::try_from(body.len())) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut lead = Vec::with_capacity(8 + head.len());
    lead.extend(short.to_be_bytes());
    lead.extend(long.to_be_bytes());
    lead.extend(head);
    to.write_all(&lead)?;
    to.write_all(body)
}

/// The next frame; nothing at the end. The bytes may be a secret.
pub(super) fn receive<M: DeserializeOwned>(
    from: &mut impl Read,
) -> io::Result<Option<(M, Zeroizing<Vec<u8>>)>> {
    let mut body = Zeroizing::new(Vec::new());
    Ok(receive_into(from, &mut body)?.map(|head| (head, body)))
}

/// As [`receive`], into bytes that are used again.
pub(super) fn receive_into<M: DeserializeOwned>(
    from: &mut impl Read,
    body: &mut Vec<u8>,
) -> io::Result<Option<M>> {
    let mut lead = [0; 8];
    match from.read(&mut lead)? {
        0 => return Ok(None),
        some => from.read_exact(&mut lead[some..])?,
    }
    let number = |at: usize| {
        let bytes = [lead[at], lead[at + 1], lead[at + 2], lead[at + 3]];
        u32::from_be_bytes(bytes) as usize
    };
    let (head, bytes) = (number(0), number(4));
    if head > COURIER_FRAME_BYTES_MAX || bytes > COURIER_FRAME_BYTES_MAX {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut text = vec![0; head];
    from.read_exact(&mut text)?;
    body.resize(bytes, 0);
    from.read_exact(body)?;
    Ok(Some(serde_json::from_slice(&text)?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_frame_comes_as_it_went_and_a_bad_one_ends_the_line() {
        let mut line = Vec::new();
        send(&mut line, &Ask::Read { offset: 1, bytes: 2, piece: 3 }, b"\0path").unwrap();
        let (ask, body) = receive::<Ask>(&mut &line[..]).unwrap().unwrap();
        assert_eq!((ask, &body[..]), (Ask::Read { offset: 1, bytes: 2, piece: 3 }, &b"\0path"[..]));
        assert!(receive::<Ask>(&mut &b""[..]).unwrap().is_none());
        for cut in 1..line.len() {
            assert!(receive::<Ask>(&mut &line[..cut]).is_err(), "{cut}");
        }
        let mut long = line.clone();
        long[4] = 0x7F;
        assert!(receive::<Ask>(&mut &long[..]).is_err());
        let mut odd = Vec::new();
        send(&mut odd, &serde_json::json!({"ask": "run"}), b"").unwrap();
        assert!(receive::<Ask>(&mut &odd[..]).is_err());
    }
}
