//! A client that is asked for tokens.

use crate::{
    error::{Endpoint, Error, Result, Why},
    grants, hooks, metadata,
    model::{Client, Discovered, Grant, Record, Tokens},
    renew::{self, Demand},
    secret::Secret,
    store::TokenStore,
    vault::Lease,
    wire::{Identity, TokenAnswer, refusal},
};
use oauth2::TokenResponse as _;
use std::time::Duration;

/// An access token, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// The token.
    pub token: Secret,
    /// How it is sent.
    pub token_type: String,
    /// When it ends, where that is known.
    pub expires_at: Option<i64>,
    /// What was granted.
    pub scope: Option<String>,
}

impl AccessToken {
    /// The value of the `Authorization` header ([RFC 6750 2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
    pub fn authorization(&self) -> Secret {
        Secret::new(format!("Bearer {}", self.token.expose()))
    }
}

impl From<&Tokens> for AccessToken {
    fn from(tokens: &Tokens) -> Self {
        Self {
            token: tokens.access_token.clone(),
            token_type: tokens.token_type.clone(),
            expires_at: tokens.expires_at,
            scope: tokens.scope.clone(),
        }
    }
}

/// What is known of a client's tokens, without the tokens.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Status {
    /// In one word.
    pub state: State,
    /// When the access token ends, where that is known.
    pub expires_at: Option<i64>,
    /// When it came.
    pub obtained_at: Option<i64>,
    /// Whether there is a refresh token.
    pub has_refresh_token: bool,
    /// When that ends, where that is known.
    pub refresh_expires_at: Option<i64>,
    /// What was granted.
    pub scope: Option<String>,
    /// Who signed in, where the provider proved it.
    pub subject: Option<String>,
}

/// The state of a client's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum State {
    /// The access token can be used.
    Valid,
    /// It has expired and can be renewed without anybody.
    Renewable,
    /// A refresh was interrupted; the next use repeats it.
    Interrupted,
    /// Somebody has to sign in.
    LoginNeeded,
}

impl State {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Renewable => "renewable",
            Self::Interrupted => "interrupted",
            Self::LoginNeeded => "login needed",
        }
    }
}

/// What became of taking tokens back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Revoked {
    /// The provider has taken them back.
    Everywhere,
    /// The provider has no endpoint for it; they are gone from this machine.
    OnlyHere,
    /// There was nothing to take back.
    Nothing,
}

/// One client and its tokens.
#[derive(Clone, Debug)]
pub struct OAuthClient {
    pub(crate) store: TokenStore,
    pub(crate) id: u32,
    name: String,
}

impl OAuthClient {
    pub(crate) fn new(store: TokenStore, client: &Client) -> Self {
        Self { store, id: client.id, name: client.name.clone() }
    }

    /// Its number in the store.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Its name in the store.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its metadata.
    pub async fn info(&self) -> Result<Client> {
        self.store.find(&self.id.to_string()).await
    }

    /// An access token that lives, renewed where it does not. However many tasks and processes ask at once, one
    /// request is made; and it is stored before anybody is given it.
    pub async fn access_token(&self) -> Result<AccessToken> {
        let (client, record) = (self.info().await?, self.store.record(self.id).await?);
        if !self.store.is_unsaved(self.id)
            && let renew::Plan::Use(token) =
                renew::plan(&client, &record, self.store.now(), &Demand::Living)
        {
            return Ok(token);
        }
        self.join(Demand::Living).await
    }

    /// Another access token than this one, which a service has refused.
    pub async fn renewed(&self, stale: &AccessToken) -> Result<AccessToken> {
        const ROUNDS: usize = 3;
        let mut outcome = self.join(Demand::Other(stale.token.clone())).await?;
        for _ in 1..ROUNDS {
            // It joined somebody who only wanted one that lives.
            if outcome.token != stale.token {
                break;
            }
            outcome = self.join(Demand::Other(stale.token.clone())).await?;
        }
        Ok(outcome)
    }

    /// A new access token, also where the present one lives.
    pub async fn refresh(&self) -> Result<AccessToken> {
        let record = self.store.record(self.id).await?;
        let stale = record.tokens.map_or_else(|| Secret::new(""), |t| t.access_token);
        self.join(Demand::Other(stale)).await
    }

