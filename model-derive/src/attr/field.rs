//! The keys of a field or variant.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::ParseStream;
use syn::{Attribute, Expr, LitInt, LitStr, Path, Token, parenthesized};

use super::blind::BlindIndex;
use super::legacy::{self, Term};
use super::value::{self, Bounds, Direction, Number};
use super::{Spanned, Written, each_key};
use crate::ctxt::Ctxt;
use crate::keys::{KeyId, Place};
use crate::suggest;

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    Id,
    Tenant,
    CreatedAt,
    UpdatedAt,
    Revision,
}

/// Where a default comes from.
#[derive(Debug, Clone)]
pub(crate) enum DefaultValue {
    /// `default`
    Trait(Span),
    /// `default = "text"`
    Text(LitStr),
    /// `default = now`
    Now(Span),
    /// `default = value`
    Expr(Box<Expr>),
    /// `default_with = path`
    Function(Path),
}

/// What is done to a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Normaliser {
    Trim,
    Lowercase,
    Uppercase,
}

/// What a value must satisfy.
#[derive(Debug, Clone)]
pub(crate) enum Rule {
    Len(Bounds<usize>),
    Items(Bounds<usize>),
    Range(Bounds<Number>),
    Pattern(String),
    Email,
    Url,
    OneOf(Vec<Spanned<String>>),
}

/// Over which documents a value is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UniqueScope {
    Tenant,
    Global,
}

/// What becomes of a document when one that it refers to is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeleteRule {
    Cascade,
    Restrict,
    Nullify,
    Pull,
}

/// How vectors are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Similarity {
    Cosine,
    Dot,
    Euclidean,
}

/// `vector(...)`
#[derive(Debug, Clone, Copy)]
pub(crate) struct VectorForm {
    pub(crate) similarity: Similarity,
    /// Stored as an array of numbers, not packed.
    pub(crate) arrays: bool,
}

/// How filters from outside may compare a field.
#[derive(Debug, Clone)]
pub(crate) enum Filterable {
    /// In every way but by a prefix.
    Plain,
    /// In these ways, by the names of `Comparison`.
    Listed(Vec<&'static str>),
}

/// Everything on a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct FieldAttrs {
    pub(crate) roles: Vec<Spanned<Role>>,
    pub(crate) readonly: Option<Span>,
    pub(crate) hidden: bool,
    pub(crate) skip_updated_at: bool,
    pub(crate) skip_audit: bool,
    pub(crate) rename: Option<Spanned<String>>,
    pub(crate) stored_as: Option<Spanned<String>>,
    pub(crate) default: Option<DefaultValue>,
    pub(crate) normalise: Vec<Normaliser>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) validate: Option<Path>,
    pub(crate) index: Option<Spanned<Direction>>,
    pub(crate) unique: Option<Spanned<UniqueScope>>,
    pub(crate) ttl: Option<Spanned<u64>>,
    pub(crate) filterable: Option<Filterable>,
    pub(crate) sortable: bool,
    pub(crate) blind: Option<Spanned<BlindIndex>>,
    pub(crate) pad: Option<u32>,
    pub(crate) legacy_plaintext: Option<Term>,
    pub(crate) old_format: Option<(String, Term)>,
    pub(crate) since: Option<Spanned<u32>>,
    pub(crate) on_delete: Option<Spanned<DeleteRule>>,
    pub(crate) subject: Option<Span>,
    pub(crate) pii: Option<Spanned<Option<DefaultValue>>>,
    pub(crate) vector: Option<VectorForm>,
    pub(crate) written: Vec<Written>,
}

impl FieldAttrs {
    pub(crate) fn read(cx: &Ctxt, place: Place, attrs: &[Attribute]) -> Self {
        let mut all = Self::default();
        let written = each_key(cx, place, attrs, |key, span, input| all.set(key, span, input));
        all.written = written;
        all
    }

