//! RFC 7523 2.2 and 3, and OpenID Connect Core 9: clients that authenticate by a JWT.

mod methods;
mod rivals;

use crate::support::{
    Ask, ISSUER, Published, SECRET, Setup, World,
    jwt::{ClientKey, Draft, assertion, jwks},
};
use oauth_core::{
    client_auth::seal_secret,
    config::AssertionAudience,
    model::{Client, ClientAuth, ClientId, MacAlgorithm, VerificationAlgorithm},
    ports::{ClientStore as _, Clock as _},
    testing::fixtures,
};
use serde_json::{Value, json};

const JWKS_URI: &str = "https://client.example/jwks";
/// Of the client `mac`: as long as HS512 demands.
const SHARED: &str = "a secret that is shared with the client and long enough for HS512 too";

fn es256() -> &'static ClientKey {
    ClientKey::of(VerificationAlgorithm::ES256)
}

/// The clients `key`, with one key for each algorithm, and `twin`, with the same keys.
fn setup() -> Setup {
    let keys = jwks(&VerificationAlgorithm::ALL.map(ClientKey::of));
    let signing = |keys: Value| {
        move |client: &mut Client| {
            client.auth = ClientAuth::PrivateKeyJwt;
            client.metadata.jwks = Some(keys);
        }
    };
    Setup::new().client("key", signing(keys.clone())).client("twin", signing(keys))
}

/// Beside those the client `mac`, whose secret is known by its seal alone.
async fn started(setup: Setup) -> World {
    let world = setup.start().await;
    let id = ClientId::new("mac");
    let auth = ClientAuth::SecretJwt(seal_secret(world.provider.env(), &id, SHARED));
    let client = Client { auth, ..fixtures::client("mac") };
    assert!(world.store.insert_client(client).await.unwrap());
    world
}

async fn world() -> World {
    started(setup()).await
}

/// An assertion of the client with everything right.
fn good(world: &World, client: &str) -> Draft {
    assertion(client, ISSUER, world.clock.now())
}

/// A request with this assertion and no other credentials.
fn with<'w>(world: &'w World, token: &str) -> Ask<'w> {
    world.token("web", "client_credentials").asserting(token)
}

async fn accepts(world: &World, draft: &Draft) {
    with(world, &draft.sign(es256())).issues().await;
}

async fn refuses(world: &World, draft: &Draft) {
    with(world, &draft.sign(es256())).refuses("invalid_client").await;
}

#[tokio::test]
async fn s3_9_every_algorithm_authenticates() {
    let world = world().await;
    for alg in VerificationAlgorithm::ALL {
        let token = good(&world, "key").sign(ClientKey::of(alg));
        with(&world, &token).issues().await;
    }
    for alg in MacAlgorithm::ALL {
        with(&world, &good(&world, "mac").mac(SHARED.as_bytes(), alg)).issues().await;
    }
}

#[tokio::test]
async fn s2_2_an_assertion_authenticates_wherever_a_secret_does() {
    let world = world().await;
    let issued = with(&world, &good(&world, "key").sign(es256())).issues().await;
    let token = || good(&world, "key").sign(es256());
    let described = world.introspection("web", &issued.access_token).asserting(&token());
    assert_eq!(described.describes().await["active"], true);
    world.revoke("web", &issued.access_token).asserting(&token()).succeeds().await;
    assert!(!world.is_active(&issued.access_token).await);
}

#[tokio::test]
async fn s3_each_claim_has_its_rule() {
    let world = world().await;
    let now = world.clock.now().unix();
    let draft = || good(&world, "key");
    accepts(&world, &draft()).await;
    for (name, wrong) in [
        (
            "iss",
            vec![json!("web"), json!("twin"), json!(""), json!(7), json!(["key"]), json!(null)],
        ),
        (
            "sub",
            vec![json!("web"), json!("twin"), json!("nobody"), json!(""), json!(7), json!(["key"])],
        ),
        ("exp", vec![json!(now - 30), json!(now + 3631), json!("soon"), json!(null), json!(1e300)]),
        ("nbf", vec![json!(now + 31), json!("now"), json!(null)]),
        ("iat", vec![json!(now + 31), json!("now"), json!(null)]),
        ("jti", vec![json!(""), json!(7), json!(null), json!(["x"]), json!("x".repeat(513))]),
    ] {
        for wrong in wrong {
            refuses(&world, &draft().claim(name, wrong)).await;
        }
    }
    for required in ["iss", "sub", "aud", "exp", "jti"] {
        refuses(&world, &draft().without(required)).await;
    }
    refuses(&world, &draft().claim("iss", "twin").claim("sub", "twin").header("kid", "x")).await;
    accepts(&world, &draft().claim("iss", "twin").claim("sub", "twin")).await;
    accepts(&world, &draft().without("iat").claim("exp", now + 3630)).await;
    accepts(&world, &draft().claim("exp", now - 29)).await;
    accepts(&world, &draft().claim("nbf", now + 30).claim("iat", now + 30)).await;
    accepts(&world, &draft().claim("iat", now - 9999).claim("extra", json!([{}]))).await;
    accepts(&world, &draft().claim("jti", format!("\0é{}", "x".repeat(500)))).await;
}

