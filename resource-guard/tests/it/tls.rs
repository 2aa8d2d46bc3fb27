//! https to the authorization server: the chain and the name are verified, and an operator can add an authority.

use crate::support::{
    AUDIENCE, KEY, ManualClock, PATIENCE, admits, app, claims, jwks, refuses, sign,
};
use axum::{Json, Router, routing::get};
use axum_server::{Handle, tls_rustls::RustlsConfig};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use resource_guard::{Guard, GuardBuilder};
use std::{net::SocketAddr, sync::Arc};

/// An authorization server on https under this name; its address and certificate.
async fn serve(name: &str) -> (u16, String, Handle<SocketAddr>) {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let tls =
        RustlsConfig::from_pem(cert.pem().into_bytes(), signing_key.serialize_pem().into_bytes())
            .await
            .unwrap();
    let handle = Handle::new();
    let server =
        axum_server::bind_rustls(SocketAddr::from(([127, 0, 0, 1], 0)), tls).handle(handle.clone());
    let router = Router::new().route("/jwks", get(|| async { Json(jwks([&*KEY])) }));
    tokio::spawn(server.serve(router.into_make_service()));
    let port = handle.listening().await.unwrap().port();
    (port, cert.pem(), handle)
}

fn guard(port: u16) -> GuardBuilder {
    Guard::for_issuer("https://as.example")
        .jwks_uri(format!("https://localhost:{port}/jwks"))
        .audience(AUDIENCE)
        .timeout(PATIENCE)
        .clock(Arc::new(ManualClock::new()))
}

#[tokio::test]
async fn r9_a_server_that_cannot_be_verified_is_not_believed() {
    let (port, _, handle) = serve("localhost").await;
    let token = sign(&KEY, &claims("https://as.example"));
    let app = app(guard(port).build().unwrap().any_token());
    refuses(&app, &token, 503, "temporarily_unavailable").await;
    handle.shutdown();
}

#[tokio::test]
async fn r9_root_certificates_can_be_added() {
    let (port, pem, handle) = serve("localhost").await;
    let token = sign(&KEY, &claims("https://as.example"));
    let app = app(guard(port).root_certificates(pem).build().unwrap().any_token());
    admits(&app, &token).await;
    handle.shutdown();
}

#[tokio::test]
async fn r9_the_name_must_be_right() {
    let (port, pem, handle) = serve("other.example").await;
    let token = sign(&KEY, &claims("https://as.example"));
    let app = app(guard(port).root_certificates(pem).build().unwrap().any_token());
    refuses(&app, &token, 503, "temporarily_unavailable").await;
    handle.shutdown();
}
