//! Input nobody should send: each endpoint answers a standard error, and nothing worse.

use crate::support::{Ask, CALLBACK, PASSWORD, Setup, USERNAME, World, run};
use axum::{
    body::Body,
    http::{Method, Request},
};
use oauth_core::grants::{Implicit, Password};
use proptest::prelude::*;

const ENDPOINTS: [&str; 3] = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"];
const FORM: &str = "application/x-www-form-urlencoded";

/// A request that each of the endpoints answers well.
fn good<'w>(world: &'w World, path: &str) -> Ask<'w> {
    Ask::new(world, path).by("web").set("grant_type", "client_credentials").set("token", "x")
}

#[tokio::test]
async fn rfc6749_s3_2_post_only() {
    let world = World::new().await;
    for path in ENDPOINTS {
        assert_eq!(good(&world, path).send().await.status, 200);
        for method in
            [Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS]
        {
            let request = Request::builder()
                .method(method.clone())
                .uri(format!("{path}?{}", good(&world, path).encoded()))
                .header("authorization", "Basic d2ViOnNlY3JldA==");
            let reply = world.send(request.body(Body::empty()).unwrap()).await;
            assert_eq!(reply.status, 405, "{method} {path}");
            assert_eq!(reply.header("allow"), Some("POST"));
            assert!(reply.body.is_empty());
        }
    }
    for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server"] {
        assert_eq!(Ask::new(&world, path).send().await.status, 405);
    }
    for path in ["/", "/oauth", "/oauth/token/", "/oauth//token", "/OAUTH/TOKEN", "/oauth/token%2f"]
    {
        assert_eq!(good(&world, path).send().await.status, 404, "{path}");
    }
}

/// Credentials and parameters in the address are not looked at.
#[tokio::test]
async fn rfc6749_s2_3_1_nothing_is_read_from_the_address() {
    let world = World::new().await;
    for path in ENDPOINTS {
        let query = "client_id=post&client_secret=secret&grant_type=client_credentials&token=x";
        let ask = Ask::new(&world, &format!("{path}?{query}"));
        ask.refuses("invalid_client").await;
        let ask = good(&world, &format!("{path}?grant_type=password&token=y&client_id=other"));
        assert_eq!(ask.send().await.status, 200);
    }
}

#[tokio::test]
async fn multipart_is_read_like_a_form() {
    let world = World::new().await;
    for path in ENDPOINTS {
        let one = good(&world, path).send().await;
        let other = good(&world, path).send_multipart().await;
        assert_eq!((one.status, other.status), (200, 200));
    }
    let code = world.request("post").code().await;
    let reply = world.redeem("post", &code).send_multipart().await;
    assert_eq!(reply.status, 200);
    let odd = world.token("web", "client_credentials").set("scope", "a\r\nb");
    odd.send_multipart().await.refuses("invalid_scope");
    let doubled = world.token("web", "client_credentials").also("scope", "a").also("scope", "a");
    doubled.send_multipart().await.refuses("invalid_request");
}

#[tokio::test]
async fn multipart_that_is_none() {
    let world = World::new().await;
    let part =
        "--XX\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n";
    let kind = "multipart/form-data; boundary=XX";
    let bodies: [(&str, Vec<u8>); 11] = [
        ("multipart/form-data", format!("{part}--XX--\r\n").into()),
        ("multipart/form-data; boundary=", format!("{part}--XX--\r\n").into()),
        (kind, part.into()),
        (kind, b"--XX".to_vec()),
        (kind, b"grant_type=client_credentials".to_vec()),
        (kind, format!("{part}--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--\r\n").into()),
        (kind, format!("{part}--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\r\nx\r\n--XX--\r\n").into()),
        (kind, format!("{part}--XX\r\nContent-Disposition: form-data; name=\"f\"; filename=\"\"\r\n\r\n\r\n--XX--\r\n").into()),
        (kind, [part.as_bytes(), b"--XX\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\xff\r\n--XX--\r\n"].concat()),
        (kind, format!("{part}--XX\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\0\r\n--XX--\r\n").into()),
        (kind, format!("{part}{part}--XX--\r\n").into()),
    ];
    for (index, (kind, body)) in bodies.into_iter().enumerate() {
        for path in ENDPOINTS {
            let reply = good(&world, path).send_as(kind, body.clone()).await;
            assert_eq!(reply.status, 400, "{index} {}", reply.text());
            reply.refuses("invalid_request");
        }
    }
}

