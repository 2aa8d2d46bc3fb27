//! AMWA IS-10: access tokens and their claims, grants, refresh tokens.

use crate::{
    is10_actors::{CONTROLLER, SECRET, challenge, decoded, is10, redeem, refused},
    pages_actors::{CALLBACK, VERIFIER, parameter},
    support::{Server, json},
};
use http::StatusCode;
use oauth_core::model::{Access, AccessRight, Client, ClientAuth, TokenFormat};
use oauth_server::access_rights;
use serde_json::{Value, json as object};
use std::time::Duration;

/// Tokens of a user with rights on the Query and the Connection API.
async fn tokens(server: &Server, scope: &str) -> Value {
    let ada = server.signed_up("ada").await;
    server.right(&ada.id, "query", Access::Write, &[]).await;
    server.right(&ada.id, "connection", Access::Read, &["single/*"]).await;
    ada.tokens(scope).await
}

fn claims(tokens: &Value) -> Value {
    decoded(tokens["access_token"].as_str().unwrap()).1
}

async fn refresh(server: &Server, token: &Value) -> (StatusCode, Value) {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token.as_str().unwrap())];
    let response = server.post("/oauth/token", Some((CONTROLLER, SECRET)), &form).await;
    (response.status(), json(response).await)
}

#[tokio::test]
async fn a12_access_tokens_are_signed_with_rs512_whatever_a_client_wants() {
    let server = is10("").await;
    let wish = |client| Client { access_token_format: Some(TokenFormat::Opaque), ..client };
    server.controller_with("query connection", wish).await;
    let tokens = tokens(&server, "query connection").await;
    let (header, _) = decoded(tokens["access_token"].as_str().unwrap());
    assert_eq!(header["alg"], "RS512");
    assert_eq!(tokens["token_type"], "Bearer");
}

#[tokio::test]
async fn a12_the_claims_are_those_of_is10_and_nothing_is_granted_that_is_not_a_right() {
    let server = is10("[nmos]\naudience = [\"*.studio.example.org\"]").await;
    server.controller("query connection node profile").await;
    let tokens = tokens(&server, "query connection node").await;
    let claims = claims(&tokens);
    assert_eq!(claims["iss"], server.state.config.issuer().as_str());
    assert_eq!(claims["aud"], object!(["*.studio.example.org"]), "a list, also of one");
    assert_eq!(claims["client_id"], CONTROLLER);
    assert!(claims.get("azp").is_none() && claims.get("nbf").is_none());
    assert!(!claims["sub"].as_str().unwrap().is_empty());
    let life = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert!((30..=3600).contains(&life) && tokens["expires_in"] == life);
    assert_eq!(claims["scope"], "connection query", "no scope without a right, either");
    assert_eq!(claims["x-nmos-connection"], object!({ "read": ["single/*"] }));
    let both = object!({ "read": ["*"], "write": ["subscriptions", "subscriptions/*"] });
    assert_eq!(claims["x-nmos-query"], both);
    assert!(claims.get("x-nmos-node").is_none(), "no right, no claim");
}

#[tokio::test]
async fn a12_audiences_belong_to_apis_and_resources() {
    let more = "[[api]]\nname = \"query\"\naudience = [\"registry.example.org\"]\n[[api]]\nname = \"connection\"\n[[resource]]\nuri = \"https://node1.example.org\"\n[nmos]\naudience = [\"*.example.org\"]\nclient_rights = [\"query:read\"]";
    let server = is10(more).await;
    server.controller("query connection").await;
    let ada = server.signed_up("ada").await;
    server.right(&ada.id, "connection", Access::Read, &[]).await;
    let aud = |tokens: &Value| claims(tokens)["aud"].clone();
    assert_eq!(aud(&ada.tokens("query").await), object!(["registry.example.org"]));
    assert_eq!(aud(&ada.tokens("connection").await), object!(["*.example.org"]));
    let both = object!(["*.example.org", "registry.example.org"]);
    assert_eq!(aud(&ada.tokens("query connection").await), both);
    let form = [("grant_type", "client_credentials"), ("resource", "https://node1.example.org")];
    let own = server.post("/oauth/token", Some((CONTROLLER, SECRET)), &form).await;
    assert_eq!(aud(&json(own).await), object!(["https://node1.example.org"]));
}

