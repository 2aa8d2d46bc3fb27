//! To the provider and back. Each login has a state of its own and belongs to the browser it began in.

use super::{
    Web,
    guard::{Posted, Visit},
    views,
};
use crate::{
    error::{Error, Result},
    login::{Code, PendingLogin, Redirected},
};
use axum::{
    Extension,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use std::sync::{Mutex, PoisonError};

/// A login is forgotten after this many seconds.
const LIFE: i64 = 600;
/// So many at once; the oldest goes.
const MOST: usize = 100;

/// The logins under way.
#[derive(Debug, Default)]
pub(super) struct Logins(Mutex<Vec<Login>>);

#[derive(Debug)]
struct Login {
    browser: String,
    pending: PendingLogin,
    /// What came back, until it is exchanged.
    code: Option<Code>,
}

impl Logins {
    fn with<T>(&self, now: i64, run: impl FnOnce(&mut Vec<Login>) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|login| now.saturating_sub(login.pending.started_at) < LIFE);
        run(&mut all)
    }

    fn add(&self, now: i64, login: Login) {
        self.with(now, |all| {
            if all.len() >= MOST {
                all.remove(0);
            }
            all.push(login);
        });
    }

    /// Checks an answer against the login of this browser with its state, and keeps the code. An error of the
    /// provider ends the login.
    fn receive(&self, now: i64, browser: &str, back: Redirected) -> Result<u32> {
        self.with(now, |all| {
            let found = all.iter().position(|login| {
                login.browser == browser
                    && login.code.is_none()
                    && back.state().is_some_and(|state| login.pending.is_state(state))
            });
            let unknown =
                || Error::Invalid("no login waits for this answer in this browser".into());
            let at = found.ok_or_else(unknown)?;
            let login = all.get_mut(at).ok_or_else(unknown)?;
            match login.pending.check(back) {
                Ok(code) => {
                    login.code = Some(code);
                    Ok(login.pending.client().id())
                }
                Err(e) => {
                    all.remove(at);
                    Err(e)
                }
            }
        })
    }

    /// Takes the login of this browser whose code came last.
    fn take(&self, now: i64, browser: &str, client: u32) -> Option<(PendingLogin, Code)> {
        self.with(now, |all| {
            let at = all.iter().rposition(|login| {
                login.browser == browser
                    && login.code.is_some()
                    && login.pending.client().id() == client
            })?;
            let login = all.remove(at);
            Some((login.pending, login.code?))
        })
    }

    fn has_code(&self, now: i64, browser: &str, client: u32) -> bool {
        self.with(now, |all| {
            all.iter().any(|login| {
                login.browser == browser
                    && login.code.is_some()
                    && login.pending.client().id() == client
            })
        })
    }
}

/// The way to the provider: the one GET that begins something.
pub(super) async fn begin(
    State(web): State<Web>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    // Another site must not send people to sign in.
    let from = headers.get("sec-fetch-site").and_then(|v| v.to_str().ok()).unwrap_or("none");
    if !matches!(from, "none" | "same-origin") {
        return super::guard::from_elsewhere(());
    }
    match start(&web, visit, &id).await {
        Ok(url) => match HeaderValue::from_str(url.as_str()) {
            Ok(to) => (StatusCode::FOUND, [(header::LOCATION, to)]).into_response(),
            Err(_) => {
                views::failed(&Error::Invalid("the address of the provider cannot be used".into()))
            }
        },
        Err(e) => views::failed(&e),
    }
}

async fn start(web: &Web, visit: Visit, id: &str) -> Result<url::Url> {
    let client = web.0.store.client(id).await?;
    let redirect = web.redirect(&client.info().await?)?;
    let pending = client.begin_login(redirect).await?;
    let url = pending.url.clone();
    let login = Login { browser: visit.browser, pending, code: None };
    web.0.logins.add(web.0.store.now(), login);
    Ok(url)
}

/// The way back. The code is kept, and exchanged when the page says so.
pub(super) async fn back(
    State(web): State<Web>,
    Extension(visit): Extension<Visit>,
    RawQuery(query): RawQuery,
) -> Response {
    let received = Redirected::parse(query.as_deref().unwrap_or_default())
        .and_then(|back| web.0.logins.receive(web.0.store.now(), &visit.browser, back));
    match received {
        // Away from the address with the code in it.
        Ok(id) => Redirect::to(&format!("/client-access/{id}")).into_response(),
        Err(e) => views::failed(&e),
    }
}

/// The page on which a code is exchanged, or pasted.
pub(super) async fn ask(
    State(web): State<Web>,
    Extension(visit): Extension<Visit>,
    Path(id): Path<String>,
) -> Response {
    match web.0.store.find(&id).await {
        Ok(client) => {
            let ready = web.0.logins.has_code(web.0.store.now(), &visit.browser, client.id);
            views::exchange(&visit, &client, ready)
        }
        Err(e) => views::failed(&e),
    }
}

/// Exchanges the code for tokens.
pub(super) async fn exchange(
    State(web): State<Web>,
    Path(id): Path<String>,
    form: Posted,
) -> Response {
    match finish(&web, &id, &form).await {
        Ok(client) => views::succeeded(
            &client,
            "It is signed in",
            "The tokens are stored. Programs can use them now.",
        ),
        Err(e) => views::failed(&e),
    }
}

async fn finish(web: &Web, id: &str, form: &Posted) -> Result<crate::model::Client> {
    let client = web.0.store.find(id).await?;
    let (now, browser) = (web.0.store.now(), form.visit.browser.as_str());
    let pasted = form.fields.text("pasted");
    if !pasted.is_empty() {
        let answered = web.0.logins.receive(now, browser, Redirected::pasted(&pasted)?)?;
        if answered != client.id {
            return Err(Error::Invalid("this is the answer to a login of another client".into()));
        }
    }
    let none = || Error::Invalid("there is no code to exchange: authorize first".into());
    let (pending, code) = web.0.logins.take(now, browser, client.id).ok_or_else(none)?;
    pending.finish(&code).await?;
    Ok(client)
}
