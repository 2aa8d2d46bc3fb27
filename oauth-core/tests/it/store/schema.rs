//! The migrated schema beside the entities.

use oauth_core::{
    model::{ClientAuth, ClientId, ClientMetadata, Committed, Consume, Issuance, Parent, UserId},
    ports::{ClientStore, GrantStore, Users},
    seaorm::{Migrator, SeaStore, entity},
    testing::{TestDatabase, fixtures},
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable,
    ModelTrait, Statement, prelude::Uuid,
};
use sea_orm_migration::MigratorTrait;
use std::{collections::BTreeMap, fmt::Debug};

/// Column names of the table, and whether each may be null.
async fn columns(store: &SeaStore, table: &str) -> BTreeMap<String, bool> {
    let database = store.database();
    let backend = database.get_database_backend();
    let query = match backend {
        sea_orm::DbBackend::Sqlite => {
            "SELECT name, \"notnull\" = 0 AS nullable FROM pragma_table_info($1)"
        }
        _ => {
            "SELECT column_name::text AS name, is_nullable = 'YES' AS nullable
             FROM information_schema.columns WHERE table_name = $1"
        }
    };
    let rows = database
        .query_all_raw(Statement::from_sql_and_values(backend, query, [table.into()]))
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.try_get("", "name").unwrap(), row.try_get("", "nullable").unwrap()))
        .collect()
}

/// Compares the columns of an entity with its table, then writes a full and an empty row and reads them back.
async fn fits<E>(store: &SeaStore, rows: [E::Model; 2])
where
    E: EntityTrait,
    E::Model: ModelTrait<Entity = E> + IntoActiveModel<E::ActiveModel> + Debug + PartialEq,
    E::ActiveModel: Send,
{
    let table = E::default().table_name().to_owned();
    let entity: BTreeMap<_, _> = E::Column::iter()
        .map(|column| (sea_orm::Iden::to_string(&column), column.def().is_null()))
        .collect();
    assert_eq!(columns(store, &table).await, entity, "{table}");
    for row in rows {
        let written = row.into_active_model().insert(store.database()).await.unwrap();
        let all = E::find().all(store.database()).await.unwrap();
        assert!(all.contains(&written), "{table}");
    }
}

/// How many steps there are after the first ones.
fn steps_after(first: usize) -> u32 {
    u32::try_from(Migrator::migrations().len() - first).unwrap()
}

/// A database of the first release keeps what is in it, and can go back.
#[tokio::test]
async fn the_second_step_keeps_what_the_first_release_wrote() {
    for database in [TestDatabase::empty_sqlite().await, TestDatabase::empty_postgres().await] {
        let store = database.store();
        Migrator::up(store.database(), Some(1)).await.unwrap();
        let before = columns(&store, "oauth_client").await;
        let old = "INSERT INTO oauth_client (id, name, auth_method, redirect_uris, grant_types, \
                   response_types, scope, skip_consent, created_at) VALUES \
                   ('old', 'Old', 'none', '[]', '[]', '[]', 'a', true, 7)";
        store.database().execute_unprepared(old).await.unwrap();
        let old = "INSERT INTO oauth_user (id, username, username_key, is_admin, disabled, \
                   created_at) VALUES ('u', 'Ada', 'ada', true, false, 7)";
        store.database().execute_unprepared(old).await.unwrap();
        store.migrate().await.unwrap();
        let found = store.client(&ClientId::new("old")).await.unwrap().unwrap();
        assert_eq!((found.name.as_str(), &found.auth), ("Old", &ClientAuth::Public));
        assert_eq!(found.metadata, ClientMetadata::default());
        assert_eq!((found.registration_token, found.expires_at), (None, None));
        assert!(store.profile(&UserId::new("u")).await.unwrap().is_empty());
        Migrator::down(store.database(), Some(steps_after(1))).await.unwrap();
        assert_eq!(columns(&store, "oauth_client").await, before);
        store.migrate().await.unwrap();
        assert!(store.client(&ClientId::new("old")).await.unwrap().is_some());
    }
}

