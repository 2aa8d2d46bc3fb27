//! RFC 9207: the issuer in every authorization response, so that a client cannot be mixed up.

use crate::support::{ISSUER, Setup, USER, World};
use oauth_core::{authorize::Decision, grants::Implicit};

#[tokio::test]
async fn s2_on_success_and_on_every_error() {
    let world = Setup::new().builder(|b| b.grant(Implicit)).start().await;
    for kind in ["code", "token"] {
        let request = || world.request("web").set("response_type", kind);
        assert_eq!(request().answer().await.get("iss"), Some(ISSUER));
        request().set("scope", "unknown").refuses("invalid_scope").await;
        request().set("prompt", "none").refuses("login_required").await;
        let step = request().send().await.sign_in(USER).await;
        let id = step.reply.location().split_once('=').map(|(_, id)| id.to_owned());
        if let Some(id) = id.filter(|_| step.reply.location().starts_with("/consent")) {
            let answer = step.decide(&id, Decision::Denied).await.reply.answer();
            assert_eq!(answer.get("error"), Some("access_denied"));
            assert_eq!(answer.get("iss"), Some(ISSUER));
        }
    }
    let request = world.request("web").set("response_type", "unknown");
    request.refuses("unsupported_response_type").await;
}

#[tokio::test]
async fn s2_on_server_errors_too() {
    let world = World::new().await;
    let step = world.request("web").send().await.sign_in(USER).await;
    let id = step.reply.interaction("/consent");
    world.store.fail(Some("down"));
    let step = step.decide(&id, Decision::Approved { scope: None }).await;
    // Nothing could be loaded, so nothing is proven: a page.
    step.reply.is_page("server_error");
    world.store.fail(None);
    let step = step.decide(&id, Decision::Approved { scope: None }).await;
    assert_eq!(step.reply.answer().get("iss"), Some(ISSUER));
}

/// It is the exact text of the metadata, and nothing a request says can change it.
#[tokio::test]
async fn s2_4_it_is_the_issuer_of_the_metadata() {
    for issuer in ["https://as.example/", "https://as.example/a%20b", "https://as.example/x&y=z"] {
        let world = Setup::new().issuer(issuer).start().await;
        let base = world.provider.env().issuer.path();
        let query =
            world.request("web").set("iss", "https://evil.example").set("prompt", "none").query();
        let reply = world.get(&format!("{base}/oauth/authorize?{query}")).await;
        let answer = reply.answer();
        assert_eq!(answer.get("iss"), Some(issuer));
        assert_eq!(world.provider.metadata()["issuer"], issuer);
    }
}
