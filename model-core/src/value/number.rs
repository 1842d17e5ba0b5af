//! Numbers: whole ones are range-checked, both ways.

use bson::Decimal128;
use serde_json::Value;

use super::scalar::{own_input, own_view, parse_text};
use crate::codec::{
    Constraints, DecodeCx, DecodeError, FieldValue, InputCx, Never, NoFields, RawValue, ViewValue, Visitor,
    Writer, tag,
};
use crate::schema::{Number, TypeSchema};

macro_rules! integer {
    ($type:ty, $schema:ident, $write:ident, $as:ty) => {
        impl FieldValue for $type {
            const TYPE: TypeSchema = TypeSchema::$schema;
            // A rule still looks at it: `Visitor::field` skips only an inert field without rules.
            const INERT: bool = true;
            own_input!();
            own_view!();

            #[inline]
            fn encode(&self, out: &mut Writer<'_>, key: &str) {
                #[allow(clippy::useless_conversion, irrefutable_let_patterns)] // not for every type
                match <$as>::try_from(*self) {
                    Ok(number) => out.$write(key, number),
                    Err(_) => out.reject(key, "range", "does not fit BSON's 64-bit integer"),
                }
            }

            #[inline]
            fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
                #[allow(clippy::useless_conversion)] // not for every type
                Self::try_from(value.i64()?)
                    .map_err(|_| DecodeError::new(concat!("out of range of ", stringify!($type))))
            }

            fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
                #[allow(clippy::useless_conversion)] // not for every type
                visitor.number(
                    constraints,
                    Number::Int(i64::try_from(*self).unwrap_or(i64::MAX)),
                );
            }

            fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
                let Value::Number(number) = &value else {
                    return cx.wrong_type("a whole number", &value);
                };
                #[allow(clippy::useless_conversion)] // not for every type
                let fits = number
                    .as_i64()
                    .and_then(|number| Self::try_from(number).ok())
                    .or_else(|| {
                        number
                            .as_u64()
                            .and_then(|number| Self::try_from(number).ok())
                    });
                if fits.is_none() {
                    cx.reject(
                        "type",
                        concat!(
                            "expected a whole number in the range of ",
                            stringify!($type)
                        ),
                    );
                }
                fits
            }
        }

        impl ViewValue for $type {}
    };
}

integer!(i16, Int16, i32, i32);
integer!(u16, Uint16, i32, i32);
integer!(i32, Int32, i32, i32);
integer!(u32, Uint32, i64, i64);
integer!(i64, Int64, i64, i64);
integer!(u64, Uint64, i64, i64);

macro_rules! float {
    ($type:ty, $schema:ident) => {
        impl FieldValue for $type {
            const TYPE: TypeSchema = TypeSchema::$schema;
            const INERT: bool = true;
            own_input!();
            own_view!();

            #[inline]
            fn encode(&self, out: &mut Writer<'_>, key: &str) {
                out.f64(key, f64::from(*self));
            }

            #[inline]
            #[allow(clippy::cast_possible_truncation)] // an f32 field stores what an f32 holds
            fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
                let number = value.f64()?;
                let own = number as Self;
                if number.is_finite() && !own.is_finite() {
                    return Err(DecodeError::new(concat!(
                        "out of range of ",
                        stringify!($type)
                    )));
                }
                Ok(own)
            }

            fn visit(&mut self, constraints: Constraints, visitor: &mut Visitor<'_>) {
                // A bound is written in decimal, so the value is compared as it prints: an f32 of 0.1 is not above 0.1.
                let number = self
                    .to_string()
                    .parse()
                    .unwrap_or_else(|_| f64::from(*self));
                visitor.number(constraints, Number::Float(number));
            }

            #[allow(clippy::cast_possible_truncation)] // as above
            fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
                match value.as_f64() {
                    Some(number) if (number as Self).is_finite() => Some(number as Self),
                    Some(_) => {
                        cx.reject(
                            "type",
                            concat!("expected a number in the range of ", stringify!($type)),
                        );
                        None
                    }
                    None => cx.wrong_type("a number", &value),
                }
            }
        }

        impl ViewValue for $type {}
    };
}

float!(f32, Single);
float!(f64, Double);

impl FieldValue for Decimal128 {
    const TYPE: TypeSchema = TypeSchema::Decimal128;
    const INERT: bool = true;
    own_input!();
    type View = String;

    fn encode(&self, out: &mut Writer<'_>, key: &str) {
        out.raw(key, tag::DECIMAL128, &self.bytes());
    }

    fn decode(value: RawValue<'_>, _: &DecodeCx<'_>) -> Result<Self, DecodeError> {
        value.decimal128().map(Self::from_bytes)
    }

    fn parse(value: Value, cx: &mut InputCx) -> Option<Self> {
        parse_text(&value, "a decimal number as a string", cx, |text| {
            text.parse().ok()
        })
    }

    fn into_view(self) -> String {
        self.to_string()
    }
}
