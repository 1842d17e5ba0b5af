//! Passing over the documents of a collection in the order of their `_id`s, batch by batch: every document has one, and no
//! other has the same, whatever the model calls its id and however many tenants there are.

use bson::oid::ObjectId;
use bson::spec::BinarySubtype;
use bson::{Binary, Bson, RawDocumentBuf};

use super::load;
use crate::engine::ports::Ports;
use crate::engine::secrets::report::ResumeToken;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, SortKey, Test};
use crate::schema::{Direction, reserved};
use crate::store::{Find, Selection, into_error};
use crate::value::IdValue;

/// What comes after the document that the token names.
pub(in crate::engine) fn after(token: Option<&ResumeToken>) -> Result<Node> {
    token.map_or(Ok(Node::Everything), |token| after_id(&token.0.to_bson()))
}

/// What comes after an id, in the order of the server, where ids of all kinds may stand side by side.
///
/// # Errors
/// `Unsupported` for an id of another kind than number, text, binary, `ObjectId`.
pub(in crate::engine) fn after_id(id: &Bson) -> Result<Node> {
    // A comparison finds values of its own kind only, so the kinds that follow are asked for by their least values.
    let firsts = [
        Bson::String(String::new()),
        Bson::Binary(Binary {
            subtype: BinarySubtype::Generic,
            bytes: Vec::new(),
        }),
        Bson::ObjectId(ObjectId::from_bytes([0; 12])),
    ];
    let kind = match id {
        Bson::Int32(_) | Bson::Int64(_) | Bson::Double(_) => 0,
        Bson::String(_) => 1,
        Bson::Binary(_) => 2,
        Bson::ObjectId(_) => 3,
        _ => {
            let message = "a collection whose ids are neither numbers, texts, binaries nor `ObjectId`s";
            return Err(Error::new(ErrorKind::Unsupported, message));
        }
    };
    let mut node = Node::field(reserved::ID, Test::Gt(id.clone()));
    for first in firsts.into_iter().skip(kind) {
        node = node.or(Node::field(reserved::ID, Test::Gte(first)));
    }
    Ok(node)
}

/// The next documents in the order of their ids.
pub(in crate::engine) async fn batch(
    ports: &Ports,
    collection: &'static str,
    selection: Selection,
    size: u32,
) -> Result<Vec<RawDocumentBuf>> {
    let find = Find {
        sort: vec![SortKey {
            path: reserved::ID.into(),
            direction: Direction::Ascending,
            outside: false,
        }],
        limit: Some(u64::from(size)),
        batch: Some(size),
        ..Find::all(collection, selection)
    };
    let mut cursor = ports.store.find(&find).await.map_err(into_error)?;
    let mut documents = Vec::new();
    while cursor.advance().await.map_err(into_error)? {
        cursor.each(&mut |raw| {
            documents.push(load::owned(raw)?);
            Ok(true)
        })?;
    }
    Ok(documents)
}

/// Where to go on after these documents; none if they were the last.
pub(in crate::engine) fn resume(documents: &[RawDocumentBuf], size: u32) -> Result<Option<ResumeToken>> {
    match documents.last() {
        Some(last) if documents.len() == size as usize => {
            let id = load::raw_field(last.as_bytes(), reserved::ID)?.map(IdValue::decode);
            let id = id.and_then(Result::ok);
            Ok(Some(ResumeToken(
                id.ok_or_else(|| Error::internal("a document without an id"))?,
            )))
        }
        _ => Ok(None),
    }
}
