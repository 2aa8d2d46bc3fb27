//! URIs that are compared as the exact strings they were given as.

use oxide_auth::primitives::registrar::ExactUrl;
use serde::{Deserialize, Serialize};
use std::fmt;
use url::{Host, Url};

/// Why a URI is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UriProblem {
    /// It has a fragment.
    #[error("the URI has a fragment")]
    Fragment,
    /// It is not an absolute URI.
    #[error("not an absolute URI")]
    NotAbsolute,
    /// Plain http, not on a loopback address.
    #[error("plain http is for loopback addresses only")]
    PlainHttp,
    /// It has a query where none is allowed.
    #[error("the URI has a query")]
    Query,
    /// The scheme is neither https nor a private-use scheme in reverse-domain form.
    #[error("the scheme is neither https nor a reverse-domain private-use scheme")]
    Scheme,
    /// It carries a user name or password, a wildcard, or a character no URI may have
    /// ([RFC 3986 2](https://www.rfc-editor.org/rfc/rfc3986#section-2)).
    #[error("user information, wildcards and characters outside RFC 3986 are not allowed")]
    Unsafe,
}

/// An issuer identifier ([RFC 8414 2](https://www.rfc-editor.org/rfc/rfc8414#section-2)): echoed and compared as the exact string.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Issuer(String);

impl Issuer {
    /// Checks an issuer: https (http on loopback only), no query, no fragment.
    pub fn parse(text: &str) -> Result<Self, UriProblem> {
        let url = web_url(text)?;
        if url.query().is_some() {
            return Err(UriProblem::Query);
        }
        Ok(Self(text.to_owned()))
    }

    /// Accepts plain http on any host, for closed networks where something else protects the wire.
    pub fn danger_parse_insecure(text: &str) -> Result<Self, UriProblem> {
        match Self::parse(text) {
            Err(UriProblem::PlainHttp) => Ok(Self(text.to_owned())),
            other => other,
        }
    }

