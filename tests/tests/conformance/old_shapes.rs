//! Documents as other programs left them over the years: missing fields, nulls, other names, texts for dates and numbers,
//! ids beside `_id`. They are read as they are, asked for while they are older, and written back.

use bson::oid::ObjectId;
use bson::{Bson, Document, doc};
use model_core::prelude::*;
use model_core::{Error, Steps, testing};

use crate::harness::{date, on_both_stores};
use crate::models::{Ctx, User, open_policy};

/// A feature flag, as a platform for experiments keeps it: an `id` beside `_id`, `organization` as a text, fields that came
/// and went.
#[derive(Clone, PartialEq, Embedded)]
#[model(rename_all = "camelCase")]
struct Rule {
    kind: String,
    enabled: bool,
    condition: Option<String>,
}

#[derive(Clone, Model)]
#[model(
    collection = "features",
    id_prefix = "fea_",
    version = 3,
    rename_all = "camelCase",
    audit
)]
struct Feature {
    #[model(id)]
    id: Id<Feature>,
    #[model(tenant)]
    organization: TenantId,
    owner: Option<String>,
    value_type: String,
    #[model(since = 2)]
    archived: bool,
    tags: Vec<String>,
    #[model(since = 3)]
    rules: Vec<Rule>,
    date_created: DateTime<Utc>,
    date_updated: Option<DateTime<Utc>>,
}

/// A date in any of the forms that it was written in.
fn instant(value: Option<&Bson>) -> Result<Option<Bson>> {
    let bad = || Error::refused("a date in no known form");
    Ok(match value {
        None | Some(Bson::Null) => None,
        Some(Bson::DateTime(at)) => Some(Bson::DateTime(*at)),
        Some(Bson::String(text)) if text.is_empty() => None,
        Some(Bson::String(text)) => Some(bson::DateTime::parse_rfc3339_str(text).map_err(|_| bad())?.into()),
        Some(Bson::Int32(seconds)) => Some(bson::DateTime::from_millis(i64::from(*seconds) * 1_000).into()),
        Some(Bson::Int64(millis)) => Some(bson::DateTime::from_millis(*millis).into()),
        Some(Bson::Double(millis)) => Some(bson::DateTime::from_millis(*millis as i64).into()),
        Some(_) => return Err(bad()),
    })
}

fn put(document: &mut Document, name: &str, value: Option<Bson>) {
    match value {
        Some(value) => document.insert(name, value),
        None => document.remove(name),
    };
}

fn truth(value: Option<&Bson>) -> bool {
    match value {
        Some(Bson::Boolean(value)) => *value,
        Some(Bson::String(text)) => text == "true",
        Some(Bson::Int32(number)) => *number != 0,
        _ => false,
    }
}

impl BaseModel for Feature {
    type Actor = User;
    open_policy!(Feature, Ctx);

    fn migrate(mut document: Document, info: &MigrateInfo) -> Result<Document> {
        if info.stored_version < 2 {
            let archived = truth(document.get("archived"));
            document.insert("archived", archived);
            for name in ["dateCreated", "dateUpdated"] {
                let at = instant(document.get(name))?;
                put(&mut document, name, at);
            }
            // Nobody wrote it down at first.
            if !document.contains_key("dateCreated") {
                document.insert("dateCreated", bson::DateTime::from_millis(0));
            }
            if !matches!(document.get("tags"), Some(Bson::Array(_))) {
                document.insert("tags", Vec::<String>::new());
            }
            document.remove("id");
        }
        if info.stored_version < 3 {
            // Rules stood once at the top, and later below each environment.
            let old = document.remove("rules");
            let environments = document.remove("environmentSettings");
            let below = environments
                .as_ref()
                .and_then(Bson::as_document)
                .into_iter()
                .flat_map(Document::values);
            let below = below
                .filter_map(|settings| settings.as_document()?.get_array("rules").ok())
                .flatten();
            let above = old.as_ref().and_then(Bson::as_array).into_iter().flatten();
            let rules: Vec<Bson> = above.chain(below).filter_map(rule).collect();
            document.insert("rules", rules);
        }
        Ok(document)
    }
}

