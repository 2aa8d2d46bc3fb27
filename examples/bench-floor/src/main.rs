//! The floor of the benchmarks: the least a handler of each kind can do, on the same web framework, allocator and
//! cryptography as the server. `bench-floor PORT` listens on loopback; `scripts/bench.sh` drives it.

mod client;
mod guard;
mod introspect;
mod keys;
mod openid;
mod token;

use axum::{
    Router,
    http::header,
    middleware,
    routing::{get, post},
};
use std::{
    net::Ipv4Addr,
    sync::{Arc, LazyLock},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What all handlers share.
struct Floor {
    /// Made at first use, so that the start of the process is that of a server that has its keys.
    keys: LazyLock<keys::Keys>,
    issued: introspect::Issued,
    seen: guard::Seen,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_default().parse()?;
    let floor = Arc::new(Floor {
        keys: LazyLock::new(|| keys::Keys::generate().expect("the system has random numbers")),
        issued: introspect::Issued::default(),
        seen: guard::Seen::default(),
    });
    let hello = || get(|| async { "hello" });
    let router = Router::new()
        .route("/hello", hello())
        .route("/key-set", get(key_set))
        .route("/token/es256", post(token::es256))
        .route("/token/rs256", post(token::rs256))
        .route("/token/rs512", post(token::rs512))
        .route("/token/opaque", post(token::opaque))
        .route("/introspect", post(introspect::introspect))
        .route("/document", get(openid::document))
        .route("/userinfo", get(openid::userinfo))
        .route("/password", post(openid::password))
        .route(
            "/guard",
            hello().layer(middleware::from_fn_with_state(floor.clone(), guard::verify_each_time)),
        )
        .route(
            "/guard/seen",
            hello().layer(middleware::from_fn_with_state(floor.clone(), guard::verify_once)),
        )
        .with_state(floor);
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

/// A constant of the size of a key set.
async fn key_set() -> ([(header::HeaderName, &'static str); 1], String) {
    ([(header::CONTENT_TYPE, "application/json")], format!(r#"{{"keys":["{:700}"]}}"#, ""))
}
