//! `/`, `/create_client` and `/clients/…`.

use crate::{
    pages_actors::{CALLBACK, Made, PASSWORD, SignedIn, client_form, sent_while},
    support::{self, start},
};
use http::StatusCode;
use oauth_core::{
    model::{Client, ClientAuth, HashedToken, SecretHash, SecretMethod, UserId},
    ports::ClientStore as _,
    seaorm::SeaStore,
};
use serde_json::json;

#[tokio::test]
async fn a_client_is_made_and_its_secret_shown_once() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    assert!(ada.get("/").await.has("create-client"));
    assert!(
        ada.get("/create_client")
            .await
            .html
            .contains("name=\"grant_type:authorization_code\" value=\"yes\" checked")
    );
    let made = ada.create_client(&[]).await;
    assert_eq!(made.page.header("cache-control"), "no-store");
    assert_eq!(made.page.header("content-location"), format!("/clients/{}", made.id));
    let secret = made.secret.clone().unwrap();
    assert_eq!((made.id.len(), secret.len()), (24, 43));
    let client = server.state.store.clients_of_one(&made).await;
    assert_eq!(client.owner.as_ref(), Some(&ada.id));
    assert!(
        matches!(&client.auth, ClientAuth::Secret(_, SecretHash::Sha256(hash)) if hash.matches(&secret))
    );
    assert!(!client.skip_consent, "nobody decides that for himself");
    for path in ["/", &format!("/clients/{}", made.id), &format!("/clients/{}/edit", made.id)] {
        let page = ada.get(path).await;
        assert!(page.status == StatusCode::OK && !page.html.contains(&secret), "{path}");
        assert!(page.html.contains("Camera wall"));
    }
}

#[tokio::test]
async fn the_same_form_makes_one_client_however_often_it_is_sent() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let once = ada.get("/create_client").await.value("once");
    let form = client_form(&[("once", &once)]);
    assert_eq!(ada.post("/create_client", &form).await.status, StatusCode::CREATED);
    assert_eq!(ada.post("/create_client", &form).await.location(), "/?done=made");
    assert_eq!(server.state.store.clients_of_user(&ada.id).await, 1);
}

#[tokio::test]
async fn everything_wrong_is_said_and_everything_typed_is_kept() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let bad = [
        ("client_name", " "),
        ("client_uri", "javascript:alert(1)"),
        ("redirect_uri", "http://far.example/\nno uri"),
        ("scope", "query everything"),
        ("grant_type", "magic"),
        ("response_type:token", "yes"),
        ("token_endpoint_auth_method", "guess"),
        ("access_token_format", "none"),
    ];
    let page = ada.post("/create_client", &bad).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    let expected = [
        "client_name",
        "client_uri",
        "scope",
        "grant_type",
        "redirect_uri",
        "redirect_uri",
        "token_endpoint_auth_method",
        "access_token_format",
    ];
    assert_eq!(
        page.problems().into_iter().filter(|f| *f != "response_type").collect::<Vec<_>>(),
        expected
    );
    assert_eq!(page.value("client_uri"), "javascript:alert(1)");
    assert_eq!(page.by_id("redirect_uri"), "http://far.example/\nno uri");
    let public = client_form(&[
        ("token_endpoint_auth_method", "none"),
        ("grant_type:client_credentials", "yes"),
    ]);
    assert_eq!(
        ada.post("/create_client", &public).await.problems(),
        ["token_endpoint_auth_method"]
    );
    let without = client_form(&[("redirect_uri", "")]);
    assert_eq!(ada.post("/create_client", &without).await.problems(), ["redirect_uri"]);
    let none: Vec<_> =
        client_form(&[]).into_iter().filter(|(n, _)| !n.starts_with("grant_type")).collect();
    assert_eq!(ada.post("/create_client", &none).await.problems(), ["grant_type"]);
    let off = client_form(&[("grant_type", "password")]);
    assert_eq!(
        ada.post("/create_client", &off).await.problems(),
        ["grant_type"],
        "what is off cannot be chosen"
    );
    assert_eq!(server.state.store.clients_of_user(&ada.id).await, 0);
}

#[tokio::test]
async fn lists_of_words_are_taken_as_well_as_boxes() {
    let server = start("[grants]\ndanger_password = true").await;
    let ada = server.signed_up("ada").await;
    let form = [
        ("client_name", "By a script"),
        ("scope", "query connection"),
        ("redirect_uri", "https://app.example/cb\r\nhttps://app.example/cb2\r\n"),
        ("grant_type", "password\r\nauthorization_code"),
        ("response_type", "code"),
        ("token_endpoint_auth_method", "client_secret_post"),
        ("access_token_format", "opaque"),
    ];
    let page = ada.post("/create_client", &form).await;
    assert_eq!(page.status, StatusCode::CREATED, "{}", page.html);
    assert_eq!(page.by_id("client-grants"), "authorization code, password");
    assert_eq!(page.by_id("client-scope"), "connection query");
    assert!(page.by_id("client-format").starts_with("Opaque"));
}

