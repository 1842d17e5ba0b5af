use model_core::prelude::*;

/// Not all operations on one document know its project.
#[derive(Clone, Model)]
#[model(collection = "widgets", shard_key(organization, project))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant)]
    organization: TenantId,
    #[model(readonly)]
    project: String,
}

/// Commands name the tenant first of all.
#[derive(Clone, Model)]
#[model(collection = "gadgets", shard_key(id = hashed))]
struct Gadget {
    #[model(id)]
    id: Id<Gadget>,
    #[model(tenant)]
    organization: TenantId,
}

/// Shards do not see each other's duplicates.
#[derive(Clone, Model)]
#[model(collection = "members", shard_key(organization, id = hashed))]
struct Member {
    #[model(id)]
    id: Id<Member>,
    #[model(tenant)]
    organization: TenantId,
    #[model(unique)]
    name: String,
    #[model(unique(global))]
    email: String,
    #[model(blind_index(unique))]
    badge: Encrypted<String>,
}

#[derive(Clone, Model)]
#[model(collection = "stamps", global, shard_key(id = desc, id = hashed, nothing))]
struct Stamp {
    #[model(id)]
    id: Id<Stamp>,
}

fn main() {}
