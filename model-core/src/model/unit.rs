//! The typed side of the pipeline: what one operation on one model holds.

use std::any::Any;
use std::collections::VecDeque;

use bson::Document;
use chrono::{DateTime, Utc};
use futures_util::future::{BoxFuture, FutureExt};

use super::compute::Compute;
use super::global;
use super::stream::Keeps;
use crate::codec::{DecodeCx, DecodeError, DocReader, Elements, InputCx, RawValue, Visitor, Writer};
use crate::engine::{self, Action, Caller, Lent, ReadUnit, Side, Unit, WriteUnit, Written};
use crate::error::{Error, Result};
use crate::policy::{
    AnyContext, BaseModel, Change, ContextFor, MigrateInfo, ReadScope, Stamp, hidden_names, top_names,
};
use crate::query::Node;
use crate::schema::{FieldRole, ModelSchema, reserved};
use crate::value::{Id, IdValue};

/// Decodes a whole document.
pub(super) fn decode<M: BaseModel>(raw: &[u8], cx: &DecodeCx<'_>) -> Result<M, DecodeError> {
    let mut reader = DocReader::new(raw, cx)?;
    let document = M::decode(&mut reader)?;
    reader.finish()?;
    Ok(document)
}

pub(super) fn migrate<M: BaseModel>(document: Document, stored_version: u32) -> Result<Document> {
    M::migrate(document, &MigrateInfo::new(stored_version, M::schema().version))
}

/// Writes a document, with the `_id` that a model without an id does not know of.
pub(super) fn encode<M: BaseModel>(document: &M, id: &Id<M>, out: &mut Writer<'_>) {
    if document.identity().is_none() {
        id.value().encode(out, reserved::ID);
    }
    document.encode(out);
}

/// Reads documents into a vector.
pub(super) struct Reader<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    /// Decoded, and not judged yet.
    pending: Vec<M>,
    documents: Vec<M>,
    /// The `_id` of each of both, of a model without ids.
    ids: (VecDeque<IdValue>, Vec<IdValue>),
}

impl<'a, M: BaseModel> Reader<'a, M> {
    pub(super) fn new(ctx: &'a ContextFor<M>) -> Self {
        Self {
            ctx,
            pending: Vec::new(),
            documents: Vec::new(),
            ids: Default::default(),
        }
    }

    /// How many documents are decoded and not judged yet.
    pub(super) fn pending(&self) -> usize {
        self.pending.len()
    }

    pub(super) fn into_documents(self) -> Vec<M> {
        self.documents
    }

    /// Each document with what it is stored under.
    pub(super) fn into_named(self) -> impl Iterator<Item = (Id<M>, M)> {
        let mut ids = self.ids.1.into_iter().map(Id::from_value);
        self.documents.into_iter().filter_map(move |document| {
            let id = document.identity().cloned().or_else(|| ids.next())?;
            Some((id, document))
        })
    }
}

impl<M: BaseModel> Keeps for Reader<'_, M> {
    type Item = M;

    fn take(&mut self) -> Vec<M> {
        self.ids.1.clear();
        std::mem::take(&mut self.documents)
    }
}

impl<M: BaseModel> Unit for Reader<'_, M> {
    fn schema(&self) -> &'static ModelSchema {
        M::schema()
    }

    fn caller(&self) -> &Caller {
        global::<M>(self.ctx).caller()
    }

    fn base_filter(&self) -> Node {
        M::base_filter().into_node()
    }

    fn read_scope(&self) -> Node {
        M::read_scope(self.ctx).into_node()
    }

    fn hidden(&self) -> Vec<String> {
        hidden_names::<M>(self.ctx)
    }

    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document> {
        migrate::<M>(document, stored_version)
    }
}

