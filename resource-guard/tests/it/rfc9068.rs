//! JWT access tokens: every claim that is checked, and a twin with one thing wrong.

use crate::support::{
    AUDIENCE, ISSUER, KEY, START, admits, app, claims, claims_but, offline, offline_guard, refuses,
    sign, sign_under,
};
use serde_json::{Value, json};
use std::time::Duration;

async fn refuses_claims(changes: Value) {
    let app = app(offline_guard().any_token());
    refuses(&app, &sign(&KEY, &claims_but(ISSUER, &changes)), 401, "invalid_token").await;
}

async fn admits_claims(changes: Value) {
    let app = app(offline_guard().any_token());
    admits(&app, &sign(&KEY, &claims_but(ISSUER, &changes))).await;
}

#[tokio::test]
async fn s4_a_good_token_is_good() {
    admits(&app(offline_guard().any_token()), &sign(&KEY, &claims(ISSUER))).await;
}

#[tokio::test]
async fn s4_iss_must_be_exact() {
    for iss in [
        json!("https://as.example/"),
        json!("https://AS.example"),
        json!("https://as.example:443"),
        json!("https://evil.example"),
        json!(""),
        json!(["https://as.example"]),
        Value::Null,
    ] {
        refuses_claims(json!({"iss": iss})).await;
    }
}

#[tokio::test]
async fn s4_aud_must_name_this_server() {
    admits_claims(json!({"aud": [AUDIENCE]})).await;
    admits_claims(json!({"aud": ["https://other.example", AUDIENCE]})).await;
    for aud in [
        json!("https://other.example"),
        json!("https://api.example/"),
        json!("https://API.example"),
        json!([]),
        json!(["https://other.example"]),
        json!([[AUDIENCE]]),
        json!({"a": AUDIENCE}),
        json!(""),
        json!(7),
        Value::Null,
    ] {
        refuses_claims(json!({"aud": aud})).await;
    }
}

#[tokio::test]
async fn s4_any_of_several_audiences_will_do() {
    let guard = offline().0.audience("urn:api").build().unwrap();
    let app = app(guard.any_token());
    admits(&app, &sign(&KEY, &claims(ISSUER))).await;
    admits(&app, &sign(&KEY, &claims_but(ISSUER, &json!({"aud": "urn:api"})))).await;
    let other = claims_but(ISSUER, &json!({"aud": "urn:other"}));
    refuses(&app, &sign(&KEY, &other), 401, "invalid_token").await;
}

#[tokio::test]
async fn s4_exp_is_required_and_ends_the_token_to_the_second() {
    refuses_claims(json!({"exp": null})).await;
    refuses_claims(json!({"exp": (START + 60).to_string()})).await;
    refuses_claims(json!({"exp": START})).await;
    refuses_claims(json!({"exp": START - 1})).await;
    refuses_claims(json!({"exp": -1})).await;
    admits_claims(json!({"exp": START + 1})).await;
}

#[tokio::test]
async fn a_five_second_token_dies_after_five_seconds() {
    let (builder, clock) = offline();
    let app = app(builder.build().unwrap().any_token());
    let token = sign(&KEY, &claims_but(ISSUER, &json!({"exp": START + 5})));
    for _ in 0..5 {
        admits(&app, &token).await;
        clock.advance(1);
    }
    refuses(&app, &token, 401, "invalid_token").await;
}

#[tokio::test]
async fn leeway_is_exactly_what_was_given() {
    let (builder, clock) = offline();
    let app = app(builder.leeway(Duration::from_secs(2)).build().unwrap().any_token());
    let token = sign(&KEY, &claims_but(ISSUER, &json!({"exp": START + 5, "nbf": START + 2})));
    admits(&app, &token).await;
    clock.advance(6);
    admits(&app, &token).await;
    clock.advance(1);
    refuses(&app, &token, 401, "invalid_token").await;
    let early = claims_but(ISSUER, &json!({"exp": START + 60, "iat": START + 10}));
    refuses(&app, &sign(&KEY, &early), 401, "invalid_token").await;
}

#[tokio::test]
async fn s4_nbf_and_iat_must_not_lie_ahead() {
    admits_claims(json!({"nbf": START, "iat": START})).await;
    admits_claims(json!({"nbf": null, "iat": null})).await;
    refuses_claims(json!({"nbf": START + 1})).await;
    refuses_claims(json!({"iat": START + 1})).await;
    refuses_claims(json!({"nbf": "soon"})).await;
    refuses_claims(json!({"iat": [START]})).await;
}

#[tokio::test]
async fn s4_typ_must_be_at_jwt() {
    let app = app(offline_guard().any_token());
    let header = |typ: &str| json!({"alg": "ES256", "kid": KEY.signer.kid(), "typ": typ});
    for good in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        admits(&app, &sign_under(&header(good), &claims(ISSUER))).await;
    }
    for bad in ["JWT", "id+jwt", "logout+jwt", "dpop+jwt", "", "at+jwt "] {
        refuses(&app, &sign_under(&header(bad), &claims(ISSUER)), 401, "invalid_token").await;
    }
    let untyped = json!({"alg": "ES256", "kid": KEY.signer.kid()});
    refuses(&app, &sign_under(&untyped, &claims(ISSUER)), 401, "invalid_token").await;
}

#[tokio::test]
async fn other_types_are_accepted_where_configured() {
    let typed = app(offline().0.also_typ("JWT").build().unwrap().any_token());
    let untyped = app(offline().0.also_untyped().build().unwrap().any_token());
    let jwt = json!({"alg": "ES256", "kid": KEY.signer.kid(), "typ": "JWT"});
    let none = json!({"alg": "ES256", "kid": KEY.signer.kid()});
    admits(&typed, &sign_under(&jwt, &claims(ISSUER))).await;
    refuses(&typed, &sign_under(&none, &claims(ISSUER)), 401, "invalid_token").await;
    admits(&untyped, &sign_under(&none, &claims(ISSUER))).await;
    refuses(&untyped, &sign_under(&jwt, &claims(ISSUER)), 401, "invalid_token").await;
    admits(&typed, &sign(&KEY, &claims(ISSUER))).await;
}

#[tokio::test]
async fn s2_2_sub_is_required() {
    refuses_claims(json!({"sub": null})).await;
    refuses_claims(json!({"sub": ""})).await;
    refuses_claims(json!({"sub": 7})).await;
    admits_claims(json!({"client_id": null})).await;
}

#[tokio::test]
async fn rfc7800_s3_bound_tokens_are_not_bearer_tokens() {
    refuses_claims(json!({"cnf": {"jkt": "x"}})).await;
    refuses_claims(json!({"cnf": {}})).await;
}
