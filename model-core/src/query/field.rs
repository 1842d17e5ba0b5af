//! Typed handles of stored fields.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::OnceLock;

use bson::Bson;

use super::filter::{Filter, Lookup, Node, Test};
use super::operand::{Operand, Queryable, Whole};
use super::sort::Sort;
use super::variant::inside;
use crate::codec::{FieldGroup, FieldValue, Prefix};
use crate::schema::{Direction, FieldSchema, Normaliser};

/// The handle of a field of type `T` in the model `M`: it makes filters and sort orders.
///
/// A field of an embedded struct is reached through its parent: `w.limits.max.lte(5)`; through an array it means "any
/// element", as in MongoDB: `w.members.role.eq("owner")`. A field of an enum's variant is reached through the variant, and
/// every filter on it asks for the variant too: `w.source.link.href.eq("/")`.
pub struct Field<M: 'static, T: FieldValue> {
    pub(super) path: Cow<'static, str>,
    pub(super) schema: &'static FieldSchema,
    /// Where the name of each variant that the field lies in stands, and the name.
    pub(super) variants: Vec<(String, &'static str)>,
    nested: OnceLock<Box<T::Fields<M>>>,
    types: PhantomData<fn() -> (M, T)>,
}

impl<M: 'static, T: FieldValue> Field<M, T> {
    #[doc(hidden)]
    pub const fn new(schema: &'static FieldSchema) -> Self {
        Self::at(Cow::Borrowed(schema.stored), schema)
    }

    /// The handle of what is stored at `path`, and declared by `schema`.
    pub(super) const fn at(path: Cow<'static, str>, schema: &'static FieldSchema) -> Self {
        Self {
            path,
            schema,
            variants: Vec::new(),
            nested: OnceLock::new(),
            types: PhantomData,
        }
    }

    #[doc(hidden)]
    pub fn below(prefix: &Prefix, schema: &'static FieldSchema) -> Self {
        let mut field = Self::at(Cow::Owned(prefix.join(schema.stored)), schema);
        field.variants = prefix.variants().to_vec();
        field
    }

    /// The stored path, dotted.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert_eq!(Note::fields().created_at.path(), "created_at");
    /// # Ok(())
    /// # }
    /// ```
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The document is of the variants that the field lies in.
    pub(crate) fn within(&self) -> Filter<M> {
        Filter::from_node(inside(&self.variants))
    }

    /// Whether the field is there at all: a stored null counts as there.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.due.exists(true));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn exists(&self, exists: bool) -> Filter<M> {
        self.filter(Test::Exists(exists))
    }

    /// The field is absent or null.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.due.is_none());
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_none(&self) -> Filter<M> {
        self.filter(Test::Eq(Bson::Null))
    }

    /// The field is there and not null.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.due.is_some());
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn is_some(&self) -> Filter<M> {
        self.filter(Test::Ne(Bson::Null))
    }

    pub(super) fn filter(&self, test: Test) -> Filter<M> {
        // A regular expression has no order, and the server refuses it here.
        if let Test::Gt(value) | Test::Gte(value) | Test::Lt(value) | Test::Lte(value) = &test
            && matches!(value, Bson::RegularExpression(_))
        {
            return Filter::nothing();
        }
        let node = Node::Field {
            path: self.path.clone(),
            test,
        };
        Filter::from_node(inside(&self.variants).and(node))
    }
}

/// Comparisons. A value is normalised (trimmed, lower-cased) as the field itself is.
impl<M: 'static, T: FieldValue> Field<M, T> {
    /// Equal; for an array: any element is equal.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.eq(" Buy milk ") & n.tags.eq("home"));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn eq(&self, value: impl Operand<T::Item>) -> Filter<M>
    where
        T: Queryable,
    {
        self.filter(Test::Eq(self.operand(value)))
    }

    /// Not equal; a document without the field matches too, as in MongoDB.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.ne("Buy milk"));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ne(&self, value: impl Operand<T::Item>) -> Filter<M>
    where
        T: Queryable,
    {
        self.filter(Test::Ne(self.operand(value)))
    }

    /// Greater than, among values of the same kind.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.gt("B"));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn gt(&self, value: impl Operand<T::Item>) -> Filter<M>
    where
        T: Queryable,
    {
        self.filter(Test::Gt(self.operand(value)))
    }

    /// Greater than or equal, among values of the same kind.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.created_at.gte(DateTime::UNIX_EPOCH));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn gte(&self, value: impl Operand<T::Item>) -> Filter<M>
    where
        T: Queryable,
    {
        self.filter(Test::Gte(self.operand(value)))
    }

    /// Less than, among values of the same kind.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.lt("C"));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lt(&self, value: impl Operand<T::Item>) -> Filter<M>
    where
        T: Queryable,
    {
        self.filter(Test::Lt(self.operand(value)))
    }

    /// Less than or equal, among values of the same kind.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.due.lte(DateTime::UNIX_EPOCH));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn lte(&self, value: impl Operand<T::Item>) -> Filter<M>
    where
        T: Queryable,
    {
        self.filter(Test::Lte(self.operand(value)))
    }

    /// Equal to one of the values; none of them: nothing matches.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.in_(["Buy milk", "Buy tea"]));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn in_<I>(&self, values: I) -> Filter<M>
    where
        T: Queryable,
        I: IntoIterator,
        I::Item: Operand<T::Item>,
    {
        self.filter(Test::In(
            values.into_iter().map(|value| self.operand(value)).collect(),
        ))
    }

    /// Equal to none of the values; a document without the field matches too.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.tags.not_in(["home", "work"]));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn not_in<I>(&self, values: I) -> Filter<M>
    where
        T: Queryable,
        I: IntoIterator,
        I::Item: Operand<T::Item>,
    {
        self.filter(Test::NotIn(
            values.into_iter().map(|value| self.operand(value)).collect(),
        ))
    }

    /// In ascending order.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::query(&ctx).sort(|n| n.text.asc()).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn asc(&self) -> Sort<M>
    where
        T: Queryable,
    {
        Sort::by(self.path.clone(), Direction::Ascending)
    }

    /// In descending order.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// assert!(Note::query(&ctx).sort(|n| n.created_at.desc()).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub fn desc(&self) -> Sort<M>
    where
        T: Queryable,
    {
        Sort::by(self.path.clone(), Direction::Descending)
    }

    pub(super) fn operand<I>(&self, value: impl Operand<I>) -> Bson {
        match value.into_operand() {
            Bson::String(mut text) => {
                Normaliser::apply_all(self.schema.normalise, &mut text);
                Bson::String(text)
            }
            // Long deprecated, and refused by the server as an operand.
            Bson::Undefined => Bson::Null,
            value => value,
        }
    }
}

