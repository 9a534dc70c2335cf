//! Adapters of producers: `zip`, `chunks`, `rev` and so on, `chain`, tuples, comparisons and positions; against the
//! standard library's plain iterators, and against rayon where there is no such.

mod support;

use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use filch::iter::plumbing::{Consumer, Folder, Place, Producer, ProducerCallback};
use filch::prelude::*;
use support::{Drops, Rng, catch, plan, pool, with_deadline};

const LENS: [usize; 7] = [0, 1, 2, 3, 7, 64, 1001];

/// Runs `body` in pools of 1, 2, 4 and 8 workers.
fn in_pools(body: impl Fn(usize) + Send + Sync + 'static) {
    with_deadline(240, move || {
        for workers in [1, 2, 4, 8] {
            support::note(format!("{workers} workers"));
            pool(workers).install(|| body(workers));
        }
    });
}

// ----- a consumer that keeps the order, and shows the pieces -------------------------------------------------------

/// The items of each piece, the pieces in order.
#[derive(Clone, Copy)]
struct Pieces;

struct Piece<T>(Vec<T>);

impl<T: Send> Consumer<T> for Pieces {
    type Folder = Piece<T>;
    type Result = Vec<Vec<T>>;

    fn into_folder(self, _: Place) -> Piece<T> {
        Piece(Vec::new())
    }

    fn reduce(self, mut left: Vec<Vec<T>>, right: Vec<Vec<T>>) -> Vec<Vec<T>> {
        left.extend(right);
        left
    }
}

impl<T> Folder<T> for Piece<T> {
    type Result = Vec<Vec<T>>;

    fn consume(mut self, item: T) -> Self {
        self.0.push(item);
        self
    }

    fn complete(self) -> Vec<Vec<T>> {
        vec![self.0]
    }
}

fn pieces<I: ParallelIterator>(iter: I) -> Vec<Vec<I::Item>> {
    iter.drive(Pieces, Place::whole())
}

/// All items in order.
fn gather<I: ParallelIterator>(iter: I) -> Vec<I::Item> {
    pieces(iter).into_iter().flatten().collect()
}

/// Is full after an item for which `until` says yes.
struct Until<'u, F> {
    until: &'u F,
    full: &'u AtomicBool,
}

impl<F> Copy for Until<'_, F> {}

impl<F> Clone for Until<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, F: Fn(T) -> bool + Sync> Consumer<T> for Until<'_, F> {
    type Folder = Self;
    type Result = ();

    fn into_folder(self, _: Place) -> Self {
        self
    }

    fn reduce(self, (): (), (): ()) {}

    fn full(self) -> bool {
        self.full.load(SeqCst)
    }
}

impl<T, F: Fn(T) -> bool + Sync> Folder<T> for Until<'_, F> {
    type Result = ();

    fn consume(self, item: T) -> Self {
        if (self.until)(item) {
            self.full.store(true, SeqCst);
        }
        self
    }

    fn complete(self) {}

    fn full(&self) -> bool {
        self.full.load(SeqCst)
    }
}

// ----- a callback that splits a producer at random -----------------------------------------------------------------

struct Shatter {
    len: usize,
    rng: Rng,
}

impl<T: Send> ProducerCallback<T> for Shatter {
    type Output = Vec<T>;

    fn callback<P: Producer<Item = T>>(mut self, producer: P) -> Vec<T> {
        assert!(producer.min_len() >= 1 && producer.max_len() >= 1);
        let mut all = Vec::new();
        shatter(producer, self.len, 12, &mut self.rng, &mut all);
        all
    }
}

fn shatter<P: Producer<Item: Send>>(producer: P, len: usize, depth: u32, rng: &mut Rng, all: &mut Vec<P::Item>) {
    if depth > 0 && !rng.one_in(4) {
        let middle = rng.below(len as u64 + 1) as usize;
        let (left, right) = producer.split_at(middle);
        shatter(left, middle, depth - 1, rng, all);
        shatter(right, len - middle, depth - 1, rng, all);
        return;
    }
    if rng.one_in(4) {
        let piece = producer.fold_with(Piece(Vec::new())).0;
        assert_eq!(piece.len(), len, "by fold_with");
        all.extend(piece);
        return;
    }
    let mut iter = producer.into_iter();
    assert_eq!(iter.len(), len);
    match rng.below(5) {
        0 => all.extend(iter),
        1 => {
            let from = all.len();
            all.extend(iter.rev());
            all[from..].reverse();
        }
        2 => iter.for_each(|item| all.push(item)),
        3 => {
            // One from the front, and the rest as a fold.
            all.extend(iter.next());
            assert_eq!(iter.len(), len.saturating_sub(1));
            iter.for_each(|item| all.push(item));
        }
        _ => {
            let mut back = Vec::new();
            for left in (0..len).rev() {
                let item = if rng.one_in(2) {
                    iter.next().map(|item| all.push(item))
                } else {
                    iter.next_back().map(|item| back.push(item))
                };
                assert!(item.is_some());
                assert_eq!(iter.size_hint(), (left, Some(left)));
            }
            assert!(iter.next().is_none() && iter.next_back().is_none());
            all.extend(back.into_iter().rev());
        }
    }
}

