//! Clients.

use super::{LawfulStore, done, nothing};
use crate::{
    model::{
        ApplicationType, Client, ClientAuth, ClientId, ClientMetadata, ContentEncryption,
        Encryption, Issuance, KeyManagementAlgorithm, Parent, RequestObjectSigning, SealedSecret,
        SecretHash, SecretMethod, SigningAlgorithm, SubjectType, TokenFormat, UserId,
        VerificationAlgorithm,
    },
    testing::fixtures::{
        NOW, access, after, authorization, client, code, consent, hash, openid_authorization,
        pending, public_client, scope,
    },
};
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

type Store = Arc<dyn LawfulStore>;

pub(super) async fn what_was_inserted_is_found(store: Store) {
    let chosen = SecretHash::Argon2("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA".to_owned());
    let clients = [
        client("basic"),
        public_client("public"),
        Client {
            auth: ClientAuth::Secret(SecretMethod::Post, chosen),
            uri: Some("https://client.example/".to_owned()),
            owner: Some(UserId::new("owner")),
            redirect_uris: Vec::new(),
            scope: scope(""),
            access_token_format: Some(TokenFormat::Opaque),
            access_token_ttl: Some(Duration::from_secs(5)),
            skip_consent: true,
            ..client("post")
        },
        Client {
            name: "Ĝiŝ \"morgaŭ\" 🦀".to_owned(),
            access_token_format: Some(TokenFormat::Jwt(SigningAlgorithm::RS512)),
            ..client("named")
        },
    ];
    for wanted in clients {
        assert!(store.insert_client(wanted.clone()).await.unwrap());
        let found = store.client(&wanted.id).await.unwrap().expect("it was inserted");
        assert_eq!(*found, wanted);
    }
    for unknown in ["nobody", "BASIC", "", "basic\0"] {
        assert_eq!(store.client(&ClientId::new(unknown)).await.unwrap(), None, "{unknown:?}");
    }
}

pub(super) async fn an_id_is_taken_once(store: Store) {
    assert!(store.insert_client(client("c")).await.unwrap());
    assert!(!store.insert_client(public_client("c")).await.unwrap());
    assert_eq!(*store.client(&ClientId::new("c")).await.unwrap().unwrap(), client("c"));
}

pub(super) async fn only_a_known_client_is_replaced(store: Store) {
    assert!(!store.replace_client(client("c")).await.unwrap());
    assert_eq!(store.client(&ClientId::new("c")).await.unwrap(), None);
    assert!(store.insert_client(client("c")).await.unwrap());
    assert!(store.insert_client(client("d")).await.unwrap());
    let public = Client { name: "New".to_owned(), ..public_client("c") };
    assert!(store.replace_client(public.clone()).await.unwrap());
    assert_eq!(*store.client(&ClientId::new("c")).await.unwrap().unwrap(), public);
    assert_eq!(*store.client(&ClientId::new("d")).await.unwrap().unwrap(), client("d"));
}

pub(super) async fn what_was_decided_about_another_registration_is_not_written(store: Store) {
    let (first, second) = (client("c"), Client { name: "New".to_owned(), ..client("c") });
    let third = Client { name: "Newer".to_owned(), ..client("c") };
    let replace = |client: &Client, before: &Client| {
        let (store, client, before) = (store.clone(), client.clone(), before.clone());
        async move { store.replace_unchanged_client(client, &before).await.unwrap() }
    };
    assert!(!replace(&second, &first).await, "there is none");
    assert!(
        store.insert_client(Client { expires_at: Some(after(60)), ..first.clone() }).await.unwrap()
    );
    assert!(store.keep_client(&ClientId::new("c")).await.unwrap());
    // That it is kept since it was read changes nothing of what was decided.
    let read = Client { expires_at: Some(after(60)), ..first.clone() };
    assert!(replace(&second, &read).await);
    assert!(!replace(&third, &first).await, "it is another by now");
    assert_eq!(*store.client(&ClientId::new("c")).await.unwrap().unwrap(), second);
    let (one, other) = tokio::join!(replace(&first, &second), replace(&third, &second));
    assert!(one != other, "of two at once one is written");
}

/// Whoever replaces a client may have read it before it was kept.
pub(super) async fn a_replacement_does_not_let_a_kept_client_expire(store: Store) {
    let expiring = |end| Client { expires_at: end, name: format!("{end:?}"), ..client("c") };
    assert!(store.insert_client(expiring(Some(after(60)))).await.unwrap());
    let found = || async { store.client(&ClientId::new("c")).await.unwrap().unwrap() };
    for end in [Some(after(90)), Some(after(30))] {
        assert!(store.replace_client(expiring(end)).await.unwrap());
        assert_eq!(*found().await, expiring(end), "until it is kept, it expires as is said");
    }
    assert!(store.keep_client(&ClientId::new("c")).await.unwrap());
    assert!(store.replace_client(expiring(Some(after(30)))).await.unwrap());
    assert_eq!(*found().await, Client { expires_at: None, ..expiring(Some(after(30))) });
    assert!(
        store.insert_client(Client { expires_at: Some(after(9)), ..client("d") }).await.unwrap()
    );
    assert!(store.replace_client(client("d")).await.unwrap());
    let d = store.client(&ClientId::new("d")).await.unwrap().unwrap();
    assert_eq!(*d, client("d"), "a replacement may keep it, too");
}

