//! The local web page: list, add, edit, authorize, exchange, refresh, take back, remove.
//!
//! Nothing happens on GET but the way to the provider and back; every POST proves that it comes from a page of ours.

mod clients;
mod forms;
mod guard;
mod logins;
mod views;

use crate::{
    error::{Error, Result},
    secret::Secret,
    settings::ServerSettings,
    store::TokenStore,
};
use axum::{
    Router, middleware,
    routing::{get, post},
};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use std::{net::SocketAddr, sync::Arc};
use tower_http::csrf::CsrfLayer;
use url::Url;

/// The local web page, as a service.
#[derive(Clone, Debug)]
pub struct Web(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    store: TokenStore,
    /// Where the page is, as its own address: scheme, host and port.
    base: Url,
    /// The hosts it is asked for.
    hosts: Vec<String>,
    access_key: Option<Secret>,
    seal: guard::FormSeal,
    admitted: guard::Admitted,
    logins: logins::Logins,
}

impl Web {
    /// The page at this address. `settings` says who else may name it, and what they must know.
    pub fn new(store: TokenStore, address: SocketAddr, settings: &ServerSettings) -> Result<Self> {
        let scheme = if settings.tls_cert.is_some() { "https" } else { "http" };
        let port = address.port();
        let host = if address.ip().is_unspecified() {
            "127.0.0.1".to_owned()
        } else {
            SocketAddr::new(address.ip(), 0).to_string().trim_end_matches(":0").to_owned()
        };
        let base = Url::parse(&format!("{scheme}://{host}:{port}"))
            .map_err(|_| Error::Invalid("the address of the page cannot be used".into()))?;
        // A name that was made to lead here is not among them: it could read everything with the browser's help.
        let mut hosts: Vec<String> = ["127.0.0.1", "localhost", "[::1]", host.as_str()]
            .iter()
            .map(|name| format!("{name}:{port}"))
            .collect();
        hosts.extend(settings.allowed_hosts.iter().cloned());
        let parts = Parts {
            store,
            base,
            hosts,
            access_key: settings.access_key.clone(),
            seal: guard::FormSeal::new(),
            admitted: guard::Admitted::default(),
            logins: logins::Logins::default(),
        };
        Ok(Self(Arc::new(parts)))
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        let cross = CsrfLayer::new().with_rejection_response(guard::from_elsewhere);
        Router::new()
            .route("/", get(clients::list))
            .route("/add-client", get(clients::new).post(clients::add))
            .route("/client-detail/{id}", get(clients::detail))
            .route("/client-edit/{id}", get(clients::edit).post(clients::save))
            .route("/client-remove/{id}", get(clients::ask_remove).post(clients::remove))
            .route("/client-refresh/{id}", get(clients::ask_refresh).post(clients::refresh))
            .route("/client-revoke/{id}", post(clients::revoke))
            .route("/client-auth/{id}", get(logins::begin))
            .route("/auth_callback", get(logins::back))
            .route("/client-access/{id}", get(logins::ask).post(logins::exchange))
            .route_layer(middleware::from_fn_with_state(self.clone(), guard::admitted))
            .route("/access", get(guard::ask_key).post(guard::take_key))
            .fallback(views::not_found)
            .method_not_allowed_fallback(views::not_allowed)
            .layer(middleware::from_fn_with_state(self.clone(), guard::visit))
            .layer(cross)
            .route("/style.css", get(views::style))
            .layer(middleware::from_fn_with_state(self.clone(), guard::host))
            .layer(middleware::map_response(views::finish))
            .with_state(self.clone())
    }

    /// The redirect URI of a client here.
    fn redirect(&self, client: &crate::model::Client) -> Result<Url> {
        if let Some(url) = client.redirect_url.as_ref().or_else(|| self.0.store.redirect_url()) {
            return Ok(url.clone());
        }
        let wrong = |_| Error::Invalid("the redirect URL cannot be used".into());
        self.0.base.join("/auth_callback").map_err(wrong)
    }
}

/// Listens and serves until SIGTERM or SIGINT. `greet` is told where.
pub async fn serve(
    store: TokenStore,
    settings: &ServerSettings,
    greet: impl FnOnce(&Url),
) -> Result<()> {
    let wanted = SocketAddr::new(settings.host, settings.port);
    let failed = |e: std::io::Error| Error::store(&format!("{wanted} cannot be listened on"), e);
    let listener = std::net::TcpListener::bind(wanted).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let web = Web::new(store, address, settings)?;
    let service = web.router().into_make_service();
    let handle = Handle::new();
    tokio::spawn(stop(handle.clone()));
    tokio::spawn(recover(web.0.store.clone()));
    greet(&web.0.base);
    let served = match (&settings.tls_cert, &settings.tls_key) {
        (Some(certificate), Some(key)) => {
            let tls = RustlsConfig::from_pem_file(certificate, key).await.map_err(|e| {
                Error::store("server.tls_cert and server.tls_key cannot be used", e)
            })?;
            axum_server::from_tcp_rustls(listener, tls)
                .map_err(failed)?
                .handle(handle)
                .serve(service)
                .await
        }
        _ => axum_server::from_tcp(listener).map_err(failed)?.handle(handle).serve(service).await,
    };
    served.map_err(failed)
}

/// Finishes refreshes that another process has begun, while the provider still remembers them.
async fn recover(store: TokenStore) {
    for client in store.list().await.unwrap_or_default() {
        let Ok(client) = store.client(&client.id.to_string()).await else { continue };
        let interrupted =
            client.status().await.is_ok_and(|s| s.state == crate::client::State::Interrupted);
        if interrupted && let Err(e) = client.access_token().await {
            tracing::warn!(client = client.name(), error = %e, "an interrupted refresh cannot be finished");
        }
    }
}

async fn stop(handle: Handle<SocketAddr>) {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut term) => {
                term.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
    handle.graceful_shutdown(Some(std::time::Duration::from_secs(5)));
}
