//! Contract C 8, for every public operation: it runs once as an actor, once under a bypass and once in a transaction, and
//! each command that it sends carries the tenant. A public function that no table names fails `every_operation_is_probed`.

mod model;
mod other;
mod passes;
mod reads;
mod watches;
mod writes;

use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use model_core::prelude::*;

use self::model::{Ctx, Given, Stage};
use super::{tenancy, verbs};

/// An operation, by the name that the source gives it.
type Probe = (
    &'static str,
    fn(Ctx, Arc<Given>) -> BoxFuture<'static, Result<()>>,
);

macro_rules! probes {
    ($($verb:literal => |$ctx:ident, $given:ident| $body:expr;)*) => {
        pub(super) const ALL: &[super::Probe] = &[$(($verb, |ctx, given| {
            Box::pin(async move {
                let ($ctx, $given) = (&ctx, &*given);
                $body.map(drop)
            })
        })),*];
    };
}

use probes;

/// As whom an operation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Actor,
    Bypass,
    Transaction,
}

async fn run(stage: &Stage, way: Way, (verb, probe): &Probe) {
    let given = stage.reset().await;
    let ctx = stage.ctx();
    stage.log.take();
    let outcome = match way {
        Way::Actor => probe(ctx, given).await,
        Way::Bypass => probe(ctx.dangerously_bypass_permissions("a probe"), given).await,
        Way::Transaction => ctx.transaction(|tx| probe(tx, given.clone())).await,
    };
    let sent = stage.log.take();
    assert!(outcome.is_ok(), "{verb} {way:?}: {outcome:?}");
    let check = |command| tenancy::carries_the_tenant(&stage.db, command, "acme");
    let to_documents = sent.iter().filter(|command| check(command)).count();
    assert!(to_documents > 0, "{verb} {way:?} sends nothing: {sent:?}");
    stage.assert_others_untouched().await;
}

#[tokio::test]
async fn every_read_carries_the_tenant() {
    let stage = Stage::new().await;
    for way in [Way::Actor, Way::Bypass, Way::Transaction] {
        for probe in reads::ALL {
            run(&stage, way, probe).await;
        }
    }
}

#[tokio::test]
async fn every_write_carries_the_tenant() {
    let stage = Stage::new().await;
    for way in [Way::Actor, Way::Bypass, Way::Transaction] {
        for probe in writes::ALL {
            run(&stage, way, probe).await;
        }
    }
}

#[tokio::test]
async fn every_watch_carries_the_tenant() {
    let stage = Stage::new().await;
    for way in [Way::Actor, Way::Bypass] {
        for probe in watches::ALL {
            run(&stage, way, probe).await;
        }
    }
}

/// They take a bypass, and run in transactions of their own.
#[tokio::test]
async fn every_pass_carries_the_tenant() {
    let stage = Stage::new().await;
    for probe in passes::ALL {
        run(&stage, Way::Bypass, probe).await;
    }
}

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
    let probed = [reads::ALL, writes::ALL, passes::ALL, watches::ALL].concat();
    let named = probed.iter().map(|(verb, _)| *verb);
    verbs::assert_complete(&all, named.chain(other::ALL.iter().map(|(verb, _)| *verb)));
}
