//! The front end as a program. Settings are environment variables; see the README.

use anyhow::Context as _;
use bff_web::{Proxy, Upstreams, router};
use std::{env, net::SocketAddr};
use tokio::net::TcpListener;
use url::Url;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    tracing_subscriber::fmt().init();
    let setting = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    let provider = setting("PROVIDER", "http://127.0.0.1:4999");
    let provider = Url::parse(&provider).context("PROVIDER is not an address")?;
    let api = match env::var("API") {
        Ok(api) => Some(Url::parse(&api).context("API is not an address")?),
        Err(_) => None,
    };
    let listen = setting("LISTEN", "127.0.0.1:8090");
    let listener = TcpListener::bind(&listen).await.with_context(|| listen.clone())?;
    tracing::info!("open http://{listen}/app/");
    let app = router(Proxy::new(Upstreams { provider, api })?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
