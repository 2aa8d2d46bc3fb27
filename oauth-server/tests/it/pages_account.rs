//! `/account` and `/account/sessions`.

use crate::{
    pages_actors::{PASSWORD, Page, SignedIn, Visitor},
    support::{Server, config, form_request, header_of, start, text},
};
use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, Request, StatusCode};
use oauth_server::{metrics::Metrics, shell::ShellLayer};
use std::time::Duration;
use tower::ServiceExt as _;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
const SESSIONS: &str = "/account/sessions";
const END: &str = "/account/sessions/end";
const END_OTHERS: &str = "/account/sessions/end_others";

/// A new browser in which somebody who signed up before signs in.
async fn again<'s>(server: &'s Server, name: &str) -> SignedIn<'s> {
    server.visitor().sign_in(name).await
}

/// Whether somebody is signed in in a browser.
async fn is_in(visitor: &Visitor<'_>) -> bool {
    visitor.get("/").await.has("nav-logout")
}

/// The ids of the sessions on a page, in their order.
fn ids(page: &Page) -> Vec<String> {
    let inputs = page.html.split("name=\"session\" value=\"").skip(1);
    inputs.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

/// A form of ours that another site sends.
async fn from_elsewhere(visitor: &Visitor<'_>, path: &str, form: &[(&str, &str)]) -> Page {
    let mut request = form_request(path, None, form);
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    request.headers_mut().insert("host", "127.0.0.1:4999".parse().unwrap());
    visitor.send(request).await
}

#[tokio::test]
async fn the_account_is_linked_from_everywhere_and_leads_everywhere() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let home = ada.get("/").await;
    assert_eq!(home.by_id("nav-account"), "Account");
    assert_eq!(home.by_id("to-account"), "your account");
    let pages = [
        ("/account", "Your account", "account-overview"),
        ("/account/profile", "Profile", "account-profile"),
        ("/account/password", "Password", "account-password"),
        ("/account/sessions", "Sessions", "account-sessions"),
        ("/account/applications", "Connected applications", "account-applications"),
    ];
    for (path, title, own) in pages {
        let page = ada.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.html.contains(&format!("<title>{title} – ")), "{path}: {}", page.html);
        for (other, _, id) in pages {
            let here = if id == own { " aria-current=\"page\"" } else { "" };
            let link = format!("<a href=\"{other}\" id=\"{id}\"{here}>");
            assert!(page.html.contains(&link), "{path} lacks {link}");
        }
        let part = if path == "/account" { "page" } else { "true" };
        assert!(page.html.contains(&format!("id=\"nav-account\" aria-current=\"{part}\"")));
    }
    assert!(!server.visitor().get("/").await.has("nav-account"), "visitors have no account");
}

#[tokio::test]
async fn the_overview_counts() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = ada.get("/account").await;
    assert_eq!(page.by_id("who"), "ada");
    assert_eq!(page.by_id("sessions-summary"), "You are signed in here alone.");
    assert_eq!(page.by_id("applications-summary"), "No application may act for you.");
    let client = ada.create_client(&[]).await;
    ada.allow(&client.id).await;
    again(&server, "ada").await;
    let page = ada.get("/account").await;
    assert_eq!(page.by_id("sessions-summary"), "You are signed in here and in one other browser.");
    assert_eq!(page.by_id("applications-summary"), "One application may act for you.");
    again(&server, "ada").await;
    let page = ada.get("/account").await;
    assert_eq!(page.by_id("sessions-summary"), "You are signed in here and in 2 other browsers.");
}

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_sign_in_and_comes_back() {
    let server = start("").await;
    server.signed_up("ada").await;
    for (path, word) in [
        ("/account", "account"),
        ("/account/profile", "profile"),
        ("/account/password", "password"),
        ("/account/sessions", "sessions"),
    ] {
        let visitor = server.visitor();
        assert_eq!(visitor.get(path).await.location(), format!("/login?to={word}"));
        let form = [("username", "ada"), ("password", PASSWORD), ("to", word)];
        assert_eq!(visitor.post("/login", &form).await.location(), path);
    }
    for path in ["/account/profile", "/account/password", END, END_OTHERS] {
        let location = server.visitor().post(path, &[("session", "x")]).await;
        assert!(location.location().starts_with("/login?to="), "{path}");
    }
}

