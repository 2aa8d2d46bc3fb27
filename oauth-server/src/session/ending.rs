//! Ending sessions, whatever the reason.
//!
//! An ended session first stops being alive, then the library notes which clients are to be told, and its row goes
//! when nothing can be going on in it any more. Whatever fails or is late in between, the last step makes up for it.

use super::{
    Cookies, Session, Sessions,
    rotation::{forget_replaced, name_behind},
};
use crate::{
    entity::session::{self, Column},
    people::{self, own_client},
    second_factor,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderMap;
use oauth_core::{
    error::{OAuthError, PortError},
    model::{AuthorizationId, HashedToken, Participant, Timestamp, UserId},
    ports::GrantStore as _,
    seaorm::{Work, entity::authorization},
};
use resource_guard::{Revocations as _, session_entry};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _, ExprTrait as _,
    QueryFilter as _, QueryOrder as _, QuerySelect as _, prelude::Uuid, sea_query::Expr,
};

/// Rows per statement, so that it stays below every limit on parameters.
const MOST_ROWS: usize = 500;

/// A session that a browser just ended.
#[derive(Debug)]
pub struct Ended {
    /// What makes the browser forget it.
    pub cookies: Cookies,
    /// The clients that took part in it.
    pub participants: Vec<Participant>,
}

impl Sessions {
    /// Ends the session of a request, if it has one.
    pub async fn end(&self, headers: &HeaderMap) -> Result<Ended, PortError> {
        let mut participants = Vec::new();
        if let Some(hash) = self.presented(headers) {
            let now = self.clock.now();
            let ended = self
                .store
                .write(move |t| Box::pin(async move { Ok(close_behind(t, &hash, now).await?) }))
                .await?;
            participants = self.tell(ended).await;
        }
        Ok(Ended { cookies: Cookies::forget(self.https), participants })
    }

    /// Ends one session of a user, named by [`Session::id`]; false when there is none.
    pub async fn end_one_of(&self, user: &UserId, id: &str) -> Result<bool, PortError> {
        let Ok(hash) = URL_SAFE_NO_PAD.decode(id) else { return Ok(false) };
        let of_user = Column::UserId.eq(user.as_str());
        Ok(self.end_where(Column::Hash.eq(hash).and(of_user)).await?.0 > 0)
    }

    /// Ends a session by the name that clients know it by; returns how many there were: one, or none.
    pub async fn end_named(&self, sid: &str) -> Result<u64, PortError> {
        Ok(self.end_where(Column::Sid.eq(sid)).await?.0)
    }

    /// Ends every session of a user but this one; returns how many there were.
    pub async fn end_others_of(&self, session: &Session) -> Result<u64, PortError> {
        let own = URL_SAFE_NO_PAD.decode(&session.id).map_err(PortError::new)?;
        let of_user = Column::UserId.eq(session.user.id.as_str());
        Ok(self.end_where(of_user.and(Column::Hash.ne(own))).await?.0)
    }

    /// Ends every session of a user but the one that clients know by this name; returns how many there were.
    pub async fn end_all_but(&self, user: &UserId, sid: Option<&str>) -> Result<u64, PortError> {
        let mut which = Column::UserId.eq(user.as_str());
        if let Some(sid) = sid {
            which = which.and(Column::Sid.is_null().or(Column::Sid.ne(sid)));
        }
        Ok(self.end_where(which).await?.0)
    }

    /// Ends every session of a user, on all devices. After a change of password, say.
    pub async fn end_all_of(&self, user: &UserId) -> Result<u64, PortError> {
        Ok(self.end_where(Column::UserId.eq(user.as_str())).await?.0)
    }

