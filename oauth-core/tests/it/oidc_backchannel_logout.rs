//! [OpenID Connect Back-Channel Logout](https://openid.net/specs/openid-connect-backchannel-1_0.html).

use crate::support::{Published, Setup, USER, World, opened};
use oauth_core::{
    jose::{KeySet, verify},
    model::{
        Client, ClientId, ContentEncryption, Encryption, KeyManagementAlgorithm, Participant,
        Scope, SigningAlgorithm, SubjectType, UserId,
    },
};
use serde_json::{Value, json};

const BACK: &str = "https://client.example/back";
const OTHER: &str = "https://other.example/back";

fn told_at(uri: &str) -> impl FnOnce(&mut Client) {
    move |client| {
        client.scope = Scope::parse("openid offline_access a b c").unwrap();
        client.metadata.backchannel_logout_uri = Some(uri.into());
    }
}

/// Two clients that want to be told, where `web` does answer, and one that does not want to know.
async fn world() -> (World, Published) {
    let net = Published::new();
    net.put(BACK, "");
    let fetch = net.clone();
    let world = Setup::new()
        .client("web", told_at(BACK))
        .client("other", told_at(OTHER))
        .client("spa", |client| client.scope = Scope::parse("openid a").unwrap())
        .builder(|builder| builder.fetch(fetch).logout_page())
        .start()
        .await;
    (world, net)
}

fn logout_token(form: &str) -> &str {
    form.strip_prefix("logout_token=").unwrap()
}

#[tokio::test]
async fn s2_4_the_logout_token_says_who_left_which_session() {
    let (world, net) = world().await;
    let id_token = world.id_token_in("s-1", "web").await;
    let participants = world.provider.log_out("s-1").await.unwrap();
    let web =
        Participant { client: ClientId::new("web"), user: UserId::new(USER), sid: "s-1".into() };
    assert_eq!(participants, [web]);
    assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 1);

    let [(uri, form)] = &net.sent()[..] else { panic!("{:?}", net.sent()) };
    assert_eq!(uri, BACK);
    let token = logout_token(form);
    let jwks = serde_json::from_str(&world.provider.jwks().await.unwrap()).unwrap();
    verify(token, &KeySet::from_jwks(&jwks), &SigningAlgorithm::ALL).unwrap();
    let (header, mut claims) = opened(token);
    let (id_header, id_claims) = opened(&id_token);
    assert_eq!(header["typ"], "logout+jwt");
    assert_eq!(header["alg"], id_header["alg"]);
    let now = world.clock_now();
    let jti = claims.as_object_mut().unwrap().remove("jti").unwrap();
    assert!(jti.as_str().unwrap().len() >= 22);
    assert_eq!(
        claims,
        json!({
            "iss": "https://as.example",
            "sub": id_claims["sub"],
            "aud": "web",
            "iat": now,
            "exp": now + 120,
            "sid": "s-1",
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        })
    );
    assert_eq!(id_claims["sid"], "s-1");
    assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 0, "it is told once");
    assert_eq!(world.provider.log_out("s-1").await.unwrap(), []);
}