#[tokio::test]
async fn a_public_client_has_no_secret() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[("token_endpoint_auth_method", "none")]).await;
    assert!(made.secret.is_none() && !made.page.has("rotate"));
    assert!(made.page.html.contains("--data-urlencode &#34;client_id=$CLIENT_ID&#34;"));
    for page in [
        ada.get(&format!("/clients/{}/secret", made.id)).await,
        ada.post(&format!("/clients/{}/secret", made.id), &[]).await,
    ] {
        assert_eq!((page.status, &*page.by_id("error-code")), (StatusCode::NOT_FOUND, "not_found"));
    }
}

#[tokio::test]
async fn somebody_elses_client_does_not_exist() {
    let toml = "[[client]]\nid = \"operators-own\"\nauth_method = \"none\"\nredirect_uris = [\"https://a.example/\"]\n";
    let server = start(toml).await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    let made = ada.create_client(&[]).await;
    for id in [&*made.id, "operators-own", "unknown", "%00", "%ff", "a%2fb"] {
        for page in ["", "/edit", "/secret", "/delete", "/token"] {
            let path = format!("/clients/{id}{page}");
            let answer = eve.get(&path).await;
            assert_eq!(
                (answer.status, &*answer.by_id("error-code")),
                (StatusCode::NOT_FOUND, "not_found"),
                "{path}"
            );
            if page.is_empty() {
                continue;
            }
            let answer =
                eve.post(&path, &client_form(&[("grant_type", "client_credentials")])).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "POST {path}");
            let answer = server.visitor().post(&path, &[]).await;
            assert!(answer.location().starts_with("/login"), "POST {path} by nobody");
        }
    }
    assert!(!eve.get("/").await.html.contains(&made.id));
    assert_eq!(server.state.store.clients_of_one(&made).await.name, "Camera wall");
}

#[tokio::test]
async fn a_client_can_be_changed() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    let at = format!("/clients/{}/edit", made.id);
    let page = ada.get(&at).await;
    assert_eq!(
        (&*page.value("client_name"), &*page.by_id("redirect_uri")),
        ("Camera wall", CALLBACK)
    );
    let form = client_form(&[
        ("client_name", "Door"),
        ("redirect_uri", "https://door.example/cb"),
        ("token_endpoint_auth_method", "client_secret_post"),
        ("access_token_format", "opaque"),
    ]);
    assert_eq!(ada.post(&at, &form).await.location(), format!("/clients/{}?done=saved", made.id));
    let before = server.state.store.clients_of_one(&made).await;
    assert_eq!((&*before.name, before.auth.method()), ("Door", "client_secret_post"));
    let ClientAuth::Secret(_, SecretHash::Sha256(hash)) = &before.auth else { panic!("a secret") };
    assert!(hash.matches(made.secret.as_ref().unwrap()), "the secret is the same");
    let page = ada.post(&at, &client_form(&[("redirect_uri", "far")])).await;
    assert_eq!(
        (page.status, page.problems()),
        (StatusCode::UNPROCESSABLE_ENTITY, vec!["redirect_uri"])
    );
    assert_eq!(server.state.store.clients_of_one(&made).await, before);
}

#[tokio::test]
async fn a_public_client_that_becomes_confidential_gets_a_secret() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[("token_endpoint_auth_method", "none")]).await;
    let at = format!("/clients/{}/edit", made.id);
    let page = ada.post(&at, &client_form(&[])).await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.by_id("client-secret").len(), 43);
    let page = ada.post(&at, &client_form(&[("token_endpoint_auth_method", "none")])).await;
    assert!(page.location().ends_with("?done=saved"));
    assert!(server.state.store.clients_of_one(&made).await.is_public());
}

#[tokio::test]
async fn a_new_secret_ends_the_old_one() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[("grant_type:client_credentials", "yes")]).await;
    let old = made.secret.clone().unwrap();
    let at = format!("/clients/{}/secret", made.id);
    let once = ada.get(&at).await.value("once");
    let page = ada.post(&at, &[("once", &once)]).await;
    let new = page.by_id("client-secret");
    assert!(new != old && page.header("cache-control") == "no-store");
    let again = ada.post(&at, &[("once", &once)]).await;
    assert_eq!(
        again.location(),
        format!("/clients/{}?done=made", made.id),
        "a reload makes no other one"
    );
    let form = [("grant_type", "client_credentials")];
    let token = async |secret: &str| {
        let response = server.post("/oauth/token", Some((&made.id, secret)), &form).await;
        (response.status(), support::json(response).await)
    };
    assert_eq!(token(&old).await.1["error"], "invalid_client");
    assert_eq!(token(&new).await.0, StatusCode::OK);
}

