//! The feature `oxide`: oxide-auth's flows on our primitives obey our rules.

mod blocking;
mod flow;

use crate::support::{CALLBACK, CHALLENGE, SECRET, Setup, USER, VERIFIER};
use blocking::blocking_flow;
use flow::{
    Agrees, Form, answer, authorize, bare_code, client_credentials, code, needs_a, now, pair,
    redeem, redemption, refresh, refusal, renewal, request, resource, split, tokens, world,
};
use oauth_core::{
    config::PkcePolicy,
    model::{
        Access, AccessRight, Client, RedirectUri, Resource as NamedResource, TokenFormat, UserId,
    },
    oxide::{Authorize, Blocking, ClientCredentials, Resource, Token},
    ports::{ClientStore as _, GrantStore as _},
    testing::fixtures,
};
use oxide_auth::{
    endpoint::{self as sync, OAuthError},
    frontends::simple::request::Status,
    primitives::{
        grant::{Extensions, Grant},
        registrar::ClientUrl,
    },
};
use oxide_auth_async::primitives::{Authorizer, Issuer, Registrar};
use std::{borrow::Cow, collections::BTreeSet, time::Duration};
use tokio::runtime::Handle;

#[tokio::test]
async fn rfc6749_s4_1_the_code_flow_gives_tokens_like_ours() {
    let world = world().await;
    for client in ["web", "spa"] {
        let answered = authorize(&world.provider, request(client)).await;
        assert_eq!(answer(answered.clone(), "state").as_deref(), Some("st"));
        let code = answer(answered, "code").unwrap();
        let tokens = tokens(redeem(&world.provider, redemption(client, &code)).await);
        assert_eq!(tokens["token_type"], "bearer");
        assert!((500..=600).contains(&tokens["expires_in"].as_i64().unwrap()));
        let (access, refresh) = split(&tokens);
        let seen = world.introspect(&access).await;
        assert_eq!(
            (&seen["sub"], &seen["client_id"], &seen["scope"]),
            (&USER.into(), &client.into(), &"a b".into())
        );
        let grant = resource(needs_a(&world), &access).await.unwrap();
        assert_eq!((grant.owner_id.as_str(), grant.client_id.as_str()), (USER, client));
        assert!(resource(needs_a(&world), &refresh).await.is_err());
    }
}

#[tokio::test]
async fn rfc6749_s3_1_2_3_redirect_uris_are_matched_by_our_rules() {
    let world = now(Setup::new().client("two", |c| {
        c.redirect_uris = ["https://client.example/cb", "http://127.0.0.1/cb"]
            .map(|u| RedirectUri::parse(u).unwrap())
            .into();
    }))
    .await;
    let outcome = async |client: &str, uri: &str| {
        let form = request(client).with(&[("redirect_uri", uri)]);
        authorize(&world.provider, form).await
    };
    let before = world.store.writes();
    for (client, uri) in [
        ("web", "https://client.example/other"),
        ("web", "https://client.example/cb/"),
        ("web", "https://client.example:443/cb"),
        ("web", "https://CLIENT.example/cb"),
        ("web", "https://client.example/x/../cb"),
        ("two", "http://127.0.0.1:8000/other"),
        ("two", "http://localhost:8000/cb"),
        ("nobody", CALLBACK),
        ("no\0body", CALLBACK),
        ("rs", CALLBACK),
    ] {
        let refused = outcome(client, uri).await.unwrap_err();
        assert_eq!(refused, OAuthError::DenySilently, "{client} {uri}");
    }
    let unnamed = authorize(&world.provider, request("two").without(&["redirect_uri"]));
    assert_eq!(unnamed.await.unwrap_err(), OAuthError::DenySilently);
    assert_eq!(world.store.writes(), before);
    // RFC 8252 7.3: a native application listens where it can.
    let native = outcome("two", "http://127.0.0.1:51004/cb").await;
    let code = answer(native, "code").unwrap();
    let form = redemption("two", &code);
    let there = form.with(&[("redirect_uri", "http://127.0.0.1:51004/cb")]);
    tokens(redeem(&world.provider, there).await);
}

