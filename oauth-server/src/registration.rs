//! Registering clients on this server: by the rules of the library, with what the configuration says.

pub use oauth_core::registration::{
    CheckedClient, ClientDraft, Field, Objection, Registered, Rules, rotate_secret,
};

pub(crate) use oauth_core::registration::{has_private_key, is_deceptive, is_web_address};

use crate::{
    admin_api,
    config::{Config, RegistrationMode},
    front, policy,
    state::AppState,
};
use anyhow::Context as _;
use oauth_core::{error::PortError, grants::Grants, model::UserId};

/// More clients than anybody makes by hand.
pub(crate) const MOST_CLIENTS: usize = 100;

/// Whether a user may have one more client.
pub(crate) async fn has_room(state: &AppState, user: &UserId) -> Result<bool, PortError> {
    let clients = state.provider.env().clients.clients_of(user).await?;
    Ok(clients.len() < MOST_CLIENTS)
}

/// What may be registered on a server with these grants and this configuration, whoever registers.
pub fn rules(grants: &Grants, config: &Config) -> Rules {
    let scopes = config.known_scopes().into_iter().map(|scope| scope.name);
    let mut rules = Rules::new(grants, &policy::policy(config)).scopes(scopes);
    rules.danger_loopback = config.registration.danger_loopback;
    rules
}

/// The same for those who register at the endpoint: scopes that name no right of anybody are theirs unasked, trusted
/// issuers may speak for them, and strangers get nothing that no user gives them.
pub fn rules_for_strangers(grants: &Grants, config: &Config) -> anyhow::Result<Rules> {
    let mut rules = rules(grants, config);
    let apis: Vec<_> = config.known_apis().into_iter().map(|api| api.name).collect();
    // Nobody gets to be an administrator by registering.
    rules.scopes.remove(admin_api::SCOPE);
    rules.default_scopes =
        usual_scopes(config).into_iter().filter(|scope| !apis.contains(scope)).collect();
    if config.registration.mode == RegistrationMode::Open {
        // Whoever comes along must not get tokens of its own for an API: what it gets, a user gives it.
        rules.grant_types.retain(|grant| !["client_credentials", "password"].contains(grant));
    }
    for entry in &config.statement_issuers {
        let path = &entry.jwks_file;
        let text = std::fs::read(path).with_context(|| {
            format!("{} cannot be read (software_statement_issuer)", path.display())
        })?;
        let set = serde_json::from_slice(&text)
            .with_context(|| format!("{} is not a JWK set", path.display()))?;
        rules.statement_issuers.insert(entry.issuer.clone(), set);
    }
    Ok(rules)
}

/// What a client may ask for where nobody says what: everything but what reaches all people, which somebody has to want.
pub(crate) fn usual_scopes(config: &Config) -> Vec<String> {
    let reaches_all =
        |name: &str| name == admin_api::SCOPE || config.bff.api_v1 && name == front::USERS_READ;
    let names = config.known_scopes().into_iter().map(|scope| scope.name);
    names.filter(|name| !reaches_all(name)).collect()
}
