//! UCI "Online Retail" as comma-separated values: a row per line of an invoice.

use super::{Cancellation, LeftOut, Price, Row, Rows, Sale, other_format};
use csv::{ByteRecord, ReaderBuilder};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use loyalty_domain::id::{CallerId, Label};
use std::io::{self, Read};
use std::str::FromStr;

const COLUMNS: [&str; 8] =
    ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];

pub(super) fn rows(bytes: impl Read) -> io::Result<Rows> {
    // Rows of other lengths are ours to count; by default they would end the reading.
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    if !reader.byte_headers()?.iter().eq(COLUMNS.iter().map(|name| name.as_bytes())) {
        return Err(other_format("not Online Retail: the first row must name its eight columns, InvoiceNo first"));
    }
    let mut rows = Rows::default();
    let mut record = ByteRecord::new();
    while reader.read_byte_record(&mut record)? {
        let row = Fields::of(&record).and_then(|fields| fields.row(rows.total + 1));
        rows.push(row);
    }
    Ok(rows)
}

/// The fields that matter. The description does not, so it need not even be UTF-8.
struct Fields<'a> {
    invoice: &'a str,
    sku: &'a str,
    quantity: &'a str,
    at: &'a str,
    price: &'a str,
    customer: &'a str,
}

impl<'a> Fields<'a> {
    fn of(record: &'a ByteRecord) -> Result<Self, LeftOut> {
        if record.len() != COLUMNS.len() {
            return Err(LeftOut::Columns);
        }
        // What is not UTF-8 is as good as empty: each reader below refuses that.
        let field = |index: usize| record.get(index).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or("");
        Ok(Self {
            invoice: field(0),
            sku: field(1),
            quantity: field(3),
            at: field(4),
            price: field(5),
            customer: field(6),
        })
    }

    fn row(&self, row: u64) -> Result<Row, LeftOut> {
        // Customer numbers went through a spreadsheet: 17850.0 is 17850.
        let customer = self.customer.strip_suffix(".0").unwrap_or(self.customer);
        if customer.is_empty() {
            return Err(LeftOut::NoCustomer);
        }
        let customer = kept::<CallerId>(customer).ok_or(LeftOut::Customer)?;
        let invoice = kept::<CallerId>(self.invoice).ok_or(LeftOut::Invoice)?;
        let sku = kept::<Label>(self.sku).ok_or(LeftOut::StockCode)?;
        let quantity: i64 = self.quantity.parse().map_err(|_| LeftOut::Quantity)?;
        let at: DateTime = self.at.parse().map_err(|_| LeftOut::Time)?;
        let at = at.to_zoned(TimeZone::UTC).map_err(|_| LeftOut::Time)?.timestamp();
        let price: Price = self.price.parse().map_err(|_| LeftOut::Price)?;

        if quantity == 0 {
            return Err(LeftOut::ZeroQuantity);
        }
        if quantity < 0 {
            let quantity = quantity.checked_neg().ok_or(LeftOut::TooLarge)?;
            return Ok(Row::Cancellation(Cancellation { row, refund_id: invoice, customer, at, sku, quantity, price }));
        }
        if invoice.starts_with('C') {
            return Err(LeftOut::CancelsNothing);
        }
        if !price.is_positive() {
            return Err(LeftOut::ZeroPrice);
        }
        let net = price.times(quantity).ok_or(LeftOut::TooLarge)?;
        Ok(Row::Sale(Sale { row, order_id: invoice, customer, at, sku, quantity, price, net }))
    }
}

