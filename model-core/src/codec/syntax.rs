//! The syntax of e-mail addresses and URLs, from crates that know it.

use email_address::{EmailAddress, Options};
use iri_string::types::IriStr;

/// RFC 5322 `addr-spec`, as the `email_address` crate reads it, with a domain that has a dot or is a literal.
pub(super) fn is_email(text: &str) -> bool {
    let options = Options::default().without_display_text().with_required_tld();
    EmailAddress::parse_with_options(text, options).is_ok()
}

/// An absolute URL with a host, a port that is one, and no white space: an IRI (RFC 3987, of which each URI of RFC 3986 is
/// one), as the `iri-string` crate reads it.
pub(super) fn is_url(text: &str) -> bool {
    let Ok(iri) = IriStr::new(text) else { return false };
    iri.authority_components().is_some_and(|authority| {
        let port = authority.port().unwrap_or_default();
        !authority.host().is_empty() && (port.is_empty() || port.parse::<u16>().is_ok())
    })
}
