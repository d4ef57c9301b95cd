//! Rows from files. What cannot be used is left out and counted by reason: real data is dirty, and a replay that stops
//! at row 141 helps nobody.

mod cdnow;
mod retail;

use super::Kind;
pub use super::amount::Price;
use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// What a file holds, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// How many rows there are, usable or not, the header not counted.
    pub total: u64,
    /// Lines of purchases.
    pub sales: Vec<Sale>,
    /// Lines of cancellations.
    pub cancellations: Vec<Cancellation>,
    /// How many rows were left out, and why.
    pub left_out: BTreeMap<LeftOut, u64>,
}

/// One line that a customer bought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sale {
    /// Position in the file: 1 is the first row after the header.
    pub row: u64,
    /// The invoice.
    pub order_id: String,
    /// The customer.
    pub customer: String,
    /// When, the file's local times taken as UTC.
    pub at: Timestamp,
    /// Stock code.
    pub sku: String,
    /// Pieces, at least 1.
    pub quantity: i64,
    /// What one piece cost (CDNOW: the whole row), for finding what a cancellation cancels.
    pub price: Price,
    /// What the line cost, in minor units.
    pub net: i64,
}

/// One line that a customer gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    /// Position in the file.
    pub row: u64,
    /// The cancelling invoice.
    pub refund_id: String,
    /// The customer.
    pub customer: String,
    /// When, the file's local times taken as UTC.
    pub at: Timestamp,
    /// Stock code.
    pub sku: String,
    /// Pieces given back, at least 1.
    pub quantity: i64,
    /// Price of one piece.
    pub price: Price,
}

/// Why a row was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Nobody to give points to.
    NoCustomer,
    /// More or fewer fields than the header.
    Columns,
    /// An invoice number that cannot be an order id.
    Invoice,
    /// A customer number that cannot be an external id.
    Customer,
    /// A stock code that is empty, longer than 64 characters or not printable.
    StockCode,
    /// A quantity that is no whole number.
    Quantity,
    /// A time that is none.
    Time,
    /// A price that is no decimal.
    Price,
    /// Nothing was bought or given back.
    ZeroQuantity,
    /// A cancelling invoice with a positive quantity.
    CancelsNothing,
    /// Given away, or a correction of the books.
    ZeroPrice,
    /// More money than any line can cost.
    TooLarge,
    /// The invoice began with another customer.
    OtherCustomer,
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoCustomer => "without a customer",
            Self::Columns => "malformed columns",
            Self::Invoice => "malformed invoice number",
            Self::Customer => "malformed customer number",
            Self::StockCode => "malformed stock code",
            Self::Quantity => "malformed quantity",
            Self::Time => "malformed time",
            Self::Price => "malformed price",
            Self::ZeroQuantity => "of no quantity",
            Self::CancelsNothing => "cancelling nothing",
            Self::ZeroPrice => "without a price",
            Self::TooLarge => "too large",
            Self::OtherCustomer => "of another customer's invoice",
        })
    }
}

/// Reads all of a file.
///
/// # Errors
/// Those of reading, a broken gzip stream included; [`io::ErrorKind::InvalidData`] when the header is not the kind's.
pub fn rows_of(kind: Kind, file: &Path) -> io::Result<Rows> {
    rows(kind, File::open(file)?)
}

/// Reads all of a file's bytes, plain or gzipped.
///
/// # Errors
/// As [`rows_of`].
pub fn rows(kind: Kind, bytes: impl Read) -> io::Result<Rows> {
    let mut packed = BufReader::with_capacity(1 << 16, bytes);
    if packed.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
        plain_rows(kind, BufReader::with_capacity(1 << 16, MultiGzDecoder::new(packed)))
    } else {
        plain_rows(kind, packed)
    }
}

fn plain_rows(kind: Kind, bytes: impl BufRead) -> io::Result<Rows> {
    match kind {
        Kind::OnlineRetail => retail::rows(bytes),
        Kind::Cdnow => cdnow::rows(bytes),
    }
}

/// A row that can be used.
enum Row {
    Sale(Sale),
    Cancellation(Cancellation),
}

impl Rows {
    /// Takes in the next row.
    fn push(&mut self, row: Result<Row, LeftOut>) {
        self.total += 1;
        match row {
            Ok(Row::Sale(sale)) => self.sales.push(sale),
            Ok(Row::Cancellation(cancellation)) => self.cancellations.push(cancellation),
            Err(why) => *self.left_out.entry(why).or_default() += 1,
        }
    }
}

fn other_format(detail: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, detail.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    const FILE: &str = "id date cds dollars\r\n 00001 19970101 1 11.77\r\n";

    #[test]
    fn a_gzipped_file_is_known_by_its_first_bytes() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(FILE.as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        let plain = rows(Kind::Cdnow, FILE.as_bytes()).unwrap();
        assert_eq!(plain.sales.len(), 1);
        assert_eq!(rows(Kind::Cdnow, packed.as_slice()).unwrap(), plain);
    }

    #[test]
    fn a_gzipped_file_that_was_cut_short_is_an_error_and_not_a_shorter_file() {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(FILE.repeat(50).as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        assert!(rows(Kind::Cdnow, &packed[..packed.len() - 12]).is_err());
    }

    #[test]
    fn a_file_of_another_kind_is_refused_at_its_header() {
        for kind in [Kind::OnlineRetail, Kind::Cdnow] {
            for text in ["", "\n", "PK\u{3}\u{4}", "a,b,c\n1,2,3\n"] {
                assert_eq!(rows(kind, text.as_bytes()).unwrap_err().kind(), io::ErrorKind::InvalidData, "{text:?}");
            }
        }
    }
}
