//! Signing out, at the button and where applications send people, and who is told of it.

use crate::{
    pages_actors::{CALLBACK, PASSWORD, SignedIn, VERIFIER, interaction, parameter},
    support::{Server, form_request, json, start},
};
use axum::{Router, body::Body, extract::State, routing::post};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, StatusCode, header};
use oauth_core::{
    authorize::{Decision, Next},
    model::{Client, RedirectUri, Scope},
    openid::browser_state,
    ports::ClientStore as _,
    testing::fixtures,
};
use oauth_server::maintenance;
use serde_json::Value;
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const BYE: &str = "https://app.example/bye";
const END: &str = "/oauth/logout";
/// Clients of these tests are on this machine.
const LOCAL: &str = "[outgoing]\nallowed_networks = [\"127.0.0.0/8\"]\ndanger_plain_http = true\n";

impl Server {
    /// An application of the operator, with what is to be different about it.
    async fn app(&self, id: &str, change: impl FnOnce(&mut Client)) {
        let mut client = Client {
            redirect_uris: vec![RedirectUri::parse(CALLBACK).unwrap()],
            scope: Scope::parse("openid profile query").unwrap(),
            skip_consent: true,
            ..fixtures::client(id)
        };
        client.metadata.post_logout_redirect_uris = vec![BYE.into()];
        change(&mut client);
        assert!(self.state.store.insert_client(client).await.unwrap());
    }

    /// The id token that a code of the application is worth.
    async fn id_token(&self, app: &str, code: &str) -> String {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let tokens = json(self.post("/oauth/token", Some((app, "secret")), &form).await).await;
        tokens["id_token"].as_str().unwrap_or_else(|| panic!("{tokens}")).to_owned()
    }
}

impl SignedIn<'_> {
    /// Enters the application; the id token that it gets.
    async fn enter(&self, app: &str) -> String {
        let back = self.authorize(app, &[("scope", "openid")]).await;
        let code = parameter(&back, "code").unwrap_or_else(|| panic!("{back}"));
        self.server.id_token(app, &code).await
    }

    /// Is sent to the end session endpoint.
    async fn sent_out(&self, parameters: &[(&str, &str)]) -> crate::pages_actors::Page {
        self.get(&end(parameters)).await
    }

    async fn is_in(&self) -> bool {
        self.get("/").await.has("nav-logout")
    }
}

fn end(parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("{END}?{query}")
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn sid(token: &str) -> String {
    claims(token)["sid"].as_str().unwrap().to_owned()
}

/// An application that listens.
struct Listener {
    uri: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    async fn start() -> Self {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let hear = async |State(heard): State<Arc<Mutex<Vec<String>>>>, body: String| {
            heard.lock().unwrap().push(body);
            StatusCode::OK
        };
        let router = Router::new().route("/out", post(hear)).with_state(Arc::clone(&heard));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}/out", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { uri, heard }
    }

    /// The sessions it was told of, in no order.
    fn told(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        let mut all: Vec<_> =
            heard.iter().map(|form| sid(form.strip_prefix("logout_token=").unwrap())).collect();
        all.sort();
        all
    }
}

#[tokio::test]
async fn an_application_with_an_id_token_of_the_session_signs_out_at_once() {
    let server = start("").await;
    server.app("app", |_| {}).await;
    let ada = server.signed_up("ada").await;
    let hint = ada.enter("app").await;
    let before = ada.cookie("oauth_session").unwrap();
    let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE), ("state", "a b+c%")];
    let page = ada.sent_out(&asked).await;
    assert_eq!(page.location(), "https://app.example/bye?state=a+b%2Bc%25");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(ada.cookie("oauth_session").is_none() && !ada.is_in().await);
    ada.plant("oauth_session", &before);
    assert!(!ada.is_in().await, "the session is over, not only forgotten");
    // Once more, with nobody there.
    assert_eq!(ada.sent_out(&asked).await.location(), "https://app.example/bye?state=a+b%2Bc%25");

    let ada = server.visitor().sign_in("ada").await;
    let hint = ada.enter("app").await;
    let page = ada.sent_out(&[("id_token_hint", &hint)]).await;
    assert_eq!(page.location(), "/?done=signed_out");
    assert!(!ada.is_in().await);
}

