//! Adapters that work item by item: each against the standard library's plain iterators, through consumers and through
//! producers, in blocks and backwards, on pools of several sizes; panics, and what is dropped.

use std::cell::Cell;
use std::fmt::Debug;
use std::ops::ControlFlow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use filch::iter::plumbing::{Consumer, Folder, Place, Producer, ProducerCallback};
use filch::prelude::*;

mod support;
use support::{Drops, Event, catch, lock, note, plan, pool, with_deadline};

const LENGTHS: [usize; 10] = [0, 1, 2, 3, 7, 64, 65, 999, 1000, 100_000];

/// Runs `test` in pools of several sizes.
fn in_pools(test: impl Fn(usize) + Send + Sync + 'static) {
    with_deadline(300, move || {
        for workers in [1, 2, 4, 8] {
            note(format!("{workers} workers"));
            pool(workers).install(|| test(workers));
        }
    });
}

// ----- ways to drive -----------------------------------------------------------------------------------------------

/// Gathers the items in order, and sees that the labels of pieces never fall.
#[derive(Clone, Copy)]
struct Gather;

struct Gathering<T> {
    label: u64,
    items: Vec<(u64, T)>,
}

impl<T: Send> Consumer<T> for Gather {
    type Folder = Gathering<T>;
    type Result = Vec<(u64, T)>;

    fn into_folder(self, place: Place) -> Gathering<T> {
        Gathering { label: place.label(), items: Vec::new() }
    }

    fn reduce(self, mut left: Self::Result, mut right: Self::Result) -> Self::Result {
        left.append(&mut right);
        left
    }
}

impl<T> Folder<T> for Gathering<T> {
    type Result = Vec<(u64, T)>;

    fn consume(mut self, item: T) -> Self {
        self.items.push((self.label, item));
        self
    }

    fn complete(self) -> Self::Result {
        self.items
    }

    fn advance(&mut self, next: Place) {
        self.label = next.label();
    }
}

fn gather<I: ParallelIterator>(iter: I) -> Vec<I::Item> {
    let labelled = iter.drive(Gather, Place::whole());
    assert!(labelled.windows(2).all(|pair| pair[0].0 <= pair[1].0), "labels follow the order");
    labelled.into_iter().map(|(_, item)| item).collect()
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    /// `fold_with` of each block.
    Fold,
    /// `into_iter` of each block.
    Iterate,
    /// `into_iter` of each block, from both ends.
    BothEnds,
}

/// Drives through the producer: pieces of at most `piece` items, each in blocks of at most `block`.
struct Blocks<I> {
    base: I,
    piece: usize,
    block: usize,
    how: How,
}

impl<I: IndexedParallelIterator> ParallelIterator for Blocks<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        struct Callback<C>(usize, Blocks<()>, C, Place);
        impl<T: Send, C: Consumer<T>> ProducerCallback<T> for Callback<C> {
            type Output = C::Result;

            fn callback<P: Producer<Item = T>>(self, producer: P) -> C::Result {
                pieces(self.0, producer, &self.1, self.2, self.3)
            }
        }
        let Blocks { base, piece, block, how } = self;
        let len = base.len();
        base.with_producer(Callback(len, Blocks { base: (), piece, block, how }, consumer, place.inside()))
    }
}

fn pieces<P, C>(len: usize, producer: P, blocks: &Blocks<()>, consumer: C, place: Place) -> C::Result
where
    P: Producer<Item: Send>,
    C: Consumer<P::Item>,
{
    if len > blocks.piece {
        let cut = (len / 3).max(1);
        let (left, right) = producer.split_at(cut);
        let (left_place, right_place) = place.split();
        let (a, b) = filch::join(
            move || pieces(cut, left, blocks, consumer, left_place),
            move || pieces(len - cut, right, blocks, consumer, right_place),
        );
        return consumer.reduce(a, b);
    }
    let (front, mut place) = place.split();
    let mut folder = consumer.into_folder(front);
    let (mut len, mut producer) = (len, producer);
    loop {
        let count = len.min(blocks.block);
        let (block, rest) = producer.split_at(count);
        folder = match blocks.how {
            How::Fold => block.fold_with(folder),
            How::Iterate => {
                let iter = block.into_iter();
                assert_eq!(iter.len(), count);
                assert_eq!(iter.size_hint(), (count, Some(count)));
                folder.consume_iter(iter)
            }
            How::BothEnds => {
                let mut iter = block.into_iter();
                let mut back = Vec::new();
                for _ in 0..count / 2 {
                    back.extend(iter.next_back());
                }
                assert_eq!(iter.len(), count - count / 2);
                folder.consume_iter(iter).consume_iter(back.into_iter().rev())
            }
        };
        len -= count;
        producer = rest;
        if len == 0 || folder.full() {
            return folder.complete();
        }
        let (next, rest) = place.split();
        place = rest;
        folder.advance(next);
    }
}

