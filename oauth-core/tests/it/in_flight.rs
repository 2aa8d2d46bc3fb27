//! What was begun before everything of a user is revoked comes to nothing after it, however long it takes.

use crate::support::{PASSWORD, Published, Setup, USER, USERNAME, World};
use async_trait::async_trait;
use oauth_core::{
    Provider,
    authorize::Decision,
    error::PortError,
    grants::Password,
    model::{ClientId, ContentEncryption, Encryption, KeyManagementAlgorithm, User, UserId},
    ports::{SignIn, Users},
    testing::JweKey,
};
use serde_json::json;
use std::sync::{Arc, Mutex};

const KEYS: &str = "https://client.example/keys.json";

/// A world in which an id token takes the key of its client, which answers when it likes.
async fn world() -> (World, Published) {
    let published = Published::new();
    published.put(KEYS, json!({"keys": [JweKey::on("P-256").public_jwk()]}));
    let fetch = published.clone();
    let world = Setup::openid()
        .client("rp", |c| {
            c.metadata.jwks_uri = Some(KEYS.into());
            c.metadata.id_token_encrypted_response = Some(Encryption {
                alg: KeyManagementAlgorithm::EcdhEs,
                enc: ContentEncryption::A128Gcm,
            });
        })
        .builder(move |b| b.fetch(fetch))
        .start()
        .await;
    (world, published)
}

async fn revoke(provider: &Provider, client: Option<&ClientId>) {
    let env = provider.env();
    env.grants.revoke_user(&UserId::new(USER), client, env.clock.now()).await.unwrap();
}

/// Once the key is asked for, revokes everything of the user, or all of one client, and only then lets it be answered.
async fn revoked_meanwhile(world: &World, published: &Published, client: Option<&ClientId>) {
    while published.asked(KEYS) == 0 {
        tokio::task::yield_now().await;
    }
    revoke(&world.provider, client).await;
    published.let_through(1);
}

async fn nothing_is_left(world: &World) {
    let env = world.provider.env();
    let user = UserId::new(USER);
    assert_eq!(env.grants.authorizations(&user, env.clock.now()).await.unwrap(), []);
    assert_eq!(env.grants.consents(&user).await.unwrap(), []);
}

/// An intruder in a session that is about to end asks for one more answer, and keeps it waiting.
#[tokio::test]
async fn an_answer_that_is_being_made_is_not_given() {
    for client in [None, Some(ClientId::new("rp"))] {
        let (world, published) = world().await;
        world.sign_in("rp").code().await;
        published.hold();
        let request = world.sign_in("rp").signed_in(USER).set("prompt", "none");
        let (step, ()) = tokio::join!(
            request.set("response_type", "code id_token").send(),
            revoked_meanwhile(&world, &published, client.as_ref()),
        );
        step.reply.answer().is_refusal("access_denied");
        nothing_is_left(&world).await;
        // Whoever begins after that has not agreed to anything.
        world.sign_in("rp").signed_in(USER).set("prompt", "none").refuses("consent_required").await;
    }
}

#[tokio::test]
async fn a_yes_that_is_being_written_down_is_not_remembered() {
    let (world, published) = world().await;
    let request = world.sign_in("rp").set("response_type", "code id_token");
    let step = request.send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    let yes = || step.decide(&id, Decision::Approved { scope: None });
    published.hold();
    let (refused, ()) = tokio::join!(yes(), revoked_meanwhile(&world, &published, None));
    refused.reply.answer().is_refusal("access_denied");
    nothing_is_left(&world).await;
    // It used nothing up: whoever may still answer can say so again.
    yes().await.reply.answer().must("code");
}

/// Whose passwords take so long to check that everything is revoked meanwhile.
#[derive(Clone, Default)]
struct Slow(Arc<Mutex<Option<Provider>>>);

#[async_trait]
impl Users for Slow {
    async fn user(&self, id: &UserId) -> Result<Option<User>, PortError> {
        Ok(Some(User { id: id.clone(), username: USERNAME.into() }))
    }
    async fn sign_in(&self, _: &str, _: &str) -> Result<SignIn, PortError> {
        let provider = self.0.lock().unwrap().clone();
        if let Some(provider) = provider {
            revoke(&provider, None).await;
        }
        Ok(SignIn::Accepted(UserId::new(USER)))
    }
}

#[tokio::test]
async fn rfc6749_s4_3_a_password_that_is_being_checked_gives_no_tokens() {
    let slow = Slow::default();
    let users = slow.clone();
    let world = Setup::new().builder(move |b| b.grant(Password).users(users)).start().await;
    let ask = || {
        let ask = world.token("web", "password").set("scope", "a");
        ask.set("username", USERNAME).set("password", PASSWORD)
    };
    ask().issues().await;
    *slow.0.lock().unwrap() = Some(world.provider.clone());
    ask().refuses("invalid_grant").await;
    nothing_is_left(&world).await;
    *slow.0.lock().unwrap() = None;
    ask().issues().await;
}
