//! Addresses that notices go to: of mail (RFC 5321), and of a webhook.
//!
//! Both become parts of what is said to a server, line by line; so they are ASCII, and hold nothing that ends a line or
//! an address.

use std::fmt;

/// Bytes of an address (RFC 5321, 4.5.3.1.3).
const ADDRESS_BYTES_MAX: usize = 254;
/// Bytes of a URL.
const URL_BYTES_MAX: usize = 1_000;

/// Whether a text is an address of mail that needs no quotes.
#[must_use]
pub fn is_address(text: &str) -> bool {
    let local = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let dotted = |part: &str| !part.is_empty() && part.split('.').all(|label| !label.is_empty());
    text.len() <= ADDRESS_BYTES_MAX
        && name.len() <= 64
        && name.bytes().all(local)
        && dotted(name)
        && dotted(domain)
        && is_host(domain)
}

/// Whether a text can be the name of a host, or its address.
#[must_use]
pub fn is_host(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b".-:_".contains(&b);
    (1..=253).contains(&text.len()) && text.bytes().all(good) && !text.starts_with('-')
}

/// A URL of `https`, without a user, a password or a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Host, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path and query, from `/`.
    pub path: String,
}

impl Url {
    /// Reads one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("https://")?;
        let plain = |b: u8| b.is_ascii_graphic() && !b"#\"<>\\^`{|}".contains(&b);
        if text.len() > URL_BYTES_MAX || !rest.bytes().all(plain) {
            return None;
        }
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').filter(|(host, _)| host.contains(':'))?,
            None => authority.find(':').map_or((authority, ""), |at| authority.split_at(at)),
        };
        let port = match port.strip_prefix(':') {
            Some(number) => number.parse().ok().filter(|port| *port > 0)?,
            None if port.is_empty() => 443,
            None => return None,
        };
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        is_host(host).then(|| Self { host: host.to_owned(), port, path })
    }

    /// As the head of a request names the server (RFC 9110, 7.2).
    #[must_use]
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 443 { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "https://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn an_address_holds_nothing_that_ends_it() {
        for good in ["anna@agency.example", "a.b+c@x.y.example", "a@host"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "",
            "anna",
            "@x",
            "a@",
            "a b@x",
            "a@x y",
            "a@x\r\nRCPT TO:<b@y>",
            "a>@x",
            "<a@x>",
            "a..b@x",
            ".a@x",
            "a@x..y",
            "安@x",
            "a@安",
            "a@[127.0.0.1]",
            "\"a\"@x",
        ] {
            assert!(!is_address(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_url_is_of_https_and_comes_back_as_it_was() {
        for text in [
            "https://hooks.example/batchward",
            "https://hooks.example:8443/a/b?c=d",
            "https://[::1]:8443/",
            "https://10.0.0.1/x",
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Url::parse("https://hooks.example").unwrap().path, "/");
        assert_eq!(Url::parse("https://hooks.example?x").unwrap().path, "/?x");
        for bad in [
            "http://hooks.example/",
            "https://",
            "https:///x",
            "https://user:password@hooks.example/",
            "https://hooks.example/#x",
            "https://hooks.example:0/",
            "https://hooks.example:/",
            "https://hooks.example:99999/",
            "https://hooks.example/a b",
            "https://hooks.example/\r\nX: y",
            "https://[::1/",
            "https://[x]/",
        ] {
            assert_eq!(Url::parse(bad), None, "{bad:?}");
        }
    }
}
