//! RFC 6749 3.1, 4.1.1, 4.1.2: the authorization endpoint.

use crate::support::{CALLBACK, CHALLENGE, ISSUER, Setup, USER, World};
use oauth_core::{authorize::Decision, model::RedirectUri, testing::fixtures::scope};

#[tokio::test]
async fn s4_1_2_a_code_comes_back_to_the_redirect_uri() {
    let world = World::new().await;
    let answer = world.request("web").answer().await;
    assert_eq!((answer.to.as_str(), answer.in_fragment), (CALLBACK, false));
    let names: Vec<_> = answer.fields.iter().map(|(n, _)| n.as_str()).collect();
    assert_eq!(names, ["code", "iss", "state"]);
    assert_eq!(answer.get("state"), Some("st"));
    assert_eq!(answer.get("code").map(str::len), Some(43));
}

#[tokio::test]
async fn s3_1_post_is_sent_on_as_get_so_that_the_cookie_comes_along() {
    let world = World::new().await;
    let step = world.request("web").post().await;
    let (path, query) = step.reply.location().split_once('?').unwrap();
    assert_eq!(path, "/oauth/authorize");
    assert_eq!(step.reply.status, 303);
    let step = world.request("web").send_raw(query).await;
    step.reply.interaction("/login");
    let step = world.request("web").in_browser(&step.browser).post().await;
    assert_eq!(step.reply.status, 303);
    step.reply.interaction("/login");
    let long = "x".repeat(10_000);
    let step = world.request("web").set("state", &long).post().await;
    step.reply.interaction("/login");
}

/// Nothing proves that an answer may be sent anywhere, so nobody is redirected.
#[tokio::test]
async fn s4_1_2_1_client_and_redirect_uri_are_refused_by_a_page() {
    let world = World::new().await;
    let request = || world.request("web");
    request().unset("client_id").shows("invalid_request").await;
    request().set("client_id", "nobody").shows("invalid_request").await;
    request().set("client_id", "").shows("invalid_request").await;
    for uri in [
        "https://evil.example/cb",
        "https://client.example/cb/",
        "https://client.example/cb?x=y",
        "https://client.example/cb#x",
        "https://client.example/cb%0d%0aSet-Cookie:x=y",
        "https://client.example/cb\r\nSet-Cookie: x=y",
        "https://CLIENT.example/cb",
        "https://client.example:443/cb",
        "https://client.example/x/../cb",
        "https://client.example\\@evil.example/cb",
        "https://client.example@evil.example/cb",
        "https://u@client.example/cb",
        "http://client.example/cb",
        "//client.example/cb",
        "/cb",
        "javascript:alert(1)//https://client.example/cb",
        " https://client.example/cb",
        "https://client.example/cb ",
        "https://clıent.example/cb",
        "data:text/html,x",
    ] {
        request().set("redirect_uri", uri).shows("invalid_request").await;
    }
    request().unset("client_id").also("client_id", "other").answer().await;
    request().also("client_id", "other").shows("invalid_request").await;
    request().also("redirect_uri", CALLBACK).shows("invalid_request").await;
}

#[tokio::test]
async fn s3_1_2_3_redirect_uri_may_be_left_out_only_when_one_is_registered() {
    let world = Setup::new()
        .client("two", |c| {
            c.redirect_uris.push(RedirectUri::parse("https://client.example/2").unwrap());
        })
        .start()
        .await;
    let answer = world.request("web").unset("redirect_uri").answer().await;
    assert_eq!(answer.to, CALLBACK);
    world.request("two").code().await;
    world.request("two").unset("redirect_uri").shows("invalid_request").await;
    world.request("rs").unset("redirect_uri").shows("invalid_request").await;
    world.request("rs").shows("invalid_request").await;
}

