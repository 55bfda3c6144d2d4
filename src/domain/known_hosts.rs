//! Files of known hosts, in OpenSSH's form (sshd(8)): which keys a server may have.
//!
//! Only keys that stand there for the very name and port count. Certificates (`@cert-authority`) are not believed, and a
//! key that is `@revoked` for the server is refused whatever else stands there. A line that is not understood is left
//! out, as OpenSSH does: it can only make fewer keys believed.

use data_encoding::{BASE64, BASE64_NOPAD};

use super::digest::{Digest, keyed_sha1};

/// What a file says of one server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pins {
    /// Keys that it may have.
    pub keys: Vec<HostKey>,
    /// Keys that it must not have.
    pub revoked: Vec<HostKey>,
}

/// A host key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostKey {
    /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`, …
    pub kind: String,
    /// The key as it goes over the line (RFC 4253, 6.6).
    pub blob: Vec<u8>,
}

/// What a server's key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// One of those that it may have.
    Known,
    /// Nothing is known of this server.
    Unknown,
    /// Another one than is known, or a revoked one.
    Changed,
}

impl Pins {
    /// What `text` says of the server `host` at `port`.
    #[must_use]
    pub fn of(text: &str, host: &str, port: u16) -> Self {
        let mut pins = Self::default();
        let host = host.to_ascii_lowercase();
        // A port of its own is part of the name.
        let name = if port == 22 { host } else { format!("[{host}]:{port}") };
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let mut words = line.split_ascii_whitespace().peekable();
            let marker = words.next_if(|word| word.starts_with('@'));
            let (Some(hosts), Some(kind), Some(key)) = (words.next(), words.next(), words.next())
            else {
                continue;
            };
            let Ok(blob) = BASE64.decode(key.as_bytes()) else { continue };
            if !names(hosts, &name) {
                continue;
            }
            let key = HostKey { kind: kind.to_owned(), blob };
            match marker {
                None => pins.keys.push(key),
                Some("@revoked") => pins.revoked.push(key),
                Some(_) => {}
            }
        }
        pins
    }

    /// What the key that a server shows is.
    pub fn judge(&self, blob: &[u8]) -> Verdict {
        let among = |keys: &[HostKey]| keys.iter().any(|key| key.blob == blob);
        if among(&self.revoked) {
            Verdict::Changed
        } else if among(&self.keys) {
            Verdict::Known
        } else if self.keys.is_empty() {
            Verdict::Unknown
        } else {
            Verdict::Changed
        }
    }

    /// Fingerprints of the keys that the server may have.
    #[must_use]
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(|key| fingerprint(&key.blob)).collect()
    }
}

/// The fingerprint of a key, as `ssh-keygen -l` shows it.
#[must_use]
pub fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", BASE64_NOPAD.encode(Digest::of(blob).as_bytes()))
}

/// The line that makes a key known; nothing where the key does not say what it is.
#[must_use]
pub fn line(host: &str, port: u16, blob: &[u8]) -> Option<String> {
    let (length, rest) = blob.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    let kind = std::str::from_utf8(rest.get(..length)?).ok()?;
    let plain = kind.bytes().all(|b| b.is_ascii_alphanumeric() || b"-@.".contains(&b));
    let name = if port == 22 { host.to_owned() } else { format!("[{host}]:{port}") };
    plain.then(|| format!("{name} {kind} {}", BASE64.encode(blob)))
}

/// Whether a field of hosts names a server: `name,name`, `!name`, with `*` and `?`, or `|1|salt|hash`.
fn names(hosts: &str, name: &str) -> bool {
    if let Some(hashed) = hosts.strip_prefix("|1|") {
        let Some((salt, hash)) = hashed.split_once('|') else { return false };
        let (Ok(salt), Ok(hash)) = (BASE64.decode(salt.as_bytes()), BASE64.decode(hash.as_bytes()))
        else {
            return false;
        };
        return keyed_sha1(&salt, name.as_bytes()) == hash;
    }
    let mut named = false;
    for pattern in hosts.split(',').map(str::to_ascii_lowercase) {
        match pattern.strip_prefix('!') {
            Some(not) if matches(not.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => named |= matches(pattern.as_bytes(), name.as_bytes()),
        }
    }
    named
}

/// `*` for any bytes and `?` for one, without going back further than the last `*`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    (p, n) = (at + 1, from + 1);
                    star = Some((at, from + 1));
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIGlzIG5vIGtleSBhdCBhbGwsIGp1c3QgYnl0ZXM=";
    const OTHER: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIGFub3RoZXIgdGV4dCB0aGF0IGlzIG5vIGtleSE=";

    fn judge(text: &str, host: &str, port: u16) -> Verdict {
        Pins::of(text, host, port).judge(&BASE64.decode(KEY.as_bytes()).unwrap_or_default())
    }

    #[test]
    fn only_keys_of_the_very_name_and_port_count() {
        for (hosts, host, port, verdict) in [
            ("a.example", "a.example", 22, Verdict::Known),
            ("A.example", "a.EXAMPLE", 22, Verdict::Known),
            ("a.example", "a.example", 2222, Verdict::Unknown),
            ("[a.example]:2222", "a.example", 2222, Verdict::Known),
            ("[a.example]:2222", "a.example", 22, Verdict::Unknown),
            ("b.example,a.example", "a.example", 22, Verdict::Known),
            ("*.example", "a.example", 22, Verdict::Known),
            ("*.example,!a.example", "a.example", 22, Verdict::Unknown),
            ("?.example", "ab.example", 22, Verdict::Unknown),
            ("a.example.org", "a.example", 22, Verdict::Unknown),
            ("", "a.example", 22, Verdict::Unknown),
        ] {
            let text = format!("{hosts} ssh-ed25519 {KEY} a note\n");
            assert_eq!(judge(&text, host, port), verdict, "{hosts} {host} {port}");
        }
    }

    #[test]
    fn a_hashed_name_is_found_as_ssh_keygen_writes_it() {
        // ssh-keygen -H of "a.example": the salt is the one that it drew.
        let salt = BASE64.encode(&[7; 20]);
        let hash = BASE64.encode(&keyed_sha1(&[7; 20], b"a.example"));
        let text = format!("|1|{salt}|{hash} ssh-ed25519 {KEY}");
        assert_eq!(judge(&text, "a.example", 22), Verdict::Known);
        assert_eq!(judge(&text, "b.example", 22), Verdict::Unknown);
    }

    #[test]
    fn another_key_a_revoked_one_and_a_certificate_are_not_believed() {
        let other = format!("a.example ssh-ed25519 {OTHER}");
        assert_eq!(judge(&other, "a.example", 22), Verdict::Changed);
        let revoked = format!("a.example ssh-ed25519 {KEY}\n@revoked * ssh-ed25519 {KEY}");
        assert_eq!(judge(&revoked, "a.example", 22), Verdict::Changed);
        let signed = format!("@cert-authority *.example ssh-ed25519 {KEY}");
        assert_eq!(judge(&signed, "a.example", 22), Verdict::Unknown);
        let broken = format!(
            "# a note\n\na.example\na.example ssh-ed25519 ***\na.example ssh-ed25519 {KEY}"
        );
        assert_eq!(judge(&broken, "a.example", 22), Verdict::Known);
    }
}