#[tokio::test]
async fn what_is_not_proven_is_a_page_and_changes_nothing() {
    let server = start("").await;
    server.app("app", |_| {}).await;
    server.app("other", |client| client.metadata.post_logout_redirect_uris.clear()).await;
    let ada = server.signed_up("ada").await;
    let hint = ada.enter("app").await;
    let forged = format!("{}A", hint.trim_end_matches(|c| c != '.'));
    let more = format!("{BYE}?x=1");
    let cases: [&[(&str, &str)]; 7] = [
        &[("post_logout_redirect_uri", BYE)],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", &more)],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "https://evil.example/")],
        &[("id_token_hint", &forged), ("post_logout_redirect_uri", BYE)],
        &[("id_token_hint", &hint), ("client_id", "other")],
        &[("client_id", "other"), ("post_logout_redirect_uri", BYE)],
        &[("client_id", "nobody")],
    ];
    for case in cases {
        for page in [ada.sent_out(case).await, ada.post("/logout", case).await] {
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{case:?}");
            assert_eq!(page.by_id("error-code"), "invalid_request");
            assert_eq!(page.header("location"), "");
        }
        assert!(ada.is_in().await, "{case:?}");
    }
    for raw in ["id_token_hint=a&id_token_hint=b", "state=%ff"] {
        let page = ada.get(&format!("{END}?{raw}")).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
        assert_eq!(page.by_id("error-code"), "invalid_request");
    }
    let page = ada.sent_out(cases[2]).await;
    assert!(page.html.contains("This application cannot sign you out like that"));
}

#[tokio::test]
async fn without_a_hint_a_person_is_asked() {
    let server = start("").await;
    server.app("app", |client| client.name = "Camera <wall>".into()).await;
    let ada = server.signed_up("ada").await;
    let page = ada.sent_out(&[]).await;
    assert_eq!((page.status, page.by_id("who").as_str()), (StatusCode::OK, "ada"));
    assert!(page.has("logout") && page.has("stay") && !page.has("client-name"));
    assert!(ada.is_in().await);

    let asked = [("client_id", "app"), ("post_logout_redirect_uri", BYE), ("state", "\"<&'")];
    let page = ada.sent_out(&asked).await;
    assert_eq!(page.by_id("client-name"), "Camera <wall>");
    assert_eq!(page.by_id("back"), "app.example");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("form-action 'self' https:;"), "{policy}");
    let fields = asked.map(|(name, _)| (name, page.value(name)));
    for ((_, sent), (_, kept)) in asked.iter().zip(&fields) {
        assert_eq!(sent, kept);
    }
    assert!(ada.is_in().await);
    let form: Vec<_> = fields.iter().map(|(name, value)| (*name, &**value)).collect();
    let page = ada.post("/logout", &form).await;
    assert_eq!(page.location(), "https://app.example/bye?state=%22%3C%26%27");
    assert!(!ada.is_in().await);

    // With nobody there a button leads back, and without an address there is nothing to ask.
    let page = ada.sent_out(&asked).await;
    assert!(page.has("nobody") && page.has("logout") && !page.has("who"));
    assert_eq!(ada.sent_out(&[]).await.location(), "/?done=signed_out");
}

#[tokio::test]
async fn a_hint_about_another_session_has_the_person_asked() {
    let server = start("").await;
    server.app("app", |_| {}).await;
    let ada = server.signed_up("ada").await;
    let hint = ada.enter("app").await;
    let eve = server.signed_up("eve").await;
    let elsewhere = server.visitor().sign_in("ada").await;
    for other in [&eve, &elsewhere] {
        let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE)];
        let page = other.sent_out(&asked).await;
        assert!(page.has("logout") && other.is_in().await);
        assert_eq!(page.value("id_token_hint"), hint);
        assert_eq!(other.post("/logout", &asked).await.location(), BYE);
        assert!(!other.is_in().await);
    }
    assert!(ada.is_in().await);
}

#[tokio::test]
async fn a_form_from_another_site_comes_again_with_its_cookies() {
    let server = start("").await;
    server.app("app", |_| {}).await;
    let ada = server.signed_up("ada").await;
    let hint = ada.enter("app").await;
    let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let cross_site = |form: &[(&str, &str)]| {
        let mut request = form_request(END, None, form);
        for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://app.example")] {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        request
    };
    // The cookies of the session do not come along.
    let page = server.visitor().send(cross_site(&asked)).await;
    let again = page.location().to_owned();
    assert!(again.starts_with(&format!("{END}?")), "{again}");
    assert!(ada.is_in().await);
    assert_eq!(ada.get(&again).await.location(), format!("{BYE}?state=s"));
    assert!(!ada.is_in().await);

    let ada = server.visitor().sign_in("ada").await;
    let hint = ada.enter("app").await;
    let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE)];
    assert_eq!(ada.send(cross_site(&asked)).await.location(), BYE, "where they do come along");
    assert!(!ada.is_in().await);

    // Too long for an address: the button of the page brings them along.
    let long = "x".repeat(8 * 1024);
    let asked = [("client_id", "app"), ("post_logout_redirect_uri", BYE), ("state", &*long)];
    let page = server.visitor().send(cross_site(&asked)).await;
    assert_eq!((page.status, page.value("state")), (StatusCode::OK, long));
    assert!(page.has("logout") && page.has("nobody"));
    let mut json = Request::post(END).body(Body::from("{}")).unwrap();
    json.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    let page = server.visitor().send(json).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
}

