//! What a desk does where points are spent.

use crate::desk::{Desk, captured, plain, with};
use loyalty_domain::account::Status as Part;
use loyalty_domain::catalogue::{Availability, availability};
use loyalty_domain::draft::as_of;
use loyalty_domain::entry::Contra;
use loyalty_domain::id::RedemptionId;
use loyalty_domain::lots::Draw;
use loyalty_domain::money::Currency;
use loyalty_domain::redemption::{self, Ask, MOST_HOLDS, Redemption, VoucherDecision, use_voucher};
use loyalty_domain::refusal::Refusal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use ulid::Ulid;

pub(crate) const OPENED: &str = "2026-11-01T10:00:00Z";

/// The plain document with these rewards.
pub(crate) fn offering(rewards: Value) -> Value {
    with(plain(), "/rewards", rewards)
}

/// A mug for 40 points, at once.
pub(crate) fn mug() -> Value {
    json!({"id": "mug", "name": "Mug", "kind": "product", "points": 40, "settle": "immediately"})
}

/// A seat for 40 points, held for half an hour.
pub(crate) fn seat() -> Value {
    json!({"id": "seat", "name": "Seat", "kind": "experience", "points": 40, "settle": "hold", "hold_minutes": 30})
}

/// 100 points pay 1.00 EUR, held for half an hour.
pub(crate) fn pay() -> Value {
    json!({"id": "pay", "name": "Pay", "kind": "pay_with_points", "settle": "hold", "hold_minutes": 30,
        "value": {"points": 100, "amount": 100, "currency": "EUR"}})
}

pub(crate) fn ask(reward: &str) -> Ask {
    Ask { reward: reward.parse().unwrap(), points: None, currency: None, basket_total: None }
}

/// So many points are to pay in euros.
pub(crate) fn ask_to_pay(points: i64) -> Ask {
    Ask { points: Some(points), currency: Currency::of("EUR"), ..ask("pay") }
}

impl Desk {
    /// A member with so many points that expire in twelve months.
    pub(crate) fn with_points(document: &Value, points: i64) -> Self {
        let mut desk = Desk::open(document, OPENED);
        desk.adjust(points, false).unwrap();
        desk
    }

    fn stock_left(&self, reward: &str) -> Option<i64> {
        let stock = self.program().reward(&reward.parse().unwrap())?.stock?;
        Some(stock - self.stock_used.get(reward).copied().unwrap_or(0))
    }

    pub(crate) fn redeem(&mut self, reward: &str) -> Result<RedemptionId, Refusal> {
        self.redeem_as(&ask(reward))
    }

    pub(crate) fn redeem_as(&mut self, ask: &Ask) -> Result<RedemptionId, Refusal> {
        let id = RedemptionId::new(Ulid::from_parts(2, self.redemptions.len() as u128));
        let left = self.stock_left(ask.reward.as_str());
        let stocks = left.map(|left| (ask.reward.clone(), left)).into_iter().collect::<BTreeMap<_, _>>();
        let offered = self.available(ask.reward.as_str());
        let made = self.decide(|draft, _| {
            let decision = redemption::redeem(draft.with_stocks(stocks), ask, id, [0; 16])?;
            Ok((decision.posted, decision.redemption))
        });
        if let (Some(offered), true) = (offered, *ask == self::ask(ask.reward.as_str())) {
            assert_eq!(offered.available, made.is_ok(), "the catalogue says what redeeming does: {offered:?} {made:?}");
        }
        let made = made?;
        assert_eq!((made.id, made.version), (id, 1));
        assert_eq!(made.entries.last(), self.ledger.last());
        self.redemptions.insert(id, made);
        self.audit_statuses();
        Ok(id)
    }

    /// Whether a reward can be had now; none if the program does not know it.
    pub(crate) fn available(&self, reward: &str) -> Option<Availability> {
        let account = as_of(self.account.clone(), &self.programs, self.now).unwrap();
        let offered = self.program().reward(&reward.parse().unwrap())?;
        let back = self.account.holds.units_coming_back(&offered.id, self.now);
        let left = self.stock_left(reward).map(|left| left + back);
        Some(availability(self.program(), Some(&account), offered, self.now, left))
    }