/// Addresses that somebody vouched for move to their columns, once each; the others stay what people say.
#[tokio::test]
async fn the_third_step_moves_confirmed_addresses() {
    for database in [TestDatabase::empty_sqlite().await, TestDatabase::empty_postgres().await] {
        let store = database.store();
        Migrator::up(store.database(), Some(2)).await.unwrap();
        for (n, profile) in [
            r#"{"email":"Ada@Example.org","email_verified":true,"name":"Ada"}"#,
            r#"{"email":"ada@example.org","email_verified":true}"#,
            r#"{"email":"bob@example.org","email_verified":false}"#,
            r#"{"name":"Carol"}"#,
        ]
        .into_iter()
        .enumerate()
        {
            let old = format!(
                "INSERT INTO oauth_user (id, username, username_key, is_admin, disabled, \
                 created_at, profile) VALUES ('u{n}', 'u{n}', 'u{n}', false, false, {n}, '{profile}')"
            );
            store.database().execute_unprepared(&old).await.unwrap();
        }
        store.migrate().await.unwrap();
        let user = async |n: usize| {
            let id = UserId::new(format!("u{n}"));
            let account = store.account(&id).await.unwrap().unwrap();
            (account.email, account.email_verified, store.profile(&id).await.unwrap())
        };
        let told =
            |n: usize, (_, _, profile): &(_, _, serde_json::Map<String, serde_json::Value>)| {
                (n, profile.get("email").cloned(), profile.get("email_verified").cloned())
            };
        let ada = user(0).await;
        assert_eq!((ada.0.as_deref(), ada.1), (Some("Ada@Example.org"), true));
        assert_eq!(told(0, &ada), (0, Some("Ada@Example.org".into()), Some(true.into())));
        assert_eq!(ada.2["name"], "Ada");
        for n in [1, 2, 3] {
            assert_eq!((user(n).await.0, user(n).await.1), (None, false), "{n}");
        }
        assert_eq!(
            told(2, &user(2).await),
            (2, Some("bob@example.org".into()), Some(false.into()))
        );
        Migrator::down(store.database(), Some(steps_after(2))).await.unwrap();
        let text = "SELECT profile FROM oauth_user WHERE id = 'u0'";
        let backend = store.database().get_database_backend();
        let row = store.database().query_one_raw(Statement::from_string(backend, text)).await;
        let text: String = row.unwrap().unwrap().try_get("", "profile").unwrap();
        let back: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&back["email"], &back["email_verified"]),
            (&"Ada@Example.org".into(), &true.into())
        );
        store.migrate().await.unwrap();
        assert_eq!(user(0).await.0.as_deref(), Some("Ada@Example.org"));
    }
}

/// Rights from before there were patterns for writing count as they did.
#[tokio::test]
async fn a_right_of_before_has_the_same_patterns_for_reading_and_writing() {
    for database in [TestDatabase::empty_sqlite().await, TestDatabase::empty_postgres().await] {
        let store = database.store();
        Migrator::up(store.database(), Some(3)).await.unwrap();
        for old in [
            "INSERT INTO oauth_user (id, username, username_key, is_admin, disabled, created_at) \
             VALUES ('u', 'Ada', 'ada', false, false, 7)",
            "INSERT INTO oauth_access_right (user_id, api, access, paths) \
             VALUES ('u', 'connection', 'write', '[\"single/*\"]')",
        ] {
            store.database().execute_unprepared(old).await.unwrap();
        }
        store.migrate().await.unwrap();
        let rights = store.rights(&UserId::new("u")).await.unwrap();
        let both = serde_json::json!({"read": ["single/*"], "write": ["single/*"]});
        assert_eq!(rights[0].claim(), Some(("x-nmos-connection".into(), both)));
    }
}

