//! `oauth-helper client`: which clients there are.

use super::{
    Context,
    args::{About, ClientCommand},
    output::{ask_secret, read_line, say},
};
use crate::{
    client::{Age, Revoked, discovered},
    clock::readable,
    error::{Error, Result},
    files, legacy,
    model::{AuthMethod, Client, Credentials},
    secret::Secret,
    settings::read_secret,
    wire::parse_key,
};
use serde_json::json;
use std::{fmt::Write as _, path::Path, process::ExitCode};

pub(super) async fn run(context: &Context, command: ClientCommand) -> Result<ExitCode> {
    match command {
        ClientCommand::Add { name, client_id, about } => {
            context.add(&name, &client_id, about).await
        }
        ClientCommand::List { service } => context.list(service.as_deref()).await,
        ClientCommand::Show { client } => context.show(client.as_deref()).await,
        ClientCommand::Edit { client, client_id, about } => {
            context.edit(&client, client_id, about).await
        }
        ClientCommand::Rename { client, name } => context.rename(&client, name).await,
        ClientCommand::Rm { client, no_revoke } => context.rm(&client, no_revoke).await,
        ClientCommand::Import { file } => {
            let file = file.unwrap_or_else(|| context.old_cache());
            let bytes = files::read(&file)?
                .ok_or_else(|| Error::Invalid(format!("{} is not there", file.display())))?;
            context.import(&bytes).await
        }
    }
}

impl Context {
    async fn add(&self, name: &str, client_id: &str, about: About) -> Result<ExitCode> {
        let mut client = Client::new(name, client_id);
        let credentials = credentials(&about, Credentials::default())?;
        client.auth = usual_method(&credentials);
        let offline = about.offline;
        apply(&mut client, about)?;
        client.check()?;
        complete(&client, &credentials)?;
        let added = self.store.add(client, &credentials).await?;
        let note = self.look(&added, offline).await;
        let text = format!("added {} (number {}){note}", added.name, added.id);
        self.out.print(&text, &json!({ "id": added.id, "name": added.name }))
    }

    /// Reads the metadata, so that a mistyped address is noticed at once. It need not be there yet.
    async fn look(&self, client: &Client, offline: bool) -> String {
        if offline || client.issuer.is_none() {
            return String::new();
        }
        match discovered(&self.store, client.clone(), Age::Any).await {
            Ok(_) => String::new(),
            Err(e) => {
                say(&format!("warning: {e}; it is asked again at the next login"));
                String::new()
            }
        }
    }

    async fn list(&self, service: Option<&str>) -> Result<ExitCode> {
        let clients = self.store.list().await?;
        let shown: Vec<_> =
            clients.iter().filter(|c| service.is_none_or(|s| c.service == s)).collect();
        let mut rows = vec![["ID", "SERVICE", "NAME", "STATE", "EXPIRES"].map(str::to_owned)];
        let mut values = Vec::new();
        for client in shown {
            let status = self.store.client(&client.id.to_string()).await?.status().await?;
            let expires = status.expires_at.map_or_else(|| "-".into(), readable);
            rows.push([
                client.id.to_string(),
                client.service.clone(),
                client.name.clone(),
                status.state.text().into(),
                expires,
            ]);
            values.push(json!({ "id": client.id, "service": client.service, "name": client.name, "status": status }));
        }
        let text = if values.is_empty() { "there is no client".into() } else { table(&rows) };
        self.out.print(&text, &json!(values))
    }

    async fn show(&self, which: Option<&str>) -> Result<ExitCode> {
        let client = self.which(which).await?;
        let info = client.info().await?;
        let credentials = self.store.credentials(info.id).await?;
        let status = client.status().await?;
        let value = json!({
            "client": info,
            "status": status,
            "has_secret": credentials.secret.is_some(),
            "has_key": credentials.key.is_some(),
        });
        let mut text = serde_json::to_string_pretty(&value).unwrap_or_default();
        text.push('\n');
        self.out.print(&text, &value)
    }

    async fn edit(&self, which: &str, client_id: Option<String>, about: About) -> Result<ExitCode> {
        let client = self.store.find(which).await?;
        let before = self.store.credentials(client.id).await?;
        let secrets = credentials(&about, before.clone())?;
        let offline = about.offline;
        let gained = secrets != before && about.auth.is_none() && client.auth == AuthMethod::None;
        let method = usual_method(&secrets);
        let checked = secrets.clone();
        let edited = self
            .store
            .edit(client.id, move |client| {
                if let Some(id) = client_id {
                    client.client_id = id;
                }
                if gained {
                    client.auth = method;
                }
                apply(client, about)?;
                complete(client, &checked)
            })
            .await?;
        if secrets != before {
            self.store.save_credentials(edited.id, &secrets).await?;
        }
        self.look(&edited, offline).await;
        self.out.print(
            &format!("changed {}", edited.name),
            &json!({ "id": edited.id, "name": edited.name }),
        )
    }

