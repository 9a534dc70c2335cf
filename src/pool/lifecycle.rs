//! How pools begin and end, the global one included.

use std::ptr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crate::core::parker::Parker;
use crate::ground::error::BuildError;
use crate::ground::sync::Mutex;
use crate::ground::topology;
use crate::pool::awake::Parked;
use crate::pool::builder::Config;
use crate::pool::current;
use crate::pool::enter::park_without_slot;
use crate::pool::express;
use crate::pool::find::Work;
use crate::pool::handle::Pool;
use crate::pool::section;
use crate::pool::shared::Shared;
use crate::pool::slot::Slot;

static GLOBAL: OnceLock<Pool> = OnceLock::new();
/// Held while the global pool is built, so that of two builders one learns that it was late.
static BUILDING: Mutex<()> = Mutex::new(());

impl Pool {
    pub(crate) fn start(workers: usize, current_thread: bool, config: Config) -> Result<Pool, BuildError> {
        if current_thread && current::is_inside_any() {
            return Err(BuildError::CurrentThreadTaken);
        }
        let shared = Shared::new(config, workers);
        for index in usize::from(current_thread)..workers {
            shared.sleep.take_seat();
            // From here on tasks may count on it.
            if let Some(slot) = shared.slot(index) {
                slot.set_busy(true);
            }
            if let Err(source) = shared.start_thread(index) {
                let closing = shared.gate.close_now();
                shared.closing(closing);
                wait_for_threads(&shared);
                shared.let_go_if_done();
                return Err(BuildError::Thread { index, source });
            }
        }
        if current_thread {
            let slot = shared.slot(0).expect("a pool has at least one worker's slot");
            shared.sleep.take_seat();
            slot.set_busy(true);
            // It looks for tasks only when the user's code calls us.
            slot.engaged.set(true);
            // SAFETY: no thread was started for slot 0, and this thread owns no other slot.
            unsafe { current::keep(slot, shared.clone()) };
        }
        Ok(Pool::new(shared))
    }

    pub(crate) fn start_global(workers: usize, current_thread: bool, config: Config) -> Result<(), BuildError> {
        let _building = BUILDING.lock();
        if GLOBAL.get().is_some() {
            return Err(BuildError::GlobalExists);
        }
        let pool = Pool::start_with_fewer(workers, current_thread, config.for_global())?;
        match GLOBAL.set(pool) {
            Ok(()) => Ok(()),
            Err(_) => Err(BuildError::GlobalExists),
        }
    }

    /// Builds a pool with as many workers as can be had. With none at all, the threads that call the pool run their
    /// work themselves, what asks for a worker (a broadcast, a root for own threads) included, and a thread for spawned
    /// work is asked for again, as a spare, whenever there is some.
    fn start_with_fewer(mut workers: usize, current_thread: bool, config: Config) -> Result<Pool, BuildError> {
        loop {
            match Pool::start(workers, current_thread, config.clone()) {
                Err(BuildError::Thread { index: 0, .. }) => return Ok(Pool::without_threads(config)),
                Err(BuildError::Thread { index, .. }) => workers = index,
                other => return other,
            }
        }
    }

    fn without_threads(config: Config) -> Pool {
        let shared = Shared::new(config, 1);
        shared.set_no_threads(true);
        shared.slots().for_each(Slot::disown);
        Pool::new(shared)
    }

