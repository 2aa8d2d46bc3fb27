//! The client that asks, in words for the person.

use super::{languages::Languages, page::is_shown};
use crate::registration::is_web_address;
use oauth_core::{authorize::Interaction, openid::SCOPES};
use url::Url;

/// The client that asks.
pub(super) struct Asker {
    /// Its `client_id`.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// The language of the name, where that is known.
    pub(super) language: Option<String>,
    /// Its home page.
    pub(super) uri: Option<String>,
    /// Where it sends people back to.
    pub(super) back: String,
    /// The address of its logo.
    pub(super) logo: Option<String>,
    /// The address of its privacy policy.
    pub(super) policy: Option<String>,
    /// The address of its terms of service.
    pub(super) terms: Option<String>,
    /// Whether somebody registered it who is not the operator.
    pub(super) by_anybody: bool,
    /// Whether it wants to know who somebody is, and nothing beyond.
    pub(super) only_signs_in: bool,
}

impl Asker {
    /// The client of an interaction, as it presents itself in these languages. Its addresses were checked when it was
    /// registered; here they are shown, and one that is not fit to be shown is left out.
    pub(super) fn of(interaction: &Interaction, languages: &Languages) -> Self {
        let client = &interaction.client;
        let texts = &client.metadata.texts;
        let link = |name: &str, untagged: Option<&String>| {
            let chosen = languages.choose(texts, name).map(|(_, text)| text);
            let text = chosen.or(untagged.map(String::as_str));
            text.filter(|text| is_web_address(text)).map(str::to_owned)
        };
        let name = languages.choose(texts, "client_name");
        Self {
            id: client.id.to_string(),
            name: name.map_or_else(|| client.name.clone(), |(_, text)| text.to_owned()),
            language: name.map(|(language, _)| language.to_owned()),
            uri: link("client_uri", client.uri.as_ref()),
            back: place(&interaction.pending.redirect_uri),
            logo: link("logo_uri", texts.get("logo_uri")).filter(|logo| is_shown(logo)),
            policy: link("policy_uri", texts.get("policy_uri")),
            terms: link("tos_uri", texts.get("tos_uri")),
            by_anybody: client.owner.is_some() || client.registration_token.is_some(),
            only_signs_in: interaction.pending.is_openid()
                && interaction.pending.scope.iter().all(is_about_the_person),
        }
    }
}

/// Whether a scope gives nothing but facts about somebody.
fn is_about_the_person(scope: &str) -> bool {
    scope == "openid" || SCOPES.iter().any(|(name, _)| *name == scope)
}

/// Where a redirect URI leads, in words.
pub(super) fn place(redirect_uri: &str) -> String {
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
