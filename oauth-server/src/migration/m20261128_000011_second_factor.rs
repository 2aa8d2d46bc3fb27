//! Second factors: secrets of one-time passwords, recovery codes, and sign-ins that wait for them.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, binary_len, binary_len_null, blob, boolean, string, text},
    sea_orm::DatabaseBackend,
};

const TOTP: &str = "oauth_totp";
const RECOVERY: &str = "oauth_recovery_code";
const HALF: &str = "oauth_half_sign_in";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait is declared so, and async_trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let totp = Table::create()
            .table(TOTP)
            .col(string("user_id").primary_key())
            .col(blob("sealed"))
            .col(boolean("confirmed"))
            .col(big_integer("last_step"))
            .col(big_integer("created_at"))
            .take();
        let recovery = Table::create()
            .table(RECOVERY)
            .col(string("user_id"))
            .col(binary_len("hash", 32))
            .primary_key(Index::create().col("user_id").col("hash"))
            .take();
        let half = Table::create()
            .table(HALF)
            .col(binary_len("hash", 32).primary_key())
            .col(string("user_id"))
            .col(text("amr"))
            .col(binary_len_null("password", 32))
            .col(big_integer("expires_at"))
            .take();
        for mut table in [totp, recovery, half] {
            // MariaDB and MySQL compare without regard to case unless told otherwise.
            if manager.get_database_backend() == DatabaseBackend::MySql {
                table.collate("utf8mb4_bin");
            }
            manager.create_table(table).await?;
        }
        let name = "oauth_half_sign_in_expires";
        let index = Index::create().name(name).table(HALF).col("expires_at").take();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [TOTP, RECOVERY, HALF] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
