//! The `claims` parameter: [OpenID Connect Core 5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter).

use crate::{
    error::{ErrorCode, OAuthError},
    model::{ClaimRequest, ClaimsRequest, Client, Consent, PendingAuthorization, Scope},
    openid::scope_of_claim,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Longer than any sensible request.
const LONGEST: usize = 8 * 1024;
/// More claims than anybody has.
const MOST: usize = 100;

/// Reads the parameter. Members nobody knows are ignored; what is known must have its form.
pub(super) fn parse(text: &str) -> Result<ClaimsRequest, OAuthError> {
    if text.len() > LONGEST {
        return Err(OAuthError::invalid_request("claims is too long"));
    }
    let malformed = || OAuthError::invalid_request("claims is malformed");
    let request: Map<String, Value> = serde_json::from_str(text).map_err(|_| malformed())?;
    let read = |member: &str| match request.get(member) {
        None | Some(Value::Null) => Some(BTreeMap::new()),
        Some(Value::Object(claims)) if claims.len() <= MOST => {
            claims.iter().map(|(name, ask)| Some((name.clone(), claim(ask)?))).collect()
        }
        Some(_) => None,
    };
    Ok(ClaimsRequest {
        userinfo: read("userinfo").ok_or_else(malformed)?,
        id_token: read("id_token").ok_or_else(malformed)?,
    })
}

/// `null`, or an object with `essential`, `value` and `values`.
fn claim(ask: &Value) -> Option<ClaimRequest> {
    let ask = match ask {
        Value::Null => return Some(ClaimRequest::default()),
        Value::Object(ask) => ask,
        _ => return None,
    };
    let essential = match ask.get("essential") {
        None => false,
        Some(essential) => essential.as_bool()?,
    };
    let values = match (ask.get("value"), ask.get("values")) {
        (None, None) => Vec::new(),
        (Some(value), None) => vec![value.clone()],
        (None, Some(Value::Array(values))) => values.clone(),
        _ => return None,
    };
    Some(ClaimRequest { essential, values })
}

/// Whether the client may be told the claim at all. One that is about nobody's person is told or not without asking.
pub(super) fn may_be_told(client: &Client, name: &str) -> bool {
    scope_of_claim(name).is_none_or(|scope| client.scope.contains(scope))
}

/// What a person must have agreed to before this request is granted: its scope, and a word `claim:name` for each
/// claim that is asked for by name, that the scope does not cover, and that the client may be told at all.
pub(super) fn needed(pending: &PendingAuthorization, client: &Client) -> Scope {
    let extra = pending.claims.names().filter(|name| {
        scope_of_claim(name)
            .is_some_and(|scope| !pending.scope.contains(scope) && client.scope.contains(scope))
    });
    let words = extra.map(|name| format!("claim:{name}"));
    let all: Vec<_> = pending.scope.iter().map(str::to_owned).chain(words).collect();
    Scope::parse(&all.join(" ")).unwrap_or_else(|| pending.scope.clone())
}

/// The words of a yes to this request, as it is remembered: what was needed, and the same once more for each resource
/// where the access token is good. A scope agreed to for one resource is not agreed to for another.
pub(super) fn remembered(pending: &PendingAuthorization, client: &Client) -> Scope {
    let needed = needed(pending, client);
    let mut words: Vec<String> = needed.iter().map(str::to_owned).collect();
    for uri in &pending.resources {
        // The resource itself is something to agree to, also where no scope is asked for.
        let there = needed.iter().chain([""]);
        words.extend(there.map(|word| Consent::word_at(uri.as_str(), word)));
    }
    Scope::parse(&words.join(" ")).expect("what a URI is made of may be in a scope token")
}

/// Leaves of a request what a person agreed to. `openid` stays: without it there would be no sign-in to answer with.
pub(super) fn narrow(
    pending: &mut PendingAuthorization,
    client: &Client,
    part: &Scope,
) -> Result<(), OAuthError> {
    let needed = needed(pending, client);
    if !part.is_within(&needed) {
        return Err(OAuthError::new(ErrorCode::InvalidScope, "more was agreed to than was asked"));
    }
    let declined = needed.without(part.iter().chain(["openid"]));
    pending.scope = pending.scope.clone().without(declined.iter());
    // A claim of a declined scope is declined, even if it was asked for by name as well.
    pending.claims.retain(|name| {
        scope_of_claim(name)
            .is_none_or(|scope| part.contains(scope) || part.contains(&format!("claim:{name}")))
    });
    Ok(())
}

/// Whether what was agreed to covers what is needed. Whoever agreed to a scope agreed to each of its claims.
pub(super) fn is_covered(needed: &Scope, agreed: &Scope) -> bool {
    needed.iter().all(|word| {
        agreed.contains(word) || scope_of_word(word).is_some_and(|scope| agreed.contains(&scope))
    })
}

/// The word for the scope of a claim, at the same resource where it is at one.
fn scope_of_word(word: &str) -> Option<String> {
    let scope = |word: &str| word.strip_prefix("claim:").and_then(scope_of_claim);
    match Consent::split_word(word) {
        Some((resource, word)) => Some(Consent::word_at(resource, scope(word)?)),
        None => scope(word).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oidc_core_5_5_1_forms_of_a_request() {
        let parsed = parse(
            r#"{"userinfo": {"name": null, "email": {"essential": true}, "x": {"odd": 1}},
                "id_token": {"acr": {"values": ["a", "b"]}, "sub": {"value": "u"}}, "more": 7}"#,
        )
        .unwrap();
        assert!(parsed.userinfo["email"].essential && !parsed.userinfo["name"].essential);
        assert_eq!(parsed.id_token["acr"].values, ["a", "b"]);
        assert_eq!(parsed.id_token["sub"].values, ["u"]);
        assert!(parse("{}").unwrap().is_empty());
        for bad in [
            "",
            "[]",
            r#"{"userinfo": []}"#,
            r#"{"userinfo": {"name": 1}}"#,
            r#"{"userinfo": {"name": {"essential": "yes"}}}"#,
            r#"{"id_token": {"acr": {"values": "a"}}}"#,
            r#"{"id_token": {"acr": {"value": "a", "values": ["a"]}}}"#,
        ] {
            assert_eq!(parse(bad).unwrap_err().code(), ErrorCode::InvalidRequest, "{bad}");
        }
        let long = format!(r#"{{"x": "{}"}}"#, "a".repeat(LONGEST));
        assert_eq!(parse(&long).unwrap_err().code(), ErrorCode::InvalidRequest);
    }

    #[test]
    fn agreeing_to_a_scope_covers_its_claims_and_not_the_other_way_round() {
        let scope = |text: &str| Scope::parse(text).unwrap();
        assert!(is_covered(&scope("openid claim:email"), &scope("openid email")));
        assert!(is_covered(&scope("openid claim:email"), &scope("openid claim:email")));
        assert!(!is_covered(&scope("openid email"), &scope("openid claim:email")));
        assert!(!is_covered(&scope("openid claim:email"), &scope("openid profile")));
    }

    #[test]
    fn rfc8707_s2_what_was_agreed_to_for_one_resource_covers_nothing_at_another() {
        let scope = |text: &str| Scope::parse(text).unwrap();
        let agreed = scope("openid email for:urn:a>openid for:urn:a>email");
        assert!(is_covered(&scope("for:urn:a>openid for:urn:a>claim:email"), &agreed));
        assert!(!is_covered(&scope("for:urn:b>openid"), &agreed));
        assert!(!is_covered(&scope("for:urn:b>claim:email"), &agreed));
        assert!(!is_covered(&scope("for:urn:a>profile"), &agreed));
        // A yes from when words and resources were remembered apart.
        assert!(!is_covered(&scope("a for:urn:a>a"), &scope("a resource:urn:a")));
    }
}
