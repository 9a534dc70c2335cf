//! What tasks, detached closures and jobs of a scope cost in bytes and allocations, counted by the allocator; and that
//! all of it is given back. The tests of this file run one after the other, for the count is the whole process's.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use filch::{JoinHandle, Pool, task};
use support::{alone, lock, note, pool, with_deadline, within};

struct Counting;

static LIVE: AtomicI64 = AtomicI64::new(0);
static REQUESTED: AtomicU64 = AtomicU64::new(0);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn count(more: usize, less: usize) {
    LIVE.fetch_add(more as i64 - less as i64, Ordering::Relaxed);
    if more > 0 {
        REQUESTED.fetch_add(more as u64, Ordering::Relaxed);
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: the system's allocator, with a count beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[derive(Clone, Copy, Debug)]
struct Cost {
    live: i64,
    requested: u64,
    allocations: u64,
}

fn now() -> Cost {
    Cost {
        live: LIVE.load(Ordering::SeqCst),
        requested: REQUESTED.load(Ordering::SeqCst),
        allocations: ALLOCATIONS.load(Ordering::SeqCst),
    }
}

/// Per piece, from `before` on.
fn each(before: Cost, after: Cost, n: usize) -> [f64; 3] {
    let n = n as f64;
    [
        (after.live - before.live) as f64 / n,
        (after.requested - before.requested) as f64 / n,
        (after.allocations - before.allocations) as f64 / n,
    ]
}

fn body(test: impl FnOnce() + Send + 'static) {
    let _alone = alone();
    with_deadline(120, test);
}

/// Fewer where nothing is optimised.
const MANY: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };

/// The words of a future that rests until it has been told, and woken.
struct Eighty {
    go: &'static AtomicUsize,
    begun: &'static AtomicUsize,
    wakers: Option<&'static Mutex<Vec<Waker>>>,
    rest: [u64; 7],
}

const _: () = assert!(size_of::<Eighty>() == 80);

impl Future for Eighty {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<u64> {
        if self.go.load(Ordering::Acquire) > 0 {
            return Poll::Ready(self.rest.iter().sum());
        }
        if let Some(wakers) = self.wakers.take() {
            lock(wakers).push(context.waker().clone());
        }
        self.begun.fetch_add(1, Ordering::AcqRel);
        Poll::Pending
    }
}

fn word() -> &'static AtomicUsize {
    Box::leak(Box::new(AtomicUsize::new(0)))
}

/// What is there now, the kept blocks of ended closures and tasks at their bound. How many are kept before something is
/// measured is a matter of chance (a thread that finds the depot taken gives its blocks to the allocator); with all that
/// may be kept in place, none of it is mistaken for what the measured ones have left.
fn settled() -> Cost {
    const BYTES: usize = 5 << 18;
    fn flood<const WORDS: usize>() {
        for _ in 0..BYTES / (8 * WORDS) {
            let payload = [1u64; WORDS];
            filch::spawn_detached(move || assert_eq!(payload[0], 1));
        }
    }
    let pool = pool(1);
    // One of each size. All are there before the first of them runs.
    pool.install_on_worker(|| {
        flood::<3>();
        flood::<7>();
        flood::<11>();
        flood::<15>();
        flood::<19>();
        flood::<23>();
        flood::<27>();
        flood::<31>();
    });
    pool.shutdown();
    now()
}

/// Runs `f` on each pool several times, until what the pool keeps for itself (queues that have grown, notes about
/// threads) is there, and returns the pool warm.
fn warm(workers: usize) -> Pool {
    settled();
    let pool = pool(workers);
    for _ in 0..3 {
        let handles: Vec<_> = (0..1_000).map(|_| pool.spawn(task::yield_now())).collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        pool.install_on_worker(|| filch::scope(|s| (0..1_000).for_each(|_| s.spawn(|_| ()))));
    }
    pool
}

fn rests(pool: &Pool) -> impl Fn(u64) -> bool {
    move |tasks| pool.stats().live_tasks == tasks
}

