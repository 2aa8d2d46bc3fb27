//! Floor 5: one function per endpoint.

mod end_session;
mod introspect;
mod logout;
mod metadata;
mod register;
mod revoke;
mod token;
mod userinfo;

pub use end_session::{Confirmed, LogoutRequest, LogoutStep, end_session};
pub use introspect::{access_token, introspect};
pub use logout::{deliver_logouts, frontchannel_logouts};
pub use metadata::{Offers, metadata};
pub use register::{
    RegistrationRefused, RegistrationResponse, register, registration, remove_registration,
    update_registration,
};
pub use revoke::revoke;
#[cfg(feature = "oxide")]
pub(crate) use token::exchange;
pub use token::token;
pub use userinfo::{UserInfo, userinfo};
