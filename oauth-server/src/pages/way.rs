//! Where somebody goes on to after signing in: back into a pending authorization, or to a page of ours. Never to an
//! address that came with the request.

use super::{
    admin::{Place, RECENT},
    asker::Asker,
    errors::{Trouble, edge},
    languages::Languages,
    page::see_other,
    visit::Visit,
};
use crate::{
    front,
    session::{Session, Started},
    sign_in::is_fresh,
    state::AppState,
};
use axum::response::Response;
use oauth_core::{
    authorize::{Decision, Interaction, Next, Refused},
    model::ClientId,
    params::Params,
};
use std::time::Duration;

/// What the word for a front end begins with.
const FRONT: &str = "front-";

/// A page of ours that needs somebody who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Destination {
    #[default]
    Home,
    CreateClient,
    Account,
    Profile,
    Email,
    Password,
    Passkeys,
    SecondFactor,
    Sessions,
    Applications,
    Identities,
    Activity,
    Data,
    Client(ClientId),
    Admin(Place),
    /// Back to a front end, which says where to. That is looked at when it comes to it.
    Front(String),
}

impl Destination {
    /// The destination that a word in a query stands for; home for everything that is none.
    pub(super) fn parse(word: &str) -> Self {
        match word {
            "create_client" => Self::CreateClient,
            "account" => Self::Account,
            "profile" => Self::Profile,
            "email" => Self::Email,
            "password" => Self::Password,
            "passkeys" => Self::Passkeys,
            "second-factor" => Self::SecondFactor,
            "sessions" => Self::Sessions,
            "applications" => Self::Applications,
            "identities" => Self::Identities,
            _ if word.starts_with(FRONT) => {
                let carried = word.strip_prefix(FRONT).and_then(front::of_word);
                carried.map_or(Self::Home, Self::Front)
            }
            "activity" => Self::Activity,
            "data" => Self::Data,
            _ => match word.strip_prefix("client-") {
                Some(id) if is_plain(id) => Self::Client(ClientId::new(id)),
                _ => Place::parse(word).map_or(Self::Home, Self::Admin),
            },
        }
    }

    /// The destination that comes nearest to a path that was asked for.
    pub(super) fn of_path(path: &str) -> Self {
        match path {
            "/create_client" => Self::CreateClient,
            "/account" => Self::Account,
            "/account/profile" => Self::Profile,
            "/account/email" => Self::Email,
            "/account/password" => Self::Password,
            _ if path.starts_with("/account/passkeys") => Self::Passkeys,
            _ if path.starts_with("/account/second-factor") => Self::SecondFactor,
            _ if path.starts_with("/account/sessions") => Self::Sessions,
            _ if path.starts_with("/account/applications") => Self::Applications,
            _ if path.starts_with("/account/identities") => Self::Identities,
            "/account/activity" => Self::Activity,
            "/account/delete" => Self::Data,
            _ if path.starts_with("/account/data") => Self::Data,
            _ => {
                if let Some(place) = Place::of_path(path) {
                    return Self::Admin(place);
                }
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
            Self::Account => "account".into(),
            Self::Profile => "profile".into(),
            Self::Email => "email".into(),
            Self::Password => "password".into(),
            Self::Passkeys => "passkeys".into(),
            Self::SecondFactor => "second-factor".into(),
            Self::Sessions => "sessions".into(),
            Self::Applications => "applications".into(),
            Self::Identities => "identities".into(),
            Self::Activity => "activity".into(),
            Self::Data => "data".into(),
            Self::Client(id) => format!("client-{id}"),
            Self::Admin(place) => place.word(),
            Self::Front(to) => format!("{FRONT}{}", front::word_of(to)),
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
            Self::Account => "/account".into(),
            Self::Profile => "/account/profile".into(),
            Self::Email => "/account/email".into(),
            Self::Password => "/account/password".into(),
            Self::Passkeys => "/account/passkeys".into(),
            Self::SecondFactor => "/account/second-factor".into(),
            Self::Sessions => "/account/sessions".into(),
            Self::Applications => "/account/applications".into(),
            Self::Identities => "/account/identities".into(),
            Self::Activity => "/account/activity".into(),
            Self::Data => "/account/data".into(),
            Self::Client(id) => format!("/clients/{id}"),
            Self::Admin(place) => place.path(),
            Self::Front(to) => front::through_login(to),
        }
    }

    /// Whether there is something that a sign-in of long ago is not enough for.
    pub(super) fn is_guarded(&self) -> bool {
        self.oldest(RECENT).is_some()
    }

    /// Whether somebody who is signed in gets there without signing in again.
    pub(super) fn is_open_to(&self, session: &Session, state: &AppState) -> bool {
        let within = self.oldest(state.config.accounts.fresh_for);
        within.is_none_or(|within| is_fresh(session.login.at, within, state.now()))
    }

    /// How long ago one may have signed in to do something there, where that matters. What matters most wants a sign-in
    /// as fresh as the user service wants it.
    fn oldest(&self, fresh_for: Duration) -> Option<Duration> {
        match self {
            Self::Email | Self::Data => Some(RECENT.min(fresh_for)),
            Self::Admin(_)
            | Self::Password
            | Self::Identities
            | Self::Passkeys
            | Self::SecondFactor => Some(RECENT),
            _ => None,
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

    /// The client that waits, in words for the person at the browser.
    pub(super) fn asker(&self, visit: &Visit) -> Option<Asker> {
        self.interaction().map(|interaction| {
            let languages = Languages::of(&interaction.pending.ui_locales, &visit.headers);
            Asker::of(interaction, &languages)
        })
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

    /// The path of the page that it leads to, or nothing.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Interaction(..) => String::new(),
            Self::To(destination) => destination.path(),
        }
    }

    /// The way as a query, with its question mark.
    pub(super) fn query(&self) -> String {
        match self {
            Self::Interaction(id, _) => interaction_query(id),
            Self::To(destination) => destination.query(),
        }
    }

    /// The session that may go on here without signing in again.
    pub(super) fn known<'a>(&self, state: &AppState, visit: &'a Visit) -> Option<&'a Session> {
        let interaction = self.interaction()?;
        let session = visit.session.as_ref()?;
        state.provider.suffices(interaction, &session.login).then_some(session)
    }

