//! Parallel iterators whose types are forgotten, so that a test can combine every source with every adapter and every
//! terminal while it runs, and the compiler need not make code for each combination.
//!
//! Both ends are real: a [`Par`] drives the iterator in it with a stand-in for the consumer, and a [`Counted`] shows
//! its real producer through a stand-in, whose blocks end up in the real folder.
#![allow(dead_code)]

use std::marker::PhantomData;
use std::sync::Mutex;

use filch::iter::Affinity;
use filch::iter::plumbing::{Consumer, Folder, Place, Producer, ProducerCallback};
use filch::prelude::*;

use crate::support::{Rng, lock};

// ----- items on their way ------------------------------------------------------------------------------------------

/// Some plain iterator, fed to a folder.
trait Feed<T> {
    fn next(&mut self) -> Option<T>;
    fn rest(&mut self, each: &mut dyn FnMut(T));
    fn size_hint(&self) -> (usize, Option<usize>);
}

struct Feeding<I>(Option<I>);

impl<I: Iterator> Feed<I::Item> for Feeding<I> {
    fn next(&mut self) -> Option<I::Item> {
        self.0.as_mut()?.next()
    }

    /// As its own `fold` does it.
    fn rest(&mut self, each: &mut dyn FnMut(I::Item)) {
        self.0.take().into_iter().for_each(|iter| iter.for_each(&mut *each));
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.as_ref().map_or((0, Some(0)), Iterator::size_hint)
    }
}

struct Fed<'f, T>(&'f mut dyn Feed<T>);

impl<T> Iterator for Fed<'_, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }

    fn fold<A, F: FnMut(A, T) -> A>(self, init: A, mut f: F) -> A {
        let mut folded = Some(init);
        self.0.rest(&mut |item| folded = Some(f(folded.take().unwrap(), item)));
        folded.unwrap()
    }
}

trait DynFolder<T> {
    fn dyn_consume(&mut self, item: T);
    fn dyn_feed(&mut self, feed: &mut dyn Feed<T>);
    fn dyn_full(&self) -> bool;
    fn dyn_advance(&mut self, next: Place);
}

/// A real folder. It is not there while it is at work, or after it has panicked.
struct Held<F>(Option<F>);

impl<T, F: Folder<T>> DynFolder<T> for Held<F> {
    fn dyn_consume(&mut self, item: T) {
        self.0 = self.0.take().map(|folder| folder.consume(item));
    }

    fn dyn_feed(&mut self, feed: &mut dyn Feed<T>) {
        self.0 = self.0.take().map(|folder| folder.consume_iter(Fed(feed)));
    }

    fn dyn_full(&self) -> bool {
        self.0.as_ref().expect("a folder that is not at work").full()
    }

    fn dyn_advance(&mut self, next: Place) {
        self.0.as_mut().expect("a folder that is not at work").advance(next);
    }
}

/// A folder that is somebody else's.
struct Lent<'f, T>(&'f mut dyn DynFolder<T>);

impl<T> Folder<T> for Lent<'_, T> {
    type Result = ();

    fn consume(self, item: T) -> Self {
        self.0.dyn_consume(item);
        self
    }

    fn consume_iter<I: IntoIterator<Item = T>>(self, iter: I) -> Self {
        self.0.dyn_feed(&mut Feeding(Some(iter.into_iter())));
        self
    }

    fn complete(self) {}

    fn full(&self) -> bool {
        self.0.dyn_full()
    }

    fn advance(&mut self, next: Place) {
        self.0.dyn_advance(next);
    }
}

// ----- consumers ---------------------------------------------------------------------------------------------------

/// A result, by its number.
struct Ticket(usize);

trait DynConsumer<T>: Sync {
    fn dyn_folder<'c>(&'c self, place: Place) -> Box<dyn DynPiece<T> + 'c>;
    fn dyn_reduce(&self, left: Ticket, right: Ticket) -> Ticket;
    fn dyn_full(&self) -> bool;
}

trait DynPiece<T>: DynFolder<T> {
    fn dyn_complete(self: Box<Self>) -> Ticket;
    fn as_folder(&mut self) -> &mut dyn DynFolder<T>;
}

/// A real consumer, and the results of its folders.
struct Office<C: Consumer<T>, T> {
    consumer: Mutex<C>,
    results: Mutex<Vec<Option<C::Result>>>,
    items: PhantomData<fn(T)>,
}

