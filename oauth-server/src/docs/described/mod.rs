//! What is said of the routes of this server. A module with many routes of its own describes them beside them and is
//! named here.

mod admin;
mod forms;
mod own;
mod pages;
mod people;
mod protocol;

use super::Op;
use crate::{compat::toktok, state::AppState};

/// Everything that is described, whether it is mounted or not.
pub(crate) fn all(state: &AppState) -> Vec<Op> {
    let mut all = protocol::describe(state);
    all.extend(own::describe());
    all.extend(pages::describe(state));
    all.extend(admin::describe());
    all.extend(people::describe());
    all.extend(forms::describe(&state.config.forms));
    all.extend(toktok::describe(state));
    all
}
