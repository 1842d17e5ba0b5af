//! The models behind the binary `model-admin`, and the documents that its tests begin with.

use bson::{Document, doc};
use model_core::prelude::*;
use model_core::testing;

/// Who administers.
#[derive(Debug, Clone)]
pub struct Operator;

impl Actor for Operator {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::system("operator")
    }
}

macro_rules! closed_policy {
    ($model:ident, $ctx:ty) => {
        type Actor = Operator;

        fn can_read(&self, _: &$ctx) -> bool {
            false
        }

        fn can_create(&self, _: &$ctx) -> bool {
            false
        }

        fn can_update(&self, _: &$ctx, _: &Self) -> bool {
            false
        }

        fn can_delete(&self, _: &$ctx) -> bool {
            false
        }
    };
}

/// A crate on a shelf. Version 1 had its size as a text.
#[derive(Clone, Model)]
#[model(
    collection = "crates",
    id_prefix = "crt_",
    version = 2,
    audit,
    index(shelf, name)
)]
pub struct Crate {
    #[model(id)]
    id: Id<Crate>,
    #[model(tenant)]
    organization: TenantId,
    #[model(on_delete = restrict)]
    shelf: Ref<Shelf>,
    name: String,
    #[model(since = 2)]
    size: u32,
    #[model(legacy_plaintext)]
    code: Option<Encrypted<String>>,
    lamp: Option<Id<Switch>>,
}

impl BaseModel for Crate {
    closed_policy!(Crate, Context<Operator>);

    fn migrate(mut document: Document, _: &MigrateInfo) -> Result<Document> {
        let size = document.get_str("size").ok().and_then(|size| size.parse().ok());
        document.insert("size", size.unwrap_or(0_i64));
        Ok(document)
    }
}

/// A shelf.
#[derive(Clone, Model)]
#[model(collection = "shelves", id_prefix = "shf_", index(label, unique))]
pub struct Shelf {
    #[model(id)]
    id: Id<Shelf>,
    #[model(tenant)]
    organization: TenantId,
    label: String,
}

impl BaseModel for Shelf {
    closed_policy!(Shelf, Context<Operator>);
}

/// A switch of the whole installation.
#[derive(Clone, Model)]
#[model(collection = "switches", global, id_prefix = "swi_")]
pub struct Switch {
    #[model(id)]
    id: Id<Switch>,
    is_on: bool,
}

impl BaseModel for Switch {
    closed_policy!(Switch, GlobalContext<Operator>);
}

/// A step over a whole collection: shelves came from boards.
#[must_use]
pub fn steps() -> model_core::Steps {
    model_core::Steps::new().move_documents("boards are shelves", "boards", "shelves", |mut board| {
        let id = format!("shf_{}", board.get_str("_id").unwrap_or_default());
        board.extend(doc! { "_id": id, "organization": "acme" });
        Ok(board)
    })
}

/// What the tests begin with: three crates of version 1 of two tenants, one of which has a secret in the clear, and one names a shelf of the
/// other tenant; a shelf; a
/// switch that cannot be read.
#[must_use]
pub fn documents() -> Vec<(&'static str, Document)> {
    let mut crates: Vec<_> = (0..3)
        .map(|number| {
            let tenant = if number < 2 { "acme" } else { "globex" };
            doc! {
                "_id": format!("crt_{number}"), "organization": tenant, "shelf": "shf_1",
                "name": format!("Crate {number}"), "size": format!("{number}"),
            }
        })
        .collect();
    crates[1].insert("code", "canary");
    let mut all: Vec<_> = crates.into_iter().map(|document| ("crates", document)).collect();
    all.push((
        "shelves",
        doc! { "_id": "shf_1", "organization": "acme", "label": "Left" },
    ));
    all.push(("switches", doc! { "_id": "swi_1", "is_on": "canary" }));
    all
}

/// Stores them.
pub async fn seed(db: &Db) {
    for (collection, document) in documents() {
        testing::store_raw(db, collection, &document).await.unwrap();
    }
}
