//! `oauth-server user` and `oauth-server admin`.

use super::{
    output::{self, Output, date, table, yes},
    secret::PasswordSource,
};
use crate::{
    administration::users, credentials::check_username, state::AppState, throttle::Subject,
};
use anyhow::{Context as _, bail, ensure};
use clap::{Subcommand, builder::PossibleValuesParser};
use oauth_core::{
    model::{Access, AccessRight},
    ports::Users as _,
    seaorm::{NewUser, UserAccount, new_user_id},
};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// What to do with users.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a user
    Create {
        /// The name to sign in with
        name: String,
        /// Make the user an administrator
        #[arg(long)]
        admin: bool,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// List users
    List {
        /// List those whose names come after this one
        #[arg(long)]
        after: Option<String>,
        /// List so many
        #[arg(long, default_value_t = 100)]
        limit: u64,
    },
    /// Show a user with its rights
    Show {
        /// The name
        name: String,
    },
    /// Show or change what a user says about itself, and say what of it is verified
    Profile {
        /// The name
        name: String,
        #[command(flatten)]
        change: super::profile::Change,
    },
    /// Replace a user's password, end its sessions, revoke what its clients hold
    SetPassword {
        /// The name
        name: String,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Lock a user out: end its sessions, revoke what its clients hold
    Disable {
        /// The name
        name: String,
    },
    /// Let a user in again
    Enable {
        /// The name
        name: String,
    },
    /// Set how far a user may go with an API
    Rights {
        /// The name of the user
        name: String,
        /// The API, such as connection
        api: String,
        /// How far
        #[arg(value_parser = PossibleValuesParser::new(["none", "read", "write"]))]
        access: String,
        /// Only below this path, such as single/*; may be given several times
        #[arg(long = "path", value_name = "PATTERN")]
        paths: Vec<String>,
    },
}

/// What to do with administrators.
#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Make a user an administrator
    Grant {
        /// The name
        name: String,
    },
    /// Make an administrator an ordinary user
    Revoke {
        /// The name
        name: String,
    },
}

pub(super) async fn run(command: Command, state: &AppState, output: Output) -> anyhow::Result<()> {
    match command {
        Command::Create { name, admin, password } => {
            create(state, output, &name, admin, &password).await
        }
        Command::List { after, limit } => list(state, output, after.as_deref(), limit).await,
        Command::Show { name } => show(state, output, &name).await,
        Command::Profile { name, change } => {
            super::profile::run(state, output, &account(state, &name).await?, &change).await
        }
        Command::SetPassword { name, password } => set_password(state, &name, &password).await,
        Command::Disable { name } => disable(state, &name).await,
        Command::Enable { name } => {
            let user = account(state, &name).await?;
            state.store.set_disabled(&user.id, false).await?;
            output::message(&format!("{} may sign in again", user.username))
        }
        Command::Rights { name, api, access, paths } => {
            let access = Access::parse(&access).context("expected none, read or write")?;
            rights(state, &name, &api, access, paths).await
        }
    }
}

pub(super) async fn run_admin(command: AdminCommand, state: &AppState) -> anyhow::Result<()> {
    let (name, is_admin) = match &command {
        AdminCommand::Grant { name } => (name, true),
        AdminCommand::Revoke { name } => (name, false),
    };
    let user = account(state, name).await?;
    state.store.set_admin(&user.id, is_admin).await?;
    let what = if is_admin { "an administrator" } else { "an ordinary user" };
    output::message(&format!("{} is {what} now", user.username))
}

async fn account(state: &AppState, name: &str) -> anyhow::Result<UserAccount> {
    let found = state.store.account_by_name(name).await?;
    found.with_context(|| format!("there is no user named {name:?}; see `oauth-server user list`"))
}