impl<C: Consumer<T>, T> Office<C, T> {
    fn put(&self, result: C::Result) -> Ticket {
        let mut results = lock(&self.results);
        results.push(Some(result));
        Ticket(results.len() - 1)
    }

    fn get(&self, ticket: Ticket) -> C::Result {
        lock(&self.results)[ticket.0].take().expect("a result is used once")
    }

    fn consumer(&self) -> C {
        *lock(&self.consumer)
    }
}

impl<C: Consumer<T>, T> DynConsumer<T> for Office<C, T> {
    fn dyn_folder<'c>(&'c self, place: Place) -> Box<dyn DynPiece<T> + 'c> {
        let folder = self.consumer().into_folder(place);
        Box::new(PieceOf { office: self, folder: Held(Some(folder)) })
    }

    fn dyn_reduce(&self, left: Ticket, right: Ticket) -> Ticket {
        let (left, right) = (self.get(left), self.get(right));
        let both = self.consumer().reduce(left, right);
        self.put(both)
    }

    fn dyn_full(&self) -> bool {
        self.consumer().full()
    }
}

struct PieceOf<'c, C: Consumer<T>, T> {
    office: &'c Office<C, T>,
    folder: Held<C::Folder>,
}

impl<C: Consumer<T>, T> DynFolder<T> for PieceOf<'_, C, T> {
    fn dyn_consume(&mut self, item: T) {
        self.folder.dyn_consume(item);
    }

    fn dyn_feed(&mut self, feed: &mut dyn Feed<T>) {
        self.folder.dyn_feed(feed);
    }

    fn dyn_full(&self) -> bool {
        self.folder.dyn_full()
    }

    fn dyn_advance(&mut self, next: Place) {
        self.folder.dyn_advance(next);
    }
}

impl<C: Consumer<T>, T> DynPiece<T> for PieceOf<'_, C, T> {
    fn dyn_complete(self: Box<Self>) -> Ticket {
        let result = self.folder.0.expect("a folder that is not at work").complete();
        self.office.put(result)
    }

    fn as_folder(&mut self) -> &mut dyn DynFolder<T> {
        self
    }
}

struct AnyConsumer<'c, T>(&'c (dyn DynConsumer<T> + 'c));

impl<T> Copy for AnyConsumer<'_, T> {}

impl<T> Clone for AnyConsumer<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'c, T> Consumer<T> for AnyConsumer<'c, T> {
    type Folder = AnyFolder<'c, T>;
    type Result = Ticket;

    fn into_folder(self, place: Place) -> AnyFolder<'c, T> {
        AnyFolder(self.0.dyn_folder(place))
    }

    fn reduce(self, left: Ticket, right: Ticket) -> Ticket {
        self.0.dyn_reduce(left, right)
    }

    fn full(self) -> bool {
        self.0.dyn_full()
    }
}

struct AnyFolder<'c, T>(Box<dyn DynPiece<T> + 'c>);

impl<T> Folder<T> for AnyFolder<'_, T> {
    type Result = Ticket;

    fn consume(mut self, item: T) -> Self {
        self.0.dyn_consume(item);
        self
    }

    fn consume_iter<I: IntoIterator<Item = T>>(mut self, iter: I) -> Self {
        self.0.dyn_feed(&mut Feeding(Some(iter.into_iter())));
        self
    }

    fn complete(self) -> Ticket {
        self.0.dyn_complete()
    }

    fn full(&self) -> bool {
        self.0.dyn_full()
    }

    fn advance(&mut self, next: Place) {
        self.0.dyn_advance(next);
    }
}

// ----- iterators ---------------------------------------------------------------------------------------------------

trait DynIter<T>: Send {
    fn dyn_drive(self: Box<Self>, consumer: &dyn DynConsumer<T>, place: Place) -> Ticket;
    fn dyn_opt_len(&self) -> Option<usize>;
}

impl<I: ParallelIterator> DynIter<I::Item> for I {
    fn dyn_drive(self: Box<Self>, consumer: &dyn DynConsumer<I::Item>, place: Place) -> Ticket {
        self.drive(AnyConsumer(consumer), place)
    }

    fn dyn_opt_len(&self) -> Option<usize> {
        self.opt_len()
    }
}

/// Any parallel iterator.
pub struct Par<'a, T>(Box<dyn DynIter<T> + 'a>);

impl<'a, T: Send> Par<'a, T> {
    pub fn new(iter: impl ParallelIterator<Item = T> + 'a) -> Self {
        Par(Box::new(iter))
    }
}

