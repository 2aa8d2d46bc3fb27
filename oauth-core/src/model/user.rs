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
    /// When, for `auth_time`; the epoch where nobody knows, which is older than anybody asks for.
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

/// What somebody is to the server, from the least to the most.
///
/// Who holds a token without being a user at all is [`Anonymous`](Self::Anonymous). The others are derived from what
/// is known of a user, so that nobody can write a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Nobody in particular: whoever holds a guest token.
    Anonymous,
    /// A user whose e-mail address is not confirmed.
    Guest,
    /// A user.
    Registered,
    /// A user who helps to look after the others.
    Staff,
    /// A user who administers the server.
    Admin,
}

impl Role {
    /// Every one, from the least to the most.
    pub const ALL: [Self; 5] =
        [Self::Anonymous, Self::Guest, Self::Registered, Self::Staff, Self::Admin];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Guest => "guest",
            Self::Registered => "registered",
            Self::Staff => "staff",
            Self::Admin => "admin",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// What two spellings of one e-mail address have in common: lower case, and the host as it is looked up. Equal keys
/// are taken for one mailbox, although [RFC 5321 2.4](https://www.rfc-editor.org/rfc/rfc5321#section-2.4) would allow
/// a host to tell them apart: none does, and it would let one person pass for another.
pub fn email_key(address: &str) -> String {
    let address = address.trim();
    let Some((local, host)) = address.rsplit_once('@') else { return address.to_lowercase() };
    let host = match url::Host::parse(host) {
        Ok(url::Host::Domain(ascii)) => ascii,
        _ => host.to_lowercase(),
    };
    format!("{}@{host}", local.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_key() {
        for (address, key) in [
            (" Ada@Example.ORG ", "ada@example.org"),
            ("ada@bücher.example", "ada@xn--bcher-kva.example"),
            ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
            ("\"a@b\"@example.org", "\"a@b\"@example.org"),
            ("Nobody", "nobody"),
        ] {
            assert_eq!(email_key(address), key, "{address}");
        }
    }

    #[test]
    fn roles_are_in_order_and_have_words() {
        assert!(Role::ALL.is_sorted());
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("system"), None);
    }
}
