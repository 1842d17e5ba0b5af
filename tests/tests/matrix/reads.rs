//! Every read.

use std::collections::BTreeSet;

use bson::doc;
use futures_util::TryStreamExt;
use model_core::prelude::*;
use model_core::query::Join;
use model_core::{Joined, ModelExt};

use super::ID;
use super::model::{CANARY, Ctx, Full, START, Stage, leaks, new_full};

/// Some of a document.
#[derive(Projection)]
#[projection(of = Full)]
pub(crate) struct Key {
    pub(crate) key: String,
    score: i64,
    token: Option<Encrypted<String>>,
    password: Option<PasswordHash>,
}

/// A row of a group.
#[derive(Clone, Embedded)]
pub(crate) struct Keys {
    pub(crate) key: String,
    pub(crate) count: i64,
}

/// The keys of the documents that a read let through; for a count, as many made-up ones.
type Seen = BTreeSet<String>;

macro_rules! reads {
    ($($variant:ident $verb:literal $shape:ident => |$ctx:ident, $ids:ident| $body:expr;)*) => {
        /// A public verb that reads.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Read { $($variant),* }

        impl Read {
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),*];

            /// The verb's name, as `complete` finds it in the source.
            pub(crate) fn verb(self) -> &'static str {
                match self { $(Self::$variant => $verb),* }
            }

            fn shape(self) -> Shape {
                match self { $(Self::$variant => Shape::$shape),* }
            }

            /// Reads all that it can, given the ids of all documents that there are.
            async fn run(self, ctx: &Ctx, ids: &[Id<Full>]) -> Result<Seen> {
                match self {
                    $(Self::$variant => {
                        let ($ctx, $ids) = (ctx, ids);
                        $body
                    })*
                }
            }
        }
    };
}

/// What a read tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// The documents.
    All,
    /// One of them.
    One,
    /// How many.
    Count,
}

/// Whatever verb gave them: they show no secret, neither in their views nor printed.
fn keys(ctx: &Ctx, documents: impl IntoIterator<Item = Full>) -> Seen {
    let judged = documents.into_iter().map(|one| {
        let (key, printed) = (one.key.clone(), format!("{one:?} {one:#?}"));
        assert!(
            one.token.is_some() == (key != "old"),
            "there is something to hide"
        );
        hides(&printed, &one.into_view(ctx));
        key
    });
    judged.collect()
}

/// The same of projections.
fn lines(ctx: &Ctx, lines: impl IntoIterator<Item = Key>) -> Seen {
    let judged = lines.into_iter().map(|one| {
        let key = one.key.clone();
        assert!(one.token.is_some() == (key != "old") && one.score == 1);
        assert!(one.password.is_some() == one.token.is_some());
        let printed = format!("{one:?} {one:#?}");
        hides(&printed, &one.into_view(ctx));
        key
    });
    judged.collect()
}

fn hides(printed: &str, view: &impl serde::Serialize) {
    let json = serde_json::to_value(view).unwrap();
    assert!(
        !printed.contains(CANARY) && !json.to_string().contains(CANARY),
        "{printed} {json}"
    );
    for key in ["token", "password", "score", "_rev", "_sv"] {
        assert!(json.get(key).is_none(), "{key}: {json}");
    }
    assert!(!printed.contains("score: 1"), "{printed}");
}

fn counted(count: u64) -> Seen {
    (0..count).map(|i| i.to_string()).collect()
}

/// All are joined with all: what comes along is judged as what it comes with.
fn joined(ctx: &Ctx, found: impl IntoIterator<Item = Joined<Key, Key>>) -> Seen {
    let (items, joined): (Vec<_>, Vec<_>) = found.into_iter().map(|one| (one.item, one.joined)).unzip();
    let items = lines(ctx, items);
    for joined in joined {
        assert_eq!(lines(ctx, joined), items);
    }
    items
}

