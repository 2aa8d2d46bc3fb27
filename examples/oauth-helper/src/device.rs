//! Signing in on another device: [RFC 8628](https://www.rfc-editor.org/rfc/rfc8628).

use crate::{
    client::{Age, OAuthClient, discovered},
    error::{Endpoint, Error, Result},
    grants::{self, missing, refused, scopes, with_params},
    model::Client,
    wire::Connection,
};
use oauth2::{
    DeviceAuthorizationUrl, EmptyExtraDeviceAuthorizationFields,
    StandardDeviceAuthorizationResponse, TokenUrl,
};
use std::time::Duration;

/// A login that waits for somebody at another device.
#[derive(Debug)]
pub struct DeviceLogin {
    client: OAuthClient,
    info: Client,
    details: StandardDeviceAuthorizationResponse,
}

impl OAuthClient {
    /// Asks for a code that somebody types in at another device.
    pub async fn begin_device_login(&self) -> Result<DeviceLogin> {
        let info = discovered(&self.store, self.info().await?, Age::Day).await?;
        let at = info
            .endpoints()
            .device_authorization
            .ok_or_else(|| missing(&info, "device authorization"))?;
        let credentials = self.store.credentials(self.id).await?;
        let inner = &self.store.inner;
        let connection =
            Connection::new(&inner.wire, Endpoint::Device, &info, &credentials, &*inner.clock);
        let protocol = grants::protocol(&info)
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(at));
        let request = protocol.exchange_device_code().add_scopes(scopes(&info));
        let request = with_params!(request, &info.params.authorization);
        let details: StandardDeviceAuthorizationResponse = request
            .request_async::<_, EmptyExtraDeviceAuthorizationFields>(&connection)
            .await
            .map_err(|e| at_device(refused(e)))?;
        Ok(DeviceLogin { client: self.clone(), info, details })
    }
}

/// The same error, of the endpoint it came from.
fn at_device(error: Error) -> Error {
    match error {
        Error::Refused { code, description, .. } => {
            Error::Refused { endpoint: Endpoint::Device, code, description }
        }
        Error::Unusable { what, .. } => Error::Unusable { endpoint: Endpoint::Device, what },
        other => other,
    }
}

impl DeviceLogin {
    /// The page to open.
    pub fn page(&self) -> &str {
        self.details.verification_uri()
    }

    /// The page with the code already in it, where the provider has one.
    pub fn page_with_code(&self) -> Option<&str> {
        self.details.verification_uri_complete().map(|uri| uri.secret().as_str())
    }

    /// The code to type in.
    pub fn user_code(&self) -> &str {
        self.details.user_code().secret()
    }

    /// How long it can be typed in.
    pub fn expires_in(&self) -> Duration {
        self.details.expires_in()
    }

    /// Waits until somebody has typed it in, as often and as long as the provider wants, and stores the tokens.
    pub async fn finish(self) -> Result<()> {
        let store = &self.client.store;
        let credentials = store.credentials(self.client.id).await?;
        let at = self.info.endpoints().token.ok_or_else(|| missing(&self.info, "token"))?;
        let inner = &store.inner;
        let connection =
            Connection::new(&inner.wire, Endpoint::Token, &self.info, &credentials, &*inner.clock);
        let protocol = grants::protocol(&self.info).set_token_uri(TokenUrl::from_url(at));
        let request = protocol.exchange_device_access_token(&self.details);
        let request = with_params!(request, &self.info.params.token);
        let answer = request
            .request_async(&connection, tokio::time::sleep, None)
            .await
            .map_err(refused)
            .map_err(|e| self.ended(e));
        self.client.settle_login(&self.info, answer, None).await
    }

    fn ended(&self, error: Error) -> Error {
        match &error {
            Error::Refused { code, .. } if code == "access_denied" => {
                Error::Cancelled(format!("{}: access was denied", self.client.name()))
            }
            Error::Refused { code, .. } if code == "expired_token" => Error::Cancelled(format!(
                "{}: nobody signed in before the code expired",
                self.client.name()
            )),
            _ => error,
        }
    }
}
