//! What the integration tests share: a deadline that turns a hang into a failure with a picture of all threads,
//! planned panics that do not clutter the output, a small random generator, counters of drops, and looks at the
//! process's threads.
#![allow(dead_code)] // Each test file uses a part of it.

use std::any::Any;
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

pub type Payload = Box<dyn Any + Send>;

// ----- deadlines -------------------------------------------------------------------------------------------------

static NOTE: Mutex<String> = Mutex::new(String::new());

/// What to print if the deadline passes: the seed, the round.
pub fn note(text: impl Into<String>) {
    *lock(&NOTE) = text.into();
}

/// Runs `body` on a thread of its own. If it takes longer than `secs`, prints what every thread of the process is
/// doing and aborts: a hang is a failure.
pub fn with_deadline<R: Send + 'static>(secs: u64, body: impl FnOnce() -> R + Send + 'static) -> R {
    let (tx, rx) = mpsc::channel();
    run_until(secs, Box::new(move || drop(tx.send(body()))));
    rx.recv().expect("the body has ended without a panic")
}

/// What [`with_deadline`] does with a body of any type: compiled once.
fn run_until(secs: u64, body: Box<dyn FnOnce() + Send>) {
    quiet_planned_panics();
    let (tx, rx) = mpsc::channel();
    let name = thread::current().name().unwrap_or("test").to_owned();
    let runner = thread::Builder::new()
        .name("deadline-body".into())
        .spawn(move || {
            let _ = tx.send(panic::catch_unwind(AssertUnwindSafe(body)));
        })
        .expect("the system has a thread for a test");
    match rx.recv_timeout(Duration::from_secs(secs)) {
        Ok(Ok(())) => runner.join().expect("the body's panics are caught"),
        Ok(Err(payload)) => panic::resume_unwind(payload),
        Err(_) => {
            // Not by eprintln, which the test harness holds back.
            let text = format!("\n{name}: not done after {secs} s. Note: {:?}\n{}", lock(&NOTE), picture_of_threads());
            let _ = std::io::stderr().write_all(text.as_bytes());
            std::process::abort();
        }
    }
}

fn picture_of_threads() -> String {
    let mut text = String::new();
    for id in thread_ids() {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/self/task/{id}/{file}")).unwrap_or_default();
        let status = read("status");
        let field = |name: &str| {
            status
                .lines()
                .find_map(|l| l.strip_prefix(name))
                .unwrap_or("")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        let cpu: Vec<u64> = read("stat")
            .rsplit(')')
            .next()
            .map(|rest| rest.split_whitespace().skip(11).take(2).filter_map(|n| n.parse().ok()).collect())
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "  {id:>8} {:<16} state {:<14} wchan {:<24} ticks {:?} switches {}",
            read("comm").trim(),
            field("State:"),
            read("wchan"),
            cpu,
            field("voluntary_ctxt_switches:"),
        );
    }
    text
}

fn thread_ids() -> Vec<String> {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    tasks.filter_map(|task| Some(task.ok()?.file_name().to_string_lossy().into_owned())).collect()
}

/// How many threads of this process have a name that begins so (the system keeps 15 bytes of a name).
pub fn threads_named(prefix: &str) -> usize {
    assert!(prefix.len() <= 15, "the system cuts names at 15 bytes");
    let names =
        thread_ids().into_iter().filter_map(|id| std::fs::read_to_string(format!("/proc/self/task/{id}/comm")).ok());
    names.filter(|name| name.starts_with(prefix)).count()
}

/// Of the threads of this process whose names begin so, those that compute or wait for a processor.
pub fn threads_running(prefix: &str) -> usize {
    let state = |id: String| {
        let text = std::fs::read_to_string(format!("/proc/self/task/{id}/stat")).ok()?;
        // The name stands in brackets, and may hold any character.
        let (name, rest) = text.split_once('(')?.1.rsplit_once(") ")?;
        name.starts_with(prefix).then(|| rest.starts_with('R'))
    };
    thread_ids().into_iter().filter_map(state).filter(|running| *running).count()
}

