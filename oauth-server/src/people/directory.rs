//! Finding users: one, or those that mention a text, as far as whoever asks may see them.

use super::{
    Caller, People, Person,
    error::{Error, Refusal},
    person::mentions,
};
use oauth_core::{
    error::PortError,
    model::{Role, UserId},
    seaorm::entity::user::{Column, Entity, Model},
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde_json::{Map, Value};

/// The most users in one answer of the API.
pub const MOST: usize = 100;
/// Rows read at once.
const BATCH: u64 = 500;
/// The most rows that one question looks through, however many users it is for; the answer says where to go on.
const MOST_ROWS: usize = 5_000;

/// Users, in the order in which they came, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// As whoever asks sees them.
    pub users: Vec<Map<String, Value>>,
    /// The id behind which there may be more.
    pub next: Option<String>,
}

/// Which users are asked for.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Those that mention this text.
    pub text: Option<String>,
    /// Those behind this id.
    pub after: Option<String>,
    /// So many.
    pub limit: usize,
}

impl People<'_> {
    /// One user as it is kept.
    pub async fn person(&self, id: &UserId) -> Result<Person, Error> {
        if id.as_str().contains('\0') {
            return Err(Refusal::NotFound.into());
        }
        let row = Entity::find_by_id(id.as_str()).one(self.state.store.database()).await;
        let row = row.map_err(PortError::from)?.ok_or(Refusal::NotFound)?;
        Ok(Person::of(row, &self.state.provider.env().sealer)?)
    }

    /// One user as the caller sees it. Whoever is not seen is not there.
    pub async fn seen(
        &self,
        id: &UserId,
        caller: &Caller,
    ) -> Result<(Person, Map<String, Value>), Error> {
        let person = self.person(id).await?;
        let view = person.seen_by(caller).ok_or(Refusal::NotFound)?;
        Ok((person, view))
    }

    /// Users that mention a text, as far as the caller sees them.
    pub async fn list(&self, search: &Search, caller: &Caller) -> Result<Found, Error> {
        let wanted = search.text.as_deref().map(|text| text.trim().to_lowercase());
        let limit = search.limit.max(1);
        let mut found = Found::default();
        let mut after = search.after.clone().filter(|id| !id.contains('\0'));
        let mut read = 0;
        loop {
            let rows = self.rows(after.as_deref(), caller.role).await?;
            let is_last = (rows.len() as u64) < BATCH;
            for row in rows {
                let id = row.id.clone();
                read += 1;
                let person = Person::without_tag(row)?;
                let view = person
                    .seen_by(caller)
                    .filter(|view| wanted.as_deref().is_none_or(|wanted| mentions(view, wanted)));
                found.users.extend(view);
                after = Some(id);
                if found.users.len() == limit || read == MOST_ROWS {
                    found.next = after;
                    return Ok(found);
                }
            }
            if is_last {
                return Ok(found);
            }
        }
    }

    /// How many users there are.
    pub async fn count(&self) -> Result<u64, Error> {
        let count = Entity::find().count(self.state.store.database()).await;
        Ok(count.map_err(PortError::from)?)
    }

    /// The next rows of which somebody of this role may see anything.
    async fn rows(&self, after: Option<&str>, role: Role) -> Result<Vec<Model>, PortError> {
        let mut query = Entity::find().order_by_asc(Column::Id).limit(BATCH);
        if let Some(after) = after {
            query = query.filter(Column::Id.gt(after));
        }
        if role < Role::Staff {
            query = query.filter(Column::Visibility.is_not_null());
        }
        Ok(query.all(self.state.store.database()).await?)
    }
}
