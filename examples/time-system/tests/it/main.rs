//! The web app and the resource server against peers that behave, and peers that do not.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod resource;
mod support;
mod webapp;