/// What no version of this crate wrote is an error.
#[tokio::test]
async fn a_damaged_row_is_an_error() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let store = database.store();
        let damage = async |sql: &str| {
            let changed = store.database().execute_unprepared(sql).await.unwrap();
            assert_eq!(changed.rows_affected(), 1, "{sql}");
        };
        for (id, column, value) in [
            ("1", "metadata", "'{'"),
            ("2", "metadata", "'{\"subject_type\":\"secret\"}'"),
            ("3", "auth_method", "'client_secret_jwt'"),
            ("4", "auth_method", "'tls_client_auth'"),
        ] {
            let id = ClientId::new(id);
            assert!(store.insert_client(fixtures::client(id.as_str())).await.unwrap());
            damage(&format!("UPDATE oauth_client SET {column} = {value} WHERE id = '{id}'")).await;
            assert!(store.client(&id).await.is_err(), "{column} {value}");
        }
        let given = Issuance {
            consume: Consume::Nothing,
            parent: Parent::New(fixtures::openid_authorization("x", "s")),
            code: Some(fixtures::code("code")),
            tokens: vec![fixtures::access("token")],
            consent: None,
            at: fixtures::NOW,
        };
        assert_eq!(store.commit(given).await.unwrap(), Committed::Done);
        damage("UPDATE oauth_authorization SET openid = 'x'").await;
        assert!(store.code(&fixtures::hash("code")).await.is_err());
        assert!(store.token(&fixtures::hash("token")).await.is_err());
        assert_eq!(store.end_session("s", fixtures::NOW).await.unwrap().len(), 1);
        damage("UPDATE oauth_logout_notice SET attempts = -1").await;
        assert!(store.due_logouts(fixtures::NOW, fixtures::NOW, 1).await.is_err());
    }
}

#[tokio::test]
async fn every_entity_fits_its_table() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let store = database.store();
        people(&store).await;
        clients(&store).await;
        authorizations_and_codes(&store).await;
        tokens(&store).await;
        sessions(&store).await;
        rest(&store).await;
    }
}

fn text(prefix: &str) -> String {
    prefix.repeat(300)
}

async fn people(store: &SeaStore) {
    use entity::{access_right, user};
    let full = user::Model {
        id: "u1".into(),
        username: "Ada".into(),
        username_key: "ada".into(),
        password_hash: Some(text("phc")),
        is_admin: true,
        disabled: true,
        created_at: i64::MAX,
        profile: Some(text("p")),
        email: Some(text("e")),
        email_key: Some("ada@example.org".into()),
        email_verified: true,
        is_staff: true,
        visibility: Some(text("v")),
    };
    let bare = user::Model {
        id: "u2".into(),
        username_key: "bob".into(),
        password_hash: None,
        profile: None,
        email: None,
        email_key: None,
        visibility: None,
        ..full.clone()
    };
    fits::<user::Entity>(store, [full, bare]).await;
    let full = access_right::Model {
        user_id: "u1".into(),
        api: "connection".into(),
        access: "write".into(),
        paths: Some(text("p")),
        write_paths: Some(text("w")),
    };
    let bare = access_right::Model {
        user_id: "u2".into(),
        paths: None,
        write_paths: None,
        ..full.clone()
    };
    fits::<access_right::Entity>(store, [full, bare]).await;
}

async fn clients(store: &SeaStore) {
    use entity::{client, consent};
    let full = client::Model {
        id: "c1".into(),
        name: text("n"),
        uri: Some(text("u")),
        owner_id: Some("u1".into()),
        auth_method: "client_secret_basic".into(),
        secret_hash: Some(vec![1; 32]),
        secret_phc: Some(text("phc")),
        redirect_uris: text("r"),
        grant_types: text("g"),
        response_types: text("t"),
        scope: text("s"),
        access_token_format: Some("opaque".into()),
        access_token_ttl: Some(1),
        skip_consent: true,
        created_at: 1,
        secret_sealed: Some(vec![2; 3000]),
        metadata: Some(text("{}")),
        registration_token: Some(vec![3; 32]),
        expires_at: Some(i64::MAX),
    };
    let bare = client::Model {
        id: "c2".into(),
        uri: None,
        owner_id: None,
        secret_hash: None,
        secret_phc: None,
        access_token_format: None,
        access_token_ttl: None,
        secret_sealed: None,
        metadata: None,
        registration_token: None,
        expires_at: None,
        ..full.clone()
    };
    fits::<client::Entity>(store, [full, bare]).await;
    let full = consent::Model {
        user_id: "u1".into(),
        client_id: "c1".into(),
        scope: text("s"),
        given_at: 1,
    };
    let bare = consent::Model { client_id: "c2".into(), ..full.clone() };
    fits::<consent::Entity>(store, [full, bare]).await;
}

