//! The key set over time: rotation, withdrawal, unknown keys, servers that do not answer.

use crate::support::{
    Behaviour, JWKS, KEY, ManualClock, OAUTH, PATIENCE, Peer, SOON, admits, app, claims,
    claims_but, get, jwks, new_key, refuses, sign, sign_under,
};
use axum::Router;
use futures_util::{FutureExt as _, future::join_all};
use http::StatusCode;
use resource_guard::SigningAlgorithm::ES256;
use serde_json::{Value, json};
use std::time::Duration;

const HOUR: i64 = 3_600;

async fn guarded() -> (Peer, Router, ManualClock) {
    guarded_for(PATIENCE).await
}

/// With a guard that waits so long for an answer.
async fn guarded_for(time: Duration) -> (Peer, Router, ManualClock) {
    let peer = Peer::start().await;
    let (builder, clock) = peer.discovering();
    (peer, app(builder.timeout(time).build().unwrap().any_token()), clock)
}

/// Claims that outlive every test here.
fn lasting(peer: &Peer) -> Value {
    claims_but(peer.issuer(), &json!({"exp": crate::support::START + 1_000_000 * HOUR}))
}

fn unknown(peer: &Peer, kid: &str) -> String {
    sign_under(&json!({"alg": "ES256", "typ": "at+jwt", "kid": kid}), &claims(peer.issuer()))
}

/// Waits for the fetch under way, as a token with an unknown key does.
async fn refreshed(app: &Router, peer: &Peer) {
    refuses(app, &unknown(peer, "nobody's"), 401, "invalid_token").await;
}

#[tokio::test]
async fn a_new_key_is_found_by_its_unknown_kid() {
    let (peer, app, clock) = guarded().await;
    let next = new_key(ES256);
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
    peer.set(JWKS, Behaviour::Serves(jwks([&*KEY, &next])));
    clock.advance(30);
    admits(&app, &sign(&next, &lasting(&peer))).await;
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
    assert_eq!((peer.count(OAUTH), peer.count(JWKS)), (1, 2));
}

#[tokio::test]
async fn a_storm_of_unknown_kids_makes_one_fetch() {
    let (peer, app, clock) = guarded().await;
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
    clock.advance(30);
    let tokens: Vec<_> = (0..200).map(|i| unknown(&peer, &format!("k{i}"))).collect();
    let answers = join_all(tokens.iter().map(|t| get(&app, "/", t))).await;
    assert!(answers.iter().all(|a| a.status == StatusCode::UNAUTHORIZED));
    for token in &tokens {
        refuses(&app, token, 401, "invalid_token").await;
    }
    assert_eq!(peer.count(JWKS), 2, "the first, and one for the storm");
    clock.advance(29);
    refuses(&app, &tokens[0], 401, "invalid_token").await;
    assert_eq!(peer.count(JWKS), 2);
    clock.advance(1);
    refuses(&app, &tokens[0], 401, "invalid_token").await;
    assert_eq!(peer.count(JWKS), 3, "one for each cool-down");
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
}

#[tokio::test]
async fn requests_that_leave_early_do_not_start_more_fetches() {
    let (peer, app, clock) = guarded().await;
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
    clock.advance(30);
    for i in 0..20 {
        let token = unknown(&peer, &format!("k{i}"));
        // Polled once and dropped: the client has gone.
        assert!(get(&app, "/", &token).now_or_never().is_none());
    }
    refuses(&app, &unknown(&peer, "last"), 401, "invalid_token").await;
    assert_eq!(peer.count(JWKS), 2);
}

#[tokio::test]
async fn a_withdrawn_key_dies_at_the_next_refresh_with_everything_remembered() {
    let (peer, app, clock) = guarded().await;
    let next = new_key(ES256);
    let old = sign(&KEY, &lasting(&peer));
    admits(&app, &old).await;
    peer.set(JWKS, Behaviour::Serves(jwks([&next])));
    admits(&app, &old).await;
    clock.advance(HOUR);
    admits(&app, &old).await;
    refreshed(&app, &peer).await;
    refuses(&app, &old, 401, "invalid_token").await;
    admits(&app, &sign(&next, &lasting(&peer))).await;
    assert_eq!((peer.count(OAUTH), peer.count(JWKS)), (2, 2), "the key set may have moved");
}

