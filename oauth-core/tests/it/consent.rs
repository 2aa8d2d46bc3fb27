//! Consent: remembered for what was agreed to, by whom, for whom; and for nothing more.

use crate::support::{CALLBACK, RESPONSE_TYPES, Setup, USER, World};
use oauth_core::{
    model::{
        Client, ClientId, Committed, Consent, Consume, Issuance, Parent, RedirectUri, Resource,
        UserId,
    },
    ports::GrantStore as _,
    testing::fixtures,
};

const ONE: &str = "https://one.example/";
const TWO: &str = "https://two.example/";

#[tokio::test]
async fn it_covers_what_was_agreed_and_less() {
    let world = World::new().await;
    world.request("web").code().await;
    let again = |scope: &'static str| world.request("web").signed_in(USER).set("scope", scope);
    for within in ["a", "b", "a b", "b a"] {
        assert!(again(within).send().await.reply.answer().get("code").is_some());
    }
    for beyond in ["c", "a c", "a b c"] {
        again(beyond).send().await.reply.interaction("/consent");
    }
    // Agreeing to more adds to what is remembered.
    again("c").code().await;
    assert!(again("a b c").send().await.reply.answer().get("code").is_some());
}

#[tokio::test]
async fn it_is_of_one_user_to_one_client() {
    let world = Setup::new().user("eve", "Eve", "x").start().await;
    world.request("web").code().await;
    let eve = world.request("web").signed_in("eve");
    eve.send().await.reply.interaction("/consent");
    let other = world.request("other").signed_in(USER);
    other.send().await.reply.interaction("/consent");
}

#[tokio::test]
async fn it_can_be_withdrawn() {
    let world = World::new().await;
    world.request("web").code().await;
    let env = world.provider.env();
    let now = env.clock.now();
    env.grants.revoke_user(&UserId::new(USER), None, now).await.unwrap();
    let again = world.request("web").signed_in(USER).send().await;
    again.reply.interaction("/consent");
}

#[tokio::test]
async fn first_party_clients_may_go_without() {
    let world = Setup::new().client("web", |c| c.skip_consent = true).start().await;
    let step = world.request("web").send().await.sign_in(USER).await;
    assert!(step.reply.answer().get("code").is_some());
    let silent = world.request("web").signed_in(USER).set("prompt", "none");
    assert!(silent.send().await.reply.answer().get("code").is_some());
    // Nobody said yes, so no yes is remembered.
    let grants = &world.provider.env().grants;
    let (user, web) = (UserId::new(USER), ClientId::new("web"));
    assert_eq!(grants.consent(&user, &web).await.unwrap(), None);
    // Asked for, it is asked.
    let asked = world.request("web").signed_in(USER).set("prompt", "consent");
    asked.send().await.reply.interaction("/consent");
    // It is still nobody's business who has not signed in.
    world.request("web").set("prompt", "none").refuses("login_required").await;
}

/// A no is not remembered, and neither is a request that was left lying.
#[tokio::test]
async fn nothing_else_is_remembered() {
    let world = World::new().await;
    let step = world.request("web").send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    step.decide(&id, oauth_core::authorize::Decision::Denied).await;
    world.request("web").send().await.sign_in(USER).await.reply.interaction("/consent");
    let again = world.request("web").signed_in(USER).send().await;
    again.reply.interaction("/consent");
}

/// A world with two resources.
async fn with_resources() -> World {
    let known = |uri: &str| Resource {
        uri: fixtures::resource(uri),
        access_token_format: None,
        access_token_ttl: None,
        scope: fixtures::scope(""),
    };
    Setup::new().builder(move |b| b.resource(known(ONE)).resource(known(TWO))).start().await
}

/// The same scope for another resource is another key to another door.
#[tokio::test]
async fn it_is_for_the_resources_it_was_given_for() {
    let world = with_resources().await;
    let request = || world.request("web").signed_in(USER);
    let silent = || request().set("prompt", "none");
    request().set("resource", ONE).code().await;
    silent().set("resource", ONE).granted().await;
    silent().set("resource", ONE).set("scope", "a").granted().await;
    silent().set("resource", TWO).refuses("consent_required").await;
    silent().set("resource", ONE).also("resource", TWO).refuses("consent_required").await;
    // What is good nowhere but here is less.
    silent().granted().await;
    let step = request().set("resource", TWO).send().await;
    let id = step.reply.interaction("/consent");
    let shown = world.provider.interaction(&id, &step.browser).await.unwrap();
    assert_eq!(shown.needed, fixtures::scope("a b"), "resources are not chosen one by one");
    step.approve().await.reply.answer().must("code");
    silent().set("resource", TWO).also("resource", ONE).granted().await;
    // And a yes without any resource is one to no resource.
    let other = || world.request("other").signed_in(USER);
    other().code().await;
    other().set("resource", ONE).set("prompt", "none").refuses("consent_required").await;
}