impl<M: BaseModel> ReadUnit for Reader<'_, M> {
    fn decode(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError> {
        let document: M = decode(raw, cx)?;
        if document.identity().is_none() {
            let id = Elements::new(raw)?.find(reserved::ID)?;
            let id = id.ok_or_else(|| DecodeError::new("the document has no id").at(reserved::ID))?;
            self.ids.0.push_back(IdValue::decode(id)?);
        }
        self.pending.push(document);
        Ok(())
    }

    fn preload(&self) -> BoxFuture<'_, Result<()>> {
        if self.pending.is_empty() {
            return nothing();
        }
        M::preload(self.ctx, &self.pending).boxed()
    }

    fn judge(&mut self, keep: &mut dyn FnMut(bool, Option<&IdValue>) -> bool) {
        let bypassed = self.caller().bypass.is_some();
        let (ctx, (pending, ids)) = (self.ctx, &mut self.ids);
        let kept = self.pending.drain(..).filter(|document| {
            let allowed = bypassed || document.can_read(ctx);
            match document.identity() {
                Some(id) => keep(allowed, Some(id.value())),
                None => {
                    let id = pending.pop_front();
                    let kept = keep(allowed, id.as_ref());
                    ids.extend(id.filter(|_| kept));
                    kept
                }
            }
        });
        self.documents.extend(kept);
    }

    fn drop_last(&mut self) {
        self.documents.pop();
        self.ids.1.pop();
    }

    fn discard(&mut self) -> u64 {
        self.take().len() as u64
    }

    fn scope_is_exact(&self) -> bool {
        M::READ_SCOPE == ReadScope::Exact
    }
}

/// What the caller asks for, until the pipeline begins with it.
pub(super) enum Input<'a, M: BaseModel> {
    New(M::New),
    Patch(M::Patch),
    /// Everything that a caller may write, anew.
    Replace(M::New),
    /// Computed from the document as it is found, each time that it is.
    Computed(Compute<'a, M>),
    /// Nothing but what its migration makes of it.
    Migrated,
    /// A document that comes from another tenant, as it is handed in.
    Arriving,
}

/// What a write holds of its documents.
pub(super) enum Sides<M: BaseModel> {
    None,
    Created(M),
    Changed(Change<M>),
    /// To be deleted.
    Found(M),
}

/// One write.
pub(super) struct Writing<'a, M: BaseModel> {
    ctx: &'a ContextFor<M>,
    id: Id<M>,
    input: Option<Input<'a, M>>,
    sides: Sides<M>,
    /// When a document that comes from another tenant was created there.
    born: Option<DateTime<Utc>>,
}

impl<'a, M: BaseModel> Writing<'a, M> {
    pub(super) fn create(ctx: &'a ContextFor<M>, id: Id<M>, new: M::New) -> Self {
        Self {
            ctx,
            id,
            input: Some(Input::New(new)),
            sides: Sides::None,
            born: None,
        }
    }

    /// An update, or a delete where there is no input.
    pub(super) fn of(ctx: &'a ContextFor<M>, id: Id<M>, input: Option<Input<'a, M>>) -> Self {
        Self {
            ctx,
            id,
            input,
            sides: Sides::None,
            born: None,
        }
    }

    /// The document after the write; for an update that changed nothing, the document as it is. What is missing for the
    /// caller may have been read all the same, and is not handed out.
    pub(super) fn into_document(self, written: Written) -> Option<M> {
        match (self.sides, written) {
            (_, Written::Missing) | (Sides::Found(_) | Sides::None, _) => None,
            (Sides::Created(document), _) => Some(document),
            (Sides::Changed(change), Written::Unchanged) => Some(change.into_before()),
            (Sides::Changed(change), Written::Yes) => Some(change.into_after()),
        }
    }

    fn before_side(&self) -> Option<&M> {
        match &self.sides {
            Sides::Found(document) => Some(document),
            Sides::Changed(change) => Some(change.before()),
            _ => None,
        }
    }

    fn after_side(&self) -> Option<&M> {
        match &self.sides {
            Sides::Created(document) => Some(document),
            Sides::Changed(change) => Some(change.after()),
            _ => None,
        }
    }

    fn after_side_mut(&mut self) -> Option<&mut M> {
        match &mut self.sides {
            Sides::Created(document) => Some(document),
            Sides::Changed(change) => Some(change.after_mut()),
            _ => None,
        }
    }

    fn stamp_at(&self, now: DateTime<Utc>) -> Stamp<M> {
        let tenant = AnyContext::<M::Scope, M::Actor>::stamp_tenant(self.ctx);
        Stamp {
            id: self.id.clone(),
            tenant,
            now,
        }
    }
}

impl<M: BaseModel> Unit for Writing<'_, M> {
    fn schema(&self) -> &'static ModelSchema {
        M::schema()
    }

    fn caller(&self) -> &Caller {
        global::<M>(self.ctx).caller()
    }

    fn base_filter(&self) -> Node {
        M::base_filter().into_node()
    }

    fn read_scope(&self) -> Node {
        M::read_scope(self.ctx).into_node()
    }

    fn hidden(&self) -> Vec<String> {
        hidden_names::<M>(self.ctx)
    }

    fn migrate(&self, document: Document, stored_version: u32) -> Result<Document> {
        migrate::<M>(document, stored_version)
    }
}

