//! The section about the description of the routes.

use super::section::sections;

sections! {
    /// The description of every route, for programs at `/openapi.json` and for people at `/doc/`.
    Docs ["docs"] {
        /// Whether it is there.
        enabled: bool = true,
    }
}