    /// Does something that makes every session of a user worthless, such as replacing a forgotten password, and ends them
    /// with every authorization and whatever else was begun in one, all in one transaction; returns how many sessions
    /// there were. Nothing happens, and `None` is returned, when the work finds that it cannot be done.
    pub async fn end_all_after<F>(&self, user: &UserId, work: F) -> Result<Option<u64>, PortError>
    where
        F: for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, bool> + Send + 'static,
    {
        let (now, id) = (self.clock.now(), user.clone());
        let of_user = Column::UserId.eq(user.as_str());
        let ended = self
            .store
            .write(move |t| {
                Box::pin(async move {
                    // Before the row of the user, as whoever uses one up does: else two could wait for each other.
                    second_factor::forget_halves(t, &id).await?;
                    if !work(t).await? {
                        return Ok(None);
                    }
                    people::cut_off(t, &id, now).await?;
                    Ok(Some(close(t, of_user, now).await?))
                })
            })
            .await?;
        let Some(ended) = ended else { return Ok(None) };
        // Once more, for what a session was issued while it was being ended; and before telling, which may take long.
        self.store.revoke_user(user, None, now).await?;
        let count = ended.len() as u64;
        self.tell(ended).await;
        Ok(Some(count))
    }

    /// Deletes at most `limit` sessions that are over, and for so long that no request that was begun in one of them
    /// can still be waiting for a person. Clients that took part and are not yet told will be.
    pub async fn sweep(&self, limit: u64) -> Result<u64, PortError> {
        let before = self.clock.now().minus(self.latecomers).unix();
        let due: Vec<(Vec<u8>, Option<String>)> = session::Entity::find()
            .select_only()
            .columns([Column::Hash, Column::Sid])
            .filter(Column::ExpiresAt.lte(before))
            .order_by_asc(Column::ExpiresAt)
            .limit(limit)
            .into_tuple()
            .all(self.store.database())
            .await?;
        let mut gone = 0;
        for some in due.chunks(MOST_ROWS) {
            for sid in some.iter().filter_map(|(_, sid)| sid.as_deref()) {
                self.end_tokens(sid).await?;
                self.store.end_session(sid, self.clock.now()).await?;
            }
            let hashes: Vec<_> = some.iter().map(|(hash, _)| hash.clone()).collect();
            gone += self
                .store
                .write(move |t| {
                    Box::pin(async move {
                        let these = session::Entity::delete_many()
                            .filter(Column::Hash.is_in(hashes))
                            .filter(Column::ExpiresAt.lte(before));
                        Ok(these.exec(t).await?.rows_affected)
                    })
                })
                .await?;
        }
        Ok(gone + self.sweep_rotated(limit).await?)
    }

    /// Ends the sessions that are meant; returns how many there were, and who took part in them.
    pub(super) async fn end_where(
        &self,
        which: Expr,
    ) -> Result<(u64, Vec<Participant>), PortError> {
        let now = self.clock.now();
        let ended = self
            .store
            .write(move |t| Box::pin(async move { Ok(close(t, which, now).await?) }))
            .await?;
        Ok((ended.len() as u64, self.tell(ended).await))
    }

    /// Has the clients of ended sessions told. The sessions have ended even if that fails now; then the sweep does it.
    pub(super) async fn tell(&self, ended: Vec<Option<String>>) -> Vec<Participant> {
        let mut participants = Vec::new();
        for sid in ended.into_iter().flatten() {
            if let Err(e) = self.end_tokens(&sid).await {
                let causes = OAuthError::from(e).causes();
                tracing::error!(causes, "tokens of a session that ended are not revoked yet");
            }
            match self.store.end_session(&sid, self.clock.now()).await {
                Ok(some) => participants.extend(some),
                Err(e) => {
                    let causes = OAuthError::from(e).causes();
                    tracing::error!(causes, "clients cannot be told yet that a session ended");
                }
            }
        }
        participants
    }
}

