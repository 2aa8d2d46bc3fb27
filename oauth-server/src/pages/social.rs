//! `/login/with/{provider}` and `/login/from/{provider}`: signing in through another provider, there and back.

use super::{
    account::is_recent,
    errors::{Explanation, Trouble},
    form::Form,
    page::{Frame, see_other, show},
    second_factor,
    visit::{SignedIn, Visit},
    way::{Destination, Way},
};
use crate::{
    second_factor::{Demand, FirstFactor},
    session::{Proven, Started},
    shell,
    social::{AMR, Attempt, Blame, Errand, Linked, Notice, Person, Refusal, Tokens, Upstream},
    state::AppState,
    throttle::Admission,
};
use askama::Template;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use oauth_core::{error::OAuthError, model::UserId, params::Params};

/// A button.
pub(super) struct Button {
    /// The id of the provider.
    pub(super) id: String,
    /// Its name.
    pub(super) title: String,
}

/// A button for every provider.
pub(super) fn buttons(state: &AppState) -> Vec<Button> {
    let button =
        |u: &Upstream| Button { id: u.settings.id.clone(), title: u.settings.name().to_owned() };
    state.social.upstreams().iter().map(button).collect()
}

/// Lets the forms of a page lead to the providers, and to wherever those send people on to in the same breath: browsers
/// hold every redirect that follows a form against this list.
pub(super) fn lead_out(state: &AppState, mut response: Response) -> Response {
    let mut schemes: Vec<_> =
        state.social.upstreams().iter().map(|u| u.settings.scheme()).collect();
    schemes.sort_unstable();
    schemes.dedup();
    let headers = response.headers_mut();
    let policy = headers.get(header::CONTENT_SECURITY_POLICY).and_then(|p| p.to_str().ok());
    let Some(mut policy) = policy.map(str::to_owned) else { return response };
    for scheme in schemes {
        policy = policy.replace("form-action 'self'", &format!("form-action 'self' {scheme}:"));
    }
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

#[derive(Template)]
#[template(path = "social_problem.html")]
struct ProblemPage {
    frame: Frame,
    title: String,
    text: &'static str,
    code: &'static str,
    again: String,
    again_title: &'static str,
    request: Option<String>,
}

/// Where somebody is on the way, for the page that explains why it goes no further.
struct Place<'a> {
    title: &'a str,
    back: String,
    links: bool,
}

/// Sends somebody to a provider to sign in.
pub(super) async fn depart(
    State(state): State<AppState>,
    Path(id): Path<String>,
    visit: Visit,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let upstream = state.social.upstream(&id).ok_or(Explanation::not_found())?;
    let way = Way::of(&state, &visit, &params).await?;
    let fresh = visit.session.is_some()
        || way.interaction().is_some_and(|i| {
            i.pending.max_age.is_some() || i.pending.prompt.iter().any(|p| p == "login")
        });
    let ask_again = matches!(&way, Way::To(destination) if destination.is_guarded());
    let errand = Errand { interaction: way.id(), to: way.to(), link: None, fresh, ask_again };
    leave(&state, upstream, &visit.headers, errand).await
}

/// Sends somebody to a provider to link who that person is there.
pub(super) async fn depart_to_link(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let id = params.get("provider").unwrap_or_default();
    let upstream = state.social.upstream(id).ok_or(Explanation::not_found())?;
    if !is_recent(visit.session.login.at, state.now()) {
        return Ok(see_other("/login?to=identities"));
    }
    let link = Some(visit.user().id.as_str().to_owned());
    let errand = Errand { to: "identities".into(), link, ..Errand::default() };
    leave(&state, upstream, &visit.headers, errand).await
}

async fn leave(
    state: &AppState,
    upstream: &Upstream,
    headers: &HeaderMap,
    errand: Errand,
) -> Result<Response, Trouble> {
    let place = Place::of(upstream, &errand);
    match state.social.depart(upstream, headers, errand).await {
        Ok(departure) => {
            let mut response = see_other(&departure.url);
            response.headers_mut().append(header::SET_COOKIE, departure.cookie);
            Ok(response)
        }
        Err(refusal) => Ok(problem(state, &place, refusal)),
    }
}

/// Somebody comes back.
pub(super) async fn arrive(
    State(state): State<AppState>,
    Path(id): Path<String>,
    mut visit: Visit,
) -> Result<Response, Trouble> {
    let upstream = state.social.upstream(&id).ok_or(Explanation::not_found())?;
    let query = std::mem::take(&mut visit.query);
    let known = query.get("state").unwrap_or_default();
    let attempt = match state.social.arrive(upstream, &visit.headers, known).await {
        Ok(attempt) => attempt,
        Err(refusal) => {
            let place = Place::of(upstream, &Errand::default());
            return Ok(problem(&state, &place, refusal));
        }
    };
    let place = Place::of(upstream, attempt.errand());
    let outcome = match who(&state, upstream, &attempt, &query).await {
        Ok((person, tokens)) => match attempt.link() {
            Some(user) => link(&state, upstream, &visit, &user, (person, tokens)).await,
            None => sign_in(&state, upstream, &visit, (person, tokens)).await,
        },
        Err(refusal) => Err(refusal),
    };
    match outcome {
        Ok(Outcome::Linked(how)) => Ok(see_other(match how {
            Linked::Now => "/account/identities?done=linked",
            Linked::Before => "/account/identities?done=linked_before",
        })),
        Ok(Outcome::Started(started)) => go_on(&state, visit, &attempt, started).await,
        Ok(Outcome::Half(first)) => ask(&state, visit, &attempt, first).await,
        Err(refusal) => Ok(problem(&state, &place, refusal)),
    }
}

