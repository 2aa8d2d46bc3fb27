//! The registration endpoint as the configuration opens it: closed, with an initial access token, open.

use crate::support::{Server, header_of, json, start};
use axum::{body::Body, extract::ConnectInfo};
use http::{Request, Response, StatusCode, header};
use oauth_core::model::ClientId;
use oauth_server::maintenance;
use serde_json::{Value, json as object};
use std::{net::SocketAddr, time::Duration};

const OPEN: &str = "[registration]\nmode = \"open\"\n";
const TOKEN: &str = "[registration]\nmode = \"token\"\n";
const PATH: &str = "/oauth/register";

async fn register(server: &Server, token: Option<&str>, body: &Value) -> Response<Body> {
    let mut request = Request::post(PATH).header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let mut request = request.body(Body::from(body.to_string())).unwrap();
    let peer: SocketAddr = "192.0.2.7:1".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    server.send(request).await
}

fn web() -> Value {
    object!({"client_name": "Web", "redirect_uris": ["https://client.example/cb"]})
}

async fn is_known(server: &Server, id: &Value) -> bool {
    let id = ClientId::new(id.as_str().unwrap());
    server.state.provider.env().clients.client(&id).await.unwrap().is_some()
}

#[tokio::test]
async fn rfc7591_s3_closed_by_default() {
    let server = start("").await;
    assert_eq!(register(&server, None, &web()).await.status(), StatusCode::NOT_FOUND);
    assert!(server.state.provider.metadata().get("registration_endpoint").is_none());
}

#[tokio::test]
async fn rfc7591_s3_with_an_initial_access_token() {
    let server = start(TOKEN).await;
    let endpoint = server.state.config.issuer().join(PATH);
    assert_eq!(server.state.provider.metadata()["registration_endpoint"], endpoint.as_str());
    let none = register(&server, None, &web()).await;
    assert_eq!(none.status(), StatusCode::UNAUTHORIZED);
    assert!(header_of(&none, "www-authenticate").starts_with("Bearer"));
    let made_up = register(&server, Some("made-up"), &web()).await;
    assert_eq!(made_up.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(json(made_up).await["error"], "invalid_token");

    let registrars = &server.state.registrars;
    let (row, token) = registrars.invite(None, "a build", Duration::from_hours(1)).await.unwrap();
    let token = token.reveal();
    let made = register(&server, Some(&token), &web()).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made = json(made).await;
    assert!(is_known(&server, &made["client_id"]).await);
    // It stays without being used: somebody vouched for it.
    server.clock.advance(Duration::from_secs(3599));
    assert_eq!(register(&server, Some(&token), &web()).await.status(), StatusCode::CREATED);
    server.clock.advance(Duration::from_secs(1));
    let late = register(&server, Some(&token), &web()).await;
    assert_eq!(json(late).await["error"], "invalid_token");
    assert_eq!(registrars.invitations().await.unwrap(), []);
    assert_eq!(maintenance::sweep(&server.state).await.unwrap(), 1, "the token");
    assert!(is_known(&server, &made["client_id"]).await);
    assert!(registrars.uninvite(&row.id).await.unwrap().is_none());
}

#[tokio::test]
async fn initial_access_tokens_can_be_taken_back() {
    let server = start(TOKEN).await;
    let registrars = &server.state.registrars;
    let (row, token) = registrars.invite(None, "", Duration::from_hours(1)).await.unwrap();
    let (kept, other) = registrars.invite(None, "", Duration::from_hours(1)).await.unwrap();
    assert!(registrars.uninvite(&row.id).await.unwrap().is_some());
    let refused = register(&server, Some(&token.reveal()), &web()).await;
    assert_eq!(json(refused).await["error"], "invalid_token");
    let taken = register(&server, Some(&other.reveal()), &web()).await;
    assert_eq!(taken.status(), StatusCode::CREATED);
    assert_eq!(registrars.invitations().await.unwrap(), [kept]);
}

#[tokio::test]
async fn rfc7591_s5_an_open_registration_that_nobody_uses_goes() {
    let server = start(&format!("{OPEN}unused_client_ttl = \"1h\"\n")).await;
    let unused = json(register(&server, None, &web()).await).await;
    let vouched = {
        let invite = server.state.registrars.invite(None, "", Duration::from_mins(1)).await;
        let token = invite.unwrap().1.reveal();
        json(register(&server, Some(&token), &web()).await).await
    };
    server.clock.advance(Duration::from_secs(3599));
    assert!(is_known(&server, &unused["client_id"]).await);
    server.clock.advance(Duration::from_secs(1));
    assert!(!is_known(&server, &unused["client_id"]).await);
    maintenance::sweep(&server.state).await.unwrap();
    assert!(is_known(&server, &vouched["client_id"]).await);
}

#[tokio::test]
async fn a_stranger_gets_no_tokens_of_its_own() {
    let service = object!({"grant_types": ["client_credentials"], "scope": "connection"});
    let refused = register(&start(OPEN).await, None, &service).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json(refused).await["error"], "invalid_client_metadata");
    let server = start(TOKEN).await;
    let invite = server.state.registrars.invite(None, "", Duration::from_mins(1)).await;
    let token = invite.unwrap().1.reveal();
    let made = register(&server, Some(&token), &service).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made = json(made).await;
    let credentials =
        Some((made["client_id"].as_str().unwrap(), made["client_secret"].as_str().unwrap()));
    let form = [("grant_type", "client_credentials")];
    let issued = server.post("/oauth/token", credentials, &form).await;
    assert_eq!(json(issued).await["scope"], "connection");
}

#[tokio::test]
async fn strangers_are_slowed_down() {
    let limits = "[throttle]\nregistration_attempts = 2\nfirst_delay = \"2s\"\n";
    let server = start(&format!("{OPEN}{limits}")).await;
    for _ in 0..3 {
        assert_eq!(register(&server, None, &web()).await.status(), StatusCode::CREATED);
    }
    let refused = register(&server, None, &web()).await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(header_of(&refused, "retry-after"), "2");
    server.clock.advance(Duration::from_secs(2));
    assert_eq!(register(&server, None, &web()).await.status(), StatusCode::CREATED);
}

#[tokio::test]
async fn a_stranger_gets_the_scopes_that_are_nobodys_right_unless_it_names_others() {
    let server = start(OPEN).await;
    let made = json(register(&server, None, &web()).await).await;
    let scopes = made["scope"].as_str().unwrap().split(' ').collect::<Vec<_>>();
    assert!(scopes.contains(&"openid") && scopes.contains(&"email"), "{scopes:?}");
    assert!(!scopes.contains(&"connection"), "{scopes:?}");
    let mut wanted = web();
    wanted["scope"] = "openid connection".into();
    let made = json(register(&server, None, &wanted).await).await;
    assert_eq!(made["scope"], "connection openid");
    wanted["scope"] = "openid made_up".into();
    let refused = register(&server, None, &wanted).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json(refused).await["error"], "invalid_client_metadata");
}

#[tokio::test]
async fn plain_http_on_this_machine_is_for_tests() {
    let mut body = web();
    body["backchannel_logout_uri"] = "http://127.0.0.1:1/logout".into();
    let refused = register(&start(OPEN).await, None, &body).await;
    assert_eq!(json(refused).await["error"], "invalid_client_metadata");
    let server = start(&format!("{OPEN}danger_loopback = true\n")).await;
    assert_eq!(register(&server, None, &body).await.status(), StatusCode::CREATED);
}
