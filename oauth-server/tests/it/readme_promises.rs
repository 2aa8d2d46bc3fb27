//! What the README of the original promises, in the standard profile.

use crate::{
    pages_actors::{PASSWORD, parameter},
    support::{header_of, json, start, text},
};
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{Request, StatusCode, header};

const PASSWORD_ON: &str = "[grants]\ndanger_password = true";

#[tokio::test]
async fn n1_1_an_account_is_made_and_a_client_has_an_id_and_a_secret() {
    let server = start("").await;
    assert_eq!(server.get("/").await.status(), StatusCode::OK);
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[]).await;
    assert!(made.secret.is_some() && !made.id.is_empty(), "n1_2");
}

#[tokio::test]
async fn n1_3_curl_with_f_gets_a_token_by_the_password_grant() {
    let server = start(PASSWORD_ON).await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[("grant_type:password", "yes")]).await;
    let part = |(name, value): (&str, &str)| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let send = |password: &str| {
        let fields = [
            ("grant_type", "password"),
            ("username", "ada"),
            ("password", password),
            ("scope", "profile"),
        ];
        let body = fields.map(part).concat() + "--b--\r\n";
        let secret = made.secret.as_deref().unwrap();
        let basic = STANDARD.encode(format!("{}:{secret}", made.id));
        let request = Request::post("/oauth/token")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .body(Body::from(body));
        server.send(request.unwrap())
    };
    let answer = send(PASSWORD).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = json(answer).await;
    assert_eq!((&answer["token_type"], &answer["scope"]), (&"Bearer".into(), &"profile".into()));
    let wrong = send("wrong").await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert_eq!(json(wrong).await["error"], "invalid_grant");
}

#[tokio::test]
async fn n1_4_the_implicit_grant_works_for_a_client_without_a_secret() {
    let server = start("[grants]\ndanger_implicit = true").await;
    let ada = server.signed_up("ada").await;
    let made = ada
        .create_client(&[
            ("token_endpoint_auth_method", "none"),
            ("grant_type:implicit", "yes"),
            ("grant_type:refresh_token", ""),
        ])
        .await;
    let asked = [("response_type", "token"), ("scope", "query"), ("prompt", "consent")];
    let consent = ada.authorize(&made.id, &asked).await;
    let interaction = crate::pages_actors::interaction(&consent);
    let form = [("interaction", &*interaction), ("decision", "allow"), ("scope:query", "yes")];
    let page = ada.post("/consent", &form).await;
    let answer = page.location().replace('#', "?");
    assert!(parameter(&answer, "access_token").is_some(), "{answer}");
}

#[tokio::test]
async fn n1_8_the_routes_are_there() {
    let server = start("").await;
    for (path, status) in [
        ("/signup", StatusCode::OK),
        ("/create_client", StatusCode::SEE_OTHER),
        ("/certs", StatusCode::OK),
        ("/oauth/token", StatusCode::METHOD_NOT_ALLOWED),
        ("/oauth/revoke", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        assert_eq!(server.get(path).await.status(), status, "{path}");
    }
    let certs = server.get("/certs").await;
    assert!(header_of(&certs, "content-type").starts_with("application/x-pem-file"));
    assert!(text(certs).await.starts_with("-----BEGIN CERTIFICATE-----"));
}

#[tokio::test]
async fn n1_8_a_token_is_revoked() {
    let server = start(PASSWORD_ON).await;
    let ada = server.signed_up("ada").await;
    let made = ada.create_client(&[("grant_type:password", "yes")]).await;
    let basic = Some((&*made.id, made.secret.as_deref().unwrap()));
    let form = [("grant_type", "password"), ("username", "ada"), ("password", PASSWORD)];
    let tokens = json(server.post("/oauth/token", basic, &form).await).await;
    let token = [("token", tokens["access_token"].as_str().unwrap())];
    assert_eq!(server.post("/oauth/revoke", basic, &token).await.status(), StatusCode::OK);
    let answer = json(server.post("/oauth/introspect", basic, &token).await).await;
    assert_eq!(answer["active"], false);
}
