//! Random documents, random operands and random filters.

use std::collections::BTreeSet;

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Decimal128, Document, JavaScriptCodeWithScope, Regex, Timestamp};
use model_core::Model;
use model_core::prelude::*;
use model_core::query::{Element, Field, Operand, Queryable, Sort, Whole};
use uuid::Uuid;

use crate::models::{Loose, LooseFields, NestedFields, PartFields, Status, Typed, TypedFields};

/// What a handle can ask. [`Generator::operator`] has a case for each, and the test holds the list against the
/// methods of `Field` in `query/field.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Operator {
    Exists,
    IsNone,
    IsSome,
    Eq,
    Ne,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    NotIn,
    StartsWith,
    EndsWith,
    Contains,
    EqIgnoreCase,
    StartsWithIgnoreCase,
    ContainsIgnoreCase,
    Any,
    Rem,
    Size,
    All,
    ElemMatch,
}

impl Operator {
    pub(crate) const ALL: [Self; 22] = [
        Self::Exists,
        Self::IsNone,
        Self::IsSome,
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Gte,
        Self::Lt,
        Self::Lte,
        Self::In,
        Self::NotIn,
        Self::StartsWith,
        Self::EndsWith,
        Self::Contains,
        Self::EqIgnoreCase,
        Self::StartsWithIgnoreCase,
        Self::ContainsIgnoreCase,
        Self::Any,
        Self::Rem,
        Self::Size,
        Self::All,
        Self::ElemMatch,
    ];

    /// The method's name.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::IsNone => "is_none",
            Self::IsSome => "is_some",
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::In => "in_",
            Self::NotIn => "not_in",
            Self::StartsWith => "starts_with",
            Self::EndsWith => "ends_with",
            Self::Contains => "contains",
            Self::EqIgnoreCase => "eq_ignore_case",
            Self::StartsWithIgnoreCase => "starts_with_ignore_case",
            Self::ContainsIgnoreCase => "contains_ignore_case",
            Self::Any => "any",
            Self::Rem => "rem",
            Self::Size => "size",
            Self::All => "all",
            Self::ElemMatch => "elem_match",
        }
    }
}

/// A source of random choices (SplitMix64), with a record of the operators that it has used.
#[derive(Debug, Clone)]
pub(crate) struct Generator {
    state: u64,
    pub(crate) used: BTreeSet<Operator>,
    /// What the last filter is, for messages.
    pub(crate) told: String,
}

/// An operand type.
pub(crate) trait Pick: Sized {
    fn pick(g: &mut Generator) -> Self;
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed,
            used: BTreeSet::new(),
            told: String::new(),
        }
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn chance(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    fn several<T>(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.below(most + 1);
        (0..count).map(|_| one(self)).collect()
    }
}

// Documents.

const NAMES: [&str; 9] = ["max", "name", "tags", "parts", "n", "label", "0", "1", "01"];

fn number(g: &mut Generator) -> Bson {
    let small = i32::try_from(g.below(4)).unwrap() - 1;
    match g.below(20) {
        0 => Bson::Double(g.of(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0])),
        1 => Bson::Decimal128(
            g.of(&["NaN", "Infinity", "-Infinity", "0E-3", "-0"])
                .parse()
                .unwrap(),
        ),
        2 | 3 => Bson::Decimal128(Decimal128::pick(g)),
        4 => Bson::Int64(i64::pick(g)),
        5 | 6 => Bson::Double(f64::pick(g)),
        7 | 8 => Bson::Int64(small.into()),
        9 | 10 => Bson::Double(small.into()),
        11 => Bson::Decimal128(small.to_string().parse().unwrap()),
        _ => Bson::Int32(small),
    }
}

