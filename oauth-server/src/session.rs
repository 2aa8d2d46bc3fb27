//! Browser sessions, in the database: who is signed in, since when, with which browser.

mod cookies;
mod ending;
mod rotation;

use crate::{
    activity::{self, Deed, What},
    address::ClientAddress,
    config::{Config, SessionCookie},
    entity::session::{self, Column},
    revocations::ServerRevocations,
    second_factor::Demands,
    sign_in::acr,
};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ending::Former;
use http::{HeaderMap, header};
use oauth_core::{
    error::PortError,
    model::{HashedToken, Login, PlainToken, Timestamp, User, UserId},
    ports::{self, Clock, Random, Users},
    seaorm::{SeaStore, Work},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, EntityTrait as _, ExprTrait as _,
    PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, sea_query::Expr,
};
use std::{sync::Arc, time::Duration};

pub use cookies::Cookies;
pub use ending::Ended;
pub use rotation::Renewed;

/// How stale `last_seen_at` may get, so that not every page is a write.
const RESOLUTION: i64 = 60;
/// More of a user agent than this says nothing more.
const LONGEST_AGENT: usize = 256;
/// The most sessions of one user that are listed. Pages show fewer.
const MOST_LISTED: u64 = 100;

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
    /// When it ends unless it is used before.
    pub expires_at: Timestamp,
    /// The address of the client at the beginning.
    pub address: Option<String>,
    /// What the browser called itself.
    pub user_agent: Option<String>,
}

/// What somebody proved to begin a session with.
#[derive(Clone, Copy, Debug)]
pub struct Proven<'a> {
    /// How ([RFC 8176](https://www.rfc-editor.org/rfc/rfc8176)).
    pub amr: &'a [&'a str],
    /// When. Another provider may have asked long before it says so, and the epoch stands for a time that nobody knows.
    pub at: Timestamp,
}

/// A session that just began.
#[derive(Debug)]
pub struct Started {
    /// The sign-in.
    pub login: Login,
    /// What its browser is to keep.
    pub cookies: Cookies,
}

/// The sessions of one server.
#[derive(Clone)]
pub struct Sessions {
    store: SeaStore,
    revocations: ServerRevocations,
    users: Arc<dyn Users>,
    demands: Demands,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    idle: Duration,
    max_age: Duration,
    /// For how long a request that was begun in a session may be finished after its end.
    latecomers: Duration,
    /// For how long a cookie that was replaced still stands for its session.
    grace: Duration,
    /// Where tokens are in cookies, how long one can live that was issued in a session.
    tokens: Option<Duration>,
    https: bool,
}

impl Sessions {
    /// Sessions in this store.
    pub fn new(
        store: SeaStore,
        revocations: ServerRevocations,
        users: Arc<dyn Users>,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        config: &Config,
    ) -> Self {
        let (idle, max_age) = (config.sessions.idle_timeout, config.sessions.max_age);
        let latecomers = config.tokens.interaction_ttl;
        let grace = config.bff.rotation_grace;
        let tokens =
            (config.bff.cookie == SessionCookie::Jwt).then_some(config.tokens.access_token_max_ttl);
        let https = config.issuer().is_https();
        let demands = Demands::new(store.clone(), config);
        Self {
            store,
            revocations,
            users,
            demands,
            clock,
            random,
            idle,
            max_age,
            latecomers,
            grace,
            tokens,
            https,
        }
    }

    /// Begins a session, with a new cookie whatever the browser sent. To clients it is the session that the browser
    /// had, if that was the same user's; if it was somebody else's, that one ends. `amr` says how the person proved
    /// who it is, at this moment ([RFC 8176](https://www.rfc-editor.org/rfc/rfc8176)).
    pub async fn start(
        &self,
        headers: &HeaderMap,
        user: &UserId,
        amr: &[&str],
        address: Option<ClientAddress>,
    ) -> Result<Started, PortError> {
        let proven = Proven { amr, at: self.clock.now() };
        let started =
            self.start_if(headers, user, proven, address, |_| Box::pin(async { Ok(true) })).await?;
        started.ok_or_else(|| PortError::new("a session did not begin"))
    }

