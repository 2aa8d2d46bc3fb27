//! `at_hash` and `c_hash`: what ties a token or a code to the ID Token beside it.

use crate::model::{JwsAlgorithm, MacAlgorithm, VerificationAlgorithm};
use aws_lc_rs::digest::{SHA256, SHA384, SHA512, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The left half of the hash that belongs to the algorithm of the ID Token, encoded
/// ([OIDC Core 3.1.3.6](https://openid.net/specs/openid-connect-core-1_0.html#CodeIDToken),
/// [3.3.2.11](https://openid.net/specs/openid-connect-core-1_0.html#HybridIDToken)).
///
/// Of Ed25519 that hash is SHA-512, which the signature is made with.
pub fn left_half_hash(alg: impl Into<JwsAlgorithm>, text: &str) -> String {
    use MacAlgorithm as M;
    use VerificationAlgorithm as V;
    let algorithm =
        match alg.into() {
            JwsAlgorithm::Signature(V::ES256 | V::RS256 | V::PS256)
            | JwsAlgorithm::Mac(M::HS256) => &SHA256,
            JwsAlgorithm::Signature(V::ES384 | V::RS384 | V::PS384)
            | JwsAlgorithm::Mac(M::HS384) => &SHA384,
            JwsAlgorithm::Signature(V::EdDSA | V::Ed25519 | V::RS512 | V::PS512)
            | JwsAlgorithm::Mac(M::HS512) => &SHA512,
        };
    let hash = digest(algorithm, text.as_bytes());
    let half = hash.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(hash.as_ref().get(..half).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SigningAlgorithm;

    /// The access token of the example in A.3 and the code of that in A.4.
    #[test]
    fn oidc_core_a3_a4_examples() {
        let token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(left_half_hash(SigningAlgorithm::RS256, token), "77QmUPtjPfzWtF2AnpK9RQ");
        let code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk";
        assert_eq!(left_half_hash(SigningAlgorithm::RS256, code), "LDktKdoQak3Pk0cnXxCltA");
    }

    #[test]
    fn the_hash_is_that_of_the_algorithm() {
        let of = |name: &str| left_half_hash(JwsAlgorithm::parse(name).unwrap(), "abc");
        // The published digests of "abc" (FIPS 180-4), cut in half.
        for name in ["RS256", "PS256", "ES256", "HS256"] {
            assert_eq!(of(name), "ungWv48Bz-pBQUDeXa4iIw", "{name}");
        }
        for name in ["RS384", "PS384", "ES384", "HS384"] {
            assert_eq!(of(name), "ywB1P0WjXou1oD1pmsZQBycsMqsO3tFj", "{name}");
        }
        for name in ["RS512", "PS512", "HS512", "EdDSA", "Ed25519"] {
            assert_eq!(of(name), "3a81oZNherrMQXNJriBBMRLm-k6JqX6iCp7u5ktV05o", "{name}");
        }
    }
}
