//! Every flow against our own server, through the library.

use crate::support::{Browser, Fault, Home, Provider, SECRET, sign_in, signed_in};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_helper::{
    Credentials, Error, Secret,
    client::{Revoked, State},
    error::Why,
    login::Redirected,
    model::{AuthMethod, Grant},
};
use std::sync::Arc;
use url::Url;

fn redirect() -> Url {
    Url::parse("http://127.0.0.1:9/auth_callback").unwrap()
}

/// Whether our server knows this token.
async fn is_active(provider: &Provider, token: &str) -> bool {
    let answer = crate::support::http_client()
        .post(format!("{}/oauth/introspect", provider.issuer))
        .basic_auth(
            "app",
            Some(form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>()),
        )
        .form(&[("token", token)])
        .send()
        .await
        .unwrap();
    let value: serde_json::Value = answer.json().await.unwrap();
    value["active"].as_bool().unwrap()
}

#[tokio::test]
async fn s3_11_code_with_pkce_then_refresh_then_revoke_for_each_kind_of_client() {
    let provider = Provider::start().await;
    for id in ["app", "post", "public"] {
        let home = Home::new();
        let store = signed_in(&home, &provider, id).await;
        let client = store.client(id).await.unwrap();
        let first = client.access_token().await.unwrap();
        assert_eq!(client.access_token().await.unwrap(), first, "a token that lives is kept");
        let status = client.status().await.unwrap();
        assert_eq!(status.state, State::Valid);
        assert!(status.subject.is_some(), "the id token was verified");
        let second = client.refresh().await.unwrap();
        assert_ne!(second.token, first.token);
        assert_eq!(second.authorization().expose(), format!("Bearer {}", second.token.expose()));
        // Another process sees what this one stored.
        let other = home.store().await.client(id).await.unwrap();
        assert_eq!(other.access_token().await.unwrap(), second);
        assert_eq!(client.revoke().await.unwrap(), Revoked::Everywhere);
        assert_eq!(client.revoke().await.unwrap(), Revoked::Nothing);
        assert_eq!(
            other.access_token().await.unwrap_err().to_string(),
            format!("{id}: there is no token yet; sign in with: oauth-helper login {id}")
        );
    }
}

#[tokio::test]
async fn s3_11_revoking_ends_the_token_at_the_provider() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = signed_in(&home, &provider, "app").await;
    let client = store.client("app").await.unwrap();
    let token = client.access_token().await.unwrap();
    assert!(is_active(&provider, token.token.expose()).await);
    client.revoke().await.unwrap();
    assert!(!is_active(&provider, token.token.expose()).await);
}

#[tokio::test]
async fn s3_25_client_credentials_need_nobody_and_are_got_again() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = home.store().await;
    for id in ["app", "post"] {
        let (mut client, credentials) = provider.client(id);
        client.grant = Grant::ClientCredentials;
        client.scope = "query".into();
        store.add(client, &credentials).await.unwrap();
        let client = store.client(id).await.unwrap();
        assert_eq!(client.status().await.unwrap().state, State::Renewable);
        let before = provider.token_requests();
        let token = client.access_token().await.unwrap();
        assert_eq!(token.scope.as_deref(), Some("query"));
        assert_eq!(client.access_token().await.unwrap(), token);
        assert_eq!(provider.token_requests(), before + 1);
        home.clock.advance(1_000_000);
        assert_ne!(client.access_token().await.unwrap(), token);
    }
}

#[tokio::test]
async fn s3_25_a_wrong_secret_is_refused_with_the_code_of_the_server() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = home.store().await;
    let (mut client, _) = provider.client("app");
    client.grant = Grant::ClientCredentials;
    client.scope = String::new();
    let wrong = Credentials { secret: Some(Secret::new("wrong")), ..Credentials::default() };
    let client = store.add(client, &wrong).await.unwrap();
    let error = store.client(&client.name).await.unwrap().access_token().await.unwrap_err();
    assert!(matches!(&error, Error::Refused { code, .. } if code == "invalid_client"), "{error}");
    assert_eq!(error.exit_code(), 5);
    // And without one nothing is sent at all.
    let before = provider.token_requests();
    store.save_credentials(client.id, &Credentials::default()).await.unwrap();
    let error = store.client(&client.name).await.unwrap().access_token().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "app: its client secret is not stored; set it with: oauth-helper client edit app --secret"
    );
    assert_eq!(provider.token_requests(), before);
}

