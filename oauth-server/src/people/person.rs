//! One user, and what of it somebody else may see.

use super::{
    Caller,
    visibility::{USERNAME, Visibility},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use oauth_core::{
    error::PortError,
    jose::Sealer,
    model::{Role, UserId},
    seaorm::{UserAccount, entity::user::Model},
};
use serde_json::{Map, Value, json};

/// What the tag of a user is made for.
const TAG: &[u8] = b"oauth-server: entity tags of users";

/// A user as it is kept.
#[derive(Clone)]
pub struct Person {
    /// The account.
    pub account: UserAccount,
    claims: Map<String, Value>,
    visibility: Visibility,
    tag: String,
}

impl Person {
    /// From the row.
    pub(super) fn of(row: Model, sealer: &Sealer) -> Result<Self, PortError> {
        let all = json!([
            row.id,
            row.username,
            row.email,
            row.email_verified,
            row.is_admin,
            row.is_staff,
            row.disabled,
            row.profile,
            row.visibility,
            row.password_hash.is_some(),
        ]);
        let tag = sealer.tag(TAG, all.to_string().as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(tag.get(..16).unwrap_or(&tag));
        Ok(Self { tag, ..Self::without_tag(row)? })
    }

    /// The same for whoever only looks, and is told no tag: it takes longer to make than everything else.
    pub(super) fn without_tag(row: Model) -> Result<Self, PortError> {
        let claims = row.claims()?;
        let visibility = Visibility::read(row.visibility.as_deref())?;
        Ok(Self { account: row.into(), claims, visibility, tag: String::new() })
    }

    /// What changes whenever anything of the user does ([RFC 9110 8.8.3](https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3)),
    /// and tells nothing of it.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The claims that somebody sees.
    fn profile(&self, sees: impl Fn(&str) -> bool) -> Map<String, Value> {
        let told = |name: &&String| !matches!(name.as_str(), "email" | "email_verified");
        let claims = self.claims.iter().filter(|(name, _)| told(name) && sees(name));
        claims.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The user as it sees itself, and as administrators see it.
    pub fn whole(&self) -> Map<String, Value> {
        let account = &self.account;
        let mut view = self.basics();
        view.insert("email".into(), json!(account.email));
        view.insert("email_verified".into(), json!(account.email_verified));
        view.insert("has_password".into(), json!(account.has_password));
        view.insert("profile".into(), Value::Object(self.profile(|_| true)));
        view.insert("visibility".into(), Value::Object(self.visibility.to_json()));
        view
    }

    fn basics(&self) -> Map<String, Value> {
        let account = &self.account;
        let mut view = Map::new();
        view.insert("id".into(), json!(account.id.as_str()));
        view.insert(USERNAME.into(), json!(account.username));
        view.insert("role".into(), json!(account.role().as_str()));
        view.insert("disabled".into(), json!(account.disabled));
        view.insert("created_at".into(), json!(account.created_at.unix()));
        view
    }

    /// The user as the caller sees it; nothing where the caller sees nothing of it.
    pub fn seen_by(&self, caller: &Caller) -> Option<Map<String, Value>> {
        if caller.role == Role::Admin || self.is(&caller.subject) {
            return Some(self.whole());
        }
        let sees = |name: &str| self.visibility.shows(name, caller.role);
        let profile = self.profile(sees);
        let mut view = if caller.role == Role::Staff {
            self.basics()
        } else if self.account.disabled {
            return None;
        } else {
            Map::from_iter([("id".to_owned(), json!(self.account.id.as_str()))])
        };
        if sees(USERNAME) {
            view.insert(USERNAME.into(), json!(self.account.username));
        }
        if sees("email") {
            for claim in ["email", "email_verified"] {
                if let Some(value) = self.claims.get(claim) {
                    view.insert(claim.into(), value.clone());
                }
            }
        }
        if !profile.is_empty() {
            view.insert("profile".into(), Value::Object(profile));
        }
        (view.len() > 1).then_some(view)
    }

    /// Whether it is this user.
    pub fn is(&self, id: &UserId) -> bool {
        self.account.id == *id
    }
}

/// Whether a text is somewhere in a view, whatever the case. Only what is seen is searched: what is not could otherwise
/// be guessed letter by letter.
pub(super) fn mentions(view: &Map<String, Value>, wanted: &str) -> bool {
    let in_text =
        |value: &Value| value.as_str().is_some_and(|text| text.to_lowercase().contains(wanted));
    let searched = [USERNAME, "email"].iter().filter_map(|name| view.get(*name)).any(in_text);
    let profile = view.get("profile").and_then(Value::as_object);
    searched || profile.is_some_and(|profile| profile.values().any(in_text))
}
