//! Which claims a client is told: by scope ([OpenID Connect Core 5.4](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims))
//! and one by one ([5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter)). Pure.

use crate::model::{ClaimRequest, Scope};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The scopes that stand for claims, and the claims each stands for.
pub const SCOPES: [(&str, &[&str]); 4] = [
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
];

/// Every claim this provider may tell about a user or a sign-in, for `claims_supported`.
pub const CLAIMS: [&str; 24] = [
    "acr",
    "address",
    "amr",
    "auth_time",
    "birthdate",
    "email",
    "email_verified",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "phone_number_verified",
    "picture",
    "preferred_username",
    "profile",
    "sid",
    "sub",
    "updated_at",
    "website",
    "zoneinfo",
];

/// The scope that stands for a standard claim.
pub fn scope_of_claim(claim: &str) -> Option<&'static str> {
    SCOPES.iter().find(|(_, claims)| claims.contains(&claim)).map(|(scope, _)| *scope)
}

/// Whether a claim is about the user and one of those of
/// [OpenID Connect Core 5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims), `sub` aside.
pub fn is_standard_claim(claim: &str) -> bool {
    scope_of_claim(claim).is_some()
}

/// What of a user's profile is told: the claims of the granted scopes, and those asked for by name. A claim whose
/// scope the client could never be granted is not told, however it is asked for; nor is one without a value.
pub fn select(
    profile: &Map<String, Value>,
    granted: &Scope,
    asked: &BTreeMap<String, ClaimRequest>,
    most: &Scope,
) -> Map<String, Value> {
    let told = |claim: &str| {
        scope_of_claim(claim).is_some_and(|scope| {
            granted.contains(scope) || asked.contains_key(claim) && most.contains(scope)
        })
    };
    profile
        .iter()
        .filter(|(claim, value)| told(claim) && !is_empty(value))
        .map(|(claim, value)| (claim.clone(), value.clone()))
        .collect()
}

/// A claim without a value is left out ([OpenID Connect Core 5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)).
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(granted: &str, asked: &[&str], most: &str) -> Vec<String> {
        let profile = json!({
            "name": "Ada", "nickname": "", "email": "ada@example.org", "email_verified": true,
            "address": {}, "phone_number": null, "made_up": "x",
        });
        let scope = |text: &str| Scope::parse(text).unwrap();
        let asked = asked.iter().map(|&c| (c.to_owned(), ClaimRequest::default())).collect();
        let profile = profile.as_object().unwrap();
        select(profile, &scope(granted), &asked, &scope(most)).into_iter().map(|(k, _)| k).collect()
    }

    #[test]
    fn oidc_core_5_4_scopes_stand_for_claims() {
        let all = "openid profile email address phone";
        assert_eq!(told("openid", &[], all), [""; 0]);
        assert_eq!(told("openid profile", &[], all), ["name"]);
        assert_eq!(told(all, &[], all), ["email", "email_verified", "name"]);
    }

    #[test]
    fn oidc_core_5_5_claims_by_name_need_a_scope_the_client_may_have() {
        assert_eq!(told("openid", &["email", "made_up"], "openid email"), ["email"]);
        assert_eq!(told("openid", &["email"], "openid profile"), [""; 0]);
    }

    #[test]
    fn every_claim_of_a_scope_is_advertised() {
        for (_, claims) in SCOPES {
            assert!(claims.iter().all(|c| CLAIMS.contains(c)));
        }
        assert_eq!(SCOPES[0].1.len(), 14);
    }
}
