//! Browser sessions: they are the embedder's, and their clients are told when one ends.

use super::Provider;
use crate::{
    endpoints::{self, Confirmed, LogoutStep},
    error::{OAuthError, PortError},
    model::{Login, Participant},
    params::Params,
};

impl Provider {
    /// The end session endpoint
    /// ([RP-Initiated Logout 2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)): what is to be
    /// done about a request to log out. `login` is the sign-in of the browser's session.
    ///
    /// The embedder serves GET and POST at [`Paths::end_session`](crate::config::Paths::end_session), since pages and
    /// sessions are its own, and says so with [`Builder::logout_page`](super::Builder::logout_page).
    pub async fn end_session(
        &self,
        params: &Params,
        login: Option<&Login>,
        confirmed: Confirmed,
    ) -> Result<LogoutStep, OAuthError> {
        let env = &self.0.env;
        self.heard("end_session", endpoints::end_session(env, params, login, confirmed).await)
    }

    /// Says that a session is over, however it ended: what was allowed in it without `offline_access` is revoked, and
    /// the clients that took part, which are returned, will be told by
    /// [`deliver_logouts`](Self::deliver_logouts). It does no harm to say so twice.
    pub async fn log_out(&self, sid: &str) -> Result<Vec<Participant>, PortError> {
        let env = &self.0.env;
        env.grants.end_session(sid, env.clock.now()).await
    }

    /// The pages of these clients that the browser whose session ended is to load in frames
    /// ([Front-Channel Logout 3](https://openid.net/specs/openid-connect-frontchannel-1_0.html#OPLogout)).
    pub async fn frontchannel_logouts(
        &self,
        participants: &[Participant],
    ) -> Result<Vec<String>, PortError> {
        endpoints::frontchannel_logouts(&self.0.env, participants).await
    }

    /// Tells clients of logouts, at most `limit` of those that are due; returns how many were due
    /// ([Back-Channel Logout 2.5](https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest)).
    ///
    /// Call it after a logout and every few seconds, in as many processes as you like: each notice is taken by one of
    /// them. Nothing in this crate runs by itself.
    pub async fn deliver_logouts(&self, limit: u64) -> Result<u64, PortError> {
        endpoints::deliver_logouts(&self.0.env, limit).await
    }
}
