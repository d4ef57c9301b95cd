//! A naive model of one member: every credit kept for itself, every sum made anew, in plain numbers and local dates. It
//! shares nothing with the engine but the shapes of its input.

use crate::naive::{self, award};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use loyalty_domain::purchase::{Order, OrderLine};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const DAY: i64 = 86_400_000;

/// What tells lots apart: activation (none: active), end (none: never), days of notice, moment of the notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) activates: Option<i64>,
    pub(crate) expires: Option<i64>,
    pub(crate) notice: i64,
    pub(crate) noticed: Option<i64>,
}

#[derive(Debug, Clone)]
struct Grant {
    kind: Kind,
    points: i64,
}

#[derive(Debug, Clone)]
pub(crate) struct Bought {
    pub(crate) lines: Vec<(OrderLine, i64, i64)>,
    pub(crate) first: i64,
    pub(crate) left: i64,
    pub(crate) forgiven: i64,
    version: usize,
    /// When it was recorded.
    at: i64,
    facts: naive::Facts,
    grant: usize,
    credited: Kind,
    day: Date,
    gave: BTreeSet<usize>,
    too_late: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) earned: i64,
    pub(crate) adjusted: i64,
    pub(crate) expired: i64,
    pub(crate) clawed_back: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Active,
    Paused,
    Gone,
}

pub(crate) struct Model {
    /// Start and document of each version.
    pub(crate) versions: Vec<(i64, Value)>,
    pub(crate) now: i64,
    pub(crate) part: Part,
    door: TimeZone,
    home: TimeZone,
    enrolled: i64,
    grants: Vec<Grant>,
    pub(crate) debt: i64,
    pub(crate) sums: Sums,
    pub(crate) bought: BTreeMap<String, Bought>,
    uses: BTreeMap<(String, String, String), i64>,
    pub(crate) first_taken: bool,
    units: Vec<(Date, i64)>,
    /// Every level so far with its start.
    pub(crate) levels: Vec<(i64, usize)>,
    reviewed: i64,
    early: Option<i64>,
    /// Levels and tags granted for a time: name, from, until.
    pub(crate) levels_granted: Vec<(String, i64, i64)>,
    pub(crate) tags_granted: Vec<(String, i64, i64)>,
    /// On which day the entry bonus of a level was given last.
    welcomed: BTreeMap<usize, Date>,
}

fn date(zone: &TimeZone, at: i64) -> Date {
    zone.to_datetime(jiff::Timestamp::from_millisecond(at).unwrap()).date()
}

/// The first instant of a day, found by asking the clock: the first millisecond of which the local date is that day.
fn start(zone: &TimeZone, day: Date) -> i64 {
    let noon = day.at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp().as_millisecond();
    let (mut before, mut within) = (noon - 30 * 3_600_000, noon);
    while within - before > 1 {
        let middle = before + (within - before) / 2;
        if date(zone, middle) >= day { within = middle } else { before = middle }
    }
    within
}

fn tomorrow(day: Date) -> Date {
    day.tomorrow().unwrap()
}

fn days_later(day: Date, days: i64) -> Date {
    day.checked_add(jiff::Span::new().days(days)).unwrap()
}

fn months_later(day: Date, months: i64) -> Date {
    let total = i64::from(day.year()) * 12 + i64::from(day.month()) - 1 + months;
    let first =
        Date::new(i16::try_from(total.div_euclid(12)).unwrap(), i8::try_from(total.rem_euclid(12) + 1).unwrap(), 1);
    let first = first.unwrap();
    Date::new(first.year(), first.month(), day.day().min(first.days_in_month())).unwrap()
}

fn end_of(kind: &Kind) -> Option<i64> {
    let expires = kind.expires?;
    Some(kind.noticed.map_or(expires, |noticed| expires.max(noticed + kind.notice * DAY)))
}

impl Model {
    pub(crate) fn new(document: Value, now: i64, home: Option<&str>) -> Self {
        let door = TimeZone::get(document["time_zone"].as_str().unwrap()).unwrap();
        let home = home.map_or_else(|| door.clone(), |name| TimeZone::get(name).unwrap());
        Self {
            versions: vec![(now, document)],
            now,
            part: Part::Active,
            door,
            home,
            enrolled: now,
            grants: Vec::new(),
            debt: 0,
            sums: Sums::default(),
            bought: BTreeMap::new(),
            uses: BTreeMap::new(),
            first_taken: false,
            units: Vec::new(),
            levels: vec![(now, 0)],
            reviewed: now,
            early: None,
            levels_granted: Vec::new(),
            tags_granted: Vec::new(),
            welcomed: BTreeMap::new(),
        }
    }

