//! What a service imports: `use model_core::prelude::*;`.

pub use crate::codec::Edit;
pub use crate::codec::Edit::{Keep, Merge, Set};
pub use crate::db::Db;
pub use crate::model::{ModelExt, Page, Scored};
pub use crate::policy;
pub use crate::policy::{
    Actor, BaseModel, Change, Context, GlobalContext, MigrateInfo, Model, Projection, ReadScope,
};
pub use crate::query::{FieldSet, Filter, Operators};
pub use crate::value::{
    Bytes, Encrypted, Foreign, Id, Identified, PasswordHash, Ref, Revision, Secret, TenantId, Token,
    TokenDigest, Vector,
};
pub use bson::Document;
pub use chrono::{DateTime, Utc};
pub use model_derive::{Embedded, Model, Projection};

pub use crate::audit::ActorIdentity;
pub use crate::crypto::NewPassword;
pub use crate::error::{Error, ErrorKind, Result, Violation};
