//! OpenID Connect Discovery: the same document as RFC 8414's, and what it says is so.

use crate::support::{Published, Setup};
use oauth_core::grants::Implicit;
use serde_json::{Value, json};

#[tokio::test]
async fn s4_one_document_under_both_names() {
    for issuer in ["https://as.example", "https://as.example/", "https://as.example/tenant"] {
        let world = Setup::openid().issuer(issuer).start().await;
        let base = issuer.strip_prefix("https://as.example").unwrap().trim_end_matches('/');
        let openid = world.get(&format!("{base}/.well-known/openid-configuration")).await;
        let oauth = world.get(&format!("/.well-known/oauth-authorization-server{base}")).await;
        assert_eq!(openid.status, 200);
        assert_eq!(openid.json(), oauth.json());
        assert_eq!(openid.json()["issuer"], issuer);
    }
}

#[tokio::test]
async fn s3_what_is_required_is_there() {
    let world = Setup::new().start().await;
    let document = world.get("/.well-known/openid-configuration").await.json();
    for name in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "claims_supported",
    ] {
        assert!(!document[name].is_null(), "{name}");
    }
    assert_eq!(document["response_types_supported"], json!(["code", "code id_token", "none"]));
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(["ES256"]));
    assert_eq!(document["subject_types_supported"], json!(["public", "pairwise"]));
    assert_eq!(document["request_uri_parameter_supported"], json!(false));
    let text = document.to_string();
    assert!(!text.contains("registration_endpoint"));
    assert!(!text.contains("end_session_endpoint"));
}

#[tokio::test]
async fn s3_what_is_turned_on_is_said() {
    let world = Setup::openid()
        .builder(|b| b.grant(Implicit).fetch(Published::new()).sign_up_screen("/signup"))
        .start()
        .await;
    let document = world.provider.metadata();
    assert_eq!(
        document["response_types_supported"],
        json!([
            "code",
            "code id_token",
            "code id_token token",
            "code token",
            "id_token",
            "id_token token",
            "none",
            "token"
        ])
    );
    assert_eq!(document["response_modes_supported"], json!(["query", "fragment", "form_post"]));
    assert_eq!(document["request_uri_parameter_supported"], json!(true));
    assert_eq!(
        document["prompt_values_supported"],
        json!(["none", "login", "consent", "select_account", "create"])
    );
    assert_eq!(document["acr_values_supported"], json!([oauth_core::testing::fixtures::ACR]));
}

#[tokio::test]
async fn s3_without_openid_nothing_of_it_is_said() {
    let world = Setup::new().policy(|p| p.openid = false).start().await;
    assert_eq!(world.get("/.well-known/openid-configuration").await.status, 404);
    let document = world.provider.metadata();
    for name in ["userinfo_endpoint", "claims_supported", "check_session_iframe"] {
        assert_eq!(document[name], Value::Null, "{name}");
    }
    assert_eq!(document["response_types_supported"], json!(["code", "none"]));
}

/// Every member is one of the IANA registry "OAuth Authorization Server Metadata" or of a specification that adds to it.
#[tokio::test]
async fn no_member_is_made_up() {
    const KNOWN: &[&str] = &[
        "acr_values_supported",
        "authorization_endpoint",
        "authorization_response_iss_parameter_supported",
        "backchannel_logout_session_supported",
        "backchannel_logout_supported",
        "check_session_iframe",
        "claim_types_supported",
        "claims_parameter_supported",
        "claims_supported",
        "code_challenge_methods_supported",
        "display_values_supported",
        "end_session_endpoint",
        "frontchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "grant_types_supported",
        "id_token_encryption_alg_values_supported",
        "id_token_encryption_enc_values_supported",
        "id_token_signing_alg_values_supported",
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "issuer",
        "jwks_uri",
        "prompt_values_supported",
        "registration_endpoint",
        "request_object_signing_alg_values_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "require_request_uri_registration",
        "response_modes_supported",
        "response_types_supported",
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "scopes_supported",
        "subject_types_supported",
        "token_endpoint",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "userinfo_encryption_alg_values_supported",
        "userinfo_encryption_enc_values_supported",
        "userinfo_endpoint",
        "userinfo_signing_alg_values_supported",
    ];
    let world = Setup::openid().builder(|b| b.fetch(Published::new())).start().await;
    let document = world.provider.metadata().as_object().unwrap();
    let made_up: Vec<_> = document.keys().filter(|k| !KNOWN.contains(&k.as_str())).collect();
    assert_eq!(made_up, [""; 0]);
}