/// Waits until `done` holds; false if it does not within the time.
pub fn within(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    while !done() {
        if began.elapsed() > limit {
            return false;
        }
        thread::sleep(Duration::from_micros(200));
    }
    true
}

/// A thread that has counted itself off may take a moment to vanish from the system's list.
pub fn assert_threads_end(prefix: &str) {
    let ended = within(Duration::from_secs(20), || threads_named(prefix) == 0);
    assert!(ended, "{} threads {prefix}* are left:\n{}", threads_named(prefix), picture_of_threads());
}

/// Lets the tests of one file run one after the other, where they measure time or the whole process.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    lock(&ALONE)
}

/// A measurement with a bound, on a machine with other things to do: it must succeed once in `times`.
pub fn at_best(times: u32, what: &str, mut measure: impl FnMut() -> Result<(), String>) {
    let mut misses = Vec::new();
    for _ in 0..times {
        match measure() {
            Ok(()) => return,
            Err(miss) => misses.push(miss),
        }
    }
    panic!("{what}: {times} times out of bounds: {misses:?}");
}

/// Locks, whatever has panicked under the lock before.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ----- panics ----------------------------------------------------------------------------------------------------

/// A panic that a test has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned(pub u64);

/// Panics with [`Planned`], silently.
pub fn plan(id: u64) -> ! {
    panic::panic_any(Planned(id))
}

/// The planned panic's number; any other payload fails the test.
pub fn planned(payload: Payload) -> u64 {
    match payload.downcast::<Planned>() {
        Ok(planned) => planned.0,
        Err(payload) => panic::resume_unwind(payload),
    }
}

/// Runs `f`, and gives the number of the planned panic if there was one.
pub fn catch<R>(f: impl FnOnce() -> R) -> Result<R, u64> {
    quiet_planned_panics();
    panic::catch_unwind(AssertUnwindSafe(f)).map_err(planned)
}

/// Planned panics print nothing; all others do as ever.
pub fn quiet_planned_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.payload().downcast_ref::<Planned>().is_none() {
                hook(info);
            }
        }));
    });
}

// ----- counting --------------------------------------------------------------------------------------------------

/// Counts things made and things dropped.
#[derive(Clone, Default)]
pub struct Drops {
    made: Arc<AtomicUsize>,
    dropped: Arc<AtomicUsize>,
}

/// A thing that [`Drops`] counts.
pub struct Token {
    dropped: Arc<AtomicUsize>,
    alive: bool,
}

impl Drops {
    pub fn token(&self) -> Token {
        self.made.fetch_add(1, Ordering::SeqCst);
        Token { dropped: self.dropped.clone(), alive: true }
    }

    pub fn made(&self) -> usize {
        self.made.load(Ordering::SeqCst)
    }