#[tokio::test]
async fn other_content_types_are_refused() {
    let world = World::new().await;
    for path in ENDPOINTS {
        let body = || good(&world, path).encoded().into_bytes();
        for kind in [
            "",
            "application/json",
            "text/plain",
            "application/x-www-form-urlencodedx",
            "multipart/mixed; boundary=XX",
            "application/x-www-form-urlencoded, application/json",
        ] {
            let reply = good(&world, path).send_as(kind, body()).await;
            reply.refuses("invalid_request");
        }
        for kind in [
            "application/x-www-form-urlencoded;charset=UTF-8",
            "Application/X-WWW-Form-URLEncoded ; charset=utf-8",
        ] {
            assert_eq!(good(&world, path).send_as(kind, body()).await.status, 200);
        }
        let request = Request::post(path).header("authorization", "Basic d2ViOnNlY3JldA==");
        let reply = world.send(request.body(Body::from(body())).unwrap()).await;
        reply.refuses("invalid_request");
    }
}

#[tokio::test]
async fn bodies_have_an_end() {
    let world = World::new().await;
    for path in ENDPOINTS {
        let with = |length: usize| {
            let body = good(&world, path).encoded() + "&pad=";
            body.clone() + &"x".repeat(length - body.len())
        };
        let fits = good(&world, path).send_as(FORM, with(64 * 1024).into()).await;
        assert_eq!(fits.status, 200);
        let not = good(&world, path).send_as(FORM, with(64 * 1024 + 1).into()).await;
        not.refuses("invalid_request");
        let not = good(&world, path).set("pad", &"x".repeat(1_000_000));
        not.clone().send_multipart().await.refuses("invalid_request");
        not.refuses("invalid_request").await;
    }
    let reply = world.request("web").set("pad", &"x".repeat(70_000)).post().await;
    reply.reply.is_page("invalid_request");
}

#[tokio::test]
async fn rfc6749_s3_2_no_parameter_twice() {
    let world = World::new().await;
    for path in ENDPOINTS {
        for name in ["grant_type", "token", "scope", "client_id", "x"] {
            let value = if name == "client_id" { "web" } else { "client_credentials" };
            let ask = || good(&world, path).unset(name).also(name, value);
            ask().also(name, value).refuses("invalid_request").await;
            // An empty one counts as left out.
            let once = ask().also(name, "").send().await;
            assert!(!once.text().contains("repeated"), "{}", once.text());
        }
    }
}

#[tokio::test]
async fn what_is_no_text_is_refused() {
    let world = World::new().await;
    for path in ENDPOINTS {
        let start = good(&world, path).encoded();
        for tail in ["&x=%00", "&%00=x", "&x=%ff", "&%ff=x", "&x=%c3", "&x=%ed%a0%80", "&x=a%00b"] {
            let body = format!("{start}{tail}").into_bytes();
            good(&world, path).send_as(FORM, body).await.refuses("invalid_request");
        }
        for tail in [&b"&x=\xff"[..], b"&\xc3=x", b"&x=\0"] {
            let body = [start.as_bytes(), tail].concat();
            good(&world, path).send_as(FORM, body).await.refuses("invalid_request");
        }
        // Percent signs that encode nothing are just text.
        for tail in ["&x=%", "&x=%zz", "&&&", "&=", "&=x"] {
            let body = format!("{start}{tail}").into_bytes();
            assert_eq!(good(&world, path).send_as(FORM, body).await.status, 200, "{tail}");
        }
    }
    for tail in ["&x=%00", "&x=%ff", "&%00"] {
        let query = world.request("web").query() + tail;
        world.request("web").send_raw(&query).await.reply.is_page("invalid_request");
    }
    let step = world.request("web").set("state", "a\0b").send().await;
    step.reply.is_page("invalid_request");
}

#[tokio::test]
async fn a_hundred_parameters_are_enough() {
    let world = World::new().await;
    for path in ENDPOINTS {
        let ask = |many: usize| {
            (2..many).fold(good(&world, path), |ask, n| ask.set(&format!("p{n}"), "x"))
        };
        assert_eq!(ask(100).send().await.status, 200);
        ask(101).refuses("invalid_request").await;
        ask(5000).refuses("invalid_request").await;
    }
    let many = (0..200).fold(world.request("web"), |r, n| r.also(&format!("p{n}"), "x"));
    many.shows("invalid_request").await;
    let many = (0..200).fold(world.request("web"), |r, _| r.also("resource", "x:y"));
    many.shows("invalid_request").await;
}

