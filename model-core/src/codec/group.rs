//! The handles of the fields inside a value, built on demand.

/// Where a group of handles lies: a stored path, and the variants of enums on the way to it.
#[derive(Debug, Clone, Default)]
pub struct Prefix {
    path: String,
    variants: Vec<(String, &'static str)>,
}

impl Prefix {
    pub(crate) fn new(path: &str, variants: &[(String, &'static str)]) -> Self {
        Self {
            path: path.to_owned(),
            variants: variants.to_vec(),
        }
    }

    /// The same path, inside of the variant whose `name` stands under `tag`.
    pub(crate) fn variant(&self, tag: &str, name: &'static str) -> Self {
        let mut inside = self.clone();
        inside.variants.push((self.join(tag), name));
        inside
    }

    /// The document around the flat enum here, inside of the variant with this name.
    pub(crate) fn beside(&self, name: &'static str) -> Self {
        let mut beside = Self::new(crate::schema::beside(&self.path), &self.variants);
        beside.variants.push((self.path.clone(), name));
        beside
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Where the name of each variant on the way stands, and the name.
    pub(crate) fn variants(&self) -> &[(String, &'static str)] {
        &self.variants
    }

    /// The stored path of what is called `stored` here.
    pub(crate) fn join(&self, stored: &str) -> String {
        if self.path.is_empty() {
            stored.to_owned()
        } else {
            format!("{}.{stored}", self.path)
        }
    }
}

/// A struct of field handles below one path.
pub trait FieldGroup: Send + Sync + 'static {
    /// The handles below `prefix`.
    fn below(prefix: &Prefix) -> Self;
}

/// The group of a type without fields.
#[derive(Debug, Clone, Copy)]
pub struct NoFields;

impl FieldGroup for NoFields {
    fn below(_: &Prefix) -> Self {
        Self
    }
}
