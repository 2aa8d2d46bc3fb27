//! Passkeys ([Web Authentication](https://www.w3.org/TR/webauthn-3/)): people sign in with what their device or security
//! key keeps, after it has checked that it is them.
//!
//! What they are bound to is the host of this server, so an address in numbers will not do. Whatever the answer of an
//! authenticator proves is checked by `webauthn-rs`, in `ceremonies`; the rest of the server sees rows.

#[cfg(feature = "passkeys")]
mod ceremonies;
mod place;
mod ways;

use crate::{
    activity::{self, Deed},
    config::Config,
    entity::{
        ceremony,
        passkey::{Column, Entity, Model},
    },
    mail::Mail,
    maintenance::delete_expired,
    people::{Event, Notices},
};
#[cfg(feature = "passkeys")]
pub use ceremonies::{Begun, Proof, Refusal};
use oauth_core::{
    error::PortError,
    model::{Timestamp, UserId},
    ports::{Clock, Random},
    seaorm::{SeaStore, UserAccount, entity::user},
};
pub use place::Off;
use place::Place;
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    QueryOrder as _, QuerySelect as _, prelude::Uuid, sea_query::Expr,
};
use std::sync::Arc;
pub use ways::{Leaving, Ways};

/// More passkeys than this nobody has who did not make them by program.
pub const MOST: u64 = 20;
/// The longest name of a passkey, in characters.
pub const LONGEST_NAME: usize = 64;

/// What came of removing a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Removed {
    /// It is gone.
    Gone,
    /// It stays: without it the person could not sign in any more.
    LastWay,
    /// This user has no such passkey.
    Unknown,
}

/// The passkeys of the users.
#[derive(Clone)]
pub struct Passkeys {
    store: SeaStore,
    notices: Notices,
    clock: Arc<dyn Clock>,
    #[cfg_attr(not(feature = "passkeys"), expect(dead_code, reason = "nothing is begun"))]
    random: Arc<dyn Random>,
    #[cfg_attr(not(feature = "passkeys"), expect(dead_code, reason = "no cookie is set"))]
    https: bool,
    place: Result<Place, Off>,
    ways: Ways,
}

impl Passkeys {
    /// Passkeys in this store, for the host of the configuration.
    pub fn new(
        store: SeaStore,
        mail: Mail,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        config: &Config,
    ) -> Self {
        let https = config.issuer().is_https();
        let place = Place::of(&config.origin());
        let ways = Ways::of(config, place.is_ok());
        let notices = Notices::new(mail, config);
        Self { store, notices, clock, random, https, place, ways }
    }

    /// Whether people can sign in with passkeys here.
    pub const fn is_on(&self) -> bool {
        self.place.is_ok()
    }

    /// Why nobody can, and what to do about it, in a sentence or two.
    pub fn why_off(&self) -> Option<String> {
        self.place.as_ref().err().map(Off::to_string)
    }

    /// In how many ways people can sign in here.
    pub const fn ways(&self) -> Ways {
        self.ways
    }