/// Through the consumers, and through the producers in several ways.
fn check_indexed<I>(what: &str, make: impl Fn() -> I, expected: &[I::Item])
where
    I: IndexedParallelIterator<Item: PartialEq + Debug>,
{
    let what = format!("{what}, {} items", expected.len());
    assert_eq!(make().len(), expected.len(), "{what}");
    assert_eq!(make().opt_len(), Some(expected.len()), "{what}");
    assert!(gather(make()) == expected, "{what}");
    for how in [How::Fold, How::Iterate, How::BothEnds] {
        for (piece, block) in [(usize::MAX, usize::MAX), (expected.len() / 5 + 1, 64), (100, 1), (9, 4), (1, 1)] {
            if expected.len() <= 1000 || piece > 1000 {
                let items = gather(Blocks { base: make(), piece, block, how });
                assert!(items == expected, "{what}, {how:?}, pieces of {piece}, blocks of {block}");
            }
        }
    }
}

/// As it is, and with folders that go through several blocks.
fn in_blocks(len: usize) -> impl ParallelIterator<Item = usize> + Clone {
    #[derive(Clone)]
    struct Mixed(usize);
    impl ParallelIterator for Mixed {
        type Item = usize;

        fn drive<C: Consumer<usize>>(self, consumer: C, place: Place) -> C::Result {
            let base = (0..self.0).into_par_iter();
            Blocks { base, piece: self.0 / 7 + 1, block: 13, how: How::Fold }.drive(consumer, place)
        }
    }
    Mixed(len)
}

// ----- one item of one ---------------------------------------------------------------------------------------------

#[test]
fn cloned_copied_inspect_update() {
    in_pools(|_| {
        for len in LENGTHS {
            let numbers: Vec<u64> = (0..len as u64).collect();
            check_indexed("cloned", || numbers.par_iter().cloned(), &numbers);
            check_indexed("copied", || numbers.par_iter().copied(), &numbers);
            let texts: Vec<String> = numbers.iter().map(u64::to_string).collect();
            check_indexed("cloned texts", || texts.par_iter().cloned(), &texts);

            let doubled: Vec<u64> = numbers.iter().map(|x| 2 * x).collect();
            check_indexed("update", || numbers.par_iter().copied().update(|x| *x *= 2), &doubled);

            let seen = AtomicUsize::new(0);
            let look = |x: &u64| {
                seen.fetch_add(*x as usize + 1, Ordering::Relaxed);
            };
            check_indexed("inspect", || numbers.par_iter().copied().inspect(look), &numbers);
            let total = len * (len + 1) / 2;
            assert_eq!(seen.swap(0, Ordering::Relaxed), total * if len <= 1000 { 16 } else { 7 });
        }
    });
}

#[test]
fn items_without_size() {
    in_pools(|_| {
        for len in LENGTHS {
            let nothing = vec![(); len];
            check_indexed("copied", || nothing.par_iter().copied().update(|()| ()), &nothing);
            assert_eq!(gather(nothing.par_iter().filter(|_| true)).len(), len);
            let interspersed = vec![(); (2 * len).saturating_sub(1)];
            check_indexed("intersperse", || nothing.par_iter().copied().intersperse(()), &interspersed);
            assert_eq!(gather(nothing.par_iter().take_any(5)).len(), len.min(5));
            assert_eq!(gather(nothing.par_iter().positions(|()| true)).len(), len);
        }
    });
}

#[test]
fn map_with_and_map_init() {
    in_pools(|_| {
        for len in LENGTHS {
            let expected: Vec<usize> = (0..len).map(|x| x + 7).collect();
            // A cell may be cloned by one thread at a time only, and a reference to it must not be sent.
            let op = |cell: &mut Cell<usize>, x: usize| {
                assert!(cell.get() >= 7);
                cell.set(cell.get() + 1);
                x + 7
            };
            check_indexed("map_with", || (0..len).into_par_iter().map_with(Cell::new(7), op), &expected);
            check_indexed("map_init", || (0..len).into_par_iter().map_init(|| Cell::new(7), op), &expected);
            assert_eq!(gather((0..len).into_par_iter().filter(|_| true).map_with(Cell::new(7), op)), expected);
            assert_eq!(gather((0..len).into_par_iter().filter(|_| true).map_init(|| Cell::new(7), op)), expected);
        }
    });
}

