//! The guard as a resource server sees it: real HTTP between the guard and an authorization server on loopback, an
//! injected clock, and waiting for what happens rather than for a time.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod config;
#[cfg(test)]
mod cookies;
#[cfg(test)]
mod dns_sd;
#[cfg(test)]
mod is10_paths;
#[cfg(test)]
mod is10_rights;
#[cfg(test)]
mod is10_servers;
#[cfg(test)]
mod is10_tokens;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod principal;
#[cfg(test)]
mod revocations;
#[cfg(test)]
mod rfc6750;
#[cfg(test)]
mod rfc7517;
#[cfg(test)]
mod rfc7662;
#[cfg(test)]
mod rfc8414;
#[cfg(test)]
mod rfc8725;
#[cfg(test)]
mod rfc9068;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod token_uses;