    /// The global pool, made now if there is none yet.
    pub(crate) fn global() -> &'static Pool {
        if let Some(pool) = GLOBAL.get() {
            return pool;
        }
        let _building = BUILDING.lock();
        GLOBAL.get_or_init(|| {
            let config = Config::default().for_global();
            Pool::start_with_fewer(topology::default_workers(), false, config.clone())
                .unwrap_or_else(|_| Pool::without_threads(config))
        })
    }

    /// The global pool, if there is one yet, and it is this process's.
    pub(crate) fn global_if_any() -> Option<&'static Pool> {
        GLOBAL.get().filter(|pool| !pool.shared.is_forked())
    }

    /// Ends the pool gently: takes no more work from outside, runs every closure that has been accepted (and what
    /// those spawn in turn), cancels the tasks that are left, and returns when every thread has ended.
    ///
    /// Called on a thread that is inside the pool, it begins the shutdown and returns at once: the caller's own closure
    /// is part of what has to end first. (Not all that is part of it can be told: called in the body of an
    /// [`in_place_scope`](crate::Handle::in_place_scope) of this pool on a thread outside of it, or in a closure that a
    /// closure of this pool has installed into another pool, it waits for its own caller, for ever.)
    ///
    /// Afterwards `spawn` and its kin panic, and their `try_` variants give the work back. Calling it again is
    /// harmless.
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// for n in 0..100 {
    ///     let tx = tx.clone();
    ///     pool.spawn_detached(move || tx.send(n).unwrap());
    /// }
    /// pool.shutdown();
    /// // All have been run.
    /// assert_eq!(rx.try_iter().sum::<i32>(), 4950);
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn shutdown(&self) {
        let closing = self.shared.gate.begin_drain();
        self.end(closing);
    }

    /// Ends the pool soon: takes no more work, drops the closures that have not begun, cancels all tasks, and returns
    /// when the closures that run have returned and every thread has ended.
    ///
    /// The jobs of a `scope` or `join` that is running are parts of a running closure: they are run. On a thread
    /// inside the pool it does not wait, as [`shutdown`](Self::shutdown).
    ///
    /// ```
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let rests = pool.spawn(std::future::pending::<()>());
    /// pool.shutdown_now();
    /// assert!(rests.join().unwrap_err().is_cancelled());
    /// assert!(pool.try_spawn_cpu(|| 1).unwrap_err().is_shut_down());
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn shutdown_now(&self) {
        let closing = self.shared.gate.close_now();
        self.end(closing);
    }

    /// Ends the pool as [`shutdown`](Self::shutdown) does, but returns at once: what has been accepted goes on running,
    /// and the last thread clears up.
    ///
    /// tokio's name, for a gentler end: closures that have been accepted are still run. On the thread that
    /// [`use_current_thread`](crate::PoolBuilder::use_current_thread) made a worker, too, it does not run what is left,
    /// as a plain drop does there; another thread is started for that, unless the system refuses it. But where waiting
    /// threads [run anything](crate::WaitPolicy::RunAnything) it is left to the other workers, if there are any, since
    /// work runs by their indices there: if they all wait for it, outside of the pool, it is never run.
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// pool.spawn_detached(move || tx.send(6 * 7).unwrap());
    /// pool.shutdown_background();
    /// assert_eq!(rx.recv(), Ok(42));
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn shutdown_background(self) {
        self.shared.end_alone();
    }

    /// Ends the pool as [`shutdown`](Self::shutdown) does, but waits no longer than `limit`. True if it has ended by
    /// then: every thread has done its work, and nothing is left but perhaps destructors of thread-locals.
    ///
    /// From the beginning no more work is taken from outside, and what was accepted goes on: all closures and blocking
    /// calls, and what they spawn; the tasks beside them, which are cancelled when the last closure has ended. If that
    /// has not come to its end within the limit, the rest is [`shutdown_now`](Self::shutdown_now), without waiting:
    /// closures that have not begun are dropped, all tasks are cancelled, what runs goes on to its end on its thread,
    /// and the last thread clears up. So nothing can make this hang, but for one case below.
    ///
    /// On a thread that is inside the pool nothing is to be gained by waiting, since the caller's own closure is part
    /// of what has to end: it is [`shutdown_background`](Self::shutdown_background) there, and returns false.
    ///
    /// A pool that was refused every thread has nobody but the caller for what is left: then it runs that itself, and
    /// looks at the limit between two pieces of work.
    ///
    /// The limit is real time, also if the pool's [clock](crate::time) stands. tokio's name; but tokio cancels tasks at
    /// the beginning, and then waits for blocking calls only.
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let pool = filch::Pool::builder().workers(1).build()?;
    /// let (begun, rx) = std::sync::mpsc::channel();
    /// pool.spawn_detached(move || {
    ///     begun.send(()).unwrap();
    ///     std::thread::sleep(Duration::from_secs(10));
    /// });
    /// rx.recv().unwrap();
    /// let began = Instant::now();
    /// assert!(!pool.shutdown_timeout(Duration::from_millis(10)), "it sleeps");
    /// assert!(began.elapsed() < Duration::from_secs(9));
    ///
    /// let idle = filch::Pool::builder().workers(1).build()?;
    /// assert!(idle.shutdown_timeout(Duration::from_secs(60)));
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn shutdown_timeout(self, limit: Duration) -> bool {
        let (shared, began) = (&self.shared, Instant::now());
        // Neither this, nor what follows, nor the drop waits.
        shared.end_alone();
        self.shutdown();
        if shared.is_forked() || current::is_inside(shared) {
            return false;
        }
        let ended = ends_within(shared, || limit.saturating_sub(began.elapsed()));
        self.shutdown_now();
        ended
    }

    /// Makes this pool the global one, or gives it back if there is one already.
    #[cfg(feature = "rayon-core")]
    pub(crate) fn set_global(self) -> Result<(), Pool> {
        let _building = BUILDING.lock();
        GLOBAL.set(self)
    }

    fn end(&self, closing: crate::core::gate::Closing) {
        if self.shared.is_forked() {
            // There is nothing to wait for in a forked child, and locks that a thread of its parent held stay locked.
            return;
        }
        self.shared.closing(closing);
        self.shared.close_rooms();
        if current::is_inside(&self.shared) || self.shared.ends_alone() {
            self.shared.let_go_if_done();
            return;
        }
        wait_for_threads(&self.shared);
        run_leftovers(&self.shared, || true);
        if self.shared.gate.is_closed() {
            // No thread is left to keep the timers, whatever the tallies say at this moment.
            self.shared.close_timers();
        }
        self.shared.let_go_if_done();
    }
}

