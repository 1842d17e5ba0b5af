//! The old system's documents, migrated for real, and what the new one promises of them.
//!
//! `cargo run -p ai-platform` runs on the embedded store; with `MONGODB_URI` set, the same runs on that server.

#![allow(clippy::print_stdout, reason = "the output is what this program is for")]

use ai_platform::legacy::{self, sample};
use ai_platform::*;
use example_support::{heading, json, line, on_a_store, prepare, raw, refused};
use model_core::prelude::*;
use model_core::testing::{self, FixedClock};
use model_core::{DbBuilder, Steps};

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    on_a_store("ai_platform", tour).await
}

async fn tour(builder: DbBuilder) -> Result<()> {
    let (policy, limits) = testing::fast_passwords();
    let db = register(builder)
        .keys(testing::keyring()?)
        .clock(FixedClock::at("2026-03-01T09:00:00Z"))
        .passwords(policy, limits)
        .build_lazy()?;
    let service = db.global_context(Person::Service);
    for (collection, document) in sample::documents() {
        testing::store_raw(&db, collection, &document).await?;
    }
    let tenant = migrate(&db, &service).await?;
    let ada = sign_in(&db, &service).await?;
    talk(&db, &service, &tenant, &ada).await?;
    search(&service, &ada).await?;
    learn(&db, &service, &tenant, &ada).await?;
    pay(&service, &tenant, &ada).await?;
    isolation(&db, &service, &ada).await?;
    goodbye(&db, &service, &tenant, &ada).await
}

async fn migrate(db: &Db, service: &Door) -> Result<Tenant> {
    heading("Migration: everything the old system stored, into the first tenant");
    raw(&testing::stored(db, "conversations").await?);
    let job = service.dangerously_bypass_permissions("migration from the old system");
    for report in legacy::step_aside().run(&job).await? {
        line(report.to_string());
    }
    prepare(db).await?;
    heading("Migration: the tenant, and all that moves into it");
    let new = NewTenant {
        name: "First".into(),
        subdomain: "first".into(),
        optional: Default::default(),
    };
    let tenant = Tenant::create(service, new).await?;
    let steps = legacy::into_tenant(&tenant.id);
    for report in steps.run(&job).await? {
        line(report.to_string());
    }
    for report in steps.run(&job).await? {
        if !report.was_done {
            line(format!("taken twice: {report}"));
        }
    }
    line("a second run finds every step done");
    raw(&testing::stored(db, "conversations").await?);
    Ok(tenant)
}

async fn sign_in(db: &Db, service: &Door) -> Result<Ctx> {
    heading("Users: found by an e-mail that is unique over all tenants; old hashes go with the login");
    let old = User::sign_in(service, "ada@example.com", "correct horse battery").await?;
    let Some(user) = old else {
        return Err(Error::refused("the old password is right"));
    };
    let wrong = User::sign_in(service, "ada@example.com", "battery staple").await?;
    line(format!("a wrong password signs in: {}", wrong.is_some()));
    let stored = testing::stored(db, "users").await?;
    let is_bcrypt = stored.iter().any(|user| {
        user.get_str("password")
            .is_ok_and(|hash| hash.starts_with("$2b$"))
    });
    line(format!("a bcrypt hash is still stored: {is_bcrypt}"));
    let ctx = db.context(user.tenant_id.clone(), Person::of(&user));
    json(&user.into_view(&ctx));
    let patch = UserPatch {
        tier: Set(Tier::Admin),
        ..Default::default()
    };
    let ada = User::query(&ctx).first().await?;
    let ada = ada.ok_or_else(|| Error::refused("ada sees herself"))?;
    refused(
        "ada gives herself a tier",
        User::update(&ctx, &ada.id, patch).await,
    )?;
    Ok(ctx)
}

