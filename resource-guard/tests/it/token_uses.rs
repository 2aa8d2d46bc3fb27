//! Policies about kinds of tokens, freshness and roles, alone and together.

use crate::support::{
    ISSUER, KEY, START, app, call, claims_but, get, get_bare, offline, offline_guard, sign,
};
use resource_guard::{
    Access, ConfigProblem, Fresh, Guard, GuardLayer, Guest, PolicyExt as _, Refresh, Roles, Scopes,
};
use serde_json::{Value, json};
use std::time::Duration;

const FIVE_MINUTES: Duration = Duration::from_mins(5);

fn token(changes: &Value) -> String {
    sign(&KEY, &claims_but(ISSUER, changes))
}

/// Status and error code of a GET with such a token.
async fn outcome(layer: &GuardLayer, changes: &Value) -> (u16, String) {
    let answer = get(&app(layer.clone()), "/", &token(changes)).await;
    let code = answer.error().unwrap_or_default();
    (answer.status.as_u16(), code)
}

async fn expect(layer: &GuardLayer, changes: Value, status: u16, code: &str) {
    assert_eq!(outcome(layer, &changes).await, (status, code.to_owned()), "{changes}");
}

#[tokio::test]
async fn s0_19_access_takes_access_tokens_of_users_and_clients() {
    let layer = offline_guard().access();
    expect(&layer, json!({}), 200, "").await;
    expect(&layer, json!({"token_use": "access"}), 200, "").await;
    expect(&layer, json!({"type": "access"}), 200, "").await;
    expect(&layer, json!({"token_use": "refresh"}), 401, "invalid_token").await;
    expect(&layer, json!({"type": "refresh"}), 401, "invalid_token").await;
    expect(&layer, json!({"token_use": "id"}), 401, "invalid_token").await;
    expect(&layer, json!({"scope": "guest"}), 403, "insufficient_scope").await;
    let answer = get_bare(&app(layer), "/").await;
    assert_eq!((answer.status.as_u16(), answer.error()), (401, None));
}

#[tokio::test]
async fn s0_19_no_other_policy_takes_a_refresh_token() {
    let guard = offline_guard();
    let layers = [
        guard.any_token(),
        guard.needs("read"),
        guard.fresh(FIVE_MINUTES),
        guard.guest(),
        guard.any_token().optional(),
        guard.with(Access.optional()),
    ];
    for layer in layers {
        let changes = json!({"token_use": "refresh", "scope": "read guest", "auth_time": START});
        expect(&layer, changes, 401, "invalid_token").await;
    }
    let nmos = app(guard.nmos());
    let path = "/x-nmos/connection/v1.1/single";
    for (token_use, status) in [("access", 200), ("refresh", 401)] {
        let rights = json!({"read": ["*"]});
        let token = token(&json!({"token_use": token_use, "x-nmos-connection": rights}));
        assert_eq!(get(&nmos, path, &token).await.status.as_u16(), status, "{token_use}");
    }
}

#[tokio::test]
async fn s0_18_refresh_takes_refresh_tokens_alone() {
    let layer = offline_guard().refresh();
    expect(&layer, json!({"token_use": "refresh"}), 200, "").await;
    expect(&layer, json!({"type": "refresh"}), 200, "").await;
    expect(&layer, json!({}), 401, "invalid_token").await;
    expect(&layer, json!({"token_use": "access"}), 401, "invalid_token").await;
    expect(&layer, json!({"token_use": "other"}), 401, "invalid_token").await;
}

#[tokio::test]
async fn s0_18_the_type_in_the_header_makes_a_refresh_token_too() {
    let signed = KEY.signer.sign("rt+jwt", &claims_but(ISSUER, &json!({}))).unwrap();
    let strict = app(offline_guard().refresh());
    assert_eq!(get(&strict, "/", &signed).await.error().as_deref(), Some("invalid_token"));
    let guard = offline().0.also_typ("rt+jwt").build().unwrap();
    assert_eq!(get(&app(guard.refresh()), "/", &signed).await.status.as_u16(), 200);
    // Remembered or not, it stays what it is.
    for _ in 0..2 {
        let answer = get(&app(guard.access()), "/", &signed).await;
        assert_eq!(
            (answer.status.as_u16(), answer.error().as_deref()),
            (401, Some("invalid_token"))
        );
    }
}

#[tokio::test]
async fn s0_19_guest_takes_guests_alone() {
    let layer = offline_guard().guest();
    expect(&layer, json!({"scope": "guest"}), 200, "").await;
    expect(&layer, json!({"scope": "guests"}), 403, "insufficient_scope").await;
    expect(&layer, json!({"scope": "read"}), 403, "insufficient_scope").await;
    expect(&layer, json!({"scope": null}), 403, "insufficient_scope").await;
}

