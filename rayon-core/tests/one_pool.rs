//! The global pool of rayon is that of filch.

#[path = "../../tests/support/mod.rs"]
mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use filch::Priority;
use rayon::prelude::*;
use support::{alone, at_best, spin, with_deadline, within};

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
    let _alone = alone();
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
    let _alone = alone();
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
    let _alone = alone();
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

/// How much of a long loop of rayon's, in 1/1000, has been run when the last of ten short closures has been, which are
/// spawned one after the other while all threads are in the loop.
fn share_of_a_loop_before_closures(of_loop: Priority, of_closures: Priority) -> usize {
    let (items, threads) = (4_000 * rayon::current_num_threads(), rayon::current_num_threads());
    let done = Arc::new(AtomicUsize::new(0));
    let inside: Arc<Vec<AtomicBool>> = Arc::new((0..threads).map(|_| AtomicBool::new(false)).collect());
    let long = filch::task::Builder::new().priority(of_loop).spawn_cpu({
        let (done, inside) = (done.clone(), inside.clone());
        // Without the bound on lengths, rayon cuts a loop into a few stretches for each thread.
        move || {
            (0..items).into_par_iter().with_max_len(16).for_each(|_| {
                inside[rayon::current_thread_index().unwrap()].store(true, Ordering::Relaxed);
                spin(Duration::from_micros(50));
                done.fetch_add(1, Ordering::Relaxed);
            })
        }
    });
    let all_inside = || inside.iter().all(|thread| thread.load(Ordering::Relaxed));
    assert!(within(Duration::from_secs(20), all_inside));
    let before = done.load(Ordering::Relaxed);
    let mut last = before;
    for _ in 0..10 {
        let done = done.clone();
        let closure = move || done.load(Ordering::Relaxed);
        last = filch::task::Builder::new().priority(of_closures).spawn_cpu(closure).join().unwrap();
    }
    long.join().unwrap();
    assert_eq!(done.load(Ordering::Relaxed), items);
    1_000 * (last - before) / items
}

/// Where all threads are in a loop of rayon's, others wait for its end, or for a large part of it; but not if the loop
/// is background work.
#[test]
fn background_loops_give_way() {
    let _alone = alone();
    with_deadline(200, || {
        for closures in [Priority::Normal, Priority::High] {
            let share = share_of_a_loop_before_closures(Priority::Background, closures);
            assert!(share < 250, "{closures:?} closures have waited for {share} of 1000 parts of a background loop");
            // The control: threads that run out of the loop for a moment may take closures, so not each time.
            at_best(5, "closures beside a normal loop", || {
                let share = share_of_a_loop_before_closures(Priority::Normal, closures);
                if share > 400 { Ok(()) } else { Err(format!("{closures:?}: {share}")) }
            });
        }
    });
}
