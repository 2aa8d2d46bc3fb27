//! The fields under "More": reading what was typed, and showing it again.

use super::fields::{GROUPS, Group, Kind, Words};
use crate::{
    pages::words::{self, Choice},
    registration::{ClientDraft, Field, Rules, has_private_key},
    state::AppState,
};
use oauth_core::{
    client_auth,
    model::{RequestObjectSigning, SubjectType, TokenFormat},
    params::Params,
};
use serde_json::Value;

/// What a form has in it that shows all the fields. Of others, what they do not have stays as it is.
const COMPLETE: &str = "more";

/// Fields that belong together.
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) entries: Vec<Entry>,
}

/// One field.
pub(super) struct Entry {
    /// Its name in the form and its id on the page.
    pub(super) id: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) kind: Kind,
    pub(super) value: String,
    pub(super) choices: Vec<Choice>,
}

impl Entry {
    /// The type of its input.
    pub(super) const fn input(&self) -> &'static str {
        if matches!(self.kind, Kind::Address) { "url" } else { "text" }
    }

    /// What is typed by numbers alone.
    pub(super) const fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Seconds)
    }
}

/// What is registered of one field.
pub(super) struct Fact {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) values: Vec<String>,
}

/// Where a draft keeps a field.
enum Slot<'d> {
    Line(&'d mut String),
    Lines(&'d mut Vec<String>),
    Flag(&'d mut bool),
    Keys(&'d mut Option<Value>),
}

fn slot(draft: &mut ClientDraft, field: Field) -> Option<Slot<'_>> {
    Some(match field {
        Field::Jwks => Slot::Keys(&mut draft.jwks),
        Field::JwksUri => Slot::Line(&mut draft.jwks_uri),
        Field::AuthSigning => Slot::Line(&mut draft.token_endpoint_auth_signing_alg),
        Field::AccessTokenFormat => Slot::Line(&mut draft.access_token_format),
        Field::AccessTokenTtl => Slot::Line(&mut draft.access_token_ttl),
        Field::SubjectType => Slot::Line(&mut draft.subject_type),
        Field::SectorIdentifierUri => Slot::Line(&mut draft.sector_identifier_uri),
        Field::IdTokenSigning => Slot::Line(&mut draft.id_token_signed_response_alg),
        Field::IdTokenEncryption => Slot::Line(&mut draft.id_token_encrypted_response_alg),
        Field::IdTokenContentEncryption => Slot::Line(&mut draft.id_token_encrypted_response_enc),
        Field::UserinfoSigning => Slot::Line(&mut draft.userinfo_signed_response_alg),
        Field::UserinfoEncryption => Slot::Line(&mut draft.userinfo_encrypted_response_alg),
        Field::UserinfoContentEncryption => Slot::Line(&mut draft.userinfo_encrypted_response_enc),
        Field::DefaultMaxAge => Slot::Line(&mut draft.default_max_age),
        Field::RequireAuthTime => Slot::Flag(&mut draft.require_auth_time),
        Field::DefaultAcrValues => Slot::Lines(&mut draft.default_acr_values),
        Field::InitiateLoginUri => Slot::Line(&mut draft.initiate_login_uri),
        Field::RequestObjectSigning => Slot::Line(&mut draft.request_object_signing_alg),
        Field::RequireSignedRequestObject => Slot::Flag(&mut draft.require_signed_request_object),
        Field::RequestUris => Slot::Lines(&mut draft.request_uris),
        Field::PostLogoutRedirectUris => Slot::Lines(&mut draft.post_logout_redirect_uris),
        Field::FrontchannelLogoutUri => Slot::Line(&mut draft.frontchannel_logout_uri),
        Field::FrontchannelLogoutSessionRequired => {
            Slot::Flag(&mut draft.frontchannel_logout_session_required)
        }
        Field::BackchannelLogoutUri => Slot::Line(&mut draft.backchannel_logout_uri),
        Field::BackchannelLogoutSessionRequired => {
            Slot::Flag(&mut draft.backchannel_logout_session_required)
        }
        Field::LogoUri | Field::PolicyUri | Field::TosUri => {
            Slot::Line(draft.texts.entry(field.as_str().to_owned()).or_default())
        }
        Field::Contacts => Slot::Lines(&mut draft.contacts),
        Field::ApplicationType => Slot::Line(&mut draft.application_type),
        Field::SoftwareId => Slot::Line(&mut draft.software_id),
        Field::SoftwareVersion => Slot::Line(&mut draft.software_version),
        _ => return None,
    })
}

fn all() -> impl Iterator<Item = &'static Words> {
    GROUPS.iter().flat_map(|group| group.fields)
}

/// Whether a field is one of these.
pub(super) fn has(field: Field) -> bool {
    all().any(|words| words.field == field)
}

/// Puts what was typed into the draft.
pub(super) fn read(draft: &mut ClientDraft, params: &Params) {
    let is_complete = params.get(COMPLETE).is_some();
    for Words { field, .. } in all() {
        let typed = params.get(field.as_str());
        if typed.is_none() && !is_complete {
            continue;
        }
        let typed = typed.unwrap_or_default();
        match slot(draft, *field) {
            Some(Slot::Line(text)) => typed.clone_into(text),
            Some(Slot::Lines(lines)) => *lines = lines_of(typed),
            Some(Slot::Flag(flag)) => *flag = !typed.is_empty(),
            Some(Slot::Keys(set)) => *set = key_set(typed),
            None => {}
        }
    }
}

fn lines_of(text: &str) -> Vec<String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// What is not JSON is kept as a text, which the rules object to.
fn key_set(text: &str) -> Option<Value> {
    let text = text.trim();
    let parsed = || serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    (!text.is_empty()).then(parsed)
}

/// The fields as they are on the page, without those that say nothing here.
pub(super) fn sections(state: &AppState, rules: &Rules, draft: &ClientDraft) -> Vec<Section> {
    let mut draft = draft.clone();
    let mut entry = |words: &Words| {
        let value = value(&mut draft, words.field);
        Entry {
            id: words.field.as_str(),
            label: words.label,
            hint: words.hint,
            kind: words.kind,
            choices: match words.kind {
                Kind::Choice => choices(state, rules, words.field, &value),
                _ => Vec::new(),
            },
            value,
        }
    };
    let section = |group: &Group| Section {
        id: group.id,
        title: group.title,
        entries: group.fields.iter().map(&mut entry).collect(),
    };
    let says_something = |(group, section): &(&Group, Section)| {
        let is_filled = |entry: &Entry| !entry.value.is_empty();
        !group.openid || state.provider.env().policy.openid || section.entries.iter().any(is_filled)
    };
    let sections: Vec<_> = GROUPS.iter().map(section).collect();
    GROUPS.iter().zip(sections).filter(says_something).map(|(_, section)| section).collect()
}

/// A field as text. A private key that was pasted is not given back, as a password is not.
fn value(draft: &mut ClientDraft, field: Field) -> String {
    match slot(draft, field) {
        Some(Slot::Line(text)) => text.trim().to_owned(),
        Some(Slot::Lines(lines)) => lines.join("\n"),
        Some(Slot::Flag(flag)) => if *flag { "yes" } else { "" }.to_owned(),
        Some(Slot::Keys(Some(set))) if !has_private_key(set) => match set {
            Value::String(text) => text.clone(),
            set => format!("{set:#}"),
        },
        Some(Slot::Keys(_)) | None => String::new(),
    }
}

/// What is registered of these fields beyond the defaults. How access tokens are is said elsewhere.
pub(super) fn facts(draft: &ClientDraft) -> Vec<Fact> {
    let mut draft = draft.clone();
    let mut facts = Vec::new();
    for Words { field, kind, label, .. } in all() {
        let value = value(&mut draft, *field);
        if value.is_empty() || matches!(field, Field::AccessTokenFormat | Field::AccessTokenTtl) {
            continue;
        }
        let values = match kind {
            Kind::Keys => draft.jwks.as_ref().map(keys).unwrap_or_default(),
            _ => value.lines().map(str::to_owned).collect(),
        };
        facts.push(Fact {
            id: format!("registered-{}", field.as_str()),
            label: (*label).to_owned(),
            values,
        });
    }
    let translated = draft.texts.iter().filter(|(name, _)| name.contains('#'));
    facts.extend(translated.map(|(name, text)| Fact {
        id: format!("registered-{}", name.replace('#', "-")),
        label: name.clone(),
        values: vec![text.clone()],
    }));
    facts
}

/// Each key of a set, by what one knows it by.
fn keys(set: &Value) -> Vec<String> {
    let key = |key: &Value| {
        let named = ["kty", "crv", "use", "alg", "kid"];
        let said = named.iter().filter_map(|name| Some((*name, key.get(*name)?.as_str()?)));
        said.map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
    };
    set.get("keys").and_then(Value::as_array).into_iter().flatten().map(key).collect()
}

fn choices(state: &AppState, rules: &Rules, field: Field, chosen: &str) -> Vec<Choice> {
    let mut choices = offered(state, rules, field);
    if !choices.iter().any(|(name, _)| name == chosen) {
        choices.push((chosen.to_owned(), format!("{chosen} (not offered here)")));
    }
    let choice = |(name, title): (String, String)| Choice {
        checked: name == chosen,
        name,
        title,
        description: String::new(),
    };
    choices.into_iter().map(choice).collect()
}

/// What a field can be, and in words; first what it is when nothing is said.
fn offered(state: &AppState, rules: &Rules, field: Field) -> Vec<(String, String)> {
    let policy = &state.provider.env().policy;
    let pair = |name: &str, title: &str| (name.to_owned(), title.to_owned());
    let same = |name: &str| pair(name, name);
    let (usual, rest): (String, Vec<_>) = match field {
        Field::AccessTokenFormat => {
            let jwt = |&alg| (TokenFormat::Jwt(alg), alg.as_str());
            let mut all: Vec<_> = rules.algorithms.iter().map(jwt).collect();
            all.push((TokenFormat::Opaque, "opaque"));
            let usual = words::format(policy.access_token_format);
            let rest = all.into_iter().map(|(format, name)| pair(name, &words::format(format)));
            (format!("The usual one here ({usual})"), rest.collect())
        }
        Field::AuthSigning => {
            let methods = ["private_key_jwt", "client_secret_jwt"];
            let all = methods.iter().flat_map(|method| client_auth::signing_algorithms(method));
            ("Any that fits".into(), all.map(same).collect())
        }
        Field::SubjectType => {
            let is_offered = rules.subject_types.contains(&SubjectType::Pairwise);
            let pairwise = pair("pairwise", "Names of its own (pairwise)");
            let rest = is_offered.then_some(pairwise).into_iter().collect();
            ("The same everywhere (public)".into(), rest)
        }
        Field::IdTokenSigning | Field::UserinfoSigning => {
            let usual = match field {
                Field::IdTokenSigning => "The usual one here",
                _ => "Not signed: plain JSON",
            };
            (usual.into(), rules.algorithms.iter().map(|alg| same(alg.as_str())).collect())
        }
        Field::IdTokenEncryption | Field::UserinfoEncryption => {
            let all = rules.key_management.iter().map(|alg| same(alg.as_str()));
            ("Not encrypted".into(), all.collect())
        }
        Field::IdTokenContentEncryption | Field::UserinfoContentEncryption => {
            let all = rules.content_encryption.iter().map(|enc| same(enc.as_str()));
            ("The usual one (A128CBC-HS256)".into(), all.collect())
        }
        Field::RequestObjectSigning => {
            let one = |alg: &RequestObjectSigning| match alg {
                RequestObjectSigning::Unsecured => pair("none", "none: not signed"),
                RequestObjectSigning::Signed(alg) => same(alg.as_str()),
            };
            ("Any that signs".into(), rules.request_objects.iter().map(one).collect())
        }
        _ => (
            "It follows from the redirect URIs".into(),
            vec![pair("web", "A web site"), pair("native", "An app on people\u{2019}s devices")],
        ),
    };
    [(String::new(), usual)].into_iter().chain(rest).collect()
}
