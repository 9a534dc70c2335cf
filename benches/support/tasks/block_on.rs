//! Waiting for a future on a thread outside: the same waiting for all libraries.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future on this thread and parks in between.
pub fn block_on<F: Future>(future: F) -> F::Output {
    poll_and(future, || {
        thread::park();
        true
    })
    .expect("it waits for ever")
}

/// The same until a deadline.
pub fn block_on_until<F: Future>(future: F, deadline: Instant) -> Option<F::Output> {
    poll_and(future, || {
        let left = deadline.saturating_duration_since(Instant::now());
        thread::park_timeout(left);
        !left.is_zero()
    })
}

/// Polls until the future is ready or `wait` says that it has waited enough.
fn poll_and<F: Future>(future: F, wait: impl Fn() -> bool) -> Option<F::Output> {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return Some(output);
        }
        if !wait() {
            return None;
        }
    }
}
