//! Sends a plan: eight members at a time, one request after the other for each of them, so that no two requests of
//! ours ever want the same account. Every answer is compared with the plan.

use super::client::{Answer, Api};
use super::plan::{CHANNEL, Line, Member, Plan, Purchase, Refund, RefundLine, Step};
use super::report::{Counted, Differing, Tally};
use super::{IN_FLIGHT, ReplayError};
use bytes::Bytes;
use http::Method;
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// A member's account as the answers left it.
#[derive(Debug, Clone)]
pub(super) struct Account {
    member_id: String,
    points: i64,
}

/// What the accounts hold.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) accounts: u64,
    pub(super) differing: Differing,
}

/// Sends all of a plan; gives the totals of the answers and each member's account.
pub(super) async fn send(
    api: &Arc<Api>,
    plan: &Arc<Plan>,
    bar: &ProgressBar,
) -> Result<(Tally, Vec<Account>), ReplayError> {
    // Those with most to do first, so that none of them is left over when the others are done.
    let mut order: Vec<usize> = (0..plan.members.len()).collect();
    order.sort_by_key(|&place| std::cmp::Reverse(plan.members.get(place).map_or(0, |member| member.steps.len())));
    let order = Arc::new(order);
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (api, plan, order, next, bar) = (api.clone(), plan.clone(), order.clone(), next.clone(), bar.clone());
        workers.spawn(async move {
            let mut sender = Sender { api: &api, bar: &bar, tally: Tally::default() };
            let mut accounts = Vec::new();
            while let Some(&place) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(member) = plan.members.get(place) {
                    accounts.extend(sender.member(member).await?);
                }
            }
            Ok((sender.tally, accounts))
        });
    }
    let mut tally = Tally::default();
    let mut accounts = Vec::with_capacity(plan.members.len());
    while let Some((part, more)) = workers.join_next().await.transpose().map_err(broken)?.transpose()? {
        tally = tally.merged(part);
        accounts.extend(more);
    }
    Ok((tally, accounts))
}

/// Asks for every account whether it holds what the answers added up to.
pub(super) async fn check(api: &Arc<Api>, accounts: Vec<Account>, bar: &ProgressBar) -> Result<Checked, ReplayError> {
    let accounts = Arc::new(accounts);
    let next = Arc::new(AtomicUsize::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (api, accounts, next, bar) = (api.clone(), accounts.clone(), next.clone(), bar.clone());
        workers.spawn(async move {
            let mut checked = Checked::default();
            while let Some(account) = accounts.get(next.fetch_add(1, Ordering::Relaxed)) {
                checked.account(&api, account).await?;
                bar.inc(1);
            }
            Ok(checked)
        });
    }
    let mut checked = Checked::default();
    while let Some(part) = workers.join_next().await.transpose().map_err(broken)?.transpose()? {
        checked.accounts += part.accounts;
        checked.differing = checked.differing.merged(part.differing);
    }
    Ok(checked)
}

struct Sender<'a> {
    api: &'a Api,
    bar: &'a ProgressBar,
    tally: Tally,
}