/// The value goes through all blocks of a piece, and through no other piece.
#[test]
fn map_values_last_for_a_piece() {
    in_pools(|_| {
        let count = |n: &mut usize, _| {
            *n += 1;
            *n
        };
        for len in LENGTHS {
            let made = AtomicUsize::new(0);
            let make = || {
                made.fetch_add(1, Ordering::Relaxed);
                0
            };
            for counts in [gather(in_blocks(len).map_with(0, count)), gather(in_blocks(len).map_init(make, count))] {
                let begins = counts.iter().filter(|n| **n == 1).count();
                assert!(begins <= 27, "{begins} pieces of {len} items");
                for pair in counts.windows(2) {
                    assert!(pair[1] == pair[0] + 1 || pair[1] == 1, "{pair:?}");
                }
            }
            assert!(made.into_inner() <= 27);
        }
    });
}

// ----- items left out ----------------------------------------------------------------------------------------------

#[test]
fn filter_and_filter_map() {
    in_pools(|_| {
        for len in LENGTHS {
            for (name, keep) in [
                ("all", (|_| true) as fn(&usize) -> bool),
                ("none", |_| false),
                ("some", |x| x % 3 == 1),
                ("last", |x| *x > 990),
            ] {
                let expected: Vec<usize> = (0..len).filter(keep).collect();
                let map = |x| keep(&x).then(|| x.to_string());
                let texts: Vec<String> = (0..len).filter_map(map).collect();
                let range = (0..len).into_par_iter();
                assert_eq!(range.clone().filter(keep).opt_len(), None);
                assert!(gather(range.clone().filter(keep)) == expected, "{name} of {len}");
                assert!(gather(in_blocks(len).filter(keep)) == expected, "{name} of {len}");
                assert!(gather(range.filter_map(map)) == texts, "{name} of {len}");
                assert!(gather(in_blocks(len).filter_map(map)) == texts, "{name} of {len}");
            }
        }
    });
}

#[test]
fn positions_are_indexes() {
    in_pools(|_| {
        for len in LENGTHS {
            let numbers: Vec<usize> = (0..len).map(|x| x * 7 % 11).collect();
            let expected: Vec<usize> = (0..len).filter(|i| numbers[*i] < 4).collect();
            assert!(gather(numbers.par_iter().positions(|x| *x < 4)) == expected);
            assert!(gather(numbers.par_iter().intersperse(&0).positions(|x| *x > 20)).is_empty());
        }
        // Inside of another loop, and on something that has no items of its own length.
        let nested =
            (0..50usize).into_par_iter().flat_map(|n| (0..n).into_par_iter().map(|x| x + 1).positions(|x| x > 3));
        let expected: Vec<usize> = (0..50).flat_map(|n| 3..n.max(3)).collect();
        assert_eq!(gather(nested), expected);
    });
}

// ----- loops inside ------------------------------------------------------------------------------------------------

#[test]
fn flat_maps() {
    in_pools(|_| {
        for len in [0, 1, 2, 3, 65, 300] {
            let expected: Vec<(usize, usize)> = (0..len).flat_map(|i| (0..i % 50).map(move |j| (i, j))).collect();
            let parallel = |i| (0..i % 50).into_par_iter().map(move |j| (i, j));
            // An iterator that is not Send.
            let plain = |i| {
                let cell = std::rc::Rc::new(i);
                (0..i % 50).map(move |j| (*cell, j))
            };
            let range = (0..len).into_par_iter();
            assert!(gather(range.clone().flat_map(parallel)) == expected);
            assert!(gather(in_blocks(len).flat_map(parallel)) == expected);
            assert!(gather(range.clone().map(parallel).flatten()) == expected);
            assert!(gather(in_blocks(len).map(parallel).flatten()) == expected);
            assert!(gather(range.clone().flat_map_iter(plain)) == expected);
            assert!(gather(in_blocks(len).flat_map_iter(plain)) == expected);
            let lists = |i| (0..i % 50).map(|j| (i, j)).collect::<Vec<_>>();
            assert!(gather(range.map(lists).flatten_iter()) == expected);
            assert!(gather(in_blocks(len).map(lists).flatten_iter()) == expected);
        }
        // A loop in a loop in a loop; empty ones among them; one that is far longer than the others.
        let deep = (0..20usize).into_par_iter().flat_map(|a| {
            (0..a % 4)
                .into_par_iter()
                .flat_map(move |b| (0..if b == 2 { 3000 } else { b }).into_par_iter().map(move |c| (a, b, c)))
        });
        let expected: Vec<_> = (0..20usize)
            .flat_map(|a| (0..a % 4).flat_map(move |b| (0..if b == 2 { 3000 } else { b }).map(move |c| (a, b, c))))
            .collect();
        assert!(gather(deep) == expected);
    });
}

