//! Options, arrays and maps of field types.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use serde::Serialize;
use serde_json::Value;

use crate::codec::{
    Constraints, DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Visitor,
    Writer,
};
use crate::schema::TypeSchema;

/// The most keys that a map may have.
pub const MAX_MAP_KEYS: usize = 1_000;

/// The most bytes that a key of a map may have.
const MAX_KEY_BYTES: usize = 256;

impl<T: FieldValue> FieldValue for Option<T> {
    const TYPE: TypeSchema = TypeSchema::Optional(&T::TYPE);
    const INERT: bool = T::INERT;
    type Input = Option<T::Input>;
    type Patch = T::Patch;
    type View = Option<T::View>;
    type Fields<M: 'static> = T::Fields<M>;

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        if let Some(value) = self {
            value.encode(out, key);
        }
    }

    #[inline]
    fn encode_item(&self, out: &mut Writer<'_>, key: &str) {
        match self {
            Some(value) => value.encode_item(out, key),
            None => out.null(key),
        }
    }

    #[inline]
    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        if value.is_null() {
            Ok(None)
        } else {
            T::decode(value, cx).map(Some)
        }
    }

    #[inline]
    fn absent() -> Option<Self> {
        Some(None)
    }

    fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
        if let Some(value) = self {
            value.visit(constraints, visitor);
        }
    }

    fn from_input(input: Self::Input) -> Self {
        input.map(T::from_input)
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self::Input> {
        if value.is_null() {
            Some(None)
        } else {
            T::parse(value, cx).map(Some)
        }
    }

    fn parse_patch(value: Value, cx: &mut InputCx) -> Result<Option<Self::Patch>, Value> {
        if value.is_null() {
            return Err(value);
        }
        T::parse_patch(value, cx)
    }

    fn apply(field: &mut Self, patch: Self::Patch, cx: &mut InputCx) {
        match field {
            Some(value) => T::apply(value, patch, cx),
            None => *field = T::from_patch(patch, cx),
        }
    }

    fn from_patch(patch: Self::Patch, cx: &mut InputCx) -> Option<Self> {
        T::from_patch(patch, cx).map(Some)
    }

    fn wipe(&mut self) {
        if let Some(value) = self {
            value.wipe();
        }
    }

    fn into_view(self) -> Self::View {
        self.map(T::into_view)
    }
}

impl<T: FieldValue> FieldValue for Vec<T> {
    const TYPE: TypeSchema = TypeSchema::Array(&T::TYPE);
    const INERT: bool = T::INERT;
    type Input = Vec<T::Input>;
    type Patch = Never;
    type View = Vec<T::View>;
    type Fields<M: 'static> = T::Fields<M>;

    #[inline]
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.array(key, self, |out, key, item| item.encode_item(out, key));
    }

    #[inline]
    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        let mut elements = value.array()?;
        let mut items = Self::new();
        let mut cx = cx.child("[]");
        while let Some(value) = elements.next_value()? {
            cx.at_item(value);
            let index = items.len();
            items.push(T::decode(value, &cx).map_err(|error| error.at(&index.to_string()))?);
        }
        Ok(items)
    }

    fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
        visitor.items(constraints, self.len(), self.iter_mut());
    }

    fn from_input(input: Self::Input) -> Self {
        input.into_iter().map(T::from_input).collect()
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self::Input> {
        let items = match value {
            Value::Array(items) => items,
            other => return cx.wrong_type("an array", &other),
        };
        // Every element is read, so that every mistake is reported.
        let items: Vec<_> = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| cx.at_index(index, |cx| T::parse(item, cx)))
            .collect();
        items.into_iter().collect()
    }

    fn wipe(&mut self) {
        self.iter_mut().for_each(T::wipe);
    }

    fn into_view(self) -> Self::View {
        self.into_iter().map(T::into_view).collect()
    }
}

/// Why a string cannot be the key of a map, if it cannot: such keys break paths, or the clients that read them.
pub(crate) fn bad_map_key(key: &str) -> Option<&'static str> {
    if key.is_empty() {
        Some("a key must not be empty")
    } else if key.len() > MAX_KEY_BYTES {
        Some("a key must not have more than 256 bytes")
    } else if key.starts_with('$') {
        Some("a key must not begin with `$`")
    } else if key.contains('.') {
        Some("a key must not contain `.`")
    } else if key.contains('\0') {
        Some("a key must not contain a NUL character")
    } else if key == "__proto__" {
        Some("`__proto__` must not be a key")
    } else {
        None
    }
}