fn scalar(g: &mut Generator) -> Bson {
    match g.below(30) {
        0..=8 => number(g),
        9..=13 => Bson::String(String::pick(g)),
        14..=16 => Bson::Null,
        17 => Bson::Undefined,
        18 => Bson::Boolean(g.chance(2)),
        19 => Bson::DateTime(bson::DateTime::from_millis(g.of(&[0, -1, 5, i64::MAX, i64::MIN]))),
        20 => Bson::ObjectId(ObjectId::pick(g)),
        21 => Bson::Binary(binary(g)),
        22 => Bson::Timestamp(Timestamp {
            time: g.of(&[1, u32::MAX]),
            increment: g.of(&[1, 2]),
        }),
        23 => Bson::RegularExpression(Regex {
            pattern: g.of(&["^a", "a", "^a\\.b", "^"]).try_into().unwrap(),
            options: g.of(&["", "i"]).try_into().unwrap(),
        }),
        24 => Bson::Symbol(String::pick(g)),
        25 => Bson::JavaScriptCode(String::pick(g)),
        26 => Bson::MinKey,
        27 => Bson::MaxKey,
        28 => Bson::JavaScriptCodeWithScope(JavaScriptCodeWithScope {
            code: g.of(&["a", "b"]).to_owned(),
            scope: g.of(&[bson::doc! {}, bson::doc! { "a": 1 }]),
        }),
        _ => Bson::Boolean(true),
    }
}

fn binary(g: &mut Generator) -> Binary {
    let subtype = g.of(&[
        BinarySubtype::Generic,
        BinarySubtype::Generic,
        BinarySubtype::Uuid,
        BinarySubtype::UserDefined(0x80),
        BinarySubtype::BinaryOld,
    ]);
    let bytes = match subtype {
        BinarySubtype::Uuid => Uuid::pick(g).as_bytes().to_vec(),
        _ => Bytes::pick(g).0,
    };
    Binary { subtype, bytes }
}

fn value(g: &mut Generator, depth: usize) -> Bson {
    if depth == 0 {
        return scalar(g);
    }
    match g.below(10) {
        0..=3 => scalar(g),
        4..=6 => Bson::Array(g.several(3, |g| value(g, depth - 1))),
        _ => Bson::Document(object(g, depth - 1)),
    }
}

fn object(g: &mut Generator, depth: usize) -> Document {
    let entries = g.several(4, |g| (g.of(&NAMES).to_owned(), value(g, depth)));
    entries.into_iter().collect()
}

/// What a field may hold as it is declared.
fn declared(g: &mut Generator, key: &str) -> Bson {
    match key {
        "int" | "long" | "big" | "small" | "double" | "single" | "decimal" => number(g),
        "text" | "email" | "code" => String::pick(g).into(),
        "at" => Bson::DateTime(bson::DateTime::from_chrono(DateTime::pick(g))),
        "oid" => ObjectId::pick(g).into(),
        "uuid" => bson::Uuid::from_bytes(*Uuid::pick(g).as_bytes()).into(),
        "link" => Id::<Typed>::pick(g).to_bson(),
        "flag" => bool::pick(g).into(),
        "bytes" => Binary {
            subtype: BinarySubtype::Generic,
            bytes: Bytes::pick(g).0,
        }
        .into(),
        "status" => g.of(&["active", "gone", "Active"]).into(),
        "any" => value(g, 2),
        "ints" | "holes" => Bson::Array(g.several(3, |g| if g.chance(5) { Bson::Null } else { number(g) })),
        "texts" => Bson::Array(g.several(3, |g| String::pick(g).into())),
        "rows" => Bson::Array(g.several(3, |g| Bson::Array(g.several(3, number)))),
        "anys" => Bson::Array(g.several(3, |g| value(g, 1))),
        "many" if g.chance(4) => Bson::Array(g.several(3, |g| value(g, 1))),
        "many" => Bson::Array(g.several(3, |g| nested(g).into())),
        _ => nested(g).into(),
    }
}

