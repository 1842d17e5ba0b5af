//! The verbs that users call: thin typed shells over the pipeline.

mod branch;
mod bulk;
mod check;
mod claim;
mod compute;
mod create;
mod delete;
mod delete_in_batches;
mod distinct;
mod ext;
mod external;
mod facet;
mod get_many;
mod group;
mod input;
mod kin;
mod lent;
mod lookup;
mod many;
mod migrate;
mod modify;
mod named;
mod nearest;
mod options;
mod page;
mod picker;
mod populate;
mod query;
mod reencrypt;
mod related;
mod results;
mod scored;
mod search;
mod select;
mod stream;
mod transfer;
mod tree;
mod unit;
mod update;
mod upsert;
mod watch;

pub use branch::{FacetBranch, FacetBranches, FacetCount, FacetRows, FacetSelect};
pub use bulk::{Bulk, BulkOutcome};
pub use check::CheckStored;
pub use create::Create;
pub use delete::Delete;
pub use delete_in_batches::DeleteInBatches;
pub use ext::ModelExt;
pub use external::QueryString;
pub use facet::{Facet, Facets};
pub use group::Rows;
pub use input::{deserialize_new, deserialize_patch, new_from_json, patch_from_json};
pub(crate) use kin::registered;
pub use lookup::{Joined, LookupQuery};
pub use many::{BulkEffect, BulkReport, BulkWrite};
pub use migrate::MigrateAll;
pub use modify::Modify;
pub use nearest::Nearest;
pub use page::Page;
pub use populate::Loaded;
pub use query::{Query, QueryStream};
pub use reencrypt::Reencrypt;
pub use related::{Related, RelatedCounts, RelatedQuery};
pub use results::Results;
pub use scored::Scored;
pub use search::Search;
pub use select::Select;
pub use tree::{Ancestors, Subtree, Tree};
pub use update::Update;
pub use upsert::Upserted;
pub use watch::{Event, EventKind, Watch, WatchStream, Watched};

use crate::policy::{AnyContext, BaseModel, ContextFor, GlobalContext};

/// The global part of whichever context a model takes.
fn global<M: BaseModel>(ctx: &ContextFor<M>) -> &GlobalContext<M::Actor> {
    AnyContext::<M::Scope, M::Actor>::global(ctx)
}
