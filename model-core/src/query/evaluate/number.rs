//! Numbers of all BSON kinds, compared by value and without rounding.

use std::cmp::Ordering;
use std::io::Write as _;

/// A number that was stored as an int, a long, a double or a decimal128.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Number {
    Int(i64),
    Double(f64),
    Decimal(Decimal),
}

/// A decimal128: IEEE 754-2008 in its binary integer encoding.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Decimal {
    NotANumber,
    Infinite {
        negative: bool,
    },
    /// `coefficient * 10^exponent`, at most 34 digits.
    Finite {
        negative: bool,
        coefficient: u128,
        exponent: i32,
    },
}

/// The largest coefficient; a larger one is not canonical and counts as zero.
const MAX_COEFFICIENT: u128 = 10_u128.pow(34) - 1;
const EXPONENT_BIAS: i32 = 6176;
/// The most significant digits that the exact value of a double has, less the one before the point.
const MAX_FRACTION_DIGITS: usize = 766;

impl Decimal {
    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let bits = u128::from_le_bytes(bytes);
        let negative = bits >> 127 == 1;
        let combination = (bits >> 122) & 0x1F;
        match combination {
            0x1F => Self::NotANumber,
            0x1E => Self::Infinite { negative },
            // The coefficient would begin with binary 100 and be too large for 34 digits.
            0x18..=0x1D => Self::Finite {
                negative,
                coefficient: 0,
                exponent: 0,
            },
            _ => {
                let exponent = i32::try_from((bits >> 113) & 0x3FFF).unwrap_or(0) - EXPONENT_BIAS;
                let coefficient = bits & ((1 << 113) - 1);
                let coefficient = if coefficient > MAX_COEFFICIENT {
                    0
                } else {
                    coefficient
                };
                Self::Finite {
                    negative,
                    coefficient,
                    exponent,
                }
            }
        }
    }

    fn truncated(self) -> Option<i64> {
        let Self::Finite {
            negative,
            coefficient,
            exponent,
        } = self
        else {
            return None;
        };
        let power = 10_u128.saturating_pow(exponent.unsigned_abs());
        let size = if exponent < 0 {
            coefficient.checked_div(power)?
        } else {
            coefficient.saturating_mul(power)
        };
        let size = i128::try_from(size).ok()?;
        i64::try_from(if negative { -size } else { size }).ok()
    }

    fn of_int(number: i64) -> Self {
        Self::Finite {
            negative: number < 0,
            coefficient: u128::from(number.unsigned_abs()),
            exponent: 0,
        }
    }

    /// -1, 0 or 1; infinities are beyond all others.
    fn signum(self) -> i32 {
        match self {
            Self::NotANumber | Self::Finite { coefficient: 0, .. } => 0,
            Self::Infinite { negative } | Self::Finite { negative, .. } => {
                if negative {
                    -1
                } else {
                    1
                }
            }
        }
    }
}

impl Number {
    pub(crate) fn is_nan(self) -> bool {
        match self {
            Self::Int(_) => false,
            Self::Double(number) => number.is_nan(),
            Self::Decimal(number) => matches!(number, Decimal::NotANumber),
        }
    }

    /// The number without its fraction; none if 64 bits do not hold it.
    #[allow(clippy::cast_possible_truncation)] // the range is checked first
    pub(crate) fn truncated(self) -> Option<i64> {
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        match self {
            Self::Int(number) => Some(number),
            Self::Double(number) => (-LIMIT..LIMIT).contains(&number).then_some(number as i64),
            Self::Decimal(number) => number.truncated(),
        }
    }

    /// The server's order: NaN equals NaN and comes before every other number.
    pub(crate) fn order(self, other: Self) -> Ordering {
        match (self.is_nan(), other.is_nan()) {
            (true, true) => return Ordering::Equal,
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) => {}
        }
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Self::Int(a), Self::Double(b)) => int_and_double(a, b),
            (Self::Double(a), Self::Int(b)) => int_and_double(b, a).reverse(),
            (Self::Decimal(a), Self::Decimal(b)) => decimals(a, b),
            (Self::Int(a), Self::Decimal(b)) => decimals(Decimal::of_int(a), b),
            (Self::Decimal(a), Self::Int(b)) => decimals(a, Decimal::of_int(b)),
            (Self::Double(a), Self::Decimal(b)) => double_and_decimal(a, b),
            (Self::Decimal(a), Self::Double(b)) => double_and_decimal(b, a).reverse(),
        }
    }
}

#[allow(clippy::cast_possible_truncation)] // the range is checked first
fn int_and_double(int: i64, double: f64) -> Ordering {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if double >= LIMIT {
        return Ordering::Less;
    }
    if double < -LIMIT {
        return Ordering::Greater;
    }
    let whole = double.trunc();
    let fraction = double - whole;
    int.cmp(&(whole as i64))
        .then(0.0.partial_cmp(&fraction).unwrap_or(Ordering::Equal))
}

fn decimals(a: Decimal, b: Decimal) -> Ordering {
    let by_sign = a.signum().cmp(&b.signum());
    if by_sign.is_ne() || a.signum() == 0 {
        return by_sign;
    }
    let by_size = match (a, b) {
        (Decimal::Infinite { .. }, Decimal::Infinite { .. }) => Ordering::Equal,
        (Decimal::Infinite { .. }, _) => Ordering::Greater,
        (_, Decimal::Infinite { .. }) => Ordering::Less,
        (
            Decimal::Finite {
                coefficient: a,
                exponent: p,
                ..
            },
            Decimal::Finite {
                coefficient: b,
                exponent: q,
                ..
            },
        ) => sizes((a, p), (b, q)),
        (Decimal::NotANumber, _) | (_, Decimal::NotANumber) => Ordering::Equal,
    };
    if a.signum() < 0 {
        by_size.reverse()
    } else {
        by_size
    }
}

