//! `map_with` and `map_init`: a map whose pieces each have a value to work with.

use std::fmt;

use crate::par::adapters::start::{Kept, Made, Start};
use crate::par::indexed::IndexedParallelIterator;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder, Owners, Producer, ProducerCallback};

/// Made by [`map_with`](ParallelIterator::map_with).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct MapWith<I, T, F> {
    base: I,
    init: T,
    map_op: F,
}

impl<I, T, F> MapWith<I, T, F> {
    pub(crate) fn new(base: I, init: T, map_op: F) -> Self {
        MapWith { base, init, map_op }
    }
}

impl<I: fmt::Debug, T: fmt::Debug, F> fmt::Debug for MapWith<I, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapWith").field("base", &self.base).field("init", &self.init).finish_non_exhaustive()
    }
}

impl<I, T, F, R> ParallelIterator for MapWith<I, T, F>
where
    I: ParallelIterator,
    T: Send + Clone,
    F: Fn(&mut T, I::Item) -> R + Sync + Send,
    R: Send,
{
    type Item = R;

    fn drive<C: Consumer<R>>(self, consumer: C, place: Place) -> C::Result {
        let start = Kept::new(self.init);
        self.base.drive(MapConsumer { base: consumer, start: &start, map_op: &self.map_op }, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I, T, F, R> IndexedParallelIterator for MapWith<I, T, F>
where
    I: IndexedParallelIterator,
    T: Send + Clone,
    F: Fn(&mut T, I::Item) -> R + Sync + Send,
    R: Send,
{
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<R>>(self, callback: CB) -> CB::Output {
        self.base.with_producer(Callback { base: callback, share: Owned(self.init), map_op: self.map_op })
    }
}

/// Made by [`map_init`](ParallelIterator::map_init).
#[derive(Clone)]
#[must_use = "parallel iterators do nothing until they are consumed"]
pub struct MapInit<I, INIT, F> {
    base: I,
    init: Made<INIT>,
    map_op: F,
}

impl<I, INIT, F> MapInit<I, INIT, F> {
    pub(crate) fn new(base: I, init: INIT, map_op: F) -> Self {
        MapInit { base, init: Made(init), map_op }
    }
}

impl<I: fmt::Debug, INIT, F> fmt::Debug for MapInit<I, INIT, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MapInit").field("base", &self.base).finish_non_exhaustive()
    }
}

impl<I, INIT, T, F, R> ParallelIterator for MapInit<I, INIT, F>
where
    I: ParallelIterator,
    INIT: Fn() -> T + Sync + Send,
    F: Fn(&mut T, I::Item) -> R + Sync + Send,
    R: Send,
{
    type Item = R;

    fn drive<C: Consumer<R>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(MapConsumer { base: consumer, start: &self.init, map_op: &self.map_op }, place)
    }

    fn opt_len(&self) -> Option<usize> {
        self.base.opt_len()
    }
}

impl<I, INIT, T, F, R> IndexedParallelIterator for MapInit<I, INIT, F>
where
    I: IndexedParallelIterator,
    INIT: Fn() -> T + Sync + Send,
    F: Fn(&mut T, I::Item) -> R + Sync + Send,
    R: Send,
{
    fn len(&self) -> usize {
        self.base.len()
    }

    fn with_producer<CB: ProducerCallback<R>>(self, callback: CB) -> CB::Output {
        self.base.with_producer(Callback { base: callback, share: &self.init, map_op: self.map_op })
    }
}

// ----- on the producer's side --------------------------------------------------------------------------------------

/// What a producer holds of the value: it is split as the producer is, so that no lock is needed.
trait Share: Send + Sized {
    type Value;

    fn fork(&self) -> Self;

    fn begin(self) -> Self::Value;
}

/// A value that is cloned for the other half.
struct Owned<T>(T);

impl<T: Clone + Send> Share for Owned<T> {
    type Value = T;

    fn fork(&self) -> Self {
        Owned(self.0.clone())
    }

    fn begin(self) -> T {
        self.0
    }
}

/// Made afresh by each piece.
impl<S: Start> Share for &S {
    type Value = S::Value;

    fn fork(&self) -> Self {
        self
    }

    fn begin(self) -> S::Value {
        self.start()
    }
}

struct Callback<CB, H, F> {
    base: CB,
    share: H,
    map_op: F,
}

