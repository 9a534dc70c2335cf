//! One loop into two collections: `unzip`, `partition`, `partition_map`.
//!
//! A collection takes in an iterator, and only inside of its `par_extend` is it known what consumer it uses. So the
//! left collection is given an iterator that, when it is driven, gives the right collection an iterator that, when that
//! is driven in turn, has both consumers, and drives the real one.

use crate::par::into::ParallelExtend;
use crate::par::iter::ParallelIterator;
use crate::par::place::{Place, Twins};
use crate::par::plumbing::{Consumer, Folder};

/// To which side an item goes, and as what.
pub(crate) trait Route<T>: Send + Sync {
    /// What the left side gets.
    type Left: Send;

    /// What the right side gets.
    type Right: Send;

    /// Whether both sides get one of each item.
    const BOTH: bool;

    /// Feeds an item to the folders.
    fn feed<A: Folder<Self::Left>, B: Folder<Self::Right>>(&self, item: T, left: A, right: B) -> (A, B);
}

/// Appends what `route` makes of the items.
pub(crate) fn extend_both<I, R, A, B>(left: &mut A, right: &mut B, iter: I, route: R)
where
    I: ParallelIterator,
    R: Route<I::Item>,
    A: Send + ParallelExtend<R::Left>,
    B: Send + ParallelExtend<R::Right>,
{
    left.par_extend(LeftSide { base: iter, route, right });
}

/// As [`extend_both`], into new collections.
pub(crate) fn collect_both<I, R, A, B>(iter: I, route: R) -> (A, B)
where
    I: ParallelIterator,
    R: Route<I::Item>,
    A: Default + Send + ParallelExtend<R::Left>,
    B: Default + Send + ParallelExtend<R::Right>,
{
    let (mut left, mut right) = (A::default(), B::default());
    extend_both(&mut left, &mut right, iter, route);
    (left, right)
}

// ----- the iterators that the collections are given ----------------------------------------------------------------

struct LeftSide<'b, I, R, B> {
    base: I,
    route: R,
    right: &'b mut B,
}

impl<I, R, B> ParallelIterator for LeftSide<'_, I, R, B>
where
    I: ParallelIterator,
    R: Route<I::Item>,
    B: Send + ParallelExtend<R::Right>,
{
    type Item = R::Left;

    fn drive<C: Consumer<R::Left>>(self, consumer: C, place: Place) -> C::Result {
        let mut result = None;
        self.right.par_extend(RightSide {
            base: self.base,
            route: self.route,
            left: consumer,
            left_place: place,
            left_result: &mut result,
        });
        result.expect("the right collection's `par_extend` drives the iterator that it is given")
    }

    fn opt_len(&self) -> Option<usize> {
        if R::BOTH { self.base.opt_len() } else { None }
    }
}

struct RightSide<'r, I, R, A, AR> {
    base: I,
    route: R,
    left: A,
    left_place: Place,
    left_result: &'r mut Option<AR>,
}

impl<I, R, A> ParallelIterator for RightSide<'_, I, R, A, A::Result>
where
    I: ParallelIterator,
    R: Route<I::Item>,
    A: Consumer<R::Left>,
{
    type Item = R::Right;

    fn drive<C: Consumer<R::Right>>(self, consumer: C, place: Place) -> C::Result {
        let (twins, place) = Place::twins(self.left_place, place);
        let both = Both { route: &self.route, twins: &twins, left: self.left, right: consumer };
        let (left, right) = self.base.drive(both, place);
        *self.left_result = Some(left);
        right
    }

    fn opt_len(&self) -> Option<usize> {
        if R::BOTH { self.base.opt_len() } else { None }
    }
}

// ----- the two consumers as one ------------------------------------------------------------------------------------

struct Both<'r, R, A, B> {
    route: &'r R,
    twins: &'r Twins,
    left: A,
    right: B,
}

impl<R, A: Copy, B: Copy> Copy for Both<'_, R, A, B> {}

impl<R, A: Copy, B: Copy> Clone for Both<'_, R, A, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'r, T, R, A, B> Consumer<T> for Both<'r, R, A, B>
where
    R: Route<T>,
    A: Consumer<R::Left>,
    B: Consumer<R::Right>,
{
    type Folder = BothFolder<'r, R, A::Folder, B::Folder>;
    type Result = (A::Result, B::Result);
    const SEARCHES: bool = A::SEARCHES && B::SEARCHES;

    fn into_folder(self, place: Place) -> Self::Folder {
        let (left, right) = self.twins.apart(place);
        let (left, right) = (self.left.into_folder(left), self.right.into_folder(right));
        BothFolder { route: self.route, twins: self.twins, left, right }
    }

    fn reduce(self, left: Self::Result, right: Self::Result) -> Self::Result {
        (self.left.reduce(left.0, right.0), self.right.reduce(left.1, right.1))
    }

    fn full(self) -> bool {
        self.left.full() && self.right.full()
    }
}

struct BothFolder<'r, R, A, B> {
    route: &'r R,
    twins: &'r Twins,
    left: A,
    right: B,
}

impl<T, R, A, B> Folder<T> for BothFolder<'_, R, A, B>
where
    R: Route<T>,
    A: Folder<R::Left>,
    B: Folder<R::Right>,
{
    type Result = (A::Result, B::Result);

    #[inline]
    fn consume(self, item: T) -> Self {
        let (left, right) = self.route.feed(item, self.left, self.right);
        BothFolder { left, right, ..self }
    }

    fn complete(self) -> Self::Result {
        (self.left.complete(), self.right.complete())
    }

    /// Neither side is kept waiting for what the other has no need of.
    #[inline]
    fn full(&self) -> bool {
        self.left.full() && self.right.full()
    }

    #[inline]
    fn advance(&mut self, next: Place) {
        let (left, right) = self.twins.apart(next);
        self.left.advance(left);
        self.right.advance(right);
    }
}
