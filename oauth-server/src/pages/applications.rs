//! `/account/applications`: who may act for one, and taking it back.

use super::{
    errors::{Explanation, Trouble},
    form::Form,
    page::{Frame, see_other, show as page},
    visit::SignedIn,
    words::{self, ScopeLine},
};
use crate::{
    activity::{self, Deed, What},
    people::own_client,
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::model::{ClientId, Scope, Timestamp};
use std::{collections::BTreeMap, time::Duration};

#[derive(Template)]
#[template(path = "applications.html")]
struct Connected {
    frame: Frame,
    notice: Option<&'static str>,
    applications: Vec<Application>,
    longest: String,
}

struct Application {
    id: String,
    name: String,
    uri: Option<String>,
    scopes: Vec<ScopeLine>,
    since: String,
    /// Whether something issued to it still lives.
    active: bool,
}

/// What one client may do, from everything that was given to it.
struct Held {
    scope: Scope,
    since: Timestamp,
    active: bool,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    let env = state.provider.env();
    let user = &visit.user().id;
    let mut held: BTreeMap<ClientId, Held> = BTreeMap::new();
    for a in env.grants.authorizations(user, state.now()).await? {
        // What is signed in on a device of one's own is no application of somebody else.
        if a.client.as_str() == own_client::ID {
            continue;
        }
        hold(&mut held, a.client, &a.scope, a.created_at, true);
    }
    for c in env.grants.consents(user).await? {
        hold(&mut held, c.client, &c.scope, c.at, false);
    }
    let policy = &env.policy;
    let mut longest = policy.access_token_ttl;
    let mut applications = Vec::new();
    for (id, held) in held {
        if let Some(client) = env.clients.client(&id).await? {
            longest = longest.max(client.access_token_ttl.unwrap_or_default());
            applications.push(Application {
                id: id.to_string(),
                name: client.name.clone(),
                uri: client.uri.clone(),
                scopes: words::scopes(&state, &held.scope),
                since: words::day(held.since),
                active: held.active,
            });
        }
    }
    let resources = env.resources.iter().filter_map(|r| r.access_token_ttl);
    let longest = resources.fold(longest, Duration::max).min(policy.access_token_max_ttl);
    applications.sort_by(|a, b| a.name.cmp(&b.name));
    let connected = Connected {
        frame: Frame::of(&state, visit.user(), "applications"),
        notice: words::notice(visit.query.get("done")),
        applications,
        longest: words::span(longest),
    };
    Ok(page(StatusCode::OK, connected))
}

pub(super) async fn revoke(
    State(state): State<AppState>,
    visit: SignedIn,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let client = params.get("client_id");
    let client = ClientId::new(client.ok_or(Explanation::bad_form(Some("client_id is missing")))?);
    let user = &visit.user().id;
    state.provider.env().grants.revoke_user(user, Some(&client), state.now()).await?;
    let deed = Deed::of(What::ApplicationRevoked, &visit.headers).about(client.as_str());
    activity::note(&state, user, deed).await;
    tracing::info!(user.id = %user, client.id = %client, "user revoked application");
    Ok(see_other("/account/applications?done=revoked"))
}

fn hold(
    held: &mut BTreeMap<ClientId, Held>,
    client: ClientId,
    scope: &Scope,
    since: Timestamp,
    active: bool,
) {
    let entry =
        held.entry(client).or_insert_with(|| Held { scope: Scope::default(), since, active });
    let both = format!("{} {scope}", entry.scope);
    entry.scope = Scope::parse(both.trim()).unwrap_or_else(|| entry.scope.clone());
    entry.since = entry.since.min(since);
    entry.active |= active;
}
