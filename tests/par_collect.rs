//! Collecting the items of parallel iterators: into every collection that can be, compared with what plain iterators
//! make; early ends, panics, drops; and iterators that do not keep to the rules.

mod support;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::{OsStr, OsString};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use filch::iter::Either;
use filch::iter::plumbing::{Consumer, Folder, Place};
use filch::prelude::*;

use support::{Drops, Token, catch, note, plan, pool, with_deadline};

const LENGTHS: [usize; 9] = [0, 1, 2, 3, 17, 64, 999, 1000, 100_000];
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

/// As many items, but nobody knows how many.
struct Uncounted<I>(I);

impl<I: ParallelIterator> ParallelIterator for Uncounted<I> {
    type Item = I::Item;

    fn drive<C: Consumer<I::Item>>(self, consumer: C, place: Place) -> C::Result {
        self.0.drive(consumer, place)
    }
}

fn counted(len: usize) -> impl IndexedParallelIterator<Item = usize> {
    (0..len).into_par_iter()
}

fn uncounted(len: usize) -> impl ParallelIterator<Item = usize> {
    Uncounted((0..len).into_par_iter())
}

// ----- vectors -----------------------------------------------------------------------------------------------------

#[test]
fn vectors() {
    for_lengths(&LENGTHS, |len| {
        let expected: Vec<usize> = (0..len).map(|n| n * 3).collect();
        assert_eq!(counted(len).map(|n| n * 3).collect::<Vec<_>>(), expected);
        assert_eq!(uncounted(len).map(|n| n * 3).collect::<Vec<_>>(), expected);
        assert_eq!(*counted(len).map(|n| n * 3).collect::<Box<[_]>>(), *expected);
        assert_eq!(*uncounted(len).map(|n| n * 3).collect::<Rc<[_]>>(), *expected);
        assert_eq!(*counted(len).map(|n| n * 3).collect::<Arc<[_]>>(), *expected);
        assert_eq!(counted(len).map(|n| n * 3).collect::<Cow<'_, [usize]>>(), expected);
    });
}

#[test]
fn vectors_are_extended() {
    for_lengths(&LENGTHS, |len| {
        let expected: Vec<usize> = [7, 8].into_iter().chain(0..len).chain(0..len).chain(0..len).collect();
        let mut vec = vec![7, 8];
        vec.par_extend(counted(len));
        vec.par_extend(uncounted(len));
        let source: Vec<usize> = (0..len).collect();
        vec.par_extend(&source[..]);
        assert_eq!(vec, expected);
    });
}

#[test]
fn items_without_a_size_and_items_that_are_owned() {
    for_lengths(&LENGTHS, |len| {
        assert_eq!(counted(len).map(|_| ()).collect::<Vec<()>>().len(), len);
        assert_eq!(uncounted(len).map(|_| ()).collect::<Vec<()>>().len(), len);
        let strings: Vec<String> = counted(len).map(|n| n.to_string()).collect();
        assert!(strings.iter().enumerate().all(|(n, string)| *string == n.to_string()));
    });
}

#[test]
fn one_piece_keeps_its_vector() {
    with_deadline(60, || {
        // Nothing to split: one folder, and its buffer is the result as it is.
        let at = AtomicUsize::new(0);
        struct One<'a>(&'a AtomicUsize);
        impl ParallelIterator for One<'_> {
            type Item = [u64; 64];

            fn drive<C: Consumer<[u64; 64]>>(self, consumer: C, place: Place) -> C::Result {
                self.0.fetch_add(1, Ordering::Relaxed);
                consumer.into_folder(place).consume_iter((0..100).map(|n| [n; 64])).complete()
            }
        }
        let vec: Vec<[u64; 64]> = One(&at).collect();
        assert_eq!((vec.len(), at.into_inner()), (100, 1));
        let mut list = One(&AtomicUsize::new(0)).collect_vec_list();
        assert_eq!(list.len(), 1);
        let piece = list.pop_front().unwrap();
        assert_eq!(vec, piece);
        // A vector with memory of its own keeps that.
        let mut reserved = Vec::with_capacity(1000);
        let memory: *const [u64; 64] = reserved.as_ptr();
        reserved.par_extend(One(&AtomicUsize::new(0)));
        assert_eq!(reserved.as_ptr(), memory);
    });
}

