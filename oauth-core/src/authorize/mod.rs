//! The authorization endpoint: [RFC 6749 3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1).
//!
//! resolve → check → decide → (suspend … resume) → respond. Until [`resolve`](self) has proven where an answer may
//! go, a refusal is a page; after it, an answer to the client.

mod check;
mod decide;
pub(crate) mod resolve;
pub(crate) mod respond;

use crate::{
    env::Env,
    error::{ErrorCode, OAuthError},
    grants::Grants,
    model::{Client, Login, PendingAuthorization, PlainToken, Scope, Timestamp},
    params::Params,
    ports::Event,
};
use decide::Step;
use std::sync::Arc;

pub use resolve::{RedirectTarget, ResponseMode};
pub use respond::Answer;

/// Who is at the browser, as far as is known.
pub struct Visitor {
    /// The sign-in of the browser's session, if there is one.
    pub login: Option<Login>,
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
    /// Signed in.
    SignedIn(Login),
    /// Agreed to everything asked, or to a part of it.
    Approved {
        /// The part; `None` is everything.
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
}

/// Decides on an authorization request, or suspends it until a person has acted.
pub async fn authorize(
    env: &Env,
    grants: &Grants,
    params: &Params,
    visitor: Visitor,
) -> Result<Next, Refused> {
    let (client, target) = resolve::resolve(env, params).await.map_err(|e| page(env, e))?;
    let now = env.clock.now();
    let go = async {
        let pending = check::check(env, grants, &client, &target, params, &visitor, now)?;
        let consented = is_consented(env, &client, &pending).await?;
        match decide::decide(&pending, consented) {
            Step::Refuse(e) => Err(e),
            Step::Grant => respond::grant(env, &client, None, pending, now).await,
            Step::Login => Ok(Next::Login(suspend(env, pending).await?)),
            Step::Consent => Ok(Next::Consent(suspend(env, pending).await?)),
        }
    };
    go.await.map_err(|e| answer(env, target, e))
}

/// Goes on with a suspended request after a person has acted in the same browser.
pub async fn resume(
    env: &Env,
    interaction: &PlainToken,
    browser: &str,
    decision: Decision,
) -> Result<Next, Refused> {
    let now = env.clock.now();
    let Interaction { client, mut pending } =
        interaction_of(env, interaction, browser, now).await.map_err(|e| page(env, e))?;
    let target = RedirectTarget::of(&pending);
    let go = async {
        let mut agreed = false;
        match decision {
            Decision::Denied => return respond::deny(env, interaction.hash(), now).await,
            Decision::SignedIn(login) => {
                pending.prompt.retain(|p| p != "login" && p != "select_account");
                pending.login = Some(login);
            }
            Decision::Approved { scope } => {
                // A yes counts only when a yes was the question.
                agreed = matches!(decide::decide(&pending, false), Step::Consent);
                if let Some(part) = scope {
                    pending.scope = pending.scope.narrow(&part).ok_or(OAuthError::new(
                        ErrorCode::InvalidScope,
                        "more was agreed to than was asked",
                    ))?;
                }
            }
        }
        let consented = agreed || is_consented(env, &client, &pending).await?;
        if agreed {
            pending.prompt.retain(|p| p != "consent");
        }
        match decide::decide(&pending, consented) {
            Step::Refuse(e) => Err(e),
            Step::Grant => {
                let used = respond::Used { interaction: interaction.hash(), remember: agreed };
                respond::grant(env, &client, Some(used), pending, now).await
            }
            Step::Login => Ok(Next::Login(suspend(env, pending).await?)),
            Step::Consent => Ok(Next::Consent(suspend(env, pending).await?)),
        }
    };
    go.await.map_err(|e| match e.code() {
        // The pending request is used up: somebody went back and pressed the button again.
        ErrorCode::InvalidRequest => page(env, e),
        _ => answer(env, target, e),
    })
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
    let client = env.clients.client(&pending.client).await?;
    // What the client was registered for when it asked may have been taken from it since.
    let still_registered =
        |c: &Client| c.redirect_uris.iter().any(|u| u.matches(&pending.redirect_uri));
    let Some(client) = client.filter(|c| still_registered(c)) else {
        return Err(over);
    };
    Ok(Interaction { client, pending })
}

async fn is_consented(
    env: &Env,
    client: &Client,
    pending: &PendingAuthorization,
) -> Result<bool, OAuthError> {
    let Some(login) = &pending.login else {
        return Ok(false);
    };
    if client.skip_consent {
        return Ok(true);
    }
    let given = env.grants.consent(&login.user, &client.id).await?;
    // A consent is to a program somebody can recognise; a public client could be anybody's
    // (RFC 6749 10.2), so it is asked for again unless its redirect URI is https.
    let recognisable = !client.is_public() || pending.redirect_uri.starts_with("https:");
    Ok(recognisable && given.is_some_and(|c| pending.scope.is_within(&c.scope)))
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
