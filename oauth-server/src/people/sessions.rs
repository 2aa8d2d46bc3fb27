//! Where somebody is signed in, whatever with: browsers, and programs that hold tokens.

use super::{
    Caller, People,
    error::{Error, Refusal},
    own_client,
};
use crate::entity::device::{Column, Entity, Model};
use oauth_core::{
    error::PortError,
    model::{AuthorizationId, User, UserId},
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _};
use serde::Serialize;
use std::collections::BTreeSet;
use uuid::Uuid;

/// One place where somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// What names it. Not a secret.
    pub id: String,
    /// `browser` or `program`.
    pub kind: &'static str,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Since when, in Unix seconds.
    pub created_at: i64,
    /// When it was last seen.
    pub last_used_at: i64,
    /// The address at the beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What it called itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl People<'_> {
    /// Every place where the caller is signed in, the last used first.
    pub async fn places(&self, caller: &Caller) -> Result<Vec<Place>, Error> {
        let account = caller.user()?;
        let user = User { id: account.id.clone(), username: account.username.clone() };
        let mut places = self.programs(&user.id, Some(caller.authorization)).await?;
        for session in self.state.sessions.list(&user).await? {
            places.push(Place {
                current: caller.login.sid.is_some() && caller.login.sid == session.login.sid,
                id: session.id,
                kind: "browser",
                created_at: session.created_at.unix(),
                last_used_at: session.last_seen_at.unix(),
                address: session.address,
                user_agent: session.user_agent,
            });
        }
        places.sort_by_key(|place| std::cmp::Reverse(place.last_used_at));
        Ok(places)
    }

    /// The programs that hold tokens of a user which are alive.
    pub async fn programs(
        &self,
        user: &UserId,
        current: Option<AuthorizationId>,
    ) -> Result<Vec<Place>, PortError> {
        let place = |d: Model| Place {
            id: d.authorization_id.to_string(),
            kind: "program",
            current: current.is_some_and(|current| current.0 == d.authorization_id),
            created_at: d.created_at,
            last_used_at: d.last_used_at,
            address: d.address,
            user_agent: d.user_agent,
        };
        Ok(self.devices(user).await?.into_iter().map(place).collect())
    }

    /// The devices of a user whose authorizations are alive.
    async fn devices(&self, user: &UserId) -> Result<Vec<Model>, PortError> {
        let grants = &self.state.provider.env().grants;
        let alive: BTreeSet<Uuid> = grants
            .authorizations(user, self.state.now())
            .await?
            .into_iter()
            .filter(|a| a.client == own_client::id())
            .map(|a| a.id.0)
            .collect();
        let mut devices = Entity::find()
            .filter(Column::UserId.eq(user.as_str()))
            .all(self.state.store.database())
            .await?;
        devices.retain(|device| alive.contains(&device.authorization_id));
        Ok(devices)
    }

    /// Ends one place of a user.
    pub async fn end_place(&self, user: &UserId, id: &str) -> Result<(), Error> {
        if let Ok(number) = Uuid::parse_str(id) {
            let programs = self.programs(user, None).await?;
            if !programs.iter().any(|place| place.id == number.to_string()) {
                return Err(Refusal::NotFound.into());
            }
            return Ok(self.end_device(user, AuthorizationId(number)).await?);
        }
        if self.state.sessions.end_one_of(user, id).await? {
            Ok(())
        } else {
            Err(Refusal::NotFound.into())
        }
    }

    /// Ends every program of a user but this one; returns how many there were.
    pub async fn end_programs(
        &self,
        user: &UserId,
        but: Option<AuthorizationId>,
    ) -> Result<u64, PortError> {
        let mut ended = 0;
        for device in self.devices(user).await? {
            let authorization = AuthorizationId(device.authorization_id);
            if Some(authorization) != but {
                self.end_device(user, authorization).await?;
                ended += 1;
            }
        }
        Ok(ended)
    }

    /// Ends every place of the caller but the one that asks; returns how many there were.
    pub async fn end_other_places(&self, caller: &Caller) -> Result<u64, Error> {
        let user = &caller.user()?.id;
        let programs = self.end_programs(user, Some(caller.authorization)).await?;
        let own = caller.login.sid.as_deref();
        Ok(programs + self.state.sessions.end_all_but(user, own).await?)
    }
}