    async fn join(&self, demand: Demand) -> Result<AccessToken> {
        let (store, id) = (self.store.clone(), self.id);
        let renewal = Box::pin(async move { renew::renew(&store, id, demand).await });
        self.store.inner.flights.join(self.id, renewal).await
    }

    /// What is known of its tokens, without asking anybody.
    pub async fn status(&self) -> Result<Status> {
        let (client, record) = (self.info().await?, self.store.record(self.id).await?);
        let state = match renew::plan(&client, &record, self.store.now(), &Demand::Living) {
            renew::Plan::Use(_) => State::Valid,
            renew::Plan::Refresh { again: true, .. } => State::Interrupted,
            renew::Plan::Refresh { .. } | renew::Plan::ForItself => State::Renewable,
            renew::Plan::Login(_) => State::LoginNeeded,
        };
        let tokens = record.tokens.as_ref();
        Ok(Status {
            state,
            expires_at: tokens.and_then(|t| t.expires_at),
            obtained_at: tokens.map(|t| t.obtained_at),
            has_refresh_token: tokens.is_some_and(|t| t.refresh_token.is_some()),
            refresh_expires_at: tokens.and_then(|t| t.refresh_expires_at),
            scope: tokens.and_then(|t| t.scope.clone()),
            subject: tokens.and_then(|t| t.subject.clone()),
        })
    }

    /// Takes its tokens back at the provider ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)), then forgets them.
    /// Where the provider cannot be asked, they are kept, so that it can be tried again.
    pub async fn revoke(&self) -> Result<Revoked> {
        let lease = self.store.lock(self.id).await?;
        let outcome = self.revoke_locked(&lease).await;
        self.store.inner.vault.unlock(self.id, lease).await;
        if outcome.as_ref().is_ok_and(|revoked| *revoked != Revoked::Nothing) {
            self.tell(hooks::What::Revoked, None).await;
        }
        outcome
    }

    async fn revoke_locked(&self, lease: &Lease) -> Result<Revoked> {
        let record = self.store.record(self.id).await?;
        let Some(tokens) = record.tokens else { return Ok(Revoked::Nothing) };
        let client = discovered(&self.store, self.info().await?, Age::Any).await?;
        let mut outcome = Revoked::OnlyHere;
        let ours = tokens.issued_by.is_none() || tokens.issued_by == client.issued_by();
        if let Some(url) = client.endpoints().revocation.filter(|_| ours) {
            let credentials = self.store.credentials(self.id).await?;
            // The refresh token first: taking it back ends what was got with it.
            let refresh = tokens.refresh_token.as_ref().map(|t| (t, "refresh_token"));
            let access = Some((&tokens.access_token, "access_token"));
            // One that was brought from elsewhere may have come without an access token.
            let access = access.filter(|(token, _)| !token.expose().is_empty());
            for (token, hint) in refresh.into_iter().chain(access) {
                let form = vec![
                    ("token".to_owned(), token.expose().to_owned()),
                    ("token_type_hint".to_owned(), hint.to_owned()),
                ];
                let now = self.store.now();
                let who = Identity { client: &client, credentials: &credentials, now };
                let wire = &self.store.inner.wire;
                let answer = wire.post(Endpoint::Revocation, &url, form, &who).await?;
                match refusal(Endpoint::Revocation, &answer) {
                    None => outcome = Revoked::Everywhere,
                    // Some providers take back one kind alone, and end the other with it.
                    Some(Error::Refused { code, .. }) if code == "unsupported_token_type" => {}
                    Some(Error::Refused { code, .. }) if code == "invalid_token" => {
                        outcome = Revoked::Everywhere;
                    }
                    Some(refused) => return Err(refused),
                }
            }
        }
        self.store.save_record(self.id, &Record::default(), lease).await?;
        Ok(outcome)
    }

    /// Signs in with a user name and a password
    /// ([RFC 6749 4.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.3)), which
    /// [RFC 9700 2.4](https://www.rfc-editor.org/rfc/rfc9700#section-2.4) forbids. The client must allow it.
    pub async fn login_with_password(&self, username: &str, password: &Secret) -> Result<()> {
        let client = discovered(&self.store, self.info().await?, Age::Day).await?;
        if !client.insecure_password_grant {
            return Err(Error::Invalid(format!(
                "{}: the password grant is not allowed for it (--insecure-password-grant)",
                client.name
            )));
        }
        let credentials = self.store.credentials(self.id).await?;
        let answer =
            grants::password(&self.store, &client, &credentials, (username, password)).await;
        self.settle_login(&client, answer, None).await
    }

