//! Signature algorithms of access tokens.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A JWS algorithm ([RFC 7518 3](https://www.rfc-editor.org/rfc/rfc7518#section-3)) this crate signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1.5 with SHA-256.
    RS256,
    /// RSASSA-PKCS1-v1.5 with SHA-512; AMWA IS-10 demands it.
    RS512,
    /// RSASSA-PSS with SHA-256.
    PS256,
    /// ECDSA on P-256 with SHA-256; the default: fast to sign, small.
    ES256,
    /// Ed25519.
    EdDSA,
}

impl SigningAlgorithm {
    /// Every algorithm, in the order of the metadata document.
    pub const ALL: [Self; 5] = [Self::ES256, Self::EdDSA, Self::RS256, Self::RS512, Self::PS256];

    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::ES256 => "ES256",
            Self::EdDSA => "EdDSA",
        }
    }

    /// Reads the registered name; case matters.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.as_str() == name)
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
