//! Signing up and forgotten passwords for the front ends of TokTok: the whole loop through letters.

use crate::{
    pages_actors::PASSWORD,
    support::{Server, logged},
    toktok_actors::toktok,
};
use http::StatusCode;
use oauth_core::model::Role;
use serde_json::{Value, json};
use std::time::Duration;

const ADA: &str = "ada@example.org";
const NEW: &str = "a new lantern for nine lives";
const NO_LETTER: &str = "The token of the letter was used, has expired, or never was";
const WRONG: &str = "incorrect login or password";

fn form(email: &str) -> Value {
    json!({"name": "Ada", "surname": "Lovelace", "email": email, "pwd": PASSWORD, "lang": "en-GB",
        "agreement": true})
}

/// A guest signs up and confirms the address; the tokens that it got at first.
async fn signed_up(server: &Server) -> (String, String) {
    let guest = server.anonymous().await;
    let made = server.raw("POST", "/usr/register/", &guest, Some(form(ADA))).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(made.body["expires"], "3 days");
    assert_eq!(made.headers["cache-control"], "no-store");
    let id = made.text("_id");
    let data = &made.body["data"];
    assert_eq!(
        (&data["_id"], &data["auth"]),
        (&json!(id), &json!({"role": "guest", "conf_usr": false}))
    );
    assert_eq!(made.body["infos"], data["infos"]);
    assert_eq!(
        (&data["infos"]["name"], &data["infos"]["surname"], &data["infos"]["email"]),
        (&json!("Ada"), &json!("Lovelace"), &json!(ADA))
    );
    assert_eq!(data["profile"]["lang"], "en-GB");
    // It is signed in, and may do little; the guest is none any more.
    let (access, refresh) = (made.token("access_token"), made.token("refresh_token"));
    let me = server.raw("GET", "/auth/tokens/confirm_access", &access, None).await;
    me.says(403, "Registred users only !!! ");
    let seen = server.raw("GET", &format!("/usr/infos/get_one/{id}"), &access, None).await;
    assert_eq!(&seen.body["data"], data);
    let again = server.raw("POST", "/usr/register/", &guest, Some(form("b@example.org"))).await;
    again.says(401, "The token has been revoked");
    server.enter(ADA, PASSWORD).await.says(401, WRONG);
    // The letter: looking at what it has changes nothing.
    let token = server.token_in_letter(ADA, "/confirm-email", 0).await;
    let path = format!("/usr/register/confirm_email?token={token}");
    for _ in 0..2 {
        let look = server.raw("GET", &path, "", None).await;
        assert_eq!(look.status, StatusCode::OK);
        let link = format!("http://127.0.0.1:4999/confirm-email?token={token}");
        assert_eq!(look.body["redirection_link"], link);
        assert_eq!(look.token("access_token"), token);
    }
    let account = server.state.store.account_by_email(ADA).await.unwrap();
    assert!(account.is_none(), "nobody has the address yet");
    let done = server.raw("POST", &path, "", None).await;
    assert_eq!((done.status, &done.body["_id"]), (StatusCode::OK, &json!(id)));
    for method in ["GET", "POST"] {
        server.raw(method, &path, "", None).await.says(401, NO_LETTER);
    }
    // Now it signs in by the address, and the tokens of before are those of a user who is confirmed.
    let me = server.raw("GET", "/auth/tokens/confirm_access", &access, None).await;
    assert_eq!(me.body["data"]["auth"], json!({"role": "registred", "conf_usr": true}));
    (access, refresh)
}

#[tokio::test]
async fn s2_12_s2_13_s2_14_s2_15_the_whole_loop_through_letters() {
    let server = toktok("").await;
    let (access, refresh) = signed_up(&server).await;
    let login = server.enter(ADA, PASSWORD).await;
    assert_eq!(login.status, StatusCode::OK);
    // The password is forgotten.
    let before = server.letters().await.len();
    let guest = server.anonymous().await;
    let body = json!({"email": ADA});
    let asked = server.raw("POST", "/auth/password/password_forgotten", &guest, Some(body)).await;
    assert_eq!((asked.status, &asked.body["expires"]), (StatusCode::OK, &json!("45 minutes")));
    let token = server.token_in_letter(ADA, "/reset-password", before).await;
    let path = format!("/auth/password/reset_password?token={token}");
    for _ in 0..2 {
        let look = server.raw("GET", &path, "", None).await;
        assert_eq!((look.status, look.token("access_token")), (StatusCode::OK, token.clone()));
    }
    let pwd = json!({"pwd": NEW});
    let reset =
        server.raw("POST", "/auth/password/reset_password", &token, Some(pwd.clone())).await;
    assert_eq!((reset.status, &reset.body["tokens"]), (StatusCode::OK, &json!({})));
    server.raw("POST", &path, "", Some(pwd)).await.says(401, NO_LETTER);
    // Everything of before has ended, the owner is told, and the new password is good.
    for old in [refresh, login.token("refresh_token")] {
        let old = server.raw("GET", "/auth/tokens/new_access_token", &old, None).await;
        assert_eq!(old.status, StatusCode::UNAUTHORIZED);
    }
    for old in [access, login.token("access_token")] {
        let old = server.raw("GET", "/auth/tokens/confirm_access", &old, None).await;
        old.says(401, "The token has been revoked");
    }
    let notice = server.letter_to(ADA).await;
    assert!(notice.subject.contains("was replaced") && !notice.text.contains("token="));
    server.enter(ADA, PASSWORD).await.says(401, WRONG);
    assert_eq!(server.enter(ADA, NEW).await.status, StatusCode::OK);
}

