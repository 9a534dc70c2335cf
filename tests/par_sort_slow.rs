//! Sorts whose comparisons or keys are slow: they are shared, however short the slice.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use filch::prelude::*;
use support::{alone, at_best, pool, spin, with_deadline};

const LEN: usize = 500;

fn numbers() -> Vec<u64> {
    (0..LEN as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20).collect()
}

/// Runs a sort whose comparisons call what it is given, and wants another thread than the first to have made some of
/// them.
fn shared(what: &'static str, sort: fn(&(dyn Fn() + Sync))) {
    // Each of them wants two cores.
    let _alone = alone();
    with_deadline(60, move || {
        let pool = pool(2);
        at_best(10, what, || {
            let calls: [AtomicUsize; 16] = Default::default();
            let slow = || {
                calls[filch::current_thread_index().expect("it runs in the pool") % 16].fetch_add(1, Relaxed);
                spin(Duration::from_micros(20));
            };
            pool.install(|| sort(&slow));
            let counts: Vec<usize> = calls.iter().map(|calls| calls.load(Relaxed)).filter(|n| *n > 0).collect();
            // A spare may have come, too, and made very few.
            let most = counts.iter().max().copied().unwrap_or(0);
            if most * 10 <= counts.iter().sum::<usize>() * 9 {
                Ok(())
            } else {
                Err(format!("calls on each thread: {counts:?}"))
            }
        });
    });
}

#[test]
fn stable_sorts() {
    shared("par_sort_by", |slow| {
        let mut v = numbers();
        v.par_sort_by(|a, b| {
            slow();
            a.cmp(b)
        });
        assert!(v.is_sorted());
    });
}

#[test]
fn unstable_sorts() {
    shared("par_sort_unstable_by", |slow| {
        let mut v = numbers();
        v.par_sort_unstable_by(|a, b| {
            slow();
            a.cmp(b)
        });
        assert!(v.is_sorted());
    });
}

#[test]
fn cached_keys() {
    shared("par_sort_by_cached_key", |slow| {
        let mut v = numbers();
        v.par_sort_by_cached_key(|x| {
            slow();
            *x
        });
        assert!(v.is_sorted());
    });
}

#[test]
fn merges() {
    shared("par_merge_by", |slow| {
        let mut v = numbers();
        v[..LEN / 2].sort();
        v[LEN / 2..].sort();
        v.par_merge_by(LEN / 2, |a, b| {
            slow();
            a.cmp(b)
        });
        assert!(v.is_sorted());
    });
}

#[test]
fn quick_ones_stay_on_their_thread() {
    let pool = pool(2);
    let shared = pool.install(|| {
        let here = filch::current_thread_index();
        let shared = AtomicUsize::new(0);
        for _ in 0..100 {
            let elsewhere = AtomicUsize::new(0);
            let mut v = numbers();
            v.par_sort_by(|a, b| {
                elsewhere.fetch_or((filch::current_thread_index() != here) as usize, Relaxed);
                a.cmp(b)
            });
            assert!(v.is_sorted());
            shared.fetch_add(elsewhere.into_inner(), Relaxed);
        }
        shared.into_inner()
    });
    assert!(shared <= 10, "{shared} of 100 sorts of {LEN} numbers were thought worth another thread");
}
