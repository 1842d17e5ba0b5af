#![doc = include_str!("../README.md")]

extern crate self as model_core;

#[doc(hidden)]
pub mod __private;
pub mod audit;
#[doc(hidden)]
pub mod codec;
pub mod crypto;
mod db;
mod engine;
mod error;
mod example;
mod keys;
mod lifecycle;
mod model;
mod policy;
pub mod prelude;
pub mod query;
pub mod schema;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod value;

pub use codec::Edit;
pub use db::{Db, DbBuilder};
pub use engine::{
    Access, ChainReport, Clock, MigratePreview, MigrateReport, MigrateSample, ReencryptReport, ResumeToken,
    RewrapReport, SecretsReport,
};
pub use error::{Error, ErrorKind, Result, Violation};
pub use keys::{Confirm, KeyStatus, Keys};
pub use lifecycle::{
    IndexOrigin, IndexPlan, IndexStep, Manifest, ManifestChange, ManifestDiff, SyncEvent, SyncIndexes,
    SyncOptions, SyncReport, ValidatorPlan, ValidatorStep,
};
pub use model::{
    Bulk, BulkOutcome, BulkReport, BulkWrite, Create, Delete, MigrateAll, ModelExt, Modify, Page, Query,
    QueryStream, QueryString, Reencrypt, Rows, Select, Update, Upserted,
};

pub use model_derive::{Embedded, Model, Projection};
pub use policy::{
    Actor, AnyContext, AuditLog, BaseModel, Change, Context, ContextFor, GlobalContext, GlobalScope,
    MigrateInfo, Model, Mutable, Projection, ReadScope, Scope, Singleton, Stamp, TenantScope,
};
pub use query::{FieldSet, Filter, Operators, PageCursor};
pub use value::{Encrypted, Id, PasswordHash, Revision, Secret, TenantId, Token, TokenDigest};
