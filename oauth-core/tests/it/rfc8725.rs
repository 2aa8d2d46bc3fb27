//! RFC 8725 3.11, 3.12: a JWT made for one thing is nothing else. Every JWT that this server issues, and every one that a
//! client makes for it, in every place where another is expected.

use crate::support::{
    Ask, ISSUER, NONCE, Published, Setup, USER, World,
    jwt::{ClientKey, assertion, jwks, request_object},
    registering::{Own, REGISTER, Site},
};
use axum::{
    body::Body,
    http::{Request, header},
};
use oauth_core::{
    model::{Client, ClientAuth, SigningAlgorithm, VerificationAlgorithm},
    ports::Clock as _,
    testing::fixtures::scope,
};
use serde_json::json;

const BACK: &str = "https://client.example/back";

/// The client `rp` has a secret, the client `key` has keys, and both everything else.
async fn world() -> (World, Published) {
    let net = Published::new();
    net.put(BACK, "");
    let fetch = net.clone();
    let all = |c: &mut Client| {
        c.scope = scope("openid email a b");
        c.metadata.jwks = Some(jwks(&[ClientKey::of(VerificationAlgorithm::ES256)]));
        c.metadata.userinfo_signed_response_alg = Some(SigningAlgorithm::ES256);
        c.metadata.backchannel_logout_uri = Some(BACK.into());
    };
    let world = Setup::openid()
        .client("rp", all)
        .client("key", |c| {
            all(c);
            c.auth = ClientAuth::PrivateKeyJwt;
        })
        .builder(|b| b.fetch(fetch).logout_page())
        .start()
        .await;
    (world, net)
}

/// One of each, all about the same user, client and session.
struct Kinds {
    access_token: String,
    own_access_token: String,
    id_token: String,
    logout_token: String,
    userinfo: String,
    assertion: String,
    request_object: String,
}

impl Kinds {
    async fn of(world: &World, net: &Published) -> Self {
        let tokens = world.tokens_in("s-1", "rp", "openid email").await;
        let own = world.token("web", "client_credentials").issues().await;
        let userinfo = bearer(world, &tokens.access_token).await;
        assert_eq!(userinfo.0, 200);
        let participants = world.provider.log_out("s-2").await.unwrap();
        assert!(participants.is_empty());
        // Of another session, so that the first lives on.
        world.tokens_in("s-3", "rp", "openid email").await;
        world.provider.log_out("s-3").await.unwrap();
        world.provider.deliver_logouts(10).await.unwrap();
        let (_, form) = net.sent().pop().unwrap();
        let key = ClientKey::of(VerificationAlgorithm::ES256);
        Self {
            access_token: tokens.access_token,
            own_access_token: own.access_token,
            id_token: tokens.id_token.unwrap(),
            logout_token: form.strip_prefix("logout_token=").unwrap().to_owned(),
            userinfo: userinfo.1,
            assertion: assertion("key", ISSUER, world.clock.now()).sign(key),
            request_object: request_object("rp").claim("nonce", NONCE).sign(key),
        }
    }

    /// All but one.
    fn but<'k>(&'k self, right: &'k str) -> impl Iterator<Item = (&'static str, &'k str)> {
        let all = [
            ("access token", &self.access_token),
            ("access token of a client", &self.own_access_token),
            ("id token", &self.id_token),
            ("logout token", &self.logout_token),
            ("userinfo", &self.userinfo),
            ("assertion", &self.assertion),
            ("request object", &self.request_object),
        ];
        let all = all.map(|(kind, token)| (kind, token.as_str()));
        all.into_iter().filter(move |(_, token)| *token != right)
    }
}

/// The status and the body of a userinfo answer.
async fn bearer(world: &World, token: &str) -> (u16, String) {
    let request = Request::get("/oauth/userinfo");
    let request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    let reply = world.send(request.body(Body::empty()).unwrap()).await;
    (reply.status, reply.text().to_owned())
}

#[tokio::test]
async fn s3_11_nothing_but_an_access_token_opens_anything() {
    let (world, net) = world().await;
    let kinds = Kinds::of(&world, &net).await;
    assert_eq!(bearer(&world, &kinds.access_token).await.0, 200);
    assert!(world.is_active(&kinds.access_token).await);
    assert!(world.is_active(&kinds.own_access_token).await);
    for (kind, token) in kinds.but(&kinds.access_token) {
        let (status, body) = bearer(&world, token).await;
        assert_eq!(status, 401, "{kind}: {body}");
        assert!(body.contains("invalid_token"), "{kind}: {body}");
        if kind != "access token of a client" {
            assert!(!world.is_active(token).await, "{kind}");
        }
    }
    for (_, token) in kinds.but("") {
        world.redeem("rp", token).refuses("invalid_grant").await;
        world.refresh("rp", token).refuses("invalid_grant").await;
    }
}