#[tokio::test]
async fn rfc6749_s3_3_a_scope_beyond_the_clients_is_refused() {
    let world = world().await;
    let form = request("web").with(&[("scope", "a d")]);
    let refused = authorize(&world.provider, form).await;
    assert_eq!(answer(refused, "error").as_deref(), Some("invalid_scope"));
    let everything = request("web").without(&["scope"]);
    let code = answer(authorize(&world.provider, everything).await, "code").unwrap();
    let tokens = tokens(redeem(&world.provider, redemption("web", &code)).await);
    let mut scope: Vec<_> = tokens["scope"].as_str().unwrap().split(' ').collect();
    scope.sort_unstable();
    assert_eq!(scope, ["a", "b", "c"]);
}

#[tokio::test]
async fn rfc7636_s4_4_the_policy_demands_a_challenge() {
    let strict = world().await;
    let lenient = now(Setup::new().policy(|p| p.pkce = PkcePolicy::PublicClients)).await;
    let bare = |client| request(client).without(&["code_challenge", "code_challenge_method"]);
    let plain = [("code_challenge", VERIFIER), ("code_challenge_method", "plain")];
    for (world, form) in [
        (&strict, bare("web")),
        (&strict, request("web").with(&plain)),
        (&strict, request("web").with(&[("code_challenge", "short")])),
        (&strict, request("web").without(&["code_challenge"])),
        (&strict, request("web").without(&["code_challenge_method"])),
        (&lenient, bare("spa")),
        (&lenient, request("web").with(&plain)),
    ] {
        let refused = authorize(&world.provider, form).await;
        assert_eq!(answer(refused, "error").as_deref(), Some("invalid_request"));
    }
    let code = answer(authorize(&lenient.provider, bare("web")).await, "code").unwrap();
    // RFC 9700 4.8.2: a verifier for a code without a challenge is a downgrade in the making.
    let refused = redeem(&lenient.provider, redemption("web", &code)).await;
    assert_eq!(refusal(refused), ("invalid_request".into(), false));
    let code = answer(authorize(&lenient.provider, bare("web")).await, "code").unwrap();
    let form = redemption("web", &code).without(&["code_verifier"]);
    tokens(redeem(&lenient.provider, form).await);
}

#[tokio::test]
async fn rfc7636_s4_5_an_endpoint_that_forgets_the_extension_fails_closed() {
    let world = world().await;
    let provider = &world.provider;
    let mut forgetful = Authorize::new(provider);
    assert_eq!(bare_code(&mut forgetful, Extensions::new()).await, Err(()));
    // With the challenge as oxide-auth's own extension stores it, the code can be made ...
    let pkce = oxide_auth::code_grant::extensions::Pkce::required();
    let value = pkce.challenge(Some("S256".into()), Some(CHALLENGE.into()));
    let mut extensions = Extensions::new();
    extensions.set(&pkce, value.unwrap().unwrap());
    let mut careful = Authorize::new(provider);
    let code = bare_code(&mut careful, extensions).await.unwrap();
    // ... but not redeemed by whoever never looks at the verifier.
    let mut token = Token::new(provider);
    token.check("web", Some(SECRET.as_bytes())).await.unwrap();
    let grant = token.extract(&code).await.unwrap().unwrap();
    assert_eq!(grant.extensions.private().count(), 1);
    assert!(token.issue(grant).await.is_err());
}

#[tokio::test]
async fn rfc7636_s4_6_the_verifier_must_match() {
    let world = world().await;
    for wrong in [&"x".repeat(43), CHALLENGE, "short", ""] {
        let code = code(&world, "spa").await;
        let form = redemption("spa", &code).with(&[("code_verifier", wrong)]);
        let refused = redeem(&world.provider, form).await;
        assert_eq!(refusal(refused), ("invalid_request".into(), false), "{wrong}");
    }
}

