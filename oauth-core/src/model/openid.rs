//! What OpenID Connect adds to an authorization.

use super::{ClientId, HashedToken, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};
use uuid::Uuid;

/// What of an OpenID Connect request outlives its answer: id tokens and userinfo are made by it. Kept with the
/// authorization, so that a refresh tells the client the same as the first answer did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OpenidContext {
    /// The `nonce` of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The claims asked for one by one.
    #[serde(skip_serializing_if = "ClaimsRequest::is_empty")]
    pub claims: ClaimsRequest,
}

/// The `claims` parameter ([OpenID Connect Core 5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimsRequest {
    /// Asked for at the userinfo endpoint.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, ClaimRequest>,
    /// Asked for in id tokens.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, ClaimRequest>,
}

impl ClaimsRequest {
    /// Whether no claim was asked for by name.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The names of all claims asked for.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.userinfo.keys().chain(self.id_token.keys()).map(String::as_str)
    }

    /// Leaves out the claims whose names are not to be kept.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.userinfo.retain(|name, _| keep(name));
        self.id_token.retain(|name, _| keep(name));
    }
}

/// How one claim was asked for ([OpenID Connect Core 5.5.1](https://openid.net/specs/openid-connect-core-1_0.html#IndividualClaimsRequests)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRequest {
    /// Whether the client cannot go on without it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The value it is to have; the list is empty when any will do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

/// A client that has received an id token in a browser session, and is told when that session ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Participant {
    /// The client.
    pub client: ClientId,
    /// Who was signed in.
    pub user: UserId,
    /// The session.
    pub sid: String,
}

/// A logout of which a client is still to be told
/// ([OpenID Connect Back-Channel Logout 2.5](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogoutNotice {
    /// Its identifier.
    pub id: Uuid,
    /// Who is to be told, of whom and of which session.
    pub participant: Participant,
    /// How often it was tried.
    pub attempts: u32,
    /// When the session ended.
    pub created_at: Timestamp,
}

impl LogoutNotice {
    /// After this time nobody is told any more, whatever the reason.
    pub const KEPT_FOR: Duration = Duration::from_hours(7 * 24);

    /// The first notice of a session's end. Its identifier follows from the rest, so a session that is ended
    /// twice in a second is told of once.
    pub fn new(participant: Participant, at: Timestamp) -> Self {
        let Participant { client, user, sid } = &participant;
        let (sid_len, client_len) = (sid.len(), client.as_str().len());
        let all = format!("{sid_len} {sid} {client_len} {client} {} {user}", at.unix());
        let mut bytes = [0; 16];
        for (to, from) in bytes.iter_mut().zip(HashedToken::of(&all).as_bytes()) {
            *to = *from;
        }
        let id = uuid::Builder::from_custom_bytes(bytes).into_uuid();
        Self { id, participant, attempts: 0, created_at: at }
    }
}
