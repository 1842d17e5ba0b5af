use model_core::prelude::*;

use crate::operator::Operator;

/// What a post shows: stored as one document with its `type`.
#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "lowercase")]
pub enum Content {
    Image {
        #[model(url)]
        url: String,
        caption: Option<String>,
    },
    Video {
        #[model(url)]
        url: String,
        caption: Option<String>,
    },
    Text {
        #[model(len(1..=4096))]
        text: String,
    },
}

/// The content of an ad.
#[derive(Clone, Model)]
#[model(collection = "creatives", rename_all = "camelCase", global, audit(name = name))]
pub struct Creative {
    pub id: Id<Creative>,
    #[model(trim, len(1..=120))]
    pub name: String,
    pub content: Content,
    #[model(url)]
    pub link: Option<String>,
    #[model(index, default = true)]
    pub active: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl BaseModel for Creative {
    policy!(Operator, read, create, update: true, delete: is_admin);
}
