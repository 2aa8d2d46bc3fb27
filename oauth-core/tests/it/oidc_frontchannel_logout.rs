//! [OpenID Connect Front-Channel Logout](https://openid.net/specs/openid-connect-frontchannel-1_0.html).

use crate::support::{Setup, World};
use oauth_core::model::{Client, Scope};

fn shown(uri: &'static str) -> impl FnOnce(&mut Client) {
    move |client| {
        client.scope = Scope::parse("openid a b c").unwrap();
        client.metadata.frontchannel_logout_uri = Some(uri.into());
    }
}

#[tokio::test]
async fn s3_the_pages_of_the_session_are_named_with_issuer_and_session() {
    let world = Setup::new()
        .client("web", shown("https://client.example/front?keep=this"))
        .client("other", |client| {
            shown("https://other.example/front")(client);
            client.metadata.frontchannel_logout_session_required = true;
        })
        .client("post", shown("https://post.example/front"))
        .client("spa", |client| client.scope = Scope::parse("openid a").unwrap())
        .start()
        .await;
    for client in ["web", "other", "spa"] {
        world.id_token_in("s-1", client).await;
    }
    world.id_token_in("s-2", "post").await;
    let participants = world.provider.log_out("s-1").await.unwrap();
    assert_eq!(participants.len(), 3);
    assert_eq!(
        world.provider.frontchannel_logouts(&participants).await.unwrap(),
        [
            "https://other.example/front?iss=https%3A%2F%2Fas.example&sid=s-1",
            "https://client.example/front?keep=this&iss=https%3A%2F%2Fas.example&sid=s-1",
        ]
    );
    assert_eq!(world.provider.frontchannel_logouts(&[]).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn s3_a_client_that_is_gone_has_no_page() {
    use oauth_core::{model::ClientId, ports::ClientStore as _};
    let world = Setup::new().client("web", shown("https://client.example/front")).start().await;
    world.id_token_in("s-1", "web").await;
    let participants = world.provider.log_out("s-1").await.unwrap();
    world.store.remove_client(&ClientId::new("web")).await.unwrap();
    assert_eq!(world.provider.frontchannel_logouts(&participants).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn s3_1_the_metadata_tells_of_it_where_there_is_a_page() {
    let world = Setup::new().builder(oauth_core::provider::Builder::logout_page).start().await;
    let metadata = world.provider.metadata();
    assert_eq!(metadata["frontchannel_logout_supported"], true);
    assert_eq!(metadata["frontchannel_logout_session_supported"], true);
    assert!(World::new().await.provider.metadata().get("frontchannel_logout_supported").is_none());
}
