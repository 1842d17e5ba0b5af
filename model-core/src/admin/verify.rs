//! `verify`.

use serde_json::{Value, json};

use super::Admin;
use super::command::Scope;
use super::outcome::{Outcome, Status, lines, values};
use super::progress::Watch;
use crate::engine::{CheckReport, SecretsReport};
use crate::error::Result;
use crate::policy::Actor;
use crate::value::TenantId;

/// What was found in one model, for one tenant or for none.
struct Found {
    read: CheckReport,
    secrets: SecretsReport,
}

pub(super) async fn carry_out<A: Actor>(admin: &Admin<A>, scope: &Scope, watch: &Watch) -> Result<Outcome> {
    let ctx = admin.bypassing("verify");
    let (mut text, mut all, mut any) = (String::new(), Vec::new(), false);
    'all: for model in admin.chosen(&scope.models)? {
        let schema = model.schema();
        let is_global = schema.tenant_field().is_none();
        let tenants: Vec<Option<TenantId>> = match &scope.tenant {
            Some(_) if is_global => continue,
            Some(tenant) => vec![Some(tenant.clone())],
            None if is_global => vec![None],
            None => model.tenants(&ctx).await?.into_iter().map(Some).collect(),
        };
        if tenants.is_empty() {
            text.push_str(&format!("{}: no documents\n", schema.name));
        }
        for tenant in tenants {
            if watch.is_stopped() {
                break 'all;
            }
            let mut found = Found {
                read: model.check(&ctx, tenant.as_ref(), watch).await?,
                secrets: SecretsReport::default(),
            };
            if schema.has_encrypted() || schema.seal.is_some() {
                found.secrets = model.inspect(&ctx, tenant.as_ref()).await?;
            }
            any |= found.is_bad();
            text.push_str(&found.line(schema.name, tenant.as_ref()));
            all.push(found.value(schema.name, tenant.as_ref()));
        }
    }
    let status = if watch.is_stopped() {
        text.push_str("stopped\n");
        Status::Stopped
    } else {
        Status::found(any)
    };
    Ok(Outcome::new(text, Value::from(all), status))
}

impl Found {
    /// Older documents are no fault: they are read.
    fn is_bad(&self) -> bool {
        self.read.unreadable > 0
            || self.read.dangling > 0
            || self.secrets.plaintext > 0
            || self.secrets.malformed > 0
            || self.secrets.unsealed > 0
            || self.secrets.broken_seals > 0
    }

    fn line(&self, model: &str, tenant: Option<&TenantId>) -> String {
        let of = tenant.map(|tenant| format!(" of {tenant}")).unwrap_or_default();
        let SecretsReport {
            plaintext,
            malformed,
            outdated,
            outdated_seals,
            unsealed,
            broken_seals,
            ..
        } = self.secrets;
        let mut secrets = if self.secrets == SecretsReport::default() {
            String::new()
        } else {
            format!("; secrets: {plaintext} in the clear, {malformed} malformed, {outdated} under older keys")
        };
        if outdated_seals + unsealed + broken_seals > 0 {
            secrets += &format!(
                "; seals: {broken_seals} broken, {unsealed} missing, {outdated_seals} by older keys"
            );
        }
        format!(
            "{model}{of}: {}{secrets}{}\n",
            self.read,
            lines(&self.read.errors)
        )
    }

    fn value(&self, model: &str, tenant: Option<&TenantId>) -> Value {
        json!({
            "model": model, "tenant": tenant.map(ToString::to_string), "documents": self.read.scanned,
            "older": self.read.older, "unreadable": self.read.unreadable, "dangling": self.read.dangling,
            "errors": values(&self.read.errors),
            "plaintext": self.secrets.plaintext, "malformed": self.secrets.malformed,
            "outdated": self.secrets.outdated, "outdated_seals": self.secrets.outdated_seals,
            "unsealed": self.secrets.unsealed, "broken_seals": self.secrets.broken_seals,
        })
    }
}
