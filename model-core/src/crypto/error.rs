//! What can go wrong, without ever saying with which value.

/// A failure of encryption, of its keys, or of password hashing.
///
/// No variant carries a plaintext, a ciphertext, a key, a password or a hash, so that an error can be logged as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CryptoError {
    /// The bytes do not start with the magic byte of an envelope.
    #[error(
        "not a ciphertext of this library: the field holds other binary data; encrypt it with a migration"
    )]
    NotCiphertext,
    /// The envelope is shorter than its fixed parts.
    #[error("the ciphertext is truncated: restore the field from a backup")]
    Truncated,
    /// The envelope names a suite that this version does not know.
    #[error(
        "unknown cipher suite {0:#04x}: upgrade model-core, or restore the field if nothing newer wrote it"
    )]
    UnknownSuite(u8),
    /// The envelope's suite is known, but not allowed for this field.
    #[error(
        "the ciphertext uses a cipher suite that this field does not allow: re-encrypt it, or allow the suite"
    )]
    SuiteForbidden,
    /// No row of the key store has this id.
    #[error(
        "unknown key {id8}…: retry after the keys have spread; if it stays, its row is missing from the key store"
    )]
    UnknownKey {
        /// The first eight hexadecimal digits of the key's id.
        id8: String,
    },
    /// The key is disabled.
    #[error("the key is disabled: enable it to read what it sealed")]
    KeyDisabled,
    /// The key was destroyed, and with it everything it sealed.
    #[error("the key was destroyed: what it sealed is erased for good")]
    KeyDestroyed,
    /// The key belongs to another tenant, realm or purpose than the value.
    #[error("the key belongs to another tenant, realm or purpose: a value or a key row was moved")]
    KeyScope,
    /// The unwrapped key does not hash to the id of its row.
    #[error(
        "the unwrapped key does not match its id: the key row was altered, or another key was wrapped into it"
    )]
    KeyIdMismatch,
    /// The authentication tag does not match.
    #[error("the ciphertext does not authenticate: it was altered, or moved from another place")]
    Tampered,
    /// The seal of a document does not match what it is over.
    #[error(
        "the document's seal does not hold: a sealed field was altered, put back or moved by something else than this library"
    )]
    SealInvalid,
    /// A document without a seal, where every one has one.
    #[error(
        "the document has no seal over these fields: it was taken off, or the document is older than the seal (`unsealed_until`)"
    )]
    SealMissing,
    /// The plaintext authenticated but is not what the format says.
    #[error("the decrypted value does not decode: the type of the field changed; migrate its values")]
    Decode,
    /// The provider of the key-encryption key failed.
    #[error(
        "the key provider `{provider}` failed: check that it can be reached and that its permissions are in order"
    )]
    KeyProvider {
        /// The provider's name.
        provider: String,
        /// Whether the same call may work later.
        retryable: bool,
    },
    /// The operating system gave no randomness.
    #[error("the operating system's random number generator failed: nothing was encrypted")]
    Rng,
    /// There is no key to seal with.
    #[error("no primary key: create or promote one before writing encrypted fields")]
    NoPrimaryKey,
    /// The key is all zeros, one repeated byte, or printable text.
    #[error("weak key: use 32 random bytes, for example `openssl rand -hex 32`")]
    WeakKey,
    /// The value, padding included, is larger than an envelope may hold.
    #[error("the value is too large to encrypt in a field: the limit is 8 MiB")]
    TooLarge,
    /// A stored hash asks for more memory, passes, lanes or length than the policy allows.
    #[error("the stored password hash exceeds the policy's bounds: reset this password, or raise the bounds")]
    HashPolicy,
    /// A value that another system encrypted does not open.
    #[error(
        "the value of an old format does not open: it was altered, or the key is not the one that it was made with"
    )]
    OldFormat,
    /// A stored hash is of a scheme that is not supported.
    #[error("the stored password hash is of an unsupported scheme: reset this password")]
    UnsupportedHash,
    /// A stored hash names a pepper that the hasher does not know.
    #[error("the stored password hash names a pepper that is not known here: give it to `Peppers`")]
    UnknownPepper,
    /// A stored hash is not a PHC string.
    #[error("the stored password hash is malformed: reset this password")]
    MalformedHash,
    /// Too many password operations at once.
    #[error("too many password operations at once: answer 503 with Retry-After")]
    HasherBusy,
    /// A new password is too short or too long.
    #[error("a password has 8 to 1024 bytes")]
    PasswordLength,
    /// The key store failed; the text says how, and holds no value.
    #[error("the key store failed: {0}")]
    Store(String),
    /// A key row lacks a field or has one of the wrong type.
    #[error("malformed key row: field `{field}`; restore the row from a backup")]
    MalformedKeyRow {
        /// The name of the field.
        field: &'static str,
    },
    /// The bytes that say where a value lives do not parse.
    #[error("malformed origin of an encrypted value: this is a bug in model-core, please report it")]
    MalformedOrigin,
    /// No key where one was to be read.
    #[error(
        "no key in environment variable `{name}`: set it to 32 random bytes as 64 hex digits or as base64"
    )]
    KeySource {
        /// The name of the environment variable.
        name: String,
    },
    /// A keyring or a password hasher was configured with what cannot work.
    #[error("invalid configuration: {0}")]
    Config(&'static str),
}

impl CryptoError {
    /// Whether the same operation may succeed later without anything being repaired.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::UnknownKey { .. } | Self::HasherBusy | Self::Store(_) => true,
            Self::KeyProvider { retryable, .. } => *retryable,
            _ => false,
        }
    }

    /// Whether someone may have altered the database: worth an alert, not only a log line.
    pub fn is_security_event(&self) -> bool {
        matches!(
            self,
            Self::Tampered
                | Self::KeyScope
                | Self::KeyIdMismatch
                | Self::SuiteForbidden
                | Self::HashPolicy
                | Self::SealInvalid
                | Self::SealMissing
        )
    }
}
