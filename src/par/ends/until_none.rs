//! Collecting `Option`s and `Result`s: the loop ends at the first item that says so.

use crate::ground::sync::{AtomicBool, Mutex, Ordering};
use crate::par::into::{FromParallelIterator, IntoParallelIterator};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// `None` if any item is. The loop ends early then.
impl<C, T> FromParallelIterator<Option<T>> for Option<C>
where
    C: FromParallelIterator<T>,
    T: Send,
{
    fn from_par_iter<I: IntoParallelIterator<Item = Option<T>>>(par_iter: I) -> Self {
        let stop = AtomicBool::new(false);
        let collection = C::from_par_iter(UntilNone { base: par_iter.into_par_iter(), op: |item| item, stop: &stop });
        (!stop.into_inner()).then_some(collection)
    }
}

/// An error if any item is one: if there are several, any of them. The loop ends early then.
impl<C, T, E> FromParallelIterator<Result<T, E>> for Result<C, E>
where
    C: FromParallelIterator<T>,
    T: Send,
    E: Send,
{
    fn from_par_iter<I: IntoParallelIterator<Item = Result<T, E>>>(par_iter: I) -> Self {
        let stop = AtomicBool::new(false);
        let error = Mutex::new(None);
        let keep = |kept: E| {
            // Moved under the lock, but not dropped: what is not kept falls after it.
            let mut place = error.lock();
            if place.is_some() { Some(kept) } else { place.replace(kept) }
        };
        let op = |item: Result<T, E>| item.map_err(|new| drop(keep(new))).ok();
        let collection = C::from_par_iter(UntilNone { base: par_iter.into_par_iter(), op, stop: &stop });
        match error.into_inner() {
            Some(error) => Err(error),
            None => Ok(collection),
        }
    }
}

/// What `op` makes of the items, until for one of them it makes nothing.
struct UntilNone<'s, I, F> {
    base: I,
    op: F,
    stop: &'s AtomicBool,
}

impl<I, F, T> ParallelIterator for UntilNone<'_, I, F>
where
    I: ParallelIterator,
    F: Fn(I::Item) -> Option<T> + Sync + Send,
    T: Send,
{
    type Item = T;

    fn drive<C: Consumer<T>>(self, consumer: C, place: Place) -> C::Result {
        self.base.drive(UntilNoneConsumer { base: consumer, op: &self.op, stop: self.stop }, place)
    }
}

struct UntilNoneConsumer<'f, C, F> {
    base: C,
    op: &'f F,
    stop: &'f AtomicBool,
}

impl<C: Copy, F> Copy for UntilNoneConsumer<'_, C, F> {}

impl<C: Copy, F> Clone for UntilNoneConsumer<'_, C, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, U, C, F> Consumer<U> for UntilNoneConsumer<'f, C, F>
where
    C: Consumer<T>,
    F: Fn(U) -> Option<T> + Sync,
{
    type Folder = UntilNoneFolder<'f, C::Folder, F>;
    type Result = C::Result;
    const SEARCHES: bool = true;

    fn into_folder(self, place: Place) -> Self::Folder {
        UntilNoneFolder { base: self.base.into_folder(place), op: self.op, stop: self.stop }
    }

    fn reduce(self, left: C::Result, right: C::Result) -> C::Result {
        self.base.reduce(left, right)
    }

    fn full(self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.base.full()
    }

    fn full_at(self, label: u64) -> bool {
        self.stop.load(Ordering::Relaxed) || self.base.full_at(label)
    }
}

struct UntilNoneFolder<'f, G, F> {
    base: G,
    op: &'f F,
    stop: &'f AtomicBool,
}

impl<T, U, G, F> Folder<U> for UntilNoneFolder<'_, G, F>
where
    G: Folder<T>,
    F: Fn(U) -> Option<T>,
{
    type Result = G::Result;

    #[inline]
    fn consume(mut self, item: U) -> Self {
        match (self.op)(item) {
            Some(item) => self.base = self.base.consume(item),
            None => self.stop.store(true, Ordering::Relaxed),
        }
        self
    }

    #[inline]
    fn consume_iter<It: IntoIterator<Item = U>>(mut self, iter: It) -> Self {
        let (op, stop) = (self.op, self.stop);
        let some = iter.into_iter().map_while(|item| {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let item = op(item);
            if item.is_none() {
                stop.store(true, Ordering::Relaxed);
            }
            item
        });
        self.base = self.base.consume_iter(some);
        self
    }

    fn complete(self) -> G::Result {
        self.base.complete()
    }

    #[inline]
    fn full(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.base.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        self.base.advance(next);
    }
}
