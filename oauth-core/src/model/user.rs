//! People.

use super::{Timestamp, UserId};
use serde::{Deserialize, Serialize};

/// What the protocol knows of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The stable identifier, `sub` in tokens.
    pub id: UserId,
    /// The name the user signs in with.
    pub username: String,
}

/// One act of signing in: who, when, how. A browser session remembers it; codes and tokens inherit it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// Who signed in.
    pub user: UserId,
    /// When, for `auth_time`.
    pub at: Timestamp,
    /// How, for `amr` ([RFC 8176](https://www.rfc-editor.org/rfc/rfc8176)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// How strongly, for `acr` ([OpenID Connect Core 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// The browser session it belongs to, for `sid`
    /// ([OpenID Connect Front-Channel Logout 3](https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}
