//! `oauth-server serve`.

use super::output;
use crate::{
    config::{Config, LogFormat},
    serve,
    state::{AppState, World},
    telemetry,
};
use anyhow::Context as _;
use std::{io::IsTerminal as _, net::SocketAddr, thread::available_parallelism};

/// The most threads for work that blocks. Argon2 takes one each, and no more run than there are processors.
const BLOCKING_THREADS: usize = 32;

pub(super) fn run(config: Config) -> anyhow::Result<()> {
    telemetry::install(&config.logs, telemetry::Output::Stdout);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let payload = panic.payload();
        let text = payload.downcast_ref::<&str>().map(|s| (*s).to_owned());
        let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_default();
        tracing::error!(place, text, "panic");
    }));
    let workers = config
        .server
        .workers
        .map_or_else(|| available_parallelism().map_or(2, usize::from), usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let outcome = runtime.block_on(async {
        let state = AppState::start(config, World::default()).await?;
        serve::serve(state, greet).await
    });
    if let Err(e) = &outcome {
        tracing::error!(error = format!("{e:#}"), "server failed");
    }
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    outcome
}

/// Says where the server is: in a few lines for people, as an event for machines.
fn greet(state: &AppState, address: SocketAddr) {
    let issuer = state.config.issuer();
    let mode = state.config.mode();
    match telemetry::format(&state.config.logs, std::io::stdout().is_terminal()) {
        LogFormat::Json => {
            let mail = state.mail.folder().map(|folder| folder.display().to_string());
            tracing::info!(%address, url = %issuer, %mode, mail, "listening");
        }
        LogFormat::Pretty => {
            let start = if state.config.signup.open {
                format!("Sign up:      {}/signup", state.config.origin())
            } else {
                "Make a user:  oauth-server user create NAME".to_owned()
            };
            let mail = state.mail.folder().map_or_else(String::new, |folder| {
                format!("\n    Letters:      {}", folder.display())
            });
            let text = format!(
                "\n  oauth-server listens on {address} ({mode})\n\n    {start}\n    Sign in:      {}\n    Metadata:     {}{mail}\n\n  Stop it with Ctrl-C.\n\n",
                format_args!("{}/", state.config.origin()),
                state.config.metadata_url(),
            );
            // Nobody reads it: no reason not to serve.
            let _ = output::raw(text.as_bytes());
        }
    }
}
