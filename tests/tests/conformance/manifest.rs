//! The manifest: the same text for the same models, a diff that says what changed, a check that says what stored
//! documents need.

use model_core::prelude::*;
use model_core::{Manifest, Model, testing};

use crate::harness::Stage;
use crate::models::{Ctx, User, open_policy};

/// One release of the same model: its attributes, its fields, what lies inside.
macro_rules! release {
    ($name:ident [$($attributes:tt)*] { $($fields:tt)* } { $($inner:tt)* } [$($variants:tt)*]) => {
        mod $name {
            use super::*;

            #[derive(Clone, Embedded)]
            pub(super) struct Inner { $($inner)* }

            #[derive(Clone, Embedded)]
            #[model(rename_all = "lowercase")]
            pub(super) enum Kind { $($variants)* }

            #[derive(Clone, Model)]
            #[model($($attributes)*)]
            pub(super) struct Thing {
                #[model(id)]
                id: Id<Thing>,
                #[model(tenant)]
                org: TenantId,
                inner: Inner,
                kind: Kind,
                many: Vec<Inner>,
                $($fields)*
            }

            impl BaseModel for Thing {
                type Actor = User;

                open_policy!(Self, Ctx);
            }

            pub(super) async fn manifest() -> Manifest {
                let builder = Stage::memory().builder().keys(testing::keyring().unwrap());
                builder.model::<Thing>().build().await.unwrap().manifest()
            }
        }
    };
}

release!(first [collection = "things", audit, validator, index(name, unique)] {
    #[model(trim, len(2..=8))]
    name: String,
    note: Option<String>,
    count: i32,
    #[model(hidden)]
    token: Encrypted<String>,
} { x: i32 } [A, B { size: u32 }]);

// What stored documents do not mind.
release!(harmless [collection = "things", validator(level = "moderate"), index(name), index(count)] {
    #[model(trim, len(2..=9))]
    name: String,
    count: i64,
    #[model(hidden)]
    token: Encrypted<String>,
    more: Option<Vec<Inner>>,
} { x: i64, y: Option<i32> } [A, B { size: u32 }, C { weight: f64 }]);

// What they do.
release!(breaking [collection = "things2", id_prefix = "thg_"] {
    #[model(rename = "title")]
    name: String,
    note: String,
    count: String,
    token: String,
    fresh: bool,
} { x: Option<i32>, y: i32 } [A]);

// The same, in a version of its own.
release!(stepped [collection = "things2", id_prefix = "thg_", version = 2] {
    #[model(rename = "title")]
    name: String,
    note: String,
    count: String,
    token: String,
    fresh: bool,
} { x: Option<i32>, y: i32 } [A]);

#[tokio::test]
async fn a_manifest_is_one_line_a_fact() {
    let manifest = first::manifest().await;
    let expected = r#"{
  "Thing.audit": "thing: thing.create, thing.update, thing.delete",
  "Thing.collection": "things",
  "Thing.fields._id": {"json":"id","name":"id","required":true,"role":"Id","type":"id (object_id)"},
  "Thing.fields.count": {"name":"count","required":true,"type":"int32"},
  "Thing.fields.inner": {"name":"inner","required":true,"type":"document"},
  "Thing.fields.inner.x": {"name":"x","required":true,"type":"int32"},
  "Thing.fields.kind": {"name":"kind","required":true,"type":"enum a|b"},
  "Thing.fields.kind<b>.size": {"name":"size","required":true,"type":"uint32"},
  "Thing.fields.many": {"name":"many","required":true,"type":"[document]"},
  "Thing.fields.many[].x": {"name":"x","required":true,"type":"int32"},
  "Thing.fields.name": {"name":"name","required":true,"rules":["trim","len(2..=8)"],"type":"string"},
  "Thing.fields.note": {"name":"note","type":"string?"},
  "Thing.fields.org": {"name":"org","required":true,"role":"Tenant","type":"tenantid"},
  "Thing.fields.token": {"hidden":true,"name":"token","required":true,"type":"encrypted"},
  "Thing.id": "object_id",
  "Thing.indexes.org_1_name_1_unique": "org_1_name_1_unique { \"org\": 1, \"name\": 1 } unique: true",
  "Thing.tenancy": "tenant in org",
  "Thing.validator": "level strict, action error",
  "Thing.version": 1
}
"#;
    assert_eq!(manifest.to_string(), expected);
    let read = Manifest::parse(expected).unwrap();
    assert_eq!(read, manifest);
    let none = read.diff(&manifest);
    assert_eq!(none.to_string(), "the models are as in the manifest");
    none.check().unwrap();
    assert!(Manifest::parse("[]").unwrap_err().is_invalid());
}

