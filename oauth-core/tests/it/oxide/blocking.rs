//! The code flow through the endpoints of `oxide_auth` itself, which wait for nothing.

#![expect(clippy::unwrap_used, reason = "a test says no by panicking")]

use super::flow::{Agrees, Form, answer, redemption, renewal, request, split, tokens};
use oauth_core::{
    Provider,
    oxide::{Authorize, Blocking, Resource, Token},
    testing::fixtures,
};
use oxide_auth::{
    endpoint::{AccessTokenFlow, AuthorizationFlow, OAuthError},
    frontends::simple::{
        endpoint::{Error, Generic, Vacant, refresh_flow, resource_flow},
        extensions::Extended,
        request::Request,
    },
};
use tokio::runtime::Handle;

/// The whole code flow through the endpoints of `oxide_auth` itself.
pub(super) fn blocking_flow(provider: &Provider, runtime: &Handle) -> String {
    let value = Blocking::new(Authorize::new(provider), runtime.clone());
    let endpoint = Generic {
        registrar: value.clone(),
        authorizer: value.clone(),
        issuer: Vacant,
        solicitor: Agrees,
        scopes: Vacant,
        response: Vacant,
    };
    let endpoint = Extended::extend_with(endpoint, value);
    let mut flow = AuthorizationFlow::prepare(endpoint)
        .unwrap_or_else(|_: Error<Request>| unreachable!("it has all parts"));
    let outcome = flow.execute(request("web").query());
    let code = answer(outcome.map_err(|_| OAuthError::BadRequest), "code").unwrap();

    let value = Blocking::new(Token::new(provider), runtime.clone());
    let endpoint = Generic {
        registrar: value.clone(),
        authorizer: value.clone(),
        issuer: value.clone(),
        solicitor: Vacant,
        scopes: Vacant,
        response: Vacant,
    };
    let endpoint = Extended::extend_with(endpoint, value);
    let mut flow = AccessTokenFlow::prepare(endpoint)
        .unwrap_or_else(|_: Error<Request>| unreachable!("it has all parts"));
    let outcome = flow.execute(redemption("web", &code).body());
    let (access, renewable) = split(&tokens(outcome.map_err(|_| OAuthError::BadRequest)));

    let value = Blocking::new(Token::new(provider), runtime.clone());
    let mut issuer = value.clone();
    let mut flow = refresh_flow(&value, &mut issuer);
    let outcome = flow.execute(renewal("web", &renewable).body());
    tokens(outcome.map_err(|_: Error<Request>| OAuthError::BadRequest));

    let resource = Resource::new(provider).needs(&fixtures::scope("a"));
    let mut issuer = Blocking::new(resource, runtime.clone());
    let needed = ["a".parse().unwrap()];
    let mut flow = resource_flow::<Request>(&mut issuer, &needed);
    let grant = flow.execute(Form::bearer(&access).query());
    grant.unwrap_or_else(|_| unreachable!("the token is good")).owner_id
}
