//! A desk for one member: it does what the engine does around a decision (settle, decide, keep), and audits the books
//! after every change.

use loyalty_domain::account::{Account, Status};
use loyalty_domain::activity::{self, Activity, Digests, RecordedActivity};
use loyalty_domain::adjust::{Adjustment, adjust};
use loyalty_domain::calendar::{Moment, Zone};
use loyalty_domain::draft::{BudgetsLeft, Draft, MOST_ENTRIES, Posted, as_of};
use loyalty_domain::entry::{Entry, Reason};
use loyalty_domain::id::{Label, MemberId, RedemptionId};
use loyalty_domain::json::parse;
use loyalty_domain::level_grant::{LevelGrant, grant_level};
use loyalty_domain::lots::MOST_LOTS;
use loyalty_domain::membership::{self, Joining};
use loyalty_domain::money::Currency;
use loyalty_domain::pass::Pass;
use loyalty_domain::program::condition::Attribute;
use loyalty_domain::program::{Program, Version};
use loyalty_domain::programs::Programs;
use loyalty_domain::progress;
use loyalty_domain::purchase::{self, Order, OrderLine, Purchase, Quote};
use loyalty_domain::redemption::{Redeeming, Redemption};
use loyalty_domain::refund::{self, Refund, Return, ReturnLine};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::view;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use ulid::Ulid;

pub(crate) fn at(text: &str) -> Moment {
    Moment::parse(text).unwrap_or_else(|| panic!("{text} is a moment"))
}

pub(crate) fn zone(name: &str) -> Zone {
    Zone::named(name).unwrap()
}

pub(crate) fn label(text: &str) -> Label {
    text.parse().unwrap()
}

/// One point per euro, rounded down, active at once, twelve months to the end of a month, no notice, one level.
pub(crate) fn plain() -> Value {
    json!({
        "name": "Test", "time_zone": "Europe/Berlin", "rounding": "floor",
        "points": {"pending_days": 0, "expiry": {"after_months": 12, "snap": "end_of_month"}, "notice_days": 0,
                   "clawback": {"beyond_lot": "other_lots", "shortfall": "debt"}, "late_purchase_days": 30},
        "earning_rules": [base_rule()],
        "tiers": {"levels": [{"id": "green", "from": 0}]},
    })
}

pub(crate) fn base_rule() -> Value {
    json!({"id": "base", "on": "purchase", "award": {"per_amount": {"points": "1", "amount": 100, "currency": "EUR"}}})
}

/// The document with another value at a pointer; missing objects on the way are made.
pub(crate) fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let mut place = &mut document;
    for step in pointer.split('/').skip(1) {
        place = match place {
            Value::Array(items) => &mut items[step.parse::<usize>().unwrap()],
            other => &mut other[step],
        };
    }
    *place = value;
    document
}

/// The plain document with further rules.
pub(crate) fn with_rules(rules: &[Value]) -> Value {
    let all: Vec<Value> = [base_rule()].into_iter().chain(rules.iter().cloned()).collect();
    with(plain(), "/earning_rules", Value::Array(all))
}

pub(crate) fn read(document: &Value) -> Program {
    let json = parse(document.to_string().as_bytes()).unwrap();
    Program::from_json(&json).unwrap_or_else(|faults| panic!("{:#?}", faults.list()))
}

/// The pointers of what is wrong with a document, in order.
pub(crate) fn faults(document: &str) -> Vec<String> {
    let read = parse(document.as_bytes()).and_then(|json| Program::from_json(&json));
    read.err().map(|faults| faults.list().iter().map(|fault| fault.pointer.clone()).collect()).unwrap_or_default()
}

pub(crate) fn line(id: &str, net: i64, categories: &[&str]) -> OrderLine {
    OrderLine {
        line_id: id.parse().unwrap(),
        sku: None,
        categories: categories.iter().map(|category| label(category)).collect(),
        quantity: 1,
        net,
    }
}

/// An order in euros of plain lines `1`, `2`, ….
pub(crate) fn order(id: &str, occurred_at: Moment, nets: &[i64]) -> Order {
    Order {
        channel: "web".parse().unwrap(),
        order_id: id.parse().unwrap(),
        occurred_at,
        currency: Currency::of("EUR").unwrap(),
        store: None,
        lines: nets.iter().enumerate().map(|(index, net)| line(&(index + 1).to_string(), *net, &[])).collect(),
        paid_with: Vec::new(),
    }
}

