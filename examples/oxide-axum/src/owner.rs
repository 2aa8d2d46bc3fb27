//! Who the owner is and whether they agree: one page with name, password and two buttons.
//!
//! It keeps no session, so there is nothing a foreign page could ride on.

use async_trait::async_trait;
use oauth_core::{Provider, model::ClientId, ports::SignIn};
use oxide_auth::endpoint::{OwnerConsent, QueryParameter as _, Solicitation};
use oxide_auth_async::endpoint::OwnerSolicitor;
use oxide_auth_axum::{OAuthRequest, OAuthResponse, WebError};

/// Asks the person at the browser.
pub(crate) struct Owner {
    provider: Provider,
    answers: bool,
}

impl Owner {
    /// A request by GET: whatever it says, nobody has seen the page yet.
    pub(crate) fn arriving(provider: &Provider) -> Self {
        Self { provider: provider.clone(), answers: false }
    }

    /// A request by POST: the filled-in page.
    pub(crate) fn answering(provider: &Provider) -> Self {
        Self { provider: provider.clone(), answers: true }
    }

    async fn page(&self, asked: &Solicitation<'_>, complaint: &str) -> OwnerConsent<OAuthResponse> {
        let id = ClientId::new(asked.pre_grant().client_id.as_str());
        let client = match self.provider.env().clients.client(&id).await {
            Ok(Some(client)) => escape(&client.name),
            _ => return OwnerConsent::Error(WebError::InternalError(None)),
        };
        let mut scope: Vec<_> = asked.pre_grant().scope.iter().map(escape).collect();
        scope.sort_unstable();
        let scope = scope.join(", ");
        let page = format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>Allow {client}?</title>\
             <main><h1>{client} asks for access</h1><p>It wants: {scope}</p>\
             <p role=\"alert\">{complaint}</p>\
             <form method=\"post\"><p><label>Name <input name=\"username\" autocomplete=\"username\"></label></p>\
             <p><label>Password <input name=\"password\" type=\"password\" autocomplete=\"current-password\"></label></p>\
             <button name=\"decision\" value=\"allow\">Allow</button> \
             <button name=\"decision\" value=\"deny\">Deny</button></form></main></html>"
        );
        match OAuthResponse::default().body(&page).content_type("text/html; charset=utf-8") {
            Ok(response) => OwnerConsent::InProgress(response),
            Err(e) => OwnerConsent::Error(e),
        }
    }
}

#[async_trait]
impl OwnerSolicitor<OAuthRequest> for Owner {
    async fn check_consent(
        &mut self,
        request: &mut OAuthRequest,
        asked: Solicitation<'_>,
    ) -> OwnerConsent<OAuthResponse> {
        let form = request.body().filter(|_| self.answers);
        let said = |name| form.and_then(|f| f.unique_value(name)).unwrap_or_default();
        match said("decision").as_ref() {
            "allow" => {}
            "deny" => return OwnerConsent::Denied,
            _ => return self.page(&asked, "").await,
        }
        let users = &self.provider.env().users;
        match users.sign_in(&said("username"), &said("password")).await {
            Ok(SignIn::Accepted(user)) => OwnerConsent::Authorized(user.as_str().into()),
            Ok(SignIn::Throttled(_)) => {
                self.page(&asked, "Too many attempts. Try again in a moment.").await
            }
            Ok(_) => self.page(&asked, "Name or password is wrong.").await,
            Err(_) => OwnerConsent::Error(WebError::InternalError(None)),
        }
    }
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}
