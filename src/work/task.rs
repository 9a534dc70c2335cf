//! The task: a future or closure that the pool has accepted, and the handle that awaits it.
//!
//! The cell is async-task's. What is ours: where a runnable task is queued, that panics become values, and that every
//! accepted task is counted from before it is queued until its future has been dropped.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use async_task::FallibleTask;

use crate::core::registry::Ticket;
use crate::ground::error::JoinError;
use crate::ground::sync::Mutex;
use crate::ground::unwind;
use crate::pool::current;
use crate::pool::shared::Shared;
use crate::work::block_on::block_on;

/// What a task leaves: its value, or why there is none. Dropped quietly when nobody takes it: a panic of the value's
/// destructor has been reported by the panic hook, and must not get into the task's cell, which would abort.
pub(crate) struct Outcome<T>(Option<Result<T, JoinError>>);

impl<T> Outcome<T> {
    fn new(result: Result<T, JoinError>) -> Self {
        Outcome(Some(result))
    }

    fn take(mut self) -> Result<T, JoinError> {
        self.0.take().expect("an outcome is taken once, because that consumes it")
    }
}

impl<T> Drop for Outcome<T> {
    fn drop(&mut self) {
        if let Some(result) = self.0.take() {
            if let Err(payload) = unwind::catch(|| drop(result)) {
                current::with(|slot| match slot {
                    Some(slot) => slot.shared().report_panic(payload),
                    None => drop(unwind::drop_quietly(payload)),
                });
            }
        }
    }
}

/// What the schedule function needs to know.
pub(crate) struct Meta {
    pub(crate) shared: Arc<Shared>,
    pub(crate) queue: Queue,
}

/// Where a runnable task goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Queue {
    Tasks,
    Closures,
    Blocking,
}

/// How a task is counted while its future lives.
pub(crate) enum Counted {
    /// A future: by the registry, which can reach it when the pool ends.
    Registered(Arc<Shared>, Ticket),
    /// A closure: by the gate, which waits for it.
    Accepted(Arc<Shared>),
}

impl Drop for Counted {
    fn drop(&mut self) {
        match self {
            Counted::Registered(shared, ticket) => {
                if shared.registry.remove(*ticket) && shared.is_done() {
                    // The last task of a pool that ends: its threads wait for this.
                    shared.sleep.wake_all();
                    shared.blocking.wake_all();
                }
            }
            Counted::Accepted(shared) => shared.leave(),
        }
    }
}

/// A future that turns panics into values and counts itself off when it is gone.
pub(crate) struct Contained<F> {
    future: Option<F>,
    // Dropped after the future.
    counted: Counted,
}

impl<F> Contained<F> {
    pub(crate) fn new(future: F, counted: Counted) -> Self {
        Contained { future: Some(future), counted }
    }
}

impl<F: Future> Future for Contained<F> {
    type Output = Outcome<F::Output>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: `future` is pinned with `self`: it is not moved below, only polled, and dropped in place.
        let this = unsafe { self.get_unchecked_mut() };
        let Some(future) = this.future.as_mut() else {
            unreachable!("a task is not polled after its end");
        };
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(future) };
        let outcome = match unwind::catch(|| future.poll(context)) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(payload) => Err(JoinError::panicked(payload)),
        };
        // The future goes before the handle wakes, so that what it held is free when the awaiter looks. Its
        // destructor may panic: that has been reported by the panic hook, and the output is still good.
        this.drop_future();
        Poll::Ready(Outcome::new(outcome))
    }
}

impl<F> Contained<F> {
    fn drop_future(&mut self) {
        let (Counted::Registered(shared, _) | Counted::Accepted(shared)) = &self.counted;
        // Dropped in place, and forgotten before a panic could make us drop it again.
        struct Vacate<'f, F>(&'f mut Option<F>);
        impl<F> Drop for Vacate<'_, F> {
            fn drop(&mut self) {
                // SAFETY: the place is not read again before it is overwritten, here: no drop of the old value.
                unsafe { std::ptr::write(self.0, None) };
            }
        }
        let place = Vacate(&mut self.future);
        let dropped = unwind::catch(|| {
            // SAFETY: the value is valid, and `Vacate` overwrites it without dropping it again, also on unwinding.
            unsafe { std::ptr::drop_in_place(std::ptr::from_mut(place.0)) }
        });
        drop(place);
        if let Err(payload) = dropped {
            shared.report_panic(payload);
        }
    }
}

