//! AMWA IS-10, A20: what is approved of is what was looked at, and all of it.

use crate::{
    command_line::{bad, good},
    is10_actors::{is10, json_request, refused},
    is10_registration::{answer, asked_at, controller, id, registered},
    support::{Server, start},
};
use axum::{Json, Router, routing::get};
use http::StatusCode;
use oauth_core::{
    model::Client, ports::ClientStore as _, registration::rotate_secret, seaorm::SeaStore,
    testing::TestDatabase,
};
use oauth_server::approval::{self, Answer};
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

#[tokio::test]
async fn a20_two_questions_of_one_second_are_two() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = is10(&format!("[database]\nurl = \"{}\"", database.url())).await;
        let client = registered(&server, None, &controller()).await;
        let (id, seen) = (id(&client), asked_at(&server, &client).await);
        for host in ["one", "another"] {
            let uri = format!("https://{host}.example.org/cb");
            change(&server, &client, &with(&object!({ "redirect_uris": [uri] }))).await;
        }
        for said in [Answer::Approve, Answer::Refuse] {
            assert!(!approval::answer(&server.state, &id, seen, said).await.unwrap());
        }
        assert!(!server.acts(id.as_str()).await);
        assert!(answer(&server, &client, Answer::Approve).await);
        assert!(server.acts(id.as_str()).await);
        server.state.store.close().await.unwrap();
    }
}

/// RFC 7592 2.2: what is decided about one registration is not written over another, here while the list of its sector is
/// fetched.
#[tokio::test]
async fn a_change_that_awaits_approval_brings_no_old_secret_back() {
    const LOOPBACK: &str = "[registration]\nmode = \"approval\"\ndanger_loopback = true\n[outgoing]\ndanger_plain_http = true\nallowed_networks = [\"127.0.0.0/8\"]";
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let server = start(&format!("{LOOPBACK}\n[database]\nurl = \"{}\"", database.url())).await;
        let client = registered(&server, None, &controller()).await;
        let id = id(&client);
        assert!(answer(&server, &client, Answer::Approve).await);
        let store = &server.state.store;
        let known = store.client(&id).await.unwrap().unwrap();
        let rotated = rotate_secret(server.state.provider.env(), &known).unwrap().client;
        let sector = publish_while(store.clone(), rotated.clone()).await;
        let more = object!({ "client_name": "Desk", "sector_identifier_uri": sector });
        let mut body = with(&more);
        body["client_id"] = client["client_id"].clone();
        let path = format!("/oauth/register/{}", id.as_str());
        let own = client["registration_access_token"].as_str();
        let put = || server.send(json_request("PUT", &path, own, &body));
        refused(put().await, 503, "temporarily_unavailable").await;
        assert_eq!(*store.client(&id).await.unwrap().unwrap(), rotated);
        assert!(server.acts(id.as_str()).await, "nothing is asked either");
        // Said once more, it is asked, and the new secret stays.
        assert_eq!(put().await.status(), StatusCode::OK);
        assert!(!server.acts(id.as_str()).await);
        let stored = store.client(&id).await.unwrap().unwrap();
        assert_eq!((&*stored.name, &stored.auth), ("Desk", &rotated.auth));
        store.close().await.unwrap();
    }
}

/// An address of this machine with the list of the sector. Whoever fetches it finds that the client has become another.
async fn publish_while(store: SeaStore, client: Client) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let list = get(move || {
        let (store, client) = (store.clone(), client.clone());
        async move {
            assert!(store.replace_client(client.clone()).await.unwrap());
            Json(client.redirect_uris)
        }
    });
    let router = Router::new().route("/sector", list);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/sector")
}

#[tokio::test]
async fn a20_at_the_command_line_nobody_answers_what_was_not_looked_at() {
    // The command has the time from elsewhere.
    let server = is10("[registration]\npending_client_ttl = \"3650d\"").await;
    let at = server.folder.path();
    for (word, twin) in [("approve", "refuse"), ("refuse", "approve")] {
        let client =
            registered(&server, None, &with(&object!({ "client_name#de": "Regie" }))).await;
        let id = id(&client);
        let listed = || -> Value {
            let list = good(at, &["registration", "pending", "--output", "json"], "");
            serde_json::from_str::<Value>(&list).unwrap()[0].clone()
        };
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let seen = text(&listed()["asked_at"]);
        let text_list = good(at, &["registration", "pending"], "");
        for part in [id.as_str(), "Regie", "https://controller.example.org/cb", &seen] {
            assert!(text_list.contains(part), "{part}: {text_list}");
        }
        let unseen = bad(at, &["registration", word, id.as_str()], "yes\n", 1);
        assert!(unseen.contains("--asked-at"), "{unseen}");
        bad(at, &["registration", word, id.as_str(), "--asked-at", "today"], "", 2);

        let elsewhere = object!({ "redirect_uris": ["https://elsewhere.example.org/cb"] });
        change(&server, &client, &with(&elsewhere)).await;
        for word in [word, twin] {
            let late = bad(at, &["registration", word, id.as_str(), "--asked-at", &seen], "", 1);
            assert!(late.contains("has changed itself"), "{late}");
        }
        assert_eq!(listed()["redirect_uris"], elsewhere["redirect_uris"]);
        assert!(!server.acts(id.as_str()).await);

        let seen = text(&listed()["asked_at"]);
        good(at, &["registration", word, id.as_str(), "--asked-at", &seen], "");
        let there = server.state.store.client(&id).await.unwrap().is_some();
        assert_eq!((there, server.acts(id.as_str()).await), (word == "approve", word == "approve"));
        bad(at, &["registration", word, id.as_str(), "--asked-at", &seen], "", 1);
    }
}
