//! The way to Redis: in the open, by a socket, or by TLS.

use crate::{
    error::{Error, Result},
    secret::Secret,
};
use redis::{
    Client, ConnectionAddr, IntoConnectionInfo as _, TlsCertificates,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use std::{path::PathBuf, time::Duration};

/// How long an answer may take.
const RESPONSE: Duration = Duration::from_secs(5);

/// Where Redis is.
#[derive(Clone, Debug)]
pub(crate) struct RedisServer {
    /// `redis://`, `rediss://` with TLS, or `redis+unix://`. It may hold a password.
    pub(crate) url: Secret,
    /// The certificate authorities that vouch for it, in PEM, in place of those of the system.
    pub(crate) ca_file: Option<PathBuf>,
}

impl RedisServer {
    /// Connects. The URL may hold a password, so no message repeats it.
    pub(crate) async fn connect(&self) -> Result<ConnectionManager> {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(RESPONSE))
            .set_response_timeout(Some(RESPONSE));
        ConnectionManager::new_with_config(self.client()?, config).await.map_err(failed)
    }

    fn client(&self) -> Result<Client> {
        let unusable = || {
            Error::Invalid("message_queue.url is no redis://, rediss:// or unix:// address".into())
        };
        let info = self.url.expose().into_connection_info().map_err(|_| unusable())?;
        match (info.addr(), &self.ca_file) {
            (ConnectionAddr::TcpTls { insecure: true, .. }, _) => Err(Error::Invalid(
                "#insecure would let anybody answer for Redis: name its authority in message_queue.ca_file instead"
                    .into(),
            )),
            (ConnectionAddr::TcpTls { .. }, Some(file)) => {
                let root = crate::files::read(file)?
                    .ok_or_else(|| Error::Store(format!("{} is not there", file.display())))?;
                let none =
                    || Error::Invalid("message_queue.ca_file holds no certificate in PEM".into());
                // The client would take a file without any, and trust nobody.
                let found: std::result::Result<Vec<_>, _> =
                    CertificateDer::pem_slice_iter(&root).collect();
                if found.is_ok_and(|all| !all.is_empty()) {
                    let certificates = TlsCertificates { client_tls: None, root_cert: Some(root) };
                    Client::build_with_tls(info, certificates).map_err(|_| none())
                } else {
                    Err(none())
                }
            }
            (_, Some(_)) => Err(Error::Invalid(
                "message_queue.ca_file is for a rediss:// address".into(),
            )),
            (_, None) => Client::open(info).map_err(|_| unusable()),
        }
    }
}

/// What Redis says may repeat what was sent; its kind does not.
#[expect(clippy::needless_pass_by_value, reason = "it is the argument of map_err")]
pub(crate) fn failed(error: redis::RedisError) -> Error {
    let what = if error.is_timeout() {
        "it gave no answer in time"
    } else if error.is_connection_refusal() || error.is_io_error() {
        "it cannot be reached"
    } else {
        "it refused"
    };
    Error::store("Redis failed", what)
}
