//! The entries about providers that people sign in through.

use super::{secret::Secret, section::sections, setting::words};

words! {
    /// How this server proves itself to a provider.
    UpstreamAuth {
        /// The secret in the `Authorization` header.
        Basic = "client_secret_basic",
        /// Not at all: it is a public client there. PKCE protects the code.
        None = "none",
        /// The secret in the form.
        Post = "client_secret_post",
    }
}

words! {
    /// What the mail address is worth that a provider names.
    TrustEmail {
        /// Nothing: nobody gets into an account here by it.
        Never = "never",
        /// Whoever the provider says has verified it is the one with the same confirmed address here.
        Verified = "verified",
    }
}

sections! {
    /// A provider that people may sign in through: another OpenID Provider, found by its `issuer`, or a plain OAuth 2.0
    /// server with the three endpoints. Its redirect URI of this server is `{public_url}/login/from/{id}`.
    UpstreamEntry ["upstream"] {
        /// Required. Its name in addresses here: lower-case letters, digits and hyphens. The redirect URI ends with it.
        id: String = String::new(),
        /// Its name on the button. Unset: the id.
        title: Option<String> = None,
        /// The issuer of an OpenID Provider, exactly as its metadata names it. Its keys and endpoints are found by it.
        issuer: Option<String> = None,
        /// Where people are sent. Only without `issuer`.
        authorization_endpoint: Option<String> = None,
        /// Where codes are exchanged. Only without `issuer`.
        token_endpoint: Option<String> = None,
        /// Where it says who somebody is. Only without `issuer`. Identities are known by this address: another one makes
        /// strangers of everybody.
        userinfo_endpoint: Option<String> = None,
        /// Required. The id of this server as a client there.
        client_id: String = String::new(),
        /// The secret of this server as a client there.
        client_secret: Option<Secret> = None,
        /// How this server proves itself there.
        auth_method: UpstreamAuth = UpstreamAuth::Basic,
        /// What is asked for. With `issuer`, `openid` is always among it.
        scopes: Vec<String> = vec!["openid".into(), "profile".into(), "email".into()],
        /// Further parameters of the authorization request, each as `name=value`.
        parameters: Vec<String> = Vec::new(),
        /// What the mail address is worth that it names.
        trust_email: TrustEmail = TrustEmail::Never,
        /// Whether somebody who has a second factor here is asked for it, too.
        second_factor: bool = true,
        /// Take every sign-in for one of this moment, although the provider does not say that it asked again. For
        /// providers that cannot be made to ask, on which everybody at an unlocked browser signs in.
        danger_trust_session: bool = false,
        /// Whether whoever is not known here gets an account. Unset: as `signup.open` says.
        signup: Option<bool> = None,
        /// Keep the tokens it gives, sealed. Nothing here needs them.
        keep_tokens: bool = false,
        /// Without `issuer`: the member of the userinfo answer with the identifier that never changes; `a.b` is member
        /// `b` of member `a`.
        userinfo_id: String = "id".into(),
        /// Without `issuer`: the member with the user name.
        userinfo_username: String = "login".into(),
        /// Without `issuer`: the member with the name.
        userinfo_name: String = "name".into(),
        /// Without `issuer`: the member with the mail address.
        userinfo_email: String = "email".into(),
        /// Without `issuer`: the member that says whether the mail address is verified.
        userinfo_email_verified: String = "email_verified".into(),
    }
}

impl UpstreamEntry {
    /// Its name for people.
    pub fn name(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.id)
    }

    /// The scheme of the address that people are sent to.
    pub fn scheme(&self) -> &str {
        let address = self.issuer.as_ref().or(self.authorization_endpoint.as_ref());
        address.and_then(|a| a.split_once("://")).map_or("https", |(scheme, _)| scheme)
    }

    /// The further parameters as pairs.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().filter_map(|p| p.split_once('='))
    }
}
