//! What both programs share: an argument, a listener, an orderly end.

use crate::{logs, settings::Settings};
use axum::Router;
use clap::Parser;
use std::{net::IpAddr, path::PathBuf};
use tokio::{net::TcpListener, signal};

#[derive(Parser)]
#[command(about = "A service of the time system. Every setting has a default; see the README.")]
struct Arguments {
    /// A TOML file with settings.
    #[arg(long)]
    config: Option<PathBuf>,
}

/// Reads the settings and starts logging.
pub fn begin() -> anyhow::Result<Settings> {
    let arguments = Arguments::parse();
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    logs::start();
    Ok(Settings::load(arguments.config.as_deref())?)
}

/// Serves until SIGTERM or ctrl-c, then finishes what is in flight.
pub async fn serve(
    service: &'static str,
    host: IpAddr,
    port: u16,
    routes: Router,
) -> anyhow::Result<()> {
    let listener = TcpListener::bind((host, port)).await?;
    tracing::info!(service, address = %listener.local_addr()?, "listening");
    axum::serve(listener, routes).with_graceful_shutdown(stop()).await?;
    tracing::info!(service, "stopped");
    Ok(())
}

async fn stop() {
    let terminated = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut term) => {
                term.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = signal::ctrl_c() => {}
        () = terminated => {}
    }
}
