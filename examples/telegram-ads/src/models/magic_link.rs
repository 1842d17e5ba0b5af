use chrono::TimeDelta;
use model_core::prelude::*;

use super::{AuditLog, Session, User};
use crate::operator::{Ctx, Operator};

/// A link in a mail: good for 15 minutes, and for one sign-in.
#[derive(Clone, Model)]
#[model(collection = "magiclinks", rename_all = "camelCase", global)]
pub struct MagicLink {
    pub id: Id<MagicLink>,
    #[model(readonly)]
    pub user_id: Id<User>,
    #[model(unique)]
    pub token: TokenDigest,
    pub used_at: Option<DateTime<Utc>>,
    #[model(ttl = "15m")]
    pub created_at: DateTime<Utc>,
}

impl BaseModel for MagicLink {
    policy!(Operator, read, create, update, delete: is_bot);
}

impl MagicLink {
    const LIFE: TimeDelta = TimeDelta::minutes(15);

    /// Makes a link for this e-mail; none for a stranger, which the answer must not tell.
    pub async fn send(bot: &Ctx, email: &str) -> Result<Option<Token>> {
        let Some(user) = User::get_by(bot, |u| u.email.eq(email)).await? else {
            return Ok(None);
        };
        let token = Token::generate()?;
        let new = NewMagicLink {
            user_id: user.id,
            token: token.clone(),
            optional: NewMagicLinkOptional::default(),
        };
        Self::create(bot, new).await?;
        Ok(Some(token))
    }

    /// Signs in: of two who click at once, one gets a session.
    pub async fn sign_in(bot: &Ctx, token: &Token) -> Result<Option<Token>> {
        let (now, oldest) = (bot.now(), bot.now() - Self::LIFE);
        let used = MagicLinkPatch {
            used_at: Set(Some(now)),
            ..Default::default()
        };
        let good =
            Self::query(bot).filter(|l| l.token.is(token) & l.used_at.is_none() & l.created_at.gt(oldest));
        let Some(link) = good.claim(used).await? else {
            return Ok(None);
        };
        let user = User::update_with(bot, &link.user_id, |u| u.last_login_at.set(now)).await?;
        AuditLog::action(bot, &Operator::person(&user), "login", &user.id).await?;
        Session::open(bot, &user.id).await.map(Some)
    }
}
