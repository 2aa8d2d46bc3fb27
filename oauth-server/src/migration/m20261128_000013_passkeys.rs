//! Passkeys, whom authenticators know them by, and ceremonies that are under way.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, binary_len, boolean, string, string_null, text, uuid},
    sea_orm::DatabaseBackend,
};

const PASSKEY: &str = "oauth_passkey";
const HOLDER: &str = "oauth_passkey_holder";
const CEREMONY: &str = "oauth_ceremony";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait is declared so, and async_trait needs the same"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for mut table in [passkey(), holder(), ceremony()] {
            // MariaDB and MySQL compare without regard to case unless told otherwise.
            if manager.get_database_backend() == DatabaseBackend::MySql {
                table.collate("utf8mb4_bin");
            }
            manager.create_table(table).await?;
        }
        for (name, table, column) in [
            ("oauth_passkey_user", PASSKEY, "user_id"),
            ("oauth_ceremony_expires", CEREMONY, "expires_at"),
        ] {
            let index = Index::create().name(name).table(table).col(column).take();
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [CEREMONY, HOLDER, PASSKEY] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}

fn passkey() -> TableCreateStatement {
    Table::create()
        .table(PASSKEY)
        .col(uuid("id").primary_key())
        .col(string("user_id"))
        .col(binary_len("credential_hash", 32).unique_key())
        .col(text("credential"))
        .col(text("name"))
        .col(boolean("synced"))
        .col(big_integer("sign_count"))
        .col(big_integer("created_at"))
        .col(big_integer_null("last_used_at"))
        .foreign_key(&mut of_user("oauth_passkey_user_id", PASSKEY))
        .take()
}

fn holder() -> TableCreateStatement {
    Table::create()
        .table(HOLDER)
        .col(string("user_id").primary_key())
        .col(uuid("handle").unique_key())
        .foreign_key(&mut of_user("oauth_passkey_holder_user_id", HOLDER))
        .take()
}

fn ceremony() -> TableCreateStatement {
    Table::create()
        .table(CEREMONY)
        .col(binary_len("hash", 32).primary_key())
        .col(string("kind"))
        .col(string_null("user_id"))
        .col(text("state"))
        .col(big_integer("expires_at"))
        .take()
}

/// Goes with the user whose it is.
fn of_user(name: &str, table: &str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from(table.to_owned(), "user_id")
        .to("oauth_user", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
}
