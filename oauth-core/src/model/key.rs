//! Signing keys at rest. When a key is published, signs and goes is a timetable, so that processes agree without messages.

use super::{SigningAlgorithm, Timestamp};

/// A signing key as stored: public parts readable, private part sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// The key id: the thumbprint of [RFC 7638](https://www.rfc-editor.org/rfc/rfc7638).
    pub kid: String,
    /// The one algorithm it signs with.
    pub alg: SigningAlgorithm,
    /// Counts the keys of one algorithm; unique with it, which decides between processes that rotate at once.
    pub sequence: i64,
    /// The PKCS#8 private key, sealed.
    pub sealed: Vec<u8>,
    /// A self-signed certificate with the public key, or the imported one, as PEM.
    pub certificate: String,
    /// From when it is in the key set.
    pub publish_at: Timestamp,
    /// From when it signs, until a younger key of the algorithm does.
    pub sign_from: Timestamp,
    /// When it was withdrawn at once, if it was: neither published nor used from then on.
    pub retired_at: Option<Timestamp>,
}
