//! OpenID Connect Dynamic Client Registration 1.0, and what the logout specifications add to it.

use crate::support::{
    CALLBACK,
    jwt::{ClientKey, jwks},
    registering::Site,
};
use oauth_core::model::VerificationAlgorithm;
use serde_json::{Value, json};

const SECTOR: &str = "https://sector.example/uris";

/// A minimal request with these members more.
fn with(mut members: Value) -> Value {
    if members.get("redirect_uris").is_none() {
        members["redirect_uris"] = json!([CALLBACK]);
    }
    members
}

#[tokio::test]
async fn s2_redirect_uris_fit_the_application_type() {
    let site = Site::open().await;
    let register = |kind: &str, response_type: &str, uri: &str| {
        json!({
            "application_type": kind,
            "response_types": [response_type],
            "redirect_uris": [uri],
        })
    };
    for (kind, response_type, uri) in [
        ("web", "code", "https://client.example/cb?x=y"),
        ("web", "code", "http://127.0.0.1/cb"),
        ("web", "id_token", "https://client.example/cb"),
        ("native", "code", "com.example.app:/cb"),
        ("native", "id_token", "http://localhost:8080/cb"),
    ] {
        let own = site.registers(register(kind, response_type, uri)).await;
        assert_eq!(own.body["application_type"], kind);
    }
    for (kind, response_type, uri) in [
        ("web", "code", "https://client.example/cb#x"),
        ("web", "code", "http://client.example/cb"),
        ("web", "id_token", "http://127.0.0.1/cb"),
        ("web", "id_token", "https://localhost/cb"),
        ("web", "code token", "com.example.app:/cb"),
        ("native", "code", "https://client.example/cb"),
        ("native", "code", "http://client.example/cb"),
        ("native", "code", "app:/cb"),
    ] {
        let body = register(kind, response_type, uri);
        site.objects(body, "invalid_redirect_uri", "redirect_uris").await;
    }
    let body = with(json!({"application_type": "robot"}));
    site.objects(body, "invalid_client_metadata", "application_type").await;
}

#[tokio::test]
async fn s5_the_sector_lists_all_redirect_uris() {
    let site = Site::open().await;
    let uris = json!([CALLBACK, "https://other.example/cb"]);
    let body = || {
        json!({
            "redirect_uris": uris,
            "subject_type": "pairwise",
            "sector_identifier_uri": SECTOR,
        })
    };
    let refuses = async || {
        site.objects(body(), "invalid_client_metadata", "sector_identifier_uri").await;
    };
    refuses().await;
    for bad in [
        json!([CALLBACK]).to_string(),
        json!([CALLBACK, "https://other.example/cb/"]).to_string(),
        json!({"redirect_uris": uris}).to_string(),
        json!([CALLBACK, "https://other.example/cb", 7]).to_string(),
        "x".into(),
        format!("{}{uris}", " ".repeat(64 * 1024)),
    ] {
        site.published.put(SECTOR, &bad);
        refuses().await;
    }
    site.published
        .put(SECTOR, json!([CALLBACK, "https://other.example/cb", "https://more.example/"]));
    let own = site.registers(body()).await;
    assert_eq!(own.body["sector_identifier_uri"], SECTOR);

    // It is looked at again only when there is something new to look for.
    let asked = site.published.asked(SECTOR);
    site.published.remove(SECTOR);
    let mut change = own.editable();
    change["client_name"] = json!("Another name");
    change["redirect_uris"] = json!([CALLBACK]);
    assert_eq!(site.put(&own, &change).await.status, 200);
    assert_eq!(site.published.asked(SECTOR), asked);
    change["redirect_uris"] = uris.clone();
    site.put(&own, &change).await.refuses("invalid_client_metadata");

    // Also where subjects are public, and never on behalf of somebody who is refused anyway.
    let public = with(json!({"sector_identifier_uri": SECTOR}));
    site.objects(public, "invalid_client_metadata", "sector_identifier_uri").await;
    let asked = site.published.asked(SECTOR);
    let bad = with(json!({"sector_identifier_uri": SECTOR, "scope": "everything"}));
    site.objects(bad, "invalid_client_metadata", "scope").await;
    assert_eq!(site.published.asked(SECTOR), asked);
}

#[tokio::test]
async fn s5_nothing_is_fetched_for_who_is_not_admitted() {
    let site = Site::open().await;
    site.door.answers(oauth_core::ports::Admission::TokenRequired);
    let reply = site.post(&with(json!({"sector_identifier_uri": SECTOR}))).await;
    assert_eq!((reply.status, site.published.asked(SECTOR)), (401, 0));
}

