//! No secret in a log line or a `Debug`, and no text of a failure in a response.

mod debug;
mod failures;
pub(crate) mod logs;
mod openid;
mod registration;
