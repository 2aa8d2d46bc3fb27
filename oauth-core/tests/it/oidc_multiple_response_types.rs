//! OAuth 2.0 Multiple Response Type Encoding Practices: every response type in every mode, successes and errors.

use crate::support::{CALLBACK, ISSUER, RESPONSE_TYPES, Setup, USER, World};
use oauth_core::{
    authorize::Decision,
    grants::Implicit,
    model::{ClientId, UserId},
};

const CODE: &[&str] = &["code"];
const TOKEN: &[&str] = &["access_token", "expires_in", "scope", "token_type"];
const ID_TOKEN: &[&str] = &["id_token"];
/// What each response type brings, and how it travels where nothing else is asked.
const TABLE: [(&str, &str, &[&[&str]]); 8] = [
    ("code", "query", &[CODE]),
    ("code id_token", "fragment", &[CODE, ID_TOKEN]),
    ("code id_token token", "fragment", &[CODE, ID_TOKEN, TOKEN]),
    ("code token", "fragment", &[CODE, TOKEN]),
    ("id_token", "fragment", &[ID_TOKEN]),
    ("id_token token", "fragment", &[ID_TOKEN, TOKEN]),
    ("none", "query", &[]),
    ("token", "fragment", &[TOKEN]),
];
/// A mode that is asked for, and the mode that comes of it.
fn modes(usual: &'static str) -> Vec<(Option<&'static str>, &'static str)> {
    let mut modes =
        vec![(None, usual), (Some("fragment"), "fragment"), (Some("form_post"), "form_post")];
    if usual == "query" {
        modes.push((Some("query"), "query"));
    }
    modes
}

#[tokio::test]
async fn s3_s5_what_comes_and_how() {
    let world = Setup::openid().start().await;
    for (kind, usual, parts) in TABLE {
        let mut names: Vec<_> = parts.concat();
        names.push("session_state");
        names.sort_unstable();
        for (asked, mode) in modes(usual) {
            let mut request = world.sign_in("rp").set("response_type", kind);
            if let Some(asked) = asked {
                request = request.set("response_mode", asked);
            }
            let answer = request.granted().await;
            assert_eq!(answer.names(), names, "{kind} {asked:?}");
            assert_eq!((answer.mode, &*answer.to), (mode, CALLBACK), "{kind} {asked:?}");
            assert_eq!((answer.must("state"), answer.must("iss")), ("st", ISSUER));
        }
    }
}

/// The same table for errors that are found out at once, and after a person has acted.
#[tokio::test]
async fn s2_1_errors_travel_like_successes() {
    let world = Setup::openid().start().await;
    for (kind, usual, _) in TABLE {
        for (asked, mode) in modes(usual) {
            let request = || {
                let request = world.sign_in("rp").set("response_type", kind);
                asked.into_iter().fold(request, |r, asked| r.set("response_mode", asked))
            };
            for (name, value, code) in [
                ("prompt", "none", "login_required"),
                ("prompt", "none consent", "invalid_request"),
                ("scope", "openid \"", "invalid_scope"),
                ("max_age", "soon", "invalid_request"),
                ("claims", "{", "invalid_request"),
                ("resource", "https://unknown.example", "invalid_target"),
            ] {
                let answer = request().set(name, value).refuses(code).await;
                assert_eq!(answer.mode, mode, "{kind} {asked:?} {name}={value}");
                assert_eq!(answer.must("state"), "st");
                assert_eq!(answer.get("session_state"), None);
            }
            let step = request().set("prompt", "login consent").send().await.sign_in(USER).await;
            let id = step.reply.interaction("/consent");
            let answer = step.decide(&id, Decision::Denied).await.reply.answer();
            answer.is_refusal("access_denied");
            assert_eq!((answer.mode, answer.must("state")), (mode, "st"), "{kind} {asked:?}");
        }
    }
}

/// No token ever travels in a query. That the mode is refused is told where the client looks.
#[tokio::test]
async fn s3_query_is_for_what_has_no_token() {
    let world = Setup::openid().start().await;
    for (kind, usual, _) in TABLE {
        let request = world.sign_in("rp").set("response_type", kind).set("response_mode", "query");
        if usual == "query" {
            assert_eq!(request.granted().await.mode, "query");
        } else {
            assert_eq!(request.refuses("invalid_request").await.mode, "fragment", "{kind}");
        }
        for unknown in ["jwt", "web_message", "FRAGMENT", "form_post query", "é"] {
            let request = world.sign_in("rp").set("response_type", kind);
            let answer = request.set("response_mode", unknown).refuses("invalid_request").await;
            assert_eq!(answer.mode, usual, "{kind} {unknown}");
        }
    }
}

