//! OpenID Connect Core 3.2: signing in without a code.

use crate::support::{Setup, USER, half_hash, profile};

/// 5.4: there is no access token to ask for the claims with, so they are in the id token.
#[tokio::test]
async fn s3_2_2_10_an_id_token_alone_says_everything() {
    let world = Setup::openid().start().await;
    let request = world.sign_in("rp").set("response_type", "id_token");
    let answer = request.set("scope", "openid profile email address phone").granted().await;
    let id_token = world.id_token("rp", answer.must("id_token")).await;
    for (name, value) in profile().as_object().unwrap() {
        assert_eq!(id_token[name.as_str()], *value, "{name}");
    }
    assert_eq!(id_token["sub"], USER);
    assert!(!id_token.has("at_hash") && !id_token.has("c_hash"));
    // What was not asked is not told.
    let request = world.sign_in("rp").set("response_type", "id_token").set("scope", "openid email");
    let answer = request.granted().await;
    let id_token = world.id_token("rp", answer.must("id_token")).await;
    assert!(id_token.has("email") && id_token.has("email_verified"));
    assert!(!id_token.has("name") && !id_token.has("address") && !id_token.has("phone_number"));
}

/// A claim without a value is left out, also here.
#[tokio::test]
async fn s5_3_2_nothing_is_said_with_empty_words() {
    let empty = serde_json::json!({"name": "", "email": null, "address": {}, "nickname": "x"});
    let world = Setup::openid().profile(USER, &empty).start().await;
    let request = world.sign_in("rp").set("response_type", "id_token");
    let answer = request.set("scope", "openid profile email address").granted().await;
    let id_token = world.id_token("rp", answer.must("id_token")).await;
    assert_eq!(id_token["nickname"], "x");
    assert!(!id_token.has("name") && !id_token.has("email") && !id_token.has("address"));
}

#[tokio::test]
async fn s3_2_2_9_an_access_token_beside_it_is_vouched_for() {
    let world = Setup::openid().start().await;
    let request = world.sign_in("rp").set("response_type", "id_token token");
    let answer = request.set("scope", "openid profile").granted().await;
    assert_eq!((answer.must("token_type"), answer.must("expires_in")), ("Bearer", "600"));
    assert_eq!(answer.must("scope"), "openid profile");
    let access_token = answer.must("access_token");
    let id_token = world.id_token("rp", answer.must("id_token")).await;
    assert_eq!(id_token["at_hash"], half_hash(access_token));
    assert!(!id_token.has("c_hash") && !id_token.has("name"));
    let userinfo = world.userinfo(access_token).await;
    assert_eq!((&userinfo["sub"], &userinfo["name"]), (&id_token["sub"], &"Ada Lovelace".into()));
}

/// A token alone is no sign-in, but whoever may ask for it may ask who signed in.
#[tokio::test]
async fn rfc6749_s4_2_a_token_alone() {
    let world = Setup::openid().start().await;
    let request = || world.sign_in("rp").set("response_type", "token");
    let answer = request().unset("nonce").granted().await;
    assert_eq!(answer.get("id_token"), None);
    assert_eq!(world.userinfo(answer.must("access_token")).await["sub"], USER);
}

/// Wherever an id token comes from the authorization endpoint, it must carry the client's nonce.
#[tokio::test]
async fn s3_2_2_1_nonce_is_required() {
    let world = Setup::openid().start().await;
    for kind in ["id_token", "id_token token"] {
        let request = || world.sign_in("rp").set("response_type", kind);
        for request in [request().unset("nonce"), request().set("nonce", "")] {
            let answer = request.clone().refuses("invalid_request").await;
            assert!(answer.in_fragment);
            assert_eq!(answer.must("state"), "st");
            let by_form = request.set("response_mode", "form_post");
            assert_eq!(by_form.refuses("invalid_request").await.mode, "form_post");
        }
        request().granted().await;
    }
}

#[tokio::test]
async fn s3_2_2_1_openid_is_required() {
    let world = Setup::openid().start().await;
    for kind in ["id_token", "id_token token"] {
        let request = || world.sign_in("rp").set("response_type", kind);
        assert!(request().set("scope", "profile").refuses("invalid_request").await.in_fragment);
        request().set("scope", "openid profile").granted().await;
        // A request without a scope asks for all the client is registered for, `openid` among it.
        request().unset("scope").granted().await;
    }
}

#[tokio::test]
async fn s3_2_no_refresh_token_comes_this_way() {
    let world = Setup::openid().start().await;
    for kind in ["id_token", "id_token token", "token"] {
        let request = world.sign_in("rp").set("response_type", kind);
        let answer = request.set("scope", "openid offline_access").granted().await;
        assert_eq!(answer.get("refresh_token"), None);
        // It is not asked for in vain either.
        assert!(answer.get("scope").is_none_or(|scope| scope == "openid"));
    }
}

/// The client must be registered for the grant, not for the type alone.
#[tokio::test]
async fn s3_2_it_takes_the_implicit_grant() {
    let setup = Setup::openid().client("rp", |c| {
        c.grant_types.remove("implicit");
    });
    let world = setup.start().await;
    for kind in ["id_token", "id_token token", "token"] {
        let request = world.sign_in("rp").set("response_type", kind);
        assert!(request.refuses("unauthorized_client").await.in_fragment);
    }
}
