use chrono::TimeDelta;
use model_core::prelude::*;

use super::User;
use crate::{Account, Door};

/// A client that is signed in.
#[derive(Clone, Model)]
#[model(collection = "sessions", rename_all = "camelCase")]
pub struct Session {
    pub id: Id<Session>,
    pub tenant_id: TenantId,
    #[model(readonly)]
    pub user_id: Id<User>,
    #[model(unique(global))]
    pub token: TokenDigest,
    #[model(ttl = "0s")]
    pub expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

impl BaseModel for Session {
    policy!(Account, read, create, update, delete: is_service);
}

impl Session {
    /// Opens a session; the token goes to the client, and is kept nowhere.
    pub async fn open(service: &Door, user: &User) -> Result<Token> {
        let token = Token::generate()?;
        let new = NewSession {
            user_id: user.id.clone(),
            token: token.clone(),
            expires_at: service.now() + TimeDelta::hours(12),
        };
        Self::create(&service.enter(user.tenant_id.clone()), new).await?;
        Ok(token)
    }

    /// The user behind a token, as long as the session lives.
    pub async fn user(service: &Door, token: &Token) -> Result<Option<User>> {
        match Self::find_unique(service, |s| s.token.lookup_token(token)).await? {
            Some(session) if session.expires_at > service.now() => {
                User::get(&service.enter(session.tenant_id), &session.user_id).await
            }
            _ => Ok(None),
        }
    }
}
