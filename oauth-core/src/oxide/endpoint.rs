//! Each value as a whole endpoint of `oxide_auth_async`, so that a frontend needs no glue.

use super::{Authorize, ClientCredentials, Resource, Token};
use async_trait::async_trait;
use oxide_auth::{
    code_grant::{accesstoken, authorization},
    endpoint::{OAuthError, Scopes, Template, WebRequest},
    frontends::simple::endpoint::Error,
    primitives::grant::Extensions,
};
use oxide_auth_async::{
    endpoint::{AccessTokenExtension, AuthorizationExtension, Endpoint, Extension, OwnerSolicitor},
    primitives::{Authorizer, Issuer, Registrar},
};

/// [`Authorize`] together with somebody who asks the owner: the endpoint of an `AuthorizationFlow`.
#[derive(Clone)]
pub struct Asking<S> {
    authorize: Authorize,
    owner: S,
}

impl Authorize {
    /// The endpoint of an `AuthorizationFlow`: `owner` finds out who sits there and what they say.
    pub const fn asking<S>(self, owner: S) -> Asking<S> {
        Asking { authorize: self, owner }
    }
}

/// Answers are whatever the frontend's type of response is by default.
macro_rules! answers {
    () => {
        type Error = Error<R>;

        fn response(
            &mut self,
            _: &mut R,
            _: Template<'_>,
        ) -> Result<<R as WebRequest>::Response, Error<R>> {
            Ok(<R as WebRequest>::Response::default())
        }

        fn error(&mut self, e: OAuthError) -> Error<R> {
            Error::OAuth(e)
        }

        fn web_error(&mut self, e: <R as WebRequest>::Error) -> Error<R> {
            Error::Web(e)
        }
    };
}

impl<R, S> Endpoint<R> for Asking<S>
where
    R: WebRequest,
    R::Response: Default,
    S: OwnerSolicitor<R> + Send,
{
    answers!();

    fn registrar(&self) -> Option<&(dyn Registrar + Sync)> {
        Some(&self.authorize)
    }

    fn authorizer_mut(&mut self) -> Option<&mut (dyn Authorizer + Send)> {
        Some(&mut self.authorize)
    }

    fn issuer_mut(&mut self) -> Option<&mut (dyn Issuer + Send)> {
        None
    }

    fn owner_solicitor(&mut self) -> Option<&mut (dyn OwnerSolicitor<R> + Send)> {
        Some(&mut self.owner)
    }

    fn scopes(&mut self) -> Option<&mut dyn Scopes<R>> {
        None
    }

    fn extension(&mut self) -> Option<&mut (dyn Extension + Send)> {
        Some(&mut self.authorize)
    }
}

impl<R> Endpoint<R> for Token
where
    R: WebRequest,
    R::Response: Default,
{
    answers!();

    fn registrar(&self) -> Option<&(dyn Registrar + Sync)> {
        Some(self)
    }

    fn authorizer_mut(&mut self) -> Option<&mut (dyn Authorizer + Send)> {
        Some(self)
    }

    fn issuer_mut(&mut self) -> Option<&mut (dyn Issuer + Send)> {
        Some(self)
    }

    fn owner_solicitor(&mut self) -> Option<&mut (dyn OwnerSolicitor<R> + Send)> {
        None
    }

    fn scopes(&mut self) -> Option<&mut dyn Scopes<R>> {
        None
    }

    fn extension(&mut self) -> Option<&mut (dyn Extension + Send)> {
        Some(self)
    }
}

impl<R> Endpoint<R> for ClientCredentials
where
    R: WebRequest + Send,
    R::Response: Default,
{
    answers!();

    fn registrar(&self) -> Option<&(dyn Registrar + Sync)> {
        Some(self)
    }

    fn authorizer_mut(&mut self) -> Option<&mut (dyn Authorizer + Send)> {
        None
    }

    fn issuer_mut(&mut self) -> Option<&mut (dyn Issuer + Send)> {
        Some(self)
    }

    fn owner_solicitor(&mut self) -> Option<&mut (dyn OwnerSolicitor<R> + Send)> {
        Some(self)
    }

    fn scopes(&mut self) -> Option<&mut dyn Scopes<R>> {
        None
    }
}

impl<R> Endpoint<R> for Resource
where
    R: WebRequest,
    R::Response: Default,
{
    answers!();

    fn registrar(&self) -> Option<&(dyn Registrar + Sync)> {
        None
    }

    fn authorizer_mut(&mut self) -> Option<&mut (dyn Authorizer + Send)> {
        None
    }

    fn issuer_mut(&mut self) -> Option<&mut (dyn Issuer + Send)> {
        Some(self)
    }

    fn owner_solicitor(&mut self) -> Option<&mut (dyn OwnerSolicitor<R> + Send)> {
        None
    }

    fn scopes(&mut self) -> Option<&mut dyn Scopes<R>> {
        Some(self)
    }
}

#[async_trait]
impl AuthorizationExtension for Authorize {
    async fn extend(
        &mut self,
        request: &(dyn authorization::Request + Sync),
    ) -> Result<Extensions, ()> {
        Self::extend(self, request)
    }
}

#[async_trait]
impl AccessTokenExtension for Token {
    async fn extend(
        &mut self,
        request: &(dyn accesstoken::Request + Sync),
        _: Extensions,
    ) -> Result<Extensions, ()> {
        Self::extend(self, request)
    }
}

impl Extension for Authorize {
    fn authorization(&mut self) -> Option<&mut (dyn AuthorizationExtension + Send)> {
        Some(self)
    }
}

impl Extension for Token {
    fn access_token(&mut self) -> Option<&mut (dyn AccessTokenExtension + Send)> {
        Some(self)
    }
}
