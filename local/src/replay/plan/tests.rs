use super::*;
use crate::replay::{Kind, read};

/// Plans made-up rows of `invoice,sku,quantity,time of 2011-05-01,price,customer`.
fn planned(rows: &str) -> Plan {
    let mut text = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n".to_owned();
    for row in rows.split_whitespace() {
        let [invoice, sku, quantity, time, price, customer] = row.split(',').collect::<Vec<_>>()[..] else {
            panic!("{row}")
        };
        text += &format!("{invoice},{sku},,{quantity},2011-05-01 {time}:00,{price},{customer},\n");
    }
    plan(read::rows(Kind::OnlineRetail, text.as_bytes()).unwrap())
}

/// Steps of the only member: `order` for a purchase, `refund>order line:quantity:net …` for a refund.
fn steps(plan: &Plan) -> Vec<String> {
    let [member] = &plan.members[..] else { panic!("{} members", plan.members.len()) };
    let said = |step: &Step| match step {
        Step::Purchase(purchase) => purchase.order_id.clone(),
        Step::Refund(Refund { order_id, refund_id, lines, .. }) => {
            let line = |line: &RefundLine| format!(" {}:{}:{}", line.line_id, line.quantity, line.net_amount);
            format!("{refund_id}>{order_id}{}", lines.iter().map(line).collect::<String>())
        }
    };
    member.steps.iter().map(said).collect()
}

#[test]
fn an_invoice_is_one_purchase_of_all_its_rows_repeated_ones_too() {
    let plan = planned("1,A,2,10:00,1.50,7 1,A,2,10:00,1.50,7 2,B,1,10:05,0.99,8 1,C,1,09:59,0.33,7");
    let [first, second] = &plan.members[..] else { panic!() };
    let Step::Purchase(purchase) = &first.steps[0] else { panic!() };
    assert_eq!((first.external_id.as_str(), second.external_id.as_str()), ("7", "8"));
    assert_eq!(purchase.occurred_at, "2011-05-01T09:59:00Z");
    let lines: Vec<_> = purchase.lines.iter().map(|line| (line.line_id.as_str(), line.net_amount)).collect();
    assert_eq!(lines, [("1", 300), ("2", 300), ("4", 33)]);
    assert_eq!(purchase.points, 6);
    assert_eq!((plan.summary.purchases, plan.summary.lines, plan.summary.net, plan.summary.earned), (2, 4, 732, 6));
}

#[test]
fn points_are_rounded_down_per_invoice_and_not_per_line_or_in_all() {
    let plan = planned("1,A,1,10:00,0.60,7 1,B,1,10:00,0.60,7 2,A,1,10:00,0.90,7");
    assert_eq!(plan.summary.earned, 1);
}

#[test]
fn rows_of_another_customer_under_one_invoice_number_are_left_out() {
    let plan = planned("1,A,1,10:00,5,7 1,B,1,10:00,5,8");
    assert_eq!(plan.summary.left_out.get(&LeftOut::OtherCustomer), Some(&1));
    assert_eq!((plan.summary.members, plan.summary.lines), (1, 1));
}

#[test]
fn a_cancelled_row_takes_the_same_price_first_and_the_latest_invoice_first() {
    let plan = planned("1,A,5,10:00,2,7 2,A,5,11:00,2,7 3,A,5,12:00,3,7 C4,A,-8,13:00,2,7");
    assert_eq!(steps(&plan), ["1", "2", "3", "C4>1 1:3:600", "C4>2 2:5:1000"]);
    let plan = planned("1,A,5,10:00,2,7 2,A,5,11:00,2,7 3,A,5,12:00,3,7 C4,A,-12,13:00,2,7");
    assert_eq!(steps(&plan), ["1", "2", "3", "C4>1 1:5:1000", "C4>2 2:5:1000", "C4>3 3:2:600"]);
}

#[test]
fn of_two_invoices_of_one_moment_the_one_further_down_is_cancelled_first() {
    let plan = planned("1,A,1,10:00,2,7 2,A,1,10:00,2,7 C3,A,-1,10:00,2,7");
    assert_eq!(steps(&plan), ["1", "2", "C3>2 2:1:200"]);
}

#[test]
fn within_an_invoice_lines_are_cancelled_in_file_order() {
    let plan = planned("1,A,2,10:00,2,7 1,B,1,10:00,2,7 1,A,2,10:00,2,7 C2,A,-3,10:30,2,7");
    assert_eq!(steps(&plan), ["1", "C2>1 1:2:400 3:1:200"]);
}

#[test]
fn an_invoice_later_than_the_cancellation_is_not_cancelled_by_it() {
    let plan = planned("C1,A,-1,10:00,2,7 2,A,1,11:00,2,7 3,A,1,09:00,2,7");
    assert_eq!(steps(&plan), ["2", "3", "C1>3 3:1:200"]);
}

#[test]
fn rows_of_one_cancellation_that_hit_one_line_are_one_line_of_one_refund() {
    let plan = planned("1,A,9,10:00,2,7 C2,A,-2,11:00,2,7 C2,A,-3,11:00,9,7 C3,A,-1,11:30,2,7");
    assert_eq!(steps(&plan), ["1", "C2>1 1:5:1000", "C3>1 1:1:200"]);
    assert_eq!((plan.summary.cancelled.matched, plan.summary.refunds), (3, 2));
}

#[test]
fn what_is_not_found_is_counted_and_the_rest_taken() {
    let plan = planned("1,A,2,10:00,2,7 C2,A,-5,11:00,2,7 C2,B,-4,11:00,2,7 C2,A,-1,11:00,2,7 C3,A,-1,11:00,2,9");
    assert_eq!(steps(&plan), ["1", "C2>1 1:2:400"]);
    let cancelled = Cancelled { rows: 4, matched: 0, in_part: 1, unmatched: 3, pieces: 2, pieces_unmatched: 9 };
    assert_eq!(plan.summary.cancelled, cancelled);
    assert_eq!(plan.summary.left(), 0);
}

#[test]
fn a_line_is_worth_the_floor_of_its_share_however_it_came_there() {
    // 3 pieces for 1.00: 0.66 for two, 0.33 for one.
    let one_by_one = planned("1,A,3,10:00,0.3333,7 C2,A,-1,11:00,1,7 C3,A,-1,11:00,1,7 C4,A,-1,11:00,1,7");
    assert_eq!(steps(&one_by_one), ["1", "C2>1 1:1:34", "C3>1 1:1:33", "C4>1 1:1:33"]);
    let at_once = planned("1,A,3,10:00,0.3333,7 C2,A,-2,11:00,1,7");
    assert_eq!(steps(&at_once), ["1", "C2>1 1:2:67"]);
    assert_eq!((at_once.summary.net, at_once.summary.net_left), (100, 33));
    assert_eq!((at_once.summary.earned, at_once.summary.clawed_back), (1, 1));
}

#[test]
fn each_refund_says_how_many_points_it_must_take() {
    let plan = planned("1,A,4,10:00,0.80,7 C2,A,-1,11:00,0.80,7 C3,A,-1,11:00,0.80,7 C4,A,-2,11:00,0.80,7");
    let points = |step: &Step| match step {
        Step::Purchase(purchase) => purchase.points,
        Step::Refund(refund) => -refund.points,
    };
    assert_eq!(plan.members[0].steps.iter().map(points).collect::<Vec<_>>(), [3, -1, -1, -1]);
}
