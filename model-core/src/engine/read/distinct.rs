//! The values of a field, in the documents that may be read.

use super::load;
use std::collections::VecDeque;

use super::options;
use crate::codec::RawValue;
use crate::engine::read::{self, Listing, Notes};
use crate::engine::unit::{ReadUnit, visible};
use crate::error::{Error, Result};
use crate::query::{Node, each_value, order_values};
use crate::schema::{ModelSchema, TypeSchema};
use crate::store::{Find, Unwound, into_error};

/// A value: its type byte and its bytes.
type Owned = (u8, Vec<u8>);

fn borrowed(value: &Owned) -> RawValue<'_> {
    RawValue {
        tag: value.0,
        bytes: &value.1,
    }
}

/// The values of one field, kept for the documents that are kept.
struct Values<'p> {
    path: &'p str,
    decoded: VecDeque<Vec<Owned>>,
    kept: Vec<Owned>,
    /// How many are kept before what repeats is thrown away.
    room: usize,
}

impl Values<'_> {
    fn keep(&mut self, values: Vec<Owned>) {
        self.kept.extend(values);
        if self.kept.len() > self.room {
            self.unite();
            self.room = self.kept.len().max(1_000) * 2;
        }
    }

    fn unite(&mut self) {
        self.kept.retain(|value| !borrowed(value).is_null());
        self.kept.sort_by(|a, b| order_values(borrowed(a), borrowed(b)));
        self.kept
            .dedup_by(|a, b| order_values(borrowed(a), borrowed(b)).is_eq());
    }
}

impl Notes for Values<'_> {
    fn note(&mut self, _: &[u8], present: &[u8]) -> Result<()> {
        let mut values = Vec::new();
        each_value(present, self.path, &mut |value| {
            values.push((value.tag, value.bytes.to_vec()));
        });
        self.decoded.push_back(values);
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        if let Some(values) = self.decoded.pop_front().filter(|_| kept) {
            self.keep(values);
        }
        kept
    }
}

/// Hands every value of the field, once each and in ascending order, to `each`. Null and missing are no values.
pub(crate) async fn distinct(
    unit: &mut dyn ReadUnit,
    listing: Listing,
    path: &str,
    each: &mut (dyn FnMut(RawValue<'_>) -> Result<()> + Send),
) -> Result<()> {
    if listing.skip > 0 || listing.limit.is_some() {
        return Err(Error::violation(
            "limit",
            "distinct",
            "`distinct` takes neither `skip` nor `limit`",
        ));
    }
    let schema = unit.schema();
    let mut values = Values {
        path,
        decoded: VecDeque::new(),
        kept: Vec::new(),
        room: 2_000,
    };
    let on_server = read::server_decides(unit, &listing);
    // A document of an older version has its values only after `migrate`.
    if on_server && schema.version == 1 {
        unit.caller().ports.admit(schema).await?;
        let filter = listing.filter.unwrap_or(Node::Everything);
        let selection = visible(&*unit, listing.deleted, filter).await?;
        let find = Find {
            options: options::options(unit, listing.options)?,
            ..Find::all(schema.collection, selection)
        };
        let field = Unwound {
            path: path.to_owned(),
            arrays: arrays(schema, path),
        };
        let mut cursor = unit
            .caller()
            .store()?
            .distinct(&find, &field)
            .await
            .map_err(into_error)?;
        while cursor.advance().await.map_err(into_error)? {
            cursor.each(&mut |raw| {
                let found = load::raw_field(raw, "_id")?;
                values.keep(
                    found
                        .map(|value| (value.tag, value.bytes.to_vec()))
                        .into_iter()
                        .collect(),
                );
                Ok(true)
            })?;
        }
    } else {
        let mut open = read::open(unit, listing).await?;
        while read::pull_noting(unit, &mut open, &mut values).await? {
            unit.discard();
        }
    }
    values.unite();
    values.kept.iter().try_for_each(|value| each(borrowed(value)))
}

/// The arrays on the way along a stored path.
pub(in crate::engine) fn arrays(schema: &ModelSchema, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fields: Vec<_> = schema.fields.iter().collect();
    let mut prefix = String::new();
    for name in path.split('.') {
        if !prefix.is_empty() {
            prefix.push('.');
        }
        prefix.push_str(name);
        // Variants may call several things so.
        let beside = fields.iter().flat_map(|field| field.beside());
        let all = fields.iter().copied().chain(beside);
        let named: Vec<_> = all.filter(|field| field.stored == name).collect();
        let deepest = named
            .iter()
            .map(|field| depth(&field.ty))
            .max()
            .unwrap_or_default();
        found.extend(std::iter::repeat_n(prefix.clone(), deepest));
        fields = named.iter().flat_map(|field| field.ty.parts()).collect();
    }
    found
}

/// How many arrays lie around the elements of the type.
fn depth(ty: &TypeSchema) -> usize {
    match ty {
        TypeSchema::Optional(inner) => depth(inner),
        TypeSchema::Array(inner) => 1 + depth(inner),
        _ => 0,
    }
}