#[test]
fn into_vectors_that_exist() {
    for_lengths(&LENGTHS, |len| {
        let mut vec = vec![String::from("old"); 500];
        let memory = vec.as_ptr();
        counted(len).map(|n| n.to_string()).collect_into_vec(&mut vec);
        assert!(len > 500 || vec.as_ptr() == memory);
        assert!(vec.iter().cloned().eq((0..len).map(|n| n.to_string())));
        let (mut left, mut right) = (vec![1; 10], vec![String::from("old")]);
        counted(len).map(|n| (n, n.to_string())).unzip_into_vecs(&mut left, &mut right);
        assert!(left.into_iter().eq(0..len));
        assert_eq!(right, vec);
    });
}

#[test]
fn lists_of_vectors() {
    for_lengths(&LENGTHS, |len| {
        for list in [counted(len).collect_vec_list(), uncounted(len).collect_vec_list()] {
            assert!(list.iter().all(|vec| !vec.is_empty()));
            assert!(list.into_iter().flatten().eq(0..len));
        }
    });
}

// ----- other collections -------------------------------------------------------------------------------------------

/// Collects and extends, and compares with what the standard library makes of the same items.
macro_rules! same_as_std {
    ($len:expr, $collection:ty, $item:expr) => {{
        let (len, item) = ($len, $item);
        let expected: $collection = (0..len).map(item).collect();
        assert_eq!(counted(len).map(item).collect::<$collection>(), expected);
        assert_eq!(uncounted(len).map(item).collect::<$collection>(), expected);
        let mut twice: $collection = (0..len / 2).map(item).collect();
        twice.par_extend((len / 2..len).into_par_iter().map(item));
        assert_eq!(twice, expected);
    }};
}

/// Extends with copies of what references point to.
macro_rules! copies {
    ($len:expr, $collection:ty, $item:expr) => {{
        let source: Vec<_> = (0..$len).map($item).collect();
        let expected: $collection = source.iter().copied().collect();
        let mut copies = <$collection>::default();
        copies.par_extend(&source);
        assert_eq!(copies, expected);
    }};
}

#[test]
fn queues_lists_and_sets() {
    for_lengths(&[0, 1, 2, 3, 17, 1000, 10_000], |len| {
        same_as_std!(len, VecDeque<usize>, |n| n + 1);
        same_as_std!(len, LinkedList<usize>, |n| n + 1);
        same_as_std!(len, BTreeSet<usize>, |n| n / 3);
        same_as_std!(len, HashSet<usize>, |n| n / 3);
        same_as_std!(len, BTreeMap<usize, usize>, |n| (n / 3, n));
        same_as_std!(len, HashMap<usize, usize>, |n| (n / 3, n));
        copies!(len, VecDeque<usize>, |n| n + 1);
        copies!(len, LinkedList<usize>, |n| n + 1);
        copies!(len, BTreeSet<usize>, |n| n / 3);
        copies!(len, HashSet<usize>, |n| n / 3);
        let heap: BinaryHeap<usize> = counted(len).map(|n| n * 7 % 101).collect();
        let expected: BinaryHeap<usize> = (0..len).map(|n| n * 7 % 101).collect();
        assert_eq!(heap.into_sorted_vec(), expected.into_sorted_vec());
    });
}

