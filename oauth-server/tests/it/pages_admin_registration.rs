//! `/admin/registration`.

use crate::{
    pages_actors::SignedIn,
    pages_admin::{administrator, once, refused},
    support::{Server, json, logged, start},
};
use axum::body::Body;
use http::{Request, StatusCode, header};
use oauth_core::model::ClientId;
use serde_json::json as object;
use std::time::Duration;

const PATH: &str = "/admin/registration";
const INVITE: &str = "/admin/registration/invite";
const REVOKE: &str = "/admin/registration/revoke";
const DELETE: &str = "/admin/registration/delete";
const OPEN: &str = "[registration]\nmode = \"open\"\n";
const TOKEN: &str = "[registration]\nmode = \"token\"\n";

/// A program registers a client; its id, or what it is refused with.
async fn register(server: &Server, token: Option<&str>, name: &str) -> Result<String, StatusCode> {
    let body = object!({"client_name": name, "redirect_uris": ["https://client.example/cb"]});
    let mut request =
        Request::post("/oauth/register").header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let response = server.send(request.body(Body::from(body.to_string())).unwrap()).await;
    if response.status() != StatusCode::CREATED {
        return Err(response.status());
    }
    Ok(json(response).await["client_id"].as_str().unwrap().to_owned())
}

async fn is_known(server: &Server, id: &str) -> bool {
    let clients = &server.state.provider.env().clients;
    clients.client(&ClientId::new(id)).await.unwrap().is_some()
}

async fn delete(admin: &SignedIn<'_>, id: &str) -> String {
    let once = once(admin, &format!("{DELETE}?client_id={id}")).await;
    let form = [("client_id", id), ("confirm", "yes"), ("once", &*once)];
    admin.post(DELETE, &form).await.location().to_owned()
}

#[tokio::test]
async fn the_mode_is_said() {
    for (toml, mode, words) in [
        ("", "closed", "No program may register clients"),
        (TOKEN, "token", "Programs that have an initial access token"),
        (OPEN, "open", "are deleted after 1 day unless they are used"),
    ] {
        let server = start(toml).await;
        let ada = administrator(&server, "ada").await;
        let text = ada.get(PATH).await.by_id("mode");
        assert!(text.contains(words) && text.ends_with(&format!("mode: {mode}")), "{text}");
    }
}

#[tokio::test]
async fn a_token_is_shown_once_and_works_until_it_is_revoked() {
    let server = start(TOKEN).await;
    let ada = administrator(&server, "ada").await;
    let page = ada.get(PATH).await;
    assert!(page.has("no-tokens") && page.value("days") == "1");
    let mark = page.value("once");
    let form = [("label", " a build "), ("days", "2"), ("once", &*mark)];
    let mut token = String::new();
    let log = logged(async {
        let page = ada.post(INVITE, &form).await;
        assert_eq!(page.status, StatusCode::CREATED, "{}", page.html);
        assert_eq!(page.header("cache-control"), "no-store");
        token = page.by_id("initial-access-token");
    })
    .await;
    assert!(log.contains("initial access token made") && log.contains(ada.id.as_str()), "{log}");
    assert!(!log.contains(&token), "{log}");
    assert_eq!(ada.post(INVITE, &form).await.location(), "/admin/registration?done=made_before");
    let page = ada.get(PATH).await;
    assert!(!page.html.contains(&token) && !page.has("secret"));
    assert_eq!((page.by_id("token-1"), page.has("token-2")), ("a build".into(), false));
    assert!(page.by_id("tokens").contains("23 September 2026, 14:13 UTC"));
    let client = register(&server, Some(&token), "Web").await.unwrap();

    let id = page.value("token");
    let page = ada.post(REVOKE, &[("token", &id)]).await;
    assert_eq!(page.location(), "/admin/registration?done=revoked");
    assert_eq!(register(&server, Some(&token), "Web").await, Err(StatusCode::UNAUTHORIZED));
    assert!(is_known(&server, &client).await, "clients stay");
    for gone in [&*id, "nonsense"] {
        let page = ada.post(REVOKE, &[("token", gone)]).await;
        assert_eq!(page.location(), "/admin/registration?done=no_token");
    }
    refused(&ada.post(REVOKE, &[]).await, StatusCode::BAD_REQUEST, "invalid_request");
}

