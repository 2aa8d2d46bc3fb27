//! `/admin/users/{id}`: one person, and what an administrator may do about it.

use super::{
    Admin, Recent,
    confirm::{Answer, Question},
    rights,
};
use crate::{
    administration::users,
    audit::{Entry, Kind},
    pages::{
        account::browser_name,
        errors::{Explanation, Trouble},
        form::{Form, Problems},
        page::{Frame, see_other, show as page},
        words::minute,
    },
    people::Place,
    profile::{self, Flag},
    session::Session,
    state::AppState,
};
use askama::Template;
use axum::{
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, request::Parts},
    response::Response,
};
use oauth_core::{
    model::{Timestamp, UserId},
    ports::Users as _,
    seaorm::UserAccount,
};
use serde_json::{Map, Value};
use std::cmp::Reverse;

/// More than this nobody reads.
const MOST: usize = 20;

/// The person in the path.
pub(super) struct Person(pub(super) UserAccount);

impl FromRequestParts<AppState> for Person {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Trouble> {
        let id = Path::<String>::from_request_parts(parts, state).await;
        let Path(id) = id.map_err(|_| Explanation::not_found())?;
        if id.chars().any(char::is_control) {
            return Err(Explanation::not_found().into());
        }
        let account = state.store.account(&UserId::new(id)).await?;
        Ok(Self(account.ok_or(Explanation::not_found())?))
    }
}

impl Person {
    pub(super) fn path(&self) -> String {
        format!("/admin/users/{}", self.0.id)
    }

    /// Back to the page, which says what was done.
    pub(super) fn done(&self, what: &str) -> Response {
        see_other(&format!("{}?done={what}", self.path()))
    }
}

#[derive(Template)]
#[template(path = "admin/user.html")]
struct PersonPage {
    frame: Frame,
    notice: Option<&'static str>,
    path: String,
    user: UserAccount,
    /// Whether it is the administrator who asks.
    is_self: bool,
    made: String,
    /// Whether a code is asked for after the password.
    second_factor: bool,
    passkeys: u64,
    claims: Vec<Verifiable>,
    rights: Vec<rights::Line>,
    sessions: Vec<SessionLine>,
    more: u64,
    /// Programs that hold tokens of the user service.
    programs: Vec<SessionLine>,
    more_programs: usize,
    problems: Problems,
}

/// An address or a number, and whether it is verified.
struct Verifiable {
    claim: &'static str,
    title: &'static str,
    value: String,
    verified: bool,
}

struct SessionLine {
    browser: String,
    address: Option<String>,
    since: String,
    last_used: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    admin: Admin,
    person: Person,
) -> Result<Response, Trouble> {
    let rights = rights::lines(&state, &person.0.id).await?;
    let notice = admin.notice();
    whole(&state, &admin, person, (StatusCode::OK, notice), (rights, Problems::default())).await
}

/// The page with rights as they are, or as somebody typed them.
pub(super) async fn whole(
    state: &AppState,
    admin: &Admin,
    person: Person,
    (status, notice): (StatusCode, Option<&'static str>),
    (rights, problems): (Vec<rights::Line>, Problems),
) -> Result<Response, Trouble> {
    let path = person.path();
    let user = person.0;
    let profile = state.store.profile(&user.id).await?;
    // Whoever is locked out has no session.
    let mut sessions = match state.store.user(&user.id).await? {
        Some(user) => state.sessions.list(&user).await?,
        None => Vec::new(),
    };
    let all = if sessions.is_empty() { 0 } else { state.sessions.count(&user.id).await? };
    let more = all.saturating_sub(MOST as u64);
    sessions.truncate(MOST);
    let mut programs = state.people().programs(&user.id, None).await?;
    programs.sort_by_key(|place| Reverse(place.last_used_at));
    let more_programs = programs.len().saturating_sub(MOST);
    programs.truncate(MOST);
    let content = PersonPage {
        frame: admin.frame(state, "admin-users"),
        notice,
        path,
        is_self: user.id == admin.user().id,
        made: minute(user.created_at),
        second_factor: state.second_factor.is_needed(&user.id).await?,
        passkeys: state.passkeys.count(&user.id).await?,
        claims: Flag::ALL.into_iter().filter_map(|flag| verifiable(flag, &profile)).collect(),
        user,
        rights,
        sessions: sessions.into_iter().map(SessionLine::of).collect(),
        more,
        programs: programs.into_iter().map(SessionLine::of_program).collect(),
        more_programs,
        problems,
    };
    Ok(page(status, content))
}

fn verifiable(flag: Flag, profile: &Map<String, Value>) -> Option<Verifiable> {
    let claim = flag.claim().as_str();
    Some(Verifiable {
        claim,
        title: match flag {
            Flag::Email => "E-mail address",
            Flag::PhoneNumber => "Telephone number",
        },
        value: profile.get(claim)?.as_str()?.to_owned(),
        verified: flag.is_set(profile),
    })
}

impl SessionLine {
    fn of(session: Session) -> Self {
        Self {
            browser: browser_name(session.user_agent.as_deref()),
            address: session.address,
            since: minute(session.created_at),
            last_used: minute(session.last_seen_at),
        }
    }

    fn of_program(place: Place) -> Self {
        Self {
            browser: browser_name(place.user_agent.as_deref()),
            address: place.address,
            since: minute(Timestamp::from_unix(place.created_at)),
            last_used: minute(Timestamp::from_unix(place.last_used_at)),
        }
    }
}

/// What is asked about before it is done, and what nobody does to itself here.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Disable,
    Promote,
    Demote,
    ResetFactors,
}

