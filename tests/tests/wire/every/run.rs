//! An operation as an actor, under a bypass and in a transaction.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use model_core::prelude::*;

use super::model::{Ctx, Given, Stage};
use super::{passes, reads, watches, writes};
use crate::tenancy;

/// An operation, by the name that the source gives it.
pub(crate) type Probe = (
    &'static str,
    fn(Ctx, Arc<Given>) -> BoxFuture<'static, Result<()>>,
);

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
