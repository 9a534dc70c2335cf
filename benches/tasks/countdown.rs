//! A counter that tasks count down; the one that comes to zero wakes whoever waits for that.

use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use futures::task::AtomicWaker;

/// The counter. Rows keep one for ever, so that a task can name it without a share in it, whose count would be one more
/// thing that the workers fight about.
#[derive(Default)]
pub struct Countdown {
    left: AtomicUsize,
    waiting: AtomicWaker,
}

impl Countdown {
    /// A counter to the end of the program, a few words large.
    pub fn leaked() -> &'static Countdown {
        Box::leak(Box::default())
    }

    /// Begins anew, when nobody waits.
    pub fn set(&self, count: usize) {
        self.left.store(count, Ordering::Relaxed);
    }

    pub fn one_done(&self) {
        // Release pairs with the Acquire in `all_done`: who waits sees what the tasks did.
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.waiting.wake();
        }
    }

    /// Waits for zero. One waits at a time.
    pub async fn all_done(&self) {
        poll_fn(|context| {
            self.waiting.register(context.waker());
            // Only after having registered, or the last one might come in between.
            if self.left.load(Ordering::Acquire) == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        // What is left of the last poll's waker.
        self.waiting.take();
    }
}
