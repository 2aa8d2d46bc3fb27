//! The private keys that forms are encrypted to.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob, string},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_form_key";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait is declared so, and async_trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create()
            .table(TABLE)
            .col(string("kid").primary_key())
            .col(string("alg"))
            .col(big_integer("sequence"))
            .col(blob("sealed"))
            .col(big_integer("made_at"))
            .col(big_integer("use_from"))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
        // Of several processes that make the next key at once, one does.
        let index = Index::create()
            .name("oauth_form_key_sequence")
            .table(TABLE)
            .col("alg")
            .col("sequence")
            .unique()
            .take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