pub(super) async fn clients_of_an_owner_come_oldest_first(store: Store) {
    let owned = |id: &str, owner: &str, seconds| Client {
        owner: Some(UserId::new(owner)),
        created_at: after(seconds),
        ..client(id)
    };
    for one in [owned("a", "u", 2), owned("b", "u", 1), owned("c", "v", 0), client("d")] {
        assert!(store.insert_client(one).await.unwrap());
    }
    let mine = store.clients_of(&UserId::new("u")).await.unwrap();
    assert_eq!(mine, [owned("b", "u", 1), owned("a", "u", 2)]);
    assert_eq!(store.clients_of(&UserId::new("w")).await.unwrap(), []);
}

pub(super) async fn removal_takes_everything_issued(store: Store) {
    let mut others = authorization("other");
    others.client = ClientId::new("d");
    let mut theirs = access("theirs");
    theirs.client = ClientId::new("d");
    assert!(store.insert_client(client("c")).await.unwrap());
    assert!(store.insert_client(client("d")).await.unwrap());
    let given = Issuance {
        parent: Parent::New(authorization("x")),
        code: Some(code("code")),
        tokens: vec![access("child")],
        consent: Some(consent("a")),
        ..nothing(NOW)
    };
    done(&*store, given).await;
    done(&*store, Issuance { tokens: vec![access("alone")], ..nothing(NOW) }).await;
    let other = Issuance { parent: Parent::New(others), tokens: vec![theirs], ..nothing(NOW) };
    done(&*store, other).await;
    store.suspend(hash("waiting"), pending()).await.unwrap();

    assert!(store.remove_client(&ClientId::new("c")).await.unwrap());
    assert!(!store.remove_client(&ClientId::new("c")).await.unwrap());

    let user = UserId::new("u");
    assert_eq!(store.client(&ClientId::new("c")).await.unwrap(), None);
    assert_eq!(store.code(&hash("code")).await.unwrap(), None);
    assert_eq!(store.token(&hash("child")).await.unwrap(), None);
    assert_eq!(store.token(&hash("alone")).await.unwrap(), None);
    assert_eq!(store.pending(&hash("waiting")).await.unwrap(), None);
    assert_eq!(store.consent(&user, &ClientId::new("c")).await.unwrap(), None);
    assert!(store.token(&hash("theirs")).await.unwrap().unwrap().is_live(NOW));
    let left = store.authorizations(&user, NOW).await.unwrap();
    assert_eq!(left.iter().map(|a| a.client.as_str()).collect::<Vec<_>>(), ["d"]);
}

/// A client that says everything that can be said.
fn talkative(id: &str) -> Client {
    let uri = |name: &str| Some(format!("https://client.example/{name}"));
    let encryption = |alg, enc| Some(Encryption { alg, enc });
    let metadata = ClientMetadata {
        application_type: ApplicationType::Native,
        contacts: vec!["ada@example.com".to_owned(), "\"é\"\0".to_owned()],
        texts: BTreeMap::from([("logo_uri#de".to_owned(), "https://client.example/l".to_owned())]),
        jwks: Some(json!({ "keys": [{ "kty": "OKP", "n": null, "use": ["sig"] }] })),
        jwks_uri: uri("jwks"),
        sector_identifier_uri: uri("sector"),
        subject_type: SubjectType::Pairwise,
        id_token_signed_response_alg: Some(SigningAlgorithm::PS256),
        id_token_encrypted_response: encryption(
            KeyManagementAlgorithm::EcdhEsA128Kw,
            ContentEncryption::A256Gcm,
        ),
        userinfo_signed_response_alg: Some(SigningAlgorithm::EdDSA),
        userinfo_encrypted_response: encryption(
            KeyManagementAlgorithm::RsaOaep256,
            ContentEncryption::A128CbcHs256,
        ),
        request_object_signing_alg: Some(RequestObjectSigning::Unsecured),
        token_endpoint_auth_signing_alg: Some("HS384".to_owned()),
        default_max_age: Some(u64::MAX),
        require_auth_time: true,
        default_acr_values: vec!["1".to_owned(), "0".to_owned()],
        initiate_login_uri: uri("login"),
        request_uris: vec!["https://client.example/r#1".to_owned()],
        require_signed_request_object: true,
        post_logout_redirect_uris: vec!["https://client.example/bye".to_owned()],
        frontchannel_logout_uri: uri("front"),
        frontchannel_logout_session_required: true,
        backchannel_logout_uri: uri("back"),
        backchannel_logout_session_required: true,
        software_id: Some("4NRB1-0XZABZI9E6-5SM3R".to_owned()),
        software_version: Some("2.1".to_owned()),
        software_statement: Some("e30.e30.".to_owned()),
    };
    Client {
        metadata,
        registration_token: Some(hash("registration")),
        expires_at: Some(after(100)),
        auth: ClientAuth::SecretJwt(SealedSecret(vec![0, 255, 7])),
        ..client(id)
    }
}

