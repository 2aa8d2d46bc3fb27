//! The certificates of the listener: one, or an RSA and an ECDSA one, of which everybody gets the one they can verify
//! ([AMWA BCP-003-01](https://specs.amwa.tv/bcp-003-01/)).

use crate::config::{Problems, Server};
use rustls::{
    SignatureAlgorithm,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{fs, path::Path, sync::Arc};

/// Certificates that belong to their keys.
#[derive(Debug)]
pub(crate) struct Certificates {
    /// For whoever can verify it.
    ecdsa: Option<Arc<CertifiedKey>>,
    /// For everybody else.
    usual: Arc<CertifiedKey>,
}

impl Certificates {
    /// Reads those of the configuration, and notes what is wrong with them.
    pub(crate) fn read(server: &Server, problems: &mut Problems) -> Option<Self> {
        let first = Pair {
            certificate: Setting::of("server.tls_certificate", server.tls_certificate.as_deref()),
            key: Setting::of("server.tls_key", server.tls_key.as_deref()),
        };
        let certificate = server.tls_ecdsa_certificate.as_deref();
        let second = Pair {
            certificate: Setting::of("server.tls_ecdsa_certificate", certificate),
            key: Setting::of("server.tls_ecdsa_key", server.tls_ecdsa_key.as_deref()),
        };
        let (usual, ecdsa) = (first.read(problems), second.read(problems));
        if second.is_set() {
            first.must_be(SignatureAlgorithm::RSA, usual.as_deref(), problems);
            second.must_be(SignatureAlgorithm::ECDSA, ecdsa.as_deref(), problems);
            if !first.is_set() {
                let what =
                    "is the second of two; a single one, of either kind, is server.tls_certificate";
                problems.add(second.certificate.name, what);
            }
        }
        Some(Self { ecdsa, usual: usual? })
    }
}

impl ResolvesServerCert for Certificates {
    /// The signature schemes decide alone: rustls leaves out those that go with no cipher suite of the client, on which
    /// they depend in TLS 1.2.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let schemes = hello.signature_schemes();
        let ecdsa = self.ecdsa.as_ref().filter(|it| it.key.choose_scheme(schemes).is_some());
        Some(Arc::clone(ecdsa.unwrap_or(&self.usual)))
    }
}

/// A certificate and its key.
struct Pair<'a> {
    certificate: Setting<'a>,
    key: Setting<'a>,
}

impl Pair<'_> {
    const fn is_set(&self) -> bool {
        self.certificate.file.is_some() || self.key.file.is_some()
    }

    /// Reads both files.
    fn read(&self, problems: &mut Problems) -> Option<Arc<CertifiedKey>> {
        for (one, other) in [(self.certificate, self.key), (self.key, self.certificate)] {
            if one.file.is_none() && other.file.is_some() {
                problems.add(one.name, format!("is not set, but {} is; give both", other.name));
            }
        }
        let chain = self.certificate.read("a certificate", problems, |pem| {
            let chain = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>().ok()?;
            (!chain.is_empty()).then_some(chain)
        });
        let key =
            self.key.read("a private key", problems, |pem| PrivateKeyDer::from_pem_slice(pem).ok());
        match CertifiedKey::from_der(chain?, key?, &default_provider()) {
            Ok(certified) => Some(Arc::new(certified)),
            Err(e) => {
                let what = format!("cannot be used with {}: {e}", self.certificate.name);
                problems.add(self.key.name, what);
                None
            }
        }
    }

    /// Notes a key of another kind.
    fn must_be(
        &self,
        kind: SignatureAlgorithm,
        read: Option<&CertifiedKey>,
        problems: &mut Problems,
    ) {
        if read.is_some_and(|read| read.key.algorithm() != kind) {
            let what = format!(
                "must be an {kind:?} key: of two certificates, server.tls_certificate is RSA and \
                 server.tls_ecdsa_certificate is ECDSA"
            );
            problems.add(self.key.name, what);
        }
    }
}

/// A setting that names a file.
#[derive(Clone, Copy)]
struct Setting<'a> {
    name: &'static str,
    file: Option<&'a Path>,
}

impl<'a> Setting<'a> {
    const fn of(name: &'static str, file: Option<&'a Path>) -> Self {
        Self { name, file }
    }

    /// What the file has, as PEM.
    fn read<T>(
        self,
        what: &str,
        problems: &mut Problems,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let wrong = match fs::read(self.file?).map(|pem| parse(&pem)) {
            Ok(Some(parsed)) => return Some(parsed),
            Ok(None) => format!("is not a PEM file with {what}"),
            Err(e) => format!("cannot be read: {e}"),
        };
        problems.add(self.name, wrong);
        None
    }
}
