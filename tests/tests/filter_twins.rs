//! A filter selects the same documents in memory and on the server, whatever is stored; a sort order gives the same
//! order. Through the public API: handles make the filters, the two stores count and list.
//!
//! `MODEL_TEST_SIZE=full` runs more than 100,000 pairs of a document and a filter; `MODEL_TEST_SEED` sets the seed.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

#[path = "filter_twins/generate.rs"]
mod generate;
#[path = "filter_twins/models.rs"]
mod models;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bson::{Bson, Document, Regex, doc};
use model_core::prelude::*;
use model_core::{Model, testing};

use crate::generate::{Generator, Operator, document, filter, loose};
use crate::models::{Loose, Nobody, Typed};

/// How many documents stand in a collection together. Few, so that two mistakes in one count are unlikely to cancel.
const DOCUMENTS: usize = 12;
/// How many filters are asked about one collection.
const FILTERS: usize = 30;

fn rounds() -> usize {
    let full = std::env::var("MODEL_TEST_SIZE").is_ok_and(|size| size == "full");
    if full { 300 } else { 15 }
}

fn seed() -> u64 {
    std::env::var("MODEL_TEST_SEED").map_or(20_260_301, |seed| seed.parse().unwrap())
}

/// Two handles that are to answer alike.
struct Twins {
    memory: Context<Nobody>,
    mongo: Context<Nobody>,
    handles: [Db; 2],
}

impl Twins {
    async fn new(documents: &[Document]) -> Self {
        Self::over("shapes", documents).await
    }

    async fn over(collection: &'static str, documents: &[Document]) -> Self {
        let memory = Db::memory()
            .model::<Typed>()
            .model::<Loose>()
            .build()
            .await
            .unwrap();
        let database = model_tests::server::fresh_database().await;
        let mongo = Db::mongo(database)
            .model::<Typed>()
            .model::<Loose>()
            .build()
            .await
            .unwrap();
        let twins = Self {
            memory: memory.context(TenantId::new("acme").unwrap(), Nobody),
            mongo: mongo.context(TenantId::new("acme").unwrap(), Nobody),
            handles: [memory, mongo],
        };
        twins.store(collection, documents).await;
        twins
    }

    async fn store(&self, collection: &'static str, documents: &[Document]) {
        for db in &self.handles {
            for document in documents {
                testing::store_raw(db, collection, document).await.unwrap();
            }
        }
    }

    /// The two counts.
    async fn count(&self, filter: &Filter<Typed>) -> [Result<u64, ErrorKind>; 2] {
        let count = async |ctx| {
            let count = Typed::query(ctx).matching(filter.clone()).count().await;
            count.map_err(|error| error.kind())
        };
        [count(&self.memory).await, count(&self.mongo).await]
    }
}

fn documents(g: &mut Generator, count: usize) -> Vec<Document> {
    (0..count)
        .map(|number| document(g, &format!("d{number:03}")))
        .collect()
}

/// Counts by typed handles. A difference is reported with the one document that makes it.
#[tokio::test]
async fn the_stores_count_alike() {
    let mut g = Generator::new(seed());
    let (mut pairs, mut hits) = (0, 0);
    for round in 0..rounds() {
        let all = documents(&mut g, DOCUMENTS);
        let twins = Twins::new(&all).await;
        for _ in 0..FILTERS {
            g.told.clear();
            let filter = filter(&mut g, 2);
            let [memory, mongo] = twins.count(&filter).await;
            pairs += DOCUMENTS;
            hits += *memory.as_ref().unwrap_or(&0);
            if memory != mongo {
                let culprits = culprits(&twins, &filter, &all).await;
                panic!(
                    "round {round}, seed {}: memory {memory:?}, MongoDB {mongo:?}\n{filter:?}\n{}\n{culprits:#?}",
                    seed(),
                    g.told
                );
            }
        }
    }
    println!("{pairs} pairs, {hits} matches");
    assert!(
        hits * 20 > u64::try_from(pairs).unwrap(),
        "too few matches to say much: {hits} of {pairs}"
    );
    let unused: Vec<_> = Operator::ALL
        .iter()
        .filter(|operator| !g.used.contains(operator))
        .collect();
    assert!(unused.is_empty(), "no filter has {unused:?}");
}

