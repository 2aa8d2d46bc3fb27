//! Adding a passkey to the account of somebody who is signed in.

use super::{Begun, Kind, Refusal, key, read};
use crate::{
    activity::{self, Deed},
    entity::{
        passkey::{ActiveModel, Column, Entity},
        passkey_holder as holder,
    },
    passkeys::{MOST, Passkeys, held},
    people::Event,
};
use http::HeaderMap;
use oauth_core::{
    error::PortError,
    model::{User, UserId},
    seaorm::UserAccount,
};
use sea_orm::{
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, PaginatorTrait as _, QueryFilter as _,
    Set, TryInsertResult, prelude::Uuid, sea_query::OnConflict,
};
use serde::Deserialize;
use serde_json::json;
use uuid::Builder;
use webauthn_rs::prelude::{CredentialID, Passkey, PasskeyRegistration};

/// What came of writing a passkey down.
enum Written {
    Done,
    Known,
    Many,
}

/// What is read out of a credential for lists: the library shows nothing of it.
#[derive(Deserialize)]
struct Kept {
    cred: Backup,
}

#[derive(Deserialize)]
struct Backup {
    backup_eligible: bool,
    counter: u32,
}

impl Passkeys {
    /// Begins to add a passkey. It must be one that can be found without a name, on an authenticator that checks who
    /// holds it.
    pub async fn begin_adding(&self, headers: &HeaderMap, user: &User) -> Result<Begun, Refusal> {
        let webauthn = self.webauthn()?;
        let known = self.list(&user.id).await?;
        if known.len() as u64 >= MOST {
            return Err(Refusal::Many);
        }
        let credentials: Vec<Passkey> = known
            .iter()
            .map(|row| serde_json::from_str(&row.credential))
            .collect::<Result<_, _>>()
            .map_err(PortError::new)?;
        let excluded: Vec<CredentialID> =
            credentials.iter().map(|passkey| passkey.cred_id().clone()).collect();
        let handle = self.handle(&user.id).await?;
        let name = &user.username;
        let (mut options, state) =
            webauthn.start_passkey_registration(handle, name, name, Some(excluded))?;
        // The library discourages what sign-in without a name needs.
        let selection = json!({
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        });
        options.public_key.authenticator_selection =
            Some(serde_json::from_value(selection).map_err(PortError::new)?);
        let cookie = self.suspend(headers, Kind::Register, Some(&user.id), &state).await?;
        let options = serde_json::to_value(options).map_err(PortError::new)?;
        Ok(Begun { options, cookie })
    }

    /// Adds the passkey that an authenticator made, under a name, and has its owner told.
    pub async fn finish_adding(
        &self,
        headers: &HeaderMap,
        user: &UserId,
        (answer, name): (&str, String),
        deed: Deed,
    ) -> Result<(), Refusal> {
        let webauthn = self.webauthn()?;
        let state: PasskeyRegistration = self.resume(headers, Kind::Register, Some(user)).await?;
        let passkey = webauthn.finish_passkey_registration(&read(answer)?, &state)?;
        let credential = serde_json::to_string(&passkey).map_err(PortError::new)?;
        let kept: Kept = serde_json::from_str(&credential).map_err(PortError::new)?;
        let row = ActiveModel {
            id: Set(self.number()),
            user_id: Set(user.as_str().to_owned()),
            credential_hash: Set(key(passkey.cred_id())),
            credential: Set(credential),
            name: Set(name.clone()),
            synced: Set(kept.cred.backup_eligible),
            sign_count: Set(kept.cred.counter.into()),
            created_at: Set(self.now().unix()),
            last_used_at: Set(None),
        };
        let (passkeys, user) = (self.clone(), user.clone());
        let deed = deed.about(&name);
        let written = self.store.write(move |t| {
            Box::pin(async move { passkeys.insert(t, &user, (row, &name), deed).await })
        });
        match written.await? {
            Written::Done => Ok(()),
            Written::Known => Err(Refusal::Known),
            Written::Many => Err(Refusal::Many),
        }
    }

    async fn insert(
        &self,
        t: &DatabaseTransaction,
        user: &UserId,
        (row, name): (ActiveModel, &str),
        deed: Deed,
    ) -> Result<Written, PortError> {
        let Some(owner) = held(t, user).await? else {
            return Err(PortError::new("the user is gone"));
        };
        let of_user = Entity::find().filter(Column::UserId.eq(user.as_str()));
        if of_user.count(t).await? >= MOST {
            return Ok(Written::Many);
        }
        let once = OnConflict::column(Column::CredentialHash).do_nothing().to_owned();
        let inserted = Entity::insert(row).on_conflict(once).try_insert();
        if matches!(
            inserted.exec_without_returning(t).await?,
            TryInsertResult::Inserted(0) | TryInsertResult::Conflicted
        ) {
            return Ok(Written::Known);
        }
        self.notices.tell(t, Event::PasskeyAdded(name), &UserAccount::from(owner)).await?;
        activity::record(t, user, self.now(), deed).await?;
        Ok(Written::Done)
    }

    /// Whom authenticators know a user by: made once, the same for all passkeys of the user.
    async fn handle(&self, user: &UserId) -> Result<Uuid, PortError> {
        let row = holder::ActiveModel {
            user_id: Set(user.as_str().to_owned()),
            handle: Set(self.number()),
        };
        let id = user.as_str().to_owned();
        let kept = self.store.write(move |t| {
            Box::pin(async move {
                let once = OnConflict::column(holder::Column::UserId).do_nothing().to_owned();
                let insert = holder::Entity::insert(row).on_conflict(once).try_insert();
                insert.exec_without_returning(t).await?;
                Ok(holder::Entity::find_by_id(id).one(t).await?)
            })
        });
        let kept = kept.await?.ok_or_else(|| PortError::new("a user handle was not kept"))?;
        Ok(kept.handle)
    }

    fn number(&self) -> Uuid {
        let mut bytes = [0; 16];
        self.random.fill(&mut bytes);
        Builder::from_random_bytes(bytes).into_uuid()
    }
}