impl<M: BaseModel> WriteUnit for Writing<'_, M> {
    fn context(&self) -> &(dyn Any + Send + Sync) {
        global::<M>(self.ctx)
    }

    fn write_scope(&self) -> Node {
        M::write_scope(self.ctx).into_node()
    }

    fn readonly_for(&self) -> Vec<String> {
        top_names(M::readonly_for(self.ctx))
    }

    fn id(&self) -> &IdValue {
        self.id.value()
    }

    fn load(&mut self, raw: &[u8], cx: &DecodeCx<'_>) -> Result<(), DecodeError> {
        // A model need not be `Clone`: what is after begins as a second reading.
        self.sides = match self.input {
            Some(Input::Arriving) => {
                self.born = created_at::<M>(raw)?;
                Sides::Created(decode(raw, cx)?)
            }
            Some(_) => Sides::Changed(Change::new(decode(raw, cx)?, decode(raw, cx)?)),
            None => Sides::Found(decode(raw, cx)?),
        };
        Ok(())
    }

    fn begin(&mut self, now: DateTime<Utc>) -> Result<Vec<&'static str>> {
        if let (Some(Input::Computed(compute)), Sides::Changed(change)) = (&self.input, &mut self.sides) {
            return compute.carry_out(change, &self.id);
        }
        let stamp = self.stamp_at(now);
        match (self.input.take(), &mut self.sides) {
            (Some(Input::New(new)), sides) => {
                // Asked for by few policies, so that most creates list nothing.
                let given = if M::readonly_for(self.ctx).is_none() {
                    Vec::new()
                } else {
                    M::given(&new)
                };
                *sides = Sides::Created(M::build(new, &stamp));
                Ok(given)
            }
            (Some(Input::Patch(patch)), Sides::Changed(change)) => {
                let mut cx = InputCx::default();
                change.after_mut().apply(patch, &mut cx);
                let touched = cx.take_touched();
                cx.finish()?;
                Ok(touched)
            }
            (Some(Input::Replace(new)), Sides::Changed(change)) => {
                *change.after_mut() = M::build(new, &stamp);
                Ok(M::schema().fields.iter().map(|field| field.json).collect())
            }
            (Some(Input::Migrated), Sides::Changed(_)) | (Some(Input::Arriving), Sides::Created(_)) => {
                Ok(Vec::new())
            }
            _ => Err(Error::internal("a write began twice")),
        }
    }

    fn stamp(&mut self, now: DateTime<Utc>) {
        let stamp = self.stamp_at(self.born.unwrap_or(now));
        match &mut self.sides {
            Sides::Created(document) => {
                document.stamp(&stamp);
                if self.born.is_some() {
                    document.touch(now);
                }
            }
            Sides::Changed(change) => {
                let (before, after) = change.split_mut();
                after.keep_identity(before);
                after.touch(now);
            }
            Sides::Found(_) | Sides::None => {}
        }
    }

    fn touch(&mut self, instant: DateTime<Utc>) {
        if let Some(document) = self.after_side_mut() {
            document.touch(instant);
        }
    }

    fn visit(&mut self, visitor: &mut Visitor<'_>) {
        if let Some(document) = self.after_side_mut() {
            document.visit(visitor);
        }
    }

    fn encode_before(&self, out: &mut Writer<'_>) {
        if let Some(document) = self.before_side() {
            encode(document, &self.id, out);
        }
    }

    fn encode(&self, out: &mut Writer<'_>) {
        if let Some(document) = self.after_side() {
            encode(document, &self.id, out);
        }
    }

    fn settle(&mut self, raw: &[u8], exact: bool, cx: &DecodeCx<'_>) -> Result<()> {
        let Some(document) = self.after_side_mut() else {
            return Ok(());
        };
        let stored = decode(raw, cx).map_err(DecodeError::into_error)?;
        let held = std::mem::replace(document, stored);
        if exact && format!("{held:?}") != format!("{document:?}") {
            return Err(Error::internal(
                "a field type stores another value than it is given, and does not say so",
            ));
        }
        Ok(())
    }

    fn preload(&self, side: Side) -> BoxFuture<'_, Result<()>> {
        let document = match side {
            Side::Before => self.before_side(),
            Side::After => self.after_side(),
        };
        match document {
            Some(document) => M::preload(self.ctx, std::slice::from_ref(document)).boxed(),
            None => nothing(),
        }
    }

    fn preload_lent(&self, lent: Vec<Lent>, side: Side) -> BoxFuture<'_, (Vec<Lent>, Result<()>)> {
        super::lent::preload::<M>(self.ctx, lent, side).boxed()
    }

    fn lend(&mut self) -> Lent {
        Box::new(std::mem::replace(&mut self.sides, Sides::None))
    }

    fn take_back(&mut self, lent: Lent) {
        if let Ok(sides) = lent.downcast::<Sides<M>>() {
            self.sides = *sides;
        }
    }

    fn can(&self, action: Action) -> bool {
        let ctx = self.ctx;
        match action {
            Action::Read => self.before_side().is_some_and(|document| document.can_read(ctx)),
            Action::Create => self.after_side().is_some_and(|document| document.can_create(ctx)),
            Action::Delete | Action::Purge | Action::Restore => self
                .before_side()
                .is_some_and(|document| document.can_delete(ctx)),
            Action::Update => match (self.before_side(), self.after_side()) {
                (Some(before), Some(after)) => before.can_update(ctx, after),
                _ => false,
            },
            // No policy speaks of it: it takes a bypass.
            Action::Migrate => false,
        }
    }

    fn validate(&self) -> BoxFuture<'_, Result<()>> {
        match self.after_side() {
            Some(document) => document.validate(self.ctx).boxed(),
            None => nothing(),
        }
    }

    fn before(&mut self) -> BoxFuture<'_, Result<()>> {
        let ctx = self.ctx;
        match &mut self.sides {
            Sides::Created(document) => M::before_create(ctx, document).boxed(),
            Sides::Changed(change) => M::before_update(ctx, change).boxed(),
            Sides::Found(document) => M::before_delete(ctx, document).boxed(),
            Sides::None => nothing(),
        }
    }

    fn after(&self) -> BoxFuture<'_, Result<()>> {
        let ctx = self.ctx;
        match &self.sides {
            Sides::Created(document) => M::after_create(ctx, document).boxed(),
            Sides::Changed(change) => M::after_update(ctx, change).boxed(),
            Sides::Found(document) => M::after_delete(ctx, document).boxed(),
            Sides::None => nothing(),
        }
    }

    fn after_commit(&self, before: Option<Vec<u8>>, after: Vec<u8>) -> BoxFuture<'static, Result<()>> {
        let (ctx, id) = (
            AnyContext::<M::Scope, M::Actor>::outside(self.ctx),
            self.id.clone(),
        );
        let work = async move {
            let before = before.as_deref().map(again::<M>).transpose()?;
            let after = (!after.is_empty()).then(|| again::<M>(&after)).transpose()?;
            match (before, after) {
                (None, Some(created)) => M::after_create(&ctx, &created).await,
                (Some(before), Some(after)) => M::after_update(&ctx, &Change::new(before, after)).await,
                (Some(deleted), None) => M::after_delete(&ctx, &deleted).await,
                (None, None) => Ok(()),
            }
        };
        work.map(move |result| result.map_err(|error| error.after_write_of(|| id.to_string())))
            .boxed()
    }
}

/// The instant at which a stored document was created, if it tells.
fn created_at<M: BaseModel>(raw: &[u8]) -> Result<Option<DateTime<Utc>>, DecodeError> {
    let Some(field) = M::schema().role(FieldRole::CreatedAt) else {
        return Ok(None);
    };
    let value = Elements::new(raw)?.find(field.stored)?;
    let millis = value
        .filter(|value| !value.is_null())
        .map(RawValue::date)
        .transpose()?;
    Ok(millis.and_then(DateTime::from_timestamp_millis))
}

/// Decodes a document that the pipeline has held before.
fn again<M: BaseModel>(raw: &[u8]) -> Result<M> {
    let decoding = engine::decoding(M::schema(), raw, None);
    let cx = DecodeCx::root(decoding.as_ref());
    decode(raw, &cx).map_err(DecodeError::into_error)
}

pub(super) fn nothing<'a>() -> BoxFuture<'a, Result<()>> {
    std::future::ready(Ok(())).boxed()
}
