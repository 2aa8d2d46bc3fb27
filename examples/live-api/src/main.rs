//! The API as a program. Settings are environment variables; see the README.

use anyhow::Context as _;
use live_api::{Live, Recorded, router};
use oauth_core::ports::SystemClock;
use resource_guard::{Csrf, Guard};
use std::{env, sync::Arc};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let setting = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let issuer = setting("ISSUER", "http://127.0.0.1:4999");
    let mut guard = Guard::for_issuer(&issuer)
        .audience(setting("AUDIENCE", &issuer))
        .api_key_header("X-API-KEY");
    if let Ok(cookie) = env::var("TOKEN_COOKIE") {
        guard = guard.cookie(cookie, Csrf::new());
    }
    let guard = guard.start().await?;
    let fixtures = setting("FIXTURES", concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    let live = Live::new(Recorded::new(fixtures), Arc::new(SystemClock));
    let listen = setting("LISTEN", "127.0.0.1:8082");
    let listener = TcpListener::bind(&listen).await.with_context(|| listen.clone())?;
    tracing::info!(listen, issuer, "listening");
    axum::serve(listener, router(live, &guard)).await?;
    Ok(())
}
