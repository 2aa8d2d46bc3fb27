//! Headers that every response carries, unless its handler knew better.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, PRAGMA, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
        X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
    },
};

/// What browsers are told about every response.
#[derive(Clone, Debug)]
pub(super) struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecurityHeaders {
    /// With strict transport security where the server is reached over https.
    pub(super) fn new(is_https: bool) -> Self {
        let mut all = vec![
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
            (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (
                CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(
                    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
                ),
            ),
        ];
        if is_https {
            let year = HeaderValue::from_static("max-age=31536000");
            all.push((STRICT_TRANSPORT_SECURITY, year));
        }
        Self(all)
    }

    /// Adds those that are not there. A page that is made for frames has said so in its policy, and the older header
    /// has no word for that.
    pub(super) fn add(&self, headers: &mut HeaderMap) {
        let policy = headers.get(CONTENT_SECURITY_POLICY).and_then(|p| p.to_str().ok());
        let for_frames = policy.is_some_and(|p| p.contains("frame-ancestors *"));
        for (name, value) in &self.0 {
            if !(for_frames && name == X_FRAME_OPTIONS) {
                headers.entry(name).or_insert_with(|| value.clone());
            }
        }
        // The same for caches of HTTP/1.0 (RFC 6749 5.1).
        if headers.get(CACHE_CONTROL).is_some_and(|value| value == "no-store") {
            headers.entry(PRAGMA).or_insert(HeaderValue::from_static("no-cache"));
        }
    }
}
