//! The authorization endpoint: [RFC 6749 3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1).
//!
//! client → request object → resolve → check → decide → (suspend … resume) → respond. Until [`resolve`](self) has
//! proven where an answer may go, a refusal is a page; after it, an answer to the client.

mod check;
mod claims;
mod decide;
mod openid;
mod request_object;
pub(crate) mod resolve;
pub(crate) mod respond;

use crate::{
    env::Env,
    error::OAuthError,
    grants::Grants,
    model::{Client, Epoch, Login, PendingAuthorization, PlainToken, Scope, Timestamp},
    openid::subject,
    params::Params,
    ports::Event,
};
use decide::{Facts, Step};
use std::sync::Arc;

pub use crate::model::ResponseMode;
pub(crate) use check::PROMPTS;
pub use resolve::RedirectTarget;
pub use respond::Answer;

/// Who is at the browser, as far as is known.
pub struct Visitor {
    /// The sign-in of the browser's session, if there is one.
    pub login: Option<Login>,
    /// The [epoch](crate::Provider::epoch), read before the session.
    pub since: Epoch,
    /// The secret in the browser's cookie that binds pending authorizations to it.
    pub browser: String,
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor").field("login", &self.login).finish_non_exhaustive()
    }
}

/// What happens next. The edge decides the bytes.
#[derive(Debug)]
#[must_use]
pub enum Next {
    /// A person must sign in.
    Login(InteractionId),
    /// A person must make an account, or sign in after all
    /// ([Initiating User Registration](https://openid.net/specs/openid-connect-prompt-create-1_0.html)).
    SignUp(InteractionId),
    /// The signed-in person must say whether to go on as that account or as another.
    SelectAccount(InteractionId),
    /// The signed-in person must say yes or no.
    Consent(InteractionId),
    /// The answer goes to the client.
    Return(Answer),
}

/// The handle of a pending authorization in the URLs of login and consent pages.
#[derive(Debug)]
pub struct InteractionId(PlainToken);

impl InteractionId {
    /// The text for a URL.
    pub fn reveal(self) -> String {
        self.0.reveal()
    }
}

/// A refusal, before or after it is proven where an answer may go.
#[derive(Debug)]
pub enum Refused {
    /// Nothing was proven: show the person a page, never redirect.
    Page(OAuthError),
    /// Tell the client.
    Return(RedirectTarget, OAuthError),
}

/// What the person said on the embedder's pages.
#[derive(Debug)]
pub enum Decision {
    /// Signed in, just now.
    SignedIn(Login),
    /// Goes on with a sign-in of the browser's session. Counts in answer to [`Next::SelectAccount`], and wherever
    /// the sign-in [`suffices`].
    Selected(Login),
    /// Agreed to everything asked, or to a part of it. Whoever says so must be the one who is signed in in
    /// [`Interaction::pending`], in the same session: on a shared machine, the next person must not answer for the last
    /// one, and a session that has ended answers nothing. The embedder's page sees to that.
    Approved {
        /// The part of [`Interaction::needed`]; `None` is everything. `openid` cannot be left out: whoever does not
        /// want to be recognised says no.
        scope: Option<Scope>,
    },
    /// Said no.
    Denied,
}

/// What a login or consent page shows.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// Who asks.
    pub client: Arc<Client>,
    /// The request.
    pub pending: PendingAuthorization,
    /// What a person must agree to: the scope, and a word `claim:name` for each claim that is asked for by name and
    /// that the scope does not cover.
    pub needed: Scope,
}

/// Decides on an authorization request, or suspends it until a person has acted.
pub async fn authorize(
    env: &Env,
    grants: &Grants,
    params: &Params,
    visitor: Visitor,
) -> Result<Next, Refused> {
    let now = env.clock.now();
    let client = resolve::client(env, params).await.map_err(|e| page(env, e))?;
    let params = match request_object::load(env, &client, params, now).await {
        Ok(params) => params,
        // What is outside the request object still proves where a refusal may go.
        Err(e) => {
            return Err(match resolve::target(&client, params) {
                Ok(target) => answer(env, target, e),
                Err(_) => page(env, e),
            });
        }
    };
    let target = resolve::target(&client, &params).map_err(|e| page(env, e))?;
    let go = async {
        let request =
            check::Request { env, grants, client: &client, target: &target, params: &params, now };
        let since = visitor.since;
        let pending = check::check(&request, visitor).await?;
        go_on(env, &client, pending, None, (since, now)).await
    };
    let result = go.await;
    outcome(env, target, result)
}