pub(super) async fn all_a_client_says_is_found(store: Store) {
    let signed = Some(RequestObjectSigning::Signed(VerificationAlgorithm::ES384));
    let metadata =
        ClientMetadata { request_object_signing_alg: signed, ..ClientMetadata::default() };
    let clients = [
        talkative("talkative"),
        Client { auth: ClientAuth::PrivateKeyJwt, metadata, ..client("signing") },
        Client { expires_at: None, ..talkative("permanent") },
        Client { registration_token: None, ..talkative("unmanaged") },
        client("silent"),
    ];
    for wanted in &clients {
        assert!(store.insert_client(wanted.clone()).await.unwrap());
        assert_eq!(*store.client(&wanted.id).await.unwrap().unwrap(), *wanted);
    }
    // What was said before is forgotten when it is replaced, and the other way round.
    for said in [client("talkative"), Client { expires_at: None, ..talkative("silent") }] {
        assert!(store.replace_client(said.clone()).await.unwrap());
        assert_eq!(*store.client(&said.id).await.unwrap().unwrap(), said);
    }
}

pub(super) async fn a_client_that_is_kept_does_not_expire(store: Store) {
    for id in ["kept", "other"] {
        assert!(store.insert_client(talkative(id)).await.unwrap());
    }
    assert!(store.insert_client(client("permanent")).await.unwrap());
    assert!(store.keep_client(&ClientId::new("kept")).await.unwrap());
    assert!(store.keep_client(&ClientId::new("kept")).await.unwrap());
    assert!(store.keep_client(&ClientId::new("permanent")).await.unwrap());
    assert!(!store.keep_client(&ClientId::new("nobody")).await.unwrap());
    let wanted = Client { expires_at: None, ..talkative("kept") };
    assert_eq!(*store.client(&wanted.id).await.unwrap().unwrap(), wanted);
    let other = store.client(&ClientId::new("other")).await.unwrap().unwrap();
    assert_eq!(other.expires_at, Some(after(100)));
    assert_eq!(store.sweep(after(100), 100).await.unwrap(), 1);
    assert_eq!(*store.client(&wanted.id).await.unwrap().unwrap(), wanted);
    assert_eq!(store.client(&ClientId::new("other")).await.unwrap(), None);
}

pub(super) async fn an_expired_client_is_swept_with_everything_issued(store: Store) {
    for id in ["c", "d"] {
        let brief = Client { expires_at: Some(after(10)), ..client(id) };
        assert!(store.insert_client(brief).await.unwrap());
    }
    let given = Issuance {
        parent: Parent::New(openid_authorization("x", "session")),
        code: Some(code("code")),
        tokens: vec![access("child")],
        consent: Some(consent("a")),
        ..nothing(NOW)
    };
    done(&*store, given).await;
    done(&*store, Issuance { tokens: vec![access("alone")], ..nothing(NOW) }).await;
    store.suspend(hash("waiting"), pending()).await.unwrap();

    assert_eq!(store.sweep(after(9), 100).await.unwrap(), 0);
    assert!(store.client(&ClientId::new("c")).await.unwrap().is_some());
    assert_eq!(store.sweep(after(10), 1).await.unwrap(), 1);
    assert_eq!(store.sweep(after(10), 1).await.unwrap(), 1);
    assert_eq!(store.sweep(after(10), 1).await.unwrap(), 0);

    for id in ["c", "d"] {
        assert_eq!(store.client(&ClientId::new(id)).await.unwrap(), None);
    }
    assert_eq!(store.code(&hash("code")).await.unwrap(), None);
    assert_eq!(store.token(&hash("child")).await.unwrap(), None);
    assert_eq!(store.token(&hash("alone")).await.unwrap(), None);
    assert_eq!(store.pending(&hash("waiting")).await.unwrap(), None);
    assert_eq!(store.consents(&UserId::new("u")).await.unwrap(), []);
    assert_eq!(store.end_session("session", after(10)).await.unwrap(), []);
}
