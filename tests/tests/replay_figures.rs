//! What files come to before any of it is sent: the samples in the repository, made up for this, and the real histories
//! where they are at hand. The figures were computed outside this project, by other code in another language.

use loyalty_local::replay::plan::{Cancelled, Plan, Step, Summary};
use loyalty_local::replay::read::LeftOut;
use loyalty_local::replay::{Kind, plan_file};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Plans a file of the repository.
fn sample(kind: Kind, name: &str) -> Plan {
    planned(kind, &Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name))
}

/// Plans a real file, if the folder with them lies beside the repository.
fn real(kind: Kind, name: &str) -> Option<Plan> {
    let file: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "shared", "data", name].iter().collect();
    if file.exists() {
        return Some(planned(kind, &file));
    }
    println!("skipped: {} is not there", file.display());
    None
}

/// Plans a file and checks what holds for every plan.
fn planned(kind: Kind, file: &Path) -> Plan {
    let plan = plan_file(kind, file).unwrap();
    let mut order_ids = BTreeSet::new();
    for member in &plan.members {
        // Line → pieces and minor units that are left.
        let mut left: BTreeMap<(&str, &str), (i64, i64)> = BTreeMap::new();
        for step in &member.steps {
            match step {
                Step::Purchase(purchase) => {
                    assert!(order_ids.insert(&purchase.order_id), "{} twice", purchase.order_id);
                    for line in &purchase.lines {
                        let net = (line.quantity, line.net_amount);
                        let doubled = left.insert((&purchase.order_id, &line.line_id), net);
                        assert_eq!(doubled, None, "line {} twice", line.line_id);
                    }
                }
                Step::Refund(refund) => {
                    let lines: BTreeSet<&str> = refund.lines.iter().map(|line| line.line_id.as_str()).collect();
                    assert_eq!(lines.len(), refund.lines.len(), "a line twice in refund {}", refund.refund_id);
                    assert!(!lines.is_empty());
                    for line in &refund.lines {
                        let (pieces, net) = left.get_mut(&(refund.order_id.as_str(), line.line_id.as_str())).unwrap();
                        *pieces -= line.quantity;
                        *net -= line.net_amount;
                        assert!(line.quantity > 0 && line.net_amount >= 0 && *pieces >= 0 && *net >= 0);
                        assert!(*pieces > 0 || *net == 0, "nothing is left of {} and it is worth {net}", line.line_id);
                    }
                }
            }
        }
    }
    plan
}

#[test]
fn the_sample_shop_comes_to_what_was_computed_by_other_means() {
    let Plan { members, summary } = sample(Kind::OnlineRetail, "sample-retail.csv");
    let left_out = [
        (LeftOut::NoCustomer, 440),
        (LeftOut::Columns, 2),
        (LeftOut::Invoice, 1),
        (LeftOut::Customer, 1),
        (LeftOut::StockCode, 2),
        (LeftOut::Quantity, 2),
        (LeftOut::Time, 2),
        (LeftOut::Price, 2),
        (LeftOut::ZeroQuantity, 1),
        (LeftOut::CancelsNothing, 1),
        (LeftOut::ZeroPrice, 21),
        (LeftOut::TooLarge, 1),
        (LeftOut::OtherCustomer, 1),
    ];
    let expected = Summary {
        rows: 3_063,
        lines: 2_296,
        left_out: BTreeMap::from(left_out),
        cancelled: Cancelled {
            rows: 290,
            matched: 220,
            in_part: 27,
            unmatched: 43,
            pieces: 602,
            pieces_unmatched: 176,
        },
        members: 94,
        purchases: 684,
        refunds: 188,
        net: 14_513_921,
        net_left: 13_550_939,
        earned: 144_830,
        clawed_back: 9_615,
    };
    assert_eq!(summary, expected);
    assert_eq!(members.len(), 94);
}

#[test]
fn the_sample_of_discs_comes_to_what_was_computed_by_other_means() {
    let Plan { summary, .. } = sample(Kind::Cdnow, "sample-cdnow.txt");
    let left_out = [LeftOut::Columns, LeftOut::Quantity, LeftOut::Time, LeftOut::Price, LeftOut::ZeroQuantity];
    let expected = Summary {
        rows: 438,
        lines: 433,
        left_out: left_out.into_iter().map(|why| (why, 1)).collect(),
        members: 160,
        purchases: 433,
        net: 1_391_550,
        net_left: 1_391_550,
        earned: 13_657,
        ..Summary::default()
    };
    assert_eq!(summary, expected);
}

#[test]
fn a_year_of_a_gift_shop_comes_to_the_known_figures() {
    let Some(Plan { summary, .. }) = real(Kind::OnlineRetail, "online-retail.csv.gz") else { return };
    let cancelled = Cancelled {
        rows: 8_905,
        matched: 7_516,
        in_part: 54,
        unmatched: 1_335,
        pieces: 250_838,
        pieces_unmatched: 23_970,
    };
    let expected = Summary {
        rows: 541_909,
        lines: 397_884,
        left_out: BTreeMap::from([(LeftOut::NoCustomer, 135_080), (LeftOut::ZeroPrice, 40)]),
        cancelled,
        members: 4_338,
        purchases: 18_532,
        refunds: 3_880,
        net: 891_140_790,
        net_left: 843_290_689,
        earned: 8_902_670,
        clawed_back: 478_472,
    };
    assert_eq!(summary, expected);
    assert_eq!(summary.left(), 8_424_198);
}

#[test]
fn eighteen_months_of_a_music_shop_come_to_the_known_figures() {
    let Some(Plan { summary, .. }) = real(Kind::Cdnow, "cdnow.txt.gz") else { return };
    let found = (summary.rows, summary.purchases, summary.members, summary.earned, summary.left());
    assert_eq!(found, (69_659, 69_659, 23_570, 2_453_159, 2_453_159));
    assert!(summary.left_out.is_empty());
}
