//! A front end whose page never sees a token: static files under `/app/`, and everything else from the provider, so
//! that both are one origin. The README says why.

mod files;
mod proxy;

pub use proxy::{Proxy, Upstreams};

use axum::{
    Router,
    response::Redirect,
    routing::{any, get},
};

/// The routes: the page, and the provider behind it.
pub fn router(proxy: Proxy) -> Router {
    Router::new()
        .route("/app", get(|| async { Redirect::permanent("/app/") }))
        .route("/app/", get(files::page))
        .route("/app/{file}", get(files::file))
        .fallback(any(proxy::forward))
        .with_state(proxy)
}
