//! `/login` and `/logout`.

use crate::{
    pages_actors::{CALLBACK, PASSWORD, interaction, parameter},
    support::start,
};
use axum::body::Body;
use http::{Request, StatusCode};
use std::time::Duration;

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
    server.clock.advance(Duration::from_secs(wait));
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
    server.clock.advance(Duration::from_secs(601));
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
    let page = ada.post("/login", &[("interaction", &id), ("continue", "ada")]).await;
    assert_eq!(page.location(), format!("/login?interaction={id}"), "no way around it");
    let with_password = [&form("ada", PASSWORD)[..], &[("interaction", &*id)]].concat();
    assert!(ada.post("/login", &with_password).await.location().starts_with("/consent?"));
}

#[tokio::test]
async fn oidc_core_3_1_2_1_max_age_wants_the_password_of_an_old_session() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    server.clock.advance(Duration::from_secs(61));
    let young = ada.authorize("rp", &[("scope", "openid"), ("max_age", "61")]).await;
    assert!(young.starts_with("/consent?"), "{young}");
    for max_age in ["60", "0"] {
        let old = ada.authorize("rp", &[("scope", "openid"), ("max_age", max_age)]).await;
        assert!(old.starts_with("/login?"), "{old}");
        let page = ada.get(&old).await;
        assert!(!page.has("continue"));
        assert_eq!(page.by_id("again").split('.').next(), Some("You are signed in as ada"));
        let id = interaction(&old);
        for path in ["/login", "/select-account"] {
            let form = [("interaction", &*id), ("continue", "ada"), ("account", "ada")];
            let page = ada.post(path, &form).await;
            assert_eq!(page.location(), format!("/login?interaction={id}"), "{path}");
        }
        let with_password = [&form("ada", PASSWORD)[..], &[("interaction", &*id)]].concat();
        assert!(ada.post("/login", &with_password).await.location().starts_with("/consent?"));
        server.clock.advance(Duration::from_secs(61));
    }
}

#[tokio::test]
async fn whoever_signed_in_in_another_tab_goes_on_without_a_password() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    server.user("ada", PASSWORD).await;
    let browser = server.visitor();
    let login = browser.authorize("rp", &[("scope", "openid")]).await;
    assert!(!browser.get(&login).await.has("continue"));
    let id = interaction(&login);
    let ada = browser.sign_in("ada").await;
    assert_eq!(ada.get(&login).await.by_id("continue"), "Continue as ada");
    // The button is of the one who was there when the page was shown.
    let page = ada.post("/login", &[("interaction", &id), ("continue", "eve")]).await;
    assert_eq!(page.location(), format!("/login?interaction={id}"));
    let page = ada.post("/login", &[("interaction", &id), ("continue", "ada")]).await;
    assert_eq!(ada.get(page.location()).await.by_id("who"), "ada");
    let elsewhere = server.visitor();
    let page = elsewhere.post("/login", &[("interaction", &id), ("continue", "ada")]).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "nobody goes on in another browser");
}

#[tokio::test]
async fn what_was_asked_of_the_one_who_signed_in_is_asked_of_the_next_one_too() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    server.user("ada", PASSWORD).await;
    server.user("eve", PASSWORD).await;
    let browser = server.visitor();
    let asked = [("scope", "openid"), ("prompt", "login"), ("max_age", "0")];
    let login = browser.authorize("rp", &asked).await;
    let id = interaction(&login);
    let as_ada = [&form("ada", PASSWORD)[..], &[("interaction", &*id)]].concat();
    let consent = browser.post("/login", &as_ada).await.location().to_owned();
    assert!(consent.starts_with("/consent?"), "{consent}");
    let eve = browser.sign_in("eve").await;
    let login = eve.get(&consent).await.location().to_owned();
    assert!(!eve.get(&login).await.has("continue"));
    let form = [("interaction", &*interaction(&login)), ("continue", "eve")];
    assert_eq!(eve.post("/login", &form).await.location(), login);
}

#[tokio::test]
async fn oidc_core_5_5_1_a_subject_is_one_account() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    server.user("eve", PASSWORD).await;
    let claims = format!(r#"{{"id_token": {{"sub": {{"value": "{}"}}}}}}"#, ada.id.as_str());
    let asked = [("scope", "openid"), ("claims", &*claims)];
    let again = [&asked[..], &[("prompt", "login")]].concat();
    let page = ada.get(&ada.authorize("rp", &again).await).await;
    assert_eq!(
        (&*page.value("username"), page.has("again"), page.has("other")),
        ("ada", true, false)
    );
    let eve = server.visitor().sign_in("eve").await;
    let login = eve.authorize("rp", &asked).await;
    let page = eve.get(&login).await;
    assert_eq!(
        (&*page.value("username"), page.has("continue"), page.has("again")),
        ("", false, false)
    );
    assert!(page.by_id("other").contains("asks for another account"), "{}", page.html);
    let id = interaction(&login);
    let as_eve = [&form("eve", PASSWORD)[..], &[("interaction", &*id)]].concat();
    let page = eve.post("/login", &as_eve).await;
    assert_eq!(parameter(page.location(), "error").as_deref(), Some("login_required"));
    let login = eve.authorize("rp", &asked).await;
    let id = interaction(&login);
    let as_ada = [&form("ada", PASSWORD)[..], &[("interaction", &*id)]].concat();
    let consent = eve.post("/login", &as_ada).await.location().to_owned();
    assert_eq!(eve.get(&consent).await.by_id("who"), "ada");
}