#[test]
fn maps_of_references_and_heaps_are_extended() {
    for_lengths(&[0, 1, 3, 1000], |len| {
        let pairs: Vec<(usize, u8)> = (0..len).map(|n| (n / 2, n as u8)).collect();
        let mut hash = HashMap::new();
        hash.par_extend(pairs.par_iter().map(|(key, value)| (key, value)));
        assert_eq!(hash, pairs.iter().copied().collect());
        let mut tree = BTreeMap::new();
        tree.par_extend(pairs.par_iter().map(|(key, value)| (key, value)));
        assert_eq!(tree, pairs.iter().copied().collect());
        let numbers: Vec<usize> = (0..len).map(|n| n % 10).collect();
        let mut heap = BinaryHeap::from([5]);
        heap.par_extend(&numbers);
        heap.par_extend(counted(len));
        let mut expected: Vec<usize> = numbers.iter().copied().chain([5]).chain(0..len).collect();
        expected.sort_unstable();
        assert_eq!(heap.into_sorted_vec(), expected);
    });
}

#[test]
fn nothing_is_collected_into_nothing() {
    for_lengths(&LENGTHS, |len| {
        let calls = AtomicUsize::new(0);
        let call = |_| {
            calls.fetch_add(1, Ordering::Relaxed);
        };
        let () = counted(len).map(call).collect();
        ().par_extend(counted(len).map(call));
        assert_eq!(calls.into_inner(), 2 * len);
        let result: Result<(), usize> = counted(len).map(|n| if n == 5 { Err(n) } else { Ok(()) }).collect();
        assert_eq!(result, if len > 5 { Err(5) } else { Ok(()) });
    });
}

