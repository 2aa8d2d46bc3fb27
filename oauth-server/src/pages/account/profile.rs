//! `/account/profile`: what one says about oneself. The claims are those of
//! [OpenID Connect Core 5.1](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims).

use crate::{
    activity::{self, Deed, What},
    pages::{
        errors::{Explanation, Trouble},
        form::{Form, Problems},
        page::{Frame, see_other, show as page},
        visit::SignedIn,
        words,
    },
    profile::{self, Claim, Flag, ProfileDraft},
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::{model::User, params::Params, ports::Users as _};
use serde_json::{Map, Value};

#[derive(Template)]
#[template(path = "account/profile.html")]
struct ProfilePage {
    frame: Frame,
    notice: Option<&'static str>,
    /// The address, which has a page of its own, and whether it is confirmed.
    email: Option<String>,
    email_verified: bool,
    groups: Vec<Group>,
    problems: Problems,
}

/// Fields that belong together.
struct Group {
    id: &'static str,
    title: &'static str,
    fields: Vec<Field>,
}

struct Field {
    /// Its name in the form and its id on the page.
    id: &'static str,
    label: &'static str,
    hint: Option<String>,
    /// The type of the input; `lines` for several lines.
    kind: &'static str,
    autocomplete: &'static str,
    value: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    let current = state.store.profile(&visit.user().id).await?;
    let draft = ProfileDraft::from(&current);
    Ok(form(&state, &visit, &current, &draft, Problems::default()))
}

pub(super) async fn save(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let user = &visit.user().id;
    let current = state.store.profile(user).await?;
    let draft = typed(&params, &current);
    let checked = match draft.check() {
        Ok(checked) => checked,
        Err(objections) => {
            let mut problems = Problems::default();
            for objection in objections {
                problems.add(element(objection.claim), objection.text);
            }
            return Ok(form(&state, &visit, &current, &draft, problems));
        }
    };
    let now = state.now();
    if checked.replace(&current, now) == current {
        return Ok(see_other("/account/profile?done=unchanged"));
    }
    // The address is the one of the moment of writing, whatever was read before.
    let with = move |current: &Map<String, Value>| {
        Some(typed(&params, current).check().ok()?.replace(current, now))
    };
    if matches!(profile::change(&state.store, user, with).await?, Ok(None)) {
        return Err(Explanation::not_found().into());
    }
    tracing::info!(user.id = %user, "user changed the profile");
    activity::note(&state, user, Deed::of(What::ProfileChanged, &visit.headers)).await;
    Ok(see_other("/account/profile?done=saved"))
}

/// What was typed. A field that is empty, or not there, says nothing. The address is not changed here.
fn typed(params: &Params, current: &Map<String, Value>) -> ProfileDraft {
    let mut draft = ProfileDraft::default();
    for &claim in Claim::ALL {
        let text = match claim {
            Claim::Email => current.get(claim.as_str()).and_then(Value::as_str),
            claim => params.get(element(claim)),
        };
        draft.set(claim, text.unwrap_or_default());
    }
    draft
}

fn form(
    state: &AppState,
    visit: &SignedIn,
    current: &Map<String, Value>,
    draft: &ProfileDraft,
    problems: Problems,
) -> Response {
    let field = |&claim: &Claim| {
        let (label, kind, autocomplete) = words(claim);
        let hint = hint(claim, current, visit.user());
        let value = draft.get(claim).to_owned();
        Field { id: element(claim), label, hint, kind, autocomplete, value }
    };
    let status =
        if problems.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let groups = GROUPS.iter().map(|(id, title, claims)| Group {
        id,
        title,
        fields: claims.iter().map(field).collect(),
    });
    let content = ProfilePage {
        frame: Frame::of(state, visit.user(), "profile"),
        notice: words::notice(visit.query.get("done")),
        email: current.get("email").and_then(Value::as_str).map(str::to_owned),
        email_verified: Flag::Email.is_set(current),
        groups: groups.collect(),
        problems,
    };
    page(status, content)
}

/// The order of the form. Every claim is in one group, but for the address, which has a page of its own.
const GROUPS: [(&str, &str, &[Claim]); 4] = [
    (
        "names",
        "Name",
        &[
            Claim::Name,
            Claim::GivenName,
            Claim::MiddleName,
            Claim::FamilyName,
            Claim::Nickname,
            Claim::PreferredUsername,
        ],
    ),
    ("reach", "How to reach you", &[Claim::PhoneNumber]),
    (
        "about",
        "About you",
        &[
            Claim::Picture,
            Claim::Profile,
            Claim::Website,
            Claim::Birthdate,
            Claim::Gender,
            Claim::Locale,
            Claim::Zoneinfo,
        ],
    ),
    (
        "address",
        "Postal address",
        &[
            Claim::Formatted,
            Claim::StreetAddress,
            Claim::PostalCode,
            Claim::Locality,
            Claim::Region,
            Claim::Country,
        ],
    ),
];

/// The name in the form and the id on the page: that of the claim, or of the member of the address.
fn element(claim: Claim) -> &'static str {
    let name = claim.as_str();
    name.rsplit_once('.').map_or(name, |(_, member)| member)
}