impl Sessions {
    /// Revokes what the server itself issued in a session, where it does: the authorizations, and for those who check
    /// tokens on their own, whatever has the name of the session in it.
    async fn end_tokens(&self, sid: &str) -> Result<(), PortError> {
        let Some(longest) = self.tokens else { return Ok(()) };
        let now = self.clock.now();
        let (entry, until) = (session_entry(sid), now.plus(longest));
        self.revocations.revoke(&entry, until).await?;
        let issued: Vec<Uuid> = authorization::Entity::find()
            .select_only()
            .column(authorization::Column::Id)
            .filter(authorization::Column::Sid.eq(sid))
            .filter(authorization::Column::ClientId.eq(own_client::ID))
            .filter(authorization::Column::RevokedAt.is_null())
            .into_tuple()
            .all(self.store.database())
            .await?;
        for id in issued {
            self.store.revoke(AuthorizationId(id), now).await?;
        }
        Ok(())
    }
}

/// Ends the session of a cookie, also when that was replaced by another: a browser may sign out with the one while it is
/// being given the other. Either this finds the new one in place, or what puts it there finds the session over.
async fn close_behind(
    t: &DatabaseTransaction,
    hash: &HashedToken,
    now: Timestamp,
) -> Result<Vec<Option<String>>, DbErr> {
    let ended = close(t, Column::Hash.eq(hash.as_bytes().to_vec()), now).await?;
    if !ended.is_empty() {
        return Ok(ended);
    }
    match name_behind(t, hash).await? {
        Some(sid) => close(t, Column::Sid.eq(sid), now).await,
        None => Ok(ended),
    }
}

/// Ends the living sessions that are meant, and returns what clients know each of them by.
pub(super) async fn close(
    t: &DatabaseTransaction,
    which: Expr,
    now: Timestamp,
) -> Result<Vec<Option<String>>, DbErr> {
    let found: Vec<(Vec<u8>, Option<String>)> = session::Entity::find()
        .select_only()
        .columns([Column::Hash, Column::Sid])
        .filter(which)
        .filter(Column::ExpiresAt.gt(now.unix()))
        .order_by_asc(Column::Hash)
        .lock_exclusive()
        .into_tuple()
        .all(t)
        .await?;
    for some in found.chunks(MOST_ROWS) {
        session::Entity::update_many()
            .col_expr(Column::ExpiresAt, Expr::value(now.unix()))
            .filter(Column::Hash.is_in(some.iter().map(|(hash, _)| hash.clone())))
            .exec(t)
            .await?;
    }
    Ok(found.into_iter().map(|(_, sid)| sid).collect())
}

/// What becomes of the session that a browser has when somebody signs in there.
pub(super) enum Former {
    /// There is none, or it is over.
    Nothing,
    /// The same person goes on in it, with another cookie.
    GoesOn(Option<String>),
    /// It was somebody else's, and is over now.
    Ended(Option<String>),
}

/// Ends the session behind a cookie, in favour of a new one of this user.
pub(super) async fn supersede(
    t: &DatabaseTransaction,
    old: HashedToken,
    user: &UserId,
    now: Timestamp,
) -> Result<Former, DbErr> {
    let living = |which: Expr| {
        let alive = Column::ExpiresAt.gt(now.unix());
        session::Entity::find().filter(which).filter(alive).lock_exclusive()
    };
    let mut found = living(Column::Hash.eq(old.as_bytes().to_vec())).one(t).await?;
    if found.is_none()
        && let Some(sid) = name_behind(t, &old).await?
    {
        // Its cookie was replaced meanwhile.
        found = living(Column::Sid.eq(sid)).one(t).await?;
    }
    let Some(found) = found else { return Ok(Former::Nothing) };
    let hash = found.hash.clone();
    if found.user_id == user.as_str() {
        // Of two who do so at once only one deletes the row, so no two sessions are known by the same name.
        if session::Entity::delete_by_id(hash).exec(t).await?.rows_affected != 1 {
            return Ok(Former::Nothing);
        }
        // What stood for the session before this sign-in does not stand for the one that begins with it.
        if let Some(sid) = &found.sid {
            forget_replaced(t, sid).await?;
        }
        return Ok(Former::GoesOn(found.sid));
    }
    let ended = close(t, Column::Hash.eq(hash), now).await?;
    Ok(ended.into_iter().next().map_or(Former::Nothing, Former::Ended))
}
