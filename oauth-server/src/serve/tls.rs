//! TLS: the acceptor, and the certificates under it, which may be read again.

use super::Certificates;
use crate::config::{Problems, Server};
use axum_server::{
    accept::NoDelayAcceptor,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use rustls::ServerConfig;
use std::{sync::Arc, time::Duration};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The certificates of the configuration, and the acceptor that uses them.
#[derive(Clone)]
pub(super) struct Tls(RustlsConfig);

impl Tls {
    /// `None` where the server speaks plainly.
    pub(super) fn load(server: &Server) -> Result<Option<Self>, Problems> {
        Ok(read(server)?.map(|config| Self(RustlsConfig::from_config(config))))
    }

    /// Reads all files again; new connections get the new certificates. Where one is no good, all the old ones stay.
    pub(super) fn reload(&self, server: &Server) {
        match read(server) {
            Ok(Some(config)) => {
                self.0.reload_from_config(config);
                tracing::info!("certificates read again");
            }
            Ok(None) => {}
            Err(Problems(problems)) => {
                for problem in problems {
                    tracing::error!(
                        error = problem.to_string(),
                        "certificates cannot be read; the old ones stay"
                    );
                }
            }
        }
    }

    pub(super) fn acceptor(&self) -> RustlsAcceptor<NoDelayAcceptor> {
        RustlsAcceptor::new(self.0.clone())
            .handshake_timeout(HANDSHAKE)
            .acceptor(NoDelayAcceptor::new())
    }
}

fn read(server: &Server) -> Result<Option<Arc<ServerConfig>>, Problems> {
    let mut problems = Problems::default();
    let certificates = Certificates::read(server, &mut problems);
    let config = certificates.map(|certificates| {
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(certificates));
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Arc::new(config)
    });
    problems.into_result(config)
}
