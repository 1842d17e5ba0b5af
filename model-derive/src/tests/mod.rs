//! Tests of the pipeline on token streams: no compiler, no runtime.

mod accumulation;
mod budget;
mod docs;
mod shapes;
mod snapshots;

use proc_macro2::TokenStream;
use syn::DeriveInput;

/// The expansion of one of the shapes, formatted.
fn expansion(shape: &str) -> String {
    let input: DeriveInput = syn::parse_str(shape).unwrap();
    let tokens = if shape.contains("Embedded)]") {
        crate::expand::embedded(&input)
    } else if shape.contains("Projection)]") {
        crate::expand::pick(&input)
    } else {
        crate::expand::model(&input)
    };
    pretty(tokens)
}

fn pretty(tokens: TokenStream) -> String {
    let file: syn::File = syn::parse2(tokens).expect("an expansion is a list of items");
    prettyplease::unparse(&file)
}

/// The messages of all errors that the derive reports.
fn messages(shape: &str) -> Vec<String> {
    let text = expansion(shape);
    let file = syn::parse_file(&text).unwrap();
    let macros = file.items.into_iter().filter_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.segments.last()?.ident == "compile_error" => Some(item.mac),
        _ => None,
    });
    macros
        .map(|mac| mac.parse_body::<syn::LitStr>().unwrap().value())
        .collect()
}
