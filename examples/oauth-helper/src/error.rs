//! What can go wrong, in one line each, and the exit code that says it to scripts.

use std::fmt;

/// Why something could not be done. Every variant prints as one line that is safe on a terminal: what a provider
/// said is cut and cleaned first, and no secret is ever part of it.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// What was asked makes no sense as it is.
    #[error("{0}")]
    Invalid(String),
    /// There is no such client.
    #[error("there is no client {0:?}")]
    UnknownClient(String),
    /// A person has to sign in before there is a token.
    #[error("{client}: {why}; sign in with: oauth-helper login {client}")]
    LoginNeeded {
        /// The name of the client.
        client: String,
        /// What is missing.
        why: Why,
    },
    /// The provider answered with an error code of the protocol
    /// ([RFC 6749 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
    #[error("the {endpoint} endpoint refused: {code}{}", described(description))]
    Refused {
        /// Which endpoint.
        endpoint: Endpoint,
        /// Its error code.
        code: String,
        /// Its description, empty where it gave none.
        description: String,
    },
    /// No answer came.
    #[error("the {endpoint} endpoint {what}")]
    Unreachable {
        /// Which endpoint.
        endpoint: Endpoint,
        /// What happened.
        what: &'static str,
        /// Whether the request may have arrived all the same.
        sent: bool,
    },
    /// An answer came that cannot be used.
    #[error("the {endpoint} endpoint {what}")]
    Unusable {
        /// Which endpoint.
        endpoint: Endpoint,
        /// What is wrong with the answer.
        what: String,
    },
    /// Something on this side could not be read, written or locked.
    #[error("{0}")]
    Store(String),
    /// The person said no, or nobody came back in time.
    #[error("{0}")]
    Cancelled(String),
}

/// Why there is no token without a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The access token has expired and there is no refresh token.
    Expired,
    /// The last refresh was interrupted, and its answer cannot be had again.
    Lost,
    /// The client was pointed at another provider since.
    Moved,
    /// There never was a token.
    Never,
    /// The provider gave no refresh token, or it is not to be used.
    NoRefreshToken,
    /// The provider does not accept the refresh token any more.
    Refused,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "the access token has expired and there is no refresh token",
            Self::Lost => "the last refresh was interrupted and its answer is lost",
            Self::Moved => "its tokens are of another provider",
            Self::Never => "there is no token yet",
            Self::NoRefreshToken => "there is no refresh token",
            Self::Refused => "the provider does not accept the refresh token any more",
        })
    }
}

/// The endpoints of a provider, as messages name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoint {
    /// Where people are asked.
    Authorization,
    /// Where a device asks for a code to show.
    Device,
    /// The keys of id tokens.
    Keys,
    /// The metadata document.
    Metadata,
    /// Where tokens are taken back.
    Revocation,
    /// Where tokens come from.
    Token,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authorization => "authorization",
            Self::Device => "device authorization",
            Self::Keys => "key set",
            Self::Metadata => "metadata",
            Self::Revocation => "revocation",
            Self::Token => "token",
        })
    }
}

/// The outcome of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// The exit code of the command line.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Invalid(_) => 2,
            Self::UnknownClient(_) => 3,
            Self::LoginNeeded { .. } => 4,
            Self::Refused { .. } => 5,
            Self::Unreachable { .. } => 6,
            Self::Unusable { .. } => 7,
            Self::Store(_) => 8,
            Self::Cancelled(_) => 9,
        }
    }

    /// One word for it, for `--json`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::UnknownClient(_) => "unknown_client",
            Self::LoginNeeded { .. } => "login_needed",
            Self::Refused { .. } => "refused",
            Self::Unreachable { .. } => "unreachable",
            Self::Unusable { .. } => "unusable_answer",
            Self::Store(_) => "store",
            Self::Cancelled(_) => "cancelled",
        }
    }

    pub(crate) fn store(what: &str, cause: impl fmt::Display) -> Self {
        Self::Store(format!("{what}: {cause}"))
    }

    pub(crate) fn unusable(endpoint: Endpoint, what: impl Into<String>) -> Self {
        Self::Unusable { endpoint, what: what.into() }
    }
}

fn described(description: &str) -> String {
    if description.is_empty() { String::new() } else { format!(" ({description})") }
}

/// Text of a stranger, fit for one line of a terminal or page: no control characters, 200 characters at most.
pub fn clean(text: &str) -> String {
    let spaced = text.split_whitespace().collect::<Vec<_>>().join(" ");
    spaced.chars().filter(|c| !c.is_control() && !is_bidi(*c)).take(200).collect()
}

/// Characters that make a terminal show text in another order than it is written.
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strangers_say_fits_on_one_safe_line() {
        assert_eq!(clean("no\n\nsuch\tthing \u{1b}[31mred\u{202e}"), "no such thing [31mred");
        assert_eq!(clean(&"x".repeat(5000)).len(), 200);
    }

    #[test]
    fn every_kind_has_an_exit_code_of_its_own() {
        let errors = [
            Error::Invalid(String::new()),
            Error::UnknownClient(String::new()),
            Error::LoginNeeded { client: String::new(), why: Why::Never },
            Error::Refused {
                endpoint: Endpoint::Token,
                code: String::new(),
                description: String::new(),
            },
            Error::Unreachable { endpoint: Endpoint::Token, what: "", sent: false },
            Error::unusable(Endpoint::Token, ""),
            Error::Store(String::new()),
            Error::Cancelled(String::new()),
        ];
        let codes: std::collections::BTreeSet<u8> = errors.iter().map(Error::exit_code).collect();
        assert_eq!(codes.len(), errors.len());
        assert!(codes.iter().all(|code| (2..10).contains(code)));
    }
}
