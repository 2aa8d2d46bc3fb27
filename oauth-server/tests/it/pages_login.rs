//! `/login` and `/logout`.

use crate::{
    pages_actors::{CALLBACK, PASSWORD, interaction},
    support::start,
};
use http::StatusCode;

fn form<'a>(name: &'a str, password: &'a str) -> [(&'a str, &'a str); 2] {
    [("username", name), ("password", password)]
}

#[tokio::test]
async fn the_right_password_signs_in() {
    let server = start("").await;
    server.user("ada", PASSWORD).await;
    let ada = server.visitor().sign_in("ada").await;
    assert_eq!(ada.get("/").await.status, StatusCode::OK);
    assert_eq!(ada.get("/login").await.location(), "/", "whoever is signed in goes on");
    let by_other_case = server.visitor().post("/login", &form(" ADA ", PASSWORD)).await;
    assert_eq!(by_other_case.location(), "/");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let server = start("").await;
    server.user("ada", PASSWORD).await;
    let try_with = async |name: &str, password: &str| {
        let mut page = server.visitor().post("/login", &form(name, password)).await;
        assert_eq!((page.status, page.problems()), (StatusCode::FORBIDDEN, vec!["password"]));
        assert_eq!(page.header("set-cookie"), "");
        page.headers.remove("x-request-id");
        (page.headers.clone(), page.html)
    };
    assert_eq!(try_with("ada", "wrong").await, try_with("ada", "wrong too").await);
    let (headers, html) = try_with("eve", "wrong").await;
    assert_eq!((headers, html.replace("eve", "ada")), try_with("ada", "wrong").await);
}

#[tokio::test]
async fn disabled_users_are_refused_like_everybody() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    server.state.store.set_disabled(&ada.id, true).await.unwrap();
    let page = server.visitor().post("/login", &form("ada", PASSWORD)).await;
    assert_eq!((page.status, page.problems()), (StatusCode::FORBIDDEN, vec!["password"]));
    assert!(ada.get("/").await.has("login"), "and the session is over");
}

#[tokio::test]
async fn missing_fields_are_named() {
    let server = start("").await;
    for (form, fields) in [
        (&[][..], &["username", "password"][..]),
        (&[("username", "ada")], &["password"]),
        (&[("password", "x")], &["username"]),
        (&[("username", "  "), ("password", "x")], &["username"]),
    ] {
        let page = server.visitor().post("/login", form).await;
        assert_eq!(
            (page.status, page.problems()),
            (StatusCode::UNPROCESSABLE_ENTITY, fields.to_vec())
        );
    }
}

#[tokio::test]
async fn guessing_takes_time() {
    let server = start("[throttle]\naccount_attempts = 2").await;
    server.user("ada", PASSWORD).await;
    let guess = async || server.visitor().post("/login", &form("ada", "wrong")).await;
    while guess().await.status == StatusCode::FORBIDDEN {}
    let page = server.visitor().post("/login", &form("ada", PASSWORD)).await;
    assert_eq!((page.status, page.problems()), (StatusCode::TOO_MANY_REQUESTS, vec!["password"]));
    let wait: u64 = page.header("retry-after").parse().unwrap();
    server.clock.advance(std::time::Duration::from_secs(wait));
    assert_eq!(server.visitor().post("/login", &form("ada", PASSWORD)).await.location(), "/");
}

#[tokio::test]
async fn a_session_begins_anew_with_each_sign_in() {
    let server = start("").await;
    server.user("ada", PASSWORD).await;
    server.user("eve", PASSWORD).await;
    let eve = server.visitor().sign_in("eve").await;
    let planted = eve.cookie("oauth_session").unwrap();
    // Eve plants her cookie in Ada's browser and waits for Ada to sign in.
    let browser = server.visitor();
    browser.plant("oauth_session", &planted);
    browser.post("/logout", &[]).await;
    browser.plant("oauth_session", &planted);
    let ada = browser.sign_in("ada").await;
    assert_ne!(ada.cookie("oauth_session").unwrap(), planted);
    assert!(eve.get("/").await.has("login"), "the planted session is over, not Ada's");
    let made_up = "A".repeat(43);
    let browser = server.visitor();
    browser.plant("oauth_session", &made_up);
    let ada = browser.sign_in("ada").await;
    assert_ne!(
        ada.cookie("oauth_session").unwrap(),
        made_up,
        "no session has a name of somebody's choice"
    );
}

