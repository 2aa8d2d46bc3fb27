//! Clients.

use super::{LawfulStore, done, nothing};
use crate::{
    model::{
        Client, ClientAuth, ClientId, Issuance, Parent, SecretHash, SecretMethod, SigningAlgorithm,
        TokenFormat, UserId,
    },
    testing::fixtures::{
        NOW, access, after, authorization, client, code, consent, hash, pending, public_client,
        scope,
    },
};
use std::{sync::Arc, time::Duration};

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
