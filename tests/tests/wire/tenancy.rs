//! Contract C 8: the tenant in every command to a tenant model's collection.

use bson::{Bson, Document, doc};
use model_core::Db;
use model_tests::events::SentCommand;

/// What the library keeps for itself: keys, ledgers, heads of chains.
const OWN: &str = "__model_";
/// Written for every tenant model, each entry with the tenant.
const AUDIT_LOG: &str = "audit_log";
/// The head of each tenant's chain of entries, whose id is the tenant.
const AUDIT_CHAIN: &str = "audit_chain";

/// The field that holds the tenant in the documents of a collection; none in those of the library's own.
pub(crate) fn tenant_field(db: &Db, collection: &str) -> Option<&'static str> {
    match collection {
        AUDIT_LOG => return Some("tenant"),
        AUDIT_CHAIN => return Some("_id"),
        _ => {}
    }
    let model = db.models().iter().find(|model| model.collection == collection);
    let field = model.and_then(|model| model.tenant_field());
    assert!(
        field.is_some() || collection.starts_with(OWN),
        "{collection} is a collection that no tenant model has"
    );
    field
}

/// The tenant's equality, alone, at the top level of every filter; the tenant in every document, and in no update. Whether
/// the command went to documents of a tenant at all.
pub(crate) fn carries_the_tenant(db: &Db, command: &SentCommand, tenant: &str) -> bool {
    let SentCommand { name, body } = command;
    // Cursors go on where a checked command began them; the ends of transactions are about no collection.
    if ["getMore", "killCursors", "commitTransaction", "abortTransaction"].contains(&name.as_str()) {
        return false;
    }
    let collection = body.get_str(name).unwrap();
    let Some(field) = tenant_field(db, collection) else {
        return false;
    };
    let rule = Rule {
        db,
        name,
        field,
        tenant,
    };
    let documents = |key: &str| {
        body.get_array(key)
            .unwrap()
            .iter()
            .map(|value| value.as_document().unwrap())
    };
    match name.as_str() {
        "find" => rule.holds(body.get_document("filter").unwrap()),
        "update" => documents("updates").for_each(|one| {
            rule.holds(one.get_document("q").unwrap());
            rule.leaves(one.get_document("u").unwrap());
            assert!(!one.get_bool("multi").unwrap_or(false) && !one.get_bool("upsert").unwrap_or(false));
        }),
        "delete" => documents("deletes").for_each(|one| {
            rule.holds(one.get_document("q").unwrap());
            assert_eq!(one.get_i32("limit").unwrap(), 1);
        }),
        "aggregate" => rule.begins(body.get_array("pipeline").unwrap()),
        "insert" => documents("documents").for_each(|one| assert_eq!(one.get_str(field).unwrap(), tenant)),
        other => panic!("{other} is a command that this test does not know"),
    }
    true
}

struct Rule<'a> {
    db: &'a Db,
    name: &'a str,
    field: &'static str,
    tenant: &'a str,
}

impl Rule<'_> {
    /// A filter has the tenant's equality, once, among nothing that could widen it.
    fn holds(&self, filter: &Document) {
        let Self {
            name, field, tenant, ..
        } = *self;
        // An id is selected as it is: never by an operator.
        let equality: Bson = match field {
            "_id" => tenant.into(),
            _ => doc! { "$eq": tenant }.into(),
        };
        assert_eq!(filter.get(field), Some(&equality), "{name}: {filter}");
        let allowed = ["_id", "id", field, "_rev", "$and"];
        assert!(
            filter.keys().all(|key| allowed.contains(&key.as_str())),
            "{name}: {filter}"
        );
        let raw = bson::RawDocumentBuf::try_from(filter).unwrap();
        let named = raw.iter().filter(|entry| entry.as_ref().unwrap().0 == field);
        assert_eq!(named.count(), 1, "{name}: {filter}");
    }

    /// An update leaves the tenant as it is.
    fn leaves(&self, update: &Document) {
        for (operator, fields) in update {
            assert!(["$set", "$unset"].contains(&operator.as_str()), "{update}");
            assert!(
                !fields.as_document().unwrap().contains_key(self.field),
                "{update}"
            );
        }
    }

    /// A pipeline begins with such a filter, and what it reads of other collections does too.
    fn begins(&self, stages: &[Bson]) {
        let mut stages = stages;
        // An index over vectors filters by the tenant, and what it finds is selected once more.
        if let Ok(search) = stages[0].as_document().unwrap().get_document("$vectorSearch") {
            self.holds(search.get_document("filter").unwrap());
            stages = &stages[1..];
        }
        let first = stages[0].as_document().unwrap();
        if first.contains_key("$changeStream") {
            return self.tells(&stages[1..]);
        }
        assert_eq!(first.keys().collect::<Vec<_>>(), ["$match"]);
        self.holds(first.get_document("$match").unwrap());
        stages
            .iter()
            .for_each(|stage| self.stays(stage.as_document().unwrap()));
    }

    /// Of what happens, only that is told which is about a document that had the tenant before or has it after.
    fn tells(&self, stages: &[Bson]) {
        let Self { field, tenant, .. } = *self;
        let side = |side: &str| doc! { format!("{side}.{field}"): { "$eq": tenant } };
        let sides = doc! { "$or": [side("fullDocument"), side("fullDocumentBeforeChange")] };
        assert_eq!(stages[0].as_document().unwrap(), &doc! { "$match": sides });
        for stage in &stages[1..] {
            let names: Vec<_> = stage.as_document().unwrap().keys().collect();
            assert!(names == ["$match"] || names == ["$project"], "{names:?}");
        }
    }

    fn stays(&self, stage: &Document) {
        for (operator, body) in stage {
            match operator.as_str() {
                "$lookup" => {
                    let body = body.as_document().unwrap();
                    let field = tenant_field(self.db, body.get_str("from").unwrap());
                    let other = Self {
                        field: field.unwrap(),
                        ..*self
                    };
                    other.begins(body.get_array("pipeline").unwrap());
                }
                "$graphLookup" => {
                    let body = body.as_document().unwrap();
                    self.holds(body.get_document("restrictSearchWithMatch").unwrap());
                }
                "$facet" => {
                    let branches = body.as_document().unwrap().iter();
                    let stages = branches.flat_map(|(_, stages)| stages.as_array().unwrap());
                    stages.for_each(|stage| self.stays(stage.as_document().unwrap()));
                }
                "$unionWith" | "$merge" | "$out" => panic!("{stage}"),
                _ => {}
            }
        }
    }
}
