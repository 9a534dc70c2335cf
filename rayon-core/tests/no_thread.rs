//! Alone in its process, because it counts that process's threads.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::time::Duration;
use std::{fs, thread};

use rayon_core::ThreadPoolBuilder;
use support::{with_deadline, within};

/// How many threads this process has, where the system tells.
fn threads() -> Option<usize> {
    fs::read_dir("/proc/self/task").ok().map(Iterator::count)
}

/// Work of all kinds that the pool of the current thread runs on that thread.
fn work() {
    assert_eq!(rayon_core::join(rayon_core::current_num_threads, rayon_core::current_thread_index), (1, Some(0)));
    rayon_core::scope(|s| (0..10).for_each(|_| s.spawn(|_| assert_eq!(rayon_core::current_thread_index(), Some(0)))));
    assert_eq!(rayon_core::broadcast(|c| c.index()), [0]);
    rayon_core::spawn(|| {});
    assert_eq!(rayon_core::yield_local(), Some(rayon_core::Yield::Executed));
}

#[test]
fn the_current_thread_alone_is_a_pool_without_threads() {
    with_deadline(60, || {
        let before = threads();
        thread::spawn(move || {
            let before = before.map(|threads| threads + 1);
            assert_eq!(threads(), before, "this thread");
            let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
            assert_eq!(threads(), before, "none for a pool of its own");
            work();
            assert_eq!(threads(), before, "nor for its work");
            drop(pool);
            assert_eq!(threads(), before);
        })
        .join()
        .unwrap();
        // A thread that has ended may be counted for a moment more.
        assert!(within(Duration::from_secs(20), || threads() == before));
        ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().unwrap();
        assert_eq!(threads(), before, "none for the global pool");
        work();
        assert_eq!(threads(), before, "nor for its work");
        // The control: one that has a thread.
        let _pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(threads(), before.map(|threads| threads + 1));
    });
}
