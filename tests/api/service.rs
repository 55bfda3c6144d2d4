//! What a service says at its socket, and what it is answered.

use std::{
    io::{Read, Write},
    net::Shutdown,
    os::unix::net::UnixStream,
    path::PathBuf,
    time::Duration,
};

use serde_json::{Value, json};

use super::support::Site;

/// A service, by its socket.
pub(crate) struct Service {
    pub(crate) path: PathBuf,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Value,
}

impl Service {
    pub(crate) fn of(site: &Site<'_>) -> Self {
        Self { path: site.dir.join("run/api.sock") }
    }

    /// Bytes as they are, and everything that comes back.
    pub(crate) fn says(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = UnixStream::connect(&self.path).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let _ = stream.write_all(bytes);
        if !bytes.windows(17).any(|part| part == b"Connection: close") {
            let _ = stream.shutdown(Shutdown::Write);
        }
        let mut back = Vec::new();
        let _ = stream.read_to_end(&mut back);
        back
    }

    pub(crate) fn request(&self, head: &str, body: &[u8]) -> Answer {
        let length = body.len();
        let head =
            format!("{head}\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n");
        let back = self.says(&[head.as_bytes(), body].concat());
        let back = String::from_utf8(back).unwrap();
        let (head, body) = back.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{back}"));
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_ascii_lowercase(),
            body: serde_json::from_str(body).unwrap_or(Value::Null),
        }
    }

    pub(crate) fn asks(&self, question: &Value) -> Answer {
        let head = "POST /v1/verifications HTTP/1.1\r\nContent-Type: application/json";
        self.request(head, question.to_string().as_bytes())
    }

    #[track_caller]
    pub(crate) fn is_told(&self, question: &Value, yes: bool) {
        let answer = self.asks(question);
        assert_eq!((answer.status, &answer.body), (200, &json!({"resident": yes})), "{answer:?}");
    }

    #[track_caller]
    pub(crate) fn is_refused(&self, question: &Value, status: u16, why: &str) {
        let answer = self.asks(question);
        assert_eq!(answer.status, status, "{answer:?}");
        let title = answer.body["title"].as_str().unwrap();
        assert!(title.contains(why), "{answer:?}");
        assert_eq!(answer.body["status"], status);
        assert!(answer.head.contains("application/problem+json"), "{}", answer.head);
    }
}
