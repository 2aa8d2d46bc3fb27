//! Floor 5: one function per endpoint.

mod introspect;
mod metadata;
mod revoke;
mod token;

pub use introspect::{access_token, introspect};
pub use metadata::{Paths, metadata};
pub use revoke::revoke;
#[cfg(feature = "oxide")]
pub(crate) use token::exchange;
pub use token::token;
