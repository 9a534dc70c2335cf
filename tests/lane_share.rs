//! What the express lane takes from the closures beside it: how long the system lets it run at a time, its share of the
//! processor, and how many threads run at once when tasks there have parallel loops.
#![cfg(target_os = "linux")]

#[path = "support/processors.rs"]
mod processors;
mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use filch::Pool;
use filch::prelude::*;
use processors::{cpus, restrict_to};
use support::{alone, at_best, pool, spin, threads_running, with_deadline, within, yield_once};

// ----- its slices ----------------------------------------------------------------------------------------------------

/// How long a turn of the current thread may last, in nanoseconds, as the system says.
fn slice() -> u64 {
    /// The kernel's `struct sched_attr`: the fourth word is the slice of ordinary threads.
    const WORDS: usize = 6;
    let mut attributes = [0_u64; WORDS];
    // SAFETY: thread 0 is the caller; the kernel writes at most as many bytes as it is told, and all are there.
    let got = unsafe { libc::syscall(libc::SYS_sched_getattr, 0, attributes.as_mut_ptr(), 8 * WORDS, 0) };
    assert_eq!(got, 0, "a thread may ask for its own");
    attributes[3]
}

/// From 6.12 on Linux grants slices.
fn system_grants_slices() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map_while(|number| number.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(12))
}

#[test]
fn its_thread_has_short_slices_and_the_workers_have_not() {
    with_deadline(60, || {
        let pool = pool(1);
        let usual = slice();
        assert_eq!(pool.install_on_worker(slice), usual);
        let hogs = Hogs::new(&pool, |_| ());
        let of_lane = pool.spawn(async { slice() }).join().unwrap();
        // Threads that a poll there starts, itself or through the pool, are as others.
        let started = pool.spawn(async { std::thread::spawn(slice).join().unwrap() }).join().unwrap();
        let blocking = pool.spawn(async { filch::spawn_blocking(slice).await.unwrap() }).join().unwrap();
        assert!(pool.stats().express_polls > 2);
        drop(hogs);
        assert_eq!((started, blocking), (usual, usual));
        if system_grants_slices() {
            assert_eq!(of_lane, 100_000, "others have {usual}");
        } else {
            assert_eq!(of_lane, usual);
        }
    });
}

// ----- its share -----------------------------------------------------------------------------------------------------

/// Keeps every worker of the pool inside one closure until it is dropped. Each calls `at_end` with the processor time
/// that it has used.
struct Hogs(Arc<AtomicBool>);

