//! Comparisons of strings.

use super::field::Field;
use super::filter::{Filter, Part, Test};
use super::operand::Queryable;
use crate::schema::Normaliser;

/// The most bytes of a prefix that is searched for: escaped, it has to fit into a regular expression of the server.
const MAX_PREFIX: usize = 4_096;
/// The same whatever the case: the server's compiled expression has 64 KiB, and a letter in two cases takes 33 bytes.
const MAX_IGNORING_CASE: usize = 1_024;

/// Comparisons of strings.
impl<M: 'static, T: Queryable<Item = String>> Field<M, T> {
    /// Begins with `prefix`, to the letter: nothing in it is special. A prefix of more than 4 KiB, or with a NUL
    /// character, begins nothing: the server has no expression for it.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.starts_with("Buy "));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn starts_with(&self, prefix: impl Into<String>) -> Filter<M> {
        match starts_with(self.schema.normalise, prefix.into()) {
            Some(test) => self.filter(test),
            None => Filter::nothing(),
        }
    }

    /// Ends with `suffix`, to the letter. The server has no index for that: it looks at every document of the tenant that
    /// the rest of the filter leaves. The limits are those of [`starts_with`](Self::starts_with).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.ends_with(" milk"));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn ends_with(&self, suffix: impl Into<String>) -> Filter<M> {
        self.literal(suffix.into())
            .map_or_else(Filter::nothing, |suffix| self.filter(Test::EndsWith(suffix)))
    }

    /// Contains `part`, to the letter; by no index, as [`ends_with`](Self::ends_with).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.contains("mil"));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn contains(&self, part: impl Into<String>) -> Filter<M> {
        self.literal(part.into())
            .map_or_else(Filter::nothing, |part| self.filter(Test::Contains(part)))
    }

    /// Equal, whatever the case of the letters: a letter stands for itself and for its own upper and lower case, where that is
    /// one letter (`ß` stands for itself alone). Accents count. Nothing in it is special, and more than 1 KiB, or a NUL
    /// character, is equal to nothing.
    ///
    /// An index that has the field is read as a whole (of the tenant, if the index begins with it), not searched. For a search
    /// by index declare the field `lowercase`, or store a second field that is.
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// Note::create(&ctx, note("Buy MILK")).await?;
    /// let filter = Note::filter(|n| n.text.eq_ignore_case("buy milk"));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn eq_ignore_case(&self, value: impl Into<String>) -> Filter<M> {
        match whole(self.schema.normalise, value.into()) {
            Some(test) => self.filter(test),
            None => Filter::nothing(),
        }
    }

    /// Begins with `prefix`, whatever the case of the letters; see [`eq_ignore_case`](Self::eq_ignore_case).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.starts_with_ignore_case("buy "));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn starts_with_ignore_case(&self, prefix: impl Into<String>) -> Filter<M> {
        self.ignoring_case(Part::Start, prefix.into())
    }

    /// Contains `part`, whatever the case of the letters; see [`eq_ignore_case`](Self::eq_ignore_case).
    ///
    /// ```
    /// # model_core::__example!();
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// # let ctx = example().await?;
    /// let filter = Note::filter(|n| n.text.contains_ignore_case("MIL"));
    /// assert_eq!(Note::query(&ctx).matching(filter).count().await?, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn contains_ignore_case(&self, part: impl Into<String>) -> Filter<M> {
        self.ignoring_case(Part::Any, part.into())
    }

    fn ignoring_case(&self, part: Part, wanted: String) -> Filter<M> {
        match ignoring_case(self.schema.normalise, part, wanted) {
            Some(test) => self.filter(test),
            None => Filter::nothing(),
        }
    }

    fn literal(&self, text: String) -> Option<String> {
        literal(self.schema.normalise, text)
    }
}

/// The test for a prefix; none if nothing begins so.
pub(super) fn starts_with(normalise: &[Normaliser], prefix: String) -> Option<Test> {
    let prefix = literal(normalise, prefix)?;
    Some(Test::StartsWith(prefix))
}

/// The test for a part whatever the case; none if nothing has it.
pub(super) fn ignoring_case(normalise: &[Normaliser], part: Part, text: String) -> Option<Test> {
    let text = literal(normalise, text).filter(|text| text.len() <= MAX_IGNORING_CASE)?;
    Some(Test::IgnoreCase(part, text))
}

/// The test for a whole text whatever the case, trimmed as the field is.
pub(super) fn whole(normalise: &[Normaliser], mut text: String) -> Option<Test> {
    Normaliser::apply_all(normalise, &mut text);
    ignoring_case(normalise, Part::Whole, text)
}

/// A part of a text as the field is normalised; none if the server has no expression for it.
fn literal(normalise: &[Normaliser], mut text: String) -> Option<String> {
    // White space at the end of a part is meant.
    for normaliser in normalise
        .iter()
        .filter(|normaliser| **normaliser != Normaliser::Trim)
    {
        Normaliser::apply_all(std::slice::from_ref(normaliser), &mut text);
    }
    (text.len() <= MAX_PREFIX && !text.contains('\0')).then_some(text)
}
