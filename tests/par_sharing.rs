//! Whether loops are shared: a loop of few long items must reach the other worker, whatever the pool did before and
//! however short loops of the same kind have been so far.

mod support;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use filch::CancellationToken;
use filch::prelude::*;
use support::{at_best, fib, pool, spin, with_deadline};

/// Which workers have run something.
#[derive(Default)]
struct Workers([AtomicBool; 16]);

impl Workers {
    fn note(&self) {
        self.0[filch::current_thread_index().expect("bodies run in the pool") % 16].store(true, Ordering::Relaxed);
    }

    fn take(&self) -> usize {
        self.0.iter().filter(|worker| worker.swap(false, Ordering::Relaxed)).count()
    }
}

fn shared_loop(len: usize, workers: &Workers, time: Duration) -> usize {
    (0..len).into_par_iter().for_each(|_| {
        workers.note();
        if !time.is_zero() {
            thread::sleep(time);
        }
    });
    workers.take()
}

/// Measures on a thread that knows nothing of earlier loops.
fn afresh(times: u32, what: &str, measure: impl Fn() -> Result<(), String> + Sync) {
    at_best(times, what, || thread::scope(|s| s.spawn(&measure).join().expect("a measurement does not panic")));
}

#[test]
fn a_long_loop_is_shared_though_everybody_was_asleep() {
    with_deadline(60, || {
        let pool = pool(2);
        assert_eq!(pool.install(|| fib(15)), 610);
        afresh(4, "two items for two workers", || {
            let took_part = pool.install(|| {
                spin(Duration::from_millis(100));
                shared_loop(2, &Workers::default(), Duration::from_millis(100))
            });
            if took_part == 2 { Ok(()) } else { Err(format!("{took_part} took part")) }
        });
    });
}

#[test]
fn a_long_loop_is_shared_though_those_before_were_short() {
    with_deadline(60, || {
        let pool = pool(2);
        afresh(4, "two items for two workers", || {
            let took_part = pool.install(|| {
                let workers = Workers::default();
                for _ in 0..20 {
                    shared_loop(2, &workers, Duration::ZERO);
                }
                shared_loop(2, &workers, Duration::from_millis(100))
            });
            if took_part == 2 { Ok(()) } else { Err(format!("{took_part} took part")) }
        });
    });
}

#[test]
fn many_items_are_shared_though_they_were_short() {
    with_deadline(60, || {
        let pool = pool(2);
        for len in [1_000, 3_000] {
            afresh(4, "many items for two workers", || {
                let mine = pool.install(|| {
                    let me = filch::current_thread_index();
                    let workers = Workers::default();
                    let round = |time: Duration| {
                        let mine = AtomicUsize::new(0);
                        (0..len).into_par_iter().for_each(|_| {
                            workers.note();
                            if !time.is_zero() {
                                mine.fetch_add((filch::current_thread_index() == me) as usize, Ordering::Relaxed);
                                thread::sleep(time);
                            }
                        });
                        mine.into_inner()
                    };
                    for _ in 0..40 {
                        round(Duration::ZERO);
                    }
                    round(Duration::from_micros(200))
                });
                if mine * 5 < len * 4 { Ok(()) } else { Err(format!("{mine} of {len} on one thread")) }
            });
        }
    });
}

/// Memory says that the loop is over in no time; it must be found out soon that it is not, or nobody could stop it.
#[test]
fn many_items_are_cancelled_though_they_were_short() {
    with_deadline(60, || {
        let pool = pool(2);
        for len in [1_000, 3_000, 30_000] {
            afresh(4, "a loop that is cancelled", || {
                let run = |token: &CancellationToken, time: Duration| {
                    let ran = AtomicUsize::new(0);
                    (0..len).into_par_iter().with_cancel(token).for_each(|_| {
                        ran.fetch_add(1, Ordering::Relaxed);
                        if !time.is_zero() {
                            token.cancel();
                            thread::sleep(time);
                        }
                    });
                    ran.into_inner()
                };
                let ran = pool.install(|| {
                    for _ in 0..40 {
                        assert_eq!(run(&CancellationToken::new(), Duration::ZERO), len);
                    }
                    run(&CancellationToken::new(), Duration::from_micros(100))
                });
                if ran * 4 <= len { Ok(()) } else { Err(format!("{ran} of {len} after it was cancelled")) }
            });
        }
    });
}