#[tokio::test]
async fn s3_3_the_audience_is_this_server() {
    let world = world().await;
    let draft = |aud: Value| good(&world, "key").claim("aud", aud);
    let at = |path: &str| format!("{ISSUER}{path}");
    for aud in [
        json!(ISSUER),
        json!(at("/oauth/token")),
        json!(at("/oauth/revoke")),
        json!(at("/oauth/introspect")),
        json!([ISSUER]),
        json!(["https://other.example", at("/oauth/token"), 7]),
    ] {
        accepts(&world, &draft(aud)).await;
    }
    for aud in [
        json!("https://other.example"),
        json!(at("/")),
        json!(at("/oauth/authorize")),
        json!(at("/oauth/token/")),
        json!(at("/oauth/token?x")),
        json!("https://AS.example"),
        json!("/oauth/token"),
        json!(""),
        json!([]),
        json!([[ISSUER]]),
        json!({ISSUER: ISSUER}),
        json!(null),
    ] {
        refuses(&world, &draft(aud)).await;
    }
}

/// What else a server demands that must not get assertions for another from a third.
#[tokio::test]
async fn s3_3_a_strict_audience_is_the_issuer_alone() {
    let strict = setup().policy(|p| p.assertion_audience = AssertionAudience::Issuer);
    let world = started(strict).await;
    let draft = |aud: Value| good(&world, "key").claim("aud", aud);
    accepts(&world, &draft(json!(ISSUER))).await;
    for aud in [json!([ISSUER]), json!(format!("{ISSUER}/oauth/token")), json!(null)] {
        refuses(&world, &draft(aud)).await;
    }
}

#[tokio::test]
async fn rfc8725_s3_1_and_3_11_each_header_has_its_rule() {
    let world = world().await;
    let draft = || good(&world, "key");
    for typ in ["JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"]
    {
        accepts(&world, &draft().header("typ", typ)).await;
    }
    accepts(&world, &draft().header("kid", Value::Null)).await;
    for (name, wrong) in [
        ("typ", json!("at+jwt")),
        ("typ", json!("oauth-authz-req+jwt")),
        ("typ", json!("")),
        ("kid", json!("key of RS256")),
        ("kid", json!("unknown")),
        ("alg", json!("none")),
        ("alg", json!("RS256")),
        ("alg", json!("HS256")),
        ("alg", json!("es256")),
        ("alg", Value::Null),
        ("crit", json!(["exp"])),
    ] {
        refuses(&world, &draft().header(name, wrong)).await;
    }
}

#[tokio::test]
async fn s3_9_the_signature_must_be_the_clients() {
    let world = world().await;
    let token = good(&world, "key").sign(es256());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let other = good(&world, "key").sign(es256());
    let stranger = ClientKey::new(VerificationAlgorithm::ES256, "key of ES256");
    for wrong in [
        good(&world, "key").sign(&stranger),
        good(&world, "key").unsecured(),
        format!("{message}."),
        format!("{message}.{}", &signature[2..]),
        format!("{}.{signature}", other.rsplit_once('.').unwrap().0),
        message.into(),
        format!("{token}.{signature}"),
        format!("{token} "),
        format!("{token}{}", "x".repeat(16 * 1024)),
        "x".into(),
        "..".into(),
    ] {
        with(&world, &wrong).refuses("invalid_client").await;
    }
    with(&world, &token).issues().await;
}

/// RFC 8725 2.1: what is published as a key is never taken for a secret.
#[tokio::test]
async fn rfc8725_s2_1_a_public_key_is_no_secret() {
    let world = world().await;
    let rsa = ClientKey::of(VerificationAlgorithm::RS256);
    let public = [
        serde_json::to_vec(&rsa.jwk()).unwrap(),
        rsa.jwk()["n"].as_str().unwrap().into(),
        SECRET.into(),
        SHARED.into(),
    ];
    for secret in public {
        for alg in MacAlgorithm::ALL {
            let token = good(&world, "key").header("kid", "key of RS256").mac(&secret, alg);
            with(&world, &token).refuses("invalid_client").await;
        }
    }
}

