//! The items of the table, as they stand there. Attribute names are short: bytes are money.

use crate::error::StoreError;
use crate::keys::{self, Key};
use crate::packed::{pack, unpack};
use aws_sdk_dynamodb::types::AttributeValue;
use loyalty_domain::account::Account;
use loyalty_domain::activity::RecordedActivity;
use loyalty_domain::calendar::Moment;
use loyalty_domain::entry::Entry;
use loyalty_domain::id::{MemberId, ProgramId, RedemptionId};
use loyalty_domain::profile::Profile;
use loyalty_domain::purchase::Purchase;
use loyalty_domain::redemption::Redemption;
use loyalty_domain::refund::Refund;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use std::collections::HashMap;

/// An item as the SDK has it.
pub type Item = HashMap<String, AttributeValue>;

/// Account, purchase and profile: packed, with the version that guards them.
#[derive(Debug, Serialize, Deserialize)]
struct Guarded {
    pk: String,
    sk: String,
    /// Version.
    v: u64,
    /// Packed body.
    b: ByteBuf,
    /// Where the index of what is due finds it, if anything is.
    #[serde(skip_serializing_if = "Option::is_none")]
    dk: Option<String>,
    /// The hour in which something is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    da: Option<String>,
}

/// Entries: what an operator looks for stands open, the rest is packed.
#[derive(Debug, Serialize, Deserialize)]
struct EntryItem {
    pk: String,
    sk: String,
    /// Kind.
    k: String,
    /// Points.
    p: i64,
    /// Packed entry.
    b: ByteBuf,
}

/// Facts that are written once: packed.
#[derive(Debug, Serialize, Deserialize)]
struct Once {
    pk: String,
    sk: String,
    /// Packed body.
    b: ByteBuf,
}

/// What may be personal about an entry.
#[derive(Debug, Serialize, Deserialize)]
struct NoteItem {
    pk: String,
    sk: String,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    t: Option<String>,
    /// Attributes of an activity, as JSON.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    a: Option<String>,
}

/// What may be personal about an entry, and stands beside it so that it can be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// An operator's words.
    Text(String),
    /// The attributes of an activity, as a JSON object.
    Attributes(String),
}

/// What an identity leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityOf {
    /// The member.
    pub member: MemberId,
}

/// A person's data and the code by which they bring friends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Personal data.
    pub profile: Profile,
    /// Grows by one with each change.
    pub version: u64,
    /// The member's own code.
    pub referral_code: String,
    /// A digest of the enrolment, to tell a retry.
    pub enrolled_by: [u8; 16],
}

/// What a voucher leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoucherOf {
    /// The redemption.
    pub redemption: RedemptionId,
    /// Whose it is.
    pub member: MemberId,
    /// The number of the secret behind its code.
    pub key: u32,
}

/// A request without a natural key that was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// A digest of its content.
    pub content: [u8; 16],
    /// Whom it was about: what named the member then may lead to somebody else by now.
    pub member: MemberId,
    /// Its entries.
    pub entries: Vec<Entry>,
}

fn item<T: Serialize>(row: &T) -> Result<Item, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(row).map_err(|_| StoreError::Corrupt("an item cannot be made"))
}

fn row<T: DeserializeOwned>(item: Item) -> Result<T, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::from_item(item).map_err(|_| StoreError::Corrupt("an item lacks attributes"))
}

fn guarded<T: Serialize>(key: Key, version: u64, body: &T, due: Option<Due>) -> Result<Item, StoreError> {
    let (dk, da) = due.map(|due| (due.key, due.at)).unzip();
    item(&Guarded { pk: key.pk, sk: key.sk, v: version, b: ByteBuf::from(pack(body)?), dk, da })
}

/// Where the index of what is due files an item.
struct Due {
    key: String,
    at: String,
}

impl Due {
    fn of(program: &ProgramId, member: MemberId, at: Moment) -> Self {
        Self { key: keys::due(program, keys::shard(member)), at: keys::due_at(at) }
    }
}

fn once<T: Serialize>(key: Key, body: &T) -> Result<Item, StoreError> {
    item(&Once { pk: key.pk, sk: key.sk, b: ByteBuf::from(pack(body)?) })
}

