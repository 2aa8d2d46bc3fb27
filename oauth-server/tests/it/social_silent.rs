//! Sessions of other providers, in which nobody is asked who it is: what a sign-in through one is worth here.

use crate::{
    pages_actors::{PASSWORD, Page, Visitor, parameter},
    second_factor::{App, STEP},
    second_factor_demanded::{EVERYBODY, SET_UP, id_token},
    social::{Away, back, refused},
    social_liar::Liar,
};
use http::StatusCode;
use oauth_core::ports::Clock as _;
use serde_json::json;

/// Signs in on the way to somewhere, as somebody whom the provider asked so many seconds ago, or does not say when.
async fn come(
    visitor: &Visitor<'_>,
    liar: &Liar,
    way: &[(&str, &str)],
    ago: Option<i64>,
) -> (Away, Page) {
    let away = Away::of(&visitor.post("/login/with/liar", way).await);
    let mut claims = liar.claims(visitor.server, &away.nonce, "1");
    match ago {
        Some(seconds) => {
            claims["auth_time"] = json!(claims["auth_time"].as_i64().unwrap() - seconds);
        }
        None => drop(claims.as_object_mut().unwrap().remove("auth_time")),
    }
    liar.code("good", liar.tokens(&claims));
    let page = visitor.get(&back(liar, &away, "good")).await;
    (away, page)
}

/// At a browser that its owner left, who is signed in elsewhere: whoever signs out here first gets no further for that.
#[tokio::test]
async fn a_session_over_there_is_not_a_recent_sign_in_here() {
    let liar = Liar::open().await;
    for (more, ago, is_recent) in [
        ("", None, false),
        ("", Some(3600), false),
        ("", Some(60), true),
        ("danger_trust_session = true", None, true),
    ] {
        let case = format!("{more} {ago:?}");
        let server = liar.server(more).await;
        let browser = server.visitor();
        come(&browser, &liar, &[], Some(0)).await;
        let ada = server.state.store.account_by_name("ada").await.unwrap().unwrap();
        assert!(server.state.store.set_admin(&ada.id, true).await.unwrap());
        let eve = server.user("eve", PASSWORD).await;
        browser.post("/logout", &[]).await;
        assert_eq!(browser.get("/admin/users").await.location(), "/login?to=admin-users");
        let way = [("to", "admin-users")];
        let (away, page) = come(&browser, &liar, &way, ago).await;
        assert_eq!(parameter(&away.url, "prompt").as_deref(), Some("login"), "it is told to ask");
        assert_eq!(parameter(&away.url, "max_age").as_deref(), Some("0"));
        assert_eq!(page.location(), "/admin/users", "{case}");
        assert_eq!(browser.get("/admin/users").await.status, StatusCode::OK, "{case}");
        let page = browser.post(&format!("/admin/users/{eve}/sign_out"), &[]).await;
        if is_recent {
            let expected = format!("/admin/users/{eve}?done=signed_out");
            assert_eq!(page.location(), expected, "{case}");
            continue;
        }
        assert_eq!(page.location(), format!("/login?to=admin-user-{eve}"), "{case}");
        let (_, page) = come(&browser, &liar, &way, ago).await;
        refused(&page, 403, "sign_in_not_fresh");
    }
}

#[tokio::test]
async fn applications_are_told_when_somebody_was_asked_and_not_when_the_session_began() {
    let liar = Liar::open().await;
    for (ago, is_enough) in [(None, false), (Some(3600), false), (Some(30), true)] {
        let server = liar.server("").await;
        server.relying_party("rp", &[]).await;
        let browser = server.visitor();
        let (away, page) = come(&browser, &liar, &[], ago).await;
        assert_eq!(page.location(), "/");
        assert_eq!(parameter(&away.url, "prompt"), None, "nothing needs it");
        let asked = browser.authorize("rp", &[("scope", "openid"), ("max_age", "60")]).await;
        assert_eq!(asked.starts_with("/consent?"), is_enough, "{ago:?}: {asked}");
        let consent = browser.authorize("rp", &[("scope", "openid")]).await;
        let claims = id_token(&browser, &consent).await;
        let proven = ago.map_or(0, |seconds| server.clock.now().unix() - seconds);
        assert_eq!(claims["auth_time"], json!(proven));
        let page = browser.get("/account/sessions").await;
        assert!(!page.html.contains("1970"), "it says when the session began");
    }
}

#[tokio::test]
async fn an_app_that_is_set_up_on_the_way_makes_no_sign_in_recent_and_its_code_does() {
    let liar = Liar::open().await;
    let server = liar.server(EVERYBODY).await;
    let browser = server.visitor();
    let (_, page) = come(&browser, &liar, &[], Some(3600)).await;
    assert_eq!(page.location(), SET_UP);
    let app = App::given(&browser.get(SET_UP).await);
    let code = app.code(&server);
    let page = browser.post(SET_UP, &[("code", &*code)]).await;
    assert_eq!(page.href("kept"), "/", "{}", page.html);
    assert_eq!(browser.get("/account/data").await.location(), "/login?to=data");
    // Whoever has the app.
    server.clock.advance(STEP);
    let other = server.visitor();
    let (_, page) = come(&other, &liar, &[("to", "data")], Some(3600)).await;
    assert_eq!(page.location(), "/login/second-factor?to=data");
    let code = app.code(&server);
    let page = other.post("/login/second-factor", &[("code", &*code), ("to", "data")]).await;
    assert_eq!(page.location(), "/account/data");
    assert_eq!(other.get("/account/data").await.status, StatusCode::OK);
}
