//! The example driven over its router, beside our own endpoints on the same database.

mod code_flow;
mod differential;
mod site;