// ----- loops that end early ----------------------------------------------------------------------------------------

fn is_rising(items: &[usize]) -> bool {
    items.windows(2).all(|pair| pair[0] < pair[1])
}

#[test]
fn take_any_and_skip_any() {
    in_pools(|workers| {
        for len in LENGTHS {
            for n in [0, 1, 2, 10, 999, 1000, 1001, usize::MAX] {
                let ranges = || [(0..len).into_par_iter().filter(|_| true)];
                for range in ranges() {
                    let taken = gather(range.take_any(n));
                    assert_eq!(taken.len(), len.min(n));
                    assert!(is_rising(&taken));
                }
                for range in ranges() {
                    let rest = gather(range.skip_any(n));
                    assert_eq!(rest.len(), len.saturating_sub(n));
                    assert!(is_rising(&rest));
                }
                let (taken, rest) = (gather(in_blocks(len).take_any(n)), gather(in_blocks(len).skip_any(n)));
                assert_eq!((taken.len(), rest.len()), (len.min(n), len.saturating_sub(n)));
                if workers == 1 {
                    assert!(taken.into_iter().eq(0..len.min(n)));
                    assert!(rest.into_iter().eq(len.min(n)..len));
                }
            }
        }
    });
}

/// What comes before is not asked for more than is taken.
#[test]
fn take_any_asks_for_no_more() {
    in_pools(|workers| {
        let asked = AtomicUsize::new(0);
        let ask = |_: &usize| {
            asked.fetch_add(1, Ordering::Relaxed);
        };
        assert_eq!(gather((0..100_000).into_par_iter().inspect(ask).take_any(10)).len(), 10);
        let asked = asked.into_inner();
        assert!(asked < 10 + workers, "{asked} items for 10, {workers} workers");
    });
}

#[test]
fn take_any_while_and_skip_any_while() {
    in_pools(|workers| {
        for len in LENGTHS {
            for stop in [0, 1, 64, 900, usize::MAX] {
                let ranges = [
                    gather((0..len).into_par_iter().take_any_while(|x| *x != stop)),
                    gather(in_blocks(len).take_any_while(|x| *x != stop)),
                ];
                for taken in ranges {
                    assert!(is_rising(&taken) && !taken.contains(&stop));
                    if workers == 1 || stop >= len {
                        assert!(taken.into_iter().eq(0..len.min(stop)));
                    }
                }
                let ranges = [
                    gather((0..len).into_par_iter().skip_any_while(|x| *x < stop)),
                    gather(in_blocks(len).skip_any_while(|x| *x < stop)),
                ];
                for rest in ranges {
                    assert!(is_rising(&rest));
                    assert_eq!(rest.iter().filter(|x| **x >= stop).count(), len.saturating_sub(stop), "none is lost");
                    if workers == 1 || stop >= len {
                        assert!(rest.into_iter().eq(stop.min(len)..len));
                    }
                }
            }
        }
    });
}

#[test]
fn while_some_ends_at_a_none() {
    in_pools(|workers| {
        for len in LENGTHS {
            for stop in [0, 1, 64, 900, usize::MAX] {
                let asked = AtomicUsize::new(0);
                let some = |x| {
                    asked.fetch_add(1, Ordering::Relaxed);
                    (x != stop).then_some(x)
                };
                let items = gather((0..len).into_par_iter().map(some).while_some());
                assert!(is_rising(&items) && !items.contains(&stop));
                if workers == 1 || stop >= len {
                    assert!(items.into_iter().eq(0..len.min(stop)));
                    assert_eq!(asked.load(Ordering::Relaxed), len.min(stop.saturating_add(1)));
                }
                let items = gather(in_blocks(len).map(some).while_some());
                assert!(is_rising(&items) && !items.contains(&stop));
                if workers == 1 || stop >= len {
                    assert!(items.into_iter().eq(0..len.min(stop)));
                }
            }
        }
    });
}

// ----- folds -------------------------------------------------------------------------------------------------------

