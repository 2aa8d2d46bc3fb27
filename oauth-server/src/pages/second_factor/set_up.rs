//! `/login/second-factor/set-up`: an app is set up between the factors, by whoever has to have a second one and has none.
//!
//! Nobody is signed in before the app has shown a code: what authenticates here is the half sign-in of the browser, which
//! is used up in the transaction that turns the second factor on and begins the session.

use super::{start_again, throttled};
use crate::{
    activity::{self, Deed, What},
    pages::{
        asker::Asker,
        errors::Trouble,
        form::{Form, Problems},
        page::{Frame, show as page, show_to},
        visit::Visit,
        way::Way,
    },
    second_factor::{AMR_MFA, AMR_OTP, Demand, Enrolment, FirstCode, Half, Refusal},
    session::{Proven, Started},
    shell,
    state::AppState,
};
use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use oauth_core::{error::PortError, model::User};

/// The path of the page.
pub(super) const PATH: &str = "/login/second-factor/set-up";
/// The path of the picture on it.
pub(super) const PICTURE: &str = "/login/second-factor/set-up/picture";

#[derive(Template)]
#[template(path = "second_factor_set_up.html")]
struct SetUpPage {
    frame: Frame,
    asker: Option<Asker>,
    interaction: String,
    to: String,
    query: String,
    secret: String,
    problems: Problems,
}

#[derive(Template)]
#[template(path = "second_factor_codes.html")]
struct CodesPage {
    frame: Frame,
    codes: Vec<String>,
    interaction: String,
    username: String,
    /// The page to go on to, where no application waits.
    path: String,
}

/// Somebody who is to set an app up.
struct Newcomer {
    half: Half,
    user: User,
    app: Enrolment,
}

/// Whose browser it is, if that one passed the first factor and has to set an app up.
async fn newcomer(state: &AppState, headers: &HeaderMap) -> Result<Option<Newcomer>, PortError> {
    let Some(half) = state.second_factor.half(headers).await? else { return Ok(None) };
    if state.second_factor.demand(&half.user).await? != Demand::SetUp {
        return Ok(None);
    }
    let Some(user) = state.users.user(&half.user).await? else { return Ok(None) };
    let app = state.second_factor.offer(&half, &user);
    Ok(app.map(|app| Newcomer { half, user, app }))
}

pub(super) async fn show(State(state): State<AppState>, visit: Visit) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &visit.query).await?;
    let Some(newcomer) = newcomer(&state, &visit.headers).await? else {
        return Ok(start_again(&way));
    };
    Ok(form(&state, (&visit, &way), &newcomer, StatusCode::OK, Problems::default()))
}

/// The key as a picture.
pub(super) async fn picture(
    State(state): State<AppState>,
    visit: Visit,
) -> Result<Response, Trouble> {
    let Some(newcomer) = newcomer(&state, &visit.headers).await? else {
        return Ok(StatusCode::NOT_FOUND.into_response());
    };
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, newcomer.app.picture).into_response())
}

/// Turns the second factor on with a first code of the app, and signs its owner in.
pub(super) async fn submit(
    State(state): State<AppState>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let way = Way::of(&state, &visit, &params).await?;
    let Some(newcomer) = newcomer(&state, &visit.headers).await? else {
        return Ok(start_again(&way));
    };
    let again = |status, text: String| {
        form(&state, (&visit, &way), &newcomer, status, Problems::one("code", text))
    };
    let typed = params.get("code").unwrap_or_default();
    if typed.trim().is_empty() {
        return Ok(again(StatusCode::UNPROCESSABLE_ENTITY, "Type the code.".into()));
    }
    let (first, codes) = match state.second_factor.first_code(&newcomer.half, typed).await? {
        Ok(right) => right,
        Err(Refusal::Wrong) => {
            let text = "This is not the code that the app shows now.";
            return Ok(again(StatusCode::FORBIDDEN, text.into()));
        }
        Err(Refusal::Throttled(seconds)) => return Ok(throttled(again, seconds)),
    };
    let Some(started) = begin(&state, &visit.headers, &newcomer.half, first).await? else {
        return Ok(start_again(&way));
    };
    let user = &newcomer.user;
    state.second_factor.succeeded(&user.id).await?;
    tracing::info!(user.id = %user.id, "second factor set up while signing in");
    let mut response = codes_page(&state, &way, user, codes);
    started.cookies.put(response.headers_mut());
    response.headers_mut().append(header::SET_COOKIE, state.second_factor.forget());
    Ok(response)
}

/// Turns the second factor on and begins a session, if the half sign-in is still good when that is written. Other sessions
/// end, as they do on the account page: somebody else may be in one. The first factor alone says when somebody proved who it
/// is: anybody can set an app up.
async fn begin(
    state: &AppState,
    headers: &HeaderMap,
    half: &Half,
    first: FirstCode,
) -> Result<Option<Started>, PortError> {
    let (now, user) = (state.now(), half.user.clone());
    let amr: Vec<&str> = half.amr.iter().map(String::as_str).chain([AMR_OTP, AMR_MFA]).collect();
    let proven = Proven { amr: &amr, at: half.at };
    let deeds = [
        Deed::of(What::SecondFactorAdded, headers),
        Deed::of(What::SignedIn, headers).about(&amr.join(" ")),
    ];
    let address = shell::client_address();
    let started = state.sessions.start_over(headers, &half.user, proven, address, move |t| {
        Box::pin(async move {
            if !first.consume(t, now).await? {
                return Ok(false);
            }
            for deed in deeds {
                activity::record(t, &user, now, deed).await?;
            }
            Ok(true)
        })
    });
    started.await
}

fn form(
    state: &AppState,
    (visit, way): (&Visit, &Way),
    newcomer: &Newcomer,
    status: StatusCode,
    problems: Problems,
) -> Response {
    let asker = way.asker(visit);
    let logo = asker.as_ref().and_then(|a| a.logo.clone());
    let content = SetUpPage {
        frame: Frame::bare(state),
        asker,
        interaction: way.id(),
        to: way.to(),
        query: way.query(),
        secret: newcomer.app.secret.clone(),
        problems,
    };
    match way.interaction() {
        Some(i) => show_to(status, content, &i.pending.redirect_uri, logo.as_deref()),
        None => page(status, content),
    }
}

/// The recovery codes. From here one goes on as somebody who is signed in: to an application it may take long to get
/// there, and its code would be over by then. One that wants a sign-in made for it alone asks again.
fn codes_page(state: &AppState, way: &Way, user: &User, codes: Vec<String>) -> Response {
    let content = CodesPage {
        frame: Frame::bare(state),
        codes,
        interaction: way.id(),
        username: user.username.clone(),
        path: way.path(),
    };
    match way.interaction() {
        Some(i) => show_to(StatusCode::OK, content, &i.pending.redirect_uri, None),
        None => page(StatusCode::OK, content),
    }
}