fn nested(g: &mut Generator) -> Document {
    let part = |g: &mut Generator| -> Bson { bson::doc! { "n": number(g), "label": String::pick(g) }.into() };
    let mut out = Document::new();
    if !g.chance(6) {
        out.insert("max", if g.chance(6) { value(g, 1) } else { number(g) });
    }
    if g.chance(2) {
        out.insert("name", String::pick(g));
    }
    if !g.chance(4) {
        out.insert("tags", g.several(3, String::pick));
    }
    if !g.chance(4) {
        out.insert(
            "parts",
            if g.chance(5) {
                value(g, 1)
            } else {
                Bson::Array(g.several(2, part))
            },
        );
    }
    out
}

/// A document as any client may have stored it: missing, null, of the declared type, or anything at all.
pub(crate) fn document(g: &mut Generator, id: &str) -> Document {
    let tenant: Bson = match g.below(12) {
        0 => "globex".into(),
        1 => Bson::Array(vec!["globex".into(), "initech".into()]),
        _ => "acme".into(),
    };
    let mut out = bson::doc! { "_id": id, "organization": tenant };
    for field in Typed::schema().fields.iter().skip(2) {
        let value = match g.below(20) {
            0..=3 => continue,
            4 => Bson::Null,
            5..=8 => value(g, 2),
            _ => declared(g, field.stored),
        };
        out.insert(field.stored, value);
    }
    out
}

// Operands.

impl Pick for bool {
    fn pick(g: &mut Generator) -> Self {
        g.chance(2)
    }
}

macro_rules! numbers {
    ($($type:ty: $($value:expr),*;)*) => {$(
        impl Pick for $type {
            fn pick(g: &mut Generator) -> Self {
                g.of(&[$($value),*])
            }
        }
    )*};
}

numbers! {
    i32: -1, 0, 1, 2, i32::MIN, i32::MAX;
    i64: -1, 0, 1, 2, i64::MIN, i64::MAX, 1 << 53, (1 << 53) + 1;
    u64: 0, 1, 2, 1 << 53, (1 << 53) + 1, u64::MAX >> 1;
    u16: 0, 1, 2, u16::MAX;
    f32: -1.0, 0.0, 0.1, 1.0, 1.5, f32::NAN, f32::MAX;
    f64: -1.0, 0.0, -0.0, 0.1, 1.0, 1.5, 2.0, 1e300, 5e-324, f64::MAX, f64::NAN, f64::INFINITY, f64::NEG_INFINITY,
        9_007_199_254_740_992.0, 9_223_372_036_854_775_808.0, -9_223_372_036_854_775_808.0;
}

impl Pick for Decimal128 {
    fn pick(g: &mut Generator) -> Self {
        let texts = [
            "0.1",
            "0.10",
            "0.1000000000000000055511151231257827",
            "0.1000000000000000055511151231257828",
            "1E+6144",
            "1E-6176",
            "1.5",
            "2",
            "1.0",
            "-1",
            "NaN",
            "Infinity",
            "9007199254740993",
            "9223372036854775807",
            "9223372036854775808",
            "-9223372036854775808",
            "1E+300",
            "5E-324",
        ];
        g.of(&texts).parse().unwrap()
    }
}

impl Pick for String {
    fn pick(g: &mut Generator) -> Self {
        const TEXTS: [&str; 38] = [
            "A.B", "ABC", "aBc", "É", "ÉA", "ß", "SS", "ſ", "K", "k", "ς", "ǅ", "ǆ", "", "a", "ab", "abc",
            "a.b", "a.c", ".*", "^a", "é", "éa", "z\0q", "[x]", "(", "a\\b", "A", "$x", "a-b", "a#b", "a b",
            "\na", "a\n", "😀x", "😀", " A ", "active",
        ];
        g.of(&TEXTS).to_owned()
    }
}

impl Pick for DateTime<Utc> {
    fn pick(g: &mut Generator) -> Self {
        Self::from_timestamp_millis(g.of(&[0, -1, 5, 1_700_000_000_000])).unwrap()
    }
}

