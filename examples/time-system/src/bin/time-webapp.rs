//! The web app of the time system.

use oauth_core::ports::SystemClock;
use std::sync::Arc;
use time_system::{
    serve,
    upstream::{AuthorizationServer, Credentials, TimeServer, client},
    webapp::{Webapp, router},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let settings = serve::begin()?;
    let mine = settings.webapp;
    let http = client()?;
    let app = Webapp {
        authorization_server: AuthorizationServer::new(
            http.clone(),
            &settings.issuer,
            Credentials { id: mine.client_id, secret: mine.client_secret },
            settings.audience,
        ),
        time_server: TimeServer::new(http, mine.resource_url),
        username: mine.username,
        password: mine.password,
        clock: Arc::new(SystemClock),
        kept: Arc::default(),
    };
    serve::serve("time-webapp", mine.host, mine.port, router(app)).await
}
