//! Reads: query (tenant, scope and filter together) → migrate → decode → preload → `can_read` → keep.

pub(in crate::engine) mod asked;
pub(in crate::engine) mod distinct;
pub(in crate::engine) mod explain;
pub(in crate::engine) mod facet;
pub(in crate::engine) mod group;
mod limited;
pub(in crate::engine) mod load;
pub(in crate::engine) mod lookup;
pub(in crate::engine) mod nearest;
pub(in crate::engine) mod options;
pub(in crate::engine) mod page;
pub(in crate::engine) mod pick;
pub(in crate::engine) mod related;
pub(in crate::engine) mod scan;
pub(in crate::engine) mod score;
pub(in crate::engine) mod watch;

use bson::RawDocumentBuf;
use futures_util::future::BoxFuture;

use self::limited::Limited;
use self::pick::Whole;
use crate::codec::{DecodeCx, DecodeError};
use crate::engine::caller::Caller;
use crate::engine::migration::backlog::{self, Widened};
use crate::engine::ports::Ports;
use crate::engine::secrets::sift::Sift;
use crate::engine::secrets::{blind, document_seal};
use crate::engine::unit::{Deleted, ReadUnit, visible};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, ReadOptions, SortKey, Test};
use crate::schema::{ModelSchema, TenantPrefix};
use crate::store::{Cursor, Find, Guard, Join, Selection, Shape, into_error};
use crate::value::{IdValue, TenantId};

/// What a query asks for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    pub(crate) filter: Option<Node>,
    pub(crate) sort: Vec<SortKey>,
    pub(crate) skip: u64,
    pub(crate) limit: Option<u64>,
    pub(crate) deleted: Deleted,
    /// How many documents a batch is to hold.
    pub(crate) batch: Option<u32>,
    pub(crate) shape: Shape,
    pub(crate) options: ReadOptions,
    /// Whether documents that are older than a field of the filter are fetched, migrated and judged here.
    pub(crate) or_older: bool,
    /// Whether the scores of the documents are wanted.
    pub(crate) scored: bool,
    /// Whether the reader goes on until there is no more, whatever comes.
    pub(crate) whole: bool,
}

/// An open query: what the store still has, and what the reader still wants.
pub(crate) struct Open {
    cursor: Box<dyn Cursor>,
    skip: u64,
    left: Option<u64>,
    /// What the store admitted more than the filter does.
    widened: Option<Box<Widened>>,
    /// What the store could not tell.
    sift: Option<Box<Sift>>,
    /// How to go on where documents that were counted are denied.
    limited: Option<Box<Limited>>,
}

impl Open {
    /// How many documents the reader still wants.
    pub(in crate::engine) fn left(&self) -> Option<u64> {
        self.left
    }

