//! The cookie that binds a pending authorization to the browser that started it, so that nobody can finish a
//! request they started in somebody else's browser.

use super::Edge;
use crate::provider::Provider;
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use std::convert::Infallible;

/// Characters of 256 bits in base64url.
const LENGTH: usize = 43;
const PLAIN: &str = "oauth_browser";
/// The prefix makes browsers insist on https, this host and the root path.
const SECURE: &str = "__Host-oauth_browser";

/// The secret of the browser's cookie, empty where there is none.
#[derive(Clone, PartialEq, Eq)]
pub struct Browser(String);

impl Browser {
    /// The secret, for [`Provider::resume`] and [`Provider::interaction`].
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the browser brought no cookie along.
    pub const fn is_new(&self) -> bool {
        self.0.is_empty()
    }

    /// The secret, and for a new browser the `Set-Cookie` value to send.
    pub(super) fn or_new(self, provider: &Provider) -> (String, Option<String>) {
        if !self.is_new() {
            return (self.0, None);
        }
        let secret = provider.env().secret().reveal();
        let cookie = if provider.env().issuer.is_https() {
            format!("{SECURE}={secret}; Path=/; HttpOnly; SameSite=Lax; Secure")
        } else {
            format!("{PLAIN}={secret}; Path=/; HttpOnly; SameSite=Lax")
        };
        (secret, Some(cookie))
    }

    fn read(headers: &HeaderMap, https: bool) -> Self {
        let name = if https { SECURE } else { PLAIN };
        let well_formed = |v: &&str| {
            v.len() == LENGTH
                && v.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        Self(cookie(headers, name).filter(well_formed).unwrap_or_default().to_owned())
    }
}

impl std::fmt::Debug for Browser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Browser(..)")
    }
}

impl FromRequestParts<Edge> for Browser {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, edge: &Edge) -> Result<Self, Infallible> {
        Ok(Self::of(&edge.provider, &parts.headers))
    }
}

impl FromRequestParts<Provider> for Browser {
    type Rejection = Infallible;
    async fn from_request_parts(
        parts: &mut Parts,
        provider: &Provider,
    ) -> Result<Self, Infallible> {
        Ok(Self::of(provider, &parts.headers))
    }
}

impl Browser {
    /// The browser behind a request to this provider.
    pub fn of(provider: &Provider, headers: &HeaderMap) -> Self {
        Self::read(headers, provider.env().issuer.is_https())
    }
}

/// The value of a cookie; the first one where a name occurs twice. It is plain ASCII; what other cookies beside it are
/// is not looked at.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|h| h.as_bytes().split(|b| *b == b';'))
        .find_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="))?;
    std::str::from_utf8(value).ok().filter(|value| value.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn a_cookie_is_found_beside_whatever_others() {
        let read = |lines: &[&[u8]]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_bytes(line).unwrap());
            }
            cookie(&headers, "s").map(str::to_owned)
        };
        for (lines, value) in [
            (&[&b"s=1"[..]][..], Some("1")),
            (&[b"a=b;s=1=2 ; c"], Some("1=2")),
            (&[b"x=\xc3\xa9; s=1"], Some("1")),
            (&[b"x=\xc3\xa9", b"\xff=\xff;s=1"], Some("1")),
            (&[b"s=1; s=2"], Some("1")),
            (&[b"s="], Some("")),
            (&[b"s=\xc3\xa9; s=1"], None),
            (&[b"ss=1; as=1; S=1; s"], None),
            (&[], None),
        ] {
            assert_eq!(read(lines).as_deref(), value, "{lines:?}");
        }
    }
}