/// The documents about which the stores differ, and what each says.
async fn culprits(twins: &Twins, filter: &Filter<Typed>, all: &[Document]) -> Vec<String> {
    let mut found = Vec::new();
    for document in all {
        let id: Id<Typed> = Id::parse(document.get_str("_id").unwrap()).unwrap();
        let only = filter.clone() & Typed::filter(|t| t.id.eq(id));
        let [memory, mongo] = twins.count(&only).await;
        if memory != mongo {
            found.push(format!("memory {memory:?}, MongoDB {mongo:?}: {document}"));
        }
    }
    found
}

/// Lists by dynamic handles, in the order asked for; what one store cannot sort, the other cannot either.
#[tokio::test]
async fn the_stores_list_alike() {
    let mut g = Generator::new(seed() + 1);
    let mut sorted = 0;
    for round in 0..rounds().div_ceil(3) {
        let all = documents(&mut g, 40);
        let twins = Twins::over("loose", &all).await;
        for _ in 0..FILTERS {
            g.told.clear();
            // A sort order is used up by a query: the same choices make it again.
            let (_, again) = loose(&mut g.clone(), Loose::fields());
            let (filter, sort) = loose(&mut g, Loose::fields());
            let ids = async |ctx, sort| {
                let found = Loose::query(ctx).matching(filter.clone()).sort(|_| sort).await;
                found
                    .map(|found| found.iter().map(|one| one.id.to_string()).collect::<Vec<_>>())
                    .map_err(|_| ())
            };
            let (memory, mongo) = (ids(&twins.memory, sort).await, ids(&twins.mongo, again).await);
            sorted += usize::from(memory.is_ok());
            assert_eq!(
                memory,
                mongo,
                "round {round}, seed {}: {filter:?} {}\n{all:#?}",
                seed(),
                g.told
            );
        }
    }
    assert!(sorted > rounds() * 5, "too few orders to say much: {sorted}");
}

/// The generator has a case for every operator: a method of `Field` that makes a filter stands in its list.
#[test]
fn every_operator_is_generated() {
    const OTHERS: [&str; 6] = ["new", "below", "path", "asc", "desc", "lookup"];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model-core/src/query");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let source = ["field.rs", "text.rs", "element.rs"].map(read).concat();
    let methods: BTreeSet<&str> = source
        .split("pub ")
        .filter_map(|rest| rest.strip_prefix("const ").unwrap_or(rest).strip_prefix("fn "))
        .filter_map(|rest| rest.split(['(', '<']).next())
        .filter(|name| !OTHERS.contains(name))
        .collect();
    let generated: BTreeSet<&str> = Operator::ALL.iter().map(|operator| operator.method()).collect();
    assert_eq!(
        methods, generated,
        "methods of `Field`, and operators of the generator"
    );
}

/// The table of operators itself: every `Test` of `query/filter.rs` is made by some method.
#[test]
fn every_test_of_the_table_is_made_by_a_method() {
    let read = |file: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../model-core/src/query")
            .join(file);
        fs::read_to_string(path).unwrap()
    };
    let (filter, field) = (
        read("filter.rs"),
        ["field.rs", "text.rs", "element.rs"].map(read).concat(),
    );
    let table = filter
        .split("enum Test {")
        .nth(1)
        .unwrap()
        .split('}')
        .next()
        .unwrap();
    let names: Vec<_> = table
        .lines()
        .filter_map(|line| line.trim().split(['(', ',']).next())
        // A secret becomes tokens, and so `Test::In`, before any store sees it.
        .filter(|name| !name.is_empty() && !name.starts_with("//") && *name != "Blind")
        .collect();
    assert!(names.len() >= 13, "{names:?}");
    for name in names {
        assert!(
            field.contains(&format!("Test::{name}(")),
            "no method makes `Test::{name}`"
        );
    }
}

fn with(key: &str, value: impl Into<Bson>, id: &str) -> Document {
    doc! { "_id": id, "organization": "acme", key: value.into() }
}