#[tokio::test]
async fn s2_12_an_address_that_is_taken_gets_the_same_answer() {
    let server = toktok("").await;
    let owner = server.member("ada").await;
    let register = async |email: &str| {
        let guest = server.anonymous().await;
        let answer = server.raw("POST", "/usr/register", &guest, Some(form(email))).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer
    };
    let (taken, free) = (register("Ada@Example.org").await, register("bob@example.org").await);
    // But for what is different with every user, and what was sent.
    let plain = |body: &Value| {
        let mut body = body.clone();
        for at in ["/_id", "/data/_id", "/tokens/access_token", "/tokens/refresh_token"] {
            let value = body.pointer_mut(at).unwrap();
            assert!(value.is_string(), "{at}");
            *value = Value::Null;
        }
        for infos in ["/infos", "/data/infos"] {
            body.pointer_mut(infos).unwrap()["email"] = Value::Null;
            let pseudo = body.pointer(infos).unwrap()["pseudo"].as_str().unwrap().to_owned();
            assert!(pseudo.starts_with("user-"), "{pseudo}");
            body.pointer_mut(infos).unwrap()["pseudo"] = Value::Null;
        }
        body
    };
    assert_eq!(plain(&taken.body), plain(&free.body));
    // The owner is told, nobody else has the address, and no letter can change that.
    let letter = server.letter_to(ADA).await;
    assert!(letter.subject.contains("You have an account") && !letter.text.contains("token="));
    let account = server.state.store.account_by_email(ADA).await.unwrap().unwrap();
    assert_eq!((account.id, account.email_verified), (owner, true));
    assert_eq!(server.enter(ADA, PASSWORD).await.status, StatusCode::OK);
    for answer in [taken, free] {
        let token = answer.token("access_token");
        let caller = server.state.people().caller(Some(&token)).await.unwrap();
        assert_eq!(caller.role, Role::Guest);
    }
}

#[tokio::test]
async fn s2_12_who_may_sign_up_and_with_what() {
    let terms = "[accounts]\nterms_url = \"https://example.org/terms\"\n";
    let server = toktok(terms).await;
    server.member("ada").await;
    let user = server.member_token("ada").await;
    let guest = server.anonymous().await;
    let register = async |token: &str, change: &[(&str, Value)]| {
        let mut body = form("bob@example.org");
        for (name, value) in change {
            body[*name] = value.clone();
        }
        server.raw("POST", "/usr/register/", token, Some(body)).await
    };
    register("", &[]).await.says(401, "Missing Authorization Header");
    register(&user, &[]).await.says(403, "Anonymous users only !!! ");
    for (name, value) in [
        ("pwd", json!("short")),
        ("pwd", json!("bob@example.org")),
        ("pwd", json!("Password1!")),
        ("email", json!("bob")),
        ("email", json!("")),
        ("lang", json!("a language")),
        ("name", json!("a\u{202e}b")),
        ("agreement", json!(false)),
    ] {
        let refused = register(&guest, &[(name, value.clone())]).await;
        refused.says(400, "Input payload validation failed");
        assert_eq!(refused.wrong(), [name], "{value}");
    }
    for name in ["pwd", "email"] {
        let refused = register(&guest, &[(name, Value::Null)]).await;
        refused.says(400, "The request is not what this operation takes");
    }
    // What somebody says it is makes nobody an administrator.
    let auth = json!({"role": "admin", "conf_usr": true});
    let made = register(&guest, &[("auth", auth), ("role", json!("admin"))]).await;
    assert_eq!(made.body["data"]["auth"], json!({"role": "guest", "conf_usr": false}));
    assert_eq!(made.body["data"]["profile"]["agreement"], true);
    let closed = toktok("[signup]\nopen = false\n").await;
    let guest = closed.anonymous().await;
    let refused = closed.raw("POST", "/usr/register/", &guest, Some(form(ADA))).await;
    refused.says(403, "The operator has switched this off");
}