/// Everything that can be done with an indexed iterator yields `expected`.
fn check<I>(what: &str, iter: I, expected: impl Iterator<Item = I::Item>)
where
    I: IndexedParallelIterator<Item: Clone + Debug + PartialEq + Sync> + Clone,
{
    let expected: Vec<I::Item> = expected.collect();
    let len = expected.len();
    assert_eq!((iter.len(), iter.opt_len()), (len, Some(len)), "{what}: the length");
    assert!(gather(iter.clone()) == expected, "{what}: the items");
    let pairs = gather(iter.clone().enumerate());
    assert!(pairs.iter().map(|(i, _)| *i).eq(0..len), "{what}: enumerated");
    assert!(pairs.into_iter().map(|(_, item)| item).eq(expected.iter().cloned()), "{what}: the items, enumerated");
    assert!(gather(iter.clone().rev()).into_iter().rev().eq(expected.iter().cloned()), "{what}: backwards");
    for at in [0, len / 3, len.saturating_sub(1)] {
        let wanted = expected.get(at).cloned();
        let first = expected.iter().position(|item| Some(item) == wanted.as_ref());
        assert_eq!(iter.clone().position_first(|item| Some(item) == wanted), first, "{what}: the first like {at}");
        let last = expected.iter().rposition(|item| Some(item) == wanted.as_ref());
        assert_eq!(iter.clone().position_last(|item| Some(item) == wanted), last, "{what}: the last like {at}");
    }
    for seed in 0..if len > 2000 { 1 } else { 5 } {
        let shattered = iter.clone().with_producer(Shatter { len, rng: Rng(seed) });
        assert!(shattered == expected, "{what}: split at random, seed {seed}");
    }
}

fn numbers(len: usize) -> filch::range::Iter<usize> {
    (0..len).into_par_iter()
}

/// Where to cut `len`.
fn cuts(len: usize) -> [usize; 8] {
    [1, 2, 3, 10, len / 2 + 1, len.max(1), len + 1, usize::MAX]
}

// ----- the adapters ------------------------------------------------------------------------------------------------

#[test]
fn zips() {
    in_pools(|_| {
        for len in LENS {
            for other in [0, 1, len / 2, len, len + 3] {
                let (a, b) = (0..len, 100..100 + other);
                check("zip", numbers(len).zip(b.clone()), a.clone().zip(b.clone()));
                let three = numbers(len).zip(b.clone()).zip(5..50_000);
                check("zip twice", three, a.zip(b).zip(5..50_000));
            }
            check("zip_eq", numbers(len).zip_eq(7..7 + len), (0..len).zip(7..));
        }
    });
}

#[test]
fn zips_write_through() {
    in_pools(|_| {
        for len in LENS {
            let (xs, mut sums) = ((0..len).collect::<Vec<_>>(), vec![1; len]);
            sums.par_iter_mut().zip(&xs).zip_eq(&xs).for_each(|((sum, x), y)| *sum += x + y);
            assert!(sums.into_iter().eq((0..len).map(|x| 2 * x + 1)));
        }
    });
}

/// By the definition: in turn, and the rest when one has run out.
fn interleaved(a: usize, b: usize, shortest: bool) -> Vec<usize> {
    let (mut a, mut b) = (0..a, 100_000..100_000 + b);
    let mut all = Vec::new();
    for a_next in [true, false].into_iter().cycle() {
        let (turn, other) = if a_next { (&mut a, &mut b) } else { (&mut b, &mut a) };
        match turn.next() {
            Some(item) => all.push(item),
            None => {
                if !shortest {
                    all.extend(other);
                }
                return all;
            }
        }
    }
    unreachable!()
}

