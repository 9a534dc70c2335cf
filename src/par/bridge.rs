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
    if pace.is_brief() && current::means_global() {
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