fn pushed(mut list: Vec<usize>, item: usize) -> Vec<usize> {
    list.push(item);
    list
}

#[test]
fn folds_have_all_items_in_order() {
    in_pools(|_| {
        for len in LENGTHS {
            let made = AtomicUsize::new(0);
            let make = || {
                made.fetch_add(1, Ordering::Relaxed);
                Vec::new()
            };
            let folded = gather((0..len).into_par_iter().fold(make, pushed));
            assert_eq!(folded.len(), made.swap(0, Ordering::Relaxed), "one for each identity");
            assert!(folded.into_iter().flatten().eq(0..len));

            let folded = gather(in_blocks(len).fold(make, pushed));
            assert_eq!(folded.len(), made.into_inner(), "one for each identity");
            assert!(folded.len() <= 27, "one for each piece, not for each block");
            assert!(folded.into_iter().flatten().eq(0..len));

            assert!(gather((0..len).into_par_iter().fold_with(vec![], pushed)).into_iter().flatten().eq(0..len));
            assert!(gather(in_blocks(len).fold_with(vec![], pushed)).into_iter().flatten().eq(0..len));
            // A fold of a fold.
            let total = gather(in_blocks(len).fold(|| 0, |a, b| a + b).fold_with(0, |a, b| a + b));
            assert_eq!(total.iter().sum::<usize>(), len * len.saturating_sub(1) / 2);
        }
    });
}

#[test]
fn a_fold_ends_when_the_far_end_is_full() {
    in_pools(|workers| {
        let folded = AtomicUsize::new(0);
        let count = |n: usize, _| {
            folded.fetch_add(1, Ordering::Relaxed);
            n + 1
        };
        let stopped = (0..100_000).into_par_iter().fold(|| 0, count).take_any(0);
        assert_eq!(gather(stopped).len(), 0);
        // The test is made after each item.
        assert!(folded.load(Ordering::Relaxed) <= workers);
    });
}

/// The five types, each with a failure at `stop`.
#[test]
fn try_folds() {
    in_pools(|_| {
        for len in [0, 1, 3, 1000] {
            for stop in [0, 1, 500, usize::MAX] {
                let fails = usize::from(stop < len);
                let range = || (0..len).into_par_iter();
                let options = gather(range().try_fold(Vec::new, |list, x| (x != stop).then(|| pushed(list, x))));
                assert_eq!(options.iter().filter(|option| option.is_none()).count(), fails);
                if fails == 0 {
                    assert!(options.into_iter().flatten().flatten().eq(0..len));
                }

                let seen = Mutex::new(Vec::new());
                let results = gather(in_blocks(len).try_fold_with(0, |n: usize, x| {
                    lock(&seen).push(x);
                    if x == stop { Err(x) } else { Ok(n + 1) }
                }));
                let errors: Vec<_> = results.iter().filter_map(|result| result.err()).collect();
                assert_eq!(errors, vec![stop; fails]);
                // What follows the failure in its piece is not looked at; all other pieces are.
                let mut seen = seen.into_inner().unwrap();
                seen.sort();
                let unseen = len - seen.len();
                assert!(unseen <= if fails == 0 { 0 } else { len / 7 });
                let stop_or_end = stop.min(len - fails) + fails;
                assert!(seen.into_iter().eq((0..stop_or_end).chain(stop_or_end + unseen..len)));

                let flows = gather(range().try_fold_with(0, |n: usize, x| {
                    if x == stop { ControlFlow::Break(n) } else { ControlFlow::Continue(n + 1) }
                }));
                assert_eq!(flows.iter().filter(|flow| flow.is_break()).count(), fails);

                let polls = gather(range().try_fold(
                    || Poll::Ready(0),
                    |n: Poll<usize>, x| if x == stop { Poll::Ready(Err(x)) } else { n.map(|n| Ok(n + 1)) },
                ));
                assert_eq!(polls.iter().filter(|poll| matches!(poll, Poll::Ready(Err(_)))).count(), fails);

                let polls = gather(range().try_fold(
                    || Poll::Pending,
                    |_: Poll<Option<usize>>, x| {
                        if x == stop { Poll::Ready(Some(Err(x))) } else { Poll::Ready(None) }
                    },
                ));
                assert_eq!(polls.iter().filter(|poll| matches!(poll, Poll::Ready(Some(Err(_))))).count(), fails);
            }
        }
    });
}

// ----- intersperse -------------------------------------------------------------------------------------------------

