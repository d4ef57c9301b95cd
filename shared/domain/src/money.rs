//! Currencies of ISO 4217 and amounts in their minor units.

use crate::json::{Faults, Json, Object, Path, integer_within, text};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The most that a line or an order may cost, in minor units: far beyond any shop, and far from where sums overflow.
pub const MOST_MONEY: i64 = 1_000_000_000_000_000;

/// A currency of ISO 4217 with its number of decimals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Currency([u8; 3]);

/// The active currencies (ISO 4217 list one) whose minor unit is a hundredth.
const HUNDREDTHS: &str = "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF \
CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR \
ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD \
NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB \
TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG";
/// Those without a minor unit.
const WHOLE: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
/// Those of a thousandth.
const THOUSANDTHS: &str = "BHD IQD JOD KWD LYD OMR TND";
/// Those of a ten-thousandth.
const TEN_THOUSANDTHS: &str = "CLF UYW";

impl Currency {
    /// The currency of that code, in upper case, if there is one.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        let currency = Self(bytes);
        currency.known_exponent().map(|_| currency)
    }

    fn known_exponent(self) -> Option<u32> {
        // Three letters and a blank each: every amount that is shown asks here, and looking for blanks is the slower way.
        let among = |list: &str| list.as_bytes().chunks(4).any(|known| known.starts_with(&self.0));
        [(HUNDREDTHS, 2), (WHOLE, 0), (THOUSANDTHS, 3), (TEN_THOUSANDTHS, 4)]
            .into_iter()
            .find_map(|(list, exponent)| among(list).then_some(exponent))
    }

    /// How many decimals its minor unit has: 2 for EUR, 0 for JPY, 3 for KWD.
    #[must_use]
    pub fn exponent(self) -> u32 {
        self.known_exponent().unwrap_or(2)
    }

    /// The code.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("")
    }

    /// An amount as people write it, without the code: 4080 is `40.80` in EUR.
    #[must_use]
    pub fn decimal(self, amount: i64) -> String {
        let (sign, size) = (if amount < 0 { "-" } else { "" }, amount.unsigned_abs());
        match self.exponent() {
            0 => format!("{sign}{size}"),
            places => {
                let scale = 10_u64.pow(places);
                let width = usize::try_from(places).unwrap_or(0);
                format!("{sign}{}.{:0width$}", size / scale, size % scale)
            }
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount of money in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub amount: i64,
    /// In which currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.decimal(self.amount), self.currency)
    }
}

/// Reads a currency code.
pub fn currency(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Currency> {
    let currency = Currency::of(text(json, at, faults)?);
    if currency.is_none() {
        faults.meaningless(at, "must be an ISO 4217 currency in upper case, like EUR");
    }
    currency
}

/// Reads `{"amount", "currency"}` with an amount of at least 0.
pub fn money(json: &Json, at: &Path<'_>, faults: &mut Faults) -> Option<Money> {
    let mut object = Object::new(json, at, faults)?;
    let amount = object.required("amount", faults, integer_within(0, MOST_MONEY));
    let currency = object.required("currency", faults, currency);
    object.finish(faults);
    Some(Money { amount: amount?, currency: currency? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_the_decimals_of_their_currency() {
        for (code, amount, text) in [
            ("EUR", 4080, "40.80"),
            ("JPY", 4080, "4080"),
            ("KWD", 4080, "4.080"),
            ("EUR", -5, "-0.05"),
            ("CLF", 1, "0.0001"),
        ] {
            assert_eq!(Currency::of(code).unwrap().decimal(amount), text);
        }
    }

    #[test]
    fn only_currencies_of_iso_4217_exist() {
        for bad in ["", "eur", "EURO", "XXX", "ZZZ", "E R", "BTC"] {
            assert_eq!(Currency::of(bad), None, "{bad}");
        }
    }
}