#[test]
fn interleaves() {
    in_pools(|_| {
        for len in LENS {
            for other in [0, 1, 2, len / 2, len.saturating_sub(1), len, len + 1, 2 * len + 5] {
                let b = 100_000..100_000 + other;
                let all = interleaved(len, other, false);
                check("interleave", numbers(len).interleave(b.clone()), all.into_iter());
                let all = interleaved(len, other, true);
                check("interleave_shortest", numbers(len).interleave_shortest(b), all.into_iter());
            }
        }
    });
}

#[test]
fn chunks() {
    in_pools(|_| {
        for len in LENS {
            let all: Vec<usize> = (0..len).collect();
            for size in cuts(len) {
                let expected = || all.chunks(size);
                check("chunks", numbers(len).chunks(size), expected().map(<[usize]>::to_vec));
                let push = |mut chunk: Vec<usize>, x| {
                    chunk.push(x);
                    chunk
                };
                check("fold_chunks", numbers(len).fold_chunks(size, Vec::new, push), expected().map(<[usize]>::to_vec));
                let with = numbers(len).fold_chunks_with(size, vec![7], push);
                check("fold_chunks_with", with, expected().map(|chunk| [&[7], chunk].concat()));
            }
        }
    });
}

#[test]
fn fold_chunks_with_copies_its_beginning_once_a_chunk() {
    struct Counted<'c>(&'c AtomicUsize);
    impl Clone for Counted<'_> {
        fn clone(&self) -> Self {
            self.0.fetch_add(1, SeqCst);
            Counted(self.0)
        }
    }
    // `Send`, not `Sync`.
    struct Init<'c>(Counted<'c>, std::cell::Cell<usize>);
    impl Clone for Init<'_> {
        fn clone(&self) -> Self {
            Init(self.0.clone(), self.1.clone())
        }
    }
    in_pools(|_| {
        let copies = AtomicUsize::new(0);
        let init = Init(Counted(&copies), std::cell::Cell::new(3));
        let sums = numbers(1000).fold_chunks_with(10, init, |sum, x| {
            sum.1.set(sum.1.get() + x);
            sum
        });
        let sums = gather(sums.map(|sum| sum.1.get()));
        assert!(sums.into_iter().eq((0..100).map(|i| 3 + 100 * i + 45)));
        assert_eq!(copies.load(SeqCst), 99, "the last chunk gets the original");
    });
}

#[test]
fn steps_and_ends() {
    in_pools(|_| {
        for len in LENS {
            for n in cuts(len) {
                check("step_by", numbers(len).step_by(n), (0..len).step_by(n));
                for n in [n - 1, n] {
                    check("skip", numbers(len).skip(n), (0..len).skip(n));
                    check("take", numbers(len).take(n), (0..len).take(n));
                }
                check("skip and take", numbers(len).skip(n / 2).take(n), (0..len).skip(n / 2).take(n));
                check("take, rev, skip", numbers(len).take(n).rev().skip(1), (0..len).take(n).rev().skip(1));
                check("rev, step_by", numbers(len).rev().step_by(n), (0..len).rev().step_by(n));
                check(
                    "step_by, map, skip",
                    numbers(len).step_by(n).map(|x| x + 1).skip(2),
                    (1..len + 1).step_by(n).skip(2),
                );
            }
            check("rev", numbers(len).rev(), (0..len).rev());
            check("enumerate", numbers(len).rev().enumerate(), (0..len).rev().enumerate());
            check("enumerate, skip", numbers(len).enumerate().skip(3), (0..len).enumerate().skip(3));
            check("with_min_len", numbers(len).with_min_len(30), 0..len);
            check("with_max_len", numbers(len).with_max_len(30), 0..len);
        }
    });
}

#[test]
fn many_items() {
    in_pools(|_| {
        const N: usize = 100_000;
        let all = || numbers(N);
        check("zip", all().zip(all().rev()), (0..N).zip((0..N).rev()));
        check("interleave", all().interleave(100_000..100_003), interleaved(N, 3, false).into_iter());
        check("chunks", all().chunks(1000), (0..100).map(|i| (1000 * i..1000 * i + 1000).collect()));
        check("fold_chunks", all().fold_chunks(7, || 0, |n, _| n + 1), (0..N).step_by(7).map(|i| 7.min(N - i)));
        check("step_by", all().step_by(3).skip(5).take(20_000), (15..60_015).step_by(3));
        check("chain", all().chain(5..10), (0..N).chain(5..10));
        check("multizip", (all(), all().skip(1), all().skip(2)).into_par_iter(), (2..N).map(|i| (i - 2, i - 1, i)));
        assert!(gather(all().by_uniform_blocks(999)).into_iter().eq(0..N));
        assert!(gather(all().by_exponential_blocks()).into_iter().eq(0..N));
        assert_eq!(all().cmp(all().map(|i| i.min(77_777))), Ordering::Greater);
        assert!(all().eq(0..N) && all().ne(1..N + 1));
    });
}

