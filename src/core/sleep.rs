//! Who is awake, who searches, who sleeps, and the one function that wakes. `sleep.md` beside this file has the
//! states, both sides' steps and the argument that no wake-up is lost.

use std::sync::Arc;
use std::time::Duration;

use crate::core::parker::Parker;
use crate::ground::barrier;
use crate::ground::sync::{AtomicU64, Mutex, Ordering, fence};

/// Threads that hold a seat: running, or searching.
const ACTIVE: u64 = 1;
/// Threads that hold a seat and look for work.
const SEARCHING: u64 = 1 << 20;
/// Threads in the idle list.
const IDLE: u64 = 1 << 40;
/// Nobody keeps watch any more: the next root wakes one thread at once.
const DEEP: u64 = 1 << 63;
const FIELD: u64 = (1 << 20) - 1;

fn active(state: u64) -> u64 {
    state & FIELD
}

fn searching(state: u64) -> u64 {
    (state / SEARCHING) & FIELD
}

fn idle(state: u64) -> u64 {
    (state / IDLE) & FIELD
}

/// A thread in the idle list.
#[derive(Clone, Debug)]
struct Idler {
    slot: usize,
    /// Workers are woken before spares.
    spare: bool,
    parker: Arc<Parker>,
}

/// What became of a call of [`Sleep::wake_one`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Wake {
    /// Somebody searches already, or all seats are taken: whoever leaves one looks at the queues.
    Enough,
    /// One thread is on its way.
    Woken,
    /// A seat is free, but no thread sleeps: they run, or wait inside their work. A spare may take the seat.
    NobodyThere,
}

/// Who comes for something that has been queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comes {
    /// Somebody searches.
    Searcher,
    /// A seat is free: somebody must be woken.
    Sleeper,
    /// Only those who are busy.
    Busy,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Sleep {
    state: AtomicU64,
    idlers: Mutex<Vec<Idler>>,
}

/// To hold one is to be counted as searching (and active). It cannot be dropped unspent: say what became of it.
#[must_use]
pub(crate) struct Searching<'s>(&'s Sleep);

impl Sleep {
    pub(crate) fn new() -> Self {
        Sleep { state: AtomicU64::new(0), idlers: Mutex::new(Vec::new()) }
    }

    // ----- seats -----------------------------------------------------------------------------------------------

    /// Takes a seat, free or not: for a thread that was promised one, and for one that goes on after a wait.
    pub(crate) fn take_seat(&self) {
        // Relaxed: the count decides who wakes whom; queues and fences order the work itself.
        self.state.fetch_add(ACTIVE, Ordering::Relaxed);
    }

    /// Whether nobody keeps watch. Asked by a thread that has just marked its slot as busy: if so, it wakes a thread;
    /// if not, whoever ends the watch sees the mark.
    pub(crate) fn is_deep(&self) -> bool {
        // Pairs with the fence in `end_watch`, and with that in `leave_seat`: see *Nobody idle* in `sleep.md`.
        #[cfg(not(mutant = "begins_without_fence"))]
        fence(Ordering::SeqCst);
        self.state.load(Ordering::Relaxed) & DEEP != 0
    }

    /// [`is_deep`](Self::is_deep) without a fence. Only where [`barrier::heavy_works`]: see `end_watch`.
    #[inline]
    pub(crate) fn is_deep_by_light(&self) -> bool {
        // Pairs with the `heavy` in `end_watch`.
        barrier::light();
        self.state.load(Ordering::Relaxed) & DEEP != 0
    }