/// What another process did, of which this one knows nothing yet.
async fn changed_elsewhere(made: &Made, store: &SeaStore, change: impl FnOnce(&mut Client)) {
    let mut client = (*store.client(&made.client_id()).await.unwrap().unwrap()).clone();
    change(&mut client);
    assert!(store.replace_client(client).await.unwrap());
}

/// Another secret than the one that was shown.
fn rotated(client: &mut Client) {
    let secret = SecretHash::Sha256(HashedToken::of("made elsewhere"));
    client.auth = ClientAuth::Secret(SecretMethod::Basic, secret);
}

/// Clients are remembered for some seconds. What is changed here is the one that is stored.
#[tokio::test]
async fn a_secret_that_was_replaced_elsewhere_does_not_come_back() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    let store = &server.state.store;
    assert!(ada.authorize(&made.id, &[]).await.starts_with("/consent?"), "it is remembered");
    changed_elsewhere(&made, store, rotated).await;
    let at = format!("/clients/{}/edit", made.id);
    let page = ada.post(&at, &client_form(&[("client_name", "Door")])).await;
    assert!(page.location().ends_with("?done=saved"));
    let mut wanted = store.clients_of_one(&made).await;
    rotated(&mut wanted);
    assert_eq!((&*wanted.name, &wanted), ("Door", &store.clients_of_one(&made).await));
    // The other way round: a new secret undoes nothing else.
    assert!(ada.authorize(&made.id, &[]).await.starts_with("/consent?"));
    changed_elsewhere(&made, store, |client| client.name = "Gate".into()).await;
    let page = ada.post(&format!("/clients/{}/secret", made.id), &[]).await;
    let secret = page.by_id("client-secret");
    let client = store.clients_of_one(&made).await;
    assert_eq!(client.name, "Gate");
    assert!(
        matches!(&client.auth, ClientAuth::Secret(_, SecretHash::Sha256(hash)) if hash.matches(&secret))
    );
}

#[tokio::test]
async fn what_changes_at_the_same_moment_is_not_written_over() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    let store = &server.state.store;
    let elsewhere = || {
        let (made, store) = (made.clone(), store.clone());
        async move { changed_elsewhere(&made, &store, rotated).await }
    };
    let at = format!("/clients/{}/edit", made.id);
    let form = client_form(&[("client_name", "Door")]);
    let page = ada.send(sent_while(&at, &form, elsewhere())).await;
    assert_eq!((page.status, page.problems()), (StatusCode::CONFLICT, vec!["client_name"]));
    assert_eq!(page.value("client_name"), "Door", "what was typed is kept");
    let mut wanted = store.clients_of_one(&made).await;
    rotated(&mut wanted);
    assert_eq!((&*wanted.name, &wanted), ("Camera wall", &store.clients_of_one(&made).await));
    // Said once more, it is done, and the other change stays.
    assert!(ada.post(&at, &form).await.location().ends_with("?done=saved"));
    wanted.name = "Door".into();
    assert_eq!(store.clients_of_one(&made).await, wanted);

    let renamed = {
        let (made, store) = (made.clone(), store.clone());
        async move { changed_elsewhere(&made, &store, |c| c.name = "Gate".into()).await }
    };
    let at = format!("/clients/{}/secret", made.id);
    let page = ada.send(sent_while(&at, &[], renamed)).await;
    assert_eq!(
        (page.status, &*page.by_id("error-title")),
        (StatusCode::CONFLICT, "It was changed at the same moment")
    );
    wanted.name = "Gate".into();
    assert_eq!(store.clients_of_one(&made).await, wanted);
}

#[tokio::test]
async fn deleting_takes_two_steps_and_ends_everything() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    let tokens = made.exchange(&server, &ada.allow(&made.id).await).await;
    let other = ada.create_client(&[("access_token_format", "opaque")]).await;
    let at = format!("/clients/{}/delete", made.id);
    assert!(ada.get(&at).await.by_id("main").contains("Delete Camera wall?"));
    assert_eq!(server.state.store.clients_of_user(&ada.id).await, 2, "asking deletes nothing");
    assert_eq!(ada.post(&at, &[]).await.location(), "/?done=deleted");
    assert_eq!(server.state.store.clients_of_user(&ada.id).await, 1);
    assert_eq!(ada.post(&at, &[]).await.status, StatusCode::NOT_FOUND);
    let basic = Some((&*other.id, other.secret.as_deref().unwrap()));
    let form = [("token", tokens["refresh_token"].as_str().unwrap())];
    assert_eq!(
        support::json(server.post("/oauth/introspect", basic, &form).await).await["active"],
        false
    );
    let page = ada.ask(&made.id, &[]).await;
    assert_eq!(
        (page.status, &*page.by_id("error-title")),
        (StatusCode::BAD_REQUEST, "This application is unknown here")
    );
}

