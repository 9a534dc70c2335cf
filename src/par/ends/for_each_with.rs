//! `for_each_with` and `for_each_init`: a value goes along with each piece.

use crate::ground::sync::Mutex;
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};

/// Makes clones of a value that only one thread may look at at a time. The lock is held while the value's `clone` runs:
/// nothing else keeps other threads from the value.
pub(crate) fn cloner<T: Send + Clone>(value: T) -> impl Fn() -> T + Sync + Send {
    let value = Mutex::new(value);
    move || value.lock().clone()
}

pub(crate) fn for_each_init<I, F, INIT, T>(iter: I, init: &INIT, op: &F)
where
    I: ParallelIterator,
    F: Fn(&mut T, I::Item) + Sync,
    INIT: Fn() -> T + Sync,
{
    iter.drive(ForEachInit { init, op }, Place::whole());
}

struct ForEachInit<'f, F, INIT> {
    init: &'f INIT,
    op: &'f F,
}

impl<F, INIT> Copy for ForEachInit<'_, F, INIT> {}

impl<F, INIT> Clone for ForEachInit<'_, F, INIT> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, U, F, INIT> Consumer<U> for ForEachInit<'f, F, INIT>
where
    F: Fn(&mut T, U) + Sync,
    INIT: Fn() -> T + Sync,
{
    type Folder = ForEachInitFolder<'f, T, F>;
    type Result = ();

    fn into_folder(self, _: Place) -> Self::Folder {
        ForEachInitFolder { value: (self.init)(), op: self.op }
    }

    fn reduce(self, (): (), (): ()) {}
}

struct ForEachInitFolder<'f, T, F> {
    value: T,
    op: &'f F,
}

impl<T, U, F: Fn(&mut T, U)> Folder<U> for ForEachInitFolder<'_, T, F> {
    type Result = ();

    #[inline]
    fn consume(mut self, item: U) -> Self {
        (self.op)(&mut self.value, item);
        self
    }

    #[inline]
    fn consume_iter<I: IntoIterator<Item = U>>(mut self, iter: I) -> Self {
        iter.into_iter().for_each(|item| (self.op)(&mut self.value, item));
        self
    }

    fn complete(self) {}
}
