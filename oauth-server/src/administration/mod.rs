//! What administrators do, be it at the command line or on the pages: one function for each act, so that both do the
//! same.

pub mod clients;
pub mod invitations;
pub mod keys;
pub mod users;
