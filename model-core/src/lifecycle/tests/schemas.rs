//! Declarations that cannot hold.

use super::super::check_schemas;
use super::{SECRET, schema};
use crate::schema::{
    Condition, EmbeddedSchema, EnumSchema, FieldSchema, IdKind, IndexKey, IndexSpec, KeyForm, Literal,
    ModelSchema, Pattern, Relation, Rule, Tenancy, Term, TypeSchema, VariantSchema,
};

#[test]
fn declarations_that_cannot_hold_are_refused_all_at_once() {
    let refused = |model: &'static ModelSchema| check_schemas(&[model], None).unwrap_err().to_string();
    let sound = model![
        index!("email").unique(),
        index!("expires").expire_after_seconds(1),
        index!("members.role", "members.tags")
    ];
    assert!(check_schemas(&[sound], None).is_ok());
    assert!(
        check_schemas(&[sound, sound], None)
            .unwrap_err()
            .to_string()
            .contains("the collection `widgets` is taken")
    );
    let text = refused(model![
        index!("slug"),
        index!("slug").unique(),
        index!("nothing"),
        index!("token")
    ]);
    for part in [
        "another index has the same keys",
        "no field `nothing`",
        "`token` is encrypted",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert!(refused(model![index!("slug").expire_after_seconds(1)]).contains("needs a date"));
    assert!(refused(model![index!("expires", "slug").expire_after_seconds(1)]).contains("has one key"));
    assert!(
        refused(model![index!("expires").expire_after_seconds(1).unique()])
            .contains("no room for the tenant")
    );
    assert!(refused(model![index!("members.tags", "names")]).contains("two arrays"));
    assert!(refused(model![index!("slug", "organization")]).contains("the tenant goes first"));
    assert!(refused(model![index!("slug").name("_id_")]).contains("reserved"));
    assert!(refused(model![index!("_id").global()]).contains("has this index already"));
    assert!(refused(model![index!("slug", "slug")]).contains("twice"));
}

#[test]
fn forms_and_conditions_that_fit_no_value_are_refused() {
    macro_rules! key {
        ($path:literal, $form:expr) => {
            IndexSpec::new(&[IndexKey::new($path, $form)])
        };
    }
    let refused = |model: &'static ModelSchema| check_schemas(&[model], None).unwrap_err().to_string();
    let text = refused(model![
        key!("slug", KeyForm::Sphere),
        key!("slug", KeyForm::Wildcard),
        key!("names", KeyForm::Hashed),
        key!("expires", KeyForm::Text { weight: 1 }),
        index!("slug").conditions(&[Condition::new("slug", Relation::Eq, Literal::Bool(true))]),
        index!("email").conditions(&[Condition::new("token", Relation::Eq, Literal::Text("x"))]),
        index!("project").conditions(&[Condition::new("nothing", Relation::Eq, Literal::Text("x"))]),
    ]);
    for part in [
        "`slug` is no place",
        "`slug` has nothing below it",
        "`names` is or lies in an array",
        "`expires` is no text",
        "no value of `slug` compares",
        "no value of `token` compares",
        "no field `nothing`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let sound = model![
        key!("members", KeyForm::Sphere),
        index!("slug").conditions(&[Condition::new("slug", Relation::Gte, Literal::Text("a"))]),
    ];
    check_schemas(&[sound], None).unwrap();
}

#[test]
fn secrets_among_many_and_patterns_that_do_not_compile_are_refused() {
    static SEALED: TypeSchema = TypeSchema::Embedded(|| &HOLDER);
    static HOLDER: EmbeddedSchema = EmbeddedSchema::new(
        "Holder",
        &[
            FieldSchema::new("token", "token", SECRET),
            FieldSchema::new("inner", "inner", TypeSchema::Optional(&SEALED)),
        ],
    );
    static CHOICE: EnumSchema = EnumSchema::new(
        "Choice",
        "kind",
        &[VariantSchema::new(
            "a",
            &[FieldSchema::new("pass", "pass", TypeSchema::PasswordHash)],
        )],
    );
    static KEYED: TypeSchema = TypeSchema::Embedded(|| &ACCOUNT);
    static ACCOUNT: EmbeddedSchema = EmbeddedSchema::new(
        "Account",
        &[
            FieldSchema::new("id", "id", TypeSchema::String),
            FieldSchema::new("token", "token", SECRET),
        ],
    );
    static LATE: TypeSchema = TypeSchema::Embedded(|| &LATE_ID);
    static LATE_ID: EmbeddedSchema = EmbeddedSchema::new(
        "LateId",
        &[
            FieldSchema::new("token", "token", SECRET),
            FieldSchema::new("id", "id", TypeSchema::String),
        ],
    );
    static BAD: Pattern = Pattern::new("(");
    static BROKEN: [FieldSchema; 10] = [
        FieldSchema::new("keyed", "keyed", TypeSchema::Array(&KEYED)),
        FieldSchema::new("late", "late", TypeSchema::Array(&LATE)),
        FieldSchema::new("list", "list", TypeSchema::Array(&SECRET)),
        FieldSchema::new("digests", "digests", TypeSchema::Map(&TypeSchema::TokenDigest)),
        FieldSchema::new("bytes", "bytes", TypeSchema::Encrypted(&TypeSchema::Binary))
            .legacy_plaintext(Term::OPEN),
        FieldSchema::new("direct", "direct", SEALED),
        FieldSchema::new("many", "many", TypeSchema::Array(&SEALED)),
        FieldSchema::new("map", "map", TypeSchema::Map(&SECRET)),
        FieldSchema::new("choice", "choice", TypeSchema::Enum(|| &CHOICE)),
        FieldSchema::new("name", "name", TypeSchema::String).rules(&[Rule::Pattern(&BAD)]),
    ];
    let broken = ModelSchema::new("Broken", "broken", Tenancy::Global, IdKind::ObjectId, &BROKEN);
    let text = check_schemas(&[Box::leak(Box::new(broken))], None)
        .unwrap_err()
        .to_string();
    let refused = [
        "`many.token`",
        "`late.token`",
        "`list`",
        "`digests`",
        "`bytes`",
        "`choice.pass`",
        "the pattern `(`",
    ];
    for part in refused {
        assert!(text.contains(part), "{text}");
    }
    for part in ["`direct", "`map", "`keyed"] {
        assert!(!text.contains(part), "{text}");
    }
}
