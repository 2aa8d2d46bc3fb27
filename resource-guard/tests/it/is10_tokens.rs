//! AMWA IS-10: which tokens a resource server accepts, where it looks for them, and how it refuses.

use crate::support::{
    BASE, Behaviour, HOST, JWKS, KEY, Peer, RSA, START, answers, app, call, encode, get_bare, jwks,
    new_key, node, node_claims, node_of, rsa_signed, send, sign_under,
};
use aws_lc_rs::hmac;
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, StatusCode, header};
use resource_guard::{
    ConfigProblem, Guard, MemoryRevocations, Revocations as _, SigningAlgorithm, Timestamp,
};
use serde_json::{Value, json};
use std::sync::Arc;

fn token(peer: &Peer, changes: &Value) -> String {
    RSA.signer.sign("JWT", &node_claims(peer.issuer(), changes)).unwrap()
}

fn invalid() -> (u16, String) {
    (401, "invalid_token".to_owned())
}

fn elsewhere() -> (u16, String) {
    (403, "insufficient_scope".to_owned())
}

fn allowed() -> (u16, String) {
    (200, String::new())
}

/// A request for a web socket.
fn handshake(uri: String, bearer: Option<&str>) -> Request<Body> {
    let mut request = Request::builder()
        .uri(uri)
        .header(header::CONNECTION, "Upgrade")
        .header(header::UPGRADE, "websocket");
    if let Some(bearer) = bearer {
        request = request.header(header::AUTHORIZATION, format!("Bearer {bearer}"));
    }
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn r1_websockets_by_header_or_query() {
    let (peer, app, _) = node_of().await;
    let token = token(&peer, &json!({}));
    let path = format!("{BASE}/single/senders");
    let by_query = format!("{path}?access_token={token}");
    for (request, status) in [
        (handshake(path.clone(), Some(&token)), 200),
        (handshake(by_query.clone(), None), 200),
        (handshake(path.clone(), None), 401),
        (handshake(path.clone(), Some("garbage")), 401),
        (handshake(format!("{path}?access_token=garbage"), None), 401),
        (handshake(by_query.clone(), Some(&token)), 400),
        (handshake(format!("{by_query}&access_token={token}"), None), 400),
    ] {
        assert_eq!(send(&app, request).await.status.as_u16(), status);
    }
    // Of an ordinary request the query says nothing.
    assert_eq!(get_bare(&app, &by_query).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn r1_nor_do_websockets_open_where_reading_is_free() {
    let (peer, app, _) = node_of().await;
    let token = token(&peer, &json!({}));
    for path in ["/", "/x-nmos", "/x-nmos/"] {
        assert_eq!(get_bare(&app, path).await.status, StatusCode::OK, "{path}");
        for (request, status) in [
            (handshake(path.to_owned(), None), 401),
            (handshake(path.to_owned(), Some("garbage")), 401),
            (handshake(format!("{path}?access_token=garbage"), None), 401),
            (handshake(path.to_owned(), Some(&token)), 200),
            (handshake(format!("{path}?access_token={token}"), None), 200),
        ] {
            assert_eq!(send(&app, request).await.status.as_u16(), status, "{path}");
        }
        // A handler may be content with less than a whole handshake.
        let less = Request::get(path).header(header::UPGRADE, "WebSocket").body(Body::empty());
        assert_eq!(send(&app, less.unwrap()).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn r2_rs512_alone() {
    let (peer, app, _) = node_of().await;
    let claims = node_claims(peer.issuer(), &json!({}));
    let with = |header: Value| rsa_signed(&header, &claims);
    assert_eq!(answers(&app, &with(json!({"alg": "RS512", "typ": "JWT"}))).await, allowed());
    assert_eq!(answers(&app, &with(json!({"alg": "RS512", "typ": "at+jwt"}))).await, allowed());
    for header in [
        json!({"alg": "RS256", "typ": "JWT"}),
        json!({"alg": "rs512", "typ": "JWT"}),
        json!({"alg": "RS384", "typ": "JWT"}),
        json!({"alg": "PS512", "typ": "JWT"}),
        json!({"alg": "RS512"}),
        json!({"alg": "RS512", "typ": "id_token+jwt"}),
        json!({"alg": "RS512", "typ": "logout+jwt"}),
        json!({"alg": "RS512", "typ": "JWT", "crit": ["exp"]}),
        json!({"alg": "RS512", "typ": "JWT", "kid": 7}),
        json!({"typ": "JWT"}),
    ] {
        assert_eq!(answers(&app, &with(header.clone())).await, invalid(), "{header}");
    }
    let es256 = sign_under(&json!({"alg": "ES256", "typ": "JWT"}), &claims);
    peer.publishes([&*RSA, &*KEY]);
    assert_eq!(answers(&app, &es256).await, invalid());
}

#[tokio::test]
async fn r2_none_and_secrets_are_no_signatures() {
    let (peer, app, _) = node_of().await;
    let claims = node_claims(peer.issuer(), &json!({}));
    for alg in ["none", "None", "NONE", ""] {
        let unsigned =
            format!("{}.{}.", encode(&json!({"alg": alg, "typ": "JWT"})), encode(&claims));
        assert_eq!(answers(&app, &unsigned).await, invalid(), "{alg}");
    }
    // What is public as a key must not work as a secret, in whatever spelling.
    let jwk = RSA.signer.public_jwk();
    let modulus = URL_SAFE_NO_PAD.decode(json!(jwk)["n"].as_str().unwrap()).unwrap();
    let secrets = [json!(jwk).to_string().into_bytes(), modulus, jwks([&*RSA]).to_string().into()];
    for (alg, hmac_alg) in [("HS256", hmac::HMAC_SHA256), ("HS512", hmac::HMAC_SHA512)] {
        for secret in &secrets {
            let header = json!({"alg": alg, "typ": "JWT", "kid": json!(jwk)["kid"]});
            let message = format!("{}.{}", encode(&header), encode(&claims));
            let tag = hmac::sign(&hmac::Key::new(hmac_alg, secret), message.as_bytes());
            let forged = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
            assert_eq!(answers(&app, &forged).await, invalid(), "{alg}");
        }
    }
    let mut broken = token(&peer, &json!({}));
    broken.replace_range(broken.len() - 8.., "AAAAAAAA");
    assert_eq!(answers(&app, &broken).await, invalid());
}

#[tokio::test]
async fn r3_times_and_claims() {
    let (peer, app, _) = node_of().await;
    for (good, why) in [
        (json!({"iat": START, "nbf": START, "exp": START + 1}), "at the second"),
        (json!({"iat": null}), "iat may be missing"),
    ] {
        assert_eq!(answers(&app, &token(&peer, &good)).await, allowed(), "{why}");
    }
    for bad in [
        json!({"iat": START + 1}),
        json!({"nbf": START + 1}),
        json!({"exp": START}),
        json!({"exp": START - 1}),
        json!({"exp": null}),
        json!({"exp": "tomorrow"}),
        json!({"iat": "now"}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"iss": null}),
        json!({"iss": "https://other.example"}),
        json!({"iss": format!("{}/", peer.issuer())}),
        json!({"cnf": {"jkt": "x"}}),
    ] {
        assert_eq!(answers(&app, &token(&peer, &bad)).await, invalid(), "{bad}");
    }
    for bad in [json!({"aud": null}), json!({"aud": []}), json!({"aud": ["node2.example"]})] {
        assert_eq!(answers(&app, &token(&peer, &bad)).await, elsewhere(), "{bad}");
    }
}

#[tokio::test]
async fn r3_the_client_is_named_one_way_or_the_other() {
    let (peer, app, _) = node_of().await;
    let azp = json!({"client_id": null, "azp": "controller"});
    assert_eq!(answers(&app, &token(&peer, &azp)).await, allowed());
    for bad in [json!({"client_id": null}), json!({"client_id": ""}), json!({"client_id": 7})] {
        assert_eq!(answers(&app, &token(&peer, &bad)).await, invalid(), "{bad}");
    }
}

#[tokio::test]
async fn r4_the_audience_is_a_host_name() {
    let (peer, app, _) = node_of().await;
    for aud in [
        json!(HOST),
        json!([HOST]),
        json!(["other.example", format!("https://{HOST}")]),
        json!(["*.example"]),
        json!("https://*.example"),
        json!([7, HOST]),
    ] {
        assert_eq!(answers(&app, &token(&peer, &json!({"aud": aud}))).await, allowed(), "{aud}");
    }
    for aud in [
        json!("*"),
        json!(["https://*"]),
        json!([format!("https://{HOST}:443")]),
        json!([format!("https://{HOST}/x-nmos")]),
        json!([format!("https://{HOST}?x")]),
        json!(["*.node1.example"]),
        json!([{"aud": HOST}]),
    ] {
        assert_eq!(answers(&app, &token(&peer, &json!({"aud": aud}))).await, elsewhere(), "{aud}");
    }
}

#[tokio::test]
async fn r4_the_host_header_names_nobody() {
    let (peer, app, _) = node_of().await;
    let token = token(&peer, &json!({"aud": ["evil.example"]}));
    let request = Request::builder()
        .uri(format!("{BASE}/bulk"))
        .header(header::HOST, "evil.example")
        .header("x-forwarded-host", "evil.example")
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    let answer = send(&app, request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.nmos_error(), (403, "insufficient_scope".to_owned()));
}

#[tokio::test]
async fn r5_refusals_are_nmos_errors() {
    let (peer, app, _) = node_of().await;
    let path = format!("{BASE}/bulk");
    let narrow = token(&peer, &json!({"x-nmos-connection": {"read": ["single/*"]}}));
    let old = token(&peer, &json!({"exp": START}));
    let bare = get_bare(&app, &path).await;
    assert_eq!(bare.nmos_error(), (401, String::new()));
    assert_eq!(bare.challenge(), "Bearer realm=\"api\"");
    for (token, status, code) in [
        ("garbage", 401, "invalid_token"),
        (&old, 401, "invalid_token"),
        (&narrow, 403, "insufficient_scope"),
        ("", 400, "invalid_request"),
    ] {
        let answer = call(&app, "GET", &path, token).await;
        assert_eq!(answer.nmos_error(), (status, code.to_owned()));
        let challenge = format!("Bearer error={code}, realm=\"api\"");
        assert!(answer.challenge().starts_with(&challenge), "{}", answer.challenge());
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
    }
    peer.set(JWKS, Behaviour::Fails(StatusCode::BAD_GATEWAY));
    let (builder, _) = node();
    let lost = app_of(&builder.trust_issuer("http://127.0.0.1:9").build().unwrap());
    let claims = node_claims("http://127.0.0.1:9", &json!({}));
    let answer = call(&lost, "GET", &path, &RSA.signer.sign("JWT", &claims).unwrap()).await;
    assert_eq!(answer.nmos_error(), (503, "temporarily_unavailable".to_owned()));
    assert!(answer.headers.contains_key(header::RETRY_AFTER));
}

fn app_of(guard: &Guard) -> axum::Router {
    app(guard.nmos())
}

#[tokio::test]
async fn r8_options_says_that_a_token_may_be_sent() {
    use axum::routing::{get, post};
    let guard = node().0.trust_issuer("https://as.example").build().unwrap();
    let app = axum::Router::new()
        .route("/x-nmos/connection/v1.1/single/senders", get(|| async { "senders" }))
        .route("/x-nmos/connection/v1.1/bulk/senders", post(|| async { "bulk" }))
        .layer(guard.nmos());
    for (path, methods) in [("single/senders", "GET,HEAD"), ("bulk/senders", "POST")] {
        for extra in ["", "?access_token=garbage"] {
            let request = Request::builder()
                .method("OPTIONS")
                .uri(format!("{BASE}/{path}{extra}"))
                .header("origin", "https://controller.example")
                .header("access-control-request-method", "GET")
                .header("access-control-request-headers", "authorization");
            let answer = send(&app, request.body(Body::empty()).unwrap()).await;
            assert_eq!(answer.status, StatusCode::OK);
            let header = |name: &str| answer.headers[name].to_str().unwrap().to_owned();
            assert!(header("access-control-allow-headers").contains("Authorization"));
            assert_eq!(header("access-control-allow-origin"), "*");
            assert_eq!(header("allow"), methods);
            assert!(header("access-control-allow-methods").contains("PATCH"));
        }
    }
    let missing = Request::builder().method("OPTIONS").uri("/x-nmos/none").body(Body::empty());
    let answer = send(&app, missing.unwrap()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.headers.contains_key("access-control-allow-headers"));
}

#[tokio::test]
async fn r12_keys_as_they_come() {
    let (peer, app, _) = node_of().await;
    let mut set = jwks([&*RSA]);
    let mut bare = set["keys"][0].clone();
    for name in ["kid", "alg", "use"] {
        bare.as_object_mut().unwrap().remove(name);
    }
    bare["key_ops"] = json!("verify");
    let odd = json!([
        7, null, "key", {}, {"kty": "oct", "k": "AA"}, {"kty": "RSA", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": ["x"]}, {"kty": "EC", "crv": "P-256", "x": "AA"}, bare,
        {"kty": "RSA", "use": "enc", "n": "AQAB", "e": "AQAB"},
    ]);
    set["keys"] = odd;
    peer.set(JWKS, Behaviour::Serves(set));
    let claims = node_claims(peer.issuer(), &json!({}));
    for header in [
        json!({"alg": "RS512", "typ": "JWT"}),
        json!({"alg": "RS512", "typ": "JWT", "kid": "a name the set does not know"}),
    ] {
        assert_eq!(answers(&app, &rsa_signed(&header, &claims)).await, allowed(), "{header}");
    }
}

#[tokio::test]
async fn r12_a_token_without_kid_tries_every_key() {
    let (peer, app, _) = node_of().await;
    let others: Vec<_> = (0..3).map(|_| new_key(SigningAlgorithm::RS512)).collect();
    peer.publishes(others.iter().chain([&*RSA]));
    let claims = node_claims(peer.issuer(), &json!({}));
    let bare = rsa_signed(&json!({"alg": "RS512", "typ": "JWT"}), &claims);
    assert_eq!(answers(&app, &bare).await, allowed());
}

#[tokio::test]
async fn r12_a_thousand_keys_are_bounded_work() {
    let (peer, app, _) = node_of().await;
    let mut set = jwks([&*RSA]);
    let other = jwks([&new_key(SigningAlgorithm::RS512)])["keys"][0].clone();
    let keys = set["keys"].as_array_mut().unwrap();
    for i in 0..1_000 {
        let mut key = other.clone();
        key["kid"] = json!(format!("k{i}"));
        keys.insert(0, key);
    }
    peer.set(JWKS, Behaviour::Serves(set));
    assert_eq!(answers(&app, &token(&peer, &json!({}))).await, allowed());
    // A token that names no key has them tried in turn, and not all of them: the right one comes after a thousand.
    let claims = node_claims(peer.issuer(), &json!({"sub": "bob"}));
    let bare = rsa_signed(&json!({"alg": "RS512", "typ": "JWT"}), &claims);
    assert_eq!(answers(&app, &bare).await, invalid());
}

#[tokio::test]
async fn r16_the_guard_never_redirects() {
    let (peer, app, _) = node_of().await;
    let good = token(&peer, &json!({}));
    for path in ["/x-nmos", "/x-nmos/", BASE, &format!("{BASE}/"), &format!("{BASE}/bulk/")] {
        for token in [&good, "garbage"] {
            let status = call(&app, "GET", path, token).await.status;
            assert!(!status.is_redirection(), "{path}");
        }
    }
}

#[tokio::test]
async fn revoked_tokens_are_refused_by_nodes_too() {
    let peer = Peer::start().await;
    peer.publishes([&*RSA]);
    let list = Arc::new(MemoryRevocations::new());
    let guard = node().0.trust_issuer(peer.issuer()).revocations(list.clone()).build().unwrap();
    let app = app_of(&guard);
    let token = token(&peer, &json!({"jti": "t-1"}));
    assert_eq!(answers(&app, &token).await, allowed());
    list.revoke("t-1", Timestamp::from_unix(START + 60)).await.unwrap();
    assert_eq!(answers(&app, &token).await, invalid(), "a remembered token too");
}

#[test]
fn the_settings_of_a_node_are_checked() {
    let problem = |builder: resource_guard::GuardBuilder| builder.build().unwrap_err();
    assert!(matches!(problem(Guard::nmos_node(HOST)), ConfigProblem::IssuerMissing));
    for bad in ["", "a b", "https://node1.example", "node1.example:443", "*.example"] {
        let builder = Guard::nmos_node(bad).trust_issuer("https://as.example");
        assert!(matches!(problem(builder), ConfigProblem::Audience), "{bad}");
    }
    for bad in ["*", "*.", "a b", "https://as.example", "as.*.example", "*:443", "as.example:0"] {
        let builder = Guard::nmos_node(HOST).trust_issuers_on(bad);
        assert!(matches!(problem(builder), ConfigProblem::Host(_)), "{bad}");
    }
    let plain = Guard::nmos_node(HOST).trust_issuer("http://as.example");
    assert!(matches!(problem(plain), ConfigProblem::Issuer(_)));
    for good in ["*.example", "as.example", "192.0.2.1", "[2001:db8::1]", "*.example:8443"] {
        assert!(Guard::nmos_node(HOST).trust_issuers_on(good).build().is_ok(), "{good}");
    }
}
