//! OpenID Connect Core 11: access while the user is away.

use crate::support::{Setup, USER, World};
use oauth_core::{
    authorize::Decision,
    model::{ClientId, UserId},
    testing::fixtures::scope,
};

const OFFLINE: &str = "openid offline_access";

/// Whether the code flow for this scope ends in a refresh token.
async fn refreshes(world: &World, client: &str, scope: &str) -> bool {
    let tokens = world.openid_tokens(client, scope).await;
    tokens.refresh_token.is_some()
}

#[tokio::test]
async fn it_decides_whether_there_is_a_refresh_token() {
    let world = Setup::openid().start().await;
    assert!(!refreshes(&world, "rp", "openid profile a").await);
    assert!(refreshes(&world, "rp", OFFLINE).await);
    let tokens = world.openid_tokens("rp", OFFLINE).await;
    assert_eq!(tokens.scope, "offline_access openid");
    let token = tokens.refresh_token.unwrap();
    assert!(world.refresh("rp", &token).issues().await.refresh_token.is_some());
    // Whoever does not ask for a sign-in goes by RFC 6749 alone.
    assert!(refreshes(&world, "rp", "a").await);
}

/// A person has agreed to it, in this request or in an earlier one; a yes to something else is no yes to this.
#[tokio::test]
async fn it_takes_consent() {
    let world = Setup::openid().start().await;
    let request = |scope: &'static str| world.sign_in("rp").signed_in(USER).set("scope", scope);
    request("openid").code().await;
    request("openid").set("prompt", "none").granted().await;
    request(OFFLINE).set("prompt", "none").refuses("consent_required").await;
    request(OFFLINE).send().await.reply.interaction("/consent");
    request(OFFLINE).set("prompt", "consent").code().await;
    // Remembered, it counts without being asked for again, as 11 has it: "explicitly receive or have consent".
    let answer = request(OFFLINE).set("prompt", "none").granted().await;
    assert!(world.redeem("rp", answer.must("code")).issues().await.refresh_token.is_some());
    // Withdrawn, it does not.
    let env = world.provider.env();
    let (user, now) = (UserId::new(USER), env.clock.now());
    env.grants.revoke_user(&user, Some(&ClientId::new("rp")), now).await.unwrap();
    request(OFFLINE).set("prompt", "none").refuses("consent_required").await;
}

#[tokio::test]
async fn a_person_may_decline_it() {
    let world = Setup::openid().start().await;
    let step = world.sign_in("rp").set("scope", OFFLINE).send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    let step = step.decide(&id, Decision::Approved { scope: Some(scope("openid")) }).await;
    let answer = step.reply.answer();
    let tokens = world.redeem("rp", answer.must("code")).issues().await;
    assert_eq!((tokens.scope.as_str(), tokens.refresh_token), ("openid", None));
    assert!(tokens.id_token.is_some());
    let again = world.sign_in("rp").signed_in(USER).set("scope", OFFLINE);
    again.send().await.reply.interaction("/consent");
}

/// Asked for in vain, it is ignored: it is not consented to, not granted, and no error.
#[tokio::test]
async fn it_is_ignored_where_it_means_nothing() {
    let world = Setup::openid()
        .client("no-grant", |c| {
            c.grant_types.remove("refresh_token");
            c.scope = scope("openid offline_access");
        })
        .client("no-scope", |c| c.scope = scope("openid"))
        .start()
        .await;
    for client in ["no-grant", "no-scope"] {
        let step = world.sign_in(client).set("scope", OFFLINE).send().await.sign_in(USER).await;
        let id = step.reply.interaction("/consent");
        let shown = world.provider.interaction(&id, &step.browser).await.unwrap();
        assert_eq!(shown.needed, scope("openid"));
        let answer = step.approve().await.reply.answer();
        let tokens = world.redeem(client, answer.must("code")).issues().await;
        assert_eq!((tokens.scope.as_str(), tokens.refresh_token), ("openid", None));
    }
    for kind in ["id_token", "id_token token", "none", "token"] {
        let request = world.sign_in("rp").set("response_type", kind).set("scope", OFFLINE);
        let step = request.set("prompt", "login consent").send().await.sign_in(USER).await;
        let id = step.reply.interaction("/consent");
        let shown = world.provider.interaction(&id, &step.browser).await.unwrap();
        assert_eq!(shown.needed, scope("openid"), "{kind}");
    }
}

/// An operator's own client is not asked about; that is the operator's decision.
#[tokio::test]
async fn a_first_party_client_has_it_without_asking() {
    let world = Setup::openid().client("rp", |c| c.skip_consent = true).start().await;
    let step = world.sign_in("rp").set("scope", OFFLINE).send().await.sign_in(USER).await;
    let answer = step.reply.answer();
    assert!(world.redeem("rp", answer.must("code")).issues().await.refresh_token.is_some());
}

/// What an operator takes from a client is not for it to use any more, whatever it was given before.
#[tokio::test]
async fn it_ends_when_it_is_taken_from_the_client() {
    use oauth_core::ports::ClientStore as _;
    let world = Setup::openid().start().await;
    let token = world.openid_tokens("rp", OFFLINE).await.refresh_token.unwrap();
    let plain = world.tokens("rp").await.refresh_token.unwrap();
    let code = world.sign_in("rp").signed_in(USER).set("scope", OFFLINE).code().await;
    let known = world.store.client(&ClientId::new("rp")).await.unwrap().unwrap();
    let mut less = (*known).clone();
    less.scope = scope("openid a b");
    assert!(world.store.replace_client(less).await.unwrap());
    world.refresh("rp", &token).refuses("invalid_grant").await;
    let issued = world.redeem("rp", &code).issues().await;
    assert_eq!((issued.scope.as_str(), issued.refresh_token), ("openid", None));
    // By RFC 6749 alone, it is not about being away.
    assert!(world.refresh("rp", &plain).issues().await.refresh_token.is_some());
    // The refusal has used nothing up.
    assert!(world.store.replace_client((*known).clone()).await.unwrap());
    assert!(world.refresh("rp", &token).issues().await.refresh_token.is_some());
}
