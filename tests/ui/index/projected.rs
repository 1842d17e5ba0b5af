//! `only` and `except` choose among the fields of whole documents.

use std::collections::BTreeMap;

use model_core::prelude::*;

#[derive(Clone, Model)]
#[model(collection = "widgets")]
#[model(index(title, only(labels)))]
#[model(index(labels.*, except(title)))]
#[model(index(*, only(labels), except(title)))]
#[model(index(*, only()))]
#[model(index(*, except(lables)))]
struct Widget {
    #[model(id)]
    id: Id<Widget>,
    #[model(tenant)]
    organization: TenantId,
    title: String,
    labels: BTreeMap<String, String>,
}

fn main() {}
