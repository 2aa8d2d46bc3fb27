//! Clients that registered themselves and await approval: nothing acts for them before an administrator has said yes.
//!
//! A client and the row that says it awaits approval are written in one transaction, and one statement decides between
//! two administrators who answer at the same moment.

use crate::{
    config::Config,
    entity::pending_client::{ActiveModel, Column, Entity, Model},
    shell,
    state::AppState,
};
use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    model::{Client, ClientId, Timestamp, UserId},
    ports::{ClientStore, Clock},
    seaorm::{SeaStore, entity::client},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _, PaginatorTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::{Expr, OnConflict},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The clients of the database, without those that await approval.
#[derive(Clone)]
pub struct ApprovedClients {
    store: SeaStore,
    clock: Arc<dyn Clock>,
    ttl: Duration,
}

impl ApprovedClients {
    /// Over this store; whoever nobody approves of is forgotten when the configuration says.
    pub fn new(store: SeaStore, clock: Arc<dyn Clock>, config: &Config) -> Self {
        Self { store, clock, ttl: config.registration.pending_client_ttl }
    }

    fn question(&self, client: &Client, now: Timestamp) -> ActiveModel {
        ActiveModel {
            client_id: Set(client.id.as_str().to_owned()),
            asked_at: Set(now.unix()),
            expires_at: Set(now.plus(self.ttl).unix()),
            address: Set(shell::client_address().map(|address| address.0.to_string())),
        }
    }
}

/// Whether the client awaits approval.
async fn is_pending(store: &SeaStore, id: &ClientId) -> Result<bool, PortError> {
    Ok(Entity::find_by_id(id.as_str()).one(store.database()).await?.is_some())
}

#[async_trait]
impl ClientStore for ApprovedClients {
    async fn client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError> {
        let client = self.store.client(id).await?;
        // Asked after the client was read: the row is there as long as nobody has approved of it.
        match client {
            Some(client) if client.registration_token.is_some() => {
                Ok((!is_pending(&self.store, id).await?).then_some(client))
            }
            other => Ok(other),
        }
    }

    async fn current_client(&self, id: &ClientId) -> Result<Option<Arc<Client>>, PortError> {
        self.store.client(id).await
    }

    async fn clients_of(&self, owner: &UserId) -> Result<Vec<Client>, PortError> {
        self.store.clients_of(owner).await
    }

    async fn insert_client(&self, client: Client) -> Result<bool, PortError> {
        self.store.insert_client(client).await
    }

    async fn insert_pending_client(&self, client: Client) -> Result<bool, PortError> {
        let question = self.question(&client, self.clock.now());
        self.store
            .write(move |t| {
                Box::pin(async move {
                    Entity::insert(question).exec_without_returning(t).await?;
                    client::Entity::insert(client::ActiveModel::from(&client))
                        .exec_without_returning(t)
                        .await?;
                    Ok(true)
                })
            })
            .await
    }

    async fn replace_client(&self, client: Client) -> Result<bool, PortError> {
        self.store.replace_client(client).await
    }

    async fn replace_unchanged_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError> {
        // Whoever looked at the question is not to answer another one, though nobody has to ask any more.
        if !client.is_as(before) && is_pending(&self.store, &client.id).await? {
            return self.replace_pending_client(client, before).await;
        }
        self.store.replace_unchanged_client(client, before).await
    }

    async fn replace_pending_client(
        &self,
        client: Client,
        before: &Client,
    ) -> Result<bool, PortError> {
        let now = self.clock.now();
        let question = self.question(&client, now);
        let before = before.clone();
        self.store
            .write(move |t| {
                Box::pin(async move {
                    Ok(is_still(t, &before).await?
                        && replace_and_ask(t, client, question, now).await?)
                })
            })
            .await
    }

    async fn remove_client(&self, id: &ClientId) -> Result<bool, PortError> {
        self.store.remove_client(id).await
    }

    async fn keep_client(&self, id: &ClientId) -> Result<bool, PortError> {
        self.store.keep_client(id).await
    }
}

/// Locks the question and then the client, as whoever answers does; whether the client is as it was.
async fn is_still(t: &DatabaseTransaction, before: &Client) -> Result<bool, PortError> {
    let id = before.id.as_str();
    Entity::find_by_id(id).lock_exclusive().one(t).await?;
    let row = client::Entity::find_by_id(id).lock_exclusive().one(t).await?;
    let stored: Option<Client> = row.map(TryInto::try_into).transpose()?;
    Ok(stored.is_some_and(|stored| stored.is_as(before)))
}

async fn replace_and_ask(
    t: &DatabaseTransaction,
    client: Client,
    question: ActiveModel,
    now: Timestamp,
) -> Result<bool, PortError> {
    // Two questions of one second have two times: whoever looked at the first does not answer the second.
    let asked = || Expr::col((Entity, Column::AskedAt));
    let later = Expr::case(asked().lt(now.unix()), now.unix()).finally(asked().add(1));
    let again = OnConflict::column(Column::ClientId)
        .value(Column::AskedAt, later)
        .update_columns([Column::ExpiresAt, Column::Address])
        .to_owned();
    Entity::insert(question).on_conflict(again).exec_without_returning(t).await?;
    // What it may keep for good it keeps; whether it is kept at all is decided with the approval.
    let row = client::ActiveModel {
        expires_at: sea_orm::ActiveValue::NotSet,
        ..client::ActiveModel::from(&client)
    };
    let replaced = client::Entity::update_many()
        .set(row)
        .filter(client::Column::Id.eq(client.id.as_str()))
        .exec(t)
        .await?;
    Ok(replaced.rows_affected == 1)
}

