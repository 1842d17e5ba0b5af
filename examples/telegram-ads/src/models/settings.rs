use model_core::prelude::*;

use super::Limits;
use crate::operator::{Ctx, Operator};

/// How the bot works: one document.
#[derive(Clone, Model)]
#[model(collection = "settings", rename_all = "camelCase", global, singleton, audit)]
pub struct Settings {
    pub id: Id<Settings>,
    #[model(legacy_plaintext)]
    pub bot_token: Option<Encrypted<String>>,
    #[model(default = false)]
    pub posting_enabled: bool,
    #[model(default = "UTC")]
    pub timezone: String,
    #[model(default)]
    pub default_limits: Limits,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Settings {
    policy!(Operator, read: true, create, update, delete: is_admin);
}

impl Settings {
    /// `findOne` or create, whoever comes first.
    pub async fn load(ctx: &Ctx) -> Result<Self> {
        let service = ctx.dangerously_bypass_permissions("the first load makes the settings");
        Self::singleton(&service, NewSettings::default).await
    }
}
