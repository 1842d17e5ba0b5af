//! What the fields of a model are for: what an attribute says, else what name and type say by themselves.

use syn::ext::IdentExt as _;

use crate::attr::{FieldAttrs, Role};
use crate::spelling;

/// The roles of a model's fields, one each. A field has a role by itself where none is marked with it, and no other has it by
/// itself too: of two tenants that could be meant, neither is. A `global` model has no tenant.
pub(crate) fn of_fields(fields: &[(&syn::Field, FieldAttrs)], global: bool) -> Vec<Role> {
    let marked = |role| {
        let mut all = fields.iter().flat_map(|(_, attrs)| &attrs.roles);
        all.any(|one| one.value == role)
    };
    let alone: Vec<_> = fields
        .iter()
        .map(|(field, attrs)| by_itself(field).filter(|_| attrs.roles.is_empty()))
        .collect();
    let several = |role| alone.iter().filter(|one| **one == Some(role)).count() > 1;
    let fits = |role: &Role| !(marked(*role) || several(*role) || (*role == Role::Tenant && global));
    let roles = fields.iter().zip(&alone).map(|((_, attrs), alone)| {
        let said = attrs.roles.first().map(|role| role.value);
        said.or_else(|| alone.filter(fits)).unwrap_or(Role::Plain)
    });
    roles.collect()
}

/// What a field is for that no attribute speaks of. Only the spelling of its type is known here: that the type is what it
/// looks like, the compiler finds where the role is used.
fn by_itself(field: &syn::Field) -> Option<Role> {
    let name = field.ident.as_ref()?.unraw().to_string();
    let ty = spelling::name(&field.ty)?;
    let dates = ty == "DateTime";
    match (name.as_str(), ty.as_str()) {
        ("created_at", _) if dates => Some(Role::CreatedAt),
        ("updated_at", _) if dates => Some(Role::UpdatedAt),
        _ if spelling::is_option(&field.ty) => None,
        ("id", "Id") => Some(Role::Id),
        (_, "TenantId") => Some(Role::Tenant),
        (_, "Revision") => Some(Role::Revision),
        _ => None,
    }
}
