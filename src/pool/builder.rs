//! How a pool is asked for.

use std::fmt;
use std::io;
use std::sync::Arc;

use crate::ground::error::BuildError;
use crate::ground::topology::wanted_workers;
use crate::ground::unwind::{self, Payload};
use crate::pool::handle::Pool;
use crate::pool::policy::{IdlePolicy, WaitPolicy};
use crate::pool::threads::ThreadBuilder;

/// Gives a thread its name, by its index.
pub(crate) type NameFn = Arc<dyn Fn(usize) -> String + Send + Sync>;
/// Called on a thread of the pool with its index.
pub(crate) type HookFn = Arc<dyn Fn(usize) + Send + Sync>;
/// Called with what a detached closure panicked with.
pub(crate) type PanicFn = Arc<dyn Fn(Payload) + Send + Sync>;
/// Starts a thread.
pub(crate) type SpawnFn = Arc<dyn Fn(ThreadBuilder) -> io::Result<()> + Send + Sync>;

/// What the builder has gathered.
#[derive(Clone, Default)]
pub(crate) struct Config {
    pub(crate) name: Option<NameFn>,
    /// What the names of all threads begin with, if that is known.
    prefix: Option<Arc<str>>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) start: Option<HookFn>,
    pub(crate) exit: Option<HookFn>,
    pub(crate) panic: Option<PanicFn>,
    pub(crate) spawn: Option<SpawnFn>,
    /// None: what [`Config::wait_policy`] says.
    pub(crate) wait: Option<WaitPolicy>,
    /// A thread runs its oldest closure first, not the newest.
    pub(crate) breadth_first: bool,
    pub(crate) idle: IdlePolicy,
    pub(crate) blocking_threads: usize,
    /// 0: no bound.
    pub(crate) most_queued_closures: usize,
    /// 0: no bound.
    pub(crate) most_tasks: usize,
    pub(crate) start_paused: bool,
    pub(crate) no_express_lane: bool,
}

/// Blocking threads at most, when nobody says.
const BLOCKING_THREADS: usize = 512;

impl Config {
    pub(crate) fn thread_name(&self, index: usize) -> Option<String> {
        self.name.as_ref().map(|name| name(index))
    }

    /// Of a thread for calls that block: those have no index.
    pub(crate) fn blocking_thread_name(&self, number: usize) -> String {
        format!("{}-block-{number}", self.prefix.as_deref().unwrap_or("filch"))
    }

    #[inline]
    pub(crate) fn wait_policy(&self) -> WaitPolicy {
        self.wait.unwrap_or_default()
    }

    /// The same for the global pool, which rayon's loops run on too if its drop-in is there: they count on its way of
    /// waiting.
    pub(crate) fn for_global(mut self) -> Self {
        if cfg!(feature = "rayon-core") {
            self.wait.get_or_insert(WaitPolicy::RunAnything);
        }
        self
    }

    pub(crate) fn most_blocking_threads(&self) -> usize {
        if self.blocking_threads == 0 { BLOCKING_THREADS } else { self.blocking_threads }
    }

    pub(crate) fn report_panic(&self, payload: Payload) {
        match &self.panic {
            // A handler that panics has been reported by the panic hook; there is nowhere further to go.
            Some(handler) => {
                if let Err(payload) = unwind::catch(|| handler(payload)) {
                    unwind::drop_quietly(payload);
                }
            }
            // The panic hook has reported it when it happened.
            None => {
                unwind::drop_quietly(payload);
            }
        }
    }
}

/// Builds a [`Pool`]. Made by [`Pool::builder`].
///
/// Every option has a default that serves most programs; `Pool::builder().build()` is a pool with one worker per
/// core.
///
/// ```
/// # fn main() -> Result<(), filch::BuildError> {
/// let pool = filch::Pool::builder().workers(2).name("render").build()?;
/// assert_eq!(pool.install(filch::current_num_threads), 2);
/// # Ok(()) }
/// ```
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until build or build_global"]
pub struct PoolBuilder {
    workers: usize,
    current_thread: bool,
    bad_name: Option<String>,
    config: Config,
}

