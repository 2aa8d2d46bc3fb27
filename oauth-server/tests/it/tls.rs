//! TLS: one certificate or two, who gets which, what stops a start, and how they are renewed.

use crate::process::{Cluster, Process};
use oauth_core::testing::TestDatabase;
use oauth_server::config::{Config, Problems, Sources, load};
use rcgen::{
    CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SignatureAlgorithm,
};
use reqwest::{Certificate, Client};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, ServerName},
    version::{TLS12, TLS13},
};
use std::{path::Path, sync::Arc};

/// Writes a new certificate as `<name>.pem`, and its key as `<name>.key`.
fn certify(
    folder: &Path,
    name: &str,
    algorithm: &'static SignatureAlgorithm,
) -> CertificateDer<'static> {
    let key = KeyPair::generate_for(algorithm).unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".into(), "localhost".into()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    certificate.der().clone()
}

/// Whether a client that trusts this certificate alone gets an answer.
async fn is_trusted(process: &Process, certificate: &CertificateDer<'_>) -> bool {
    let certificate = Certificate::from_der(certificate).unwrap();
    let client = Client::builder().tls_certs_only([certificate]).build().unwrap();
    let url = process.url("/livez").replace("http:", "https:");
    client.get(url).send().await.is_ok_and(|response| response.status() == 200)
}

