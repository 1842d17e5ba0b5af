//! `index(...)`

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::{Lit, LitInt, LitStr, Token, parenthesized};

use super::Spanned;
use super::container::comma;
use super::value::{self, Direction, Number};
use crate::suggest;

/// How an index holds the values of one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    Ordered(Direction),
    Text(u32),
    Hashed,
    Sphere,
    Wildcard,
}

/// One key of an index; a wildcard over the whole document has an empty path.
#[derive(Debug, Clone)]
pub(crate) struct IndexKey {
    pub(crate) path: Vec<Ident>,
    pub(crate) form: KeyForm,
    pub(crate) span: Span,
}

impl IndexKey {
    /// A key in order.
    pub(crate) fn ordered(name: Ident, direction: Direction) -> Self {
        Self {
            span: name.span(),
            path: vec![name],
            form: KeyForm::Ordered(direction),
        }
    }
}

/// A value in `partial(...)` and `collation(...)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Literal {
    Bool(bool),
    Number(Number),
    Text(String),
}

/// An operator of `partial(...)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Eq,
    Gt,
    Gte,
    Lt,
    Lte,
}

/// `path == literal`
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) path: Vec<Ident>,
    pub(crate) comparison: Relation,
    pub(crate) literal: Literal,
}

/// `collation("de", strength = 2)`
#[derive(Debug, Clone)]
pub(crate) struct Collation {
    pub(crate) span: Span,
    pub(crate) locale: String,
    /// By the server's names.
    pub(crate) options: Vec<(&'static str, Literal)>,
}

/// `index(...)`
#[derive(Debug, Clone)]
pub(crate) struct Index {
    pub(crate) span: Span,
    pub(crate) keys: Vec<IndexKey>,
    pub(crate) unique: bool,
    pub(crate) name: Option<String>,
    pub(crate) ttl: Option<Spanned<u64>>,
    pub(crate) exists: Vec<Ident>,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) sparse: Option<Span>,
    pub(crate) hidden: bool,
    pub(crate) collation: Option<Collation>,
    pub(crate) language: Option<Spanned<String>>,
    pub(crate) language_override: Option<Spanned<String>>,
    pub(crate) replaces: Vec<Spanned<String>>,
    /// Whether an index over every path holds these fields only, or all but these.
    pub(crate) projected: Option<(bool, Vec<Ident>)>,
    pub(crate) global: bool,
}

impl Index {
    pub(crate) fn new(span: Span) -> Self {
        Self {
            span,
            keys: Vec::new(),
            unique: false,
            name: None,
            ttl: None,
            exists: Vec::new(),
            conditions: Vec::new(),
            sparse: None,
            hidden: false,
            collation: None,
            language: None,
            language_override: None,
            replaces: Vec::new(),
            projected: None,
            global: false,
        }
    }

    /// Whether it holds the words of texts.
    pub(crate) fn is_text(&self) -> bool {
        self.keys.iter().any(|key| matches!(key.form, KeyForm::Text(_)))
    }

    pub(super) fn read(span: Span, input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        parenthesized!(content in input);
        let mut index = Self::new(span);
        while !content.is_empty() {
            index.item(&content)?;
            comma(&content)?;
        }
        if index.keys.is_empty() {
            return Err(syn::Error::new(
                span,
                "the index has no key: name at least one field",
            ));
        }
        Ok(index)
    }

