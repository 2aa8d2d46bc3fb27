//! `/account/activity`: what happened to the account, for its person to find what it did not do.

use super::browser;
use crate::{
    activity::{self, What},
    entity::activity::Model,
    pages::{
        errors::Trouble,
        page::{Frame, show as page},
        visit::SignedIn,
        words,
    },
    state::AppState,
};
use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use oauth_core::model::{ClientId, Timestamp};

/// More than this nobody reads; the download has all of it.
const MOST: u64 = 100;

#[derive(Template)]
#[template(path = "account/activity.html")]
struct ActivityPage {
    frame: Frame,
    deeds: Vec<Line>,
    kept: String,
}

struct Line {
    what: String,
    about: Option<String>,
    at: String,
    network: Option<String>,
    browser: String,
}

pub(super) async fn show(
    State(state): State<AppState>,
    visit: SignedIn,
) -> Result<Response, Trouble> {
    let mut deeds = Vec::new();
    for row in activity::latest(&state, &visit.user().id, MOST).await? {
        deeds.push(line(&state, row).await?);
    }
    let content = ActivityPage {
        frame: Frame::of(&state, visit.user(), "activity"),
        deeds,
        kept: words::span(state.config.activity.keep),
    };
    Ok(page(StatusCode::OK, content))
}

async fn line(state: &AppState, row: Model) -> Result<Line, Trouble> {
    let about = match row.about {
        Some(id) if row.what.starts_with("application_") => {
            let client = state.provider.env().clients.client(&ClientId::new(&*id)).await?;
            Some(client.map_or(id, |client| client.name.clone()))
        }
        Some(amr) if row.what == What::SignedIn.as_str() => Some(ways(&amr)),
        about => about,
    };
    Ok(Line {
        what: What::sentence(&row.what).map_or(row.what, str::to_owned),
        about,
        at: words::minute(Timestamp::from_unix(row.at)),
        network: row.network,
        browser: browser::name(row.user_agent.as_deref()),
    })
}

/// How somebody signed in, from the words of [RFC 8176](https://www.rfc-editor.org/rfc/rfc8176).
fn ways(amr: &str) -> String {
    let mut ways = Vec::new();
    for word in amr.split_ascii_whitespace() {
        match word {
            "pwd" => ways.push("a password"),
            "otp" => ways.push("a code"),
            "hwk" | "swk" => ways.push("a passkey"),
            _ => {}
        }
    }
    if ways.is_empty() { amr.to_owned() } else { format!("With {}", ways.join(" and ")) }
}
