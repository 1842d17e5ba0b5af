use model_core::prelude::*;

use super::Limits;
use crate::operator::{Ctx, policy};

/// How the bot works: one document.
#[derive(Clone, Model)]
#[model(collection = "settings", rename_all = "camelCase", global, singleton, audit)]
pub struct Settings {
    #[model(id)]
    pub id: Id<Settings>,
    #[model(legacy_plaintext)]
    pub bot_token: Option<Encrypted<String>>,
    #[model(default = false)]
    pub posting_enabled: bool,
    #[model(default = "UTC")]
    pub timezone: String,
    #[model(default)]
    pub default_limits: Limits,
    #[model(created_at)]
    pub created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Settings {
    policy!(read: is_anybody, write: is_admin, delete: is_admin);
}

impl Settings {
    /// `findOne` or create, whoever comes first.
    pub async fn load(ctx: &Ctx) -> Result<Self> {
        let service = ctx.dangerously_bypass_permissions("the first load makes the settings");
        Self::singleton(&service, NewSettings::default).await
    }
}
