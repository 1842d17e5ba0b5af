//! Time series and capped collections.

use proc_macro2::{Ident, Span, TokenStream};

use crate::ast::Model;
use crate::attr::{Granularity, Role};

/// `.form(..)`, where the collection is not an ordinary one.
pub(super) fn of(model: &Model) -> Option<TokenStream> {
    let attrs = &model.head.attrs;
    if let Some(capped) = &attrs.capped {
        let size = capped.value.size;
        let max = capped.value.max.map(|max| emit!(.max(#max)));
        return Some(emit! {
            .form(__model::CollectionForm::Capped(__model::CappedSpec::new(#size) #max))
        });
    }
    let series = &attrs.time_series.as_ref()?.value;
    let stored = |name: &Ident| {
        let field = model.fields.iter().find(|field| field.ident == *name);
        field.map(|field| field.stored.as_str())
    };
    let time = stored(&series.time).unwrap_or_default();
    let tenant = model.role(Role::Tenant).map(|tenant| tenant.stored.as_str());
    let source = tenant.into_iter().chain(series.meta.iter().filter_map(stored));
    let granularity = series.granularity.map(|granularity| {
        let name = match granularity {
            Granularity::Seconds => emit!(Seconds),
            Granularity::Minutes => emit!(Minutes),
            Granularity::Hours => emit!(Hours),
        };
        emit!(.granularity(__model::Granularity::#name))
    });
    let expires = series.expire_after.as_ref().map(|seconds| {
        let seconds = seconds.value;
        emit!(.expire_after_seconds(#seconds))
    });
    Some(emit! {
        .form(__model::CollectionForm::TimeSeries(
            __model::TimeSeriesSpec::new(#time, &[#(#source),*]) #granularity #expires
        ))
    })
}

/// The time of a measurement is a date; the caret is at its name.
pub(super) fn time_is_a_date(model: &Model) -> Option<TokenStream> {
    let series = &model.head.attrs.time_series.as_ref()?.value;
    let field = model.fields.iter().find(|field| field.ident == series.time)?;
    let ty = &field.ty;
    let span = series.time.span().resolved_at(Span::mixed_site());
    Some(quote::quote_spanned!(span=> const _: fn() = __model::assert_instant::<#ty>;))
}
