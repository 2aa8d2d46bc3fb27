//! Id tokens as their client reads them.

use super::{ISSUER, World};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use oauth_core::ports::Clock as _;
use serde_json::{Map, Value};
use std::ops::Index;

/// The claims of a verified id token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct IdToken(Map<String, Value>);

impl IdToken {
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names of all claims, sorted.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<_> = self.0.keys().map(String::as_str).collect();
        names.sort_unstable();
        names
    }
}

impl Index<&str> for IdToken {
    type Output = Value;
    fn index(&self, name: &str) -> &Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }
}

impl World {
    /// Checks an id token with the published keys (OpenID Connect Core 3.1.3.7, 1-10), and gives its claims.
    pub(crate) async fn id_token(&self, client: &str, token: &str) -> IdToken {
        let header = decode_header(token).unwrap();
        assert_eq!(header.typ.as_deref(), Some("JWT"));
        let set: JwkSet =
            serde_json::from_slice(&self.get("/.well-known/jwks.json").await.body).unwrap();
        let key = set.find(&header.kid.unwrap()).unwrap();
        let mut rules = Validation::new(header.alg);
        // Time is that of the test.
        rules.validate_exp = false;
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[client]);
        rules.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
        let claims: Map<String, Value> =
            decode(token, &DecodingKey::from_jwk(key).unwrap(), &rules).unwrap().claims;
        let now = self.clock.now().unix();
        assert!(claims["exp"].as_i64().unwrap() > now && claims["iat"].as_i64().unwrap() <= now);
        assert_eq!(claims["aud"], client, "one audience, as a text");
        assert!(!claims.contains_key("azp"));
        IdToken(claims)
    }
}

/// The `at_hash` or `c_hash` of a token signed with RS256, PS256 or ES256.
pub(crate) fn half_hash(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(&digest(&SHA256, text.as_bytes()).as_ref()[..16])
}
