//! What a version may not take back: what a campaign or a reward offers in all.

use super::Program;
use crate::id::CallerId;
use crate::json::{Faults, Json, Path};

/// Notes every budget and stock of a document that is lower than in the version before: what was drawn from it under the
/// higher one would be overdrawn under this, and is spread over shards that do not know of each other. A campaign or reward
/// that is to offer less gets another id.
#[must_use]
pub fn lower_totals(program: &Program, before: &Program, document: &Json) -> Faults {
    let mut faults = Faults::default();
    for rule in &program.rules {
        let was = before.rules.iter().find(|other| other.id == rule.id).and_then(|other| other.budget);
        if let (Some(was), Some(index)) = (was, place(document, "earning_rules", &rule.id))
            && rule.budget.is_some_and(|now| now < was)
        {
            let at = Path::ROOT;
            let at = at.name("earning_rules");
            let at = at.index(index);
            let at = at.name("budget");
            faults.meaningless(&at.name("points"), less(was));
        }
    }
    for reward in &program.rewards {
        let was = before.rewards.iter().find(|other| other.id == reward.id).and_then(|other| other.stock);
        if let (Some(was), Some(index)) = (was, place(document, "rewards", &reward.id))
            && reward.stock.is_some_and(|now| now < was)
        {
            let at = Path::ROOT;
            let at = at.name("rewards");
            let at = at.index(index);
            faults.meaningless(&at.name("stock"), less(was));
        }
    }
    faults
}

fn less(was: i64) -> String {
    format!("must not be less than in the version before, {was}: give it another id")
}

fn place(document: &Json, list: &str, id: &CallerId) -> Option<usize> {
    let Json::Map(fields) = document else { return None };
    let (_, Json::List(items)) = fields.iter().find(|(name, _)| name == list)? else { return None };
    let bears = |item: &Json| match item {
        Json::Map(fields) => fields.iter().any(|(name, value)| name == "id" && *value == Json::Text(id.to_string())),
        _ => false,
    };
    items.iter().position(bears)
}
