//! What goes over the control socket: frames of JSON, the same types for the agent and for whoever asks it.
//!
//! A frame is four bytes of length, big-endian, and so many bytes of JSON (docs/socket.md). The length is looked at
//! before anything is received. Nothing here decides: who may ask what is the service's affair. Frames may hold keys
//! and rows, so every buffer of one is overwritten when it is dropped, and none of these types prints its contents.

mod client;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

pub use client::Remote;

use crate::{
    domain::{entry::Signed, secret::Secret},
    error::{Error, Exit},
    service::{
        Answer, Caller, Command, Query, Reply, Result, inspecting::Inspection, reading::Reading,
    },
};

/// Version of everything here. A peer of another version is told so and hears nothing else.
pub const VERSION: u8 = 1;
/// Bytes before each frame.
pub const HEAD_BYTES: usize = 4;

/// What the agent says first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub batchward: u8,
    /// Origin of the register.
    pub origin: String,
    /// 32 hex digits, for this connection only: signing them proves an account.
    pub challenge: String,
    /// Whether the user at the other end may look things up without that.
    pub known: bool,
}

/// An account and what it signed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedBy {
    /// The account.
    pub name: String,
    /// Text and signature.
    pub signed: Signed,
}

/// A secret on its way, in Base64.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl Drop for SecretText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl SecretText {
    /// For the wire.
    #[must_use]
    pub fn new(secret: &Secret) -> Self {
        Self(data_encoding::BASE64.encode(secret.expose()))
    }

    /// From the wire.
    ///
    /// # Errors
    /// It is not Base64.
    pub fn secret(&self) -> Result<Secret> {
        let bytes = data_encoding::BASE64.decode(self.0.as_bytes());
        bytes.map(Secret::new).map_err(|_| malformed())
    }
}

/// What may be asked of the agent. The tag is outermost, so that a secret is never kept in a parser's buffer.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Request {
    /// An account proves itself for the queries of this connection.
    Identify(SignedBy),
    /// Something to look at.
    Query(Query),
    /// Something to do.
    Command(Box<CommandRequest>),
    /// Rows to read.
    Read(Box<ReadRequest>),
    /// Lines of the access log to read.
    Inspect(Box<InspectRequest>),
}

/// A command on its way.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandRequest {
    /// The command.
    pub command: Command,
    /// The key of `key submit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretText>,
    /// Who signed it; without this, the user at the other end asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SignedBy>,
}

/// A reading on its way.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadRequest {
    /// The reading.
    pub reading: Reading,
    /// Who signed it; without this, the user at the other end asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SignedBy>,
}

/// A look at the access log on its way.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InspectRequest {
    /// What is looked for.
    pub inspection: Inspection,
    /// Who signed it; without this, the user at the other end asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<SignedBy>,
}

/// What the agent says to a request. All are the only one, but `fields`, which `rows` and then `end` or `error`
/// follow.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// The account is known on this connection.
    Identified,
    /// To a query.
    Answer(Answer),
    /// To a command.
    Done {
        /// What it came to.
        reply: Reply,
        /// What else there is to tell.
        notes: Vec<String>,
    },
    /// The granted fields, once the asking is recorded.
    Fields(Vec<String>),
    /// Some rows.
    Rows(Vec<Vec<String>>),
    /// No more rows.
    End {
        /// Rows in all.
        rows: u64,
        /// Whether the row cap ended them.
        row_cap: bool,
    },
    /// It did not come to anything.
    Error {
        /// What.
        what: String,
        /// The next move.
        hint: Option<String>,
        /// Exit code.
        exit: u8,
    },
}

impl Response {
    /// An error, as it goes over the wire.
    #[must_use]
    pub fn error(error: Error) -> Self {
        Self::Error { what: error.what, hint: error.hint, exit: error.exit as u8 }
    }
}

/// A buffer that is overwritten when it is dropped.
pub type Buffer = Zeroizing<Vec<u8>>;

