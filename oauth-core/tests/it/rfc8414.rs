//! RFC 8414: metadata, derived from what is registered and enabled.

use crate::support::Setup;
use async_trait::async_trait;
use oauth_core::{
    error::OAuthError,
    grants::{Exchange, Grant, Implicit, Password},
    model::Approval,
};
use serde_json::{Value, json};

/// What a provider without OpenID Connect says of itself, whole.
#[tokio::test]
async fn s3_2_the_document() {
    const METHODS: [&str; 5] = [
        "client_secret_basic",
        "client_secret_post",
        "client_secret_jwt",
        "private_key_jwt",
        "none",
    ];
    const SIGNING: [&str; 13] = [
        "HS256", "HS384", "HS512", "ES256", "ES384", "EdDSA", "Ed25519", "RS256", "RS384", "RS512",
        "PS256", "PS384", "PS512",
    ];
    let world = Setup::new().policy(|p| p.openid = false).start().await;
    let reply = world.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.json(),
        json!({
            "issuer": "https://as.example",
            "authorization_endpoint": "https://as.example/oauth/authorize",
            "token_endpoint": "https://as.example/oauth/token",
            "revocation_endpoint": "https://as.example/oauth/revoke",
            "introspection_endpoint": "https://as.example/oauth/introspect",
            "jwks_uri": "https://as.example/.well-known/jwks.json",
            "response_types_supported": ["code", "none"],
            "response_modes_supported": ["query", "fragment", "form_post"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported": METHODS,
            "token_endpoint_auth_signing_alg_values_supported": SIGNING,
            "revocation_endpoint_auth_methods_supported": METHODS,
            "revocation_endpoint_auth_signing_alg_values_supported": SIGNING,
            "introspection_endpoint_auth_methods_supported": METHODS[..4],
            "introspection_endpoint_auth_signing_alg_values_supported": SIGNING,
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
            "request_parameter_supported": true,
            "request_uri_parameter_supported": false,
            "require_request_uri_registration": true,
            "request_object_signing_alg_values_supported": SIGNING[3..],
        })
    );
}

/// A grant of an embedder, in one file and one line.
struct Own;

#[async_trait]
impl Grant for Own {
    fn grant_type(&self) -> &'static str {
        "urn:example:own"
    }
    async fn approve(&self, _: &Exchange<'_>) -> Result<Approval, OAuthError> {
        Err(OAuthError::invalid_grant("always"))
    }
}

#[tokio::test]
async fn s2_what_is_turned_on_is_said_and_works() {
    let world = Setup::new()
        .policy(|p| p.openid = false)
        .builder(|b| b.grant(Implicit).grant(Password).grant(Own))
        .builder(|b| b.scopes(["a".into(), "b".into()]))
        .client("web", |c| {
            c.grant_types.insert("urn:example:own".into());
        })
        .start()
        .await;
    let document = world.provider.metadata();
    assert_eq!(
        document["grant_types_supported"],
        json!([
            "authorization_code",
            "client_credentials",
            "refresh_token",
            "implicit",
            "password",
            "urn:example:own"
        ])
    );
    assert_eq!(document["response_types_supported"], json!(["code", "none", "token"]));
    assert_eq!(document["scopes_supported"], json!(["a", "b"]));
    world.token("web", "urn:example:own").refuses("invalid_grant").await;
    world.token("other", "urn:example:own").refuses("unauthorized_client").await;
}

/// What the document says exists answers there.
#[tokio::test]
async fn s2_the_endpoints_are_where_it_says() {
    for issuer in ["https://as.example", "https://as.example/", "https://as.example/tenant/one"] {
        let world = Setup::new().issuer(issuer).start().await;
        let document = world.provider.metadata().clone();
        let path = |name: &str| {
            let url = document[name].as_str().unwrap();
            url.strip_prefix("https://as.example").unwrap().to_owned()
        };
        assert_eq!(document["issuer"], issuer);
        let base = issuer.strip_prefix("https://as.example").unwrap().trim_end_matches('/');
        let at = format!("/.well-known/oauth-authorization-server{base}");
        assert_eq!(world.get(&at).await.json(), document);
        let keys: Value = {
            let reply = world.get(&path("jwks_uri")).await;
            assert_eq!(reply.header("content-type"), Some("application/jwk-set+json"));
            serde_json::from_slice(&reply.body).unwrap()
        };
        assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
        for name in ["token_endpoint", "revocation_endpoint", "introspection_endpoint"] {
            assert_eq!(world.get(&path(name)).await.status, 405, "{name}");
        }
        assert_eq!(world.get(&path("authorization_endpoint")).await.status, 400);
    }
}
