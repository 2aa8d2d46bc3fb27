//! Signing in with a password: the users of the store behind the throttle, or, in demonstrations, anybody.

use crate::{
    config::{Authenticator, Config},
    metrics::{Metrics, SignInOutcome},
    people,
    second_factor::{AMR_MFA, Demand, Demands},
    shell,
    throttle::{Admission, Subject, Throttle},
};
use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    model::{Access, AccessRight, HashedToken, Timestamp, User, UserId},
    ports::{Clock, Random, SignIn, Users},
    seaorm::{NewUser, SeaStore, entity::user::Entity, new_user_id},
};
use sea_orm::{DatabaseTransaction, EntityTrait as _, QuerySelect as _};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// The authentication context of whoever signed in with a password and nothing else
/// ([OpenID Connect Core 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).
pub const ACR_PASSWORD: &str = "urn:oauth-core:acr:password";

/// The authentication context of whoever proved more than one factor.
pub const ACR_MULTI_FACTOR: &str = "urn:oauth-core:acr:mfa";

/// All of them, the weakest first.
pub const ACR_VALUES: [&str; 2] = [ACR_PASSWORD, ACR_MULTI_FACTOR];

/// The authentication context that these methods make.
pub(crate) fn acr(amr: &[String]) -> Option<String> {
    let has = |wanted: &str| amr.iter().any(|method| method == wanted);
    let context = if has(AMR_MFA) {
        ACR_MULTI_FACTOR
    } else if has("pwd") {
        ACR_PASSWORD
    } else {
        return None;
    };
    Some(context.to_owned())
}

/// Whether a sign-in is recent enough for what wants it no older than this.
pub(crate) fn is_fresh(at: Timestamp, within: Duration, now: Timestamp) -> bool {
    at.plus(within) >= now
}

/// What was stored of a user's password at one moment. Checking a password takes a while, and so does waiting for it:
/// meanwhile it may have been replaced, or its owner locked out, and every session ended but the one that now begins.
pub struct StoredPassword(Option<String>);

impl StoredPassword {
    /// What is stored now for whoever signs in by this name or address, if there is one. To be read before the
    /// password is tried.
    pub async fn of(store: &SeaStore, name: &str) -> Result<Self, PortError> {
        let row = store.row_by_login(name.trim()).await?;
        Ok(Self(row.and_then(|row| row.password_hash)))
    }

    /// What is stored now for this user.
    pub async fn of_user(store: &SeaStore, user: &UserId) -> Result<Self, PortError> {
        let row = Entity::find_by_id(user.as_str()).one(store.database()).await?;
        Ok(Self(row.and_then(|row| row.password_hash)))
    }

    /// What tells it from another one, and from which it cannot be guessed; `None` where there is no password.
    pub fn fingerprint(&self) -> Option<HashedToken> {
        self.0.as_deref().map(HashedToken::of)
    }

    /// Whether it is still so, for a user who may sign in. Whoever changes that waits for the transaction.
    pub async fn is_current(
        self,
        t: &DatabaseTransaction,
        user: &UserId,
    ) -> Result<bool, PortError> {
        let row = Entity::find_by_id(user.as_str()).lock_shared().one(t).await?;
        Ok(row.is_some_and(|row| !row.disabled && row.password_hash == self.0))
    }
}

