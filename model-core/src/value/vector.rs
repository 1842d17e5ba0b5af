//! Vectors: what a model of language makes of a text, say.

use std::fmt;

use serde_json::Value;

use super::scalar::own_input;
use crate::codec::{
    DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Writer, tag,
};
use crate::error::Error;
use crate::schema::TypeSchema;

/// The subtype of BSON's packed vectors.
const SUBTYPE: u8 = 9;
/// Numbers of 32 bits, and no bits of padding.
const FLOAT32: [u8; 2] = [0x27, 0];

/// A vector of `N` numbers of 32 bits, none of which is infinite or "not a number".
///
/// Stored as BSON binary of subtype 9 (4 bytes a number, where an array takes 11 and more), unless the field says
/// `vector(stored = array)`, for other readers; either is read. In JSON it is an array of exactly `N` numbers. [`nearest`](crate::Query::nearest)
/// finds the documents whose vectors are most like a given one.
///
/// ```
/// use model_core::value::Vector;
///
/// let vector = Vector::<3>::try_from(vec![1.0, 0.0, 0.5])?;
/// assert_eq!(vector.as_slice(), [1.0, 0.0, 0.5]);
/// assert!(Vector::<3>::try_from(vec![1.0]).is_err());
/// # Ok::<(), model_core::Error>(())
/// ```
///
/// A vector of another dimension is another type:
///
/// ```compile_fail,E0308
/// use model_core::value::Vector;
///
/// fn takes(_: Vector<1536>) {}
/// takes(Vector::try_from([1.0, 0.0]).unwrap());
/// ```
#[derive(Clone, PartialEq)]
pub struct Vector<const N: usize>(Box<[f32]>);

impl<const N: usize> Vector<N> {
    /// Its numbers.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Its numbers, to keep.
    pub fn into_vec(self) -> Vec<f32> {
        self.0.into_vec()
    }

    fn checked(numbers: Vec<f32>) -> Result<Self, &'static str> {
        if numbers.len() != N {
            return Err("a vector of another dimension");
        }
        if !numbers.iter().all(|number| number.is_finite()) {
            return Err("a vector holds finite numbers");
        }
        Ok(Self(numbers.into_boxed_slice()))
    }
}

impl<const N: usize> TryFrom<Vec<f32>> for Vector<N> {
    type Error = Error;

    /// # Errors
    /// `Invalid`: another dimension, or a number that is not finite.
    fn try_from(numbers: Vec<f32>) -> Result<Self, Error> {
        Self::checked(numbers).map_err(|why| Error::violation("", "vector", why))
    }
}

impl<const N: usize> TryFrom<[f32; N]> for Vector<N> {
    type Error = Error;

    /// # Errors
    /// `Invalid`: a number that is not finite.
    fn try_from(numbers: [f32; N]) -> Result<Self, Error> {
        Self::try_from(numbers.to_vec())
    }
}

/// Tells the dimension: what the numbers were made of could be found from them.
impl<const N: usize> fmt::Debug for Vector<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vector({N})")
    }
}

impl<const N: usize> FieldValue for Vector<N> {
    const TYPE: TypeSchema = TypeSchema::Vector(N);
    const INERT: bool = true;
    own_input!();
    type View = VectorView;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        if out.writes_arrays() {
            return out.array(key, &self.0, |out, index, number| {
                out.f64(index, f64::from(*number));
            });
        }
        let mut bytes = Vec::with_capacity(FLOAT32.len() + 4 * self.0.len());
        bytes.extend_from_slice(&FLOAT32);
        for number in &self.0 {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        out.binary(key, SUBTYPE, &bytes);
    }

    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        let mut numbers = Vec::with_capacity(N);
        each_number(value, &mut |number| numbers.push(number))?;
        Self::checked(numbers).map_err(DecodeError::new)
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        let items = match value {
            Value::Array(items) => items,
            other => return cx.wrong_type("an array of numbers", &other),
        };
        if items.len() != N {
            cx.reject("dimension", format!("expected {N} numbers"));
            return None;
        }
        let mut numbers = Vec::with_capacity(N);
        for (place, item) in items.iter().enumerate() {
            #[allow(clippy::cast_possible_truncation)] // as precise as it is stored
            let number = item.as_f64().map(|number| number as f32);
            match number {
                Some(number) if number.is_finite() => numbers.push(number),
                Some(_) => cx.at_index(place, |cx| cx.reject("range", "out of range of f32")),
                None => cx.at_index(place, |cx| cx.reject("type", "expected a number")),
            }
        }
        Self::checked(numbers).ok()
    }

    fn into_view(self) -> VectorView {
        VectorView(self.0)
    }
}

/// A vector as an array of numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorView(Box<[f32]>);

impl serde::Serialize for VectorView {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter())
    }
}

impl ViewValue for VectorView {}

/// Hands out the numbers of a stored vector, packed or in an array.
pub(crate) fn each_number(value: RawValue<'_>, each: &mut dyn FnMut(f32)) -> Result<(), DecodeError> {
    if value.tag == tag::ARRAY {
        let mut items = value.array()?;
        while let Some(item) = items.next_value()? {
            #[allow(clippy::cast_possible_truncation)] // as precise as it is stored by us
            each(item.f64()? as f32);
        }
        return Ok(());
    }
    packed(value)?.for_each(each);
    Ok(())
}

/// The numbers of a packed vector.
pub(crate) fn packed(value: RawValue<'_>) -> Result<impl ExactSizeIterator<Item = f32>, DecodeError> {
    let numbers = match value.binary()? {
        (SUBTYPE, bytes) => bytes.strip_prefix(&FLOAT32),
        _ => None,
    };
    let numbers = numbers.map(<[u8]>::as_chunks::<4>);
    match numbers {
        Some((numbers, [])) => Ok(numbers.iter().map(|number| f32::from_le_bytes(*number))),
        _ => Err(DecodeError::new(
            "expected a packed vector of numbers of 32 bits, or an array of numbers",
        )),
    }
}
