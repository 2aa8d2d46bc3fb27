//! Cookies of browser sessions that were replaced by others.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary_len, blob, string},
    sea_orm::DatabaseBackend,
};

const TABLE: &str = "oauth_rotated_session";

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
            .col(binary_len("hash", 32).primary_key())
            .col(string("sid"))
            .col(blob("sealed"))
            .col(big_integer("rotated_at"))
            .col(big_integer("expires_at"))
            .take();
        // MariaDB and MySQL compare without regard to case unless told otherwise.
        if manager.get_database_backend() == DatabaseBackend::MySql {
            table.collate("utf8mb4_bin");
        }
        manager.create_table(table).await?;
        for (name, table, column) in [
            ("oauth_rotated_session_expires", TABLE, "expires_at"),
            ("oauth_rotated_session_sid", TABLE, "sid"),
            ("oauth_session_sid", "oauth_session", "sid"),
        ] {
            manager
                .create_index(Index::create().name(name).table(table).col(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut index = Index::drop();
        index.name("oauth_session_sid").table("oauth_session");
        manager.drop_index(index).await?;
        manager.drop_table(Table::drop().table(TABLE).take()).await
    }
}