#[test]
fn the_largest_ranges() {
    with_deadline(60, || {
        let all = numbers(usize::MAX);
        assert_eq!(gather(all.clone().step_by(usize::MAX - 1)), [0, usize::MAX - 1]);
        assert_eq!(gather(all.clone().step_by(usize::MAX)), [0]);
        assert_eq!(all.clone().chunks(usize::MAX - 1).len(), 2);
        assert_eq!(gather(all.clone().take(2).interleave_shortest(all.clone())), [0, 0, 1, 1]);
        assert_eq!(gather(all.clone().zip(all.clone()).rev().take(1)), [(usize::MAX - 1, usize::MAX - 1)]);
        assert_eq!(all.clone().chain(all.clone()).opt_len(), None);
        assert!(std::panic::catch_unwind(|| numbers(usize::MAX).chain(numbers(1)).len()).is_err());
        assert!(std::panic::catch_unwind(|| numbers(usize::MAX).interleave(numbers(1)).len()).is_err());
    });
}

#[test]
fn chains() {
    in_pools(|_| {
        for len in LENS {
            for other in [0, 1, len / 2, len, len + 3] {
                let b = 100_000..100_000 + other;
                check("chain", numbers(len).chain(b.clone()), (0..len).chain(b.clone()));
                let four = numbers(len).chain(b.clone()).chain(numbers(1).chain(b.clone()));
                check("chain of chains", four, (0..len).chain(b.clone()).chain(0..1).chain(b.clone()));
                let zipped = numbers(len).chain(b.clone()).zip(b.clone().into_par_iter().chain(0..len));
                check("zip of chains", zipped, (0..len).chain(b.clone()).zip(b.clone().chain(0..len)));
                let chunked = numbers(len).chain(b.clone()).chunks(3).map(|chunk| chunk.len());
                check("chunks of a chain", chunked, (0..len + other).step_by(3).map(|i| (len + other - i).min(3)));
                // What is not indexed keeps its order all the same.
                let uncounted = numbers(len).by_uniform_blocks(100).chain(b.clone());
                assert_eq!(uncounted.opt_len(), None);
                assert!(gather(uncounted.chain(0..7)).into_iter().eq((0..len).chain(b.clone()).chain(0..7)));
            }
        }
    });
}

#[test]
fn blocks_are_run_one_after_the_other() {
    in_pools(|workers| {
        for len in LENS {
            for size in cuts(len) {
                let blocks = numbers(len).by_uniform_blocks(size);
                assert_eq!(blocks.opt_len(), None);
                assert!(gather(blocks).into_iter().eq(0..len));
            }
            assert!(gather(numbers(len).by_exponential_blocks()).into_iter().eq(0..len));
            let done = AtomicUsize::new(0);
            let after = |begin: usize| {
                assert!(done.load(SeqCst) >= begin, "a block has begun before the one before it ended");
                done.fetch_add(1, SeqCst);
            };
            numbers(len).by_uniform_blocks(100).for_each(|i| after(i / 100 * 100));
            assert_eq!(done.swap(0, SeqCst), len);
            // They begin at 0, w, 3w, 7w ...
            let begin = |i: usize| ((1 << (i / workers + 1).ilog2()) - 1) * workers;
            numbers(len).by_exponential_blocks().for_each(|i| after(begin(i)));
            assert_eq!(done.load(SeqCst), len);
        }
    });
}

#[test]
fn no_block_follows_when_the_consumer_is_full() {
    in_pools(|workers| {
        let (full, most) = (AtomicBool::new(false), AtomicUsize::new(0));
        let until = |i: usize| {
            most.fetch_max(i, SeqCst);
            i == 1234
        };
        let consumer = Until { until: &until, full: &full };
        numbers(20_000).by_uniform_blocks(100).drive(consumer, Place::whole());
        assert!((1234..1300).contains(&most.load(SeqCst)), "{most:?}");
        full.store(false, SeqCst);
        most.store(0, SeqCst);
        numbers(20_000).by_exponential_blocks().drive(consumer, Place::whole());
        assert!((1234..2 * (1234 + workers)).contains(&most.load(SeqCst)), "{most:?}");
    });
}