/// What came of it.
enum Outcome {
    Linked(Linked),
    Started(Started),
    /// Somebody who has a second factor here, or has to have one, for which the provider does not stand.
    Half(FirstFactor),
}

/// Who came back. Before anything else it is settled whose answer it is.
async fn who(
    state: &AppState,
    upstream: &Upstream,
    attempt: &Attempt,
    query: &Params,
) -> Result<(Person, Tokens), Refusal> {
    state.social.check_issuer(upstream, query.get("iss")).await?;
    match (query.get("error"), query.get("code")) {
        (Some("access_denied"), _) => Err(Refusal::AccessDenied),
        (Some(_), _) | (None, None) => Err(Refusal::UpstreamError),
        (None, Some(code)) => state.social.person(upstream, attempt, code).await,
    }
}

async fn link(
    state: &AppState,
    upstream: &Upstream,
    visit: &Visit,
    user: &UserId,
    (person, tokens): (Person, Tokens),
) -> Result<Outcome, Refusal> {
    let session = visit.session.as_ref().filter(|session| session.user.id == *user);
    session.ok_or(Refusal::LinkOtherUser)?;
    let account = state.store.account(user).await?;
    let writes = (&state.mail, state.config.mail.language);
    let notice = Notice::new(writes, upstream, &person, account.as_ref())?;
    let linked = state.social.link(upstream, &person, &tokens, user, notice).await?;
    tracing::info!(user.id = %user, upstream = upstream.settings.id, "user linked an identity");
    Ok(Outcome::Linked(linked))
}

async fn sign_in(
    state: &AppState,
    upstream: &Upstream,
    visit: &Visit,
    (person, tokens): (Person, Tokens),
) -> Result<Outcome, Refusal> {
    let user = match state.social.owner(&person).await? {
        Some(user) => user,
        None => meet(state, upstream, &person, &tokens).await?,
    };
    let confirmation = state.social.confirm(upstream, &person, &tokens, &user)?;
    let at = state.social.proven_at(upstream, &person);
    if upstream.settings.second_factor
        && state.second_factor.demand(&user).await? != Demand::Nothing
    {
        let held = state.store.write(move |t| Box::pin(confirmation.holds(t)));
        let first = FirstFactor { user, amr: vec![AMR.to_owned()], at, password: None };
        return if held.await? { Ok(Outcome::Half(first)) } else { Err(Refusal::AccountDisabled) };
    }
    let (headers, address) = (&visit.headers, shell::client_address());
    let proven = Proven { amr: &[AMR], at };
    let started = state
        .sessions
        .start_if(headers, &user, proven, address, move |t| Box::pin(confirmation.holds(t)));
    let started = started.await?.ok_or(Refusal::AccountDisabled)?;
    tracing::info!(user.id = %user, upstream = upstream.settings.id, "sign-in through a provider");
    Ok(Outcome::Started(started))
}

/// The account of somebody whose identity is not known here: the one with the same confirmed address, where the provider
/// has verified it and is trusted with that, or a new one.
async fn meet(
    state: &AppState,
    upstream: &Upstream,
    person: &Person,
    tokens: &Tokens,
) -> Result<UserId, Refusal> {
    let known = match person.verified_email() {
        Some(email) => state.store.account_by_email(email).await?.filter(|a| a.email_verified),
        None => None,
    };
    let Some(account) = known else { return admit(state, upstream, person, tokens).await };
    if !upstream.trusts_email() {
        return Err(Refusal::EmailTaken);
    }
    if account.disabled {
        return Err(Refusal::AccountDisabled);
    }
    let writes = (&state.mail, state.config.mail.language);
    let notice = Notice::new(writes, upstream, person, Some(&account))?;
    state.social.link(upstream, person, tokens, &account.id, notice).await?;
    tracing::info!(user.id = %account.id, upstream = upstream.settings.id, "an identity was linked by its address");
    Ok(account.id)
}

/// An account for somebody who comes for the first time.
async fn admit(
    state: &AppState,
    upstream: &Upstream,
    person: &Person,
    tokens: &Tokens,
) -> Result<UserId, Refusal> {
    if !upstream.settings.signup.unwrap_or(state.config.signup.open) {
        return Err(Refusal::SignupClosed);
    }
    if let Some(address) = shell::client_address()
        && let Admission::Wait(_) = state.throttle.admit_signup(address).await?
    {
        return Err(Refusal::Throttled);
    }
    let rights = state.config.rights_of_newcomers();
    match state.social.create(upstream, person, tokens, rights).await? {
        Some(user) => {
            tracing::info!(user.id = %user, upstream = upstream.settings.id, "user signed up");
            Ok(user)
        }
        // The same person, in another tab, was faster.
        None => Ok(state.social.owner(person).await?.ok_or(Refusal::AccountDisabled)?),
    }
}

