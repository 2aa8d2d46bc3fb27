//! Another cookie for a session, and what becomes of the old one.
//!
//! The old cookie is remembered for a week, or until the session is over. For a few moments it still stands for the session, since
//! other tabs of the browser have requests under way with it, and whoever renews with it is given the same new cookie
//! again: that one is kept sealed under the old. After that, nobody who plays by the rules has it, so the session ends.

use super::{Cookies, Session, Sessions, cookies};
use crate::entity::{
    rotated_session::{self as rotated, ActiveModel, Column as Rotated, Entity as RotatedSession},
    session::{self, Column},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::HeaderMap;
use oauth_core::{
    error::PortError,
    jose::Sealer,
    model::{HashedToken, PlainToken, Timestamp, UserId},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, DbErr, EntityTrait as _,
    QueryFilter as _, QuerySelect as _, sea_query::Expr,
};
use std::time::Duration;
use zeroize::Zeroizing;

const PURPOSE: &[u8] = b"oauth-server: cookie that replaced another";
/// For how long a cookie that was replaced is remembered at most. One that comes back later is nobody's, and ends nothing.
const REMEMBERED: Duration = Duration::from_hours(7 * 24);
/// How many replacements within the moments of grace are followed. Nobody renews more often.
const MOST_STEPS: usize = 16;

/// A session with its new cookie.
#[derive(Debug)]
pub struct Renewed {
    /// The session.
    pub session: Session,
    /// What its browser is to keep.
    pub cookies: Cookies,
}

/// The cookie that is to replace another.
struct Successor {
    secret: Zeroizing<String>,
    hash: Vec<u8>,
    sealed: Vec<u8>,
    /// A name for the session, should it have none.
    sid: String,
}

impl Sessions {
    /// Replaces the cookie of the session of a request; nothing when there is no such session. Of several at once with
    /// the same cookie, all get the same new one.
    pub async fn renew(&self, headers: &HeaderMap) -> Result<Option<Renewed>, PortError> {
        let Some(presented) = cookies::secret(headers, self.https) else { return Ok(None) };
        let now = self.clock.now();
        let successor = self.successor(presented);
        let secret = successor.secret.clone();
        let replaced = self.replace(HashedToken::of(presented), successor, now).await?;
        let found = match replaced {
            Some(row) => Some((row, secret)),
            None => self.follow(presented, now).await?,
        };
        let Some((row, secret)) = found else { return Ok(None) };
        let Some(user) = self.users.user(&UserId::new(row.user_id.clone())).await? else {
            return Ok(None);
        };
        let sid = row.sid.clone().unwrap_or_default();
        let cookies = Cookies::begin(self.https, &secret, &sid);
        let session = Session::of(row, user);
        let is_enough = self.demands.are_met(&session.login).await?;
        Ok(is_enough.then_some(Renewed { session, cookies }))
    }

    fn successor(&self, presented: &str) -> Successor {
        let (mut bytes, mut name) = ([0; 32], [0; 16]);
        self.random.fill(&mut bytes);
        self.random.fill(&mut name);
        let secret = Zeroizing::new(PlainToken::from_bytes(bytes).reveal());
        let sealer = Sealer::derived(presented.as_bytes(), PURPOSE);
        Successor {
            hash: HashedToken::of(&secret).as_bytes().to_vec(),
            sealed: sealer.seal(PURPOSE, secret.as_bytes(), &*self.random),
            sid: URL_SAFE_NO_PAD.encode(name),
            secret,
        }
    }

    /// Puts the new cookie in place of the old one, if that one is still in place. One statement decides between rivals.
    async fn replace(
        &self,
        old: HashedToken,
        new: Successor,
        now: Timestamp,
    ) -> Result<Option<session::Model>, PortError> {
        let (idle, max_age) = (self.idle, self.max_age);
        let old = old.as_bytes().to_vec();
        self.store
            .write(move |t| {
                Box::pin(async move {
                    let living = session::Entity::find_by_id(old.clone())
                        .filter(Column::ExpiresAt.gt(now.unix()))
                        .lock_exclusive()
                        .one(t)
                        .await?;
                    let Some(mut row) = living else { return Ok(None) };
                    let last = Timestamp::from_unix(row.created_at).plus(max_age);
                    row.expires_at = now.plus(idle).min(last).unix();
                    row.last_seen_at = now.unix();
                    row.hash = new.hash;
                    let sid = row.sid.get_or_insert(new.sid).clone();
                    let replaced = session::Entity::update_many()
                        .col_expr(Column::Hash, Expr::value(row.hash.clone()))
                        .col_expr(Column::LastSeenAt, Expr::value(row.last_seen_at))
                        .col_expr(Column::ExpiresAt, Expr::value(row.expires_at))
                        .col_expr(Column::Sid, Expr::value(sid.clone()))
                        .filter(Column::Hash.eq(old.clone()))
                        .filter(Column::ExpiresAt.gt(now.unix()))
                        .exec(t)
                        .await?;
                    if replaced.rows_affected != 1 {
                        return Ok(None);
                    }
                    let former = ActiveModel {
                        hash: Set(old),
                        sid: Set(sid),
                        sealed: Set(new.sealed),
                        rotated_at: Set(now.unix()),
                        expires_at: Set(last.min(now.plus(REMEMBERED)).unix()),
                    };
                    RotatedSession::insert(former).exec_without_returning(t).await?;
                    Ok(Some(row))
                })
            })
            .await
    }

    /// From a cookie that was replaced to the one that is in place now, through however many that came between.
    async fn follow(
        &self,
        presented: &str,
        now: Timestamp,
    ) -> Result<Option<(session::Model, Zeroizing<String>)>, PortError> {
        let mut secret = Zeroizing::new(presented.to_owned());
        for _ in 0..MOST_STEPS {
            let hash = HashedToken::of(&secret).as_bytes().to_vec();
            let Some(former) = self.still_good(hash, now).await? else { return Ok(None) };
            let opened = Sealer::derived(secret.as_bytes(), PURPOSE)
                .open(PURPOSE, &former.sealed)
                .map_err(PortError::new)?;
            let next = std::str::from_utf8(&opened).map_err(PortError::new)?;
            secret = Zeroizing::new(next.to_owned());
            let hash = HashedToken::of(&secret).as_bytes().to_vec();
            let living = session::Entity::find_by_id(hash)
                .filter(Column::ExpiresAt.gt(now.unix()))
                .one(self.store.database())
                .await?;
            if let Some(row) = living {
                return Ok(Some((row, secret)));
            }
        }
        Ok(None)
    }

    /// The session behind a cookie that was replaced a moment ago.
    pub(super) async fn former(
        &self,
        hash: HashedToken,
        now: Timestamp,
    ) -> Result<Option<session::Model>, PortError> {
        let hash = hash.as_bytes().to_vec();
        let Some(former) = self.still_good(hash, now).await? else { return Ok(None) };
        let living = session::Entity::find()
            .filter(Column::Sid.eq(former.sid))
            .filter(Column::ExpiresAt.gt(now.unix()));
        Ok(living.one(self.store.database()).await?)
    }

    /// A cookie that was replaced a moment ago. If it was longer ago somebody has it who should not: the session ends.
    async fn still_good(
        &self,
        hash: Vec<u8>,
        now: Timestamp,
    ) -> Result<Option<rotated::Model>, PortError> {
        let found = RotatedSession::find_by_id(hash).one(self.store.database()).await?;
        let Some(former) = found else { return Ok(None) };
        if now < Timestamp::from_unix(former.rotated_at).plus(self.grace) {
            return Ok(Some(former));
        }
        if self.end_where(Column::Sid.eq(former.sid)).await?.0 > 0 {
            tracing::warn!("a session cookie came back after it was replaced; the session is over");
        }
        Ok(None)
    }

    /// Deletes at most `limit` replaced cookies of sessions that are over.
    pub(super) async fn sweep_rotated(&self, limit: u64) -> Result<u64, PortError> {
        let now = self.clock.now().unix();
        let (key, expires) = (Rotated::Hash, Rotated::ExpiresAt);
        crate::maintenance::delete_expired::<RotatedSession>(&self.store, key, expires, now, limit)
            .await
    }
}

/// Forgets the cookies that were replaced in a session. From now on they are nobody's.
pub(super) async fn forget_replaced(t: &DatabaseTransaction, sid: &str) -> Result<(), DbErr> {
    RotatedSession::delete_many().filter(Rotated::Sid.eq(sid)).exec(t).await?;
    Ok(())
}

/// The session that a cookie stood for when it was replaced, by the name that it keeps.
pub(super) async fn name_behind(
    t: &DatabaseTransaction,
    hash: &HashedToken,
) -> Result<Option<String>, DbErr> {
    let found = RotatedSession::find_by_id(hash.as_bytes().to_vec()).one(t).await?;
    Ok(found.map(|former| former.sid))
}
