//! Three services that show OAuth 2.0 at work: `oauth-server` grants tokens that live five seconds, the *resource*
//! server tells the time to whoever holds one, and the *web app* gets a token for every call of its users.
//!
//! Floors, from below: [`clock_face`] knows time and nothing else; [`upstream`] talks to the other services;
//! [`resource`] and [`webapp`] are the HTTP faces; [`settings`], [`logs`] and [`trace`] serve both programs.

pub mod clock_face;
pub mod logs;
pub mod resource;
pub mod serve;
pub mod settings;
pub mod trace;
pub mod upstream;
pub mod webapp;
