//! Prices as printed, and what a line of them comes to: integers throughout.

use std::str::FromStr;

/// The most minor units that one line may come to, so that the sums of a file of any size fit 64 bits.
const MOST: i128 = 100_000_000_000;

/// A price of one piece, in millionths of the currency's major unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Price(i64);

impl Price {
    /// Whether this is more than nothing.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// What `quantity` pieces cost, in hundredths of the major unit, rounded half up once; `None` if that is negative
    /// or beyond all measure.
    #[must_use]
    pub fn times(self, quantity: i64) -> Option<i64> {
        let millionths = i128::from(self.0).checked_mul(i128::from(quantity))?;
        let minor = millionths.checked_add(5_000)?.div_euclid(10_000);
        if (0..=MOST).contains(&minor) { i64::try_from(minor).ok() } else { None }
    }
}

/// Text that is not a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAPrice;

impl FromStr for Price {
    type Err = NotAPrice;

    /// Reads an optional sign, digits, and at most six digits behind a point.
    fn from_str(text: &str) -> Result<Self, NotAPrice> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !numeric(whole) || !numeric(fraction) || fraction.len() > 6 {
            return Err(NotAPrice);
        }
        let whole: i64 = whole.parse().map_err(|_| NotAPrice)?;
        let fraction: i64 = format!("{fraction:0<6}").parse().map_err(|_| NotAPrice)?;
        let millionths = whole.checked_mul(1_000_000).and_then(|units| units.checked_add(fraction));
        millionths.map(|units| Self(sign * units)).ok_or(NotAPrice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn price(text: &str) -> Price {
        text.parse().unwrap()
    }

    #[test]
    fn a_line_is_rounded_half_up_once_and_not_piece_by_piece() {
        assert_eq!(price("2.55").times(6), Some(1530));
        assert_eq!(price("0.125").times(1), Some(13));
        assert_eq!(price("0.125").times(2), Some(25));
        assert_eq!(price("0.001").times(4), Some(0));
        assert_eq!(price("0.001").times(5), Some(1));
        assert_eq!(price("1.045").times(1), Some(105));
    }

    #[test]
    fn prices_compare_as_amounts_and_not_as_text() {
        assert_eq!(price("2.1"), price("2.10"));
        assert_eq!(price("7"), price("7.000000"));
        assert!(price("-0.01") < price("0") && !price("0.00").is_positive());
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_no_price() {
        for text in ["", ".", "1.", ".5", "1,50", "1e3", "+1", "--1", "NaN", "1.0000001", "99999999999999999999", "£2"]
        {
            assert_eq!(text.parse::<Price>(), Err(NotAPrice), "{text:?}");
        }
    }

    #[test]
    fn a_line_beyond_all_measure_is_refused_and_never_wraps() {
        assert_eq!(price("9000000000000").times(i64::MAX), None);
        assert_eq!(price("1.00").times(1_000_000_000), Some(100_000_000_000));
        assert_eq!(price("1.00").times(1_000_000_001), None);
        assert_eq!(price("1.00").times(-1), None);
    }
}