/// Blocks until every thread of the pool has ended.
fn wait_for_threads(shared: &Shared) {
    if current::is_out() {
        return section::back(|| wait_for_threads(shared));
    }
    current::with(|slot| match slot {
        // A worker of another pool: what we wait for may need its seat.
        Some(slot) => {
            slot.publish_all();
            slot.park_while(&mut || shared.threads.are_alive(&slot.parker));
        }
        None => {
            let parker = Arc::new(Parker::new());
            park_without_slot(None, &parker, &mut || shared.threads.are_alive(&parker));
        }
    });
    shared.threads.join_all();
}

/// Nobody tells when a thread that `use_current_thread` made a worker has done its work.
const LOOK_AGAIN: Duration = Duration::from_millis(1);
/// Not all systems can sleep for ever.
const LONGEST: Duration = Duration::from_secs(3600);

/// Blocks until the pool, which has been told to end, has ended, while there is time `left`. False if it has not.
fn ends_within(shared: &Shared, left: impl Fn() -> Duration) -> bool {
    let wait = || {
        let parker = Arc::new(Parker::new());
        loop {
            let alive = shared.threads.are_alive(&parker);
            if !alive {
                run_leftovers(shared, || !left().is_zero());
                if shared.is_done() {
                    return true;
                }
            }
            if left().is_zero() {
                return false;
            }
            let _parked = Parked::new();
            parker.park_timeout(left().min(if alive { LONGEST } else { LOOK_AGAIN }));
        }
    };
    current::with(|slot| match slot {
        // A worker of another pool: what we wait for may need its seat.
        Some(slot) => slot.section(wait),
        None => {
            express::step_aside();
            wait()
        }
    })
}

/// Whatever the pool's threads have left because there never were any: run here, piece by piece while there is time.
fn run_leftovers(shared: &Shared, time: impl Fn() -> bool) {
    while !shared.is_done() && time() {
        let Some(guest) = shared.try_guest() else { return };
        match guest.slot.find_any() {
            Some(work) => guest.slot.run_unrelated(work),
            None => return,
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shutdown();
        if self.shared.is_forked() {
            return;
        }
        let own = |slot: &Slot| ptr::eq(slot.shared(), &raw const *self.shared) && current::is_kept(slot.shared());
        if !current::with_owned(|slot| slot.is_some_and(own)) {
            return;
        }
        let clear_up = || current::with(|slot| slot.filter(|slot| slot.is_at_bottom()).map(clear_up));
        let _ = if current::is_out() { section::back(clear_up) } else { clear_up() };
    }
}

/// How often such a thread polls tasks before it goes: they may yield for ever.
const LAST_POLLS: usize = 1024;

/// A thread that `use_current_thread` made a worker runs what is left for it, because nobody else might: closures, and
/// the ends of cancelled tasks. Then it gives its seat up for good, so that a spare may come for what is woken later.
///
/// Where the pool ends alone the thread leaves all that to others, and to a spare if there may be one, as long as the
/// system has threads.
fn clear_up(slot: &Slot) {
    let shared = slot.shared();
    if shared.ends_alone() {
        slot.disown();
        slot.offer_tasks();
        slot.leave_for_good();
        if shared.no_threads() {
            run_what_is_left(slot);
        }
    } else {
        run_what_is_left(slot);
        slot.leave_for_good();
    }
    shared.let_go_if_done();
}

fn run_what_is_left(slot: &Slot) {
    let mut polls = 0;
    while polls < LAST_POLLS && !slot.shared().is_done() {
        let Some(work) = slot.next_own().or_else(|| slot.take_background()) else { break };
        polls += usize::from(matches!(work, Work::Task(_) | Work::LongTask(_)));
        slot.run_unrelated(work);
    }
}

impl Slot {
    /// The owner works for the pool no more, or only without a seat.
    pub(crate) fn leave_for_good(&self) {
        let seated = self.holds_seat();
        self.set_busy(false);
        if !self.seatless().replace(true) {
            let shared = self.shared();
            if shared.workers() == 1 {
                // There is nobody else: a spare may come at any time from now on.
                std::mem::forget(shared.absence());
            }
            if seated {
                shared.sleep.leave_seat();
            }
            let _ = shared.pass_seat();
            if shared.timers_are_left_alone() {
                let _ = shared.start_spare();
            }
        }
    }
}
