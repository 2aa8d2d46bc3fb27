//! Signing in without a browser session: a password for tokens, and what becomes of those.

use super::{
    Caller, Device, People,
    error::{Error, Refusal},
    guest, own_client,
};
use crate::sign_in::{StoredPassword, acr};
use oauth_core::{
    error::{ErrorCode, PortError},
    issue::TokenResponse,
    model::{AuthorizationId, HashedToken, Login, Role, Token, TokenKind, UserId},
    ports::SignIn,
    provider::{FirstParty, Refreshing},
};

/// Tokens for whoever signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// The access token: a JWT by [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068).
    pub access_token: String,
    /// Its life in seconds.
    pub expires_in: i64,
    /// The refresh token, where one is due. It is used once.
    pub refresh_token: Option<String>,
    /// What they allow.
    pub scope: String,
    /// What their holder is to the server.
    pub role: Role,
    /// The user; none for a guest.
    pub user: Option<UserId>,
    /// What the tokens hang below.
    pub authorization: AuthorizationId,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl Tokens {
    pub(super) fn of(
        response: TokenResponse,
        role: Role,
        user: Option<UserId>,
        authorization: AuthorizationId,
    ) -> Self {
        Self {
            access_token: response.access_token,
            expires_in: response.expires_in,
            refresh_token: response.refresh_token,
            scope: response.scope,
            role,
            user,
            authorization,
        }
    }
}

impl People<'_> {
    /// Tokens for whoever knows the password of this user, who is named by the user name or a confirmed e-mail
    /// address. The attempt is counted for the account and for the address it comes from, and whoever is wrong is not
    /// told in what.
    pub async fn log_in(
        &self,
        name: &str,
        password: &str,
        device: Device,
    ) -> Result<Tokens, Error> {
        let stored = StoredPassword::of(&self.state.store, name).await?;
        let user = match self.state.users.sign_in(name, password).await? {
            SignIn::Accepted(user) => user,
            SignIn::Throttled(seconds) => return Err(Refusal::Throttled(seconds).into()),
            _ => return Err(Refusal::WrongCredentials.into()),
        };
        // Nobody can be asked for a second factor here.
        if !self.state.users.password_suffices(&user).await? {
            return Err(Refusal::SecondFactorNeeded.into());
        }
        let amr = vec!["pwd".to_owned()];
        let (at, acr) = (self.state.now(), acr(&amr));
        let login = Login { user: user.clone(), at, amr, acr, sid: None };
        let tokens = self.issue(login, device).await?;
        // Checking took a while. Whoever replaces the password or locks the user out revokes everything afterwards: it
        // has happened before this was written, and is seen here, or after it, and this is revoked.
        let check = self
            .state
            .store
            .write(move |t| Box::pin(async move { stored.is_current(t, &user).await }));
        if !check.await? {
            self.state.provider.env().grants.revoke(tokens.authorization, self.state.now()).await?;
            return Err(Refusal::WrongCredentials.into());
        }
        Ok(tokens)
    }

    /// Tokens for somebody who proved who it is in some way. Whoever calls this has checked it, and looks again
    /// afterwards when what was checked may have lost its worth meanwhile.
    pub async fn issue(&self, login: Login, device: Device) -> Result<Tokens, Error> {
        let user = login.user.clone();
        let account = self.state.store.account(&user).await?.filter(|a| !a.disabled);
        let account = account.ok_or(Refusal::WrongCredentials)?;
        let issued = self
            .state
            .provider
            .issue_first_party(FirstParty {
                client: own_client::id(),
                login,
                scope: own_client::scope(own_client::ACCOUNT),
                access_token_ttl: None,
                refresh_until: Some(self.state.provider.refresh_until()),
            })
            .await?;
        self.note_device(&user, issued.authorization, device).await?;
        Ok(Tokens::of(issued.response, account.role(), Some(user), issued.authorization))
    }

    /// Other tokens for a refresh token, which is used up. One that comes back later than an answer can get lost ends
    /// everything that came from it.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, Error> {
        let old = self.refresh_token(refresh_token).await?.ok_or(Refusal::RefreshInvalid)?;
        let (Some(user), Some(authorization)) = (old.user().cloned(), old.authorization) else {
            return Err(Refusal::RefreshInvalid.into());
        };
        if guest::is_guest(&user) {
            return self.refresh_guest(refresh_token, &old).await;
        }
        let account = self.state.store.account(&user).await?.filter(|a| !a.disabled);
        let account = account.ok_or(Refusal::RefreshInvalid)?;
        // What was enough to sign in need not be today: somebody may have become an administrator.
        if let Some(login) = &old.login
            && !self.state.second_factor.suffices(login).await?
        {
            return Err(Refusal::RefreshInvalid.into());
        }
        let response = self.refreshed(refresh_token, Refreshing::default()).await?;
        self.note_use(authorization).await?;
        Ok(Tokens::of(response, account.role(), Some(user), authorization))
    }

    pub(super) async fn refreshed(
        &self,
        presented: &str,
        terms: Refreshing,
    ) -> Result<TokenResponse, Error> {
        let outcome =
            self.state.provider.refresh_first_party(&own_client::id(), presented, terms).await;
        outcome.map_err(|e| match e.code() {
            ErrorCode::InvalidGrant | ErrorCode::InvalidRequest | ErrorCode::InvalidScope => {
                Refusal::RefreshInvalid.into()
            }
            _ => Error::Failed(e),
        })
    }

    /// A refresh token of this service, used up and revoked ones included.
    async fn refresh_token(&self, presented: &str) -> Result<Option<Token>, PortError> {
        let found = self.state.provider.env().grants.token(&HashedToken::of(presented)).await?;
        Ok(found.filter(|t| t.kind == TokenKind::Refresh && t.client == own_client::id()))
    }

    /// Ends what the caller's token hangs below: it, its refresh token, and all that came before them.
    pub async fn log_out(&self, caller: &Caller) -> Result<(), Error> {
        Ok(self.end_device(&caller.subject, caller.authorization).await?)
    }
}
