//! What access tokens of the user service say beyond the standard claims.

use super::{guest, own_client};
use crate::front;
use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    jose::Sealer,
    model::{Client, Login, Role, Scope, UserId},
    ports::Claims,
    seaorm::SeaStore,
};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// Adds `roles` ([RFC 9068 2.2.3.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3.1)) to the tokens of the
/// server's own client, for front ends. This server does not believe them: it looks again.
#[derive(Clone)]
pub struct OwnClaims {
    store: SeaStore,
    /// What makes the CSRF tokens of sessions, where tokens are in cookies.
    csrf: Option<Arc<Sealer>>,
}

impl OwnClaims {
    /// With the users of this store.
    pub const fn new(store: SeaStore) -> Self {
        Self { store, csrf: None }
    }

    /// Tokens of browser sessions name the session, and have its CSRF token in them: they go into cookies.
    #[must_use]
    pub fn for_cookies(self, sealer: Sealer) -> Self {
        Self { csrf: Some(Arc::new(sealer)), ..self }
    }
}

#[async_trait]
impl Claims for OwnClaims {
    async fn claims(
        &self,
        user: Option<&UserId>,
        client: &Client,
        _: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        let mut claims = Map::new();
        let Some(user) = user.filter(|_| client.id.as_str() == own_client::ID) else {
            return Ok(claims);
        };
        let role = if guest::is_guest(user) {
            Some(Role::Anonymous)
        } else {
            self.store.account(user).await?.map(|account| account.role())
        };
        if let Some(role) = role {
            claims.insert("roles".into(), json!([role.as_str()]));
        }
        Ok(claims)
    }

    fn login_claims(&self, login: &Login, client: &Client) -> Map<String, Value> {
        let mut claims = Map::new();
        if let (Some(sealer), Some(sid)) = (&self.csrf, &login.sid)
            && client.id.as_str() == own_client::ID
        {
            claims.insert("sid".into(), sid.clone().into());
            claims.insert("csrf".into(), front::csrf_token(sealer, sid).into());
        }
        claims
    }
}
