//! Metadata: [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414). Derived from what is registered and enabled, so it cannot lie.

use crate::{authorize::ResponseMode, env::Env, grants::Grants};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The methods of `client_auth`.
const AUTH_METHODS: [&str; 3] = ["client_secret_basic", "client_secret_post", "none"];

/// Paths of the endpoints below the issuer.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The authorization endpoint.
    pub authorize: String,
    /// The token endpoint.
    pub token: String,
    /// The revocation endpoint.
    pub revoke: String,
    /// The introspection endpoint.
    pub introspect: String,
    /// The key set.
    pub jwks: String,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            authorize: "/oauth/authorize".into(),
            token: "/oauth/token".into(),
            revoke: "/oauth/revoke".into(),
            introspect: "/oauth/introspect".into(),
            jwks: "/.well-known/jwks.json".into(),
        }
    }
}

/// The metadata document of [RFC 8414 2](https://www.rfc-editor.org/rfc/rfc8414#section-2).
///
/// `scopes` are the ones the operator wants to advertise.
pub fn metadata(env: &Env, grants: &Grants, paths: &Paths, scopes: &[String]) -> Value {
    let at = |path: &str| env.issuer.join(path);
    let grant_types: Vec<_> = grants.grant_types().collect();
    let response_types: Vec<_> = grants.response_types().collect();
    let modes: BTreeSet<_> = response_types.iter().map(|r| ResponseMode::of(r).as_str()).collect();
    let confidential: Vec<_> = AUTH_METHODS.into_iter().filter(|m| *m != "none").collect();
    let challenges: &[&str] =
        if env.policy.danger_plain_pkce { &["S256", "plain"] } else { &["S256"] };
    let mut document = json!({
        "issuer": env.issuer.as_str(),
        "authorization_endpoint": at(&paths.authorize),
        "token_endpoint": at(&paths.token),
        "revocation_endpoint": at(&paths.revoke),
        "introspection_endpoint": at(&paths.introspect),
        "jwks_uri": at(&paths.jwks),
        "response_types_supported": response_types,
        "response_modes_supported": modes,
        "grant_types_supported": grant_types,
        "token_endpoint_auth_methods_supported": AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
        "introspection_endpoint_auth_methods_supported": confidential,
        "code_challenge_methods_supported": challenges,
        "authorization_response_iss_parameter_supported": true,
    });
    if let (false, Some(map)) = (scopes.is_empty(), document.as_object_mut()) {
        map.insert("scopes_supported".into(), json!(scopes));
    }
    document
}