    fn set(&mut self, key: KeyId, span: Span, input: ParseStream<'_>) -> syn::Result<()> {
        match key {
            KeyId::Id => self.roles.push(Spanned::new(Role::Id, span)),
            KeyId::Tenant => self.roles.push(Spanned::new(Role::Tenant, span)),
            KeyId::CreatedAt => self.roles.push(Spanned::new(Role::CreatedAt, span)),
            KeyId::UpdatedAt => self.roles.push(Spanned::new(Role::UpdatedAt, span)),
            KeyId::Revision => self.roles.push(Spanned::new(Role::Revision, span)),
            KeyId::Readonly => self.readonly = Some(span),
            KeyId::Hidden => self.hidden = true,
            KeyId::SkipUpdatedAt => self.skip_updated_at = true,
            KeyId::SkipAudit => self.skip_audit = true,
            KeyId::Rename => self.rename = Some(value::text(input)?),
            KeyId::StoredAs => self.stored_as = Some(value::text(input)?),
            KeyId::Default => self.default = Some(default(span, input)?),
            KeyId::DefaultWith => self.default = Some(DefaultValue::Function(value::path(input)?)),
            KeyId::Trim => self.normalise.push(Normaliser::Trim),
            KeyId::Lowercase => self.normalise.push(Normaliser::Lowercase),
            KeyId::Uppercase => self.normalise.push(Normaliser::Uppercase),
            KeyId::Validate => self.validate = Some(value::path(input)?),
            KeyId::Index => self.index = Some(Spanned::new(index(input)?, span)),
            KeyId::Unique => self.unique = Some(Spanned::new(unique(input)?, span)),
            KeyId::Filterable => self.filterable = Some(filterable(input)?),
            KeyId::Sortable => self.sortable = true,
            KeyId::Pad => self.pad = Some(pad(input)?),
            KeyId::Since => self.since = Some(since(input)?),
            KeyId::LegacyPlaintext => self.legacy_plaintext = Some(legacy::plaintext(input)?),
            KeyId::OldFormat => self.old_format = Some(legacy::format(input)?),
            KeyId::Subject => self.subject = Some(span),
            KeyId::Pii => self.pii = Some(Spanned::new(erased(span, input)?, span)),
            KeyId::OnDelete => self.on_delete = Some(delete_rule(input)?),
            KeyId::Vector => self.vector = Some(vector(input)?),
            KeyId::BlindIndex => self.blind = Some(Spanned::new(BlindIndex::read(input)?, span)),
            KeyId::Ttl => self.ttl = Some(Spanned::new(value::duration(input)?.value, span)),
            rule => self.rules.extend(read_rule(rule, input)?),
        }
        Ok(())
    }

    /// The default value, whichever key gives it.
    pub(crate) fn has_default(&self) -> bool {
        self.default.is_some()
    }
}

fn read_rule(key: KeyId, input: ParseStream<'_>) -> syn::Result<Option<Rule>> {
    Ok(Some(match key {
        KeyId::Len => Rule::Len(value::counts(input)?),
        KeyId::Items => Rule::Items(value::counts(input)?),
        KeyId::Range => Rule::Range(value::numbers(input)?),
        KeyId::Pattern => Rule::Pattern(value::text(input)?.value),
        KeyId::Email => Rule::Email,
        KeyId::Url => Rule::Url,
        KeyId::OneOf => Rule::OneOf(value::texts(input)?),
        _ => return Ok(None),
    }))
}

/// `= 64`
fn pad(input: ParseStream<'_>) -> syn::Result<u32> {
    input.parse::<Token![=]>()?;
    let literal: LitInt = input.parse()?;
    match literal.base10_parse() {
        Ok(bytes @ 1..=65_536) => Ok(bytes),
        _ => Err(syn::Error::new(literal.span(), "expected 1 to 65536 bytes")),
    }
}

/// `= 2`
fn since(input: ParseStream<'_>) -> syn::Result<Spanned<u32>> {
    input.parse::<Token![=]>()?;
    let literal: LitInt = input.parse()?;
    Ok(Spanned::new(literal.base10_parse()?, literal.span()))
}

/// `(erased = "gone")`
fn erased(span: Span, input: ParseStream<'_>) -> syn::Result<Option<DefaultValue>> {
    if !value::nothing_or_list(input) {
        return Ok(None);
    }
    let content;
    parenthesized!(content in input);
    let name = content.call(Ident::parse_any)?;
    if name != "erased" || !content.peek(Token![=]) {
        return Err(syn::Error::new(name.span(), "expected `erased = value`"));
    }
    let value = default(span, &content)?;
    if content.is_empty() {
        Ok(Some(value))
    } else {
        Err(content.error("there is more than the key takes"))
    }
}

/// `= cascade`
fn delete_rule(input: ParseStream<'_>) -> syn::Result<Spanned<DeleteRule>> {
    const RULES: [(&str, DeleteRule); 4] = [
        ("cascade", DeleteRule::Cascade),
        ("restrict", DeleteRule::Restrict),
        ("nullify", DeleteRule::Nullify),
        ("pull", DeleteRule::Pull),
    ];
    input.parse::<Token![=]>()?;
    let ident: Ident = input.parse()?;
    let text = ident.to_string();
    match RULES.iter().find(|(name, _)| *name == text) {
        Some((_, rule)) => Ok(Spanned::new(*rule, ident.span())),
        None => {
            let hint = suggest::hint(&text, RULES.map(|(name, _)| name), "the rules are");
            Err(syn::Error::new(
                ident.span(),
                format!("unknown delete rule `{text}`{hint}"),
            ))
        }
    }
}

