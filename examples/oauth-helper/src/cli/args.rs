//! What can be typed.

use crate::{
    model::{AuthMethod, Grant},
    presets::Preset,
    settings::{Backend, Settings},
};
use clap::{Args, Parser, Subcommand};
use std::{ffi::OsString, net::IpAddr, path::PathBuf};
use url::Url;

const AFTER: &str = "Exit codes: 0 done; 1 a check failed; 2 wrong use or settings; 3 no such client; 4 somebody has to \
sign in; 5 the provider refused; 6 it cannot be reached; 7 its answer is unusable; 8 something here cannot be read, \
written or locked; 9 denied, or nobody came back. curl ends with the exit code of curl.";

/// Gets, keeps and refreshes OAuth tokens for many services.
#[derive(Debug, Parser)]
#[command(name = "oauth-helper", version, after_help = AFTER, max_term_width = 100)]
pub struct Arguments {
    /// The set of clients to use.
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,
    /// A TOML file with settings.
    #[arg(long, global = true, value_name = "FILE", env = "OAUTHCLIENT_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where secrets are kept.
    #[arg(long, global = true, value_name = "KIND")]
    pub store: Option<Backend>,
    /// Print JSON, also of errors.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
}

impl Arguments {
    /// Flags win over files and variables.
    pub(super) fn apply(&self, settings: &mut Settings) {
        if let Some(profile) = &self.profile {
            settings.profile.clone_from(profile);
        }
        if let Some(store) = self.store {
            settings.store.backend = store;
        }
    }
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Which clients there are.
    Client {
        #[command(subcommand)]
        command: Box<ClientCommand>,
    },
    /// Sign in, with the browser by default.
    Login(Login),
    /// Print an access token, renewed if need be.
    Token {
        /// The client; may be left out where there is one alone.
        #[arg(env = "OAUTHCLIENT_CLIENT")]
        client: Option<String>,
        /// Get a new one, also where the present one lives.
        #[arg(long)]
        fresh: bool,
    },
    /// Print the Authorization header of a request.
    Header {
        /// The client; may be left out where there is one alone.
        #[arg(env = "OAUTHCLIENT_CLIENT")]
        client: Option<String>,
    },
    /// Run curl with the Authorization header: `oauth-helper curl CLIENT -- URL`
    Curl {
        /// The client; may be left out where there is one alone.
        #[arg(env = "OAUTHCLIENT_CLIENT")]
        client: Option<String>,
        /// What curl is given. The token is not among it: curl reads it from its configuration.
        #[arg(last = true, required = true)]
        arguments: Vec<OsString>,
    },
    /// Renew the access token now.
    Refresh {
        /// The client; may be left out where there is one alone.
        #[arg(env = "OAUTHCLIENT_CLIENT")]
        client: Option<String>,
    },
    /// Take the tokens back, at the provider and here.
    Revoke {
        /// The client; may be left out where there is one alone.
        #[arg(env = "OAUTHCLIENT_CLIENT")]
        client: Option<String>,
    },
    /// What is known of the tokens of one client, or of all. Ends with 4 where somebody has to sign in to the one.
    Status {
        /// The client.
        client: Option<String>,
    },
    /// Serve the local web page.
    Web(WebArguments),
    /// Certificates for the local web page.
    Certs(Certs),
    /// The script with which a shell completes what is typed.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum ClientCommand {
    /// Add one.
    Add {
        /// Its name here.
        name: String,
        /// The client id the provider knows it by.
        #[arg(long)]
        client_id: String,
        #[command(flatten)]
        about: About,
    },
    /// List all, or those of one service.
    List {
        /// Those of this service.
        #[arg(long)]
        service: Option<String>,
    },
    /// Show one, without secrets.
    Show {
        /// Its name or number.
        client: Option<String>,
    },
    /// Change one.
    Edit {
        /// Its name or number.
        client: String,
        /// The client id the provider knows it by.
        #[arg(long)]
        client_id: Option<String>,
        #[command(flatten)]
        about: About,
    },
    /// Give one another name.
    Rename {
        /// Its name or number.
        client: String,
        /// The new name.
        name: String,
    },
    /// Remove one: take its tokens back at the provider, then forget everything.
    #[command(alias = "remove")]
    Rm {
        /// Its name or number.
        client: String,
        /// Do not ask the provider; what it issued lives on until it ends.
        #[arg(long)]
        no_revoke: bool,
    },
    /// Read the clients of the program this one replaces.
    Import {
        /// Its file.
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct About {
    /// A provider known by name.
    #[arg(long)]
    pub(super) preset: Option<Preset>,
    /// Where the provider of the preset is.
    #[arg(long)]
    pub(super) url: Option<String>,
    /// Which tenant, of Microsoft.
    #[arg(long)]
    pub(super) tenant: Option<String>,
    /// The service it belongs to.
    #[arg(long)]
    pub(super) service: Option<String>,
    /// The issuer, whose metadata names the endpoints.
    #[arg(long)]
    pub(super) issuer: Option<String>,
    /// The authorization endpoint, where it is not in metadata.
    #[arg(long, value_name = "URL")]
    pub(super) authorization_endpoint: Option<Url>,
    /// The token endpoint.
    #[arg(long, value_name = "URL")]
    pub(super) token_endpoint: Option<Url>,
    /// The device authorization endpoint.
    #[arg(long, value_name = "URL")]
    pub(super) device_endpoint: Option<Url>,
    /// The revocation endpoint.
    #[arg(long, value_name = "URL")]
    pub(super) revocation_endpoint: Option<Url>,
    /// How it gets tokens.
    #[arg(long)]
    pub(super) grant: Option<Grant>,
    /// How it proves who it is. By default with its secret in the header, where it has one.
    #[arg(long)]
    pub(super) auth: Option<AuthMethod>,
    /// The scope to ask for, with spaces.
    #[arg(long)]
    pub(super) scope: Option<String>,
    /// Ask for the client secret.
    #[arg(long, conflicts_with = "secret_file")]
    pub(super) secret: bool,
    /// A file with the client secret; - reads it from standard input.
    #[arg(long, value_name = "FILE")]
    pub(super) secret_file: Option<PathBuf>,
    /// A file with the private key in PEM, for `private_key_jwt`.
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
    /// The name of that key at the provider.
    #[arg(long, value_name = "KID")]
    pub(super) key_id: Option<String>,
    /// The redirect URI the provider knows.
    #[arg(long, value_name = "URL")]
    pub(super) redirect_url: Option<Url>,
    /// The port to listen on at a login, for providers that compare ports.
    #[arg(long, value_name = "PORT")]
    pub(super) login_port: Option<u16>,
    /// One more parameter of the authorization request; may be given several times. An empty value removes it.
    #[arg(long = "auth-param", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) auth_params: Vec<(String, String)>,
    /// One more parameter of the token request.
    #[arg(long = "token-param", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) token_params: Vec<(String, String)>,
    /// One more parameter of the refresh request.
    #[arg(long = "refresh-param", value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) refresh_params: Vec<(String, String)>,
    /// Whether refresh tokens are used.
    #[arg(long, value_name = "YES")]
    pub(super) use_refresh: Option<bool>,
    /// Allow the password grant, which gives the password to this program and which RFC 9700 forbids.
    #[arg(long)]
    pub(super) insecure_password_grant: bool,
    /// Allow plain http beyond this machine, where everybody on the way reads the tokens.
    #[arg(long)]
    pub(super) insecure_http: bool,
    /// Do not read the metadata now.
    #[arg(long)]
    pub(super) offline: bool,
}

#[derive(Debug, Args)]
pub(super) struct Login {
    /// The client; may be left out where there is one alone.
    #[arg(env = "OAUTHCLIENT_CLIENT")]
    pub(super) client: Option<String>,
    /// Print the address instead of opening a browser, and take the address it was sent to, pasted.
    #[arg(long)]
    pub(super) no_browser: bool,
    /// Sign in on another device, where the provider can do that.
    #[arg(long, conflicts_with = "no_browser")]
    pub(super) device: bool,
    /// The port to listen on. By default one that is free.
    #[arg(long)]
    pub(super) port: Option<u16>,
    /// How long to wait for somebody to come back, in seconds.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) timeout: u64,
    /// Send a user name and a password, for a client that allows it. RFC 9700 forbids it.
    #[arg(long, requires = "username", conflicts_with_all = ["no_browser", "device"])]
    pub(super) insecure_password_grant: bool,
    /// The user name of the password grant.
    #[arg(long, requires = "insecure_password_grant")]
    pub(super) username: Option<String>,
    /// A file with the password; - reads it from standard input. By default it is asked for.
    #[arg(long, value_name = "FILE", requires = "insecure_password_grant")]
    pub(super) password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct WebArguments {
    /// Where to listen.
    #[arg(long)]
    pub(super) host: Option<IpAddr>,
    /// Where to listen.
    #[arg(long)]
    pub(super) port: Option<u16>,
    /// One more name under which the page is asked for, as HOST:PORT.
    #[arg(long = "allowed-host", value_name = "HOST:PORT")]
    pub(super) allowed_hosts: Vec<String>,
    /// Let other machines reach the page. It then asks for an access key.
    #[arg(long)]
    pub(super) danger_not_loopback: bool,
}

#[derive(Debug, Args)]
pub(super) struct Certs {
    #[command(subcommand)]
    pub(super) command: CertsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum CertsCommand {
    /// Make a certificate, signed by itself, and its key.
    Generate {
        /// The folder for certificate.pem and privkey.pem.
        #[arg(long, default_value = ".")]
        folder: PathBuf,
        /// A name or address it is for; may be given several times.
        #[arg(long = "host", default_values = ["127.0.0.1", "::1", "localhost"])]
        hosts: Vec<String>,
        /// Replace what is there.
        #[arg(long)]
        force: bool,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn s3_24_a_token_cannot_be_typed() {
        // Arguments are seen by everybody on the machine. No command takes a secret as one.
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments() {
                let id = argument.get_id().as_str();
                let secret = ["secret", "password", "token", "passphrase"].contains(&id);
                assert!(!secret || !argument.get_action().takes_values(), "{id}");
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&Arguments::command());
    }
}