    /// Stores what a login brought, or tells why it failed.
    pub(crate) async fn settle_login(
        &self,
        client: &Client,
        answer: Result<TokenAnswer>,
        subject: Option<String>,
    ) -> Result<()> {
        let outcome = match answer {
            Ok(answer) => self.save_login(client, &answer, subject).await,
            Err(e) => Err(e),
        };
        match &outcome {
            Ok(()) => self.tell(hooks::What::LoggedIn, None).await,
            Err(e) => self.tell(hooks::What::LoginFailed, Some(e)).await,
        }
        outcome
    }

    async fn save_login(
        &self,
        client: &Client,
        answer: &TokenAnswer,
        subject: Option<String>,
    ) -> Result<()> {
        let mut tokens = tokens(client, answer, self.store.now());
        tokens.subject = subject;
        let record = Record { tokens: Some(tokens), ..Record::default() };
        let lease = self.store.lock(self.id).await?;
        let outcome = self.store.save_record(self.id, &record, &lease).await;
        self.store.inner.vault.unlock(self.id, lease).await;
        outcome
    }

    pub(crate) async fn tell(&self, event: hooks::What, error: Option<&Error>) {
        let Ok(client) = self.info().await else { return };
        let event = hooks::Event {
            event,
            client: client.name,
            service: client.service,
            error: error.map(ToString::to_string),
            at: self.store.now(),
        };
        self.store.inner.hooks.tell(&event).await;
    }

    /// The error of a client that has no tokens.
    pub fn login_needed(&self, why: Why) -> Error {
        Error::LoginNeeded { client: self.name.clone(), why }
    }
}

/// How old metadata may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// Any, as long as it was read once.
    Any,
    /// A day, and older where the issuer cannot be asked.
    Day,
}

/// The client with the endpoints of its issuer, which is asked where they are missing or old.
pub(crate) async fn discovered(store: &TokenStore, client: Client, age: Age) -> Result<Client> {
    if client.issuer.is_none() {
        return Ok(client);
    }
    let now = store.now();
    let fresh = client.discovered.as_ref().is_some_and(|d| {
        age == Age::Any || (0..metadata::FRESH).contains(&now.saturating_sub(d.at))
    });
    if fresh {
        return Ok(client);
    }
    let endpoints = match metadata::discover(&store.inner.wire, &client).await {
        Ok(endpoints) => endpoints,
        // What was true yesterday is better than nothing, unless the issuer now says something else.
        Err(Error::Unreachable { .. }) if client.discovered.is_some() => return Ok(client),
        Err(e) => return Err(e),
    };
    let found = Discovered { endpoints, at: now };
    let issuer = client.issuer.clone();
    store
        .edit(client.id, move |client| {
            if client.issuer == issuer {
                client.discovered = Some(found);
            }
            Ok(())
        })
        .await
}

/// The tokens of an answer.
pub(crate) fn tokens(client: &Client, answer: &TokenAnswer, now: i64) -> Tokens {
    let after =
        |life: Duration| now.saturating_add(i64::try_from(life.as_secs()).unwrap_or(i64::MAX));
    let scope = answer
        .scopes()
        .map(|scopes| scopes.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(" "));
    let refresh_life = answer.extra_fields().refresh_token_expires_in.filter(|s| *s > 0);
    Tokens {
        access_token: Secret::new(answer.access_token().secret().as_str()),
        token_type: "Bearer".into(),
        expires_at: answer.expires_in().map(after),
        obtained_at: now,
        refresh_token: answer.refresh_token().map(|t| Secret::new(t.secret().as_str())),
        refresh_expires_at: refresh_life.map(|s| after(Duration::from_secs(s))),
        // What is not said is what was asked for (RFC 6749 5.1).
        scope: scope.or_else(|| Some(client.scope.clone()).filter(|s| !s.is_empty())),
        subject: None,
        issued_by: client.issued_by(),
    }
}

/// Whether a client gets tokens without anybody.
pub(crate) fn acts_for_itself(client: &Client) -> bool {
    client.grant == Grant::ClientCredentials
}