async fn authorizations_and_codes(store: &SeaStore) {
    use entity::{auth_code, authorization};
    let full = authorization::Model {
        id: Uuid::from_u128(1),
        client_id: "c1".into(),
        user_id: "u1".into(),
        scope: text("s"),
        created_at: 1,
        revoked_at: Some(2),
        keep_until: 3,
        sid: Some("s1".into()),
        acr: Some("a".repeat(255)),
        openid: Some(text("{}")),
    };
    let bare = authorization::Model {
        id: Uuid::from_u128(2),
        revoked_at: None,
        sid: None,
        acr: None,
        openid: None,
        ..full.clone()
    };
    fits::<authorization::Entity>(store, [full, bare]).await;
    let full = auth_code::Model {
        hash: vec![1; 32],
        authorization_id: Uuid::from_u128(1),
        client_id: "c1".into(),
        user_id: "u1".into(),
        auth_time: 1,
        amr: Some(text("a")),
        redirect_uri: Some(text("r")),
        scope: text("s"),
        resources: text("r"),
        challenge: Some(text("c")),
        expires_at: 1,
        consumed_at: Some(1),
    };
    let bare = auth_code::Model {
        hash: vec![2; 32],
        amr: None,
        redirect_uri: None,
        challenge: None,
        consumed_at: None,
        ..full.clone()
    };
    fits::<auth_code::Entity>(store, [full, bare]).await;
}

async fn tokens(store: &SeaStore) {
    use entity::token;
    let full = token::Model {
        hash: vec![1; 32],
        kind: "refresh".into(),
        authorization_id: Some(Uuid::from_u128(1)),
        client_id: "c1".into(),
        user_id: Some("u1".into()),
        auth_time: Some(1),
        amr: Some(text("a")),
        scope: text("s"),
        resources: text("r"),
        issued_at: 1,
        expires_at: 2,
        consumed_at: Some(3),
        revoked_at: Some(4),
        successor: Some(vec![2; 32]),
        response: Some(vec![3; 3000]),
    };
    let bare = token::Model {
        hash: vec![2; 32],
        authorization_id: None,
        user_id: None,
        auth_time: None,
        amr: None,
        consumed_at: None,
        revoked_at: None,
        successor: None,
        response: None,
        ..full.clone()
    };
    fits::<token::Entity>(store, [full, bare]).await;
}

async fn sessions(store: &SeaStore) {
    use entity::{logout_notice, session_client};
    let one = session_client::Model {
        sid: "s1".into(),
        client_id: "c1".into(),
        user_id: "u1".into(),
        expires_at: i64::MAX,
    };
    let other = session_client::Model { client_id: "c2".into(), ..one.clone() };
    fits::<session_client::Entity>(store, [one, other]).await;
    let one = logout_notice::Model {
        id: Uuid::from_u128(1),
        client_id: "c1".into(),
        user_id: "u1".into(),
        sid: "s1".into(),
        attempts: i32::MAX,
        created_at: 1,
        due_at: i64::MAX,
    };
    let other = logout_notice::Model { id: Uuid::from_u128(2), ..one.clone() };
    fits::<logout_notice::Entity>(store, [one, other]).await;
}

async fn rest(store: &SeaStore) {
    use entity::{cutoff, pending_authorization, seen, signing_key};
    let one = cutoff::Model { user_id: "u1".into(), epoch: i64::MAX, expires_at: Some(1) };
    let other = cutoff::Model { user_id: "u2".into(), epoch: 0, expires_at: None };
    fits::<cutoff::Entity>(store, [one, other]).await;
    let one = pending_authorization::Model {
        hash: vec![1; 32],
        client_id: "c1".into(),
        request: text("{}"),
        expires_at: 1,
    };
    let other = pending_authorization::Model { hash: vec![2; 32], ..one.clone() };
    fits::<pending_authorization::Entity>(store, [one, other]).await;
    let one = seen::Model { hash: vec![1; 32], kind: "jti".into(), expires_at: 1 };
    let other = seen::Model { hash: vec![2; 32], ..one.clone() };
    fits::<seen::Entity>(store, [one, other]).await;
    let full = signing_key::Model {
        kid: "k1".into(),
        alg: "ES256".into(),
        sequence: 1,
        sealed: vec![0; 3000],
        certificate: text("PEM"),
        publish_at: 1,
        sign_from: 2,
        retired_at: Some(3),
    };
    let bare =
        signing_key::Model { kid: "k2".into(), sequence: 2, retired_at: None, ..full.clone() };
    fits::<signing_key::Entity>(store, [full, bare]).await;
}