#[test]
fn strings() {
    for_lengths(&[0, 1, 2, 3, 17, 1000, 10_000], |len| {
        let letter = |n: usize| char::from_u32(0x60 + n as u32 % 500).unwrap();
        let expected: String = (0..len).map(letter).collect();
        let chars: Vec<char> = expected.chars().collect();
        let parts: Vec<String> = (0..len).map(|n| letter(n).to_string()).collect();
        assert_eq!(counted(len).map(letter).collect::<String>(), expected);
        assert_eq!(uncounted(len).map(letter).collect::<String>(), expected);
        assert_eq!(chars.par_iter().collect::<String>(), expected);
        assert_eq!(parts.par_iter().map(String::as_str).collect::<String>(), expected);
        assert_eq!(parts.par_iter().map(String::clone).collect::<String>(), expected);
        assert_eq!(parts.par_iter().map(|s| s.clone().into_boxed_str()).collect::<String>(), expected);
        assert_eq!(parts.par_iter().map(|s| Cow::from(s.as_str())).collect::<String>(), expected);
        assert_eq!(*parts.par_iter().map(String::clone).collect::<Box<str>>(), expected);
        assert_eq!(*counted(len).map(letter).collect::<Box<str>>(), expected);
        assert_eq!(counted(len).map(letter).collect::<Cow<'_, str>>(), expected);
        assert_eq!(parts.par_iter().map(OsStr::new).collect::<OsString>(), *expected);
        assert_eq!(parts.par_iter().map(OsString::from).collect::<OsString>(), *expected);
        assert_eq!(parts.par_iter().map(|s| Cow::from(OsStr::new(s))).collect::<OsString>(), *expected);
        let mut longer = String::from("x");
        longer.par_extend(counted(len).map(letter));
        longer.par_extend(&chars);
        longer.par_extend(parts.clone().par_iter().map(String::as_str));
        assert_eq!(longer, format!("x{expected}{expected}{expected}"));
    });
}

// ----- options and results -----------------------------------------------------------------------------------------

#[test]
fn options_and_results() {
    for_lengths(&LENGTHS, |len| {
        let all: Option<Vec<usize>> = counted(len).map(Some).collect();
        assert_eq!(all, Some((0..len).collect()));
        let all: Result<Vec<usize>, ()> = uncounted(len).map(Ok).collect();
        assert_eq!(all, Ok((0..len).collect()));
        for bad in [0, len / 2, len.saturating_sub(1)] {
            let some: Option<Vec<usize>> = counted(len).map(|n| (n != bad).then_some(n)).collect();
            assert_eq!(some.is_none(), bad < len);
            let ok: Result<HashSet<usize>, String> =
                uncounted(len).map(|n| if n == bad { Err(n.to_string()) } else { Ok(n) }).collect();
            assert_eq!(ok.err(), (bad < len).then(|| bad.to_string()));
        }
    });
}

#[test]
fn errors_end_the_loop_and_are_dropped() {
    for_lengths(&[100_000], |len| {
        let drops = Drops::default();
        let seen = AtomicUsize::new(0);
        let result: Result<Vec<Token>, (usize, Token)> = counted(len)
            .map(|n| {
                seen.fetch_add(1, Ordering::Relaxed);
                if n % 10 == 3 { Err((n, drops.token())) } else { Ok(drops.token()) }
            })
            .collect();
        assert!(result.is_err_and(|(n, _)| n % 10 == 3));
        drops.assert_all_dropped("what was collected, and errors");
        assert!(seen.into_inner() < len, "the first error ends the loop");
    });
}

// ----- pairs -------------------------------------------------------------------------------------------------------

#[test]
fn pairs_into_two() {
    for_lengths(&LENGTHS, |len| {
        let (left, right): (Vec<usize>, Vec<String>) = counted(len).map(|n| (n, n.to_string())).unzip();
        assert!(left.iter().copied().eq(0..len));
        assert!(right.iter().cloned().eq((0..len).map(|n| n.to_string())));
        let (left, right): (Vec<usize>, HashSet<usize>) = uncounted(len).map(|n| (n, n / 2)).unzip();
        assert!(left.iter().copied().eq(0..len));
        assert_eq!(right, (0..len).map(|n| n / 2).collect());
        let (left, right): (LinkedList<usize>, Vec<()>) = counted(len).map(|n| (n, ())).collect();
        assert!(left.into_iter().eq(0..len));
        assert_eq!(right.len(), len);
    });
}

#[test]
fn pairs_of_pairs() {
    type Four = ((Vec<usize>, Vec<usize>), (BTreeSet<usize>, Vec<usize>));
    for_lengths(&LENGTHS, |len| {
        let expected: Four =
            (((0..len).collect(), (1..=len).collect()), ((2..len + 2).collect(), (3..len + 3).collect()));
        let four = |n| ((n, n + 1), (n + 2, n + 3));
        assert_eq!(counted(len).map(four).unzip::<_, _, (Vec<_>, Vec<_>), (BTreeSet<_>, Vec<_>)>(), expected);
        assert_eq!(uncounted(len).map(four).collect::<Four>(), expected);
        let mut extended = Four::default();
        extended.par_extend(counted(len).map(four));
        assert_eq!(extended, expected);
    });
}

#[test]
fn pairs_of_results() {
    for_lengths(&[1000], |len| {
        let (left, right): (Vec<usize>, Result<Vec<usize>, usize>) =
            counted(len).map(|n| (n, if n == 700 { Err(n) } else { Ok(n) })).collect();
        // The left side is not cut short by the right one's early end.
        assert!(left.into_iter().eq(0..len));
        assert_eq!(right, Err(700));
    });
}

#[test]
fn partitions() {
    for_lengths(&LENGTHS, |len| {
        let (even, odd): (Vec<usize>, LinkedList<usize>) = counted(len).partition(|n| n % 2 == 0);
        assert!(even.into_iter().eq((0..len).step_by(2)));
        assert!(odd.into_iter().eq((1..len.max(1)).step_by(2)));
        let side = |n: usize| if n % 3 == 0 { Either::Left(n) } else { Either::Right(n.to_string()) };
        let threes: Vec<usize> = (0..len).filter(|n| n % 3 == 0).collect();
        let others: Vec<String> = (0..len).filter(|n| n % 3 != 0).map(|n| n.to_string()).collect();
        let expected = (threes, others);
        assert_eq!(uncounted(len).partition_map::<Vec<_>, Vec<_>, _, _, _>(side), expected);
        assert_eq!(counted(len).map(side).collect::<(Vec<_>, Vec<_>)>(), expected);
        let mut extended = (Vec::new(), Vec::new());
        extended.par_extend(counted(len).map(side));
        assert_eq!(extended, expected);
    });
}

// ----- panics ------------------------------------------------------------------------------------------------------

#[test]
fn a_panic_drops_everything_once() {
    with_deadline(120, || {
        for workers in WORKERS {
            let pool = pool(workers);
            for len in [1, 2, 3, 1000, 10_000] {
                for bad in [0, len / 3, len / 2, len - 1] {
                    note(format!("{workers} workers, {bad} of {len}"));
                    let drops = Drops::default();
                    let token = |n| if n == bad { plan(n as u64) } else { drops.token() };
                    let panicked = |result: Result<(), u64>| {
                        assert_eq!(result, Err(bad as u64));
                        drops.assert_all_dropped("collected before the panic");
                    };
                    panicked(catch(|| pool.install(|| drop(counted(len).map(token).collect::<Vec<_>>()))));
                    panicked(catch(|| pool.install(|| drop(uncounted(len).map(token).collect::<Vec<_>>()))));
                    panicked(catch(|| {
                        let pair = |n| (drops.token(), token(n));
                        pool.install(|| drop(counted(len).map(pair).unzip::<_, _, Vec<_>, Vec<_>>()));
                    }));
                    let mut old = vec![drops.token(), drops.token()];
                    let result = catch(|| pool.install(|| old.par_extend(counted(len).map(token))));
                    assert_eq!((result, old.len()), (Err(bad as u64), 2));
                    drop(old);
                    panicked(Err(bad as u64));
                }
            }
        }
    });
}

#[test]
fn a_panic_in_the_middle_of_nothing_leaves_the_right_count() {
    // Items without a size, whose drops are counted outside.
    static ALIVE: AtomicUsize = AtomicUsize::new(0);
    struct Nothing;
    impl Nothing {
        fn new() -> Self {
            ALIVE.fetch_add(1, Ordering::SeqCst);
            Nothing
        }
    }
    impl Drop for Nothing {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    for_lengths(&[1, 2, 1000], |len| {
        let bad = len * 2 / 3;
        let make = |n| if n == bad { plan(1) } else { Nothing::new() };
        assert_eq!(catch(|| drop(counted(len).map(make).collect::<Vec<_>>())), Err(1));
        assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
        let all: Vec<Nothing> = counted(len).map(|_| Nothing::new()).collect();
        assert_eq!((all.len(), ALIVE.load(Ordering::SeqCst)), (len, len));
        drop(all);
        assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
    });
}

// ----- iterators that do not keep to the rules ---------------------------------------------------------------------

/// What is done with the consumer of `len` promised tokens.
trait Misdeed: Send {
    fn drive<C: Consumer<Token>>(self, tokens: &Drops, consumer: C, place: Place) -> C::Result;
}

struct Ill<'d, M>(&'d Drops, usize, M);

impl<M: Misdeed> ParallelIterator for Ill<'_, M> {
    type Item = Token;

    fn drive<C: Consumer<Token>>(self, consumer: C, place: Place) -> C::Result {
        self.2.drive(self.0, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.1)
    }
}

