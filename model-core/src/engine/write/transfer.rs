//! A document that goes to another tenant: deleted in the one and created in the other, each judged as such by the policy
//! of who does both, and written together.

use super::plan::{Item, Plan, Written};
use super::{stored, write_together};
use crate::codec::{DecodeCx, DecodeError, Elements, Writer};
use crate::engine::read::load;
use crate::engine::references::cascade::{Root, follow};
use crate::engine::secrets::blind::{self, Tokens};
use crate::engine::secrets::rebind::{Rebound, rebind};
use crate::engine::unit::{Action, WriteUnit};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{ModelSchema, reserved};

/// What a new document has beside its fields, because it was there before.
pub(in crate::engine) struct Carried {
    /// As it came.
    document: Vec<u8>,
    /// Keys that no field has.
    others: Vec<u8>,
    /// The tokens of its secrets, by stored field.
    tokens: Vec<(&'static str, Tokens)>,
}

impl Carried {
    fn of(schema: &ModelSchema, rebound: Rebound) -> Result<Self> {
        let Rebound { document, tokens } = rebound;
        let mut others = Writer::new();
        let mut elements = Elements::new(&document).map_err(DecodeError::into_error)?;
        while let Some((key, value)) = elements.next().map_err(DecodeError::into_error)? {
            if schema.top(key).is_none() && !reserved::ALL.contains(&key) {
                others.raw(key, value.tag, value.bytes);
            }
        }
        Ok(Self {
            others: others.finish()?,
            document,
            tokens,
        })
    }

    /// Adds it to a document that is to be stored. A secret that a hook has changed since has tokens of its own by now.
    pub(in crate::engine) fn add_to(&self, schema: &'static ModelSchema, created: &[u8]) -> Result<Vec<u8>> {
        let mut out = Writer::with_capacity(created.len() + self.others.len() + 256);
        let copy = |document: &[u8], out: &mut Writer<'_>| {
            let mut elements = Elements::new(document)?;
            while let Some((key, value)) = elements.next()? {
                if key != reserved::BLIND_INDEX {
                    out.raw(key, value.tag, value.bytes);
                }
            }
            Ok(())
        };
        copy(created, &mut out).map_err(DecodeError::into_error)?;
        copy(&self.others, &mut out).map_err(DecodeError::into_error)?;
        let mut all = Vec::new();
        for place in schema.blind_places() {
            let made = blind::stored(created, place.path)?;
            if !made.is_empty() {
                all.push((place.path, made));
            }
        }
        for (path, tokens) in &self.tokens {
            let same = |document| {
                let value = load::raw_at(document, path);
                value.map(|value| value.map(|value| (value.tag, value.bytes.to_vec())))
            };
            if same(created)? == same(&self.document)? && all.iter().all(|(made, _)| made != path) {
                all.push((*path, tokens.clone()));
            }
        }
        blind::write(&all, &mut out);
        out.finish()
    }
}

/// Takes the document of `leaving` out of its tenant, and puts it into that of `arriving` under the same id.
///
/// # Errors
/// `Refused` if documents of the first tenant refer to it by a field with a delete rule; `Unsupported` without transactions.
pub(crate) async fn transfer(leaving: &mut dyn WriteUnit, arriving: &mut dyn WriteUnit) -> Result<Written> {
    let schema = leaving.schema();
    require_movable(schema)?;
    arriving.caller().check_crossing()?;
    if leaving.caller().tenant == arriving.caller().tenant {
        let message = "the document is one of this tenant's already";
        return Err(Error::violation("tenant", "move", message));
    }
    let abilities = leaving.caller().ports.admit(schema).await?;
    if !abilities.transactions {
        let message = "a document goes to another tenant in one transaction, and this server has none: use a replica set";
        return Err(Error::new(ErrorKind::Unsupported, message));
    }
    let found = {
        let mut item = Item::new(&mut *leaving, Plan::new(Action::Delete));
        stored::load(std::slice::from_mut(&mut item)).await?;
        item.stored
    };
    let Some(found) = found else {
        return Ok(Written::Missing);
    };
    let action = if schema.soft_delete {
        Action::Purge
    } else {
        Action::Delete
    };
    require_unreferred(&*leaving, action).await?;
    let rebound = rebind(leaving.caller(), arriving.caller(), schema, found.present()).await?;
    {
        let decoding = load::decoding(schema, &rebound.document, None);
        let loaded = arriving.load(&rebound.document, &DecodeCx::root(decoding.as_ref()));
        loaded.map_err(DecodeError::into_error)?;
    }
    let leaves = Item::new(leaving, Plan::new(action)).found(found.raw);
    let mut arrives = Item::new(arriving, Plan::new(Action::Create));
    arrives.carried = Some(Carried::of(schema, rebound)?);
    let mut items = [leaves, arrives];
    write_together(&mut items).await?;
    let [_, there] = &items;
    Ok(there.written)
}

fn require_movable(schema: &ModelSchema) -> Result<()> {
    let why = if schema.singleton {
        "the one document of each tenant has its id from the tenant, and does not move"
    } else if schema.has_outbox() {
        "a document with an outbox leaves when the relay has taken its last entry, and does not move"
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Unsupported, why))
}

/// Nothing that the first tenant has may refer to what is gone from it.
async fn require_unreferred(unit: &dyn WriteUnit, action: Action) -> Result<()> {
    let along = follow(&[Root { unit, action }], None).await?;
    along.require_free()?;
    match along.dependents.first() {
        None => Ok(()),
        Some(dependent) => Err(Error::new(
            ErrorKind::Refused,
            "documents that refer to it stay behind: they would refer to another tenant's",
        )
        .at_model(along.model(dependent)?.schema().name, "move_to_tenant")),
    }
}