    async fn rename(&self, which: &str, name: String) -> Result<ExitCode> {
        let client = self.store.find(which).await?;
        let old = client.name.clone();
        let renamed = self
            .store
            .edit(client.id, move |client| {
                client.name = name;
                Ok(())
            })
            .await?;
        let text = format!("{old} is called {} now", renamed.name);
        self.out.print(&text, &json!({ "id": renamed.id, "name": renamed.name }))
    }

    async fn rm(&self, which: &str, no_revoke: bool) -> Result<ExitCode> {
        let client = self.store.client(which).await?;
        let revoked = if no_revoke {
            Revoked::Nothing
        } else {
            client.revoke().await.inspect_err(|_| {
                say("nothing was removed; with --no-revoke it is removed from this machine alone");
            })?
        };
        self.store.remove(client.id()).await?;
        let text = format!("removed {}{}", client.name(), super::tokens::revoked_text(revoked));
        self.out.print(
            &text,
            &json!({ "removed": client.name(), "revoked": revoked == Revoked::Everywhere }),
        )
    }

    pub(super) fn old_cache(&self) -> std::path::PathBuf {
        self.folders.home.join(".oauth_token_cache.json")
    }

    /// Reads the clients of the old program at the first use, where there are some. Its file stays as it is.
    pub(super) async fn migrate(&self) -> Result<()> {
        let file = self.settings.metadata_file(&self.folders);
        let configured = files::read(&file)?;
        if let Some(bytes) = configured {
            let is_old = serde_json::from_slice(&bytes).is_ok_and(|v| legacy::is_legacy(&v));
            return if is_old { self.convert(&file, &bytes).await } else { Ok(()) };
        }
        if self.settings.oauth.token_cache.is_some() || self.settings.profile != "default" {
            return Ok(());
        }
        if let Some(bytes) = files::read(&self.old_cache())?
            && serde_json::from_slice(&bytes).is_ok_and(|v| legacy::is_legacy(&v))
        {
            let count = self.take(&bytes).await?;
            say(&format!("read {count} clients from {}", self.old_cache().display()));
        }
        Ok(())
    }

    /// The configured file is one of the old program: it is kept under another name.
    async fn convert(&self, file: &Path, bytes: &[u8]) -> Result<()> {
        let mut kept = file.as_os_str().to_owned();
        kept.push(".old");
        let kept = std::path::PathBuf::from(kept);
        legacy::read(bytes)?;
        files::replace(&kept, bytes)?;
        files::remove(file)?;
        let count = self.take(bytes).await?;
        say(&format!(
            "read {count} clients of an older program; its file is now {}",
            kept.display()
        ));
        Ok(())
    }

    async fn import(&self, bytes: &[u8]) -> Result<ExitCode> {
        let count = self.take(bytes).await?;
        self.out.print(&format!("read {count} clients"), &json!({ "imported": count }))
    }

    async fn take(&self, bytes: &[u8]) -> Result<usize> {
        let mut count = 0;
        let mut added = Vec::new();
        let known = self.store.list().await?;
        for mut old in legacy::read(bytes)? {
            // Reading the same file twice must not double everything.
            let again = known.iter().any(|k| {
                k.client_id == old.client.client_id
                    && k.endpoints.authorization == old.client.endpoints.authorization
            });
            if again {
                continue;
            }
            while known.iter().any(|k| k.name == old.client.name) {
                old.client.name.push_str("-old");
            }
            if old.client.endpoints.token.is_none() {
                say(&format!("{} has no token endpoint and is left out", old.client.name));
                continue;
            }
            added.push((old.old_id, self.store.add(old.client, &old.credentials).await?));
            count += 1;
        }
        self.take_tokens(&added).await;
        Ok(count)
    }

    /// What the old program kept of these in Redis, where that is known. Without it somebody signs in again.
    #[cfg(feature = "redis")]
    async fn take_tokens(&self, added: &[(String, Client)]) {
        if added.is_empty() {
            return;
        }
        let Some(opened) = self.settings.old_tokens().await else { return };
        let taken = async {
            let old = opened?;
            let mut taken = 0;
            for (old_id, client) in added {
                if let Some(record) = old.find(old_id, client, self.store.now()).await? {
                    self.store.restore(client.id, &record).await?;
                    taken += 1;
                }
            }
            Ok::<usize, Error>(taken)
        };
        match taken.await {
            Ok(0) => {}
            Ok(count) => say(&format!(
                "took the tokens of {count} clients from Redis; what the old program keeps there is not sealed: delete it when nothing uses it any more"
            )),
            Err(e) => say(&format!("warning: tokens of the old program were not taken: {e}")),
        }
    }

