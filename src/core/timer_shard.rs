//! A part of a pool's timers: a wheel behind a lock, and beside it, for all to read, when it wants to be looked at.

use std::task::Waker;

use crate::core::wheel::{Look, NEVER, Wheel};
use crate::ground::sync::{AtomicU64, Mutex, Ordering};

/// See the module.
#[derive(Debug)]
pub(crate) struct TimerShard {
    /// No timer in the wheel is due before this moment. Written under the lock. Relaxed everywhere: it is a hint for
    /// those who pass by, and for the keeper the fences of `keeper.rs` order it.
    next: AtomicU64,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    wheel: Wheel,
    /// Nobody looks any more: takes no new timers.
    closed: bool,
}

/// A timer has been put in.
#[derive(Debug)]
pub(crate) struct Inserted {
    pub(crate) key: u32,
    /// It is the earliest here: whoever keeps the timers must hear of it.
    pub(crate) earlier: bool,
}

/// What became of a call of [`TimerShard::reset`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Reset {
    /// The timer stands at its new time.
    Moved { earlier: bool },
    /// It has fired already.
    Fired,
}

/// As many wakers as are taken at once, so that the lock is not held for long.
pub(crate) const BATCH: usize = 32;

impl TimerShard {
    pub(crate) fn new() -> Self {
        TimerShard { next: AtomicU64::new(NEVER), inner: Mutex::new(Inner { wheel: Wheel::new(), closed: false }) }
    }

    /// When somebody should look.
    #[inline]
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// The same, exactly: timers that have been taken out do not count any more.
    pub(crate) fn next_exact(&self) -> u64 {
        let mut inner = self.inner.lock();
        let next = inner.wheel.next_exact();
        self.next.store(next, Ordering::Relaxed);
        next
    }

    /// Notes a timer. Gives the waker back if the shard is closed.
    pub(crate) fn insert(&self, deadline: u64, waker: Waker) -> Result<Inserted, Waker> {
        let mut inner = self.inner.lock();
        if inner.closed {
            return Err(waker);
        }
        let key = inner.wheel.insert(deadline, waker);
        Ok(Inserted { key, earlier: self.bring_forward(deadline) })
    }

    /// Called under the lock.
    fn bring_forward(&self, deadline: u64) -> bool {
        let earlier = deadline < self.next.load(Ordering::Relaxed);
        if earlier {
            self.next.store(deadline, Ordering::Relaxed);
        }
        earlier
    }

    /// Takes a timer out, fired or not. Its waker is dropped outside of the lock. (`next` stays, and may cost a look
    /// for nothing: most timers are timeouts that do not come to pass, and each would have to set it back.)
    pub(crate) fn remove(&self, key: u32) {
        let waker = self.inner.lock().wheel.remove(key);
        drop(waker);
    }

    /// Gives a timer another time and keeps its waker.
    pub(crate) fn reset(&self, key: u32, deadline: u64) -> Reset {
        let mut inner = self.inner.lock();
        if !inner.wheel.reset(key, deadline) {
            return Reset::Fired;
        }
        if inner.closed {
            // All are due, whatever their time.
            inner.wheel.expire_all();
        }
        Reset::Moved { earlier: self.bring_forward(deadline) }
    }

    /// Whether a timer has fired; if not, it will wake this waker.
    pub(crate) fn has_fired(&self, key: u32, waker: &Waker) -> bool {
        match self.inner.lock().wheel.look(key, waker) {
            Look::Fired => return true,
            Look::Waiting => return false,
            Look::WaitingForAnother => {}
        }
        // Cloning and dropping a waker is foreign code: not under the lock. Only the timer's owner changes its waker.
        let waker = waker.clone();
        let mut inner = self.inner.lock();
        #[cfg(not(mutant = "waker_without_second_look"))]
        if inner.wheel.look(key, &waker) == Look::Fired {
            drop(inner);
            return true;
        }
        let old = inner.wheel.set_waker(key, waker);
        drop(inner);
        drop(old);
        false
    }

    /// Takes wakers of timers that are due at `now`. The caller wakes them, and asks again until there are none.
    pub(crate) fn take_due(&self, now: u64, batch: &mut [Option<Waker>; BATCH]) -> usize {
        let mut inner = self.inner.lock();
        inner.wheel.advance(now);
        let mut taken = 0;
        for place in batch.iter_mut() {
            let Some(waker) = inner.wheel.take_due() else { break };
            *place = Some(waker);
            taken += 1;
        }
        self.next.store(inner.wheel.next(), Ordering::Relaxed);
        taken
    }

    /// Takes no more timers, and makes those due that are there.
    pub(crate) fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        inner.wheel.expire_all();
        self.next.store(inner.wheel.next(), Ordering::Relaxed);
    }
}