#[tokio::test]
async fn a12_a_client_cannot_ask_for_a_token_that_lives_too_short() {
    let server = is10("").await;
    let brief = |client| Client { access_token_ttl: Some(Duration::from_secs(1)), ..client };
    server.controller_with("registration", brief).await;
    let answer = json(server.own_tokens("registration").await).await;
    assert_eq!(answer["expires_in"], 30);
}

#[tokio::test]
async fn a12_the_largest_token_stays_well_under_8_kb() {
    let server = is10("").await;
    server.controller("query connection node registration events channelmapping system").await;
    let ada = server.signed_up("ada").await;
    let long: Vec<String> =
        (0..50).map(|i| format!("single/senders/{i:02}/{}", "x".repeat(14))).collect();
    let right = |paths: &[String], write: &[String]| AccessRight {
        paths: paths.to_vec(),
        write_paths: write.to_vec(),
        ..AccessRight::new(ada.id.clone(), "connection", Access::Write)
    };
    access_rights::check(right(&long, &[]), &[]).unwrap();
    let paths: Vec<&str> = long.iter().map(String::as_str).collect();
    server.right(&ada.id, "connection", Access::Write, &paths).await;
    for api in ["query", "node", "registration", "events", "channelmapping", "system"] {
        server.right(&ada.id, api, Access::Write, &[]).await;
    }
    let scope = "query connection node registration events channelmapping system";
    let tokens = ada.tokens(scope).await;
    let token = tokens["access_token"].as_str().unwrap();
    assert!((4000..7168).contains(&token.len()), "{}", token.len());
    let more = "one/more".repeat(20);
    let mut other: Vec<String> = long.iter().map(|p| p.replace("senders", "receivers")).collect();
    assert!(access_rights::check(right(&long, &other), &[]).is_ok());
    other[0] = more;
    assert!(access_rights::check(right(&long, &other), &[]).is_err());
}

#[tokio::test]
async fn a27_neither_the_implicit_nor_the_password_grant_is_there() {
    let server = is10("").await;
    server.controller("query").await;
    let form = [("grant_type", "password"), ("username", "ada"), ("password", "x")];
    let answer = server.post("/oauth/token", Some((CONTROLLER, SECRET)), &form).await;
    refused(answer, 400, "unsupported_grant_type").await;
    let ada = server.signed_up("ada").await;
    let to = ada.authorize(CONTROLLER, &[("response_type", "token"), ("scope", "query")]).await;
    assert!(to.contains("error=unsupported_response_type"), "{to}");
    let metadata = server.state.provider.metadata();
    let types = metadata["grant_types_supported"].as_array().unwrap();
    assert!(types.iter().all(|t| t != "password" && t != "implicit"), "{types:?}");
}

