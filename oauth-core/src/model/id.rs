//! Identifiers, each its own type so that no two can be mistaken for one another.

use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it is.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id! {
    /// A `client_id` ([RFC 6749 2.2](https://www.rfc-editor.org/rfc/rfc6749#section-2.2)).
    ClientId
}
text_id! {
    /// The stable identifier of a user; it becomes the `sub` of tokens, so it has at most 255 ASCII characters
    /// ([OpenID Connect Core 2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)). Never the user name.
    UserId
}

/// The identifier of an [`Authorization`](super::Authorization): a UUID of version 7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthorizationId(pub Uuid);

impl fmt::Display for AuthorizationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