#[tokio::test]
async fn s3_7_an_assertion_is_used_once() {
    let world = world().await;
    let draft = good(&world, "key");
    let token = draft.sign(es256());
    with(&world, &token).issues().await;
    with(&world, &token).refuses("invalid_client").await;
    // The id is what counts: not the bytes, the endpoint or the end.
    refuses(&world, &draft).await;
    refuses(&world, &draft.clone().claim("exp", world.clock.now().unix() + 90)).await;
    world.introspection("web", "x").asserting(&draft.sign(es256())).refuses("invalid_client").await;
    // Another client has ids of its own.
    accepts(&world, &draft.clone().claim("iss", "twin").claim("sub", "twin")).await;
}

/// For as long as an assertion would be taken, its id is remembered.
#[tokio::test]
async fn s3_7_an_id_is_remembered_to_the_last_moment() {
    for fraction in [0.0, 0.9] {
        let world = world().await;
        let ends =
            json!(60.0 + fraction + f64::from(i32::try_from(world.clock.now().unix()).unwrap()));
        let draft = || good(&world, "key").claim("exp", ends.clone());
        let used = draft();
        accepts(&world, &used).await;
        world.after(89);
        refuses(&world, &used).await;
        accepts(&world, &draft()).await;
        if fraction > 0.0 {
            world.after(1);
            refuses(&world, &used).await;
            accepts(&world, &draft()).await;
        }
        world.after(1);
        refuses(&world, &draft()).await;
    }
}

/// Nobody but the client can use up its ids, and what is refused uses up none.
#[tokio::test]
async fn s3_7_a_refused_assertion_uses_up_no_id() {
    let world = world().await;
    let draft = good(&world, "key");
    let writes = world.store.writes();
    let stranger = ClientKey::new(VerificationAlgorithm::ES256, "key of ES256");
    with(&world, &draft.sign(&stranger)).refuses("invalid_client").await;
    with(&world, &draft.unsecured()).refuses("invalid_client").await;
    refuses(&world, &draft.clone().claim("aud", "https://other.example")).await;
    refuses(&world, &draft.clone().claim("exp", 1)).await;
    refuses(&world, &draft.clone().header("typ", "at+jwt")).await;
    assert_eq!(world.store.writes(), writes);
    accepts(&world, &draft).await;
}

#[tokio::test]
async fn s3_9_keys_by_reference_may_change() {
    let published = Published::new();
    let fetch = published.clone();
    let world = setup()
        .client("key", |c| {
            c.metadata.jwks = None;
            c.metadata.jwks_uri = Some(JWKS_URI.into());
        })
        .builder(|b| b.fetch(fetch))
        .start()
        .await;
    refuses(&world, &good(&world, "key")).await;
    world.after(10);
    published.put(JWKS_URI, jwks(&[es256()]));
    accepts(&world, &good(&world, "key")).await;
    let next = ClientKey::new(VerificationAlgorithm::ES256, "next");
    published.put(JWKS_URI, jwks(&[&next]));
    world.after(10);
    with(&world, &good(&world, "key").sign(&next)).issues().await;
    refuses(&world, &good(&world, "key")).await;
    assert_eq!(published.asked(JWKS_URI), 3);
}

/// Whoever guesses ids learns nothing, and nobody learns which rule was broken.
#[tokio::test]
async fn rfc6749_s5_2_every_refusal_has_the_same_bytes() {
    let world = world().await;
    let draft = good(&world, "key");
    let used = draft.sign(es256());
    with(&world, &used).issues().await;
    let known = with(&world, "x").send().await;
    known.refuses("invalid_client");
    let stranger = ClientKey::new(VerificationAlgorithm::ES256, "key of ES256");
    for token in [
        used,
        draft.sign(&stranger),
        draft.clone().claim("exp", 1).sign(es256()),
        draft.clone().claim("aud", "x").sign(es256()),
        draft.clone().without("jti").sign(es256()),
        assertion("nobody", ISSUER, world.clock.now()).sign(es256()),
        assertion(&"x".repeat(2000), ISSUER, world.clock.now()).sign(es256()),
        assertion("key\0", ISSUER, world.clock.now()).sign(es256()),
        assertion("web", ISSUER, world.clock.now()).sign(es256()),
        good(&world, "mac").mac(b"another secret, and that one long too", MacAlgorithm::HS256),
    ] {
        let refused = with(&world, &token).send().await;
        assert_eq!((&refused.body, &refused.headers), (&known.body, &known.headers));
    }
}