fn encode_map<'a, T: FieldValue>(
    out: &mut Writer<'_>,
    key: &str,
    count: usize,
    entries: impl Iterator<Item = (&'a String, &'a T)>,
) {
    if count > MAX_MAP_KEYS {
        out.reject(key, "keys", "must not have more than 1000 keys");
        return;
    }
    out.map(key, |out| {
        for (key, value) in entries {
            match bad_map_key(key) {
                Some(problem) if key.contains('\0') || !out.keeps_keys() => out.reject("", "key", problem),
                _ => value.encode_item(out, key),
            }
        }
    });
}

fn decode_map<T: FieldValue>(
    value: RawValue<'_>,
    cx: &DecodeCx<'_>,
    mut insert: impl FnMut(String, T) -> Option<T>,
) -> Result<(), DecodeError> {
    let mut elements = value.document()?;
    let mut cx = cx.child("{}");
    while let Some((key, value)) = elements.next()? {
        cx.at_entry(key);
        let item = T::decode(value, &cx).map_err(|error| error.at(key))?;
        if insert(key.to_owned(), item).is_some() {
            return Err(DecodeError::new("the key stands twice in the document").at(key));
        }
    }
    Ok(())
}

fn parse_map<T: FieldValue, C: FromIterator<(String, T::Input)>>(
    value: Value,
    cx: &mut InputCx,
) -> Option<C> {
    let entries = match value {
        Value::Object(entries) => entries,
        other => return cx.wrong_type("an object", &other),
    };
    if entries.len() > MAX_MAP_KEYS {
        cx.reject("keys", "must not have more than 1000 keys");
        return None;
    }
    let entries: Vec<_> = entries
        .into_iter()
        .map(|(key, value)| {
            if let Some(problem) = bad_map_key(&key) {
                cx.reject("key", problem);
                return None;
            }
            let value = cx.at_key(&key, |cx| T::parse(value, cx))?;
            Some((key, value))
        })
        .collect();
    entries.into_iter().collect()
}

impl<T: FieldValue> FieldValue for BTreeMap<String, T> {
    const TYPE: TypeSchema = TypeSchema::Map(&T::TYPE);
    const INERT: bool = T::INERT;
    type Input = BTreeMap<String, T::Input>;
    type Patch = Never;
    type View = MapView<T::View>;
    type Fields<M: 'static> = NoFields;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        encode_map(out, key, self.len(), self.iter());
    }

    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        let mut map = Self::new();
        decode_map(value, cx, |key, value| map.insert(key, value))?;
        Ok(map)
    }

    fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
        visitor.entries(constraints, self.len(), self.iter_mut());
    }

    fn from_input(input: Self::Input) -> Self {
        input
            .into_iter()
            .map(|(key, value)| (key, T::from_input(value)))
            .collect()
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self::Input> {
        parse_map::<T, _>(value, cx)
    }

    fn wipe(&mut self) {
        self.values_mut().for_each(T::wipe);
    }

    fn into_view(self) -> Self::View {
        MapView(
            self.into_iter()
                .map(|(key, value)| (key, value.into_view()))
                .collect(),
        )
    }
}

impl<T: FieldValue, S: BuildHasher + Default + Clone + Send + Sync + 'static> FieldValue
    for HashMap<String, T, S>
{
    const TYPE: TypeSchema = TypeSchema::Map(&T::TYPE);
    const INERT: bool = T::INERT;
    type Input = HashMap<String, T::Input, S>;
    type Patch = Never;
    type View = MapView<T::View>;
    type Fields<M: 'static> = NoFields;

    /// In the order of the keys, so that equal maps have equal bytes.
    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        // What is read back has an order of its own.
        out.inexact();
        let sorted: BTreeMap<_, _> = self.iter().collect();
        encode_map(out, key, sorted.len(), sorted.into_iter());
    }

    fn decode(value: RawValue<'_>, cx: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        let mut map = Self::default();
        decode_map(value, cx, |key, value| map.insert(key, value))?;
        Ok(map)
    }

    fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
        visitor.entries(constraints, self.len(), self.iter_mut());
    }

    fn from_input(input: Self::Input) -> Self {
        input
            .into_iter()
            .map(|(key, value)| (key, T::from_input(value)))
            .collect()
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self::Input> {
        parse_map::<T, _>(value, cx)
    }

    fn wipe(&mut self) {
        self.values_mut().for_each(T::wipe);
    }

    fn into_view(self) -> Self::View {
        MapView(
            self.into_iter()
                .map(|(key, value)| (key, value.into_view()))
                .collect(),
        )
    }
}

/// A map in a view, in the order of its keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct MapView<V: ViewValue>(BTreeMap<String, V>);

impl<V: ViewValue> ViewValue for MapView<V> {}
