//! Parallel sorting against the standard library's: lengths, patterns, types, pools, and comparisons that misbehave.

use std::cell::Cell;
use std::cmp::Ordering as Order;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;

use filch::prelude::*;

mod support;
use support::{Drops, Rng, Token, catch, note, plan, pool, with_deadline};

/// Long enough for every part of the algorithms, with the thresholds of the build.
const LONG: usize = if cfg!(debug_assertions) { 3_000 } else { 60_000 };

const POOLS: [usize; 5] = [1, 2, 4, 8, 16];

fn in_pools(secs: u64, each: impl Fn(usize) + Send + Sync + 'static) {
    with_deadline(secs, move || {
        for workers in POOLS {
            pool(workers).install(|| each(workers));
        }
    });
}

const PATTERNS: [&str; 14] = [
    "random",
    "sorted",
    "reversed",
    "saw teeth",
    "teeth down",
    "all equal",
    "two values",
    "few distinct",
    "organ pipe",
    "nearly sorted",
    "ends disturbed",
    "mostly equal",
    "runs, then random",
    "up and down",
];

fn pattern(name: &str, len: usize, rng: &mut Rng) -> Vec<u64> {
    let n = len as u64;
    let mut v: Vec<u64> = match name {
        "random" => (0..n).map(|_| rng.next()).collect(),
        "reversed" => (0..n).rev().collect(),
        "saw teeth" => (0..n).map(|i| i % (n / 7 + 1)).collect(),
        "teeth down" => (0..n).map(|i| n - i % (n / 5 + 1)).collect(),
        "all equal" => vec![3; len],
        "two values" => (0..n).map(|_| rng.below(2)).collect(),
        "few distinct" => (0..n).map(|_| rng.below(11)).collect(),
        "organ pipe" => (0..n).map(|i| i.min(n - i)).collect(),
        "mostly equal" => (0..n).map(|_| if rng.one_in(20) { rng.below(100) } else { 50 }).collect(),
        // Three runs of different lengths, one of them backwards.
        "runs, then random" => (0..n)
            .map(|i| match 10 * i / n {
                0..4 => i,
                4 => n - i,
                5..8 => i - n / 3,
                _ => rng.below(n),
            })
            .collect(),
        // More runs than are merged as they are found.
        "up and down" => (0..n).map(|i| if i / (n / 21 + 1) % 2 == 0 { 3 * i % n } else { n - i }).collect(),
        _ => (0..n).collect(),
    };
    if name == "nearly sorted" && len > 1 {
        for _ in 0..len / 50 + 1 {
            v.swap(rng.below(n) as usize, rng.below(n) as usize);
        }
    }
    if name == "ends disturbed" && len > 1 {
        v.swap(0, len - 1);
    }
    v
}

fn lengths() -> Vec<usize> {
    let mut lengths: Vec<usize> = (0..=40).collect();
    lengths.extend([100, 599, 600, 601, 602, 603, 1000, 2047, 12_001, 50_000]);
    lengths
}

// ----- against the standard library ------------------------------------------------------------------------------

/// Every sort of `v`, made of numbers by `make`, gives what the standard library's stable one gives.
fn sorts_agree<T: Ord + Clone + Send + std::fmt::Debug>(v: &[T]) {
    let mut expected = v.to_vec();
    expected.sort();
    let check = |name: &str, sort: &dyn Fn(&mut [T])| {
        let mut sorted = v.to_vec();
        sort(&mut sorted);
        // Not `assert_eq`: it would print all of them.
        let wrong = sorted.iter().zip(&expected).position(|(a, b)| a != b);
        assert_eq!(wrong, None, "{name}, {} elements", v.len());
    };
    check("par_sort", &|v| v.par_sort());
    check("par_sort_by", &|v| v.par_sort_by(T::cmp));
    check("par_sort_unstable", &|v| v.par_sort_unstable());
    check("par_sort_unstable_by", &|v| v.par_sort_unstable_by(T::cmp));
    check("par_sort_by_key", &|v| v.par_sort_by_key(T::clone));
    check("par_sort_unstable_by_key", &|v| v.par_sort_unstable_by_key(T::clone));
}

