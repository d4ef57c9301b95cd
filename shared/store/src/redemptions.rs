//! Reading redemptions and vouchers.

use crate::engine::Engine;
use crate::error::StoreError;
use crate::items::{self, Item, VoucherOf};
use crate::keys::{self, SK};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use loyalty_domain::entry::{Cause, Entry, Kind, Reason};
use loyalty_domain::id::{MemberId, ProgramId, RedemptionId};
use loyalty_domain::redemption::Redemption;
use loyalty_domain::voucher::Code;
use std::collections::{BTreeSet, HashMap};

/// A place in the list of a member's redemptions: an entry, and how many of those that it began were listed already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListPlace {
    /// The number of the entry.
    pub seq: u64,
    /// How many to skip.
    pub skip: usize,
}

impl ListPlace {
    /// The newest.
    pub const FIRST: ListPlace = ListPlace { seq: 999_999_999_999, skip: 0 };
}

impl std::fmt::Display for ListPlace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.seq, self.skip)
    }
}

impl std::str::FromStr for ListPlace {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let parts = text.split_once('.').and_then(|(seq, skip)| Some((seq.parse().ok()?, skip.parse().ok()?)));
        parts.map(|(seq, skip)| ListPlace { seq, skip }).ok_or(StoreError::Corrupt("a cursor names no place"))
    }
}

/// Entries that are looked through for one page of redemptions, at most: a page of a long ledger may be shorter than asked.
const MOST_LOOKED_THROUGH: i32 = 500;

impl Engine {
    /// A redemption as it is stored.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redemption(&self, program: &ProgramId, id: RedemptionId) -> Result<Option<Redemption>, StoreError> {
        self.table().get(&keys::redemption(program, id)).await?.as_ref().map(items::body).transpose()
    }

    /// What a voucher's code leads to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn voucher(&self, program: &ProgramId, code: &Code) -> Result<Option<VoucherOf>, StoreError> {
        let secrets = self.table().secrets();
        for key in secrets.voucher_keys() {
            if let Some(item) = self.table().get(&keys::voucher(program, &secrets.voucher(code, key))).await? {
                return items::body(&item).map(Some);
            }
        }
        Ok(None)
    }

    /// The redemptions that a member's entries began, newest first, from a place on, and the place at which the next page
    /// begins, if there may be more.
    ///
    /// They are found by the ledger, so that no item has to be written for the list alone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redemptions_of(
        &self,
        program: &ProgramId,
        member: MemberId,
        from: ListPlace,
        most: u32,
    ) -> Result<(Vec<Redemption>, Option<ListPlace>), StoreError> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let (first, last) = (keys::entry_sk(0), keys::entry_sk(from.seq));
        let looked =
            self.table().range(&keys::member(program, member), &first, &last, false, MOST_LOOKED_THROUGH).await?;
        let (mut ids, mut seen) = (Vec::new(), from.seq);
        for item in &looked {
            let begins = matches!(item.get("k"), Some(AttributeValue::S(kind)) if may_begin(kind));
            seen = item.get(SK).and_then(|sk| sk.as_s().ok()).and_then(|sk| keys::seq_of(sk)).unwrap_or(0);
            if !begins {
                continue;
            }
            let skip = if seen == from.seq { from.skip } else { 0 };
            for (place, id) in begun_by(&items::body(item)?).into_iter().enumerate().skip(skip) {
                if ids.len() == most {
                    return Ok((self.redemptions(program, &ids).await?, Some(ListPlace { seq: seen, skip: place })));
                }
                ids.push(id);
            }
        }
        let next = seen.checked_sub(1).filter(|seq| *seq > 0).map(|seq| ListPlace { seq, skip: 0 });
        Ok((self.redemptions(program, &ids).await?, next))
    }

    /// Redemptions by their ids, in that order; those that are not there are left out.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn redemptions(&self, program: &ProgramId, ids: &[RedemptionId]) -> Result<Vec<Redemption>, StoreError> {
        let mut found: HashMap<RedemptionId, Redemption> = HashMap::new();
        // A batch may not name an item twice.
        let different: Vec<RedemptionId> = ids.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        for ids in different.chunks(100) {
            let mut wanted: Vec<Item> = ids.iter().map(|id| key_item(keys::redemption(program, *id))).collect();
            while !wanted.is_empty() {
                let request = || async {
                    let keys = KeysAndAttributes::builder().set_keys(Some(wanted.clone())).consistent_read(true);
                    let table = self.table();
                    let batch = table.client().batch_get_item();
                    match keys.build() {
                        Ok(keys) => batch.request_items(table.name(), keys).send().await,
                        Err(_) => batch.send().await,
                    }
                };
                let mut answer = self.table().patiently(request).await?;
                let items = answer.responses.as_mut().and_then(|tables| tables.remove(self.table().name()));
                for item in items.unwrap_or_default() {
                    let redemption: Redemption = items::body(&item)?;
                    found.insert(redemption.id, redemption);
                }
                let left = answer.unprocessed_keys.as_mut().and_then(|tables| tables.remove(self.table().name()));
                wanted = left.map(|left| left.keys).unwrap_or_default();
            }
        }
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }
}

fn key_item(key: keys::Key) -> Item {
    let of = |name: &str, value| (name.to_owned(), AttributeValue::S(value));
    HashMap::from([of(keys::PK, key.pk), of(keys::SK, key.sk)])
}

/// Whether entries of a kind may begin a redemption.
fn may_begin(kind: &str) -> bool {
    [Kind::Hold, Kind::Redeem, Kind::Goal].iter().any(|may| may.word() == kind)
}

/// The redemptions that an entry begins: a capture, which moves no points, ends one that began before.
pub(crate) fn begun_by(entry: &Entry) -> Vec<RedemptionId> {
    match (&entry.cause, entry.kind) {
        (Cause::Redemption { redemption, .. }, Kind::Hold | Kind::Redeem) if entry.points < 0 => vec![*redemption],
        _ => {
            let given = entry.explanation.iter().rev().filter_map(|reason| match reason {
                Reason::RewardGiven { redemption, .. } => Some(*redemption),
                _ => None,
            });
            given.collect()
        }
    }
}