#[tokio::test]
async fn rfc9110_s5_3_one_authorization_header() {
    let world = World::new().await;
    for path in ENDPOINTS {
        let twice = good(&world, path).header("authorization", "Basic d2ViOnNlY3JldA==");
        twice.refuses("invalid_request").await;
        let twice = good(&world, path).header("authorization", "Bearer x");
        twice.refuses("invalid_request").await;
        let odd = good(&world, path).anonymous().header("authorization", "Basic \u{e9}");
        odd.refuses("invalid_client").await;
        let long = format!("Basic {}", "QQ".repeat(30_000));
        let long = good(&world, path).anonymous().header("authorization", &long);
        long.refuses("invalid_client").await;
    }
}

#[tokio::test]
async fn names_of_parameters_are_exact() {
    let world = World::new().await;
    for name in ["Grant_Type", "grant_type ", "grant-type", "grant_type[]", "ｇrant_type"] {
        let ask = world.token("web", "client_credentials").unset("grant_type");
        ask.set(name, "client_credentials").refuses("invalid_request").await;
    }
}

/// What belongs to one endpoint means nothing at another.
#[tokio::test]
async fn requests_at_the_wrong_endpoint() {
    let world = World::new().await;
    let token = world.token("web", "client_credentials");
    token.clone().to("/oauth/revoke").refuses("invalid_request").await;
    token.to("/oauth/introspect").refuses("invalid_request").await;
    world.revoke("web", "x").to("/oauth/token").refuses("invalid_request").await;
    let step = world.request("web").set("grant_type", "client_credentials").send().await;
    step.reply.interaction("/login");
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300)
}

/// Words of the protocol and junk, in any combination.
fn word() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "web",
        "spa",
        "native",
        "post",
        "secret",
        "code",
        "token",
        "a",
        "b",
        "S256",
        "plain",
        "none",
        "login",
        "consent",
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "implicit",
        "query",
        "fragment",
        CALLBACK,
        USERNAME,
        PASSWORD,
        "http://127.0.0.1:80/cb",
        "https://evil.example",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => "[^\0]{0,12}"]
}

fn name() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "client_id",
        "client_secret",
        "response_type",
        "response_mode",
        "redirect_uri",
        "scope",
        "state",
        "code",
        "code_challenge",
        "code_challenge_method",
        "code_verifier",
        "prompt",
        "grant_type",
        "username",
        "password",
        "refresh_token",
        "token",
        "resource",
        "login_hint",
        "token_type_hint",
    ]);
    prop_oneof![9 => known.prop_map(str::to_owned), 1 => "[a-z]{0,6}"]
}

fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::btree_map(name(), word(), 0..12).prop_map(|m| m.into_iter().collect())
}

fn encode(pairs: &[(String, String)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn bytes_of_any_kind_get_a_standard_error(bodies in prop::collection::vec(bytes(), 16)) {
        run(async {
            let world = World::new().await;
            for body in bodies {
                for path in ENDPOINTS {
                    for kind in [FORM, "multipart/form-data; boundary=X"] {
                        let ask = Ask::new(&world, path).by("web");
                        ask.send_as(kind, body.clone()).await.refuses("invalid_request");
                    }
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }

    #[test]
    fn words_of_any_order_get_an_answer(all in prop::collection::vec(pairs(), 60)) {
        run(async {
            let world = Setup::new().builder(|b| b.grant(Implicit).grant(Password)).start().await;
            for pairs in all {
                for path in ENDPOINTS {
                    let ask = pairs.iter().fold(Ask::new(&world, path), |ask, (n, v)| ask.set(n, v));
                    let reply = ask.send().await;
                    prop_assert!([200, 400, 401].contains(&reply.status), "{} {pairs:?}", reply.status);
                    reply.is_not_stored();
                }
                for signed_in in [false, true] {
                    let request = world.request("web");
                    let request = if signed_in { request.signed_in("u") } else { request };
                    let reply = request.send_raw(&encode(&pairs)).await.reply;
                    match reply.status {
                        302 => {
                            let to = reply.location();
                            let mine = [CALLBACK, "http://127.0.0.1", "/login?", "/consent?", "com.example.app:/cb"];
                            prop_assert!(mine.iter().any(|m| to.starts_with(m)), "{to}");
                        }
                        status => prop_assert_eq!(status, 400),
                    }
                }
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