#[test]
fn numbers() {
    in_pools(300, |workers| {
        let mut rng = Rng(workers as u64);
        for name in PATTERNS {
            for len in lengths() {
                let often = ["random", "two values", "organ pipe"].contains(&name) && workers > 1;
                if len >= 12_000 && cfg!(debug_assertions) && !often {
                    continue;
                }
                note(format!("{name}, {len} elements, {workers} workers"));
                sorts_agree(&pattern(name, len, &mut rng));
            }
        }
    });
}

#[test]
fn many_numbers() {
    in_pools(300, |workers| {
        let v = pattern("random", 300_000, &mut Rng(workers as u64));
        let mut expected = v.clone();
        expected.sort_unstable();
        let (mut a, mut b) = (v.clone(), v);
        a.par_sort();
        b.par_sort_unstable();
        assert!(a == expected);
        assert!(b == expected);
    });
}

#[test]
fn other_types() {
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Large(u64, [u64; 127]);

    in_pools(300, |workers| {
        let mut rng = Rng(workers as u64);
        for name in PATTERNS {
            for len in [0, 1, 2, 3, 35, 1000, LONG] {
                note(format!("{name}, {len} elements, {workers} workers"));
                let v = pattern(name, len, &mut rng);
                sorts_agree(&v.iter().map(|x| *x as u8).collect::<Vec<_>>());
                sorts_agree(&v.iter().map(|x| x.to_string()).collect::<Vec<_>>());
                sorts_agree(&v.iter().map(|x| Box::new(*x)).collect::<Vec<_>>());
                sorts_agree(&v.iter().map(|x| (*x as u32 % 5, *x as u32)).collect::<Vec<_>>());
                sorts_agree(&v.iter().map(|_| ()).collect::<Vec<_>>());
                if len < LONG || name == "random" || name == "organ pipe" {
                    sorts_agree(&v.iter().map(|x| Large(*x, [*x; 127])).collect::<Vec<_>>());
                }
            }
        }
    });
}

#[test]
fn stable_ones_are_stable() {
    in_pools(120, |workers| {
        let mut rng = Rng(workers as u64);
        for name in PATTERNS {
            for len in [2, 3, 20, 100, 1000, LONG, 2 * LONG + 1] {
                for distinct in [1, 2, 7, 300] {
                    let keys = pattern(name, len, &mut rng);
                    let v: Vec<_> =
                        keys.iter().zip(0..).map(|(k, i)| ((k % distinct) as u32, i)).collect::<Vec<(u32, u32)>>();
                    let mut expected = v.clone();
                    expected.sort_by_key(|x| x.0);
                    let (mut a, mut b, mut c, mut d) = (v.clone(), v.clone(), v.clone(), v);
                    a.par_sort_by(|x, y| x.0.cmp(&y.0));
                    b.par_sort_by_key(|x| x.0);
                    c.par_sort_by_cached_key(|x| x.0);
                    d.par_sort_by_cached_key(|x| x.0.to_string().len() as u64 * 1000 + u64::from(x.0));
                    assert!(a == expected, "{name}, {len}, {distinct}");
                    assert!(b == expected, "{name}, {len}, {distinct}");
                    assert!(c == expected, "{name}, {len}, {distinct}");
                    assert!(d == expected, "{name}, {len}, {distinct}");
                }
            }
        }
    });
}

#[test]
fn cached_keys_are_computed_once() {
    in_pools(60, |_| {
        for len in [0, 1, 2, 100, 1000, LONG] {
            let calls = AtomicUsize::new(0);
            let mut v: Vec<u64> = pattern("random", len, &mut Rng(3));
            let mut expected = v.clone();
            expected.sort_by_cached_key(|x| x.to_string());
            v.par_sort_by_cached_key(|x| {
                calls.fetch_add(1, Ordering::Relaxed);
                x.to_string()
            });
            assert!(v == expected);
            assert!(calls.into_inner() <= len && (len < 2 || v.len() == len));
        }
    });
}

// ----- selecting -------------------------------------------------------------------------------------------------