/// The lengths for which a loop that is known to be short is looked at once, and twice.
const SHORT: [usize; 6] = [32, 64, 100, 136, 200, 400];

/// Runs short loops, then one like them in which items take long from the `late`th on. How many items have run on the
/// thread that began it, and how many in all. Stops it in its first long item if that is asked for.
fn long_after_short(len: usize, shorts: usize, late: usize, stops: bool) -> (usize, usize) {
    let me = thread::current().id();
    let (mine, all) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let run = |late: usize, token: &CancellationToken| {
        (0..len).into_par_iter().with_cancel(token).for_each(|i| {
            if i >= late {
                mine.fetch_add((thread::current().id() == me) as usize, Ordering::Relaxed);
                all.fetch_add(1, Ordering::Relaxed);
                if stops {
                    token.cancel();
                }
                thread::sleep(Duration::from_millis(2));
            }
        });
    };
    for _ in 0..shorts {
        run(len, &CancellationToken::new());
    }
    run(late, &CancellationToken::new());
    (mine.into_inner(), all.into_inner())
}

/// From a worker, and from outside of a pool.
fn inside_and_outside(times: u32, what: &str, measure: impl Fn() -> Result<(), String> + Sync) {
    let pool = pool(2);
    afresh(times, &format!("{what}, inside"), || pool.install(&measure));
    afresh(times, &format!("{what}, outside"), &measure);
}

#[test]
fn long_items_are_shared_though_a_loop_of_them_was_over_in_no_time() {
    with_deadline(120, || {
        for shorts in [40, 1_000] {
            for len in SHORT {
                inside_and_outside(6, &format!("{len} long items after {shorts} short loops"), || {
                    let (mine, all) = long_after_short(len, shorts, 0, false);
                    assert_eq!(all, len);
                    // The first eight (or an eighth), and of the others not many more than half.
                    let most = len * 7 / 8;
                    if mine <= most { Ok(()) } else { Err(format!("{mine} of {len} on one thread")) }
                });
            }
        }
    });
}

/// The first items are as quick as ever. Half of the loop may be in one block, and so may as many as 127 items.
#[test]
fn late_long_items_are_shared_though_a_loop_of_them_was_over_in_no_time() {
    with_deadline(120, || {
        for len in [136, 200, 400] {
            inside_and_outside(6, &format!("{len} items that are long after ten"), || {
                let (mine, all) = long_after_short(len, 40, 10, false);
                assert_eq!(all, len - 10);
                let most = len * 7 / 8;
                if mine <= most { Ok(()) } else { Err(format!("{mine} of {all} on one thread")) }
            });
        }
    });
}

#[test]
fn long_items_are_cancelled_though_a_loop_of_them_was_over_in_no_time() {
    with_deadline(120, || {
        for shorts in [40, 1_000] {
            for len in SHORT {
                inside_and_outside(6, &format!("{len} long items after {shorts} short loops"), || {
                    let (_, ran) = long_after_short(len, shorts, 0, true);
                    // Eight, or an eighth, if this build takes longer than a microsecond for them.
                    if ran <= 8.max(len / 8) { Ok(()) } else { Err(format!("{ran} of {len} after it was cancelled")) }
                });
            }
        }
    });
}

/// It would go to and fro between threads that have nothing else to do.
#[test]
fn a_single_item_stays_where_it_is() {
    with_deadline(60, || {
        for workers in [2, 4] {
            let moved = pool(workers).install(|| {
                let moved = AtomicUsize::new(0);
                for _ in 0..200 {
                    // Somebody is awake, and looks for work.
                    filch::join(|| (), || ());
                    let here = filch::current_thread_index();
                    vec![0].into_par_iter().for_each(|_| {
                        moved.fetch_add((filch::current_thread_index() != here) as usize, Ordering::Relaxed);
                        spin(Duration::from_micros(100));
                    });
                    (0..7).into_par_iter().with_min_len(4).for_each(|_| {
                        moved.fetch_add((filch::current_thread_index() != here) as usize, Ordering::Relaxed);
                        spin(Duration::from_micros(20));
                    });
                }
                moved.into_inner()
            });
            assert_eq!(moved, 0, "of 200 loops that cannot be cut, in a pool of {workers}");
        }
    });
}
