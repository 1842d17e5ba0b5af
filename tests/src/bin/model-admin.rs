//! The administration command of a small shop, for tests: on the MongoDB that `MONGODB_URI` names, database
//! `ADMIN_DATABASE`, or else on the embedded store with the documents that tests begin with.

use std::process::ExitCode;

use model_core::admin::Admin;
use model_core::testing;
use model_tests::depot::{self, Crate, Operator, Shelf, Switch};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let builder = match std::env::var("MONGODB_URI") {
        Ok(uri) => {
            let client = mongodb::Client::with_uri_str(uri).await.unwrap();
            model_core::Db::mongo(client.database(&std::env::var("ADMIN_DATABASE").unwrap()))
        }
        Err(_) => model_core::Db::memory(),
    };
    let builder = builder.keys(testing::keyring().unwrap()).audit_chain();
    let db = builder
        .model::<Crate>()
        .model::<Shelf>()
        .model::<Switch>()
        .build_lazy()
        .unwrap();
    if std::env::var_os("MONGODB_URI").is_none() {
        depot::seed(&db).await;
    }
    let mut admin = Admin::new(db, Operator).model::<Crate>().model::<Shelf>();
    if std::env::var_os("ADMIN_STEPS").is_some() {
        admin = admin.steps(depot::steps());
    }
    if std::env::var_os("ADMIN_FORGETS").is_some() {
        return admin.run().await;
    }
    admin.model::<Switch>().run().await
}