#[tokio::test]
async fn keys_that_nobody_looked_after_are_not_used_without_looking() {
    let (peer, app, clock) = guarded().await;
    let old = sign(&KEY, &lasting(&peer));
    admits(&app, &old).await;
    peer.set(JWKS, Behaviour::Serves(jwks([&new_key(ES256)])));
    clock.advance(2 * HOUR);
    refuses(&app, &old, 401, "invalid_token").await;
    assert_eq!(peer.count(JWKS), 2);
}

#[tokio::test]
async fn nobody_waits_for_a_refresh_while_there_are_keys() {
    let (peer, app, clock) = guarded_for(SOON).await;
    let token = sign(&KEY, &lasting(&peer));
    admits(&app, &token).await;
    for path in [OAUTH, JWKS] {
        peer.set(path, Behaviour::Hangs);
        clock.advance(HOUR);
        for _ in 0..3 {
            let answer = get(&app, "/", &token).now_or_never().expect("no waiting");
            assert_eq!(answer.status, StatusCode::OK);
        }
        refuses(&app, &unknown(&peer, "new"), 503, "temporarily_unavailable").await;
        peer.set(OAUTH, Behaviour::Serves(peer.metadata()));
    }
    assert_eq!((peer.count(OAUTH), peer.count(JWKS)), (3, 2), "each was tried once");
}

#[tokio::test]
async fn keys_are_refreshed_every_hour_and_not_before() {
    let (peer, app, clock) = guarded().await;
    let token = sign(&KEY, &lasting(&peer));
    for hour in 1..=5 {
        admits(&app, &token).await;
        refreshed(&app, &peer).await;
        assert_eq!(peer.count(JWKS), hour);
        clock.advance(HOUR * 9 / 10 - 1);
        admits(&app, &token).await;
        assert_eq!(peer.count(JWKS), hour, "jitter is at most a tenth");
        clock.advance(HOUR / 10 + 1);
    }
}

#[tokio::test]
async fn a_key_set_that_moved_is_found_although_unknown_keys_come_all_the_time() {
    let (peer, app, clock) = guarded().await;
    let next = new_key(ES256);
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
    // What is left at the old place never changes again.
    let moved = json!({"issuer": peer.issuer(), "jwks_uri": peer.url("/moved")});
    peer.set(OAUTH, Behaviour::Serves(moved));
    peer.set("/moved", Behaviour::Serves(jwks([&next])));
    for i in 0..120 {
        clock.advance(30);
        let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": format!("k{i}")});
        refuses(&app, &sign_under(&header, &lasting(&peer)), 401, "invalid_token").await;
    }
    admits(&app, &sign(&next, &lasting(&peer))).await;
    assert_eq!(peer.count(OAUTH), 2, "the metadata was read again in its time");
}

#[tokio::test]
async fn old_keys_serve_while_the_server_is_unreachable() {
    for failure in [
        Behaviour::Fails(StatusCode::INTERNAL_SERVER_ERROR),
        Behaviour::Garbage("not JSON".to_owned()),
        Behaviour::Serves(json!({"error": "maintenance"})),
        Behaviour::Serves(json!({"keys": "none"})),
        Behaviour::Redirects("https://elsewhere.example/".to_owned()),
        Behaviour::Hangs,
    ] {
        let time = if matches!(failure, Behaviour::Hangs) { SOON } else { PATIENCE };
        let (peer, app, clock) = guarded_for(time).await;
        let token = sign(&KEY, &lasting(&peer));
        admits(&app, &token).await;
        peer.set(JWKS, failure);
        clock.advance(2 * HOUR);
        admits(&app, &token).await;
        admits(
            &app,
            &sign(
                &KEY,
                &claims_but(peer.issuer(), &json!({"exp": crate::support::START + 4 * HOUR})),
            ),
        )
        .await;
        assert_eq!(peer.count(JWKS), 2, "then it rests");
        clock.advance(61);
        admits(&app, &token).await;
        peer.set(JWKS, Behaviour::Serves(jwks([&new_key(ES256)])));
        // Every pause is at most a minute; the refresh may run beside the request that finds it due.
        clock.advance(61);
        let mut answer = get(&app, "/", &token).await;
        for _ in 0..10_000 {
            if answer.status != StatusCode::OK {
                break;
            }
            tokio::task::yield_now().await;
            clock.advance(61);
            answer = get(&app, "/", &token).await;
        }
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "the new set counts");
    }
}