#[tokio::test]
async fn s2_4_it_is_signed_and_encrypted_as_id_tokens_are() {
    let net = Published::new();
    net.put(BACK, "");
    let fetch = net.clone();
    let key = crate::support::jwt::ClientKey::of(oauth_core::model::VerificationAlgorithm::RS256);
    let mut jwk = key.jwk();
    let members = jwk.as_object_mut().unwrap();
    members.insert("use".into(), "enc".into());
    members.insert("alg".into(), "RSA-OAEP-256".into());
    let world = Setup::new()
        .policy(|p| p.algorithms.push(SigningAlgorithm::RS256))
        .client("web", |client| {
            told_at(BACK)(client);
            client.metadata.id_token_signed_response_alg = Some(SigningAlgorithm::RS256);
            client.metadata.subject_type = SubjectType::Pairwise;
        })
        .client("other", move |client| {
            told_at(BACK)(client);
            client.metadata.id_token_encrypted_response = Some(Encryption {
                alg: KeyManagementAlgorithm::RsaOaep256,
                enc: ContentEncryption::A128Gcm,
            });
            client.metadata.jwks = Some(json!({ "keys": [jwk] }));
        })
        .builder(|builder| builder.fetch(fetch))
        .start()
        .await;
    let id_token = world.id_token_in("s-1", "web").await;
    world.tokens_in("s-1", "other", "openid").await;
    world.provider.log_out("s-1").await.unwrap();
    assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 2);
    let sent = net.sent();
    let tokens: Vec<_> = sent.iter().map(|(_, form)| logout_token(form)).collect();
    let signed = tokens.iter().find(|t| t.split('.').count() == 3).unwrap();
    let (header, claims) = opened(signed);
    assert_eq!((&header["alg"], &claims["aud"]), (&json!("RS256"), &json!("web")));
    assert_eq!(claims["sub"], opened(&id_token).1["sub"]);
    assert_ne!(claims["sub"], USER);
    let encrypted = tokens.iter().find(|t| t.split('.').count() == 5).unwrap();
    let (header, _) = opened(encrypted);
    assert_eq!((&header["alg"], &header["enc"]), (&json!("RSA-OAEP-256"), &json!("A128GCM")));
}

#[tokio::test]
async fn s2_5_whoever_cannot_be_told_is_told_later_and_in_the_end_not() {
    let (world, net) = world().await;
    world.id_token_in("s-1", "other").await;
    world.provider.log_out("s-1").await.unwrap();
    let mut ids = Vec::new();
    for wait in [0, 10, 60, 300, 1800, 7200] {
        if wait > 0 {
            world.after(wait - 1);
            assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 0, "{wait}");
            world.after(1);
        }
        assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 1, "{wait}");
        let (uri, form) = net.sent().pop().unwrap();
        assert_eq!(uri, OTHER);
        let (_, claims) = opened(logout_token(&form));
        assert_eq!(claims["iat"], world.clock_now(), "made anew for every attempt");
        ids.push(claims["jti"].clone());
    }
    assert_eq!(net.sent().len(), 6);
    ids.sort_by_key(Value::to_string);
    ids.dedup();
    assert_eq!(ids.len(), 6);
    world.after(30 * 24 * 3600);
    assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 0, "it was given up");
}

#[tokio::test]
async fn s2_5_one_failure_is_made_up_for() {
    let (world, net) = world().await;
    for client in ["web", "other"] {
        world.id_token_in("s-1", client).await;
    }
    world.provider.log_out("s-1").await.unwrap();
    assert_eq!(
        world.provider.deliver_logouts(10).await.unwrap(),
        2,
        "one does not hold up the other"
    );
    net.put(OTHER, "");
    world.after(10);
    assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 1);
    let to: Vec<_> = net.sent().into_iter().map(|(uri, _)| uri).collect();
    assert_eq!(to.iter().filter(|uri| *uri == BACK).count(), 1);
    assert_eq!(to.iter().filter(|uri| *uri == OTHER).count(), 2);
    world.after(3600);
    assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 0);
}

#[tokio::test]
async fn s2_5_two_who_deliver_at_once_send_each_notice_once() {
    let (world, net) = world().await;
    net.put(OTHER, "");
    for sid in 0..10 {
        for client in ["web", "other"] {
            world.id_token_in(&format!("s-{sid}"), client).await;
        }
        world.provider.log_out(&format!("s-{sid}")).await.unwrap();
    }
    let (one, two) =
        tokio::join!(world.provider.deliver_logouts(100), world.provider.deliver_logouts(100));
    assert_eq!(one.unwrap() + two.unwrap(), 20);
    let mut forms: Vec<_> = net
        .sent()
        .into_iter()
        .map(|(_, form)| {
            let (_, claims) = opened(logout_token(&form));
            format!("{} {}", claims["aud"], claims["sid"])
        })
        .collect();
    assert_eq!(forms.len(), 20);
    forms.sort();
    forms.dedup();
    assert_eq!(forms.len(), 20);
}