    /// Takes a seat if one of `seats` is free, or held by a mere searcher.
    pub(crate) fn try_take_seat(&self, seats: u64) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        loop {
            if active(state) - searching(state) >= seats {
                return false;
            }
            // Relaxed: as in `take_seat`.
            match self.state.compare_exchange_weak(state, state + ACTIVE, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
    }

    /// Gives a seat back. The caller looks at the queues afterwards, and wakes a thread if there is work.
    pub(crate) fn leave_seat(&self) {
        let before = self.state.fetch_sub(ACTIVE, Ordering::Relaxed);
        debug_assert!(active(before) > 0, "a seat is left that was not taken");
        // Pairs with the fence in `wants_thread`: either the producer sees the free seat, or we see its work.
        fence(Ordering::SeqCst);
    }

    /// Gives a seat back, as [`leave_seat`](Self::leave_seat). True: somebody sleeps, and the caller need only look at
    /// what is its own. For one of `seats` was free all the time, so whoever has queued something meanwhile has woken a
    /// sleeper; or somebody searches, and looks at everything when that ends.
    pub(crate) fn leave_free_seat(&self, seats: u64) -> bool {
        let before = self.state.fetch_sub(ACTIVE, Ordering::Relaxed);
        debug_assert!(active(before) > 0, "a seat is left that was not taken");
        // As in `leave_seat`.
        fence(Ordering::SeqCst);
        #[cfg(mutant = "free_by_leaving")]
        let before = before - ACTIVE;
        let beside_searcher = searching(before) > 0 && before & DEEP == 0;
        #[cfg(mutant = "free_beside_sleepers")]
        let beside_searcher = before & DEEP == 0;
        idle(before) > 0 && (active(before) < seats || beside_searcher)
    }

    /// Whether more threads hold a seat than there are.
    pub(crate) fn crowded(&self, seats: u64) -> bool {
        active(self.state.load(Ordering::Relaxed)) > seats
    }

    /// Whether one of `seats` is free.
    pub(crate) fn seat_free(&self, seats: u64) -> bool {
        active(self.state.load(Ordering::Relaxed)) < seats
    }

    /// Whether no thread holds a seat.
    pub(crate) fn nobody_active(&self) -> bool {
        active(self.state.load(Ordering::Relaxed)) == 0
    }

    pub(crate) fn searchers(&self) -> usize {
        searching(self.state.load(Ordering::Relaxed)) as usize
    }

    /// Whether an idle thread is the only one.
    pub(crate) fn one_idle(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        idle(state) == 1 && searching(state) == 0
    }

    /// How many threads search, and how many of `seats` are free.
    #[inline]
    pub(crate) fn hunger(&self, seats: u64) -> (usize, usize) {
        let state = self.state.load(Ordering::Relaxed);
        (searching(state) as usize, seats.saturating_sub(active(state)) as usize)
    }

    pub(crate) fn idlers(&self) -> usize {
        idle(self.state.load(Ordering::Relaxed)) as usize
    }

    // ----- producers -------------------------------------------------------------------------------------------

    /// After work has been made visible: whether a thread should be fetched for it. `seats` is how many may be taken.
    #[inline]
    pub(crate) fn wants_thread(&self, seats: u64) -> bool {
        // Pairs with the fences in `lie_down` and `leave_seat`: either we see that thread gone from the searchers (or
        // its seat free), or it sees our work when it looks again.
        #[cfg(not(mutant = "producer_without_fence"))]
        fence(Ordering::SeqCst);
        let state = self.state.load(Ordering::Relaxed);
        searching(state) == 0 && active(state) < seats
    }

    /// [`wants_thread`](Self::wants_thread) for a producer that looks again soon anyway: without the fence.
    #[inline]
    pub(crate) fn may_want_thread(&self, seats: u64) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        searching(state) == 0 && active(state) < seats
    }

    /// After a task has been made visible: who comes for it. With the fence of [`wants_thread`](Self::wants_thread).
    #[inline]
    pub(crate) fn who_comes(&self, seats: u64) -> Comes {
        // Pairs with the fences in `found`, `lie_down`, `quit` and `leave_seat`, as in `wants_thread`; and with those
        // in `Lane::end_duty`, `leave_duty` and `end_patrol`: either the caller, who looks at the lane after this,
        // sees that nobody is there, or that thread sees the task.
        fence(Ordering::SeqCst);
        self.who_may_come(seats)
    }

    /// The same without the fence, as in [`may_want_thread`](Self::may_want_thread).
    #[inline]
    pub(crate) fn who_may_come(&self, seats: u64) -> Comes {
        let state = self.state.load(Ordering::Relaxed);
        if searching(state) > 0 {
            Comes::Searcher
        } else if active(state) < seats {
            Comes::Sleeper
        } else {
            Comes::Busy
        }
    }

