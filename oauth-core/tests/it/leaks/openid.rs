//! Assertions, request objects, hints and all that OpenID Connect issues: none of it is logged, whole or in part.

use super::logs::Log;
use crate::support::{
    ISSUER, NONCE, Published, Setup, USER, USERNAME, World,
    jwt::{ClientKey, Draft, assertion, jwks, request_object},
};
use oauth_core::{
    client_auth::seal_secret,
    model::{
        Client, ClientAuth, ClientId, ContentEncryption, Encryption, KeyManagementAlgorithm,
        MacAlgorithm, SigningAlgorithm, VerificationAlgorithm,
    },
    ports::{ClientStore as _, Clock as _},
    testing::fixtures,
};
use serde_json::json;

const BACK: &str = "https://client.example/back?a-word-of-the-path";
const REQUEST_URI: &str = "https://client.example/request?a-word-of-the-path";
const SHARED: &str = "a secret that is shared with the client and long enough for HS512 too";

fn es256() -> &'static ClientKey {
    ClientKey::of(VerificationAlgorithm::ES256)
}

/// Everything that must never be seen.
#[derive(Default)]
struct Secrets(Vec<String>);

impl Secrets {
    /// The parts of a JWT tell as much as the whole; its header tells nothing.
    fn add(&mut self, token: &str) {
        let parts = token.split('.').skip(usize::from(token.contains('.')));
        self.0.extend(parts.filter(|part| part.len() > 5).map(str::to_owned));
        self.0.push(token.to_owned());
    }
}

async fn world(net: &Published) -> World {
    let fetch = net.clone();
    let mut encrypting = ClientKey::of(VerificationAlgorithm::RS256).jwk();
    encrypting["use"] = json!("enc");
    encrypting["alg"] = json!("RSA-OAEP-256");
    let sets = json!({"keys": [es256().jwk(), encrypting]});
    let told = |c: &mut Client| {
        c.metadata.jwks = Some(jwks(&[es256()]));
        c.metadata.request_uris = vec![REQUEST_URI.into()];
        c.metadata.backchannel_logout_uri = Some(BACK.into());
        c.metadata.userinfo_signed_response_alg = Some(SigningAlgorithm::ES256);
    };
    let world = Setup::openid()
        .client("rp", told)
        .client("rp2", move |c| {
            c.metadata.jwks = Some(sets);
            c.metadata.id_token_encrypted_response = Some(Encryption {
                alg: KeyManagementAlgorithm::RsaOaep256,
                enc: ContentEncryption::A128CbcHs256,
            });
        })
        .client("key", |c| {
            told(c);
            c.auth = ClientAuth::PrivateKeyJwt;
        })
        .builder(|b| b.fetch(fetch).logout_page())
        .start()
        .await;
    let id = ClientId::new("mac");
    let auth = ClientAuth::SecretJwt(seal_secret(world.provider.env(), &id, SHARED));
    world.store.insert_client(Client { auth, ..fixtures::client("mac") }).await.unwrap();
    world
}

/// By each method: an assertion that is good, the same again, and what is wrong with it in every other way.
async fn assertions(world: &World, secrets: &mut Secrets) {
    let now = world.clock.now();
    let sign = |draft: &Draft, client: &str| match client {
        "mac" => draft.mac(SHARED.as_bytes(), MacAlgorithm::HS256),
        _ => draft.sign(es256()),
    };
    for client in ["key", "mac"] {
        let draft = || assertion(client, ISSUER, now);
        let good = sign(&draft(), client);
        let ask = |token: &str| world.token("web", "client_credentials").asserting(token);
        ask(&good).issues().await;
        let other = Draft::mac(
            &draft(),
            b"another secret of thirty-two bytes or more",
            MacAlgorithm::HS256,
        );
        for wrong in [
            good.clone(),
            sign(&draft().claim("exp", 1), client),
            sign(&draft().claim("aud", "https://other.example"), client),
            sign(&draft().claim("jti", "x".repeat(600)), client),
            sign(&draft().header("typ", "at+jwt"), client),
            sign(&draft().claim("sub", "nobody"), client),
            draft().unsecured(),
            other,
            "not.a.token".repeat(3),
        ] {
            ask(&wrong).refuses("invalid_client").await;
            let both = ask(&wrong).set("client_secret", SECRET_SENT);
            both.refuses("invalid_request").await;
            secrets.add(&wrong);
        }
    }
    secrets.add(SECRET_SENT);
    secrets.add(SHARED);
}

