//! The terminal methods of parallel iterators, compared with those of plain ones; early ends, values that go along with
//! pieces, panics.

mod support;

use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use filch::iter::plumbing::{Consumer, Folder, Place};
use filch::prelude::*;

use support::{Drops, Rng, catch, ignore, note, plan, pool, spin, with_deadline};

const LENGTHS: [usize; 8] = [0, 1, 2, 3, 17, 999, 1000, 100_000];
const WORKERS: [usize; 4] = [1, 2, 4, 8];

/// In pools of several sizes, for several lengths.
fn for_lengths(lengths: &'static [usize], each: impl Fn(usize) + Send + Sync + 'static) {
    with_deadline(120, move || {
        for workers in WORKERS {
            let pool = pool(workers);
            for &len in lengths {
                note(format!("{workers} workers, {len} items"));
                pool.install(|| each(len));
            }
        }
    });
}

fn numbers(len: usize) -> impl IndexedParallelIterator<Item = usize> {
    (0..len).into_par_iter()
}

// ----- making one of many ------------------------------------------------------------------------------------------

#[test]
fn counts_sums_and_products() {
    for_lengths(&LENGTHS, |len| {
        assert_eq!(numbers(len).count(), len);
        let calls = AtomicUsize::new(0);
        assert_eq!(numbers(len).map(|_| calls.fetch_add(1, Ordering::Relaxed)).count(), len);
        assert_eq!(calls.into_inner(), len);
        assert_eq!(numbers(len).sum::<usize>(), (0..len).sum());
        let wrapping = |n: usize| std::num::Wrapping(n as u32 * 2 + 1);
        assert_eq!(numbers(len).map(wrapping).product::<std::num::Wrapping<u32>>(), (0..len).map(wrapping).product());
        let quarters: f64 = numbers(len).map(|n| n as f64 / 4.0).sum();
        assert_eq!(quarters, (0..len).map(|n| n as f64 / 4.0).sum::<f64>());
        let source: Vec<usize> = (0..len).collect();
        assert_eq!(source.par_iter().sum::<usize>(), source.iter().sum());
        let some: Option<usize> = numbers(len).map(|n| (n != 500).then_some(n)).sum();
        assert_eq!(some, (len <= 500).then(|| (0..len).sum()));
    });
}

#[test]
fn reductions_keep_the_order() {
    for_lengths(&[0, 1, 2, 3, 17, 1000, 5000], |len| {
        let expected: String = (0..len).map(|n| n.to_string()).collect();
        let strings = || numbers(len).map(|n| n.to_string());
        assert_eq!(strings().reduce(String::new, |a, b| a + &b), expected);
        assert_eq!(strings().reduce_with(|a, b| a + &b), (len > 0).then(|| expected.clone()));
        let joined = strings().map(Some).try_reduce(String::new, |a, b| Some(a + &b));
        assert_eq!(joined, Some(expected.clone()));
        let joined = strings().map(Ok::<_, ()>).try_reduce_with(|a, b| Ok(a + &b));
        assert_eq!(joined, (len > 0).then_some(Ok(expected)));
    });
}

#[test]
fn the_identity_is_asked_once_for_each_piece() {
    with_deadline(60, || {
        let calls = AtomicUsize::new(0);
        let identity = || usize::from(calls.fetch_add(1, Ordering::Relaxed) > 1000);
        assert_eq!(pool(1).install(|| numbers(0).reduce(identity, |a, b| a + b)), 0);
        assert_eq!(calls.into_inner(), 1);
    });
}