#[tokio::test]
async fn pages_of_applications_are_shown_in_frames_that_nobody_sees() {
    let server = start("").await;
    let front = |uri: &'static str| {
        move |client: &mut Client| client.metadata.frontchannel_logout_uri = Some(uri.into())
    };
    server.app("one", front("https://one.example/out?a=1&b=2")).await;
    server.app("two", front("http://127.0.0.1:7777/out")).await;
    server.app("three", |_| {}).await;
    let ada = server.signed_up("ada").await;
    let hint = ada.enter("one").await;
    ada.enter("two").await;
    ada.enter("three").await;
    let asked = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let page = ada.sent_out(&asked).await;
    assert_eq!(page.status, StatusCode::OK);
    let sid = sid(&hint);
    let iss = "http%3A%2F%2F127.0.0.1%3A4999";
    let frames: Vec<_> = page.html.split("<iframe src=\"").skip(1).collect();
    assert_eq!(frames.len(), 2);
    for frame in &frames {
        let tag = frame.split_once('>').unwrap().0;
        assert!(tag.contains("title=") && tag.ends_with(" hidden"), "{tag}");
    }
    let html = page.html.replace("&#38;", "&");
    assert!(html.contains(&format!("\"https://one.example/out?a=1&b=2&iss={iss}&sid={sid}\"")));
    assert!(html.contains(&format!("\"http://127.0.0.1:7777/out?iss={iss}&sid={sid}\"")));
    let policy = page.header("content-security-policy");
    assert!(policy.ends_with("; frame-src http://127.0.0.1:7777 https://one.example"), "{policy}");
    assert!(policy.contains("default-src 'none'") && !policy.contains("script-src"));
    assert_eq!(page.header("refresh"), format!("3; url={BYE}?state=s"));
    assert_eq!(page.by_id("back"), "app.example");
    assert!(page.html.contains(&format!("href=\"{BYE}?state=s\"")));
    assert!(page.header("set-cookie").contains("Max-Age=0"));
    assert!(!ada.is_in().await);

    let ada = server.visitor().sign_in("ada").await;
    ada.enter("two").await;
    let page = ada.post("/logout", &[]).await;
    assert_eq!((page.status, page.header("refresh")), (StatusCode::OK, ""));
    assert!(page.has("to-home") && page.html.contains("<iframe "));
}