const SECRET_SENT: &str = "a-secret-beside-the-assertion";

async fn requests(world: &World, net: &Published, secrets: &mut Secrets) {
    let draft = || request_object("rp").claim("nonce", NONCE).claim("login_hint", USERNAME);
    let good = draft().sign(es256());
    net.put(REQUEST_URI, &good);
    let by_value = |token: &str| world.sign_in("rp").signed_in(USER).set("request", token);
    let by_reference = world.sign_in("rp").signed_in(USER).set("request_uri", REQUEST_URI);
    let answer = by_value(&good).granted().await;
    secrets.add(answer.must("code"));
    secrets.add(by_reference.granted().await.must("code"));
    for wrong in [
        draft().claim("exp", 1).sign(es256()),
        draft().claim("state", true).sign(es256()),
        draft().sign(ClientKey::of(VerificationAlgorithm::ES384)),
    ] {
        assert_eq!(by_value(&wrong).answer().await.get("error"), Some("invalid_request_object"));
        secrets.add(&wrong);
    }
    let unsecured = draft().unsecured();
    assert_eq!(by_value(&unsecured).answer().await.get("error"), Some("request_not_supported"));
    secrets.add(&unsecured);
    secrets.add(&good);
    secrets.add(NONCE);
}

async fn issued(world: &World, net: &Published, secrets: &mut Secrets) {
    for client in ["rp", "rp2"] {
        let request = world.sign_in(client).set("response_type", "code id_token token");
        let answer = request.set("scope", "openid email offline_access").granted().await;
        for field in ["code", "access_token", "id_token"] {
            secrets.add(answer.must(field));
        }
        let tokens = world.redeem(client, answer.must("code")).issues().await;
        for token in [&tokens.access_token, tokens.refresh_token.as_ref().unwrap()] {
            secrets.add(token);
        }
        let hint = tokens.id_token.unwrap();
        secrets.add(&hint);
        for prompt in ["none", "login"] {
            world.sign_in(client).set("prompt", prompt).set("id_token_hint", &hint).send().await;
        }
        let bearer = format!("Bearer {}", tokens.access_token);
        let request = http::Request::get("/oauth/userinfo").header("authorization", bearer);
        let reply = world.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(reply.status, 200);
        if client == "rp" {
            secrets.add(reply.text());
        }
    }
    let logged_out = |net: &Published| net.sent().iter().map(|(_, form)| form.clone()).collect();
    for answers in [true, false] {
        let hint = world.id_token_in("s-1", "rp").await;
        world
            .logout()
            .set("id_token_hint", &hint)
            .in_session(world.login_in("s-1"))
            .proceeds()
            .await;
        world.logout().set("id_token_hint", &format!("{hint}A")).refuses().await;
        secrets.add(&hint);
        if answers {
            net.put(BACK, "");
        } else {
            net.remove(BACK);
        }
        world.provider.log_out("s-1").await.unwrap();
        world.provider.deliver_logouts(10).await.unwrap();
    }
    let forms: Vec<String> = logged_out(net);
    assert!(!forms.is_empty());
    for form in forms {
        secrets.add(form.strip_prefix("logout_token=").unwrap());
    }
}

#[tokio::test]
async fn nothing_of_openid_connect_is_logged() {
    let log = Log::default();
    let _listening = log.listen();
    let net = Published::new();
    let world = world(&net).await;
    let mut secrets = Secrets::default();
    assertions(&world, &mut secrets).await;
    requests(&world, &net, &mut secrets).await;
    issued(&world, &net, &mut secrets).await;
    secrets.add(USERNAME);
    secrets.add("a-word-of-the-path");
    let text = log.text();
    for told in ["token issued", "request refused", "authorization granted", "could not be told"] {
        assert!(text.contains(told), "{told} is not in\n{text}");
    }
    assert!(secrets.0.len() > 80);
    for secret in &secrets.0 {
        assert!(!text.contains(secret.as_str()), "{secret} is in\n{text}");
    }
}
