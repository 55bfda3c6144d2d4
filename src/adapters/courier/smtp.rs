//! Handing one mail to a server (RFC 5321), over a connection that is verified before the account's password or a word of
//! the mail is said.

use std::io::{Read, Write};

use data_encoding::BASE64;
use zeroize::Zeroizing;

use super::{
    errand::{Failure, Heard, Result, Verified, failure},
    wire::Errand,
};
use crate::domain::{limits::NOTICE_REPLY_BYTES, notice::NoticeCode};

/// A reply: its code, and its lines without it.
struct Reply {
    code: u16,
    lines: Vec<String>,
}

/// Lines with a server.
struct Talk<S> {
    stream: S,
    /// What came beyond the last line.
    buffer: Vec<u8>,
}

/// Who we say that we are: no name of this machine, which is nobody's business (RFC 5321, 4.1.4 lets a server not mind).
const HELLO: &str = "batchward.invalid";

/// Asks for TLS before anything else, and gives the connection back for it.
pub(super) fn starttls(heard: Heard) -> Result<Heard> {
    let mut talk = Talk { stream: heard, buffer: Vec::new() };
    talk.greeted()?;
    let offers = talk.hello()?;
    if !offers.iter().any(|line| line.eq_ignore_ascii_case("STARTTLS")) {
        return Err(Failure(NoticeCode::NoTls, "it does not offer STARTTLS".to_owned()));
    }
    let reply = talk.command(b"STARTTLS")?;
    if reply.code != 220 {
        return Err(Failure(NoticeCode::NoTls, reply.text()));
    }
    // What came before TLS would be taken for what the verified server says.
    if !talk.buffer.is_empty() {
        return Err(Failure(NoticeCode::Protocol, "it said more before TLS".to_owned()));
    }
    Ok(talk.stream)
}

/// Logs in, where there is an account, and hands the mail over. Once the server has taken it, it is sent.
pub(super) fn send(verified: Verified, errand: &Errand, secret: &[u8], mail: &[u8]) -> Result<()> {
    let Errand::Mail { starttls, user, from, to, .. } = errand else {
        return Err(Failure(NoticeCode::Protocol, "out of turn".to_owned()));
    };
    let mut talk = Talk { stream: verified, buffer: Vec::new() };
    if !starttls {
        talk.greeted()?;
    }
    let offers = talk.hello()?;
    if let Some(user) = user {
        talk.log_in(&offers, user.as_bytes(), secret)?;
    }
    let reply = talk.command(format!("MAIL FROM:<{from}>").as_bytes())?;
    reply.wants(&[250])?;
    let reply = talk.command(format!("RCPT TO:<{to}>").as_bytes())?;
    reply.wants(&[250, 251])?;
    let reply = talk.command(b"DATA")?;
    reply.wants(&[354])?;
    talk.say(&stuffed(mail))?;
    let reply = talk.reply()?;
    reply.wants(&[250])?;
    // It has it; whether it says goodbye is all the same.
    let _ = talk.command(b"QUIT");
    Ok(())
}

/// With a dot before each line that begins with one, and the line that ends it (RFC 5321, 4.5.2).
fn stuffed(mail: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(mail.len() + 8);
    let mut begins = true;
    for byte in mail {
        if begins && *byte == b'.' {
            stuffed.push(b'.');
        }
        begins = *byte == b'\n';
        stuffed.push(*byte);
    }
    if !mail.ends_with(b"\r\n") {
        stuffed.extend(b"\r\n");
    }
    stuffed.extend(b".\r\n");
    stuffed
}

impl Reply {
    fn text(&self) -> String {
        format!("{} {}", self.code, self.lines.join(" "))
    }

    /// One of these codes, or why not.
    fn wants(&self, codes: &[u16]) -> Result<()> {
        if codes.contains(&self.code) {
            return Ok(());
        }
        let code = match self.code {
            400..=499 => NoticeCode::NotNow,
            500..=599 => NoticeCode::Refused,
            _ => NoticeCode::Protocol,
        };
        Err(Failure(code, self.text()))
    }
}

impl<S: Read + Write> Talk<S> {
    /// The server's first words. One that turns everybody away is as good as not there.
    fn greeted(&mut self) -> Result<()> {
        let reply = self.reply()?;
        match reply.code {
            220 => Ok(()),
            400..=599 => Err(Failure(NoticeCode::Unreachable, reply.text())),
            _ => Err(Failure(NoticeCode::Protocol, reply.text())),
        }
    }

    /// What it offers.
    fn hello(&mut self) -> Result<Vec<String>> {
        let reply = self.command(format!("EHLO {HELLO}").as_bytes())?;
        match reply.code {
            250 => Ok(reply.lines),
            400..=599 => Err(Failure(NoticeCode::Unreachable, reply.text())),
            _ => Err(Failure(NoticeCode::Protocol, reply.text())),
        }
    }

    fn log_in(&mut self, offers: &[String], user: &[u8], password: &[u8]) -> Result<()> {
        let ways: Vec<String> = offers
            .iter()
            .map(|line| line.to_ascii_uppercase())
            .filter_map(|line| line.strip_prefix("AUTH ").map(str::to_owned))
            .collect();
        let offered = |way: &str| ways.iter().any(|line| line.split(' ').any(|one| one == way));
        let reply = if offered("PLAIN") {
            // RFC 4616: no other identity than the account's own.
            let whole = Zeroizing::new([b"\0", user, b"\0", password].concat());
            let mut line = Zeroizing::new(b"AUTH PLAIN ".to_vec());
            line.extend(Zeroizing::new(BASE64.encode(&whole)).as_bytes());
            self.command(&line)?
        } else if offered("LOGIN") {
            let mut reply = self.command(b"AUTH LOGIN")?;
            for part in [user, password] {
                if reply.code == 334 {
                    reply = self.command(Zeroizing::new(BASE64.encode(part)).as_bytes())?;
                }
            }
            reply
        } else {
            let what = "it offers no way to log in that is known: PLAIN, LOGIN";
            return Err(Failure(NoticeCode::LoginRefused, what.to_owned()));
        };
        match reply.code {
            235 => Ok(()),
            400..=499 => Err(Failure(NoticeCode::Unreachable, reply.text())),
            500..=599 => Err(Failure(NoticeCode::LoginRefused, reply.text())),
            _ => Err(Failure(NoticeCode::Protocol, "it did not let the account in".to_owned())),
        }
    }