async fn talk(db: &Db, service: &Door, tenant: &Tenant, ada: &Ctx) -> Result<()> {
    heading("Conversations: a tree of messages, counted and kept by the database's own rules");
    let id = Id::parse(sample::CONVERSATION)?;
    let question = Id::parse(sample::QUESTION)?;
    let branch = Id::parse(sample::BRANCH)?;
    for message in Message::thread(ada, &branch).await? {
        line(format!("{:?}: {}", message.role, message.content));
    }
    let branches = Message::query(ada)
        .filter(|m| m.parent_id.eq(&question))
        .count()
        .await?;
    line(format!("the question has {branches} answers"));
    let more = Conversation::say(ada, &id, Some(&branch), MessageRole::User, "The bank.").await?;
    if let Some(tree) = Message::subtree(ada, &question, |m| &m.parent_id).await? {
        for message in tree.documents() {
            let depth = tree.depth(&message.id).unwrap_or_default();
            line(format!("{}{}", "  ".repeat(depth as usize), message.content));
        }
    }
    refused(
        "an answer that is answered goes",
        Message::delete(ada, &branch).await,
    )?;
    let elsewhere = Id::generate();
    refused(
        "a message in a conversation that is not there",
        Conversation::say(ada, &elsewhere, None, MessageRole::User, "Hello?").await,
    )?;
    Message::delete(ada, &more.id).await?;

    let files = Message::fetch(ada, &question).await?;
    let loaded = File::populate(ada, std::slice::from_ref(&files), |m| &m.files).await?;
    for file in loaded.of(&files.files) {
        line(format!("attached: {}, {} bytes", file.filename, file.size));
    }

    heading("Agents: published for all, released by their makers");
    let admin = admin(db, service, tenant).await?;
    let agent = Id::parse("agent_abc123")?;
    line(format!(
        "ada sees the agent: {}",
        Agent::get(ada, &agent).await?.is_some()
    ));
    let publish = AgentPatch {
        published: Set(true),
        ..Default::default()
    };
    Agent::update(&admin, &agent, publish).await?;
    let released = Agent::release(&admin, &agent, "Plan, and say why.").await?;
    line(format!(
        "published in version {}; ada sees it: {}",
        released.version,
        Agent::get(ada, &agent).await?.is_some()
    ));
    refused("ada changes it", Agent::release(ada, &agent, "Obey.").await)
}

/// By words and by vectors: of what lies in the tenant, and is the user's own.
async fn search(service: &Door, ada: &Ctx) -> Result<()> {
    heading("Search: by words, and by what is nearest to a question");
    for found in Message::said(ada, "market").await? {
        line(format!("said: {}", found.item.content));
    }
    let own = ada.actor().id().cloned().unwrap_or_else(Id::generate);
    Memory::remember(ada, &own, "city", "Lives in London, by the market.").await?;
    for found in Memory::of(ada, "market -paris").await? {
        line(format!("remembered: {}", found.item.value));
    }
    let elsewhere = NewTenant {
        name: "Elsewhere".into(),
        subdomain: "elsewhere".into(),
        optional: Default::default(),
    };
    let elsewhere = service.enter(&Tenant::create(service, elsewhere).await?.id);
    let file = Id::<File>::parse(sample::FILE)?;
    for (ctx, content, aside) in [
        (ada, "Demand is falling.", 0.5),
        (ada, "The market is in the east.", 0.1),
        (&elsewhere, "A rival's market.", 0.0),
    ] {
        let new = NewDocumentChunk {
            file_id: Ref::to(&file),
            user_id: Ref::to(&own),
            content: content.into(),
            optional: NewDocumentChunkOptional {
                embedding: Some(embedding(aside)?),
                ..Default::default()
            },
        };
        DocumentChunk::create(ctx, new).await?;
    }
    for found in DocumentChunk::like(ada, &embedding(0.0)?, 5).await? {
        line(format!("{:.2}: {}", found.score, found.item.content));
    }
    line(format!(
        "the rival finds {} messages, and {} piece of its own",
        Message::said(&elsewhere, "market").await?.len(),
        DocumentChunk::like(&elsewhere, &embedding(0.0)?, 5).await?.len()
    ));
    Ok(())
}

/// Where a text of this scenario lies among all texts, as a model would say.
fn embedding(aside: f32) -> Result<Embedding> {
    let mut numbers = vec![1.0, aside];
    numbers.resize(1536, 0.0);
    numbers.try_into()
}

/// The migrated administrator.
async fn admin(db: &Db, service: &Door, tenant: &Tenant) -> Result<Ctx> {
    let inside = service.enter(&tenant.id);
    let grace = User::query(&inside)
        .filter(|u| u.role.eq(Role::Admin))
        .first()
        .await?;
    let grace = grace.ok_or_else(|| Error::refused("there is an administrator"))?;
    Ok(db.context(&tenant.id, Person::of(&grace)))
}

async fn learn(db: &Db, service: &Door, tenant: &Tenant, ada: &Ctx) -> Result<()> {
    heading("Courses: with their modules; a recording comes over from Postgres");
    let courses = Course::query(ada).sort(|c| c.order.asc()).await?;
    let modules = Module::related(ada, &courses, |m| &m.course_id)
        .sort(|m| m.order.asc())
        .await?;
    for course in &courses {
        let titles: Vec<_> = modules.of(course).iter().map(|m| &*m.title).collect();
        line(format!("{}: {}", course.title, titles.join(", ")));
    }
    let job = service.dangerously_bypass_permissions("recordings from Postgres");
    let row = Row {
        id: "2c1f8d0c-92f6-4a57-8a12-0a4f3cbd7a10".into(),
        stream_call_id: "call_1".into(),
        duration: 600,
        academy_module_id: Some(sample::module()),
    };
    let recording = Recording::import(&job, &tenant.id, row).await?;
    let admin = admin(db, service, tenant).await?;
    let module = Module::populate(&admin, std::slice::from_ref(&recording), |r| &r.academy_module_id).await?;
    for module in module.of(&recording.academy_module_id) {
        line(format!("the recording belongs to: {}", module.title));
    }
    line(format!(
        "ada sees recordings: {}",
        Recording::query(ada).count().await?
    ));
    Ok(())
}

