//! The global pool of rayon is that of filch.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rayon::prelude::*;
use support::with_deadline;

/// Says that rayon's idea of the thread holds, and that it is filch's too.
fn check_thread() -> usize {
    let index = rayon::current_thread_index().expect("rayon's closures run on threads of the pool");
    assert!(index < rayon::current_num_threads(), "{index}");
    assert_eq!(filch::current_thread_index(), Some(index));
    index
}

#[test]
fn it_is_ours() {
    assert!(rayon_core::is_filch());
    assert_eq!(rayon::current_num_threads(), filch::current_num_threads());
    assert_eq!(rayon::max_num_threads(), rayon_core::max_num_threads());
    assert_eq!(rayon::current_thread_index(), None);
}

#[test]
fn indices_are_a_workers_wherever_rayon_is_called() {
    with_deadline(100, || {
        let all = || {
            (0..100).into_par_iter().for_each(|_| {
                check_thread();
            });
            rayon::join(check_thread, check_thread);
            rayon::scope(|s| (0..20).for_each(|_| s.spawn(|_| _ = check_thread())));
            rayon::in_place_scope(|s| (0..20).for_each(|_| s.spawn(|_| _ = check_thread())));
            assert_eq!(rayon::broadcast(|c| (c.index(), check_thread())).len(), rayon::current_num_threads());
            rayon::yield_now();
        };
        for _ in 0..20 {
            // From outside; inside of rayon; as a guest of filch; in tasks; in blocking calls; in filch's own loops.
            all();
            rayon::scope(|_| all());
            filch::join(all, all);
            filch::scope(|s| (0..4).for_each(|_| s.spawn(|_| all())));
            filch::block_on(async {
                let tasks: Vec<_> = (0..8).map(|_| filch::spawn(async move { all() })).collect();
                let calls: Vec<_> = (0..2).map(|_| filch::spawn_blocking(all)).collect();
                let closures: Vec<_> = (0..4).map(|_| filch::spawn_cpu(all)).collect();
                for handle in tasks.into_iter().chain(calls).chain(closures) {
                    handle.await.unwrap();
                }
            });
        }
    });
}

#[test]
fn threads_that_run_at_once_have_different_indices() {
    with_deadline(100, || {
        let taken: Vec<AtomicBool> = (0..rayon::current_num_threads()).map(|_| AtomicBool::new(false)).collect();
        let visit = |_| {
            let index = check_thread();
            assert!(!taken[index].swap(true, Ordering::AcqRel), "two threads with index {index}");
            std::hint::black_box((0..2_000u64).sum::<u64>());
            taken[index].store(false, Ordering::Release);
        };
        for _ in 0..20 {
            std::thread::scope(|s| {
                for _ in 0..3 {
                    s.spawn(|| (0..500).into_par_iter().for_each(visit));
                }
                filch::block_on(async {
                    filch::spawn(async { (0..500).into_par_iter().map(|i| i & 1).sum::<i32>() }).await.unwrap()
                });
            });
        }
    });
}

#[test]
fn tasks_stay_quick_beside_loops() {
    with_deadline(100, || {
        let stop = AtomicBool::new(false);
        let waits = Mutex::new(Vec::new());
        std::thread::scope(|s| {
            s.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    // Each item runs for a while; there are enough for every thread.
                    (0..4 * rayon::current_num_threads()).into_par_iter().for_each(|_| {
                        let since = Instant::now();
                        while since.elapsed() < Duration::from_millis(20) {
                            std::hint::spin_loop();
                        }
                    });
                }
            });
            s.spawn(|| {
                for _ in 0..100 {
                    let asked = Instant::now();
                    let answered = filch::block_on(async { filch::spawn(async { Instant::now() }).await.unwrap() });
                    waits.lock().unwrap().push(answered - asked);
                    std::thread::sleep(Duration::from_millis(3));
                }
                stop.store(true, Ordering::Relaxed);
            });
        });
        let mut waits = waits.into_inner().unwrap();
        waits.sort();
        // Without the express lane half of them would wait for an item to end: 10 ms and more.
        assert!(waits[50] < Duration::from_millis(5), "{:?}", waits[50]);
        assert!(filch::stats().express_polls > 0);
    });
}
