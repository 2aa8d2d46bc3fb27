//! RFC 8414: metadata, derived from what is registered and enabled.

use crate::support::{Setup, World};
use async_trait::async_trait;
use oauth_core::{
    error::OAuthError,
    grants::{Exchange, Grant, Implicit, Password},
    model::Approval,
};
use serde_json::{Value, json};

#[tokio::test]
async fn s3_2_the_document() {
    let world = World::new().await;
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
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
            "token_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post", "none"],
            "revocation_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post", "none"],
            "introspection_endpoint_auth_methods_supported":
                ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
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
    assert_eq!(document["response_types_supported"], json!(["code", "token"]));
    assert_eq!(document["response_modes_supported"], json!(["fragment", "query"]));
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
