//! The command line. Data goes to standard output, messages to standard error; 0 is success, 1 a failure, 2 a
//! wrong command or configuration.

mod audit;
mod client;
mod config;
mod dns_sd;
mod keys;
mod mail;
mod output;
mod passkeys;
mod pending;
mod profile;
mod registration;
mod secret;
mod serve;
mod user;

use crate::{
    config::{Compat, Config, LogFormat, Mode, Overrides, Problems, Profile, Salt, Sources, load},
    maintenance, migration,
    state::{AppState, World},
    telemetry,
};
use anyhow::Context as _;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use output::Output;
use std::{io::Write as _, net::IpAddr, path::PathBuf, process::ExitCode};

/// An OAuth 2.0 and OpenID Connect provider with sign-up and client pages.
///
/// Without a command it serves. With nothing configured it keeps everything in ./data, listens on 127.0.0.1:4999
/// and prints where to sign up. `oauth-server config reference` describes every setting.
#[derive(Debug, Parser)]
#[command(name = "oauth-server", version)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// TOML file to read; may be given several times, later files win
    #[arg(long, value_name = "FILE", global = true, env = "OAUTH_CONFIG", value_delimiter = ',')]
    config: Vec<PathBuf>,
    /// What kind of place this is; decides which shortcuts are refused
    #[arg(long, global = true, value_enum, env = "OAUTH_MODE")]
    mode: Option<Mode>,
    /// As --mode, by the variable that some programs know
    #[arg(long, global = true, value_enum, env = "OAUTH_ENV", hide = true)]
    env: Option<Mode>,
    /// The family of standards to follow; changes defaults, and refuses what the standard forbids
    #[arg(long, global = true, value_enum, env = "OAUTH_PROFILE")]
    profile: Option<Profile>,
    /// Serve the front ends of another program, too, at its addresses and in its words
    #[arg(long, global = true, value_enum, env = "OAUTH_COMPAT")]
    compat: Option<Compat>,
    /// Address to listen on, or localhost
    #[arg(long, global = true, value_name = "ADDRESS", value_parser = address, env = "OAUTH_HOST")]
    host: Option<IpAddr>,
    /// Port to listen on
    #[arg(long, global = true, env = "OAUTH_PORT")]
    port: Option<u16>,
    /// Whether sign-in and sign-up forms of the user service arrive encrypted
    #[arg(long, visible_alias = "rsa", global = true, value_enum, env = "OAUTH_SALT")]
    salt: Option<Salt>,
    /// Whether a guest token must come with these forms: yes or no
    #[arg(long, global = true, value_name = "yes|no", value_parser = yes_or_no, env = "OAUTH_ANOJWT")]
    anojwt: Option<bool>,
    /// Shape of log lines; by default pretty on a terminal, else json
    #[arg(long, global = true, value_enum)]
    log_format: Option<LogFormat>,
    /// Least important log level: error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL")]
    log_level: Option<String>,
    /// Shape of what commands print
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Check the configuration, report everything that is wrong, and exit with 0 or 2
    #[arg(long, global = true)]
    check_config: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve (the default)
    Serve,
    /// Bring the database up to date and exit
    Migrate {
        /// Only say which steps are missing; exit with 1 when there are any
        #[arg(long)]
        dry_run: bool,
    },
    /// Look after signing keys, delete expired rows, send letters that are due, and exit
    Maintain,
    /// Users: create, list, passwords, rights
    #[command(subcommand)]
    User(user::Command),
    /// Administrators
    #[command(subcommand)]
    Admin(user::AdminCommand),
    /// Clients: create, list, show, secrets
    #[command(subcommand)]
    Client(client::Command),
    /// Registration by programs: initial access tokens
    #[command(subcommand)]
    Registration(registration::Command),
    /// The audit log: list, check
    #[command(subcommand)]
    Audit(audit::Command),
    /// How devices find the server: records for DNS
    #[command(subcommand)]
    DnsSd(dns_sd::Command),
    /// Signing keys: list, rotate, retire, import
    #[command(subcommand)]
    Keys(keys::Command),
    /// Letters: try whether they arrive, list what waits
    #[command(subcommand)]
    Mail(mail::Command),
    /// The configuration: reference, what is in effect
    #[command(subcommand)]
    Config(config::Command),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Parses the command line and does what it says.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(std::io::stderr(), "error: {e:#}");
            let misconfigured = e.is::<Problems>();
            ExitCode::from(if misconfigured { 2 } else { 1 })
        }
    }
}

