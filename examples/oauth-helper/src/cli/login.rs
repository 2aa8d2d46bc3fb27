//! `oauth-helper login`: signing in, by the browser here, by one elsewhere, or at another device.

use super::{
    Context,
    args::Login,
    browser,
    clients::secret_from,
    output::{self, say},
};
use crate::{
    client::OAuthClient,
    error::{Error, Result},
    login::Redirected,
    loopback,
    model::{Client, Grant, is_loopback},
};
use serde_json::json;
use std::{process::ExitCode, time::Duration};
use url::Url;

/// Where a login comes back to where the client has no redirect URI of its own.
const PATH: &str = "/auth_callback";

pub(super) async fn run(context: &Context, login: Login) -> Result<ExitCode> {
    let client = context.which(login.client.as_deref()).await?;
    let info = client.info().await?;
    if login.insecure_password_grant {
        with_password(&client, &login).await?;
    } else if info.grant == Grant::Password {
        return Err(Error::Invalid(
            "this client sends passwords: say so with --insecure-password-grant --username NAME"
                .into(),
        ));
    } else if info.grant == Grant::ClientCredentials {
        client.refresh().await?;
    } else if login.device || info.grant == Grant::Device {
        on_a_device(&client, login.timeout).await?;
    } else if login.no_browser {
        pasted(context, &client, &info, &login).await?;
    } else {
        with_browser(context, &client, &info, &login).await?;
    }
    let status = client.status().await?;
    let until = status.expires_at.map_or_else(String::new, |at| {
        format!(", the access token lives until {}", crate::clock::readable(at))
    });
    context.out.print(
        &format!("{} is signed in{until}", client.name()),
        &json!({ "name": client.name(), "status": status }),
    )
}

async fn with_password(client: &OAuthClient, login: &Login) -> Result<()> {
    say(
        "warning: the password grant gives your password to this program; RFC 9700 says that it must not be used",
    );
    let username = login.username.as_deref().unwrap_or_default();
    let password = match &login.password_file {
        Some(file) => secret_from(file)?,
        None => output::ask_secret("Password: ")?,
    };
    client.login_with_password(username, &password).await
}

async fn on_a_device(client: &OAuthClient, patience: u64) -> Result<()> {
    let login = client.begin_device_login().await?;
    let code = crate::error::clean(login.user_code());
    say(&format!("open {} and type in: {code}", crate::error::clean(login.page())));
    if let Some(page) = login.page_with_code() {
        say(&format!("or open {}", crate::error::clean(page)));
    }
    let patience = Duration::from_secs(patience).max(login.expires_in());
    tokio::time::timeout(patience, login.finish()).await.map_err(|_| nobody(client))?
}

fn nobody(client: &OAuthClient) -> Error {
    Error::Cancelled(format!("{}: nobody came back in time", client.name()))
}

/// The redirect URI of a login whose answer somebody pastes.
async fn pasted(
    context: &Context,
    client: &OAuthClient,
    info: &Client,
    login: &Login,
) -> Result<()> {
    let configured = info.redirect_url.as_ref().or_else(|| context.store.redirect_url());
    let redirect = match configured {
        Some(url) if !is_loopback(url) => url.clone(),
        other => on_loopback(other, login.port.or(info.login_port).unwrap_or(loopback::NOBODY))?,
    };
    let pending = client.begin_login(redirect).await?;
    say(
        "open this address in a browser, sign in, and paste the address you are sent to, also if no page is there:",
    );
    say(&format!("\n{}\n", pending.url));
    let back = tokio::time::timeout(
        Duration::from_secs(login.timeout),
        crate::files::blocking(output::read_line),
    )
    .await
    .map_err(|_| nobody(client))??;
    if back.is_empty() {
        return Err(Error::Cancelled(format!("{}: nothing was pasted", client.name())));
    }
    let code = pending.check(Redirected::pasted(&back)?)?;
    pending.finish(&code).await
}

async fn with_browser(
    context: &Context,
    client: &OAuthClient,
    info: &Client,
    login: &Login,
) -> Result<()> {
    let configured = info.redirect_url.as_ref().or_else(|| context.store.redirect_url());
    if let Some(url) = configured
        && !is_loopback(url)
    {
        return Err(Error::Invalid(format!(
            "{}: its redirect URL is not on this machine; use --no-browser and paste the answer",
            info.name
        )));
    }
    let listener = loopback::listen(login.port.or(info.login_port).unwrap_or(0)).await?;
    let redirect = on_loopback(configured, listener.port())?;
    let pending = client.begin_login(redirect).await?;
    if !browser::open(&pending.url, &context.environment) {
        say("no browser can be opened here");
    }
    say(&format!("sign in at:\n\n{}\n", pending.url));
    listener.finish(pending, Duration::from_secs(login.timeout)).await
}

/// The redirect URI on this machine with this port. A configured one gives its path, and its host where that is
/// an address ([RFC 8252 7.3](https://www.rfc-editor.org/rfc/rfc8252#section-7.3)).
fn on_loopback(configured: Option<&Url>, port: u16) -> Result<Url> {
    let (host, path) = configured
        .map_or(("127.0.0.1", PATH), |url| (url.host_str().unwrap_or("127.0.0.1"), url.path()));
    let host = if host == "[::1]" { "127.0.0.1" } else { host };
    Url::parse(&format!("http://{host}:{port}{path}"))
        .map_err(|_| Error::Invalid("the redirect URL cannot be used".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s3_09_the_redirect_is_on_this_machine_with_the_path_the_provider_knows() {
        let configured = Url::parse("https://localhost:8080/cb").unwrap();
        assert_eq!(on_loopback(Some(&configured), 5).unwrap().as_str(), "http://localhost:5/cb");
        assert_eq!(on_loopback(None, 5).unwrap().as_str(), "http://127.0.0.1:5/auth_callback");
    }
}
