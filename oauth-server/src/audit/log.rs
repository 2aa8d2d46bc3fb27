//! The audit log: rows that are added and never changed, each sealed together with the one before it.
//!
//! A seal is made with a key that the database does not have. Whoever can write to the database and no more can
//! neither change a row nor take one out of the middle without it being seen. What was written last by a process that
//! has ended can be cut off unseen; only a copy kept elsewhere shows that.

use super::writer::{Job, Writer};
use crate::{entity::audit::Model, shell};
use oauth_core::{
    error::PortError,
    jose::Sealer,
    model::{ClientId, UserId},
    ports::{Clock, Random},
    seaorm::SeaStore,
};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// Rows that may wait to be written. Beyond that, requests wait, too.
const QUEUE: usize = 1024;
/// What the seals are for.
const PURPOSE: &[u8] = b"oauth-server: rows of the audit log";

macro_rules! kinds {
    ($($(#[doc = $text:literal])+ $kind:ident = $word:literal, $words:literal;)+) => {
        /// What a row is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $($(#[doc = $text])+ $kind,)+ }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The stored word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $word,)+ }
            }

            /// In words for people.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $words,)+ }
            }

            /// Reads the word back.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
            }
        }
    };
}

kinds! {
    /// A person let a client act.
    Authorized = "authorized", "Authorization";
    /// The token endpoint issued the first tokens for something.
    TokenIssued = "token_issued", "Token issued";
    /// The token endpoint refreshed tokens.
    Refreshed = "token_refreshed", "Token refreshed";
    /// A client took a token back.
    Revoked = "token_revoked", "Token revoked";
    /// A used-up credential came back.
    Replayed = "replayed", "Used-up credential came back";
    /// A client was registered.
    Registered = "client_registered", "Client registered";
    /// A client registered itself and awaits approval.
    RegistrationAsked = "client_asked", "Client asks for approval";
    /// An administrator approved of a client.
    Approved = "client_approved", "Client approved";
    /// An administrator refused a client.
    Disapproved = "client_refused", "Client refused";
    /// A client changed its registration.
    RegistrationChanged = "client_changed", "Client changed";
    /// A client was removed.
    RegistrationRemoved = "client_removed", "Client removed";
    /// An administrator made an initial access token.
    Invited = "invitation_made", "Initial access token made";
    /// An administrator took an initial access token back.
    Uninvited = "invitation_revoked", "Initial access token revoked";
    /// Second factors and passkeys of a person were taken away.
    FactorsReset = "factors_reset", "Second factors reset";
    /// An administrator set what a person may do.
    RightSet = "right_set", "Right set";
    /// A signing key was made or withdrawn.
    Key = "key", "Signing key";
}

/// A row to be written.
#[derive(Clone, Debug)]
pub struct Entry {
    pub(super) kind: Kind,
    pub(super) user: Option<String>,
    pub(super) client: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) grant_type: Option<String>,
    pub(super) address: Option<String>,
    pub(super) detail: Option<String>,
}

impl Entry {
    /// Something happened in the request that is served now, if any.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            user: None,
            client: None,
            scope: None,
            grant_type: None,
            address: shell::client_address().map(|address| address.0.to_string()),
            detail: None,
        }
    }

    /// By this person.
    #[must_use]
    pub fn user(self, user: &UserId) -> Self {
        Self { user: Some(user.as_str().to_owned()), ..self }
    }

    /// About this client.
    #[must_use]
    pub fn client(self, client: &ClientId) -> Self {
        Self { client: Some(client.as_str().to_owned()), ..self }
    }

    /// For this scope.
    #[must_use]
    pub fn scope(self, scope: &str) -> Self {
        Self { scope: Some(scope.to_owned()), ..self }
    }

    /// By this grant.
    #[must_use]
    pub fn grant_type(self, grant_type: &str) -> Self {
        Self { grant_type: Some(grant_type.to_owned()), ..self }
    }

    /// And this. Never a secret.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }
}

/// Makes and checks seals.
#[derive(Clone)]
pub(super) struct Seals(Arc<Sealer>);

impl Seals {
    /// The seal of a row, bound to the one before it. Everything else the row holds is in it, each part with its
    /// length, so that no two rows read the same.
    pub(super) fn of(&self, row: &Model) -> [u8; 32] {
        let mut text = row.previous.clone();
        let (at, sequence) = (row.at.to_string(), row.sequence.to_string());
        let parts = [
            Some(&row.chain),
            Some(&sequence),
            Some(&row.id),
            Some(&at),
            Some(&row.event),
            row.user_id.as_ref(),
            row.client_id.as_ref(),
            row.scope.as_ref(),
            row.grant_type.as_ref(),
            row.address.as_ref(),
            row.detail.as_ref(),
        ];
        for part in parts {
            match part {
                None => text.push(0),
                Some(part) => {
                    text.push(1);
                    text.extend((part.len() as u64).to_be_bytes());
                    text.extend(part.as_bytes());
                }
            }
        }
        self.0.tag(PURPOSE, &text)
    }
}

/// The audit log of one database. Clones are the same.
#[derive(Clone)]
pub struct AuditLog {
    pub(super) store: SeaStore,
    pub(super) seals: Seals,
    clock: Arc<dyn Clock>,
    queue: Option<mpsc::Sender<Job>>,
}

impl AuditLog {
    /// The log in this store; where it is off, nothing is written, and what is there can be read. A task writes it,
    /// which ends with the last clone.
    pub fn new(
        store: SeaStore,
        key: &[u8; 32],
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        enabled: bool,
    ) -> Self {
        let seals = Seals(Arc::new(Sealer::new(key)));
        let queue = enabled.then(|| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            let writer = Writer::new(store.clone(), seals.clone(), random);
            tokio::spawn(writer.run(receiver));
            sender
        });
        Self { store, seals, clock, queue }
    }

    /// Whether anything is written.
    pub const fn is_on(&self) -> bool {
        self.queue.is_some()
    }

    /// Writes a row, and comes back when it is in the database. Several that are written at once share a transaction.
    pub async fn write(&self, entry: Entry) -> Result<(), PortError> {
        let Some(queue) = &self.queue else { return Ok(()) };
        let (done, written) = oneshot::channel();
        let job = Job { entry, at: self.clock.now(), done };
        let stopped = |_| PortError::new("the audit log is no longer written");
        queue.send(job).await.map_err(|_| PortError::new("the audit log is no longer written"))?;
        if written.await.map_err(stopped)? {
            Ok(())
        } else {
            Err(PortError::new("the audit log cannot be written"))
        }
    }
}
