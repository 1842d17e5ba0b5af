//! Users, and what they have paid.

use model_core::prelude::*;

use super::old::Old;

/// The hash of the password stays: it is compared as it is, and replaced with the next login.
pub(super) fn user(mut old: Old) -> Result<Old> {
    old.new_id();
    let email = old.text("email")?;
    let email = email.ok_or_else(|| Error::refused("a user without an e-mail"))?;
    old.put("email", email.trim().to_lowercase());
    old.keep(&["password", "name", "username", "avatar"]);
    let verified = old.flag("emailVerified")?;
    old.put("emailVerified", verified);
    old.choice("role", "role", "user")?;
    old.choice("tier", "tier", "free")?;
    old.choice("provider", "provider", "local")?;
    let mut preferences = old.part("preferences")?;
    preferences.keep(&["fontSize", "theme", "language"]);
    for (field, value) in [
        ("fontSize", "text-base"),
        ("theme", "system"),
        ("language", "en-US"),
    ] {
        preferences.default(field, value);
    }
    old.put("preferences", preferences.into_part()?);
    Ok(old)
}

/// Amounts were in the currency's main unit, and are in its smallest now, as Stripe has them.
pub(super) fn transaction(mut old: Old) -> Result<Old> {
    old.new_id();
    old.rename("user", "userId");
    old.keep(&["stripeSessionId", "stripeCustomerId", "productId", "productName"]);
    let currency = old
        .text("currency")?
        .map_or_else(|| "usd".to_owned(), |c| c.to_lowercase());
    let amount = old.number("amount")?;
    let amount = amount.ok_or_else(|| Error::refused("a transaction without an amount"))?;
    old.put("amount", minor_units(amount, &currency)?);
    old.put("currency", currency);
    let status = match old.text("status")?.as_deref() {
        Some("completed" | "complete" | "paid" | "succeeded") => "completed",
        Some("failed" | "canceled") => "failed",
        Some("pending" | "open") | None => "pending",
        Some(_) => return Err(Error::refused("a transaction of an unknown `status`")),
    };
    old.put("status", status);
    old.choice("type", "type", "one_time")?;
    Ok(old)
}

/// Currencies of Stripe's that have no smaller unit.
const WHOLE: [&str; 16] = [
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof",
    "xpf",
];

fn minor_units(amount: f64, currency: &str) -> Result<i64> {
    let exact = amount * if WHOLE.contains(&currency) { 1.0 } else { 100.0 };
    let rounded = exact.round();
    if (exact - rounded).abs() > 1e-6 * exact.abs().max(1.0) || !(0.0..9e15).contains(&rounded) {
        return Err(Error::refused("`amount` is none that the currency has"));
    }
    #[allow(clippy::cast_possible_truncation, reason = "it is whole, and in range")]
    Ok(rounded as i64)
}
