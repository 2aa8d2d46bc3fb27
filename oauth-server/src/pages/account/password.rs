//! `/account/password`: another password, by whoever knows the present one, or the first one, by whoever signed in a short
//! while ago.
//!
//! People change a password because somebody else may know it. So whatever that somebody may have got with it goes:
//! every other session, every letter that is under way, to another address too, and every authorization with its codes
//! and refresh tokens. Remembered consents go too, since an application of the intruder could otherwise come back
//! without anybody being asked.

use crate::{
    activity::{self, Deed, What},
    config::Authenticator,
    credentials::check_password,
    pages::{
        admin::is_recent,
        errors::Trouble,
        form::{Form, Problems},
        page::{Frame, see_other, show as page},
        visit::SignedIn,
    },
    people,
    session::{Proven, Started},
    shell,
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use oauth_core::{
    error::PortError,
    params::Params,
    ports::{GrantStore as _, SignIn},
    seaorm::{
        UserAccount,
        entity::user::{Column, Entity},
    },
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, sea_query::Expr,
};

#[derive(Template)]
#[template(path = "account/password.html")]
struct PasswordPage {
    frame: Frame,
    username: String,
    password_length: u16,
    /// Why there is nothing to change.
    none: Option<&'static str>,
    /// Whether it is the first one.
    first: bool,
    problems: Problems,
}

/// What came of the wish for another password.
enum Outcome {
    Changed(Started),
    Wrong,
    Throttled(u64),
}

/// What there is to do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// There is a password.
    Change,
    /// There is none.
    Choose,
    /// Any password will do.
    Demonstration,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    if standing(&state, &visit).await? == Standing::Choose {
        recent(&state, &visit)?;
    }
    form(&state, &visit, StatusCode::OK, Problems::default()).await
}

pub(super) async fn change(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    match standing(&state, &visit).await? {
        Standing::Change => {}
        Standing::Choose => {
            recent(&state, &visit)?;
            return choose(&state, &visit, &params).await;
        }
        Standing::Demonstration => {
            return form(&state, &visit, StatusCode::FORBIDDEN, Problems::default()).await;
        }
    }
    let (current, new) = match typed(&state, &visit, &params) {
        Ok(typed) => typed,
        Err(problems) => {
            return form(&state, &visit, StatusCode::UNPROCESSABLE_ENTITY, problems).await;
        }
    };
    let user = &visit.user().id;
    match replace(&state, &visit, current, new).await? {
        Outcome::Changed(started) => {
            // Once more, for what a session was issued while it was being ended.
            state.store.revoke_user(user, None, state.now()).await?;
            tracing::info!(user.id = %user, "user changed the password");
            let mut response = see_other("/account?done=password");
            started.cookies.put(response.headers_mut());
            Ok(response)
        }
        Outcome::Throttled(seconds) => {
            let text = format!("There were too many attempts. Try again in {seconds} seconds.");
            let problems = Problems::one("current_password", text);
            let mut response =
                form(&state, &visit, StatusCode::TOO_MANY_REQUESTS, problems).await?;
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            Ok(response)
        }
        Outcome::Wrong => {
            let problems = Problems::one("current_password", "This is not your password.");
            form(&state, &visit, StatusCode::FORBIDDEN, problems).await
        }
    }
}

/// Gives whoever has no password the first one. Nothing ends: nobody can have come in with another.
async fn choose(state: &AppState, visit: &SignedIn, params: &Params) -> Result<Response, Trouble> {
    let password = params.get("new_password").unwrap_or_default();
    let user = visit.user();
    let shortest = state.config.signup.password_length;
    if let Err(text) = check_password(password, &user.username, shortest) {
        let problems = Problems::one("new_password", text);
        return form(state, visit, StatusCode::UNPROCESSABLE_ENTITY, problems).await;
    }
    let deed = Deed::of(What::PasswordSet, &visit.headers);
    if state.people().choose_password(&user.id, password, deed).await? {
        tracing::info!(user.id = %user.id, "user chose a first password");
        return Ok(see_other("/account?done=password_set"));
    }
    // In another tab there was one meanwhile: this page knows what to do then.
    Ok(see_other("/account/password"))
}

