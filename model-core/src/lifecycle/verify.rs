//! What `build()` asks of the server.

use bson::Document;

use super::collections::{plan_collections, sync_collections};
use super::options::SyncOptions;
use super::plan::{IndexStep, name_of, plan};
use super::sync::sync;
use super::{compare, declared, forms};
use crate::engine::{AuditTarget, Ports, check_keyring};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ModelSchema;
use crate::store::{Abilities, Store, into_error};

/// Checks that the server can do what the models need, and that every unique index is there.
///
/// # Errors
/// `Configuration` with what to do, `Unsupported`, `Unavailable` and `Store`.
pub(crate) async fn check(ports: &Ports) -> Result<Abilities> {
    let abilities = ports.store.abilities().await.map_err(into_error)?;
    if !abilities.transactions && ports.chained {
        return Err(Error::new(
            ErrorKind::Unsupported,
            "a chained audit log needs transactions, and this server has none: use a replica set",
        ));
    }
    if !abilities.transactions && matches!(ports.audit, AuditTarget::Collection) {
        check_audit(&ports.models)?;
    }
    check_keyring(ports).await?;
    if abilities.ephemeral {
        // It was made a moment ago, with this handle, and nobody else can have given it its indexes. Those that only
        // make queries faster may be of forms that it does not know.
        let mut plan = plan(&ports.collections(), &*ports.store).await?;
        plan.steps.retain(|step| match step {
            IndexStep::Create { index, .. } => index.contains_key("unique") || ports.store.knows_index(index),
            _ => true,
        });
        let collections = plan_collections(&ports.models, &*ports.store).await?;
        sync_collections(&collections, &*ports.store).await?;
        sync(&plan, &*ports.store, SyncOptions::new()).await?;
        return Ok(abilities);
    }
    forms::check(&ports.models, &*ports.store).await?;
    check_images(&ports.models, &*ports.store).await?;
    let missing = missing_unique(&ports.models, &*ports.store).await?;
    if missing.is_empty() {
        return Ok(abilities);
    }
    let names: Vec<_> = missing
        .iter()
        .map(|(collection, name)| format!("{collection}.{name}"))
        .collect();
    let message = format!(
        "unique indexes are missing: {}; create them with `sync_indexes` on a handle made by `build_lazy()`",
        names.join(", ")
    );
    Err(Error::new(ErrorKind::Configuration, message))
}

/// Without what was before a change nobody can tell whose document was deleted.
async fn check_images(schemas: &[&'static ModelSchema], store: &dyn Store) -> Result<()> {
    for schema in schemas.iter().filter(|schema| schema.watch) {
        if !store.images(schema.collection).await.map_err(into_error)? {
            return Err(Error::new(
                ErrorKind::Configuration,
                "the model says `watch`, and the server does not keep what was before a change: make the collection with \
                 `sync_collections` on a handle made by `build_lazy()`",
            )
            .at_model(schema.name, "build"));
        }
    }
    Ok(())
}

/// The unique indexes that are declared and that nothing on the server stands in for: collection and name.
pub(crate) async fn missing_unique(
    schemas: &[&'static ModelSchema],
    store: &dyn Store,
) -> Result<Vec<(&'static str, String)>> {
    let mut missing = Vec::new();
    for schema in schemas
        .iter()
        .filter(|schema| schema.all_indexes().iter().any(|spec| spec.unique))
    {
        let found = store.list_indexes(schema.collection).await.map_err(into_error)?;
        let unique = declared::describe_all(schema)
            .into_iter()
            .filter(|index| index.contains_key("unique"));
        let absent = unique.filter(|index| !found.iter().any(|found| guarantees(found, index)));
        missing.extend(absent.map(|index| (schema.collection, name_of(&index).to_owned())));
    }
    Ok(missing)
}

/// Whether the index `found` lets no duplicate through that the `declared` one would not: what else differs between
/// them is a matter of the plan.
fn guarantees(found: &Document, declared: &Document) -> bool {
    let covers = !found.contains_key("partialFilterExpression")
        || compare::same_in(found, declared, "partialFilterExpression");
    let exact = ["key", "unique", "collation"]
        .iter()
        .all(|option| compare::same_in(found, declared, option));
    // A sparse compound index of a tenant model leaves nothing out, but others may.
    exact && covers && compare::same_in(found, declared, "sparse")
}

fn check_audit(schemas: &[&'static ModelSchema]) -> Result<()> {
    match schemas.iter().find(|schema| schema.audit.is_some() && !schema.has_outbox()) {
        None => Ok(()),
        Some(schema) => Err(Error::new(
            ErrorKind::Unsupported,
            "an audited model writes its audit entry in a transaction, and this server has none: run it as a replica \
             set, let the entries wait inside the documents with `audit(outbox)`, or send them elsewhere with `.audit_to(...)`",
        )
        .at_model(schema.name, "build")),
    }
}
