//! The migrated schema beside the entities.

use oauth_core::{
    seaorm::{SeaStore, entity},
    testing::TestDatabase,
};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, Iterable,
    ModelTrait, Statement, prelude::Uuid,
};
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

#[tokio::test]
async fn every_entity_fits_its_table() {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        let store = database.store();
        people(&store).await;
        clients(&store).await;
        authorizations_and_codes(&store).await;
        tokens(&store).await;
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
    };
    let bare = user::Model {
        id: "u2".into(),
        username_key: "bob".into(),
        password_hash: None,
        ..full.clone()
    };
    fits::<user::Entity>(store, [full, bare]).await;
    let full = access_right::Model {
        user_id: "u1".into(),
        api: "connection".into(),
        access: "write".into(),
        paths: Some(text("p")),
    };
    let bare = access_right::Model { user_id: "u2".into(), paths: None, ..full.clone() };
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
    };
    let bare = client::Model {
        id: "c2".into(),
        uri: None,
        owner_id: None,
        secret_hash: None,
        secret_phc: None,
        access_token_format: None,
        access_token_ttl: None,
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
    };
    let bare = authorization::Model { id: Uuid::from_u128(2), revoked_at: None, ..full.clone() };
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

async fn rest(store: &SeaStore) {
    use entity::{pending_authorization, seen, signing_key};
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
