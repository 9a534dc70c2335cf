//! A yield for libraries that have none.

use std::future::{Future, poll_fn};
use std::task::Poll;

/// Wakes its own task and is pending, once.
pub fn yield_once() -> impl Future<Output = ()> + Send + 'static {
    let mut yielded = false;
    poll_fn(move |context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
}