    fn version_at(&self, at: i64) -> usize {
        (0..self.versions.len()).rev().find(|version| self.versions[*version].0 <= at).unwrap_or(0)
    }

    fn document(&self, version: usize) -> &Value {
        &self.versions[version].1
    }

    // ── Lots ──

    /// Points by kind, none empty.
    pub(crate) fn lots(&self) -> BTreeMap<Kind, i64> {
        let mut lots = BTreeMap::new();
        for grant in self.grants.iter().filter(|grant| grant.points > 0) {
            *lots.entry(grant.kind).or_insert(0) += grant.points;
        }
        lots
    }

    fn take_from(&mut self, kind: Kind, most: i64) -> i64 {
        let mut left = most;
        for grant in self.grants.iter_mut().filter(|grant| grant.kind == kind) {
            let taken = grant.points.min(left);
            grant.points -= taken;
            left -= taken;
        }
        most - left
    }

    /// The lot that a purchase credited. Emptied after a notice by a sweep, it cannot be told from the next of the same
    /// end, which then stands for it.
    fn own_lot(&self, bought: &Bought) -> Kind {
        let kind = self.grants[bought.grant].kind;
        let noticed_with_it = kind.noticed == Some(bought.at);
        let lots = self.lots();
        let alike = |other: &&Kind| Kind { noticed: kind.noticed, ..**other } == kind && other.noticed > kind.noticed;
        let next = lots.keys().filter(alike).min_by_key(|other| other.noticed);
        if lots.contains_key(&kind) || noticed_with_it { kind } else { next.copied().unwrap_or(kind) }
    }

    /// Soonest end first, active before pending; ties by stored end, then those that had their notice.
    fn spend_order(&self, pending_too: bool) -> Vec<Kind> {
        let mut kinds: Vec<Kind> =
            self.lots().into_keys().filter(|kind| pending_too || kind.activates.is_none()).collect();
        let late = |at: Option<i64>| at.unwrap_or(i64::MAX);
        kinds.sort_by_key(|kind| {
            let tie = (kind.activates, late(kind.expires), late(kind.noticed), kind.notice);
            (kind.activates.is_some(), late(end_of(kind)), tie)
        });
        kinds
    }

    fn credit(&mut self, points: i64, kind: Kind) -> usize {
        let repaid = points.min(self.debt);
        self.debt -= repaid;
        self.grants.push(Grant { kind, points: points - repaid });
        self.grants.len() - 1
    }

    fn granted(&self, version: usize, occurred: i64, pending: bool) -> Kind {
        let points = &self.document(version)["points"];
        let day = date(&self.home, occurred);
        let days = if pending { points["pending_days"].as_i64().unwrap() } else { 0 };
        let opens = (0..days).fold(day, |day, _| tomorrow(day));
        let expires = points["expiry"]["after_months"].as_i64().map(|months| {
            let last = months_later(day, months);
            let by_month = months > 13 || points["expiry"]["snap"] == "end_of_month";
            start(&self.home, tomorrow(if by_month { last.last_of_month() } else { last }))
        });
        let notice = if expires.is_some() { points["notice_days"].as_i64().unwrap() } else { 0 };
        let activates = (days > 0).then(|| start(&self.home, opens));
        Kind { activates, expires, notice, noticed: None }
    }

    /// What is due by now: activations, ends, notices, reviews.
    pub(crate) fn settle(&mut self) {
        self.settle_lots();
        self.review();
        // Points for levels that were reached meanwhile.
        self.settle_lots();
    }

    fn settle_lots(&mut self) {
        let now = self.now;
        for grant in &mut self.grants {
            grant.kind.activates = grant.kind.activates.filter(|at| *at > now);
            let owed = grant.kind.notice > 0 && grant.kind.noticed.is_none();
            if !owed && end_of(&grant.kind).is_some_and(|end| end <= now) {
                self.sums.expired += grant.points;
                grant.points = 0;
            }
        }
        for (kind, _) in self.lots() {
            let due = kind.expires.is_some_and(|expires| expires - kind.notice * DAY <= now);
            if kind.notice > 0 && kind.noticed.is_none() && due {
                let alike = self.grants.iter_mut().filter(|grant| grant.kind == kind);
                alike.for_each(|grant| grant.kind.noticed = Some(now));
            }
        }
    }

