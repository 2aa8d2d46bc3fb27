//! `oauth-server user` and `oauth-server admin`.

use super::{
    output::{self, Output, date, table, yes},
    secret::PasswordSource,
};
use crate::{
    access_rights,
    activity::{self, Deed, What},
    administration::users,
    audit::{Entry, Kind},
    credentials::{check_email, check_username},
    state::AppState,
    throttle::Subject,
};
use anyhow::{Context as _, anyhow, bail, ensure};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
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
        #[command(flatten)]
        more: More,
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
    /// Take a user's second factor away, for whoever lost the app and the recovery codes
    ResetSecondFactor {
        /// The name
        name: String,
    },
    /// Look after what a user signs in with in place of a password
    Passkeys {
        #[command(subcommand)]
        command: super::passkeys::Command,
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
        /// Write only below this path, where that is not where reading is allowed; may be given several times
        #[arg(long = "write-path", value_name = "PATTERN")]
        write_paths: Vec<String>,
    },
}

/// What else a new user has.
#[derive(Debug, Args)]
pub(super) struct More {
    /// The e-mail address, which counts as confirmed: you vouch for it
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Make the user one of the staff, who look after the others
    #[arg(long)]
    staff: bool,
}

/// What to do with administrators.
#[derive(Debug, Subcommand)]
pub(super) enum AdminCommand {
    /// Make a user who is an administrator
    Create {
        /// The name to sign in with
        name: String,
        #[command(flatten)]
        more: More,
        #[command(flatten)]
        password: PasswordSource,
    },
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
        Command::Create { name, more, admin, password } => {
            create(state, output, &name, (&more, admin), &password).await
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
        Command::ResetSecondFactor { name } => {
            let user = account(state, &name).await?;
            let entry = Entry::new(Kind::FactorsReset);
            let detail = format!("for {}, at the command line", user.id);
            state.audit.write(entry.detail(detail)).await?;
            let had = state.second_factor.remove(&user.id).await?;
            if had {
                let deed = Deed::of_operator(What::SecondFactorRemoved);
                activity::note(state, &user.id, deed).await;
            }
            let what =
                if had { "signs in with the password alone" } else { "had no second factor" };
            output::message(&format!("{} {what}", user.username))
        }
        Command::Passkeys { command } => {
            let user = account(state, command.user()).await?;
            super::passkeys::run(&command, state, output, &user).await
        }
        Command::Rights { name, api, access, paths, write_paths } => {
            let access = Access::parse(&access).context("expected none, read or write")?;
            let user = account(state, &name).await?;
            let right = AccessRight::new(user.id.clone(), api, access);
            rights(state, &user, AccessRight { paths, write_paths, ..right }).await
        }
    }
}

pub(super) async fn run_admin(
    command: AdminCommand,
    state: &AppState,
    output: Output,
) -> anyhow::Result<()> {
    let (name, is_admin) = match &command {
        AdminCommand::Create { name, more, password } => {
            return create(state, output, name, (more, true), password).await;
        }
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
    (more, admin): (&More, bool),
    password: &PasswordSource,
) -> anyhow::Result<()> {
    let name = check_username(name).map_err(anyhow::Error::msg)?;
    let email = more.email.as_deref().map(check_email).transpose().map_err(anyhow::Error::msg)?;
    let password = password.read(&name, state.config.signup.password_length)?;
    let now = state.now();
    let new = NewUser {
        password_hash: Some(state.passwords.hash(&password).await?),
        email_verified: email.is_some(),
        email,
        is_admin: admin,
        is_staff: more.staff,
        ..NewUser::new(new_user_id(now, &*state.provider.env().random), name.clone(), now)
    };
    let json = json!({"username": name, "email": new.email, "admin": admin, "staff": more.staff});
    let Some(id) = state.store.create_user(new).await? else {
        bail!("there is a user of that name or address already: {name:?}");
    };
    let mut json = json;
    if let Some(map) = json.as_object_mut() {
        map.insert("id".into(), id.as_str().into());
    }
    output.data(&json, || format!("{name} made, with the id {id}"))
}

fn described(user: &UserAccount) -> Value {
    json!({
        "id": user.id.as_str(),
        "username": user.username,
        "email": user.email,
        "email_verified": user.email_verified,
        "role": user.role().as_str(),
        "admin": user.is_admin,
        "staff": user.is_staff,
        "disabled": user.disabled,
        "created_at": date(user.created_at),
    })
}

/// The address of a user, with what there is to say about it.
fn email(user: &UserAccount) -> String {
    match &user.email {
        Some(email) if user.email_verified => email.clone(),
        Some(email) => format!("{email} (not confirmed)"),
        None => "-".into(),
    }
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
                email(u),
                u.role().as_str().into(),
                yes(u.disabled),
                date(u.created_at),
            ]
        };
        let rows: Vec<_> = users.iter().map(row).collect();
        table(&["NAME", "ID", "EMAIL", "ROLE", "DISABLED", "MADE"], &rows)
    })
}

async fn show(state: &AppState, output: Output, name: &str) -> anyhow::Result<()> {
    let user = account(state, name).await?;
    let rights = state.store.rights(&user.id).await?;
    let mut json = described(&user);
    if let Some(map) = json.as_object_mut() {
        map.insert("rights".into(), rights.iter().map(access_rights::described).collect());
    }
    output.data(&json, || {
        let mut text = format!(
            "name      {}\nid        {}\nemail     {}\nrole      {}\nadmin     {}\ndisabled  {}\nmade      {}\n",
            user.username,
            user.id,
            email(&user),
            user.role().as_str(),
            yes(user.is_admin),
            yes(user.disabled),
            date(user.created_at)
        );
        for right in &rights {
            let _ = writeln!(text, "right     {}", access_rights::words(right));
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
    let ended = users::set_password(state, &user.id, hash).await?;
    state.throttle.reset(&Subject::account(&user.username)).await?;
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

async fn rights(state: &AppState, user: &UserAccount, right: AccessRight) -> anyhow::Result<()> {
    let (api, access) = (right.api.clone(), right.access);
    let known: Vec<String> = state.config.known_apis().into_iter().map(|a| a.name).collect();
    ensure!(known.contains(&api), "there is no API named {api:?}; there are: {}", known.join(", "));
    ensure!(
        right.write_paths.is_empty() || access == Access::Write,
        "--write-path is for those who may write"
    );
    let rights = state.store.rights(&user.id).await?;
    let others: Vec<_> = rights.into_iter().filter(|right| right.api != api).collect();
    let right = access_rights::check(right, &others).map_err(|what| anyhow!("{what}"))?;
    let detail = format!("{}, for {}, at the command line", access_rights::words(&right), user.id);
    state.audit.write(Entry::new(Kind::RightSet).scope(&api).detail(detail)).await?;
    users::set_right(state, right).await?;
    output::message(&format!("{} has {} on {api} now", user.username, access.as_str()))
}