#[test]
fn selection() {
    in_pools(120, |workers| {
        let mut rng = Rng(workers as u64);
        for name in PATTERNS {
            for len in [1, 2, 3, 40, 700, LONG, 3 * LONG] {
                let v = pattern(name, len, &mut rng);
                let mut sorted = v.clone();
                sorted.sort_unstable();
                let random = rng.below(len as u64) as usize;
                for index in [0, 1, len / 100, len / 3, len / 2, len - len / 30 - 1, len - 1, random] {
                    let index = index.min(len - 1);
                    note(format!("{name}, {index} of {len}, {workers} workers"));
                    let mut w = v.clone();
                    let (before, found, behind) = w.par_select_nth_unstable(index);
                    assert_eq!(*found, sorted[index]);
                    assert_eq!((before.len(), behind.len()), (index, len - index - 1));
                    assert!(before.iter().all(|x| *x <= *found));
                    assert!(behind.iter().all(|x| *x >= *found));
                    w.sort_unstable();
                    assert!(w == sorted);

                    let mut w = v.clone();
                    assert_eq!(*w.par_select_nth_unstable_by(index, |a, b| b.cmp(a)).1, sorted[len - index - 1]);
                    assert_eq!(*w.par_select_nth_unstable_by_key(index, |x| *x).1, sorted[index]);
                }
            }
        }
    });
}

#[test]
#[should_panic(expected = "the index (3) should be below the length (3)")]
fn selection_beyond_the_end() {
    [1, 2, 3].par_select_nth_unstable(3);
}

// ----- merging ---------------------------------------------------------------------------------------------------

#[test]
fn merging() {
    in_pools(120, |workers| {
        let mut rng = Rng(workers as u64);
        for name in PATTERNS {
            for len in [0, 1, 2, 3, 10, 100, 1000, LONG] {
                for mid in [0, 1, len / 5, len / 2, len - len / 9, len] {
                    let mid = mid.min(len);
                    let distinct = len as u64 / 3 + 1;
                    let keys = pattern(name, len, &mut rng);
                    let mut v: Vec<(u64, usize)> = keys.iter().zip(0..).map(|(k, i)| (k % distinct, i)).collect();
                    v[..mid].sort_by_key(|x| x.0);
                    v[mid..].sort_by_key(|x| x.0);
                    let mut expected = v.clone();
                    expected.sort_by_key(|x| x.0);
                    let (mut a, mut b) = (v.clone(), v.clone());
                    a.par_merge_by_key(mid, |x| x.0);
                    b.par_merge_by(mid, |x, y| x.0.cmp(&y.0));
                    assert!(a == expected, "{name}, {mid} of {len}");
                    assert!(b == expected, "{name}, {mid} of {len}");
                    let mut c: Vec<String> = v.iter().map(|x| format!("{:09}", x.0)).collect();
                    c.par_merge(mid);
                    assert!(c.is_sorted());
                }
            }
        }
    });
}

#[test]
#[should_panic(expected = "the middle (4) lies beyond the end (3)")]
fn merging_beyond_the_end() {
    [1, 2, 3].par_merge(4);
}

// ----- where it runs ---------------------------------------------------------------------------------------------

#[test]
fn short_slices_stay_on_their_thread() {
    with_deadline(20, || {
        let here = thread::current().id();
        // So short that comparisons are not even timed: with a sanitizer, these here would be thought slow.
        let mut v: Vec<u64> = pattern("random", 150, &mut Rng(1));
        let compare = |a: &u64, b: &u64| {
            assert_eq!(thread::current().id(), here);
            assert_eq!(filch::current_thread_index(), None, "the pool has not been entered");
            a.cmp(b)
        };
        v.par_sort_by(compare);
        v.par_sort_unstable_by(compare);
        v.par_select_nth_unstable_by(7, compare);
        v.sort();
        v.par_merge_by(75, compare);
    });
}

#[test]
fn long_slices_are_sorted_from_outside() {
    with_deadline(60, || {
        let v: Vec<u64> = pattern("random", LONG, &mut Rng(1));
        let (mut a, mut b) = (v.clone(), v);
        a.par_sort();
        b.par_sort_unstable();
        assert!(a.is_sorted() && a == b);
    });
}

