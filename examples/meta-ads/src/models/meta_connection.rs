use model_core::prelude::*;

use crate::{Account, Ctx};

#[derive(Clone, Copy, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum ConnectionStatus {
    Active,
    Expired,
    Revoked,
}

/// A tenant's access to an ad account.
#[derive(Clone, Model)]
#[model(collection = "metaconnections", rename_all = "camelCase", audit(name = ad_account_id))]
#[model(index(status), index(created_at = desc, id = desc), index(ad_account_id, unique))]
#[model(virtuals(is_usable: bool))]
pub struct MetaConnection {
    pub id: Id<MetaConnection>,
    pub tenant_id: TenantId,
    #[model(pattern = "^act_[0-9]+$", readonly, filterable(eq))]
    pub ad_account_id: String,
    #[model(legacy_plaintext)]
    pub access_token: Encrypted<String>,
    #[model(legacy_plaintext)]
    pub refresh_token: Option<Encrypted<String>>,
    #[model(default, items(..=50), len(1..=80))]
    pub scopes: Vec<String>,
    pub expires_at: Option<DateTime<Utc>>,
    #[model(default = ConnectionStatus::Active, filterable)]
    pub status: ConnectionStatus,
    #[model(sortable)]
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub revision: Revision,
}

impl BaseModel for MetaConnection {
    policy!(Account, read: true, create, update, delete: is_admin);
}

impl MetaConnection {
    pub fn is_usable(&self) -> bool {
        self.status == ConnectionStatus::Active
    }

    /// The token for a call of Meta's API: the service's own, no person's.
    pub async fn token(service: &Ctx, id: &Id<Self>) -> Result<Secret<String>> {
        let connection = Self::fetch(service, id).await?;
        if !service.actor().is_service() || !connection.is_usable() {
            return Err(Error::refused("the connection is not to be used"));
        }
        connection.access_token.reveal(service).await
    }

    /// Stores the tokens of a renewal, together.
    pub async fn renew(
        ctx: &Ctx,
        id: &Id<Self>,
        access: &str,
        refresh: &str,
        until: DateTime<Utc>,
    ) -> Result<Self> {
        let patch = MetaConnectionPatch {
            access_token: Set(Secret::from(access)),
            refresh_token: Set(Some(Secret::from(refresh))),
            expires_at: Set(Some(until)),
            status: Set(ConnectionStatus::Active),
            ..Default::default()
        };
        Self::update(ctx, id, patch).await
    }
}
