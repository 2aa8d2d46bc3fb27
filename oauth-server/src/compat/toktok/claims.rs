//! What programs of this family look for in an access token: `identity` and `user_claims`. Names and addresses are not
//! among it, since a token is shown to every service that it is sent to; the answers have them.

use super::answers;
use crate::{
    config::Config,
    people::{is_guest, own_client},
};
use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    model::{Client, Login, Role, Scope, UserId},
    ports::Claims,
    seaorm::SeaStore,
};
use serde_json::{Map, Value, json};

/// Adds the claims to the tokens of the server's own client. This server does not believe them: it looks again.
pub struct TokenClaims<C> {
    is_on: bool,
    store: SeaStore,
    others: C,
}

impl<C> TokenClaims<C> {
    /// Beside what others claim; nothing where the layer is off.
    pub fn new(config: &Config, store: SeaStore, others: C) -> Self {
        Self { is_on: config.is_toktok(), store, others }
    }

    async fn of_user(&self, user: &UserId) -> Result<Option<Value>, PortError> {
        if is_guest(user) {
            return Ok(Some(json!({
                "_id": null,
                "infos": { "email": "anonymous" },
                "auth": answers::auth(Role::Anonymous),
                "profile": { "lang": "en" },
                "is_anonymous": true,
            })));
        }
        let account = self.store.account(user).await?;
        let claims = |role| json!({ "_id": user.as_str(), "auth": answers::auth(role) });
        Ok(account.map(|account| claims(account.role())))
    }
}

#[async_trait]
impl<C: Claims> Claims for TokenClaims<C> {
    async fn claims(
        &self,
        user: Option<&UserId>,
        client: &Client,
        scope: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        let mut claims = self.others.claims(user, client, scope).await?;
        let wanted = user.filter(|_| self.is_on && client.id.as_str() == own_client::ID);
        if let Some(user) = wanted
            && let Some(of_user) = self.of_user(user).await?
        {
            claims.insert("identity".into(), json!(user.as_str()));
            claims.insert("user_claims".into(), of_user);
        }
        Ok(claims)
    }

    fn login_claims(&self, login: &Login, client: &Client) -> Map<String, Value> {
        self.others.login_claims(login, client)
    }
}