    // ── Levels ──

    pub(crate) fn rank(&self) -> usize {
        self.levels.last().unwrap().1
    }

    fn period(&self) -> &str {
        self.versions[0].1["tiers"]["period"].as_str().unwrap()
    }

    /// The number of the period of a day, counted from any first one.
    fn number(&self, day: Date) -> i64 {
        match self.period() {
            "calendar_year" => i64::from(day.year()),
            "rolling_12_months" => i64::from(day.year()) * 12 + i64::from(day.month()),
            "membership_year" => {
                let joined = date(&self.home, self.enrolled);
                let years = i64::from(day.year()) - i64::from(joined.year());
                let begun = months_later(joined, 12 * years) <= day;
                (if begun { years } else { years - 1 }).max(0)
            }
            _ => 0,
        }
    }

    /// The day after the period of a day; none for lifetime.
    fn after(&self, day: Date) -> Option<Date> {
        match self.period() {
            "lifetime" => None,
            _ => {
                let number = self.number(day);
                let mut next = day;
                while self.number(next) == number {
                    next = tomorrow(next);
                }
                Some(next)
            }
        }
    }

    fn units_between(&self, from: i64, to: i64) -> i64 {
        self.units.iter().filter(|(day, _)| (from..=to).contains(&self.number(*day))).map(|(_, units)| units).sum()
    }

    pub(crate) fn units(&self, day: Date) -> i64 {
        let number = self.number(day);
        let back = if self.period() == "rolling_12_months" { 11 } else { 0 };
        self.units_between(number - back, number)
    }

    pub(crate) fn units_now(&self) -> i64 {
        self.units(date(&self.home, self.now))
    }

    fn carried(&self, at: i64, version: usize) -> usize {
        let day = date(&self.home, at);
        let number = self.number(day);
        let before = match self.period() {
            "lifetime" => 0,
            "rolling_12_months" => self.units_between(number - 12, number - 1),
            _ => self.units_between(number - 1, number - 1),
        };
        let levels = self.document(version)["tiers"]["levels"].as_array().unwrap();
        let most = before.max(self.units(day));
        let reached = |rank: &usize| levels[*rank]["from"].as_i64().is_some_and(|from| from <= most);
        let granted = |rank: &usize| {
            let held = self.levels_granted.iter().filter(|(_, from, until)| (*from..*until).contains(&at));
            held.into_iter().any(|(level, ..)| levels[*rank]["id"] == level.as_str())
        };
        (0..levels.len()).rev().find(|rank| reached(rank) || granted(rank)).unwrap_or(0)
    }

    fn review(&mut self) {
        while self.rank() > 0 {
            let regular = self.after(date(&self.home, self.reviewed)).map(|day| start(&self.home, day));
            let ids = &self.document(0)["tiers"]["levels"];
            let rank_of = |id: &str| (0..4).find(|rank| ids[*rank]["id"] == id).unwrap();
            let ends = self
                .levels_granted
                .iter()
                .filter(|(level, _, until)| rank_of(level) >= self.rank() && *until > self.reviewed);
            let ends = ends.map(|(.., until)| *until);
            let next = regular.into_iter().chain(self.early).chain(ends).min();
            let Some(at) = next.filter(|at| *at <= self.now) else { break };
            self.review_at(at);
        }
    }

    fn review_at(&mut self, at: i64) {
        let carried = self.carried(at, self.version_at(at));
        (self.reviewed, self.early) = (at, None);
        if carried != self.rank() {
            self.change_level(carried, at);
        }
    }

    fn lift(&mut self) {
        let carried = self.carried(self.now, self.version_at(self.now));
        if carried > self.rank() {
            (self.reviewed, self.early) = (self.now, None);
            self.change_level(carried, self.now);
        }
    }

    /// To another level, with the points for whoever reaches it, and on to the level that these carry.
    fn change_level(&mut self, to: usize, at: i64) {
        let rises = to > self.rank();
        self.levels.push((at, to));
        let (version, day) = (self.version_at(at), date(&self.home, at));
        let points = self.document(version)["tiers"]["levels"][to]["entry_bonus"].as_i64().unwrap_or(0);
        let back = if self.period() == "rolling_12_months" { 11 } else { 0 };
        let again = self.welcomed.get(&to).is_some_and(|given| self.number(*given) >= self.number(day) - back);
        if !rises || points == 0 || again || self.part != Part::Active {
            return;
        }
        self.welcomed.insert(to, day);
        self.grant(points, version, at);
        let carried = self.carried(at, version);
        if carried > self.rank() {
            self.change_level(carried, at);
        }
    }