#[test]
fn a_task_at_rest() {
    body(|| {
        for workers in [1, 2] {
            note(format!("{workers} workers"));
            let pool = warm(workers);
            let (go, begun) = (word(), word());
            let wakers: &'static Mutex<Vec<Waker>> = Box::leak(Box::new(Mutex::new(Vec::with_capacity(MANY))));
            let before = settled();
            for i in 0..MANY {
                let rest = [i as u64; 7];
                pool.spawn(Eighty { go, begun, wakers: Some(wakers), rest }).detach();
                if i % 64 == 0 {
                    // Not so many at once that the queue is what is measured.
                    assert!(within(Duration::from_secs(20), || begun.load(Ordering::Acquire) + 64 > i));
                }
            }
            assert!(within(Duration::from_secs(60), || begun.load(Ordering::Acquire) == MANY));
            assert!(within(Duration::from_secs(20), || rests(&pool)(MANY as u64)));
            let [live, requested, allocations] = each(before, now(), MANY);
            println!(
                "a task at rest, {workers} workers: {live:.2} bytes, {requested:.2} requested, {allocations:.3} allocations"
            );
            assert!(live <= 128.0, "{live} bytes for each task at rest");
            assert!(allocations < 1.1, "{allocations} allocations for each task");
            // The queue's blocks are used up one by one: 32 bytes for a task that comes by the injector.
            assert!(requested <= 128.0 + 40.0, "{requested} bytes requested for each task");
            go.store(1, Ordering::Release);
            std::mem::take(&mut *lock(wakers)).into_iter().for_each(Waker::wake);
            assert!(within(Duration::from_secs(60), || rests(&pool)(0)));
            assert_given_back(&pool, before, MANY);
        }
    });
}

/// With a million tasks gone, less than a byte of each is left: what the queues' last blocks and buffers take, and what
/// each thread keeps.
fn assert_given_back(pool: &Pool, before: Cost, tasks: usize) {
    let bound = 256 * 1024 + tasks as i64 / 2;
    let left = || now().live - before.live;
    // Deques give their old buffers to crossbeam's collector, which frees them when threads come by again.
    let stir = || {
        pool.install_on_worker(|| filch::scope(|s| (0..300).for_each(|_| s.spawn(|_| ()))));
        let handles: Vec<_> = (0..100).map(|_| pool.spawn(task::yield_now())).collect();
        handles.into_iter().for_each(|handle| handle.join().unwrap());
        left() < bound
    };
    assert!(within(Duration::from_secs(20), stir), "{} bytes of {tasks} tasks are left", left());
}

#[test]
fn what_each_handle_and_waker_adds() {
    body(|| {
        let pool = warm(1);
        let n = 10_000;
        let (go, begun) = (word(), word());
        let mut handles: Vec<JoinHandle<u64>> = Vec::with_capacity(n);
        let mut aborts = Vec::with_capacity(n);
        let wakers: &'static Mutex<Vec<Waker>> = Box::leak(Box::new(Mutex::new(Vec::with_capacity(11 * n))));
        for i in 0..n {
            handles.push(pool.spawn(Eighty { go, begun, wakers: Some(wakers), rest: [i as u64; 7] }));
        }
        assert!(within(Duration::from_secs(20), || begun.load(Ordering::Acquire) == n));
        // References are counted in the task: however many there are, they take nothing.
        let before = now();
        aborts.extend(handles.iter().map(JoinHandle::abort_handle));
        for i in 0..10 * n {
            let clone = lock(wakers)[i % n].clone();
            lock(wakers).push(clone);
        }
        assert_eq!(now().allocations, before.allocations, "a handle or waker allocates");
        // The waker of a task that awaits lies in the task; any other takes the smallest block.
        let before = now();
        let waker = Waker::from(Arc::new(Silent));
        for handle in &mut handles {
            assert!(Pin::new(handle).poll(&mut Context::from_waker(&waker)).is_pending());
        }
        let [live, _, allocations] = each(before, now(), n);
        assert!(live <= 25.0 && allocations <= 1.01, "{live} bytes in {allocations} allocations for an awaiter");
        // Who asks for an id or a name pays for a note: its node and its share of the tree.
        let before = now();
        handles.iter().for_each(|handle| support::ignore(handle.id()));
        let [live, ..] = each(before, now(), n);
        println!("an id that is asked for: {live:.1} bytes");
        assert!(live <= 100.0, "{live} bytes for an id");
        go.store(1, Ordering::Release);
        std::mem::take(&mut *lock(wakers)).into_iter().for_each(Waker::wake);
        handles.drain(..).for_each(|handle| support::ignore(handle.join().unwrap()));
        drop(aborts);
    });
}

