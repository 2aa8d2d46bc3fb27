//! A person and a client walk through the application, over its router.

use super::app;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response, header},
};
use serde_json::Value;
use tower::ServiceExt as _;

const CALLBACK: &str = "http://127.0.0.1:51004/callback";
/// The example of RFC 7636, Appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser that keeps the one cookie it is given.
struct Browser {
    app: Router,
    cookie: String,
}

struct Reply {
    status: u16,
    location: String,
    body: String,
}

impl Browser {
    async fn open(database: &str) -> Self {
        Self { app: app(database).await.unwrap(), cookie: String::new() }
    }

    async fn send(&mut self, request: Request<Body>) -> Reply {
        let response: Response<Body> = self.app.clone().oneshot(request).await.unwrap();
        let text = |name| {
            let value = response.headers().get(name).map(|v| v.to_str().unwrap());
            value.unwrap_or_default().to_owned()
        };
        if let Some(cookie) = text(header::SET_COOKIE).split(';').next().filter(|c| !c.is_empty()) {
            cookie.clone_into(&mut self.cookie);
        }
        let (status, location) = (response.status().as_u16(), text(header::LOCATION));
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Reply { status, location, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn get(&mut self, address: &str) -> Reply {
        let request = Request::get(address).header(header::COOKIE, &self.cookie);
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(path)
            .header(header::COOKIE, &self.cookie)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn me(&mut self, token: &str) -> Reply {
        let request = Request::get("/me").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Sends an authorization request and signs in; what comes next is the consent page or the answer.
    async fn sign_in(&mut self) -> Reply {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("response_type", "code"),
                ("client_id", "notebook"),
                ("redirect_uri", CALLBACK),
                ("scope", "profile"),
                ("state", "st"),
                ("code_challenge", CHALLENGE),
                ("code_challenge_method", "S256"),
            ])
            .finish();
        let sent = self.get(&format!("/oauth/authorize?{query}")).await;
        assert!(sent.location.starts_with("/login?interaction="), "{}", sent.location);
        let page = self.get(&sent.location).await;
        assert!(page.body.contains("go on to Notebook"));
        let id = interaction(&sent.location);
        let wrong = [("interaction", id), ("username", "ada"), ("password", "x")];
        assert!(self.post("/login", &wrong).await.body.contains("is wrong"));
        let right = [("interaction", id), ("username", "ada"), ("password", "correct horse")];
        self.post("/login", &right).await
    }

    async fn decide(&mut self, asked: &Reply, decision: &str) -> Reply {
        assert!(asked.location.starts_with("/consent?interaction="), "{}", asked.location);
        let page = self.get(&asked.location).await;
        assert!(page.body.contains("Allow Notebook?") && page.body.contains("profile"));
        let form = [("interaction", interaction(&asked.location)), ("decision", decision)];
        self.post("/consent", &form).await
    }

    async fn token(&mut self, more: &[(&str, &str)]) -> Value {
        let form: Vec<_> = [("client_id", "notebook")].iter().chain(more).copied().collect();
        serde_json::from_str(&self.post("/oauth/token", &form).await.body).unwrap()
    }
}

fn interaction(location: &str) -> &str {
    location.split_once("interaction=").unwrap().1
}

/// A parameter of the answer to the client.
fn answer(reply: &Reply, name: &str) -> Option<String> {
    let query = reply.location.strip_prefix(CALLBACK).unwrap().strip_prefix('?').unwrap();
    let found = form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name);
    found.map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn authorize_sign_in_agree_and_use_the_token() {
    let mut browser = Browser::open("sqlite::memory:").await;
    let asked = browser.sign_in().await;
    let answered = browser.decide(&asked, "allow").await;
    assert_eq!(answer(&answered, "state").as_deref(), Some("st"));
    assert_eq!(answer(&answered, "iss").as_deref(), Some("http://127.0.0.1:8080"));
    let code = answer(&answered, "code").unwrap();
    let redeem = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ];
    let tokens = browser.token(&redeem).await;
    let access = tokens["access_token"].as_str().unwrap();
    let me = browser.me(access).await;
    assert_eq!((me.status, me.body.as_str()), (200, "hello 7 of the engine room\n"));

    let refresh = tokens["refresh_token"].as_str().unwrap();
    let renew = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let renewed = browser.token(&renew).await;
    let newer = renewed["access_token"].as_str().unwrap();
    assert_eq!(browser.me(newer).await.status, 200);
    // The code once more: refused, and what came of it does not open the door any longer.
    assert_eq!(browser.token(&redeem).await["error"], "invalid_grant");
    for dead in [access, newer] {
        assert_eq!(browser.me(dead).await.status, 401);
    }
}

#[tokio::test]
async fn no_is_an_answer_and_no_token_is_no_entry() {
    let mut browser = Browser::open("sqlite::memory:").await;
    let asked = browser.sign_in().await;
    let mut stranger = Browser { app: browser.app.clone(), cookie: String::new() };
    let page = stranger.get(&asked.location).await;
    assert!(page.status == 400 && page.body.contains("invalid_request"));
    let denied = browser.decide(&asked, "deny").await;
    assert_eq!(answer(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(browser.get("/me").await.status, 401);
    assert_eq!(browser.me("x").await.status, 401);
}

#[tokio::test]
async fn a_database_that_stays_needs_the_same_sealing_key() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("mine.db").display());
    drop(Browser::open(&database).await);
    // The signing keys of the first start were sealed with a key that is gone.
    assert!(app(&database).await.is_err());
}
