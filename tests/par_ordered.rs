//! What filch's parallel iterators have beyond rayon's, where it has to do with order: fixed trees, running totals, and
//! results that go to one place.

mod support;

use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use filch::prelude::*;
use support::{Drops, Planned, Rng, Token, catch, lock, note, plan, pool, spin, with_deadline};

const LENS: [usize; 12] = [0, 1, 2, 3, 77, 511, 512, 513, 1000, 1025, 5000, 100_001];
const WORKERS: [usize; 4] = [1, 2, 4, 8];

fn in_pools(body: impl Fn(usize) + Send + Sync + 'static) {
    with_deadline(120, move || {
        for workers in WORKERS {
            note(format!("{workers} workers"));
            pool(workers).install(|| body(workers));
        }
    });
}

// ----- deterministic -------------------------------------------------------------------------------------------------

/// The tree that the documentation describes.
fn tree<T: Copy>(items: &[T], op: impl Fn(T, T) -> T) -> Option<T> {
    let mut level: Vec<T> = items.chunks(512).map(|leaf| leaf.iter().copied().reduce(&op).unwrap()).collect();
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| pair.iter().copied().reduce(&op).unwrap()).collect();
    }
    level.pop()
}

fn awkward_numbers(len: usize) -> Vec<f64> {
    let mut rng = Rng(len as u64);
    let mut number = || (rng.next() as f64 / u64::MAX as f64 - 0.5) * 10f64.powi(rng.below(30) as i32 - 15);
    (0..len).map(|_| number()).collect()
}

#[test]
fn sums_are_those_of_the_tree_bit_by_bit() {
    in_pools(|_| {
        for len in LENS {
            let numbers = awkward_numbers(len);
            let expected = tree(&numbers, |a, b| a + b).unwrap_or_else(|| std::iter::empty::<f64>().sum());
            for _ in 0..if len > 10_000 { 3 } else { 20 } {
                let sum: f64 = numbers.par_iter().sum_deterministic();
                assert_eq!(sum.to_bits(), expected.to_bits(), "{len} numbers");
                let sum: f64 = numbers.par_iter().map(|x| 1.0 * x).sum_deterministic();
                assert_eq!(sum.to_bits(), expected.to_bits(), "{len} numbers");
            }
        }
    });
}

/// Its sum over an iterator is not what adding one after another gives.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Calls(u64);

impl std::iter::Sum<u64> for Calls {
    fn sum<I: Iterator<Item = u64>>(items: I) -> Self {
        let (count, sum) = items.fold((0, 0u64), |(count, sum), item| (count + 1, sum.wrapping_mul(7) ^ item));
        Calls(sum.wrapping_mul(0x9e37_79b9) ^ count)
    }
}

impl std::iter::Sum for Calls {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Calls(1), |a, b| Calls(a.0.wrapping_mul(31).rotate_left(3) ^ b.0))
    }
}

#[test]
fn each_leaf_is_one_call_of_sum() {
    in_pools(|_| {
        for len in LENS {
            let leaves = (0..len).collect::<Vec<usize>>();
            let mut level: Vec<Calls> = leaves.chunks(512).map(|leaf| leaf.iter().map(|i| *i as u64).sum()).collect();
            while level.len() > 1 {
                let join = |pair: &[Calls]| if pair.len() == 2 { pair.iter().copied().sum() } else { pair[0] };
                level = level.chunks(2).map(join).collect();
            }
            let expected = level.pop().unwrap_or_else(|| std::iter::empty::<u64>().sum());
            let slow = |i: usize| {
                if i % 700 == 0 {
                    spin(Duration::from_micros(30));
                }
                i as u64
            };
            for _ in 0..3 {
                let sum: Calls = (0..len).into_par_iter().map(slow).sum_deterministic();
                assert_eq!(sum, expected, "{len} items");
            }
        }
    });
}