/// The label, the type of the input, and what browsers know it by.
const fn words(claim: Claim) -> (&'static str, &'static str, &'static str) {
    match claim {
        Claim::Name => ("Full name", "text", "name"),
        Claim::GivenName => ("Given names", "text", "given-name"),
        Claim::MiddleName => ("Middle names", "text", "additional-name"),
        Claim::FamilyName => ("Family names", "text", "family-name"),
        Claim::Nickname => ("Nickname", "text", "nickname"),
        Claim::PreferredUsername => ("Preferred user name", "text", "off"),
        Claim::Email => ("E-mail address", "email", "email"),
        Claim::PhoneNumber => ("Telephone number", "tel", "tel"),
        Claim::Picture => ("Picture", "url", "photo"),
        Claim::Profile => ("Profile page", "url", "off"),
        Claim::Website => ("Web site", "url", "url"),
        Claim::Birthdate => ("Date of birth", "text", "off"),
        Claim::Gender => ("Gender", "text", "sex"),
        Claim::Locale => ("Language", "text", "language"),
        Claim::Zoneinfo => ("Time zone", "text", "off"),
        Claim::Formatted => ("As on an envelope", "lines", "off"),
        Claim::StreetAddress => ("Street", "lines", "street-address"),
        Claim::PostalCode => ("Postal code", "text", "postal-code"),
        Claim::Locality => ("City or town", "text", "address-level2"),
        Claim::Region => ("State or region", "text", "address-level1"),
        Claim::Country => ("Country", "text", "country-name"),
    }
}

fn hint(claim: Claim, current: &Map<String, Value>, user: &User) -> Option<String> {
    let verified = |flag: Flag, another: &str, usual: &str| {
        if !current.contains_key(claim.as_str()) {
            usual.to_owned()
        } else if flag.is_set(current) {
            format!("Verified. {another} is not, until the people who run this server say so.")
        } else {
            "Not verified.".to_owned()
        }
    };
    Some(match claim {
        Claim::PreferredUsername => format!("Left empty, it is {}.", user.username),
        Claim::PhoneNumber => verified(
            Flag::PhoneNumber,
            "Another number",
            "With the code of the country, such as +44 20 7946 0958.",
        ),
        Claim::Picture => {
            "The address of a picture of you, such as https://ada.example/me.jpg.".into()
        }
        Claim::Profile => "The address of a page about you.".into(),
        Claim::Website => "The address of a page of yours.".into(),
        Claim::Birthdate => {
            "As 1815-12-10; as 1815 for the year alone; as 0000-12-10 without the year.".into()
        }
        Claim::Locale => "Such as en, en-GB or pt-BR.".into(),
        Claim::Zoneinfo => "Such as Europe/Paris or America/New_York.".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_claim_is_on_the_form_once_under_a_name_of_its_own() {
        let shown: Vec<Claim> = GROUPS.iter().flat_map(|group| group.2).copied().collect();
        let all: Vec<_> = Claim::ALL.iter().copied().filter(|c| *c != Claim::Email).collect();
        assert_eq!(shown, all, "the order of objections is that of the form");
        let ids: BTreeSet<_> = shown.into_iter().map(element).collect();
        assert_eq!(ids.len(), all.len());
        assert!(GROUPS.iter().all(|group| !ids.contains(group.0)));
    }
}
