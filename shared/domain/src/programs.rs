//! The versions of one program, as far as they are at hand.

use crate::calendar::Moment;
use crate::program::Version;
use crate::refusal::Refusal;
use std::collections::BTreeMap;
use std::sync::Arc;

/// When each version takes effect, and the documents that were needed so far. A decision that needs another says which
/// with [`Refusal::NeedsVersion`], and is made again when it is there.
#[derive(Debug, Clone, Default)]
pub struct Programs {
    starts: Vec<Moment>,
    loaded: BTreeMap<u32, Arc<Version>>,
}

impl Programs {
    /// The versions that take effect at these moments, version 1 first.
    #[must_use]
    pub fn new(starts: Vec<Moment>) -> Self {
        Self { starts, loaded: BTreeMap::new() }
    }

    /// When each version takes effect, version 1 first.
    #[must_use]
    pub fn starts(&self) -> &[Moment] {
        &self.starts
    }

    /// Puts a document at hand.
    pub fn add(&mut self, version: Arc<Version>) {
        self.loaded.insert(version.number, version);
    }

    /// The number of the version in force: the highest whose start has come; version 1 has been in force for ever.
    #[must_use]
    pub fn number_at(&self, at: Moment) -> u32 {
        let latest = self.starts.iter().rposition(|start| *start <= at).unwrap_or(0);
        u32::try_from(latest).unwrap_or(0).saturating_add(1)
    }

    /// The version in force.
    ///
    /// # Errors
    /// [`Refusal::NeedsVersion`] if it is not at hand.
    pub fn at(&self, at: Moment) -> Result<&Arc<Version>, Refusal> {
        self.version(self.number_at(at))
    }

    /// A version by number.
    ///
    /// # Errors
    /// [`Refusal::NeedsVersion`] if it is not at hand.
    pub fn version(&self, number: u32) -> Result<&Arc<Version>, Refusal> {
        self.loaded.get(&number).ok_or(Refusal::NeedsVersion(number))
    }
}
