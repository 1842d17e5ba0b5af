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
