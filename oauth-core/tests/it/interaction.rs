//! Interactions: bound to the browser that started them, over once finished, gone once expired.

use crate::support::{CALLBACK, Setup, USER, World};
use oauth_core::{
    authorize::{Decision, Refused},
    error::ErrorCode,
    model::{ClientId, Epoch, RedirectUri},
};

const YES: fn() -> Decision = || Decision::Approved { scope: None };

#[tokio::test]
async fn the_cookie_is_for_this_host_only_and_not_for_scripts() {
    let world = World::new().await;
    let step = world.request("web").send().await;
    let cookies = step.reply.cookies();
    let [cookie] = cookies.as_slice() else { panic!("{cookies:?}") };
    let (value, attributes) = cookie.split_once("; ").unwrap();
    assert!(value.starts_with("__Host-oauth_browser="));
    assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Secure");
    // It is made once.
    let again = world.request("web").in_browser(&step.browser).send().await;
    assert!(again.reply.cookies().is_empty());
}

#[tokio::test]
async fn on_plain_http_the_cookie_has_no_prefix() {
    let world = Setup::new().issuer("http://127.0.0.1:4999").start().await;
    let path = format!("/oauth/authorize?{}", world.request("web").query());
    let cookies = world.get(&path).await;
    let cookies = cookies.cookies();
    assert!(cookies[0].starts_with("oauth_browser="), "{cookies:?}");
    assert!(cookies[0].ends_with("; Path=/; HttpOnly; SameSite=Lax"));
}

/// A cookie that is not of the form this server gives out is no cookie: a new one replaces it.
#[tokio::test]
async fn a_cookie_of_another_form_is_replaced() {
    let world = World::new().await;
    for odd in ["", "x", &"x".repeat(44), &"!".repeat(43), &"é".repeat(43)] {
        let request =
            http::Request::get(format!("/oauth/authorize?{}", world.request("web").query()))
                .header("cookie", format!("__Host-oauth_browser={odd}").as_bytes());
        let reply = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(reply.cookies().len(), 1, "{odd}");
    }
}

/// The plain name is not read over https, where any sibling host could have set it.
#[tokio::test]
async fn a_tossed_cookie_is_not_read() {
    let world = World::new().await;
    let value = "a".repeat(43);
    for name in ["oauth_browser", "__host-oauth_browser", "__Host-oauth_browser ", "x"] {
        let request =
            http::Request::get(format!("/oauth/authorize?{}", world.request("web").query()))
                .header("cookie", format!("{name}={value}; y=__Host-oauth_browser={value}"));
        let reply = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
        let cookies = reply.cookies();
        assert_eq!(cookies.len(), 1, "{name}");
        assert!(!cookies[0].contains(&value));
    }
}

/// Nobody can finish in one browser what was started in another: neither lend a sign-in nor steal one.
#[tokio::test]
async fn another_browser_is_refused() {
    let world = World::new().await;
    let mine = world.request("web").send().await;
    let id = mine.reply.interaction("/login");
    let theirs = world.request("web").send().await;
    assert_ne!(mine.browser, theirs.browser);
    for decision in [Decision::SignedIn(world.login(USER)), YES(), Decision::Denied] {
        theirs.decide(&id, decision).await.reply.is_page("invalid_request");
    }
    for browser in ["", "x", &theirs.browser, &format!("{} ", mine.browser)] {
        let shown = world.provider.interaction(&id, browser).await;
        assert_eq!(shown.unwrap_err().code(), ErrorCode::InvalidRequest);
    }
    let consent = mine.sign_in(USER).await;
    let id = consent.reply.interaction("/consent");
    theirs.decide(&id, YES()).await.reply.is_page("invalid_request");
    assert!(consent.approve().await.reply.answer().get("code").is_some());
}