impl Pick for ObjectId {
    fn pick(g: &mut Generator) -> Self {
        Self::from_bytes(g.of(&[[0; 12], [255; 12]]))
    }
}

impl Pick for Uuid {
    fn pick(g: &mut Generator) -> Self {
        Self::from_bytes(g.of(&[[0; 16], [255; 16], [1; 16]]))
    }
}

impl Pick for Id<Typed> {
    fn pick(g: &mut Generator) -> Self {
        Self::parse(g.of(&["a", "ab", "abc", "a.b"])).unwrap()
    }
}

impl Pick for Bytes {
    fn pick(g: &mut Generator) -> Self {
        Self(g.of(&[vec![], vec![1], vec![1, 2], vec![255], vec![1, 2, 3, 4, 5]]))
    }
}

impl Pick for Status {
    fn pick(g: &mut Generator) -> Self {
        g.of(&[Self::Active, Self::Gone])
    }
}

/// Operands of a dynamic field. What the server refuses or takes for more than a value is another test's business.
impl Pick for Bson {
    fn pick(g: &mut Generator) -> Self {
        loop {
            let depth = g.below(3);
            let value = value(g, depth);
            if !matches!(value, Self::Undefined | Self::RegularExpression(_)) {
                return value;
            }
        }
    }
}

// Filters.

/// The operators of every handle.
fn plain<M, T, I>(g: &mut Generator, field: &Field<M, T>) -> Filter<M>
where
    T: Queryable<Item = I>,
    I: Pick + Operand<I>,
{
    use Operator::{Eq, Exists, Gt, Gte, In, IsNone, IsSome, Lt, Lte, Ne, NotIn};
    let operator = g.of(&[Exists, IsNone, IsSome, Eq, Eq, Ne, Gt, Gte, Lt, Lte, In, NotIn]);
    g.operator(operator, field, |g, field| match operator {
        Exists => field.exists(g.chance(2)),
        IsNone => field.is_none(),
        IsSome => field.is_some(),
        Eq => field.eq(I::pick(g)),
        Ne => field.ne(I::pick(g)),
        Gt => field.gt(I::pick(g)),
        Gte => field.gte(I::pick(g)),
        Lt => field.lt(I::pick(g)),
        Lte => field.lte(I::pick(g)),
        In => field.in_(g.several(3, I::pick)),
        NotIn => field.not_in(g.several(3, I::pick)),
        other => unreachable!("{other:?} is no operator of every handle"),
    })
}

/// Those of strings, too.
fn text<M, T: Queryable<Item = String>>(g: &mut Generator, field: &Field<M, T>) -> Filter<M> {
    if !g.chance(3) {
        return plain(g, field);
    }
    let operator = g.of(&[
        Operator::StartsWith,
        Operator::EndsWith,
        Operator::Contains,
        Operator::EqIgnoreCase,
        Operator::StartsWithIgnoreCase,
        Operator::ContainsIgnoreCase,
    ]);
    g.operator(operator, field, |g, field| {
        loop {
            let part = String::pick(g);
            // The server has no pattern with a NUL: a test of its own says what happens then.
            if part.contains('\0') {
                continue;
            }
            return match operator {
                Operator::StartsWith => field.starts_with(part),
                Operator::EndsWith => field.ends_with(part),
                Operator::EqIgnoreCase => field.eq_ignore_case(part),
                Operator::StartsWithIgnoreCase => field.starts_with_ignore_case(part),
                Operator::ContainsIgnoreCase => field.contains_ignore_case(part),
                _ => field.contains(part),
            };
        }
    })
}

