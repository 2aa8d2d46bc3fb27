//! `resource-guard` in front of a hello handler: `bench-guard PORT ISSUER AUDIENCE`. `/guard` verifies every request
//! anew, `/guard/seen` remembers tokens as it does by default. `/x-nmos/read` does the same behind the guard of an NMOS
//! node, and `/x-nmos/read/v1.0` verifies anew there. The keys come from the issuer by discovery.

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
    let host = audience.trim_start_matches("https://");
    let node = || Guard::nmos_node(host).trust_issuer(issuer.as_str());
    let (node, forgetful_node) = (node().start().await?, node().remember_tokens(0).start().await?);
    let hello = || get(|| async { "hello" });
    let router = Router::new()
        .route("/hello", hello())
        .route("/guard", hello().layer(forgetful.needs("read")))
        .route("/guard/seen", hello().layer(remembering.needs("read")))
        .route("/x-nmos/read", hello().layer(node.nmos()))
        .route("/x-nmos/read/v1.0", hello().layer(forgetful_node.nmos()));
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    axum::serve(listener, router).await?;
    Ok(())
}
