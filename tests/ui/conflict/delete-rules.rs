//! A delete rule is one of four, and does nothing that the document does not allow.

use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "entries", append_only)]
struct Entry {
    #[model(id)]
    id: Id<Entry>,
    #[model(tenant)]
    organization: TenantId,
    #[model(on_delete = cascades)]
    first: Ref<Entry>,
    #[model(on_delete = cascade)]
    second: Ref<Entry>,
    #[model(readonly, on_delete = nullify)]
    third: Option<Ref<Entry>>,
}

fn main() {}
