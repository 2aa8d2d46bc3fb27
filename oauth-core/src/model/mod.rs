//! Floor 0: the values of the protocol. No I/O, no async, no clock.

mod alg;
mod authorization;
mod client;
mod client_metadata;
mod code;
mod id;
mod issuance;
mod key;
mod openid;
mod pending;
mod response;
mod rights;
mod scope;
mod secret;
mod time;
mod token;
mod uri;
mod user;

pub use alg::{
    ContentEncryption, JwsAlgorithm, KeyManagementAlgorithm, MacAlgorithm, SigningAlgorithm,
    VerificationAlgorithm,
};
pub use authorization::{Authorization, Consent, Epoch, NewAuthorization};
pub use client::{Client, ClientAuth, SealedSecret, SecretHash, SecretMethod, TokenFormat};
pub use client_metadata::{
    ApplicationType, ClientMetadata, Encryption, RequestObjectSigning, SubjectType,
};
pub use code::{AuthCode, CodeChallenge, NewCode};
pub use id::{AuthorizationId, ClientId, UserId};
pub use issuance::{Approval, Committed, Consume, Credential, Issuance, Parent};
pub use key::StoredKey;
pub use openid::{ClaimRequest, ClaimsRequest, LogoutNotice, OpenidContext, Participant};
pub use pending::PendingAuthorization;
pub use response::ResponseMode;
pub use rights::{Access, AccessRight};
pub use scope::Scope;
pub use secret::{HashedToken, PlainToken};
pub use time::Timestamp;
pub use token::{NewToken, Resource, Token, TokenKind};
pub use uri::{Issuer, RedirectUri, ResourceUri, UriProblem};
pub use user::{Login, Role, User, email_key};