    /// Whether nobody would notice a task that stays in a next slot: nobody searches, nobody keeps watch, but a seat is
    /// free. (If none is, whoever leaves one looks.)
    #[inline]
    pub(crate) fn unwatched(&self, seats: u64) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        state & DEEP != 0 || (idle(state) == 0 && searching(state) == 0 && active(state) < seats)
    }

    /// Whether nobody would look after a public fork: the idle are fast asleep, or there are none, but a seat is free.
    pub(crate) fn forks_unwatched(&self, seats: u64) -> bool {
        // Acquire: see `found`.
        let state = self.state.load(Ordering::Acquire);
        searching(state) == 0 && active(state) < seats && (idle(state) == 0 || state & DEEP != 0)
    }

    /// Whether nobody would look after a private fork that strands: a seat is free, and there is no idle thread, not
    /// even one that sleeps, to keep watch.
    #[inline]
    pub(crate) fn nobody_idle(&self, seats: u64) -> bool {
        // Acquire: see `found`.
        let state = self.state.load(Ordering::Acquire);
        idle(state) == 0 && searching(state) == 0 && active(state) < seats
    }

    /// The only place that wakes an idle thread. The woken one is counted as searching from here on.
    pub(crate) fn wake_one(&self, seats: u64) -> Wake {
        let mut idlers = self.idlers.lock();
        let state = self.state.load(Ordering::Relaxed);
        if active(state) >= seats {
            return Wake::Enough;
        }
        let Some(last) = idlers.len().checked_sub(1) else {
            return Wake::NobodyThere;
        };
        // The first in the list keeps watch: it is woken last, but first from deep sleep, in which it no longer looks
        // at the clock. Workers before spares.
        let at = if state & DEEP != 0 { 0 } else { (0..=last).rev().find(|at| !idlers[*at].spare).unwrap_or(last) };
        let idler = idlers.remove(at);
        let heir = self.woken(&idlers, at);
        drop(idlers);
        idler.parker.unpark();
        if let Some(heir) = heir {
            heir.unpark();
        }
        Wake::Woken
    }

    /// The thread that stood at `at` goes from idle to searching; called under the list's lock. Ends deep sleep.
    /// Returns whom to ring, so that somebody keeps watch with an eye on the clock.
    fn woken(&self, left: &[Idler], at: usize) -> Option<Arc<Parker>> {
        let before = self.state.fetch_add((ACTIVE + SEARCHING).wrapping_sub(IDLE), Ordering::Relaxed);
        let was_deep = before & DEEP != 0;
        if was_deep {
            self.state.fetch_and(!DEEP, Ordering::Relaxed);
        }
        let passes_on = at == 0 || was_deep;
        #[cfg(mutant = "watch_not_handed_over")]
        let passes_on = was_deep;
        #[cfg(mutant = "deep_sleep_ends_unheard")]
        let passes_on = at == 0;
        left.first().filter(|_| passes_on).map(|heir| heir.parker.clone())
    }

    /// Wakes every idle thread: the pool closes.
    pub(crate) fn wake_all(&self) {
        // Pairs with the fence in `lie_down`, as in `wants_thread`: the gate was closed before.
        fence(Ordering::SeqCst);
        let mut idlers = self.idlers.lock();
        let all = std::mem::take(&mut *idlers);
        for _ in &all {
            self.woken(&[], 0);
        }
        drop(idlers);
        for idler in all {
            idler.parker.unpark();
        }
    }

    // ----- workers ---------------------------------------------------------------------------------------------

    /// A thread that holds a seat begins to search.
    pub(crate) fn search(&self) -> Searching<'_> {
        self.state.fetch_add(SEARCHING, Ordering::Relaxed);
        Searching(self)
    }

    /// A sleeper tries to get up by itself. None: a waker has taken it off the list and counted it as searching, and
    /// its token is in the parker or on its way there.
    pub(crate) fn get_up(&self, slot: usize) -> Option<Searching<'_>> {
        let mut idlers = self.idlers.lock();
        let at = idlers.iter().position(|idler| idler.slot == slot)?;
        idlers.remove(at);
        let heir = self.woken(&idlers, at);
        drop(idlers);
        if let Some(heir) = heir {
            heir.unpark();
        }
        Some(Searching(self))
    }

    /// Whether the sleeper is still in the list, and whether it keeps watch there.
    pub(crate) fn lies(&self, slot: usize) -> Option<Watch> {
        let idlers = self.idlers.lock();
        let at = idlers.iter().position(|idler| idler.slot == slot)?;
        Some(if at == 0 { Watch::Mine } else { Watch::Anothers })
    }

    /// The searching state that a waker gave to a thread it took off the list.
    pub(crate) fn inherit(&self) -> Searching<'_> {
        Searching(self)
    }

    /// The watch ends: deep sleep begins. The caller leaves a request with every busy thread afterwards.
    pub(crate) fn end_watch(&self, heavy: bool) {
        self.state.fetch_or(DEEP, Ordering::Relaxed);
        // Pairs with the fence in `is_deep`: either the caller sees that slot busy, or its owner sees DEEP.
        #[cfg(not(mutant = "watch_ends_without_fence"))]
        fence(Ordering::SeqCst);
        #[cfg(not(mutant = "watch_ends_without_fence"))]
        if heavy {
            // The same for the `light` in `is_deep_by_light`. Should the system refuse it now, a brief guest that
            // begins at this very moment is not asked for its forks, which then wait for their owner.
            let _ = barrier::heavy();
        }
    }
}

