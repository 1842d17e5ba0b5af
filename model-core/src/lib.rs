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
pub use engine::{Access, Clock};
pub use error::{Error, ErrorKind, Result, Violation};
pub use lifecycle::{IndexPlan, IndexStep, SyncOptions, SyncReport};
pub use model::{Create, Delete, ModelExt, Page, Query, QueryStream, Rows, Select, Update};

pub use model_derive::{Embedded, Model, Projection};
pub use policy::{
    Actor, AnyContext, BaseModel, Change, Context, ContextFor, GlobalContext, GlobalScope, MigrateInfo,
    Model, Projection, ReadScope, Scope, Stamp, TenantScope,
};
pub use query::{Filter, PageCursor};
pub use value::{Encrypted, Id, PasswordHash, Revision, Secret, TenantId};
