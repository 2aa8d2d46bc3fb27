//! `/consent`.

use crate::{
    pages_actors::{CALLBACK, PASSWORD, VERIFIER, interaction, parameter, sent_while},
    support::{Server, json, start},
};
use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::Value;

const ALL: [(&str, &str); 3] =
    [("decision", "allow"), ("scope:profile", "yes"), ("scope:query", "yes")];

#[tokio::test]
async fn the_page_says_who_asks_for_what_and_where_one_goes() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let consent = ada.authorize(&client.id, &[("scope", "profile query connection")]).await;
    let page = ada.get(&consent).await;
    assert_eq!((&*page.by_id("client-name"), &*page.by_id("who")), ("Camera wall", "ada"));
    assert_eq!(
        (&*page.by_id("redirect-host"), &*page.href("client-uri")),
        ("app.example", "https://app.example")
    );
    assert!(page.has("by-anybody"), "somebody of this server made the client");
    for words in [
        "see your profile",
        "look up what the registry knows",
        "it only reads",
        "it reads and writes",
    ] {
        assert!(page.html.contains(words), "{words}");
    }
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(page.header("content-security-policy").contains("form-action 'self' https:;"));
    assert!(!page.has("nav-clients"), "nothing leads away");
}

#[tokio::test]
async fn yes_leads_back_with_a_code() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let id = interaction(&ada.authorize(&client.id, &[]).await);
    let page = ada.post("/consent", &[&ALL[..], &[("interaction", &*id)]].concat()).await;
    let to = page.location();
    assert!(to.starts_with(CALLBACK) && page.header("cache-control") == "no-store", "{to}");
    assert_eq!(parameter(to, "state").as_deref(), Some("st"));
    assert_eq!(parameter(to, "iss"), Some(server.state.config.issuer().to_string()));
    let tokens = client.exchange(&server, &parameter(to, "code").unwrap()).await;
    assert_eq!(tokens["scope"], "profile query");
    let again = ada.post("/consent", &[&ALL[..], &[("interaction", &*id)]].concat()).await;
    assert_eq!(
        (again.status, &*again.by_id("error-title")),
        (StatusCode::BAD_REQUEST, "This sign-in is over")
    );
}

/// Whoever disconnects an application, or changes the password, has the last word over what is under way.
#[tokio::test]
async fn a_yes_that_meets_a_revocation_is_none() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let id = interaction(&ada.authorize(&client.id, &[]).await);
    let (provider, user) = (server.state.provider.clone(), ada.id.clone());
    let revoked = async move {
        let env = provider.env();
        env.grants.revoke_user(&user, None, env.clock.now()).await.unwrap();
    };
    let form = [&ALL[..], &[("interaction", &*id)]].concat();
    let page = ada.send(sent_while("/consent", &form, revoked)).await;
    assert_eq!(parameter(page.location(), "error").as_deref(), Some("access_denied"));
    let grants = &server.state.provider.env().grants;
    assert_eq!(grants.consents(&ada.id).await.unwrap(), []);
    // The session goes on, so it can be said once more.
    let page = ada.post("/consent", &form).await;
    assert!(parameter(page.location(), "code").is_some(), "{}", page.location());
}

#[tokio::test]
async fn what_is_not_ticked_is_not_granted() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let id = interaction(&ada.authorize(&client.id, &[]).await);
    // A scope that was not asked for cannot be ticked into the grant.
    let form = [
        ("interaction", &*id),
        ("decision", "allow"),
        ("scope:query", "yes"),
        ("scope:connection", "yes"),
    ];
    let to = ada.post("/consent", &form).await;
    let tokens = client.exchange(&server, &parameter(to.location(), "code").unwrap()).await;
    assert_eq!(tokens["scope"], "query");
    assert!(
        ada.authorize(&client.id, &[]).await.starts_with("/consent?"),
        "the rest is asked for again"
    );
    assert!(ada.authorize(&client.id, &[("scope", "query")]).await.starts_with(CALLBACK));
}