/// Collects into a vector that has two items already; gives how many it has then, or the panic's message.
fn collect_ill<M: Misdeed>(len: usize, misdeed: M) -> Result<usize, String> {
    let drops = Drops::default();
    let mut vec = vec![drops.token(), drops.token()];
    vec.reserve(100);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| vec.par_extend(Ill(&drops, len, misdeed))));
    let result = match result {
        Ok(()) => Ok(vec.len()),
        Err(payload) => {
            assert_eq!(vec.len(), 2, "a panic leaves the vector as it was");
            Err(payload
                .downcast_ref::<String>()
                .cloned()
                .unwrap_or_else(|| payload.downcast_ref::<&str>().copied().expect("a message").to_owned()))
        }
    };
    drop(vec);
    drops.assert_all_dropped("whatever was written");
    result
}

macro_rules! misdeed {
    ($name:ident, |$tokens:ident, $consumer:ident, $place:ident| $body:expr) => {
        struct $name;
        impl Misdeed for $name {
            fn drive<C: Consumer<Token>>(self, $tokens: &Drops, $consumer: C, $place: Place) -> C::Result {
                $body
            }
        }
    };
}

fn feed<F: Folder<Token>>(mut folder: F, tokens: &Drops, count: usize) -> F {
    for _ in 0..count {
        folder = folder.consume(tokens.token());
    }
    folder
}