#[test]
fn products_are_those_of_the_tree() {
    in_pools(|_| {
        for len in LENS {
            let numbers: Vec<f64> = awkward_numbers(len).into_iter().map(|x| 1.0 + (x % 0.001)).collect();
            let expected = tree(&numbers, |a, b| a * b).unwrap_or(1.0);
            let product: f64 = numbers.par_iter().product_deterministic();
            assert_eq!(product.to_bits(), expected.to_bits(), "{len} numbers");
        }
    });
}

#[test]
fn any_operation_is_applied_along_the_tree_however_the_loop_is_cut() {
    let odd = |a: u64, b: u64| a.wrapping_mul(0x9e37_79b9).rotate_left(7) ^ b;
    in_pools(move |_| {
        for len in [0, 1, 5, 100, 1500, 4096, 10_000] {
            let numbers: Vec<u64> = (0..len).map(|i| i * i + 1).collect();
            let expected = tree(&numbers, odd).unwrap_or(42);
            for slow_at in [0, 7, 1023, 3000] {
                let result = (0..len as usize)
                    .into_par_iter()
                    .map(|i| {
                        // So that pieces begin anywhere.
                        if i >= slow_at && i < slow_at + 50 {
                            spin(Duration::from_micros(40));
                        }
                        numbers[i]
                    })
                    .reduce_deterministic(|| 42, odd);
                assert_eq!(result, expected, "{len} items, slow at {slow_at}");
            }
        }
    });
}

#[test]
fn few_slow_items_are_still_shared() {
    with_deadline(60, || {
        let threads = Mutex::new(std::collections::HashSet::new());
        pool(4).install(|| {
            let sum: u64 = (0..64usize)
                .into_par_iter()
                .map(|_| {
                    spin(Duration::from_millis(2));
                    lock(&threads).insert(filch::current_thread_index());
                    1u64
                })
                .sum_deterministic();
            assert_eq!(sum, 64);
        });
        assert!(lock(&threads).len() > 1, "one thread has run them all");
    });
}

#[test]
fn deterministic_reduction_drops_what_a_panic_leaves() {
    in_pools(|_| {
        for at in [0, 1, 511, 1024, 2999] {
            let drops = Drops::default();
            let outcome = catch(|| {
                let last = (0..3000usize).into_par_iter().map(|i| (drops.token(), i)).reduce_deterministic(
                    || unreachable!(),
                    |left: (Token, usize), right| {
                        if right.1 == at || (at == 0 && right.1 == 1) {
                            plan(9);
                        }
                        drop(left);
                        right
                    },
                );
                last.1
            });
            // The first item of a leaf is never on the right but between leaves.
            assert_eq!(outcome, if at == 1024 { Ok(2999) } else { Err(9) }, "at {at}");
            drops.assert_all_dropped("items");
        }
        let units: () = (0..5000usize).into_par_iter().map(drop).reduce_deterministic(|| (), |(), ()| ());
        assert_eq!(units, ());
    });
}

// ----- scans ---------------------------------------------------------------------------------------------------------

/// Affine maps, composed: associative, but not commutative.
fn compose(a: &(u64, u64), b: &(u64, u64)) -> (u64, u64) {
    (a.0.wrapping_mul(b.0), a.1.wrapping_mul(b.0).wrapping_add(b.1))
}

fn slow_compose(a: &(u64, u64), b: &(u64, u64)) -> (u64, u64) {
    spin(Duration::from_micros(1));
    compose(a, b)
}

fn maps(len: usize) -> Vec<(u64, u64)> {
    let mut rng = Rng(7);
    (0..len).map(|_| (rng.next() | 1, rng.next())).collect()
}

fn inclusive<T: Clone>(items: &[T], op: impl Fn(&T, &T) -> T) -> Vec<T> {
    let mut totals: Vec<T> = Vec::new();
    for item in items {
        let total = totals.last().map_or_else(|| item.clone(), |before| op(before, item));
        totals.push(total);
    }
    totals
}

fn exclusive<T: Clone>(items: &[T], init: T, op: impl Fn(&T, &T) -> T) -> Vec<T> {
    let mut totals = Vec::new();
    let mut total = init;
    for item in items {
        let next = op(&total, item);
        totals.push(total);
        total = next;
    }
    totals
}

