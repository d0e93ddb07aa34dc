//! Who asks: a token says it (RFC 7519), or else everyone is the one local user.
//!
//! A token comes in `hello` or in the `Authorization` header (RFC 6750, section 2.1), never in a URL: addresses are logged.
//! Nothing here knows what a user may do with a conversation; that is `log::authorise`.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use riacho_protocol::ErrorCode;
use serde::Deserialize;

use crate::log::User;
use crate::revocation::{self, Revocations, TokenId};
use crate::secret::Secret;

/// RFC 7518, section 3.2: a key of HS256 has as many bits as its hash.
const MIN_SECRET_BYTES: usize = 32;
/// The longest `sub`, in bytes: it is stored with every conversation.
const MAX_SUB_BYTES: usize = 256;
/// In `scope` (RFC 8693, section 4.2): the bearer may take tokens back.
const ADMIN_SCOPE: &str = "riacho:admin";
/// The bearer may read the metrics; whoever has the other one may, too.
const METRICS_SCOPE: &str = "riacho:metrics";

/// How tokens are checked. Without a key nobody is asked for one.
#[derive(Debug, Clone)]
pub struct AuthSettings {
    pub key: Option<TokenKey>,
    /// What `iss` must be.
    pub issuer: Option<String>,
    /// What `aud` must hold. A token that names an audience is refused where none is set.
    pub audience: Option<String>,
    /// How far the clocks of two machines may differ.
    pub leeway: Duration,
    /// A file of tokens that were taken back, a JSON object a line; it is read again when it changes.
    pub revoked: Option<PathBuf>,
}

impl Default for AuthSettings {
    fn default() -> Self {
        Self { key: None, issuer: None, audience: None, leeway: Duration::from_secs(30), revoked: None }
    }
}

/// What signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKey {
    /// HS256: the issuer and the relay share a secret of at least 32 bytes.
    Secret(Secret),
    /// EdDSA: the Ed25519 public key of the issuer, as PEM (SubjectPublicKeyInfo).
    Ed25519Pem(String),
}

