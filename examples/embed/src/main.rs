//! An application that is its own authorization server: my users, my clients, my claims, my pages, one guarded route.

mod clients;
mod keys;
mod local;
mod people;
mod screens;
#[cfg(test)]
mod tests;

use axum::{Router, routing::get};
use oauth_core::{Provider, http, seaorm::SeaStore};
use resource_guard::{Guard, Principal};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let database = std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite::memory:".into());
    let listener = TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, app(&database).await?).await?;
    Ok(())
}

async fn app(database: &str) -> anyhow::Result<Router> {
    let store = SeaStore::connect(database).await?;
    store.migrate().await?;
    let provider = Provider::builder("http://127.0.0.1:8080".parse()?)
        .store(store) // codes, tokens, consents, keys ...
        .clients(clients::mine()?) // ... but my clients,
        .users(people::mine().await?) // my people,
        .claims(people::Teams) // my claims
        .screens("/login", "/consent") // and my pages
        .sealing_key(&keys::sealing_key()?)
        .build()?;
    keys::keep(&provider).await?;
    let guard = Guard::new(local::Local::new(&provider));
    Ok(Router::new()
        .route("/me", get(me).layer(guard.needs("profile")))
        .merge(http::router(provider.clone()))
        .merge(screens::router(provider)))
}

async fn me(who: Principal) -> String {
    let team = who.claim("team").and_then(|t| t.as_str()).unwrap_or("no team");
    format!("hello {} of {team}\n", who.subject())
}
