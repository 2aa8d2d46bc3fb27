//! Metadata: [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414) and
//! [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html), one document under both
//! names. Derived from what is registered and enabled, so it cannot lie.

use crate::{
    authorize::PROMPTS,
    client_auth,
    config::Screens,
    env::Env,
    grants::Grants,
    model::{
        ContentEncryption, KeyManagementAlgorithm, ResponseMode, SigningAlgorithm,
        VerificationAlgorithm,
    },
    openid::CLAIMS,
};
use serde_json::{Map, Value, json};

/// What the document tells of beyond ports and policy.
#[derive(Clone, Copy, Debug)]
pub struct Offers<'a> {
    /// Where the embedder's pages are.
    pub screens: &'a Screens,
    /// The scopes the operator wants to advertise.
    pub scopes: &'a [String],
    /// Whether documents of clients can be fetched.
    pub fetches: bool,
    /// Whether clients can be registered.
    pub registration: bool,
    /// Whether there is a page to log out on.
    pub logout: bool,
}

/// The metadata document ([RFC 8414 2](https://www.rfc-editor.org/rfc/rfc8414#section-2),
/// [OpenID Connect Discovery 3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)).
pub fn metadata(env: &Env, grants: &Grants, offers: &Offers<'_>) -> Value {
    let mut document = oauth(env, grants, offers);
    if env.policy.openid {
        document.extend(openid(env, offers));
    }
    if offers.registration {
        set(&mut document, "registration_endpoint", env.issuer.join(&env.paths.register));
    }
    Value::Object(document)
}

fn oauth(env: &Env, grants: &Grants, offers: &Offers<'_>) -> Map<String, Value> {
    let at = |path: &str| env.issuer.join(path);
    let paths = &env.paths;
    let confidential: Vec<_> = client_auth::METHODS.into_iter().filter(|m| *m != "none").collect();
    let challenges: &[&str] =
        if env.policy.danger_plain_pkce { &["S256", "plain"] } else { &["S256"] };
    let signing: Vec<_> =
        client_auth::METHODS.into_iter().flat_map(client_auth::signing_algorithms).collect();
    let mut document = Map::new();
    set(&mut document, "issuer", env.issuer.as_str());
    set(&mut document, "authorization_endpoint", at(&paths.authorize));
    set(&mut document, "token_endpoint", at(&paths.token));
    set(&mut document, "revocation_endpoint", at(&paths.revoke));
    set(&mut document, "introspection_endpoint", at(&paths.introspect));
    set(&mut document, "jwks_uri", at(&paths.jwks));
    set(&mut document, "response_types_supported", grants.response_types().collect::<Vec<_>>());
    set(&mut document, "response_modes_supported", ResponseMode::ALL.map(ResponseMode::as_str));
    set(&mut document, "grant_types_supported", grants.grant_types().collect::<Vec<_>>());
    for (endpoint, methods) in [
        ("token", &client_auth::METHODS[..]),
        ("revocation", &client_auth::METHODS[..]),
        ("introspection", &confidential[..]),
    ] {
        set(&mut document, &format!("{endpoint}_endpoint_auth_methods_supported"), methods);
        let name = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
        set(&mut document, &name, &signing);
    }
    set(&mut document, "code_challenge_methods_supported", challenges);
    set(&mut document, "authorization_response_iss_parameter_supported", true);
    set(&mut document, "request_parameter_supported", true);
    set(&mut document, "request_uri_parameter_supported", offers.fetches);
    set(&mut document, "require_request_uri_registration", true);
    // `none` is for those who register it, and whoever reads it here takes it for everybody's.
    let algorithms = VerificationAlgorithm::ALL.map(VerificationAlgorithm::as_str);
    set(&mut document, "request_object_signing_alg_values_supported", algorithms);
    if !offers.scopes.is_empty() {
        set(&mut document, "scopes_supported", offers.scopes);
    }
    document
}

fn openid(env: &Env, offers: &Offers<'_>) -> Map<String, Value> {
    let at = |path: &str| env.issuer.join(path);
    let signing: Vec<_> = SigningAlgorithm::ALL
        .into_iter()
        .filter(|alg| env.policy.algorithms.contains(alg))
        .map(SigningAlgorithm::as_str)
        .collect();
    let prompts: Vec<_> = PROMPTS
        .into_iter()
        .filter(|prompt| *prompt != "create" || offers.screens.sign_up.is_some())
        .collect();
    let mut document = Map::new();
    set(&mut document, "userinfo_endpoint", at(&env.paths.userinfo));
    set(&mut document, "subject_types_supported", ["public", "pairwise"]);
    for what in ["id_token", "userinfo"] {
        set(&mut document, &format!("{what}_signing_alg_values_supported"), &signing);
        let algs = KeyManagementAlgorithm::ALL.map(KeyManagementAlgorithm::as_str);
        set(&mut document, &format!("{what}_encryption_alg_values_supported"), algs);
        let encs = ContentEncryption::ALL.map(ContentEncryption::as_str);
        set(&mut document, &format!("{what}_encryption_enc_values_supported"), encs);
    }
    set(&mut document, "claims_parameter_supported", true);
    set(&mut document, "claims_supported", CLAIMS);
    set(&mut document, "claim_types_supported", ["normal"]);
    set(&mut document, "display_values_supported", ["page"]);
    set(&mut document, "prompt_values_supported", prompts);
    if !env.policy.acr_values.is_empty() {
        set(&mut document, "acr_values_supported", &env.policy.acr_values);
    }
    if offers.logout {
        set(&mut document, "end_session_endpoint", at(&env.paths.end_session));
        set(&mut document, "check_session_iframe", at(&env.paths.check_session));
        set(&mut document, "frontchannel_logout_supported", true);
        set(&mut document, "frontchannel_logout_session_supported", true);
        set(&mut document, "backchannel_logout_supported", offers.fetches);
        set(&mut document, "backchannel_logout_session_supported", offers.fetches);
    }
    document
}

fn set(document: &mut Map<String, Value>, name: &str, value: impl serde::Serialize) {
    document.insert(name.to_owned(), json!(value));
}