#[tokio::test]
async fn s2_5_the_limit_is_kept() {
    let (world, net) = world().await;
    for sid in 0..11 {
        world.id_token_in(&format!("s-{sid}"), "web").await;
        world.provider.log_out(&format!("s-{sid}")).await.unwrap();
    }
    assert_eq!(world.provider.deliver_logouts(0).await.unwrap(), 0);
    assert_eq!(world.provider.deliver_logouts(9).await.unwrap(), 9);
    assert_eq!(net.sent().len(), 9);
    assert_eq!(world.provider.deliver_logouts(9).await.unwrap(), 2);
}

#[tokio::test]
async fn s2_3_only_clients_of_the_session_that_want_to_know_are_told() {
    let (world, net) = world().await;
    world.id_token_in("s-1", "web").await;
    world.id_token_in("s-1", "web").await;
    world.id_token_in("s-2", "other").await;
    world.tokens_in("s-1", "spa", "openid a").await;
    world.tokens_in("s-3", "web", "a").await;
    let participants = world.provider.log_out("s-1").await.unwrap();
    let clients: Vec<_> = participants.iter().map(|p| p.client.as_str()).collect();
    assert_eq!(clients, ["spa", "web"]);
    world.provider.deliver_logouts(10).await.unwrap();
    assert_eq!(net.sent().len(), 1);
    assert_eq!(world.provider.log_out("s-3").await.unwrap(), [], "that was no sign-in");
    for nobody in ["", "s-4"] {
        assert_eq!(world.provider.log_out(nobody).await.unwrap(), []);
    }
}

#[tokio::test]
async fn s2_3_a_client_that_is_gone_is_not_told() {
    use oauth_core::ports::ClientStore as _;
    let (world, net) = world().await;
    world.id_token_in("s-1", "web").await;
    world.provider.log_out("s-1").await.unwrap();
    world.store.remove_client(&ClientId::new("web")).await.unwrap();
    world.provider.deliver_logouts(10).await.unwrap();
    assert_eq!(net.sent(), []);
    world.after(3600);
    assert_eq!(world.provider.deliver_logouts(10).await.unwrap(), 0);
}

#[tokio::test]
async fn s2_7_what_was_allowed_in_the_session_ends_with_it() {
    let (world, _) = world().await;
    let online = world.tokens_in("s-1", "web", "openid a").await;
    let offline = world.tokens_in("s-1", "other", "openid offline_access a").await;
    let elsewhere = world.tokens_in("s-2", "web", "openid a").await;
    let plain = world.tokens_in("s-1", "web", "a").await;
    world.provider.log_out("s-1").await.unwrap();
    assert!(!world.is_active(&online.access_token).await);
    if let Some(token) = online.refresh_token {
        world.refresh("web", &token).refuses("invalid_grant").await;
    }
    for tokens in [&offline, &elsewhere, &plain] {
        assert!(world.is_active(&tokens.access_token).await);
    }
    world.refresh("other", &offline.refresh_token.unwrap()).issues().await;
}

/// An answer that was under way when the session ended is worth nothing, unless it is for when nobody is there.
#[tokio::test]
async fn s2_7_a_code_of_the_session_ends_with_it() {
    let (world, _) = world().await;
    let code = |client: &'static str, scope: &'static str| {
        let request = world.request(client).set("scope", scope).set("prompt", "login consent");
        async {
            let step = request.send().await;
            let login = oauth_core::authorize::Decision::SignedIn(world.login_in("s-1"));
            let step = step.decide(&step.reply.interaction("/login"), login).await;
            step.approve().await.reply.answer().must("code").to_owned()
        }
    };
    let online = code("web", "openid a").await;
    let offline = code("other", "openid offline_access a").await;
    world.provider.log_out("s-1").await.unwrap();
    world.redeem("web", &online).refuses("invalid_grant").await;
    assert!(world.redeem("other", &offline).issues().await.refresh_token.is_some());
}

#[tokio::test]
async fn s2_1_the_metadata_tells_of_it_where_there_is_a_way_out() {
    let (world, _) = world().await;
    let metadata = world.provider.metadata();
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
    let without = Setup::new().builder(oauth_core::provider::Builder::logout_page).start().await;
    assert_eq!(without.provider.metadata()["backchannel_logout_supported"], false);
    assert!(World::new().await.provider.metadata().get("backchannel_logout_supported").is_none());
}
