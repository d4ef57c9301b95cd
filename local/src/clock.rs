//! The stack's clock, which can be made to stand still, and its ids.

use jiff::Timestamp;
use loyalty_http::Surroundings;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use ulid::Ulid;

/// Fills a buffer with bytes that nobody can guess.
pub type Randomness = dyn Fn(&mut [u8]) + Send + Sync;

/// What only `main.rs` may read and lends to everything else: real time and randomness.
#[derive(Clone)]
pub struct World {
    /// Real time, wherever the stack's clock stands.
    pub now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Randomness.
    pub random: Arc<Randomness>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

/// The clock and the ids that the functions of the local stack are given.
///
/// The clock runs with real time or stands still where it was set, earlier and later alike. Ids follow real time all
/// the same and only ever grow, so that their order is the order in which things were made wherever the clock stood.
#[derive(Debug)]
pub struct LocalSurroundings {
    world: World,
    standing_at: RwLock<Option<Timestamp>>,
    last_id: Mutex<Ulid>,
}

impl LocalSurroundings {
    /// A clock that runs with real time.
    #[must_use]
    pub fn new(world: World) -> Self {
        Self { world, standing_at: RwLock::new(None), last_id: Mutex::new(Ulid::nil()) }
    }

    /// Where the stack's clock is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let standing_at = *self.standing_at.read().unwrap_or_else(PoisonError::into_inner);
        standing_at.unwrap_or_else(|| self.real_now())
    }

    /// Real time: what tokens are judged by and durations are measured with.
    #[must_use]
    pub fn real_now(&self) -> Timestamp {
        (self.world.now)()
    }

    /// Lets the clock stand still at a moment, or with `None` run with real time again.
    pub fn stand_at(&self, moment: Option<Timestamp>) {
        *self.standing_at.write().unwrap_or_else(PoisonError::into_inner) = moment;
    }

    /// An id above every id given before.
    #[must_use]
    pub fn ulid(&self) -> Ulid {
        let mut random = [0; 16];
        (self.world.random)(&mut random);
        let millisecond = u64::try_from(self.real_now().as_millisecond()).unwrap_or_default();
        let fresh = Ulid::from_parts(millisecond, u128::from_be_bytes(random));
        let mut last = self.last_id.lock().unwrap_or_else(PoisonError::into_inner);
        // Within a millisecond, and when the machine's clock was put back, the next number above the last one.
        *last = if fresh > *last { fresh } else { Ulid(last.0.saturating_add(1)) };
        *last
    }
}

impl Surroundings for LocalSurroundings {
    fn now(&self) -> Timestamp {
        Self::now(self)
    }

    fn ulid(&self) -> Ulid {
        Self::ulid(self)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

    /// Real time that a test moves, in seconds since 1970, and numbers that are only different, not random.
    pub(crate) fn world(seconds: &Arc<AtomicI64>) -> World {
        let (seconds, counter) = (Arc::clone(seconds), AtomicU64::new(0));
        World {
            now: Arc::new(move || Timestamp::from_second(seconds.load(Ordering::SeqCst)).unwrap()),
            random: Arc::new(move |buffer| {
                for (index, byte) in buffer.iter_mut().enumerate() {
                    let count = counter.fetch_add(1, Ordering::SeqCst);
                    *byte = u8::try_from((count * 31 + index as u64 * 7) % 251).unwrap();
                }
            }),
        }
    }

    #[test]
    fn the_clock_stands_still_and_returns_to_real_time() {
        let real = Arc::new(AtomicI64::new(1_000));
        let clock = LocalSurroundings::new(world(&real));
        assert_eq!(clock.now(), Timestamp::from_second(1_000).unwrap());
        let later: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
        clock.stand_at(Some(later));
        real.store(2_000, Ordering::SeqCst);
        assert_eq!(clock.now(), later);
        clock.stand_at(Some(Timestamp::UNIX_EPOCH));
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.stand_at(None);
        assert_eq!(clock.now(), Timestamp::from_second(2_000).unwrap());
    }

    #[test]
    fn ids_only_ever_grow_even_when_real_time_is_put_back() {
        let real = Arc::new(AtomicI64::new(1_000));
        let clock = LocalSurroundings::new(world(&real));
        let mut last = clock.ulid();
        for second in [1_000, 1_000, 1_001, 5, 5, 2_000] {
            real.store(second, Ordering::SeqCst);
            let next = clock.ulid();
            assert!(next > last, "at {second}");
            last = next;
        }
    }
}