/// A message as a whole frame.
///
/// # Errors
/// It is longer than `bytes_max`.
pub fn frame<T: Serialize>(message: &T, bytes_max: usize) -> Result<Buffer> {
    // Counted first: a buffer that grows would leave pieces of what it held behind.
    let mut count = Count(0);
    serde_json::to_writer(&mut count, message).map_err(|_| malformed())?;
    let length = u32::try_from(count.0).ok().filter(|_| count.0 <= bytes_max);
    let length = length.ok_or_else(|| too_long(bytes_max))?;
    let mut buffer = Zeroizing::new(Vec::with_capacity(HEAD_BYTES + count.0));
    buffer.extend_from_slice(&length.to_be_bytes());
    serde_json::to_writer(&mut *buffer, message).map_err(|_| malformed())?;
    Ok(buffer)
}

struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The length that a frame's first bytes announce.
///
/// # Errors
/// It is longer than `bytes_max`, or empty.
pub fn length(head: [u8; HEAD_BYTES], bytes_max: usize) -> Result<usize> {
    let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    match length {
        0 => Err(malformed()),
        length if length > bytes_max => Err(too_long(bytes_max)),
        length => Ok(length),
    }
}

/// Reads a message from a frame's body. What is wrong with it is not repeated: it may hold a key.
///
/// # Errors
/// It is none.
pub fn message<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|_| malformed())
}

/// Who asks: the account that signed, or the user at the other end.
#[must_use]
pub fn caller(by: Option<SignedBy>, uid: u32) -> Caller {
    match by {
        Some(SignedBy { name, signed }) => Caller::Signer { name, signed, uid: Some(uid) },
        None => Caller::User { uid },
    }
}

fn malformed() -> Error {
    Error::new(Exit::Data, "this is no message of the control socket's protocol")
        .hint("docs/socket.md describes it; agent and command must be of the same version")
}

fn too_long(bytes_max: usize) -> Error {
    Error::new(Exit::Data, format!("a message of the control socket is over {bytes_max} bytes"))
        .hint("ask for less at once: split a long list")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;
    use crate::domain::{entry::KeyForm, limits};

    fn round(request: &Request) -> Request {
        let frame = frame(request, limits::REQUEST_BYTES_MAX).unwrap();
        let (head, body) = frame.split_at(HEAD_BYTES);
        let length = length(head.try_into().unwrap(), limits::REQUEST_BYTES_MAX).unwrap();
        assert_eq!(length, body.len());
        message(body).unwrap()
    }

    #[test]
    fn a_key_goes_beside_its_command_and_comes_back_whole() {
        let batch = "b-00000001".parse().unwrap();
        let (form, channel) = (KeyForm::Passphrase, "letter".to_owned());
        let command = Command::KeySubmit { batch, form, channel, secret: Secret::default() };
        let secret = SecretText::new(&Secret::new(b"three words more".to_vec()));
        let request = CommandRequest { command, secret: Some(secret), by: None };
        let Request::Command(back) = round(&Request::Command(Box::new(request))) else {
            panic!("another request")
        };
        assert_eq!(back.secret.unwrap().secret().unwrap().expose(), b"three words more");
        assert!(matches!(back.command, Command::KeySubmit { .. }));
    }

    #[test]
    fn what_is_too_long_or_empty_is_refused_by_its_length_alone() {
        assert!(length([0, 0, 0, 0], 10).is_err());
        assert_eq!(length([0, 0, 0, 10], 10).unwrap(), 10);
        assert!(length([0, 0, 0, 11], 10).is_err());
        assert!(length([255; 4], limits::REQUEST_BYTES_MAX).is_err());
        assert!(frame(&"0123456789", 5).is_err());
    }

    #[test]
    fn unknown_fields_and_requests_are_no_messages() {
        for text in [
            r#"{"command":{"command":{"command":"clock-confirm"},"shell":"x"}}"#,
            r#"{"run":{"program":"x"}}"#,
            r#"{"query":{"query":"batches","after":null,"more":1}}"#,
            "[]",
            "",
        ] {
            assert!(message::<Request>(text.as_bytes()).is_err(), "{text}");
        }
        assert!(message::<Request>(br#"{"query":{"query":"status"}}"#).is_ok());
    }
}