/// A rule of any age; what is none is left out.
fn rule(value: &Bson) -> Option<Bson> {
    let rule = value.as_document()?;
    let kind = rule.get_str("type").or(rule.get_str("kind")).ok()?;
    let mut new = doc! { "kind": kind, "enabled": rule.get_bool("enabled").unwrap_or(true) };
    if let Ok(condition) = rule.get_str("condition") {
        new.insert("condition", condition);
    }
    Some(new.into())
}

/// What was stored, oldest first.
fn features() -> Vec<Document> {
    vec![
        doc! {
            "_id": "fea_1", "id": "dark-mode", "organization": "acme", "valueType": "boolean", "owner": Bson::Null,
            "dateCreated": "2021-03-01T09:00:00Z", "tags": Bson::Null,
            "rules": [{ "type": "force", "condition": "{}" }, Bson::Null, { "enabled": true }],
        },
        doc! {
            "_id": "fea_2", "organization": "acme", "valueType": "string", "archived": "true", "dateUpdated": "",
            "dateCreated": 1_614_589_200_000.0, "tags": ["a"],
            "environmentSettings": { "dev": { "enabled": true, "rules": [{ "kind": "rollout", "enabled": false }] }, "prod": {} },
        },
        doc! { "_id": "fea_3", "organization": "acme", "valueType": "json", "archived": 1, "dateUpdated": 1_614_589_200 },
        doc! {
            "_id": "fea_4", "_sv": 2, "organization": "acme", "owner": "ada", "valueType": "number", "archived": false,
            "tags": [], "dateCreated": date("2021-03-01T09:00:00Z"), "environmentSettings": Bson::Null, "unknown": { "kept": 1 },
        },
        doc! { "_id": "fea_5", "organization": "globex", "valueType": "boolean" },
    ]
}

fn expected(feature: &Feature) -> (bool, Vec<&str>, Option<&str>, usize, String) {
    (
        feature.archived,
        feature.rules.iter().map(|rule| rule.kind.as_str()).collect(),
        feature.owner.as_deref(),
        feature.tags.len(),
        feature.date_created.to_rfc3339(),
    )
}

/// A conversation, as a chat platform keeps it: its own id beside `_id`, the user's id as a text.
#[derive(Clone, Model)]
#[model(collection = "conversations", id_prefix = "cnv_", rename_all = "camelCase")]
struct Conversation {
    #[model(id)]
    id: Id<Conversation>,
    #[model(tenant)]
    organization: TenantId,
    user: String,
    title: String,
    temperature: Option<f64>,
    #[model(created_at)]
    created_at: DateTime<Utc>,
}

impl BaseModel for Conversation {
    type Actor = User;
    open_policy!(Conversation, Ctx);
}

const PERSON: [u8; 12] = [7; 12];

/// What came before: no tenant, an `ObjectId` as `_id`, the public id beside it, numbers and dates as texts.
fn chats() -> Vec<Document> {
    let person = ObjectId::from_bytes(PERSON);
    vec![
        doc! {
            "_id": ObjectId::from_bytes([1; 12]), "conversationId": "c-1", "user": person.to_hex(), "title": Bson::Null,
            "temperature": "0.7", "createdAt": "2023-05-01T00:00:00.000Z", "__v": 0, "messages": [],
        },
        doc! {
            "_id": ObjectId::from_bytes([2; 12]), "conversationId": "c-2", "user": person.to_hex(), "chatGptLabel": "Old name",
            "temperature": Bson::Null, "createdAt": date("2023-05-02T00:00:00Z"), "updatedAt": date("2023-05-02T00:00:00Z"),
        },
        doc! { "_id": ObjectId::from_bytes([3; 12]), "user": person.to_hex() },
    ]
}

fn into_tenants() -> Steps {
    Steps::new()
        .move_documents("people have a tenant", "legacy_people", "people", |mut person| {
            let old = person.get_object_id("_id").map_err(|_| Error::refused("an id of another kind"))?;
            person.extend(doc! { "_id": format!("usr_{}", old.to_hex()), "organization": "acme" });
            Ok(person)
        })
        .references("legacy_conversations", "user")
        .move_documents("conversations have a tenant", "legacy_conversations", "conversations", |old| {
            let id = old.get_str("conversationId").map_err(|_| Error::refused("no `conversationId`"))?;
            let title = old.get_str("title").or(old.get_str("chatGptLabel")).unwrap_or("New chat");
            let mut new = doc! {
                "_id": format!("cnv_{id}"), "organization": "acme", "user": old.get("user").cloned(), "title": title,
            };
            put(&mut new, "createdAt", instant(old.get("createdAt"))?);
            let temperature = old.get_str("temperature").ok().and_then(|text| text.parse::<f64>().ok());
            put(&mut new, "temperature", temperature.map(Bson::Double));
            Ok(new)
        })
}

