//! One certificate or two, and who gets which.

use crate::tls::{Files, config};
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName},
    version::{TLS12, TLS13},
};
use std::{os::unix::net::UnixStream, path::Path, sync::Arc, thread};

/// A certificate of this node, and where it is.
struct Made {
    der: CertificateDer<'static>,
    files: Files,
}

impl Made {
    fn new(folder: &Path, name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        let file = |ending: &str| folder.join(format!("{name}.{ending}"));
        let files = Files { certificate: file("pem"), key: file("key") };
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec![super::HOST.to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(&files.certificate, certificate.pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        Self { der: certificate.der().clone(), files }
    }
}

/// The certificate that a client is shown, which trusts these and knows the signature schemes whose names begin so.
fn shown(
    server: &Arc<ServerConfig>,
    trusted: [&Made; 2],
    version: &'static SupportedProtocolVersion,
    schemes: &str,
) -> CertificateDer<'static> {
    let mut roots = RootCertStore::empty();
    for made in trusted {
        roots.add(made.der.clone()).unwrap();
    }
    let mut provider = default_provider();
    let algorithms = &mut provider.signature_verification_algorithms;
    let is_known = |scheme: String| scheme.starts_with(schemes);
    let known = algorithms.mapping.iter().filter(|(scheme, _)| is_known(format!("{scheme:?}")));
    algorithms.mapping = known.copied().collect::<Vec<_>>().leak();
    let client = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(super::HOST).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    let (mut near, mut far) = UnixStream::pair().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| server.complete_io(&mut far).ok());
        client.complete_io(&mut near).unwrap();
    });
    client.peer_certificates().unwrap()[0].clone()
}

#[test]
fn of_two_certificates_everybody_gets_the_one_they_know() {
    default_provider().install_default().ok();
    let folder = tempfile::tempdir().unwrap();
    let rsa = Made::new(folder.path(), "rsa", &PKCS_RSA_SHA256);
    let ecdsa = Made::new(folder.path(), "ecdsa", &PKCS_ECDSA_P256_SHA256);
    let both = config(&rsa.files, Some(&ecdsa.files)).unwrap();
    for version in [&TLS12, &TLS13] {
        for (schemes, expected) in [("RSA", &rsa), ("ECDSA", &ecdsa), ("", &ecdsa)] {
            let der = shown(&both, [&rsa, &ecdsa], version, schemes);
            assert_eq!(der, expected.der, "{version:?} {schemes}");
        }
        for alone in [&rsa, &ecdsa] {
            let one = config(&alone.files, None).unwrap();
            assert_eq!(shown(&one, [&rsa, &ecdsa], version, ""), alone.der);
        }
    }
}

#[test]
fn certificates_that_do_not_fit_are_refused() {
    default_provider().install_default().ok();
    let folder = tempfile::tempdir().unwrap();
    let rsa = Made::new(folder.path(), "rsa", &PKCS_RSA_SHA256).files;
    let ecdsa = Made::new(folder.path(), "ecdsa", &PKCS_ECDSA_P256_SHA256).files;
    let mixed = Files { certificate: ecdsa.certificate.clone(), key: rsa.key.clone() };
    let nowhere = Files { certificate: ecdsa.certificate.clone(), key: "/nowhere/key".into() };
    let kinds = "of two certificates, CERTIFICATE must be RSA and ECDSA_CERTIFICATE must be ECDSA";
    let first = "CERTIFICATE and KEY must be PEM files that belong together";
    let second = "ECDSA_CERTIFICATE and ECDSA_KEY must be PEM files that belong together";
    for (usual, other, said) in [
        (&ecdsa, Some(&rsa), kinds),
        (&ecdsa, Some(&ecdsa), kinds),
        (&rsa, Some(&rsa), kinds),
        (&mixed, None, first),
        (&nowhere, Some(&ecdsa), first),
        (&rsa, Some(&mixed), second),
        (&rsa, Some(&nowhere), second),
    ] {
        assert_eq!(config(usual, other).unwrap_err().to_string(), said);
    }
}
