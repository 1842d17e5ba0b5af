//! The aggregation of a read whose documents come with those of another collection.

use bson::RawDocumentBuf;

use super::super::{Find, Join, StoreResult};
use super::command;
use crate::codec::Writer;
use crate::schema::reserved;

enum Stage<'a> {
    Select(&'a Find),
    Sort(&'a Find),
    Number(&'static str, u64),
    Lookup(&'a Join),
    Project(&'a Find, Option<&'static str>),
}

/// A read with a join. The tenant's equality stands in the first stage, and in the first stage inside of the `$lookup`.
pub(super) fn find(find: &Find, join: &Join, read_concern: Option<&str>) -> StoreResult<RawDocumentBuf> {
    command::check(&join.find.selection)?;
    let mut stages = chosen(find);
    stages.push(Stage::Lookup(join));
    if !find.fields.is_empty() {
        stages.push(Stage::Project(find, Some(reserved::JOINED)));
    }
    command::aggregate(find, read_concern, |out| write(&stages, out))
}

/// The stages that choose documents.
fn chosen(find: &Find) -> Vec<Stage<'_>> {
    let mut stages = vec![Stage::Select(find)];
    if !find.sort.is_empty() {
        stages.push(Stage::Sort(find));
    }
    if find.skip > 0 {
        stages.push(Stage::Number("$skip", find.skip));
    }
    stages.extend(find.limit.map(|limit| Stage::Number("$limit", limit)));
    stages
}

fn write(stages: &[Stage<'_>], out: &mut Writer<'_>) {
    out.array("pipeline", stages, |out, key, stage| {
        out.document(key, |out| match stage {
            Stage::Select(find) => out.document("$match", |out| command::select(&find.selection, out)),
            Stage::Sort(find) => out.document("$sort", |out| command::sort(&find.sort, out)),
            Stage::Number(name, number) => out.i64(name, command::signed(*number)),
            Stage::Lookup(join) => out.document("$lookup", |out| lookup(join, out)),
            Stage::Project(find, more) => out.document("$project", |out| {
                find.fields
                    .iter()
                    .copied()
                    .chain(*more)
                    .for_each(|field| out.i32(field, 1));
            }),
        });
    });
}

fn lookup(join: &Join, out: &mut Writer<'_>) {
    out.string("from", join.find.collection);
    out.string("localField", &join.local);
    out.string("foreignField", &join.foreign);
    let mut stages = chosen(&join.find);
    if !join.find.fields.is_empty() {
        stages.push(Stage::Project(&join.find, None));
    }
    write(&stages, out);
    out.string("as", reserved::JOINED);
}
