//! `sum_deterministic` and its like: the same operations on the same operands, however the loop is cut.
//!
//! The items are grouped by index into leaves of [`LEAF`]; each leaf is summed up by itself, in one call, and the
//! leaves' sums are joined in pairs, neighbours first, round by round. That tree depends on the number of items alone.
//!
//! A piece of the loop may begin and end in the middle of a leaf, and so may a block. The items of such a leaf are
//! then kept as they are, until it is complete: in the folder, or, where a piece begins, until the results are
//! joined. So the loop may be cut at any item, also where a few items take long, and at most two leaves' worth of
//! items are kept for each piece.

use std::iter::{Product, Sum};
use std::marker::PhantomData;

use crate::par::indexed::IndexedParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// Items in a leaf. Part of the contract: another number gives other results.
const LEAF: usize = 512;

pub(crate) fn sum<I, S>(iter: I) -> S
where
    I: IndexedParallelIterator,
    S: Send + Sum<I::Item> + Sum<S>,
{
    fold(iter, &BySum(PhantomData)).unwrap_or_else(|| std::iter::empty::<I::Item>().sum())
}

pub(crate) fn product<I, P>(iter: I) -> P
where
    I: IndexedParallelIterator,
    P: Send + Product<I::Item> + Product<P>,
{
    fold(iter, &ByProduct(PhantomData)).unwrap_or_else(|| std::iter::empty::<I::Item>().product())
}

pub(crate) fn reduce<I, ID, F>(iter: I, identity: &ID, op: &F) -> I::Item
where
    I: IndexedParallelIterator,
    ID: Fn() -> I::Item,
    F: Fn(I::Item, I::Item) -> I::Item + Sync,
{
    fold(iter, &By(op)).unwrap_or_else(identity)
}

// ----- what is done along the tree -----------------------------------------------------------------------------------

trait Rule<T>: Sync {
    type Sum: Send;

    /// The items of one leaf, of which there is one at least.
    fn leaf(&self, items: impl Iterator<Item = T>) -> Self::Sum;

    /// Two neighbours.
    fn join(&self, left: Self::Sum, right: Self::Sum) -> Self::Sum;
}

struct BySum<S>(PhantomData<fn() -> S>);

impl<T, S: Send + Sum<T> + Sum<S>> Rule<T> for BySum<S> {
    type Sum = S;

    #[inline]
    fn leaf(&self, items: impl Iterator<Item = T>) -> S {
        items.sum()
    }

    fn join(&self, left: S, right: S) -> S {
        [left, right].into_iter().sum()
    }
}

struct ByProduct<P>(PhantomData<fn() -> P>);

impl<T, P: Send + Product<T> + Product<P>> Rule<T> for ByProduct<P> {
    type Sum = P;

    #[inline]
    fn leaf(&self, items: impl Iterator<Item = T>) -> P {
        items.product()
    }

    fn join(&self, left: P, right: P) -> P {
        [left, right].into_iter().product()
    }
}

struct By<'f, F>(&'f F);

impl<T: Send, F: Fn(T, T) -> T + Sync> Rule<T> for By<'_, F> {
    type Sum = T;

    #[inline]
    fn leaf(&self, items: impl Iterator<Item = T>) -> T {
        items.reduce(self.0).expect("no leaf is empty")
    }

    fn join(&self, left: T, right: T) -> T {
        (self.0)(left, right)
    }
}

/// What the tree over the items comes to; `None` if there are none.
fn fold<I: IndexedParallelIterator, R: Rule<I::Item>>(iter: I, rule: &R) -> Option<R::Sum> {
    let place = Place::indexed(iter.len());
    let mut all = iter.drive(Leaves { rule }, place);
    debug_assert!(all.head.is_empty(), "the first piece begins with a leaf");
    if !all.open.is_empty() {
        all.whole.push(rule.leaf(all.open.into_iter()));
    }
    join_pairs(all.whole, |left, right| rule.join(left, right))
}

/// Joins neighbours until one is left. The last of an odd number goes up as it is.
fn join_pairs<S>(mut sums: Vec<S>, join: impl Fn(S, S) -> S) -> Option<S> {
    while sums.len() > 1 {
        let mut above = Vec::with_capacity(sums.len().div_ceil(2));
        let mut below = sums.into_iter();
        while let Some(left) = below.next() {
            above.push(match below.next() {
                Some(right) => join(left, right),
                None => left,
            });
        }
        sums = above;
    }
    sums.pop()
}

// ----- the loop ------------------------------------------------------------------------------------------------------

struct Leaves<'f, R> {
    rule: &'f R,
}

impl<R> Copy for Leaves<'_, R> {}

impl<R> Clone for Leaves<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

/// What is known of a stretch of the loop.
struct Stretch<T, S> {
    /// The items that belong to a leaf which has begun earlier.
    head: Vec<T>,
    /// How many more items such a leaf wants.
    wanted: usize,
    /// The sums of the leaves that lie in the stretch altogether.
    whole: Vec<S>,
    /// The items of the leaf that has begun but not ended.
    open: Vec<T>,
}

impl<T, S> Stretch<T, S> {
    /// Takes items in. Whole leaves are not kept, if the iterator says rightly how many items it has.
    #[inline]
    fn extend<R: Rule<T, Sum = S>>(&mut self, mut items: impl Iterator<Item = T>, rule: &R) {
        if self.wanted > 0 {
            let before = self.head.len();
            self.head.extend(items.by_ref().take(self.wanted));
            self.wanted -= self.head.len() - before;
            if self.wanted > 0 {
                return;
            }
        }
        loop {
            if self.open.is_empty() {
                while items.size_hint().0 >= LEAF {
                    self.whole.push(rule.leaf(items.by_ref().take(LEAF)));
                }
            }
            let missing = LEAF - self.open.len();
            self.open.extend(items.by_ref().take(missing));
            if self.open.len() < LEAF {
                return;
            }
            self.whole.push(rule.leaf(self.open.drain(..)));
        }
    }
}

impl<'f, T: Send, R: Rule<T>> Consumer<T> for Leaves<'f, R> {
    type Folder = LeafFolder<'f, T, R>;
    type Result = Stretch<T, R::Sum>;

    fn into_folder(self, place: Place) -> Self::Folder {
        let wanted = (LEAF - place.start() % LEAF) % LEAF;
        let so_far = Stretch { head: Vec::new(), wanted, whole: Vec::new(), open: Vec::new() };
        LeafFolder { so_far, rule: self.rule }
    }

    fn reduce(self, mut left: Self::Result, mut right: Self::Result) -> Self::Result {
        left.extend(right.head.into_iter(), self.rule);
        if !right.whole.is_empty() || !right.open.is_empty() {
            debug_assert!(left.open.is_empty() && left.wanted == 0, "a leaf begins where another has ended");
            left.whole.append(&mut right.whole);
            left.open = right.open;
        }
        left
    }
}

struct LeafFolder<'f, T, R: Rule<T>> {
    so_far: Stretch<T, R::Sum>,
    rule: &'f R,
}

impl<T, R: Rule<T>> Folder<T> for LeafFolder<'_, T, R> {
    type Result = Stretch<T, R::Sum>;

    #[inline]
    fn consume(mut self, item: T) -> Self {
        self.so_far.extend(std::iter::once(item), self.rule);
        self
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(mut self, iter: I) -> Self {
        self.so_far.extend(iter.into_iter(), self.rule);
        self
    }

    fn complete(self) -> Self::Result {
        self.so_far
    }
}