    /// Goes on as somebody who was signed in when the page was shown; to the page to sign in if that is somebody else
    /// by now, or nobody, or is not enough.
    pub(super) async fn go_on(self, state: &AppState, visit: &Visit, name: &str) -> Response {
        match self.known(state, visit).filter(|session| session.user.username == name) {
            Some(session) => {
                let login = session.login.clone();
                self.go(state, visit, Decision::Selected(login)).await
            }
            None => see_other(&format!("/login{}", self.query())),
        }
    }

    async fn go(self, state: &AppState, visit: &Visit, decision: Decision) -> Response {
        match self {
            Self::Interaction(id, _) => {
                let browser = visit.browser.as_str();
                finish(state, state.provider.resume(&id, browser, decision, visit.since).await)
            }
            Self::To(destination) => see_other(&destination.path()),
        }
    }

    /// Goes on with a session that just began.
    pub(super) async fn begin(self, state: &AppState, visit: &Visit, started: Started) -> Response {
        let mut response = self.go(state, visit, Decision::SignedIn(started.login)).await;
        started.cookies.put(response.headers_mut());
        response
    }
}

/// The response for what became of an interaction.
pub(super) fn finish(state: &AppState, outcome: Result<Next, Refused>) -> Response {
    edge(state).finish(outcome)
}

/// The query that names an interaction.
pub(super) fn interaction_query(id: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    format!("?{}", query.append_pair("interaction", id).finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_page_of_ours_or_home() {
        for (word, path) in [
            ("create_client", "/create_client"),
            ("account", "/account"),
            ("profile", "/account/profile"),
            ("password", "/account/password"),
            ("passkeys", "/account/passkeys"),
            ("second-factor", "/account/second-factor"),
            ("sessions", "/account/sessions"),
            ("applications", "/account/applications"),
            ("identities", "/account/identities"),
            ("activity", "/account/activity"),
            ("data", "/account/data"),
            ("client-aB3", "/clients/aB3"),
            ("admin-keys", "/admin/keys"),
            ("front-L2FwcA", "/auth/login?return_to=%2Fapp"),
            ("front-*", "/"),
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
            ("/account/sessions/end", "sessions"),
            ("/account/sessions/end_others", "sessions"),
            ("/account/password", "password"),
            ("/account/passkeys/remove", "passkeys"),
            ("/account/second-factor/remove", "second-factor"),
            ("/account/activity", "activity"),
            ("/account/data/export", "data"),
            ("/account/delete", "data"),
            ("/account/profile", "profile"),
            ("/account/email", "email"),
            ("/account", "account"),
            ("/account/nothing", ""),
            ("/create_client", "create_client"),
            ("/admin/keys/retire", "admin-keys"),
            ("//evil.example/", ""),
        ] {
            assert_eq!(Destination::of_path(path).word(), word, "{path}");
        }
    }
}
