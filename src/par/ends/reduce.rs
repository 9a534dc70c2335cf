//! `reduce` and `reduce_with`.

use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

pub(crate) fn reduce<I, F, ID>(iter: I, identity: &ID, op: &F) -> I::Item
where
    I: ParallelIterator,
    F: Fn(I::Item, I::Item) -> I::Item + Sync,
    ID: Fn() -> I::Item + Sync,
{
    iter.drive(Reduce { identity, op }, Place::whole())
}

struct Reduce<'f, F, ID> {
    identity: &'f ID,
    op: &'f F,
}

impl<F, ID> Copy for Reduce<'_, F, ID> {}

impl<F, ID> Clone for Reduce<'_, F, ID> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T: Send, F: Fn(T, T) -> T + Sync, ID: Fn() -> T + Sync> Consumer<T> for Reduce<'f, F, ID> {
    type Folder = ReduceFolder<'f, T, F>;
    type Result = T;

    fn into_folder(self, _: Place) -> Self::Folder {
        ReduceFolder { so_far: (self.identity)(), op: self.op }
    }

    fn reduce(self, left: T, right: T) -> T {
        (self.op)(left, right)
    }
}

struct ReduceFolder<'f, T, F> {
    so_far: T,
    op: &'f F,
}

impl<T, F: Fn(T, T) -> T> Folder<T> for ReduceFolder<'_, T, F> {
    type Result = T;

    #[inline]
    fn consume(self, item: T) -> Self {
        ReduceFolder { so_far: (self.op)(self.so_far, item), ..self }
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(self, iter: I) -> Self {
        ReduceFolder { so_far: iter.into_iter().fold(self.so_far, self.op), ..self }
    }

    fn complete(self) -> T {
        self.so_far
    }
}

// ----- without an identity ---------------------------------------------------------------------------------------

pub(crate) fn reduce_with<I, F>(iter: I, op: &F) -> Option<I::Item>
where
    I: ParallelIterator,
    F: Fn(I::Item, I::Item) -> I::Item + Sync,
{
    iter.drive(ReduceWith { op }, Place::whole())
}

struct ReduceWith<'f, F> {
    op: &'f F,
}

impl<F> Copy for ReduceWith<'_, F> {}

impl<F> Clone for ReduceWith<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T: Send, F: Fn(T, T) -> T + Sync> Consumer<T> for ReduceWith<'f, F> {
    type Folder = ReduceWithFolder<'f, T, F>;
    type Result = Option<T>;

    fn into_folder(self, _: Place) -> Self::Folder {
        ReduceWithFolder { so_far: None, op: self.op }
    }

    fn reduce(self, left: Option<T>, right: Option<T>) -> Option<T> {
        match (left, right) {
            (Some(left), Some(right)) => Some((self.op)(left, right)),
            (left, right) => left.or(right),
        }
    }
}

struct ReduceWithFolder<'f, T, F> {
    so_far: Option<T>,
    op: &'f F,
}

impl<T, F: Fn(T, T) -> T> Folder<T> for ReduceWithFolder<'_, T, F> {
    type Result = Option<T>;

    #[inline]
    fn consume(self, item: T) -> Self {
        let now = match self.so_far {
            Some(so_far) => (self.op)(so_far, item),
            None => item,
        };
        ReduceWithFolder { so_far: Some(now), ..self }
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(self, iter: I) -> Self {
        let mut iter = iter.into_iter();
        let Some(first) = self.so_far.or_else(|| iter.next()) else {
            return ReduceWithFolder { so_far: None, ..self };
        };
        ReduceWithFolder { so_far: Some(iter.fold(first, self.op)), ..self }
    }

    fn complete(self) -> Option<T> {
        self.so_far
    }
}
