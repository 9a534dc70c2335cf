//! How a parked thread gets at what it waits for when nobody else comes for it.
//!
//! A thread that waits inside of a `join` or a scope may hold a lock, and all who could come for what it waits for may
//! wait for that lock. What it has queued itself it finds (`find.rs`). But parts of its work may lie elsewhere: a job of
//! the scope has spawned another one, which lies in the queue of the thread that ran the first; or whoever waited for
//! something else has taken one up, seen that it was not for it, and put it into the injector. So a parked thread looks
//! now and then whether the pool [stands still](Vigil::is_over). If it does, it goes through the injector and the queues
//! of closures, and runs what is its own.
//!
//! What else it takes out of a queue on the way goes to the end of the injector. Those for whom the order matters have
//! tickets there. A background thread's jobs go where background closures are. Their own waiter may look for them in
//! vain where it has put them; then it parks, and looks in the same way.
//!
//! The thread has no seat meanwhile. It is one more that runs, while all others stand still; and if they go on, it does
//! not keep them from their seats, though it may block for a lock itself.

use std::time::Duration;

use crate::core::job::JobRef;
use crate::ground::clock::Since;
use crate::pool::awake::Calling;
use crate::pool::bed::Bed;
use crate::pool::find::Work;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

/// After how long a parked thread looks for the first time. (A sleep of less than a tick of the system's clock pays for
/// the processor's timer: see `core/lane.md`.)
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// It looks more and more seldom, but at least so often.
const LAST_LOOK: Duration = Duration::from_millis(80);
/// So many times in a row nothing must have happened since the look before.
const STILL: u32 = 2;
/// A thread that searches in vain rests for so many times as long as that took.
const REST: u32 = 10;
/// After so many jobs it asks whether the others go on.
const ASK: usize = 256;

/// Finds a part of what a parked thread waits for, or not.
pub(crate) type Parts<'p> = dyn Fn(&Slot) -> Option<Work> + 'p;

/// What can be seen of threads at work: how many pieces of work they have taken, and how long they have computed.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Progress {
    pieces: u32,
    cpu: u64,
}

/// What a parked thread notes between two looks.
pub(crate) struct Vigil {
    since: Since,
    span: Duration,
    /// At the last look, if there was one.
    before: Option<Progress>,
    still: u32,
}

impl Vigil {
    pub(crate) fn new() -> Self {
        Vigil { since: Since::now(), span: FIRST_LOOK, before: None, still: 0 }
    }

    /// How long to sleep until the next look.
    pub(crate) fn left(&self) -> Duration {
        self.span.saturating_sub(self.since.elapsed())
    }

    /// Whether the pool stands still, as far as can be told, though there are closures: no thread has taken a piece of
    /// work for some time, and those that are at work have used no processor time, so they wait for something.
    pub(crate) fn is_over(&mut self, shared: &Shared) -> bool {
        if !self.since.passed(self.span) {
            return false;
        }
        let now = shared.progress();
        self.still = if self.before.replace(now) == Some(now) { self.still + 1 } else { 0 };
        self.since = Since::now();
        self.span = (2 * self.span).min(LAST_LOOK);
        self.still >= STILL && shared.has_closures()
    }

    /// A search that took so long has found nothing.
    fn was_in_vain(&mut self, took: Duration) {
        self.span = self.span.max(REST * took);
    }
}

impl Shared {
    fn progress(&self) -> Progress {
        let cpu = |slot: &Slot| slot.cpu_time().unwrap_or(0);
        let cpu = self.slots().filter(|slot| slot.is_busy()).fold(0, |sum: u64, slot| sum.wrapping_add(cpu(slot)));
        Progress { pieces: self.pieces(), cpu }
    }

    /// Whether there are closures in any queue.
    fn has_closures(&self) -> bool {
        !self.injector.is_empty() || self.slots().any(|slot| !slot.closures_end.is_empty())
    }
}

impl Slot {
    /// Runs what `lost` finds, one after another, as long as the other threads stand still. Whether there was anything.
    pub(crate) fn run_lost(&self, bed: &Bed<'_>, vigil: &mut Vigil, lost: &Parts<'_>) -> bool {
        let pieces = || self.shared().pieces().wrapping_sub(self.ticks());
        let before = pieces();
        let began = Since::now();
        let mut found = false;
        // A stopped clock does not go on meanwhile. From before the bed is left on, and the search has jobs in hand.
        let _calling = Calling::new(self.shared());
        let run = || {
            while let Some(work) = lost(self) {
                found = true;
                self.run_part(work);
                if pieces() != before {
                    break;
                }
            }
        };
        bed.away(|| self.beside_seats(run));
        if found {
            *vigil = Vigil::new();
        } else {
            vigil.was_in_vain(began.elapsed());
        }
        found
    }

    /// Runs `f`, which runs work, on a thread that has given its seat up, without one.
    fn beside_seats(&self, f: impl FnOnce()) {
        let seatless = self.seatless().replace(true);
        self.begin_briefly();
        f();
        self.flush_next();
        self.set_busy(false);
        self.seatless().set(seatless);
    }

    /// Goes through the injector, and, if so wanted, through the queues of closures, for a job that is `mine`.
    pub(crate) fn rescue(&self, mine: &dyn Fn(&JobRef) -> bool, from_queues: bool) -> Option<Work> {
        let shared = self.shared();
        let injector = &shared.injector;
        let pieces = shared.pieces();
        let mut moved = 0;
        let mut search = |most: usize, steal: &dyn Fn() -> Option<JobRef>, pass: &dyn Fn(JobRef)| {
            for _ in 0..most {
                let job = steal()?;
                if mine(&job) {
                    return Some(job);
                }
                pass(job);
                moved += 1;
                if moved % ASK == 0 && shared.pieces() != pieces {
                    break;
                }
            }
            None
        };
        let mut found = search(injector.len(), &|| injector.steal(), &|job| injector.push(job));
        if from_queues {
            found = found.or_else(|| {
                shared.slots().find_map(|slot| {
                    let pass =
                        |job| if slot.rank.is_background() { shared.pass_background(job) } else { injector.push(job) };
                    search(usize::MAX, &|| slot.closures_end.steal(), &pass)
                })
            });
        }
        if moved > 0 {
            // Nobody could see them for a moment, and may have gone to sleep in it.
            shared.notify();
        }
        found.map(Work::Job)
    }
}
