//! Every key of the table, in one place.
//!
//! `p` is the program id; all ids given by callers are of an alphabet without `#`, everything else is hashed.
//!
//! | item | pk | sk |
//! | --- | --- | --- |
//! | account | `p#M#<member>` | `ACCOUNT` |
//! | profile: the personal data | `p#M#<member>` | `PROFILE` |
//! | entry | `p#M#<member>` | `E#<seq, 12 digits>` |
//! | note: free text or attributes of an entry | `p#M#<member>` | `N#<seq, 12 digits>` |
//! | identity | `p#I#<kind>#<keyed hash>` | `I` |
//! | referral code | `p#C#<code>` | `C` |
//! | purchase | `p#P#<channel>#<order id>` | `P` |
//! | refund | `p#P#<channel>#<order id>` | `R#<refund id>` |
//! | activity | `p#A#<source>#<activity id>` | `A` |
//! | campaign budget | `p#S#<rule>` | `<shard>` |
//! | reward stock | `p#T#<reward>` | `<shard>` |
//! | redemption, which is its own request key | `p#R#<redemption id>` | `R` |
//! | voucher | `p#V#<keyed hash of the code>` | `V` |
//! | request key | `p#K#<keyed hash of actor and key>` | `K` |
//! | guesses, with a TTL | `p#G#<keyed hash of caller>#<what>#<minute>` | `G` |
//! | program version | `p#PROGRAM` | `V#<number, 6 digits>` |
//! | pointer to the versions | `p#PROGRAM` | `CURRENT` |
//! | registry of programs | `REGISTRY` | `<program>` |
//!
//! Two sparse indexes that carry keys only: `due` by `dk` = `p#DUE#<shard>`, sorted by `da` = `<utc hour, 10 digits>`, on
//! accounts and redemptions about which something must be written at some moment, so that one query per shard finds what is
//! due by now, however late it is asked, and nothing else; and `birthday` by `bk` = `p#BDAY#<utc hour>#<shard>`, sorted by
//! `pk`.

use crate::pools::Pool;
use loyalty_domain::calendar::Moment;
use loyalty_domain::id::{CallerId, MemberId, ProgramId, RedemptionId};
use std::fmt::Display;

/// Name of the partition key.
pub const PK: &str = "pk";
/// Name of the sort key.
pub const SK: &str = "sk";
/// Name of the index of what is due, and of its partition key.
pub const DUE_INDEX: &str = "due";
/// Partition key of [`DUE_INDEX`].
pub const DUE_KEY: &str = "dk";
/// Sort key of [`DUE_INDEX`]: the hour, so that the index is written only when that changes.
pub const DUE_AT: &str = "da";
/// Name of the index of birthdays.
pub const BIRTHDAY_INDEX: &str = "birthday";
/// Partition key of [`BIRTHDAY_INDEX`].
pub const BIRTHDAY_KEY: &str = "bk";
/// The attribute by which DynamoDB deletes guesses, in seconds since 1970.
pub const TTL: &str = "ttl";
/// Over how many shards the members of a program are spread in the indexes.
pub const SHARDS: u32 = 64;

/// A primary key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Partition key.
    pub pk: String,
    /// Sort key.
    pub sk: String,
}

fn key(pk: impl Display, sk: impl Display) -> Key {
    Key { pk: pk.to_string(), sk: sk.to_string() }
}

/// The partition of a member.
#[must_use]
pub fn member(program: &ProgramId, member: MemberId) -> String {
    format!("{program}#M#{}", member.ulid())
}

/// A member's account.
#[must_use]
pub fn account(program: &ProgramId, of: MemberId) -> Key {
    key(member(program, of), ACCOUNT)
}

/// Sort key of accounts.
pub const ACCOUNT: &str = "ACCOUNT";

/// A member's personal data.
#[must_use]
pub fn profile(program: &ProgramId, of: MemberId) -> Key {
    key(member(program, of), "PROFILE")
}

/// A ledger entry.
#[must_use]
pub fn entry(program: &ProgramId, of: MemberId, seq: u64) -> Key {
    key(member(program, of), entry_sk(seq))
}

/// Sort key of an entry.
#[must_use]
pub fn entry_sk(seq: u64) -> String {
    format!("E#{seq:012}")
}

/// The number of the entry at a sort key; none for other items.
#[must_use]
pub fn seq_of(sk: &str) -> Option<u64> {
    sk.strip_prefix("E#").and_then(|seq| seq.parse().ok())
}

/// The free text of an entry.
#[must_use]
pub fn note(program: &ProgramId, of: MemberId, seq: u64) -> Key {
    key(member(program, of), note_sk(seq))
}

/// Sort key of a note.
#[must_use]
pub fn note_sk(seq: u64) -> String {
    format!("N#{seq:012}")
}