// ----- what runs, and what is dropped --------------------------------------------------------------------------------

#[test]
fn skipped_items_are_made_and_those_behind_a_take_are_not() {
    in_pools(|_| {
        for len in LENS {
            for n in [0, 1, len / 2, len, len + 1] {
                let made = AtomicUsize::new(0);
                let counted = || numbers(len).map(|_| made.fetch_add(1, SeqCst));
                counted().skip(n).for_each(drop);
                assert_eq!(made.swap(0, SeqCst), len, "by skip");
                counted().skip(n).rev().for_each(drop);
                assert_eq!(made.swap(0, SeqCst), len, "by skip, as a producer");
                {
                    use rayon::prelude::*;
                    rayon::iter::IntoParallelIterator::into_par_iter(0..len)
                        .map(|_| made.fetch_add(1, SeqCst))
                        .skip(n)
                        .for_each(drop);
                    assert_eq!(made.swap(0, SeqCst), len, "by rayon's skip");
                }
                counted().take(n).for_each(drop);
                assert_eq!(made.swap(0, SeqCst), n.min(len), "by take");
            }
        }
    });
}

#[test]
fn everything_is_dropped_once() {
    in_pools(|_| {
        for (len, other) in [(1000, 700), (700, 1000), (1, 1000), (1000, 1)] {
            let drops = Drops::default();
            let a = || numbers(len).map(|_| drops.token());
            let b = || numbers(other).map(|_| drops.token());
            a().zip(b()).for_each(drop);
            a().zip(b()).rev().for_each(drop);
            a().interleave(b()).for_each(drop);
            a().interleave_shortest(b()).for_each(drop);
            a().chain(b()).for_each(drop);
            a().chain(b()).rev().enumerate().for_each(drop);
            a().chunks(7).for_each(drop);
            a().chunks(7).rev().zip(b().chunks(2)).for_each(drop);
            a().fold_chunks(7, || drops.token(), |_, item| item).for_each(drop);
            a().skip(3).for_each(drop);
            a().take(3).for_each(drop);
            a().step_by(3).for_each(drop);
            a().step_by(3).rev().for_each(drop);
            a().by_uniform_blocks(9).for_each(drop);
            a().by_exponential_blocks().for_each(drop);
            (a(), b(), a()).into_par_iter().for_each(drop);
            a().enumerate().position_any(|(i, _)| i == 500);
            a().position_first(|_| false);
            a().position_last(|_| true);
            drops.assert_all_dropped("all adapters");
            assert!(drops.made() > 2000);
        }
    });
}

#[test]
fn panics_reach_the_caller() {
    in_pools(|_| {
        const LEN: usize = 1000;
        for at in [0, 1, 499, 998, 999] {
            let drops = Drops::default();
            let made = || {
                numbers(LEN).map(|i| {
                    let token = drops.token();
                    if i == at {
                        plan(i as u64);
                    }
                    token
                })
            };
            let caught = |what: &str, run: &dyn Fn()| {
                assert_eq!(catch(run).expect_err(what), at as u64, "{what}");
                drops.assert_all_dropped(what);
            };
            caught("zip", &|| made().zip(numbers(LEN)).for_each(drop));
            caught("zip, second", &|| numbers(LEN).zip(made()).for_each(drop));
            caught("zip_eq", &|| numbers(LEN).zip_eq(made()).for_each(drop));
            caught("interleave", &|| made().interleave(numbers(5).map(|_| drops.token())).for_each(drop));
            caught("interleave_shortest", &|| made().interleave_shortest(made()).for_each(drop));
            caught("chain", &|| numbers(5).map(|_| drops.token()).chain(made()).for_each(drop));
            caught("chunks", &|| made().chunks(7).for_each(drop));
            caught("fold_chunks", &|| made().fold_chunks(7, || 0, |n, _| n + 1).for_each(drop));
            caught("fold_chunks_with", &|| made().fold_chunks_with(7, 0, |n, _| n + 1).for_each(drop));
            caught("skip", &|| made().skip(500).for_each(drop));
            caught("skip, as a producer", &|| made().skip(500).enumerate().for_each(drop));
            caught("rev", &|| made().rev().for_each(drop));
            caught("by_uniform_blocks", &|| made().by_uniform_blocks(10).for_each(drop));
            caught("by_exponential_blocks", &|| made().by_exponential_blocks().for_each(drop));
            caught("multizip", &|| (made(), numbers(LEN)).into_par_iter().for_each(drop));
            caught("position_last", &|| assert_eq!(made().position_last(|_| false), None));
            caught("position_first", &|| assert_eq!(made().position_first(|_| false), None));
            caught("eq", &|| assert!(made().map(drop).eq(numbers(LEN).map(drop))));
        }
    });
}