#[test]
fn too_many_and_too_few() {
    misdeed!(Three, |tokens, consumer, place| feed(consumer.into_folder(place), tokens, 3).complete());
    misdeed!(ThreeAtOnce, |tokens, consumer, place| {
        consumer.into_folder(place).consume_iter((0..3).map(|_| tokens.token())).complete()
    });
    misdeed!(Hint, |tokens, consumer, place| {
        // An iterator whose hint lies.
        struct Lies<'d>(&'d Drops, usize);
        impl Iterator for Lies<'_> {
            type Item = Token;

            fn next(&mut self) -> Option<Token> {
                self.1 = self.1.checked_sub(1)?;
                Some(self.0.token())
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (2, Some(2))
            }
        }
        consumer.into_folder(place).consume_iter(Lies(tokens, 3)).complete()
    });
    with_deadline(60, || {
        for len in [0, 1, 2] {
            assert!(collect_ill(len, Three).unwrap_err().contains("too many values"));
            assert!(collect_ill(len, ThreeAtOnce).unwrap_err().contains("too many values"));
            assert!(collect_ill(len, Hint).unwrap_err().contains("too many values"));
        }
        assert_eq!(collect_ill(3, Three), Ok(5));
        assert_eq!(collect_ill(3, ThreeAtOnce), Ok(5));
        assert_eq!(collect_ill(3, Hint), Ok(5));
        assert!(collect_ill(4, Three).unwrap_err().contains("expected 4 total writes, but got 3"));
        assert!(collect_ill(100, ThreeAtOnce).unwrap_err().contains("expected 100 total writes, but got 3"));
    });
}

#[test]
fn results_that_do_not_fit() {
    misdeed!(InOrder, |tokens, consumer, place| {
        let (left, right) = place.split_at(3);
        let right = feed(consumer.into_folder(right), tokens, 4).complete();
        let left = feed(consumer.into_folder(left), tokens, 3).complete();
        consumer.reduce(left, right)
    });
    misdeed!(Swapped, |tokens, consumer, place| {
        let (left, right) = place.split_at(3);
        let left = feed(consumer.into_folder(left), tokens, 3).complete();
        let right = feed(consumer.into_folder(right), tokens, 4).complete();
        consumer.reduce(right, left)
    });
    misdeed!(LeftForgotten, |tokens, consumer, place| {
        let (left, right) = place.split_at(3);
        drop(feed(consumer.into_folder(left), tokens, 3));
        feed(consumer.into_folder(right), tokens, 4).complete()
    });
    misdeed!(Hole, |tokens, consumer, place| {
        let (left, right) = place.split_at(3);
        let left = feed(consumer.into_folder(left), tokens, 2).complete();
        let right = feed(consumer.into_folder(right), tokens, 4).complete();
        consumer.reduce(left, right)
    });
    misdeed!(LeftTooLong, |tokens, consumer, place| {
        let (left, _right) = place.split_at(3);
        feed(consumer.into_folder(left), tokens, 7).complete()
    });
    with_deadline(60, || {
        assert_eq!(collect_ill(7, InOrder), Ok(9));
        assert!(collect_ill(7, Swapped).unwrap_err().contains("expected 7 total writes, but got 4"));
        assert!(collect_ill(7, LeftForgotten).unwrap_err().contains("expected 7 total writes, but got 4"));
        assert!(collect_ill(7, Hole).unwrap_err().contains("expected 7 total writes, but got 2"));
        assert!(collect_ill(7, LeftTooLong).unwrap_err().contains("too many values"));
    });
}