struct Silent;

impl std::task::Wake for Silent {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_detached_closure() {
    body(|| {
        let n = 10_000;
        let pool = warm(1);
        let (tx, rx) = mpsc::channel();
        // All are queued by the one worker before the first of them runs, so all of them lie there at once.
        let measure = move |from_worker: bool| {
            let ended = word();
            let before = settled();
            for i in 0..n {
                let payload = [i as u64; 4];
                filch::spawn_detached(move || support::ignore(ended.fetch_add(payload.len(), Ordering::AcqRel)));
            }
            let queued = now();
            (ended, each(before, queued, n), from_worker)
        };
        for from_worker in [true, false] {
            let (tx, measure) = (tx.clone(), measure);
            let before = now();
            if from_worker {
                pool.spawn_detached(move || tx.send(measure(true)).unwrap());
            } else {
                let (held, go) = (support::Event::default(), support::Event::default());
                let (held2, go2) = (held.clone(), go.clone());
                pool.spawn_detached(move || {
                    held2.set();
                    go2.wait();
                });
                held.wait();
                // A thread of no pool, inside of this one: the free functions are this pool's.
                pool.block_on(async { tx.send(measure(false)).unwrap() });
                go.set();
            }
            let (ended, [live, requested, allocations], inside) = rx.recv().unwrap();
            assert_eq!(inside, from_worker);
            println!(
                "a detached closure of 40 bytes, by a worker: {inside}: {live:.2} bytes, {requested:.2} requested, {allocations:.3} allocations"
            );
            // Its own 40 bytes in a block of 56, and a reference of 24 in the queue: a worker's queue doubles, so it
            // is up to twice as large, and as it grows its old buffers are there for a while; the injector's blocks
            // have a word more for each.
            assert!(allocations < 1.05, "{allocations} allocations");
            let queue = if from_worker { 4.0 * 24.0 } else { 33.0 };
            assert!(live <= 56.0 + queue + 1.0, "{live} bytes for each closure");
            assert!(within(Duration::from_secs(20), || ended.load(Ordering::Acquire) == 4 * n));
            assert_given_back(&pool, before, n);
        }
    });
}

#[test]
fn a_job_of_a_scope() {
    body(|| {
        let n = 10_000;
        let pool = warm(1);
        let before_all = settled();
        let cost = pool.install_on_worker(move || {
            let sum = AtomicUsize::new(0);
            let cost = filch::scope(|s| {
                let before = now();
                for i in 0..n {
                    let payload = [i as u64; 4];
                    let sum = &sum;
                    s.spawn(move |_| support::ignore(sum.fetch_add(payload.len(), Ordering::Relaxed)));
                }
                each(before, now(), n)
            });
            assert_eq!(sum.into_inner(), 4 * n);
            cost
        });
        let [live, requested, allocations] = cost;
        println!("a scope's job of 40 bytes: {live:.2} bytes, {requested:.2} requested, {allocations:.3} allocations");
        assert!(allocations < 1.05, "{allocations} allocations");
        // Two words more than a detached closure.
        assert!(live <= 40.0 + 16.0 + 4.0 * 24.0 + 1.0, "{live} bytes for each job");
        assert_given_back(&pool, before_all, n);
    });
}

#[test]
fn the_size_of_a_closures_allocation() {
    // One closure at a time, until nothing that is kept is left, and when the queue need not grow.
    body(|| {
        fn of_one(spawn: impl Fn()) -> u64 {
            for _ in 0..100_000 {
                let before = now();
                spawn();
                let after = now();
                let requested = after.requested - before.requested;
                let allocations = after.allocations - before.allocations;
                if allocations == 1 && requested < 1024 {
                    return requested;
                }
            }
            panic!("what is kept has no bound")
        }
        let pool = warm(1);
        let sizes = pool.install_on_worker(|| {
            let payload = [1u64; 5];
            let detached = of_one(|| filch::spawn_detached(move || assert_eq!(payload[0], 1)));
            let cpu = of_one(|| filch::spawn_cpu(move || assert_eq!(payload[0], 1)).detach());
            let task = of_one(|| filch::spawn(async move { assert_eq!(payload[0], 1) }).detach());
            let job = filch::scope(|s| of_one(|| s.spawn(move |_| assert_eq!(payload[0], 1))));
            [detached, cpu, task, job]
        });
        println!("with 40 bytes captured: detached, cpu, task, job of a scope: {sizes:?}");
        let [detached, cpu, task, job] = sizes;
        assert_eq!(detached, 56, "its own size of 40, rounded up as CONTRACT.md has it");
        assert_eq!(job, 56, "two words more");
        // A header of 40 bytes, and the larger of what it runs and what it gives.
        assert_eq!(task, 88);
        // And its share in the bound on queued closures: 96, rounded up.
        assert_eq!(cpu, 120);
    });
}

#[test]
fn all_memory_comes_back() {
    body(|| {
        for workers in [1, 2] {
            let pool = warm(workers);
            let before = settled();
            note(format!("{workers} workers: detached, from outside"));
            for round in 0..10 {
                // In portions, so that the queue does not take more than the tasks.
                let portion = MANY / 10;
                let ended = Arc::new(AtomicUsize::new(0));
                for i in 0..portion {
                    let ended = ended.clone();
                    let small = async move {
                        if i % 3 == 0 {
                            task::yield_now().await;
                        }
                        if i % 7 == round {
                            filch::spawn(async move { support::ignore(ended.fetch_add(1, Ordering::AcqRel)) })
                                .await
                                .unwrap();
                        } else {
                            ended.fetch_add(1, Ordering::AcqRel);
                        }
                    };
                    match i % 4 {
                        // Awaited by nobody, named, aborted, forgotten by its handle after the end.
                        0 => pool.spawn(small).detach(),
                        1 => task::Builder::new().pool(&pool).name("named").spawn(small).detach(),
                        2 => drop(pool.spawn(small).abort_handle()),
                        _ => {
                            let handle = pool.spawn(small);
                            if i % 64 == 3 {
                                handle.id();
                                handle.join().unwrap();
                            }
                        }
                    }
                }
                assert!(within(Duration::from_secs(60), || ended.load(Ordering::Acquire) == portion));
            }
            assert!(within(Duration::from_secs(20), || rests(&pool)(0)));
            assert_given_back(&pool, before, MANY);
            note("aborted at rest");
            let before = settled();
            let handles: Vec<_> = (0..MANY / 10).map(|_| pool.spawn(std::future::pending::<[u64; 4]>())).collect();
            handles.iter().for_each(JoinHandle::abort);
            handles.into_iter().for_each(|handle| assert!(handle.join().unwrap_err().is_cancelled()));
            assert!(within(Duration::from_secs(20), || rests(&pool)(0)));
            assert_given_back(&pool, before, MANY / 10);
            note("panicked");
            let before = settled();
            let handles: Vec<JoinHandle<()>> = (0..1_000).map(|_| pool.spawn(async { support::plan(1) })).collect();
            handles.into_iter().for_each(|handle| assert!(handle.join().unwrap_err().is_panic()));
            assert_given_back(&pool, before, 1_000);
        }
    });
}

#[test]
fn a_pool_gives_all_back_when_it_ends() {
    body(|| {
        let round = || {
            let pool = pool(2);
            let drops = support::Drops::default();
            // At rest, woken, in the queue, done and not asked for, as closures; all at once when it ends.
            for i in 0..2_000 {
                let token = drops.token();
                match i % 4 {
                    0 => pool
                        .spawn(async move {
                            let _token = token;
                            std::future::pending::<()>().await;
                        })
                        .abort_handle(),
                    1 => pool.spawn(async move { token }).abort_handle(),
                    2 => pool.spawn_cpu(move || token).abort_handle(),
                    _ => pool
                        .spawn(async move {
                            let _token = token;
                            loop {
                                task::yield_now().await;
                            }
                        })
                        .abort_handle(),
                };
            }
            pool.shutdown();
            drop(pool);
            drops.assert_all_dropped("captures");
        };
        for _ in 0..3 {
            round();
        }
        let before = settled();
        for _ in 0..20 {
            round();
        }
        let left = || now().live - before.live;
        // Threads that have just ended may still hold something; crossbeam's collector has bags.
        let given_back = within(Duration::from_secs(20), || {
            thread::sleep(Duration::from_millis(1));
            left() < 100_000
        });
        assert!(given_back, "{} bytes are left of 20 pools with 2,000 tasks each", left());
    });
}
