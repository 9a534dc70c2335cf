//! What a loop can run over yields what std's iterators do, each item once, whatever stops or panics.

#[path = "support/par.rs"]
mod par;
mod support;

use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::fmt::Debug;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use filch::iter::Either;
use filch::prelude::*;
use par::{cut_up, few, gather};
use support::{Drops, Token, catch, fib, lock, matrix, note, plan, pool, with_deadline};

const LENGTHS: [usize; 9] = [0, 1, 2, 3, 7, 64, 1000, 1001, 100_000];
const SHORT: [usize; 7] = [0, 1, 2, 3, 7, 100, 1001];

/// In pools of several sizes.
fn pools(check: impl Fn() + Send + Sync + 'static) {
    with_deadline(100, move || {
        for workers in [1, 2, 4, 8] {
            note(format!("{workers} workers"));
            pool(workers).install(&check);
        }
    });
}

/// An indexed iterator against a plain one: by the bridge, and by its producer, cut up.
fn same<I>(ours: impl Fn() -> I, std: impl IntoIterator<Item = I::Item>)
where
    I: IntoParallelIterator<Iter: IndexedParallelIterator>,
    I::Item: PartialEq + Debug,
{
    let std: Vec<_> = std.into_iter().collect();
    let iter = ours().into_par_iter();
    assert_eq!((iter.len(), iter.opt_len()), (std.len(), Some(std.len())));
    assert!(gather(iter) == std);
    let seeds = if std.len() > 2000 { 3 } else { 12 };
    for seed in 0..seeds {
        assert!(cut_up(ours(), seed) == std, "cut up by {seed}");
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}

// ----- slices --------------------------------------------------------------------------------------------------------

#[test]
fn slices_vectors_arrays() {
    pools(|| {
        for len in LENGTHS {
            let mut vec: Vec<usize> = (0..len).collect();
            same(|| &vec[..], &vec);
            same(|| &vec, &vec);
            same(|| vec.clone(), vec.clone());
            same(|| vec.clone().into_boxed_slice(), vec.clone());
            let mut boxed = vec.clone().into_boxed_slice();
            same(|| &boxed, &vec);
            boxed.par_iter_mut().for_each(|i| *i += 1);
            vec.par_iter_mut().for_each(|i| *i += 1);
            assert!(vec.iter().copied().eq(1..=len));
            assert_eq!(*boxed, *vec);
            // Items of no size.
            same(|| vec![(); len], vec![(); len]);
        }
        let mut array: [String; 40] = std::array::from_fn(|i| i.to_string());
        same(|| array.clone(), array.clone());
        same(|| &array, &array);
        array.par_iter_mut().for_each(|s| s.push('!'));
        assert_eq!(array[39], "39!");
        same(|| [0u8; 0], [0u8; 0]);
    });
}

#[test]
fn pieces_of_slices() {
    pools(|| {
        for len in SHORT {
            let vec: Vec<usize> = (0..len).collect();
            let mut ours = vec.clone();
            let mut std = vec.clone();
            for size in [1, 2, 3, 5, 100, 2000, usize::MAX] {
                same(|| vec.par_windows(size), vec.windows(size));
                same(|| vec.par_chunks(size), vec.chunks(size));
                same(|| vec.par_chunks_exact(size), vec.chunks_exact(size));
                same(|| vec.par_rchunks(size), vec.rchunks(size));
                same(|| vec.par_rchunks_exact(size), vec.rchunks_exact(size));
                assert_eq!(vec.par_chunks_exact(size).remainder(), vec.chunks_exact(size).remainder());
                assert_eq!(vec.par_rchunks_exact(size).remainder(), vec.rchunks_exact(size).remainder());
                assert_eq!(
                    ours.par_chunks_exact_mut(size).take_remainder(),
                    std.chunks_exact_mut(size).into_remainder()
                );
                assert_eq!(
                    ours.par_rchunks_exact_mut(size).into_remainder(),
                    std.rchunks_exact_mut(size).into_remainder()
                );
                for seed in 0..8 {
                    assert_eq!(cut_up(ours.par_chunks_mut(size), seed), std.chunks_mut(size).collect::<Vec<_>>());
                    assert_eq!(cut_up(ours.par_rchunks_mut(size), seed), std.rchunks_mut(size).collect::<Vec<_>>());
                    assert_eq!(
                        cut_up(ours.par_chunks_exact_mut(size), seed),
                        std.chunks_exact_mut(size).collect::<Vec<_>>()
                    );
                    assert_eq!(
                        cut_up(ours.par_rchunks_exact_mut(size), seed),
                        std.rchunks_exact_mut(size).collect::<Vec<_>>()
                    );
                }
            }
            same(|| vec.par_array_windows::<3>(), vec.windows(3).map(|w| <&[usize; 3]>::try_from(w).unwrap()));
        }
        // More pieces than fit, of nothing.
        let nothing = [(); usize::MAX];
        assert_eq!(nothing.par_chunks(usize::MAX - 1).len(), 2);
        assert_eq!(gather(nothing.par_chunks(usize::MAX - 1)).len(), 2);
        assert_eq!(gather(nothing.par_rchunks(usize::MAX - 1)).len(), 2);
    });
}

#[test]
fn pieces_that_must_have_a_size() {
    assert!(std::panic::catch_unwind(|| drop([1].par_chunks(0))).is_err());
    assert!(std::panic::catch_unwind(|| drop([1].par_rchunks_exact(0))).is_err());
    assert!(std::panic::catch_unwind(|| drop([1].par_chunks_mut(0))).is_err());
    assert!(std::panic::catch_unwind(|| [1].par_windows(0).len()).is_err());
    assert!(std::panic::catch_unwind(|| [1].par_array_windows::<0>().len()).is_err());
}

#[test]
fn slices_between_seams() {
    pools(|| {
        for len in [0, 1, 2, 3, 10, 1000, 30_000] {
            for every in [1, 2, 3, 50, 5000, 100_000] {
                let mut vec: Vec<usize> = (0..len).collect();
                let mut std = vec.clone();
                let sep = |i: &usize| i % every == every - 1;
                let run = |a: &usize, b: &usize| a / every == b / every;
                assert!(gather(vec.par_split(sep)) == vec.split(sep).collect::<Vec<_>>());
                assert!(gather(vec.par_split_inclusive(sep)) == vec.split_inclusive(sep).collect::<Vec<_>>());
                assert!(gather(vec.par_chunk_by(run)) == vec.chunk_by(run).collect::<Vec<_>>());
                assert!(gather(vec.par_split_mut(sep)) == std.split_mut(sep).collect::<Vec<_>>());
                assert!(gather(vec.par_split_inclusive_mut(sep)) == std.split_inclusive_mut(sep).collect::<Vec<_>>());
                assert!(gather(vec.par_chunk_by_mut(run)) == std.chunk_by_mut(run).collect::<Vec<_>>());
            }
        }
    });
}

// ----- items by value ----------------------------------------------------------------------------------------------

/// Items that are counted, by whoever may own them.
fn tokens(drops: &Drops, len: usize) -> Vec<Token> {
    (0..len).map(|_| drops.token()).collect()
}

/// All that can be done to an iterator that owns its items leaves none of them, and drops none twice.
fn dropped_once<I>(drops: &Drops, make: impl Fn(usize) -> I)
where
    I: IntoParallelIterator<Item = Token>,
{
    for len in [0, 1, 2, 3, 100, 1001] {
        drop(make(len).into_par_iter());
        make(len).into_par_iter().for_each(drop);
        assert_eq!(gather(make(len)).len(), len);
        assert!(few(make(len), 2).len() <= len);
        for at in [0, len / 2, len.saturating_sub(1)] {
            let count = AtomicUsize::new(0);
            let result = catch(|| {
                make(len).into_par_iter().for_each(|token| {
                    if count.fetch_add(1, Ordering::SeqCst) == at {
                        plan(9);
                    }
                    drop(token);
                });
            });
            assert_eq!(result, if len > 0 { Err(9) } else { Ok(()) });
        }
        assert_eq!(drops.made(), drops.dropped());
    }
}

/// The same by way of the producer.
fn dropped_once_cut_up<I>(drops: &Drops, make: impl Fn(usize) -> I)
where
    I: IntoParallelIterator<Item = Token, Iter: IndexedParallelIterator>,
{
    for seed in 0..20 {
        assert_eq!(cut_up(make(100), seed).len(), 100);
    }
    assert_eq!(drops.made(), drops.dropped());
    dropped_once(drops, make);
}

#[test]
fn owned_items_are_dropped_once() {
    matrix(|pool, drops, _| {
        pool.install(|| {
            dropped_once_cut_up(drops, |len| tokens(drops, len));
            dropped_once_cut_up(drops, |len| VecDeque::from(tokens(drops, len)));
            dropped_once(drops, |len| tokens(drops, len).into_iter().collect::<LinkedList<_>>());
            let item = |len: usize| (len > 0).then(|| drops.token());
            assert_eq!(gather(item(1)).len(), 1);
            drop(item(1).into_par_iter());
            let array: [Token; 33] = std::array::from_fn(|_| drops.token());
            assert_eq!(catch(|| array.into_par_iter().for_each(|_| plan(4))), Err(4));
            let array: [Token; 33] = std::array::from_fn(|_| drops.token());
            drop(array.into_par_iter());
            assert_eq!(cut_up(std::array::from_fn::<_, 33, _>(|_| drops.token()), 5).len(), 33);
            assert_eq!(drops.made(), drops.dropped());
        });
    });
}

/// A thing of no size whose drops are counted.
struct Nothing;

static NOTHINGS: AtomicUsize = AtomicUsize::new(0);

impl Drop for Nothing {
    fn drop(&mut self) {
        NOTHINGS.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn items_of_no_size_are_dropped_once() {
    let nothings = |len: usize| (0..len).map(|_| Nothing).collect::<Vec<_>>();
    with_deadline(60, move || {
        pool(4).install(|| {
            let mut expected = 0;
            for len in [0, 1, 2, 1000] {
                drop(gather(nothings(len)));
                drop(cut_up(nothings(len), 3));
                drop(nothings(len).into_par_iter());
                drop(few(nothings(len), 1));
                let mut vec = nothings(len);
                vec.par_drain(len / 3..len / 2).for_each(drop);
                assert_eq!(vec.len(), len - (len / 2 - len / 3));
                drop(vec);
                let result = catch(|| nothings(len).into_par_iter().for_each(|_| plan(2)));
                assert_eq!(result.is_err(), len > 0);
                expected += 6 * len;
                assert_eq!(NOTHINGS.load(Ordering::SeqCst), expected);
            }
        });
    });
}

#[test]
fn an_item_that_panics_when_dropped_does_not_keep_the_others() {
    struct Bad(Option<Token>, bool);
    impl Drop for Bad {
        fn drop(&mut self) {
            self.0.take();
            if self.1 {
                plan(3);
            }
        }
    }
    matrix(|pool, drops, _| {
        let items = || (0..50).map(|i| Bad(Some(drops.token()), i == 20)).collect::<Vec<_>>();
        assert_eq!(catch(|| pool.install(|| items().into_par_iter().for_each(drop))), Err(3));
        assert_eq!(catch(|| drop(items().into_par_iter())), Err(3));
        let mut vec = items();
        assert_eq!(catch(|| pool.install(|| drop(few(vec.par_drain(10..30), 0)))), Err(3));
        assert_eq!(vec.len(), 30);
    });
}

#[test]
fn drains_of_vectors_and_queues() {
    pools(|| {
        for len in [0, 1, 2, 10, 1001] {
            for (start, end) in [(0, len), (0, len / 2), (len / 2, len), (len / 3, len / 2), (len, len), (0, 0)] {
                let vec: Vec<String> = (0..len).map(|i| i.to_string()).collect();
                let left: Vec<String> = vec[..start].iter().chain(&vec[end..]).cloned().collect();
                let mut ours = vec.clone();
                let memory = ours.as_ptr();
                assert_eq!(gather(ours.par_drain(start..end)), vec[start..end]);
                assert_eq!((&ours, ours.as_ptr()), (&left, memory));
                // Not run.
                let mut ours = vec.clone();
                drop(ours.par_drain(start..end));
                assert_eq!(ours, left);
                // Stopped early, and by a panic.
                let mut ours = vec.clone();
                few(ours.par_drain(start..end), 1);
                assert_eq!(ours, left);
                let mut ours = vec.clone();
                let result = catch(|| ours.par_drain(start..end).for_each(|_| plan(1)));
                assert_eq!((result.is_err(), ours), (start < end, left.clone()));
                for turn in [0, len / 2, len] {
                    let mut queue: VecDeque<String> = vec.clone().into();
                    queue.rotate_left(turn);
                    let turned: Vec<String> = queue.iter().cloned().collect();
                    let left: Vec<String> = turned[..start].iter().chain(&turned[end..]).cloned().collect();
                    for seed in 0..4 {
                        let mut queue = queue.clone();
                        assert_eq!(cut_up(queue.par_drain(start..end), seed), turned[start..end]);
                        assert_eq!(queue, left);
                    }
                    let mut unused = queue.clone();
                    drop(unused.par_drain(start..end));
                    assert_eq!(unused, left);
                    let result = catch(|| queue.par_drain(start..end).for_each(|_| plan(1)));
                    assert_eq!((result.is_err(), queue), (start < end, left.into()));
                }
            }
        }
        let mut vec: Vec<i32> = (0..10).collect();
        assert_eq!(gather(vec.par_drain(..=3)), [0, 1, 2, 3]);
        use std::ops::Bound::{Excluded, Unbounded};
        assert_eq!(gather(vec.par_drain((Excluded(4), Unbounded))), [9]);
        assert_eq!(vec, [4, 5, 6, 7, 8]);
    });
    for (start, end) in [(0, 4), (4, 4), (2, 1)] {
        assert!(std::panic::catch_unwind(|| drop(vec![1, 2, 3].par_drain(start..end))).is_err());
    }
}

// ----- collections ---------------------------------------------------------------------------------------------------

#[test]
fn collections() {
    pools(|| {
        for len in SHORT {
            let vec: Vec<usize> = (0..len).collect();
            let mut queue: VecDeque<usize> = vec.clone().into();
            for _ in 0..2 {
                queue.rotate_left(len / 3);
                let turned: Vec<usize> = queue.iter().copied().collect();
                same(|| &queue, &queue);
                same(|| queue.clone(), turned.clone());
                for seed in 0..10 {
                    let mut copy = turned.clone();
                    assert_eq!(cut_up(&mut queue, seed), copy.iter_mut().collect::<Vec<_>>());
                }
            }
            queue.par_iter_mut().for_each(|i| *i *= 2);
            assert_eq!(queue.iter().sum::<usize>(), len * len.saturating_sub(1));

            let mut heap: BinaryHeap<usize> = vec.iter().copied().collect();
            same(|| &heap, &heap);
            same(|| heap.clone(), heap.clone().into_vec());
            drop(heap.clone().par_drain());
            let mut stopped = heap.clone();
            assert_eq!(catch(|| stopped.par_drain().for_each(|_| plan(1))).is_err(), len > 0);
            assert!(stopped.is_empty());
            let capacity = heap.capacity();
            assert_eq!(sorted(gather(heap.par_drain())), vec);
            assert_eq!((heap.len(), heap.capacity()), (0, capacity));

            let mut list: LinkedList<usize> = vec.iter().copied().collect();
            assert_eq!(gather(&list), vec.iter().collect::<Vec<_>>());
            list.par_iter_mut().for_each(|i| *i += 1);
            assert!(gather(list).into_iter().eq(1..=len));

            let set: BTreeSet<usize> = vec.iter().copied().collect();
            assert_eq!(gather(&set), vec.iter().collect::<Vec<_>>());
            assert_eq!(gather(set), vec);
            let mut map: BTreeMap<usize, usize> = vec.iter().map(|&i| (i, i)).collect();
            map.par_iter_mut().for_each(|(k, v)| *v += k);
            assert!(gather(&map).into_iter().all(|(k, v)| *v == 2 * k));
            assert_eq!(gather(map), vec.iter().map(|&i| (i, 2 * i)).collect::<Vec<_>>());

            let mut set: HashSet<usize> = vec.iter().copied().collect();
            assert_eq!(sorted(gather(&set)), vec.iter().collect::<Vec<_>>());
            assert_eq!(sorted(gather(set.clone())), vec);
            assert_eq!(sorted(gather(set.par_drain())), vec);
            assert!(set.is_empty());
            let mut map: HashMap<usize, usize> = vec.iter().map(|&i| (i, i)).collect();
            map.par_iter_mut().for_each(|(k, v)| *v += k);
            let doubled: Vec<_> = vec.iter().map(|&i| (i, 2 * i)).collect();
            assert_eq!(gather(&map).len(), len);
            assert_eq!(sorted(gather(map.clone())), doubled);
            assert_eq!(sorted(gather(map.par_drain())), doubled);
            assert!(map.is_empty());
        }
    });
}

#[test]
fn options_results_and_other_small_things() {
    pools(|| {
        let (mut some, none) = (Some(3), None::<i32>);
        same(|| some, [3]);
        same(|| none, []);
        same(|| &some, &[3]);
        some.par_iter_mut().for_each(|i| *i += 1);
        assert_eq!(some, Some(4));
        let (mut ok, err) = (Ok::<i32, String>(5), Err::<i32, String>("no".into()));
        same(|| ok.clone(), [5]);
        same(|| &ok, &[5]);
        same(|| &err, &[]);
        ok.par_iter_mut().for_each(|i| *i += 1);
        assert_eq!(ok, Ok(6));
        same(filch::iter::empty::<String>, []);
        same(|| filch::iter::once("one"), ["one"]);
        for len in LENGTHS {
            same(|| filch::iter::repeat_n(7u8, len), vec![7; len]);
            same(|| filch::iter::repeat(vec![1]).take(len.min(1001)), vec![vec![1]; len.min(1001)]);
        }
        assert_eq!(gather(few(filch::iter::repeat(1), 5)).first(), Some(&1));
        let left: Either<filch::range::Iter<usize>, filch::vec::IntoIter<usize>> = Either::Left((0..9).into_par_iter());
        same(|| left.clone(), 0..9);
        let right: Either<filch::range::Iter<usize>, _> = Either::Right(vec![4, 2].into_par_iter());
        same(|| right.clone(), [4, 2]);
    });
}

// ----- ranges --------------------------------------------------------------------------------------------------------

macro_rules! ranges {
    ($same:ident, $($int:ty)*) => {$(
        let (min, max) = (<$int>::MIN, <$int>::MAX);
        for (a, b) in [(0, 0), (0, 1), (3, 100), (5, 2), (min, min + 50), (max - 50, max), (max, max), (min, min)] {
            $same!(a..b);
            $same!(a..=b);
        }
    )*};
}

macro_rules! unordered {
    ($range:expr) => {
        let range = $range;
        assert_eq!(gather(range.clone()), range.clone().collect::<Vec<_>>());
        assert_eq!(range.clone().into_par_iter().opt_len(), Some(range.count()));
    };
}

macro_rules! ordered {
    ($range:expr) => {
        let range = $range;
        same(|| range.clone(), range.clone());
    };
}

#[test]
fn ranges_of_all_integers() {
    pools(|| {
        ranges! { unordered, u8 i8 u16 i16 u32 i32 u64 i64 usize isize u128 i128 }
        ranges! { ordered, u8 i8 u16 i16 }
        ordered! { i8::MIN..i8::MAX }
        ordered! { i8::MIN..=i8::MAX }
        ordered! { u8::MIN..=u8::MAX }
        ordered! { i16::MIN..=i16::MAX }
        ordered! { -3000i32..3000 }
        ordered! { -3000isize..3000 }
        ordered! { 0u32..100_000 }
        ordered! { 0usize..100_000 }
        // Iterated over already.
        let mut used = 0..=3u8;
        assert_eq!(used.by_ref().count(), 4);
        ordered! { used.clone() }
    });
}

#[test]
fn ranges_too_long_to_be_counted() {
    pools(|| {
        assert_eq!((0..u64::MAX).into_par_iter().opt_len(), Some(usize::MAX));
        assert_eq!((0..=u64::MAX).into_par_iter().opt_len(), None);
        assert_eq!((i64::MIN..=i64::MAX).into_par_iter().opt_len(), None);
        assert_eq!((0..u128::MAX).into_par_iter().opt_len(), None);
        assert_eq!((i128::MIN..=i128::MAX).into_par_iter().opt_len(), None);
        assert_eq!((0..1 + usize::MAX as u128).into_par_iter().opt_len(), None);
        // The first of each piece; those are all different, in order, and begin with the first of all.
        let firsts = few(0..=u64::MAX, 3);
        assert_eq!(firsts[..3], [0, 1, 2]);
        assert!(firsts.is_sorted_by(|a, b| a < b));
        let firsts = few(i128::MIN..=i128::MAX, 2);
        assert_eq!(firsts[0], i128::MIN);
        assert!(firsts.is_sorted_by(|a, b| a < b));
        let firsts = few(1..u128::MAX, 2);
        assert_eq!(firsts[0], 1);
        assert!(firsts.is_sorted_by(|a, b| a < b));
    });
}

#[test]
fn ranges_of_chars() {
    pools(|| {
        for (a, b) in [
            ('a', 'z'),
            ('z', 'a'),
            ('a', 'a'),
            ('\u{D7FE}', '\u{E000}'),
            ('\u{D7FE}', '\u{E002}'),
            ('\u{E000}', '\u{E010}'),
            ('\u{10FFF0}', char::MAX),
            ('\u{D700}', '\u{D7FF}'),
        ] {
            same(|| a..b, a..b);
            same(|| a..=b, a..=b);
        }
        assert_eq!(('\0'..=char::MAX).into_par_iter().len(), 0x11_0000 - 0x800);
    });
}

// ----- what is found on the way -------------------------------------------------------------------------------------

#[test]
fn split_covers_all() {
    pools(|| {
        let halves = |r: std::ops::Range<usize>| {
            let middle = r.start + r.len() / 2;
            if r.len() < 2 { (r, None) } else { (r.start..middle, Some(middle..r.end)) }
        };
        let parts = gather(filch::iter::split(0..1000, halves));
        assert!(parts.into_iter().flatten().eq(0..1000));
    });
}

/// Children of `n` in a tree of the numbers below `len`, of which some have none, some one, some many.
fn children(n: usize, len: usize, shape: usize) -> Vec<usize> {
    let range = match shape {
        0 => 2 * n + 1..2 * n + 3,
        1 => n + 1..n + 2,
        2 if n == 0 => 1..len,
        2 => 0..0,
        // A spine, each vertebra with one leaf.
        _ if n % 2 == 0 => n + 1..n + 3,
        _ => 0..0,
    };
    range.filter(|&child| child < len).collect()
}

fn serial(n: usize, len: usize, shape: usize, postfix: bool) -> Vec<usize> {
    // Without recursion: the spines are long.
    let mut out = Vec::new();
    let mut stack = vec![(n, false)];
    while let Some((n, open)) = stack.pop() {
        if open {
            out.push(n);
            continue;
        }
        if postfix {
            stack.push((n, true));
        } else {
            out.push(n);
        }
        stack.extend(children(n, len, shape).into_iter().rev().map(|child| (child, false)));
    }
    out
}

#[test]
fn trees() {
    pools(|| {
        for shape in 0..4 {
            for len in [1, 2, 3, 10, 1000, 20_000] {
                note(format!("shape {shape}, {len} nodes"));
                let calls = AtomicUsize::new(0);
                let kids = |&n: &usize| {
                    calls.fetch_add(1, Ordering::Relaxed);
                    children(n, len, shape)
                };
                assert!(gather(filch::iter::walk_tree_prefix(0, kids)) == serial(0, len, shape, false));
                assert!(gather(filch::iter::walk_tree_postfix(0, kids)) == serial(0, len, shape, true));
                assert!(sorted(gather(filch::iter::walk_tree(0, kids))).into_iter().eq(0..len));
                assert_eq!(calls.load(Ordering::Relaxed), 3 * len, "asked once for each node");
            }
        }
    });
}

#[test]
fn nodes_are_dropped_once() {
    matrix(|pool, drops, _| {
        pool.install(|| {
            let kids = |&(n, _): &(usize, Token)| {
                children(n, 500, 0).into_iter().map(|n| (n, drops.token())).collect::<Vec<_>>()
            };
            let seen = AtomicUsize::new(0);
            let stop = |(n, _): (usize, Token)| {
                if n == 300 && seen.fetch_add(1, Ordering::SeqCst) == 0 {
                    plan(1);
                }
            };
            assert_eq!(catch(|| filch::iter::walk_tree_prefix((0, drops.token()), kids).for_each(stop)), Err(1));
            drop(few(filch::iter::walk_tree_postfix((0, drops.token()), kids), 1));
            drop(filch::iter::walk_tree((0, drops.token()), kids));
            assert_eq!(drops.made(), drops.dropped());
        });
    });
}

// ----- par_bridge ----------------------------------------------------------------------------------------------------

#[test]
fn bridged_iterators_yield_everything_once() {
    pools(|| {
        for len in LENGTHS {
            assert!(sorted(gather((0..len).filter(|_| true).par_bridge())).into_iter().eq(0..len));
        }
    });
}

#[test]
fn bridged_iterators_may_use_the_pool() {
    with_deadline(100, || {
        for policy in [filch::WaitPolicy::Leapfrog, filch::WaitPolicy::RunAnything] {
            for workers in [1, 2, 4] {
                let pool = filch::Pool::builder().workers(workers).wait_policy(policy).build().unwrap();
                for round in 0..30 {
                    note(format!("{policy:?}, {workers} workers, round {round}"));
                    let iter = (0..100u64).map(|i| {
                        if i % 8 == 0 {
                            filch::yield_now();
                        }
                        i + fib(9) - 34
                    });
                    let mut items = pool.install(|| {
                        let items = Mutex::new(Vec::new());
                        iter.par_bridge().for_each(|i| {
                            assert_eq!(fib(7), 13);
                            lock(&items).push(i);
                        });
                        items.into_inner().unwrap()
                    });
                    items.sort();
                    assert!(items.into_iter().eq(0..100), "round {round}");
                }
            }
        }
    });
}

#[test]
fn bridged_iterators_that_panic() {
    matrix(|pool, drops, _| {
        for at in [0, 1, 50, 99] {
            let after = AtomicUsize::new(0);
            let iter = (0..100).map(|i| {
                if i == at {
                    plan(6);
                }
                after.fetch_add(usize::from(i > at), Ordering::SeqCst);
                drops.token()
            });
            assert_eq!(catch(|| pool.install(|| iter.par_bridge().for_each(drop))), Err(6));
            assert_eq!(after.load(Ordering::SeqCst), 0, "asked on after it had panicked");
            // The consumer may panic too.
            let iter = (0..100).map(|i| (i, drops.token()));
            let result = catch(|| {
                pool.install(|| {
                    iter.par_bridge().for_each(|(i, _)| {
                        if i == at {
                            plan(7)
                        }
                    })
                })
            });
            assert_eq!(result, Err(7));
        }
    });
}

#[test]
fn a_bridged_iterator_is_not_asked_again_after_its_end() {
    struct Once(bool);
    impl Iterator for Once {
        type Item = u8;
        fn next(&mut self) -> Option<u8> {
            assert!(!std::mem::replace(&mut self.0, true), "asked after its end");
            None
        }
    }
    pools(|| assert!(gather(Once(false).par_bridge()).is_empty()));
}