#[tokio::test]
async fn s0_19_fresh_asks_when_somebody_signed_in() {
    let layer = offline_guard().fresh(FIVE_MINUTES);
    let code = "insufficient_user_authentication";
    expect(&layer, json!({"auth_time": START}), 200, "").await;
    expect(&layer, json!({"auth_time": START - 300}), 200, "").await;
    expect(&layer, json!({"auth_time": START - 300, "fresh": true}), 200, "").await;
    expect(&layer, json!({"auth_time": START + 60}), 200, "").await;
    expect(&layer, json!({"auth_time": START - 301}), 401, code).await;
    expect(&layer, json!({"auth_time": START + 61}), 401, code).await;
    expect(&layer, json!({"auth_time": START, "fresh": false}), 401, code).await;
    expect(&layer, json!({"fresh": true}), 401, code).await;
    expect(&layer, json!({"auth_time": START.to_string()}), 401, code).await;
    expect(&layer, json!({}), 401, code).await;
    expect(&layer, json!({"auth_time": START, "scope": "guest"}), 403, "insufficient_scope").await;
    let answer = get(&app(layer), "/", &token(&json!({}))).await;
    assert_eq!(
        answer.challenge(),
        "Bearer realm=\"api\", error=\"insufficient_user_authentication\", \
         error_description=\"this needs a more recent sign-in\", max_age=\"300\""
    );
}

#[tokio::test]
async fn s0_19_what_was_fresh_gets_stale() {
    let (builder, clock) = offline();
    let app = app(builder.build().unwrap().fresh(Duration::from_secs(10)));
    let token = token(&json!({"auth_time": START}));
    assert_eq!(get(&app, "/", &token).await.status.as_u16(), 200);
    clock.advance(11);
    let answer = get(&app, "/", &token).await;
    assert_eq!(answer.error().as_deref(), Some("insufficient_user_authentication"));
}

#[tokio::test]
async fn s0_12_roles_any_and_all() {
    let guard = offline_guard();
    let any = guard.any_role(["admin", "moderator"]);
    let all = guard.all_roles(["admin", "moderator"]);
    for (roles, one, every) in [
        (json!(["admin", "moderator", "x"]), 200, 200),
        (json!(["moderator"]), 200, 403),
        (json!("admin"), 200, 403),
        (json!(["Admin"]), 403, 403),
        (json!("admin moderator"), 403, 403),
        (json!([["admin"]]), 403, 403),
        (json!({"admin": true}), 403, 403),
        (json!([]), 403, 403),
        (Value::Null, 403, 403),
    ] {
        let code = |status| if status == 200 { "" } else { "insufficient_scope" };
        expect(&any, json!({"roles": roles}), one, code(one)).await;
        expect(&all, json!({"roles": roles}), every, code(every)).await;
    }
    let groups = guard.with(Roles::any(["admin"]).unwrap().in_claim("groups"));
    expect(&groups, json!({"groups": ["admin"]}), 200, "").await;
    expect(&groups, json!({"roles": ["admin"]}), 403, "insufficient_scope").await;
}

#[tokio::test]
async fn s0_12_roles_that_cannot_be_read_refuse_everybody() {
    let guard: Guard = offline_guard();
    for layer in [guard.any_role([]), guard.all_roles(["admin", " "]), guard.any_role([""])] {
        expect(&layer, json!({"roles": ["admin", "", " "]}), 500, "server_error").await;
    }
    assert!(matches!(Roles::all([]), Err(ConfigProblem::Role)));
}

#[tokio::test]
async fn s0_19_policies_are_put_together() {
    let guard = offline_guard();
    let rules = Access
        .and(Roles::any(["admin"]).unwrap())
        .and(Fresh::within(FIVE_MINUTES))
        .and(Scopes::all("read").unwrap());
    let layer = guard.with(rules);
    let good = json!({"roles": ["admin"], "auth_time": START});
    expect(&layer, good.clone(), 200, "").await;
    for (name, value, status, code) in [
        ("roles", json!(["user"]), 403, "insufficient_scope"),
        ("auth_time", json!(START - 301), 401, "insufficient_user_authentication"),
        ("scope", json!("write"), 403, "insufficient_scope"),
        ("token_use", json!("refresh"), 401, "invalid_token"),
    ] {
        let mut bad = good.clone();
        bad[name] = value;
        expect(&layer, bad, status, code).await;
    }
    // Two that never agree let nobody pass.
    let never = guard.with(Guest.and(Access));
    expect(&never, json!({"scope": "guest"}), 403, "insufficient_scope").await;
    expect(&never, json!({}), 403, "insufficient_scope").await;
    let never = guard.with(Refresh.and(Access));
    expect(&never, json!({"token_use": "refresh"}), 401, "invalid_token").await;
}

#[tokio::test]
async fn s0_19_optional_is_for_requests_without_a_token_only() {
    let guard = offline_guard();
    let app_of = |layer| app(layer);
    let optional = app_of(guard.with(Access.optional()));
    let answer = get_bare(&optional, "/").await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, "nobody"));
    assert_eq!(get(&optional, "/", &token(&json!({}))).await.body, "alice");
    let bad = get(&optional, "/", "garbage").await;
    assert_eq!((bad.status.as_u16(), bad.error().as_deref()), (401, Some("invalid_token")));
    let guest = get(&optional, "/", &token(&json!({"scope": "guest"}))).await;
    assert_eq!(guest.error().as_deref(), Some("insufficient_scope"));
    // Together with one that needs a token, a token is needed.
    let needed = app_of(guard.with(Access.optional().and(Access)));
    assert_eq!(get_bare(&needed, "/").await.status.as_u16(), 401);
    assert_eq!(call(&needed, "POST", "/", &token(&json!({}))).await.status.as_u16(), 200);
}
