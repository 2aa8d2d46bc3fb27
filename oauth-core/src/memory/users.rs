//! People.

use super::MemoryStore;
use crate::{
    error::PortError,
    model::{AccessRight, HashedToken, User, UserId},
    ports::{SignIn, Users},
};
use async_trait::async_trait;
use serde_json::{Map, Value};

#[async_trait]
impl Users for MemoryStore {
    async fn user(&self, id: &UserId) -> Result<Option<User>, PortError> {
        Ok(self.lock().people.values().map(|p| &p.user).find(|u| u.id == *id).cloned())
    }

    async fn sign_in(&self, name: &str, password: &str) -> Result<SignIn, PortError> {
        let state = self.lock();
        let nobody = HashedToken::of("");
        let person = state.people.get(&name.to_lowercase());
        let fits = person.map_or(&nobody, |p| &p.password).matches(password);
        Ok(match person {
            Some(person) if fits => SignIn::Accepted(person.user.id.clone()),
            _ => SignIn::Refused,
        })
    }

    async fn profile(&self, id: &UserId) -> Result<Map<String, Value>, PortError> {
        Ok(self.lock().profiles.get(id).cloned().unwrap_or_default())
    }

    async fn rights(&self, id: &UserId) -> Result<Vec<AccessRight>, PortError> {
        let mut found: Vec<_> =
            self.lock().rights.iter().filter(|r| r.user == *id).cloned().collect();
        found.sort_by(|a, b| a.api.cmp(&b.api));
        Ok(found)
    }
}
