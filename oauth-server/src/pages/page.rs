//! What all pages share: the frame, the policy for the browser, rendering.

use super::assets::{ICON, PASSKEYS, STYLE};
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
use std::collections::BTreeSet;
use url::{Host, Url};

/// What surrounds the content of a page.
#[derive(Clone)]
pub(super) struct Frame {
    /// The address of the style sheet.
    pub(super) css: &'static str,
    /// The address of the icon.
    pub(super) icon: &'static str,
    /// The address of the script, on the few pages that have one.
    pub(super) script: Option<&'static str>,
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
        Self::configured(&state.config)
    }

    /// The same, where nothing but the configuration is at hand.
    pub(super) fn configured(config: &Config) -> Self {
        Self {
            css: &STYLE.path,
            icon: &ICON.path,
            script: None,
            place: place(config),
            demo: demo(config),
            user: None,
            here: "",
        }
    }

    /// With the menu of somebody who is signed in.
    pub(super) fn of(state: &AppState, user: &User, here: &'static str) -> Self {
        Self { user: Some(user.username.clone()), here, ..Self::bare(state) }
    }

    /// With the script for passkeys, where people can use them here. The response must allow it: [`with_script`].
    pub(super) fn for_passkeys(self, state: &AppState) -> Self {
        Self { script: state.passkeys.is_on().then_some(&*PASSKEYS.path), ..self }
    }

    /// Whether the page is one of those below the account.
    pub(super) fn is_in_account(&self) -> bool {
        const BELOW: [&str; 10] = [
            "activity",
            "applications",
            "data",
            "email",
            "identities",
            "passkeys",
            "password",
            "profile",
            "second-factor",
            "sessions",
        ];
        BELOW.contains(&self.here)
    }
}

fn place(config: &Config) -> String {
    let origin = config.origin();
    origin.split_once("://").map_or(&*origin, |(_, host)| host).to_owned()
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
    respond(status, page, "'self'", None)
}

/// The page as a response whose form may lead to a redirect URI, and that shows the logo of the client.
pub(super) fn show_to(
    status: StatusCode,
    page: impl Template,
    redirect_uri: &str,
    logo: Option<&str>,
) -> Response {
    respond(status, page, &form_action(redirect_uri), logo)
}

/// Lets a page run the script for passkeys, where people can use them here: our own file, which may ask this server and
/// nobody else.
pub(super) fn with_script(state: &AppState, mut response: Response) -> Response {
    if !state.passkeys.is_on() {
        return response;
    }
    let policy = response.headers().get(header::CONTENT_SECURITY_POLICY);
    let policy = policy
        .and_then(|p| p.to_str().ok())
        .map(|p| format!("{p}; script-src 'self'; connect-src 'self'"));
    if let Some(policy) = policy.and_then(|p| HeaderValue::from_str(&p).ok()) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The page as a response in which these pages of others may be framed, whatever else is at their origins.
pub(super) fn show_with_frames(
    status: StatusCode,
    page: impl Template,
    framed: &[String],
) -> Response {
    let mut response = show(status, page);
    let sources: BTreeSet<_> = framed.iter().filter_map(|address| frame_source(address)).collect();
    let sources = sources.into_iter().collect::<Vec<_>>().join(" ");
    let policy = response.headers().get(header::CONTENT_SECURITY_POLICY);
    let policy = policy.and_then(|p| p.to_str().ok()).map(|p| format!("{p}; frame-src {sources}"));
    if let Some(policy) = policy.and_then(|p| HeaderValue::from_str(&p).ok()) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The source for the policy that an address comes from. A policy cannot name an IPv6 address, only the scheme.
fn frame_source(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(|u| matches!(u.scheme(), "https" | "http"))?;
    match url.host()? {
        Host::Ipv6(_) => Some(format!("{}:", url.scheme())),
        _ => origin(&url),
    }
}

/// The source for the policy that an image comes from, whatever else is at its origin.
fn image_source(address: &str) -> Option<String> {
    origin(&Url::parse(address).ok().filter(|u| u.scheme() == "https")?)
}

/// Whether an image at this address can be shown on our pages.
pub(super) fn is_shown(address: &str) -> bool {
    image_source(address).is_some()
}

/// The origin of an address, if it can stand in a policy: hosts of URLs may have a semicolon or a comma in them, which
/// would end a directive or a policy.
fn origin(url: &Url) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    url.host_str()?.chars().all(plain).then(|| url.origin().ascii_serialization())
}

fn respond(
    status: StatusCode,
    page: impl Template,
    form_action: &str,
    logo: Option<&str>,
) -> Response {
    let mut response = page.into_web_template().into_response();
    if response.status() == StatusCode::OK {
        *response.status_mut() = status;
    }
    let images =
        logo.and_then(image_source).map_or_else(String::new, |source| format!(" {source}"));
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'{images}; form-action {form_action}; \
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
    fn frames_are_of_the_origins_of_their_pages() {
        for (address, source) in [
            ("https://c.example/out?a=b;c", Some("https://c.example")),
            ("https://c.example:8443/out", Some("https://c.example:8443")),
            ("http://127.0.0.1:5003/out", Some("http://127.0.0.1:5003")),
            ("http://[::1]:5003/out", Some("http:")),
            ("https://c.example;script-src/out", None),
            ("com.example.app:/out", None),
            ("no address", None),
        ] {
            assert_eq!(frame_source(address).as_deref(), source, "{address}");
        }
    }

    #[test]
    fn logos_are_of_one_origin_and_https() {
        for (address, source) in [
            ("https://c.example/logo.png?a=b;c", Some("https://c.example")),
            ("https://C.example:8443/logo.png", Some("https://c.example:8443")),
            ("https://bücher.example/logo.png", Some("https://xn--bcher-kva.example")),
            ("https://192.0.2.1/logo.png", Some("https://192.0.2.1")),
            ("http://c.example/logo.png", None),
            ("https://[::1]/logo.png", None),
            ("https://c.example;sandbox/logo.png", None),
            ("https://c.example,d.example/logo.png", None),
            ("https://*/logo.png", None),
            ("https://'self'/logo.png", None),
            ("data:image/png;base64,AAAA", None),
            ("javascript:alert(1)", None),
            ("no address", None),
        ] {
            assert_eq!(image_source(address).as_deref(), source, "{address}");
        }
    }

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
