use chrono::TimeDelta;
use model_core::prelude::*;

use super::User;
use crate::operator::{Ctx, Operator};

/// A browser that is signed in: the token is in its HTTP-only cookie, its digest here.
#[derive(Clone, Model)]
#[model(collection = "sessions", rename_all = "camelCase", global)]
pub struct Session {
    pub id: Id<Session>,
    #[model(index, readonly)]
    pub user_id: Id<User>,
    #[model(unique)]
    pub token: TokenDigest,
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
    #[model(ttl = "0s")]
    pub expires_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
}

impl BaseModel for Session {
    policy!(Operator, read, create, update, delete: is_bot);
}

impl Session {
    const LIFE: TimeDelta = TimeDelta::days(7);

    /// Opens a session; the token goes into the cookie, and is shown nowhere else.
    pub async fn open(bot: &Ctx, user: &Id<User>) -> Result<Token> {
        let token = Token::generate()?;
        let new = NewSession {
            user_id: user.clone(),
            token: token.clone(),
            expires_at: bot.now() + Self::LIFE,
            optional: NewSessionOptional {
                ip_address: bot.request().ip.clone(),
                user_agent: bot.request().user_agent.clone(),
            },
        };
        Self::create(bot, new).await?;
        Ok(token)
    }

    /// Whose session it is. The server removes an expired one within a minute; until then it is refused here.
    pub async fn operator(bot: &Ctx, token: &Token) -> Result<Option<Operator>> {
        let now = bot.now();
        let open = Self::query(bot).filter(|s| s.token.is(token) & s.expires_at.gt(now));
        let Some(session) = open.first().await? else {
            return Ok(None);
        };
        let user = User::get(bot, &session.user_id).await?;
        Ok(user.as_ref().map(Operator::person))
    }

    /// Signs out everywhere.
    pub async fn close_all(bot: &Ctx, user: &Id<User>) -> Result<u64> {
        Ok(Self::delete_many(bot, |s| s.user_id.eq(user)).await?.written)
    }
}
