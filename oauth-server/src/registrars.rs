//! Who may register clients at the registration endpoint: nobody, whoever brings an initial access token, or everybody.

use crate::{
    approval,
    config::{Registration, RegistrationMode},
    entity::initial_access_token::{ActiveModel, Column, Entity, Model},
    shell,
    throttle::{self, Subject, Throttle},
};
use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    model::{HashedToken, PlainToken, Timestamp, UserId},
    ports::{Admission, Clock, Random, Registrars},
    seaorm::SeaStore,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
};
use std::{sync::Arc, time::Duration};
use uuid::Builder;

/// How long to wait, in seconds, where too many await approval already.
const CROWDED: u64 = 3600;

/// Admits strangers as the configuration says. Clones share the store.
#[derive(Clone)]
pub struct ServerRegistrars {
    store: SeaStore,
    throttle: Throttle,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    settings: Arc<Registration>,
}

impl ServerRegistrars {
    /// Registrars with these settings.
    pub fn new(
        store: SeaStore,
        throttle: Throttle,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        settings: &Registration,
    ) -> Self {
        Self { store, throttle, clock, random, settings: Arc::new(settings.clone()) }
    }

    /// Makes an initial access token for whoever this administrator, or the operator, vouches for; the plain one is shown
    /// once and stored nowhere. [`administration::invitations`](crate::administration::invitations) writes it down, too.
    pub async fn invite(
        &self,
        by: Option<&UserId>,
        label: &str,
        life: Duration,
    ) -> Result<(Model, PlainToken), PortError> {
        let now = self.clock.now();
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        let token = PlainToken::from_bytes(bytes);
        let mut id = [0; 10];
        self.random.fill(&mut id);
        let millis = now.unix().unsigned_abs().saturating_mul(1000);
        let row = Model {
            id: Builder::from_unix_timestamp_millis(millis, &id).into_uuid().to_string(),
            hash: token.hash().as_bytes().to_vec(),
            label: label.to_owned(),
            created_at: now.unix(),
            expires_at: now.plus(life).unix(),
            made_by: by.map(|user| user.as_str().to_owned()),
        };
        let insert = ActiveModel {
            id: Set(row.id.clone()),
            hash: Set(row.hash.clone()),
            label: Set(row.label.clone()),
            created_at: Set(row.created_at),
            expires_at: Set(row.expires_at),
            made_by: Set(row.made_by.clone()),
        };
        self.store
            .write(move |t| {
                Box::pin(async move {
                    Entity::insert(insert).exec_without_returning(t).await?;
                    Ok(())
                })
            })
            .await?;
        Ok((row, token))
    }

    /// The initial access tokens that still work, oldest first.
    pub async fn invitations(&self) -> Result<Vec<Model>, PortError> {
        let rows = Entity::find()
            .filter(Column::ExpiresAt.gt(self.clock.now().unix()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .all(self.store.database());
        Ok(rows.await?)
    }

    /// Takes an initial access token back, and says which; nothing when there is none of this name.
    pub async fn uninvite(&self, id: &str) -> Result<Option<Model>, PortError> {
        let id = id.to_owned();
        self.store
            .write(move |t| {
                Box::pin(async move {
                    let row = Entity::find_by_id(id.as_str()).one(t).await?;
                    // Of two who take it back at once, one has.
                    let deleted = Entity::delete_by_id(id).exec(t).await?.rows_affected == 1;
                    Ok(row.filter(|_| deleted))
                })
            })
            .await
    }

    /// Deletes at most `limit` tokens that have expired.
    pub async fn sweep(&self, limit: u64) -> Result<u64, PortError> {
        let now = self.clock.now().unix();
        crate::maintenance::delete_expired::<Entity>(
            &self.store,
            Column::Id,
            Column::ExpiresAt,
            now,
            limit,
        )
        .await
    }

    /// Somebody without a token.
    async fn stranger(&self, now: Timestamp) -> Result<Admission, PortError> {
        let settings = &self.settings;
        Ok(match settings.mode {
            RegistrationMode::Open => Admission::Granted {
                owner: None,
                expires_at: Some(now.plus(settings.unused_client_ttl)),
                invitation: None,
            },
            RegistrationMode::Approval => {
                if approval::count(&self.store, now).await? >= settings.most_pending_clients.into()
                {
                    return Ok(Admission::Throttled(CROWDED));
                }
                let expires_at = Some(now.plus(settings.pending_client_ttl));
                Admission::Pending { owner: None, expires_at }
            }
            RegistrationMode::Closed | RegistrationMode::Token => Admission::TokenRequired,
        })
    }

    /// Somebody with a token: registered for good if it is one of ours and works, since somebody vouches for it.
    async fn invited(&self, token: &str, now: Timestamp) -> Result<Admission, PortError> {
        let hash = HashedToken::of(token).as_bytes().to_vec();
        let row = Entity::find()
            .filter(Column::Hash.eq(hash))
            .filter(Column::ExpiresAt.gt(now.unix()))
            .one(self.store.database())
            .await?;
        let Some(row) = row else { return Ok(Admission::TokenRefused) };
        let invitation = match row.made_by {
            Some(user) => format!("{}, made by {user}", row.id),
            None => row.id,
        };
        Ok(Admission::Granted { owner: None, expires_at: None, invitation: Some(invitation) })
    }
}

#[async_trait]
impl Registrars for ServerRegistrars {
    /// Every attempt counts for its address, also one with a token, so that tokens cannot be guessed.
    async fn admit(&self, token: Option<&str>) -> Result<Admission, PortError> {
        if let Some(address) = shell::client_address()
            && let throttle::Admission::Wait(seconds) =
                self.throttle.admit(&Subject::registration(address)).await?
        {
            return Ok(Admission::Throttled(seconds));
        }
        let now = self.clock.now();
        match token {
            Some(token) => self.invited(token, now).await,
            None => self.stranger(now).await,
        }
    }

    fn must_approve_changes(&self) -> bool {
        self.settings.mode == RegistrationMode::Approval
    }
}