/// An embedder that forgets to pass the cookie shuts everybody out, and lets nobody in.
#[tokio::test]
async fn no_cookie_is_nobodys() {
    let world = World::new().await;
    let query = world.request("web").query();
    let params = oauth_core::params::Params::parse(query.as_bytes()).unwrap();
    let since = Epoch::default();
    let visitor = oauth_core::authorize::Visitor { login: None, since, browser: String::new() };
    let next = world.provider.authorize(&params, visitor).await.unwrap();
    let oauth_core::authorize::Next::Login(id) = next else { panic!("a login was expected") };
    let signed_in = Decision::SignedIn(world.login(USER));
    let refused = world.provider.resume(&id.reveal(), "", signed_in, since).await;
    let Err(Refused::Page(e)) = refused else { panic!("a page was expected") };
    assert_eq!(e.code(), ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn a_finished_one_is_over() {
    let world = World::new().await;
    let step = world.request("web").send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    step.decide(&id, YES()).await.reply.answer();
    for decision in [YES(), Decision::SignedIn(world.login(USER)), Decision::Denied] {
        step.decide(&id, decision).await.reply.is_page("invalid_request");
    }
    let shown = world.provider.interaction(&id, &step.browser).await;
    assert_eq!(shown.unwrap_err().code(), ErrorCode::InvalidRequest);
}

/// Going back and on again is fine, and no second answer comes of it: each page that was shown on the way is over.
#[tokio::test]
async fn a_request_is_answered_once_whatever_way_it_went() {
    let world = World::new().await;
    let signed_in = || Decision::SignedIn(world.login(USER));
    for answer in [YES(), Decision::Denied] {
        let step = world.request("web").set("prompt", "consent").send().await;
        let login = step.reply.interaction("/login");
        let one = step.decide(&login, signed_in()).await.reply.interaction("/consent");
        let two = step.decide(&login, signed_in()).await.reply.interaction("/consent");
        let three = step.decide(&two, signed_in()).await.reply.interaction("/consent");
        for id in [&login, &one, &two, &three] {
            assert!(world.provider.interaction(id, &step.browser).await.is_ok());
        }
        step.decide(&two, answer).await.reply.answer();
        for id in [&login, &one, &two, &three] {
            for decision in [YES(), signed_in(), Decision::Denied] {
                step.decide(id, decision).await.reply.is_page("invalid_request");
            }
            let shown = world.provider.interaction(id, &step.browser).await;
            assert_eq!(shown.unwrap_err().code(), ErrorCode::InvalidRequest);
        }
    }
}

#[tokio::test]
async fn an_expired_one_is_over() {
    let world = World::new().await;
    let step = world.request("web").send().await;
    world.after(599);
    let step = step.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    world.after(1);
    step.decide(&id, YES()).await.reply.is_page("invalid_request");
    let shown = world.provider.interaction(&id, &step.browser).await;
    assert_eq!(shown.unwrap_err().code(), ErrorCode::InvalidRequest);
}

#[tokio::test]
async fn an_unknown_one_is_over() {
    let world = World::new().await;
    let step = world.request("web").send().await;
    for id in ["", "x", "é", &"a".repeat(43), &"x".repeat(100_000)] {
        step.decide(id, YES()).await.reply.is_page("invalid_request");
    }
}

/// Two tabs on one consent page, or on two of one request, a yes in one and a no in the other: one answer goes out.
#[tokio::test]
async fn two_tabs_finish_once() {
    let world = World::new().await;
    let answers = [(true, true), (true, false), (false, true), (false, false)];
    for (same, (one, other)) in [true, false].into_iter().flat_map(|s| answers.map(|a| (s, a))) {
        let step = world.request("other").set("prompt", "consent").send().await;
        let login = step.reply.interaction("/login");
        let shown = async || {
            let signed_in = Decision::SignedIn(world.login(USER));
            step.decide(&login, signed_in).await.reply.interaction("/consent")
        };
        let first = shown().await;
        let second = if same { first.clone() } else { shown().await };
        let tab = async |id: &str, yes: bool| {
            let decision = if yes { YES() } else { Decision::Denied };
            let reply = step.decide(id, decision).await.reply;
            i32::from(reply.status == 303)
        };
        let (one, other) = tokio::join!(tab(&first, one), tab(&second, other));
        assert_eq!(one + other, 1);
    }
}

/// Two requests in two tabs of one browser do not disturb one another.
#[tokio::test]
async fn two_requests_in_one_browser_are_two() {
    let world = World::new().await;
    let one = world.request("web").set("state", "one").send().await;
    let two = world.request("web").set("state", "two").in_browser(&one.browser);
    let two = two.send().await.sign_in(USER).await;
    let one = one.sign_in(USER).await;
    let two = two.approve().await;
    let one = one.approve().await;
    assert_eq!(one.reply.answer().get("state"), Some("one"));
    assert_eq!(two.reply.answer().get("state"), Some("two"));
}

/// A redirect URI taken from the client while a person was signing in gets no code any more.
#[tokio::test]
async fn what_was_proven_must_still_hold() {
    let world = World::new().await;
    let id = ClientId::new("web");
    let clients = &world.provider.env().clients;
    let mut client = (*clients.client(&id).await.unwrap().unwrap()).clone();
    let step = world.request("web").send().await.sign_in(USER).await;
    client.redirect_uris = vec![RedirectUri::parse("https://client.example/new").unwrap()];
    clients.replace_client(client.clone()).await.unwrap();
    let interaction = step.reply.interaction("/consent");
    step.decide(&interaction, YES()).await.reply.is_page("invalid_request");
    client.redirect_uris = vec![RedirectUri::parse(CALLBACK).unwrap()];
    clients.replace_client(client).await.unwrap();
    assert!(step.decide(&interaction, YES()).await.reply.answer().get("code").is_some());
    let step = world.request("web").send().await.sign_in(USER).await;
    clients.remove_client(&id).await.unwrap();
    let location = step.reply.location().to_owned();
    assert!(location.starts_with("https://client.example/cb?"), "{location}");
}

#[tokio::test]
async fn a_removed_client_gets_no_answer() {
    let world = World::new().await;
    let step = world.request("web").send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    let clients = &world.provider.env().clients;
    clients.remove_client(&ClientId::new("web")).await.unwrap();
    step.decide(&id, YES()).await.reply.is_page("invalid_request");
}

/// Nor do the scope and the response type of the request outlive their registration.
#[tokio::test]
async fn what_was_allowed_must_still_be() {
    let world = Setup::openid().start().await;
    let clients = &world.provider.env().clients;
    let known = (*clients.client(&ClientId::new("rp")).await.unwrap().unwrap()).clone();
    let request = world.sign_in("rp").set("response_type", "id_token token");
    let step = request.set("scope", "openid email").send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    let mut without_scope = known.clone();
    without_scope.scope = oauth_core::testing::fixtures::scope("openid");
    let mut without_type = known.clone();
    without_type.response_types.remove("id_token token");
    for less in [without_scope, without_type] {
        clients.replace_client(less).await.unwrap();
        step.decide(&id, YES()).await.reply.is_page("invalid_request");
    }
    clients.replace_client(known).await.unwrap();
    step.decide(&id, YES()).await.reply.answer().must("access_token");
}
