//! Everything that is issued and expires.

use super::{
    SeaStore, clients, commit, cutoff,
    entity::{
        auth_code, authorization, consent, hash_bytes, logout_notice, pending_authorization, seen,
        token,
    },
    only::Only,
    sessions,
};
use crate::{
    error::PortError,
    model::{
        AuthCode, Authorization, AuthorizationId, ClientId, Committed, Consent, Epoch, HashedToken,
        Issuance, LogoutNotice, Participant, PendingAuthorization, Timestamp, Token, UserId,
    },
    ports::GrantStore,
};
use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, DbErr, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder,
    prelude::Uuid,
    sea_query::{Expr, Query, SelectStatement},
};

#[async_trait]
impl GrantStore for SeaStore {
    async fn code(&self, hash: &HashedToken) -> Result<Option<AuthCode>, PortError> {
        let found = auth_code::Entity::find_by_id(hash_bytes(hash))
            .find_also_related(authorization::Entity)
            .only(&self.reader)
            .await?;
        let Some((code, Some(parent))) = found else {
            return Ok(None);
        };
        AuthCode::try_from((code, parent)).map(Some)
    }

    async fn token(&self, hash: &HashedToken) -> Result<Option<Token>, PortError> {
        self.tokens.find(hash).await?.map(Token::try_from).transpose()
    }

    async fn suspend(
        &self,
        interaction: HashedToken,
        pending: PendingAuthorization,
    ) -> Result<(), PortError> {
        let row = pending_authorization::ActiveModel::new_row(&interaction, &pending);
        self.writer.execute(pending_authorization::Entity::insert(row)).await?;
        Ok(())
    }

