//! `token`, `header`, `refresh`, `revoke`, `status`.

use super::{Context, clients::table};
use crate::{
    client::{AccessToken, OAuthClient, Revoked, State},
    clock::readable,
    error::Result,
};
use serde_json::{Value, json};
use std::process::ExitCode;

pub(super) async fn token(context: &Context, which: Option<&str>, fresh: bool) -> Result<ExitCode> {
    let client = context.which(which).await?;
    let token = if fresh { client.refresh().await? } else { client.access_token().await? };
    let value = json!({
        "access_token": token.token.expose(),
        "token_type": token.token_type,
        "expires_at": token.expires_at,
        "scope": token.scope,
    });
    context.out.print(token.token.expose(), &value)
}

pub(super) async fn header(context: &Context, which: Option<&str>) -> Result<ExitCode> {
    let token = context.which(which).await?.access_token().await?;
    let value = token.authorization();
    let text = format!("Authorization: {}", value.expose());
    context.out.print(&text, &json!({ "name": "Authorization", "value": value.expose() }))
}

pub(super) async fn refresh(context: &Context, which: Option<&str>) -> Result<ExitCode> {
    let client = context.which(which).await?;
    let token = client.refresh().await?;
    let until = token.expires_at.map_or_else(String::new, |at| format!(" until {}", readable(at)));
    context.out.print(&format!("{} has a new access token{until}", client.name()), &facts(&token))
}

/// A token without the token.
fn facts(token: &AccessToken) -> Value {
    json!({ "token_type": token.token_type, "expires_at": token.expires_at, "scope": token.scope })
}

pub(super) async fn revoke(context: &Context, which: Option<&str>) -> Result<ExitCode> {
    let client = context.which(which).await?;
    let revoked = client.revoke().await?;
    let text = format!("{}{}", client.name(), revoked_text(revoked));
    context.out.print(
        &text,
        &json!({ "client": client.name(), "revoked": revoked == Revoked::Everywhere }),
    )
}

pub(super) const fn revoked_text(revoked: Revoked) -> &'static str {
    match revoked {
        Revoked::Everywhere => ": the provider has taken its tokens back",
        Revoked::OnlyHere => {
            ": its tokens are forgotten here; the provider has no way to take them back"
        }
        Revoked::Nothing => ": there were no tokens",
    }
}

pub(super) async fn status(context: &Context, which: Option<&str>) -> Result<ExitCode> {
    if let Some(which) = which {
        let client = context.store.client(which).await?;
        let status = client.status().await?;
        let code = if status.state == State::LoginNeeded { 4 } else { 0 };
        let (text, value) = describe(&client, &status);
        context.out.print(&text, &value)?;
        return Ok(ExitCode::from(code));
    }
    let mut rows = vec![["NAME", "STATE", "EXPIRES", "REFRESH", "SCOPE"].map(str::to_owned)];
    let mut values = Vec::new();
    for client in context.store.list().await? {
        let client = context.store.client(&client.id.to_string()).await?;
        let status = client.status().await?;
        values.push(describe(&client, &status).1);
        rows.push([
            client.name().to_owned(),
            status.state.text().into(),
            status.expires_at.map_or_else(|| "-".into(), readable),
            if status.has_refresh_token { "yes".into() } else { "no".into() },
            status.scope.unwrap_or_default(),
        ]);
    }
    let profile = &context.settings.profile;
    let head = format!("profile {profile}, secrets in {}\n", context.store.vault_name());
    let text = format!("{head}{}", table(&rows));
    let value =
        json!({ "profile": profile, "store": context.store.vault_name(), "clients": values });
    context.out.print(&text, &value)
}

fn describe(client: &OAuthClient, status: &crate::client::Status) -> (String, Value) {
    let line = |name: &str, value: Option<String>| {
        value.map_or_else(String::new, |v| format!("{name:<10} {v}\n"))
    };
    let text = [
        line("client", Some(client.name().to_owned())),
        line("state", Some(status.state.text().into())),
        line("expires", status.expires_at.map(readable)),
        line("obtained", status.obtained_at.map(readable)),
        line("refresh", Some(if status.has_refresh_token { "yes" } else { "no" }.into())),
        line("until", status.refresh_expires_at.map(readable)),
        line("scope", status.scope.clone()),
        line("subject", status.subject.clone()),
    ];
    (text.concat(), json!({ "name": client.name(), "status": status }))
}
