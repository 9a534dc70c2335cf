//! Whether a poll on the express lane holds up the tasks behind it. Told first by those who bring more of them, so the
//! usual poll pays nothing. See *Long polls* in `core/lane.md`.

use crate::ground::cpu_time;
use crate::ground::sync::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// After what time a poll is looked at, in microseconds. It holds the lane up …
const LONG: u64 = 1_000;
/// … if it has computed so much since it was looked at first, in nanoseconds (it may also wait for a core) …
const COMPUTES: u64 = 200_000;
/// … or if it has gone on for so long that it must be blocked, in microseconds.
const BLOCKED: u64 = 25_000;
/// While others go on that have held it up, it takes so long, in microseconds: as the wait for a seat of polls that fork.
const LONG_BESIDE_OTHERS: u64 = 4_000;

/// What is known of the poll that was looked at last. Hints, all of them.
#[derive(Debug)]
pub(crate) struct HeldUp {
    /// The clock of the thread on duty.
    clock: AtomicU32,
    /// When the poll began that somebody has looked at, and the processor time of its thread at that look.
    since: AtomicU64,
    cpu: AtomicU64,
}

impl HeldUp {
    pub(crate) fn new() -> Self {
        HeldUp { clock: AtomicU32::new(0), since: AtomicU64::new(0), cpu: AtomicU64::new(0) }
    }

    /// The polls are those of the thread with this clock from now on.
    pub(crate) fn is_of(&self, clock: i32) {
        self.clock.store(clock as u32, Relaxed);
    }

    /// Whether the poll that began at `since`, and has gone on for `ran` microseconds, holds the others up.
    pub(crate) fn is(&self, since: u64, ran: u64) -> bool {
        let cpu = cpu_time::read(self.clock.load(Relaxed) as i32);
        if self.since.swap(since, Relaxed) != since {
            self.cpu.store(cpu.unwrap_or(u64::MAX), Relaxed);
            return ran >= BLOCKED;
        }
        ran >= BLOCKED || cpu.is_some_and(|now| now.saturating_sub(self.cpu.load(Relaxed)) >= COMPUTES)
    }
}

/// Whether that is long enough for a look.
pub(crate) fn is_long(ran: u64) -> bool {
    ran >= LONG
}

/// Whether that is long enough beside so many others that go on.
pub(crate) fn is_enough(ran: u64, others: usize) -> bool {
    others == 0 || ran >= LONG_BESIDE_OTHERS
}
