//! What the spelling of a type says. A derive sees no types, only how they are written; what it concludes here is used
//! for messages, for `Option` and for what a field is for, never for safety: where it errs, the emitted code does not compile.

use syn::{GenericArgument, PathArguments, PathSegment, Type};

/// The kinds of scalars that rules can be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scalar {
    Number,
    Bool,
    String,
    /// An id, a date, bytes: neither text nor number.
    Other,
}

impl Scalar {
    /// For messages.
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::String => "a string",
            Self::Other => "neither a string nor a number",
        }
    }
}

/// The type without the groups and parentheses that macros put around it.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

fn last(ty: &Type) -> Option<&PathSegment> {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

fn arguments(segment: &PathSegment) -> impl Iterator<Item = &Type> {
    let arguments = match &segment.arguments {
        PathArguments::AngleBracketed(arguments) => Some(arguments.args.iter()),
        _ => None,
    };
    arguments
        .into_iter()
        .flatten()
        .filter_map(|argument| match argument {
            GenericArgument::Type(ty) => Some(ty),
            _ => None,
        })
}

/// Whether it is spelled `Option<..>`.
pub(crate) fn is_option(ty: &Type) -> bool {
    last(ty).is_some_and(|segment| segment.ident == "Option" && arguments(segment).count() == 1)
}

/// Whether it is spelled as a secret, or as an option, array or map of one: it has no place in a view.
pub(crate) fn is_secret(ty: &Type) -> bool {
    last(ty).is_some_and(|segment| match segment.ident.to_string().as_str() {
        "Encrypted" | "PasswordHash" | "TokenDigest" => true,
        "Option" | "Vec" | "BTreeMap" | "HashMap" => arguments(segment).last().is_some_and(is_secret),
        _ => false,
    })
}

/// Whether it is spelled as an encrypted value, or as an option, array or map of one.
pub(crate) fn is_encrypted(ty: &Type) -> bool {
    last(ty).is_some_and(|segment| match segment.ident.to_string().as_str() {
        "Encrypted" => true,
        "Option" | "Vec" | "BTreeMap" | "HashMap" => arguments(segment).last().is_some_and(is_encrypted),
        _ => false,
    })
}

/// Whether it is spelled as a type that no filter reaches, so that a newtype of it is not queryable either.
pub(crate) fn is_opaque(ty: &Type) -> bool {
    is_secret(ty)
        || last(ty).is_some_and(|segment| match segment.ident.to_string().as_str() {
            "Foreign" | "BTreeMap" | "HashMap" => true,
            "Option" | "Vec" => arguments(segment).last().is_some_and(is_opaque),
            _ => false,
        })
}

/// The scalar that a rule meets: inside options and arrays, or inside a map's values.
pub(crate) fn scalar(ty: &Type) -> Option<Scalar> {
    let segment = last(ty)?;
    Some(match segment.ident.to_string().as_str() {
        "i8" | "i16" | "u16" | "i32" | "u32" | "i64" | "u64" | "f32" | "f64" | "Decimal128" => Scalar::Number,
        "bool" => Scalar::Bool,
        "String" => Scalar::String,
        "DateTime" | "ObjectId" | "Uuid" | "Bytes" | "Id" | "Ref" | "TenantId" | "Revision" => Scalar::Other,
        "Option" | "Vec" | "BTreeMap" | "HashMap" | "Encrypted" => return scalar(arguments(segment).last()?),
        _ => return None,
    })
}

/// Whether it is spelled as one scalar, so that it has no elements to count.
pub(crate) fn has_no_elements(ty: &Type) -> bool {
    let Some(segment) = last(ty) else { return false };
    match segment.ident.to_string().as_str() {
        "Option" => arguments(segment).last().is_some_and(has_no_elements),
        "Vec" | "BTreeMap" | "HashMap" => false,
        _ => scalar(ty).is_some(),
    }
}

/// The name at the end of the type's path, inside options.
pub(crate) fn name(ty: &Type) -> Option<String> {
    let segment = last(ty)?;
    if segment.ident == "Option" {
        name(arguments(segment).last()?)
    } else {
        Some(segment.ident.to_string())
    }
}

/// Why it cannot be stored, where the spelling alone tells.
pub(crate) fn unstorable(ty: &Type) -> Option<(String, &'static str)> {
    let help = match bare(ty) {
        Type::Tuple(_) => (
            "a tuple",
            "write a struct with `#[derive(Embedded)]`: values need names",
        ),
        Type::Array(_) | Type::Slice(_) => (
            "an array of fixed length",
            "write `Vec<T>`, with the rule `items(..)`",
        ),
        Type::Reference(_) | Type::Ptr(_) => {
            ("a reference", "a document owns its values: write the type itself")
        }
        Type::BareFn(_) | Type::TraitObject(_) | Type::ImplTrait(_) | Type::Never(_) => ("this type", KINDS),
        Type::Path(_) => return unstorable_path(last(ty)?),
        _ => return None,
    };
    Some((help.0.to_owned(), help.1))
}

const KINDS: &str =
    "put `#[derive(Embedded)]` on a type of your own; wrap a foreign serde type in `Foreign<T>`";

fn unstorable_path(segment: &PathSegment) -> Option<(String, &'static str)> {
    let name = segment.ident.to_string();
    if arguments(segment).next().is_none() {
        let help = match name.as_str() {
            "usize" => "its size depends on the machine: write `u32` or `u64`",
            "isize" => "its size depends on the machine: write `i32` or `i64`",
            "u8" | "i8" => "the smallest integers that are stored are `i16` and `u16`; bytes are `Bytes`",
            "u128" | "i128" => {
                "the largest integers that are stored are `i64` and `u64`; there is `Decimal128`"
            }
            "char" | "str" => "write `String`",
            _ => return None,
        };
        return Some((format!("`{name}`"), help));
    }
    match name.as_str() {
        "Option" | "Vec" | "BTreeMap" | "HashMap" => unstorable(arguments(segment).last()?),
        "HashSet" | "BTreeSet" | "VecDeque" => Some((format!("`{name}<..>`"), "write `Vec<T>`")),
        "Rc" | "Arc" | "Box" | "Cow" | "Cell" | "RefCell" | "Mutex" | "RwLock" => {
            Some((format!("`{name}<..>`"), KINDS))
        }
        _ => None,
    }
}

/// The name of the one type argument: `Widget` in `Id<Widget>`.
pub(crate) fn argument(ty: &Type) -> Option<String> {
    let argument = arguments(last(ty)?).next()?;
    last(argument).map(|segment| segment.ident.to_string())
}

#[cfg(test)]
mod tests {
    use super::{Scalar, has_no_elements, is_option, is_secret, scalar};
    use syn::Type;

    fn ty(text: &str) -> Type {
        syn::parse_str(text).unwrap()
    }

    #[test]
    fn options_and_secrets() {
        assert!(is_option(&ty("std::option::Option<u8>")));
        assert!(!is_option(&ty("Vec<Option<u8>>")));
        for secret in [
            "Encrypted<String>",
            "Option<PasswordHash>",
            "Vec<Option<m::Encrypted<u8>>>",
        ] {
            assert!(is_secret(&ty(secret)), "{secret}");
        }
        assert!(!is_secret(&ty("Option<String>")));
    }

    #[test]
    fn scalars() {
        assert_eq!(scalar(&ty("Option<Vec<u32>>")), Some(Scalar::Number));
        assert_eq!(scalar(&ty("BTreeMap<String, bool>")), Some(Scalar::Bool));
        assert_eq!(scalar(&ty("Limits")), None);
        assert!(has_no_elements(&ty("Option<String>")) && !has_no_elements(&ty("Option<Vec<String>>")));
    }
}
