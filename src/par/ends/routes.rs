//! The ways of an item to one of two collections or to both, and pairs as collections.

use either::Either;

use crate::par::ends::unzip::{Route, collect_both, extend_both};
use crate::par::indexed::IndexedParallelIterator;
use crate::par::into::{FromParallelIterator, IntoParallelIterator, ParallelExtend};
use crate::par::plumbing::Folder;

/// The halves of a pair.
pub(crate) struct Halves;

impl<A: Send, B: Send> Route<(A, B)> for Halves {
    type Left = A;
    type Right = B;
    const BOTH: bool = true;

    #[inline]
    fn feed<F: Folder<A>, G: Folder<B>>(&self, item: (A, B), left: F, right: G) -> (F, G) {
        (left.consume(item.0), right.consume(item.1))
    }
}

/// Puts the halves of the pairs in place of what was there.
pub(crate) fn replace_both<I, A, B>(left: &mut Vec<A>, right: &mut Vec<B>, iter: I)
where
    I: IndexedParallelIterator<Item = (A, B)>,
    A: Send,
    B: Send,
{
    left.clear();
    right.clear();
    extend_both(left, right, iter, Halves);
}

/// By a predicate, left where it holds.
pub(crate) struct By<P>(pub(crate) P);

impl<T: Send, P: Fn(&T) -> bool + Send + Sync> Route<T> for By<P> {
    type Left = T;
    type Right = T;
    const BOTH: bool = false;

    #[inline]
    fn feed<F: Folder<T>, G: Folder<T>>(&self, item: T, left: F, right: G) -> (F, G) {
        if (self.0)(&item) { (left.consume(item), right) } else { (left, right.consume(item)) }
    }
}

/// By what a function makes of the item.
pub(crate) struct Mapped<P>(pub(crate) P);

impl<T, L: Send, R: Send, P: Fn(T) -> Either<L, R> + Send + Sync> Route<T> for Mapped<P> {
    type Left = L;
    type Right = R;
    const BOTH: bool = false;

    #[inline]
    fn feed<F: Folder<L>, G: Folder<R>>(&self, item: T, left: F, right: G) -> (F, G) {
        match (self.0)(item) {
            Either::Left(item) => (left.consume(item), right),
            Either::Right(item) => (left, right.consume(item)),
        }
    }
}

// ----- pairs as collections ----------------------------------------------------------------------------------------

/// Pairs into a pair of collections. Collections of pairs nest.
impl<A, B, FromA, FromB> ParallelExtend<(A, B)> for (FromA, FromB)
where
    A: Send,
    B: Send,
    FromA: Send + ParallelExtend<A>,
    FromB: Send + ParallelExtend<B>,
{
    fn par_extend<I: IntoParallelIterator<Item = (A, B)>>(&mut self, par_iter: I) {
        extend_both(&mut self.0, &mut self.1, par_iter.into_par_iter(), Halves);
    }
}

/// Left ones into the left collection and right ones into the right.
impl<L, R, A, B> ParallelExtend<Either<L, R>> for (A, B)
where
    L: Send,
    R: Send,
    A: Send + ParallelExtend<L>,
    B: Send + ParallelExtend<R>,
{
    fn par_extend<I: IntoParallelIterator<Item = Either<L, R>>>(&mut self, par_iter: I) {
        let as_it_is = |item: Either<L, R>| item;
        extend_both(&mut self.0, &mut self.1, par_iter.into_par_iter(), Mapped(as_it_is));
    }
}

impl<A, B, FromA, FromB> FromParallelIterator<(A, B)> for (FromA, FromB)
where
    A: Send,
    B: Send,
    FromA: Send + FromParallelIterator<A>,
    FromB: Send + FromParallelIterator<B>,
{
    fn from_par_iter<I: IntoParallelIterator<Item = (A, B)>>(par_iter: I) -> Self {
        let (left, right): (Made<FromA>, Made<FromB>) = collect_both(par_iter.into_par_iter(), Halves);
        (left.get(), right.get())
    }
}

impl<L, R, A, B> FromParallelIterator<Either<L, R>> for (A, B)
where
    L: Send,
    R: Send,
    A: Send + FromParallelIterator<L>,
    B: Send + FromParallelIterator<R>,
{
    fn from_par_iter<I: IntoParallelIterator<Item = Either<L, R>>>(par_iter: I) -> Self {
        let as_it_is = |item: Either<L, R>| item;
        let (left, right): (Made<A>, Made<B>) = collect_both(par_iter.into_par_iter(), Mapped(as_it_is));
        (left.get(), right.get())
    }
}

/// A collection that is made when it is extended.
struct Made<C>(Option<C>);

impl<C> Made<C> {
    fn get(self) -> C {
        self.0.expect("both collections have been extended")
    }
}

impl<C> Default for Made<C> {
    fn default() -> Self {
        Made(None)
    }
}

impl<T: Send, C: Send + FromParallelIterator<T>> ParallelExtend<T> for Made<C> {
    fn par_extend<I: IntoParallelIterator<Item = T>>(&mut self, par_iter: I) {
        self.0 = Some(C::from_par_iter(par_iter));
    }
}
