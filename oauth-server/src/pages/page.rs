//! What all pages share: the frame, the policy for the browser, rendering.

use super::assets::{ICON, STYLE};
use crate::{
    config::{Authenticator, Config},
    state::AppState,
};
use askama::Template;
use askama_web::WebTemplateExt as _;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use oauth_core::model::User;
use url::Url;

/// What surrounds the content of a page.
#[derive(Clone)]
pub(super) struct Frame {
    /// The address of the style sheet.
    pub(super) css: &'static str,
    /// The address of the icon.
    pub(super) icon: &'static str,
    /// The server as people know it: its host.
    pub(super) place: String,
    /// Why nobody should type a password that matters.
    pub(super) demo: Option<&'static str>,
    /// Who is signed in, where the page has a menu.
    pub(super) user: Option<String>,
    /// The entry of the menu that the page belongs to.
    pub(super) here: &'static str,
}

impl Frame {
    /// Without a menu: for visitors, and where nothing should lead away.
    pub(super) fn bare(state: &AppState) -> Self {
        Self {
            css: &STYLE.path,
            icon: &ICON.path,
            place: place(&state.config),
            demo: demo(&state.config),
            user: None,
            here: "",
        }
    }

    /// With the menu of somebody who is signed in.
    pub(super) fn of(state: &AppState, user: &User, here: &'static str) -> Self {
        Self { user: Some(user.username.clone()), here, ..Self::bare(state) }
    }
}

fn place(config: &Config) -> String {
    let issuer = config.issuer();
    let text = issuer.as_str();
    text.split_once("://").map_or(text, |(_, host)| host).to_owned()
}

fn demo(config: &Config) -> Option<&'static str> {
    if config.general.authenticator == Authenticator::Any {
        Some("It lets everybody in with any password: do not type one here that you use elsewhere.")
    } else if config.users.is_empty() {
        None
    } else {
        Some(
            "It has users whose passwords are in its configuration: do not type a password here that you use elsewhere.",
        )
    }
}

/// The page as a response whose forms lead back to this server.
pub(super) fn show(status: StatusCode, page: impl Template) -> Response {
    respond(status, page, "'self'")
}

/// The page as a response whose form may lead to a redirect URI.
pub(super) fn show_leading_to(
    status: StatusCode,
    page: impl Template,
    redirect_uri: &str,
) -> Response {
    respond(status, page, &form_action(redirect_uri))
}

fn respond(status: StatusCode, page: impl Template, form_action: &str) -> Response {
    let mut response = page.into_web_template().into_response();
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action {form_action}; \
         frame-ancestors 'none'; base-uri 'none'"
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Where a form may lead whose answer is a redirect to the client.
///
/// Chrome holds every redirect that follows a form against this list, also those that the client then makes
/// itself, to whatever host it likes. So it is the scheme that is allowed, not the one host.
fn form_action(redirect_uri: &str) -> String {
    let scheme = Url::parse(redirect_uri).map(|u| u.scheme().to_owned()).unwrap_or_default();
    let well_formed = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    if scheme.is_empty() || !scheme.chars().all(well_formed) {
        return "'self'".into();
    }
    format!("'self' {scheme}:")
}

/// A redirect after a form, or to where something is now.
pub(super) fn see_other(path: &str) -> Response {
    let headers = [(header::LOCATION, path), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_to_the_scheme_of_the_client() {
        for (uri, expected) in [
            ("https://c.example/cb?x='none'", "'self' https:"),
            ("http://127.0.0.1:1/cb", "'self' http:"),
            ("com.example.app:/cb", "'self' com.example.app:"),
            ("no address", "'self'"),
        ] {
            assert_eq!(form_action(uri), expected, "{uri}");
        }
    }
}