/// Compares `coefficient * 10^exponent` of two that are not zero.
fn sizes(a: (u128, i32), b: (u128, i32)) -> Ordering {
    magnitude(a.0, a.1).cmp(&magnitude(b.0, b.1)).then_with(|| {
        // Both have as many digits before the point: what the scaling adds to one, the other has already, so that
        // neither gets more than 34 digits.
        let scaled = |number: (u128, i32), to: i32| {
            number
                .0
                .saturating_mul(10_u128.saturating_pow(number.1.abs_diff(to)))
        };
        let exponent = a.1.min(b.1);
        scaled(a, exponent).cmp(&scaled(b, exponent))
    })
}

/// The power of ten of the first digit.
fn magnitude(coefficient: u128, exponent: i32) -> i32 {
    exponent + i32::try_from(coefficient.checked_ilog10().unwrap_or(0)).unwrap_or(0)
}

fn double_and_decimal(double: f64, decimal: Decimal) -> Ordering {
    let sign = if double == 0.0 {
        0
    } else if double < 0.0 {
        -1
    } else {
        1
    };
    let by_sign = sign.cmp(&decimal.signum());
    if by_sign.is_ne() || sign == 0 {
        return by_sign;
    }
    let by_size = match decimal {
        Decimal::Infinite { .. } if double.is_infinite() => Ordering::Equal,
        _ if double.is_infinite() => Ordering::Greater,
        Decimal::Finite {
            coefficient,
            exponent,
            ..
        } => digits_and_decimal(double.abs(), coefficient, exponent),
        Decimal::Infinite { .. } | Decimal::NotANumber => Ordering::Less,
    };
    if sign < 0 { by_size.reverse() } else { by_size }
}

/// Compares the exact decimal digits of a positive finite double with `coefficient * 10^exponent`.
fn digits_and_decimal(double: f64, coefficient: u128, exponent: i32) -> Ordering {
    let mut text = [0_u8; 1024];
    let mut rest = &mut text[..];
    // A double needs at most 767 digits, and every digit is a byte: the buffer cannot be too short.
    let _ = write!(rest, "{double:.MAX_FRACTION_DIGITS$e}");
    let unused = rest.len();
    let text = text.get(..text.len() - unused).unwrap_or_default();
    let mut parts = text.split(|byte| *byte == b'e');
    let digits = parts.next().unwrap_or_default();
    let power = parts
        .next()
        .and_then(|power| std::str::from_utf8(power).ok()?.parse::<i32>().ok())
        .unwrap_or(0);
    power.cmp(&magnitude(coefficient, exponent)).then_with(|| {
        let mut place = 10_u128.pow(coefficient.checked_ilog10().unwrap_or(0));
        for digit in digits.iter().filter(|byte| **byte != b'.') {
            let other = coefficient.checked_div(place).unwrap_or(0) % 10;
            place /= 10;
            let order = u128::from(digit - b'0').cmp(&other);
            if order.is_ne() {
                return order;
            }
        }
        Ordering::Equal
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Number {
        let decimal: bson::Decimal128 = text.parse().unwrap();
        Number::Decimal(Decimal::from_bytes(decimal.bytes()))
    }

    #[test]
    fn kinds_compare_by_value() {
        use Ordering::{Equal, Greater, Less};
        for (a, b, order) in [
            (Number::Int(3), Number::Double(3.0), Equal),
            (Number::Double(-0.0), Number::Int(0), Equal),
            (
                Number::Int((1 << 53) + 1),
                Number::Double(9_007_199_254_740_992.0),
                Greater,
            ),
            (
                Number::Int(i64::MAX),
                Number::Double(9_223_372_036_854_775_808.0),
                Less,
            ),
            (
                Number::Int(i64::MIN),
                Number::Double(-9_223_372_036_854_775_808.0),
                Equal,
            ),
            (Number::Int(-3), Number::Double(-3.5), Greater),
            (Number::Int(1), decimal("1.00"), Equal),
            (Number::Int(i64::MIN), decimal("-9223372036854775808"), Equal),
            (
                decimal("1E+33"),
                decimal("1000000000000000000000000000000000"),
                Equal,
            ),
            (decimal("1E+6000"), decimal("9E+5999"), Greater),
            (decimal("-1E+6000"), decimal("9E+5999"), Less),
            (decimal("0E-100"), Number::Double(-0.0), Equal),
            (Number::Double(0.5), decimal("0.5000"), Equal),
            (Number::Double(0.1), decimal("0.1"), Greater),
            (Number::Double(-0.1), decimal("-0.1"), Less),
            (
                Number::Double(0.1),
                decimal("0.1000000000000000055511151231257827"),
                Greater,
            ),
            (
                Number::Double(0.1),
                decimal("0.1000000000000000055511151231257828"),
                Less,
            ),
            (
                Number::Double(5e-324),
                decimal("4.940656458412465441765687928682213E-324"),
                Greater,
            ),
            (Number::Double(1e300), decimal("1E+300"), Greater),
            (Number::Double(f64::INFINITY), decimal("Infinity"), Equal),
            (Number::Double(f64::NEG_INFINITY), decimal("Infinity"), Less),
            (Number::Double(f64::MAX), decimal("Infinity"), Less),
            (Number::Double(f64::INFINITY), decimal("9E+6111"), Greater),
            (Number::Double(f64::NAN), decimal("NaN"), Equal),
            (decimal("NaN"), decimal("-Infinity"), Less),
        ] {
            assert_eq!(a.order(b), order, "{a:?} {b:?}");
            assert_eq!(b.order(a), order.reverse(), "{b:?} {a:?}");
        }
    }
}
