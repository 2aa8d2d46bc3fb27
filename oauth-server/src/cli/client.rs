//! `oauth-server client`.

use super::output::{self, Output, date, table, yes};
use crate::{
    audit::{Entry, Kind},
    config::{AuthMethod, Format},
    policy,
    registration::{self, ClientDraft, Objection},
    state::AppState,
};
use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use oauth_core::{
    model::{Client, ClientId, PlainToken, RedirectUri, SigningAlgorithm, TokenFormat},
    ports::ClientStore as _,
    seaorm::entity::client,
};
use sea_orm::{EntityTrait as _, QueryOrder as _};
use serde_json::{Value, json};
use std::sync::Arc;

/// What to do with clients.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Register a client; prints its id and its secret, which is shown only this once
    Create(Box<New>),
    /// List clients
    List,
    /// Show a client
    Show {
        /// The client id
        id: String,
    },
    /// Replace a client's secret; prints the new one, which is shown only this once
    RotateSecret {
        /// The client id
        id: String,
    },
    /// Delete a client with everything issued to it
    Delete {
        /// The client id
        id: String,
    },
}

/// A client to register.
#[derive(Debug, Args)]
pub(super) struct New {
    /// The name people read on the consent page
    #[arg(long)]
    name: String,
    /// The client id; by default made at random
    #[arg(long, value_parser = id)]
    id: Option<String>,
    /// Home page
    #[arg(long, value_name = "URI")]
    uri: Option<String>,
    /// Where answers may go; may be given several times
    #[arg(long = "redirect-uri", value_name = "URI")]
    redirect_uris: Vec<String>,
    /// Grant type; may be given several times
    #[arg(long = "grant-type", value_name = "TYPE", default_values_t = ["authorization_code".to_owned(), "refresh_token".to_owned()])]
    grant_types: Vec<String>,
    /// Response type; may be given several times; by default what the grant types need
    #[arg(long = "response-type", value_name = "TYPE")]
    response_types: Vec<String>,
    /// The most it may be granted, separated by spaces
    #[arg(long, default_value = "")]
    scope: String,
    /// How it authenticates
    #[arg(long, value_enum, default_value_t = AuthMethod::Basic)]
    auth_method: AuthMethod,
    /// Form of its access tokens; by default that of the server
    #[arg(long, value_enum)]
    access_token_format: Option<Format>,
    /// Algorithm of its JWTs; by default that of the server
    #[arg(long, value_name = "ALG", value_parser = algorithm)]
    access_token_algorithm: Option<SigningAlgorithm>,
    /// Life of its access tokens in seconds; by default that of the server
    #[arg(long, value_name = "SECONDS")]
    access_token_ttl: Option<u64>,
    /// Do not ask people for consent: for clients of your own
    #[arg(long)]
    skip_consent: bool,
    /// What else it registers, as a JSON object with the names of OpenID Connect Registration
    #[arg(long, value_name = "JSON", value_parser = metadata)]
    metadata: Option<Metadata>,
}

/// A JSON object.
type Metadata = serde_json::Map<String, Value>;

fn metadata(text: &str) -> Result<Metadata, String> {
    serde_json::from_str(text)
        .map_err(|_| r#"expected a JSON object such as {"subject_type": "pairwise"}"#.into())
}

fn id(text: &str) -> Result<String, String> {
    let fine = !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic());
    fine.then(|| text.to_owned())
        .ok_or_else(|| "expected 1 to 255 printable ASCII characters".into())
}

fn algorithm(name: &str) -> Result<SigningAlgorithm, String> {
    SigningAlgorithm::parse(name)
        .ok_or_else(|| "expected ES256, EdDSA, RS256, RS512 or PS256".into())
}

pub(super) async fn run(command: Command, state: &AppState, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Create(new) => create(state, output, *new).await,
        Command::List => list(state, output).await,
        Command::Show { id } => {
            let client = find(state, &id).await?;
            output.data(&described(&client), || shown(&client))
        }
        Command::RotateSecret { id } => rotate(state, output, &id).await,
        Command::Delete { id } => {
            if !state.store.remove_client(&ClientId::new(&*id)).await? {
                bail!("there is no client with the id {id:?}");
            }
            let entry = Entry::new(Kind::RegistrationRemoved).client(&ClientId::new(&*id));
            state.audit.write(entry.detail("at the command line")).await?;
            output::message(&format!("{id} deleted, with everything issued to it"))
        }
    }
}

async fn find(state: &AppState, id: &str) -> anyhow::Result<Arc<Client>> {
    let found = state.store.client(&ClientId::new(id)).await?;
    found.with_context(|| {
        format!("there is no client with the id {id:?}; see `oauth-server client list`")
    })
}

