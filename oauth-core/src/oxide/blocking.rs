//! The same values for endpoints of `oxide_auth` itself, whose traits do not wait.

use super::{Authorize, Token};
use oxide_auth::{
    code_grant::{accesstoken, authorization},
    endpoint::{AccessTokenExtension, AuthorizationExtension, Extension, Scopes, WebRequest},
    primitives::{
        authorizer::Authorizer,
        grant::{Extensions, Grant},
        issuer::{IssuedToken, Issuer, RefreshedToken},
        registrar::{BoundClient, ClientUrl, PreGrant, Registrar, RegistrarError},
        scope::Scope,
    },
};
use oxide_auth_async::primitives as waiting;
use tokio::{runtime::Handle, task::block_in_place};

/// A value of this module behind the traits of `oxide_auth`, which wait for nothing: the thread stands still while
/// the store works. (No type can implement both families of traits: the asynchronous one has a blanket
/// implementation over the other.)
///
/// Call it on a thread that may stand still: one of `spawn_blocking`, one without a runtime, or a worker of a
/// multi-threaded runtime. **It panics inside a task of a single-threaded runtime**, where standing still
/// would stop the store as well.
#[derive(Clone)]
pub struct Blocking<T> {
    value: T,
    runtime: Handle,
}

impl<T> Blocking<T> {
    /// Lets the runtime drive the store.
    pub const fn new(value: T, runtime: Handle) -> Self {
        Self { value, runtime }
    }

    fn wait<F: Future>(&self, work: F) -> F::Output {
        block_in_place(|| self.runtime.block_on(work))
    }
}

impl<T: waiting::Registrar> Registrar for Blocking<T> {
    fn bound_redirect<'a>(&self, asked: ClientUrl<'a>) -> Result<BoundClient<'a>, RegistrarError> {
        self.wait(self.value.bound_redirect(asked))
    }

    fn negotiate(
        &self,
        client: BoundClient<'_>,
        asked: Option<Scope>,
    ) -> Result<PreGrant, RegistrarError> {
        self.wait(self.value.negotiate(client, asked))
    }

    fn check(&self, id: &str, secret: Option<&[u8]>) -> Result<(), RegistrarError> {
        self.wait(self.value.check(id, secret))
    }
}

impl<T: waiting::Authorizer + Clone> Authorizer for Blocking<T> {
    fn authorize(&mut self, grant: Grant) -> Result<String, ()> {
        self.wait(self.value.clone().authorize(grant))
    }

    fn extract(&mut self, code: &str) -> Result<Option<Grant>, ()> {
        self.wait(self.value.clone().extract(code))
    }
}

impl<T: waiting::Issuer + Clone> Issuer for Blocking<T> {
    fn issue(&mut self, grant: Grant) -> Result<IssuedToken, ()> {
        self.wait(self.value.clone().issue(grant))
    }

    fn refresh(&mut self, token: &str, grant: Grant) -> Result<RefreshedToken, ()> {
        self.wait(self.value.clone().refresh(token, grant))
    }

    fn recover_token<'a>(&'a self, token: &'a str) -> Result<Option<Grant>, ()> {
        self.wait(self.value.clone().recover_token(token))
    }

    fn recover_refresh<'a>(&'a self, token: &'a str) -> Result<Option<Grant>, ()> {
        self.wait(self.value.clone().recover_refresh(token))
    }
}

impl<R: WebRequest, T: Scopes<R>> Scopes<R> for Blocking<T> {
    fn scopes(&mut self, request: &mut R) -> &[Scope] {
        self.value.scopes(request)
    }
}

impl AuthorizationExtension for Blocking<Authorize> {
    fn extend(&mut self, request: &dyn authorization::Request) -> Result<Extensions, ()> {
        self.value.extend(request)
    }
}

impl AccessTokenExtension for Blocking<Token> {
    fn extend(
        &mut self,
        request: &dyn accesstoken::Request,
        _: Extensions,
    ) -> Result<Extensions, ()> {
        self.value.extend(request)
    }
}

impl Extension for Blocking<Authorize> {
    fn authorization(&mut self) -> Option<&mut dyn AuthorizationExtension> {
        Some(self)
    }
}

impl Extension for Blocking<Token> {
    fn access_token(&mut self) -> Option<&mut dyn AccessTokenExtension> {
        Some(self)
    }
}