#[test]
fn refuses_what_cannot_be() {
    fn message(run: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let payload = std::panic::catch_unwind(run).expect_err("it panics");
        payload.downcast_ref::<String>().cloned().or(payload.downcast_ref::<&str>().map(|s| s.to_string())).unwrap()
    }
    let zero = "must not be zero";
    assert!(message(|| drop(numbers(3).chunks(0))).contains(zero));
    assert!(message(|| drop(numbers(3).fold_chunks(0, || 0, |n, _| n))).contains(zero));
    assert!(message(|| drop(numbers(3).fold_chunks_with(0, 0, |n, _| n))).contains(zero));
    assert!(message(|| drop(numbers(3).by_uniform_blocks(0))).contains(zero));
    assert!(message(|| drop(numbers(3).step_by(0))).contains(zero));
    assert!(message(|| drop(numbers(3).zip_eq(0..4))).contains("the same length"));
}

// ----- lengths of pieces ---------------------------------------------------------------------------------------------

#[test]
fn pieces_are_as_long_as_wished() {
    in_pools(|_| {
        for (len, max) in [(1000, 10), (1001, 7), (100, 1), (100, 0)] {
            let longest = pieces(numbers(len).with_max_len(max)).iter().map(Vec::len).max();
            assert!(longest.unwrap() <= max.max(1), "{longest:?} for {max}");
        }
        let shortest = pieces(numbers(20_000).with_min_len(1234)).iter().map(Vec::len).min();
        assert!(shortest.unwrap() >= 1234, "{shortest:?}");
        assert_eq!(pieces(numbers(100).with_min_len(100)).len(), 1);
    });
}

#[test]
fn hints_are_handed_on() {
    struct Hints;
    impl<T> ProducerCallback<T> for Hints {
        type Output = (usize, usize);

        fn callback<P: Producer<Item = T>>(self, producer: P) -> (usize, usize) {
            (producer.min_len(), producer.max_len())
        }
    }
    let both = |min, max| numbers(100).with_min_len(min).with_max_len(max);
    assert_eq!(both(3, 9).with_producer(Hints), (3, 9));
    assert_eq!(both(3, 9).with_min_len(2).with_max_len(12).with_producer(Hints), (3, 9));
    assert_eq!(both(3, 9).map(|x| x).rev().enumerate().skip(1).take(90).with_producer(Hints), (3, 9));
    assert_eq!(both(3, 9).zip(both(4, 8)).with_producer(Hints), (4, 8));
    assert_eq!(both(3, 9).zip_eq(both(2, 10)).with_producer(Hints), (3, 9));
    assert_eq!(both(3, 9).interleave(both(4, 8)).with_producer(Hints), (4, 8));
    assert_eq!(both(3, 9).chain(both(4, 8)).with_producer(Hints), (4, 8));
    assert_eq!((both(3, 9), both(4, 10), both(1, 8)).into_par_iter().with_producer(Hints), (4, 8));
    assert_eq!(both(30, 90).chunks(4).with_producer(Hints), (8, 22));
    assert_eq!(both(30, 90).step_by(4).with_producer(Hints), (8, 22));
    assert_eq!(both(3, 9).chunks(50).with_producer(Hints), (1, 1));
    assert_eq!(both(3, 9).step_by(50).with_producer(Hints), (1, 1));
}

// ----- tuples --------------------------------------------------------------------------------------------------------

