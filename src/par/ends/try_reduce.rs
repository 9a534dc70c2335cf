//! `try_reduce` and `try_reduce_with`.

use std::ops::ControlFlow::{self, Break, Continue};

use crate::ground::sync::{AtomicBool, Ordering};
use crate::par::iter::ParallelIterator;
use crate::par::place::Place;
use crate::par::plumbing::{Consumer, Folder};
use crate::par::tries::Try;

pub(crate) fn try_reduce<I, F, ID, T>(iter: I, identity: &ID, op: &F) -> T
where
    I: ParallelIterator<Item = T>,
    F: Fn(T::Output, T::Output) -> T + Sync,
    ID: Fn() -> T::Output + Sync,
    T: Try + Send,
{
    let stop = AtomicBool::new(false);
    let begin = || Some(identity());
    let result = iter.drive(TryReduce { begin: &begin, op, stop: &stop }, Place::whole());
    result.expect("every piece begins with the identity")
}

pub(crate) fn try_reduce_with<I, F, T>(iter: I, op: &F) -> Option<T>
where
    I: ParallelIterator<Item = T>,
    F: Fn(T::Output, T::Output) -> T + Sync,
    T: Try + Send,
{
    let stop = AtomicBool::new(false);
    iter.drive(TryReduce { begin: &|| None, op, stop: &stop }, Place::whole())
}

struct TryReduce<'f, B, F> {
    /// What a piece begins with, if it begins with something.
    begin: &'f B,
    op: &'f F,
    stop: &'f AtomicBool,
}

impl<B, F> Copy for TryReduce<'_, B, F> {}

impl<B, F> Clone for TryReduce<'_, B, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<'f, T, B, F> Consumer<T> for TryReduce<'f, B, F>
where
    T: Try + Send,
    B: Fn() -> Option<T::Output> + Sync,
    F: Fn(T::Output, T::Output) -> T + Sync,
{
    type Folder = TryReduceFolder<'f, T, F>;
    type Result = Option<T>;
    const SEARCHES: bool = true;

    fn into_folder(self, _: Place) -> Self::Folder {
        TryReduceFolder { so_far: (self.begin)().map(Continue), op: self.op, stop: self.stop }
    }

    fn reduce(self, left: Option<T>, right: Option<T>) -> Option<T> {
        let (left, right) = match (left, right) {
            (Some(left), Some(right)) => (left.branch(), right.branch()),
            (left, right) => return left.or(right),
        };
        match (left, right) {
            (Continue(left), Continue(right)) => {
                let both = (self.op)(left, right).branch();
                if both.is_break() {
                    self.stop.store(true, Ordering::Relaxed);
                }
                Some(from_branch(both))
            }
            (Break(residual), _) | (_, Break(residual)) => Some(T::from_residual(residual)),
        }
    }

    fn full(self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn from_branch<T: Try>(branch: ControlFlow<T::Residual, T::Output>) -> T {
    match branch {
        Continue(output) => T::from_output(output),
        Break(residual) => T::from_residual(residual),
    }
}

struct TryReduceFolder<'f, T: Try, F> {
    so_far: Option<ControlFlow<T::Residual, T::Output>>,
    op: &'f F,
    stop: &'f AtomicBool,
}

impl<T: Try, F: Fn(T::Output, T::Output) -> T> Folder<T> for TryReduceFolder<'_, T, F> {
    type Result = Option<T>;

    #[inline]
    fn consume(self, item: T) -> Self {
        let now = match (self.so_far, item.branch()) {
            (Some(Continue(so_far)), Continue(item)) => (self.op)(so_far, item).branch(),
            (Some(broken @ Break(_)), _) | (_, broken @ Break(_)) => broken,
            (None, item) => item,
        };
        if now.is_break() {
            self.stop.store(true, Ordering::Relaxed);
        }
        TryReduceFolder { so_far: Some(now), ..self }
    }

    fn complete(self) -> Option<T> {
        self.so_far.map(from_branch)
    }

    #[inline]
    fn full(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}
