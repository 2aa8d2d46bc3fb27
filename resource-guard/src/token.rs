//! Where a request carries its token ([RFC 6750 2](https://www.rfc-editor.org/rfc/rfc6750#section-2)).

use crate::{
    cookie::{CookieToken, only_cookie},
    refusal::Refusal,
    verify::PresentedToken,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use std::borrow::Cow;

/// Longer than any token that fits the header limits of HTTP servers.
const LONGEST: usize = 16 * 1024;

/// The places to look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// A header that may carry `bearer <token>` instead of `Authorization`.
    pub(crate) api_key: Option<HeaderName>,
    /// A cookie that may carry the token where nothing else does.
    pub(crate) cookie: Option<CookieToken>,
}

/// A token as it stands in a request: whether it has the form of one is yet to be looked at.
pub(crate) struct Found<'a>(Cow<'a, [u8]>);

impl Found<'_> {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The token, if it can be one.
    pub(crate) fn well_formed(&self) -> Result<PresentedToken<'_>, Refusal> {
        if !self.0.is_ascii() {
            return Err(not_plain());
        }
        match std::str::from_utf8(&self.0) {
            Ok(text) if is_b64token(text) && text.len() <= LONGEST => Ok(PresentedToken::new(text)),
            _ => Err(Refusal::invalid_token("the access token is malformed")),
        }
    }
}

impl<'a> From<&'a str> for Found<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text.as_bytes()))
    }
}

const fn not_plain() -> Refusal {
    Refusal::invalid_request("an authorization header is not plain text")
}

impl Places {
    /// The token, if there is one. A request that names one twice, in whatever way, is refused.
    pub(crate) fn token<'a>(&self, parts: &'a Parts) -> Result<Option<Found<'a>>, Refusal> {
        let authorization = in_header(&parts.headers, &header::AUTHORIZATION)?;
        let api_key = match &self.api_key {
            Some(name) => in_header(&parts.headers, name)?,
            None => None,
        };
        let mut query = in_query(parts.uri.query());
        let (asked, again) = (query.next(), query.next());
        let mut found = [authorization, api_key].into_iter().flatten();
        let token = match (found.next(), found.next(), asked) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return Err(Refusal::invalid_request("the request carries more than one token"));
            }
            (Some(token), None, None) => Some(token),
            (None, _, asked) => asked
                .filter(|_| is_websocket(&parts.method, &parts.headers))
                .map(|token| Found(Cow::Owned(token.into_owned().into_bytes()))),
        };
        if token.is_some() && again.is_some() {
            return Err(Refusal::invalid_request("the request carries more than one token"));
        }
        Ok(token)
    }

    /// The token of the cookie, for a request that carries none elsewhere, and what else is asked of it.
    pub(crate) fn ambient<'a>(
        &'a self,
        headers: &'a HeaderMap,
    ) -> Result<Option<(Found<'a>, &'a CookieToken)>, Refusal> {
        let Some(place) = &self.cookie else { return Ok(None) };
        let Some(value) = only_cookie(headers, &place.name)? else { return Ok(None) };
        Ok(Some((Found::from(value), place)))
    }
}

/// The token of a header of the form `Bearer <token>`; none under another scheme.
fn in_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<Found<'a>>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Refusal::invalid_request("an authorization header is repeated"));
    }
    let value = value.as_bytes().trim_ascii();
    let (scheme, token) = match value.iter().position(|b| *b == b' ') {
        Some(end) => value.split_at(end),
        None => (value, [].as_slice()),
    };
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return if value.is_ascii() { Ok(None) } else { Err(not_plain()) };
    }
    match token.trim_ascii_start() {
        [] => Err(Refusal::invalid_request("there is no token after the word Bearer")),
        token => Ok(Some(Found(Cow::Borrowed(token)))),
    }
}

fn in_query(query: Option<&str>) -> impl Iterator<Item = Cow<'_, str>> {
    // Nearly every query has no such word; parsing is for the others.
    let query = query.filter(|q| q.contains("access_token") || q.contains('%'));
    form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .filter(|(name, _)| name == "access_token")
        .map(|(_, value)| value)
}

