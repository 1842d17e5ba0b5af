//! The keys of a struct or enum.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, LitInt, Path, Token, Type, parenthesized};

use super::form::{Capped, TimeSeries};
use super::index::{Index, IndexKey};
use super::legacy;
use super::value;
use super::{Spanned, Written, each_key};
use crate::case::{CASES, Case};
use crate::check::TAG;
use crate::ctxt::Ctxt;
use crate::keys::{KeyId, Place};
use crate::suggest;

/// How ids look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdForm {
    ObjectId,
    Uuid,
    String,
}

/// `audit(...)`
#[derive(Debug, Default)]
pub(crate) struct Audit {
    pub(crate) entity: Option<String>,
    pub(crate) create: Option<String>,
    pub(crate) update: Option<String>,
    pub(crate) delete: Option<String>,
    pub(crate) name: Option<Ident>,
    /// Entries wait inside the document.
    pub(crate) outbox: bool,
}

/// `validator(...)`
#[derive(Debug, Default)]
pub(crate) struct Validator {
    pub(crate) moderate: bool,
    pub(crate) warn: bool,
}

/// `seal(...)`
#[derive(Debug)]
pub(crate) struct Seal {
    pub(crate) fields: Vec<Ident>,
    /// The last day on which documents without a seal are read, as year, month and day.
    pub(crate) unsealed_until: Option<(i32, u32, u32)>,
}

/// `name: Type` in `virtuals(...)`
#[derive(Debug)]
pub(crate) struct Virtual {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// Everything on a struct or enum.
#[derive(Debug, Default)]
pub(crate) struct Container {
    pub(crate) collection: Option<Spanned<String>>,
    pub(crate) id_prefix: Option<Spanned<String>>,
    pub(crate) id_form: Option<Spanned<IdForm>>,
    pub(crate) global: Option<Span>,
    pub(crate) version: Option<u32>,
    pub(crate) audit: Option<Audit>,
    /// The fields that name a document together.
    pub(crate) key: Vec<Ident>,
    pub(crate) soft_delete: Option<Span>,
    pub(crate) append_only: Option<Span>,
    pub(crate) singleton: Option<Span>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) validator: Option<Validator>,
    pub(crate) seal: Option<Seal>,
    pub(crate) watch: Option<Span>,
    pub(crate) shard_key: Option<Spanned<Vec<IndexKey>>>,
    pub(crate) time_series: Option<Spanned<TimeSeries>>,
    pub(crate) capped: Option<Spanned<Capped>>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) virtuals: Vec<Virtual>,
    /// `Default` is made of the fields' own defaults.
    pub(crate) defaults: Option<Span>,
    pub(crate) tag: Option<Spanned<String>>,
    /// Stored in the document around it.
    pub(crate) flat: Option<Span>,
    pub(crate) krate: Option<Path>,
    pub(crate) written: Vec<Written>,
}

impl Container {
    pub(crate) fn read(cx: &Ctxt, place: Place, attrs: &[Attribute]) -> Self {
        let mut all = Self::default();
        let written = each_key(cx, place, attrs, |key, span, input| all.set(key, span, input));
        all.written = written;
        all
    }

    /// Whether the documents are created and read, and nothing else.
    pub(crate) fn is_written_once(&self) -> bool {
        self.append_only.is_some() || self.time_series.is_some() || self.capped.is_some()
    }

    /// The key of the variant's name.
    pub(crate) fn tag(&self) -> &str {
        match (&self.tag, self.flat) {
            (Some(tag), _) => &tag.value,
            (None, Some(_)) => "__t",
            (None, None) => TAG,
        }
    }

    fn set(&mut self, key: KeyId, span: Span, input: ParseStream<'_>) -> syn::Result<()> {
        match key {
            KeyId::Collection => self.collection = Some(value::text(input)?),
            KeyId::IdPrefix => self.id_prefix = Some(value::text(input)?),
            KeyId::IdForm => self.id_form = Some(id_form(input)?),
            KeyId::Global => self.global = Some(span),
            KeyId::Version => self.version = Some(version(input)?),
            KeyId::Audit => {
                self.audit = Some(Audit::default());
                if value::nothing_or_list(input) {
                    self.audit = Some(audit(input)?);
                }
            }
            KeyId::Key => self.key = value::list(input)?,
            KeyId::SoftDelete => self.soft_delete = Some(span),
            KeyId::AppendOnly => self.append_only = Some(span),
            KeyId::Singleton => self.singleton = Some(span),
            KeyId::Indexes => self.indexes.push(Index::read(span, input)?),
            KeyId::Validator => self.validator = Some(validator(input)?),
            KeyId::Seal => self.seal = Some(seal(input)?),
            KeyId::Watch => self.watch = Some(span),
            KeyId::ShardKey => self.shard_key = Some(Spanned::new(value::list(input)?, span)),
            KeyId::TimeSeries => self.time_series = Some(Spanned::new(input.parse()?, span)),
            KeyId::Capped => self.capped = Some(Spanned::new(input.parse()?, span)),
            KeyId::RenameAll => self.rename_all = Some(rename_all(input)?),
            KeyId::Virtuals => self.virtuals = value::list(input)?,
            KeyId::Defaults => self.defaults = Some(span),
            KeyId::Tag => self.tag = Some(value::text(input)?),
            KeyId::Flat => self.flat = Some(span),
            KeyId::Crate => self.krate = Some(absolute(value::path(input)?)?),
            _ => {}
        }
        Ok(())
    }
}