#[test]
fn tuples_by_value() {
    in_pools(|_| {
        for n in LENS {
            check("1", (numbers(n),).into_par_iter(), (0..n).map(|i| (i,)));
            check("2", (numbers(n), 1..n + 1).into_par_iter(), (0..n).map(|i| (i, i + 1)));
            check(
                "3, of which the last is the shortest",
                (0..n + 1, 1..n + 9, 2..n + 2).into_par_iter(),
                (0..n).map(|i| (i, i + 1, i + 2)),
            );
        }
        let n = 100;
        let r = |from: usize| from..from + n;
        let sum4 = gather((r(0), r(1), r(2), r(3)).into_par_iter());
        assert!(sum4.into_iter().eq((0..n).map(|i| (i, i + 1, i + 2, i + 3))));
        macro_rules! row {
            ($i:expr, $($add:literal)+) => { ($($i + $add,)+) };
        }
        macro_rules! arity {
            ($($add:literal)+) => {
                let all = gather(($(r($add),)+).into_par_iter());
                assert!(all.into_iter().eq((0..n).map(|i| row!(i, $($add)+))));
            };
        }
        arity!(0 1 2 3 4);
        arity!(0 1 2 3 4 5);
        arity!(0 1 2 3 4 5 6);
        arity!(0 1 2 3 4 5 6 7);
        arity!(0 1 2 3 4 5 6 7 8);
        arity!(0 1 2 3 4 5 6 7 8 9);
        arity!(0 1 2 3 4 5 6 7 8 9 10);
        arity!(0 1 2 3 4 5 6 7 8 9 10 11);
    });
}

#[test]
fn tuples_by_reference() {
    in_pools(|_| {
        let mut tuple = ((0..1000).collect::<Vec<usize>>(), vec![1; 999], vec![2; 1001]);
        tuple.par_iter_mut().for_each(|(a, b, c)| {
            *a += *b;
            *b += *c;
        });
        let rows = gather(tuple.par_iter());
        assert!(rows.into_iter().eq((0..999).map(|i| i + 1).zip([3; 999].iter()).map(|(a, b)| (
            &tuple.0[a - 1],
            b,
            &2
        ))));
        assert_eq!(tuple.0[998..], [999, 999]);
    });
}

// ----- comparisons ---------------------------------------------------------------------------------------------------

#[test]
fn compares_like_plain_iterators() {
    in_pools(|_| {
        for len in LENS {
            let a: Vec<f64> = (0..len).map(|i| i as f64).collect();
            let mut others = vec![a.clone(), a[..len / 2].to_vec(), [&a[..], &[0.5]].concat()];
            for at in [0, 1, len / 2, len.saturating_sub(1)] {
                for value in [-1.0, 1e9, f64::NAN] {
                    let mut other = a.clone();
                    if let Some(x) = other.get_mut(at) {
                        *x = value;
                    }
                    if let Some(x) = other.last_mut() {
                        *x -= 0.5;
                    }
                    others.push(other);
                }
            }
            for b in &others {
                for (a, b) in [(&a, b), (b, &a), (b, b)] {
                    assert_eq!(a.par_iter().partial_cmp(b), a.iter().partial_cmp(b));
                    assert_eq!(a.par_iter().eq(b), a.iter().eq(b));
                    assert_eq!(a.par_iter().ne(b), a.iter().ne(b));
                    assert_eq!(a.par_iter().lt(b), a.iter().lt(b));
                    assert_eq!(a.par_iter().le(b), a.iter().le(b));
                    assert_eq!(a.par_iter().gt(b), a.iter().gt(b));
                    assert_eq!(a.par_iter().ge(b), a.iter().ge(b));
                    let bits = |x: &f64| x.to_bits();
                    assert_eq!(
                        a.par_iter().map(bits).cmp(b.par_iter().map(bits)),
                        a.iter().map(bits).cmp(b.iter().map(bits))
                    );
                }
            }
        }
    });
}

#[test]
fn the_first_difference_decides() {
    in_pools(|_| {
        let mut rng = Rng(5);
        let a = vec![1u8; 5000];
        for _ in 0..200 {
            let mut b = a.clone();
            for _ in 0..rng.below(6) {
                b[rng.below(5000) as usize] = rng.below(3) as u8;
            }
            assert_eq!(a.par_iter().cmp(&b), a.iter().cmp(&b));
            assert_eq!(a.par_iter().eq(&b), a == b);
        }
    });
}

#[test]
fn comparisons_stop_early() {
    with_deadline(60, || {
        pool(1).install(|| {
            let compared = AtomicUsize::new(0);
            let zeros = || {
                numbers(100_000).map(|i| {
                    compared.fetch_add(1, SeqCst);
                    usize::from(i > 0)
                })
            };
            let ones = || numbers(100_000).map(|_| 1);
            assert_eq!(zeros().cmp(ones()), Ordering::Less);
            assert!(compared.swap(0, SeqCst) < 10_000);
            assert!(!zeros().eq(ones()));
            assert!(compared.swap(0, SeqCst) < 10_000);
            // A difference in length is enough.
            assert!(!zeros().eq(ones().skip(1)));
            assert_eq!(compared.load(SeqCst), 0);
        });
    });
}