    /// Points of a moment for something else than a purchase.
    fn grant(&mut self, points: i64, version: usize, occurred: i64) {
        let kind = self.granted(version, occurred, true);
        self.credit(points, Kind { activates: kind.activates.filter(|at| *at > self.now), ..kind });
        self.sums.earned += points;
        if self.document(version)["tiers"]["qualify_by"] == "points_earned" {
            self.units.push((date(&self.home, occurred), points));
        }
    }

    fn level_at(&self, at: i64) -> usize {
        self.levels.iter().rev().find(|(since, _)| *since <= at).map_or(0, |(_, rank)| *rank)
    }

    fn units_of(&self, version: usize, points: i64, currency: &str, net: i64, anything: bool) -> i64 {
        let tiers = &self.document(version)["tiers"];
        match tiers["qualify_by"].as_str().unwrap() {
            "points_earned" => points,
            "spend" if tiers["currency"] == currency => net,
            "spend" => 0,
            _ => i64::from(anything),
        }
    }

    // ── Commands ──

    fn use_of(&self, version: usize, rule: usize, day: Date) -> Option<((String, String, String), i64)> {
        let rule = &self.document(version)["earning_rules"][rule];
        let per = rule["limit"]["per"].as_str()?;
        let period = match per {
            "day" => day.to_string(),
            "week" => format!("{:?}", day.iso_week_date().year()) + "-" + &day.iso_week_date().week().to_string(),
            "month" => format!("{}-{}", day.year(), day.month()),
            "year" => day.year().to_string(),
            _ => String::new(),
        };
        let key = (rule["id"].as_str().unwrap().to_owned(), per.to_owned(), period);
        Some((key, rule["limit"]["times"].as_i64().unwrap()))
    }

    fn count_uses(&mut self, version: usize, rules: &BTreeSet<usize>, day: Date, by: i64) {
        for rule in rules {
            if let Some((key, _)) = self.use_of(version, *rule, day) {
                let count = self.uses.entry(key).or_insert(0);
                *count = (*count + by).max(0);
            }
        }
    }

    /// Whether it is recorded.
    pub(crate) fn buy(&mut self, order: &Order) -> bool {
        let late = self.document(self.version_at(self.now))["points"]["late_purchase_days"].as_i64().unwrap();
        let told = order.occurred_at.millis();
        if self.part != Part::Active || told > self.now + 300_000 || told < self.now - late * DAY {
            return false;
        }
        let occurred = told.min(self.now);
        let version = self.version_at(occurred);
        let (day, at_door) = (date(&self.home, occurred), self.door.to_datetime(order_time(occurred)));
        let net: i64 = order.lines.iter().map(|line| line.net).sum();
        let rules = self.document(version)["earning_rules"].as_array().unwrap().len();
        let used_up = |rule: &usize| {
            self.use_of(version, *rule, day)
                .is_some_and(|(key, times)| self.uses.get(&key).is_some_and(|n| *n >= times))
        };
        let facts = naive::Facts {
            channel: order.channel.to_string(),
            store: order.store.as_ref().map(|store| store.as_str().to_owned()),
            currency: order.currency.code().to_owned(),
            level: if occurred < self.enrolled { 0 } else { self.level_at(occurred) },
            tags: self.tags_at(occurred),
            weekday: usize::try_from(at_door.date().weekday().to_monday_zero_offset()).unwrap(),
            minute: i64::from(at_door.hour()) * 60 + i64::from(at_door.minute()),
            date: at_door.date().to_string(),
            first_purchase: !self.first_taken && net > 0,
            member_days: (occurred - self.enrolled).max(0) / DAY,
            used_up: (0..rules).filter(used_up).collect(),
        };
        let lines: Vec<(OrderLine, i64)> = order.lines.iter().map(|line| (line.clone(), line.net)).collect();
        let mut awarded = award(self.document(version), &facts, &lines);
        let kind = self.granted(version, occurred, true);
        let too_late = kind.notice == 0 && kind.expires.is_some_and(|at| at <= self.now);
        if too_late {
            (awarded.points, awarded.gave) = (0, BTreeSet::new());
        }
        let kind = Kind { activates: kind.activates.filter(|at| *at > self.now), ..kind };
        let grant = self.credit(awarded.points, kind);
        self.sums.earned += awarded.points;
        self.count_uses(version, &awarded.gave, day, 1);
        self.first_taken |= facts.first_purchase;
        self.units.push((day, self.units_of(version, awarded.points, &facts.currency, net, true)));
        self.lift();
        let bought = Bought {
            lines: order.lines.iter().map(|line| (line.clone(), line.quantity, line.net)).collect(),
            first: awarded.points,
            left: awarded.points,
            forgiven: 0,
            version,
            at: self.now,
            facts,
            grant,
            credited: kind,
            day,
            gave: awarded.gave,
            too_late,
        };
        self.bought.insert(order.order_id.to_string(), bought);
        self.settle();
        true
    }

