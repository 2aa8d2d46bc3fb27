//! `oauth_client`: registered clients.

use super::{damaged, from_json, hash_bytes, json, scope};
use crate::{
    error::PortError,
    model::{
        Client, ClientAuth, ClientId, ClientMetadata, HashedToken, SealedSecret, SecretHash,
        SecretMethod, SigningAlgorithm, Timestamp, TokenFormat, UserId,
    },
};
use sea_orm::{Set, entity::prelude::*};
use std::time::Duration;

/// A row of `oauth_client`.
#[derive(Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oauth_client")]
pub struct Model {
    /// The `client_id`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The name people read.
    #[sea_orm(column_type = "Text")]
    pub name: String,
    /// The home page.
    #[sea_orm(column_type = "Text", nullable)]
    pub uri: Option<String>,
    /// The user who made it.
    pub owner_id: Option<String>,
    /// The `token_endpoint_auth_method`.
    pub auth_method: String,
    /// The SHA-256 of a generated secret.
    #[sea_orm(column_type = "Binary(32)", nullable)]
    pub secret_hash: Option<Vec<u8>>,
    /// The PHC string of a chosen secret.
    #[sea_orm(column_type = "Text", nullable)]
    pub secret_phc: Option<String>,
    /// A JSON list.
    #[sea_orm(column_type = "Text")]
    pub redirect_uris: String,
    /// A JSON list.
    #[sea_orm(column_type = "Text")]
    pub grant_types: String,
    /// A JSON list.
    #[sea_orm(column_type = "Text")]
    pub response_types: String,
    /// The most it may be granted.
    #[sea_orm(column_type = "Text")]
    pub scope: String,
    /// `opaque`, or the algorithm of the JWTs; none follows the policy.
    pub access_token_format: Option<String>,
    /// Seconds; none follows the policy.
    pub access_token_ttl: Option<i64>,
    /// Whether users are not asked.
    pub skip_consent: bool,
    /// When it was registered.
    pub created_at: i64,
    /// A generated secret, sealed, where it must be known.
    #[sea_orm(column_type = "Blob", nullable)]
    pub secret_sealed: Option<Vec<u8>>,
    /// What it says about itself, as JSON; none where it says nothing.
    #[sea_orm(column_type = "Text", nullable)]
    pub metadata: Option<String>,
    /// The SHA-256 of its registration access token.
    #[sea_orm(column_type = "Binary(32)", nullable)]
    pub registration_token: Option<Vec<u8>>,
    /// When it is removed unless it was used before.
    pub expires_at: Option<i64>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Model").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Nothing: owners may live in another store.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl From<&Client> for ActiveModel {
    fn from(client: &Client) -> Self {
        let (secret_hash, secret_phc, secret_sealed) = match &client.auth {
            ClientAuth::Public | ClientAuth::PrivateKeyJwt => (None, None, None),
            ClientAuth::Secret(_, SecretHash::Sha256(hash)) => (Some(hash_bytes(hash)), None, None),
            ClientAuth::Secret(_, SecretHash::Argon2(phc)) => (None, Some(phc.clone()), None),
            ClientAuth::SecretJwt(SealedSecret(sealed)) => (None, None, Some(sealed.clone())),
        };
        let says_nothing = client.metadata == ClientMetadata::default();
        Self {
            id: Set(client.id.as_str().to_owned()),
            name: Set(client.name.clone()),
            uri: Set(client.uri.clone()),
            owner_id: Set(client.owner.as_ref().map(|o| o.as_str().to_owned())),
            auth_method: Set(client.auth.method().to_owned()),
            secret_hash: Set(secret_hash),
            secret_phc: Set(secret_phc),
            redirect_uris: Set(json(&client.redirect_uris)),
            grant_types: Set(json(&client.grant_types)),
            response_types: Set(json(&client.response_types)),
            scope: Set(client.scope.to_string()),
            access_token_format: Set(client.access_token_format.map(format_text)),
            access_token_ttl: Set(client
                .access_token_ttl
                .map(|ttl| i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX))),
            skip_consent: Set(client.skip_consent),
            created_at: Set(client.created_at.unix()),
            secret_sealed: Set(secret_sealed),
            metadata: Set((!says_nothing).then(|| json(&client.metadata))),
            registration_token: Set(client.registration_token.as_ref().map(hash_bytes)),
            expires_at: Set(client.expires_at.map(Timestamp::unix)),
        }
    }
}

impl TryFrom<Model> for Client {
    type Error = PortError;

    fn try_from(row: Model) -> Result<Self, PortError> {
        Ok(Self {
            auth: auth(&row)?,
            id: ClientId::new(row.id),
            name: row.name,
            uri: row.uri,
            owner: row.owner_id.map(UserId::new),
            redirect_uris: from_json(&row.redirect_uris, "redirect URI list")?,
            grant_types: from_json(&row.grant_types, "grant type list")?,
            response_types: from_json(&row.response_types, "response type list")?,
            scope: scope(&row.scope)?,
            access_token_format: row.access_token_format.map(|f| format(&f)).transpose()?,
            access_token_ttl: row
                .access_token_ttl
                .map(|s| u64::try_from(s).map_err(|_| damaged("token life")))
                .transpose()?
                .map(Duration::from_secs),
            skip_consent: row.skip_consent,
            metadata: match row.metadata {
                Some(text) => from_json(&text, "client metadata")?,
                None => ClientMetadata::default(),
            },
            registration_token: row
                .registration_token
                .map(|hash| hash_of(&hash, "registration token hash"))
                .transpose()?,
            created_at: Timestamp::from_unix(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_unix),
        })
    }
}

fn hash_of(stored: &[u8], what: &'static str) -> Result<HashedToken, PortError> {
    HashedToken::from_stored(stored).ok_or_else(|| damaged(what))
}

fn auth(row: &Model) -> Result<ClientAuth, PortError> {
    let method = match row.auth_method.as_str() {
        "none" => return Ok(ClientAuth::Public),
        "private_key_jwt" => return Ok(ClientAuth::PrivateKeyJwt),
        "client_secret_jwt" => {
            let sealed = row.secret_sealed.clone().ok_or_else(|| damaged("sealed secret"))?;
            return Ok(ClientAuth::SecretJwt(SealedSecret(sealed)));
        }
        "client_secret_basic" => SecretMethod::Basic,
        "client_secret_post" => SecretMethod::Post,
        _ => return Err(damaged("client authentication method")),
    };
    let secret = match (&row.secret_hash, &row.secret_phc) {
        (Some(hash), None) => SecretHash::Sha256(hash_of(hash, "client secret hash")?),
        (None, Some(phc)) => SecretHash::Argon2(phc.clone()),
        _ => return Err(damaged("client secret hash")),
    };
    Ok(ClientAuth::Secret(method, secret))
}

fn format_text(format: TokenFormat) -> String {
    match format {
        TokenFormat::Jwt(alg) => alg.as_str().to_owned(),
        TokenFormat::Opaque => "opaque".to_owned(),
    }
}

fn format(text: &str) -> Result<TokenFormat, PortError> {
    if text == "opaque" {
        return Ok(TokenFormat::Opaque);
    }
    SigningAlgorithm::parse(text).map(TokenFormat::Jwt).ok_or_else(|| damaged("token format"))
}