#[tokio::test]
async fn sessions_say_which_browser_from_where_and_since_when() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let visitor = server.visitor();
    let form = [("username", "ada"), ("password", PASSWORD)];
    let mut request = form_request("/login", None, &form);
    request.headers_mut().insert("user-agent", FIREFOX.parse().unwrap());
    server.clock.advance(Duration::from_hours(2));
    visitor.send(request).await;
    server.clock.advance(Duration::from_mins(5));
    let page = ada.get(SESSIONS).await;
    assert_eq!(ids(&page).len(), 2);
    assert_eq!(page.by_id("session-1"), "A browser that does not say which this browser");
    assert_eq!(page.by_id("session-2"), "Firefox on Linux");
    let text = page.by_id("main");
    assert!(text.contains("21 September 2026, 14:13 UTC"), "{text}");
    assert!(text.contains("21 September 2026, 16:13 UTC"), "{text}");
    assert!(text.contains("21 September 2026, 16:18 UTC"), "{text}");
    assert!(text.contains("0.0.0.0"), "{text}");
    let page = visitor.get(SESSIONS).await;
    assert_eq!(page.by_id("session-1"), "Firefox on Linux this browser", "one's own comes first");
}

#[tokio::test]
async fn what_a_browser_calls_itself_is_no_markup() {
    let server = start("").await;
    let visitor = server.visitor();
    let form = [("username", "ada"), ("password", PASSWORD)];
    let mut request = form_request("/signup", None, &form);
    request.headers_mut().insert("user-agent", "<script>alert(1)</script>".parse().unwrap());
    visitor.send(request).await;
    let page = visitor.get(SESSIONS).await;
    assert!(!page.html.contains("<script"), "{}", page.html);
    assert_eq!(page.by_id("session-1"), "<script>alert(1)</script> this browser");
}

#[tokio::test]
async fn another_session_can_be_ended_once() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let other = again(&server, "ada").await;
    let third = again(&server, "ada").await;
    let id = ids(&other.get(SESSIONS).await).remove(0);
    let page = ada.post(END, &[("session", &id)]).await;
    assert_eq!(page.location(), "/account/sessions?done=ended");
    let page = ada.get(page.location()).await;
    assert_eq!(page.by_id("notice"), "That browser is signed out.");
    assert!(!ids(&page).contains(&id) && ids(&page).len() == 2);
    assert!(!is_in(&other).await && is_in(&ada).await && is_in(&third).await);
    let page = ada.post(END, &[("session", &id)]).await;
    assert_eq!(page.location(), "/account/sessions?done=over");
    let page = ada.get(page.location()).await;
    assert_eq!(page.by_id("notice"), "That browser was signed out already.");
}

#[tokio::test]
async fn ones_own_session_can_be_ended_too() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let other = again(&server, "ada").await;
    let id = ids(&ada.get(SESSIONS).await).remove(0);
    let page = ada.post(END, &[("session", &id)]).await;
    assert_eq!(page.location(), "/?done=signed_out");
    assert!(page.header("set-cookie").contains("Max-Age=0"));
    assert!(ada.cookie("oauth_session").is_none() && !is_in(&ada).await && is_in(&other).await);
}