impl Act {
    const fn word(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Promote => "promote",
            Self::Demote => "demote",
            Self::ResetFactors => "reset_factors",
        }
    }

    fn question(self, person: &Person) -> Question {
        let (name, back) = (&person.0.username, person.path());
        let (title, text, button) = match self {
            Self::Disable => (
                format!("Lock {name} out?"),
                "Every session of this person ends, the applications are told, and every authorization is revoked. What this person said and made stays, and you can let the person in again.",
                "Lock out",
            ),
            Self::Promote => (
                format!("Make {name} an administrator?"),
                "Administrators replace keys, delete clients, lock people out, and make other administrators.",
                "Make an administrator",
            ),
            Self::Demote => (
                format!("Make {name} an ordinary user?"),
                "This person can no longer see these pages.",
                "Make an ordinary user",
            ),
            Self::ResetFactors => (
                format!("Take the second factor and the passkeys of {name} away?"),
                "For somebody who lost the device. Make sure that it is this person who asks. Afterwards the password alone signs in, or leads to setting up another app where a second factor is demanded; whoever has none cannot sign in until you give the person one.",
                "Take them away",
            ),
        };
        Question {
            here: "admin-users",
            title,
            text,
            about: person.0.id.to_string(),
            action: format!("{back}/{}", self.word()),
            field: None,
            back,
            button,
        }
    }
}

pub(super) fn ask(
    act: Act,
    state: &AppState,
    admin: &Recent,
    person: &Person,
) -> Result<Response, Trouble> {
    not_oneself(admin, person)?;
    Ok(act.question(person).page(state, admin))
}

pub(super) async fn act(
    act: Act,
    State(state): State<AppState>,
    admin: Recent,
    person: Person,
    Form(params): Form,
) -> Result<Response, Trouble> {
    not_oneself(&admin, &person)?;
    match Answer::of(&state, &params).await? {
        Answer::NotAsked => {
            return Ok(see_other(&format!("{}/{}", person.path(), act.word())));
        }
        Answer::Again => return Ok(person.done("already")),
        Answer::Yes => {}
    }
    let id = &person.0.id;
    let (done, what) = match act {
        Act::Disable => {
            users::disable(&state, id).await?;
            ("disabled", "user locked out")
        }
        Act::Promote => {
            state.store.set_admin(id, true).await?;
            ("promoted", "user made an administrator")
        }
        Act::ResetFactors => {
            let entry = Entry::new(Kind::FactorsReset).user(&admin.0.user().id);
            state.audit.write(entry.detail(format!("for {id}"))).await?;
            users::reset_factors(&state, id).await?;
            ("factors_reset", "second factors of a user reset")
        }
        Act::Demote => {
            state.store.set_admin(id, false).await?;
            ("demoted", "user made an ordinary one")
        }
    };
    admin.record(what, id.as_str());
    Ok(person.done(done))
}

/// Whoever locks itself out, or is no administrator any more, could not take it back.
fn not_oneself(admin: &Recent, person: &Person) -> Result<(), Trouble> {
    if admin.0.user().id == person.0.id {
        return Err(Explanation::own_account().into());
    }
    Ok(())
}

pub(super) async fn enable(
    State(state): State<AppState>,
    admin: Recent,
    person: Person,
    Form(_): Form,
) -> Result<Response, Trouble> {
    state.store.set_disabled(&person.0.id, false).await?;
    admin.record("user let in again", person.0.id.as_str());
    Ok(person.done("enabled"))
}

pub(super) async fn sign_out(
    State(state): State<AppState>,
    admin: Recent,
    person: Person,
    Form(_): Form,
) -> Result<Response, Trouble> {
    state.people().end_programs(&person.0.id, None).await?;
    state.sessions.end_all_of(&person.0.id).await?;
    admin.record("user signed out everywhere", person.0.id.as_str());
    if person.0.id == admin.0.user().id {
        return Ok(see_other("/login?to=admin-users"));
    }
    Ok(person.done("signed_out"))
}

/// Says whether what was on the page is verified. Something else that the person wrote meanwhile is not.
pub(super) async fn verified(
    State(state): State<AppState>,
    admin: Recent,
    person: Person,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let unreadable = |what| Explanation::bad_form(Some(what));
    let claim = params.get("claim").unwrap_or_default();
    let flag = Flag::ALL.into_iter().find(|flag| flag.claim().as_str() == claim);
    let flag = flag.ok_or(unreadable("claim is neither email nor phone_number"))?;
    let shown = params.get("value").ok_or(unreadable("value is missing"))?.to_owned();
    let is_verified = match params.get("verified") {
        Some("yes") => true,
        Some("no") => false,
        _ => return Err(unreadable("verified is neither yes nor no").into()),
    };
    let (now, expected) = (state.now(), shown.clone());
    let is_shown = move |profile: &Map<String, Value>| {
        profile.get(flag.claim().as_str()) == Some(&Value::String(expected.clone()))
    };
    let same = is_shown.clone();
    let with = move |current: &Map<String, Value>| {
        let mut profile = current.clone();
        (same(current) && flag.set(&mut profile, is_verified, now)).then_some(profile)
    };
    let Ok(profile) = profile::change(&state.store, &person.0.id, with).await? else {
        return Ok(person.done("address_taken"));
    };
    let profile = profile.ok_or(Explanation::not_found())?;
    if !is_shown(&profile) || flag.is_set(&profile) != is_verified {
        return Ok(person.done("changed"));
    }
    let what = match (flag, is_verified) {
        (Flag::Email, true) => "e-mail address said to be verified",
        (Flag::Email, false) => "e-mail address said to be not verified",
        (Flag::PhoneNumber, true) => "telephone number said to be verified",
        (Flag::PhoneNumber, false) => "telephone number said to be not verified",
    };
    admin.record(what, person.0.id.as_str());
    Ok(person.done(if is_verified { "verified" } else { "unverified" }))
}
