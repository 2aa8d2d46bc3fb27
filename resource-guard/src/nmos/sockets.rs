//! Web sockets whose addresses say nothing of what comes through them (AMWA BCP-003-02, Query API and Events API).

use crate::{
    asked::Asked,
    policy::{Need, Policy, Verdict},
    principal::Principal,
    refusal::{Refusal, Style},
};
use http::Method;
use oauth_core::model::Scope;
use std::fmt;

/// The policy of the sockets of a Query API, which lets nothing but handshakes pass. Their own address (`ws_href`) is
/// not judged; what counts is the `resource_path` of the subscription behind it, which the registry finds.
pub struct QuerySockets<F>(F);

impl<F: Fn(&Asked<'_>) -> Option<String> + Send + Sync> QuerySockets<F> {
    /// With what finds the `resource_path` of the subscription that a request wants to listen to. Nobody listens to
    /// one that is not found.
    pub const fn new(resource_path: F) -> Self {
        Self(resource_path)
    }
}

impl<F> fmt::Debug for QuerySockets<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("QuerySockets(..)")
    }
}

impl<F: Fn(&Asked<'_>) -> Option<String> + Send + Sync> QuerySockets<F> {
    fn judge(&self, asked: &Asked<'_>, principal: &Principal) -> Result<(), Refusal> {
        handshake(asked)?;
        let about = (self.0)(asked);
        let rights = principal.nmos("query");
        if about.is_some_and(|path| rights.may_connect_to_subscription(&path)) {
            Ok(())
        } else {
            Err(Refusal::insufficient_scope(Scope::parse("query")))
        }
    }
}

impl<F: Fn(&Asked<'_>) -> Option<String> + Send + Sync> Policy for QuerySockets<F> {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        Ok(need(asked.method()))
    }

    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        self.judge(asked, principal).into()
    }

    fn style(&self) -> Style {
        Style::Nmos
    }
}

/// The policy of the sockets of an Events API, which lets nothing but handshakes pass: whoever may read some source may
/// connect, and each command says which sources it is about
/// ([`NmosRights::readable_sources`](super::NmosRights::readable_sources)).
#[derive(Clone, Copy, Debug)]
pub struct EventSockets;

impl EventSockets {
    fn judge(asked: &Asked<'_>, principal: &Principal) -> Result<(), Refusal> {
        handshake(asked)?;
        if principal.rights().read_something("events") {
            Ok(())
        } else {
            Err(Refusal::insufficient_scope(Scope::parse("events")))
        }
    }
}

impl Policy for EventSockets {
    fn need(&self, asked: &Asked<'_>) -> Result<Need, Refusal> {
        Ok(need(asked.method()))
    }

    fn allow<'a>(&'a self, asked: &'a Asked<'a>, principal: &'a Principal) -> Verdict<'a> {
        Self::judge(asked, principal).into()
    }

    fn style(&self) -> Style {
        Style::Nmos
    }
}

/// A browser asks with OPTIONS whether it may send a token, and has none with it.
fn need(method: &Method) -> Need {
    if *method == Method::OPTIONS { Need::Nothing } else { Need::Token }
}

/// Refuses what does not open a web socket: the rights that are looked at here are no rights to anything else.
fn handshake(asked: &Asked<'_>) -> Result<(), Refusal> {
    let path = asked.path().map_err(Refusal::unsafe_path)?;
    if path.readings().count() > 1 {
        // It could be two subscriptions.
        return Err(Refusal::invalid_request("the path can be read in two ways"));
    }
    if asked.is_websocket() {
        Ok(())
    } else {
        Err(Refusal::invalid_request("only WebSocket handshakes are answered here"))
    }
}