#[tokio::test]
async fn s3_25_private_key_jwt() {
    let pair = rcgen::KeyPair::generate().unwrap();
    let raw = pair.public_key_raw();
    let (x, y) = (&raw[1..33], &raw[33..]);
    let more = format!(
        r#"
[[client]]
id = "signer"
auth_method = "private_key_jwt"
grant_types = ["client_credentials"]
response_types = []
scope = "query"
metadata = {{ jwks = {{ keys = [{{ kty = "EC", crv = "P-256", alg = "ES256", use = "sig", kid = "one", x = "{}", y = "{}" }}] }} }}
"#,
        URL_SAFE_NO_PAD.encode(x),
        URL_SAFE_NO_PAD.encode(y)
    );
    let provider = Provider::start_with(&more).await;
    let home = Home::new();
    let store = home.store().await;
    let (mut client, _) = provider.client("signer");
    client.grant = Grant::ClientCredentials;
    client.auth = AuthMethod::PrivateKeyJwt;
    client.scope = "query".into();
    let credentials = Credentials {
        key: Some(Secret::new(pair.serialize_pem())),
        key_id: Some("one".into()),
        secret: None,
    };
    let added = store.add(client, &credentials).await.unwrap();
    let client = store.client("signer").await.unwrap();
    client.access_token().await.unwrap();
    client.refresh().await.unwrap();
    // Its twin signs with another key.
    let other = rcgen::KeyPair::generate().unwrap();
    let wrong = Credentials { key: Some(Secret::new(other.serialize_pem())), ..credentials };
    store.save_credentials(added.id, &wrong).await.unwrap();
    let error = client.refresh().await.unwrap_err();
    assert!(matches!(&error, Error::Refused { code, .. } if code == "invalid_client"), "{error}");
}

#[tokio::test]
async fn s3_26_the_password_grant_has_to_be_allowed() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = home.store().await;
    let (client, credentials) = provider.client("app");
    let added = store.add(client, &credentials).await.unwrap();
    let client = store.client("app").await.unwrap();
    let right = Secret::new("correct horse battery");
    let error = client.login_with_password("alice", &right).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "app: the password grant is not allowed for it (--insecure-password-grant)"
    );
    assert_eq!(provider.token_requests(), 0);
    let allow = |client: &mut oauth_helper::Client| {
        client.insecure_password_grant = true;
        client.scope = "profile".into();
        Ok(())
    };
    store.edit(added.id, allow).await.unwrap();
    client.login_with_password("alice", &right).await.unwrap();
    client.access_token().await.unwrap();
    let wrong = client.login_with_password("alice", &Secret::new("wrong")).await.unwrap_err();
    assert!(matches!(&wrong, Error::Refused { code, .. } if code == "invalid_grant"), "{wrong}");
    client.access_token().await.expect("a login that failed takes nothing away");
}

#[tokio::test]
async fn s3_09_two_logins_at_once_do_not_know_each_other() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = home.store().await;
    for id in ["app", "post"] {
        let (client, credentials) = provider.client(id);
        store.add(client, &credentials).await.unwrap();
    }
    let app = store.client("app").await.unwrap().begin_login(redirect()).await.unwrap();
    let post = store.client("post").await.unwrap().begin_login(redirect()).await.unwrap();
    let mut browser = Browser::default();
    let for_app = browser.authorize(&app.url).await;
    let for_post = browser.authorize(&post.url).await;
    let read = |url: &Url| Redirected::pasted(url.as_str()).unwrap();
    for (pending, other) in [(&app, &for_post), (&post, &for_app)] {
        assert_eq!(
            pending.check(read(other)).unwrap_err().to_string(),
            "this is the answer to another login (its state is not ours)"
        );
    }
    for (pending, own) in [(post, for_post), (app, for_app)] {
        let code = pending.check(read(&own)).unwrap();
        pending.finish(&code).await.unwrap();
    }
    store.client("app").await.unwrap().access_token().await.unwrap();
    store.client("post").await.unwrap().access_token().await.unwrap();
}

#[tokio::test]
async fn rfc9207_2_4_the_issuer_in_the_answer_must_be_the_one_that_was_asked() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = home.store().await;
    let (client, credentials) = provider.client("app");
    store.add(client, &credentials).await.unwrap();
    let pending = store.client("app").await.unwrap().begin_login(redirect()).await.unwrap();
    let back = Browser::default().authorize(&pending.url).await;
    let changed = |iss: Option<&str>| {
        let mut url = back.clone();
        let kept: Vec<_> = back.query_pairs().into_owned().filter(|(n, _)| n != "iss").collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
        if let Some(iss) = iss {
            url.query_pairs_mut().append_pair("iss", iss);
        }
        pending.check(Redirected::pasted(url.as_str()).unwrap())
    };
    assert_eq!(
        changed(None).unwrap_err().to_string(),
        "the authorization endpoint did not say who it is, which it promised to"
    );
    assert_eq!(
        changed(Some("https://evil.example")).unwrap_err().to_string(),
        format!(
            "the authorization endpoint answered as \"https://evil.example\", not as {:?}",
            provider.issuer
        )
    );
    changed(Some(&provider.issuer)).unwrap();
}

