//! What may be registered on one server.

use crate::config::Config;
use oauth_core::{grants::Grants, model::SigningAlgorithm};
use std::{collections::BTreeSet, time::Duration};

/// What may be registered: read from the registry of grants and from the configuration, so that it is what the
/// server can do.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(super) grant_types: Vec<&'static str>,
    /// Response types with the grant type each belongs to.
    pub(super) response_types: Vec<(&'static str, &'static str)>,
    pub(super) scopes: BTreeSet<String>,
    pub(super) algorithms: Vec<SigningAlgorithm>,
    pub(super) longest_ttl: Duration,
}

impl Rules {
    /// The rules of a server with these grants and this configuration.
    pub fn new(grants: &Grants, config: &Config) -> Self {
        let response_types = grants
            .response_types()
            .filter_map(|r| Some((r, grants.of_response_type(r)?.grant_type())))
            .collect();
        Self {
            grant_types: grants.grant_types().collect(),
            response_types,
            scopes: config.known_scopes().into_iter().map(|s| s.name).collect(),
            algorithms: config.keys.algorithms.clone(),
            longest_ttl: config.tokens.access_token_max_ttl,
        }
    }

    /// The grant types there are.
    pub fn grant_types(&self) -> &[&'static str] {
        &self.grant_types
    }

    /// The response types there are.
    pub fn response_types(&self) -> impl Iterator<Item = &'static str> {
        self.response_types.iter().map(|(response_type, _)| *response_type)
    }

    /// The response types of a grant type.
    pub(super) fn responses_of(&self, grant_type: &str) -> impl Iterator<Item = &'static str> {
        let own = move |pair: &&(&'static str, &'static str)| pair.1 == grant_type;
        self.response_types.iter().filter(own).map(|pair| pair.0)
    }

    /// The algorithms there are keys for.
    pub fn algorithms(&self) -> &[SigningAlgorithm] {
        &self.algorithms
    }
}
