//! Nothing is dropped twice and nothing is lost, wherever a loop panics.
//!
//! Every call of a closure, every clone and every comparison counts down a fuse, and the one at which it burns out
//! panics. So a loop is run again and again, with a fuse that is longer by one each time, until it gets through.

#[path = "support/erased.rs"]
mod erased;
mod support;

#[path = "par_drops/chains.rs"]
mod chains;
#[path = "par_drops/items.rs"]
mod items;

use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::Duration;
use std::{panic, thread};

use chains::*;
use erased::Par;
use filch::prelude::*;
use items::*;
use support::{Rng, catch, ignore, lock, long, note, pool, spin, thin, with_deadline};

// ----- the loops ---------------------------------------------------------------------------------------------------

enum Outcome {
    Impossible,
    Through,
    Panicked,
}

/// Runs the loop with a fuse of that length.
fn run<T: Item>(source: &Source<T>, adapter: Option<&Adapter<T>>, end: &Terminal<T>, n: u32, fuse: i64) -> Outcome {
    let name = format!("{:?}, {:?}, {:?}, {n} items, fuse {fuse}", source.0, adapter.map(|adapter| adapter.0), end.0);
    note(name.clone());
    forget_all();
    let result = catch(|| {
        FUSE.store(-1, SeqCst);
        let mut store = Store::default();
        let mut iter = (source.1)(&mut store, n);
        if let Some((_, how)) = adapter {
            iter = match (iter, how) {
                (Either::Any(iter), How::Any(f)) => Either::Any(f(iter)),
                (Either::Counted(iter), How::Any(f)) => Either::Any(f(Par::new(iter))),
                (Either::Counted(iter), How::Counted(f)) => Either::Counted(f(iter)),
                _ => return false,
            };
        }
        FUSE.store(fuse, SeqCst);
        match (iter, &end.1) {
            (Either::Any(iter), End::Any(f)) => f(iter),
            (Either::Counted(iter), End::Any(f)) => f(Par::new(iter)),
            (Either::Counted(iter), End::Counted(f)) => f(iter),
            _ => return false,
        }
        true
    });
    let left = FUSE.swap(-1, SeqCst);
    let (living, bad) = (living(), BAD.load(SeqCst));
    if living != 0 || bad != 0 {
        let failure = format!("{name}: {living} live, {bad} bad drops");
        eprintln!("failed: {failure}");
        let mut failed = lock(&FAILED);
        failed.push(failure);
        assert!(failed.len() < 20, "failed: {failed:#?}");
    }
    match result {
        Ok(false) => Outcome::Impossible,
        // It may have burnt out in a piece whose results nobody wanted any more; but then somebody has panicked.
        Ok(true) => {
            assert!(left >= 0 || fuse < 0, "{name}: a panic has been lost");
            Outcome::Through
        }
        Err(1) => Outcome::Panicked,
        Err(other) => panic!("{name}: {other}"),
    }
}

static FAILED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Not optimised, pieces of items of 4 KiB that wait inside of one another take a megabyte of the stack in each run,
/// and in one of many more than the two that threads have.
const STACK: usize = 16 << 20;

/// In pools of 1, 2 and 4 workers; from within and from outside.
fn in_pools(body: impl Fn(u64) + Send + Sync + 'static) {
    with_deadline(if long() { 6000 } else { 400 }, move || {
        let _alone = alone();
        for (number, workers) in [1, 2, 4].into_iter().enumerate() {
            let pool = filch::Pool::builder().workers(workers).stack_size(STACK).build().expect("threads for a test");
            thread::scope(|s| {
                let outside = thread::Builder::new().stack_size(STACK);
                let outside = outside.spawn_scoped(s, || pool.install(|| body(number as u64)));
                let ended = outside.expect("the system has a thread for a test").join();
                ended.unwrap_or_else(|payload| panic::resume_unwind(payload));
            });
        }
        let failed = std::mem::take(&mut *lock(&FAILED));
        assert!(failed.is_empty(), "failed: {failed:#?}");
    });
}

/// Every fuse; where runs are thinned out, each `thin()`-th, beginning with another one each time.
fn all_fuses<T: Item>(source: &Source<T>, adapter: Option<&Adapter<T>>, end: &Terminal<T>, n: u32) {
    static BEGINNINGS: AtomicI64 = AtomicI64::new(0);
    let first = BEGINNINGS.fetch_add(1, SeqCst) % thin() as i64;
    for fuse in (first..).step_by(thin() as usize) {
        match run(source, adapter, end, n, fuse) {
            Outcome::Panicked if fuse < 300 => {}
            _ => break,
        }
    }
}

