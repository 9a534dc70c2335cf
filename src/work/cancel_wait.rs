//! The futures that wait for a cancellation.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::core::task_context::spend;
use crate::pool::timers::{State, Timer};
use crate::work::cancel::CancellationToken;
use crate::work::waiters::Key;

/// Waits until a token is cancelled: see [`CancellationToken::cancelled`]. It stays ready once it was.
#[must_use = "a future does nothing unless it is awaited"]
pub struct WaitForCancellationFuture<'t> {
    token: &'t CancellationToken,
    waiting: Waiting,
}

/// Waits until a token is cancelled, and keeps the token: see [`CancellationToken::cancelled_owned`]. It stays ready
/// once it was.
#[must_use = "a future does nothing unless it is awaited"]
pub struct WaitForCancellationFutureOwned {
    token: CancellationToken,
    waiting: Waiting,
}

/// What a waiter keeps between polls.
#[derive(Default)]
struct Waiting {
    key: Option<Key>,
    /// If the token has a deadline.
    timer: Option<Timer>,
}

impl Waiting {
    fn poll(&mut self, token: &CancellationToken, context: &mut Context<'_>) -> Poll<()> {
        let noted = token.node().waiters.poll(&mut self.key, context.waker(), || token.is_cancelled());
        if noted.is_pending() && !self.deadline_has_passed(token, context) {
            return Poll::Pending;
        }
        ready!(spend(context));
        self.timer = None;
        Poll::Ready(())
    }

    /// Whether the token's deadline has passed; if not, the waiter is woken when it has.
    fn deadline_has_passed(&mut self, token: &CancellationToken, context: &Context<'_>) -> bool {
        let Some(deadline) = token.deadline() else { return false };
        if let Some(timer) = &self.timer {
            match timer.poll(deadline, context.waker()) {
                State::Waiting => return false,
                State::Fired => return true,
                State::Orphaned => {}
            }
        }
        self.timer = Some(Timer::start(deadline, context.waker()));
        false
    }
}

impl<'t> WaitForCancellationFuture<'t> {
    pub(crate) fn new(token: &'t CancellationToken) -> Self {
        WaitForCancellationFuture { token, waiting: Waiting::default() }
    }
}

impl WaitForCancellationFutureOwned {
    pub(crate) fn new(token: CancellationToken) -> Self {
        WaitForCancellationFutureOwned { token, waiting: Waiting::default() }
    }
}

impl Future for WaitForCancellationFuture<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.waiting.poll(this.token, context)
    }
}

impl Future for WaitForCancellationFutureOwned {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        this.waiting.poll(&this.token, context)
    }
}

impl Drop for WaitForCancellationFuture<'_> {
    fn drop(&mut self) {
        self.token.node().waiters.leave(self.waiting.key);
    }
}

impl Drop for WaitForCancellationFutureOwned {
    fn drop(&mut self) {
        self.token.node().waiters.leave(self.waiting.key);
    }
}

impl fmt::Debug for WaitForCancellationFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForCancellationFuture").field("token", self.token).finish_non_exhaustive()
    }
}

impl fmt::Debug for WaitForCancellationFutureOwned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitForCancellationFutureOwned").field("token", &self.token).finish_non_exhaustive()
    }
}
