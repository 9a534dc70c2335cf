//! `for_each`.

use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

pub(crate) fn for_each<I, F>(iter: I, op: &F)
where
    I: ParallelIterator,
    F: Fn(I::Item) + Sync + Send,
{
    iter.drive(ForEach { op }, Place::whole());
}

struct ForEach<'f, F> {
    op: &'f F,
}

impl<F> Copy for ForEach<'_, F> {}

impl<F> Clone for ForEach<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, F: Fn(T) + Sync> Consumer<T> for ForEach<'_, F> {
    type Folder = Self;
    type Result = ();

    fn into_folder(self, _: Place) -> Self {
        self
    }

    fn reduce(self, (): (), (): ()) {}
}

impl<T, F: Fn(T)> Folder<T> for ForEach<'_, F> {
    type Result = ();

    #[inline]
    fn consume(self, item: T) -> Self {
        (self.op)(item);
        self
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = T>>(self, iter: I) -> Self {
        iter.into_iter().for_each(self.op);
        self
    }

    fn complete(self) {}
}
