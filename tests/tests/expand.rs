//! What the derives emit, at work: storage out and in, inputs, views, static data.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use model_core::codec::{DecodeCx, DocReader, FieldValue, InputCx, Writer};
use model_core::prelude::*;
use model_core::schema::{FieldRole, IdKind, Tenancy, TypeSchema};
use serde_json::{Value, json};

#[derive(Clone, Model)]
#[model(collection = "orders", id_prefix = "ord_", version = 3, rename_all = "camelCase", audit(name = title))]
#[model(index(address.zip_code, state = desc), virtuals(label: String))]
struct Order {
    #[model(id)]
    id: Id<Order>,
    #[model(tenant)]
    owner_org: TenantId,
    #[model(trim, len(3..=8))]
    title: String,
    #[model(hidden, default = 7)]
    score: i64,
    address: Option<Address>,
    state: State,
    events: Vec<Event>,
    email: Option<Email>,
    #[model(created_at)]
    created_at: DateTime<Utc>,
    #[model(revision)]
    revision: Revision,
}

#[derive(Clone, Embedded)]
struct Address {
    #[model(rename = "zip", pattern = "^[0-9]{5}$")]
    zip_code: String,
    #[model(readonly)]
    country: String,
    #[model(default = 1)]
    floor: u32,
    #[model(hidden)]
    door_code: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Embedded)]
#[model(rename_all = "kebab-case")]
enum State {
    New,
    OnHold,
}

#[derive(Clone, Embedded)]
#[model(rename_all = "snake_case")]
enum Event {
    Cancelled,
    Paid {
        #[model(range(1..))]
        amount: i64,
        #[model(hidden)]
        reference: Option<String>,
    },
    NoteAdded(String),
}

#[derive(Clone, PartialEq, Embedded)]
struct Email(String);

struct User;

impl Actor for User {
    fn identity(&self) -> ActorIdentity {
        ActorIdentity::user("u1")
    }
}

impl BaseModel for Order {
    type Actor = User;

    fn can_read(&self, _: &Context<User>) -> bool {
        true
    }

    fn can_create(&self, _: &Context<User>) -> bool {
        true
    }

    fn can_update(&self, _: &Context<User>, _: &Self) -> bool {
        true
    }

    fn can_delete(&self, _: &Context<User>) -> bool {
        true
    }
}

impl Order {
    fn label(&self) -> String {
        format!("{} ({:?})", self.title, self.state)
    }
}

fn tenant(text: &str) -> TenantId {
    TenantId::new(text).unwrap()
}

fn stamp() -> model_core::Stamp<Order> {
    model_core::Stamp {
        id: Id::parse("ord_1").unwrap_or_else(|_| Id::generate()),
        tenant: tenant("acme"),
        now: DateTime::from_timestamp(1_700_000_000, 0).unwrap_or_default(),
    }
}

fn input() -> Value {
    json!({
        "title": "First",
        "address": { "zip": "12345", "country": "DE" },
        "state": "on-hold",
        "events": ["cancelled", { "type": "paid", "amount": 5 }, { "type": "note_added", "value": "n" }],
        "email": "a@example.com",
    })
}

fn order() -> Order {
    let mut new = NewOrder::from_json(&input().to_string()).unwrap();
    // What is hidden is the application's to give.
    new.optional.address.as_mut().unwrap().door_code = Some("1234".into());
    if let Some(Event::Paid { reference, .. }) = new.events.get_mut(1) {
        *reference = Some("r".into());
    }
    Order::build(new, &stamp())
}

fn document(order: &Order) -> Document {
    let mut out = Writer::new();
    order.encode(&mut out);
    Document::from_reader(out.finish().unwrap().as_slice()).unwrap()
}

#[test]
fn storage_has_the_declared_names_and_absence_is_no_key() {
    let mut order = order();
    let stored = document(&order);
    let keys: Vec<_> = stored.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "_id",
            "ownerOrg",
            "title",
            "score",
            "address",
            "state",
            "events",
            "email",
            "createdAt"
        ]
    );
    assert_eq!(
        stored.get_document("address").unwrap(),
        &bson::doc! { "zip": "12345", "country": "DE", "floor": 1_i64, "door_code": "1234" }
    );
    assert_eq!(stored.get_str("state").unwrap(), "on-hold");
    assert_eq!(
        stored.get_array("events").unwrap(),
        &vec![
            bson::Bson::String("cancelled".to_owned()),
            bson::bson!({ "type": "paid", "amount": 5_i64, "reference": "r" }),
            bson::bson!({ "type": "note_added", "value": "n" }),
        ]
    );
    order.address = None;
    assert!(!document(&order).contains_key("address"));
}

#[test]
fn what_is_stored_is_read() {
    let order = order();
    let stored = document(&order);
    let bytes = stored.to_vec().unwrap();
    let cx = DecodeCx::root(None);
    let mut keys = DocReader::new(&bytes, &cx).unwrap();
    let again = Order::decode(&mut keys).unwrap();
    keys.finish().unwrap();
    assert_eq!(document(&again), stored);
}

#[test]
fn an_unknown_variant_is_named_without_its_value() {
    let mut stored = document(&order());
    stored.insert("state", "secret-state");
    let bytes = stored.to_vec().unwrap();
    let cx = DecodeCx::root(None);
    let error = Order::decode(&mut DocReader::new(&bytes, &cx).unwrap()).unwrap_err();
    assert!(format!("{error:?}").contains("unknown variant of `State`"));
    assert!(!format!("{error:?}").contains("secret-state"));
}

