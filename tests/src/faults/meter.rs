//! What a layer has seen: calls, their order in time, and what they cost.

use super::Fault;
use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::Add;

/// Request units as the answers name them. A transaction counts twice what its items do, an index write apart from its table's.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Capacity {
    /// Write units of tables.
    pub table_write: f64,
    /// Read units of tables.
    pub table_read: f64,
    /// Write units of indexes.
    pub index_write: f64,
    /// Read units of indexes.
    pub index_read: f64,
}

impl Add for Capacity {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            table_write: self.table_write + other.table_write,
            table_read: self.table_read + other.table_read,
            index_write: self.index_write + other.index_write,
            index_read: self.index_read + other.index_read,
        }
    }
}

impl Sum for Capacity {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

/// One call of the store, whatever came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// The name of the operation, such as `TransactWriteItems`.
    pub operation: String,
    /// The fault it met.
    pub fault: Option<Fault>,
    /// When it began, in ticks: every beginning and every end is one.
    pub start: u64,
    /// When it was over; none while it runs.
    pub end: Option<u64>,
    /// What it consumed, if the layer (or the request) asked and the call succeeded.
    pub consumed: Capacity,
}

/// The record of a layer since its last reset.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Meter {
    /// Every call in the order of their beginnings.
    pub calls: Vec<Call>,
    ticks: u64,
    /// The number of the first call of this record among all of the layer: a call may end after a reset.
    first: usize,
}

impl Meter {
    /// How many calls were made.
    #[must_use]
    pub fn count(&self) -> usize {
        self.calls.len()
    }

    /// The operations in the order of their beginnings.
    #[must_use]
    pub fn operations(&self) -> Vec<&str> {
        self.calls.iter().map(|call| call.operation.as_str()).collect()
    }

    /// How many calls were made of each operation.
    #[must_use]
    pub fn by_operation(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for operation in self.operations() {
            *counts.entry(operation).or_default() += 1;
        }
        counts
    }

    /// What all calls consumed together.
    #[must_use]
    pub fn consumed(&self) -> Capacity {
        self.calls.iter().map(|call| call.consumed).sum()
    }

    /// Round trips: the number of links in the longest chain of calls each of which began after the one before was over.
    /// Meaningful for one request at a time, with metering on.
    #[must_use]
    pub fn longest_chain(&self) -> usize {
        let mut spans: Vec<_> = self.calls.iter().map(|call| (call.end.unwrap_or(u64::MAX), call.start)).collect();
        // Of spans on one line, taking whatever ends first leaves most room for further ones.
        spans.sort_unstable();
        let (mut links, mut free) = (0, 0);
        for (end, start) in spans {
            if start >= free {
                (links, free) = (links + 1, end);
            }
        }
        links
    }
}

/// The layer's side.
impl Meter {
    /// Writes a beginning down; the number names the call to the two functions below.
    pub(super) fn start(&mut self, operation: &str, fault: Option<Fault>) -> usize {
        let start = self.tick();
        let consumed = Capacity::default();
        self.calls.push(Call { operation: operation.to_owned(), fault, start, end: None, consumed });
        self.first + self.calls.len() - 1
    }

    pub(super) fn end(&mut self, call: usize) {
        let now = self.tick();
        if let Some(call) = self.call(call) {
            call.end = Some(now);
        }
    }

    pub(super) fn charge(&mut self, call: usize, capacity: Capacity) {
        if let Some(call) = self.call(call) {
            call.consumed = capacity;
        }
    }

    /// An empty record that knows the calls of this one as gone.
    pub(super) fn emptied(&self) -> Self {
        Self { first: self.first + self.calls.len(), ..Self::default() }
    }

    fn call(&mut self, call: usize) -> Option<&mut Call> {
        self.calls.get_mut(call.checked_sub(self.first)?)
    }

    fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }
}
