//! CDNOW: columns separated by blanks, a row per purchase.

use super::{LeftOut, Price, Row, Rows, Sale, other_format};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use loyalty_domain::id::CallerId;
use std::io::{self, BufRead};

pub(super) fn rows(mut bytes: impl BufRead) -> io::Result<Rows> {
    let mut line = Vec::new();
    bytes.read_until(b'\n', &mut line)?;
    let header = String::from_utf8_lossy(&line);
    let names = header.split_whitespace().count();
    if names != 4 || header.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(other_format("not CDNOW: the first row must name four columns, separated by blanks"));
    }
    let mut rows = Rows::default();
    loop {
        line.clear();
        if bytes.read_until(b'\n', &mut line)? == 0 {
            return Ok(rows);
        }
        // Nothing in a row is other than ASCII; what is not UTF-8 becomes a mark that no field takes.
        let text = String::from_utf8_lossy(&line);
        let fields: Vec<&str> = text.split_whitespace().collect();
        if !fields.is_empty() {
            let row = row(rows.total + 1, &fields);
            rows.push(row);
        }
    }
}

fn row(row: u64, fields: &[&str]) -> Result<Row, LeftOut> {
    let [customer, date, cds, dollars] = fields else { return Err(LeftOut::Columns) };
    let customer = customer.parse::<CallerId>().map_err(|_| LeftOut::Customer)?.as_str().to_owned();
    let date = Date::strptime("%Y%m%d", date).map_err(|_| LeftOut::Time)?;
    let at = date.to_zoned(TimeZone::UTC).map_err(|_| LeftOut::Time)?.timestamp();
    let quantity: i64 = cds.parse().map_err(|_| LeftOut::Quantity)?;
    let price: Price = dollars.parse().map_err(|_| LeftOut::Price)?;
    if quantity < 1 {
        return Err(LeftOut::ZeroQuantity);
    }
    // The row says what was paid in all: a free CD is a purchase of 0, as it is for the shop.
    let net = price.times(1).ok_or(LeftOut::Price)?;
    Ok(Row::Sale(Sale { row, order_id: row.to_string(), customer, at, sku: "cd".to_owned(), quantity, price, net }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_purchase_of_its_own_and_may_cost_nothing() {
        let rows =
            rows(" id date cds dollars\r\n 00007 19970101  2   11.77\r\n 00007 19970101  1    0.00\r\n".as_bytes());
        let sales = rows.unwrap().sales;
        assert_eq!(sales[0].at, "1997-01-01T00:00:00Z".parse().unwrap());
        let found: Vec<_> =
            sales.iter().map(|s| (s.order_id.as_str(), s.customer.as_str(), s.quantity, s.net)).collect();
        assert_eq!(found, [("1", "00007", 2, 1177), ("2", "00007", 1, 0)]);
    }

    #[test]
    fn rows_that_cannot_be_used_are_left_out_and_say_why() {
        let text = "id date cds dollars\n1 19970101 1\n\n1 19971301 1 2\n1 19970101 x 2\n1 19970101 0 2\n1 19970101 1 2,5\n1 19970101 1 -1.00\n\u{fffd} 19970101 1 2\n";
        let rows = rows(text.as_bytes()).unwrap();
        assert_eq!((rows.total, rows.sales.len()), (7, 0));
        let reasons: Vec<(LeftOut, u64)> = rows.left_out.into_iter().collect();
        let all = [
            (LeftOut::Columns, 1),
            (LeftOut::Customer, 1),
            (LeftOut::Quantity, 1),
            (LeftOut::Time, 1),
            (LeftOut::Price, 2),
            (LeftOut::ZeroQuantity, 1),
        ];
        assert_eq!(reasons, all);
    }
}