impl<F> Drop for Contained<F> {
    fn drop(&mut self) {
        if self.future.is_some() {
            self.drop_future();
        }
    }
}

/// Awaits a task, or a closure run by [`spawn_cpu`](crate::spawn_cpu) or [`spawn_blocking`](crate::spawn_blocking).
///
/// Awaiting gives the task's value, or a [`JoinError`] if it panicked or was cancelled. Dropping the handle detaches
/// the task: it goes on, and its value is dropped. As in tokio.
///
/// # Panics
/// Awaiting again after it was ready.
#[must_use = "a dropped handle detaches its task; call `detach` or `let _ =` to say so"]
pub struct JoinHandle<T> {
    // A lock, because `abort` takes `&self` while async-task's cancelling consumes its handle. Nobody ever waits for
    // it: polling needs `&mut self`, and only `abort` and `is_finished` can meet.
    state: Mutex<State<T>>,
}

enum State<T> {
    Live(FallibleTask<Outcome<T>, Meta>),
    /// With the waker of whoever awaits the handle, so that a look from elsewhere does not displace it.
    Aborting(Pin<Box<dyn Future<Output = Option<Outcome<T>>> + Send>>, Waker),
    Ended(Option<Outcome<T>>),
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(task: FallibleTask<Outcome<T>, Meta>) -> Self {
        JoinHandle { state: Mutex::new(State::Live(task)) }
    }

    /// Whether the task has ended: its value is there, or it has panicked, or it has been cancelled.
    pub fn is_finished(&self) -> bool {
        let mut state = self.state.lock();
        Self::look_at_aborting(&mut state);
        match &*state {
            State::Live(task) => task.is_finished(),
            State::Aborting(..) => false,
            State::Ended(_) => true,
        }
    }

    /// Asks a cancelled task whether its future has been dropped.
    fn look_at_aborting(state: &mut State<T>) {
        if let State::Aborting(cancelling, waker) = state {
            let waker = waker.clone();
            if let Poll::Ready(outcome) = cancelling.as_mut().poll(&mut Context::from_waker(&waker)) {
                *state = State::Ended(outcome);
            }
        }
    }

    /// Lets the task go on alone. The same as dropping the handle.
    pub fn detach(self) {}

    /// Blocks until the task has ended. For threads; a future awaits the handle instead.
    ///
    /// # Errors
    /// [`JoinError`] if the task panicked or was cancelled.
    pub fn join(self) -> Result<T, JoinError> {
        block_on(self)
    }
}

impl<T: Send + 'static> JoinHandle<T> {
    /// Cancels the task: it is not polled again, and its future is dropped on a thread of the pool. A closure that
    /// has not begun is dropped unrun; one that runs goes on to its end.
    ///
    /// Awaiting the handle then gives a [`JoinError`] that [is cancelled](JoinError::is_cancelled), when the future
    /// has been dropped; or the value, if the task was faster.
    pub fn abort(&self) {
        let mut state = self.state.lock();
        if !matches!(&*state, State::Live(_)) {
            return;
        }
        let State::Live(task) = std::mem::replace(&mut *state, State::Ended(None)) else {
            unreachable!("looked at right above");
        };
        // The state is put back before anything else: cancelling may schedule the task, and wake others.
        *state = State::Aborting(Box::pin(task.cancel()), Waker::noop().clone());
        Self::look_at_aborting(&mut state);
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let state = this.state.get_mut();
        let outcome = match state {
            State::Live(task) => match Pin::new(task).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(outcome) => outcome,
            },
            State::Aborting(cancelling, waker) => {
                waker.clone_from(context.waker());
                match cancelling.as_mut().poll(context) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(outcome) => outcome,
                }
            }
            State::Ended(outcome) => outcome.take(),
        };
        *state = State::Ended(None);
        Poll::Ready(outcome.map_or_else(|| Err(JoinError::cancelled()), Outcome::take))
    }
}

// The value never lies in the handle as something pinned: async-task's cell holds it.
impl<T> Unpin for JoinHandle<T> {}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        // async-task cancels a task whose handle is dropped; ours detaches.
        if let State::Live(task) = std::mem::replace(self.state.get_mut(), State::Ended(None)) {
            task.detach();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("finished", &self.is_finished()).finish_non_exhaustive()
    }
}