    fn tags_at(&self, at: i64) -> Vec<String> {
        let granted = self.tags_granted.iter().filter(|(_, from, until)| (*from..*until).contains(&at));
        ["vip".to_owned()].into_iter().chain(granted.map(|(tag, ..)| tag.clone())).collect()
    }

    /// The local day so many days from now.
    pub(crate) fn day_in(&self, days: i64) -> Date {
        days_later(date(&self.home, self.now), days)
    }

    /// Whether an activity is recorded, or what it is refused for: its time, or its type.
    pub(crate) fn act(&mut self, kind: &str, told: i64, first: Date) -> Result<(), &'static str> {
        let late = self.document(self.version_at(self.now))["points"]["late_purchase_days"].as_i64().unwrap();
        if self.part != Part::Active || told > self.now + 300_000 || told < self.now - late * DAY {
            return Err("time or member");
        }
        let occurred = told.min(self.now);
        let (version, day) = (self.version_at(occurred), date(&self.home, occurred));
        let rules = self.document(version)["earning_rules"].as_array().unwrap().clone();
        let of_kind: Vec<usize> = (0..rules.len()).filter(|rule| rules[*rule]["activity"] == kind).collect();
        if of_kind.is_empty() {
            return Err("type");
        }
        let lot = self.granted(version, occurred, true);
        let (mut points, mut gave) = (0, BTreeSet::new());
        let mut granted = BTreeSet::new();
        for place in of_kind {
            let used_up = self.use_of(version, place, day);
            let used_up = used_up.is_some_and(|(key, times)| self.uses.get(&key).is_some_and(|n| *n >= times));
            if used_up {
                continue;
            }
            let rule = &rules[place];
            let fixed = rule["award"]["points"].as_i64().unwrap_or(0);
            points += fixed;
            if fixed > 0 {
                gave.insert(place);
            }
            if self.grant_for(&rule["grants"], occurred, first) {
                granted.insert(place);
            }
        }
        if lot.notice == 0 && points > 0 && lot.expires.is_some_and(|at| at <= self.now) {
            (points, gave) = (0, BTreeSet::new());
        }
        self.count_uses(version, &gave.union(&granted).copied().collect(), day, 1);
        self.grant(points, version, occurred);
        self.lift();
        self.settle();
        Ok(())
    }

    /// Whether a level or tag is granted for so many days.
    fn grant_for(&mut self, grants: &Value, occurred: i64, first: Date) -> bool {
        let Some(days) = grants["days"].as_i64() else { return false };
        let day = date(&self.home, occurred);
        if let Some(level) = grants["tier"].as_str() {
            let paid = self.levels_granted.iter_mut().filter(|(other, _, until)| other == level && *until >= occurred);
            match paid.max_by_key(|(.., until)| *until) {
                Some((.., until)) => *until = start(&self.home, days_later(date(&self.home, *until), days)),
                None => {
                    let until = start(&self.home, days_later(day, days + 1));
                    self.levels_granted.push((level.to_owned(), occurred, until));
                }
            }
            return true;
        }
        let first = if grants["on"].is_null() { day } else { first };
        let bookable = first >= day && first <= days_later(day, 366);
        if bookable {
            let (from, until) = (start(&self.home, first), start(&self.home, days_later(first, days)));
            self.tags_granted.push((grants["tag"].as_str().unwrap().to_owned(), from, until));
        }
        bookable
    }

    /// Whether an operator's grant of a level is carried out.
    pub(crate) fn lend(&mut self, level: &str, until: Date) -> bool {
        if self.part != Part::Active || until < date(&self.home, self.now) {
            return false;
        }
        let (now, until) = (self.now, start(&self.home, until).max(self.now));
        let running = self
            .levels_granted
            .iter_mut()
            .find(|(other, from, until)| other == level && (*from..*until).contains(&now));
        match running {
            Some((.., end)) => *end = until,
            None => self.levels_granted.push((level.to_owned(), now, until)),
        }
        if until > now {
            self.lift()
        } else {
            self.review_at(now)
        }
        self.settle();
        true
    }

    /// Takes so many of a line's pieces back, for so much.
    pub(crate) fn refund(&mut self, id: &str, line: &str, quantity: i64, net: i64) {
        let mut bought = self.bought[id].clone();
        let before = (bought.left, bought.gave.clone(), net_left(&bought));
        let place = bought.lines.iter_mut().find(|(other, ..)| other.line_id.as_str() == line).unwrap();
        place.1 -= quantity;
        place.2 -= net;
        let left: Vec<(OrderLine, i64)> = bought
            .lines
            .iter()
            .filter(|(_, quantity, _)| *quantity > 0)
            .map(|(line, _, net)| (line.clone(), *net))
            .collect();
        let worth = award(self.document(bought.version), &bought.facts, &left);
        (bought.left, bought.gave) =
            if bought.too_late { (0, BTreeSet::new()) } else { (worth.points.min(bought.first), worth.gave) };
        let anything = !left.is_empty();
        let policy = self.document(bought.version)["points"]["clawback"].clone();
        let back = before.0 - bought.left;
        if back >= 0 {
            let mut taken = self.take_from(self.own_lot(&bought), back);
            if policy["beyond_lot"] == "other_lots" {
                for kind in self.spend_order(true) {
                    taken += self.take_from(kind, back - taken);
                }
            }
            if policy["shortfall"] == "debt" {
                self.debt += back - taken;
                self.sums.clawed_back += back;
            } else {
                bought.forgiven += back - taken;
                self.sums.clawed_back += taken;
            }
        } else {
            let let_go = bought.forgiven.min(-back);
            bought.forgiven -= let_go;
            let given = -back - let_go;
            self.sums.clawed_back -= given;
            let activates = bought.credited.activates.filter(|at| *at > self.now);
            self.credit(given, Kind { activates, ..bought.credited });
        }
        let only = |these: &BTreeSet<usize>, those: &BTreeSet<usize>| these.difference(those).copied().collect();
        self.count_uses(bought.version, &only(&before.1, &bought.gave), bought.day, -1);
        self.count_uses(bought.version, &only(&bought.gave, &before.1), bought.day, 1);
        let currency = bought.facts.currency.clone();
        let change = self.units_of(bought.version, bought.left, &currency, net_left(&bought), anything)
            - self.units_of(bought.version, before.0, &currency, before.2, true);
        self.units.push((bought.day, change));
        self.first_taken &= anything || !bought.facts.first_purchase;
        let today = date(&self.home, self.now);
        let later = self.number(today) > self.number(bought.day);
        if later && self.carried(self.now, self.version_at(self.now)) < self.rank() {
            self.early = Some(start(&self.home, tomorrow(today.last_of_month())));
        }
        self.bought.insert(id.to_owned(), bought);
        self.lift();
        self.settle();
    }

    /// Whether it is carried out.
    pub(crate) fn adjust(&mut self, points: i64, qualifies: bool) -> bool {
        let active: i64 =
            self.lots().iter().filter(|(kind, _)| kind.activates.is_none()).map(|(_, points)| points).sum();
        if self.part != Part::Active || active + points.min(0) < 0 {
            return false;
        }
        let version = self.version_at(self.now);
        if points > 0 {
            let kind = self.granted(version, self.now, false);
            self.credit(points, kind);
        } else {
            let mut left = -points;
            for kind in self.spend_order(false) {
                left -= self.take_from(kind, left);
            }
        }
        self.sums.adjusted += points;
        if qualifies && self.document(version)["tiers"]["qualify_by"] == "points_earned" {
            self.units.push((date(&self.home, self.now), points));
        }
        self.lift();
        self.settle();
        true
    }

    pub(crate) fn erase(&mut self) {
        for grant in &mut self.grants {
            self.sums.adjusted -= grant.points;
            grant.points = 0;
        }
        self.part = Part::Gone;
        self.home = self.door.clone();
    }
}

fn order_time(at: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at).unwrap()
}

fn net_left(bought: &Bought) -> i64 {
    bought.lines.iter().filter(|(_, quantity, _)| *quantity > 0).map(|(.., net)| net).sum()
}
