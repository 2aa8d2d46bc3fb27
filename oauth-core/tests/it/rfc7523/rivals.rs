//! An assertion that several processes are shown at the same moment.

use super::es256;
use crate::support::{
    CLIENT_ASSERTION_TYPE, ISSUER, SEALING_KEY,
    jwt::{assertion, jwks},
};
use oauth_core::{
    Provider,
    error::ErrorCode,
    model::ClientAuth,
    params::{Incoming, Params},
    ports::{ClientStore as _, Clock as _},
    seaorm::SeaStore,
    testing::{ManualClock, TestDatabase, fixtures},
};
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

/// Two providers on one database stand for two processes.
async fn used_once_by(stores: [SeaStore; 2]) {
    const RIVALS: usize = 8;
    let mut client = fixtures::client("key");
    client.auth = ClientAuth::PrivateKeyJwt;
    client.metadata.jwks = Some(jwks(&[es256()]));
    assert!(stores[0].insert_client(client).await.unwrap());
    let clock = ManualClock::default();
    let providers = stores.map(|store| {
        let builder = Provider::builder(ISSUER.parse().unwrap()).store(store);
        builder.sealing_key(&SEALING_KEY).clock(clock.clone()).build().unwrap()
    });
    providers[0].maintain().await.unwrap();
    for _ in 0..25 {
        let mut params = Params::default();
        for (name, value) in [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", CLIENT_ASSERTION_TYPE),
            ("client_assertion", &assertion("key", ISSUER, clock.now()).sign(es256())),
        ] {
            params.add(name.into(), value.into()).unwrap();
        }
        let request = Arc::new(Incoming { authorization: None, params });
        let gate = Arc::new(Barrier::new(RIVALS));
        let mut running = JoinSet::new();
        for (_, provider) in (0..RIVALS).zip(providers.iter().cycle()) {
            let (provider, request, gate) =
                (provider.clone(), Arc::clone(&request), Arc::clone(&gate));
            running.spawn(async move {
                gate.wait().await;
                provider.token(&request).await.map(drop).map_err(|e| e.code())
            });
        }
        let outcomes = running.join_all().await;
        let refused = outcomes.iter().filter(|o| **o == Err(ErrorCode::InvalidClient)).count();
        assert_eq!((refused, outcomes.contains(&Ok(()))), (RIVALS - 1, true), "{outcomes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s3_7_rivals_on_sqlite() {
    let database = TestDatabase::sqlite().await;
    used_once_by([database.store(), database.another_store().await]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s3_7_rivals_on_postgres() {
    let database = TestDatabase::postgres().await;
    used_once_by([database.store(), database.another_store().await]).await;
}