    /// The same, if it still may when the session is written: what was proven a moment ago, by a password say, may be
    /// worth nothing by then. Otherwise nothing happens, and `None` is returned.
    pub async fn start_if<F>(
        &self,
        headers: &HeaderMap,
        user: &UserId,
        proven: Proven<'_>,
        address: Option<ClientAddress>,
        may: F,
    ) -> Result<Option<Started>, PortError>
    where
        F: for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, bool> + Send + 'static,
    {
        let Fresh { mut row, secret, mut login, now } = self.fresh(headers, user, proven, address);
        let old = self.presented(headers);
        let deed = Deed::of(What::SignedIn, headers).about(&login.amr.join(" "));
        let user = user.clone();
        let former = self
            .store
            .write(move |t| {
                Box::pin(async move {
                    if !may(t).await? {
                        return Ok(None);
                    }
                    let former = match old {
                        Some(old) => ending::supersede(t, old, &user, now).await?,
                        None => Former::Nothing,
                    };
                    if let Former::GoesOn(Some(sid)) = &former {
                        row.sid = Set(Some(sid.clone()));
                    }
                    session::Entity::insert(row).exec_without_returning(t).await?;
                    activity::record(t, &user, now, deed).await?;
                    Ok(Some(former))
                })
            })
            .await?;
        let Some(former) = former else { return Ok(None) };
        match former {
            Former::GoesOn(Some(sid)) => login.sid = Some(sid),
            Former::Ended(sid) => drop(self.tell(vec![sid]).await),
            Former::GoesOn(None) | Former::Nothing => {}
        }
        Ok(Some(self.started(login, secret)))
    }