impl Sender<'_> {
    /// Enrols a member and sends what there is about them; no account if they were refused.
    async fn member(&mut self, member: &Member) -> Result<Option<Account>, ReplayError> {
        #[derive(Deserialize)]
        struct Enrolled {
            member: Id,
        }
        #[derive(Deserialize)]
        struct Id {
            member_id: String,
        }
        let body = json!({"external_id": member.external_id}).to_string().into();
        let answer: Option<Enrolled> = self.post("/v1/members", body, |tally| &mut tally.members).await?;
        let Some(Enrolled { member: Id { member_id } }) = answer else {
            self.skip(member.steps.len());
            return Ok(None);
        };
        let mut account = Account { member_id, points: 0 };
        let mut refused: HashSet<&str> = HashSet::new();
        for step in &member.steps {
            match step {
                Step::Purchase(purchase) => match self.purchase(purchase, &account.member_id).await? {
                    Some(points) => account.points += points,
                    None => {
                        refused.insert(&purchase.order_id);
                    }
                },
                // The API would only say that it does not know the purchase.
                Step::Refund(refund) if refused.contains(refund.order_id.as_str()) => self.skip(1),
                Step::Refund(refund) => account.points -= self.refund(refund).await?.unwrap_or(0),
            }
        }
        Ok(Some(account))
    }

    /// Posts a purchase; gives its points.
    async fn purchase(&mut self, purchase: &Purchase, member_id: &str) -> Result<Option<i64>, ReplayError> {
        #[derive(Serialize)]
        struct Body<'a> {
            channel: &'a str,
            order_id: &'a str,
            member: Reference<'a>,
            occurred_at: &'a str,
            currency: &'a str,
            lines: &'a [Line],
        }
        #[derive(Serialize)]
        struct Reference<'a> {
            member_id: &'a str,
        }
        #[derive(Deserialize)]
        struct Posted {
            purchase: Earned,
        }
        #[derive(Deserialize)]
        struct Earned {
            points: i64,
        }
        let body = written(&Body {
            channel: CHANNEL,
            order_id: &purchase.order_id,
            member: Reference { member_id },
            occurred_at: &purchase.occurred_at,
            currency: self.api.currency(),
            lines: &purchase.lines,
        })?;
        let posted: Option<Posted> = self.post("/v1/purchases", body, |tally| &mut tally.purchases).await?;
        let Some(Posted { purchase: Earned { points } }) = posted else { return Ok(None) };
        self.tally.earned += points;
        self.tally
            .differing
            .compare(points, purchase.points, || format!("the points of purchase {}", purchase.order_id));
        Ok(Some(points))
    }

    /// Posts a refund; gives the points that it took, less those that it gave back.
    async fn refund(&mut self, refund: &Refund) -> Result<Option<i64>, ReplayError> {
        #[derive(Serialize)]
        struct Body<'a> {
            refund_id: &'a str,
            occurred_at: &'a str,
            lines: &'a [RefundLine],
        }
        #[derive(Deserialize)]
        struct Posted {
            refund: Taken,
        }
        #[derive(Deserialize)]
        struct Taken {
            points_clawed_back: i64,
            points_restored: i64,
        }
        let Refund { order_id, refund_id, occurred_at, lines, points } = refund;
        let path = format!("/v1/purchases/{CHANNEL}/{order_id}/refunds");
        let body = written(&Body { refund_id, occurred_at, lines })?;
        let Some(Posted { refund: taken }) = self.post(&path, body, |tally| &mut tally.refunds).await? else {
            return Ok(None);
        };
        self.tally.clawed_back += taken.points_clawed_back;
        self.tally.restored += taken.points_restored;
        let net = taken.points_clawed_back - taken.points_restored;
        self.tally.differing.compare(net, *points, || format!("what refund {refund_id} takes of purchase {order_id}"));
        Ok(Some(net))
    }

    /// Sends a request and counts its answer; gives what a good one says.
    async fn post<T: for<'de> Deserialize<'de>>(
        &mut self,
        path: &str,
        body: Bytes,
        counted: impl FnOnce(&mut Tally) -> &mut Counted,
    ) -> Result<Option<T>, ReplayError> {
        let answer: Answer = self.api.send(Method::POST, path, Some(body)).await?;
        self.bar.inc(1);
        self.tally.requests += 1 + answer.retries;
        self.tally.retries += answer.retries;
        if !answer.status.is_success() {
            *self.tally.refused.entry(answer.problem().code).or_default() += 1;
            return Ok(None);
        }
        let counted = counted(&mut self.tally);
        if answer.replayed {
            counted.replayed += 1;
        } else {
            counted.new += 1;
        }
        answer.read(&Method::POST, path).map(Some)
    }

    /// Leaves out requests that hang on one that was refused.
    fn skip(&mut self, steps: usize) {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.bar.inc(steps);
        if steps > 0 {
            *self.tally.refused.entry("not_sent".to_owned()).or_default() += steps;
        }
    }
}

impl Checked {
    async fn account(&mut self, api: &Api, account: &Account) -> Result<(), ReplayError> {
        #[derive(Deserialize)]
        struct Position {
            points: Points,
            lifetime: Lifetime,
        }
        #[derive(Deserialize)]
        struct Points {
            available: i64,
            pending: i64,
            held: i64,
            debt: i64,
        }
        #[derive(Deserialize)]
        struct Lifetime {
            earned: i64,
            clawed_back: i64,
        }
        let Account { member_id, points } = account;
        let Position { points: held, lifetime } =
            api.need(Method::GET, &format!("/v1/members/{member_id}/account"), None).await?;
        self.accounts += 1;
        let balance = held.available + held.pending + held.held - held.debt;
        self.differing.compare(balance, *points, || format!("the points of member {member_id}"));
        let lifetime = lifetime.earned - lifetime.clawed_back;
        self.differing.compare(lifetime, *points, || format!("the lifetime of member {member_id}"));
        Ok(())
    }
}

fn written(body: &impl Serialize) -> Result<Bytes, ReplayError> {
    serde_json::to_vec(body).map(Bytes::from).map_err(broken)
}

/// A fault of our own, not of the API or the file.
fn broken(fault: impl std::error::Error) -> ReplayError {
    ReplayError::Broken { fault: fault.to_string() }
}

#[cfg(test)]
mod tests;