impl<T: Send> ParallelIterator for Par<'_, T> {
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        let (consumer, results) = (Mutex::new(consumer), Mutex::new(Vec::new()));
        let office = Office { consumer, results, items: PhantomData };
        let ticket = self.0.dyn_drive(&office, place);
        office.get(ticket)
    }

    fn opt_len(&self) -> Option<usize> {
        self.0.dyn_opt_len()
    }
}

trait DynCounted<T>: DynIter<T> {
    fn dyn_len(&self) -> usize;
    fn dyn_with(self: Box<Self>, callback: &mut dyn for<'p> FnMut(Box<dyn DynProducer<'p, T> + 'p>));
}

impl<I: IndexedParallelIterator> DynCounted<I::Item> for I {
    fn dyn_len(&self) -> usize {
        self.len()
    }

    fn dyn_with(self: Box<Self>, callback: &mut dyn for<'p> FnMut(Box<dyn DynProducer<'p, I::Item> + 'p>)) {
        struct Callback<'f, T>(&'f mut dyn for<'p> FnMut(Box<dyn DynProducer<'p, T> + 'p>));
        impl<T> ProducerCallback<T> for Callback<'_, T> {
            type Output = ();

            fn callback<P: Producer<Item = T>>(self, producer: P) {
                (self.0)(Box::new(producer));
            }
        }
        self.with_producer(Callback(callback));
    }
}

/// Any indexed parallel iterator.
pub struct Counted<'a, T>(Box<dyn DynCounted<T> + 'a>);

impl<'a, T: Send + 'a> Counted<'a, T> {
    pub fn new(iter: impl IndexedParallelIterator<Item = T> + 'a) -> Self {
        Counted(Box::new(iter))
    }
}

impl<T: Send> ParallelIterator for Counted<'_, T> {
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        let (consumer, results) = (Mutex::new(consumer), Mutex::new(Vec::new()));
        let office = Office { consumer, results, items: PhantomData };
        let ticket = self.0.dyn_drive(&office, place);
        office.get(ticket)
    }

    fn opt_len(&self) -> Option<usize> {
        self.0.dyn_opt_len()
    }
}

impl<T: Send> IndexedParallelIterator for Counted<'_, T> {
    fn len(&self) -> usize {
        self.0.dyn_len()
    }

    fn with_producer<CB: ProducerCallback<T>>(self, callback: CB) -> CB::Output {
        let (mut callback, mut output) = (Some(callback), None);
        self.0.dyn_with(&mut |producer| {
            let callback = callback.take().expect("a callback is called once");
            output = Some(callback.callback(AnyProducer(producer)));
        });
        output.expect("the callback is called")
    }
}

/// `with_affinity` of an affinity of its own.
struct Attached<'a, T> {
    iter: Counted<'a, T>,
    affinity: Affinity,
}

pub fn attached<'a, T: Send + 'a>(iter: Counted<'a, T>) -> impl IndexedParallelIterator<Item = T> + 'a {
    Attached { iter, affinity: Affinity::new() }
}

impl<T: Send> ParallelIterator for Attached<'_, T> {
    type Item = T;

    fn drive<C: Consumer<T>>(mut self, consumer: C, place: Place) -> C::Result {
        self.iter.with_affinity(&mut self.affinity).drive(consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.iter.opt_len()
    }
}

impl<T: Send> IndexedParallelIterator for Attached<'_, T> {
    fn len(&self) -> usize {
        self.iter.len()
    }

    fn with_producer<CB: ProducerCallback<T>>(mut self, callback: CB) -> CB::Output {
        self.iter.with_affinity(&mut self.affinity).with_producer(callback)
    }
}

// ----- producers ---------------------------------------------------------------------------------------------------

pub trait BothEnds: DoubleEndedIterator + ExactSizeIterator {}

impl<I: DoubleEndedIterator + ExactSizeIterator> BothEnds for I {}

type BoxedProducer<'p, T> = Box<dyn DynProducer<'p, T> + 'p>;

trait DynProducer<'p, T>: Send {
    fn dyn_split_at(self: Box<Self>, index: usize) -> (BoxedProducer<'p, T>, BoxedProducer<'p, T>);
    fn dyn_into_iter(self: Box<Self>) -> Box<dyn BothEnds<Item = T> + 'p>;
    fn dyn_fold_with(self: Box<Self>, folder: &mut dyn DynFolder<T>);
    fn dyn_min_len(&self) -> usize;
    fn dyn_max_len(&self) -> usize;
}

