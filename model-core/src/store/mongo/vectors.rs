//! The aggregation of a search in an index over vectors, where the server has such indexes (Atlas).

use bson::RawDocumentBuf;

use super::super::{Find, StoreResult, VectorSearch};
use super::command;
use super::related::{Stage, pipeline};
use crate::codec::{Writer, write_bson};
use crate::schema::reserved;

/// The tenant stands inside of the first stage, where the index filters by it, and with everything else that is selected
/// in the second.
pub(super) fn find(
    find: &Find,
    search: &VectorSearch,
    read_concern: Option<&str>,
) -> StoreResult<RawDocumentBuf> {
    let candidates = i64::from(search.candidates);
    let look = |out: &mut Writer<'_>| {
        out.document("$vectorSearch", |out| {
            out.string("index", &search.index);
            out.string("path", &search.path);
            out.array("queryVector", &search.vector, |out, key, number| {
                out.f64(key, f64::from(*number));
            });
            out.i64("numCandidates", candidates);
            out.i64("limit", candidates);
            if let Some((field, tenant)) = &find.selection.tenant {
                out.document("filter", |out| {
                    out.document(field, |out| write_bson(out, "$eq", tenant));
                });
            }
        });
    };
    let select = |out: &mut Writer<'_>| {
        out.document("$match", |out| command::select(&find.selection, out));
    };
    let limit = find.limit.map(command::signed);
    let first = |out: &mut Writer<'_>| out.i64("$limit", limit.unwrap_or(candidates));
    let score = |out: &mut Writer<'_>| {
        out.document("$set", |out| {
            out.document(reserved::SCORE, |out| out.string("$meta", "vectorSearchScore"));
        });
    };
    let stages: [Stage<'_>; 4] = [&look, &select, &first, &score];
    command::aggregate(find, read_concern, |out| pipeline(&stages, out))
}
