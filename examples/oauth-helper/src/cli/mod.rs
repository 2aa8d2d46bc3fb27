//! The command line.

mod args;
mod browser;
mod certs;
mod clients;
mod curl;
mod login;
mod output;
mod tokens;
mod web;

pub use args::Arguments;

use crate::{
    error::{Error, Result},
    settings::{Folders, Settings},
    store::TokenStore,
};
use args::Command;
use clap::{CommandFactory as _, Parser as _};
use output::Output;
use std::{collections::HashMap, process::ExitCode};

/// What every command needs.
struct Context {
    store: TokenStore,
    settings: Settings,
    folders: Folders,
    environment: HashMap<String, String>,
    out: Output,
}

/// Reads the arguments, does what they say, and gives the exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let out = Output { json: arguments.json };
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(e) => return out.fail(&Error::store("no runtime can be started", e)),
    };
    match runtime.block_on(run(arguments, out)) {
        Ok(code) => code,
        Err(e) => out.fail(&e),
    }
}

async fn run(arguments: Arguments, out: Output) -> Result<ExitCode> {
    if let Command::Completions { shell } = arguments.command {
        let mut text = Vec::new();
        clap_complete::generate(shell, &mut Arguments::command(), "oauth-helper", &mut text);
        return output::raw(&text);
    }
    if let Command::Certs(certs) = &arguments.command {
        return certs::run(certs, out);
    }
    let environment: HashMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let mut settings = Settings::load(arguments.config.as_deref(), &environment)?;
    arguments.apply(&mut settings);
    log(&settings)?;
    let folders = Folders::find(&environment)?;
    let store = settings.open(&folders).await?;
    let context = Context { store, settings, folders, environment, out };
    context.migrate().await?;
    context.command(arguments.command).await
}

impl Context {
    async fn command(self, command: Command) -> Result<ExitCode> {
        match command {
            Command::Client { command } => clients::run(&self, *command).await,
            Command::Login(login) => login::run(&self, login).await,
            Command::Token { client, fresh } => {
                tokens::token(&self, client.as_deref(), fresh).await
            }
            Command::Header { client } => tokens::header(&self, client.as_deref()).await,
            Command::Curl { client, arguments } => {
                curl::run(&self, client.as_deref(), &arguments).await
            }
            Command::Refresh { client } => tokens::refresh(&self, client.as_deref()).await,
            Command::Revoke { client } => tokens::revoke(&self, client.as_deref()).await,
            Command::Status { client } => tokens::status(&self, client.as_deref()).await,
            Command::Web(arguments) => web::run(&self, arguments).await,
            // Both are done before there is a store.
            Command::Certs(_) | Command::Completions { .. } => Ok(ExitCode::SUCCESS),
        }
    }

    /// The client that is meant: the one that is named, or the only one there is.
    async fn which(&self, named: Option<&str>) -> Result<crate::client::OAuthClient> {
        if let Some(name) = named {
            return self.store.client(name).await;
        }
        match self.store.list().await?.as_slice() {
            [only] => self.store.client(&only.id.to_string()).await,
            [] => Err(Error::Invalid(
                "there is no client yet; add one with: oauth-helper client add".into(),
            )),
            _ => Err(Error::Invalid(
                "there are several clients: name one (oauth-helper client list shows them)".into(),
            )),
        }
    }
}

/// Logs to standard error, so that standard output is what was asked for and nothing else.
fn log(settings: &Settings) -> Result<()> {
    use tracing_subscriber::{EnvFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _};
    // The number is that of the Python logging module, which the old program used.
    let level = match settings.debug_level.to_ascii_lowercase().as_str() {
        "10" => "debug".to_owned(),
        "20" => "info".to_owned(),
        "30" | "warning" => "warn".to_owned(),
        "40" | "50" | "critical" => "error".to_owned(),
        other => other.to_owned(),
    };
    if !["error", "warn", "info", "debug", "trace", "off"].contains(&level.as_str()) {
        return Err(Error::Invalid(format!("debug_level {level:?} is no level of logging")));
    }
    // Libraries below may print what they send, at their finer levels.
    let filter = EnvFilter::new(format!("off,oauth_helper={level}"));
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    tracing_subscriber::registry().with(filter).with(layer).try_init().ok();
    Ok(())
}
