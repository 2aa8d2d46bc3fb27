//! Cross-site request forgery: requests that a browser sends with its cookies although another site made it.
//!
//! What a cookie alone proves is that the browser is the right one, not that the page is. So a request that lives on
//! a cookie must also carry a value that other pages cannot read ("double submit"), bound to the session so that a
//! value planted by a neighbour is worth nothing, and must not say that it comes from elsewhere.

mod layer;

pub use layer::{CsrfGuarded, CsrfLayer};

use crate::{refusal::Refusal, token::is_websocket};
use http::{HeaderMap, HeaderName, Method, header};
use oauth_core::model::HashedToken;

/// The usual header of the value.
pub(crate) const X_CSRF_TOKEN: HeaderName = HeaderName::from_static("x-csrf-token");
/// The other one, which may also carry `bearer <token>`: then it is a token and no such value.
pub(crate) const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Which methods must carry the value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CsrfMethods {
    /// Every method, reading too.
    All,
    /// Those that may change something: all but GET, HEAD, OPTIONS and TRACE
    /// ([RFC 9110 9.2.1](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1)).
    #[default]
    Unsafe,
}

/// What is asked of requests that live on a cookie.
#[derive(Clone, Debug)]
pub struct Csrf {
    methods: CsrfMethods,
    origins: Vec<String>,
    claim: String,
}

impl Default for Csrf {
    fn default() -> Self {
        Self { methods: CsrfMethods::Unsafe, origins: Vec::new(), claim: "csrf".to_owned() }
    }
}

impl Csrf {
    /// Unsafe methods need the value, in `X-CSRF-Token` or `X-API-KEY`, and must come from the same origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Which methods need the value.
    #[must_use]
    pub const fn methods(mut self, methods: CsrfMethods) -> Self {
        self.methods = methods;
        self
    }

    /// Another origin whose pages may send requests, such as `https://app.example.org`. Compared as it is written.
    #[must_use]
    pub fn trusted_origin(mut self, origin: impl Into<String>) -> Self {
        self.origins.push(origin.into());
        self
    }

    /// The claim of a JWT cookie that has the value. Default `csrf`.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>) -> Self {
        self.claim = name.into();
        self
    }

    pub(crate) fn claim_name(&self) -> &str {
        &self.claim
    }

    /// Whether requests of this method need the value.
    pub fn applies_to(&self, method: &Method) -> bool {
        match self.methods {
            CsrfMethods::All => true,
            CsrfMethods::Unsafe => {
                !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
            }
        }
    }

    /// Checks where a request comes from, and the value it carries against the one that its session expects, in
    /// constant time.
    ///
    /// # Errors
    /// 403 `access_denied` when it comes from elsewhere or the value is missing or wrong, 400 `invalid_request` when
    /// there are several.
    pub fn check(
        &self,
        method: &Method,
        headers: &HeaderMap,
        expected: &str,
    ) -> Result<(), Refusal> {
        self.check_origin(method, headers)?;
        if !self.applies_to(method) {
            return Ok(());
        }
        match value(headers)? {
            None => Err(Refusal::forged("the request lacks its CSRF token")),
            Some(given) if !expected.is_empty() && HashedToken::of(expected).matches(given) => {
                Ok(())
            }
            Some(_) => Err(Refusal::forged("the CSRF token is not that of the session")),
        }
    }

    /// Checks where a request comes from that may change something, or that opens a WebSocket: those need no value,
    /// since a browser cannot send one, and so must say that they come from here.
    ///
    /// # Errors
    /// 403 `access_denied`.
    pub fn check_origin(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        const ELSEWHERE: Refusal = Refusal::forged("the request comes from another site");
        let websocket = is_websocket(method, headers);
        if !websocket && !self.applies_to(method) {
            return Ok(());
        }
        let origin = match headers.get(header::ORIGIN).map(|o| o.to_str()) {
            Some(Err(_)) => return Err(ELSEWHERE),
            Some(Ok(origin)) => Some(origin),
            None => None,
        };
        if origin.is_some_and(|o| self.origins.iter().any(|trusted| trusted == o)) {
            return Ok(());
        }
        let allowed = match (headers.get(SEC_FETCH_SITE).map(http::HeaderValue::as_bytes), origin) {
            (Some(b"same-origin"), _) => true,
            // Typed or from a bookmark, so no page sent it; or no browser did, since those say one or the other of a
            // request that may change something. The value decides about both.
            (Some(b"none"), _) | (None, None) => !websocket,
            (Some(_), _) => false,
            (None, Some(origin)) => is_own(origin, headers),
        };
        if allowed { Ok(()) } else { Err(ELSEWHERE) }
    }
}

