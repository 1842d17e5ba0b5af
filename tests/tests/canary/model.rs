//! A model with a secret in every kind of field.

use std::collections::BTreeMap;

use model_core::DbBuilder;
use model_core::crypto::{CryptoJs, Keyring, LibreChat, LocalKek};
use model_core::prelude::*;

/// What is searched for: long enough to be cut nowhere, and like nothing else.
pub(crate) const CANARY: &str = "canary7hunter2secretQzWxEcRvTbYnUm";
/// What goes the same ways and is found.
pub(crate) const MARKER: &str = "visible9marker3publicPlOkImUjNyHbT";

#[derive(Clone, Debug)]
pub(crate) struct User(&'static str);

impl User {
    pub(crate) fn new(name: &'static str) -> Self {
        Self(name)
    }
}

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user(self.0)
    }

    fn can_read_audit_log(&self) -> bool {
        true
    }
}

pub(crate) type Ctx = Context<User>;

/// Secrets in the elements of arrays and maps, and in what they hold.
#[derive(Clone, Embedded)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) token: Encrypted<String>,
    pub(crate) answers: BTreeMap<String, Encrypted<String>>,
}

/// Secrets in a struct, one of them found by its value.
#[derive(Clone, Embedded)]
pub(crate) struct Contact {
    #[model(blind_index(unique, normalize = "email"))]
    pub(crate) email: Option<Encrypted<String>>,
    pub(crate) pin: Option<Encrypted<String>>,
}

/// Some of a safe, secrets too.
#[derive(Projection)]
#[projection(of = Safe)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) plain: Option<Encrypted<String>>,
    pub(crate) contact: Option<Contact>,
    pub(crate) password: Option<PasswordHash>,
}

#[derive(Clone, Model)]
#[model(collection = "safes", audit(entity = "safe", name = name))]
pub(crate) struct Safe {
    #[model(id)]
    pub(crate) id: Id<Safe>,
    #[model(tenant)]
    pub(crate) organization: TenantId,
    #[model(unique)]
    pub(crate) name: String,
    pub(crate) plain: Option<Encrypted<String>>,
    #[model(pad = 64)]
    pub(crate) padded: Option<Encrypted<Vec<String>>>,
    #[model(blind_index(unique, normalize = "email"))]
    pub(crate) email: Option<Encrypted<String>>,
    #[model(blind_index(bits = 8))]
    pub(crate) city: Option<Encrypted<String>>,
    #[model(unique(global))]
    pub(crate) session: Option<TokenDigest>,
    pub(crate) contact: Option<Contact>,
    pub(crate) password: Option<PasswordHash>,
    #[model(old_format("librechat"))]
    pub(crate) old: Option<Encrypted<String>>,
    #[model(old_format("growthbook"))]
    pub(crate) params: Option<Encrypted<BTreeMap<String, String>>>,
    #[model(default)]
    pub(crate) accounts: Vec<Account>,
    #[model(default)]
    pub(crate) keys: BTreeMap<String, Encrypted<String>>,
    pub(crate) stamps: Option<Encrypted<i64>>,
    #[model(created_at)]
    pub(crate) created_at: DateTime<Utc>,
    #[model(updated_at)]
    pub(crate) updated_at: DateTime<Utc>,
}

impl BaseModel for Safe {
    type Actor = User;

    fn can_read(&self, _: &Ctx) -> bool {
        true
    }

    fn can_create(&self, _: &Ctx) -> bool {
        self.name != "denied"
    }

    fn can_update(&self, _: &Ctx, after: &Self) -> bool {
        after.name != "denied"
    }

    fn can_delete(&self, _: &Ctx) -> bool {
        true
    }

    /// Hooks print what they have, as one does while one looks for a mistake.
    async fn before_update(_: &Ctx, change: &mut Change<Self>) -> Result<()> {
        if change.after().name.ends_with("panic") {
            panic!("planned: {:?} {:#?}", change.before(), change.after());
        }
        Ok(())
    }
}

pub(crate) fn register(builder: DbBuilder) -> DbBuilder {
    builder.model::<Safe>()
}

const KEY: &str = "8f1d3b5a7c9e0f2143658709badcfe1032547698badcfe0123456789abcdef01";

pub(crate) fn keyring() -> Keyring {
    let kek = LocalKek::parse("243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89");
    Keyring::builder()
        .realm("test")
        .wrapper(kek.unwrap())
        .old_format("librechat", LibreChat::new(KEY).unwrap())
        .old_format("growthbook", CryptoJs::new("dev-encryption-key"))
        .build()
        .unwrap()
}
