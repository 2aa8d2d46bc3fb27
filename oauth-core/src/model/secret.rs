//! Secrets on the wire and secrets at rest: two types that cannot be swapped.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::fmt;
use zeroize::Zeroizing;

/// A secret on its way to or from a peer. It can be revealed once and never stored: no store method takes it.
pub struct PlainToken(Zeroizing<String>);

impl PlainToken {
    /// Encodes 256 random bits as 43 characters of base64url.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Takes what a peer sent.
    pub fn from_wire(text: &str) -> Self {
        Self(Zeroizing::new(text.to_owned()))
    }

    /// The form that may be stored.
    pub fn hash(&self) -> HashedToken {
        HashedToken::of(&self.0)
    }

    /// The secret as key material, for sealing what only its holder may read.
    pub(crate) fn key_material(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Hands the secret out, for the one response that carries it.
    pub fn reveal(self) -> String {
        self.0.as_str().to_owned()
    }
}

impl fmt::Debug for PlainToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlainToken(..)")
    }
}

/// The SHA-256 of a secret of full entropy. It can be stored and looked up, and reveals nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct HashedToken([u8; 32]);

impl HashedToken {
    /// Hashes what a peer presented.
    pub fn of(presented: &str) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(digest::digest(&digest::SHA256, presented.as_bytes()).as_ref());
        Self(out)
    }

    /// Reads the stored form back; `None` unless it has 32 bytes.
    pub fn from_stored(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes to store.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `presented` is the secret behind this hash, compared in constant time.
    pub fn matches(&self, presented: &str) -> bool {
        constant_time::verify_slices_are_equal(&self.0, &Self::of(presented).0).is_ok()
    }
}

impl fmt::Debug for HashedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedToken(..)")
    }
}

impl Serialize for HashedToken {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for HashedToken {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        let hash = bytes.and_then(|bytes| Self::from_stored(&bytes));
        hash.ok_or_else(|| D::Error::custom("not a hash"))
    }
}