// Everything that a reader of a diff would want to know of.
release!(telling [
    collection = "things", audit(outbox), soft_delete, version = 2, virtuals(loud: String)
] {
    #[model(since = 2, filterable(eq, in_), sortable)]
    name: String,
    #[model(blind_index(unique, normalize = "email", scope = "global"), pad = 64, legacy_plaintext)]
    token: Encrypted<String>,
} { x: i32 } [A, B]);

impl telling::Thing {
    fn loud(&self) -> String {
        String::new()
    }
}

#[tokio::test]
async fn a_manifest_tells_what_kind_of_thing_it_is() {
    let manifest = telling::manifest().await;
    let text = manifest.to_string();
    for line in [
        r#"  "Thing.outbox": true,"#,
        r#"  "Thing.soft_delete": true,"#,
        r#"  "Thing.virtuals": ["loud"]"#,
        r#"  "Thing.fields.name": {"filterable":"[eq, in]","name":"name","required":true,"since":2,"sortable":true,"type":"string"},"#,
        r#"  "Thing.fields.token": {"blind_index":"unique email over all tenants","legacy_plaintext":true,"name":"token","pad":64,"required":true,"type":"encrypted"},"#,
    ] {
        assert!(
            text.lines()
                .any(|shown| shown.trim_end_matches(',') == line.trim_end_matches(',')),
            "{line} in {text}"
        );
    }
    // What was deleted softly would be there again.
    let without = text.replace("  \"Thing.soft_delete\": true,\n", "");
    let error = manifest
        .diff(&Manifest::parse(&without).unwrap())
        .check()
        .unwrap_err();
    assert!(error.to_string().contains("come back"), "{error}");
}

#[tokio::test]
async fn changes_that_stored_documents_do_not_mind_pass() {
    let diff = first::manifest().await.diff(&harmless::manifest().await);
    diff.check().unwrap();
    let text = diff.to_string();
    for line in [
        r#"~ Thing.fields.count: type "int32" -> "int64""#,
        r#"~ Thing.fields.name: rules ["trim","len(2..=8)"] -> ["trim","len(2..=9)"]"#,
        r#"- Thing.fields.note: {"name":"note","type":"string?"}"#,
        r#"~ Thing.validator: "level strict, action error" -> "level moderate, action error""#,
        r#"+ Thing.fields.kind<c>.weight: {"name":"weight","required":true,"type":"double"}"#,
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} in {text}");
    }
    // A model that is new, and one that is gone, have no stored documents to mind.
    let empty = Manifest::parse("{}").unwrap();
    empty.diff(&first::manifest().await).check().unwrap();
    first::manifest().await.diff(&empty).check().unwrap();
}

#[tokio::test]
async fn changes_that_need_a_version_are_refused_without_one() {
    let before = first::manifest().await;
    let diff = before.diff(&breaking::manifest().await);
    let unmigrated: Vec<_> = diff
        .changes
        .iter()
        .filter_map(|change| Some((change.fact.as_str(), change.unmigrated?)))
        .collect();
    let expected = [
        ("Thing.collection", "the documents are in another collection"),
        ("Thing.fields.count", "stored values are of another type"),
        ("Thing.fields.fresh", "stored documents lack the field"),
        ("Thing.fields.inner.y", "stored documents lack the field"),
        ("Thing.fields.kind", "stored values are of another type"),
        ("Thing.fields.many[].y", "stored documents lack the field"),
        ("Thing.fields.note", "stored documents may lack the field"),
        ("Thing.fields.title", "the field is stored under another name now"),
        ("Thing.fields.token", "stored values are of another type"),
        ("Thing.id", "stored ids look otherwise"),
    ];
    let mut shown: Vec<_> = unmigrated
        .into_iter()
        .filter(|(fact, _)| *fact != "Thing.fields._id")
        .collect();
    shown.sort_unstable();
    assert_eq!(shown, expected);
    let error = diff.check().unwrap_err();
    assert!(
        error.is_configuration() && error.to_string().contains("Thing.fields.fresh"),
        "{error}"
    );
    before.diff(&stepped::manifest().await).check().unwrap();
    // And no way back.
    assert!(
        stepped::manifest()
            .await
            .diff(&breaking::manifest().await)
            .check()
            .is_err()
    );
}