#[test]
fn every_mistake_of_an_input_is_reported_once() {
    let error = NewOrder::from_json(
        &json!({
            "id": "ord_1", "ownerOrg": "acme", "createdAt": null, "revision": "1", "colour": "red",
            "title": 5,
            "address": { "zip": [], "flor": 2 },
            "state": "gone",
            "events": ["paid", { "type": "paid", "amount": "x" }, { "type": "lost" }, {}],
        })
        .to_string(),
    )
    .unwrap_err();
    let mut paths: Vec<_> = error
        .violations()
        .iter()
        .map(|violation| violation.path.as_str())
        .collect();
    paths.sort_unstable();
    let expected = [
        "address.country",
        "address.flor",
        "address.zip",
        "colour",
        "createdAt",
        "events[0]",
        "events[1].amount",
        "events[2].type",
        "events[3].type",
        "id",
        "ownerOrg",
        "revision",
        "state",
        "title",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn a_patch_merges_into_an_embedded_struct() {
    let mut order = order();
    let patch = OrderPatch::from_json(
        &json!({ "address": { "floor": 3, "country": "DE" }, "email": null, "id": order.id.to_string() })
            .to_string(),
    )
    .unwrap();
    let mut cx = InputCx::default();
    order.apply(patch, &mut cx);
    cx.finish().unwrap();
    let address = order.address.unwrap();
    assert_eq!((address.floor, address.zip_code.as_str()), (3, "12345"));
    assert_eq!(address.door_code.as_deref(), Some("1234"));
    assert!(order.email.is_none());
}

#[test]
fn a_readonly_key_is_accepted_as_an_echo_only() {
    let mut order = order();
    let patch =
        OrderPatch::from_json(&json!({ "address": { "country": "FR" }, "id": "ord_2" }).to_string()).unwrap();
    let mut cx = InputCx::default();
    order.apply(patch, &mut cx);
    let error = cx.finish().unwrap_err();
    let paths: Vec<_> = error
        .violations()
        .iter()
        .map(|violation| violation.path.as_str())
        .collect();
    assert_eq!(paths, ["id", "address.country"]);
}

#[test]
fn null_removes_an_optional_embedded_struct() {
    let mut order = order();
    let patch = OrderPatch::from_json(r#"{ "address": null }"#).unwrap();
    let mut cx = InputCx::default();
    order.apply(patch, &mut cx);
    cx.finish().unwrap();
    assert!(order.address.is_none());
}

#[test]
fn the_tenant_is_refused_in_a_patch() {
    assert!(OrderPatch::from_json(r#"{ "ownerOrg": "acme" }"#).is_err());
}

#[test]
fn a_view_shows_no_hidden_field() {
    let view = serde_json::to_value(order().view(model_core::__private::HiddenFields::default())).unwrap();
    assert_eq!(
        view,
        json!({
            "id": "ord_1",
            "ownerOrg": "acme",
            "title": "First",
            "address": { "zip": "12345", "country": "DE", "floor": 1 },
            "state": "on-hold",
            "events": ["cancelled", { "type": "paid", "amount": 5 }, { "type": "note_added", "value": "n" }],
            "email": "a@example.com",
            "createdAt": view["createdAt"],
            "revision": "0",
            "label": "First (OnHold)",
        })
    );
}

#[test]
fn debug_prints_no_hidden_field() {
    let order = order();
    let text = format!("{order:?} {:?}", NewOrderOptional::default());
    assert!(
        !text.contains("1234\"") && text.contains("score: \"[HIDDEN]\""),
        "{text}"
    );
    assert!(!text.contains("\"r\""), "{text}");
}

#[test]
fn the_schema_says_what_was_declared() {
    let schema = Order::schema();
    assert_eq!(
        (schema.name, schema.collection, schema.version),
        ("Order", "orders", 3)
    );
    assert_eq!(schema.tenancy, Tenancy::Tenant { field: "ownerOrg" });
    assert_eq!(schema.id, IdKind::String { prefix: "ord_" });
    let audit = schema.audit.unwrap();
    assert_eq!(
        (audit.entity, audit.update, audit.name_field),
        ("order", "order.update", Some("title"))
    );
    let (first, last) = (&schema.fields[0], &schema.fields[schema.fields.len() - 1]);
    assert_eq!(
        (first.stored, first.json, first.role),
        ("_id", "id", FieldRole::Id)
    );
    assert_eq!(
        (last.stored, last.json, last.role),
        ("_rev", "revision", FieldRole::Revision)
    );
    let address = schema.field("address").unwrap().ty.embedded().unwrap();
    assert_eq!(address.fields[0].stored, "zip");
    assert!(matches!(<Event as FieldValue>::TYPE, TypeSchema::Enum(schema) if schema().variants.len() == 3));
}

#[test]
fn handles_have_stored_paths() {
    let fields = Order::fields();
    assert_eq!(fields.owner_org.path(), "ownerOrg");
    assert_eq!(fields.address.zip_code.path(), "address.zip");
    let _ = Order::filter(|order| order.state.eq(State::New) & order.email.eq("a@example.com"));
    let _ = Order::filter(|order| order.email.in_([Email("a".to_owned())]) & order.state.ne(State::OnHold));
}
