//! An NMOS node behind the guard, and tokens for it.

use super::{Answer, ManualClock, PATIENCE, Peer, START, call, encode, new_key};
use aws_lc_rs::{
    rand::SystemRandom as Dice,
    signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaKeyPair},
};
use axum::Router;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::jose::GeneratedKey;
use resource_guard::{Guard, GuardBuilder, SigningAlgorithm};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

pub(crate) const HOST: &str = "node1.example";
pub(crate) const BASE: &str = "/x-nmos/connection/v1.1";

/// The usual key of IS-10.
pub(crate) static RSA: LazyLock<GeneratedKey> = LazyLock::new(|| new_key(SigningAlgorithm::RS512));

/// Settings of the guard of a node, and the clock they go by.
pub(crate) fn node() -> (GuardBuilder, ManualClock) {
    let clock = ManualClock::new();
    let builder =
        Guard::nmos_node(HOST).realm("api").timeout(PATIENCE).clock(Arc::new(clock.clone()));
    (builder, clock)
}

/// The node of one authorization server, which publishes the usual key.
pub(crate) async fn node_of() -> (Peer, Router, ManualClock) {
    let peer = Peer::start().await;
    peer.publishes([&*RSA]);
    let (builder, clock) = node();
    let guard = builder.trust_issuer(peer.issuer()).build().unwrap();
    (peer, super::app(guard.nmos()), clock)
}

/// Claims that let a node be read and changed, valid for a minute.
pub(crate) fn node_claims(issuer: &str, changes: &Value) -> Value {
    let mut claims = json!({
        "iss": issuer, "sub": "alice", "aud": [HOST], "client_id": "controller",
        "iat": START, "exp": START + 60, "x-nmos-connection": {"read": ["*"], "write": ["*"]},
    });
    let map = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => map.remove(name),
            value => map.insert(name.clone(), value.clone()),
        };
    }
    claims
}

/// A token of the usual key with a header of one's own, signed with the hash that is asked for.
pub(crate) fn rsa_signed(header: &Value, claims: &Value) -> String {
    let encoding: &'static dyn RsaEncoding =
        if header["alg"] == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PKCS1_SHA512 };
    let pair = RsaKeyPair::from_pkcs8(&RSA.pkcs8).unwrap();
    let message = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(encoding, &Dice::new(), message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// What a token gets on a path of the node: the status, and the code of a refusal.
pub(crate) async fn answers(app: &Router, token: &str) -> (u16, String) {
    let answer: Answer = call(app, "GET", &format!("{BASE}/single/senders"), token).await;
    match answer.status.as_u16() {
        200 => (200, String::new()),
        status => (status, answer.nmos_error().1),
    }
}