#[test]
fn sources_by_terminals() {
    in_pools(|_| {
        let sources = sources::<Small>();
        for source in &sources {
            for end in &terminals() {
                all_fuses(source, None, end, 20);
                for fuse in [0, 1, 500, 999, 1500] {
                    run(source, None, end, 1000, fuse);
                }
            }
        }
    });
}

#[test]
fn adapters_at_every_call() {
    in_pools(|_| {
        for source in &sources::<Small>()[..2] {
            for adapter in &adapters() {
                all_fuses(source, Some(adapter), &terminals()[1], 20);
                all_fuses(source, Some(adapter), &terminals()[4], 12);
            }
        }
    });
}

/// Some of the product, each with a random fuse; with `FILCH_LONG` all of it, and if `every` is set, with all fuses.
fn product<T: Item>(seed: u64, one_in: u64, every: bool) {
    in_pools(move |number| {
        let mut rng = Rng(seed + number);
        for source in &sources::<T>() {
            for adapter in &adapters() {
                for end in &terminals() {
                    if long() && every {
                        all_fuses(source, Some(adapter), end, 20);
                    }
                    if !rng.one_in(one_in * thin()) && !long() {
                        continue;
                    }
                    let (n, most) = if rng.one_in(40) { (1000, 2500) } else { (20, 70) };
                    let fuse = rng.below(most) as i64;
                    match run(source, Some(adapter), end, n, fuse) {
                        Outcome::Impossible | Outcome::Panicked => {}
                        // Once more, to be sure that it panics.
                        Outcome::Through => drop(run(source, Some(adapter), end, n, rng.below(20) as i64)),
                    }
                }
            }
        }
    });
}

#[test]
fn sources_by_adapters_by_terminals() {
    product::<Small>(1, 3, true);
}

#[test]
fn items_without_size() {
    product::<Nothing>(2, 20, false);
}

#[test]
fn large_and_over_aligned_items() {
    product::<Large>(3, 40, false);
}

/// A drop that panics: others may be lost, as with the standard library, but none is dropped twice.
#[test]
fn drops_that_panic() {
    with_deadline(200, || {
        let _alone = alone();
        for workers in [1, 2, 4] {
            pool(workers).install(|| {
                for source in &sources::<Small>() {
                    for (number, end) in terminals().iter().enumerate() {
                        for fuse in
                            [0, 3, 7, 12, 19].into_iter().skip(number % thin() as usize).step_by(thin() as usize)
                        {
                            drop_run(source, end, fuse);
                        }
                    }
                }
            });
        }
    });
}

fn drop_run(source: &Source<Small>, end: &Terminal<Small>, fuse: i64) {
    note(format!("{:?}, {:?}, fuse {fuse}", source.0, end.0));
    forget_all();
    let result = catch(|| {
        let mut store = Store::default();
        let iter = (source.1)(&mut store, 20);
        DROPS_BURN.store(true, SeqCst);
        FUSE.store(fuse, SeqCst);
        match (iter, &end.1) {
            (Either::Any(iter), End::Any(f)) => f(iter),
            (Either::Counted(iter), End::Any(f)) => f(Par::new(iter)),
            (Either::Counted(iter), End::Counted(f)) => f(iter),
            _ => {}
        }
        drop(store);
    });
    DROPS_BURN.store(false, SeqCst);
    FUSE.store(-1, SeqCst);
    ignore(result);
    assert_eq!(BAD.load(SeqCst), 0, "{:?}, {:?}, fuse {fuse}", source.0, end.0);
    assert!(LIVING.load(SeqCst) >= 0);
}

/// By index, where the piece between two others, which has no items, begins after both have ended.
#[test]
fn an_empty_part_that_comes_late() {
    struct Slow;

    impl Drop for Slow {
        fn drop(&mut self) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    with_deadline(60, || {
        pool(4).install(|| {
            for _ in 0..20 {
                let first = (0..3).into_par_iter().inspect(|_| spin(Duration::from_millis(1)));
                let nothing = vec![Slow].into_par_iter().take(0).map(|_| 0);
                let items: Vec<i32> = first.chain(nothing.chain(3..6)).intersperse(9).collect();
                assert_eq!(items, [0, 9, 1, 9, 2, 9, 3, 9, 4, 9, 5]);
            }
        });
    });
}