    /// The exact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The issuer with a path appended: no slash doubled, none lost.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0.trim_end_matches('/'))
    }

    /// Whether the issuer is reached over https.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https:")
    }

    /// The path part, without a trailing slash; empty for an issuer at the root of its host.
    pub fn path(&self) -> String {
        Url::parse(&self.0)
            .map_or_else(|_| String::new(), |u| u.path().trim_end_matches('/').to_owned())
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Issuer {
    type Err = UriProblem;
    fn from_str(s: &str) -> Result<Self, UriProblem> {
        Self::parse(s)
    }
}

impl TryFrom<String> for Issuer {
    type Error = UriProblem;
    fn try_from(s: String) -> Result<Self, UriProblem> {
        Self::parse(&s)
    }
}

impl From<Issuer> for String {
    fn from(i: Issuer) -> Self {
        i.0
    }
}

/// A registered redirection endpoint ([RFC 6749 3.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.1.2)).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

impl RedirectUri {
    /// Checks a URI for registration: https, http on loopback, or a reverse-domain private-use scheme
    /// ([RFC 8252 7](https://www.rfc-editor.org/rfc/rfc8252#section-7)); no fragment.
    pub fn parse(text: &str) -> Result<Self, UriProblem> {
        let url = parse(text)?;
        match url.scheme() {
            "https" | "http" => {
                web_url(text)?;
            }
            scheme if scheme.contains('.') => {}
            _ => return Err(UriProblem::Scheme),
        }
        Ok(Self(text.to_owned()))
    }

    /// The exact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a request may ask for `asked`: the identical string, except that a loopback IP literal
    /// takes any port ([RFC 8252 7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).
    pub fn matches(&self, asked: &str) -> bool {
        self.0 == asked
            || match (split_loopback(&self.0), split_loopback(asked)) {
                (Some(registered), Some(asked)) => registered == asked,
                _ => false,
            }
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = UriProblem;
    fn try_from(s: String) -> Result<Self, UriProblem> {
        Self::parse(&s)
    }
}

impl From<RedirectUri> for String {
    fn from(u: RedirectUri) -> Self {
        u.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A protected resource a token is for ([RFC 8707 2](https://www.rfc-editor.org/rfc/rfc8707#section-2)).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ResourceUri(String);

impl ResourceUri {
    /// Checks an absolute URI without fragment.
    pub fn parse(text: &str) -> Result<Self, UriProblem> {
        parse(text)?;
        Ok(Self(text.to_owned()))
    }

    /// The exact text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ResourceUri {
    type Error = UriProblem;
    fn try_from(s: String) -> Result<Self, UriProblem> {
        Self::parse(&s)
    }
}

impl From<ResourceUri> for String {
    fn from(u: ResourceUri) -> Self {
        u.0
    }
}

fn parse(text: &str) -> Result<Url, UriProblem> {
    let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()+,;=%".contains(&b);
    if !text.bytes().all(is_safe) {
        return Err(UriProblem::Unsafe);
    }
    let exact = ExactUrl::new(text.to_owned()).map_err(|_| UriProblem::NotAbsolute)?;
    let url = exact.to_url();
    if url.fragment().is_some() {
        return Err(UriProblem::Fragment);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UriProblem::Unsafe);
    }
    Ok(url)
}

fn web_url(text: &str) -> Result<Url, UriProblem> {
    let url = parse(text)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err(UriProblem::PlainHttp),
        _ => Err(UriProblem::Scheme),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// `http://127.0.0.1[:port]/rest` or `http://[::1][:port]/rest` as (host, rest), the port left out.
fn split_loopback(text: &str) -> Option<(&str, &str)> {
    let after = text.strip_prefix("http://")?;
    let host = ["127.0.0.1", "[::1]"].into_iter().find(|h| after.starts_with(h))?;
    let rest = after.get(host.len()..)?;
    let path = rest.find(['/', '?']).unwrap_or(rest.len());
    let (port, path) = rest.split_at(path);
    let port_is_fine = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|p| p.parse::<u16>().is_ok_and(|_| !p.starts_with('+')));
    port_is_fine.then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn s3_1_2_what_may_be_registered() {
        for good in [
            "https://c.example/cb",
            "https://c.example/cb?a=b",
            "https://c.example",
            "http://127.0.0.1/cb",
            "http://localhost:8080/cb",
            "http://[::1]/cb",
            "com.example.app:/cb",
        ] {
            assert!(RedirectUri::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("https://c.example/cb#x", UriProblem::Fragment),
            ("https://c.example/cb#", UriProblem::Fragment),
            ("/cb", UriProblem::NotAbsolute),
            ("http://c.example/cb", UriProblem::PlainHttp),
            ("http://127.0.0.1.evil.example/cb", UriProblem::PlainHttp),
            ("javascript:alert(1)", UriProblem::Scheme),
            ("data:text/html,x", UriProblem::Scheme),
            ("myapp:/cb", UriProblem::Scheme),
            ("https://*.example/cb", UriProblem::Unsafe),
            ("https://u:p@c.example/cb", UriProblem::Unsafe),
            ("https://c.example/c b", UriProblem::Unsafe),
            ("https://c.example/cb\r\nx:y", UriProblem::Unsafe),
            ("https://c.example/\"><x>", UriProblem::Unsafe),
            ("https://c\u{e9}.example/cb", UriProblem::Unsafe),
            ("https://c.example\\@evil.example/", UriProblem::Unsafe),
        ] {
            assert_eq!(RedirectUri::parse(bad), Err(why), "{bad}");
        }
    }

    #[test]
    fn rfc8252_s7_3_loopback_takes_any_port() {
        let r = RedirectUri::parse("http://127.0.0.1/cb").unwrap();
        assert!(r.matches("http://127.0.0.1:51004/cb"));
        for no in [
            "http://127.0.0.1:51004/other",
            "http://127.0.0.1:x/cb",
            "http://127.0.0.1:99999/cb",
            "http://127.0.0.1@evil.example/cb",
            "http://127.0.0.1:1@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "https://127.0.0.1:51004/cb",
            "http://[::1]:51004/cb",
            "http://localhost:51004/cb",
        ] {
            assert!(!r.matches(no), "{no}");
        }
        let named = RedirectUri::parse("http://localhost:8080/cb").unwrap();
        assert!(!named.matches("http://localhost:8081/cb"));
    }

    #[test]
    fn rfc9700_s2_1_comparison_is_of_strings() {
        let r = RedirectUri::parse("https://c.example/cb").unwrap();
        assert!(r.matches("https://c.example/cb"));
        for no in [
            "https://C.example/cb",
            "https://c.example:443/cb",
            "https://c.example/cb/",
            "https://c.example/cb?x=y",
            "https://c.example/x/../cb",
            "https://c.example/%63b",
        ] {
            assert!(!r.matches(no), "{no}");
        }
    }

    #[test]
    fn rfc8414_s2_issuer() {
        for good in ["https://as.example", "https://as.example/tenant", "http://127.0.0.1:4999"] {
            assert_eq!(Issuer::parse(good).unwrap().as_str(), good);
        }
        for bad in ["http://as.example", "https://as.example?x", "https://as.example#x", "as"] {
            assert!(Issuer::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Issuer::parse("https://a.example/").unwrap().join("/x"), "https://a.example/x");
    }

    proptest! {
        #[test]
        fn a_match_is_the_same_text_or_a_loopback_port(asked in "(http|https)://(127\\.0\\.0\\.1|c\\.example)(:[0-9]{1,4})?/[a-c]{0,2}") {
            for registered in ["https://c.example/a", "http://127.0.0.1/a"] {
                let r = RedirectUri::parse(registered).unwrap();
                let loopback = Url::parse(&asked).is_ok_and(|u| u.scheme() == "http" && u.host_str() == Some("127.0.0.1") && u.path() == "/a");
                let expected = asked == registered || (registered.starts_with("http:") && loopback);
                prop_assert_eq!(r.matches(&asked), expected);
            }
        }

        #[test]
        fn parsing_never_panics(s in ".{0,64}") {
            let _ = RedirectUri::parse(&s);
            let _ = Issuer::parse(&s);
        }
    }
}