    /// Hands the documents of the current batch to `each`.
    pub(in crate::engine) fn each(&mut self, each: &mut dyn FnMut(&[u8]) -> Result<bool>) -> Result<bool> {
        self.cursor.each(each)
    }
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open")
            .field("skip", &self.skip)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// Hands the document with this id to the unit, if it may be read.
pub(crate) async fn get(unit: &mut dyn ReadUnit, id: &IdValue) -> Result<bool> {
    unit.caller().ports.admit(unit.schema()).await?;
    let mut selection = visible(unit, Deleted::Hidden, Node::Everything).await?;
    selection.id = Some((unit.schema().id_field, id.to_bson()));
    one(unit, &selection).await
}

/// Hands the one document of the selection to the unit, if it may be read.
async fn one(unit: &mut dyn ReadUnit, selection: &Selection) -> Result<bool> {
    let found = unit
        .caller()
        .store()?
        .find_one(unit.schema().collection, selection)
        .await;
    match found.map_err(into_error)? {
        Some(raw) => accept(unit, raw.as_bytes()).await,
        None => Ok(false),
    }
}

/// Opens a query.
pub(crate) async fn open(unit: &mut dyn ReadUnit, listing: Listing) -> Result<Open> {
    open_with(unit, listing, None).await
}

/// Opens a query that is read to its end.
pub(in crate::engine) async fn open_whole(unit: &mut dyn ReadUnit, listing: Listing) -> Result<Open> {
    let whole = true;
    open(unit, Listing { whole, ..listing }).await
}

/// Opens a query whose documents come with others.
pub(in crate::engine) async fn open_with(
    unit: &mut dyn ReadUnit,
    listing: Listing,
    join: Option<Join>,
) -> Result<Open> {
    unit.caller().ports.admit(unit.schema()).await?;
    let exact = server_decides(unit, &listing);
    let Listing {
        filter,
        sort,
        skip,
        limit,
        deleted,
        batch,
        shape,
        options,
        or_older,
        scored,
        whole,
    } = listing;
    asked::check_sort(unit, &sort)?;
    let filter = filter.unwrap_or(Node::Everything);
    let widened = if or_older {
        backlog::widen(unit.caller(), unit.schema(), &filter, &options).await?
    } else {
        None
    };
    // Where the server alone decides, it counts off what is skipped; else only readable documents count.
    let exact = exact && widened.is_none();
    backlog::check_sort(unit.caller(), unit.schema(), &sort).await?;
    let wanted = limit.map(|limit| limit.saturating_add(skip));
    let expected = wanted
        .and_then(|wanted| u32::try_from(wanted).ok())
        .filter(|batch| (1..=1_000).contains(batch));
    let asked_for = wanted.filter(|wanted| *wanted <= limited::MOST);
    let (filter, sift) = Sift::split(unit.caller(), unit.schema(), filter).await?;
    if sift.is_some() && widened.is_some() {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a filter by a truncated blind index does not take older documents along: migrate them first",
        ));
    }
    let find = Find {
        collection: unit.schema().collection,
        selection: match &widened {
            None => visible(unit, deleted, filter).await?,
            Some(widened) => {
                let all = visible(unit, deleted, Node::Everything).await?;
                unit.caller()
                    .select(unit.schema(), all.rest.and(widened.to_node()))?
            }
        },
        // The whole documents, where all of the filter is asked once more.
        fields: if sift.is_some() {
            Vec::new()
        } else {
            pick::fields(unit, &sort)
        },
        sort,
        skip: if exact { skip } else { 0 },
        limit: if exact { limit } else { asked_for },
        batch: batch.or(expected),
        whole: whole && limit.is_none(),
        shape,
        options: options::options(unit, options)?,
        scored,
        join: join.map(Box::new),
    };
    let cursor = unit.caller().store()?.find(&find).await.map_err(into_error)?;
    Ok(Open {
        cursor,
        skip: if exact { 0 } else { skip },
        left: limit,
        widened: widened.map(Box::new),
        sift: sift.map(Box::new),
        limited: if exact { None } else { Limited::new(find) },
    })
}

/// Whether what the server finds is what the reader may read, no more.
pub(in crate::engine) fn server_decides(unit: &(impl ReadUnit + ?Sized), listing: &Listing) -> bool {
    let exact = unit.scope_is_exact() || unit.caller().bypass.is_some();
    exact && !listing.filter.as_ref().is_some_and(Node::is_truncated)
}

/// What is noted of the documents of a read, beside what the unit keeps of them.
pub(in crate::engine) trait Notes: Send {
    /// A document as it is stored, and in the shape of the present version.
    fn note(&mut self, stored: &[u8], present: &[u8]) -> Result<()>;
    /// A document as it is stored, in whose place the unit has taken the reason why it cannot be read.
    fn missed(&mut self, _stored: &[u8]) -> Result<()> {
        Ok(())
    }
    /// Whether the document that was noted first, of those that were not judged yet, is kept; the answer is whether it is
    /// to be kept after all.
    fn judged(&mut self, kept: bool) -> bool;
}

