//! `oauth_signing_key`: sealed signing keys and their timetable.

use super::damaged;
use crate::{
    error::PortError,
    model::{SigningAlgorithm, StoredKey, Timestamp},
};
use sea_orm::{Set, entity::prelude::*};

/// A row of `oauth_signing_key`.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_signing_key")]
pub struct Model {
    /// The key id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kid: String,
    /// The algorithm.
    pub alg: String,
    /// Counts the keys of one algorithm; unique with it.
    pub sequence: i64,
    /// The sealed PKCS#8 key.
    #[sea_orm(column_type = "Blob")]
    pub sealed: Vec<u8>,
    /// A certificate as PEM.
    #[sea_orm(column_type = "Text")]
    pub certificate: String,
    /// From when it is in the key set.
    pub publish_at: i64,
    /// From when it signs.
    pub sign_from: i64,
    /// When it was withdrawn.
    pub retired_at: Option<i64>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<StoredKey> for ActiveModel {
    fn from(key: StoredKey) -> Self {
        Self {
            kid: Set(key.kid),
            alg: Set(key.alg.as_str().to_owned()),
            sequence: Set(key.sequence),
            sealed: Set(key.sealed),
            certificate: Set(key.certificate),
            publish_at: Set(key.publish_at.unix()),
            sign_from: Set(key.sign_from.unix()),
            retired_at: Set(key.retired_at.map(Timestamp::unix)),
        }
    }
}

impl TryFrom<Model> for StoredKey {
    type Error = PortError;

    fn try_from(row: Model) -> Result<Self, PortError> {
        Ok(Self {
            alg: SigningAlgorithm::parse(&row.alg).ok_or_else(|| damaged("algorithm"))?,
            kid: row.kid,
            sequence: row.sequence,
            sealed: row.sealed,
            certificate: row.certificate,
            publish_at: Timestamp::from_unix(row.publish_at),
            sign_from: Timestamp::from_unix(row.sign_from),
            retired_at: row.retired_at.map(Timestamp::from_unix),
        })
    }
}