    /// Does something that makes every session of a user worthless, such as replacing the password, and begins
    /// the only one that is left, all in one transaction. Nothing happens, and `None` is returned, when the work
    /// finds that it cannot be done.
    pub async fn start_over<F>(
        &self,
        headers: &HeaderMap,
        user: &UserId,
        proven: Proven<'_>,
        address: Option<ClientAddress>,
        work: F,
    ) -> Result<Option<Started>, PortError>
    where
        F: for<'a> FnOnce(&'a DatabaseTransaction) -> Work<'a, bool> + Send + 'static,
    {
        let Fresh { row, secret, login, now } = self.fresh(headers, user, proven, address);
        // And the session of somebody else that this browser was in.
        let mut over = Column::UserId.eq(user.as_str());
        if let Some(old) = self.presented(headers) {
            over = over.or(Column::Hash.eq(old.as_bytes().to_vec()));
        }
        let ended = self
            .store
            .write(move |t| {
                Box::pin(async move {
                    if !work(t).await? {
                        return Ok(None);
                    }
                    let ended = ending::close(t, over, now).await?;
                    session::Entity::insert(row).exec_without_returning(t).await?;
                    Ok(Some(ended))
                })
            })
            .await?;
        let Some(ended) = ended else { return Ok(None) };
        self.tell(ended).await;
        Ok(Some(self.started(login, secret)))
    }

    /// A session that begins now.
    fn fresh(
        &self,
        headers: &HeaderMap,
        user: &UserId,
        Proven { amr, at }: Proven<'_>,
        address: Option<ClientAddress>,
    ) -> Fresh {
        let now = self.clock.now();
        let at = at.min(now);
        let (mut bytes, mut name) = ([0; 32], [0; 16]);
        self.random.fill(&mut bytes);
        self.random.fill(&mut name);
        let secret = PlainToken::from_bytes(bytes);
        let sid = URL_SAFE_NO_PAD.encode(name);
        let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
        let row = session::ActiveModel {
            hash: Set(secret.hash().as_bytes().to_vec()),
            user_id: Set(user.as_str().to_owned()),
            login_at: Set(at.unix()),
            amr: Set(amr.join(" ")),
            created_at: Set(now.unix()),
            last_seen_at: Set(now.unix()),
            expires_at: Set(now.plus(self.idle.min(self.max_age)).unix()),
            address: Set(address.map(|a| a.to_string())),
            user_agent: Set(agent.map(|a| a.chars().take(LONGEST_AGENT).collect())),
            sid: Set(Some(sid.clone())),
        };
        let amr: Vec<String> = amr.iter().map(|&m| m.to_owned()).collect();
        let login = Login { user: user.clone(), at, acr: acr(&amr), amr, sid: Some(sid) };
        Fresh { row, secret, login, now }
    }

    fn started(&self, login: Login, secret: PlainToken) -> Started {
        let sid = login.sid.as_deref().unwrap_or_default();
        let cookies = Cookies::begin(self.https, &secret.reveal(), sid);
        Started { login, cookies }
    }

    /// The session of a request, if it has one, its user may still sign in, and what the user proved is still enough.
    pub async fn current(&self, headers: &HeaderMap) -> Result<Option<Session>, PortError> {
        let Some(hash) = self.presented(headers) else { return Ok(None) };
        let now = self.clock.now();
        let row = session::Entity::find_by_id(hash.as_bytes().to_vec())
            .filter(Column::ExpiresAt.gt(now.unix()))
            .one(self.store.database())
            .await?;
        let row = match row {
            Some(row) => Some(row),
            None => self.former(hash, now).await?,
        };
        let Some(row) = row else { return Ok(None) };
        let Some(user) = self.users.user(&UserId::new(row.user_id.clone())).await? else {
            return Ok(None);
        };
        let session = Session::of(row.clone(), user);
        if !self.demands.are_met(&session.login).await? {
            return Ok(None);
        }
        if now.unix().saturating_sub(row.last_seen_at) >= RESOLUTION {
            self.touch(&row, now).await?;
        }
        Ok(Some(session))
    }

    /// The living sessions of a user, the last used first, and not more than anybody reads: whoever knows the password
    /// can have made any number of them.
    pub async fn list(&self, user: &User) -> Result<Vec<Session>, PortError> {
        let rows = session::Entity::find()
            .filter(Column::UserId.eq(user.id.as_str()))
            .filter(Column::ExpiresAt.gt(self.clock.now().unix()))
            .order_by_desc(Column::LastSeenAt)
            .limit(MOST_LISTED)
            .all(self.store.database())
            .await?;
        Ok(rows.into_iter().map(|row| Session::of(row, user.clone())).collect())
    }

    /// How many living sessions a user has.
    pub async fn count(&self, user: &UserId) -> Result<u64, PortError> {
        let living = session::Entity::find()
            .filter(Column::UserId.eq(user.as_str()))
            .filter(Column::ExpiresAt.gt(self.clock.now().unix()));
        Ok(living.count(self.store.database()).await?)
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

    fn presented(&self, headers: &HeaderMap) -> Option<HashedToken> {
        cookies::presented(headers, self.https)
    }
}

/// A session that is not yet written.
struct Fresh {
    row: session::ActiveModel,
    secret: PlainToken,
    login: Login,
    now: Timestamp,
}

#[async_trait]
impl ports::Sessions for Sessions {
    async fn login(&self, headers: &HeaderMap) -> Result<Option<Login>, PortError> {
        Ok(self.current(headers).await?.map(|session| session.login))
    }
}

impl Session {
    fn of(row: session::Model, user: User) -> Self {
        let amr: Vec<String> = row.amr.split_ascii_whitespace().map(str::to_owned).collect();
        let login = Login {
            user: user.id.clone(),
            at: Timestamp::from_unix(row.login_at),
            acr: acr(&amr),
            amr,
            sid: row.sid,
        };
        Self {
            id: URL_SAFE_NO_PAD.encode(&row.hash),
            user,
            login,
            created_at: Timestamp::from_unix(row.created_at),
            last_seen_at: Timestamp::from_unix(row.last_seen_at),
            expires_at: Timestamp::from_unix(row.expires_at),
            address: row.address,
            user_agent: row.user_agent,
        }
    }
}
