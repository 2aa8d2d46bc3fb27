//! `/account/applications`.

use crate::{
    pages_actors::interaction,
    support::{json, start},
};
use http::StatusCode;

#[tokio::test]
async fn nobody_acts_for_somebody_new() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    assert!(ada.get("/account/applications").await.has("none"));
}

#[tokio::test]
async fn revoking_ends_tokens_and_consent_of_one_person_alone() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let eve = server.signed_up("eve").await;
    let client = ada.create_client(&[("access_token_format", "opaque")]).await;
    let basic = Some((&*client.id, client.secret.as_deref().unwrap()));
    let hers = client.exchange(&server, &ada.allow(&client.id).await).await;
    let eves = client.exchange(&server, &eve.allow(&client.id).await).await;
    let page = ada.get("/account/applications").await;
    assert_eq!(page.by_id("application-1"), "Camera wall");
    assert!(page.html.contains("look up what the registry knows") && !page.has("application-2"));
    assert_eq!(page.value("client_id"), client.id);

    let page = ada.post("/account/applications/revoke", &[("client_id", &client.id)]).await;
    assert_eq!(page.location(), "/account/applications?done=revoked");
    let page = ada.get(page.location()).await;
    assert!(page.has("none") && page.by_id("notice").contains("no longer"));
    let active = async |tokens: &serde_json::Value, which: &str| {
        let form = [("token", tokens[which].as_str().unwrap())];
        json(server.post("/oauth/introspect", basic, &form).await).await["active"].clone()
    };
    assert_eq!(active(&hers, "access_token").await, false);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", hers["refresh_token"].as_str().unwrap()),
    ];
    let refused = server.post("/oauth/token", basic, &refresh).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json(refused).await["error"], "invalid_grant");
    assert!(
        ada.authorize(&client.id, &[]).await.starts_with("/consent?"),
        "the consent is forgotten"
    );

    assert_eq!(active(&eves, "access_token").await, true);
    assert_eq!(active(&eves, "refresh_token").await, true);
    assert!(eve.authorize(&client.id, &[]).await.contains("code="), "Eve's consent stays");
}

/// RFC 8707: a yes is remembered for each scope at each resource, and told in fewer words.
#[tokio::test]
async fn a_resource_is_named_once() {
    const API: &str = "https://api.example/";
    let server = start(&format!("[[resource]]\nuri = \"{API}\"")).await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    let consent = ada.authorize(&client.id, &[("resource", API)]).await;
    let interaction = interaction(&consent);
    let form = [
        ("interaction", &*interaction),
        ("decision", "allow"),
        ("scope:profile", "yes"),
        ("scope:query", "yes"),
    ];
    assert!(ada.post("/consent", &form).await.location().contains("code="));
    let page = ada.get("/account/applications").await;
    assert!(page.html.contains("look up what the registry knows"), "{}", page.html);
    assert_eq!(page.html.matches(&format!("use \u{201c}{API}\u{201d}")).count(), 1);
    assert!(!page.html.contains("for:https"), "{}", page.html);
}

#[tokio::test]
async fn a_consent_without_tokens_is_shown_too() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let client = ada.create_client(&[]).await;
    ada.allow(&client.id).await;
    server.clock.advance(std::time::Duration::from_hours(1));
    let page = ada.get("/account/applications").await;
    assert!(page.by_id("main").contains("it holds no token at the moment"), "{}", page.html);
    ada.post("/account/applications/revoke", &[("client_id", &client.id)]).await;
    assert!(ada.get("/account/applications").await.has("none"));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_or_does_nothing() {
    let server = start("").await;
    let ada = server.signed_up("ada").await;
    let page = ada.post("/account/applications/revoke", &[]).await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::BAD_REQUEST, "invalid_request")
    );
    let page = ada.post("/account/applications/revoke", &[("client_id", "unknown")]).await;
    assert_eq!(page.location(), "/account/applications?done=revoked");
    let page = ada.get("/account/applications/revoke").await;
    assert_eq!(
        (page.status, &*page.by_id("error-code")),
        (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
    );
    let page = server.visitor().post("/account/applications/revoke", &[("client_id", "x")]).await;
    assert_eq!(page.location(), "/login?to=applications");
}
