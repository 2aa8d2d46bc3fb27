//! What a policy sees of a request.

use crate::{
    path::{NormalPath, UnsafePath},
    token::is_websocket,
};
use http::{HeaderMap, Method, Uri, request::Parts};
use oauth_core::model::Timestamp;

/// A request on its way in: never its token or its body.
#[derive(Debug)]
pub struct Asked<'a> {
    method: &'a Method,
    uri: &'a Uri,
    headers: &'a HeaderMap,
    path: Result<NormalPath<'a>, UnsafePath>,
    now: Timestamp,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(parts: &'a Parts, now: Timestamp) -> Self {
        let path = NormalPath::parse(whole_path(parts));
        Self { method: &parts.method, uri: &parts.uri, headers: &parts.headers, path, now }
    }

    /// The method.
    pub const fn method(&self) -> &Method {
        self.method
    }

    /// The path as it is to be judged.
    pub const fn path(&self) -> Result<&NormalPath<'a>, UnsafePath> {
        match &self.path {
            Ok(path) => Ok(path),
            Err(problem) => Err(*problem),
        }
    }

    /// The query, undecoded. It may carry a token: keep it out of logs.
    pub fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// The headers. They may carry a token: keep them out of logs.
    pub const fn headers(&self) -> &HeaderMap {
        self.headers
    }

    /// When it came, by the clock of the guard.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether the request opens a WebSocket.
    pub fn is_websocket(&self) -> bool {
        is_websocket(self.method, self.headers)
    }

    /// The path for the log: normalised where it can be.
    pub(crate) fn path_for_log(&self) -> &str {
        self.path.as_ref().map_or(self.uri.path(), NormalPath::as_str)
    }
}

/// The path before nested axum routers took their prefixes off it. What they leave is its end, or `/` for nothing;
/// anything else was rewritten, and then the rewritten path counts.
#[cfg(feature = "axum")]
fn whole_path(parts: &Parts) -> &str {
    let path = parts.uri.path();
    match parts.extensions.get::<axum::extract::OriginalUri>() {
        Some(original) if path == "/" || original.0.path().ends_with(path) => original.0.path(),
        _ => path,
    }
}

#[cfg(not(feature = "axum"))]
fn whole_path(parts: &Parts) -> &str {
    parts.uri.path()
}
