//! The id that ties together the log lines of one request, here and in the services before and after.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use oauth_core::ports::Random;
use std::{fmt, sync::Arc};

/// The header that carries it.
pub(super) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ones are not taken over.
const LONGEST: usize = 128;

/// The id of a request: the caller's, where it sent a harmless one, else made here. Also a request extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id of a request with these headers.
    pub(super) fn of(headers: &HeaderMap, random: &dyn Random) -> Self {
        let given =
            headers.get(X_REQUEST_ID).and_then(|v| v.to_str().ok()).filter(|id| is_harmless(id));
        given.map_or_else(|| Self::made(random), |id| Self(id.into()))
    }

    fn made(random: &dyn Random) -> Self {
        let mut bytes = [0; 16];
        random.fill(&mut bytes);
        Self(URL_SAFE_NO_PAD.encode(bytes).into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether an id can stand in a header, a log line and a page as it is.
fn is_harmless(id: &str) -> bool {
    (1..=LONGEST).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:=+/@".contains(&b))
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&RequestId> for HeaderValue {
    fn from(id: &RequestId) -> Self {
        Self::from_str(&id.0).expect("the characters of an id may stand in a header")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use oauth_core::ports::SystemRandom;

    #[test]
    fn only_harmless_ids_are_taken_over() {
        let of = |value: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(X_REQUEST_ID, HeaderValue::from_bytes(value).unwrap());
            RequestId::of(&headers, &SystemRandom).as_str().to_owned()
        };
        assert_eq!(of(b"a-B_1.2:3"), "a-B_1.2:3");
        assert_eq!(of(&[b'x'; 128]).len(), 128);
        let long = [b'x'; 129];
        for bad in [&b""[..], b"a b", b"a\"b", b"<script>", b"caf\xc3\xa9", &long] {
            let id = of(bad);
            assert_eq!(id.len(), 22, "{bad:?} became {id}");
            assert_ne!(id, of(bad));
        }
    }
}
