//! From the words of the configuration to the values of the library.

use crate::{
    config::{AssertionAudience, ClientEntry, Config, Format, Pkce, ResourceEntry},
    nmos,
    registration::{ClientDraft, Objection},
    sign_in::ACR_VALUES,
};
use oauth_core::{
    config::{self as policy, PkcePolicy, Policy},
    grants::{self, Grants, Implicit, Password},
    model::{Resource, SigningAlgorithm, TokenFormat},
};
use std::time::Duration;

/// For how long after the end of a session its clients can still be told, should this server not run meanwhile.
const TO_BE_TOLD: Duration = Duration::from_hours(24);

/// What the operator decided, as the library takes it.
pub fn policy(config: &Config) -> Policy {
    let tokens = &config.tokens;
    let mut policy = Policy {
        access_token_format: match tokens.access_token_format {
            Format::Jwt => TokenFormat::Jwt(tokens.access_token_algorithm),
            Format::Opaque => TokenFormat::Opaque,
        },
        access_token_ttl: tokens.access_token_ttl,
        access_token_max_ttl: tokens.access_token_max_ttl,
        code_ttl: tokens.code_ttl,
        interaction_ttl: tokens.interaction_ttl,
        refresh_token_ttl: tokens.refresh_token_ttl,
        refresh_token_max_age: tokens.refresh_token_max_age,
        refresh_retry_window: tokens.refresh_retry_window,
        pkce: match config.grants.pkce {
            Pkce::Everybody => PkcePolicy::Everybody,
            Pkce::PublicClients => PkcePolicy::PublicClients,
        },
        danger_plain_pkce: config.grants.danger_plain_pkce,
        algorithms: config.keys.algorithms.clone(),
        key_lifetime: config.keys.rotate_every,
        key_publish_lead: config.keys.publish_lead,
        openid: config.openid.enabled,
        id_token_ttl: config.openid.id_token_ttl,
        acr_values: ACR_VALUES.map(str::to_owned).into(),
        session_ttl: config.sessions.max_age + TO_BE_TOLD,
        assertion_audience: match config.openid.assertion_audience {
            AssertionAudience::IssuerOrEndpoint => policy::AssertionAudience::IssuerOrEndpoint,
            AssertionAudience::Issuer => policy::AssertionAudience::Issuer,
        },
        ..Policy::default()
    };
    if config.profile().is_nmos() {
        nmos::apply(config, &mut policy);
    }
    policy
}

/// A form of tokens; an algorithm alone means a JWT.
pub fn format(
    config: &Config,
    format: Option<Format>,
    algorithm: Option<SigningAlgorithm>,
) -> Option<TokenFormat> {
    let jwt = || TokenFormat::Jwt(algorithm.unwrap_or(config.tokens.access_token_algorithm));
    match (format, algorithm) {
        (Some(Format::Opaque), _) => Some(TokenFormat::Opaque),
        (Some(Format::Jwt), _) | (None, Some(_)) => Some(jwt()),
        (None, None) => None,
    }
}

/// A protected resource of the configuration.
pub fn resource(config: &Config, entry: &ResourceEntry) -> Option<Resource> {
    Some(Resource {
        uri: entry.uri.clone()?,
        access_token_format: format(
            config,
            entry.access_token_format,
            entry.access_token_algorithm,
        ),
        access_token_ttl: entry.access_token_ttl,
        scope: entry.scope.clone(),
    })
}

/// The grants that are on, as [`AppState`](crate::state::AppState) gives them to the library.
pub fn grants(config: &Config) -> Grants {
    let mut all = grants::standard();
    if config.grants.danger_implicit {
        all.push(Box::new(Implicit));
    }
    if config.grants.danger_password {
        all.push(Box::new(Password));
    }
    Grants::new(all, config.openid.enabled)
}

/// A client of the configuration, to be checked by the rules for every client.
pub fn draft(config: &Config, entry: &ClientEntry) -> Result<ClientDraft, Vec<Objection>> {
    let form = format(config, entry.access_token_format, entry.access_token_algorithm);
    ClientDraft {
        name: entry.name.clone().unwrap_or_else(|| entry.id.clone()),
        uri: entry.uri.clone().unwrap_or_default(),
        scope: entry.scope.to_string(),
        redirect_uris: entry.redirect_uris.iter().map(ToString::to_string).collect(),
        grant_types: entry.grant_types.clone(),
        response_types: entry.response_types.clone(),
        auth_method: entry.auth_method.to_string(),
        access_token_format: format_choice(form),
        access_token_ttl: entry
            .access_token_ttl
            .map_or_else(String::new, |ttl| ttl.as_secs().to_string()),
        ..ClientDraft::default()
    }
    .with_metadata(&entry.metadata.0)
}

/// The form of access tokens as [`ClientDraft`] takes it.
pub fn format_choice(format: Option<TokenFormat>) -> String {
    match format {
        None => String::new(),
        Some(TokenFormat::Opaque) => Format::Opaque.to_string(),
        Some(TokenFormat::Jwt(algorithm)) => algorithm.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_those_of_the_library() {
        // What depends on the sessions is the server's own.
        let session_ttl = Config::default().sessions.max_age + TO_BE_TOLD;
        let acr_values = ACR_VALUES.map(str::to_owned).into();
        let library = Policy { session_ttl, acr_values, ..Policy::default() };
        assert_eq!(format!("{:?}", policy(&Config::default())), format!("{library:?}"));
    }
}