/// Nothing is noted.
impl Notes for () {
    fn note(&mut self, _: &[u8], _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn judged(&mut self, kept: bool) -> bool {
        kept
    }
}

/// Hands the next batch of readable documents to the unit; false at the end.
pub(crate) async fn pull(unit: &mut dyn ReadUnit, open: &mut Open) -> Result<bool> {
    pull_noting(unit, open, &mut ()).await
}

/// As [`pull`], with notes.
pub(in crate::engine) async fn pull_noting(
    unit: &mut dyn ReadUnit,
    open: &mut Open,
    notes: &mut dyn Notes,
) -> Result<bool> {
    if !open.advance(unit).await? {
        return Ok(false);
    }
    let whole = pick::outdated(unit, open).await?;
    if unit.schema().seal.is_some() {
        let mut wanted = document_seal::Wanted::default();
        open.each(&mut |raw| wanted.note(raw).map(|()| true))?;
        wanted.load(&unit.caller().ports).await?;
    }
    let (mut sift, widened, limited) = (open.sift.take(), open.widened.take(), open.limited.take());
    if let Some(sift) = &mut sift {
        sift.prepare(unit.caller(), open).await?;
    }
    let clock = load::clock(unit);
    let mut failure = None;
    open.each(&mut |raw| {
        if let Some(limited) = &limited
            && !limited.is_new(raw)?
        {
            return Ok(true);
        }
        let read = admitted(unit, sift.as_deref(), &whole, raw).and_then(|found| match found {
            Some(raw) => decode(unit, clock.as_deref(), raw, widened.as_deref(), notes),
            None => Ok(()),
        });
        if let Err(reason) = read {
            // What stands before a document that does not decode is judged and handed out before the error.
            let missed = unit.miss(reason).and_then(|()| notes.missed(raw));
            failure = missed
                .err()
                .map(|error| error.at_id(|| load::id_text(unit.schema(), raw)));
        }
        Ok(failure.is_none())
    })?;
    open.sift = sift;
    open.widened = widened;
    open.limited = limited;
    let (skip, left) = (&mut open.skip, &mut open.left);
    judge(unit, &mut |allowed| {
        let wanted = allowed && *left != Some(0);
        // What is skipped must be what the reader could have read.
        let kept = wanted && *skip == 0;
        if kept {
            *left = left.map(|left| left - 1);
        } else if wanted {
            *skip -= 1;
        }
        notes.judged(kept)
    })
    .await?;
    match failure {
        Some(error) if *left != Some(0) => Err(error),
        _ => open.note_passed().map(|()| true),
    }
}

/// The document that is to be decoded, if it is one that was asked for.
fn admitted<'a>(
    unit: &dyn ReadUnit,
    sift: Option<&Sift>,
    whole: &'a Whole,
    raw: &'a [u8],
) -> Result<Option<&'a [u8]>> {
    let found = match sift.map(|sift| sift.admits(unit.caller(), raw)) {
        Some(Ok(false)) => return Ok(None),
        Some(Err(error)) => Err(error),
        Some(Ok(true)) | None => pick::instead(unit, whole, raw),
    };
    found.map_err(|error| error.at_id(|| load::id_text(unit.schema(), raw)))
}

/// Hands all documents of a query to the unit.
///
/// Boxed here, where no type is a parameter: the compiler asks once, and not for each caller's bounds, whether all that is awaited
/// below is `Send`.
pub(crate) fn list(unit: &mut dyn ReadUnit, listing: Listing) -> BoxFuture<'_, Result<()>> {
    Box::pin(async move {
        let mut open = open_whole(unit, listing).await?;
        while pull(unit, &mut open).await? {}
        Ok(())
    })
}

/// How many readable documents there are.
pub(crate) async fn count(unit: &mut dyn ReadUnit, listing: Listing) -> Result<u64> {
    unit.caller().ports.admit(unit.schema()).await?;
    if server_decides(unit, &listing) && !is_widened(unit, &listing).await? {
        let Listing {
            filter,
            skip,
            limit,
            options,
            deleted,
            ..
        } = listing;
        let selection = visible(unit, deleted, filter.unwrap_or(Node::Everything)).await?;
        let find = Find {
            limit: limit.map(|limit| limit.saturating_add(skip)),
            options: options::options(unit, options)?,
            ..Find::all(unit.schema().collection, selection)
        };
        let count = unit.caller().store()?.count(&find).await.map_err(into_error)?;
        return Ok(count.saturating_sub(skip));
    }
    let mut open = open_whole(unit, listing).await?;
    let mut count = 0;
    loop {
        let more = pull(unit, &mut open).await?;
        count += unit.discard();
        if !more {
            return Ok(count);
        }
    }
}

/// Whether older documents are taken along, and there may be any.
async fn is_widened(unit: &dyn ReadUnit, listing: &Listing) -> Result<bool> {
    match &listing.filter {
        Some(filter) if listing.or_older => {
            let widened = backlog::widen(unit.caller(), unit.schema(), filter, &listing.options);
            Ok(widened.await?.is_some())
        }
        _ => Ok(false),
    }
}