impl<T, H, F, R, CB> ProducerCallback<T> for Callback<CB, H, F>
where
    CB: ProducerCallback<R>,
    H: Share,
    F: Fn(&mut H::Value, T) -> R + Sync,
{
    type Output = CB::Output;

    fn callback<P: Producer<Item = T>>(self, producer: P) -> CB::Output {
        self.base.callback(MapProducer { base: producer, share: self.share, map_op: &self.map_op })
    }
}

struct MapProducer<'f, P, H, F> {
    base: P,
    share: H,
    map_op: &'f F,
}

impl<'f, P, H, F, R> Producer for MapProducer<'f, P, H, F>
where
    P: Producer,
    H: Share,
    F: Fn(&mut H::Value, P::Item) -> R + Sync,
{
    type Item = R;
    type IntoIter = MapIter<'f, P::IntoIter, H::Value, F>;
    const OWNED: bool = P::OWNED;

    fn into_iter(self) -> Self::IntoIter {
        MapIter { base: self.base.into_iter(), value: self.share.begin(), map_op: self.map_op }
    }

    fn min_len(&self) -> usize {
        self.base.min_len()
    }

    fn max_len(&self) -> usize {
        self.base.max_len()
    }

    fn owners(&self) -> Option<&Owners> {
        self.base.owners()
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let (left, right) = self.base.split_at(index);
        let share = self.share.fork();
        (MapProducer { base: left, share, ..self }, MapProducer { base: right, ..self })
    }

    fn fold_with<G: Folder<R>>(self, folder: G) -> G {
        self.base.fold_with(MapFolder { base: folder, value: self.share.begin(), map_op: self.map_op }).base
    }
}

struct MapIter<'f, I, V, F> {
    base: I,
    value: V,
    map_op: &'f F,
}

impl<I, V, F, R> Iterator for MapIter<'_, I, V, F>
where
    I: Iterator,
    F: Fn(&mut V, I::Item) -> R,
{
    type Item = R;

    #[inline]
    fn next(&mut self) -> Option<R> {
        let item = self.base.next()?;
        Some((self.map_op)(&mut self.value, item))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.base.size_hint()
    }
}

impl<I, V, F, R> DoubleEndedIterator for MapIter<'_, I, V, F>
where
    I: DoubleEndedIterator,
    F: Fn(&mut V, I::Item) -> R,
{
    #[inline]
    fn next_back(&mut self) -> Option<R> {
        let item = self.base.next_back()?;
        Some((self.map_op)(&mut self.value, item))
    }
}

impl<I, V, F, R> ExactSizeIterator for MapIter<'_, I, V, F>
where
    I: ExactSizeIterator,
    F: Fn(&mut V, I::Item) -> R,
{
    #[inline]
    fn len(&self) -> usize {
        self.base.len()
    }
}

// ----- on the consumer's side --------------------------------------------------------------------------------------

struct MapConsumer<'f, C, S, F> {
    base: C,
    start: &'f S,
    map_op: &'f F,
}

impl<C: Copy, S, F> Copy for MapConsumer<'_, C, S, F> {}

impl<C: Copy, S, F> Clone for MapConsumer<'_, C, S, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, R, C, S, F> Consumer<T> for MapConsumer<'f, C, S, F>
where
    C: Consumer<R>,
    S: Start,
    F: Fn(&mut S::Value, T) -> R + Sync,
{
    type Folder = MapFolder<'f, C::Folder, S::Value, F>;
    type Result = C::Result;
    const SEARCHES: bool = C::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        MapFolder { base: self.base.into_folder(place), value: self.start.start(), map_op: self.map_op }
    }

    fn reduce(self, left: C::Result, right: C::Result) -> C::Result {
        self.base.reduce(left, right)
    }

    fn full(self) -> bool {
        self.base.full()
    }

    fn full_at(self, label: u64) -> bool {
        self.base.full_at(label)
    }
}

struct MapFolder<'f, G, V, F> {
    base: G,
    value: V,
    map_op: &'f F,
}

impl<T, R, G, V, F> Folder<T> for MapFolder<'_, G, V, F>
where
    G: Folder<R>,
    F: Fn(&mut V, T) -> R,
{
    type Result = G::Result;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        let mapped = (self.map_op)(&mut self.value, item);
        MapFolder { base: self.base.consume(mapped), ..self }
    }

    #[inline]
    fn consume_iter<It: IntoIterator<Item = T>>(self, iter: It) -> Self {
        let MapFolder { base, mut value, map_op } = self;
        let base = base.consume_iter(iter.into_iter().map(|item| map_op(&mut value, item)));
        MapFolder { base, value, map_op }
    }

    fn complete(self) -> G::Result {
        self.base.complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.base.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.base.advance(next);
    }
}