    async fn pending(
        &self,
        interaction: &HashedToken,
    ) -> Result<Option<PendingAuthorization>, PortError> {
        let row = pending_authorization::Entity::find_by_id(hash_bytes(interaction))
            .only(&self.reader)
            .await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn commit(&self, issuance: Issuance) -> Result<Committed, PortError> {
        self.writer.commit(issuance).await
    }

    async fn revoke(&self, id: AuthorizationId, at: Timestamp) -> Result<(), PortError> {
        self.writer.execute(commit::revocation(id, at)).await?;
        Ok(())
    }

    async fn revoke_token(&self, hash: &HashedToken, at: Timestamp) -> Result<(), PortError> {
        let update = token::Entity::update_many()
            .col_expr(token::Column::RevokedAt, Expr::value(at.unix()))
            .filter(token::Column::Hash.eq(hash_bytes(hash)))
            .filter(token::Column::RevokedAt.is_null());
        self.writer.execute(update).await?;
        Ok(())
    }

    async fn epoch(&self) -> Result<Epoch, PortError> {
        Ok(cutoff::newest(&self.reader).await?)
    }

    async fn revoke_user(
        &self,
        user: &UserId,
        client: Option<&ClientId>,
        at: Timestamp,
    ) -> Result<(), PortError> {
        let (user, client) = (user.clone(), client.cloned());
        self.write(move |on| {
            Box::pin(async move { Ok(revoke_user(on, &user, client.as_ref(), at).await?) })
        })
        .await
    }

    async fn authorizations(
        &self,
        user: &UserId,
        now: Timestamp,
    ) -> Result<Vec<Authorization>, PortError> {
        let rows = authorization::Entity::find()
            .filter(authorization::Column::UserId.eq(user.as_str()))
            .filter(authorization::Column::RevokedAt.is_null())
            .filter(
                Condition::any()
                    .add(Expr::exists(live_tokens(now)))
                    .add(Expr::exists(live_codes(now))),
            )
            .order_by_desc(authorization::Column::CreatedAt)
            .order_by_desc(authorization::Column::Id)
            .all(&self.reader)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn consent(
        &self,
        user: &UserId,
        client: &ClientId,
    ) -> Result<Option<Consent>, PortError> {
        let key = (user.as_str().to_owned(), client.as_str().to_owned());
        let row = consent::Entity::find_by_id(key).only(&self.reader).await?;
        row.map(TryInto::try_into).transpose()
    }

    async fn consents(&self, user: &UserId) -> Result<Vec<Consent>, PortError> {
        let rows = consent::Entity::find()
            .filter(consent::Column::UserId.eq(user.as_str()))
            .order_by_asc(consent::Column::ClientId)
            .all(&self.reader)
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn see(
        &self,
        kind: &str,
        key: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, PortError> {
        let insert = seen::Entity::insert(seen::ActiveModel::new_row(kind, key, until))
            .on_conflict_do_nothing();
        if self.writer.execute(insert).await? == 1 {
            return Ok(true);
        }
        let renew = seen::Entity::update_many()
            .col_expr(seen::Column::ExpiresAt, Expr::value(until.unix()))
            .filter(seen::Column::Hash.eq(seen::mark(kind, key)))
            .filter(seen::Column::ExpiresAt.lte(now.unix()));
        Ok(self.writer.execute(renew).await? == 1)
    }

    async fn seen(&self, kind: &str, key: &str, now: Timestamp) -> Result<bool, PortError> {
        let row = seen::Entity::find_by_id(seen::mark(kind, key)).only(&self.reader).await?;
        Ok(row.is_some_and(|row| row.expires_at > now.unix()))
    }

    async fn end_session(&self, sid: &str, at: Timestamp) -> Result<Vec<Participant>, PortError> {
        if !clients::is_text(sid) {
            return Ok(Vec::new());
        }
        let sid = sid.to_owned();
        self.write(move |on| Box::pin(async move { sessions::end(on, &sid, at).await })).await
    }

    async fn due_logouts(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u64,
    ) -> Result<Vec<LogoutNotice>, PortError> {
        self.write(move |on| Box::pin(sessions::take_due(on, now, lease, limit))).await
    }

    async fn settle_logout(&self, id: Uuid, retry_at: Option<Timestamp>) -> Result<(), PortError> {
        use logout_notice::Column;
        let Some(retry_at) = retry_at else {
            let delete = logout_notice::Entity::delete_many().filter(Column::Id.eq(id));
            self.writer.execute(delete).await?;
            return Ok(());
        };
        let retry = logout_notice::Entity::update_many()
            .col_expr(Column::DueAt, Expr::value(retry_at.unix()))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::Id.eq(id));
        self.writer.execute(retry).await?;
        Ok(())
    }

    async fn sweep(&self, now: Timestamp, limit: u64) -> Result<u64, PortError> {
        self.sweep_all(now, limit).await
    }
}

/// Revokes the authorizations of a user, or those of one client, and forgets the consents.
pub(super) async fn revoke_user(
    on: &DatabaseTransaction,
    user: &UserId,
    client: Option<&ClientId>,
    at: Timestamp,
) -> Result<(), DbErr> {
    cutoff::begin_epoch(on, user).await?;
    let mine = Condition::all()
        .add(authorization::Column::UserId.eq(user.as_str()))
        .add_option(client.map(|c| authorization::Column::ClientId.eq(c.as_str())))
        .add(authorization::Column::RevokedAt.is_null());
    commit::hold_all(on, mine.clone()).await?;
    authorization::Entity::update_many()
        .col_expr(authorization::Column::RevokedAt, Expr::value(at.unix()))
        .filter(mine)
        .exec(on)
        .await?;
    consent::Entity::delete_many()
        .filter(consent::Column::UserId.eq(user.as_str()))
        .filter(
            Condition::all().add_option(client.map(|c| consent::Column::ClientId.eq(c.as_str()))),
        )
        .exec(on)
        .await?;
    Ok(())
}

fn live_tokens(now: Timestamp) -> SelectStatement {
    Query::select()
        .expr(Expr::value(1))
        .from(token::Entity)
        .and_where(child_of(token::Column::AuthorizationId))
        .and_where(token::Column::ExpiresAt.gt(now.unix()))
        .and_where(token::Column::ConsumedAt.is_null())
        .and_where(token::Column::RevokedAt.is_null())
        .take()
}

fn live_codes(now: Timestamp) -> SelectStatement {
    Query::select()
        .expr(Expr::value(1))
        .from(auth_code::Entity)
        .and_where(child_of(auth_code::Column::AuthorizationId))
        .and_where(auth_code::Column::ExpiresAt.gt(now.unix()))
        .and_where(auth_code::Column::ConsumedAt.is_null())
        .take()
}

fn child_of(column: impl ColumnTrait) -> Expr {
    let parent = (authorization::Entity, authorization::Column::Id);
    Expr::col(column.as_column_ref()).equals(parent)
}
