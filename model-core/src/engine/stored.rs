//! The stored document that a write begins from, and the bytes that it ends with.

use std::borrow::Cow;

use bson::RawDocumentBuf;

use super::diff::{self, Difference};
use super::load;
use super::seal::Sealer;
use super::unit::{Action, WriteUnit, permitted};
use crate::codec::{DecodeCx, DecodeError, Seal, Writer};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ModelSchema, reserved};
use crate::store::{Selection, into_error};
use crate::value::Revision;

/// A document as it was found.
pub(super) struct Stored {
    pub(super) raw: RawDocumentBuf,
    /// In the shape of the present version; none if it has it already.
    pub(super) migrated: Option<Vec<u8>>,
    /// As this crate itself would have written it: equal values have equal bytes.
    pub(super) canonical: Vec<u8>,
    pub(super) revision: Option<Revision>,
    /// The JSON keys of the fields that the patch names.
    pub(super) touched: Vec<&'static str>,
}

impl Stored {
    pub(super) fn present(&self) -> &[u8] {
        self.migrated.as_deref().unwrap_or(self.raw.as_bytes())
    }

    /// What is meant to change.
    pub(super) fn changes<'a>(
        &'a self,
        schema: &'static ModelSchema,
        after: &'a [u8],
    ) -> Result<Vec<Difference<'a>>> {
        diff::diff(schema.fields, self.present(), &self.canonical, after)
    }
}

/// Finds the document, if the caller may know of it.
pub(super) async fn find(unit: &mut dyn WriteUnit, expected: Option<Revision>) -> Result<Option<Stored>> {
    let caller = unit.caller();
    let scope = caller.scoped(|| unit.read_scope());
    let selection = Selection {
        id: Some(unit.id().to_bson()),
        ..caller.select(unit.schema(), scope)?
    };
    let found = caller
        .ports
        .store
        .find_one(unit.schema().collection, &selection)
        .await
        .map_err(into_error)?;
    let Some(raw) = found else { return Ok(None) };
    let revision = match load::raw_field(raw.as_bytes(), reserved::REVISION)? {
        Some(value) => {
            let number = value
                .i64()
                .map_err(|error| error.at(reserved::REVISION).into_error())?;
            Some(Revision::from_i64(number))
        }
        None => None,
    };
    let migrated = match load::migrated(unit, raw.as_bytes())? {
        Cow::Borrowed(_) => None,
        Cow::Owned(bytes) => Some(bytes),
    };
    let mut stored = Stored {
        raw,
        migrated,
        canonical: Vec::new(),
        revision,
        touched: Vec::new(),
    };
    let cx = DecodeCx::root(load::origin(unit.schema(), stored.present())?);
    unit.load(stored.present(), &cx)
        .map_err(DecodeError::into_error)?;
    let mut out = Writer::new().keeping_keys(true);
    unit.encode_before(&mut out);
    stored.canonical = out.finish()?;
    if unit.caller().bypass.is_none() {
        unit.preload().await?;
    }
    if !permitted(unit, Action::Read) {
        return Ok(None);
    }
    if expected.is_some_and(|expected| expected != revision.unwrap_or_default()) {
        return Err(Error::new(
            ErrorKind::Conflict,
            "the expected revision is no longer the stored one",
        ));
    }
    Ok(Some(stored))
}

/// The bytes of what is to be stored.
pub(super) async fn encode(unit: &dyn WriteUnit, revision: Revision, action: Action) -> Result<Vec<u8>> {
    let schema = unit.schema();
    let sealer = Sealer::new(unit.caller(), schema, unit.id()).await?;
    let mut out = Writer::new()
        .sealing(sealer.as_ref().map(|sealer| sealer as &dyn Seal))
        .keeping_keys(action == Action::Update);
    unit.encode(&mut out);
    out.i64(reserved::REVISION, revision.to_i64());
    if schema.version > 1 {
        out.i32(
            reserved::SCHEMA_VERSION,
            i32::try_from(schema.version).unwrap_or(i32::MAX),
        );
    }
    out.finish()
}