#[tokio::test]
async fn oidc_registration_2_1_a_client_shows_itself_in_the_language_of_the_person() {
    let server = start("").await;
    let texts = [
        ("client_name#de", "Kamerawand"),
        ("client_name#fr", "Mur de cam\u{e9}ras"),
        ("client_uri", "https://app.example"),
        ("client_uri#de", "https://app.example/de"),
        ("policy_uri", "https://app.example/privacy"),
        ("policy_uri#de", "https://app.example/datenschutz"),
        ("tos_uri", "https://app.example/terms?a=b&c=\"d"),
    ];
    server.relying_party("rp", &texts).await;
    for (ui_locales, accepted, name, language) in [
        ("", "", "Camera wall", None),
        ("", "en-GB, en;q=0.9", "Camera wall", None),
        ("", "de-AT, fr;q=0.9", "Kamerawand", Some("de")),
        ("fr de", "de", "Mur de cam\u{e9}ras", Some("fr")),
        ("ja", "de", "Kamerawand", Some("de")),
        ("\"><b> ../..", "*;q=x,,", "Camera wall", None),
    ] {
        let ada = server.visitor();
        let login = ada.authorize("rp", &[("scope", "openid"), ("ui_locales", ui_locales)]).await;
        let request = Request::get(&login).header("accept-language", accepted);
        let page = ada.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(page.by_id("client-name"), name, "{ui_locales} {accepted}");
        let lang = language.map_or_else(String::new, |l| format!(" lang=\"{l}\""));
        assert!(page.html.contains(&format!("<bdi id=\"client-name\"{lang}>")), "{}", page.html);
        let policy = if language.is_some() { "datenschutz" } else { "privacy" };
        assert_eq!(page.href("policy-uri"), format!("https://app.example/{policy}"));
        assert_eq!(page.href("tos-uri"), "https://app.example/terms?a=b&c=\"d");
    }
}

#[tokio::test]
async fn a_logo_is_the_only_thing_of_another_origin() {
    let server = start("").await;
    let good = "https://cdn.example:8443/logo.png?a=b&c=d";
    server.relying_party("good", &[("logo_uri", good)]).await;
    let policy = |images: &str| {
        format!(
            "default-src 'none'; style-src 'self'; img-src 'self'{images}; \
             form-action 'self' https:; frame-ancestors 'none'; base-uri 'none'"
        )
    };
    let ada = server.signed_up("ada").await;
    let asked = |prompt| [("scope", "openid"), ("prompt", prompt)];
    for (prompt, path) in [
        ("login", "/login?"),
        ("create", "/signup?"),
        ("select_account", "/select-account?"),
        ("consent", "/consent?"),
    ] {
        let to = ada.authorize("good", &asked(prompt)).await;
        assert!(to.starts_with(path), "{to}");
        let page = ada.get(&to).await;
        assert_eq!(page.header("content-security-policy"), policy(" https://cdn.example:8443"));
        assert_eq!(page.attribute("client-logo", "src"), good);
        assert_eq!(page.attribute("client-logo", "referrerpolicy"), "no-referrer");
        assert_eq!(page.attribute("client-logo", "alt"), "", "the name stands beside it");
    }
    // Registration refuses such an address; a row that has one all the same is not believed.
    for (id, bad) in [
        ("http", "http://cdn.example/logo.png"),
        ("data", "data:image/png;base64,AAAA"),
        ("semicolon", "https://cdn.example;sandbox/logo.png"),
        ("comma", "https://a.example,b.example/logo.png"),
        ("star", "https://*/logo.png"),
        ("address", "https://[::1]/logo.png"),
        ("space", "https://cdn.example/a b.png"),
        ("user", "https://cdn.example@evil.example/logo.png"),
    ] {
        let texts = [("logo_uri", bad), ("policy_uri", "javascript:alert(1)"), ("tos_uri", "x")];
        server.relying_party(id, &texts).await;
        let page = ada.get(&ada.authorize(id, &asked("login")).await).await;
        assert_eq!(page.header("content-security-policy"), policy(""), "{id}");
        assert!(!page.has("client-logo") && !page.has("about-client"), "{id}");
    }
}

#[tokio::test]
async fn oidc_core_3_1_2_1_display_breaks_nothing() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    for display in ["page", "popup", "touch", "wap", "hologram"] {
        let ada = server.visitor();
        let asked = [("scope", "openid"), ("display", display), ("acr_values", "x y")];
        let page = ada.get(&ada.authorize("rp", &asked).await).await;
        assert_eq!((page.status, page.has("login-form")), (StatusCode::OK, true), "{display}");
    }
}

#[tokio::test]
async fn oidc_core_3_1_2_6_errors_before_the_client_is_proven_are_pages() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.visitor();
    for (client, more, title) in [
        ("nobody", &[][..], "This application is unknown here"),
        (
            "rp",
            &[("redirect_uri", "https://evil.example/cb")],
            "This application asks to send you to an unknown place",
        ),
        (
            "rp",
            &[("redirect_uri", "https://app.example/cb/")],
            "This application asks to send you to an unknown place",
        ),
    ] {
        let page = ada.ask(client, more).await;
        assert_eq!((page.status, page.header("location")), (StatusCode::BAD_REQUEST, ""));
        assert_eq!(page.by_id("error-code"), "invalid_request");
        assert_eq!(page.by_id("error-title"), title);
        assert!(page.by_id("error-description").ends_with('.'), "{}", page.html);
    }
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