#[test]
fn extremes_and_equals() {
    for_lengths(&LENGTHS, |len| {
        // Few keys, so that there are many equals; the index tells which of them it is.
        let pair = |n: usize| (n * 7919 % 13, n);
        let plain = || (0..len).map(pair);
        let pairs = || numbers(len).map(pair);
        assert_eq!(pairs().min_by_key(|p| p.0), plain().min_by_key(|p| p.0));
        assert_eq!(pairs().max_by_key(|p| p.0), plain().max_by_key(|p| p.0));
        assert_eq!(pairs().min_by(|a, b| a.0.cmp(&b.0)), plain().min_by(|a, b| a.0.cmp(&b.0)));
        assert_eq!(pairs().max_by(|a, b| a.0.cmp(&b.0)), plain().max_by(|a, b| a.0.cmp(&b.0)));
        assert_eq!(pairs().min(), plain().min());
        assert_eq!(pairs().max(), plain().max());
        // Equal by `Ord`, though not the same.
        #[derive(Clone, Copy, Debug)]
        struct ByKey(usize, usize);
        impl PartialEq for ByKey {
            fn eq(&self, other: &Self) -> bool {
                self.0 == other.0
            }
        }
        impl Eq for ByKey {}
        impl PartialOrd for ByKey {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }
        impl Ord for ByKey {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.0.cmp(&other.0)
            }
        }
        let key = |n: usize| ByKey(pair(n).0, n);
        assert_eq!(numbers(len).map(key).min().map(|k| k.1), (0..len).map(key).min().map(|k| k.1));
        assert_eq!(numbers(len).map(key).max().map(|k| k.1), (0..len).map(key).max().map(|k| k.1));
    });
}

// ----- values that go along ----------------------------------------------------------------------------------------

