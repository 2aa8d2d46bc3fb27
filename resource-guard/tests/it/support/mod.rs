//! A clock, keys, tokens, an authorization server, and one way to send a request.

mod nmos;
mod peer;

pub(crate) use nmos::{BASE, HOST, RSA, answers, node, node_claims, node_of, rsa_signed};
pub(crate) use peer::{Behaviour, INTROSPECT, JWKS, OAUTH, OPENID, Peer};

use aws_lc_rs::{
    rand::SystemRandom as Dice,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use axum::{Router, body::Body, routing::any};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use oauth_core::{
    jose::{GeneratedKey, KeySet, generate},
    ports::{Clock, SystemRandom},
};
use resource_guard::{Guard, GuardBuilder, GuardLayer, Principal, SigningAlgorithm, Timestamp};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, LazyLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tower::ServiceExt as _;

/// Far longer than anything here takes; so long a guard waits for whoever answers.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
/// So long a guard waits where somebody hangs.
pub(crate) const SOON: Duration = Duration::from_secs(2);
pub(crate) const AUDIENCE: &str = "https://api.example";
pub(crate) const ISSUER: &str = "https://as.example";
/// When every test begins.
pub(crate) const START: i64 = 1_800_000_000;

/// A clock that goes when told to.
#[derive(Clone)]
pub(crate) struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(self.0.load(Ordering::SeqCst))
    }
}

pub(crate) fn new_key(alg: SigningAlgorithm) -> GeneratedKey {
    generate(alg, &SystemRandom).unwrap()
}

/// The usual key.
pub(crate) static KEY: LazyLock<GeneratedKey> = LazyLock::new(|| new_key(SigningAlgorithm::ES256));

pub(crate) fn jwks<'k>(keys: impl IntoIterator<Item = &'k GeneratedKey>) -> Value {
    let keys: Vec<_> = keys.into_iter().map(|k| k.signer.public_jwk()).collect();
    json!({ "keys": keys })
}

/// Claims every rule likes, valid for a minute.
pub(crate) fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "sub": "alice", "aud": AUDIENCE, "client_id": "app", "scope": "read write",
        "iat": START, "exp": START + 60, "jti": "t-1",
    })
}

/// The claims with some of them replaced; null takes one away.
pub(crate) fn claims_but(issuer: &str, changes: &Value) -> Value {
    let mut claims = claims(issuer);
    let map = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => map.remove(name),
            value => map.insert(name.clone(), value.clone()),
        };
    }
    claims
}

pub(crate) fn sign(key: &GeneratedKey, claims: &Value) -> String {
    key.signer.sign("at+jwt", claims).unwrap()
}

/// A token of the usual key with a header of one's own, properly signed.
pub(crate) fn sign_under(header: &Value, claims: &Value) -> String {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &KEY.pkcs8).unwrap();
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = pair.sign(&Dice::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

pub(crate) fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// Settings with the usual static key, and the clock they go by.
pub(crate) fn offline() -> (GuardBuilder, ManualClock) {
    let clock = ManualClock::new();
    let builder = Guard::for_issuer(ISSUER)
        .keys(KeySet::from_jwks(&jwks([&*KEY])))
        .audience(AUDIENCE)
        .realm("api")
        .clock(Arc::new(clock.clone()));
    (builder, clock)
}

pub(crate) fn offline_guard() -> Guard {
    offline().0.build().unwrap()
}

/// A handler behind a layer: says who is calling.
pub(crate) fn app(layer: GuardLayer) -> Router {
    async fn who(who: Option<Principal>) -> String {
        who.map_or_else(|| "nobody".to_owned(), |p| p.subject().to_owned())
    }
    Router::new().route("/", any(who)).route("/{*path}", any(who)).layer(layer)
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn challenge(&self) -> &str {
        self.headers.get(header::WWW_AUTHENTICATE).map_or("", |v| v.to_str().unwrap())
    }

    /// The error code in the body, if it is one of the guard's.
    pub(crate) fn error(&self) -> Option<String> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        body["error"].as_str().map(str::to_owned)
    }
}

impl Answer {
    /// Code and `debug` of an error object of NMOS, which must be complete and say so in its type.
    pub(crate) fn nmos_error(&self) -> (u64, String) {
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/json", "{self:?}");
        let body: Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 3, "{self:?}");
        assert!(body["error"].as_str().is_some_and(|e| !e.is_empty()), "{self:?}");
        assert_eq!(body["code"], self.status.as_u16());
        (body["code"].as_u64().unwrap(), body["debug"].as_str().unwrap_or_default().to_owned())
    }
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// GET with a token.
pub(crate) async fn get(app: &Router, path: &str, token: &str) -> Answer {
    call(app, "GET", path, token).await
}

pub(crate) async fn call(app: &Router, method: &str, path: &str, token: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"));
    send(app, request.body(Body::empty()).unwrap()).await
}

/// GET without a token.
pub(crate) async fn get_bare(app: &Router, path: &str) -> Answer {
    send(app, Request::builder().uri(path).body(Body::empty()).unwrap()).await
}

/// The token is let through.
pub(crate) async fn admits(app: &Router, token: &str) {
    let answer = get(app, "/", token).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "alice"), "{answer:?}");
}

/// The token is refused with this status and error code.
pub(crate) async fn refuses(app: &Router, token: &str, status: u16, error: &str) {
    let answer = get(app, "/", token).await;
    assert_eq!(
        (answer.status.as_u16(), answer.error().as_deref()),
        (status, Some(error)),
        "{answer:?}"
    );
    assert_eq!(answer.headers.get(header::CACHE_CONTROL).unwrap(), "no-store");
    if status < 500 {
        assert!(answer.challenge().contains(error), "{answer:?}");
    }
}
