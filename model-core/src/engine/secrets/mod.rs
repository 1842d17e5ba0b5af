//! Secrets in stored documents: sealed on the way in, found again by tokens, moved from key to key.

pub(in crate::engine) mod blind;
pub(in crate::engine) mod document_seal;
pub(in crate::engine) mod inspect;
pub(in crate::engine) mod keys;
pub(in crate::engine) mod rebind;
pub(in crate::engine) mod reencrypt;
pub(in crate::engine) mod report;
pub(in crate::engine) mod reseal;
pub(in crate::engine) mod rotate;
pub(in crate::engine) mod seal;
pub(in crate::engine) mod sealed;
pub(in crate::engine) mod sift;
pub(in crate::engine) mod upgrade;