pub(crate) struct Desk {
    pub(crate) programs: Programs,
    pub(crate) account: Account,
    pub(crate) ledger: Vec<Entry>,
    pub(crate) now: Moment,
    pub(crate) purchases: BTreeMap<String, Purchase>,
    /// What is left of campaigns' budgets, as far as it is to matter.
    pub(crate) budgets: BudgetsLeft,
    activities: u32,
    /// An account made from nothing but the ledger.
    folded: Account,
    refunds: u32,
    pub(crate) redemptions: BTreeMap<RedemptionId, Redemption>,
    /// Units taken out of stocks.
    pub(crate) stock_used: BTreeMap<String, i64>,
}

/// The position as of now: available, pending, debt.
pub(crate) type Position = (i64, i64, i64);

impl Desk {
    /// Enrols a member without a zone of their own.
    pub(crate) fn open(document: &Value, now: &str) -> Self {
        Self::open_for(document, now, None, &[])
    }

    pub(crate) fn open_for(document: &Value, now: &str, zone: Option<&str>, tags: &[&str]) -> Self {
        let now = at(now);
        let mut programs = Programs::new(vec![now]);
        programs.add(Arc::new(Version { number: 1, effective_from: now, program: read(document) }));
        let zone = zone.map(self::zone);
        let joining = Joining {
            member: MemberId::new(Ulid::from_parts(1, 7)),
            zone: zone.clone(),
            tags: tags.iter().map(|tag| label(tag)).collect(),
        };
        let posted = membership::enrol(joining.clone(), &programs, now, "crm").unwrap();
        let lowest = programs.at(now).unwrap().program.level_ids[0].clone();
        let empty = Account::new(joining.member, now, zone, joining.tags, lowest);
        let mut desk = Self {
            programs,
            account: empty.clone(),
            ledger: Vec::new(),
            now,
            purchases: BTreeMap::new(),
            budgets: BudgetsLeft::new(),
            activities: 0,
            folded: empty,
            refunds: 0,
            redemptions: BTreeMap::new(),
            stock_used: BTreeMap::new(),
        };
        desk.keep(posted);
        desk
    }

    /// Publishes a further version that takes effect at a moment.
    pub(crate) fn publish(&mut self, document: &Value, effective_from: Moment) {
        let mut starts = self.programs.starts().to_vec();
        starts.push(effective_from);
        let mut programs = Programs::new(starts.clone());
        for number in 1..starts.len() {
            programs.add(Arc::clone(self.programs.version(u32::try_from(number).unwrap()).unwrap()));
        }
        let number = u32::try_from(starts.len()).unwrap();
        programs.add(Arc::new(Version { number, effective_from, program: read(document) }));
        self.programs = programs;
    }

    pub(crate) fn program(&self) -> &Program {
        &self.programs.at(self.now).unwrap().program
    }

    pub(crate) fn to(&mut self, now: &str) -> &mut Self {
        self.now = at(now);
        self
    }