#[test]
fn scans_are_those_of_a_plain_loop() {
    in_pools(|_| {
        for len in LENS.into_iter().chain([10, 33, 20_000, 300_000]) {
            let items = maps(len);
            let init = (3, 5);
            let (with, without) = (inclusive(&items, compose), exclusive(&items, init, compose));
            assert_eq!(items.par_iter().copied_for_test().inclusive_scan(compose), with, "{len}");
            assert_eq!(items.par_iter().copied_for_test().exclusive_scan(init, compose), without, "{len}");
            if len <= 5000 {
                // Slow enough to be cut.
                assert_eq!(items.par_iter().copied_for_test().inclusive_scan(slow_compose), with, "{len}");
                assert_eq!(items.par_iter().copied_for_test().exclusive_scan(init, slow_compose), without, "{len}");
            }
        }
    });
}

#[test]
fn scans_in_place_are_those_of_a_plain_loop() {
    in_pools(|workers| {
        let mut rng = Rng(workers as u64 + 1);
        for round in 0..60 {
            let len = match round {
                0..10 => round,
                10 => 300_000,
                _ => rng.below(40_000) as usize,
            };
            let items = maps(len);
            let init = (rng.next() | 1, rng.next());
            let mut totals = items.clone();
            totals.par_inclusive_scan(compose);
            assert_eq!(totals, inclusive(&items, compose), "{len}");
            totals.clone_from(&items);
            let all = totals.par_exclusive_scan(init, compose);
            assert_eq!(totals, exclusive(&items, init, compose), "{len}");
            assert_eq!(all, items.iter().fold(init, |total, item| compose(&total, item)), "{len}");
            if len <= 5000 {
                // Slow enough to be cut.
                totals.clone_from(&items);
                totals.par_inclusive_scan(slow_compose);
                assert_eq!(totals, inclusive(&items, compose), "{len}");
                totals.clone_from(&items);
                assert_eq!(totals.par_exclusive_scan(init, slow_compose), all, "{len}");
                assert_eq!(totals, exclusive(&items, init, compose), "{len}");
            }
        }
    });
}

/// `copied`, by what is there in any case.
trait CopiedForTest: Sized {
    type Out: IndexedParallelIterator;
    fn copied_for_test(self) -> Self::Out;
}

