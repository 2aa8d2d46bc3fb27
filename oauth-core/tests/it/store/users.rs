//! People in the database, and their passwords.

use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    model::{
        Access, AccessRight, ClientId, Committed, Consume, Issuance, NewAuthorization, Parent,
        Role, User, UserId,
    },
    password::Argon2Passwords,
    ports::{ClientStore, GrantStore, Passwords, SignIn, Users, Verdict},
    seaorm::{
        NewUser, SeaStore, new_user_id,
        people::{self, EmailChange},
    },
    testing::{SeededRandom, TestDatabase, fixtures::*, profile, profile_laws, user_laws},
};
use sea_orm::ConnectionTrait;
use serde_json::{Map, Value};

fn new_user(id: &str, username: &str) -> NewUser {
    NewUser::new(UserId::new(id), username, NOW)
}

async fn on_both(test: impl AsyncFn(SeaStore)) {
    for database in [TestDatabase::sqlite().await, TestDatabase::postgres().await] {
        test(database.store()).await;
    }
}

#[tokio::test]
async fn a_user_signs_in_with_a_password() {
    on_both(async |store| {
        let passwords = Argon2Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        let new = NewUser { password_hash: Some(hash), ..new_user("u", "Ada") };
        assert_eq!(store.create_user(new).await.unwrap(), Some(UserId::new("u")));
        assert_eq!(
            store.create_user(new_user("bare", "bare")).await.unwrap(),
            Some(UserId::new("bare"))
        );
        let ada = User { id: UserId::new("u"), username: "Ada".to_owned() };
        user_laws(&store, &ada, "correct horse").await;
        for tried in ["", "bare", "correct horse"] {
            assert_eq!(store.sign_in("bare", tried).await.unwrap(), SignIn::Refused);
        }
        assert!(store.set_disabled(&ada.id, true).await.unwrap());
        assert_eq!(store.sign_in("ada", "correct horse").await.unwrap(), SignIn::Refused);
        assert_eq!(store.user(&ada.id).await.unwrap(), None);
        assert!(store.account(&ada.id).await.unwrap().unwrap().disabled);
        assert!(store.set_disabled(&ada.id, false).await.unwrap());
        let hash = passwords.hash("battery staple").await.unwrap();
        assert!(store.set_password_hash(&ada.id, Some(hash)).await.unwrap());
        assert_eq!(store.sign_in("ada", "correct horse").await.unwrap(), SignIn::Refused);
        user_laws(&store, &ada, "battery staple").await;
    })
    .await;
}

