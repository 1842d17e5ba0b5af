//! The unit that reads some fields of documents.

use bson::Document;
use futures_util::future::{BoxFuture, FutureExt};

use super::stream::Keeps;
use super::unit::{self, nothing};
use crate::codec::{DecodeCx, DecodeError, DocReader};
use crate::engine::{Caller, ReadUnit, Unit};
use crate::error::Result;
use crate::policy::{BaseModel, ContextFor, Model as _, Projection, ReadScope, hidden_names};
use crate::query::Node;
use crate::schema::{FieldSchema, ModelSchema};
use crate::value::{Id, IdValue};

/// Reads some fields into a vector.
pub(super) struct Picker<'a, P: Projection> {
    ctx: &'a ContextFor<P::Model>,
    /// The whole documents that were decoded and not judged yet; none where the scope alone decides.
    pending: Vec<P::Model>,
    /// What was picked from them.
    picked: Vec<P>,
    kept: Vec<P>,
    /// Whether the fields alone are sent, where nobody asks for more.
    picks: bool,
}

impl<'a, P: Projection> Picker<'a, P> {
    pub(super) fn new(ctx: &'a ContextFor<P::Model>) -> Self {
        Self {
            ctx,
            pending: Vec::new(),
            picked: Vec::new(),
            kept: Vec::new(),
            picks: true,
        }
    }

    /// One that can tell no older document by a part of it: those of a model with versions come whole.
    pub(super) fn joined(ctx: &'a ContextFor<P::Model>) -> Self {
        Self {
            picks: P::Model::schema().version == 1,
            ..Self::new(ctx)
        }
    }

    fn asks_nobody(&self) -> bool {
        self.scope_is_exact() || self.caller().bypass.is_some()
    }
}

impl<P: Projection> Keeps for Picker<'_, P> {
    type Item = P;

    fn take(&mut self) -> Vec<P> {
        std::mem::take(&mut self.kept)
    }
}

impl<P: Projection> Unit for Picker<'_, P> {
    fn schema(&self) -> &'static ModelSchema {
        P::Model::schema()
    }

    fn caller(&self) -> &Caller {
        super::global::<P::Model>(self.ctx).caller()
    }

    fn base_filter(&self) -> Node {
        P::Model::base_filter().into_node()
    }

    fn read_scope(&self) -> Node {
        P::Model::read_scope(self.ctx).into_node()
    }

    fn hidden(&self) -> Vec<String> {
        hidden_names::<P::Model>(self.ctx)
    }

    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document> {
        unit::migrate::<P::Model>(document, stored_version)
    }
}

impl<P: Projection> ReadUnit for Picker<'_, P> {
    fn picks(&self) -> Option<&'static [&'static FieldSchema]> {
        (self.picks && self.asks_nobody()).then(P::fields)
    }

    fn decode(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError> {
        let mut keys = DocReader::new(raw, cx)?;
        let picked = P::decode(&mut keys)?;
        keys.finish()?;
        if !self.asks_nobody() {
            self.pending.push(unit::decode(raw, cx)?);
        }
        self.picked.push(picked);
        Ok(())
    }

    fn preload(&self) -> BoxFuture<'_, Result<()>> {
        if self.pending.is_empty() {
            return nothing();
        }
        P::Model::preload(self.ctx, &self.pending).boxed()
    }

    fn judge(&mut self, keep: &mut dyn FnMut(bool, Option<&IdValue>) -> bool) {
        let ctx = self.ctx;
        let mut judged = self.pending.drain(..);
        let kept = self.picked.drain(..).filter(|_| match judged.next() {
            None => keep(true, None),
            Some(document) => keep(document.can_read(ctx), document.identity().map(Id::value)),
        });
        self.kept.extend(kept);
    }

    fn drop_last(&mut self) {
        self.kept.pop();
    }

    fn discard(&mut self) -> u64 {
        self.take().len() as u64
    }

    fn scope_is_exact(&self) -> bool {
        P::Model::READ_SCOPE == ReadScope::Exact
    }
}