#[test]
fn what_is_sorted_takes_one_pass() {
    in_pools(60, |_| {
        for backwards in [false, true] {
            let calls = AtomicUsize::new(0);
            let compare = |a: &u32, b: &u32| {
                calls.fetch_add(1, Ordering::Relaxed);
                a.cmp(b)
            };
            for unstable in [false, true] {
                calls.store(0, Ordering::Relaxed);
                let mut v: Vec<u32> = (0..LONG as u32).collect();
                if backwards {
                    v.reverse();
                }
                if unstable {
                    v.par_sort_unstable_by(compare)
                } else {
                    v.par_sort_by(compare)
                }
                assert!(v.is_sorted());
                let calls = calls.load(Ordering::Relaxed);
                assert!(calls < LONG + LONG / 10 + 100, "{calls} comparisons of {LONG} elements");
            }
        }
    });
}

// ----- comparisons that misbehave --------------------------------------------------------------------------------

struct Tracked {
    key: u64,
    id: usize,
    _text: Box<u64>,
    _token: Token,
}

fn tracked(keys: &[u64], drops: &Drops) -> Vec<Tracked> {
    let make = |(id, key): (usize, &u64)| Tracked { key: *key, id, _text: Box::new(*key), _token: drops.token() };
    keys.iter().enumerate().map(make).collect()
}

/// Each element is there once.
fn assert_permutation(v: &[Tracked], what: &str) {
    let mut seen = vec![false; v.len()];
    for x in v {
        assert!(!std::mem::replace(&mut seen[x.id], true), "{what}: {} is there twice", x.id);
        assert_eq!(*x._text, x.key, "{what}");
    }
}

/// Of keys.
type Compare<'c> = &'c (dyn Fn(u64, u64) -> Order + Sync);

/// A key that is compared so.
struct Compared<'c>(u64, Compare<'c>);

impl PartialEq for Compared<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Compared<'_> {}

impl PartialOrd for Compared<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl Ord for Compared<'_> {
    fn cmp(&self, other: &Self) -> Order {
        (self.1)(self.0, other.0)
    }
}