    /// Settles what is due, then decides; keeps what was decided. Gives the decision's own outcome.
    pub(crate) fn decide<T>(
        &mut self,
        decide: impl FnOnce(Draft<'_>, &Programs) -> Result<(Posted, T), Refusal>,
    ) -> Result<T, Refusal> {
        let programs = self.programs.clone();
        loop {
            let mut draft = Draft::new(self.account.clone(), &programs, self.now, "till")?;
            if draft.settle()? {
                let posted = draft.finish_as_is();
                assert!(
                    posted.entries.len() <= MOST_ENTRIES,
                    "a commit of settling has at most {MOST_ENTRIES} entries"
                );
                self.keep(posted);
                continue;
            }
            let (posted, outcome) = decide(draft.with_budgets(self.budgets.clone()), &programs)?;
            self.keep(posted);
            return Ok(outcome);
        }
    }

    /// Settles and writes, as a sweep does.
    pub(crate) fn settle(&mut self) -> &mut Self {
        self.decide(|draft, _| Ok((draft.finish_as_is(), ()))).unwrap();
        self
    }

    pub(crate) fn settle_at(&mut self, now: &str) -> &mut Self {
        self.to(now).settle()
    }

    /// Records an order, having checked that a quote just before agrees exactly. Gives the order's own entries.
    pub(crate) fn record(&mut self, order: &Order) -> Result<Vec<Entry>, Refusal> {
        let quote = self.quote(order);
        let (redemptions, mut paid) = (self.redemptions.values().cloned().collect(), Vec::new());
        let entries = self.decide(|draft, programs| {
            let draft = draft.with_redemptions(redemptions);
            let decision = purchase::record(draft, programs, order, [0; 16])?;
            let entries = decision.posted.own_entries().to_vec();
            paid = decision.redemptions;
            Ok((decision.posted, (entries, decision.purchase)))
        });
        self.redemptions.extend(paid.into_iter().map(|redemption| (redemption.id, redemption)));
        let (entries, recorded) = match (entries, quote) {
            (Ok(decided), Ok(quote)) => {
                assert_eq!(quote.entries, decided.0, "a quote and the purchase after it agree");
                assert_eq!(quote.purchase.award, decided.1.award);
                decided
            }
            (Err(refusal), Err(quoted)) => {
                assert_eq!(refusal, quoted);
                return Err(refusal);
            }
            (decided, quoted) => panic!("{decided:?} but quoted {quoted:?}"),
        };
        self.purchases.insert(order.order_id.to_string(), recorded);
        Ok(entries)
    }

    pub(crate) fn quote(&self, order: &Order) -> Result<Quote, Refusal> {
        let mut draft = Draft::new(self.account.clone(), &self.programs, self.now, "till")?;
        while draft.settle()? {
            let account = draft.finish_as_is().account;
            draft = Draft::new(account, &self.programs, self.now, "till")?;
        }
        // What settling wrote is numbered on, so the command's entries are those that recording writes.
        let redemptions = self.redemptions.values().cloned().collect();
        let draft = draft.with_budgets(self.budgets.clone()).with_redemptions(redemptions);
        purchase::quote(draft, &self.programs, order)
    }

    /// Gives a guest's purchase of these nets to the member.
    pub(crate) fn claim(&mut self, guest: Purchase, net_total: i64) -> Result<i64, Refusal> {
        let id = guest.order_id.to_string();
        let claimed = self.decide(|draft, programs| {
            let decision = purchase::claim(draft, programs, guest, net_total)?;
            Ok((decision.posted, decision.purchase))
        })?;
        self.purchases.insert(id.clone(), claimed);
        Ok(self.first(&id))
    }

    /// Records an activity of now, without attributes; gives its own points.
    pub(crate) fn act(&mut self, kind: &str) -> i64 {
        self.act_as_of(kind, self.now, &json!({})).unwrap().points
    }

    /// Records an activity with attributes.
    pub(crate) fn act_as_of(
        &mut self,
        kind: &str,
        occurred_at: Moment,
        attributes: &Value,
    ) -> Result<RecordedActivity, Refusal> {
        self.activities += 1;
        let attribute = |value: &Value| match value {
            Value::Bool(value) => Attribute::Bool(*value),
            Value::Number(value) => Attribute::Int(value.as_i64().unwrap()),
            other => Attribute::Text(other.as_str().unwrap().to_owned()),
        };
        let attributes = attributes.as_object().unwrap().iter();
        let told = Activity {
            source: "app".parse().unwrap(),
            activity_id: format!("a-{}", self.activities).parse().unwrap(),
            kind: kind.parse().unwrap(),
            occurred_at,
            attributes: attributes.map(|(name, value)| (label(name), attribute(value))).collect(),
        };
        let digests = Digests { reference: [0; 16], attributes: [0; 16] };
        self.decide(|draft, programs| {
            let decision = activity::record(draft, programs, &told, digests)?;
            Ok((decision.posted, decision.activity))
        })
    }

    /// Lends a level until a local day, exclusive.
    pub(crate) fn lend(&mut self, level: &str, until: &str) -> Result<(), Refusal> {
        let (level, until) = (level.parse().unwrap(), until.parse().unwrap());
        let grant = LevelGrant { level, until, reason: "goodwill".to_owned() };
        self.decide(|draft, _| Ok((grant_level(draft, &grant)?, ())))
    }

    /// The way to goals, as the member sees it.
    pub(crate) fn progress(&self) -> Value {
        progress::progress(self.account.clone(), &self.programs, self.now).unwrap()
    }

    /// Buys lines of these nets in euros now; gives the points awarded.
    pub(crate) fn buy(&mut self, id: &str, nets: &[i64]) -> i64 {
        self.record(&order(id, self.now, nets)).unwrap();
        self.first(id)
    }

    /// Buys something now that was bought at another moment; gives the points awarded.
    pub(crate) fn buy_as_of(&mut self, id: &str, occurred_at: &str, nets: &[i64]) -> Result<i64, Refusal> {
        self.record(&order(id, at(occurred_at), nets)).map(|_| self.first(id))
    }

    pub(crate) fn first(&self, id: &str) -> i64 {
        self.purchases[id].award.as_ref().unwrap().first
    }

    pub(crate) fn left(&self, id: &str) -> i64 {
        self.purchases[id].award.as_ref().unwrap().left
    }

    /// Refunds lines: id, quantity, amount.
    pub(crate) fn refund(&mut self, id: &str, lines: &[(&str, i64, Option<i64>)]) -> Result<Refund, Refusal> {
        self.refunds += 1;
        let told = Return {
            refund_id: format!("R-{}", self.refunds).parse().unwrap(),
            occurred_at: self.now,
            lines: lines
                .iter()
                .map(|(id, quantity, net)| ReturnLine { line_id: id.parse().unwrap(), quantity: *quantity, net: *net })
                .collect(),
        };
        let purchase = self.purchases[id].clone();
        let award = purchase.award.clone().unwrap();
        let (after, refund) = self.decide(|draft, programs| {
            let decision = refund::refund(draft, programs, purchase, award, &told)?;
            Ok((decision.posted.unwrap(), (decision.purchase, decision.refund)))
        })?;
        self.purchases.insert(id.to_owned(), after);
        Ok(refund)
    }

    pub(crate) fn adjust(&mut self, points: i64, qualifies: bool) -> Result<(), Refusal> {
        let adjustment = Adjustment { points, reason: "goodwill".to_owned(), qualifies };
        self.decide(|draft, _| Ok((adjust(draft, &adjustment)?, ())))
    }

    pub(crate) fn change(&mut self, with: impl FnOnce(&mut Account)) -> Result<(), Refusal> {
        self.decide(|draft, _| Ok((membership::change(draft, with)?, ())))
    }

    pub(crate) fn erase(&mut self) -> Result<(), Refusal> {
        self.decide(|draft, _| Ok((membership::erase(draft)?, ())))
    }

    /// The position as of now.
    pub(crate) fn position(&self) -> Position {
        let balance = as_of(self.account.clone(), &self.programs, self.now).unwrap().balance();
        (balance.available, balance.pending, balance.debt)
    }

    pub(crate) fn view(&self) -> Value {
        let view = view::account(self.account.clone(), &self.programs, self.now).unwrap();
        serde_json::to_value(view).unwrap()
    }

    /// Open lots as seen now: points and end.
    pub(crate) fn lots(&self) -> Vec<(i64, Option<String>)> {
        let view = self.view();
        let lots = view["lots"].as_array().unwrap().iter();
        lots.map(|lot| (lot["points"].as_i64().unwrap(), lot["expires_at"].as_str().map(str::to_owned))).collect()
    }

    pub(crate) fn level(&self) -> String {
        self.view()["tier"]["level"].as_str().unwrap().to_owned()
    }

    /// The kinds and points of the ledger from a number on.
    pub(crate) fn kinds(&self, from: u64) -> Vec<(&'static str, i64)> {
        let entries = self.ledger.iter().filter(|entry| entry.seq >= from);
        entries.map(|entry| (entry.kind.word(), entry.points)).collect()
    }

    pub(crate) fn last(&self) -> &Entry {
        self.ledger.last().unwrap()
    }

    /// Appends what was decided, and audits the books.
    fn keep(&mut self, posted: Posted) {
        assert_eq!(posted.expected_version, self.account.version);
        assert_eq!(posted.account.version, self.account.version + 1, "each change counts the version up by one");
        let seen = self.view();
        for entry in &posted.entries {
            self.folded.apply(entry).unwrap();
            assert_eq!(entry.balance_after, self.folded.balance(), "balance after entry {}", entry.seq);
            assert_eq!(entry.recorded_at, self.now);
        }
        let unchanged = |account: &Account| (account.status, account.zone.clone(), account.tags.clone());
        let settled_only = posted.own_entries().is_empty() && unchanged(&posted.account) == unchanged(&self.account);
        for moved in &posted.stock {
            *self.stock_used.entry(moved.reward.to_string()).or_default() += moved.units;
        }
        self.redemptions.extend(posted.gifts.iter().map(|gift| (gift.id, gift.clone())));
        self.account = posted.account;
        self.ledger.extend(posted.entries);
        self.audit();
        let more = self.account.next_due(self.program()).is_some_and(|due| due <= self.now);
        if settled_only && !more {
            let (mut before, mut after) = (seen, self.view());
            (before["version"], after["version"]) = (json!(0), json!(0));
            assert_eq!(before, after, "reading shows what settling writes");
        }
    }

    /// Everything that must hold of an account and its ledger at every moment.
    pub(crate) fn audit(&self) {
        let account = &self.account;
        let sum: i64 = self.ledger.iter().map(|entry| entry.points).sum();
        let lots: i64 = account.lots.iter().map(|lot| lot.points).sum();
        assert_eq!(lots - account.debt, sum, "lots less debt are the sum of the entries");
        assert!(account.adds_up(), "lifetime sums explain the balance");
        assert!(account.debt >= 0);
        assert!(account.lots.count() <= MOST_LOTS);
        assert!(account.lots.iter().all(|lot| lot.points > 0), "no empty or negative lot");
        let keys: Vec<_> = account.lots.iter().map(|lot| lot.key).collect();
        assert!(keys.iter().enumerate().all(|(i, key)| !keys[..i].contains(key)), "one lot per kind");
        assert!(self.ledger.iter().enumerate().all(|(i, entry)| entry.seq == i as u64 + 1), "no gaps");
        assert_eq!(account.seq, self.ledger.len() as u64);
        self.audit_redemptions();

        let (mut kept, mut folded) = (account.clone(), self.folded.clone());
        folded.zone = kept.zone.clone();
        for account in [&mut kept, &mut folded] {
            account.lots.activate(self.now);
            account.forget(self.program(), self.now);
        }
        assert_eq!(kept.lots, folded.lots);
        assert_eq!((kept.debt, kept.held, kept.lifetime), (folded.debt, folded.held, folded.lifetime));
        assert_eq!((&kept.units, &kept.uses), (&folded.units, &folded.uses));
        assert_eq!((&kept.holds, &kept.reward_uses), (&folded.holds, &folded.reward_uses));
        assert_eq!(
            (&kept.level.id, kept.level.since, &kept.level.before),
            (&folded.level.id, folded.level.since, &folded.level.before)
        );
        assert_eq!(kept.first_purchase, folded.first_purchase);
        assert_eq!((&kept.progress, &kept.badges), (&folded.progress, &folded.badges));
        assert_eq!(kept.entry_bonuses, folded.entry_bonuses);
        // Erasure takes booked days without an entry: they say what tags say.
        let stays = |pass: &&Pass| kept.status != Status::Erased || pass.level().is_some();
        assert!(kept.passes.iter().eq(folded.passes.iter().filter(stays)), "passes");
    }
}

/// What an entry takes out of what is set aside and calls spent.
pub(crate) fn captured(entry: &Entry) -> i64 {
    match &entry.effects.redemption {
        Some(effect) => match effect.change {
            Redeeming::Captured { points } => points,
            Redeeming::SetAside { .. } | Redeeming::GivenBack | Redeeming::Spent | Redeeming::Returned => 0,
        },
        None => 0,
    }
}

/// The words of an entry's explanation.
pub(crate) fn words(entry: &Entry) -> Vec<String> {
    entry.explanation.iter().map(Reason::words).collect()
}
