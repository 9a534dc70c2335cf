//! `try_for_each` and its kin, with a value for each piece or without.

use std::ops::ControlFlow::{Break, Continue};

use crate::ground::sync::{AtomicBool, Ordering};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};
use crate::par::tries::Try;

pub(crate) fn try_for_each<I, F, R>(iter: I, op: &F) -> R
where
    I: ParallelIterator,
    F: Fn(I::Item) -> R + Sync,
    R: Try<Output = ()> + Send,
{
    try_for_each_init(iter, &|| (), &|(): &mut (), item| op(item))
}

pub(crate) fn try_for_each_init<I, F, INIT, T, R>(iter: I, init: &INIT, op: &F) -> R
where
    I: ParallelIterator,
    F: Fn(&mut T, I::Item) -> R + Sync,
    INIT: Fn() -> T + Sync,
    R: Try<Output = ()> + Send,
{
    let stop = AtomicBool::new(false);
    iter.drive(TryForEach { init, op, stop: &stop }, Place::whole())
}

struct TryForEach<'f, F, INIT> {
    init: &'f INIT,
    op: &'f F,
    stop: &'f AtomicBool,
}

impl<F, INIT> Copy for TryForEach<'_, F, INIT> {}

impl<F, INIT> Clone for TryForEach<'_, F, INIT> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, U, R, F, INIT> Consumer<U> for TryForEach<'f, F, INIT>
where
    F: Fn(&mut T, U) -> R + Sync,
    INIT: Fn() -> T + Sync,
    R: Try<Output = ()> + Send,
{
    type Folder = TryForEachFolder<'f, T, F, R>;
    type Result = R;
    const SEARCHES: bool = true;

    fn into_folder(self, _: Place) -> Self::Folder {
        TryForEachFolder { value: (self.init)(), op: self.op, stopped: None, stop: self.stop }
    }

    fn reduce(self, left: R, right: R) -> R {
        match left.branch() {
            Break(residual) => R::from_residual(residual),
            Continue(()) => right,
        }
    }

    fn full(self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

struct TryForEachFolder<'f, T, F, R: Try> {
    value: T,
    op: &'f F,
    stopped: Option<R::Residual>,
    stop: &'f AtomicBool,
}

impl<T, U, R, F> Folder<U> for TryForEachFolder<'_, T, F, R>
where
    F: Fn(&mut T, U) -> R,
    R: Try<Output = ()>,
{
    type Result = R;

    #[inline]
    fn consume(mut self, item: U) -> Self {
        // Who feeds a full folder gets no further calls: the first residual stays.
        if self.stopped.is_none() {
            if let Break(residual) = (self.op)(&mut self.value, item).branch() {
                self.stopped = Some(residual);
                self.stop.store(true, Ordering::Relaxed);
            }
        }
        self
    }

    fn complete(self) -> R {
        match self.stopped {
            Some(residual) => R::from_residual(residual),
            None => R::from_output(()),
        }
    }

    #[inline]
    fn full(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
