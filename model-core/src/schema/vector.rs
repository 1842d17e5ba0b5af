//! How vectors are compared, and the definitions of indexes over them.

use bson::{Document, doc};

use super::{FieldSchema, ModelSchema, TypeSchema};

/// How alike two vectors are: the score of [`nearest`](crate::Query::nearest), by which a search index of the server may
/// find them too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Similarity {
    /// The angle between them, whatever their lengths: `(1 + cos) / 2`, from 0 to 1. A vector of length 0 has no angle, and is
    /// found last, with 0.
    #[default]
    Cosine,
    /// The sum of the products: `(1 + dot) / 2`; from 0 to 1 where all vectors have the length 1, and the cheapest then.
    Dot,
    /// The distance of their ends: `1 / (1 + distance)`, from 0 to 1.
    Euclidean,
}

impl Similarity {
    /// The server's name for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cosine => "cosine",
            Self::Dot => "dotProduct",
            Self::Euclidean => "euclidean",
        }
    }
}

/// The definitions of a model's vector indexes, one for each `Vector` field outside of arrays, as `createSearchIndexes` of
/// a server that has them (Atlas) takes them: with the tenant as a field to filter by. Nothing here builds them, and
/// [`nearest`](crate::Query::nearest) needs none.
///
/// ```
/// use model_core::prelude::*;
/// use model_core::schema::vector_indexes;
/// # #[derive(Clone, Model)]
/// # #[model(collection = "passages")]
/// # struct Passage {
/// #     #[model(id)] id: Id<Passage>,
/// #     #[model(tenant)] organization: TenantId,
/// #     #[model(vector(similarity = dot))] embedding: Vector<3>,
/// # }
/// # struct User;
/// # impl Actor for User { fn identity(&self) -> ActorIdentity { ActorIdentity::user("ada") } }
/// # impl BaseModel for Passage {
/// #     type Actor = User;
/// #     fn can_read(&self, _: &Context<User>) -> bool { true }
/// #     fn can_create(&self, _: &Context<User>) -> bool { true }
/// #     fn can_update(&self, _: &Context<User>, _: &Self) -> bool { true }
/// #     fn can_delete(&self, _: &Context<User>) -> bool { true }
/// # }
/// let indexes = vector_indexes(Passage::schema());
/// assert_eq!(indexes[0], bson::doc! { "name": "embedding_vector", "type": "vectorSearch", "definition": { "fields": [
///     { "type": "vector", "path": "embedding", "numDimensions": 3_i64, "similarity": "dotProduct" },
///     { "type": "filter", "path": "organization" },
/// ] } });
/// ```
pub fn vector_indexes(schema: &ModelSchema) -> Vec<Document> {
    let mut indexes = Vec::new();
    collect(schema, schema.fields, "", &mut indexes);
    indexes
}

fn collect(schema: &ModelSchema, fields: &[FieldSchema], above: &str, indexes: &mut Vec<Document>) {
    for field in fields {
        let path = format!("{above}{}", field.stored);
        match field.ty.required() {
            TypeSchema::Vector(numbers) => {
                let similarity = field.similarity.unwrap_or_default().name();
                let numbers = i64::try_from(*numbers).unwrap_or(i64::MAX);
                let mut fields = vec![doc! {
                    "type": "vector", "path": &path, "numDimensions": numbers, "similarity": similarity,
                }];
                let tenant = schema.tenant_field();
                fields.extend(tenant.map(|tenant| doc! { "type": "filter", "path": tenant }));
                indexes.push(doc! {
                    "name": format!("{path}_vector"), "type": "vectorSearch", "definition": { "fields": fields },
                });
            }
            // A type that contains itself goes through an array or a box that the path cannot name.
            TypeSchema::Embedded(inner) if above.matches('.').count() < 8 => {
                collect(schema, inner().fields, &format!("{path}."), indexes);
            }
            _ => {}
        }
    }
}
