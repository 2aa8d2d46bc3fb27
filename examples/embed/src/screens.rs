//! My pages: any HTML, one call back into the provider each.

use axum::{
    Router,
    extract::{RawQuery, State},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use oauth_core::{
    Provider,
    authorize::{Decision, Interaction},
    error::OAuthError,
    http::{Browser, FormParams, error_json, render},
    model::Login,
    params::Params,
    ports::SignIn,
};

pub(crate) fn router(provider: Provider) -> Router {
    Router::new()
        .route("/login", get(show_login).post(login))
        .route("/consent", get(show_consent).post(consent))
        .with_state(provider)
}

async fn show_login(
    State(provider): State<Provider>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let (id, asked) = waiting(&provider, &browser, &query.unwrap_or_default()).await?;
    Ok(login_page(&id, &asked, ""))
}

async fn login(
    State(provider): State<Provider>,
    browser: Browser,
    FormParams(form): FormParams,
) -> Result<Response, Response> {
    let said = |name| form.get(name).unwrap_or_default();
    let env = provider.env();
    // Before the password is tried, so that nothing comes of it once everything of the user is revoked.
    let since = provider.epoch().await.map_err(|e| error_json(&e.into()))?;
    match env.users.sign_in(said("username"), said("password")).await {
        Ok(SignIn::Accepted(user)) => {
            let login =
                Login { user, at: env.clock.now(), amr: vec!["pwd".into()], acr: None, sid: None };
            let decision = Decision::SignedIn(login);
            let id = said("interaction");
            let outcome = provider.resume(id, browser.as_str(), decision, since).await;
            Ok(render(&provider, outcome))
        }
        Ok(_) => {
            let (id, asked) = waiting(&provider, &browser, &form.to_query()).await?;
            Ok(login_page(&id, &asked, "Name or password is wrong, or too many tried at once."))
        }
        Err(e) => Err(error_json(&e.into())),
    }
}

async fn show_consent(
    State(provider): State<Provider>,
    browser: Browser,
    RawQuery(query): RawQuery,
) -> Result<Response, Response> {
    let (id, asked) = waiting(&provider, &browser, &query.unwrap_or_default()).await?;
    let scope = escape(&asked.pending.scope.to_string());
    let client = escape(&asked.client.name);
    Ok(page(&format!(
        "<h1>Allow {client}?</h1><p>It asks for: {scope}</p>\
         <form method=\"post\"><input type=\"hidden\" name=\"interaction\" value=\"{id}\">\
         <button name=\"decision\" value=\"allow\">Allow</button> \
         <button name=\"decision\" value=\"deny\">Deny</button></form>"
    )))
}

async fn consent(
    State(provider): State<Provider>,
    browser: Browser,
    FormParams(form): FormParams,
) -> Result<Response, Response> {
    // Whoever has sessions reads this before the session, and then checks that it is the one in the interaction.
    let since = provider.epoch().await.map_err(|e| error_json(&e.into()))?;
    let decision = match form.get("decision") {
        Some("allow") => Decision::Approved { scope: None },
        _ => Decision::Denied,
    };
    let id = form.get("interaction").unwrap_or_default();
    let outcome = provider.resume(id, browser.as_str(), decision, since).await;
    Ok(render(&provider, outcome))
}

/// The request that waits for a person in this browser, or the answer that there is none.
async fn waiting(
    provider: &Provider,
    browser: &Browser,
    query: &str,
) -> Result<(String, Interaction), Response> {
    let found = async {
        let params = Params::parse(query.as_bytes())?;
        let id = params.require("interaction")?.to_owned();
        let asked = provider.interaction(&id, browser.as_str()).await?;
        Ok::<_, OAuthError>((escape(&id), asked))
    };
    found.await.map_err(|e| error_json(&e))
}

fn login_page(id: &str, asked: &Interaction, complaint: &str) -> Response {
    let client = escape(&asked.client.name);
    page(&format!(
        "<h1>Sign in to go on to {client}</h1><p role=\"alert\">{complaint}</p>\
         <form method=\"post\"><input type=\"hidden\" name=\"interaction\" value=\"{id}\">\
         <p><label>Name <input name=\"username\" autocomplete=\"username\"></label></p>\
         <p><label>Password <input name=\"password\" type=\"password\" \
         autocomplete=\"current-password\"></label></p><button>Sign in</button></form>"
    ))
}

fn page(main: &str) -> Response {
    let headers = [
        ("cache-control", "no-store"),
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("referrer-policy", "no-referrer"),
    ];
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>My application</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><main>{main}</main></html>"
    );
    (headers, Html(html)).into_response()
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
