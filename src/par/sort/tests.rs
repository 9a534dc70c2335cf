//! A panic at every single comparison of short slices, which the grain of unit tests cuts up all the same.

use std::cmp::Ordering;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::ground::rng::Rng;
use crate::ground::sync::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use crate::par::slice_mut::ParallelSliceMut;
use crate::par::sort::grain::Grain;
use crate::par::sort::order::Natural;
use crate::par::sort::select::between;
use crate::pool::handle::Pool;

struct Element {
    key: usize,
    id: usize,
    /// Counts those that live.
    _alive: Arc<()>,
}

type Compare<'c> = &'c (dyn Fn(usize, usize) -> Ordering + Sync);

/// A key that is compared so.
struct Compared<'c>(usize, Compare<'c>);

impl PartialEq for Compared<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Compared<'_> {}

impl PartialOrd for Compared<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Compared<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.1)(self.0, other.0)
    }
}

/// A name, how many elements there must be for all parts of the algorithm, and what is done with them.
type Operation = (&'static str, usize, fn(&mut [Element], Compare<'_>));

const OPERATIONS: [Operation; 8] = [
    ("sort", 40, |v, compare| v.par_sort_by(|a, b| compare(a.key, b.key))),
    ("sort by key", 40, |v, compare| v.par_sort_by_key(|x| Compared(x.key, compare))),
    ("unstable", 40, |v, compare| v.par_sort_unstable_by(|a, b| compare(a.key, b.key))),
    ("unstable by key", 40, |v, compare| v.par_sort_unstable_by_key(|x| Compared(x.key, compare))),
    ("select", 320, |v, compare| {
        v.par_select_nth_unstable_by(7, |a, b| compare(a.key, b.key));
    }),
    ("select by key", 320, |v, compare| {
        v.par_select_nth_unstable_by_key(7, |x| Compared(x.key, compare));
    }),
    ("merge", 40, |v, compare| {
        let middle = sort_halves(v);
        v.par_merge_by(middle, |a, b| compare(a.key, b.key));
    }),
    ("merge by key", 40, |v, compare| {
        let middle = sort_halves(v);
        v.par_merge_by_key(middle, |x| Compared(x.key, compare));
    }),
];

/// Sorts both halves; gives where they meet.
fn sort_halves(v: &mut [Element]) -> usize {
    let middle = v.len() / 2;
    v[..middle].sort_by_key(|x| x.key);
    v[middle..].sort_by_key(|x| x.key);
    middle
}

/// Random keys, few distinct ones, three runs of which the second is backwards, and a sorted slice but for its end.
fn shapes(len: usize) -> [Vec<usize>; 4] {
    let rng = Rng::new(len as u64);
    let (third, two_thirds) = (len / 3, 2 * len / 3);
    let run = |i: usize| if (third..two_thirds).contains(&i) { len - i } else { 3 * i % len };
    [
        (0..len).map(|_| rng.below(10 * len)).collect(),
        (0..len).map(|_| rng.below(4)).collect(),
        (0..len).map(run).collect(),
        (0..len).map(|i| if i + 1 == len { 0 } else { i }).collect(),
    ]
}

/// Runs the operation, whose comparison panics at call `at`, and then, if `on` is set, at all later ones; gives how
/// many calls there were.
fn attempt(pool: &Pool, operation: &Operation, keys: &[usize], at: usize, on: bool) -> usize {
    let alive = Arc::new(());
    let element = |(id, &key)| Element { key, id, _alive: Arc::clone(&alive) };
    let mut v: Vec<Element> = keys.iter().enumerate().map(element).collect();
    let (calls, panicked) = (AtomicUsize::new(0), AtomicBool::new(false));
    let compare = |a: usize, b: usize| {
        let call = calls.fetch_add(1, Relaxed);
        if call == at || on && call > at {
            panicked.store(true, Relaxed);
            // No hook prints it.
            panic::resume_unwind(Box::new(at));
        }
        a.cmp(&b)
    };
    let result = panic::catch_unwind(AssertUnwindSafe(|| pool.install(|| operation.2(&mut v, &compare))));
    let what = format!("{} of {} elements, call {at}, on: {on}", operation.0, keys.len());
    assert_eq!(result.is_err(), panicked.load(Relaxed), "{what}: a panic has been lost");
    let mut seen = vec![false; keys.len()];
    for x in &v {
        assert!(!std::mem::replace(&mut seen[x.id], true), "{what}: {} is there twice", x.id);
        assert_eq!(x.key, keys[x.id], "{what}");
    }
    assert_eq!(Arc::strong_count(&alive), keys.len() + 1, "{what}: some have been dropped");
    drop(v);
    assert_eq!(Arc::strong_count(&alive), 1, "{what}: some have not been dropped");
    calls.load(Relaxed)
}

#[test]
fn a_panic_at_every_comparison() {
    let (done, is_done) = mpsc::channel::<()>();
    let body = thread::spawn(move || {
        for workers in [2, 4] {
            let pool = Pool::builder().workers(workers).build().expect("threads for a test");
            for operation in &OPERATIONS {
                for keys in shapes(operation.1) {
                    let calls = attempt(&pool, operation, &keys, usize::MAX, false);
                    for at in 0..calls {
                        attempt(&pool, operation, &keys, at, at % 2 == 0);
                    }
                }
            }
        }
        drop(done);
    });
    let late = is_done.recv_timeout(Duration::from_secs(300)) == Err(mpsc::RecvTimeoutError::Timeout);
    assert!(!late, "it hangs");
    body.join().unwrap_or_else(|payload| panic::resume_unwind(payload));
}

/// What is too short to be cut by a sample is left alone, however fine the grain and many the workers.
#[test]
fn short_slices_are_not_sampled() {
    let grain = Grain { workers: 16, part: 4, piece: 5, least: 4, small: 16 };
    for len in 1..200 {
        let mut v: Vec<usize> = (0..len).rev().collect();
        Pool::global().install(|| _ = between(&mut v, len / 2, grain, &Natural));
        v.sort();
        assert!(v.into_iter().eq(0..len), "{len}");
    }
}
