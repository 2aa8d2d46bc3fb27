//! AMWA IS-10, A20: what is approved of is what was looked at, and all of it.

use crate::{
    is10_actors::{is10, json_request},
    is10_registration::{answer, controller, id, registered},
    support::Server,
};
use http::StatusCode;
use oauth_server::approval::Answer;
use serde_json::{Value, json as object};

/// The controller, with something more.
fn with(more: &Value) -> Value {
    let mut body = controller();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The client puts this in the place of its registration.
async fn change(server: &Server, client: &Value, body: &Value) {
    let mut body = body.clone();
    body["client_id"] = client["client_id"].clone();
    let path = format!("/oauth/register/{}", id(client));
    let own = client["registration_access_token"].as_str();
    let response = server.send(json_request("PUT", &path, own, &body)).await;
    assert_eq!(response.status(), StatusCode::OK, "{body}");
}

#[tokio::test]
async fn a20_whoever_presents_itself_otherwise_to_anybody_awaits_approval_again() {
    let server = is10("").await;
    let client = registered(&server, None, &controller()).await;
    let id = id(&client);
    assert!(answer(&server, &client, Answer::Approve).await);
    for text in [
        object!({ "client_name#de": "Die Regie des Chefs" }),
        object!({ "client_uri#de": "https://elsewhere.example.org/" }),
        object!({ "logo_uri": "https://elsewhere.example.org/logo.png" }),
        object!({ "policy_uri": "https://elsewhere.example.org/privacy" }),
        object!({ "tos_uri": "https://elsewhere.example.org/terms" }),
    ] {
        change(&server, &client, &with(&text)).await;
        assert!(!server.acts(id.as_str()).await, "{text}");
        assert!(answer(&server, &client, Answer::Approve).await);
        // What was approved of may be said again.
        change(&server, &client, &with(&text)).await;
        assert!(server.acts(id.as_str()).await, "{text}");
        change(&server, &client, &controller()).await;
        assert!(answer(&server, &client, Answer::Approve).await, "nor is it the same without");
    }
}

#[tokio::test]
async fn a20_whoever_approves_sees_all_that_people_will_see() {
    let server = is10("").await;
    let texts = object!({
        "client_name#de": "Regie",
        "client_uri#de": "https://controller.example.org/de",
        "logo_uri": "https://controller.example.org/logo.png",
        "policy_uri": "https://controller.example.org/privacy",
        "tos_uri#fr": "https://controller.example.org/conditions",
    });
    registered(&server, None, &with(&texts)).await;
    let page = server.operator("root").await.get("/admin/pending").await;
    for text in texts.as_object().unwrap().values() {
        assert!(page.html.contains(text.as_str().unwrap()), "{text}: {}", page.html);
    }
    for title in ["Name (de)", "Logo", "Privacy policy", "Terms of service (fr)"] {
        assert!(page.html.contains(&format!("<dt>{title}</dt>")), "{title}: {}", page.html);
    }
}