impl PoolBuilder {
    /// A builder with every option at its default; the same as [`Pool::builder`].
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::PoolBuilder::new().workers(1).build()?;
    /// assert_eq!(pool.num_workers(), 1);
    /// # Ok(()) }
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of workers.
    ///
    /// 0, the default, means the environment variable `FILCH_NUM_THREADS` if it holds a positive number (anything
    /// else in it counts as not set), else the number of cores this process may use: affinity mask and cgroup quota
    /// counted in. More than 4,096 counts as 4,096.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers;
        self
    }

    /// Names the threads `prefix-0`, `prefix-1` and so on, and those for [calls that block](crate::spawn_blocking)
    /// `prefix-block-0`, `prefix-block-1` and so on. The last name that is given counts.
    ///
    /// Without a name the former have none, and the latter are called `filch-block-0` and so on, so that a debugger
    /// tells them from threads of the program's own. The number is the lowest that none of these threads of the pool
    /// has at the moment; one that ends gives its number back shortly before its thread-local values are dropped.
    /// (Linux shows 15 bytes of a name.)
    ///
    /// # Errors
    /// A name with a NUL byte makes [`build`](Self::build) fail with [`BuildError::Name`].
    pub fn name(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        self.bad_name = prefix.contains('\0').then(|| prefix.clone());
        self.config.prefix = Some(prefix.as_str().into());
        self.config.name = Some(Arc::new(move |index| format!("{prefix}-{index}")));
        self
    }

    /// Names each thread by its index. Spares have indices from the number of workers on. Threads for calls that block
    /// have none, and are called `filch-block-0` and so on.
    ///
    /// No system takes a name with a NUL byte, so a thread that is given one counts as refused: for a worker
    /// [`build`](Self::build) fails with [`BuildError::Thread`], whose source is of the kind
    /// [`InvalidInput`](io::ErrorKind::InvalidInput); a spare is not started. A [spawn handler](Self::spawn_handler) is
    /// handed the name as it is.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let name = |index| if index < 1 { "render".to_owned() } else { format!("render-spare-{index}") };
    /// let pool = filch::Pool::builder().workers(1).name_fn(name).build()?;
    /// let name = pool.install_on_worker(|| std::thread::current().name().map(str::to_owned));
    /// assert_eq!(name.as_deref(), Some("render"));
    /// # Ok(()) }
    /// ```
    pub fn name_fn(mut self, name: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        self.bad_name = None;
        self.config.prefix = None;
        self.config.name = Some(Arc::new(name));
        self
    }

    /// The stack size of the threads, in bytes; 0 means the system's default.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// fn depth(n: u64) -> u64 {
    ///     let frame = std::hint::black_box([n; 128]);
    ///     if n == 0 { 0 } else { depth(n - 1) + frame[0] / n }
    /// }
    /// let pool = filch::Pool::builder().workers(1).stack_size(64 << 20).build()?;
    /// // More than the two MiB that a thread has by default. (A guest runs on a stack of its own, so not `install`.)
    /// assert_eq!(pool.install_on_worker(|| depth(10_000)), 10_000);
    /// # Ok(()) }
    /// ```
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.config.stack_size = (bytes > 0).then_some(bytes);
        self
    }

    /// Called on each worker, spare and thread of the express lane when it starts, with its index. A panic in it goes
    /// to the panic handler.
    ///
    /// Not on the threads for [calls that block](crate::spawn_blocking), which have no index (tokio's `on_thread_start`
    /// is called on those too): what such a call needs of its thread it sets up itself.
    ///
    /// ```
    /// use std::cell::Cell;
    ///
    /// thread_local!(static INDEX: Cell<Option<usize>> = const { Cell::new(None) });
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).start_handler(|index| INDEX.set(Some(index))).build()?;
    /// assert_eq!(pool.install_on_worker(|| INDEX.get()), Some(0));
    /// # Ok(()) }
    /// ```
    pub fn start_handler(mut self, handler: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.config.start = Some(Arc::new(handler));
        self
    }

    /// Called on each worker, spare and thread of the express lane before it ends, with its index, where the
    /// [start handler](Self::start_handler) is. A panic in it goes to the panic handler.
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// let pool = filch::Pool::builder().workers(2).exit_handler(move |index| tx.send(index).unwrap()).build()?;
    /// pool.shutdown();
    /// let mut ended: Vec<usize> = rx.try_iter().filter(|index| *index < 2).collect();
    /// ended.sort();
    /// assert_eq!(ended, [0, 1]);
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn exit_handler(mut self, handler: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.config.exit = Some(Arc::new(handler));
        self
    }

    /// Called with the payload when something panics whose result nobody takes: a detached closure, a task whose handle
    /// has been dropped, a destructor, a waker, a start or exit handler.
    ///
    /// Without a handler the panic hook has printed its message, and the pool goes on. (Rayon aborts the process; to
    /// have that, abort in the handler.) A handler that panics itself is ignored.
    ///
    /// ```
    /// let (tx, rx) = std::sync::mpsc::channel();
    /// let log = move |payload: Box<dyn std::any::Any + Send>| {
    ///     let text = payload.downcast_ref::<&str>().copied().unwrap_or("something else");
    ///     tx.send(text.to_owned()).unwrap();
    /// };
    /// let pool = filch::Pool::builder().workers(1).panic_handler(log).build()?;
    /// pool.spawn_detached(|| panic!("no luck"));
    /// assert_eq!(rx.recv().unwrap(), "no luck");
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn panic_handler(mut self, handler: impl Fn(Box<dyn std::any::Any + Send>) + Send + Sync + 'static) -> Self {
        self.config.panic = Some(Arc::new(handler));
        self
    }

    /// Starts threads by your own means: pinned, with another priority, scoped, counted.
    ///
    /// The handler must arrange that [`ThreadBuilder::run`] is called on a thread of its own, now or later; a pool
    /// waits for it when it shuts down. It is called for workers while the pool is built, and for spares whenever one
    /// is needed, on whichever thread finds that out: one that is about to block in the pool, that comes back from that,
    /// or that enters it. So it should be quick, and hold no lock under which the pool is used.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let started = Arc::new(AtomicUsize::new(0));
    /// let count = started.clone();
    /// let pool = filch::Pool::builder().workers(2).spawn_handler(move |thread| {
    ///     count.fetch_add(1, Ordering::Relaxed);
    ///     std::thread::Builder::new().spawn(|| thread.run()).map(drop)
    /// });
    /// let pool = pool.build()?;
    /// assert_eq!(pool.install_on_worker(|| 6 * 7), 42);
    /// assert!(started.load(Ordering::Relaxed) >= 2);
    /// # Ok(()) }
    /// ```
    pub fn spawn_handler(mut self, handler: impl Fn(ThreadBuilder) -> io::Result<()> + Send + Sync + 'static) -> Self {
        self.config.spawn = Some(Arc::new(handler));
        self
    }

    /// Makes the calling thread worker 0, instead of starting a thread for it.
    ///
    /// It runs the pool's work only while it waits inside of the pool (`join`, `scope`, `yield_now` …), and what is
    /// left in its queues when the pool is dropped on it, outside of any closure of the pool (not if the pool ends by
    /// [`shutdown_background`](Pool::shutdown_background) or its kin there). It must not block until
    /// another thread has dropped or shut down the pool: that may need it. The thread stays a worker of this pool
    /// until it ends, so it can be made one only once; and a thread that is inside of another pool, be it a worker or a
    /// blocking thread, a guest or in a `block_on`, cannot be made one at all
    /// ([`CurrentThreadTaken`](BuildError::CurrentThreadTaken)).
    ///
    /// ```
    /// # std::thread::spawn(|| {
    /// let pool = filch::Pool::builder().workers(1).use_current_thread().build()?;
    /// assert_eq!(filch::current_thread_index(), Some(0));
    /// // There is no other thread: it runs here, while this thread waits.
    /// let here = std::thread::current().id();
    /// pool.scope(|s| s.spawn(move |_| assert_eq!(std::thread::current().id(), here)));
    /// # Ok::<(), filch::BuildError>(())
    /// # }).join().unwrap()?;
    /// # Ok::<(), filch::BuildError>(())
    /// ```
    pub fn use_current_thread(mut self) -> Self {
        self.current_thread = true;
        self
    }

    /// What a worker may run while it waits inside a `join`; see [`WaitPolicy`].
    ///
    /// ```
    /// use filch::{Pool, WaitPolicy};
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// // For code that was written for rayon, and counts on its way of waiting.
    /// let pool = Pool::builder().workers(2).wait_policy(WaitPolicy::RunAnything).build()?;
    /// assert_eq!(pool.join(|| 1, || 2), (1, 2));
    /// # Ok(()) }
    /// ```
    pub fn wait_policy(mut self, policy: WaitPolicy) -> Self {
        self.config.wait = Some(policy);
        self
    }

    #[cfg(feature = "rayon-core")]
    pub(crate) fn breadth_first(mut self) -> Self {
        self.config.breadth_first = true;
        self
    }

    /// When idle threads go to sleep; see [`IdlePolicy`].
    ///
    /// ```
    /// use filch::{IdlePolicy, Pool};
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let at_once = IdlePolicy::default().spin(std::time::Duration::ZERO);
    /// let pool = Pool::builder().workers(2).idle_policy(at_once).build()?;
    /// assert_eq!(pool.join(|| 1, || 2), (1, 2));
    /// # Ok(()) }
    /// ```
    pub fn idle_policy(mut self, policy: IdlePolicy) -> Self {
        self.config.idle = policy;
        self
    }

    /// How many threads [`spawn_blocking`](crate::spawn_blocking) may use at once; 0, the default, means 512. More
    /// calls wait in a queue without a limit, until one of those ends. So calls that wait for each other must not be
    /// more than these threads: if all of them wait for one in the queue, they wait for ever.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// static OPEN: AtomicUsize = AtomicUsize::new(0);
    ///
    /// // A disk that is slower the more it is asked at once.
    /// let pool = filch::Pool::builder().workers(1).blocking_threads(2).build()?;
    /// let reads: Vec<_> = (0..20)
    ///     .map(|_| {
    ///         pool.spawn_blocking(|| {
    ///             let open = OPEN.fetch_add(1, Ordering::Relaxed) + 1;
    ///             std::thread::sleep(std::time::Duration::from_micros(100));
    ///             OPEN.fetch_sub(1, Ordering::Relaxed);
    ///             open
    ///         })
    ///     })
    ///     .collect();
    /// assert!(reads.into_iter().all(|read| read.join().unwrap() <= 2));
    /// # Ok(()) }
    /// ```
    pub fn blocking_threads(mut self, threads: usize) -> Self {
        self.config.blocking_threads = threads;
        self
    }

    /// Whether the pool has an *express lane* (it has, unless you say no): one more thread, asleep most of the time,
    /// that polls ready tasks while every worker is inside a closure, so that they need not wait until one ends.
    ///
    /// It is for short polls. Tasks of a type whose polls turn out to compute for long there, 0.2 ms on average, are
    /// left to the workers, as closures are; so what computes for long may as well be awaited as a
    /// [`spawn_cpu`](crate::spawn_cpu) closure.
    ///
    /// With it, one more thread than there are workers may run for moments. Without it, tasks run on workers only, and
    /// wait for closures as long as those last: for a pool that must keep to its number of threads strictly.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let strict = filch::Pool::builder().workers(1).express_lane(false).build()?;
    /// assert_eq!(strict.spawn(async { 5 }).join().unwrap(), 5);
    /// assert_eq!(strict.stats().express_threads, 0);
    /// # Ok(()) }
    /// ```
    pub fn express_lane(mut self, enabled: bool) -> Self {
        self.config.no_express_lane = !enabled;
        self
    }

    /// Bounds the closures that have been accepted and have not begun; 0, the default, means no bound.
    ///
    /// When so many are queued, [`try_spawn_cpu`](crate::Handle::try_spawn_cpu) and
    /// [`try_spawn_detached`](crate::Handle::try_spawn_detached) give the closure back, and
    /// [`spawn_cpu_when_room`](crate::Handle::spawn_cpu_when_room) waits: so a pool that is offered more than it can do
    /// sheds the rest, or holds up whoever offers it, instead of falling behind without end. A few times the number of
    /// workers keeps them busy; more only adds to how long each waits.
    ///
    /// `spawn_cpu`, `spawn_detached` and `spawn_fifo` are never refused for lack of room, so that the pool's own work
    /// does not wait for itself; what they spawn is counted, and may exceed the bound. The jobs of scopes, joins,
    /// loops and broadcasts are parts of work that runs, and are not counted.
    ///
    /// A closure that is [cancelled](crate::spawn_cpu) before it begins gives its place back at once. Some memory of
    /// it stays in the queue until its turn comes; so when as many of those lie there as there are places, further
    /// ones keep theirs.
    ///
    /// Costs a count that all threads share, twice for each closure; nothing without a bound.
    ///
    /// ```
    /// use filch::{Pool, TrySpawnError};
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = Pool::builder().workers(1).max_queued_closures(2).build()?;
    /// // The only worker is busy, so what comes now is queued.
    /// let (begun, go) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    /// pool.in_place_scope(|s| {
    ///     s.spawn(|_| {
    ///         begun.wait();
    ///         go.wait();
    ///     });
    ///     begun.wait();
    ///     let first = pool.try_spawn_cpu(|| 1).expect("there is room for two");
    ///     let second = pool.try_spawn_cpu(|| 2).expect("there is room for two");
    ///     let refused = pool.try_spawn_cpu(|| 3).unwrap_err();
    ///     assert!(refused.is_full());
    ///     // It comes back untouched: answer "too busy", or run it right here.
    ///     assert_eq!((refused.into_inner())(), 3);
    ///     go.wait();
    ///     assert_eq!((first.join().unwrap(), second.join().unwrap()), (1, 2));
    /// });
    /// # Ok(()) }
    /// ```
    pub fn max_queued_closures(mut self, closures: usize) -> Self {
        self.config.most_queued_closures = closures;
        self
    }

    /// Bounds the tasks that have been spawned and have not ended; 0, the default, means no bound.
    ///
    /// When there are so many, [`try_spawn`](crate::Handle::try_spawn) gives the future back, and
    /// [`spawn_when_room`](crate::Handle::spawn_when_room) waits. `spawn` is never refused for lack of room, nor are
    /// futures of scopes: they are counted, and may exceed the bound. Set it to what you have memory for, or to the
    /// number of requests that are worth working on at once.
    ///
    /// Costs a count that all threads share, twice for each task; nothing without a bound.
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).max_tasks(1).build()?;
    /// let rests = pool.try_spawn(std::future::pending::<()>()).expect("there is room for one");
    /// assert!(pool.try_spawn(async {}).unwrap_err().is_full());
    /// // Never refused:
    /// pool.spawn(async {}).join().unwrap();
    /// rests.abort();
    /// assert!(pool.block_on(pool.spawn_when_room(async { 5 })).unwrap().join().is_ok());
    /// # Ok(()) }
    /// ```
    pub fn max_tasks(mut self, tasks: usize) -> Self {
        self.config.most_tasks = tasks;
        self
    }

    /// Whether the pool's [clock](crate::time) stands from the beginning, for tests; see
    /// [`time::pause`](crate::time::pause).
    ///
    /// ```
    /// use filch::time::{Duration, sleep};
    ///
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(1).start_paused(true).build()?;
    /// // An hour by the pool's clock, and no time by any other.
    /// pool.block_on(async { sleep(Duration::from_secs(3600)).await });
    /// # Ok(()) }
    /// ```
    pub fn start_paused(mut self, paused: bool) -> Self {
        self.config.start_paused = paused;
        self
    }

    /// Builds the pool and starts its workers.
    ///
    /// # Errors
    /// [`BuildError::Thread`] if a worker could not be started: the others have been ended and joined.
    /// [`BuildError::Name`] for a name with a NUL byte. [`BuildError::CurrentThreadTaken`] for
    /// [`use_current_thread`](Self::use_current_thread) on a thread that is inside of a pool already.
    pub fn build(self) -> Result<Pool, BuildError> {
        Pool::start(self.checked_workers()?, self.current_thread, self.config)
    }

    /// Builds the global pool, on which the free functions work outside of any other pool.
    ///
    /// Must come before the first use of the global pool. Unlike [`build`](Self::build), a refused thread is not an
    /// error: the pool gets along with fewer workers. With none at all it counts as a pool of one worker, whose part
    /// is played by whatever thread waits for the pool; what is spawned and not waited for runs when a thread can be
    /// had, which is tried again with each spawn.
    ///
    /// # Errors
    /// [`BuildError::GlobalExists`] if there is a global pool already, and as for [`build`](Self::build).
    ///
    /// ```standalone_crate
    /// fn main() -> Result<(), filch::BuildError> {
    ///     filch::Pool::builder().workers(3).name("app").build_global()?;
    ///     assert_eq!(filch::current_num_threads(), 3);
    ///     // It is there now, and stays.
    ///     assert!(filch::Pool::builder().build_global().is_err());
    ///     Ok(())
    /// }
    /// ```
    pub fn build_global(self) -> Result<(), BuildError> {
        let workers = self.checked_workers()?;
        Pool::start_global(workers, self.current_thread, self.config)
    }

    fn checked_workers(&self) -> Result<usize, BuildError> {
        if let Some(name) = &self.bad_name {
            return Err(BuildError::Name(name.clone()));
        }
        Ok(wanted_workers(self.workers))
    }
}

impl fmt::Debug for PoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolBuilder")
            .field("workers", &self.workers)
            .field("use_current_thread", &self.current_thread)
            .field("stack_size", &self.config.stack_size)
            .field("wait_policy", &self.config.wait_policy())
            .field("idle_policy", &self.config.idle)
            .field("max_queued_closures", &self.config.most_queued_closures)
            .field("max_tasks", &self.config.most_tasks)
            .finish_non_exhaustive()
    }
}
