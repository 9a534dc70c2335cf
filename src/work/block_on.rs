//! Waiting for a future from a thread that is not polled itself.

use std::future::{Future, IntoFuture};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::core::parker::Parker;
use crate::core::task_context;
use crate::ground::sync::{AtomicU32, Ordering};
use crate::pool::awake::{self, Polling};
use crate::pool::current;
use crate::pool::enter::park_without_slot;
use crate::pool::handle::Pool;
use crate::pool::section;
use crate::pool::shared::Shared;

/// A poll is wanted. A flag besides the parker's token, because other waits of the same thread may eat that.
const RUNG: u32 = 1;
/// There will be no more polls.
const ENDED: u32 = 2;

/// Wakes a thread that blocks on a future.
struct Bell {
    state: AtomicU32,
    parker: Arc<Parker>,
}

impl Bell {
    /// Whether it has rung since the last call: then the caller polls.
    fn take(&self) -> bool {
        // Acquire pairs with the Release in `wake_by_ref`: the poll sees what the waker's caller did.
        self.state.fetch_and(!RUNG, Ordering::Acquire) & RUNG != 0
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Release pairs with the Acquire in `take`.
        if self.state.fetch_or(RUNG, Ordering::Release) == 0 {
            awake::expect_poll();
        }
        self.parker.unpark();
    }
}

/// Ends a bell's service: a wake that comes now asks for nothing.
struct End<'b>(&'b Bell);

impl Drop for End<'_> {
    fn drop(&mut self) {
        if self.0.state.fetch_or(ENDED, Ordering::Relaxed) & RUNG != 0 {
            awake::expect_no_poll();
        }
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
    block_on_for(None, future)
}

/// [`block_on`], with the pool whose timers the thread keeps while it parks, if it is of none itself.
fn block_on_for<F: IntoFuture>(home: Option<&Shared>, future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    let mut output = None;
    poll_until_done(home, &mut |context| match future.as_mut().poll(context) {
        Poll::Ready(ready) => {
            output = Some(ready);
            true
        }
        Poll::Pending => false,
    });
    output.expect("it is polled until it is done")
}

/// Calls `poll`, and blocks as long as it says that it is not done. Compiled once for all futures.
fn poll_until_done(home: Option<&Shared>, poll: &mut dyn FnMut(&mut Context<'_>) -> bool) {
    if current::is_out() {
        return section::back(|| poll_until_done(home, poll));
    }
    current::with(|slot| {
        let parker = slot.map_or_else(|| Arc::new(Parker::new()), |slot| slot.parker.clone());
        let bell = Arc::new(Bell { state: AtomicU32::new(0), parker });
        let waker = Waker::from(bell.clone());
        let mut context = Context::from_waker(&waker);
        awake::expect_poll();
        let _end = End(&bell);
        loop {
            let _polling = Polling::new();
            // The budget of a task around us is for its own poll, which this is a part of that cannot end early.
            if task_context::unlimited(|| poll(&mut context)) {
                return;
            }
            if bell.take() {
                continue;
            }
            match slot {
                None => park_without_slot(home, &bell.parker, &mut || !bell.take()),
                Some(slot) => {
                    slot.publish_all();
                    // Nothing is run on top meanwhile, whatever the pool's way of waiting: what waits here may be what
                    // the other work waits for, and there may be very many of us.
                    let _absence = slot.shared().absence();
                    slot.park_apart(&mut || !bell.take());
                }
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
    ///
    /// ```
    /// # fn main() -> Result<(), filch::BuildError> {
    /// let pool = filch::Pool::builder().workers(2).build()?;
    /// let threads = pool.block_on(async { filch::spawn(async { filch::current_num_threads() }).await });
    /// assert_eq!(threads.unwrap(), 2);
    /// # Ok(()) }
    /// ```
    pub fn block_on<F: IntoFuture>(&self, future: F) -> F::Output {
        if current::is_inside(&self.shared) {
            return block_on(future);
        }
        let mut future = pin!(future.into_future());
        block_on_for(
            Some(&self.shared),
            std::future::poll_fn(|context| {
                // The guest leaves before the thread parks, so it never keeps a seat that it does not use.
                let guest = self.shared.try_guest();
                let output = current::host(&self.shared, || future.as_mut().poll(context));
                drop(guest);
                output
            }),
        )
    }
}