impl<'a, T: Copy + Send + Sync + 'a, I: IndexedParallelIterator<Item = &'a T>> CopiedForTest for I {
    type Out = filch::iter::Map<I, fn(&'a T) -> T>;

    fn copied_for_test(self) -> Self::Out {
        self.map(|item: &'a T| *item)
    }
}

#[test]
fn scans_into_a_vector_use_its_memory() {
    in_pools(|_| {
        let mut totals: Vec<u64> = Vec::with_capacity(1000);
        let memory = totals.as_ptr();
        for len in [1000, 10, 0, 999] {
            let items: Vec<u64> = (0..len).collect();
            items.par_iter().copied_for_test().inclusive_scan_into_vec(&mut totals, |a, b| a + b);
            assert_eq!(totals, inclusive(&items, |a, b| a + b));
            items.par_iter().copied_for_test().exclusive_scan_into_vec(&mut totals, 9, |a, b| a + b);
            assert_eq!(totals, exclusive(&items, 9, |a, b| a + b));
        }
        assert_eq!(totals.as_ptr(), memory);
    });
}

#[test]
fn scans_need_no_clone_and_leave_nothing_behind() {
    struct Held(usize, #[allow(dead_code)] Token);
    in_pools(|workers| {
        for len in [0, 1, 2, 3, 700] {
            for at in [None, Some(1), Some(50), Some(699)] {
                let (drops, calls) = (Drops::default(), AtomicUsize::new(0));
                let op = |a: &Held, b: &Held| {
                    spin(Duration::from_micros(1));
                    if Some(calls.fetch_add(1, Ordering::Relaxed)) == at {
                        plan(5);
                    }
                    Held(a.0 + b.0, drops.token())
                };
                let ones = || (0..len).into_par_iter().map(|_| Held(1, drops.token()));
                let totals = catch(|| ones().inclusive_scan(op));
                // In parallel up to twice.
                let called = calls.swap(0, Ordering::Relaxed);
                assert!(called < 2 * len.max(1), "{called} for {len}");
                if workers == 1 && at.is_none() {
                    assert_eq!(called, len.saturating_sub(1));
                }
                match totals {
                    Ok(totals) => assert!(totals.iter().map(|held| held.0).eq(1..len + 1)),
                    Err(id) => assert_eq!((id, at.is_some()), (5, true)),
                }
                let totals = catch(|| ones().exclusive_scan(Held(10, drops.token()), op));
                match totals {
                    Ok(totals) => assert!(totals.iter().map(|held| held.0).eq(10..len + 10)),
                    Err(id) => assert_eq!((id, at.is_some()), (5, true)),
                }
                drops.assert_all_dropped("items and totals");
                let mut held: Vec<Held> = ones().collect();
                if catch(|| held.par_inclusive_scan(op)).is_ok() {
                    assert!(held.iter().map(|held| held.0).eq(1..len + 1));
                }
                assert_eq!(held.len(), len);
                drop(held);
                let mut held: Vec<Held> = ones().collect();
                if let Ok(all) = catch(|| held.par_exclusive_scan(Held(10, drops.token()), op)) {
                    assert_eq!(all.0, len + 10);
                    assert!(held.iter().map(|held| held.0).eq(10..len + 10));
                }
                assert_eq!(held.len(), len);
                drop(held);
                drops.assert_all_dropped("items and totals in place");
            }
        }
        assert_eq!((0..5000usize).into_par_iter().map(drop).inclusive_scan(|(), ()| ()).len(), 5000);
    });
}

// ----- for_each_ordered ----------------------------------------------------------------------------------------------

#[test]
fn the_sink_gets_all_items_in_order() {
    in_pools(|_| {
        for len in LENS {
            let mut got = Vec::new();
            (0..len).into_par_iter().map(|i| i * 2).for_each_ordered(|i| got.push(i));
            assert!(got.iter().copied().eq((0..len).map(|i| i * 2)));
            let mut got = Vec::new();
            (0..len).par_map_ordered(|i| i * 2, |i| got.push(i));
            assert!(got.iter().copied().eq((0..len).map(|i| i * 2)));
        }
        let mut got = 0;
        (0..500usize).into_par_iter().for_each_ordered(|i| {
            if i % 50 == 0 {
                spin(Duration::from_micros(200));
            }
            assert_eq!(i, got);
            got += 1;
        });
        assert_eq!(got, 500);
    });
}

#[test]
fn memory_is_bounded() {
    in_pools(|_| {
        for slow in [false, true] {
            let len = if slow { 2000 } else { 100_000 };
            let (alive, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let make = |i: usize| {
                if slow {
                    spin(Duration::from_micros(100));
                }
                most.fetch_max(alive.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
                i
            };
            (0..len).into_par_iter().map(make).for_each_ordered(|_| {
                alive.fetch_sub(1, Ordering::Relaxed);
            });
            let indexed = most.swap(0, Ordering::Relaxed);
            (0..len).par_map_ordered(make, |_| {
                alive.fetch_sub(1, Ordering::Relaxed);
            });
            let bridged = most.load(Ordering::Relaxed);
            let limit = if slow { 1000 } else { 2 * 8192 };
            assert!(indexed <= limit && bridged <= limit, "{indexed}, {bridged}");
            assert_eq!(alive.load(Ordering::Relaxed), 0);
        }
    });
}

#[test]
fn an_iterator_is_not_asked_far_ahead_nor_after_its_end() {
    in_pools(|_| {
        let (taken, sunk, ahead) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let mut ended = false;
        let iter = std::iter::from_fn(|| {
            assert!(!ended, "asked after the end");
            let n = taken.fetch_add(1, Ordering::Relaxed);
            ahead.fetch_max(n - sunk.load(Ordering::Relaxed).min(n), Ordering::Relaxed);
            ended = n == 100_000;
            (!ended).then_some(n)
        });
        iter.par_map_ordered(
            |n| n,
            |_| {
                sunk.fetch_add(1, Ordering::Relaxed);
            },
        );
        assert_eq!(sunk.into_inner(), 100_000);
        let ahead = ahead.into_inner();
        assert!(ahead <= 3 * 8192, "{ahead}");
    });
}

#[test]
fn loops_inside_of_the_map_and_of_the_sink() {
    in_pools(|_| {
        let inner = |n: usize| -> usize { (0..n).into_par_iter().map(|i| i + 1).sum() };
        let mut total = 0;
        (0..300usize).into_par_iter().map(inner).for_each_ordered(|sum| {
            (0..10usize).into_par_iter().for_each_ordered(|i| total += inner(i) + sum);
        });
        let expected: usize = (0..300).map(|n| (0..10).map(|i| i * (i + 1) / 2 + n * (n + 1) / 2).sum::<usize>()).sum();
        assert_eq!(total, expected);
        let mut total = 0;
        (0..300usize).map(inner).par_map_ordered(
            |sum| {
                let mut copy = 0;
                (0..3).par_map_ordered(|_| filch::join(|| (), || sum).1, |sum| copy = sum);
                copy
            },
            |sum| (0..10).par_map_ordered(inner, |inner| total += inner + sum),
        );
        assert_eq!(total, expected);
    });
}

#[test]
fn panics_in_the_map_in_the_sink_and_in_the_iterator() {
    in_pools(|_| {
        for at in [0, 1, 33, 2999] {
            for place in 0..3 {
                let (drops, sunk) = (Drops::default(), Mutex::new(Vec::new()));
                let panics = |here: usize, i: usize| {
                    if here == place && i == at {
                        plan(4);
                    }
                };
                let make = |i: usize| {
                    panics(0, i);
                    (i, drops.token())
                };
                let sink = |(i, token): (usize, Token)| {
                    panics(1, i);
                    drop(token);
                    lock(&sunk).push(i);
                };
                let check = |outcome: Result<(), u64>| {
                    assert_eq!(outcome, Err(4));
                    let sunk = std::mem::take(&mut *lock(&sunk));
                    assert!(sunk.iter().copied().eq(0..sunk.len()) && sunk.len() <= at, "{sunk:?}");
                    assert!(place != 1 || sunk.len() == at, "the sink gets all up to its panic");
                    drops.assert_all_dropped("items");
                };
                if place < 2 {
                    check(catch(|| (0..3000usize).into_par_iter().map(make).for_each_ordered(sink)));
                }
                let iter = (0..3000usize).inspect(|i| panics(2, *i));
                check(catch(|| iter.par_map_ordered(make, sink)));
            }
        }
    });
}

#[test]
fn a_sink_may_end_the_loop() {
    in_pools(|_| {
        for at in [0usize, 1, 33, 2999, 50_000, usize::MAX] {
            let (made, mut sunk) = (AtomicUsize::new(0), 0);
            let mut sink = |i: usize| {
                assert_eq!(i, sunk);
                sunk += 1;
                if i == at { ControlFlow::Break(Planned(i as u64)) } else { ControlFlow::Continue(()) }
            };
            let make = |i: usize| {
                made.fetch_add(1, Ordering::Relaxed);
                i
            };
            let expected =
                if at < 100_000 { ControlFlow::Break(Planned(at as u64)) } else { ControlFlow::Continue(()) };
            assert_eq!((0..100_000usize).into_par_iter().map(make).try_for_each_ordered(&mut sink), expected);
            assert!(made.swap(0, Ordering::Relaxed) <= at.saturating_add(2 * 8192));
            sunk = 0;
            let mut sink = |i: usize| {
                assert_eq!(i, sunk);
                sunk += 1;
                if i == at { Err(i) } else { Ok(()) }
            };
            assert_eq!((0..100_000usize).try_par_map_ordered(make, &mut sink).is_err(), at < 100_000);
            assert!(made.load(Ordering::Relaxed) <= at.saturating_add(2 * 8192));
        }
    });
}
