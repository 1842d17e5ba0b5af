//! Field handles, filters and sort orders: one vocabulary, rendered for the server and evaluated in memory.

mod blind;
mod blind_field;
mod case;
mod element;
mod evaluate;
pub(crate) mod external;
mod facet;
mod field;
mod field_set;
mod filter;
mod group;
mod join;
mod operand;
mod options;
mod page;
mod page_key;
mod raw_stage;
mod render;
mod sort;
mod text;
mod update;
mod variant;
mod vector;
mod window;
mod words;

pub(crate) use blind::{BLIND_LEN, SIFTED};
pub use blind_field::{BlindField, Blindable, Distinct, UniqueBlindField};
pub use element::Element;
pub(crate) use evaluate::{
    FacetShare, Facets, Groups, KeyError, Share, each_value, index_keys, matches, order_by, order_values,
    relevance, sort_key,
};
pub use external::{Filterable, read_operand};
pub(crate) use facet::{Branch, Picked};
pub use field::{Field, UniqueField};
pub use field_set::FieldSet;
pub use filter::{Filter, Lookup};
pub(crate) use filter::{Node, Test};
pub(crate) use group::{Fold, Grouping, RowField};
pub use group::{Group, Summable};
pub(crate) use join::Joining;
pub use join::{Join, Joins};
pub use operand::{Operand, Queryable, Whole, operand_of};
pub(crate) use options::ReadOptions;
pub use options::{Collation, ReadConcern, ReadPreference};
pub use page::PageCursor;
pub(crate) use page::{Binding, PageOrder, describe};
pub(crate) use raw_stage::check_stage;
#[cfg(feature = "mongo")]
pub(crate) use render::render;
pub use sort::Sort;
pub(crate) use sort::SortKey;
pub use update::{
    Array, Bits, Countable, Each, Editable, FixedField, GivenByModel, Key, MapOf, Operators, Ordered, Push,
    Removable,
};
pub use variant::Variant;
pub use vector::HoldsVectors;
pub(crate) use vector::Target;
pub use window::Window;
pub(crate) use words::Words;
