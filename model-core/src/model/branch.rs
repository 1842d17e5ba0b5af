//! The branches of a `facet`.

use std::fmt;
use std::marker::PhantomData;

use crate::codec::{DecodeCx, DecodeError, DocReader, FieldGroup as _, FieldValue, Prefix, RawValue};
use crate::engine;
use crate::error::Result;
use crate::policy::{BaseModel, Model, Projection};
use crate::query::{Branch, Filter, Group, Grouping, Picked, Sort};

/// A branch that gives rows: a `Vec<R>`.
pub struct FacetRows<M: BaseModel, R: FieldValue> {
    pub(super) grouping: Grouping,
    pub(super) types: PhantomData<fn() -> (M, R)>,
}

impl<M: BaseModel, R: FieldValue> FacetRows<M, R> {
    /// Only rows that satisfy the filter. A second call narrows further.
    pub fn filter(mut self, make: impl FnOnce(&R::Fields<R>) -> Filter<R>) -> Self {
        let filter = make(&R::Fields::<R>::below(&Prefix::default())).into_node();
        self.grouping.rows = self.grouping.rows.and(filter);
        self
    }

    /// In this order; without one, rows come in none. A second call sorts among equals.
    pub fn sort(mut self, make: impl FnOnce(&R::Fields<R>) -> Sort<R>) -> Self {
        let keys = make(&R::Fields::<R>::below(&Prefix::default())).into_keys();
        self.grouping.sort.extend(keys);
        self
    }

    /// At most that many rows.
    pub fn limit(mut self, limit: u64) -> Self {
        self.grouping.limit = Some(limit);
        self
    }

    /// Without the first rows.
    pub fn skip(mut self, skip: u64) -> Self {
        self.grouping.skip = skip;
        self
    }
}

/// A branch that gives some fields of documents: a `Vec<P>`.
pub struct FacetSelect<P: Projection> {
    pub(super) picked: Picked,
    pub(super) projection: PhantomData<fn() -> P>,
}

impl<P: Projection> FacetSelect<P> {
    /// Only documents that satisfy the filter. A second call narrows further.
    pub fn filter(
        mut self,
        make: impl FnOnce(&'static <P::Model as Model>::Fields) -> Filter<P::Model>,
    ) -> Self {
        self.picked.filter = self.picked.filter.and(make(P::Model::fields()).into_node());
        self
    }

    /// In this order; without one, in that of the query. A second call sorts among equals.
    pub fn sort(mut self, make: impl FnOnce(&'static <P::Model as Model>::Fields) -> Sort<P::Model>) -> Self {
        self.picked.sort.extend(make(P::Model::fields()).into_keys());
        self
    }

    /// At most that many.
    pub fn limit(mut self, limit: u64) -> Self {
        self.picked.limit = Some(limit);
        self
    }

    /// Without the first.
    pub fn skip(mut self, skip: u64) -> Self {
        self.picked.skip = skip;
        self
    }
}

/// A branch that gives a number of documents: a `u64`.
pub struct FacetCount<M> {
    pub(super) model: PhantomData<fn() -> M>,
}

mod sealed {
    use crate::error::Result;
    use crate::query::Branch;

    /// A branch without its type.
    #[derive(Debug)]
    pub struct Part(pub(crate) Branch);

    pub trait Branched {
        type Output: Send;
        fn branch(self) -> Part;
        fn read(documents: &[Vec<u8>]) -> Result<Self::Output>;
    }

    pub trait Several {
        type Output: Send;
        fn branches(self) -> Vec<Part>;
        fn read(results: &[Vec<Vec<u8>>]) -> Result<Self::Output>;
    }
}

pub(super) use sealed::{Branched, Part, Several};

/// A branch of a facet over the model `M`: what [`Facet`](crate::Facet) makes.
#[diagnostic::on_unimplemented(message = "`{Self}` is no branch of a facet over `{M}`")]
pub trait FacetBranch<M>: Branched {}

/// The branches of a facet: a tuple of up to eight.
#[diagnostic::on_unimplemented(message = "`{Self}` is no tuple of branches of a facet over `{M}`")]
pub trait FacetBranches<M>: Several {}

impl<M: BaseModel, R: FieldValue> FacetBranch<M> for FacetRows<M, R> {}
impl<P: Projection> FacetBranch<P::Model> for FacetSelect<P> {}
impl<M: BaseModel> FacetBranch<M> for FacetCount<M> {}

impl<M: BaseModel, R: FieldValue> Branched for FacetRows<M, R> {
    type Output = Vec<R>;

    fn branch(self) -> Part {
        Part(Branch::Rows(self.grouping))
    }

    fn read(documents: &[Vec<u8>]) -> Result<Vec<R>> {
        let row = |row: &Vec<u8>| R::decode(RawValue::document_of(row), &DecodeCx::root(None));
        let rows: Result<_, DecodeError> = documents.iter().map(row).collect();
        rows.map_err(DecodeError::into_error)
    }
}

impl<P: Projection> Branched for FacetSelect<P> {
    type Output = Vec<P>;

    fn branch(mut self) -> Part {
        self.picked.fields = engine::stored_fields(P::Model::schema(), P::fields(), &[]);
        Part(Branch::Picked(self.picked))
    }

    fn read(documents: &[Vec<u8>]) -> Result<Vec<P>> {
        let decode = |raw: &Vec<u8>| {
            let decoding = engine::decoding(P::Model::schema(), raw, None);
            let cx = DecodeCx::root(decoding.as_ref());
            let decoded = DocReader::new(raw, &cx).and_then(|mut keys| {
                let picked = P::decode(&mut keys)?;
                keys.finish()?;
                Ok(picked)
            });
            decoded.map_err(DecodeError::into_error)
        };
        documents.iter().map(decode).collect()
    }
}

impl<M: BaseModel> Branched for FacetCount<M> {
    type Output = u64;

    fn branch(self) -> Part {
        Part(Branch::Rows(Group::<M, M>::counted()))
    }

    fn read(documents: &[Vec<u8>]) -> Result<u64> {
        let Some(row) = documents.first() else {
            return Ok(0);
        };
        engine::row_number(row, "n")
    }
}

macro_rules! tuples {
    ($($($branch:ident $place:tt)+;)*) => {$(
        impl<$($branch: Branched),+> Several for ($($branch,)+) {
            type Output = ($($branch::Output,)+);

            fn branches(self) -> Vec<Part> {
                vec![$(self.$place.branch()),+]
            }

            fn read(results: &[Vec<Vec<u8>>]) -> Result<Self::Output> {
                Ok(($($branch::read(results.get($place).map_or(&[], Vec::as_slice))?,)+))
            }
        }

        impl<Model, $($branch: FacetBranch<Model>),+> FacetBranches<Model> for ($($branch,)+) {}
    )*};
}

tuples! {
    A 0;
    A 0 B 1;
    A 0 B 1 C 2;
    A 0 B 1 C 2 D 3;
    A 0 B 1 C 2 D 3 E 4;
    A 0 B 1 C 2 D 3 E 4 F 5;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6;
    A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7;
}

macro_rules! debug {
    ($(impl<$($generic:ident: $bound:ident),+> $name:literal $type:ty;)*) => {$(
        impl<$($generic: $bound),+> fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct($name).finish_non_exhaustive()
            }
        }
    )*};
}

debug! {
    impl<M: BaseModel, R: FieldValue> "FacetRows" FacetRows<M, R>;
    impl<P: Projection> "FacetSelect" FacetSelect<P>;
    impl<M: BaseModel> "FacetCount" FacetCount<M>;
}
