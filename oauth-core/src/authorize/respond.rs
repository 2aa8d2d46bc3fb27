//! Granted or denied: the answer to the client, written through the same commit as the token endpoint's.

use super::{Next, RedirectTarget, claims, decide::told};
use crate::{
    env::Env,
    error::{ErrorCode, OAuthError, PortError},
    issue::{IdTerms, Terms, mark_used, mint, mint_id_token},
    model::{
        Client, Committed, Consent, Consume, Epoch, HashedToken, Issuance, Login, NewAuthorization,
        NewCode, NewToken, OpenidContext, Parent, PendingAuthorization, ResponseMode, Timestamp,
    },
    openid::{fresh_session_state, is_subject, subject},
    ports::Event,
};

/// What goes back to the client. `Debug` shows the names of the fields and nothing of their content.
pub struct Answer {
    /// Where to.
    pub target: RedirectTarget,
    /// The fields, `state` and `iss` not among them.
    pub fields: Vec<(&'static str, String)>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Answer").field("target", &self.target).field("fields", &names).finish()
    }
}

impl Answer {
    /// Everything the client is sent, with `state` and `iss`
    /// ([RFC 9207 2](https://www.rfc-editor.org/rfc/rfc9207#section-2)).
    pub fn parameters<'a>(&'a self, issuer: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let fields = self.fields.iter().map(|(name, value)| (*name, value.as_str()));
        fields.chain(self.target.state().map(|s| ("state", s))).chain([("iss", issuer)])
    }

    /// The address to redirect the browser to. An answer that travels in a form is posted to the redirect URI
    /// instead, with [`parameters`](Self::parameters).
    pub fn location(&self, issuer: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        let fields = form.extend_pairs(self.parameters(issuer)).finish();
        let uri = self.target.redirect_uri();
        match self.target.mode() {
            ResponseMode::Fragment => format!("{uri}#{fields}"),
            ResponseMode::FormPost => uri.to_owned(),
            ResponseMode::Query if uri.ends_with('?') || uri.ends_with('&') => {
                format!("{uri}{fields}")
            }
            ResponseMode::Query if uri.contains('?') => format!("{uri}&{fields}"),
            ResponseMode::Query => format!("{uri}?{fields}"),
        }
    }

    /// The answer that tells the client of a refusal.
    pub fn refusal(target: RedirectTarget, error: &OAuthError) -> Self {
        let fields = error.fields().map(|(k, v)| (k, v.into_owned())).collect();
        Self { target, fields }
    }
}

/// The interaction an answer uses up: the one that the request began with.
pub(crate) struct Used {
    pub(super) interaction: HashedToken,
    pub(super) remember: bool,
}

/// Writes authorization, code and tokens, and answers; nothing when the interaction was answered before.
pub(crate) async fn grant(
    env: &Env,
    client: &Client,
    used: Option<Used>,
    pending: PendingAuthorization,
    (since, now): (Epoch, Timestamp),
) -> Result<Option<Answer>, OAuthError> {
    let target = RedirectTarget::of(&pending);
    let login = pending
        .login
        .clone()
        .ok_or(OAuthError::new(ErrorCode::LoginRequired, "nobody is signed in"))?;
    if env.users.user(&login.user).await?.is_none() {
        return Err(OAuthError::new(ErrorCode::AccessDenied, "the user is gone"));
    }
    let response = Response::to(env, client, login, &pending, (since, now)).await?;
    let Response { parent, login, fields, code, tokens } = response;
    let remember = used.as_ref().is_some_and(|u| u.remember);
    let consent = remember.then(|| Consent {
        user: login.user.clone(),
        client: client.id.clone(),
        scope: claims::remembered(&pending, client),
        at: now,
    });
    let consume = used.map_or(Consume::Nothing, |u| Consume::Interaction(u.interaction));
    let issuance = Issuance { consume, parent, code, tokens, consent, at: now };
    match env.grants.commit(issuance).await? {
        Committed::Done => {}
        // Answering may take a while, for as long as the client likes if its keys are fetched.
        Committed::Revoked => {
            return Err(OAuthError::new(ErrorCode::AccessDenied, "it was revoked meanwhile"));
        }
        _ => return Ok(None),
    }
    mark_used(env, client).await?;
    let (user, scope) = (&login.user, &pending.scope);
    let event = Event::Authorized { client: &client.id, user, scope };
    env.audit.keep(&event).await?;
    env.audit.record(&event);
    tracing::info!(client.id = %client.id, response_type = pending.response_type, "authorization granted");
    Ok(Some(Answer { target, fields }))
}

