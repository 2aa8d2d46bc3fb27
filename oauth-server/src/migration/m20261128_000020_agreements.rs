//! Which terms people agreed to.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, string},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_agreement";

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
            .col(string("user_id"))
            .col(string("terms_url"))
            .col(big_integer("agreed_at"))
            .primary_key(Index::create().col("user_id").col("terms_url"))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
