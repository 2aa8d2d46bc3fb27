//! Standard claims of a user in the configuration: a table of texts, with the words of the operator on what is verified.

use super::setting::{Setting, quoted};
use crate::profile::{Claim, Flag, ProfileDraft};
use config::{Value, ValueKind};
use oauth_core::model::Timestamp;
use serde_json::Map;

/// The claims of a user that is made at start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// What the user says.
    pub draft: ProfileDraft,
    /// What of it is verified.
    pub verified: Vec<Flag>,
}

impl Claims {
    /// What is wrong, each with the key it is about.
    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        let objections = self.draft.check().err().unwrap_or_default();
        let mut problems: Vec<_> =
            objections.into_iter().map(|o| (o.claim.as_str(), o.text)).collect();
        for flag in &self.verified {
            if self.draft.get(flag.claim()).is_empty() {
                let text = format!("needs {} beside it", flag.claim().as_str());
                problems.push((flag.as_str(), text));
            }
        }
        problems
    }

    /// The profile they make; `None` where a rule is broken.
    pub fn profile(&self, now: Timestamp) -> Option<Map<String, serde_json::Value>> {
        let mut profile = self.draft.check().ok()?.replace(&Map::new(), now);
        for flag in &self.verified {
            flag.set(&mut profile, true, now);
        }
        Some(profile)
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), String> {
        if let Some(flag) = Flag::ALL.into_iter().find(|flag| flag.as_str() == name) {
            if bool::read(&value.kind).map_err(|what| format!("{name}: {what}"))? {
                self.verified.push(flag);
            }
            return Ok(());
        }
        if name == "address"
            && let ValueKind::Table(members) = &value.kind
        {
            return members
                .iter()
                .try_for_each(|(member, value)| self.take(&format!("address.{member}"), value));
        }
        let claim = Claim::parse(name).ok_or_else(|| {
            let known: Vec<_> = Claim::ALL.iter().map(|claim| claim.as_str()).collect();
            format!("{name:?} is no claim that a user has here; there are: {}", known.join(", "))
        })?;
        let text = String::read(&value.kind).map_err(|what| format!("{name}: {what}"))?;
        self.draft.set(claim, text);
        Ok(())
    }
}

impl Setting for Claims {
    fn kind() -> String {
        "table; `email_verified` and `phone_number_verified` are true or false, everything else is text".into()
    }

    fn read(value: &ValueKind) -> Result<Self, String> {
        let ValueKind::Table(table) = value else {
            return Err("expected a table such as { name = \"Ada\" }".into());
        };
        let mut claims = Self::default();
        for (name, value) in table {
            claims.take(name, value)?;
        }
        Ok(claims)
    }

    fn show(&self) -> Option<String> {
        let said = self.draft.iter().map(|(c, text)| format!("{} = {}", c.as_str(), quoted(text)));
        let verified = self.verified.iter().map(|flag| format!("{} = true", flag.as_str()));
        let all: Vec<_> = said.chain(verified).collect();
        (!all.is_empty()).then(|| format!("{{ {} }}", all.join(", ")))
    }
}
