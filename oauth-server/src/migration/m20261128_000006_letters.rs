//! Letters that are to be sent.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, blob, string},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_letter";

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
            .col(string("id").primary_key())
            .col(blob("sealed"))
            .col(big_integer("created_at"))
            .col(big_integer("due_at"))
            .col(big_integer("attempts"))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
        let index = Index::create().name("oauth_letter_due").table(TABLE).col("due_at").take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
