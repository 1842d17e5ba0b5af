//! The graph of the registered models: which fields refer to which model, and what becomes of their documents.

use std::any::Any;
use std::sync::Arc;

use super::loss::Loosened;
use crate::engine::caller::Caller;
use crate::engine::unit::{Unit, WriteUnit};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::{DeleteRule, ModelSchema, Reference};
use crate::value::IdValue;

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

/// A reference with a delete rule.
#[derive(Debug, Clone)]
pub(crate) struct Bond {
    /// The referring model, by its place among the registered ones.
    pub(crate) from: usize,
    pub(crate) rule: DeleteRule,
    pub(crate) at: Arc<Reference>,
}

/// All references with delete rules.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    models: Vec<Registered>,
    bonds: Vec<Bond>,
}

impl Graph {
    pub(crate) fn new(models: Vec<Registered>) -> Self {
        let mut bonds = Vec::new();
        for (from, model) in models.iter().enumerate() {
            let references = model.schema.references().into_iter();
            bonds.extend(references.filter_map(|reference| {
                Some(Bond {
                    from,
                    rule: reference.on_delete?,
                    at: Arc::new(reference),
                })
            }));
        }
        Self { models, bonds }
    }

    /// The registered models, by their places.
    pub(in crate::engine) fn schemas(&self) -> Vec<&'static ModelSchema> {
        self.models.iter().map(|model| model.schema).collect()
    }

    /// The references to a model.
    pub(in crate::engine) fn to(&self, schema: &'static ModelSchema) -> impl Iterator<Item = &Bond> {
        self.bonds
            .iter()
            .filter(move |bond| std::ptr::eq(bond.at.to, schema))
    }

    /// Opens a registered model on behalf of who holds `context`.
    pub(in crate::engine) fn open_model(
        &self,
        schema: &'static ModelSchema,
        context: &(dyn Any + Send + Sync),
    ) -> Result<Box<dyn Kin>> {
        let known = |model: &Registered| std::ptr::eq(model.schema, schema);
        match self.models.iter().position(known) {
            Some(place) => self.open(place, context),
            None => Err(Error::new(
                ErrorKind::Configuration,
                "the handle does not know the model: register it with `.model()`",
            )
            .at_model(schema.name, "open")),
        }
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
