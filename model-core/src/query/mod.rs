//! Field handles, filters and sort orders: one vocabulary, rendered for the server and evaluated in memory.

mod blind;
mod blind_field;
mod evaluate;
pub(crate) mod external;
mod field;
mod filter;
mod operand;
mod render;
mod sort;
mod update;

pub(crate) use blind::BLIND_LEN;
pub use blind_field::{BlindField, Blindable, Distinct, UniqueBlindField};
pub(crate) use evaluate::{KeyError, index_keys, matches, order_by, order_values, sort_key};
pub use external::{Filterable, read_operand};
pub use field::{Field, UniqueField};
pub use filter::{Filter, Lookup};
pub(crate) use filter::{Node, Test};
pub use operand::{Operand, Queryable, operand_of};
pub(crate) use render::render;
pub use sort::Sort;
pub(crate) use sort::SortKey;
pub use update::{
    Array, Bits, Countable, Each, Editable, FixedField, GivenByModel, Key, MapOf, Operators, Ordered, Push,
    Removable,
};
