//! What a client can say beyond the essentials, in words: the fields under "More", in groups.

use crate::registration::Field;

/// How a field is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// One line.
    Line,
    /// An address.
    Address,
    /// A number of seconds.
    Seconds,
    /// One on each line.
    Lines,
    /// A JWK set.
    Keys,
    /// One of those that are offered.
    Choice,
    /// Yes or no.
    Tick,
}

/// A field in words.
pub(super) struct Words {
    pub(super) field: Field,
    pub(super) kind: Kind,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
}

/// Fields that belong together.
pub(super) struct Group {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// Whether it says nothing where OpenID Connect is not spoken.
    pub(super) openid: bool,
    pub(super) fields: &'static [Words],
}

const fn words(field: Field, kind: Kind, label: &'static str, hint: &'static str) -> Words {
    Words { field, kind, label, hint }
}

/// All of them, in the order of the page.
pub(super) const GROUPS: &[Group] = &[
    Group { id: "more-keys", title: "Its keys", openid: false, fields: KEYS },
    Group { id: "more-access", title: "Access tokens", openid: false, fields: ACCESS },
    Group { id: "more-identity", title: "Id tokens and userinfo", openid: true, fields: IDENTITY },
    Group { id: "more-sign-in", title: "Signing in", openid: true, fields: SIGN_IN },
    Group { id: "more-requests", title: "Request objects", openid: false, fields: REQUESTS },
    Group { id: "more-logout", title: "Signing out", openid: true, fields: LOGOUT },
    Group { id: "more-about", title: "About the client", openid: false, fields: ABOUT },
];

const KEYS: &[Words] = &[
    words(
        Field::Jwks,
        Kind::Keys,
        "Public keys",
        "A JWK set. With its keys the client proves who it is, signs request objects, and opens what is encrypted for it. Public keys only.",
    ),
    words(
        Field::JwksUri,
        Kind::Address,
        "Address of the public keys",
        "Where the client publishes them, instead of giving them here; it can then change them by itself.",
    ),
    words(
        Field::AuthSigning,
        Kind::Choice,
        "Algorithm it proves itself with",
        "Only for a client that proves who it is by a JWT.",
    ),
];

const ACCESS: &[Words] = &[
    words(
        Field::AccessTokenFormat,
        Kind::Choice,
        "Form of access tokens",
        "Services check a JWT by themselves; about an opaque token they ask this server each time.",
    ),
    words(
        Field::AccessTokenTtl,
        Kind::Seconds,
        "Seconds an access token is valid",
        "Empty for as long as is usual here.",
    ),
];

const IDENTITY: &[Words] = &[
    words(
        Field::SubjectType,
        Kind::Choice,
        "What people are called",
        "With names of its own, the client cannot find out with other clients who is the same person.",
    ),
    words(
        Field::SectorIdentifierUri,
        Kind::Address,
        "Sector identifier",
        "Clients that call people by the same names of their own publish one list of all their redirect URIs, a JSON array, at this address.",
    ),
    words(
        Field::IdTokenSigning,
        Kind::Choice,
        "Id tokens are signed with",
        "The client must be able to verify it.",
    ),
    words(
        Field::IdTokenEncryption,
        Kind::Choice,
        "Id tokens are encrypted with",
        "How the key of an encrypted id token reaches the client. It needs a public key that fits.",
    ),
    words(
        Field::IdTokenContentEncryption,
        Kind::Choice,
        "Content encryption of id tokens",
        "Only for id tokens that are encrypted.",
    ),
    words(
        Field::UserinfoSigning,
        Kind::Choice,
        "Userinfo is signed with",
        "A signed answer of the userinfo endpoint is a JWT.",
    ),
    words(
        Field::UserinfoEncryption,
        Kind::Choice,
        "Userinfo is encrypted with",
        "How the key of an encrypted answer reaches the client. It needs a public key that fits.",
    ),
    words(
        Field::UserinfoContentEncryption,
        Kind::Choice,
        "Content encryption of userinfo",
        "Only for answers that are encrypted.",
    ),
];

const SIGN_IN: &[Words] = &[
    words(
        Field::DefaultMaxAge,
        Kind::Seconds,
        "Seconds after which people sign in again",
        "Whoever signed in longer ago does so anew, unless a request says otherwise. Empty for no limit.",
    ),
    words(
        Field::RequireAuthTime,
        Kind::Tick,
        "Always say when somebody signed in",
        "Every id token then has the claim auth_time.",
    ),
    words(
        Field::DefaultAcrValues,
        Kind::Lines,
        "How people are to sign in",
        "Values of acr, one on each line, the one that is liked best first. They are wishes.",
    ),
    words(
        Field::InitiateLoginUri,
        Kind::Address,
        "Where signing in begins",
        "A page of the client to which people can be sent from elsewhere to sign in to it.",
    ),
];

const REQUESTS: &[Words] = &[
    words(
        Field::RequestObjectSigning,
        Kind::Choice,
        "Request objects are signed with",
        "A client can put what it asks for into a JWT. This is the one algorithm that is then accepted.",
    ),
    words(
        Field::RequireSignedRequestObject,
        Kind::Tick,
        "Only signed request objects",
        "A request with plain parameters is refused.",
    ),
    words(
        Field::RequestUris,
        Kind::Lines,
        "Addresses of request objects",
        "Where this server may fetch them from, one on each line.",
    ),
];

const LOGOUT: &[Words] = &[
    words(
        Field::PostLogoutRedirectUris,
        Kind::Lines,
        "Where people go after signing out",
        "One address on each line. A request to sign out must repeat one of them letter for letter.",
    ),
    words(
        Field::FrontchannelLogoutUri,
        Kind::Address,
        "Page that signs people out",
        "It is opened in their browser, in a frame. It has the scheme, the host and the port of a redirect URI.",
    ),
    words(
        Field::FrontchannelLogoutSessionRequired,
        Kind::Tick,
        "Tell the page which session is over",
        "It is then opened with iss and sid.",
    ),
    words(
        Field::BackchannelLogoutUri,
        Kind::Address,
        "Address that is told when people sign out",
        "This server sends a logout token there; no browser is needed.",
    ),
    words(
        Field::BackchannelLogoutSessionRequired,
        Kind::Tick,
        "Tell the address which session is over",
        "The logout token then always has a sid.",
    ),
];

const ABOUT: &[Words] = &[
    words(
        Field::LogoUri,
        Kind::Address,
        "Logo",
        "A picture that people see when they are asked to allow the client.",
    ),
    words(
        Field::PolicyUri,
        Kind::Address,
        "Privacy policy",
        "People find it when they are asked to allow the client.",
    ),
    words(
        Field::TosUri,
        Kind::Address,
        "Terms of service",
        "People find them when they are asked to allow the client.",
    ),
    words(
        Field::Contacts,
        Kind::Lines,
        "Contacts",
        "Whom to turn to about the client, such as mail addresses, one on each line.",
    ),
    words(
        Field::ApplicationType,
        Kind::Choice,
        "Kind of application",
        "It decides which redirect URIs are allowed.",
    ),
    words(
        Field::SoftwareId,
        Kind::Line,
        "Software identifier",
        "The same for every installation of a program.",
    ),
    words(
        Field::SoftwareVersion,
        Kind::Line,
        "Software version",
        "It says which version of the program this is.",
    ),
];