async fn create(
    state: &AppState,
    output: Output,
    name: &str,
    admin: bool,
    password: &PasswordSource,
) -> anyhow::Result<()> {
    let name = check_username(name).map_err(anyhow::Error::msg)?;
    let password = password.read(&name, state.config.signup.password_length)?;
    let now = state.now();
    let new = NewUser {
        id: new_user_id(now, &*state.provider.env().random),
        username: name.clone(),
        password_hash: Some(state.passwords.hash(&password).await?),
        is_admin: admin,
        created_at: now,
    };
    let Some(id) = state.store.create_user(new).await? else {
        bail!("there is a user named {name:?} already");
    };
    let json = json!({"id": id.as_str(), "username": name, "admin": admin});
    output.data(&json, || format!("{name} made, with the id {id}"))
}

fn described(user: &UserAccount) -> Value {
    json!({
        "id": user.id.as_str(),
        "username": user.username,
        "admin": user.is_admin,
        "disabled": user.disabled,
        "created_at": date(user.created_at),
    })
}

async fn list(
    state: &AppState,
    output: Output,
    after: Option<&str>,
    limit: u64,
) -> anyhow::Result<()> {
    let users = state.store.accounts(after, limit).await?;
    let json = users.iter().map(described).collect();
    output.data(&json, || {
        let row = |u: &UserAccount| {
            vec![
                u.username.clone(),
                u.id.to_string(),
                yes(u.is_admin),
                yes(u.disabled),
                date(u.created_at),
            ]
        };
        let rows: Vec<_> = users.iter().map(row).collect();
        table(&["NAME", "ID", "ADMIN", "DISABLED", "MADE"], &rows)
    })
}

async fn show(state: &AppState, output: Output, name: &str) -> anyhow::Result<()> {
    let user = account(state, name).await?;
    let rights = state.store.rights(&user.id).await?;
    let mut json = described(&user);
    let right =
        |r: &AccessRight| json!({"api": r.api, "access": r.access.as_str(), "paths": r.paths});
    if let Some(map) = json.as_object_mut() {
        map.insert("rights".into(), rights.iter().map(right).collect());
    }
    output.data(&json, || {
        let mut text = format!(
            "name      {}\nid        {}\nadmin     {}\ndisabled  {}\nmade      {}\n",
            user.username,
            user.id,
            yes(user.is_admin),
            yes(user.disabled),
            date(user.created_at)
        );
        for right in &rights {
            let _ = writeln!(
                text,
                "right     {} {} {}",
                right.api,
                right.access.as_str(),
                right.paths.join(" ")
            );
        }
        text
    })
}

async fn set_password(
    state: &AppState,
    name: &str,
    password: &PasswordSource,
) -> anyhow::Result<()> {
    let user = account(state, name).await?;
    let password = password.read(&user.username, state.config.signup.password_length)?;
    let hash = state.passwords.hash(&password).await?;
    state.store.set_password_hash(&user.id, Some(hash)).await?;
    state.throttle.reset(&Subject::account(&user.username)).await?;
    let ended = users::cut_off(state, &user.id).await?;
    output::message(&format!(
        "password of {} replaced: {ended} sessions ended, authorizations revoked",
        user.username
    ))
}

async fn disable(state: &AppState, name: &str) -> anyhow::Result<()> {
    let user = account(state, name).await?;
    let ended = users::disable(state, &user.id).await?;
    output::message(&format!(
        "{} is locked out: {ended} sessions ended, authorizations revoked",
        user.username
    ))
}

async fn rights(
    state: &AppState,
    name: &str,
    api: &str,
    access: Access,
    paths: Vec<String>,
) -> anyhow::Result<()> {
    let known: Vec<String> = state.config.known_apis().into_iter().map(|a| a.name).collect();
    ensure!(
        known.iter().any(|k| k == api),
        "there is no API named {api:?}; there are: {}",
        known.join(", ")
    );
    let user = account(state, name).await?;
    users::set_right(state, &user.id, api, access, paths).await?;
    output::message(&format!("{} has {} on {api} now", user.username, access.as_str()))
}