#[test]
fn pieces_that_go_on() {
    misdeed!(Blocks, |tokens, consumer, place| {
        let (first, rest) = place.split_at(3);
        let (second, third) = rest.split_at(1);
        let mut folder = feed(consumer.into_folder(first), tokens, 3);
        folder.advance(second);
        folder = feed(folder, tokens, 1);
        folder.advance(third);
        folder.consume_iter((0..3).map(|_| tokens.token())).complete()
    });
    misdeed!(Leap, |tokens, consumer, place| {
        let (first, rest) = place.split_at(3);
        let (_second, third) = rest.split_at(1);
        let mut folder = feed(consumer.into_folder(first), tokens, 3);
        folder.advance(third);
        folder.complete()
    });
    misdeed!(Back, |tokens, consumer, place| {
        let (first, second) = place.split_at(3);
        let mut folder = feed(consumer.into_folder(second), tokens, 4);
        folder.advance(first);
        folder.complete()
    });
    misdeed!(Short, |tokens, consumer, place| {
        let (first, second) = place.split_at(3);
        let mut folder = feed(consumer.into_folder(first), tokens, 1);
        folder.advance(second);
        feed(folder, tokens, 4).complete()
    });
    with_deadline(60, || {
        assert_eq!(collect_ill(7, Blocks), Ok(9));
        assert!(collect_ill(7, Leap).unwrap_err().contains("right behind"));
        assert!(collect_ill(7, Back).unwrap_err().contains("right behind"));
        assert!(collect_ill(7, Short).unwrap_err().contains("expected 7 total writes, but got 5"));
    });
}

#[test]
fn places_of_other_loops() {
    misdeed!(Whole, |tokens, consumer, _place| feed(consumer.into_folder(Place::whole()), tokens, 3).complete());
    misdeed!(Inside, |tokens, consumer, place| feed(consumer.into_folder(place.inside()), tokens, 3).complete());
    misdeed!(Twice, |tokens, consumer, place| {
        let again = place.inside();
        let left = feed(consumer.into_folder(place), tokens, 3).complete();
        let right = feed(consumer.into_folder(again), tokens, 3).complete();
        consumer.reduce(left, right)
    });
    // The place of a second, equal loop, which is driven inside of the first.
    struct Smuggles<'p>(&'p std::sync::Mutex<Option<Place>>);
    impl Misdeed for Smuggles<'_> {
        fn drive<C: Consumer<Token>>(self, tokens: &Drops, consumer: C, place: Place) -> C::Result {
            *support::lock(self.0) = Some(place);
            feed(consumer.into_folder(Place::whole()), tokens, 3).complete()
        }
    }
    struct Receives<'p>(&'p std::sync::Mutex<Option<Place>>, bool);
    impl Misdeed for Receives<'_> {
        fn drive<C: Consumer<Token>>(self, tokens: &Drops, consumer: C, place: Place) -> C::Result {
            assert!(collect_ill(3, Smuggles(self.0)).is_err());
            let foreign = support::lock(self.0).take().expect("the inner loop has left its place");
            if self.1 {
                return feed(consumer.into_folder(foreign), tokens, 3).complete();
            }
            let (left, _) = place.split_at(0);
            let mut folder = consumer.into_folder(left);
            folder.advance(foreign);
            feed(folder, tokens, 3).complete()
        }
    }
    with_deadline(60, || {
        let foreign = "place of another loop";
        assert!(collect_ill(3, Whole).unwrap_err().contains(foreign));
        assert!(collect_ill(3, Inside).unwrap_err().contains(foreign));
        assert!(collect_ill(3, Twice).unwrap_err().contains(foreign));
        let left = std::sync::Mutex::new(None);
        assert!(collect_ill(3, Receives(&left, true)).unwrap_err().contains(foreign));
        assert!(collect_ill(3, Receives(&left, false)).unwrap_err().contains(foreign));
    });
}