/// RFC 8707 2: a yes is to a scope at a resource, not to every scope agreed to so far at every resource named so far.
#[tokio::test]
async fn scopes_and_resources_are_agreed_to_in_pairs() {
    let world = with_resources().await;
    let request = |client: &str, scope: &str| {
        world.request(client).signed_in(USER).set("scope", scope).set("prompt", "none")
    };
    let asked = |client: &str, scope: &str| request(client, scope).unset("prompt");
    // Two yeses at two resources.
    asked("web", "a").set("resource", TWO).code().await;
    asked("web", "b").set("resource", ONE).code().await;
    for (scope, resource, covered) in
        [("a", TWO, true), ("b", ONE, true), ("a", ONE, false), ("b", TWO, false)]
    {
        let silent = request("web", scope).set("resource", resource);
        if covered {
            silent.granted().await;
        } else {
            silent.refuses("consent_required").await;
        }
    }
    request("web", "a b").set("resource", ONE).refuses("consent_required").await;
    let both = request("web", "a").set("resource", ONE).also("resource", TWO);
    both.refuses("consent_required").await;
    // One without a resource, and a smaller one at one.
    asked("other", "a b").code().await;
    asked("other", "b").set("resource", ONE).code().await;
    request("other", "b").set("resource", ONE).granted().await;
    request("other", "a").set("resource", ONE).refuses("consent_required").await;
    request("other", "a b").granted().await;
}

/// What was remembered in words and resources apart covers no request for a resource.
#[tokio::test]
async fn an_old_yes_is_to_no_resource() {
    let world = with_resources().await;
    let old = Issuance {
        consume: Consume::Nothing,
        parent: Parent::None,
        code: None,
        tokens: Vec::new(),
        consent: Some(Consent {
            user: UserId::new(USER),
            client: ClientId::new("web"),
            scope: fixtures::scope(&format!("a b resource:{ONE}")),
            at: fixtures::NOW,
        }),
        at: fixtures::NOW,
    };
    assert_eq!(world.store.commit(old).await.unwrap(), Committed::Done);
    let silent = || world.request("web").signed_in(USER).set("prompt", "none");
    silent().granted().await;
    silent().set("resource", ONE).refuses("consent_required").await;
}

/// RFC 6749 10.2: where anybody could be who answers to the address, a person has done something in each request, even
/// if the operator has nothing asked.
#[tokio::test]
async fn nothing_is_skipped_for_who_could_be_anybody() {
    let world = Setup::new()
        .client("native", |c| c.skip_consent = true)
        .client("spa", |c| c.skip_consent = true)
        .start()
        .await;
    for redirect_uri in ["http://127.0.0.1:5000/cb", "com.example.app:/cb"] {
        let request = || world.request("native").set("redirect_uri", redirect_uri);
        request().send().await.sign_in(USER).await.reply.answer().must("code");
        request().signed_in(USER).set("prompt", "none").refuses("consent_required").await;
        request().signed_in(USER).send().await.reply.interaction("/consent");
    }
    // At an https address there is only one.
    world.request("spa").signed_in(USER).set("prompt", "none").granted().await;
}

/// The same for a client with a secret, of which nothing is seen where tokens are answered in front.
#[tokio::test]
async fn nothing_in_front_is_skipped_for_who_could_be_anybody() {
    let native = |c: &mut Client| {
        let uris = [CALLBACK, "http://127.0.0.1/cb"];
        c.redirect_uris = uris.map(|uri| RedirectUri::parse(uri).unwrap()).into();
    };
    let world = Setup::openid()
        .client("rp", native)
        .client("rp", |c| c.skip_consent = true)
        .client("rp2", native)
        .start()
        .await;
    for (client, kind) in ["rp", "rp2"].into_iter().flat_map(|c| RESPONSE_TYPES.map(|k| (c, k))) {
        let request = |redirect_uri: &str| {
            let request = world.sign_in(client).set("redirect_uri", redirect_uri);
            request.set("response_type", kind).signed_in(USER)
        };
        let app = "http://127.0.0.1:5000/cb";
        request(app).granted().await;
        request(CALLBACK).set("prompt", "none").granted().await;
        let silent = request(app).set("prompt", "none");
        if ["code", "none"].contains(&kind) {
            silent.granted().await;
        } else {
            silent.refuses("consent_required").await;
        }
    }
}