#[tokio::test]
async fn core_s8_1_pairwise_subjects() {
    let site = Site::open().await;
    let sub = async |body: Value| {
        let own = site.registers(body).await;
        let walk = site.world.request(own.id()).set("scope", "openid");
        let walk = walk.set("redirect_uri", own.body["redirect_uris"][0].as_str().unwrap());
        let uri = walk.get("redirect_uri");
        let code = walk.code().await;
        let redeem = site.world.redeem(own.id(), &code).set("redirect_uri", &uri).anonymous();
        let tokens = redeem.basic(own.id(), own.secret()).issues().await;
        let id_token = site.world.id_token(own.id(), &tokens.id_token.unwrap()).await;
        id_token["sub"].as_str().unwrap().to_owned()
    };
    let public = sub(with(json!({}))).await;
    assert_eq!(public, "u");
    let pairwise = sub(with(json!({"subject_type": "pairwise"}))).await;
    assert_ne!(pairwise, public);
    let same_host =
        json!({"subject_type": "pairwise", "redirect_uris": ["https://client.example/2"]});
    assert_eq!(sub(with(same_host)).await, pairwise);
    let other_host =
        json!({"subject_type": "pairwise", "redirect_uris": ["https://other.example/"]});
    assert_ne!(sub(with(other_host)).await, pairwise);
    let several = json!({
        "subject_type": "pairwise",
        "redirect_uris": [CALLBACK, "https://other.example/"],
    });
    site.objects(several, "invalid_client_metadata", "sector_identifier_uri").await;
    let unknown = with(json!({"subject_type": "secret"}));
    site.objects(unknown, "invalid_client_metadata", "subject_type").await;
}

/// The id token is signed as the client registered.
#[tokio::test]
async fn s2_algorithms_per_client() {
    let site = Site::open().await;
    for alg in ["EdDSA", "ES256"] {
        let own = site.registers(with(json!({"id_token_signed_response_alg": alg}))).await;
        let code = site.world.request(own.id()).set("scope", "openid").code().await;
        let redeem = site.world.redeem(own.id(), &code).anonymous();
        let tokens = redeem.basic(own.id(), own.secret()).issues().await;
        let token = tokens.id_token.unwrap();
        site.world.id_token(own.id(), &token).await;
        let header = jsonwebtoken::decode_header(&token).unwrap();
        assert_eq!(format!("{:?}", header.alg), alg);
    }
    for (field, value) in [
        ("id_token_signed_response_alg", "none"),
        ("id_token_signed_response_alg", "HS256"),
        ("id_token_signed_response_alg", "RS256"),
        ("userinfo_signed_response_alg", "none"),
        ("request_object_signing_alg", "HS256"),
        ("id_token_encrypted_response_enc", "A128GCM"),
        ("userinfo_encrypted_response_enc", "A128GCM"),
        ("id_token_encrypted_response_alg", "RSA1_5"),
        ("userinfo_encrypted_response_alg", "dir"),
    ] {
        let body = with(json!({field: value, "jwks_uri": "https://client.example/jwks"}));
        site.objects(body, "invalid_client_metadata", field).await;
    }
    let unsigned = with(json!({"request_object_signing_alg": "none"}));
    assert_eq!(site.registers(unsigned).await.body["request_object_signing_alg"], "none");
    let both = with(json!({
        "request_object_signing_alg": "none",
        "require_signed_request_object": true,
    }));
    site.objects(both, "invalid_client_metadata", "require_signed_request_object").await;
    let encrypted = with(json!({
        "id_token_encrypted_response_alg": "RSA-OAEP-256",
        "jwks_uri": "https://client.example/jwks",
    }));
    let own = site.registers(encrypted).await;
    assert_eq!(own.body["id_token_encrypted_response_enc"], "A128CBC-HS256", "the default");
}

#[tokio::test]
async fn s2_keys() {
    let site = Site::open().await;
    let good = jwks(&[ClientKey::of(VerificationAlgorithm::ES256)]);
    let own = site.registers(with(json!({"jwks": good}))).await;
    assert_eq!(own.body["jwks"], good);
    for private in ["d", "p", "q", "k"] {
        let mut set = good.clone();
        set["keys"][0][private] = json!("AQAB");
        site.objects(with(json!({"jwks": set})), "invalid_client_metadata", "jwks").await;
    }
    for bad in [json!({"keys": []}), json!({}), json!({"keys": [{"kty": "oct"}]})] {
        site.objects(with(json!({"jwks": bad})), "invalid_client_metadata", "jwks").await;
    }
    for (needs, field) in [
        (json!({"token_endpoint_auth_method": "private_key_jwt"}), "token_endpoint_auth_method"),
        (json!({"id_token_encrypted_response_alg": "ECDH-ES"}), "id_token_encrypted_response_alg"),
        (json!({"userinfo_encrypted_response_alg": "ECDH-ES"}), "userinfo_encrypted_response_alg"),
    ] {
        site.objects(with(needs.clone()), "invalid_client_metadata", field).await;
        let mut keyed = with(needs);
        keyed["jwks_uri"] = json!("https://client.example/jwks");
        site.registers(keyed).await;
    }
}