/// Goes on with a suspended request after a person has acted in the same browser. `since` is the epoch, read before
/// whatever the decision rests on.
pub async fn resume(
    env: &Env,
    interaction: &PlainToken,
    browser: &str,
    decision: Decision,
    since: Epoch,
) -> Result<Next, Refused> {
    let now = env.clock.now();
    let Interaction { client, mut pending, .. } =
        interaction_of(env, interaction, browser, now).await.map_err(|e| page(env, e))?;
    let target = RedirectTarget::of(&pending);
    let first = *pending.first.get_or_insert_with(|| interaction.hash());
    let go = async {
        if matches!(decision, Decision::Denied) {
            return respond::deny(env, first, now).await;
        }
        let agreed = act(env, &client, &mut pending, decision, now)?;
        let used = respond::Used { interaction: first, remember: agreed };
        go_on(env, &client, pending, Some(used), (since, now)).await
    };
    outcome(env, target, go.await)
}

/// What a person did, as far as it was the question: the yes of a later page does not replace a sign-in, and a choice
/// among old sign-ins does not replace a new one. Says whether they agreed.
fn act(
    env: &Env,
    client: &Client,
    pending: &mut PendingAuthorization,
    decision: Decision,
    now: Timestamp,
) -> Result<bool, OAuthError> {
    let question = decide::decide(pending, facts(env, client, pending, false, now));
    match (decision, question) {
        (Decision::SignedIn(login), _) => {
            pending.prompt.retain(|p| !["login", "select_account", "create"].contains(&&**p));
            pending.signed_in_here = true;
            pending.login = Some(login);
        }
        (Decision::Selected(login), question)
            if matches!(question, Step::SelectAccount)
                || is_enough(env, client, pending, &login, now) =>
        {
            select(pending, login);
        }
        (Decision::Approved { scope }, Step::Consent) => {
            if let Some(part) = scope {
                claims::narrow(pending, client, &part)?;
            }
            pending.prompt.retain(|p| p != "consent");
            return Ok(true);
        }
        _ => {}
    }
    Ok(false)
}

/// Answers, or suspends until a person has acted; nothing when somebody else has answered meanwhile.
async fn go_on(
    env: &Env,
    client: &Client,
    pending: PendingAuthorization,
    used: Option<respond::Used>,
    (since, now): (Epoch, Timestamp),
) -> Result<Option<Next>, OAuthError> {
    let agreed = used.as_ref().is_some_and(|u| u.remember);
    let consented = agreed || is_consented(env, client, &pending).await?;
    let wait = match decide::decide(&pending, facts(env, client, &pending, consented, now)) {
        Step::Refuse(e) => return Err(e),
        Step::Grant => {
            let answer = respond::grant(env, client, used, pending, (since, now)).await?;
            return Ok(answer.map(Next::Return));
        }
        Step::Login => Next::Login,
        Step::SignUp => Next::SignUp,
        Step::SelectAccount => Next::SelectAccount,
        Step::Consent => Next::Consent,
    };
    Ok(Some(wait(suspend(env, pending).await?)))
}

fn outcome(
    env: &Env,
    target: RedirectTarget,
    result: Result<Option<Next>, OAuthError>,
) -> Result<Next, Refused> {
    match result {
        Ok(Some(next)) => Ok(next),
        // Somebody went back and pressed the button again. The client has its answer.
        Ok(None) => Err(page(
            env,
            OAuthError::invalid_request(
                "this sign-in was already finished; start again from the application",
            ),
        )),
        Err(e) => Err(answer(env, target, e)),
    }
}

fn facts(
    env: &Env,
    client: &Client,
    pending: &PendingAuthorization,
    consented: bool,
    now: Timestamp,
) -> Facts {
    let is_expected = match (&pending.expected_subject, &pending.login) {
        (Some(expected), Some(login)) => subject(env, client, &login.user) == *expected,
        _ => true,
    };
    let order = &env.policy.acr_values;
    let is_strong =
        pending.login.as_ref().is_none_or(|login| decide::is_strong_enough(order, pending, login));
    Facts { consented, is_expected, is_strong, now }
}