#[tokio::test]
async fn all_other_sessions_can_be_ended_and_those_of_others_stay() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    assert!(!ada.get(SESSIONS).await.has("end-others"), "there is nothing else to end");
    let others = [again(&server, "ada").await, again(&server, "ada").await];
    assert_eq!(ada.get(SESSIONS).await.by_id("end-others"), "Sign out everywhere else");
    let page = ada.post(END_OTHERS, &[]).await;
    assert_eq!(page.location(), "/account/sessions?done=ended_others");
    let page = ada.get(page.location()).await;
    assert_eq!(page.by_id("notice"), "You are signed in here alone.");
    assert_eq!(ids(&page).len(), 1);
    assert!(!is_in(&others[0]).await && !is_in(&others[1]).await);
    assert!(is_in(&ada).await && is_in(&eve).await);
}

#[tokio::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    let hers = ids(&ada.get(SESSIONS).await).remove(0);
    assert!(!ids(&eve.get(SESSIONS).await).contains(&hers));
    let page = eve.post(END, &[("session", &hers)]).await;
    assert_eq!(page.location(), "/account/sessions?done=over", "as if there were none");
    assert!(is_in(&ada).await && is_in(&eve).await);
}

#[tokio::test]
async fn what_names_no_session_ends_none() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    for form in [&[][..], &[("session", "")]] {
        let page = ada.post(END, form).await;
        assert_eq!(
            (page.status, &*page.by_id("error-code"), &*page.by_id("error-detail")),
            (StatusCode::BAD_REQUEST, "invalid_request", "the session is missing")
        );
    }
    let long = "A".repeat(5000);
    for id in ["x", "!", "%00", &long] {
        let page = ada.post(END, &[("session", id)]).await;
        assert_eq!(page.location(), "/account/sessions?done=over", "{id}");
    }
    let page = ada.post(END, &[("session", "a"), ("session", "b")]).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
    for path in [END, END_OTHERS] {
        let page = ada.get(path).await;
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
        );
    }
    assert!(is_in(&ada).await);
}

#[tokio::test]
async fn no_other_site_ends_a_session() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let other = again(&server, "ada").await;
    let id = ids(&other.get(SESSIONS).await).remove(0);
    for path in [END, END_OTHERS] {
        let page = from_elsewhere(&ada, path, &[("session", &id)]).await;
        assert_eq!(
            (page.status, &*page.by_id("error-code")),
            (StatusCode::FORBIDDEN, "cross_site_request"),
            "{path}"
        );
    }
    assert!(is_in(&ada).await && is_in(&other).await);
}

#[tokio::test]
async fn a_session_that_ran_out_is_not_listed() {
    let server = start("[sessions]\nidle_timeout = \"1h\"").await;
    let ada = server.signed_up("ada").await;
    again(&server, "ada").await;
    server.clock.advance(Duration::from_mins(40));
    assert_eq!(ids(&ada.get(SESSIONS).await).len(), 2);
    server.clock.advance(Duration::from_mins(40));
    assert_eq!(ids(&ada.get(SESSIONS).await).len(), 1);
}

#[tokio::test]
async fn more_sessions_than_anybody_reads_are_counted() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let headers = HeaderMap::new();
    for _ in 0..120 {
        server.clock.advance(Duration::from_secs(1));
        server.state.sessions.start(&headers, &ada.id, &["pwd"], None).await.unwrap();
    }
    let page = ada.get(SESSIONS).await;
    assert_eq!(ids(&page).len(), 50);
    assert_eq!(page.by_id("more"), "And 71 more.");
    assert!(page.by_id("session-1").ends_with("this browser"), "one's own is among those shown");
    let user = server.state.users.user(&ada.id).await.unwrap().unwrap();
    assert_eq!(server.state.sessions.list(&user).await.unwrap().len(), 100, "no more are read");
    assert!(ada.get("/account").await.html.contains("here and in 120 other browsers."));
}

