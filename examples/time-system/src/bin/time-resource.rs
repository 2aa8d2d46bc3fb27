//! The resource server of the time system.

use oauth_core::ports::SystemClock;
use resource_guard::Guard;
use secrecy::ExposeSecret;
use std::sync::Arc;
use time_system::{resource::router, serve, settings::Mode, upstream::endpoint};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let settings = serve::begin()?;
    let mine = settings.resource;
    let mut guard = Guard::introspecting(
        endpoint(&settings.issuer, "introspect"),
        mine.client_id,
        mine.client_secret.expose_secret(),
    )
    .audience(settings.audience);
    if matches!(settings.mode, Mode::Development | Mode::Testing) {
        guard = guard.danger_plain_http();
    }
    let guard = guard.start().await?;
    serve::serve("time-resource", mine.host, mine.port, router(&guard, Arc::new(SystemClock))).await
}
