//! The registered names of algorithms: what tokens are signed, verified and encrypted with.

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

impl From<SigningAlgorithm> for VerificationAlgorithm {
    fn from(alg: SigningAlgorithm) -> Self {
        match alg {
            SigningAlgorithm::RS256 => Self::RS256,
            SigningAlgorithm::RS512 => Self::RS512,
            SigningAlgorithm::PS256 => Self::PS256,
            SigningAlgorithm::ES256 => Self::ES256,
            SigningAlgorithm::EdDSA => Self::EdDSA,
        }
    }
}

/// The four things every enum of registered names can do.
macro_rules! registered {
    ($name:ident, $count:literal, $(#[$what:meta])* { $($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$what])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// Every one, in the order of the metadata document.
            pub const ALL: [Self; $count] = [$(Self::$variant),+];

            /// The registered name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                }
            }

            /// Reads the registered name; case matters.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|a| a.as_str() == name)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

registered! {
    VerificationAlgorithm, 10,
    /// A JWS algorithm ([RFC 7518 3](https://www.rfc-editor.org/rfc/rfc7518#section-3)) with which others may sign
    /// what this crate verifies. Never a symmetric one: see [`MacAlgorithm`].
    {
        /// ECDSA on P-256 with SHA-256.
        ES256 = "ES256",
        /// ECDSA on P-384 with SHA-384.
        ES384 = "ES384",
        /// Ed25519, under the name of [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037#section-3.1).
        EdDSA = "EdDSA",
        /// Ed25519, under the name of [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864#section-2.2).
        Ed25519 = "Ed25519",
        /// RSASSA-PKCS1-v1.5 with SHA-256.
        RS256 = "RS256",
        /// RSASSA-PKCS1-v1.5 with SHA-384.
        RS384 = "RS384",
        /// RSASSA-PKCS1-v1.5 with SHA-512.
        RS512 = "RS512",
        /// RSASSA-PSS with SHA-256.
        PS256 = "PS256",
        /// RSASSA-PSS with SHA-384.
        PS384 = "PS384",
        /// RSASSA-PSS with SHA-512.
        PS512 = "PS512",
    }
}

registered! {
    MacAlgorithm, 3,
    /// A JWS algorithm with a shared secret ([RFC 7518 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
    /// A type of its own, so that a public key can never be taken for a secret.
    {
        /// HMAC with SHA-256.
        HS256 = "HS256",
        /// HMAC with SHA-384.
        HS384 = "HS384",
        /// HMAC with SHA-512.
        HS512 = "HS512",
    }
}

registered! {
    KeyManagementAlgorithm, 5,
    /// How the key of an encrypted token reaches its recipient: the JWE `alg`
    /// ([RFC 7518 4](https://www.rfc-editor.org/rfc/rfc7518#section-4)).
    {
        /// RSAES-OAEP with SHA-256 and MGF1 with SHA-256.
        RsaOaep256 = "RSA-OAEP-256",
        /// RSAES-OAEP with the default parameters, SHA-1 and MGF1 with SHA-1. Nothing here rests on collisions.
        RsaOaep = "RSA-OAEP",
        /// Ephemeral-static Diffie-Hellman; the agreed key encrypts the content.
        EcdhEs = "ECDH-ES",
        /// Ephemeral-static Diffie-Hellman; the agreed key wraps the content key with AES-128.
        EcdhEsA128Kw = "ECDH-ES+A128KW",
        /// Ephemeral-static Diffie-Hellman; the agreed key wraps the content key with AES-256.
        EcdhEsA256Kw = "ECDH-ES+A256KW",
    }
}

registered! {
    ContentEncryption, 4,
    /// How the content of a token is encrypted: the JWE `enc`
    /// ([RFC 7518 5](https://www.rfc-editor.org/rfc/rfc7518#section-5)).
    {
        /// AES-128 in CBC mode with HMAC-SHA-256; what a client that names no `enc` gets
        /// ([OIDC Registration 2](https://openid.net/specs/openid-connect-registration-1_0.html#ClientMetadata)).
        A128CbcHs256 = "A128CBC-HS256",
        /// AES-256 in CBC mode with HMAC-SHA-512.
        A256CbcHs512 = "A256CBC-HS512",
        /// AES-128 in Galois/Counter mode.
        A128Gcm = "A128GCM",
        /// AES-256 in Galois/Counter mode.
        A256Gcm = "A256GCM",
    }
}

/// The JWS algorithm of a JWT, before it is known which kind of key proves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JwsAlgorithm {
    /// A public key proves it.
    Signature(VerificationAlgorithm),
    /// A shared secret proves it.
    Mac(MacAlgorithm),
}

impl JwsAlgorithm {
    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature(alg) => alg.as_str(),
            Self::Mac(alg) => alg.as_str(),
        }
    }

    /// Reads the registered name; case matters, and `none` is none of them.
    pub fn parse(name: &str) -> Option<Self> {
        let signature = VerificationAlgorithm::parse(name).map(Self::Signature);
        signature.or_else(|| MacAlgorithm::parse(name).map(Self::Mac))
    }
}

impl fmt::Display for JwsAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<SigningAlgorithm> for JwsAlgorithm {
    fn from(alg: SigningAlgorithm) -> Self {
        Self::Signature(alg.into())
    }
}

impl From<VerificationAlgorithm> for JwsAlgorithm {
    fn from(alg: VerificationAlgorithm) -> Self {
        Self::Signature(alg)
    }
}

impl From<MacAlgorithm> for JwsAlgorithm {
    fn from(alg: MacAlgorithm) -> Self {
        Self::Mac(alg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_stored_as_registered() {
        for alg in SigningAlgorithm::ALL {
            assert_eq!(VerificationAlgorithm::from(alg).as_str(), alg.as_str());
        }
        for alg in KeyManagementAlgorithm::ALL {
            assert_eq!(KeyManagementAlgorithm::parse(alg.as_str()), Some(alg));
            assert_eq!(serde_json::to_value(alg).unwrap(), alg.as_str());
        }
        for enc in ContentEncryption::ALL {
            assert_eq!(
                serde_json::from_value::<ContentEncryption>(enc.as_str().into()).unwrap(),
                enc
            );
        }
        for alg in MacAlgorithm::ALL {
            assert_eq!(VerificationAlgorithm::parse(alg.as_str()), None);
            assert_eq!(SigningAlgorithm::parse(alg.as_str()), None);
            let either = JwsAlgorithm::Mac(alg);
            assert_eq!(JwsAlgorithm::parse(alg.as_str()), Some(either));
            assert_eq!(serde_json::to_value(either).unwrap(), alg.as_str());
            assert_eq!(
                serde_json::from_value::<JwsAlgorithm>(alg.as_str().into()).unwrap(),
                either
            );
        }
        assert_eq!(JwsAlgorithm::parse("none"), None);
        assert_eq!(KeyManagementAlgorithm::parse("RSA1_5"), None);
        assert_eq!(ContentEncryption::parse("a128gcm"), None);
    }
}