    /// A key or an option. A name alone is an option if it is that of a flag; `name = ..` and its like are options if a
    /// literal follows.
    fn item(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        if input.peek(Token![*]) {
            let span = input.parse::<Token![*]>()?.spans[0];
            self.keys.push(IndexKey {
                path: Vec::new(),
                form: KeyForm::Wildcard,
                span,
            });
            return Ok(());
        }
        let first = input.call(Ident::parse_any)?;
        let literal = input.peek(Token![=]) && (input.peek2(LitStr) || input.peek2(LitInt));
        let alone = input.is_empty() || input.peek(Token![,]);
        let list = input.peek(syn::token::Paren);
        let taken = match first.to_string().as_str() {
            "collation" if list => self.collation.is_some(),
            "name" if literal => self.name.is_some(),
            "ttl" if literal => self.ttl.is_some(),
            "language" if literal => self.language.is_some(),
            "language_override" if literal => self.language_override.is_some(),
            _ => false,
        };
        if taken {
            return Err(syn::Error::new(
                first.span(),
                format_args!("an index has one `{first}`: it is written twice"),
            ));
        }
        match first.to_string().as_str() {
            "unique" if alone => self.unique = true,
            "global" if alone => self.global = true,
            "sparse" if alone => self.sparse = Some(first.span()),
            "hidden" if alone => self.hidden = true,
            "exists" if list => self.exists.extend(value::list::<Ident>(input)?),
            "only" | "except" if list && self.projected.is_some() => {
                let message = "an index has one list of fields: `only` those, or all `except` those";
                return Err(syn::Error::new(first.span(), message));
            }
            "only" if list => self.projected = Some((true, value::list(input)?)),
            "except" if list => self.projected = Some((false, value::list(input)?)),
            "partial" if list => self.partial(input)?,
            "collation" if list => self.collation = Some(collation(first.span(), input)?),
            "name" if literal => self.name = Some(value::text(input)?.value),
            "ttl" if literal => self.ttl = Some(value::duration(input)?),
            "language" if literal => self.language = Some(value::text(input)?),
            "language_override" if literal => self.language_override = Some(value::text(input)?),
            "replaces" if literal => self.replaces.push(value::text(input)?),
            other if literal => {
                let options = ["name", "ttl", "language", "language_override", "replaces"];
                let hint = suggest::hint(other, options, "the options with a value are");
                return Err(syn::Error::new(
                    first.span(),
                    format_args!("unknown index option `{other}`{hint}"),
                ));
            }
            _ => self.keys.push(key(first, input)?),
        }
        Ok(())
    }

    /// `(path == literal, path >= literal, exists(path))`: what the server's partial indexes know.
    fn partial(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let content;
        parenthesized!(content in input);
        while !content.is_empty() {
            if content.peek(Token![!]) {
                return Err(content.error(
                    "a partial index cannot say that a field does not exist: the server refuses `$exists: false`\n\
                     help: index all documents, or store a value that says so",
                ));
            }
            let first = content.call(Ident::parse_any)?;
            if first == "exists" && content.peek(syn::token::Paren) {
                self.exists.extend(value::list::<Ident>(&content)?);
            } else {
                let (path, _) = path(first, &content)?;
                let comparison = comparison(&content)?;
                let literal = literal(&content)?;
                self.conditions.push(Condition {
                    path,
                    comparison,
                    literal,
                });
            }
            comma(&content)?;
        }
        Ok(())
    }
}

impl Parse for IndexKey {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let first = input.call(Ident::parse_any)?;
        key(first, input)
    }
}

/// `path`, `path = form`, `path.*`
fn key(first: Ident, input: ParseStream<'_>) -> syn::Result<IndexKey> {
    let span = first.span();
    let (path, wildcard) = path(first, input)?;
    let form = if wildcard {
        KeyForm::Wildcard
    } else if input.peek(Token![=]) {
        input.parse::<Token![=]>()?;
        form(input)?
    } else {
        KeyForm::Ordered(Direction::Ascending)
    };
    let span = path.last().map_or(span, Ident::span);
    Ok(IndexKey { path, form, span })
}

/// The rest of a dotted path, and whether it ends in `.*`.
fn path(first: Ident, input: ParseStream<'_>) -> syn::Result<(Vec<Ident>, bool)> {
    let mut path = vec![first];
    while input.peek(Token![.]) {
        input.parse::<Token![.]>()?;
        if input.peek(Token![*]) {
            input.parse::<Token![*]>()?;
            return Ok((path, true));
        }
        path.push(input.call(Ident::parse_any)?);
    }
    Ok((path, false))
}

