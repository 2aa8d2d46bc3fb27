//! The section about Redis.

use super::{secret::Secret, section::sections};

sections! {
    /// A Redis that processes share, for those who have one. The server needs none: what is in it is in the database, too.
    Redis ["redis"] {
        /// Where it is, such as `redis://:password@127.0.0.1:6379/0`. Revoked tokens are noted there, so that whoever checks
        /// tokens learns of most of them without asking the database. Unset: nowhere.
        url: Option<Secret> = None,
    }
}
