//! Both frontends over one SQLite file, and a client that talks to either.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says no by panicking")]

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use oauth_core::{
    Provider,
    authorize::Decision,
    config::Policy,
    model::{Client, Login, SigningAlgorithm, UserId},
    password::Argon2Passwords,
    ports::{ClientStore as _, Clock as _, Passwords as _, SystemClock},
    seaorm::NewUser,
    testing::{TestDatabase, fixtures},
};
use serde_json::Value;
use tower::ServiceExt as _;
use url::{Url, form_urlencoded};

pub(crate) const CALLBACK: &str = "https://client.example/cb";
/// The example of RFC 7636, Appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const PASSWORD: &str = "correct horse";

/// Whose endpoint is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    Ours,
    Oxide,
}

pub(crate) const FRONTS: [Front; 2] = [Front::Ours, Front::Oxide];

impl Front {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Ours => Self::Oxide,
            Self::Oxide => Self::Ours,
        }
    }

    fn token(self) -> &'static str {
        match self {
            Self::Ours => "/oauth/token",
            Self::Oxide => "/token",
        }
    }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: impl header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// The error code of a refusal, or the bare status.
    pub(crate) fn error(&self) -> String {
        assert!(self.status >= 400, "{self:?}");
        assert_eq!(self.header(header::CACHE_CONTROL), Some("no-store"));
        match self.json()["error"].as_str() {
            Some(code) => code.to_owned(),
            None => self.status.to_string(),
        }
    }

    /// Access and refresh token.
    pub(crate) fn tokens(&self) -> (String, String) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.header(header::CACHE_CONTROL), Some("no-store"));
        let body = self.json();
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    /// A parameter of the answer in the address.
    pub(crate) fn answer(&self, name: &str) -> Option<String> {
        assert!([302, 303].contains(&self.status), "{self:?}");
        let to = Url::parse(self.header(header::LOCATION)?).unwrap();
        let found = to.query_pairs().find(|(n, _)| n == name);
        found.map(|(_, value)| value.into_owned())
    }
}

/// One database, two frontends.
pub(crate) struct Site {
    pub(crate) provider: Provider,
    app: Router,
    _database: TestDatabase,
}

impl Site {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::sqlite().await;
        let store = database.store();
        let clients =
            [fixtures::client("web"), fixtures::client("other"), fixtures::public_client("spa")];
        for client in clients {
            let client = Client { scope: fixtures::scope("profile"), ..client };
            store.insert_client(client).await.unwrap();
        }
        let ada = NewUser {
            password_hash: Some(Argon2Passwords::default().hash(PASSWORD).await.unwrap()),
            ..NewUser::new(UserId::new("ada-id"), "ada", SystemClock.now())
        };
        store.create_user(ada).await.unwrap();
        let policy = Policy {
            algorithms: vec![SigningAlgorithm::ES256],
            refresh_retry_window: std::time::Duration::ZERO,
            ..Policy::default()
        };
        let provider = Provider::builder("https://as.example".parse().unwrap())
            .store(store)
            .sealing_key(&[7; 32])
            .policy(policy)
            .build()
            .unwrap();
        provider.maintain().await.unwrap();
        let app = Router::new()
            .merge(example_oxide_axum::router(provider.clone()))
            .merge(oauth_core::http::router(provider.clone()));
        Self { provider, app, _database: database }
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// A form by this client, with its credentials.
    pub(crate) async fn post(&self, path: &str, client: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let mut request =
            Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match client {
            "spa" => drop(form.append_pair("client_id", client)),
            "" => {}
            _ => {
                let pair = STANDARD.encode(format!("{client}:secret"));
                request = request.header(header::AUTHORIZATION, format!("Basic {pair}"));
            }
        }
        self.send(request.body(Body::from(form.finish())).unwrap()).await
    }

    pub(crate) async fn token(&self, front: Front, client: &str, form: &[(&str, &str)]) -> Reply {
        self.post(front.token(), client, form).await
    }

    pub(crate) async fn redeem(&self, front: Front, client: &str, code: &str) -> Reply {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.token(front, client, &form).await
    }

    pub(crate) async fn refresh(&self, front: Front, client: &str, token: &str) -> Reply {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        self.token(front, client, &form).await
    }

    /// What our introspection endpoint says of a token.
    pub(crate) async fn introspect(&self, token: &str) -> Value {
        self.post("/oauth/introspect", "other", &[("token", token)]).await.json()
    }

    /// The resource behind oxide-auth's flow.
    pub(crate) async fn profile(&self, token: &str) -> Reply {
        let request =
            Request::get("/profile").header(header::AUTHORIZATION, format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Whether both frontends take the token for good; they must agree.
    pub(crate) async fn is_live(&self, token: &str) -> bool {
        let ours = self.introspect(token).await["active"] == true;
        let oxide = self.profile(token).await.status == 200;
        assert_eq!(ours, oxide, "both frontends see the same token");
        ours
    }

    /// An authorization request, answered with a yes, and the code in the answer.
    pub(crate) async fn code(&self, front: Front, client: &str) -> String {
        let query = query(client, &[]);
        let answer = match front {
            Front::Ours => self.agree_here(&query).await,
            Front::Oxide => {
                let form = [("username", "ada"), ("password", PASSWORD), ("decision", "allow")];
                self.post(&format!("/authorize?{query}"), "", &form).await
            }
        };
        assert_eq!(answer.answer("state").as_deref(), Some("st"));
        answer.answer("code").expect("a code")
    }

    /// Login and consent, as pages of ours would report them.
    async fn agree_here(&self, query: &str) -> Reply {
        let reply = self.get(&format!("/oauth/authorize?{query}")).await;
        let cookie = reply.header(header::SET_COOKIE).unwrap();
        let browser = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
        let login = Login {
            user: UserId::new("ada-id"),
            at: SystemClock.now(),
            amr: vec!["pwd".into()],
            acr: None,
            sid: None,
        };
        let mut reply = reply;
        for decision in [Decision::SignedIn(login), Decision::Approved { scope: None }] {
            let Some(id) = interaction(&reply) else { break };
            let since = self.provider.epoch().await.unwrap();
            let outcome = self.provider.resume(&id, &browser, decision, since).await;
            let response = oauth_core::http::render(&self.provider, outcome);
            reply = Reply {
                status: response.status().as_u16(),
                headers: response.headers().clone(),
                body: String::new(),
            };
        }
        reply
    }

    pub(crate) async fn pair(&self, front: Front, client: &str) -> (String, String) {
        let code = self.code(front, client).await;
        self.redeem(front, client, &code).await.tokens()
    }
}

/// The interaction id in the address of a page.
fn interaction(reply: &Reply) -> Option<String> {
    let (_, id) = reply.header(header::LOCATION)?.split_once("?interaction=")?;
    Some(id.to_owned())
}

/// An authorization request with everything right, but for some parameters; an empty value leaves one out.
pub(crate) fn query(client: &str, changed: &[(&str, &str)]) -> String {
    let params = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("scope", "profile"),
        ("state", "st"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let params = params.iter().map(|(name, value)| {
        let changed = changed.iter().find(|(n, _)| n == name);
        changed.copied().unwrap_or((name, value))
    });
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(params.filter(|(_, value)| !value.is_empty()));
    form.finish()
}
