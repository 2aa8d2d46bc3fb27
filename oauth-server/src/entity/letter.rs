//! `oauth_letter`: letters that are to be sent.

use sea_orm::entity::prelude::*;

/// A row of `oauth_letter`. It is deleted once the letter is sent.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_letter")]
pub struct Model {
    /// What names it, in the log and in its `Message-ID`; letters of one process sort in the order they were written.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Whom it is to and what it says, sealed: letters have links in them that must not be read in the database.
    #[sea_orm(column_type = "Blob")]
    pub sealed: Vec<u8>,
    /// When it was written.
    pub created_at: i64,
    /// When it is to be sent; while somebody is sending it, until when it is that one's.
    pub due_at: i64,
    /// How often somebody began to send it.
    pub attempts: i64,
}

/// Nothing.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