impl Cli {
    fn dispatch(self) -> anyhow::Result<()> {
        let Self { global, command } = self;
        // What needs no configuration.
        match &command {
            Some(Command::Completions { shell }) => {
                let script = &mut Vec::new();
                clap_complete::generate(*shell, &mut Self::command(), "oauth-server", script);
                return output::raw(script);
            }
            Some(Command::Config(config::Command::Reference)) => {
                return output::raw(crate::config::reference().as_bytes());
            }
            _ => {}
        }
        let settings = load(&global.sources())?;
        if global.check_config {
            return output::message("the configuration is fine");
        }
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        match command {
            None | Some(Command::Serve) => serve::run(settings),
            Some(Command::Config(command)) => config::run(&command, &settings),
            Some(Command::DnsSd(command)) => dns_sd::run(&command, &settings),
            Some(command) => {
                telemetry::install(&quiet(&settings, &global).logs, telemetry::Output::Stderr);
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(command.run(settings, global.output))
            }
        }
    }
}

/// Commands other than `serve` speak of trouble only, unless asked to say more.
fn quiet(config: &Config, global: &Global) -> Config {
    let mut config = config.clone();
    if global.log_level.is_none() {
        config.logs.level = "warn".into();
    }
    config.logs.format = global.log_format.or(Some(LogFormat::Pretty));
    config
}

impl Command {
    async fn run(self, config: Config, output: Output) -> anyhow::Result<()> {
        let state = AppState::open(config, World::default()).await?;
        if let Self::Migrate { dry_run } = self {
            return migrate(&state, dry_run).await;
        }
        migration::run(&state.store).await.context("the database cannot be brought up to date")?;
        match self {
            Self::User(command) => user::run(command, &state, output).await,
            Self::Admin(command) => user::run_admin(command, &state, output).await,
            Self::Client(command) => client::run(command, &state, output).await,
            Self::Registration(command) => registration::run(command, &state, output).await,
            Self::Audit(command) => audit::run(command, &state, output).await,
            Self::Keys(command) => keys::run(command, &state, output).await,
            Self::Mail(command) => mail::run(command, &state, output).await,
            Self::Maintain => {
                maintenance::maintain_keys(&state).await?;
                let rows = maintenance::sweep(&state).await?;
                let letters = state.mail.deliver(crate::mail::MOST).await?;
                output::message(&format!(
                    "signing keys looked after, {rows} expired rows deleted, {letters} letters taken up"
                ))
            }
            Self::Serve
            | Self::Migrate { .. }
            | Self::Config(_)
            | Self::DnsSd(_)
            | Self::Completions { .. } => Ok(()),
        }
    }
}

async fn migrate(state: &AppState, dry_run: bool) -> anyhow::Result<()> {
    let missing = migration::pending(&state.store).await?;
    if missing.is_empty() {
        return output::message("the database is up to date");
    }
    if dry_run {
        output::raw(format!("{}\n", missing.join("\n")).as_bytes())?;
        anyhow::bail!("the database lacks {} steps", missing.len());
    }
    migration::run(&state.store).await?;
    output::message(&format!("{} steps taken: {}", missing.len(), missing.join(", ")))
}

impl Global {
    fn sources(&self) -> Sources {
        Sources {
            files: self.config.clone(),
            environment: std::env::vars_os().collect(),
            flags: Overrides {
                mode: self.mode.or(self.env),
                profile: self.profile,
                compat: self.compat,
                host: self.host,
                port: self.port,
                salt: self.salt,
                anojwt: self.anojwt,
                log_format: self.log_format,
                log_level: self.log_level.clone(),
            },
        }
    }
}

/// An address, or the name of this machine for itself.
fn address(text: &str) -> Result<IpAddr, std::net::AddrParseError> {
    if text == "localhost" { Ok(std::net::Ipv4Addr::LOCALHOST.into()) } else { text.parse() }
}

/// A switch, in the words of the variables of the environment.
fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" | "true" | "on" | "1" => Ok(true),
        "no" | "false" | "off" | "0" => Ok(false),
        _ => Err("expected yes or no"),
    }
}