/// Those of whole numbers, too.
fn whole<M, T, I>(g: &mut Generator, field: &Field<M, T>) -> Filter<M>
where
    T: Queryable<Item = I>,
    I: Pick + Operand<I> + Whole,
{
    if !g.chance(4) {
        return plain(g, field);
    }
    g.operator(Operator::Rem, field, |g, field| {
        let divisor = g.of(&[1, 2, -2, 3, i64::MAX, i64::MIN, -1]);
        field.rem(divisor, g.of(&[0, 0, 1, -1, 2]))
    })
}

/// Those of arrays, too.
fn array<M, T, I>(g: &mut Generator, field: &Field<M, Vec<T>>) -> Filter<M>
where
    T: Queryable<Item = I>,
    I: Pick + Operand<I>,
{
    match g.below(4) {
        0 => size(g, field),
        1 => g.operator(Operator::All, field, |g, field| field.all(g.several(2, I::pick))),
        2 => elements(g, field, |g, _| {
            if g.chance(2) {
                Filter::all()
            } else {
                Filter::nothing()
            }
        }),
        _ => plain(g, field),
    }
}

/// Conditions of one element, of which several have one operator.
fn any<M: 'static, T>(
    g: &mut Generator,
    field: &Field<M, Vec<T>>,
    leaf: impl Fn(&mut Generator, &Field<Element<M>, T>) -> Filter<Element<M>>,
) -> Filter<M>
where
    T: Queryable<Item = T>,
{
    g.operator(Operator::Any, field, |g, field| {
        field.any(|element| {
            let mut filter = leaf(g, element);
            for _ in 0..g.below(3) {
                filter = match g.below(5) {
                    0 => filter | leaf(g, element),
                    1 => !filter,
                    2 => filter & Filter::all(),
                    _ => filter & leaf(g, element),
                };
            }
            match g.below(20) {
                0 => Filter::all(),
                1 => Filter::nothing(),
                2 => filter | Filter::nothing(),
                _ => filter,
            }
        })
    })
}

fn size<M, T: model_core::codec::FieldValue>(g: &mut Generator, field: &Field<M, Vec<T>>) -> Filter<M> {
    g.operator(Operator::Size, field, |g, field| {
        field.size(u32::try_from(g.below(4)).unwrap())
    })
}

fn elements<M, T: model_core::codec::FieldValue>(
    g: &mut Generator,
    field: &Field<M, Vec<T>>,
    inner: impl Fn(&mut Generator, &T::Fields<M>) -> Filter<M>,
) -> Filter<M> {
    g.operator(Operator::ElemMatch, field, |g, field| {
        field.elem_match(|fields| inner(g, fields))
    })
}

/// Those that need no operand, for a field that is compared part by part.
fn presence<M, T: model_core::codec::FieldValue>(g: &mut Generator, field: &Field<M, T>) -> Filter<M> {
    let operator = g.of(&[Operator::Exists, Operator::IsNone, Operator::IsSome]);
    g.operator(operator, field, |g, field| match operator {
        Operator::Exists => field.exists(g.chance(2)),
        Operator::IsNone => field.is_none(),
        _ => field.is_some(),
    })
}

impl Generator {
    fn operator<F, M>(
        &mut self,
        operator: Operator,
        field: &F,
        make: impl FnOnce(&mut Self, &F) -> Filter<M>,
    ) -> Filter<M>
    where
        F: std::fmt::Debug,
    {
        self.used.insert(operator);
        let before = self.state;
        self.told
            .push_str(&format!(" {field:?}.{}@{before:x}", operator.method()));
        make(self, field)
    }
}

fn part<M: 'static>(g: &mut Generator, fields: &PartFields<M>) -> Filter<M> {
    if g.chance(2) {
        plain(g, &fields.n)
    } else {
        text(g, &fields.label)
    }
}

fn nested_leaf<M: 'static>(g: &mut Generator, fields: &NestedFields<M>) -> Filter<M> {
    match g.below(11) {
        0 | 1 => whole(g, &fields.max),
        2 => text(g, &fields.name),
        3 => text(g, &fields.tags),
        4 => array(g, &fields.tags),
        5 => presence(g, &fields.parts),
        6 => part(g, &fields.parts),
        7 => plain(g, &fields.zero),
        8 => plain(g, &fields.one),
        9 => any(g, &fields.tags, text),
        _ => elements(g, &fields.parts, part),
    }
}

