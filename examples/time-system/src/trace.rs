//! One request id through all services: taken from the caller or made here, in every log line, passed on upstream.

use axum::{
    extract::Request,
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use oauth_core::ports::{Random as _, SystemRandom};
use tracing::Instrument as _;

/// The header that carries the id.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longer ids are replaced.
const LONGEST: usize = 128;

/// The id of the request that is being served.
#[derive(Clone, Debug)]
pub struct RequestId(pub HeaderValue);

/// The layer for [`axum::middleware::from_fn`].
pub async fn layer(mut request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).filter(|v| is_fine(v)).cloned().unwrap_or_else(new);
    let span = tracing::info_span!("request", request.id = id.to_str().unwrap_or_default());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    async move {
        let mut response = next.run(request).await;
        tracing::info!(%method, path, status = response.status().as_u16(), "request");
        response.headers_mut().insert(REQUEST_ID, id);
        response
    }
    .instrument(span)
    .await
}

fn is_fine(id: &HeaderValue) -> bool {
    !id.is_empty()
        && id.len() <= LONGEST
        && id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b))
}

fn new() -> HeaderValue {
    let mut bytes = [0; 16];
    SystemRandom.fill(&mut bytes);
    let text = uuid::Builder::from_random_bytes(bytes).into_uuid().to_string();
    HeaderValue::from_str(&text).expect("a UUID is a header value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_strangers_are_kept_only_if_harmless() {
        for (id, fine) in [("a-1.b:c_d", true), ("", false), ("a b", false), ("a\"b", false)] {
            assert_eq!(is_fine(&HeaderValue::from_static(id)), fine, "{id}");
        }
        assert!(!is_fine(&HeaderValue::from_str(&"a".repeat(LONGEST + 1)).unwrap()));
        assert!(is_fine(&new()) && new() != new());
    }
}
