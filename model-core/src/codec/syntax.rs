//! The syntax of e-mail addresses and URLs, from crates that know it.

use email_address::{EmailAddress, Options};

/// RFC 5322 `addr-spec`, as the `email_address` crate reads it, with a domain that has a dot or is a literal.
pub(super) fn is_email(text: &str) -> bool {
    let options = Options::default().without_display_text().with_required_tld();
    EmailAddress::parse_with_options(text, options).is_ok()
}

/// An absolute URL with a host, as the `url` crate (WHATWG) reads it.
pub(super) fn is_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.has_host())
}
