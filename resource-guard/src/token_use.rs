//! What a token is for.

use serde_json::{Map, Value};

/// What a token may be used as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenUse {
    /// Presented to resource servers. Every token that says nothing else.
    Access,
    /// Presented to get another access token.
    Refresh,
    /// Something else, such as an ID token, or a use that this guard does not know.
    Other,
}

impl TokenUse {
    /// What the claims say: `token_use`, or where that is missing `type` or `typ`, as several issuers name it. A token
    /// that says `refresh` or `id` anywhere is never taken for an access token.
    pub(crate) fn of(claims: &Map<String, Value>) -> Self {
        if let Some(value) = claims.get("token_use") {
            return match value.as_str() {
                Some("access") => Self::Access,
                Some("refresh") => Self::Refresh,
                _ => Self::Other,
            };
        }
        for name in ["type", "typ"] {
            let Some(word) = claims.get(name).and_then(Value::as_str) else { continue };
            if word.eq_ignore_ascii_case("refresh") || word.eq_ignore_ascii_case("offline") {
                return Self::Refresh;
            }
            if word.eq_ignore_ascii_case("id") {
                return Self::Other;
            }
        }
        Self::Access
    }
}

#[cfg(test)]
mod tests {
    use super::TokenUse;
    use serde_json::json;

    #[test]
    fn s0_19_a_refresh_token_is_recognised_by_what_it_says() {
        for (claims, expected) in [
            (json!({}), TokenUse::Access),
            (json!({"token_use": "access"}), TokenUse::Access),
            (json!({"token_use": "refresh"}), TokenUse::Refresh),
            (json!({"token_use": "id"}), TokenUse::Other),
            (json!({"token_use": "Access"}), TokenUse::Other),
            (json!({"token_use": null}), TokenUse::Other),
            (json!({"token_use": 1, "type": "access"}), TokenUse::Other),
            (json!({"type": "access"}), TokenUse::Access),
            (json!({"type": "refresh"}), TokenUse::Refresh),
            (json!({"typ": "Refresh"}), TokenUse::Refresh),
            (json!({"typ": "Offline"}), TokenUse::Refresh),
            (json!({"typ": "ID"}), TokenUse::Other),
            (json!({"typ": "Bearer"}), TokenUse::Access),
            (json!({"type": "camera"}), TokenUse::Access),
        ] {
            assert_eq!(TokenUse::of(claims.as_object().unwrap()), expected, "{claims}");
        }
    }
}