fn interspersed(items: impl Iterator<Item = usize>, element: usize) -> Vec<usize> {
    let mut list: Vec<usize> = items.flat_map(|item| [item, element]).collect();
    list.pop();
    list
}

#[test]
fn intersperse_puts_elements_between() {
    in_pools(|_| {
        for len in LENGTHS {
            let expected = interspersed(0..len, usize::MAX);
            check_indexed("intersperse", || (0..len).into_par_iter().intersperse(usize::MAX), &expected);
            assert!(gather(in_blocks(len).intersperse(usize::MAX)) == expected);

            let twice = interspersed(expected.into_iter(), 5);
            check_indexed("twice", || (0..len).into_par_iter().intersperse(usize::MAX).intersperse(5), &twice);
        }
    });
}

/// Pieces that turn out to be empty have no elements around them.
#[test]
fn intersperse_after_a_filter() {
    in_pools(|_| {
        for len in LENGTHS {
            let keeps: [fn(&usize) -> bool; 6] =
                [|x| *x > 900, |x| *x < 50, |x| x % 200 == 150, |_| false, |_| true, |x| *x == 999];
            for keep in keeps {
                let expected = interspersed((0..len).filter(keep), 7);
                assert!(gather((0..len).into_par_iter().filter(keep).intersperse(7)) == expected);
                assert!(gather(in_blocks(len).filter(keep).intersperse(7)) == expected);
                let last = gather((0..len).into_par_iter().filter(keep).intersperse(7).take_any(3));
                assert_eq!(last.len(), expected.len().min(3));
            }
        }
    });
}

/// Numbers, from a source that begins and ends its pieces with blocks without items, has pieces without any, and begins
/// with the last.
#[derive(Clone)]
struct Hollow(usize);

impl ParallelIterator for Hollow {
    type Item = usize;

    fn drive<C: Consumer<usize>>(self, consumer: C, place: Place) -> C::Result {
        fn piece<C: Consumer<usize>>(numbers: &[usize], consumer: C, place: Place) -> C::Result {
            let nothing = || std::iter::empty::<usize>();
            let (middle, end) = place.split_at(numbers.len());
            let (begin, mut rest) = middle.split_at(0);
            let end = consumer.into_folder(end).consume_iter(nothing()).complete();
            let all = if numbers.len() > 20 {
                let (left, right) = numbers.split_at(numbers.len() / 2);
                let (left_place, right_place) = rest.split_at(left.len());
                let right = piece(right, consumer, right_place);
                consumer.reduce(piece(left, consumer, left_place), right)
            } else {
                let (before, after) = rest.split_at(0);
                let mut folder = consumer.into_folder(before).consume_iter(nothing());
                rest = after;
                for block in numbers.chunks(3) {
                    for items in [block, &[]] {
                        let (now, later) = rest.split_at(items.len());
                        rest = later;
                        folder.advance(now);
                        folder = folder.consume_iter(items.iter().copied());
                    }
                }
                folder.complete()
            };
            let begin = consumer.into_folder(begin).complete();
            consumer.reduce(consumer.reduce(begin, all), end)
        }
        let numbers: Vec<usize> = (0..self.0).collect();
        // A place that is not counted cannot be split at an index.
        if place.is_indexed() {
            piece(&numbers, consumer, place)
        } else {
            numbers.into_par_iter().drive(consumer, place)
        }
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.0)
    }
}

#[test]
fn intersperse_of_blocks_without_items() {
    in_pools(|_| {
        for len in LENGTHS {
            let expected = interspersed(0..len, 7);
            assert!(Hollow(len).intersperse(7).collect::<Vec<_>>() == expected);
            let (left, right): (Vec<_>, Vec<_>) = Hollow(len).intersperse(7).map(|item| (item, item + 1)).unzip();
            assert!(left == expected && right.iter().copied().eq(expected.iter().map(|item| item + 1)));
            let twice = interspersed(expected.iter().copied(), 5);
            assert!(Hollow(len).intersperse(7).intersperse(5).collect::<Vec<_>>() == twice);
            let mut chained = expected.clone();
            chained.extend(0..9);
            assert!(Hollow(len).intersperse(7).chain(0..9).collect::<Vec<_>>() == chained);
            let mut chained: Vec<_> = (0..9).collect();
            chained.extend(&expected);
            assert!((0..9).into_par_iter().chain(Hollow(len).intersperse(7)).collect::<Vec<_>>() == chained);
        }
    });
}