#[tokio::test]
async fn yes_to_nothing_is_asked_again() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let id = interaction(&ada.authorize(&client.id, &[]).await);
    let page = ada.post("/consent", &[("interaction", &id), ("decision", "allow")]).await;
    assert_eq!((page.status, page.problems()), (StatusCode::UNPROCESSABLE_ENTITY, vec!["scopes"]));
    assert_eq!(page.value("interaction"), id);
    for decision in [&[][..], &[("decision", "perhaps")]] {
        let page = ada.post("/consent", &[&[("interaction", &*id)], decision].concat()).await;
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::BAD_REQUEST, "invalid_request")
        );
    }
    let page = ada.post("/consent", &ALL).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "no interaction");
    assert_eq!(ada.get("/consent").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn s4_1_2_1_no_leads_back_with_access_denied() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let id = interaction(&ada.authorize(&client.id, &[]).await);
    let page = ada
        .post("/consent", &[("interaction", &id), ("decision", "deny"), ("scope:query", "yes")])
        .await;
    assert_eq!(parameter(page.location(), "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(page.location(), "code"), None);
    let late = ada.post("/consent", &[&ALL[..], &[("interaction", &*id)]].concat()).await;
    assert_eq!(late.status, StatusCode::BAD_REQUEST, "no stays no");
}

#[tokio::test]
async fn only_the_one_it_is_about_may_answer() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    server.user("eve", PASSWORD).await;
    let client = ada.create_client(&[]).await;
    let consent = ada.authorize(&client.id, &[]).await;
    let id = interaction(&consent);
    let form = [&ALL[..], &[("interaction", &*id)]].concat();
    // Ada signs out and leaves; her page is still open in the same browser.
    ada.post("/logout", &[]).await;
    let to_login = format!("/login?interaction={id}");
    assert_eq!(ada.get(&consent).await.location(), to_login);
    assert_eq!(ada.post("/consent", &form).await.location(), to_login);
    // Eve signs in there.
    let eve = ada;
    eve.post("/login", &[("username", "eve"), ("password", PASSWORD)]).await;
    assert_eq!(eve.get(&consent).await.location(), to_login);
    assert_eq!(
        eve.post("/consent", &form).await.location(),
        to_login,
        "Eve cannot say yes for Ada"
    );
}

#[tokio::test]
async fn an_interaction_before_sign_in_cannot_be_agreed_to() {
    let server = start("").await;
    let client = server.signed_up("maker").await.create_client(&[]).await;
    let ada = server.visitor();
    let id = interaction(&ada.authorize(&client.id, &[]).await);
    let page = ada.post("/consent", &[&ALL[..], &[("interaction", &*id)]].concat()).await;
    assert_eq!(page.location(), format!("/login?interaction={id}"));
}

#[tokio::test]
async fn clients_of_the_operator_come_without_the_warning() {
    let toml = "[[client]]\nid = \"own\"\nname = \"Our own\"\nauth_method = \"none\"\nredirect_uris = [\"http://127.0.0.1/cb\"]\nscope = \"profile\"\n";
    let server = start(toml).await;
    let ada = server.signed_up("ada").await;
    let asked = [("redirect_uri", "http://127.0.0.1:4711/cb"), ("scope", "profile")];
    let page = ada.get(&ada.authorize("own", &asked).await).await;
    assert!(!page.has("by-anybody") && !page.has("client-uri"));
    assert_eq!(page.by_id("redirect-host"), "a program on this device (127.0.0.1:4711)");
    assert!(page.header("content-security-policy").contains("form-action 'self' http:;"));
}

#[tokio::test]
async fn nothing_but_the_person_can_be_asked_for() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let form = [
        ("client_name", "No scope"),
        ("redirect_uri", CALLBACK),
        ("grant_type:authorization_code", "yes"),
    ];
    let made = ada.post("/create_client", &form).await;
    let consent = ada.authorize(&made.by_id("client-id"), &[("scope", "")]).await;
    let page = ada.get(&consent).await;
    assert!(page.by_id("scopes").contains("nothing but to know that it is you"));
    let page = ada
        .post("/consent", &[("interaction", &interaction(&consent)), ("decision", "allow")])
        .await;
    assert!(parameter(page.location(), "code").is_some());
}

const SIGN_IN: [(&str, &str); 1] = [("scope", "openid")];

async fn tokens(server: &Server, code: &str) -> Value {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    json(server.post("/oauth/token", Some(("rp", "secret")), &form).await).await
}

async fn userinfo(server: &Server, tokens: &Value) -> Value {
    let token = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let request = Request::get("/oauth/userinfo").header(header::AUTHORIZATION, token);
    json(server.send(request.body(Body::empty()).unwrap()).await).await
}