impl Hogs {
    fn new(pool: &Pool, at_end: impl Fn(Duration) + Clone + Send + 'static) -> Hogs {
        let over = Arc::new(AtomicBool::new(false));
        let began = Arc::new(AtomicUsize::new(0));
        for _ in 0..pool.num_workers() {
            let (over, began, at_end) = (over.clone(), began.clone(), at_end.clone());
            pool.spawn_detached(move || {
                let before = used();
                began.fetch_add(1, Ordering::SeqCst);
                while !over.load(Ordering::SeqCst) {
                    std::hint::spin_loop();
                }
                at_end(used() - before);
            });
        }
        assert!(within(Duration::from_secs(20), || began.load(Ordering::SeqCst) == pool.num_workers()));
        Hogs(over)
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The processor time that the current thread has used.
fn used() -> Duration {
    // SAFETY: a plain struct of numbers.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: writes there.
    let got = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    assert_eq!(got, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The share of the closures, of what all of the pool's threads have used while short tasks were always ready.
fn share_under_a_flood(workers: usize) -> f64 {
    let pool = pool(workers);
    let (closures, ended) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicUsize::new(0)));
    let (sum, ends) = (closures.clone(), ended.clone());
    let hogs = Hogs::new(&pool, move |used| {
        sum.fetch_add(used.as_nanos() as u64, Ordering::SeqCst);
        ends.fetch_add(1, Ordering::SeqCst);
    });
    let (first, last) = (Arc::new(AtomicU64::new(u64::MAX)), Arc::new(AtomicU64::new(0)));
    let over = hogs.0.clone();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (over, first, last) = (over.clone(), first.clone(), last.clone());
            pool.spawn(async move {
                while !over.load(Ordering::SeqCst) {
                    // The lane has one thread here, since nothing in the tasks waits.
                    let now = used().as_nanos() as u64;
                    first.fetch_min(now, Ordering::SeqCst);
                    spin(Duration::from_micros(10));
                    last.fetch_max(used().as_nanos() as u64, Ordering::SeqCst);
                    yield_once().await;
                }
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(pool.stats().express_threads, 1);
    drop(hogs);
    assert!(within(Duration::from_secs(20), || ended.load(Ordering::SeqCst) == workers));
    tasks.into_iter().for_each(|task| task.join().unwrap());
    let closures = closures.load(Ordering::SeqCst) as f64;
    let tasks = last.load(Ordering::SeqCst).saturating_sub(first.load(Ordering::SeqCst)) as f64;
    assert!(tasks > 0.0, "the flood has run");
    closures / (closures + tasks)
}

/// However many tasks are ready, and however short they are: N workers inside closures keep the share of N threads among
/// N + 1. All on one core, where they have to share.
#[test]
fn a_flood_of_tasks_takes_no_more_than_the_share_of_one_thread() {
    let _alone = alone();
    with_deadline(100, || {
        restrict_to(&cpus()[..1]);
        for workers in [1, 2, 4] {
            at_best(5, &format!("the share of {workers} workers"), || {
                let (share, fair) = (share_under_a_flood(workers), workers as f64 / (workers as f64 + 1.0));
                if share >= fair - 0.05 { Ok(()) } else { Err(format!("{share:.3} of {fair:.3}")) }
            });
        }
    });
}

// ----- how many threads run ------------------------------------------------------------------------------------------

/// Counts those who compute.
#[derive(Default)]
struct Census {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Census {
    fn compute(&self, time: Duration) {
        self.most.fetch_max(1 + self.now.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
        spin(time);
        self.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Tasks with a parallel loop of so many items of 0.2 ms in their only poll. Each `KIND` is another type, so nobody
/// knows that its polls are long.
async fn loops<const KIND: usize>(census: Arc<Census>, items: u64) {
    (0..items).into_par_iter().for_each(|_| census.compute(Duration::from_micros(200)));
}

fn twenty_kinds(pool: &Pool, census: &Arc<Census>, items: u64) -> Vec<filch::JoinHandle<()>> {
    macro_rules! spawned {
        ($($kind:literal)*) => { vec![$(pool.spawn(loops::<$kind>(census.clone(), items))),*] };
    }
    spawned!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19)
}

/// While the workers are in closures and such tasks wait: how often so many threads of the pool were running, or waiting
/// for a core; and how many items ran at once at most.
fn running_beside_hogs(workers: usize, items: u64) -> (Vec<usize>, usize) {
    let pool = Pool::builder().workers(workers).name("running").build().unwrap();
    let hogs = Hogs::new(&pool, |_| ());
    let census = Arc::new(Census::default());
    let tasks = twenty_kinds(&pool, &census, items);
    let mut samples = vec![0; pool.max_num_threads() + 1];
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(300) && !tasks.iter().all(|task| task.is_finished()) {
        samples[threads_running("running")] += 1;
        std::thread::sleep(Duration::from_micros(300));
    }
    let most = census.most.load(Ordering::SeqCst);
    drop(hogs);
    tasks.into_iter().for_each(|task| task.join().unwrap());
    (samples, most)
}

/// Polls that fork are the one thing of which more than one thread may run beside full seats: the second and later ones
/// do if no seat has come free for some milliseconds. There is an end to it.
#[test]
fn forking_polls_run_on_no_more_threads_than_one_for_each_worker_and_the_lane() {
    let _alone = alone();
    with_deadline(100, || {
        for workers in [1, 2, 4] {
            for items in [5, 100] {
                let (samples, most) = running_beside_hogs(workers, items);
                assert!(most <= workers + 1, "{most} loops at once beside {workers} closures");
                let threads = samples.iter().rposition(|times| *times > 0).unwrap_or(0);
                assert!(threads <= 2 * workers + 1, "{threads} threads with {workers} workers: {samples:?}");
            }
        }
    });
}
