use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "staff", seal(role, rolle, role, id, organization, revision, token, unsealed_untill))]
struct Staff {
    #[model(id)]
    id: Id<Staff>,
    #[model(tenant)]
    organization: TenantId,
    role: String,
    token: Option<Encrypted<String>>,
    #[model(revision)]
    revision: Revision,
}

#[derive(Clone, Model)]
#[model(collection = "guests", global, seal(role, unsealed_until = "2027-02-29"))]
struct Guest {
    #[model(id)]
    id: Id<Guest>,
    role: String,
}

#[derive(Clone, Model)]
#[model(collection = "visitors", global, seal(unsealed_until = "2027-02-28", unsealed_until = "2027-02-28"))]
struct Visitor {
    #[model(id)]
    id: Id<Visitor>,
    role: String,
}

fn main() {}