    pub(crate) fn capture(&mut self, id: RedemptionId, points: Option<i64>) -> Result<(), Refusal> {
        let before = self.redemptions[&id].clone();
        let after = self.decide(|draft, _| {
            let decision = redemption::capture(draft, before, points)?;
            Ok((decision.posted, decision.redemption))
        })?;
        self.keep_redemption(after);
        Ok(())
    }

    pub(crate) fn cancel(&mut self, id: RedemptionId) -> Result<(), Refusal> {
        let before = self.redemptions[&id].clone();
        let after = self.decide(|draft, _| {
            let decision = redemption::cancel(draft, before)?;
            Ok((decision.posted, decision.redemption))
        })?;
        self.keep_redemption(after);
        Ok(())
    }

    /// Uses a voucher for an order; gives whether it had been used for that very order before.
    pub(crate) fn use_voucher(&mut self, id: RedemptionId, order: &str) -> Result<bool, Refusal> {
        let (channel, order) = ("till".parse().unwrap(), order.parse().unwrap());
        let before = self.redemptions[&id].clone();
        let VoucherDecision { redemption, replayed } =
            use_voucher(before.clone(), &self.account, &channel, &order, self.now)?;
        if replayed {
            assert_eq!(redemption, before);
        } else {
            self.keep_redemption(redemption);
        }
        Ok(replayed)
    }

    fn keep_redemption(&mut self, after: Redemption) {
        let before = self.redemptions.insert(after.id, after.clone()).unwrap();
        assert_eq!(after.version, before.version + 1);
        let sum: i64 = after.taken.iter().map(|draw| draw.points).sum();
        assert!(after.captured == 0 || sum == after.captured, "it knows what came out of which lot");
        self.audit_statuses();
    }

    pub(crate) fn status(&self, id: RedemptionId) -> &'static str {
        self.redemptions[&id].status_at(self.now).word()
    }

    /// Points set aside as of now.
    pub(crate) fn held(&self) -> i64 {
        as_of(self.account.clone(), &self.programs, self.now).unwrap().held
    }

    pub(crate) fn redeemed(&self) -> i64 {
        self.view()["lifetime"]["redeemed"].as_i64().unwrap()
    }

    /// What must hold of everything that is set aside or spent.
    pub(crate) fn audit_redemptions(&self) {
        let account = &self.account;
        let draws = account.holds.iter().flat_map(|hold| &hold.taken);
        assert_eq!(account.held, draws.map(|draw| draw.points).sum::<i64>(), "what is held is the sum of the holds");
        assert!(account.holds.count() <= MOST_HOLDS);
        assert!(account.holds.iter().flat_map(|hold| &hold.taken).all(|draw: &Draw| draw.points > 0));

        let side =
            |side| -> i64 { self.ledger.iter().filter(|entry| entry.contra() == side).map(|entry| entry.points).sum() };
        let captured: i64 = self.ledger.iter().map(captured).sum();
        assert_eq!(account.held, -side(Contra::Held) - captured, "held = Σ held − Σ captured − Σ released");
        assert_eq!(account.lifetime.redeemed, captured - side(Contra::Redeemed));

        for (reward, used) in &self.stock_used {
            assert!(*used >= 0, "no more came back to the stock of {reward} than went out");
        }
    }

    /// What must hold between the account and each redemption.
    pub(crate) fn audit_statuses(&self) {
        let account = &self.account;
        let erased = account.status == Part::Erased;
        for redemption in self.redemptions.values() {
            let open = account.holds.of(redemption.id);
            match redemption.status_at(self.now).word() {
                "held" => assert_eq!(open.is_some(), !erased),
                "fulfilled" | "cancelled" => assert!(open.is_none()),
                "lapsed" => assert!(open.is_none_or(|hold| hold.lapses_at <= self.now)),
                other => panic!("{other}"),
            }
        }
    }
}