async fn alike(twins: &Twins, name: &str, filter: Filter<Typed>, expected: u64) {
    assert_eq!(
        twins.count(&filter).await,
        [Ok(expected), Ok(expected)],
        "{name}: memory, MongoDB"
    );
}

/// The longest text that a search whatever the case takes, of what its expression is largest for, and one that is longer.
#[tokio::test]
async fn a_text_whatever_the_case_has_its_limit() {
    for letter in ["a", "é", "ǆ", "я", "."] {
        let longest = letter.repeat(1_024 / letter.len());
        let stored = longest.to_uppercase();
        let twins = Twins::new(&[
            with("text", stored.as_str(), "one"),
            with("text", format!("x{stored}"), "two"),
        ])
        .await;
        alike(
            &twins,
            "eq",
            Typed::filter(|t| t.text.eq_ignore_case(&*longest)),
            1,
        )
        .await;
        alike(
            &twins,
            "starts_with",
            Typed::filter(|t| t.text.starts_with_ignore_case(&*longest)),
            1,
        )
        .await;
        alike(
            &twins,
            "contains",
            Typed::filter(|t| t.text.contains_ignore_case(&*longest)),
            2,
        )
        .await;
        let longer = format!("{longest}{letter}");
        alike(
            &twins,
            "longer",
            Typed::filter(|t| t.text.contains_ignore_case(&*longer)),
            0,
        )
        .await;
        alike(
            &twins,
            "not longer",
            !Typed::filter(|t| t.text.contains_ignore_case(&*longer)),
            2,
        )
        .await;
    }
    let texts = [
        "Straße",
        "STRASSE",
        "İstanbul",
        "istanbul",
        "σας",
        "ΣΑΣ",
        "a.C",
        "abc",
    ];
    let texts: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| with("text", *text, &format!("{n}")))
        .collect();
    let twins = Twins::new(&texts).await;
    for (asked, expected) in [
        ("straße", 1),
        ("strasse", 1),
        ("İSTANBUL", 1),
        ("ISTANBUL", 1),
        ("σασ", 1),
        ("A.c", 1),
        ("*", 0),
    ] {
        alike(
            &twins,
            asked,
            Typed::filter(|t| t.text.eq_ignore_case(asked)),
            expected,
        )
        .await;
    }
}

/// One element has to satisfy all of it; conditions of one kind do not take each other's place.
#[tokio::test]
async fn one_element_satisfies_all_of_it() {
    let ints = |id: &str, ints: Vec<i32>| doc! { "_id": id, "organization": "acme", "ints": ints };
    let texts = doc! { "_id": "texts", "organization": "acme", "texts": ["ab", "bc"] };
    let twins = Twins::new(&[
        ints("each", vec![1, 9]),
        ints("one", vec![1, 4, 9]),
        ints("none", vec![]),
        texts,
    ])
    .await;
    alike(
        &twins,
        "either",
        Typed::filter(|t| t.ints.gte(3) & t.ints.lt(5)),
        2,
    )
    .await;
    alike(
        &twins,
        "one",
        Typed::filter(|t| t.ints.any(|n| n.gte(3) & n.lt(5))),
        1,
    )
    .await;
    alike(
        &twins,
        "twice",
        Typed::filter(|t| t.ints.any(|n| n.ne(1) & n.ne(9))),
        1,
    )
    .await;
    alike(
        &twins,
        "or",
        Typed::filter(|t| t.ints.any(|n| (n.eq(1) | n.eq(4)) & n.gt(2))),
        1,
    )
    .await;
    alike(&twins, "not", Typed::filter(|t| !t.ints.any(|n| !n.eq(9))), 2).await;
    let pattern = Typed::filter(|t| t.texts.any(|s| s.starts_with("a") & s.ends_with("c")));
    alike(&twins, "patterns", pattern, 0).await;
    let pattern = Typed::filter(|t| {
        t.texts
            .any(|s| s.starts_with("a") & s.ends_with("b") & s.contains_ignore_case("A"))
    });
    alike(&twins, "patterns", pattern, 1).await;
}

