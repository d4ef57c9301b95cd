//! What becomes of a redemption: captured, or called off.

use crate::read::{UNKNOWN, found, shown};
use crate::redeem::caller;
use axum::extract::State;
use loyalty_domain::draft::Draft;
use loyalty_domain::entry::Entry;
use loyalty_domain::id::{ProgramId, RedemptionId};
use loyalty_domain::programs::Programs;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::redemption::{self, Closing, Redemption, Status};
use loyalty_domain::refusal::Refusal;
use loyalty_domain::view;
use loyalty_http::{Answer, App, JsonBody, PathValues, Principal, Problem, RequestKey, entries};
use loyalty_store::items::{self, Item};
use loyalty_store::keys::{self, Key};
use loyalty_store::{Call, Command, Decision, Done, Fact, Failure, Recalled, StoreError};

/// How often a closing is decided anew because the redemption moved meanwhile.
const MOST_ATTEMPTS: u32 = 10;

#[derive(Debug, Clone, Copy)]
enum Close {
    /// So many of the points that are held; all, if not said.
    Capture(Option<i64>),
    /// Whether it is held or fulfilled.
    Cancel,
    /// Only as long as it is held.
    CancelHold,
}

impl Close {
    /// What is asked for, in words that stay the same for ever: retries are recognised by them.
    fn words(self) -> String {
        match self {
            Close::Capture(None) => "capture\0-".to_owned(),
            Close::Capture(Some(points)) => format!("capture\0{points}"),
            Close::Cancel | Close::CancelHold => "cancel".to_owned(),
        }
    }
}

/// A capture or cancellation. The redemption remembers what closed it, so that no item of its own has to tell a retry.
struct Closes {
    redemption: RedemptionId,
    how: Close,
    key: [u8; 16],
    content: [u8; 16],
}

impl Command for Closes {
    type Outcome = (Redemption, Vec<Entry>);

    fn decide(&self, draft: Draft<'_>, _: &Programs, _: Option<&Purchase>) -> Result<Decision<Self::Outcome>, Refusal> {
        let before = draft.redemptions().first().cloned().ok_or(Refusal::Inconsistent)?;
        if before.closed_by(self.key).is_some() {
            // Carried out before: what it says decides, even where it could be done once more.
            return Err(Refusal::RedemptionIs { status: before.status_at(draft.now()) });
        }
        let expected = before.version;
        let decided = match self.how {
            Close::Capture(points) => redemption::capture(draft, before, points)?,
            Close::CancelHold if before.status == Status::Fulfilled => {
                return Err(Refusal::RedemptionIs { status: before.status });
            }
            Close::Cancel | Close::CancelHold => redemption::cancel(draft, before)?,
        };
        let (posted, mut redemption) = (decided.posted, decided.redemption);
        let entries = posted.own_entries().to_vec();
        redemption.closings.push(Closing { key: self.key, content: self.content, entries: entries.clone() });
        let facts = vec![Fact::RedemptionLeft(redemption.clone(), expected)];
        Ok(Decision { posted: Some(posted), facts, budgets: Vec::new(), outcome: (redemption, entries) })
    }

    fn fact(&self, program: &ProgramId) -> Option<Key> {
        Some(keys::redemption(program, self.redemption))
    }

    fn recall(&self, fact: &Item) -> Result<Recalled<Self::Outcome>, StoreError> {
        let redemption: Redemption = items::body(fact)?;
        Ok(match redemption.closed_by(self.key).cloned() {
            Some(closing) if closing.content == self.content => {
                Recalled::Same((redemption.as_closed(self.key), closing.entries))
            }
            Some(_) => Recalled::Other(Vec::new()),
            None => Recalled::Nothing,
        })
    }
}

/// `POST /v1/redemptions/{redemption_id}/capture`: spends what was set aside, or a part of it.
pub(crate) async fn capture(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    RequestKey(key): RequestKey,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let points = body.read(redemption::capture_body)?;
    let call = app.call(&principal);
    close(&app, &call, &caller(&principal), path.id("redemption_id", UNKNOWN)?, Close::Capture(points), &key).await
}

/// `POST /v1/redemptions/{redemption_id}/cancel`: calls off a redemption that is held, or fulfilled and not used. A member
/// may call off only what is held.
pub(crate) async fn cancel(
    State(app): State<App>,
    principal: Principal,
    path: PathValues,
    RequestKey(key): RequestKey,
    body: JsonBody,
) -> Result<Answer, Problem> {
    body.read(redemption::cancel_body)?;
    let call = app.call(&principal);
    let id = path.id("redemption_id", UNKNOWN);
    let mut how = Close::Cancel;
    if principal.own.is_some() {
        let of = match &id {
            Ok(id) => app.engine.redemption(&call.program, *id).await?,
            Err(_) => None,
        };
        principal.must_be(of.as_ref().map(|of| of.member))?;
        // What was held and is called off by now may be asked again: the same request gets the same answer.
        if !of.is_some_and(|of| of.as_made().status == Status::Held && of.status != Status::Fulfilled) {
            return Err(Problem::forbidden());
        }
        how = Close::CancelHold;
    }
    close(&app, &call, &caller(&principal), id?, how, &key).await
}

async fn close(
    app: &App,
    call: &Call,
    caller: &str,
    id: RedemptionId,
    how: Close,
    key: &str,
) -> Result<Answer, Problem> {
    let secrets = app.engine.table().secrets();
    let key = secrets.content(&format!("key\0{}\0{caller}\0{key}", caller.len()));
    let command = Closes { redemption: id, how, key, content: secrets.content(&how.words()) };
    for attempt in 1..=MOST_ATTEMPTS {
        let redemption = found(app, call, id).await?;
        let version = redemption.version;
        match app.engine.transact(call, Some(redemption.member), vec![redemption], &command).await {
            Ok(done) => return closed(app, call, &done).await,
            Err(Failure::Refused(refusal @ Refusal::RedemptionIs { .. })) => {
                // The account is read after the redemption: if that has moved meanwhile, what refused does not stand.
                if found(app, call, id).await?.version == version {
                    return Err(refusal.into());
                }
                app.engine.table().pause(attempt).await;
            }
            Err(other) => return Err(other.into()),
        }
    }
    Err(Failure::Busy.into())
}

async fn closed(app: &App, call: &Call, done: &Done<(Redemption, Vec<Entry>)>) -> Result<Answer, Problem> {
    let (redemption, own) = &done.outcome;
    let (shown, voucher) = shown(app, call, redemption);
    let answer = Answer::ok(view::object([
        ("redemption", shown),
        ("voucher", voucher),
        ("entries", entries(own, Some(redemption.member)).into()),
        ("account", app.show_after(call, done).await?),
    ]));
    Ok(answer.replayed(done.replayed))
}
