//! An NMOS node behind the guard: the Connection API of AMWA IS-05 and as much of the Node API of AMWA IS-04 as makes
//! it findable. It moves no media; everything else is real. `start.sh` says how to run it.

mod answer;
mod connection;
mod node;
mod settings;
mod tai;
#[cfg(test)]
mod tests;

use crate::{answer::NmosError, connection::Connections, node::Node, settings::Settings};
use anyhow::Context as _;
use axum::{Router, extract::DefaultBodyLimit, routing::get};
use axum_server::tls_rustls::RustlsConfig;
use resource_guard::Guard;
use std::sync::Arc;

/// More than any request of these APIs needs.
const MOST_BODY: usize = 1024 * 1024;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().init();
    let settings = Settings::from_environment()?;
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let guard = settings.guard()?.start().await?;
    let tls = tls(&settings).await?;
    let node = Arc::new(Node::new(&settings.host, settings.port, settings.address));
    let connections = Connections::new(&node, Arc::new(tai::SystemClock));
    tracing::info!("https://{}:{}/x-nmos/", settings.host, settings.port);
    axum_server::bind_rustls(settings.listen, tls)
        .serve(app(&guard, node, connections).into_make_service())
        .await?;
    Ok(())
}

/// The certificate of this node, and HTTP/1.1, which is what NMOS APIs speak.
async fn tls(settings: &Settings) -> anyhow::Result<RustlsConfig> {
    let tls = RustlsConfig::from_pem_file(&settings.certificate, &settings.key)
        .await
        .context("CERTIFICATE and KEY must be PEM files that belong together")?;
    let mut config = (*tls.get_inner()).clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(RustlsConfig::from_config(Arc::new(config)))
}

/// Every route, behind the guard.
fn app(guard: &Guard, node: Arc<Node>, connections: Arc<Connections>) -> Router {
    let listing =
        |names: &'static [&'static str]| get(move || async move { answer::listing(names) });
    Router::new()
        .route("/", listing(&["x-nmos/"]))
        .route("/x-nmos", listing(&["connection/", "node/"]))
        .route("/x-nmos/", listing(&["connection/", "node/"]))
        .merge(node::routes(node, connections.clone()))
        .merge(connection::routes(connections))
        .fallback(async || NmosError::NOT_FOUND)
        .method_not_allowed_fallback(async || NmosError::METHOD)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(guard.nmos())
}
