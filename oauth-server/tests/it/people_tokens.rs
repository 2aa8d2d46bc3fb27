//! The tokens of the user service: for users and for guests, what they allow, and how they end.

use crate::{
    pages_actors::PASSWORD,
    support::{Server, json, start},
};
use http::StatusCode;
use oauth_core::{
    model::{Role, Scope, UserId},
    provider::FirstParty,
    seaorm::NewUser,
    testing::TestDatabase,
};
use oauth_server::{
    administration::users,
    people::{Caller, Device, Error, Need, Refusal, Tokens, own_client},
};
use std::time::Duration;

/// Why it was refused.
#[track_caller]
fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> Refusal {
    match outcome {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

async fn signed_in(server: &Server, name: &str) -> Tokens {
    server.state.people().log_in(name, PASSWORD, Device::default()).await.unwrap()
}

async fn caller(server: &Server, token: &str) -> Result<Caller, Error> {
    server.state.people().caller(Some(token)).await
}

#[tokio::test]
async fn s2_11_a_password_gets_tokens_and_whoever_is_wrong_is_not_told_in_what() {
    let server = start("").await;
    let ada = server.user("ada", PASSWORD).await;
    let people = server.state.people();
    let tokens = signed_in(&server, "ADA").await;
    assert_eq!((&*tokens.scope, tokens.role), ("account", Role::Registered));
    let who = caller(&server, &tokens.access_token).await.unwrap();
    assert_eq!(
        (&who.subject, who.role, who.authorization),
        (&ada, Role::Registered, tokens.authorization)
    );
    assert_eq!(who.login.amr, ["pwd"]);
    for (name, password) in [("ada", "wrong"), ("eve", PASSWORD), ("", ""), ("ada", "")] {
        let outcome = people.log_in(name, password, Device::default()).await;
        assert_eq!(refusal(outcome), Refusal::WrongCredentials, "{name}");
    }
    server.state.store.set_disabled(&ada, true).await.unwrap();
    let outcome = people.log_in("ada", PASSWORD, Device::default()).await;
    assert_eq!(refusal(outcome), Refusal::WrongCredentials);
    assert_eq!(refusal(caller(&server, &tokens.access_token).await), Refusal::TokenInvalid);
    let refresh = tokens.refresh_token.unwrap();
    assert_eq!(refusal(people.refresh(&refresh).await), Refusal::RefreshInvalid);
}

#[tokio::test]
async fn s2_11_a_confirmed_address_is_as_good_as_the_name_and_has_the_same_counter() {
    let server = start("[throttle]\naccount_attempts = 3\n").await;
    let ada = server.user("ada", PASSWORD).await;
    let address = Some("Ada@Example.org");
    let people = server.state.people();
    let _ = server.state.store.set_email(&ada, address, false).await.unwrap();
    let by_address = people.log_in("ada@example.org", PASSWORD, Device::default()).await;
    assert_eq!(refusal(by_address), Refusal::WrongCredentials, "nobody confirmed it");
    let _ = server.state.store.set_email(&ada, address, true).await.unwrap();
    assert_eq!(signed_in(&server, "ada@example.org").await.user, Some(ada));
    for name in ["ada", "ada@example.org", "ADA", "Ada@example.org"] {
        let wrong = people.log_in(name, "wrong", Device::default()).await;
        assert_eq!(refusal(wrong), Refusal::WrongCredentials, "{name}");
    }
    let waiting = people.log_in("ada@EXAMPLE.org", PASSWORD, Device::default()).await;
    assert!(matches!(refusal(waiting), Refusal::Throttled(1..)));
}

#[tokio::test]
async fn s2_09_refresh_tokens_are_used_once_and_a_second_use_ends_the_device() {
    let server = start("").await;
    server.user("ada", PASSWORD).await;
    let people = server.state.people();
    let first = signed_in(&server, "ada").await;
    let other = signed_in(&server, "ada").await;
    server.clock.advance(Duration::from_mins(1));
    let refresh = first.refresh_token.unwrap();
    let second = people.refresh(&refresh).await.unwrap();
    assert_eq!(second.authorization, first.authorization);
    server.clock.advance(Duration::from_mins(1));
    assert_eq!(refusal(people.refresh(&refresh).await), Refusal::RefreshInvalid, "a replay");
    assert_eq!(refusal(caller(&server, &second.access_token).await), Refusal::TokenInvalid);
    let second = second.refresh_token.unwrap();
    assert_eq!(refusal(people.refresh(&second).await), Refusal::RefreshInvalid);
    assert!(caller(&server, &other.access_token).await.is_ok(), "another device goes on");
    for bad in ["", "x", "nul\0", &other.access_token] {
        assert_eq!(refusal(people.refresh(bad).await), Refusal::RefreshInvalid, "{bad:?}");
    }
}

#[tokio::test]
async fn s2_09_logging_out_ends_this_device_and_no_other() {
    let server = start("").await;
    server.user("ada", PASSWORD).await;
    let people = server.state.people();
    let (one, other) = (signed_in(&server, "ada").await, signed_in(&server, "ada").await);
    people.log_out(&caller(&server, &one.access_token).await.unwrap()).await.unwrap();
    assert_eq!(refusal(caller(&server, &one.access_token).await), Refusal::TokenInvalid);
    let refresh = one.refresh_token.unwrap();
    assert_eq!(refusal(people.refresh(&refresh).await), Refusal::RefreshInvalid);
    assert!(caller(&server, &other.access_token).await.is_ok());
}

#[tokio::test]
async fn s2_05_access_tokens_are_jwts_that_end() {
    let server = start("[tokens]\naccess_token_format = \"opaque\"\n").await;
    let ada = server.user("ada", PASSWORD).await;
    let token = signed_in(&server, "ada").await.access_token;
    let claims = server.state.provider.access_token(&token).await.unwrap().unwrap();
    assert_eq!(
        (&claims["sub"], &claims["client_id"], &claims["aud"]),
        (&ada.as_str().into(), &"oauth-server".into(), &"http://127.0.0.1:4999".into())
    );
    assert_eq!(claims["roles"], serde_json::json!(["registered"]));
    server.clock.advance(Duration::from_mins(11));
    assert_eq!(refusal(caller(&server, &token).await), Refusal::TokenExpired);
    // The same when its row went meanwhile, but not for a forged one.
    server.clock.advance(Duration::from_hours(24 * 91));
    oauth_server::maintenance::sweep(&server.state).await.unwrap();
    assert_eq!(refusal(caller(&server, &token).await), Refusal::TokenExpired);
    let (rest, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{rest}.{}", signature.chars().rev().collect::<String>());
    for bad in [&*forged, "", "x", "a.b.c", &"x".repeat(20_000)] {
        assert_eq!(refusal(caller(&server, bad).await), Refusal::TokenInvalid);
    }
    let none = server.state.people().caller(None).await;
    assert_eq!(refusal(none), Refusal::TokenMissing);
}

#[tokio::test]
async fn s2_05_roles_are_read_when_they_are_needed() {
    let server = start("").await;
    let ada = server.user("ada", PASSWORD).await;
    let token = signed_in(&server, "ada").await.access_token;
    let is_let = async |need: Need| {
        let caller = caller(&server, &token).await.unwrap();
        match caller.needs(need) {
            Ok(_) => true,
            Err(refusal) => {
                assert_eq!(refusal, Refusal::NotAllowed);
                false
            }
        }
    };
    assert!(is_let(Need::Anyone).await && is_let(Need::User).await);
    assert!(!is_let(Need::GuestToken).await && !is_let(Need::Staff).await);
    server.state.store.set_admin(&ada, true).await.unwrap();
    assert!(is_let(Need::Admin).await && is_let(Need::Staff).await);
    server.state.store.set_admin(&ada, false).await.unwrap();
    assert!(!is_let(Need::Admin).await);
    let _ = server.state.store.set_email(&ada, Some("a@example.org"), false).await.unwrap();
    assert!(!is_let(Need::Registered).await && is_let(Need::User).await);
}

#[tokio::test]
async fn s2_05_tokens_of_others_are_not_for_here() {
    let server = start(
        "[[client]]\nid = \"web\"\nsecret = \"0123456789abcdef0123456789abcdef\"\nscope = \"profile\"\n\
         grant_types = [\"client_credentials\", \"authorization_code\"]\nredirect_uris = [\"https://app.example/cb\"]\n",
    )
    .await;
    let ada = server.user("ada", PASSWORD).await;
    let basic = Some(("web", "0123456789abcdef0123456789abcdef"));
    let form = [("grant_type", "client_credentials")];
    let own = json(server.post("/oauth/token", basic, &form).await).await;
    let own = own["access_token"].as_str().unwrap();
    assert_eq!(refusal(caller(&server, own).await), Refusal::TokenInvalid);
    let login = caller(&server, &signed_in(&server, "ada").await.access_token).await.unwrap().login;
    let theirs = server.state.provider.issue_first_party(FirstParty {
        client: oauth_core::model::ClientId::new("web"),
        login: login.clone(),
        scope: Scope::parse("profile").unwrap(),
        access_token_ttl: None,
        refresh_until: None,
    });
    let theirs = theirs.await.unwrap().response.access_token;
    assert_eq!(refusal(caller(&server, &theirs).await), Refusal::TokenInvalid);
    // A token of ours for a user with the scope of a guest.
    let odd = server.state.provider.issue_first_party(FirstParty {
        client: own_client::id(),
        login,
        scope: Scope::parse("guest").unwrap(),
        access_token_ttl: None,
        refresh_until: None,
    });
    let odd = odd.await.unwrap().response.access_token;
    assert_eq!(refusal(caller(&server, &odd).await), Refusal::TokenInvalid);
    assert!(ada.as_str() != "web");
}

#[tokio::test]
async fn s2_05_nobody_acts_for_the_built_in_client() {
    let server = start("").await;
    for (basic, id) in [
        (Some(("oauth-server", "")), None),
        (None, Some("oauth-server")),
        (Some(("oauth-server", "guess")), None),
    ] {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(id.map(|id| ("client_id", id)));
        let response = server.post("/oauth/token", basic, &form).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(json(response).await["error"], "invalid_client");
    }
    let page = server
        .get("/oauth/authorize?client_id=oauth-server&response_type=code&scope=account")
        .await;
    assert_eq!(page.status(), StatusCode::BAD_REQUEST);
    assert!(!page.headers().contains_key("location"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("c.toml");
    std::fs::write(&path, "[[client]]\nid = \"oauth-server\"\nsecret = \"x\"\nredirect_uris = [\"https://a.example\"]\n").unwrap();
    let sources = oauth_server::config::Sources { files: vec![path], ..Default::default() };
    let problems = oauth_server::config::load(&sources).unwrap_err().to_string();
    assert!(problems.contains("is the id of the server's own client"), "{problems}");
}

#[tokio::test]
async fn s2_10_a_guest_is_nobody_for_a_while() {
    let server = start("[accounts]\nguest_refreshes = 2\n").await;
    let people = server.state.people();
    let guest = people.guest().await.unwrap();
    assert_eq!((&*guest.scope, guest.role, &guest.user), ("guest", Role::Anonymous, &None));
    assert_eq!(guest.expires_in, 900);
    let who = caller(&server, &guest.access_token).await.unwrap();
    assert!(who.subject.as_str().starts_with("guest:") && who.account.is_none());
    assert!(who.clone().needs(Need::GuestToken).is_ok() && who.user().is_err());
    assert_eq!(who.clone().needs(Need::User).unwrap_err(), Refusal::NotAllowed);
    let claims = server.state.provider.access_token(&guest.access_token).await.unwrap().unwrap();
    assert_eq!(claims["roles"], serde_json::json!(["anonymous"]));
    let other = people.guest().await.unwrap();
    assert_ne!(caller(&server, &other.access_token).await.unwrap().subject, who.subject);
    // So often and no more, and the same guest all the time.
    let mut refresh = guest.refresh_token.unwrap();
    for _ in 0..2 {
        server.clock.advance(Duration::from_mins(14));
        let next = people.refresh(&refresh).await.unwrap();
        assert_eq!(caller(&server, &next.access_token).await.unwrap().subject, who.subject);
        refresh = next.refresh_token.unwrap();
    }
    assert_eq!(refusal(people.refresh(&refresh).await), Refusal::RefreshInvalid);
}

#[tokio::test]
async fn s2_10_a_guest_who_becomes_somebody_is_no_guest_any_more() {
    let server = start("").await;
    let people = server.state.people();
    let guest = people.guest().await.unwrap();
    let subject = caller(&server, &guest.access_token).await.unwrap().subject;
    assert_eq!(people.merge_guest(&guest.access_token).await.unwrap(), Some(subject));
    assert_eq!(refusal(caller(&server, &guest.access_token).await), Refusal::TokenInvalid);
    assert_eq!(people.merge_guest(&guest.access_token).await.unwrap(), None, "once");
    server.user("ada", PASSWORD).await;
    let user = signed_in(&server, "ada").await;
    assert_eq!(people.merge_guest(&user.access_token).await.unwrap(), None);
    assert!(caller(&server, &user.access_token).await.is_ok());
}

#[tokio::test]
async fn s2_10_no_user_can_be_taken_for_a_guest_nor_guests_be_had_where_there_are_none() {
    let server = start("[accounts]\nguest_tokens = false\n").await;
    assert_eq!(refusal(server.state.people().guest().await), Refusal::Closed("guest tokens"));
    let id = UserId::new("guest:6f1d9f0a-3f6b-4b0e-9d8a-1f2e3d4c5b6a");
    let now = server.state.now();
    server.state.store.create_user(NewUser::new(id.clone(), "odd", now)).await.unwrap().unwrap();
    server.state.store.set_admin(&id, true).await.unwrap();
    let people = server.state.people();
    let issued = people.issue(
        oauth_core::model::Login { user: id, at: now, amr: Vec::new(), acr: None, sid: None },
        Device::default(),
    );
    let token = issued.await.unwrap().access_token;
    assert_eq!(refusal(caller(&server, &token).await), Refusal::TokenInvalid);
}

/// Whoever signs in while the password is replaced is left with nothing.
#[tokio::test]
async fn s2_15_no_token_outlives_the_password_it_was_got_with() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("[database]\nurl = {:?}", database.url())).await;
        let ada = server.user("ada", PASSWORD).await;
        let people = server.state.people();
        let replace = async {
            let hash = server.state.passwords.hash("another one entirely").await.unwrap();
            server.state.store.set_password_hash(&ada, Some(hash)).await.unwrap();
            users::cut_off(&server.state, &ada).await.unwrap();
        };
        let attempts = futures_util::future::join_all(
            (0..8).map(|_| people.log_in("ada", PASSWORD, Device::default())),
        );
        let (got, ()) = tokio::join!(attempts, replace);
        for tokens in got.into_iter().flatten() {
            assert_eq!(refusal(caller(&server, &tokens.access_token).await), Refusal::TokenInvalid);
        }
    }
}
