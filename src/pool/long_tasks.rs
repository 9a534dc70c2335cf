//! Tasks that the express lane leaves to the workers, because polls of their kind have turned out long there: a handler
//! that sorts, a task with a parallel loop. On the lane such a poll would keep a core from the closures beside it, and
//! the lane from the tasks that it is for. What a poll will take cannot be known before; but all tasks of one kind (the
//! same future, spawned at the same place) are one function, so what the last ones took on average is a good guess.
//!
//! It stays a guess, with an end: after a while the lane tries one again. And the workers may all wait for such a
//! task: see `patrol.rs` for when the lane polls some nevertheless.

use crate::core::queue::Injector;
use crate::core::task::Task;
use crate::ground::clock::Since;
use crate::ground::cpu_time;
use crate::ground::sync::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};

/// From how much processor time on a poll is long: some turns of the lane. In nanoseconds.
const LONG: u64 = 200_000;
/// More than this counts as this.
const LONGEST: u64 = 4 * LONG;
/// From which average on it is worth to tell whether a poll has computed, or waited for a core.
const SUSPECT: u64 = LONG / 4;
/// Each poll is one in so many of the average.
const WEIGHT: u64 = 8;
/// All polls of a kind, and how many of them must be long for it to be left to the workers. Boxed futures are one kind,
/// whatever they are: if some of them are short, these would wait for a worker too.
const ALL: u64 = 1 << 16;
const MOST_OF_THEM: u64 = ALL / 4 * 3;
/// For how long a kind whose polls are long is left to the workers the first time …
const FIRST: u64 = 20_000;
/// … and at most; it doubles each time. In microseconds.
const MOST: u64 = 1_000_000;
/// A kind is forgotten after so many times as long.
const FORGOTTEN: u64 = 4;
/// After what time without a worker the lane polls such tasks nevertheless, in microseconds …
const PATIENCE: u64 = 25_000;
/// … and after how many times in a row without one: it halves each time.
const IMPATIENCE: u64 = 1_000;
/// How many kinds are known at a time.
const PLACES: usize = 64;

/// See the module. All that is known of the kinds are hints, so all of it is relaxed.
pub(crate) struct LongTasks {
    queue: Injector<Task>,
    /// Since when no worker has come for those that wait, in microseconds.
    since: AtomicU64,
    /// How long the lane waits for a worker to come, in microseconds.
    patience: AtomicU64,
    /// How many pieces of work workers had taken when the lane last lost it.
    ticks: AtomicU32,
    /// Whether any kind has ever turned out so.
    any: AtomicBool,
    places: [Place; PLACES],
    began: Since,
}

/// What is known of a kind.
#[derive(Debug)]
struct Place {
    kind: AtomicUsize,
    /// How long its polls are, in nanoseconds.
    average: AtomicU64,
    /// How many of them are not short, of [`ALL`].
    share: AtomicU64,
    /// Until when it is left to the workers, and for how long, in microseconds.
    until: AtomicU64,
    span: AtomicU64,
}

impl LongTasks {
    pub(crate) fn new() -> Self {
        let zero = || AtomicU64::new(0);
        let place =
            |_| Place { kind: AtomicUsize::new(0), average: zero(), share: zero(), until: zero(), span: zero() };
        LongTasks {
            queue: Injector::new(),
            since: AtomicU64::new(0),
            patience: AtomicU64::new(PATIENCE),
            ticks: AtomicU32::new(0),
            any: AtomicBool::new(false),
            places: std::array::from_fn(place),
            began: Since::now(),
        }
    }

    // ----- the queue -------------------------------------------------------------------------------------------

    /// Whoever pushes sees to it that somebody comes, or looks.
    pub(crate) fn push(&self, task: Task) {
        if self.queue.is_empty() {
            self.begin_wait();
        }
        self.queue.push(task);
    }

    /// The oldest, for a worker.
    pub(crate) fn take(&self) -> Option<Task> {
        let task = self.queue.steal()?;
        self.begin_wait();
        self.patience.store(PATIENCE, Relaxed);
        Some(task)
    }

