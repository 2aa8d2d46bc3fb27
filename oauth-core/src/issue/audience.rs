//! Whom an access token is for: the resources it was asked for, or those its scope stands for.

use crate::{
    env::Env,
    model::{ResourceUri, Scope},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The `aud` of an access token ([RFC 9068 3](https://www.rfc-editor.org/rfc/rfc9068#section-3)).
pub(crate) fn audience(env: &Env, resources: &[ResourceUri], scope: &Scope) -> Value {
    let rules = &env.policy.audience;
    let mut names: Vec<&str> = resources.iter().map(ResourceUri::as_str).collect();
    if names.is_empty() {
        let of_scope = scope.iter().filter_map(|token| rules.by_scope.get(token)).flatten();
        let of_scope: BTreeSet<&str> = of_scope.map(String::as_str).collect();
        names.extend(of_scope);
    }
    if names.is_empty() {
        names.extend(rules.otherwise.iter().map(String::as_str));
    }
    if names.is_empty() {
        names.push(env.issuer.as_str());
    }
    match names.as_slice() {
        [one] if !rules.is_always_a_list => json!(one),
        all => json!(all),
    }
}