/// An identity, by the keyed hash of its normalised value.
#[must_use]
pub fn identity(program: &ProgramId, kind: &str, hash: &str) -> Key {
    key(format_args!("{program}#I#{kind}#{hash}"), "I")
}

/// A referral code.
#[must_use]
pub fn code(program: &ProgramId, code: &str) -> Key {
    key(format_args!("{program}#C#{code}"), "C")
}

/// A purchase.
#[must_use]
pub fn purchase(program: &ProgramId, channel: &CallerId, order_id: &CallerId) -> Key {
    key(format_args!("{program}#P#{channel}#{order_id}"), "P")
}

/// A refund.
#[must_use]
pub fn refund(program: &ProgramId, channel: &CallerId, order_id: &CallerId, refund_id: &CallerId) -> Key {
    key(format_args!("{program}#P#{channel}#{order_id}"), format_args!("R#{refund_id}"))
}

/// An activity.
#[must_use]
pub fn activity(program: &ProgramId, source: &CallerId, activity_id: &CallerId) -> Key {
    key(format_args!("{program}#A#{source}#{activity_id}"), "A")
}

/// A request without a natural key.
#[must_use]
pub fn request(program: &ProgramId, hash: &str) -> Key {
    key(format_args!("{program}#K#{hash}"), "K")
}

/// The counter of a caller's wrong guesses of one kind in one minute.
#[must_use]
pub fn guesses(program: &ProgramId, caller: &str, what: &str, now: Moment) -> Key {
    key(format_args!("{program}#G#{caller}#{what}#{}", now.millis().div_euclid(60_000)), "G")
}

/// The partition of what a campaign or a reward has left for all members.
#[must_use]
pub fn pool(program: &ProgramId, pool: &Pool) -> String {
    match pool {
        Pool::Budget(rule) => format!("{program}#S#{rule}"),
        Pool::Stock(reward) => format!("{program}#T#{reward}"),
    }
}

/// A shard of it.
#[must_use]
pub fn pool_shard(program: &ProgramId, of: &Pool, shard: usize) -> Key {
    key(pool(program, of), shard)
}

/// A redemption.
#[must_use]
pub fn redemption(program: &ProgramId, id: RedemptionId) -> Key {
    key(format_args!("{program}#R#{}", id.ulid()), "R")
}

/// The program and redemption of a redemption's partition; none for other partitions.
#[must_use]
pub fn redemption_of(pk: &str) -> Option<(ProgramId, RedemptionId)> {
    let (program, ulid) = pk.split_once("#R#")?;
    Some((program.parse().ok()?, RedemptionId::new(ulid::Ulid::from_string(ulid).ok()?)))
}

/// A voucher, by the keyed hash of its code.
#[must_use]
pub fn voucher(program: &ProgramId, hash: &str) -> Key {
    key(format_args!("{program}#V#{hash}"), "V")
}

/// The partition of a program's versions.
#[must_use]
pub fn program(id: &ProgramId) -> String {
    format!("{id}#PROGRAM")
}

/// A program version.
#[must_use]
pub fn version(id: &ProgramId, number: u32) -> Key {
    key(program(id), format_args!("V#{number:06}"))
}

/// The pointer to a program's versions.
#[must_use]
pub fn current(id: &ProgramId) -> Key {
    key(program(id), "CURRENT")
}

/// A program's place in the registry.
#[must_use]
pub fn registry(id: &ProgramId) -> Key {
    key(REGISTRY, id)
}

/// The due index's partition for the members of a shard.
#[must_use]
pub fn due(program: &ProgramId, shard: u32) -> String {
    format!("{program}#DUE#{shard}")
}

/// The due index's sort key for what is due within the hour of a moment.
#[must_use]
pub fn due_at(at: Moment) -> String {
    format!("{:010}", at.utc_hour().max(0))
}

/// The partition of the registry of programs.
pub const REGISTRY: &str = "REGISTRY";

/// The shard of a member: spread by the random part of its id.
#[must_use]
pub fn shard(member: MemberId) -> u32 {
    u32::try_from(member.ulid().random() % u128::from(SHARDS)).unwrap_or(0)
}

/// The program and member of a member's partition; none for other partitions.
#[must_use]
pub fn member_of(pk: &str) -> Option<(ProgramId, MemberId)> {
    let (program, ulid) = pk.split_once("#M#")?;
    Some((program.parse().ok()?, MemberId::new(ulid::Ulid::from_string(ulid).ok()?)))
}

/// The program of an activity's partition; none for other partitions.
#[must_use]
pub fn program_of_activity(pk: &str) -> Option<ProgramId> {
    pk.split_once("#A#").and_then(|(program, _)| program.parse().ok())
}

/// The program of a purchase's partition; none for other partitions.
#[must_use]
pub fn program_of_purchase(pk: &str) -> Option<ProgramId> {
    pk.split_once("#P#").and_then(|(program, _)| program.parse().ok())
}
