//! Exact amounts: rationals that are rounded once, by name.

use crate::json::{Faults, Json, Path, text};
use num_rational::Ratio;
use num_traits::{CheckedAdd, CheckedMul, CheckedSub};
use serde::{Deserialize, Serialize};
use std::fmt;

/// An exact amount. All arithmetic is checked: `None` is an overflow, never a wrong number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(from = "(i128, i128)", into = "(i128, i128)")]
pub struct Exact(Ratio<i128>);

impl From<Exact> for (i128, i128) {
    fn from(exact: Exact) -> Self {
        (*exact.0.numer(), *exact.0.denom())
    }
}

impl From<(i128, i128)> for Exact {
    /// A stored denominator of 0 cannot be; it reads as the whole number, so that a broken item is found by its sums.
    fn from((numerator, denominator): (i128, i128)) -> Self {
        Self(if denominator == 0 { Ratio::from_integer(numerator) } else { Ratio::new(numerator, denominator) })
    }
}

impl Exact {
    /// Nothing.
    pub const ZERO: Exact = Exact(Ratio::new_raw(0, 1));
    /// One.
    pub const ONE: Exact = Exact(Ratio::new_raw(1, 1));

    /// A whole number.
    #[must_use]
    pub const fn whole(number: i64) -> Self {
        Self(Ratio::new_raw(number as i128, 1))
    }

    /// A fraction; `None` if the denominator is not positive.
    #[must_use]
    pub fn fraction(numerator: i128, denominator: i128) -> Option<Self> {
        (denominator > 0).then(|| Self(Ratio::new(numerator, denominator)))
    }

    /// The numerator in lowest terms.
    #[must_use]
    pub const fn numerator(&self) -> i128 {
        *self.0.numer()
    }

    /// The denominator in lowest terms.
    #[must_use]
    pub const fn denominator(&self) -> i128 {
        *self.0.denom()
    }

    /// Whether it is 0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        *self.0.numer() == 0
    }

    /// The sum.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(&other.0).map(Self)
    }

    /// The difference.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.0.checked_sub(&other.0).map(Self)
    }

    /// The product.
    #[must_use]
    pub fn times(self, other: Self) -> Option<Self> {
        self.0.checked_mul(&other.0).map(Self)
    }

    /// Reads a decimal that is not negative, with at most nine digits before and six after the point.
    #[must_use]
    pub fn parse_decimal(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(whole, 9) || !digits(fraction, 6) {
            return None;
        }
        let scale = 10_i128.pow(u32::try_from(fraction.len()).ok()?);
        Self::fraction(whole.parse::<i128>().ok()? * scale + fraction.parse::<i128>().ok()?, scale)
    }

    /// The whole number that a mode makes of it; `None` if that does not fit 64 bits.
    #[must_use]
    pub fn rounded(&self, mode: Rounding) -> Option<i64> {
        let (n, d) = (*self.0.numer(), *self.0.denom());
        let floor = n.div_euclid(d);
        let twice_rest = n.rem_euclid(d).checked_mul(2)?;
        let up = match mode {
            Rounding::Floor => false,
            Rounding::Ceil => twice_rest > 0,
            Rounding::HalfUp => twice_rest >= d,
            Rounding::HalfEven => twice_rest > d || (twice_rest == d && floor.rem_euclid(2) == 1),
        };
        i64::try_from(floor + i128::from(up)).ok()
    }
}

/// How an exact total becomes whole points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rounding {
    /// Down to the whole point.
    Floor,
    /// To the nearest, halves up.
    HalfUp,
    /// To the nearest, halves to the even one.
    HalfEven,
    /// Up to the whole point.
    Ceil,
}

impl Rounding {
    /// The words of the program document.
    pub const WORDS: &'static [(&'static str, Rounding)] = &[
        ("floor", Rounding::Floor),
        ("half_up", Rounding::HalfUp),
        ("half_even", Rounding::HalfEven),
        ("ceil", Rounding::Ceil),
    ];

    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }
}

impl fmt::Display for Exact {
    /// A decimal where it ends (`40.8`), else a fraction (`10/3`).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, d) = (*self.0.numer(), *self.0.denom());
        let (mut rest, mut twos, mut fives) = (d, 0_u32, 0_u32);
        while rest % 2 == 0 {
            rest /= 2;
            twos += 1;
        }
        while rest % 5 == 0 {
            rest /= 5;
            fives += 1;
        }
        let places = twos.max(fives);
        let scaled = 10_i128.checked_pow(places).and_then(|scale| Some((n.checked_mul(scale / d)?, scale)));
        match scaled {
            Some((digits, scale)) if rest == 1 => {
                let sign = if digits < 0 { "-" } else { "" };
                let (whole, part) =
                    (digits.unsigned_abs() / scale.unsigned_abs(), digits.unsigned_abs() % scale.unsigned_abs());
                if places == 0 {
                    write!(f, "{sign}{whole}")
                } else {
                    write!(f, "{sign}{whole}.{part:0width$}", width = usize::try_from(places).unwrap_or(0))
                }
            }
            Some(_) | None => write!(f, "{n}/{d}"),
        }
    }
}

/// Reads a decimal string that is not negative.
pub fn decimal(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Exact> {
    let exact = Exact::parse_decimal(text(json, at, faults)?);
    if exact.is_none() {
        faults.malformed(
            at,
            "must be a decimal like \"1.25\", not negative, at most nine digits before and six after the point",
        );
    }
    exact
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(n: i128, d: i128) -> Exact {
        Exact::fraction(n, d).unwrap()
    }

    #[test]
    fn an_exact_amount_reads_as_a_decimal_where_it_ends_else_as_a_fraction() {
        for (n, d, text) in [
            (408, 10, "40.8"),
            (10, 3, "10/3"),
            (0, 5, "0"),
            (-1, 8, "-0.125"),
            (7, 1, "7"),
            (1, 1_000_000, "0.000001"),
            (-10, 3, "-10/3"),
        ] {
            assert_eq!(exact(n, d).to_string(), text);
        }
    }

    #[test]
    fn each_rounding_mode_does_what_its_name_says() {
        let table = [
            (exact(5, 2), [2, 3, 2, 3]),
            (exact(7, 2), [3, 4, 4, 4]),
            (exact(10, 3), [3, 3, 3, 4]),
            (exact(3, 1), [3, 3, 3, 3]),
            (exact(0, 1), [0, 0, 0, 0]),
        ];
        for (amount, expected) in table {
            let rounded = [Rounding::Floor, Rounding::HalfUp, Rounding::HalfEven, Rounding::Ceil]
                .map(|mode| amount.rounded(mode).unwrap());
            assert_eq!(rounded, expected, "{amount}");
        }
    }

    #[test]
    fn decimals_are_read_exactly_and_only_decimals() {
        assert_eq!(Exact::parse_decimal("1.25"), Some(exact(5, 4)));
        assert_eq!(Exact::parse_decimal("0"), Some(Exact::ZERO));
        for bad in ["", "-1", "+1", "1.", ".5", "1e3", "1,5", "1234567890", "0.1234567", " 1", "NaN"] {
            assert_eq!(Exact::parse_decimal(bad), None, "{bad}");
        }
    }

    #[test]
    fn overflow_is_nothing_never_a_wrong_number() {
        let huge = exact(i128::MAX, 1);
        assert_eq!(huge.plus(Exact::ONE), None);
        assert_eq!(huge.times(exact(2, 1)), None);
        assert_eq!(huge.rounded(Rounding::Floor), None);
    }
}