/// The users of the server. Every password that is tried, on the page or in the password grant, is tried here.
#[derive(Clone)]
pub struct ServerUsers {
    store: SeaStore,
    throttle: Throttle,
    metrics: Metrics,
    authenticator: Authenticator,
    apis: Arc<[String]>,
    demands: Demands,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl ServerUsers {
    /// Users of this store, slowed down by this throttle.
    pub fn new(
        store: SeaStore,
        throttle: Throttle,
        metrics: Metrics,
        config: &Config,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
    ) -> Self {
        let authenticator = config.general.authenticator;
        let apis = config.known_apis().into_iter().map(|a| a.name).collect();
        let demands = Demands::new(store.clone(), config);
        Self { store, throttle, metrics, authenticator, apis, demands, clock, random }
    }

    /// Counts the attempt for the address and the account, and makes it unless one of them has to wait.
    async fn attempt(&self, name: &str, password: &str) -> Result<SignIn, PortError> {
        let address = shell::client_address().map(Subject::address);
        if let Some(address) = &address
            && let Admission::Wait(seconds) = self.throttle.admit(address).await?
        {
            return Ok(SignIn::Throttled(seconds));
        }
        // By whichever of its names somebody signs in, an account has one counter.
        let known = self.store.row_by_login(name.trim()).await?;
        let account = Subject::account(known.as_ref().map_or(name, |row| &row.username));
        if let Admission::Wait(seconds) = self.throttle.admit(&account).await? {
            return Ok(SignIn::Throttled(seconds));
        }
        let outcome = self.check(name, password).await;
        match outcome {
            Ok(SignIn::Accepted(_)) => self.throttle.reset(&account).await?,
            Ok(SignIn::Refused) => return outcome,
            // Nothing was checked, so nothing was tried.
            _ => self.throttle.take_back(&account).await?,
        }
        if let Some(address) = &address {
            self.throttle.take_back(address).await?;
        }
        outcome
    }

    async fn check(&self, name: &str, password: &str) -> Result<SignIn, PortError> {
        match self.authenticator {
            Authenticator::Database => self.store.sign_in(name, password).await,
            Authenticator::Any => self.anybody(name).await,
        }
    }

    /// Lets everybody in, and makes a user of every new name.
    async fn anybody(&self, name: &str) -> Result<SignIn, PortError> {
        let name = name.trim();
        if name.is_empty() || name.len() > 255 || name.chars().any(char::is_control) {
            return Ok(SignIn::Refused);
        }
        if self.store.account_by_name(name).await?.is_none() {
            let now = self.clock.now();
            let new = NewUser::new(new_user_id(now, &*self.random), name, now);
            // Another request may have been faster; either way there is one now.
            let _ = self.store.create_user(new).await?;
        }
        let account = self.store.account_by_name(name).await?;
        Ok(account.filter(|a| !a.disabled).map_or(SignIn::Refused, |a| SignIn::Accepted(a.id)))
    }
}

#[async_trait]
impl Users for ServerUsers {
    async fn user(&self, id: &UserId) -> Result<Option<User>, PortError> {
        if let Some(guest) = people::as_user(id) {
            return Ok(Some(guest));
        }
        self.store.user(id).await
    }

    async fn sign_in(&self, name: &str, password: &str) -> Result<SignIn, PortError> {
        let outcome = self.attempt(name, password).await?;
        // The name is not logged: people type passwords where the name should be.
        let counted = match &outcome {
            SignIn::Accepted(user) => {
                tracing::info!(user.id = %user, "sign-in accepted");
                SignInOutcome::Accepted
            }
            SignIn::Throttled(seconds) => {
                tracing::warn!(wait = seconds, "sign-in throttled");
                SignInOutcome::Throttled
            }
            _ => {
                tracing::info!("sign-in refused");
                SignInOutcome::Refused
            }
        };
        self.metrics.sign_in(counted);
        Ok(outcome)
    }

    /// Who has a second factor, or has to have one, signs in on the page and nowhere else.
    async fn password_suffices(&self, id: &UserId) -> Result<bool, PortError> {
        Ok(self.demands.of(id).await? == Demand::Nothing)
    }

    /// Whoever prefers no other name is called by the user name.
    async fn profile(&self, id: &UserId) -> Result<Map<String, Value>, PortError> {
        const PREFERRED: &str = "preferred_username";
        let mut profile = self.store.profile(id).await?;
        if !profile.contains_key(PREFERRED)
            && let Some(user) = self.store.user(id).await?
        {
            profile.insert(PREFERRED.into(), user.username.into());
        }
        Ok(profile)
    }

    /// A right that was never given is no right: an API without a row counts as `none`.
    async fn rights(&self, id: &UserId) -> Result<Vec<AccessRight>, PortError> {
        let mut rights = self.store.rights(id).await?;
        for api in &*self.apis {
            if !rights.iter().any(|r| r.api == *api) {
                rights.push(AccessRight::new(id.clone(), api.clone(), Access::None));
            }
        }
        Ok(rights)
    }
}
