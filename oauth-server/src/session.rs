//! Browser sessions, in the database: who is signed in, since when, with which browser.

use crate::{
    address::ClientAddress,
    config,
    entity::session::{self, Column},
};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderValue, header};
use oauth_core::{
    error::PortError,
    model::{HashedToken, Login, PlainToken, Timestamp, User, UserId},
    ports::{self, Clock, Random, Users},
    seaorm::SeaStore,
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _,
    QueryOrder as _, sea_query::Expr,
};
use std::{sync::Arc, time::Duration};

/// Characters of 256 bits in base64url.
const LENGTH: usize = 43;
const PLAIN: &str = "oauth_session";
/// The prefix makes browsers insist on https, this host and the root path.
const SECURE: &str = "__Host-oauth_session";
/// How stale `last_seen_at` may get, so that not every page is a write.
const RESOLUTION: i64 = 60;
/// More of a user agent than this says nothing more.
const LONGEST_AGENT: usize = 256;

/// A session that is alive.
#[derive(Clone, Debug)]
pub struct Session {
    /// What names it on the account page. Not a secret: it is the hash of the cookie.
    pub id: String,
    /// Who is signed in.
    pub user: User,
    /// When and how that was proven.
    pub login: Login,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// The address of the client at the beginning.
    pub address: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
}

/// A session that just began, and the cookie for its browser.
#[derive(Debug)]
pub struct Started {
    /// The sign-in.
    pub login: Login,
    /// The value of `Set-Cookie`.
    pub cookie: HeaderValue,
}

/// The sessions of one server.
#[derive(Clone)]
pub struct Sessions {
    store: SeaStore,
    users: Arc<dyn Users>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    idle: Duration,
    max_age: Duration,
    https: bool,
}

impl Sessions {
    /// Sessions in this store. `https` says whether browsers reach the server over https.
    pub fn new(
        store: SeaStore,
        users: Arc<dyn Users>,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        settings: &config::Sessions,
        https: Https,
    ) -> Self {
        let (idle, max_age) = (settings.idle_timeout, settings.max_age);
        Self { store, users, clock, random, idle, max_age, https: https == Https::Yes }
    }

    /// Begins a session, with a new cookie whatever the browser sent, and ends the one it had. `amr` says how
    /// the person proved who it is ([RFC 8176](https://www.rfc-editor.org/rfc/rfc8176)).
    pub async fn start(
        &self,
        headers: &HeaderMap,
        user: &UserId,
        amr: &[&str],
        address: Option<ClientAddress>,
    ) -> Result<Started, PortError> {
        let now = self.clock.now();
        let mut bytes = [0; 32];
        self.random.fill(&mut bytes);
        let token = PlainToken::from_bytes(bytes);
        let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
        let row = session::ActiveModel {
            hash: Set(token.hash().as_bytes().to_vec()),
            user_id: Set(user.as_str().to_owned()),
            login_at: Set(now.unix()),
            amr: Set(amr.join(" ")),
            created_at: Set(now.unix()),
            last_seen_at: Set(now.unix()),
            expires_at: Set(now.plus(self.idle.min(self.max_age)).unix()),
            address: Set(address.map(|a| a.to_string())),
            user_agent: Set(agent.map(|a| a.chars().take(LONGEST_AGENT).collect())),
        };
        let old = self.presented(headers);
        self.store
            .write(move |t| {
                Box::pin(async move {
                    if let Some(old) = old {
                        session::Entity::delete_by_id(old.as_bytes().to_vec()).exec(t).await?;
                    }
                    session::Entity::insert(row).exec_without_returning(t).await?;
                    Ok(())
                })
            })
            .await?;
        let amr = amr.iter().map(|&m| m.to_owned()).collect();
        let login = Login { user: user.clone(), at: now, amr };
        Ok(Started { login, cookie: self.cookie(&token.reveal(), None) })
    }

    /// The session of a request, if it has one and its user may still sign in.
    pub async fn current(&self, headers: &HeaderMap) -> Result<Option<Session>, PortError> {
        let Some(hash) = self.presented(headers) else { return Ok(None) };
        let now = self.clock.now();
        let row = session::Entity::find_by_id(hash.as_bytes().to_vec())
            .filter(Column::ExpiresAt.gt(now.unix()))
            .one(self.store.database())
            .await?;
        let Some(row) = row else { return Ok(None) };
        let Some(user) = self.users.user(&UserId::new(row.user_id.clone())).await? else {
            return Ok(None);
        };
        if now.unix().saturating_sub(row.last_seen_at) >= RESOLUTION {
            self.touch(&row, now).await?;
        }
        Ok(Some(Session::of(row, user)))
    }