#[tokio::test]
async fn a28_both_methods_of_pkce_work_and_public_clients_need_one() {
    let server = is10("").await;
    let public = |client| Client { auth: ClientAuth::Public, ..client };
    server.controller_with("query", public).await;
    let ada = server.signed_up("ada").await;
    let metadata = server.state.provider.metadata();
    assert_eq!(metadata["code_challenge_methods_supported"], object!(["S256", "plain"]));
    for (challenge, method) in [(challenge(), "S256"), (VERIFIER, "plain")] {
        let pkce = [("code_challenge", challenge), ("code_challenge_method", method)];
        let code = ada.code("query", &pkce).await;
        let form = [&redeem(&code)[..], &[("client_id", CONTROLLER)]].concat();
        let answer = server.post("/oauth/token", None, &form).await;
        assert_eq!(answer.status(), StatusCode::OK, "{method}");
        let code = ada.code("query", &pkce).await;
        let mut form = [&redeem(&code)[..], &[("client_id", CONTROLLER)]].concat();
        let wrong = VERIFIER.replace('d', "e");
        form.retain(|(name, _)| *name != "code_verifier");
        form.push(("code_verifier", &wrong));
        refused(server.post("/oauth/token", None, &form).await, 400, "invalid_grant").await;
    }
    // None at all.
    let page = ada
        .get(&format!(
            "/oauth/authorize?response_type=code&client_id={CONTROLLER}&redirect_uri={CALLBACK}&scope=query"
        ))
        .await;
    assert_eq!(parameter(page.header("location"), "error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn a28_confidential_clients_may_do_without_pkce_but_not_halfway() {
    let server = is10("").await;
    server.controller("query").await;
    let ada = server.signed_up("ada").await;
    let path = format!(
        "/oauth/authorize?response_type=code&client_id={CONTROLLER}&redirect_uri={CALLBACK}&scope=query"
    );
    let page = ada.get(&path).await;
    assert!(page.header("location").starts_with("/consent?"), "{page:?}");
    // A verifier for a code that was asked for without a challenge is the mark of an attack.
    let interaction = crate::pages_actors::interaction(page.header("location"));
    let form = [("interaction", &*interaction), ("decision", "allow"), ("scope:query", "yes")];
    let page = ada.post("/consent", &form).await;
    let code = parameter(page.header("location"), "code").unwrap();
    let answer = server.post("/oauth/token", Some((CONTROLLER, SECRET)), &redeem(&code)).await;
    refused(answer, 400, "invalid_grant").await;
}

#[tokio::test]
async fn a29_clients_get_for_themselves_what_the_operator_gives_to_clients() {
    let server = is10("").await;
    server.controller("registration connection").await;
    let answer = json(server.own_tokens("registration").await).await;
    let rights = object!({ "read": ["*"], "write": ["*"] });
    assert_eq!(claims(&answer)["x-nmos-registration"], rights);
    assert_eq!(claims(&answer)["sub"], CONTROLLER);
    assert!(answer.get("refresh_token").is_none(), "a30: not for client credentials");
    refused(server.own_tokens("connection").await, 400, "invalid_scope").await;
    refused(server.own_tokens("registration connection").await, 400, "invalid_scope").await;
}

#[tokio::test]
async fn a29_public_clients_get_nothing_for_themselves() {
    let server = is10("").await;
    let public = |client| Client { auth: ClientAuth::Public, ..client };
    server.controller_with("registration", public).await;
    let form = [("grant_type", "client_credentials"), ("client_id", CONTROLLER)];
    refused(server.post("/oauth/token", None, &form).await, 400, "unauthorized_client").await;
}

#[tokio::test]
async fn a29_whoever_signs_up_cannot_give_its_clients_what_devices_have() {
    let server = is10("").await;
    let ada = server.signed_up("ada").await;
    let owned = |client| Client { owner: Some(ada.id.clone()), ..client };
    server.controller_with("registration", owned).await;
    let answer = json(server.own_tokens("registration").await).await;
    assert!(claims(&answer).get("x-nmos-registration").is_none());
    server.state.store.set_admin(&ada.id, true).await.unwrap();
    let answer = json(server.own_tokens("registration").await).await;
    assert!(claims(&answer).get("x-nmos-registration").is_some(), "an administrator may");
}

#[tokio::test]
async fn a30_a_user_flow_always_brings_a_refresh_token_that_is_of_use() {
    let server = is10("").await;
    // It has registered the authorization code grant and no other that is for users.
    server.controller("query connection").await;
    let tokens = tokens(&server, "query connection").await;
    assert!(tokens["expires_in"].is_i64());
    let (status, answer) = refresh(&server, &tokens["refresh_token"]).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert!(answer["expires_in"].is_i64());
}

#[tokio::test]
async fn a30_in_the_standard_profile_a_client_gets_what_it_registered() {
    let server = crate::support::start("").await;
    server.controller("query").await;
    let answer = server.signed_up("ada").await.tokens("query").await;
    assert!(answer.get("refresh_token").is_none());
}

#[tokio::test]
async fn a31_refresh_tokens_are_long_and_those_of_their_client() {
    let server = is10("").await;
    server.controller("query connection").await;
    let other = Client {
        id: oauth_core::model::ClientId::new("another-controller-22"),
        ..oauth_core::testing::fixtures::openid_client("x")
    };
    oauth_core::ports::ClientStore::insert_client(&server.state.store, other).await.unwrap();
    let tokens = tokens(&server, "query").await;
    let token = tokens["refresh_token"].as_str().unwrap();
    assert!(token.len() >= 40, "{}", token.len());
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let stolen = server.post("/oauth/token", Some(("another-controller-22", SECRET)), &form).await;
    refused(stolen, 400, "invalid_grant").await;
    assert_eq!(refresh(&server, &tokens["refresh_token"]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a32_refresh_tokens_rotate_and_no_rotation_outlives_the_first() {
    let server = is10("[tokens]\nrefresh_retry_window = 0").await;
    server.controller("query connection").await;
    let tokens = tokens(&server, "query").await;
    let day = Duration::from_hours(24);
    let mut token = tokens["refresh_token"].clone();
    for _ in 0..29 {
        server.clock.advance(day);
        let (status, answer) = refresh(&server, &token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_ne!(answer["refresh_token"], token);
        token = answer["refresh_token"].clone();
    }
    server.clock.advance(day + Duration::from_secs(1));
    let (status, answer) = refresh(&server, &token).await;
    assert_eq!((status, &answer["error"]), (StatusCode::BAD_REQUEST, &object!("invalid_grant")));
}

#[tokio::test]
async fn a32_a_used_refresh_token_is_of_no_use_and_takes_the_others_with_it() {
    let server = is10("[tokens]\nrefresh_retry_window = 0").await;
    server.controller("query connection").await;
    let tokens = tokens(&server, "query").await;
    let (_, next) = refresh(&server, &tokens["refresh_token"]).await;
    for token in [&tokens["refresh_token"], &next["refresh_token"]] {
        let (status, answer) = refresh(&server, token).await;
        assert_eq!(
            (status, &answer["error"]),
            (StatusCode::BAD_REQUEST, &object!("invalid_grant"))
        );
    }
}

#[tokio::test]
async fn a33_access_and_refresh_tokens_are_revoked() {
    let server = is10("").await;
    server.controller("query connection").await;
    let tokens = tokens(&server, "query").await;
    let basic = Some((CONTROLLER, SECRET));
    for token in ["access_token", "refresh_token"] {
        let form = [("token", tokens[token].as_str().unwrap())];
        assert_eq!(server.post("/oauth/revoke", basic, &form).await.status(), StatusCode::OK);
        let answer = json(server.post("/oauth/introspect", basic, &form).await).await;
        assert_eq!(answer, object!({ "active": false }), "{token}");
    }
    let (_, answer) = refresh(&server, &tokens["refresh_token"]).await;
    assert_eq!(answer["error"], "invalid_grant");
}

#[tokio::test]
async fn a24_no_client_is_served_at_the_revocation_endpoint_without_its_credentials() {
    let server = is10("").await;
    server.controller("registration").await;
    let answer = json(server.own_tokens("registration").await).await;
    let form = [("token", answer["access_token"].as_str().unwrap())];
    for basic in [Some((CONTROLLER, "wrong")), None] {
        refused(server.post("/oauth/revoke", basic, &form).await, 401, "invalid_client").await;
    }
    let metadata = server.state.provider.metadata();
    for endpoint in ["token", "revocation"] {
        let methods = &metadata[format!("{endpoint}_endpoint_auth_methods_supported")];
        for method in ["client_secret_basic", "private_key_jwt"] {
            assert!(methods.as_array().unwrap().contains(&object!(method)), "{endpoint} {method}");
        }
    }
}

#[tokio::test]
async fn a22_the_credentials_of_a_public_client_are_not_accepted() {
    let server = is10("").await;
    let public = |client| Client { auth: ClientAuth::Public, ..client };
    server.controller_with("query", public).await;
    for secret in [SECRET, ""] {
        let form = [("grant_type", "refresh_token"), ("refresh_token", "x")];
        let answer = server.post("/oauth/token", Some((CONTROLLER, secret)), &form).await;
        refused(answer, 401, "invalid_client").await;
    }
}
