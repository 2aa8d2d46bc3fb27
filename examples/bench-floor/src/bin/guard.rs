//! `resource-guard` in front of a hello handler: `bench-guard PORT ISSUER AUDIENCE`. `/guard` verifies every request
//! anew, `/guard/seen` remembers tokens as it does by default. The keys come from the issuer by discovery.

use anyhow::Context as _;
use axum::{Router, routing::get};
use resource_guard::Guard;
use std::net::Ipv4Addr;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what| arguments.next().with_context(|| format!("{what} is missing"));
    let port = next("PORT")?.parse()?;
    let (issuer, audience) = (next("ISSUER")?, next("AUDIENCE")?);
    let guard = || Guard::for_issuer(issuer.as_str()).audience(audience.as_str());
    let remembering = guard().start().await?;
    let forgetful = guard().remember_tokens(0).start().await?;
    let hello = || get(|| async { "hello" });
    let router = Router::new()
        .route("/hello", hello())
        .route("/guard", hello().layer(forgetful.needs("read")))
        .route("/guard/seen", hello().layer(remembering.needs("read")));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
