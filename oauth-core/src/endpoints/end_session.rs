//! The end session endpoint: [RP-Initiated Logout](https://openid.net/specs/openid-connect-rpinitiated-1_0.html).
//!
//! It says what is to be done; who is signed in, and the pages, are the embedder's. Until it is proven which client
//! asks, nobody is sent anywhere, and nobody is logged out without having said so.

use crate::{
    env::Env,
    error::OAuthError,
    model::{Client, ClientId, Login},
    openid::{Hint, read_hint, session, with_query},
    params::Params,
};
use std::sync::Arc;

/// The parameters that a confirmation has to bring along again.
const KEPT: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

/// Whether the person at the browser has already said yes, on a page that no other site can submit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// Yes, by the button of the confirmation page.
    Yes,
    /// Not yet: the browser was sent here.
    No,
}

/// What is to be done about a request to log out.
#[derive(Debug)]
#[must_use]
pub enum LogoutStep {
    /// Ask the person. A yes comes back with the [`fields`](LogoutRequest::fields) of the request.
    Confirm(LogoutRequest),
    /// Log out whoever is signed in, and go on to [`LogoutRequest::return_to`].
    Proceed(LogoutRequest),
}

/// A request to log out in which everything that was said has been proven.
#[derive(Clone)]
pub struct LogoutRequest {
    client: Option<Arc<Client>>,
    return_to: Option<String>,
    fields: Vec<(&'static str, String)>,
}

impl std::fmt::Debug for LogoutRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let client = self.client.as_ref().map(|c| &c.id);
        f.debug_struct("LogoutRequest").field("client", &client).finish_non_exhaustive()
    }
}

impl LogoutRequest {
    /// The client that asks, if one does.
    pub fn client(&self) -> Option<&Client> {
        self.client.as_deref()
    }

    /// Where the browser goes when all is done, `state` included: registered by the client, exactly so.
    pub fn return_to(&self) -> Option<&str> {
        self.return_to.as_deref()
    }

    /// The parameters to send along with a confirmation, for hidden fields.
    pub fn fields(&self) -> &[(&'static str, String)] {
        &self.fields
    }
}

/// Decides on a request to log out
/// ([RP-Initiated Logout 2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)).
///
/// A hint that fits the session is as good as a click: the client could have it from here alone. Without one, or
/// with one about somebody else, the person is asked first. `client_id` alone proves nothing, but after the person
/// has agreed it is enough to go back to an address that this client has registered. `logout_hint` and `ui_locales`
/// are not needed, since a browser has one session, and ignored.
pub async fn end_session(
    env: &Env,
    params: &Params,
    login: Option<&Login>,
    confirmed: Confirmed,
) -> Result<LogoutStep, OAuthError> {
    let hint = hint(env, params).await?;
    let client = client(env, hint.as_ref(), params.get("client_id")).await?;
    let return_to = return_to(client.as_deref(), params)?;
    let is_proven = match (&hint, &client, login) {
        (Some(hint), Some(client), Some(login)) => fits(env, hint, client, login),
        (Some(_), ..) => true,
        // There is nothing to do and nowhere to go.
        (None, _, None) => return_to.is_none(),
        (None, _, Some(_)) => false,
    };
    let kept = |name| params.get(name).map(|value| (name, value.to_owned()));
    let fields = KEPT.into_iter().filter_map(kept).collect();
    let request = LogoutRequest { client, return_to, fields };
    Ok(if is_proven || confirmed == Confirmed::Yes {
        LogoutStep::Proceed(request)
    } else {
        LogoutStep::Confirm(request)
    })
}

async fn hint(env: &Env, params: &Params) -> Result<Option<Hint>, OAuthError> {
    let Some(token) = params.get("id_token_hint") else { return Ok(None) };
    let hint = read_hint(env, token, env.clock.now()).await?;
    hint.map(Some).ok_or(OAuthError::invalid_request(
        "id_token_hint is not an id token of this server, or one that is too old to tell",
    ))
}

/// The client that asks. The hint and `client_id` have to agree.
async fn client(
    env: &Env,
    hint: Option<&Hint>,
    named: Option<&str>,
) -> Result<Option<Arc<Client>>, OAuthError> {
    let named = named.map(ClientId::new);
    let id = match (hint.map(|h| &h.client), named.as_ref()) {
        (Some(hinted), Some(named)) if hinted != named => {
            return Err(OAuthError::invalid_request(
                "id_token_hint was issued to another application than client_id",
            ));
        }
        (Some(id), _) | (None, Some(id)) => id,
        (None, None) => return Ok(None),
    };
    let client = env.clients.client(id).await?;
    client.map(Some).ok_or(OAuthError::invalid_request("this application is not registered here"))
}

/// The address that was asked for, if the client has registered exactly this one
/// ([RP-Initiated Logout 3](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RedirectionAfterLogout)).
fn return_to(client: Option<&Client>, params: &Params) -> Result<Option<String>, OAuthError> {
    let Some(asked) = params.get("post_logout_redirect_uri") else { return Ok(None) };
    let client = client.ok_or(OAuthError::invalid_request(
        "post_logout_redirect_uri needs id_token_hint or client_id beside it",
    ))?;
    if !client.metadata.post_logout_redirect_uris.iter().any(|known| known == asked) {
        return Err(OAuthError::invalid_request(
            "post_logout_redirect_uri is not registered for this application",
        ));
    }
    let state: Vec<_> = params.get("state").map(|s| ("state", s)).into_iter().collect();
    Ok(Some(with_query(asked, &state)))
}

/// Whether the hint is about this sign-in: the same user and, where it names one, the same session.
fn fits(env: &Env, hint: &Hint, client: &Client, login: &Login) -> bool {
    let same_session =
        |sid: &String| login.sid.as_ref().is_some_and(|own| session(env, client, own) == *sid);
    hint.is_about(env, client, &login.user) && hint.sid.as_ref().is_none_or(same_session)
}
