//! In how many ways somebody can sign in, so that nobody takes the last one away.

use crate::{
    config::{Authenticator, Config},
    entity::{identity, passkey},
};
use oauth_core::{error::PortError, seaorm::entity::user};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    prelude::Uuid,
};

/// The ways that there are at a server beside passwords and identities of other providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ways {
    /// A demonstration lets everybody in by the name alone.
    anybody: bool,
    passkeys: bool,
}

/// What is about to be taken away.
#[derive(Clone, Copy, Debug)]
pub enum Leaving<'a> {
    /// An identity at another provider, by its hash.
    Identity(&'a [u8]),
    /// A passkey.
    Passkey(Uuid),
}

impl Ways {
    pub(super) fn of(config: &Config, passkeys: bool) -> Self {
        Self { anybody: config.general.authenticator == Authenticator::Any, passkeys }
    }

    /// Whether somebody can still sign in afterwards. The row of the user is held meanwhile.
    pub async fn remain(
        self,
        t: &DatabaseTransaction,
        row: &user::Model,
        leaving: Leaving<'_>,
    ) -> Result<bool, PortError> {
        if self.anybody || row.password_hash.is_some() {
            return Ok(true);
        }
        let mut identities =
            identity::Entity::find().filter(identity::Column::UserId.eq(row.id.as_str()));
        let mut passkeys =
            passkey::Entity::find().filter(passkey::Column::UserId.eq(row.id.as_str()));
        match leaving {
            Leaving::Identity(hash) => {
                identities = identities.filter(identity::Column::Hash.ne(hash.to_vec()));
            }
            Leaving::Passkey(id) => passkeys = passkeys.filter(passkey::Column::Id.ne(id)),
        }
        Ok(identities.count(t).await? > 0 || (self.passkeys && passkeys.count(t).await? > 0))
    }
}
