//! How a read is to be carried out, held against what it reads.

use crate::engine::unit::ReadUnit;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Node, ReadOptions, SortKey};
use crate::schema::{Direction, IndexKey, IndexSpec, KeyForm, ModelSchema, TenantPrefix};

/// The options as the store takes them.
pub(in crate::engine) fn options(unit: &dyn ReadUnit, mut options: ReadOptions) -> Result<ReadOptions> {
    if options.collation.is_some() {
        admit_collation(unit)?;
    }
    options.hint = options.hint.map(|keys| hint(unit.schema(), keys)).transpose()?;
    Ok(options)
}

/// A collation holds for the whole command: for the tenant's condition, which must stay exact to the byte, and for
/// `read_scope`, after which `can_read` has to be asked.
fn admit_collation(unit: &dyn ReadUnit) -> Result<()> {
    let caller = unit.caller();
    let tenant = caller
        .tenant
        .as_ref()
        .filter(|_| unit.schema().tenant_field().is_some());
    let refuse = |why| Err(Error::new(ErrorKind::Unsupported, why));
    if tenant.is_some_and(|tenant| matches!(tenant.value().to_bson(), bson::Bson::String(_))) {
        return refuse("a collation would compare the tenant too, which is a string");
    }
    if unit.base_filter() != Node::Everything {
        return refuse("a collation would widen the `base_filter`");
    }
    if unit.scope_is_exact() && caller.bypass.is_none() {
        return refuse("a collation would widen a `read_scope` that is declared exact");
    }
    Ok(())
}

/// The keys, with the tenant, of the declared index over `keys`.
fn hint(schema: &ModelSchema, keys: Vec<SortKey>) -> Result<Vec<SortKey>> {
    let Some(index) = schema.indexes.iter().find(|index| is_over(schema, index, &keys)) else {
        return Err(Error::new(
            ErrorKind::Configuration,
            "the model declares no index over the keys of the hint",
        ));
    };
    let tenant = schema.tenant_field().filter(|tenant| {
        index.tenant == TenantPrefix::First
            && index.expire_after_seconds.is_none()
            && keys.iter().all(|key| key.path != *tenant)
    });
    let tenant = tenant.map(|tenant| SortKey {
        path: tenant.into(),
        direction: Direction::Ascending,
        outside: false,
    });
    Ok(tenant.into_iter().chain(keys).collect())
}

fn is_over(schema: &ModelSchema, index: &IndexSpec, keys: &[SortKey]) -> bool {
    let same = |(declared, key): (&IndexKey, &SortKey)| {
        matches!(declared.form, KeyForm::Ordered(direction) if direction == key.direction)
            && schema.stored_path(declared.path).as_deref() == Some(&*key.path)
    };
    index.keys.len() == keys.len() && index.keys.iter().zip(keys).all(same)
}
