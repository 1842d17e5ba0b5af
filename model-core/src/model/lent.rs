//! Documents of several writes, side by side for one `preload`.

use super::unit::Sides;
use crate::engine::{Lent, Side};
use crate::error::Result;
use crate::policy::{BaseModel, Change, ContextFor};

/// What is left of a unit's documents while one of them is away.
enum Rest<M: BaseModel> {
    /// Nothing is away.
    Whole(Sides<M>),
    Created,
    Found,
    /// The other side of a change.
    Before(M),
    After(M),
}

/// Loads what the policy needs for all documents of one side.
pub(super) async fn preload<M: BaseModel>(
    ctx: &ContextFor<M>,
    lent: Vec<Lent>,
    side: Side,
) -> (Vec<Lent>, Result<()>) {
    let mut documents = Vec::with_capacity(lent.len());
    let rests: Vec<_> = lent
        .into_iter()
        .map(|lent| {
            let sides = lent.downcast::<Sides<M>>().map_or(Sides::None, |sides| *sides);
            split(sides, side, &mut documents)
        })
        .collect();
    let outcome = if documents.is_empty() {
        Ok(())
    } else {
        M::preload(ctx, &documents).await
    };
    let mut documents = documents.into_iter();
    let lent = rests
        .into_iter()
        .map(|rest| Box::new(join(rest, &mut documents)) as Lent)
        .collect();
    (lent, outcome)
}

fn split<M: BaseModel>(sides: Sides<M>, side: Side, documents: &mut Vec<M>) -> Rest<M> {
    let (document, rest) = match (sides, side) {
        (Sides::Created(document), Side::After) => (document, Rest::Created),
        (Sides::Found(document), Side::Before) => (document, Rest::Found),
        (Sides::Changed(change), Side::Before) => {
            let (before, after) = change.into_sides();
            (before, Rest::After(after))
        }
        (Sides::Changed(change), Side::After) => {
            let (before, after) = change.into_sides();
            (after, Rest::Before(before))
        }
        (sides, _) => return Rest::Whole(sides),
    };
    documents.push(document);
    rest
}

fn join<M: BaseModel>(rest: Rest<M>, documents: &mut impl Iterator<Item = M>) -> Sides<M> {
    let rest = match rest {
        Rest::Whole(sides) => return sides,
        rest => rest,
    };
    match (rest, documents.next()) {
        (Rest::Created, Some(document)) => Sides::Created(document),
        (Rest::Found, Some(document)) => Sides::Found(document),
        (Rest::After(after), Some(before)) | (Rest::Before(before), Some(after)) => {
            Sides::Changed(Change::new(before, after))
        }
        (Rest::Whole(sides), _) => sides,
        (_, None) => Sides::None,
    }
}
