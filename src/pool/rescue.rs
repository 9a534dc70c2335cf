//! How a parked thread gets at what it waits for when nobody else comes for it.
//!
//! A thread that waits inside of a `join` or a scope may hold a lock, and all who could come for what it waits for may
//! wait for that lock. What it has queued itself it finds (`find.rs`). But parts of its work may lie elsewhere: a job of
//! the scope has spawned another one, which lies in the queue of the thread that ran the first; or whoever waited for
//! something else has taken one up, seen that it was not for it, and put it into the injector. So a parked thread looks
//! now and then whether the pool stands still. If so it goes through the injector and the queues of closures, and
//! runs what is its own. What else lay at the front of a queue goes to the injector on the way, the only place from which
//! its own waiter could not have expected it; but that looks there in the same way.
//!
//! Each look is bounded, and passes on what it has looked at; so it gets at everything in the end, however much there is.

use std::time::Duration;

use crate::core::job::JobRef;
use crate::ground::clock::Since;
use crate::pool::find::Work;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

/// After how long a parked thread looks for the first time. (A sleep of less than a tick of the system's clock pays for
/// the processor's timer: see `core/lane.md`.)
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// It looks more and more seldom, but at least so often.
const LAST_LOOK: Duration = Duration::from_millis(80);
/// In one of so many looks it does not ask whether the pool stands still.
const REGARDLESS: u32 = 8;
/// So many jobs of one queue are looked at at once.
const MOST: usize = 1024;

/// Finds a part of what a parked thread waits for.
pub(crate) type Parts<'p> = dyn Fn(&Slot) -> Option<Work> + 'p;

/// What a parked thread notes between two looks.
pub(crate) struct Vigil {
    since: Since,
    span: Duration,
    /// How many pieces of work had been taken at the last look, if there was one.
    pieces: Option<u32>,
    looks: u32,
}

impl Vigil {
    pub(crate) fn new() -> Self {
        Vigil { since: Since::now(), span: FIRST_LOOK, pieces: None, looks: 0 }
    }

    /// How long to sleep until the next look.
    pub(crate) fn left(&self) -> Duration {
        self.span.saturating_sub(self.since.elapsed())
    }

    /// Whether it is time to go through the queues.
    pub(crate) fn is_over(&mut self, shared: &Shared) -> bool {
        if !self.since.passed(self.span) {
            return false;
        }
        let before = self.pieces.replace(shared.pieces());
        self.since = Since::now();
        self.span = (2 * self.span).min(LAST_LOOK);
        self.looks += 1;
        (before == self.pieces || self.looks % REGARDLESS == 0) && shared.has_closures()
    }

    /// Something has been found: there may be more, or what depends on it.
    pub(crate) fn begin_anew(&mut self) {
        *self = Vigil::new();
    }
}

impl Shared {
    /// Whether there are closures in any queue.
    fn has_closures(&self) -> bool {
        !self.injector.is_empty() || self.slots().any(|slot| !slot.closures_end.is_empty())
    }
}

impl Slot {
    /// Goes through the injector, and, if so wanted, through the queues of closures, for a job that is `mine`. What it
    /// takes out of a queue on the way it puts into the injector.
    pub(crate) fn rescue(&self, mine: &dyn Fn(&JobRef) -> bool, from_queues: bool) -> Option<Work> {
        let shared = self.shared();
        let injector = &shared.injector;
        let mut moved = false;
        let mut search = |most: usize, steal: &dyn Fn() -> Option<JobRef>| {
            for _ in 0..most {
                let job = steal()?;
                if mine(&job) {
                    return Some(job);
                }
                injector.push(job);
                moved = true;
            }
            None
        };
        let mut found = search(injector.len().min(MOST), &|| injector.steal());
        if from_queues && found.is_none() {
            found = shared.slots().find_map(|slot| search(MOST, &|| slot.closures_end.steal()));
        }
        if moved {
            // Nobody could see them for a moment, and may have gone to sleep in it.
            shared.notify();
        }
        found.map(Work::Job)
    }
}