/// Goes on with the session to where the person wanted to.
async fn go_on(
    state: &AppState,
    visit: Visit,
    attempt: &Attempt,
    started: Started,
) -> Result<Response, Trouble> {
    match Way::of(state, &visit, &wanted(attempt)?).await {
        Ok(way) => Ok(way.begin(state, &visit, started).await),
        // The application waited for too long. The person is signed in all the same.
        Err(trouble) => {
            let mut response = axum::response::IntoResponse::into_response(trouble);
            started.cookies.put(response.headers_mut());
            Ok(response)
        }
    }
}

/// Asks for the second factor, on the way to where the person wanted to; home where nobody waits any more.
async fn ask(
    state: &AppState,
    visit: Visit,
    attempt: &Attempt,
    first: FirstFactor,
) -> Result<Response, Trouble> {
    let way = Way::of(state, &visit, &wanted(attempt)?).await;
    let way = way.unwrap_or(Way::To(Destination::Home));
    let response = second_factor::after(state, &visit, way, first).await?;
    Ok(response.unwrap_or_else(|| see_other("/login")))
}

/// Where the person wanted to, as parameters.
fn wanted(attempt: &Attempt) -> Result<Params, OAuthError> {
    let mut params = Params::default();
    let errand = attempt.errand();
    if errand.interaction.is_empty() {
        params.add("to".into(), errand.to.clone())?;
    } else {
        params.add("interaction".into(), errand.interaction.clone())?;
    }
    Ok(params)
}

impl<'a> Place<'a> {
    fn of(upstream: &'a Upstream, errand: &Errand) -> Self {
        let mut query = form_urlencoded::Serializer::new(String::new());
        if !errand.interaction.is_empty() {
            query.append_pair("interaction", &errand.interaction);
        } else if !errand.to.is_empty() {
            query.append_pair("to", &errand.to);
        }
        let query = query.finish();
        let links = errand.link.is_some();
        let back = match (links, query.is_empty()) {
            (true, _) => "/account/identities".into(),
            (false, true) => "/login".into(),
            (false, false) => format!("/login?{query}"),
        };
        Self { title: upstream.settings.name(), back, links }
    }
}

/// The page that explains why it went no further, from which nothing is lost.
fn problem(state: &AppState, place: &Place<'_>, refusal: Refusal) -> Response {
    let (code, status, upstream) = (refusal.code(), refusal.status(), place.title);
    let (title, text) = words(refusal.blame(), upstream);
    if let Refusal::Inside(e) = refusal {
        let causes = OAuthError::from(e).causes();
        tracing::error!(upstream, causes, "a sign-in through a provider failed");
    } else {
        tracing::warn!(upstream, code, "a sign-in through a provider was refused");
    }
    let page = ProblemPage {
        frame: Frame::bare(state),
        title,
        text,
        code,
        again: place.back.clone(),
        again_title: if place.links {
            "Back to your identities"
        } else {
            "Back to the sign-in page"
        },
        request: shell::request_id().map(|id| id.to_string()),
    };
    show(status, page)
}

/// What happened, and what to do now.
fn words(blame: Blame, name: &str) -> (String, &'static str) {
    match blame {
        Blame::Return => (
            "This sign-in is over".into(),
            "It took too long, was finished already, began in another browser, or the answer is not for it. Nothing was changed.",
        ),
        Blame::Denied => (
            format!("{name} did not sign you in"),
            "You said no there, or it did. Nothing was changed.",
        ),
        Blame::Silent => (
            format!("{name} does not answer"),
            "It may be down. Try again in a while, or sign in another way.",
        ),
        Blame::Upstream => (
            format!("{name} gave an answer that is not accepted"),
            "So that nobody can pass for you, it was not believed. Tell the people who run this server what you see here.",
        ),
        Blame::Account => (
            "You need to sign in here first".into(),
            "Sign in to the account that you have here, then link this identity on your account page. If you have none, ask the people who run this server.",
        ),
        Blame::Taken => (
            "This identity belongs to another account".into(),
            "It can be linked to one account here. Unlink it there first.",
        ),
        Blame::Locked => ("This account is locked".into(), "Ask the people who run this server."),
        Blame::Stale => (
            format!("{name} did not ask you again"),
            "You have to prove anew who you are, and it does not say that you did. Sign in another way.",
        ),
        Blame::Throttled => (
            "Too many accounts were made from where you are".into(),
            "Wait a while, then try again.",
        ),
        Blame::Us => (
            "Something went wrong on our side".into(),
            "You did nothing wrong, and trying again may help.",
        ),
    }
}