#[tokio::test]
async fn applications_are_told_however_a_session_ends() {
    let server = start(LOCAL).await;
    let listener = Listener::start().await;
    let uri = listener.uri.clone();
    server.app("app", |client| client.metadata.backchannel_logout_uri = Some(uri)).await;
    let ada = server.signed_up("ada").await;
    server.signed_up("eve").await;
    let mut told = Vec::new();
    let mut hear = async |sids: &[&str]| {
        maintenance::tell_of_logouts(&server.state).await;
        told.extend(sids.iter().map(ToString::to_string));
        told.sort();
        assert_eq!(listener.told(), told);
    };
    let again = async || server.visitor().sign_in("ada").await;

    // By the button: before the browser has its answer.
    let one = sid(&ada.enter("app").await);
    ada.post("/logout", &[]).await;
    assert_eq!(listener.told(), [&*one]);
    hear(&[&one]).await;

    // From the list of sessions, one and all others.
    let (here, there, third) = (again().await, again().await, again().await);
    let all = [&here, &there, &third];
    let mut sids = Vec::new();
    for browser in all {
        sids.push(sid(&browser.enter("app").await));
    }
    let user = server.state.users.user(&here.id).await.unwrap().unwrap();
    let sessions = server.state.sessions.list(&user).await.unwrap();
    let id = |sid: &str| {
        let mine = sessions.iter().find(|s| s.login.sid.as_deref() == Some(sid));
        mine.unwrap().id.clone()
    };
    here.post("/account/sessions/end", &[("session", &id(&sids[1]))]).await;
    hear(&[&sids[1]]).await;
    here.post("/account/sessions/end_others", &[]).await;
    hear(&[&sids[2]]).await;
    let page = here.post("/account/sessions/end", &[("session", &id(&sids[0]))]).await;
    assert_eq!(page.location(), "/?done=signed_out");
    hear(&[&sids[0]]).await;

    // With another password.
    let (one, two) = (again().await, server.visitor().sign_in("ada").await);
    let sids = [sid(&one.enter("app").await), sid(&two.enter("app").await)];
    let new = "ten lives and two lanterns";
    let form = [("current_password", PASSWORD), ("new_password", new)];
    assert_eq!(one.post("/account/password", &form).await.location(), "/account?done=password");
    hear(&[&sids[0], &sids[1]]).await;
    let third = sid(&one.enter("app").await);
    assert!(!sids.contains(&third), "what begins then is another session");

    // When somebody else signs in there.
    let form = [("username", "eve"), ("password", PASSWORD)];
    assert_eq!(one.post("/login", &form).await.location(), "/");
    hear(&[&third]).await;
    let eves = sid(&one.enter("app").await);
    assert_ne!(eves, third);

    // When an operator ends all of somebody's.
    let eve = server.state.store.account_by_name("eve").await.unwrap().unwrap().id;
    assert!(server.state.sessions.end_all_of(&eve).await.unwrap() > 0);
    hear(&[&eves]).await;
}

#[tokio::test]
async fn applications_are_told_when_a_session_runs_out() {
    let server = start(&format!("{LOCAL}[sessions]\nidle_timeout = \"1h\"")).await;
    let listener = Listener::start().await;
    let uri = listener.uri.clone();
    server.app("app", |client| client.metadata.backchannel_logout_uri = Some(uri)).await;
    let ada = server.signed_up("ada").await;
    let one = sid(&ada.enter("app").await);
    let told_after = async |time: Duration| {
        server.clock.advance(time);
        maintenance::sweep(&server.state).await.unwrap();
        maintenance::tell_of_logouts(&server.state).await;
        listener.told()
    };
    // What was begun in it may be finished a little later.
    assert_eq!(told_after(Duration::from_mins(65)).await, [""; 0]);
    assert!(!ada.is_in().await);
    assert_eq!(told_after(Duration::from_mins(10)).await, [&*one]);
    assert_eq!(told_after(Duration::from_hours(24)).await, [&*one]);

    // Nor is anybody forgotten who was there until the session was as old as it may get.
    ada.post("/login", &[("username", "ada"), ("password", PASSWORD)]).await;
    let two = sid(&ada.enter("app").await);
    for _ in 0..14 * 48 {
        server.clock.advance(Duration::from_mins(30));
        ada.is_in().await;
    }
    assert!(!ada.is_in().await);
    let mut both = [one, two];
    both.sort();
    assert_eq!(told_after(Duration::from_hours(12)).await, both);
}

#[tokio::test]
async fn a_request_of_an_ended_session_goes_on_in_the_new_one() {
    let server = start("").await;
    server.app("app", |client| client.skip_consent = false).await;
    let ada = server.signed_up("ada").await;
    let id = interaction(&ada.authorize("app", &[("scope", "openid")]).await);
    let elsewhere = server.visitor().sign_in("ada").await;
    elsewhere.post("/account/sessions/end_others", &[]).await;
    ada.post("/login", &[("username", "ada"), ("password", PASSWORD)]).await;
    let allow = [("interaction", &*id), ("decision", "allow")];
    let page = ada.post("/consent", &allow).await;
    assert_eq!(page.location(), format!("/login?interaction={id}"));
    let page = ada.post("/login", &[("interaction", &id), ("continue", "ada")]).await;
    let id = interaction(page.location());
    let page = ada.post("/consent", &[("interaction", &id), ("decision", "allow")]).await;
    let token = server.id_token("app", &parameter(page.location(), "code").unwrap()).await;
    assert_eq!(sid(&token), sid(&ada.enter("app").await));
}

