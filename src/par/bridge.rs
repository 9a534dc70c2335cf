//! From producers to consumers.

use crate::par::beyond::pieces;
use crate::par::indexed::IndexedParallelIterator;
use crate::par::piece;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Producer, ProducerCallback, UnindexedProducer};
use crate::par::stretch::{Counted, Stretch, Uncounted};
use crate::pool::enter::enter_current;
use crate::pool::handle::on_current;
use crate::pool::shared::Shared;
use crate::pool::{brief, current};
use crate::work::join::join;

/// Drives a counted iterator: what its [`drive`](crate::par::iter::ParallelIterator::drive) calls.
///
/// ```
/// use filch::iter::plumbing::{self, Consumer, Place, ProducerCallback};
/// use filch::prelude::*;
///
/// /// The squares below `end`, counted: what is made of counted iterators has their producer.
/// struct Squares {
///     end: u64,
/// }
///
/// impl ParallelIterator for Squares {
///     type Item = u64;
///
///     fn drive<C: Consumer<u64>>(self, consumer: C, place: Place) -> C::Result {
///         plumbing::bridge(self, consumer, place)
///     }
///
///     fn opt_len(&self) -> Option<usize> {
///         Some(self.len())
///     }
/// }
///
/// impl IndexedParallelIterator for Squares {
///     fn len(&self) -> usize {
///         self.end.isqrt() as usize + usize::from(self.end.isqrt().pow(2) < self.end)
///     }
///
///     fn with_producer<CB: ProducerCallback<u64>>(self, callback: CB) -> CB::Output {
///         (0..self.len()).into_par_iter().map(|n| (n * n) as u64).with_producer(callback)
///     }
/// }
///
/// assert_eq!(Squares { end: 26 }.collect::<Vec<_>>(), [0, 1, 4, 9, 16, 25]);
/// assert_eq!(Squares { end: 1_000_000 }.position_first(|square| square > 1000), Some(32));
/// ```
pub fn bridge<I, C>(iter: I, consumer: C, place: Place) -> C::Result
where
    I: IndexedParallelIterator,
    C: Consumer<I::Item>,
{
    struct Callback<C>(usize, C, Place);
    impl<C: Consumer<T>, T> ProducerCallback<T> for Callback<C> {
        type Output = C::Result;

        fn callback<P: Producer<Item = T>>(self, producer: P) -> C::Result {
            bridge_producer(self.0, producer, self.1, self.2)
        }
    }
    let len = iter.len();
    iter.with_producer(Callback(len, consumer, place))
}

/// Runs a producer of `len` items.
///
/// ```
/// use filch::iter::plumbing::{self, Consumer, Place, Producer};
/// use filch::prelude::*;
/// use std::{iter, slice};
///
/// /// The rows of a picture that is four bytes wide; the last may be shorter.
/// #[derive(Clone, Copy)]
/// struct Rows<'a>(&'a [u8]);
///
/// impl<'a> Producer for Rows<'a> {
///     type Item = &'a [u8];
///     type IntoIter = slice::Chunks<'a, u8>;
///
///     fn into_iter(self) -> Self::IntoIter {
///         self.0.chunks(4)
///     }
///
///     fn split_at(self, index: usize) -> (Self, Self) {
///         let (left, right) = self.0.split_at((4 * index).min(self.0.len()));
///         (Rows(left), Rows(right))
///     }
/// }
///
/// // If nobody asks how many rows there are, it need not be an indexed parallel iterator.
/// impl<'a> ParallelIterator for Rows<'a> {
///     type Item = &'a [u8];
///
///     fn drive<C: Consumer<Self::Item>>(self, consumer: C, place: Place) -> C::Result {
///         plumbing::bridge_producer(self.0.len().div_ceil(4), self, consumer, place)
///     }
/// }
///
/// let sums: Vec<u8> = Rows(&[1, 2, 3, 4, 5, 6]).map(|row| row.iter().sum()).collect();
/// assert_eq!(sums, [10, 11]);
/// ```
pub fn bridge_producer<P, C>(len: usize, producer: P, consumer: C, place: Place) -> C::Result
where
    P: Producer,
    C: Consumer<P::Item>,
{
    if const { P::OWNED } {
        if let Some(owners) = producer.owners().cloned() {
            return pieces::run(len, producer, &owners, consumer, place);
        }
    }
    bridge_freely(len, producer, consumer, place)
}

/// Runs a producer of `len` items, whoever is preferred for them.
pub(crate) fn bridge_freely<P, C>(len: usize, producer: P, consumer: C, place: Place) -> C::Result
where
    P: Producer,
    C: Consumer<P::Item>,
{
    drive(Counted::new(producer, len, place.over(len)), consumer)
}

