//! How alike vectors are.

use super::field::Field;
use crate::codec::{DecodeError, Elements, FieldValue, RawValue, tag};
use crate::schema::Similarity;
use crate::value::{Vector, each_number, packed};

/// A field type that holds vectors of `N` numbers.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no vectors of {N} numbers",
    label = "not a vector of {N} numbers",
    note = "the field of `nearest` is a `Vector<{N}>`, or an `Option` or `Vec` of it"
)]
pub trait HoldsVectors<const N: usize>: FieldValue {}

impl<const N: usize> HoldsVectors<N> for Vector<N> {}
impl<const N: usize> HoldsVectors<N> for Option<Vector<N>> {}
impl<const N: usize> HoldsVectors<N> for Vec<Vector<N>> {}

impl<M: 'static, T: FieldValue> Field<M, T> {
    /// How the field says that its vectors are compared.
    pub(crate) fn similarity(&self) -> Similarity {
        self.schema.similarity.unwrap_or_default()
    }
}

/// A vector that stored ones are compared with.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    numbers: Box<[f32]>,
    /// Its length.
    length: f64,
}

impl Target {
    pub(crate) fn new(numbers: &[f32]) -> Self {
        let square: f64 = numbers.iter().map(|number| f64::from(*number).powi(2)).sum();
        Self {
            numbers: numbers.into(),
            length: square.sqrt(),
        }
    }

    /// The numbers of the vector itself.
    pub(crate) fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// How alike the vector at `path` of a stored document is, of several the one that is most: the higher, the more. None
    /// if there is none.
    ///
    /// # Errors
    /// What is stored there is no vector, or one of another dimension.
    pub(crate) fn score_of(
        &self,
        document: &[u8],
        path: &str,
        similarity: Similarity,
    ) -> Result<Option<f64>, DecodeError> {
        let mut best: Option<f64> = None;
        let mut take = |value: RawValue<'_>| {
            let score = self.score(value, similarity)?;
            best = Some(best.map_or(score, |best| best.max(score)));
            Ok(())
        };
        each_vector(RawValue::document_of(document), Some(path), &mut take)
            .map_err(|error| error.at(path))?;
        Ok(best)
    }

    fn score(&self, value: RawValue<'_>, similarity: Similarity) -> Result<f64, DecodeError> {
        if value.tag != tag::ARRAY {
            let stored = packed(value)?;
            return self.compare(stored.len(), stored, similarity);
        }
        let mut stored = Vec::with_capacity(self.numbers.len());
        each_number(value, &mut |number| stored.push(number))?;
        self.compare(stored.len(), stored.into_iter(), similarity)
    }

    fn compare(
        &self,
        count: usize,
        stored: impl Iterator<Item = f32>,
        similarity: Similarity,
    ) -> Result<f64, DecodeError> {
        if count != self.numbers.len() {
            return Err(DecodeError::new("a vector of another dimension"));
        }
        let pairs = self.numbers.iter().zip(stored);
        let pairs = pairs.map(|(a, b)| (f64::from(*a), f64::from(b)));
        Ok(match similarity {
            Similarity::Dot => f64::midpoint(1.0, pairs.map(|(a, b)| a * b).sum()),
            Similarity::Euclidean => {
                let square: f64 = pairs.map(|(a, b)| (a - b).powi(2)).sum();
                1.0 / (1.0 + square.sqrt())
            }
            Similarity::Cosine => {
                let (dot, square) =
                    pairs.fold((0.0, 0.0), |(dot, square), (a, b)| (dot + a * b, square + b * b));
                let lengths = self.length * f64::sqrt(square);
                if lengths > 0.0 {
                    f64::midpoint(1.0, dot / lengths)
                } else {
                    0.0
                }
            }
        })
    }
}

/// Hands out the vectors that a path reaches: an array of numbers is one, any other array has them as its elements.
fn each_vector(
    value: RawValue<'_>,
    path: Option<&str>,
    each: &mut dyn FnMut(RawValue<'_>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    match (value.tag, path) {
        (tag::NULL, _) => Ok(()),
        (tag::DOCUMENT, Some(path)) => {
            let (name, rest) = path
                .split_once('.')
                .map_or((path, None), |(name, rest)| (name, Some(rest)));
            match Elements::new(value.bytes)?.find(name)? {
                Some(found) => each_vector(found, rest, each),
                None => Ok(()),
            }
        }
        (tag::ARRAY, None) if begins_with_number(value)? => each(value),
        (tag::ARRAY, path) => {
            let mut items = value.array()?;
            while let Some(item) = items.next_value()? {
                each_vector(item, path, each)?;
            }
            Ok(())
        }
        (_, None) => each(value),
        (_, Some(_)) => Ok(()),
    }
}

fn begins_with_number(array: RawValue<'_>) -> Result<bool, DecodeError> {
    let first = array.array()?.next_value()?;
    Ok(first.is_some_and(|first| !matches!(first.tag, tag::ARRAY | tag::BINARY | tag::NULL | tag::DOCUMENT)))
}

#[cfg(test)]
mod tests {
    use bson::{Bson, doc};

    use super::Target;
    use crate::codec::{FieldValue as _, Writer};
    use crate::schema::Similarity;
    use crate::value::Vector;

    fn score(stored: impl Into<Bson>, similarity: Similarity) -> Option<f64> {
        let document = doc! { "a": { "v": stored.into() } }.to_vec().unwrap();
        Target::new(&[3.0, 4.0])
            .score_of(&document, "a.v", similarity)
            .unwrap()
    }

    fn close(found: Option<f64>, expected: f64) {
        assert!((found.unwrap() - expected).abs() < 1e-9, "{found:?} {expected}");
    }

    #[test]
    fn by_angle_product_and_distance() {
        let array = || vec![4.0, 3.0];
        close(score(array(), Similarity::Cosine), 0.98);
        close(score(array(), Similarity::Dot), 12.5);
        close(score(array(), Similarity::Euclidean), 1.0 / (1.0 + 2_f64.sqrt()));
        close(score(vec![0.0, 0.0], Similarity::Cosine), 0.0);
        close(score(vec![-3, -4], Similarity::Cosine), 0.0);
    }

    #[test]
    fn whatever_form_is_stored() {
        let mut out = Writer::new();
        Vector::<2>::try_from([4.0, 3.0]).unwrap().encode(&mut out, "v");
        let packed = bson::Document::from_reader(&*out.finish().unwrap()).unwrap();
        let packed = packed.get("v").unwrap().clone();
        assert_eq!(
            score(packed.clone(), Similarity::Cosine),
            score(vec![4.0, 3.0], Similarity::Cosine)
        );
        // Of several, the best counts.
        let several = vec![Bson::Array(vec![(-3.0).into(), (-4.0).into()]), packed];
        close(score(several, Similarity::Cosine), 0.98);
        assert_eq!(score(Bson::Null, Similarity::Cosine), None);
        assert_eq!(score(Vec::<Bson>::new(), Similarity::Cosine), None);
        for malformed in [Bson::from("text"), vec![1.0].into(), vec![1.0, 2.0, 3.0].into()] {
            let document = doc! { "v": malformed }.to_vec().unwrap();
            assert!(
                Target::new(&[3.0, 4.0])
                    .score_of(&document, "v", Similarity::Dot)
                    .is_err()
            );
        }
    }
}