impl<'p, P: Producer + 'p> DynProducer<'p, P::Item> for P {
    fn dyn_split_at(self: Box<Self>, index: usize) -> (BoxedProducer<'p, P::Item>, BoxedProducer<'p, P::Item>) {
        let (left, right) = self.split_at(index);
        (Box::new(left), Box::new(right))
    }

    fn dyn_into_iter(self: Box<Self>) -> Box<dyn BothEnds<Item = P::Item> + 'p> {
        Box::new((*self).into_iter())
    }

    fn dyn_fold_with(self: Box<Self>, folder: &mut dyn DynFolder<P::Item>) {
        self.fold_with(Lent(folder));
    }

    fn dyn_min_len(&self) -> usize {
        self.min_len()
    }

    fn dyn_max_len(&self) -> usize {
        self.max_len()
    }
}

struct AnyProducer<'p, T>(BoxedProducer<'p, T>);

impl<'p, T> Producer for AnyProducer<'p, T> {
    type Item = T;
    type IntoIter = Box<dyn BothEnds<Item = T> + 'p>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.dyn_into_iter()
    }

    fn min_len(&self) -> usize {
        self.0.dyn_min_len()
    }

    fn max_len(&self) -> usize {
        self.0.dyn_max_len()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let (left, right) = self.0.dyn_split_at(index);
        (AnyProducer(left), AnyProducer(right))
    }

    fn fold_with<F: Folder<T>>(self, folder: F) -> F {
        let mut held = Held(Some(folder));
        self.0.dyn_fold_with(&mut held);
        held.0.expect("a folder that is not at work")
    }
}

// ----- a source that is cut up at random --------------------------------------------------------------------------

/// A source that does by dice what the pool does by chance: it is run in pieces and blocks of all lengths, some of them
/// empty, some of the pieces in parallel.
pub struct Scattered<T> {
    pub items: Vec<T>,
    pub seed: u64,
}

impl<T: Send> ParallelIterator for Scattered<T> {
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        scatter(self.items, &mut Rng(self.seed), 0, consumer, place)
    }

    fn opt_len(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

fn scatter<T: Send, C: Consumer<T>>(
    mut items: Vec<T>,
    rng: &mut Rng,
    depth: u32,
    consumer: C,
    mut place: Place,
) -> C::Result {
    if depth < 5 && !rng.one_in(4) {
        let rest = items.split_off(rng.below(items.len() as u64 + 1) as usize);
        let (first, second) = place.split_for(Some(items.len()));
        let mut far = Rng(rng.next());
        let (left, right) = if rng.one_in(2) {
            filch::join(
                move || scatter(items, rng, depth + 1, consumer, first),
                move || scatter(rest, &mut far, depth + 1, consumer, second),
            )
        } else if rng.one_in(2) {
            let right = scatter(rest, &mut far, depth + 1, consumer, second);
            (scatter(items, rng, depth + 1, consumer, first), right)
        } else {
            let left = scatter(items, rng, depth + 1, consumer, first);
            (left, scatter(rest, &mut far, depth + 1, consumer, second))
        };
        return consumer.reduce(left, right);
    }
    let mut folder = None;
    while !items.is_empty() && !rng.one_in(6) {
        let rest = items.split_off(1 + rng.below(items.len() as u64) as usize);
        let (here, next) = place.split_for(Some(items.len()));
        place = next;
        let mut at_work = begin_or_advance(folder, consumer, here);
        if consumer.full() || at_work.full() {
            return at_work.complete();
        }
        if rng.one_in(4) {
            for item in items {
                at_work = at_work.consume(item);
                if at_work.full() {
                    break;
                }
            }
        } else {
            at_work = at_work.consume_iter(items);
        }
        if at_work.full() {
            return at_work.complete();
        }
        folder = Some(at_work);
        items = rest;
    }
    let folder = begin_or_advance(folder, consumer, place);
    if consumer.full() || folder.full() {
        return folder.complete();
    }
    folder.consume_iter(items).complete()
}

fn begin_or_advance<T, C: Consumer<T>>(folder: Option<C::Folder>, consumer: C, place: Place) -> C::Folder {
    match folder {
        None => consumer.into_folder(place),
        Some(mut folder) => {
            folder.advance(place);
            folder
        }
    }
}