/// A client that may use the grants that a page can play.
async fn playable(ada: &SignedIn<'_>, method: &str) -> (Made, String, String) {
    let made = ada
        .create_client(&[
            ("grant_type:client_credentials", "yes"),
            ("grant_type:password", "yes"),
            ("token_endpoint_auth_method", method),
        ])
        .await;
    let (secret, at) = (made.secret.clone().unwrap(), format!("/clients/{}/token", made.id));
    (made, secret, at)
}

#[tokio::test]
async fn tokens_can_be_requested_on_the_page() {
    let server = start("[grants]\ndanger_password = true").await;
    let ada = server.signed_up("ada").await;
    for method in ["client_secret_basic", "client_secret_post"] {
        let (made, secret, at) = playable(&ada, method).await;
        let page = ada.get(&at).await;
        assert!(page.has("client_credentials-form") && page.has("password-form"));
        let grant = ("grant_type", "client_credentials");
        let page = ada.post(&at, &[grant, ("client_secret", &secret), ("scope", "query")]).await;
        assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "no-store"));
        let claims: serde_json::Value = serde_json::from_str(&page.by_id("jwt-claims")).unwrap();
        assert_eq!((&claims["client_id"], &claims["scope"]), (&json!(made.id), &json!("query")));
        let person = [("username", "ada"), ("password", PASSWORD)];
        let form =
            [&[("grant_type", "password"), ("client_secret", &secret)], &person[..]].concat();
        let page = ada.post(&at, &form).await;
        let answer: serde_json::Value = serde_json::from_str(&page.by_id("answer")).unwrap();
        assert!(answer["refresh_token"].is_string() && !page.html.contains(PASSWORD));
    }
}

#[tokio::test]
async fn what_the_token_endpoint_refuses_is_said_at_the_field() {
    let server = start("[grants]\ndanger_password = true").await;
    let ada = server.signed_up("ada").await;
    let (_, secret, at) = playable(&ada, "client_secret_basic").await;
    for (grant, secret, scope, password, field, code) in [
        (
            "client_credentials",
            "wrong",
            "",
            "",
            "client_credentials-client_secret",
            "invalid_client",
        ),
        ("client_credentials", "", "", "", "client_credentials-client_secret", "invalid_client"),
        ("client_credentials", &secret, "node", "", "client_credentials-scope", "invalid_scope"),
        ("client_credentials", &secret, "\"", "", "client_credentials-scope", "invalid_scope"),
        ("password", "wrong", "", PASSWORD, "password-client_secret", "invalid_client"),
        ("password", &secret, "node", PASSWORD, "password-scope", "invalid_scope"),
        ("password", &secret, "", "wrong", "password", "invalid_grant"),
        ("password", &secret, "", "", "password", "invalid_request"),
    ] {
        let form = [
            ("grant_type", grant),
            ("client_secret", secret),
            ("scope", scope),
            ("username", "ada"),
            ("password", password),
        ];
        let page = ada.post(&at, &form).await;
        assert_eq!((page.status, page.problems()), (StatusCode::UNPROCESSABLE_ENTITY, vec![field]));
        assert!(page.by_id("problems").contains(code) && !page.has("answer"), "{code}");
    }
    for grant in ["", "refresh_token", "authorization_code", "implicit"] {
        let page = ada.post(&at, &[("grant_type", grant), ("client_secret", &secret)]).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{grant}");
    }
}

#[tokio::test]
async fn clients_that_need_a_person_are_not_tried_on_the_page() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[("access_token_format", "opaque")]).await;
    assert!(!made.page.has("try"));
    let at = format!("/clients/{}/token", made.id);
    assert!(ada.get(&at).await.has("no-forms"));
    assert_eq!(ada.post(&at, &[("grant_type", "password")]).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn nobody_makes_clients_without_end() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    for _ in 0..100 {
        ada.create_client(&[]).await;
    }
    let page = ada.post("/create_client", &client_form(&[])).await;
    assert_eq!(
        (page.status, page.problems()),
        (StatusCode::UNPROCESSABLE_ENTITY, vec!["client_name"])
    );
    server.signed_up("eve").await.create_client(&[]).await;
}

/// What the tests look up behind the pages.
trait Behind {
    async fn clients_of_one(&self, made: &Made) -> Client;
    async fn clients_of_user(&self, user: &UserId) -> usize;
}

impl Behind for SeaStore {
    async fn clients_of_one(&self, made: &Made) -> Client {
        (*self.client(&made.client_id()).await.unwrap().unwrap()).clone()
    }
    async fn clients_of_user(&self, user: &UserId) -> usize {
        self.clients_of(user).await.unwrap().len()
    }
}
