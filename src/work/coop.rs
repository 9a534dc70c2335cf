//! The budget of a poll, for futures that tasks are made of: doing without it, and taking part in it.

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::core::task_context;

pin_project! {
    /// The future of [`unconstrained`].
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

/// Awaits a future that is not held to the task's [budget](crate::task::consume_budget): what it awaits of this crate
/// is never put off for the sake of other tasks.
///
/// For a future that itself sees to it that others have their turn, or that must not be interrupted between two steps
/// that are ready. One that is always ready keeps all other tasks of its thread waiting. Name and meaning are tokio's.
///
/// ```
/// use filch::task::{self, coop};
///
/// # filch::block_on(filch::spawn(async {
/// coop::unconstrained(async {
///     for _ in 0..1000 {
///         task::consume_budget().await; // never gives way
///         assert!(coop::has_budget_remaining());
///     }
/// })
/// .await;
/// # })).unwrap();
/// ```
pub fn unconstrained<F>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        task_context::unlimited(|| future.poll(context))
    }
}

/// A unit of the budget, from [`poll_proceed`]: given back when it is dropped, unless
/// [there was progress](Self::made_progress).
#[derive(Debug)]
#[must_use = "dropped without a word it gives the unit back"]
pub struct RestoreOnPending {
    progress: Cell<bool>,
    // The budget is the thread's.
    _not_send: PhantomData<*const ()>,
}

impl RestoreOnPending {
    /// The step that the unit was taken for has been done: it is used up.
    ///
    /// ```
    /// use filch::task::coop;
    /// use std::future::poll_fn;
    /// use std::task::{Poll, ready};
    ///
    /// // Ready only at the tenth look. Those before use up nothing, so that the task need not give way.
    /// let mut looks = 0;
    /// filch::block_on(poll_fn(|context| {
    ///     let unit = ready!(coop::poll_proceed(context));
    ///     looks += 1;
    ///     if looks < 10 {
    ///         context.waker().wake_by_ref();
    ///         return Poll::Pending; // and the unit is given back
    ///     }
    ///     unit.made_progress();
    ///     Poll::Ready(())
    /// }));
    /// assert_eq!(looks, 10);
    /// ```
    pub fn made_progress(&self) {
        self.progress.set(true);
    }
}

impl Drop for RestoreOnPending {
    fn drop(&mut self) {
        if !self.progress.get() {
            task_context::refund();
        }
    }
}

/// Takes a unit of the task's [budget](crate::task::consume_budget), for a hand-written future that is about to look
/// whether it is ready. Pending if none is left, until this poll is over: the future returns that, and the task is
/// polled again when others have had their turn. Outside of tasks it is always ready. Name and meaning are tokio's.
///
/// ```
/// use filch::task::coop;
/// use std::task::{Context, Poll, ready};
///
/// fn poll_next(numbers: &mut impl Iterator<Item = u64>, context: &mut Context<'_>) -> Poll<Option<u64>> {
///     let unit = ready!(coop::poll_proceed(context));
///     let next = numbers.next();
///     unit.made_progress();
///     Poll::Ready(next)
/// }
///
/// let mut numbers = 0..1000;
/// let sum = filch::spawn(async move {
///     let mut sum = 0;
///     while let Some(n) = std::future::poll_fn(|context| poll_next(&mut numbers, context)).await {
///         sum += n;
///     }
///     sum
/// });
/// assert_eq!(filch::block_on(sum).unwrap(), 499_500);
/// ```
pub fn poll_proceed(context: &mut Context<'_>) -> Poll<RestoreOnPending> {
    task_context::spend(context).map(|()| RestoreOnPending { progress: Cell::new(false), _not_send: PhantomData })
}

pin_project! {
    /// The future of [`cooperative`].
    #[derive(Debug)]
    #[must_use = "a future does nothing unless it is awaited"]
    pub struct Coop<F> {
        #[pin]
        future: F,
    }
}

/// Makes a future of another crate take part in the task's [budget](crate::task::consume_budget): when it is ready it
/// uses up a unit, and when none is left it lets other tasks go first, like this crate's own futures. Name and meaning
/// are tokio's.
///
/// ```
/// use filch::task::coop::cooperative;
///
/// filch::block_on(filch::spawn(async {
///     let (sender, mut receiver) = tokio::sync::mpsc::unbounded_channel();
///     for n in 0..1000u64 {
///         sender.send(n).unwrap();
///     }
///     drop(sender);
///     let mut sum = 0;
///     while let Some(n) = cooperative(receiver.recv()).await {
///         sum += n;
///     }
///     assert_eq!(sum, 499_500);
/// }))
/// .unwrap();
/// ```
pub fn cooperative<F: Future>(future: F) -> Coop<F> {
    Coop { future }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let unit = ready!(poll_proceed(context));
        let output = ready!(self.project().future.poll(context));
        unit.made_progress();
        Poll::Ready(output)
    }
}