/// Whether an origin is the host that the request was sent to.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    host.is_some() && authority == host
}

/// The value of a request: that of `X-CSRF-Token`, or one of `X-API-KEY` that is no token.
fn value(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    const SEVERAL: Refusal = Refusal::invalid_request("there is more than one CSRF token");
    let mut found = None;
    for name in [X_CSRF_TOKEN, X_API_KEY] {
        for text in headers.get_all(&name) {
            let text = text.to_str().map(str::trim).unwrap_or_default();
            if name == X_API_KEY && is_bearer(text) {
                continue;
            }
            if found.is_some_and(|before| before != text) {
                return Err(SEVERAL);
            }
            found = Some(text);
        }
    }
    Ok(found.filter(|text| !text.is_empty()))
}

/// Whether the value of a header is `bearer <token>`, in whatever case.
fn is_bearer(text: &str) -> bool {
    text.split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::StatusCode;

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in list {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    fn status(csrf: &Csrf, method: &Method, list: &[(&'static str, &str)]) -> u16 {
        csrf.check(method, &headers(list), "right").map_or_else(|r| r.status().as_u16(), |()| 200)
    }

    #[test]
    fn s0_24_the_value_is_compared_and_only_where_it_is_asked_for() {
        let csrf = Csrf::new();
        for (list, expected) in [
            (&[("x-csrf-token", "right")][..], 200),
            (&[("x-api-key", "right")], 200),
            (&[("x-csrf-token", "right"), ("x-api-key", "right")], 200),
            (&[("x-csrf-token", "right"), ("x-api-key", "bearer abc")], 200),
            (&[], 403),
            (&[("x-csrf-token", "wrong")], 403),
            (&[("x-csrf-token", "righ")], 403),
            (&[("x-csrf-token", "")], 403),
            (&[("x-api-key", "Bearer right")], 403),
            (&[("x-csrf-token", "right"), ("x-api-key", "wrong")], 400),
            (&[("x-csrf-token", "right"), ("x-csrf-token", "wrong")], 400),
        ] {
            assert_eq!(status(&csrf, &Method::POST, list), expected, "{list:?}");
            assert_eq!(status(&csrf, &Method::GET, list), 200, "reading: {list:?}");
        }
        let all = Csrf::new().methods(CsrfMethods::All);
        assert_eq!(status(&all, &Method::GET, &[]), 403);
        assert_eq!(status(&all, &Method::GET, &[("x-csrf-token", "right")]), 200);
        let nothing = csrf.check(&Method::POST, &headers(&[("x-csrf-token", "")]), "");
        assert_eq!(nothing.unwrap_err().status(), StatusCode::FORBIDDEN, "nothing equals nothing");
    }

    #[test]
    fn s0_24_where_it_comes_from_counts_beside_the_value() {
        let csrf = Csrf::new().trusted_origin("https://app.example");
        for (list, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], 200),
            (&[("sec-fetch-site", "none")], 200),
            (&[("sec-fetch-site", "same-site")], 403),
            (&[("sec-fetch-site", "cross-site")], 403),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example")], 200),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://app.example.evil")], 403),
            (&[("origin", "https://app.example")], 200),
            (&[("origin", "https://api.example"), ("host", "api.example")], 200),
            (&[("origin", "https://evil.example"), ("host", "api.example")], 403),
            (&[("origin", "https://evil.example")], 403),
            (&[("origin", "null"), ("host", "null")], 403),
        ] {
            let list = [list, &[("x-csrf-token", "right")]].concat();
            assert_eq!(status(&csrf, &Method::POST, &list), expected, "{list:?}");
        }
    }

    #[test]
    fn s0_24_websockets_must_say_where_they_come_from() {
        let upgrade = [("upgrade", "websocket"), ("connection", "upgrade")];
        for (list, expected) in [
            (&[("sec-fetch-site", "same-origin")][..], 200),
            (&[("origin", "https://api.example"), ("host", "api.example")], 200),
            (&[("origin", "https://evil.example"), ("host", "api.example")], 403),
            (&[("sec-fetch-site", "same-site")], 403),
            (&[], 403),
        ] {
            let list = [list, &upgrade].concat();
            assert_eq!(status(&Csrf::new(), &Method::GET, &list), expected, "{list:?}");
        }
    }
}
