//! OAuth 2.0 Form Post Response Mode.

use crate::support::{CALLBACK, Html, ISSUER, Setup, USER, World};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{authorize::Decision, model::RedirectUri};
use proptest::{prelude::*, test_runner::TestRunner};

async fn page(world: &World) -> crate::support::Reply {
    let request = world.sign_in("rp").set("response_mode", "form_post");
    request.send().await.sign_in(USER).await.approve().await.reply
}

/// A form that is posted by a press of its button, and by one line of script where scripts run.
#[tokio::test]
async fn s2_a_form_with_a_button_and_a_script() {
    let world = Setup::openid().start().await;
    let reply = page(&world).await;
    assert_eq!(reply.status, 200);
    let answer = reply.answer();
    assert_eq!((&*answer.to, answer.names()), (CALLBACK, vec!["code", "session_state"]));
    assert_eq!((answer.must("state"), answer.must("iss")), ("st", ISSUER));
    world.redeem("rp", answer.must("code")).issues().await;
    let html = Html::read(reply.text());
    assert_eq!(
        html.names().into_iter().filter(|n| n != "meta" && n != "input").collect::<Vec<_>>(),
        ["html", "head", "title", "style", "body", "main", "h1", "form", "p", "button", "script"]
    );
    let form = &html.tags("form")[0];
    assert_eq!(form.get("id"), Some("form-post"));
    // Posted as application/x-www-form-urlencoded, which is what a form does unless told otherwise.
    assert_eq!((form.get("enctype"), form.get("target")), (None, None));
    let button = &html.tags("button")[0];
    assert_eq!((button.get("type"), button.get("id")), (Some("submit"), Some("continue")));
    // The button adds nothing to what is posted.
    assert_eq!((button.get("name"), button.text.as_str()), (None, "Continue"));
    assert_eq!(html.tags("script")[0].text, "document.forms[0].submit()");
    // No field is called so that the script would find it in the place of the method.
    assert!(answer.fields.iter().all(|(name, _)| name != "submit"));
    assert_eq!(html.tags("html")[0].get("lang"), Some("en"));
}

/// Nothing runs but what the policy names by its hash, and nothing is loaded.
#[tokio::test]
async fn the_policy_fits_the_page() {
    let world = Setup::openid().start().await;
    let reply = page(&world).await;
    let html = Html::read(reply.text());
    let source = |tag: &str| {
        let tags = html.tags(tag);
        let [one] = tags.as_slice() else { unreachable!("there is not one {tag}") };
        assert_eq!(one.attributes().count(), 0);
        format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, one.text.as_bytes())))
    };
    let policy = reply.header("content-security-policy").unwrap();
    let mut directives: Vec<_> = policy.split("; ").collect();
    directives.sort_unstable();
    assert_eq!(
        directives,
        [
            "base-uri 'none'",
            "default-src 'none'",
            "frame-ancestors *",
            &format!("script-src {}", source("script")),
            &format!("style-src {}", source("style")),
        ]
    );
    for tag in html.all() {
        let attributes: Vec<_> = tag.attributes().collect();
        let active =
            |name: &&str| name.starts_with("on") || ["style", "src", "href"].contains(name);
        assert!(!attributes.iter().any(active), "{tag:?}");
    }
    // The client learns which server sent the browser, and not by which address.
    assert_eq!(reply.header("referrer-policy"), Some("origin"));
    reply.is_not_stored();
}

/// Whatever is in a value, the browser reads it as it was.
#[test]
fn any_value_survives_the_page() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(Setup::openid().start());
    let check = |state: &str| {
        let request = world.sign_in("rp").set("state", state).set("prompt", "none");
        let request = request.set("response_mode", "form_post");
        let answer = runtime.block_on(request.refuses("login_required"));
        assert_eq!(answer.mode, "form_post");
        assert_eq!(answer.get("state"), (!state.is_empty()).then_some(state));
    };
    for odd in [
        "\"><script>alert(1)</script>",
        "' onfocus='alert(1)",
        "&amp;&quot;&#39;&lt;&#x3c;&ampx;&notit;",
        "</form></main></style></script><!--",
        "a\r\nb\rc\nd\te\u{c}f",
        "\u{feff}é漢🦀\u{202e}\u{7f}\u{80}\u{9f}\u{fffe}\u{1}",
        "]]> <![CDATA[ <?php ?> {{ }} ${x}",
        " leading and trailing ",
    ] {
        check(odd);
    }
    check(&"\"<&'\r\n漢".chars().cycle().take(1000).collect::<String>());
    let any = prop_oneof!["[^\0]{0,40}", "[&<>\"'=\r\n;#a-z0-9]{0,40}"];
    TestRunner::default()
        .run(&any, |state| {
            check(&state);
            Ok(())
        })
        .unwrap();
}

/// The address of the client stands in the form as it was registered, its query included.
#[tokio::test]
async fn the_redirect_uri_is_kept() {
    for registered in [
        "https://client.example/cb?a=b&c=d",
        "https://client.example/cb?x='y'&amp;z=1",
        "https://client.example/cb?",
        "com.example.app:/cb",
        "http://127.0.0.1:4711/cb",
    ] {
        let setup = Setup::openid()
            .client("rp", |c| c.redirect_uris = vec![RedirectUri::parse(registered).unwrap()]);
        let world = setup.start().await;
        let request = world.sign_in("rp").set("redirect_uri", registered);
        let answer = request.set("response_mode", "form_post").granted().await;
        assert_eq!(answer.to, registered);
    }
}

#[tokio::test]
async fn errors_come_by_form_too() {
    let world = Setup::openid().start().await;
    let request = || world.sign_in("rp").set("response_mode", "form_post");
    let answer = request().set("prompt", "none").refuses("login_required").await;
    assert_eq!(answer.names(), ["error", "error_description"]);
    let step = request().send().await;
    let id = step.reply.interaction("/login");
    let answer = step.decide(&id, Decision::Denied).await.reply.answer();
    answer.is_refusal("access_denied");
    assert_eq!(answer.mode, "form_post");
    // Nothing is proven of where this one should go.
    request().set("redirect_uri", "https://evil.example").shows("invalid_request").await;
    // What was answered once is not answered again.
    let late = step.decide(&id, Decision::Denied).await;
    late.reply.is_page("invalid_request");
}