/// A client that awaits approval, and what is known of the question.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The client as it describes itself.
    pub client: Client,
    /// When it asked: later with each question while it waits, so that it also says which question this is.
    pub asked_at: Timestamp,
    /// When the question is over.
    pub expires_at: Timestamp,
    /// From where, if that is known.
    pub address: Option<String>,
}

impl Pending {
    /// All that whoever answers should know, with times as they are written where it is read.
    pub fn described(&self, time: impl Fn(Timestamp) -> Value) -> Value {
        let client = &self.client;
        let text = |(name, text): (&String, &String)| json!({ "name": name, "text": text });
        json!({
            "client_id": client.id.as_str(),
            "client_name": client.name,
            "client_uri": client.uri,
            "texts": client.metadata.texts.iter().map(text).collect::<Vec<_>>(),
            "scope": client.scope.to_string(),
            "grant_types": client.grant_types,
            "redirect_uris": client.redirect_uris,
            "token_endpoint_auth_method": client.auth.method(),
            "asked_at": time(self.asked_at),
            "expires_at": time(self.expires_at),
            "address": self.address,
        })
    }
}

/// How many clients await approval.
pub async fn count(store: &SeaStore, now: Timestamp) -> Result<u64, PortError> {
    let waiting = Entity::find().filter(Column::ExpiresAt.gt(now.unix()));
    Ok(waiting.count(store.database()).await?)
}

/// The clients that await approval, the oldest question first, at most so many.
pub async fn list(state: &AppState, most: u64) -> Result<Vec<Pending>, PortError> {
    let rows = Entity::find()
        .filter(Column::ExpiresAt.gt(state.now().unix()))
        .order_by_asc(Column::AskedAt)
        .order_by_asc(Column::ClientId)
        .limit(most)
        .all(state.store.database())
        .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.extend(pending(state, row).await?);
    }
    Ok(all)
}

/// The client of this id, if it awaits approval.
pub async fn find(state: &AppState, id: &ClientId) -> Result<Option<Pending>, PortError> {
    if id.as_str().contains('\0') {
        return Ok(None);
    }
    let row = Entity::find_by_id(id.as_str())
        .filter(Column::ExpiresAt.gt(state.now().unix()))
        .one(state.store.database())
        .await?;
    match row {
        Some(row) => pending(state, row).await,
        None => Ok(None),
    }
}

async fn pending(state: &AppState, row: Model) -> Result<Option<Pending>, PortError> {
    let client = state.store.client(&ClientId::new(row.client_id)).await?;
    Ok(client.map(|client| Pending {
        client: (*client).clone(),
        asked_at: Timestamp::from_unix(row.asked_at),
        expires_at: Timestamp::from_unix(row.expires_at),
        address: row.address,
    }))
}

/// What an administrator says to a client that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It may act.
    Approve,
    /// It is removed.
    Refuse,
}

/// Answers; false when there is no such question, or somebody else has answered it. `asked_at` is the question that was
/// looked at: a client that has changed itself meanwhile asks another one. Times have whole seconds, so an answer that
/// comes twice could meet a client that was approved of, changed itself and asked again within the second it first asked.
pub async fn answer(
    state: &AppState,
    id: &ClientId,
    asked_at: Timestamp,
    answer: Answer,
) -> Result<bool, PortError> {
    let (name, now) = (id.as_str().to_owned(), state.now().unix());
    let answered = state
        .store
        .write(move |t| {
            Box::pin(async move {
                let question = Entity::delete_many()
                    .filter(Column::ClientId.eq(name.as_str()))
                    .filter(Column::AskedAt.eq(asked_at.unix()))
                    .filter(Column::ExpiresAt.gt(now))
                    .exec(t)
                    .await?;
                if question.rows_affected != 1 {
                    return Ok(false);
                }
                let is_it = client::Column::Id.eq(name.as_str());
                match answer {
                    Answer::Approve => {
                        client::Entity::update_many()
                            .col_expr(client::Column::ExpiresAt, Expr::value(None::<i64>))
                            .filter(is_it)
                            .exec(t)
                            .await?;
                    }
                    Answer::Refuse => {
                        client::Entity::delete_many().filter(is_it).exec(t).await?;
                    }
                }
                Ok(true)
            })
        })
        .await?;
    let clients = &state.provider.env().clients;
    if answered && answer == Answer::Refuse {
        // What it may have had before it changed itself goes, too.
        clients.remove_client(id).await?;
    } else if answered {
        clients.keep_client(id).await?;
    }
    Ok(answered)
}

/// Deletes at most `limit` questions whose time is over, together with the clients that asked.
pub async fn sweep(state: &AppState, limit: u64) -> Result<u64, PortError> {
    let now = state.now().unix();
    let over = Entity::find()
        .filter(Column::ExpiresAt.lte(now))
        .limit(limit)
        .all(state.store.database())
        .await?;
    let mut gone = 0;
    for row in over {
        // The client first: a row without a client asks nothing, a client without a row could act.
        state.provider.env().clients.remove_client(&ClientId::new(row.client_id.as_str())).await?;
        let deleted = Entity::delete_many()
            .filter(Column::ClientId.eq(row.client_id))
            .filter(Column::ExpiresAt.lte(now));
        gone += state
            .store
            .write(move |t| Box::pin(async move { Ok(deleted.exec(t).await?.rows_affected) }))
            .await?;
    }
    Ok(gone)
}