pub(crate) fn account(program: &ProgramId, account: &Account, due: Option<Moment>) -> Result<Item, StoreError> {
    let due = due.map(|at| Due::of(program, account.member, at));
    guarded(keys::account(program, account.member), account.version, account, due)
}

pub(crate) fn person(program: &ProgramId, member: MemberId, person: &Person) -> Result<Item, StoreError> {
    guarded(keys::profile(program, member), person.version, person, None)
}

pub(crate) fn purchase(program: &ProgramId, purchase: &Purchase) -> Result<Item, StoreError> {
    guarded(keys::purchase(program, &purchase.channel, &purchase.order_id), purchase.version, purchase, None)
}

pub(crate) fn refund(program: &ProgramId, of: &Purchase, refund: &Refund) -> Result<Item, StoreError> {
    once(keys::refund(program, &of.channel, &of.order_id, &refund.told.refund_id), refund)
}

pub(crate) fn activity(program: &ProgramId, activity: &RecordedActivity) -> Result<Item, StoreError> {
    once(keys::activity(program, &activity.source, &activity.activity_id), activity)
}

pub(crate) fn redemption(program: &ProgramId, redemption: &Redemption) -> Result<Item, StoreError> {
    let due = redemption.reminder_due().map(|at| Due::of(program, redemption.member, at));
    guarded(keys::redemption(program, redemption.id), redemption.version, redemption, due)
}

pub(crate) fn voucher(program: &ProgramId, hash: &str, of: &VoucherOf) -> Result<Item, StoreError> {
    once(keys::voucher(program, hash), of)
}

pub(crate) fn request(program: &ProgramId, hash: &str, carried: &Carried) -> Result<Item, StoreError> {
    once(keys::request(program, hash), carried)
}

pub(crate) fn identity(program: &ProgramId, kind: &str, hash: &str, of: &IdentityOf) -> Result<Item, StoreError> {
    once(keys::identity(program, kind, hash), of)
}

pub(crate) fn code(program: &ProgramId, code: &str, member: MemberId) -> Result<Item, StoreError> {
    once(keys::code(program, code), &member)
}

pub(crate) fn note(program: &ProgramId, member: MemberId, seq: u64, note: &Note) -> Result<Item, StoreError> {
    let key = keys::note(program, member, seq);
    let (t, a) = match note {
        Note::Text(text) => (Some(text.clone()), None),
        Note::Attributes(json) => (None, Some(json.clone())),
    };
    item(&NoteItem { pk: key.pk, sk: key.sk, t, a })
}

pub(crate) fn entry(program: &ProgramId, member: MemberId, entry: &Entry) -> Result<Item, StoreError> {
    let key = keys::entry(program, member, entry.seq);
    let packed = ByteBuf::from(pack(entry)?);
    item(&EntryItem { pk: key.pk, sk: key.sk, k: entry.kind.word().to_owned(), p: entry.points, b: packed })
}

/// Reads the packed body of an account, profile, purchase, entry or fact.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn body<T: DeserializeOwned>(item: &Item) -> Result<T, StoreError> {
    match item.get("b") {
        Some(AttributeValue::B(bytes)) => unpack(bytes.as_ref()),
        Some(_) | None => Err(StoreError::Corrupt("an item has no packed body")),
    }
}

/// Puts another packed body into an item: for tests that break a table, and for repairs.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn with_body<T: Serialize>(mut item: Item, body: &T) -> Result<Item, StoreError> {
    item.insert("b".to_owned(), AttributeValue::B(pack(body)?.into()));
    Ok(item)
}

/// Reads a note and the number of its entry.
pub(crate) fn note_of(item: Item) -> Result<(u64, Note), StoreError> {
    let row: NoteItem = row(item)?;
    let seq = row.sk.strip_prefix("N#").and_then(|seq| seq.parse().ok());
    let note = row.t.map(Note::Text).or(row.a.map(Note::Attributes));
    Ok((
        seq.ok_or(StoreError::Corrupt("a note has no number"))?,
        note.ok_or(StoreError::Corrupt("a note says nothing"))?,
    ))
}

/// Reads a packed body from its bytes, as a stream carries them.
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn body_of_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    unpack(bytes)
}
