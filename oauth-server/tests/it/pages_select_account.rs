//! `/select-account`.

use crate::{
    pages_actors::{CALLBACK, PASSWORD, interaction},
    support::start,
};
use http::StatusCode;
use std::time::Duration;

const CHOOSE: [(&str, &str); 2] = [("scope", "openid"), ("prompt", "select_account")];

#[tokio::test]
async fn the_page_says_who_is_there_and_who_asks() {
    let server = start("").await;
    server.relying_party("rp", &[("tos_uri", "https://app.example/terms")]).await;
    let ada = server.signed_up("ada").await;
    let to = ada.authorize("rp", &CHOOSE).await;
    assert!(to.starts_with("/select-account?interaction="), "{to}");
    let page = ada.get(&to).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        (&*page.by_id("client-name"), &*page.by_id("redirect-host")),
        ("Camera wall", "app.example")
    );
    assert_eq!(page.by_id("account"), "Continue as ada");
    assert_eq!(page.href("tos-uri"), "https://app.example/terms");
    assert_eq!(page.href("other-account"), format!("/login?interaction={}", interaction(&to)));
    assert!(page.header("content-security-policy").contains("form-action 'self' https:;"));
    assert!(!page.has("nav-clients"), "nothing leads away");
}

#[tokio::test]
async fn one_goes_on_as_who_one_is() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    let id = interaction(&ada.authorize("rp", &CHOOSE).await);
    let page = ada.post("/select-account", &[("interaction", &id), ("account", "ada")]).await;
    let consent = page.location().to_owned();
    assert_eq!(ada.get(&consent).await.by_id("who"), "ada");
    let form = [("interaction", &*interaction(&consent)), ("decision", "allow")];
    assert!(ada.post("/consent", &form).await.location().starts_with(CALLBACK));
    // Consent is remembered, and the choice is asked for all the same.
    let id = interaction(&ada.authorize("rp", &CHOOSE).await);
    let page = ada.post("/select-account", &[("interaction", &id), ("account", "ada")]).await;
    assert!(page.location().starts_with(&format!("{CALLBACK}?code=")), "{}", page.location());
    let again = ada.post("/select-account", &[("interaction", &id), ("account", "ada")]).await;
    assert_eq!(
        (again.status, &*again.by_id("error-title")),
        (StatusCode::BAD_REQUEST, "This sign-in is over")
    );
}

#[tokio::test]
async fn another_account_takes_a_password_and_its_hint_is_filled_in() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    server.user("eve", PASSWORD).await;
    let asked = [&CHOOSE[..], &[("login_hint", "eve")]].concat();
    let choose = ada.authorize("rp", &asked).await;
    let login = ada.get(&choose).await.href("other-account");
    let page = ada.get(&login).await;
    assert_eq!((&*page.by_id("continue"), &*page.value("username")), ("Continue as ada", "eve"));
    let form =
        [("interaction", &*interaction(&login)), ("username", "eve"), ("password", PASSWORD)];
    let consent = ada.post("/login", &form).await.location().to_owned();
    assert_eq!(ada.get(&consent).await.by_id("who"), "eve");
}

#[tokio::test]
async fn somebody_else_than_was_shown_is_not_chosen() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    server.user("eve", PASSWORD).await;
    let choose = ada.authorize("rp", &CHOOSE).await;
    let id = interaction(&choose);
    let login = format!("/login?interaction={id}");
    for name in ["eve", "ADA"] {
        let form = [("interaction", &*id), ("account", name)];
        assert_eq!(ada.post("/select-account", &form).await.location(), login, "{name}");
    }
    // Ada leaves, and the page is still open.
    ada.post("/logout", &[]).await;
    let as_ada = [("interaction", &*id), ("account", "ada")];
    assert_eq!(ada.post("/select-account", &as_ada).await.location(), login);
    assert_eq!(ada.get(&choose).await.location(), login, "there is nobody to choose");
    let eve = ada;
    eve.post("/login", &[("username", "eve"), ("password", PASSWORD)]).await;
    assert_eq!(eve.post("/select-account", &as_ada).await.location(), login);
    assert_eq!(eve.get(&choose).await.by_id("account"), "Continue as eve");
}

#[tokio::test]
async fn a_session_that_is_not_enough_is_not_offered() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    server.clock.advance(Duration::from_secs(59));
    let asked = [&CHOOSE[..], &[("max_age", "60")]].concat();
    let choose = ada.authorize("rp", &asked).await;
    assert!(ada.get(&choose).await.has("account"));
    // Meanwhile it grows too old for the client.
    server.clock.advance(Duration::from_secs(2));
    let id = interaction(&choose);
    let login = format!("/login?interaction={id}");
    assert_eq!(ada.get(&choose).await.location(), login);
    let form = [("interaction", &*id), ("account", "ada")];
    assert_eq!(ada.post("/select-account", &form).await.location(), login);
    assert!(!ada.get(&login).await.has("continue"));
    for prompt in ["login", "login select_account"] {
        let to = ada.authorize("rp", &[("scope", "openid"), ("prompt", prompt)]).await;
        assert!(to.starts_with("/login?"), "{to}");
        let form = [("interaction", &*interaction(&to)), ("account", "ada")];
        assert_eq!(ada.post("/select-account", &form).await.location(), to, "{prompt}");
    }
}

#[tokio::test]
async fn nobody_signed_in_means_signing_in() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let to = server.visitor().authorize("rp", &CHOOSE).await;
    assert!(to.starts_with("/login?"), "{to}");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    let id = interaction(&ada.authorize("rp", &CHOOSE).await);
    let elsewhere = server.visitor();
    let both = [("interaction", &*id), ("account", "ada")];
    for page in [
        ada.get("/select-account").await,
        ada.get("/select-account?interaction=made-up").await,
        ada.post("/select-account", &[("interaction", &id)]).await,
        ada.post("/select-account", &[("account", "ada")]).await,
        elsewhere.get(&format!("/select-account?interaction={id}")).await,
        elsewhere.post("/select-account", &both).await,
    ] {
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::BAD_REQUEST, "invalid_request")
        );
    }
}