/// Whether the request opens a WebSocket ([RFC 6455 4.1](https://www.rfc-editor.org/rfc/rfc6455#section-4.1)): its
/// headers cannot be set from a browser.
pub(crate) fn is_websocket(method: &Method, headers: &HeaderMap) -> bool {
    let lists = |name: HeaderName, word: &str| {
        let mut words = headers
            .get_all(name)
            .iter()
            .filter_map(|v: &HeaderValue| v.to_str().ok())
            .flat_map(|v| v.split(','));
        words.any(|w| w.trim().eq_ignore_ascii_case(word))
    };
    *method == Method::GET
        && lists(header::UPGRADE, "websocket")
        && lists(header::CONNECTION, "upgrade")
}

/// The characters of [RFC 6750 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1).
fn is_b64token(token: &str) -> bool {
    let body = token.trim_end_matches('=');
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
    !body.is_empty() && body.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{Request, StatusCode};

    fn token(
        uri: &str,
        headers: &[(&str, &str)],
        api_key: bool,
    ) -> Result<Option<String>, StatusCode> {
        let mut request = Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let places =
            Places { api_key: api_key.then(|| HeaderName::from_static("x-api-key")), cookie: None };
        let found = places.token(&parts).map_err(|refusal| refusal.status())?;
        let well_formed = |found: Found<'_>| found.well_formed().map(|t| t.as_str().to_owned());
        found.map(well_formed).transpose().map_err(|refusal| refusal.status())
    }

    const WEBSOCKET: [(&str, &str); 2] =
        [("Upgrade", "WebSocket"), ("Connection", "keep-alive, Upgrade")];

    #[test]
    fn rfc6750_s2_1_authorization_header() {
        for (value, expected) in [
            ("Bearer abc", Ok(Some("abc".to_owned()))),
            ("bEaReR   abc ", Ok(Some("abc".to_owned()))),
            ("Bearer a-._~+/9==", Ok(Some("a-._~+/9==".to_owned()))),
            ("Basic abc", Ok(None)),
            ("Bearerabc", Ok(None)),
            ("", Ok(None)),
            ("Bearer", Err(StatusCode::BAD_REQUEST)),
            ("Bearer  ", Err(StatusCode::BAD_REQUEST)),
            ("Bearer a b", Err(StatusCode::UNAUTHORIZED)),
            ("Bearer a,b", Err(StatusCode::UNAUTHORIZED)),
            ("Bearer =", Err(StatusCode::UNAUTHORIZED)),
        ] {
            assert_eq!(token("/", &[("authorization", value)], false), expected, "{value:?}");
        }
        let twice = [("authorization", "Bearer a"), ("authorization", "Bearer a")];
        assert_eq!(token("/", &twice, false), Err(StatusCode::BAD_REQUEST));
        let long = format!("Bearer {}", "a".repeat(LONGEST + 1));
        assert_eq!(token("/", &[("authorization", &long)], false), Err(StatusCode::UNAUTHORIZED));
    }

    #[test]
    fn the_api_key_header_is_off_unless_named() {
        let key = [("x-api-key", "bearer abc")];
        assert_eq!(token("/", &key, false), Ok(None));
        assert_eq!(token("/", &key, true), Ok(Some("abc".to_owned())));
        assert_eq!(token("/", &[("x-api-key", "abc")], true), Ok(None));
        let both = [("x-api-key", "bearer abc"), ("authorization", "Bearer abc")];
        assert_eq!(token("/", &both, true), Err(StatusCode::BAD_REQUEST));
        assert_eq!(token("/", &both, false), Ok(Some("abc".to_owned())));
    }

    #[test]
    fn rfc6750_s2_3_query_for_websockets_only() {
        assert_eq!(token("/?access_token=abc", &[], false), Ok(None));
        assert_eq!(token("/?access_token=abc", &WEBSOCKET, false), Ok(Some("abc".to_owned())));
        assert_eq!(token("/?access%5Ftoken=abc", &WEBSOCKET, false), Ok(Some("abc".to_owned())));
        assert_eq!(token("/?a=b", &WEBSOCKET, false), Ok(None));
        let doubled = "/?access_token=abc&access_token=abc";
        assert_eq!(token(doubled, &WEBSOCKET, false), Err(StatusCode::BAD_REQUEST));
        let mut all = WEBSOCKET.to_vec();
        all.push(("authorization", "Bearer abc"));
        assert_eq!(token("/?access_token=abc", &all, false), Err(StatusCode::BAD_REQUEST));
        let header = [("authorization", "Bearer abc")];
        assert_eq!(token("/?access_token=abc", &header, false), Err(StatusCode::BAD_REQUEST));
        assert_eq!(token("/?access_token=abc", &WEBSOCKET[..1], false), Ok(None));
    }
}