/// Why tokens can't be checked as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("the secret for tokens has {0} bytes; HS256 asks for at least {MIN_SECRET_BYTES}")]
    ShortSecret(usize),
    #[error("the public key for tokens is no Ed25519 key in PEM: {0}")]
    Key(#[from] jsonwebtoken::errors::Error),
    #[error(transparent)]
    Revoked(#[from] revocation::FileError),
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("this relay asks for a token")]
    Missing,
    #[error("the token is no good: {0}")]
    Wrong(&'static str),
    #[error("the token has expired; fetch a new one")]
    Expired,
    #[error("the token was taken back")]
    Revoked,
}

impl Denied {
    pub fn code(&self) -> ErrorCode {
        match self {
            Denied::Missing | Denied::Wrong(_) => ErrorCode::Unauthorized,
            Denied::Expired => ErrorCode::TokenExpired,
            Denied::Revoked => ErrorCode::TokenRevoked,
        }
    }
}

/// Who asks, and until when.
#[derive(Debug, Clone)]
pub struct Caller {
    pub user: User,
    /// The last moment of the token.
    pub expires: Option<SystemTime>,
    pub is_admin: bool,
    pub may_scrape: bool,
    token: Option<TokenId>,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
    #[serde(default)]
    iat: Option<f64>,
    #[serde(default)]
    jti: Option<String>,
    #[serde(default)]
    scope: String,
}

/// Checks tokens.
pub struct Authenticator {
    check: Option<(DecodingKey, Validation)>,
    pub revocations: Revocations,
}

impl Authenticator {
    /// # Errors
    /// [`AuthError`] when a key or the file of revocations is no good.
    pub fn new(settings: &AuthSettings) -> Result<Self, AuthError> {
        let key = match &settings.key {
            None => None,
            Some(TokenKey::Secret(secret)) if secret.expose().len() < MIN_SECRET_BYTES => {
                return Err(AuthError::ShortSecret(secret.expose().len()));
            }
            Some(TokenKey::Secret(secret)) => {
                Some((DecodingKey::from_secret(secret.expose().as_bytes()), Algorithm::HS256))
            }
            Some(TokenKey::Ed25519Pem(pem)) => {
                Some((DecodingKey::from_ed_pem(pem.as_bytes())?, Algorithm::EdDSA))
            }
        };
        let check = key.map(|(key, algorithm)| {
            // One algorithm, ours: a token that names another is not looked at.
            let mut validation = Validation::new(algorithm);
            validation.leeway = settings.leeway.as_secs();
            validation.validate_nbf = true;
            validation.aud = settings.audience.clone().map(|audience| HashSet::from([audience]));
            validation.iss = settings.issuer.clone().map(|issuer| HashSet::from([issuer]));
            let required = [Some("exp"), Some("sub"), settings.audience.as_ref().map(|_| "aud")];
            let issuer = settings.issuer.as_ref().map(|_| "iss");
            validation.required_spec_claims =
                required.into_iter().chain([issuer]).flatten().map(str::to_owned).collect();
            (key, validation)
        });
        Ok(Self { check, revocations: Revocations::open(settings.revoked.clone())? })
    }

    /// Without a token nobody comes in.
    pub fn asks_for_tokens(&self) -> bool {
        self.check.is_some()
    }

    /// Who bears this token.
    pub fn caller(&self, token: Option<&str>) -> Result<Caller, Denied> {
        let Some((key, validation)) = &self.check else {
            return Ok(Caller {
                user: User::local(),
                expires: None,
                is_admin: false,
                may_scrape: false,
                token: None,
            });
        };
        let token = token.ok_or(Denied::Missing)?;
        let claims = decode::<Claims>(token, key, validation).map_err(|error| wrong(error.kind()))?.claims;
        if claims.sub.is_empty() || claims.sub.len() > MAX_SUB_BYTES {
            return Err(Denied::Wrong("its sub is empty or too long"));
        }
        let user = User::named(&claims.sub);
        let id = TokenId { sub: claims.sub, jti: claims.jti, issued_at: seconds(claims.iat) };
        if self.revocations.holds(&id) {
            return Err(Denied::Revoked);
        }
        let has = |wanted| claims.scope.split(' ').any(|scope| scope == wanted);
        let last = Duration::from_secs(claims.exp.saturating_add(validation.leeway));
        Ok(Caller {
            user,
            expires: UNIX_EPOCH.checked_add(last),
            is_admin: has(ADMIN_SCOPE),
            may_scrape: has(ADMIN_SCOPE) || has(METRICS_SCOPE),
            token: Some(id),
        })
    }

    /// Who bears the token in the header, if there is one.
    pub fn by_header(&self, headers: &HeaderMap) -> Result<Option<Caller>, Denied> {
        let Some(header) = headers.get(AUTHORIZATION) else { return Ok(None) };
        if !self.asks_for_tokens() {
            return Ok(None); // Somebody else's, such as a proxy's in front of us.
        }
        let header = header.to_str().map_err(|_| Denied::Wrong("the header is no text"))?;
        let (scheme, token) = header.split_once(' ').unwrap_or((header, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Denied::Wrong("the Authorization header is no bearer token"));
        }
        self.caller(Some(token.trim())).map(Some)
    }

    /// As it is now: a token that was good may have been taken back, or be over.
    pub fn still(&self, caller: &Caller) -> Result<(), Denied> {
        if caller.token.as_ref().is_some_and(|token| self.revocations.holds(token)) {
            return Err(Denied::Revoked);
        }
        match caller.expires {
            Some(last) if last <= SystemTime::now() => Err(Denied::Expired),
            _ => Ok(()),
        }
    }
}

impl Caller {
    /// How long the token is still good; for ever without one.
    pub fn time_left(&self) -> Option<Duration> {
        self.expires.map(|last| last.duration_since(SystemTime::now()).unwrap_or_default())
    }
}

/// A `NumericDate` may have a fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float becomes the nearest u64")]
fn seconds(date: Option<f64>) -> u64 {
    date.map_or(0, |seconds| seconds as u64)
}

/// In words that never quote the token.
fn wrong(kind: &ErrorKind) -> Denied {
    Denied::Wrong(match kind {
        ErrorKind::ExpiredSignature => return Denied::Expired,
        ErrorKind::ImmatureSignature => "it is not valid yet (nbf)",
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::InvalidAlgorithm | ErrorKind::UnsupportedAlgorithm => "it is signed in another way",
        ErrorKind::InvalidIssuer => "it is of another issuer (iss)",
        ErrorKind::InvalidAudience => "it is meant for someone else (aud)",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of exp, sub, iss and aud",
        _ => "it is no JSON Web Token",
    })
}
