//! [OpenID Connect Session Management](https://openid.net/specs/openid-connect-session-1_0.html).

use crate::support::{CALLBACK, Setup, World};
use aws_lc_rs::digest::{SHA256, digest};
use axum::http::header;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{
    authorize::Decision,
    http::browser_state_cookie,
    model::{ClientId, Scope},
    openid::{browser_state, session_state},
    provider::Builder,
};

const FRAME: &str = "/oauth/check_session";

async fn world() -> World {
    let scope = || Scope::parse("openid a b").unwrap();
    Setup::new().client("web", |c| c.scope = scope()).builder(Builder::logout_page).start().await
}

#[tokio::test]
async fn s2_the_answer_tells_the_state_of_the_session() {
    let world = world().await;
    let answer = async |scope: &str, sid: Option<&str>| {
        let step = world.request("web").set("scope", scope).set("prompt", "consent").send().await;
        let id = step.reply.interaction("/login");
        let mut login = world.login_in("");
        login.sid = sid.map(str::to_owned);
        let step = step.decide(&id, Decision::SignedIn(login)).await;
        step.approve().await.reply.answer()
    };
    let first = answer("openid a", Some("s-1")).await;
    let state = first.get("session_state").unwrap();
    assert!(!state.contains(' '));
    let (_, salt) = state.split_once('.').unwrap();
    assert!(salt.len() >= 22, "{state}");
    let known =
        |sid| session_state(&ClientId::new("web"), CALLBACK, &browser_state(sid), salt).unwrap();
    assert_eq!(state, known("s-1"));
    assert_ne!(state, known("s-2"));
    let second = answer("openid a", Some("s-1")).await;
    assert_ne!(second.get("session_state"), Some(state), "the salt is new every time");
    for (scope, sid) in [("openid a", None), ("a", Some("s-1"))] {
        let answer = answer(scope, sid).await;
        assert!(answer.get("code").is_some());
        assert_eq!(answer.get("session_state"), None, "{scope} {sid:?}");
    }
}

#[tokio::test]
async fn s3_2_the_page_is_for_frames_and_runs_its_own_script_only() {
    let world = world().await;
    let page = world.get(FRAME).await;
    assert_eq!(page.status, 200);
    let html = page.text();
    let script = html.split_once("<script>").unwrap().1.split_once("</script>").unwrap().0;
    let hash = STANDARD.encode(digest(&SHA256, script.as_bytes()));
    assert_eq!(
        page.header(header::CONTENT_SECURITY_POLICY).unwrap(),
        format!(
            "default-src 'none'; script-src 'sha256-{hash}'; frame-ancestors *; base-uri 'none'"
        )
    );
    assert_eq!(page.header("x-frame-options"), None);
    assert!(page.header(header::CONTENT_TYPE).unwrap().starts_with("text/html"));
    assert!(html.contains("data-cookie=\"__Host-oauth_browser_state\""));
    for word in ["unchanged", "changed", "error"] {
        assert!(script.contains(&format!("\"{word}\"")));
    }
    assert!(page.cookies().is_empty());
}

#[tokio::test]
async fn s3_2_page_and_cookie_agree_without_https() {
    let world =
        Setup::new().issuer("http://127.0.0.1:5000/as").builder(Builder::logout_page).start().await;
    let page = world.get(&format!("/as{FRAME}")).await;
    assert!(page.text().contains("data-cookie=\"oauth_browser_state\""));
    let cookie = browser_state_cookie(false, Some("s"));
    assert!(cookie.to_str().unwrap().starts_with("oauth_browser_state="));
}

#[tokio::test]
async fn s3_3_the_metadata_tells_of_the_page_where_it_is() {
    let metadata = world().await.provider.metadata().clone();
    assert_eq!(metadata["check_session_iframe"], format!("https://as.example{FRAME}"));
    let without = World::new().await;
    let plain = Setup::new().policy(|p| p.openid = false).builder(Builder::logout_page);
    for world in [without, plain.start().await] {
        assert_eq!(world.get(FRAME).await.status, 404);
        assert!(world.provider.metadata().get("check_session_iframe").is_none());
    }
}
