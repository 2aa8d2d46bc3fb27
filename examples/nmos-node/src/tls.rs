//! Https with one certificate, or with an RSA and an ECDSA one, of which everybody gets the one they can verify
//! (AMWA BCP-003-01).

use anyhow::{Context as _, ensure};
use rustls::{
    ServerConfig, SignatureAlgorithm,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{path::PathBuf, sync::Arc};

/// PEM files with a certificate, and those above it, and with its key.
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// These certificates, and HTTP/1.1, which is what NMOS APIs speak.
pub(crate) fn config(usual: &Files, ecdsa: Option<&Files>) -> anyhow::Result<Arc<ServerConfig>> {
    let usual =
        usual.read().context("CERTIFICATE and KEY must be PEM files that belong together")?;
    let ecdsa = ecdsa
        .map(Files::read)
        .transpose()
        .context("ECDSA_CERTIFICATE and ECDSA_KEY must be PEM files that belong together")?;
    if let Some(ecdsa) = &ecdsa {
        let kinds = (usual.key.algorithm(), ecdsa.key.algorithm());
        ensure!(
            kinds == (SignatureAlgorithm::RSA, SignatureAlgorithm::ECDSA),
            "of two certificates, CERTIFICATE must be RSA and ECDSA_CERTIFICATE must be ECDSA"
        );
    }
    let certificates = Arc::new(Certificates { usual, ecdsa });
    let mut config = ServerConfig::builder().with_no_client_auth().with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

impl Files {
    fn read(&self) -> anyhow::Result<Arc<CertifiedKey>> {
        let chain = CertificateDer::pem_file_iter(&self.certificate)?;
        let chain = chain.collect::<Result<Vec<_>, _>>()?;
        let key = PrivateKeyDer::from_pem_file(&self.key)?;
        Ok(Arc::new(CertifiedKey::from_der(chain, key, &default_provider())?))
    }
}

#[derive(Debug)]
struct Certificates {
    usual: Arc<CertifiedKey>,
    ecdsa: Option<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Certificates {
    /// Schemes that go with no cipher suite of the client, rustls has left out.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let ecdsa = self.ecdsa.as_ref().filter(|it| it.key.choose_scheme(schemes).is_some());
        Some(Arc::clone(ecdsa.unwrap_or(&self.usual)))
    }
}