/// An answer in the making: what the client is sent, and what is written for it.
struct Response {
    parent: Parent,
    login: Login,
    fields: Vec<(&'static str, String)>,
    code: Option<NewCode>,
    tokens: Vec<NewToken>,
}

impl Response {
    async fn to(
        env: &Env,
        client: &Client,
        login: Login,
        pending: &PendingAuthorization,
        (since, now): (Epoch, Timestamp),
    ) -> Result<Self, OAuthError> {
        let openid = (env.policy.openid && pending.is_openid()).then(|| OpenidContext {
            nonce: pending.nonce.clone(),
            claims: pending.claims.clone(),
        });
        if openid.is_some() && !is_subject(&subject(env, client, &login.user)) {
            return Err(PortError::new("the identifier of this user cannot be a sub").into());
        }
        let acr = told(&env.policy.acr_values, pending, &login);
        let login = Login { acr, ..login };
        let mut response = Self {
            parent: Parent::New(NewAuthorization {
                id: env.authorization_id(now),
                client: client.id.clone(),
                user: login.user.clone(),
                scope: pending.scope.clone(),
                openid: openid.clone(),
                acr: login.acr.clone(),
                sid: login.sid.clone(),
                participates_until: now.plus(env.policy.session_ttl),
                since: Some(since),
            }),
            login,
            fields: Vec::new(),
            code: None,
            tokens: Vec::new(),
        };
        if pending.answers_with("code") {
            response.add_code(env, client, pending, now);
        }
        if pending.answers_with("token") {
            response.add_token(env, client, pending, now).await?;
        }
        if let Some(openid) = &openid {
            if pending.answers_with("id_token") {
                response.add_id_token(env, client, pending, openid, now).await?;
            }
            response.add_session_state(env, client, pending);
        }
        Ok(response)
    }

    /// The last of them: it vouches for the code and the access token beside it
    /// ([OpenID Connect Core 3.3.2.11](https://openid.net/specs/openid-connect-core-1_0.html#HybridIDToken)).
    async fn add_id_token(
        &mut self,
        env: &Env,
        client: &Client,
        pending: &PendingAuthorization,
        openid: &OpenidContext,
        now: Timestamp,
    ) -> Result<(), OAuthError> {
        let field = |name: &str| {
            let found = self.fields.iter().find(|(field, _)| *field == name);
            found.map(|(_, value)| value.as_str())
        };
        let terms = IdTerms {
            login: &self.login,
            openid,
            scope: &pending.scope,
            code: field("code"),
            access_token: field("access_token"),
            alone: pending.response_type == "id_token",
        };
        let id_token = mint_id_token(env, client, &terms, now).await?;
        self.fields.push(("id_token", id_token));
        Ok(())
    }

    /// What the client can later compare in a frame
    /// ([OpenID Connect Session Management 2](https://openid.net/specs/openid-connect-session-1_0.html#CreatingUpdatingSessions)).
    fn add_session_state(&mut self, env: &Env, client: &Client, pending: &PendingAuthorization) {
        if let Some(sid) = &self.login.sid {
            let state = fresh_session_state(env, &client.id, &pending.redirect_uri, sid);
            self.fields.extend(state.map(|state| ("session_state", state)));
        }
    }

    fn add_code(
        &mut self,
        env: &Env,
        client: &Client,
        pending: &PendingAuthorization,
        now: Timestamp,
    ) {
        let secret = env.secret();
        self.code = Some(NewCode {
            hash: secret.hash(),
            client: client.id.clone(),
            login: self.login.clone(),
            redirect_uri: pending.redirect_uri_was_sent.then(|| pending.redirect_uri.clone()),
            scope: pending.scope.clone(),
            resources: pending.resources.clone(),
            challenge: pending.challenge.clone(),
            expires_at: now.plus(env.policy.code_ttl),
        });
        self.fields.push(("code", secret.reveal()));
    }

    async fn add_token(
        &mut self,
        env: &Env,
        client: &Client,
        pending: &PendingAuthorization,
        now: Timestamp,
    ) -> Result<(), OAuthError> {
        let terms = Terms {
            login: Some(&self.login),
            scope: &pending.scope,
            resources: &pending.resources,
        };
        let minted = mint(env, client, &terms, now).await?;
        self.tokens.push(minted.row(client, &terms, now));
        self.fields.extend([
            ("expires_in", minted.expires_at.seconds_since(now).to_string()),
            ("scope", minted.scope.to_string()),
            ("token_type", "Bearer".into()),
            ("access_token", minted.token),
        ]);
        Ok(())
    }
}

/// Uses the interaction up and refuses; nothing when it was answered before.
pub(super) async fn deny(
    env: &Env,
    interaction: HashedToken,
    now: Timestamp,
) -> Result<Option<Next>, OAuthError> {
    let issuance = Issuance {
        consume: Consume::Interaction(interaction),
        parent: Parent::None,
        code: None,
        tokens: Vec::new(),
        consent: None,
        at: now,
    };
    match env.grants.commit(issuance).await? {
        Committed::Done => Err(OAuthError::new(ErrorCode::AccessDenied, "the user said no")),
        _ => Ok(None),
    }
}