#[test]
fn intersperse_is_too_long() {
    with_deadline(60, || {
        let long = || (0..usize::MAX).into_par_iter().intersperse(0);
        assert_eq!(long().opt_len(), None);
        assert!(std::panic::catch_unwind(|| long().len()).is_err());
        assert_eq!((0..usize::MAX / 2 + 1).into_par_iter().intersperse(0).len(), usize::MAX);
    });
}

// ----- panics ------------------------------------------------------------------------------------------------------

/// Runs two pieces on two threads: one that panics once the other is under way, and one that never ends of itself.
struct Endless {
    by_consume: bool,
}

impl ParallelIterator for Endless {
    type Item = usize;

    fn drive<C: Consumer<usize>>(self, consumer: C, place: Place) -> C::Result {
        let (left_place, right_place) = place.split();
        std::thread::scope(|scope| {
            let right = scope.spawn(move || {
                let mut folder = consumer.into_folder(right_place);
                if !self.by_consume {
                    return folder.consume_iter(1..).complete();
                }
                for i in 1.. {
                    if folder.full() {
                        break;
                    }
                    folder = folder.consume(i);
                }
                folder.complete()
            });
            let left = consumer.into_folder(left_place).consume(0).complete();
            let right = right.join().expect("the right side has no panic");
            consumer.reduce(left, right)
        })
    }
}

#[test]
fn panic_fuse_ends_the_others() {
    with_deadline(60, || {
        for by_consume in [false, true] {
            // The panic comes before the fuse, or after it.
            for before in [false, true] {
                let under_way = Event::default();
                let op = |i: usize| match i {
                    0 => {
                        under_way.wait();
                        plan(5)
                    }
                    1000 => under_way.set(),
                    _ => (),
                };
                let result = catch(|| {
                    if before {
                        Endless { by_consume }.map(op).panic_fuse().for_each(|()| ());
                    } else {
                        Endless { by_consume }.panic_fuse().for_each(op);
                    }
                });
                assert_eq!(result, Err(5));
            }
        }
    });
}

#[test]
fn panic_fuse_passes_all_items() {
    in_pools(|_| {
        for len in LENGTHS {
            let expected: Vec<usize> = (0..len).collect();
            check_indexed("panic_fuse", || (0..len).into_par_iter().panic_fuse(), &expected);
            assert_eq!(gather(in_blocks(len).panic_fuse()), expected);
        }
    });
}

/// A loop that runs because of a panic elsewhere is not ended by that panic.
#[test]
fn panic_fuse_in_a_destructor() {
    struct Loops<'a>(&'a Mutex<Vec<usize>>);
    impl Drop for Loops<'_> {
        fn drop(&mut self) {
            let fused = Blocks { base: (0..1000).into_par_iter().panic_fuse(), piece: 100, block: 7, how: How::Fold };
            lock(self.0).push(gather(fused).len());
            lock(self.0).push(gather((0..1000).into_par_iter().panic_fuse()).len());
        }
    }
    in_pools(|_| {
        let lens = Mutex::new(Vec::new());
        let result = catch(|| {
            let _loops = Loops(&lens);
            plan(1);
        });
        assert_eq!((result, lens.into_inner().unwrap()), (Err::<(), _>(1), vec![1000, 1000]));
    });
}

/// Each adapter's closure panics at several positions; nothing is dropped twice, and nothing is lost.
#[test]
fn panics_in_closures() {
    in_pools(|_| {
        for at in [0, 1, 499, 998, 999] {
            let drops = Drops::default();
            let tokens = || (0..1000usize).into_par_iter().map(|i| (i, drops.token()));
            let trip = |i: usize| {
                if i == at {
                    plan(i as u64);
                }
                true
            };
            let outcomes = [
                catch(|| gather(tokens().update(|item| assert!(trip(item.0)))).len()),
                catch(|| gather(tokens().inspect(|item| assert!(trip(item.0)))).len()),
                catch(|| gather(tokens().filter(|item| trip(item.0))).len()),
                catch(|| gather(tokens().filter_map(|item| trip(item.0).then_some(item))).len()),
                catch(|| gather(tokens().map_init(|| drops.token(), |_, item| (trip(item.0), item))).len()),
                catch(|| gather(tokens().map_with((), |(), item| (trip(item.0), item))).len()),
                catch(|| {
                    gather(tokens().flat_map(|item| (0..3usize).into_par_iter().map(move |_| trip(item.0)))).len()
                }),
                catch(|| gather(tokens().flat_map_iter(|item| trip(item.0).then_some(item))).len()),
                catch(|| gather(tokens().fold(Vec::new, |_, item| vec![(trip(item.0), item)])).len()),
                catch(|| gather(tokens().try_fold(Vec::new, |_, item| Some(vec![(trip(item.0), item)]))).len()),
                catch(|| gather(tokens().take_any_while(|item| trip(item.0))).len()),
                catch(|| gather(tokens().skip_any_while(|item| !trip(item.0))).len()),
                catch(|| gather(tokens().positions(|item| trip(item.0))).len()),
                catch(|| gather(tokens().panic_fuse().filter(|item| trip(item.0))).len()),
            ];
            for (which, outcome) in outcomes.into_iter().enumerate() {
                // The predicate of `skip_any_while` is not asked once it has failed.
                assert!(outcome == Err(at as u64) || which == 11 && at > 0, "{which}: {outcome:?}");
            }
            drops.assert_all_dropped("tokens");
        }
    });
}

