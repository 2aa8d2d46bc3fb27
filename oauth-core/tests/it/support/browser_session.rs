//! Flows in a browser session that has a name, and requests to end it.

use super::{USER, World};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    authorize::Decision,
    endpoints::{Confirmed, LogoutRequest, LogoutStep},
    error::ErrorCode,
    issue::TokenResponse,
    model::Login,
    params::Params,
    ports::Clock as _,
};
use serde_json::Value;

impl World {
    /// Now, in seconds.
    pub(crate) fn clock_now(&self) -> i64 {
        self.clock.now().unix()
    }

    /// A sign-in of the user of every world in the session of this name, now.
    pub(crate) fn login_in(&self, sid: &str) -> Login {
        Login { sid: Some(sid.into()), ..self.login(USER) }
    }

    /// The whole code flow in the session of this name.
    pub(crate) async fn tokens_in(&self, sid: &str, client: &str, scope: &str) -> TokenResponse {
        let request = self.request(client).set("scope", scope).set("prompt", "login consent");
        let redirect_uri = request.get("redirect_uri");
        let step = request.send().await;
        let id = step.reply.interaction("/login");
        let step = step.decide(&id, Decision::SignedIn(self.login_in(sid))).await;
        let answer = step.approve().await.reply.answer();
        let code = answer.get("code").unwrap();
        self.redeem(client, code).set("redirect_uri", &redirect_uri).issues().await
    }

    /// An id token of the session of this name.
    pub(crate) async fn id_token_in(&self, sid: &str, client: &str) -> String {
        self.tokens_in(sid, client, "openid a").await.id_token.unwrap()
    }

    pub(crate) fn logout(&self) -> LogoutAttempt<'_> {
        LogoutAttempt { world: self, params: Vec::new(), login: None, confirmed: Confirmed::No }
    }
}

/// A request to the end session endpoint.
#[derive(Clone)]
pub(crate) struct LogoutAttempt<'w> {
    world: &'w World,
    params: Vec<(String, String)>,
    login: Option<Login>,
    confirmed: Confirmed,
}

impl LogoutAttempt<'_> {
    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.params.retain(|(n, _)| n != name);
        self.params.push((name.into(), value.into()));
        self
    }

    /// In a browser with this sign-in.
    pub(crate) fn in_session(self, login: Login) -> Self {
        Self { login: Some(login), ..self }
    }

    /// After the press of the button.
    pub(crate) fn confirmed(self) -> Self {
        Self { confirmed: Confirmed::Yes, ..self }
    }

    /// There is nothing to ask.
    pub(crate) async fn proceeds(self) -> LogoutRequest {
        let proceeds = match self.decide().await.unwrap() {
            LogoutStep::Proceed(request) => Some(request),
            LogoutStep::Confirm(_) => None,
        };
        proceeds.expect("nobody is asked")
    }

    /// The person is to be asked.
    pub(crate) async fn asks(self) -> LogoutRequest {
        let asks = match self.decide().await.unwrap() {
            LogoutStep::Confirm(request) => Some(request),
            LogoutStep::Proceed(_) => None,
        };
        asks.expect("somebody is asked")
    }

    /// A page that explains, whoever is signed in and whatever was pressed.
    pub(crate) async fn refuses(self) {
        let yes = self.clone().confirmed();
        for attempt in [self, yes] {
            let error = attempt.decide().await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidRequest, "{error}");
        }
    }

    async fn decide(self) -> Result<LogoutStep, oauth_core::error::OAuthError> {
        let mut params = Params::default();
        for (name, value) in self.params {
            params.add(name, value).unwrap();
        }
        self.world.provider.end_session(&params, self.login.as_ref(), self.confirmed).await
    }
}

/// Header and claims of a compact JWT. Verifies nothing.
pub(crate) fn opened(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}
