//! What an OpenID Connect request asks beyond OAuth
//! ([OpenID Connect Core 3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).

use super::{
    check::{Request, words},
    claims,
};
use crate::{
    error::{ErrorCode, OAuthError},
    model::{ClaimsRequest, Scope},
    openid::read_hint,
};
use serde_json::Value;

/// Longer than any sensible nonce.
const LONGEST_NONCE: usize = 4 * 1024;

/// The checked parameters.
#[derive(Default)]
pub(super) struct OpenidRequest {
    pub(super) nonce: Option<String>,
    pub(super) claims: ClaimsRequest,
    pub(super) expected_subject: Option<String>,
    pub(super) acr_values: Vec<String>,
}

/// Reads the parameters of an OpenID Connect request; of any other, there are none.
pub(super) async fn check(
    x: &Request<'_>,
    response_type: &str,
    scope: &Scope,
) -> Result<OpenidRequest, OAuthError> {
    let wants_id_token = response_type.split(' ').any(|word| word == "id_token");
    if !x.env.policy.openid || !scope.contains("openid") {
        return if wants_id_token {
            Err(OAuthError::invalid_request("an id_token needs the scope openid"))
        } else {
            Ok(OpenidRequest::default())
        };
    }
    let nonce = x.params.get("nonce");
    if nonce.is_none() && wants_id_token {
        return Err(OAuthError::invalid_request("nonce is missing"));
    }
    if nonce.is_some_and(|n| n.len() > LONGEST_NONCE) {
        return Err(OAuthError::invalid_request("nonce is too long"));
    }
    let mut claims = x.params.get("claims").map(claims::parse).transpose()?.unwrap_or_default();
    let acr_values = acr_values(x, &claims)?;
    let expected_subject = expected_subject(x, &claims).await?;
    // What the client may not be told today it is not told tomorrow either: nobody would have agreed to it.
    claims.retain(|name| claims::may_be_told(x.client, name));
    Ok(OpenidRequest { nonce: nonce.map(str::to_owned), claims, expected_subject, acr_values })
}

/// The authentication contexts asked for. One that is demanded and that no sign-in here can have is refused
/// ([OpenID Connect Core 5.5.1.1](https://openid.net/specs/openid-connect-core-1_0.html#acrSemantics)).
fn acr_values(x: &Request<'_>, claims: &ClaimsRequest) -> Result<Vec<String>, OAuthError> {
    let by_claim = claims.id_token.get("acr");
    let values = by_claim.into_iter().flat_map(|acr| &acr.values);
    let mut named: Vec<_> = values.filter_map(Value::as_str).map(str::to_owned).collect();
    if by_claim.is_some_and(|acr| acr.essential && !acr.values.is_empty()) {
        named.retain(|acr| x.env.policy.acr_values.contains(acr));
        if named.is_empty() {
            return Err(OAuthError::new(
                ErrorCode::UnmetAuthenticationRequirements,
                "no sign-in here has this acr",
            ));
        }
    }
    let wishes =
        [named, words(x.params, "acr_values"), x.client.metadata.default_acr_values.clone()];
    Ok(wishes.into_iter().find(|wish| !wish.is_empty()).unwrap_or_default())
}

/// Whom the client expects to see, by a hint or by name. A hint that is not ours is refused rather than ignored,
/// so that nobody is signed in as somebody the client did not mean.
async fn expected_subject(
    x: &Request<'_>,
    claims: &ClaimsRequest,
) -> Result<Option<String>, OAuthError> {
    let mut expected = Vec::new();
    for ask in claims.id_token.get("sub").into_iter().chain(claims.userinfo.get("sub")) {
        for value in &ask.values {
            let subject = value
                .as_str()
                .ok_or(OAuthError::invalid_request("claims asks for a sub that is no text"))?;
            expected.push(subject.to_owned());
        }
    }
    if let Some(hint) = x.params.get("id_token_hint") {
        let hint = read_hint(x.env, hint, x.now).await?.filter(|h| h.client == x.client.id);
        let not_ours =
            OAuthError::invalid_request("id_token_hint is not an id token of this client");
        expected.push(hint.ok_or(not_ours)?.subject);
    }
    expected.dedup();
    if expected.len() > 1 {
        return Err(OAuthError::invalid_request("more than one person is asked for"));
    }
    Ok(expected.pop())
}