/// A value whose clone panics after a number of clones.
struct Fragile<'a> {
    left: &'a AtomicUsize,
    _token: support::Token,
    drops: &'a Drops,
}

impl Clone for Fragile<'_> {
    fn clone(&self) -> Self {
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_err() {
            plan(3);
        }
        Fragile { _token: self.drops.token(), ..*self }
    }
}

#[test]
fn panics_in_clones() {
    in_pools(|_| {
        for clones in [0, 1, 2, 100] {
            let drops = Drops::default();
            let left = AtomicUsize::new(clones);
            let fragile = || {
                left.store(clones, Ordering::Relaxed);
                Fragile { left: &left, _token: drops.token(), drops: &drops }
            };
            let sources = || (0..1000usize).into_par_iter();
            assert_eq!(catch(|| drop(gather(sources().map(|_| fragile_item(&drops)).intersperse(None)))), Ok(()));
            let interspersed = catch(|| drop(gather(in_blocks(1000).map(|_| None).intersperse(Some(fragile())))));
            assert_eq!(interspersed, Err(3));
            let through_producer = catch(|| {
                let base = sources().map_with(fragile(), |_, i| i);
                drop(gather(Blocks { base, piece: 4, block: 1, how: How::Fold }));
            });
            assert_eq!(through_producer, Err(3));
            let mapped = catch(|| drop(gather(in_blocks(1000).map_with(fragile(), |_, i| i))));
            let folded = catch(|| drop(gather(in_blocks(1000).fold_with(fragile(), |value, _| value))));
            for outcome in [mapped, folded] {
                // In a hundred clones there is one for each piece.
                assert_eq!(outcome, if clones == 100 { Ok(()) } else { Err(3) });
            }
            drops.assert_all_dropped("values");
        }
    });
}

fn fragile_item(drops: &Drops) -> Option<std::sync::Arc<support::Token>> {
    Some(std::sync::Arc::new(drops.token()))
}

// ----- faces -------------------------------------------------------------------------------------------------------

#[test]
fn all_are_clone_and_debug() {
    fn name(iter: impl Clone + Debug) -> String {
        let text = format!("{:?}", iter.clone());
        assert!(text.contains("base: Iter"), "{text}");
        text.split([' ', '<']).next().unwrap_or("").to_owned()
    }
    let numbers = [1usize, 2];
    let base = || numbers.par_iter();
    let names = [
        name(base().map_with(1, |_, x| x)),
        name(base().map_init(|| 1, |_, x| x)),
        name(base().cloned()),
        name(base().copied()),
        name(base().inspect(|_| ())),
        name(base().update(|_| ())),
        name(base().filter(|_| true)),
        name(base().filter_map(Some)),
        name(base().flat_map(|_| 0..1usize)),
        name(base().flat_map_iter(Some)),
        name(base().panic_fuse()),
        name(base().intersperse(&3)),
        name(base().take_any(1)),
        name(base().skip_any(1)),
        name(base().take_any_while(|_| true)),
        name(base().skip_any_while(|_| true)),
        name(base().fold(|| 1, |n, _| n)),
        name(base().fold_with(1, |n, _| n)),
        name(base().try_fold(|| 1, |n, _| Some(n))),
        name(base().try_fold_with(1, |n, _| Some(n))),
        name(base().positions(|_| true)),
    ];
    let expected = "MapWith MapInit Cloned Copied Inspect Update Filter FilterMap FlatMap FlatMapIter PanicFuse \
                    Intersperse TakeAny SkipAny TakeAnyWhile SkipAnyWhile Fold FoldWith TryFold TryFoldWith Positions";
    assert_eq!(names.join(" "), expected);
}