    #[cfg(not(feature = "redis"))]
    async fn take_tokens(&self, _: &[(String, Client)]) {}
}

/// The method that goes with what there is to prove oneself with.
const fn usual_method(credentials: &Credentials) -> AuthMethod {
    match (&credentials.secret, &credentials.key) {
        (_, Some(_)) => AuthMethod::PrivateKeyJwt,
        (Some(_), None) => AuthMethod::ClientSecretBasic,
        (None, None) => AuthMethod::None,
    }
}

/// Whether there is what the method needs.
fn complete(client: &Client, credentials: &Credentials) -> Result<()> {
    let missing = match client.auth {
        AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {
            credentials.secret.is_none()
        }
        AuthMethod::PrivateKeyJwt => credentials.key.is_none(),
        AuthMethod::None => false,
    };
    if !missing {
        return Ok(());
    }
    Err(Error::Invalid(match client.auth {
        AuthMethod::PrivateKeyJwt => "this method needs --key-file".into(),
        _ => {
            "this method needs the client secret: --secret or --secret-file (or --auth none)".into()
        }
    }))
}

fn credentials(about: &About, mut credentials: Credentials) -> Result<Credentials> {
    if about.secret {
        credentials.secret = Some(ask_secret("Client secret: ")?);
    }
    if let Some(file) = &about.secret_file {
        credentials.secret = Some(secret_from(file)?);
    }
    if let Some(file) = &about.key_file {
        let bytes = files::read_private(file)?
            .ok_or_else(|| Error::Invalid(format!("{} is not there", file.display())))?;
        let key = Secret::new(String::from_utf8_lossy(&bytes).into_owned());
        if parse_key(&key).is_none() {
            return Err(Error::Invalid(format!(
                "{} is no private key in PEM that can be used (RSA, P-256 or Ed25519)",
                file.display()
            )));
        }
        credentials.key = Some(key);
    }
    if let Some(id) = &about.key_id {
        credentials.key_id = Some(id.clone()).filter(|id| !id.is_empty());
    }
    Ok(credentials)
}

/// A secret from a file, or from standard input.
pub(super) fn secret_from(file: &Path) -> Result<Secret> {
    if file != Path::new("-") {
        return read_secret(file);
    }
    let line = read_line()?;
    if line.is_empty() {
        return Err(Error::Invalid("standard input is empty".into()));
    }
    Ok(Secret::new(line))
}

/// Changes what was given and leaves the rest.
fn apply(client: &mut Client, about: About) -> Result<()> {
    fn set<T>(target: &mut T, value: Option<T>) {
        if let Some(value) = value {
            *target = value;
        }
    }
    if let Some(preset) = about.preset {
        let method = client.auth;
        preset.apply(client, about.url.as_deref(), about.tenant.as_deref())?;
        // A preset knows how a secret is sent, not whether there is one.
        if matches!(method, AuthMethod::None | AuthMethod::PrivateKeyJwt) {
            client.auth = method;
        }
        if client.service == client.name {
            preset.name().clone_into(&mut client.service);
        }
    } else if about.url.is_some() || about.tenant.is_some() {
        return Err(Error::Invalid("--url and --tenant belong to --preset".into()));
    }
    set(&mut client.service, about.service);
    set(&mut client.issuer, about.issuer.map(|i| Some(i).filter(|i| !i.is_empty())));
    set(&mut client.endpoints.authorization, about.authorization_endpoint.map(Some));
    set(&mut client.endpoints.token, about.token_endpoint.map(Some));
    set(&mut client.endpoints.device_authorization, about.device_endpoint.map(Some));
    set(&mut client.endpoints.revocation, about.revocation_endpoint.map(Some));
    set(&mut client.grant, about.grant);
    set(&mut client.auth, about.auth);
    set(&mut client.scope, about.scope);
    set(&mut client.redirect_url, about.redirect_url.map(Some));
    set(&mut client.login_port, about.login_port.map(|p| Some(p).filter(|p| *p != 0)));
    set(&mut client.use_refresh, about.use_refresh);
    client.insecure_password_grant |= about.insecure_password_grant;
    client.insecure_http |= about.insecure_http;
    let params = &mut client.params;
    for (target, given) in [
        (&mut params.authorization, about.auth_params),
        (&mut params.token, about.token_params),
        (&mut params.refresh, about.refresh_params),
    ] {
        for (name, value) in given {
            if value.is_empty() {
                target.remove(&name);
            } else {
                target.insert(name, value);
            }
        }
    }
    Ok(())
}

/// Columns, each as wide as its widest cell.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (width, cell) in widths.iter().zip(row) {
            write!(line, "{cell:width$}  ").ok();
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
