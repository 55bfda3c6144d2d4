//! One request to a webhook (RFC 9112): said whole, and of the answer its first line is read. Nothing that it says is
//! followed.

use std::io::{Read, Write};

use zeroize::Zeroizing;

use super::errand::{Failure, Result, failure};
use crate::domain::{limits::NOTICE_ANSWER_BYTES, notice::NoticeCode};

/// Says it; taken is what is answered by 2xx.
pub(super) fn send<S: Read + Write>(
    mut stream: S,
    (authority, path): (&str, &str),
    token: &[u8],
    body: &[u8],
) -> Result<()> {
    if token.is_empty() || !token.iter().all(u8::is_ascii_graphic) {
        return Err(Failure(NoticeCode::OwnFiles, "the token is no bearer token".to_owned()));
    }
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {authority}\r\nUser-Agent: batchward\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\
         Authorization: Bearer ",
        body.len()
    );
    let whole = Zeroizing::new([head.as_bytes(), token, b"\r\n\r\n", body].concat());
    let said = stream.write_all(&whole).and_then(|()| stream.flush());
    // Who has heard enough may answer before it has heard all.
    let heard = answer(&mut stream);
    match (said, heard) {
        (Err(error), Err(_)) => Err(failure(&error)),
        (_, heard) => judged(heard?),
    }
}

/// The code of the answer; those that only say that one will come are passed over.
fn answer(stream: &mut impl Read) -> Result<u16> {
    let bad = || Failure(NoticeCode::Protocol, "what it says is no answer".to_owned());
    let (mut heard, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        if let Some(end) = find(&heard, b"\r\n") {
            let code = status(heard.get(..end).unwrap_or_default()).ok_or_else(bad)?;
            if code >= 200 {
                return Ok(code);
            }
            if let Some(end) = find(&heard, b"\r\n\r\n") {
                heard.drain(..end + 4);
                continue;
            }
        }
        if heard.len() >= NOTICE_ANSWER_BYTES {
            return Err(Failure(NoticeCode::Limit, "its answer is too long".to_owned()));
        }
        match stream.read(&mut piece) {
            Ok(0) => return Err(Failure(NoticeCode::Unreachable, "the line broke".to_owned())),
            Ok(came) => heard.extend(&piece[..came]),
            Err(error) => return Err(failure(&error)),
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The code of a line such as `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Option<u16> {
    let text = std::str::from_utf8(line).ok()?;
    let rest = text.strip_prefix("HTTP/1.1 ").or_else(|| text.strip_prefix("HTTP/1.0 "))?;
    let (code, rest) = rest.split_at_checked(3)?;
    let whole = rest.is_empty() || rest.starts_with(' ');
    let digits = code.bytes().all(|b| b.is_ascii_digit());
    code.parse().ok().filter(|code| whole && digits && (100..=599).contains(code))
}

fn judged(code: u16) -> Result<()> {
    let why = match code {
        200..=299 => return Ok(()),
        401 | 403 => NoticeCode::LoginRefused,
        408 | 425 | 429 | 500..=599 => NoticeCode::NotNow,
        _ => NoticeCode::Refused,
    };
    Err(Failure(why, format!("it answered {code}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn told(said: &[u8]) -> std::result::Result<(), NoticeCode> {
        answer(&mut &said[..]).and_then(judged).map_err(|failure| failure.0)
    }

    #[test]
    fn only_a_code_of_success_is_success() {
        use NoticeCode::{Limit, LoginRefused, NotNow, Protocol, Refused, Unreachable};
        let long = [b"HTTP/1.1 ".to_vec(), vec![b'2'; 9_000]].concat();
        let hints = b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n".repeat(400);
        for (said, outcome) in [
            (&b"HTTP/1.1 200 OK\r\n"[..], Ok(())),
            (b"HTTP/1.0 204\r\n\r\n", Ok(())),
            (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nX: y\r\n\r\n", Ok(())),
            (b"HTTP/1.1 301 Moved\r\nLocation: http://x/\r\n\r\n", Err(Refused)),
            (b"HTTP/1.1 307 Moved\r\n\r\n", Err(Refused)),
            (b"HTTP/1.1 401 No\r\n\r\n", Err(LoginRefused)),
            (b"HTTP/1.1 404 No\r\n\r\n", Err(Refused)),
            (b"HTTP/1.1 429 Slow\r\n\r\n", Err(NotNow)),
            (b"HTTP/1.1 503 Later\r\n\r\n", Err(NotNow)),
            (b"HTTP/1.1 +20 OK\r\n", Err(Protocol)),
            (b"HTTP/1.1 2000 OK\r\n", Err(Protocol)),
            (b"HTTP/2 200\r\n", Err(Protocol)),
            (b"220 mail\r\n", Err(Protocol)),
            (b"HTTP/1.1 200", Err(Unreachable)),
            (b"", Err(Unreachable)),
            (&long, Err(Limit)),
            (&hints, Err(Unreachable)),
        ] {
            assert_eq!(
                told(said),
                outcome,
                "{:?}",
                String::from_utf8_lossy(&said[..said.len().min(60)])
            );
        }
    }
}