#[tokio::test]
async fn a_name_is_taken_whatever_its_case() {
    on_both(async |store| {
        assert!(!store.has_users().await.unwrap());
        assert!(store.create_user(new_user("u", "Ünal")).await.unwrap().is_some());
        assert!(store.create_user(new_user("v", "üNAL")).await.unwrap().is_none());
        assert!(store.create_user(new_user("v", "Bob")).await.unwrap().is_some());
        assert!(store.has_users().await.unwrap());
        let found = store.account_by_name("ÜNAL").await.unwrap().unwrap();
        assert_eq!((found.id.as_str(), found.username.as_str()), ("u", "Ünal"));
        assert!(!found.has_password && !found.is_admin && !found.disabled);
        assert_eq!(found.created_at, NOW);
        assert_eq!(store.account_by_name("nobody").await.unwrap(), None);
        assert_eq!(store.account_by_name("nul\0").await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_confirmed_address_is_one_users_and_a_way_to_sign_in() {
    on_both(async |store| {
        let passwords = Argon2Passwords::default();
        let hash = passwords.hash("correct horse").await.unwrap();
        let ada = NewUser {
            password_hash: Some(hash),
            email: Some("Ada@Example.org".into()),
            email_verified: true,
            ..new_user("a", "ada")
        };
        let ada = store.create_user(ada).await.unwrap().unwrap();
        let accepted = SignIn::Accepted(ada.clone());
        for name in ["ada", "ADA", "ada@example.org", " ADA@EXAMPLE.ORG "] {
            assert_eq!(store.sign_in(name, "correct horse").await.unwrap(), accepted, "{name}");
        }
        assert_eq!(
            store.sign_in("ada@example.com", "correct horse").await.unwrap(),
            SignIn::Refused
        );
        let found = store.account_by_email("ada@EXAMPLE.org").await.unwrap().unwrap();
        assert_eq!((found.id, found.email.as_deref()), (ada.clone(), Some("Ada@Example.org")));
        assert_eq!(store.account_by_email("nul\0@example.org").await.unwrap(), None);
        let same = NewUser {
            email: Some("ada@example.org".into()),
            email_verified: true,
            ..new_user("b", "bob")
        };
        assert_eq!(store.create_user(same.clone()).await.unwrap(), None);
        // What nobody confirmed keeps nobody out, and lets nobody in.
        let bob = NewUser { email_verified: false, ..same };
        let bob = store.create_user(bob).await.unwrap().unwrap();
        assert_eq!(store.account(&bob).await.unwrap().unwrap().role(), Role::Guest);
        assert_eq!(store.account_by_email("ada@example.org").await.unwrap().unwrap().id, ada);
        let email = Some("ada@example.org");
        assert_eq!(store.set_email(&bob, email, true).await.unwrap(), EmailChange::Taken);
        assert_eq!(store.set_email(&ada, None, true).await.unwrap(), EmailChange::Done);
        assert_eq!(store.set_email(&bob, email, true).await.unwrap(), EmailChange::Done);
        assert_eq!(store.account_by_email("ada@example.org").await.unwrap().unwrap().id, bob);
        let nobody = UserId::new("nobody");
        assert_eq!(store.set_email(&nobody, None, false).await.unwrap(), EmailChange::Unknown);
        // A name that is an address is no way around it, in either direction.
        assert_eq!(store.create_user(new_user("c", "Ada@example.org")).await.unwrap(), None);
        store.create_user(new_user("d", "dora@example.org")).await.unwrap().unwrap();
        let dora = Some("dora@example.org");
        assert_eq!(store.set_email(&ada, dora, true).await.unwrap(), EmailChange::Taken);
        assert_eq!(
            store.set_email(&UserId::new("d"), dora, true).await.unwrap(),
            EmailChange::Done
        );
    })
    .await;
}

#[tokio::test]
async fn an_address_is_told_instead_of_one_in_the_profile() {
    on_both(async |store| {
        let user = store.create_user(new_user("u", "u")).await.unwrap().unwrap();
        store.set_profile(&user, profile()).await.unwrap();
        let email = Some("new@example.org");
        assert_eq!(store.set_email(&user, email, false).await.unwrap(), EmailChange::Done);
        let told = store.profile(&user).await.unwrap();
        assert_eq!(
            (&told["email"], &told["email_verified"]),
            (&"new@example.org".into(), &false.into())
        );
    })
    .await;
}

#[tokio::test]
async fn roles_are_derived() {
    on_both(async |store| {
        let user = store.create_user(new_user("u", "u")).await.unwrap().unwrap();
        let role = async || store.account(&user).await.unwrap().unwrap().role();
        assert_eq!(role().await, Role::Registered, "let in without an address");
        let email = Some("u@example.org");
        assert_eq!(store.set_email(&user, email, false).await.unwrap(), EmailChange::Done);
        assert_eq!(role().await, Role::Guest);
        assert_eq!(store.set_email(&user, email, true).await.unwrap(), EmailChange::Done);
        assert_eq!(role().await, Role::Registered);
        assert!(store.set_staff(&user, true).await.unwrap());
        assert_eq!(role().await, Role::Staff);
        assert!(store.set_admin(&user, true).await.unwrap());
        assert_eq!(role().await, Role::Admin);
    })
    .await;
}

#[tokio::test]
async fn a_work_that_fails_leaves_people_as_they_were() {
    on_both(async |store| {
        let user = store.create_user(new_user("u", "u")).await.unwrap().unwrap();
        let held = user.clone();
        let outcome: Result<(), _> = store
            .write(move |on| {
                Box::pin(async move {
                    assert!(people::hold(on, &held).await?.is_some());
                    assert!(people::insert(on, new_user("v", "v")).await?);
                    assert!(people::set_password_hash(on, &held, Some("x".into())).await?);
                    assert!(people::remove_user(on, &held).await?);
                    Err(PortError::new("no"))
                })
            })
            .await;
        assert!(outcome.is_err());
        assert!(!store.account(&user).await.unwrap().unwrap().has_password);
        assert_eq!(store.account_by_name("v").await.unwrap(), None);
        assert!(store.set_disabled(&user, true).await.unwrap());
        let set = store.write(move |on| {
            Box::pin(async move { people::set_password_hash(on, &user, None).await })
        });
        assert!(!set.await.unwrap(), "nobody who is locked out gets another password");
    })
    .await;
}

#[tokio::test]
async fn users_are_listed_and_changed() {
    on_both(async |store| {
        for name in ["carol", "Ada", "bob"] {
            store.create_user(new_user(name, name)).await.unwrap();
        }
        let names = async |after, limit| -> Vec<String> {
            let found = store.accounts(after, limit).await.unwrap();
            found.into_iter().map(|a| a.username).collect()
        };
        assert_eq!(names(None, 2).await, ["Ada", "bob"]);
        assert_eq!(names(Some("BOB"), 2).await, ["carol"]);
        let bob = UserId::new("bob");
        assert!(store.set_admin(&bob, true).await.unwrap());
        assert!(store.account(&bob).await.unwrap().unwrap().is_admin);
        let nobody = UserId::new("nobody");
        assert!(!store.set_admin(&nobody, true).await.unwrap());
        assert!(!store.set_disabled(&nobody, true).await.unwrap());
        assert!(!store.set_password_hash(&nobody, None).await.unwrap());
        assert_eq!(store.account(&nobody).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn a_profile_is_replaced_as_a_whole() {
    on_both(async |store| {
        let user = store.create_user(new_user("u", "u")).await.unwrap().unwrap();
        let other = store.create_user(new_user("v", "v")).await.unwrap().unwrap();
        assert_eq!(store.profile(&user).await.unwrap(), Map::new());
        let first = Map::from_iter([("nickname".to_owned(), Value::from("A"))]);
        assert!(store.set_profile(&user, first.clone()).await.unwrap());
        assert_eq!(store.profile(&user).await.unwrap(), first);
        let mut said = profile();
        said.insert("sub".to_owned(), "somebody else".into());
        assert!(store.set_profile(&user, said).await.unwrap());
        profile_laws(&store, &user, &other).await;
        assert!(!store.set_profile(&UserId::new("nobody"), first).await.unwrap());
        assert!(store.set_profile(&user, Map::new()).await.unwrap());
        assert_eq!(store.profile(&user).await.unwrap(), Map::new());
        // What is not an object is not a profile.
        let damage = "UPDATE oauth_user SET profile = '[]' WHERE id = 'u'";
        store.database().execute_unprepared(damage).await.unwrap();
        assert!(store.profile(&user).await.is_err());
        assert!(store.profile(&other).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn rights_are_replaced_as_a_whole() {
    on_both(async |store| {
        let user = store.create_user(new_user("u", "u")).await.unwrap().unwrap();
        let right = |api: &str, access, paths: &[&str]| AccessRight {
            paths: paths.iter().map(|&p| p.to_owned()).collect(),
            ..AccessRight::new(user.clone(), api, access)
        };
        let first = vec![
            right("connection", Access::Write, &["single/*", "bulk/*"]),
            right("node", Access::None, &[]),
            AccessRight {
                write_paths: vec!["subscriptions".into()],
                ..right("query", Access::Write, &["nodes/*"])
            },
        ];
        store.set_rights(&user, first.iter().rev().cloned().collect()).await.unwrap();
        assert_eq!(store.rights(&user).await.unwrap(), first);
        let second = vec![right("node", Access::Read, &[])];
        store.set_rights(&user, second.clone()).await.unwrap();
        assert_eq!(store.rights(&user).await.unwrap(), second);
        store.set_rights(&user, Vec::new()).await.unwrap();
        assert_eq!(store.rights(&user).await.unwrap(), []);
        let nobody = UserId::new("nobody");
        assert!(store.set_rights(&nobody, second).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn removal_takes_everything_of_a_user() {
    on_both(async |store| {
        let user = store.create_user(new_user("u", "u")).await.unwrap().unwrap();
        store.create_user(new_user("v", "v")).await.unwrap();
        let right = AccessRight::new(user.clone(), "a", Access::Read);
        store.set_rights(&user, vec![right]).await.unwrap();
        let mut made = client("made");
        made.owner = Some(user.clone());
        assert!(store.insert_client(made).await.unwrap());
        assert!(store.insert_client(client("c")).await.unwrap());
        let given = Issuance {
            consume: Consume::Nothing,
            parent: Parent::New(openid_authorization("x", "s")),
            code: None,
            tokens: vec![access("t")],
            consent: Some(consent("a")),
            at: NOW,
        };
        let earlier =
            Issuance { parent: Parent::New(openid_authorization("y", "r")), ..given.clone() };
        let earlier = Issuance { tokens: Vec::new(), ..earlier };
        assert_eq!(store.commit(earlier).await.unwrap(), Committed::Done);
        assert_eq!(store.end_session("r", NOW).await.unwrap().len(), 1);
        assert_eq!(store.commit(given).await.unwrap(), Committed::Done);
        assert!(store.remove_user(&user).await.unwrap());
        assert!(!store.remove_user(&user).await.unwrap());
        assert_eq!(store.account(&user).await.unwrap(), None);
        assert_eq!(store.rights(&user).await.unwrap(), []);
        assert_eq!(store.token(&hash("t")).await.unwrap(), None);
        assert_eq!(store.consents(&user).await.unwrap(), []);
        assert_eq!(store.end_session("s", NOW).await.unwrap(), []);
        assert_eq!(store.due_logouts(NOW, NOW, 9).await.unwrap(), []);
        assert_eq!(store.client(&ClientId::new("made")).await.unwrap(), None);
        assert!(store.client(&ClientId::new("c")).await.unwrap().is_some());
        assert!(store.account_by_name("v").await.unwrap().is_some());
    })
    .await;
}

#[test]
fn identifiers_are_of_version_7() {
    let random = SeededRandom::new(1);
    let one = new_user_id(NOW, &random);
    let other = new_user_id(NOW, &random);
    assert_ne!(one, other);
    for id in [one, other] {
        let id: uuid::Uuid = id.as_str().parse().unwrap();
        assert_eq!(id.get_version_num(), 7);
        assert_eq!(id.get_timestamp().unwrap().to_unix().0, NOW.unix().unsigned_abs());
    }
}

/// Always busy.
struct Full;

#[async_trait]
impl Passwords for Full {
    async fn hash(&self, _: &str) -> Result<String, PortError> {
        Err(PortError::new("busy"))
    }

    async fn verify(&self, _: Option<&str>, _: &str) -> Result<Verdict, PortError> {
        Ok(Verdict::Busy)
    }
}

#[tokio::test]
async fn too_many_checks_are_no_refusal() {
    on_both(async |store| {
        let store = store.with_passwords(Full);
        let answer = store.sign_in("nobody", "x").await.unwrap();
        assert!(matches!(answer, SignIn::Throttled(seconds) if seconds > 0));
    })
    .await;
}

/// Whoever is in the middle of letting a client act when the account goes does not.
#[tokio::test]
async fn what_a_removed_user_began_is_not_written() {
    on_both(async |store| {
        let user = store.create_user(new_user("u", "u")).await.unwrap().unwrap();
        let since = Some(store.epoch().await.unwrap());
        assert!(store.remove_user(&user).await.unwrap());
        let given = Issuance {
            consume: Consume::Nothing,
            parent: Parent::New(NewAuthorization { since, ..authorization("x") }),
            code: None,
            tokens: vec![access("t")],
            consent: Some(consent("a")),
            at: NOW,
        };
        assert_eq!(store.commit(given).await.unwrap(), Committed::Revoked);
        assert_eq!(store.token(&hash("t")).await.unwrap(), None);
        assert_eq!(store.consents(&user).await.unwrap(), []);
    })
    .await;
}
