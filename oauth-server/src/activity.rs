//! What happened to accounts, for their people to see: who signed in, what was changed, what was allowed.
//!
//! Rows are only added, and go when they are old. They hold no secret, and of an address only the network.

use crate::{
    entity::activity::{ActiveModel, Column, Entity, Model},
    maintenance::delete_expired,
    shell,
    state::AppState,
};
use http::{HeaderMap, header};
use oauth_core::{
    error::{OAuthError, PortError},
    model::{Timestamp, UserId},
};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait as _, DatabaseTransaction, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

/// More of a text than this says nothing more.
const LONGEST: usize = 256;

/// Declares the kinds of deeds, each with its stored word and its sentence.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $text:literal;)+) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum What { $($(#[doc = $doc])+ $name,)+ }

        impl What {
            /// The stored word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The sentence for a stored word; `None` for a word of another version.
            pub fn sentence(word: &str) -> Option<&'static str> {
                match word { $($word => Some($text),)+ _ => None }
            }
        }
    };
}

kinds! {
    /// An application was allowed to do something.
    ApplicationAllowed = "application_allowed", "You allowed an application to act for you";
    /// What an application may do was taken back.
    ApplicationRevoked = "application_revoked", "You took back what an application may do";
    /// The data about the person was downloaded.
    DataExported = "data_exported", "You downloaded your data";
    /// Another e-mail address.
    EmailChanged = "email_changed", "Your e-mail address was changed";
    /// A passkey was added.
    PasskeyAdded = "passkey_added", "A passkey was added";
    /// A passkey counted less than before.
    PasskeyRefused = "passkey_refused", "A passkey was refused: it counted less than before, so there may be a copy of it";
    /// A passkey was removed.
    PasskeyRemoved = "passkey_removed", "A passkey was removed";
    /// A passkey has another name.
    PasskeyRenamed = "passkey_renamed", "A passkey was given another name";
    /// Another password.
    PasswordChanged = "password_changed", "Your password was changed";
    /// A first password.
    PasswordSet = "password_set", "A password was set";
    /// The profile was changed.
    ProfileChanged = "profile_changed", "Your profile was changed";
    /// A recovery code was used.
    RecoveryCodeUsed = "recovery_code_used", "A recovery code was used";
    /// New recovery codes.
    RecoveryCodesRenewed = "recovery_codes_renewed", "New recovery codes were made";
    /// A second factor was set up.
    SecondFactorAdded = "second_factor_added", "A second factor was set up";
    /// The password was right, the second factor was not.
    SecondFactorRefused = "second_factor_refused", "A wrong second factor was given after the right password";
    /// The second factor was taken away.
    SecondFactorRemoved = "second_factor_removed", "Your second factor was taken away";
    /// Sessions were ended.
    SessionsEnded = "sessions_ended", "You signed other browsers out";
    /// Somebody signed in.
    SignedIn = "signed_in", "Signed in";
}

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Deed {
    what: What,
    about: Option<String>,
    network: Option<String>,
    user_agent: Option<String>,
}

impl Deed {
    /// Done by the request that is being answered, which has these headers.
    pub fn of(what: What, headers: &HeaderMap) -> Self {
        let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok());
        let network = shell::client_address().map(crate::address::ClientAddress::network);
        Self { what, about: None, network, user_agent: agent.map(shortened) }
    }

    /// Done by those who run the server. Where they were is not told.
    pub fn of_operator(what: What) -> Self {
        let who = "The people who run this server".to_owned();
        Self { what, about: None, network: None, user_agent: Some(who) }
    }

    /// Says what it was about. Never a secret.
    #[must_use]
    pub fn about(mut self, about: &str) -> Self {
        self.about = Some(shortened(about));
        self
    }
}

fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

/// Notes a deed in the transaction of what was done.
pub async fn record(
    t: &DatabaseTransaction,
    user: &UserId,
    at: Timestamp,
    deed: Deed,
) -> Result<(), PortError> {
    let row = ActiveModel {
        id: NotSet,
        user_id: Set(user.as_str().to_owned()),
        at: Set(at.unix()),
        what: Set(deed.what.as_str().to_owned()),
        about: Set(deed.about),
        network: Set(deed.network),
        user_agent: Set(deed.user_agent),
    };
    Entity::insert(row).exec_without_returning(t).await?;
    Ok(())
}

/// Notes a deed that is done already. That it cannot be noted undoes nothing, and is logged.
pub async fn note(state: &AppState, user: &UserId, deed: Deed) {
    let (user, at) = (user.clone(), state.now());
    let noted =
        state.store.write(move |t| Box::pin(async move { record(t, &user, at, deed).await }));
    if let Err(e) = noted.await {
        tracing::error!(causes = OAuthError::from(e).causes(), "a deed could not be noted");
    }
}

/// What happened to an account last, the latest first.
pub async fn latest(state: &AppState, user: &UserId, most: u64) -> Result<Vec<Model>, PortError> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user.as_str()))
        .order_by_desc(Column::Id)
        .limit(most)
        .all(state.store.database())
        .await?;
    Ok(rows)
}

/// Deletes at most `limit` rows that are older than the configuration keeps them.
pub async fn sweep(state: &AppState, limit: u64) -> Result<u64, PortError> {
    let before = state.now().minus(state.config.activity.keep).unix();
    delete_expired::<Entity>(&state.store, Column::Id, Column::At, before, limit).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_and_a_sentence() {
        assert_eq!(What::sentence(What::SignedIn.as_str()), Some("Signed in"));
        assert_eq!(What::sentence("something else"), None);
    }

    #[test]
    fn texts_are_short_and_without_control_characters() {
        let headers = HeaderMap::new();
        let deed = Deed::of(What::SignedIn, &headers).about(&format!("a\n{}", "b".repeat(999)));
        let about = deed.about.unwrap();
        assert!(about.starts_with("ab") && about.len() == LONGEST);
    }
}
