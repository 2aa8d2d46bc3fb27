//! Client metadata in the configuration: a table with the names of the standards, as a client would register it.

use super::setting::{Setting, quoted};
use config::{Value, ValueKind};
use oauth_core::registration::Field;
use serde_json::{Map, Value as Json};

/// What a client of the configuration says about itself beyond plain OAuth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata(pub Map<String, Json>);

/// What has a setting of its own beside the table, or is not for the operator to say.
const ELSEWHERE: [Field; 10] = [
    Field::Name,
    Field::Uri,
    Field::Scope,
    Field::GrantTypes,
    Field::RedirectUris,
    Field::ResponseTypes,
    Field::AuthMethod,
    Field::AccessTokenFormat,
    Field::AccessTokenTtl,
    Field::SoftwareStatement,
];

/// Whether a member of the table means anything; a name with a language tag (`logo_uri#de`) does if the name does.
fn is_known(name: &str) -> bool {
    match name.split_once('#') {
        Some(("client_name" | "client_uri" | "logo_uri" | "policy_uri" | "tos_uri", tag)) => {
            !tag.is_empty()
        }
        Some(_) => false,
        None => Field::ALL.iter().any(|f| f.as_str() == name && !ELSEWHERE.contains(f)),
    }
}

fn json(value: &Value) -> Json {
    match &value.kind {
        ValueKind::Nil => Json::Null,
        ValueKind::Boolean(b) => (*b).into(),
        ValueKind::I64(n) => (*n).into(),
        ValueKind::U64(n) => (*n).into(),
        ValueKind::Float(n) => (*n).into(),
        ValueKind::String(text) => text.as_str().into(),
        ValueKind::Array(items) => items.iter().map(json).collect(),
        ValueKind::Table(table) => {
            Json::Object(table.iter().map(|(name, value)| (name.clone(), json(value))).collect())
        }
        // Numbers of 128 bits, which no metadata has.
        other => other.to_string().into(),
    }
}

fn toml(value: &Json) -> String {
    match value {
        Json::String(text) => quoted(text),
        Json::Array(items) => {
            format!("[{}]", items.iter().map(toml).collect::<Vec<_>>().join(", "))
        }
        Json::Object(members) => table(members),
        other => other.to_string(),
    }
}

fn table(members: &Map<String, Json>) -> String {
    let bare = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let member = |(name, value): (&String, &Json)| {
        let name = if bare(name) { name.clone() } else { quoted(name) };
        format!("{name} = {}", toml(value))
    };
    format!("{{ {} }}", members.iter().map(member).collect::<Vec<_>>().join(", "))
}

impl Setting for Metadata {
    fn kind() -> String {
        "table with names of OpenID Connect Registration, such as `post_logout_redirect_uris`"
            .into()
    }

    fn read(value: &ValueKind) -> Result<Self, String> {
        let ValueKind::Table(members) = value else {
            return Err("expected a table such as { subject_type = \"pairwise\" }".into());
        };
        if let Some(name) = members.keys().find(|name| !is_known(name)) {
            return Err(format!("{name:?} is no metadata of clients, or has a setting of its own"));
        }
        Ok(Self(members.iter().map(|(name, value)| (name.clone(), json(value))).collect()))
    }

    fn show(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| table(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_standards_and_nothing_else() {
        for known in ["jwks", "subject_type", "logo_uri#de", "backchannel_logout_uri"] {
            assert!(is_known(known), "{known}");
        }
        for unknown in ["", "made_up", "redirect_uris", "jwks#de", "logo_uri#", "client_name"] {
            assert!(!is_known(unknown), "{unknown}");
        }
    }
}