/// The one document of whatever tenant that `key`, unique over all tenants, selects. The caller must judge it in a
/// context of its own tenant.
pub(crate) async fn find_any_tenant(
    caller: &Caller,
    schema: &'static ModelSchema,
    key: Node,
) -> Result<Option<RawDocumentBuf>> {
    caller.ports.admit(schema).await?;
    if !is_unique_over_tenants(schema, &key) {
        return Err(Error::internal(
            "a look-up by a field that is not unique over all tenants",
        ));
    }
    backlog::check_every_tenant(caller, schema, &key).await?;
    let selection = Selection {
        tenant: None,
        id: None,
        revision: Guard::None,
        rest: blind::resolve(caller, schema, key).await?,
    };
    caller
        .store()?
        .find_one(schema.collection, &selection)
        .await
        .map_err(into_error)
}

/// Whether the key is one value of one field that the schema declares unique over all tenants: only that may look across
/// them.
fn is_unique_over_tenants(schema: &ModelSchema, key: &Node) -> bool {
    let Node::Field { path, test } = key else {
        return false;
    };
    let one = match test {
        Test::Eq(_) => true,
        Test::Blind(blind) => blind.global && blind.values.len() == 1,
        _ => false,
    };
    if !one {
        return false;
    }
    schema.all_indexes().iter().any(|index| {
        let own = matches!(index.keys, [only] if only.path == path || schema.stored_path(only.path).as_deref() == Some(path));
        own && index.unique && index.tenant == TenantPrefix::Global
    })
}

/// The tenant of a stored document.
pub(crate) fn tenant_of(document: &RawDocumentBuf, field: &str) -> Result<TenantId> {
    let value = load::raw_field(document.as_bytes(), field)?
        .ok_or_else(|| Error::new(ErrorKind::Decode, "the document has no tenant").at_path(field))?;
    IdValue::decode(value)
        .map(TenantId::from_value)
        .map_err(|error| error.at(field).into_error())
}

/// Migrates, decodes and judges one document; false if it may not be read.
pub(crate) async fn accept(unit: &mut dyn ReadUnit, raw: &[u8]) -> Result<bool> {
    document_seal::prepare(&unit.caller().ports, unit.schema(), [raw]).await?;
    let clock = load::clock(unit);
    decode(unit, clock.as_deref(), raw, None, &mut ())?;
    let mut kept = false;
    judge(unit, &mut |allowed| {
        kept = allowed;
        allowed
    })
    .await?;
    Ok(kept)
}

/// Migrates and decodes one document, unless the filter turns out not to admit it.
pub(in crate::engine) fn decode(
    unit: &mut dyn ReadUnit,
    clock: Option<&Ports>,
    raw: &[u8],
    widened: Option<&Widened>,
    notes: &mut dyn Notes,
) -> Result<()> {
    let result = load::migrated(unit, raw).and_then(|document| {
        if let Some(widened) = widened
            && !widened.admits(load::stored_version(raw)?, load::view(&document)?)
        {
            return Ok(());
        }
        let decoding = load::decoding(unit.schema(), &document, clock);
        let cx = DecodeCx::root(decoding.as_ref());
        unit.decode(&document, &cx).map_err(DecodeError::into_error)?;
        notes.note(raw, &document)
    });
    result.map_err(|error| error.at_id(|| load::id_text(unit.schema(), raw)))
}

/// Judges what was decoded. In a debug build, a scope that is declared exact is held to it.
pub(in crate::engine) async fn judge(
    unit: &mut dyn ReadUnit,
    keep: &mut (dyn FnMut(bool) -> bool + Send),
) -> Result<()> {
    let bypassed = unit.caller().bypass.is_some();
    if !bypassed {
        unit.preload().await?;
    }
    let strict = cfg!(debug_assertions) && !bypassed && unit.scope_is_exact();
    let mut denied = None;
    unit.judge(&mut |allowed, id| {
        if strict && !allowed {
            denied.get_or_insert_with(|| id.map_or_else(String::new, ToString::to_string));
        }
        keep(allowed)
    });
    match denied {
        None => Ok(()),
        Some(id) => Err(Error::new(
            ErrorKind::Configuration,
            "`read_scope` is declared exact, but `can_read` denies a document that it admits",
        )
        .at_id(|| id)),
    }
}