#[tokio::test]
async fn s2_14_whoever_is_named_the_answer_is_the_same() {
    let server = toktok("[throttle]\nletter_attempts = 3\n").await;
    server.member("ada").await;
    let ask = async |token: &str, body: Value| {
        server.raw("POST", "/auth/password/password_forgotten", token, Some(body)).await
    };
    let guest = server.anonymous().await;
    let known = ask(&guest, json!({"email": ADA})).await;
    let unknown = ask(&guest, json!({"email": "eve@example.org"})).await;
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    server.token_in_letter(ADA, "/reset-password", 0).await;
    assert_eq!(server.letters().await.len(), 1);
    ask("", json!({"email": ADA})).await.says(401, "Missing Authorization Header");
    let user = server.member_token("ada").await;
    ask(&user, json!({"email": ADA})).await.says(403, "Anonymous users only !!! ");
    let nothing = "The request is not what this operation takes";
    ask(&guest, json!({})).await.says(400, nothing);
    for _ in 0..3 {
        ask(&guest, json!({"email": ADA})).await;
    }
    ask(&guest, json!({"email": ADA})).await.says(429, "There were too many attempts");
}

#[tokio::test]
async fn s2_15_a_letter_is_good_for_one_thing() {
    let server = toktok("").await;
    server.member("ada").await;
    let guest = server.anonymous().await;
    server.raw("POST", "/usr/register/", &guest, Some(form("bob@example.org"))).await;
    let confirm = server.token_in_letter("bob@example.org", "/confirm-email", 0).await;
    let guest = server.anonymous().await;
    let before = server.letters().await.len();
    let body = Some(json!({"email": ADA}));
    server.raw("POST", "/auth/password/password_forgotten", &guest, body).await;
    let reset = server.token_in_letter(ADA, "/reset-password", before).await;
    let access = server.member_token("ada").await;
    let pwd = || Some(json!({"pwd": NEW}));
    for (token, status, msg) in [
        ("", 401, "Missing Authorization Header"),
        (&*confirm, 401, NO_LETTER),
        (&*access, 401, NO_LETTER),
        ("x", 401, NO_LETTER),
    ] {
        let path = "/auth/password/reset_password";
        server.raw("GET", path, token, None).await.says(status, msg);
        server.raw("POST", path, token, pwd()).await.says(status, msg);
    }
    for token in [&*reset, &*access, "x"] {
        let path = "/usr/register/confirm_email";
        server.raw("GET", path, token, None).await.says(401, NO_LETTER);
        server.raw("POST", path, token, None).await.says(401, NO_LETTER);
    }
    // In a query, it is a token of a letter or nothing.
    let me =
        server.raw("GET", &format!("/auth/tokens/confirm_access?token={access}"), "", None).await;
    me.says(401, "Missing Authorization Header");
    for bad in ["short", ADA, "Password1!"] {
        let body = Some(json!({"pwd": bad}));
        let refused = server.raw("POST", "/auth/password/reset_password", &reset, body).await;
        refused.says(401, "Input payload validation failed");
        assert_eq!(refused.wrong(), ["pwd"]);
    }
    let none = server.raw("POST", "/auth/password/reset_password", &reset, Some(json!({}))).await;
    none.says(400, "The request is not what this operation takes");
    server.clock.advance(Duration::from_mins(45));
    server.raw("POST", "/auth/password/reset_password", &reset, pwd()).await.says(401, NO_LETTER);
}

#[tokio::test]
async fn s2_02_nothing_of_it_is_in_the_log() {
    let server = toktok("").await;
    let mut secrets = vec![ADA.to_owned(), PASSWORD.to_owned(), NEW.to_owned()];
    let log = logged(async {
        let guest = server.anonymous().await;
        let made = server.raw("POST", "/usr/register/", &guest, Some(form(ADA))).await;
        let confirm = server.token_in_letter(ADA, "/confirm-email", 0).await;
        let path = format!("/usr/register/confirm_email?token={confirm}");
        server.raw("POST", &path, "", None).await;
        let guest = server.anonymous().await;
        let body = Some(json!({"email": ADA}));
        server.raw("POST", "/auth/password/password_forgotten", &guest, body).await;
        let reset = server.token_in_letter(ADA, "/reset-password", 1).await;
        let path = format!("/auth/password/reset_password?token={reset}");
        server.raw("POST", &path, "", Some(json!({"pwd": NEW}))).await;
        server.enter(ADA, "wrong").await;
        let login = server.enter(ADA, NEW).await;
        assert_eq!(login.status, StatusCode::OK);
        secrets.extend([guest, confirm, reset]);
        for answer in [made, login] {
            secrets.extend([answer.token("access_token"), answer.token("refresh_token")]);
        }
    })
    .await;
    assert!(log.contains("/api/auth/login/"), "{log}");
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret}");
    }
}
