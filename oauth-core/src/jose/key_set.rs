//! Published keys, read leniently: one odd key must not spoil the set.

use crate::model::VerificationAlgorithm;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use std::collections::HashSet;

/// More keys than any honest server publishes.
const MOST_KEYS: usize = 2_000;

/// A set of public keys ([RFC 7517 5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
#[derive(Clone, Default)]
pub struct KeySet(Vec<VerificationKey>);

/// One public key.
#[derive(Clone)]
pub struct VerificationKey {
    /// The key id, if it has one.
    pub kid: Option<String>,
    /// The one algorithm it is for, if it says so.
    alg: Option<String>,
    fits: &'static [VerificationAlgorithm],
    /// What makes it this key and no other, whatever it is called.
    material: String,
    pub(super) key: DecodingKey,
}

impl KeySet {
    /// Reads a JWK set key by key; keys of other types, for encryption, or unreadable ones are passed over.
    /// `key_ops` is ignored, since sets in the wild carry it malformed.
    pub fn from_jwks(set: &Value) -> Self {
        let keys = set.get("keys").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        Self(keys.iter().take(MOST_KEYS).filter_map(read).collect())
    }

    /// How many keys could be read.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key could be read.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys of this set and then those of another.
    pub fn joined(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// The keys of this set that are not in another, whatever they are called there.
    pub fn without(&self, other: &Self) -> Self {
        let gone: HashSet<&str> = other.0.iter().map(|key| &*key.material).collect();
        Self(self.0.iter().filter(|key| !gone.contains(&*key.material)).cloned().collect())
    }

    /// The keys that may have made a signature with `alg` and this `kid`: those of the same id first,
    /// and those without any id; every fitting key when the token names none.
    pub(super) fn candidates<'a>(
        &'a self,
        alg: VerificationAlgorithm,
        kid: Option<&'a str>,
    ) -> impl Iterator<Item = &'a VerificationKey> {
        let fits = move |k: &&VerificationKey| {
            k.fits.contains(&alg) && k.alg.as_deref().is_none_or(|a| names(a, alg))
        };
        let named = self.0.iter().filter(move |k| kid.is_some() && k.kid.as_deref() == kid);
        let unnamed = self.0.iter().filter(move |k| kid.is_none() || k.kid.is_none());
        named.chain(unnamed).filter(fits)
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|k| &k.kid)).finish()
    }
}

fn read(jwk: &Value) -> Option<VerificationKey> {
    use VerificationAlgorithm as A;
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|u| u != "sig") {
        return None;
    }
    let (fits, key): (&'static [A], _) = match (text("kty")?, text("crv")) {
        ("RSA", _) => (
            &[A::RS256, A::RS384, A::RS512, A::PS256, A::PS384, A::PS512],
            DecodingKey::from_rsa_components(text("n")?, text("e")?).ok()?,
        ),
        ("EC", Some("P-256")) => {
            (&[A::ES256], DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?)
        }
        ("EC", Some("P-384")) => {
            (&[A::ES384], DecodingKey::from_ec_components(text("x")?, text("y")?).ok()?)
        }
        ("OKP", Some("Ed25519")) => {
            (&[A::EdDSA, A::Ed25519], DecodingKey::from_ed_components(text("x")?).ok()?)
        }
        _ => return None,
    };
    let parts = ["n", "e", "x", "y"].map(|part| text(part).unwrap_or_default());
    Some(VerificationKey {
        material: parts.join("."),
        kid: text("kid").map(str::to_owned),
        alg: text("alg").map(str::to_owned),
        fits,
        key,
    })
}

/// Whether a key marked with this name is for the algorithm; Ed25519 has two names.
fn names(name: &str, alg: VerificationAlgorithm) -> bool {
    VerificationAlgorithm::parse(name).is_some_and(|own| jwt_algorithm(own) == jwt_algorithm(alg))
}

/// The algorithm under the name of the `jsonwebtoken` crate.
pub(super) const fn jwt_algorithm(alg: VerificationAlgorithm) -> Algorithm {
    use VerificationAlgorithm as A;
    match alg {
        A::ES256 => Algorithm::ES256,
        A::ES384 => Algorithm::ES384,
        A::EdDSA | A::Ed25519 => Algorithm::EdDSA,
        A::RS256 => Algorithm::RS256,
        A::RS384 => Algorithm::RS384,
        A::RS512 => Algorithm::RS512,
        A::PS256 => Algorithm::PS256,
        A::PS384 => Algorithm::PS384,
        A::PS512 => Algorithm::PS512,
    }
}
