//! Registration, where clients may register themselves.

use super::Provider;
use crate::{
    endpoints::{self, RegistrationRefused, RegistrationResponse},
    error::{ErrorCode, OAuthError},
    ports::{Event, Registrars},
    registration::Rules,
};
use std::sync::Arc;

/// By which rules, and who may.
pub(super) struct Registration {
    pub(super) rules: Rules,
    pub(super) registrars: Arc<dyn Registrars>,
}

impl Provider {
    /// Whether clients can be registered at an endpoint.
    pub fn can_register(&self) -> bool {
        self.0.registration.is_some()
    }

    /// The client registration endpoint ([RFC 7591 3](https://www.rfc-editor.org/rfc/rfc7591#section-3)): the JSON
    /// object of a request with this initial access token.
    pub async fn register(
        &self,
        initial_access_token: Option<&str>,
        body: &[u8],
    ) -> Result<RegistrationResponse, RegistrationRefused> {
        let outcome = async {
            let Registration { rules, registrars } = self.registering()?;
            let env = &self.0.env;
            endpoints::register(env, rules, &**registrars, initial_access_token, body).await
        };
        self.heard_registration(outcome.await)
    }

    /// Reading one's own registration ([RFC 7592 2.1](https://www.rfc-editor.org/rfc/rfc7592#section-2.1)) with its
    /// registration access token.
    pub async fn registration(
        &self,
        client_id: &str,
        token: Option<&str>,
    ) -> Result<RegistrationResponse, RegistrationRefused> {
        let outcome = async {
            self.registering()?;
            endpoints::registration(&self.0.env, client_id, token).await
        };
        self.heard_registration(outcome.await)
    }

    /// Replacing one's own registration ([RFC 7592 2.2](https://www.rfc-editor.org/rfc/rfc7592#section-2.2)).
    pub async fn update_registration(
        &self,
        client_id: &str,
        token: Option<&str>,
        body: &[u8],
    ) -> Result<RegistrationResponse, RegistrationRefused> {
        let outcome = async {
            let Registration { rules, registrars } = self.registering()?;
            let by = (rules, &**registrars);
            endpoints::update_registration(&self.0.env, by, client_id, token, body).await
        };
        self.heard_registration(outcome.await)
    }

    /// Removing one's own registration ([RFC 7592 2.3](https://www.rfc-editor.org/rfc/rfc7592#section-2.3)).
    pub async fn remove_registration(
        &self,
        client_id: &str,
        token: Option<&str>,
    ) -> Result<(), RegistrationRefused> {
        let outcome = async {
            self.registering()?;
            endpoints::remove_registration(&self.0.env, client_id, token).await
        };
        self.heard_registration(outcome.await)
    }

    fn registering(&self) -> Result<&Registration, OAuthError> {
        let closed = OAuthError::new(ErrorCode::AccessDenied, "clients cannot be registered here");
        self.0.registration.as_ref().ok_or(closed)
    }

    fn heard_registration<T>(
        &self,
        outcome: Result<T, RegistrationRefused>,
    ) -> Result<T, RegistrationRefused> {
        if let Err(refused) = &outcome {
            let event = Event::Refused { endpoint: "register", error: refused.code() };
            self.0.env.audit.record(&event);
        }
        outcome
    }
}