#[tokio::test]
async fn s3_the_order_of_the_words_does_not_matter() {
    let world = Setup::openid().start().await;
    for (kind, same) in [
        ("id_token code", "code id_token"),
        ("token code", "code token"),
        ("token id_token", "id_token token"),
        ("token id_token code", "code id_token token"),
        ("id_token code token", "code id_token token"),
    ] {
        let names = async |kind: &str| {
            let answer = world.sign_in("rp").set("response_type", kind).granted().await;
            answer.names().join(" ")
        };
        assert_eq!(names(kind).await, names(same).await);
    }
    for unknown in ["id_token id_token", "code none", "id_token none", "code foo", "id_token foo"] {
        let request = world.sign_in("rp").set("response_type", unknown);
        let answer = request.refuses("unsupported_response_type").await;
        assert_eq!(answer.in_fragment, unknown.contains("id_token"), "{unknown}");
    }
    // It is told in the way that was asked for, even where nothing is known of the type.
    let request = world.sign_in("rp").set("response_type", "foo").set("response_mode", "form_post");
    assert_eq!(request.refuses("unsupported_response_type").await.mode, "form_post");
    let request = world.sign_in("rp").unset("response_type").set("response_mode", "form_post");
    assert_eq!(request.refuses("invalid_request").await.mode, "form_post");
}

#[tokio::test]
async fn each_type_is_for_clients_registered_for_it() {
    for kind in RESPONSE_TYPES {
        let setup = Setup::openid().client("rp", |c| c.response_types = [kind.to_owned()].into());
        let world = setup.start().await;
        for other in RESPONSE_TYPES {
            let request = world.sign_in("rp").set("response_type", other);
            if other == kind {
                request.granted().await;
            } else {
                request.refuses("unauthorized_client").await;
            }
        }
    }
}

/// What is offered follows from the grants and from whether OpenID Connect is spoken; metadata says the same.
#[tokio::test]
async fn what_is_offered_is_what_is_advertised() {
    for (openid, implicit, expected) in [
        (true, true, &RESPONSE_TYPES[..]),
        (true, false, &["code", "code id_token", "none"][..]),
        (false, true, &["code", "none", "token"][..]),
        (false, false, &["code", "none"][..]),
    ] {
        let words = |types: &[&str]| types.iter().map(|&t| t.to_owned()).collect();
        let setup = Setup::new()
            .client("rp", |c| {
                c.response_types = words(&RESPONSE_TYPES);
                c.scope = oauth_core::testing::fixtures::scope("openid a");
            })
            .policy(|p| p.openid = openid);
        let setup = if implicit { setup.builder(|b| b.grant(Implicit)) } else { setup };
        let world = setup.start().await;
        assert_eq!(
            world.provider.metadata()["response_types_supported"],
            serde_json::json!(expected)
        );
        for kind in RESPONSE_TYPES {
            let request = world.sign_in("rp").set("response_type", kind);
            if expected.contains(&kind) {
                request.granted().await;
            } else {
                request.refuses("unsupported_response_type").await;
            }
        }
    }
}

/// Nothing is issued, but what was agreed to is remembered.
#[tokio::test]
async fn s4_none_asks_for_agreement_alone() {
    let world = Setup::openid().start().await;
    let request = || world.sign_in("rp").set("response_type", "none");
    let code = || world.sign_in("rp").signed_in(USER).set("prompt", "none");
    code().refuses("consent_required").await;
    assert_eq!(request().granted().await.names(), ["session_state"]);
    code().granted().await;
    // It is an answer like any other: it can be refused, and a person can say no.
    request().set("prompt", "none").refuses("login_required").await;
    let plain = world.request("rp").set("response_type", "none").granted().await;
    assert!(plain.names().is_empty(), "{plain:?}");
    let now = world.provider.env().clock.now();
    let grants = &world.provider.env().grants;
    let live = grants.authorizations(&UserId::new(USER), now).await.unwrap();
    assert!(live.iter().all(|a| a.client != ClientId::new("rp2")));
}

/// PKCE protects codes; where there is none, it is not asked for, and does no harm.
#[tokio::test]
async fn pkce_goes_with_the_code() {
    let world = Setup::openid().start().await;
    for kind in RESPONSE_TYPES {
        let request = world.sign_in("rp").set("response_type", kind).without_pkce();
        if kind.contains("code") {
            request.refuses("invalid_request").await;
        } else {
            request.granted().await;
        }
    }
}

/// Every answer has all it should after a request that came as a form.
#[tokio::test]
async fn a_form_asks_like_a_query() {
    let world = Setup::openid().start().await;
    let browser = world.sign_in("rp").send().await.browser;
    for (kind, usual, _) in TABLE {
        let request = || world.sign_in("rp").set("response_type", kind).in_browser(&browser);
        let by_query = request().granted().await;
        let by_form = request().signed_in(USER).post().await.reply.answer();
        assert_eq!((by_form.names(), by_form.mode), (by_query.names(), usual), "{kind}");
    }
}

#[tokio::test]
async fn an_unknown_world_refuses_openid() {
    let world = World::new().await;
    // Its client is not registered for the scope, so this is no OpenID Connect request it could make.
    world.sign_in("web").refuses("invalid_scope").await;
}