/// May be sent, but not shared; counts how often it is there.
struct Alone(Cell<u64>, #[allow(dead_code)] support::Token, Drops); // The token is there to be dropped.

impl Clone for Alone {
    fn clone(&self) -> Self {
        Alone(self.0.clone(), self.2.token(), self.2.clone())
    }
}

#[test]
fn values_go_along_with_pieces() {
    for_lengths(&LENGTHS, |len| {
        let drops = Drops::default();
        let value = || Alone(Cell::new(5), drops.token(), drops.clone());
        let sum = AtomicUsize::new(0);
        let add = |value: &mut Alone, n: usize| {
            assert!(value.0.replace(n as u64 + 6) >= 5);
            sum.fetch_add(n, Ordering::Relaxed);
        };
        numbers(len).for_each_with(value(), add);
        let made = drops.made();
        // The first value, and a clone for each piece: no more than there are items, and one if there are none.
        assert!(made >= 2 && made <= len.max(1) + 1);
        numbers(len).for_each_init(value, add);
        let result = numbers(len).try_for_each_with(value(), |value, n| {
            add(value, n);
            Some(())
        });
        assert_eq!(result, Some(()));
        let result: Result<(), ()> = numbers(len).try_for_each_init(value, |value, n| {
            add(value, n);
            Ok(())
        });
        assert_eq!(result, Ok(()));
        assert_eq!(sum.into_inner(), 4 * (0..len).sum::<usize>());
        drops.assert_all_dropped("values and clones");
    });
}

// ----- early ends --------------------------------------------------------------------------------------------------

#[test]
fn the_first_failure_ends_the_loop() {
    for_lengths(&[1, 2, 3, 1000, 100_000], |len| {
        for bad in [0, len / 3, len - 1] {
            let calls = AtomicUsize::new(0);
            let fails = |n| {
                calls.fetch_add(1, Ordering::Relaxed);
                if n == bad { Err(n) } else { Ok(()) }
            };
            assert_eq!(numbers(len).try_for_each(fails), Err(bad));
            assert_eq!(numbers(len).try_for_each_with(0, |_, n| fails(n)), Err(bad));
            assert_eq!(numbers(len).try_for_each_init(|| 0, |_, n| fails(n)), Err(bad));
            let options = numbers(len).map(|n| (n != bad).then_some(1));
            assert_eq!(options.try_reduce(|| 0, |a, b| Some(a + b)), None);
            let flow = |n| if n == bad { ControlFlow::Break(n) } else { ControlFlow::Continue(()) };
            assert_eq!(numbers(len).try_for_each(flow), ControlFlow::Break(bad));
            // The operation may fail, too.
            let sum = numbers(len).map(Ok).try_reduce_with(|a, b| if b == bad { Err("bad") } else { Ok(a.max(b)) });
            assert!(sum == Some(Err("bad")) || bad == 0 || bad == len - 1 || len < 4, "{sum:?}");
        }
        let calls = AtomicUsize::new(0);
        let all_fail = |_| {
            calls.fetch_add(1, Ordering::Relaxed);
            None::<()>
        };
        assert_eq!(numbers(len).try_for_each(all_fail), None);
        assert!(calls.into_inner() <= len.min(100), "nothing is begun after a failure");
    });
}

#[test]
fn polls_may_fail() {
    for_lengths(&[0, 1, 1000], |len| {
        let polls = |bad| {
            numbers(len).map(move |n| match n {
                _ if n == bad => Poll::Ready(Err("bad")),
                _ => Poll::Ready(Ok(n)),
            })
        };
        let most = |a: Poll<usize>, b: Poll<usize>| a.map(|a| Ok(a.max(if let Poll::Ready(b) = b { b } else { 0 })));
        assert_eq!(polls(len).try_reduce(|| Poll::Ready(0), most), Poll::Ready(Ok(len.saturating_sub(1))));
        let bad = polls(len / 2).try_reduce(|| Poll::Ready(0), most);
        assert_eq!(bad == Poll::Ready(Err("bad")), len > 0);
        let streams = numbers(len).map(|n| if n == 7 { Poll::Ready(None) } else { Poll::Ready(Some(Ok::<_, ()>(n))) });
        let last = streams.try_reduce_with(|_, b| b.map(|item| item.map(Ok)));
        assert_eq!(last, len.checked_sub(1).map(|n| Poll::Ready(Some(Ok(n)))));
    });
}

#[test]
fn whatever_is_found() {
    for_lengths(&LENGTHS, |len| {
        for step in [1, 2, 3, 500, 99_999] {
            let hit = |n: &usize| *n > 0 && *n % step == 0;
            let plain = || (0..len).filter(hit);
            assert_eq!(numbers(len).find_any(hit).map(|n| hit(&n)), plain().next().map(|_| true));
            assert_eq!(numbers(len).find_first(hit), plain().next());
            assert_eq!(numbers(len).find_last(hit), plain().next_back());
            let text = |n: usize| hit(&n).then(|| n.to_string());
            assert_eq!(numbers(len).find_map_any(text).is_some(), plain().next().is_some());
            assert_eq!(numbers(len).find_map_first(text), plain().next().and_then(text));
            assert_eq!(numbers(len).find_map_last(text), plain().next_back().and_then(text));
            assert_eq!(numbers(len).any(|n| hit(&n)), (0..len).any(|n| hit(&n)));
            assert_eq!(numbers(len).all(|n| !hit(&n)), (0..len).all(|n| !hit(&n)));
        }
        #[allow(deprecated)]
        let found = numbers(len).find(|n| *n == 2);
        assert_eq!(found, (len > 2).then_some(2));
    });
}

#[test]
fn order_is_kept_however_long_items_take() {
    with_deadline(120, || {
        let pool = pool(8);
        let mut rng = Rng(1);
        for round in 0..40 {
            note(format!("round {round}"));
            let hits: Vec<bool> = (0..2000).map(|_| rng.one_in(300)).collect();
            let slow: Vec<bool> = (0..2000).map(|_| rng.one_in(100)).collect();
            let hit = |n: &usize| {
                if slow[*n] {
                    spin(Duration::from_micros(20));
                }
                hits[*n]
            };
            pool.install(|| {
                assert_eq!(numbers(2000).find_first(hit), hits.iter().position(|hit| *hit));
                assert_eq!(numbers(2000).find_last(hit), hits.iter().rposition(|hit| *hit));
            });
        }
    });
}

#[test]
fn what_cannot_be_better_is_not_looked_at() {
    with_deadline(60, || {
        for workers in WORKERS {
            pool(workers).install(|| {
                let calls = AtomicUsize::new(0);
                let hit = |_: &usize| calls.fetch_add(1, Ordering::Relaxed) < usize::MAX;
                let looked = |found: Option<usize>| (found, calls.swap(0, Ordering::Relaxed));
                // Everything is a hit. Whoever begins at the right end needs no other piece.
                assert_eq!(looked(AnyOrder([0, 1, 2]).find_first(hit)), (Some(0), 1));
                assert_eq!(looked(AnyOrder([2, 1, 0]).find_last(hit)), (Some(29), 10));
                // The other way round each piece is better than the one before.
                assert_eq!(looked(AnyOrder([2, 1, 0]).find_first(hit)), (Some(0), 3));
                assert_eq!(looked(AnyOrder([0, 1, 2]).find_last(hit)), (Some(29), 30));
                assert_eq!(looked(AnyOrder([1, 2, 0]).find_first(hit)), (Some(0), 2));
                assert_eq!(looked(AnyOrder([1, 0, 2]).find_last(hit)), (Some(29), 20));
            });
        }
    });
}

/// Three pieces of ten items in blocks of five, run in an order of one's own.
struct AnyOrder([usize; 3]);

impl ParallelIterator for AnyOrder {
    type Item = usize;

    fn drive<C: Consumer<usize>>(self, consumer: C, place: Place) -> C::Result {
        let (first, rest) = place.split();
        let (second, third) = rest.split();
        let mut places = [Some(first), Some(second), Some(third)];
        let mut results = [None, None, None];
        for piece in self.0 {
            let (front, back) = places[piece].take().expect("each piece is run once").split();
            let mut folder = consumer.into_folder(front);
            if !folder.full() {
                folder = folder.consume_iter(piece * 10..piece * 10 + 5);
                folder.advance(back);
            }
            if !folder.full() {
                folder = folder.consume_iter(piece * 10 + 5..piece * 10 + 10);
            }
            results[piece] = Some(folder.complete());
        }
        let [first, second, third] = results.map(|result| result.expect("each piece has been run"));
        consumer.reduce(consumer.reduce(first, second), third)
    }
}

// ----- panics ------------------------------------------------------------------------------------------------------

#[test]
fn panics_come_through() {
    with_deadline(120, || {
        for workers in WORKERS {
            let pool = pool(workers);
            for len in [1, 2, 1000] {
                for bad in [0, len / 2, len - 1] {
                    note(format!("{workers} workers, {bad} of {len}"));
                    let drops = Drops::default();
                    let token = |n| if n == bad { plan(n as u64) } else { drops.token() };
                    let tokens = || numbers(len).map(token);
                    let check = |end: &(dyn Fn() + Sync)| {
                        assert_eq!(catch(|| pool.install(end)), Err(bad as u64));
                        drops.assert_all_dropped("items and what was made of them");
                    };
                    check(&|| ignore(tokens().count()));
                    check(&|| tokens().for_each_with(drops.clone(), |drops, _| drop(drops.token())));
                    check(&|| tokens().for_each_init(|| drops.token(), |_, _| ()));
                    check(&|| ignore(tokens().try_for_each_init(|| drops.token(), |_, _| Some(()))));
                    check(&|| drop(tokens().reduce(|| drops.token(), |a, _| a)));
                    check(&|| drop(tokens().reduce_with(|_, b| b)));
                    check(&|| drop(tokens().map(Some).try_reduce_with(|_, b| Some(b))));
                    check(&|| drop(tokens().find_first(|_| false)));
                    check(&|| drop(tokens().find_last(|_| false)));
                    check(&|| drop(tokens().find_any(|_| false)));
                    check(&|| drop(tokens().min_by(|_, _| std::cmp::Ordering::Equal)));
                    check(&|| ignore(tokens().all(|_| true)));
                    assert_eq!(pool.install(|| numbers(10).sum::<usize>()), 45);
                }
            }
        }
    });
}
