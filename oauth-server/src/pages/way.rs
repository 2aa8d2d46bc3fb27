//! Where somebody goes on to after signing in: back into a pending authorization, or to a page of ours. Never to an
//! address that came with the request.

use super::{
    errors::{Explainer, Trouble},
    page::see_other,
    visit::Visit,
};
use crate::{session::Started, state::AppState};
use axum::{http::header, response::Response};
use oauth_core::{
    authorize::{Decision, Interaction, Next, Refused},
    http::{Browser, Edge},
    model::{ClientId, Login},
    params::Params,
};
use url::Url;

/// A page of ours that needs somebody who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Destination {
    #[default]
    Home,
    CreateClient,
    Applications,
    Client(ClientId),
}

impl Destination {
    /// The destination that a word in a query stands for; home for everything that is none.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "create_client" => Self::CreateClient,
            "applications" => Self::Applications,
            _ => match word.strip_prefix("client-") {
                Some(id) if is_plain(id) => Self::Client(ClientId::new(id)),
                _ => Self::Home,
            },
        }
    }

    /// The destination that comes nearest to a path that was asked for.
    pub(super) fn of_path(path: &str) -> Self {
        match path {
            "/create_client" => Self::CreateClient,
            _ if path.starts_with("/account/applications") => Self::Applications,
            _ => {
                let id = path.strip_prefix("/clients/").and_then(|rest| rest.split('/').next());
                id.filter(|id| is_plain(id))
                    .map_or(Self::Home, |id| Self::Client(ClientId::new(id)))
            }
        }
    }

    /// The word.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Home => String::new(),
            Self::CreateClient => "create_client".into(),
            Self::Applications => "applications".into(),
            Self::Client(id) => format!("client-{id}"),
        }
    }

    /// The word as a query, with its question mark.
    pub(super) fn query(&self) -> String {
        let word = self.word();
        if word.is_empty() { word } else { format!("?to={word}") }
    }

    /// The path.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Home => "/".into(),
            Self::CreateClient => "/create_client".into(),
            Self::Applications => "/account/applications".into(),
            Self::Client(id) => format!("/clients/{id}"),
        }
    }
}

/// Whether it can stand in a path as it is.
fn is_plain(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Where somebody goes on to.
pub(super) enum Way {
    /// A pending authorization, by its interaction id.
    Interaction(String, Box<Interaction>),
    /// A page.
    To(Destination),
}

impl Way {
    /// The way that parameters name. An interaction that is over, or of another browser, is refused.
    pub(super) async fn of(
        state: &AppState,
        visit: &Visit,
        params: &Params,
    ) -> Result<Self, Trouble> {
        match params.get("interaction") {
            Some(id) => {
                let browser = visit.browser.as_str();
                let interaction = state.provider.interaction(id, browser).await?;
                Ok(Self::Interaction(id.to_owned(), Box::new(interaction)))
            }
            None => Ok(Self::To(Destination::parse(params.get("to").unwrap_or_default()))),
        }
    }

    /// The client that waits, in words.
    pub(super) fn asker(&self) -> Option<Asker> {
        self.interaction().map(Asker::of)
    }

    /// The pending authorization.
    pub(super) fn interaction(&self) -> Option<&Interaction> {
        match self {
            Self::Interaction(_, interaction) => Some(interaction),
            Self::To(_) => None,
        }
    }

    /// The interaction id, or nothing.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Interaction(id, _) => id.clone(),
            Self::To(_) => String::new(),
        }
    }

    /// The word for the destination, or nothing.
    pub(super) fn to(&self) -> String {
        match self {
            Self::Interaction(..) => String::new(),
            Self::To(destination) => destination.word(),
        }
    }

    /// The way as a query, with its question mark.
    pub(super) fn query(&self) -> String {
        match self {
            Self::Interaction(id, _) => interaction_query(id),
            Self::To(destination) => destination.query(),
        }
    }

    /// Goes on as somebody who is signed in.
    pub(super) async fn go(self, state: &AppState, browser: &Browser, login: Login) -> Response {
        match self {
            Self::Interaction(id, _) => {
                let decision = Decision::SignedIn(login);
                let outcome = state.provider.resume(&id, browser.as_str(), decision).await;
                finish(state, outcome)
            }
            Self::To(destination) => see_other(&destination.path()),
        }
    }

    /// Goes on with a session that just began.
    pub(super) async fn begin(
        self,
        state: &AppState,
        browser: &Browser,
        started: Started,
    ) -> Response {
        let mut response = self.go(state, browser, started.login).await;
        response.headers_mut().append(header::SET_COOKIE, started.cookie);
        response
    }
}

/// The response for what became of an interaction.
pub(super) fn finish(state: &AppState, outcome: Result<Next, Refused>) -> Response {
    Edge::new(state.provider.clone()).error_pages(Explainer::new(state.clone())).finish(outcome)
}

/// The query that names an interaction.
pub(super) fn interaction_query(id: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("?{}", query.append_pair("interaction", id).finish())
}

/// The client that asks, in words for the person.
pub(super) struct Asker {
    /// Its `client_id`.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// Its home page.
    pub(super) uri: Option<String>,
    /// Where it sends people back to.
    pub(super) back: String,
    /// Whether some user of this server registered it, and not the operator.
    pub(super) by_anybody: bool,
}

impl Asker {
    fn of(interaction: &Interaction) -> Self {
        let client = &interaction.client;
        Self {
            id: client.id.to_string(),
            name: client.name.clone(),
            uri: client.uri.clone(),
            back: place(&interaction.pending.redirect_uri),
            by_anybody: client.owner.is_some(),
        }
    }
}

/// Where a redirect URI leads, in words.
fn place(redirect_uri: &str) -> String {
    let Ok(url) = Url::parse(redirect_uri) else { return redirect_uri.to_owned() };
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |p| format!(":{p}"));
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => format!("{host}{port}"),
        // Plain http is registered for loopback alone.
        ("http", Some(_)) => format!("a program on this device ({host}{port})"),
        (scheme, _) => format!("an app on this device ({scheme})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_page_of_ours_or_home() {
        for (word, path) in [
            ("create_client", "/create_client"),
            ("applications", "/account/applications"),
            ("client-aB3", "/clients/aB3"),
            ("", "/"),
            ("https://evil.example", "/"),
            ("//evil.example", "/"),
            ("client-", "/"),
            ("client-..", "/"),
            ("client-/evil.example", "/"),
            ("client-a%2f", "/"),
        ] {
            let destination = Destination::parse(word);
            assert_eq!(destination.path(), path, "{word}");
            assert_eq!(Destination::parse(&destination.word()), destination);
        }
        for (path, word) in [
            ("/clients/abc/edit", "client-abc"),
            ("/clients/a.b", ""),
            ("/account/applications/revoke", "applications"),
            ("/create_client", "create_client"),
            ("//evil.example/", ""),
        ] {
            assert_eq!(Destination::of_path(path).word(), word, "{path}");
        }
    }

    #[test]
    fn places_are_named_by_what_people_can_judge() {
        for (uri, words) in [
            ("https://c.example/cb", "c.example"),
            ("https://c.example:8443/cb", "c.example:8443"),
            ("http://127.0.0.1:5003/cb", "a program on this device (127.0.0.1:5003)"),
            ("http://[::1]/cb", "a program on this device ([::1])"),
            ("http://localhost:5003/cb", "a program on this device (localhost:5003)"),
            ("com.example.app:/cb", "an app on this device (com.example.app)"),
        ] {
            assert_eq!(place(uri), words);
        }
    }
}
