//! The service as a process sees it: its page in a browser, its command, what it tells of requests, how it ends; and
//! whether its README says what is there.

mod command;
mod page;
mod readme;
mod running;
mod tracing;

use std::net::SocketAddr;

use meta_ads::service::{App, serve};
use meta_ads::*;
use model_core::SyncOptions;
use model_core::prelude::*;
use model_core::testing;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A service on a free port.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    service: JoinHandle<std::io::Result<()>>,
}

/// Serves a database in memory, of a tenant with an administrator.
async fn embedded() -> Running {
    let (policy, limits) = testing::fast_passwords();
    let builder = register(Db::memory()).keys(testing::keyring().unwrap());
    let db = builder.passwords(policy, limits).build_lazy().unwrap();
    db.sync_indexes(SyncOptions::default()).await.unwrap();
    let service = db.global_context(Account::Service);
    let new = NewTenant {
        name: "Acme".into(),
        slug: "acme".into(),
        optional: Default::default(),
    };
    let tenant = Tenant::create(&service, new).await.unwrap();
    let new = NewUser {
        email: "ada@acme.example".into(),
        password: NewPassword::new("correct horse".to_owned()).unwrap(),
        first_name: "Ada".into(),
        optional: NewUserOptional {
            role: Some(Role::Admin),
            ..Default::default()
        },
    };
    User::create(&service.enter(&tenant.id), new).await.unwrap();
    start(db).await
}

async fn start(db: Db) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let service = tokio::spawn(serve(App::new(db), listener, async {
        let _ = stopped.await;
    }));
    Running {
        address,
        stop,
        service,
    }
}