#[inline]
fn drive<S, C>(stretch: S, consumer: C) -> C::Result
where
    S: Stretch,
    C: Consumer<S::Item>,
{
    // SAFETY: the reference does not leave this function.
    match unsafe { current::slot() } {
        Some(slot) => piece::start(slot, stretch, consumer),
        None => outside(stretch, consumer),
    }
}

/// Takes the loop into the pool.
#[inline(never)]
fn outside<S, C>(stretch: S, consumer: C) -> C::Result
where
    S: Stretch,
    C: Consumer<S::Item>,
{
    let mut pace = piece::recall(&stretch, &consumer);
    if pace.is_brief() && !current::is_hosted() {
        if let Some(guest) = brief::enter() {
            pace.set_alone(guest.slot.fork.unanswered());
            return piece::run(guest.slot, stretch, consumer, pace);
        }
    }
    enter_current(move |slot| piece::run(slot, stretch, consumer, pace))
}

/// Runs a producer that cannot be counted.
///
/// # Panics
/// If the place has indexes.
///
/// ```
/// use filch::iter::plumbing::{self, Consumer, Folder, Place, UnindexedProducer};
/// use filch::prelude::*;
///
/// /// An interval, cut into parts in which `f` is nearly straight: more of them where it bends.
/// #[derive(Clone, Copy)]
/// struct Straight {
///     from: f64,
///     to: f64,
///     f: fn(f64) -> f64,
/// }
///
/// impl Straight {
///     fn halves(self) -> Option<(Self, Self)> {
///         let (middle, mean) = ((self.from + self.to) / 2.0, ((self.f)(self.from) + (self.f)(self.to)) / 2.0);
///         let bends = (mean - (self.f)(middle)).abs() > 1e-6;
///         bends.then_some((Straight { to: middle, ..self }, Straight { from: middle, ..self }))
///     }
/// }
///
/// impl UnindexedProducer for Straight {
///     type Item = (f64, f64);
///
///     fn split(self) -> (Self, Option<Self>) {
///         self.halves().map_or((self, None), |(left, right)| (left, Some(right)))
///     }
///
///     fn fold_with<F: Folder<(f64, f64)>>(self, mut folder: F) -> F {
///         let mut parts = vec![self];
///         while let Some(part) = parts.pop() {
///             match part.halves() {
///                 Some((left, right)) => parts.extend([right, left]),
///                 None => folder = folder.consume((part.from, part.to)),
///             }
///             if folder.full() {
///                 break;
///             }
///         }
///         folder
///     }
/// }
///
/// impl ParallelIterator for Straight {
///     type Item = (f64, f64);
///
///     fn drive<C: Consumer<Self::Item>>(self, consumer: C, place: Place) -> C::Result {
///         plumbing::bridge_unindexed(self, consumer, place)
///     }
/// }
///
/// let parts = Straight { from: 0.0, to: std::f64::consts::PI, f: f64::sin };
/// let area: f64 = parts.map(|(from, to)| (to - from) * (from.sin() + to.sin()) / 2.0).sum();
/// assert!((area - 2.0).abs() < 1e-5);
/// ```
pub fn bridge_unindexed<P, C>(producer: P, consumer: C, place: Place) -> C::Result
where
    P: UnindexedProducer,
    C: Consumer<P::Item>,
{
    assert!(!place.is_indexed(), "what cannot be counted cannot fill a place with indexes: its `opt_len` is None");
    if consumer.full() {
        return consumer.into_folder(place).complete();
    }
    match producer.split_front(1) {
        Ok((front, None)) => front.fold_with(consumer.into_folder(place)).complete(),
        Ok((front, Some(rest))) => drive(Uncounted::begun(front, rest, place), consumer),
        Err(producer) => halves(on_current(Shared::most_at_once).ilog2() + 3, producer, consumer, place),
    }
}

fn halves<P, C>(depth: u32, producer: P, consumer: C, place: Place) -> C::Result
where
    P: UnindexedProducer,
    C: Consumer<P::Item>,
{
    if consumer.full() {
        return consumer.into_folder(place).complete();
    }
    if depth == 0 {
        return producer.fold_with(consumer.into_folder(place)).complete();
    }
    match producer.split() {
        (producer, None) => producer.fold_with(consumer.into_folder(place)).complete(),
        (left, Some(right)) => {
            let (left_place, right_place) = place.split();
            let (a, b) = join(
                move || halves(depth - 1, left, consumer, left_place),
                move || halves(depth - 1, right, consumer, right_place),
            );
            consumer.reduce(a, b)
        }
    }
}