/// Who keeps the timed watch over a pool at rest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// The caller.
    Mine,
    /// Somebody else.
    Anothers,
}

impl<'s> Searching<'s> {
    /// The search has found work. Says whether nobody searches now.
    pub(crate) fn found(self) -> bool {
        // Release pairs with the Acquire of `nobody_idle` and `forks_unwatched`: who sees that we search no more sees
        // also what we did before (that a spare has come), however many others have stopped searching since.
        #[cfg(not(mutant = "found_alone"))]
        let before = self.0.state.fetch_sub(SEARCHING, Ordering::Release);
        #[cfg(mutant = "found_alone")]
        let before = self.0.state.fetch_sub(SEARCHING, Ordering::Relaxed);
        std::mem::forget(self);
        // Pairs with the fence in `wants_thread`: a producer that counted on us has work that we see from here on.
        #[cfg(not(mutant = "found_alone"))]
        fence(Ordering::SeqCst);
        searching(before) == 1
    }

    /// The thread joins the idle list and gives its seat up. It must look at every source once more before it parks.
    pub(crate) fn lie_down(self, slot: usize, spare: bool, parker: &Arc<Parker>) {
        let mut idlers = self.0.idlers.lock();
        idlers.push(Idler { slot, spare, parker: parker.clone() });
        let before = self.0.state.fetch_add(IDLE.wrapping_sub(ACTIVE + SEARCHING), Ordering::Relaxed);
        let mut watch = None;
        let was_deep = before & DEEP != 0;
        #[cfg(mutant = "lies_down_in_deep_sleep")]
        let was_deep = false;
        if was_deep {
            // We come from work, which somebody else may still be at; whoever began since the watch ended found all
            // seats taken. A new watch begins.
            self.0.state.fetch_and(!DEEP, Ordering::Relaxed);
            watch = idlers.first().filter(|first| first.slot != slot).map(|first| first.parker.clone());
        }
        drop(idlers);
        if let Some(watch) = watch {
            watch.unpark();
        }
        std::mem::forget(self);
        // Pairs with the fence in `wants_thread` and `wake_all`.
        #[cfg(not(mutant = "sleeper_without_fence"))]
        fence(Ordering::SeqCst);
    }

    /// The thread ends, and its seat with it.
    pub(crate) fn quit(self) {
        let before = self.0.state.fetch_sub(ACTIVE + SEARCHING, Ordering::Relaxed);
        debug_assert!(active(before) > 0 && searching(before) > 0, "a search ends that did not begin");
        std::mem::forget(self);
        // As in `leave_seat`.
        fence(Ordering::SeqCst);
    }
}

impl Drop for Searching<'_> {
    fn drop(&mut self) {
        unreachable!("a search ends in found, lie_down or quit");
    }
}

/// How long the watch sleeps: 200 µs, doubling; after about 6 ms in all it ends. From then on a root that starts wakes
/// a thread at once, and so does the next fork of a thread that was already at work, and either begins a new watch. So
/// a fork that is stranded right after a busy time waits a small part of that time; a program of tiny roots pays one
/// wake in some milliseconds; and one long closure costs the others nothing.
#[derive(Debug)]
pub(crate) struct WatchClock {
    next: Duration,
    total: Duration,
    calm: bool,
}

impl WatchClock {
    const FIRST: Duration = Duration::from_micros(200);
    const LONGEST: Duration = Duration::from_millis(10);
    const TOTAL: Duration = Duration::from_millis(6);
    const STIRRED: Duration = Duration::from_millis(1);

    pub(crate) fn new() -> Self {
        WatchClock { next: Self::FIRST, total: Duration::ZERO, calm: false }
    }

    pub(crate) fn span(&self) -> Duration {
        self.next.min(Self::LONGEST)
    }

    pub(crate) fn tick(&mut self) {
        self.total = (self.total + self.next).min(Self::TOTAL);
        self.next = (self.next * 2).min(Self::LONGEST);
    }

    /// Something was going on, but it was over before we came: look again soon, but not as soon as after work.
    pub(crate) fn stirred(&mut self) {
        *self = WatchClock { next: Self::STIRRED, total: Duration::ZERO, calm: false };
    }

    pub(crate) fn over(&self) -> bool {
        self.total >= Self::TOTAL
    }

    /// For a thread that leaves no forks behind: see *A calm watch* in `sleep.md`.
    pub(crate) fn calm() -> Self {
        WatchClock { calm: true, ..Self::new() }
    }

    pub(crate) fn is_calm(&self) -> bool {
        self.calm
    }

    pub(crate) fn end(&mut self) {
        self.total = Self::TOTAL;
    }
}