#[tokio::test]
async fn pauses_grow_while_nobody_answers() {
    let (peer, app, clock) = guarded().await;
    peer.set(OAUTH, Behaviour::Fails(StatusCode::SERVICE_UNAVAILABLE));
    let token = sign(&KEY, &lasting(&peer));
    let mut attempts = Vec::new();
    for _ in 0..600 {
        refuses(&app, &token, 503, "temporarily_unavailable").await;
        attempts.push(peer.count(OAUTH));
        clock.advance(1);
    }
    let (first_minute, last_minute) = (attempts[59], attempts[599] - attempts[539]);
    assert!((5..=12).contains(&first_minute), "{first_minute} attempts in the first minute");
    assert!((1..=3).contains(&last_minute), "{last_minute} attempts in the last minute");
}

#[tokio::test]
async fn an_unknown_key_is_undecided_while_nobody_answers() {
    let (peer, app, clock) = guarded().await;
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
    peer.set(JWKS, Behaviour::Fails(StatusCode::BAD_GATEWAY));
    clock.advance(30);
    refuses(&app, &unknown(&peer, "new"), 503, "temporarily_unavailable").await;
    refuses(&app, &unknown(&peer, "newer"), 503, "temporarily_unavailable").await;
    assert_eq!(peer.count(JWKS), 2);
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
}

#[tokio::test]
async fn a_set_that_is_empty_withdraws_every_key() {
    let (peer, app, clock) = guarded().await;
    let token = sign(&KEY, &lasting(&peer));
    admits(&app, &token).await;
    peer.set(JWKS, Behaviour::Serves(json!({"keys": []})));
    clock.advance(2 * HOUR);
    refuses(&app, &token, 503, "temporarily_unavailable").await;
    peer.set(JWKS, Behaviour::Serves(jwks([&*KEY])));
    clock.advance(61);
    admits(&app, &token).await;
}

#[tokio::test]
async fn a_set_that_hangs_is_given_up() {
    let (peer, app, _) = guarded_for(SOON).await;
    peer.set(JWKS, Behaviour::Hangs);
    let token = sign(&KEY, &lasting(&peer));
    let answers = join_all((0..20).map(|_| get(&app, "/", &token))).await;
    assert!(answers.iter().all(|a| a.status == StatusCode::SERVICE_UNAVAILABLE));
    assert_eq!(peer.count(JWKS), 1);
}

#[tokio::test]
async fn a_thousand_keys_are_read_and_the_right_one_is_found() {
    let (peer, app, _) = guarded().await;
    let mut set = jwks([&*KEY]);
    let keys = set["keys"].as_array_mut().unwrap();
    for i in 0..1_000 {
        let mut key = keys[0].clone();
        key["kid"] = json!(format!("k{i}"));
        keys.insert(0, key);
    }
    peer.set(JWKS, Behaviour::Serves(set));
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
    refuses(&app, &unknown(&peer, "none of them"), 401, "invalid_token").await;
}

#[tokio::test]
async fn an_endless_set_is_cut_off() {
    let (peer, app, _) = guarded().await;
    let filler = "x".repeat(1024 * 1024);
    peer.set(JWKS, Behaviour::Serves(json!({"filler": filler, "keys": jwks([&*KEY])["keys"]})));
    refuses(&app, &sign(&KEY, &lasting(&peer)), 503, "temporarily_unavailable").await;
}

#[tokio::test]
async fn s4_odd_keys_do_not_spoil_the_set() {
    let (peer, app, _) = guarded().await;
    let mut set = jwks([&*KEY]);
    set["keys"][0].as_object_mut().unwrap().remove("kid");
    set["keys"][0]["key_ops"] = json!("verify");
    let keys = set["keys"].as_array_mut().unwrap();
    keys.extend([json!(7), json!({"kty": "oct", "k": "AA"}), json!({"kty": "RSA", "n": "!"})]);
    peer.set(JWKS, Behaviour::Serves(set));
    admits(&app, &sign(&KEY, &lasting(&peer))).await;
}

#[tokio::test]
async fn a_clock_set_back_does_not_stop_refreshing() {
    let (peer, app, clock) = guarded().await;
    clock.advance(1_000 * HOUR);
    let late = claims_but(peer.issuer(), &json!({"exp": crate::support::START + 2_000 * HOUR}));
    let token = sign(&KEY, &late);
    admits(&app, &token).await;
    clock.advance(-1_000 * HOUR);
    get(&app, "/", &token).await;
    peer.set(JWKS, Behaviour::Serves(jwks([&new_key(ES256)])));
    clock.advance(2 * HOUR);
    refuses(&app, &token, 401, "invalid_token").await;
}