#[tokio::test]
async fn s2_addresses() {
    let site = Site::open().await;
    let strict = [
        "jwks_uri",
        "sector_identifier_uri",
        "initiate_login_uri",
        "request_uris",
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
    ];
    for field in strict {
        for uri in ["http://client.example/x", "http://127.0.0.1/x", "x", "javascript:alert(1)"] {
            let value = if field == "request_uris" { json!([uri]) } else { json!(uri) };
            site.objects(with(json!({field: value})), "invalid_client_metadata", field).await;
        }
    }
    // Front-Channel Logout 2: scheme, host and port of a redirect URI.
    let elsewhere = with(json!({"frontchannel_logout_uri": "https://other.example/x"}));
    site.objects(elsewhere, "invalid_client_metadata", "frontchannel_logout_uri").await;
    // RP-Initiated Logout 3.1: like redirect URIs.
    for uri in ["http://client.example/x", "https://client.example/#x"] {
        let body = with(json!({"post_logout_redirect_uris": [uri]}));
        site.objects(body, "invalid_client_metadata", "post_logout_redirect_uris").await;
    }
    for field in ["logo_uri", "policy_uri", "tos_uri", "client_uri", "tos_uri#de"] {
        let body = with(json!({field: "javascript:alert(1)"}));
        let name = field.split('#').next().unwrap();
        site.objects(body, "invalid_client_metadata", name).await;
    }
}

/// What strangers could not be asked to have: only where the operator says that this is no place for strangers.
#[tokio::test]
async fn s2_development_on_one_machine() {
    let site = Site::with(|rules| rules.danger_loopback = true).await;
    site.published.put("http://127.0.0.1:8080/sector", json!(["https://localhost/cb"]));
    let own = site
        .registers(json!({
            "redirect_uris": ["https://localhost/cb"],
            "response_types": ["code id_token token"],
            "jwks_uri": "http://127.0.0.1:8080/jwks",
            "sector_identifier_uri": "http://127.0.0.1:8080/sector",
            "initiate_login_uri": "http://localhost/login",
            "backchannel_logout_uri": "http://[::1]/back",
            "request_uris": ["http://127.0.0.1/request"],
        }))
        .await;
    assert_eq!(own.body["backchannel_logout_uri"], "http://[::1]/back");
    let body = with(json!({"backchannel_logout_uri": "http://client.example/back"}));
    site.objects(body, "invalid_client_metadata", "backchannel_logout_uri").await;
}

#[tokio::test]
async fn s2_1_languages() {
    let site = Site::open().await;
    let own = site
        .registers(with(json!({
            "client_name": "Camera",
            "client_name#de": "Kamera",
            "client_name#ja-Hani-JP": "カメラ",
            "policy_uri#de": "https://client.example/datenschutz",
        })))
        .await;
    assert_eq!(own.body["client_name#ja-Hani-JP"], "カメラ");
    assert_eq!(own.body["client_name#de"], "Kamera");
    assert_eq!(own.body["client_name"], "Camera");
    assert_eq!(own.body["policy_uri#de"], "https://client.example/datenschutz");
    for (name, field) in [
        ("client_name#", "client_name"),
        ("client_name#de#en", "client_name"),
        ("client_name#de_DE", "client_name"),
    ] {
        site.objects(with(json!({name: "x"})), "invalid_client_metadata", field).await;
    }
}

/// What the metadata says is supported is what can be registered.
#[tokio::test]
async fn s2_the_metadata_and_the_rules_say_the_same() {
    let site = Site::open().await;
    let keys = json!({"jwks_uri": "https://client.example/jwks"});
    for (listed, member) in [
        ("token_endpoint_auth_methods_supported", "token_endpoint_auth_method"),
        ("id_token_signing_alg_values_supported", "id_token_signed_response_alg"),
        ("id_token_encryption_alg_values_supported", "id_token_encrypted_response_alg"),
        ("id_token_encryption_enc_values_supported", "id_token_encrypted_response_enc"),
        ("userinfo_signing_alg_values_supported", "userinfo_signed_response_alg"),
        ("userinfo_encryption_alg_values_supported", "userinfo_encrypted_response_alg"),
        ("userinfo_encryption_enc_values_supported", "userinfo_encrypted_response_enc"),
        ("request_object_signing_alg_values_supported", "request_object_signing_alg"),
        ("subject_types_supported", "subject_type"),
        ("response_types_supported", "response_types"),
        ("grant_types_supported", "grant_types"),
    ] {
        let values = site.world.provider.metadata()[listed].as_array().unwrap().clone();
        assert!(!values.is_empty(), "{listed}");
        for value in values.into_iter().chain([json!("unheard-of")]) {
            let is_known = value != "unheard-of";
            let mut body = with(keys.clone());
            if member.ends_with("_enc") {
                body[member.replace("_response_enc", "_response_alg")] = json!("ECDH-ES");
            }
            body[member] = match member {
                "grant_types" if value == "refresh_token" => json!(["authorization_code", value]),
                "grant_types" | "response_types" => json!([value]),
                _ => value,
            };
            if is_known {
                let own = site.registers(body.clone()).await;
                assert_eq!(own.body[member], body[member]);
            } else {
                site.objects(body, "invalid_client_metadata", member).await;
            }
        }
    }
}
