//! Numbers as the server computes with them: an int that overflows becomes a long, a long that overflows is an error.

use bson::Bson;

/// Which operation on bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bitwise {
    And,
    Or,
    Xor,
}

/// Why there is no result: rule and message.
pub(super) type Problem = (&'static str, &'static str);

const OVERFLOW: Problem = ("overflow", "the result does not fit a 64-bit integer");
const NOT_A_NUMBER: Problem = ("type", "the stored value is not a number of the field's kind");

pub(super) fn add(a: &Bson, b: &Bson) -> Result<Bson, Problem> {
    compute(a, b, i64::checked_add, |a, b| a + b)
}

pub(super) fn multiply(a: &Bson, b: &Bson) -> Result<Bson, Problem> {
    compute(a, b, i64::checked_mul, |a, b| a * b)
}

fn compute(
    a: &Bson,
    b: &Bson,
    whole: fn(i64, i64) -> Option<i64>,
    double: fn(f64, f64) -> f64,
) -> Result<Bson, Problem> {
    match (a, b) {
        (Bson::Double(a), Bson::Double(b)) => Ok(Bson::Double(double(*a, *b))),
        (Bson::Int32(a), Bson::Int32(b)) => {
            let result = whole(i64::from(*a), i64::from(*b)).ok_or(OVERFLOW)?;
            Ok(i32::try_from(result).map_or(Bson::Int64(result), Bson::Int32))
        }
        (a, b) => match (long(a), long(b)) {
            (Some(a), Some(b)) => whole(a, b).map(Bson::Int64).ok_or(OVERFLOW),
            _ => Err(NOT_A_NUMBER),
        },
    }
}

fn long(value: &Bson) -> Option<i64> {
    match value {
        Bson::Int32(number) => Some(i64::from(*number)),
        Bson::Int64(number) => Some(*number),
        _ => None,
    }
}

pub(super) fn bits(operation: Bitwise, a: &Bson, b: &Bson) -> Result<Bson, Problem> {
    let (Some(left), Some(right)) = (long(a), long(b)) else {
        return Err(NOT_A_NUMBER);
    };
    let result = match operation {
        Bitwise::And => left & right,
        Bitwise::Or => left | right,
        Bitwise::Xor => left ^ right,
    };
    Ok(match (a, b, i32::try_from(result)) {
        (Bson::Int32(_), Bson::Int32(_), Ok(result)) => Bson::Int32(result),
        _ => Bson::Int64(result),
    })
}

/// Zero of the operand's kind: what a missing field counts as.
pub(super) fn zero(like: &Bson) -> Bson {
    match like {
        Bson::Int32(_) => Bson::Int32(0),
        Bson::Double(_) => Bson::Double(0.0),
        _ => Bson::Int64(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_int_becomes_a_long_and_a_long_overflows() {
        assert_eq!(add(&Bson::Int32(1), &Bson::Int32(2)), Ok(Bson::Int32(3)));
        assert_eq!(
            add(&Bson::Int32(i32::MAX), &Bson::Int32(1)),
            Ok(Bson::Int64(1 << 31))
        );
        assert_eq!(
            multiply(&Bson::Int32(i32::MIN), &Bson::Int32(-1)),
            Ok(Bson::Int64(1 << 31))
        );
        assert_eq!(add(&Bson::Int64(i64::MAX), &Bson::Int64(1)), Err(OVERFLOW));
        assert_eq!(multiply(&Bson::Int64(i64::MIN), &Bson::Int64(-1)), Err(OVERFLOW));
        assert_eq!(add(&Bson::Int64(1), &Bson::Int32(1)), Ok(Bson::Int64(2)));
        assert_eq!(add(&Bson::Null, &Bson::Int32(1)), Err(NOT_A_NUMBER));
    }

    #[test]
    fn bits_keep_the_width() {
        assert_eq!(
            bits(Bitwise::Xor, &Bson::Int32(-1), &Bson::Int32(1)),
            Ok(Bson::Int32(-2))
        );
        assert_eq!(
            bits(Bitwise::Or, &Bson::Int64(4), &Bson::Int64(1)),
            Ok(Bson::Int64(5))
        );
        assert_eq!(
            bits(Bitwise::And, &Bson::Double(1.0), &Bson::Int64(1)),
            Err(NOT_A_NUMBER)
        );
    }
}
