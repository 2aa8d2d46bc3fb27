//! Signing in for the front ends of TokTok: guests, tokens, and how they go on.

use crate::{
    forms_actors::FrontEnd,
    pages_actors::PASSWORD,
    support::{header_of, json as json_of, logged, start},
    toktok_actors::{TOKTOK, toktok},
};
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, StatusCode};
use serde_json::{Value, json};
use std::time::Duration;

const ADA: &str = "ada@example.org";
const ANONYMOUS_ONLY: &str = "Anonymous users only !!! ";
const REGISTERED_ONLY: &str = "Registred users only !!! ";
const MISSING: &str = "Missing Authorization Header";
const NO_REFRESH: &str = "The refresh token was used, has expired, or never was: log in again";
const REVOKED: &str = "The token has been revoked";
const OLD: &str = "Fresh token required: the sign-in was too long ago, log in again";

/// What a token says.
fn payload(token: &str) -> Value {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

#[tokio::test]
async fn s2_02_a_front_end_comes_signs_in_and_goes_on_after_its_token_has_expired() {
    let server = toktok("").await;
    let user = server.member("ada").await;
    // It comes with nothing.
    server.raw("GET", "/auth/tokens/confirm_access", "", None).await.says(401, MISSING);
    let guest = server.raw("GET", "/auth/login/anonymous/", "", None).await;
    let guest = guest.token("access_token");
    // Somebody signs in.
    let form = json!({"email": ADA, "pwd": PASSWORD, "renew_refresh_token": true});
    let login = server.raw("POST", "/auth/login/", &guest, Some(form)).await;
    assert_eq!(login.status, StatusCode::OK, "{}", login.body);
    assert_eq!(login.body["msg"], "user 'ada@example.org' is logged");
    let data = json!({
        "_id": user.as_str(),
        "infos": {"name": null, "surname": null, "email": ADA, "pseudo": "ada"},
        "auth": {"role": "registred", "conf_usr": true},
        "profile": {"lang": "en", "agreement": false, "usr_view": "private", "usr_profiles": []},
    });
    assert_eq!(login.body["data"], data);
    let (access, refresh) = (login.token("access_token"), login.token("refresh_token"));
    let me = server.raw("GET", "/auth/tokens/confirm_access", &access, None).await;
    assert_eq!((me.status, &me.body["data"]), (StatusCode::OK, &data));
    // An hour later.
    server.clock.advance(Duration::from_mins(61));
    server.raw("GET", "/auth/tokens/confirm_access", &access, None).await.says_expired();
    let next = server.raw("GET", "/auth/tokens/new_access_token", &refresh, None).await;
    assert_eq!((next.status, &next.body["data"]), (StatusCode::OK, &data), "{}", next.body);
    let (access, newer) = (next.token("access_token"), next.token("refresh_token"));
    assert_ne!(newer, refresh);
    let me = server.raw("GET", "/auth/tokens/confirm_access", &access, None).await;
    assert_eq!(me.status, StatusCode::OK);
    // A tab beside it asked at the same moment, and gets the same.
    let again = server.raw("GET", "/auth/tokens/new_access_token", &refresh, None).await;
    assert_eq!(again.token("refresh_token"), newer);
    // Whoever comes with it later ends everything that came from it.
    server.clock.advance(Duration::from_mins(2));
    let replay = server.raw("GET", "/auth/tokens/new_access_token", &refresh, None).await;
    replay.says(401, NO_REFRESH);
    server.raw("GET", "/auth/tokens/confirm_access", &access, None).await.says(401, REVOKED);
    server.raw("GET", "/auth/tokens/new_access_token", &newer, None).await.says(401, NO_REFRESH);
}

#[tokio::test]
async fn s2_10_anybody_is_a_guest_and_its_token_names_nobody() {
    let server = toktok("").await;
    for path in ["/auth/login/anonymous", "/auth/login/anonymous/"] {
        let guest = server.raw("GET", path, "", None).await;
        assert_eq!(guest.status, StatusCode::OK);
        assert_eq!(guest.headers["cache-control"], "no-store");
        let claims = payload(&guest.token("access_token"));
        let expected = json!({"_id": null, "infos": {"email": "anonymous"},
            "auth": {"role": "anonymous", "conf_usr": false}, "profile": {"lang": "en"},
            "is_anonymous": true});
        assert_eq!((&claims["user_claims"], &claims["identity"]), (&expected, &claims["sub"]));
        assert!(!guest.token("refresh_token").is_empty());
    }
    let closed = start(&format!("{TOKTOK}[accounts]\nguest_tokens = false\n")).await;
    let answer = closed.raw("GET", "/auth/login/anonymous/", "", None).await;
    answer.says(403, "The operator has switched this off");
}

#[tokio::test]
async fn s2_02_tokens_say_who_and_what_and_nothing_personal() {
    let server = toktok("").await;
    let user = server.member("ada").await;
    let claims = payload(&server.member_token("ada").await);
    let expected = json!({"_id": user.as_str(), "auth": {"role": "registred", "conf_usr": true}});
    assert_eq!((&claims["user_claims"], &claims["identity"]), (&expected, &json!(user.as_str())));
    assert!(!claims.to_string().contains("example.org"), "{claims}");
    // Where the layer is off, and for other clients, there is nothing of it.
    let plain = start("").await;
    plain.user("ada", PASSWORD).await;
    let claims = payload(&plain.token_of("ada", PASSWORD).await);
    assert!(claims.get("user_claims").is_none() && claims.get("identity").is_none());
}

#[tokio::test]
async fn s2_11_signing_in_is_for_guests_and_wrong_is_wrong() {
    let server = toktok("[throttle]\naccount_attempts = 3\n").await;
    server.member("ada").await;
    let form = json!({"email": ADA, "pwd": PASSWORD});
    let user = server.member_token("ada").await;
    let log_in = async |token: &str, form: &Value| {
        server.raw("POST", "/auth/login", token, Some(form.clone())).await
    };
    log_in("", &form).await.says(401, MISSING);
    log_in(&user, &form).await.says(403, ANONYMOUS_ONLY);
    log_in("x", &form).await.says(422, "This is no token of this server");
    let header = "The Authorization header must be a token and nothing else";
    log_in(&format!("Bearer {user}"), &form).await.says(422, header);
    let guest = server.anonymous().await;
    for (bad, status) in [
        (json!({"email": ADA}), 400),
        (json!({"pwd": PASSWORD}), 400),
        (json!({"email": 1, "pwd": PASSWORD}), 400),
        (json!([]), 400),
    ] {
        let answer = log_in(&guest, &bad).await;
        answer.says(status, "The request is not what this operation takes");
    }
    let wrong = log_in(&guest, &json!({"email": ADA, "pwd": "wrong"})).await;
    wrong.says(401, "incorrect login or password");
    let unknown = log_in(&guest, &json!({"email": "eve@example.org", "pwd": PASSWORD})).await;
    assert_eq!((unknown.status, unknown.body), (wrong.status, wrong.body));
    // More than is read is passed over, and the guest is one no more.
    let form = json!({"email": ADA, "pwd": PASSWORD, "email_hp": "", "u_data": {}});
    assert_eq!(log_in(&guest, &form).await.status, StatusCode::OK);
    log_in(&guest, &form).await.says(401, REVOKED);
    let guest = server.anonymous().await;
    server.clock.advance(Duration::from_mins(16));
    log_in(&guest, &form).await.says_expired();
    let guest = server.anonymous().await;
    for _ in 0..4 {
        let answer = log_in(&guest, &json!({"email": ADA, "pwd": "wrong"})).await;
        answer.says(401, "incorrect login or password");
    }
    let waiting = log_in(&guest, &form).await;
    waiting.says(429, "There were too many attempts");
    assert!(waiting.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn s2_02_bodies_are_json_and_not_large() {
    let server = toktok("").await;
    let guest = server.anonymous().await;
    let send = async |kind: &str, body: String| {
        let request = Request::post("/api/auth/login/")
            .header("authorization", &guest)
            .header("content-type", kind)
            .body(Body::from(body))
            .unwrap();
        let response = server.send(request).await;
        (response.status().as_u16(), json_of(response).await["status"].clone())
    };
    assert_eq!(send("text/plain", "{}".into()).await, (415, json!(415)));
    assert_eq!(send("application/json", "{".into()).await, (400, json!(400)));
    // Above the limit of the API, and above that of the server.
    for size in [17 * 1024, 2_000_000] {
        let large = format!("{{\"email\":\"{}\"}}", "x".repeat(size));
        assert_eq!(send("application/json", large).await, (413, json!(413)));
    }
}

#[tokio::test]
async fn s2_05_access_is_confirmed_for_whoever_is_confirmed() {
    let server = toktok("").await;
    let user = server.member("ada").await;
    let ask =
        async |token: &str| server.raw("GET", "/auth/tokens/confirm_access", token, None).await;
    let token = server.member_token("ada").await;
    assert_eq!(ask(&token).await.body["msg"], "user found ");
    ask(&server.anonymous().await).await.says(403, REGISTERED_ONLY);
    let _ = server.state.store.set_email(&user, Some(ADA), false).await.unwrap();
    ask(&token).await.says(403, REGISTERED_ONLY);
    let _ = server.state.store.set_email(&user, Some(ADA), true).await.unwrap();
    server.state.store.set_disabled(&user, true).await.unwrap();
    ask(&token).await.says(401, REVOKED);
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", signature.chars().rev().collect::<String>());
    ask(&forged).await.says(422, "This is no token of this server");
}

#[tokio::test]
async fn s2_09_other_access_tokens_are_for_refresh_tokens_of_users() {
    let server = toktok("").await;
    server.member("ada").await;
    let guest = server.raw("GET", "/auth/login/anonymous/", "", None).await;
    let login = server.enter(ADA, PASSWORD).await;
    for path in ["/auth/tokens/new_access_token", "/auth/tokens/fresh_access_token"] {
        let ask = async |token: &str| server.raw("GET", path, token, None).await;
        ask("").await.says(401, MISSING);
        ask("x").await.says(401, NO_REFRESH);
        let only = "Only refresh tokens are taken here";
        ask(&login.token("access_token")).await.says(422, only);
        ask(&guest.token("access_token")).await.says(422, only);
        ask(&guest.token("refresh_token")).await.says(401, "user not found or is anonymous");
    }
    // None of that used it up.
    let refresh = login.token("refresh_token");
    let next = server.raw("GET", "/auth/tokens/new_access_token", &refresh, None).await;
    assert_eq!(next.status, StatusCode::OK);
    assert_eq!(next.headers["cache-control"], "no-store");
    // What expired altogether is no refresh token either, and not to be refreshed: 42 would be asked for again.
    server.clock.advance(Duration::from_hours(24 * 100));
    let refresh = next.token("refresh_token");
    let late = server.raw("GET", "/auth/tokens/new_access_token", &refresh, None).await;
    late.says(401, NO_REFRESH);
}

#[tokio::test]
async fn s2_09_nothing_makes_an_old_sign_in_a_fresh_one() {
    let server = toktok("").await;
    server.member("ada").await;
    let login = server.enter(ADA, PASSWORD).await;
    server.clock.advance(Duration::from_mins(9));
    let refresh = login.token("refresh_token");
    let fresh = server.raw("GET", "/auth/tokens/fresh_access_token", &refresh, None).await;
    assert_eq!(
        (fresh.status, &fresh.body["is_user_confirmed"]),
        (StatusCode::OK, &json!(true)),
        "{}",
        fresh.body
    );
    server.clock.advance(Duration::from_mins(2));
    let refresh = fresh.token("refresh_token");
    server.raw("GET", "/auth/tokens/fresh_access_token", &refresh, None).await.says(401, OLD);
    // It was not used up by that, and what it gives is as old as it was.
    let next = server.raw("GET", "/auth/tokens/new_access_token", &refresh, None).await;
    assert_eq!(next.status, StatusCode::OK);
    let (access, refresh) = (next.token("access_token"), next.token("refresh_token"));
    server.raw("GET", "/auth/tokens/fresh_access_token", &refresh, None).await.says(401, OLD);
    let id = next.body["data"]["_id"].as_str().unwrap();
    server.raw("DELETE", &format!("/usr/edit/{id}"), &access, None).await.says(401, OLD);
}

#[tokio::test]
async fn s2_02_tokens_in_addresses_are_refused_unread_and_in_no_log() {
    let server = toktok("").await;
    server.member("ada").await;
    let refresh = server.enter(ADA, PASSWORD).await.token("refresh_token");
    let token = refresh.clone();
    let log = logged(async {
        let path = format!("/auth/tokens/new_refresh_token/{token}");
        let answer = server.raw("POST", &path, "", None).await;
        assert_eq!(
            (answer.status, &answer.body["instead"]),
            (StatusCode::GONE, &json!("/api/refresh"))
        );
        assert_eq!(answer.body["status"], 410);
        assert!(!answer.body.to_string().contains(&token));
    })
    .await;
    assert!(log.contains("new_refresh_token/{old_refresh_token}"), "{log}");
    assert!(!log.contains(&refresh));
    // Where it says that the same is to be had, it is.
    let next = server.tell("/refresh", json!({"refresh_token": refresh})).await;
    assert_eq!(next.status, StatusCode::OK);
}

#[tokio::test]
async fn s2_02_without_the_layer_there_is_nothing_of_it() {
    let server = start("").await;
    for (method, path) in [
        ("GET", "/auth/login/anonymous/"),
        ("POST", "/auth/login/"),
        ("GET", "/auth/tokens/confirm_access"),
        ("POST", "/usr/register/"),
        ("PUT", "/usr/edit/1"),
        ("GET", "/usr/infos/list"),
    ] {
        let answer = server.raw(method, path, "", None).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn s2_02_scripts_of_other_origins_may_call() {
    let server = toktok("").await;
    for path in [
        "/api/auth/login/anonymous/",
        "/api/auth/login",
        "/api/auth/login/",
        "/api/auth/tokens/confirm_access",
        "/api/auth/password/reset_password",
        "/api/usr/register/",
        "/api/usr/edit/1",
        "/api/usr/infos/list",
        "/api/usr/infos/get_one/1",
    ] {
        let request = Request::options(path)
            .header("origin", "https://front.example")
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization,content-type")
            .body(Body::empty())
            .unwrap();
        let response = server.send(request).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(header_of(&response, "access-control-allow-origin"), "*");
        assert!(header_of(&response, "access-control-allow-methods").contains("PUT"));
        assert!(header_of(&response, "access-control-allow-headers").contains("authorization"));
        assert!(!response.headers().contains_key("access-control-allow-credentials"));
    }
    let call =
        server.call("GET", "/auth/login/anonymous/").header("origin", "https://front.example");
    assert_eq!(call.send().await.headers["access-control-allow-origin"], "*");
    let other = server.raw("DELETE", "/auth/login/", "", None).await;
    other.says(405, "This address takes other methods");
}

#[tokio::test]
async fn s2_26_s2_27_forms_are_encrypted_to_the_salt_token_in_the_profile() {
    let server = start("profile = \"toktok\"\n[server]\nport = 4999\n").await;
    server.member("ada").await;
    let front = FrontEnd::of(&server).await;
    let sealed = |text: &str| front.lock.oaep(text);
    let features = server.call("GET", "/auth/features").send().await.body;
    let guest = server.raw("GET", "/auth/login/anonymous/", "", None).await;
    assert_eq!(guest.token("salt_token"), features["public_key"]["pem"]);
    let enter = async |form: Value| {
        let guest = server.anonymous().await;
        server.raw("POST", "/auth/login/", &guest, Some(form)).await
    };
    let form = json!({"email_encrypt": sealed(ADA), "pwd_encrypt": sealed(PASSWORD)});
    let login = enter(form.clone()).await;
    assert_eq!(login.status, StatusCode::OK, "{}", login.body);
    assert_eq!(login.token("salt_token"), guest.token("salt_token"));
    // Once more, in part, as they are, unreadable.
    enter(form).await.says(401, "incorrect login or password");
    let part = enter(json!({"pwd_encrypt": sealed(PASSWORD)})).await;
    part.says(400, "The request is not what this operation takes");
    let plain = enter(json!({"email": ADA, "pwd": PASSWORD})).await;
    plain.says(400, "Address and password have to be encrypted");
    for pwd in [sealed("wrong"), "AAAA".to_owned()] {
        let wrong = enter(json!({"email_encrypt": sealed(ADA), "pwd_encrypt": pwd})).await;
        wrong.says(401, "incorrect login or password");
    }
    // A whole form is for the guest who sends it.
    let whole = front.lock.jwe(&front.form(ADA, PASSWORD));
    let other = enter(json!({"form": whole})).await;
    other.says(401, "incorrect login or password");
    let whole = Some(json!({"form": front.lock.jwe(&front.form(ADA, PASSWORD))}));
    let login = server.raw("POST", "/auth/login/", &front.guest, whole).await;
    assert_eq!(login.status, StatusCode::OK, "{}", login.body);
}

#[tokio::test]
async fn s2_26_every_form_is_encrypted_not_the_first_one_alone() {
    let server = start("profile = \"toktok\"\n[server]\nport = 4999\n").await;
    server.member("ada").await;
    let front = FrontEnd::of(&server).await;
    let sealed = |text: &str| front.lock.oaep(text);
    let guest = server.anonymous().await;
    let bob = "bob@example.org";
    let form =
        json!({"name": "Bob", "email_encrypt": sealed(bob), "pwd_encrypt": sealed(PASSWORD)});
    let made = server.raw("POST", "/usr/register/", &guest, Some(form)).await;
    assert_eq!((made.status, &made.body["infos"]["email"]), (StatusCode::OK, &json!(bob)));
    let guest = server.anonymous().await;
    let before = server.letters().await.len();
    let asked = server
        .raw(
            "POST",
            "/auth/password/password_forgotten",
            &guest,
            Some(json!({"email_encrypt": sealed(ADA)})),
        )
        .await;
    assert_eq!(asked.status, StatusCode::OK);
    let token = server.token_in_letter(ADA, "/reset-password", before).await;
    let reset = server
        .raw(
            "POST",
            "/auth/password/reset_password",
            &token,
            Some(json!({"pwd_encrypt": sealed("a new lantern for nine lives")})),
        )
        .await;
    assert_eq!(reset.status, StatusCode::OK, "{}", reset.body);
    let unreadable = server
        .raw(
            "POST",
            "/auth/password/password_forgotten",
            &guest,
            Some(json!({"email_encrypt": "AAAA"})),
        )
        .await;
    assert_eq!((unreadable.status, unreadable.body), (asked.status, asked.body));
}

#[tokio::test]
async fn s2_27_without_the_gate_nobody_is_asked_for_a_guest_token() {
    let server = start(TOKTOK).await;
    server.member("ada").await;
    let form = || Some(json!({"email": ADA, "pwd": PASSWORD}));
    let login = server.raw("POST", "/auth/login/", "", form()).await;
    assert_eq!(login.status, StatusCode::OK, "{}", login.body);
    let again = server.raw("POST", "/auth/login/", &login.token("access_token"), form()).await;
    assert_eq!(again.status, StatusCode::OK);
    let access = login.token("access_token");
    let me = server.raw("GET", "/auth/tokens/confirm_access", &access, None).await;
    assert_eq!(me.status, StatusCode::OK, "a user is none that a guest could be merged with");
    let document = json_of(server.get("/api/auth/swagger.json").await).await;
    assert_eq!(document["paths"]["/api/auth/login/"]["post"]["security"], json!([]));
}

#[tokio::test]
async fn s2_16_the_documents_have_every_operation_with_its_lock() {
    let server = toktok("").await;
    let raw = json!([{"rawToken": []}]);
    let optional = json!([{}, {"rawToken": []}]);
    let refresh = json!([{"rawRefreshToken": []}]);
    let open = json!([]);
    let auth = [
        ("get", "/api/auth/login/anonymous/", &open),
        ("post", "/api/auth/login/", &raw),
        ("get", "/api/auth/tokens/confirm_access", &raw),
        ("get", "/api/auth/tokens/new_access_token", &refresh),
        ("get", "/api/auth/tokens/fresh_access_token", &refresh),
        ("post", "/api/auth/tokens/new_refresh_token/{old_refresh_token}", &open),
        ("post", "/api/auth/password/password_forgotten", &raw),
        ("get", "/api/auth/password/reset_password", &open),
        ("post", "/api/auth/password/reset_password", &open),
    ];
    let usr = [
        ("post", "/api/usr/register/", &raw),
        ("get", "/api/usr/register/confirm_email", &open),
        ("post", "/api/usr/register/confirm_email", &open),
        ("put", "/api/usr/edit/{usr_id}", &raw),
        ("delete", "/api/usr/edit/{usr_id}", &raw),
        ("get", "/api/usr/infos/get_one/{id}", &optional),
        ("get", "/api/usr/infos/list", &optional),
    ];
    for (group, operations) in [("auth", &auth[..]), ("usr", &usr[..])] {
        let document = json_of(server.get(&format!("/api/{group}/swagger.json")).await).await;
        for (method, path, lock) in operations {
            let operation = &document["paths"][path][method];
            assert_eq!(&operation["security"], *lock, "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
        }
        let scheme = &document["components"]["securitySchemes"]["rawToken"];
        assert_eq!((&scheme["in"], &scheme["name"]), (&json!("header"), &json!("Authorization")));
    }
}
