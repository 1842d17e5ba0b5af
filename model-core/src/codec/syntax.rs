//! The syntax of e-mail addresses and URLs, from crates that know it.

use email_address::{EmailAddress, Options};
use iri_string::types::IriStr;
use zeroize::Zeroizing;

/// RFC 5322 `addr-spec`, as the `email_address` crate reads it, with a domain that has a dot or is a literal.
pub(super) fn is_email(text: &str) -> bool {
    let options = Options::default().without_display_text().with_required_tld();
    EmailAddress::parse_with_options(text, options).is_ok()
}

/// An absolute URL with a host, and with a port that is one: an IRI (RFC 3987, of which each URI of RFC 3986 is one), as the
/// `iri-string` crate reads it. Behind the host may stand what the RFCs would have escaped and people use: `?filter[name]=100%`.
pub(super) fn is_url(text: &str) -> bool {
    // RFC 3987, section 4.1, forbids the characters that turn the direction of writing: they make one host look as another.
    let misleads = |c: char| {
        c.is_whitespace()
            || matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    if text.contains(misleads) {
        return false;
    }
    let host_ends = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (before, behind) = text.split_at(scheme.len() + "://".len() + host_ends);
    // In one piece that is wiped: the text may be a secret.
    let mut strict = Zeroizing::new(String::with_capacity(text.len()));
    strict.push_str(before);
    strict.extend(behind.chars().map(|character| match character {
        '[' | ']' | '{' | '}' | '|' | '^' | '`' | '%' => '_',
        '#' => '?',
        other => other,
    }));
    let Ok(iri) = IriStr::new(&strict) else {
        return false;
    };
    iri.authority_components().is_some_and(|authority| {
        let (host, port) = (authority.host(), authority.port().unwrap_or_default());
        !host.is_empty() && !host.contains('%') && (port.is_empty() || port.parse::<u16>().is_ok())
    })
}
