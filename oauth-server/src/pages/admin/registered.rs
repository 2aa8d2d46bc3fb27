//! The clients that programs registered, and deleting one.

use super::{
    Recent,
    confirm::{Answer, Question},
};
use crate::{
    administration::clients,
    audit::{Entry, Kind},
    pages::{
        errors::{Explanation, Trouble},
        form::Form,
        page::see_other,
        words::minute,
    },
    state::AppState,
};
use axum::{extract::State, response::Response};
use oauth_core::{
    error::PortError,
    model::{Client, ClientId},
    params::Params,
};

/// More than this nobody reads.
const MOST: u64 = 100;

/// The clients as they are listed.
pub(super) struct Registered {
    pub(super) clients: Vec<Line>,
    /// How many there are beyond those that are shown.
    pub(super) more: u64,
}

pub(super) struct Line {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) made: String,
    /// When it goes, if nobody uses it.
    pub(super) unused_until: Option<String>,
}

impl Registered {
    pub(super) async fn load(state: &AppState) -> Result<Self, PortError> {
        let (clients, all) = clients::registered(state, MOST).await?;
        let line = |client: &Client| Line {
            id: client.id.to_string(),
            name: client.name.clone(),
            made: minute(client.created_at),
            unused_until: client.expires_at.map(minute),
        };
        let more = all.saturating_sub(MOST);
        Ok(Self { clients: clients.iter().map(line).collect(), more })
    }
}

/// The client that is meant.
async fn client(state: &AppState, params: &Params) -> Result<Client, Trouble> {
    let id = params.get("client_id");
    let id = id.ok_or(Explanation::bad_form(Some("client_id is missing")))?;
    if id.chars().any(char::is_control) {
        return Err(Explanation::not_found().into());
    }
    let found = clients::registered_as(state, &ClientId::new(id)).await?;
    Ok(found.ok_or(Explanation::not_found())?)
}

pub(super) async fn ask_delete(
    State(state): State<AppState>,
    admin: Recent,
) -> Result<Response, Trouble> {
    let client = client(&state, &admin.0.query).await?;
    let question = Question {
        here: "admin-registration",
        title: format!("Delete {}?", client.name),
        text: "Its tokens stop working, the program that registered it is not told, and it cannot be undone.",
        about: client.id.to_string(),
        action: "/admin/registration/delete".into(),
        field: Some(("client_id", client.id.to_string())),
        back: "/admin/registration".into(),
        button: "Delete",
    };
    Ok(question.page(&state, &admin))
}

pub(super) async fn delete(
    State(state): State<AppState>,
    admin: Recent,
    Form(params): Form,
) -> Result<Response, Trouble> {
    let id = client(&state, &params).await?.id;
    Ok(match Answer::of(&state, &params).await? {
        Answer::NotAsked => {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.append_pair("client_id", id.as_str()).finish();
            see_other(&format!("/admin/registration/delete?{query}"))
        }
        Answer::Again => see_other("/admin/registration?done=already"),
        Answer::Yes => {
            // By way of the provider, which remembers clients for a while.
            if !state.provider.env().clients.remove_client(&id).await? {
                return Err(Explanation::not_found().into());
            }
            let entry = Entry::new(Kind::RegistrationRemoved).client(&id);
            let entry = entry.user(&admin.0.user().id).detail("by an administrator");
            state.audit.write(entry).await?;
            admin.record("client deleted", id.as_str());
            see_other("/admin/registration?done=deleted")
        }
    })
}