fn form(input: ParseStream<'_>) -> syn::Result<KeyForm> {
    let name = input.call(Ident::parse_any)?;
    Ok(match name.to_string().as_str() {
        "asc" => KeyForm::Ordered(Direction::Ascending),
        "desc" => KeyForm::Ordered(Direction::Descending),
        "hashed" => KeyForm::Hashed,
        "sphere" => KeyForm::Sphere,
        "text" => KeyForm::Text(weight(input)?),
        other => {
            let forms = ["asc", "desc", "text", "hashed", "sphere"];
            let hint = suggest::hint(other, forms, "the forms of a key are");
            return Err(syn::Error::new(
                name.span(),
                format_args!("unknown form of a key `{other}`{hint}"),
            ));
        }
    })
}

/// `(5)`, or nothing.
fn weight(input: ParseStream<'_>) -> syn::Result<u32> {
    if !value::nothing_or_list(input) {
        return Ok(1);
    }
    let content;
    parenthesized!(content in input);
    let literal: LitInt = content.parse()?;
    match literal.base10_parse()? {
        weight @ 1..=99_999 => Ok(weight),
        _ => Err(syn::Error::new(literal.span(), "a weight is between 1 and 99999")),
    }
}

fn comparison(input: ParseStream<'_>) -> syn::Result<Relation> {
    if input.peek(Token![!=]) {
        return Err(input.error(
            "a partial index cannot say `!=`: the server refuses `$ne`\n\
             help: compare with what the field is to be",
        ));
    }
    macro_rules! one {
        ($($token:tt $comparison:ident),*) => {
            $(if input.peek(Token![$token]) {
                input.parse::<Token![$token]>()?;
                return Ok(Relation::$comparison);
            })*
        };
    }
    one!(== Eq, >= Gte, <= Lte, > Gt, < Lt);
    Err(input.error("expected `==`, `>=`, `<=`, `>` or `<`"))
}

fn literal(input: ParseStream<'_>) -> syn::Result<Literal> {
    if input.peek(LitStr) {
        return Ok(Literal::Text(input.parse::<LitStr>()?.value()));
    }
    if let Ok(Lit::Bool(literal)) = input.fork().parse::<Lit>() {
        input.parse::<Lit>()?;
        return Ok(Literal::Bool(literal.value));
    }
    value::number(input)
        .map(Literal::Number)
        .map_err(|error| syn::Error::new(error.span(), "expected a string, a number, `true` or `false`"))
}

/// The options of a collation: how they are written here, and the server's names.
const COLLATION: [(&str, &str); 8] = [
    ("strength", "strength"),
    ("case_level", "caseLevel"),
    ("case_first", "caseFirst"),
    ("numeric_ordering", "numericOrdering"),
    ("alternate", "alternate"),
    ("max_variable", "maxVariable"),
    ("normalization", "normalization"),
    ("backwards", "backwards"),
];

fn collation(span: Span, input: ParseStream<'_>) -> syn::Result<Collation> {
    let content;
    parenthesized!(content in input);
    let locale: LitStr = content
        .parse()
        .map_err(|error| syn::Error::new(error.span(), "expected a locale: `collation(\"en\")`"))?;
    let mut options = Vec::new();
    comma(&content)?;
    while !content.is_empty() {
        let name = content.call(Ident::parse_any)?;
        let text = name.to_string();
        let Some((_, server)) = COLLATION.iter().find(|(spelling, _)| *spelling == text) else {
            let hint = suggest::hint(&text, COLLATION.map(|(name, _)| name), "the options are");
            return Err(syn::Error::new(
                name.span(),
                format_args!("unknown option of a collation `{text}`{hint}"),
            ));
        };
        let value = if content.peek(Token![=]) {
            content.parse::<Token![=]>()?;
            literal(&content)?
        } else {
            Literal::Bool(true)
        };
        options.push((*server, value));
        comma(&content)?;
    }
    Ok(Collation {
        span,
        locale: locale.value(),
        options,
    })
}