    /// The passkeys of a user, the oldest first.
    pub async fn list(&self, user: &UserId) -> Result<Vec<Model>, PortError> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(user.as_str()))
            .order_by_asc(Column::CreatedAt)
            .order_by_asc(Column::Id)
            .limit(MOST)
            .all(self.store.database());
        Ok(rows.await?)
    }

    /// How many passkeys a user has.
    pub async fn count(&self, user: &UserId) -> Result<u64, PortError> {
        let rows = Entity::find().filter(Column::UserId.eq(user.as_str()));
        Ok(rows.count(self.store.database()).await?)
    }

    /// Calls a passkey something else; false when this user has no such passkey.
    pub async fn rename(
        &self,
        user: &UserId,
        id: Uuid,
        name: String,
        deed: Deed,
    ) -> Result<bool, PortError> {
        let (user, now) = (user.clone(), self.now());
        self.store
            .write(move |t| {
                Box::pin(async move {
                    let renamed = Entity::update_many()
                        .col_expr(Column::Name, Expr::value(name))
                        .filter(Column::Id.eq(id))
                        .filter(Column::UserId.eq(user.as_str()))
                        .exec(t)
                        .await?;
                    if renamed.rows_affected == 1 {
                        activity::record(t, &user, now, deed).await?;
                    }
                    Ok(renamed.rows_affected == 1)
                })
            })
            .await
    }

    /// Removes a passkey, unless it is the last way in which its owner can sign in, and has the owner told. Of two
    /// requests at once the second sees what the first did.
    pub async fn remove(&self, user: &UserId, id: Uuid, deed: Deed) -> Result<Removed, PortError> {
        let (passkeys, user) = (self.clone(), user.clone());
        self.store
            .write(move |t| {
                Box::pin(async move {
                    let Some(row) = held(t, &user).await? else { return Ok(Removed::Unknown) };
                    let own = Entity::find_by_id(id).filter(Column::UserId.eq(user.as_str()));
                    let Some(passkey) = own.one(t).await? else { return Ok(Removed::Unknown) };
                    if !passkeys.ways.remain(t, &row, Leaving::Passkey(id)).await? {
                        return Ok(Removed::LastWay);
                    }
                    Entity::delete_by_id(id).exec(t).await?;
                    let event = Event::PasskeyRemoved(&passkey.name);
                    passkeys.notices.tell(t, event, &UserAccount::from(row)).await?;
                    activity::record(t, &user, passkeys.now(), deed.about(&passkey.name)).await?;
                    Ok(Removed::Gone)
                })
            })
            .await
    }

    /// Removes every passkey of a user, whatever is left, by the word of the operator; returns how many there were.
    pub async fn remove_all(&self, user: &UserId, deed: Deed) -> Result<u64, PortError> {
        let (passkeys, user) = (self.clone(), user.clone());
        self.store
            .write(move |t| {
                Box::pin(async move {
                    let Some(row) = held(t, &user).await? else { return Ok(0) };
                    let owner = UserAccount::from(row);
                    let of_user = Entity::find().filter(Column::UserId.eq(user.as_str()));
                    let rows = of_user.all(t).await?;
                    for passkey in &rows {
                        Entity::delete_by_id(passkey.id).exec(t).await?;
                        let event = Event::PasskeyRemoved(&passkey.name);
                        passkeys.notices.tell(t, event, &owner).await?;
                        let deed = deed.clone().about(&passkey.name);
                        activity::record(t, &user, passkeys.now(), deed).await?;
                    }
                    Ok(rows.len() as u64)
                })
            })
            .await
    }

    /// Deletes at most `limit` ceremonies whose time is over.
    pub async fn sweep(&self, limit: u64) -> Result<u64, PortError> {
        use ceremony::{Column, Entity};
        let now = self.now().unix();
        delete_expired::<Entity>(&self.store, Column::Hash, Column::ExpiresAt, now, limit).await
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Whether people can sign in with passkeys at a server of this configuration.
pub fn are_on(config: &Config) -> bool {
    Place::of(&config.origin()).is_ok()
}

/// The row of a user, held until the transaction ends: whoever adds or takes away a way to sign in waits for the others.
async fn held(t: &DatabaseTransaction, user: &UserId) -> Result<Option<user::Model>, PortError> {
    Ok(user::Entity::find_by_id(user.as_str()).lock_exclusive().one(t).await?)
}

/// The name of a passkey as it is kept, or what is wrong with it.
pub fn check_name(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    if name.is_empty() {
        return Err("Give the passkey a name.");
    }
    if name.chars().count() > LONGEST_NAME {
        return Err("Use at most 64 characters in the name.");
    }
    if name.chars().any(crate::registration::is_deceptive) {
        return Err("Use letters, digits and the like in the name.");
    }
    Ok(name.to_owned())
}