/// Sends whoever signed in long ago to do it again.
fn recent(state: &AppState, visit: &SignedIn) -> Result<(), Trouble> {
    if is_recent(visit.session.login.at, state.now()) {
        Ok(())
    } else {
        Err(see_other("/login?to=password").into())
    }
}

/// The two passwords that were typed, or what is wrong with them before anything is tried.
fn typed<'p>(
    state: &AppState,
    visit: &SignedIn,
    params: &'p Params,
) -> Result<(&'p str, &'p str), Problems> {
    let current = params.get("current_password").unwrap_or_default();
    let new = params.get("new_password").unwrap_or_default();
    let mut problems = Problems::default();
    if current.is_empty() {
        problems.add("current_password", "Type your present password.");
    }
    let shortest = state.config.signup.password_length;
    if let Err(text) = check_password(new, &visit.user().username, shortest) {
        problems.add("new_password", text);
    } else if new == current {
        problems.add("new_password", "Choose a password that you do not have already.");
    }
    if problems.is_empty() { Ok((current, new)) } else { Err(problems) }
}

/// Replaces the password, if the present one is right, and every session by one new one.
async fn replace(
    state: &AppState,
    visit: &SignedIn,
    current: &str,
    new: &str,
) -> Result<Outcome, PortError> {
    let user = visit.user();
    // Read before it is checked, and compared when it is written: of two who change it at once, one is late.
    let known = Entity::find_by_id(user.id.as_str()).one(state.store.database()).await?;
    let Some((known, account)) = known.and_then(|row| {
        let hash = row.password_hash.clone()?;
        Some((hash, UserAccount::from(row)))
    }) else {
        return Ok(Outcome::Wrong);
    };
    match state.users.sign_in(&user.username, current).await? {
        SignIn::Accepted(id) if id == user.id => {}
        SignIn::Throttled(seconds) => return Ok(Outcome::Throttled(seconds)),
        _ => return Ok(Outcome::Wrong),
    }
    let hash = state.passwords.hash(new).await?;
    let is_known = Column::Id.eq(user.id.as_str()).and(Column::PasswordHash.eq(known));
    let update = Entity::update_many()
        .col_expr(Column::PasswordHash, Expr::value(Some(hash)))
        .filter(is_known);
    let (headers, address) = (&visit.headers, shell::client_address());
    let mut amr: Vec<&str> = visit.session.login.amr.iter().map(String::as_str).collect();
    if !amr.contains(&"pwd") {
        amr.push("pwd");
    }
    let deed = Deed::of(What::PasswordChanged, headers);
    let (mail, notice) = (state.mail.clone(), state.people().password_notice(&account)?);
    let (id, now) = (user.id.clone(), state.now());
    let proven = Proven { amr: &amr, at: now };
    let started = state.sessions.start_over(headers, &user.id, proven, address, move |t| {
        Box::pin(async move {
            let changed = update.exec(t).await?.rows_affected == 1;
            if changed {
                people::cut_off(t, &id, now).await?;
                activity::record(t, &id, now, deed).await?;
                if let Some(notice) = notice {
                    mail.queue(t, notice).await?;
                }
            }
            Ok(changed)
        })
    });
    Ok(started.await?.map_or(Outcome::Wrong, Outcome::Changed))
}

async fn standing(state: &AppState, visit: &SignedIn) -> Result<Standing, PortError> {
    if state.config.general.authenticator == Authenticator::Any {
        return Ok(Standing::Demonstration);
    }
    let account = state.store.account(&visit.user().id).await?;
    let has_none = account.is_some_and(|account| !account.has_password);
    Ok(if has_none { Standing::Choose } else { Standing::Change })
}

async fn form(
    state: &AppState,
    visit: &SignedIn,
    status: StatusCode,
    problems: Problems,
) -> Result<Response, Trouble> {
    let standing = standing(state, visit).await?;
    let content = PasswordPage {
        frame: Frame::of(state, visit.user(), "password"),
        username: visit.user().username.clone(),
        password_length: state.config.signup.password_length,
        none: (standing == Standing::Demonstration).then_some(
            "This demonstration lets everybody in with any password, so there is none to change.",
        ),
        first: standing == Standing::Choose,
        problems,
    };
    Ok(page(status, content))
}