reads! {
    Get "get" All => |ctx, ids| {
        let mut seen = Seen::new();
        for id in ids {
            seen.extend(keys(ctx, Full::get(ctx, id).await?));
        }
        Ok(seen)
    };
    Fetch "fetch" All => |ctx, ids| {
        let mut seen = Seen::new();
        for id in ids {
            match Full::fetch(ctx, id).await {
                Ok(one) => seen.extend(keys(ctx, [one])),
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(seen)
    };
    Query "query" All => |ctx, _ids| Full::query(ctx).await.map(|all| keys(ctx, all));
    Stream "Query::stream" All => |ctx, _ids| Full::query(ctx).stream().try_collect::<Vec<_>>().await.map(|all| keys(ctx, all));
    GetBy "get_by" All => |ctx, _ids| {
        let mut seen = Seen::new();
        for key in ["mine", "theirs", "scope", "unread", "gone", "old"] {
            seen.extend(keys(ctx, Full::get_by(ctx, |f| f.key.eq(key)).await?));
        }
        Ok(seen)
    };
    GetMany "get_many" All => |ctx, ids| Full::get_many(ctx, ids).await.map(|all| keys(ctx, all));
    Populate "populate" All => |ctx, ids| Full::populate(ctx, ids, |id| id).await.map(|all| keys(ctx, all.into_documents()));
    Related "related" All => |ctx, ids| {
        let counts = Full::related(ctx, ids, |f| &f.parent).count().await?;
        let all = Full::related(ctx, ids, |f| &f.parent).sort(|f| f.key.asc()).limit_each(1).await?;
        assert!(ids.iter().all(|id| counts.of(id) == all.of(id).len() as u64));
        Ok(keys(ctx, all.into_documents()))
    };
    Subtree "subtree" All => |ctx, ids| {
        let mut seen = Seen::new();
        for id in ids {
            seen.extend(Full::subtree(ctx, id, |f| &f.parent).await?.into_iter().flat_map(|tree| keys(ctx, tree.into_documents())));
        }
        Ok(seen)
    };
    Explain "explain" All => |ctx, ids| {
        let mut seen = Seen::new();
        for id in ids {
            if Full::explain(ctx, id).await? == model_core::Access::Granted {
                seen.extend(keys(ctx, Full::get(ctx, id).await?));
            }
        }
        Ok(seen)
    };
    Page "Query::page" All => |ctx, _ids| {
        let (mut seen, mut after) = (Seen::new(), None);
        loop {
            let page = Full::query(ctx).sort(|f| f.name.desc()).page(1, after.as_deref()).await?;
            seen.extend(keys(ctx, page.items));
            match page.next {
                Some(next) => after = Some(next.to_string()),
                None => return Ok(seen),
            }
        }
    };
    Results "Query::results" All => |ctx, _ids| {
        let all = Full::query(ctx).results().await?;
        all.into_iter().collect::<Result<Vec<_>>>().map(|all| keys(ctx, all))
    };
    ResultsStream "Results::stream" All => |ctx, _ids| {
        let all: Vec<_> = Full::query(ctx).results().stream().try_collect().await?;
        all.into_iter().collect::<Result<Vec<_>>>().map(|all| keys(ctx, all))
    };
    ResultsPage "Results::page" All => |ctx, _ids| {
        let page = Full::query(ctx).sort(|f| f.name.desc()).results().page(9, None).await?;
        page.items.into_iter().collect::<Result<Vec<_>>>().map(|all| keys(ctx, all))
    };
    Distinct "Query::distinct" All => |ctx, _ids|
        Full::query(ctx).distinct(|f| &f.key).await.map(|keys| keys.into_iter().collect());
    Select "Query::select" All => |ctx, _ids|
        Full::query(ctx).select::<Key>().await.map(|all| lines(ctx, all));
    SelectStream "Select::stream" All => |ctx, _ids|
        Full::query(ctx).select::<Key>().stream().try_collect::<Vec<_>>().await.map(|all| lines(ctx, all));
    SelectPage "Select::page" All => |ctx, _ids|
        Full::query(ctx).select::<Key>().page(9, None).await.map(|page| lines(ctx, page.items));
    SelectFirst "Select::first" One => |ctx, _ids|
        Full::query(ctx).sort(|f| f.key.asc()).select::<Key>().first().await.map(|one| lines(ctx, one));
    SelectCount "Select::count" Count => |ctx, _ids| Full::query(ctx).select::<Key>().count().await.map(counted);
    SelectExists "Select::exists" All => |ctx, _ids| {
        let mut seen = Seen::new();
        for key in ["mine", "theirs", "scope", "unread", "gone", "old"] {
            if Full::query(ctx).filter(|f| f.key.eq(key)).select::<Key>().exists().await? {
                seen.insert(key.to_owned());
            }
        }
        Ok(seen)
    };
    Lookup "Select::lookup" All => |ctx, _ids| {
        let query = Full::query(ctx).select::<Key>();
        Ok(joined(ctx, query.lookup::<Key>(|f, other| Join::on(&f.closed, &other.closed)).await?))
    };
    LookupStream "LookupQuery::stream" All => |ctx, _ids| {
        let lookup = Full::query(ctx).select::<Key>().lookup::<Key>(|f, other| Join::on(&f.closed, &other.closed));
        Ok(joined(ctx, lookup.stream().try_collect::<Vec<_>>().await?))
    };
    LookupFirst "LookupQuery::first" One => |ctx, _ids| {
        let query = Full::query(ctx).sort(|f| f.key.asc()).select::<Key>();
        Ok(joined(ctx, query.lookup::<Key>(|f, other| Join::on(&f.key, &other.key)).first().await?))
    };
    Facet "Query::facet" All => |ctx, _ids| {
        let query = Full::query(ctx);
        let (rows, some, count) = query
            .facet(|facet| {
                let rows = facet.group::<Keys>(|f, row| model_core::query::Group::by(&row.key, &f.key).count(&row.count));
                (rows, facet.select::<Key>(), facet.count())
            })
            .await?;
        let seen: Seen = rows.into_iter().map(|row| row.key).collect();
        assert_eq!(seen, lines(ctx, some));
        assert_eq!(seen.len() as u64, count);
        Ok(seen)
    };
    Group "Query::group" All => |ctx, _ids| {
        let rows = Full::query(ctx).group::<Keys>(|f, row| model_core::query::Group::by(&row.key, &f.key).count(&row.count)).await?;
        assert!(rows.iter().all(|row| row.count == 1));
        Ok(rows.into_iter().map(|row| row.key).collect())
    };
    First "Query::first" One => |ctx, _ids| Full::query(ctx).sort(|f| f.key.asc()).first().await.map(|all| keys(ctx, all));
    Search "Query::search" All => |ctx, _ids| {
        let found = Full::query(ctx).search("mine theirs scope unread gone old").await?;
        assert!(found.iter().all(|found| found.score > 0.0));
        Ok(keys(ctx, found.into_iter().map(|found| found.item)))
    };
    SearchStream "Search::stream" All => |ctx, _ids| {
        let found: Vec<_> = Full::query(ctx).search("mine theirs scope unread gone old").stream().try_collect().await?;
        Ok(keys(ctx, found.into_iter().map(|found| found.item)))
    };
    SearchFirst "Search::first" One => |ctx, _ids| {
        let search = Full::query(ctx).sort(|f| f.key.asc()).search("mine theirs scope unread gone old");
        Ok(keys(ctx, search.first().await?.map(|found| found.item)))
    };
    SearchDocuments "Search::documents" All => |ctx, _ids| {
        let search = Full::query(ctx).search("mine theirs scope unread gone old");
        search.documents().select::<Key>().await.map(|all| lines(ctx, all))
    };
    Nearest "Query::nearest" All => |ctx, _ids| {
        let found = Full::query(ctx).nearest(|f| &f.embedding, &[1.0, 0.1].try_into()?, 2).await?;
        Ok(keys(ctx, found.into_iter().map(|found| found.item)))
    };
    Count "Query::count" Count => |ctx, _ids| Full::query(ctx).count().await.map(counted);
    Exists "Query::exists" All => |ctx, _ids| {
        let mut seen = Seen::new();
        for key in ["mine", "theirs", "scope", "unread", "gone", "old"] {
            if Full::query(ctx).filter(|f| f.key.eq(key)).exists().await? {
                seen.insert(key.to_owned());
            }
        }
        Ok(seen)
    };
}

impl Full {
    /// A document that refers to itself, by its id.
    async fn generated(ctx: &Ctx, key: &str, name: &str) -> Id<Self> {
        let id = Id::generate();
        let mut new = new_full(key, name);
        new.optional.parent = Some(Ref::to(&id));
        new.optional.embedding = Some([1.0, 0.0].try_into().unwrap());
        Self::create_with_id(ctx, id, new).await.unwrap().id
    }
}

/// One document for each reason not to see it, and two to see: `mine`, and `old` of version 1.
async fn set(stage: &Stage) -> Vec<Id<Full>> {
    let mut ids = Vec::new();
    for (key, name) in [
        ("mine", "plain"),
        ("scope", "out of scope"),
        ("unread", "unreadable"),
        ("gone", "plain"),
    ] {
        ids.push(Full::generated(&stage.admin, key, name).await);
    }
    assert!(Full::delete(&stage.admin, &ids[3]).await.unwrap());
    ids.push(Full::generated(&stage.rival(), "theirs", "plain").await);
    let old = Id::<Full>::generate();
    let mut raw = doc! {
            "_id": old.to_bson(), "organization": "acme", "title": "older", "key": "old", "tags": [], "closed": false,
            "score": 1_i64, "parent": old.to_bson(), "embedding": [0.5, 0.5], "created_at": bson::DateTime::parse_rfc3339_str(START).unwrap(),
            "updated_at": bson::DateTime::parse_rfc3339_str(START).unwrap(),
    };
    raw.insert(ID, old.to_bson());
    stage.store_raw(&raw).await;
    ids.push(old);
    ids
}

/// Tenant, scope, `can_read`, soft delete and migration, inside of a transaction as outside; `keys` and `lines` look at
/// what is let through for secrets.
#[tokio::test]
async fn each_read_sees_what_it_may() {
    for stage in Stage::both().await {
        let ids = &set(&stage).await;
        for read in Read::ALL {
            let expected: Seen = match read.shape() {
                Shape::All => ["mine", "old"].map(str::to_owned).into(),
                Shape::One => ["mine".to_owned()].into(),
                Shape::Count => counted(2),
            };
            assert_eq!(read.run(&stage.admin, ids).await.unwrap(), expected, "{read:?}");
            let work = |tx: Ctx| async move { read.run(&tx, ids).await };
            assert_eq!(stage.admin.transaction(work).await.unwrap(), expected, "{read:?}");
            let theirs: Seen = match read.shape() {
                Shape::Count => counted(1),
                _ => ["theirs".to_owned()].into(),
            };
            assert_eq!(read.run(&stage.rival(), ids).await.unwrap(), theirs, "{read:?}");
            let nobody = stage.acme(false, true);
            assert!(read.run(&nobody, ids).await.unwrap().is_empty(), "{read:?}");
            let other = stage
                .db
                .context(TenantId::new("initech").unwrap(), stage.admin.actor().clone());
            assert!(read.run(&other, ids).await.unwrap().is_empty(), "{read:?}");
        }
    }
}

/// Rows are not of the model: they hold what they were asked for, and nothing that is sealed.
#[tokio::test]
async fn redaction_of_rows() {
    for stage in Stage::both().await {
        set(&stage).await;
        let rows = Full::query(&stage.admin)
            .group::<Keys>(|f, row| model_core::query::Group::by(&row.key, &f.key).count(&row.count))
            .await
            .unwrap();
        assert_eq!(rows.len(), 2);
        let printed = rows.iter().map(|row| format!("{} {}", row.key, row.count));
        assert!(!printed.collect::<String>().contains(CANARY));
        assert!(!stage.stored().await.iter().any(leaks));
    }
}