fn id_form(input: ParseStream<'_>) -> syn::Result<Spanned<IdForm>> {
    const FORMS: [(&str, IdForm); 3] = [
        ("object_id", IdForm::ObjectId),
        ("uuid", IdForm::Uuid),
        ("string", IdForm::String),
    ];
    input.parse::<Token![=]>()?;
    let name = input.call(Ident::parse_any)?;
    let text = name.to_string();
    match FORMS.iter().find(|(spelling, _)| *spelling == text) {
        Some((_, form)) => Ok(Spanned::new(*form, name.span())),
        None => {
            let hint = suggest::hint(
                &text,
                FORMS.iter().map(|(spelling, _)| *spelling),
                "the forms are",
            );
            Err(syn::Error::new(
                name.span(),
                format_args!("unknown form of ids `{text}`{hint}"),
            ))
        }
    }
}

fn version(input: ParseStream<'_>) -> syn::Result<u32> {
    input.parse::<Token![=]>()?;
    let literal: LitInt = input.parse()?;
    match literal.base10_parse()? {
        0 => Err(syn::Error::new(literal.span(), "versions begin at 1")),
        version => Ok(version),
    }
}

fn rename_all(input: ParseStream<'_>) -> syn::Result<Case> {
    let style = value::text(input)?;
    Case::find(&style.value).ok_or_else(|| {
        let hint = suggest::hint(
            &style.value,
            CASES.iter().map(|(name, _)| *name),
            "the styles are",
        );
        syn::Error::new(style.span, format_args!("unknown style `{}`{hint}", style.value))
    })
}

/// A path that means the same wherever the expansion stands.
fn absolute(path: Path) -> syn::Result<Path> {
    let root = path.segments.first().map(|segment| segment.ident.to_string());
    if path.leading_colon.is_some() || matches!(root.as_deref(), Some("crate" | "$crate")) {
        Ok(path)
    } else {
        Err(syn::Error::new_spanned(
            path,
            "the path must be absolute: begin it with `::` or `crate::`",
        ))
    }
}

fn audit(input: ParseStream<'_>) -> syn::Result<Audit> {
    let content;
    parenthesized!(content in input);
    let mut audit = Audit::default();
    while !content.is_empty() {
        let key = content.call(Ident::parse_any)?;
        let slot = match key.to_string().as_str() {
            "outbox" => {
                audit.outbox = true;
                comma(&content)?;
                continue;
            }
            "entity" => &mut audit.entity,
            "create" => &mut audit.create,
            "update" => &mut audit.update,
            "delete" => &mut audit.delete,
            "name" => {
                content.parse::<Token![=]>()?;
                if audit.name.replace(content.call(Ident::parse_any)?).is_some() {
                    return Err(syn::Error::new(key.span(), "`name` is written twice"));
                }
                comma(&content)?;
                continue;
            }
            other => {
                let keys = ["entity", "create", "update", "delete", "name", "outbox"];
                let hint = suggest::hint(other, keys, "the keys here are");
                return Err(syn::Error::new(
                    key.span(),
                    format_args!("unknown audit key `{other}`{hint}"),
                ));
            }
        };
        if slot.replace(value::text(&content)?.value).is_some() {
            return Err(syn::Error::new(
                key.span(),
                format_args!("`{key}` is written twice"),
            ));
        }
        comma(&content)?;
    }
    Ok(audit)
}

fn seal(input: ParseStream<'_>) -> syn::Result<Seal> {
    let mut seal = Seal {
        fields: Vec::new(),
        unsealed_until: None,
    };
    if !value::nothing_or_list(input) {
        return Ok(seal);
    }
    let content;
    parenthesized!(content in input);
    while !content.is_empty() {
        let name = content.call(Ident::parse_any)?;
        if name == "unsealed_until" && content.peek(Token![=]) {
            if seal.unsealed_until.replace(legacy::last_day(&content)?).is_some() {
                return Err(syn::Error::new(name.span(), "`unsealed_until` is written twice"));
            }
        } else {
            seal.fields.push(name);
        }
        comma(&content)?;
    }
    Ok(seal)
}

fn validator(input: ParseStream<'_>) -> syn::Result<Validator> {
    let mut validator = Validator::default();
    if !value::nothing_or_list(input) {
        return Ok(validator);
    }
    let content;
    parenthesized!(content in input);
    while !content.is_empty() {
        let key = content.call(Ident::parse_any)?;
        let (slot, names) = match key.to_string().as_str() {
            "level" => (&mut validator.moderate, ["strict", "moderate"]),
            "action" => (&mut validator.warn, ["error", "warn"]),
            other => {
                let hint = suggest::hint(other, ["level", "action"], "the keys here are");
                return Err(syn::Error::new(
                    key.span(),
                    format_args!("unknown validator key `{other}`{hint}"),
                ));
            }
        };
        let text = value::text(&content)?;
        let [first, second] = names;
        *slot = text.value == second;
        if text.value != first && text.value != second {
            let hint = suggest::hint(&text.value, names, "it is one of");
            return Err(syn::Error::new(
                text.span,
                format_args!("unknown {key} `{}`{hint}", text.value),
            ));
        }
        comma(&content)?;
    }
    Ok(validator)
}

pub(super) fn comma(input: ParseStream<'_>) -> syn::Result<()> {
    if input.is_empty() {
        Ok(())
    } else {
        input.parse::<Token![,]>().map(drop)
    }
}

impl Parse for Virtual {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.parse()?;
        input.parse::<Token![:]>()?;
        Ok(Self {
            name,
            ty: input.parse()?,
        })
    }
}
