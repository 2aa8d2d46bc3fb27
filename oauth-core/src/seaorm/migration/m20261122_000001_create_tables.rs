//! Every table of the first release.
//!
//! Codes and tokens hang below their authorization and go with it. Users and clients are not referred
//! to by foreign keys from there, because an embedder may keep either somewhere else.

use sea_orm_migration::{
    prelude::*,
    schema::{
        big_integer, big_integer_null, binary_len, binary_len_null, blob, blob_null, boolean,
        string, string_null, text, text_null, uuid, uuid_null,
    },
    sea_orm::DatabaseBackend,
};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait leaves them out, and async_trait takes it literally"
)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            user(),
            access_right(),
            client(),
            authorization(),
            auth_code(),
            token(),
            pending_authorization(),
            seen(),
            signing_key(),
            consent(),
        ] {
            manager.create_table(exact(table, manager)).await?;
        }
        for (name, table, columns) in INDEXES {
            let mut index = Index::create();
            index.name(*name).table(*table);
            columns.iter().for_each(|&column| {
                index.col(column);
            });
            manager.create_index(index).await?;
        }
        manager.create_index(unique_key_sequence()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(*table).take()).await?;
        }
        Ok(())
    }
}

const TABLES: &[&str] = &[
    "oauth_user",
    "oauth_access_right",
    "oauth_client",
    "oauth_authorization",
    "oauth_auth_code",
    "oauth_token",
    "oauth_pending_authorization",
    "oauth_seen",
    "oauth_signing_key",
    "oauth_consent",
];

const INDEXES: &[(&str, &str, &[&str])] = &[
    ("oauth_client_owner", "oauth_client", &["owner_id"]),
    ("oauth_authorization_user", "oauth_authorization", &["user_id", "client_id"]),
    ("oauth_authorization_client", "oauth_authorization", &["client_id"]),
    ("oauth_authorization_keep", "oauth_authorization", &["keep_until"]),
    ("oauth_auth_code_authorization", "oauth_auth_code", &["authorization_id"]),
    ("oauth_auth_code_expires", "oauth_auth_code", &["expires_at"]),
    ("oauth_token_authorization", "oauth_token", &["authorization_id"]),
    ("oauth_token_client", "oauth_token", &["client_id"]),
    ("oauth_token_expires", "oauth_token", &["expires_at"]),
    ("oauth_pending_client", "oauth_pending_authorization", &["client_id"]),
    ("oauth_pending_expires", "oauth_pending_authorization", &["expires_at"]),
    ("oauth_seen_expires", "oauth_seen", &["expires_at"]),
    ("oauth_consent_client", "oauth_consent", &["client_id"]),
];

/// MariaDB and MySQL compare without regard to case unless told otherwise.
fn exact(mut table: TableCreateStatement, manager: &SchemaManager<'_>) -> TableCreateStatement {
    if manager.get_database_backend() == DatabaseBackend::MySql {
        table.collate("utf8mb4_bin");
    }
    table
}

fn user() -> TableCreateStatement {
    Table::create()
        .table("oauth_user")
        .col(string("id").primary_key())
        .col(string("username"))
        .col(string("username_key").unique_key())
        .col(text_null("password_hash"))
        .col(boolean("is_admin"))
        .col(boolean("disabled"))
        .col(big_integer("created_at"))
        .take()
}

fn access_right() -> TableCreateStatement {
    Table::create()
        .table("oauth_access_right")
        .col(string("user_id"))
        .col(string("api"))
        .col(string("access"))
        .col(text_null("paths"))
        .primary_key(Index::create().col("user_id").col("api"))
        .foreign_key(
            ForeignKey::create()
                .name("oauth_access_right_user")
                .from("oauth_access_right", "user_id")
                .to("oauth_user", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .take()
}

fn client() -> TableCreateStatement {
    Table::create()
        .table("oauth_client")
        .col(string("id").primary_key())
        .col(text("name"))
        .col(text_null("uri"))
        .col(string_null("owner_id"))
        .col(string("auth_method"))
        .col(binary_len_null("secret_hash", 32))
        .col(text_null("secret_phc"))
        .col(text("redirect_uris"))
        .col(text("grant_types"))
        .col(text("response_types"))
        .col(text("scope"))
        .col(string_null("access_token_format"))
        .col(big_integer_null("access_token_ttl"))
        .col(boolean("skip_consent"))
        .col(big_integer("created_at"))
        .take()
}

fn authorization() -> TableCreateStatement {
    Table::create()
        .table("oauth_authorization")
        .col(uuid("id").primary_key())
        .col(string("client_id"))
        .col(string("user_id"))
        .col(text("scope"))
        .col(big_integer("created_at"))
        .col(big_integer_null("revoked_at"))
        .col(big_integer("keep_until"))
        .take()
}

fn auth_code() -> TableCreateStatement {
    Table::create()
        .table("oauth_auth_code")
        .col(binary_len("hash", 32).primary_key())
        .col(uuid("authorization_id"))
        .col(string("client_id"))
        .col(string("user_id"))
        .col(big_integer("auth_time"))
        .col(text_null("amr"))
        .col(text_null("redirect_uri"))
        .col(text("scope"))
        .col(text("resources"))
        .col(text_null("challenge"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("consumed_at"))
        .foreign_key(&mut below_authorization("oauth_auth_code"))
        .take()
}

fn token() -> TableCreateStatement {
    Table::create()
        .table("oauth_token")
        .col(binary_len("hash", 32).primary_key())
        .col(string("kind"))
        .col(uuid_null("authorization_id"))
        .col(string("client_id"))
        .col(string_null("user_id"))
        .col(big_integer_null("auth_time"))
        .col(text_null("amr"))
        .col(text("scope"))
        .col(text("resources"))
        .col(big_integer("issued_at"))
        .col(big_integer("expires_at"))
        .col(big_integer_null("consumed_at"))
        .col(big_integer_null("revoked_at"))
        .col(binary_len_null("successor", 32))
        .col(blob_null("response"))
        .foreign_key(&mut below_authorization("oauth_token"))
        .take()
}

fn below_authorization(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_authorization"))
        .from(table, "authorization_id")
        .to("oauth_authorization", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .take()
}

fn pending_authorization() -> TableCreateStatement {
    Table::create()
        .table("oauth_pending_authorization")
        .col(binary_len("hash", 32).primary_key())
        .col(string("client_id"))
        .col(text("request"))
        .col(big_integer("expires_at"))
        .take()
}

fn seen() -> TableCreateStatement {
    Table::create()
        .table("oauth_seen")
        .col(binary_len("hash", 32).primary_key())
        .col(string("kind"))
        .col(big_integer("expires_at"))
        .take()
}

fn signing_key() -> TableCreateStatement {
    Table::create()
        .table("oauth_signing_key")
        .col(string("kid").primary_key())
        .col(string("alg"))
        .col(big_integer("sequence"))
        .col(blob("sealed"))
        .col(text("certificate"))
        .col(big_integer("publish_at"))
        .col(big_integer("sign_from"))
        .col(big_integer_null("retired_at"))
        .take()
}

fn unique_key_sequence() -> IndexCreateStatement {
    Index::create()
        .name("oauth_signing_key_sequence")
        .table("oauth_signing_key")
        .col("alg")
        .col("sequence")
        .unique()
        .take()
}

fn consent() -> TableCreateStatement {
    Table::create()
        .table("oauth_consent")
        .col(string("user_id"))
        .col(string("client_id"))
        .col(text("scope"))
        .col(big_integer("given_at"))
        .primary_key(Index::create().col("user_id").col("client_id"))
        .take()
}