/// Comparisons of whole numbers.
impl<M: 'static, T: Queryable> Field<M, T>
where
    T::Item: Whole,
{
    /// Divided by `divisor`, `remainder` is left over, which has the sign of the number. By zero, nothing can be divided.
    ///
    /// ```
    /// # model_core::__example!();
    /// # fn main() {
    /// #[derive(Clone, Embedded)]
    /// struct Limits {
    ///     daily: u32,
    /// }
    ///
    /// # #[derive(Clone, Model)]
    /// # #[model(collection = "widgets")]
    /// struct Widget {
    /// #   #[model(id)]
    /// #   id: Id<Widget>,
    /// #   #[model(tenant)]
    /// #   organization: TenantId,
    ///     limits: Limits,
    /// }
    /// # impl BaseModel for Widget {
    /// #     type Actor = User;
    /// #     fn can_read(&self, _: &Context<User>) -> bool { true }
    /// #     fn can_create(&self, _: &Context<User>) -> bool { true }
    /// #     fn can_update(&self, _: &Context<User>, _: &Self) -> bool { true }
    /// #     fn can_delete(&self, _: &Context<User>) -> bool { true }
    /// # }
    ///
    /// let even = Widget::filter(|w| w.limits.daily.rem(2, 0));
    /// # let _ = even;
    /// # }
    /// ```
    pub fn rem(&self, divisor: i64, remainder: i64) -> Filter<M> {
        if divisor == 0 {
            return Filter::nothing();
        }
        self.filter(Test::Remainder(divisor, remainder))
    }
}

/// Comparisons of arrays.
impl<M: 'static, T: FieldValue> Field<M, Vec<T>> {
    /// The array has that many elements.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.tags.size(0));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn size(&self, count: u32) -> Filter<M> {
        // The server counts in 32 bits with a sign, and no document holds more.
        if i32::try_from(count).is_err() {
            return Filter::nothing();
        }
        self.filter(Test::Size(count))
    }

    /// The array has all of the values.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.tags.all(["home", "shop"]));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn all<I>(&self, values: I) -> Filter<M>
    where
        T: Queryable,
        I: IntoIterator,
        I::Item: Operand<T::Item>,
    {
        self.filter(Test::All(
            values.into_iter().map(|value| self.operand(value)).collect(),
        ))
    }

    /// One element satisfies the whole filter.
    pub fn elem_match(&self, filter: impl FnOnce(&T::Fields<M>) -> Filter<M>) -> Filter<M> {
        let inner = filter(&T::Fields::<M>::below(&Prefix::default()));
        self.filter(Test::ElemMatch(Box::new(inner.into_node())))
    }
}

impl<M: 'static, T: FieldValue> Deref for Field<M, T> {
    type Target = T::Fields<M>;

    fn deref(&self) -> &Self::Target {
        self.nested
            .get_or_init(|| Box::new(T::Fields::<M>::below(&Prefix::new(&self.path, &self.variants))))
    }
}

impl<M: 'static, T: FieldValue> fmt::Debug for Field<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Field").field(&self.path).finish()
    }
}

/// The handle of a field that is unique over all tenants: it can also find a document before the tenant is known.
pub struct UniqueField<M: 'static, T: FieldValue>(Field<M, T>);

impl<M: 'static, T: FieldValue> UniqueField<M, T> {
    #[doc(hidden)]
    pub const fn new(schema: &'static FieldSchema) -> Self {
        Self(Field::new(schema))
    }

    /// The key of the one document, of whatever tenant, in which the field has this value.
    pub fn lookup(&self, value: impl Operand<T::Item>) -> Lookup<M>
    where
        T: Queryable,
    {
        Lookup::new(self.0.eq(value))
    }
}

impl<M: 'static, T: FieldValue> Deref for UniqueField<M, T> {
    type Target = Field<M, T>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<M: 'static, T: FieldValue> fmt::Debug for UniqueField<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