    /// Ends the session of a request; returns the `Set-Cookie` value that makes the browser forget it.
    pub async fn end(&self, headers: &HeaderMap) -> Result<HeaderValue, PortError> {
        if let Some(hash) = self.presented(headers) {
            self.delete(Column::Hash.eq(hash.as_bytes().to_vec())).await?;
        }
        Ok(self.cookie("", Some(0)))
    }

    /// Ends one session of a user, named by [`Session::id`]; false when there is none.
    pub async fn end_one_of(&self, user: &UserId, id: &str) -> Result<bool, PortError> {
        let Ok(hash) = URL_SAFE_NO_PAD.decode(id) else { return Ok(false) };
        let of_user = Column::UserId.eq(user.as_str());
        Ok(self.delete(Column::Hash.eq(hash).and(of_user)).await? > 0)
    }

    /// Ends every session of a user, on all devices. After a change of password, say.
    pub async fn end_all_of(&self, user: &UserId) -> Result<u64, PortError> {
        self.delete(Column::UserId.eq(user.as_str())).await
    }

    /// The living sessions of a user, the last used first.
    pub async fn list(&self, user: &User) -> Result<Vec<Session>, PortError> {
        let rows = session::Entity::find()
            .filter(Column::UserId.eq(user.id.as_str()))
            .filter(Column::ExpiresAt.gt(self.clock.now().unix()))
            .order_by_desc(Column::LastSeenAt)
            .all(self.store.database())
            .await?;
        Ok(rows.into_iter().map(|row| Session::of(row, user.clone())).collect())
    }

    /// Deletes at most `limit` sessions that are over.
    pub async fn sweep(&self, limit: u64) -> Result<u64, PortError> {
        let now = self.clock.now().unix();
        crate::maintenance::delete_expired::<session::Entity>(
            &self.store,
            Column::Hash,
            Column::ExpiresAt,
            now,
            limit,
        )
        .await
    }

    /// Pushes the end of a session out, unless it ended meanwhile.
    async fn touch(&self, row: &session::Model, now: Timestamp) -> Result<(), PortError> {
        let last = Timestamp::from_unix(row.created_at).plus(self.max_age);
        let until = now.plus(self.idle).min(last).unix();
        let hash = row.hash.clone();
        self.store
            .write(move |t| {
                Box::pin(async move {
                    session::Entity::update_many()
                        .col_expr(Column::LastSeenAt, Expr::value(now.unix()))
                        .col_expr(Column::ExpiresAt, Expr::value(until))
                        .filter(Column::Hash.eq(hash))
                        .filter(Column::ExpiresAt.gt(now.unix()))
                        .exec(t)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn delete(&self, which: Expr) -> Result<u64, PortError> {
        self.store
            .write(move |t| {
                Box::pin(async move {
                    let gone = session::Entity::delete_many().filter(which).exec(t).await?;
                    Ok(gone.rows_affected)
                })
            })
            .await
    }

    /// The hash of the cookie of a request, if it is of the right form.
    fn presented(&self, headers: &HeaderMap) -> Option<HashedToken> {
        let value = oauth_core::http::cookie(headers, self.cookie_name())?;
        let well_formed = value.len() == LENGTH
            && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        well_formed.then(|| HashedToken::of(value))
    }

    const fn cookie_name(&self) -> &'static str {
        if self.https { SECURE } else { PLAIN }
    }

    fn cookie(&self, value: &str, max_age: Option<u32>) -> HeaderValue {
        let secure = if self.https { "; Secure" } else { "" };
        let age = max_age.map_or_else(String::new, |s| format!("; Max-Age={s}"));
        let name = self.cookie_name();
        HeaderValue::from_str(&format!(
            "{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{age}"
        ))
        .expect("base64url may stand in a header")
    }
}

/// Whether browsers reach the server over https.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Https {
    /// They do.
    Yes,
    /// They do not: this is a machine of one's own.
    No,
}

#[async_trait]
impl ports::Sessions for Sessions {
    async fn login(&self, headers: &HeaderMap) -> Result<Option<Login>, PortError> {
        Ok(self.current(headers).await?.map(|session| session.login))
    }
}

impl Session {
    fn of(row: session::Model, user: User) -> Self {
        let login = Login {
            user: user.id.clone(),
            at: Timestamp::from_unix(row.login_at),
            amr: row.amr.split_ascii_whitespace().map(str::to_owned).collect(),
        };
        Self {
            id: URL_SAFE_NO_PAD.encode(&row.hash),
            user,
            login,
            created_at: Timestamp::from_unix(row.created_at),
            last_seen_at: Timestamp::from_unix(row.last_seen_at),
            address: row.address,
            user_agent: row.user_agent,
        }
    }
}
