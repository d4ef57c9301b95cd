//! An award worked out the slow way, straight from the words of the rules and from the bare JSON of the document: one
//! fraction per line and rule, two-valued conditions, nothing of the engine but its input types.

use loyalty_domain::purchase::OrderLine;
use serde_json::Value;
use std::collections::BTreeSet;

/// A fraction in lowest terms; the denominator is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fraction(pub(crate) i128, pub(crate) i128);

impl Fraction {
    pub(crate) fn new(n: i128, d: i128) -> Self {
        let (mut a, mut b) = (n.abs(), d);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        Self(n / a.max(1), d / a.max(1))
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self::new(self.0 * other.1 + other.0 * self.1, self.1 * other.1)
    }

    pub(crate) fn times(self, other: Self) -> Self {
        Self::new(self.0 * other.0, self.1 * other.1)
    }

    /// A decimal or, with a slash, a fraction.
    pub(crate) fn read(text: &str) -> Self {
        if let Some((n, d)) = text.split_once('/') {
            return Self::new(n.parse().unwrap(), d.parse().unwrap());
        }
        let (digits, places) = match text.split_once('.') {
            Some((whole, part)) => (format!("{whole}{part}"), part.len()),
            None => (text.to_owned(), 0),
        };
        Self::new(digits.parse().unwrap(), 10_i128.pow(u32::try_from(places).unwrap()))
    }

    pub(crate) fn rounded(self, mode: &str) -> i64 {
        let Self(n, d) = self;
        let floor = n.div_euclid(d);
        let rest = n.rem_euclid(d);
        let up = match mode {
            "floor" => false,
            "ceil" => rest > 0,
            "half_up" => 2 * rest >= d,
            "half_even" => 2 * rest > d || (2 * rest == d && floor % 2 != 0),
            other => panic!("{other}"),
        };
        i64::try_from(floor + i128::from(up)).unwrap()
    }
}

/// What the rules look at, in plain form.
#[derive(Debug, Clone)]
pub(crate) struct Facts {
    pub(crate) channel: String,
    pub(crate) store: Option<String>,
    pub(crate) currency: String,
    pub(crate) level: usize,
    pub(crate) tags: Vec<String>,
    /// Monday 0.
    pub(crate) weekday: usize,
    pub(crate) minute: i64,
    /// Local date in the program's zone, `yyyy-mm-dd`.
    pub(crate) date: String,
    pub(crate) first_purchase: bool,
    pub(crate) member_days: i64,
    pub(crate) used_up: BTreeSet<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Award {
    pub(crate) exact: Fraction,
    pub(crate) points: i64,
    pub(crate) gave: BTreeSet<usize>,
}

pub(crate) fn award(document: &Value, facts: &Facts, lines: &[(OrderLine, i64)]) -> Award {
    let zero = Fraction(0, 1);
    if lines.is_empty() {
        return Award { exact: zero, points: 0, gave: BTreeSet::new() };
    }
    let total: i64 = lines.iter().map(|(_, net)| net).sum();
    let rules = document["earning_rules"].as_array().unwrap();
    let serves = |place: usize| {
        let rule = &rules[place];
        rule["on"] == "purchase"
            && rule["from"].as_str().is_none_or(|from| facts.date.as_str() >= from)
            && rule["until"].as_str().is_none_or(|until| facts.date.as_str() < until)
            && !facts.used_up.contains(&place)
    };
    let selects = |place: usize, line: &OrderLine| {
        rules[place]["when"].is_null() || holds(document, &rules[place]["when"], facts, total, line)
    };
    let (mut exact, mut gave, mut fixed) = (zero, BTreeSet::new(), 0_i64);
    for (line, net) in lines {
        let mut points = zero;
        for place in (0..rules.len()).filter(|place| serves(*place)) {
            let rate = &rules[place]["award"]["per_amount"];
            if !rate.is_null() && rate["currency"] == facts.currency.as_str() && selects(place, line) {
                let share = Fraction::new(i128::from(*net), i128::from(rate["amount"].as_i64().unwrap()))
                    .times(Fraction::read(rate["points"].as_str().unwrap()));
                if share != zero {
                    gave.insert(place);
                }
                points = points.plus(share);
            }
        }
        for place in (0..rules.len()).filter(|place| serves(*place)) {
            if let Some(factor) = rules[place]["award"]["multiply"].as_str()
                && selects(place, line)
            {
                let more = points.times(Fraction::read(factor));
                if more.plus(points.times(Fraction(-1, 1))).0 > 0 {
                    gave.insert(place);
                }
                points = more;
            }
        }
        if let Some(factor) = document["tiers"]["levels"][facts.level]["multiply"].as_str() {
            points = points.times(Fraction::read(factor));
        }
        exact = exact.plus(points);
    }
    for place in (0..rules.len()).filter(|place| serves(*place)) {
        if let Some(points) = rules[place]["award"]["points"].as_i64()
            && points > 0
            && lines.iter().any(|(line, _)| selects(place, line))
        {
            gave.insert(place);
            fixed += points;
        }
    }
    Award { exact, points: exact.rounded(document["rounding"].as_str().unwrap()) + fixed, gave }
}

fn holds(document: &Value, when: &Value, facts: &Facts, total: i64, line: &OrderLine) -> bool {
    let (clause, value) = when.as_object().unwrap().iter().next().unwrap();
    let each = || value.as_array().unwrap().iter();
    let among = |text: &str| each().any(|word| word == text);
    let minutes = |text: &Value| {
        let (hours, minutes) = text.as_str().unwrap().split_once(':').unwrap();
        hours.parse::<i64>().unwrap() * 60 + minutes.parse::<i64>().unwrap()
    };
    match clause.as_str() {
        "all" => each().all(|inner| holds(document, inner, facts, total, line)),
        "any" => each().any(|inner| holds(document, inner, facts, total, line)),
        "not" => !holds(document, value, facts, total, line),
        "net_total_at_least" => {
            value["currency"] == facts.currency.as_str() && total >= value["amount"].as_i64().unwrap()
        }
        "line_category" => line.categories.iter().any(|category| among(category.as_str())),
        "line_sku" => line.sku.as_ref().is_some_and(|sku| among(sku.as_str())),
        "channel" => among(&facts.channel),
        "store" => facts.store.as_ref().is_some_and(|store| among(store)),
        "tier" => among(document["tiers"]["levels"][facts.level]["id"].as_str().unwrap()),
        "tag" => facts.tags.iter().any(|tag| among(tag)),
        "local_weekday" => among(["mon", "tue", "wed", "thu", "fri", "sat", "sun"][facts.weekday]),
        "local_time" => {
            let (from, to) = (minutes(&value["from"]), minutes(&value["to"]));
            if from < to {
                from <= facts.minute && facts.minute < to
            } else {
                facts.minute >= from || facts.minute < to
            }
        }
        "first_purchase" => facts.first_purchase,
        "member_days_at_least" => facts.member_days >= value.as_i64().unwrap(),
        other => panic!("{other}"),
    }
}
