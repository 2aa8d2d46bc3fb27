//! The server's own tables, beside those of the library.

pub mod session;
pub mod throttle;
