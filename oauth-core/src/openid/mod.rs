//! OpenID Connect: what several endpoints share about claims and subjects.

mod claims;
mod hint;
mod logout;
mod session_state;
mod subject;

pub use claims::{CLAIMS, SCOPES, is_standard_claim, scope_of_claim, select};
pub(crate) use hint::{Hint, read_hint};
pub(crate) use logout::{frontchannel_address, with_query};
pub(crate) use session_state::fresh_session_state;
pub use session_state::{browser_state, session_state};
pub(crate) use subject::{is_subject, sector_host, session};
pub use subject::{sector, subject};
