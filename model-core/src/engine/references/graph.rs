//! The graph of the registered models: which fields refer to which model, and what becomes of their documents.

use std::any::Any;

use bson::Bson;

use crate::engine::caller::Caller;
use crate::engine::unit::{Unit, WriteUnit};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{DeleteRule, ModelSchema};
use crate::value::IdValue;

/// What a document loses when others are deleted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Loosened {
    /// Stored names of references that become absent.
    pub(crate) nullified: Vec<&'static str>,
    /// Stored names of arrays, and what is taken out of them.
    pub(crate) pulled: Vec<(&'static str, Vec<Bson>)>,
}

/// A registered model, opened for one caller: its documents are found and written on behalf of somebody who deletes a
/// document of another model.
pub(crate) trait Kin: Unit {
    /// The unit of one document: deleted, or changed by what it loses.
    fn unit(&self, id: IdValue, loosened: Option<Loosened>) -> Box<dyn WriteUnit + '_>;
}

/// Opens a model for whom a context is of: a `GlobalContext` of the model's own actor; none for another's, or without a
/// tenant where the model has them.
pub(crate) type OpenKin = fn(&(dyn Any + Send + Sync)) -> Option<Box<dyn Kin>>;

/// A registered model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Registered {
    pub(crate) schema: &'static ModelSchema,
    pub(crate) open: OpenKin,
}

/// A field with a delete rule.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bond {
    /// The referring model, by its place among the registered ones.
    pub(crate) from: usize,
    pub(crate) field: &'static str,
    pub(crate) rule: DeleteRule,
    to: &'static ModelSchema,
}

/// All fields with delete rules.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    models: Vec<Registered>,
    bonds: Vec<Bond>,
}

impl Graph {
    pub(crate) fn new(models: Vec<Registered>) -> Self {
        let mut bonds = Vec::new();
        for (from, model) in models.iter().enumerate() {
            for field in model.schema.fields {
                let Some(rule) = field.on_delete else { continue };
                bonds.extend(field.ty.target().map(|to| Bond {
                    from,
                    field: field.stored,
                    rule,
                    to,
                }));
            }
        }
        Self { models, bonds }
    }

    /// The registered models, by their places.
    pub(in crate::engine) fn schemas(&self) -> Vec<&'static ModelSchema> {
        self.models.iter().map(|model| model.schema).collect()
    }

    /// The fields that refer to a model.
    pub(in crate::engine) fn to(&self, schema: &'static ModelSchema) -> impl Iterator<Item = &Bond> {
        self.bonds
            .iter()
            .filter(move |bond| std::ptr::eq(bond.to, schema))
    }

    /// Opens the model at this place on behalf of who holds `context`.
    pub(in crate::engine) fn open(
        &self,
        place: usize,
        context: &(dyn Any + Send + Sync),
    ) -> Result<Box<dyn Kin>> {
        let Some(model) = self.models.get(place) else {
            return Err(Error::internal("a model that is not registered"));
        };
        (model.open)(context).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "a delete rule reaches the model, whose policy knows another type of actor",
            )
            .at_model(model.schema.name, "delete")
        })
    }
}

impl Caller {
    /// The models of this caller's handle.
    pub(in crate::engine) fn graph(&self) -> &Graph {
        &self.ports.graph
    }
}
