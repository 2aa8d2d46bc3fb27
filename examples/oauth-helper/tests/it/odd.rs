//! Providers that answer in ways no standard knows: a clear line, an exit code, and nothing lost.

use crate::support::{Home, PATIENCE};
use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use oauth_helper::{
    Client, Credentials, OAuthClient, TokenStore,
    model::{AuthMethod, Endpoints, Record, Tokens},
    wire::HttpOptions,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use url::Url;

/// One answer of the token endpoint.
#[derive(Clone, Copy, Debug)]
struct Odd {
    status: u16,
    content_type: &'static str,
    body: &'static str,
    location: Option<&'static str>,
    delay: Duration,
}

const JSON: &str = "application/json";

impl Odd {
    const fn new(status: u16, content_type: &'static str, body: &'static str) -> Self {
        Self { status, content_type, body, location: None, delay: Duration::ZERO }
    }
}

#[derive(Clone)]
struct Script {
    answer: Arc<Mutex<Odd>>,
    seen: Arc<Mutex<Vec<String>>>,
}

async fn answer(State(script): State<Script>, body: String) -> Response {
    let odd = *script.answer.lock().unwrap();
    script.seen.lock().unwrap().push(body);
    tokio::time::sleep(odd.delay).await;
    let status = StatusCode::from_u16(odd.status).unwrap();
    let mut response = (status, odd.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    if !odd.content_type.is_empty() {
        response.headers_mut().insert(header::CONTENT_TYPE, odd.content_type.parse().unwrap());
    }
    if let Some(location) = odd.location {
        response.headers_mut().insert(header::LOCATION, location.parse().unwrap());
    }
    response
}

struct Oddity {
    home: Home,
    script: Script,
    store: TokenStore,
    client: OAuthClient,
}

impl Oddity {
    /// A provider that gives this answer, and a client with an access token that is over and a refresh token.
    async fn new(odd: Odd) -> Self {
        Self::waiting(odd, PATIENCE).await
    }

    /// The same, with a client that waits so long.
    async fn waiting(odd: Odd, timeout: Duration) -> Self {
        let script = Script { answer: Arc::new(Mutex::new(odd)), seen: Arc::default() };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let routes = Router::new()
            .route("/token", post(answer))
            .route("/elsewhere", post(answer).get(answer))
            .with_state(script.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let home = Home::new();
        let http = HttpOptions { timeout, ca_file: None };
        let store = home.builder().http(http).open().await.unwrap();
        let token = Url::parse(&format!("{base}/token")).unwrap();
        let client = Client {
            endpoints: Endpoints { token: Some(token), ..Endpoints::default() },
            auth: AuthMethod::None,
            ..Client::new("odd", "id")
        };
        let id = store.add(client, &Credentials::default()).await.unwrap().id;
        let now = store.now();
        let record = Record {
            tokens: Some(Tokens {
                access_token: "old-access".to_owned().into(),
                token_type: "Bearer".into(),
                expires_at: Some(now - 10),
                obtained_at: now - 3600,
                refresh_token: Some("old-refresh".to_owned().into()),
                refresh_expires_at: None,
                scope: Some("a".into()),
                subject: None,
                issued_by: None,
            }),
            ..Record::default()
        };
        store.restore(id, &record).await.unwrap();
        let client = store.client("odd").await.unwrap();
        Self { home, script, store, client }
    }

    fn now_answers(&self, odd: Odd) {
        *self.script.answer.lock().unwrap() = odd;
    }

    fn requests(&self) -> usize {
        self.script.seen.lock().unwrap().len()
    }

    async fn stored(&self) -> Tokens {
        self.store.record(self.client.id()).await.unwrap().tokens.unwrap()
    }
}

/// The answer is refused with this line and exit code; what was stored is still there, and with a right answer
/// everything goes on.
async fn refuses(odd: Odd, exit: u8, line: &str) {
    let oddity = Oddity::new(odd).await;
    let error = oddity.client.access_token().await.unwrap_err();
    assert_eq!((error.exit_code(), error.to_string().as_str()), (exit, line));
    let kept = oddity.stored().await;
    assert_eq!(kept.refresh_token.unwrap().expose(), "old-refresh");
    assert_eq!(kept.access_token.expose(), "old-access");
    oddity.now_answers(Odd::new(200, JSON, r#"{"access_token":"new","token_type":"bearer"}"#));
    assert_eq!(oddity.client.refresh().await.unwrap().token.expose(), "new");
}

/// The answer is understood: the token is `new`.
async fn accepts(odd: Odd) -> (Oddity, Tokens) {
    let oddity = Oddity::new(odd).await;
    assert_eq!(oddity.client.access_token().await.unwrap().token.expose(), "new");
    let stored = oddity.stored().await;
    (oddity, stored)
}

#[tokio::test]
async fn s3_odd_no_expires_in_is_a_token_without_a_known_end() {
    let body = r#"{"access_token":"new","token_type":"Bearer"}"#;
    let (oddity, stored) = accepts(Odd::new(200, JSON, body)).await;
    assert_eq!(stored.expires_at, None);
    oddity.home.clock.advance(1_000_000);
    oddity.client.access_token().await.unwrap();
    assert_eq!(oddity.requests(), 1, "it is used until a service refuses it");
    let seen = oddity.client.access_token().await.unwrap();
    oddity.now_answers(Odd::new(200, JSON, r#"{"access_token":"newer"}"#));
    assert_eq!(oddity.client.renewed(&seen).await.unwrap().token.expose(), "newer");
}

#[tokio::test]
async fn s3_odd_no_new_refresh_token_keeps_the_old_one_and_a_new_one_replaces_it() {
    let body = r#"{"access_token":"new","token_type":"Bearer","expires_in":60}"#;
    let (oddity, stored) = accepts(Odd::new(200, JSON, body)).await;
    assert_eq!(stored.refresh_token.unwrap().expose(), "old-refresh");
    assert_eq!(stored.scope.as_deref(), Some("a"));
    oddity.now_answers(Odd::new(200, JSON, r#"{"access_token":"n","refresh_token":"rotated"}"#));
    oddity.client.refresh().await.unwrap();
    assert_eq!(oddity.stored().await.refresh_token.unwrap().expose(), "rotated");
    oddity.client.refresh().await.unwrap();
    let last = oddity.script.seen.lock().unwrap().last().cloned().unwrap();
    assert!(last.contains("refresh_token=rotated"), "{last}");
}

#[tokio::test]
async fn s3_odd_forms_numbers_as_text_scopes_with_commas_and_wrong_content_types_are_understood() {
    let form = "access_token=new&scope=repo%2Cgist&token_type=bearer&expires_in=60";
    let (_, stored) = accepts(Odd::new(200, "application/x-www-form-urlencoded", form)).await;
    assert_eq!(stored.scope.as_deref(), Some("repo gist"));
    assert_eq!(stored.expires_at, Some(stored.obtained_at + 60));
    accepts(Odd::new(200, "text/plain", "access_token=new&expires=5183999")).await;
    let body = r#"{"access_token":"new","expires_in":"3600","refresh_expires_in":"7200","scope":["a","b"]}"#;
    for content_type in ["text/html", "", "text/javascript; charset=utf-8"] {
        let (_, stored) = accepts(Odd::new(200, content_type, body)).await;
        assert_eq!(stored.expires_at, Some(stored.obtained_at + 3600));
        assert_eq!(stored.scope.as_deref(), Some("a b"));
    }
    let body = r#"{"access_token":"new","expires_in":3599.7,"refresh_token":"","token_type":null}"#;
    let (_, stored) = accepts(Odd::new(201, JSON, body)).await;
    assert_eq!(stored.expires_at, Some(stored.obtained_at + 3599));
    assert_eq!(stored.refresh_token.unwrap().expose(), "old-refresh");
}

#[tokio::test]
async fn s3_odd_errors_are_errors_whatever_their_status() {
    let body = r#"{"error":"bad_verification_code","error_description":"The code\npassed is \u001b[31mincorrect."}"#;
    let line =
        "the token endpoint refused: bad_verification_code (The code passed is [31mincorrect.)";
    refuses(Odd::new(200, JSON, body), 5, line).await;
    let form = "error=invalid_scope&error_description=no+such+scope";
    let line = "the token endpoint refused: invalid_scope (no such scope)";
    refuses(Odd::new(200, "application/x-www-form-urlencoded", form), 5, line).await;
    let body =
        r#"{"error":{"message":"Invalid OAuth access token","type":"OAuthException","code":190}}"#;
    let line = "the token endpoint refused: 190 (Invalid OAuth access token)";
    refuses(Odd::new(400, JSON, body), 5, line).await;
    let line = "the token endpoint refused: invalid_client";
    refuses(Odd::new(401, "text/html", r#"{"error":"invalid_client"}"#), 5, line).await;
    let line = "odd: the provider does not accept the refresh token any more; sign in with: oauth-helper login odd";
    refuses(Odd::new(200, JSON, r#"{"error":"bad_refresh_token"}"#), 4, line).await;
}

#[tokio::test]
async fn s3_odd_what_is_no_answer_is_told_in_one_line() {
    let cases = [
        (
            Odd::new(200, "text/html", "<html>Welcome</html>"),
            "the token endpoint gave an answer that is not JSON (text/html)",
        ),
        (
            Odd::new(200, "", ""),
            "the token endpoint gave an answer that is not JSON (no content type)",
        ),
        (
            Odd::new(200, JSON, "[1,2]"),
            "the token endpoint gave an answer that is not JSON (application/json)",
        ),
        (Odd::new(200, JSON, "{}"), "the token endpoint gave an answer without an access token"),
        (
            Odd::new(200, JSON, r#"{"access_token":""}"#),
            "the token endpoint gave an answer without an access token",
        ),
        (
            Odd::new(200, JSON, r#"{"access_token":"a b"}"#),
            "the token endpoint gave an access token that cannot be sent",
        ),
        (
            Odd::new(200, JSON, r#"{"access_token":"a\r\nx: y"}"#),
            "the token endpoint gave an access token that cannot be sent",
        ),
        (
            Odd::new(200, JSON, r#"{"access_token":"a","token_type":"mac"}"#),
            "the token endpoint gave a token of the type \"mac\", of which only Bearer is known",
        ),
        (Odd::new(500, "text/html", "<h1>Oops</h1>"), "the token endpoint failed (500)"),
        (
            Odd::new(404, "text/html", "<h1>No</h1>"),
            "the token endpoint answered 404 and no error code",
        ),
        (
            Odd::new(429, "text/plain", "slow down"),
            "the token endpoint asks for fewer requests (429)",
        ),
    ];
    for (odd, line) in cases {
        refuses(odd, 7, line).await;
    }
}

#[tokio::test]
async fn s3_odd_a_redirect_is_not_followed_with_a_token_in_hand() {
    let odd =
        Odd { location: Some("/elsewhere"), ..Odd::new(307, JSON, r#"{"access_token":"stolen"}"#) };
    let oddity = Oddity::new(odd).await;
    let error = oddity.client.access_token().await.unwrap_err();
    assert_eq!(error.to_string(), "the token endpoint redirects (307), which is not followed");
    assert_eq!((error.exit_code(), oddity.requests()), (7, 1));
    refuses(odd, 7, "the token endpoint redirects (307), which is not followed").await;
}

#[tokio::test]
async fn s3_odd_a_provider_that_is_slow_is_given_up_on_and_another_is_told_nothing() {
    let slow = Odd { delay: Duration::from_hours(1), ..Odd::new(200, JSON, "{}") };
    let oddity = Oddity::waiting(slow, Duration::from_secs(2)).await;
    let error = oddity.client.access_token().await.unwrap_err();
    assert_eq!(
        (error.exit_code(), error.to_string().as_str()),
        (6, "the token endpoint gave no answer in time")
    );
    // It may have done its work: the next one repeats the request rather than starting another.
    oddity.now_answers(Odd::new(200, JSON, r#"{"access_token":"new"}"#));
    assert_eq!(oddity.client.access_token().await.unwrap().token.expose(), "new");
    let nobody = Url::parse("http://127.0.0.1:1/token").unwrap();
    let id = oddity.client.id();
    let edit = move |c: &mut Client| {
        c.endpoints.token = Some(nobody);
        Ok(())
    };
    oddity.store.edit(id, edit).await.unwrap();
    let error = oddity.client.refresh().await.unwrap_err();
    assert_eq!(
        (error.exit_code(), error.to_string().as_str()),
        (4, "odd: its tokens are of another provider; sign in with: oauth-helper login odd")
    );
    assert_eq!(oddity.stored().await.refresh_token.unwrap().expose(), "old-refresh");
}

#[tokio::test]
async fn s3_odd_an_endless_answer_is_cut() {
    static LONG: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("{{\"access_token\":\"{}\"}}", "x".repeat(300_000)));
    refuses(
        Odd::new(200, JSON, &LONG),
        7,
        "the token endpoint gave an answer that is far too long",
    )
    .await;
}

#[tokio::test]
async fn s3_odd_while_the_old_token_lives_trouble_at_the_provider_is_no_trouble() {
    let oddity = Oddity::new(Odd::new(503, "", "")).await;
    let mut tokens = oddity.stored().await;
    // It is within the margin in which it is renewed early.
    tokens.expires_at = Some(oddity.store.now() + 10);
    let record = Record { tokens: Some(tokens), ..Record::default() };
    oddity.store.restore(oddity.client.id(), &record).await.unwrap();
    assert_eq!(oddity.client.access_token().await.unwrap().token.expose(), "old-access");
    assert_eq!(oddity.requests(), 1);
    oddity.home.clock.advance(11);
    let error = oddity.client.access_token().await.unwrap_err();
    assert_eq!(error.to_string(), "the token endpoint failed (503)");
}
