//! An NMOS node behind the guard: the Connection API of AMWA IS-05 and as much of the Node API of AMWA IS-04 as makes
//! it findable. It moves no media; everything else is real. `start.sh` says how to run it.

mod answer;
mod connection;
mod node;
mod settings;
mod tai;
#[cfg(test)]
mod tests;
mod tls;

use crate::{answer::NmosError, connection::Connections, node::Node, settings::Settings};
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
    let tls = tls::config(&settings.certificate, settings.ecdsa.as_ref())?;
    let node = Arc::new(Node::new(&settings.host, settings.port, settings.address));
    let connections = Connections::new(&node, Arc::new(tai::SystemClock));
    tracing::info!("https://{}:{}/x-nmos/", settings.host, settings.port);
    axum_server::bind_rustls(settings.listen, RustlsConfig::from_config(tls))
        .serve(app(&guard, node, connections).into_make_service())
        .await?;
    Ok(())
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
