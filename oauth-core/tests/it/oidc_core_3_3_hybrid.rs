//! OpenID Connect Core 3.3: a code, and something beside it.

use crate::support::{Setup, USER, half_hash};

const HYBRID: [&str; 3] = ["code id_token", "code id_token token", "code token"];

/// What vouches for what: the id token of the front channel for all that travels beside it.
#[tokio::test]
async fn s3_3_2_11_hashes() {
    let world = Setup::openid().start().await;
    for kind in HYBRID {
        let request = world.sign_in("rp").set("response_type", kind);
        let answer = request.set("scope", "openid profile").granted().await;
        let code = answer.must("code");
        let Some(front) = answer.get("id_token") else {
            assert_eq!(kind, "code token");
            continue;
        };
        let front = world.id_token("rp", front).await;
        assert_eq!(front["c_hash"], half_hash(code));
        match answer.get("access_token") {
            Some(token) => assert_eq!(front["at_hash"], half_hash(token)),
            None => assert!(!front.has("at_hash")),
        }
        // An access token comes of the code, so scopes are answered at the userinfo endpoint.
        assert!(!front.has("name"));
    }
}

/// 3.3.3.6: two id tokens about one sign-in agree.
#[tokio::test]
async fn s3_3_3_6_both_id_tokens_say_the_same() {
    let world = Setup::openid().start().await;
    for kind in ["code id_token", "code id_token token"] {
        let answer = world.sign_in("rp").set("response_type", kind).granted().await;
        world.after(5);
        let tokens = world.redeem("rp", answer.must("code")).issues().await;
        let front = world.id_token("rp", answer.must("id_token")).await;
        let back = world.id_token("rp", &tokens.id_token.unwrap()).await;
        for name in ["iss", "sub", "aud", "auth_time", "nonce", "acr", "amr", "sid"] {
            assert_eq!(front[name], back[name], "{name}");
        }
        assert_eq!(back["at_hash"], half_hash(&tokens.access_token));
        assert!(!back.has("c_hash"));
        // 3.3.3.8: two access tokens, if there are two, and both work.
        assert_ne!(answer.get("access_token"), Some(&*tokens.access_token));
        assert_eq!(world.userinfo(&tokens.access_token).await["sub"], USER);
    }
}

/// Where the id token comes by the token endpoint alone, the nonce is as optional as in the code flow.
#[tokio::test]
async fn s3_3_2_11_nonce_is_required_with_an_id_token() {
    let world = Setup::openid().start().await;
    for kind in HYBRID {
        let request = world.sign_in("rp").set("response_type", kind).unset("nonce");
        if kind == "code token" {
            let code = request.code().await;
            let tokens = world.redeem("rp", &code).issues().await;
            assert!(!world.id_token("rp", &tokens.id_token.unwrap()).await.has("nonce"));
        } else {
            let answer = request.refuses("invalid_request").await;
            assert!(answer.in_fragment);
            assert_eq!(answer.must("state"), "st");
        }
    }
}

#[tokio::test]
async fn s3_3_an_id_token_needs_openid() {
    let world = Setup::openid().start().await;
    for kind in HYBRID {
        let request = world.sign_in("rp").set("response_type", kind).set("scope", "a");
        if kind == "code token" {
            request.granted().await;
        } else {
            assert!(request.refuses("invalid_request").await.in_fragment);
        }
    }
}

/// No access token reaches the address bar of a client that is not registered for that; an id token may.
#[tokio::test]
async fn s3_3_tokens_in_front_take_the_implicit_grant() {
    let setup = Setup::openid().client("rp", |c| {
        c.grant_types.remove("implicit");
    });
    let world = setup.start().await;
    world.sign_in("rp").set("response_type", "code id_token").granted().await;
    for kind in ["code token", "code id_token token"] {
        let request = world.sign_in("rp").set("response_type", kind);
        assert!(request.refuses("unauthorized_client").await.in_fragment);
    }
    let setup = Setup::openid().client("rp", |c| {
        c.grant_types.remove("authorization_code");
    });
    let world = setup.start().await;
    for kind in HYBRID {
        world.sign_in("rp").set("response_type", kind).refuses("unauthorized_client").await;
    }
}

/// One authorization is behind everything, so a stolen code ends also what came in front of it.
#[tokio::test]
async fn rfc6749_s4_1_2_a_replayed_code_ends_the_front_channel_token() {
    let world = Setup::openid().start().await;
    let request = world.sign_in("rp").set("response_type", "code id_token token");
    let answer = request.granted().await;
    let (code, token) = (answer.must("code"), answer.must("access_token"));
    assert!(world.is_active(token).await);
    let tokens = world.redeem("rp", code).issues().await;
    world.redeem("rp", code).refuses("invalid_grant").await;
    for dead in [token, &tokens.access_token] {
        assert!(!world.is_active(dead).await);
    }
}

/// Offline access belongs to the code, whatever is beside it.
#[tokio::test]
async fn s11_the_refresh_token_comes_with_the_code() {
    let world = Setup::openid().start().await;
    for kind in HYBRID {
        let request = world.sign_in("rp").set("response_type", kind);
        let answer = request.set("scope", "openid offline_access").granted().await;
        assert_eq!(answer.get("refresh_token"), None);
        let tokens = world.redeem("rp", answer.must("code")).issues().await;
        assert!(tokens.refresh_token.is_some(), "{kind}");
    }
}