#[tokio::test]
async fn signing_in_leads_to_pages_of_ours_only() {
    let server = start("").await;
    server.user("ada", PASSWORD).await;
    for (to, path) in [
        ("create_client", "/create_client"),
        ("applications", "/account/applications"),
        ("client-abcDEF123", "/clients/abcDEF123"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("client-../..//evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ] {
        let form = [&form("ada", PASSWORD)[..], &[("to", to)]].concat();
        assert_eq!(server.visitor().post("/login", &form).await.location(), path, "{to}");
    }
    let other_names = "next=//evil.example&redirect=//evil.example&return_to=//evil.example&redirect_uri=https://evil.example";
    let page =
        server.visitor().post(&format!("/login?{other_names}"), &form("ada", PASSWORD)).await;
    assert_eq!(page.location(), "/");
    let ada = server.visitor().sign_in("ada").await;
    assert_eq!(ada.get(&format!("/login?{other_names}&to=//evil.example")).await.location(), "/");
}

#[tokio::test]
async fn whoever_must_sign_in_comes_back_to_the_page() {
    let server = start("").await;
    server.user("ada", PASSWORD).await;
    for (path, to) in [
        ("/create_client", "?to=create_client"),
        ("/account/applications", "?to=applications"),
        ("/clients/abc", "?to=client-abc"),
        ("/clients/abc/delete", "?to=client-abc"),
    ] {
        let page = server.visitor().get(path).await;
        assert_eq!(page.location(), format!("/login{to}"));
        let form = server.visitor().get(page.location()).await;
        assert_eq!(format!("?to={}", form.value("to")), to);
    }
}

#[tokio::test]
async fn an_application_is_named_and_its_hint_is_filled_in() {
    let server = start("").await;
    let client = server.signed_up("maker").await.create_client(&[]).await;
    let ada = server.visitor();
    let login = ada.authorize(&client.id, &[("login_hint", "ada\"><b>")]).await;
    let page = ada.get(&login).await;
    assert_eq!(
        (&*page.by_id("client-name"), &*page.by_id("redirect-host")),
        ("Camera wall", "app.example")
    );
    assert_eq!(page.value("username"), "ada\"><b>");
    assert!(!page.html.contains("<b>"));
    let csp = page.header("content-security-policy");
    assert!(csp.contains("form-action 'self' https:;"), "{csp}");
}

#[tokio::test]
async fn an_interaction_is_of_one_browser_and_ends() {
    let server = start("").await;
    let client = server.signed_up("maker").await.create_client(&[]).await;
    let ada = server.visitor();
    let login = ada.authorize(&client.id, &[]).await;
    let over = async |page: crate::pages_actors::Page| {
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::BAD_REQUEST, "invalid_request")
        );
        assert_eq!(page.by_id("error-title"), "This sign-in is over");
    };
    let elsewhere = server.visitor();
    over(elsewhere.get(&login).await).await;
    let id = interaction(&login);
    let form = [&form("maker", PASSWORD)[..], &[("interaction", &*id)]].concat();
    over(elsewhere.post("/login", &form).await).await;
    assert_eq!(
        elsewhere.cookie("oauth_session"),
        None,
        "no password is tried for somebody else's interaction"
    );
    over(ada.get("/login?interaction=made-up").await).await;
    server.clock.advance(std::time::Duration::from_secs(601));
    over(ada.get(&login).await).await;
    over(ada.post("/login", &form).await).await;
}

#[tokio::test]
async fn oidc_core_3_1_2_1_prompt_login_wants_the_password() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let login = ada.authorize(&client.id, &[("prompt", "login")]).await;
    let page = ada.get(&login).await;
    assert!(!page.has("continue"));
    assert_eq!(page.value("username"), "ada");
    let id = interaction(&login);
    let page = ada.post("/login", &[("interaction", &id), ("continue", "yes")]).await;
    assert_eq!(page.location(), format!("/login?interaction={id}"), "no way around it");
    let with_password = [&form("ada", PASSWORD)[..], &[("interaction", &*id)]].concat();
    assert!(ada.post("/login", &with_password).await.location().starts_with("/consent?"));
}

#[tokio::test]
async fn oidc_core_3_1_2_1_select_account_offers_the_one_that_is_signed_in() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    server.user("eve", PASSWORD).await;
    let client = ada.create_client(&[]).await;
    let login = ada.authorize(&client.id, &[("prompt", "select_account")]).await;
    assert!(ada.get(&login).await.by_id("continue").contains("ada"));
    let id = interaction(&login);
    let page = ada.post("/login", &[("interaction", &id), ("continue", "yes")]).await;
    assert_eq!(ada.get(page.location()).await.by_id("who"), "ada");
    let other = [&form("eve", PASSWORD)[..], &[("interaction", &*id)]].concat();
    let page = ada.post("/login", &other).await;
    assert_eq!(ada.get(page.location()).await.by_id("who"), "eve");
    let page = server.visitor().post("/login", &[("interaction", &id), ("continue", "yes")]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "nobody goes on in another browser");
}

#[tokio::test]
async fn a_consent_that_is_remembered_leads_straight_back() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    ada.allow(&client.id).await;
    let later = server.visitor();
    let login = later.authorize(&client.id, &[]).await;
    let id = interaction(&login);
    let page = later
        .post("/login", &[&form("ada", PASSWORD)[..], &[("interaction", &*id)]].concat())
        .await;
    assert!(page.location().starts_with(&format!("{CALLBACK}?code=")), "{}", page.location());
    assert!(page.header("set-cookie").starts_with("oauth_session="));
}

#[tokio::test]
async fn signing_out_takes_a_button() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = ada.get("/logout").await;
    assert!(page.has("logout"), "a link only asks");
    assert_eq!(ada.get("/").await.by_id("nav-clients"), "Clients");
    let before = ada.cookie("oauth_session").unwrap();
    let page = ada.post("/logout", &[]).await;
    assert_eq!(page.location(), "/?done=signed_out");
    assert!(page.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(ada.get("/?done=signed_out").await.by_id("notice"), "You are signed out.");
    ada.plant("oauth_session", &before);
    assert!(ada.get("/").await.has("login"), "the session is over, not only forgotten");
    assert_eq!(server.visitor().get("/logout").await.location(), "/");
    assert_eq!(server.visitor().post("/logout", &[]).await.location(), "/?done=signed_out");
}
