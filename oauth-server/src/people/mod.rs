//! The user service: signing up, in and out, guests, devices, and what people may change about themselves and staff
//! about others. Everything an HTTP layer needs, as plain methods; the layers over it translate and nothing else.
//!
//! ```no_run
//! # async fn example(state: oauth_server::state::AppState) -> Result<(), oauth_server::people::Error> {
//! use oauth_server::people::{Device, Need};
//!
//! let people = state.people();
//! let tokens = people.log_in("ada", "nine lives and a lantern", Device::default()).await?;
//! let caller = people.caller(Some(&tokens.access_token)).await?.needs(Need::Registered)?;
//! assert_eq!(Some(&caller.subject), tokens.user.as_ref());
//! # Ok(())
//! # }
//! ```

mod caller;
mod choosing;
mod claims;
mod devices;
mod directory;
mod editing;
mod email;
mod error;
mod forgotten;
mod gate;
mod guest;
pub(crate) mod letters;
mod links;
mod logging_in;
mod notices;
pub mod own_client;
mod password;
mod person;
mod registering;
mod removal;
mod sessions;
mod visibility;

pub use caller::{Caller, Need};
pub use claims::OwnClaims;
pub use devices::Device;
pub use directory::{Found, MOST, Search};
pub use editing::{Edit, Writer};
pub(crate) use email::put_email;
pub use error::{Complaint, Error, Refusal};
pub use gate::GuestToken;
pub(crate) use guest::as_user;
pub use guest::{GUEST_PREFIX, is_guest};
pub use links::{LinkAccount, Purpose};
pub use logging_in::Tokens;
pub(crate) use notices::{Event, Notices};
pub use person::Person;
pub use registering::{Registered, Registration};
pub(crate) use removal::{cut_off, remove_rows};
pub use sessions::Place;
pub use visibility::{Level, Visibility};

use crate::state::AppState;

/// The user service of one server. Cheap to make.
#[derive(Clone, Copy)]
pub struct People<'a> {
    state: &'a AppState,
}

impl AppState {
    /// The user service.
    pub const fn people(&self) -> People<'_> {
        People { state: self }
    }
}