/// A number above what BSON holds is above every stored number, and equal to none; it is not null.
#[tokio::test]
async fn an_operand_that_bson_does_not_hold_is_not_null() {
    let twins = Twins::new(&[
        with("big", 5_i64, "one"),
        with("big", Bson::Null, "two"),
        doc! { "_id": "three", "organization": "acme" },
    ])
    .await;
    let most = u64::MAX;
    alike(&twins, "eq", Typed::filter(|t| t.big.eq(most)), 0).await;
    alike(&twins, "in", Typed::filter(|t| t.big.in_([most])), 0).await;
    alike(&twins, "ne", Typed::filter(|t| t.big.ne(most)), 3).await;
    alike(&twins, "lt", Typed::filter(|t| t.big.lt(most)), 1).await;
    alike(&twins, "lte", Typed::filter(|t| t.big.lte(most)), 1).await;
    alike(&twins, "gt", Typed::filter(|t| t.big.gt(most)), 0).await;
    alike(&twins, "gte", Typed::filter(|t| t.big.gte(most)), 0).await;
}

/// A prefix is a string like any other: with a NUL in it too.
#[tokio::test]
async fn a_prefix_with_a_nul_is_a_prefix() {
    let twins = Twins::new(&[with("text", "z\0q", "one"), with("text", "zq", "two")]).await;
    let [memory, mongo] = twins.count(&Typed::filter(|t| t.text.starts_with("z\0"))).await;
    assert_eq!(memory, mongo, "memory, MongoDB");
}

/// Contract D 17: operators from outside cannot enter. A value given to a dynamic field is a value, even if it looks
/// like a pattern or an operator.
#[tokio::test]
async fn an_operand_is_no_operator() {
    let pattern = Bson::RegularExpression(Regex {
        pattern: "^a".try_into().unwrap(),
        options: "".try_into().unwrap(),
    });
    let operator: Bson = doc! { "$gt": "" }.into();
    let elem_match: Bson = doc! { "$elemMatch": { "$exists": true } }.into();
    let twins = Twins::new(&[
        doc! { "_id": "one", "organization": "acme", "any": "abc", "anys": ["abc"] },
        doc! { "_id": "two", "organization": "acme", "any": ["abc"], "anys": [["abc"], { "a": 1 }] },
    ])
    .await;
    let mut wrong = Vec::new();
    for (name, value) in [
        ("pattern", pattern),
        ("operator", operator),
        ("elemMatch", elem_match),
    ] {
        let v = || value.clone();
        for (operator, filter, expected) in [
            ("eq", Typed::filter(|t| t.any.eq(v())), 0),
            ("ne", Typed::filter(|t| t.any.ne(v())), 2),
            ("gt", Typed::filter(|t| t.any.gt(v())), 0),
            ("in_", Typed::filter(|t| t.any.in_([v()])), 0),
            ("not_in", Typed::filter(|t| t.any.not_in([v()])), 2),
            ("all", Typed::filter(|t| t.anys.all([v()])), 0),
            ("all of two", Typed::filter(|t| t.anys.all([v(), v()])), 0),
        ] {
            let counts = twins.count(&filter).await;
            // A refusal is as good, if both refuse.
            if counts != [Ok(expected), Ok(expected)] && !counts.iter().all(Result::is_err) {
                wrong.push(format!(
                    "{operator} {name}: memory, MongoDB {counts:?}, expected {expected}"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A filter that names another tenant selects nothing, however it is combined.
#[tokio::test]
async fn another_tenant_is_not_reached() {
    let twins = Twins::new(&[
        doc! { "_id": "one", "organization": "globex" },
        with("int", 1, "two"),
    ])
    .await;
    let globex = || Typed::filter(|t| t.organization.eq(TenantId::new("globex").unwrap()));
    alike(&twins, "eq", globex(), 0).await;
    alike(&twins, "or", globex() | Filter::all(), 1).await;
    alike(&twins, "not", !globex(), 1).await;
    let ne = Typed::filter(|t| t.organization.ne(TenantId::new("acme").unwrap()));
    alike(&twins, "ne", ne, 0).await;
    let both = [TenantId::new("globex").unwrap(), TenantId::new("acme").unwrap()];
    alike(&twins, "in", Typed::filter(|t| t.organization.in_(&both)), 1).await;
}