/// What is done with a slice and a comparison.
type Op = fn(&mut [Tracked], Compare<'_>);

fn operations() -> Vec<(&'static str, Op)> {
    /// Two sorted parts; gives where they meet.
    fn sort_parts(v: &mut [Tracked]) -> usize {
        let mid = v.len() / 3;
        v[..mid].sort_by_key(|x| x.key);
        v[mid..].sort_by_key(|x| x.key);
        mid
    }
    vec![
        ("par_sort_by", |v, compare| v.par_sort_by(|a, b| compare(a.key, b.key))),
        ("par_sort_by_key", |v, compare| v.par_sort_by_key(|x| Compared(x.key, compare))),
        ("par_sort_unstable_by", |v, compare| v.par_sort_unstable_by(|a, b| compare(a.key, b.key))),
        ("par_sort_unstable_by_key", |v, compare| v.par_sort_unstable_by_key(|x| Compared(x.key, compare))),
        ("par_select_nth_unstable_by", |v, compare| {
            v.par_select_nth_unstable_by(v.len() / 3, |a, b| compare(a.key, b.key));
        }),
        ("par_select_nth_unstable_by_key", |v, compare| {
            v.par_select_nth_unstable_by_key(v.len() / 3, |x| Compared(x.key, compare));
        }),
        ("par_merge_by", |v, compare| {
            let mid = sort_parts(v);
            v.par_merge_by(mid, |a, b| compare(a.key, b.key));
        }),
        ("par_merge_by_key", |v, compare| {
            let mid = sort_parts(v);
            v.par_merge_by_key(mid, |x| Compared(x.key, compare));
        }),
    ]
}

#[test]
fn comparisons_that_panic() {
    with_deadline(400, || {
        let mut rng = Rng(11);
        for workers in POOLS {
            let pool = pool(workers);
            for (name, op) in operations() {
                for shape in ["random", "few distinct", "organ pipe", "sorted", "runs, then random", "saw teeth"] {
                    let keys = pattern(shape, LONG, &mut rng);
                    let calls = AtomicUsize::new(0);
                    let count = |a: u64, b: u64| {
                        calls.fetch_add(1, Ordering::Relaxed);
                        a.cmp(&b)
                    };
                    pool.install(|| op(&mut tracked(&keys, &Drops::default()), &count));
                    let total = calls.into_inner();
                    // The first calls, the last ones, and some in between.
                    let mut at: Vec<usize> = (1..6).chain((1..6).map(|i| total.saturating_sub(3 * i))).collect();
                    at.extend((0..24).map(|_| 1 + rng.below(total as u64) as usize));
                    for at in at {
                        let what = format!("{name} of {shape}, {workers} workers, call {at} of {total}");
                        note(what.clone());
                        panics_at(&pool, op, &keys, at, &what);
                    }
                }
            }
        }
    });
}

fn panics_at(pool: &filch::Pool, op: Op, keys: &[u64], at: usize, what: &str) {
    let drops = Drops::default();
    let mut v = tracked(keys, &drops);
    // With several workers the number of calls is not always the same, so there may be no panic.
    let (calls, panicked) = (AtomicUsize::new(0), AtomicBool::new(false));
    let compare = |a: u64, b: u64| {
        // From then on: other threads panic as well.
        if calls.fetch_add(1, Ordering::Relaxed) + 1 >= at && at % 2 == 0 || calls.load(Ordering::Relaxed) == at {
            panicked.store(true, Ordering::Relaxed);
            plan(7);
        }
        a.cmp(&b)
    };
    let result = catch(|| pool.install(|| op(&mut v, &compare)));
    assert_eq!(result.is_err(), panicked.into_inner(), "{what}: a panic has been lost");
    assert_permutation(&v, what);
    assert_eq!(drops.dropped(), 0, "{what}");
    drop(v);
    assert_eq!(drops.dropped(), keys.len(), "{what}");
}

#[test]
fn comparisons_that_lie() {
    with_deadline(400, || {
        // The standard library may panic when it sees that the order is none.
        let hook = panic::take_hook();
        panic::set_hook(Box::new(|_| {}));
        let failure = lying_comparisons();
        panic::set_hook(hook);
        if let Err(payload) = failure {
            panic::resume_unwind(payload);
        }
    });
}

fn lying_comparisons() -> Result<(), support::Payload> {
    let seed = AtomicU64::new(1);
    let random = |_: u64, _: u64| {
        let x = Rng(seed.fetch_add(1, Ordering::Relaxed)).below(3);
        [Order::Less, Order::Equal, Order::Greater][x as usize]
    };
    let always_less = |_: u64, _: u64| Order::Less;
    let always_greater = |_: u64, _: u64| Order::Greater;
    let circle = |a: u64, b: u64| (a % 3).cmp(&((b + 1) % 3));
    let sometimes = |a: u64, b: u64| {
        if Rng(seed.fetch_add(1, Ordering::Relaxed)).one_in(50) { b.cmp(&a) } else { a.cmp(&b) }
    };
    let liars: [(&str, Compare<'_>); 5] = [
        ("random", &random),
        ("always less", &always_less),
        ("always greater", &always_greater),
        ("circle", &circle),
        ("sometimes", &sometimes),
    ];
    panic::catch_unwind(AssertUnwindSafe(|| {
        for workers in POOLS {
            let pool = pool(workers);
            for (name, op) in operations() {
                for (liar, compare) in &liars {
                    for shape in ["random", "sorted", "few distinct", "organ pipe", "saw teeth"] {
                        let what = format!("{name} of {shape}, {workers} workers, {liar}");
                        // With this liar the standard library's selection, which is the last resort, is quadratic.
                        let quadratic = *liar == "always less" && name.starts_with("par_select");
                        if quadratic && (shape != "random" || !cfg!(debug_assertions)) {
                            continue;
                        }
                        note(what.clone());
                        let drops = Drops::default();
                        let mut v = tracked(&pattern(shape, LONG, &mut Rng(5)), &drops);
                        let _ = panic::catch_unwind(AssertUnwindSafe(|| pool.install(|| op(&mut v, compare))));
                        assert_permutation(&v, &what);
                        drop(v);
                        assert_eq!(drops.dropped(), LONG, "{what}");
                    }
                }
            }
        }
    }))
}

#[test]
fn cached_keys_that_panic() {
    with_deadline(120, || {
        for workers in POOLS {
            let pool = pool(workers);
            for at in [0, 1, LONG / 3, LONG - 1] {
                let (drops, keys) = (Drops::default(), Drops::default());
                let mut v = tracked(&pattern("random", LONG, &mut Rng(9)), &drops);
                let failed = catch(|| {
                    pool.install(|| {
                        v.par_sort_by_cached_key(|x| {
                            if x.id == at {
                                plan(3);
                            }
                            Key(x.key, Mutex::new(Some(keys.token())))
                        });
                    });
                });
                assert_eq!(failed, Err(3));
                assert!(v.iter().enumerate().all(|(i, x)| x.id == i), "nothing has been moved");
                keys.assert_all_dropped("keys");
                drop(v);
                assert_eq!(drops.dropped(), LONG);
            }
        }
    });
}

struct Key(u64, #[allow(dead_code)] Mutex<Option<Token>>);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.0 == other.0
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Order {
        self.0.cmp(&other.0)
    }
}

// ----- elements that may not be shared ---------------------------------------------------------------------------

/// `Send` and not `Sync`: compared by one thread at a time, and what a comparison changes is not lost.
struct Private {
    key: u64,
    compared: Cell<usize>,
    text: Cell<Box<usize>>,
    busy: AtomicBool,
}

impl Private {
    fn touch(&self) {
        assert!(!self.busy.swap(true, Ordering::Relaxed), "two threads have references to one element");
        self.compared.set(self.compared.get() + 1);
        self.text.set(Box::new(self.compared.get()));
    }

    fn leave(&self) {
        self.busy.store(false, Ordering::Relaxed);
    }
}

#[test]
fn elements_are_compared_by_one_thread_at_a_time() {
    fn compare(a: &Private, b: &Private) -> Order {
        if std::ptr::eq(a, b) {
            return Order::Equal;
        }
        a.touch();
        b.touch();
        let order = a.key.cmp(&b.key);
        a.leave();
        b.leave();
        order
    }
    type Operation = fn(&mut [Private], &AtomicUsize);
    let operations: [(&str, Operation); 4] = [
        ("sort", |v, calls| v.par_sort_by(|a, b| counted(a, b, calls))),
        ("unstable", |v, calls| v.par_sort_unstable_by(|a, b| counted(a, b, calls))),
        ("select", |v, calls| {
            v.par_select_nth_unstable_by(v.len() / 2, |a, b| counted(a, b, calls));
        }),
        ("merge", |v, calls| {
            let mid = v.len() / 2;
            v[..mid].sort_by_key(|x| x.key);
            v[mid..].sort_by_key(|x| x.key);
            v.par_merge_by(mid, |a, b| counted(a, b, calls));
        }),
    ];
    fn counted(a: &Private, b: &Private, calls: &AtomicUsize) -> Order {
        calls.fetch_add(usize::from(!std::ptr::eq(a, b)), Ordering::Relaxed);
        compare(a, b)
    }
    in_pools(200, move |workers| {
        for shape in PATTERNS {
            for (name, op) in operations {
                let make = |key| Private { key, compared: Cell::new(0), text: Cell::default(), busy: false.into() };
                let mut v: Vec<_> = pattern(shape, LONG, &mut Rng(2)).into_iter().map(make).collect();
                let calls = AtomicUsize::new(0);
                op(&mut v, &calls);
                let compared: usize = v.iter().map(|x| x.compared.get()).sum();
                assert_eq!(compared, 2 * calls.into_inner(), "{name} of {shape}, {workers} workers");
                assert!(v.iter().all(|x| *x.text.take() == x.compared.get()));
            }
        }
    });
}
