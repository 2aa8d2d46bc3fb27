//! Swagger UI, from files inside the program.

use super::{Part, Shelf};
use axum::{
    Router,
    extract::Path,
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
    routing::get,
};
use std::sync::Arc;
use utoipa_swagger_ui::{Config, Url, serve};

/// What the page may do: run scripts of this server, and ask this server. It writes styles into elements.
const POLICY: (HeaderName, &str) = (
    header::CONTENT_SECURITY_POLICY,
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// The page at `at` and the document at `json`.
pub(super) fn routes<S: Clone + Send + Sync + 'static>(
    shelf: &Shelf,
    part: Part,
    at: &'static str,
    json: &'static str,
) -> Router<S> {
    let config = Config::new([Url::from(json)]).validator_url("none").try_it_out_enabled(false);
    let config = Arc::new(config);
    let start = Arc::clone(&config);
    let shelf = shelf.clone();
    let document = move || {
        let text = shelf.document(part);
        async move { ([(header::CONTENT_TYPE, "application/json")], text) }
    };
    Router::new()
        .route(json, get(document))
        .route(at, get(move || async move { Redirect::permanent(&format!("{at}/")) }))
        .route(&format!("{at}/"), get(move || async move { file("", start) }))
        .route(
            &format!("{at}/{{file}}"),
            get(move |Path(name): Path<String>| async move { file(&name, config) }),
        )
}

/// A file of Swagger UI.
fn file(name: &str, config: Arc<Config<'static>>) -> Response {
    match serve(name, config) {
        Ok(Some(file)) => {
            let head = [POLICY, (header::CACHE_CONTROL, "no-cache")];
            let kind = (header::CONTENT_TYPE, file.content_type);
            let body = file.bytes.into_owned();
            if file.gzpipped {
                let packed = (header::CONTENT_ENCODING, "gzip".to_owned());
                return (head, [kind, packed], body).into_response();
            }
            (head, [kind], body).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