#[tokio::test]
async fn whoever_comes_late_to_an_ended_session_is_told_of_its_end() {
    let server = start(LOCAL).await;
    let listener = Listener::start().await;
    let uri = listener.uri.clone();
    let app = |client: &mut Client| {
        client.metadata.backchannel_logout_uri = Some(uri);
        client.skip_consent = false;
    };
    server.app("app", app).await;
    let ada = server.signed_up("ada").await;
    let id = interaction(&ada.authorize("app", &[("scope", "openid")]).await);
    let browser = ada.cookie("oauth_browser").unwrap();
    ada.post("/logout", &[]).await;
    // As when the yes was under way while the session ended.
    let yes = Decision::Approved { scope: None };
    let provider = &server.state.provider;
    let since = provider.epoch().await.unwrap();
    let Ok(Next::Return(answer)) = provider.resume(&id, &browser, yes, since).await else {
        panic!("no answer");
    };
    let back = answer.location("http://127.0.0.1:4999");
    let token = server.id_token("app", &parameter(&back, "code").unwrap()).await;
    maintenance::tell_of_logouts(&server.state).await;
    assert_eq!(listener.told(), [""; 0]);
    server.clock.advance(Duration::from_mins(11));
    maintenance::sweep(&server.state).await.unwrap();
    maintenance::tell_of_logouts(&server.state).await;
    assert_eq!(listener.told(), [sid(&token)]);
}

#[tokio::test]
async fn a_session_keeps_its_name_while_the_same_person_is_there() {
    let server = start("").await;
    server.app("app", |_| {}).await;
    let ada = server.signed_up("ada").await;
    server.signed_up("eve").await;
    let first = ada.enter("app").await;
    assert_eq!(claims(&first)["acr"], "urn:oauth-core:acr:password");
    let cookie = ada.cookie("oauth_session").unwrap();
    ada.post("/login", &[("username", "ada"), ("password", PASSWORD)]).await;
    assert_ne!(ada.cookie("oauth_session").unwrap(), cookie);
    let second = ada.enter("app").await;
    assert_eq!(sid(&second), sid(&first));
    assert!(sid(&first).len() >= 22 && !cookie.contains(&sid(&first)));
    // A hint from before fits, too.
    let asked = [("id_token_hint", &*first), ("post_logout_redirect_uri", BYE)];
    assert_eq!(ada.sent_out(&asked).await.location(), BYE);

    let ada = server.visitor().sign_in("ada").await;
    let third = ada.enter("app").await;
    assert_ne!(sid(&third), sid(&first));
    ada.post("/login", &[("username", "eve"), ("password", PASSWORD)]).await;
    assert_ne!(sid(&ada.enter("app").await), sid(&third));
    let metadata = json(server.get("/.well-known/openid-configuration").await).await;
    assert_eq!(metadata["acr_values_supported"][0], "urn:oauth-core:acr:password");
    assert_eq!(metadata["end_session_endpoint"], "http://127.0.0.1:4999/oauth/logout");
}

#[tokio::test]
async fn frames_of_applications_learn_of_the_session_by_a_cookie_of_its_own() {
    let server = start("").await;
    server.app("app", |_| {}).await;
    let ada = server.signed_up("ada").await;
    let token = ada.enter("app").await;
    assert_eq!(ada.cookie("oauth_browser_state").unwrap(), browser_state(&sid(&token)));
    ada.post("/logout", &[]).await;
    assert_eq!(ada.cookie("oauth_browser_state"), None);
    let page = ada.get("/oauth/check_session").await;
    assert_eq!((page.status, page.header("x-frame-options")), (StatusCode::OK, ""));
    assert!(page.header("content-security-policy").contains("frame-ancestors *"));
    assert_eq!(ada.get(END).await.header("x-frame-options"), "DENY");

    let server = start("[server]\npublic_url = \"https://auth.example.org\"").await;
    let ada = server.visitor();
    let form = [("username", "ada"), ("password", PASSWORD)];
    let page = ada.post("/signup", &form).await;
    let set: Vec<_> =
        page.headers.get_all("set-cookie").iter().map(|v| v.to_str().unwrap()).collect();
    let state = set.iter().find(|c| c.starts_with("__Host-oauth_browser_state=")).unwrap();
    assert!(state.ends_with("; Path=/; SameSite=None; Secure"), "{state}");
}

#[tokio::test]
async fn without_openid_connect_there_is_only_the_button() {
    let server = start("[openid]\nenabled = false").await;
    let ada = server.signed_up("ada").await;
    assert_eq!(ada.get(END).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ada.get("/oauth/check_session").await.status, StatusCode::NOT_FOUND);
    assert_eq!(ada.post("/logout", &[]).await.location(), "/?done=signed_out");
    assert!(!ada.is_in().await);
}