/// Whether somebody with this sign-in may go on without signing in again: it is recent and strong enough, and the
/// right person's, and the client did not ask for a new one.
pub fn suffices(env: &Env, interaction: &Interaction, login: &Login) -> bool {
    is_enough(env, &interaction.client, &interaction.pending, login, env.clock.now())
}

fn is_enough(
    env: &Env,
    client: &Client,
    pending: &PendingAuthorization,
    login: &Login,
    now: Timestamp,
) -> bool {
    // What was asked of the one who signed in for this request is not met by anybody else.
    if pending.signed_in_here && !is_as_good(pending, login) {
        return false;
    }
    let mut pending = pending.clone();
    select(&mut pending, login.clone());
    let facts = facts(env, client, &pending, false, now);
    !matches!(decide::decide(&pending, facts), Step::Login | Step::Refuse(_))
}

/// Goes on with a sign-in of before. Whoever was sent to make an account may turn out to have one.
fn select(pending: &mut PendingAuthorization, login: Login) {
    pending.prompt.retain(|p| !["select_account", "create"].contains(&&**p));
    pending.signed_in_here &= is_as_good(pending, &login);
    pending.login = Some(login);
}

/// Whether it is the sign-in of the request, or a later one of the same person.
fn is_as_good(pending: &PendingAuthorization, login: &Login) -> bool {
    pending.login.as_ref().is_some_and(|l| l.user == login.user && l.at <= login.at)
}

/// The pending authorization behind an interaction id, for the pages that show it.
pub async fn interaction_of(
    env: &Env,
    interaction: &PlainToken,
    browser: &str,
    now: Timestamp,
) -> Result<Interaction, OAuthError> {
    let over =
        OAuthError::invalid_request("this sign-in is over; start again from the application");
    let pending = env
        .grants
        .pending(&interaction.hash())
        .await?
        .filter(|p| p.expires_at > now && p.is_from(browser));
    let Some(pending) = pending else {
        return Err(over);
    };
    // The whole request is over with its answer, on whichever page that was given.
    if let Some(first) = &pending.first
        && env.grants.pending(first).await?.is_none()
    {
        return Err(over);
    }
    let client = env.clients.client(&pending.client).await?;
    // What the client was registered for when it asked may have been taken from it since.
    let still_registered = |c: &Client| {
        c.redirect_uris.iter().any(|u| u.matches(&pending.redirect_uri))
            && c.response_types.contains(&pending.response_type)
            && pending.scope.is_within(&c.scope)
    };
    let Some(client) = client.filter(|c| still_registered(c)) else {
        return Err(over);
    };
    let needed = claims::needed(&pending, &client);
    Ok(Interaction { client, pending, needed })
}

async fn is_consented(
    env: &Env,
    client: &Client,
    pending: &PendingAuthorization,
) -> Result<bool, OAuthError> {
    let Some(login) = &pending.login else {
        return Ok(false);
    };
    // A consent is to a program somebody can recognise (RFC 6749 10.2): by an address that is https, or by what only a
    // confidential client has. That is asked at the token endpoint, so it says nothing of who gets what goes in front.
    let proven_later = !client.is_public() && matches!(&*pending.response_type, "code" | "none");
    let recognisable = proven_later || pending.redirect_uri.starts_with("https:");
    if client.skip_consent && (recognisable || pending.signed_in_here) {
        return Ok(true);
    }
    let given = env.grants.consent(&login.user, &client.id).await?;
    let needed = claims::remembered(pending, client);
    Ok(recognisable && given.is_some_and(|c| claims::is_covered(&needed, &c.scope)))
}

async fn suspend(env: &Env, pending: PendingAuthorization) -> Result<InteractionId, OAuthError> {
    let id = env.secret();
    env.grants.suspend(id.hash(), pending).await?;
    Ok(InteractionId(id))
}

fn page(env: &Env, e: OAuthError) -> Refused {
    env.audit.record(&Event::Refused { endpoint: "authorize", error: e.code() });
    Refused::Page(e)
}

fn answer(env: &Env, target: RedirectTarget, e: OAuthError) -> Refused {
    env.audit.record(&Event::Refused { endpoint: "authorize", error: e.code() });
    Refused::Return(target, e)
}
