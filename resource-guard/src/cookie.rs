//! A JWT in a cookie: a token that the browser sends by itself, so that the request needs more than it.

use crate::{csrf::Csrf, refusal::Refusal};
use http::{HeaderMap, header};

/// The cookie that may carry the token, and what is asked of requests that live on it.
#[derive(Clone, Debug)]
pub(crate) struct CookieToken {
    pub(crate) name: String,
    pub(crate) csrf: Csrf,
}

/// The value of a cookie. A name that occurs twice is refused: one of the two was planted by somebody who may set
/// cookies for a part of the site, and nothing tells which. So is a value that is not plain ASCII. What other cookies
/// beside it are is not looked at: whoever may set one would otherwise decide whether ours is seen.
pub(crate) fn only_cookie<'a>(
    headers: &'a HeaderMap,
    name: &str,
) -> Result<Option<&'a str>, Refusal> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .flat_map(|h| h.as_bytes().split(|b| *b == b';'))
        .filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    let value = match (found.next(), found.next()) {
        (Some(_), Some(_)) => return Err(Refusal::invalid_request("a cookie is repeated")),
        (value, _) => value.unwrap_or_default(),
    };
    match std::str::from_utf8(value) {
        Ok(value) if value.is_ascii() => Ok(Some(value).filter(|v| !v.is_empty())),
        _ => Err(Refusal::invalid_request("a cookie is not plain text")),
    }
}

/// Whether browsers can be told to set a cookie of this name.
pub(crate) fn is_name(name: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !name.is_empty() && name.bytes().all(allowed)
}