#[tokio::test]
async fn rfc6749_s4_1_3_one_of_many_rivals_gets_the_code() {
    let world = world().await;
    let code = code(&world, "web").await;
    let mut rivals = Vec::new();
    for _ in 0..8 {
        let rival = Token::new(&world.provider);
        rival.check("web", Some(SECRET.as_bytes())).await.unwrap();
        rivals.push(rival);
    }
    let tries = rivals.into_iter().map(|mut rival| {
        let code = code.clone();
        tokio::spawn(async move { rival.extract(&code).await.unwrap().is_some() })
    });
    let mut winners = 0;
    for outcome in tries {
        winners += u32::from(outcome.await.unwrap());
    }
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn rfc6749_s4_1_2_a_replay_revokes_everything_issued() {
    let world = world().await;
    let code = code(&world, "web").await;
    let first = tokens(redeem(&world.provider, redemption("web", &code)).await);
    let (access, renewable) = split(&first);
    assert!(world.is_active(&access).await);
    let replay = redeem(&world.provider, redemption("web", &code)).await;
    assert_eq!(refusal(replay), ("invalid_request".into(), false));
    assert!(!world.is_active(&access).await);
    assert!(resource(needs_a(&world), &access).await.is_err());
    let refused = refresh(&world.provider, renewal("web", &renewable)).await;
    assert_eq!(refusal(refused), ("invalid_grant".into(), false));
}

/// The replay may come between the two calls of a flow: then nothing is issued any more.
#[tokio::test]
async fn rfc6749_s4_1_2_a_replay_stops_a_flow_half_way() {
    let world = now(Setup::new().policy(|p| p.pkce = PkcePolicy::PublicClients)).await;
    let form = request("web").without(&["code_challenge", "code_challenge_method"]);
    let code = answer(authorize(&world.provider, form).await, "code").unwrap();
    let mut token = Token::new(&world.provider);
    token.check("web", Some(SECRET.as_bytes())).await.unwrap();
    let grant = token.extract(&code).await.unwrap().unwrap();
    let replay = redemption("web", &code).without(&["code_verifier"]);
    redeem(&world.provider, replay).await.unwrap();
    assert!(token.issue(grant).await.is_err());
}

#[tokio::test]
async fn rfc6749_s4_1_3_another_client_burns_nothing() {
    let world = world().await;
    let code = code(&world, "web").await;
    for stranger in ["other", "spa"] {
        let refused = redeem(&world.provider, redemption(stranger, &code)).await;
        assert_eq!(refusal(refused), ("invalid_request".into(), false));
    }
    tokens(redeem(&world.provider, redemption("web", &code)).await);
    for stranger in ["other", "spa"] {
        let refused = redeem(&world.provider, redemption(stranger, &code)).await;
        refusal(refused);
    }
    let replay = redeem(&world.provider, redemption("web", &code)).await;
    refusal(replay);
}

#[tokio::test]
async fn rfc6749_s2_3_clients_prove_themselves() {
    let world = world().await;
    let code = code(&world, "web").await;
    let form = || redemption("web", &code);
    let unproven = form().basic("web", "wrong");
    let named = redemption("spa", &code).with(&[("client_id", "web")]);
    let public_with_secret = form().basic("spa", SECRET);
    let unknown = form().basic("nobody", SECRET);
    let nul = form().basic("no\0body", SECRET);
    for form in [unproven, named, public_with_secret, unknown, nul] {
        let refused = redeem(&world.provider, form).await;
        assert_eq!(refusal(refused), ("invalid_client".into(), true));
    }
    tokens(redeem(&world.provider, form()).await);
}

#[tokio::test]
async fn rfc6749_s6_refreshing_rotates() {
    let world = world().await;
    for client in ["web", "spa"] {
        let (_, first) = pair(&world, client).await;
        let renewed = refresh(&world.provider, renewal(client, &first)).await;
        let (access, second) = split(&tokens(renewed));
        assert_ne!(first, second);
        assert!(world.is_active(&access).await);
        // RFC 9700 4.14.2, softened: a lost answer is given again for a while, the same one.
        let again = refresh(&world.provider, renewal(client, &first)).await;
        assert_eq!(split(&tokens(again)), (access, second.clone()));
        let narrow = renewal(client, &second).with(&[("scope", "a")]);
        let narrowed = tokens(refresh(&world.provider, narrow).await);
        assert_eq!(narrowed["scope"], "a");
        let third = split(&narrowed).1;
        let wide = renewal(client, &third).with(&[("scope", "a b c")]);
        let refused = refresh(&world.provider, wide).await;
        assert_eq!(refusal(refused), ("invalid_scope".into(), false));
        let full = tokens(refresh(&world.provider, renewal(client, &third)).await);
        assert_eq!(full["scope"].as_str().unwrap().len(), 3, "a b, in some order");
    }
}

#[tokio::test]
async fn rfc9700_s4_14_2_a_rotated_token_that_comes_back_ends_its_family() {
    let setup = Setup::new().policy(|p| p.refresh_retry_window = Duration::ZERO);
    let world = now(setup).await;
    for client in ["web", "spa"] {
        let (_, first) = pair(&world, client).await;
        let renewed = refresh(&world.provider, renewal(client, &first)).await;
        let (access, second) = split(&tokens(renewed));
        let replay = refresh(&world.provider, renewal(client, &first)).await;
        assert_eq!(refusal(replay), ("invalid_grant".into(), false));
        assert!(!world.is_active(&access).await);
        let refused = refresh(&world.provider, renewal(client, &second)).await;
        assert_eq!(refusal(refused), ("invalid_grant".into(), false));
    }
}

#[tokio::test]
async fn rfc6749_s6_a_refresh_token_is_for_one_client() {
    let world = world().await;
    let (access, mine) = pair(&world, "web").await;
    for (form, code, unauthorized) in [
        (renewal("other", &mine), "invalid_grant", false),
        (renewal("spa", &mine), "invalid_client", true),
        (renewal("web", &mine).basic("web", "wrong"), "invalid_client", true),
        (renewal("web", &access), "invalid_grant", false),
        (renewal("web", "unknown"), "invalid_grant", false),
    ] {
        let refused = refresh(&world.provider, form).await;
        assert_eq!(refusal(refused), (code.into(), unauthorized));
    }
    // A rotated one in the hands of somebody without the secret neither answers nor revokes.
    let (_, next) = split(&tokens(refresh(&world.provider, renewal("web", &mine)).await));
    let stolen = refresh(&world.provider, renewal("spa", &mine)).await;
    assert_eq!(refusal(stolen), ("invalid_client".into(), true));
    tokens(refresh(&world.provider, renewal("web", &next)).await);
}

#[tokio::test]
async fn users_who_are_gone_get_nothing() {
    let world = world().await;
    let unused = code(&world, "web").await;
    let (access, renewable) = pair(&world, "web").await;
    world.store.forget(USER);
    let refused = authorize(&world.provider, request("web")).await;
    assert_eq!(refused.unwrap_err(), OAuthError::PrimitiveError);
    let refused = redeem(&world.provider, redemption("web", &unused)).await;
    assert_eq!(refusal(refused).0, "invalid_request");
    let refused = refresh(&world.provider, renewal("web", &renewable)).await;
    assert_eq!(refusal(refused).0, "invalid_grant");
    assert!(resource(needs_a(&world), &access).await.is_err());
}

#[tokio::test]
async fn a_sign_in_is_the_owners() {
    let world = world().await;
    for (user, agreed) in [(USER, true), ("somebody", false)] {
        let endpoint = Authorize::new(&world.provider).signed_in(world.login(user)).asking(Agrees);
        let mut flow =
            oxide_auth_async::endpoint::authorization::AuthorizationFlow::prepare(endpoint)
                .unwrap_or_else(|_| unreachable!("the endpoint has all parts"));
        let outcome = flow.execute(request("web").query()).await;
        assert_eq!(outcome.is_ok(), agreed);
    }
}

#[tokio::test]
async fn rfc6749_s5_1_the_scope_in_the_answer_is_that_of_the_token() {
    let right = AccessRight::new(UserId::new(USER), "b", Access::None);
    let world = now(Setup::new().right(right)).await;
    let code = code(&world, "web").await;
    let first = tokens(redeem(&world.provider, redemption("web", &code)).await);
    assert_eq!(first["scope"], "a");
    let (access, renewable) = split(&first);
    assert_eq!(world.introspect(&access).await["scope"], "a");
    let second = tokens(refresh(&world.provider, renewal("web", &renewable)).await);
    assert_eq!(second["scope"], "a");
    // A client that may have less by now gets less.
    let smaller = Client { scope: fixtures::scope("c"), ..fixtures::client("web") };
    assert!(world.store.replace_client(smaller).await.unwrap());
    let (_, renewable) = split(&second);
    let refused = refresh(&world.provider, renewal("web", &renewable)).await;
    assert_eq!(refusal(refused), ("invalid_grant".into(), false));
}

#[tokio::test]
async fn rfc6749_s4_4_client_credentials() {
    let setup = Setup::new()
        .client("bare", |c: &mut Client| c.grant_types = BTreeSet::new())
        .client("opaque", |c| c.access_token_format = Some(TokenFormat::Opaque));
    let world = now(setup).await;
    let provider = &world.provider;
    let form = |client: &str| {
        Form::of(&[("grant_type", "client_credentials"), ("scope", "a b")]).basic(client, SECRET)
    };
    for client in ["web", "opaque"] {
        let issued = tokens(client_credentials(provider, form(client)).await);
        assert_eq!(issued.get("refresh_token"), None);
        let access = issued["access_token"].as_str().unwrap();
        let seen = world.introspect(access).await;
        assert_eq!((&seen["sub"], &seen["scope"]), (&client.into(), &"a b".into()));
        let grant = resource(needs_a(&world), access).await.unwrap();
        assert_eq!((grant.owner_id.as_str(), grant.client_id.as_str()), (client, client));
        world.revoke(client, access).succeeds().await;
        assert!(resource(needs_a(&world), access).await.is_err());
    }
    for (form, refused) in [
        (form("web").basic("web", "wrong"), "invalid_client"),
        (form("spa"), "invalid_client"),
        (form("bare"), "DenySilently"),
        (form("web").with(&[("scope", "a d")]), "DenySilently"),
    ] {
        assert_eq!(refusal(client_credentials(provider, form).await).0, refused);
    }
    // A token of a user is not to be had this way, whatever the endpoint says.
    let mut value = ClientCredentials::new(provider);
    value.check("web", Some(SECRET.as_bytes())).await.unwrap();
    let grant = Grant {
        owner_id: USER.into(),
        client_id: "web".into(),
        scope: "a".parse().unwrap(),
        redirect_uri: CALLBACK.parse().unwrap(),
        until: std::time::SystemTime::UNIX_EPOCH.into(),
        extensions: Extensions::new(),
    };
    assert!(value.issue(grant).await.is_err());
}

#[tokio::test]
async fn rfc8707_s2_a_token_for_one_resource_does_not_open_another() {
    let names = ["https://one.example", "https://two.example"];
    let named = |uri: &str| NamedResource {
        uri: fixtures::resource(uri),
        access_token_format: None,
        access_token_ttl: None,
        scope: fixtures::scope(""),
    };
    let setup =
        Setup::new().builder(move |b| names.iter().fold(b, |b, uri| b.resource(named(uri))));
    let world = now(setup).await;
    let asked = request("web").with(&[("resource", names[0])]);
    let code = answer(authorize(&world.provider, asked).await, "code").unwrap();
    let issued = tokens(redeem(&world.provider, redemption("web", &code)).await);
    let (for_one, _) = split(&issued);
    let (for_none, _) = pair(&world, "web").await;
    assert_eq!(world.introspect(&for_one).await["aud"], names[0]);
    let at = |uri: &str| needs_a(&world).audience(fixtures::resource(uri));
    assert!(resource(at(names[0]), &for_one).await.is_ok());
    assert!(resource(at(names[1]), &for_one).await.is_err());
    assert!(resource(needs_a(&world), &for_one).await.is_err());
    assert!(resource(needs_a(&world), &for_none).await.is_ok());
    assert!(resource(at(names[0]), &for_none).await.is_err());
    let own = Form::of(&[("grant_type", "client_credentials")]).basic("web", SECRET);
    let own = tokens(client_credentials(&world.provider, own).await);
    let own = own["access_token"].as_str().unwrap();
    assert!(resource(needs_a(&world), own).await.is_ok());
    assert!(resource(at(names[0]), own).await.is_err());
    let unknown = request("web").with(&[("resource", "https://three.example")]);
    let refused = authorize(&world.provider, unknown).await;
    assert_eq!(answer(refused, "error").as_deref(), Some("invalid_request"));
}

#[tokio::test]
async fn rfc6750_s3_1_a_resource_says_what_it_needs() {
    let world = world().await;
    let (access, _) = pair(&world, "web").await;
    let needs = |scope: &str| Resource::new(&world.provider).needs(&fixtures::scope(scope));
    assert!(resource(needs("a b"), &access).await.is_ok());
    assert!(resource(needs("c").needs(&fixtures::scope("b")), &access).await.is_ok());
    let too_little = resource(needs("c"), &access).await.unwrap_err();
    assert!(too_little.contains("insufficient_scope"), "{too_little}");
    let nobody = resource(Resource::new(&world.provider), &access).await;
    assert!(nobody.is_err(), "a resource that names no scope lets nobody in");
    world.after(600);
    assert!(resource(needs("a"), &access).await.is_err());
}

#[tokio::test]
async fn a_value_serves_one_request() {
    let world = world().await;
    let mut token = Token::new(&world.provider);
    assert!(token.extract("x").await.is_err(), "nobody proved anything");
    token.check("spa", None).await.unwrap();
    assert!(token.clone().check("web", Some(SECRET.as_bytes())).await.is_err());
    let authorize = Authorize::new(&world.provider);
    let asked = || ClientUrl { client_id: Cow::Borrowed("web"), redirect_uri: None };
    authorize.bound_redirect(asked()).await.unwrap();
    assert!(authorize.bound_redirect(asked()).await.is_err());
    assert!(Registrar::check(&authorize, "web", Some(SECRET.as_bytes())).await.is_err());
}

#[tokio::test]
async fn a_broken_store_is_a_primitive_error() {
    let world = world().await;
    let code = code(&world, "web").await;
    let (access, renewable) = pair(&world, "web").await;
    world.store.fail(Some("hunter2"));
    for outcome in [
        authorize(&world.provider, request("web")).await,
        redeem(&world.provider, redemption("web", &code)).await,
        refresh(&world.provider, renewal("web", &renewable)).await,
        refresh(&world.provider, renewal("spa", &renewable)).await,
    ] {
        assert_eq!(outcome.unwrap_err(), OAuthError::PrimitiveError);
    }
    let refused = resource(needs_a(&world), &access).await.unwrap_err();
    assert_eq!(refused, "PrimitiveError");
    world.store.fail(None);
    tokens(redeem(&world.provider, redemption("web", &code)).await);
}

#[tokio::test]
async fn only_hashes_are_stored() {
    let world = world().await;
    let code = code(&world, "web").await;
    let row = world.store.code(&fixtures::hash(&code)).await.unwrap();
    let row = row.unwrap();
    assert_eq!(row.redirect_uri.as_deref(), Some(CALLBACK));
    assert_eq!(row.login.user.as_str(), USER);
    assert!(row.expires_at.seconds_since(oauth_core::ports::Clock::now(&world.clock)) <= 60);
    let (_, refresh) = pair(&world, "web").await;
    assert!(world.store.token(&fixtures::hash(&refresh)).await.unwrap().is_some());
}

#[tokio::test]
async fn blocking_endpoints_run_on_a_thread_that_may_stand_still() {
    let world = world().await;
    let (provider, runtime) = (world.provider.clone(), Handle::current());
    let owner = tokio::task::spawn_blocking(move || blocking_flow(&provider, &runtime));
    assert_eq!(owner.await.unwrap(), USER);
    let (provider, runtime) = (world.provider.clone(), Handle::current());
    let elsewhere = std::thread::spawn(move || blocking_flow(&provider, &runtime));
    let owner = tokio::task::spawn_blocking(move || elsewhere.join().unwrap());
    assert_eq!(owner.await.unwrap(), USER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_endpoints_run_on_a_worker_of_many() {
    let world = world().await;
    let owner = blocking_flow(&world.provider, &Handle::current());
    assert_eq!(owner, USER);
    let unauthorized = Blocking::new(Token::new(&world.provider), Handle::current());
    assert!(sync::Registrar::check(&unauthorized, "web", Some(b"wrong")).is_err());
    let outcome = redeem(&world.provider, Form::default()).await.unwrap();
    assert_eq!(outcome.status, Status::BadRequest);
}
