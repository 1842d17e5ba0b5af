//! Every mistake is reported, and none twice.

use super::messages;
use crate::ctxt::Ctxt;

#[test]
fn independent_mistakes_are_all_reported() {
    let found = messages(
        r"
        #[derive(Model)]
        #[model(indx(name), version = 0, index(nam))]
        struct Widget {
            #[model(trimm, len(5..=3))]
            name: String,
            #[model(email, trim)]
            count: u32,
        }
        ",
    );
    let expected = [
        "unknown model key `indx`; did you mean `index`?",
        "versions begin at 1",
        "unknown field key `trimm`; did you mean `trim`?",
        "the least is greater than the most",
        "`Widget` has no collection",
        "`Widget` has no id field",
        "`Widget` has no tenant field",
        "`email` is for strings, the field is a number",
        "`trim` is for strings, the field is a number",
        "`Widget` has no field `nam`; did you mean `name`?",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} is not {expected}");
    }
}

#[test]
fn one_mistake_is_one_error() {
    let found = messages("#[derive(Model)] #[model(collection = \"c\", global)] enum Widget { A }");
    assert_eq!(
        found,
        ["`Model` can only be derived for a struct with named fields and no type parameters"]
    );
}

#[test]
fn a_mistake_does_not_take_the_types_away() {
    let text = super::expansion(
        "#[derive(Model)] #[model(collection = \"c\", global)] struct Widget { #[model(id)] id: Id<Widget>, #[model(trm)] name: String }",
    );
    for name in [
        "struct NewWidget",
        "struct WidgetPatch",
        "struct WidgetFields",
        "struct WidgetView",
        "Model for Widget",
    ] {
        assert!(text.contains(name), "{name} is missing in {text}");
    }
}

#[test]
#[should_panic(expected = "were not asked for")]
fn a_context_that_is_dropped_unasked_panics() {
    drop(Ctxt::new());
}

#[test]
fn a_context_that_is_asked_does_not() {
    let cx = Ctxt::new();
    cx.error(proc_macro2::Span::call_site(), "one");
    cx.error(proc_macro2::Span::call_site(), "two");
    assert_eq!(cx.finish().len(), 2);
}

#[test]
fn what_a_time_series_cannot_have_is_told_at_once() {
    let found = messages(
        r#"
        #[derive(Model)]
        #[model(collection = "c", time_series(time = at, meta(org, at, source, source, nobody)), audit, soft_delete, watch, validator)]
        struct Point {
            #[model(id)]
            id: Id<Point>,
            #[model(tenant)]
            org: TenantId,
            #[model(unique)]
            source: String,
            #[model(ttl = "90d")]
            at: DateTime<Utc>,
            #[model(pii)]
            name: Option<String>,
        }
        "#,
    );
    let expected = [
        "`audit` has no place in a time series",
        "`soft_delete` has no place in a time series",
        "`pii` has no place in a time series",
        "`watch` has no place in a time series",
        "`validator` has no place in a time series",
        "`org` is the first part of `meta` by itself",
        "`meta` says whose a measurement is, not which or when",
        "`source` is written twice",
        "`Point` has no field `nobody`",
        "an index of a time series is not `unique`",
        "measurements expire by their own time",
    ];
    for expected in expected {
        assert!(
            found.iter().any(|found| found.starts_with(expected)),
            "{expected}: {found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn a_time_series_has_a_time_and_a_capped_collection_a_size_and_no_tenant() {
    let model = |keys: &str, field: &str| {
        messages(&format!(
            "#[derive(Model)] #[model(collection = \"c\", {keys})] struct Point {{ #[model(id)] id: Id<Point>, {field} }}"
        ))
    };
    let tenant = "#[model(tenant)] org: TenantId";
    for (keys, field, expected) in [
        (
            "global, time_series(meta = id)",
            "",
            "a time series says which field is its time",
        ),
        (
            "global, time_series(time = at)",
            "at: Option<DateTime<Utc>>",
            "a measurement always has its time",
        ),
        (
            "global, time_series(time = at, granularity = \"days\")",
            "at: DateTime<Utc>",
            "unknown granularity `days`",
        ),
        (
            "global, capped(max = 3)",
            "",
            "a capped collection has a size in bytes",
        ),
        ("global, capped(size = 0)", "", "it is between 1 and"),
        (
            "capped(size = 1)",
            tenant,
            "a capped collection has one size for all",
        ),
        (
            "global, time_series(time = at), capped(size = 1)",
            "at: DateTime<Utc>",
            "a collection is a time series or capped",
        ),
    ] {
        let found = model(keys, field);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with(expected), "{found:#?}");
    }
}