#[tokio::test]
async fn s3_03_fifty_callers_at_the_end_of_a_token_make_one_request() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = signed_in(&home, &provider, "app").await;
    let client = store.client("app").await.unwrap();
    let first = client.access_token().await.unwrap();
    let before = provider.token_requests();
    home.clock.advance(1_000_000);
    // Half of them in this store, half in another that shares nothing but the files, as another process would.
    let other = home.store().await.client("app").await.unwrap();
    let start = Arc::new(tokio::sync::Barrier::new(50));
    let callers: Vec<_> = (0..50)
        .map(|i| {
            let client = if i % 2 == 0 { client.clone() } else { other.clone() };
            let start = Arc::clone(&start);
            tokio::spawn(async move {
                start.wait().await;
                client.access_token().await.unwrap()
            })
        })
        .collect();
    let mut tokens = Vec::new();
    for caller in callers {
        tokens.push(caller.await.unwrap());
    }
    assert_eq!(provider.token_requests(), before + 1);
    assert!(tokens.iter().all(|t| *t == tokens[0] && t.token != first.token));
}

#[tokio::test]
async fn s3_03_those_who_wait_share_a_failure_and_nothing_is_lost() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = signed_in(&home, &provider, "app").await;
    let client = store.client("app").await.unwrap();
    home.clock.advance(1_000_000);
    provider.break_wire(Some(Fault::Unavailable));
    let (a, b) = tokio::join!(client.access_token(), client.access_token());
    for outcome in [a, b] {
        assert_eq!(outcome.unwrap_err().to_string(), "the token endpoint failed (503)");
    }
    provider.break_wire(None);
    client.access_token().await.unwrap();
}

#[tokio::test]
async fn s3_03_an_answer_that_is_lost_on_the_way_is_asked_for_again() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = signed_in(&home, &provider, "app").await;
    let client = store.client("app").await.unwrap();
    let first = client.access_token().await.unwrap();
    provider.break_wire(Some(Fault::LoseAnswer));
    let error = client.refresh().await.unwrap_err();
    assert_eq!(error.to_string(), "the token endpoint failed (502)");
    assert_eq!(client.status().await.unwrap().state, State::Interrupted);
    provider.break_wire(None);
    let second = client.access_token().await.unwrap();
    assert_ne!(second.token, first.token, "the rotated token was recovered");
    assert_eq!(client.status().await.unwrap().state, State::Valid);
    client.refresh().await.expect("the family of tokens is alive");
}

#[tokio::test]
async fn s3_19_a_client_that_is_pointed_elsewhere_does_not_take_its_tokens_along() {
    let (provider, other) = (Provider::start().await, Provider::start().await);
    let home = Home::new();
    let store = signed_in(&home, &provider, "app").await;
    let client = store.client("app").await.unwrap();
    let point = async |issuer: &str| {
        let issuer = issuer.to_owned();
        let edit = move |c: &mut oauth_helper::Client| {
            c.issuer = Some(issuer);
            Ok(())
        };
        store.edit(client.id(), edit).await.unwrap();
    };
    point(&other.issuer).await;
    let error = client.refresh().await.unwrap_err();
    assert!(matches!(error, Error::LoginNeeded { why: Why::Moved, .. }), "{error}");
    assert_eq!(other.token_requests(), 0);
    point(&provider.issuer).await;
    client.refresh().await.expect("nothing was lost");
    point(&other.issuer).await;
    assert_eq!(client.revoke().await.unwrap(), Revoked::OnlyHere);
    assert_eq!(other.tap.revocations.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[tokio::test]
async fn s3_03_a_refresh_token_that_was_taken_back_is_told_once_and_then_remembered() {
    let provider = Provider::start().await;
    let home = Home::new();
    let store = signed_in(&home, &provider, "app").await;
    let client = store.client("app").await.unwrap();
    // Another machine with a copy of the files takes the tokens back.
    let copy = home.store().await.record(client.id()).await.unwrap().tokens.unwrap();
    crate::support::http_client()
        .post(format!("{}/oauth/revoke", provider.issuer))
        .basic_auth(
            "app",
            Some(form_urlencoded::byte_serialize(SECRET.as_bytes()).collect::<String>()),
        )
        .form(&[("token", copy.refresh_token.as_ref().unwrap().expose())])
        .send()
        .await
        .unwrap();
    home.clock.advance(1_000_000);
    let before = provider.token_requests();
    for _ in 0..3 {
        let error = client.access_token().await.unwrap_err();
        assert!(matches!(error, Error::LoginNeeded { why: Why::Refused, .. }), "{error}");
    }
    assert_eq!(
        provider.token_requests(),
        before + 1,
        "a provider is not asked what it has answered"
    );
    let kept = store.record(client.id()).await.unwrap().tokens.unwrap();
    assert_eq!(kept.refresh_token, copy.refresh_token, "what was stored stays");
    sign_in(&store, "app").await;
    client.access_token().await.unwrap();
}
