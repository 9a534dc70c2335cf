//! Waiting for a future from a thread that is not polled itself.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::core::parker::Parker;
use crate::core::task_context;
use crate::ground::sync::{AtomicBool, Ordering};
use crate::pool::current;
use crate::pool::handle::Pool;

/// Wakes a thread that blocks on a future. The flag, because other waits of the same thread may eat the token.
struct Bell {
    rung: AtomicBool,
    parker: Arc<Parker>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release pairs with the Acquire in `block_on`: the poll sees what the waker's caller did.
        self.rung.store(true, Ordering::Release);
        self.parker.unpark();
    }
}

/// Runs a future to its end on the current thread, and returns its output.
///
/// It may be called anywhere: on a thread of no pool, on a worker, inside a task or a `join`, even in a pool of one
/// worker. A thread of a pool that blocks here hands its seat to another, and makes public what it holds for others to
/// run. Where `.await` is possible it is better: it costs no thread.
///
/// The future need not be `Send`. Inside it, [`spawn`](crate::spawn) uses the pool that the calling thread is inside,
/// or the global one.
///
/// # Panics
/// If the future does.
///
/// ```
/// let value = filch::block_on(async { filch::spawn(async { 6 * 7 }).await });
/// assert_eq!(value.unwrap(), 42);
/// ```
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    current::with(|slot| {
        let parker = slot.map_or_else(|| Arc::new(Parker::new()), |slot| slot.parker.clone());
        let bell = Arc::new(Bell { rung: AtomicBool::new(false), parker });
        let waker = Waker::from(bell.clone());
        let mut context = Context::from_waker(&waker);
        let rung = || bell.rung.swap(false, Ordering::Acquire);
        loop {
            // The budget of a task around us is for its own poll, which this is a part of that cannot end early.
            if let Poll::Ready(output) = task_context::unlimited(|| future.as_mut().poll(&mut context)) {
                return output;
            }
            if rung() {
                continue;
            }
            match slot {
                None => {
                    while !rung() {
                        bell.parker.park();
                    }
                }
                Some(slot) => slot.block(|slot| {
                    while !rung() {
                        slot.park_once();
                    }
                }),
            }
        }
    })
}

impl Pool {
    /// Runs a future to its end on the current thread, inside this pool: tasks that it spawns with the free functions
    /// go to this pool. See [`block_on`].
    ///
    /// If the thread is not one of the pool's it becomes a guest for the time of each poll; if no seat is free then,
    /// it polls without one. On a worker of another pool, which is no guest anywhere, the free functions keep to that
    /// other pool.
    ///
    /// # Panics
    /// If the future does.
    pub fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        if current::is_inside(&self.shared) {
            return block_on(future);
        }
        let mut future = pin!(future.into_future());
        block_on(std::future::poll_fn(|context| {
            // The guest leaves before the thread parks, so it never keeps a seat that it does not use.
            let guest = self.shared.try_guest();
            let output = current::host(&self.shared, || future.as_mut().poll(context));
            drop(guest);
            output
        }))
    }
}
