//! Contract C 8, for every public operation: it runs once as an actor, once under a bypass and once in a transaction, and
//! each command that it sends carries the tenant. A public function that no table names fails `every_operation_is_probed`.

mod other;

/// Of models whose id is their `_id`.
#[path = "."]
mod by_underscore_id {
    use super::probes;

    /// Where the id is stored.
    const ID: &str = "_id";

    macro_rules! with_its_id {
        ($($model:item)*) => { $($model)* };
    }

    mod model;
    pub(super) mod passes;
    pub(super) mod reads;
    mod run;
    pub(super) mod watches;
    pub(super) mod writes;
}

/// Of models whose id stands beside an `_id` that nobody sees.
#[path = "."]
mod by_own_id {
    use super::probes;

    /// Where the id is stored.
    const ID: &str = "id";

    macro_rules! with_its_id {
        ($(#[$outer:meta])* $vis:vis struct $name:ident { #[model(id)] $($rest:tt)* }) => {
            $(#[$outer])*
            $vis struct $name {
                #[model(id, stored_as = "id")]
                $($rest)*
            }
        };
    }

    mod model;
    mod passes;
    mod reads;
    mod run;
    mod watches;
    mod writes;
}

use std::path::Path;

use self::by_underscore_id::{passes, reads, watches, writes};
use super::verbs;

macro_rules! probes {
    ($($verb:literal => |$ctx:ident, $given:ident| $body:expr;)*) => {
        pub(crate) const ALL: &[super::run::Probe] = &[$(($verb, |ctx, given| {
            Box::pin(async move {
                let ($ctx, $given) = (&ctx, &*given);
                $body.map(drop)
            })
        })),*];
    };
}

use probes;

#[test]
fn every_operation_is_probed() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model-core/src");
    let mut all = verbs::of_models();
    for file in ["db.rs", "keys.rs", "policy/context.rs", "policy/transaction.rs"] {
        all.extend(verbs::of_file(&source.join(file)));
    }
    for file in ["policy/audit_log.rs", "policy/erase.rs", "value/encrypted.rs"] {
        all.extend(verbs::of_file(&source.join(file)));
    }
    for file in ["policy/erase_subject.rs", "policy/export.rs"] {
        all.extend(verbs::of_file(&source.join(file)));
    }
    let probed = [reads::ALL, writes::ALL, passes::ALL, watches::ALL].concat();
    let named = probed.iter().map(|(verb, _)| *verb);
    verbs::assert_complete(&all, named.chain(other::ALL.iter().map(|(verb, _)| *verb)));
}