    /// The oldest, for the lane, because no worker comes.
    pub(crate) fn rescue(&self) -> Option<Task> {
        self.queue.steal()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Whether there is any, told at once if there never was.
    #[inline]
    pub(crate) fn may_wait(&self) -> bool {
        self.any.load(Relaxed) && !self.is_empty()
    }

    /// Whether some wait, and no worker has come for so long that all of them may wait for one of these.
    pub(crate) fn are_overdue(&self) -> bool {
        let waited = || self.now().saturating_sub(self.since.load(Relaxed));
        !self.is_empty() && waited() >= self.patience.load(Relaxed)
    }

    /// The lane is about to poll some. Where workers never come, as in a pool of endless closures, it waits less and
    /// less. `ticks` are the pieces of work that they have taken so far: if there are more now, they do come.
    pub(crate) fn lose_patience(&self, ticks: u32) {
        let come = self.ticks.swap(ticks, Relaxed) != ticks;
        let less = || (self.patience.load(Relaxed) / 2).max(IMPATIENCE);
        self.patience.store(if come { PATIENCE } else { less() }, Relaxed);
    }

    /// From now on the lane waits for a worker again.
    pub(crate) fn begin_wait(&self) {
        self.since.store(self.now(), Relaxed);
    }

    // ----- the kinds -------------------------------------------------------------------------------------------

    /// Whether polls of tasks like this one are long, as far as is known.
    #[inline]
    pub(crate) fn has_kind_of(&self, task: &Task) -> bool {
        self.any.load(Relaxed) && self.knows(task.kind())
    }

    fn knows(&self, kind: usize) -> bool {
        let place = self.place(kind);
        place.kind.load(Relaxed) == kind && self.now() < place.until.load(Relaxed)
    }

    /// Polls a task of that kind on the lane, and notes how long that takes.
    pub(crate) fn measure(&self, kind: usize, poll: impl FnOnce()) {
        let place = self.place(kind);
        let suspect = place.kind.load(Relaxed) == kind && place.average.load(Relaxed) >= SUSPECT;
        let before = if suspect { own_time() } else { None };
        let began = Since::now();
        poll();
        let passed = began.elapsed().as_nanos() as u64;
        let after = if passed >= LONG && suspect { own_time() } else { None };
        self.note(kind, before.zip(after).map_or(passed, |(before, after)| after.saturating_sub(before)));
    }

    /// A poll of that kind has used so much time.
    fn note(&self, kind: usize, used: u64) {
        let (place, now) = (self.place(kind), self.now());
        if place.kind.load(Relaxed) != kind {
            // Short ones drive nobody out.
            if used < SUSPECT {
                return;
            }
            place.begin(kind);
        }
        let average = place.average.load(Relaxed);
        let average = average - average / WEIGHT + used.min(LONGEST) / WEIGHT;
        place.average.store(average, Relaxed);
        let share = place.share.load(Relaxed);
        let share = share - share / WEIGHT + if used >= SUSPECT { ALL / WEIGHT } else { 0 };
        place.share.store(share, Relaxed);
        let until = place.until.load(Relaxed);
        if average >= LONG && share >= MOST_OF_THEM {
            let last = place.span.load(Relaxed);
            let is_recent = now.saturating_sub(until) < FORGOTTEN * last;
            let span = if is_recent { (2 * last).min(MOST) } else { FIRST };
            place.span.store(span, Relaxed);
            place.until.store(now + span, Relaxed);
            self.any.store(true, Relaxed);
        } else if now < until {
            place.until.store(now, Relaxed);
        }
    }

    /// Kinds with long polls that share a place drive each other out.
    fn place(&self, kind: usize) -> &Place {
        // The addresses of functions' tables: multiplied, their upper bits are spread best.
        let spread = (kind as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &self.places[(spread >> 32) as usize % PLACES]
    }

    /// The time since the pool was made, in microseconds.
    pub(crate) fn now(&self) -> u64 {
        self.began.elapsed().as_micros() as u64
    }
}

impl Place {
    /// Another kind has the place from now on.
    fn begin(&self, kind: usize) {
        self.average.store(0, Relaxed);
        self.share.store(ALL, Relaxed);
        self.until.store(0, Relaxed);
        self.span.store(0, Relaxed);
        self.kind.store(kind, Relaxed);
    }
}

fn own_time() -> Option<u64> {
    cpu_time::read(cpu_time::own_clock())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{FIRST, LONG, LongTasks, MOST, Relaxed};
    use crate::ground::clock::Since;

    fn until(tasks: &LongTasks) -> u64 {
        tasks.place(8).until.load(Relaxed)
    }

    #[test]
    fn long_polls_make_a_kind_known() {
        let tasks = LongTasks::new();
        let long = Duration::from_nanos(4 * LONG);
        for _ in 0..20 {
            tasks.measure(8, || ());
        }
        assert!(!tasks.knows(8), "it was short");
        for _ in 0..20 {
            // The first is taken for one that computes.
            tasks.measure(16, || std::thread::sleep(long));
        }
        assert!(!tasks.knows(16) || !cfg!(target_os = "linux"), "it has waited");
        for _ in 0..200 {
            // Others may have had the core.
            let began = Since::now();
            tasks.measure(8, || while !began.passed(long) {});
        }
        assert!(tasks.knows(8));
        assert!(!tasks.knows(24), "another kind");
        for _ in 0..200 {
            tasks.measure(8, || ());
        }
        assert!(!tasks.knows(8), "it is short now");
    }

    #[test]
    fn one_long_poll_among_short_ones_is_nothing() {
        let tasks = LongTasks::new();
        for n in 0..1_000 {
            tasks.note(8, if n % 20 == 0 { 100 * LONG } else { 1_000 });
            assert!(!tasks.knows(8), "after {n}");
        }
    }

    #[test]
    fn each_time_it_is_known_for_twice_as_long() {
        let tasks = LongTasks::new();
        while until(&tasks) == 0 {
            tasks.note(8, LONG * 2);
        }
        assert!(until(&tasks) >= FIRST);
        tasks.note(8, LONG * 2);
        assert!(until(&tasks) >= 2 * FIRST);
        for _ in 0..20 {
            tasks.note(8, LONG * 2);
        }
        assert!(until(&tasks) < tasks.now() + 2 * MOST);
    }
}