/// `(similarity = cosine, stored = array)`
fn vector(input: ParseStream<'_>) -> syn::Result<VectorForm> {
    const SIMILARITIES: [(&str, Similarity); 3] = [
        ("cosine", Similarity::Cosine),
        ("dot", Similarity::Dot),
        ("euclidean", Similarity::Euclidean),
    ];
    const STORED: [(&str, bool); 2] = [("packed", false), ("array", true)];
    let content;
    parenthesized!(content in input);
    let mut form = VectorForm {
        similarity: Similarity::Cosine,
        arrays: false,
    };
    let mut seen = Vec::new();
    loop {
        let option: Ident = content.parse()?;
        if seen.contains(&option) {
            return Err(syn::Error::new(
                option.span(),
                format!("`{option}` is written twice"),
            ));
        }
        if option == "similarity" {
            form.similarity = one_of(&content, "similarity", "the similarities are", &SIMILARITIES)?;
        } else if option == "stored" {
            form.arrays = one_of(&content, "form", "the forms are", &STORED)?;
        } else {
            let message =
                format!("unknown option of a vector `{option}`: there are `similarity` and `stored`");
            return Err(syn::Error::new(option.span(), message));
        }
        seen.push(option);
        if content.is_empty() {
            return Ok(form);
        }
        content.parse::<Token![,]>()?;
    }
}

/// `= name`, of a few names.
fn one_of<T: Copy>(
    input: ParseStream<'_>,
    what: &str,
    list: &'static str,
    all: &[(&'static str, T)],
) -> syn::Result<T> {
    input.parse::<Token![=]>()?;
    let ident: Ident = input.parse()?;
    let text = ident.to_string();
    match all.iter().find(|(name, _)| *name == text) {
        Some((_, value)) => Ok(*value),
        None => {
            let hint = suggest::hint(&text, all.iter().map(|(name, _)| *name), list);
            Err(syn::Error::new(
                ident.span(),
                format!("unknown {what} `{text}`{hint}"),
            ))
        }
    }
}

fn default(span: Span, input: ParseStream<'_>) -> syn::Result<DefaultValue> {
    if !input.peek(Token![=]) {
        return Ok(DefaultValue::Trait(span));
    }
    input.parse::<Token![=]>()?;
    if input.peek(LitStr) && is_one_token(input) {
        return input.parse().map(DefaultValue::Text);
    }
    if input.fork().parse::<Ident>().is_ok_and(|name| name == "now") && is_one_token(input) {
        return input.parse::<Ident>().map(|name| DefaultValue::Now(name.span()));
    }
    input.parse().map(|expr| DefaultValue::Expr(Box::new(expr)))
}

/// Whether one token is left of the value.
fn is_one_token(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    ahead.parse::<proc_macro2::TokenTree>().is_ok() && (ahead.is_empty() || ahead.peek(Token![,]))
}

fn index(input: ParseStream<'_>) -> syn::Result<Direction> {
    if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        value::direction(input)
    } else {
        Ok(Direction::Ascending)
    }
}

fn unique(input: ParseStream<'_>) -> syn::Result<UniqueScope> {
    if !value::nothing_or_list(input) {
        return Ok(UniqueScope::Tenant);
    }
    let content;
    parenthesized!(content in input);
    let scope = content.call(Ident::parse_any)?;
    if scope == "global" && content.is_empty() {
        Ok(UniqueScope::Global)
    } else {
        Err(syn::Error::new(scope.span(), "expected `global`"))
    }
}

/// The methods of a field's handle, and the names of `model_core::schema::Comparison`.
const COMPARISONS: [(&str, &str); 13] = [
    ("eq", "Eq"),
    ("ne", "Ne"),
    ("gt", "Gt"),
    ("gte", "Gte"),
    ("lt", "Lt"),
    ("lte", "Lte"),
    ("in_", "In"),
    ("not_in", "NotIn"),
    ("exists", "Exists"),
    ("starts_with", "StartsWith"),
    ("eq_ignore_case", "EqIgnoreCase"),
    ("starts_with_ignore_case", "StartsWithIgnoreCase"),
    ("contains_ignore_case", "ContainsIgnoreCase"),
];

fn filterable(input: ParseStream<'_>) -> syn::Result<Filterable> {
    if !value::nothing_or_list(input) {
        return Ok(Filterable::Plain);
    }
    let mut listed = Vec::new();
    for ident in value::list::<Ident>(input)? {
        let text = ident.to_string();
        let Some((_, name)) = COMPARISONS.iter().find(|(method, _)| *method == text) else {
            let hint = suggest::hint(
                &text,
                COMPARISONS.map(|(method, _)| method),
                "the comparisons are",
            );
            let message = format!("unknown comparison `{text}`{hint}");
            return Err(syn::Error::new(ident.span(), message));
        };
        if listed.contains(name) {
            return Err(syn::Error::new(
                ident.span(),
                format!("`{text}` is written twice"),
            ));
        }
        listed.push(*name);
    }
    Ok(Filterable::Listed(listed))
}

/// Everything on a variant.
#[derive(Debug, Default)]
pub(crate) struct VariantAttrs {
    pub(crate) rename: Option<Spanned<String>>,
}

impl VariantAttrs {
    pub(crate) fn read(cx: &Ctxt, attrs: &[Attribute]) -> Self {
        let mut all = Self::default();
        each_key(cx, Place::Variant, attrs, |_, _, input| {
            all.rename = Some(value::text(input)?);
            Ok(())
        });
        all
    }
}