#[tokio::test]
async fn s3_1_2_a_registered_query_is_kept() {
    for (registered, expected) in [
        ("https://client.example/cb?a=b", "https://client.example/cb?a=b&code="),
        ("https://client.example/cb?", "https://client.example/cb?code="),
        ("https://client.example/cb?a&", "https://client.example/cb?a&code="),
        ("https://client.example", "https://client.example?code="),
        ("com.example.app:/cb", "com.example.app:/cb?code="),
    ] {
        let world = Setup::new()
            .client("web", |c| {
                c.redirect_uris = vec![RedirectUri::parse(registered).unwrap()];
            })
            .start()
            .await;
        let step = world.request("web").set("redirect_uri", registered).send().await;
        let step = step.sign_in(USER).await.approve().await;
        let location = step.reply.location();
        assert!(location.starts_with(expected), "{location}");
    }
}

#[tokio::test]
async fn s4_1_2_1_the_rest_is_answered_to_the_client() {
    let world = World::new().await;
    let request = || world.request("web");
    for (name, value, code) in [
        ("response_type", "", "invalid_request"),
        ("response_type", "nonsense", "unsupported_response_type"),
        ("response_type", "CODE", "unsupported_response_type"),
        ("response_type", "code code", "unsupported_response_type"),
        ("response_type", "code ", "unsupported_response_type"),
        ("response_type", "none", "unauthorized_client"),
        ("scope", "a d", "invalid_scope"),
        ("scope", "a \"", "invalid_scope"),
        ("scope", "A", "invalid_scope"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("response_mode", "web_message", "invalid_request"),
        ("resource", "https://unknown.example", "invalid_target"),
        ("resource", "not a uri", "invalid_target"),
        ("prompt", "none", "login_required"),
        ("prompt", "none login", "invalid_request"),
    ] {
        let answer = request().set(name, value).refuses(code).await;
        assert_eq!(answer.get("state"), Some("st"), "{name}={value}");
        assert_eq!(answer.to, CALLBACK);
    }
    request().set("response_mode", "query").code().await;
}

#[tokio::test]
async fn s4_1_1_the_client_must_be_registered_for_the_response_type() {
    let world = Setup::new()
        .client("no-grant", |c| {
            c.grant_types.remove("authorization_code");
        })
        .client("no-type", |c| {
            c.response_types.remove("code");
        })
        .start()
        .await;
    for client in ["no-grant", "no-type"] {
        world.request(client).refuses("unauthorized_client").await;
    }
    world.request("web").code().await;
}

#[tokio::test]
async fn s3_1_a_parameter_occurs_once() {
    let world = World::new().await;
    for (name, value) in [
        ("state", "st"),
        ("scope", "a"),
        ("response_type", "code"),
        ("code_challenge", CHALLENGE),
        ("unknown", "x"),
    ] {
        let request = world.request("web").set(name, value);
        request.clone().code().await;
        request.also(name, value).shows("invalid_request").await;
    }
    world.request("web").also("unknown", "x").code().await;
    world.request("web").also("state", "").code().await;
}

/// The client's `state` comes back as it was, whatever is in it.
#[tokio::test]
async fn s4_1_2_state_is_echoed_byte_for_byte() {
    let world = World::new().await;
    let odd = "&=?#%+;:/\\\"'<>\r\n\t \u{1}\u{7f}é漢🦀\u{202e}\u{feff}";
    let long: String = odd.chars().cycle().take(1000).collect();
    for state in [odd, &long, "%0d%0aSet-Cookie:%20a=b", "&code=stolen&iss=https://evil.example"] {
        let answer = world.request("web").set("state", state).answer().await;
        assert_eq!(answer.get("state"), Some(state));
        assert_eq!(answer.get("iss"), Some(ISSUER));
        let answer = world
            .request("web")
            .set("state", state)
            .set("scope", "unknown")
            .refuses("invalid_scope")
            .await;
        assert_eq!(answer.get("state"), Some(state));
    }
    let answer = world.request("web").unset("state").answer().await;
    assert_eq!(answer.get("state"), None);
}

#[tokio::test]
async fn s4_1_2_1_a_no_is_told_to_the_client() {
    let world = World::new().await;
    let step = world.request("web").send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    let no = step.decide(&id, Decision::Denied).await;
    let answer = no.reply.answer();
    assert_eq!(answer.get("error"), Some("access_denied"));
    assert_eq!(answer.get("state"), Some("st"));
    assert_eq!(answer.get("iss"), Some(ISSUER));
    let late = step.decide(&id, Decision::Approved { scope: None }).await;
    late.reply.is_page("invalid_request");
    let before = world.request("web").send().await;
    let id = before.reply.interaction("/login");
    let no = before.decide(&id, Decision::Denied).await;
    assert_eq!(no.reply.answer().get("error"), Some("access_denied"));
}

/// Who agrees to a part gets a part; nobody agrees to more than was asked.
#[tokio::test]
async fn s3_3_the_person_may_agree_to_less() {
    let world = World::new().await;
    let step = world.request("web").send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    let yes = |text: &str| Decision::Approved { scope: Some(scope(text)) };
    for more in ["a b c", "c", "d"] {
        let refused = step.decide(&id, yes(more)).await;
        assert_eq!(refused.reply.answer().get("error"), Some("invalid_scope"));
    }
    let step = step.decide(&id, yes("a")).await;
    let answer = step.reply.answer();
    let code = answer.get("code").unwrap();
    assert_eq!(world.redeem("web", code).issues().await.scope, "a");
    let again = world.request("web").signed_in(USER).send().await;
    again.reply.interaction("/consent");
    let less = world.request("web").signed_in(USER).set("scope", "a");
    less.send().await.reply.answer().get("code").unwrap();
}

/// The status is 302 after a GET and 303 after a form (RFC 9700 4.12: never 307).
#[tokio::test]
async fn rfc9700_s4_12_no_form_is_posted_on() {
    let world = World::new().await;
    let step = world.request("web").send().await;
    assert_eq!(step.reply.status, 302);
    let step = step.sign_in(USER).await;
    assert_eq!(step.reply.status, 303);
    let step = step.approve().await;
    assert_eq!(step.reply.status, 303);
}

/// A user who was removed or disabled while the session lived gets no code.
#[tokio::test]
async fn a_user_who_is_gone_authorizes_nothing() {
    let world = World::new().await;
    let step = world.request("web").send().await.sign_in(USER).await;
    world.store.forget(USER);
    let refused = step.approve().await;
    assert_eq!(refused.reply.answer().get("error"), Some("access_denied"));
    assert_eq!(refused.reply.answer().get("code"), None);
}

/// What is kept while a person signs in has a length. A preference that is longer is left out, and `state` is refused.
#[tokio::test]
async fn what_is_kept_is_bounded() {
    let world = World::new().await;
    let long = |n: usize| "x".repeat(n);
    let posted = |name: &'static str, value: String| {
        let browser = long(43);
        world.request("web").set(name, &value).in_browser(&browser).post()
    };
    let step = posted("state", long(16 * 1024)).await.sign_in(USER).await.approve().await;
    assert_eq!(step.reply.answer().get("state"), Some(long(16 * 1024).as_str()));
    let refused = posted("state", long(16 * 1024 + 1)).await.reply.answer();
    refused.is_refusal("invalid_request");
    for (n, kept) in [(1024, true), (1025, false), (60_000, false)] {
        let step = posted("login_hint", long(n)).await;
        let id = step.reply.interaction("/login");
        let shown = world.provider.interaction(&id, &step.browser).await.unwrap();
        assert_eq!(shown.pending.login_hint.is_some(), kept, "{n}");
    }
    let step = posted("ui_locales", format!("{} de {}", long(256), long(255))).await;
    let id = step.reply.interaction("/login");
    let shown = world.provider.interaction(&id, &step.browser).await.unwrap();
    assert_eq!(shown.pending.ui_locales, ["de".to_owned(), long(255)]);
}