/// What the shell refuses looks as every other page does.
#[tokio::test]
async fn refusals_of_the_shell_have_the_style_of_the_pages() {
    let server = start("[server]\nbody_limit = 2000").await;
    let request =
        Request::post("/login").header("accept", "text/html").header("x-request-id", "abc");
    let response = server.send(request.body(Body::from(vec![b'a'; 2001])).unwrap()).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(header_of(&response, "content-type"), "text/html; charset=utf-8");
    assert!(header_of(&response, "content-security-policy").contains("style-src 'self'"));
    let html = text(response).await;
    let page = Page { status: StatusCode::OK, headers: HeaderMap::default(), html };
    assert_eq!(page.by_id("error-title"), "This is too large");
    assert_eq!(page.by_id("error-code"), "invalid_request");
    assert_eq!(page.by_id("request-id"), "abc");
    assert!(page.html.contains("<title>Error: This is too large – 127.0.0.1:4999</title>"));
    assert!(page.html.contains("<link rel=\"stylesheet\" href=\"/static/style."));
}

#[tokio::test(start_paused = true)]
async fn what_the_shell_gives_up_on_is_explained_to_people() {
    let folder = tempfile::tempdir().unwrap();
    let config = config("[server]\nrequest_timeout = \"7s\"", &folder);
    let routes = Router::new()
        .route("/slow", get(std::future::pending::<()>))
        .route("/panic", get(|| async { "x".parse::<u8>().expect("inside").to_string() }));
    let router = routes.layer(ShellLayer::new(&config, Metrics::default()));
    for (path, status, retry_after, title, code) in [
        (
            "/slow",
            StatusCode::SERVICE_UNAVAILABLE,
            "5",
            "The server is too busy",
            "temporarily_unavailable",
        ),
        (
            "/panic",
            StatusCode::INTERNAL_SERVER_ERROR,
            "",
            "Something went wrong on our side",
            "server_error",
        ),
    ] {
        let request = Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!((response.status(), header_of(&response, "retry-after")), (status, retry_after));
        let request_id = header_of(&response, "x-request-id").to_owned();
        let html = text(response).await;
        let page = Page { status, headers: HeaderMap::default(), html };
        assert_eq!((&*page.by_id("error-title"), &*page.by_id("error-code")), (title, code));
        assert_eq!(page.by_id("request-id"), request_id);
        assert!(page.html.contains("<link rel=\"stylesheet\"") && !page.html.contains("inside"));
    }
}

#[tokio::test]
async fn programs_that_are_signed_in_are_shown_and_ended() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    assert!(!ada.get(SESSIONS).await.has("programs"));
    let tokens = [server.token_of("ada", PASSWORD).await, server.token_of("ada", PASSWORD).await];
    let alive = async |token: &str| {
        server.call("GET", "/users/me").token(token).send().await.status == StatusCode::OK
    };
    let page = ada.get(SESSIONS).await;
    assert!(page.has("program-2") && !page.has("program-3"), "{}", page.html);
    let id = page.value("program");
    let page = eve.post(END, &[("program", &id)]).await;
    assert_eq!(page.location(), "/account/sessions?done=program_over", "only one's own");
    assert!(alive(&tokens[0]).await && alive(&tokens[1]).await);
    let page = ada.post(END, &[("program", &id)]).await;
    assert_eq!(page.location(), "/account/sessions?done=program_ended");
    let page = ada.get(page.location()).await;
    assert_eq!(page.by_id("notice"), "That program is signed out.");
    assert!(page.has("program-1") && !page.has("program-2"));
    assert_ne!(alive(&tokens[0]).await, alive(&tokens[1]).await, "one of the two");
    assert_eq!(
        ada.post(END, &[("program", &id)]).await.location(),
        "/account/sessions?done=program_over"
    );
    assert_eq!(ada.post(END, &[]).await.status, StatusCode::BAD_REQUEST);
    ada.post("/account/sessions/end_others", &[]).await.location();
    assert!(!alive(&tokens[0]).await && !alive(&tokens[1]).await && is_in(&ada).await);
    assert!(!ada.get(SESSIONS).await.has("programs"));
}
