//! OpenID Connect Core 12: refreshing, with an id token.

use crate::support::{NONCE, Setup, USER, half_hash};
use oauth_core::ports::Clock as _;

const OFFLINE: &str = "openid profile offline_access";

/// 12.2: the same person, the same sign-in, the same audience; another time, and no nonce of a request long over.
#[tokio::test]
async fn s12_2_the_id_token_is_about_the_same_sign_in() {
    let world = Setup::openid().start().await;
    let request = world.sign_in("rp").signed_in(USER).set("scope", OFFLINE);
    let request = request.set("claims", r#"{"id_token": {"nickname": null}}"#);
    let code = request.code().await;
    let tokens = world.redeem("rp", &code).issues().await;
    let first = world.id_token("rp", &tokens.id_token.unwrap()).await;
    assert_eq!(first["nonce"], NONCE);
    let mut refresh_token = tokens.refresh_token.unwrap();
    for _ in 0..2 {
        world.after(4000);
        let tokens = world.refresh("rp", &refresh_token).issues().await;
        let next = world.id_token("rp", &tokens.id_token.unwrap()).await;
        for name in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid", "nickname"] {
            assert!(next.has(name), "{name}");
            assert_eq!(next[name], first[name], "{name}");
        }
        assert!(!next.has("nonce") && !next.has("azp") && !next.has("c_hash"));
        let now = world.clock.now().unix();
        assert_eq!((&next["iat"], &next["exp"]), (&now.into(), &(now + 3600).into()));
        assert_eq!(next["at_hash"], half_hash(&tokens.access_token));
        assert_eq!(world.userinfo(&tokens.access_token).await["sub"], first["sub"]);
        refresh_token = tokens.refresh_token.unwrap();
    }
}

/// Whoever narrows `openid` away gets an access token, and the next time everything again.
#[tokio::test]
async fn s12_2_without_openid_there_is_none() {
    let world = Setup::openid().start().await;
    let tokens = world.openid_tokens("rp", OFFLINE).await;
    let token = tokens.refresh_token.unwrap();
    let narrow = world.refresh("rp", &token).set("scope", "profile").issues().await;
    assert_eq!((narrow.scope.as_str(), narrow.id_token), ("profile", None));
    let wide = world.refresh("rp", &narrow.refresh_token.unwrap()).issues().await;
    assert_eq!(wide.scope, "offline_access openid profile");
    assert!(wide.id_token.is_some());
    let more = world.refresh("rp", &wide.refresh_token.unwrap()).set("scope", "openid email");
    more.refuses("invalid_scope").await;
}

#[tokio::test]
async fn s12_1_it_is_bound_to_its_client() {
    let world = Setup::openid().start().await;
    let token = world.openid_tokens("rp", OFFLINE).await.refresh_token.unwrap();
    for stranger in ["rp2", "web", "spa"] {
        world.refresh(stranger, &token).refuses("invalid_grant").await;
    }
    assert!(world.refresh("rp", &token).issues().await.id_token.is_some());
}

/// A lost answer is given again as it was, its id token included; a later replay ends everything.
#[tokio::test]
async fn rfc9700_s4_14_rotation() {
    let world = Setup::openid().start().await;
    let first = world.openid_tokens("rp", OFFLINE).await;
    let token = first.refresh_token.unwrap();
    let second = world.refresh("rp", &token).issues().await;
    world.after(29);
    let again = world.refresh("rp", &token).issues().await;
    assert_eq!(again.refresh_token, second.refresh_token);
    assert_eq!(again.id_token, second.id_token);
    assert_eq!(again.expires_in, second.expires_in - 29);
    world.after(2);
    world.refresh("rp", &token).refuses("invalid_grant").await;
    world.refresh("rp", &second.refresh_token.unwrap()).refuses("invalid_grant").await;
    for dead in [&first.access_token, &second.access_token] {
        assert!(!world.is_active(dead).await);
    }
}

#[tokio::test]
async fn a_user_who_is_gone_is_not_vouched_for() {
    let world = Setup::openid().start().await;
    let token = world.openid_tokens("rp", OFFLINE).await.refresh_token.unwrap();
    world.store.forget(USER);
    world.refresh("rp", &token).refuses("invalid_grant").await;
}
