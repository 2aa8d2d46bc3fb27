//! The addresses and words of other programs, for front ends that were made for them. Each is a thin layer over
//! [`people`](crate::people), and off unless the configuration names it.

pub mod toktok;
