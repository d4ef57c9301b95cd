//! Voucher codes: 80 bits that nobody can guess, in a spelling that people can read out.
//!
//! A code is the first ten bytes of a keyed hash of the redemption's id, so that it can be shown again though it is not
//! kept. It is written in 16 symbols of Crockford's base 32 and a check symbol, modulo 37: every wrong symbol and every
//! swap of neighbours is found before anything is looked up.

use std::fmt;

/// The symbols of base 32, and after them those that only a check symbol can be.
const SYMBOLS: &[u8; 37] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U";
/// Symbols without the check symbol.
const LENGTH: usize = 16;
/// What the check symbol counts by.
const MODULUS: u128 = 37;

/// A voucher's code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code([u8; 10]);

/// Text that is not a code: of another length, with other symbols, or mistyped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a voucher code")]
pub struct BadCode;

impl Code {
    /// The code of ten bytes of a keyed hash.
    #[must_use]
    pub const fn new(bytes: [u8; 10]) -> Self {
        Self(bytes)
    }

    /// The ten bytes.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 10] {
        self.0
    }

    /// Reads a code, blind to case, dashes, blanks and look-alikes (O for 0, I and L for 1).
    ///
    /// # Errors
    /// [`BadCode`].
    pub fn parse(text: &str) -> Result<Self, BadCode> {
        let typed = text.bytes().filter(|byte| !matches!(byte, b'-' | b' '));
        let values = typed.take(LENGTH + 2).map(value).collect::<Option<Vec<u8>>>().ok_or(BadCode)?;
        let [symbols @ .., check] = values.as_slice() else { return Err(BadCode) };
        if symbols.len() != LENGTH || symbols.iter().any(|value| *value >= 32) {
            return Err(BadCode);
        }
        let number = symbols.iter().fold(0_u128, |number, value| number << 5 | u128::from(*value));
        if number % MODULUS != u128::from(*check) {
            return Err(BadCode);
        }
        let mut bytes = [0_u8; 10];
        for (to, from) in bytes.iter_mut().zip(number.to_be_bytes().into_iter().skip(6)) {
            *to = from;
        }
        Ok(Self(bytes))
    }

    fn number(&self) -> u128 {
        self.0.iter().fold(0, |number, byte| number << 8 | u128::from(*byte))
    }
}

/// What a symbol stands for, however it is written.
fn value(byte: u8) -> Option<u8> {
    let plain = match byte.to_ascii_uppercase() {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    SYMBOLS.iter().position(|symbol| *symbol == plain).and_then(|place| u8::try_from(place).ok())
}

fn symbol(value: u128) -> char {
    let place = usize::try_from(value).unwrap_or(0);
    SYMBOLS.get(place).map_or('0', |symbol| char::from(*symbol))
}

impl fmt::Display for Code {
    /// In groups of four, and the check symbol by itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.number();
        for place in 0..LENGTH {
            if place > 0 && place % 4 == 0 {
                f.write_str("-")?;
            }
            write!(f, "{}", symbol(number >> (5 * (LENGTH - 1 - place)) & 31))?;
        }
        write!(f, "-{}", symbol(number % MODULUS))
    }
}

impl fmt::Debug for Code {
    /// A code is as good as money: it is not shown where nobody asked for it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}
