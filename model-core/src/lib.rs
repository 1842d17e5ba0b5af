#![doc = include_str!("../README.md")]

extern crate self as model_core;

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "admin")]
pub mod admin;
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
    Access, ChainReport, CheckReport, Clock, DeletePlan, DeleteStep, ExportReport, MigratePreview,
    MigrateReport, MigrateSample, ReencryptReport, ResumeToken, RewrapReport, SecretsReport,
};
pub use error::{Error, ErrorKind, Result, Violation};
pub use keys::{Confirm, KeyStatus, Keys};
pub use lifecycle::{
    CollectionPlan, CollectionStep, IndexOrigin, IndexPlan, IndexStep, Manifest, ManifestChange,
    ManifestDiff, RunSteps, StepPreview, StepReport, StepSample, Steps, SyncEvent, SyncIndexes, SyncOptions,
    SyncReport, ValidatorPlan, ValidatorStep,
};
pub use model::{
    Ancestors, Bulk, BulkEffect, BulkOutcome, BulkReport, BulkWrite, CheckStored, Create, Delete,
    DeleteInBatches, Event, EventKind, Facet, FacetBranch, FacetBranches, FacetCount, FacetRows, FacetSelect,
    Facets, Joined, Loaded, LookupQuery, MigrateAll, ModelExt, Modify, Nearest, Page, Query, QueryStream,
    QueryString, Reencrypt, Related, RelatedCounts, RelatedQuery, Results, Rows, Scored, Search, Select,
    Subtree, Tree, Update, Upserted, Watch, WatchStream, Watched,
};

pub use model_derive::{Embedded, Model, Projection};
pub use policy::{
    Actor, AnyContext, AuditLog, BaseModel, Change, Context, ContextFor, EraseSubject, EraseTenant,
    ExportSubject, ExportTenant, GlobalContext, GlobalScope, MigrateInfo, Model, Mutable, Projection,
    Reaches, ReadScope, Registry, Scope, Searchable, Singleton, Stamp, TenantScope, Watchable,
};
pub use query::{FieldSet, Filter, Operators, PageCursor};
pub use value::{
    Encrypted, Id, Identified, PasswordHash, Ref, Revision, Secret, TenantId, Token, TokenDigest,
};