    pub fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }

    /// Every token has been dropped exactly once (some may lag behind by a moment).
    pub fn assert_all_dropped(&self, what: &str) {
        let equal = within(Duration::from_secs(20), || self.made() == self.dropped());
        assert!(equal, "{what}: {} tokens made, {} dropped", self.made(), self.dropped());
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        assert!(std::mem::replace(&mut self.alive, false), "a token has been dropped twice");
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// One event that threads may wait for.
#[derive(Clone, Default)]
pub struct Event(Arc<(Mutex<bool>, Condvar)>);

impl Event {
    pub fn set(&self) {
        *lock(&self.0.0) = true;
        self.0.1.notify_all();
    }

    pub fn is_set(&self) -> bool {
        *lock(&self.0.0)
    }

    pub fn wait(&self) {
        let guard = self.0.1.wait_while(lock(&self.0.0), |set| !*set).unwrap_or_else(PoisonError::into_inner);
        drop(guard);
    }

    /// Whether it has come within the time.
    pub fn wait_for(&self, limit: Duration) -> bool {
        let waited = self.0.1.wait_timeout_while(lock(&self.0.0), limit, |set| !*set);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

// ----- wakers ----------------------------------------------------------------------------------------------------

/// A waker that counts its wakes.
#[derive(Clone, Default)]
pub struct Wakes(Arc<Wakings>);

#[derive(Default)]
struct Wakings(AtomicUsize);

impl std::task::Wake for Wakings {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Wakes {
    pub fn waker(&self) -> std::task::Waker {
        self.0.clone().into()
    }

    pub fn count(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    /// How many clones of the waker are somewhere.
    pub fn held(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }

    /// Polls once, with this waker.
    pub fn poll<F: Future + ?Sized>(&self, future: std::pin::Pin<&mut F>) -> std::task::Poll<F::Output> {
        let waker = self.waker();
        future.poll(&mut std::task::Context::from_waker(&waker))
    }
}

// ----- work ------------------------------------------------------------------------------------------------------

/// Keeps the processor busy.
pub fn spin(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

pub fn fib(n: u32) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (a, b) = filch::join(|| fib(n - 1), || fib(n - 2));
    a + b
}

pub fn pool(workers: usize) -> filch::Pool {
    filch::Pool::builder().workers(workers).build().expect("threads for a test")
}

/// A pool whose tasks run on its workers only: for tests that hold those fast.
pub fn pool_without_lane(workers: usize) -> filch::Pool {
    filch::Pool::builder().workers(workers).express_lane(false).build().expect("threads for a test")
}

/// Keeps all workers busy until the event that is returned.
pub fn occupy(pool: &filch::Pool) -> Event {
    let (busy, go) = (Arc::new(AtomicUsize::new(0)), Event::default());
    for _ in 0..pool.num_workers() {
        let (busy, go) = (busy.clone(), go.clone());
        pool.spawn_detached(move || {
            busy.fetch_add(1, Ordering::SeqCst);
            go.wait();
        });
    }
    assert!(within(Duration::from_secs(20), || busy.load(Ordering::SeqCst) == pool.num_workers()));
    go
}

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

/// Longer runs where somebody has asked for them.
pub fn long() -> bool {
    std::env::var_os("FILCH_LONG").is_some()
}

/// Of runs of the same kind only one in so many is made (`FILCH_THIN`): for checkers under which each takes long.
pub fn thin() -> u64 {
    static THIN: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
    *THIN.get_or_init(|| std::env::var("FILCH_THIN").ok().and_then(|text| text.parse().ok()).unwrap_or(1).max(1))
}

/// Pending once, and woken at once.
pub async fn yield_once() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}

/// For values that do not matter.
pub fn ignore<T>(_: T) {}

// ----- the panic matrix -------------------------------------------------------------------------------------------

/// What the pool's panic handler was given: the ids of the planned panics.
pub type Reports = Arc<Mutex<Vec<u64>>>;

/// Runs `each` on pools of 1, 2 and 4 workers, several times; afterwards the pool must still work, and the drops must
/// be right.
pub fn matrix(each: impl Fn(&filch::Pool, &Drops, &Reports) + Send + 'static) {
    with_deadline(60, move || {
        for workers in [1, 2, 4] {
            let reports = Reports::default();
            let (sink, drops) = (reports.clone(), Drops::default());
            let handler = move |payload| lock(&sink).push(planned(payload));
            let pool = filch::Pool::builder().workers(workers).panic_handler(handler).build().unwrap();
            for round in 0..30 {
                note(format!("{workers} workers, round {round}"));
                lock(&reports).clear();
                each(&pool, &drops, &reports);
                assert_eq!(pool.install(|| fib(10)), 55);
                assert_eq!(pool.spawn(async { 1 }).join().unwrap(), 1);
            }
            assert_eq!(pool.broadcast(|_| 1).len(), workers);
            pool.shutdown();
            drops.assert_all_dropped("everything captured");
        }
    });
}