async fn create(state: &AppState, output: Output, new: New) -> anyhow::Result<()> {
    let format = policy::format(&state.config, new.access_token_format, new.access_token_algorithm);
    let draft = ClientDraft {
        name: new.name,
        uri: new.uri.unwrap_or_default(),
        scope: new.scope,
        redirect_uris: new.redirect_uris,
        grant_types: new.grant_types,
        response_types: new.response_types,
        auth_method: new.auth_method.to_string(),
        access_token_format: policy::format_choice(format),
        access_token_ttl: new.access_token_ttl.map_or_else(String::new, |ttl| ttl.to_string()),
        ..ClientDraft::default()
    };
    let draft = draft.with_metadata(&new.metadata.unwrap_or_default());
    let rules = registration::rules(state.provider.grants(), &state.config);
    let refused = |objections: Vec<Objection>| {
        let lines: Vec<_> = objections.iter().map(ToString::to_string).collect();
        anyhow!("the client cannot be registered:\n  {}", lines.join("\n  "))
    };
    let checked = draft.and_then(|draft| draft.check(&rules)).map_err(refused)?;
    let env = state.provider.env();
    let made = match new.id {
        Some(id) => checked.register_as(env, ClientId::new(id), None).await,
        None => checked.register(env, None).await,
    };
    let made = made.map_err(refused)?;
    let client = Client { skip_consent: new.skip_consent, ..made.client };
    if !state.store.insert_client(client.clone()).await? {
        bail!("there is a client with the id {:?} already", client.id.as_str());
    }
    let entry = Entry::new(Kind::Registered).client(&client.id);
    state.audit.write(entry.scope(&client.scope.to_string()).detail("at the command line")).await?;
    print_with_secret(output, &client, made.secret)
}

async fn rotate(state: &AppState, output: Output, id: &str) -> anyhow::Result<()> {
    let client = find(state, id).await?;
    let Some(fresh) = registration::rotate_secret(state.provider.env(), &client) else {
        bail!("{id} has no secret");
    };
    if !state.store.replace_unchanged_client(fresh.client.clone(), &client).await? {
        bail!("{id} was changed or deleted meanwhile; look at it, and try again");
    }
    let entry = Entry::new(Kind::RegistrationChanged).client(&fresh.client.id);
    state.audit.write(entry.detail("another secret, at the command line")).await?;
    print_with_secret(output, &fresh.client, fresh.secret)
}

fn print_with_secret(
    output: Output,
    client: &Client,
    secret: Option<PlainToken>,
) -> anyhow::Result<()> {
    let secret = secret.map(PlainToken::reveal);
    let mut json = described(client);
    if let (Some(map), Some(secret)) = (json.as_object_mut(), &secret) {
        map.insert("client_secret".into(), json!(secret));
    }
    output.data(&json, || match &secret {
        Some(secret) => format!("client_id      {}\nclient_secret  {secret}", client.id),
        None => format!("client_id      {}", client.id),
    })?;
    if secret.is_some() {
        output::message("Keep the secret: it cannot be shown again.")
    } else {
        Ok(())
    }
}

async fn list(state: &AppState, output: Output) -> anyhow::Result<()> {
    let rows = client::Entity::find()
        .order_by_asc(client::Column::CreatedAt)
        .order_by_asc(client::Column::Id)
        .all(state.store.database())
        .await?;
    let clients = rows.into_iter().map(Client::try_from).collect::<Result<Vec<_>, _>>()?;
    let json = clients.iter().map(described).collect();
    output.data(&json, || {
        let row = |c: &Client| {
            let grants: Vec<_> = c.grant_types.iter().cloned().collect();
            vec![
                c.id.to_string(),
                c.name.clone(),
                c.auth.method().to_owned(),
                grants.join(" "),
                date(c.created_at),
            ]
        };
        let rows: Vec<_> = clients.iter().map(row).collect();
        table(&["ID", "NAME", "AUTHENTICATION", "GRANT TYPES", "MADE"], &rows)
    })
}

/// A client in the words of [RFC 7591 2](https://www.rfc-editor.org/rfc/rfc7591#section-2), without its secret.
fn described(client: &Client) -> Value {
    json!({
        "client_id": client.id.as_str(),
        "client_name": client.name,
        "client_uri": client.uri,
        "redirect_uris": client.redirect_uris,
        "grant_types": client.grant_types,
        "response_types": client.response_types,
        "scope": client.scope,
        "token_endpoint_auth_method": client.auth.method(),
        "access_token_format": client.access_token_format.map(format_word),
        "access_token_ttl": client.access_token_ttl.map(|t| t.as_secs()),
        "skip_consent": client.skip_consent,
        "created_at": date(client.created_at),
    })
}

fn format_word(format: TokenFormat) -> String {
    match format {
        TokenFormat::Jwt(alg) => format!("jwt {alg}"),
        TokenFormat::Opaque => "opaque".into(),
    }
}

fn shown(c: &Client) -> String {
    let list = |items: Vec<&str>| items.join(" ");
    let or = |text: Option<String>| text.unwrap_or_else(|| "as the server".into());
    [
        ("client_id", c.id.to_string()),
        ("name", c.name.clone()),
        ("uri", c.uri.clone().unwrap_or_default()),
        ("redirect URIs", list(c.redirect_uris.iter().map(RedirectUri::as_str).collect())),
        ("grant types", list(c.grant_types.iter().map(String::as_str).collect())),
        ("response types", list(c.response_types.iter().map(String::as_str).collect())),
        ("scope", c.scope.to_string()),
        ("authentication", c.auth.method().to_owned()),
        ("access tokens", or(c.access_token_format.map(format_word))),
        ("their life", or(c.access_token_ttl.map(|t| format!("{} seconds", t.as_secs())))),
        ("asks for consent", yes(!c.skip_consent)),
        ("made", date(c.created_at)),
    ]
    .iter()
    .map(|(name, value)| format!("{name:16}  {value}").trim_end().to_owned())
    .collect::<Vec<_>>()
    .join("\n")
}