fn nested_filter<M: 'static>(g: &mut Generator, fields: &NestedFields<M>) -> Filter<M> {
    let first = nested_leaf(g, fields);
    match g.below(6) {
        0 => first & nested_leaf(g, fields),
        1 => first | nested_leaf(g, fields),
        2 => !first,
        _ => first,
    }
}

fn leaf(g: &mut Generator, fields: &TypedFields) -> Filter<Typed> {
    match g.below(44) {
        0 => whole(g, &fields.int),
        1 => whole(g, &fields.long),
        2 => whole(g, &fields.big),
        3 => whole(g, &fields.small),
        4 => plain(g, &fields.double),
        5 => plain(g, &fields.single),
        6 => plain(g, &fields.decimal),
        7 => text(g, &fields.text),
        8 => text(g, &fields.code),
        9 => plain(g, &fields.at),
        10 => plain(g, &fields.oid),
        11 => plain(g, &fields.uuid),
        12 => plain(g, &fields.link),
        13 => plain(g, &fields.flag),
        14 => plain(g, &fields.bytes),
        15 => plain(g, &fields.status),
        16 => text(g, &fields.email),
        17 | 18 => plain(g, &fields.any),
        19 | 20 => array(g, &fields.ints),
        21 => text(g, &fields.texts),
        22 => array(g, &fields.texts),
        23 => whole(g, &fields.holes),
        24 => array(g, &fields.rows),
        25 => array(g, &fields.anys),
        26 => presence(g, &fields.nested),
        27 | 28 => nested_leaf(g, &fields.nested),
        29 => nested_leaf(g, &fields.maybe),
        30 => presence(g, &fields.many),
        31 => size(g, &fields.many),
        32 | 33 => nested_leaf(g, &fields.many),
        34 | 35 => plain(g, &fields.many.zero),
        36 => plain(g, &fields.many.one),
        37 | 38 => any(g, &fields.ints, whole),
        39 | 40 => any(g, &fields.texts, text),
        41 => any(g, &fields.anys, plain),
        _ => elements(g, &fields.many, nested_filter),
    }
}

/// Any filter on the typed model.
pub(crate) fn filter(g: &mut Generator, depth: usize) -> Filter<Typed> {
    if depth == 0 || !g.chance(3) {
        return leaf(g, Typed::fields());
    }
    match g.below(8) {
        0 => Filter::all(),
        1 => Filter::nothing(),
        2 | 3 => filter(g, depth - 1) & filter(g, depth - 1),
        4 | 5 => filter(g, depth - 1) | filter(g, depth - 1),
        _ => !filter(g, depth - 1),
    }
}

/// Any filter on one dynamic field, and any order by one or two.
pub(crate) fn loose(g: &mut Generator, fields: &LooseFields) -> (Filter<Loose>, Sort<Loose>) {
    let handle = |g: &mut Generator| {
        let all = [
            &fields.int,
            &fields.text,
            &fields.any,
            &fields.ints,
            &fields.nested,
            &fields.many,
        ];
        all[g.below(all.len())]
    };
    let field = handle(g);
    let filter = if g.chance(3) {
        Filter::all()
    } else {
        plain(g, field)
    };
    let filter = if g.chance(4) { !filter } else { filter };
    let (first, second) = (handle(g), handle(g));
    let mut sort = if g.chance(2) { first.asc() } else { first.desc() };
    if first.path() != second.path() && g.chance(2) {
        sort = sort.then(if g.chance(2) { second.asc() } else { second.desc() });
    }
    g.told.push_str(&format!(" {sort:?}"));
    (filter, sort.then(fields.id.asc()))
}