on_both_stores! {
    /// Each age is read; asked by later fields, the older ones come along; written back, they are what they were read as.
    async fn feature_flags_of_every_age(stage: Stage) {
        let db = stage.builder().model::<Feature>().build().await.unwrap();
        for document in features() {
            testing::store_raw(&db, "features", &document).await.unwrap();
        }
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let read = || Feature::query(&ctx).sort(|f| f.id.asc());
        let before = read().await.unwrap();
        let epoch = "1970-01-01T00:00:00+00:00".to_owned();
        let then = || "2021-03-01T09:00:00+00:00".to_owned();
        assert_eq!(before.iter().map(expected).collect::<Vec<_>>(), [
            (false, vec!["force"], None, 0, then()),
            (true, vec!["rollout"], None, 1, then()),
            (true, vec![], None, 0, epoch),
            (false, vec![], Some("ada"), 0, then()),
        ]);
        assert_eq!(before[2].date_updated.unwrap().to_rfc3339(), then());
        let archived = || read().filter(|f| f.archived.eq(true));
        assert!(archived().await.unwrap_err().is_configuration());
        assert_eq!(archived().or_older().await.unwrap().len(), 2);
        let job = ctx.dangerously_bypass_permissions("release 3");
        let done = Feature::migrate_all(&job).batch(2).await.unwrap();
        assert!(done.complete && done.migrated == 4, "{done}: {:?}", done.failed);
        let after = read().await.unwrap();
        assert_eq!(after.iter().map(expected).collect::<Vec<_>>(), before.iter().map(expected).collect::<Vec<_>>());
        assert_eq!(archived().await.unwrap().len(), 2);
        let stored = testing::stored(&db, "features").await.unwrap();
        // No null is left where nothing is meant, nothing of the old names, and what nobody knows is kept.
        assert!(!stored[0].contains_key("owner") && !stored[0].contains_key("id"), "{}", stored[0]);
        assert!(stored.iter().take(4).all(|document| !document.contains_key("environmentSettings")));
        assert_eq!(stored[3].get_document("unknown").unwrap(), &doc! { "kept": 1 });
        assert_eq!(stored[4], features()[4]);
    }

    /// People and conversations of a time without tenants move into one; what cannot be helped stays, and is told.
    async fn conversations_of_a_time_without_tenants(stage: Stage) {
        let db = stage.builder().model::<Conversation>().build().await.unwrap();
        for chat in chats() {
            testing::store_raw(&db, "legacy_conversations", &chat).await.unwrap();
        }
        let person = doc! { "_id": ObjectId::from_bytes(PERSON), "email": "ada@example.com" };
        testing::store_raw(&db, "legacy_people", &person).await.unwrap();
        let job = db.global_context(User::admin("ada")).dangerously_bypass_permissions("release 4");
        let reports = into_tenants().run(&job).await.unwrap();
        assert_eq!((reports[0].written, reports[0].rewritten, reports[0].complete), (1, 3, true));
        assert_eq!((reports[1].written, reports[1].failed.len(), reports[1].complete), (2, 1, false));
        assert_eq!(reports[1].failed[0].id(), Some("030303030303030303030303"));
        let ctx = db.context(TenantId::new("acme").unwrap(), User::admin("ada"));
        let read = Conversation::query(&ctx).sort(|c| c.id.asc()).await.unwrap();
        let told: Vec<_> = read.iter().map(|c| (c.title.as_str(), c.temperature, c.created_at.to_rfc3339())).collect();
        assert_eq!(told, [
            ("New chat", Some(0.7), "2023-05-01T00:00:00+00:00".to_owned()),
            ("Old name", None, "2023-05-02T00:00:00+00:00".to_owned()),
        ]);
        let user = format!("usr_{}", ObjectId::from_bytes(PERSON).to_hex());
        assert!(read.iter().all(|conversation| conversation.user == user));
    }
}
