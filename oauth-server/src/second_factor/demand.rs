//! What a sign-in takes beside its first factor: who has a second one, and of whom the operator demands one.

use super::{AMR_MFA, is_needed};
use crate::{
    config::{Config, SecondFactorRule},
    entity::passkey::{Column, Entity},
    passkeys, social,
};
use oauth_core::{
    error::PortError,
    model::{Login, UserId},
    seaorm::SeaStore,
};
use sea_orm::{ColumnTrait as _, EntityTrait as _, PaginatorTrait as _, QueryFilter as _};

/// What is demanded of somebody who passed a first factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nothing more.
    Nothing,
    /// A code of the app, a recovery code or a passkey.
    Prove,
    /// A passkey, which is all that the person has. Whoever knows no more than the password must not put an app beside it.
    ProvePasskey,
    /// To set an app up, since there is no second factor and there has to be one.
    SetUp,
}

/// Who has to prove a second factor. Cheap to clone.
#[derive(Clone)]
pub struct Demands {
    store: SeaStore,
    rule: SecondFactorRule,
    /// Whether people can sign in with passkeys here.
    passkeys: bool,
}

impl Demands {
    /// What this configuration demands of the users of this store.
    pub fn new(store: SeaStore, config: &Config) -> Self {
        let rule = config.second_factor.required;
        Self { store, rule, passkeys: passkeys::are_on(config) }
    }

    /// Whether the operator demands a second factor of this user.
    pub async fn cover(&self, user: &UserId) -> Result<bool, PortError> {
        Ok(match self.rule {
            SecondFactorRule::Nobody => false,
            SecondFactorRule::Administrators => {
                self.store.account(user).await?.is_some_and(|account| account.is_admin)
            }
            SecondFactorRule::Everybody => true,
        })
    }

    /// What a first factor of this user leads to.
    pub async fn of(&self, user: &UserId) -> Result<Demand, PortError> {
        if is_needed(&self.store, user).await? {
            return Ok(Demand::Prove);
        }
        if !self.cover(user).await? {
            return Ok(Demand::Nothing);
        }
        let passkey = self.passkeys && self.has_passkey(user).await?;
        Ok(if passkey { Demand::ProvePasskey } else { Demand::SetUp })
    }

    /// Whether a sign-in is enough by what is demanded today: it may have been made when less was. The word of another
    /// provider is, since it was enough when it was given and nobody remembers whose it was.
    pub async fn are_met(&self, login: &Login) -> Result<bool, PortError> {
        let is_enough = |method: &String| [AMR_MFA, social::AMR].contains(&method.as_str());
        Ok(login.amr.iter().any(is_enough) || !self.cover(&login.user).await?)
    }

    async fn has_passkey(&self, user: &UserId) -> Result<bool, PortError> {
        let rows = Entity::find().filter(Column::UserId.eq(user.as_str()));
        Ok(rows.count(self.store.database()).await? > 0)
    }
}
