//! `rename_all`: the naming styles, with the names that serde gave them.

/// A naming style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

/// Every style and its spelling.
pub(crate) const CASES: [(&str, Case); 8] = [
    ("lowercase", Case::Lower),
    ("UPPERCASE", Case::Upper),
    ("PascalCase", Case::Pascal),
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("SCREAMING_SNAKE_CASE", Case::ScreamingSnake),
    ("kebab-case", Case::Kebab),
    ("SCREAMING-KEBAB-CASE", Case::ScreamingKebab),
];

impl Case {
    pub(crate) fn find(spelling: &str) -> Option<Self> {
        CASES
            .iter()
            .find(|(name, _)| *name == spelling)
            .map(|(_, case)| *case)
    }

    /// A field's name (written in `snake_case`) in this style.
    pub(crate) fn field(self, name: &str) -> String {
        match self {
            Self::Lower | Self::Snake => name.to_owned(),
            Self::Upper | Self::ScreamingSnake => name.to_uppercase(),
            Self::Pascal => name.split('_').map(capitalised).collect(),
            Self::Camel => uncapitalised(&Self::Pascal.field(name)),
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_uppercase().replace('_', "-"),
        }
    }

    /// A variant's name (written in `PascalCase`) in this style.
    pub(crate) fn variant(self, name: &str) -> String {
        match self {
            Self::Lower => name.to_lowercase(),
            Self::Upper => name.to_uppercase(),
            Self::Pascal => name.to_owned(),
            Self::Camel => uncapitalised(name),
            Self::Snake | Self::ScreamingSnake | Self::Kebab | Self::ScreamingKebab => {
                self.field(&snake(name))
            }
        }
    }
}

/// `AuditEntry` as `audit_entry`.
pub(crate) fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for (index, letter) in name.chars().enumerate() {
        if index > 0 && letter.is_uppercase() {
            text.push('_');
        }
        text.extend(letter.to_lowercase());
    }
    text
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect()
}

fn uncapitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .into_iter()
        .flat_map(char::to_lowercase)
        .chain(letters)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{CASES, snake};

    #[test]
    fn styles() {
        let fields: Vec<_> = CASES.iter().map(|(_, case)| case.field("created_at")).collect();
        let expected = [
            "created_at",
            "CREATED_AT",
            "CreatedAt",
            "createdAt",
            "created_at",
            "CREATED_AT",
            "created-at",
            "CREATED-AT",
        ];
        assert_eq!(fields, expected);
        let variants: Vec<_> = CASES.iter().map(|(_, case)| case.variant("InReview")).collect();
        let expected = [
            "inreview",
            "INREVIEW",
            "InReview",
            "inReview",
            "in_review",
            "IN_REVIEW",
            "in-review",
            "IN-REVIEW",
        ];
        assert_eq!(variants, expected);
        assert_eq!(snake("AuditEntry"), "audit_entry");
    }
}
