//! Clients that are there for a while only, as the provider sees them with and without its cache.

use crate::support::{Setup, World};
use oauth_core::{
    model::{Client, ClientId},
    ports::{ClientStore, Clock},
    testing::fixtures::client,
};
use std::time::Duration;

/// A provider that remembers clients for so many seconds, and the client `brief`, which expires after ten.
async fn with_brief(seconds: u64) -> (World, ClientId) {
    let ttl = Duration::from_secs(seconds);
    let world = Setup::new().policy(move |p| p.client_cache_ttl = ttl).start().await;
    let end = world.clock.now().plus(Duration::from_secs(10));
    let brief = Client { expires_at: Some(end), ..client("brief") };
    let id = brief.id.clone();
    assert!(world.provider.env().clients.insert_client(brief).await.unwrap());
    (world, id)
}

#[tokio::test]
async fn a_client_is_there_until_it_expires_and_no_longer() {
    for seconds in [0, 5, 1000] {
        let (world, id) = with_brief(seconds).await;
        let clients = &world.provider.env().clients;
        for (later, there) in [(0, true), (9, true), (1, false), (1, false)] {
            world.after(later);
            assert_eq!(clients.client(&id).await.unwrap().is_some(), there, "{later} {seconds}");
        }
        // It waits for the sweep.
        assert!(world.store.client(&id).await.unwrap().is_some());
        world.provider.maintain().await.unwrap();
        assert!(world.store.client(&id).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_client_that_is_kept_stays() {
    for seconds in [0, 5, 1000] {
        let (world, id) = with_brief(seconds).await;
        let clients = &world.provider.env().clients;
        assert!(clients.client(&id).await.unwrap().unwrap().expires_at.is_some());
        assert!(clients.keep_client(&id).await.unwrap());
        assert_eq!(clients.client(&id).await.unwrap().unwrap().expires_at, None);
        assert!(!clients.keep_client(&ClientId::new("nobody")).await.unwrap());
        world.after(9999);
        world.provider.maintain().await.unwrap();
        assert!(clients.client(&id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn nothing_is_remembered_for_no_time() {
    let (world, id) = with_brief(0).await;
    let clients = &world.provider.env().clients;
    assert!(clients.client(&id).await.unwrap().is_some());
    assert!(world.store.remove_client(&id).await.unwrap());
    assert_eq!(clients.client(&id).await.unwrap(), None);
}
