//! AMWA IS-10: the metadata, the key set, CORS, and what every answer has in common.

use crate::{
    is10_actors::{CONTROLLER, SECRET, decoded, is10, json_request, refused},
    support::{Server, header_of, json, start},
};
use axum::body::Body;
use http::{Method, Request, StatusCode};
use oauth_core::keys::RotateWhen;
use oauth_core::model::SigningAlgorithm;
use serde_json::{Value, json as object};

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";
/// A server whose issuer has a path.
const BELOW: &str = "[server]\npublic_url = \"https://auth.example.org/x-nmos/auth/v1.0\"";

async fn options(server: &Server, path: &str) -> http::Response<Body> {
    let request = Request::builder().method(Method::OPTIONS).uri(path).body(Body::empty()).unwrap();
    server.send(request).await
}

#[tokio::test]
async fn a3_the_metadata_is_right_behind_the_port_with_the_path_of_the_issuer_after_it() {
    let server = is10(BELOW).await;
    let response = server.get(&format!("{WELL_KNOWN}/x-nmos/auth/v1.0")).await;
    assert_eq!(response.status(), StatusCode::OK);
    let metadata = json(response).await;
    assert_eq!(metadata["issuer"], "https://auth.example.org/x-nmos/auth/v1.0", "a2");
    for path in [WELL_KNOWN, "/x-nmos/auth/v1.0/.well-known/oauth-authorization-server"] {
        assert_eq!(server.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    // What it names is there, below the path.
    let token = metadata["token_endpoint"].as_str().unwrap();
    let path = token.strip_prefix("https://auth.example.org").unwrap();
    server.controller("registration").await;
    let form = [("grant_type", "client_credentials")];
    let answer = server.post(path, Some((CONTROLLER, SECRET)), &form).await;
    let answer = json(answer).await;
    let (_, claims) = decoded(answer["access_token"].as_str().unwrap());
    assert_eq!(claims["iss"], metadata["issuer"]);
}

#[tokio::test]
async fn a2_the_issuer_is_the_configured_address_to_the_letter() {
    for url in ["https://Auth.example.org:8443", "https://auth.example.org"] {
        let server = is10(&format!("[server]\npublic_url = \"{url}\"")).await;
        server.controller("registration").await;
        let metadata = server.state.provider.metadata();
        assert_eq!(metadata["issuer"], url);
        let answer = json(server.own_tokens("registration").await).await;
        let (_, claims) = decoded(answer["access_token"].as_str().unwrap());
        assert_eq!(claims["iss"], url);
    }
}

#[tokio::test]
async fn a5_the_metadata_names_a_revocation_endpoint_that_revokes() {
    let server = is10("").await;
    server.controller("registration").await;
    let metadata = server.state.provider.metadata();
    let endpoint = metadata["revocation_endpoint"].as_str().unwrap();
    let path = endpoint.strip_prefix(metadata["issuer"].as_str().unwrap()).unwrap();
    let form = [("token", "unknown")];
    let answer = server.post(path, Some((CONTROLLER, SECRET)), &form).await;
    assert_eq!(answer.status(), StatusCode::OK);
    refused(server.post(path, Some((CONTROLLER, "wrong")), &form).await, 401, "invalid_client")
        .await;
}

#[tokio::test]
async fn a3_without_a_path_nothing_follows() {
    let server = is10("").await;
    assert_eq!(server.get(WELL_KNOWN).await.status(), StatusCode::OK);
    assert_eq!(server.get(&format!("{WELL_KNOWN}/")).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a3_the_pages_of_a_server_below_a_path_work() {
    let server = is10(BELOW).await;
    assert!(server.state.config.origin() == "https://auth.example.org");
    let ada = server.signed_up("ada").await;
    let page = ada.get("/").await;
    let metadata = format!("https://auth.example.org{WELL_KNOWN}/x-nmos/auth/v1.0");
    assert!(page.html.contains(&metadata), "{}", page.html);
}

#[tokio::test]
async fn a3_the_standard_profile_refuses_an_issuer_with_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    std::fs::write(&path, BELOW).unwrap();
    let sources = oauth_server::config::Sources { files: vec![path], ..Default::default() };
    let problems = oauth_server::config::load(&sources).unwrap_err();
    assert_eq!(problems.0[0].key, "server.public_url");
}

#[tokio::test]
async fn a4_the_metadata_has_what_the_schema_requires() {
    let server = is10("").await;
    let metadata = json(server.get(WELL_KNOWN).await).await;
    for name in [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "registration_endpoint",
        "revocation_endpoint",
    ] {
        assert!(metadata[name].as_str().unwrap().starts_with("http"), "{name}");
    }
    for name in ["response_types_supported", "code_challenge_methods_supported"] {
        assert!(!metadata[name].as_array().unwrap().is_empty(), "{name}");
    }
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    for api in ["registration", "query", "node", "connection", "events", "channelmapping"] {
        assert!(scopes.contains(&object!(api)), "{api}");
    }
}

#[tokio::test]
async fn a6_json_is_application_json_without_a_parameter() {
    let server = is10("").await;
    server.controller("registration").await;
    let form = [("grant_type", "client_credentials")];
    let plain = "application/json";
    for response in [
        server.get(WELL_KNOWN).await,
        server.get("/.well-known/jwks.json").await,
        server.own_tokens("registration").await,
        server.post("/oauth/token", None, &form).await,
        server.send(json_request("POST", "/oauth/register", None, &object!({}))).await,
    ] {
        assert_eq!(header_of(&response, "content-type"), plain);
    }
    let jwks = |accept: &str| {
        let request = Request::get("/.well-known/jwks.json").header("accept", accept);
        server.send(request.body(Body::empty()).unwrap())
    };
    let named = "application/jwk-set+json";
    assert_eq!(header_of(&jwks(named).await, "content-type"), named, "asked for by name");
    assert_eq!(header_of(&jwks("*/*").await, "content-type"), plain);
    let standard = start("").await;
    let response = standard.get("/.well-known/jwks.json").await;
    assert_eq!(header_of(&response, "content-type"), named, "what RFC 7517 registered");
}

#[tokio::test]
async fn a7_nothing_with_a_credential_in_it_is_stored_on_the_way() {
    let server = is10("").await;
    server.controller("registration").await;
    let web = object!({ "client_name": "Web", "redirect_uris": ["https://client.example/cb"] });
    for response in [
        server.own_tokens("registration").await,
        server.own_tokens("nothing").await,
        server.get("/login").await,
        server.post("/oauth/introspect", Some((CONTROLLER, SECRET)), &[("token", "x")]).await,
        server.send(json_request("POST", "/oauth/register", None, &web)).await,
    ] {
        assert_eq!(header_of(&response, "cache-control"), "no-store");
        assert_eq!(header_of(&response, "pragma"), "no-cache");
    }
}

#[tokio::test]
async fn a8_the_code_flow_redirects_with_302_and_nothing_with_307() {
    let server = is10("").await;
    server.controller("query").await;
    let ada = server.signed_up("ada").await;
    let page = ada.ask(CONTROLLER, &[("scope", "query")]).await;
    assert_eq!(page.status, StatusCode::FOUND);
    let page = server.visitor().ask(CONTROLLER, &[("scope", "query")]).await;
    assert_eq!(page.status, StatusCode::FOUND, "to sign in");
    // `code` of the actors insists on it after the form, too.
    ada.code("query", &[]).await;
}

#[tokio::test]
async fn a6_programs_are_told_in_json_unless_they_ask_for_pages() {
    let server = is10("").await;
    server.controller("query").await;
    let ask = |path: &str, accept: &str| {
        server.send(Request::get(path).header("accept", accept).body(Body::empty()).unwrap())
    };
    let foreign = format!(
        "/oauth/authorize?response_type=code&client_id={CONTROLLER}&redirect_uri=https://evil.example/"
    );
    for (path, status, error) in
        [(&*foreign, 400, "invalid_request"), ("/nothing", 404, "not_found")]
    {
        refused(ask(path, "*/*").await, status, error).await;
        let page = ask(path, "text/html,*/*").await;
        assert_eq!(page.status().as_u16(), status);
        assert!(header_of(&page, "content-type").starts_with("text/html"), "{path}");
    }
    let standard = start("").await;
    let request = Request::get("/nothing").header("accept", "*/*").body(Body::empty()).unwrap();
    let page = standard.send(request).await;
    assert!(header_of(&page, "content-type").starts_with("text/html"));
}

#[tokio::test]
async fn the_authorization_request_by_post_may_stand_in_the_address() {
    let server = is10("").await;
    server.controller("query").await;
    let ask = |query: &str, form: &str| {
        let request = Request::post(format!("/oauth/authorize?{query}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "*/*");
        server.send(request.body(Body::from(form.to_owned())).unwrap())
    };
    let query = format!("response_type=code&client_id={CONTROLLER}");
    let answer = ask(&query, "scope=query&state=st").await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER, "the same by GET, with cookies");
    let location = header_of(&answer, "location");
    for part in ["response_type=code", "scope=query", "state=st", CONTROLLER] {
        assert!(location.contains(part), "{location}");
    }
    refused(ask(&query, "response_type=code").await, 400, "invalid_request").await;
}

#[tokio::test]
async fn a9_every_endpoint_answers_options_without_a_token_and_allows_authorization() {
    let server = is10("").await;
    let mut paths: Vec<String> = [WELL_KNOWN, "/certs"].map(str::to_owned).into();
    let metadata = json(server.get(WELL_KNOWN).await).await;
    let issuer = server.state.config.issuer();
    for (name, value) in metadata.as_object().unwrap() {
        if name.ends_with("_endpoint") && name != "end_session_endpoint" || name == "jwks_uri" {
            paths.push(value.as_str().unwrap().strip_prefix(issuer.as_str()).unwrap().to_owned());
        }
    }
    paths.push("/oauth/register/some-client".into());
    assert!(paths.len() >= 9, "{paths:?}");
    // Of the user service, too, and with what it takes to change something there.
    let response = options(&server, "/api/users/me").await;
    assert!(header_of(&response, "access-control-allow-methods").contains("PATCH"));
    assert!(header_of(&response, "access-control-allow-headers").contains("If-Match"));
    for path in paths {
        let response = options(&server, &path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let allowed = header_of(&response, "access-control-allow-headers");
        assert!(allowed.split(", ").any(|name| name == "Authorization"), "{path}: {allowed}");
        assert_eq!(header_of(&response, "access-control-allow-origin"), "*", "{path}");
        let response = server.get(&path).await;
        assert_eq!(header_of(&response, "access-control-allow-origin"), "*", "GET {path}");
        assert_eq!(header_of(&response, "access-control-allow-credentials"), "");
    }
}

#[tokio::test]
async fn a9_pages_and_the_standard_profile_are_not_for_other_origins() {
    let server = is10("").await;
    for path in ["/login", "/consent", "/admin", "/account"] {
        let response = options(&server, path).await;
        assert_eq!(header_of(&response, "access-control-allow-origin"), "", "{path}");
    }
    let standard = start("").await;
    for path in ["/oauth/authorize", "/oauth/introspect", "/oauth/token"] {
        let response = options(&standard, path).await;
        assert_eq!(header_of(&response, "access-control-allow-origin"), "", "{path}");
    }
}

#[tokio::test]
async fn a10_errors_are_those_of_rfc_6749() {
    let server = is10("").await;
    server.controller("registration").await;
    let basic = Some((CONTROLLER, SECRET));
    for (form, status, error) in [
        (&[("grant_type", "nothing")][..], 400, "unsupported_grant_type"),
        (&[("grant_type", "client_credentials"), ("scope", "made-up")], 400, "invalid_scope"),
        (&[("grant_type", "authorization_code"), ("code", "x")], 400, "invalid_grant"),
        (&[("scope", "x")], 400, "invalid_request"),
    ] {
        refused(server.post("/oauth/token", basic, form).await, status, error).await;
    }
    let form = [("grant_type", "client_credentials")];
    refused(server.post("/oauth/token", Some(("nobody", "x")), &form).await, 401, "invalid_client")
        .await;
}

#[tokio::test]
async fn a13_every_public_key_is_published_without_a_token_and_no_private_one() {
    let server = is10("").await;
    let set = json(server.get("/.well-known/jwks.json").await).await;
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    for key in keys {
        assert_eq!((&key["kty"], &key["alg"]), (&object!("RSA"), &object!("RS512")));
        assert!(key["kid"].is_string() && key.get("key_ops").is_none());
        assert!(["d", "p", "q", "dp", "dq", "qi"].iter().all(|part| key.get(part).is_none()));
    }
    server.controller("registration").await;
    let answer = json(server.own_tokens("registration").await).await;
    let (header, _) = decoded(answer["access_token"].as_str().unwrap());
    assert_eq!(header["kid"], keys[0]["kid"]);
}

#[tokio::test]
async fn a14_a_new_key_is_published_two_hours_before_it_signs_and_the_old_one_stays() {
    let server = is10("").await;
    server.controller("registration").await;
    let kid = |answer: Value| decoded(answer["access_token"].as_str().unwrap()).0["kid"].clone();
    let first = kid(json(server.own_tokens("registration").await).await);
    let alg = SigningAlgorithm::RS512;
    let rotate = oauth_server::administration::keys::rotate;
    rotate(&server.state, alg, RotateWhen::AfterLead).await.unwrap();
    let published = |set: Value| set["keys"].as_array().unwrap().len();
    assert_eq!(published(json(server.get("/.well-known/jwks.json").await).await), 2);
    server.clock.advance(std::time::Duration::from_secs(7199));
    assert_eq!(kid(json(server.own_tokens("registration").await).await), first, "not yet");
    let lead = server.state.config.keys.publish_lead;
    server.clock.advance(lead.saturating_sub(std::time::Duration::from_secs(7199)));
    oauth_server::maintenance::maintain_keys(&server.state).await.unwrap();
    assert_ne!(kid(json(server.own_tokens("registration").await).await), first);
    assert_eq!(published(json(server.get("/.well-known/jwks.json").await).await), 2, "both");
}

#[tokio::test]
async fn a15_a_compromised_key_is_gone_at_once() {
    let server = is10("").await;
    let before = json(server.get("/.well-known/jwks.json").await).await;
    let kid = before["keys"][0]["kid"].as_str().unwrap();
    assert!(oauth_server::administration::keys::retire(&server.state, kid).await.unwrap());
    let after = json(server.get("/.well-known/jwks.json").await).await;
    let keys = after["keys"].as_array().unwrap();
    assert!(keys.len() == 1 && keys[0]["kid"] != kid, "{after}");
}

#[tokio::test]
async fn a16_keys_of_other_servers_are_published_beside_the_own_ones_and_are_trusted_for_nothing() {
    let other = is10("").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("other.json");
    let set = json(other.get("/.well-known/jwks.json").await).await;
    std::fs::write(&file, set.to_string()).unwrap();
    let server = is10(&format!("[nmos]\nhosted_key_files = [\"{}\"]", file.display())).await;
    let own = json(server.get("/.well-known/jwks.json").await).await;
    let kids: Vec<&Value> = own["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).collect();
    assert!(kids.len() == 2 && kids[1] == &set["keys"][0]["kid"], "{own}");
    // A token of the other server is nobody's here.
    other.controller("registration").await;
    server.controller("registration").await;
    let answer = json(other.own_tokens("registration").await).await;
    let form = [("token", answer["access_token"].as_str().unwrap())];
    let answer = server.post("/oauth/introspect", Some((CONTROLLER, SECRET)), &form).await;
    assert_eq!(json(answer).await, object!({ "active": false }));
    // Whoever hosts our own key under its name does not double it.
    std::fs::write(&file, own.to_string()).unwrap();
    server.state.hosted.read_files(&server.state.config);
    let again = json(server.get("/.well-known/jwks.json").await).await;
    assert_eq!(again["keys"].as_array().unwrap().len(), 2);
}