/// The text, if the API would take it for a `T`.
fn kept<T: FromStr>(text: &str) -> Option<String> {
    T::from_str(text).is_ok().then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(rows_text: &str) -> Rows {
        rows(format!("{}\n{rows_text}", COLUMNS.join(",")).as_bytes()).unwrap()
    }

    fn left_out(row: &str) -> LeftOut {
        let rows = read(row);
        assert_eq!((rows.total, rows.sales.len(), rows.cancellations.len()), (1, 0, 0), "{row}");
        *rows.left_out.keys().next().unwrap()
    }

    #[test]
    fn a_row_is_a_line_of_a_purchase() {
        let rows = read("7001,BANK CHARGES,\"Beans, \"\"dark\"\"\nroast\",3,2011-02-03 10:20:00,2.345,9001.0,Utopia\n");
        let sale = Sale {
            row: 1,
            order_id: "7001".to_owned(),
            customer: "9001".to_owned(),
            at: "2011-02-03T10:20:00Z".parse().unwrap(),
            sku: "BANK CHARGES".to_owned(),
            quantity: 3,
            price: "2.345".parse().unwrap(),
            net: 704,
        };
        assert_eq!(rows.sales, [sale]);
    }

    #[test]
    fn a_negative_quantity_is_a_cancellation_with_or_without_a_c() {
        let rows = read(
            "C7002,B1,x,-2,2011-02-03 10:20:00,2,9001,U\n7003,B1,x,-2,2011-02-03 10:20:00,2,9001,U\n7003,B1,x,1,2011-02-03 10:20:00,2,9001,U",
        );
        let found: Vec<_> = rows.cancellations.iter().map(|c| (c.row, c.refund_id.as_str(), c.quantity)).collect();
        assert_eq!(found, [(1, "C7002", 2), (2, "7003", 2)]);
        assert_eq!(rows.sales[0].row, 3);
    }

    #[test]
    fn rows_that_cannot_be_used_are_left_out_and_say_why() {
        assert_eq!(left_out("7001,B1,x,1,2011-02-03 10:20:00,2.00,,U"), LeftOut::NoCustomer);
        assert_eq!(left_out("7001,B1,x,abc,2011-02-03 10:20:00,2.00,,U"), LeftOut::NoCustomer);
        assert_eq!(left_out("7001,B1,x,1,2011-02-03 10:20:00,2.00,9001"), LeftOut::Columns);
        assert_eq!(left_out("7001,B1,x,y,1,2011-02-03 10:20:00,2.00,9001,U"), LeftOut::Columns);
        assert_eq!(left_out("70 01,B1,x,1,2011-02-03 10:20:00,2.00,9001,U"), LeftOut::Invoice);
        assert_eq!(left_out("7001,B1,x,1,2011-02-03 10:20:00,2.00,90#01,U"), LeftOut::Customer);
        assert_eq!(left_out("7001,,x,1,2011-02-03 10:20:00,2.00,9001,U"), LeftOut::StockCode);
        assert_eq!(left_out("7001,B1,x,1.5,2011-02-03 10:20:00,2.00,9001,U"), LeftOut::Quantity);
        assert_eq!(left_out("7001,B1,x,1,2011-02-30 10:20:00,2.00,9001,U"), LeftOut::Time);
        assert_eq!(left_out("7001,B1,x,1,2011-02-03 10:20:00,\"2,00\",9001,U"), LeftOut::Price);
        assert_eq!(left_out("7001,B1,x,0,2011-02-03 10:20:00,2.00,9001,U"), LeftOut::ZeroQuantity);
        assert_eq!(left_out("C7001,B1,x,1,2011-02-03 10:20:00,2.00,9001,U"), LeftOut::CancelsNothing);
        assert_eq!(left_out("7001,B1,x,1,2011-02-03 10:20:00,0.0,9001,U"), LeftOut::ZeroPrice);
        assert_eq!(left_out("7001,B1,x,1,2011-02-03 10:20:00,-3.00,9001,U"), LeftOut::ZeroPrice);
        assert_eq!(left_out("7001,B1,x,9000000000000000,2011-02-03 10:20:00,9.00,9001,U"), LeftOut::TooLarge);
    }

    #[test]
    fn bytes_that_are_no_text_are_left_out_or_do_not_matter() {
        let mut bytes = format!("{}\n", COLUMNS.join(",")).into_bytes();
        bytes.extend_from_slice(b"7001,B1,caf\xe9,1,2011-02-03 10:20:00,2.00,9001,U\n");
        bytes.extend_from_slice(b"7001,B\xe9,x,1,2011-02-03 10:20:00,2.00,9001,U\n");
        let rows = rows(bytes.as_slice()).unwrap();
        assert_eq!(rows.sales.len(), 1);
        assert_eq!(rows.left_out.get(&LeftOut::StockCode), Some(&1));
    }
}
