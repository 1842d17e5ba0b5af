//! `cargo run -p meta-ads` starts the service on a free port, walks through it as a client would, and stops it;
//! `serve 127.0.0.1:8080` serves until it is told to stop, `admin` administers the database, `customer` makes one. On the
//! embedded store, or with `MONGODB_URI` set on that server.

#![allow(clippy::print_stdout, reason = "the output is what this program is for")]

mod tour;

use std::io;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use example_support::on_a_store;
use meta_ads::service::{App, serve};
use meta_ads::*;
use model_core::SyncOptions;
use model_core::admin::AdminCommand;
use model_core::crypto::{Keyring, LocalKek};
use model_core::prelude::*;
use model_core::testing;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

type Outcome<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Campaigns on Meta for many tenants. Without a command: a walk through the service.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serves on an address until it is told to stop
    Serve {
        address: String,
    },
    /// Makes a tenant and its administrator, whose password is the first line of the standard input
    Customer {
        slug: String,
        email: String,
    },
    Admin(AdminCommand),
}

#[tokio::main]
async fn main() -> Outcome<ExitCode> {
    match Arguments::parse().command {
        None => on_a_store("meta_ads", tour::tour).await?,
        Some(Command::Serve { address }) => run(&address).await?,
        Some(Command::Customer { slug, email }) => {
            let mut password = String::new();
            io::stdin().read_line(&mut password)?;
            customer(&open().await?, &slug, &email, password.trim_end_matches('\n')).await?;
        }
        Some(Command::Admin(command)) => return Ok(admin(open().await?).execute(&command).await),
    }
    Ok(ExitCode::SUCCESS)
}

/// The database that `MONGODB_URI` names, `meta_ads` if it names none, under the key in `META_ADS_KEY`; else one in memory.
async fn open() -> Outcome<Db> {
    let (builder, keyring) = match std::env::var("MONGODB_URI") {
        Ok(uri) => {
            let client = mongodb::Client::with_uri_str(uri).await?;
            let database = client.default_database();
            let kek = LocalKek::from_env("META_ADS_KEY")?;
            (
                Db::mongo(database.unwrap_or_else(|| client.database("meta_ads"))),
                Keyring::builder().realm("meta-ads").wrapper(kek).build()?,
            )
        }
        Err(_) => (Db::memory(), testing::keyring()?),
    };
    Ok(register(builder).keys(keyring).build_lazy()?)
}

/// Serves until it is interrupted or terminated. In memory there is nobody at first: a tenant with an administrator is made.
async fn run(address: &str) -> Outcome<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    let db = open().await?;
    if std::env::var_os("MONGODB_URI").is_none() {
        db.sync_indexes(SyncOptions::default()).await?;
        customer(&db, "acme", "admin@acme.example", "password of acme").await?;
        println!("admin@acme.example, password of acme");
    }
    db.check_indexes().await?;
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/docs", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    Ok(serve(App::new(db), listener, stop).await?)
}

/// A tenant and its administrator.
async fn customer(db: &Db, slug: &str, email: &str, password: &str) -> Result<Ctx> {
    let service = db.global_context(Account::Service);
    let tenant = NewTenant {
        name: slug.to_uppercase(),
        slug: slug.into(),
        optional: NewTenantOptional::default(),
    };
    let tenant = Tenant::create(&service, tenant).await?;
    let ctx = service.enter(&tenant.id);
    let admin = NewUser {
        email: email.into(),
        password: NewPassword::new(password.to_owned())?,
        first_name: "Ada".into(),
        optional: NewUserOptional {
            role: Some(Role::Admin),
            ..Default::default()
        },
    };
    User::create(&ctx, admin).await?;
    Ok(ctx)
}