#[tokio::test]
async fn a_sign_in_alone_has_nothing_to_tick() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    let consent = ada.authorize("rp", &SIGN_IN).await;
    let page = ada.get(&consent).await;
    assert_eq!(
        page.by_id("learns"),
        "It learns that it is you, and when you signed in; nothing else."
    );
    assert!(!page.has("scopes") && !page.html.contains("checkbox"), "{}", page.html);
    let form = [("interaction", &*interaction(&consent)), ("decision", "allow")];
    let code = parameter(ada.post("/consent", &form).await.location(), "code").unwrap();
    assert_eq!(tokens(&server, &code).await["scope"], "openid");
    assert!(ada.authorize("rp", &SIGN_IN).await.starts_with(CALLBACK), "it is remembered");
    assert!(ada.get("/account/applications").await.html.contains("know who you are"));
}

#[tokio::test]
async fn a_sign_in_stays_whatever_is_not_ticked() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    let asked = [("scope", "openid profile email")];
    for (ticked, granted) in [
        (&["scope:email"][..], "email openid"),
        (&[], "openid"),
        (&["scope:phone", "scope:openid"], "openid"),
    ] {
        let consent = ada.authorize("rp", &asked).await;
        let page = ada.get(&consent).await;
        assert!(!page.html.contains("scope:openid"), "it is not for choice");
        assert_eq!(page.html.matches("checkbox").count(), 2);
        let id = interaction(&consent);
        let mut form = vec![("interaction", &*id), ("decision", "allow")];
        form.extend(ticked.iter().map(|&name| (name, "yes")));
        let code = parameter(ada.post("/consent", &form).await.location(), "code").unwrap();
        let tokens = tokens(&server, &code).await;
        assert_eq!(tokens["scope"], granted, "{ticked:?}");
        assert!(tokens["id_token"].is_string());
    }
}

#[tokio::test]
async fn oidc_core_5_5_claims_are_allowed_one_by_one() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    let profile = [("birthdate", "1815-12-10"), ("phone_number", "+442079460958")];
    ada.post("/account/profile", &profile).await;
    let claims = r#"{"userinfo": {"birthdate": null, "email": null, "phone_number": {"essential": true}, "sub": null},
                     "id_token": {"auth_time": null}}"#;
    let asked = [("scope", "openid email"), ("claims", claims)];
    let consent = ada.authorize("rp", &asked).await;
    let page = ada.get(&consent).await;
    assert_eq!(page.html.matches("checkbox").count(), 3, "e-mail is asked for once: {}", page.html);
    for words in ["see your e-mail address", "see your date of birth", "see your telephone number"]
    {
        assert!(page.html.contains(words), "{words}");
    }
    let id = interaction(&consent);
    let some = [
        ("interaction", &*id),
        ("decision", "allow"),
        ("scope:email", "yes"),
        ("scope:claim:phone_number", "yes"),
    ];
    let code = parameter(ada.post("/consent", &some).await.location(), "code").unwrap();
    let tokens = tokens(&server, &code).await;
    assert_eq!(tokens["scope"], "email openid", "a claim is no scope");
    let told = userinfo(&server, &tokens).await;
    assert_eq!((&told["phone_number"], told.get("birthdate")), (&"+442079460958".into(), None));
    assert!(ada.authorize("rp", &asked).await.starts_with("/consent?"), "the rest is asked again");
    let page = ada.get("/account/applications").await;
    assert!(page.html.contains("see your telephone number") && !page.html.contains("claim:"));
}

#[tokio::test]
async fn somebody_else_may_go_on_with_an_account_of_their_own() {
    let server = start("").await;
    server.relying_party("rp", &[]).await;
    let ada = server.signed_up("ada").await;
    server.user("eve", PASSWORD).await;
    let consent = ada.authorize("rp", &SIGN_IN).await;
    let eve = ada;
    eve.post("/login", &[("username", "eve"), ("password", PASSWORD)]).await;
    let login = eve.get(&consent).await.location().to_owned();
    assert_eq!(eve.get(&login).await.by_id("continue"), "Continue as eve");
    let form = [("interaction", &*interaction(&login)), ("continue", "eve")];
    let consent = eve.post("/login", &form).await.location().to_owned();
    assert_eq!(eve.get(&consent).await.by_id("who"), "eve", "what Ada was asked, Eve is asked");
}
