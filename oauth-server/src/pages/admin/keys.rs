//! `/admin/keys`: the signing keys and what each is doing, the next one, and withdrawing one.

use super::{
    Admin, Recent,
    confirm::{Answer, Question},
};
use crate::{
    administration::keys::{self, Doing},
    pages::{
        clients::{is_first, mark},
        errors::{Explanation, Trouble},
        form::Form,
        page::{Frame, see_other, show as page},
        words::{minute, span},
    },
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::{
    error::PortError,
    keys::RotateWhen,
    model::{SigningAlgorithm, StoredKey, Timestamp},
    params::Params,
};

#[derive(Template)]
#[template(path = "admin/keys.html")]
struct KeysPage {
    frame: Frame,
    notice: Option<&'static str>,
    algorithms: Vec<Algorithm>,
    lead: String,
    once: String,
}

struct Algorithm {
    name: &'static str,
    keys: Vec<Line>,
}

struct Line {
    kid: String,
    doing: String,
    is_signing: bool,
    /// Whether it could be withdrawn.
    is_live: bool,
    published: String,
    signs_from: String,
}

pub(super) async fn show(State(state): State<AppState>, admin: Admin) -> Result<Response, Trouble> {
    let (known, now) = (keys::list(&state).await?, state.now());
    let algorithms = offered(&state, &known).map(|alg| Algorithm {
        name: alg.as_str(),
        keys: known.iter().filter(|(k, _)| k.alg == alg).map(|k| line(k, now)).collect(),
    });
    let content = KeysPage {
        frame: admin.frame(&state, "admin-keys"),
        notice: admin.notice(),
        algorithms: algorithms.collect(),
        lead: span(state.config.keys.publish_lead),
        once: mark(&state),
    };
    Ok(page(StatusCode::OK, content))
}

fn line((key, doing): &(StoredKey, Doing), now: Timestamp) -> Line {
    Line {
        doing: match doing {
            Doing::Waiting => "published and waiting".into(),
            Doing::Signing => "signing".into(),
            Doing::Former(Some(until)) if *until > now => {
                format!("still published until {}", minute(*until))
            }
            Doing::Former(_) => "no longer published".into(),
            Doing::Retired => {
                key.retired_at.map_or_else(String::new, |at| format!("retired on {}", minute(at)))
            }
        },
        is_signing: *doing == Doing::Signing,
        is_live: *doing != Doing::Retired,
        kid: key.kid.clone(),
        published: minute(key.publish_at),
        signs_from: minute(key.sign_from),
    }
}

/// The algorithms that can be rotated: those of the configuration, and those of which there are keys.
fn offered(
    state: &AppState,
    known: &[(StoredKey, Doing)],
) -> impl Iterator<Item = SigningAlgorithm> {
    SigningAlgorithm::ALL.into_iter().filter(|alg| {
        state.config.keys.algorithms.contains(alg) || known.iter().any(|(k, _)| k.alg == *alg)
    })
}

/// The algorithm that is meant.
async fn algorithm(state: &AppState, params: &Params) -> Result<SigningAlgorithm, Trouble> {
    let name = params.get("algorithm");
    let name = name.ok_or(Explanation::bad_form(Some("algorithm is missing")))?;
    let known = keys::list(state).await?;
    let found = offered(state, &known).find(|alg| alg.as_str() == name);
    Ok(found.ok_or(Explanation::not_found())?)
}

/// The key that is meant.
async fn key(state: &AppState, params: &Params) -> Result<(StoredKey, Doing), Trouble> {
    let kid = params.get("kid").ok_or(Explanation::bad_form(Some("kid is missing")))?;
    let found = keys::list(state).await?.into_iter().find(|(key, _)| key.kid == kid);
    Ok(found.ok_or(Explanation::not_found())?)
}

pub(super) async fn rotate(
    State(state): State<AppState>,
    admin: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let alg = algorithm(&state, &params).await?;
    if !is_first(&state, &params).await? {
        return Ok(see_other("/admin/keys?done=already"));
    }
    new_key(&state, &admin, alg, RotateWhen::AfterLead).await?;
    Ok(see_other("/admin/keys?done=rotated"))
}

pub(super) async fn ask_rotate_now(
    State(state): State<AppState>,
    admin: Recent,
) -> Result<Response, Trouble> {
    let alg = algorithm(&state, &admin.0.query).await?;
    let question = Question {
        here: "admin-keys",
        title: format!("Replace the {alg} key at once?"),
        text: "The new key signs before anybody could fetch it: whoever checks tokens with a copy of the key set refuses them until that copy is renewed. Do this when the old key is in wrong hands, and retire the old key too. Otherwise make the next key and let it wait.",
        about: alg.to_string(),
        action: "/admin/keys/rotate_now".into(),
        field: Some(("algorithm", alg.to_string())),
        back: "/admin/keys".into(),
        button: "Replace at once",
    };
    Ok(question.page(&state, &admin))
}

pub(super) async fn rotate_now(
    State(state): State<AppState>,
    admin: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let alg = algorithm(&state, &params).await?;
    Ok(match Answer::of(&state, &params).await? {
        Answer::NotAsked => see_other(&format!("/admin/keys/rotate_now?algorithm={alg}")),
        Answer::Again => see_other("/admin/keys?done=already"),
        Answer::Yes => {
            new_key(&state, &admin, alg, RotateWhen::Now).await?;
            see_other("/admin/keys?done=rotated_now")
        }
    })
}

async fn new_key(
    state: &AppState,
    admin: &Recent,
    alg: SigningAlgorithm,
    when: RotateWhen,
) -> Result<(), PortError> {
    let kid = keys::rotate(state, alg, when).await?;
    let what = match when {
        RotateWhen::Now => "signing key replaced at once",
        RotateWhen::AfterLead => "next signing key made",
    };
    admin.record(what, &kid);
    Ok(())
}

pub(super) async fn ask_retire(
    State(state): State<AppState>,
    admin: Recent,
) -> Result<Response, Trouble> {
    let (key, doing) = key(&state, &admin.0.query).await?;
    if doing == Doing::Retired {
        return Ok(see_other("/admin/keys?done=was_retired"));
    }
    let text = match doing {
        Doing::Signing => {
            "Whoever checks tokens with the key set refuses every one that this key signed: applications have to get new ones. The key that waits signs from now on; where none waits, a new one is made. It cannot be undone."
        }
        Doing::Waiting => "It will never sign. It cannot be undone.",
        Doing::Former(_) | Doing::Retired => {
            "Whoever checks tokens with the key set refuses every one that this key signed: applications have to get new ones. It cannot be undone."
        }
    };
    let question = Question {
        here: "admin-keys",
        title: format!("Retire this {} key?", key.alg),
        text,
        about: key.kid.clone(),
        action: "/admin/keys/retire".into(),
        field: Some(("kid", key.kid)),
        back: "/admin/keys".into(),
        button: "Retire",
    };
    Ok(question.page(&state, &admin))
}

pub(super) async fn retire(
    State(state): State<AppState>,
    admin: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let (StoredKey { kid, .. }, doing) = key(&state, &params).await?;
    Ok(match Answer::of(&state, &params).await? {
        _ if doing == Doing::Retired => see_other("/admin/keys?done=was_retired"),
        Answer::NotAsked => see_other(&format!("/admin/keys/retire?kid={kid}")),
        Answer::Again => see_other("/admin/keys?done=already"),
        Answer::Yes => {
            if !keys::retire(&state, &kid).await? {
                return Err(Explanation::not_found().into());
            }
            admin.record("signing key retired", &kid);
            see_other("/admin/keys?done=retired")
        }
    })
}