#[tokio::test]
async fn a_token_ends_after_its_days() {
    let server = start(TOKEN).await;
    let ada = administrator(&server, "ada").await;
    let page = ada.post(INVITE, &[("label", ""), ("days", "3650")]).await;
    assert_eq!(page.by_id("token-1"), "Without a label");
    let page = ada.post(INVITE, &[("label", ""), ("days", "1")]).await;
    let token = page.by_id("initial-access-token");
    server.clock.advance(Duration::from_hours(24) - Duration::from_secs(1));
    assert!(register(&server, Some(&token), "Web").await.is_ok());
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(register(&server, Some(&token), "Web").await, Err(StatusCode::UNAUTHORIZED));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_to_be_is_said_at_its_field() {
    let server = start(TOKEN).await;
    let ada = administrator(&server, "ada").await;
    let long = "a".repeat(101);
    for (label, days, fields) in [
        ("a\u{202e}b", "1", &["label"][..]),
        (&long, "1", &["label"]),
        ("<b>", "0", &["days"]),
        ("", "3651", &["days"]),
        ("", "1.5", &["days"]),
        ("", "-1", &["days"]),
        ("", "99999999999999999999999", &["days"]),
        ("a\u{1}", "", &["label", "days"]),
    ] {
        let page = ada.post(INVITE, &[("label", label), ("days", days)]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.problems(), fields, "{label:?} {days}");
        assert_eq!(page.value("label"), label);
        assert_eq!(page.value("days"), days);
    }
    assert_eq!(server.state.registrars.invitations().await.unwrap(), []);
}

#[tokio::test]
async fn clients_of_programs_are_listed_and_deleted_after_a_question() {
    let toml = format!(
        "{OPEN}\n[[client]]\nid = \"operators-own\"\nauth_method = \"none\"\nredirect_uris = [\"https://a.example/\"]\n"
    );
    let server = start(&toml).await;
    let ada = administrator(&server, "ada").await;
    assert!(ada.get(PATH).await.has("no-clients"), "the operator's own is none of them");
    let own = ada.create_client(&[]).await;
    let (_, token) =
        server.state.registrars.invite(None, "", Duration::from_hours(1)).await.unwrap();
    let kept = register(&server, Some(&token.reveal()), "Kept").await.unwrap();
    server.clock.advance(Duration::from_mins(1));
    let unused = register(&server, None, "<i>Unused</i>").await.unwrap();
    let page = ada.get(PATH).await;
    assert_eq!(page.by_id("client-1"), "<i>Unused</i> unused", "the youngest comes first");
    assert_eq!(page.by_id("client-2"), "Kept");
    assert!(!page.has("client-3"));
    let text = page.by_id("clients");
    assert!(text.contains(&unused) && text.contains("22 September 2026, 14:14 UTC"), "{text}");

    let question = page.href("delete-2");
    assert_eq!(question, format!("{DELETE}?client_id={kept}"));
    let mark = once(&ada, &question).await;
    for more in [&[][..], &[("confirm", "yes")], &[("once", &*mark)]] {
        let form = [&[("client_id", &*kept)], more].concat();
        assert_eq!(ada.post(DELETE, &form).await.location(), question);
    }
    assert!(is_known(&server, &kept).await, "asking deletes nothing");
    let mut gone = String::new();
    let log = logged(async { gone = delete(&ada, &kept).await }).await;
    assert_eq!(gone, "/admin/registration?done=deleted");
    assert!(log.contains("client deleted") && log.contains(&kept), "{log}");
    assert!(!is_known(&server, &kept).await, "what is remembered is told");
    assert!(is_known(&server, &unused).await);

    for id in [&*kept, "nonsense", "operators-own", &own.id] {
        let page = ada.get(&format!("{DELETE}?client_id={id}")).await;
        refused(&page, StatusCode::NOT_FOUND, "not_found");
        let form = [("client_id", id), ("confirm", "yes"), ("once", "another")];
        refused(&ada.post(DELETE, &form).await, StatusCode::NOT_FOUND, "not_found");
    }
    assert!(is_known(&server, &own.id).await && is_known(&server, "operators-own").await);
    refused(&ada.get(DELETE).await, StatusCode::BAD_REQUEST, "invalid_request");
    refused(&ada.post(DELETE, &[]).await, StatusCode::BAD_REQUEST, "invalid_request");
    server.clock.advance(Duration::from_hours(25));
    let page = ada.get(PATH).await;
    assert!(page.status != StatusCode::OK || page.has("no-clients"), "what expired is not listed");
}
