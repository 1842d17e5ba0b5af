//! A password hash in the place of an older one of the same password.

use bson::{Bson, RawDocumentBuf};

use super::document_seal;
use super::keys::StoreKeys;
use crate::codec::{DecodeError, RawValue, Writer, plaintext, read_bson};
use crate::crypto::{Origin, Purpose, TenantKey};
use crate::engine::caller::Caller;
use crate::error::{Error, Result};
use crate::query::{Node, Test};
use crate::schema::ModelSchema;
use crate::store::{Selection, UpdateOne, into_error};

/// The subtype of envelopes.
const SENSITIVE: u8 = 8;

/// Puts the hash `phc` in the place of `stored`, if that is still there; whether it was. It takes the hash of any tenant's
/// document, as verifying does, and is no change that somebody meant: no hook runs, and it moves no revision.
pub(crate) async fn upgrade(caller: &Caller, origin: &[u8], stored: &Bson, phc: &str) -> Result<bool> {
    // A hash that is bound to no document has no place.
    let Ok(place) = Origin::parse(origin) else {
        return Ok(false);
    };
    let schema = caller
        .ports
        .models
        .iter()
        .find(|known| known.collection == place.collection);
    // An element may have moved since.
    let is_element = |step: &str| matches!(step, "[]" | "{}");
    let Some(schema) = schema.filter(|_| !place.path.split('.').any(is_element)) else {
        return Ok(false);
    };
    let selection = Selection {
        tenant: tenant(schema, &place)?,
        id: Some((schema.id_field, bson(place.id)?)),
        ..Selection::of(Node::field(place.path.to_owned(), Test::Eq(stored.clone())))
    };
    let mut update = UpdateOne {
        selection,
        set: set(caller, schema, origin, &place, phc).await?,
        unset: Vec::new(),
    };
    if schema.seal.is_some() {
        let found = caller
            .store()?
            .find_one(schema.collection, &update.selection)
            .await;
        let Some(found) = found.map_err(into_error)? else {
            return Ok(false);
        };
        document_seal::prepare(&caller.ports, schema, [found.as_bytes()]).await?;
        document_seal::check(&caller.ports, schema, found.as_bytes())?;
        document_seal::amend(&caller.ports, schema, found.as_bytes(), &mut update).await?;
    }
    let matched = caller.store()?.update(schema.collection, &[&update]).await;
    Ok(matched.map_err(into_error)? == 1)
}

fn tenant(schema: &ModelSchema, place: &Origin<'_>) -> Result<Option<(&'static str, Bson)>> {
    match (schema.tenant_field(), place.tenant) {
        (Some(field), Some(tenant)) => Ok(Some((field, bson(tenant)?))),
        (None, None) => Ok(None),
        _ => Err(Error::internal(
            "a hash that is bound to another kind of document",
        )),
    }
}

/// The hash as a write would store it: sealed where there is a keyring.
async fn set(
    caller: &Caller,
    schema: &'static ModelSchema,
    origin: &[u8],
    place: &Origin<'_>,
    phc: &str,
) -> Result<RawDocumentBuf> {
    let mut set = Writer::new();
    match &caller.ports.keyring {
        None => set.string(place.path, phc),
        Some(keyring) => {
            let plain = plaintext(|plain, v| plain.string(v, phc))?;
            let tenant = place
                .tenant
                .map(|(tag, bytes)| TenantKey::new(tag, bytes))
                .transpose()?;
            let ports = &caller.ports;
            let store = StoreKeys(&*ports.store);
            let key = keyring.ensure_primary(&store, Purpose::Enc, tenant.as_ref(), ports.now());
            let pad = schema.field_at(place.path).and_then(|field| field.pad);
            let envelope = keyring.seal(&*key.await?, origin, &plain, pad)?;
            set.binary(place.path, SENSITIVE, &envelope);
        }
    }
    RawDocumentBuf::from_bytes(set.finish()?).map_err(|_| Error::internal("a malformed update"))
}

/// A value as an origin has it.
fn bson((tag, bytes): (u8, &[u8])) -> Result<Bson> {
    read_bson(RawValue { tag, bytes }).map_err(DecodeError::into_error)
}