    fn command(&mut self, line: &[u8]) -> Result<Reply> {
        let line = Zeroizing::new([line, b"\r\n"].concat());
        self.say(&line)?;
        self.reply()
    }

    fn say(&mut self, bytes: &[u8]) -> Result<()> {
        let said = self.stream.write_all(bytes).and_then(|()| self.stream.flush());
        said.map_err(|error| failure(&error))
    }

    /// The next reply, all of its lines (RFC 5321, 4.2.1).
    fn reply(&mut self) -> Result<Reply> {
        let bad = || Failure(NoticeCode::Protocol, "what it says is no reply".to_owned());
        let (mut lines, mut bytes, mut code) = (Vec::new(), 0, None);
        loop {
            let line = self.line()?;
            bytes += line.len();
            if bytes > NOTICE_REPLY_BYTES {
                return Err(Failure(NoticeCode::Limit, "its reply is too long".to_owned()));
            }
            let text = String::from_utf8_lossy(&line);
            let number = text.get(..3).filter(|head| head.bytes().all(|b| b.is_ascii_digit()));
            let number: u16 = number.and_then(|number| number.parse().ok()).ok_or_else(bad)?;
            if code.is_some_and(|code| code != number) {
                return Err(bad());
            }
            code = Some(number);
            let (last, rest) = match text.as_bytes().get(3) {
                None => (true, ""),
                Some(b' ') => (true, text.get(4..).unwrap_or_default()),
                Some(b'-') => (false, text.get(4..).unwrap_or_default()),
                Some(_) => return Err(bad()),
            };
            lines.push(rest.to_owned());
            if last {
                return Ok(Reply { code: number, lines });
            }
        }
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            if self.buffer.len() > NOTICE_REPLY_BYTES {
                return Err(Failure(NoticeCode::Limit, "its line is too long".to_owned()));
            }
            let mut piece = [0; 4096];
            let came = self.stream.read(&mut piece).map_err(|error| failure(&error))?;
            if came == 0 {
                return Err(Failure(NoticeCode::Unreachable, "the line broke".to_owned()));
            }
            self.buffer.extend(&piece[..came]);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::io;

    use super::*;

    #[test]
    fn a_dot_that_begins_a_line_does_not_end_the_mail() {
        assert_eq!(stuffed(b".a\r\nb.\r\n.\r\nc"), b"..a\r\nb.\r\n..\r\nc\r\n.\r\n");
        assert_eq!(stuffed(b""), b"\r\n.\r\n");
        assert_eq!(stuffed(b"a\r\n"), b"a\r\n.\r\n");
    }

    /// Says what it was given, in pieces of one byte, and hears nothing.
    struct Script(Vec<u8>);

    impl Read for Script {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            buffer[0] = self.0.remove(0);
            Ok(1)
        }
    }

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn reply(said: &[u8]) -> Result<Reply> {
        Talk { stream: Script(said.to_vec()), buffer: Vec::new() }.reply()
    }

    #[test]
    fn a_reply_is_all_of_its_lines_and_anything_else_is_none() {
        let good = reply(b"250-one\r\n250-AUTH PLAIN\r\n250\r\n").unwrap();
        assert_eq!((good.code, good.lines.len()), (250, 3));
        assert_eq!(good.lines[1], "AUTH PLAIN");
        for (said, code) in [
            (&b"250-one\r\n251 two\r\n"[..], NoticeCode::Protocol),
            (b"hello\r\n", NoticeCode::Protocol),
            (b"25\r\n", NoticeCode::Protocol),
            (b"250_x\r\n", NoticeCode::Protocol),
            (b"\xff\xff\xff\r\n", NoticeCode::Protocol),
            ("二五〇 x\r\n".as_bytes(), NoticeCode::Protocol),
            (b"250 cut", NoticeCode::Unreachable),
            (b"250-cut\r\n", NoticeCode::Unreachable),
            (b"", NoticeCode::Unreachable),
        ] {
            assert_eq!(reply(said).err().unwrap().0, code, "{said:?}");
        }
        let long = [b"250 ".to_vec(), vec![b'x'; NOTICE_REPLY_BYTES * 2]].concat();
        assert_eq!(reply(&long).err().unwrap().0, NoticeCode::Limit);
        let many = b"250-x\r\n".repeat(NOTICE_REPLY_BYTES);
        assert_eq!(reply(&many).err().unwrap().0, NoticeCode::Limit);
    }

    #[test]
    fn what_a_reply_means_goes_by_its_first_digit() {
        let code = |said: &[u8]| reply(said).unwrap().wants(&[250]).err().map(|one| one.0);
        assert_eq!(code(b"250 ok\r\n"), None);
        assert_eq!(code(b"451 later\r\n"), Some(NoticeCode::NotNow));
        assert_eq!(code(b"550 no\r\n"), Some(NoticeCode::Refused));
        assert_eq!(code(b"354 go\r\n"), Some(NoticeCode::Protocol));
    }
}
