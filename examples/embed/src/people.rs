//! My people: any table, directory or service behind two methods.

use async_trait::async_trait;
use oauth_core::{
    error::PortError,
    model::{Client, Scope, User, UserId},
    password::Argon2Passwords,
    ports::{Claims, Passwords as _, SignIn, Users, Verdict},
};
use serde_json::{Map, Value, json};

/// One person per row.
pub(crate) struct People {
    passwords: Argon2Passwords,
    rows: Vec<Person>,
}

struct Person {
    user: User,
    password: String,
}

/// Ada, whose password is `correct horse`.
pub(crate) async fn mine() -> anyhow::Result<People> {
    let passwords = Argon2Passwords::default();
    let ada = Person {
        user: User { id: UserId::new("7"), username: "ada".into() },
        password: passwords.hash("correct horse").await?,
    };
    Ok(People { passwords, rows: vec![ada] })
}

#[async_trait]
impl Users for People {
    async fn user(&self, id: &UserId) -> Result<Option<User>, PortError> {
        let row = self.rows.iter().find(|p| p.user.id == *id);
        Ok(row.map(|p| p.user.clone()))
    }

    async fn sign_in(&self, name: &str, password: &str) -> Result<SignIn, PortError> {
        let row = self.rows.iter().find(|p| p.user.username == name);
        // With nobody of that name the same work is done, so that nobody can tell by the time it takes.
        let phc = row.map(|p| p.password.as_str());
        Ok(match (self.passwords.verify(phc, password).await?, row) {
            (Verdict::Right, Some(person)) => SignIn::Accepted(person.user.id.clone()),
            (Verdict::Busy, _) => SignIn::Throttled(1),
            _ => SignIn::Refused,
        })
    }
}

/// My claims: the team somebody is in.
pub(crate) struct Teams;

#[async_trait]
impl Claims for Teams {
    async fn claims(
        &self,
        user: Option<&UserId>,
        _: &Client,
        _: &Scope,
    ) -> Result<Map<String, Value>, PortError> {
        let team = user.map(|_| ("team".to_owned(), json!("the engine room")));
        Ok(team.into_iter().collect())
    }
}