// ----- positions -----------------------------------------------------------------------------------------------------

#[test]
fn positions() {
    in_pools(|_| {
        let mut rng = Rng(9);
        for len in LENS {
            for hits in [0, 1, 2, 10] {
                let mut all = vec![false; len];
                for _ in 0..hits {
                    if len > 0 {
                        all[rng.below(len as u64) as usize] = true;
                    }
                }
                let first = all.iter().position(|&hit| hit);
                assert_eq!(all.par_iter().position_first(|&hit| hit), first);
                assert_eq!(all.par_iter().position_last(|&hit| hit), all.iter().rposition(|&hit| hit));
                let any = all.par_iter().position_any(|&hit| hit);
                assert_eq!(any.is_some(), first.is_some());
                assert!(any.is_none_or(|any| all[any]));
                #[allow(deprecated)]
                let any = all.par_iter().position(|&hit| hit);
                assert_eq!(any.is_some(), first.is_some());
            }
        }
    });
}

#[test]
fn searches_stop_early() {
    with_deadline(60, || {
        pool(1).install(|| {
            let asked = AtomicUsize::new(0);
            let ask = |hit: bool| {
                asked.fetch_add(1, SeqCst);
                hit
            };
            assert_eq!(numbers(100_000).position_any(|i| ask(i == 5)), Some(5));
            assert!(asked.swap(0, SeqCst) < 10_000);
            assert_eq!(numbers(100_000).position_first(|i| ask(i == 5)), Some(5));
            assert!(asked.swap(0, SeqCst) < 10_000);
            assert_eq!(numbers(100_000).position_any(|_| ask(false)), None);
            assert_eq!(asked.load(SeqCst), 100_000);
        });
    });
}

// ----- the rest ------------------------------------------------------------------------------------------------------

#[test]
fn nothing_of_a_size() {
    in_pools(|_| {
        for len in LENS {
            let units = || numbers(len).map(|_| ());
            assert_eq!(gather(units().zip(units())).len(), len);
            assert_eq!(gather(units().chain(units()).rev()).len(), 2 * len);
            assert_eq!(gather(units().interleave(units())).len(), 2 * len);
            assert!(gather(units().chunks(3)).iter().map(Vec::len).sum::<usize>() == len);
            assert!(units().eq(units()));
            assert_eq!(units().position_last(|()| true), len.checked_sub(1));
        }
    });
}

#[test]
fn works_outside_of_any_pool() {
    with_deadline(60, || {
        check("skip of a zip", numbers(1000).zip(5..900).skip(10), (0..1000).zip(5..900).skip(10));
        assert!(gather(numbers(1000).by_exponential_blocks()).into_iter().eq(0..1000));
        assert!(numbers(1000).eq(0..1000usize));
    });
}

#[test]
fn all_can_be_printed_and_cloned() {
    fn shows<I: Debug + Clone>(iter: I, name: &str) {
        let shown = format!("{:?}", iter.clone());
        assert!(shown.starts_with(name) && shown.contains("0..9"), "{shown}");
    }
    shows(numbers(9).zip(0..3), "Zip {");
    shows(numbers(9).zip_eq(0..9), "ZipEq {");
    shows(numbers(9).interleave(0..3), "Interleave {");
    shows(numbers(9).interleave_shortest(0..3), "InterleaveShortest {");
    shows(numbers(9).chunks(2), "Chunks {");
    shows(numbers(9).fold_chunks(2, || 0, |n, _| n), "FoldChunks {");
    shows(numbers(9).fold_chunks_with(2, 0, |n, _| n), "FoldChunksWith {");
    shows(numbers(9).enumerate(), "Enumerate {");
    shows(numbers(9).step_by(2), "StepBy {");
    shows(numbers(9).skip(2), "Skip {");
    shows(numbers(9).take(2), "Take {");
    shows(numbers(9).rev(), "Rev {");
    shows(numbers(9).with_min_len(2), "MinLen {");
    shows(numbers(9).with_max_len(2), "MaxLen {");
    shows(numbers(9).by_exponential_blocks(), "ExponentialBlocks {");
    shows(numbers(9).by_uniform_blocks(2), "UniformBlocks {");
    shows(numbers(9).chain(0..3), "Chain {");
    shows((numbers(9), 0..3).into_par_iter(), "MultiZip {");
}
