//! Half sign-ins: the first factor was passed, the second is asked for.

use super::SecondFactor;
use crate::{
    entity::half_sign_in::{ActiveModel, Column, Entity},
    maintenance::delete_expired,
    sign_in::StoredPassword,
};
use http::{HeaderMap, HeaderValue};
use oauth_core::{
    error::PortError,
    http::cookie,
    model::{HashedToken, PlainToken, Timestamp, UserId},
    seaorm::entity::user,
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QuerySelect as _,
    Set,
};
use std::time::Duration;

/// How long somebody may take for the second factor.
const PATIENCE: Duration = Duration::from_mins(5);
/// Characters of 256 bits in base64url.
const LENGTH: usize = 43;
const PLAIN: &str = "oauth_half";
const SECURE: &str = "__Host-oauth_half";

/// Somebody who passed a first factor.
pub struct FirstFactor {
    /// Who.
    pub user: UserId,
    /// How ([RFC 8176](https://www.rfc-editor.org/rfc/rfc8176)).
    pub amr: Vec<String>,
    /// When.
    pub at: Timestamp,
    /// What was stored of the password, where it was a password.
    pub password: Option<StoredPassword>,
}

/// A half sign-in that is still good.
#[derive(Clone, Debug)]
pub struct Half {
    /// Who passed the first factor.
    pub user: UserId,
    /// How.
    pub amr: Vec<String>,
    /// When.
    pub at: Timestamp,
    hash: HashedToken,
    password: Option<Vec<u8>>,
}

impl SecondFactor {
    /// Keeps a first factor for a few minutes; what the browser is to keep.
    pub async fn suspend(&self, first: FirstFactor) -> Result<HeaderValue, PortError> {
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        let secret = PlainToken::from_bytes(bytes);
        let password = first.password.as_ref().and_then(StoredPassword::fingerprint);
        let row = ActiveModel {
            hash: Set(secret.hash().as_bytes().to_vec()),
            user_id: Set(first.user.as_str().to_owned()),
            amr: Set(first.amr.join(" ")),
            password: Set(password.map(|hash| hash.as_bytes().to_vec())),
            login_at: Set(first.at.unix()),
            expires_at: Set(self.now().plus(PATIENCE).unix()),
        };
        self.store
            .write(move |t| {
                Box::pin(async move {
                    Entity::insert(row).exec_without_returning(t).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(self.cookie(&secret.reveal(), PATIENCE.as_secs()))
    }

    /// The half sign-in of a request, if its browser has one that is still good.
    pub async fn half(&self, headers: &HeaderMap) -> Result<Option<Half>, PortError> {
        let Some(value) = cookie(headers, self.name()).filter(|value| {
            value.len() == LENGTH
                && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        }) else {
            return Ok(None);
        };
        let hash = HashedToken::of(value);
        let row = Entity::find_by_id(hash.as_bytes().to_vec())
            .filter(Column::ExpiresAt.gt(self.now().unix()))
            .one(self.store.database())
            .await?;
        Ok(row.map(|row| Half {
            user: UserId::new(row.user_id),
            amr: row.amr.split_ascii_whitespace().map(str::to_owned).collect(),
            at: Timestamp::from_unix(row.login_at),
            hash,
            password: row.password,
        }))
    }

    /// Tells the browser to forget a half sign-in.
    pub fn forget(&self) -> HeaderValue {
        self.cookie("", 0)
    }

    /// Deletes at most `limit` half sign-ins whose time is over.
    pub async fn sweep(&self, limit: u64) -> Result<u64, PortError> {
        let now = self.now().unix();
        delete_expired::<Entity>(&self.store, Column::Hash, Column::ExpiresAt, now, limit).await
    }

    const fn name(&self) -> &'static str {
        if self.https { SECURE } else { PLAIN }
    }

    fn cookie(&self, value: &str, seconds: u64) -> HeaderValue {
        let name = self.name();
        let secure = if self.https { "; Secure" } else { "" };
        let text =
            format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}");
        HeaderValue::from_str(&text).expect("base64url may stand in a header")
    }
}

/// Ends what the user has begun and not finished, in the transaction of what makes it worthless.
pub async fn forget_halves(t: &DatabaseTransaction, user: &UserId) -> Result<(), PortError> {
    Entity::delete_many().filter(Column::UserId.eq(user.as_str())).exec(t).await?;
    Ok(())
}

impl Half {
    /// What it is stored under: the hash of what its browser keeps.
    pub(super) const fn hash(&self) -> &HashedToken {
        &self.hash
    }

    /// Uses it up, in the transaction of the session that begins; false when it was used or ran out, when its user is
    /// locked out, or has another password by now.
    pub async fn consume(self, t: &DatabaseTransaction, now: Timestamp) -> Result<bool, PortError> {
        let gone = Entity::delete_many()
            .filter(Column::Hash.eq(self.hash.as_bytes().to_vec()))
            .filter(Column::ExpiresAt.gt(now.unix()))
            .exec(t)
            .await?;
        if gone.rows_affected != 1 {
            return Ok(false);
        }
        let row = user::Entity::find_by_id(self.user.as_str()).lock_shared().one(t).await?;
        Ok(row.filter(|row| !row.disabled).is_some_and(|row| match self.password {
            None => true,
            Some(known) => {
                let stored = row.password_hash.as_deref().map(HashedToken::of);
                stored.is_some_and(|hash| hash.as_bytes().as_slice() == known)
            }
        }))
    }
}
