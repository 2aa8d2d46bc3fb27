//! How authorization responses travel.

use serde::{Deserialize, Serialize};

/// How an answer travels ([OAuth 2.0 Multiple Response Type Encoding Practices 2.1](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ResponseMode {
    /// In a form that the browser posts ([OAuth 2.0 Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html)).
    FormPost,
    /// In the fragment: for anything with a token in it.
    Fragment,
    /// In the query.
    #[default]
    Query,
}

impl ResponseMode {
    /// Every mode, in the order of the metadata document.
    pub const ALL: [Self; 3] = [Self::Query, Self::Fragment, Self::FormPost];

    /// The usual mode of a response type.
    pub fn of(response_type: &str) -> Self {
        if response_type.split(' ').any(|word| word == "token" || word == "id_token") {
            Self::Fragment
        } else {
            Self::Query
        }
    }

    /// The value of `response_mode`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FormPost => "form_post",
            Self::Fragment => "fragment",
            Self::Query => "query",
        }
    }

    /// Reads the value of `response_mode`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}