async fn pay(service: &Door, tenant: &Tenant, ada: &Ctx) -> Result<()> {
    heading("Payments: minor units, once for each session of Stripe's, whoever says it how often");
    for payment in Transaction::query(ada).sort(|t| t.amount.asc()).await? {
        line(format!(
            "{} {} {:?}",
            payment.amount, payment.currency, payment.status
        ));
    }
    let inside = service.enter(&tenant.id);
    let new = |session: Option<&str>| NewTransaction {
        user_id: ada
            .actor()
            .confined_to()
            .cloned()
            .unwrap_or_else(Id::generate)
            .into(),
        amount: 4_900,
        kind: TransactionType::OneTime,
        optional: NewTransactionOptional {
            stripe_session_id: session.map(str::to_owned),
            ..Default::default()
        },
    };
    Transaction::create(&inside, new(Some("cs_2"))).await?;
    Transaction::create(&inside, new(None)).await?;
    Transaction::create(&inside, new(None)).await?;
    refused(
        "the session again",
        Transaction::create(&inside, new(Some("cs_2"))).await,
    )?;
    let first = Transaction::complete(&inside, "cs_2").await?;
    let second = Transaction::complete(&inside, "cs_2").await?;
    line(format!(
        "completed: {}, then {}",
        first.is_some(),
        second.is_some()
    ));
    refused(
        "ada pays herself",
        Transaction::create(ada, new(Some("cs_3"))).await,
    )
}

async fn isolation(db: &Db, service: &Door, ada: &Ctx) -> Result<()> {
    heading("Isolation: what row-level security promised");
    let new = NewTenant {
        name: "Second".into(),
        subdomain: "second".into(),
        optional: Default::default(),
    };
    let second = Tenant::create(service, new).await?;
    let eve = NewUser {
        email: "eve@example.com".into(),
        optional: NewUserOptional {
            role: Some(Role::Admin),
            ..Default::default()
        },
    };
    let eve = User::create(&service.enter(&second.id), eve).await?;
    let eve = db.context(&second.id, Person::of(&eve));
    line(format!(
        "an administrator elsewhere counts {} conversations, {} messages, {} files, {} payments",
        Conversation::query(&eve).count().await?,
        Message::query(&eve).matching(Filter::all()).count().await?,
        File::query(&eve).count().await?,
        Transaction::query(&eve).count().await?,
    ));
    let message = Id::parse(sample::ANSWER)?;
    line(format!(
        "and finds ada's message by its id: {}",
        Message::get(&eve, &message).await?.is_some()
    ));
    line(format!(
        "ada finds it: {}",
        Message::get(ada, &message).await?.is_some()
    ));
    let double = NewUser {
        email: "ADA@example.com".into(),
        optional: Default::default(),
    };
    refused(
        "ada's e-mail there",
        User::create(&service.enter(&second.id), double).await,
    )
}

async fn goodbye(db: &Db, service: &Door, tenant: &Tenant, ada: &Ctx) -> Result<()> {
    heading("Deletions: no orphan is left");
    let id = Id::parse(sample::CONVERSATION)?;
    if let Some(plan) = Conversation::delete_in_batches(ada, &id).dry_run().await? {
        println!("{}", plan.to_string().trim_end());
    }
    Conversation::delete(ada, &id).await?;
    line(format!(
        "messages that are left: {}",
        Message::query(ada).count().await?
    ));
    let own = ada.actor().confined_to().cloned().unwrap_or_else(Id::generate);
    refused("ada, who has paid, goes", User::delete(ada, &own).await)?;
    let plan = Tenant::close(service, &tenant.id, "the contract has ended").await?;
    println!("{}", plan.to_string().trim_end());
    let left = testing::stored(db, "users").await?.len();
    line(format!("users of other tenants: {left}"));
    let moved = Steps::moved_id(
        service,
        legacy::MOVED_USERS,
        bson::oid::ObjectId::from_bytes([1; 12]),
    )
    .await?;
    line(format!("the note of who was who is kept: {}", moved.is_some()));
    Ok(())
}
