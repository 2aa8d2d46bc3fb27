//! Floor 2: JSON Web Signatures, Encryption and Keys as values. The only folder that names a cryptography library for them.

mod compact;
mod generate;
mod half_hash;
mod jwe;
mod key_set;
mod mac;
mod seal;
mod sign;
mod verify;

pub use compact::{Unverified, peek, read_unsecured};
pub use generate::{GeneratedKey, generate, import_pem, self_signed};
pub use half_hash::left_half_hash;
pub use jwe::{DecryptionKey, EncryptionKey, EncryptionKeys, RsaPadding, encrypt, encrypt_claims};
pub use key_set::{KeySet, VerificationKey};
pub use mac::{sign_hmac, verify_hmac};
pub use seal::Sealer;
pub use sign::Signer;
pub use verify::{Jwt, JwtProblem, verify};

/// A key that cannot be used. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyProblem {
    /// The private key cannot be read, or does not fit the algorithm.
    #[error("the private key cannot be read or does not fit {0}")]
    Private(crate::model::SigningAlgorithm),
    /// The PEM text is not a private key this crate supports.
    #[error(
        "not a PEM private key in PKCS#8 or PKCS#1 form of RSA (2048 bits or more), P-256 or Ed25519"
    )]
    Pem,
    /// Sealed data does not open: another sealing key, or changed bytes.
    #[error("sealed data does not open: the sealing key is another one, or the data was changed")]
    Sealed,
    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Certificate(#[source] rcgen::Error),
    /// Claims could not be serialised.
    #[error("claims could not be serialised")]
    Claims(#[source] serde_json::Error),
    /// A JWK is not a public key that can be encrypted to.
    #[error(
        "not a public key to encrypt to: RSA (2048 bits or more), P-256, P-384, P-521 or X25519"
    )]
    Recipient,
    /// No key of the recipient is for the algorithm.
    #[error("no key of the recipient is for {0}")]
    NoRecipient(crate::model::KeyManagementAlgorithm),
    /// The shared secret is shorter than the algorithm demands.
    #[error("the shared secret is too short for {0}")]
    Secret(crate::model::MacAlgorithm),
    /// The cryptography library failed.
    #[error("the cryptography library failed")]
    Crypto,
}
