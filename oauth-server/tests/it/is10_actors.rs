//! A server of the profile `is10`, and what its tests do over and over.

use crate::{
    pages_actors::{CALLBACK, CHALLENGE, PASSWORD, SignedIn, VERIFIER, interaction, parameter},
    support::{Server, TestClock, config, json},
};
use axum::body::Body;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Request, Response, StatusCode, header};
use oauth_core::{
    model::{Access, AccessRight, Client, ClientId, RedirectUri, Scope, UserId},
    ports::{ClientStore as _, Clock, SystemRandom},
    testing::fixtures,
};
use oauth_server::{
    routes,
    state::{AppState, World},
};
use serde_json::Value;
use std::sync::Arc;

/// A client of the operator, by a name of twenty characters and more.
pub const CONTROLLER: &str = "broadcast-controller-1";
/// Its secret, as the fixtures have it.
pub const SECRET: &str = "secret";

/// A server of a profile, with one kind of key, which takes long enough to make.
pub async fn of_profile(profile: &str, more: &str) -> Server {
    in_folder(profile, more, tempfile::tempdir().unwrap(), TestClock::new()).await
}

/// The same on what another one left behind, or beside it.
pub async fn in_folder(
    profile: &str,
    more: &str,
    folder: tempfile::TempDir,
    clock: Arc<TestClock>,
) -> Server {
    let toml = format!("profile = \"{profile}\"\n[keys]\nalgorithms = [\"RS512\"]\n{more}");
    let config = config(&toml, &folder);
    let world =
        World { clock: Arc::clone(&clock) as Arc<dyn Clock>, random: Arc::new(SystemRandom) };
    let state = AppState::start(config, world).await.unwrap();
    Server { router: routes::router(&state), state, clock, folder }
}

/// A server of the profile `is10`.
pub async fn is10(more: &str) -> Server {
    of_profile("is10", more).await
}

/// The header and the claims of a JWT.
pub fn decoded(jwt: &str) -> (Value, Value) {
    let part = |i: usize| {
        let text = jwt.split('.').nth(i).unwrap_or_else(|| panic!("no JWT: {jwt}"));
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

/// Asserts the exact status and error code of a refusal in JSON.
pub async fn refused(response: Response<Body>, status: u16, error: &str) -> Value {
    let seen = response.status();
    let body = json(response).await;
    assert_eq!((seen.as_u16(), body["error"].as_str()), (status, Some(error)), "{body}");
    body
}

/// A JSON request, with a bearer token if there is one.
pub fn json_request(method: &str, path: &str, token: Option<&str>, body: &Value) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    let text = if body.is_null() { String::new() } else { body.to_string() };
    request.body(Body::from(text)).unwrap()
}

impl Server {
    /// A confidential client of the operator for all grants, with these scopes.
    pub async fn controller(&self, scope: &str) {
        self.controller_with(scope, |client| client).await;
    }

    /// The same, changed.
    pub async fn controller_with(&self, scope: &str, with: impl FnOnce(Client) -> Client) {
        let client = Client {
            redirect_uris: vec![RedirectUri::parse(CALLBACK).unwrap()],
            scope: Scope::parse(scope).unwrap(),
            grant_types: ["authorization_code", "client_credentials"].map(Into::into).into(),
            registration_token: None,
            ..fixtures::openid_client(CONTROLLER)
        };
        assert!(self.state.store.insert_client(with(client)).await.unwrap());
    }

    /// Tokens for the controller itself.
    pub async fn own_tokens(&self, scope: &str) -> Response<Body> {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        self.post("/oauth/token", Some((CONTROLLER, SECRET)), &form).await
    }

    /// Gives somebody a right.
    pub async fn right(&self, user: &UserId, api: &str, access: Access, paths: &[&str]) {
        let mut rights = oauth_core::ports::Users::rights(&self.state.store, user).await.unwrap();
        rights.retain(|right| right.api != api);
        rights.push(AccessRight {
            paths: paths.iter().map(|&path| path.into()).collect(),
            ..AccessRight::new(user.clone(), api, access)
        });
        self.state.store.set_rights(user, rights).await.unwrap();
    }

    /// Makes somebody an administrator, and signs in.
    pub async fn operator(&self, name: &str) -> SignedIn<'_> {
        let id = self.user(name, PASSWORD).await;
        self.state.store.set_admin(&id, true).await.unwrap();
        self.visitor().sign_in(name).await
    }

    /// The client, as the protocol sees it.
    pub async fn acts(&self, id: &str) -> bool {
        let clients = &self.state.provider.env().clients;
        clients.client(&ClientId::new(id)).await.unwrap().is_some()
    }
}

impl SignedIn<'_> {
    /// Lets the controller act; returns the answer of the token endpoint.
    pub async fn tokens(&self, scope: &str) -> Value {
        let code = self.code(scope, &[]).await;
        let form = redeem(&code);
        let response = self.server.post("/oauth/token", Some((CONTROLLER, SECRET)), &form).await;
        assert_eq!(response.status(), StatusCode::OK);
        json(response).await
    }

    /// Lets the controller act; returns the code.
    pub async fn code(&self, scope: &str, more: &[(&str, &str)]) -> String {
        let request = [&[("scope", scope), ("prompt", "consent")][..], more].concat();
        let consent = self.authorize(CONTROLLER, &request).await;
        let interaction = interaction(&consent);
        let scopes: Vec<String> = scope.split(' ').map(|token| format!("scope:{token}")).collect();
        let mut form = vec![("interaction", &*interaction), ("decision", "allow")];
        form.extend(scopes.iter().map(|name| (name.as_str(), "yes")));
        let page = self.post("/consent", &form).await;
        let is_nmos = self.server.state.config.profile().is_nmos();
        let way = if is_nmos { StatusCode::FOUND } else { StatusCode::SEE_OTHER };
        assert_eq!(page.status, way, "{}", page.html);
        parameter(page.header("location"), "code").expect("there is a code")
    }
}

/// The form that redeems a code.
pub fn redeem(code: &str) -> [(&str, &str); 4] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", VERIFIER),
    ]
}

/// The challenge of the usual request.
pub const fn challenge() -> &'static str {
    CHALLENGE
}
