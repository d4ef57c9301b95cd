//! What stands in the table, in a form in which two runs can be compared.

use crate::stack::{Stack, TABLE};
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::calendar::Moment;
use loyalty_domain::id::MemberId;
use loyalty_store::check::{Report, check};
use loyalty_store::items::{self, Item, Person};
use loyalty_store::keys;
use std::collections::BTreeMap;

/// Every item of the table, past the fault layer.
pub async fn items(stack: &Stack) -> Vec<Item> {
    let client = stack.embedded.client();
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        let page = client.scan().table_name(TABLE).set_exclusive_start_key(from).send().await.unwrap();
        all.extend(page.items.unwrap_or_default());
        match page.last_evaluated_key {
            Some(key) => from = Some(key),
            None => return all,
        }
    }
}

/// Puts items into the table, past the fault layer.
pub async fn restore(stack: &Stack, items: Vec<Item>) {
    let client = stack.embedded.client();
    for item in items {
        client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }
}

/// The text of a string attribute.
#[track_caller]
pub fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

/// A canonical dump: each item by its key, with random ids replaced by who they stand for. Two runs that did the same at the
/// same moments have the same dump. Counters of guesses are left out: they are no books, and may count a retry.
pub async fn dump(stack: &Stack) -> BTreeMap<String, String> {
    let items = items(stack).await;
    dump_of(&items, &aliases(&items))
}

/// The same of items that were read already.
#[must_use]
pub fn dump_of(items: &[Item], aliases: &Aliases) -> BTreeMap<String, String> {
    let counted = |item: &&Item| text(item, "sk") != "G";
    items.iter().filter(counted).map(|item| (aliased(aliases, key(item)), aliased(aliases, attributes(item)))).collect()
}

/// Random texts and what to write instead of them.
pub type Aliases = Vec<(String, String)>;

/// The random ids in a table: members by their external ids, and their codes.
#[must_use]
pub fn aliases(items: &[Item]) -> Aliases {
    let mut aliases = Vec::new();
    for item in items.iter().filter(|item| text(item, "sk") == "PROFILE") {
        let (_, member): (_, MemberId) = keys::member_of(text(item, "pk")).unwrap();
        let person: Person = items::body(item).unwrap();
        let name = person.profile.external_id.or(person.profile.phone).unwrap_or_default();
        let id = member.ulid();
        for (random, what) in [(id.to_string(), "member"), (person.referral_code, "code")] {
            aliases.push((hex(random.as_bytes()), format!("<{what} of {name}>")));
            aliases.push((random, format!("<{what} of {name}>")));
        }
        aliases.push((hex(&id.to_bytes()), format!("<member of {name}>")));
    }
    aliases
}

/// A text with random ids replaced.
#[must_use]
pub fn aliased(aliases: &Aliases, text: String) -> String {
    aliases.iter().fold(text, |text, (random, alias)| text.replace(random, alias))
}

fn key(item: &Item) -> String {
    format!("{} {}", text(item, "pk"), text(item, "sk"))
}

fn attributes(item: &Item) -> String {
    let sorted: BTreeMap<&String, &AttributeValue> = item.iter().collect();
    let shown = sorted.into_iter().map(|(name, value)| match value {
        // The shard follows from the random id.
        AttributeValue::S(due) if name == keys::DUE_KEY => format!("{name}={}", due.rsplit_once('#').unwrap().0),
        AttributeValue::B(bytes) => format!("{name}={}", hex(bytes.as_ref())),
        other => format!("{name}={other:?}"),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Fails unless every account is the fold of its entries and every fact has its entry.
pub async fn must_balance(stack: &Stack) -> Report {
    let report = check(stack.engine.table(), 1, Moment::parse(&stack.now()).unwrap()).await.unwrap();
    assert!(report.is_clean(), "{:#?}", report.findings);
    report
}

/// Whether these bytes stand anywhere in the table, in a key, an attribute or a packed body.
pub async fn holds(stack: &Stack, bytes: &[u8]) -> bool {
    let within = |value: &AttributeValue| {
        let found = |hay: &[u8]| hay.windows(bytes.len()).any(|window| window == bytes);
        match value {
            AttributeValue::S(text) | AttributeValue::N(text) => found(text.as_bytes()),
            AttributeValue::B(blob) => found(blob.as_ref()),
            other => panic!("an attribute of an unknown type: {other:?}"),
        }
    };
    items(stack).await.iter().any(|item| item.values().any(within))
}

/// An item's size by DynamoDB's rules, in bytes: names and values; a number takes half a byte a digit and one more.
#[must_use]
pub fn size(item: &Item) -> usize {
    let of = |value: &AttributeValue| match value {
        AttributeValue::S(text) => text.len(),
        AttributeValue::B(blob) => blob.as_ref().len(),
        AttributeValue::N(digits) => digits.len().div_ceil(2) + 1,
        other => panic!("an attribute of an unknown type: {other:?}"),
    };
    item.iter().map(|(name, value)| name.len() + of(value)).sum()
}
