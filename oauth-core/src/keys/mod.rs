//! The key ring: signing keys by timetable.
//!
//! Every process computes from the stored timetable and the clock which keys are published and which one signs,
//! so any number of processes agree without messages. A key is published before it signs and stays published
//! until the last token it signed has expired. After that it reads id tokens that come back as hints, as long as the
//! sessions they came out of may last.

mod ring;
mod snapshot;

pub use ring::{KeyRing, RotateWhen};
pub use snapshot::Snapshot;