/// Where the files of the certificates are, to be configured.
fn configure(cluster: &mut Cluster, files: &[(&'static str, &str)]) {
    for &(setting, file) in files {
        let path = cluster.folder().join(file).display().to_string();
        cluster.set(setting, path);
    }
    cluster.set("OAUTH__SERVER__PUBLIC_URL", "https://localhost:4999");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_speaks_tls_and_reads_a_new_certificate_on_sighup() {
    let database = TestDatabase::sqlite().await;
    let mut cluster = Cluster::new(database.url(), "");
    let first = certify(cluster.folder(), "tls", &PKCS_ECDSA_P256_SHA256);
    let files =
        [("OAUTH__SERVER__TLS_CERTIFICATE", "tls.pem"), ("OAUTH__SERVER__TLS_KEY", "tls.key")];
    configure(&mut cluster, &files);
    let process = cluster.start();
    assert!(is_trusted(&process, &first).await);
    let plain = process.http.get(process.url("/livez")).send().await;
    assert!(plain.is_err(), "no plain http on the same port");

    let second = certify(cluster.folder(), "tls", &PKCS_ECDSA_P256_SHA256);
    process.signal("HUP");
    process.line("certificates read again");
    assert!(is_trusted(&process, &second).await && !is_trusted(&process, &first).await);

    std::fs::write(cluster.folder().join("tls.pem"), "nonsense").unwrap();
    process.signal("HUP");
    process.line("certificates cannot be read; the old ones stay");
    assert!(is_trusted(&process, &second).await);
}

/// The certificates of a server that has two.
struct Two {
    rsa: CertificateDer<'static>,
    ecdsa: CertificateDer<'static>,
}

impl Two {
    fn certify(folder: &Path) -> Self {
        let rsa = certify(folder, "rsa", &PKCS_RSA_SHA256);
        Self { rsa, ecdsa: certify(folder, "ecdsa", &PKCS_ECDSA_P256_SHA256) }
    }

    /// The one that a client is shown, which trusts both, and verifies it.
    fn shown(&self, process: &Process, client: &Offer) -> CertificateDer<'static> {
        let mut roots = RootCertStore::empty();
        roots.add(self.rsa.clone()).unwrap();
        roots.add(self.ecdsa.clone()).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut client = ClientConnection::new(client.config(roots).into(), name).unwrap();
        let mut stream = process.connect();
        while client.is_handshaking() {
            client.complete_io(&mut stream).unwrap();
        }
        client.peer_certificates().unwrap()[0].clone()
    }

    /// Asserts that each is shown to those who know nothing else.
    fn are_shown(&self, process: &Process) {
        for version in [&TLS12, &TLS13] {
            assert_eq!(self.shown(process, &Offer(version, "RSA", "")), self.rsa);
            assert_eq!(self.shown(process, &Offer(version, "ECDSA", "")), self.ecdsa);
        }
    }
}

/// What a client offers: a version, the signature schemes whose names begin so, and the cipher suites that have this in
/// their names.
struct Offer(&'static SupportedProtocolVersion, &'static str, &'static str);

impl Offer {
    fn config(&self, roots: RootCertStore) -> ClientConfig {
        let mut provider = default_provider();
        provider.cipher_suites.retain(|suite| format!("{suite:?}").contains(self.2));
        let algorithms = &mut provider.signature_verification_algorithms;
        let is_known = |name: String| name.starts_with(self.1);
        let known = algorithms.mapping.iter().filter(|(scheme, _)| is_known(format!("{scheme:?}")));
        algorithms.mapping = known.copied().collect::<Vec<_>>().leak();
        ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[self.0])
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

/// The settings of two certificates.
const BOTH: [(&str, &str); 4] = [
    ("OAUTH__SERVER__TLS_CERTIFICATE", "rsa.pem"),
    ("OAUTH__SERVER__TLS_KEY", "rsa.key"),
    ("OAUTH__SERVER__TLS_ECDSA_CERTIFICATE", "ecdsa.pem"),
    ("OAUTH__SERVER__TLS_ECDSA_KEY", "ecdsa.key"),
];

#[tokio::test(flavor = "multi_thread")]
async fn bcp_003_01_of_two_certificates_everybody_gets_the_one_they_know() {
    let database = TestDatabase::sqlite().await;
    let mut cluster = Cluster::new(database.url(), "");
    let two = Two::certify(cluster.folder());
    configure(&mut cluster, &BOTH);
    let process = cluster.start();
    two.are_shown(&process);
    for (offer, expected) in [
        (Offer(&TLS13, "", ""), &two.ecdsa),
        (Offer(&TLS12, "", ""), &two.ecdsa),
        (Offer(&TLS12, "", "ECDHE_ECDSA"), &two.ecdsa),
        (Offer(&TLS12, "", "ECDHE_RSA"), &two.rsa),
    ] {
        let shown = two.shown(&process, &offer);
        assert_eq!(&shown, expected, "{:?} {}", offer.0, offer.2);
    }
    assert!(is_trusted(&process, &two.ecdsa).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_certificates_are_renewed_together_or_not_at_all() {
    let database = TestDatabase::sqlite().await;
    let mut cluster = Cluster::new(database.url(), "");
    Two::certify(cluster.folder());
    configure(&mut cluster, &BOTH);
    let process = cluster.start();
    let two = Two::certify(cluster.folder());
    process.signal("HUP");
    process.line("certificates read again");
    two.are_shown(&process);

    for (file, wrong) in [
        ("ecdsa.pem", "server.tls_ecdsa_certificate: is not a PEM file with a certificate"),
        ("rsa.key", "server.tls_key: is not a PEM file with a private key"),
    ] {
        Two::certify(cluster.folder());
        std::fs::write(cluster.folder().join(file), "nonsense").unwrap();
        process.signal("HUP");
        let line = process.line("certificates cannot be read; the old ones stay");
        assert_eq!(line["error"], wrong);
        two.are_shown(&process);
    }
}

/// Loads a configuration with files of this folder.
fn read(folder: &Path, settings: &[(&str, &str)]) -> Result<Config, Problems> {
    let environment =
        settings.iter().map(|(name, file)| (name.into(), folder.join(file).into())).collect();
    load(&Sources { environment, ..Sources::default() })
}

/// The files of the four settings, and what is said of them.
const JUDGED: &[([&str; 4], &[&str])] = &[
    (["rsa.pem", "rsa.key", "ecdsa.pem", "ecdsa.key"], &[]),
    (["rsa.pem", "rsa.key", "", ""], &[]),
    (["ecdsa.pem", "ecdsa.key", "", ""], &[]),
    (
        ["rsa.pem", "", "", ""],
        &["server.tls_key: is not set, but server.tls_certificate is; give both"],
    ),
    (
        ["", "rsa.key", "", ""],
        &["server.tls_certificate: is not set, but server.tls_key is; give both"],
    ),
    (
        ["rsa.pem", "rsa.key", "ecdsa.pem", ""],
        &["server.tls_ecdsa_key: is not set, but server.tls_ecdsa_certificate is; give both"],
    ),
    (
        ["rsa.pem", "rsa.key", "", "ecdsa.key"],
        &["server.tls_ecdsa_certificate: is not set, but server.tls_ecdsa_key is; give both"],
    ),
    (
        ["", "", "ecdsa.pem", "ecdsa.key"],
        &[
            "server.tls_ecdsa_certificate: is the second of two; a single one, of either kind, is server.tls_certificate",
        ],
    ),
    (
        ["other_ecdsa.pem", "other_ecdsa.key", "ecdsa.pem", "ecdsa.key"],
        &[
            "server.tls_key: must be an RSA key: of two certificates, server.tls_certificate is RSA and server.tls_ecdsa_certificate is ECDSA",
        ],
    ),
    (
        ["rsa.pem", "rsa.key", "other_rsa.pem", "other_rsa.key"],
        &[
            "server.tls_ecdsa_key: must be an ECDSA key: of two certificates, server.tls_certificate is RSA and server.tls_ecdsa_certificate is ECDSA",
        ],
    ),
    (
        ["nowhere.pem", "rsa.key", "ecdsa.pem", "nowhere.key"],
        &[
            "server.tls_certificate: cannot be read: No such file or directory (os error 2)",
            "server.tls_ecdsa_key: cannot be read: No such file or directory (os error 2)",
        ],
    ),
    (
        ["rsa.key", "rsa.pem", "ecdsa.pem", "ecdsa.key"],
        &[
            "server.tls_certificate: is not a PEM file with a certificate",
            "server.tls_key: is not a PEM file with a private key",
        ],
    ),
    (
        ["rsa.pem", "other_rsa.key", "ecdsa.pem", "other_ecdsa.key"],
        &[
            "server.tls_key: cannot be used with server.tls_certificate: keys may not be consistent: KeyMismatch",
            "server.tls_ecdsa_key: cannot be used with server.tls_ecdsa_certificate: keys may not be consistent: KeyMismatch",
        ],
    ),
];

#[test]
fn certificates_that_do_not_fit_are_refused_all_at_once() {
    let folder = tempfile::tempdir().unwrap();
    Two::certify(folder.path());
    certify(folder.path(), "other_rsa", &PKCS_RSA_SHA256);
    certify(folder.path(), "other_ecdsa", &PKCS_ECDSA_P256_SHA256);
    for (files, said) in JUDGED {
        let set = BOTH.iter().zip(files).filter(|(_, file)| !file.is_empty());
        let set: Vec<_> = set.map(|(&(setting, _), &file)| (setting, file)).collect();
        let problems = read(folder.path(), &set).err().unwrap_or_default();
        let problems: Vec<_> = problems.0.iter().map(ToString::to_string).collect();
        assert_eq!(problems, *said, "{files:?}");
    }
}