#[tokio::test]
async fn s3_11_nothing_but_an_id_token_says_who_was_here() {
    let (world, net) = world().await;
    let kinds = Kinds::of(&world, &net).await;
    let silent = |hint: &str| {
        let request = world.sign_in("rp").signed_in(USER).set("prompt", "none");
        request.set("id_token_hint", hint)
    };
    let logout =
        |hint: &str| world.logout().set("id_token_hint", hint).in_session(world.login_in("s-1"));
    silent(&kinds.id_token).granted().await;
    logout(&kinds.id_token).proceeds().await;
    for (kind, token) in kinds.but(&kinds.id_token) {
        let answer = silent(token).answer().await;
        assert_eq!(answer.get("error"), Some("invalid_request"), "{kind}");
        logout(token).refuses().await;
    }
}

#[tokio::test]
async fn s3_11_nothing_but_an_assertion_authenticates() {
    let (world, net) = world().await;
    let kinds = Kinds::of(&world, &net).await;
    let with = |token: &str, client: &str| {
        let ask: Ask<'_> = world.token("web", "client_credentials").asserting(token);
        ask.set("client_id", client)
    };
    for (_, token) in kinds.but(&kinds.assertion) {
        for client in ["key", "rp", USER] {
            with(token, client).refuses("invalid_client").await;
        }
        with(token, "key").unset("client_id").refuses("invalid_client").await;
    }
    // A request object of the same client that has all that an assertion needs, but says what it is.
    let key = ClientKey::of(VerificationAlgorithm::ES256);
    let draft = assertion("key", ISSUER, world.clock.now());
    let typed = draft.clone().header("typ", "oauth-authz-req+jwt").sign(key);
    with(&typed, "key").refuses("invalid_client").await;
    with(&kinds.assertion, "key").issues().await;
}

#[tokio::test]
async fn s3_11_nothing_but_a_request_object_asks() {
    let (world, net) = world().await;
    let kinds = Kinds::of(&world, &net).await;
    let ask = |token: &str| world.sign_in("rp").signed_in(USER).set("request", token);
    ask(&kinds.request_object).granted().await;
    for (kind, token) in kinds.but(&kinds.request_object) {
        let answer = ask(token).answer().await;
        assert_eq!(answer.get("error"), Some("invalid_request_object"), "{kind}");
    }
    let own = assertion("rp", ISSUER, world.clock.now());
    let own = own.sign(ClientKey::of(VerificationAlgorithm::ES256));
    assert_eq!(ask(&own).answer().await.get("error"), Some("invalid_request_object"));
}

/// What manages a registration is no token of the protocol, and no token of the protocol manages a registration.
#[tokio::test]
async fn registration_access_tokens_are_for_one_registration() {
    let site = Site::open().await;
    let body = json!({"redirect_uris": [crate::support::CALLBACK], "scope": "openid a",
                      "grant_types": ["authorization_code", "client_credentials"]});
    let own: Own = site.registers(body).await;
    let world = &site.world;
    assert!(!world.is_active(&own.token).await);
    assert_eq!(bearer(world, &own.token).await.0, 401);
    world.redeem("rp", &own.token).refuses("invalid_grant").await;
    world.refresh("rp", &own.token).refuses("invalid_grant").await;
    let ask = || world.token("web", "client_credentials").anonymous();
    ask().basic(own.id(), &own.token).refuses("invalid_client").await;
    let issued = ask().basic(own.id(), own.secret()).set("scope", "a").issues().await;
    for wrong in [own.secret(), &issued.access_token] {
        let reply = site.send("GET", &own.path, Some(wrong), None).await;
        assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("invalid_token")));
    }
    assert_eq!(site.read(&own).await.status, 200);
    // As an initial access token it is seen by whoever is at the door, and by nobody else.
    site.door.answers(oauth_core::ports::Admission::TokenRefused);
    let reply = site.send("POST", REGISTER, Some(&own.token), Some(&json!({}))).await;
    assert_eq!((reply.status, &reply.json()["error"]), (401, &json!("invalid_token")));
}
