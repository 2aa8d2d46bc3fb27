//! Browser sessions, and counters of attempts.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary_len, string, string_null, text_null},
    sea_orm::DatabaseBackend,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait is declared so, and async_trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut table in [session(), throttle()] {
            // MariaDB and MySQL compare without regard to case unless told otherwise.
            if manager.get_database_backend() == DatabaseBackend::MySql {
                table.collate("utf8mb4_bin");
            }
            manager.create_table(table).await?;
        }
        for (name, table, column) in [
            ("oauth_session_user", "oauth_session", "user_id"),
            ("oauth_session_expires", "oauth_session", "expires_at"),
            ("oauth_throttle_expires", "oauth_throttle", "expires_at"),
        ] {
            manager
                .create_index(Index::create().name(name).table(table).col(column).take())
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("oauth_session").take()).await?;
        manager.drop_table(Table::drop().table("oauth_throttle").take()).await
    }
}

fn session() -> TableCreateStatement {
    Table::create()
        .table("oauth_session")
        .col(binary_len("hash", 32).primary_key())
        .col(string("user_id"))
        .col(big_integer("login_at"))
        .col(string("amr"))
        .col(big_integer("created_at"))
        .col(big_integer("last_seen_at"))
        .col(big_integer("expires_at"))
        .col(string_null("address"))
        .col(text_null("user_agent"))
        .take()
}

fn throttle() -> TableCreateStatement {
    Table::create()
        .table("oauth_throttle")
        .col(string("subject").primary_key())
        .col(big_integer("attempts"))
        .col(big_integer("delay"))
        .col(big_integer("blocked_until"))
        .col(big_integer("expires_at"))
        .take()
}
