//! Layers for the usual kinds of tokens.

use super::{Guard, GuardLayer};
use crate::{
    policy::{Access, Fresh, Guest, Nobody, Refresh, Roles},
    problem::ConfigProblem,
};
use std::time::Duration;

impl Guard {
    /// A layer that wants an access token of a user or client, and not of a guest.
    pub fn access(&self) -> GuardLayer {
        self.with(Access)
    }

    /// A layer that wants a refresh token and nothing else. See [`Refresh`].
    pub fn refresh(&self) -> GuardLayer {
        self.with(Refresh)
    }

    /// A layer that wants an access token of somebody who signed in at most so long ago.
    pub fn fresh(&self, max_age: Duration) -> GuardLayer {
        self.with(Fresh::within(max_age))
    }

    /// A layer that wants the token of a guest and nothing else.
    pub fn guest(&self) -> GuardLayer {
        self.with(Guest)
    }

    /// A layer that wants at least one of these roles. With an empty one, or none, nobody passes.
    pub fn any_role<'r>(&self, roles: impl IntoIterator<Item = &'r str>) -> GuardLayer {
        self.with_roles(Roles::any(roles))
    }

    /// A layer that wants every one of these roles. With an empty one, or none, nobody passes.
    pub fn all_roles<'r>(&self, roles: impl IntoIterator<Item = &'r str>) -> GuardLayer {
        self.with_roles(Roles::all(roles))
    }

    fn with_roles(&self, roles: Result<Roles, ConfigProblem>) -> GuardLayer {
        match roles {
            Ok(roles) => self.with(roles),
            Err(problem) => {
                tracing::error!(error = %problem, "a guarded route refuses everybody");
                self.with(Nobody)
            }
        }
    }
}
